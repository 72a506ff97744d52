/* labels: valgrind */
/* Descriptors as streams: pipes, FIFOs, sockets of both families; what is none;
 * and that a host that does not ignore SIGPIPE never gets it. */
#include "stream_fixture.h"
#include "support/program.h"

/* A pipe(2), its reading end first, as streams. */
static void open_pipe(uva_stream_t *ends[2]) {
    int fds[2];
    ck_assert_int_eq(pipe(fds), 0);
    ck_assert_int_eq(uva_stream_open_fd(fds[0], &ends[0]), 0);
    ck_assert_int_eq(uva_stream_open_fd(fds[1], &ends[1]), 0);
}

/* ---- pipes -------------------------------------------------------------- */

enum { MUCH = 300000 };

static int write_much(void *arg) {
    uva_stream_t *stream = arg;
    static char bytes[MUCH];
    make_bytes(bytes, 0, MUCH);
    const uv_buf_t buffers[] = {{bytes, 7},
                                {NULL, 0},
                                {bytes + 7, 200000},
                                {bytes + 200007, MUCH - 200007}};
    ck_assert_int_eq(uva_writev(stream, buffers, 4), MUCH);
    uva_stream_close(stream);
    return 0;
}

/* More than a pipe holds; and each end goes one way. */
static int use_pipe(void *arg) {
    (void)arg;
    uva_stream_t *ends[2];
    char byte;
    open_pipe(ends);
    ck_assert_int_eq(uva_read(ends[1], &byte, 1), UV_ENOTCONN);
    ck_assert_int_eq(uva_write(ends[0], "x", 1), UV_EBADF);
    ck_assert_int_eq(uva_shutdown(ends[1]), UV_ENOTSOCK);
    uva_task_t *task = uva_spawn(write_much, ends[1]);
    char *data = NULL;
    size_t bytes = 0;
    ck_assert_int_eq(uva_read_all(ends[0], SIZE_MAX, &data, &bytes), 0);
    ck_assert_uint_eq(bytes, MUCH);
    check_bytes(data, 0, MUCH);
    free(data);
    ck_assert_int_eq(uva_await(task, NULL), 0);
    uva_stream_close(ends[0]);
    return 0;
}

START_TEST(pipe_carries_more_than_it_holds) {
    run_clean(use_pipe);
}
END_TEST

/* As with sockets: cut before the first byte nothing happened, behind it the
 * stream takes no more. */
static int cut_pipe_writes(void *arg) {
    (void)arg;
    static char bytes[MUCH];
    uva_stream_t *ends[2];
    uva_scope_t scope;
    open_pipe(ends);
    uva_scope_open(&scope, 5, 0);
    ck_assert_int_eq(uva_write(ends[1], bytes, MUCH), UV_ECANCELED);
    ck_assert_int_eq(uva_scope_close(&scope), UV_ETIMEDOUT);
    ck_assert_int_eq(uva_write(ends[1], bytes, 1), UV_EPIPE);
    uva_stream_close(ends[0]);
    uva_stream_close(ends[1]);

    open_pipe(ends);
    int fd = uva__socket_of(ends[1])->fd;
    while (write(fd, bytes, 4096) > 0)
        ;
    uva_scope_open(&scope, 5, 0);
    ck_assert_int_eq(uva_write(ends[1], bytes, 1), UV_ECANCELED);
    ck_assert_int_eq(uva_scope_close(&scope), UV_ETIMEDOUT);
    while (read(uva__socket_of(ends[0])->fd, bytes, sizeof bytes) > 0)
        ;
    ck_assert_int_eq(uva_write(ends[1], "x", 1), 1);
    ck_assert_int_eq(uva_read(ends[0], bytes, 9), 1);
    uva_stream_close(ends[0]);
    uva_stream_close(ends[1]);
    return 0;
}

START_TEST(pipe_write_that_is_cut_breaks_it_as_a_socket) {
    run_clean(cut_pipe_writes);
}
END_TEST

/* ---- SIGPIPE ------------------------------------------------------------ */

static bool is_pending(void) {
    sigset_t pending;
    ck_assert_int_eq(sigpending(&pending), 0);
    return sigismember(&pending, SIGPIPE) == 1;
}

static void block_sigpipe(int how) {
    sigset_t set;
    sigemptyset(&set);
    sigaddset(&set, SIGPIPE);
    ck_assert_int_eq(pthread_sigmask(how, &set, NULL), 0);
}

static bool is_blocked(void) {
    sigset_t now;
    ck_assert_int_eq(pthread_sigmask(SIG_BLOCK, NULL, &now), 0);
    return sigismember(&now, SIGPIPE) == 1;
}

static void write_in_vain(void) {
    uva_stream_t *ends[2];
    const uv_buf_t buffers[] = {{"a", 1}, {"b", 1}};
    open_pipe(ends);
    uva_stream_close(ends[0]);
    ck_assert_int_eq(uva_write(ends[1], "x", 1), UV_EPIPE);
    ck_assert_int_eq(uva_writev(ends[1], buffers, 2), UV_EPIPE);
    uva_stream_close(ends[1]);
}

