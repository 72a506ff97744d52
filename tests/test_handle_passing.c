/* labels: valgrind; timeout: 20 */
/* Streams handed over Unix sockets: to another process, in order with data, to
 * and from programs that know nothing of the library; lost, refused. */
#include "passing_fixture.h"

#include <sys/wait.h>
#ifdef UVA__HAVE_VALGRIND
#include <valgrind/valgrind.h>
#endif

/* ---- another process ---------------------------------------------------- */

/* The other process answers on the connections that it is handed. */
static int answer_connections(void *arg) {
    uva_stream_t *pipe = NULL;
    uva_stream_t *connection = NULL;
    char line[32];
    char answer[64];
    int code = uva_stream_open_fd(*(int *)arg, &pipe);
    while (code == 0 &&
           (code = uva_pipe_receive_stream(pipe, &connection)) == 0) {
        ssize_t length = uva_readline(connection, line, sizeof line);
        int bytes = snprintf(answer, sizeof answer, "%s to you\n",
                             length >= 0 ? line : "nothing");
        ssize_t written = uva_write(connection, answer, (size_t)bytes);
        uva_stream_close(connection);
        code = written == bytes ? 0 : (int)written;
    }
    uva_stream_close(pipe);
    return code == UV_EOF ? 0 : 1;
}

/* Accepts, and hands over before anything is read. */
static int hand_over(void *arg) {
    uva_stream_t *pipe = NULL;
    uva_listener_t *listener = listen_somewhere();
    ck_assert_int_eq(uva_stream_open_fd(*(int *)arg, &pipe), 0);
    for (int i = 0; i < 5; i++) {
        uva_stream_t *connection = NULL;
        char answer[64] = "";
        int fd = raw_connect(uva_listener_port(listener));
        raw_send(fd, "hello\n", 6);
        ck_assert_int_eq(uva_accept(listener, &connection), 0);
        ck_assert_int_eq(uva_pipe_send_stream(pipe, connection), 0);
        uva_stream_close(connection);
        ck_assert_int_eq(recv(fd, answer, sizeof answer, MSG_WAITALL), 13);
        ck_assert_str_eq(answer, "hello to you\n");
        close(fd);
    }
    uva_stream_close(pipe);
    uva_listener_close(listener);
    return 0;
}

START_TEST(another_process_answers_the_connection) {
    int fds[2];
    int status = -1;
    ck_assert_int_eq(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fds),
                     0);
    fflush(NULL);
    pid_t child = fork();
    if (child == 0) {
        close(fds[0]);
        _exit(uva_run(answer_connections, &fds[1]));
    }
    close(fds[1]);
    ck_assert_int_eq(uva_run_with(&quiet, hand_over, &fds[0]), 0);
    ck_assert_str_eq(support_reports(), "");
    ck_assert_int_eq(waitpid(child, &status, 0), child);
    ck_assert_int_eq(status, 0);
}
END_TEST

/* ---- in order with data ------------------------------------------------- */

static int send_in_between(void *arg) {
    uva_stream_t *pipe = arg;
    for (int i = 0; i < 3; i++) {
        int reading;
        uva_stream_t *passenger = NULL;
        int fd = make_passenger(&reading);
        ck_assert_int_eq(uva_stream_open_fd(fd, &passenger), 0);
        ck_assert_int_eq(uva_write(pipe, "take this\n", 10), 10);
        ck_assert_int_eq(uva_pipe_send_stream(pipe, passenger), 0);
        ck_assert_int_eq(uva_write(pipe, "and that\n", 9), 9);
        uva_stream_close(passenger);
        close(reading);
    }
    return uva_shutdown(pipe);
}

