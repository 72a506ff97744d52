/* labels: threads valgrind; timeout: 30 */
/* Once: run by one task at a time, until it succeeds. */
#include "sync_fixture.h"

static uva_once_t once;
static int runs;

/* What a caller's function does: it takes a moment and ends with a code. */
typedef struct plan {
    const char *name;
    uint64_t ms;
    int code;
} plan_t;

static int work(void *arg) {
    const plan_t *plan = arg;
    runs++;
    record("%s+", plan->name);
    int code = uva_sleep(plan->ms);
    return code < 0 ? code : plan->code;
}

static int ask(void *arg) {
    const plan_t *plan = arg;
    int code = uva_once_run(&once, work, arg);
    record("%s:%d", plan->name, code);
    return code;
}

static uva_task_t *asking(plan_t *plan) {
    return uva_spawn_with(&(uva_task_options_t){.eager = true}, ask, plan);
}

static void expect_idle(bool is_done) {
    uva_once_statistics_t seen;
    uva_once_statistics(&once, &seen);
    ck_assert_int_eq(seen.is_done, is_done);
    ck_assert_int_eq(uva_once_is_done(&once), is_done);
    ck_assert_ptr_null(seen.runner);
    ck_assert_uint_eq(seen.waiting, 0);
}

/* ---- who runs ----------------------------------------------------------- */

static int one_main(void *arg) {
    plan_t a = {"a", 10, 7};
    plan_t b = {"b", 10, 8};
    plan_t c = {"c", 10, 9};
    (void)arg;
    uva_once_init(&once);
    uva_future_t *f[] = {asking(&a), asking(&b), asking(&c)};
    ck_assert(!uva_once_is_done(&once));
    ck_assert_int_eq(uva_gather(f, 3, NULL), 0);
    expect_idle(true);
    ck_assert_int_eq(ask(&c), 7);
    ck_assert_int_eq(runs, 1);
    return 0;
}

START_TEST(once_runs_once) {
    program_expect(one_main);
    ck_expect_record("a+ a:7 b:7 c:7 c:7");
}
END_TEST

/* 0 is a success like others. */
static int zero_main(void *arg) {
    plan_t a = {"a", 10, 0};
    (void)arg;
    uva_once_init(&once);
    uva_future_t *f[] = {asking(&a), asking(&a), asking(&a)};
    ck_assert_int_eq(uva_gather(f, 3, NULL), 0);
    ck_assert_int_eq(ask(&a), 0);
    ck_assert_int_eq(runs, 1);
    return 0;
}

START_TEST(once_runs_once_also_for_zero) {
    program_expect(zero_main);
    ck_expect_record("a+ a:0 a:0 a:0 a:0");
}
END_TEST

static int failure_main(void *arg) {
    plan_t a = {"a", 10, -1000};
    plan_t b = {"b", 0, -1001};
    plan_t c = {"c", 10, 3};
    plan_t d = {"d", 10, 4};
    (void)arg;
    uva_once_init(&once);
    uva_future_t *f[] = {asking(&a), asking(&b), asking(&c), asking(&d)};
    ck_assert_int_eq(uva_gather_settled(f, 4, NULL, NULL), 0);
    expect_idle(true);
    once = (uva_once_t)UVA_ONCE_INIT;
    ck_assert_int_eq(ask(&a), -1000);
    expect_idle(false);
    ck_assert_int_eq(ask(&d), 4);
    expect_idle(true);
    return 0;
}

START_TEST(once_that_failed_is_tried_by_the_next) {
    program_expect(failure_main);
    ck_expect_record("a+ a:-1000 b+ b:-1001 c+ c:3 d:3 "
                     "a+ a:-1000 d+ d:4");
}
END_TEST

static int cut_main(void *arg) {
    plan_t a = {"a", 100, 1};
    plan_t b = {"b", 10, 2};
    (void)arg;
    uva_once_init(&once);
    uva_future_t *f[] = {asking(&a), asking(&b)};
    ck_assert(uva_cancel(f[0]));
    ck_assert_int_eq(uva_gather_settled(f, 2, NULL, NULL), 0);
    expect_idle(true);
    return 0;
}

