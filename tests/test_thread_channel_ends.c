/* labels: threads; timeout: 20 */
/* Channels from other threads: how they and their runtimes end, and storms. */
#include "thread_channel_fixture.h"

#include <stdatomic.h>

/* ---- ends --------------------------------------------------------------- */

static void close_it(void *arg) {
    (void)arg;
    uva_thread_channel_close(&jobs);
    uva_thread_channel_close(&jobs);
    ck_assert_int_eq(try_put(5), UV_EPIPE);
}

static int close_main(void *arg) {
    (void)arg;
    init(2);
    ck_assert_int_eq(try_put(1), 0);
    ck_assert_int_eq(try_put(2), 0);
    blocker_t thread = {.item = 3, .timeout_ms = UVA_FOREVER};
    uv_thread_t first = start(send_item, &thread);
    await_blocked(1);
    uva_task_t *task = uva_spawn(send_as, "t");
    ck_assert_int_eq(uva_yield(), 0);
    run_in_thread(close_it, NULL);
    join(first);
    ck_assert_int_eq(thread.code, UV_EPIPE);
    ck_assert_int_eq(receive_as("m"), 0);
    ck_assert_int_eq(uva_await(task, NULL), UV_EPIPE);
    ck_assert_int_eq(receive_as("m"), 0);
    ck_assert_int_eq(receive_as("m"), UV_EOF);
    ck_assert_int_eq(try_take(), UV_EOF);
    uva_thread_channel_free(&jobs);
    uva_thread_channel_free(&jobs);
    uva_thread_channel_free(NULL);
    ck_assert_int_eq(try_put(1), UV_EPIPE);
    ck_assert_int_eq(send_as("m"), UV_EPIPE);
    ck_assert_int_eq(receive_as("m"), UV_EOF);
    ck_assert_int_eq(try_take(), UV_EOF);
    uva_thread_channel_close(&jobs);
    return 0;
}

START_TEST(thread_channel_closed_by_a_thread) {
    run(close_main, NULL);
    ck_expect_record("m1:0 t:-32 m2:0 m-1:-4095 m:-32 m-1:-4095");
}
END_TEST

static int waiting_main(void *arg) {
    (void)arg;
    init(2);
    uva_future_t *f[] = {uva_spawn(receive_as, "a"),
                         uva_spawn(receive_as, "b")};
    ck_assert_int_eq(uva_yield(), 0);
    run_in_thread(close_it, NULL);
    int codes[2];
    ck_assert_int_eq(uva_gather_settled(f, 2, NULL, codes), 0);
    uva_thread_channel_free(&jobs);
    return 0;
}

START_TEST(thread_channel_closed_while_tasks_wait) {
    program_expect(waiting_main);
    ck_expect_record("a-1:-4095 b-1:-4095");
}
END_TEST

static void put_one(void *arg) {
    (void)arg;
    ck_assert_int_eq(try_put(1), 0);
}

/* | thread | a          | t                  | loop                    |
 * |        | recv       |                    |                         |
 * | put 1  |            |                    |                         |
 * |        |            | send: full, waits  |                         |
 * | close  |            |                    |                         |
 * |        |            |                    | hands 1 to a: t's item  |
 * |        | gets 1     | UV_EPIPE           | does not get in any more|
 */
static int late_room_main(void *arg) {
    (void)arg;
    init(1);
    uva_task_t *a = uva_spawn(receive_as, "a");
    ck_assert_int_eq(uva_yield(), 0);
    run_in_thread(put_one, NULL);
    uva_task_t *t =
        uva_spawn_with(&(uva_task_options_t){.eager = true}, send_as, "t");
    ck_assert(!uva_is_done(t));
    run_in_thread(close_it, NULL);
    ck_assert_int_eq(uva_await(a, NULL), 0);
    ck_assert_int_eq(uva_await(t, NULL), UV_EPIPE);
    ck_assert_int_eq(try_take(), UV_EOF);
    uva_thread_channel_free(&jobs);
    return 0;
}

START_TEST(thread_channel_closed_lets_nobody_in) {
    program_expect(late_room_main);
    ck_expect_record("a1:0 t:-32");
}
END_TEST

