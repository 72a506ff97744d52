/**
 * Awaitables: objects of your own that a task can await, as `__await__` makes
 * one in Python. Whatever ends by a callback becomes a future like any other:
 * uva_await(), gather, race, wait_for, shield, select and the rest take it.
 *
 *     // One turn of the loop, then a text.
 *     static void end(void *f) {
 *         (void)uva_future_resolve(f, "custom result");
 *     }
 *     static int start(void *self, uva_future_t *f) {
 *         (void)self;
 *         return uva_post(uva_runtime_current(), end, f);
 *     }
 *     static const uva_awaitable_ops_t my_awaitable = {
 *         .name = "my_awaitable", .start = start};
 *
 *     const char *text;
 *     int code = uva_await(uva_awaitable(&my_awaitable, NULL), &text);
 *
 * It is as lazy as a coroutine: nothing begins until it is awaited, started,
 * gathered, ... Dropped before that, it is reported; cancelled before that, it
 * is over and `start` is never called.
 *
 * The object that `start` has begun ends it, exactly once, by
 * uva_future_resolve() or uva_future_fail(). Until then the library holds f, so
 * neither f nor self goes before that call, whoever has let go of f meanwhile;
 * in or after that call both may.
 *
 * An object that lives in another thread ends it by uva_post(), and holds a
 * uva_runtime_ref() from `start` until then: otherwise a runtime whose tasks
 * all wait for such objects takes itself for deadlocked.
 *
 * The functions below are called in the thread of the runtime, and as if
 * outside a task (uva_current() is NULL), like callbacks of the loop: they
 * cannot wait. Tasks that they spawn begin without task-local values.
 */
#ifndef UVAWAIT_AWAITABLE_H
#define UVAWAIT_AWAITABLE_H

#include "base.h"

UVA_BEGIN_DECLS

typedef struct uva_awaitable_ops {
    /* What reports and dumps call it, with a number; NULL: "awaitable". */
    const char *name;
    /* Begins it; called once at most. 0: it will end by uva_future_resolve() or
     * uva_future_fail() on f, from any callback, or before this returns. Below
     * 0: it has failed with that code and will not do so. */
    int (*start)(void *self, uva_future_t *f);
    /* Asked to end, between start and end, once at most. Must lead to the end
     * of f, now or later; as a failure, or as a success all the same. Who waits
     * for f goes on waiting until then. NULL: f ends with UV_ECANCELED without
     * asking, and what the object says of it later has no effect. */
    void (*cancel)(void *self, uva_future_t *f);
    /* Copies the value of a success, value_bytes, to ret_value. Called in
     * uva_future_resolve(). NULL: those bytes are copied from where the pointer
     * given to uva_future_resolve() points to (all zero if that is NULL). */
    void (*value)(void *self, void *ret_value);
    /* 0: the value is a pointer, that given to uva_future_resolve(), as of a
     * plain future. */
    size_t value_bytes;
    /* The last reference is gone, and nothing is called any more. May be NULL.
     * Called once for each awaitable that was asked for, begun or not. */
    void (*drop)(void *self);
} uva_awaitable_ops_t;

/**
 * Makes a future of an object. It has not begun: see above.
 *
 * Context:  task or host callback, in the thread of the runtime
 * Parks:    never
 * Cancel:   uva_cancel() ends it unstarted, and nothing is reported; later
 *           ops->cancel says
 * Returns:  the future; NULL without memory, after the runtime's end, outside
 *           of a runtime or for ops without `start` (both reported). NULL may
 *           be awaited: it is a future that failed with UV_ENOMEM
 * Owns:     the result is new; ops and self borrowed until ops->drop is called,
 *           which it is before a return of NULL, too (not for ops NULL)
 * Since:    0.1
 */
UVA_API UVA_MUST_CHECK uva_future_t *
uva_awaitable(const uva_awaitable_ops_t *ops, void *self);

/* The function behind the macro below: site is UVA_SITE(...). A library that
 * makes awaitables for others may pass its callers' sites on. */
UVA_API UVA_MUST_CHECK uva_future_t *
uva_awaitable_at(const char *site, const uva_awaitable_ops_t *ops, void *self);

#define uva_awaitable(...) uva_awaitable_at(UVA_SITE(#__VA_ARGS__), __VA_ARGS__)

UVA_END_DECLS

#endif
