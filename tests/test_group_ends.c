/* Task groups: what ends them, who may, and what the children learn of it. */
#include "support/program.h"

#include <signal.h>
#include <string.h>

static uva_group_t *shared;

static int sleeps(void *arg) {
    int code = uva_sleep(100);
    record("%s:%d", (const char *)arg, code);
    return code;
}

/* ---- the body's own code ------------------------------------------------ */

static int answers(void *code) {
    uva_group_t group;
    uva_group_open(&group);
    (void)uva_group_spawn(&group, sleeps, "child");
    ck_assert_int_eq(uva_sleep(1000), UV_ECANCELED);
    (void)uva_group_fail(&group, *(int *)code);
    int closed = uva_group_close(&group);
    int first = 0;
    record("errors:%d", (int)uva_group_errors(&group, &first, 1));
    ck_assert_int_eq(first, *(int *)code == UV_ECANCELED ? 0 : closed);
    return closed;
}

static int answer_main(void *code) {
    uva_task_t *task = uva_spawn(answers, code);
    ck_assert_int_eq(uva_sleep(10), 0);
    ck_assert(uva_cancel(task));
    return uva_await(task, NULL);
}

START_TEST(group_body_answers_a_cancel) {
    CONFORMS("K-093");
    int codes[] = {-9, UV_ECANCELED};
    ck_assert_int_eq(program_run(answer_main, &codes[0]), -9);
    ck_expect_record("child:-125 errors:1");
    /* Handed in as it is, the request is no failure. */
    ck_assert_int_eq(program_run(answer_main, &codes[1]), UV_ECANCELED);
    ck_expect_record("child:-125 errors:0");
    ck_assert_str_eq(support_reports(), "");
}
END_TEST

static int fails(void *arg) {
    (void)arg;
    return uva_sleep(5) < 0 ? UV_ECANCELED : -8;
}

/* | body              | a     | b          |
 * | sleep             | sleep | fails at 5 |
 * | cut; hands in     | cut   |            |
 * | what it was told  |       |            |
 */
static int handed_in_main(void *arg) {
    (void)arg;
    uva_group_t group;
    uva_group_open(&group);
    (void)uva_group_spawn(&group, sleeps, "a");
    (void)uva_group_spawn(&group, fails, NULL);
    int code = uva_sleep(50);
    ck_assert_int_eq(uva_group_fail(&group, code), UV_ECANCELED);
    ck_assert_int_eq(uva_group_close(&group), -8);
    ck_assert_uint_eq(uva_group_errors(&group, NULL, 0), 1);
    /* With nothing else wrong it ends the group early. */
    uva_group_open(&group);
    (void)uva_group_spawn(&group, sleeps, "b");
    ck_assert_int_eq(uva_yield(), 0);
    ck_assert_int_eq(uva_group_fail(&group, UV_ECANCELED), UV_ECANCELED);
    ck_assert_int_eq(uva_group_spawn(&group, sleeps, "c"), UV_EPERM);
    ck_assert_int_eq(uva_group_close(&group), 0);
    ck_assert_uint_eq(uva_group_errors(&group, NULL, 0), 0);
    ck_assert_int_eq(uva_group_fail(&group, -3), -3);
    ck_assert_uint_eq(uva_group_errors(&group, NULL, 0), 0);
    return uva_sleep(1);
}

START_TEST(group_body_hands_in_a_cancellation) {
    program_expect(handed_in_main);
    ck_expect_record("a:-125 b:-125");
}
END_TEST

/* | body             | a          |
 * | sleep            | fails at 5 |
 * | cut; its cleanup |            |
 * | fails, too       |            |
 */
static int both_fail_main(void *arg) {
    (void)arg;
    int codes[3] = {0};
    uva_group_t group;
    uva_group_open(&group);
    (void)uva_group_spawn(&group, fails, NULL);
    ck_assert_int_eq(uva_sleep(50), UV_ECANCELED);
    ck_assert_int_eq(uva_group_fail(&group, -6), -6);
    ck_assert_int_eq(uva_group_close(&group), -8);
    ck_assert_uint_eq(uva_group_errors(&group, codes, 3), 2);
    ck_assert_int_eq(codes[0], -8);
    ck_assert_int_eq(codes[1], -6);
    ck_assert_int_eq(uva_cancelling(uva_current()), 0);
    return uva_sleep(1);
}

