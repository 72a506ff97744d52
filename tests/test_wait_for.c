/* wait_for: a limit on one future, and what happens where things meet. */
#include "support/program.h"

#include <string.h>

#include "runtime/runtime.h"

static const uva_deadline_t *earliest(void) {
    return uva_runtime_current()->deadlines.earliest;
}

/* ---- in time, and late -------------------------------------------------- */

static int in_time_main(void *arg) {
    (void)arg;
    const char *value = NULL;
    ck_assert_int_eq(uva_wait_for(spawn_worker("a", 10, 5), 10000, &value), 5);
    ck_assert_str_eq(value, "a");
    ck_assert_int_eq(uva_wait_for(spawn_worker("b", 10, -9), 10000, NULL), -9);
    ck_assert_str_eq(uva_last_message(), "b failed");
    ck_assert_int_eq(uva_wait_for(worker_coroutine("c", 10, 0), 10000, NULL),
                     0);
    ck_assert_ptr_null(earliest());
    ck_assert_uint_eq(uva_now_ms(), 30);
    return 0;
}

START_TEST(wait_for_what_ends_in_time) {
    CONFORMS("K-065");
    program_expect(in_time_main);
    ck_expect_record("a b c");
}
END_TEST

static int late_main(void *arg) {
    (void)arg;
    void *value = arg;
    ck_assert_int_eq(uva_wait_for(spawn_worker("a", 100, 0), 10, &value),
                     UV_ETIMEDOUT);
    ck_assert_ptr_eq(value, arg);
    ck_assert_ptr_null(uva_last_message());
    ck_assert_uint_eq(uva_now_ms(), 10);
    ck_assert_int_eq(uva_wait_for(spawn_lingerer("b", 100, 200), 10, NULL),
                     UV_ETIMEDOUT);
    ck_assert_uint_eq(uva_now_ms(), 220);
    ck_assert_int_eq(uva_cancelling(uva_current()), 0);
    ck_assert_ptr_null(earliest());
    return uva_sleep(1);
}

START_TEST(wait_for_what_is_late) {
    CONFORMS("K-066");
    program_expect(late_main);
    ck_expect_record("a! b! b~");
}
END_TEST

/* Answers a cancellation with its own code. */
static int answer(void *arg) {
    int code = uva_sleep(100);
    record("cut:%d", code);
    code = *(int *)arg;
    return code < 0 ? uva_fail(code, "answered") : code;
}

static int answer_main(void *arg) {
    (void)arg;
    int failure = -9;
    int success = 42;
    ck_assert_int_eq(uva_wait_for(uva_spawn(answer, &failure), 10, NULL), -9);
    ck_assert_str_eq(uva_last_message(), "answered");
    ck_assert_int_eq(uva_wait_for(uva_spawn(answer, &success), 10, NULL), 42);
    return uva_sleep(1);
}

/* An answer of its own, also a success, is the outcome. */
START_TEST(wait_for_what_answers_the_limit) {
    CONFORMS("K-067");
    program_expect(answer_main);
    ck_expect_record("cut:-125 cut:-125");
}
END_TEST

static int zero_main(void *arg) {
    (void)arg;
    const char *value = NULL;
    uva_task_t *done = spawn_worker("done", 0, 3);
    uva_task_t *running = spawn_lingerer("running", 100, 20);
    ck_assert_int_eq(uva_sleep(1), 0);
    ck_assert_int_eq(uva_wait_for(done, 0, &value), 3);
    ck_assert_str_eq(value, "done");
    ck_assert_int_eq(uva_wait_for(running, 0, NULL), UV_ETIMEDOUT);
    ck_assert_uint_eq(uva_now_ms(), 21);
    ck_assert_int_eq(uva_wait_for(spawn_worker("fresh", 0, 0), 0, NULL),
                     UV_ETIMEDOUT);
    ck_assert_int_eq(uva_wait_for(worker_coroutine("never", 0, 0), 0, NULL),
                     UV_ETIMEDOUT);
    ck_assert_int_eq(uva_wait_for(uva_future_new(), 0, NULL), UV_ETIMEDOUT);
    ck_assert_int_eq(uva_cancelling(uva_current()), 0);
    return 0;
}

START_TEST(wait_for_no_time_at_all) {
    CONFORMS("K-068");
    program_expect(zero_main);
    ck_expect_record("done running! running~");
}
END_TEST

static int wait_for_it(void *arg) {
    uint64_t limit = *(uint64_t *)arg;
    int code = uva_wait_for(spawn_lingerer("w", 100, 200), limit, NULL);
    record("wait_for:%d", code);
    return code;
}

