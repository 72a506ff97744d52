/*
 * Yardsticks in plain C, boost.context and plain libuv.
 */
#include "baseline.h"

#include "micro.h"

#include <stdlib.h>
#include <uv.h>

static int count_up(void *arg) {
    uint64_t *count = arg;

    (*count)++;
    return 0;
}

int (*volatile baseline_pointer)(void *arg) = count_up;

/* Returns 0, or complains that something was done another number of times. */
static int checked(const char *what, uint64_t count, uint64_t expected) {
    if (count == expected)
        return 0;
    return bench_wrong("%s: %llu times instead of %llu", what,
                       (unsigned long long)count, (unsigned long long)expected);
}

int baseline_call(void *arg) {
    bench_job_t *job = arg;
    uint64_t count = 0;

    bench_start(job);
    for (uint64_t i = 0; i < job->operations; i++)
        baseline_pointer(&count);
    bench_stop(job);
    return checked("calls", count, job->operations);
}

#ifdef BENCH_HAVE_BOOST_CONTEXT
/* As boost/context/detail/fcontext.hpp has them, which is C++. */
typedef void *fcontext_t;
typedef struct transfer {
    fcontext_t from;
    void *data;
} transfer_t;

extern transfer_t jump_fcontext(fcontext_t to, void *data);
extern fcontext_t make_fcontext(void *stack_top, size_t bytes,
                                void (*body)(transfer_t));

enum { CONTEXT_BYTES = 65536 };

/* Counts and jumps back, until it is not jumped to any more. */
static void context_body(transfer_t transfer) {
    for (;;) {
        count_up(transfer.data);
        transfer = jump_fcontext(transfer.from, NULL);
    }
}

int baseline_fcontext_jump(void *arg) {
    bench_job_t *job = arg;
    char *stack = malloc(CONTEXT_BYTES);
    uint64_t count = 0;
    transfer_t transfer;

    if (stack == NULL)
        return UV_ENOMEM;
    transfer.from =
        make_fcontext(stack + CONTEXT_BYTES, CONTEXT_BYTES, context_body);
    bench_start(job);
    for (uint64_t i = 0; i < job->operations; i += 2)
        transfer = jump_fcontext(transfer.from, &count);
    bench_stop(job);
    free(stack);
    return checked("jumps", count * 2, job->operations);
}

int baseline_fcontext_make(void *arg) {
    bench_job_t *job = arg;
    char *stack = malloc(CONTEXT_BYTES);
    uint64_t count = 0;

    if (stack == NULL)
        return UV_ENOMEM;
    bench_start(job);
    for (uint64_t i = 0; i < job->operations; i++) {
        fcontext_t context =
            make_fcontext(stack + CONTEXT_BYTES, CONTEXT_BYTES, context_body);
        jump_fcontext(context, &count);
    }
    bench_stop(job);
    free(stack);
    return checked("contexts", count, job->operations);
}
#endif

/* Runs what is left of a loop, which is closings, and closes it. */
static int end_loop(uv_loop_t *loop) {
    int code;

    uv_run(loop, UV_RUN_DEFAULT);
    code = uv_loop_close(loop);
    return code < 0 ? bench_wrong("uv_loop_close: %s", uv_strerror(code)) : 0;
}

static void must_not_fire(uv_timer_t *timer) {
    (void)timer;
    bench_wrong("a timer of a minute fired");
    abort();
}

int baseline_uv_timer(void *arg) {
    bench_job_t *job = arg;
    uv_timer_t timer;
    uv_loop_t loop;
    int code = uv_loop_init(&loop);

    if (code < 0)
        return code;
    uv_timer_init(&loop, &timer);
    bench_start(job);
    for (uint64_t i = 0; i < job->operations; i++) {
        code |= uv_timer_start(&timer, must_not_fire, 60000, 0);
        code |= uv_timer_stop(&timer);
    }
    bench_stop(job);
    uv_close((uv_handle_t *)&timer, NULL);
    return code < 0 ? code : end_loop(&loop);
}

int baseline_uv_timer_whole(void *arg) {
    bench_job_t *job = arg;
    uv_timer_t timer;
    uv_loop_t loop;
    int code = uv_loop_init(&loop);

    if (code < 0)
        return code;
    bench_start(job);
    for (uint64_t i = 0; i < job->operations; i++) {
        code |= uv_timer_init(&loop, &timer);
        code |= uv_timer_start(&timer, must_not_fire, 60000, 0);
        code |= uv_timer_stop(&timer);
        uv_close((uv_handle_t *)&timer, NULL);
        uv_run(&loop, UV_RUN_NOWAIT);
    }
    bench_stop(job);
    return code < 0 ? code : end_loop(&loop);
}

/* What the callbacks below share. */
typedef struct turns {
    uint64_t done;
    uint64_t wanted;
} turns_t;

static void count_turn(uv_idle_t *idle) {
    turns_t *turns = idle->data;

    if (++turns->done == turns->wanted)
        uv_close((uv_handle_t *)idle, NULL);
}

int baseline_uv_idle(void *arg) {
    bench_job_t *job = arg;
    turns_t turns = {.wanted = job->operations};
    uv_idle_t idle = {.data = &turns};
    uv_loop_t loop;
    int code = uv_loop_init(&loop);

    if (code < 0)
        return code;
    uv_idle_init(&loop, &idle);
    uv_idle_start(&idle, count_turn);
    bench_start(job);
    uv_run(&loop, UV_RUN_DEFAULT);
    bench_stop(job);
    code = end_loop(&loop);
    return code < 0 ? code : checked("turns", turns.done, job->operations);
}

static void send_again(uv_async_t *async) {
    turns_t *turns = async->data;

    if (++turns->done == turns->wanted)
        uv_close((uv_handle_t *)async, NULL);
    else
        uv_async_send(async);
}

int baseline_uv_async(void *arg) {
    bench_job_t *job = arg;
    turns_t turns = {.wanted = job->operations};
    uv_async_t async;
    uv_loop_t loop;
    int code = uv_loop_init(&loop);

    if (code < 0)
        return code;
    code = uv_async_init(&loop, &async, send_again);
    if (code < 0)
        return code;
    async.data = &turns;
    bench_start(job);
    uv_async_send(&async);
    uv_run(&loop, UV_RUN_DEFAULT);
    bench_stop(job);
    code = end_loop(&loop);
    return code < 0 ? code : checked("sends", turns.done, job->operations);
}
