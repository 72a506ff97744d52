/*
 * What the typed layer costs against code written by hand: a coroutine that is
 * awaited in place against a call through a pointer, a task against uva_spawn()
 * and against uva_spawn_with(), which copies an argument as it does.
 *
 * Goals: in place within 2 ns of the call; spawn + await within 5 %.
 */
#include "harness/micro.h"

#include <uvawait/async.h>

enum { CALLS = 4000000, ROUNDS = 200000, BATCH = 1000, BATCHES = 200 };

/* The compiler knows nothing of the value any more. */
#define OPAQUE(value) __asm__ volatile("" : "+r"(value))

static int checked(uint64_t sum, uint64_t expected) {
    if (sum != expected)
        return bench_wrong("the sum is %llu instead of %llu",
                           (unsigned long long)sum,
                           (unsigned long long)expected);
    return 0;
}

/* ---- in place ------------------------------------------------------------ */

/* The same function, as an async one and by hand: neither is inlined. */
UVA_ASYNC_DECLARE_STATIC(uint64_t, add, (uint64_t, x), (uint64_t, y));
__attribute__((noinline))
UVA_ASYNC_DEFINE_STATIC(uint64_t, add, (uint64_t, x), (uint64_t, y)) {
    if (x > UINT64_MAX / 2)
        return UV_ERANGE;
    UVA_RETURN(x + y);
}

static int add_by_hand(uint64_t *ret_sum, uint64_t x, uint64_t y) {
    if (x > UINT64_MAX / 2)
        return UV_ERANGE;
    *ret_sum = x + y;
    return 0;
}

static int call_through_pointer(void *arg) {
    bench_job_t *job = arg;
    int (*function)(uint64_t * ret_sum, uint64_t x, uint64_t y) = add_by_hand;
    uint64_t sum = 0;
    uint64_t one = 1;

    OPAQUE(function);
    OPAQUE(one);
    bench_start(job);
    for (uint64_t i = 0; i < job->operations; i++) {
        int code = function(&sum, sum, one);
        if (code < 0)
            return code;
    }
    bench_stop(job);
    return checked(sum, job->operations);
}

static int await_in_place(void *arg) {
    bench_job_t *job = arg;
    uint64_t sum = 0;
    uint64_t one = 1;

    OPAQUE(one);
    bench_start(job);
    for (uint64_t i = 0; i < job->operations; i++)
        sum = UVA_TRY(add(sum, one));
    bench_stop(job);
    return checked(sum, job->operations);
}

/* The same coroutine again and again, which might as well be a handle. */
static int await_kept(void *arg) {
    bench_job_t *job = arg;
    struct add kept = add(1, 0);
    struct add *coroutine = &kept;
    uint64_t sum = 0;

    OPAQUE(coroutine);
    bench_start(job);
    for (uint64_t i = 0; i < job->operations; i++)
        sum += UVA_TRY(*coroutine);
    bench_stop(job);
    return checked(sum, job->operations);
}

/* ---- tasks --------------------------------------------------------------- */

static int count_by_hand(void *arg) {
    uint64_t *sum = arg;

    (*sum)++;
    return 0;
}

typedef struct counting {
    uint64_t *sum;
    uint64_t by;
} counting_t;

static int count_copy(void *arg) {
    const counting_t *counting = arg;

    *counting->sum += counting->by;
    return 0;
}

UVA_ASYNC(void, count, (uint64_t *, sum), (uint64_t, by)) {
    *sum += by;
    return 0;
}

static int spawn_await(void *arg) {
    bench_job_t *job = arg;
    uint64_t sum = 0;
    int code = 0;

    bench_start(job);
    for (uint64_t i = 0; i < job->operations; i++)
        code |= uva_await(uva_spawn(count_by_hand, &sum), NULL);
    bench_stop(job);
    return code < 0 ? code : checked(sum, job->operations);
}

