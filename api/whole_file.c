/*
 * What: whole files in one job of the pool.
 *
 * How: the job is an ordinary uva_to_thread(), in which libuv's operations run
 * without a callback, so on the pool's thread. What it works on lies in the
 * frame of the task, which stays until it is over.
 */
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "runtime/seam.h"
#include "uvawait/whole_file.h"
#include "uvawait/thread.h"

enum {
    MOST_AT_ONCE = 1 << 30, /* bytes in one call: every system takes so many */
    UNKNOWN_BYTES = 4096,   /* asked for when a file does not know its length */
    MOST_NAMES = 100        /* tried for a temporary file */
};

/* Runs uv_fs_<name>() here; `code` gets what it says. */
#define NOW(name, ...) \
    uv_fs_t request = {0}; \
    int code = uv_fs_##name(NULL, &request, __VA_ARGS__, NULL); \
    uv_fs_req_cleanup(&request)

static int open_now(const char *path, int flags, int mode) {
    NOW(open, path, flags, mode);
    return code;
}

static int close_now(int fd) {
    NOW(close, fd);
    return code;
}

static int unlink_now(const char *path) {
    NOW(unlink, path);
    return code;
}

static int rename_now(const char *path, const char *new_path) {
    NOW(rename, path, new_path);
    return code;
}

static int fsync_now(int fd) {
    NOW(fsync, fd);
    return code;
}

static int chown_now(int fd, const uv_stat_t *info) {
    NOW(fchown, fd, (uv_uid_t)info->st_uid, (uv_gid_t)info->st_gid);
    return code;
}

static int chmod_now(int fd, int mode) {
    NOW(fchmod, fd, mode);
    return code;
}

static int fstat_now(int fd, uv_stat_t *ret_info) {
    NOW(fstat, fd);
    if (code == 0)
        *ret_info = request.statbuf;
    return code;
}

static int stat_now(const char *path, uv_stat_t *ret_info) {
    NOW(stat, path);
    if (code == 0)
        *ret_info = request.statbuf;
    return code;
}

static uv_buf_t at_most(const char *base, size_t bytes) {
    uv_buf_t buffer = {.base = (char *)(uintptr_t)base};
    buffer.len = bytes < MOST_AT_ONCE ? bytes : MOST_AT_ONCE;
    return buffer;
}

static int read_now(int fd, char *base, size_t bytes) {
    uv_buf_t buffer = at_most(base, bytes);
    NOW(read, fd, &buffer, 1, -1);
    return code;
}

static int write_bytes(int fd, const char *base, size_t bytes) {
    while (bytes > 0) {
        uv_buf_t buffer = at_most(base, bytes);
        NOW(write, fd, &buffer, 1, -1);
        if (code <= 0)
            return code < 0 ? code : UV_EIO;
        base += code;
        bytes -= (size_t)code;
    }
    return 0;
}

/* The path may be a pipe's. */
static int write_now(int fd, const char *base, size_t bytes) {
    uva__sigpipe_t sigpipe;
    uva__sigpipe_block(&sigpipe);
    int code = write_bytes(fd, base, bytes);
    uva__sigpipe_restore(&sigpipe, code < 0);
    return code;
}

/* Runs a job in the pool. is_valid: its arguments are. */
static int run(const char *call, bool is_valid, uva_fn job, void *arg) {
    if (uva__running(call) == NULL)
        return UV_EPERM;
    return is_valid ? uva_to_thread(job, arg) : UV_EINVAL;
}

/* ---- reading ------------------------------------------------------------ */

typedef struct reader {
    const char *path;
    size_t limit; /* below SIZE_MAX: room for the zero */
    char *data;
    size_t bytes;
    size_t capacity; /* of data; above `bytes` while reading */
    size_t length;   /* that the file says it has; 0: it does not know */
} reader_t;

static int grow(reader_t *reader, size_t capacity) {
    if (capacity > reader->limit)
        capacity = reader->limit + 1;
    char *moved = realloc(reader->data, capacity);
    if (moved == NULL)
        return UV_ENOMEM;
    reader->data = moved;
    reader->capacity = capacity;
    return 0;
}

