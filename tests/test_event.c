/* labels: valgrind; timeout: 60 */
/* Events: who passes, when, and that nobody is forgotten. */
#include "sync_fixture.h"

static uva_event_t event;

static int pass(void *arg) {
    int code = uva_event_wait(&event);
    record("%s:%d", (const char *)arg, code);
    return code;
}

static size_t waiting(void) {
    uva_event_statistics_t seen;
    uva_event_statistics(&event, &seen);
    ck_assert(uva__list_is_empty(&event.waiters.list) == (seen.waiting == 0));
    return seen.waiting;
}

/* ---- order -------------------------------------------------------------- */

/* | 1    | 2    | main | 3                      |
 * | wait | wait |      |                        |
 * |      |      | set  |                        |
 * |      |      |      | wait: passes           |
 * | goes | goes |      |                        |
 */
static int order_main(void *arg) {
    (void)arg;
    uva_event_init(&event);
    uva_future_t *f[3] = {uva_spawn(pass, "1"), uva_spawn(pass, "2")};
    ck_assert_int_eq(uva_yield(), 0);
    f[2] = uva_spawn(pass, "3");
    ck_assert_uint_eq(waiting(), 2);
    uva_event_set(&event);
    ck_assert_uint_eq(waiting(), 0);
    return uva_gather(f, 3, NULL);
}

START_TEST(event_passes_who_comes_and_wakes_who_waits) {
    CONFORMS("K-119");
    program_expect(order_main);
    ck_expect_record("3:0 1:0 2:0");
}
END_TEST

static int wait_when_cancelled(void *arg) {
    (void)arg;
    ck_assert(uva_cancel(uva_current()));
    record("%d", uva_event_wait(&event));
    uva_event_clear(&event);
    record("%d", uva_event_wait(&event));
    return 0;
}

static int set_main(void *arg) {
    (void)arg;
    event = (uva_event_t)UVA_EVENT_INIT;
    ck_assert(!uva_event_is_set(&event));
    uva_event_set(&event);
    uva_event_set(&event);
    ck_assert(uva_event_is_set(&event));
    uva_task_t *other = uva_spawn(pass, "other");
    for (int i = 0; i < 50; i++)
        ck_assert_int_eq(uva_event_wait(&event), 0);
    record("main");
    ck_assert_int_eq(uva_await(other, NULL), 0);
    /* Set, it needs no park, so the request is not looked at. */
    ck_assert_int_eq(uva_await(uva_spawn(wait_when_cancelled, NULL), NULL), 0);
    ck_assert(!uva_event_is_set(&event));
    uva_event_clear(&event);
    ck_assert_int_eq(uva_wait_for(uva_spawn(pass, "late"), 10, NULL),
                     UV_ETIMEDOUT);
    ck_assert_uint_eq(waiting(), 0);
    return 0;
}

START_TEST(event_that_is_set_does_not_switch) {
    CONFORMS("K-120");
    program_expect(set_main);
    ck_expect_record("main other:0 0 -125 late:-125");
}
END_TEST

static int busy(void *arg) {
    (void)arg;
    for (int i = 0; i < 1000; i++)
        ck_assert_int_eq(uva_event_wait(&event), 0);
    record("busy");
    return 0;
}

/* Clears it while the other's budget makes it yield. */
static int clear_once(void *arg) {
    (void)arg;
    uva_event_clear(&event);
    record("clear");
    ck_assert_int_eq(uva_yield(), 0);
    ck_assert_uint_eq(waiting(), 1);
    uva_event_set(&event);
    return 0;
}

static int budget_main(void *arg) {
    (void)arg;
    uva_event_init(&event);
    uva_event_set(&event);
    uva_future_t *f[] = {uva_spawn(busy, NULL), uva_spawn(clear_once, NULL)};
    return uva_gather(f, 2, NULL);
}

START_TEST(event_that_is_set_starves_nobody) {
    program_expect(budget_main);
    ck_expect_record("clear busy");
}
END_TEST

/* A refused yield of the budget is a refused wait. */
static int refused_main(void *arg) {
    (void)arg;
    uva_event_init(&event);
    uva_event_set(&event);
    uva_scope_t scope;
    uva_scope_open(&scope, 0, 0);
    int passed = 0;
    while (uva_event_wait(&event) == 0)
        passed++;
    ck_assert_int_eq(uva_event_wait(&event), UV_ECANCELED);
    ck_assert_int_eq(uva_scope_close(&scope), UV_ETIMEDOUT);
    ck_assert_int_lt(passed, 1000);
    return uva_event_wait(&event);
}

START_TEST(event_refuses_when_cancelled_at_the_end_of_the_budget) {
    program_expect(refused_main);
}
END_TEST

/* ---- windows ------------------------------------------------------------ */

