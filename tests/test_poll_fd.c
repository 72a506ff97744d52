/* labels: valgrind; timeout: 30 */
/* uva_poll_fd: a descriptor of any kind is awaited, and left as it was. */
#include "support/support.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>
#include <uvawait.h>

enum { BOTH = UV_READABLE | UV_WRITABLE };

static const uva_options_t quiet = {.report = support_report};

static void run_clean(uva_fn fn) {
    ck_assert_int_eq(uva_run_with(&quiet, fn, NULL), 0);
    ck_assert_str_eq(support_reports(), "");
}

static int ends[2]; /* of a pair of sockets */

static void open_ends(void) {
    ck_assert_int_eq(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends),
                     0);
}

static void close_ends(void) {
    close(ends[0]);
    close(ends[1]);
}

static void say(int fd) {
    ck_assert_int_eq(write(fd, "x", 1), 1);
}

static void hear(int fd) {
    char byte;
    ck_assert_int_eq(read(fd, &byte, 1), 1);
}

/* Until fd takes no more. */
static void fill(int fd) {
    static const char much[65536];
    while (send(fd, much, sizeof much, MSG_DONTWAIT) > 0) {}
    ck_assert(errno == EAGAIN || errno == EWOULDBLOCK);
}

static void empty(int fd) {
    static char much[65536];
    while (recv(fd, much, sizeof much, MSG_DONTWAIT) > 0) {}
}

typedef struct wait {
    int fd;
    int events;
    uint64_t timeout_ms;
} wait_t;

static int wait_fd(void *arg) {
    const wait_t *wait = arg;
    return uva_poll_fd(wait->fd, wait->events, wait->timeout_ms);
}

/* A task that is parked in a wait for ever. */
static uva_task_t *spawn_wait(wait_t *wait, int fd, int events) {
    *wait = (wait_t){fd, events, UVA_FOREVER};
    uva_task_t *task = uva_spawn(wait_fd, wait);
    ck_assert_int_eq(uva_yield(), 0);
    ck_assert(!uva_is_done(task));
    return task;
}

/* ---- ready -------------------------------------------------------------- */

static int ready_at_once(void *arg) {
    (void)arg;
    open_ends();
    ck_assert_int_eq(uva_poll_fd(ends[0], UV_READABLE, 0), UV_ETIMEDOUT);
    ck_assert_int_eq(uva_poll_fd(ends[0], BOTH, 0), UV_WRITABLE);
    say(ends[1]);
    unsigned long polls = faults_calls(FAULT_UV_POLL_INIT);
    ck_assert_int_eq(uva_poll_fd(ends[0], BOTH, 0), BOTH);
    ck_assert_int_eq(uva_poll_fd(ends[0], UV_READABLE, UVA_FOREVER),
                     UV_READABLE);
    ck_assert_uint_eq(faults_calls(FAULT_UV_POLL_INIT), polls);
    close(ends[1]);
    ends[1] = -1;
    hear(ends[0]);
    ck_assert_int_eq(uva_poll_fd(ends[0], UV_READABLE | UV_DISCONNECT, 5),
                     UV_READABLE | UV_DISCONNECT);
    close_ends();
    return 0;
}

START_TEST(poll_fd_ready_does_not_wait) {
    run_clean(ready_at_once);
}
END_TEST

static int becomes_ready(void *arg) {
    (void)arg;
    wait_t wait;
    open_ends();
    for (int i = 0; i < 3; i++) {
        uva_task_t *reader = spawn_wait(&wait, ends[0], UV_READABLE);
        say(ends[1]);
        ck_assert_int_eq(uva_await(reader, NULL), UV_READABLE);
        hear(ends[0]);
    }
    fill(ends[0]);
    uva_task_t *writer = spawn_wait(&wait, ends[0], BOTH);
    empty(ends[1]);
    ck_assert_int_eq(uva_await(writer, NULL), UV_WRITABLE);
    /* The peer goes. */
    uva_task_t *reader = spawn_wait(&wait, ends[0], UV_READABLE);
    close(ends[1]);
    ck_assert_int_eq(uva_await(reader, NULL), UV_READABLE);
    close(ends[0]);
    return 0;
}

