/* labels: threads; timeout: 20 */
/* Channels from other threads to tasks. */
#include "thread_channel_fixture.h"

/* ---- from a thread to tasks --------------------------------------------- */

static void put_three(void *arg) {
    (void)arg;
    for (int i = 1; i <= 3; i++)
        ck_assert_int_eq(try_put(i), 0);
    ck_assert_int_eq(try_put(4), UV_EAGAIN);
}

static int order_main(void *arg) {
    (void)arg;
    init(3);
    uva_future_t *f[] = {uva_spawn(receive_as, "a"), uva_spawn(receive_as, "b"),
                         uva_spawn(receive_as, "c")};
    ck_assert_int_eq(uva_yield(), 0);
    unsigned long sends = faults_calls(FAULT_UV_ASYNC_SEND);
    unsigned long allocations = faults_allocations();
    run_in_thread(put_three, NULL);
    /* One wake-up for a burst, and nothing per item but a copy. */
    ck_assert_uint_eq(faults_calls(FAULT_UV_ASYNC_SEND), sends + 1);
    ck_assert_uint_eq(faults_allocations(), allocations);
    ck_assert_int_eq(uva_gather(f, 3, NULL), 0);
    ck_assert_int_eq(try_take(), UV_EAGAIN);
    uva_thread_channel_free(&jobs);
    return 0;
}

START_TEST(thread_channel_serves_tasks_in_their_order) {
    program_expect(order_main);
    ck_expect_record("a1:0 b2:0 c3:0");
}
END_TEST

/* Items that have come and were not handed out yet are those of the tasks that
 * wait: nobody who comes later gets in before them. */
static int barge_main(void *arg) {
    (void)arg;
    init(3);
    uva_task_t *a = uva_spawn(receive_as, "a");
    ck_assert_int_eq(uva_yield(), 0);
    run_in_thread(put_three, NULL);
    ck_assert_int_eq(try_take(), 2);
    ck_assert_int_eq(receive_as("main"), 0);
    ck_assert_int_eq(uva_await(a, NULL), 0);
    uva_thread_channel_free(&jobs);
    return 0;
}

START_TEST(thread_channel_lets_nobody_barge_in) {
    program_expect(barge_main);
    ck_expect_record("main3:0 a1:0");
}
END_TEST

/* In the loop's own thread items are handed out at once, and a task that sends
 * waits for room. */
static int own_main(void *arg) {
    (void)arg;
    init(1);
    uva_task_t *a = uva_spawn(receive_as, "a");
    ck_assert_int_eq(uva_yield(), 0);
    ck_assert_int_eq(try_put(1), 0);
    ck_assert_int_eq(try_put(2), 0);
    ck_assert_int_eq(try_put(3), UV_EAGAIN);
    ck_assert_int_eq(uva_await(a, NULL), 0);
    uva_future_t *f[] = {uva_spawn(send_as, "x"), uva_spawn(send_as, "y")};
    ck_assert_int_eq(uva_yield(), 0);
    ck_assert_int_eq(try_take(), 2);
    /* The place was x's at once. */
    ck_assert_int_eq(try_put(4), UV_EAGAIN);
    ck_assert_int_eq(try_take(), 'x');
    ck_assert_int_eq(uva_gather(f, 2, NULL), 0);
    ck_assert_int_eq(try_take(), 'y');
    ck_assert_int_eq(try_take(), UV_EAGAIN);
    int item = 9;
    ck_assert_int_eq(uva_thread_channel_send_within(&jobs, &item, 5), 0);
    ck_assert_int_eq(uva_thread_channel_send_within(&jobs, &item, 5),
                     UV_ETIMEDOUT);
    ck_assert_int_eq(try_take(), 9);
    uva_thread_channel_free(&jobs);
    return 0;
}

START_TEST(thread_channel_in_its_own_thread) {
    program_expect(own_main);
    ck_expect_record("a1:0 x:0 y:0");
}
END_TEST

/* ---- threads that block ------------------------------------------------- */

