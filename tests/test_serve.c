/* labels: valgrind */
/* Serving: a task for each connection, limits, and an orderly end. */

#include "stream_fixture.h"

#ifdef UVA__HAVE_VALGRIND
#include <valgrind/valgrind.h>
#endif

typedef struct server {
    uva_listener_t *listener;
    uva_serve_options_t options;
    int (*handler)(uva_stream_t *stream, void *arg);
    int port;
    uva_task_t *task;
} server_t;

static int open_now, most_open;

static int serve_main(void *arg) {
    server_t *server = arg;
    int code = uva_serve_with(server->listener, &server->options,
                              server->handler, "greetings");
    record("served:%d", code);
    return code;
}

static void start(server_t *server) {
    server->listener = listen_somewhere();
    server->port = uva_listener_port(server->listener);
    server->task = uva_spawn(serve_main, server);
    open_now = most_open = 0;
    ck_assert_int_eq(uva_yield(), 0);
}

static uva_stream_t *join(const server_t *server) {
    uva_stream_t *stream = NULL;
    ck_assert_int_eq(uva_tcp_connect("127.0.0.1", server->port, &stream), 0);
    return stream;
}

static int echo(uva_stream_t *stream, void *arg) {
    char buffer[64];
    ssize_t bytes;
    ck_assert_str_eq(arg, "greetings");
    open_now++;
    most_open = open_now > most_open ? open_now : most_open;
    while ((bytes = uva_read(stream, buffer, sizeof buffer)) > 0)
        (void)uva_write(stream, buffer, (size_t)bytes);
    open_now--;
    record("handler:%d", (int)bytes);
    return (int)bytes;
}

/* One byte there and back. */
static void ping(uva_stream_t *stream) {
    char byte = 'x';
    ck_assert_int_eq(uva_write(stream, &byte, 1), 1);
    ck_assert_int_eq(uva_read(stream, &byte, 1), 1);
}

static void expect_closed(uva_stream_t *stream) {
    char byte;
    ck_assert_int_eq(uva_read(stream, &byte, 1), UV_EOF);
    uva_stream_close(stream);
}

static void expect_refused(const server_t *server) {
    uva_stream_t *stream = NULL;
    ck_assert_int_eq(uva_tcp_connect("127.0.0.1", server->port, &stream),
                     UV_ECONNREFUSED);
}

#define ck_expect_text(format, ...) \
    do { \
        char wanted_[128]; \
        (void)snprintf(wanted_, sizeof wanted_, format, __VA_ARGS__); \
        ck_expect_record(wanted_); \
    } while (0)

/* ---- a task for each ---------------------------------------------------- */

static int serve_three(void *arg) {
    server_t server = {.handler = echo};
    uva_stream_t *streams[3];
    (void)arg;
    start(&server);
    for (int i = 0; i < 3; i++)
        streams[i] = join(&server);
    for (int i = 2; i >= 0; i--)
        ping(streams[i]);
    ck_assert_int_eq(most_open, 3);
    for (int i = 0; i < 3; i++)
        uva_stream_close(streams[i]);
    while (open_now > 0)
        ck_assert_int_eq(uva_sleep(1), 0);
    uva_listener_close(server.listener);
    ck_assert_int_eq(uva_await(server.task, NULL), 0);
    expect_refused(&server);
    return 0;
}

START_TEST(serve_gives_each_a_task) {
    CONFORMS("K-222");
    run_clean(serve_three);
    ck_expect_text("handler:%d handler:%d handler:%d served:0", UV_EOF, UV_EOF,
                   UV_EOF);
}
END_TEST

/* ---- the end ------------------------------------------------------------ */

/* Cancelled: nobody new, the old ones may go on and end by themselves. */
static int end_in_time(void *arg) {
    server_t server = {.handler = echo, .options.grace_ms = UVA_FOREVER};
    (void)arg;
    start(&server);
    uva_stream_t *stream = join(&server);
    ping(stream);
    ck_assert(uva_cancel(server.task));
    ck_assert_int_eq(uva_sleep(1), 0);
    expect_refused(&server);
    ping(stream);
    ck_assert(!uva_is_done(server.task));
    uva_stream_close(stream);
    ck_assert_int_eq(uva_await(server.task, NULL), UV_ECANCELED);
    uva_listener_close(server.listener);
    return 0;
}

START_TEST(serve_ends_in_order) {
    CONFORMS("K-224", "K-225");
    run_clean(end_in_time);
    ck_expect_text("handler:%d served:%d", UV_EOF, UV_ECANCELED);
}
END_TEST

