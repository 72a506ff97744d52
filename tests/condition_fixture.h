/*
 * condition_fixture.h - the condition of a test, its lock, and tasks that wait
 * in the one or take the other.
 */
#ifndef CONDITION_FIXTURE_H
#define CONDITION_FIXTURE_H

#include "sync_fixture.h"

static uva_lock_t lock;
static uva_condition_t condition;

static inline void init(void) {
    uva_lock_init(&lock);
    uva_condition_init(&condition);
}

static inline size_t waiting(void) {
    uva_condition_statistics_t seen;
    uva_condition_statistics(&condition, &seen);
    ck_assert((seen.lock == NULL) == (seen.waiting == 0));
    return seen.waiting;
}

static inline size_t waiting_for_lock(void) {
    uva_lock_statistics_t seen;
    uva_lock_statistics(&lock, &seen);
    return seen.waiting;
}

static inline void expect_idle(void) {
    ck_assert_uint_eq(waiting(), 0);
    ck_assert(uva__list_is_empty(&lock.sleepers));
    ck_assert(uva__list_is_empty(&lock.waiters.list));
    ck_assert(!uva_lock_is_locked(&lock));
}

/* Only the owner's release succeeds; others get a report. */
#define ck_assert_held() \
    ck_assert_int_eq(uva_lock_try_acquire(&lock), UV_EAGAIN)

static inline int wait_once(void *arg) {
    ck_assert_int_eq(uva_lock_acquire(&lock), 0);
    int code = uva_condition_wait(&condition, &lock);
    record("%s:%d", (const char *)arg, code);
    ck_assert_int_eq(uva_lock_release(&lock), 0);
    return code;
}

/* The waiters a, b, c, waiting in this order. */
static inline void spawn_three(uva_future_t *f[3]) {
    static const char *const names[] = {"a", "b", "c"};
    for (size_t i = 0; i < 3; i++)
        f[i] = uva_spawn(wait_once, (void *)(uintptr_t)names[i]);
    ck_assert_int_eq(uva_yield(), 0);
    ck_assert_uint_eq(waiting(), 3);
}

static inline int notify(size_t count) {
    ck_assert_int_eq(uva_lock_acquire(&lock), 0);
    int notified = uva_condition_notify(&condition, count);
    ck_assert_int_eq(uva_lock_release(&lock), 0);
    return notified;
}

static inline int take(void *arg) {
    ck_assert_int_eq(uva_lock_acquire(&lock), 0);
    record("%s", (const char *)arg);
    return uva_lock_release(&lock);
}

#endif
