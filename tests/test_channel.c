/* labels: valgrind; timeout: 30 */
/* Channels: what passes, in which order, and what the end of a channel means.
 * The windows and the storms are in test_channel_windows.c, misuse in
 * test_channel_misuse.c. */
#include "channel_fixture.h"

static int send_int(const void *arg) {
    int item = *(const int *)arg;
    return uva_channel_send(&channel, &item);
}

static int sender(void *arg) {
    int code = send_int(arg);
    record("sent-%d:%d", *(const int *)arg, code);
    return 0;
}

static int receiver(void *arg) {
    int item = -1;
    int code = uva_channel_recv(&channel, &item);
    record("%s:%d:%d", (const char *)arg, code, item);
    return 0;
}

static uva_task_t *spawn_sender(int item) {
    return uva_spawn_with(&(uva_task_options_t){.copy = &item,
                                                .copy_bytes = sizeof item,
                                                .eager = true},
                          sender, NULL);
}

static uva_task_t *spawn_receiver(const char *name) {
    return uva_spawn_with(&(uva_task_options_t){.eager = true}, receiver,
                          (void *)(uintptr_t)name);
}

/* ---- sending and receiving ---------------------------------------------- */

static int capacity_main(void *arg) {
    (void)arg;
    int item;
    init(3);
    for (int i = 1; i <= 3; i++)
        ck_assert_int_eq(uva_channel_send(&channel, &i), 0);
    ck_assert_int_eq(uva_channel_try_send(&channel, &(int){9}), UV_EAGAIN);
    uva_task_t *four = spawn_sender(4);
    ck_assert(!uva_is_done(four));
    /* The place that is free at once is the waiting sender's. */
    ck_assert_int_eq(uva_channel_recv(&channel, &item), 0);
    ck_assert_int_eq(item, 1);
    ck_assert_int_eq(uva_channel_try_send(&channel, &(int){9}), UV_EAGAIN);
    ck_assert_int_eq(uva_await(four, NULL), 0);
    for (int i = 2; i <= 4; i++) {
        ck_assert_int_eq(uva_channel_try_recv(&channel, &item), 0);
        ck_assert_int_eq(item, i);
    }
    ck_assert_int_eq(uva_channel_try_recv(&channel, &item), UV_EAGAIN);
    ck_assert_int_eq(item, 4);
    finish();
    /* Not bounded by memory is what a channel never is: a queue can be. */
    ck_assert_int_eq(uva_channel_init(&channel, 2, (size_t)-1), UV_EINVAL);
    return 0;
}

START_TEST(channel_holds_its_capacity) {
    CONFORMS("K-152");
    program_expect(capacity_main);
    ck_expect_record("sent-4:0");
}
END_TEST

static int rendezvous_main(void *arg) {
    (void)arg;
    init(0);
    int item = 7;
    ck_assert_int_eq(uva_channel_try_send(&channel, &item), UV_EAGAIN);
    ck_assert_int_eq(uva_channel_try_recv(&channel, &item), UV_EAGAIN);
    uva_task_t *task = spawn_sender(1);
    ck_assert(!uva_is_done(task));
    ck_assert_int_eq(uva_channel_recv(&channel, &item), 0);
    ck_assert_int_eq(item, 1);
    ck_assert_int_eq(uva_await(task, NULL), 0);
    task = spawn_receiver("r");
    ck_assert(!uva_is_done(task));
    ck_assert_int_eq(uva_channel_send(&channel, &(int){2}), 0);
    ck_assert_int_eq(uva_await(task, NULL), 0);
    task = spawn_sender(3);
    ck_assert_int_eq(uva_channel_try_recv(&channel, &item), 0);
    ck_assert_int_eq(item, 3);
    ck_assert_int_eq(uva_channel_try_recv(&channel, &item), UV_EAGAIN);
    ck_assert_int_eq(uva_await(task, NULL), 0);
    task = spawn_receiver("s");
    ck_assert_int_eq(uva_channel_try_send(&channel, &(int){4}), 0);
    ck_assert_int_eq(uva_channel_try_send(&channel, &(int){5}), UV_EAGAIN);
    ck_assert_int_eq(uva_await(task, NULL), 0);
    finish();
    return 0;
}

