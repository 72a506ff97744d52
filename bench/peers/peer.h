/**
 * What the peers in C and C++ share: their command line, their clock, and what
 * they print. A peer is run as
 *
 *     PEER WORKLOAD OPERATIONS [SIZE]
 *
 * does the workload twice, the first time to warm up, checks what came of it,
 * and prints a line "METRIC VALUE" of the second time: nanoseconds for each
 * operation ("ns"), or what the workload's own metric is. Anything that is not
 * as it must be is a line on standard error and exit status 1. SIZE is how many
 * there are at once. bench/README.md says what each workload does.
 */
#ifndef PEERS_PEER_H
#define PEERS_PEER_H

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum {
    PEER_NAP_MS = 10,      /* of the workload sleep */
    PEER_FIRST_MS = 1000,  /* million: the first wakes then, */
    PEER_SPREAD_MS = 1000, /* the last so much later */
    PEER_FILE_BYTES = 1024,
    PEER_PERMITS = 100,
    PEER_QUEUE = 128,
    PEER_MINUTE_MS = 60000
};

typedef struct peer_job {
    uint64_t operations;
    uint64_t size;
    uint64_t start_ns;
    uint64_t elapsed_ns;
} peer_job_t;

typedef struct peer_workload {
    const char *name;
    int (*run)(peer_job_t *job); /* other than 0: it failed, and has said so */
    void (*report)(const peer_job_t *job); /* NULL: ns for each operation */
} peer_workload_t;

static inline uint64_t peer_now_ns(void) {
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
}

static inline void peer_start(peer_job_t *job) {
    job->start_ns = peer_now_ns();
}

static inline void peer_stop(peer_job_t *job) {
    job->elapsed_ns += peer_now_ns() - job->start_ns;
}

/* 0 when they are equal; else says so. */
static inline int peer_check(const char *what, uint64_t is, uint64_t wanted) {
    if (is == wanted)
        return 0;
    fprintf(stderr, "%s: %llu instead of %llu\n", what, (unsigned long long)is,
            (unsigned long long)wanted);
    return -1;
}

/* The report of sleep: microseconds beyond the nap. */
static inline void peer_report_beyond(const peer_job_t *job) {
    printf("us %.1f\n", (double)job->elapsed_ns / 1e3 - PEER_NAP_MS * 1e3);
}

/* A line of /proc/self/status, in bytes. */
static inline double peer_memory(const char *name) {
    char line[256];
    double kib = 0;
    FILE *in = fopen("/proc/self/status", "r");

    while (in != NULL && fgets(line, sizeof line, in) != NULL)
        if (strncmp(line, name, strlen(name)) == 0)
            kib = strtod(line + strlen(name) + 1, NULL);
    if (in != NULL)
        fclose(in);
    return kib * 1024;
}

/* When the n-th sleeper of million wakes, in ms after the start: in no order */
static inline uint64_t peer_wake_ms(uint64_t n) {
    return PEER_FIRST_MS + n * 2654435761u % PEER_SPREAD_MS;
}

/* Seconds since the last sleeper of million was due. */
static inline double peer_beyond_s(uint64_t start_ns) {
    return (double)(peer_now_ns() - start_ns) / 1e9 -
           (PEER_FIRST_MS + PEER_SPREAD_MS - 1) / 1e3;
}

/* A line of million's report, and before the first of them its memory: what
 * the process had at most, less what it had before, for each task. */
static inline void peer_report_million(const char *metric, double beyond_s,
                                       double before, uint64_t count) {
    if (strcmp(metric, "s") == 0)
        printf("bytes %.0f\n",
               (peer_memory("VmHWM:") - before) / (double)count);
    printf("%s %.4f\n", metric, beyond_s);
}

/* For a workload that has reported by itself. */
static inline void peer_report_none(const peer_job_t *job) {
    (void)job;
}

/* The n-th file of the workload files; the runner has written them. */
static inline void peer_file(char *path, size_t bytes, uint64_t n) {
    const char *directory = getenv("BENCH_FILES");

    snprintf(path, bytes, "%s/%llu", directory != NULL ? directory : ".",
             (unsigned long long)n);
}

static inline int peer_run(const peer_workload_t *workload, peer_job_t *job) {
    int rounds = strcmp(workload->name, "million") == 0 ? 1 : 2;

    for (int round = 0; round < rounds; round++) {
        job->elapsed_ns = 0;
        if (workload->run(job) != 0) {
            fprintf(stderr, "%s failed\n", workload->name);
            return 1;
        }
    }
    if (workload->report != NULL)
        workload->report(job);
    else
        printf("ns %.3f\n", (double)job->elapsed_ns / (double)job->operations);
    return 0;
}

static inline int peer_main(int argc, char **argv,
                            const peer_workload_t workloads[], size_t count) {
    peer_job_t job = {0, 0, 0, 0};

    if (argc < 3) {
        fprintf(stderr, "usage: %s WORKLOAD OPERATIONS [SIZE]\n", argv[0]);
        return 2;
    }
    job.operations = strtoull(argv[2], NULL, 10);
    job.size = argc > 3 ? strtoull(argv[3], NULL, 10) : 1;
    for (size_t i = 0; i < count; i++)
        if (strcmp(argv[1], workloads[i].name) == 0)
            return peer_run(&workloads[i], &job);
    fprintf(stderr, "%s: no such workload\n", argv[1]);
    return 2;
}

#define PEER_MAIN(argc, argv, workloads) \
    peer_main(argc, argv, workloads, sizeof(workloads) / sizeof *(workloads))

#endif
