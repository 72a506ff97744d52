/* labels: valgrind; timeout: 30 */
/* Files when libuv or memory fails: each call in turn, and the end of a runtime
 * with a job under way. The outcome is the code, and nothing stays behind. */
#include "fs_fixture.h"

#define SIX \
    "XX" \
    "XX" \
    "XX"

/* ---- every operation ---------------------------------------------------- */

/* What libuv does not take is its code, without effect. */
#define FAILS(kind, call) \
    do { \
        faults_fail_with(FAULT_UV_FS_##kind, 1, UV_EIO); \
        ck_assert_int_eq(call, UV_EIO); \
        ck_assert_uint_eq(faults_clear(), 1); \
    } while (0)

static void fail_paths(void) {
    uv_stat_t info;
    uv_statfs_t about;
    char name[] = "f-" SIX;
    char *path = NULL;
    uv_dirent_t *entries = NULL;
    uv_uid_t uid = getuid();
    uv_gid_t gid = getgid();
    FAILS(OPEN, uva_fs_open("new", O_CREAT | O_RDWR, 0600));
    FAILS(UNLINK, uva_fs_unlink("file"));
    FAILS(MKDIR, uva_fs_mkdir("new", 0700));
    FAILS(RMDIR, uva_fs_rmdir("sub"));
    FAILS(RENAME, uva_fs_rename("file", "new"));
    FAILS(LINK, uva_fs_link("file", "new"));
    FAILS(SYMLINK, uva_fs_symlink("file", "new", 0));
    FAILS(COPYFILE, uva_fs_copyfile("file", "new", 0));
    FAILS(ACCESS, uva_fs_access("file", F_OK));
    FAILS(CHMOD, uva_fs_chmod("file", 0));
    FAILS(CHOWN, uva_fs_chown("file", uid, gid));
    FAILS(LCHOWN, uva_fs_lchown("file", uid, gid));
    FAILS(UTIME, uva_fs_utime("file", 1, 1));
    FAILS(LUTIME, uva_fs_lutime("file", 1, 1));
    FAILS(STAT, uva_fs_stat("file", &info));
    FAILS(LSTAT, uva_fs_lstat("file", &info));
    FAILS(STATFS, uva_fs_statfs("file", &about));
    FAILS(READLINK, uva_fs_readlink("file", &path));
    FAILS(REALPATH, uva_fs_realpath("file", &path));
    FAILS(MKDTEMP, uva_fs_mkdtemp(name));
    FAILS(MKSTEMP, uva_fs_mkstemp(name));
    FAILS(SCANDIR, uva_fs_scandir(".", &entries));
    ck_assert_str_eq(name, "f-" SIX);
    ck_assert_ptr_null(path);
    ck_assert_ptr_null(entries);
}

static void fail_files(int fd) {
    uv_stat_t info;
    char byte = '-';
    uv_buf_t buffer = uv_buf_init(&byte, 1);
    FAILS(FSYNC, uva_fs_fsync(fd));
    FAILS(FDATASYNC, uva_fs_fdatasync(fd));
    FAILS(FTRUNCATE, uva_fs_ftruncate(fd, 0));
    FAILS(FCHMOD, uva_fs_fchmod(fd, 0));
    FAILS(FCHOWN, uva_fs_fchown(fd, getuid(), getgid()));
    FAILS(FUTIME, uva_fs_futime(fd, 1, 1));
    FAILS(FSTAT, uva_fs_fstat(fd, &info));
    FAILS(READ, uva_fs_read(fd, &byte, 1, 0));
    FAILS(READ, uva_fs_readv(fd, &buffer, 1, 0));
    FAILS(WRITE, uva_fs_write(fd, &byte, 1, 0));
    FAILS(WRITE, uva_fs_writev(fd, &buffer, 1, 0));
    FAILS(SENDFILE, uva_fs_sendfile(fd, fd, 0, 1));
    faults_fail_every(FAULT_UV_QUEUE_WORK, 1, UV_EIO);
    ck_assert_int_eq(uva_fs_write(fd, &byte, 1, 0), UV_EIO);
    ck_assert_int_eq(uva_fs_writev(fd, &buffer, 1, 0), UV_EIO);
    ck_assert_int_eq(uva_fs_sendfile(fd, fd, 0, 1), UV_EIO);
    ck_assert_uint_eq(faults_clear(), 3);
    FAILS(CLOSE, uva_fs_close(fd));
    ck_assert_int_eq(byte, '-');
}

static int fail_all(void *arg) {
    (void)arg;
    uv_dirent_t *entries = NULL;
    make_file("file", "text");
    ck_assert_int_eq(uva_fs_mkdir("sub", 0700), 0);
    int fd = uva_fs_open("file", O_RDWR, 0);
    ck_assert_int_ge(fd, 0);
    fail_paths();
    fail_files(fd);
    ck_assert_int_eq(uva_fs_close(fd), 0);
    expect_file("file", "text");
    ck_assert_int_eq(uva_fs_scandir(".", &entries), 2);
    free(entries);
    ck_assert_int_eq(uva_fs_rmdir("sub"), 0);
    return uva_fs_unlink("file");
}

START_TEST(fs_every_operation_may_fail) {
    run_in_place(fail_all);
}
END_TEST

/* ---- the end ------------------------------------------------------------ */

static int make_directory(void *arg) {
    return uva_fs_mkdir(arg, 0700);
}

static int leave_it_pending(void *arg) {
    uva_task_t *maker = uva_spawn(make_directory, "sub");
    (void)arg;
    int code = uva_yield();
    uva_detach(maker);
    return code;
}

/* Whether the job was taken back or ran: the end waits for it. */
START_TEST(fs_pending_at_the_end) {
    place_t place = enter_place();
    ck_assert_int_eq(uva_run_with(&quiet, leave_it_pending, NULL), 0);
    ck_assert(support_reports_contain("at the end (file operation)"));
    if (exists("sub"))
        ck_assert_int_eq(rmdir("sub"), 0);
    leave_place(&place);
}
END_TEST

/* ---- each call in turn -------------------------------------------------- */

/* So long that a listing of it has to grow. */
#define LONG_NAME \
    "soft-aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"

/* 0 when all went well; else the first code, and all is put back. */
static int live(void) {
    uv_stat_t info;
    char *path = NULL;
    uv_dirent_t *entries = NULL;
    char name[] = "f-" SIX;
    int code = uva_fs_mkdir("sub", 0700);
    if (code < 0)
        return code;
    code = uva_fs_symlink("sub", LONG_NAME, 0);
    if (code == 0)
        code = uva_fs_readlink(LONG_NAME, &path);
    free(path);
    path = NULL;
    if (code == 0)
        code = uva_fs_realpath(LONG_NAME, &path);
    free(path);
    if (code == 0)
        code = uva_fs_stat(LONG_NAME, &info);
    if (code == 0)
        code = (int)uva_fs_scandir(".", &entries);
    free(entries);
    int fd = code < 0 ? code : uva_fs_mkstemp(name);
    if (fd >= 0) {
        code = (int)uva_fs_write(fd, "x", 1, -1);
        int closed = uva_fs_close(fd);
        if (closed < 0)
            close(fd); /* a fault: libuv was not reached */
        code = code < 0 ? code : closed;
        unlink(name);
    } else {
        code = fd;
    }
    unlink(LONG_NAME);
    rmdir("sub");
    return code;
}

typedef struct trial {
    fault_t kind;
    unsigned long nth;
    bool is_over;
} trial_t;

static int try_once(void *arg) {
    trial_t *trial = arg;
    ck_assert_int_eq(live(), 0); /* what grows once has grown */
    faults_fail(trial->kind, trial->nth);
    int code = live();
    trial->is_over = faults_clear() == 0;
    ck_assert_msg(code == (trial->is_over ? 0 : UV_ENOMEM), "%s %lu: %d",
                  faults_name(trial->kind), trial->nth, code);
    return live();
}

static void try_each(fault_t kind) {
    trial_t trial = {.kind = kind};
    place_t place = enter_place();
    while (!trial.is_over) {
        trial.nth++;
        ck_assert_int_eq(uva_run_with(&quiet, try_once, &trial), 0);
        ck_assert_str_eq(support_reports(), "");
    }
    ck_assert_msg(trial.nth > 1, "%s was not called", faults_name(kind));
    leave_place(&place);
}

START_TEST(fs_faults_are_survived) {
    try_each(FAULT_UV_FS_MKDIR);
    try_each(FAULT_UV_FS_SYMLINK);
    try_each(FAULT_UV_FS_READLINK);
    try_each(FAULT_UV_FS_REALPATH);
    try_each(FAULT_UV_FS_STAT);
    try_each(FAULT_UV_FS_SCANDIR);
    try_each(FAULT_UV_FS_MKSTEMP);
    try_each(FAULT_UV_FS_WRITE);
    try_each(FAULT_UV_FS_CLOSE);
    try_each(FAULT_STRDUP);
    try_each(FAULT_REALLOC);
}
END_TEST

SUITE("fs_faults", fs_every_operation_may_fail, fs_pending_at_the_end,
      fs_faults_are_survived)