START_TEST(poll_fd_waits_until_ready) {
    run_clean(becomes_ready);
}
END_TEST

/* A pipe whose reader goes is an error to libuv, and writable to us: the write
 * tells what it is. */
static int reader_goes(void *arg) {
    (void)arg;
    wait_t wait;
    int pipe_ends[2];
    static const char much[65536];
    ck_assert_int_eq(pipe2(pipe_ends, O_CLOEXEC | O_NONBLOCK), 0);
    while (write(pipe_ends[1], much, sizeof much) > 0) {}
    uva_task_t *writer = spawn_wait(&wait, pipe_ends[1], UV_WRITABLE);
    close(pipe_ends[0]);
    ck_assert_int_eq(uva_await(writer, NULL), UV_WRITABLE);
    ck_assert_int_eq(uva_poll_fd(pipe_ends[1], UV_WRITABLE, 0), UV_WRITABLE);
    close(pipe_ends[1]);
    return 0;
}

/* Gone is gone, whether it is asked for now or waited for, at either end. */
static int the_other_goes(void *arg) {
    (void)arg;
    wait_t wait;
    for (int other = 0; other < 2; other++) {
        int pipe_ends[2];
        ck_assert_int_eq(pipe2(pipe_ends, O_CLOEXEC | O_NONBLOCK), 0);
        int fd = pipe_ends[1 - other];
        ck_assert_int_eq(uva_poll_fd(fd, UV_DISCONNECT, 0), UV_ETIMEDOUT);
        uva_task_t *waiter = spawn_wait(&wait, fd, UV_DISCONNECT);
        close(pipe_ends[other]);
        ck_assert_int_eq(uva_await(waiter, NULL), UV_DISCONNECT);
        ck_assert_int_eq(uva_poll_fd(fd, UV_DISCONNECT, 0), UV_DISCONNECT);
        close(fd);
    }
    return 0;
}

START_TEST(poll_fd_tells_of_a_disconnection) {
    run_clean(the_other_goes);
}
END_TEST

START_TEST(poll_fd_an_error_is_ready) {
    run_clean(reader_goes);
}
END_TEST

/* ---- several at once ---------------------------------------------------- */

/* | main                  | reader | writer |
 * | the socket is full    |        |        |
 * |                       | <park> | <park> |
 * | both once more: EBUSY |        |        |
 * | room                  |        | ready  |
 * | a byte                | ready  |        | */
static int read_and_write(void *arg) {
    (void)arg;
    wait_t reading;
    wait_t writing;
    open_ends();
    fill(ends[0]);
    uva_task_t *reader = spawn_wait(&reading, ends[0], UV_READABLE);
    uva_task_t *writer = spawn_wait(&writing, ends[0], UV_WRITABLE);
    ck_assert_int_eq(uva_poll_fd(ends[0], UV_READABLE, 5), UV_EBUSY);
    ck_assert_int_eq(uva_poll_fd(ends[0], UV_WRITABLE, 5), UV_EBUSY);
    ck_assert_int_eq(uva_poll_fd(ends[0], BOTH, UVA_FOREVER), UV_EBUSY);
    empty(ends[1]);
    ck_assert_int_eq(uva_await(writer, NULL), UV_WRITABLE);
    ck_assert(!uva_is_done(reader));
    /* A wait that has ended can be had again; one that is cut ends once. */
    fill(ends[0]);
    writer = spawn_wait(&writing, ends[0], UV_WRITABLE);
    ck_assert(uva_cancel(writer));
    ck_assert_int_eq(uva_await(uva_ref(writer), NULL), UV_ECANCELED);
    ck_assert(!uva_cancel(writer));
    uva_unref(writer);
    ck_assert(!uva_is_done(reader));
    say(ends[1]);
    ck_assert_int_eq(uva_await(reader, NULL), UV_READABLE);
    close_ends();
    return 0;
}

START_TEST(poll_fd_a_reader_and_a_writer) {
    CONFORMS("K-177");
    run_clean(read_and_write);
}
END_TEST

