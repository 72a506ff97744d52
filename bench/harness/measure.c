/*
 * Runs subjects in turn and collects their samples.
 *
 * A run times itself: only it knows where its preparation ends. So the harness
 * neither subtracts an empty loop nor guesses how many operations a sample
 * needs; the subjects' authors choose counts that take some milliseconds.
 * Calibrating them at run time was rejected, because two subjects would then
 * do different amounts of work beside each other.
 */
#include "measure.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>
#include <uv.h>

uint64_t bench_now_ns(void) {
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
}

/* Goes back to the start of the line and wipes it. */
static void wipe_progress(void) {
    if (isatty(STDERR_FILENO))
        fputs("\r\033[K", stderr);
}

static void show_progress(const bench_plan_t *plan, const char *name,
                          size_t round, size_t rounds) {
    if (!isatty(STDERR_FILENO))
        return;
    fprintf(stderr, "\r\033[K%s%s%.60s, ",
            plan->label != NULL ? plan->label : "",
            plan->label != NULL ? ": " : "", name);
    if (round > 0)
        fprintf(stderr, "%zu of %zu", round, rounds);
    else
        fputs("warming up", stderr);
    fflush(stderr);
}

int bench_wrong(const char *format, ...) {
    va_list args;

    fflush(stdout);
    wipe_progress();
    fprintf(stderr, "%s: ", program_invocation_short_name);
    va_start(args, format);
    vfprintf(stderr, format, args);
    va_end(args);
    fputc('\n', stderr);
    return UV_ECANCELED;
}

/* What is known about a subject while it is measured, apart from samples. */
typedef struct course {
    double spent_s; /* wall time of its samples so far */
} course_t;

/* Whether the subject has had its samples before the round is begun. */
static bool is_finished(const bench_subject_t *subject,
                        const bench_plan_t *plan, const course_t *course,
                        const bench_series_t *series) {
    if (series->count >= plan->runs)
        return true;
    if (!subject->costly || plan->costly_seconds <= 0)
        return false;
    return series->count >= plan->costly_min &&
           course->spent_s >= plan->costly_seconds;
}

/* Runs once; the sample goes to series, or nowhere if that is NULL. */
static int run_once(const bench_subject_t *subject, course_t *course,
                    bench_series_t *series) {
    double value = 0;
    uint64_t start = bench_now_ns();
    int code = subject->run(subject, &value);

    if (code < 0)
        return code;
    if (series == NULL)
        return 0;
    course->spent_s += (double)(bench_now_ns() - start) / 1e9;
    bench_series_add(series, value);
    return 0;
}

static int warm_up(const bench_subject_t subjects[], size_t count,
                   const bench_plan_t *plan) {
    for (size_t round = 0; round < plan->warmups; round++) {
        for (size_t i = 0; i < count; i++) {
            if (subjects[i].costly)
                continue;
            show_progress(plan, subjects[i].name, 0, plan->runs);
            int code = run_once(&subjects[i], NULL, NULL);
            if (code < 0)
                return code;
        }
    }
    return 0;
}

static int sample(const bench_subject_t subjects[], size_t count,
                  const bench_plan_t *plan, course_t courses[],
                  bench_series_t ret_series[]) {
    for (size_t round = 0; round < plan->runs; round++) {
        for (size_t i = 0; i < count; i++) {
            if (is_finished(&subjects[i], plan, &courses[i], &ret_series[i]))
                continue;
            show_progress(plan, subjects[i].name, round + 1, plan->runs);
            int code = run_once(&subjects[i], &courses[i], &ret_series[i]);
            if (code < 0)
                return code;
        }
    }
    return 0;
}

int bench_measure(const bench_subject_t subjects[], size_t count,
                  const bench_plan_t *plan, bench_series_t ret_series[]) {
    enum { SUBJECTS_MAX = 64 };
    course_t courses[SUBJECTS_MAX] = {{0}};
    int code = 0;

    memset(ret_series, 0, count * sizeof(ret_series[0]));
    if (count > SUBJECTS_MAX)
        return bench_wrong("%zu subjects: %d at most", count, SUBJECTS_MAX);
    for (size_t i = 0; i < count && code == 0; i++)
        code = bench_series_init(&ret_series[i], plan->runs);
    if (code < 0)
        return bench_wrong("%s", uv_strerror(code));
    code = warm_up(subjects, count, plan);
    if (code == 0)
        code = sample(subjects, count, plan, courses, ret_series);
    wipe_progress();
    return code;
}
