/*
 * What: uva_wait(): looking at a set of futures until enough are done, and
 * changing nothing about them.
 *
 * How: a watcher on each that is pending, duplicates found by a mark; one
 * waiter, which enough watchers, the deadline, or a cancellation wakes. At the
 * end the watchers that are left are taken away.
 */
#include <stdlib.h>

#include "runtime/seam.h"
#include "uvawait/combine.h"

enum { SMALL_SET = 8 };

typedef struct set set_t;

typedef struct look {
    uva__watcher_t watcher;
    set_t *set;
    uva_future_t *f; /* NULL once it has fired */
} look_t;

struct set {
    uva__waiter_t waiter;
    uva_deadline_t deadline;
    uva_wait_mode_t mode;
    size_t done;
    size_t pending;
    bool failed; /* one of the done ones has */
    bool parked;
    look_t *looks; /* as many as were pending at the start */
};

static bool is_enough(const set_t *set) {
    if (set->pending == 0)
        return true;
    if (set->mode == UVA_FIRST_COMPLETED)
        return set->done > 0;
    return set->mode == UVA_FIRST_ERROR && set->failed;
}

static void note_done(set_t *set, int code) {
    set->done++;
    if (code < 0 && code != UV_ECANCELED)
        set->failed = true;
}

static void disarm(set_t *set) {
    uva__deadlines_disarm(&set->waiter.task->future.runtime->deadlines,
                          &set->deadline);
}

static void fire(uva__watcher_t *watcher, uva_future_t *f) {
    look_t *look = UVA__OF(watcher, look_t, watcher);
    set_t *set = look->set;
    look->f = NULL;
    set->pending--;
    note_done(set, f->code);
    if (!set->parked || !is_enough(set))
        return;
    set->parked = false;
    disarm(set);
    uva__wake(&set->waiter, 0);
}

static void expire(uva_deadline_t *deadline) {
    set_t *set = UVA__OF(deadline, set_t, deadline);
    set->parked = false;
    uva__wake(&set->waiter, 0);
}

static uva_future_t *cancel(uva__waiter_t *waiter) {
    set_t *set = UVA__OF(waiter, set_t, waiter);
    set->parked = false;
    disarm(set);
    uva__wake_cut(waiter);
    return NULL;
}

static const uva__wait_t set_wait = {.reason = "wait", .cancel = cancel};

/* Starts what has not begun, counts each future once, and notes who is
 * pending. */
static void look_at(set_t *set, uva_future_t *futures[], size_t count) {
    for (size_t i = 0; i < count; i++) {
        if (futures[i] != NULL)
            (void)uva__start(futures[i], NULL);
    }
    for (size_t i = 0; i < count; i++) {
        uva_future_t *f = futures[i];
        if (f == NULL) {
            note_done(set, UV_ENOMEM);
            continue;
        }
        if (f->marked)
            continue;
        f->marked = true;
        if (uva__is_done(f))
            note_done(set, f->code);
        else
            set->looks[set->pending++] =
                (look_t){.watcher.fire = fire, .set = set, .f = f};
    }
    for (size_t i = 0; i < count; i++) {
        if (futures[i] != NULL)
            futures[i]->marked = false;
    }
}

/* Parks until enough are done, or the limit. */
static int park(set_t *set, uva__task_t *task, uint64_t timeout_ms) {
    int code = uva__may_park(task);
    if (code < 0)
        return code;
    size_t watched = set->pending;
    for (size_t i = 0; i < watched; i++)
        uva__watch(set->looks[i].f, &set->looks[i].watcher);
    uva_runtime_t *rt = task->future.runtime;
    if (timeout_ms != UVA_FOREVER)
        uva__deadlines_arm(&rt->deadlines, &set->deadline,
                           uva__deadline_ns(rt, timeout_ms));
    set->parked = true;
    code = uva__park(task, &set->waiter);
    for (size_t i = 0; i < watched; i++) {
        if (set->looks[i].f != NULL)
            uva__unwatch(set->looks[i].f, &set->looks[i].watcher);
    }
    return code;
}

/* UV_EINVAL, UV_EPERM, or 0. */
static int check(uva_future_t *futures[], size_t count, uva_wait_mode_t mode,
                 uva__task_t *task) {
    if (task == NULL)
        return UV_EPERM;
    if (futures == NULL || count == 0 || (int)mode < UVA_ALL_COMPLETED ||
        mode > UVA_FIRST_ERROR)
        return UV_EINVAL;
    return uva__may_look_at(futures, count, task, "uva_wait");
}

int uva_wait(uva_future_t *futures[], size_t count, uva_wait_mode_t mode,
             uint64_t timeout_ms) {
    uva__task_t *task = uva__running("uva_wait");
    int code = check(futures, count, mode, task);
    if (code < 0)
        return code;
    look_t small[SMALL_SET];
    set_t set = {.waiter.wait = &set_wait,
                 .deadline.expire = expire,
                 .mode = mode,
                 .looks = small};
    if (count > SMALL_SET)
        set.looks = malloc(count * sizeof *set.looks);
    if (set.looks == NULL)
        return UV_ENOMEM;
    look_at(&set, futures, count);
    if (is_enough(&set))
        uva__breathe(task);
    else if (timeout_ms > 0)
        code = park(&set, task, timeout_ms);
    if (set.looks != small)
        free(set.looks);
    return code < 0 ? code : (int)set.done;
}