/* One task reads lines and streams as they were written, however they come. */
static int receive_in_order(void *arg) {
    (void)arg;
    for (int way = 0; way < 3; way++) {
        int fd;
        char line[32];
        uva_stream_t *stream = NULL;
        uva_stream_t *other = NULL;
        uva_stream_t *pipe = open_half(&fd);
        ck_assert_int_eq(uva_stream_open_fd(fd, &other), 0);
        ck_assert_int_eq(uva_pipe_expect_streams(pipe), 0);
        ck_assert_int_eq(uva_pipe_expect_streams(pipe), 0);
        uva_task_t *task = uva_spawn(send_in_between, other);
        if (way == 1) /* all has come before the first look */
            ck_assert_int_eq(uva_await(task, NULL), 0);
        for (int i = 0; i < 3; i++) {
            /* The stream first: the line before it waits to be read. */
            if (way == 2)
                ck_assert_int_eq(uva_pipe_receive_stream(pipe, &stream), 0);
            ck_assert_int_eq(uva_readline(pipe, line, sizeof line), 9);
            ck_assert_str_eq(line, "take this");
            if (way < 2)
                ck_assert_int_eq(uva_pipe_receive_stream(pipe, &stream), 0);
            ck_assert_int_eq(uva_write(stream, "x", 1), UV_EPIPE);
            uva_stream_close(stream);
            ck_assert_int_eq(uva_readline(pipe, line, sizeof line), 8);
            ck_assert_str_eq(line, "and that");
        }
        ck_assert_int_eq(uva_pipe_receive_stream(pipe, &stream), UV_EOF);
        ck_assert_int_eq(uva_read(pipe, line, 1), UV_EOF);
        if (way != 1)
            ck_assert_int_eq(uva_await(task, NULL), 0);
        uva_stream_close(pipe);
        uva_stream_close(other);
    }
    return 0;
}

START_TEST(streams_keep_their_place_among_bytes) {
    run_clean(receive_in_order);
}
END_TEST

enum { STREAMS = 20, BETWEEN = 30000 };

static int send_many(void *arg) {
    uva_stream_t *pipe = arg;
    static char bytes[BETWEEN];
    int reading;
    uva_stream_t *passenger = NULL;
    int fd = make_passenger(&reading);
    ck_assert_int_eq(uva_stream_open_fd(fd, &passenger), 0);
    for (size_t i = 0; i < STREAMS; i++) {
        make_bytes(bytes, i * BETWEEN, BETWEEN);
        ck_assert_int_eq(uva_write(pipe, bytes, BETWEEN), BETWEEN);
        ck_assert_int_eq(uva_pipe_send_stream(pipe, passenger), 0);
    }
    uva_stream_close(passenger);
    close(reading);
    return uva_shutdown(pipe);
}

static int read_bytes(void *arg) {
    static char bytes[7000];
    size_t got = 0;
    ssize_t some;
    while ((some = uva_read(arg, bytes, sizeof bytes)) > 0) {
        check_bytes(bytes, got, (size_t)some);
        got += (size_t)some;
        if (got % 3 == 0)
            ck_assert_int_eq(uva_yield(), 0);
    }
    ck_assert_int_eq(some, UV_EOF);
    ck_assert_uint_eq(got, (size_t)STREAMS * BETWEEN);
    return 0;
}

/* One task reads while another receives. */
static int read_and_receive(void *arg) {
    (void)arg;
    int fd;
    uva_stream_t *other = NULL;
    uva_stream_t *stream = NULL;
    uva_stream_t *pipe = open_half(&fd);
    ck_assert_int_eq(uva_stream_open_fd(fd, &other), 0);
    ck_assert_int_eq(uva_pipe_expect_streams(pipe), 0);
    uva_future_t *tasks[] = {uva_spawn(send_many, other),
                             uva_spawn(read_bytes, pipe)};
    for (int i = 0; i < STREAMS; i++) {
        ck_assert_int_eq(uva_pipe_receive_stream(pipe, &stream), 0);
        uva_stream_close(stream);
    }
    ck_assert_int_eq(uva_pipe_receive_stream(pipe, &stream), UV_EOF);
    ck_assert_int_eq(uva_gather(tasks, 2, NULL), 0);
    uva_stream_close(pipe);
    uva_stream_close(other);
    return 0;
}

