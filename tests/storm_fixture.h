/*
 * storm_fixture.h - a storm: thousands of tasks that do random things while
 * others cancel them. Here is what all of it shares: the generator, the
 * children and the book that is kept about each, and who strikes.
 *
 * Every task is a child that writes down, in its parent's frame, that it has
 * begun and what it has returned. So whatever a call says about a child can be
 * compared with what the child says; and a child that outlives the call that
 * it was given to finds a frame whose mark is gone (R8).
 *
 * Under the virtual clock everything comes out of one generator: the same seed
 * gives the same storm, and storm.trace sums it up.
 */
#ifndef STORM_FIXTURE_H
#define STORM_FIXTURE_H

#include <inttypes.h>
#include <stdatomic.h>
#include <string.h>

#include "runtime/task.h"
#include "support/support.h"
#include "uvawait.h"

enum {
    GATES = 12,
    BROOD = 6,
    DEPTH = 4,      /* children of children ... of main */
    NESTING = 3,    /* blocks within blocks of one task */
    NAP_MS = 20,    /* the longest wait that is asked for */
    KNOWN = 64,     /* futures that may be struck, and open blocks of a kind */
    STRAYS = 1024,  /* tasks that outlive who made them */
    MOMENTS = 65536 /* milliseconds that a storm may last */
};

/* What may be held; see storm_gates.h. */
typedef enum {
    GATE_SEMAPHORE,
    GATE_LOCK,
    GATE_RWLOCK,
    GATE_LIMITER,
    GATE_ONCE
} gate_kind_t;

typedef enum { MARK_ALIVE = 0x5707311f, MARK_GONE = 0x0dead } mark_t;

/* Where children are made and must be over before it goes. */
typedef struct nest {
    mark_t mark;
    size_t running; /* bodies between their first and their last step */
} nest_t;

typedef struct child {
    nest_t *nest;
    unsigned depth;
    unsigned floor; /* the first gate that it may wait at */
    bool may_fail;  /* somebody reads its failure */
    bool starts;    /* it is to call uva_group_started() */
    bool began;     /* its body has been entered */
    bool over;      /* its body has returned ... */
    int code;       /* ... this */
    bool reported;  /* uva_group_started() has accepted */
    bool inherits;  /* it must see `local` at its first step */
    const void *local;
    uint64_t next_ms; /* its first step makes this moment likely */
} child_t;

/* Children of one call, in the frame of who makes it. */
typedef struct brood {
    nest_t nest;
    size_t count;
    child_t children[BROOD];
    uva_future_t *futures[BROOD];
} brood_t;

/* An open scope that others may strike. */
typedef struct range {
    uva_scope_t scope;
    uint64_t due_ms; /* its deadline; UVA_FOREVER: none */
    bool shields;    /* and has all the time */
} range_t;

/* An open group that others may strike, and spawn into. */
typedef struct ring {
    uva_group_t group;
    brood_t brood;
    unsigned depth, floor;
    size_t failures; /* by uva_group_fail() */
} ring_t;

/* Where in the program an act takes place. */
typedef struct place {
    child_t *self;
    unsigned nesting; /* blocks of this task around it */
    unsigned floor;   /* gates below are held, here or by who waits for us */
} place_t;

typedef struct storm {
    uint64_t seed, random, trace;
    bool is_real;     /* the real clock: times are lower bounds */
    bool is_over;     /* no more strikes */
    size_t budget;    /* tasks that may still be made */
    size_t made;      /* tasks so far */
    size_t lifted;    /* how often a cancellation may have been taken back */
    size_t calls_due; /* on_done callbacks and posts that must still run */
    uva_future_t *targets[KNOWN];
    range_t *ranges[KNOWN];
    ring_t *rings[KNOWN];
    nest_t outside; /* of the strays */
    size_t stray_count;
    child_t strays[STRAYS];
    uva_future_t *stray_futures[STRAYS]; /* NULL: detached */
    bool asked[MOMENTS];                 /* moments that somebody waits for */
} storm_t;

