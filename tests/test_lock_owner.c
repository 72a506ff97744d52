/* labels: valgrind; timeout: 60 */
/* Locks and their owners: who may release one, and what an owner's end does. */
#include "lock_fixture.h"

/* ---- owners ------------------------------------------------------------- */

static int release_foreign(void *arg) {
    (void)arg;
    return uva_lock_release(&lock);
}

static void use_from_the_loop(void *arg) {
    (void)arg;
    ck_assert_int_eq(uva_lock_release(&lock), UV_EPERM);
    ck_assert_int_eq(uva_lock_try_acquire(&lock), UV_EAGAIN);
    record("callback");
}

static void take_from_the_loop(void *arg) {
    (void)arg;
    ck_assert_int_eq(uva_lock_try_acquire(&lock), UV_EPERM);
    ck_assert(!uva_lock_is_locked(&lock));
    record("callback");
}

static int owner_main(void *arg) {
    (void)arg;
    uva_lock_init(&lock);
    uva_lock_set_name(&lock, "db");
    ck_assert_int_eq(uva_set_name(uva_current(), "keeper"), 0);
    ck_assert_int_eq(uva_lock_acquire(&lock), 0);
    ck_assert_int_eq(uva_await(uva_spawn(release_foreign, NULL), NULL),
                     UV_EPERM);
    ck_assert(support_reports_contain("uva_lock_release: lock 'db' is held by "
                                      "task 'keeper', and only that may"));
    ck_assert_int_eq(uva_lock_acquire(&lock), UV_EPERM);
    ck_assert(support_reports_contain("uva_lock_acquire: task 'keeper' holds "
                                      "lock 'db' already"));
    ck_assert_uint_eq(support_report_count(), 2);
    ck_assert_int_eq(uva_post(uva_runtime_current(), use_from_the_loop, NULL),
                     0);
    ck_assert_int_eq(uva_yield(), 0);
    ck_assert_uint_eq(support_report_count(), 3);
    ck_assert(uva_lock_is_locked(&lock));
    ck_assert_int_eq(uva_lock_release(&lock), 0);
    ck_assert_int_eq(uva_post(uva_runtime_current(), take_from_the_loop, NULL),
                     0);
    ck_assert_int_eq(uva_yield(), 0);
    ck_assert(support_reports_contain("uva_lock_try_acquire: called outside a "
                                      "task; nobody would own lock 'db'"));
    expect_idle();
    return 0;
}

START_TEST(lock_obeys_its_owner_only) {
    CONFORMS("K-118");
    ck_assert_int_eq(program_run(owner_main, NULL), 0);
    ck_assert_uint_eq(support_report_count(), 4);
    ck_expect_record("callback callback");
}
END_TEST

static int take_and_end(void *arg) {
    ck_assert_int_eq(uva_lock_acquire(&lock), 0);
    ck_assert_int_eq(uva_sleep((uint64_t)(uintptr_t)arg), 0);
    return 0;
}

/* | x     | a       | b       | main                  | late    |
 * | holds | acquire | acquire |                       |         |
 * | ends  | broken  | broken  |                       |         |
 * |       |         |         | cancel a: too late    |         |
 * |       |         |         |                       | refused |
 */
