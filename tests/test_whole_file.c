/* labels: valgrind; timeout: 30 */
/* Whole files: what is read is all of it, and a replacement is the old bytes or
 * the new ones, whatever fails. */
#include "fs_fixture.h"

#include <signal.h>
#include <sys/resource.h>

/* How many entries the place has. */
static int count_entries(void) {
    uv_dirent_t *entries = NULL;
    int count = (int)uva_fs_scandir(".", &entries);
    ck_assert_int_ge(count, 0);
    free(entries);
    return count;
}

/* ---- reading ------------------------------------------------------------ */

static int read_files(void *arg) {
    (void)arg;
    char *data = NULL;
    size_t bytes = 77;
    make_file("file", "some text");
    ck_assert_int_eq(uva_read_file("file", &data, &bytes), 0);
    ck_assert_uint_eq(bytes, 9);
    ck_assert_str_eq(data, "some text");
    free(data);
    ck_assert_int_eq(uva_read_file("file", &data, NULL), 0);
    free(data);
    make_file("file", "");
    ck_assert_int_eq(uva_read_file("file", &data, &bytes), 0);
    ck_assert_uint_eq(bytes, 0);
    ck_assert_str_eq(data, "");
    free(data);
    data = NULL;
    ck_assert_int_eq(uva_read_file("none", &data, &bytes), UV_ENOENT);
    ck_assert_int_eq(uva_read_file(".", &data, &bytes), UV_EISDIR);
    ck_assert_int_eq(uva_read_file(NULL, &data, &bytes), UV_EINVAL);
    ck_assert_int_eq(uva_read_file("file", NULL, &bytes), UV_EINVAL);
    ck_assert_ptr_null(data);
    ck_assert_uint_eq(bytes, 0);
    return uva_fs_unlink("file");
}

START_TEST(whole_file_is_read) {
    run_in_place(read_files);
}
END_TEST

/* Files that say they have no bytes: /proc, and a pipe by its name. */
static int read_odd(void *arg) {
    static char much[100000];
    char *data = NULL;
    size_t bytes = 0;
    int ends[2];
    char name[32];
    (void)arg;
    ck_assert_int_eq(uva_read_file("/proc/self/status", &data, &bytes), 0);
    ck_assert_uint_gt(bytes, 100);
    ck_assert_uint_eq(strlen(data), bytes);
    free(data);
    ck_assert_int_eq(pipe(ends), 0);
    ck_assert_int_ge(fcntl(ends[1], F_SETPIPE_SZ, sizeof much), 0);
    memset(much, 'm', sizeof much);
    ck_assert_int_eq(write(ends[1], much, sizeof much), sizeof much);
    close(ends[1]);
    snprintf(name, sizeof name, "/dev/fd/%d", ends[0]);
    ck_assert_int_eq(uva_read_file(name, &data, &bytes), 0);
    ck_assert_uint_eq(bytes, sizeof much);
    ck_assert_mem_eq(data, much, sizeof much);
    free(data);
    close(ends[0]);
    return 0;
}

START_TEST(whole_file_without_a_length_is_read) {
    run_clean(read_odd);
}
END_TEST

static int read_limited(void *arg) {
    (void)arg;
    char *data = NULL;
    size_t bytes = 0;
    make_file("file", "12345");
    ck_assert_int_eq(uva_read_file_limited("file", 5, &data, &bytes), 0);
    ck_assert_str_eq(data, "12345");
    free(data);
    data = NULL;
    ck_assert_int_eq(uva_read_file_limited("file", 4, &data, &bytes), UV_EFBIG);
    ck_assert_int_eq(uva_read_file_limited("/dev/zero", 1000, &data, &bytes),
                     UV_EFBIG);
    ck_assert_int_eq(
        uva_read_file_limited("/proc/self/status", 0, &data, &bytes), UV_EFBIG);
    ck_assert_ptr_null(data);
    ck_assert_int_eq(uva_read_file_limited("/dev/null", 0, &data, &bytes), 0);
    ck_assert_str_eq(data, "");
    free(data);
    return uva_fs_unlink("file");
}

START_TEST(whole_file_has_a_limit) {
    run_in_place(read_limited);
}
END_TEST

/* ---- writing ------------------------------------------------------------ */