static int block_main(void *arg) {
    (void)arg;
    init(1);
    ck_assert_int_eq(try_put(1), 0);
    blocker_t late = {.item = 2, .timeout_ms = 10};
    run_in_thread(send_item, &late);
    ck_assert_int_eq(late.code, UV_ETIMEDOUT);
    blocker_t brief = {.item = 2};
    run_in_thread(send_item, &brief);
    ck_assert_int_eq(brief.code, UV_ETIMEDOUT);
    blocker_t patient = {.item = 3, .timeout_ms = UVA_FOREVER};
    blocker_t almost = {.item = 4, .timeout_ms = UVA_FOREVER - 1};
    uv_thread_t first = start(send_item, &patient);
    await_blocked(1);
    uv_thread_t second = start(send_item, &almost);
    await_blocked(2);
    int sum = 0, item;
    for (int i = 0; i < 3; i++) {
        ck_assert_int_eq(uva_thread_channel_recv(&jobs, &item), 0);
        sum += item;
    }
    ck_assert_int_eq(sum, 1 + 3 + 4);
    join(first);
    join(second);
    ck_assert_int_eq(patient.code, 0);
    ck_assert_int_eq(almost.code, 0);
    ck_assert_uint_eq(blocked(), 0);
    ck_assert_int_eq(try_take(), UV_EAGAIN);
    uva_thread_channel_free(&jobs);
    return 0;
}

START_TEST(thread_channel_blocks_threads_while_full) {
    run(block_main, NULL);
}
END_TEST

/* A task that waits for room comes before a thread that does. */
static int mixed_main(void *arg) {
    (void)arg;
    init(1);
    ck_assert_int_eq(try_put(1), 0);
    blocker_t thread = {.item = 2, .timeout_ms = UVA_FOREVER};
    uv_thread_t first = start(send_item, &thread);
    await_blocked(1);
    uva_task_t *task = uva_spawn(send_as, "t");
    ck_assert_int_eq(uva_yield(), 0);
    ck_assert_int_eq(try_take(), 1);
    ck_assert_int_eq(try_take(), 't');
    ck_assert_int_eq(uva_await(task, NULL), 0);
    int item = -1;
    ck_assert_int_eq(uva_thread_channel_recv(&jobs, &item), 0);
    ck_assert_int_eq(item, 2);
    join(first);
    uva_thread_channel_free(&jobs);
    return 0;
}

START_TEST(thread_channel_tasks_before_threads) {
    run(mixed_main, NULL);
    ck_expect_record("t:0");
}
END_TEST

/* ---- windows ------------------------------------------------------------ */

static uva_task_t *window_task;

static int receive_and_cancel(void *arg) {
    ck_assert_int_eq(receive_as(arg), 0);
    ck_assert(uva_cancel(window_task));
    return 0;
}

static void put_two(void *arg) {
    (void)arg;
    ck_assert_int_eq(try_put(6), 0);
    ck_assert_int_eq(try_put(7), 0);
}

/* | thread     | loop                | k             | a                  |
 * |            |                     | recv          | recv               |
 * | put 6, 7   |                     |               |                    |
 * |            | poll: hands out     | granted 6     | granted 7          |
 * |            |                     | runs          |                    |
 * |            |                     | cancels a     |                    |
 * |            |                     |               | gets 7 all the same|
 */
static int granted_main(void *arg) {
    (void)arg;
    init(2);
    uva_task_t *k = uva_spawn(receive_and_cancel, "k");
    window_task = uva_spawn(receive_as, "a");
    uva_ref(window_task);
    ck_assert_int_eq(uva_yield(), 0);
    run_in_thread(put_two, NULL);
    ck_assert_int_eq(uva_await(window_task, NULL), 0);
    ck_assert_int_eq(uva_await(k, NULL), 0);
    uva_unref(window_task);
    uva_thread_channel_free(&jobs);
    return 0;
}

START_TEST(thread_channel_granted_then_cancelled) {
    program_expect(granted_main);
    ck_expect_record("k6:0 a7:0");
}
END_TEST

static void put_seven(void *arg) {
    (void)arg;
    ck_assert_int_eq(try_put(7), 0);
}

/* | main           | a              | channel     |
 * |                | recv: waits    |             |
 * | thread: put 7  |                | 7, pinged   |
 * | cancel a       | UV_ECANCELED   |             |
 * | poll: ping     |                | 7 stays     |
 */
