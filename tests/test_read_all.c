/* labels: valgrind */
/* Reading a stream to its end: whatever comes how, the limit, and what stays
 * in the stream when it fails. */
#include "stream_fixture.h"
#include "support/program.h"

enum { MUCH = 1000000 };

/* ---- all of it ---------------------------------------------------------- */

typedef struct sender {
    uva_stream_t *stream;
    size_t bytes;
} sender_t;

static int send_and_end(void *arg) {
    sender_t *sender = arg;
    static char bytes[MUCH];
    make_bytes(bytes, 0, sender->bytes);
    ck_assert_int_eq(uva_write(sender->stream, bytes, sender->bytes),
                     (ssize_t)sender->bytes);
    return uva_shutdown(sender->stream);
}

/* More than a stream holds for its reader; the writer waits for us. */
static int read_much(void *arg) {
    (void)arg;
    pair_t pair = open_pair();
    sender_t sender = {pair.near, MUCH};
    uva_task_t *task = uva_spawn(send_and_end, &sender);
    ck_assert_int_eq(uva_sleep(5), 0);
    char *data = NULL;
    size_t bytes = 0;
    ck_assert_int_eq(uva_read_all(pair.far, SIZE_MAX, &data, &bytes), 0);
    ck_assert_uint_eq(bytes, MUCH);
    check_bytes(data, 0, MUCH);
    ck_assert_int_eq(data[MUCH], '\0');
    free(data);
    ck_assert_int_eq(uva_await(task, NULL), 0);
    close_pair(&pair);
    return 0;
}

START_TEST(read_all_brings_more_than_a_stream_holds) {
    CONFORMS("K-209");
    run_clean(read_much);
}
END_TEST

/* ---- the limit ---------------------------------------------------------- */

/* A pair in memory with so many bytes and the end under way. */
static void open_with(uva_stream_t *ends[2], size_t bytes, size_t fragment) {
    static char data[MUCH];
    uva_memory_stream_options_t options = {.capacity = MUCH,
                                           .fragment_bytes = fragment};
    ck_assert_int_eq(uva_memory_stream_pair(&options, ends), 0);
    make_bytes(data, 0, bytes);
    ck_assert_int_eq(uva_write(ends[0], data, bytes), (ssize_t)bytes);
    ck_assert_int_eq(uva_shutdown(ends[0]), 0);
}

static void close_both(uva_stream_t *ends[2]) {
    uva_stream_close(ends[0]);
    uva_stream_close(ends[1]);
}

/* 0, 1, a room full, one more ...: with a limit that is met, and one that is
 * passed by one. */
static int try_limits(void *arg) {
    static const size_t sizes[] = {0, 1, 2, 4095, 4096, 4097, 8192, 70000};
    (void)arg;
    for (size_t i = 0; i < sizeof sizes / sizeof sizes[0]; i++) {
        size_t size = sizes[i];
        uva_stream_t *ends[2];
        char *data = NULL;
        size_t bytes = 12345;
        open_with(ends, size, 1000);
        if (size > 0) {
            ck_assert_int_eq(uva_read_all(ends[1], size - 1, &data, &bytes),
                             UV_ENOBUFS);
            ck_assert_ptr_null(data);
            ck_assert_uint_eq(bytes, 12345);
        }
        ck_assert_int_eq(uva_read_all(ends[1], size, &data, &bytes), 0);
        ck_assert_uint_eq(bytes, size);
        check_bytes(data, 0, size);
        ck_assert_int_eq(data[size], '\0');
        free(data);
        /* Behind the end there is nothing. */
        ck_assert_int_eq(uva_read_all(ends[1], 0, &data, NULL), 0);
        ck_assert_str_eq(data, "");
        free(data);
        close_both(ends);
    }
    return 0;
}

START_TEST(read_all_keeps_to_its_limit) {
    program_expect(try_limits);
}
END_TEST

/* ---- when it fails ------------------------------------------------------ */

static int read_all_of(void *arg) {
    char *data = NULL;
    int code = uva_read_all(arg, SIZE_MAX, &data, NULL);
    free(data);
    return code;
}

static int cut_it(void *arg) {
    (void)arg;
    uva_stream_t *ends[2];
    ck_assert_int_eq(uva_memory_stream_pair(NULL, ends), 0);
    ck_assert_int_eq(uva_write(ends[0], "abc", 3), 3);
    uva_task_t *task = uva_spawn(read_all_of, ends[1]);
    ck_assert_int_eq(uva_sleep(1), 0);
    char *data = NULL;
    ck_assert_int_eq(uva_read_all(ends[1], 9, &data, NULL), UV_EBUSY);
    ck_assert_int_eq(uva_cancel_and_wait(task), UV_ECANCELED);
    char kept[3];
    ck_assert_int_eq(uva_read(ends[1], kept, 3), 3);
    ck_assert_mem_eq(kept, "abc", 3);

    /* Closed meanwhile. */
    task = uva_spawn(read_all_of, ends[1]);
    ck_assert_int_eq(uva_sleep(1), 0);
    uva_stream_close(ends[1]);
    ck_assert_int_eq(uva_await(task, NULL), UV_ECANCELED);
    uva_stream_close(ends[0]);
    ck_assert_int_eq(uva_read_all(NULL, 9, &data, NULL), UV_EINVAL);
    ck_assert_ptr_null(data);
    return 0;
}

START_TEST(read_all_that_is_cut_loses_nothing) {
    program_expect(cut_it);
    char *data = NULL;
    ck_assert_int_eq(uva_read_all(NULL, 9, &data, NULL), UV_EPERM);
}
END_TEST

static int meet_failures(void *arg) {
    (void)arg;
    raw_t raw = open_raw();
    char *data = NULL;
    ck_assert_int_eq(uva_read_all(raw.stream, 9, NULL, NULL), UV_EINVAL);
    raw_send(raw.fd, "abc", 3);
    ck_assert_int_eq(uva_sleep(2), 0);
    raw_reset(&raw.fd);
    for (int i = 0; i < 2; i++)
        ck_assert_int_eq(uva_read_all(raw.stream, 9, &data, NULL),
                         UV_ECONNRESET);
    ck_assert_ptr_null(data);
    close_raw(&raw);
    return 0;
}

START_TEST(read_all_says_that_the_peer_failed) {
    run_clean(meet_failures);
}
END_TEST

static int run_out_of_memory(void *arg) {
    (void)arg;
    for (unsigned nth = 1;; nth++) {
        uva_stream_t *ends[2];
        char *data = NULL;
        open_with(ends, 20000, 0);
        faults_fail(FAULT_REALLOC, nth);
        int code = uva_read_all(ends[1], SIZE_MAX, &data, NULL);
        bool is_hit = faults_clear() > 0;
        ck_assert_int_eq(code, is_hit ? UV_ENOMEM : 0);
        free(data);
        if (is_hit) {
            /* It is all still there. */
            size_t bytes = 0;
            ck_assert_int_eq(uva_read_all(ends[1], 20000, &data, &bytes), 0);
            ck_assert_uint_eq(bytes, 20000);
            check_bytes(data, 0, bytes);
            free(data);
        }
        close_both(ends);
        if (!is_hit) {
            ck_assert_uint_ge(nth, 4);
            return 0;
        }
    }
}

START_TEST(read_all_without_memory_loses_nothing) {
    program_expect(run_out_of_memory);
}
END_TEST

SUITE("read_all", read_all_brings_more_than_a_stream_holds,
      read_all_keeps_to_its_limit, read_all_that_is_cut_loses_nothing,
      read_all_says_that_the_peer_failed, read_all_without_memory_loses_nothing)
