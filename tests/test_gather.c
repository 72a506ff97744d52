/* gather, gather_settled and race: many futures, one wait. */
#include "support/program.h"

#include <stdio.h>
#include <string.h>

static int seven = 7;

/* ---- gather ------------------------------------------------------------- */

static int order_main(void *arg) {
    (void)arg;
    uva_future_t *f[] = {spawn_worker("a", 20, 0), spawn_worker("b", 10, 5),
                         worker_coroutine("c", 30, 0)};
    const char *values[3];
    ck_assert_int_eq(uva_gather(f, 3, values), 0);
    ck_assert_str_eq(values[0], "a");
    ck_assert_str_eq(values[1], "b");
    ck_assert_str_eq(values[2], "c");
    ck_assert_uint_eq(uva_now_ms(), 30);
    return 0;
}

START_TEST(gather_keeps_the_order_of_its_arguments) {
    CONFORMS("K-046");
    program_expect(order_main);
    ck_expect_record("b a c");
}
END_TEST

static int large_main(void *arg) {
    (void)arg;
    char names[100][12];
    uva_future_t *f[100];
    const char *values[100];
    for (int i = 0; i < 100; i++) {
        (void)snprintf(names[i], sizeof names[i], "%d", i);
        f[i] = spawn_worker(names[i], (uint64_t)(100 - i), 0);
    }
    ck_assert_int_eq(uva_gather(f, 100, values), 0);
    for (int i = 0; i < 100; i++)
        ck_assert_ptr_eq(values[i], names[i]);
    char seen[SUPPORT_RECORD_BYTES];
    support_record_take(seen);
    return strncmp(seen, "99 98 97", 8);
}

START_TEST(gather_of_a_hundred) {
    program_expect(large_main);
}
END_TEST

/* | main             | a        | b    | c             |
 * | gather           | sleep    | ...  | ...           |
 * |                  |          | -9   |               |
 * |                  | cut      |      | cut           |
 * |                  |          |      | ... cleans up |
 * | returns -9       |          |      |               |
 */
static int failure_main(void *arg) {
    (void)arg;
    uva_future_t *f[] = {spawn_worker("a", 100, 0), spawn_worker("b", 10, -9),
                         spawn_lingerer("c", 100, 30),
                         worker_coroutine("d", 200, 0)};
    const char *values[4] = {"untouched", NULL, NULL, NULL};
    int code = uva_gather(f, 4, values);
    ck_assert_str_eq(uva_last_message(), "b failed");
    ck_assert_str_eq(values[0], "untouched");
    ck_assert_uint_eq(uva_now_ms(), 40);
    ck_assert_int_eq(uva_cancelling(uva_current()), 0);
    return code + 9;
}

/* Where we differ: the others are cancelled and awaited. */
START_TEST(gather_fails_with_the_first_failure) {
    CONFORMS("K-047");
    program_expect(failure_main);
    ck_expect_record("b a! c! d! c~");
}
END_TEST

static int fail_in_cleanup(void *arg) {
    int code = uva_sleep(100);
    record("%s", (const char *)arg);
    return code < 0 ? uva_fail(-33, "second") : 0;
}

static int second_failure_main(void *arg) {
    (void)arg;
    uva_future_t *f[] = {uva_spawn(fail_in_cleanup, "a"),
                         spawn_worker("b", 10, -9)};
    int code = uva_gather(f, 2, NULL);
    ck_assert_str_eq(uva_last_message(), "b failed");
    return code + 9;
}

START_TEST(gather_returns_no_later_failure) {
    program_expect(second_failure_main);
    ck_expect_record("b a");
}
END_TEST

/* A gather that was given up by a failure leaves nothing to cancel: its task
 * goes on, and a request meets only the next wait. */
static int failed_gather(void *arg) {
    (void)arg;
    uva_future_t *f[] = {spawn_worker("a", 100, 0), spawn_worker("b", 10, -9)};
    int code = uva_gather(f, 2, NULL);
    record("gather:%d", code);
    return uva_sleep(50);
}

static int cancel_late_main(void *arg) {
    (void)arg;
    uva_task_t *task = uva_spawn(failed_gather, NULL);
    ck_assert_int_eq(uva_sleep(20), 0);
    ck_assert(uva_cancel(task));
    ck_assert_int_eq(uva_await(uva_ref(task), NULL), UV_ECANCELED);
    ck_assert(!uva_cancel(task));
    uva_unref(task);
    return 0;
}

START_TEST(gather_that_failed_is_over) {
    CONFORMS("K-050");
    program_expect(cancel_late_main);
    ck_expect_record("b a! gather:-9");
}
END_TEST

static int gather_three(void *arg) {
    uva_future_t *f[] = {spawn_worker("a", 100, 0), spawn_worker("b", 100, 0),
                         spawn_lingerer("c", 100, 30)};
    int code = uva_gather(f, 3, NULL);
    record("%s:%d", (const char *)arg, code);
    return code;
}

