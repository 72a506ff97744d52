/* labels: valgrind; timeout: 30 */
/* Files over streams, byte by byte: by the kernel and by hand, to slow readers
 * and ones that go, cut, shrinking, failing. */
#include "stream_fixture.h"
#include "support/program.h"

enum { FILE_BYTES = 5 * 1024 * 1024 };

/* A file of so many recognisable bytes, without a name. */
static int make_file(size_t bytes) {
    static char block[65536];
    char path[64];
    snprintf(path, sizeof path, "/tmp/uvawait.sendfile.%ld", (long)getpid());
    int fd = open(path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    ck_assert_int_ge(fd, 0);
    unlink(path);
    for (size_t at = 0; at < bytes; at += sizeof block) {
        size_t some = bytes - at < sizeof block ? bytes - at : sizeof block;
        make_bytes(block, at, some);
        ck_assert_int_eq(write(fd, block, some), (ssize_t)some);
    }
    return fd;
}

/* Reads to the end, which must come after so many bytes. */
typedef struct reader {
    uva_stream_t *stream;
    size_t from;
    size_t bytes;
    uint64_t pause_ms; /* after each piece */
} reader_t;

static int read_and_check(void *arg) {
    reader_t *self = arg;
    static char piece[100000];
    size_t got = 0;
    ssize_t some;
    while ((some = uva_read(self->stream, piece, sizeof piece)) > 0) {
        check_bytes(piece, self->from + got, (size_t)some);
        got += (size_t)some;
        if (self->pause_ms > 0)
            ck_assert_int_eq(uva_sleep(self->pause_ms), 0);
    }
    ck_assert_int_eq(some, UV_EOF);
    ck_assert_uint_eq(got, self->bytes);
    return 0;
}

/* Sends to ends[0] what a reader checks at ends[1]; closes both. */
static void send_and_check(uva_stream_t *ends[2], int fd, size_t from,
                           size_t asked, size_t expected, uint64_t pause_ms) {
    reader_t reader = {ends[1], from, expected, pause_ms};
    uva_task_t *task = uva_spawn(read_and_check, &reader);
    ck_assert_int_eq(uva_sendfile(ends[0], fd, (int64_t)from, asked),
                     (ssize_t)expected);
    uva_stream_close(ends[0]);
    ck_assert_int_eq(uva_await(task, NULL), 0);
    uva_stream_close(ends[1]);
}

static void open_tcp(uva_stream_t *ends[2]) {
    pair_t pair = open_pair();
    ends[0] = pair.near;
    ends[1] = pair.far;
}

/* ---- whole and in part -------------------------------------------------- */

static int send_over_tcp(void *arg) {
    (void)arg;
    uva_stream_t *ends[2];
    int fd = make_file(FILE_BYTES);
    ck_assert_int_eq(lseek(fd, 11, SEEK_SET), 11);
    open_tcp(ends);
    send_and_check(ends, fd, 0, FILE_BYTES, FILE_BYTES, 0);
    open_tcp(ends);
    send_and_check(ends, fd, 12345, 2000000, 2000000, 0);
    open_tcp(ends);
    send_and_check(ends, fd, FILE_BYTES - 10, SIZE_MAX, 10, 0);
    open_tcp(ends);
    send_and_check(ends, fd, FILE_BYTES + 10, 10, 0, 0);
    open_tcp(ends);
    send_and_check(ends, fd, 0, 0, 0, 0);
    ck_assert_int_eq(lseek(fd, 0, SEEK_CUR), 11);
    close(fd);
    return 0;
}

START_TEST(sendfile_over_tcp) {
    run_clean(send_over_tcp);
}
END_TEST

static int send_to_slow_reader(void *arg) {
    (void)arg;
    uva_stream_t *ends[2];
    int fd = make_file(FILE_BYTES);
    open_tcp(ends);
    ck_assert_int_gt(uva_stream_send_buffer(ends[0], 100000), 0);
    unsigned long starts = faults_calls(FAULT_UV_POLL_START);
    send_and_check(ends, fd, 0, FILE_BYTES, FILE_BYTES, 1);
    ck_assert_uint_gt(faults_calls(FAULT_UV_POLL_START), starts); /* waited */
    close(fd);
    return 0;
}

START_TEST(sendfile_waits_for_a_slow_reader) {
    run_clean(send_to_slow_reader);
}
END_TEST

static int send_in_memory(void *arg) {
    (void)arg;
    uva_stream_t *ends[2];
    int fd = make_file(FILE_BYTES);
    ck_assert_int_eq(uva_memory_stream_pair(NULL, ends), 0);
    send_and_check(ends, fd, 0, SIZE_MAX, FILE_BYTES, 0);
    ck_assert_int_eq(uva_memory_stream_pair(NULL, ends), 0);
    send_and_check(ends, fd, 777, 100000, 100000, 0);
    close(fd);
    return 0;
}

START_TEST(sendfile_over_memory) {
    run_clean(send_in_memory);
}
END_TEST

/* A Unix socket, a pipe, and a terminal, which the kernel does not send to. */
static int send_over_others(void *arg) {
    (void)arg;
    int fds[2];
    uva_stream_t *ends[2];
    int fd = make_file(300000);
    for (int way = 0; way < 2; way++) {
        ck_assert_int_eq(
            way == 0 ? socketpair(AF_UNIX, SOCK_STREAM, 0, fds) : pipe(fds), 0);
        ck_assert_int_eq(uva_stream_open_fd(fds[1], &ends[0]), 0);
        ck_assert_int_eq(uva_stream_open_fd(fds[0], &ends[1]), 0);
        send_and_check(ends, fd, 0, SIZE_MAX, 300000, 0);
    }
    int master = posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC);
    ck_assert_int_ge(master, 0);
    ck_assert_int_eq(grantpt(master), 0);
    ck_assert_int_eq(unlockpt(master), 0);
    int slave = open(ptsname(master), O_RDWR | O_NOCTTY | O_CLOEXEC);
    char shown[200];
    ck_assert_int_eq(uva_tty_open(slave, &ends[0]), 0);
    ck_assert_int_eq(uva_tty_set_mode(ends[0], UV_TTY_MODE_IO), 0);
    ck_assert_int_eq(uva_sendfile(ends[0], fd, 5, 100), 100);
    ck_assert_int_eq(read(master, shown, sizeof shown), 100);
    check_bytes(shown, 5, 100);
    uva_stream_close(ends[0]);
    close(master);
    close(fd);
    return 0;
}