START_TEST(once_whose_runner_is_cancelled) {
    program_expect(cut_main);
    ck_expect_record("a+ a:-125 b+ b:2");
}
END_TEST

/* ---- windows ------------------------------------------------------------ */

static plan_t failing = {"a", 5, -1000};
static uva_task_t *victim;

/* Fails, and then, before the next one runs, sees to it. */
static int fail_then_cancel(void *arg) {
    int code = ask(&failing);
    uva_once_statistics_t seen;
    uva_once_statistics(&once, &seen);
    ck_assert_str_eq(seen.runner, uva_name(victim));
    ck_assert(uva_cancel(victim));
    (void)arg;
    return code;
}

/* | a             | b                    | c    |
 * | runs          | waits                | waits |
 * | fails: b next |                      |      |
 * | cancel b      |                      |      |
 * |               | runs, cut: c next    |      |
 * |               |                      | runs |
 */
static int turn_cancel_main(void *arg) {
    plan_t b = {"b", 10, 2};
    plan_t c = {"c", 10, 3};
    (void)arg;
    uva_once_init(&once);
    uva_future_t *f[3];
    f[0] = uva_spawn_with(&(uva_task_options_t){.eager = true},
                          fail_then_cancel, NULL);
    f[1] = victim = asking(&b);
    f[2] = asking(&c);
    ck_assert_int_eq(uva_gather_settled(f, 3, NULL, NULL), 0);
    expect_idle(true);
    return 0;
}

START_TEST(once_when_the_turn_and_a_cancel_meet) {
    program_expect(turn_cancel_main);
    ck_expect_record("a+ a:-1000 b+ b:-125 c+ c:3");
}
END_TEST

static plan_t barging = {"d", 0, 4};

static int fail_then_barge(void *arg) {
    (void)arg;
    (void)ask(&failing);
    return ask(&barging);
}

/* | a             | b           | a, again        |
 * | runs          | waits       |                 |
 * | fails: b next |             |                 |
 * |               |             | waits behind b  |
 * |               | runs        |                 |
 * |               |             | b's success     |
 */
static int barge_main(void *arg) {
    plan_t b = {"b", 10, 2};
    (void)arg;
    uva_once_init(&once);
    uva_future_t *f[2];
    f[0] = uva_spawn_with(&(uva_task_options_t){.eager = true}, fail_then_barge,
                          NULL);
    f[1] = asking(&b);
    ck_assert_int_eq(uva_gather(f, 2, NULL), 0);
    expect_idle(true);
    return 0;
}

START_TEST(once_lets_nobody_barge_in) {
    program_expect(barge_main);
    ck_expect_record("a+ a:-1000 b+ b:2 d:2");
}
END_TEST

/* | a                  | b                  | c                   |
 * | runs               | waits              | waits               |
 * |                    | cancelled: cut     |                     |
 * | succeeds           |                    | has the success     |
 * | cancel c           |                    |                     |
 */
static int succeed_then_cancel(void *arg) {
    int code = ask(arg);
    ck_assert(uva_cancel(victim));
    return code;
}

static int cancel_main(void *arg) {
    plan_t a = {"a", 5, 1};
    plan_t b = {"b", 5, 2};
    plan_t c = {"c", 5, 3};
    (void)arg;
    uva_once_init(&once);
    uva_future_t *f[3];
    f[0] = uva_spawn_with(&(uva_task_options_t){.eager = true},
                          succeed_then_cancel, &a);
    f[1] = asking(&b);
    f[2] = victim = asking(&c);
    ck_assert(uva_cancel(f[1]));
    int codes[3];
    ck_assert_int_eq(uva_gather_settled(f, 3, NULL, codes), 0);
    ck_assert_int_eq(codes[2], 1);
    expect_idle(true);
    return 0;
}

START_TEST(once_when_success_and_cancel_meet) {
    program_expect(cancel_main);
    ck_expect_record("a+ b:-125 a:1 c:1");
}
END_TEST