static int cancelled_main(void *arg) {
    (void)arg;
    uva_event_init(&event);
    uva_future_t *f[] = {uva_spawn(pass, "a"), uva_spawn(pass, "b"),
                         uva_spawn(pass, "c")};
    ck_assert_int_eq(uva_yield(), 0);
    ck_assert_uint_eq(waiting(), 3);
    ck_assert_int_eq(uva_cancel_and_wait(uva_ref(f[1])), UV_ECANCELED);
    ck_assert_uint_eq(waiting(), 2);
    uva_event_set(&event);
    int codes[3];
    ck_assert_int_eq(uva_gather_settled(f, 3, NULL, codes), 0);
    ck_assert_int_eq(codes[0], 0);
    ck_assert_int_eq(codes[1], UV_ECANCELED);
    return codes[2];
}

START_TEST(event_forgets_a_cancelled_waiter) {
    CONFORMS("K-121");
    program_expect(cancelled_main);
    ck_expect_record("b:-125 a:0 c:0");
}
END_TEST

static int pass_then_sleep(void *arg) {
    (void)pass(arg);
    record("sleep:%d", uva_sleep(1));
    return 0;
}

/* | in one tick | wait         | then sleep   |
 * | set, cancel | 0            | UV_ECANCELED |
 * | cancel, set | UV_ECANCELED | UV_ECANCELED |
 */
static int window_main(void *arg) {
    (void)arg;
    for (int cancel_first = 0; cancel_first < 2; cancel_first++) {
        uva_event_init(&event);
        uva_task_t *task = uva_spawn(pass_then_sleep, "w");
        ck_assert_int_eq(uva_yield(), 0);
        if (cancel_first == 1)
            ck_assert(uva_cancel(task));
        uva_event_set(&event);
        if (cancel_first == 0)
            ck_assert(uva_cancel(task));
        ck_assert_int_eq(uva_await(task, NULL), 0);
    }
    return 0;
}

START_TEST(event_when_set_and_cancel_meet) {
    program_expect(window_main);
    ck_expect_record("w:0 sleep:-125 w:-125 sleep:-125");
}
END_TEST

/* | a    | main       | b                      |
 * | wait |            |                        |
 * |      | set, clear |                        |
 * |      |            | wait: blocks           |
 * | goes |            |                        |
 * |      | set, clear |                        |
 * |      |            | goes                   |
 */
static int pulse_main(void *arg) {
    (void)arg;
    uva_event_init(&event);
    uva_task_t *a = uva_spawn(pass, "a");
    ck_assert_int_eq(uva_yield(), 0);
    uva_event_set(&event);
    uva_event_clear(&event);
    uva_task_t *b =
        uva_spawn_with(&(uva_task_options_t){.eager = true}, pass, "b");
    ck_assert_int_eq(uva_await(a, NULL), 0);
    ck_assert_int_eq(uva_sleep(10), 0);
    ck_assert(!uva_is_done(b));
    uva_event_set(&event);
    uva_event_clear(&event);
    return uva_await(b, NULL);
}

START_TEST(event_set_and_cleared_at_a_stroke) {
    program_expect(pulse_main);
    ck_expect_record("a:0 b:0");
}
END_TEST

static int pass_in_scope(void *arg) {
    uva_scope_t scope;
    uva_scope_open(&scope, 10, 0);
    int code = uva_event_wait(&event);
    record("%s:%d:%d", (const char *)arg, code, uva_scope_close(&scope));
    return 0;
}

static int set_at_10(void *arg) {
    (void)arg;
    ck_assert_int_eq(uva_sleep(10), 0);
    uva_event_set(&event);
    return 0;
}

/* The limit and the setting at the same moment. Deadlines of one moment expire
 * before any task runs, so the limit comes first whoever was armed first. */
static int limit_main(void *arg) {
    (void)arg;
    for (int i = 0; i < 2; i++) {
        uva_event_init(&event);
        uva_future_t *f[2];
        f[i] = uva_spawn(pass_in_scope, "limit");
        f[1 - i] = uva_spawn(set_at_10, NULL);
        ck_assert_int_eq(uva_gather(f, 2, NULL), 0);
    }
    return pass_in_scope("set");
}

START_TEST(event_when_set_and_limit_meet) {
    program_expect(limit_main);
    ck_expect_record("limit:-125:-110 limit:-125:-110 set:0:0");
}
END_TEST

/* ---- accounting --------------------------------------------------------- */

static int timeouts_main(void *arg) {
    (void)arg;
    uva_event_init(&event);
    for (int i = 0; i < 10000; i++) {
        uva_scope_t scope;
        uva_scope_open(&scope, 1, 0);
        must(uva_event_wait(&event) == UV_ECANCELED);
        must(uva_scope_close(&scope) == UV_ETIMEDOUT);
    }
    ck_assert_uint_eq(waiting(), 0);
    return 0;
}

