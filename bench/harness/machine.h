/**
 * What a benchmark ran on and what it was built with: without it a figure
 * means nothing a month later. No host name, no user, no path.
 */
#ifndef BENCH_MACHINE_H
#define BENCH_MACHINE_H

#include <jansson.h>
#include <stdio.h>

typedef struct bench_machine {
    char cpu[128];     /* the model's name */
    unsigned cores;    /* that this process may use */
    char system[128];  /* name and release of the kernel */
    double memory_gib; /* installed memory */
    double load;       /* load average of the last minute, at the start */
    char compiler[128];
    const char *flags;   /* that the benchmarks were compiled with */
    const char *libuv;   /* version at run time */
    const char *library; /* uvawait's version at run time */
} bench_machine_t;

/* Looks at the machine. What cannot be found out is "unknown" or 0. */
void bench_machine_init(bench_machine_t *machine);

/* Two or three lines for people. */
void bench_machine_print(const bench_machine_t *machine, FILE *out);

/* The same as an object; NULL without memory. The reference is new. */
json_t *bench_machine_json(const bench_machine_t *machine);

#endif
