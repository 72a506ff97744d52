/* labels: valgrind; timeout: 60 */
/* Reader-writer locks: who may release them, and what a writer's end does. */
#include "rwlock_fixture.h"

/* ---- owners ------------------------------------------------------------- */

static int write_and_end(void *arg) {
    (void)arg;
    ck_assert_int_eq(uva_rwlock_acquire_write(&rwlock), 0);
    return uva_sleep(10);
}

static int broken_main(void *arg) {
    (void)arg;
    uva_rwlock_init(&rwlock);
    uva_rwlock_set_name(&rwlock, "db");
    uva_future_t *f[3] = {uva_spawn(write_and_end, NULL)};
    ck_assert_int_eq(uva_set_name(f[0], "x"), 0);
    ck_assert_int_eq(uva_yield(), 0);
    f[1] = spawn_user("r1");
    f[2] = spawn_user("w1");
    await_all(f, 3);
    ck_assert(look().broken);
    ck_assert_int_eq(uva_rwlock_acquire_read(&rwlock), UV_ECONNABORTED);
    ck_assert_int_eq(uva_rwlock_acquire_write(&rwlock), UV_ECONNABORTED);
    ck_assert_int_eq(uva_rwlock_try_acquire_read(&rwlock), UV_ECONNABORTED);
    ck_assert_int_eq(uva_rwlock_try_acquire_write(&rwlock), UV_ECONNABORTED);
    ck_assert_uint_eq(support_report_count(), 1);
    ck_assert(support_reports_contain("task 'x' (spawned at "));
    ck_assert(support_reports_contain("ended writing under rwlock 'db'. Who"));
    ck_assert_int_eq(uva_rwlock_release_write(&rwlock), UV_EPERM);
    ck_assert(support_reports_contain("nobody writes under rwlock 'db'; the"));
    uva_rwlock_init(&rwlock);
    f[0] = spawn_user("w2");
    await_all(f, 1);
    return 0;
}

START_TEST(rwlock_breaks_when_the_writer_ends) {
    ck_assert_int_eq(program_run(broken_main, NULL), 0);
    ck_expect_record("r1:-103 w1:-103 w2:0 w2.");
}
END_TEST

static int release_foreign(void *arg) {
    (void)arg;
    return uva_rwlock_release_write(&rwlock);
}

static void use_from_the_loop(void *arg) {
    (void)arg;
    ck_assert_int_eq(uva_rwlock_try_acquire_write(&rwlock), UV_EPERM);
    ck_assert_int_eq(uva_rwlock_release_write(&rwlock), UV_EPERM);
    ck_assert_int_eq(uva_rwlock_try_acquire_read(&rwlock), 0);
    ck_assert_int_eq(uva_rwlock_release_read(&rwlock), 0);
    record("callback");
}

static int misuse_main(void *arg) {
    (void)arg;
    uva_rwlock_init(&rwlock);
    uva_rwlock_set_name(&rwlock, "db");
    ck_assert_int_eq(uva_set_name(uva_current(), "keeper"), 0);
    ck_assert_int_eq(uva_rwlock_release_read(&rwlock), UV_EPERM);
    ck_assert(support_reports_contain("uva_rwlock_release_read: nobody reads "
                                      "under rwlock 'db'"));
    ck_assert_int_eq(uva_rwlock_acquire_read(&rwlock), 0);
    ck_assert_int_eq(uva_rwlock_release_write(&rwlock), UV_EPERM);
    ck_assert(support_reports_contain("uva_rwlock_release_write: nobody writes "
                                      "under rwlock 'db'"));
    ck_assert_int_eq(uva_rwlock_release_read(&rwlock), 0);
    ck_assert_int_eq(uva_rwlock_acquire_write(&rwlock), 0);
    ck_assert_int_eq(uva_rwlock_release_read(&rwlock), UV_EPERM);
    ck_assert_int_eq(uva_rwlock_acquire_write(&rwlock), UV_EPERM);
    ck_assert_int_eq(uva_rwlock_acquire_read(&rwlock), UV_EPERM);
    ck_assert(support_reports_contain("uva_rwlock_acquire_read: task 'keeper' "
                                      "writes under rwlock 'db' already"));
    ck_assert_int_eq(uva_await(uva_spawn(release_foreign, NULL), NULL),
                     UV_EPERM);
    ck_assert(support_reports_contain("uva_rwlock_release_write: task 'keeper' "
                                      "writes under rwlock 'db', and only"));
    ck_assert_str_eq(look().writer, "keeper");
    ck_assert_int_eq(uva_rwlock_release_write(&rwlock), 0);
    ck_assert_uint_eq(support_report_count(), 6);
    ck_assert_int_eq(uva_post(uva_runtime_current(), use_from_the_loop, NULL),
                     0);
    ck_assert_int_eq(uva_yield(), 0);
    ck_assert_uint_eq(support_report_count(), 8);
    expect_idle();
    return 0;
}

START_TEST(rwlock_obeys_who_holds_it) {
    ck_assert_int_eq(program_run(misuse_main, NULL), 0);
    ck_expect_record("callback");
}
END_TEST

START_TEST(rwlock_outside_a_task) {
    uva_rwlock_init(&rwlock);
    ck_assert_int_eq(uva_rwlock_acquire_read(&rwlock), UV_EPERM);
    ck_assert_int_eq(uva_rwlock_acquire_write(&rwlock), UV_EPERM);
    ck_assert_int_eq(uva_rwlock_try_acquire_write(&rwlock), UV_EPERM);
    ck_assert_int_eq(uva_rwlock_try_acquire_read(&rwlock), 0);
    ck_assert_int_eq(uva_rwlock_release_read(&rwlock), 0);
    expect_idle();
}
END_TEST

static int use_in_thread_main(void *arg) {
    bool is_written = arg != NULL;
    ck_assert_int_eq(uva_rwlock_acquire_write(&rwlock), UV_EPERM);
    ck_assert_int_eq(uva_rwlock_acquire_read(&rwlock), UV_EPERM);
    ck_assert_int_eq(is_written ? uva_rwlock_release_write(&rwlock)
                                : uva_rwlock_release_read(&rwlock),
                     UV_EPERM);
    return 0;
}

static void use_in_thread(void *arg) {
    ck_assert_int_eq(program_run(use_in_thread_main, arg), 0);
}

static void use_elsewhere(void *is_written) {
    support_in_thread(use_in_thread, is_written);
}

/* Once it is held there, once it is waited for there. */
static int thread_main(void *arg) {
    (void)arg;
    uva_rwlock_init(&rwlock);
    ck_assert_int_eq(uva_rwlock_acquire_write(&rwlock), 0);
    use_elsewhere(&rwlock);
    ck_assert_int_eq(uva_rwlock_release_write(&rwlock), 0);
    ck_assert_int_eq(uva_rwlock_acquire_read(&rwlock), 0);
    uva_task_t *w1 = spawn_user("w1");
    use_elsewhere(NULL);
    ck_assert_uint_eq(look().readers, 1);
    ck_assert_int_eq(uva_rwlock_release_read(&rwlock), 0);
    await_all(&w1, 1);
    return 0;
}

START_TEST(rwlock_used_in_another_thread) {
    ck_assert_int_eq(program_run(thread_main, NULL), 0);
    ck_assert_uint_eq(support_report_count(), 6);
    ck_expect_record("w1:0 w1.");
}
END_TEST

SUITE("rwlock_owner", rwlock_breaks_when_the_writer_ends,
      rwlock_obeys_who_holds_it, rwlock_outside_a_task,
      rwlock_used_in_another_thread)
