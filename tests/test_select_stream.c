/* labels: valgrind; timeout: 60 */
/* uva_select() on streams: when they are readable, that they can be read then,
 * and that a select which takes something else leaves them as they were. */
#include "stream_fixture.h"

#include "support/program.h"

#include <pthread.h>

static uva_channel_t channel;

static void init(void) {
    ck_assert_int_eq(uva_channel_init(&channel, sizeof(int), 0), 0);
}

static uva_task_t *spawn_eager(uva_fn fn, void *arg) {
    return uva_spawn_with(&(uva_task_options_t){.eager = true}, fn, arg);
}

/* Waits for the stream, or an item; then reads what is there. */
static int select_stream(void *arg) {
    int item = -1;
    uva_case_t cases[] = {{.kind = UVA_RECV, .on = &channel, .item = &item},
                          {.kind = UVA_READABLE, .on = arg}};
    int index = uva_select(cases, 2, UVA_FOREVER);
    record("%d:%d", index, index >= 0 ? cases[index].code : 0);
    if (index == 1 && cases[1].code == 0) {
        char text[16] = "";
        ssize_t bytes = uva_read(arg, text, sizeof text - 1);
        record("%d:%s", (int)bytes, text);
    }
    return 0;
}

typedef struct later {
    uva_stream_t *stream;
    const char *text; /* NULL: shuts down */
} later_t;

static int write_later(void *arg) {
    const later_t *later = arg;
    ck_assert_int_eq(uva_sleep(5), 0);
    if (later->text == NULL)
        return uva_shutdown(later->stream);
    size_t bytes = strlen(later->text);
    ck_assert_int_eq(uva_write(later->stream, later->text, bytes),
                     (ssize_t)bytes);
    return 0;
}

static pair_t open_memory(uint64_t delay_ms) {
    uva_memory_stream_options_t options = {.delay_ms = delay_ms};
    uva_stream_t *ends[2];
    ck_assert_int_eq(uva_memory_stream_pair(&options, ends), 0);
    return (pair_t){ends[0], ends[1]};
}

static pair_t open_kind(int kind) {
    if (kind == 0)
        return open_pair();
    return open_memory(kind == 1 ? 0 : 3);
}

/* ---- readable ----------------------------------------------------------- */

/* Bytes that come later, bytes that are there, the end that comes later, the
 * end that is there; over a socket and in memory, with and without a delay. */
static int readable_main(void *arg) {
    (void)arg;
    init();
    for (int kind = 0; kind < 3; kind++) {
        pair_t pair = open_kind(kind);
        later_t later = {pair.far, "hello"};
        uva_task_t *task = spawn_eager(write_later, &later);
        ck_assert_int_eq(select_stream(pair.near), 0);
        ck_assert_int_eq(uva_await(task, NULL), 0);
        ck_assert_int_eq(uva_write(pair.far, "again", 5), 5);
        ck_assert_int_eq(uva_sleep(5), 0);
        ck_assert_int_eq(select_stream(pair.near), 0);
        ck_assert_int_eq(uva_write(pair.far, "soon", 4), 4);
        ck_assert_int_eq(select_stream(pair.near), 0);
        later.text = NULL;
        task = spawn_eager(write_later, &later);
        ck_assert_int_eq(select_stream(pair.near), 0);
        ck_assert_int_eq(uva_await(task, NULL), 0);
        ck_assert_int_eq(select_stream(pair.near), 0);
        char byte;
        ck_assert_int_eq(uva_read(pair.near, &byte, 1), UV_EOF);
        close_pair(&pair);
    }
    uva_channel_free(&channel);
    return 0;
}

START_TEST(select_waits_for_streams) {
    run_clean(readable_main);
    ck_expect_record("1:0 5:hello 1:0 5:again 1:0 4:soon 1:-4095 1:-4095 "
                     "1:0 5:hello 1:0 5:again 1:0 4:soon 1:-4095 1:-4095 "
                     "1:0 5:hello 1:0 5:again 1:0 4:soon 1:-4095 1:-4095");
}
END_TEST