/* The time is up: the last one is cancelled, and closed. */
static int end_too_late(void *arg) {
    server_t server = {.handler = echo, .options.grace_ms = 20};
    (void)arg;
    start(&server);
    uva_stream_t *stream = join(&server);
    ping(stream);
    uint64_t start_ms = uva_now_ms();
    ck_assert(uva_cancel(server.task));
    ck_assert_int_eq(uva_await(server.task, NULL), UV_ECANCELED);
    ck_assert_uint_ge(uva_now_ms() - start_ms, 20);
    expect_closed(stream);
    uva_listener_close(server.listener);
    return 0;
}

START_TEST(serve_cancels_who_does_not_end) {
    CONFORMS("K-224", "K-226");
    run_clean(end_too_late);
    ck_expect_text("handler:%d served:%d", UV_ECANCELED, UV_ECANCELED);
}
END_TEST

/*  server               main
 *  parked in accept
 *                       closes the listener, cancels the server
 *  stopped and cut: the listener is gone, and is not touched
 */
static int end_both_ways(void *arg) {
    server_t server = {.handler = echo};
    (void)arg;
    start(&server);
    uva_listener_close(server.listener);
    ck_assert(uva_cancel(server.task));
    ck_assert_int_eq(uva_await(server.task, NULL), 0);
    /* Never begun on a listener that another server has stopped. */
    start(&server);
    ck_assert_int_eq(uva_cancel_and_wait(server.task), UV_ECANCELED);
    ck_assert_int_eq(uva_serve_with(server.listener, NULL, echo, "greetings"),
                     0);
    uva_stream_t *stream = NULL;
    ck_assert_int_eq(uva_accept(server.listener, &stream), UV_ECANCELED);
    uva_listener_close(server.listener);
    return 0;
}

START_TEST(serve_ends_when_closed_and_cancelled_at_once) {
    run_clean(end_both_ways);
    ck_expect_text("served:0 served:%d", UV_ECANCELED);
}
END_TEST

/* However many connections wait: the cancellation comes first. */
static int close_at_once(uva_stream_t *stream, void *arg) {
    (void)stream;
    (void)arg;
    open_now++;
    return 0;
}

static int end_under_load(void *arg) {
    server_t server = {.handler = close_at_once};
    int fds[20];
    (void)arg;
    server.listener = listen_somewhere();
    server.port = uva_listener_port(server.listener);
    for (int i = 0; i < 20; i++)
        fds[i] = raw_connect(server.port);
    open_now = 0;
    server.task = uva_spawn(serve_main, &server);
    ck_assert(uva_cancel(uva_current()));
    ck_assert_int_eq(uva_serve_with(server.listener, NULL, close_at_once, NULL),
                     UV_ECANCELED);
    ck_assert_int_eq(open_now, 0);
    ck_assert_int_eq(uva_uncancel(uva_current()), 0);
    ck_assert_int_eq(uva_await(server.task, NULL), 0);
    for (int i = 0; i < 20; i++)
        close(fds[i]);
    uva_listener_close(server.listener);
    return 0;
}

START_TEST(serve_sees_a_cancellation_under_load) {
    run_clean(end_under_load);
}
END_TEST

/* ---- limits ------------------------------------------------------------- */

static int serve_two_at_once(void *arg) {
    server_t server = {.handler = echo, .options.connection_limit = 2};
    uva_stream_t *streams[5];
    (void)arg;
    start(&server);
    for (int i = 0; i < 5; i++)
        streams[i] = join(&server);
    for (int i = 0; i < 5; i++) {
        ping(streams[i]);
        uva_stream_close(streams[i]);
    }
    ck_assert_int_eq(most_open, 2);
    ck_assert_int_eq(uva_cancel_and_wait(server.task), UV_ECANCELED);
    uva_listener_close(server.listener);
    return 0;
}

START_TEST(serve_takes_only_so_many) {
    run_clean(serve_two_at_once);
}
END_TEST

/* ---- failures ----------------------------------------------------------- */

static int fail_or_not(uva_stream_t *stream, void *arg) {
    char byte;
    (void)arg;
    if (uva_read(stream, &byte, 1) == 1 && byte == 'f')
        return uva_fail(UV_EPROTO, "no such request: %c", byte);
    return UV_ECONNRESET;
}

static int serve_failures(void *arg) {
    server_t server = {.handler = fail_or_not};
    (void)arg;
    start(&server);
    uva_stream_t *stream = join(&server);
    ck_assert_int_eq(uva_write(stream, "f", 1), 1);
    expect_closed(stream);
    stream = join(&server);
    ck_assert_int_eq(uva_write(stream, "x", 1), 1);
    expect_closed(stream);
    ck_assert_int_eq(uva_cancel_and_wait(server.task), UV_ECANCELED);
    uva_listener_close(server.listener);
    return 0;
}

