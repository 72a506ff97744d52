/* labels: valgrind */
/* Reading up to a delimiter, line by line, and ahead. */
#include "memory_pair_fixture.h"

static void put(const char *text) {
    ck_assert_int_eq(uva_write(near, text, strlen(text)),
                     (ssize_t)strlen(text));
}

static void expect_until(size_t capacity, ssize_t result, const char *text) {
    char buffer[64];
    ck_assert_int_eq(uva_read_until(far, ';', buffer, capacity), result);
    if (result > 0)
        ck_assert_mem_eq(buffer, text, (size_t)result);
}

static void expect_line(size_t capacity, ssize_t result, const char *text) {
    char buffer[64];
    ck_assert_int_eq(uva_readline(far, buffer, capacity), result);
    if (result >= 0)
        ck_assert_str_eq(buffer, text);
}

static void expect_rest(const char *text) {
    char buffer[64] = "";
    size_t bytes = strlen(text);
    ck_assert_int_eq(uva_read_exactly(far, buffer, bytes), (ssize_t)bytes);
    ck_assert_str_eq(buffer, text);
}

/* ---- up to a delimiter -------------------------------------------------- */

static int until_main(void *arg) {
    open_pair(arg);
    put("one;two;;three;rest");
    expect_until(64, 4, "one;");
    expect_until(64, 4, "two;");
    expect_until(64, 1, ";");
    expect_until(6, 6, "three;"); /* it just fits */
    expect_rest("rest");
    close_pair();
    return 0;
}

START_TEST(lines_up_to_a_delimiter) {
    uva_memory_stream_options_t chopped = {.fragment_bytes = 1};
    ck_assert_int_eq(program_run(until_main, NULL), 0);
    ck_assert_int_eq(program_run(until_main, &chopped), 0);
    ck_assert_str_eq(support_reports(), "");
}
END_TEST

/* Split over the pieces, and overlapping itself. */
static int mem_main(void *arg) {
    char buffer[64];
    open_pair(arg);
    put("a\r\n\r\nXXYXXYaaaa");
    ck_assert_int_eq(uva_read_until_mem(far, "\r\n\r\n", 4, buffer, 64), 5);
    ck_assert_mem_eq(buffer, "a\r\n\r\n", 5);
    ck_assert_int_eq(uva_read_until_mem(far, "XYXXY", 5, buffer, 64), 6);
    ck_assert_int_eq(uva_read_until_mem(far, "aa", 2, buffer, 64), 2);
    ck_assert_int_eq(uva_read_until_mem(far, "aaa", 3, buffer, 2), UV_ENOBUFS);
    expect_rest("aa");
    ck_assert_int_eq(uva_read_until_mem(far, "", 0, buffer, 64), UV_EINVAL);
    ck_assert_int_eq(uva_read_until_mem(far, NULL, 1, buffer, 64), UV_EINVAL);
    close_pair();
    return 0;
}

START_TEST(lines_up_to_a_longer_delimiter) {
    uva_memory_stream_options_t chopped = {.fragment_bytes = 1};
    CONFORMS("K-212");
    ck_assert_int_eq(program_run(mem_main, NULL), 0);
    ck_assert_int_eq(program_run(mem_main, &chopped), 0);
    chopped.fragment_bytes = 3;
    ck_assert_int_eq(program_run(mem_main, &chopped), 0);
    ck_assert_str_eq(support_reports(), "");
}
END_TEST

/* Too long: what is there stays there, whether it had been held or not. */
static int limit_main(void *arg) {
    open_pair(arg);
    put("abcdef;g");
    expect_until(6, UV_ENOBUFS, NULL);
    expect_until(6, UV_ENOBUFS, NULL);
    expect_until(0, UV_ENOBUFS, NULL);
    expect_until(7, 7, "abcdef;");
    expect_rest("g");
    close_pair();
    return 0;
}

START_TEST(lines_that_are_too_long_stay) {
    uva_memory_stream_options_t chopped = {.fragment_bytes = 4};
    ck_assert_int_eq(program_run(limit_main, NULL), 0);
    ck_assert_int_eq(program_run(limit_main, &chopped), 0);
    ck_assert_str_eq(support_reports(), "");
}
END_TEST

static int end_main(void *arg) {
    (void)arg;
    open_pair(NULL);
    put("a;half");
    ck_assert_int_eq(uva_shutdown(near), 0);
    expect_until(64, 2, "a;");
    expect_until(64, UV_EOF, NULL);
    expect_until(64, UV_EOF, NULL);
    expect_rest("half");
    expect_until(64, UV_EOF, NULL);
    close_pair();
    return 0;
}

