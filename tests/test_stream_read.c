/* Reading: what is there, the end, exact sizes; cut short, nothing is lost. */
#include "stream_fixture.h"

/* ---- reading what is there ---------------------------------------------- */

static int note_switch(void *arg) {
    *(bool *)arg = true;
    return 0;
}

static int read_pieces(void *arg) {
    (void)arg;
    char buffer[16];
    raw_t raw = open_raw();
    raw_send(raw.fd, "0123456789", 10);
    ck_assert_int_eq(uva_read(raw.stream, buffer, 4), 4);
    ck_assert_mem_eq(buffer, "0123", 4);
    ck_assert_int_eq(uva_read(raw.stream, buffer, 0), 0);
    ck_assert_int_eq(uva_read(raw.stream, NULL, 0), 0);
    /* Meanwhile the rest is read into the stream. */
    ck_assert_int_eq(uva_sleep(5), 0);
    bool switched = false;
    uva_task_t *task = uva_spawn(note_switch, &switched);
    ck_assert_int_eq(uva_read(raw.stream, buffer, 2), 2);
    ck_assert_mem_eq(buffer, "45", 2);
    ck_assert_int_eq(uva_read(raw.stream, buffer, sizeof buffer), 4);
    ck_assert_mem_eq(buffer, "6789", 4);
    ck_assert(!switched);
    ck_assert_int_eq(uva_await(task, NULL), 0);
    close_raw(&raw);
    return 0;
}

START_TEST(read_returns_at_most_what_is_asked) {
    CONFORMS("K-208");
    run_clean(read_pieces);
}
END_TEST

static int read_to_the_end(void *arg) {
    (void)arg;
    char buffer[16];
    raw_t raw = open_raw();
    raw_send(raw.fd, "last", 4);
    close(raw.fd);
    raw.fd = -1;
    ck_assert_int_eq(uva_read(raw.stream, buffer, 2), 2);
    ck_assert_int_eq(uva_read(raw.stream, buffer, sizeof buffer), 2);
    for (int i = 0; i < 3; i++)
        ck_assert_int_eq(uva_read(raw.stream, buffer, sizeof buffer), UV_EOF);
    ck_assert_int_eq(uva_read(raw.stream, buffer, 0), 0);
    close_raw(&raw);
    return 0;
}

START_TEST(read_says_the_end_again_and_again) {
    run_clean(read_to_the_end);
}
END_TEST

static int reset_soon(void *arg) {
    raw_t *raw = arg;
    ck_assert_int_eq(uva_sleep(5), 0);
    raw_reset(&raw->fd);
    return 0;
}

static int read_a_reset_stream(void *arg) {
    (void)arg;
    char buffer[16];
    raw_t raw = open_raw();
    uva_task_t *task = uva_spawn(reset_soon, &raw);
    for (int i = 0; i < 3; i++)
        ck_assert_int_eq(uva_read(raw.stream, buffer, 8), UV_ECONNRESET);
    ck_assert_int_eq(uva_read_exactly(raw.stream, buffer, 8), UV_ECONNRESET);
    ck_assert_int_eq(uva_await(task, NULL), 0);
    close_raw(&raw);

    /* What had arrived of a message that is broken off is no message. */
    raw = open_raw();
    raw_send(raw.fd, "abc", 3);
    task = uva_spawn(reset_soon, &raw);
    ck_assert_int_eq(uva_read_exactly(raw.stream, buffer, 8), UV_ECONNRESET);
    ck_assert_int_eq(uva_read(raw.stream, buffer, 8), UV_ECONNRESET);
    ck_assert_int_eq(uva_await(task, NULL), 0);
    close_raw(&raw);

    /* The write is told first; the read must not see a clean end. */
    raw = open_raw();
    raw_send(raw.fd, "x", 1);
    raw_reset(&raw.fd);
    ck_assert_int_eq(uva_write(raw.stream, "y", 1), UV_ECONNRESET);
    ssize_t got = uva_read(raw.stream, buffer, 8);
    if (got == 1)
        got = uva_read(raw.stream, buffer, 8);
    ck_assert_int_eq(got, UV_ECONNRESET);
    ck_assert_int_eq(uva_read(raw.stream, buffer, 8), UV_ECONNRESET);
    close_raw(&raw);
    return 0;
}