/* | a         | b              | c         |
 * | runs      | waits until 5  | waits     |
 * |           | timed out      |           |
 * | fails: c  |                | runs      |
 */
static int limit_main(void *arg) {
    plan_t a = {"a", 10, -1000};
    plan_t b = {"b", 10, 2};
    plan_t c = {"c", 10, 3};
    (void)arg;
    uva_once_init(&once);
    uva_task_t *first = asking(&a);
    uva_task_t *second = asking(&b);
    uva_task_t *third = asking(&c);
    ck_assert_int_eq(uva_wait_for(second, 5, NULL), UV_ETIMEDOUT);
    ck_assert_int_eq(uva_await(first, NULL), -1000);
    ck_assert_int_eq(uva_await(third, NULL), 3);
    expect_idle(true);
    return 0;
}

START_TEST(once_forgets_who_left) {
    program_expect(limit_main);
    ck_expect_record("a+ b:-125 a:-1000 c+ c:3");
}
END_TEST

/* ---- without waiting ---------------------------------------------------- */

static int spin(void *arg) {
    (void)arg;
    plan_t plan = {"x", 0, 0};
    for (int i = 0; i < 1000; i++)
        ck_assert_int_eq(uva_once_run(&once, work, &plan), 5);
    record("spun");
    return 0;
}

static int quick_main(void *arg) {
    (void)arg;
    plan_t plan = {"a", 0, 5};
    uva_once_init(&once);
    ck_assert_int_eq(uva_once_run(&once, work, &plan), 5);
    uva_task_t *other = spawn_worker("other", 0, 0);
    for (int i = 0; i < 100; i++)
        ck_assert_int_eq(uva_once_run(&once, work, &plan), 5);
    record("main");
    ck_assert_int_eq(uva_await(other, NULL), 0);
    uva_future_t *f[] = {uva_spawn(spin, NULL), spawn_worker("fair", 0, 0)};
    return uva_gather(f, 2, NULL);
}

START_TEST(once_that_is_done_neither_switches_nor_starves) {
    program_expect(quick_main);
    ck_expect_record("a+ main other fair spun");
}
END_TEST

/* A function that returns at once is a loop like others: failing for ever, it
 * lets the rest run. */
static int fail_at_once(void *arg) {
    (void)arg;
    return -1000;
}

static int fail_for_long(void *arg) {
    (void)arg;
    for (int i = 0; i < 1000; i++)
        ck_assert_int_eq(uva_once_run(&once, fail_at_once, NULL), -1000);
    record("spun");
    return 0;
}

static int fair_main(void *arg) {
    (void)arg;
    uva_once_init(&once);
    uva_future_t *f[] = {uva_spawn(fail_for_long, NULL),
                         spawn_worker("other", 0, 0)};
    return uva_gather(f, 2, NULL);
}

START_TEST(once_that_fails_at_once_starves_nobody) {
    program_expect(fair_main);
    ck_expect_record("other spun");
}
END_TEST

/* ---- bad use ------------------------------------------------------------ */

static int recurse(void *arg) {
    record("%d", uva_once_run(&once, recurse, arg));
    return 6;
}

static int recurse_main(void *arg) {
    uva_once_init(&once);
    uva_once_set_name(&once, "settings");
    ck_assert_int_eq(uva_once_run(&once, recurse, arg), 6);
    expect_idle(true);
    return 0;
}

START_TEST(once_within_itself) {
    ck_assert_int_eq(program_run(recurse_main, NULL), 0);
    ck_expect_record("-1");
    ck_assert_uint_eq(support_report_count(), 1);
    ck_assert(support_reports_contain("once 'settings'"));
}
END_TEST

static int ask_in_thread(void *arg) {
    (void)arg;
    return uva_once_run(&once, fail_at_once, NULL);
}

static void run_elsewhere(void *arg) {
    uva_options_t options = {.report = support_report};
    *(int *)arg = uva_run_with(&options, ask_in_thread, NULL);
}

static int meet_thread(void *arg) {
    int code = 0;
    (void)arg;
    support_in_thread(run_elsewhere, &code);
    ck_assert_int_eq(code, UV_EPERM);
    return 0;
}