/* A writer that waits when the reader goes. */
static int fill_pipe(void *arg) {
    static char bytes[MUCH];
    ck_assert_int_eq(uva_write(arg, bytes, MUCH), UV_EPIPE);
    return 0;
}

static int raise_nothing(void *arg) {
    (void)arg;
    /* Not blocked: the default would end this process. */
    ck_assert(!is_blocked());
    write_in_vain();
    ck_assert(!is_blocked());

    uva_stream_t *ends[2];
    open_pipe(ends);
    uva_task_t *task = uva_spawn(fill_pipe, ends[1]);
    ck_assert_int_eq(uva_sleep(2), 0);
    uva_stream_close(ends[0]);
    ck_assert_int_eq(uva_await(task, NULL), 0);
    uva_stream_close(ends[1]);

    /* Blocked by the host: it stays so, and nothing becomes pending. */
    block_sigpipe(SIG_BLOCK);
    write_in_vain();
    ck_assert(is_blocked());
    ck_assert(!is_pending());
    /* One that is pending already is the host's. */
    raise(SIGPIPE);
    write_in_vain();
    ck_assert(is_pending());
    signal(SIGPIPE, SIG_IGN); /* drops it */
    block_sigpipe(SIG_UNBLOCK);
    write_in_vain();
    signal(SIGPIPE, SIG_DFL);
    return 0;
}

START_TEST(pipe_without_reader_raises_no_sigpipe) {
    struct sigaction action;
    ck_assert_int_eq(sigaction(SIGPIPE, NULL, &action), 0);
    ck_assert(action.sa_handler == SIG_DFL);
    run_clean(raise_nothing);
    ck_assert_int_eq(sigaction(SIGPIPE, NULL, &action), 0);
    ck_assert(action.sa_handler == SIG_DFL);
}
END_TEST

/* ---- other kinds -------------------------------------------------------- */

static void echo_between(uva_stream_t *near, uva_stream_t *far) {
    char text[8];
    ck_assert_int_eq(uva_write(near, "there", 6), 6);
    ck_assert_int_eq(uva_read_exactly(far, text, 6), 6);
    ck_assert_str_eq(text, "there");
    ck_assert_int_eq(uva_write(far, "back", 5), 5);
    ck_assert_int_eq(uva_read_exactly(near, text, 5), 5);
    ck_assert_str_eq(text, "back");
}

static int open_sockets(void *arg) {
    (void)arg;
    int fds[2];
    uva_stream_t *near = NULL;
    uva_stream_t *far = NULL;
    ck_assert_int_eq(socketpair(AF_UNIX, SOCK_STREAM, 0, fds), 0);
    ck_assert_int_eq(uva_stream_open_fd(fds[0], &near), 0);
    ck_assert_int_eq(uva_stream_open_fd(fds[1], &far), 0);
    echo_between(near, far);
    ck_assert_int_eq(uva_stream_open_fd(fds[0], &near), UV_EEXIST);
    uva_stream_close(near);
    uva_stream_close(far);

    uva_listener_t *listener = listen_somewhere();
    int fd = raw_connect(uva_listener_port(listener));
    ck_assert_int_eq(uva_stream_open_fd(fd, &near), 0);
    ck_assert_int_eq(uva_accept(listener, &far), 0);
    echo_between(near, far);
    uva_stream_close(near);
    uva_stream_close(far);
    uva_listener_close(listener);
    ck_assert_int_lt(fcntl(fd, F_GETFL), 0);
    return 0;
}

START_TEST(sockets_of_others_become_streams) {
    run_clean(open_sockets);
}
END_TEST

static int open_fifo(void *arg) {
    (void)arg;
    place_t place = make_place();
    uva_stream_t *in = NULL;
    uva_stream_t *out = NULL;
    char line[16];
    ck_assert_int_eq(mkfifo(place.path, 0600), 0);
    int fd = open(place.path, O_RDONLY | O_NONBLOCK | O_CLOEXEC);
    ck_assert_int_eq(uva_stream_open_fd(fd, &in), 0);
    fd = open(place.path, O_WRONLY | O_CLOEXEC);
    ck_assert_int_eq(uva_stream_open_fd(fd, &out), 0);
    ck_assert_int_eq(uva_write(out, "one\ntwo", 7), 7);
    uva_stream_close(out);
    ck_assert_int_eq(uva_readline(in, line, sizeof line), 3);
    ck_assert_int_eq(uva_readline(in, line, sizeof line), 3);
    ck_assert_str_eq(line, "two");
    ck_assert_int_eq(uva_readline(in, line, sizeof line), UV_EOF);
    uva_stream_close(in);
    unlink(place.path);
    remove_place(&place);
    return 0;
}

START_TEST(fifo_becomes_a_stream) {
    run_clean(open_fifo);
}
END_TEST

