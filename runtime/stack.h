/**
 * Stack memory: where the stacks of tasks come from and go back to.
 *
 * A stack is in one of four states, and only its runtime's thread moves it:
 *
 *   uncarved  address space of an arena; no guard, no record filled
 *   raw       has a guard below it; no page touched, no fiber
 *   pooled    has a fiber that waits in its endless loop for the next task
 *   in use    a task stands on it
 *
 *   uncarved -> raw            in batches, when no raw one is left
 *   raw -> in use              acquire, when none is pooled
 *   pooled -> in use           acquire: the hot path, last in first out
 *   in use -> pooled           release
 *   pooled -> raw              purge
 *
 * Nothing goes back to the system on the hot path. Whoever runs the tasks
 * calls uva__stacks_trim() when it has nothing else to do: it costs a compare
 * when nothing changed, and otherwise one system call for up to 64 stacks that
 * were pooled since. uva__stacks_purge() goes further and is for the user.
 */
#ifndef UVA__STACK_H
#define UVA__STACK_H

#include "assert.h"
#include "fiber.h"
#include "guard.h"
#include "sanitizers.h"

#include "uvawait/inspect.h"

#include <stdbool.h>
#include <stddef.h>

/* Usable bytes of a stack when nobody says otherwise. Address space only: a
 * shallow task touches one page. libc's printf and resolvers want tens of
 * kilobytes; sanitizers multiply frames by about three. */
#define UVA__STACK_DEFAULT_BYTES ((size_t)256 * 1024)

typedef struct uva__stack uva__stack_t;
typedef struct uva__stack_class uva__stack_class_t;

/* The record of a stack: apart from the stack, dense, a cache line each, so
 * that a round over many tasks touches one line of each. The bounds are those
 * in fiber: from fiber.low, which is page aligned, up to the coloured top. They
 * are filled in when the stack is carved; the rest of fiber belongs to pooled
 * stacks and those in use. */
struct uva__stack {
    uva__fiber_t fiber;        /* stays the first member */
    void *owner;               /* in use: the caller's, a task or a tagged
                                  generator; else NULL */
    struct uva__stack *next;   /* raw, pooled: the next below it */
    uva__stack_class_t *class; /* always: the size class it belongs to */
    size_t bytes;              /* always: what it was asked to have; it has up
                                  to a page more, and reports say this */
};
_Static_assert(UVA__ASAN || UVA__TSAN || sizeof(uva__stack_t) <= 64,
               "one cache line for each stack");

static inline char *uva__stack_top(const uva__stack_t *stack) {
    return stack->fiber.low + stack->fiber.bytes;
}

/* All stacks of one size. */
struct uva__stack_class {
    uva__stack_t *pool;        /* pooled stacks, last released first */
    size_t pooled;             /* length of pool */
    size_t trimmed;            /* of these, counted from the far end, how many
                                  have given their pages back since released */
    size_t bytes;              /* usable bytes that each has at least; pages */
    size_t area_bytes;         /* bytes and a page for colouring the top */
    size_t stride;             /* area, guard; an odd number of pages */
    uva__stack_t *raw;         /* raw stacks */
    size_t raw_count;          /* length of raw */
    struct uva__arena *arenas; /* newest first; all but it are fully carved */
    size_t next_count;         /* stacks that the next arena is to hold */
    size_t live;               /* pooled and in use */
    size_t peak;               /* most that were in use at once. Stacks become
                                  live only when none is pooled, so that this
                                  is the most that were ever live */
    size_t high_water;         /* deepest use seen by uva__stack_used() */
    uva__stack_class_t *next;  /* the next other size, in order of first use */
};

/* One per runtime, embedded in it; must not move while stacks exist. */
typedef struct uva__stacks {
    uva__stack_class_t standard; /* the default size, and the list of others */
    uva__entry_fn entry;         /* what each stack's fiber runs; its argument
                                    is the uva__stack_t */
    uva__guards_t guards;
} uva__stacks_t;

/** Touches no memory and makes no system call but for the page size. */
void uva__stacks_init(uva__stacks_t *stacks, size_t default_bytes,
                      uva__entry_fn entry);

/** Gives everything back. No stack may be in use. */
void uva__stacks_term(uva__stacks_t *stacks);

/** The way round for uva__stack_acquire(); not for anybody else. */
uva__stack_t *uva__stack_acquire_slow(uva__stacks_t *stacks, size_t bytes,
                                      const char **ret_why);

