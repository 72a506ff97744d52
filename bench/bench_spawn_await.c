/*
 * Making a task and waiting for it.
 *
 * Goal (W2 of the workloads): spawn + await one <= 25 ns. Peers on the machine
 * of the goals: libdill 62, neco 76, tokio 105, go 347, asyncio 6168.
 */
#include "harness/baseline.h"
#include "harness/micro.h"

enum { ROUNDS = 200000 };

static int add_one(void *arg) {
    uint64_t *sum = arg;

    (*sum)++;
    return 0;
}

static int checked(uint64_t sum, const bench_job_t *job) {
    if (sum != job->operations)
        return bench_wrong("%llu tasks ran instead of %llu",
                           (unsigned long long)sum,
                           (unsigned long long)job->operations);
    return 0;
}

static int spawn_await(void *arg) {
    bench_job_t *job = arg;
    uint64_t sum = 0;
    int code = 0;

    bench_start(job);
    for (uint64_t i = 0; i < job->operations; i++)
        code |= uva_await(uva_spawn(add_one, &sum), NULL);
    bench_stop(job);
    return code < 0 ? code : checked(sum, job);
}

static int spawn_await_eager(void *arg) {
    bench_job_t *job = arg;
    uva_task_options_t options = {.eager = true};
    uint64_t sum = 0;
    int code = 0;

    bench_start(job);
    for (uint64_t i = 0; i < job->operations; i++)
        code |= uva_await(uva_spawn_with(&options, add_one, &sum), NULL);
    bench_stop(job);
    return code < 0 ? code : checked(sum, job);
}

/* The argument is a pointer, copied into the task. */
static int add_one_through_copy(void *arg) {
    return add_one(*(uint64_t **)arg);
}

static int spawn_await_copy(void *arg) {
    bench_job_t *job = arg;
    uint64_t sum = 0;
    uint64_t *where = &sum;
    uva_task_options_t options = {.copy = &where, .copy_bytes = sizeof(where)};
    int code = 0;

    bench_start(job);
    for (uint64_t i = 0; i < job->operations; i++)
        code |= uva_await(uva_spawn_with(&options, add_one_through_copy, NULL),
                          NULL);
    bench_stop(job);
    return code < 0 ? code : checked(sum, job);
}

static const bench_micro_t subjects[] = {
    {.name = "a call through a pointer",
     .run = baseline_call,
     .plain = true,
     .operations = BASELINE_CALLS},
#ifdef BENCH_HAVE_BOOST_CONTEXT
    {.name = "boost.context: make, jump in, jump back",
     .run = baseline_fcontext_make,
     .plain = true,
     .operations = ROUNDS},
#endif
    {.name = "spawn + await",
     .run = spawn_await,
     .operations = ROUNDS,
     .goal = 25},
    {.name = "spawn eagerly + await",
     .run = spawn_await_eager,
     .operations = ROUNDS},
    {.name = "spawn with a copied argument + await",
     .run = spawn_await_copy,
     .operations = ROUNDS},
};

int main(int argc, char **argv) {
    return BENCH_MAIN(argc, argv, "Making a task and waiting for it.",
                      subjects);
}
