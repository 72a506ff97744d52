/**
 * Measuring: subjects are warmed up and then run in turn, A B C A B C ..., so
 * that whatever the machine does meanwhile happens to all of them alike.
 */
#ifndef BENCH_MEASURE_H
#define BENCH_MEASURE_H

#include "series.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef struct bench_subject bench_subject_t;

struct bench_subject {
    const char *name;
    /* What a sample is counted in: "ns", "s", "B" (bytes). */
    const char *unit;
    /* Runs once, checks its result, and fills *ret_value with the sample.
     * Returns 0, or a negative code after a line of bench_wrong(). */
    int (*run)(const bench_subject_t *self, double *ret_value);
    void *arg; /* for run */
    /* What is aimed at, in unit; 0: nothing. */
    double goal;
    /* A run takes seconds: it is not warmed up, and has fewer samples (see
     * bench_plan_t). */
    bool costly;
};

typedef struct bench_plan {
    size_t warmups; /* runs of each subject that are thrown away */
    size_t runs;    /* samples of each subject */
    /* A costly subject is not sampled again once its samples have taken this
     * many seconds together, but has costly_min of them in any case (runs, if
     * that is less). 0: it is sampled as often as the others. */
    double costly_seconds;
    size_t costly_min;
    /* Said before the subject's name in the progress line; may be NULL. */
    const char *label;
} bench_plan_t;

/* A monotonic clock in nanoseconds. */
uint64_t bench_now_ns(void);

/* Says on stderr, in one line that begins with the program's name, that
 * something is wrong; the line of progress is wiped first. Returns
 * UV_ECANCELED for `return bench_wrong(...)`. */
__attribute__((format(printf, 1, 2))) int bench_wrong(const char *format, ...);

/* Measures count subjects; ret_series has room for count, and each of them is
 * to be given to bench_series_free() whatever is returned. Progress is shown
 * on stderr when that is a terminal. Returns 0 or the code of the first run
 * that failed. */
int bench_measure(const bench_subject_t subjects[], size_t count,
                  const bench_plan_t *plan, bench_series_t ret_series[]);

#endif
