/* labels: valgrind; timeout: 30; libs: m */
/* Files: each of libuv's operations does what the system does, and R6 holds:
 * it took effect or it returned an error. */
#include "fs_fixture.h"

#include <limits.h>
#include <math.h>
#include <sys/mman.h>

#define KIB ((size_t)1024)
#define GIB (1024 * 1024 * (int64_t)1024)
#define SIX \
    "XX" \
    "XX" \
    "XX"
#define MOST_FEW 64

/* ---- the list is complete ----------------------------------------------- */

/* The function for each kind of request. There is no default, so a libuv with
 * a kind that is not here does not compile (-Wswitch). */
#define OF(fn) (void (*)(void)) fn
#define CASE(type, fn) \
    case type: \
        return OF(fn)
static void (*function_of(uv_fs_type type))(void) {
    switch (type) {
    case UV_FS_UNKNOWN:
    case UV_FS_CUSTOM:
        return NULL;
        CASE(UV_FS_OPEN, uva_fs_open);
        CASE(UV_FS_CLOSE, uva_fs_close);
        CASE(UV_FS_READ, uva_fs_read);
        CASE(UV_FS_WRITE, uva_fs_write);
        CASE(UV_FS_SENDFILE, uva_fs_sendfile);
        CASE(UV_FS_STAT, uva_fs_stat);
        CASE(UV_FS_LSTAT, uva_fs_lstat);
        CASE(UV_FS_FSTAT, uva_fs_fstat);
        CASE(UV_FS_FTRUNCATE, uva_fs_ftruncate);
        CASE(UV_FS_UTIME, uva_fs_utime);
        CASE(UV_FS_FUTIME, uva_fs_futime);
        CASE(UV_FS_ACCESS, uva_fs_access);
        CASE(UV_FS_CHMOD, uva_fs_chmod);
        CASE(UV_FS_FCHMOD, uva_fs_fchmod);
        CASE(UV_FS_FSYNC, uva_fs_fsync);
        CASE(UV_FS_FDATASYNC, uva_fs_fdatasync);
        CASE(UV_FS_UNLINK, uva_fs_unlink);
        CASE(UV_FS_RMDIR, uva_fs_rmdir);
        CASE(UV_FS_MKDIR, uva_fs_mkdir);
        CASE(UV_FS_MKDTEMP, uva_fs_mkdtemp);
        CASE(UV_FS_RENAME, uva_fs_rename);
        CASE(UV_FS_SCANDIR, uva_fs_scandir);
        CASE(UV_FS_LINK, uva_fs_link);
        CASE(UV_FS_SYMLINK, uva_fs_symlink);
        CASE(UV_FS_READLINK, uva_fs_readlink);
        CASE(UV_FS_CHOWN, uva_fs_chown);
        CASE(UV_FS_FCHOWN, uva_fs_fchown);
        CASE(UV_FS_REALPATH, uva_fs_realpath);
        CASE(UV_FS_COPYFILE, uva_fs_copyfile);
        CASE(UV_FS_LCHOWN, uva_fs_lchown);
        CASE(UV_FS_OPENDIR, uva_dir_open_at);
        CASE(UV_FS_READDIR, uva_dir_next);
        CASE(UV_FS_CLOSEDIR, uva_dir_close);
        CASE(UV_FS_STATFS, uva_fs_statfs);
        CASE(UV_FS_MKSTEMP, uva_fs_mkstemp);
        CASE(UV_FS_LUTIME, uva_fs_lutime);
    }
    return NULL;
}

START_TEST(fs_covers_every_operation) {
    for (int type = UV_FS_OPEN; type <= UV_FS_LUTIME; type++)
        ck_assert_msg(function_of((uv_fs_type)type) != NULL, "%d", type);
}
END_TEST

/* ---- bytes -------------------------------------------------------------- */