static int host_calls;

static void on_host(uv_poll_t *poll, int status, int events) {
    (void)status;
    (void)events;
    host_calls++;
    (void)uv_poll_stop(poll);
}

/* The host watches the same descriptor with libuv. */
static int beside_libuv(void *arg) {
    (void)arg;
    wait_t wait;
    uv_poll_t host;
    uv_loop_t *loop = uva_runtime_loop(uva_runtime_current());
    open_ends();
    ck_assert_int_eq(uv_poll_init(loop, &host, ends[0]), 0);
    ck_assert_int_eq(uv_poll_start(&host, UV_READABLE, on_host), 0);
    uva_task_t *reader = spawn_wait(&wait, ends[0], UV_READABLE);
    say(ends[1]);
    ck_assert_int_eq(uva_await(reader, NULL), UV_READABLE);
    while (host_calls == 0)
        ck_assert_int_eq(uva_sleep(1), 0);
    uv_close((uv_handle_t *)&host, NULL);
    while (uv_is_active((uv_handle_t *)&host))
        ck_assert_int_eq(uva_sleep(1), 0);
    ck_assert_int_eq(uva_sleep(1), 0);
    close_ends();
    return 0;
}

START_TEST(poll_fd_beside_a_watcher_of_the_host) {
    run_clean(beside_libuv);
}
END_TEST

/* ---- as it was ---------------------------------------------------------- */

static int flags_stay(void *arg) {
    (void)arg;
    open_ends();
    int flags = fcntl(ends[0], F_GETFL);
    ck_assert_int_eq(flags & O_NONBLOCK, 0);
    ck_assert_int_eq(uva_poll_fd(ends[0], UV_READABLE, 1), UV_ETIMEDOUT);
    ck_assert_int_eq(fcntl(ends[0], F_GETFL), flags);
    ck_assert_int_eq(fcntl(ends[0], F_SETFL, flags | O_NONBLOCK), 0);
    ck_assert_int_eq(uva_poll_fd(ends[0], UV_READABLE, 1), UV_ETIMEDOUT);
    ck_assert_int_eq(fcntl(ends[0], F_GETFL), flags | O_NONBLOCK);
    close_ends();
    return 0;
}

START_TEST(poll_fd_leaves_the_flags) {
    run_clean(flags_stay);
}
END_TEST

/* The trap of a library that closes and connects anew: the number is the same,
 * and what is behind it is another kind of thing each time. */
static int reuse(void *arg) {
    (void)arg;
    wait_t wait;
    open_ends();
    for (int i = 0; i < 20; i++) {
        uva_task_t *reader = spawn_wait(&wait, ends[0], UV_READABLE);
        say(ends[1]);
        ck_assert_int_eq(uva_await(reader, NULL), UV_READABLE);
        int number = ends[0];
        close_ends();
        int file = open("/dev/null", O_RDONLY);
        ck_assert_int_eq(file, number);
        ck_assert_int_eq(uva_poll_fd(number, UV_READABLE, UVA_FOREVER),
                         UV_READABLE);
        close(file);
        open_ends();
        ck_assert_int_eq(ends[0], number);
    }
    close_ends();
    return 0;
}

START_TEST(poll_fd_a_number_that_is_used_again) {
    run_clean(reuse);
}
END_TEST

/* Closed during the wait, against the advice: nothing breaks, and what gets
 * the number is not taken for it. */
static int close_meanwhile(void *arg) {
    (void)arg;
    wait_t wait;
    int others[2];
    open_ends();
    uva_task_t *reader = spawn_wait(&wait, ends[0], UV_READABLE);
    ck_assert_int_eq(uva_sleep(0), 0);
    int number = ends[0];
    close(ends[0]);
    ck_assert_int_eq(pipe2(others, O_CLOEXEC), 0);
    ck_assert_int_eq(others[0], number);
    say(others[1]);
    ck_assert_int_eq(uva_sleep(1), 0);
    ck_assert(!uva_is_done(reader));
    ck_assert_int_eq(uva_poll_fd(number, UV_READABLE, 5), UV_READABLE);
    ck_assert(uva_cancel(reader));
    ck_assert_int_eq(uva_await(reader, NULL), UV_ECANCELED);
    close(others[0]);
    close(others[1]);
    close(ends[1]);
    return 0;
}