/* Room for what the file says it has, and one more byte: it tells that the
 * file has ended, and becomes the zero. */
static int make_room(reader_t *reader, int fd) {
    uv_stat_t info = {0};
    int code = fstat_now(fd, &info);
    if (code < 0)
        return code;
    if (info.st_size > reader->limit)
        return UV_EFBIG;
    reader->length = (size_t)info.st_size;
    return grow(reader,
                (info.st_size > 0 ? reader->length : UNKNOWN_BYTES) + 1);
}

/* Reads up to the end, which is known by reading nothing, or by less than was
 * asked for when that is just what the file said. */
static int read_to_end(reader_t *reader, int fd) {
    int code = make_room(reader, fd);
    while (code == 0) {
        int some = read_now(fd, reader->data + reader->bytes,
                            reader->capacity - reader->bytes);
        if (some < 0)
            return some;
        reader->bytes += (size_t)some;
        if (some == 0 || (reader->bytes == reader->length &&
                          reader->bytes < reader->capacity)) {
            reader->data[reader->bytes] = '\0';
            return 0;
        }
        if (reader->bytes > reader->limit)
            code = UV_EFBIG;
        else if (reader->bytes == reader->capacity)
            code = grow(reader, reader->capacity > SIZE_MAX / 2
                                    ? SIZE_MAX
                                    : 2 * reader->capacity);
    }
    return code;
}

static int read_file(void *arg) {
    reader_t *reader = arg;
    int fd = open_now(reader->path, O_RDONLY, 0);
    if (fd < 0)
        return fd;
    int code = read_to_end(reader, fd);
    (void)close_now(fd);
    if (code < 0)
        free(reader->data);
    return code;
}

static int read_limited(const char *call, const char *path, size_t limit_bytes,
                        char **ret_data, size_t *ret_bytes) {
    reader_t reader = {.path = path, .limit = limit_bytes};
    if (reader.limit == SIZE_MAX)
        reader.limit = SIZE_MAX - 1;
    int code = run(call, path != NULL && ret_data != NULL, read_file, &reader);
    if (code < 0)
        return code;
    *ret_data = reader.data;
    if (ret_bytes != NULL)
        *ret_bytes = reader.bytes;
    return 0;
}

int uva_read_file(const char *path, char **ret_data, size_t *ret_bytes) {
    return read_limited("uva_read_file", path, SIZE_MAX, ret_data, ret_bytes);
}

int uva_read_file_limited(const char *path, size_t limit_bytes, char **ret_data,
                          size_t *ret_bytes) {
    return read_limited("uva_read_file_limited", path, limit_bytes, ret_data,
                        ret_bytes);
}

/* ---- writing ------------------------------------------------------------ */

typedef struct writer {
    const char *path;
    const char *data;
    size_t bytes;
} writer_t;

static bool is_valid(const writer_t *writer) {
    return writer->path != NULL && (writer->data != NULL || writer->bytes == 0);
}

static int write_file(void *arg) {
    const writer_t *writer = arg;
    int fd = open_now(writer->path, O_WRONLY | O_CREAT | O_TRUNC, 0666);
    if (fd < 0)
        return fd;
    int code = write_now(fd, writer->data, writer->bytes);
    int closed = close_now(fd);
    return code < 0 ? code : closed;
}

int uva_write_file(const char *path, const void *data, size_t bytes) {
    writer_t writer = {.path = path, .data = data, .bytes = bytes};
    return run("uva_write_file", is_valid(&writer), write_file, &writer);
}

/* ---- replacing ---------------------------------------------------------- */

typedef struct replacement {
    const char *path; /* no link */
    bool exists;
    uv_stat_t info; /* if it does */
    char *temporary;
} replacement_t;

/* What there is at the path; UV_EISDIR or UV_EINVAL if it cannot be replaced
 * by a file. */
static int look_at(replacement_t *replacement) {
    int code = stat_now(replacement->path, &replacement->info);
    replacement->exists = code == 0;
    if (code < 0)
        return code == UV_ENOENT ? 0 : code;
    switch (replacement->info.st_mode & S_IFMT) {
    case S_IFREG:
        return 0;
    case S_IFDIR:
        return UV_EISDIR;
    default:
        return UV_EINVAL;
    }
}

