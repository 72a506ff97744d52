/* Writing: all of it, in order, whatever the socket takes at once; cut short,
 * it is known what happened; never SIGPIPE. */
#include "stream_fixture.h"

/* ---- both directions ---------------------------------------------------- */

static int echo(void *arg) {
    char buffer[256];
    ssize_t some;
    while ((some = uva_read(arg, buffer, sizeof buffer)) > 0)
        ck_assert_int_eq(uva_write(arg, buffer, (size_t)some), some);
    return (int)some;
}

static int talk(void *arg) {
    (void)arg;
    char buffer[64];
    pair_t pair = open_pair();
    uva_task_t *task = uva_spawn(echo, pair.far);
    for (size_t i = 0; i < 100; i++) {
        char bytes[sizeof buffer];
        make_bytes(bytes, i, sizeof bytes);
        ck_assert_int_eq(uva_write(pair.near, bytes, i % 64 + 1),
                         (ssize_t)i % 64 + 1);
        ck_assert_int_eq(uva_read_exactly(pair.near, buffer, i % 64 + 1),
                         (ssize_t)i % 64 + 1);
        check_bytes(buffer, i, i % 64 + 1);
    }
    ck_assert_int_eq(uva_shutdown(pair.near), 0);
    ck_assert_int_eq(uva_await(task, NULL), UV_EOF);
    close_pair(&pair);
    return 0;
}

START_TEST(write_is_echoed) {
    run_clean(talk);
}
END_TEST

/* Request and answer touch neither malloc nor the watchers. */
static int talk_cheaply(void *arg) {
    (void)arg;
    char bytes[64] = {0};
    pair_t pair = open_pair();
    uva_task_t *task = uva_spawn(echo, pair.far);
    unsigned long blocks = 0;
    unsigned long starts = 0;
    for (int i = 0; i < 100; i++) {
        ck_assert_int_eq(uva_write(pair.near, bytes, 64), 64);
        ck_assert_int_eq(uva_read_exactly(pair.near, bytes, 64), 64);
        if (i == 0) {
            blocks = faults_allocations();
            starts = faults_calls(FAULT_UV_READ_START);
        }
    }
    ck_assert_uint_eq(faults_allocations(), blocks);
    ck_assert_uint_eq(faults_calls(FAULT_UV_READ_START), starts);
    ck_assert_uint_eq(faults_calls(FAULT_UV_READ_STOP), 0);
    ck_assert_uint_eq(faults_calls(FAULT_UV_POLL_STOP), 0);
    ck_assert_uint_eq(faults_calls(FAULT_UV_WRITE), 0);
    uva_stream_close(pair.near);
    ck_assert_int_eq(uva_await(task, NULL), UV_EOF);
    uva_stream_close(pair.far);
    return 0;
}

START_TEST(write_and_read_allocate_nothing) {
    run_clean(talk_cheaply);
}
END_TEST

/* ---- much, in random pieces --------------------------------------------- */

/* Pieces larger than a socket takes at once are written, smaller ones read. */
enum { MUCH = 1 << 20, MOST_WRITTEN = 400000, MOST_READ = 30000 };

static uint32_t next_random(uint32_t *state) {
    *state = *state * 1664525 + 1013904223;
    return *state >> 8;
}

static int write_much(void *arg) {
    static char bytes[MUCH];
    uint32_t state = 7;
    make_bytes(bytes, 0, MUCH);
    for (size_t sent = 0; sent < MUCH;) {
        size_t piece = next_random(&state) % MOST_WRITTEN + 1;
        if (piece > MUCH - sent)
            piece = MUCH - sent;
        size_t half = piece / 2;
        uv_buf_t halves[] = {
            uv_buf_init(bytes + sent, (unsigned)half),
            uv_buf_init(bytes + sent + half, (unsigned)(piece - half))};
        ssize_t code = next_random(&state) % 2 == 0
                           ? uva_write(arg, bytes + sent, piece)
                           : uva_writev(arg, halves, 2);
        ck_assert_int_eq(code, (ssize_t)piece);
        sent += piece;
        if (next_random(&state) % 8 == 0)
            ck_assert_int_eq(uva_yield(), 0);
    }
    return uva_shutdown(arg);
}

static int read_much(void *arg) {
    uint32_t state = 11;
    size_t got = 0;
    ssize_t some;
    do {
        size_t wanted = next_random(&state) % MOST_READ + 1;
        char *bytes = malloc(wanted);
        some = uva_read(arg, bytes, wanted);
        if (some > 0) {
            check_bytes(bytes, got, (size_t)some);
            got += (size_t)some;
        }
        free(bytes);
        if (next_random(&state) % 8 == 0)
            ck_assert_int_eq(uva_yield(), 0);
    } while (some > 0);
    ck_assert_int_eq(some, UV_EOF);
    ck_assert_uint_eq(got, MUCH);
    return 0;
}

