/* Scopes: deadlines, cancellation and shielding of a block. */
#include "support/program.h"

#include <signal.h>

#include "runtime/runtime.h"

static const uva_deadline_t *earliest(void) {
    return uva_runtime_current()->deadlines.earliest;
}

/* ---- deadlines ---------------------------------------------------------- */

static int cut_main(void *arg) {
    (void)arg;
    uva_scope_t scope;
    uva_scope_open(&scope, 10, 0);
    ck_assert_int_eq(uva_sleep(100), UV_ECANCELED);
    ck_assert_int_eq(uva_sleep(100), UV_ECANCELED);
    ck_assert_int_eq(uva_scope_close(&scope), UV_ETIMEDOUT);
    ck_assert_uint_eq(uva_now_ms(), 10);
    ck_assert_int_eq(uva_cancelling(uva_current()), 0);
    return uva_sleep(1);
}

START_TEST(scope_cuts_what_waits_too_long) {
    CONFORMS("K-073");
    program_expect(cut_main);
}
END_TEST

static int in_time_main(void *arg) {
    (void)arg;
    uva_scope_t scope;
    uva_scope_open(&scope, 10, 0);
    ck_assert_ptr_nonnull(earliest());
    ck_assert_int_eq(uva_sleep(5), 0);
    ck_assert_int_eq(uva_scope_close(&scope), 0);
    ck_assert_ptr_null(earliest());
    ck_assert_int_eq(uva_sleep(100), 0);
    uva_scope_open(&scope, UVA_FOREVER, 0);
    ck_assert_ptr_null(earliest());
    ck_assert_int_eq(uva_sleep(100000), 0);
    return uva_scope_close(&scope);
}

START_TEST(scope_left_in_time) {
    CONFORMS("K-074", "K-075");
    program_expect(in_time_main);
}
END_TEST

static int zero_main(void *arg) {
    (void)arg;
    uva_scope_t scope;
    uva_scope_open(&scope, 0, 0);
    uva_future_t *f = uva_future_new();
    ck_assert_int_eq(uva_future_resolve(f, NULL), 0);
    ck_assert_int_eq(uva_await(f, NULL), 0);
    ck_assert_int_eq(uva_yield(), UV_ECANCELED);
    ck_assert_int_eq(uva_scope_close(&scope), UV_ETIMEDOUT);
    uva_scope_open(&scope, 0, 0);
    return uva_scope_close(&scope);
}

START_TEST(scope_of_no_time_cuts_the_first_park) {
    CONFORMS("K-076");
    program_expect(zero_main);
}
END_TEST

static int past_main(void *arg) {
    (void)arg;
    uva_scope_t scope;
    uva_scope_open(&scope, 10, 0);
    ck_assert_int_eq(uva_await(spawn_worker("w", 5, -9), NULL), -9);
    ck_assert_int_eq(uva_scope_close(&scope), 0);
    ck_assert_int_eq(uva_sleep(100), 0);
    return 0;
}

START_TEST(scope_lets_a_failure_pass) {
    CONFORMS("K-077");
    program_expect(past_main);
    ck_expect_record("w");
}
END_TEST

/* A deadline that passes while nothing waits has cut nothing. */
static int busy_main(void *arg) {
    (void)arg;
    uva_scope_t scope;
    uva_scope_open(&scope, 1, 0);
    uint64_t start = uva_now_ms();
    while (uva_now_ms() - start < 5)
        ;
    ck_assert_int_eq(uva_scope_close(&scope), 0);
    uva_scope_open(&scope, 1, 0);
    ck_assert_int_eq(uva_sleep(20), UV_ECANCELED);
    ck_assert_int_eq(uva_scope_close(&scope), UV_ETIMEDOUT);
    return uva_yield();
}

START_TEST(scope_left_late_but_uncut) {
    CONFORMS("K-101");
    ck_assert_int_eq(uva_run(busy_main, NULL), 0);
}
END_TEST

