/*
 * Small files, cached: a plain loop of open, read and close, and whole-file
 * reads through libuv's pool, one after another and at once.
 *
 * Goal (W10): reading a whole file concurrently <= 6 us a file.
 */
#include "harness/micro.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { FILES = 1000, FILE_BYTES = 1024, AT_ONCE = 64 };

static char directory[64];
static char paths[FILES][96];

static int make_file(const char *path) {
    char bytes[FILE_BYTES];
    int fd = open(path, O_CREAT | O_WRONLY | O_TRUNC | O_CLOEXEC, 0600);

    memset(bytes, 'x', sizeof bytes);
    if (fd < 0 || write(fd, bytes, sizeof bytes) != FILE_BYTES)
        return bench_wrong("%s cannot be written", path);
    return close(fd);
}

/* Once for all subjects; removed when the program ends. */
static int make_files(void) {
    if (directory[0] != '\0')
        return 0;
    snprintf(directory, sizeof directory, "/tmp/bench-whole-file.%d",
             (int)getpid());
    if (mkdir(directory, 0700) < 0)
        return bench_wrong("%s cannot be made", directory);
    for (int i = 0; i < FILES; i++) {
        snprintf(paths[i], sizeof paths[i], "%s/%d", directory, i);
        if (make_file(paths[i]) < 0)
            return UV_EIO;
    }
    return 0;
}

static void remove_files(void) {
    for (int i = 0; i < FILES && directory[0] != '\0'; i++)
        (void)unlink(paths[i]);
    if (directory[0] != '\0')
        (void)rmdir(directory);
}

/* ---- what is measured --------------------------------------------------- */

static int plain(void *arg) {
    bench_job_t *job = arg;
    char bytes[FILE_BYTES];
    int code = make_files();

    bench_start(job);
    for (uint64_t i = 0; i < job->operations && code == 0; i++) {
        int fd = open(paths[i], O_RDONLY | O_CLOEXEC);
        if (fd < 0 || read(fd, bytes, sizeof bytes) != FILE_BYTES)
            code = bench_wrong("%s cannot be read", paths[i]);
        close(fd);
    }
    bench_stop(job);
    return code;
}

static int read_one(void *path) {
    char *data = NULL;
    size_t bytes = 0;
    int code = uva_read_file(path, &data, &bytes);

    free(data);
    if (code == 0 && bytes != FILE_BYTES)
        return bench_wrong("%zu bytes of a file", bytes);
    return code;
}

static int in_turn(void *arg) {
    bench_job_t *job = arg;
    int code = make_files();

    bench_start(job);
    for (uint64_t i = 0; i < job->operations && code == 0; i++)
        code = read_one(paths[i]);
    bench_stop(job);
    return code;
}

static int at_once(void *arg) {
    bench_job_t *job = arg;
    int code = make_files();

    bench_start(job);
    if (code == 0)
        code =
            uva_map(read_one, paths, job->operations, sizeof paths[0], AT_ONCE);
    bench_stop(job);
    return code;
}

static const bench_micro_t subjects[] = {
    {.name = "open, read, close in a loop",
     .run = plain,
     .plain = true,
     .operations = FILES},
    {.name = "uva_read_file, one after another",
     .run = in_turn,
     .operations = FILES},
    {.name = "uva_read_file, 64 at once",
     .run = at_once,
     .operations = FILES,
     .goal = 6000},
};

int main(int argc, char **argv) {
    if (atexit(remove_files) != 0)
        return 1;
    return BENCH_MAIN(argc, argv, "Small files, cached, read whole.", subjects);
}
