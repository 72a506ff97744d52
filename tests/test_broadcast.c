/* labels: valgrind */
/* Broadcast channels: everybody gets everything, or is told what was missed. */
#include "sync_fixture.h"

static uva_broadcast_t prices;

/* Receives until the end, and records what came: "a1", "a-3" (missed three). */
static int listen_as(const char *name, uva_broadcast_receiver_t *receiver) {
    for (;;) {
        int value = 0;
        int code = uva_broadcast_recv(receiver, &value);
        if (code == UV_ENOBUFS)
            record("%s-%d", name, (int)uva_broadcast_missed(receiver));
        else if (code < 0)
            return code;
        else
            record("%s%d", name, value);
    }
}

static int listener(void *arg) {
    uva_broadcast_receiver_t receiver;
    ck_assert_int_eq(uva_broadcast_receiver_open(&receiver, &prices), 0);
    int code = listen_as(arg, &receiver);
    uva_broadcast_receiver_close(&receiver);
    record("%s:%d", (const char *)arg, code);
    return 0;
}

static int publish(int value) {
    return uva_broadcast_send(&prices, &value);
}

static void init(size_t capacity) {
    ck_assert_int_eq(uva_broadcast_init(&prices, sizeof(int), capacity), 0);
}

/* ---- what receivers get ------------------------------------------------- */

static int everybody_main(void *arg) {
    (void)arg;
    init(4);
    ck_assert_int_eq(publish(0), 0); /* to nobody */
    uva_future_t *f[] = {uva_spawn(listener, "a"), uva_spawn(listener, "b")};
    ck_assert_int_eq(uva_yield(), 0);
    for (int i = 1; i <= 3; i++)
        ck_assert_int_eq(publish(i), 0);
    ck_assert_int_eq(uva_yield(), 0);
    uva_broadcast_close(&prices);
    ck_assert_int_eq(publish(4), UV_EPIPE);
    ck_assert_int_eq(uva_gather(f, 2, NULL), 0);
    uva_broadcast_free(&prices);
    return 0;
}

START_TEST(broadcast_gives_everything_to_everybody) {
    program_expect(everybody_main);
    ck_expect_record("a1 a2 a3 b1 b2 b3 a:-4095 b:-4095");
}
END_TEST

static int lag_main(void *arg) {
    (void)arg;
    init(3);
    uva_broadcast_receiver_t r;
    int value = -1;
    ck_assert_int_eq(uva_broadcast_receiver_open(&r, &prices), 0);
    ck_assert_uint_eq(uva_broadcast_missed(&r), 0);
    for (int i = 0; i < 3; i++)
        ck_assert_int_eq(publish(i), 0);
    ck_assert_int_eq(uva_broadcast_try_recv(&r, &value), 0);
    ck_assert_int_eq(value, 0);
    for (int i = 3; i < 10; i++)
        ck_assert_int_eq(publish(i), 0);
    /* 1 .. 6 are gone; told once, and then what is there. */
    ck_assert_int_eq(uva_broadcast_recv(&r, &value), UV_ENOBUFS);
    ck_assert_int_eq(value, 0);
    ck_assert_uint_eq(uva_broadcast_missed(&r), 6);
    ck_assert_int_eq(uva_broadcast_recv(&r, &value), 0);
    ck_assert_int_eq(value, 7);
    /* Behind again before it went on: told again. */
    for (int i = 10; i < 13; i++)
        ck_assert_int_eq(publish(i), 0);
    ck_assert_int_eq(uva_broadcast_try_recv(&r, &value), UV_ENOBUFS);
    ck_assert_uint_eq(uva_broadcast_missed(&r), 2);
    for (int i = 10; i < 13; i++) {
        ck_assert_int_eq(uva_broadcast_recv(&r, &value), 0);
        ck_assert_int_eq(value, i);
    }
    ck_assert_int_eq(uva_broadcast_try_recv(&r, &value), UV_EAGAIN);
    ck_assert_uint_eq(uva_broadcast_missed(&r), 2);
    uva_broadcast_receiver_close(&r);
    uva_broadcast_free(&prices);
    return 0;
}

START_TEST(broadcast_says_how_much_was_missed) {
    program_expect(lag_main);
}
END_TEST

