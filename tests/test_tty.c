/* labels: valgrind */
/* Terminals as streams, on pseudo-terminals: lines, modes, the size, the master
 * as a stream, and that the mode is set back. */
#include "stream_fixture.h"

#include <sys/ioctl.h>
#include <sys/wait.h>
#include <termios.h>

/* A pseudo-terminal: its master and its slave. */
typedef struct pty {
    int master;
    int slave;
} pty_t;

static pty_t open_pty(void) {
    pty_t pty;
    pty.master = posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC);
    ck_assert_int_ge(pty.master, 0);
    ck_assert_int_eq(grantpt(pty.master), 0);
    ck_assert_int_eq(unlockpt(pty.master), 0);
    pty.slave = open(ptsname(pty.master), O_RDWR | O_NOCTTY | O_CLOEXEC);
    ck_assert_int_ge(pty.slave, 0);
    return pty;
}

static bool echoes(int fd) {
    struct termios termios;
    ck_assert_int_eq(tcgetattr(fd, &termios), 0);
    return (termios.c_lflag & ECHO) != 0;
}

/* ---- reading and writing ------------------------------------------------ */

static int use_tty(void *arg) {
    (void)arg;
    pty_t pty = open_pty();
    uva_stream_t *tty = NULL;
    char text[64];
    ck_assert_int_eq(uva_tty_open(pty.slave, &tty), 0);
    ck_assert_int_eq(write(pty.master, "typed\n", 6), 6);
    ck_assert_int_eq(uva_readline(tty, text, sizeof text), 5);
    ck_assert_str_eq(text, "typed");
    ck_assert_int_eq(read(pty.master, text, sizeof text), 7);
    ck_assert_mem_eq(text, "typed\r\n", 7);
    ck_assert_int_eq(uva_write(tty, "shown\n", 6), 6);
    ck_assert_int_eq(read(pty.master, text, sizeof text), 7);
    ck_assert_mem_eq(text, "shown\r\n", 7);
    uva_stream_close(tty);
    ck_assert_int_eq(uva_yield(), 0);
    ck_assert_int_lt(fcntl(pty.slave, F_GETFL), 0); /* taken */
    close(pty.master);
    return 0;
}

START_TEST(tty_is_read_and_written) {
    run_clean(use_tty);
}
END_TEST

/* Nobody looks at what is shown: a writer waits, and can be cut. */
static int fill_tty(void *arg) {
    (void)arg;
    static char much[200000];
    pty_t pty = open_pty();
    uva_stream_t *tty = NULL;
    uva_scope_t scope;
    ck_assert_int_eq(uva_tty_open(pty.slave, &tty), 0);
    ck_assert_int_eq(uva_tty_set_mode(tty, UV_TTY_MODE_IO), 0);
    memset(much, 'x', sizeof much);
    uva_scope_open(&scope, 5, 0);
    ck_assert_int_eq(uva_write(tty, much, sizeof much), UV_ECANCELED);
    ck_assert_int_eq(uva_scope_close(&scope), UV_ETIMEDOUT);
    ck_assert_int_eq(tcflush(pty.master, TCIOFLUSH), 0);
    ck_assert_int_eq(tcflush(pty.slave, TCIOFLUSH), 0);
    uva_stream_close(tty);
    close(pty.master);
    return 0;
}

START_TEST(tty_that_is_full_parks_the_writer) {
    run_clean(fill_tty);
}
END_TEST

static int answer_keys(void *arg) {
    uva_stream_t *tty = arg;
    char line[64];
    ck_assert_int_eq(uva_readline(tty, line, sizeof line), 3);
    return (int)uva_write(tty, "done\n", 5);
}