static int thread_main(void *arg) {
    uva_once_init(&once);
    return uva_once_run(&once, meet_thread, arg);
}

START_TEST(once_in_two_threads) {
    ck_assert_int_eq(program_run(thread_main, NULL), 0);
    ck_assert(support_reports_contain("uva_once_run"));
}
END_TEST

static int null_main(void *arg) {
    uva_once_init(&once);
    ck_assert_int_eq(uva_once_run(&once, NULL, arg), UV_EINVAL);
    expect_idle(false);
    return 0;
}

START_TEST(once_without_a_task_or_a_function) {
    uva_once_init(&once);
    ck_assert_int_eq(uva_once_run(&once, fail_at_once, NULL), UV_EPERM);
    expect_idle(false);
    program_expect(null_main);
}
END_TEST

/* ---- looking ------------------------------------------------------------ */

static int look_main(void *arg) {
    plan_t a = {"a", 5, 1};
    (void)arg;
    uva_once_init(&once);
    uva_once_set_name(&once, "connect");
    uva_future_t *f[] = {asking(&a), asking(&a), asking(&a)};
    uva_once_statistics_t seen;
    uva_once_statistics(&once, &seen);
    ck_assert_str_eq(seen.name, "connect");
    ck_assert_str_eq(seen.runner, uva_name(f[0]));
    ck_assert_uint_eq(seen.waiting, 2);
    ck_assert(!seen.is_done);
    char *text = program_dump();
    ck_assert_ptr_nonnull(strstr(text, "parked in once 'connect'  ("));
    ck_assert_ptr_nonnull(strstr(text, "once 'connect' (1 waiter ahead)  ("));
    free(text);
    return uva_gather(f, 3, NULL);
}

START_TEST(once_tells_how_it_stands) {
    program_expect(look_main);
    expect_idle(true);
}
END_TEST

/* ---- a storm ------------------------------------------------------------ */

enum { ROUNDS = 4000 };

static int running;
static int successes;

/* Alone while it runs; now and then it succeeds. */
static int try_luck(void *arg) {
    (void)arg;
    must(running++ == 0);
    must(!once.is_done);
    dawdle();
    must(--running == 0);
    if (draw(4) != 0)
        return -1000;
    successes++;
    return 42;
}

/* When it is done, it is made anew: who waited for it has its code already. */
static int storm_once(void *arg) {
    (void)arg;
    int rounds = storm_rounds(ROUNDS);
    for (int i = 0; i < rounds; i++) {
        uva_scope_t scope;
        uva_scope_open(&scope, storm_limit(), 0);
        int code = uva_once_run(&once, try_luck, NULL);
        (void)uva_scope_close(&scope);
        must(code == 42 || code == -1000 || code == UV_ECANCELED);
        if (once.is_done) {
            must(once.runner == NULL && once.waiters.list.first == NULL);
            uva_once_init(&once);
        }
        storm_on();
    }
    return 0;
}

START_TEST(once_in_a_storm) {
    for (unsigned seed = 0; seed < STORM_SEEDS; seed++) {
        successes = 0;
        uva_once_init(&once);
        storm(storm_once, seed);
        uva_once_statistics_t seen;
        uva_once_statistics(&once, &seen);
        ck_assert_ptr_null(seen.runner);
        ck_assert_uint_eq(seen.waiting, 0);
        ck_assert_int_gt(successes, 100);
    }
}
END_TEST

SUITE("once", once_runs_once, once_runs_once_also_for_zero,
      once_that_failed_is_tried_by_the_next, once_whose_runner_is_cancelled,
      once_when_the_turn_and_a_cancel_meet, once_lets_nobody_barge_in,
      once_when_success_and_cancel_meet, once_forgets_who_left,
      once_that_is_done_neither_switches_nor_starves,
      once_that_fails_at_once_starves_nobody, once_within_itself,
      once_in_two_threads, once_without_a_task_or_a_function,
      once_tells_how_it_stands, once_in_a_storm)
