/*
 * A fiber: a stack that can be switched to, and everything that sanitizers and
 * valgrind must be told about it. In a plain build it is a stack pointer, and
 * a switch is uva__switch().
 *
 * Each pooled stack is one fiber for ever; its entry runs task after task.
 */
#ifndef UVA__FIBER_H
#define UVA__FIBER_H

#include <stddef.h>

#include "arch/switch.h"
#include "sanitizers.h"

#if UVA__ASAN
#include <sanitizer/common_interface_defs.h>
#endif
#if UVA__TSAN
#include <sanitizer/tsan_interface.h>
#endif

typedef struct uva__fiber {
    void *sp;     /* while it does not run */
    char *low;    /* its stack; of a thread's own only ASan knows it, from */
    size_t bytes; /* when it is left */
#if UVA__ASAN
    void *fake_stack; /* ASan's, while it does not run */
#endif
#if UVA__TSAN
    void *tsan; /* TSan's name for it */
#endif
#if defined(UVA__HAVE_VALGRIND)
    unsigned valgrind_id; /* valgrind's name for its stack */
#endif
} uva__fiber_t;

/* Whether a fiber must leave for good (uva__fiber_leave) before its stack is
 * given up: ASan keeps a fake stack for each. */
#define UVA__FIBER_NEEDS_RETIRE UVA__ASAN

/* A fiber on a stack of its own, which runs entry(arg) when first switched to.
 * entry never returns and begins with uva__fiber_entered(). */
void uva__fiber_init(uva__fiber_t *fiber, char *low, size_t bytes,
                     uva__entry_fn entry, void *arg);

/* The fiber of the thread's own stack, on which the caller stands. */
void uva__fiber_init_thread(uva__fiber_t *fiber);

/* The fiber does not run and never will again. */
void uva__fiber_term(uva__fiber_t *fiber);

#if UVA__ASAN
/* Takes note of the stack that the fiber came from. */
void uva__fiber_arrived(uva__fiber_t *self);
extern _Thread_local uva__fiber_t *uva__fiber_left;
#endif

/* Goes on in `to`; comes back when somebody switches to `from`, with 0. */
static inline int uva__fiber_switch(uva__fiber_t *from, uva__fiber_t *to) {
#if UVA__ASAN
    uva__fiber_left = from;
    __sanitizer_start_switch_fiber(&from->fake_stack, to->low, to->bytes);
#endif
#if UVA__TSAN
    __tsan_switch_to_fiber(to->tsan, 0);
#endif
#if UVA__ASAN
    (void)uva__switch(&from->sp, to->sp);
    uva__fiber_arrived(from);
    return 0;
#else
    return uva__switch(&from->sp, to->sp);
#endif
}

/* The same twice: to a fiber that has not begun, or that left by the second of
 * them; see switch.h. */
static inline void uva__fiber_switch_to_loop(uva__fiber_t *from,
                                             uva__fiber_t *to) {
#if UVA__ASAN || UVA__TSAN
    (void)uva__fiber_switch(from, to);
#else
    uva__switch_to_loop(&from->sp, to->sp);
#endif
}
static inline void uva__fiber_switch_from_loop(uva__fiber_t *from,
                                               uva__fiber_t *to) {
#if UVA__ASAN || UVA__TSAN
    (void)uva__fiber_switch(from, to);
#else
    uva__switch_from_loop(&from->sp, to->sp);
#endif
}

/* The first thing on a new fiber. */
static inline void uva__fiber_entered(uva__fiber_t *self) {
#if UVA__ASAN
    uva__fiber_arrived(self);
#else
    (void)self;
#endif
}

#if UVA__FIBER_NEEDS_RETIRE
/* The last switch of a fiber. */
void uva__fiber_leave(uva__fiber_t *from, uva__fiber_t *to);
#endif

#endif
