/* Task groups: children never outlive the block, whatever ends it. */
#include "support/program.h"

#include <uvawait.h>

static int sleeper(void *ms) {
    int code = uva_sleep((uint64_t)(uintptr_t)ms);
    record("%d:%d", (int)(uintptr_t)ms, code);
    return code;
}

/* Sleeps, then fails with -1000 - ms. */
static int failer(void *ms) {
    int code = uva_sleep((uint64_t)(uintptr_t)ms);
    return code < 0 ? code : -1000 - (int)(uintptr_t)ms;
}

/* Cut short, it fails in its cleanup. */
static int bad_cleanup(void *code) {
    return uva_sleep(1000) < 0 ? (int)(intptr_t)code : 0;
}

static void expect_code(uva_fn main, void *arg, int code) {
    ck_assert_int_eq(program_run(main, arg), code);
    ck_assert_str_eq(support_reports(), "");
}

static void *ms(int value) {
    return (void *)(intptr_t)value;
}

static uva_group_t *shared;

static int spawns_another(void *arg) {
    (void)uva_sleep(5);
    return uva_group_spawn(shared, sleeper, arg);
}

/* | body            | a (10)   | b (5)        | c (20) |
 * | open, spawn a b |          |              |        |
 * | close <park>    |          | spawns c     |        |
 * |                 | ends     |              |        |
 * |                 |          |              | ends   |  then close returns
 */
static int waits_main(void *arg) {
    (void)arg;
    uva_group_t group;
    shared = &group;
    uva_group_open(&group);
    ck_assert_int_eq(uva_group_spawn(&group, sleeper, ms(10)), 0);
    ck_assert_int_eq(uva_group_spawn(&group, spawns_another, ms(20)), 0);
    ck_assert_int_eq(uva_group_close(&group), 0);
    ck_assert_uint_eq(uva_now_ms(), 25);
    ck_assert_uint_eq(uva_group_errors(&group, NULL, 0), 0);
    ck_assert_int_eq(uva_group_spawn(&group, sleeper, ms(1)), UV_EPERM);
    return 0;
}

START_TEST(group_waits_for_late_children) {
    CONFORMS("K-084", "K-094");
    program_expect(waits_main);
    ck_expect_record("10:0 20:0");
}
END_TEST

static int one_cancelled_main(void *arg) {
    (void)arg;
    uva_group_t group;
    uva_task_t *one = NULL;
    uva_group_open(&group);
    ck_assert_int_eq(uva_group_spawn_with(&group, NULL, sleeper, ms(50), &one),
                     0);
    ck_assert_int_eq(uva_group_spawn(&group, sleeper, ms(20)), 0);
    ck_assert_int_eq(uva_sleep(10), 0);
    ck_assert(uva_cancel(one));
    ck_assert_int_eq(uva_sleep(1), 0);
    ck_assert_int_eq(uva_group_close(&group), 0);
    ck_assert_int_eq(uva_status(one), UV_ECANCELED);
    uva_unref(one);
    return 0;
}

START_TEST(group_one_cancelled_child_is_no_failure) {
    CONFORMS("K-085");
    program_expect(one_cancelled_main);
    ck_expect_record("50:-125 20:0");
}
END_TEST

/* A failure cancels the siblings and the body, once each. */
static int failure_main(void *arg) {
    (void)arg;
    uva_group_t group;
    uva_group_open(&group);
    (void)uva_group_spawn(&group, sleeper, ms(500));
    (void)uva_group_spawn(&group, failer, ms(10));
    ck_assert_int_eq(uva_sleep(1000), UV_ECANCELED);
    ck_assert_uint_eq(uva_now_ms(), 10);
    ck_assert_int_eq(uva_group_spawn(&group, sleeper, ms(1)), UV_EPERM);
    ck_assert_int_eq(uva_group_close(&group), -1010);
    int codes[4] = {0};
    ck_assert_uint_eq(uva_group_errors(&group, codes, 4), 1);
    ck_assert_int_eq(codes[0], -1010);
    ck_assert_int_eq(uva_cancelling(uva_current()), 0);
    return uva_sleep(1);
}

START_TEST(group_failure_cancels_siblings_and_body) {
    CONFORMS("K-086", "K-090", "K-094");
    program_expect(failure_main);
    ck_expect_record("500:-125");
}
END_TEST

static int body_fails_main(void *arg) {
    (void)arg;
    uva_group_t group;
    uva_group_open(&group);
    (void)uva_group_spawn(&group, sleeper, ms(500));
    (void)uva_group_spawn(&group, bad_cleanup, ms(-77));
    (void)uva_sleep(1);
    ck_assert_int_eq(uva_group_fail(&group, -5), -5);
    ck_assert_int_eq(uva_group_fail(&group, 5), UV_EINVAL);
    ck_assert_int_eq(uva_group_close(&group), -5);
    int codes[2];
    ck_assert_uint_eq(uva_group_errors(&group, codes, 2), 2);
    ck_assert_int_eq(codes[1], -77);
    return uva_sleep(1);
}