START_TEST(read_gives_a_failure_again_and_again) {
    CONFORMS("K-214");
    run_clean(read_a_reset_stream);
}
END_TEST

/* ---- exact sizes -------------------------------------------------------- */

static int send_slowly(void *arg) {
    raw_t *raw = arg;
    for (size_t i = 0; i < 10; i++) {
        char byte = byte_at(i);
        raw_send(raw->fd, &byte, 1);
        ck_assert_int_eq(uva_sleep(1), 0);
    }
    close(raw->fd);
    raw->fd = -1;
    return 0;
}

static int read_exact_sizes(void *arg) {
    (void)arg;
    char buffer[16];
    raw_t raw = open_raw();
    uva_task_t *task = uva_spawn(send_slowly, &raw);
    ck_assert_int_eq(uva_read_exactly(raw.stream, buffer, 0), 0);
    ck_assert_int_eq(uva_read_exactly(raw.stream, buffer, 6), 6);
    check_bytes(buffer, 0, 6);
    /* Four are left: too few, so they stay. */
    ck_assert_int_eq(uva_read_exactly(raw.stream, buffer, 5), UV_EOF);
    ck_assert_int_eq(uva_read_exactly(raw.stream, buffer, 5), UV_EOF);
    ck_assert_int_eq(uva_read_exactly(raw.stream, buffer, 1), 1);
    check_bytes(buffer, 6, 1);
    ck_assert_int_eq(uva_read(raw.stream, buffer, sizeof buffer), 3);
    check_bytes(buffer, 7, 3);
    ck_assert_int_eq(uva_read_exactly(raw.stream, buffer, 1), UV_EOF);
    ck_assert_int_eq(uva_await(task, NULL), 0);
    close_raw(&raw);
    return 0;
}

START_TEST(read_exactly_reads_all_or_keeps_it) {
    run_clean(read_exact_sizes);
}
END_TEST

/* ---- cut short ---------------------------------------------------------- */

static int read_one(void *arg) {
    char byte;
    return (int)uva_read(arg, &byte, 1);
}

static int cut_reads(void *arg) {
    (void)arg;
    char buffer[16];
    raw_t raw = open_raw();
    uva_task_t *task = uva_spawn(read_one, raw.stream);
    ck_assert_int_eq(uva_sleep(2), 0);
    raw_send(raw.fd, "abc", 3);
    ck_assert_int_eq(uva_cancel_and_wait(task), UV_ECANCELED);
    ck_assert_int_eq(uva_read_exactly(raw.stream, buffer, 3), 3);
    ck_assert_mem_eq(buffer, "abc", 3);

    uva_scope_t scope;
    uva_scope_open(&scope, 5, 0);
    ck_assert_int_eq(uva_read(raw.stream, buffer, 3), UV_ECANCELED);
    ck_assert_int_eq(uva_scope_close(&scope), UV_ETIMEDOUT);
    raw_send(raw.fd, "def", 3);
    ck_assert_int_eq(uva_read_exactly(raw.stream, buffer, 3), 3);
    ck_assert_mem_eq(buffer, "def", 3);
    close_raw(&raw);
    return 0;
}

START_TEST(read_that_is_cut_loses_nothing) {
    CONFORMS("K-178");
    run_clean(cut_reads);
}
END_TEST

/* Granted before it was cancelled: the read succeeds. */
static int grant_then_cancel(void *arg) {
    (void)arg;
    raw_t raw = open_raw();
    uva_task_t *task = uva_spawn(read_one, raw.stream);
    ck_assert_int_eq(uva_yield(), 0);
    raw_send(raw.fd, "a", 1);
    while (uva__socket_of(raw.stream)->reader != NULL || !raw.stream->reading)
        ck_assert_int_eq(uva_yield(), 0);
    (void)uva_cancel(task);
    int code = uva_await(task, NULL);
    ck_assert_msg(code == 1 || code == UV_ECANCELED, "%d", code);
    close_raw(&raw);
    return 0;
}

START_TEST(read_that_was_granted_stands) {
    run_clean(grant_then_cancel);
}
END_TEST