static int read_and_write(void *arg) {
    (void)arg;
    char text[16] = "";
    int fd = uva_fs_open("file", O_RDWR | O_CREAT | O_EXCL, 0640);
    ck_assert_int_ge(fd, 0);
    ck_assert_int_eq(fcntl(fd, F_GETFD) & FD_CLOEXEC, FD_CLOEXEC);
    ck_assert_int_eq(uva_fs_write(fd, "abcdef", 6, -1), 6);
    ck_assert_int_eq(uva_fs_write(fd, "XY", 2, 2), 2);
    ck_assert_int_eq(uva_fs_read(fd, text, sizeof text, 0), 6);
    ck_assert_str_eq(text, "abXYef");
    ck_assert_int_eq(uva_fs_read(fd, text, sizeof text, -1), 0);
    ck_assert_int_eq(uva_fs_read(fd, text, 0, 0), 0);
    ck_assert_int_eq(uva_fs_ftruncate(fd, 3), 0);
    ck_assert_int_eq(uva_fs_fsync(fd), 0);
    ck_assert_int_eq(uva_fs_fdatasync(fd), 0);
    ck_assert_int_eq(uva_fs_close(fd), 0);
    ck_assert_int_eq(uva_fs_close(fd), UV_EBADF);
    ck_assert_int_eq(uva_fs_read(fd, text, 1, 0), UV_EBADF);
    expect_file("file", "abX");
    ck_assert_int_eq(uva_fs_open("file", O_RDWR | O_CREAT | O_EXCL, 0640),
                     UV_EEXIST);
    ck_assert_int_eq(uva_fs_unlink("file"), 0);
    return 0;
}

START_TEST(fs_reads_and_writes_at_positions) {
    run_in_place(read_and_write);
}
END_TEST

static int scatter(void *arg) {
    (void)arg;
    char bytes[3000];
    char back[3000];
    uv_buf_t parts[3000];
    for (size_t i = 0; i < sizeof bytes; i++) {
        bytes[i] = (char)('a' + i % 26);
        parts[i] = uv_buf_init(&bytes[i], 1);
    }
    int fd = uva_fs_open("file", O_RDWR | O_CREAT, 0600);
    ck_assert_int_ge(fd, 0);
    /* More than the system takes at once (1024): libuv goes on. */
    ck_assert_int_eq(uva_fs_writev(fd, parts, 3000, 0), 3000);
    for (size_t i = 0; i < sizeof back; i++)
        parts[i] = uv_buf_init(&back[i], 1);
    ck_assert_int_eq(uva_fs_readv(fd, parts, 1000, 0), 1000);
    ck_assert_int_eq(uva_fs_readv(fd, parts + 1000, 2, 2999), 1);
    ck_assert_mem_eq(back, bytes, 1000);
    ck_assert_int_eq(back[1000], bytes[2999]);
    ck_assert_int_eq(uva_fs_readv(fd, parts, 0, 0), UV_EINVAL);
    ck_assert_int_eq(uva_fs_writev(fd, NULL, 1, 0), UV_EINVAL);
    ck_assert_int_eq(uva_fs_close(fd), 0);
    return uva_fs_unlink("file");
}

START_TEST(fs_scatters_and_gathers) {
    run_in_place(scatter);
}
END_TEST

/* 5 GiB: the position is 64 bits, through and through. */
static int far_out(void *arg) {
    (void)arg;
    char text[8] = "";
    uv_stat_t info;
    int fd = uva_fs_open("file", O_RDWR | O_CREAT, 0600);
    ck_assert_int_ge(fd, 0);
    ck_assert_int_eq(uva_fs_write(fd, "far", 3, 5 * GIB), 3);
    ck_assert_int_eq(uva_fs_fstat(fd, &info), 0);
    ck_assert_uint_eq(info.st_size, (uint64_t)(5 * GIB) + 3);
    ck_assert_int_eq(uva_fs_read(fd, text, sizeof text, 5 * GIB + 1), 2);
    ck_assert_str_eq(text, "ar");
    ck_assert_int_eq(uva_fs_ftruncate(fd, 6 * GIB), 0);
    ck_assert_int_eq(uva_fs_stat("file", &info), 0);
    ck_assert_uint_eq(info.st_size, (uint64_t)(6 * GIB));
    int copy = uva_fs_open("copy", O_RDWR | O_CREAT, 0600);
    ck_assert_int_eq(uva_fs_sendfile(copy, fd, 5 * GIB, 3), 3);
    ck_assert_int_eq(uva_fs_close(copy), 0);
    expect_file("copy", "far");
    ck_assert_int_eq(uva_fs_close(fd), 0);
    ck_assert_int_eq(uva_fs_unlink("copy"), 0);
    return uva_fs_unlink("file");
}

START_TEST(fs_positions_are_64_bit) {
    run_in_place(far_out);
}
END_TEST