/* A select that is only ever asked, and never waits, learns of it as well. */
static int polling_main(void *arg) {
    (void)arg;
    for (int kind = 0; kind < 3; kind++) {
        pair_t pair = open_kind(kind);
        uva_case_t what = {.kind = UVA_READABLE, .on = pair.near};
        ck_assert_int_eq(uva_select(&what, 1, 0), UV_ETIMEDOUT);
        ck_assert_int_eq(uva_write(pair.far, "x", 1), 1);
        ck_assert_int_eq(uva_sleep(10), 0);
        ck_assert_int_eq(uva_select(&what, 1, 0), 0);
        ck_assert_int_eq(what.code, 0);
        /* Nothing was read. */
        char bytes[8];
        ck_assert_int_eq(uva_read(pair.near, bytes, 8), 1);
        ck_assert_int_eq(uva_select(&what, 1, 0), UV_ETIMEDOUT);
        close_pair(&pair);
    }
    return 0;
}

START_TEST(select_asks_streams) {
    run_clean(polling_main);
}
END_TEST

/* What a read has put back is there. */
static int put_back_main(void *arg) {
    (void)arg;
    pair_t pair = open_memory(0);
    char bytes[8];
    ck_assert_int_eq(uva_write(pair.far, "abc", 3), 3);
    ck_assert_int_eq(uva_peek(pair.near, bytes, 2), 2);
    uva_case_t what = {.kind = UVA_READABLE, .on = pair.near};
    ck_assert_int_eq(uva_select(&what, 1, UVA_FOREVER), 0);
    ck_assert_int_eq(what.code, 0);
    ck_assert_int_eq(uva_read_exactly(pair.near, bytes, 3), 3);
    close_pair(&pair);
    return 0;
}

START_TEST(select_sees_what_was_put_back) {
    program_expect(put_back_main);
}
END_TEST

/* ---- the loser ---------------------------------------------------------- */

/* The item comes first: the stream may be read by anybody at once, also by a
 * task that runs before the select's does. */
static int read_text(void *arg) {
    char text[16] = "";
    ssize_t bytes = uva_read(arg, text, sizeof text - 1);
    record("%d:%s", (int)bytes, text);
    return 0;
}

static int loser_main(void *arg) {
    (void)arg;
    init();
    for (int kind = 0; kind < 3; kind++) {
        pair_t pair = open_kind(kind);
        uva_task_t *task = spawn_eager(select_stream, pair.near);
        /* Watched: nobody else reads. */
        ck_assert_int_eq(read_text(pair.near), 0);
        ck_assert_int_eq(uva_channel_try_send(&channel, &(int){1}), 0);
        ck_assert_int_eq(uva_await(task, NULL), 0);
        task = spawn_eager(read_text, pair.near);
        uva_case_t what = {.kind = UVA_READABLE, .on = pair.near};
        ck_assert_int_eq(uva_select(&what, 1, UVA_FOREVER), 0);
        ck_assert_int_eq(what.code, UV_EBUSY);
        ck_assert_int_eq(uva_write(pair.far, "hi", 2), 2);
        ck_assert_int_eq(uva_await(task, NULL), 0);
        close_pair(&pair);
    }
    uva_channel_free(&channel);
    return 0;
}

START_TEST(select_leaves_a_stream_that_lost) {
    run_clean(loser_main);
    ck_expect_record("-16: 0:0 2:hi -16: 0:0 2:hi -16: 0:0 2:hi");
}
END_TEST

/* The same stream twice, and none. */
static int twice_main(void *arg) {
    (void)arg;
    for (int kind = 0; kind < 3; kind++) {
        pair_t pair = open_kind(kind);
        later_t later = {pair.far, "x"};
        uva_task_t *task = spawn_eager(write_later, &later);
        uva_case_t cases[] = {{.kind = UVA_READABLE},
                              {.kind = UVA_READABLE, .on = pair.near},
                              {.kind = UVA_READABLE, .on = pair.near}};
        ck_assert_int_eq(uva_select(cases, 3, 1), UV_ETIMEDOUT);
        ck_assert_int_eq(uva_select(cases, 3, UVA_FOREVER), 1);
        ck_assert_int_eq(uva_await(task, NULL), 0);
        ck_assert_int_eq(read_text(pair.near), 0);
        close_pair(&pair);
    }
    return 0;
}