static int close_main(void *arg) {
    (void)arg;
    init(2);
    uva_broadcast_receiver_t r;
    int value = -1;
    ck_assert_int_eq(uva_broadcast_receiver_open(&r, &prices), 0);
    for (int i = 0; i < 3; i++)
        ck_assert_int_eq(publish(i), 0);
    uva_broadcast_close(&prices);
    uva_broadcast_close(&prices);
    ck_assert_int_eq(uva_broadcast_recv(&r, &value), UV_ENOBUFS);
    ck_assert_int_eq(uva_broadcast_recv(&r, &value), 0);
    ck_assert_int_eq(value, 1);
    ck_assert_int_eq(uva_broadcast_try_recv(&r, &value), 0);
    ck_assert_int_eq(value, 2);
    ck_assert_int_eq(uva_broadcast_recv(&r, &value), UV_EOF);
    ck_assert_int_eq(uva_broadcast_try_recv(&r, &value), UV_EOF);
    ck_assert_int_eq(value, 2);
    uva_broadcast_receiver_t late;
    ck_assert_int_eq(uva_broadcast_receiver_open(&late, &prices), UV_EPIPE);
    ck_assert_int_eq(uva_broadcast_recv(&late, &value), UV_EOF);
    uva_broadcast_receiver_close(&late);
    uva_broadcast_receiver_close(&r);
    uva_broadcast_free(&prices);
    return 0;
}

START_TEST(broadcast_closed_gives_the_rest) {
    program_expect(close_main);
}
END_TEST

static int signals_main(void *arg) {
    (void)arg;
    ck_assert_int_eq(uva_broadcast_init(&prices, 0, 2), 0);
    uva_broadcast_receiver_t r;
    ck_assert_int_eq(uva_broadcast_receiver_open(&r, &prices), 0);
    ck_assert_int_eq(uva_broadcast_send(&prices, NULL), 0);
    ck_assert_int_eq(uva_broadcast_recv(&r, NULL), 0);
    ck_assert_int_eq(uva_broadcast_try_recv(&r, NULL), UV_EAGAIN);
    uva_broadcast_receiver_close(&r);
    uva_broadcast_free(&prices);
    return 0;
}

START_TEST(broadcast_of_signals) {
    program_expect(signals_main);
}
END_TEST

/* ---- windows ------------------------------------------------------------ */

static uva_broadcast_receiver_t shared;

/* One value into its own frame, then what it has missed. */
static int receive_once(void *arg) {
    int value = -1;
    int code = uva_broadcast_recv(&shared, &value);
    record("%s%d:%d", (const char *)arg, value, code);
    return code;
}

/* | main                       | a                       | ring  |
 * |                            | recv: waits             |       |
 * | send 1                     | 1 is its own now        | 1     |
 * | send 2, send 3             |                         | 3     |
 * |                            | gets 1                  |       |
 * | recv: missed one, then 3   |                         |       |
 */
static int overwritten_main(void *arg) {
    (void)arg;
    init(1);
    ck_assert_int_eq(uva_broadcast_receiver_open(&shared, &prices), 0);
    uva_task_t *a = uva_spawn(receive_once, "a");
    ck_assert_int_eq(uva_yield(), 0);
    for (int i = 1; i <= 3; i++)
        ck_assert_int_eq(publish(i), 0);
    ck_assert_int_eq(uva_await(a, NULL), 0);
    ck_assert_int_eq(receive_once("b"), UV_ENOBUFS);
    ck_assert_uint_eq(uva_broadcast_missed(&shared), 1);
    ck_assert_int_eq(receive_once("c"), 0);
    uva_broadcast_receiver_close(&shared);
    uva_broadcast_free(&prices);
    return 0;
}

START_TEST(broadcast_value_is_safe_between_wake_and_run) {
    program_expect(overwritten_main);
    ck_expect_record("a1:0 b-1:-105 c3:0");
}
END_TEST

/* | in one tick  | a            | the receiver's next |
 * | send, cancel | gets it      | nothing             |
 * | cancel, send | UV_ECANCELED | the value           |
 */
