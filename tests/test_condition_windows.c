/* labels: valgrind; timeout: 60 */
/* Conditions whose waiters are cancelled: each comes back with the lock, and no
 * notification is lost. */
#include "condition_fixture.h"

/* ---- cancelled ---------------------------------------------------------- */

/* | waiter | main               |
 * | wait   |                    |
 * |        | acquire            |
 * |        | cancel             |   cut, but the lock is held
 * |        | cancel, once more  |   cannot be cut
 * |        | release            |
 * | -125   |                    |   holds the lock
 */
static int cancel_main(void *arg) {
    (void)arg;
    init();
    uva_task_t *task = uva_spawn(wait_once, "a");
    ck_assert_int_eq(uva_yield(), 0);
    ck_assert_int_eq(uva_lock_acquire(&lock), 0);
    ck_assert(uva_cancel(task));
    ck_assert_uint_eq(waiting(), 0);
    ck_assert_uint_eq(waiting_for_lock(), 1);
    char *text = program_dump();
    ck_assert_ptr_nonnull(strstr(text, "parked in condition's lock"));
    free(text);
    ck_assert_int_eq(uva_sleep(10), 0);
    ck_assert(uva_cancel(task));
    ck_assert_int_eq(uva_sleep(10), 0);
    ck_assert(!uva_is_done(task));
    record("release");
    ck_assert_int_eq(uva_lock_release(&lock), 0);
    ck_assert_int_eq(uva_await(task, NULL), UV_ECANCELED);
    expect_idle();
    return 0;
}

START_TEST(condition_gets_the_lock_back_when_cancelled) {
    CONFORMS("K-129");
    program_expect(cancel_main);
    ck_expect_record("release a:-125");
}
END_TEST

/* The lock is free: the cut hands it over at once. */
static int cancel_free_main(void *arg) {
    (void)arg;
    init();
    uva_task_t *task = uva_spawn(wait_once, "a");
    ck_assert_int_eq(uva_yield(), 0);
    ck_assert(!uva_lock_is_locked(&lock));
    ck_assert(uva_cancel(task));
    ck_assert(uva_lock_is_locked(&lock));
    ck_assert_int_eq(uva_await(task, NULL), UV_ECANCELED);
    expect_idle();
    return 0;
}

START_TEST(condition_gets_a_free_lock_when_cancelled) {
    CONFORMS("K-124", "K-129");
    program_expect(cancel_free_main);
    ck_expect_record("a:-125");
}
END_TEST

static int wait_in_scope(void *arg) {
    uva_scope_t scope;
    ck_assert_int_eq(uva_lock_acquire(&lock), 0);
    uva_scope_open(&scope, 10, 0);
    int code = uva_condition_wait(&condition, &lock);
    record("%s:%d:%d", (const char *)arg, code, uva_scope_close(&scope));
    return uva_lock_release(&lock);
}

/* Main holds the lock from 5 to 20, so that the limit at 10 passes while the
 * lock cannot be had. */
static int limit_main(void *arg) {
    (void)arg;
    init();
    uva_task_t *task = uva_spawn(wait_in_scope, "free");
    ck_assert_int_eq(uva_await(task, NULL), 0);
    task = uva_spawn(wait_in_scope, "held");
    ck_assert_int_eq(uva_sleep(5), 0);
    ck_assert_int_eq(uva_lock_acquire(&lock), 0);
    ck_assert_int_eq(uva_sleep(15), 0);
    ck_assert(!uva_is_done(task));
    ck_assert_int_eq(uva_lock_release(&lock), 0);
    ck_assert_int_eq(uva_await(task, NULL), 0);
    expect_idle();
    return 0;
}

START_TEST(condition_holds_the_lock_after_a_timeout) {
    CONFORMS("K-130");
    program_expect(limit_main);
    ck_expect_record("free:-125:-110 held:-125:-110");
}
END_TEST

/* A wait that is refused keeps the lock, and does not let go of it. */
static int refused_main(void *arg) {
    (void)arg;
    init();
    ck_assert_int_eq(uva_lock_acquire(&lock), 0);
    uva_task_t *other = uva_spawn(take, "other");
    ck_assert_int_eq(uva_yield(), 0);
    uva_scope_t scope;
    uva_scope_open(&scope, 0, 0);
    ck_assert_int_eq(uva_condition_wait(&condition, &lock), UV_ECANCELED);
    ck_assert_int_eq(uva_scope_close(&scope), UV_ETIMEDOUT);
    ck_assert_uint_eq(waiting_for_lock(), 1);
    record("main");
    ck_assert_int_eq(uva_lock_release(&lock), 0);
    ck_assert_int_eq(uva_await(other, NULL), 0);
    expect_idle();
    return 0;
}

START_TEST(condition_refuses_to_wait_when_cancelled) {
    CONFORMS("K-129");
    program_expect(refused_main);
    ck_expect_record("main other");
}
END_TEST

/* ---- windows ------------------------------------------------------------ */

static int wait_then_sleep(void *arg) {
    ck_assert_int_eq(uva_lock_acquire(&lock), 0);
    record("%s:%d", (const char *)arg, uva_condition_wait(&condition, &lock));
    ck_assert_held();
    record("sleep:%d", uva_sleep(1));
    return uva_lock_release(&lock);
}

/* What comes first decides; the lock is had either way.
 *
 * | in one tick             | wait         | then sleep   |
 * | notify, cancel, release | 0            | UV_ECANCELED |
 * | notify, release, cancel | 0            | UV_ECANCELED |
 * | cancel, notify, release | UV_ECANCELED | UV_ECANCELED |
 */
