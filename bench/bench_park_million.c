/*
 * One million tasks asleep at once, each with a guard page; the sleeps end
 * spread over the second from 1 s to 2 s after the start.
 *
 * Goals (W3): all 1,000,000 tasks; <= 4,500 bytes each, guarded; the last one
 * awake <= 3.5 s after the last deadline on fresh stacks, <= 0.6 s on
 * recycled ones. (Raw libuv timers 0.05 s, tokio 1.1, go 4.2, asyncio 22.2;
 * guarded stacks of libdill, neco and boost.fiber fail at 32,700.)
 *
 * Needs about 5 GiB of memory; it is not among the programs of the target
 * "micro". BENCH_TASKS in the environment takes another number.
 */
#include "harness/measure.h"
#include "harness/machine.h"
#include "harness/rss.h"
#include "harness/table.h"

#include <stdio.h>
#include <stdlib.h>
#include <uvawait.h>

enum { TASKS = 1000000, FIRST_MS = 1000, SPREAD_MS = 1000 };

typedef struct crowd {
    size_t count;
    uva_future_t **tasks;
    uint64_t start_ns; /* when the spawning began */
    size_t asleep;     /* have begun and not ended */
    size_t most;
    size_t late; /* of them, who began after their time: they only yield */
    size_t awake;
    uint64_t early; /* sleeps that ended before their time: an error */
} crowd_t;

typedef struct sleeper {
    crowd_t *crowd;
    uint64_t wake_ms; /* after the start */
} sleeper_t;

/* Sleeps until its time after the start of all, however long the spawning
 * takes; one that begins too late does not sleep. */
static int sleep_until(void *arg) {
    const sleeper_t *sleeper = arg;
    crowd_t *crowd = sleeper->crowd;
    uint64_t due_ns = crowd->start_ns + sleeper->wake_ms * 1000000u;
    uint64_t now_ns = bench_now_ns();
    int code;

    if (++crowd->asleep > crowd->most)
        crowd->most = crowd->asleep;
    crowd->late += now_ns >= due_ns;
    code =
        uva_sleep(now_ns < due_ns ? (due_ns - now_ns + 999999) / 1000000 : 0);
    crowd->asleep--;
    crowd->awake++;
    crowd->early += bench_now_ns() < due_ns;
    return code;
}

/* Prints a line: label, seconds, or bytes. */
static void say(const char *label, double value, const char *unit) {
    char text[BENCH_CELL_BYTES];

    bench_format(text, sizeof(text), value, unit);
    printf("  %-34s %12s\n", label, text);
}

/* Bytes that a task has taken since there were `before`. */
static double bytes_per_task(const crowd_t *crowd, uint64_t now,
                             uint64_t before) {
    return now > before ? (double)(now - before) / (double)crowd->count : 0;
}

static int spawn_all(crowd_t *crowd) {
    sleeper_t sleeper = {.crowd = crowd};
    uva_task_options_t options = {.copy = &sleeper,
                                  .copy_bytes = sizeof(sleeper)};

    for (size_t i = 0; i < crowd->count; i++) {
        /* In no order: neither first in first out nor the opposite. */
        sleeper.wake_ms = FIRST_MS + i * 2654435761u % SPREAD_MS;
        crowd->tasks[i] = uva_spawn_with(&options, sleep_until, NULL);
        if (crowd->tasks[i] == NULL)
            return bench_wrong("no more than %zu tasks", i);
    }
    return 0;
}

/* One round: spawns, lets all fall asleep, waits for the last one. */
static int round_of(crowd_t *crowd, const char *label) {
    uint64_t rss_before = bench_rss();
    uint64_t tables_before = bench_page_tables();
    uint64_t last_ns;
    double spawned_s;
    double asleep_s;
    double rss;
    double tables;
    int code;

    crowd->asleep = crowd->most = crowd->awake = crowd->late = 0;
    crowd->early = 0;
    crowd->start_ns = bench_now_ns();
    last_ns = crowd->start_ns + (FIRST_MS + SPREAD_MS) * 1000000u;
    if ((code = spawn_all(crowd)) < 0)
        return code;
    spawned_s = (double)(bench_now_ns() - crowd->start_ns) / 1e9;
    uva_yield();
    asleep_s = (double)(bench_now_ns() - crowd->start_ns) / 1e9;
    rss = bytes_per_task(crowd, bench_rss(), rss_before);
    tables = bytes_per_task(crowd, bench_page_tables(), tables_before);
    code = uva_gather(crowd->tasks, crowd->count, NULL);
    if (code < 0)
        return bench_wrong("gather: %s", uv_strerror(code));
    if (crowd->awake != crowd->count || crowd->early > 0)
        return bench_wrong("%zu of %zu awake, %llu of them too early",
                           crowd->awake, crowd->count,
                           (unsigned long long)crowd->early);
    printf("%s, %zu tasks\n", label, crowd->count);
    say("spawned after", spawned_s, "s");
    say("all had begun after", asleep_s, "s");
    printf("  %-34s %12zu\n", "parked at once", crowd->most);
    printf("  %-34s %12zu\n", "of them begun after their time", crowd->late);
    if (rss > 0) {
        say("resident memory per task", rss, "B");
        say("page tables per task", tables, "B");
    }
    say("last awake after the last deadline",
        ((double)bench_now_ns() - (double)last_ns) / 1e9, "s");
    return 0;
}

static const char *guard_name(uva_guard_t guard) {
    switch (guard) {
    case UVA_GUARD_MADVISE:
        return "MADV_GUARD_INSTALL";
    case UVA_GUARD_MPROTECT:
        return "mprotect";
    default:
        return "none";
    }
}

static int run(void *arg) {
    crowd_t *crowd = arg;
    uva_stack_stats_t stats;
    int code = round_of(crowd, "fresh stacks");

    if (code == 0)
        code = round_of(crowd, "recycled stacks");
    if (code == 0)
        code = uva_stack_stats(uva_runtime_current(), &stats);
    if (code == 0)
        printf("guards: %s; most stacks in use: %zu\n", guard_name(stats.guard),
               stats.peak_in_use);
    return code;
}

int main(void) {
    const char *count = getenv("BENCH_TASKS");
    crowd_t crowd = {.count = TASKS};
    bench_machine_t machine;
    int code;

    if (count != NULL)
        crowd.count = strtoul(count, NULL, 10);
    crowd.tasks = calloc(crowd.count, sizeof(*crowd.tasks));
    if (crowd.count == 0 || crowd.tasks == NULL) {
        bench_wrong("BENCH_TASKS must be a number of tasks");
        return EXIT_FAILURE;
    }
    bench_machine_init(&machine);
    bench_machine_print(&machine, stdout);
    code = uva_run(run, &crowd);
    free(crowd.tasks);
    return code < 0 ? EXIT_FAILURE : EXIT_SUCCESS;
}