static int cancel_main(void *arg) {
    (void)arg;
    init(4);
    for (int cancel_first = 0; cancel_first < 2; cancel_first++) {
        ck_assert_int_eq(uva_broadcast_receiver_open(&shared, &prices), 0);
        uva_task_t *a = uva_spawn(receive_once, "a");
        ck_assert_int_eq(uva_yield(), 0);
        if (cancel_first)
            ck_assert(uva_cancel(a));
        ck_assert_int_eq(publish(7), 0);
        if (!cancel_first)
            ck_assert(uva_cancel(a));
        ck_assert_int_eq(uva_await(a, NULL), cancel_first ? UV_ECANCELED : 0);
        int value = -1;
        ck_assert_int_eq(uva_broadcast_try_recv(&shared, &value),
                         cancel_first ? 0 : UV_EAGAIN);
        ck_assert_int_eq(value, cancel_first ? 7 : -1);
        uva_broadcast_receiver_close(&shared);
    }
    uva_broadcast_free(&prices);
    return 0;
}

START_TEST(broadcast_when_send_and_cancel_meet) {
    program_expect(cancel_main);
    ck_expect_record("a7:0 a-1:-125");
}
END_TEST

/* | in one tick        | a        |
 * | send, close        | gets it  |
 * | close, send        | UV_EOF   |
 * | send, free         | gets it  |
 * | send, close recv   | gets it  |
 * | close recv, send   | UV_EBADF |
 */
static int ends_main(void *arg) {
    (void)arg;
    for (int round = 0; round < 5; round++) {
        init(1);
        ck_assert_int_eq(uva_broadcast_receiver_open(&shared, &prices), 0);
        uva_task_t *a = uva_spawn(receive_once, "a");
        ck_assert_int_eq(uva_yield(), 0);
        if (round == 1)
            uva_broadcast_close(&prices);
        if (round == 4)
            uva_broadcast_receiver_close(&shared);
        ck_assert_int_eq(publish(round), round == 1 ? UV_EPIPE : 0);
        if (round == 0)
            uva_broadcast_close(&prices);
        if (round == 2)
            uva_broadcast_free(&prices);
        uva_broadcast_receiver_close(&shared);
        uva_broadcast_free(&prices);
        memset(&shared, 0xff, sizeof shared);
        memset(&prices, 0xff, sizeof prices);
        int expected = round == 1 ? UV_EOF : round == 4 ? UV_EBADF : 0;
        ck_assert_int_eq(uva_await(a, NULL), expected);
    }
    return 0;
}

START_TEST(broadcast_when_send_and_ends_meet) {
    program_expect(ends_main);
    ck_expect_record("a0:0 a-1:-4095 a2:0 a3:0 a-1:-9");
}
END_TEST

static int limit_main(void *arg) {
    (void)arg;
    init(2);
    int value = -1;
    ck_assert_int_eq(uva_broadcast_receiver_open(&shared, &prices), 0);
    ck_assert_int_eq(uva_wait_for(uva_spawn(receive_once, "a"), 5, NULL),
                     UV_ETIMEDOUT);
    ck_assert_int_eq(publish(1), 0);
    ck_assert_int_eq(uva_broadcast_recv(&shared, &value), 0);
    /* A value that is there needs no park, so no request is looked at. */
    ck_assert_int_eq(publish(2), 0);
    ck_assert(uva_cancel(uva_current()));
    ck_assert_int_eq(uva_broadcast_recv(&shared, &value), 0);
    ck_assert_int_eq(uva_broadcast_recv(&shared, &value), UV_ECANCELED);
    ck_assert_int_eq(uva_uncancel(uva_current()), 0);
    ck_assert_int_eq(value, 2);
    uva_broadcast_receiver_close(&shared);
    uva_broadcast_free(&prices);
    return 0;
}

START_TEST(broadcast_with_a_limit) {
    program_expect(limit_main);
    ck_expect_record("a-1:-125");
}
END_TEST

/* ---- misuse and failures ------------------------------------------------ */

