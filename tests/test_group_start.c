/* uva_group_start(): the child reports that it is ready, then goes on. */
#include "support/program.h"

#include <string.h>

static uva_task_t *the_starter; /* borrowed */

/* What a server does: sets up, reports, serves. Codes are recorded. */
typedef struct server {
    const char *name;
    uint64_t setup_ms;
    int setup_code; /* < 0: fails instead of reporting */
    uint64_t serve_ms;
    int serve_code;
    uva_task_t *self; /* borrowed, while it runs */
} server_t;

static int server(void *arg) {
    server_t *self = arg;
    self->self = uva_current();
    int code = uva_sleep(self->setup_ms);
    record("%s.setup:%d", self->name, code);
    if (code < 0)
        return code;
    if (self->setup_code < 0)
        return uva_fail(self->setup_code, "%s cannot", self->name);
    code = uva_group_started((void *)(uintptr_t)self->name);
    record("%s.started:%d", self->name, code);
    code = uva_sleep(self->serve_ms);
    record("%s.served:%d", self->name, code);
    return code < 0 ? code : self->serve_code;
}

/* | body           | child              |
 * | start <park>   | 10 ms              |
 * |                | started: ready     |
 * | goes on        | 20 ms              |
 * | close <park>   | ends               |
 */
static int ready_main(void *arg) {
    (void)arg;
    server_t self = {.name = "s", .setup_ms = 10, .serve_ms = 20};
    const char *name = NULL;
    uva_group_t group;
    uva_group_open(&group);
    ck_assert_int_eq(uva_group_start(&group, server, &self, &name), 0);
    record("ready");
    ck_assert_uint_eq(uva_now_ms(), 10);
    ck_assert_str_eq(name, "s");
    ck_assert_int_eq(uva_group_start(&group, server, &self, NULL), 0);
    ck_assert_int_eq(uva_group_close(&group), 0);
    ck_assert_uint_eq(uva_now_ms(), 40);
    return 0;
}

START_TEST(group_start_waits_for_the_report) {
    CONFORMS("K-110");
    program_expect(ready_main);
    ck_expect_record("s.setup:0 s.started:0 ready s.setup:0 s.started:0 "
                     "s.served:0 s.served:0");
}
END_TEST

/* A failure before the report is the call's alone. */
static int early_failure_main(void *arg) {
    (void)arg;
    server_t bad = {.name = "s", .setup_ms = 10, .setup_code = -77};
    const char *name = "none";
    uva_group_t group;
    uva_group_open(&group);
    ck_assert_int_eq(uva_group_start(&group, server, &bad, &name), -77);
    ck_assert_str_eq(uva_last_message(), "s cannot");
    ck_assert_str_eq(name, "none");
    ck_assert_uint_eq(uva_group_errors(&group, NULL, 0), 0);
    ck_assert_int_eq(uva_sleep(1), 0);
    ck_assert_int_eq(uva_group_close(&group), 0);
    return 0;
}

START_TEST(group_start_failure_is_the_callers) {
    CONFORMS("K-110");
    program_expect(early_failure_main);
}
END_TEST

/* A failure after it is the group's. */
static int late_failure_main(void *arg) {
    (void)arg;
    server_t bad = {.name = "s", .setup_ms = 10, .serve_code = -78};
    uva_group_t group;
    uva_group_open(&group);
    ck_assert_int_eq(uva_group_start(&group, server, &bad, NULL), 0);
    ck_assert_int_eq(uva_sleep(100), UV_ECANCELED);
    ck_assert_int_eq(uva_group_close(&group), -78);
    return 0;
}

START_TEST(group_start_then_failure_is_the_groups) {
    CONFORMS("K-110");
    program_expect(late_failure_main);
}
END_TEST

static int silent(void *arg) {
    (void)arg;
    return uva_sleep(5);
}

static int silent_main(void *arg) {
    (void)arg;
    uva_group_t group;
    uva_group_open(&group);
    ck_assert_int_eq(uva_group_start(&group, silent, NULL, NULL), UV_EPERM);
    ck_assert_int_eq(uva_group_close(&group), 0);
    return 0;
}

START_TEST(group_start_without_a_report) {
    CONFORMS("K-110");
    ck_assert_int_eq(program_run(silent_main, NULL), 0);
    ck_assert_uint_eq(support_report_count(), 1);
    ck_assert(support_reports_contain("without calling uva_group_started()"));
}
END_TEST

static int reports_twice(void *arg) {
    (void)arg;
    ck_assert_int_eq(uva_group_started(arg), 0);
    ck_assert_int_eq(uva_group_started(NULL), UV_EALREADY);
    ck_assert_int_eq(uva_sleep(1), 0);
    ck_assert_int_eq(uva_group_started(NULL), UV_EALREADY);
    return 0;
}

