/*
 * Aligned tables and figures with units.
 */
#include "table.h"

#include <math.h>
#include <string.h>

static size_t column_width(const bench_row_t rows[], size_t count,
                           size_t column) {
    size_t width = 0;

    for (size_t i = 0; i < count; i++) {
        size_t length = strlen(rows[i].cells[column]);
        if (length > width)
            width = length;
    }
    return width;
}

void bench_table_print(const bench_row_t rows[], size_t count, size_t columns,
                       FILE *out) {
    int widths[BENCH_COLUMNS_MAX];

    for (size_t c = 0; c < columns; c++)
        widths[c] = (int)column_width(rows, count, c);
    for (size_t i = 0; i < count; i++) {
        for (size_t c = 0; c < columns; c++) {
            const char *cell = rows[i].cells[c];
            if (c == 0)
                fprintf(out, "%-*s", widths[c], cell);
            else
                fprintf(out, "  %*s", widths[c], cell);
        }
        fputc('\n', out);
    }
}

/* Four digits in all, as many of them after the point as fit. */
static void format_digits(char *text, size_t bytes, double value,
                          const char *unit) {
    double size = fabs(value);
    int decimals = size >= 1000 ? 0 : size >= 100 ? 1 : 2;

    snprintf(text, bytes, "%.*f %s", decimals, value, unit);
}

/* us_from: from how many nanoseconds on microseconds read better. */
static void format_ns(char *text, size_t bytes, double ns, double us_from) {
    double size = fabs(ns);

    if (size >= 1e9)
        format_digits(text, bytes, ns / 1e9, "s");
    else if (size >= 1e6)
        format_digits(text, bytes, ns / 1e6, "ms");
    else if (size >= us_from)
        format_digits(text, bytes, ns / 1e3, "us");
    else
        format_digits(text, bytes, ns, "ns");
}

static void format_bytes(char *text, size_t bytes, double value) {
    if (value >= 64.0 * 1024 * 1024)
        format_digits(text, bytes, value / (1024 * 1024), "MiB");
    else if (value >= 64.0 * 1024)
        format_digits(text, bytes, value / 1024, "KiB");
    else
        snprintf(text, bytes, "%.0f B", value);
}

void bench_format(char *text, size_t bytes, double value, const char *unit) {
    if (strcmp(unit, "ns") == 0)
        format_ns(text, bytes, value, 1e4);
    else if (strcmp(unit, "s") == 0)
        format_ns(text, bytes, value * 1e9, 1e3);
    else if (strcmp(unit, "B") == 0)
        format_bytes(text, bytes, value);
    else
        format_digits(text, bytes, value, unit);
}