static int cancelled_main(void *arg) {
    (void)arg;
    uint64_t limits[] = {UVA_FOREVER, 1000};
    for (int i = 0; i < 2; i++) {
        uint64_t start = uva_now_ms();
        uva_task_t *task = uva_spawn(wait_for_it, &limits[i]);
        ck_assert_int_eq(uva_sleep(10), 0);
        ck_assert(uva_cancel_with(task, "enough"));
        ck_assert_int_eq(uva_await(task, NULL), UV_ECANCELED);
        ck_assert_str_eq(uva_last_message(), "enough");
        ck_assert_uint_eq(uva_now_ms() - start, 210);
    }
    return uva_wait_for(spawn_worker("in time", 10, 0), UVA_FOREVER, NULL);
}

START_TEST(wait_for_cancelled_ends_the_inner_task) {
    CONFORMS("K-069", "K-070");
    program_expect(cancelled_main);
    ck_expect_record("w! w~ wait_for:-125 w! w~ wait_for:-125 in time");
}
END_TEST

static int future_main(void *arg) {
    (void)arg;
    uva_future_t *f = uva_future_new();
    ck_assert_int_eq(uva_wait_for(uva_ref(f), 10, NULL), UV_ETIMEDOUT);
    ck_assert_int_eq(uva_status(f), UV_ECANCELED);
    ck_assert_int_eq(uva_cancelling(uva_current()), 0);
    uva_unref(f);
    return uva_sleep(1);
}

START_TEST(wait_for_a_bare_future) {
    CONFORMS("K-071");
    program_expect(future_main);
}
END_TEST

static int shield_main(void *arg) {
    (void)arg;
    uva_task_t *task = spawn_worker("w", 50, 3);
    for (uint64_t limit = 0; limit <= 10; limit += 10) {
        ck_assert_int_eq(uva_wait_for(uva_shield(uva_ref(task)), limit, NULL),
                         UV_ETIMEDOUT);
        ck_assert(!uva_is_done(task));
        ck_assert_int_eq(uva_cancelling(task), 0);
    }
    ck_assert_uint_eq(uva_now_ms(), 10);
    return uva_await(task, NULL) - 3;
}

START_TEST(wait_for_a_shield) {
    CONFORMS("K-072");
    program_expect(shield_main);
    ck_expect_record("w");
}
END_TEST

/* ---- things that meet --------------------------------------------------- */

static int wait_for_10(void *arg) {
    record("wait_for:%d", uva_wait_for(uva_ref(arg), 10, NULL));
    record("sleep:%d", uva_sleep(1));
    return 0;
}

/* What happens at the moment 10, before the waiter runs again. */
typedef enum { COMPLETE = 1, CANCEL = 2 } event_t;

typedef struct meeting {
    event_t first;
    event_t then;
    uva_future_t *f;
    uva_task_t *waiter;
} meeting_t;

static void make(const meeting_t *meeting, event_t event) {
    if (event == COMPLETE)
        (void)uva_future_resolve(meeting->f, NULL);
    if (event == CANCEL)
        ck_assert(uva_cancel(meeting->waiter));
}

/* `early`: just before the deadline in the same tick; else just after it. */
static void meet(event_t first, event_t then, bool early) {
    meeting_t meeting = {first, then, uva_future_new(), NULL};
    uint64_t start = uva_now_ms();
    if (early) {
        /* Main's own deadline is armed first, so it wakes first, and both
         * expire before either runs. */
        meeting.waiter = uva_spawn(wait_for_10, meeting.f);
        ck_assert_int_eq(uva_sleep(10), 0);
    } else {
        meeting.waiter = uva_spawn(wait_for_10, meeting.f);
        (void)uva_yield();
        ck_assert_int_eq(uva_sleep(9), 0);
    }
    make(&meeting, first);
    make(&meeting, then);
    ck_assert_uint_eq(uva_now_ms() - start, early ? 10 : 9);
    ck_assert_int_eq(uva_await(meeting.waiter, NULL), 0);
    uva_unref(meeting.f);
}

static int before_main(void *arg) {
    (void)arg;
    meet(COMPLETE, 0, false);
    meet(CANCEL, 0, false);
    meet(COMPLETE, CANCEL, false);
    meet(CANCEL, COMPLETE, false);
    return 0;
}

/* | before the limit     | wait_for     | the next park |
 * | complete             | 0            | 0             |
 * | cancel               | UV_ECANCELED | UV_ECANCELED  |
 * | complete, cancel     | 0            | UV_ECANCELED  |
 * | cancel (ends the     | UV_ECANCELED | UV_ECANCELED  |
 * |  future), complete   |              |               |
 */