static int twice_main(void *arg) {
    (void)arg;
    void *value = NULL;
    uva_group_t group;
    uva_group_open(&group);
    ck_assert_int_eq(uva_group_start(&group, reports_twice, &group, &value), 0);
    ck_assert_ptr_eq(value, &group);
    return uva_group_close(&group);
}

START_TEST(group_started_twice) {
    CONFORMS("K-110");
    program_expect(twice_main);
}
END_TEST

/* With options: a name, a copy of its own, a stack. Eager or not, the child is
 * in the group when it reports. */
static int named(void *arg) {
    const server_t *self = arg;
    record("%s:%s", uva_name(uva_current()), self->name);
    ck_assert_int_eq(uva_group_started(arg), 0);
    ck_assert_int_eq(uva_group_started(arg), UV_EALREADY);
    return uva_sleep(5);
}

static int with_main(void *arg) {
    (void)arg;
    server_t self = {.name = "copied"};
    uva_task_options_t options = {.name = "named",
                                  .stack_bytes = 1024 * 1024,
                                  .copy = &self,
                                  .copy_bytes = sizeof self};
    uva_group_t group;
    uva_group_open(&group);
    for (int eager = 0; eager < 2; eager++) {
        void *value = &self;
        options.eager = eager != 0;
        ck_assert_int_eq(
            uva_group_start_with(&group, &options, named, NULL, &value), 0);
        ck_assert_ptr_ne(value, &self);
    }
    ck_assert(options.eager);
    ck_assert_int_eq((uva_group_start_with)(&group, NULL, server, &self, NULL),
                     0);
    ck_assert_int_eq(uva_group_start_with(&group, NULL, NULL, NULL, NULL),
                     UV_EINVAL);
    ck_assert_int_eq(uva_group_close(&group), 0);
    ck_assert_int_eq(uva_group_start_with(&group, &options, named, NULL, NULL),
                     UV_EPERM);
    return 0;
}

START_TEST(group_start_with_options) {
    program_expect(with_main);
    ck_expect_record("named:copied named:copied copied.setup:0 "
                     "copied.started:0 copied.served:0");
}
END_TEST

/* ---- the caller is cancelled -------------------------------------------- */

/* Cut, it takes 30 ms, and reports all the same. */
static int stubborn(void *arg) {
    int code = uva_sleep(500);
    record("cut:%d", code);
    ck_assert_int_eq(uva_cancelling(uva_current()), 1);
    uva_scope_t shield;
    uva_scope_open(&shield, UVA_FOREVER, UVA_SCOPE_SHIELD);
    ck_assert_int_eq(uva_sleep(30), 0);
    ck_assert_int_eq(uva_scope_close(&shield), 0);
    record("started:%d", uva_group_started(NULL));
    return arg != NULL ? 0 : code;
}

static int starts_stubborn(void *arg) {
    uva_group_t group;
    uva_group_open(&group);
    int code = uva_group_start(&group, stubborn, arg, NULL);
    record("start:%d", code);
    ck_assert_int_eq(uva_group_close(&group), UV_ECANCELED);
    return code;
}

static int cancelled_main(void *arg) {
    uva_task_t *task = uva_spawn(starts_stubborn, arg);
    ck_assert_int_eq(uva_sleep(10), 0);
    ck_assert_int_eq(uva_cancel_and_wait(task), UV_ECANCELED);
    ck_assert_uint_eq(uva_now_ms(), 40);
    return 0;
}

START_TEST(group_start_cancelled_waits_for_the_child) {
    CONFORMS("K-110");
    ck_assert_int_eq(program_run(cancelled_main, NULL), 0);
    ck_expect_record("cut:-125 started:-125 start:-125");
    ck_assert_int_eq(program_run(cancelled_main, &the_starter), 0);
    ck_expect_record("cut:-125 started:-125 start:-125");
    ck_assert_str_eq(support_reports(), "");
}
END_TEST

/* A limit around the call alone; the group lives on. */
static int limit_main(void *arg) {
    (void)arg;
    server_t slow = {.name = "s", .setup_ms = 500};
    uva_group_t group;
    uva_scope_t scope;
    uva_group_open(&group);
    uva_scope_open(&scope, 10, 0);
    ck_assert_int_eq(uva_group_start(&group, server, &slow, NULL),
                     UV_ECANCELED);
    ck_assert_int_eq(uva_scope_close(&scope), UV_ETIMEDOUT);
    ck_assert_uint_eq(uva_now_ms(), 10);
    slow.setup_ms = 5;
    ck_assert_int_eq(uva_group_start(&group, server, &slow, NULL), 0);
    return uva_group_close(&group);
}

