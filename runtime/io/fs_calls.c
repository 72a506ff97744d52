/*
 * What: libuv's file system operations, one function each; fs.c has the
 * mechanism.
 *
 * How: most are a request with arguments and a code, so they are made by one
 * macro; those which bring more than a code are written out. Directories are
 * in dir.c.
 */
#include "fs.h"

#include <limits.h>
#include <stdlib.h>
#include <string.h>

#include "../task.h"
#include "sigpipe.h"
#include "uvawait/fs.h"
#include "uvawait/scope.h"

/* A read may be short, so what is larger than every system takes is cut. */
enum { MOST_AT_ONCE = 1 << 30 };

/* Runs uv_fs_<name>(), and defines `fs` and `result`. */
#define RUN(name, is_valid, ...) \
    uva__fs_t fs; \
    int code = uva__fs_begin(&fs, "uva_fs_" #name, is_valid); \
    if (code == 0) \
        code = uv_fs_##name(fs.loop, &fs.request, __VA_ARGS__, uva__fs_done); \
    ssize_t result = uva__fs_wait(&fs, code)

/* uva_fs_<name>(parameters): the operation's code, and nothing else. */
#define PLAIN(name, is_valid, parameters, ...) \
    int uva_fs_##name parameters { \
        RUN(name, is_valid, __VA_ARGS__); \
        uva__fs_end(&fs); \
        return (int)result; \
    }

/* ---- paths -------------------------------------------------------------- */

PLAIN(open, path != NULL, (const char *path, int flags, int mode), path, flags,
      mode)
PLAIN(unlink, path != NULL, (const char *path), path)
PLAIN(mkdir, path != NULL, (const char *path, int mode), path, mode)
PLAIN(rmdir, path != NULL, (const char *path), path)
PLAIN(rename, path != NULL && new_path != NULL,
      (const char *path, const char *new_path), path, new_path)
PLAIN(link, path != NULL && new_path != NULL,
      (const char *path, const char *new_path), path, new_path)
PLAIN(symlink, path != NULL && new_path != NULL,
      (const char *path, const char *new_path, int flags), path, new_path,
      flags)
PLAIN(copyfile, path != NULL && new_path != NULL,
      (const char *path, const char *new_path, int flags), path, new_path,
      flags)
PLAIN(access, path != NULL, (const char *path, int mode), path, mode)
PLAIN(chmod, path != NULL, (const char *path, int mode), path, mode)
PLAIN(chown, path != NULL, (const char *path, uv_uid_t uid, uv_gid_t gid), path,
      uid, gid)
PLAIN(lchown, path != NULL, (const char *path, uv_uid_t uid, uv_gid_t gid),
      path, uid, gid)
PLAIN(utime, path != NULL, (const char *path, double atime, double mtime), path,
      atime, mtime)
PLAIN(lutime, path != NULL, (const char *path, double atime, double mtime),
      path, atime, mtime)

/* ---- open files --------------------------------------------------------- */

PLAIN(fsync, true, (uv_file fd), fd)
PLAIN(fdatasync, true, (uv_file fd), fd)
PLAIN(ftruncate, true, (uv_file fd, int64_t bytes), fd, bytes)
PLAIN(fchmod, true, (uv_file fd, int mode), fd, mode)
PLAIN(fchown, true, (uv_file fd, uv_uid_t uid, uv_gid_t gid), fd, uid, gid)
PLAIN(futime, true, (uv_file fd, double atime, double mtime), fd, atime, mtime)

static int close_file(uv_file fd) {
    RUN(close, true, fd);
    uva__fs_end(&fs);
    return (int)result;
}

/* A cancelled task's cleanup must be able to close, so nothing cuts this. */
int uva_fs_close(uv_file fd) {
    uva_scope_t scope;
    if (uva__running("uva_fs_close") == NULL)
        return UV_EPERM;
    uva_scope_open(&scope, UVA_FOREVER, UVA_SCOPE_SHIELD);
    int code = close_file(fd);
    (void)uva_scope_close(&scope);
    return code;
}

/* ---- bytes -------------------------------------------------------------- */

ssize_t uva_fs_readv(uv_file fd, const uv_buf_t buffers[], unsigned count,
                     int64_t position) {
    RUN(read, buffers != NULL && count > 0, fd, buffers, count, position);
    uva__fs_end(&fs);
    return result;
}