static int cancel_main(void *arg) {
    (void)arg;
    uva_task_t *task = uva_spawn(gather_three, "gather");
    ck_assert_int_eq(uva_sleep(10), 0);
    ck_assert(uva_cancel_with(task, "enough"));
    ck_assert_int_eq(uva_await(task, NULL), UV_ECANCELED);
    ck_assert_str_eq(uva_last_message(), "enough");
    ck_assert_uint_eq(uva_now_ms(), 40);
    return 0;
}

START_TEST(gather_passes_a_cancellation_on) {
    CONFORMS("K-049");
    program_expect(cancel_main);
    ck_expect_record("a! b! c! c~ gather:-125");
}
END_TEST

static int ignore_request(void *arg) {
    int code = uva_sleep(100);
    record("ignored:%d", code);
    (void)uva_return(arg);
    return 0;
}

static int gather_stubborn(void *arg) {
    (void)arg;
    uva_future_t *f[] = {uva_spawn(ignore_request, &seven),
                         uva_spawn(ignore_request, &seven)};
    int *values[2];
    int code = uva_gather(f, 2, values);
    ck_assert_ptr_eq(values[1], &seven);
    record("gather:%d", code);
    record("sleep:%d", uva_sleep(1));
    return 0;
}

static int stubborn_main(void *arg) {
    (void)arg;
    uva_task_t *task = uva_spawn(gather_stubborn, NULL);
    ck_assert_int_eq(uva_sleep(10), 0);
    ck_assert(uva_cancel(task));
    return uva_await(task, NULL);
}

START_TEST(gather_cancelled_whose_children_succeed) {
    program_expect(stubborn_main);
    ck_expect_record("ignored:-125 ignored:-125 gather:0 sleep:-125");
}
END_TEST

static int gather_when_cancelled(void *arg) {
    ck_assert(uva_cancel(uva_current()));
    return gather_three(arg);
}

/* Cancelled before it waits: the children never begin. */
static int cancelled_before_main(void *arg) {
    (void)arg;
    uva_task_t *task = uva_spawn(gather_when_cancelled, "gather");
    ck_assert_int_eq(uva_await(task, NULL), UV_ECANCELED);
    ck_assert_uint_eq(uva_now_ms(), 0);
    return 0;
}

START_TEST(gather_in_a_cancelled_task_starts_nothing) {
    program_expect(cancelled_before_main);
    ck_expect_record("gather:-125");
}
END_TEST

static int deadline_main(void *arg) {
    (void)arg;
    uva_scope_t scope;
    uva_scope_open(&scope, 10, 0);
    int code = gather_three("gather");
    ck_assert_int_eq(code, UV_ECANCELED);
    ck_assert_int_eq(uva_scope_close(&scope), UV_ETIMEDOUT);
    ck_assert_uint_eq(uva_now_ms(), 40);
    return uva_sleep(1);
}

START_TEST(gather_passes_a_deadline_on) {
    program_expect(deadline_main);
    ck_expect_record("a! b! c! c~ gather:-125");
}
END_TEST

/* | main   | gather   | a              | b          |
 * |        | ...      | fails with -9  |            |
 * |        |          |                | cut        |
 * |        |          |                | lingers    |
 * | cancel |          |                | ...        |
 * |        | -9       |                |            |
 */
static int fail_then_cancelled(void *arg) {
    (void)arg;
    uva_future_t *f[] = {spawn_worker("a", 10, -9),
                         spawn_lingerer("b", 100, 30)};
    int code = uva_gather(f, 2, NULL);
    record("gather:%d", code);
    return code;
}

static int cancel_after_failure_main(void *arg) {
    (void)arg;
    uva_task_t *task = uva_spawn(fail_then_cancelled, NULL);
    ck_assert_int_eq(uva_sleep(20), 0);
    ck_assert(uva_cancel(task));
    return uva_await(task, NULL) + 9;
}

START_TEST(gather_cancelled_after_its_first_failure) {
    program_expect(cancel_after_failure_main);
    ck_expect_record("a b! b~ gather:-9");
}
END_TEST

static int duplicate_main(void *arg) {
    (void)arg;
    uva_task_t *t = spawn_worker("t", 10, 0);
    uva_future_t *c = worker_coroutine("c", 5, 0);
    uva_future_t *f[] = {t, uva_ref(c), uva_ref(t), c, uva_ref(t)};
    const char *values[5];
    uva_ref(t);
    ck_assert_int_eq(uva_gather(f, 5, values), 0);
    for (int i = 0; i < 5; i++)
        ck_assert_str_eq(values[i], i % 2 == 0 ? "t" : "c");
    ck_assert_int_eq(uva_await(t, NULL), 0);
    return 0;
}