START_TEST(poll_fd_closed_meanwhile) {
    run_clean(close_meanwhile);
}
END_TEST

/* ---- cut ---------------------------------------------------------------- */

static int time_out(void *arg) {
    (void)arg;
    wait_t wait;
    uva_scope_t scope;
    open_ends();
    ck_assert_int_eq(uva_poll_fd(ends[0], UV_READABLE, 1), UV_ETIMEDOUT);
    /* A limit further out is the caller's. */
    uva_scope_open(&scope, 1, 0);
    ck_assert_int_eq(uva_poll_fd(ends[0], UV_READABLE, UVA_FOREVER),
                     UV_ECANCELED);
    ck_assert_int_eq(uva_scope_close(&scope), UV_ETIMEDOUT);
    /* Ready, then cancelled before its turn: ready it is. */
    uva_task_t *reader = spawn_wait(&wait, ends[0], UV_READABLE);
    say(ends[1]);
    ck_assert_int_eq(uva_poll_fd(ends[0], UV_READABLE, UVA_FOREVER),
                     UV_READABLE);
    while (!uva_is_done(reader))
        ck_assert_int_eq(uva_yield(), 0);
    ck_assert_int_eq(uva_await(reader, NULL), UV_READABLE);
    hear(ends[0]);
    /* Cancelled, then ready before its turn: cancelled. */
    reader = spawn_wait(&wait, ends[0], UV_READABLE);
    ck_assert(uva_cancel(reader));
    say(ends[1]);
    ck_assert_int_eq(uva_await(reader, NULL), UV_ECANCELED);
    hear(ends[0]);
    /* Cancelled already: ready is returned, waiting is not begun. */
    uva_scope_open(&scope, UVA_FOREVER, 0);
    uva_scope_cancel(&scope);
    ck_assert_int_eq(uva_poll_fd(ends[0], UV_READABLE, 5), UV_ECANCELED);
    ck_assert_int_eq(uva_poll_fd(ends[0], UV_WRITABLE, 5), UV_WRITABLE);
    ck_assert_int_eq(uva_scope_close(&scope), UV_ECANCELED);
    close_ends();
    return 0;
}

START_TEST(poll_fd_is_cut_by_time_and_cancel) {
    run_clean(time_out);
}
END_TEST

/* ---- what cannot be ----------------------------------------------------- */

static int odd_ones(void *arg) {
    (void)arg;
    int file = open("/proc/self/exe", O_RDONLY);
    ck_assert_int_ge(file, 0);
    ck_assert_int_eq(uva_poll_fd(file, BOTH, UVA_FOREVER), BOTH);
    ck_assert_int_eq(uva_poll_fd(file, UV_PRIORITIZED, 5), UV_EPERM);
    ck_assert_int_eq(uva_poll_fd(file, 0, 5), UV_EINVAL);
    ck_assert_int_eq(uva_poll_fd(file, 1 << 10, 5), UV_EINVAL);
    close(file);
    ck_assert_int_eq(uva_poll_fd(file, UV_READABLE, 5), UV_EBADF);
    ck_assert_int_eq(uva_poll_fd(file, UV_READABLE, 0), UV_EBADF);
    ck_assert_int_eq(uva_poll_fd(-1, UV_READABLE, 5), UV_EBADF);
    return 0;
}

START_TEST(poll_fd_what_cannot_wait) {
    run_clean(odd_ones);
}
END_TEST

START_TEST(poll_fd_outside_a_task_is_refused) {
    ck_assert_int_eq(uva_poll_fd(0, UV_READABLE, 0), UV_EPERM);
}
END_TEST

/* ---- many --------------------------------------------------------------- */

enum { MANY = 300 };

