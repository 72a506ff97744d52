/*
 * Waiting for a coroutine, which runs in place, as a call does.
 *
 * Goal: <= 4 ns (a call through a pointer is 1.9 on the machine of the goals,
 * asyncio's await of a coroutine 105). It counts making the coroutine, with
 * its argument copied, and freeing it.
 */
#include "harness/baseline.h"
#include "harness/micro.h"

enum { ROUNDS = 500000 };

typedef struct addition {
    uint64_t *sum;
} addition_t;

static int add_one(void *arg) {
    addition_t *addition = arg;

    (*addition->sum)++;
    return 0;
}

/* Adds one and ends with a value. */
static int add_one_return(void *arg) {
    addition_t *addition = arg;

    (*addition->sum)++;
    return uva_return(addition->sum);
}

static int checked(uint64_t sum, const bench_job_t *job) {
    if (sum != job->operations)
        return bench_wrong("%llu coroutines ran instead of %llu",
                           (unsigned long long)sum,
                           (unsigned long long)job->operations);
    return 0;
}

static int await_in_place(void *arg) {
    bench_job_t *job = arg;
    uint64_t sum = 0;
    addition_t addition = {&sum};
    int code = 0;

    bench_start(job);
    for (uint64_t i = 0; i < job->operations; i++)
        code |= uva_await(uva_coroutine(add_one, &addition, sizeof(addition)),
                          NULL);
    bench_stop(job);
    return code < 0 ? code : checked(sum, job);
}

static int await_value(void *arg) {
    bench_job_t *job = arg;
    uint64_t sum = 0;
    addition_t addition = {&sum};
    uint64_t *value = NULL;
    int code = 0;

    bench_start(job);
    for (uint64_t i = 0; i < job->operations; i++)
        code |= uva_await(
            uva_coroutine(add_one_return, &addition, sizeof(addition)), &value);
    bench_stop(job);
    if (value != &sum)
        return bench_wrong("the coroutine's value did not arrive");
    return code < 0 ? code : checked(sum, job);
}

static int await_resolved(void *arg) {
    bench_job_t *job = arg;
    uint64_t target = 0;
    uint64_t got = 0;
    int code = 0;

    bench_start(job);
    for (uint64_t i = 0; i < job->operations; i++) {
        uva_future_t *future = uva_future_new();
        uint64_t *value = NULL;
        code |= uva_future_resolve(future, &target);
        code |= uva_await(future, &value);
        got += value == &target;
    }
    bench_stop(job);
    return code < 0 ? code : checked(got, job);
}

static const bench_micro_t subjects[] = {
    {.name = "a call through a pointer",
     .run = baseline_call,
     .plain = true,
     .operations = BASELINE_CALLS},
    {.name = "make and await a coroutine",
     .run = await_in_place,
     .operations = ROUNDS,
     .goal = 4},
    {.name = "make and await a coroutine with a value",
     .run = await_value,
     .operations = ROUNDS},
    {.name = "make, resolve and await a future",
     .run = await_resolved,
     .operations = ROUNDS},
};

int main(int argc, char **argv) {
    return BENCH_MAIN(argc, argv, "Waiting for what does not have to wait.",
                      subjects);
}