static int cancelled_main(void *arg) {
    (void)arg;
    init(2);
    uva_task_t *a = uva_spawn(receive_as, "a");
    ck_assert_int_eq(uva_yield(), 0);
    run_in_thread(put_seven, NULL);
    ck_assert(uva_cancel(a));
    ck_assert_int_eq(uva_await(a, NULL), UV_ECANCELED);
    ck_assert_int_eq(uva_sleep(1), 0);
    ck_assert_int_eq(try_take(), 7);
    uva_thread_channel_free(&jobs);
    return 0;
}

START_TEST(thread_channel_cancelled_then_sent) {
    program_expect(cancelled_main);
    ck_expect_record("a-1:-125");
}
END_TEST

/* The channel goes between wake and run. */
static int gone_main(void *arg) {
    (void)arg;
    init(1);
    uva_task_t *a = uva_spawn(receive_as, "a");
    uva_task_t *b = uva_spawn(receive_as, "b");
    ck_assert_int_eq(uva_yield(), 0);
    run_in_thread(put_seven, NULL);
    uva_thread_channel_free(&jobs);
    memset(&jobs, 0xff, sizeof jobs);
    ck_assert_int_eq(uva_await(a, NULL), 0);
    ck_assert_int_eq(uva_await(b, NULL), UV_EOF);
    init(1);
    ck_assert_int_eq(try_put(1), 0);
    a = uva_spawn(send_as, "a");
    b = uva_spawn(send_as, "b");
    ck_assert_int_eq(uva_yield(), 0);
    ck_assert_int_eq(try_take(), 1);
    uva_thread_channel_free(&jobs);
    memset(&jobs, 0xff, sizeof jobs);
    ck_assert_int_eq(uva_await(a, NULL), 0);
    ck_assert_int_eq(uva_await(b, NULL), UV_EPIPE);
    return 0;
}

START_TEST(thread_channel_freed_between_wake_and_run) {
    program_expect(gone_main);
    ck_expect_record("a7:0 b-1:-4095 a:0 b:-32");
}
END_TEST

/* ---- misuse and failures ------------------------------------------------ */

static void touch_from_elsewhere(void *arg) {
    (void)arg;
    ck_assert_int_eq(try_take(), UV_EPERM);
    uva_thread_channel_free(&jobs);
    ck_assert_int_eq(uva_thread_channel_init(&(uva_thread_channel_t){0}, 4, 4),
                     UV_EPERM);
    ck_assert_int_eq(receive_as("none"), UV_EPERM);
    ck_assert_int_eq(program_run(receive_as, "other"), UV_EPERM);
    ck_assert_int_eq(try_put(1), 0);
}

static int callback_code;

static void send_in_callback(void *arg) {
    callback_code = uva_thread_channel_send(&jobs, arg);
}

static int misuse_main(void *arg) {
    (void)arg;
    int item = 0;
    uva_thread_channel_t bad;
    ck_assert_int_eq(uva_thread_channel_init(&bad, 4, 0), UV_EINVAL);
    ck_assert_int_eq(uva_thread_channel_init(&bad, SIZE_MAX / 4, 8), UV_EINVAL);
    uva_thread_channel_free(&bad);
    ck_assert_int_eq(uva_thread_channel_send(&bad, &item), UV_EPIPE);
    init(1);
    ck_assert_int_eq(uva_thread_channel_send(&jobs, NULL), UV_EINVAL);
    ck_assert_int_eq(uva_thread_channel_try_send(&jobs, NULL), UV_EINVAL);
    ck_assert_int_eq(uva_thread_channel_recv(&jobs, NULL), UV_EINVAL);
    ck_assert_int_eq(uva_thread_channel_try_recv(&jobs, NULL), UV_EINVAL);
    run_in_thread(touch_from_elsewhere, NULL);
    ck_assert_int_eq(try_take(), 1);
    /* There is room, and yet: it might block the loop another time. */
    ck_assert_int_eq(uva_post(uva_runtime_current(), send_in_callback, &item),
                     0);
    ck_assert_int_eq(uva_sleep(1), 0);
    ck_assert_int_eq(callback_code, UV_EPERM);
    uva_thread_channel_free(&jobs);
    return 0;
}

START_TEST(thread_channel_misused) {
    ck_assert_int_eq(program_run(misuse_main, NULL), 0);
    ck_expect_record("none-1:-1 other-1:-1");
    ck_assert_uint_eq(support_report_count(), 2);
    ck_assert(support_reports_contain("belongs to another runtime"));
    ck_assert(support_reports_contain("outside a task"));
}
END_TEST

