/* labels: valgrind; timeout: 30 */
/* Rate limiters: who is admitted in which nanosecond. */
#include "sync_fixture.h"

#include "runtime/seam.h"

static uva_rate_limiter_t limiter;

static uint64_t now_ns(void) {
    return uva__now_ns(uva__thread_runtime);
}

static uint64_t divide_up(uint64_t a, uint64_t b) {
    return (a + b - 1) / b;
}

typedef struct taker {
    const char *name;
    uint64_t tokens;
} taker_t;

/* "a:0@5": admitted 5 ms after the clock's start. */
static int take(void *arg) {
    const taker_t *taker = arg;
    int code = uva_rate_limiter_acquire(&limiter, taker->tokens);
    record("%s:%d@%d", taker->name, code, (int)uva_now_ms());
    return code;
}

static uva_task_t *taking(taker_t *taker) {
    return uva_spawn_with(&(uva_task_options_t){.eager = true}, take, taker);
}

static void make(uint64_t count, uint64_t per_ms, uint64_t burst) {
    ck_assert_int_eq(uva_rate_limiter_init(&limiter, count, per_ms, burst), 0);
}

static void expect_idle(void) {
    ck_assert(uva__list_is_empty(&limiter.waiters.list));
    ck_assert(!uva__deadline_is_armed(&limiter.deadline));
}

/* ---- the rate ----------------------------------------------------------- */

/* One task; the nth token is there at n periods by the count, rounded up to a
 * nanosecond, after however many. */
static int exact_main(void *arg) {
    (void)arg;
    const struct {
        uint64_t count, per_ms;
    } rates[] = {{3, 1000},         {7, 3},        {1, 1},
                 {999999937, 1000}, {1, 86400000}, {1000, 1000}};
    uint64_t rounds = support_is_slow() ? 2000 : 100000;
    for (size_t i = 0; i < sizeof rates / sizeof rates[0]; i++) {
        make(rates[i].count, rates[i].per_ms, 1);
        uint64_t start = now_ns();
        for (uint64_t n = 0; n < rounds; n++) {
            must(uva_rate_limiter_acquire(&limiter, 1) == 0);
            must(now_ns() - start ==
                 divide_up(n * rates[i].per_ms * 1000000, rates[i].count));
        }
        expect_idle();
    }
    return 0;
}

START_TEST(rate_limiter_admits_to_the_nanosecond) {
    program_expect(exact_main);
}
END_TEST

static int burst_main(void *arg) {
    (void)arg;
    make(10, 1000, 5);
    ck_assert_uint_eq(uva_rate_limiter_available(&limiter), 5);
    for (int i = 0; i < 8; i++)
        ck_assert_int_eq(take(&(taker_t){"t", 1}), 0);
    ck_assert_uint_eq(uva_rate_limiter_available(&limiter), 0);
    /* 250 ms are two tokens and a half; ten years are no more than five. */
    ck_assert_int_eq(uva_sleep(250), 0);
    ck_assert_uint_eq(uva_rate_limiter_available(&limiter), 2);
    ck_assert_int_eq(take(&(taker_t){"u", 3}), 0);
    ck_assert_int_eq(uva_sleep(10ull * 365 * 86400 * 1000), 0);
    ck_assert_uint_eq(uva_rate_limiter_available(&limiter), 5);
    for (int i = 0; i < 5; i++)
        ck_assert_int_eq(uva_rate_limiter_try_acquire(&limiter, 1), 0);
    ck_assert_int_eq(uva_rate_limiter_try_acquire(&limiter, 1), UV_EAGAIN);
    expect_idle();
    return 0;
}

START_TEST(rate_limiter_gathers_up_to_its_burst) {
    program_expect(burst_main);
    ck_expect_record("t:0@0 t:0@0 t:0@0 t:0@0 t:0@0 t:0@100 t:0@200 t:0@300 "
                     "u:0@600");
}
END_TEST

/* ---- the queue ---------------------------------------------------------- */

