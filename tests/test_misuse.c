/* What NULL stands for, and calls from where they cannot work. */
#include "support/program.h"

static int seven = 7;

static void on_done(uva_future_t *f, void *arg) {
    (void)f;
    record("%s", (const char *)arg);
}

static int say(void *arg) {
    record("%s", (const char *)arg);
    return 0;
}

/* ---- NULL --------------------------------------------------------------- */

/* After a failure with a message, so that a stale one would show. */
static void fail_with_message(void) {
    uva_future_t *f = uva_future_new();
    ck_assert_int_eq(uva_future_fail(f, -9, "stale"), 0);
    ck_assert_int_eq(uva_await(f, NULL), -9);
    ck_assert_str_eq(uva_last_message(), "stale");
}

#define EXPECT_NO_MEMORY(call) \
    do { \
        fail_with_message(); \
        ck_assert_int_eq(call, UV_ENOMEM); \
        ck_assert_ptr_null(uva_last_message()); \
    } while (0)

static int null_waits_main(void *arg) {
    (void)arg;
    uva_future_t *none[] = {NULL, NULL};
    int codes[] = {1, 1};
    void *value = &seven;
    size_t index = 9;
    EXPECT_NO_MEMORY(uva_await(NULL, &value));
    EXPECT_NO_MEMORY(uva_wait_for(NULL, 10, &value));
    EXPECT_NO_MEMORY(uva_cancel_and_wait(NULL));
    EXPECT_NO_MEMORY(uva_gather(none, 2, &value));
    EXPECT_NO_MEMORY(uva_race(none, 2, &index, &value));
    ck_assert_ptr_eq(value, &seven);
    ck_assert_uint_eq(index, 9);
    ck_assert_int_eq(uva_gather_settled(none, 2, NULL, codes), 0);
    ck_assert_int_eq(codes[0], UV_ENOMEM);
    ck_assert_int_eq(codes[1], UV_ENOMEM);
    ck_assert_int_eq(uva_wait(none, 2, UVA_ALL_COMPLETED, 0), 2);
    return 0;
}

START_TEST(misuse_null_failed_without_memory) {
    program_expect(null_waits_main);
}
END_TEST

static int null_calls_main(void *arg) {
    (void)arg;
    ck_assert(uva_is_done(NULL));
    ck_assert_int_eq(uva_status(NULL), UV_ENOMEM);
    ck_assert_ptr_null(uva_value(NULL));
    ck_assert_ptr_null(uva_message(NULL));
    ck_assert_str_eq(uva_name(NULL), "(none)");
    ck_assert_ptr_null(uva_ref(NULL));
    uva_unref(NULL);
    uva_detach(NULL);
    ck_assert(!uva_cancel(NULL));
    ck_assert(!uva_cancel_with(NULL, "why"));
    ck_assert_int_eq(uva_uncancel(NULL), 0);
    ck_assert_int_eq(uva_cancelling(NULL), 0);
    ck_assert_ptr_null(uva_shield(NULL));
    ck_assert_ptr_null(uva_start(NULL));
    ck_assert_int_eq(uva_set_name(NULL, "x"), UV_EINVAL);
    ck_assert_int_eq(uva_future_resolve(NULL, NULL), UV_EINVAL);
    ck_assert_int_eq(uva_future_fail(NULL, -1, NULL), UV_EINVAL);
    ck_assert_int_eq(uva_on_done(NULL, on_done, NULL), UV_EINVAL);
    ck_assert_int_eq(uva_remove_on_done(NULL, on_done), 0);
    uva_future_t *f = uva_future_new();
    ck_assert_int_eq(uva_on_done(f, NULL, NULL), UV_EINVAL);
    ck_assert_int_eq(uva_remove_on_done(f, NULL), 0);
    uva_unref(f);
    return 0;
}

START_TEST(misuse_null_is_accepted_by_every_call) {
    program_expect(null_calls_main);
}
END_TEST

/* ---- the wrong place ---------------------------------------------------- */