/* It is freed while threads block in it: they leave before it goes. */
static int free_main(void *arg) {
    (void)arg;
    for (int i = 0; i < (support_is_slow() ? 10 : 100); i++) {
        init(1);
        ck_assert_int_eq(try_put(1), 0);
        blocker_t threads[3];
        uv_thread_t id[3];
        for (int j = 0; j < 3; j++) {
            threads[j] = (blocker_t){.item = 2, .timeout_ms = UVA_FOREVER};
            id[j] = start(send_item, &threads[j]);
        }
        while (blocked() != 3)
            (void)sched_yield();
        uva_thread_channel_free(&jobs);
        memset(&jobs, 0xff, sizeof jobs);
        for (int j = 0; j < 3; j++) {
            join(id[j]);
            ck_assert_int_eq(threads[j].code, UV_EPIPE);
        }
    }
    return 0;
}

START_TEST(thread_channel_freed_while_threads_block) {
    run(free_main, NULL);
}
END_TEST

static blocker_t survivors[2];
static uv_thread_t survivor_ids[2];

static int leave_main(void *arg) {
    (void)arg;
    init(1);
    ck_assert_int_eq(try_put(1), 0);
    for (int i = 0; i < 2; i++) {
        survivors[i] =
            (blocker_t){.item = 2, .timeout_ms = i == 0 ? UVA_FOREVER : 60000};
        survivor_ids[i] = start(send_item, &survivors[i]);
    }
    await_blocked(2);
    return 0;
}

/* The runtime ends while threads block and the channel is open: they get to
 * know; what is left can still be taken, and the memory goes with the channel.
 */
START_TEST(thread_channel_outlives_its_runtime) {
    run(leave_main, NULL);
    for (int i = 0; i < 2; i++) {
        join(survivor_ids[i]);
        ck_assert_int_eq(survivors[i].code, UV_ESHUTDOWN);
    }
    ck_assert_int_eq(try_put(3), UV_ESHUTDOWN);
    ck_assert_int_eq(try_take(), 1);
    ck_assert_int_eq(try_take(), UV_EAGAIN);
    ck_assert_int_eq(try_put(3), UV_ESHUTDOWN);
    run_in_thread(send_item, &survivors[0]);
    ck_assert_int_eq(survivors[0].code, UV_ESHUTDOWN);
    run_in_thread(close_it, NULL);
    ck_assert_int_eq(try_take(), UV_EOF);
    uva_thread_channel_free(&jobs);
}
END_TEST

static int stuck_main(void *arg) {
    (void)arg;
    uva_event_t never = UVA_EVENT_INIT;
    init(1);
    ck_assert_int_eq(uva_event_wait(&never), UV_ECANCELED);
    uva_thread_channel_free(&jobs);
    return 0;
}

START_TEST(thread_channel_hides_no_deadlock) {
    ck_assert_int_eq(program_run(stuck_main, NULL), 0);
    ck_assert(support_reports_contain("deadlock"));
}
END_TEST

static void put_late(void *arg) {
    (void)arg;
    uv_sleep(30);
    ck_assert_int_eq(try_put(7), 0);
}

static int late_main(void *arg) {
    (void)arg;
    init(1);
    uv_thread_t thread = start(put_late, NULL);
    ck_assert_int_eq(receive_as("m"), 0);
    join(thread);
    uva_thread_channel_free(&jobs);
    return 0;
}

START_TEST(thread_channel_wait_is_no_deadlock) {
    program_expect(late_main);
    ck_expect_record("m7:0");
}
END_TEST

/* ---- storms ------------------------------------------------------------- */

enum { PRODUCERS = 4, CONSUMERS = 8 };

static atomic_int producers_left;
static int rounds;
static int received;
static bool was_received[PRODUCERS * 100000];
static uva_task_t *consumers[CONSUMERS];

/* In each of the three ways to send. */
static void produce(void *arg) {
    int self = *(int *)arg;
    for (int i = 0; i < rounds;) {
        int item = self * rounds + i;
        int code = i % 3 == 0 ? uva_thread_channel_try_send(&jobs, &item)
                   : i % 3 == 1
                       ? uva_thread_channel_send(&jobs, &item)
                       : uva_thread_channel_send_within(&jobs, &item, 1);
        ck_assert(code == 0 || code == UV_EAGAIN || code == UV_ETIMEDOUT);
        if (code == UV_EAGAIN)
            (void)sched_yield();
        i += code == 0;
    }
    if (atomic_fetch_sub(&producers_left, 1) == 1)
        uva_thread_channel_close(&jobs);
}