START_TEST(group_body_failure) {
    CONFORMS("K-087", "K-092");
    program_expect(body_fails_main);
    ck_expect_record("500:-125");
}
END_TEST

static int owner(void *arg) {
    uva_group_t group;
    uva_group_open(&group);
    (void)uva_group_spawn(&group, sleeper, ms(500));
    if (arg != NULL)
        (void)uva_group_spawn(&group, bad_cleanup, arg);
    if (arg == NULL)
        (void)uva_sleep(300);
    int code = uva_group_close(&group);
    record("closed:%d", code);
    return code;
}

/* | main   | owner         | child               |
 * |        | sleep / close | sleep               |
 * | cancel | cut           | cut in the same pass |
 * |        | close returns after the child        |
 */
static int outer_main(void *arg) {
    uva_task_t *task = uva_spawn(owner, arg);
    (void)uva_sleep(10);
    int code = uva_cancel_and_wait(task);
    ck_assert_uint_eq(uva_now_ms(), 10);
    return code;
}

START_TEST(group_outer_cancel) {
    CONFORMS("K-088");
    expect_code(outer_main, NULL, UV_ECANCELED);
    ck_expect_record("500:-125 closed:-125");
}
END_TEST

START_TEST(group_outer_cancel_and_failing_cleanup) {
    CONFORMS("K-089");
    expect_code(outer_main, ms(-31), -31);
    ck_expect_record("500:-125 closed:-31");
}
END_TEST

static int inner_group(void *arg) {
    (void)arg;
    uva_group_t group;
    uva_group_open(&group);
    (void)uva_group_spawn(&group, failer, ms(10));
    (void)uva_group_spawn(&group, sleeper, ms(400));
    return uva_group_close(&group);
}

static int nested_main(void *arg) {
    (void)arg;
    uva_group_t group;
    uva_group_open(&group);
    (void)uva_group_spawn(&group, sleeper, ms(500));
    (void)uva_group_spawn(&group, inner_group, NULL);
    int code = uva_group_close(&group);
    ck_assert_int_eq(code, -1010);
    ck_assert_uint_eq(uva_group_errors(&group, NULL, 0), 1);
    return 0;
}

START_TEST(group_nested_failure) {
    CONFORMS("K-091");
    program_expect(nested_main);
    ck_expect_record("400:-125 500:-125");
}
END_TEST

/* Grandchildren are reached at once, though every parent still sleeps. */
static int deep(void *level) {
    if (level == NULL)
        return sleeper(ms(900));
    uva_group_t group;
    uva_group_open(&group);
    (void)uva_group_spawn(&group, deep, ms((int)(intptr_t)level - 1));
    int code = uva_sleep(800);
    record("level%d", (int)(intptr_t)level);
    int closed = uva_group_close(&group);
    return closed < 0 ? closed : code;
}

static int deep_main(void *arg) {
    (void)arg;
    uva_scope_t scope;
    uva_scope_open(&scope, 10, 0);
    ck_assert_int_eq(deep(ms(3)), UV_ECANCELED);
    ck_assert_int_eq(uva_scope_close(&scope), UV_ETIMEDOUT);
    ck_assert_uint_eq(uva_now_ms(), 10);
    return 0;
}

START_TEST(group_deadline_reaches_grandchildren_at_once) {
    CONFORMS("K-109");
    program_expect(deep_main);
    ck_expect_record("level2 level1 900:-125 level3");
}
END_TEST

static int quiet(void *arg) {
    (void)arg;
    return 0;
}

/* Records of ended children are given back, so the next ones reuse them. */
static int long_lived_main(void *arg) {
    (void)arg;
    uva_group_t group;
    uva_group_open(&group);
    long before = 0;
    for (int i = 0; i < 10000; i++) {
        (void)uva_group_spawn(&group, quiet, NULL);
        (void)uva_yield();
        if (i == 10)
            before = faults_live_allocations();
    }
    ck_assert_ptr_null(group.members.first);
    ck_assert_int_eq(faults_live_allocations(), before);
    return uva_group_close(&group);
}

START_TEST(group_long_lived_does_not_grow) {
    CONFORMS("K-096");
    program_expect(long_lived_main);
}
END_TEST

static int cancels_group(void *arg) {
    (void)arg;
    (void)uva_sleep(5);
    ck_assert_int_eq(uva_group_cancel(shared), 0);
    return uva_group_cancel(shared);
}