static int no_time_main(void *arg) {
    (void)arg;
    enum { ITEMS = 300 };
    ck_assert_int_eq(uva_thread_channel_init(&jobs, sizeof(int), ITEMS), 0);
    for (int i = 0; i < ITEMS; i++)
        ck_assert_int_eq(uva_thread_channel_send_within(&jobs, &i, 0), 0);
    int item = ITEMS;
    ck_assert_int_eq(uva_thread_channel_send_within(&jobs, &item, 0),
                     UV_ETIMEDOUT);
    uva_thread_channel_statistics_t seen;
    uva_thread_channel_statistics(&jobs, &seen);
    ck_assert_uint_eq(seen.size, ITEMS);
    uva_thread_channel_free(&jobs);
    return 0;
}

/* More sends than the cooperative budget has: the yield at its end must not be
 * taken for a wait that there was no time for. */
START_TEST(thread_channel_without_time_to_wait) {
    program_expect(no_time_main);
}
END_TEST

static int faults_main(void *arg) {
    (void)arg;
    const fault_t faults[] = {FAULT_MALLOC, FAULT_UV_MUTEX_INIT,
                              FAULT_UV_COND_INIT};
    for (size_t i = 0; i < sizeof faults / sizeof faults[0]; i++) {
        faults_fail(faults[i], 1);
        ck_assert_int_eq(uva_thread_channel_init(&jobs, 4, 4), UV_ENOMEM);
        ck_assert_uint_eq(faults_clear(), 1);
        ck_assert_int_eq(try_put(1), UV_EPIPE);
        uva_thread_channel_free(&jobs);
    }
    return 0;
}

START_TEST(thread_channel_when_memory_is_short) {
    program_expect(faults_main);
}
END_TEST

static int look_main(void *arg) {
    (void)arg;
    ck_assert_int_eq(uva_thread_channel_init(&jobs, 0, 2), 0);
    uva_thread_channel_set_name(&jobs, "jobs");
    ck_assert_int_eq(uva_thread_channel_send(&jobs, NULL), 0);
    ck_assert_int_eq(uva_thread_channel_recv(&jobs, NULL), 0);
    uva_future_t *f[] = {uva_spawn(receive_as, "a"),
                         uva_spawn(receive_as, "b")};
    ck_assert_int_eq(uva_yield(), 0);
    uva_thread_channel_statistics_t seen;
    uva_thread_channel_statistics(&jobs, &seen);
    ck_assert_str_eq(seen.name, "jobs");
    ck_assert_uint_eq(seen.capacity, 2);
    ck_assert_uint_eq(seen.receiving, 2);
    ck_assert_uint_eq(seen.sending, 0);
    char *text = program_dump();
    ck_assert_ptr_nonnull(
        strstr(text, "parked in thread channel recv 'jobs'  ("));
    ck_assert_ptr_nonnull(strstr(text, "'jobs' (1 waiter ahead)  ("));
    free(text);
    for (int i = 0; i < 4; i++)
        ck_assert_int_eq(uva_thread_channel_try_send(&jobs, NULL), 0);
    ck_assert_int_eq(uva_gather(f, 2, NULL), 0);
    uva_thread_channel_statistics(&jobs, &seen);
    ck_assert_uint_eq(seen.size, 2);
    ck_assert_uint_eq(seen.receiving, 0);
    ck_assert(!seen.is_closed);
    uva_thread_channel_free(&jobs);
    uva_thread_channel_statistics(&jobs, &seen);
    ck_assert(seen.is_closed);
    ck_assert_uint_eq(seen.size, 0);
    return 0;
}

START_TEST(thread_channel_tells_how_it_stands) {
    program_expect(look_main);
    ck_expect_record("a-1:0 b-1:0");
}
END_TEST

SUITE("thread_channel", thread_channel_serves_tasks_in_their_order,
      thread_channel_lets_nobody_barge_in, thread_channel_in_its_own_thread,
      thread_channel_blocks_threads_while_full,
      thread_channel_tasks_before_threads,
      thread_channel_granted_then_cancelled, thread_channel_cancelled_then_sent,
      thread_channel_freed_between_wake_and_run,
      thread_channel_without_time_to_wait, thread_channel_misused,
      thread_channel_when_memory_is_short, thread_channel_tells_how_it_stands)
