/*
 * rwlock_fixture.h - the reader-writer lock of a test, and tasks that use it.
 */
#ifndef RWLOCK_FIXTURE_H
#define RWLOCK_FIXTURE_H

#include "sync_fixture.h"

static uva_rwlock_t rwlock;

static inline uva_rwlock_statistics_t look(void) {
    uva_rwlock_statistics_t seen;
    uva_rwlock_statistics(&rwlock, &seen);
    return seen;
}

static inline void expect_idle(void) {
    uva_rwlock_statistics_t seen = look();
    ck_assert_ptr_null(seen.writer);
    ck_assert_uint_eq(seen.readers, 0);
    ck_assert_uint_eq(seen.waiting_readers, 0);
    ck_assert_uint_eq(seen.waiting_writers, 0);
    ck_assert(uva__list_is_empty(&rwlock.waiters.list));
}

/* Reads or writes for 10 ms; the name says which: "r1", "w2". */
static inline int use(void *arg) {
    const char *name = arg;
    bool reads = name[0] == 'r';
    int code = reads ? uva_rwlock_acquire_read(&rwlock)
                     : uva_rwlock_acquire_write(&rwlock);
    record("%s:%d", name, code);
    if (code < 0)
        return code;
    (void)uva_sleep(10);
    record("%s.", name);
    return reads ? uva_rwlock_release_read(&rwlock)
                 : uva_rwlock_release_write(&rwlock);
}

static inline uva_task_t *spawn_user(const char *name) {
    uva_task_t *task =
        uva_spawn_with(&(uva_task_options_t){.name = name, .eager = true}, use,
                       (void *)(uintptr_t)name);
    ck_assert_ptr_nonnull(task);
    return task;
}

static inline void await_all(uva_future_t *f[], size_t count) {
    ck_assert_int_eq(uva_gather_settled(f, count, NULL, NULL), 0);
    expect_idle();
}

#endif
