/*
 * Waiting until a future is over: what uva_await and the combinators share.
 */
#ifndef UVA__AWAIT_H
#define UVA__AWAIT_H

#include "task.h"

/* Parks until f is done. A request to end the task is passed on to f and does
 * not cut the wait; if f then ends with a failure, the task's scopes know that
 * they were cut short. f must be held, and not be a coroutine unstarted. */
void uva__wait_over(uva__task_t *task, uva_future_t *f);
extern const uva__wait_t uva__await_wait; /* how it is parked then */

/* The budget's yield for a call whose outcome is there already. */
void uva__breathe(uva__task_t *task);

/* f is the task, or a coroutine that runs in place on it. */
static inline bool uva__is_self(const uva_future_t *f,
                                const uva__task_t *task) {
    if (f == &task->future)
        return true;
    return f->kind == &uva__coroutine_kind && f->state == UVA__PENDING &&
           uva__task_of(f)->root.task == &task->future;
}

/* Whether `task` (may be NULL: outside a task, reported already) may wait for
 * f: 0; UV_ENOMEM for NULL; UV_EPERM (reported), and the call takes f all the
 * same; UVA__NOT_TAKEN (reported) for a future of another runtime, which must
 * not be touched. */
enum { UVA__NOT_TAKEN = 1 };
UVA__COLD int uva__refuse_await(const uva_future_t *f, const uva__task_t *task,
                                const char *call);
static inline int uva__may_await(const uva_future_t *f, uva__task_t *task,
                                 const char *call) {
    if (UVA__LIKELY(task != NULL))
        uva__hear_nothing(task);
    if (UVA__LIKELY(task != NULL && f != NULL &&
                    f->runtime == task->future.runtime &&
                    !uva__is_self(f, task)))
        return 0;
    return uva__refuse_await(f, task, call);
}

/* The same for calls that borrow: 0, or UV_EPERM when one of them must not be
 * waited for. NULL may stand among them. */
int uva__may_look_at(uva_future_t *futures[], size_t count, uva__task_t *task,
                     const char *call);

/* Delivers the outcome of a future that is done, and takes it. */
int uva__take_outcome(uva_future_t *f, void *ret_value);

#endif
