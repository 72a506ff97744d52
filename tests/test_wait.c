/* uva_wait, uva_shield and uva_map. */
#include "support/program.h"

/* ---- wait --------------------------------------------------------------- */

static void drop_all(uva_future_t *f[], size_t count) {
    for (size_t i = 0; i < count; i++) {
        (void)uva_status(f[i]);
        uva_unref(f[i]);
    }
}

/* Waits for all even where they fail; afterwards f holds nothing. */
static void finish_all(uva_future_t *f[], size_t count) {
    ck_assert_int_eq(uva_gather_settled(f, count, NULL, NULL), 0);
}

static int all_main(void *arg) {
    (void)arg;
    uva_future_t *f[] = {spawn_worker("a", 20, 0), spawn_worker("b", 10, -9),
                         worker_coroutine("c", 30, 0)};
    ck_assert_int_eq(uva_wait(f, 3, UVA_ALL_COMPLETED, UVA_FOREVER), 3);
    ck_assert_uint_eq(uva_now_ms(), 30);
    ck_assert_int_eq(uva_status(f[1]), -9);
    ck_assert_str_eq(uva_message(f[1]), "b failed");
    ck_assert_int_eq(uva_wait(f, 3, UVA_ALL_COMPLETED, UVA_FOREVER), 3);
    ck_assert_uint_eq(uva_now_ms(), 30);
    drop_all(f, 3);
    return 0;
}

START_TEST(wait_for_all) {
    CONFORMS("K-053", "K-058");
    program_expect(all_main);
    ck_expect_record("b a c");
}
END_TEST

static int first_main(void *arg) {
    (void)arg;
    uva_future_t *f[] = {spawn_worker("a", 20, 0), spawn_worker("b", 10, 0),
                         spawn_worker("c", 30, 0)};
    ck_assert_int_eq(uva_wait(f, 3, UVA_FIRST_COMPLETED, UVA_FOREVER), 1);
    ck_assert(uva_is_done(f[1]));
    ck_assert(!uva_is_done(f[0]));
    ck_assert(!uva_is_done(f[2]));
    ck_assert_int_eq(uva_cancelling(f[0]), 0);
    finish_all(f, 3);
    return 0;
}

START_TEST(wait_for_the_first) {
    CONFORMS("K-054");
    program_expect(first_main);
    ck_expect_record("b a c");
}
END_TEST

static int first_error_main(void *arg) {
    (void)arg;
    uva_future_t *f[] = {spawn_worker("a", 20, 0), spawn_worker("b", 10, 0),
                         spawn_worker("c", 30, -9), spawn_worker("d", 40, 0)};
    ck_assert_int_eq(uva_wait(f, 4, UVA_FIRST_ERROR, UVA_FOREVER), 3);
    ck_assert_uint_eq(uva_now_ms(), 30);
    ck_assert(!uva_is_done(f[3]));
    ck_assert_int_eq(uva_wait(f, 2, UVA_FIRST_ERROR, UVA_FOREVER), 2);
    finish_all(f, 4);
    uva_future_t *g[] = {spawn_worker("e", 20, 0), spawn_worker("f", 10, 0),
                         uva_future_new()};
    ck_assert(uva_cancel(g[2]));
    ck_assert_int_eq(uva_wait(g, 3, UVA_FIRST_ERROR, UVA_FOREVER), 3);
    drop_all(g, 3);
    return 0;
}

/* A cancelled future is no error; where none fails it waits for all. */
START_TEST(wait_for_the_first_error) {
    CONFORMS("K-055");
    program_expect(first_error_main);
    ck_expect_record("b a c d f e");
}
END_TEST

static int timeout_main(void *arg) {
    (void)arg;
    uva_future_t *f[] = {spawn_worker("a", 10, 0), spawn_worker("b", 100, 0),
                         worker_coroutine("c", 200, 0)};
    ck_assert_int_eq(uva_wait(f, 3, UVA_ALL_COMPLETED, 0), 0);
    ck_assert_uint_eq(uva_now_ms(), 0);
    ck_assert_int_eq(uva_wait(f, 3, UVA_ALL_COMPLETED, 50), 1);
    ck_assert_uint_eq(uva_now_ms(), 50);
    ck_assert_int_eq(uva_cancelling(f[1]), 0);
    ck_assert_int_eq(uva_wait(f, 3, UVA_ALL_COMPLETED, 1000), 3);
    ck_assert_uint_eq(uva_now_ms(), 200);
    ck_assert_int_eq(uva_sleep(2000), 0);
    drop_all(f, 3);
    return 0;
}

START_TEST(wait_with_a_timeout) {
    CONFORMS("K-056");
    program_expect(timeout_main);
    ck_expect_record("a b c");
}
END_TEST