START_TEST(sendfile_over_other_descriptors) {
    run_clean(send_over_others);
}
END_TEST

/* ---- when it does not go well ------------------------------------------- */

typedef struct sending {
    uva_stream_t *stream;
    int fd;
    ssize_t sent;
} sending_t;

static int send_all(void *arg) {
    sending_t *sending = arg;
    sending->sent = uva_sendfile(sending->stream, sending->fd, 0, SIZE_MAX);
    return 0;
}

/* The socket is full, and by when there is room again the file is shorter. */
static int send_shrinking(void *arg) {
    (void)arg;
    raw_t raw = open_raw();
    sending_t sending = {raw.stream, make_file(FILE_BYTES), 0};
    shrink(uva_stream_fileno(raw.stream));
    uva_task_t *task = uva_spawn(send_all, &sending);
    ck_assert_int_eq(uva_sleep(3), 0);
    ck_assert_int_eq(ftruncate(sending.fd, 1000), 0);
    size_t drained = 0;
    while (uva_status(task) == UV_EAGAIN) {
        drained += drain(raw.fd);
        ck_assert_int_eq(uva_sleep(1), 0);
    }
    ck_assert_int_eq(uva_await(task, NULL), 0);
    drained += drain(raw.fd);
    ck_assert_uint_gt(drained, 0);
    ck_assert_uint_lt(drained, FILE_BYTES);
    ck_assert_int_eq(sending.sent, (ssize_t)drained);
    /* It may go on: nothing is cut in two that the caller does not know of. */
    ck_assert_int_eq(uva_write(raw.stream, "x", 1), 1);
    close_raw(&raw);

    /* Asked for more than there is. */
    uva_stream_t *ends[2];
    open_tcp(ends);
    send_and_check(ends, sending.fd, 0, 5000, 1000, 0);
    close(sending.fd);
    return 0;
}

