/*
 * Tasks inside. The control block lies apart from the stack, dense among
 * others of its kind; a stack is taken when the task first runs, and given
 * back when its body has returned.
 *
 * Stages: UNSTARTED (a coroutine) -> FRESH (queued, no stack yet) ->
 * RUNNING <-> PARKED -> OVER. A task that is queued to go on is PARKED with no
 * waiter.
 */
#ifndef UVA__TASK_H
#define UVA__TASK_H

#include "future.h"
#include "park.h"
#include "uvawait/scope.h"
#include "uvawait/task.h"

typedef enum {
    UVA__STAGE_FRESH,
    UVA__STAGE_RUNNING,
    UVA__STAGE_PARKED,
    UVA__STAGE_OVER
} uva__stage_t;

struct uva__task {
    uva_future_t future;   /* must stay the first member */
    uva__stack_t *stack;   /* RUNNING, PARKED; in a generator: its */
    uva__waiter_t *waiter; /* what it is parked in; NULL once woken */
    uva_scope_t *scope;    /* the innermost open one; at least &root */
    bool is_cut;           /* its next park fails; see scope.h */
    uint8_t stage;         /* uva__stage_t */
    uint16_t budget;       /* calls that need not wait until it must yield */
    uva_fn fn;
    void *arg;             /* the user's, or the copy */
    uva_future_t *outcome; /* what uva_return / uva_fail write to: itself, or
                               the coroutine that runs in place on it */
    uva__text_t *heard;    /* uva_last_message */
    uva__text_t *reason;   /* of the last request to end */
    int saved_errno;       /* while it does not run; 0 before it does */
    int requests;          /* to end, not taken back */
    int leaving;           /* the failure that UVA_TRY() last returned with */
    int block_code;        /* what a block that was left by it said; 0: none */
    uint32_t round;        /* the runtime's ending round it was cut in */
    uint32_t walk;         /* the cancellation that last asked it to end */
    uva__task_t *outer;    /* who spawned it eagerly and goes on when it
                               parks; only while on runtime->urgent */
    uva_link_t all;        /* in runtime->tasks, FRESH .. PARKED */
    uva_held_t *held;      /* locks and their like, newest first */
    void *copy;            /* of its arguments, freed with the handle: behind
                              this where there is room, or apart */
    size_t copy_bytes;
    size_t stack_bytes;         /* asked for; 0: the default */
    struct uva__values *values; /* task-local; see locals.h */
    uva_locals_t *locals;       /* what it sees instead, or NULL */
    uva_scope_t root;           /* its own cancel */
};

extern const uva__future_kind_t uva__task_kind;
extern const uva__future_kind_t uva__coroutine_kind;

static inline uva__task_t *uva__task_of(const uva_future_t *f) {
    return (uva__task_t *)(uintptr_t)f;
}

/* Where a copied argument lies behind a task: aligned for any type. */
enum { UVA__TASK_BLOCK = (sizeof(uva__task_t) + 15) / 16 * 16 };
static inline bool uva__is_copy_behind(const uva__task_t *task) {
    return task->copy == (const char *)task + UVA__TASK_BLOCK;
}

/* The cooperative budget, to be asked by calls that may park before they take
 * effect: 0, or UV_ECANCELED without effect. */
static inline int uva__spend(uva__task_t *task) {
    return UVA__LIKELY(--task->budget != 0) ? 0 : uva__spend_last(task);
}

/* Whether the next uva__spend() lets others run. */
static inline bool uva__spends_last(const uva__task_t *task) {
    return task->budget == 1;
}

/* Notes what the task holds from now on. If it ends without letting go,
 * `abandon` is called, with the task still current, and it is let go of. */
static inline void uva__hold(uva__task_t *task, uva_held_t *held,
                             void (*abandon)(uva_held_t *held)) {
    held->abandon = abandon;
    held->at = &task->held;
    held->next = task->held;
    if (held->next != NULL)
        held->next->at = &held->next;
    task->held = held;
}
static inline void uva__let_go(uva_held_t *held) {
    *held->at = held->next;
    if (held->next != NULL)
        held->next->at = held->at;
    held->at = NULL;
}

/* A waiting call begins: what the last one had to say is forgotten. */
static inline void uva__hear_nothing(uva__task_t *task) {
    if (UVA__UNLIKELY(task->heard != NULL))
        uva__text_put(&task->heard, NULL);
}

/* A park is refused; notes it in the scopes of the task. UV_ECANCELED. */
UVA__COLD int uva__refuse_park(uva__task_t *task);

/* 0, or UV_ECANCELED when the task must not park. */
static inline int uva__may_park(uva__task_t *task) {
    return UVA__LIKELY(!task->is_cut) ? 0 : uva__refuse_park(task);
}

/* Reports that `call` was made outside a task; NULL. */
UVA__COLD uva__task_t *uva__not_running(const char *call);

/* The running task. Outside one the misuse is reported and it is NULL. */
static inline uva__task_t *uva__running(const char *call) {
    const uva_runtime_t *rt = uva__thread_runtime;
    return UVA__LIKELY(rt != NULL && rt->current != NULL)
               ? rt->current
               : uva__not_running(call);
}

/* Leaves the running task's fiber for what is next. Comes back when the task
 * is resumed; who resumes it must have been arranged. errno survives. Always
 * 0: see uva__switch(). */
int uva__leave(uva_runtime_t *rt, uva__task_t *task);

/* Parks the running task until its waiter is woken; returns the code. Inline,
 * since each frame that returns between two switches costs a mispredicted
 * return: 4 ns of a semaphore's hand-off, 15 when it comes from the loop. */
static inline int uva__park(uva__task_t *task, uva__waiter_t *waiter) {
    uva_runtime_t *rt = task->future.runtime;
    UVA__ASSERT(rt->current == task);
    waiter->task = task;
    task->waiter = waiter;
    rt->outside += waiter->wait->outside;
    uva__hear_nothing(task);
    (void)uva__leave(rt, task);
    return waiter->code;
}

/* uva__may_park, then parks at the end of a queue. */
static inline int uva__park_in(uva__task_t *task, uva_waiters_t *queue,
                               uva__waiter_t *waiter) {
    int code = uva__may_park(task);
    if (code < 0)
        return code;
    waiter->queue = queue;
    uva__list_push(&queue->list, &waiter->link);
    return uva__park(task, waiter);
}

/* Makes a coroutine a queued task; 0 or UV_ENOMEM / UV_ESHUTDOWN (reported
 * where the reason would be a riddle). Keeps the caller's reference. */
int uva__task_start(uva__task_t *task);

/* Runs a coroutine that has not begun on the current task's stack, as a call.
 * It is done afterwards. */
void uva__run_in_place(uva__task_t *runner, uva__task_t *coroutine);

/* Runs the body and completes the task; on the task's own stack. */
void uva__task_run(uva__task_t *task);

/* The last step of a task that was started: out of the runtime's books. */
void uva__task_over(uva__task_t *task);

/* Ends a task that never got to run. */
void uva__task_end_unrun(uva__task_t *task, int code);

#endif
