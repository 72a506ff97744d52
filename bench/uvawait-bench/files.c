/*
 * n files, read one after another and all at once.
 *
 * Reading a file blocks, so each is read by libuv's thread pool, and its task
 * waits for it there. What comes out, length and checksum, is compared with a
 * plain read that was made before; that read is also the yardstick, since for
 * files in the page cache nothing is faster than a loop around read(2).
 */
#include "files.h"

#include "../harness/measure.h"

#include <errno.h>
#include <fcntl.h>
#include <fts.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <uvawait.h>

/* Files that are found in a directory, rather than named, are taken up to
 * this size and number: a benchmark shall not read a disk image by accident. */
enum { FOUND_BYTES_MAX = 16 * 1024 * 1024, FOUND_MAX = 1000 };

/* The checksum of a buffer, continued. Depends on every byte and its place. */
static uint64_t add_to_sum(uint64_t sum, const unsigned char *data, size_t n) {
    uint64_t word;

    for (; n >= sizeof(word); n -= sizeof(word), data += sizeof(word)) {
        memcpy(&word, data, sizeof(word));
        sum = (sum ^ word) * 0x9e3779b97f4a7c15u;
        sum ^= sum >> 29;
    }
    while (n-- > 0)
        sum = (sum ^ *data++) * 0x100000001b3u;
    return sum;
}

/* Fills in every whole buffer, so that where the reads were cut does not
 * change the sum. Returns the bytes, fewer only at the end, or an error. */
static ssize_t fill(int fd, unsigned char *buffer, size_t bytes) {
    size_t filled = 0;

    while (filled < bytes) {
        ssize_t got = read(fd, buffer + filled, bytes - filled);
        if (got < 0 && errno == EINTR)
            continue;
        if (got < 0)
            return uv_translate_sys_error(errno);
        if (got == 0)
            break;
        filled += (size_t)got;
    }
    return (ssize_t)filled;
}

/* Reads a file; its path is given, the rest is filled in. Blocks. */
static int read_file(void *arg) {
    file_t *file = arg;
    unsigned char buffer[65536];
    ssize_t bytes;
    int fd = open(file->path, O_RDONLY | O_CLOEXEC);

    if (fd < 0)
        return uv_translate_sys_error(errno);
    file->bytes = 0;
    file->sum = 0;
    do {
        bytes = fill(fd, buffer, sizeof(buffer));
        if (bytes < 0)
            break;
        file->bytes += (size_t)bytes;
        file->sum = add_to_sum(file->sum, buffer, (size_t)bytes);
    } while ((size_t)bytes == sizeof(buffer));
    close(fd);
    return bytes < 0 ? (int)bytes : 0;
}

static int check(const file_t *expected, const file_t *got) {
    if (got->bytes == expected->bytes && got->sum == expected->sum)
        return 0;
    return bench_wrong("files: '%s' is not what it was at first: %zu bytes, "
                       "then %zu",
                       expected->path, expected->bytes, got->bytes);
}

static int read_failed(const file_t *file, int code) {
    return bench_wrong("cannot read '%s': %s", file->path, uv_strerror(code));
}

/* The task of one file: reads it on the pool and checks what came. */
static int read_one(void *arg) {
    const file_t *expected = arg;
    file_t got = {.path = expected->path};
    int code = uva_to_thread(read_file, &got);

    if (code == UV_ECANCELED)
        return code; /* Another one failed, and has said so. */
    return code < 0 ? read_failed(expected, code) : check(expected, &got);
}

static int files_sequential(void *state, size_t n, uint64_t *ret_longest_ns) {
    files_t *files = state;
    uint64_t longest_ns = 0;

    for (size_t i = 0; i < n; i++) {
        uint64_t start_ns = bench_now_ns();
        int code = read_one(&files->files[i]);
        if (code < 0)
            return code;
        uint64_t took_ns = bench_now_ns() - start_ns;
        if (took_ns > longest_ns)
            longest_ns = took_ns;
    }
    *ret_longest_ns = longest_ns;
    return 0;
}

static int files_concurrent(void *state, size_t n) {
    files_t *files = state;

    return uva_map(read_one, files->files, n, sizeof(files->files[0]), n);
}

static int files_plain(void *state, size_t n) {
    files_t *files = state;

    for (size_t i = 0; i < n; i++) {
        file_t got = {.path = files->files[i].path};
        int code = read_file(&got);
        if (code < 0)
            return read_failed(&got, code);
        if ((code = check(&files->files[i], &got)) < 0)
            return code;
    }
    return 0;
}

