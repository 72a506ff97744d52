/**
 * Tasks and coroutines: functions that run on a stack of their own, or will.
 */
#ifndef UVAWAIT_TASK_H
#define UVAWAIT_TASK_H

#include "base.h"

UVA_BEGIN_DECLS

/* What the runtime knows of an async function (uvawait/async.h): its name, its
 * body, and where in a task's memory its result lies. Private. */
typedef struct uva_async {
    const char *name;
    uva_fn run;
    uint32_t self_bytes;  /* of a coroutine, as calling the function gives it */
    uint32_t args_offset; /* of the arguments in it */
    uint32_t args_bytes;
    uint32_t frame_bytes; /* of a task's copy of it, with its result */
    uint32_t value_offset;
    uint32_t value_bytes;
} uva_async_t;

/* How every coroutine of the typed layer begins. */
typedef struct uva_async_head {
    uva_future_t *future;
    const uva_async_t *async;
} uva_async_head_t;

typedef struct uva_task_options {
    /* Copied. NULL: made from the function's name and a number. */
    const char *name;
    /* Address space of the stack; 0: the runtime's default. */
    size_t stack_bytes;
    /* Run at once, up to the first park, before the spawn returns. Only from
     * inside a task; elsewhere it starts in the next tick. */
    bool eager;
    /* When not NULL: copied into the task, and its copy is the body's arg,
     * valid as long as the task's handle is. */
    const void *copy;
    size_t copy_bytes;
    /* Task-local values (uvawait/local.h) that it sees and sets, with all who
     * were given them. NULL: it sees those of its spawner, and sets its own. */
    uva_locals_t *locals;
    /* What copy is a coroutine of. Set by the typed layer only. */
    const uva_async_t *async;
} uva_task_options_t;

/**
 * Makes a task that calls fn(arg). It starts in the next tick, in the order of
 * spawning; cancelled before its first step, it never runs. Name and place of
 * creation are captured.
 *
 * Context:  task or host callback, in the thread of the runtime
 * Parks:    never
 * Cancel:   –
 * Returns:  the task; NULL when memory or the kernel's limit of mappings is
 *           exhausted (the reason is reported), where there is no runtime
 *           (reported), or after its end. NULL may be awaited: it is a future
 *           that failed with UV_ENOMEM.
 * Owns:     the result is new; arg borrowed until the task has ended
 * Since:    0.1
 */
UVA_API UVA_MUST_CHECK uva_task_t *uva_spawn(uva_fn fn, void *arg);

/**
 * uva_spawn() on a given runtime: for callbacks of the host.
 *
 * Context:  the thread of runtime
 * Parks:    never
 * Cancel:   –
 * Returns:  as uva_spawn(); NULL from another thread (reported: uva_post())
 * Owns:     as uva_spawn()
 * Since:    0.1
 */
UVA_API UVA_MUST_CHECK uva_task_t *uva_spawn_on(uva_runtime_t *runtime,
                                                uva_fn fn, void *arg);

/**
 * uva_spawn() with options; NULL options are the defaults.
 *
 * Context:  as uva_spawn()
 * Parks:    never (eager: the child runs up to its first park)
 * Cancel:   –
 * Returns:  as uva_spawn()
 * Owns:     as uva_spawn(); options and what they point to borrowed during the
 *           call
 * Since:    0.1
 */
UVA_API UVA_MUST_CHECK uva_task_t *
uva_spawn_with(const uva_task_options_t *options, uva_fn fn, void *arg);

/**
 * Makes a coroutine: nothing runs until it is awaited (then on the caller's
 * own stack, as a call) or started, spawned, gathered (then as a task).
 * Dropped before that, it is reported: "coroutine 'x' was never awaited".
 *
 * Context:  task or host callback, in the thread of the runtime
 * Parks:    never
 * Cancel:   uva_cancel() ends it unstarted, and nothing is reported
 * Returns:  the coroutine, or NULL as uva_spawn()
 * Owns:     the result is new; args_bytes bytes at args are copied, and fn's
 *           arg is the copy (NULL when args is NULL)
 * Since:    0.1
 */
