/*
 * What: barriers.
 *
 * How: the last to come wakes all with their places, which are those in the
 * queue: so they have no gaps when somebody was cancelled, and there is no
 * draining: with the wake the round is over, and who comes next begins another.
 */
#include "uvawait/barrier.h"

#include <limits.h>

#include "runtime/seam.h"

static uva_future_t *leave(uva__waiter_t *waiter) {
    UVA__OF(waiter->queue, uva_barrier_t, waiters)->arrived--;
    return uva__leave_queue(waiter);
}

static const uva__wait_t barrier_wait = {.reason = "barrier", .cancel = leave};

void uva_barrier_init(uva_barrier_t *barrier, size_t parties) {
    *barrier = (uva_barrier_t)UVA_BARRIER_INIT(parties);
}

/* ---- waiting ------------------------------------------------------------ */

/* The last of the parties is the caller; its place. */
static int complete_round(uva_barrier_t *barrier) {
    int place = 0;
    barrier->arrived = 0;
    while (uva__has_waiters(&barrier->waiters))
        uva__wake_first(&barrier->waiters, place++);
    return place;
}

static bool is_last(const uva_barrier_t *barrier) {
    return barrier->arrived + 1 == barrier->parties;
}

int uva_barrier_wait(uva_barrier_t *barrier) {
    uva__task_t *task = uva__running("uva_barrier_wait");
    if (task == NULL ||
        uva__check_thread(&barrier->waiters, "uva_barrier_wait") < 0)
        return UV_EPERM;
    if (barrier->parties == 0 || barrier->parties > INT_MAX)
        return UV_EINVAL;
    if (!barrier->broken && is_last(barrier)) {
        int code = uva__spend(task);
        if (code < 0)
            return code;
    }
    /* Looked at again: others ran if the budget was spent. */
    if (barrier->broken)
        return UV_ECONNABORTED;
    if (is_last(barrier))
        return complete_round(barrier);
    int code = uva__may_park(task);
    if (code < 0)
        return code;
    uva__waiter_t waiter = {.wait = &barrier_wait, .queue = &barrier->waiters};
    uva__list_push(&barrier->waiters.list, &waiter.link);
    barrier->arrived++;
    return uva__park(task, &waiter);
}

/* ---- breaking ----------------------------------------------------------- */

static int end_round(uva_barrier_t *barrier, bool broken, const char *call) {
    if (uva__check_thread(&barrier->waiters, call) < 0)
        return UV_EPERM;
    barrier->broken = broken;
    barrier->arrived = 0;
    (void)uva__wake_all(&barrier->waiters, UV_ECONNABORTED);
    return 0;
}

int uva_barrier_abort(uva_barrier_t *barrier) {
    return end_round(barrier, true, "uva_barrier_abort");
}

int uva_barrier_reset(uva_barrier_t *barrier) {
    return end_round(barrier, false, "uva_barrier_reset");
}

/* ---- looking ------------------------------------------------------------ */

void uva_barrier_set_name(uva_barrier_t *barrier, const char *name) {
    barrier->waiters.name = name;
}

void uva_barrier_statistics(const uva_barrier_t *barrier,
                            uva_barrier_statistics_t *ret_statistics) {
    *ret_statistics = (uva_barrier_statistics_t){.name = barrier->waiters.name,
                                                 .parties = barrier->parties,
                                                 .waiting = barrier->arrived,
                                                 .broken = barrier->broken};
}