static int broken_main(void *arg) {
    (void)arg;
    uva_lock_init(&lock);
    uva_lock_set_name(&lock, "db");
    uva_task_t *x = uva_spawn(take_and_end, (void *)10);
    ck_assert_int_eq(uva_set_name(x, "x"), 0);
    ck_assert_int_eq(uva_yield(), 0);
    uva_task_t *a = uva_spawn(hold, "a");
    uva_task_t *b = uva_spawn(hold, "b");
    ck_assert_int_eq(uva_await(x, NULL), 0);
    (void)uva_cancel(a);
    ck_assert_int_eq(uva_await(a, NULL), UV_ECONNABORTED);
    ck_assert_int_eq(uva_await(b, NULL), UV_ECONNABORTED);
    ck_assert_int_eq(hold("late"), UV_ECONNABORTED);
    ck_assert_int_eq(uva_lock_try_acquire(&lock), UV_ECONNABORTED);
    ck_assert(support_reports_contain("task 'x' (spawned at "));
    ck_assert(support_reports_contain("ended holding lock 'db'. "));
    uva_lock_statistics_t seen;
    uva_lock_statistics(&lock, &seen);
    ck_assert(seen.broken);
    ck_assert_ptr_null(seen.owner);
    ck_assert_uint_eq(seen.waiting, 0);
    ck_assert(!uva_lock_is_locked(&lock));
    ck_assert_uint_eq(support_report_count(), 1);
    ck_assert_int_eq(uva_lock_release(&lock), UV_EPERM);
    ck_assert(support_reports_contain("nobody holds lock 'db'; its owner"));
    uva_lock_init(&lock);
    expect_idle();
    return 0;
}

START_TEST(lock_breaks_when_its_owner_ends) {
    CONFORMS("K-118");
    ck_assert_int_eq(program_run(broken_main, NULL), 0);
    ck_expect_record("a:-103 b:-103 late:-103");
}
END_TEST

static uva_lock_t several[4];

/* Released in the middle, at the end and in front of what is held: just those
 * that are left break. */
static int take_several(void *arg) {
    size_t released = (size_t)(uintptr_t)arg;
    for (size_t i = 0; i < 4; i++) {
        uva_lock_init(&several[i]);
        ck_assert_int_eq(uva_lock_acquire(&several[i]), 0);
    }
    for (size_t i = 0; i < 4; i++) {
        if ((released >> i & 1) != 0)
            ck_assert_int_eq(uva_lock_release(&several[i]), 0);
    }
    return 0;
}

static int several_main(void *arg) {
    (void)arg;
    for (size_t released = 0; released < 16; released++) {
        ck_assert_int_eq(
            uva_await(uva_spawn(take_several, (void *)(uintptr_t)released),
                      NULL),
            0);
        for (size_t i = 0; i < 4; i++) {
            bool was_released = (released >> i & 1) != 0;
            ck_assert_int_eq(uva_lock_acquire(&several[i]),
                             was_released ? 0 : UV_ECONNABORTED);
            if (was_released)
                ck_assert_int_eq(uva_lock_release(&several[i]), 0);
        }
    }
    return 0;
}

START_TEST(lock_breaks_with_all_that_is_held) {
    ck_assert_int_eq(program_run(several_main, NULL), 0);
    ck_assert_uint_eq(support_report_count(), 32);
}
END_TEST

static int acquire_in_place(void *arg) {
    (void)arg;
    return uva_lock_acquire(&lock);
}

/* A coroutine that is awaited runs on its caller's task, and owns as it. */
static int coroutine_main(void *arg) {
    (void)arg;
    uva_lock_init(&lock);
    ck_assert_int_eq(uva_await(uva_coroutine(acquire_in_place, NULL, 0), NULL),
                     0);
    uva_lock_statistics_t seen;
    uva_lock_statistics(&lock, &seen);
    ck_assert_str_eq(seen.owner, uva_name(uva_current()));
    ck_assert_int_eq(uva_lock_release(&lock), 0);
    expect_idle();
    return 0;
}

START_TEST(lock_of_a_coroutine_is_its_callers) {
    program_expect(coroutine_main);
}
END_TEST

static int take_local(void *arg) {
    (void)arg;
    uva_lock_t local = UVA_LOCK_INIT;
    ck_assert_int_eq(uva_lock_acquire(&lock), 0);
    ck_assert_int_eq(uva_lock_acquire(&local), 0);
    return uva_lock_release(&lock);
}

static int local_main(void *arg) {
    (void)arg;
    uva_lock_init(&lock);
    ck_assert_int_eq(uva_await(uva_spawn(take_local, NULL), NULL), 0);
    expect_idle();
    return 0;
}

