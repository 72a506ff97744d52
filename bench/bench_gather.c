/*
 * Making 1000 tasks and gathering them; per task.
 *
 * Goal (W2): <= 25 ns per task. Peers on the machine of the goals: libdill 49,
 * node 72, tokio 82, photon 85, go 215, asyncio 4246.
 */
#include "harness/baseline.h"
#include "harness/micro.h"

#include <stdlib.h>

enum { TASKS = 1000, GATHERS = 200 };

static int add_one(void *arg) {
    (*(uint64_t *)arg)++;
    return 0;
}

/* All tasks alive at once: each has begun before the first one ends. */
static int yield_and_add_one(void *arg) {
    int code = uva_yield();

    (*(uint64_t *)arg)++;
    return code;
}

static int add_one_through(void *arg) {
    return add_one(*(uint64_t **)arg);
}

static int return_it(void *arg) {
    (*(uint64_t *)arg)++;
    return uva_return(arg);
}

static int checked(uint64_t sum, const bench_job_t *job) {
    if (sum != job->operations)
        return bench_wrong("%llu tasks ran instead of %llu",
                           (unsigned long long)sum,
                           (unsigned long long)job->operations);
    return 0;
}

static int gather_bodies(bench_job_t *job, uva_fn body, uint64_t **values) {
    uva_future_t *futures[TASKS];
    uint64_t sum = 0;
    int code = 0;

    bench_start(job);
    for (uint64_t done = 0; done < job->operations; done += TASKS) {
        for (size_t i = 0; i < TASKS; i++)
            futures[i] = uva_spawn(body, &sum);
        code |= uva_gather(futures, TASKS, values);
    }
    bench_stop(job);
    for (size_t i = 0; values != NULL && i < TASKS; i++)
        if (values[i] != &sum)
            return bench_wrong("value %zu is another one", i);
    return code < 0 ? code : checked(sum, job);
}

static int gather_tasks(void *arg) {
    return gather_bodies(arg, add_one, NULL);
}

static int gather_values(void *arg) {
    uint64_t *values[TASKS];

    return gather_bodies(arg, return_it, values);
}

static int gather_alive(void *arg) {
    return gather_bodies(arg, yield_and_add_one, NULL);
}

static int gather_coroutines(void *arg) {
    bench_job_t *job = arg;
    uva_future_t *futures[TASKS];
    uint64_t sum = 0;
    uint64_t *where = &sum;
    int code = 0;

    bench_start(job);
    for (uint64_t done = 0; done < job->operations; done += TASKS) {
        for (size_t i = 0; i < TASKS; i++)
            futures[i] = uva_coroutine(add_one_through, &where, sizeof(where));
        code |= uva_gather(futures, TASKS, NULL);
    }
    bench_stop(job);
    return code < 0 ? code : checked(sum, job);
}

static int map_items(void *arg) {
    bench_job_t *job = arg;
    static uint64_t items[TASKS];
    uint64_t sum = 0;
    int code = 0;

    for (size_t i = 0; i < TASKS; i++)
        items[i] = 0;
    bench_start(job);
    for (uint64_t done = 0; done < job->operations; done += TASKS)
        code |= uva_map(add_one, items, TASKS, sizeof(items[0]), 100);
    bench_stop(job);
    for (size_t i = 0; i < TASKS; i++)
        sum += items[i];
    return code < 0 ? code : checked(sum, job);
}

static const bench_micro_t subjects[] = {
    {.name = "a call through a pointer",
     .run = baseline_call,
     .plain = true,
     .operations = BASELINE_CALLS},
    {.name = "spawn 1000 and gather, per task",
     .run = gather_tasks,
     .operations = TASKS * GATHERS,
     .goal = 25},
    {.name = "the same, with their values",
     .run = gather_values,
     .operations = TASKS * GATHERS},
    {.name = "the same, all 1000 alive at once",
     .run = gather_alive,
     .operations = TASKS * GATHERS},
    {.name = "gather 1000 coroutines, per coroutine",
     .run = gather_coroutines,
     .operations = TASKS * GATHERS},
    {.name = "map 1000 items, 100 at once, per item",
     .run = map_items,
     .operations = TASKS * GATHERS},
};

int main(int argc, char **argv) {
    return BENCH_MAIN(argc, argv, "Making 1000 tasks and gathering them.",
                      subjects);
}
