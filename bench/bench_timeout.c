/*
 * Timeouts that never fire, which is what most of them do.
 *
 * Goals (W4): arm + disarm <= 8 ns (libuv's timer 11, with init and close
 * 250); a wait with a timeout <= 20 ns over the bare wait (libdill 65, neco
 * 113, tokio 485, asyncio 15619); with 1,000,000 outstanding <= 80 ns to arm
 * and <= 60 to cancel (libuv 86 and 348, tokio 635 and 246).
 */
#include "harness/baseline.h"
#include "harness/micro.h"

#include <stdlib.h>

enum { ROUNDS = 500000, OUTSTANDING = 1000000, MINUTE_MS = 60000 };

static int scope(void *arg) {
    bench_job_t *job = arg;
    int code = 0;

    bench_start(job);
    for (uint64_t i = 0; i < job->operations; i++) {
        uva_scope_t scope;
        uva_scope_open(&scope, MINUTE_MS, 0);
        code |= uva_scope_close(&scope);
    }
    bench_stop(job);
    return code;
}

static int scope_forever(void *arg) {
    bench_job_t *job = arg;
    int code = 0;

    bench_start(job);
    for (uint64_t i = 0; i < job->operations; i++) {
        uva_scope_t scope;
        uva_scope_open(&scope, UVA_FOREVER, 0);
        code |= uva_scope_close(&scope);
    }
    bench_stop(job);
    return code;
}

static int wait_for_ready(void *arg) {
    bench_job_t *job = arg;
    uva_future_t *ready = uva_future_new();
    int code = uva_future_resolve(ready, NULL);

    bench_start(job);
    for (uint64_t i = 0; i < job->operations; i++)
        code |= uva_wait_for(uva_ref(ready), MINUTE_MS, NULL);
    bench_stop(job);
    uva_unref(ready);
    return code;
}

/* A waiter and one who completes what it waits for, in turn. */
typedef struct rally {
    uint64_t rounds;
    bool timed;         /* wait with a timeout */
    uva_future_t *ball; /* what the waiter waits for; NULL: nothing yet */
    uint64_t *sum;
} rally_t;

static int wait_rounds(void *arg) {
    rally_t *rally = arg;
    uint64_t *value = NULL;
    int code = 0;

    for (uint64_t i = 0; i < rally->rounds && code == 0; i++) {
        uva_future_t *ball = uva_future_new();
        rally->ball = uva_ref(ball);
        code = rally->timed ? uva_wait_for(ball, MINUTE_MS, &value)
                            : uva_await(ball, &value);
        if (code == 0)
            (*value)++;
    }
    return code;
}

static int resolve_rounds(void *arg) {
    rally_t *rally = arg;
    int code = 0;

    for (uint64_t i = 0; i < rally->rounds && code == 0;) {
        if (rally->ball != NULL) {
            code = uva_future_resolve(rally->ball, rally->sum);
            uva_unref(rally->ball);
            rally->ball = NULL;
            i++;
        }
        if (code == 0)
            code = uva_yield();
    }
    return code;
}

static int rally(bench_job_t *job, bool timed) {
    uint64_t sum = 0;
    rally_t shared = {.rounds = job->operations, .timed = timed, .sum = &sum};
    uva_future_t *tasks[2] = {uva_spawn(wait_rounds, &shared),
                              uva_spawn(resolve_rounds, &shared)};
    int code;

    bench_start(job);
    code = uva_gather(tasks, 2, NULL);
    bench_stop(job);
    if (code == 0 && sum != job->operations)
        return bench_wrong("%llu waits instead of %llu",
                           (unsigned long long)sum,
                           (unsigned long long)job->operations);
    return code;
}

static int wait_bare(void *arg) {
    return rally(arg, false);
}

static int wait_timed(void *arg) {
    return rally(arg, true);
}

/* The n-th of many timeouts: between one and two minutes, in no order. */
static uint64_t scattered_ms(uint64_t n) {
    return MINUTE_MS + n * 2654435761u % MINUTE_MS;
}

/* Opens a million scopes inside each other and closes them again, and times
 * one of the two. */