START_TEST(group_start_within_a_limit) {
    program_expect(limit_main);
    ck_expect_record("s.setup:-125 s.setup:0 s.started:0 s.served:0");
}
END_TEST

/* Only the child is cancelled, not who waits for it. */
static int child_cancelled_main(void *arg) {
    server_t *self = arg;
    (void)uva_sleep(3);
    ck_assert(uva_cancel(self->self));
    return 0;
}

static int victim_main(void *arg) {
    (void)arg;
    server_t self = {.name = "s", .setup_ms = 10};
    uva_group_t group;
    uva_group_open(&group);
    (void)uva_group_spawn(&group, child_cancelled_main, &self);
    ck_assert_int_eq(uva_group_start(&group, server, &self, NULL),
                     UV_ECANCELED);
    ck_assert_int_eq(uva_sleep(1), 0);
    return uva_group_close(&group);
}

START_TEST(group_start_of_a_child_that_is_cancelled) {
    program_expect(victim_main);
    ck_expect_record("s.setup:-125");
}
END_TEST

/* ---- windows ------------------------------------------------------------ */

/* Reports, and in the same breath cancels who waits for it. */
static int reports_and_cancels(void *arg) {
    (void)arg;
    ck_assert_int_eq(uva_group_started(&the_starter), 0);
    ck_assert(uva_cancel(the_starter));
    record("child:%d", uva_sleep(20));
    return 0;
}

static int starts_in_group(void *arg) {
    void *value = NULL;
    the_starter = uva_current();
    int code = uva_group_start(arg, reports_and_cancels, NULL, &value);
    record("start:%d", code);
    ck_assert_ptr_eq(value, &the_starter);
    return uva_sleep(1);
}

/* The wake decided: the start has succeeded; the request is met at the next
 * park, and the child, which is the group's by then, is not touched. */
static int granted_then_cancelled_main(void *arg) {
    (void)arg;
    uva_group_t group;
    uva_group_open(&group);
    uva_task_t *task = uva_spawn(starts_in_group, &group);
    ck_assert_int_eq(uva_await(task, NULL), UV_ECANCELED);
    ck_assert_int_eq(uva_group_close(&group), 0);
    ck_assert_uint_eq(uva_now_ms(), 20);
    return 0;
}

START_TEST(group_start_granted_then_cancelled) {
    program_expect(granted_then_cancelled_main);
    ck_expect_record("start:0 child:0");
}
END_TEST

/* Ends in the very step in which it reported, with a failure. */
static int reports_and_fails(void *arg) {
    (void)arg;
    (void)uva_group_started(NULL);
    return -5;
}

static int ends_at_once_main(void *arg) {
    (void)arg;
    uva_group_t group;
    uva_group_open(&group);
    ck_assert_int_eq(uva_group_start(&group, reports_and_fails, NULL, NULL), 0);
    ck_assert_int_eq(uva_sleep(1), UV_ECANCELED);
    ck_assert_int_eq(uva_group_close(&group), -5);
    return 0;
}

START_TEST(group_start_granted_then_failed) {
    program_expect(ends_at_once_main);
}
END_TEST

/* ---- the group is cancelled --------------------------------------------- */

static int starts_from_outside(void *arg) {
    static server_t self = {.name = "s", .setup_ms = 50, .serve_ms = 50};
    int code = uva_group_start(arg, server, &self, NULL);
    record("start:%d", code);
    return code;
}

/* Until it reports it is its starter's, who is not in the group: the group's
 * cancellation reaches it at the report. Closing waits for it. */
static int group_cancelled_main(void *arg) {
    (void)arg;
    uva_group_t group;
    uva_group_open(&group);
    uva_task_t *task = uva_spawn(starts_from_outside, &group);
    ck_assert_int_eq(uva_sleep(10), 0);
    ck_assert_int_eq(uva_group_cancel(&group), 0);
    ck_assert_int_eq(uva_group_close(&group), 0);
    ck_assert_uint_eq(uva_now_ms(), 50);
    return uva_await(task, NULL);
}

START_TEST(group_cancelled_while_another_starts) {
    program_expect(group_cancelled_main);
    ck_expect_record("s.setup:0 s.started:0 s.served:-125 start:0");
}
END_TEST

/* Behind a shield the body may still start one in a group that is being cut
 * short: it is left alone until it reports. */
static int shielded_main(void *arg) {
    (void)arg;
    server_t self = {.name = "s", .setup_ms = 5, .serve_ms = 50};
    uva_scope_t outer;
    uva_scope_t shield;
    uva_group_t group;
    uva_scope_open(&outer, 10, 0);
    uva_group_open(&group);
    uva_scope_open(&shield, UVA_FOREVER, UVA_SCOPE_SHIELD);
    ck_assert_int_eq(uva_sleep(20), 0);
    ck_assert_int_eq(uva_group_start(&group, server, &self, NULL), 0);
    ck_assert_int_eq(uva_scope_close(&shield), 0);
    ck_assert_int_eq(uva_group_close(&group), UV_ECANCELED);
    ck_assert_int_eq(uva_scope_close(&outer), UV_ETIMEDOUT);
    ck_assert_uint_eq(uva_now_ms(), 25);
    return 0;
}

