/*
 * What: conditions.
 *
 * How: a wait parks once. Its waiter stands in the condition's queue until it
 * is notified, cut, or the lock breaks; then in the lock's queue like one that
 * acquires it, until the lock is handed to it. What the wait returns is decided
 * when it leaves the condition's queue and travels in the waiter. The second
 * stretch cannot be cut, because the caller is promised the lock; so its cancel
 * hook lets the wait go on.
 *
 * Rejected: waking the notified to let them acquire the lock themselves. Each
 * would run once only to park again, others could come between, and a
 * cancellation between the two parks would need a case of its own.
 */
#include "uvawait/condition.h"

#include <limits.h>

#include "lock.h"

static uva_future_t *cut(uva__waiter_t *waiter);
static uva_future_t *go_on(uva__waiter_t *waiter);

static const uva__wait_t condition_wait = {.reason = "condition",
                                           .cancel = cut};
static const uva__wait_t regain_wait = {.reason = "condition's lock",
                                        .cancel = go_on};

static uva__sleeper_t *first_sleeper(const uva_condition_t *condition) {
    uva__waiter_t *oldest = uva__first_waiter(&condition->waiters);
    return oldest != NULL ? UVA__OF(oldest, uva__sleeper_t, waiter) : NULL;
}

/* Ends the waiting in the condition, with what the wait is to return. */
static void move_on(uva__sleeper_t *sleeper, int code) {
    uva__waiter_t *waiter = &sleeper->waiter;
    uva__list_remove(&waiter->queue->list, &waiter->link);
    uva__list_remove(&sleeper->lock->sleepers, &sleeper->link);
    waiter->wait = &regain_wait;
    waiter->code = code;
    uva__lock_regain(sleeper->lock, waiter);
}

/* Not notified yet: the cut decides, and the lock is taken back. */
static uva_future_t *cut(uva__waiter_t *waiter) {
    uva__scope_note_cut(waiter->task);
    move_on(UVA__OF(waiter, uva__sleeper_t, waiter), UV_ECANCELED);
    return NULL;
}

/* Decided already, and the caller is promised the lock. */
static uva_future_t *go_on(uva__waiter_t *waiter) {
    (void)waiter;
    return NULL;
}

void uva_condition_init(uva_condition_t *condition) {
    *condition = (uva_condition_t)UVA_CONDITION_INIT;
}

/* ---- waiting ------------------------------------------------------------ */

/* Whether the running task may wait here with that lock. */
static int check_wait(const uva_condition_t *condition, const uva_lock_t *lock,
                      const char *call) {
    if (!uva__lock_is_mine(lock))
        return uva__misuse(call,
                           "the calling task does not hold lock '%s'; acquire "
                           "it first",
                           uva__waiters_name(&lock->waiters));
    const uva__sleeper_t *oldest = first_sleeper(condition);
    if (oldest != NULL && oldest->lock != lock)
        return uva__misuse(call,
                           "others wait in condition '%s' with lock '%s', not "
                           "with '%s'; all who wait in it must use one lock",
                           uva__waiters_name(&condition->waiters),
                           uva__waiters_name(&oldest->lock->waiters),
                           uva__waiters_name(&lock->waiters));
    return 0;
}

static int wait_as(uva_condition_t *condition, uva_lock_t *lock,
                   const char *call) {
    uva__task_t *task = uva__running(call);
    if (task == NULL)
        return UV_EPERM;
    int code = check_wait(condition, lock, call);
    if (code < 0)
        return code;
    code = uva__may_park(task);
    if (code < 0)
        return code;
    uva__sleeper_t sleeper = {
        .waiter = {.wait = &condition_wait, .queue = &condition->waiters},
        .lock = lock};
    uva__list_push(&condition->waiters.list, &sleeper.waiter.link);
    uva__list_push(&lock->sleepers, &sleeper.link);
    uva__lock_pass(lock);
    return uva__park(task, &sleeper.waiter);
}

int uva_condition_wait(uva_condition_t *condition, uva_lock_t *lock) {
    return wait_as(condition, lock, "uva_condition_wait");
}

int uva_condition_wait_for(uva_condition_t *condition, uva_lock_t *lock,
                           int (*predicate)(void *arg), void *arg) {
    for (;;) {
        int value = predicate(arg);
        if (value != 0)
            return value;
        int code = wait_as(condition, lock, "uva_condition_wait_for");
        if (code < 0)
            return code;
    }
}

/* ---- notifying ---------------------------------------------------------- */

static int notify(uva_condition_t *condition, size_t count, const char *call) {
    uva__sleeper_t *oldest = first_sleeper(condition);
    if (oldest == NULL)
        return 0;
    if (uva__check_thread(&condition->waiters, call) < 0)
        return UV_EPERM;
    if (!uva__lock_is_mine(oldest->lock))
        return uva__misuse(call,
                           "the caller does not hold lock '%s' of those who "
                           "wait in condition '%s'; acquire it first",
                           uva__waiters_name(&oldest->lock->waiters),
                           uva__waiters_name(&condition->waiters));
    int notified = 0;
    while (oldest != NULL && count-- > 0 && notified < INT_MAX) {
        move_on(oldest, 0);
        notified++;
        oldest = first_sleeper(condition);
    }
    return notified;
}

int uva_condition_notify(uva_condition_t *condition, size_t count) {
    return notify(condition, count, "uva_condition_notify");
}

int uva_condition_notify_all(uva_condition_t *condition) {
    return notify(condition, SIZE_MAX, "uva_condition_notify_all");
}

/* ---- looking ------------------------------------------------------------ */

void uva_condition_set_name(uva_condition_t *condition, const char *name) {
    condition->waiters.name = name;
}

void uva_condition_statistics(const uva_condition_t *condition,
                              uva_condition_statistics_t *ret_statistics) {
    const uva__sleeper_t *oldest = first_sleeper(condition);
    *ret_statistics = (uva_condition_statistics_t){
        .name = condition->waiters.name,
        .lock = oldest != NULL ? oldest->lock : NULL,
        .waiting = uva__count_waiters(&condition->waiters)};
}