/* A storm of short reads, each cut at some point; every byte comes once. */
static int send_storm(void *arg) {
    raw_t *raw = arg;
    char bytes[64];
    for (size_t sent = 0; sent < 4096; sent += sizeof bytes) {
        make_bytes(bytes, sent, sizeof bytes);
        raw_send(raw->fd, bytes, sizeof bytes);
        ck_assert_int_eq(uva_yield(), 0);
        if (sent % 512 == 0)
            ck_assert_int_eq(uva_sleep(1), 0);
    }
    close(raw->fd);
    raw->fd = -1;
    return 0;
}

static int read_in_storm(void *arg) {
    (void)arg;
    char buffer[100];
    size_t got = 0;
    ssize_t some = 0;
    unsigned cuts = 0;
    raw_t raw = open_raw();
    uva_task_t *task = uva_spawn(send_storm, &raw);
    for (unsigned i = 0; some != UV_EOF; i++) {
        uva_scope_t scope;
        uva_scope_open(&scope, i % 3 == 0 ? 0 : 1, 0);
        size_t wanted = i % sizeof buffer + 1;
        some = i % 2 == 0 ? uva_read(raw.stream, buffer, wanted)
                          : uva_read_exactly(raw.stream, buffer, wanted);
        cuts += uva_scope_close(&scope) != 0;
        if (some == UV_EOF && i % 2 == 1)
            some = UV_ECANCELED; /* too few left: the other one reads them */
        if (some < 0) {
            ck_assert(some == UV_ECANCELED || some == UV_EOF);
            ck_assert_int_eq(uva_yield(), 0);
            continue;
        }
        check_bytes(buffer, got, (size_t)some);
        got += (size_t)some;
    }
    ck_assert_uint_eq(got, 4096);
    ck_assert_uint_gt(cuts, 0);
    ck_assert_int_eq(uva_await(task, NULL), 0);
    close_raw(&raw);
    return 0;
}

START_TEST(read_in_a_storm_of_timeouts_loses_nothing) {
    run_clean(read_in_storm);
}
END_TEST

enum { LARGE_BYTES = 300000 };

static int write_most(void *arg) {
    char *bytes = malloc(LARGE_BYTES);
    make_bytes(bytes, 0, LARGE_BYTES);
    ssize_t code = uva_write(arg, bytes, LARGE_BYTES - 1000);
    free(bytes);
    return code < 0 ? (int)code : 0;
}

/* More than the stream keeps otherwise is put back, and read again. */
static int cut_large_read(void *arg) {
    (void)arg;
    pair_t pair = open_pair();
    char *bytes = malloc(LARGE_BYTES);
    uva_task_t *task = uva_spawn(write_most, pair.far);
    uva_scope_t scope;
    uva_scope_open(&scope, 50, 0);
    ck_assert_int_eq(uva_read_exactly(pair.near, bytes, LARGE_BYTES),
                     UV_ECANCELED);
    ck_assert_int_eq(uva_scope_close(&scope), UV_ETIMEDOUT);
    memset(bytes, 0, LARGE_BYTES);
    ck_assert_int_eq(uva_read_exactly(pair.near, bytes, LARGE_BYTES - 1000),
                     LARGE_BYTES - 1000);
    ck_assert_int_eq(uva_await(task, NULL), 0);
    check_bytes(bytes, 0, LARGE_BYTES - 1000);
    free(bytes);
    close_pair(&pair);
    return 0;
}

START_TEST(read_exactly_puts_much_back) {
    run_clean(cut_large_read);
}
END_TEST

static int fail_to_put_back(void *arg) {
    (void)arg;
    char buffer[8];
    raw_t raw = open_raw();
    raw_send(raw.fd, "abc", 3);
    uva_scope_t scope;
    uva_scope_open(&scope, 5, 0);
    faults_fail_every(FAULT_MALLOC, 1, UV_ENOMEM);
    ck_assert_int_eq(uva_read_exactly(raw.stream, buffer, 8), UV_ENOMEM);
    ck_assert_uint_gt(faults_clear(), 0);
    (void)uva_scope_close(&scope);
    ck_assert_int_eq(uva_read(raw.stream, buffer, 8), UV_ENOMEM);
    close_raw(&raw);
    return 0;
}

START_TEST(read_exactly_without_memory_ends_the_stream) {
    run_clean(fail_to_put_back);
}
END_TEST

/* ---- nobody reads ------------------------------------------------------- */