START_TEST(group_body_fails_after_a_child) {
    CONFORMS("K-092");
    program_expect(both_fail_main);
}
END_TEST

static void fail_from_thread(void *group) {
    ck_assert_int_eq(uva_group_fail(group, -4), -4);
    ck_assert_int_eq(uva_group_cancel(group), UV_EPERM);
    ck_assert_int_eq(uva_group_spawn(group, sleeps, "x"), UV_EPERM);
}

static void run_thread(void *group) {
    /* A runtime of its own, so that reports have somewhere to go. */
    uv_loop_t loop;
    uva_runtime_t *rt = NULL;
    uva_options_t options = {.report = support_report};
    ck_assert_int_eq(uv_loop_init(&loop), 0);
    ck_assert_int_eq(uva_runtime_attach(&loop, &options, &rt), 0);
    fail_from_thread(group);
    ck_assert_int_eq(uva_runtime_detach(rt, NULL, NULL), 0);
    ck_assert_int_eq(uv_run(&loop, UV_RUN_DEFAULT), 0);
    ck_assert_int_eq(uv_loop_close(&loop), 0);
}

static int thread_main(void *arg) {
    (void)arg;
    uva_group_t group;
    uva_group_open(&group);
    support_in_thread(run_thread, &group);
    ck_assert_int_eq(uva_sleep(1), 0);
    return uva_group_close(&group);
}

START_TEST(group_left_alone_by_other_threads) {
    ck_assert_int_eq(program_run(thread_main, NULL), 0);
    ck_assert_uint_eq(support_report_count(), 3);
    ck_assert(support_reports_contain("uva_group_fail: "));
    ck_expect_record("");
}
END_TEST

/* ---- from callbacks ----------------------------------------------------- */

static void spawn_in_callback(void *arg) {
    uva_task_t *task = NULL;
    ck_assert_ptr_null(uva_current());
    ck_assert_int_eq(uva_group_spawn(shared, sleeps, arg), 0);
    const uva_task_options_t eager = {.eager = true, .name = "posted"};
    ck_assert_int_eq(uva_group_spawn_with(shared, &eager, sleeps, arg, &task),
                     0);
    ck_assert_str_eq(uva_name(task), "posted");
    ck_assert(!uva_is_done(task));
    uva_unref(task);
}

static void end_in_callback(void *arg) {
    if (arg != NULL)
        ck_assert_int_eq(uva_group_fail(shared, *(int *)arg), *(int *)arg);
    else
        ck_assert_int_eq(uva_group_cancel(shared), 0);
    ck_assert_int_eq(uva_group_spawn(shared, sleeps, "never"), UV_EPERM);
}

static int callback_main(void *code) {
    uva_runtime_t *own = uva_runtime_current();
    uva_group_t group;
    shared = &group;
    uva_group_open(&group);
    ck_assert_int_eq(uva_post(own, spawn_in_callback, "child"), 0);
    ck_assert_int_eq(uva_sleep(10), 0);
    ck_assert_int_eq(uva_post(own, end_in_callback, code), 0);
    ck_assert_int_eq(uva_sleep(1000), UV_ECANCELED);
    ck_assert_uint_eq(uva_now_ms(), 10);
    return uva_group_close(&group);
}

START_TEST(group_spawned_into_and_ended_from_callbacks) {
    CONFORMS("K-094", "K-097");
    ck_assert_int_eq(program_run(callback_main, NULL), 0);
    ck_expect_record("child:-125 child:-125");
    ck_assert_int_eq(program_run(callback_main, &(int){-7}), -7);
    ck_expect_record("child:-125 child:-125");
    ck_assert_str_eq(support_reports(), "");
}
END_TEST

/* Body, child and grandchild spawn into one group; each is waited for. */
static int spawns_more(void *depth) {
    int i = (int)(intptr_t)depth;
    (void)uva_sleep(1);
    if (i > 0)
        (void)uva_group_spawn(shared, spawns_more, (void *)(intptr_t)(i - 1));
    record("%d", i);
    return 0;
}

