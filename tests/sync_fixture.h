/*
 * sync_fixture.h - what the tests of locks and their kin share: tasks that
 * storm one of them with waits, deadlines and cancellations at random moments,
 * under the virtual clock, in FIFO and in random schedules.
 */
#ifndef SYNC_FIXTURE_H
#define SYNC_FIXTURE_H

#include "support/program.h"

#include <string.h>

#include "runtime/list.h"

enum { STORMERS = 24, STORM_SEEDS = 3 };

static uva_task_t *stormers[STORMERS];
static unsigned storm_random;

/* An assertion that costs nothing while it holds. */
#define must(fact) \
    do { \
        if (!(fact)) \
            ck_abort_msg("%s:%d: %s", __FILE__, __LINE__, #fact); \
    } while (0)

static inline unsigned draw(unsigned below) {
    storm_random = storm_random * 1103515245u + 12345u;
    return (storm_random >> 16) % below;
}

/* A little time, a turn of the others, or nothing. */
static inline void dawdle(void) {
    unsigned what = draw(4);
    if (what == 0)
        (void)uva_sleep(draw(3));
    else if (what == 1)
        (void)uva_yield();
}

/* A deadline that may pass, or none. */
static inline uint64_t storm_limit(void) {
    return draw(3) == 0 ? UVA_FOREVER : draw(6);
}

/* Between two operations: cancels somebody now and then, forgives what others
 * have asked, lets time pass. */
static inline void storm_on(void) {
    if (draw(4) == 0)
        (void)uva_cancel(stormers[draw(STORMERS)]);
    while (uva_cancelling(uva_current()) > 0)
        (void)uva_uncancel(uva_current());
    dawdle();
    while (uva_cancelling(uva_current()) > 0)
        (void)uva_uncancel(uva_current());
}

/* How often each task goes round: with all tasks and seeds a million operations
 * and more, where that takes no time. */
static inline int storm_rounds(int rounds) {
    return support_is_slow() ? rounds / 20 : 3 * rounds;
}

/* Each runs up to its first park before the next is spawned: one that was
 * cancelled before its first step would do nothing at all. */
static int spawn_stormers(void *arg) {
    uva_fn *body = arg;
    uva_future_t *f[STORMERS];
    memset(stormers, 0, sizeof stormers);
    for (size_t i = 0; i < STORMERS; i++) {
        stormers[i] =
            uva_spawn_with(&(uva_task_options_t){.eager = true}, *body, NULL);
        f[i] = uva_ref(stormers[i]);
    }
    int code = uva_gather(f, STORMERS, NULL);
    for (size_t i = 0; i < STORMERS; i++)
        uva_unref(stormers[i]);
    return code;
}

/* Runs the body in all tasks at once, with one schedule a seed; 0 is FIFO. */
static inline void storm(uva_fn body, unsigned seed) {
    storm_random = seed + 1;
    uva_options_t options = {.clock = UVA_CLOCK_VIRTUAL,
                             .schedule_seed = seed,
                             .report = support_report};
    ck_assert_int_eq(uva_run_with(&options, spawn_stormers, &body), 0);
    ck_assert_str_eq(support_reports(), "");
}

/* ---- the turns of others ------------------------------------------------ */

/* Counts how often somebody else gets a turn: whoever need not wait must let
 * others run now and then all the same. */
typedef struct turns {
    int count;
    bool over;
    uva_task_t *task;
} turns_t;

static inline int take_turns(void *arg) {
    turns_t *turns = arg;
    for (; !turns->over; turns->count++)
        ck_assert_int_eq(uva_yield(), 0);
    return 0;
}

static inline void turns_begin(turns_t *turns) {
    *turns = (turns_t){.task = uva_spawn(take_turns, turns)};
}

/* How many there were; stops counting. */
static inline int turns_end(turns_t *turns) {
    int count = turns->count;
    turns->over = true;
    ck_assert_int_eq(uva_await(turns->task, NULL), 0);
    return count;
}

#endif
