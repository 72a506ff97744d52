/* Futures: outcomes, who waits, callbacks, and how long they live. */
#include "support/program.h"

#include <string.h>

static int seven = 7;

/* ---- outcomes ----------------------------------------------------------- */

static int pending_main(void *arg) {
    (void)arg;
    uva_future_t *f = uva_future_new();
    ck_assert(!uva_is_done(f));
    ck_assert_int_eq(uva_status(f), UV_EAGAIN);
    ck_assert_ptr_null(uva_value(f));
    ck_assert_ptr_null(uva_message(f));
    ck_assert(!uva_is_done(f));
    ck_assert_int_eq(uva_future_resolve(f, &seven), 0);
    uva_unref(f);
    return 0;
}

START_TEST(future_is_pending_at_first) {
    CONFORMS("K-001");
    program_expect(pending_main);
}
END_TEST

/* Nothing changes a future that has ended. */
static void expect_frozen(uva_future_t *f, int code) {
    ck_assert_int_eq(uva_future_resolve(f, &code), UV_EALREADY);
    ck_assert_int_eq(uva_future_fail(f, UV_EIO, "later"), UV_EALREADY);
    ck_assert(!uva_cancel(f));
    ck_assert(!uva_cancel_with(f, "later"));
    ck_assert(uva_is_done(f));
    ck_assert_int_eq(uva_status(f), code);
}

static int resolved_main(void *arg) {
    (void)arg;
    uva_future_t *f = uva_future_new();
    ck_assert_int_eq(uva_future_resolve(f, &seven), 0);
    for (int i = 0; i < 3; i++) {
        void *value = NULL;
        expect_frozen(f, 0);
        ck_assert_ptr_eq(uva_value(f), &seven);
        ck_assert_ptr_null(uva_message(f));
        ck_assert_int_eq(uva_await(uva_ref(f), &value), 0);
        ck_assert_ptr_eq(value, &seven);
    }
    uva_unref(f);
    return 0;
}

START_TEST(future_keeps_its_first_value) {
    CONFORMS("K-002");
    program_expect(resolved_main);
}
END_TEST

static int failed_main(void *arg) {
    (void)arg;
    uva_future_t *f = uva_future_new();
    char why[] = "disk on fire";
    ck_assert_int_eq(uva_future_fail(f, UV_EIO, why), 0);
    memset(why, 'x', sizeof why - 1);
    for (int i = 0; i < 3; i++) {
        void *value = &seven;
        expect_frozen(f, UV_EIO);
        ck_assert_ptr_null(uva_value(f));
        ck_assert_str_eq(uva_message(f), "disk on fire");
        ck_assert_int_eq(uva_await(uva_ref(f), &value), UV_EIO);
        ck_assert_str_eq(uva_last_message(), "disk on fire");
        ck_assert_ptr_eq(value, &seven);
    }
    uva_unref(f);
    return 0;
}

START_TEST(future_keeps_its_first_failure) {
    CONFORMS("K-003");
    program_expect(failed_main);
}
END_TEST

static int cancelled_main(void *arg) {
    (void)arg;
    uva_future_t *f = uva_future_new();
    ck_assert(uva_cancel(f));
    expect_frozen(f, UV_ECANCELED);
    ck_assert_ptr_null(uva_value(f));
    ck_assert_int_eq(uva_await(f, NULL), UV_ECANCELED);
    ck_assert_int_eq(uva_cancelling(uva_current()), 0);
    return 0;
}

START_TEST(future_keeps_its_cancellation) {
    CONFORMS("K-004");
    program_expect(cancelled_main);
}
END_TEST

static int bad_code_main(void *arg) {
    (void)arg;
    uva_future_t *f = uva_future_new();
    ck_assert_int_eq(uva_future_fail(f, 0, NULL), UV_EINVAL);
    ck_assert_int_eq(uva_future_fail(f, 5, NULL), UV_EINVAL);
    ck_assert(!uva_is_done(f));
    ck_assert_int_eq(uva_future_fail(f, -5, NULL), 0);
    ck_assert_int_eq(uva_await(f, NULL), -5);
    ck_assert_ptr_null(uva_last_message());
    return 0;
}

