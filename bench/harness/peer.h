/**
 * Subjects that are other programs: the same workload in another language, in
 * turn with ours. They are in bench/peers/, and print nanoseconds per
 * operation.
 */
#ifndef BENCH_PEER_H
#define BENCH_PEER_H

#include "micro.h"

/* Runs a workload of the Go program, or the asyncio one, for job->operations;
 * the sample is what it printed. */
int peer_go(bench_job_t *job, const char *workload);
int peer_python(bench_job_t *job, const char *workload);

#endif
