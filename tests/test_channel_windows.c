/* labels: valgrind; timeout: 60 */
/* Channels: what happens between a wake and the run, and whether anything is
 * lost in a storm. */
#include "sync_fixture.h"

static uva_channel_t channel;

/* Sends, or receives, then sleeps: a cancellation that came too late is met
 * there. */
static int send_then_sleep(void *arg) {
    int item = *(const int *)arg;
    record("sent-%d:%d", item, uva_channel_send(&channel, &item));
    record("sleep:%d", uva_sleep(1));
    return 0;
}

static int recv_then_sleep(void *arg) {
    (void)arg;
    int item = -1;
    int code = uva_channel_recv(&channel, &item);
    record("got:%d:%d", code, item);
    record("sleep:%d", uva_sleep(1));
    return 0;
}

static uva_task_t *spawn_eager(uva_fn fn, int item) {
    return uva_spawn_with(&(uva_task_options_t){.copy = &item,
                                                .copy_bytes = sizeof item,
                                                .eager = true},
                          fn, NULL);
}

static void expect_left(size_t items) {
    uva_channel_statistics_t seen;
    uva_channel_statistics(&channel, &seen);
    ck_assert_uint_eq(seen.items, items);
    ck_assert_uint_eq(seen.sending, 0);
    ck_assert_uint_eq(seen.receiving, 0);
}

static void init(size_t capacity) {
    ck_assert_int_eq(uva_channel_init(&channel, sizeof(int), capacity), 0);
}

/* | in one tick  | recv         | then sleep   | items left |
 * | send, cancel | 0            | UV_ECANCELED | 0          |
 * | cancel, send | UV_ECANCELED | UV_ECANCELED | 1          |
 */
static int recv_window_main(void *arg) {
    (void)arg;
    for (size_t cancel_first = 0; cancel_first < 2; cancel_first++) {
        init(1);
        uva_task_t *task = spawn_eager(recv_then_sleep, 0);
        if (cancel_first == 1)
            ck_assert(uva_cancel(task));
        ck_assert_int_eq(uva_channel_send(&channel, &(int){7}), 0);
        if (cancel_first == 0)
            ck_assert(uva_cancel(task));
        ck_assert_int_eq(uva_await(task, NULL), 0);
        expect_left(cancel_first);
        uva_channel_free(&channel);
    }
    return 0;
}

START_TEST(channel_when_an_item_and_a_cancel_meet) {
    program_expect(recv_window_main);
    ck_expect_record("got:0:7 sleep:-125 got:-125:-1 sleep:-125");
}
END_TEST

/* | in one tick  | send         | then sleep   | received |
 * | recv, cancel | 0            | UV_ECANCELED | the item |
 * | cancel, recv | UV_ECANCELED | UV_ECANCELED | nothing  |
 */
static int send_window_main(void *arg) {
    (void)arg;
    for (int cancel_first = 0; cancel_first < 2; cancel_first++) {
        init(0);
        int item = -1;
        uva_task_t *task = spawn_eager(send_then_sleep, 7);
        if (cancel_first == 1)
            ck_assert(uva_cancel(task));
        ck_assert_int_eq(uva_channel_try_recv(&channel, &item),
                         cancel_first == 1 ? UV_EAGAIN : 0);
        ck_assert_int_eq(item, cancel_first == 1 ? -1 : 7);
        if (cancel_first == 0)
            ck_assert(uva_cancel(task));
        ck_assert_int_eq(uva_await(task, NULL), 0);
        expect_left(0);
        uva_channel_free(&channel);
    }
    return 0;
}

START_TEST(channel_when_a_receive_and_a_cancel_meet) {
    program_expect(send_window_main);
    ck_expect_record("sent-7:0 sleep:-125 sent-7:-125 sleep:-125");
}
END_TEST

/* The sender's item has entered the ring before its cancellation came:
 *
 * | main               | a (parked: the ring is full) |
 * | recv: 0; 1 goes in | granted                      |
 * | cancel a           |                              |
 * | recv: 1            | runs: 0                      |
 */
static int ring_window_main(void *arg) {
    (void)arg;
    init(1);
    int item = 0;
    ck_assert_int_eq(uva_channel_send(&channel, &item), 0);
    uva_task_t *task = spawn_eager(send_then_sleep, 1);
    for (int i = 0; i < 2; i++) {
        ck_assert_int_eq(uva_channel_recv(&channel, &item), 0);
        ck_assert_int_eq(item, i);
        (void)uva_cancel(task);
    }
    ck_assert_int_eq(uva_await(task, NULL), 0);
    expect_left(0);
    uva_channel_free(&channel);
    return 0;
}