/* Who wants few stands behind who wants many; 0 waits as well. */
static int order_main(void *arg) {
    (void)arg;
    taker_t all = {"all", 10};
    taker_t many = {"many", 8};
    taker_t few = {"few", 1};
    taker_t none = {"none", 0};
    make(1, 1, 10);
    ck_assert_int_eq(take(&none), 0);
    ck_assert_int_eq(take(&all), 0);
    uva_future_t *f[] = {taking(&many), taking(&none), taking(&few),
                         taking(&none)};
    ck_assert_int_eq(uva_sleep(5), 0);
    ck_assert_uint_eq(uva_rate_limiter_available(&limiter), 5);
    ck_assert_int_eq(uva_rate_limiter_try_acquire(&limiter, 1), UV_EAGAIN);
    ck_assert_int_eq(uva_rate_limiter_try_acquire(&limiter, 0), UV_EAGAIN);
    ck_assert_int_eq(uva_gather(f, 4, NULL), 0);
    expect_idle();
    return 0;
}

START_TEST(rate_limiter_lets_nobody_barge_in) {
    program_expect(order_main);
    ck_expect_record("none:0@0 all:0@0 many:0@8 none:0@8 few:0@9 none:0@9");
}
END_TEST

/* | ms | a (6)      | b (2)        | c (3)        |
 * | 0  | waits to 6 | waits to 8   | waits to 11  |
 * | 3  | cancelled  | is due since |              |
 * |    |            | 2: admitted  | now due at 5 |
 */
static int head_main(void *arg) {
    (void)arg;
    taker_t all = {"all", 10};
    taker_t a = {"a", 6};
    taker_t b = {"b", 2};
    taker_t c = {"c", 3};
    make(1, 1, 10);
    ck_assert_int_eq(take(&all), 0);
    uva_future_t *f[] = {taking(&a), taking(&b), taking(&c)};
    ck_assert_int_eq(uva_sleep(3), 0);
    ck_assert(uva_cancel(f[0]));
    ck_assert_int_eq(uva_gather_settled(f, 3, NULL, NULL), 0);
    expect_idle();
    /* In the middle; and at the end. */
    f[0] = taking(&a);
    f[1] = taking(&b);
    f[2] = taking(&c);
    ck_assert(uva_cancel(f[1]));
    ck_assert(uva_cancel(f[2]));
    ck_assert_int_eq(uva_gather_settled(f, 3, NULL, NULL), 0);
    expect_idle();
    /* The last one that waits takes the deadline with it. */
    ck_assert_int_eq(uva_cancel_and_wait(taking(&a)), UV_ECANCELED);
    expect_idle();
    return 0;
}

START_TEST(rate_limiter_forgets_who_left) {
    program_expect(head_main);
    ck_expect_record("all:0@0 a:-125@3 b:0@3 c:0@5 "
                     "b:-125@5 c:-125@5 a:0@11 a:-125@11");
}
END_TEST

/* ---- windows ------------------------------------------------------------ */

static int take_and_sleep(void *arg) {
    int code = take(arg);
    record("sleep:%d", uva_sleep(1));
    return code;
}

/* | in one tick             | acquire      | then sleep   | level, in tokens |
 * | time comes, cancel      | 0            | UV_ECANCELED | 0                |
 * | cancel, time comes      | UV_ECANCELED | UV_ECANCELED | 5                |
 */
static int window_main(void *arg) {
    (void)arg;
    taker_t w = {"w", 5};
    for (int cancel_first = 0; cancel_first < 2; cancel_first++) {
        make(1, 1, 5);
        ck_assert_int_eq(uva_rate_limiter_acquire(&limiter, 5), 0);
        uva_task_t *task = uva_spawn_with(&(uva_task_options_t){.eager = true},
                                          take_and_sleep, &w);
        if (cancel_first == 1)
            ck_assert(uva_cancel(task));
        ck_assert_int_eq(uva_clock_advance(5), 0);
        if (cancel_first == 0)
            ck_assert(uva_cancel(task));
        ck_assert_int_eq(uva_await(task, NULL),
                         cancel_first == 1 ? UV_ECANCELED : 0);
        ck_assert_uint_eq(uva_rate_limiter_available(&limiter),
                          cancel_first == 1 ? 5 : 0);
        expect_idle();
    }
    return 0;
}

