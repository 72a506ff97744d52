/* labels: valgrind */
/* Streams of the user's own: one that turns letters over another stream. */
#include <ctype.h>
#include <stdlib.h>

#include "support/program.h"

typedef struct upper {
    uva_stream_t *below;
    int freed;
} upper_t;

static ssize_t upper_read(void *state, void *buffer, size_t bytes) {
    upper_t *upper = state;
    ssize_t got = uva_read(upper->below, buffer, bytes);
    for (ssize_t i = 0; i < got; i++)
        ((char *)buffer)[i] = (char)toupper(((unsigned char *)buffer)[i]);
    return got;
}

/* Takes no more than three bytes at a time. */
static ssize_t upper_write(void *state, const uv_buf_t buffers[],
                           unsigned count) {
    upper_t *upper = state;
    char bytes[3];
    size_t taken = 0;
    for (unsigned i = 0; i < count; i++) {
        for (size_t k = 0; k < buffers[i].len && taken < 3; k++)
            bytes[taken++] = (char)toupper((unsigned char)buffers[i].base[k]);
    }
    return uva_write(upper->below, bytes, taken);
}

static int upper_shutdown(void *state) {
    return uva_shutdown(((upper_t *)state)->below);
}

static void upper_close(void *state) {
    uva_stream_close(((upper_t *)state)->below);
}

static void upper_free(void *state) {
    ((upper_t *)state)->freed++;
}

static const uva_stream_ops_t upper_ops = {.read = upper_read,
                                           .write = upper_write,
                                           .shutdown = upper_shutdown,
                                           .close = upper_close,
                                           .free = upper_free};

static upper_t upper;
static uva_stream_t *over, *far;

static void open_upper(void) {
    uva_stream_t *ends[2];
    ck_assert_int_eq(uva_memory_stream_pair(NULL, ends), 0);
    upper = (upper_t){.below = ends[0]};
    far = ends[1];
    ck_assert_int_eq(uva_stream_new(&upper_ops, &upper, &over), 0);
}

static int talk_main(void *arg) {
    (void)arg;
    open_upper();
    char buffer[64];
    ck_assert_int_eq(uva_write(far, "first\nsecond", 12), 12);
    ck_assert_int_eq(uva_shutdown(far), 0);
    ck_assert_int_eq(uva_readline(over, buffer, sizeof buffer), 5);
    ck_assert_str_eq(buffer, "FIRST");
    ck_assert_int_eq(uva_peek(over, buffer, 3), 3);
    ck_assert_mem_eq(buffer, "SEC", 3);
    ck_assert_int_eq(uva_read_exactly(over, buffer, 7), UV_EOF);
    ck_assert_int_eq(uva_read(over, buffer, 64), 6);
    ck_assert_int_eq(uva_read(over, buffer, 64), UV_EOF);
    uv_buf_t parts[] = {{.base = "hell", .len = 4}, {.base = "o!", .len = 2}};
    ck_assert_int_eq(uva_writev(over, parts, 2), 6);
    ck_assert_int_eq(uva_read_exactly(far, buffer, 6), 6);
    ck_assert_mem_eq(buffer, "HELLO!", 6);
    ck_assert_int_eq(uva_shutdown(over), 0);
    ck_assert_int_eq(uva_read(far, buffer, 1), UV_EOF);
    ck_assert_int_eq(upper.freed, 0);
    uva_stream_close(over);
    ck_assert_int_eq(upper.freed, 1);
    uva_stream_close(far);
    return 0;
}

START_TEST(custom_stream_is_a_stream) {
    program_expect(talk_main);
}
END_TEST

static int read_one(void *arg) {
    char byte;
    ssize_t got = uva_read(arg, &byte, 1);
    record("%d freed %d", (int)got, upper.freed);
    return got < 0 ? (int)got : 0;
}