static int scoped_sleep(void *arg) {
    uint64_t limit = *(uint64_t *)arg;
    uva_scope_t scope;
    uva_scope_open(&scope, limit, 0);
    int code = uva_sleep(100);
    record("sleep:%d close:%d", code, uva_scope_close(&scope));
    return code;
}

static int outside_cancel_main(void *arg) {
    (void)arg;
    uint64_t limit = 50;
    uva_task_t *task = uva_spawn(scoped_sleep, &limit);
    ck_assert_int_eq(uva_sleep(10), 0);
    ck_assert(uva_cancel(task));
    ck_assert_int_eq(uva_await(task, NULL), UV_ECANCELED);
    /* Both in one tick: main's deadline was armed first, the scope's expires
     * right after, before main runs. */
    limit = 10;
    task = uva_spawn(scoped_sleep, &limit);
    ck_assert_int_eq(uva_sleep(10), 0);
    ck_assert(uva_cancel(task));
    return uva_await(task, NULL) == UV_ECANCELED ? 0 : -1;
}

START_TEST(scope_cancelled_from_outside) {
    CONFORMS("K-078");
    program_expect(outside_cancel_main);
    ck_expect_record("sleep:-125 close:-125 sleep:-125 close:-125");
}
END_TEST

/* Sleeps 200 in an inner scope in an outer one; records what each returns. */
static void nest(uint64_t outer_ms, uint64_t inner_ms) {
    uva_scope_t outer;
    uva_scope_t inner;
    uint64_t start = uva_now_ms();
    uva_scope_open(&outer, outer_ms, 0);
    uva_scope_open(&inner, inner_ms, 0);
    ck_assert_int_eq(uva_sleep(200), UV_ECANCELED);
    record("%d", uva_scope_close(&inner));
    record("%d", uva_sleep(200));
    record("%d@%d", uva_scope_close(&outer), (int)(uva_now_ms() - start));
    ck_assert_int_eq(uva_sleep(1), 0);
}

static int nested_main(void *arg) {
    (void)arg;
    nest(10, 100);
    nest(100, 10);
    nest(10, 10);
    return 0;
}

/* The outer deadline first; the inner one first; both at once. */
START_TEST(scope_in_a_scope) {
    CONFORMS("K-079", "K-080");
    program_expect(nested_main);
    ck_expect_record("-125 -125 -110@10 -110 -125 -110@100 -125 -125 -110@10");
}
END_TEST

/* ---- moving a deadline -------------------------------------------------- */

static int reschedule_main(void *arg) {
    (void)arg;
    uva_scope_t scope;
    uva_scope_open(&scope, 10, 0);
    ck_assert_int_eq(uva_scope_reschedule(&scope, 50), 0);
    ck_assert_int_eq(uva_sleep(20), 0);
    ck_assert_int_eq(uva_scope_reschedule(&scope, UVA_FOREVER), 0);
    ck_assert_ptr_null(earliest());
    ck_assert_int_eq(uva_sleep(100), 0);
    ck_assert_int_eq(uva_scope_reschedule(&scope, 10), 0);
    ck_assert_int_eq(uva_sleep(100), UV_ECANCELED);
    ck_assert_uint_eq(uva_now_ms(), 130);
    ck_assert_int_eq(uva_scope_reschedule(&scope, 100), UV_EPERM);
    ck_assert_int_eq(uva_scope_close(&scope), UV_ETIMEDOUT);
    ck_assert_int_eq(uva_scope_reschedule(&scope, 100), UV_EPERM);
    uva_scope_open(&scope, 10, 0);
    ck_assert_int_eq(uva_scope_reschedule(&scope, 0), 0);
    ck_assert_int_eq(uva_yield(), UV_ECANCELED);
    ck_assert_int_eq(uva_scope_close(&scope), UV_ETIMEDOUT);
    ck_assert_ptr_null(earliest());
    return uva_sleep(100);
}

START_TEST(scope_deadline_moves) {
    CONFORMS("K-081", "K-082", "K-103");
    program_expect(reschedule_main);
}
END_TEST

static uva_scope_t *theirs;

