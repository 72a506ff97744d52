/**
 * Capacity limiters: at most so many at once, where "so many" can be changed
 * while tasks are at it; trio's. A plain struct, no allocation, nothing to
 * destroy. First come, first served; a token passes at the call that frees it,
 * so none can be lost to a cancellation and nobody can barge in.
 */
#ifndef UVAWAIT_CAPACITY_LIMITER_H
#define UVAWAIT_CAPACITY_LIMITER_H

#include "base.h"

UVA_BEGIN_DECLS

/* The fields are private. */
typedef struct uva_capacity_limiter {
    size_t total;
    size_t borrowed;       /* may be above the total, after it was lowered */
    uva_waiters_t waiters; /* only while none is free */
} uva_capacity_limiter_t;

/* clang-format off */
#define UVA_CAPACITY_LIMITER_INIT(tokens) { (tokens), 0, UVA_WAITERS_INIT }
/* clang-format on */

/**
 * Makes a limiter of `total` tokens; 0 admits no one, SIZE_MAX everybody.
 *
 * Context:  anywhere
 * Parks:    never
 * Cancel:   –
 * Returns:  –
 * Owns:     limiter is the caller's; it must stay while tasks use it
 * Since:    0.1
 */
UVA_API void uva_capacity_limiter_init(uva_capacity_limiter_t *limiter,
                                       size_t total);

/**
 * Borrows a token, waiting for one if need be.
 *
 * Context:  task
 * Parks:    while none is free
 * Cancel:   UV_ECANCELED; none was borrowed, the place in the queue is given up
 * Returns:  0, UV_ECANCELED, UV_EPERM outside a task
 * Owns:     limiter borrowed until return
 * Since:    0.1
 */
UVA_API UVA_PARKS int
uva_capacity_limiter_acquire(uva_capacity_limiter_t *limiter);

/**
 * Borrows a token if one is free.
 *
 * Context:  the thread of the runtime; also inside libuv callbacks
 * Parks:    never
 * Cancel:   –
 * Returns:  0, UV_EAGAIN
 * Owns:     limiter borrowed
 * Since:    0.1
 */
UVA_API int uva_capacity_limiter_try_acquire(uva_capacity_limiter_t *limiter);

/**
 * Gives a token back. Unless more are borrowed than there are, it goes to the
 * task that has waited longest.
 *
 * Context:  the thread of the runtime; also inside libuv callbacks
 * Parks:    never
 * Cancel:   –
 * Returns:  0; UV_ERANGE when none is borrowed (nothing is changed); UV_EPERM
 *           from another thread than the waiters' (reported)
 * Owns:     limiter borrowed
 * Since:    0.1
 */
UVA_API int uva_capacity_limiter_release(uva_capacity_limiter_t *limiter);

/**
 * Changes how many tokens there are. More of them admit as many that wait.
 * Fewer throw nobody out: until enough are given back, nobody is admitted.
 *
 * Context:  the thread of the runtime; also inside libuv callbacks
 * Parks:    never
 * Cancel:   –
 * Returns:  0; UV_EPERM from another thread than the waiters' (reported;
 *           nothing is changed)
 * Owns:     limiter borrowed
 * Since:    0.1
 */
UVA_API int uva_capacity_limiter_set_total(uva_capacity_limiter_t *limiter,
                                           size_t total);

/**
 * The tokens that are free.
 *
 * Context:  the thread of the runtime
 * Parks:    never
 * Cancel:   –
 * Returns:  the number; 0 also while more are borrowed than there are
 * Owns:     limiter borrowed
 * Since:    0.1
 */
UVA_API size_t
uva_capacity_limiter_available(const uva_capacity_limiter_t *limiter);

/**
 * Says what uva_dump() calls it: "parked in capacity limiter 'threads'".
 *
 * Context:  anywhere
 * Parks:    never
 * Cancel:   –
 * Returns:  –
 * Owns:     limiter borrowed; name too, for as long as the limiter is used;
 *           NULL takes it away
 * Since:    0.1
 */
UVA_API void uva_capacity_limiter_set_name(uva_capacity_limiter_t *limiter,
                                           const char *name);

/* A look at a limiter; it changes with the next call. */
typedef struct uva_capacity_limiter_statistics {
    const char *name; /* as given, or NULL */
    size_t total;
    size_t borrowed;
    size_t waiting; /* tasks parked in uva_capacity_limiter_acquire() */
} uva_capacity_limiter_statistics_t;

/**
 * Tells how a limiter stands. Takes a step for each task that waits.
 *
 * Context:  the thread of the runtime
 * Parks:    never
 * Cancel:   –
 * Returns:  –
 * Owns:     limiter borrowed; the name in *ret_statistics as well
 * Since:    0.1
 */
UVA_API void uva_capacity_limiter_statistics(
    const uva_capacity_limiter_t *limiter,
    uva_capacity_limiter_statistics_t *ret_statistics);

UVA_END_DECLS

#endif
