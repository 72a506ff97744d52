/**
 * A job that can be done one after another and all at once. There is one file
 * for each: sleep.c, fetch.c, files.c. A new job is such a file and a line in
 * main.c.
 */
#ifndef UVAWAIT_BENCH_JOB_H
#define UVAWAIT_BENCH_JOB_H

#include <stddef.h>
#include <stdint.h>

enum { JOB_SIZES_MAX = 3 };

typedef struct job {
    const char *name; /* as in --only */
    char title[96];   /* what it does, for people */
    /* All three are called in a task with state and a number of items, check
     * what they did, and return 0, or a negative code after a line on stderr.
     * *ret_longest_ns is the longest time that a single item took. */
    int (*sequential)(void *state, size_t n, uint64_t *ret_longest_ns);
    int (*concurrent)(void *state, size_t n);
    /* The same without tasks, as a yardstick; may be NULL. */
    int (*plain)(void *state, size_t n);
    /* Called in a task before the first run; may be NULL. 0, or a negative code
     * after a line on stderr. */
    int (*begin)(struct job *job);
    void *state;
    /* The longest single wait where it is known beforehand; 0: it is measured,
     * in the sequential runs. */
    double ideal_s;
    size_t sizes[JOB_SIZES_MAX];
    size_t size_count;
} job_t;

/* 10, 100, 1000 (quick: 10, 100), none above max; max itself if it lies
 * between. */
static inline void job_set_sizes(job_t *job, int quick, size_t max) {
    size_t top = quick ? 100 : 1000;

    job->size_count = 0;
    for (size_t n = 10; n <= top && n <= max; n *= 10)
        job->sizes[job->size_count++] = n;
    if (max < top &&
        (job->size_count == 0 || job->sizes[job->size_count - 1] != max))
        job->sizes[job->size_count++] = max;
}

#endif