static void wait_in_callback(void *arg) {
    uva_future_t *f = arg;
    uva_future_t *both[] = {uva_ref(f), uva_ref(f)};
    ck_assert_int_eq(uva_await(uva_ref(f), NULL), UV_EPERM);
    ck_assert_int_eq(uva_wait_for(uva_ref(f), 1, NULL), UV_EPERM);
    ck_assert_int_eq(uva_cancel_and_wait(uva_ref(f)), UV_EPERM);
    ck_assert_int_eq(uva_gather(both, 2, NULL), UV_EPERM);
    ck_assert_int_eq(uva_wait(both, 2, UVA_ALL_COMPLETED, 0), UV_EPERM);
    ck_assert_int_eq(uva_await(NULL, NULL), UV_EPERM);
    ck_assert_int_eq(uva_sleep(1), UV_EPERM);
    ck_assert_int_eq(uva_yield(), UV_EPERM);
    ck_assert(!uva_is_done(f));
}

static int callback_main(void *arg) {
    (void)arg;
    uva_future_t *f = uva_future_new();
    ck_assert_int_eq(uva_post(uva_runtime_current(), wait_in_callback, f), 0);
    (void)uva_yield();
    uva_unref(f);
    return 0;
}

/* Each call is refused and reported, and has taken its reference. */
START_TEST(misuse_await_outside_a_task) {
    ck_assert_int_eq(program_run(callback_main, NULL), 0);
    ck_assert(support_reports_contain("uva_await: called outside a task"));
    ck_assert(support_reports_contain("uva_gather: called outside a task"));
    ck_assert_uint_eq(support_report_count(), 8);
}
END_TEST

START_TEST(misuse_spawn_outside_a_runtime) {
    ck_assert_ptr_null(uva_future_new());
    ck_assert_ptr_null(uva_future_new_on(NULL));
    ck_assert_ptr_null(uva_spawn(say, "never"));
    ck_assert_int_eq(uva_await(NULL, NULL), UV_EPERM);
    ck_expect_record("");
}
END_TEST

static int intruder_main(void *arg) {
    uva_future_t *f = arg;
    uva_future_t *both[] = {uva_future_new(), f};
    ck_assert_int_eq(uva_await(f, NULL), UV_EPERM);
    ck_assert_int_eq(uva_wait_for(f, 1, NULL), UV_EPERM);
    ck_assert_int_eq(uva_cancel_and_wait(f), UV_EPERM);
    ck_assert_int_eq(uva_wait(both, 2, UVA_ALL_COMPLETED, 1), UV_EPERM);
    ck_assert_int_eq(uva_gather(both, 2, NULL), UV_EPERM);
    ck_assert_int_eq(uva_race(&f, 1, NULL, NULL), UV_EPERM);
    ck_assert_ptr_null(uva_shield(f));
    ck_assert(!uva_cancel(f));
    ck_assert_int_eq(uva_future_resolve(f, NULL), UV_EPERM);
    ck_assert_int_eq(uva_on_done(f, on_done, "x"), UV_EPERM);
    uva_unref(f);
    return 0;
}

static void run_intruder(void *arg) {
    ck_assert_int_eq(program_run(intruder_main, arg), 0);
}

static int owner_main(void *arg) {
    (void)arg;
    uva_future_t *f = uva_future_new();
    support_in_thread(run_intruder, f);
    ck_assert(!uva_is_done(f));
    ck_assert_int_eq(uva_future_resolve(f, NULL), 0);
    return uva_await(f, NULL);
}

/* The only refusal that does not take the future: it is not the thread's. */
START_TEST(misuse_future_of_another_runtime) {
    ck_assert_int_eq(program_run(owner_main, NULL), 0);
    ck_assert(support_reports_contain("belongs to another runtime"));
    ck_assert_uint_eq(support_report_count(), 11);
}
END_TEST

SUITE("misuse", misuse_null_failed_without_memory,
      misuse_null_is_accepted_by_every_call, misuse_await_outside_a_task,
      misuse_spawn_outside_a_runtime, misuse_future_of_another_runtime)
