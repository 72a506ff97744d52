/*
 * The switch from one stack to another: one mechanism, one file for each ABI.
 *
 *   switch_x86_64_sysv.S    System V AMD64
 *   switch_aarch64_aapcs.S  AArch64 procedure call standard
 *   switch_riscv64.S        RISC-V 64, lp64d and lp64
 *   switch_ucontext.c       everything else, and by choice
 *
 * The contract of each is these two functions. A stack that does not run is
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
 * somebody switches back.
 */
void uva__switch(void **save_sp, void *load_sp);

#endif
