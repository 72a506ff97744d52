/*
 * Gather, group and cancel over N from a hundred to a million; per item.
 *
 * What each costs per item must not depend on how many there are: then the
 * whole is linear in N. Each sample makes one round that is not timed, so that
 * pools, stacks and their pages are there; what rises after that is the price
 * of memory, since a million tasks do not fit into any cache.
 *
 * The cancelled ones are parked, each on a stack of its own: a million of them
 * take about 5 GiB, so this is run by hand.
 */
#include "harness/micro.h"

#include <stdlib.h>
#include <string.h>

enum { AT_LEAST = 200000 }; /* items in a sample */

static int add_one(void *arg) {
    (*(uint64_t *)arg)++;
    return 0;
}

static int park_for_ever(void *arg) {
    int code = uva_sleep(UVA_FOREVER);

    (*(uint64_t *)arg)++;
    return code;
}

/* ---- one round ---------------------------------------------------------- */

typedef struct round {
    bench_job_t *job; /* what is to be timed is */
    size_t count;
    uva_future_t **futures; /* room for count */
    uint64_t sum;           /* items that have run */
} round_t;

static int gather_round(round_t *round) {
    bench_start(round->job);
    for (size_t i = 0; i < round->count; i++)
        round->futures[i] = uva_spawn(add_one, &round->sum);
    int code = uva_gather(round->futures, round->count, NULL);
    bench_stop(round->job);
    return code;
}

static int group_round(round_t *round) {
    uva_group_t group;
    int code = 0;

    bench_start(round->job);
    uva_group_open(&group);
    for (size_t i = 0; i < round->count && code == 0; i++)
        code = uva_group_spawn(&group, add_one, &round->sum);
    int closed = uva_group_close(&group);
    bench_stop(round->job);
    return code < 0 ? code : closed;
}

static int gather_parked(void *arg) {
    round_t *round = arg;

    return uva_gather(round->futures, round->count, NULL);
}

/* Times from the request to the end of the last. */
static int cancel_gather_round(round_t *round) {
    for (size_t i = 0; i < round->count; i++)
        round->futures[i] = uva_spawn(park_for_ever, &round->sum);
    uva_task_t *gatherer = uva_spawn(gather_parked, round);
    int code = uva_wait_all_blocked();

    bench_start(round->job);
    int outcome = uva_cancel_and_wait(gatherer);
    bench_stop(round->job);
    return code < 0 || outcome == UV_ECANCELED ? code : outcome;
}

static int cancel_group_round(round_t *round) {
    uva_group_t group;
    int code = 0;

    uva_group_open(&group);
    for (size_t i = 0; i < round->count && code == 0; i++)
        code = uva_group_spawn(&group, park_for_ever, &round->sum);
    if (code == 0)
        code = uva_wait_all_blocked();
    bench_start(round->job);
    uva_group_cancel(&group);
    int closed = uva_group_close(&group);
    bench_stop(round->job);
    return code < 0 ? code : closed;
}

/* ---- subjects ----------------------------------------------------------- */

/* A round to warm up, then as many as make the sample. */
static int run_rounds(bench_job_t *job, size_t count,
                      int (*run)(round_t *round)) {
    round_t round = {.job = job, .count = count};
    uint64_t rounds = job->operations / count;

    round.futures = calloc(count, sizeof(uva_future_t *));
    int code = round.futures != NULL ? run(&round) : UV_ENOMEM;
    job->elapsed_ns = 0;
    for (uint64_t i = 0; i < rounds && code == 0; i++)
        code = run(&round);
    free(round.futures);
    if (code == 0 && round.sum != (rounds + 1) * count)
        return bench_wrong("%llu items ran instead of %llu",
                           (unsigned long long)round.sum,
                           (unsigned long long)((rounds + 1) * count));
    return code;
}

/* A subject is an operation at a size; the size tells a run what to do. */
#define AT(kind, size) \
    static int kind##_##size(void *arg) { \
        return run_rounds(arg, size, kind##_round); \
    }
