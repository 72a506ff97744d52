/*
 * Items from a generator, beside a plain callback.
 *
 * An item costs two bare switches, its copy, and the checks of uva_next() and
 * uva_emit(); a hundred and twenty-eighth of a yield comes on top. The callback
 * is what a C library would offer instead: it cannot wait, and turns the
 * caller's loop inside out.
 */
#include "harness/baseline.h"
#include "harness/micro.h"

enum { ITEMS = 1000000, MAKINGS = 200000 };

/* The sum of 0 .. count - 1. */
static uint64_t sum_below(uint64_t count) {
    return count * (count - 1) / 2;
}

static int check_sum(uint64_t sum, uint64_t count) {
    if (sum == sum_below(count))
        return 0;
    return bench_wrong("the items' sum is %llu", (unsigned long long)sum);
}

static int emit_below(void *arg) {
    uint64_t count = *(const uint64_t *)arg;
    int code = 0;

    for (uint64_t i = 0; i < count && code == 0; i++)
        code = uva_emit(&i);
    return code;
}

static int iterate_over(uva_fn body, bench_job_t *job) {
    uint64_t sum = 0;
    uint64_t item;
    uva_generator_t *generator =
        uva_generate(body, &job->operations, sizeof(item));

    bench_start(job);
    while (uva_next(generator, &item) > 0)
        sum += item;
    bench_stop(job);
    int code = uva_generator_close(generator);
    return code < 0 ? code : check_sum(sum, job->operations);
}

static int iterate(void *arg) {
    return iterate_over(emit_below, arg);
}

/* One that passes on what another hands out. */
static int pass_on(void *arg) {
    uint64_t item;
    int code = 0;
    uva_generator_t *inner = uva_generate(emit_below, arg, sizeof(item));

    while (code >= 0 && (code = uva_next(inner, &item)) > 0)
        code = uva_emit(&item);
    int end = uva_generator_close(inner);
    return code < 0 ? code : end;
}

static int iterate_nested(void *arg) {
    return iterate_over(pass_on, arg);
}

static int make_and_close(void *arg) {
    bench_job_t *job = arg;
    uint64_t one = 1;
    uint64_t item;
    int code = 0;

    bench_start(job);
    for (uint64_t i = 0; i < job->operations && code >= 0; i++) {
        uva_generator_t *generator =
            uva_generate(emit_below, &one, sizeof(item));
        code = uva_next(generator, &item);
        code |= uva_generator_close(generator);
    }
    bench_stop(job);
    return code < 0 ? code : 0;
}

/* The callback is reached through a pointer that the compiler cannot follow. */
typedef void (*on_item_fn)(const void *item, void *arg);

static void add_up(const void *item, void *arg) {
    *(uint64_t *)arg += *(const uint64_t *)item;
}

static __attribute__((noinline)) void
call_below(uint64_t count, on_item_fn on_item, void *arg) {
    for (uint64_t i = 0; i < count; i++)
        on_item(&i, arg);
}

static int call_back(void *arg) {
    bench_job_t *job = arg;
    uint64_t sum = 0;
    on_item_fn volatile on_item = add_up;

    bench_start(job);
    call_below(job->operations, on_item, &sum);
    bench_stop(job);
    return check_sum(sum, job->operations);
}

static const bench_micro_t subjects[] = {
    {.name = "a call through a pointer",
     .run = baseline_call,
     .plain = true,
     .operations = BASELINE_CALLS},
    {.name = "a plain callback, per item",
     .run = call_back,
     .plain = true,
     .operations = ITEMS},
    {.name = "a generator, per item", .run = iterate, .operations = ITEMS},
    {.name = "one that passes on another's, per item",
     .run = iterate_nested,
     .operations = ITEMS},
    {.name = "made, begun, closed early",
     .run = make_and_close,
     .operations = MAKINGS},
};

int main(int argc, char **argv) {
    return BENCH_MAIN(argc, argv, "Items from generators.", subjects);
}