static int early_end_main(void *arg) {
    uva_group_t group;
    shared = &group;
    uva_group_open(&group);
    (void)uva_group_spawn(&group, arg != NULL ? bad_cleanup : sleeper,
                          arg != NULL ? arg : ms(500));
    (void)uva_group_spawn(&group, cancels_group, NULL);
    ck_assert_int_eq(uva_sleep(1000), UV_ECANCELED);
    int code = uva_group_close(&group);
    ck_assert_int_eq(uva_group_cancel(&group), 0);
    ck_assert_int_eq(uva_cancelling(uva_current()), 0);
    ck_assert_int_eq(uva_sleep(1), 0);
    return code;
}

START_TEST(group_cancel_is_no_failure) {
    CONFORMS("K-097");
    program_expect(early_end_main);
    ck_expect_record("500:-125");
}
END_TEST

START_TEST(group_cancel_with_failing_cleanup) {
    CONFORMS("K-099");
    expect_code(early_end_main, ms(-9), -9);
}
END_TEST

/* A shield further in keeps what is behind it, the group's own cancel does
 * not reach past it either. */
static int shielded_main(void *arg) {
    (void)arg;
    uva_group_t group;
    uva_group_open(&group);
    (void)uva_group_spawn(&group, failer, ms(10));
    uva_scope_t shield;
    uva_scope_open(&shield, UVA_FOREVER, UVA_SCOPE_SHIELD);
    ck_assert_int_eq(uva_sleep(20), 0);
    ck_assert_int_eq(uva_scope_close(&shield), 0);
    ck_assert_int_eq(uva_sleep(20), UV_ECANCELED);
    ck_assert_int_eq(uva_group_close(&group), -1010);
    return 0;
}

START_TEST(group_body_behind_a_shield) {
    program_expect(shielded_main);
}
END_TEST

/* Seventeen failures: sixteen are kept, all are counted. */
static int many_errors_main(void *arg) {
    (void)arg;
    uva_group_t group;
    uva_group_open(&group);
    for (int i = 0; i < 17; i++)
        (void)uva_group_spawn(&group, bad_cleanup, ms(-100 - i));
    (void)uva_yield();
    (void)uva_group_fail(&group, -99);
    ck_assert_int_eq(uva_group_close(&group), -99);
    int codes[UVA_GROUP_ERRORS + 4] = {0};
    ck_assert_uint_eq(uva_group_errors(&group, codes, UVA_GROUP_ERRORS + 4),
                      18);
    ck_assert_int_eq(codes[15], -114);
    ck_assert_int_eq(codes[16], 0);
    return 0;
}

START_TEST(group_keeps_the_first_errors) {
    program_expect(many_errors_main);
}
END_TEST

static int eager_main(void *arg) {
    (void)arg;
    uva_group_t group;
    uva_task_t *task = NULL;
    uva_group_open(&group);
    const uva_task_options_t eager = {.eager = true, .name = "eager"};
    ck_assert_int_eq(uva_group_spawn_with(&group, &eager, quiet, NULL, &task),
                     0);
    ck_assert(uva_is_done(task));
    uva_unref(task);
    ck_assert_int_eq(uva_group_spawn_with(&group, &eager, sleeper, ms(3), NULL),
                     0);
    ck_assert_int_eq(uva_group_close(&group), 0);
    return 0;
}

START_TEST(group_eager_children) {
    program_expect(eager_main);
    ck_expect_record("3:0");
}
END_TEST

/* Only children wait when the deadline comes; the scope knows all the same. */
static int scope_around_main(void *code) {
    uva_scope_t scope;
    uva_group_t group;
    uva_scope_open(&scope, 10, 0);
    uva_group_open(&group);
    (void)uva_group_spawn(&group, code != NULL ? bad_cleanup : sleeper,
                          code != NULL ? code : ms(500));
    int closed = uva_group_close(&group);
    ck_assert_uint_eq(uva_now_ms(), 10);
    ck_assert_int_eq(uva_scope_close(&scope), UV_ETIMEDOUT);
    return closed;
}

START_TEST(group_in_a_scope_that_times_out) {
    expect_code(scope_around_main, NULL, UV_ECANCELED);
    ck_expect_record("500:-125");
}
END_TEST

static int limited_main(void *code) {
    int outcome = uva_wait_for(uva_spawn(owner, code), 10, NULL);
    ck_assert_uint_eq(uva_now_ms(), 10);
    return outcome;
}

/* The failure comes out, not the limit. */
START_TEST(group_failing_cleanup_beats_the_limit) {
    CONFORMS("K-083");
    expect_code(scope_around_main, ms(-31), -31);
    expect_code(limited_main, ms(-32), -32);
    ck_expect_record("500:-125 closed:-32");
}
END_TEST