/* The state stays until the last call has left. */
static int close_main(void *arg) {
    (void)arg;
    open_upper();
    uva_task_t *reader = uva_spawn(read_one, over);
    ck_assert_int_eq(uva_yield(), 0);
    char byte;
    ck_assert_int_eq(uva_read(over, &byte, 1), UV_EBUSY);
    uva_stream_close(over);
    ck_assert_int_eq(upper.freed, 0);
    ck_assert_int_eq(uva_await(reader, NULL), UV_ECANCELED);
    ck_assert_int_eq(upper.freed, 1);
    uva_stream_close(far);
    return 0;
}

START_TEST(custom_stream_frees_its_state_last) {
    program_expect(close_main);
    char wanted[32];
    (void)snprintf(wanted, sizeof wanted, "%d freed 1", UV_ECANCELED);
    ck_expect_record(wanted);
}
END_TEST

/* A write that fails before its first byte breaks nothing. */
static int fail_main(void *arg) {
    (void)arg;
    open_upper();
    uva_stream_close(far);
    ck_assert_int_eq(uva_write(over, "abcdef", 6), UV_EPIPE);
    char byte;
    ck_assert_int_eq(uva_read(over, &byte, 1), UV_EOF);
    uva_stream_close(over);
    return 0;
}

START_TEST(custom_stream_passes_failures_on) {
    program_expect(fail_main);
}
END_TEST

static int refuse_main(void *arg) {
    uva_stream_ops_t mute = {.read = upper_read};
    uva_stream_ops_t plain = {.read = upper_read, .write = upper_write};
    (void)arg;
    ck_assert_int_eq(uva_stream_new(NULL, NULL, &over), UV_EINVAL);
    ck_assert_int_eq(uva_stream_new(&mute, NULL, &over), UV_EINVAL);
    ck_assert_int_eq(uva_stream_new(&plain, NULL, NULL), UV_EINVAL);
    ck_assert_int_eq(uva_stream_new(&plain, NULL, &over), 0);
    ck_assert_int_eq(uva_shutdown(over), UV_ENOTSUP);
    uva_stream_close(over);
    return 0;
}

START_TEST(custom_stream_refuses) {
    program_expect(refuse_main);
    ck_assert_int_eq(uva_stream_new(&upper_ops, NULL, &over), UV_EPERM);
}
END_TEST

/* ---- nonsense ----------------------------------------------------------- */

static ssize_t nonsense;

static ssize_t read_nonsense(void *state, void *buffer, size_t bytes) {
    (void)state, (void)buffer, (void)bytes;
    return nonsense;
}

static ssize_t write_nonsense(void *state, const uv_buf_t buffers[],
                              unsigned count) {
    (void)state, (void)buffers, (void)count;
    return nonsense;
}

/* As read(2) would say of the end, and more than there can be. */
static int nonsense_main(void *arg) {
    static const uva_stream_ops_t ops = {.read = read_nonsense,
                                         .write = write_nonsense};
    static const ssize_t numbers[] = {0, 9};
    char bytes[8];
    uv_buf_t parts[] = {{.base = bytes, .len = 3}, {.base = bytes, .len = 5}};
    (void)arg;
    for (size_t i = 0; i < 2; i++) {
        nonsense = numbers[i];
        ck_assert_int_eq(uva_stream_new(&ops, NULL, &over), 0);
        ck_assert_int_eq(uva_read(over, bytes, 8), UV_EPERM);
        ck_assert_int_eq(uva_read_exactly(over, bytes, 8), UV_EPERM);
        ck_assert_int_eq(uva_write(over, bytes, 8), UV_EPERM);
        ck_assert_int_eq(uva_writev(over, parts, 2), UV_EPERM);
        uva_stream_close(over);
    }
    return 0;
}

START_TEST(custom_stream_says_nonsense) {
    ck_assert_int_eq(program_run(nonsense_main, NULL), 0);
    ck_assert(support_reports_contain("the read of a stream's operations "
                                      "returned 0 bytes"));
    ck_assert(support_reports_contain("the write of a stream's operations "
                                      "returned 9 bytes"));
    ck_assert_uint_eq(support_report_count(), 8);
}
END_TEST

SUITE("custom_stream", custom_stream_is_a_stream,
      custom_stream_frees_its_state_last, custom_stream_passes_failures_on,
      custom_stream_refuses, custom_stream_says_nonsense)
