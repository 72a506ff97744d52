/* labels: valgrind */
/* Streams in memory: what is written is read, when, and in which pieces. */
#include "memory_pair_fixture.h"

/* What a read of up to `bytes` of far brings, as a text. */
static void expect_read(size_t bytes, const char *text) {
    char buffer[64];
    ssize_t got = uva_read(far, buffer, bytes);
    ck_assert_int_eq(got, (ssize_t)strlen(text));
    ck_assert_mem_eq(buffer, text, strlen(text));
}

static int record_read(void *arg) {
    char buffer[64] = "";
    ssize_t got = uva_read(arg, buffer, sizeof buffer - 1);
    record("%s:%d", buffer, (int)got);
    return got < 0 ? (int)got : 0;
}

static int talk_main(void *arg) {
    (void)arg;
    open_pair(NULL);
    ck_assert_int_eq(uva_write(near, "hello", 5), 5);
    expect_read(2, "he");
    expect_read(64, "llo");
    uva_task_t *reader = uva_spawn(record_read, far);
    ck_assert_int_eq(uva_yield(), 0);
    uv_buf_t parts[] = {{.base = "a", .len = 1},
                        {.base = NULL, .len = 0},
                        {.base = "bc", .len = 2},
                        {.base = NULL, .len = 0}};
    ck_assert_int_eq(uva_writev(near, parts, 4), 3);
    ck_assert_int_eq(uva_await(reader, NULL), 0);
    expect_read(64, "bc");
    ck_assert_int_eq(uva_write(far, "back", 4), 4);
    char buffer[4];
    ck_assert_int_eq(uva_read_exactly(near, buffer, 4), 4);
    ck_assert_int_eq(uva_write(near, "end", 3), 3);
    ck_assert_int_eq(uva_shutdown(near), 0);
    ck_assert_int_eq(uva_write(near, "x", 1), UV_EPIPE);
    expect_read(64, "end");
    ck_assert_int_eq(uva_read(far, buffer, 1), UV_EOF);
    ck_assert_int_eq(uva_read(far, buffer, 1), UV_EOF);
    close_pair();
    return 0;
}

START_TEST(memory_stream_brings_what_was_written) {
    program_expect(talk_main);
    ck_expect_record("a:1");
}
END_TEST

static int slow_main(void *arg) {
    (void)arg;
    open_pair(&(uva_memory_stream_options_t){.delay_ms = 50});
    uint64_t start = uva_now_ms();
    ck_assert_int_eq(uva_write(near, "one", 3), 3);
    ck_assert_int_eq(uva_sleep(20), 0);
    ck_assert_int_eq(uva_write(near, "two", 3), 3);
    ck_assert_int_eq(uva_shutdown(near), 0);
    expect_read(64, "one");
    ck_assert_uint_eq(uva_now_ms() - start, 50);
    expect_read(64, "two");
    ck_assert_uint_eq(uva_now_ms() - start, 70);
    char byte;
    ck_assert_int_eq(uva_read(far, &byte, 1), UV_EOF);
    ck_assert_uint_eq(uva_now_ms() - start, 70);
    /* A reader that was there before the bytes were sent. */
    uva_task_t *reader = uva_spawn(record_read, near);
    ck_assert_int_eq(uva_yield(), 0);
    ck_assert_int_eq(uva_write(far, "three", 5), 5);
    ck_assert_int_eq(uva_await(reader, NULL), 0);
    ck_assert_uint_eq(uva_now_ms() - start, 120);
    close_pair();
    return 0;
}

START_TEST(memory_stream_takes_its_time) {
    program_expect(slow_main);
    ck_expect_record("three:5");
}
END_TEST

static int pieces_main(void *arg) {
    (void)arg;
    open_pair(&(uva_memory_stream_options_t){.fragment_bytes = 2});
    ck_assert_int_eq(uva_write(near, "abcde", 5), 5);
    expect_read(64, "ab");
    expect_read(64, "cd");
    expect_read(64, "e");
    close_pair();
    return 0;
}

START_TEST(memory_stream_chops) {
    program_expect(pieces_main);
}
END_TEST

static int write_ten(void *arg) {
    ssize_t written = uva_write(arg, "0123456789", 10);
    record("wrote %d", (int)written);
    return written < 0 ? (int)written : 0;
}

static int full_main(void *arg) {
    (void)arg;
    open_pair(&(uva_memory_stream_options_t){.capacity = 4});
    uva_task_t *writer = uva_spawn(write_ten, near);
    ck_assert_int_eq(uva_yield(), 0);
    char buffer[10];
    ck_assert_int_eq(uva_read(far, buffer, 10), 4);
    record("read 4");
    ck_assert_int_eq(uva_read_exactly(far, buffer, 6), 6);
    ck_assert_mem_eq(buffer, "456789", 6);
    ck_assert_int_eq(uva_await(writer, NULL), 0);
    /* One that waits for room is cut: half of it was written. */
    writer = uva_spawn(write_ten, near);
    ck_assert_int_eq(uva_yield(), 0);
    ck_assert_int_eq(uva_cancel_and_wait(writer), UV_ECANCELED);
    ck_assert_int_eq(uva_write(near, "x", 1), UV_EPIPE);
    close_pair();
    return 0;
}

