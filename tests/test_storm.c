/* labels: threads valgrind; timeout: 60 */
/*
 * Storms: thousands of tasks over every primitive there is, cancelled at random
 * moments from inside, from outside, by deadlines, by groups and from callbacks
 * of the loop. Afterwards nothing may be left: no task, permit, deadline,
 * waiter, block of memory, stack or callback (docs/DESIGN.md, I1 .. I9).
 *
 * The seed of the storm that is going on is the last number on standard output.
 * UVA_STORM_SEED=n runs that one only, UVA_STORM_SEEDS=n so many.
 */
#include <stdio.h>

#include "runtime/runtime.h"
#include "storm_gates.h"
#include "storm_meetings.h"
#include "storm_select.h"

/* ---- acts --------------------------------------------------------------- */

typedef enum { DONE, CANCELLED, TIMED_OUT, FAILED, OUTCOMES } outcome_t;

typedef struct act {
    const char *name;
    int (*run)(place_t at);
    unsigned weight;
    bool breeds; /* makes children */
    bool nests;  /* a block with acts in it */
} act_t;

static const act_t acts[] = {
    {"sleep", act_sleep, 6, false, false},
    {"yield", act_yield, 3, false, false},
    {"checkpoint", act_checkpoint, 1, false, false},
    {"sleep for ever", act_sleep_for_ever, 1, false, false},
    {"await", act_await, 3, true, false},
    {"cancel_and_wait", act_cancel_and_wait, 2, true, false},
    {"wait_for", act_wait_for, 3, true, false},
    {"wait_for never", act_wait_for_never, 1, false, false},
    {"future", act_future, 2, false, false},
    {"detach", act_detach, 1, true, false},
    {"shield", act_shield, 2, true, false},
    {"gather", act_gather, 3, true, false},
    {"gather_settled", act_gather_settled, 2, true, false},
    {"race", act_race, 2, true, false},
    {"wait", act_wait, 2, true, false},
    {"as_completed", act_as_completed, 2, true, false},
    {"map", act_map, 2, true, false},
    {"staggered_race", act_staggered_race, 2, true, false},
    {"scope", act_scope, 4, false, true},
    {"group", act_group, 4, true, true},
    {"local", act_local, 1, false, true},
    {"semaphore", act_semaphore, 5, false, true},
    {"lock", act_lock, 3, false, true},
    {"condition", act_condition, 5, false, true},
    {"rwlock", act_rwlock, 4, false, true},
    {"capacity limiter", act_limiter, 3, false, true},
    {"once", act_once, 3, false, true},
    {"event", act_event, 4, false, false},
    {"barrier", act_barrier, 3, false, false},
    {"wait group", act_wait_group, 2, false, false},
    {"rate limiter", act_rate_limiter, 2, false, false},
    {"queue", act_queue, 6, false, false},
    {"broadcast", act_broadcast, 3, false, false},
    {"watch", act_watch, 3, false, false},
    {"channel", act_channel, 6, false, false},
    {"stream", act_stream, 2, false, false},
    {"select", act_select, 6, false, false},
    {"strike", act_strike, 3, false, false},
    {"cancel oneself", act_cancel_self, 1, false, false},
    {"thread", act_thread, 6, false, false},
};

enum { ACTS = sizeof acts / sizeof acts[0] };

static size_t totals[ACTS][OUTCOMES]; /* of all storms of a case */

static outcome_t outcome_kind(int code) {
    if (code >= 0)
        return DONE;
    if (code == UV_ECANCELED)
        return CANCELLED;
    return code == UV_ETIMEDOUT ? TIMED_OUT : FAILED;
}

static size_t choose_act(place_t at) {
    for (;;) {
        size_t which = choose(ACTS);
        const act_t *act = &acts[which];
        if (choose(6) < act->weight && (!act->breeds || may_breed(at)) &&
            (!act->nests || may_nest(at)))
            return which;
    }
}

static int act(place_t at) {
    size_t which = choose_act(at);
    int code = acts[which].run(at);
    totals[which][outcome_kind(code)]++;
    storm.trace = (storm.trace ^ which ^ (uint64_t)(int64_t)code << 8 ^
                   uva_now_ms() << 40) *
                  UINT64_C(0x100000001b3);
    check_clock();
    return code;
}

/* Cleaning up that itself waits, for a limited time. */
static void clean_up(void) {
    uva_scope_t scope;
    uva_scope_open(&scope, NAP_MS, UVA_SCOPE_SHIELD);
    (void)ask(NAP_MS);
    (void)ask(NAP_MS / 2);
    must(uva_sleep(NAP_MS / 2) == 0);
    must(uva_scope_close(&scope) == 0);
}

