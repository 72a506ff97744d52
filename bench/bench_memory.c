/*
 * What a parked task costs in memory, and how large the public structs are.
 *
 * Goal (W3): <= 4,500 bytes of resident memory per parked, guarded task (one
 * page is 4,096; tokio 1424 and node 888 have no stacks; go 2709, libdill
 * 8192, neco 7643). Page tables come on top: 8 bytes for each page of address
 * space near a page that is used, so 512 for a stack of 256 KiB.
 *
 * Each sample has a runtime of its own, and the memory of the one before was
 * given back to the kernel, so the tasks stand on fresh stacks.
 */
#include "harness/micro.h"
#include "harness/rss.h"

#include <stdlib.h>

static int wait_for_gate(void *arg) {
    return uva_semaphore_acquire(arg);
}

/* Parks tasks and looks how much more of something there is then. */
static int park_tasks(bench_job_t *job, uint64_t (*look)(void)) {
    uint64_t n = job->operations;
    uva_future_t **tasks = malloc(n * sizeof(*tasks));
    uva_semaphore_t gate = UVA_SEMAPHORE_INIT(0);
    uint64_t before;
    uint64_t after;
    int code;

    if (tasks == NULL)
        return UV_ENOMEM;
    for (uint64_t i = 0; i < n; i++)
        tasks[i] = NULL; /* The handles are not the tasks' memory. */
    bench_rss_settle();
    before = look();
    for (uint64_t i = 0; i < n; i++)
        tasks[i] = uva_spawn(wait_for_gate, &gate);
    uva_yield(); /* All begin, and park. */
    after = look();
    for (uint64_t i = 0; i < n; i++)
        uva_semaphore_release(&gate);
    code = uva_gather(tasks, n, NULL);
    free(tasks);
    if (before == 0 || after <= before)
        return bench_wrong("the process's memory cannot be read");
    job->value = (double)(after - before) / (double)n;
    return code;
}

static int park_rss(void *arg) {
    return park_tasks(arg, bench_rss);
}

static int park_page_tables(void *arg) {
    return park_tasks(arg, bench_page_tables);
}

/* Coroutines that nobody awaits yet: no stack. */
static int never(void *arg) {
    (void)arg;
    return bench_wrong("a cancelled coroutine ran");
}

static int hold_coroutines(void *arg) {
    bench_job_t *job = arg;
    uint64_t n = job->operations;
    uva_future_t **coroutines = malloc(n * sizeof(*coroutines));
    uint64_t before;
    uint64_t after;

    if (coroutines == NULL)
        return UV_ENOMEM;
    for (uint64_t i = 0; i < n; i++)
        coroutines[i] = NULL;
    bench_rss_settle();
    before = bench_rss();
    for (uint64_t i = 0; i < n; i++)
        coroutines[i] = uva_coroutine(never, NULL, 0);
    after = bench_rss();
    for (uint64_t i = 0; i < n; i++) {
        uva_cancel(coroutines[i]);
        uva_unref(coroutines[i]);
    }
    free(coroutines);
    job->value = after > before ? (double)(after - before) / (double)n : 0;
    return 0;
}

/* A subject for the size of a type. */
#define SIZE_OF(type) \
    static int size_of_##type(void *arg) { \
        ((bench_job_t *)arg)->value = (double)sizeof(type); \
        return 0; \
    }

SIZE_OF(uva_semaphore_t)
SIZE_OF(uva_scope_t)
SIZE_OF(uva_options_t)
SIZE_OF(uva_task_options_t)
SIZE_OF(uv_timer_t)
SIZE_OF(uv_tcp_t)

/* clang-format off */
#define SIZE_SUBJECT(type) \
    { .name = "sizeof " #type, .run = size_of_##type, .plain = true, \
      .operations = 1, .unit = "B" }
/* clang-format on */

static const bench_micro_t subjects[] = {
    {.name = "parked task, of 10,000",
     .run = park_rss,
     .operations = 10000,
     .goal = 4500,
     .unit = "B"},
    {.name = "parked task, of 100,000",
     .run = park_rss,
     .operations = 100000,
     .goal = 4500,
     .unit = "B"},
    {.name = "its page tables, of 100,000",
     .run = park_page_tables,
     .operations = 100000,
     .unit = "B"},
    {.name = "coroutine not begun, of 100,000",
     .run = hold_coroutines,
     .operations = 100000,
     .unit = "B"},
    SIZE_SUBJECT(uva_semaphore_t),
    SIZE_SUBJECT(uva_scope_t),
    SIZE_SUBJECT(uva_task_options_t),
    SIZE_SUBJECT(uva_options_t),
    SIZE_SUBJECT(uv_timer_t),
    SIZE_SUBJECT(uv_tcp_t),
};

int main(int argc, char **argv) {
    return BENCH_MAIN(argc, argv, "What a parked task costs in memory.",
                      subjects);
}