static int carry_much(void *arg) {
    (void)arg;
    pair_t pair = open_pair();
    shrink(uva__socket_of(pair.near)->fd);
    shrink(uva__socket_of(pair.far)->fd);
    uva_future_t *all[] = {
        uva_spawn(write_much, pair.near), uva_spawn(write_much, pair.far),
        uva_spawn(read_much, pair.near), uva_spawn(read_much, pair.far)};
    ck_assert_int_eq(uva_gather(all, 4, NULL), 0);
    ck_assert_ptr_nonnull(uva__socket_of(pair.near)->gate);
    ck_assert(!uva__socket_of(pair.near)->gate->watching);
    close_pair(&pair);
    return 0;
}

START_TEST(write_carries_a_megabyte_each_way_at_once) {
    CONFORMS("K-221");
    run_clean(carry_much);
}
END_TEST

/* ---- several buffers ---------------------------------------------------- */

enum { MANY = 3000 };

static int write_many_buffers(void *arg) {
    (void)arg;
    static char bytes[MANY];
    static char back[MANY];
    static uv_buf_t buffers[MANY + 2];
    pair_t pair = open_pair();
    make_bytes(bytes, 0, MANY);
    for (unsigned i = 0; i < MANY; i++)
        buffers[i + 1] = uv_buf_init(bytes + i, 1);
    ck_assert_int_eq(uva_writev(pair.near, buffers, MANY + 2), MANY);
    ck_assert_int_eq(uva_read_exactly(pair.far, back, MANY), MANY);
    check_bytes(back, 0, MANY);
    ck_assert_ptr_null(uva__socket_of(pair.near)->gate);
    ck_assert_int_eq(uva_writev(pair.near, buffers, 0), 0);
    ck_assert_int_eq(uva_writev(pair.near, NULL, 0), 0);
    ck_assert_int_eq(uva_writev(pair.near, buffers, 1), 0);
    ck_assert_int_eq(uva_write(pair.near, NULL, 0), 0);
    close_pair(&pair);
    return 0;
}

START_TEST(writev_takes_many_buffers_and_none) {
    run_clean(write_many_buffers);
}
END_TEST

/* ---- the end of the writing side ---------------------------------------- */

static int half_close(void *arg) {
    (void)arg;
    char buffer[8];
    raw_t raw = open_raw();
    ck_assert_int_eq(uva_write(raw.stream, "bye", 3), 3);
    ck_assert_int_eq(uva_shutdown(raw.stream), 0);
    ck_assert_int_eq(uva_shutdown(raw.stream), 0);
    ck_assert_int_eq(uva_write(raw.stream, "x", 1), UV_EPIPE);
    ck_assert_int_eq(recv(raw.fd, buffer, sizeof buffer, MSG_WAITALL), 3);
    ck_assert_int_eq(recv(raw.fd, buffer, sizeof buffer, 0), 0);
    raw_send(raw.fd, "still", 5);
    ck_assert_int_eq(uva_read_exactly(raw.stream, buffer, 5), 5);
    close_raw(&raw);

    /* And the other way round: after the end was read, writing goes on. */
    raw = open_raw();
    ck_assert_int_eq(shutdown(raw.fd, SHUT_WR), 0);
    ck_assert_int_eq(uva_read(raw.stream, buffer, 1), UV_EOF);
    ck_assert_int_eq(uva_write(raw.stream, "late", 4), 4);
    ck_assert_int_eq(recv(raw.fd, buffer, 4, MSG_WAITALL), 4);
    ck_assert_mem_eq(buffer, "late", 4);
    close_raw(&raw);
    return 0;
}

START_TEST(shutdown_ends_one_side) {
    CONFORMS("K-216", "K-218", "K-219");
    run_clean(half_close);
}
END_TEST

static int write_and_close(void *arg) {
    (void)arg;
    static char bytes[100000];
    static char back[100000];
    raw_t raw = open_raw();
    make_bytes(bytes, 0, sizeof bytes);
    ck_assert_int_eq(uva_write(raw.stream, bytes, sizeof bytes), sizeof bytes);
    uva_stream_close(raw.stream);
    ck_assert_int_eq(recv(raw.fd, back, sizeof back, MSG_WAITALL), sizeof back);
    check_bytes(back, 0, sizeof back);
    ck_assert_int_eq(recv(raw.fd, back, 1, 0), 0);
    close(raw.fd);
    return 0;
}

START_TEST(close_sends_what_was_written) {
    CONFORMS("K-217");
    run_clean(write_and_close);
}
END_TEST

/* ---- cut short ---------------------------------------------------------- */