/* Lengths beyond INT_MAX, of memory that is never touched. */
static int great_lengths(void *arg) {
    (void)arg;
    size_t bytes = (size_t)(5 * GIB);
    char *great = mmap(NULL, bytes, PROT_READ | PROT_WRITE,
                       MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    ck_assert_ptr_ne(great, MAP_FAILED);
    int fd = uva_fs_open("/dev/null", O_RDWR, 0);
    ck_assert_int_ge(fd, 0);
    ck_assert_int_eq(uva_fs_write(fd, great, bytes, -1), (ssize_t)bytes);
    ck_assert_int_eq(uva_fs_read(fd, great, bytes, -1), 0);
    ck_assert_int_eq(uva_fs_write(fd, great, SIZE_MAX, -1), UV_EINVAL);
    ck_assert_int_eq(uva_fs_close(fd), 0);
    make_file("file", "short");
    fd = uva_fs_open("file", O_RDONLY, 0);
    ck_assert_int_eq(uva_fs_read(fd, great, bytes, -1), 5);
    ck_assert_int_eq(uva_fs_close(fd), 0);
    ck_assert_int_eq(munmap(great, bytes), 0);
    return uva_fs_unlink("file");
}

START_TEST(fs_lengths_are_64_bit) {
#ifdef __SANITIZE_THREAD__
    SKIP("ThreadSanitizer looks at every byte");
#endif
    run_in_place(great_lengths);
}
END_TEST

static int full(void *arg) {
    (void)arg;
    int fd = uva_fs_open("/dev/full", O_WRONLY, 0);
    if (fd == UV_ENOENT)
        return 0;
    ck_assert_int_eq(uva_fs_write(fd, "x", 1, -1), UV_ENOSPC);
    ck_assert_int_eq(uva_fs_close(fd), 0);
    return 0;
}

START_TEST(fs_a_full_device_is_a_code) {
    run_clean(full);
}
END_TEST

/* A pipe that nobody reads any more is a code, in a host that did not think of
 * SIGPIPE: at once, between two buffers, and from file to pipe. */
static int write_into_nothing(void *arg) {
    int ends[2];
    char data[] = "text";
    uv_buf_t parts[] = {uv_buf_init(data, 2), uv_buf_init(data, 2)};
    (void)arg;
    ck_assert(signal(SIGPIPE, SIG_DFL) != SIG_ERR);
    ck_assert_int_eq(pipe2(ends, O_CLOEXEC), 0);
    ck_assert_int_eq(close(ends[0]), 0);
    ck_assert_int_eq(uva_fs_write(ends[1], data, 4, -1), UV_EPIPE);
    ck_assert_int_eq(uva_fs_writev(ends[1], parts, 2, -1), UV_EPIPE);
    int fd = uva_fs_open("/proc/self/exe", O_RDONLY, 0);
    ck_assert_int_ge(fd, 0);
    ck_assert_int_eq(uva_fs_sendfile(ends[1], fd, 0, 64), UV_EPIPE);
    ck_assert_int_eq(uva_fs_close(fd), 0);
    ck_assert_int_eq(uva_fs_close(ends[1]), 0);
    return 0;
}

START_TEST(fs_writing_raises_no_sigpipe) {
    run_clean(write_into_nothing);
}
END_TEST

/* ---- what is there, moving, removing ------------------------------------ */

static int look_around(void *arg) {
    (void)arg;
    uv_stat_t info;
    uv_statfs_t about;
    char *path = NULL;
    ck_assert_int_eq(uva_fs_mkdir("sub", 0700), 0);
    ck_assert_int_eq(uva_fs_mkdir("sub", 0700), UV_EEXIST);
    make_file("sub/file", "text");
    ck_assert_int_eq(uva_fs_link("sub/file", "second"), 0);
    ck_assert_int_eq(uva_fs_symlink("sub/file", "soft", 0), 0);
    ck_assert_int_eq(uva_fs_stat("soft", &info), 0);
    ck_assert_uint_eq(info.st_size, 4);
    ck_assert_uint_eq(info.st_nlink, 2);
    ck_assert_int_eq(uva_fs_lstat("soft", &info), 0);
    ck_assert(S_ISLNK(info.st_mode));
    ck_assert_int_eq(uva_fs_readlink("soft", &path), 0);
    ck_assert_str_eq(path, "sub/file");
    free(path);
    ck_assert_int_eq(uva_fs_readlink("second", &path), UV_EINVAL);
    ck_assert_int_eq(uva_fs_realpath("./sub//../soft", &path), 0);
    ck_assert_int_eq(path[0], '/');
    ck_assert_ptr_nonnull(strstr(path, "/sub/file"));
    free(path);
    ck_assert_int_eq(uva_fs_realpath("none", &path), UV_ENOENT);
    ck_assert_int_eq(uva_fs_statfs(".", &about), 0);
    ck_assert_uint_gt(about.f_bsize, 0);
    ck_assert_int_eq(uva_fs_access("second", R_OK | W_OK), 0);
    ck_assert_int_eq(uva_fs_access("none", F_OK), UV_ENOENT);
    ck_assert_int_eq(uva_fs_rmdir("sub"), UV_ENOTEMPTY);
    ck_assert_int_eq(uva_fs_rename("second", "sub/file"), 0);
    ck_assert_int_eq(uva_fs_unlink("second"), 0);
    ck_assert_int_eq(uva_fs_copyfile("sub/file", "copy", 0), 0);
    expect_file("copy", "text");
    ck_assert_int_eq(uva_fs_copyfile("sub/file", "copy", UV_FS_COPYFILE_EXCL),
                     UV_EEXIST);
    ck_assert_int_eq(uva_fs_copyfile("copy", "other", 1 << 20), UV_EINVAL);
    ck_assert_int_eq(uva_fs_rename("copy", "sub/file"), 0);
    ck_assert(!exists("copy"));
    ck_assert_int_eq(uva_fs_unlink("sub/file"), 0);
    ck_assert_int_eq(uva_fs_unlink("soft"), 0);
    return uva_fs_rmdir("sub");
}

START_TEST(fs_makes_moves_and_removes) {
    run_in_place(look_around);
}
END_TEST

/* Seconds are given as a double, so they come back nearly. */
static bool is_near(const uv_timespec_t *time, double seconds) {
    double found = (double)time->tv_sec + (double)time->tv_nsec * 1e-9;
    return fabs(found - seconds) < 1e-3;
}

static int modes_and_times(void *arg) {
    (void)arg;
    uv_stat_t info;
    make_file("file", "");
    int fd = uva_fs_open("file", O_RDWR, 0);
    ck_assert_int_eq(uva_fs_chmod("file", 0604), 0);
    ck_assert_int_eq(uva_fs_stat("file", &info), 0);
    ck_assert_uint_eq(info.st_mode & 0777, 0604);
    ck_assert_int_eq(uva_fs_fchmod(fd, 0640), 0);
    ck_assert_int_eq(uva_fs_utime("file", 1000.5, 2000.25), 0);
    ck_assert_int_eq(uva_fs_fstat(fd, &info), 0);
    ck_assert_uint_eq(info.st_mode & 0777, 0640);
    ck_assert(is_near(&info.st_atim, 1000.5));
    ck_assert(is_near(&info.st_mtim, 2000.25));
    ck_assert_int_eq(uva_fs_futime(fd, 3000, 4000), 0);
    ck_assert_int_eq(uva_fs_symlink("file", "soft", 0), 0);
    ck_assert_int_eq(uva_fs_lutime("soft", 5000, 6000), 0);
    ck_assert_int_eq(uva_fs_fstat(fd, &info), 0);
    ck_assert(is_near(&info.st_mtim, 4000));
    ck_assert_int_eq(uva_fs_lstat("soft", &info), 0);
    ck_assert(is_near(&info.st_mtim, 6000));
    uv_uid_t uid = getuid();
    uv_gid_t gid = getgid();
    ck_assert_int_eq(uva_fs_chown("file", uid, gid), 0);
    ck_assert_int_eq(uva_fs_fchown(fd, uid, gid), 0);
    ck_assert_int_eq(uva_fs_lchown("soft", uid, gid), 0);
    ck_assert_int_eq(uva_fs_chown("none", uid, gid), UV_ENOENT);
    ck_assert_int_eq(uva_fs_close(fd), 0);
    ck_assert_int_eq(uva_fs_unlink("soft"), 0);
    return uva_fs_unlink("file");
}

START_TEST(fs_sets_modes_owners_and_times) {
    run_in_place(modes_and_times);
}
END_TEST

static int make_names(void *arg) {
    (void)arg;
    char directory[] = "d-" SIX;
    char file[] = "f-" SIX;
    char wrong[] = "wrong";
    ck_assert_int_eq(uva_fs_mkdtemp(directory), 0);
    ck_assert_str_ne(directory, "d-" SIX);
    int fd = uva_fs_mkstemp(file);
    ck_assert_int_ge(fd, 0);
    ck_assert(exists(file));
    ck_assert_int_eq(uva_fs_close(fd), 0);
    ck_assert_int_eq(uva_fs_mkdtemp(wrong), UV_EINVAL);
    ck_assert_int_eq(uva_fs_mkstemp(wrong), UV_EINVAL);
    ck_assert_str_eq(wrong, "wrong");
    ck_assert_int_eq(uva_fs_unlink(file), 0);
    return uva_fs_rmdir(directory);
}

START_TEST(fs_makes_up_names) {
    run_in_place(make_names);
}
END_TEST

/* ---- whole directories -------------------------------------------------- */

static int list_directory(void *arg) {
    (void)arg;
    uv_dirent_t *entries = NULL;
    ck_assert_int_eq(uva_fs_scandir(".", &entries), 0);
    free(entries);
    char name[NAME_MAX + 1];
    for (int i = 0; i < MOST_FEW; i++) {
        snprintf(name, sizeof name, "%02d-%0*d", i, i * 3 + 1, 0);
        make_file(name, "");
    }
    ck_assert_int_eq(uva_fs_scandir(".", &entries), MOST_FEW);
    for (int i = 0; i < MOST_FEW; i++) {
        snprintf(name, sizeof name, "%02d-%0*d", i, i * 3 + 1, 0);
        ck_assert_str_eq(entries[i].name, name);
        ck_assert(entries[i].type == UV_DIRENT_FILE ||
                  entries[i].type == UV_DIRENT_UNKNOWN);
        ck_assert_int_eq(uva_fs_unlink(name), 0);
    }
    free(entries);
    ck_assert_int_eq(uva_fs_scandir("none", &entries), UV_ENOENT);
    return 0;
}

START_TEST(fs_lists_a_directory) {
    run_in_place(list_directory);
}
END_TEST

/* ---- cancellation ------------------------------------------------------- */

static int make_directory(void *arg) {
    return uva_fs_mkdir(arg, 0700);
}

/* | main                | maker              |
 * | the pool is held    |                    |
 * |                     | mkdir <park>       |
 * | cancel(maker)       |                    |
 * | release the pool    |                    |  UV_ECANCELED, no directory */
static int cancel_queued(void *arg) {
    (void)arg;
    holder_t holder;
    hold_pool(&holder);
    uva_task_t *maker = uva_spawn(make_directory, "sub");
    ck_assert_int_eq(uva_yield(), 0);
    unsigned long asked = faults_calls(FAULT_UV_CANCEL);
    ck_assert(uva_cancel(maker));
    ck_assert(uva_cancel(maker)); /* asks libuv no second time */
    ck_assert_uint_eq(faults_calls(FAULT_UV_CANCEL), asked + 1);
    ck_assert_int_eq(uva_await(maker, NULL), UV_ECANCELED);
    release_pool(&holder);
    ck_assert(!exists("sub"));
    /* The task and the pool go on as ever. */
    ck_assert_int_eq(uva_fs_mkdir("sub", 0700), 0);
    return uva_fs_rmdir("sub");
}

START_TEST(fs_cancelled_in_the_queue_has_no_effect) {
    use_one_thread();
    run_in_place(cancel_queued);
}
END_TEST

static int time_out_queued(void *arg) {
    (void)arg;
    holder_t holder;
    uva_scope_t scope;
    hold_pool(&holder);
    uva_scope_open(&scope, 1, 0);
    ck_assert_int_eq(uva_fs_mkdir("sub", 0700), UV_ECANCELED);
    ck_assert_int_eq(uva_scope_close(&scope), UV_ETIMEDOUT);
    release_pool(&holder);
    ck_assert(!exists("sub"));
    return 0;
}

START_TEST(fs_timed_out_in_the_queue_has_no_effect) {
    use_one_thread();
    run_in_place(time_out_queued);
}
END_TEST

enum { MUCH = 256 * 1024 };

static int write_much(void *arg) {
    static const char much[MUCH];
    int fd = *(const int *)arg;
    ssize_t code = uva_fs_write(fd, much, MUCH, -1);
    record("%zd", code);
    record("%d", uva_sleep(0) == UV_ECANCELED);
    record("%d", uva_fs_close(fd));
    return (int)code;
}

/* A write into a pipe has begun when the pipe is not empty, and cannot end
 * before it is read: it is cancelled in between, waits, and succeeds. */
static int cancel_running(void *arg) {
    (void)arg;
    static char buffer[MUCH];
    int ends[2];
    ck_assert_int_eq(pipe(ends), 0);
    uva_task_t *writer = uva_spawn(write_much, &ends[1]);
    int there = 0;
    while (there == 0) {
        ck_assert_int_eq(uva_yield(), 0);
        ck_assert_int_eq(ioctl(ends[0], FIONREAD, &there), 0);
    }
    ck_assert(uva_cancel(writer));
    for (int i = 0; i < 10; i++)
        ck_assert_int_eq(uva_yield(), 0);
    ck_assert(!uva_is_done(writer));
    for (size_t got = 0; got < MUCH;)
        got += (size_t)read(ends[0], buffer, sizeof buffer);
    ck_assert_int_eq(uva_await(writer, NULL), MUCH);
    /* The request was met at the next park, and closing works nevertheless. */
    ck_expect_record("262144 1 0");
    close(ends[0]);
    return 0;
}

START_TEST(fs_cancelled_while_running_waits_for_the_outcome) {
    run_clean(cancel_running);
}
END_TEST

static int already_cut(void *arg) {
    (void)arg;
    uva_scope_t scope;
    int fd = uva_fs_open("/dev/null", O_RDONLY, 0);
    ck_assert_int_ge(fd, 0);
    uva_scope_open(&scope, UVA_FOREVER, 0);
    uva_scope_cancel(&scope);
    ck_assert_int_eq(uva_fs_mkdir("sub", 0700), UV_ECANCELED);
    ck_assert_int_eq(uva_fs_close(fd), 0);
    ck_assert_int_eq(fcntl(fd, F_GETFD), -1);
    ck_assert_int_eq(uva_scope_close(&scope), UV_ECANCELED);
    ck_assert(!exists("sub"));
    return 0;
}

START_TEST(fs_closing_is_never_cut) {
    run_in_place(already_cut);
}
END_TEST

/* ---- misuse ------------------------------------------------------------- */

static int give_nothing(void *arg) {
    (void)arg;
    uv_stat_t info;
    char *path;
    uv_dirent_t *entries;
    ck_assert_int_eq(uva_fs_open(NULL, O_RDONLY, 0), UV_EINVAL);
    ck_assert_int_eq(uva_fs_read(0, NULL, 1, 0), UV_EINVAL);
    ck_assert_int_eq(uva_fs_write(0, NULL, 1, 0), UV_EINVAL);
    ck_assert_int_eq(uva_fs_stat(NULL, &info), UV_EINVAL);
    ck_assert_int_eq(uva_fs_stat(".", NULL), UV_EINVAL);
    ck_assert_int_eq(uva_fs_fstat(0, NULL), UV_EINVAL);
    ck_assert_int_eq(uva_fs_readlink(NULL, &path), UV_EINVAL);
    ck_assert_int_eq(uva_fs_realpath(".", NULL), UV_EINVAL);
    ck_assert_int_eq(uva_fs_rename("a", NULL), UV_EINVAL);
    ck_assert_int_eq(uva_fs_link(NULL, "a"), UV_EINVAL);
    ck_assert_int_eq(uva_fs_symlink(NULL, "a", 0), UV_EINVAL);
    ck_assert_int_eq(uva_fs_copyfile("a", NULL, 0), UV_EINVAL);
    ck_assert_int_eq(uva_fs_mkstemp(NULL), UV_EINVAL);
    ck_assert_int_eq(uva_fs_scandir(NULL, &entries), UV_EINVAL);
    return 0;
}

START_TEST(fs_nothing_is_refused) {
    run_clean(give_nothing);
}
END_TEST

START_TEST(fs_outside_a_task_is_refused) {
    ck_assert_int_eq(uva_fs_unlink("none"), UV_EPERM);
    ck_assert_int_eq(uva_fs_close(-1), UV_EPERM);
}
END_TEST

SUITE("fs", fs_covers_every_operation, fs_reads_and_writes_at_positions,
      fs_scatters_and_gathers, fs_positions_are_64_bit, fs_lengths_are_64_bit,
      fs_a_full_device_is_a_code, fs_writing_raises_no_sigpipe,
      fs_makes_moves_and_removes, fs_sets_modes_owners_and_times,
      fs_makes_up_names, fs_lists_a_directory,
      fs_cancelled_in_the_queue_has_no_effect,
      fs_timed_out_in_the_queue_has_no_effect,
      fs_cancelled_while_running_waits_for_the_outcome, fs_closing_is_never_cut,
      fs_nothing_is_refused, fs_outside_a_task_is_refused)