static int sleep_in_scope(void *arg) {
    uva_scope_t scope;
    theirs = &scope;
    uva_scope_open(&scope, 100, *(unsigned *)arg);
    int code = uva_sleep(200);
    int closed = uva_scope_close(&scope);
    record("%d %d@%d", code, closed, (int)uva_now_ms());
    return 0;
}

/* Another task moves the deadline of one that is parked in the scope. */
static int moved_main(void *arg) {
    (void)arg;
    unsigned flags = 0;
    uva_task_t *task = uva_spawn(sleep_in_scope, &flags);
    ck_assert_int_eq(uva_sleep(10), 0);
    ck_assert_int_eq(uva_scope_reschedule(theirs, 5), 0);
    ck_assert_int_eq(uva_await(task, NULL), 0);
    task = uva_spawn(sleep_in_scope, &flags);
    ck_assert_int_eq(uva_sleep(10), 0);
    ck_assert_int_eq(uva_scope_reschedule(theirs, 0), 0);
    ck_assert_int_eq(uva_await(task, NULL), 0);
    task = uva_spawn(sleep_in_scope, &flags);
    ck_assert_int_eq(uva_sleep(10), 0);
    uva_scope_cancel(theirs);
    return uva_await(task, NULL);
}

START_TEST(scope_deadline_moved_by_another_task) {
    CONFORMS("K-103");
    program_expect(moved_main);
    ck_expect_record("-125 -110@15 -125 -110@25 -125 -125@35");
}
END_TEST

/* ---- cancelling a block ------------------------------------------------- */

static int cancel_main(void *arg) {
    (void)arg;
    uva_scope_t scope;
    uva_scope_open(&scope, UVA_FOREVER, 0);
    uva_scope_cancel(&scope);
    uva_scope_cancel(&scope);
    for (int i = 0; i < 3; i++)
        ck_assert_int_eq(uva_sleep(10), UV_ECANCELED);
    ck_assert_int_eq(uva_scope_close(&scope), UV_ECANCELED);
    uva_scope_cancel(&scope);
    ck_assert_int_eq(uva_sleep(10), 0);
    uva_scope_open(&scope, 10, 0);
    uva_scope_cancel(&scope);
    ck_assert_int_eq(uva_scope_close(&scope), 0);
    ck_assert_int_eq(uva_sleep(50), 0);
    return uva_cancelling(uva_current());
}

START_TEST(scope_cancelled_until_it_is_left) {
    CONFORMS("K-100", "K-101");
    program_expect(cancel_main);
}
END_TEST

static int both_cancelled_main(void *arg) {
    (void)arg;
    uva_scope_t outer;
    uva_scope_t inner;
    uva_scope_open(&outer, UVA_FOREVER, 0);
    uva_scope_open(&inner, 0, 0);
    ck_assert_int_eq(uva_yield(), UV_ECANCELED);
    uva_scope_cancel(&outer);
    ck_assert_int_eq(uva_scope_close(&inner), UV_ECANCELED);
    ck_assert_int_eq(uva_yield(), UV_ECANCELED);
    ck_assert_int_eq(uva_scope_close(&outer), UV_ECANCELED);
    return uva_yield();
}

START_TEST(scope_further_out_absorbs) {
    program_expect(both_cancelled_main);
}
END_TEST

/* A deadline, then a cancel of the same scope: the cancel is what is told. */
static int overtaken_main(void *arg) {
    (void)arg;
    uva_scope_t scope;
    uva_scope_open(&scope, 10, 0);
    ck_assert_int_eq(uva_sleep(20), UV_ECANCELED);
    uva_scope_cancel(&scope);
    ck_assert_int_eq(uva_scope_close(&scope), UV_ECANCELED);
    return uva_yield();
}

START_TEST(scope_cancel_beats_its_deadline) {
    program_expect(overtaken_main);
}
END_TEST

/* ---- shields ------------------------------------------------------------ */