START_TEST(channel_without_capacity_is_a_rendezvous) {
    CONFORMS("K-153");
    program_expect(rendezvous_main);
    ck_expect_record("sent-1:0 r:0:2 sent-3:0 s:0:4");
}
END_TEST

/* Items of every size keep their bytes, in rings that go round. */
static int sizes_main(void *arg) {
    (void)arg;
    static const size_t sizes[] = {1, 3, 4, 7, 8, 9, 16, 1000};
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
        unsigned char in[1001], out[1001];
        ck_assert_int_eq(uva_channel_init(&channel, sizes[i], 3), 0);
        for (int round = 0; round < 20; round++) {
            memset(in, round, sizeof in);
            ck_assert_int_eq(uva_channel_send(&channel, in), 0);
            if (round < 2)
                continue;
            memset(out, 0xee, sizeof out);
            ck_assert_int_eq(uva_channel_recv(&channel, out), 0);
            memset(in, round - 2, sizeof in);
            ck_assert_mem_eq(in, out, sizes[i]);
            ck_assert_int_eq(out[sizes[i]], 0xee);
        }
        finish();
    }
    return 0;
}

START_TEST(channel_of_items_of_every_size) {
    program_expect(sizes_main);
}
END_TEST

/* A signal has no bytes, so it needs no memory: no ring is made, and there may
 * be very many. */
static int signals_main(void *arg) {
    (void)arg;
    unsigned long before = faults_allocations();
    ck_assert_int_eq(uva_channel_init(&channel, 0, SIZE_MAX), 0);
    for (int i = 0; i < 1000; i++)
        ck_assert_int_eq(uva_channel_send(&channel, NULL), 0);
    char untouched = 'x';
    for (int i = 0; i < 1000; i++)
        ck_assert_int_eq(uva_channel_recv(&channel, &untouched), 0);
    ck_assert_int_eq(untouched, 'x');
    ck_assert_int_eq(uva_channel_try_recv(&channel, NULL), UV_EAGAIN);
    uva_channel_free(&channel);
    ck_assert_int_eq(uva_channel_init(&channel, 0, 0), 0);
    ck_assert_uint_eq(faults_allocations(), before);
    uva_task_t *task = spawn_receiver("signal");
    ck_assert_int_eq(uva_channel_send(&channel, NULL), 0);
    ck_assert_int_eq(uva_await(task, NULL), 0);
    uva_channel_free(&channel);
    return 0;
}

START_TEST(channel_of_signals) {
    program_expect(signals_main);
    ck_expect_record("signal:0:-1");
}
END_TEST

static int callback_runs;

static void from_callback(uv_timer_t *timer) {
    int item = callback_runs++;
    (void)uva_channel_try_send(&channel, &item);
    if (item == 2) {
        ck_assert_int_eq(uva_channel_try_recv(&channel, &item), UV_EAGAIN);
        uva_channel_close(&channel);
        uv_close((uv_handle_t *)timer, NULL);
    }
}

static int callback_main(void *arg) {
    (void)arg;
    init(0);
    static uv_timer_t timer;
    ck_assert_int_eq(
        uv_timer_init(uva_runtime_loop(uva_runtime_current()), &timer), 0);
    ck_assert_int_eq(uv_timer_start(&timer, from_callback, 1, 1), 0);
    int code, item, sum = 0;
    while ((code = uva_channel_recv(&channel, &item)) == 0)
        sum += item;
    ck_assert_int_eq(code, UV_EOF);
    ck_assert_int_eq(sum, 3);
    finish();
    return uva_yield();
}

START_TEST(channel_fed_by_a_callback) {
    uva_options_t options = {.report = support_report};
    ck_assert_int_eq(uva_run_with(&options, callback_main, NULL), 0);
    ck_assert_str_eq(support_reports(), "");
}
END_TEST

/* ---- order -------------------------------------------------------------- */

