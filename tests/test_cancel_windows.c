/* Cancellation: between wake and run, waiting for an end, and reasons. */
#include "support/program.h"

static int seven = 7;

/* Meets its request, and ends with a code of its own all the same. */
static int answer(void *arg) {
    int code = *(int *)arg;
    ck_assert_int_eq(uva_sleep(100), UV_ECANCELED);
    if (code < 0)
        return uva_fail(code, "answered");
    return code;
}

/* ---- windows ------------------------------------------------------------ */

static int await_then_sleep(void *arg) {
    void *value = NULL;
    int code = uva_await(uva_ref(arg), &value);
    ck_assert_ptr_eq(value, code == 0 ? &seven : NULL);
    record("await:%d", code);
    record("sleep:%d", uva_sleep(10));
    return 0;
}

/* | main    | w                   |
 * |         | await f             |
 * | resolve |                     |  granted here
 * | cancel  |                     |  ... does not undo it
 * |         | await: 0            |
 * |         | sleep: UV_ECANCELED |
 */
static int granted_main(void *arg) {
    (void)arg;
    uva_future_t *f = uva_future_new();
    uva_task_t *task = uva_spawn(await_then_sleep, f);
    (void)uva_yield();
    ck_assert_int_eq(uva_future_resolve(f, &seven), 0);
    ck_assert(uva_cancel(task));
    uva_unref(f);
    return uva_await(task, NULL);
}

START_TEST(cancel_between_wake_and_run_is_met_later) {
    program_expect(granted_main);
    ck_expect_record("await:0 sleep:-125");
}
END_TEST

static int yield_then_sleep(void *arg) {
    (void)arg;
    record("yield:%d", uva_yield());
    record("sleep:%d", uva_sleep(10));
    return 0;
}

/* | main   | w                   |
 * |        | yield               |  ready again
 * | cancel |                     |
 * |        | yield: 0            |
 * |        | sleep: UV_ECANCELED |
 */
static int ready_main(void *arg) {
    (void)arg;
    uva_task_t *task = uva_spawn(yield_then_sleep, NULL);
    (void)uva_yield();
    ck_assert(uva_cancel(task));
    return uva_await(task, NULL);
}

START_TEST(cancel_of_a_ready_task_is_met_later) {
    program_expect(ready_main);
    ck_expect_record("yield:0 sleep:-125");
}
END_TEST

static int wait_then_sleep(void *arg) {
    uva_future_t *f = arg;
    record("wait:%d", uva_wait(&f, 1, UVA_ALL_COMPLETED, 10));
    record("sleep:%d", uva_sleep(10));
    return 0;
}

/* Resolved and cancelled, in both orders, in one tick. */
static int wait_window_main(void *arg) {
    (void)arg;
    for (int cancel_first = 0; cancel_first < 2; cancel_first++) {
        uva_future_t *f = uva_future_new();
        uva_task_t *task = uva_spawn(wait_then_sleep, f);
        (void)uva_yield();
        if (cancel_first)
            ck_assert(uva_cancel(task));
        ck_assert_int_eq(uva_future_resolve(f, NULL), 0);
        if (!cancel_first)
            ck_assert(uva_cancel(task));
        uva_unref(f);
        ck_assert_int_eq(uva_await(task, NULL), 0);
    }
    return 0;
}

START_TEST(cancel_and_completion_in_one_tick) {
    program_expect(wait_window_main);
    ck_expect_record("wait:1 sleep:-125 wait:-125 sleep:-125");
}
END_TEST

static int await_then_go_on(void *arg) {
    record("await:%d", uva_await(uva_ref(arg), NULL));
    record("sleep:%d", uva_sleep(10));
    return 0;
}

/* A request taken back by somebody else while the wait for the child goes on:
 * the child was asked to end, the task is as before. */
static int taken_back_main(void *arg) {
    (void)arg;
    uva_task_t *inner = spawn_lingerer("inner", 100, 50);
    uva_task_t *outer = uva_spawn(await_then_go_on, inner);
    (void)uva_yield();
    ck_assert(uva_cancel(outer));
    (void)uva_sleep(10);
    ck_assert_int_eq(uva_uncancel(outer), 0);
    uva_unref(inner);
    return uva_await(outer, NULL);
}