/* Both ends as streams of one loop; the master's sees the slave go. */
static int use_master(void *arg) {
    (void)arg;
    pty_t pty = open_pty();
    uva_stream_t *master = NULL;
    uva_stream_t *tty = NULL;
    char text[64];
    ck_assert_int_eq(uva_stream_open_fd(pty.master, &master), 0);
    ck_assert_int_ne(fcntl(pty.master, F_GETFL) & O_NONBLOCK, 0);
    ck_assert_int_eq(uva_stream_open_fd(pty.slave, &tty), 0);
    uva_task_t *task = uva_spawn(answer_keys, tty);
    ck_assert_int_eq(uva_sleep(1), 0);
    ck_assert_int_eq(uva_write(master, "abc\n", 4), 4);
    ck_assert_int_eq(uva_readline(master, text, sizeof text), 3);
    ck_assert_int_eq(uva_readline(master, text, sizeof text), 4);
    ck_assert_str_eq(text, "done");
    ck_assert_int_eq(uva_await(task, NULL), 5);
    uva_stream_close(tty);
    ck_assert_int_eq(uva_read(master, text, sizeof text), UV_EIO);
    uva_stream_close(master);
    return 0;
}

START_TEST(tty_master_is_a_stream_too) {
    run_clean(use_master);
}
END_TEST

/* A terminal that is gone: a code, no signal, and it can still be closed. */
static int lose_tty(void *arg) {
    (void)arg;
    pty_t pty = open_pty();
    uva_stream_t *tty = NULL;
    char byte;
    ck_assert_int_eq(uva_tty_open(pty.slave, &tty), 0);
    ck_assert_int_eq(uva_tty_set_mode(tty, UV_TTY_MODE_RAW), 0);
    close(pty.master);
    ck_assert_int_eq(uva_write(tty, "x", 1), UV_EIO);
    ssize_t code = uva_read(tty, &byte, 1);
    ck_assert(code == UV_EOF || code == UV_EIO);
    ck_assert_int_eq(uva_tty_set_mode(tty, UV_TTY_MODE_NORMAL), UV_EIO);
    uva_stream_close(tty);
    return 0;
}

START_TEST(tty_that_is_gone_is_a_code) {
    run_clean(lose_tty);
}
END_TEST

/* ---- modes and size ----------------------------------------------------- */

static int set_modes(void *arg) {
    (void)arg;
    pty_t pty = open_pty();
    int other = dup(pty.master);
    uva_stream_t *tty = NULL;
    char key;
    int columns = 0;
    int rows = 0;
    ck_assert_int_eq(uva_tty_open(pty.slave, &tty), 0);
    struct winsize size = {.ws_row = 43, .ws_col = 132};
    ck_assert_int_eq(ioctl(pty.master, TIOCSWINSZ, &size), 0);
    ck_assert_int_eq(uva_tty_size(tty, &columns, &rows), 0);
    ck_assert_int_eq(columns, 132);
    ck_assert_int_eq(rows, 43);

    ck_assert(echoes(other));
    ck_assert_int_eq(uva_tty_set_mode(tty, UV_TTY_MODE_RAW), 0);
    ck_assert(!echoes(other));
    ck_assert_int_eq(write(pty.master, "k", 1), 1);
    ck_assert_int_eq(uva_read(tty, &key, 1), 1); /* without a newline */
    ck_assert_int_eq(key, 'k');
    ck_assert_int_eq(uva_tty_set_mode(tty, UV_TTY_MODE_NORMAL), 0);
    ck_assert(echoes(other));
    ck_assert_int_eq(uva_tty_set_mode(tty, UV_TTY_MODE_IO), 0);
    ck_assert(!echoes(other));
    uva_stream_close(tty); /* sets it back */
    ck_assert(echoes(other));
    close(other);
    close(pty.master);
    return 0;
}

START_TEST(tty_mode_is_set_and_set_back) {
    run_clean(set_modes);
}
END_TEST

/* The end of the runtime closes what was left open. */
static int leave_raw(void *arg) {
    uva_stream_t *tty = NULL;
    ck_assert_int_eq(uva_tty_open(*(int *)arg, &tty), 0);
    ck_assert_int_eq(uva_tty_set_mode(tty, UV_TTY_MODE_RAW), 0);
    return 0;
}

START_TEST(tty_left_open_is_set_back) {
    pty_t pty = open_pty();
    ck_assert_int_eq(uva_run_with(&quiet, leave_raw, &pty.slave), 0);
    ck_assert(support_reports_contain("a stream (opened at "));
    ck_assert(echoes(pty.master));
    close(pty.master);
}
END_TEST

static void reset_tty(void) {
    (void)uv_tty_reset_mode();
}

/* Last of all, before a sanitizer looks for what the fork left. */
static void leave(void) {
    _exit(0);
}