START_TEST(select_on_one_stream_twice) {
    run_clean(twice_main);
    ck_expect_record("1:x 1:x 1:x");
}
END_TEST

/* ---- windows ------------------------------------------------------------ */

/* | in one tick     | select       | the byte      |
 * | write, cancel   | 1            | read at once  |
 * | cancel, write   | UV_ECANCELED | stays         |
 * | item, write     | 0            | stays         |
 */
static int cancel_main(void *arg) {
    (void)arg;
    init();
    for (int round = 0; round < 3; round++) {
        pair_t pair = open_memory(0);
        uva_task_t *task = spawn_eager(select_stream, pair.near);
        if (round == 1)
            ck_assert(uva_cancel(task));
        if (round == 2)
            ck_assert_int_eq(uva_channel_try_send(&channel, &(int){1}), 0);
        ck_assert_int_eq(uva_write(pair.far, "x", 1), 1);
        if (round == 0)
            ck_assert(uva_cancel(task));
        ck_assert_int_eq(uva_channel_try_send(&channel, &(int){2}), UV_EAGAIN);
        ck_assert_int_eq(uva_await(task, NULL), 0);
        if (round > 0)
            ck_assert_int_eq(read_text(pair.near), 0);
        close_pair(&pair);
    }
    uva_channel_free(&channel);
    return 0;
}

START_TEST(select_when_bytes_and_a_cancel_meet) {
    program_expect(cancel_main);
    ck_expect_record("1:0 1:x -125:0 1:x 0:0 1:x");
}
END_TEST

static int select_only(void *arg) {
    uva_case_t what = {.kind = UVA_READABLE, .on = arg};
    int index = uva_select(&what, 1, UVA_FOREVER);
    record("%d:%d", index, what.code);
    return 0;
}

/* The stream is closed while it is watched, or between the wake and the run:
 *
 * | in one tick  | select | code         |
 * | close        | 0      | UV_ECANCELED |
 * | write, close | 0      | 0            |   the grant stands
 */
static int close_main(void *arg) {
    (void)arg;
    for (int kind = 0; kind < 3; kind++) {
        pair_t pair = open_kind(kind);
        uva_task_t *task = spawn_eager(select_only, pair.near);
        uva_stream_close(pair.near);
        uva_stream_close(pair.far);
        ck_assert_int_eq(uva_await(task, NULL), 0);
    }
    pair_t pair = open_memory(0);
    uva_task_t *task = spawn_eager(select_only, pair.near);
    ck_assert_int_eq(uva_write(pair.far, "x", 1), 1);
    close_pair(&pair);
    ck_assert_int_eq(uva_await(task, NULL), 0);
    return 0;
}

START_TEST(select_when_its_stream_is_closed) {
    run_clean(close_main);
    ck_expect_record("0:-125 0:-125 0:-125 0:0");
}
END_TEST

/* What the watcher was told is still true when it runs: nobody reads in
 * between.
 *
 * | main      | select     | thief             |
 * |           | parked     |                   |
 * | write     | decided: 1 |                   |
 * |           |            | read: UV_EBUSY    |
 * |           | runs, reads|                   |
 */
static int thief_main(void *arg) {
    (void)arg;
    init();
    pair_t pair = open_memory(0);
    uva_task_t *task = spawn_eager(select_stream, pair.near);
    ck_assert_int_eq(uva_write(pair.far, "x", 1), 1);
    ck_assert_int_eq(uva_await(spawn_eager(read_text, pair.near), NULL), 0);
    ck_assert_int_eq(uva_await(task, NULL), 0);
    close_pair(&pair);
    uva_channel_free(&channel);
    return 0;
}