ssize_t uva_fs_read(uv_file fd, void *buffer, size_t bytes, int64_t position) {
    uv_buf_t one = {.base = buffer, .len = bytes};
    if (one.len > MOST_AT_ONCE)
        one.len = MOST_AT_ONCE;
    RUN(read, buffer != NULL || bytes == 0, fd, &one, 1, position);
    uva__fs_end(&fs);
    return result;
}

/* ---- writing ------------------------------------------------------------ */

/* What writes is a job of ours that calls libuv on the pool's thread: only
 * there can SIGPIPE be kept from the host. */
typedef struct transfer {
    uva__fs_t fs;
    uv_work_t work;
    void (*run)(struct transfer *transfer, uv_fs_t *request);
    const uv_buf_t *buffers;
    unsigned count;
    uv_file fd;
    uv_file from_fd;
    int64_t position;
    size_t bytes; /* in all; of one write libuv makes as many as it takes */
    int code;     /* what libuv's call returned */
} transfer_t;

static void write_now(transfer_t *transfer, uv_fs_t *request) {
    transfer->code = uv_fs_write(NULL, request, transfer->fd, transfer->buffers,
                                 transfer->count, transfer->position, NULL);
}

static void sendfile_now(transfer_t *transfer, uv_fs_t *request) {
    transfer->code =
        uv_fs_sendfile(NULL, request, transfer->fd, transfer->from_fd,
                       transfer->position, transfer->bytes, NULL);
}

/* A write that was broken off may have raised the signal, too. */
static void on_work(uv_work_t *work) {
    transfer_t *transfer = UVA__OF(work, transfer_t, work);
    uv_fs_t *request = &transfer->fs.request;
    uva__sigpipe_t sigpipe;
    uva__sigpipe_block(&sigpipe);
    transfer->run(transfer, request);
    /* Refused before it began; else the result has it, at its full length. */
    if (request->result == 0)
        request->result = transfer->code;
    bool is_whole =
        request->result >= 0 && (size_t)request->result == transfer->bytes;
    uva__sigpipe_restore(&sigpipe, !is_whole);
}

static void on_over(uv_work_t *work, int status) {
    transfer_t *transfer = UVA__OF(work, transfer_t, work);
    if (status < 0)
        transfer->fs.request.result = status;
    uva__fs_done(&transfer->fs.request);
}

static ssize_t run_transfer(transfer_t *transfer, const char *call,
                            bool is_valid) {
    uva__fs_t *fs = &transfer->fs;
    int code = uva__fs_begin(fs, call, is_valid);
    fs->job = (uv_req_t *)&transfer->work;
    if (code == 0)
        code = uv_queue_work(fs->loop, &transfer->work, on_work, on_over);
    ssize_t result = uva__fs_wait(fs, code);
    uva__fs_end(fs);
    return result;
}

static ssize_t write_all(const char *call, uv_file fd, const uv_buf_t buffers[],
                         unsigned count, int64_t position, bool is_valid) {
    transfer_t transfer = {.run = write_now,
                           .buffers = buffers,
                           .count = count,
                           .fd = fd,
                           .position = position};
    for (unsigned i = 0; is_valid && i < count; i++)
        transfer.bytes += buffers[i].len;
    return run_transfer(&transfer, call, is_valid);
}

ssize_t uva_fs_writev(uv_file fd, const uv_buf_t buffers[], unsigned count,
                      int64_t position) {
    return write_all("uva_fs_writev", fd, buffers, count, position,
                     buffers != NULL && count > 0);
}

/* libuv goes on after a short write, within the job. */
ssize_t uva_fs_write(uv_file fd, const void *data, size_t bytes,
                     int64_t position) {
    uv_buf_t one = {.base = (char *)(uintptr_t)data, .len = bytes};
    return write_all("uva_fs_write", fd, &one, 1, position,
                     bytes <= SSIZE_MAX && (data != NULL || bytes == 0));
}

ssize_t uva_fs_sendfile(uv_file out_fd, uv_file in_fd, int64_t in_position,
                        size_t bytes) {
    transfer_t transfer = {.run = sendfile_now,
                           .fd = out_fd,
                           .from_fd = in_fd,
                           .position = in_position,
                           .bytes = bytes};
    return run_transfer(&transfer, "uva_fs_sendfile", true);
}

/* ---- what is there ------------------------------------------------------ */

/* uva_fs_<name>(parameters, *ret_result): the request's `member`. */
#define FETCH(name, is_valid, type, member, parameter, argument) \
    int uva_fs_##name(parameter, type *ret_result) { \
        RUN(name, (is_valid) && ret_result != NULL, argument); \
        if (result == 0) \
            *ret_result = *(const type *)member; \
        uva__fs_end(&fs); \
        return (int)result; \
    }