/* Takes the last released one of a class whose pool is not empty. */
static inline uva__stack_t *uva__stack_pop(uva__stack_class_t *class) {
    uva__stack_t *stack = class->pool;
    class->pool = stack->next;
    class->pooled--;
    if (class->trimmed > class->pooled)
        class->trimmed = class->pooled;
    return stack;
}

/**
 * A stack with at least `bytes` usable bytes; 0: the default. Its owner is
 * for the caller to set.
 *
 * Returns:  borrowed until uva__stack_release(), or NULL; then *ret_why is a
 *           text that tells the remedy, borrowed until the next failure here
 */
static inline uva__stack_t *
uva__stack_acquire(uva__stacks_t *stacks, size_t bytes, const char **ret_why) {
    uva__stack_class_t *class = &stacks->standard;
    if (UVA__LIKELY(class->pool != NULL && bytes == 0))
        return uva__stack_pop(class);
    return uva__stack_acquire_slow(stacks, bytes, ret_why);
}

/** Back into its pool. The fiber must be parked in its loop. */
static inline void uva__stack_release(uva__stacks_t *stacks,
                                      uva__stack_t *stack) {
    uva__stack_class_t *class = stack->class;
    (void)stacks;
    stack->owner = NULL;
    stack->next = class->pool;
    class->pool = stack;
    class->pooled++;
}

/**
 * Makes sure that `count` stacks of the default size can be had at the same
 * time, those in use included, so that a later acquire cannot be refused. What
 * it adds is raw: a guard each, no page touched.
 *
 * Returns:  false: *ret_why as in acquire
 */
bool uva__stacks_ensure(uva__stacks_t *stacks, size_t count,
                        const char **ret_why);

/**
 * How many more stacks the kernel's map limit allows beyond those that exist,
 * as of the last count; SIZE_MAX where guards cost no map, or none was made
 * yet. An estimate for statistics: acquire has the last word.
 */
size_t uva__stacks_room(const uva__stacks_t *stacks);

/** The way round for uva__stacks_trim(); not for anybody else. */
void uva__stacks_trim_slow(uva__stacks_t *stacks, size_t keep);

/**
 * Gives pages of pooled stacks back, of each size all but those of the `keep`
 * released last. The page that a pooled stack's fiber is parked on, and the
 * top page, stay: touching them again would cost more than they do.
 */
static inline void uva__stacks_trim(uva__stacks_t *stacks, size_t keep) {
    const uva__stack_class_t *class = &stacks->standard;
    for (; class != NULL; class = class->next) {
        if (UVA__UNLIKELY(class->pooled - class->trimmed > keep))
            uva__stacks_trim_slow(stacks, keep);
    }
}

/**
 * The same, but the stacks become raw: their last page goes too. For a server
 * that has had its peak; the next use of such a stack costs what a fresh one
 * costs, but for the guard. Where a fiber cannot be ended from outside
 * (UVA__FIBER_NEEDS_RETIRE: sanitizers) it is the same as trim.
 */
void uva__stacks_purge(uva__stacks_t *stacks, size_t keep);

/**
 * Walks over the pooled stacks: the first for after NULL, then the one behind
 * after; NULL at the end. Acquire and release nothing meanwhile.
 */
uva__stack_t *uva__stacks_pooled(const uva__stacks_t *stacks,
                                 const uva__stack_t *after);

/** Walks over all arenas, so not for hot paths. */
void uva__stacks_stats(const uva__stacks_t *stacks,
                       uva_stack_stats_t *ret_stats);

/**
 * Whether a fault at `address` was an overflow of `current` (NULL: no): it lies
 * in the gap below. Async-signal-safe.
 */
bool uva__stacks_guard_hit(const uva__stacks_t *stacks,
                           const uva__stack_t *current, const void *address);

/* ---- in watermark.c ----------------------------------------------------- */

/**
 * How deep the stack has been used, in bytes, since it was carved, trimmed,
 * purged or scrubbed: down to the deepest word that is not zero. Also kept as
 * its class's high water. Pages that are swapped out do not count.
 */
size_t uva__stack_used(const uva__stack_t *stack);

/**
 * Zeroes what is below the parked frame of a pooled stack, so that the next
 * mark is that of the next task alone.
 */
void uva__stack_scrub(uva__stack_t *stack);

/** The lowest byte that a pooled stack's parked fiber still needs. */
char *uva__stack_parked_floor(const uva__stack_t *stack);

#endif