static storm_t storm;
static const gate_kind_t gate_kinds[GATES] = {
    GATE_SEMAPHORE, GATE_LOCK,    GATE_SEMAPHORE, GATE_RWLOCK,
    GATE_ONCE,      GATE_LIMITER, GATE_LOCK,      GATE_SEMAPHORE,
    GATE_ONCE,      GATE_LIMITER, GATE_RWLOCK,    GATE_SEMAPHORE};
static const size_t gate_permits[GATES] = {1, 1, 2, 1, 1, 1, 1, 3, 1, 1, 1, 5};
static const uva_local_t weather = UVA_LOCAL_INIT(NULL);
static const char local_values[8];

/* ck_assert() costs a system call each time, and knows no seed. */
#define must(condition) \
    do { \
        if (!(condition)) \
            ck_abort_msg("seed %" PRIu64 ", task %zu, %" PRIu64 \
                         " ms: not so: %s", \
                         storm.seed, storm.made, uva_now_ms(), #condition); \
    } while (0)

/* ---- coverage ----------------------------------------------------------- */

/* What a season of storms must have met, or it shows nothing about it. */
/* clang-format off */
#define SIGHTS(X) \
    X(NOTIFIED) X(SHARED) X(ONCE_AWAITED) X(EVENT_AWAITED) X(ROUND) \
    X(ROUND_BROKEN) X(GROUP_AWAITED) X(TOKENS_AWAITED) X(ITEM_AWAITED) \
    X(ROOM_AWAITED) X(JOIN_AWAITED) X(PUT_SHUT_OUT) X(GET_SHUT_OUT) \
    X(NEWS_AWAITED) X(NEWS_MISSED) X(NEWS_ENDED) X(CHANGE_AWAITED) \
    X(CHANGES_ENDED) X(SEND_AWAITED) X(RECEIPT_AWAITED) X(SEND_CLOSED) \
    X(RECEIPT_CLOSED) X(BYTE_AWAITED) X(SENT_BY_SELECT) \
    X(RECEIVED_BY_SELECT) X(DONE_BY_SELECT) X(READABLE_BY_SELECT) \
    X(SELECT_AWAITED) X(MANY_CASES)
/* clang-format on */

#define SIGHT_ITEM(name) SAW_##name,
#define SIGHT_NAME(name) #name,
enum { SIGHTS(SIGHT_ITEM) SIGHT_COUNT };
static const char *const sight_names[] = {SIGHTS(SIGHT_NAME)};

static size_t sights[SIGHT_COUNT]; /* of all storms of a case */

/* Notes that it was met, if it was. */
#define SAW(name, condition) (sights[SAW_##name] += (condition))

/* ---- chance and time ---------------------------------------------------- */

/* splitmix64. */
static uint64_t draw(void) {
    uint64_t x = storm.random += UINT64_C(0x9e3779b97f4a7c15);
    x = (x ^ (x >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
    x = (x ^ (x >> 27)) * UINT64_C(0x94d049bb133111eb);
    return x ^ (x >> 31);
}

/* 0 .. count - 1. */
static unsigned choose(unsigned count) {
    return (unsigned)((draw() >> 32) % count);
}

/* True once in `count` times. */
static bool once_in(unsigned count) {
    return choose(count) == 0;
}

/* Somebody may be woken ms from now; returns that moment. */
static uint64_t ask(uint64_t ms) {
    uint64_t at = uva_now_ms() + ms;
    if (!storm.is_real) {
        must(at < MOMENTS);
        storm.asked[at] = true;
    }
    return at;
}

/* 1 .. NAP_MS, asked for. */
static uint64_t nap_ms(void) {
    uint64_t ms = 1 + choose(NAP_MS);
    (void)ask(ms);
    return ms;
}

/* The time is one that somebody has asked for. */
static void check_clock(void) {
    must(storm.is_real || storm.asked[uva_now_ms()]);
}

static uva__task_t *me(void) {
    return uva__task_of(uva_current());
}

/* ---- children ----------------------------------------------------------- */

/* What a child does; defined with the acts. */
static int live(child_t *self);

static int child_main(void *arg) {
    return live(arg);
}

/* For what copies its argument: arg is the copy of a pointer to the child. */
static int child_through(void *arg) {
    return live(*(child_t **)arg);
}

static void nest_close(nest_t *nest) {
    must(nest->mark == MARK_ALIVE);
    must(nest->running == 0);
    nest->mark = MARK_GONE;
}

static void child_init(child_t *child, nest_t *nest, unsigned depth,
                       unsigned floor) {
    *child = (child_t){.nest = nest,
                       .depth = depth,
                       .floor = floor,
                       .may_fail = true,
                       .inherits = true,
                       .local = uva_local_get(&weather)};
    storm.budget -= storm.budget > 0;
    storm.made++;
}

/* What the outcome of a child's future must be. */
static int outcome_of(const child_t *child) {
    must(!child->began || child->over);
    return child->began ? child->code : UV_ECANCELED;
}

/* The outcome and the value are those of the child. */
static void check_outcome(const child_t *child, int code, const void *value) {
    must(code == outcome_of(child));
    must(code != 0 || value == child);
}

/* Remembers f among those that anybody may cancel. */
static void expose(uva_future_t *f) {
    uva_future_t **place = &storm.targets[choose(KNOWN)];
    uva_unref(*place);
    *place = uva_ref(f);
}

static void count_call(uva_future_t *f, void *arg) {
    (void)arg;
    must(uva_current() == NULL);
    must(uva_is_done(f));
    must(storm.calls_due > 0);
    storm.calls_due--;
}

/* Some callbacks on f, of which some are taken back. */
static void watch(uva_future_t *f) {
    unsigned count = 1 + choose(2);
    for (unsigned i = 0; i < count; i++)
        must(uva_on_done(f, count_call, NULL) == 0);
    storm.calls_due += count;
    if (once_in(4)) {
        must(uva_remove_on_done(f, count_call) == (int)count);
        storm.calls_due -= count;
    }
}

static uva_future_t *make_coroutine(child_t *child) {
    child->inherits = false; /* sees what is seen where it runs */
    uva_future_t *f = uva_coroutine(child_through, &child, sizeof child);
    return once_in(3) ? uva_start(f) : f;
}

/* A future of that child, made in any of the ways there are. */
static uva_future_t *make_future(child_t *child) {
    uva_task_options_t options = {.name = once_in(2) ? "storm" : NULL,
                                  .eager = once_in(3),
                                  .stack_bytes = once_in(8) ? 131072 : 0};
    uva_future_t *f = NULL;
    switch (choose(4)) {
    case 0:
        f = make_coroutine(child);
        break;
    case 1:
        f = uva_spawn_with(&options, child_main, child);
        break;
    case 2:
        options.copy = &child;
        options.copy_bytes = sizeof child;
        f = uva_spawn_with(&options, child_through, NULL);
        break;
    default:
        f = uva_spawn(child_main, child);
        break;
    }
    must(f != NULL);
    if (once_in(3))
        expose(f);
    if (once_in(4))
        watch(f);
    return f;
}

static void brood_open(brood_t *brood) {
    *brood = (brood_t){.nest.mark = MARK_ALIVE};
}

/* A place for one more child. */
static child_t *brood_add(brood_t *brood, unsigned depth, unsigned floor) {
    must(brood->count < BROOD);
    child_t *child = &brood->children[brood->count++];
    child_init(child, &brood->nest, depth, floor);
    return child;
}

/* Two or more children that the place makes, with their futures. */
static void brood_fill(brood_t *brood, place_t at) {
    brood_open(brood);
    for (unsigned count = 2 + choose(BROOD - 1); count > 0; count--) {
        child_t *child = brood_add(brood, at.self->depth + 1, at.floor);
        brood->futures[child - brood->children] = make_future(child);
    }
}

/* Children as items for calls that make the tasks themselves. */
static void brood_fill_items(brood_t *brood, place_t at) {
    brood_open(brood);
    for (unsigned count = 1 + choose(BROOD); count > 0; count--)
        (void)brood_add(brood, at.self->depth + 1, at.floor);
}

static bool brood_has_outcome(const brood_t *brood, int code) {
    for (size_t i = 0; i < brood->count; i++) {
        if (outcome_of(&brood->children[i]) == code)
            return true;
    }
    return false;
}

static size_t brood_failures(const brood_t *brood) {
    size_t failures = 0;
    for (size_t i = 0; i < brood->count; i++)
        failures += outcome_of(&brood->children[i]) < 0;
    return failures;
}

/* Whether the place may make children. */
static bool may_breed(place_t at) {
    return storm.budget > 0 && at.self->depth < DEPTH;
}

/* ---- open blocks -------------------------------------------------------- */

/* Notes an open block where it may be struck; a full list leaves it out. */
#define NOTE(list, block) \
    do { \
        for (size_t i = 0; i < KNOWN; i++) { \
            if ((list)[i] == NULL) { \
                (list)[i] = (block); \
                break; \
            } \
        } \
    } while (0)

#define FORGET(list, block) \
    do { \
        for (size_t i = 0; i < KNOWN; i++) { \
            if ((list)[i] == (block)) \
                (list)[i] = NULL; \
        } \
    } while (0)

/* A child in an open group; the group may refuse. */
static void ring_spawn(ring_t *ring) {
    if (ring->brood.count == BROOD || storm.budget == 0 || ring->depth >= DEPTH)
        return;
    child_t *child = brood_add(&ring->brood, ring->depth + 1, ring->floor);
    uva_task_options_t options = {.eager = uva_current() != NULL && once_in(4)};
    uva_task_t *task = NULL;
    int code = once_in(2) ? uva_group_spawn(&ring->group, child_main, child)
                          : uva_group_spawn_with(&ring->group, &options,
                                                 child_main, child, &task);
    must(code == 0 || code == UV_EPERM);
    must(code == 0 || !child->began);
    if (task != NULL) {
        expose(task);
        uva_unref(task);
    }
}

/* ---- strikes ------------------------------------------------------------ */

static void strike_target(uva_future_t *f) {
    bool is_pending = !uva_is_done(f);
    if (once_in(4)) {
        storm.lifted++;
        (void)uva_uncancel(f);
    } else if (once_in(2)) {
        must(uva_cancel(f) == is_pending);
    } else {
        must(uva_cancel_with(f, "struck") == is_pending);
    }
}

static void strike_range(range_t *range) {
    uint64_t ms = choose(NAP_MS);
    switch (choose(4)) {
    case 0:
        uva_scope_cancel(&range->scope);
        must(uva_scope_is_cancelled(&range->scope));
        break;
    case 1:
        if (uva_scope_reschedule(&range->scope, ms) == 0)
            range->due_ms = ask(ms);
        break;
    default:
        range->shields = false;
        storm.lifted++;
        must(uva_scope_shield(&range->scope, once_in(2)) == 0);
        break;
    }
}

static void strike_ring(ring_t *ring) {
    if (once_in(3))
        must(uva_group_cancel(&ring->group) == 0);
    else
        ring_spawn(ring);
}

/* Cancels something, somewhere; may also take a cancellation back. */
static void strike(void) {
    unsigned at = choose(KNOWN);
    switch (choose(4)) {
    case 0:
        if (storm.ranges[at % 16] != NULL)
            strike_range(storm.ranges[at % 16]);
        break;
    case 1:
        if (storm.rings[at % 16] != NULL)
            strike_ring(storm.rings[at % 16]);
        break;
    default:
        if (storm.targets[at] != NULL)
            strike_target(storm.targets[at]);
        break;
    }
}

/* The same from a callback of the loop. */
static void strike_posted(void *arg) {
    (void)arg;
    must(uva_current() == NULL);
    must(storm.calls_due > 0);
    storm.calls_due--;
    strike();
}

static void post_strike(void) {
    storm.calls_due++;
    must(uva_post(uva_runtime_current(), strike_posted, NULL) == 0);
}

/* The task that strikes from outside until the storm is over. */
static int strike_on(void *arg) {
    (void)arg;
    while (!storm.is_over) {
        uint64_t ms = choose(3);
        (void)ask(ms);
        must(uva_sleep(ms) == 0);
        for (unsigned count = choose(4); count > 0; count--) {
            if (once_in(2))
                strike();
            else
                post_strike();
        }
    }
    return 0;
}

#endif
