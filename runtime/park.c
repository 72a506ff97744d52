/*
 * What: park and wake, and the two plainest waits, yield and sleep.
 *
 * How: parking hands the processor to the scheduler with a waiter in
 * task->waiter; waking clears that and queues the task. Between the two the
 * task is nowhere but in what it waits for. A task that is queued has no
 * waiter, so a cancellation that comes between wake and run finds nothing to
 * cut: what was granted stands, and the next park meets the request.
 */
#include "park.h"

#include "loop.h"
#include "report.h"
#include "schedule.h"
#include "scope.h"
#include "uvawait/time.h"

int uva__refuse_park(uva__task_t *task) {
    uva__hear_nothing(task);
    uva__scope_note_cut(task);
    return UV_ECANCELED;
}

/* The task that is no longer parked, to be queued. */
static inline uva__task_t *unpark(uva__waiter_t *waiter, int code) {
    uva__task_t *task = waiter->task;
    UVA__ASSERT(task->waiter == waiter);
    task->waiter = NULL;
    waiter->code = code;
    task->future.runtime->outside -= waiter->wait->outside;
    return task;
}

void uva__wake(uva__waiter_t *waiter, int code) {
    uva__task_t *task = unpark(waiter, code);
    uva__queue_task(task->future.runtime, task);
}

void uva__wake_polled(uva__waiter_t *waiter, int code) {
    uva__task_t *task = unpark(waiter, code);
    uva__queue_polled(task->future.runtime, task);
}

void uva__wake_cut(uva__waiter_t *waiter) {
    uva__scope_note_cut(waiter->task);
    uva__wake(waiter, UV_ECANCELED);
}

uva_future_t *uva__leave_queue(uva__waiter_t *waiter) {
    uva__list_remove(&waiter->queue->list, &waiter->link);
    uva__wake_cut(waiter);
    return NULL;
}

/* ---- queues of waiters -------------------------------------------------- */

int uva__check_thread(const uva_waiters_t *queue, const char *call) {
    const uva__waiter_t *oldest = uva__first_waiter(queue);
    if (oldest == NULL || uva__is_ours(&oldest->task->future, call))
        return 0;
    return UV_EPERM;
}

void uva__wake_first(uva_waiters_t *queue, int code) {
    uva__waiter_t *oldest = uva__first_waiter(queue);
    uva__list_remove(&queue->list, &oldest->link);
    uva__wake(oldest, code);
}

size_t uva__wake_all(uva_waiters_t *queue, int code) {
    size_t count = 0;
    for (; uva__has_waiters(queue); count++)
        uva__wake_first(queue, code);
    return count;
}

size_t uva__count_waiters(const uva_waiters_t *queue) {
    size_t count = 0;
    for (const uva_link_t *link = queue->list.first; link != NULL;
         link = link->next)
        count++;
    return count;
}

/* ---- yield -------------------------------------------------------------- */

static UVA__INLINE int yield(uva__task_t *task) {
    int code = uva__may_park(task);
    if (code < 0)
        return code;
    uva_runtime_t *rt = task->future.runtime;
    /* A park that is woken before it begins: there is no waiter, because there
     * is nothing that a cancellation could still cut. */
    uva__queue_task(rt, task);
    return uva__leave(rt, task);
}

int uva__spend_last(uva__task_t *task) {
    int code = yield(task);
    /* A refused yield leaves the budget at its end: asked again next time. */
    if (code < 0)
        task->budget = 1;
    return code;
}

int uva_yield(void) {
    uva__task_t *task = uva__running("uva_yield");
    return task != NULL ? yield(task) : UV_EPERM;
}

/* ---- sleep -------------------------------------------------------------- */

typedef struct sleeper {
    uva__waiter_t waiter;
    uva_deadline_t deadline;
} sleeper_t;

static void wake_sleeper(uva_deadline_t *deadline) {
    uva__wake(&UVA__OF(deadline, sleeper_t, deadline)->waiter, 0);
}

static uva_future_t *cancel_sleeper(uva__waiter_t *waiter) {
    sleeper_t *sleeper = UVA__OF(waiter, sleeper_t, waiter);
    uva__deadlines_disarm(&waiter->task->future.runtime->deadlines,
                          &sleeper->deadline);
    uva__wake_cut(waiter);
    return NULL;
}

static const uva__wait_t sleep_wait = {.reason = "sleep",
                                       .cancel = cancel_sleeper};
/* For ever, in a program that a signal ends: no deadlock. */
static const uva__wait_t endless_wait = {.reason = "sleep until a signal",
                                         .cancel = cancel_sleeper,
                                         .outside = true};

int uva_sleep(uint64_t ms) {
    uva__task_t *task = uva__running("uva_sleep");
    if (task == NULL)
        return UV_EPERM;
    if (ms == 0)
        return yield(task);
    int code = uva__may_park(task);
    if (code < 0)
        return code;
    uva_runtime_t *rt = task->future.runtime;
    sleeper_t sleeper = {.waiter.wait = &sleep_wait,
                         .deadline.expire = wake_sleeper};
    if (ms == UVA_FOREVER && rt->interruptible)
        sleeper.waiter.wait = &endless_wait;
    if (ms != UVA_FOREVER)
        uva__deadlines_arm(&rt->deadlines, &sleeper.deadline,
                           uva__deadline_ns(rt, ms));
    return uva__park(task, &sleeper.waiter);
}

int uva_clock_advance(uint64_t ms) {
    uva_runtime_t *rt = uva__thread_runtime;
    if (rt == NULL || !rt->is_virtual)
        return UV_EPERM;
    rt->virtual_ns = uva__deadline_ns(rt, ms);
    (void)uva__deadlines_expire(&rt->deadlines, rt->virtual_ns);
    return 0;
}

/* ---- quiet -------------------------------------------------------------- */

static const uva__wait_t quiet_wait = {.reason = "wait_all_blocked",
                                       .cancel = uva__leave_queue};

int uva_wait_all_blocked(void) {
    uva__task_t *task = uva__running("uva_wait_all_blocked");
    if (task == NULL)
        return UV_EPERM;
    uva_runtime_t *rt = task->future.runtime;
    uva__waiter_t waiter = {.wait = &quiet_wait};
    return uva__park_in(task, &rt->wait_quiet, &waiter);
}

void uva__wake_quiet(uva_runtime_t *rt) {
    (void)uva__wake_all(&rt->wait_quiet, 0);
}

uint64_t uva_now_ms(void) {
    const uva_runtime_t *rt = uva__thread_runtime;
    return (rt != NULL ? uva__now_ns(rt) : uv_hrtime()) / 1000000;
}
