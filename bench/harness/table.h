/**
 * Tables for people: columns as wide as their widest cell, units in the cells.
 */
#ifndef BENCH_TABLE_H
#define BENCH_TABLE_H

#include <stddef.h>
#include <stdio.h>

enum { BENCH_COLUMNS_MAX = 10, BENCH_CELL_BYTES = 72 };

/* One line; cells that are not set are empty. ASCII only. */
typedef struct bench_row {
    char cells[BENCH_COLUMNS_MAX][BENCH_CELL_BYTES];
} bench_row_t;

/* Prints rows, the first of which is the headline. The first column stands on
 * the left, the others on the right. */
void bench_table_print(const bench_row_t rows[], size_t count, size_t columns,
                       FILE *out);

/* Writes a value with a unit that suits its size: seconds ("s") as s, ms, us
 * or ns, nanoseconds ("ns") likewise, bytes ("B") as B, KiB or MiB; anything
 * else as it is. Three or four digits. */
void bench_format(char *text, size_t bytes, double value, const char *unit);

#endif