/* What is none stays its owner's. */
static int refuse(void *arg) {
    (void)arg;
    static const char *const paths[] = {"/dev/null", "/", "/proc/self/exe"};
    uva_stream_t *stream = NULL;
    for (size_t i = 0; i < sizeof paths / sizeof paths[0]; i++) {
        int fd = open(paths[i], O_RDONLY | O_CLOEXEC);
        ck_assert_int_ge(fd, 0);
        ck_assert_int_eq(uva_stream_open_fd(fd, &stream), UV_ENOTSUP);
        ck_assert_int_eq(close(fd), 0);
        ck_assert_int_eq(uva_stream_open_fd(fd, &stream), UV_EBADF);
    }
    int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    ck_assert_int_eq(uva_stream_open_fd(fd, &stream), UV_ENOTSUP);
    ck_assert_int_eq(uva_stream_open_fd(fd, NULL), UV_EINVAL);
    ck_assert_int_eq(close(fd), 0);
    ck_assert_int_eq(uva_stream_open_fd(-1, &stream), UV_EBADF);
    ck_assert_ptr_null(stream);
    return 0;
}

START_TEST(open_fd_refuses_what_is_no_stream) {
    uva_stream_t *stream = NULL;
    run_clean(refuse);
    ck_assert_int_eq(uva_stream_open_fd(0, &stream), UV_EPERM);
}
END_TEST

/* The standard descriptors outlive their streams. */
static int use_standard_input(void *arg) {
    (void)arg;
    int fds[2];
    char line[16];
    uva_stream_t *in = NULL;
    int before = dup(STDIN_FILENO);
    ck_assert_int_eq(pipe(fds), 0);
    ck_assert_int_eq(dup2(fds[0], STDIN_FILENO), STDIN_FILENO);
    ck_assert_int_eq(write(fds[1], "hello\n", 6), 6);
    ck_assert_int_eq(uva_stream_open_fd(STDIN_FILENO, &in), 0);
    ck_assert_int_eq(uva_readline(in, line, sizeof line), 5);
    uva_stream_close(in);
    ck_assert_int_eq(uva_yield(), 0);
    ck_assert_int_eq(write(fds[1], "x", 1), 1);
    ck_assert_int_eq(read(STDIN_FILENO, line, sizeof line), 1);
    ck_assert_int_eq(dup2(before, STDIN_FILENO), STDIN_FILENO);
    close(before);
    close(fds[0]);
    close(fds[1]);
    return 0;
}

START_TEST(standard_input_stays_open) {
    run_clean(use_standard_input);
}
END_TEST

/* ---- faults ------------------------------------------------------------- */

typedef struct trial {
    fault_t kind;
    unsigned long nth;
    bool is_hit;
} trial_t;

/* Both ends, and a write that has to wait; 0 or the first failure. */
static int live(int fds[2]) {
    uva_stream_t *ends[2] = {NULL, NULL};
    static char bytes[MUCH];
    int code = uva_stream_open_fd(fds[0], &ends[0]);
    if (code == 0)
        code = uva_stream_open_fd(fds[1], &ends[1]);
    if (code == 0) {
        uva_scope_t scope;
        uva_scope_open(&scope, 1, 0);
        ssize_t written = uva_write(ends[1], bytes, MUCH);
        (void)uva_scope_close(&scope);
        code = written == UV_ECANCELED ? 0 : (int)written;
    }
    for (int i = 0; i < 2; i++) {
        if (ends[i] == NULL)
            ck_assert_int_eq(close(fds[i]), 0); /* still ours */
        uva_stream_close(ends[i]);
    }
    return code;
}

static int fail_once(void *arg) {
    trial_t *trial = arg;
    int fds[2];
    ck_assert_int_eq(pipe(fds), 0);
    faults_fail(trial->kind, trial->nth);
    int code = live(fds);
    trial->is_hit = faults_clear() > 0;
    ck_assert_int_eq(code, trial->is_hit ? UV_ENOMEM : 0);
    return 0;
}

START_TEST(open_fd_that_fails_leaves_the_descriptor) {
    static const fault_t kinds[] = {FAULT_UV_PIPE_INIT, FAULT_UV_PIPE_OPEN,
                                    FAULT_UV_POLL_INIT, FAULT_UV_POLL_START};
    for (size_t i = 0; i < sizeof kinds / sizeof kinds[0]; i++) {
        trial_t trial = {.kind = kinds[i]};
        do {
            trial.nth++;
            ck_assert_int_eq(uva_run_with(&quiet, fail_once, &trial), 0);
        } while (trial.is_hit);
        ck_assert_uint_ge(trial.nth, i < 2 ? 3 : 2);
    }
    ck_assert_str_eq(support_reports(), "");
}
END_TEST

SUITE("open_fd", pipe_carries_more_than_it_holds,
      pipe_write_that_is_cut_breaks_it_as_a_socket,
      pipe_without_reader_raises_no_sigpipe, sockets_of_others_become_streams,
      fifo_becomes_a_stream, open_fd_refuses_what_is_no_stream,
      standard_input_stays_open, open_fd_that_fails_leaves_the_descriptor)