static int write_files(void *arg) {
    (void)arg;
    ck_assert_int_eq(uva_write_file("file", "new", 3), 0);
    expect_file("file", "new");
    ck_assert_int_eq(uva_write_file("file", "x", 1), 0);
    expect_file("file", "x");
    ck_assert_int_eq(uva_write_file("file", NULL, 0), 0);
    expect_file("file", "");
    ck_assert_int_eq(uva_write_file("/dev/full", "x", 1), UV_ENOSPC);
    ck_assert_int_eq(uva_write_file("none/file", "x", 1), UV_ENOENT);
    ck_assert_int_eq(uva_write_file("file", NULL, 1), UV_EINVAL);
    ck_assert_int_eq(uva_write_file(NULL, "x", 1), UV_EINVAL);
    return uva_fs_unlink("file");
}

START_TEST(whole_file_is_written) {
    run_in_place(write_files);
}
END_TEST

/* ---- replacing ---------------------------------------------------------- */

static int replace_files(void *arg) {
    (void)arg;
    uv_stat_t info;
    uv_stat_t later;
    mode_t mask = umask(027);
    ck_assert_int_eq(uva_replace_file("file", "first", 5), 0);
    umask(mask);
    expect_file("file", "first");
    ck_assert_int_eq(uva_fs_stat("file", &info), 0);
    ck_assert_uint_eq(info.st_mode & 0777, 0640);
    ck_assert_int_eq(uva_fs_chmod("file", 0606), 0);
    ck_assert_int_eq(uva_replace_file("./file", "second", 6), 0);
    expect_file("file", "second");
    ck_assert_int_eq(uva_fs_stat("file", &later), 0);
    ck_assert_uint_eq(later.st_mode & 0777, 0606);
    ck_assert_uint_ne(later.st_ino, info.st_ino);
    /* By a link: it stays one. */
    ck_assert_int_eq(uva_fs_mkdir("sub", 0700), 0);
    ck_assert_int_eq(uva_fs_symlink("../file", "sub/soft", 0), 0);
    ck_assert_int_eq(uva_replace_file("sub/soft", "third", 5), 0);
    expect_file("file", "third");
    ck_assert_int_eq(uva_fs_lstat("sub/soft", &info), 0);
    ck_assert(S_ISLNK(info.st_mode));
    ck_assert_int_eq(uva_fs_unlink("sub/soft"), 0);
    ck_assert_int_eq(uva_fs_rmdir("sub"), 0);
    ck_assert_int_eq(count_entries(), 1);
    return uva_fs_unlink("file");
}

START_TEST(whole_file_is_replaced) {
    run_in_place(replace_files);
}
END_TEST

static int replace_nothing(void *arg) {
    (void)arg;
    ck_assert_int_eq(uva_fs_mkdir("sub", 0700), 0);
    ck_assert_int_eq(uva_replace_file("sub", "x", 1), UV_EISDIR);
    ck_assert_int_eq(uva_replace_file("/dev/null", "x", 1), UV_EINVAL);
    ck_assert_int_eq(uva_replace_file("none/file", "x", 1), UV_ENOENT);
    ck_assert_int_eq(uva_replace_file(NULL, "x", 1), UV_EINVAL);
    ck_assert_int_eq(uva_replace_file("", "x", 1), UV_ENOENT);
    make_file("file", "old");
    ck_assert_int_eq(uva_replace_file("file/x", "x", 1), UV_ENOTDIR);
    expect_file("file", "old");
    ck_assert_int_eq(uva_fs_unlink("file"), 0);
    return uva_fs_rmdir("sub");
}

START_TEST(whole_file_replaces_files_only) {
    run_in_place(replace_nothing);
}
END_TEST

/* A device that is full, in the middle of it: more than it may hold, by the
 * limit of a file's size. */
static int replace_too_big(void *arg) {
    (void)arg;
    static char much[100000];
    struct rlimit limit;
    struct rlimit small;
    ck_assert_int_eq(getrlimit(RLIMIT_FSIZE, &limit), 0);
    make_file("file", "old");
    small = limit;
    small.rlim_cur = 50000;
    signal(SIGXFSZ, SIG_IGN);
    ck_assert_int_eq(setrlimit(RLIMIT_FSIZE, &small), 0);
    ck_assert_int_eq(uva_replace_file("file", much, sizeof much), UV_EFBIG);
    ck_assert_int_eq(uva_write_file("other", much, sizeof much), UV_EFBIG);
    ck_assert_int_eq(setrlimit(RLIMIT_FSIZE, &limit), 0);
    expect_file("file", "old");
    ck_assert_int_eq(count_entries(), 2);
    ck_assert_int_eq(uva_fs_unlink("other"), 0);
    return uva_fs_unlink("file");
}

