/*
 * What every micro-benchmark's main does: flags, measuring, table, JSON.
 *
 * Each sample has a runtime of its own, so that no subject finds another's
 * pools warm or its heap full of timers; a subject that wants warm pools warms
 * them before bench_start(). One process per subject instead was rejected: it
 * would hide what the harness costs and make interleaving slow.
 */
#include "micro.h"

#include "gnuplot.h"
#include "machine.h"
#include "output.h"
#include "table.h"

#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { MICRO_MAX = 32 };

typedef struct flags {
    size_t runs;
    const char *only;   /* NULL: all */
    const char *json;   /* NULL: none */
    const char *plot;   /* NULL: none */
    bench_plot_fn draw; /* NULL: there is no --plot */
} flags_t;

/* The exit status of a program that is to end now, or GO_ON. */
enum { GO_ON = -1, EXIT_USAGE = 2 };

static const struct option long_options[] = {
    {"runs", required_argument, NULL, 'r'},
    {"quick", no_argument, NULL, 'q'},
    {"only", required_argument, NULL, 'o'},
    {"json", required_argument, NULL, 'j'},
    {"plot", required_argument, NULL, 'p'},
    {"help", no_argument, NULL, 'h'},
    {"version", no_argument, NULL, 'V'},
    {NULL, 0, NULL, 0},
};

static void print_help(const char *about, bool can_draw) {
    printf("Usage: %s [OPTION]...\n%s\n\n"
           "  --runs N      samples of each subject (default 15)\n"
           "  --quick       3 samples\n"
           "  --only TEXT   only the subjects whose name contains TEXT\n"
           "  --json FILE   write machine, subjects and samples to FILE\n"
           "%s"
           "  --help        this text\n"
           "  --version     the library's version\n\n"
           "The figures are medians; +- is the median absolute deviation.\n",
           program_invocation_short_name, about,
           can_draw ? "  --plot FILE   draw the figures to FILE as an SVG\n"
                    : "");
}

static int parse_runs(const char *text, size_t *ret_runs) {
    char *end;
    unsigned long runs;

    errno = 0;
    runs = strtoul(text, &end, 10);
    if (errno != 0 || *end != '\0' || runs < 1 || runs > 10000) {
        bench_wrong("--runs '%s': a number from 1 to 10000 is needed", text);
        return EXIT_USAGE;
    }
    *ret_runs = runs;
    return GO_ON;
}

static int parse_flags(int argc, char **argv, const char *about,
                       flags_t *flags) {
    int option;
    int status = GO_ON;

    argv[0] = program_invocation_short_name; /* For getopt's complaints. */
    while (status == GO_ON &&
           (option = getopt_long(argc, argv, "", long_options, NULL)) != -1) {
        switch (option) {
        case 'r':
            status = parse_runs(optarg, &flags->runs);
            break;
        case 'q':
            flags->runs = 3;
            break;
        case 'o':
            flags->only = optarg;
            break;
        case 'j':
            flags->json = optarg;
            break;
        case 'p':
            flags->plot = optarg;
            break;
        case 'h':
            print_help(about, flags->draw != NULL);
            return EXIT_SUCCESS;
        case 'V':
            printf("%s %s\n", program_invocation_short_name, uva_version());
            return EXIT_SUCCESS;
        default: /* getopt_long has said what is wrong. */
            return EXIT_USAGE;
        }
    }
    if (status == GO_ON && optind < argc) {
        bench_wrong("unexpected argument '%s'; see --help", argv[optind]);
        return EXIT_USAGE;
    }
    if (status == GO_ON && flags->plot != NULL && flags->draw == NULL) {
        bench_wrong("--plot: there is nothing to draw here; see --help");
        return EXIT_USAGE;
    }
    return status;
}

/* One sample of a micro subject. */
static int run_micro(const bench_subject_t *self, double *ret_value) {
    const bench_micro_t *micro = self->arg;
    bench_job_t job = {.operations = micro->operations, .value = -1};
    int code = micro->plain ? micro->run(&job) : uva_run(micro->run, &job);

    if (code < 0 && code != UV_ECANCELED)
        bench_wrong("%s: %s", self->name, uv_strerror(code));
    if (code < 0)
        return code;
    if (job.value >= 0)
        *ret_value = job.value;
    else
        *ret_value = (double)job.elapsed_ns / (double)job.operations;
    return 0;
}

static size_t choose_subjects(const bench_micro_t micros[], size_t count,
                              const flags_t *flags,
                              bench_subject_t ret_subjects[]) {
    size_t chosen = 0;

    for (size_t i = 0; i < count && chosen < MICRO_MAX; i++) {
        const bench_micro_t *micro = &micros[i];
        if (flags->only != NULL && strstr(micro->name, flags->only) == NULL)
            continue;
        ret_subjects[chosen++] = (bench_subject_t){
            .name = micro->name,
            .unit = micro->unit != NULL ? micro->unit : "ns",
            .run = run_micro,
            .arg = (void *)micro,
            .goal = micro->goal,
        };
    }
    return chosen;
}