static int leave_by_exit(void *arg) {
    int fd = *(int *)arg;
    (void)leave_raw(arg);
    ck_assert_int_eq(write(fd, echoes(fd) ? "e" : "r", 1), 1);
    exit(0);
}

START_TEST(tty_is_set_back_at_exit) {
    pty_t pty = open_pty();
    fflush(NULL);
    pid_t child = fork();
    if (child == 0) {
        atexit(leave);
        atexit(reset_tty);
        (void)uva_run_with(&quiet, leave_by_exit, &pty.slave);
        _exit(1);
    }
    int status = -1;
    ck_assert_int_eq(waitpid(child, &status, 0), child);
    ck_assert(WIFEXITED(status));
    char seen;
    ck_assert_int_eq(read(pty.master, &seen, 1), 1);
    ck_assert_int_eq(seen, 'r'); /* it was raw */
    ck_assert(echoes(pty.master));
    close(pty.master);
    close(pty.slave);
}
END_TEST

/* ---- when it fails ------------------------------------------------------ */

static int fail_each(void *arg) {
    (void)arg;
    static const fault_t kinds[] = {FAULT_UV_TTY_INIT, FAULT_UV_FILENO};
    uva_stream_t *tty = NULL;
    for (size_t i = 0; i < 2; i++) {
        pty_t pty = open_pty();
        faults_fail(kinds[i], 1);
        ck_assert_int_eq(uva_tty_open(pty.slave, &tty), UV_ENOMEM);
        ck_assert_uint_eq(faults_clear(), 1);
        ck_assert_ptr_null(tty);
        ck_assert_int_eq(close(pty.slave), 0);
        close(pty.master);
    }
    pty_t pty = open_pty();
    int columns = 0;
    int rows = 0;
    ck_assert_int_eq(uva_tty_open(pty.slave, NULL), UV_EINVAL);
    ck_assert_int_eq(uva_tty_open(-1, &tty), UV_EBADF);
    ck_assert_int_eq(uva_tty_open(pty.slave, &tty), 0);
    ck_assert_int_eq(uva_tty_set_mode(tty, (uv_tty_mode_t)77), UV_EINVAL);
    ck_assert_int_eq(uva_tty_set_mode(NULL, UV_TTY_MODE_RAW), UV_EINVAL);
    faults_fail_with(FAULT_UV_TTY_SET_MODE, 1, UV_EIO);
    ck_assert_int_eq(uva_tty_set_mode(tty, UV_TTY_MODE_RAW), UV_EIO);
    ck_assert_int_eq(uva_tty_size(tty, NULL, &rows), UV_EINVAL);
    ck_assert_int_eq(uva_tty_size(tty, &columns, NULL), UV_EINVAL);
    ck_assert_int_eq(uva_tty_size(NULL, &columns, &rows), UV_EINVAL);
    faults_fail_with(FAULT_UV_TTY_GET_WINSIZE, 1, UV_EIO);
    ck_assert_int_eq(uva_tty_size(tty, &columns, &rows), UV_EIO);
    ck_assert_uint_eq(faults_clear(), 2);

    pair_t pair = open_pair();
    ck_assert_int_eq(uva_tty_set_mode(pair.near, UV_TTY_MODE_RAW), UV_ENOTTY);
    ck_assert_int_eq(uva_tty_size(pair.near, &columns, &rows), UV_ENOTTY);
    uva_stream_t *other = NULL;
    ck_assert_int_eq(uva_tty_open(uva__socket_of(pair.near)->fd, &other),
                     UV_ENOTTY);
    close_pair(&pair);
    uva_stream_close(tty);
    close(pty.master);
    return 0;
}

START_TEST(tty_calls_say_why_they_failed) {
    uva_stream_t *tty = NULL;
    run_clean(fail_each);
    ck_assert_int_eq(uva_tty_open(0, &tty), UV_EPERM);
}
END_TEST

SUITE("tty", tty_is_read_and_written, tty_that_is_full_parks_the_writer,
      tty_master_is_a_stream_too, tty_that_is_gone_is_a_code,
      tty_mode_is_set_and_set_back, tty_left_open_is_set_back,
      tty_is_set_back_at_exit, tty_calls_say_why_they_failed)
