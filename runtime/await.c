/*
 * What: waiting for one future, and the wait that every combinator over
 * children shares: the request to end is passed on, and the end is awaited.
 *
 * A wait for children cannot be cut (docs/DESIGN.md, R8): its hook hands the
 * future to whoever cancels, who goes on with it. So a chain of a thousand
 * tasks that await each other is cancelled in a loop, not by recursion.
 */
#include "await.h"

#include "report.h"
#include "scope.h"

typedef struct awaiter {
    uva__waiter_t waiter;
    uva__watcher_t watcher;
    bool passed_on;
} awaiter_t;

static void fire(uva__watcher_t *watcher, uva_future_t *f) {
    (void)f;
    uva__wake(&UVA__OF(watcher, awaiter_t, watcher)->waiter, 0);
}

static uva_future_t *pass_on(uva__waiter_t *waiter) {
    UVA__OF(waiter, awaiter_t, waiter)->passed_on = true;
    return (uva_future_t *)(uintptr_t)waiter->on;
}

const uva__wait_t uva__await_wait = {.reason = "await", .cancel = pass_on};

static inline void wait_over(uva__task_t *task, uva_future_t *f) {
    awaiter_t awaiter; /* nothing is cleared that nobody reads */
    awaiter.waiter.wait = &uva__await_wait;
    awaiter.waiter.queue = NULL;
    awaiter.waiter.on = f;
    awaiter.watcher.fire = fire;
    awaiter.passed_on = task->is_cut;
    if (task->is_cut)
        (void)uva__cancel(f, task->reason);
    if (!uva__is_done(f)) {
        uva__watch(f, &awaiter.watcher);
        (void)uva__park(task, &awaiter.waiter);
    }
    if (awaiter.passed_on && f->code < 0)
        uva__scope_note_cut(task);
}

void uva__wait_over(uva__task_t *task, uva_future_t *f) {
    wait_over(task, f);
}

void uva__breathe(uva__task_t *task) {
    /* The outcome is there; a budget that is used up must not take it away. */
    if (UVA__UNLIKELY(--task->budget == 0)) {
        task->budget = 1;
        if (!task->is_cut)
            (void)uva__spend(task);
    }
}

int uva__refuse_await(const uva_future_t *f, const uva__task_t *task,
                      const char *call) {
    if (f == NULL)
        return task != NULL ? UV_ENOMEM : UV_EPERM;
    if (task == NULL)
        return uva__is_ours(f, call) ? UV_EPERM : UVA__NOT_TAKEN;
    if (f->runtime != task->future.runtime) {
        (void)uva__misuse(call,
                          "the %s belongs to another runtime than the task",
                          f->kind->noun);
        return UVA__NOT_TAKEN;
    }
    return uva__misuse(call, "%s '%s' waits for itself, which would never end",
                       f->kind->noun, uva_name(f));
}

int uva__may_look_at(uva_future_t *futures[], size_t count, uva__task_t *task,
                     const char *call) {
    for (size_t i = 0; i < count; i++) {
        int code = uva__may_await(futures[i], task, call);
        if (code == UV_EPERM || code == UVA__NOT_TAKEN)
            return UV_EPERM;
    }
    return 0;
}

static inline int take_outcome(uva_future_t *f, void *ret_value) {
    int code = uva__deliver(f, ret_value);
    uva__unref(f);
    return code;
}

int uva__take_outcome(uva_future_t *f, void *ret_value) {
    return take_outcome(f, ret_value);
}

/* The code of a call that may not wait for f. */
static int refuse(uva_future_t *f, int code) {
    if (code == UVA__NOT_TAKEN)
        return UV_EPERM;
    uva_unref(f);
    return code;
}

/* Outside a task: says what was to be waited for, if that is ours. */
static UVA__COLD uva__task_t *not_running(const uva_future_t *f) {
    if (f == NULL || f->runtime != uva__thread_runtime)
        return uva__not_running("uva_await");
    (void)uva__misuse("uva_await",
                      "called outside a task, for %s '%s' (created at %.*s). "
                      "Only a task can wait: spawn one, or use uva_run()",
                      f->kind->noun, uva_name(f), uva__site_length(f->site),
                      f->site);
    return NULL;
}

int uva_await(uva_future_t *f, void *ret_value) {
    const uva_runtime_t *rt = uva__thread_runtime;
    uva__task_t *task = UVA__LIKELY(rt != NULL && rt->current != NULL)
                            ? rt->current
                            : not_running(f);
    int code = uva__may_await(f, task, "uva_await");
    if (UVA__UNLIKELY(code != 0))
        return refuse(f, code);
    (void)uva__start(f, task);
    if (uva__is_done(f))
        uva__breathe(task);
    else
        wait_over(task, f); /* inline, as uva__park() is */
    return take_outcome(f, ret_value);
}

int uva_cancel_and_wait(uva_future_t *f) {
    uva__task_t *task = uva__running("uva_cancel_and_wait");
    int code = uva__may_await(f, task, "uva_cancel_and_wait");
    if (code != 0)
        return refuse(f, code);
    /* Cut short itself, waiting is what asks f to end. */
    if (!task->is_cut)
        (void)uva__cancel(f, NULL);
    if (!uva__is_done(f))
        uva__wait_over(task, f);
    return take_outcome(f, NULL);
}
