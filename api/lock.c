/*
 * What: locks with an owner.
 *
 * How: a release with waiters makes the oldest the owner and wakes it; the lock
 * is never free in between, so a free lock has no waiters, and acquiring one
 * needs to look at nothing else. What is held hangs on the owner's task, which
 * tells the lock when it ends (uva__hold): then the lock breaks.
 *
 * A waiter carries the code that its wait will return when it gets the lock: 0,
 * or for a condition that was cut, UV_ECANCELED.
 */
#include "uvawait/lock.h"

#include "lock.h"

static const uva__wait_t lock_wait = {.reason = "lock",
                                      .cancel = uva__leave_queue};

void uva_lock_init(uva_lock_t *lock) {
    *lock = (uva_lock_t)UVA_LOCK_INIT;
}

/* ---- owning ------------------------------------------------------------- */

static inline bool is_free(const uva_lock_t *lock) {
    return lock->owner == NULL && !lock->broken;
}

/* Its owner has ended. Who waits in a condition for it waits in vain, too. */
static void abandon(uva_held_t *held) {
    uva_lock_t *lock = UVA__OF(held, uva_lock_t, held);
    const uva_task_t *owner = lock->owner;
    lock->owner = NULL;
    lock->broken = true;
    uva__report(owner->runtime,
                "task '%s' (spawned at %.*s) ended holding lock '%s'. Who "
                "waits for it gets UV_ECONNABORTED, until uva_lock_init() "
                "makes it anew; release it on every way out",
                uva_name(owner), uva__site_length(owner->site), owner->site,
                uva__waiters_name(&lock->waiters));
    (void)uva__wake_all(&lock->waiters, UV_ECONNABORTED);
    uva_link_t *link;
    while ((link = uva__list_pop(&lock->sleepers)) != NULL) {
        uva__waiter_t *waiter = &UVA__OF(link, uva__sleeper_t, link)->waiter;
        uva__list_remove(&waiter->queue->list, &waiter->link);
        uva__wake(waiter, UV_ECONNABORTED);
    }
}

static inline void own(uva_lock_t *lock, uva__task_t *task) {
    lock->owner = &task->future;
    uva__hold(task, &lock->held, abandon);
}

bool uva__lock_is_mine(const uva_lock_t *lock) {
    const uva_runtime_t *rt = uva__thread_runtime;
    return rt != NULL && rt->current != NULL &&
           lock->owner == &rt->current->future;
}

void uva__lock_pass(uva_lock_t *lock) {
    uva__let_go(&lock->held);
    lock->owner = NULL;
    uva__waiter_t *oldest = uva__first_waiter(&lock->waiters);
    if (UVA__LIKELY(oldest == NULL))
        return;
    uva__list_remove(&lock->waiters.list, &oldest->link);
    uva__lock_regain(lock, oldest);
}

void uva__lock_regain(uva_lock_t *lock, uva__waiter_t *waiter) {
    if (lock->owner != NULL) {
        waiter->queue = &lock->waiters;
        uva__list_push(&lock->waiters.list, &waiter->link);
        return;
    }
    own(lock, waiter->task);
    uva__wake(waiter, waiter->code);
}

/* ---- acquire and release ------------------------------------------------ */

/* The caller holds it already. */
static UVA__COLD int refuse_again(const uva_lock_t *lock) {
    return uva__misuse("uva_lock_acquire",
                       "task '%s' holds lock '%s' already and would wait for "
                       "itself; release it first",
                       uva_name(lock->owner),
                       uva__waiters_name(&lock->waiters));
}

static int wait_for_turn(uva__task_t *task, uva_lock_t *lock) {
    if (lock->broken)
        return UV_ECONNABORTED;
    if (lock->owner == &task->future)
        return refuse_again(lock);
    if (!uva__is_ours(lock->owner, "uva_lock_acquire"))
        return UV_EPERM;
    uva__waiter_t waiter = {.wait = &lock_wait};
    return uva__park_in(task, &lock->waiters, &waiter);
}

int uva_lock_acquire(uva_lock_t *lock) {
    uva__task_t *task = uva__running("uva_lock_acquire");
    if (task == NULL)
        return UV_EPERM;
    if (UVA__LIKELY(is_free(lock))) {
        int code = uva__spend(task);
        if (code < 0)
            return code;
    }
    /* Looked at again: others ran if the budget was spent. */
    if (UVA__UNLIKELY(!is_free(lock)))
        return wait_for_turn(task, lock);
    own(lock, task);
    return 0;
}

int uva_lock_try_acquire(uva_lock_t *lock) {
    if (!is_free(lock))
        return lock->broken ? UV_ECONNABORTED : UV_EAGAIN;
    const uva_runtime_t *rt = uva__thread_runtime;
    if (rt == NULL || rt->current == NULL)
        return uva__misuse("uva_lock_try_acquire",
                           "called outside a task; nobody would own lock '%s'",
                           uva__waiters_name(&lock->waiters));
    own(lock, rt->current);
    return 0;
}

/* Says who holds it instead of the caller. */
static UVA__COLD int refuse_release(const uva_lock_t *lock) {
    const char *call = "uva_lock_release";
    const char *name = uva__waiters_name(&lock->waiters);
    if (lock->owner == NULL)
        return uva__misuse(call, "nobody holds lock '%s'%s", name,
                           lock->broken ? "; its owner ended" : "");
    if (!uva__is_ours(lock->owner, call))
        return UV_EPERM;
    return uva__misuse(call,
                       "lock '%s' is held by task '%s', and only that may "
                       "release it",
                       name, uva_name(lock->owner));
}

int uva_lock_release(uva_lock_t *lock) {
    if (UVA__UNLIKELY(!uva__lock_is_mine(lock)))
        return refuse_release(lock);
    uva__lock_pass(lock);
    return 0;
}

/* ---- looking ------------------------------------------------------------ */

bool uva_lock_is_locked(const uva_lock_t *lock) {
    return lock->owner != NULL;
}

void uva_lock_set_name(uva_lock_t *lock, const char *name) {
    lock->waiters.name = name;
}

void uva_lock_statistics(const uva_lock_t *lock,
                         uva_lock_statistics_t *ret_statistics) {
    *ret_statistics = (uva_lock_statistics_t){
        .name = lock->waiters.name,
        .owner = lock->owner != NULL ? uva_name(lock->owner) : NULL,
        .broken = lock->broken,
        .waiting = uva__count_waiters(&lock->waiters)};
}