static int ignore_and_read(void *arg) {
    (void)arg;
    char *buffer = malloc(1000 * KIB);
    raw_t raw = open_raw();
    raw_send(raw.fd, "!", 1);
    ck_assert_int_eq(uva_read(raw.stream, buffer, 1), 1);
    /* Armed, and nobody reads: some is kept, then the peer must wait. */
    make_bytes(buffer, 0, 1000 * KIB);
    size_t sent = 0;
    for (int idle = 0; idle < 5;) {
        ssize_t some = send(raw.fd, buffer + sent, 1000 * KIB - sent,
                            MSG_DONTWAIT | MSG_NOSIGNAL);
        sent += some > 0 ? (size_t)some : 0;
        idle = some > 0 ? 0 : idle + 1;
        if (sent == 1000 * KIB)
            break;
        ck_assert_int_eq(uva_sleep(1), 0);
    }
    ck_assert_int_eq(uva_sleep(1), 0);
    ck_assert_uint_eq(raw.stream->inbox.capacity, 64 * KIB);
    ck_assert_uint_le(raw.stream->inbox.end, 64 * KIB);
    ck_assert(!uva__socket_of(raw.stream)->armed);
    /* In pieces, so that the stream is armed and paused again and again. */
    for (size_t got = 0; got < sent;) {
        ssize_t some = uva_read(raw.stream, buffer, 7777);
        ck_assert_int_gt(some, 0);
        check_bytes(buffer, got, (size_t)some);
        got += (size_t)some;
    }
    /* One that waits again keeps no memory for what comes. */
    uva_scope_t scope;
    uva_scope_open(&scope, 2, 0);
    ck_assert_int_eq(uva_read(raw.stream, buffer, 1), UV_ECANCELED);
    ck_assert_int_eq(uva_scope_close(&scope), UV_ETIMEDOUT);
    ck_assert_ptr_null(raw.stream->inbox.base);
    free(buffer);
    close_raw(&raw);
    return 0;
}

START_TEST(read_keeps_a_bounded_amount) {
    CONFORMS("K-209");
    run_clean(ignore_and_read);
}
END_TEST

/* Without memory to keep it, what arrives stays in the kernel. */
static int keep_without_memory(void *arg) {
    (void)arg;
    char buffer[8];
    raw_t raw = open_raw();
    raw_send(raw.fd, "a", 1);
    ck_assert_int_eq(uva_read(raw.stream, buffer, 8), 1);
    faults_fail_every(FAULT_MALLOC, 1, UV_ENOMEM);
    raw_send(raw.fd, "bc", 2);
    ck_assert_int_eq(uva_sleep(5), 0);
    ck_assert_uint_gt(faults_clear(), 0);
    ck_assert(!uva__socket_of(raw.stream)->armed);
    ck_assert_int_eq(uva_read(raw.stream, buffer, 8), 2);
    ck_assert_mem_eq(buffer, "bc", 2);
    close_raw(&raw);
    return 0;
}

START_TEST(read_survives_having_no_memory) {
    run_clean(keep_without_memory);
}
END_TEST

/* ---- together with others ----------------------------------------------- */

static int meet_other_reader(void *arg) {
    (void)arg;
    char byte;
    raw_t raw = open_raw();
    uva_task_t *task = uva_spawn(read_one, raw.stream);
    ck_assert_int_eq(uva_yield(), 0);
    ck_assert_int_eq(uva_read(raw.stream, &byte, 1), UV_EBUSY);
    ck_assert_int_eq(uva_read_exactly(raw.stream, &byte, 1), UV_EBUSY);
    ck_assert_int_eq(uva_write(raw.stream, "x", 1), 1);
    raw_send(raw.fd, "y", 1);
    ck_assert_int_eq(uva_await(task, NULL), 1);
    close_raw(&raw);
    return 0;
}

START_TEST(read_by_a_second_task_is_refused) {
    run_clean(meet_other_reader);
}
END_TEST

static int close_under_reader(void *arg) {
    (void)arg;
    raw_t raw = open_raw();
    uva_task_t *task = uva_spawn(read_one, raw.stream);
    ck_assert_int_eq(uva_sleep(2), 0);
    uva_stream_close(raw.stream);
    ck_assert_int_eq(uva_await(task, NULL), UV_ECANCELED);
    close(raw.fd);
    return 0;
}

START_TEST(read_ends_when_the_stream_is_closed) {
    run_clean(close_under_reader);
}
END_TEST

