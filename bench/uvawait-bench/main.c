/*
 * uvawait-bench: what waiting for everything at once is worth.
 *
 * The same job is done one after another and all at once: sleeping, fetching
 * over TCP, reading files. Everything is measured in one task of one runtime,
 * so the tasks of a sample stand on stacks that the sample before has used, as
 * they do in a program that runs for longer than a moment.
 *
 * If you add a job: a file like sleep.c, a flag in --only, and a line in
 * choose_jobs().
 */
#include "fetch.h"
#include "files.h"
#include "options.h"
#include "plot.h"
#include "report.h"
#include "result.h"
#include "sleep.h"
#include "../harness/output.h"
#include "../harness/table.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <uvawait.h>

enum { JOBS_MAX = 3, NOTES_MAX = 8, NOTE_BYTES = 160 };

typedef struct bench {
    options_t options;
    fetch_t fetch;
    files_t files;
    job_t jobs[JOBS_MAX];
    size_t job_count;
    bool began; /* the main task has run */
    result_t results[RESULTS_MAX];
    size_t result_count;
    char note_texts[NOTES_MAX][NOTE_BYTES];
    const char *notes[NOTES_MAX + 1]; /* NULL at the end */
    size_t note_count;
} bench_t;

/* A thousand connections need a thousand descriptors; the usual soft limit is
 * 1024, and the hard one far above it. */
static void raise_descriptor_limit(void) {
    struct rlimit limit;

    if (getrlimit(RLIMIT_NOFILE, &limit) < 0)
        return;
    limit.rlim_cur = limit.rlim_max;
    setrlimit(RLIMIT_NOFILE, &limit);
}

/* Everything that can go wrong before the measuring. The server is a child
 * process and comes first, while there is nothing that a fork would copy. */
static int prepare(bench_t *bench) {
    const options_t *options = &bench->options;
    int code;

    raise_descriptor_limit();
    if (options->fetch && (code = fetch_prepare(options, &bench->fetch)) < 0)
        return code;
    if (options->files && (code = files_prepare(options, &bench->files)) < 0)
        return code;
    if (options->json != NULL && (code = bench_output_check(options->json)) < 0)
        return code;
    if (options->plot != NULL && (code = bench_output_check(options->plot)) < 0)
        return code;
    return options->plot != NULL ? plot_check() : 0;
}

static void choose_jobs(bench_t *bench) {
    const options_t *options = &bench->options;

    if (options->sleep)
        sleep_job(options, &bench->jobs[bench->job_count++]);
    if (options->fetch)
        fetch_job(options, &bench->fetch, &bench->jobs[bench->job_count++]);
    if (options->files)
        files_job(options, &bench->files, &bench->jobs[bench->job_count++]);
}

/* The main task. */
static int measure(void *arg) {
    bench_t *bench = arg;

    bench->began = true;
    for (size_t i = 0; i < bench->job_count; i++) {
        job_t *job = &bench->jobs[i];
        if (job->begin != NULL && job->begin(job) < 0)
            return UV_ECANCELED; /* It has said why. */
        for (size_t s = 0; s < job->size_count; s++) {
            int code = result_measure(job, job->sizes[s], &bench->options,
                                      &bench->results[bench->result_count++]);
            if (code < 0)
                return code;
        }
    }
    return 0;
}

__attribute__((format(printf, 2, 3))) static void
add_note(bench_t *bench, const char *format, ...) {
    char *text = bench->note_texts[bench->note_count];
    va_list args;

    va_start(args, format);
    vsnprintf(text, NOTE_BYTES, format, args);
    va_end(args);
    bench->notes[bench->note_count++] = text;
}

static void note_plain(bench_t *bench) {
    for (size_t i = 0; i < bench->result_count; i++) {
        const result_t *result = &bench->results[i];
        char plain[32];
        if (result->sides <= PLAIN)
            continue;
        bench_format(plain, sizeof(plain), result_median(result, PLAIN), "s");
        add_note(bench, "%s x %zu in a plain loop, no tasks, no pool: %s",
                 result->job->name, result->n, plain);
    }
}

/* What a reader has to know to read the figures right. */
static void add_notes(bench_t *bench) {
    const fetch_t *fetch = &bench->fetch;

    if (bench->options.sleep || (bench->options.fetch && !fetch->send))
        add_note(bench, "Ideal of sleep and of our own server: the 10 ms that "
                        "each waits for.");
    if (bench->options.fetch && fetch->send != NULL)
        add_note(bench,
                 "Ideal of fetch: the longest single request of a "
                 "sequential run. Answers: %zu to %zu bytes.",
                 fetch->shortest, fetch->longest);
    if (!bench->options.files)
        return;
    add_note(bench,
             "Files: %zu, %.1f MiB in all, in the page cache; %zu more "
             "not readable, too large or too many.",
             bench->files.count, (double)bench->files.bytes / 1048576,
             bench->files.skipped);
    add_note(bench, "Ideal of files: the longest single read of a sequential "
                    "run; out of reach, as reading is work for the cores.");
    note_plain(bench);
}

static int report(bench_t *bench) {
    const options_t *options = &bench->options;
    bench_machine_t machine;
    int code = 0;

    bench_machine_init(&machine);
    add_notes(bench);
    report_print(&machine, bench->results, bench->result_count, bench->notes);
    if (options->json != NULL)
        code = report_write_json(options->json, &machine, bench->results,
                                 bench->result_count, bench->notes);
    if (code == 0 && options->plot != NULL)
        code = plot_write(options->plot, &machine, bench->results,
                          bench->result_count);
    return code;
}

/* Returns 0, or a negative code after a line on stderr. */
static int run(bench_t *bench) {
    int code = prepare(bench);

    if (code < 0)
        return code;
    choose_jobs(bench);
    code = uva_run(measure, bench);
    if (code < 0 && !bench->began)
        bench_wrong("%s", uv_strerror(code)); /* Nobody has said why yet. */
    return code < 0 ? code : report(bench);
}

int main(int argc, char **argv) {
    static bench_t bench;
    int status = options_parse(argc, argv, &bench.options);

    if (status != GO_ON)
        return status;
    status = run(&bench) < 0 ? EXIT_FAILURE : EXIT_SUCCESS;
    for (size_t i = 0; i < bench.result_count; i++)
        result_free(&bench.results[i]);
    fetch_free(&bench.fetch);
    files_free(&bench.files);
    return status;
}
