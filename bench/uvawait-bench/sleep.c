/*
 * n naps of 10 ms, one after another and all at once.
 *
 * Each nap looks at the clock when it wakes: one that ended before its 10 ms
 * were over is an error, and the gather returns it.
 */
#include "sleep.h"

#include "../harness/measure.h"

#include <stdio.h>
#include <stdlib.h>
#include <uvawait.h>

enum { NAP_MS = 10 };

/* The body of a nap; arg is when the naps began. */
static int nap(void *arg) {
    const uint64_t *start_ns = arg;
    int code = uva_sleep(NAP_MS);

    if (code < 0)
        return code;
    if (bench_now_ns() - *start_ns < NAP_MS * 1000000u)
        return uva_fail(UV_EINVAL, "a sleep of %d ms ended early", NAP_MS);
    return 0;
}

static int sleep_failed(int code) {
    const char *message = uva_last_message();

    return bench_wrong("sleep: %s",
                       message != NULL ? message : uv_strerror(code));
}

static int sleep_sequential(void *state, size_t n, uint64_t *ret_longest_ns) {
    uint64_t longest_ns = 0;

    (void)state;
    for (size_t i = 0; i < n; i++) {
        uint64_t start_ns = bench_now_ns();
        int code =
            uva_await(uva_coroutine(nap, &start_ns, sizeof(start_ns)), NULL);
        if (code < 0)
            return sleep_failed(code);
        uint64_t took_ns = bench_now_ns() - start_ns;
        if (took_ns > longest_ns)
            longest_ns = took_ns;
    }
    *ret_longest_ns = longest_ns;
    return 0;
}

static int sleep_concurrent(void *state, size_t n) {
    uint64_t start_ns = bench_now_ns();
    uva_future_t **naps = calloc(n, sizeof(*naps));
    int code;

    (void)state;
    if (naps == NULL)
        return sleep_failed(UV_ENOMEM);
    for (size_t i = 0; i < n; i++)
        naps[i] = uva_spawn(nap, &start_ns);
    code = uva_gather(naps, n, NULL);
    free(naps);
    return code < 0 ? sleep_failed(code) : 0;
}

void sleep_job(const options_t *options, job_t *ret_job) {
    *ret_job = (job_t){
        .name = "sleep",
        .sequential = sleep_sequential,
        .concurrent = sleep_concurrent,
        .ideal_s = NAP_MS / 1e3,
    };
    snprintf(ret_job->title, sizeof(ret_job->title), "sleep %d ms", NAP_MS);
    job_set_sizes(ret_job, options->quick, SIZE_MAX);
}