START_TEST(future_fails_only_with_negative_codes) {
    program_expect(bad_code_main);
}
END_TEST

static int message_main(void *arg) {
    (void)arg;
    uva_future_t *f = uva_future_new();
    ck_assert(uva_cancel_with(f, "too late"));
    ck_assert_str_eq(uva_message(f), "too late");
    ck_assert_int_eq(uva_await(f, NULL), UV_ECANCELED);
    ck_assert_str_eq(uva_last_message(), "too late");
    f = uva_future_new();
    ck_assert(uva_cancel(f));
    ck_assert_ptr_null(uva_message(f));
    ck_assert_int_eq(uva_await(f, NULL), UV_ECANCELED);
    ck_assert_ptr_null(uva_last_message());
    return 0;
}

START_TEST(future_cancelled_with_a_message) {
    CONFORMS("K-010");
    program_expect(message_main);
}
END_TEST

/* ---- waiting ------------------------------------------------------------ */

static uva_future_t *shared;

static int wait_for_shared(void *arg) {
    void *value = NULL;
    int code = uva_await(uva_ref(shared), &value);
    const char *message = uva_last_message();
    record("%s:%d:%s", (const char *)arg, code,
           message != NULL   ? message
           : value == &seven ? "seven"
                             : "none");
    return 0;
}

/* Three tasks wait in the order b, a, c.
 *
 * | main            | b       | a       | c       |
 * |                 | await   |         |         |
 * |                 |         | await   |         |
 * |                 |         |         | await   |
 * | resolve or fail |         |         |         |
 * | "done" <yield>  | resumes | resumes | resumes |  in one tick, in order
 */
static void end_with_waiters(int code) {
    shared = uva_future_new();
    uva_future_t *tasks[] = {uva_spawn(wait_for_shared, "b"),
                             uva_spawn(wait_for_shared, "a"),
                             uva_spawn(wait_for_shared, "c")};
    (void)uva_yield();
    if (code == 0)
        ck_assert_int_eq(uva_future_resolve(shared, &seven), 0);
    else
        ck_assert_int_eq(uva_future_fail(shared, code, "broken"), 0);
    record("done");
    (void)uva_yield();
    record("next");
    ck_assert_int_eq(uva_gather(tasks, 3, NULL), 0);
    uva_unref(shared);
}

static int waiters_main(void *arg) {
    (void)arg;
    end_with_waiters(0);
    end_with_waiters(-9);
    return 0;
}

START_TEST(future_resumes_its_waiters_in_order) {
    CONFORMS("K-008");
    program_expect(waiters_main);
    ck_expect_record("done b:0:seven a:0:seven c:0:seven next "
                     "done b:-9:broken a:-9:broken c:-9:broken next");
}
END_TEST

static int say(void *arg) {
    record("%s", (const char *)arg);
    return 0;
}

static int done_main(void *arg) {
    (void)arg;
    uva_future_t *f = uva_future_new();
    uva_task_t *other = uva_spawn(say, "other");
    ck_assert_int_eq(uva_future_resolve(f, &seven), 0);
    for (int i = 0; i < 100; i++)
        ck_assert_int_eq(uva_await(uva_ref(f), NULL), 0);
    record("main");
    uva_unref(f);
    return uva_await(other, NULL);
}

START_TEST(future_that_is_done_does_not_switch) {
    CONFORMS("K-009");
    program_expect(done_main);
    ck_expect_record("main other");
}
END_TEST

static int budget_main(void *arg) {
    (void)arg;
    uva_future_t *f = uva_future_new();
    uva_task_t *other = uva_spawn(say, "other");
    ck_assert_int_eq(uva_future_resolve(f, &seven), 0);
    for (int i = 0; i < 1000; i++)
        ck_assert_int_eq(uva_await(uva_ref(f), NULL), 0);
    record("main");
    uva_unref(f);
    return uva_await(other, NULL);
}

START_TEST(future_awaited_for_ever_starves_nobody) {
    program_expect(budget_main);
    ck_expect_record("other main");
}
END_TEST

/* ---- libuv's callbacks -------------------------------------------------- */

