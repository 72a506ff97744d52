/*
 * Calls into the loop: from its own thread and from another one.
 *
 * There is no goal for it yet. Known of the machine of the goals: a
 * uv_async_send() to oneself and the turn that receives it take 1.5 us, a
 * round trip through uv_queue_work() 17.7 us.
 */
#include "harness/baseline.h"
#include "harness/micro.h"

#include <uv.h>

enum { ROUNDS = 100000, BATCH = 1000, CALLS = 5000, JOBS = 5000 };

static void count(void *arg) {
    (*(uint64_t *)arg)++;
}

static int checked(uint64_t got, const bench_job_t *job) {
    if (got != job->operations)
        return bench_wrong("%llu calls instead of %llu",
                           (unsigned long long)got,
                           (unsigned long long)job->operations);
    return 0;
}

/* Lets the loop turn until `counter` has come to `wanted`. */
static int until(const uint64_t *counter, uint64_t wanted) {
    int code = 0;

    while (code == 0 && *(volatile const uint64_t *)counter < wanted)
        code = uva_yield();
    return code;
}

static int post_batches(void *arg) {
    bench_job_t *job = arg;
    uva_runtime_t *runtime = uva_runtime_current();
    uint64_t called = 0;
    int code = 0;

    bench_start(job);
    for (uint64_t done = 0; done < job->operations; done += BATCH) {
        for (size_t i = 0; i < BATCH; i++)
            code |= uva_post(runtime, count, &called);
        code |= until(&called, done + BATCH);
    }
    bench_stop(job);
    return code < 0 ? code : checked(called, job);
}

static int post_single(void *arg) {
    bench_job_t *job = arg;
    uva_runtime_t *runtime = uva_runtime_current();
    uint64_t called = 0;
    int code = 0;

    bench_start(job);
    for (uint64_t i = 0; i < job->operations; i++) {
        code |= uva_post(runtime, count, &called);
        code |= until(&called, i + 1);
    }
    bench_stop(job);
    return code < 0 ? code : checked(called, job);
}

/* Another thread, and what it does to the runtime. */
typedef struct sender {
    uva_runtime_t *runtime;
    uint64_t posts;
    uint64_t called;    /* loop's thread */
    uva_future_t *done; /* completed by the last call */
    int code;           /* the thread's; valid once it was joined */
} sender_t;

static void count_down(void *arg) {
    sender_t *sender = arg;

    if (++sender->called == sender->posts)
        uva_future_resolve(sender->done, NULL);
}

static void post_from_thread(void *arg) {
    sender_t *sender = arg;

    for (uint64_t i = 0; i < sender->posts; i++)
        sender->code |= uva_post(sender->runtime, count_down, sender);
}

static int nothing(void *arg) {
    sender_t *sender = arg;

    count_down(sender);
    return 0;
}

static void call_from_thread(void *arg) {
    sender_t *sender = arg;

    for (uint64_t i = 0; i < sender->posts; i++)
        sender->code |= uva_call(sender->runtime, nothing, sender);
}

/* Runs a thread that makes job->operations calls, and waits for the last. */
static int from_thread(bench_job_t *job, void (*body)(void *)) {
    uva_runtime_t *runtime = uva_runtime_ref(uva_runtime_current());
    sender_t sender = {.runtime = runtime, .posts = job->operations};
    uv_thread_t thread;
    int code;

    sender.done = uva_future_new();
    bench_start(job);
    code = uv_thread_create(&thread, body, &sender);
    if (code == 0) {
        code = uva_await(sender.done, NULL);
        bench_stop(job);
        /* uva_call() still has to be answered: let the loop turn. */
        if (body == call_from_thread)
            code |= uva_sleep(5);
        uv_thread_join(&thread);
    }
    uva_runtime_unref(runtime);
    if (code == 0)
        code = sender.code;
    return code < 0 ? code : checked(sender.called, job);
}

static int post_other_thread(void *arg) {
    return from_thread(arg, post_from_thread);
}

static int call_other_thread(void *arg) {
    return from_thread(arg, call_from_thread);
}

static int add_one(void *arg) {
    (*(uint64_t *)arg)++;
    return 0;
}

static int to_thread(void *arg) {
    bench_job_t *job = arg;
    uint64_t sum = 0;
    int code = 0;

    bench_start(job);
    for (uint64_t i = 0; i < job->operations; i++)
        code |= uva_to_thread(add_one, &sum);
    bench_stop(job);
    return code < 0 ? code : checked(sum, job);
}

/* The same with plain libuv: a chain of jobs, each queued by the last. */
typedef struct chain {
    uv_work_t request;
    uint64_t left;
    uint64_t sum;
    int code;
} chain_t;

static void work(uv_work_t *request) {
    ((chain_t *)request->data)->sum++;
}

static void work_next(uv_work_t *request, int status) {
    chain_t *chain = request->data;

    chain->code |= status;
    if (--chain->left > 0)
        chain->code |= uv_queue_work(request->loop, request, work, work_next);
}

static int plain_to_thread(void *arg) {
    bench_job_t *job = arg;
    chain_t chain = {.left = job->operations};
    uv_loop_t loop;
    int code = uv_loop_init(&loop);

    if (code < 0)
        return code;
    chain.request.data = &chain;
    bench_start(job);
    code = uv_queue_work(&loop, &chain.request, work, work_next);
    uv_run(&loop, UV_RUN_DEFAULT);
    bench_stop(job);
    code |= chain.code;
    code |= uv_loop_close(&loop);
    return code < 0 ? code : checked(chain.sum, job);
}

static const bench_micro_t subjects[] = {
    {.name = "libuv: async to oneself",
     .run = baseline_uv_async,
     .plain = true,
     .operations = ROUNDS},
    {.name = "post to oneself, one at a time",
     .run = post_single,
     .operations = ROUNDS},
    {.name = "post to oneself, 1000 in a batch",
     .run = post_batches,
     .operations = ROUNDS},
    {.name = "post from another thread",
     .run = post_other_thread,
     .operations = ROUNDS},
    {.name = "call from another thread, there and back",
     .run = call_other_thread,
     .operations = CALLS},
    {.name = "libuv: a job of the thread pool",
     .run = plain_to_thread,
     .plain = true,
     .operations = JOBS},
    {.name = "uva_to_thread", .run = to_thread, .operations = JOBS},
};

int main(int argc, char **argv) {
    return BENCH_MAIN(argc, argv, "Calls between threads.", subjects);
}
