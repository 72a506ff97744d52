/**
 * Job "files": reading n files, each in a job of the thread pool.
 */
#ifndef UVAWAIT_BENCH_FILES_H
#define UVAWAIT_BENCH_FILES_H

#include "job.h"
#include "options.h"

/* A file, and what was in it when it was first read. */
typedef struct file {
    char *path; /* owned */
    size_t bytes;
    uint64_t sum;
} file_t;

typedef struct files {
    char *const *paths; /* where to look; borrowed */
    int quick;
    file_t *files; /* owned; in the order of the walk */
    size_t count;
    size_t capacity;
    size_t bytes;   /* of all files together */
    size_t skipped; /* below the paths: not readable, or too large */
} files_t;

/* Finds the files and reads each of them once, plainly. Returns 0, or a
 * negative code after a line on stderr; files_free() in both cases. */
int files_prepare(const options_t *options, files_t *ret_files);
void files_free(files_t *files);

void files_job(const options_t *options, files_t *files, job_t *ret_job);

#endif