START_TEST(rate_limiter_when_time_and_cancel_meet) {
    program_expect(window_main);
    ck_expect_record("w:0@5 sleep:-125 w:-125@10 sleep:-125");
}
END_TEST

static int take_in_scope(void *arg) {
    uva_scope_t scope;
    uva_scope_open(&scope, 5, 0);
    int code = take(arg);
    record("%d", uva_scope_close(&scope));
    return code;
}

/* A limit that ends when the tokens come was armed first, so it comes first;
 * they are the next one's. A longer one does not. */
static int limit_main(void *arg) {
    (void)arg;
    taker_t a = {"a", 5};
    taker_t b = {"b", 5};
    make(1, 1, 5);
    ck_assert_int_eq(uva_rate_limiter_acquire(&limiter, 5), 0);
    uva_future_t *f[] = {uva_spawn(take_in_scope, &a), uva_spawn(take, &b)};
    ck_assert_int_eq(uva_gather_settled(f, 2, NULL, NULL), 0);
    a.tokens = 4;
    ck_assert_int_eq(take_in_scope(&a), 0);
    expect_idle();
    return 0;
}

START_TEST(rate_limiter_when_limit_and_time_meet) {
    program_expect(limit_main);
    ck_expect_record("a:-125@5 -110 b:0@5 a:0@9 0");
}
END_TEST

/* The loop comes round at 5, late for all of them: they are admitted there, but
 * their tokens were taken when they were due, so d is not late. */
static int late_main(void *arg) {
    (void)arg;
    taker_t t[] = {{"a", 1}, {"b", 1}, {"c", 2}, {"d", 2}};
    make(1, 1, 2);
    ck_assert_int_eq(uva_rate_limiter_acquire(&limiter, 2), 0);
    uva_future_t *f[4];
    for (size_t i = 0; i < 4; i++)
        f[i] = taking(&t[i]);
    ck_assert_int_eq(uva_clock_advance(5), 0);
    ck_assert_int_eq(uva_gather(f, 4, NULL), 0);
    expect_idle();
    return 0;
}

START_TEST(rate_limiter_makes_up_for_a_late_poll) {
    program_expect(late_main);
    ck_expect_record("a:0@5 b:0@5 c:0@5 d:0@6");
}
END_TEST

static int spin(void *arg) {
    (void)arg;
    for (int i = 0; i < 1000; i++)
        ck_assert_int_eq(uva_rate_limiter_acquire(&limiter, 1), 0);
    record("spun");
    return 0;
}

static int quick_main(void *arg) {
    (void)arg;
    make(1, 1, 10000);
    uva_task_t *other = spawn_worker("other", 0, 0);
    for (int i = 0; i < 100; i++)
        ck_assert_int_eq(uva_rate_limiter_acquire(&limiter, 1), 0);
    record("main");
    ck_assert_int_eq(uva_await(other, NULL), 0);
    uva_future_t *f[] = {uva_spawn(spin, NULL), spawn_worker("fair", 0, 0)};
    return uva_gather(f, 2, NULL);
}

START_TEST(rate_limiter_with_tokens_neither_switches_nor_starves) {
    program_expect(quick_main);
    ck_expect_record("main other fair spun");
}
END_TEST

/* ---- against the definition --------------------------------------------- */

enum { CALLS = 400 };

static uint64_t wanted[CALLS];
static uint64_t asked_at[CALLS];
static uint64_t admitted_at[CALLS];
static size_t next_call;

static int ask(void *arg) {
    size_t n = (uintptr_t)arg;
    asked_at[n] = now_ns();
    int code = uva_rate_limiter_acquire(&limiter, wanted[n]);
    admitted_at[n] = now_ns();
    must(n == next_call++);
    return code;
}

/* Calls at random moments, some while others wait. */
static int calls_main(void *arg) {
    uva_group_t group;
    (void)arg;
    uva_group_open(&group);
    for (size_t n = 0; n < CALLS; n++) {
        wanted[n] = draw((unsigned)limiter.burst + 1);
        must(uva_group_spawn(&group, ask, (void *)(uintptr_t)n) == 0);
        if (draw(3) > 0)
            must(uva_sleep(draw(40)) == 0);
    }
    return uva_group_close(&group);
}

