/**
 * Futures: outcomes that are still to come. Any callback of libuv can complete
 * one that a task awaits.
 */
#ifndef UVAWAIT_FUTURE_H
#define UVAWAIT_FUTURE_H

#include "base.h"

UVA_BEGIN_DECLS

/**
 * Makes a pending future on the current runtime.
 *
 * Context:  task or host callback, in the thread of the runtime
 * Parks:    never
 * Cancel:   –
 * Returns:  the future; NULL without memory or runtime
 * Owns:     the result is new
 * Since:    0.1
 */
UVA_API UVA_MUST_CHECK uva_future_t *uva_future_new(void);

/**
 * Makes a pending future on a given runtime.
 *
 * Context:  the thread of runtime
 * Parks:    never
 * Cancel:   –
 * Returns:  the future; NULL without memory, or from another thread (reported)
 * Owns:     the result is new
 * Since:    0.1
 */
UVA_API UVA_MUST_CHECK uva_future_t *uva_future_new_on(uva_runtime_t *runtime);

/**
 * Completes f with a value. Who waits runs in the next tick.
 *
 * Context:  the thread of the runtime; also inside libuv callbacks
 * Parks:    never
 * Cancel:   –
 * Returns:  0; UV_EALREADY when done; UV_EPERM for a task or from another
 *           thread; UV_EINVAL for NULL
 * Owns:     f borrowed; what value points to must outlive its readers
 * Since:    0.1
 */
UVA_API int uva_future_resolve(uva_future_t *f, void *value);

/**
 * Completes f with a failure.
 *
 * Context:  the thread of the runtime; also inside libuv callbacks
 * Parks:    never
 * Cancel:   –
 * Returns:  0; UV_EALREADY when done; UV_EPERM for a task or from another
 *           thread; UV_EINVAL for NULL or when code is not negative
 * Owns:     f borrowed; message copied (left out when memory is), may be NULL
 * Since:    0.1
 */
UVA_API int uva_future_fail(uva_future_t *f, int code, const char *message);

/**
 * Adds a reference.
 *
 * Context:  the thread of the runtime
 * Parks:    never
 * Cancel:   –
 * Returns:  f; NULL for NULL
 * Owns:     the result is new
 * Since:    0.1
 */
UVA_API uva_future_t *uva_ref(uva_future_t *f);

/**
 * Gives a reference back; NULL is fine. A task runs on without one. With the
 * last one a failure that nobody read, and a coroutine that nobody awaited, is
 * reported.
 *
 * Context:  the thread of the runtime, also after its end
 * Parks:    never
 * Cancel:   –
 * Returns:  –
 * Owns:     takes f
 * Since:    0.1
 */
UVA_API void uva_unref(uva_future_t *f);

/**
 * Whether the outcome of f is there.
 *
 * Context:  the thread of the runtime
 * Parks:    never
 * Cancel:   –
 * Returns:  true when done; true for NULL
 * Owns:     f borrowed
 * Since:    0.1
 */
UVA_API bool uva_is_done(const uva_future_t *f);

/**
 * The code of f. Reading a failure counts as having seen it.
 *
 * Context:  the thread of the runtime
 * Parks:    never
 * Cancel:   –
 * Returns:  UV_EAGAIN while pending, else the code; UV_ENOMEM for NULL
 * Owns:     f borrowed
 * Since:    0.1
 */
UVA_API int uva_status(const uva_future_t *f);

/**
 * The value of f.
 *
 * Context:  the thread of the runtime
 * Parks:    never
 * Cancel:   –
 * Returns:  the value; NULL while pending, after a failure, and for NULL
 * Owns:     the result is what was given to uva_return / uva_future_resolve
 * Since:    0.1
 */
UVA_API void *uva_value(const uva_future_t *f);

/**
 * The message of f's failure. Reading it counts as having seen the failure.
 *
 * Context:  the thread of the runtime
 * Parks:    never
 * Cancel:   –
 * Returns:  a text, or NULL if there is none
 * Owns:     the result is borrowed as long as f is held
 * Since:    0.1
 */
UVA_API const char *uva_message(const uva_future_t *f);

/**
 * Calls cb(f, arg) once when f is done: in loop context (uva_current() is
 * NULL), never inside the completing call, and in one queue with the tasks
 * that wait for f. f may be done already.
 *
 * Context:  the thread of the runtime
 * Parks:    never
 * Cancel:   uva_remove_on_done()
 * Returns:  0, UV_ENOMEM, UV_EINVAL for NULL, UV_EPERM from another thread,
 *           UV_ESHUTDOWN after the runtime's end
 * Owns:     f borrowed (the registration holds a reference of its own); arg
 *           borrowed until cb has run
 * Since:    0.1
 */
UVA_API int uva_on_done(uva_future_t *f, void (*cb)(uva_future_t *f, void *arg),
                        void *arg);

/**
 * Takes back every registration of cb on f that has not run.
 *
 * Context:  the thread of the runtime
 * Parks:    never
 * Cancel:   –
 * Returns:  how many; UV_EPERM from another thread
 * Owns:     f borrowed
 * Since:    0.1
 */
UVA_API int uva_remove_on_done(uva_future_t *f,
                               void (*cb)(uva_future_t *f, void *arg));

/**
 * Waits until f is done. A coroutine runs here and now, on the caller's stack.
 *
 * Context:  task
 * Parks:    unless f is done
 * Cancel:   passed on: f is cancelled, and the call returns when f is over,
 *           with f's outcome (a success all the same is a success). To leave f
 *           alone: uva_shield(), uva_wait()
 * Returns:  f's code as it is; UV_ENOMEM for NULL; UV_EPERM outside a task, for
 *           the task itself, or for a future of another runtime (reported)
 * Owns:     takes f (not if it is of another runtime); *ret_value, when not
 *           NULL, gets the value (a pointer) on success and is else untouched
 * Since:    0.1
 */
UVA_API UVA_PARKS int uva_await(uva_future_t *f, void *ret_value);

/* The functions behind the macros below: site is UVA_SITE(...). */
UVA_API UVA_MUST_CHECK uva_future_t *uva_future_new_at(const char *site);
UVA_API UVA_MUST_CHECK uva_future_t *
uva_future_new_on_at(const char *site, uva_runtime_t *runtime);

#define uva_future_new() uva_future_new_at(UVA_SITE(""))
#define uva_future_new_on(runtime) \
    uva_future_new_on_at(UVA_SITE(#runtime), runtime)

UVA_END_DECLS

#endif