UVA_API UVA_MUST_CHECK uva_future_t *uva_coroutine(uva_fn fn, const void *args,
                                                   size_t args_bytes);

/**
 * Makes a coroutine a task that starts in the next tick. What has been started
 * comes back as it is. An awaitable (uvawait/awaitable.h) begins here and now,
 * and comes back also if it has failed.
 *
 * Context:  the thread of the runtime
 * Parks:    never
 * Cancel:   –
 * Returns:  the same handle; NULL for NULL, or when it cannot be started (as
 *           uva_spawn(); the coroutine is dropped)
 * Owns:     takes coroutine; the result is new
 * Since:    0.1
 */
UVA_API UVA_MUST_CHECK uva_task_t *uva_start(uva_future_t *coroutine);

/**
 * The running task.
 *
 * Context:  any thread
 * Parks:    never
 * Cancel:   –
 * Returns:  the task; NULL outside a task
 * Owns:     the result is borrowed
 * Since:    0.1
 */
UVA_API uva_task_t *uva_current(void);

/**
 * The name of a task, coroutine or future: the given one, or one made of the
 * function's name and a number that grows in order of creation.
 *
 * Context:  the thread of the runtime
 * Parks:    never
 * Cancel:   –
 * Returns:  a text; "(none)" for NULL
 * Owns:     the result is borrowed until the name is changed or f is freed
 * Since:    0.1
 */
UVA_API const char *uva_name(const uva_future_t *f);

/**
 * Names a task, coroutine or future.
 *
 * Context:  the thread of the runtime
 * Parks:    never
 * Cancel:   –
 * Returns:  0, UV_ENOMEM (the old name stays), UV_EINVAL for NULL
 * Owns:     task borrowed; name copied
 * Since:    0.1
 */
UVA_API int uva_set_name(uva_task_t *task, const char *name);

/**
 * Ends a body with a value: `return uva_return(value);`.
 *
 * Context:  task (or a coroutine's body)
 * Parks:    never
 * Cancel:   –
 * Returns:  0; UV_EPERM outside a task, and in a task of an async function of
 *           uvawait/async.h, whose value has a type (both reported)
 * Owns:     what value points to must outlive its readers
 * Since:    0.1
 */
UVA_API int uva_return(void *value);

/**
 * Ends a body with a failure and a message: `return uva_fail(code, ...);`.
 * Whoever waits for the task reads it with uva_last_message().
 *
 * Context:  task (or a coroutine's body)
 * Parks:    never
 * Cancel:   –
 * Returns:  code as it is (the message is left out when memory is); UV_EINVAL
 *           when code is not negative
 * Owns:     format and its arguments borrowed during the call
 * Since:    0.1
 */
UVA_API UVA_PRINTF(2, 3) int uva_fail(int code, const char *format, ...);

/**
 * The message of the failure that the current task's last waiting call
 * returned.
 *
 * Context:  task
 * Parks:    never
 * Cancel:   –
 * Returns:  a text, or NULL if there is none
 * Owns:     the result is borrowed until the task's next waiting call
 * Since:    0.1
 */
UVA_API const char *uva_last_message(void);

/**
 * Lets go of a task that is to run on by itself. If it fails, the failure is
 * reported when it ends.
 *
 * Context:  the thread of the runtime
 * Parks:    never
 * Cancel:   –
 * Returns:  –
 * Owns:     takes task; NULL is fine
 * Since:    0.1
 */
UVA_API void uva_detach(uva_task_t *task);

/**
 * Requests that a task ends: from now on every park of it fails with
 * UV_ECANCELED (R7). Requests are counted, as in asyncio. A plain future is
 * failed with UV_ECANCELED at once; a coroutine is ended unstarted.
 *
 * Context:  the thread of the runtime
 * Parks:    never
 * Cancel:   –
 * Returns:  true if a request was made; false for NULL and what is done
 * Owns:     f borrowed
 * Since:    0.1
 */