static int perform(place_t at, unsigned steps) {
    int code = 0;
    for (; steps > 0; steps--) {
        code = act(at);
        if (code >= 0)
            continue;
        switch (choose(8)) {
        case 0: /* overlooked */
            break;
        case 1:
            storm.lifted++;
            (void)uva_uncancel(uva_current());
            break;
        case 2:
            clean_up();
            return code;
        default:
            return code;
        }
    }
    return code;
}

/* How a body ends: with its last act's code, a success all the same, or a
 * failure of its own. */
static int verdict_of(child_t *self, int code) {
    if (!self->may_fail)
        return code == UV_ECANCELED ? code : 0;
    if (code < 0 && !once_in(6))
        return code;
    switch (choose(8)) {
    case 0:
        return uva_fail(-1000 - (int)choose(8), "task %zu", storm.made);
    case 1:
        return 1 + (int)choose(100);
    default:
        return uva_return(self);
    }
}

static int live(child_t *self) {
    must(self->nest->mark == MARK_ALIVE);
    must(!self->began);
    must(!self->inherits || uva_local_get(&weather) == self->local);
    self->began = true;
    self->nest->running++;
    (void)ask(self->next_ms);
    place_t at = {.self = self, .floor = self->floor};
    int code = perform(at, choose(5));
    if (self->starts && code >= 0) {
        code = uva_group_started(self);
        must(code == 0 || code == UV_ECANCELED);
        self->reported = code == 0;
        if (code == 0)
            code = perform(at, choose(4));
    }
    must(self->nest->mark == MARK_ALIVE);
    self->nest->running--;
    self->over = true;
    self->code =
        self->starts && !self->reported ? code : verdict_of(self, code);
    return self->code;
}

/* ---- a storm ------------------------------------------------------------ */

enum { WAVE = 6 };

/* Children of main, a handful at a time, until the budget is used up. */
static void run_waves(void) {
    while (storm.budget > 0) {
        brood_t brood;
        brood_open(&brood);
        for (unsigned i = 0; i < WAVE; i++)
            brood.futures[i] = make_future(brood_add(&brood, 1, 0));
        int codes[WAVE];
        must(uva_gather_settled(brood.futures, WAVE, NULL, codes) == 0);
        for (unsigned i = 0; i < WAVE; i++)
            must(codes[i] == outcome_of(&brood.children[i]));
        nest_close(&brood.nest);
    }
}

/* What runs on by itself comes to its end. */
static void await_strays(const uva_runtime_t *rt) {
    for (size_t i = 0; i < storm.stray_count; i++) {
        if (storm.stray_futures[i] == NULL)
            continue;
        void *value = NULL;
        int code = uva_await(storm.stray_futures[i], &value);
        check_outcome(&storm.strays[i], code, value);
    }
    for (unsigned ms = 0;
         rt->live > 1 || rt->requests > 0 || storm.calls_due > 0; ms++) {
        must(ms < 10000);
        (void)ask(1);
        must(uva_sleep(1) == 0);
    }
    for (size_t i = 0; i < KNOWN; i++)
        uva_unref(storm.targets[i]);
    nest_close(&storm.outside);
}

/* What can be seen of a runtime in which main alone is left. */
static void check_nothing_is_left(uva_runtime_t *rt, size_t taken) {
    uva_stack_stats_t stats;
    must(uva_stack_stats(rt, &stats) == 0);
    must(stats.in_use == 1);
    must(stats.in_use + stats.pooled <= stats.peak_in_use + 8);
    must(rt->live == 1);
    must(rt->tasks.first == &me()->all && me()->all.next == NULL);
    must(rt->pools.taken == taken);
    must(rt->deadlines.earliest == NULL);
    must(rt->outside == 0);
    must(rt->callbacks.first == NULL);
    must(rt->wait_quiet.list.first == NULL);
    must(!rt->is_cancelling && rt->first_to_cancel == NULL);
    must(uva__ready_is_empty(&rt->ready));
    must(me()->requests == 0 && !me()->is_cut);
    must(me()->scope == &me()->root);
    for (size_t i = 0; i < KNOWN; i++)
        must(storm.ranges[i] == NULL && storm.rings[i] == NULL);
}

static int storm_main(void *arg) {
    (void)arg;
    uva_runtime_t *rt = uva_runtime_current();
    size_t taken = rt->pools.taken;
    size_t reserved = rt->ready.reserved;
    (void)ask(0);
    selects_connect();
    uva_task_t *striker = uva_spawn(strike_on, NULL);
    run_waves();
    storm.is_over = true;
    must(uva_await(striker, NULL) == 0);
    await_strays(rt);
    gates_check();
    meetings_check();
    traffic_check();
    selects_check();
    (void)uva_yield(); /* forgets the last message */
    check_nothing_is_left(rt, taken);
    must(rt->ready.reserved == reserved);
    check_clock();
    return 0;
}