START_TEST(channel_when_a_place_and_a_cancel_meet) {
    program_expect(ring_window_main);
    ck_expect_record("sent-1:0 sleep:-125");
}
END_TEST

/* What was decided before the close stands:
 *
 * | in one tick | recv   | item |
 * | send, close | 0      | 7    |
 * | close, send | UV_EOF |      |   the send gets UV_EPIPE
 */
static int close_window_main(void *arg) {
    (void)arg;
    for (int close_first = 0; close_first < 2; close_first++) {
        init(0);
        uva_task_t *task = spawn_eager(recv_then_sleep, 0);
        if (close_first == 1)
            uva_channel_close(&channel);
        ck_assert_int_eq(uva_channel_try_send(&channel, &(int){7}),
                         close_first == 1 ? UV_EPIPE : 0);
        if (close_first == 0)
            uva_channel_free(&channel);
        ck_assert_int_eq(uva_await(task, NULL), 0);
        uva_channel_free(&channel);
    }
    return 0;
}

START_TEST(channel_when_an_item_and_the_end_meet) {
    program_expect(close_window_main);
    ck_expect_record("got:0:7 sleep:0 got:-4095:-1 sleep:0");
}
END_TEST

/* | in one tick   | recv         |
 * | close, cancel | UV_EOF       |
 * | cancel, close | UV_ECANCELED |
 */
static int end_window_main(void *arg) {
    (void)arg;
    for (int cancel_first = 0; cancel_first < 2; cancel_first++) {
        init(0);
        uva_task_t *task = spawn_eager(recv_then_sleep, 0);
        if (cancel_first == 1)
            ck_assert(uva_cancel(task));
        uva_channel_close(&channel);
        if (cancel_first == 0)
            ck_assert(uva_cancel(task));
        ck_assert_int_eq(uva_await(task, NULL), 0);
        uva_channel_free(&channel);
    }
    return 0;
}

START_TEST(channel_when_the_end_and_a_cancel_meet) {
    program_expect(end_window_main);
    ck_expect_record("got:-4095:-1 sleep:-125 got:-125:-1 sleep:-125");
}
END_TEST

/* The grants go to a and c; b, between them, was cut:
 *
 * | main     | a       | b   | c       |
 * |          | recv    | recv| recv    |
 * | send 1   | granted |     |         |
 * | cancel b |         | cut |         |
 * | send 2   |         |     | granted |
 * | cancel a |         |     |         |
 */
static int middle_main(void *arg) {
    (void)arg;
    init(0);
    uva_future_t *f[3];
    for (int i = 0; i < 3; i++)
        f[i] = spawn_eager(recv_then_sleep, i);
    ck_assert_int_eq(uva_channel_send(&channel, &(int){1}), 0);
    ck_assert(uva_cancel(f[1]));
    ck_assert_int_eq(uva_channel_send(&channel, &(int){2}), 0);
    ck_assert(uva_cancel(f[0]));
    ck_assert_int_eq(uva_gather(f, 3, NULL), 0);
    uva_channel_free(&channel);
    return 0;
}

START_TEST(channel_when_items_and_cancels_mix) {
    program_expect(middle_main);
    ck_expect_record("got:0:1 sleep:-125 got:-125:-1 sleep:-125 got:0:2 "
                     "sleep:0");
}
END_TEST

static int recv_in_scope(void *arg) {
    int item = -1;
    uva_scope_t scope;
    uva_scope_open(&scope, *(const int *)arg == 0 ? 10 : 11, 0);
    int code = uva_channel_recv(&channel, &item);
    int closed = uva_scope_close(&scope);
    record("%d:%d:%d", code, item, closed);
    return 0;
}

/* The limit comes before the item, then behind it; then there is an item, and
 * a limit that has passed changes nothing. */
static int limit_main(void *arg) {
    (void)arg;
    init(1);
    uva_task_t *first = spawn_eager(recv_in_scope, 0);
    uva_task_t *then = spawn_eager(recv_in_scope, 1);
    ck_assert_int_eq(uva_sleep(10), 0);
    ck_assert_int_eq(uva_channel_send(&channel, &(int){5}), 0);
    ck_assert_int_eq(uva_await(first, NULL), 0);
    ck_assert_int_eq(uva_await(then, NULL), 0);
    expect_left(0);
    ck_assert_int_eq(uva_channel_send(&channel, &(int){6}), 0);
    uva_scope_t scope;
    uva_scope_open(&scope, 0, 0);
    ck_assert_int_eq(uva_sleep(1), UV_ECANCELED);
    ck_assert_int_eq(recv_in_scope(&(int){0}), 0);
    ck_assert_int_eq(uva_scope_close(&scope), UV_ETIMEDOUT);
    uva_channel_free(&channel);
    return 0;
}