START_TEST(sendfile_of_a_file_that_shrinks_says_how_much) {
    run_clean(send_shrinking);
}
END_TEST

/* A peer that resets, also when the host takes SIGPIPE by default. */
static int send_to_nobody(void *arg) {
    (void)arg;
    sending_t sending = {.fd = make_file(FILE_BYTES)};
    raw_t raw = open_raw();
    sending.stream = raw.stream;
    shrink(uva_stream_fileno(raw.stream));
    uva_task_t *task = uva_spawn(send_all, &sending);
    ck_assert_int_eq(uva_sleep(3), 0);
    ck_assert_int_eq(uva_sendfile(raw.stream, sending.fd, 0, 1), UV_EBUSY);
    ck_assert_int_eq(uva_write(raw.stream, "x", 1), UV_EBUSY);
    ck_assert_int_eq(uva_shutdown(raw.stream), UV_EBUSY);
    raw_reset(&raw.fd);
    ck_assert_int_eq(uva_await(task, NULL), 0);
    ck_assert(sending.sent == UV_ECONNRESET || sending.sent == UV_EPIPE);
    ck_assert_int_eq(uva_sendfile(raw.stream, sending.fd, 0, 1), UV_EPIPE);
    ck_assert_int_eq(uva_write(raw.stream, "x", 1), UV_EPIPE);
    close_raw(&raw);

    /* One that is gone at the first byte. */
    raw = open_raw();
    raw_reset(&raw.fd);
    ck_assert_int_eq(uva_sleep(1), 0);
    ssize_t first = uva_sendfile(raw.stream, sending.fd, 0, 9);
    ck_assert(first == UV_ECONNRESET || first == UV_EPIPE);
    ck_assert_int_eq(uva_sendfile(raw.stream, sending.fd, 0, 9), UV_EPIPE);
    close_raw(&raw);
    close(sending.fd);
    return 0;
}

START_TEST(sendfile_to_a_peer_that_resets_is_a_code) {
    run_clean(send_to_nobody);
}
END_TEST

/* Cut while it waits, closed while it waits. */
static int cut_sending(void *arg) {
    (void)arg;
    sending_t sending = {.fd = make_file(FILE_BYTES)};
    raw_t raw = open_raw();
    sending.stream = raw.stream;
    shrink(uva_stream_fileno(raw.stream));
    uva_task_t *task = uva_spawn(send_all, &sending);
    ck_assert_int_eq(uva_sleep(3), 0);
    ck_assert_int_eq(uva_cancel_and_wait(task), 0);
    ck_assert_int_eq(sending.sent, UV_ECANCELED);
    ck_assert_int_eq(uva_write(raw.stream, "x", 1), UV_EPIPE);
    close_raw(&raw);

    for (int way = 0; way < 2; way++) {
        uva_stream_t *ends[2];
        if (way == 0)
            open_tcp(ends);
        else
            ck_assert_int_eq(uva_memory_stream_pair(NULL, ends), 0);
        sending.stream = ends[0];
        task = uva_spawn(send_all, &sending);
        ck_assert_int_eq(uva_sleep(3), 0);
        uva_stream_close(ends[0]);
        ck_assert_int_eq(uva_await(task, NULL), 0);
        ck_assert_int_eq(sending.sent, UV_ECANCELED);
        uva_stream_close(ends[1]);
    }

    /* Before the first byte: nothing has happened. */
    int fds[2];
    uva_stream_t *near = NULL;
    ck_assert_int_eq(socketpair(AF_UNIX, SOCK_STREAM, 0, fds), 0);
    ck_assert_int_eq(uva_stream_open_fd(fds[0], &near), 0);
    (void)fill(fds[0]);
    uva_scope_t scope;
    uva_scope_open(&scope, 2, 0);
    ck_assert_int_eq(uva_sendfile(near, sending.fd, 0, 9), UV_ECANCELED);
    ck_assert_int_eq(uva_scope_close(&scope), UV_ETIMEDOUT);
    (void)drain(fds[1]);
    ck_assert_int_eq(uva_write(near, "x", 1), 1);
    uva_stream_close(near);
    close(fds[1]);
    close(sending.fd);
    return 0;
}