static void on_closed(uv_handle_t *handle) {
    (void)handle;
    record("closed");
}

static void complete_late(uv_timer_t *timer) {
    record("timer:%d", uva_future_resolve(timer->data, &seven));
    uv_close((uv_handle_t *)timer, on_closed);
    record("end");
}

/* A libuv timer of 1 ms that completes shared. */
static void start_timer(uv_timer_t *timer) {
    uv_loop_t *loop = uva_runtime_loop(uva_runtime_current());
    ck_assert_int_eq(uv_timer_init(loop, timer), 0);
    timer->data = shared;
    ck_assert_int_eq(uv_timer_start(timer, complete_late, 1, 0), 0);
}

static int late_timer_main(void *arg) {
    (void)arg;
    static uv_timer_t timer;
    shared = uva_future_new();
    start_timer(&timer);
    ck_assert(uva_cancel(shared));
    ck_assert_int_eq(uva_sleep(20), 0);
    ck_assert_int_eq(uva_status(shared), UV_ECANCELED);
    uva_unref(shared);
    return 0;
}

START_TEST(future_cancelled_before_its_timer) {
    CONFORMS("K-011");
    program_expect(late_timer_main);
    ck_expect_record("timer:-114 end closed");
}
END_TEST

static int timer_main(void *arg) {
    (void)arg;
    static uv_timer_t timer;
    void *value = NULL;
    shared = uva_future_new();
    start_timer(&timer);
    ck_assert_int_eq(uva_await(shared, &value), 0);
    ck_assert_ptr_eq(value, &seven);
    record("task");
    return uva_sleep(5);
}

/* The task does not run inside the callback, and before the loop polls. */
START_TEST(future_resolved_by_a_libuv_callback) {
    program_expect(timer_main);
    char seen[SUPPORT_RECORD_BYTES];
    support_record_take(seen);
    ck_assert(strcmp(seen, "timer:0 end task closed") == 0 ||
              strcmp(seen, "timer:0 end closed task") == 0);
}
END_TEST

/* ---- callbacks ---------------------------------------------------------- */

static void on_done(uva_future_t *f, void *arg) {
    ck_assert(uva_is_done(f));
    ck_assert_ptr_null(uva_current());
    record("%s:%d", (const char *)arg, uva_status(f));
}

static void other_on_done(uva_future_t *f, void *arg) {
    on_done(f, arg);
}

static void end_with_callbacks(int how) {
    uva_future_t *f = uva_future_new();
    ck_assert_int_eq(uva_on_done(f, on_done, "A"), 0);
    ck_assert_int_eq(uva_on_done(f, on_done, "B"), 0);
    if (how == 0)
        ck_assert_int_eq(uva_future_resolve(f, NULL), 0);
    else if (how == UV_ECANCELED)
        ck_assert(uva_cancel(f));
    else
        ck_assert_int_eq(uva_future_fail(f, how, NULL), 0);
    uva_unref(f);
    record("main");
    (void)uva_yield();
    record("next");
}

static int callbacks_main(void *arg) {
    (void)arg;
    end_with_callbacks(0);
    end_with_callbacks(-9);
    end_with_callbacks(UV_ECANCELED);
    return 0;
}

START_TEST(future_callbacks_run_in_the_next_tick) {
    CONFORMS("K-005");
    program_expect(callbacks_main);
    ck_expect_record("main A:0 B:0 next main A:-9 B:-9 next "
                     "main A:-125 B:-125 next");
}
END_TEST

static void add_another(uva_future_t *f, void *arg) {
    record("add");
    ck_assert_int_eq(uva_on_done(f, on_done, arg), 0);
    record("added");
}

/* A queues C while B is queued already: C comes after B. */
static int late_callback_main(void *arg) {
    (void)arg;
    uva_future_t *f = uva_future_new();
    ck_assert_int_eq(uva_future_resolve(f, NULL), 0);
    ck_assert_int_eq(uva_on_done(f, add_another, "C"), 0);
    ck_assert_int_eq(uva_on_done(f, on_done, "B"), 0);
    uva_unref(f);
    record("main");
    for (int i = 0; i < 3; i++)
        (void)uva_yield();
    return 0;
}