static int read_singly(void *arg) {
    char byte;
    ssize_t code;
    int count = 0;
    while ((code = uva_read(arg, &byte, 1)) == 1)
        count++;
    ck_assert_int_eq(code, UV_ECANCELED);
    return count;
}

/* Reading what is there yields now and then; the stream may be closed in that
 * very moment. */
static int close_while_reader_yields(void *arg) {
    (void)arg;
    char bytes[1000] = {0};
    raw_t raw = open_raw();
    raw_send(raw.fd, bytes, sizeof bytes);
    ck_assert_int_eq(uva_read(raw.stream, bytes, 1), 1);
    ck_assert_int_eq(uva_sleep(5), 0);
    uva_task_t *task = uva_spawn(read_singly, raw.stream);
    ck_assert_int_eq(uva_yield(), 0);
    uva_stream_close(raw.stream);
    ck_assert_int_eq(uva_sleep(5), 0);
    int count = uva_await(task, NULL);
    ck_assert_int_gt(count, 0);
    ck_assert_int_lt(count, 999);
    close(raw.fd);
    return 0;
}

START_TEST(read_lets_others_run_and_survives_a_close) {
    run_clean(close_while_reader_yields);
}
END_TEST

static int use_wrongly(void *arg) {
    (void)arg;
    char byte;
    raw_t raw = open_raw();
    ck_assert_int_eq(uva_read(NULL, &byte, 1), UV_EINVAL);
    ck_assert_int_eq(uva_read(raw.stream, NULL, 1), UV_EINVAL);
    ck_assert_int_eq(uva_read(raw.stream, &byte, SIZE_MAX), UV_EINVAL);
    ck_assert_int_eq(uva_read_exactly(NULL, &byte, 1), UV_EINVAL);
    ck_assert_int_eq(uva_read_exactly(raw.stream, NULL, 1), UV_EINVAL);
    close_raw(&raw);
    return 0;
}

START_TEST(read_refuses_misuse) {
    char byte;
    run_clean(use_wrongly);
    ck_assert_int_eq(uva_read(NULL, &byte, 1), UV_EPERM);
    ck_assert_int_eq(uva_read_exactly(NULL, &byte, 1), UV_EPERM);
}
END_TEST

/* ---- closed between two parks of one call ------------------------------- */

static int read_ten(void *stream) {
    char buffer[10];
    return (int)uva_read_exactly(stream, buffer, sizeof buffer);
}

typedef struct closer {
    uva_stream_t *cue;
    uva_stream_t *stream;
} closer_t;

static int close_on_cue(void *arg) {
    const closer_t *closer = arg;
    char byte;
    ck_assert_int_eq(uva_read(closer->cue, &byte, 1), 1);
    uva_stream_close(closer->stream);
    return 0;
}

static int close_the_window(void *arg) {
    (void)arg;
    raw_t cue = open_raw();
    raw_t raw = open_raw();
    closer_t closer = {cue.stream, raw.stream};
    uva_task_t *tasks[] = {uva_spawn(close_on_cue, &closer),
                           uva_spawn(read_ten, raw.stream)};
    ck_assert_int_eq(uva_sleep(5), 0);
    raw_send(cue.fd, "!", 1);
    raw_send(raw.fd, "some", 4);
    ck_assert_int_eq(uva_await(tasks[1], NULL), UV_ECANCELED);
    ck_assert_int_eq(uva_await(tasks[0], NULL), 0);
    close_raw(&cue);
    close(raw.fd);
    return 0;
}

START_TEST(read_exactly_closed_with_half_of_it) {
    run_clean(close_the_window);
}
END_TEST

SUITE("stream_read", read_returns_at_most_what_is_asked,
      read_says_the_end_again_and_again, read_gives_a_failure_again_and_again,
      read_exactly_reads_all_or_keeps_it, read_that_is_cut_loses_nothing,
      read_that_was_granted_stands, read_in_a_storm_of_timeouts_loses_nothing,
      read_exactly_puts_much_back, read_exactly_without_memory_ends_the_stream,
      read_keeps_a_bounded_amount, read_survives_having_no_memory,
      read_by_a_second_task_is_refused, read_ends_when_the_stream_is_closed,
      read_lets_others_run_and_survives_a_close, read_refuses_misuse,
      read_exactly_closed_with_half_of_it)
