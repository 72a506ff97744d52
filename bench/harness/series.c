/*
 * Samples and their summary.
 *
 * Means and standard deviations were rejected: one interrupted sample moves
 * both, and on a shared machine there always is one.
 */
#include "series.h"

#include <assert.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <uv.h>

static int compare_doubles(const void *a, const void *b) {
    double left = *(const double *)a;
    double right = *(const double *)b;

    return (left > right) - (left < right);
}

/* The median of values, which are left sorted. */
static double sort_and_median(double values[], size_t count) {
    qsort(values, count, sizeof(values[0]), compare_doubles);
    if (count % 2 == 1)
        return values[count / 2];
    return (values[count / 2 - 1] + values[count / 2]) / 2;
}

int bench_series_init(bench_series_t *series, size_t capacity) {
    series->count = 0;
    series->capacity = capacity;
    series->values = calloc(capacity, sizeof(series->values[0]));
    return series->values == NULL ? UV_ENOMEM : 0;
}

void bench_series_add(bench_series_t *series, double value) {
    assert(series->count < series->capacity);
    series->values[series->count++] = value;
}

bench_summary_t bench_summarise(const bench_series_t *series) {
    bench_summary_t summary = {.samples = series->count};
    size_t count = series->count;
    double *sorted;

    if (count == 0)
        return summary;
    sorted = malloc(count * sizeof(sorted[0]));
    if (sorted == NULL)
        abort(); /* A few hundred bytes: nothing sensible is left to do. */
    memcpy(sorted, series->values, count * sizeof(sorted[0]));
    summary.median = sort_and_median(sorted, count);
    summary.min = sorted[0];
    summary.max = sorted[count - 1];
    for (size_t i = 0; i < count; i++)
        sorted[i] = fabs(sorted[i] - summary.median);
    summary.mad = sort_and_median(sorted, count);
    free(sorted);
    return summary;
}

void bench_series_free(bench_series_t *series) {
    free(series->values);
    memset(series, 0, sizeof(*series));
}
