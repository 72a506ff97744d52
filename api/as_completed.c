/*
 * What: futures in the order of completion: an iterator that borrows.
 *
 * How: a watcher on each future that is pending. One that fires hands its
 * future to the task that has waited longest, or lines it up; so which task
 * gets it is decided at the completion (docs/DESIGN.md, I2). At the limit the
 * rest are unwatched, and become so many UV_ETIMEDOUT.
 *
 * The records are one block from the runtime's pools.
 */
#include "runtime/seam.h"
#include "uvawait/as_completed.h"

typedef struct look {
    uva__watcher_t watcher; /* its link stands in it->done afterwards */
    uva_as_completed_t *it; /* NULL once it is not watched (any more) */
    uva_future_t *f;        /* NULL: such a future, which has failed */
} look_t;

typedef struct asker {
    uva__waiter_t waiter;
    uva_future_t *f; /* woken with 1 */
} asker_t;

static uva__waiter_t *pop_waiter(uva_as_completed_t *it) {
    uva_link_t *link = uva__list_pop(&it->waiters.list);
    return link != NULL ? UVA__OF(link, uva__waiter_t, link) : NULL;
}

/* Nothing is pending any more: no timer, and no use in waiting. */
static void settle(uva_as_completed_t *it) {
    if (it->pending > 0)
        return;
    uva__deadlines_disarm(&it->runtime->deadlines, &it->deadline);
    uva__waiter_t *waiter;
    while ((waiter = pop_waiter(it)) != NULL) {
        bool is_late = it->late > 0;
        it->late -= is_late;
        uva__wake(waiter, is_late ? UV_ETIMEDOUT : 0);
    }
}

static void fire(uva__watcher_t *watcher, uva_future_t *f) {
    look_t *look = UVA__OF(watcher, look_t, watcher);
    uva_as_completed_t *it = look->it;
    look->it = NULL;
    it->pending--;
    uva__waiter_t *waiter = pop_waiter(it);
    if (waiter == NULL) {
        uva__list_push(&it->done, &watcher->link);
    } else {
        UVA__OF(waiter, asker_t, waiter)->f = f;
        uva__wake(waiter, 1);
    }
    settle(it);
}

/* Stops watching what is pending; returns how many that were. */
static size_t let_go(uva_as_completed_t *it) {
    look_t *looks = it->looks;
    for (size_t i = 0; i < it->count; i++) {
        if (looks[i].it != NULL)
            uva__unwatch(looks[i].f, &looks[i].watcher);
        looks[i].it = NULL;
    }
    size_t pending = it->pending;
    it->pending = 0;
    return pending;
}

static void expire(uva_deadline_t *deadline) {
    uva_as_completed_t *it = UVA__OF(deadline, uva_as_completed_t, deadline);
    it->late = let_go(it);
    settle(it);
}

/* Sorts: over, or to be watched. */
static void look_at(uva_as_completed_t *it, uva_future_t *f) {
    look_t *look = (look_t *)it->looks + it->count++;
    *look = (look_t){.watcher.fire = fire, .f = f};
    if (f == NULL || uva__is_done(f)) {
        uva__list_push(&it->done, &look->watcher.link);
        return;
    }
    look->it = it;
    it->pending++;
    uva__watch(f, &look->watcher);
}

static void look_at_each(uva_as_completed_t *it, uva_future_t *futures[],
                         size_t count) {
    for (size_t i = 0; i < count; i++) {
        if (futures[i] != NULL)
            (void)uva__start(futures[i], NULL);
    }
    for (size_t i = 0; i < count; i++) {
        uva_future_t *f = futures[i];
        if (f != NULL && f->marked)
            continue;
        if (f != NULL)
            f->marked = true;
        look_at(it, f);
    }
    for (size_t i = 0; i < count; i++) {
        if (futures[i] != NULL)
            futures[i]->marked = false;
    }
}

/* UV_EINVAL, UV_EPERM, or 0. */
static int check(uva_future_t *futures[], size_t count, uva__task_t *task) {
    if (task == NULL)
        return UV_EPERM;
    if (futures == NULL && count > 0)
        return UV_EINVAL;
    return uva__may_look_at(futures, count, task, "uva_as_completed_open");
}

int uva_as_completed_open(uva_as_completed_t *it, uva_future_t *futures[],
                          size_t count, uint64_t timeout_ms) {
    *it = (uva_as_completed_t){.deadline.expire = expire};
    uva__task_t *task = uva__running("uva_as_completed_open");
    int code = check(futures, count, task);
    if (code < 0 || count == 0)
        return code;
    uva_runtime_t *rt = task->future.runtime;
    if (count <= SIZE_MAX / sizeof(look_t))
        it->looks = uva__take(&rt->pools, count * sizeof(look_t));
    if (it->looks == NULL)
        return UV_ENOMEM;
    it->room = count;
    it->runtime = rt;
    look_at_each(it, futures, count);
    if (it->pending > 0 && timeout_ms == 0)
        expire(&it->deadline);
    else if (it->pending > 0 && timeout_ms != UVA_FOREVER)
        uva__deadlines_arm(&rt->deadlines, &it->deadline,
                           uva__deadline_ns(rt, timeout_ms));
    return 0;
}

static const char not_ours[] = "the iteration belongs to another runtime";

static const uva__wait_t next_wait = {.reason = "as_completed",
                                      .cancel = uva__leave_queue};

/* What there is without waiting: 1, UV_ETIMEDOUT, 0 at the end; UV_EAGAIN. */
static int take(uva_as_completed_t *it, uva_future_t **ret_f) {
    uva_link_t *link = uva__list_pop(&it->done);
    if (link != NULL) {
        uva__watcher_t *watcher = UVA__OF(link, uva__watcher_t, link);
        *ret_f = UVA__OF(watcher, look_t, watcher)->f;
        return 1;
    }
    if (it->late > 0) {
        it->late--;
        return UV_ETIMEDOUT;
    }
    return it->pending > 0 ? UV_EAGAIN : 0;
}

int uva_as_completed_next(uva_as_completed_t *it, uva_future_t **ret_f) {
    uva__task_t *task = uva__running("uva_as_completed_next");
    if (task == NULL)
        return UV_EPERM;
    if (it == NULL || ret_f == NULL)
        return UV_EINVAL;
    if (it->runtime == NULL)
        return 0;
    if (it->runtime != task->future.runtime)
        return uva__misuse("uva_as_completed_next", "%s", not_ours);
    uva__hear_nothing(task);
    int code = take(it, ret_f);
    if (code != UV_EAGAIN) {
        uva__breathe(task);
        return code;
    }
    asker_t asker = {.waiter.wait = &next_wait};
    code = uva__park_in(task, &it->waiters, &asker.waiter);
    if (code > 0)
        *ret_f = asker.f;
    return code;
}

void uva_as_completed_close(uva_as_completed_t *it) {
    if (it->runtime == NULL)
        return;
    if (it->runtime != uva__thread_runtime) {
        (void)uva__misuse("uva_as_completed_close", "%s", not_ours);
        return;
    }
    (void)let_go(it);
    it->late = 0;
    settle(it);
    uva__give(&it->runtime->pools, it->looks, it->room * sizeof(look_t));
    *it = (uva_as_completed_t){0};
}