START_TEST(event_nobody_sets_keeps_no_waiters) {
    CONFORMS("K-122");
    program_expect(timeouts_main);
}
END_TEST

static uint64_t sets; /* how often it was set */

/* A success means that it is set, or was since the wait began. */
static int storm_body(void *arg) {
    (void)arg;
    for (int i = storm_rounds(6000); i > 0; i--) {
        uva_scope_t scope;
        uva_scope_open(&scope, draw(6), 0);
        uint64_t before = sets;
        bool was_set = uva_event_is_set(&event);
        int code = uva_event_wait(&event);
        must(code == 0 || code == UV_ECANCELED);
        must(code != 0 || was_set || sets > before);
        must(code == 0 || !was_set || uva_cancelling(uva_current()) > 0 ||
             uva_scope_is_cancelled(&scope));
        (void)uva_scope_close(&scope);
        unsigned what = draw(6);
        if (what <= 1) {
            sets++;
            uva_event_set(&event);
        }
        if (what >= 1 && what <= 3)
            uva_event_clear(&event);
        storm_on();
    }
    return 0;
}

START_TEST(event_forgets_nobody_in_a_storm) {
    for (unsigned seed = 0; seed < STORM_SEEDS; seed++) {
        uva_event_init(&event);
        storm(storm_body, seed);
        ck_assert_uint_eq(waiting(), 0);
    }
}
END_TEST

/* ---- use and misuse ----------------------------------------------------- */

static void set_from_the_loop(void *arg) {
    (void)arg;
    ck_assert_ptr_null(uva_current());
    uva_event_set(&event);
    uva_event_clear(&event);
}

static int callback_main(void *arg) {
    (void)arg;
    uva_event_init(&event);
    ck_assert_int_eq(uva_post(uva_runtime_current(), set_from_the_loop, NULL),
                     0);
    return uva_event_wait(&event);
}

START_TEST(event_set_by_a_callback_of_the_loop) {
    program_expect(callback_main);
}
END_TEST

START_TEST(event_outside_a_task) {
    uva_event_init(&event);
    uva_event_set(&event);
    ck_assert_int_eq(uva_event_wait(&event), UV_EPERM);
}
END_TEST

static void set_in_thread(void *arg) {
    (void)arg;
    uva_event_set(&event);
}

static int thread_main(void *arg) {
    (void)arg;
    uva_event_init(&event);
    uva_task_t *task = uva_spawn(pass, "a");
    ck_assert_int_eq(uva_yield(), 0);
    support_in_thread(set_in_thread, NULL);
    ck_assert(!uva_event_is_set(&event));
    ck_assert_uint_eq(waiting(), 1);
    uva_event_set(&event);
    return uva_await(task, NULL);
}

/* The report goes to standard error: that thread has no runtime. */
START_TEST(event_set_by_another_thread) {
    program_expect(thread_main);
    ck_expect_record("a:0");
}
END_TEST

static int look_main(void *arg) {
    (void)arg;
    uva_event_init(&event);
    uva_event_set_name(&event, "ready");
    uva_future_t *f[] = {uva_spawn(pass, "a"), uva_spawn(pass, "b"),
                         uva_spawn(pass, "c")};
    ck_assert_int_eq(uva_yield(), 0);
    uva_event_statistics_t seen;
    uva_event_statistics(&event, &seen);
    ck_assert_str_eq(seen.name, "ready");
    ck_assert(!seen.is_set);
    ck_assert_uint_eq(seen.waiting, 3);
    char *text = program_dump();
    ck_assert_ptr_nonnull(strstr(text, "parked in event 'ready'  ("));
    ck_assert_ptr_nonnull(strstr(text, "event 'ready' (1 waiter ahead)  ("));
    ck_assert_ptr_nonnull(strstr(text, "event 'ready' (2 waiters ahead)  ("));
    free(text);
    uva_event_set(&event);
    uva_event_statistics(&event, &seen);
    ck_assert(seen.is_set);
    ck_assert_uint_eq(seen.waiting, 0);
    return uva_gather(f, 3, NULL);
}

START_TEST(event_tells_how_it_stands) {
    program_expect(look_main);
    ck_expect_record("a:0 b:0 c:0");
}
END_TEST

SUITE("event", event_passes_who_comes_and_wakes_who_waits,
      event_that_is_set_does_not_switch, event_that_is_set_starves_nobody,
      event_refuses_when_cancelled_at_the_end_of_the_budget,
      event_forgets_a_cancelled_waiter, event_when_set_and_cancel_meet,
      event_set_and_cleared_at_a_stroke, event_when_set_and_limit_meet,
      event_nobody_sets_keeps_no_waiters, event_forgets_nobody_in_a_storm,
      event_set_by_a_callback_of_the_loop, event_outside_a_task,
      event_set_by_another_thread, event_tells_how_it_stands)