static int window_main(void *arg) {
    (void)arg;
    for (int cancel_at = 0; cancel_at < 3; cancel_at++) {
        init();
        uva_task_t *task = uva_spawn(wait_then_sleep, "w");
        ck_assert_int_eq(uva_yield(), 0);
        ck_assert_int_eq(uva_lock_acquire(&lock), 0);
        if (cancel_at == 2)
            ck_assert(uva_cancel(task));
        ck_assert_int_eq(uva_condition_notify(&condition, 1), cancel_at != 2);
        if (cancel_at == 0)
            ck_assert(uva_cancel(task));
        ck_assert_int_eq(uva_lock_release(&lock), 0);
        if (cancel_at == 1)
            ck_assert(uva_cancel(task));
        ck_assert_int_eq(uva_await(task, NULL), 0);
        expect_idle();
    }
    return 0;
}

START_TEST(condition_when_notify_and_cancel_meet) {
    program_expect(window_main);
    ck_expect_record("w:0 sleep:-125 w:0 sleep:-125 w:-125 sleep:-125");
}
END_TEST

/* | a, b, c | main     |
 * | wait    |          |
 * |         | cancel a |
 * |         | notify 1 |   b, not a: a cut one uses no notification up
 * |         | cancel b |   too late
 * |         | notify 1 |   c
 */
static int none_lost_main(void *arg) {
    (void)arg;
    init();
    uva_future_t *f[3];
    spawn_three(f);
    ck_assert_int_eq(uva_lock_acquire(&lock), 0);
    ck_assert(uva_cancel(f[0]));
    ck_assert_int_eq(uva_condition_notify(&condition, 1), 1);
    ck_assert(uva_cancel(f[1]));
    ck_assert_int_eq(uva_condition_notify(&condition, 1), 1);
    ck_assert_int_eq(uva_condition_notify(&condition, 1), 0);
    ck_assert_int_eq(uva_lock_release(&lock), 0);
    int codes[3];
    ck_assert_int_eq(uva_gather_settled(f, 3, NULL, codes), 0);
    ck_assert_int_eq(codes[0], UV_ECANCELED);
    ck_assert_int_eq(codes[1], 0);
    ck_assert_int_eq(codes[2], 0);
    expect_idle();
    return 0;
}

START_TEST(condition_loses_no_notification) {
    program_expect(none_lost_main);
    ck_expect_record("a:-125 b:0 c:0");
}
END_TEST

static int notify_at_10(void *arg) {
    (void)arg;
    ck_assert_int_eq(uva_sleep(10), 0);
    return notify(1);
}

/* The limit and the notification at the same moment. Deadlines of one moment
 * expire before any task runs, so the limit comes first, and the notification
 * goes to the next. */
static int same_moment_main(void *arg) {
    (void)arg;
    init();
    uva_future_t *f[] = {uva_spawn(wait_in_scope, "limit"),
                         uva_spawn(wait_once, "next"),
                         uva_spawn(notify_at_10, NULL)};
    ck_assert_int_eq(uva_gather(f, 3, NULL), 0);
    expect_idle();
    return 0;
}

START_TEST(condition_when_limit_and_notify_meet) {
    program_expect(same_moment_main);
    ck_expect_record("limit:-125:-110 next:0");
}
END_TEST

/* | a                | main                |
 * | wait             |                     |
 * |                  | acquire, cancel a   |
 * |                  | uncancel a          |   it was cut, and stays so
 * |                  | release             |
 * | -125, sleep: 0   |                     |
 */
static int uncancel_main(void *arg) {
    (void)arg;
    init();
    uva_task_t *task = uva_spawn(wait_then_sleep, "w");
    ck_assert_int_eq(uva_yield(), 0);
    ck_assert_int_eq(uva_lock_acquire(&lock), 0);
    ck_assert(uva_cancel(task));
    ck_assert_int_eq(uva_uncancel(task), 0);
    ck_assert_int_eq(uva_lock_release(&lock), 0);
    return uva_await(task, NULL);
}

START_TEST(condition_when_the_request_is_taken_back) {
    program_expect(uncancel_main);
    ck_expect_record("w:-125 sleep:0");
}
END_TEST

/* Cut ones stand in the lock's queue with those who acquire it. */
static int cut_order_main(void *arg) {
    (void)arg;
    init();
    uva_future_t *f[4];
    spawn_three(f);
    ck_assert_int_eq(uva_lock_acquire(&lock), 0);
    ck_assert(uva_cancel(f[2]));
    f[3] = uva_spawn(take, "taker");
    ck_assert_int_eq(uva_yield(), 0);
    ck_assert(uva_cancel(f[0]));
    ck_assert_int_eq(uva_condition_notify_all(&condition), 1);
    ck_assert_int_eq(uva_lock_release(&lock), 0);
    ck_assert_int_eq(uva_gather_settled(f, 4, NULL, NULL), 0);
    expect_idle();
    return 0;
}

START_TEST(condition_keeps_the_order_of_leaving) {
    program_expect(cut_order_main);
    ck_expect_record("c:-125 taker a:-125 b:0");
}
END_TEST

SUITE("condition_windows", condition_gets_the_lock_back_when_cancelled,
      condition_gets_a_free_lock_when_cancelled,
      condition_holds_the_lock_after_a_timeout,
      condition_refuses_to_wait_when_cancelled,
      condition_when_notify_and_cancel_meet, condition_loses_no_notification,
      condition_when_limit_and_notify_meet,
      condition_when_the_request_is_taken_back,
      condition_keeps_the_order_of_leaving)
