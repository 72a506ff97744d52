/**
 * A job of one size, measured: what table, JSON and plot are made of.
 */
#ifndef UVAWAIT_BENCH_RESULT_H
#define UVAWAIT_BENCH_RESULT_H

#include "job.h"
#include "options.h"
#include "../harness/measure.h"

#include <stdbool.h>

enum { RESULTS_MAX = 3 * JOB_SIZES_MAX };

/* The sides of a result. */
enum { SEQUENTIAL, CONCURRENT, PLAIN, SIDES };

typedef struct result {
    const job_t *job;
    size_t n;
    size_t sides;                    /* 2, or 3 with a plain one */
    bench_subject_t subjects[SIDES]; /* samples in seconds */
    bench_series_t series[SIDES];
    /* The longest single wait in seconds: the job's, or the median over the
     * sequential runs of the longest of each. */
    double ideal_s;
} result_t;

/* Measures one size of a job; in a task. Returns 0, or a negative code after a
 * line on stderr; result_free() in both cases. */
int result_measure(const job_t *job, size_t n, const options_t *options,
                   result_t *ret_result);
void result_free(result_t *result);

/* The median of a side in seconds. */
double result_median(const result_t *result, size_t side);

#endif