static int many_at_once(void *arg) {
    (void)arg;
    static wait_t waits[MANY];
    static int pipes[MANY][2];
    static uva_task_t *tasks[MANY];
    for (int i = 0; i < MANY; i++) {
        ck_assert_int_eq(pipe2(pipes[i], O_CLOEXEC), 0);
        waits[i] = (wait_t){pipes[i][0], UV_READABLE, UVA_FOREVER};
        tasks[i] = uva_spawn(wait_fd, &waits[i]);
    }
    ck_assert_int_eq(uva_yield(), 0);
    for (int i = MANY - 1; i >= 0; i--) {
        say(pipes[i][1]);
        ck_assert_int_eq(uva_await(tasks[i], NULL), UV_READABLE);
        close(pipes[i][0]);
        close(pipes[i][1]);
    }
    return 0;
}

START_TEST(poll_fd_many_at_once) {
    run_clean(many_at_once);
}
END_TEST

/* ---- faults ------------------------------------------------------------- */

typedef struct trial {
    fault_t kind;
    unsigned long nth;
    bool is_over;
} trial_t;

static int try_once(void *arg) {
    trial_t *trial = arg;
    open_ends();
    int flags = fcntl(ends[0], F_GETFL);
    faults_fail(trial->kind, trial->nth);
    int code = uva_poll_fd(ends[0], UV_READABLE, 1);
    trial->is_over = faults_clear() == 0;
    ck_assert_int_eq(code, trial->is_over ? UV_ETIMEDOUT : UV_ENOMEM);
    ck_assert_int_eq(fcntl(ends[0], F_GETFL), flags);
    /* What failed is not waited for any more. */
    ck_assert_int_eq(uva_poll_fd(ends[0], UV_READABLE, 1), UV_ETIMEDOUT);
    close_ends();
    return 0;
}

static void try_each(fault_t kind) {
    trial_t trial = {.kind = kind};
    while (!trial.is_over) {
        trial.nth++;
        ck_assert_int_eq(uva_run_with(&quiet, try_once, &trial), 0);
        ck_assert_str_eq(support_reports(), "");
    }
    ck_assert_uint_gt(trial.nth, 1);
}

START_TEST(poll_fd_faults_are_survived) {
    try_each(FAULT_UV_POLL_INIT);
    try_each(FAULT_UV_POLL_START);
    try_each(FAULT_REALLOC);
}
END_TEST

/* Without a free descriptor nothing can be waited for, and the code says so. */
static int no_descriptors(void *arg) {
    (void)arg;
    int fds[1024];
    size_t count = 0;
    struct rlimit limit;
    struct rlimit small;
    open_ends();
    ck_assert_int_eq(getrlimit(RLIMIT_NOFILE, &limit), 0);
    small = limit;
    small.rlim_cur = 512;
    ck_assert_int_eq(setrlimit(RLIMIT_NOFILE, &small), 0);
    while ((fds[count] = dup(ends[0])) >= 0)
        count++;
    ck_assert_int_eq(uva_poll_fd(ends[0], UV_READABLE, 5), UV_EMFILE);
    ck_assert_int_eq(uva_poll_fd(ends[0], UV_WRITABLE, 5), UV_WRITABLE);
    while (count > 0)
        close(fds[--count]);
    ck_assert_int_eq(setrlimit(RLIMIT_NOFILE, &limit), 0);
    ck_assert_int_eq(uva_poll_fd(ends[0], UV_READABLE, 1), UV_ETIMEDOUT);
    close_ends();
    return 0;
}

START_TEST(poll_fd_without_descriptors) {
    run_clean(no_descriptors);
}
END_TEST

SUITE("poll_fd", poll_fd_ready_does_not_wait, poll_fd_waits_until_ready,
      poll_fd_an_error_is_ready, poll_fd_tells_of_a_disconnection,
      poll_fd_a_reader_and_a_writer, poll_fd_beside_a_watcher_of_the_host,
      poll_fd_leaves_the_flags, poll_fd_a_number_that_is_used_again,
      poll_fd_closed_meanwhile, poll_fd_is_cut_by_time_and_cancel,
      poll_fd_what_cannot_wait, poll_fd_outside_a_task_is_refused,
      poll_fd_many_at_once, poll_fd_faults_are_survived,
      poll_fd_without_descriptors)