START_TEST(group_start_behind_a_shield) {
    program_expect(shielded_main);
    ck_expect_record("s.setup:0 s.started:0 s.served:-125");
}
END_TEST

static int fails_soon(void *arg) {
    (void)arg;
    (void)uva_sleep(5);
    return -9;
}

/* The body is the starter: a sibling's failure reaches the child through it,
 * once. */
static int sibling_fails_main(void *arg) {
    (void)arg;
    uva_group_t group;
    uva_group_open(&group);
    (void)uva_group_spawn(&group, fails_soon, NULL);
    ck_assert_int_eq(uva_group_start(&group, stubborn, NULL, NULL),
                     UV_ECANCELED);
    ck_assert_uint_eq(uva_now_ms(), 35);
    ck_assert_int_eq(uva_group_start(&group, stubborn, NULL, NULL), UV_EPERM);
    ck_assert_int_eq(uva_group_close(&group), -9);
    ck_assert_uint_eq(uva_group_errors(&group, NULL, 0), 1);
    return uva_sleep(1);
}

START_TEST(group_failing_while_its_body_starts) {
    program_expect(sibling_fails_main);
    ck_expect_record("cut:-125 started:-125");
}
END_TEST

/* ---- misuse ------------------------------------------------------------- */

static int never(void *arg) {
    (void)arg;
    ck_abort_msg("must not run");
    return 0;
}

static int starts_cancelled(void *arg) {
    ck_assert(uva_cancel(uva_current()));
    ck_assert_int_eq(uva_group_start(arg, never, NULL, NULL), UV_ECANCELED);
    return 0;
}

static int refused_main(void *arg) {
    (void)arg;
    server_t plain = {.name = "p"};
    uva_group_t group;
    uva_group_open(&group);
    ck_assert_int_eq(uva_group_start(NULL, never, NULL, NULL), UV_EINVAL);
    ck_assert_int_eq(uva_group_start(&group, NULL, NULL, NULL), UV_EINVAL);
    ck_assert_int_eq((uva_group_start)(NULL, NULL, NULL, NULL), UV_EINVAL);
    ck_assert_int_eq(uva_await(uva_spawn(starts_cancelled, &group), NULL), 0);
    /* Nobody waits for these reports. */
    ck_assert_int_eq(uva_group_started(NULL), 0);
    ck_assert_int_eq(uva_group_spawn(&group, server, &plain), 0);
    ck_assert_int_eq(uva_group_close(&group), 0);
    ck_assert_int_eq(uva_group_start(&group, never, NULL, NULL), UV_EPERM);
    return 0;
}

START_TEST(group_start_refused) {
    program_expect(refused_main);
    ck_expect_record("p.setup:0 p.started:0 p.served:0");
    uva_group_t group;
    uva_group_open(&group);
    ck_assert_int_eq(uva_group_start(&group, never, NULL, NULL), UV_EPERM);
    ck_assert_int_eq(uva_group_started(NULL), UV_EPERM);
}
END_TEST

/* Every allocation of a start fails in turn; the group stays usable. */
static int faults_main(void *arg) {
    (void)arg;
    unsigned failed = 0;
    for (unsigned nth = 1; nth < 8; nth++) {
        uva_group_t group;
        uva_group_open(&group);
        faults_fail(FAULT_MALLOC, nth);
        int code = 0;
        for (int i = 0; i < 200 && code == 0; i++)
            code = uva_group_start(&group, reports_twice, NULL, NULL);
        failed += faults_clear() > 0;
        ck_assert(code == 0 || code == UV_ENOMEM);
        ck_assert_int_eq(uva_group_close(&group), 0);
    }
    ck_assert_uint_gt(failed, 0);
    return 0;
}

START_TEST(group_start_without_memory) {
    program_expect(faults_main);
}
END_TEST

SUITE("group_start", group_start_waits_for_the_report,
      group_start_failure_is_the_callers,
      group_start_then_failure_is_the_groups, group_start_without_a_report,
      group_started_twice, group_start_with_options,
      group_start_cancelled_waits_for_the_child, group_start_within_a_limit,
      group_start_of_a_child_that_is_cancelled,
      group_start_granted_then_cancelled, group_start_granted_then_failed,
      group_cancelled_while_another_starts, group_failing_while_its_body_starts,
      group_start_behind_a_shield, group_start_refused,
      group_start_without_memory)
