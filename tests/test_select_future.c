/* labels: valgrind; timeout: 30 */
/* uva_select() on futures: they are borrowed, and only the one that is taken
 * has been seen. */
#include "support/program.h"

static uva_channel_t channel;

static int fail_main(void *arg) {
    (void)arg;
    return uva_fail(UV_EIO, "broken");
}

static int future_main(void *arg) {
    (void)arg;
    ck_assert_int_eq(uva_channel_init(&channel, sizeof(int), 0), 0);
    uva_future_t *f = spawn_worker("w", 5, 3);
    const char *name = NULL;
    int item = -1;
    uva_case_t cases[] = {{.kind = UVA_RECV, .on = &channel, .item = &item},
                          {.kind = UVA_FUTURE, .on = f, .item = &name},
                          {.kind = UVA_FUTURE, .on = f}};
    ck_assert_int_eq(uva_select(cases, 3, UVA_FOREVER), 1);
    ck_assert_int_eq(cases[1].code, 3);
    ck_assert_str_eq(name, "w");
    /* It was borrowed, is still done, and may be taken again. */
    ck_assert_int_eq(uva_select(cases + 2, 1, 0), 0);
    ck_assert_int_eq(cases[2].code, 3);
    ck_assert_int_eq(uva_await(f, NULL), 3);
    /* A failure that is taken is seen: nothing is reported at the end. */
    cases[1].on = f = uva_spawn(fail_main, NULL);
    ck_assert_int_eq(uva_select(cases, 2, UVA_FOREVER), 1);
    ck_assert_int_eq(cases[1].code, UV_EIO);
    ck_assert_str_eq(uva_last_message(), "broken");
    uva_unref(f);
    cases[1].on = NULL;
    ck_assert_int_eq(uva_select(cases, 2, UVA_FOREVER), 1);
    ck_assert_int_eq(cases[1].code, UV_ENOMEM);
    uva_channel_free(&channel);
    return 0;
}

START_TEST(select_on_futures) {
    program_expect(future_main);
    ck_expect_record("w");
}
END_TEST

/* Coroutines are started, the loser too, and none of them is cancelled. */
static int coroutine_main(void *arg) {
    (void)arg;
    uva_future_t *slow = worker_coroutine("slow", 20, 0);
    uva_future_t *fast = worker_coroutine("fast", 10, 1);
    uva_case_t cases[] = {{.kind = UVA_FUTURE, .on = slow},
                          {.kind = UVA_FUTURE, .on = fast}};
    ck_assert_int_eq(uva_select(cases, 2, 5), UV_ETIMEDOUT);
    ck_assert_int_eq(uva_select(cases, 2, UVA_FOREVER), 1);
    ck_assert_int_eq(cases[1].code, 1);
    ck_assert_int_eq(uva_await(slow, NULL), 0);
    ck_assert_int_eq(uva_await(fast, NULL), 1);
    return 0;
}

START_TEST(select_starts_coroutines) {
    program_expect(coroutine_main);
    ck_expect_record("fast slow");
}
END_TEST

/* What a failure was that nobody took is reported as ever. */
static int unseen_main(void *arg) {
    (void)arg;
    ck_assert_int_eq(uva_channel_init(&channel, sizeof(int), 1), 0);
    int item = 1;
    ck_assert_int_eq(uva_channel_send(&channel, &item), 0);
    uva_future_t *f = uva_spawn(fail_main, NULL);
    ck_assert_int_eq(uva_yield(), 0);
    uva_case_t cases[] = {{.kind = UVA_RECV, .on = &channel, .item = &item},
                          {.kind = UVA_FUTURE, .on = f}};
    ck_assert_int_eq(uva_select(cases, 2, 0), 0);
    uva_unref(f);
    uva_channel_free(&channel);
    return 0;
}

START_TEST(select_sees_only_what_it_takes) {
    ck_assert_int_eq(program_run(unseen_main, NULL), 0);
    ck_assert(support_reports_contain("failed and nobody looked"));
    ck_assert_uint_eq(support_report_count(), 1);
}
END_TEST

/* A cancelled select leaves the future to itself. */
static int select_future(void *arg) {
    uva_case_t what = {.kind = UVA_FUTURE, .on = arg};
    record("%d", uva_select(&what, 1, UVA_FOREVER));
    return 0;
}

static int borrowed_main(void *arg) {
    (void)arg;
    uva_future_t *f = spawn_worker("w", 5, 0);
    uva_task_t *task =
        uva_spawn_with(&(uva_task_options_t){.eager = true}, select_future, f);
    ck_assert_int_eq(uva_cancel_and_wait(task), 0);
    return uva_await(f, NULL);
}

START_TEST(select_cancels_no_future) {
    program_expect(borrowed_main);
    ck_expect_record("-125 w");
}
END_TEST

SUITE("select_future", select_on_futures, select_starts_coroutines,
      select_sees_only_what_it_takes, select_cancels_no_future)