START_TEST(lines_that_the_end_cuts_stay) {
    program_expect(end_main);
}
END_TEST

/*  reader          main
 *  half arrives
 *  parks for more
 *                  cancels it
 *  UV_ECANCELED
 *                  the other half; reads all of it
 */
static int read_one(void *arg) {
    char buffer[64];
    (void)arg;
    ssize_t got = uva_read_until(far, ';', buffer, sizeof buffer);
    record("%d", (int)got);
    return got < 0 ? (int)got : 0;
}

static int cut_main(void *arg) {
    (void)arg;
    open_pair(NULL);
    uva_task_t *reader = uva_spawn(read_one, NULL);
    put("ha");
    ck_assert_int_eq(uva_wait_all_blocked(), 0);
    ck_assert_int_eq(uva_cancel_and_wait(reader), UV_ECANCELED);
    put("lf;x");
    expect_until(64, 5, "half;");
    /* And with a limit of time. */
    uva_scope_t scope;
    uva_scope_open(&scope, 10, 0);
    expect_until(64, UV_ECANCELED, NULL);
    ck_assert_int_eq(uva_scope_close(&scope), UV_ETIMEDOUT);
    expect_rest("x");
    close_pair();
    return 0;
}

START_TEST(lines_lose_nothing_when_cut) {
    program_expect(cut_main);
}
END_TEST

/* ---- lines -------------------------------------------------------------- */

static int line_main(void *arg) {
    open_pair(arg);
    put("GET / HTTP/1.1\r\nHost: x\n\n\r\nlast");
    ck_assert_int_eq(uva_shutdown(near), 0);
    expect_line(64, 14, "GET / HTTP/1.1");
    expect_line(7, UV_ENOBUFS, NULL);
    expect_line(8, 7, "Host: x");
    expect_line(64, 0, "");
    expect_line(64, 0, "");
    expect_line(64, 4, "last");
    expect_line(64, UV_EOF, NULL);
    expect_line(0, UV_EINVAL, NULL);
    close_pair();
    return 0;
}

START_TEST(lines_are_read) {
    CONFORMS("K-211");
    uva_memory_stream_options_t chopped = {.fragment_bytes = 3};
    ck_assert_int_eq(program_run(line_main, NULL), 0);
    ck_assert_int_eq(program_run(line_main, &chopped), 0);
    ck_assert_str_eq(support_reports(), "");
}
END_TEST

/* ---- looking ahead ------------------------------------------------------ */

static int peek_main(void *arg) {
    char buffer[8] = "";
    open_pair(arg);
    put("abcd");
    ck_assert_int_eq(uva_peek(far, buffer, 2), 2);
    ck_assert_str_eq(buffer, "ab");
    ck_assert_int_eq(uva_peek(far, buffer, 4), 4);
    ck_assert_str_eq(buffer, "abcd");
    ck_assert_int_eq(uva_peek(far, buffer, 0), 0);
    ck_assert_int_eq(uva_shutdown(near), 0);
    ck_assert_int_eq(uva_peek(far, buffer, 5), UV_EOF);
    expect_rest("abcd");
    ck_assert_int_eq(uva_peek(far, buffer, 1), UV_EOF);
    ck_assert_int_eq(uva_peek(far, NULL, 1), UV_EINVAL);
    close_pair();
    return 0;
}

START_TEST(lines_can_be_looked_at) {
    uva_memory_stream_options_t chopped = {.fragment_bytes = 1};
    ck_assert_int_eq(program_run(peek_main, NULL), 0);
    ck_assert_int_eq(program_run(peek_main, &chopped), 0);
    ck_assert_str_eq(support_reports(), "");
}
END_TEST

/* What must be put back cannot be: nobody reads on behind the gap. */
static int no_memory_main(void *arg) {
    char buffer[64];
    (void)arg;
    open_pair(NULL);
    put("a;b;");
    faults_fail(FAULT_MALLOC, 1);
    ck_assert_int_eq(uva_read_until(far, ';', buffer, 64), UV_ENOMEM);
    ck_assert_uint_eq(faults_clear(), 1);
    ck_assert_int_eq(uva_read(far, buffer, 64), UV_ENOMEM);
    close_pair();
    return 0;
}

START_TEST(lines_without_memory) {
    program_expect(no_memory_main);
}
END_TEST

SUITE("stream_lines", lines_up_to_a_delimiter, lines_up_to_a_longer_delimiter,
      lines_that_are_too_long_stay, lines_that_the_end_cuts_stay,
      lines_lose_nothing_when_cut, lines_are_read, lines_can_be_looked_at,
      lines_without_memory)