START_TEST(sendfile_that_is_cut_breaks_the_stream_as_a_write) {
    run_clean(cut_sending);
}
END_TEST

static int send_badly(void *arg) {
    (void)arg;
    int fds[2];
    uva_stream_t *ends[2];
    int fd = make_file(10);
    int directory = open("/", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    ck_assert_int_eq(pipe(fds), 0);
    for (int way = 0; way < 2; way++) {
        if (way == 0)
            open_tcp(ends);
        else
            ck_assert_int_eq(uva_memory_stream_pair(NULL, ends), 0);
        ck_assert_int_eq(uva_sendfile(ends[0], fd, -1, 1), UV_EINVAL);
        ck_assert_int_eq(uva_sendfile(ends[0], -1, 0, 1), UV_EBADF);
        ck_assert_int_eq(uva_sendfile(ends[0], fds[0], 0, 1), UV_ESPIPE);
        ck_assert_int_eq(uva_sendfile(ends[0], directory, 0, 1), UV_EISDIR);
        ck_assert_int_eq(uva_sendfile(NULL, fd, 0, 1), UV_EINVAL);
        /* None of them wrote a byte, or made an end of reading. */
        if (way == 0) {
            char byte;
            ck_assert_int_eq(uva_shutdown(ends[1]), 0);
            ck_assert_int_eq(uva_read(ends[0], &byte, 1), UV_EOF);
        }
        send_and_check(ends, fd, 0, 10, 10, 0);
    }
    close(fds[0]);
    close(fds[1]);
    close(directory);
    close(fd);
    return 0;
}

START_TEST(sendfile_says_what_is_wrong_with_the_file) {
    run_clean(send_badly);
    ck_assert_int_eq(uva_sendfile(NULL, 0, 0, 1), UV_EPERM);
}
END_TEST

/* The file fails before the first byte, and behind some. */
static int fail_each(void *arg) {
    (void)arg;
    uva_stream_t *ends[2];
    int fd = make_file(200000);
    uva_memory_stream_options_t options = {.capacity = 1000000};
    enum { LAST_PIECE = 4 }; /* of 64 KiB */
    static const fault_t kinds[] = {FAULT_MALLOC, FAULT_UV_FS_READ};
    for (size_t i = 0; i < sizeof kinds / sizeof kinds[0]; i++) {
        bool is_hit = true;
        for (unsigned long nth = 1; is_hit; nth++) {
            ck_assert_int_eq(uva_memory_stream_pair(&options, ends), 0);
            faults_fail(kinds[i], nth);
            ssize_t sent = uva_sendfile(ends[0], fd, 0, SIZE_MAX);
            is_hit = faults_clear() > 0;
            ck_assert_int_eq(sent, is_hit ? UV_ENOMEM : 200000);
            ssize_t after = uva_write(ends[0], "x", 1);
            if (!is_hit || nth == 1) /* nothing was written yet */
                ck_assert_int_eq(after, 1);
            if (is_hit && nth == LAST_PIECE && kinds[i] == FAULT_UV_FS_READ)
                ck_assert_int_eq(after, UV_EPIPE);
            ck_assert(is_hit || nth > LAST_PIECE);
            uva_stream_close(ends[0]);
            uva_stream_close(ends[1]);
        }
    }
    close(fd);
    return 0;
}

START_TEST(sendfile_that_fails_on_the_way_breaks_the_stream) {
    run_clean(fail_each);
}
END_TEST

SUITE("sendfile", sendfile_over_tcp, sendfile_waits_for_a_slow_reader,
      sendfile_over_memory, sendfile_over_other_descriptors,
      sendfile_of_a_file_that_shrinks_says_how_much,
      sendfile_to_a_peer_that_resets_is_a_code,
      sendfile_that_is_cut_breaks_the_stream_as_a_write,
      sendfile_says_what_is_wrong_with_the_file,
      sendfile_that_fails_on_the_way_breaks_the_stream)