START_TEST(serve_reports_a_handler_that_fails) {
    CONFORMS("K-226");
    ck_assert_int_eq(uva_run_with(&quiet, serve_failures, NULL), 0);
    ck_assert_uint_eq(support_report_count(), 1);
    ck_assert(support_reports_contain("no such request: f"));
}
END_TEST

/* No descriptor is left: it pauses, says so once, and goes on when there is
 * one again. It must not go round and round meanwhile. */
static int serve_without_files(void *arg) {
    server_t server = {.handler = echo};
    (void)arg;
    start(&server);
    uva_stream_t *first = join(&server);
    ping(first);
    int second = raw_connect(server.port);
    int third = dup(second); /* what the next socket would get */
    rlim_t before = limit_files((rlim_t)third);
    close(third);
    /* `second` has been connected but cannot be accepted. */
    unsigned long polls = faults_calls(FAULT_UV_POLL_START);
    ck_assert_int_eq(uva_sleep(150), 0);
    ck_assert_uint_le(faults_calls(FAULT_UV_POLL_START) - polls, 4);
    ck_assert_int_eq(open_now, 1);
    (void)limit_files(before);
    uva_stream_close(first); /* wakes it before the 100 ms are over */
    raw_send(second, "y", 1);
    char byte = 0;
    while (recv(second, &byte, 1, MSG_DONTWAIT) < 0)
        ck_assert_int_eq(uva_sleep(1), 0);
    ck_assert_int_eq(byte, 'y');
    close(second);
    ck_assert_int_eq(uva_cancel_and_wait(server.task), UV_ECANCELED);
    uva_listener_close(server.listener);
    return 0;
}

START_TEST(serve_pauses_without_descriptors) {
#ifdef UVA__HAVE_VALGRIND
    if (RUNNING_ON_VALGRIND)
        SKIP(
            "valgrind limits descriptors itself, and closes what was accepted");
#endif
    ck_assert_int_eq(uva_run_with(&quiet, serve_without_files, NULL), 0);
    ck_assert_uint_eq(support_report_count(), 1);
    ck_assert(support_reports_contain("accepting pauses: too many open files"));
}
END_TEST

/* A connection whose task gets no stack is closed, and the server goes on. */
static int serve_without_stack(void *arg) {
    server_t server = {.handler = echo, .options.stack_bytes = 1 << 20};
    (void)arg;
    start(&server);
    faults_fail_every(FAULT_MMAP, 1, UV_ENOMEM);
    uva_stream_t *stream = join(&server);
    expect_closed(stream);
    ck_assert_uint_ge(faults_clear(), 1);
    ck_assert_int_eq(open_now, 0);
    stream = join(&server);
    ping(stream);
    uva_stream_close(stream);
    ck_assert_int_eq(uva_cancel_and_wait(server.task), UV_ECANCELED);
    uva_listener_close(server.listener);
    return 0;
}

START_TEST(serve_survives_a_task_without_a_stack) {
    ck_assert_int_eq(uva_run_with(&quiet, serve_without_stack, NULL), 0);
    ck_assert(support_reports_contain("task 'connection'"));
    ck_assert(support_reports_contain("accepting pauses: not enough memory"));
    ck_assert_uint_eq(support_report_count(), 2);
}
END_TEST

static int refuse(void *arg) {
    server_t server = {.handler = echo};
    (void)arg;
    ck_assert_int_eq(uva_serve(NULL, echo, NULL, 0), UV_EINVAL);
    start(&server);
    ck_assert_int_eq(uva_serve(server.listener, NULL, NULL, 0), UV_EINVAL);
    /* A second one at once leaves the first alone. */
    ck_assert_int_eq(uva_serve(server.listener, echo, NULL, 0), UV_EBUSY);
    uva_stream_t *stream = join(&server);
    ping(stream);
    uva_stream_close(stream);
    ck_assert_int_eq(uva_cancel_and_wait(server.task), UV_ECANCELED);
    uva_listener_close(server.listener);
    return 0;
}

START_TEST(serve_refuses) {
    uva_listener_t *nowhere = NULL;
    run_clean(refuse);
    ck_assert_int_eq(uva_serve(nowhere, echo, NULL, 0), UV_EPERM);
}
END_TEST

SUITE("serve", serve_gives_each_a_task, serve_ends_in_order,
      serve_cancels_who_does_not_end,
      serve_ends_when_closed_and_cancelled_at_once,
      serve_sees_a_cancellation_under_load, serve_takes_only_so_many,
      serve_reports_a_handler_that_fails, serve_pauses_without_descriptors,
      serve_survives_a_task_without_a_stack, serve_refuses)