/* Adds a file and reads it for the first time. */
static int add_file(files_t *files, const char *path) {
    file_t file = {.path = strdup(path)};
    int code = file.path == NULL ? UV_ENOMEM : read_file(&file);

    if (code == 0 && files->count == files->capacity) {
        size_t capacity = files->capacity * 2 + 64;
        file_t *grown = realloc(files->files, capacity * sizeof(*grown));
        if (grown == NULL) {
            code = UV_ENOMEM;
        } else {
            files->files = grown;
            files->capacity = capacity;
        }
    }
    if (code < 0) {
        free(file.path);
        return code;
    }
    files->bytes += file.bytes;
    files->files[files->count++] = file;
    return 0;
}

static int compare_names(const FTSENT **a, const FTSENT **b) {
    return strcmp((*a)->fts_name, (*b)->fts_name);
}

static int named_failed(const FTSENT *entry, int code) {
    return bench_wrong("cannot read '%s': %s", entry->fts_path,
                       uv_strerror(code));
}

/* One step of the walk. What the user has named must be readable; what is
 * found below is left out if it is not. */
static int visit(FTS *walk, FTSENT *entry, files_t *files) {
    bool named = entry->fts_level == FTS_ROOTLEVEL;
    int code;

    if (!named && entry->fts_name[0] == '.') {
        fts_set(walk, entry, FTS_SKIP);
        return 0;
    }
    if (entry->fts_info == FTS_F) {
        if (!named && (entry->fts_statp->st_size > FOUND_BYTES_MAX ||
                       files->count >= FOUND_MAX)) {
            files->skipped++;
            return 0;
        }
        code = add_file(files, entry->fts_path);
        if (code < 0 && named)
            return named_failed(entry, code);
        files->skipped += code < 0;
    } else if (entry->fts_info == FTS_DNR || entry->fts_info == FTS_ERR ||
               entry->fts_info == FTS_NS) {
        if (named)
            return named_failed(entry,
                                uv_translate_sys_error(entry->fts_errno));
        files->skipped++;
    } else if (entry->fts_info == FTS_DEFAULT && named) {
        return bench_wrong("cannot read '%s': not a file", entry->fts_path);
    }
    return 0;
}

static int find_files(char *const paths[], files_t *files) {
    FTS *walk = fts_open(paths, FTS_PHYSICAL | FTS_COMFOLLOW | FTS_NOCHDIR,
                         compare_names);
    FTSENT *entry;
    int code = 0;

    if (walk == NULL)
        return bench_wrong("cannot read '%s': %s", paths[0], strerror(errno));
    while (code == 0 && (entry = fts_read(walk)) != NULL)
        code = visit(walk, entry, files);
    fts_close(walk);
    if (code == 0 && files->count == 0)
        code = bench_wrong("no readable file in '%s': name some, or leave the "
                           "job out with --only sleep,fetch",
                           paths[0]);
    return code;
}

int files_prepare(const options_t *options, files_t *ret_files) {
    static char here[] = ".";
    static char *const default_paths[] = {here, NULL};

    memset(ret_files, 0, sizeof(*ret_files));
    ret_files->quick = options->quick;
    ret_files->paths =
        options->paths[0] != NULL ? options->paths : default_paths;
    return find_files(ret_files->paths, ret_files);
}

/* Looks again, since the other jobs have taken their time, and a file that is
 * being worked on would not be what it was. */
static int files_begin(job_t *job) {
    files_t *files = job->state;
    files_t again = {.paths = files->paths, .quick = files->quick};
    int code = find_files(again.paths, &again);

    files_free(files);
    *files = again;
    job_set_sizes(job, files->quick, files->count);
    return code;
}

void files_free(files_t *files) {
    for (size_t i = 0; i < files->count; i++)
        free(files->files[i].path);
    free(files->files);
    memset(files, 0, sizeof(*files));
}

void files_job(const options_t *options, files_t *files, job_t *ret_job) {
    *ret_job = (job_t){
        .name = "files",
        .sequential = files_sequential,
        .concurrent = files_concurrent,
        .plain = files_plain,
        .begin = files_begin,
        .state = files,
    };
    snprintf(ret_job->title, sizeof(ret_job->title),
             "read files through the thread pool");
    job_set_sizes(ret_job, options->quick, files->count);
}