/* Makes the temporary file, in the directory that the first `length` bytes of
 * the path name. Its name is not the path's with something behind, which may
 * be too long. No more may read it than may read the file. */
static int make_temporary(replacement_t *replacement, size_t length) {
    uint64_t number;
    size_t room = length + sizeof ".uvawait-0123456789abcdef";
    replacement->temporary = malloc(room);
    if (replacement->temporary == NULL)
        return UV_ENOMEM;
    int mode =
        replacement->exists ? (int)(replacement->info.st_mode & 0777) : 0666;
    memcpy(replacement->temporary, replacement->path, length);
    int fd = UV_EEXIST;
    for (int i = 0; i < MOST_NAMES && fd == UV_EEXIST; i++) {
        int code = uv_random(NULL, NULL, &number, sizeof number, 0, NULL);
        if (code < 0)
            return code;
        (void)snprintf(replacement->temporary + length, room - length,
                       ".uvawait-%016" PRIx64, number);
        fd =
            open_now(replacement->temporary, O_WRONLY | O_CREAT | O_EXCL, mode);
    }
    return fd;
}

/* Gives the new file the owner, as far as allowed, and the mode of the old. */
static int dress(const replacement_t *replacement, int fd) {
    if (!replacement->exists)
        return 0;
    (void)chown_now(fd, &replacement->info);
    return chmod_now(fd, (int)(replacement->info.st_mode & 0777));
}

static int fill(const replacement_t *replacement, const writer_t *writer,
                int fd) {
    int code = dress(replacement, fd);
    if (code == 0)
        code = write_now(fd, writer->data, writer->bytes);
    if (code == 0)
        code = fsync_now(fd);
    int closed = close_now(fd);
    if (code == 0)
        code = closed;
    if (code == 0)
        code = rename_now(replacement->temporary, replacement->path);
    if (code < 0)
        (void)unlink_now(replacement->temporary);
    return code;
}

/* Not every file system can hand over a directory, nor needs to. */
static int fsync_directory(int fd) {
    int code = fsync_now(fd);
    return code == UV_EINVAL || code == UV_ENOTSUP ? 0 : code;
}

/* The directory is opened first, so that its refusal has no effect. */
static int replace_at(replacement_t *replacement, const writer_t *writer,
                      const char *directory, size_t length) {
    int directory_fd = open_now(directory, O_RDONLY | O_DIRECTORY, 0);
    if (directory_fd < 0)
        return directory_fd;
    int fd = make_temporary(replacement, length);
    int code = fd < 0 ? fd : fill(replacement, writer, fd);
    if (code == 0)
        code = fsync_directory(directory_fd);
    (void)close_now(directory_fd);
    free(replacement->temporary);
    return code;
}

static int replace_path(const char *path, const writer_t *writer) {
    replacement_t replacement = {.path = path};
    int code = look_at(&replacement);
    if (code < 0)
        return code;
    const char *slash = strrchr(path, '/');
    size_t length = slash != NULL ? (size_t)(slash - path) + 1 : 0;
    char *directory = length > 0 ? strndup(path, length) : strdup(".");
    if (directory == NULL)
        return UV_ENOMEM;
    code = replace_at(&replacement, writer, directory, length);
    free(directory);
    return code;
}

/* Finds out where links lead to; what is not there yet is where it says. */
static int replace_file(void *arg) {
    const writer_t *writer = arg;
    uv_fs_t request = {0};
    int code = uv_fs_realpath(NULL, &request, writer->path, NULL);
    if (code == 0)
        code = replace_path(request.ptr, writer);
    else if (code == UV_ENOENT)
        code = replace_path(writer->path, writer);
    uv_fs_req_cleanup(&request);
    return code;
}

int uva_replace_file(const char *path, const void *data, size_t bytes) {
    writer_t writer = {.path = path, .data = data, .bytes = bytes};
    return run("uva_replace_file", is_valid(&writer), replace_file, &writer);
}