/* Moments in parts of a nanosecond, so many that nothing is rounded. */
static uint64_t exact[CALLS];

/* In any stretch from one admission to another no more than the burst and what
 * flowed in meanwhile; and each as early as that allows. */
static uint64_t earliest(size_t n, uint64_t count, uint64_t period_ns,
                         uint64_t burst) {
    uint64_t at = asked_at[n] * count;
    uint64_t sum = wanted[n];
    if (n > 0 && exact[n - 1] > at)
        at = exact[n - 1];
    for (size_t i = n; i-- > 0;) {
        sum += wanted[i];
        uint64_t wait = sum > burst ? (sum - burst) * period_ns : 0;
        if (exact[i] + wait > at)
            at = exact[i] + wait;
    }
    return at;
}

START_TEST(rate_limiter_does_what_the_definition_says) {
    const struct {
        uint64_t count, per_ms, burst;
    } rates[] = {{1, 3, 4}, {7, 100, 1}, {13, 64, 9}, {1000, 999, 50}};
    for (size_t i = 0; i < sizeof rates / sizeof rates[0]; i++) {
        uint64_t period_ns = rates[i].per_ms * 1000000;
        storm_random = (unsigned)i;
        next_call = 0;
        make(rates[i].count, rates[i].per_ms, rates[i].burst);
        program_expect(calls_main);
        for (size_t n = 0; n < CALLS; n++) {
            exact[n] = earliest(n, rates[i].count, period_ns, rates[i].burst);
            ck_assert_uint_eq(admitted_at[n],
                              divide_up(exact[n], rates[i].count));
        }
        expect_idle();
    }
}
END_TEST

/* ---- a storm ------------------------------------------------------------ */

static uint64_t taken;
static uint64_t began_ns;

static int storm_limiter(void *arg) {
    (void)arg;
    int rounds = storm_rounds(6000);
    for (int i = 0; i < rounds; i++) {
        uint64_t tokens = draw(8);
        uva_scope_t scope;
        uva_scope_open(&scope, storm_limit(), 0);
        int code = draw(4) == 0 ? uva_rate_limiter_try_acquire(&limiter, tokens)
                                : uva_rate_limiter_acquire(&limiter, tokens);
        (void)uva_scope_close(&scope);
        must(code == 0 || code == UV_ECANCELED || code == UV_EAGAIN);
        taken += code == 0 ? tokens : 0;
        must(taken <= 7 + (now_ns() - began_ns) * 11 / 2000000);
        must(uva__list_is_empty(&limiter.waiters.list) ==
             !uva__deadline_is_armed(&limiter.deadline));
        storm_on();
    }
    return 0;
}

/* At no moment more than the rate allows; and nearly as much, since somebody
 * always wants some: who gives up gives what was gathered to the next. */
START_TEST(rate_limiter_in_a_storm) {
    for (unsigned seed = 0; seed < STORM_SEEDS; seed++) {
        taken = 0;
        began_ns = 0;
        make(11, 2, 7);
        storm(storm_limiter, seed);
        expect_idle();
        uint64_t admitted = 7 + limiter.at_ns * 11 / 2000000;
        ck_assert_uint_gt(taken, 1000);
        ck_assert_uint_le(taken, admitted);
        ck_assert_uint_ge(taken, admitted - admitted / 20);
    }
}
END_TEST

/* ---- bad use, looking --------------------------------------------------- */

