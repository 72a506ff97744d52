/**
 * A series of samples and what is said about it.
 *
 * The figures are the median, the smallest and the largest sample, and as the
 * spread the median absolute deviation (MAD): the median of how far each
 * sample is from the median. Neither median nor MAD moves when one sample in
 * a few was disturbed by something else on the machine.
 */
#ifndef BENCH_SERIES_H
#define BENCH_SERIES_H

#include <stddef.h>

typedef struct bench_series {
    double *values;  /* in the order of measuring; NULL until init */
    size_t count;    /* how many are valid */
    size_t capacity; /* how many there is room for */
} bench_series_t;

/* All zero for an empty series. */
typedef struct bench_summary {
    size_t samples;
    double median;
    double min;
    double max;
    double mad;
} bench_summary_t;

/* Room for `capacity` samples. Returns 0 or UV_ENOMEM. */
int bench_series_init(bench_series_t *series, size_t capacity);

/* Adds a sample; there must be room. */
void bench_series_add(bench_series_t *series, double value);

/* Summarises without changing the order of the samples. */
bench_summary_t bench_summarise(const bench_series_t *series);

/* Gives the memory back; one that is all zero is fine. */
void bench_series_free(bench_series_t *series);

#endif