START_TEST(gather_of_one_task_several_times) {
    CONFORMS("K-051");
    program_expect(duplicate_main);
    ck_expect_record("c t");
}
END_TEST

static int say(void *arg) {
    record("%s", (const char *)arg);
    return 0;
}

static int nothing_main(void *arg) {
    (void)arg;
    uva_task_t *done = spawn_worker("done", 0, 0);
    uva_future_t *resolved = uva_future_new();
    ck_assert_int_eq(uva_sleep(1), 0);
    ck_assert_int_eq(uva_future_resolve(resolved, "resolved"), 0);
    uva_task_t *other = uva_spawn(say, "other");
    ck_assert_int_eq(uva_gather(NULL, 0, NULL), 0);
    const char *values[2];
    uva_future_t *f[] = {done, resolved};
    ck_assert_int_eq(uva_gather(f, 2, values), 0);
    record("%s %s", values[0], values[1]);
    return uva_await(other, NULL);
}

START_TEST(gather_of_nothing_or_what_is_done_does_not_switch) {
    CONFORMS("K-052");
    program_expect(nothing_main);
    ck_expect_record("done done resolved other");
}
END_TEST

static int null_main(void *arg) {
    (void)arg;
    uva_future_t *f[] = {spawn_worker("a", 100, 0), NULL,
                         worker_coroutine("c", 100, 0), uva_future_new()};
    ck_assert_int_eq(uva_gather(NULL, 1, NULL), UV_EINVAL);
    ck_assert_int_eq(uva_gather(f, 4, NULL), UV_ENOMEM);
    ck_assert_ptr_null(uva_last_message());
    ck_assert_uint_eq(uva_now_ms(), 0);
    return 0;
}

/* A spawn that found no memory needs no check of its own. */
START_TEST(gather_with_null_among_its_futures) {
    program_expect(null_main);
    ck_expect_record("");
}
END_TEST

static int same_tick_main(void *arg) {
    (void)arg;
    uva_future_t *f[] = {spawn_worker("a", 10, -1), spawn_worker("b", 10, -2),
                         spawn_worker("c", 10, 0)};
    uva_future_t *g[] = {f[0], f[1], f[2]};
    int code = uva_gather(g, 3, NULL);
    ck_assert_str_eq(uva_last_message(), "a failed");
    return code + 1;
}

/* All three are awake when the first fails: nobody is cut, the first counts. */
START_TEST(gather_of_failures_in_one_tick) {
    program_expect(same_tick_main);
    ck_expect_record("a b c");
}
END_TEST

/* ---- gather_settled ----------------------------------------------------- */

static int settled_main(void *arg) {
    (void)arg;
    uva_future_t *cancelled = uva_future_new();
    ck_assert(uva_cancel(cancelled));
    uva_future_t *f[] = {spawn_worker("a", 20, 4), spawn_worker("b", 10, -9),
                         cancelled, NULL, worker_coroutine("e", 30, 0)};
    const char *values[5] = {0, "b", "c", "d", 0};
    int codes[5];
    ck_assert_int_eq(uva_gather_settled(f, 5, values, codes), 0);
    int expected[] = {4, -9, UV_ECANCELED, UV_ENOMEM, 0};
    const char *expected_values[] = {"a", "b", "c", "d", "e"};
    for (int i = 0; i < 5; i++) {
        ck_assert_int_eq(codes[i], expected[i]);
        ck_assert_str_eq(values[i], expected_values[i]);
    }
    ck_assert_uint_eq(uva_now_ms(), 30);
    ck_assert_int_eq(uva_gather_settled(NULL, 0, NULL, NULL), 0);
    ck_assert_int_eq(uva_gather_settled(NULL, 1, NULL, NULL), UV_EINVAL);
    return 0;
}

START_TEST(gather_settled_waits_for_all) {
    CONFORMS("K-048");
    program_expect(settled_main);
    ck_expect_record("b a e");
}
END_TEST

static int settle_two(void *arg) {
    int *codes = arg;
    uva_future_t *f[] = {spawn_worker("a", 5, 0), spawn_worker("b", 100, 0)};
    int code = uva_gather_settled(f, 2, NULL, codes);
    record("settled:%d", code);
    return code;
}

static int settled_cancel_main(void *arg) {
    (void)arg;
    int codes[2] = {1, 1};
    uva_task_t *task = uva_spawn(settle_two, codes);
    ck_assert_int_eq(uva_sleep(10), 0);
    ck_assert(uva_cancel(task));
    ck_assert_int_eq(uva_await(task, NULL), UV_ECANCELED);
    ck_assert_int_eq(codes[0], 0);
    ck_assert_int_eq(codes[1], UV_ECANCELED);
    return 0;
}