static int order_main(void *arg) {
    (void)arg;
    init(0);
    uva_future_t *f[3];
    for (int i = 0; i < 3; i++)
        f[i] = spawn_sender(i + 1);
    ck_assert_int_eq(receiver("a"), 0);
    ck_assert_int_eq(receiver("b"), 0);
    ck_assert_int_eq(receiver("c"), 0);
    ck_assert_int_eq(uva_gather(f, 3, NULL), 0);
    f[0] = spawn_receiver("d");
    f[1] = spawn_receiver("e");
    f[2] = spawn_receiver("f");
    for (int i = 4; i < 7; i++)
        ck_assert_int_eq(send_int(&i), 0);
    ck_assert_int_eq(uva_gather(f, 3, NULL), 0);
    finish();
    return 0;
}

START_TEST(channel_serves_who_came_first) {
    program_expect(order_main);
    ck_expect_record("a:0:1 b:0:2 c:0:3 sent-1:0 sent-2:0 sent-3:0 "
                     "d:0:4 e:0:5 f:0:6");
}
END_TEST

static int consumed[5];
static int received[10];

static int consume(void *arg) {
    int item;
    while (uva_channel_recv(&channel, &item) == 0) {
        (*(int *)arg)++;
        received[item]++;
        ck_assert_int_eq(uva_yield(), 0);
    }
    return 0;
}

static int consumers_main(void *arg) {
    (void)arg;
    for (size_t capacity = 0; capacity < 4; capacity++) {
        memset(consumed, 0, sizeof consumed);
        memset(received, 0, sizeof received);
        init(capacity);
        uva_future_t *f[5];
        for (size_t i = 0; i < 5; i++)
            f[i] = uva_spawn(consume, &consumed[i]);
        for (int i = 0; i < 10; i++)
            ck_assert_int_eq(send_int(&i), 0);
        uva_channel_close(&channel);
        ck_assert_int_eq(uva_gather(f, 5, NULL), 0);
        for (size_t i = 0; i < 5; i++)
            ck_assert_int_gt(consumed[i], 0);
        for (size_t i = 0; i < 10; i++)
            ck_assert_int_eq(received[i], 1);
        finish();
    }
    return 0;
}

START_TEST(channel_feeds_all_its_consumers) {
    CONFORMS("K-158");
    program_expect(consumers_main);
}
END_TEST

static int free_main(void *arg) {
    (void)arg;
    init(1);
    uva_task_t *other = uva_spawn(worker, &(worker_t){.name = "other"});
    int item = 0;
    for (int i = 0; i < 50; i++) {
        ck_assert_int_eq(uva_channel_send(&channel, &i), 0);
        ck_assert_int_eq(uva_channel_recv(&channel, &item), 0);
    }
    record("main");
    for (int i = 0; i < 200; i++) {
        ck_assert_int_eq(uva_channel_send(&channel, &i), 0);
        ck_assert_int_eq(uva_channel_recv(&channel, &item), 0);
    }
    record("later");
    ck_assert_int_eq(uva_await(other, NULL), 0);
    finish();
    return 0;
}

/* The first fifty rounds do not switch, but the budget is used up in the
 * second. */
START_TEST(channel_with_room_does_not_switch) {
    program_expect(free_main);
    ck_expect_record("main other later");
}
END_TEST

/* ---- the end ------------------------------------------------------------ */

static int close_main(void *arg) {
    (void)arg;
    int item = 0;
    init(2);
    for (int i = 1; i <= 2; i++)
        ck_assert_int_eq(send_int(&i), 0);
    ck_assert_int_eq(uva_channel_add_sender(&channel), 0);
    uva_channel_close(&channel);
    uva_channel_close(&channel);
    ck_assert_int_eq(uva_channel_add_sender(&channel), UV_EPIPE);
    ck_assert_int_eq(uva_channel_send(&channel, &item), UV_EPIPE);
    ck_assert_int_eq(uva_channel_try_send(&channel, &item), UV_EPIPE);
    ck_assert_int_eq(uva_channel_recv(&channel, &item), 0);
    ck_assert_int_eq(item, 1);
    ck_assert_int_eq(uva_channel_try_recv(&channel, &item), 0);
    ck_assert_int_eq(item, 2);
    ck_assert_int_eq(uva_channel_recv(&channel, &item), UV_EOF);
    ck_assert_int_eq(uva_channel_try_recv(&channel, &item), UV_EOF);
    ck_assert_int_eq(item, 2);
    ck_assert_int_eq(uva_channel_close_sender(&channel), 0);
    finish();
    return 0;
}

