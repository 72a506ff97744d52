/**
 * Rate limiters: so many in a stretch of time, by the runtime's clock, real or
 * virtual. A plain struct, no allocation, nothing to destroy.
 *
 * A token bucket: tokens flow in evenly, `count` in `per_ms`, until there are
 * `burst` of them; who acquires takes some out, or waits until they are there.
 * First come, first served: a task that wants many is not overtaken by one that
 * wants few. Nothing is rounded, so the rate does not drift, however odd it is.
 */
#ifndef UVAWAIT_RATE_LIMITER_H
#define UVAWAIT_RATE_LIMITER_H

#include "scope.h"

UVA_BEGIN_DECLS

/* The fields are private. */
typedef struct uva_rate_limiter {
    uint64_t gain;  /* parts of tokens that flow in, in a nanosecond */
    uint64_t cost;  /* parts that make a token */
    uint64_t burst; /* in tokens */
    uint64_t full;  /* in parts */
    uint64_t level; /* in parts, at at_ns */
    uint64_t at_ns;
    uva_waiters_t waiters;
    uva_deadline_t deadline; /* of the first one that waits */
} uva_rate_limiter_t;

/* uva_rate_limiter_init() as an initialiser, which checks less: a 0 makes a
 * limiter that admits nothing, and burst times per_ms must be below 10^13. */
/* clang-format off */
#define UVA_RATE_LIMITER_INIT(count, per_ms, burst) { \
    (uint64_t)(count), (uint64_t)(per_ms) * 1000000u, \
    (count) > 0 && (per_ms) > 0 ? (uint64_t)(burst) : 0u, \
    (uint64_t)(burst) * (uint64_t)(per_ms) * 1000000u, \
    (uint64_t)(burst) * (uint64_t)(per_ms) * 1000000u, \
    0u, UVA_WAITERS_INIT, UVA_DEADLINE_INIT }
/* clang-format on */

/**
 * Makes a limiter that admits `count` tokens in `per_ms`, and up to `burst` at
 * a stroke; it begins with so many. With a burst of 1 tokens are spaced evenly.
 *
 * Context:  anywhere
 * Parks:    never
 * Cancel:   –
 * Returns:  0; UV_EINVAL if one of them is 0, or burst times per_ms, reduced by
 *           what it has in common with the count, is beyond 2^64 ns (then it
 *           admits nothing)
 * Owns:     limiter is the caller's; it must stay while tasks use it, all of
 *           one runtime
 * Since:    0.1
 */
UVA_API int uva_rate_limiter_init(uva_rate_limiter_t *limiter, uint64_t count,
                                  uint64_t per_ms, uint64_t burst);

/**
 * Takes tokens, waiting until they are there. 0 takes none, and waits for who
 * came before.
 *
 * Context:  task
 * Parks:    while there are too few, or others wait
 * Cancel:   UV_ECANCELED; none was taken, the place in the queue is given up,
 *           and the next one's time counts as if it had never been there
 * Returns:  0, UV_ECANCELED, UV_EINVAL (more than the burst: they would never
 *           be there; or it could not be made), UV_EPERM outside a task or with
 *           waiters of another thread (reported)
 * Owns:     limiter borrowed until return
 * Since:    0.1
 */
UVA_API UVA_PARKS int uva_rate_limiter_acquire(uva_rate_limiter_t *limiter,
                                               uint64_t tokens);

/**
 * Takes tokens if they are there and nobody waits.
 *
 * Context:  the thread of the runtime; also inside libuv callbacks
 * Parks:    never
 * Cancel:   –
 * Returns:  0, UV_EAGAIN, UV_EINVAL as uva_rate_limiter_acquire(), UV_EPERM
 *           without a runtime or with waiters of another thread (reported)
 * Owns:     limiter borrowed
 * Since:    0.1
 */
UVA_API int uva_rate_limiter_try_acquire(uva_rate_limiter_t *limiter,
                                         uint64_t tokens);

/**
 * The whole tokens that are there.
 *
 * Context:  the thread of the runtime
 * Parks:    never
 * Cancel:   –
 * Returns:  the number; while tasks wait, what is gathered for the first
 * Owns:     limiter borrowed
 * Since:    0.1
 */
UVA_API uint64_t uva_rate_limiter_available(const uva_rate_limiter_t *limiter);

/**
 * Says what uva_dump() calls it: "parked in rate limiter 'api'".
 *
 * Context:  anywhere
 * Parks:    never
 * Cancel:   –
 * Returns:  –
 * Owns:     limiter borrowed; name too, for as long as the limiter is used;
 *           NULL takes it away
 * Since:    0.1
 */
UVA_API void uva_rate_limiter_set_name(uva_rate_limiter_t *limiter,
                                       const char *name);

/* A look at a limiter; it changes with the next call, and with time. */
typedef struct uva_rate_limiter_statistics {
    const char *name;   /* as given, or NULL */
    uint64_t available; /* as uva_rate_limiter_available() */
    uint64_t burst;
    size_t waiting; /* tasks parked in uva_rate_limiter_acquire() */
} uva_rate_limiter_statistics_t;

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
UVA_API void
uva_rate_limiter_statistics(const uva_rate_limiter_t *limiter,
                            uva_rate_limiter_statistics_t *ret_statistics);

UVA_END_DECLS

#endif
