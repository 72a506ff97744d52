/*
 * uva_sleep(0) and uva_yield() of a task that is alone, which goes round the
 * ready queue and now and then round the loop.
 *
 * There is no goal of its own: the one for a yield, 6 ns, is for two tasks in
 * turn (bench_switch). The baseline is what the same would cost as a turn of
 * libuv's loop.
 */
#include "harness/baseline.h"
#include "harness/micro.h"

enum { ROUNDS = 500000, TURNS = 100000 };

static int sleep0(void *arg) {
    bench_job_t *job = arg;
    int code = 0;

    bench_start(job);
    for (uint64_t i = 0; i < job->operations; i++)
        code |= uva_sleep(0);
    bench_stop(job);
    return code;
}

static int yield_alone(void *arg) {
    bench_job_t *job = arg;
    int code = 0;

    bench_start(job);
    for (uint64_t i = 0; i < job->operations; i++)
        code |= uva_yield();
    bench_stop(job);
    return code;
}

/* Half of the sleeps are another task's. */
typedef struct half {
    uint64_t sleeps;
    uint64_t done;
} half_t;

static int sleep_half(void *arg) {
    half_t *half = arg;
    int code = 0;

    while (code == 0 && half->done < half->sleeps) {
        code = uva_sleep(0);
        half->done++;
    }
    return code;
}

static int sleep0_pair(void *arg) {
    bench_job_t *job = arg;
    half_t halves[2] = {{.sleeps = job->operations / 2},
                        {.sleeps = job->operations / 2}};
    uva_future_t *tasks[2] = {uva_spawn(sleep_half, &halves[0]),
                              uva_spawn(sleep_half, &halves[1])};
    int code;

    bench_start(job);
    code = uva_gather(tasks, 2, NULL);
    bench_stop(job);
    if (halves[0].done + halves[1].done != job->operations)
        return bench_wrong("a sleep is missing");
    return code;
}

static const bench_micro_t subjects[] = {
    {.name = "libuv: a turn of the loop, one idle handle",
     .run = baseline_uv_idle,
     .plain = true,
     .operations = TURNS},
    {.name = "uva_sleep(0), alone", .run = sleep0, .operations = ROUNDS},
    {.name = "uva_sleep(0), two tasks in turn",
     .run = sleep0_pair,
     .operations = ROUNDS},
    {.name = "uva_yield(), alone", .run = yield_alone, .operations = ROUNDS},
};

int main(int argc, char **argv) {
    return BENCH_MAIN(argc, argv, "Giving way to others when there are none.",
                      subjects);
}