START_TEST(channel_closed_is_drained_first) {
    CONFORMS("K-154");
    program_expect(close_main);
}
END_TEST

/* A channel has no handles of its two sides that could be closed apart: closing
 * it is the end for both. Who is parked in it then gets the code that a later
 * call would get, UV_EPIPE or UV_EOF. */
static int wake_main(void *arg) {
    (void)arg;
    int item = 0;
    init(1);
    ck_assert_int_eq(send_int(&item), 0);
    uva_future_t *f[2] = {spawn_sender(1), spawn_sender(2)};
    uva_channel_close(&channel);
    ck_assert_int_eq(sender(&(int){3}), 0);
    ck_assert_int_eq(uva_gather(f, 2, NULL), 0);
    ck_assert_int_eq(uva_channel_recv(&channel, &item), 0);
    ck_assert_int_eq(item, 0);
    ck_assert_int_eq(uva_channel_recv(&channel, &item), UV_EOF);
    finish();
    init(1);
    f[0] = spawn_receiver("a");
    f[1] = spawn_receiver("b");
    uva_channel_close(&channel);
    ck_assert_int_eq(uva_gather(f, 2, NULL), 0);
    finish();
    return 0;
}

START_TEST(channel_closed_wakes_who_waits) {
    CONFORMS("K-155", "K-156");
    program_expect(wake_main);
    ck_expect_record("sent-3:-32 sent-1:-32 sent-2:-32 a:-4095:-1 b:-4095:-1");
}
END_TEST

typedef struct producer {
    int first;
    int step;
} producer_t;

static int produce(void *arg) {
    const producer_t *self = arg;
    for (int i = self->first; i < 1000; i += self->step)
        ck_assert_int_eq(send_int(&i), 0);
    return uva_channel_close_sender(&channel);
}

static int producers_main(void *arg) {
    (void)arg;
    static bool seen[1000];
    init(3);
    uva_future_t *f[10];
    for (int i = 0; i < 10; i++)
        ck_assert_int_eq(uva_channel_add_sender(&channel), 0);
    for (int i = 0; i < 10; i++) {
        producer_t self = {.first = i, .step = 10};
        f[i] = uva_spawn_with(
            &(uva_task_options_t){.copy = &self, .copy_bytes = sizeof self},
            produce, NULL);
    }
    int item, code, count = 0;
    int last[10];
    memset(last, -1, sizeof last);
    while ((code = uva_channel_recv(&channel, &item)) == 0) {
        ck_assert(!seen[item]);
        seen[item] = true;
        ck_assert_int_gt(item, last[item % 10]);
        last[item % 10] = item;
        count++;
    }
    ck_assert_int_eq(code, UV_EOF);
    ck_assert_int_eq(count, 1000);
    ck_assert_int_eq(uva_gather(f, 10, NULL), 0);
    ck_assert_int_eq(uva_channel_close_sender(&channel), UV_ERANGE);
    finish();
    return 0;
}

START_TEST(channel_is_closed_by_its_last_sender) {
    CONFORMS("K-157");
    program_expect(producers_main);
}
END_TEST

/* Two senders that wait, or two receivers, whose channel goes while they wait:
 * its memory is overwritten before they run. */