/* Fills the socket behind the stream's back, so that a write writes nothing. */
static int cut_before(void *arg) {
    (void)arg;
    char byte = 'x';
    raw_t raw = open_raw();
    size_t filled = fill(uva__socket_of(raw.stream)->fd);
    for (int i = 0; i < 3; i++) {
        uva_scope_t scope;
        uva_scope_open(&scope, i == 0 ? 0 : 3, 0);
        ck_assert_int_eq(uva_write(raw.stream, &byte, 1), UV_ECANCELED);
        ck_assert_int_eq(uva_scope_close(&scope), UV_ETIMEDOUT);
    }
    size_t drained = 0;
    while (drained < filled) {
        drained += drain(raw.fd);
        ck_assert_int_eq(uva_sleep(1), 0);
    }
    ck_assert_uint_eq(drained, filled);
    ck_assert_int_eq(uva_write(raw.stream, &byte, 1), 1);
    ck_assert_int_eq(recv(raw.fd, &byte, 1, 0), 1);
    ck_assert_int_eq(uva_shutdown(raw.stream), 0);
    close_raw(&raw);
    return 0;
}

START_TEST(write_cut_before_a_byte_did_nothing) {
    run_clean(cut_before);
}
END_TEST

enum { TOO_MUCH = 64 << 20 };

static int write_too_much(void *arg) {
    char *bytes = calloc(1, TOO_MUCH);
    ssize_t code = uva_write(arg, bytes, TOO_MUCH);
    free(bytes);
    return (int)code;
}

static int cut_after(void *arg) {
    (void)arg;
    raw_t raw = open_raw();
    uva_task_t *task = uva_spawn(write_too_much, raw.stream);
    ck_assert_int_eq(uva_sleep(5), 0);
    ck_assert_int_eq(uva_write(raw.stream, "x", 1), UV_EBUSY);
    ck_assert_int_eq(uva_shutdown(raw.stream), UV_EBUSY);
    ck_assert_int_eq(uva_cancel_and_wait(task), UV_ECANCELED);
    ck_assert_int_eq(uva_write(raw.stream, "x", 1), UV_EPIPE);
    ck_assert_int_eq(uva_shutdown(raw.stream), UV_EPIPE);
    raw_send(raw.fd, "y", 1);
    char byte;
    ck_assert_int_eq(uva_read(raw.stream, &byte, 1), 1);
    close_raw(&raw);
    return 0;
}

START_TEST(write_cut_after_a_byte_ends_that_side) {
    run_clean(cut_after);
}
END_TEST

static int close_under_writer(void *arg) {
    (void)arg;
    raw_t raw = open_raw();
    uva_task_t *task = uva_spawn(write_too_much, raw.stream);
    ck_assert_int_eq(uva_sleep(5), 0);
    uva_stream_close(raw.stream);
    ck_assert_int_eq(uva_await(task, NULL), UV_ECANCELED);
    close(raw.fd);
    return 0;
}

START_TEST(write_ends_when_the_stream_is_closed) {
    run_clean(close_under_writer);
}
END_TEST

typedef struct pair_of_raws {
    raw_t first;
    raw_t second;
} pair_of_raws_t;

/* Closes the second stream as soon as the first one has something. */
static int close_second(void *arg) {
    pair_of_raws_t *raws = arg;
    char byte;
    ck_assert_int_eq(uva_read(raws->first.stream, &byte, 1), 1);
    uva_stream_close(raws->second.stream);
    return 0;
}

/* One poll wakes first who closes the stream, then who writes to it. */
static int close_under_woken_writer(void *arg) {
    (void)arg;
    pair_of_raws_t raws = {open_raw(), open_raw()};
    uva_task_t *closer = uva_spawn(close_second, &raws);
    uva_task_t *writer = uva_spawn(write_too_much, raws.second.stream);
    ck_assert_int_eq(uva_sleep(5), 0);
    ck_assert_ptr_nonnull(uva__socket_of(raws.second.stream)->writer);
    raw_send(raws.first.fd, "x", 1);
    (void)drain(raws.second.fd);
    ck_assert_int_eq(uva_await(closer, NULL), 0);
    ck_assert_int_eq(uva_await(writer, NULL), UV_ECANCELED);
    close_raw(&raws.first);
    close(raws.second.fd);
    return 0;
}

START_TEST(write_survives_a_close_between_wake_and_run) {
    run_clean(close_under_woken_writer);
}
END_TEST

/* ---- the peer is gone --------------------------------------------------- */

static bool is_gone(int code) {
    return code == UV_EPIPE || code == UV_ECONNRESET;
}

