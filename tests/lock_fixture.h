/*
 * lock_fixture.h - the lock of a test, and a task that takes it and gives it
 * back.
 */
#ifndef LOCK_FIXTURE_H
#define LOCK_FIXTURE_H

#include "sync_fixture.h"

static uva_lock_t lock;

static inline int hold(void *arg) {
    int code = uva_lock_acquire(&lock);
    record("%s:%d", (const char *)arg, code);
    return code == 0 ? uva_lock_release(&lock) : code;
}

/* Nobody waits, nobody holds it, and a task may have it. */
static inline void expect_idle(void) {
    ck_assert(!uva_lock_is_locked(&lock));
    ck_assert(uva__list_is_empty(&lock.waiters.list));
    if (uva_current() == NULL)
        return;
    ck_assert_int_eq(uva_lock_try_acquire(&lock), 0);
    ck_assert_int_eq(uva_lock_release(&lock), 0);
}

/* Holds it for a while, to be cut meanwhile. */
static inline int hold_then_sleep(void *arg) {
    int code = uva_lock_acquire(&lock);
    record("%s:%d", (const char *)arg, code);
    record("sleep:%d", uva_sleep(1));
    return code == 0 ? uva_lock_release(&lock) : 0;
}

#endif