static int outstanding(bench_job_t *job, bool time_arming) {
    uva_scope_t *scopes = calloc(job->operations, sizeof(*scopes));
    int code = 0;

    if (scopes == NULL)
        return UV_ENOMEM;
    for (uint64_t i = 0; i < job->operations; i++)
        scopes[i].code = 0; /* The first touch of a page is not the matter. */
    if (time_arming)
        bench_start(job);
    for (uint64_t i = 0; i < job->operations; i++)
        uva_scope_open(&scopes[i], scattered_ms(i), 0);
    if (time_arming)
        bench_stop(job);
    else
        bench_start(job);
    for (uint64_t i = job->operations; i-- > 0;)
        code |= uva_scope_close(&scopes[i]);
    if (!time_arming)
        bench_stop(job);
    free(scopes);
    return code;
}

static int outstanding_arm(void *arg) {
    return outstanding(arg, true);
}

static int outstanding_disarm(void *arg) {
    return outstanding(arg, false);
}

static void must_not_fire(uv_timer_t *timer) {
    (void)timer;
    bench_wrong("a timer of a minute fired");
    abort();
}

/* The same with libuv's timers. */
static int outstanding_uv(bench_job_t *job, bool time_arming) {
    uv_timer_t *timers = calloc(job->operations, sizeof(*timers));
    uv_loop_t loop;
    int code = timers == NULL ? UV_ENOMEM : uv_loop_init(&loop);

    if (code < 0) {
        free(timers);
        return code;
    }
    for (uint64_t i = 0; i < job->operations; i++)
        uv_timer_init(&loop, &timers[i]);
    if (time_arming)
        bench_start(job);
    for (uint64_t i = 0; i < job->operations; i++)
        code |= uv_timer_start(&timers[i], must_not_fire, scattered_ms(i), 0);
    if (time_arming)
        bench_stop(job);
    else
        bench_start(job);
    for (uint64_t i = job->operations; i-- > 0;)
        code |= uv_timer_stop(&timers[i]);
    if (!time_arming)
        bench_stop(job);
    for (uint64_t i = 0; i < job->operations; i++)
        uv_close((uv_handle_t *)&timers[i], NULL);
    uv_run(&loop, UV_RUN_DEFAULT);
    code |= uv_loop_close(&loop);
    free(timers);
    return code;
}

static int outstanding_uv_arm(void *arg) {
    return outstanding_uv(arg, true);
}

static int outstanding_uv_disarm(void *arg) {
    return outstanding_uv(arg, false);
}

static const bench_micro_t subjects[] = {
    {.name = "libuv: timer start + stop",
     .run = baseline_uv_timer,
     .plain = true,
     .operations = ROUNDS},
    {.name = "libuv: timer init + start + stop + close",
     .run = baseline_uv_timer_whole,
     .plain = true,
     .operations = ROUNDS / 5},
    {.name = "scope with a deadline, open + close",
     .run = scope,
     .operations = ROUNDS,
     .goal = 8},
    {.name = "scope without a deadline, open + close",
     .run = scope_forever,
     .operations = ROUNDS},
    {.name = "wait_for on what is ready",
     .run = wait_for_ready,
     .operations = ROUNDS},
    {.name = "await on what comes later (the bare wait)",
     .run = wait_bare,
     .operations = ROUNDS / 2},
    {.name = "wait_for on what comes later (goal: bare + 20)",
     .run = wait_timed,
     .operations = ROUNDS / 2},
    {.name = "1M outstanding, libuv: start",
     .run = outstanding_uv_arm,
     .plain = true,
     .operations = OUTSTANDING},
    {.name = "1M outstanding, libuv: stop",
     .run = outstanding_uv_disarm,
     .plain = true,
     .operations = OUTSTANDING},
    {.name = "1M outstanding, scopes: open",
     .run = outstanding_arm,
     .operations = OUTSTANDING,
     .goal = 80},
    {.name = "1M outstanding, scopes: close",
     .run = outstanding_disarm,
     .operations = OUTSTANDING,
     .goal = 60},
};

int main(int argc, char **argv) {
    return BENCH_MAIN(argc, argv, "Timeouts that never fire.", subjects);
}