FETCH(stat, path != NULL, uv_stat_t, &fs.request.statbuf, const char *path,
      path)
FETCH(lstat, path != NULL, uv_stat_t, &fs.request.statbuf, const char *path,
      path)
FETCH(fstat, true, uv_stat_t, &fs.request.statbuf, uv_file fd, fd)
FETCH(statfs, path != NULL, uv_statfs_t, fs.request.ptr, const char *path, path)

/* The path that a request brought, as memory of the caller's. */
static int take_path(uva__fs_t *fs, ssize_t result, char **ret_path) {
    int code = (int)result;
    if (code == 0) {
        char *path = strdup(fs->request.ptr);
        if (path != NULL)
            *ret_path = path;
        else
            code = UV_ENOMEM;
    }
    uva__fs_end(fs);
    return code;
}

int uva_fs_readlink(const char *path, char **ret_path) {
    RUN(readlink, path != NULL && ret_path != NULL, path);
    return take_path(&fs, result, ret_path);
}

int uva_fs_realpath(const char *path, char **ret_path) {
    RUN(realpath, path != NULL && ret_path != NULL, path);
    return take_path(&fs, result, ret_path);
}

/* ---- names that are made up --------------------------------------------- */

/* The request's path is the pattern, filled in. */
static int take_name(uva__fs_t *fs, ssize_t result, char *ret_path) {
    if (result >= 0)
        memcpy(ret_path, fs->request.path, strlen(ret_path));
    uva__fs_end(fs);
    return (int)result;
}

int uva_fs_mkdtemp(char *pattern) {
    RUN(mkdtemp, pattern != NULL, pattern);
    return take_name(&fs, result, pattern);
}

int uva_fs_mkstemp(char *pattern) {
    RUN(mkstemp, pattern != NULL, pattern);
    return take_name(&fs, result, pattern);
}

/* ---- whole directories -------------------------------------------------- */

/* Entries and, behind them, their names, in one block. Until it is complete a
 * name is where it stands in the block. */
typedef struct listing {
    uv_dirent_t *entries;
    size_t bytes;
    size_t capacity;
} listing_t;

static bool make_room(listing_t *listing, size_t bytes) {
    if (listing->capacity - listing->bytes >= bytes)
        return true;
    size_t capacity = 2 * (listing->bytes + bytes);
    void *moved = realloc(listing->entries, capacity);
    if (moved == NULL)
        return false;
    listing->entries = moved;
    listing->capacity = capacity;
    return true;
}

static bool add_entry(listing_t *listing, size_t index,
                      const uv_dirent_t *entry) {
    size_t bytes = strlen(entry->name) + 1;
    if (!make_room(listing, bytes))
        return false;
    uv_dirent_t *added = &listing->entries[index];
    memcpy((char *)listing->entries + listing->bytes, entry->name, bytes);
    added->name = (const char *)(uintptr_t)listing->bytes;
    added->type = entry->type;
    listing->bytes += bytes;
    return true;
}

/* To the very end, because libuv forgets to free the last one otherwise. */
static bool add_entries(uv_fs_t *request, listing_t *listing) {
    uv_dirent_t entry;
    size_t count = 0;
    bool is_good = true;
    while (uv_fs_scandir_next(request, &entry) == 0)
        is_good = is_good && add_entry(listing, count++, &entry);
    return is_good;
}

static ssize_t copy_entries(uv_fs_t *request, uv_dirent_t **ret_entries) {
    listing_t listing = {0};
    size_t count = (size_t)request->result;
    size_t bytes = count * sizeof *listing.entries;
    bool is_good = make_room(&listing, bytes + 1);
    listing.bytes = bytes;
    is_good = is_good && add_entries(request, &listing);
    if (!is_good) {
        free(listing.entries);
        return UV_ENOMEM;
    }
    for (size_t i = 0; i < count; i++)
        listing.entries[i].name =
            (char *)listing.entries + (uintptr_t)listing.entries[i].name;
    *ret_entries = listing.entries;
    return (ssize_t)count;
}

ssize_t uva_fs_scandir(const char *path, uv_dirent_t **ret_entries) {
    RUN(scandir, path != NULL && ret_entries != NULL, path, 0);
    if (result >= 0)
        result = copy_entries(&fs.request, ret_entries);
    uva__fs_end(&fs);
    return result;
}