static int everywhere_main(void *arg) {
    (void)arg;
    uva_group_t group;
    shared = &group;
    uva_group_open(&group);
    ck_assert_int_eq(uva_group_spawn(&group, spawns_more, (void *)2), 0);
    ck_assert_int_eq(uva_group_close(&group), 0);
    ck_assert_uint_eq(uva_now_ms(), 3);
    return 0;
}

START_TEST(group_grows_from_its_children) {
    CONFORMS("K-084");
    program_expect(everywhere_main);
    ck_expect_record("2 1 0");
}
END_TEST

/* Ends the group in its first step, before it is in it. */
static int cancels_at_once(void *arg) {
    (void)arg;
    (void)uva_group_cancel(shared);
    record("sleep:%d", uva_sleep(10));
    return 0;
}

static int eager_main(void *arg) {
    (void)arg;
    uva_group_t group;
    shared = &group;
    const uva_task_options_t eager = {.eager = true};
    uva_group_open(&group);
    ck_assert_int_eq(
        uva_group_spawn_with(&group, &eager, cancels_at_once, NULL, NULL), 0);
    ck_assert_int_eq(uva_group_close(&group), 0);
    ck_assert_uint_eq(uva_now_ms(), 0);
    return 0;
}

START_TEST(group_cancelled_by_an_eager_child) {
    program_expect(eager_main);
    ck_expect_record("sleep:-125");
}
END_TEST

/* ---- reasons ------------------------------------------------------------ */

static int reads_reason(void *arg) {
    (void)arg;
    (void)uva_sleep(1000);
    const char *reason = uva_cancel_reason();
    record("%s", reason != NULL ? reason : "none");
    return UV_ECANCELED;
}

/* The second child comes when the block is cut short already. */
static int tells_children(void *arg) {
    (void)arg;
    uva_group_t group;
    uva_group_open(&group);
    (void)uva_group_spawn(&group, reads_reason, NULL);
    (void)uva_sleep(1000);
    uva_task_options_t eager = {.eager = true};
    (void)uva_group_spawn_with(&group, &eager, reads_reason, NULL, NULL);
    return uva_group_close(&group);
}

static int reason_main(void *arg) {
    (void)arg;
    uva_task_t *task = uva_spawn(tells_children, NULL);
    ck_assert_int_eq(uva_sleep(10), 0);
    ck_assert(uva_cancel_with(task, "shutdown"));
    ck_assert_int_eq(uva_await(task, NULL), UV_ECANCELED);
    return 0;
}

START_TEST(group_children_read_the_reason) {
    program_expect(reason_main);
    ck_expect_record("shutdown shutdown");
}
END_TEST

/* ---- misuse ------------------------------------------------------------- */

static int close_twice_main(void *arg) {
    (void)arg;
    uva_group_t group;
    uva_group_open(&group);
    ck_assert_int_eq(uva_group_fail(&group, -3), -3);
    ck_assert_int_eq(uva_group_close(&group), -3);
    ck_assert_int_eq(uva_group_close(&group), UV_EPERM);
    ck_assert_uint_eq(uva_group_errors(&group, NULL, 0), 1);
    ck_assert_int_eq(uva_sleep(1), 0);
    uva_group_open(&group); /* it may be used again */
    return uva_group_close(&group);
}

START_TEST(group_closed_twice) {
    ck_assert_int_eq(program_run(close_twice_main, NULL), 0);
    ck_assert_uint_eq(support_report_count(), 1);
    ck_assert(support_reports_contain("close each group once"));
}
END_TEST

static int never(void *arg) {
    ck_abort_msg("must not run: %p", arg);
    return 0;
}

/* All zero: not opened yet. */
static int unopened_main(void *arg) {
    (void)arg;
    static uva_group_t group;
    static uva_scope_t scope;
    uva_task_t *task = NULL;
    ck_assert_int_eq(uva_group_spawn(&group, never, NULL), UV_EPERM);
    ck_assert_int_eq(uva_group_spawn_with(&group, NULL, never, NULL, &task),
                     UV_EPERM);
    ck_assert_ptr_null(task);
    ck_assert_int_eq(uva_group_start(&group, never, NULL, NULL), UV_EPERM);
    ck_assert_int_eq(uva_group_cancel(&group), 0);
    ck_assert_int_eq(uva_group_fail(&group, -1), -1);
    ck_assert_int_eq(uva_group_close(&group), UV_EPERM);
    ck_assert_int_eq(uva_scope_reschedule(&scope, 1), UV_EPERM);
    ck_assert_int_eq(uva_scope_shield(&scope, true), UV_EPERM);
    uva_scope_cancel(&scope);
    ck_assert_int_eq(uva_scope_close(&scope), UV_EPERM);
    return uva_sleep(1);
}

