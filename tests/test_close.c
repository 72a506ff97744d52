/* labels: valgrind */
/* Closing what can be opened: a second time, in another thread, and by the end
 * of a runtime on a host's loop. */
#include "process_fixture.h"

enum { KINDS = 8 };

/* One of each whose memory lasts until libuv has closed it. */
typedef struct things {
    uva_stream_t *stream;
    uva_listener_t *listener;
    uva_udp_t *udp;
    uva_signal_t *signal;
    uva_fs_event_t *event;
    uva_fs_poll_t *poll;
    uva_process_t *process;
    uva_dir_t *dir;
} things_t;

static things_t things;

static void open_all(void) {
    things.listener = listen_somewhere();
    ck_assert_int_eq(uva_tcp_connect("127.0.0.1",
                                     uva_listener_port(things.listener),
                                     &things.stream),
                     0);
    ck_assert_int_eq(uva_udp_open(NULL, 0, NULL, &things.udp), 0);
    ck_assert_int_eq(uva_signal_open(SIGUSR1, &things.signal), 0);
    ck_assert_int_eq(uva_fs_event_open("/", 0, &things.event), 0);
    ck_assert_int_eq(uva_fs_poll_open("/", 1000, &things.poll), 0);
    things.process = start("exec cat", "io");
    ck_assert_int_eq(uva_dir_open("/", &things.dir), 0);
}

static void close_all(void) {
    uva_stream_close(things.stream);
    uva_listener_close(things.listener);
    uva_udp_close(things.udp);
    uva_signal_close(things.signal);
    uva_fs_event_close(things.event);
    uva_fs_poll_close(things.poll);
    uva_process_close(things.process);
}

/* ---- twice -------------------------------------------------------------- */

static int close_twice(void *arg) {
    (void)arg;
    open_all();
    uva_dir_close(things.dir); /* its memory goes at once */
    close_all();
    ck_assert_uint_eq(support_report_count(), 0);
    close_all();
    ck_assert_uint_eq(support_report_count(), KINDS - 1);
    return 0;
}

/* As long as it can be told, it is told, and has no effect. */
START_TEST(close_a_second_time_is_reported) {
    ck_assert_int_eq(uva_run_with(&quiet, close_twice, NULL), 0);
    ck_assert_uint_eq(support_report_count(), KINDS - 1);
    ck_assert(support_reports_contain("uva_listener_close: called a second"));
    expect_no_children();
}
END_TEST

/* ---- in another thread -------------------------------------------------- */

static void close_outside(void *arg) {
    (void)arg;
    close_all();
    uva_dir_close(things.dir);
}

static int close_in_a_thread(void *arg) {
    uv_dirent_t entry;
    (void)arg;
    open_all();
    support_in_thread(close_outside, NULL);
    ck_assert_int_eq(uva_write(things.stream, "x", 1), 1);
    ck_assert_int_eq(uva_dir_next(things.dir, &entry), 1);
    ck_assert_int_eq(uva_process_kill(things.process, 0), 0);
    ck_assert_int_eq(raise(SIGUSR1), 0);
    ck_assert_int_eq(uva_signal_next(things.signal), 1);
    close_all();
    uva_dir_close(things.dir);
    return 0;
}

/* Reported, there to standard error, and without effect. */
START_TEST(close_in_another_thread_does_nothing) {
    run_children(close_in_a_thread);
}
END_TEST

/* ---- at the end --------------------------------------------------------- */

static int leave_open(void *arg) {
    (void)arg;
    open_all();
    return 0;
}

/* The host's loop can be closed afterwards. */
START_TEST(close_by_the_end_on_a_hosts_loop) {
    uv_loop_t loop;
    uva_runtime_t *runtime = NULL;
    ck_assert_int_eq(uv_loop_init(&loop), 0);
    ck_assert_int_eq(uva_runtime_attach(&loop, &quiet, &runtime), 0);
    uva_detach(uva_spawn(leave_open, NULL));
    /* Open, they do not keep it alive. */
    ck_assert_int_eq(uv_run(&loop, UV_RUN_DEFAULT), 0);
    ck_assert_uint_eq(support_report_count(), 0);
    ck_assert_int_eq(uva_runtime_detach(runtime, NULL, NULL), 0);
    ck_assert_int_eq(uv_run(&loop, UV_RUN_DEFAULT), 0);
    ck_assert_int_eq(uv_loop_close(&loop), 0);
    ck_assert_uint_eq(support_report_count(), KINDS);
    expect_no_children();
}
END_TEST

SUITE("close", close_a_second_time_is_reported,
      close_in_another_thread_does_nothing, close_by_the_end_on_a_hosts_loop)