static int misuse_main(void *arg) {
    (void)arg;
    init(2);
    int value = -1;
    ck_assert_int_eq(uva_broadcast_send(&prices, NULL), UV_EINVAL);
    ck_assert_int_eq(uva_broadcast_receiver_open(&shared, &prices), 0);
    ck_assert_int_eq(uva_broadcast_recv(&shared, NULL), UV_EINVAL);
    ck_assert_int_eq(uva_broadcast_try_recv(&shared, NULL), UV_EINVAL);
    uva_task_t *a = uva_spawn(receive_once, "a");
    ck_assert_int_eq(uva_yield(), 0);
    ck_assert_int_eq(uva_broadcast_recv(&shared, &value), UV_EBUSY);
    ck_assert_int_eq(uva_broadcast_try_recv(&shared, &value), UV_EBUSY);
    ck_assert_int_eq(uva_cancel_and_wait(a), UV_ECANCELED);
    ck_assert_int_eq(uva_broadcast_try_recv(&shared, &value), UV_EAGAIN);
    uva_broadcast_receiver_close(&shared);
    uva_broadcast_receiver_close(&shared);
    ck_assert_int_eq(uva_broadcast_recv(&shared, &value), UV_EBADF);
    ck_assert_int_eq(uva_broadcast_try_recv(&shared, &value), UV_EBADF);
    uva_broadcast_free(NULL);
    uva_broadcast_free(&prices);
    uva_broadcast_free(&prices);
    ck_assert_int_eq(publish(1), UV_EPIPE);
    ck_assert_int_eq(uva_broadcast_receiver_open(&shared, &prices), UV_EPIPE);
    ck_assert_int_eq(uva_broadcast_recv(&shared, &value), UV_EOF);
    uva_broadcast_receiver_close(&shared);
    return 0;
}

START_TEST(broadcast_misused) {
    program_expect(misuse_main);
    ck_expect_record("a-1:-125");
    ck_assert_int_eq(uva_broadcast_recv(&shared, NULL), UV_EPERM);
    ck_assert_int_eq(uva_broadcast_init(&prices, 1, 0), UV_EINVAL);
    ck_assert_int_eq(uva_broadcast_init(&prices, SIZE_MAX / 4, 8), UV_EINVAL);
    ck_assert_int_eq(publish(1), UV_EPIPE);
    faults_fail(FAULT_MALLOC, 1);
    ck_assert_int_eq(uva_broadcast_init(&prices, 8, 8), UV_ENOMEM);
    ck_assert_uint_eq(faults_clear(), 1);
    uva_broadcast_free(&prices);
}
END_TEST

static void call_from_elsewhere(void *arg) {
    (void)arg;
    ck_assert_int_eq(publish(1), UV_EPERM);
    uva_broadcast_close(&prices);
    uva_broadcast_free(&prices);
    uva_broadcast_receiver_close(&shared);
}

static int thread_main(void *arg) {
    (void)arg;
    init(2);
    ck_assert_int_eq(uva_broadcast_receiver_open(&shared, &prices), 0);
    uva_task_t *a = uva_spawn(receive_once, "a");
    ck_assert_int_eq(uva_yield(), 0);
    support_in_thread(call_from_elsewhere, NULL);
    ck_assert(!uva_is_done(a));
    ck_assert_int_eq(publish(5), 0);
    ck_assert_int_eq(uva_await(a, NULL), 0);
    uva_broadcast_receiver_close(&shared);
    uva_broadcast_free(&prices);
    return 0;
}

START_TEST(broadcast_of_another_thread) {
    program_expect(thread_main);
    ck_expect_record("a5:0");
}
END_TEST

static int look_main(void *arg) {
    (void)arg;
    init(8);
    uva_broadcast_set_name(&prices, "prices");
    uva_future_t *f[] = {uva_spawn(listener, "a"), uva_spawn(listener, "b")};
    ck_assert_int_eq(uva_yield(), 0);
    ck_assert_int_eq(publish(1), 0);
    uva_broadcast_statistics_t seen;
    uva_broadcast_statistics(&prices, &seen);
    ck_assert_uint_eq(seen.receiving, 0);
    ck_assert_int_eq(uva_yield(), 0);
    uva_broadcast_statistics(&prices, &seen);
    ck_assert_str_eq(seen.name, "prices");
    ck_assert_uint_eq(seen.capacity, 8);
    ck_assert_uint_eq(seen.sent, 1);
    ck_assert_uint_eq(seen.receivers, 2);
    ck_assert_uint_eq(seen.receiving, 2);
    ck_assert(!seen.is_closed);
    char *text = program_dump();
    ck_assert_ptr_nonnull(
        strstr(text, "broadcast recv 'prices' (1 waiter ahead)"));
    free(text);
    uva_broadcast_free(&prices);
    ck_assert_int_eq(uva_gather(f, 2, NULL), 0);
    uva_broadcast_statistics(&prices, &seen);
    ck_assert_uint_eq(seen.receivers, 0);
    ck_assert_uint_eq(seen.receiving, 0);
    ck_assert(seen.is_closed);
    return 0;
}

