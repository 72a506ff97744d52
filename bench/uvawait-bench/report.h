/**
 * The table for people and the JSON for programs.
 */
#ifndef UVAWAIT_BENCH_REPORT_H
#define UVAWAIT_BENCH_REPORT_H

#include "result.h"
#include "../harness/machine.h"

/* Prints headline, table and notes. Notes are lines, NULL at the end. */
void report_print(const bench_machine_t *machine, const result_t results[],
                  size_t count, const char *const notes[]);

/* Returns 0, or a negative code after a line on stderr. */
int report_write_json(const char *path, const bench_machine_t *machine,
                      const result_t results[], size_t count,
                      const char *const notes[]);

#endif