START_TEST(streams_are_received_while_another_task_reads) {
    run_clean(read_and_receive);
}
END_TEST

/* ---- programs that know nothing of us ----------------------------------- */

static int meet_raw_peer(void *arg) {
    (void)arg;
    int fd;
    int reading;
    char text[16];
    uva_stream_t *stream = NULL;
    uva_stream_t *pipe = open_half(&fd);
    int passenger = make_passenger(&reading);
    raw_send(fd, "before", 6);
    raw_send_fds(fd, "!", 1, passenger, 1);
    raw_send(fd, "behind", 6);
    close(passenger);
    ck_assert_int_eq(uva_pipe_receive_stream(pipe, &stream), 0);
    check_passenger(stream, reading);
    ck_assert_int_eq(uva_read_exactly(pipe, text, 12), 12);
    ck_assert_mem_eq(text, "beforebehind", 12);

    /* Several in one message, and one that is no stream. */
    int file = open("/dev/null", O_RDWR | O_CLOEXEC);
    raw_send_fds(fd, "!", 1, file, 3);
    close(file);
    for (int i = 0; i < 3; i++)
        ck_assert_int_eq(uva_pipe_receive_stream(pipe, &stream), UV_ENOTSUP);

    /* More than are taken; the pipe is closed with some of them. */
    passenger = make_passenger(&reading);
    raw_send_fds(fd, "!", 1, passenger, 30);
    close(passenger);
    ck_assert_int_eq(uva_pipe_receive_stream(pipe, &stream), 0);
    check_passenger(stream, reading);

    /* Ours to a raw end. */
    passenger = make_passenger(&reading);
    uva_stream_t *sent = NULL;
    ck_assert_int_eq(uva_stream_open_fd(passenger, &sent), 0);
    ck_assert_int_eq(uva_pipe_send_stream(pipe, sent), 0);
    uva_stream_close(sent);
    int received = raw_receive_fd(fd);
    ck_assert_int_eq(write(received, "r", 1), 1);
    ck_assert_int_eq(read(reading, text, 1), 1);
    close(received);
    close(reading);
    uva_stream_close(pipe);
    close(fd);
    return 0;
}

START_TEST(streams_come_from_and_go_to_plain_programs) {
    run_clean(meet_raw_peer);
}
END_TEST

/* ---- lost and refused --------------------------------------------------- */

/* No descriptor for it: the byte is no data, and whoever receives is told. */
static int run_out_of_files(void *arg) {
    (void)arg;
    int fd;
    int reading;
    char text[8];
    uva_stream_t *stream = NULL;
    uva_stream_t *pipe = open_half(&fd);
    ck_assert_int_eq(uva_pipe_expect_streams(pipe), 0);
    int passenger = make_passenger(&reading);
    raw_send_fds(fd, "!", 1, passenger, 1);
    raw_send(fd, "data", 4);
    rlim_t before = limit_files_to_now();
    ck_assert_int_eq(uva_pipe_receive_stream(pipe, &stream), UV_EMFILE);
    (void)limit_files(before);
    ck_assert_int_eq(uva_read(pipe, text, 8), 4);
    ck_assert_mem_eq(text, "data", 4);
    raw_send_fds(fd, "!", 1, passenger, 1);
    close(passenger);
    ck_assert_int_eq(uva_pipe_receive_stream(pipe, &stream), 0);
    check_passenger(stream, reading);
    uva_stream_close(pipe);
    close(fd);
    return 0;
}

START_TEST(stream_without_a_descriptor_is_lost_and_said_so) {
#ifdef UVA__HAVE_VALGRIND
    if (RUNNING_ON_VALGRIND)
        SKIP("valgrind limits descriptors itself, but for those received");
#endif
    run_clean(run_out_of_files);
}
END_TEST

static int read_a_byte(void *arg) {
    char byte;
    return (int)uva_read(arg, &byte, 1);
}