static int wait_both(void *arg) {
    int code = uva_wait(arg, 2, UVA_ALL_COMPLETED, 1000);
    record("wait:%d", code);
    return code;
}

static int wait_cancel_main(void *arg) {
    (void)arg;
    uva_future_t *f[] = {spawn_worker("a", 20, 0), spawn_worker("b", 30, 0)};
    uva_task_t *task = uva_spawn(wait_both, f);
    ck_assert_int_eq(uva_sleep(10), 0);
    ck_assert(uva_cancel(task));
    ck_assert_int_eq(uva_await(task, NULL), UV_ECANCELED);
    ck_assert_uint_eq(uva_now_ms(), 10);
    finish_all(f, 2);
    return 0;
}

START_TEST(wait_cancelled_leaves_the_futures_alone) {
    CONFORMS("K-057");
    program_expect(wait_cancel_main);
    ck_expect_record("wait:-125 a b");
}
END_TEST

static int refused_main(void *arg) {
    (void)arg;
    uva_task_t *a = spawn_worker("a", 10, 0);
    uva_future_t *f[] = {a, a, spawn_worker("b", 20, 0), a, NULL};
    uva_wait_mode_t unknown = (uva_wait_mode_t)7;
    ck_assert_int_eq(uva_wait(f, 0, UVA_ALL_COMPLETED, 5), UV_EINVAL);
    ck_assert_int_eq(uva_wait(NULL, 2, UVA_ALL_COMPLETED, 5), UV_EINVAL);
    ck_assert_int_eq(uva_wait(f, 3, unknown, 5), UV_EINVAL);
    ck_assert_uint_eq(uva_now_ms(), 0);
    ck_assert_int_eq(uva_wait(f, 4, UVA_FIRST_COMPLETED, 15), 1);
    ck_assert_int_eq(uva_wait(f, 4, UVA_ALL_COMPLETED, UVA_FOREVER), 2);
    ck_assert_int_eq(uva_wait(f, 5, UVA_ALL_COMPLETED, UVA_FOREVER), 3);
    uva_unref(f[0]);
    uva_unref(f[2]);
    return 0;
}

START_TEST(wait_counts_duplicates_once_and_refuses_nothing_to_do) {
    CONFORMS("K-059");
    program_expect(refused_main);
    ck_expect_record("a b");
}
END_TEST

static int many_main(void *arg) {
    (void)arg;
    uva_future_t *f[30];
    for (uint64_t i = 0; i < 30; i++)
        f[i] = worker_coroutine("w", i % 10 + 1, 0);
    ck_assert_int_eq(uva_wait(f, 30, UVA_FIRST_COMPLETED, UVA_FOREVER), 3);
    ck_assert_int_eq(uva_wait(f, 30, UVA_ALL_COMPLETED, 4), 15);
    ck_assert_int_eq(uva_wait(f, 30, UVA_ALL_COMPLETED, UVA_FOREVER), 30);
    drop_all(f, 30);
    return 0;
}

/* At its return it counts all that are done, not only the one that woke it. */
START_TEST(wait_for_thirty) {
    program_expect(many_main);
    char seen[SUPPORT_RECORD_BYTES];
    support_record_take(seen);
}
END_TEST

/* | main    | w        |
 * |         | wait 10  |
 * | at 10: the future is resolved by a task that woke before the deadline |
 */
static int resolve_at_10(void *arg) {
    ck_assert_int_eq(uva_sleep(10), 0);
    return uva_future_resolve(arg, NULL);
}

static int same_moment_main(void *arg) {
    (void)arg;
    uva_future_t *f = uva_future_new();
    uva_task_t *task = uva_spawn(resolve_at_10, f);
    ck_assert_int_eq(uva_yield(), 0);
    /* Both are due at 10; the wait's deadline decides before the other runs,
     * but what is done at its return counts. */
    ck_assert_int_eq(uva_wait(&f, 1, UVA_ALL_COMPLETED, 10), 1);
    ck_assert_int_eq(uva_await(f, NULL), 0);
    return uva_await(task, NULL);
}

START_TEST(wait_counts_what_is_done_at_its_return) {
    program_expect(same_moment_main);
}
END_TEST

/* ---- shield ------------------------------------------------------------- */