UVA_API bool uva_cancel(uva_future_t *f);

/**
 * uva_cancel() with a reason that the cancelled side reads with
 * uva_cancel_reason(), and a waiter with uva_last_message() or uva_message().
 *
 * Context:  the thread of the runtime
 * Parks:    never
 * Cancel:   –
 * Returns:  as uva_cancel()
 * Owns:     f borrowed; reason copied (left out when memory is), may be NULL
 * Since:    0.1
 */
UVA_API bool uva_cancel_with(uva_future_t *f, const char *reason);

/**
 * Why the current task was asked to end: the reason given last.
 *
 * Context:  task
 * Parks:    never
 * Cancel:   –
 * Returns:  a text, or NULL if there is none
 * Owns:     the result is borrowed until the next request or uva_uncancel()
 * Since:    0.1
 */
UVA_API const char *uva_cancel_reason(void);

/**
 * Takes one request back. When none is left the task's parks work again.
 *
 * Context:  the thread of the runtime; anybody may
 * Parks:    never
 * Cancel:   –
 * Returns:  the requests left, never below 0
 * Owns:     task borrowed
 * Since:    0.1
 */
UVA_API int uva_uncancel(uva_task_t *task);

/**
 * How many requests to end are standing.
 *
 * Context:  the thread of the runtime
 * Parks:    never
 * Cancel:   –
 * Returns:  the number; 0 for NULL and for what is no task
 * Owns:     task borrowed
 * Since:    0.1
 */
UVA_API int uva_cancelling(const uva_task_t *task);

/**
 * Cancels f and waits until it is over.
 *
 * Context:  task
 * Parks:    unless f is done
 * Cancel:   the wait cannot be cut
 * Returns:  f's final code; UV_ENOMEM for NULL; UV_EPERM outside a task, for
 *           the task itself, or for a future of another runtime
 * Owns:     takes f
 * Since:    0.1
 */
UVA_API UVA_PARKS int uva_cancel_and_wait(uva_future_t *f);

/* The functions behind the macros below: site is UVA_SITE(...). */
UVA_API UVA_MUST_CHECK uva_task_t *uva_spawn_at(const char *site, uva_fn fn,
                                                void *arg);
UVA_API UVA_MUST_CHECK uva_task_t *
uva_spawn_on_at(const char *site, uva_runtime_t *runtime, uva_fn fn, void *arg);
UVA_API UVA_MUST_CHECK uva_task_t *
uva_spawn_with_at(const char *site, const uva_task_options_t *options,
                  uva_fn fn, void *arg);
UVA_API UVA_MUST_CHECK uva_future_t *uva_coroutine_at(const char *site,
                                                      uva_fn fn,
                                                      const void *args,
                                                      size_t args_bytes);

/* Behind the typed layer: a task, and a coroutine object, of a coroutine value.
 * uva_async_begin_at() gives the place in a new task for the coroutine; it
 * begins with the task, and runs not before it has been filled in. */
UVA_API UVA_MUST_CHECK uva_async_head_t *
uva_async_begin_at(const char *site, const uva_async_t *async);
UVA_API UVA_MUST_CHECK uva_task_t *
uva_async_spawn_at(const char *site, const uva_task_options_t *options,
                   const uva_async_t *async, const void *self);
UVA_API UVA_MUST_CHECK uva_future_t *
uva_async_coroutine_at(const char *site, const uva_async_t *async,
                       const void *coroutine);

#define uva_spawn(...)    uva_spawn_at(UVA_SITE(#__VA_ARGS__), __VA_ARGS__)
#define uva_spawn_on(...) uva_spawn_on_at(UVA_SITE(#__VA_ARGS__), __VA_ARGS__)
#define uva_spawn_with(...) \
    uva_spawn_with_at(UVA_SITE(#__VA_ARGS__), __VA_ARGS__)
#define uva_coroutine(...) uva_coroutine_at(UVA_SITE(#__VA_ARGS__), __VA_ARGS__)

UVA_END_DECLS

#endif
