/**
 * Job "fetch": n requests over TCP, each on a connection of its own.
 */
#ifndef UVAWAIT_BENCH_FETCH_H
#define UVAWAIT_BENCH_FETCH_H

#include "job.h"
#include "options.h"

#include <sys/types.h>

/* Everything about where and what to fetch. */
typedef struct fetch {
    const char *where; /* host and port, for people */
    char host[256];
    int port;
    pid_t server; /* our own; 0: the user's */
    char *send;   /* the user's request; NULL with our own server */
    size_t send_bytes;
    const char *until; /* what the user's answers end with; NULL: with EOF */
    size_t limit;      /* connections at once; 0: no limit */
    uint64_t timeout_ms;
    /* Of the answers of the user's server, over all runs. */
    size_t shortest;
    size_t longest;
} fetch_t;

/* Gets everything ready: starts our server, or reads the user's request. To be
 * called before the process has a runtime. Returns 0, or a negative code after
 * a line on stderr; fetch_free() in both cases. */
int fetch_prepare(const options_t *options, fetch_t *ret_fetch);
void fetch_free(fetch_t *fetch);

void fetch_job(const options_t *options, fetch_t *fetch, job_t *ret_job);

#endif