START_TEST(memory_stream_holds_only_so_much) {
    program_expect(full_main);
    char wanted[64];
    (void)snprintf(wanted, sizeof wanted, "read 4 wrote 10 wrote %d",
                   UV_ECANCELED);
    ck_expect_record(wanted);
}
END_TEST

static int break_main(void *arg) {
    (void)arg;
    open_pair(&(uva_memory_stream_options_t){.fail_bytes = 7,
                                             .fail_code = UV_ECONNRESET});
    uva_task_t *reader = uva_spawn(record_read, near);
    ck_assert_int_eq(uva_yield(), 0);
    ck_assert_int_eq(uva_write(near, "12345", 5), 5);
    ck_assert_int_eq(uva_write(near, "6789", 4), UV_ECONNRESET);
    ck_assert_int_eq(uva_write(near, "x", 1), UV_EPIPE);
    ck_assert_int_eq(uva_await(reader, NULL), UV_ECONNRESET);
    char buffer[8];
    ck_assert_int_eq(uva_read_exactly(far, buffer, 7), 7);
    ck_assert_int_eq(uva_read(far, buffer, 1), UV_ECONNRESET);
    ck_assert_int_eq(uva_write(far, "x", 1), UV_ECONNRESET);
    close_pair();
    return 0;
}

START_TEST(memory_stream_breaks) {
    program_expect(break_main);
    char wanted[32];
    (void)snprintf(wanted, sizeof wanted, ":%d", UV_ECONNRESET);
    ck_expect_record(wanted);
}
END_TEST

static int close_main(void *arg) {
    (void)arg;
    open_pair(&(uva_memory_stream_options_t){.capacity = 4});
    uva_task_t *tasks[] = {uva_spawn(record_read, near),
                           uva_spawn(write_ten, far)};
    ck_assert_int_eq(uva_yield(), 0);
    /* Bytes had come, but the stream goes before the reader's turn. */
    uva_stream_close(near);
    int codes[2];
    ck_assert_int_eq(uva_gather_settled(tasks, 2, NULL, codes), 0);
    ck_assert_int_eq(codes[0], UV_ECANCELED);
    ck_assert_int_eq(codes[1], UV_EPIPE);
    char byte;
    ck_assert_int_eq(uva_read(far, &byte, 1), UV_EOF);
    uva_stream_close(far);

    open_pair(NULL);
    uva_task_t *reader = uva_spawn(record_read, far);
    ck_assert_int_eq(uva_yield(), 0);
    uva_stream_close(far);
    ck_assert_int_eq(uva_await(reader, NULL), UV_ECANCELED);
    ck_assert_int_eq(uva_write(near, "x", 1), UV_EPIPE);
    uva_stream_close(near);
    return 0;
}

START_TEST(memory_stream_closes_under_its_users) {
    program_expect(close_main);
}
END_TEST

static int no_memory_main(void *arg) {
    (void)arg;
    uva_stream_t *ends[2];
    for (unsigned long at = 1; at <= 2; at++) {
        faults_fail(FAULT_CALLOC, at);
        ck_assert_int_eq(uva_memory_stream_pair(NULL, ends), UV_ENOMEM);
        ck_assert_uint_eq(faults_clear(), 1);
    }
    ck_assert_int_eq(uva_memory_stream_pair(NULL, ends), 0);
    faults_fail(FAULT_MALLOC, 1);
    ck_assert_int_eq(uva_write(ends[0], "x", 1), UV_ENOMEM);
    faults_clear();
    ck_assert_int_eq(uva_write(ends[0], "y", 1), 1);
    char byte;
    ck_assert_int_eq(uva_read(ends[1], &byte, 1), 1);
    ck_assert_int_eq(byte, 'y');
    uva_stream_close(ends[0]);
    uva_stream_close(ends[1]);
    return 0;
}

START_TEST(memory_stream_without_memory) {
    program_expect(no_memory_main);
}
END_TEST

START_TEST(memory_stream_refuses) {
    uva_stream_t *ends[2];
    ck_assert_int_eq(uva_memory_stream_pair(NULL, ends), UV_EPERM);
}
END_TEST

SUITE("memory_stream", memory_stream_brings_what_was_written,
      memory_stream_takes_its_time, memory_stream_chops,
      memory_stream_holds_only_so_much, memory_stream_breaks,
      memory_stream_closes_under_its_users, memory_stream_without_memory,
      memory_stream_refuses)