START_TEST(future_that_is_done_calls_back_later) {
    CONFORMS("K-006");
    program_expect(late_callback_main);
    ck_expect_record("main add added B:0 C:0");
}
END_TEST

static int remove_main(void *arg) {
    (void)arg;
    uva_future_t *f = uva_future_new();
    for (int i = 0; i < 6; i++) {
        ck_assert_int_eq(uva_on_done(f, on_done, "A"), 0);
        if (i == 3)
            ck_assert_int_eq(uva_on_done(f, other_on_done, "B"), 0);
    }
    ck_assert_int_eq(uva_remove_on_done(f, add_another), 0);
    ck_assert_int_eq(uva_remove_on_done(f, on_done), 6);
    ck_assert_int_eq(uva_remove_on_done(f, on_done), 0);
    ck_assert_int_eq(uva_future_resolve(f, NULL), 0);
    (void)uva_yield();
    ck_assert_int_eq(uva_remove_on_done(f, other_on_done), 0);
    uva_unref(f);
    return 0;
}

START_TEST(future_callbacks_can_be_removed) {
    CONFORMS("K-007");
    program_expect(remove_main);
    ck_expect_record("B:0");
}
END_TEST

static int remove_queued_main(void *arg) {
    (void)arg;
    uva_future_t *f = uva_future_new();
    ck_assert_int_eq(uva_on_done(f, on_done, "A"), 0);
    ck_assert_int_eq(uva_on_done(f, other_on_done, "B"), 0);
    ck_assert_int_eq(uva_future_resolve(f, NULL), 0);
    ck_assert_int_eq(uva_remove_on_done(f, on_done), 1);
    ck_assert_int_eq(uva_remove_on_done(f, on_done), 0);
    uva_unref(f);
    (void)uva_yield();
    return 0;
}

START_TEST(future_callbacks_can_be_removed_before_their_turn) {
    program_expect(remove_queued_main);
    ck_expect_record("B:0");
}
END_TEST

static int calls;

static void count_call(uva_future_t *f, void *arg) {
    (void)f;
    (void)arg;
    calls++;
}

/* The first callback drops the last outside reference, removes one kind of
 * callback and adds another. */
static void meddle(uva_future_t *f, void *arg) {
    (void)arg;
    calls += 1000;
    uva_unref(f);
    ck_assert_int_eq(uva_remove_on_done(f, other_on_done), 20);
    for (int i = 0; i < 20; i++)
        ck_assert_int_eq(uva_on_done(f, count_call, NULL), 0);
}

static int meddling_main(void *arg) {
    (void)arg;
    uva_future_t *f = uva_future_new();
    calls = 0;
    ck_assert_int_eq(uva_on_done(f, meddle, NULL), 0);
    for (int i = 0; i < 20; i++) {
        ck_assert_int_eq(uva_on_done(f, count_call, NULL), 0);
        ck_assert_int_eq(uva_on_done(f, other_on_done, "removed"), 0);
    }
    ck_assert_int_eq(uva_future_resolve(f, NULL), 0);
    for (int i = 0; i < 3; i++)
        (void)uva_yield();
    ck_assert_int_eq(calls, 1040);
    return 0;
}

START_TEST(future_callbacks_may_meddle_with_it) {
    CONFORMS("K-012");
    program_expect(meddling_main);
    ck_expect_record("");
}
END_TEST

/* Tasks and callbacks that wait for one future stand in one queue.
 *
 * | a     | main     | b     |
 * | await |          |       |
 * |       | on_done  |       |
 * |       |          | await |
 * |       | resolve  |       |  then a, the callback, b
 */
static int one_queue_main(void *arg) {
    (void)arg;
    shared = uva_future_new();
    uva_task_t *a = uva_spawn(wait_for_shared, "a");
    (void)uva_yield();
    ck_assert_int_eq(uva_on_done(shared, on_done, "callback"), 0);
    uva_task_t *b = uva_spawn(wait_for_shared, "b");
    (void)uva_yield();
    ck_assert_int_eq(uva_future_resolve(shared, &seven), 0);
    uva_unref(shared);
    ck_assert_int_eq(uva_await(a, NULL), 0);
    return uva_await(b, NULL);
}