START_TEST(broadcast_tells_how_it_stands) {
    program_expect(look_main);
    ck_expect_record("a1 b1 a:-4095 b:-4095");
}
END_TEST

static int sing(void *arg) {
    (void)arg;
    for (int i = 0; i < 1000; i++)
        ck_assert_int_eq(publish(i), 0);
    record("sung");
    return 0;
}

/* Values that are there are received without a park, but not for ever. */
static int budget_main(void *arg) {
    (void)arg;
    init(1000);
    turns_t turns;
    int value = -1;
    ck_assert_int_eq(uva_broadcast_receiver_open(&shared, &prices), 0);
    ck_assert_int_eq(sing(NULL), 0);
    turns_begin(&turns);
    unsigned long before = faults_allocations();
    for (int i = 0; i < 1000; i++) {
        ck_assert_int_eq(uva_broadcast_recv(&shared, &value), 0);
        ck_assert_int_eq(value, i);
    }
    ck_assert_uint_eq(faults_allocations(), before);
    int others = turns_end(&turns);
    ck_assert_int_ge(others, 3);
    ck_assert_int_le(others, 10);
    uva_broadcast_receiver_close(&shared);
    uva_broadcast_free(&prices);
    return 0;
}

START_TEST(broadcast_starves_nobody) {
    program_expect(budget_main);
    ck_expect_record("sung");
}
END_TEST

/* ---- storm -------------------------------------------------------------- */

static int storm_sent;
static int storm_received;
static int senders_left;

static int storm_send(int rounds) {
    for (int i = 0; i < rounds; i++) {
        for (unsigned burst = draw(6); burst > 0; burst--)
            must(publish(storm_sent++) == 0);
        storm_on();
    }
    if (--senders_left == 0)
        uva_broadcast_close(&prices);
    return 0;
}

/* Every number, in order, or counted as missed; nothing twice. */
static int storm_receive(void) {
    uva_broadcast_receiver_t r;
    (void)uva_broadcast_receiver_open(&r, &prices);
    int next = storm_sent;
    for (;;) {
        int value = -1;
        uva_scope_t scope;
        uva_scope_open(&scope, storm_limit(), 0);
        int code = uva_broadcast_recv(&r, &value);
        (void)uva_scope_close(&scope);
        if (code == UV_EOF)
            break;
        must(code == 0 || code == UV_ENOBUFS || code == UV_ECANCELED);
        if (code == UV_ENOBUFS)
            next += (int)uva_broadcast_missed(&r);
        if (code == 0)
            must(value == next++);
        storm_received += code == 0;
        storm_on();
    }
    must(next == storm_sent);
    uva_broadcast_receiver_close(&r);
    return 0;
}

static int storm_body(void *arg) {
    static int role;
    (void)arg;
    return role++ % 4 == 0 ? storm_send(storm_rounds(10000)) : storm_receive();
}

START_TEST(broadcast_keeps_its_books_in_a_storm) {
    for (unsigned seed = 0; seed < STORM_SEEDS; seed++) {
        init(16);
        storm_sent = 0;
        storm_received = 0;
        senders_left = STORMERS / 4;
        storm(storm_body, seed);
        ck_assert_int_gt(storm_sent, storm_rounds(10000));
        ck_assert_int_gt(storm_received, storm_sent / 4);
        uva_broadcast_statistics_t seen;
        uva_broadcast_statistics(&prices, &seen);
        ck_assert_uint_eq(seen.receivers + seen.receiving, 0);
        uva_broadcast_free(&prices);
    }
}
END_TEST

SUITE("broadcast", broadcast_gives_everything_to_everybody,
      broadcast_says_how_much_was_missed, broadcast_closed_gives_the_rest,
      broadcast_of_signals, broadcast_value_is_safe_between_wake_and_run,
      broadcast_when_send_and_cancel_meet, broadcast_when_send_and_ends_meet,
      broadcast_with_a_limit, broadcast_misused, broadcast_of_another_thread,
      broadcast_tells_how_it_stands, broadcast_starves_nobody,
      broadcast_keeps_its_books_in_a_storm)
