/**
 * Threads: blocking work in libuv's pool, and ways into a runtime from other
 * threads.
 */
#ifndef UVAWAIT_THREAD_H
#define UVAWAIT_THREAD_H

#include "base.h"

UVA_BEGIN_DECLS

/**
 * Runs fn(arg) on libuv's thread pool and waits for its code.
 *
 * Context:  task (fn runs in another thread, and must not call the library
 *           but for uva_local_get(), which gives what the task saw)
 * Parks:    always
 * Cancel:   while queued: fn never runs, UV_ECANCELED. While running: the call
 *           waits for the job's own code, and the request is met at the next
 *           park, because fn may point into the caller's frame (R9)
 * Returns:  fn's code, UV_ECANCELED, UV_ENOMEM and what else uv_queue_work()
 *           gives, UV_EPERM outside a task, UV_EINVAL for a NULL fn
 * Owns:     arg borrowed until return
 * Since:    0.1
 */
UVA_API UVA_PARKS int uva_to_thread(uva_fn fn, void *arg);

/**
 * uva_to_thread() with a copy of the argument, which fn gets.
 *
 * Context:  as uva_to_thread()
 * Parks:    always
 * Cancel:   UV_ECANCELED at once; a job that is running runs on alone, on its
 *           own copy, and its code is dropped. The runtime's end waits for it
 * Returns:  as uva_to_thread()
 * Owns:     copy_bytes at copy are copied during the call
 * Since:    0.1
 */
UVA_API UVA_PARKS int uva_to_thread_with(uva_fn fn, const void *copy,
                                         size_t copy_bytes);

/**
 * Queues cb(arg) to be called in loop context. Calls of one thread keep their
 * order; those of the loop's own thread stand in one queue with the tasks.
 * Every accepted one runs once before uva_run() returns or detach calls done.
 *
 * Context:  any thread; from another than the loop's, hold a uva_runtime_ref()
 * Parks:    never
 * Cancel:   –
 * Returns:  0, UV_ENOMEM, UV_ESHUTDOWN after the runtime's end, UV_EINVAL for
 *           NULL
 * Owns:     arg borrowed until cb has run
 * Since:    0.1
 */
UVA_API int uva_post(uva_runtime_t *runtime, void (*cb)(void *arg), void *arg);

/**
 * Runs fn(arg) as a task of the runtime and blocks the calling thread until it
 * has ended.
 *
 * Context:  any thread but the loop's own; hold a uva_runtime_ref()
 * Parks:    never (it blocks the thread)
 * Cancel:   cancelled inside the loop, the thread gets UV_ECANCELED
 * Returns:  fn's code; UV_ESHUTDOWN after the runtime's end; UV_ENOMEM;
 *           UV_EPERM in the loop's own thread (reported); UV_EINVAL for NULL
 * Owns:     arg borrowed until return
 * Since:    0.1
 */
UVA_API int uva_call(uva_runtime_t *runtime, uva_fn fn, void *arg);

UVA_END_DECLS

#endif