START_TEST(future_queues_tasks_and_callbacks_together) {
    program_expect(one_queue_main);
    ck_expect_record("a:0:seven callback:0 b:0:seven");
}
END_TEST

/* ---- references --------------------------------------------------------- */

static uva_future_t *kept[3];

static int keeping_main(void *arg) {
    (void)arg;
    kept[0] = uva_future_new();
    kept[1] = uva_future_new();
    kept[2] = spawn_worker("w", 1, 5);
    ck_assert_int_eq(uva_future_fail(kept[0], -9, "why"), 0);
    ck_assert_int_eq(uva_on_done(kept[1], count_call, NULL), 0);
    return uva_await(uva_ref(kept[2]), NULL) - 5;
}

START_TEST(future_outlives_its_runtime) {
    calls = 0;
    program_expect(keeping_main);
    ck_assert_int_eq(uva_status(kept[0]), -9);
    ck_assert_str_eq(uva_message(kept[0]), "why");
    ck_assert_int_eq(uva_status(kept[1]), UV_EAGAIN);
    ck_assert_int_eq(uva_future_resolve(kept[1], &seven), 0);
    ck_assert_ptr_eq(uva_value(kept[1]), &seven);
    ck_assert_int_eq(uva_on_done(kept[1], count_call, NULL), UV_ESHUTDOWN);
    ck_assert_str_eq(uva_value(kept[2]), "w");
    ck_assert_str_eq(uva_name(kept[2]), "w");
    for (int i = 0; i < 3; i++)
        uva_unref(kept[i]);
    ck_assert_int_eq(calls, 0);
    ck_expect_record("w");
}
END_TEST

static int names_main(void *arg) {
    (void)arg;
    uva_future_t *f = uva_future_new();
    uva_future_t *shield = uva_shield(uva_ref(f));
    ck_assert_int_eq(strncmp(uva_name(f), "future-", 7), 0);
    ck_assert_int_eq(strncmp(uva_name(shield), "shield-", 7), 0);
    ck_assert_int_eq(uva_set_name(f, "answer"), 0);
    ck_assert_str_eq(uva_name(f), "answer");
    ck_assert_int_eq(uva_set_name(f, NULL), UV_EINVAL);
    ck_assert_int_eq(uva_cancelling(f), 0);
    ck_assert_int_eq(uva_uncancel(f), 0);
    uva_unref(f);
    uva_unref(shield);
    return 0;
}

START_TEST(future_has_a_name) {
    program_expect(names_main);
}
END_TEST

static int resolve_borrowed(void *f) {
    return uva_future_resolve(f, f);
}

/* The shield holds the only reference, and lets go of it when f completes. */
static int hold_by_shield(void *arg) {
    (void)arg;
    uva_future_t *f = uva_future_new();
    uva_future_t *shield = uva_shield(f);
    uva_task_t *task = uva_spawn(resolve_borrowed, f);
    void *value = NULL;
    ck_assert_int_eq(uva_await(shield, &value), 0);
    ck_assert_ptr_eq(value, f);
    return uva_await(task, NULL);
}

START_TEST(future_outlives_its_own_completion) {
    program_expect(hold_by_shield);
}
END_TEST

SUITE("future", future_is_pending_at_first, future_keeps_its_first_value,
      future_keeps_its_first_failure, future_keeps_its_cancellation,
      future_fails_only_with_negative_codes, future_cancelled_with_a_message,
      future_resumes_its_waiters_in_order, future_that_is_done_does_not_switch,
      future_awaited_for_ever_starves_nobody, future_cancelled_before_its_timer,
      future_resolved_by_a_libuv_callback,
      future_callbacks_run_in_the_next_tick,
      future_that_is_done_calls_back_later, future_callbacks_can_be_removed,
      future_callbacks_can_be_removed_before_their_turn,
      future_callbacks_may_meddle_with_it,
      future_queues_tasks_and_callbacks_together, future_outlives_its_runtime,
      future_has_a_name, future_outlives_its_own_completion)