START_TEST(select_when_another_wants_to_read) {
    program_expect(thief_main);
    ck_expect_record("-16: 1:0 1:x");
}
END_TEST

/* A connection that fails is readable, with its failure. */
static int reset_main(void *arg) {
    (void)arg;
    raw_t raw = open_raw();
    uva_task_t *task = spawn_eager(select_only, raw.stream);
    raw_reset(&raw.fd);
    ck_assert_int_eq(uva_await(task, NULL), 0);
    close_raw(&raw);
    uva_memory_stream_options_t options = {.fail_code = UV_EIO};
    uva_stream_t *ends[2];
    ck_assert_int_eq(uva_memory_stream_pair(&options, ends), 0);
    uva_future_t *f[2] = {spawn_eager(select_only, ends[0]),
                          spawn_eager(select_only, ends[1])};
    ck_assert_int_eq(uva_write(ends[0], "x", 1), UV_EIO);
    ck_assert_int_eq(uva_gather(f, 2, NULL), 0);
    uva_stream_close(ends[0]);
    uva_stream_close(ends[1]);
    return 0;
}

START_TEST(select_when_a_connection_fails) {
    run_clean(reset_main);
    char expected[32];
    snprintf(expected, sizeof expected, "0:%d 0:%d 0:%d", UV_ECONNRESET, UV_EIO,
             UV_EIO);
    ck_expect_record(expected);
}
END_TEST

/* ---- time and deadlocks ------------------------------------------------- */

/* A stream in memory is no reason for the clock to wait. */
static int clock_main(void *arg) {
    (void)arg;
    pair_t pair = open_memory(0);
    uva_case_t what = {.kind = UVA_READABLE, .on = pair.near};
    uint64_t start = uva_now_ms();
    ck_assert_int_eq(uva_select(&what, 1, 100000000), UV_ETIMEDOUT);
    ck_assert_uint_eq(uva_now_ms() - start, 100000000);
    /* Nor is it to be waited for: that is a deadlock, which cancels main. */
    ck_assert_int_eq(uva_select(&what, 1, UVA_FOREVER), UV_ECANCELED);
    close_pair(&pair);
    return 0;
}

START_TEST(select_on_memory_is_not_outside) {
    ck_assert_int_eq(program_run(clock_main, NULL), 0);
    ck_assert(support_reports_contain("deadlock"));
    ck_assert(support_reports_contain("parked in select of 1"));
}
END_TEST

/* A socket is: a peer that is no task of ours ends the wait. */
static void *send_soon(void *arg) {
    usleep(20000);
    raw_send(*(int *)arg, "x", 1);
    return NULL;
}

static int outside_main(void *arg) {
    (void)arg;
    raw_t raw = open_raw();
    pthread_t thread;
    ck_assert_int_eq(pthread_create(&thread, NULL, send_soon, &raw.fd), 0);
    ck_assert_int_eq(select_only(raw.stream), 0);
    ck_assert_int_eq(pthread_join(thread, NULL), 0);
    close_raw(&raw);
    return 0;
}

START_TEST(select_on_a_socket_is_outside) {
    program_expect(outside_main);
    ck_expect_record("0:0");
}
END_TEST

/* ---- faults ------------------------------------------------------------- */

static ssize_t read_nothing(void *state, void *buffer, size_t bytes) {
    (void)state, (void)buffer, (void)bytes;
    return UV_EOF;
}

static ssize_t write_nothing(void *state, const uv_buf_t buffers[],
                             unsigned count) {
    (void)state, (void)buffers, (void)count;
    return UV_EPIPE;
}

static int custom_main(void *arg) {
    static const uva_stream_ops_t ops = {.read = read_nothing,
                                         .write = write_nothing};
    uva_stream_t *stream;
    (void)arg;
    ck_assert_int_eq(uva_stream_new(&ops, NULL, &stream), 0);
    ck_assert_int_eq(select_only(stream), 0);
    ck_assert_int_eq(read_text(stream), 0);
    ck_assert_int_eq(select_only(stream), 0);
    uva_stream_close(stream);
    return 0;
}