START_TEST(group_not_opened_yet) {
    CONFORMS("K-082", "K-094");
    program_expect(unopened_main);
}
END_TEST

static int opens_twice(void *arg) {
    (void)arg;
    uva_group_t group;
    uva_group_open(&group);
    uva_group_open(&group);
    return 0;
}

static int closes_over_a_scope(void *arg) {
    (void)arg;
    uva_group_t group;
    uva_scope_t scope;
    uva_group_open(&group);
    uva_scope_open(&scope, UVA_FOREVER, 0);
    (void)uva_group_spawn(&group, sleeps, "child");
    return uva_group_close(&group);
}

static int closes_shared(void *arg) {
    (void)arg;
    return uva_group_close(shared);
}

static int closes_elsewhere(void *arg) {
    (void)arg;
    uva_group_t group;
    shared = &group;
    uva_group_open(&group);
    (void)uva_group_spawn(&group, sleeps, "child");
    return uva_await(uva_spawn(closes_shared, NULL), NULL);
}

static int returns_inside(void *arg) {
    (void)arg;
    static uva_group_t group;
    uva_group_open(&group);
    return 0;
}

typedef struct misuse {
    uva_fn main;
    const char *advice;
} misuse_t;

static void misuse(void *arg) {
    (void)uva_run(((misuse_t *)arg)->main, NULL);
}

/* At once, and not when the children have ended. */
START_TEST(group_misnested_aborts) {
    CONFORMS("K-095");
    misuse_t misuses[] = {{opens_twice, "open already"},
                          {closes_over_a_scope, "reverse order"},
                          {closes_elsewhere, "in the task that opened"},
                          {returns_inside, "inside an open scope"}};
    for (size_t i = 0; i < sizeof misuses / sizeof misuses[0]; i++)
        ck_assert(
            support_dies(misuse, &misuses[i], SIGABRT, misuses[i].advice));
    ck_expect_record("");
}
END_TEST

/* ---- the message -------------------------------------------------------- */

static int fail_saying(void *arg) {
    const char *what = arg;
    int code = uva_sleep(what[0] == 'f' ? 1 : 1000);
    (void)code;
    return uva_fail(what[0] == 'f' ? UV_EPROTO : UV_EIO, "%s of all", what);
}

static int say_main(void *arg) {
    uva_group_t group;
    (void)arg;
    uva_group_open(&group);
    ck_assert_int_eq(uva_group_spawn(&group, fail_saying, "last"), 0);
    ck_assert_int_eq(uva_group_spawn(&group, fail_saying, "first"), 0);
    ck_assert_int_eq(uva_group_close(&group), UV_EPROTO);
    ck_assert_str_eq(uva_last_message(), "first of all");
    int codes[2];
    ck_assert_uint_eq(uva_group_errors(&group, codes, 2), 2);
    ck_assert_int_eq(codes[1], UV_EIO);
    /* One that has nothing to say forgets what was said before. */
    uva_group_open(&group);
    ck_assert_int_eq(uva_group_close(&group), 0);
    ck_assert_ptr_null(uva_last_message());
    uva_group_open(&group);
    ck_assert_int_eq(uva_group_fail(&group, UV_EBADF), UV_EBADF);
    ck_assert_int_eq(uva_group_spawn(&group, fail_saying, "late"), UV_EPERM);
    ck_assert_int_eq(uva_group_close(&group), UV_EBADF);
    ck_assert_ptr_null(uva_last_message());
    return 0;
}

START_TEST(group_close_tells_why) {
    program_expect(say_main);
}
END_TEST

SUITE("group_ends", group_body_answers_a_cancel,
      group_body_hands_in_a_cancellation, group_body_fails_after_a_child,
      group_left_alone_by_other_threads,
      group_spawned_into_and_ended_from_callbacks,
      group_grows_from_its_children, group_cancelled_by_an_eager_child,
      group_children_read_the_reason, group_closed_twice, group_not_opened_yet,
      group_misnested_aborts, group_close_tells_why)