START_TEST(cancel_taken_back_by_another) {
    program_expect(taken_back_main);
    ck_expect_record("inner! inner~ await:-125 sleep:0");
}
END_TEST

/* ---- cancel_and_wait ---------------------------------------------------- */

static int stop_it(void *arg) {
    int code = uva_cancel_and_wait(uva_ref(arg));
    record("stopped:%d", code);
    return code;
}

/* | main           | stopper           | w                |
 * |                |                   | sleep            |
 * |                | cancel w, wait    |                  |
 * | cancel stopper |                   | ... lingers      |
 * |                |                   | ends             |
 * |                | returns w's code  |                  |
 */
static int stop_main(void *arg) {
    (void)arg;
    uva_task_t *task = spawn_lingerer("w", 100, 50);
    (void)uva_yield();
    uva_task_t *stopper = uva_spawn(stop_it, task);
    (void)uva_sleep(10);
    ck_assert(uva_cancel(stopper));
    ck_assert_int_eq(uva_await(stopper, NULL), UV_ECANCELED);
    ck_assert_uint_eq(uva_now_ms(), 50);
    uva_unref(task);
    int codes[] = {42, -9};
    for (int i = 0; i < 2; i++) {
        task = uva_spawn(answer, &codes[i]);
        (void)uva_yield();
        ck_assert_int_eq(uva_cancel_and_wait(task), codes[i]);
    }
    ck_assert_str_eq(uva_last_message(), "answered");
    ck_assert_int_eq(uva_cancel_and_wait(uva_future_new()), UV_ECANCELED);
    ck_assert_int_eq(uva_cancelling(uva_current()), 0);
    return 0;
}

START_TEST(cancel_and_wait_gives_the_final_code) {
    program_expect(stop_main);
    ck_expect_record("w! w~ stopped:-125");
}
END_TEST

/* ---- reasons ------------------------------------------------------------ */

static int read_reason(void *arg) {
    ck_assert_ptr_null(uva_cancel_reason());
    ck_assert_int_eq(uva_sleep(100), UV_ECANCELED);
    ck_assert_str_eq(uva_cancel_reason(), arg);
    ck_assert_int_eq(uva_uncancel(uva_current()), 0);
    ck_assert_ptr_null(uva_cancel_reason());
    ck_assert(uva_cancel_with(uva_current(), "again"));
    return uva_sleep(100);
}

static int await_reader(void *arg) {
    return uva_await(uva_spawn(read_reason, arg), NULL);
}

static int reason_main(void *arg) {
    (void)arg;
    char reason[] = "shutting down";
    uva_task_t *task = uva_spawn(await_reader, "shutting down");
    (void)uva_yield();
    (void)uva_yield();
    ck_assert(uva_cancel_with(task, reason));
    reason[0] = 'x';
    ck_assert_int_eq(uva_await(uva_ref(task), NULL), UV_ECANCELED);
    ck_assert_str_eq(uva_message(task), "shutting down");
    ck_assert_str_eq(uva_last_message(), "shutting down");
    uva_unref(task);
    return 0;
}

START_TEST(cancel_carries_a_reason) {
    CONFORMS("K-010");
    program_expect(reason_main);
    ck_assert_ptr_null(uva_cancel_reason());
}
END_TEST

static int stale_main(void *arg) {
    (void)arg;
    uva_future_t *f = uva_future_new();
    uva_scope_t scope;
    uva_scope_open(&scope, 0, 0);
    ck_assert_int_eq(uva_future_fail(f, -9, "stale"), 0);
    ck_assert_int_eq(uva_await(f, NULL), -9);
    ck_assert_str_eq(uva_last_message(), "stale");
    ck_assert_int_eq(uva_sleep(1), UV_ECANCELED);
    ck_assert_ptr_null(uva_last_message());
    ck_assert_int_eq(uva_scope_close(&scope), UV_ETIMEDOUT);
    return 0;
}

START_TEST(cancel_of_a_park_has_no_older_message) {
    program_expect(stale_main);
}
END_TEST

SUITE("cancel_windows", cancel_between_wake_and_run_is_met_later,
      cancel_of_a_ready_task_is_met_later, cancel_and_completion_in_one_tick,
      cancel_taken_back_by_another, cancel_and_wait_gives_the_final_code,
      cancel_carries_a_reason, cancel_of_a_park_has_no_older_message)
