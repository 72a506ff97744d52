/*
 * What: fair reader-writer locks.
 *
 * How: one queue for both kinds. Whenever the lock may have become free for the
 * oldest waiter, admit() hands it over: to one writer, or to readers up to the
 * next writer. That is so after a release, and also when a writer leaves the
 * queue: readers may have stood behind it while others read.
 */
#include "uvawait/rwlock.h"

#include "lock.h"

static uva_future_t *leave(uva__waiter_t *waiter);

static const uva__wait_t read_wait = {.reason = "rwlock read", .cancel = leave};
static const uva__wait_t write_wait = {.reason = "rwlock write",
                                       .cancel = leave};

void uva_rwlock_init(uva_rwlock_t *rwlock) {
    *rwlock = (uva_rwlock_t)UVA_RWLOCK_INIT;
}

/* ---- holding ------------------------------------------------------------ */

/* The writer has ended. */
static void abandon(uva_held_t *held) {
    uva_rwlock_t *rwlock = UVA__OF(held, uva_rwlock_t, held);
    const uva_task_t *writer = rwlock->writer;
    rwlock->writer = NULL;
    rwlock->broken = true;
    uva__report(writer->runtime,
                "task '%s' (spawned at %.*s) ended writing under rwlock '%s'. "
                "Who waits for it gets UV_ECONNABORTED, until "
                "uva_rwlock_init() makes it anew; release it on every way out",
                uva_name(writer), uva__site_length(writer->site), writer->site,
                uva__waiters_name(&rwlock->waiters));
    (void)uva__wake_all(&rwlock->waiters, UV_ECONNABORTED);
}

static inline void write_as(uva_rwlock_t *rwlock, uva__task_t *task) {
    rwlock->writer = &task->future;
    uva__hold(task, &rwlock->held, abandon);
}

/* Whether somebody who has come just now may have it. */
static inline bool may_read(const uva_rwlock_t *rwlock) {
    return rwlock->writer == NULL && !rwlock->broken &&
           !uva__has_waiters(&rwlock->waiters);
}

static inline bool may_write(const uva_rwlock_t *rwlock) {
    return rwlock->readers == 0 && may_read(rwlock);
}

/* Hands the lock to the oldest waiters, as far as it is free for them. */
static void admit(uva_rwlock_t *rwlock) {
    uva__waiter_t *oldest;
    while (rwlock->writer == NULL &&
           (oldest = uva__first_waiter(&rwlock->waiters)) != NULL) {
        if (oldest->wait == &read_wait)
            rwlock->readers++;
        else if (rwlock->readers == 0)
            write_as(rwlock, oldest->task);
        else
            return;
        uva__wake_first(&rwlock->waiters, 0);
    }
}

static uva_future_t *leave(uva__waiter_t *waiter) {
    uva_rwlock_t *rwlock = UVA__OF(waiter->queue, uva_rwlock_t, waiters);
    (void)uva__leave_queue(waiter);
    admit(rwlock);
    return NULL;
}

/* ---- acquire ------------------------------------------------------------ */

static int wait_for_turn(uva__task_t *task, uva_rwlock_t *rwlock,
                         const uva__wait_t *wait, const char *call) {
    if (rwlock->broken)
        return UV_ECONNABORTED;
    if (rwlock->writer == &task->future)
        return uva__misuse(call,
                           "task '%s' writes under rwlock '%s' already and "
                           "would wait for itself; release it first",
                           uva_name(rwlock->writer),
                           uva__waiters_name(&rwlock->waiters));
    if ((rwlock->writer != NULL && !uva__is_ours(rwlock->writer, call)) ||
        uva__check_thread(&rwlock->waiters, call) < 0)
        return UV_EPERM;
    uva__waiter_t waiter = {.wait = wait};
    return uva__park_in(task, &rwlock->waiters, &waiter);
}