static int refuse(void *arg) {
    (void)arg;
    int fd;
    int fds[2];
    uva_stream_t *stream = NULL;
    uva_stream_t *ends[2];
    uva_stream_t *pipe = open_half(&fd);
    pair_t pair = open_pair();
    ck_assert_int_eq(uva_memory_stream_pair(NULL, ends), 0);
    ck_assert_int_eq(socketpair(AF_UNIX, SOCK_STREAM, 0, fds), 0);

    /* What could not carry one. */
    ck_assert_int_eq(uva_pipe_send_stream(ends[0], pair.near), UV_ENOTSUP);
    ck_assert_int_eq(uva_pipe_send_stream(pair.near, pipe), UV_ENOTSUP);
    ck_assert_int_eq(uva_pipe_expect_streams(ends[0]), UV_ENOTSUP);
    ck_assert_int_eq(uva_pipe_expect_streams(pair.near), UV_ENOTSUP);
    ck_assert_int_eq(uva_pipe_receive_stream(pair.near, &stream), UV_ENOTSUP);
    /* What cannot be sent. */
    ck_assert_int_eq(uva_pipe_send_stream(pipe, ends[0]), UV_ENOTSUP);
    ck_assert_int_eq(uva_pipe_send_stream(pipe, pipe), UV_EINVAL);
    ck_assert_int_eq(uva_pipe_send_stream(pipe, NULL), UV_EINVAL);
    ck_assert_int_eq(uva_pipe_send_stream(NULL, pipe), UV_EINVAL);
    ck_assert_int_eq(uva_pipe_expect_streams(NULL), UV_EINVAL);
    ck_assert_int_eq(uva_pipe_receive_stream(NULL, &stream), UV_EINVAL);
    ck_assert_int_eq(uva_pipe_receive_stream(pipe, NULL), UV_EINVAL);

    /* What is in use. */
    uva_task_t *task = uva_spawn(read_a_byte, pair.near);
    ck_assert_int_eq(uva_yield(), 0);
    ck_assert_int_eq(uva_pipe_send_stream(pipe, pair.near), UV_EBUSY);
    ck_assert_int_eq(uva_write(pair.far, "12", 2), 2);
    ck_assert_int_eq(uva_await(task, NULL), 1);
    ck_assert_int_eq(uva_sleep(2), 0); /* the other byte was read ahead */
    ck_assert_int_eq(uva_pipe_send_stream(pipe, pair.near), UV_EBUSY);
    task = uva_spawn(read_a_byte, pipe);
    ck_assert_int_eq(uva_yield(), 0);
    ck_assert_int_eq(uva_pipe_expect_streams(pipe), UV_EBUSY);
    ck_assert_int_eq(uva_pipe_receive_stream(pipe, &stream), UV_EBUSY);
    raw_send(fd, "x", 1);
    ck_assert_int_eq(uva_await(task, NULL), 1);
    ck_assert_ptr_null(stream);

    /* A peer that is gone. */
    close(fd);
    ck_assert_int_eq(uva_pipe_send_stream(pipe, pair.far), UV_EPIPE);
    close(fds[0]);
    close(fds[1]);
    close_pair(&pair);
    uva_stream_close(ends[0]);
    uva_stream_close(ends[1]);
    uva_stream_close(pipe);
    return 0;
}

START_TEST(passing_refuses_what_cannot_be) {
    uva_stream_t *stream = NULL;
    run_clean(refuse);
    ck_assert_int_eq(uva_pipe_send_stream(NULL, NULL), UV_EPERM);
    ck_assert_int_eq(uva_pipe_receive_stream(NULL, &stream), UV_EPERM);
}
END_TEST

SUITE("handle_passing", another_process_answers_the_connection,
      streams_keep_their_place_among_bytes,
      streams_are_received_while_another_task_reads,
      streams_come_from_and_go_to_plain_programs,
      stream_without_a_descriptor_is_lost_and_said_so,
      passing_refuses_what_cannot_be)