#define AT_ALL(kind) \
    AT(kind, 100) \
    AT(kind, 1000) \
    AT(kind, 10000) \
    AT(kind, 100000) \
    AT(kind, 1000000)

AT_ALL(gather)
AT_ALL(group)
AT_ALL(cancel_gather)
AT_ALL(cancel_group)

#define SUBJECT(title, kind, size) \
    { \
        .name = title " " #size, .run = kind##_##size, \
        .operations = (size) > AT_LEAST ? (size) : AT_LEAST \
    }
#define SUBJECTS(title, kind) \
    SUBJECT(title, kind, 100), SUBJECT(title, kind, 1000), \
        SUBJECT(title, kind, 10000), SUBJECT(title, kind, 100000), \
        SUBJECT(title, kind, 1000000)

enum { SIZES = 5 };

static const char *const titles[] = {"spawn and gather", "group of",
                                     "cancel a gather of", "cancel a group of"};

static const bench_micro_t subjects[] = {
    SUBJECTS("spawn and gather", gather),
    SUBJECTS("group of", group),
    SUBJECTS("cancel a gather of", cancel_gather),
    SUBJECTS("cancel a group of", cancel_group),
};

/* ---- the picture -------------------------------------------------------- */

/* Which operation a measured subject is of. */
static size_t kind_of(const bench_subject_t *subject) {
    return (size_t)((const bench_micro_t *)subject->arg - subjects) / SIZES;
}

/* The points of an operation; how many there are. */
static size_t write_points(FILE *script, size_t kind,
                           const bench_subject_t measured[],
                           const bench_series_t series[], size_t count) {
    size_t points = 0;

    fprintf(script, "$kind%zu << END\n", kind);
    for (size_t i = 0; i < count; i++) {
        if (kind_of(&measured[i]) != kind)
            continue;
        bench_summary_t s = bench_summarise(&series[i]);
        fprintf(script, "%s %.4g %.4g %.4g\n",
                strrchr(measured[i].name, ' ') + 1, s.median, s.min, s.max);
        points++;
    }
    fputs("END\n", script);
    return points;
}

/* Nanoseconds per item over the number of items: linear is level. */
static void write_lines(FILE *script, const bench_subject_t measured[],
                        const bench_series_t series[], size_t count) {
    enum { KINDS = sizeof titles / sizeof titles[0] };
    size_t points[KINDS];
    const char *separator = "plot ";

    for (size_t kind = 0; kind < KINDS; kind++)
        points[kind] = write_points(script, kind, measured, series, count);
    for (size_t kind = 0; kind < KINDS; kind++) {
        if (points[kind] == 0)
            continue;
        fprintf(script,
                "%s$kind%zu u 1:2:3:4 w yerrorbars ls %zu ps 0.01 notitle, "
                "$kind%zu u 1:2 w lp ls %zu t '%s N'",
                separator, kind, kind + 1, kind, kind + 1, titles[kind]);
        separator = ", ";
    }
    fputs("\n", script);
}

static void plot(FILE *script, const bench_machine_t *machine,
                 const bench_subject_t measured[],
                 const bench_series_t series[], size_t count) {
    fputs("set terminal svg size 760,460 font 'Helvetica,12' "
          "background rgb 'white' enhanced\n"
          "set logscale x\nset format x '%.0f'\n"
          "set xrange [70:1500000]\nset yrange [0:*]\n"
          "set xlabel 'N' textcolor rgb '#3c4048'\n"
          "set ylabel 'ns per item' textcolor rgb '#3c4048'\n"
          "set style line 3 lc rgb '#5b8c5a' lw 2.5 pt 7 ps 0.7\n"
          "set key top left reverse Left samplen 2\n",
          script);
    fprintf(script,
            "set title \"Per item: level is linear. uvawait %s, %s\" "
            "noenhanced font ',13'\n",
            machine->library, machine->cpu);
    write_lines(script, measured, series, count);
}

int main(int argc, char **argv) {
    return bench_main_plot(
        argc, argv, "Gather, group and cancel of N, per item (takes 5 GiB).",
        subjects, sizeof(subjects) / sizeof(subjects[0]), plot);
}