static int freed_main(void *arg) {
    (void)arg;
    for (int sends = 0; sends < 2; sends++) {
        init(sends == 1 ? 1 : 0);
        if (sends == 1)
            ck_assert_int_eq(send_int(&(int){0}), 0);
        uva_future_t *f[2];
        for (int i = 0; i < 2; i++)
            f[i] = sends == 1 ? spawn_sender(i) : spawn_receiver("r");
        uva_channel_free(&channel);
        memset(&channel, 0xee, sizeof channel);
        ck_assert_int_eq(uva_gather(f, 2, NULL), 0);
    }
    init(2);
    ck_assert_int_eq(send_int(&(int){0}), 0);
    uva_channel_free(&channel);
    uva_channel_free(&channel);
    uva_channel_free(NULL);
    int item = 5;
    ck_assert_int_eq(uva_channel_recv(&channel, &item), UV_EOF);
    ck_assert_int_eq(uva_channel_send(&channel, &item), UV_EPIPE);
    ck_assert_int_eq(uva_channel_close_sender(&channel), UV_ERANGE);
    return 0;
}

START_TEST(channel_freed_while_tasks_wait) {
    program_expect(freed_main);
    ck_expect_record("r:-4095:-1 r:-4095:-1 sent-0:-32 sent-1:-32");
}
END_TEST

/* ---- looking ------------------------------------------------------------ */

static void expect_look(size_t items, size_t sending, size_t receiving) {
    uva_channel_statistics_t seen;
    uva_channel_statistics(&channel, &seen);
    ck_assert_uint_eq(seen.items, items);
    ck_assert_uint_eq(seen.sending, sending);
    ck_assert_uint_eq(seen.receiving, receiving);
}

static int look_main(void *arg) {
    (void)arg;
    int item = 0;
    init(2);
    uva_channel_set_name(&channel, "jobs");
    ck_assert_int_eq(uva_channel_add_sender(&channel), 0);
    expect_look(0, 0, 0);
    uva_future_t *f[3];
    for (int i = 0; i < 3; i++)
        f[i] = spawn_receiver("r");
    expect_look(0, 0, 3);
    char *text = program_dump();
    ck_assert_ptr_nonnull(strstr(text, "in channel recv 'jobs'  ("));
    ck_assert_ptr_nonnull(strstr(text, "'jobs' (2 waiters ahead)  ("));
    free(text);
    ck_assert_int_eq(uva_cancel_and_wait(f[1]), 0);
    expect_look(0, 0, 2);
    for (int i = 0; i < 4; i++)
        ck_assert_int_eq(send_int(&i), 0);
    expect_look(2, 0, 0);
    ck_assert_int_eq(uva_gather((uva_future_t *[]){f[0], f[2]}, 2, NULL), 0);
    for (int i = 0; i < 2; i++)
        f[i] = spawn_sender(i);
    expect_look(2, 2, 0);
    text = program_dump();
    ck_assert_ptr_nonnull(strstr(text, "in channel send 'jobs' (1 waiter ah"));
    free(text);
    ck_assert_int_eq(uva_cancel_and_wait(f[0]), 0);
    expect_look(2, 1, 0);
    ck_assert_int_eq(uva_channel_recv(&channel, &item), 0);
    ck_assert_int_eq(uva_await(f[1], NULL), 0);
    while (uva_channel_try_recv(&channel, &item) == 0)
        continue;
    uva_channel_close_sender(&channel);
    uva_channel_statistics_t seen;
    uva_channel_statistics(&channel, &seen);
    ck_assert_str_eq(seen.name, "jobs");
    ck_assert_uint_eq(seen.peak, 2);
    ck_assert_uint_eq(seen.capacity, 2);
    ck_assert_uint_eq(seen.senders, 0);
    ck_assert(seen.is_closed);
    expect_look(0, 0, 0);
    finish();
    return 0;
}

START_TEST(channel_tells_how_it_stands) {
    CONFORMS("K-159");
    program_expect(look_main);
    ck_expect_record("r:-125:-1 r:0:0 r:0:1 sent-0:-125 sent-1:0");
}
END_TEST

SUITE("channel", channel_holds_its_capacity,
      channel_without_capacity_is_a_rendezvous, channel_of_items_of_every_size,
      channel_of_signals, channel_fed_by_a_callback,
      channel_serves_who_came_first, channel_feeds_all_its_consumers,
      channel_with_room_does_not_switch, channel_closed_is_drained_first,
      channel_closed_wakes_who_waits, channel_is_closed_by_its_last_sender,
      channel_freed_while_tasks_wait, channel_tells_how_it_stands)
