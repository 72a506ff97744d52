/*
 * The switch from one stack to another: one mechanism, one file for each ABI.
 *
 *   switch_x86_64_sysv.S    System V AMD64
 *   switch_aarch64_aapcs.S  AArch64 procedure call standard
 *   switch_riscv64.S        RISC-V 64, lp64d and lp64
 *   switch_ucontext.c       everything else, and by choice
 *
 * The contract of each is these functions. A stack that does not run is
 * its stack pointer: what the ABI calls callee-saved lies above it, in the
 * frame that frame.h describes. The signal mask is not part of it (the
 * fallback saves it, because swapcontext() does).
 *
 * The switch knows nothing of tasks, sanitizers or schedulers; fiber.h does.
 */
#ifndef UVA__SWITCH_H
#define UVA__SWITCH_H

#include <stddef.h>

typedef void (*uva__entry_fn)(void *arg);

/*
 * Lays the first frame on the stack [low, low + bytes), so that the first
 * switch to the returned stack pointer calls entry(arg) with the alignment of
 * the ABI and a backtrace ends there. entry must never return.
 */
void *uva__switch_prepare(void *low, size_t bytes, uva__entry_fn entry,
                          void *arg);

/*
 * Saves the running stack in *save_sp and goes on at load_sp. Returns when
 * somebody switches back; always 0, so that who has nothing left to do but to
 * report success can jump here, and saves a return, which would mostly be
 * predicted wrong: a wait for a task that yields takes 56 ns so, 68 without.
 */
int uva__switch(void **save_sp, void *load_sp);

/*
 * The same twice, for two places that belong together: to a stack that has not
 * begun, or that left by uva__switch_from_loop(); and from there to wherever.
 *
 * The asm is a call to the compiler's eye: it pushes, so it must stand in a
 * function that calls others (a leaf may keep things below the stack pointer),
 * and it leaves alone only what a call does.
 */
#if defined(__x86_64__) && defined(__GNUC__)
#ifdef __AVX512F__
#define UVA__SWITCH_CLOBBERS_AVX512 \
    , "xmm16", "xmm17", "xmm18", "xmm19", "xmm20", "xmm21", "xmm22", "xmm23", \
        "xmm24", "xmm25", "xmm26", "xmm27", "xmm28", "xmm29", "xmm30", \
        "xmm31", "k1", "k2", "k3", "k4", "k5", "k6", "k7"
#else
#define UVA__SWITCH_CLOBBERS_AVX512
#endif
void uva__switch_to_loop(void **save_sp, void *load_sp);
static inline __attribute__((always_inline)) void
uva__switch_from_loop(void **save_sp, void *load_sp) {
    __asm__ volatile("leaq    1f(%%rip), %%rax\n\t"
                     "pushq   %%rax\n\t"
                     "jmp     uva__switch\n"
                     "1:      endbr64"
                     : "+D"(save_sp), "+S"(load_sp)
                     :
                     : "rax", "rcx", "rdx", "r8", "r9", "r10", "r11", "cc",
                       "memory", "xmm0", "xmm1", "xmm2", "xmm3", "xmm4", "xmm5",
                       "xmm6", "xmm7", "xmm8", "xmm9", "xmm10", "xmm11",
                       "xmm12", "xmm13", "xmm14",
                       "xmm15" UVA__SWITCH_CLOBBERS_AVX512);
}
#else
static inline void uva__switch_to_loop(void **save_sp, void *load_sp) {
    (void)uva__switch(save_sp, load_sp);
}
static inline void uva__switch_from_loop(void **save_sp, void *load_sp) {
    (void)uva__switch(save_sp, load_sp);
}
#endif

#endif
