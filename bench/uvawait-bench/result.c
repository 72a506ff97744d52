/*
 * Measures the sides of a job beside each other.
 *
 * How many samples: 15 of each side. One that takes longer than a moment is
 * not warmed up, and is not sampled again once it has taken 12 s, but three
 * times in any case; --quick settles for less. Nothing is extrapolated: what is
 * shown was measured, and the table says how often.
 */
#include "result.h"

#include <stdio.h>
#include <string.h>
#include <uv.h>

/* What a run needs beside its subject. */
typedef struct side {
    const job_t *job;
    size_t n;
    bench_series_t *longest; /* takes the longest wait of every sample */
} side_t;

static double seconds_since(uint64_t start_ns) {
    return (double)(bench_now_ns() - start_ns) / 1e9;
}

static int run_sequential(const bench_subject_t *self, double *ret_value) {
    const side_t *side = self->arg;
    uint64_t longest_ns = 0;
    uint64_t start_ns = bench_now_ns();
    int code = side->job->sequential(side->job->state, side->n, &longest_ns);

    if (code < 0)
        return code;
    *ret_value = seconds_since(start_ns);
    if (side->longest->count < side->longest->capacity)
        bench_series_add(side->longest, (double)longest_ns / 1e9);
    return 0;
}

static int run_concurrent(const bench_subject_t *self, double *ret_value) {
    const side_t *side = self->arg;
    uint64_t start_ns = bench_now_ns();
    int code = side->job->concurrent(side->job->state, side->n);

    if (code < 0)
        return code;
    *ret_value = seconds_since(start_ns);
    return 0;
}

static int run_plain(const bench_subject_t *self, double *ret_value) {
    const side_t *side = self->arg;
    uint64_t start_ns = bench_now_ns();
    int code = side->job->plain(side->job->state, side->n);

    if (code < 0)
        return code;
    *ret_value = seconds_since(start_ns);
    return 0;
}

static bench_plan_t make_plan(const options_t *options, const char *label) {
    bench_plan_t plan = {.warmups = 1, .runs = 15, .label = label};

    plan.costly_seconds = 12;
    plan.costly_min = 3;
    if (options->quick) {
        plan.runs = 5;
        plan.costly_seconds = 0.5;
        plan.costly_min = 1;
    }
    if (options->runs > 0) {
        plan.runs = options->runs;
        plan.costly_seconds = 0;
    }
    return plan;
}

/* Whether the sequential side takes longer than a moment: 100 waits of 10 ms
 * are a second. */
static bool is_costly(const job_t *job, size_t n) {
    return job->plain == NULL && n > 10;
}

static void set_subjects(bench_subject_t subjects[SIDES], side_t *side) {
    subjects[SEQUENTIAL] = (bench_subject_t){
        .name = "sequential",
        .unit = "s",
        .run = run_sequential,
        .arg = side,
        .costly = is_costly(side->job, side->n),
    };
    subjects[CONCURRENT] = (bench_subject_t){
        .name = "concurrent", .unit = "s", .run = run_concurrent, .arg = side};
    subjects[PLAIN] = (bench_subject_t){
        .name = "plain", .unit = "s", .run = run_plain, .arg = side};
}

int result_measure(const job_t *job, size_t n, const options_t *options,
                   result_t *ret_result) {
    char label[32] = "";
    bench_series_t longest = {0};
    side_t side = {.job = job, .n = n, .longest = &longest};
    bench_plan_t plan = make_plan(options, label);
    bench_subject_t subjects[SIDES];
    int code;

    snprintf(label, sizeof(label), "%s x %zu", job->name, n);
    memset(ret_result, 0, sizeof(*ret_result));
    ret_result->job = job;
    ret_result->n = n;
    ret_result->sides = job->plain != NULL ? 3 : 2;
    set_subjects(subjects, &side);
    code = bench_series_init(&longest, plan.warmups + plan.runs);
    if (code < 0)
        return bench_wrong("%s", uv_strerror(code));
    code =
        bench_measure(subjects, ret_result->sides, &plan, ret_result->series);
    ret_result->ideal_s =
        job->ideal_s > 0 ? job->ideal_s : bench_summarise(&longest).median;
    bench_series_free(&longest);
    for (size_t i = 0; i < SIDES; i++) {
        subjects[i].arg = NULL; /* It is on this frame. */
        ret_result->subjects[i] = subjects[i];
    }
    return code;
}

void result_free(result_t *result) {
    for (size_t i = 0; i < SIDES; i++)
        bench_series_free(&result->series[i]);
    memset(result, 0, sizeof(*result));
}

double result_median(const result_t *result, size_t side) {
    return bench_summarise(&result->series[side]).median;
}