static void fill_row(bench_row_t *row, const bench_subject_t *subject,
                     const bench_series_t *series) {
    bench_summary_t summary = bench_summarise(series);
    char mad[BENCH_CELL_BYTES - 4];

    snprintf(row->cells[0], BENCH_CELL_BYTES, "%s", subject->name);
    bench_format(row->cells[1], BENCH_CELL_BYTES, summary.median,
                 subject->unit);
    bench_format(mad, sizeof(mad), summary.mad, subject->unit);
    snprintf(row->cells[2], BENCH_CELL_BYTES, "+- %s", mad);
    bench_format(row->cells[3], BENCH_CELL_BYTES, summary.min, subject->unit);
    if (subject->goal > 0)
        bench_format(row->cells[4], BENCH_CELL_BYTES, subject->goal,
                     subject->unit);
}

static void print_table(const bench_subject_t subjects[],
                        const bench_series_t series[], size_t count) {
    bench_row_t rows[MICRO_MAX + 1] = {
        {{"", "median", "spread", "min", "goal"}}};

    snprintf(rows[0].cells[0], BENCH_CELL_BYTES, "%s, %zu samples",
             program_invocation_short_name, series[0].count);
    for (size_t i = 0; i < count; i++)
        fill_row(&rows[i + 1], &subjects[i], &series[i]);
    bench_table_print(rows, count + 1, 5, stdout);
}

static int write_json(const char *path, const bench_machine_t *machine,
                      const bench_subject_t subjects[],
                      const bench_series_t series[], size_t count) {
    json_t *results = json_array();

    for (size_t i = 0; i < count; i++)
        json_array_append_new(results,
                              bench_subject_json(&subjects[i], &series[i]));
    return bench_json_write(
        json_pack("{s:s, s:o, s:o}", "program", program_invocation_short_name,
                  "machine", bench_machine_json(machine), "results", results),
        path);
}

static int draw(const flags_t *flags, const bench_machine_t *machine,
                const bench_subject_t subjects[], const bench_series_t series[],
                size_t count) {
    FILE *script = tmpfile();

    if (script == NULL)
        return bench_wrong("cannot write '%s': %s", flags->plot,
                           strerror(errno));
    fputs(bench_gnuplot_style, script);
    flags->draw(script, machine, subjects, series, count);
    int code = bench_gnuplot_draw(script, flags->plot);
    fclose(script);
    return code;
}

static int measure_and_report(const bench_subject_t subjects[], size_t count,
                              const flags_t *flags) {
    bench_plan_t plan = {.warmups = 1, .runs = flags->runs};
    bench_series_t series[MICRO_MAX];
    bench_machine_t machine;
    int code;

    bench_machine_init(&machine);
    code = bench_measure(subjects, count, &plan, series);
    if (code == 0) {
        print_table(subjects, series, count);
        if (flags->json != NULL)
            code = write_json(flags->json, &machine, subjects, series, count);
        if (code == 0 && flags->plot != NULL)
            code = draw(flags, &machine, subjects, series, count);
    }
    for (size_t i = 0; i < count; i++)
        bench_series_free(&series[i]);
    return code;
}

/* Whether everything that is to be written can be, before minutes are spent. */
static int check_outputs(const flags_t *flags) {
    if (flags->json != NULL && bench_output_check(flags->json) < 0)
        return -1;
    if (flags->plot == NULL)
        return 0;
    return bench_output_check(flags->plot) < 0 ? -1 : bench_gnuplot_check();
}

int bench_main(int argc, char **argv, const char *about,
               const bench_micro_t micros[], size_t count) {
    return bench_main_plot(argc, argv, about, micros, count, NULL);
}

int bench_main_plot(int argc, char **argv, const char *about,
                    const bench_micro_t micros[], size_t count,
                    bench_plot_fn plot) {
    bench_subject_t subjects[MICRO_MAX];
    flags_t flags = {.runs = 15, .draw = plot};
    int status = parse_flags(argc, argv, about, &flags);

    if (status != GO_ON)
        return status;
    count = choose_subjects(micros, count, &flags, subjects);
    if (count == 0) {
        bench_wrong("--only '%s': no subject's name contains that", flags.only);
        return EXIT_USAGE;
    }
    if (check_outputs(&flags) < 0)
        return EXIT_FAILURE;
    return measure_and_report(subjects, count, &flags) < 0 ? EXIT_FAILURE
                                                           : EXIT_SUCCESS;
}