START_TEST(whole_file_too_big_leaves_the_old_one) {
    run_in_place(replace_too_big);
}
END_TEST

/* ---- cancellation ------------------------------------------------------- */

static int write_one(void *arg) {
    return uva_write_file(arg, "x", 1);
}

static int cancel_queued(void *arg) {
    (void)arg;
    holder_t holder;
    hold_pool(&holder);
    uva_task_t *writer = uva_spawn(write_one, "file");
    ck_assert_int_eq(uva_yield(), 0);
    ck_assert(uva_cancel(writer));
    ck_assert_int_eq(uva_await(writer, NULL), UV_ECANCELED);
    release_pool(&holder);
    ck_assert(!exists("file"));
    return 0;
}

START_TEST(whole_file_cancelled_in_the_queue_has_no_effect) {
    use_one_thread();
    run_in_place(cancel_queued);
}
END_TEST

static int read_fifo(void *arg) {
    char *data = NULL;
    int code = uva_read_file(arg, &data, NULL);
    record("%d %s", code, data);
    free(data);
    return uva_sleep(0);
}

/* Who opens a fifo for reading waits until somebody writes; a writer that does
 * not wait is let in as soon as he is there. */
static int cancel_running(void *arg) {
    (void)arg;
    int fd;
    ck_assert_int_eq(mkfifo("fifo", 0600), 0);
    uva_task_t *reader = uva_spawn(read_fifo, "fifo");
    while ((fd = open("fifo", O_WRONLY | O_NONBLOCK)) < 0)
        ck_assert_int_eq(uva_yield(), 0);
    ck_assert(uva_cancel(reader));
    ck_assert_int_eq(uva_yield(), 0);
    ck_assert(!uva_is_done(reader));
    ck_assert_int_eq(write(fd, "late", 4), 4);
    close(fd);
    ck_assert_int_eq(uva_await(reader, NULL), UV_ECANCELED);
    ck_expect_record("0 late");
    return uva_fs_unlink("fifo");
}

START_TEST(whole_file_cancelled_while_running_is_read) {
    run_in_place(cancel_running);
}
END_TEST

/* ---- a pipe ------------------------------------------------------------- */

static int write_much(void *arg) {
    static const char much[1 << 20];
    return uva_write_file(arg, much, sizeof much);
}

/* Who reads it goes while the job writes: a code, and no SIGPIPE, in a host
 * that did not think of it. */
static int lose_the_reader(void *arg) {
    int ends[2];
    char path[64];
    (void)arg;
    ck_assert(signal(SIGPIPE, SIG_DFL) != SIG_ERR);
    ck_assert_int_eq(pipe2(ends, O_CLOEXEC), 0);
    (void)snprintf(path, sizeof path, "/proc/self/fd/%d", ends[1]);
    uva_task_t *writer = uva_spawn(write_much, path);
    ck_assert_int_eq(uva_poll_fd(ends[0], UV_READABLE, UVA_FOREVER),
                     UV_READABLE);
    close(ends[0]);
    close(ends[1]);
    ck_assert_int_eq(uva_await(writer, NULL), UV_EPIPE);
    return 0;
}

START_TEST(whole_file_raises_no_sigpipe) {
    run_clean(lose_the_reader);
}
END_TEST

/* ---- faults ------------------------------------------------------------- */

typedef struct trial {
    uva_fn live;
    fault_t kind;
    unsigned long nth;
    bool replaces; /* "file" has "old" or, after success, "new" */
    bool is_over;
} trial_t;

static int live_reading(void *arg) {
    (void)arg;
    char *data = NULL;
    int code = uva_read_file("file", &data, NULL);
    ck_assert((code == 0) == (data != NULL));
    free(data);
    return code;
}

static int live_writing(void *arg) {
    (void)arg;
    return uva_write_file("file", "new", 3);
}

static int live_replacing(void *arg) {
    (void)arg;
    return uva_replace_file("file", "new", 3);
}

/* What may fail: to give a file away is tried, not asked for. */
static bool may_pass(const trial_t *trial) {
    return trial->kind == FAULT_UV_FS_FCHOWN;
}

static int try_once(void *arg) {
    trial_t *trial = arg;
    make_file("file", "old");
    faults_fail_with(trial->kind, trial->nth, UV_EIO);
    int code = trial->live(NULL);
    trial->is_over = faults_clear() == 0;
    ck_assert_int_eq(count_entries(), 1);
    if (trial->is_over || (code == 0 && may_pass(trial)))
        ck_assert_int_eq(code, 0);
    else
        ck_assert_msg(code == UV_EIO || code == UV_ENOMEM, "%s %lu: %d",
                      faults_name(trial->kind), trial->nth, code);
    if (trial->replaces) {
        bool is_last = trial->kind == FAULT_UV_FS_FSYNC && trial->nth == 2;
        expect_file("file", code == 0 || is_last ? "new" : "old");
    }
    return trial->live(NULL);
}

