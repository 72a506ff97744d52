/**
 * Pictures, drawn by gnuplot.
 */
#ifndef BENCH_GNUPLOT_H
#define BENCH_GNUPLOT_H

#include <stdio.h>

/* Whether gnuplot is there, asked before anything is measured. Returns 0, or a
 * negative code after a line on stderr. */
int bench_gnuplot_check(void);

/* Colours, grid and line styles 1 to 4, for the head of a script. */
extern const char bench_gnuplot_style[];

/* Runs a script, which must be open for reading too and be an unnamed file
 * (tmpfile()), and writes what it draws to path. Returns 0, or a negative code
 * after a line on stderr, and then leaves no half a picture behind. */
int bench_gnuplot_draw(FILE *script, const char *path);

#endif