START_TEST(select_cannot_tell_of_custom_streams) {
    program_expect(custom_main);
    char expected[64];
    snprintf(expected, sizeof expected, "0:%d %d: 0:%d", UV_ENOTSUP, UV_EOF,
             UV_EOF);
    ck_expect_record(expected);
}
END_TEST

/* Reading cannot be started: the look makes nothing of it, the watch says so.
 * A second time it works. */
static int start_main(void *arg) {
    (void)arg;
    init();
    pair_t pair = open_pair();
    uva_case_t cases[] = {{.kind = UVA_RECV, .on = &channel, .item = &(int){0}},
                          {.kind = UVA_READABLE, .on = pair.near},
                          {.kind = UVA_READABLE, .on = pair.far}};
    faults_fail_every(FAULT_UV_READ_START, 1, UV_ENOMEM);
    ck_assert_int_eq(uva_select(cases, 3, 0), UV_ETIMEDOUT);
    ck_assert_int_eq(uva_select(cases, 3, 5), 1);
    ck_assert_int_eq(cases[1].code, UV_ENOMEM);
    ck_assert_uint_gt(faults_clear(), 2);
    ck_assert_int_eq(uva_channel_try_send(&channel, &(int){1}), UV_EAGAIN);
    ck_assert_int_eq(uva_select(cases, 3, 1), UV_ETIMEDOUT);
    ck_assert_int_eq(uva_write(pair.far, "x", 1), 1);
    ck_assert_int_eq(uva_select(cases, 3, UVA_FOREVER), 1);
    ck_assert_int_eq(cases[1].code, 0);
    close_pair(&pair);
    uva_channel_free(&channel);
    return 0;
}

START_TEST(select_when_reading_cannot_be_started) {
    run_clean(start_main);
}
END_TEST

/* There is no memory for so many places: the streams are as before. */
static int many_main(void *arg) {
    (void)arg;
    pair_t pair = open_memory(0);
    uva_case_t cases[9];
    for (size_t i = 0; i < 9; i++)
        cases[i] = (uva_case_t){.kind = UVA_READABLE, .on = pair.near};
    faults_fail(FAULT_MALLOC, 1);
    ck_assert_int_eq(uva_select(cases, 9, 1), UV_ENOMEM);
    ck_assert_uint_eq(faults_clear(), 1);
    ck_assert_int_eq(uva_select(cases, 9, 1), UV_ETIMEDOUT);
    ck_assert_uint_eq(pair.near->refs, 1);
    ck_assert(!pair.near->reading);
    close_pair(&pair);
    return 0;
}

START_TEST(select_without_memory_for_its_places) {
    program_expect(many_main);
}
END_TEST

/* What has arrived cannot be kept: it stays in the kernel, and a read, which
 * needs no memory, gets it. */
static int memory_main(void *arg) {
    (void)arg;
    raw_t raw = open_raw();
    uva_task_t *task = spawn_eager(select_only, raw.stream);
    faults_fail_every(FAULT_MALLOC, 1, UV_ENOMEM);
    raw_send(raw.fd, "x", 1);
    ck_assert_int_eq(uva_await(task, NULL), 0);
    ck_assert_uint_gt(faults_clear(), 0);
    ck_assert_int_eq(read_text(raw.stream), 0);
    close_raw(&raw);
    return 0;
}

START_TEST(select_when_bytes_cannot_be_kept) {
    run_clean(memory_main);
    char expected[32];
    snprintf(expected, sizeof expected, "0:%d 1:x", UV_ENOMEM);
    ck_expect_record(expected);
}
END_TEST

/* ---- storm -------------------------------------------------------------- */

static uint64_t items_sent, items_got;
static size_t bytes_sent, bytes_got;
static bool is_over;