static int mirror_main(void *arg) {
    (void)arg;
    const char *value = NULL;
    ck_assert_int_eq(uva_await(uva_shield(spawn_worker("a", 5, 3)), &value), 3);
    ck_assert_str_eq(value, "a");
    ck_assert_int_eq(uva_await(uva_shield(spawn_worker("b", 5, -9)), NULL), -9);
    ck_assert_str_eq(uva_last_message(), "b failed");
    uva_task_t *task = spawn_worker("c", 5, 0);
    uva_future_t *shield = uva_shield(uva_ref(task));
    ck_assert(uva_cancel_with(task, "why"));
    ck_assert_int_eq(uva_await(shield, NULL), UV_ECANCELED);
    ck_assert_str_eq(uva_last_message(), "why");
    uva_unref(task);
    ck_assert_int_eq(uva_await(uva_shield(worker_coroutine("d", 5, 4)), NULL),
                     4);
    return 0;
}

START_TEST(shield_ends_as_its_inner_future) {
    CONFORMS("K-041");
    program_expect(mirror_main);
    ck_expect_record("a b d");
}
END_TEST

static int await_shielded(void *arg) {
    int code = uva_await(uva_shield(uva_ref(arg)), NULL);
    record("shield:%d", code);
    return code;
}

static int waiter_cancel_main(void *arg) {
    (void)arg;
    uva_task_t *inner = spawn_worker("inner", 20, 0);
    uva_task_t *waiter = uva_spawn(await_shielded, inner);
    ck_assert_int_eq(uva_sleep(10), 0);
    ck_assert(uva_cancel(waiter));
    ck_assert_int_eq(uva_await(waiter, NULL), UV_ECANCELED);
    ck_assert_uint_eq(uva_now_ms(), 10);
    ck_assert_int_eq(uva_cancelling(inner), 0);
    return uva_await(inner, NULL);
}

START_TEST(shield_keeps_a_cancellation_from_the_inner_task) {
    CONFORMS("K-042");
    program_expect(waiter_cancel_main);
    ck_expect_record("shield:-125 inner");
}
END_TEST

static int done_shield_main(void *arg) {
    (void)arg;
    uva_task_t *done = spawn_worker("done", 0, 5);
    ck_assert_int_eq(uva_sleep(1), 0);
    uva_task_t *other = spawn_worker("other", 0, 0);
    uva_future_t *shield = uva_shield(done);
    ck_assert(uva_is_done(shield));
    ck_assert_int_eq(uva_await(shield, NULL), 5);
    record("main");
    return uva_await(other, NULL);
}

START_TEST(shield_of_what_is_done) {
    CONFORMS("K-043");
    program_expect(done_shield_main);
    ck_expect_record("done main other");
}
END_TEST

static int gather_two(void *arg) {
    const char **values = arg;
    uva_future_t *f[] = {spawn_worker("a", 10, 0), spawn_worker("b", 20, 0)};
    return uva_gather(f, 2, values);
}

static int shielded_gather_main(void *arg) {
    (void)arg;
    const char *values[2];
    uva_task_t *gather = uva_spawn(gather_two, values);
    uva_future_t *shield = uva_shield(uva_ref(gather));
    ck_assert_int_eq(uva_sleep(5), 0);
    ck_assert(uva_cancel(shield));
    ck_assert(uva_is_done(shield));
    uva_unref(shield);
    ck_assert_int_eq(uva_await(gather, NULL), 0);
    ck_assert_str_eq(values[1], "b");
    return 0;
}

START_TEST(shield_around_a_gather) {
    CONFORMS("K-044");
    program_expect(shielded_gather_main);
    ck_expect_record("a b");
}
END_TEST

static int gather_shields(void *arg) {
    uva_future_t **inner = arg;
    uva_future_t *f[] = {uva_shield(uva_ref(inner[0])),
                         uva_shield(uva_ref(inner[1]))};
    uva_future_t *kept[] = {uva_ref(f[0]), uva_ref(f[1])};
    int code = uva_gather(f, 2, NULL);
    record("gather:%d:%d:%d", code, uva_status(kept[0]), uva_status(kept[1]));
    drop_all(kept, 2);
    return code;
}

static int gathered_shields_main(void *arg) {
    (void)arg;
    uva_future_t *inner[] = {spawn_worker("a", 10, 0),
                             spawn_worker("b", 20, 0)};
    uva_task_t *task = uva_spawn(gather_shields, inner);
    ck_assert_int_eq(uva_sleep(5), 0);
    ck_assert(uva_cancel(task));
    ck_assert_int_eq(uva_await(task, NULL), UV_ECANCELED);
    ck_assert_uint_eq(uva_now_ms(), 5);
    return uva_gather(inner, 2, NULL);
}

START_TEST(shields_in_a_gather) {
    CONFORMS("K-045");
    program_expect(gathered_shields_main);
    ck_expect_record("gather:-125:-125:-125 a b");
}
END_TEST

