/* Moving the virtual clock by hand, and waiting until everybody is parked. */
#include "support/program.h"

static int yields_ten_times(void *name) {
    for (int i = 0; i < 10; i++)
        ck_assert_int_eq(uva_yield(), 0);
    record("%s", (const char *)name);
    return 0;
}

static int waits_for_quiet(void *name) {
    int code = uva_wait_all_blocked();
    record("%s:%d", (const char *)name, code);
    return code;
}

/* | main                 | a, b         | busy        |
 * | wait_all_blocked     | the same     | ten yields  |
 * |                      |              | ends        |
 * | all three go on together                          |
 */
static int quiet_main(void *arg) {
    (void)arg;
    uva_future_t *futures[] = {uva_spawn(waits_for_quiet, "a"),
                               uva_spawn(yields_ten_times, "busy"),
                               uva_spawn(waits_for_quiet, "b")};
    ck_assert_int_eq(uva_wait_all_blocked(), 0);
    record("main");
    ck_assert_int_eq(uva_gather(futures, 3, NULL), 0);
    ck_assert_uint_eq(uva_now_ms(), 0);
    return 0;
}

START_TEST(quiet_comes_when_all_are_parked) {
    CONFORMS("K-245");
    program_expect(quiet_main);
    ck_expect_record("busy main a:0 b:0");
}
END_TEST

static int cancelled_main(void *arg) {
    (void)arg;
    uva_task_t *task = uva_spawn(waits_for_quiet, "a");
    uva_task_t *busy = uva_spawn(yields_ten_times, "busy");
    ck_assert_int_eq(uva_yield(), 0);
    ck_assert(uva_cancel(task));
    ck_assert_int_eq(uva_await(task, NULL), UV_ECANCELED);
    return uva_await(busy, NULL);
}

START_TEST(quiet_wait_is_cancelled) {
    CONFORMS("K-245");
    program_expect(cancelled_main);
    ck_expect_record("a:-125 busy");
}
END_TEST

/* A sleeper counts as parked, and the clock does not jump before. */
static int sleeper_main(void *arg) {
    (void)arg;
    uva_task_t *task = spawn_worker("sleeper", 1000, 0);
    ck_assert_int_eq(uva_wait_all_blocked(), 0);
    ck_assert_uint_eq(uva_now_ms(), 0);
    record("quiet");
    return uva_await(task, NULL);
}

START_TEST(quiet_comes_before_time_moves) {
    program_expect(sleeper_main);
    ck_expect_record("quiet sleeper");
}
END_TEST

static int jump_main(void *arg) {
    (void)arg;
    uva_future_t *futures[] = {
        spawn_worker("late", 30, 0), spawn_worker("early", 10, 0),
        spawn_worker("middle", 20, 0), spawn_worker("not yet", 50, 0)};
    ck_assert_int_eq(uva_wait_all_blocked(), 0);
    ck_assert_int_eq(uva_clock_advance(40), 0);
    ck_assert_uint_eq(uva_now_ms(), 40);
    ck_assert_int_eq(uva_yield(), 0);
    record("|");
    ck_assert_int_eq(uva_clock_advance(UINT64_MAX - 1), 0);
    return uva_gather(futures, 4, NULL);
}

START_TEST(clock_jumps_by_hand_in_order) {
    CONFORMS("K-244");
    program_expect(jump_main);
    ck_expect_record("early middle late | not yet");
}
END_TEST

static int real_main(void *arg) {
    (void)arg;
    return uva_clock_advance(10);
}

START_TEST(clock_is_moved_only_if_virtual) {
    ck_assert_int_eq(uva_run(real_main, NULL), UV_EPERM);
    ck_assert_int_eq(uva_clock_advance(10), UV_EPERM);
    ck_assert_int_eq(uva_wait_all_blocked(), UV_EPERM);
}
END_TEST

SUITE("quiet", quiet_comes_when_all_are_parked, quiet_wait_is_cancelled,
      quiet_comes_before_time_moves, clock_jumps_by_hand_in_order,
      clock_is_moved_only_if_virtual)