/* Each item once; to each consumer those of one producer in their order. */
static void note(int item, int due[PRODUCERS]) {
    if (item < 0 || item >= PRODUCERS * rounds || was_received[item])
        ck_abort_msg("item %d came twice, or was never sent", item);
    was_received[item] = true;
    if (item < due[item / rounds])
        ck_abort_msg("item %d is out of order", item);
    due[item / rounds] = item + 1;
    received++;
}

/* Others cancel it and it gives up, now and then. */
static int consume(void *arg) {
    unsigned random = (unsigned)(uintptr_t)arg;
    int due[PRODUCERS] = {0};
    for (;;) {
        random = random * 1103515245u + 12345u;
        uva_scope_t scope;
        uva_scope_open(&scope, random >> 28 == 0 ? 0 : UVA_FOREVER, 0);
        int item = -1;
        int code = uva_thread_channel_recv(&jobs, &item);
        (void)uva_scope_close(&scope);
        if (code == UV_EOF)
            return 0;
        ck_assert(code == 0 || code == UV_ECANCELED);
        if (code == 0)
            note(item, due);
        if (random >> 27 == 0)
            (void)uva_cancel(consumers[(random >> 20) % CONSUMERS]);
        while (uva_cancelling(uva_current()) > 0)
            (void)uva_uncancel(uva_current());
    }
}

static int storm_main(void *arg) {
    int count = *(int *)arg;
    int names[PRODUCERS];
    uv_thread_t threads[PRODUCERS];
    uva_future_t *f[CONSUMERS];
    init(16);
    atomic_store(&producers_left, PRODUCERS);
    for (int i = 0; i < CONSUMERS; i++)
        consumers[i] = NULL;
    for (int i = 0; i < count; i++) {
        f[i] = uva_spawn(consume, (void *)(uintptr_t)(i + 1));
        consumers[i] = uva_ref(f[i]);
    }
    ck_assert_int_eq(uva_yield(), 0);
    for (int i = 0; i < PRODUCERS; i++) {
        names[i] = i;
        threads[i] = start(produce, &names[i]);
    }
    ck_assert_int_eq(uva_gather(f, (size_t)count, NULL), 0);
    for (int i = 0; i < PRODUCERS; i++)
        join(threads[i]);
    for (int i = 0; i < count; i++)
        uva_unref(consumers[i]);
    ck_assert_int_eq(try_take(), UV_EOF);
    uva_thread_channel_free(&jobs);
    return 0;
}

START_TEST(thread_channel_loses_nothing_in_a_storm) {
    rounds = support_is_slow() ? 5000 : 100000;
    for (int count = 1; count <= CONSUMERS; count += CONSUMERS - 1) {
        received = 0;
        memset(was_received, 0, sizeof was_received);
        run(storm_main, &count);
        ck_assert_int_eq(received, PRODUCERS * rounds);
    }
}
END_TEST

static uva_thread_channel_t ends[2];

static void send_for_ever(void *arg) {
    int item = 1;
    while (uva_thread_channel_send(arg, &item) == 0)
        continue;
}

static int short_main(void *arg) {
    (void)arg;
    for (int i = 0; i < 2; i++)
        ck_assert_int_eq(uva_thread_channel_init(&ends[i], sizeof(int), 2), 0);
    for (int i = 0; i < 2; i++)
        survivor_ids[i] = start(send_for_ever, &ends[i]);
    for (int i = 0; i < 20; i++) {
        int item = 0;
        ck_assert_int_eq(uva_thread_channel_recv(&ends[i % 2], &item), 0);
        ck_assert_int_eq(item, 1);
    }
    return 0;
}

/* Threads send while the runtime ends: all of them come back. */
START_TEST(thread_channel_while_runtimes_end) {
    for (int i = 0; i < (support_is_slow() ? 20 : 200); i++) {
        run(short_main, NULL);
        for (int j = 0; j < 2; j++) {
            join(survivor_ids[j]);
            uva_thread_channel_free(&ends[j]);
        }
    }
}
END_TEST

SUITE("thread_channel_ends", thread_channel_closed_lets_nobody_in,
      thread_channel_closed_by_a_thread, thread_channel_closed_while_tasks_wait,
      thread_channel_freed_while_threads_block,
      thread_channel_outlives_its_runtime, thread_channel_hides_no_deadlock,
      thread_channel_wait_is_no_deadlock,
      thread_channel_loses_nothing_in_a_storm,
      thread_channel_while_runtimes_end)
