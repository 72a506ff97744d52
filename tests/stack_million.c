/*
 * stack_million.c - a million guarded stacks in one process.
 *
 *     stack_million [KIB [COUNT]]        (256 and 1,000,000)
 *
 * Not part of the ordinary tests: it needs about 4 GiB of memory. Acquires
 * COUNT stacks of KIB, which carves them and touches the top page of each, and
 * prints what that cost; then checks that the map limit was neither raised nor
 * neared, that a write below some random stacks faults, and that all comes
 * back. Exits with 77 where guards cost maps, so that it cannot be done.
 */
#include "runtime/stack.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>
#include <uv.h>

static void idle(void *arg) {
    (void)arg;
    abort(); /* nothing is ever run here */
}

static void fail(const char *what) {
    fprintf(stderr, "stack_million: %s\n", what);
    exit(EXIT_FAILURE);
}

/* A number from /proc/self/status, in KiB. */
static size_t status_kib(const char *name) {
    char line[256];
    size_t value = 0;
    FILE *file = fopen("/proc/self/status", "r");
    if (file == NULL)
        fail("/proc/self/status cannot be read");
    while (fgets(line, sizeof line, file) != NULL) {
        if (strncmp(line, name, strlen(name)) == 0)
            value = strtoul(line + strlen(name) + 1, NULL, 10);
    }
    fclose(file);
    return value;
}

static double seconds_since(uint64_t start) {
    return (double)(uv_hrtime() - start) / 1e9;
}

/* Whether a write there ends a child by SIGSEGV. */
static bool faults(char *address) {
    int status = 0;
    pid_t child = fork();
    if (child < 0)
        fail("fork failed");
    if (child == 0) {
        signal(SIGSEGV, SIG_DFL);
        *(volatile char *)address = 1;
        _exit(EXIT_SUCCESS);
    }
    if (waitpid(child, &status, 0) != child)
        fail("waitpid failed");
    return WIFSIGNALED(status) && WTERMSIG(status) == SIGSEGV;
}

static uva__stack_t **acquire_all(uva__stacks_t *stacks, size_t count) {
    const char *why = NULL;
    uva__stack_t **list = calloc(count, sizeof(uva__stack_t *));
    if (list == NULL)
        fail("no memory for the list");
    for (size_t i = 0; i < count; i++) {
        list[i] = uva__stack_acquire(stacks, 0, &why);
        if (list[i] != NULL)
            continue;
        fprintf(stderr, "stack_million: %zu stacks, then: %s\n", i, why);
        exit(stacks->guards.kind == UVA_GUARD_MPROTECT ? 77 : EXIT_FAILURE);
    }
    return list;
}

static void check_guards(const uva__stacks_t *stacks, uva__stack_t *list[],
                         size_t count) {
    srand(1);
    for (int i = 0; i < 3; i++) {
        size_t index = ((size_t)rand() * 32768 + (size_t)rand()) % count;
        char *low = list[index]->fiber.low;
        if (!faults(low - 1) || !faults(low - stacks->guards.guard_bytes))
            fail("a stack is not guarded");
    }
}

static void report(const uva__stacks_t *stacks, size_t count, size_t rss_kib,
                   size_t tables_kib, double seconds) {
    uva_stack_stats_t stats;
    uva__stacks_stats(stacks, &stats);
    size_t maps = uva__guards_count_maps();
    printf("%zu stacks of %zu KiB: %.2f s (%.2f us each), %.0f bytes of memory "
           "and %.0f of page tables each, %zu maps of %zu, %zu arenas, %zu GiB "
           "reserved\n",
           count, stats.stack_bytes / 1024, seconds,
           seconds * 1e6 / (double)count,
           (double)rss_kib * 1024 / (double)count,
           (double)tables_kib * 1024 / (double)count, maps,
           uva__guards_map_limit(), stats.arenas, stats.reserved_bytes >> 30);
    if (maps > uva__guards_map_limit() / 8)
        fail("too many maps");
    if (stats.in_use != count || stats.pooled != 0)
        fail("the statistics are wrong");
}

static void recycle(uva__stacks_t *stacks, uva__stack_t *list[], size_t count) {
    const char *why;
    uint64_t start = uv_hrtime();
    for (size_t i = 0; i < count; i++)
        uva__stack_release(stacks, list[i]);
    for (size_t i = 0; i < count; i++)
        list[i] = uva__stack_acquire(stacks, 0, &why);
    for (size_t i = 0; i < count; i++)
        uva__stack_release(stacks, list[i]);
    printf("release, acquire, release: %.1f ns a stack\n",
           seconds_since(start) * 1e9 / (double)count);
    start = uv_hrtime();
    uva__stacks_trim(stacks, 0);
    printf("trim: %.2f s\n", seconds_since(start));
    start = uv_hrtime();
    uva__stacks_purge(stacks, 0);
    printf("purge: %.2f s, %zu MiB left\n", seconds_since(start),
           status_kib("VmRSS:") / 1024);
    /* Raw stacks have their guards already: what is left is the touching. */
    start = uv_hrtime();
    for (size_t i = 0; i < count; i++)
        list[i] = uva__stack_acquire(stacks, 0, &why);
    printf("acquired again after that: %.2f s\n", seconds_since(start));
    for (size_t i = 0; i < count; i++)
        uva__stack_release(stacks, list[i]);
}

int main(int argc, char **argv) {
    size_t kib = argc > 1 ? strtoul(argv[1], NULL, 10) : 256;
    size_t count = argc > 2 ? strtoul(argv[2], NULL, 10) : 1000000;
    uva__stacks_t stacks;
    if (kib == 0 || count == 0)
        fail("usage: stack_million [KIB [COUNT]]");
    size_t limit = uva__guards_map_limit();
    size_t rss = status_kib("VmRSS:");
    size_t tables = status_kib("VmPTE:");
    uva__stacks_init(&stacks, kib * 1024, idle);
    uint64_t start = uv_hrtime();
    uva__stack_t **list = acquire_all(&stacks, count);
    double seconds = seconds_since(start);
    report(&stacks, count, status_kib("VmRSS:") - rss,
           status_kib("VmPTE:") - tables, seconds);
    check_guards(&stacks, list, count);
    recycle(&stacks, list, count);
    uva__stacks_term(&stacks);
    free(list);
    if (uva__guards_map_limit() != limit)
        fail("vm.max_map_count was changed");
    return EXIT_SUCCESS;
}
