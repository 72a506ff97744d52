/*
 * Going from one task to another.
 *
 * Goals: the bare switch <= 4 ns, with the FP control words <= 6.5
 * (boost.context 6.4, libaco 10.1, minicoro 13.0, swapcontext 260); a yield of
 * two tasks in turn (W1) <= 6 (libdill 16.6, go 48, tokio 166, asyncio 1796).
 * Over many tasks the caches decide: the prototype behind the goals takes 6.3
 * ns a switch with 1,000 tasks and 17 with 10,000.
 */
#include "harness/baseline.h"
#include "harness/micro.h"
#include "runtime/arch/switch.h"

#include <stdlib.h>
#include <ucontext.h>

enum { SWITCHES = 2000000, YIELDS = 1000000, SWAPS = 100000 };
enum { CONTEXT_BYTES = 65536, MANY = 1000, VERY_MANY = 10000 };

/* Tasks that yield in turn. Each checks that the one before it has run. */
typedef struct ring {
    uint64_t rounds;
    size_t tasks;
    size_t turn; /* whose it is */
    uint64_t out_of_turn;
} ring_t;

typedef struct place {
    ring_t *ring;
    size_t number;
} place_t;

static int go_round(void *arg) {
    const place_t *place = arg;
    ring_t *ring = place->ring;
    size_t next = place->number + 1 < ring->tasks ? place->number + 1 : 0;
    int code = 0;

    for (uint64_t i = 0; i < ring->rounds; i++) {
        ring->out_of_turn += ring->turn != place->number;
        ring->turn = next;
        code |= uva_yield();
    }
    return code;
}

static int yield_in_turn(bench_job_t *job, size_t tasks) {
    ring_t ring = {.rounds = job->operations / tasks, .tasks = tasks};
    uva_future_t **futures = calloc(tasks, sizeof(*futures));
    place_t *places = calloc(tasks, sizeof(*places));
    int code = UV_ENOMEM;

    if (futures == NULL || places == NULL)
        goto done;
    for (size_t i = 0; i < tasks; i++) {
        places[i] = (place_t){&ring, i};
        futures[i] = uva_spawn(go_round, &places[i]);
    }
    uva_yield(); /* All begin: the stacks' first pages are not the matter. */
    bench_start(job);
    code = uva_gather(futures, tasks, NULL);
    bench_stop(job);
    if (code == 0 && ring.out_of_turn > 0)
        code = bench_wrong("%llu of %llu yields were out of turn",
                           (unsigned long long)ring.out_of_turn,
                           (unsigned long long)job->operations);
done:
    free(places);
    free(futures);
    return code;
}

static int yield_two(void *arg) {
    return yield_in_turn(arg, 2);
}

static int yield_many(void *arg) {
    return yield_in_turn(arg, MANY);
}

static int yield_very_many(void *arg) {
    return yield_in_turn(arg, VERY_MANY);
}

/* The switch alone: no task, no queue, two stacks. */
typedef struct bare {
    void *main_sp;
    void *other_sp;
    uint64_t visits;
} bare_t;

/* Both stacks run this one loop, as all tasks park through one place: behind
 * the newest call is where the other goes on too, so the return is predicted.
 * The empty asm keeps the call from becoming a jump. */
static __attribute__((noinline)) void
bare_loop(bare_t *bare, void **save_sp, void *const *load_sp, uint64_t rounds) {
    for (; rounds > 0; rounds--) {
        bare->visits++;
        uva__switch(save_sp, *load_sp);
        __asm__ volatile("" ::: "memory");
    }
}

static void bare_body(void *arg) {
    bare_t *bare = arg;
    bare_loop(bare, &bare->other_sp, &bare->main_sp, UINT64_MAX);
}

static int bare_switch(void *arg) {
    bench_job_t *job = arg;
    char *stack = malloc(CONTEXT_BYTES);
    bare_t bare = {.visits = 0};

    if (stack == NULL)
        return UV_ENOMEM;
    bare.other_sp = uva__switch_prepare(stack, CONTEXT_BYTES, bare_body, &bare);
    bench_start(job);
    bare_loop(&bare, &bare.main_sp, &bare.other_sp, job->operations / 2);
    bench_stop(job);
    free(stack);
    if (bare.visits != job->operations)
        return bench_wrong("%llu switches", (unsigned long long)bare.visits);
    return 0;
}

/* swapcontext, which saves the signal mask by a system call. */
static ucontext_t swap_main;
static ucontext_t swap_other;
static uint64_t swaps;

static void swap_body(void) {
    for (;;) {
        swaps++;
        swapcontext(&swap_other, &swap_main);
    }
}

static int swap_in_turn(void *arg) {
    bench_job_t *job = arg;
    char *stack = malloc(CONTEXT_BYTES);

    if (stack == NULL || getcontext(&swap_other) < 0) {
        free(stack);
        return UV_ENOMEM;
    }
    swaps = 0;
    swap_other.uc_stack.ss_sp = stack;
    swap_other.uc_stack.ss_size = CONTEXT_BYTES;
    swap_other.uc_link = NULL;
    makecontext(&swap_other, swap_body, 0);
    bench_start(job);
    for (uint64_t i = 0; i < job->operations; i += 2)
        swapcontext(&swap_main, &swap_other);
    bench_stop(job);
    free(stack);
    if (swaps * 2 != job->operations)
        return bench_wrong("%llu swaps", (unsigned long long)swaps * 2);
    return 0;
}

static const bench_micro_t subjects[] = {
    {.name = "a call through a pointer",
     .run = baseline_call,
     .plain = true,
     .operations = BASELINE_CALLS},
#ifdef BENCH_HAVE_BOOST_CONTEXT
    {.name = "boost.context: jump_fcontext",
     .run = baseline_fcontext_jump,
     .plain = true,
     .operations = BASELINE_JUMPS},
#endif
    {.name = "swapcontext",
     .run = swap_in_turn,
     .plain = true,
     .operations = SWAPS},
    {.name = "uva__switch, alone",
     .run = bare_switch,
     .plain = true,
     .operations = SWITCHES,
     .goal = 6.5},
    {.name = "uva_yield, two tasks in turn",
     .run = yield_two,
     .operations = YIELDS,
     .goal = 6},
    {.name = "uva_yield, 1,000 tasks in turn",
     .run = yield_many,
     .operations = YIELDS},
    {.name = "uva_yield, 10,000 tasks in turn",
     .run = yield_very_many,
     .operations = YIELDS},
};

int main(int argc, char **argv) {
    return BENCH_MAIN(argc, argv, "Going from one task to another.", subjects);
}