int uva_rwlock_acquire_read(uva_rwlock_t *rwlock) {
    const char *call = "uva_rwlock_acquire_read";
    uva__task_t *task = uva__running(call);
    if (task == NULL)
        return UV_EPERM;
    if (may_read(rwlock)) {
        int code = uva__spend(task);
        if (code < 0)
            return code;
    }
    /* Looked at again: others ran if the budget was spent. */
    if (!may_read(rwlock))
        return wait_for_turn(task, rwlock, &read_wait, call);
    rwlock->readers++;
    return 0;
}

int uva_rwlock_acquire_write(uva_rwlock_t *rwlock) {
    const char *call = "uva_rwlock_acquire_write";
    uva__task_t *task = uva__running(call);
    if (task == NULL)
        return UV_EPERM;
    if (may_write(rwlock)) {
        int code = uva__spend(task);
        if (code < 0)
            return code;
    }
    if (!may_write(rwlock))
        return wait_for_turn(task, rwlock, &write_wait, call);
    write_as(rwlock, task);
    return 0;
}

static int refuse_try(const uva_rwlock_t *rwlock) {
    return rwlock->broken ? UV_ECONNABORTED : UV_EAGAIN;
}

int uva_rwlock_try_acquire_read(uva_rwlock_t *rwlock) {
    if (!may_read(rwlock))
        return refuse_try(rwlock);
    rwlock->readers++;
    return 0;
}

int uva_rwlock_try_acquire_write(uva_rwlock_t *rwlock) {
    if (!may_write(rwlock))
        return refuse_try(rwlock);
    const uva_runtime_t *rt = uva__thread_runtime;
    if (rt == NULL || rt->current == NULL)
        return uva__misuse("uva_rwlock_try_acquire_write",
                           "called outside a task; nobody would own rwlock "
                           "'%s'",
                           uva__waiters_name(&rwlock->waiters));
    write_as(rwlock, rt->current);
    return 0;
}

/* ---- release ------------------------------------------------------------ */

int uva_rwlock_release_read(uva_rwlock_t *rwlock) {
    const char *call = "uva_rwlock_release_read";
    if (rwlock->readers == 0)
        return uva__misuse(call, "nobody reads under rwlock '%s'",
                           uva__waiters_name(&rwlock->waiters));
    if (uva__check_thread(&rwlock->waiters, call) < 0)
        return UV_EPERM;
    rwlock->readers--;
    admit(rwlock);
    return 0;
}

/* Says who writes instead of the caller. */
static UVA__COLD int refuse_release(const uva_rwlock_t *rwlock) {
    const char *call = "uva_rwlock_release_write";
    const char *name = uva__waiters_name(&rwlock->waiters);
    if (rwlock->writer == NULL)
        return uva__misuse(call, "nobody writes under rwlock '%s'%s", name,
                           rwlock->broken ? "; the writer ended" : "");
    if (!uva__is_ours(rwlock->writer, call))
        return UV_EPERM;
    return uva__misuse(call,
                       "task '%s' writes under rwlock '%s', and only that may "
                       "release it",
                       uva_name(rwlock->writer), name);
}

int uva_rwlock_release_write(uva_rwlock_t *rwlock) {
    if (rwlock->writer == NULL || rwlock->writer != uva_current())
        return refuse_release(rwlock);
    uva__let_go(&rwlock->held);
    rwlock->writer = NULL;
    admit(rwlock);
    return 0;
}

/* ---- looking ------------------------------------------------------------ */

void uva_rwlock_set_name(uva_rwlock_t *rwlock, const char *name) {
    rwlock->waiters.name = name;
}

void uva_rwlock_statistics(const uva_rwlock_t *rwlock,
                           uva_rwlock_statistics_t *ret_statistics) {
    *ret_statistics = (uva_rwlock_statistics_t){
        .name = rwlock->waiters.name,
        .writer = rwlock->writer != NULL ? uva_name(rwlock->writer) : NULL,
        .readers = rwlock->readers,
        .broken = rwlock->broken};
    for (const uva_link_t *link = rwlock->waiters.list.first; link != NULL;
         link = link->next) {
        if (UVA__OF(link, uva__waiter_t, link)->wait == &read_wait)
            ret_statistics->waiting_readers++;
        else
            ret_statistics->waiting_writers++;
    }
}
