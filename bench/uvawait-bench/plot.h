/**
 * The figures as an SVG, drawn by gnuplot.
 */
#ifndef UVAWAIT_BENCH_PLOT_H
#define UVAWAIT_BENCH_PLOT_H

#include "result.h"
#include "../harness/machine.h"

/* Whether gnuplot is there, asked before anything is measured. Returns 0, or a
 * negative code after a line on stderr. */
int plot_check(void);

/* Draws a panel for each job. Returns 0, or a negative code after a line on
 * stderr, and then leaves no file behind. */
int plot_write(const char *path, const bench_machine_t *machine,
               const result_t results[], size_t count);

#endif