static void try_each(uva_fn live, fault_t kind, unsigned long least) {
    trial_t trial = {
        .live = live, .kind = kind, .replaces = live == live_replacing};
    while (!trial.is_over) {
        trial.nth++;
        ck_assert_int_eq(uva_run_with(&quiet, try_once, &trial), 0);
        ck_assert_str_eq(support_reports(), "");
    }
    ck_assert_msg(trial.nth > least, "%s: %lu calls", faults_name(kind),
                  trial.nth - 1);
}

START_TEST(whole_file_faults_are_survived) {
    place_t place = enter_place();
    make_file("file", "old");
    try_each(live_reading, FAULT_UV_QUEUE_WORK, 1);
    try_each(live_reading, FAULT_UV_FS_OPEN, 1);
    try_each(live_reading, FAULT_UV_FS_FSTAT, 1);
    try_each(live_reading, FAULT_UV_FS_READ, 1);
    try_each(live_reading, FAULT_REALLOC, 1);
    try_each(live_reading, FAULT_MALLOC, 1);
    try_each(live_writing, FAULT_UV_QUEUE_WORK, 1);
    try_each(live_writing, FAULT_UV_FS_OPEN, 1);
    try_each(live_writing, FAULT_UV_FS_WRITE, 1);
    try_each(live_replacing, FAULT_UV_QUEUE_WORK, 1);
    try_each(live_replacing, FAULT_UV_FS_REALPATH, 1);
    try_each(live_replacing, FAULT_UV_FS_STAT, 1);
    try_each(live_replacing, FAULT_UV_FS_OPEN, 2);
    try_each(live_replacing, FAULT_UV_RANDOM, 1);
    try_each(live_replacing, FAULT_UV_FS_FCHOWN, 1);
    try_each(live_replacing, FAULT_UV_FS_FCHMOD, 1);
    try_each(live_replacing, FAULT_UV_FS_WRITE, 1);
    try_each(live_replacing, FAULT_UV_FS_FSYNC, 2);
    try_each(live_replacing, FAULT_UV_FS_RENAME, 1);
    try_each(live_replacing, FAULT_STRNDUP, 1);
    try_each(live_replacing, FAULT_MALLOC, 2);
    ck_assert_int_eq(unlink("file"), 0);
    leave_place(&place);
}
END_TEST

/* A name that is taken: the next one is tried. */
static int collide(void *arg) {
    (void)arg;
    make_file("file", "old");
    faults_fail_with(FAULT_UV_FS_OPEN, 2, UV_EEXIST);
    ck_assert_int_eq(uva_replace_file("file", "new", 3), 0);
    ck_assert_uint_eq(faults_clear(), 1);
    expect_file("file", "new");
    /* A file system that cannot hand over a directory. */
    faults_fail_with(FAULT_UV_FS_FSYNC, 2, UV_EINVAL);
    ck_assert_int_eq(uva_replace_file("file", "newer", 5), 0);
    ck_assert_uint_eq(faults_clear(), 1);
    ck_assert_int_eq(count_entries(), 1);
    return uva_fs_unlink("file");
}

START_TEST(whole_file_finds_a_free_name) {
    run_in_place(collide);
}
END_TEST

START_TEST(whole_file_outside_a_task_is_refused) {
    char *data = NULL;
    ck_assert_int_eq(uva_read_file("file", &data, NULL), UV_EPERM);
    ck_assert_int_eq(uva_write_file("file", "x", 1), UV_EPERM);
    ck_assert_int_eq(uva_replace_file("file", "x", 1), UV_EPERM);
}
END_TEST

SUITE("whole_file", whole_file_is_read, whole_file_without_a_length_is_read,
      whole_file_has_a_limit, whole_file_is_written, whole_file_is_replaced,
      whole_file_replaces_files_only, whole_file_too_big_leaves_the_old_one,
      whole_file_cancelled_in_the_queue_has_no_effect,
      whole_file_cancelled_while_running_is_read,
      whole_file_faults_are_survived, whole_file_finds_a_free_name,
      whole_file_outside_a_task_is_refused, whole_file_raises_no_sigpipe)