START_TEST(channel_with_a_limit) {
    program_expect(limit_main);
    ck_expect_record("-125:-1:-110 0:5:0 0:6:0");
}
END_TEST

/* ---- storms ------------------------------------------------------------- */

enum { PRODUCERS = STORMERS / 2 };

/* 12 producers that number their items, 12 consumers. What arrives must be what
 * was sent, and each consumer sees the items of a producer in their order. */
static uint64_t sent[PRODUCERS];
static uint64_t arrived[PRODUCERS];
static uint64_t sum[PRODUCERS]; /* of the numbers that arrived */
static size_t started;
static size_t producing;

typedef struct item {
    uint32_t producer;
    uint32_t number;
} item_t;

/* `next`: the least number that this consumer may see of each producer. */
static void note(item_t item, uint32_t next[PRODUCERS]) {
    must(item.producer < PRODUCERS);
    must(item.number >= next[item.producer]);
    next[item.producer] = item.number + 1;
    arrived[item.producer]++;
    sum[item.producer] += item.number;
}

static void produce(uint32_t self) {
    for (int i = storm_rounds(20000); i > 0; i--) {
        item_t item = {.producer = self, .number = (uint32_t)sent[self]};
        uva_scope_t scope;
        uva_scope_open(&scope, storm_limit(), 0);
        int code = draw(8) > 0 ? uva_channel_send(&channel, &item)
                               : uva_channel_try_send(&channel, &item);
        (void)uva_scope_close(&scope);
        must(code == 0 || code == UV_ECANCELED || code == UV_EAGAIN);
        sent[self] += code == 0;
        storm_on();
    }
    if (--producing == 0)
        uva_channel_close(&channel);
}

static void consume(void) {
    uint32_t next[PRODUCERS] = {0};
    for (;;) {
        item_t item = {.producer = UINT32_MAX};
        uva_scope_t scope;
        uva_scope_open(&scope, storm_limit(), 0);
        int code = draw(8) > 0 ? uva_channel_recv(&channel, &item)
                               : uva_channel_try_recv(&channel, &item);
        (void)uva_scope_close(&scope);
        if (code == 0)
            note(item, next);
        if (code == UV_EOF)
            return;
        must(code == 0 || code == UV_ECANCELED || code == UV_EAGAIN);
        /* A consumer that were never to wait would starve the clock. */
        if (code == UV_EAGAIN)
            (void)uva_sleep(1);
        storm_on();
    }
}

static int storm_body(void *arg) {
    (void)arg;
    size_t self = started++;
    if (self % 2 == 0)
        produce((uint32_t)self / 2);
    else
        consume();
    return 0;
}

static void storm_with(size_t capacity, unsigned seed) {
    memset(sent, 0, sizeof sent);
    memset(arrived, 0, sizeof arrived);
    memset(sum, 0, sizeof sum);
    started = 0;
    producing = PRODUCERS;
    ck_assert_int_eq(uva_channel_init(&channel, sizeof(item_t), capacity), 0);
    storm(storm_body, seed);
    expect_left(0);
    uint64_t total = 0;
    for (size_t i = 0; i < PRODUCERS; i++) {
        ck_assert_uint_eq(arrived[i], sent[i]);
        ck_assert_uint_eq(sum[i], sent[i] * (sent[i] - 1) / 2);
        total += sent[i];
    }
    ck_assert_uint_gt(total, (uint64_t)storm_rounds(20000));
    uva_channel_free(&channel);
}

START_TEST(channel_rendezvous_storm) {
    for (unsigned seed = 0; seed < STORM_SEEDS; seed++)
        storm_with(0, seed);
}
END_TEST

START_TEST(channel_buffered_storm) {
    for (unsigned seed = 0; seed < STORM_SEEDS; seed++)
        storm_with(1 + 4 * seed, seed);
}
END_TEST

SUITE("channel_windows", channel_when_an_item_and_a_cancel_meet,
      channel_when_a_receive_and_a_cancel_meet,
      channel_when_a_place_and_a_cancel_meet,
      channel_when_an_item_and_the_end_meet,
      channel_when_the_end_and_a_cancel_meet,
      channel_when_items_and_cancels_mix, channel_with_a_limit,
      channel_rendezvous_storm, channel_buffered_storm)