/* | main   | w                           |
 * |        | open outer, shield; sleep   |
 * | cancel |                             |
 * |        | the sleep goes on, 0        |
 * |        | close shield: 0             |
 * |        | sleep: UV_ECANCELED         |
 */
static int shielded(void *arg) {
    (void)arg;
    uva_scope_t shield;
    uva_scope_open(&shield, UVA_FOREVER, UVA_SCOPE_SHIELD);
    record("%d", uva_sleep(100));
    uva_scope_t inner;
    uva_scope_open(&inner, 10, 0);
    record("%d", uva_sleep(100));
    record("%d", uva_scope_close(&inner));
    record("%d", uva_sleep(10));
    record("%d", uva_scope_close(&shield));
    record("%d", uva_sleep(10));
    uva_scope_open(&shield, 10, UVA_SCOPE_SHIELD);
    record("%d", uva_sleep(100));
    record("%d", uva_scope_close(&shield));
    uva_scope_open(&shield, UVA_FOREVER, UVA_SCOPE_SHIELD);
    uva_scope_cancel(&shield);
    record("%d", uva_sleep(100));
    record("%d", uva_scope_close(&shield));
    return uva_sleep(1);
}

static int shield_main(void *arg) {
    (void)arg;
    uva_task_t *task = uva_spawn(shielded, NULL);
    ck_assert_int_eq(uva_sleep(50), 0);
    ck_assert(uva_cancel(task));
    ck_assert_int_eq(uva_await(task, NULL), UV_ECANCELED);
    ck_assert_uint_eq(uva_now_ms(), 130);
    return 0;
}

START_TEST(scope_shields_from_outside) {
    CONFORMS("K-102");
    program_expect(shield_main);
    ck_expect_record("0 -125 -110 0 0 -125 -125 -110 -125 -125");
}
END_TEST

static int await_in_shield(void *arg) {
    uva_scope_t shield;
    uva_scope_t inner;
    uva_scope_open(&shield, UVA_FOREVER, UVA_SCOPE_SHIELD);
    uva_scope_open(&inner, 10, 0);
    int code = uva_await(uva_ref(arg), NULL);
    ck_assert_int_eq(uva_scope_close(&inner), UV_ETIMEDOUT);
    ck_assert_int_eq(uva_scope_close(&shield), 0);
    return code;
}

/* The inner deadline asks the child once; a request from outside the shield,
 * while the child cleans up, does not ask it again. */
static int one_request_main(void *arg) {
    (void)arg;
    uva_task_t *child = spawn_lingerer("w", 100, 50);
    uva_task_t *task = uva_spawn(await_in_shield, child);
    ck_assert_int_eq(uva_sleep(20), 0);
    ck_assert_int_eq(uva_cancelling(child), 1);
    ck_assert(uva_cancel(task));
    ck_assert_int_eq(uva_cancelling(child), 1);
    ck_assert_int_eq(uva_await(task, NULL), UV_ECANCELED);
    uva_unref(child);
    return 0;
}

START_TEST(scope_behind_a_shield_asks_once) {
    CONFORMS("K-102");
    program_expect(one_request_main);
    ck_expect_record("w! w~");
}
END_TEST

/* ---- misuse ------------------------------------------------------------- */

static void open_in_callback(void *arg) {
    uva_scope_t *scope = arg;
    uva_scope_open(scope, 10, 0);
    ck_assert_int_eq(uva_scope_reschedule(scope, 5), UV_EPERM);
    uva_scope_cancel(scope);
    ck_assert_int_eq(uva_scope_close(scope), UV_EPERM);
}

static int outside_main(void *arg) {
    (void)arg;
    uva_scope_t scope;
    (void)uva_post(uva_runtime_current(), open_in_callback, &scope);
    return uva_sleep(20);
}

START_TEST(scope_outside_a_task) {
    CONFORMS("K-082");
    ck_assert_int_eq(program_run(outside_main, NULL), 0);
    ck_assert_uint_eq(support_report_count(), 2);
    ck_assert(support_reports_contain("uva_scope_open: called outside"));
}
END_TEST