static int spawn_copy_await(void *arg) {
    bench_job_t *job = arg;
    uint64_t sum = 0;
    int code = 0;

    bench_start(job);
    for (uint64_t i = 0; i < job->operations; i++) {
        counting_t counting = {&sum, 1};
        uva_task_options_t options = {.copy = &counting,
                                      .copy_bytes = sizeof counting};
        code |= uva_await(uva_spawn_with(&options, count_copy, NULL), NULL);
    }
    bench_stop(job);
    return code < 0 ? code : checked(sum, job->operations);
}

static int spawn_typed_await(void *arg) {
    bench_job_t *job = arg;
    uint64_t sum = 0;

    bench_start(job);
    for (uint64_t i = 0; i < job->operations; i++)
        UVA_TRY(UVA_SPAWN(count(&sum, 1)));
    bench_stop(job);
    return checked(sum, job->operations);
}

/* A value as well, which a task by hand would have to find a place for. */
static int spawn_value_await(void *arg) {
    bench_job_t *job = arg;
    uint64_t sum = 0;

    bench_start(job);
    for (uint64_t i = 0; i < job->operations; i++)
        sum = UVA_TRY(UVA_SPAWN(add(sum, 1)));
    bench_stop(job);
    return checked(sum, job->operations);
}

/* ---- spawning alone ------------------------------------------------------ */

static int spawn_alone(void *arg) {
    bench_job_t *job = arg;
    uva_task_t *tasks[BATCH];
    uint64_t sum = 0;

    for (uint64_t done = 0; done < job->operations; done += BATCH) {
        bench_start(job);
        for (int i = 0; i < BATCH; i++)
            tasks[i] = uva_spawn(count_by_hand, &sum);
        bench_stop(job);
        UVA_CHECK(uva_gather(tasks, BATCH, NULL));
    }
    return checked(sum, job->operations);
}

static int spawn_copy_alone(void *arg) {
    bench_job_t *job = arg;
    uva_task_t *tasks[BATCH];
    uint64_t sum = 0;

    for (uint64_t done = 0; done < job->operations; done += BATCH) {
        bench_start(job);
        for (int i = 0; i < BATCH; i++) {
            counting_t counting = {&sum, 1};
            uva_task_options_t options = {.copy = &counting,
                                          .copy_bytes = sizeof counting};
            tasks[i] = uva_spawn_with(&options, count_copy, NULL);
        }
        bench_stop(job);
        UVA_CHECK(uva_gather(tasks, BATCH, NULL));
    }
    return checked(sum, job->operations);
}

static int spawn_typed_alone(void *arg) {
    bench_job_t *job = arg;
    uva_task_t *tasks[BATCH];
    uint64_t sum = 0;

    for (uint64_t done = 0; done < job->operations; done += BATCH) {
        bench_start(job);
        for (int i = 0; i < BATCH; i++)
            tasks[i] = UVA_SPAWN(count(&sum, 1)).future;
        bench_stop(job);
        UVA_CHECK(uva_gather(tasks, BATCH, NULL));
    }
    return checked(sum, job->operations);
}

static const bench_micro_t subjects[] = {
    {.name = "a call through a pointer",
     .run = call_through_pointer,
     .operations = CALLS},
    {.name = "await in place", .run = await_in_place, .operations = CALLS},
    {.name = "await in place, coroutine unknown",
     .run = await_kept,
     .operations = CALLS},
    {.name = "uva_spawn() + await", .run = spawn_await, .operations = ROUNDS},
    {.name = "uva_spawn_with(copy) + await",
     .run = spawn_copy_await,
     .operations = ROUNDS},
    {.name = "UVA_SPAWN() + await",
     .run = spawn_typed_await,
     .operations = ROUNDS},
    {.name = "UVA_SPAWN() + await, with a value",
     .run = spawn_value_await,
     .operations = ROUNDS},
    {.name = "uva_spawn() alone",
     .run = spawn_alone,
     .operations = BATCH * BATCHES},
    {.name = "uva_spawn_with(copy) alone",
     .run = spawn_copy_alone,
     .operations = BATCH * BATCHES},
    {.name = "UVA_SPAWN() alone",
     .run = spawn_typed_alone,
     .operations = BATCH * BATCHES},
};

int main(int argc, char **argv) {
    return BENCH_MAIN(argc, argv, "The typed layer against code by hand.",
                      subjects);
}