static int bad_main(void *arg) {
    (void)arg;
    make(1, 1, 5);
    ck_assert_int_eq(uva_rate_limiter_acquire(&limiter, 6), UV_EINVAL);
    ck_assert_int_eq(uva_rate_limiter_try_acquire(&limiter, 6), UV_EINVAL);
    ck_assert_uint_eq(uva_rate_limiter_available(&limiter), 5);
    const uint64_t bad[][3] = {
        {0, 1, 1},           {1, 0, 1},          {1, 1, 0},
        {1, UVA_FOREVER, 1}, {1, 1, UINT64_MAX}, {1, UINT64_MAX / 1000000, 2}};
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        ck_assert_int_eq(
            uva_rate_limiter_init(&limiter, bad[i][0], bad[i][1], bad[i][2]),
            UV_EINVAL);
        ck_assert_int_eq(uva_rate_limiter_acquire(&limiter, 1), UV_EINVAL);
        ck_assert_int_eq(uva_rate_limiter_try_acquire(&limiter, 1), UV_EINVAL);
        ck_assert_int_eq(uva_rate_limiter_try_acquire(&limiter, 0), UV_EINVAL);
        ck_assert_uint_eq(uva_rate_limiter_available(&limiter), 0);
    }
    /* One that was never made. */
    limiter = (uva_rate_limiter_t){.gain = 0};
    ck_assert_int_eq(uva_rate_limiter_acquire(&limiter, 0), UV_EINVAL);
    ck_assert_int_eq(uva_rate_limiter_try_acquire(&limiter, 0), UV_EINVAL);
    ck_assert_uint_eq(uva_rate_limiter_available(&limiter), 0);
    /* Faster than the clock ticks: three in a nanosecond, of which the bucket
     * keeps one. */
    make(3000000, 1, 1);
    for (int i = 0; i < 2; i++)
        ck_assert_int_eq(uva_rate_limiter_acquire(&limiter, 1), 0);
    ck_assert_uint_eq(uva_rate_limiter_available(&limiter), 1);
    /* The slowest that can be told: its second token is there in 584 years. */
    make(1, UINT64_MAX / 1000000, 1);
    ck_assert_int_eq(uva_rate_limiter_try_acquire(&limiter, 1), 0);
    ck_assert_int_eq(uva_wait_for(taking(&(taker_t){"t", 1}), 1000, NULL),
                     UV_ETIMEDOUT);
    expect_idle();
    return 0;
}

START_TEST(rate_limiter_beyond_its_range) {
    program_expect(bad_main);
    ck_expect_record("t:-125@1000");
}
END_TEST

START_TEST(rate_limiter_without_a_runtime) {
    make(1, 1, 1);
    ck_assert_int_eq(uva_rate_limiter_acquire(&limiter, 1), UV_EPERM);
    ck_assert_int_eq(uva_rate_limiter_try_acquire(&limiter, 1), UV_EPERM);
    ck_assert_uint_eq(uva_rate_limiter_available(&limiter), 1);
}
END_TEST

static int use_up(void *arg) {
    (void)arg;
    ck_assert_int_eq(uva_sleep(1000), 0);
    ck_assert_int_eq(uva_rate_limiter_acquire(&limiter, 2), 0);
    return uva_rate_limiter_acquire(&limiter, 1);
}

/* The second runtime's clock begins anew: what is in the bucket stays. */
START_TEST(rate_limiter_in_one_runtime_after_the_other) {
    make(1, 10, 2);
    program_expect(use_up);
    ck_assert_uint_eq(uva_rate_limiter_available(&limiter), 0);
    program_expect(use_up);
    expect_idle();
}
END_TEST

static void try_take(void *arg) {
    *(int *)arg = uva_rate_limiter_try_acquire(&limiter, 1);
}

static int take_in_thread(void *arg) {
    (void)arg;
    ck_assert_int_eq(uva_rate_limiter_try_acquire(&limiter, 1), UV_EPERM);
    return uva_rate_limiter_acquire(&limiter, 1);
}

static void run_elsewhere(void *arg) {
    uva_options_t options = {.report = support_report};
    *(int *)arg = uva_run_with(&options, take_in_thread, NULL);
}