START_TEST(wait_for_when_completion_and_cancellation_meet) {
    program_expect(before_main);
    ck_expect_record("wait_for:0 sleep:0 wait_for:-125 sleep:-125 "
                     "wait_for:0 sleep:-125 wait_for:-125 sleep:-125");
}
END_TEST

static int at_limit_main(void *arg) {
    (void)arg;
    meet(0, 0, true);
    meet(COMPLETE, 0, true);
    meet(CANCEL, 0, true);
    return 0;
}

/* The deadline has ended the future; the waiter has not run yet.
 *
 * | then, in the same tick | wait_for     | the next park |
 * | nothing                | UV_ETIMEDOUT | 0             |
 * | complete: too late     | UV_ETIMEDOUT | 0             |
 * | cancel                 | UV_ECANCELED | UV_ECANCELED  |
 */
START_TEST(wait_for_when_the_limit_and_others_meet) {
    program_expect(at_limit_main);
    ck_expect_record("wait_for:-110 sleep:0 wait_for:-110 sleep:0 "
                     "wait_for:-125 sleep:-125");
}
END_TEST

/* | main        | waiter           | w              |
 * |             | wait_for(w, 10)  | sleep 100      |
 * |             | at 10: cut w     |                |
 * |             |                  | lingers 200 ms |
 * | 20: cancel  |                  |                |
 * |             | returns at 210   |                |   cancelled, not late
 */
static int late_and_cancelled_main(void *arg) {
    (void)arg;
    uint64_t limit = 10;
    uva_task_t *task = uva_spawn(wait_for_it, &limit);
    ck_assert_int_eq(uva_sleep(20), 0);
    ck_assert(uva_cancel(task));
    ck_assert_int_eq(uva_await(task, NULL), UV_ECANCELED);
    ck_assert_uint_eq(uva_now_ms(), 210);
    return 0;
}

START_TEST(wait_for_late_and_then_cancelled) {
    program_expect(late_and_cancelled_main);
    ck_expect_record("w! w~ wait_for:-125");
}
END_TEST

static int inner_wait(void *arg) {
    uint64_t limit = *(uint64_t *)arg;
    int code = uva_wait_for(spawn_worker("w", 100, 0), limit, NULL);
    record("inner:%d", code);
    if (code == UV_ETIMEDOUT)
        code = uva_sleep(100);
    record("sleep:%d", code);
    return code;
}

static int nested_main(void *arg) {
    (void)arg;
    uint64_t limits[] = {10, 20, 30};
    for (int i = 0; i < 3; i++)
        record("outer:%d",
               uva_wait_for(uva_spawn(inner_wait, &limits[i]), 20, NULL));
    ck_assert_uint_eq(uva_now_ms(), 60);
    return 0;
}

/* Limits of 10, 20 and 30 inside one of 20: what is further out wins a tie. */
START_TEST(wait_for_inside_wait_for) {
    program_expect(nested_main);
    ck_expect_record("w! inner:-110 sleep:-125 outer:-110 "
                     "w! inner:-125 sleep:-125 outer:-110 "
                     "w! inner:-125 sleep:-125 outer:-110");
}
END_TEST

static int rounds_main(void *arg) {
    (void)arg;
    int rounds = support_is_slow() ? 1000 : 10000;
    for (int i = 0; i < rounds; i++) {
        uva_task_t *task = uva_spawn(worker, &(worker_t){"", 2, 0, 0});
        int code = uva_wait_for(task, i % 2 == 0 ? 1 : 3, NULL);
        ck_assert_int_eq(code, i % 2 == 0 ? UV_ETIMEDOUT : 0);
        char seen[SUPPORT_RECORD_BYTES];
        support_record_take(seen);
    }
    ck_assert_ptr_null(earliest());
    ck_assert_uint_eq(uva_all_tasks(uva_runtime_current(), NULL, 0), 1);
    return uva_yield();
}

START_TEST(wait_for_leaves_nothing_after_many_rounds) {
    program_expect(rounds_main);
}
END_TEST

SUITE("wait_for", wait_for_what_ends_in_time, wait_for_what_is_late,
      wait_for_what_answers_the_limit, wait_for_no_time_at_all,
      wait_for_cancelled_ends_the_inner_task, wait_for_a_bare_future,
      wait_for_a_shield, wait_for_when_completion_and_cancellation_meet,
      wait_for_when_the_limit_and_others_meet, wait_for_late_and_then_cancelled,
      wait_for_inside_wait_for, wait_for_leaves_nothing_after_many_rounds)
