/**
 * Files that a benchmark writes: JSON for programs, and the check that a file
 * can be written at all, made before minutes are spent on measuring.
 */
#ifndef BENCH_OUTPUT_H
#define BENCH_OUTPUT_H

#include "measure.h"

#include <jansson.h>

/* Whether path can be written, without leaving anything behind. Returns 0, or
 * a negative code after a line on stderr. */
int bench_output_check(const char *path);

/* Name, unit, goal (left out without one), median, min, max, mad and every
 * sample of a subject. NULL without memory. The reference is new. */
json_t *bench_subject_json(const bench_subject_t *subject,
                           const bench_series_t *series);

/* Writes root to path and takes its reference; NULL is reported as memory that
 * ran out. Returns 0, or a negative code after a line on stderr. */
int bench_json_write(json_t *root, const char *path);

#endif
