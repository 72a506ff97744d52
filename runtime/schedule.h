/*
 * The scheduler: the one place that switches stacks (docs/DESIGN.md, I3, I4).
 *
 * Control goes straight from task to task; the loop's own stack is entered
 * only to run callbacks and to poll.
 */
#ifndef UVA__SCHEDULE_H
#define UVA__SCHEDULE_H

#include "loop.h"
#include "task.h"

/* Queues a task that is parked with no waiter, or fresh. */
static inline void uva__queue_task(uva_runtime_t *rt, uva__task_t *task) {
    uva__ready_push(&rt->ready, (uintptr_t)task);
    if (UVA__UNLIKELY(!rt->draining))
        uva__loop_has_work(rt);
}

/* The same in a callback that libuv makes in its poll: on_check() in loop.c
 * comes next, so nothing has to keep that poll from blocking. Saves a start and
 * a stop of the idle handle: 130 of the 1,570 instructions of an echo. */
static inline void uva__queue_polled(uva_runtime_t *rt, uva__task_t *task) {
    rt->deadlocked = false;
    uva__ready_push(&rt->ready, (uintptr_t)task);
}

/* Queues a callback whose place is reserved. */
void uva__queue_callback(uva_runtime_t *rt, uva__callback_t *callback);

/* Runs a fresh task at once until it parks or ends; then the running task goes
 * on. The child must not be queued. */
void uva__run_eagerly(uva_runtime_t *rt, uva__task_t *child);

/* A stack for what is no task and runs as part of one: a generator, which is
 * the owner, tagged. NULL: *ret_why as of uva__stack_acquire(). It is taken
 * back when nothing on it will run again. */
uva__stack_t *uva__lend_stack(uva_runtime_t *rt, void *owner,
                              const char **ret_why);
void uva__take_stack_back(uva_runtime_t *rt, uva__stack_t *stack);

/* Goes on with the running task on another stack, where a generator's body
 * begins or stands, or that such a body came from. Comes back when the task
 * does, or another that took its place. */
void uva__change_stack(uva__task_t *task, uva__stack_t *to);

/* Runs ticks until nothing is ready or the loop should poll. On the loop's
 * stack only. */
void uva__drain(uva_runtime_t *rt);

/* Lets every pooled stack end its fiber, where a sanitizer needs that. */
void uva__retire_stacks(uva_runtime_t *rt);

/* The entry function of every stack: runs one task after another. */
void uva__stack_main(void *stack);

#endif
