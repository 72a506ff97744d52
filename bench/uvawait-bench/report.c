/*
 * What was measured, for people and for programs.
 */
#include "report.h"

#include "../harness/output.h"
#include "../harness/table.h"

#include <stdio.h>
#include <string.h>

enum { COLUMNS = 9 };

/* "101.2 ms +- 0.03 ms" */
static void fill_time(char cell[BENCH_CELL_BYTES], const result_t *result,
                      size_t side) {
    bench_summary_t summary = bench_summarise(&result->series[side]);
    char median[BENCH_CELL_BYTES / 2 - 4];
    char mad[BENCH_CELL_BYTES / 2 - 4];

    bench_format(median, sizeof(median), summary.median, "s");
    bench_format(mad, sizeof(mad), summary.mad, "s");
    if (summary.samples > 1)
        snprintf(cell, BENCH_CELL_BYTES, "%s +- %s", median, mad);
    else
        snprintf(cell, BENCH_CELL_BYTES, "%s (once)", median);
}

static void fill_row(bench_row_t *row, const result_t *result) {
    double sequential = result_median(result, SEQUENTIAL);
    double concurrent = result_median(result, CONCURRENT);
    double over = concurrent - result->ideal_s;

    snprintf(row->cells[0], BENCH_CELL_BYTES, "%s", result->job->name);
    snprintf(row->cells[1], BENCH_CELL_BYTES, "%zu", result->n);
    fill_time(row->cells[2], result, SEQUENTIAL);
    fill_time(row->cells[3], result, CONCURRENT);
    snprintf(row->cells[4], BENCH_CELL_BYTES, "%.*f x",
             sequential / concurrent < 100 ? 1 : 0, sequential / concurrent);
    bench_format(row->cells[5], BENCH_CELL_BYTES, result->ideal_s, "s");
    bench_format(row->cells[6], BENCH_CELL_BYTES, over, "s");
    snprintf(row->cells[7], BENCH_CELL_BYTES, "%.1f %%",
             100 * over / result->ideal_s);
    snprintf(row->cells[8], BENCH_CELL_BYTES, "%zu + %zu",
             result->series[SEQUENTIAL].count,
             result->series[CONCURRENT].count);
}

void report_print(const bench_machine_t *machine, const result_t results[],
                  size_t count, const char *const notes[]) {
    bench_row_t rows[RESULTS_MAX + 1] = {
        {{"job", "n", "sequential", "concurrent", "speed-up", "ideal",
          "over it", "", "samples"}}};

    bench_machine_print(machine, stdout);
    fputc('\n', stdout);
    for (size_t i = 0; i < count; i++)
        fill_row(&rows[i + 1], &results[i]);
    bench_table_print(rows, count + 1, COLUMNS, stdout);
    fputs("\nMedians; +- is the median absolute deviation. Samples: of the "
          "sequential side + of\nthe concurrent side.\n",
          stdout);
    for (; *notes != NULL; notes++)
        printf("%s\n", *notes);
}

static json_t *result_json(const result_t *result) {
    double sequential = result_median(result, SEQUENTIAL);
    double concurrent = result_median(result, CONCURRENT);
    json_t *object = json_pack(
        "{s:s, s:s, s:I, s:f, s:b, s:f, s:f}", "job", result->job->name,
        "title", result->job->title, "n", (json_int_t)result->n, "ideal",
        result->ideal_s, "ideal_is_measured", result->job->ideal_s <= 0,
        "speed_up", sequential / concurrent, "over_ideal",
        concurrent - result->ideal_s);

    for (size_t side = 0; side < result->sides; side++)
        json_object_set_new(
            object, result->subjects[side].name,
            bench_subject_json(&result->subjects[side], &result->series[side]));
    return object;
}

int report_write_json(const char *path, const bench_machine_t *machine,
                      const result_t results[], size_t count,
                      const char *const notes[]) {
    json_t *list = json_array();
    json_t *remarks = json_array();

    for (size_t i = 0; i < count; i++)
        json_array_append_new(list, result_json(&results[i]));
    for (; *notes != NULL; notes++)
        json_array_append_new(remarks, json_string(*notes));
    return bench_json_write(json_pack("{s:s, s:o, s:o, s:o}", "program",
                                      "uvawait-bench", "machine",
                                      bench_machine_json(machine), "results",
                                      list, "notes", remarks),
                            path);
}