START_TEST(gather_settled_passes_a_cancellation_on) {
    CONFORMS("K-049");
    program_expect(settled_cancel_main);
    ck_expect_record("a b! settled:-125");
}
END_TEST

/* ---- race --------------------------------------------------------------- */

static int race_main(void *arg) {
    (void)arg;
    uva_future_t *f[] = {spawn_worker("a", 5, -9), spawn_lingerer("b", 100, 30),
                         spawn_worker("c", 10, 3),
                         worker_coroutine("d", 50, 0)};
    size_t index = 99;
    const char *value = NULL;
    ck_assert_int_eq(uva_race(f, 4, &index, &value), 3);
    ck_assert_uint_eq(index, 2);
    ck_assert_str_eq(value, "c");
    ck_assert_ptr_null(uva_last_message());
    ck_assert_uint_eq(uva_now_ms(), 40);
    return 0;
}

START_TEST(race_is_won_by_the_first_success) {
    program_expect(race_main);
    ck_expect_record("a c b! d! b~");
}
END_TEST

static int lost_race_main(void *arg) {
    (void)arg;
    uva_future_t *f[] = {spawn_worker("a", 20, -1), spawn_worker("b", 10, -2)};
    size_t index = 99;
    void *value = &seven;
    ck_assert_int_eq(uva_race(f, 2, &index, &value), -1);
    ck_assert_str_eq(uva_last_message(), "a failed");
    ck_assert_uint_eq(index, 99);
    ck_assert_ptr_eq(value, &seven);
    ck_assert_int_eq(uva_race(NULL, 0, NULL, NULL), UV_EINVAL);
    return 0;
}

START_TEST(race_that_all_lose) {
    program_expect(lost_race_main);
    ck_expect_record("b a");
}
END_TEST

static int done_race_main(void *arg) {
    (void)arg;
    uva_future_t *done = uva_future_new();
    ck_assert_int_eq(uva_future_resolve(done, &seven), 0);
    uva_future_t *f[] = {spawn_worker("a", 10, 0), NULL, done,
                         worker_coroutine("c", 10, 0), uva_future_new()};
    size_t index = 99;
    ck_assert_int_eq(uva_race(f, 5, &index, NULL), 0);
    ck_assert_uint_eq(index, 2);
    return 0;
}

START_TEST(race_that_is_won_already) {
    program_expect(done_race_main);
    ck_expect_record("");
}
END_TEST

static int race_two(void *arg) {
    (void)arg;
    uva_future_t *f[] = {spawn_worker("a", 100, 0),
                         spawn_lingerer("b", 100, 9)};
    int code = uva_race(f, 2, NULL, NULL);
    record("race:%d", code);
    return code;
}

static int race_cancel_main(void *arg) {
    (void)arg;
    uva_task_t *task = uva_spawn(race_two, NULL);
    ck_assert_int_eq(uva_sleep(10), 0);
    ck_assert(uva_cancel(task));
    ck_assert_int_eq(uva_await(task, NULL), UV_ECANCELED);
    return uva_wait_for(uva_spawn(race_two, NULL), 10, NULL) - UV_ETIMEDOUT;
}

START_TEST(race_passes_a_cancellation_on) {
    program_expect(race_cancel_main);
    ck_expect_record("a! b! b~ race:-125 a! b! b~ race:-125");
}
END_TEST

/* Two succeed in one tick: the one that woke first has won, the other's success
 * changes nothing. */
static int close_race_main(void *arg) {
    (void)arg;
    uva_future_t *f[] = {spawn_worker("a", 20, 1), spawn_worker("b", 10, 2),
                         spawn_worker("c", 10, 3)};
    size_t index = 99;
    ck_assert_int_eq(uva_race(f, 3, &index, NULL), 2);
    ck_assert_uint_eq(index, 1);
    return 0;
}

START_TEST(race_of_two_winners_in_one_tick) {
    program_expect(close_race_main);
    ck_expect_record("b c a!");
}
END_TEST

SUITE("gather", gather_keeps_the_order_of_its_arguments, gather_of_a_hundred,
      gather_fails_with_the_first_failure, gather_returns_no_later_failure,
      gather_that_failed_is_over, gather_passes_a_cancellation_on,
      gather_cancelled_whose_children_succeed,
      gather_in_a_cancelled_task_starts_nothing, gather_passes_a_deadline_on,
      gather_cancelled_after_its_first_failure,
      gather_of_one_task_several_times,
      gather_of_nothing_or_what_is_done_does_not_switch,
      gather_with_null_among_its_futures, gather_of_failures_in_one_tick,
      gather_settled_waits_for_all, gather_settled_passes_a_cancellation_on,
      race_is_won_by_the_first_success, race_that_all_lose,
      race_that_is_won_already, race_passes_a_cancellation_on,
      race_of_two_winners_in_one_tick)
