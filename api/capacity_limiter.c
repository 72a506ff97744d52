/*
 * What: capacity limiters: semaphores whose total can be changed.
 *
 * How: what is borrowed is counted, not what is free, so the total is a number
 * that may rise and fall at any time. Tokens that come free go to the oldest
 * waiters there and then; so there are waiters only while none is free.
 */
#include "uvawait/capacity_limiter.h"

#include "runtime/seam.h"

static const uva__wait_t limiter_wait = {.reason = "capacity limiter",
                                         .cancel = uva__leave_queue};

void uva_capacity_limiter_init(uva_capacity_limiter_t *limiter, size_t total) {
    *limiter = (uva_capacity_limiter_t)UVA_CAPACITY_LIMITER_INIT(total);
}

static inline bool has_room(const uva_capacity_limiter_t *limiter) {
    return limiter->borrowed < limiter->total;
}

static void admit(uva_capacity_limiter_t *limiter) {
    while (has_room(limiter) && uva__has_waiters(&limiter->waiters)) {
        limiter->borrowed++;
        uva__wake_first(&limiter->waiters, 0);
    }
}

int uva_capacity_limiter_acquire(uva_capacity_limiter_t *limiter) {
    uva__task_t *task = uva__running("uva_capacity_limiter_acquire");
    if (task == NULL)
        return UV_EPERM;
    if (has_room(limiter)) {
        int code = uva__spend(task);
        if (code < 0)
            return code;
    }
    /* Looked at again: others ran if the budget was spent. */
    if (has_room(limiter)) {
        limiter->borrowed++;
        return 0;
    }
    uva__waiter_t waiter = {.wait = &limiter_wait};
    return uva__park_in(task, &limiter->waiters, &waiter);
}

int uva_capacity_limiter_try_acquire(uva_capacity_limiter_t *limiter) {
    if (!has_room(limiter))
        return UV_EAGAIN;
    limiter->borrowed++;
    return 0;
}

int uva_capacity_limiter_release(uva_capacity_limiter_t *limiter) {
    if (limiter->borrowed == 0)
        return UV_ERANGE;
    int code =
        uva__check_thread(&limiter->waiters, "uva_capacity_limiter_release");
    if (code < 0)
        return code;
    limiter->borrowed--;
    admit(limiter);
    return 0;
}

int uva_capacity_limiter_set_total(uva_capacity_limiter_t *limiter,
                                   size_t total) {
    int code =
        uva__check_thread(&limiter->waiters, "uva_capacity_limiter_set_total");
    if (code < 0)
        return code;
    limiter->total = total;
    admit(limiter);
    return 0;
}

size_t uva_capacity_limiter_available(const uva_capacity_limiter_t *limiter) {
    return has_room(limiter) ? limiter->total - limiter->borrowed : 0;
}

void uva_capacity_limiter_set_name(uva_capacity_limiter_t *limiter,
                                   const char *name) {
    limiter->waiters.name = name;
}

void uva_capacity_limiter_statistics(
    const uva_capacity_limiter_t *limiter,
    uva_capacity_limiter_statistics_t *ret_statistics) {
    *ret_statistics = (uva_capacity_limiter_statistics_t){
        .name = limiter->waiters.name,
        .total = limiter->total,
        .borrowed = limiter->borrowed,
        .waiting = uva__count_waiters(&limiter->waiters)};
}