/* How a storm is run; the seed is that of its acts. */
typedef struct season {
    size_t tasks;
    bool is_real;
    bool shuffles; /* a random schedule, by the same seed */
} season_t;

static void prepare(const season_t *season, uint64_t seed) {
    memset(&storm, 0, sizeof storm);
    storm.seed = seed;
    storm.random = seed;
    storm.budget = season->tasks;
    storm.is_real = season->is_real;
    storm.outside.mark = MARK_ALIVE;
    gates_prepare();
    meetings_prepare();
    traffic_prepare();
    selects_prepare();
}

static void run_storm(const season_t *season, uint64_t seed) {
    printf(" %" PRIu64, seed);
    fflush(stdout);
    prepare(season, seed);
    uva_options_t options = {.clock = season->is_real ? UVA_CLOCK_REAL
                                                      : UVA_CLOCK_VIRTUAL,
                             .schedule_seed = season->shuffles ? seed : 0,
                             .report = support_report};
    ck_assert_int_eq(uva_run_with(&options, storm_main, NULL), 0);
    if (support_report_count() != 0)
        ck_abort_msg("seed %" PRIu64 ": %s", seed, support_reports());
}

static uint64_t number_of(const char *name, uint64_t otherwise) {
    const char *text = getenv(name);
    return text != NULL ? strtoull(text, NULL, 10) : otherwise;
}

/* So many seeds, or what the environment says. */
static void run_season(const season_t *season, unsigned seeds) {
    uint64_t first = number_of("UVA_STORM_SEED", 1);
    uint64_t count = number_of("UVA_STORM_SEEDS",
                               support_is_slow() ? (seeds + 19) / 20 : seeds);
    if (getenv("UVA_STORM_SEED") != NULL)
        count = 1;
    memset(totals, 0, sizeof totals);
    memset(sights, 0, sizeof sights);
    printf("seeds:");
    for (uint64_t seed = first; seed < first + count; seed++)
        run_storm(season, seed);
    printf("\n");
}

/* ---- cases -------------------------------------------------------------- */

/* A storm that never got round to something shows nothing about it. */
static void check_coverage(void) {
    for (size_t i = 0; i < ACTS; i++) {
        const size_t *seen = totals[i];
        ck_assert_msg(seen[DONE] + seen[FAILED] + seen[TIMED_OUT] > 0,
                      "'%s' has never come to its end", acts[i].name);
        bool can_be_cut = acts[i].run != act_detach &&
                          acts[i].run != act_strike &&
                          acts[i].run != act_cancel_self;
        ck_assert_msg(!can_be_cut || seen[CANCELLED] > 0,
                      "'%s' was never cancelled", acts[i].name);
    }
    if (support_is_slow() || number_of("UVA_STORM_SEEDS", 1000) < 1000)
        return;
    for (size_t i = 0; i < SIGHT_COUNT; i++)
        ck_assert_msg(sights[i] > 0, "nobody has met %s", sight_names[i]);
}

START_TEST(storm_leaves_nothing) {
    const season_t season = {.tasks = 2000};
    run_season(&season, 1000);
    if (getenv("UVA_STORM_SEED") == NULL)
        check_coverage();
}
END_TEST

START_TEST(storm_in_a_random_schedule) {
    const season_t season = {.tasks = 2000, .shuffles = true};
    run_season(&season, 1000);
}
END_TEST

START_TEST(storm_of_many_tasks) {
    const season_t season = {.tasks = support_is_slow() ? 3000 : 50000};
    run_season(&season, 3);
}
END_TEST

START_TEST(storm_with_threads) {
    const season_t season = {.tasks = support_is_slow() ? 200 : 400,
                             .is_real = true};
    run_season(&season, 4);
    ck_assert_uint_gt(atomic_load(&jobs_begun), 0);
    ck_assert_uint_eq(atomic_load(&jobs_begun), atomic_load(&jobs_over));
}
END_TEST

/* The same seed is the same storm, the next one is another. */
START_TEST(storm_is_repeatable) {
    for (int shuffles = 0; shuffles < 2; shuffles++) {
        const season_t season = {.tasks = 300, .shuffles = shuffles != 0};
        uint64_t traces[3];
        for (size_t i = 0; i < 3; i++) {
            run_storm(&season, i < 2 ? 7 : 8);
            traces[i] = storm.trace;
        }
        ck_assert_uint_eq(traces[0], traces[1]);
        ck_assert_uint_ne(traces[1], traces[2]);
    }
}
END_TEST

SUITE("storm", storm_leaves_nothing, storm_in_a_random_schedule,
      storm_of_many_tasks, storm_with_threads, storm_is_repeatable)
