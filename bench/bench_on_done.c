/*
 * Callbacks on futures: making a future, adding a callback, completing it, and
 * the call. Beside it what a task that waits would cost, and plain libuv's
 * cheapest way to have something called later in the loop.
 *
 * There is no goal for it yet.
 */
#include "harness/baseline.h"
#include "harness/micro.h"

enum { ROUNDS = 200000, BATCH = 100, TURNS = 100000 };

/* What the callbacks count into. */
typedef struct counter {
    uint64_t called;
} counter_t;

static void count(uva_future_t *f, void *arg) {
    counter_t *counter = arg;

    counter->called += uva_status(f) == 0;
}

static int checked(uint64_t got, const bench_job_t *job) {
    if (got != job->operations)
        return bench_wrong("%llu callbacks instead of %llu",
                           (unsigned long long)got,
                           (unsigned long long)job->operations);
    return 0;
}

/* A future with one callback each, completed in batches. */
static int one_each(void *arg) {
    bench_job_t *job = arg;
    counter_t counter = {0};
    int code = 0;

    bench_start(job);
    for (uint64_t done = 0; done < job->operations; done += BATCH) {
        for (size_t i = 0; i < BATCH; i++) {
            uva_future_t *future = uva_future_new();
            code |= uva_on_done(future, count, &counter);
            code |= uva_future_resolve(future, NULL);
            uva_unref(future);
        }
        code |= uva_yield(); /* The callbacks run before this returns. */
    }
    bench_stop(job);
    return code < 0 ? code : checked(counter.called, job);
}

/* Many callbacks on one future. */
static int many_on_one(void *arg) {
    bench_job_t *job = arg;
    counter_t counter = {0};
    int code = 0;

    bench_start(job);
    for (uint64_t done = 0; done < job->operations; done += BATCH) {
        uva_future_t *future = uva_future_new();
        for (size_t i = 0; i < BATCH; i++)
            code |= uva_on_done(future, count, &counter);
        code |= uva_future_resolve(future, NULL);
        uva_unref(future);
        code |= uva_yield();
    }
    bench_stop(job);
    return code < 0 ? code : checked(counter.called, job);
}

static const bench_micro_t subjects[] = {
    {.name = "libuv: a turn of the loop, one idle handle",
     .run = baseline_uv_idle,
     .plain = true,
     .operations = TURNS},
    {.name = "new + on_done + resolve + call, 100 in a batch",
     .run = one_each,
     .operations = ROUNDS},
    {.name = "on_done + call, 100 on one future",
     .run = many_on_one,
     .operations = ROUNDS},
};

int main(int argc, char **argv) {
    return BENCH_MAIN(argc, argv, "Callbacks on futures.", subjects);
}
