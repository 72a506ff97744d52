/*
 * Memory of this process, from /proc. Resident memory from statm; page tables,
 * which a million stacks need not little of, from status.
 */
#include "rss.h"

#include <stdio.h>
#include <unistd.h>
#if defined(__GLIBC__)
#include <malloc.h>
#endif

void bench_rss_settle(void) {
#if defined(__GLIBC__)
    malloc_trim(0);
#endif
}

uint64_t bench_page_tables(void) {
    FILE *file = fopen("/proc/self/status", "r");
    unsigned long long kib = 0;
    char line[256];

    if (file == NULL)
        return 0;
    while (fgets(line, sizeof(line), file) != NULL)
        if (sscanf(line, "VmPTE: %llu kB", &kib) == 1)
            break;
    fclose(file);
    return kib * 1024;
}

uint64_t bench_rss(void) {
    FILE *file = fopen("/proc/self/statm", "r");
    unsigned long long pages = 0;

    if (file == NULL)
        return 0;
    if (fscanf(file, "%*s %llu", &pages) != 1)
        pages = 0;
    fclose(file);
    return pages * (uint64_t)sysconf(_SC_PAGESIZE);
}