static int look_main(void *arg) {
    taker_t a = {"a", 1};
    taker_t b = {"b", 1};
    int code = 1;
    (void)arg;
    make(1, 100, 2);
    uva_rate_limiter_set_name(&limiter, "api");
    ck_assert_int_eq(uva_post(uva_runtime_current(), try_take, &code), 0);
    ck_assert_int_eq(uva_sleep(1), 0);
    ck_assert_int_eq(code, 0);
    uva_rate_limiter_statistics_t seen;
    uva_rate_limiter_statistics(&limiter, &seen);
    ck_assert_str_eq(seen.name, "api");
    ck_assert_uint_eq(seen.available, 1);
    ck_assert_uint_eq(seen.burst, 2);
    ck_assert_int_eq(uva_rate_limiter_acquire(&limiter, 1), 0);
    uva_future_t *f[] = {taking(&a), taking(&b)};
    uva_rate_limiter_statistics(&limiter, &seen);
    ck_assert_uint_eq(seen.waiting, 2);
    char *text = program_dump();
    ck_assert_ptr_nonnull(strstr(text, "parked in rate limiter 'api'  ("));
    ck_assert_ptr_nonnull(strstr(text, "limiter 'api' (1 waiter ahead)  ("));
    free(text);
    support_in_thread(run_elsewhere, &code);
    ck_assert_int_eq(code, UV_EPERM);
    return uva_gather(f, 2, NULL);
}

START_TEST(rate_limiter_tells_how_it_stands) {
    ck_assert_int_eq(program_run(look_main, NULL), 0);
    ck_expect_record("a:0@100 b:0@200");
    ck_assert(support_reports_contain("uva_rate_limiter_try_acquire"));
    ck_assert(support_reports_contain("uva_rate_limiter_acquire"));
}
END_TEST

/* By the real clock: never early. */
static int real_main(void *arg) {
    (void)arg;
    make(1000, 1000, 1);
    uint64_t start = uv_hrtime();
    for (int i = 0; i < 21; i++)
        ck_assert_int_eq(uva_rate_limiter_acquire(&limiter, 1), 0);
    ck_assert_uint_ge(uv_hrtime() - start, 20000000);
    return 0;
}

START_TEST(rate_limiter_by_the_real_clock) {
    ck_assert_int_eq(uva_run(real_main, NULL), 0);
}
END_TEST

/* One that was never made at run time does the same. */
static uva_rate_limiter_t fixed = UVA_RATE_LIMITER_INIT(3, 100, 2);
static uva_rate_limiter_t nothing = UVA_RATE_LIMITER_INIT(0, 100, 2);

static int fixed_main(void *arg) {
    (void)arg;
    uint64_t start = now_ns();
    make(3, 100, 2);
    for (int i = 0; i < 20; i++) {
        ck_assert_int_eq(uva_rate_limiter_acquire(&fixed, 1), 0);
        uint64_t at = now_ns();
        ck_assert_int_eq(uva_rate_limiter_acquire(&limiter, 1), 0);
        ck_assert_uint_eq(now_ns(), at);
        uint64_t wait = i < 2 ? 0 : divide_up((uint64_t)(i - 1) * 100000000, 3);
        ck_assert_uint_eq(at - start, wait);
    }
    ck_assert_int_eq(uva_rate_limiter_acquire(&fixed, 3), UV_EINVAL);
    ck_assert_int_eq(uva_rate_limiter_acquire(&nothing, 1), UV_EINVAL);
    ck_assert_int_eq(uva_rate_limiter_try_acquire(&nothing, 0), UV_EINVAL);
    return 0;
}

START_TEST(rate_limiter_that_is_fixed) {
    program_expect(fixed_main);
}
END_TEST

SUITE("rate_limiter", rate_limiter_admits_to_the_nanosecond,
      rate_limiter_gathers_up_to_its_burst, rate_limiter_lets_nobody_barge_in,
      rate_limiter_forgets_who_left, rate_limiter_when_time_and_cancel_meet,
      rate_limiter_when_limit_and_time_meet,
      rate_limiter_makes_up_for_a_late_poll,
      rate_limiter_with_tokens_neither_switches_nor_starves,
      rate_limiter_does_what_the_definition_says, rate_limiter_in_a_storm,
      rate_limiter_beyond_its_range, rate_limiter_without_a_runtime,
      rate_limiter_in_one_runtime_after_the_other,
      rate_limiter_tells_how_it_stands, rate_limiter_by_the_real_clock,
      rate_limiter_that_is_fixed)
