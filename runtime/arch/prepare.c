/*
 * What: the first frame of a stack, for the switches in assembly.
 *
 * How: a frame such as uva__switch leaves behind, whose return address is the
 * entry trampoline, and whose callee-saved registers hold what that needs. It
 * lies so that the trampoline begins with the stack pointer on a multiple of
 * 16, the alignment that all three ABIs want at a call.
 */
#include "switch.h"

#if !defined(UVA__SWITCH_UCONTEXT)

#include <stdint.h>
#include <string.h>

#include "frame.h"

void uva__switch_entry(void);

#if defined(__x86_64__)
typedef struct frame {
    uint32_t mxcsr;
    uint32_t x87_cw;
    uint64_t r12; /* the argument */
    uint64_t r13, r14, r15;
    uint64_t rbx; /* the entry */
    uint64_t rbp;
    uint64_t rip;
} frame_t;
_Static_assert(offsetof(frame_t, mxcsr) == UVA__FRAME_MXCSR, "frame.h");
_Static_assert(offsetof(frame_t, x87_cw) == UVA__FRAME_X87_CW, "frame.h");
_Static_assert(offsetof(frame_t, r12) == UVA__FRAME_R12, "frame.h");
_Static_assert(offsetof(frame_t, r15) == UVA__FRAME_R15, "frame.h");
_Static_assert(offsetof(frame_t, rbx) == UVA__FRAME_RBX, "frame.h");
_Static_assert(offsetof(frame_t, rbp) == UVA__FRAME_RBP, "frame.h");
_Static_assert(offsetof(frame_t, rip) == UVA__FRAME_RIP, "frame.h");

static void fill(frame_t *frame, uint64_t entry, uint64_t arg,
                 uint64_t trampoline) {
    /* A new stack begins with the control words of who makes it, as a new
     * thread does. */
    __asm__ volatile("stmxcsr %0\n\tfnstcw %1"
                     : "=m"(frame->mxcsr), "=m"(frame->x87_cw));
    frame->rbx = entry;
    frame->r12 = arg;
    frame->rip = trampoline;
}
#elif defined(__aarch64__)
typedef struct frame {
    uint64_t x19; /* the entry */
    uint64_t x20; /* the argument */
    uint64_t x21_x28[8];
    uint64_t x29;
    uint64_t x30;
    uint64_t d8_d15[8];
} frame_t;
_Static_assert(offsetof(frame_t, x19) == UVA__FRAME_X19, "frame.h");
_Static_assert(offsetof(frame_t, x29) == UVA__FRAME_X29, "frame.h");
_Static_assert(offsetof(frame_t, x30) == UVA__FRAME_X30, "frame.h");
_Static_assert(offsetof(frame_t, d8_d15) == UVA__FRAME_D8, "frame.h");

static void fill(frame_t *frame, uint64_t entry, uint64_t arg,
                 uint64_t trampoline) {
    frame->x19 = entry;
    frame->x20 = arg;
    frame->x30 = trampoline;
}
#elif defined(__riscv) && __riscv_xlen == 64 && \
    (defined(__riscv_float_abi_double) || defined(__riscv_float_abi_soft))
typedef struct frame {
    uint64_t s0;
    uint64_t s1; /* the entry */
    uint64_t s2; /* the argument */
    uint64_t s3_s11[9];
    uint64_t ra;
    uint64_t fs0_fs11[12];
    uint64_t padding;
} frame_t;
_Static_assert(offsetof(frame_t, s0) == UVA__FRAME_S0, "frame.h");
_Static_assert(offsetof(frame_t, ra) == UVA__FRAME_RA, "frame.h");
_Static_assert(offsetof(frame_t, fs0_fs11) == UVA__FRAME_FS0, "frame.h");

static void fill(frame_t *frame, uint64_t entry, uint64_t arg,
                 uint64_t trampoline) {
    frame->s1 = entry;
    frame->s2 = arg;
    frame->ra = trampoline;
}
#else
#error \
    "no switch in assembly for this machine: configure with UVA_SWITCH=ucontext"
#endif

_Static_assert(sizeof(void *) == 8, "x32 and ILP32 need UVA_SWITCH=ucontext");
_Static_assert(sizeof(frame_t) == UVA__FRAME_BYTES, "frame.h");
_Static_assert(UVA__FRAME_BYTES % 16 == 0, "the entry must be aligned");

void *uva__switch_prepare(void *low, size_t bytes, uva__entry_fn entry,
                          void *arg) {
    uintptr_t top = ((uintptr_t)low + bytes) & ~(uintptr_t)15;
    char *sp = (char *)low + (top - (uintptr_t)low) - sizeof(frame_t);
    frame_t *frame = (frame_t *)(void *)sp;
    memset(frame, 0, sizeof *frame);
    fill(frame, (uint64_t)(uintptr_t)entry, (uint64_t)(uintptr_t)arg,
         (uint64_t)(uintptr_t)uva__switch_entry + UVA__ENTRY_SKIP);
    return sp;
}

#endif