static int dropped_shield_main(void *arg) {
    (void)arg;
    uva_unref(uva_shield(spawn_worker("a", 5, 0)));
    uva_unref(uva_shield(worker_coroutine("b", 10, 0)));
    uva_future_t *shield = uva_shield(spawn_worker("c", 15, -9));
    ck_assert(uva_cancel(shield));
    uva_unref(shield);
    return uva_sleep(20);
}

/* The inner one runs on; a failure that then nobody reads is reported. */
START_TEST(shield_that_is_dropped) {
    ck_assert_int_eq(program_run(dropped_shield_main, NULL), 0);
    ck_assert_uint_eq(support_report_count(), 1);
    ck_assert(support_reports_contain("task 'c'"));
    ck_expect_record("a b c");
}
END_TEST

/* ---- map ---------------------------------------------------------------- */

static int in_flight;
static int most_in_flight;

static int map_item(void *arg) {
    int *item = arg;
    in_flight++;
    if (in_flight > most_in_flight)
        most_in_flight = in_flight;
    int ms = *item;
    int code = uva_sleep((uint64_t)(ms < 0 ? -ms : ms));
    in_flight--;
    record("%d%s", ms, code < 0 ? "!" : "");
    if (code < 0)
        return code;
    if (ms < 0)
        return uva_fail(ms, "bad item");
    *item = ms * 2;
    return 0;
}

static int map_main(void *arg) {
    (void)arg;
    int items[] = {50, 10, 20, 30, 5, 5};
    most_in_flight = 0;
    ck_assert_int_eq(uva_map(map_item, items, 6, sizeof items[0], 2), 0);
    ck_assert_int_eq(most_in_flight, 2);
    ck_assert_int_eq(items[0], 100);
    ck_assert_int_eq(items[5], 10);
    ck_assert_int_eq(uva_map(map_item, items, 6, sizeof items[0], 100), 0);
    ck_assert_int_eq(most_in_flight, 6);
    return 0;
}

START_TEST(map_runs_so_many_at_once) {
    program_expect(map_main);
    ck_expect_record("10 20 50 5 30 5 10 10 20 40 60 100");
}
END_TEST

static int map_failure_main(void *arg) {
    (void)arg;
    int items[] = {50, -10, 20, 30};
    int code = uva_map(map_item, items, 4, sizeof items[0], 2);
    ck_assert_str_eq(uva_last_message(), "bad item");
    ck_assert_uint_eq(uva_now_ms(), 10);
    return code + 10;
}

START_TEST(map_stops_at_the_first_failure) {
    program_expect(map_failure_main);
    ck_expect_record("-10 50!");
}
END_TEST

static int map_three(void *arg) {
    (void)arg;
    int items[] = {50, 50, 50};
    int code = uva_map(map_item, items, 3, sizeof items[0], 2);
    record("map:%d", code);
    return code;
}

static int map_cancel_main(void *arg) {
    (void)arg;
    uva_task_t *task = uva_spawn(map_three, NULL);
    ck_assert_int_eq(uva_sleep(10), 0);
    ck_assert(uva_cancel(task));
    return uva_await(task, NULL) == UV_ECANCELED ? 0 : -1;
}

START_TEST(map_cancelled_begins_no_more) {
    program_expect(map_cancel_main);
    ck_expect_record("50! 50! map:-125");
}
END_TEST

static int map_refused_main(void *arg) {
    (void)arg;
    int item = 1;
    ck_assert_int_eq(uva_map(map_item, &item, 1, sizeof item, 0), UV_EINVAL);
    ck_assert_int_eq(uva_map(NULL, &item, 1, sizeof item, 1), UV_EINVAL);
    ck_assert_int_eq(uva_map(map_item, NULL, 1, sizeof item, 1), UV_EINVAL);
    ck_assert_int_eq(uva_map(map_item, NULL, 0, sizeof item, 1), 0);
    return 0;
}

START_TEST(map_of_nothing_and_bad_arguments) {
    program_expect(map_refused_main);
    ck_assert_int_eq(uva_map(map_item, NULL, 0, 1, 1), UV_EPERM);
    ck_expect_record("");
}
END_TEST

SUITE("wait", wait_for_all, wait_for_the_first, wait_for_the_first_error,
      wait_with_a_timeout, wait_cancelled_leaves_the_futures_alone,
      wait_counts_duplicates_once_and_refuses_nothing_to_do, wait_for_thirty,
      wait_counts_what_is_done_at_its_return, shield_ends_as_its_inner_future,
      shield_keeps_a_cancellation_from_the_inner_task, shield_of_what_is_done,
      shield_around_a_gather, shields_in_a_gather, shield_that_is_dropped,
      map_runs_so_many_at_once, map_stops_at_the_first_failure,
      map_cancelled_begins_no_more, map_of_nothing_and_bad_arguments)
