/*
 * What: the switch where there is none in assembly, and where it is chosen
 * (UVA_SWITCH=ucontext): swapcontext().
 *
 * How: a stack that does not run has its ucontext_t at its "stack pointer":
 * on the stack that switches away, in the frame of uva__switch.
 *
 * It costs a system call for the signal mask. makecontext() passes only ints:
 * what the entry needs lies at the top of the stack, and its address comes in
 * two halves.
 */
#include "switch.h"

#if defined(UVA__SWITCH_UCONTEXT)

#include <stdint.h>
#include <stdlib.h>
#include <ucontext.h>

/* What the entry needs; lies at the top of the stack. */
typedef struct start {
    ucontext_t context;
    uva__entry_fn entry;
    void *arg;
} start_t;

/* A pointer in two ints and back. */
static void enter(unsigned high, unsigned low) {
    uintptr_t both = (uintptr_t)((uint64_t)high << 32 | low);
    const start_t *start = (const start_t *)both;
    start->entry(start->arg);
    abort(); /* entry must not return */
}

void *uva__switch_prepare(void *low, size_t bytes, uva__entry_fn entry,
                          void *arg) {
    uintptr_t at = ((uintptr_t)low + bytes - sizeof(start_t)) & ~(uintptr_t)63;
    size_t used = at - (uintptr_t)low;
    start_t *start = (start_t *)(void *)((char *)low + used);
    start->entry = entry;
    start->arg = arg;
    (void)getcontext(&start->context);
    start->context.uc_link = NULL;
    start->context.uc_stack.ss_sp = low;
    start->context.uc_stack.ss_size = used;
    makecontext(&start->context, (void (*)(void))enter, 2,
                (unsigned)((uint64_t)at >> 32), (unsigned)at);
    return &start->context;
}

int uva__switch(void **save_sp, void *load_sp) {
    ucontext_t here;
    /* Unknown, and said so: AddressSanitizer believes this field of a context
     * that is switched to, and clears its notes about that range. */
    here.uc_stack.ss_sp = NULL;
    here.uc_stack.ss_size = 0;
    *save_sp = &here;
    (void)swapcontext(&here, load_sp);
    return 0;
}

#if defined(__x86_64__) && defined(__GNUC__)
void uva__switch_to_loop(void **save_sp, void *load_sp) {
    (void)uva__switch(save_sp, load_sp);
}
#endif

#endif
