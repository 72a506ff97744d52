/**
 * The main program of a micro-benchmark. A subject file says what it measures:
 *
 *     static int spawn_await(void *arg)
 *     {
 *         bench_job_t *job = arg;
 *
 *         bench_start(job);
 *         ... job->operations times ...
 *         bench_stop(job);
 *         if (the result is not what it must be)
 *             return bench_wrong("...");
 *         return 0;
 *     }
 *
 *     static const bench_micro_t subjects[] = {
 *         { .name = "spawn + await", .run = spawn_await, .operations = ... },
 *     };
 *
 *     int main(int argc, char **argv)
 *     {
 *         return BENCH_MAIN(argc, argv, "what this is about", subjects);
 *     }
 *
 * and gets --runs, --quick, --only, --json, --help and --version, a table for
 * people and exit status 0, 1 (something came out wrong) or 2 (usage). One that
 * can draw its figures calls bench_main_plot() and gets --plot as well.
 */
#ifndef BENCH_MICRO_H
#define BENCH_MICRO_H

#include "machine.h"
#include "measure.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <uvawait.h>

/* Given to a run as its arg. */
typedef struct bench_job {
    uint64_t operations; /* to be done */
    uint64_t started_ns; /* by bench_start() */
    uint64_t elapsed_ns; /* between starts and stops, added up */
    /* The sample, when it is no time per operation; < 0: it is. */
    double value;
} bench_job_t;

typedef struct bench_micro {
    const char *name;
    /* Runs as the first task of a runtime of its own, or, when plain, outside
     * of any; arg is a bench_job_t. 0, or a negative code after a line of
     * bench_wrong(). */
    uva_fn run;
    bool plain;
    uint64_t operations; /* of one run */
    double goal;         /* in the unit; 0: none */
    const char *unit;    /* NULL: "ns", per operation */
} bench_micro_t;

static inline void bench_start(bench_job_t *job) {
    job->started_ns = bench_now_ns();
}

static inline void bench_stop(bench_job_t *job) {
    job->elapsed_ns += bench_now_ns() - job->started_ns;
}

#define BENCH_MAIN(argc, argv, about, subjects) \
    bench_main((argc), (argv), (about), (subjects), \
               sizeof(subjects) / sizeof((subjects)[0]))

/* Measures the subjects as the flags say; the result is main's. */
int bench_main(int argc, char **argv, const char *about,
               const bench_micro_t subjects[], size_t count);

/* Writes a script for gnuplot that draws the subjects that were measured; the
 * arg of each is its bench_micro_t. bench_gnuplot_style is written already. */
typedef void (*bench_plot_fn)(FILE *script, const bench_machine_t *machine,
                              const bench_subject_t subjects[],
                              const bench_series_t series[], size_t count);

/* The same with --plot; plot may be NULL. */
int bench_main_plot(int argc, char **argv, const char *about,
                    const bench_micro_t subjects[], size_t count,
                    bench_plot_fn plot);

#endif