/* Cancelled before anything runs in it. */
static int cancelled_first_main(void *arg) {
    (void)arg;
    uva_group_t group;
    uva_group_open(&group);
    ck_assert_int_eq(uva_group_cancel(&group), 0);
    ck_assert_int_eq(uva_group_spawn(&group, sleeper, ms(1)), UV_EPERM);
    ck_assert_int_eq(uva_sleep(1), UV_ECANCELED);
    ck_assert_int_eq(uva_yield(), UV_ECANCELED);
    ck_assert_int_eq(uva_group_close(&group), 0);
    return uva_sleep(1);
}

START_TEST(group_cancelled_before_its_first_child) {
    CONFORMS("K-098");
    program_expect(cancelled_first_main);
    ck_expect_record("");
}
END_TEST

static int cleans_up(void *arg) {
    (void)arg;
    (void)uva_sleep(500);
    uva_scope_t scope;
    uva_scope_open(&scope, UVA_FOREVER, UVA_SCOPE_SHIELD);
    ck_assert_int_eq(uva_sleep(30), 0);
    ck_assert_int_eq(uva_scope_close(&scope), 0);
    record("clean");
    return UV_ECANCELED;
}

static int cleanup_main(void *arg) {
    (void)arg;
    uva_group_t group;
    uva_group_open(&group);
    (void)uva_group_spawn(&group, cleans_up, NULL);
    (void)uva_sleep(10);
    (void)uva_group_cancel(&group);
    ck_assert_int_eq(uva_group_close(&group), 0);
    record("closed");
    ck_assert_uint_eq(uva_now_ms(), 40);
    return 0;
}

START_TEST(group_left_after_every_cleanup) {
    CONFORMS("K-111");
    program_expect(cleanup_main);
    ck_expect_record("clean closed");
}
END_TEST

START_TEST(group_outside_a_task) {
    CONFORMS("K-095");
    uva_group_t group;
    uva_group_open(&group);
    ck_assert_int_eq(uva_group_spawn(&group, quiet, NULL), UV_EPERM);
    ck_assert_int_eq(uva_group_cancel(&group), 0);
    ck_assert_int_eq(uva_group_close(&group), UV_EPERM);
    ck_assert_int_eq(uva_group_spawn(NULL, quiet, NULL), UV_EINVAL);
}
END_TEST

/* Every allocation of a spawn fails in turn; the group stays usable. */
static int faults_main(void *arg) {
    (void)arg;
    for (unsigned nth = 1; nth < 8; nth++) {
        uva_group_t group;
        uva_group_open(&group);
        faults_fail(FAULT_MALLOC, nth);
        int code = 0;
        for (int i = 0; i < 200 && code == 0; i++)
            code = uva_group_spawn(&group, quiet, NULL);
        (void)faults_clear();
        ck_assert(code == 0 || code == UV_ENOMEM);
        ck_assert_int_eq(uva_group_close(&group), 0);
    }
    return 0;
}

START_TEST(group_without_memory) {
    program_expect(faults_main);
}
END_TEST

/* ---- a child between the wake and the close ----------------------------- */

static int spawn_late(void *group) {
    int code = uva_sleep(5);
    /* The last child has ended in this tick, and the body is on its way. */
    if (code == 0)
        code = uva_yield();
    return code < 0 ? code
                    : uva_group_spawn((uva_group_t *)group, sleeper, ms(10));
}

static int late_main(void *arg) {
    uva_group_t group;
    (void)arg;
    uva_task_t *outsider = uva_spawn(spawn_late, &group);
    uva_group_open(&group);
    ck_assert_int_eq(uva_group_spawn(&group, sleeper, ms(5)), 0);
    ck_assert_int_eq(uva_group_close(&group), 0);
    record("closed");
    return uva_await(outsider, NULL);
}

START_TEST(group_child_between_wake_and_close) {
    CONFORMS("K-084");
    program_expect(late_main);
    ck_expect_record("5:0 10:0 closed");
}
END_TEST

SUITE("group", group_waits_for_late_children,
      group_one_cancelled_child_is_no_failure,
      group_failure_cancels_siblings_and_body, group_body_failure,
      group_outer_cancel, group_outer_cancel_and_failing_cleanup,
      group_nested_failure, group_deadline_reaches_grandchildren_at_once,
      group_long_lived_does_not_grow, group_cancel_is_no_failure,
      group_cancel_with_failing_cleanup, group_body_behind_a_shield,
      group_keeps_the_first_errors, group_eager_children,
      group_in_a_scope_that_times_out, group_failing_cleanup_beats_the_limit,
      group_cancelled_before_its_first_child, group_left_after_every_cleanup,
      group_outside_a_task, group_without_memory,
      group_child_between_wake_and_close)
