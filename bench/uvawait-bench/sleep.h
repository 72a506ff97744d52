/**
 * Job "sleep": n naps of 10 ms.
 */
#ifndef UVAWAIT_BENCH_SLEEP_H
#define UVAWAIT_BENCH_SLEEP_H

#include "job.h"
#include "options.h"

void sleep_job(const options_t *options, job_t *ret_job);

#endif
