/*
 * park_million.c - a million tasks parked at once, each on a guarded stack.
 *
 *     park_million [COUNT]        (1,000,000; fewer where everything is slow)
 *
 * Spawns COUNT tasks that park, prints what each costs, wakes them all, and
 * runs as many again on the recycled stacks. The kernel's limit of mappings is
 * neither raised nor neared. Exits with 77 where guards cost mappings or the
 * memory is too small.
 */
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <uvawait.h>

#include "runtime/guard.h"
#include "support/support.h"

enum { SKIPPED = 77, BYTES_PER_TASK = 6000 };

static size_t count = 1000000;
static size_t parked;
static size_t ended;
static uva_semaphore_t gate;
static int status;

static void fail_with(const char *what) {
    fprintf(stderr, "park_million: %s\n", what);
    status = EXIT_FAILURE;
}

/* A number of KiB from a file of lines "Name: number kB". */
static size_t kib_of(const char *path, const char *name) {
    char line[256];
    size_t value = 0;
    FILE *file = fopen(path, "r");
    if (file == NULL)
        return 0;
    while (fgets(line, sizeof line, file) != NULL) {
        if (strncmp(line, name, strlen(name)) == 0)
            value = strtoul(line + strlen(name), NULL, 10);
    }
    fclose(file);
    return value;
}

static size_t resident_bytes(void) {
    return kib_of("/proc/self/status", "VmRSS:") * 1024;
}

static double seconds_since(uint64_t start) {
    return (double)(uv_hrtime() - start) / 1e9;
}

static int park(void *arg) {
    (void)arg;
    parked++;
    int code = uva_semaphore_acquire(&gate);
    ended++;
    return code;
}

/* Spawns all and waits until the last one is parked. */
static bool park_all(void) {
    parked = 0;
    ended = 0;
    for (size_t i = 0; i < count; i++) {
        uva_task_t *task = uva_spawn(park, NULL);
        if (task == NULL)
            return false;
        uva_detach(task);
    }
    while (parked < count)
        (void)uva_yield();
    return true;
}

static void wake_all(void) {
    for (size_t i = 0; i < count; i++)
        (void)uva_semaphore_release(&gate);
    while (ended < count)
        (void)uva_yield();
}

static void check(const uva_stack_stats_t *stats, size_t bytes) {
    size_t maps = uva__guards_count_maps();
    printf("%zu tasks parked: %zu bytes each, %zu mappings of %zu\n", count,
           bytes / count, maps, uva__guards_map_limit());
    if (stats->in_use != count + 1)
        fail_with("not every task stands on a stack of its own");
    if (maps > uva__guards_map_limit() / 8)
        fail_with("too many mappings");
    if (!support_is_slow() && bytes / count > BYTES_PER_TASK)
        fail_with("too much memory for each task");
}

static int drive(void *arg) {
    uva_stack_stats_t stats;
    (void)arg;
    (void)uva_stack_stats(uva_runtime_current(), &stats);
    if (stats.guard != UVA_GUARD_MADVISE) {
        puts("skipped: guards cost mappings here (MADV_GUARD_INSTALL is "
             "missing)");
        status = SKIPPED;
        return 0;
    }
    uva_semaphore_init(&gate, 0);
    size_t before = resident_bytes();
    for (int round = 0; round < 2 && status == 0; round++) {
        uint64_t start = uv_hrtime();
        if (!park_all()) {
            fail_with("a task was refused");
            return UV_ENOMEM;
        }
        printf("%s stacks: parked in %.2f s\n", round == 0 ? "fresh" : "used",
               seconds_since(start));
        (void)uva_stack_stats(uva_runtime_current(), &stats);
        check(&stats, resident_bytes() - before);
        start = uv_hrtime();
        wake_all();
        printf("woken and ended in %.2f s\n", seconds_since(start));
    }
    return 0;
}

int main(int argc, char **argv) {
    if (support_is_slow())
        count = 20000;
    if (argc > 1)
        count = strtoul(argv[1], NULL, 10);
    if (count == 0) {
        fputs("usage: park_million [COUNT]\n", stderr);
        return EXIT_FAILURE;
    }
    size_t available = kib_of("/proc/meminfo", "MemAvailable:");
    if (available < count / 1024 * BYTES_PER_TASK) {
        printf("skipped: %zu MiB of memory are too small for %zu tasks\n",
               available / 1024, count);
        return SKIPPED;
    }
    size_t limit = uva__guards_map_limit();
    if (uva_run(drive, NULL) < 0)
        status = EXIT_FAILURE;
    if (uva__guards_map_limit() != limit)
        fail_with("vm.max_map_count was changed");
    return status;
}