START_TEST(lock_in_a_frame_that_is_gone) {
    ck_assert_int_eq(program_run(local_main, NULL), 0);
    ck_assert_uint_eq(support_report_count(), 1);
    ck_assert(support_reports_contain("ended holding a lock that lies in its "
                                      "own frame"));
}
END_TEST

/* Not allowed, but no reason to go astray. */
static int take_anew(void *arg) {
    (void)arg;
    for (int i = 0; i < 3; i++) {
        uva_lock_init(&lock);
        ck_assert_int_eq(uva_lock_acquire(&lock), 0);
    }
    ck_assert_int_eq(uva_lock_release(&lock), 0);
    return 0;
}

static int anew_main(void *arg) {
    (void)arg;
    ck_assert_int_eq(uva_await(uva_spawn(take_anew, NULL), NULL), 0);
    expect_idle();
    return 0;
}

START_TEST(lock_made_anew_while_it_is_held) {
    program_expect(anew_main);
}
END_TEST

/* Main ends, and so cuts the owner and the waiter short; the owner releases it
 * on its way out, and nothing breaks. */
static int end_main(void *arg) {
    (void)arg;
    uva_lock_init(&lock);
    uva_lock_set_name(&lock, "db");
    uva_detach(uva_spawn(hold_then_sleep, "x"));
    ck_assert_int_eq(uva_yield(), 0);
    uva_detach(uva_spawn(hold, "a"));
    return uva_yield();
}

START_TEST(lock_at_the_end_of_the_runtime) {
    ck_assert_int_eq(program_run(end_main, NULL), 0);
    expect_idle();
    ck_expect_record("x:0 sleep:-125 a:-125");
    ck_assert_uint_eq(support_report_count(), 2);
}
END_TEST

/* ---- misuse ------------------------------------------------------------- */

START_TEST(lock_outside_a_task) {
    uva_lock_init(&lock);
    ck_assert_int_eq(uva_lock_acquire(&lock), UV_EPERM);
    ck_assert_int_eq(uva_lock_try_acquire(&lock), UV_EPERM);
    ck_assert_int_eq(uva_lock_release(&lock), UV_EPERM);
    expect_idle();
}
END_TEST

static int use_in_thread_main(void *arg) {
    (void)arg;
    ck_assert_int_eq(uva_lock_acquire(&lock), UV_EPERM);
    ck_assert_int_eq(uva_lock_try_acquire(&lock), UV_EAGAIN);
    ck_assert_int_eq(uva_lock_release(&lock), UV_EPERM);
    ck_assert_uint_eq(support_report_count(), 2);
    return 0;
}

static void use_in_thread(void *arg) {
    *(int *)arg = program_run(use_in_thread_main, NULL);
}

static int thread_main(void *arg) {
    (void)arg;
    uva_lock_init(&lock);
    ck_assert_int_eq(uva_lock_acquire(&lock), 0);
    int code = -1;
    support_in_thread(use_in_thread, &code);
    ck_assert_int_eq(code, 0);
    ck_assert_int_eq(uva_lock_release(&lock), 0);
    expect_idle();
    return 0;
}

START_TEST(lock_held_in_another_thread) {
    ck_assert_int_eq(program_run(thread_main, NULL), 0);
    ck_assert(support_reports_contain("uva_lock_acquire: the task belongs to "
                                      "another runtime"));
    ck_assert(support_reports_contain("uva_lock_release: the task belongs to "
                                      "another runtime"));
}
END_TEST

SUITE("lock_owner", lock_obeys_its_owner_only, lock_breaks_when_its_owner_ends,
      lock_breaks_with_all_that_is_held, lock_of_a_coroutine_is_its_callers,
      lock_in_a_frame_that_is_gone, lock_made_anew_while_it_is_held,
      lock_at_the_end_of_the_runtime, lock_outside_a_task,
      lock_held_in_another_thread)