static int write_to_the_dead(void *arg) {
    (void)arg;
    static const char bytes[4096];
    raw_t raw = open_raw();
    close(raw.fd);
    raw.fd = -1;
    ssize_t code = 1;
    for (int i = 0; code > 0 && i < 1000; i++)
        code = uva_write(raw.stream, bytes, sizeof bytes);
    ck_assert(is_gone((int)code));
    ck_assert_int_eq(uva_write(raw.stream, bytes, 1), UV_EPIPE);
    close_raw(&raw);

    /* While the writer is parked. */
    raw = open_raw();
    uva_task_t *task = uva_spawn(write_too_much, raw.stream);
    ck_assert_int_eq(uva_sleep(5), 0);
    raw_reset(&raw.fd);
    ck_assert(is_gone(uva_await(task, NULL)));
    ck_assert_int_eq(uva_write(raw.stream, bytes, 1), UV_EPIPE);
    close_raw(&raw);
    return 0;
}

START_TEST(write_to_a_gone_peer_is_an_error_not_a_signal) {
    ck_assert(signal(SIGPIPE, SIG_DFL) != SIG_ERR);
    run_clean(write_to_the_dead);
}
END_TEST

/* ---- misuse ------------------------------------------------------------- */

static int use_wrongly(void *arg) {
    (void)arg;
    uv_buf_t bad[] = {{.base = NULL, .len = 1}};
    uv_buf_t huge[] = {{.base = (char *)bad, .len = SIZE_MAX / 2},
                       {.base = (char *)bad, .len = SIZE_MAX / 2}};
    raw_t raw = open_raw();
    ck_assert_int_eq(uva_write(NULL, "x", 1), UV_EINVAL);
    ck_assert_int_eq(uva_write(raw.stream, NULL, 1), UV_EINVAL);
    ck_assert_int_eq(uva_write(raw.stream, "x", SIZE_MAX), UV_EINVAL);
    ck_assert_int_eq(uva_writev(raw.stream, bad, 1), UV_EINVAL);
    ck_assert_int_eq(uva_writev(raw.stream, huge, 2), UV_EINVAL);
    ck_assert_int_eq(uva_writev(raw.stream, NULL, 1), UV_EINVAL);
    ck_assert_int_eq(uva_shutdown(NULL), UV_EINVAL);
    ck_assert_uint_eq(drain(raw.fd), 0);
    uva_stream_close(NULL);
    close_raw(&raw);
    return 0;
}

START_TEST(write_refuses_misuse) {
    run_clean(use_wrongly);
    ck_assert_int_eq(uva_write(NULL, "x", 1), UV_EPERM);
    ck_assert_int_eq(uva_writev(NULL, NULL, 0), UV_EPERM);
}
END_TEST

/* In a thread of its own, without a runtime. */
static int try_elsewhere(void *arg) {
    raw_t *raw = arg;
    ck_assert_int_eq(uva_shutdown(raw->stream), UV_EPERM);
    uva_stream_close(raw->stream);
    return 0;
}

static int use_in_another_thread(void *arg) {
    (void)arg;
    raw_t raw = open_raw();
    ck_assert_int_eq(uva_to_thread(try_elsewhere, &raw), 0);
    ck_assert_int_eq(uva_write(raw.stream, "x", 1), 1);
    close_raw(&raw);
    return 0;
}

START_TEST(stream_is_refused_in_another_thread) {
    run_clean(use_in_another_thread);
}
END_TEST

static int forget(void *arg) {
    int *fd = arg;
    raw_t raw = open_raw();
    ck_assert_int_eq(uva_write(raw.stream, "x", 1), 1);
    *fd = raw.fd;
    return 0;
}

START_TEST(stream_left_open_is_reported_and_closed) {
    int fd = -1;
    char buffer[8];
    ck_assert_int_eq(uva_run_with(&quiet, forget, &fd), 0);
    ck_assert_uint_eq(support_report_count(), 1);
    ck_assert(support_reports_contain("a stream (opened at "));
    ck_assert(support_reports_contain("stream_fixture.h:"));
    ck_assert_int_eq(recv(fd, buffer, sizeof buffer, 0), 1);
    ck_assert_int_eq(recv(fd, buffer, sizeof buffer, 0), 0);
    close(fd);
}
END_TEST

SUITE("stream_write", write_is_echoed, write_and_read_allocate_nothing,
      write_carries_a_megabyte_each_way_at_once,
      writev_takes_many_buffers_and_none, shutdown_ends_one_side,
      close_sends_what_was_written, write_cut_before_a_byte_did_nothing,
      write_cut_after_a_byte_ends_that_side,
      write_ends_when_the_stream_is_closed,
      write_survives_a_close_between_wake_and_run,
      write_to_a_gone_peer_is_an_error_not_a_signal, write_refuses_misuse,
      stream_is_refused_in_another_thread,
      stream_left_open_is_reported_and_closed)