static int open_twice(void *arg) {
    uva_scope_t scopes[2];
    uva_scope_open(&scopes[0], 10, 0);
    uva_scope_open(&scopes[1], 10, 0);
    uva_scope_open(&scopes[*(int *)arg], 10, 0);
    return uva_sleep(20);
}

static int close_twice_main(void *arg) {
    (void)arg;
    uva_scope_t outer;
    uva_scope_t scope;
    uva_scope_open(&outer, 10, 0);
    uva_scope_open(&scope, 10, 0);
    ck_assert_int_eq(uva_scope_close(&scope), 0);
    ck_assert_int_eq(uva_scope_close(&scope), UV_EPERM);
    ck_assert_int_eq(uva_sleep(20), UV_ECANCELED);
    ck_assert_int_eq(uva_scope_close(&outer), UV_ETIMEDOUT);
    return uva_scope_close(&outer) == UV_EPERM ? uva_sleep(20) : -1;
}

/* Nothing is tied up in it, so it is refused, and all goes on. */
START_TEST(scope_closed_twice) {
    CONFORMS("K-082");
    ck_assert_int_eq(program_run(close_twice_main, NULL), 0);
    ck_assert_uint_eq(support_report_count(), 2);
    ck_assert(support_reports_contain("close each scope once"));
}
END_TEST

static int close_outer_first(void *arg) {
    (void)arg;
    uva_scope_t outer;
    uva_scope_t inner;
    uva_scope_open(&outer, 10, 0);
    uva_scope_open(&inner, 10, 0);
    return uva_scope_close(&outer);
}

static int close_in_other(void *arg) {
    return uva_scope_close(arg);
}

static int close_elsewhere(void *arg) {
    (void)arg;
    uva_scope_t scope;
    uva_scope_open(&scope, UVA_FOREVER, 0);
    return uva_await(uva_spawn(close_in_other, &scope), NULL);
}

static uva_scope_t common;

static int open_and_close(void *arg) {
    (void)arg;
    uva_scope_open(&common, UVA_FOREVER, 0);
    (void)uva_sleep(5);
    return uva_scope_close(&common);
}

/* Two tasks use one struct; whoever closes last, or first, is told. */
static int open_in_two(void *arg) {
    uva_task_t *task = uva_spawn(open_and_close, NULL);
    uva_scope_open(&common, UVA_FOREVER, 0);
    (void)uva_sleep(*(int *)arg != 0 ? 1 : 10);
    (void)uva_scope_close(&common);
    return uva_await(task, NULL);
}

typedef struct misuse {
    uva_fn main;
    int which;
    const char *advice;
} misuse_t;

static void misuse(void *arg) {
    misuse_t *self = arg;
    (void)uva_run(self->main, &self->which);
}

START_TEST(scope_misnested_aborts) {
    CONFORMS("K-082", "K-104");
    misuse_t misuses[] = {{open_twice, 0, "open already"},
                          {open_twice, 1, "open already"},
                          {open_in_two, 0, "in the task that opened"},
                          {open_in_two, 1, "in the task that opened"},
                          {close_outer_first, 0, "reverse order"},
                          {close_elsewhere, 0, "in the task that opened"}};
    for (size_t i = 0; i < sizeof misuses / sizeof misuses[0]; i++)
        ck_assert(
            support_dies(misuse, &misuses[i], SIGABRT, misuses[i].advice));
}
END_TEST

SUITE("scope", scope_cuts_what_waits_too_long, scope_left_in_time,
      scope_of_no_time_cuts_the_first_park, scope_lets_a_failure_pass,
      scope_left_late_but_uncut, scope_cancelled_from_outside, scope_in_a_scope,
      scope_deadline_moves, scope_deadline_moved_by_another_task,
      scope_cancelled_until_it_is_left, scope_further_out_absorbs,
      scope_cancel_beats_its_deadline, scope_shields_from_outside,
      scope_behind_a_shield_asks_once, scope_outside_a_task, scope_closed_twice,
      scope_misnested_aborts)
