/*
 * What: the parts of fibers that are not hot.
 *
 * ASan must know the bounds of the stack that is switched to. Those of a
 * thread's own stack it tells itself, when the fiber reached from there
 * finishes the switch; uva__fiber_left says which fiber that was. They are
 * taken each time: the host may run its loop on another stack by then.
 *
 * Mind google/sanitizers#1760: a fiber that leaves for good passes NULL, which
 * frees its fake stack; doing so on the thread's own stack would free the
 * thread's. Only pooled stacks leave.
 */
#include "fiber.h"

#include <stdint.h>
#include <string.h>

#if UVA__ASAN
#include <sanitizer/asan_interface.h>
#endif
#if defined(UVA__HAVE_VALGRIND)
#include <valgrind/valgrind.h>
#endif

void uva__fiber_init(uva__fiber_t *fiber, char *low, size_t bytes,
                     uva__entry_fn entry, void *arg) {
    memset(fiber, 0, sizeof *fiber);
    fiber->low = low;
    fiber->bytes = bytes;
    fiber->sp = uva__switch_prepare(low, bytes, entry, arg);
#if UVA__TSAN
    fiber->tsan = __tsan_create_fiber(0);
#endif
#if defined(UVA__HAVE_VALGRIND)
    fiber->valgrind_id = VALGRIND_STACK_REGISTER(low, low + bytes - 1);
#endif
}

void uva__fiber_init_thread(uva__fiber_t *fiber) {
    memset(fiber, 0, sizeof *fiber);
#if UVA__TSAN
    fiber->tsan = __tsan_get_current_fiber();
#endif
}

void uva__fiber_term(uva__fiber_t *fiber) {
#if UVA__TSAN
    __tsan_destroy_fiber(fiber->tsan);
#endif
#if UVA__ASAN
    /* The frames that the fiber never returned from left red zones, which
     * would outlive the mapping and be found by who gets these pages next. */
    __asan_unpoison_memory_region(fiber->low, fiber->bytes);
#endif
#if defined(UVA__HAVE_VALGRIND)
    VALGRIND_STACK_DEREGISTER(fiber->valgrind_id);
#endif
    fiber->sp = NULL;
}

#if UVA__ASAN
_Thread_local uva__fiber_t *uva__fiber_left;

void uva__fiber_arrived(uva__fiber_t *self) {
    const void *low = NULL;
    size_t bytes = 0;
    __sanitizer_finish_switch_fiber(self->fake_stack, &low, &bytes);
    uva__fiber_t *left = uva__fiber_left;
    if (left != NULL) {
        left->low = (char *)(uintptr_t)low;
        left->bytes = bytes;
    }
}

void uva__fiber_leave(uva__fiber_t *from, uva__fiber_t *to) {
    uva__fiber_left = NULL;
    __sanitizer_start_switch_fiber(NULL, to->low, to->bytes);
    (void)uva__switch(&from->sp, to->sp);
}
#endif