/* Bytes on the stream and items on the channel, at random moments. */
static int feed(void *arg) {
    unsigned random = 11;
    for (int i = support_is_slow() ? 2000 : 20000; i > 0; i--) {
        random = random * 1103515245u + 12345u;
        unsigned what = (random >> 16) % 8;
        if (what < 4) {
            char bytes[200];
            size_t count = 1 + (random >> 20) % sizeof bytes;
            make_bytes(bytes, bytes_sent, count);
            ck_assert_int_eq(uva_write(arg, bytes, count), (ssize_t)count);
            bytes_sent += count;
        } else if (what < 6) {
            int item = (int)items_sent;
            items_sent += uva_channel_try_send(&channel, &item) == 0;
        } else {
            ck_assert_int_eq(uva_yield(), 0);
        }
    }
    is_over = true;
    return uva_shutdown(arg);
}

/* Reads some of what is there; not always. */
static void read_some_of(uva_stream_t *stream, unsigned random) {
    char bytes[150];
    if (random % 4 == 0)
        return;
    ssize_t got = uva_read(stream, bytes, sizeof bytes);
    ck_assert_int_gt(got, 0);
    check_bytes(bytes, bytes_got, (size_t)got);
    bytes_got += (size_t)got;
}

static int eat(void *arg) {
    unsigned random = 5;
    size_t cursor = 0;
    for (;;) {
        random = random * 1103515245u + 12345u;
        int item = -1;
        uva_case_t cases[] = {{.kind = UVA_READABLE, .on = arg},
                              {.kind = UVA_RECV, .on = &channel, .item = &item},
                              {.kind = UVA_READABLE, .on = arg}};
        uint64_t limit = (random >> 16) % 3 == 0 ? (random >> 20) % 2 : 1000;
        int index = uva_select_rotating(cases, 3, limit, &cursor);
        while (uva_cancelling(uva_current()) > 0)
            (void)uva_uncancel(uva_current());
        if (index == 1)
            ck_assert_int_eq(item, (int)items_got++);
        else if (index >= 0 && cases[index].code == UV_EOF)
            return 0;
        else if (index >= 0)
            read_some_of(arg, random >> 18);
        else
            ck_assert(index == UV_ETIMEDOUT || index == UV_ECANCELED);
    }
}

static int storm_main(void *arg) {
    (void)arg;
    init();
    items_sent = items_got = 0;
    bytes_sent = bytes_got = 0;
    is_over = false;
    pair_t pair = open_pair();
    uva_future_t *f[2] = {uva_spawn(eat, pair.near), uva_spawn(feed, pair.far)};
    while (!is_over) {
        ck_assert_int_eq(uva_yield(), 0);
        (void)uva_cancel(f[0]);
        ck_assert_int_eq(uva_yield(), 0);
    }
    ck_assert_int_eq(uva_gather(f, 2, NULL), 0);
    close_pair(&pair);
    uva_channel_free(&channel);
    ck_assert_uint_eq(items_got, items_sent);
    ck_assert_uint_eq(bytes_got, bytes_sent);
    ck_assert_uint_gt(items_got, 0);
    return 0;
}

START_TEST(select_stream_storm) {
    for (unsigned seed = 0; seed < 3; seed++) {
        uva_options_t options = {.schedule_seed = seed,
                                 .report = support_report};
        ck_assert_int_eq(uva_run_with(&options, storm_main, NULL), 0);
        ck_assert_str_eq(support_reports(), "");
    }
}
END_TEST

SUITE("select_stream", select_waits_for_streams, select_asks_streams,
      select_sees_what_was_put_back, select_leaves_a_stream_that_lost,
      select_on_one_stream_twice, select_when_bytes_and_a_cancel_meet,
      select_when_its_stream_is_closed, select_when_another_wants_to_read,
      select_when_a_connection_fails, select_on_memory_is_not_outside,
      select_on_a_socket_is_outside, select_cannot_tell_of_custom_streams,
      select_when_reading_cannot_be_started, select_when_bytes_cannot_be_kept,
      select_without_memory_for_its_places, select_stream_storm)
