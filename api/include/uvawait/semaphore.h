/**
 * Semaphores: at most so many at once. A plain struct, no allocation, nothing
 * to destroy. First come, first served; a permit passes at the release, so
 * none can be lost to a cancellation and nobody can barge in.
 */
#ifndef UVAWAIT_SEMAPHORE_H
#define UVAWAIT_SEMAPHORE_H

#include "base.h"

UVA_BEGIN_DECLS

/* The fields are private. */
typedef struct uva_semaphore {
    size_t value;
    size_t bound;
    uva_waiters_t waiters;
} uva_semaphore_t;

/* clang-format off */
#define UVA_SEMAPHORE_INIT(permits) { (permits), SIZE_MAX, UVA_WAITERS_INIT }
/* clang-format on */

/**
 * Makes a semaphore of `value` permits; 0 is legal.
 *
 * Context:  anywhere
 * Parks:    never
 * Cancel:   –
 * Returns:  –
 * Owns:     semaphore is the caller's; it must stay while tasks use it
 * Since:    0.1
 */
UVA_API void uva_semaphore_init(uva_semaphore_t *semaphore, size_t value);

/**
 * Makes a semaphore that refuses to be released above `value`.
 *
 * Context:  anywhere
 * Parks:    never
 * Cancel:   –
 * Returns:  –
 * Owns:     as uva_semaphore_init()
 * Since:    0.1
 */
UVA_API void uva_semaphore_init_bounded(uva_semaphore_t *semaphore,
                                        size_t value);

/**
 * Takes a permit, waiting for one if need be.
 *
 * Context:  task
 * Parks:    while there is none
 * Cancel:   UV_ECANCELED; no permit taken, the place in the queue is given up
 * Returns:  0, UV_ECANCELED, UV_EPERM outside a task
 * Owns:     semaphore borrowed until return
 * Since:    0.1
 */
UVA_API UVA_PARKS int uva_semaphore_acquire(uva_semaphore_t *semaphore);

/**
 * Takes a permit if one is free.
 *
 * Context:  the thread of the runtime; also inside libuv callbacks
 * Parks:    never
 * Cancel:   –
 * Returns:  0, UV_EAGAIN
 * Owns:     semaphore borrowed
 * Since:    0.1
 */
UVA_API int uva_semaphore_try_acquire(uva_semaphore_t *semaphore);

/**
 * Gives a permit back; it goes to the task that has waited longest.
 *
 * Context:  the thread of the runtime; also inside libuv callbacks
 * Parks:    never
 * Cancel:   –
 * Returns:  0; UV_ERANGE above the bound (nothing is changed); UV_EPERM from
 *           another thread than the waiters' (reported)
 * Owns:     semaphore borrowed
 * Since:    0.1
 */
UVA_API int uva_semaphore_release(uva_semaphore_t *semaphore);

/**
 * The permits that are free.
 *
 * Context:  the thread of the runtime
 * Parks:    never
 * Cancel:   –
 * Returns:  the number
 * Owns:     semaphore borrowed
 * Since:    0.1
 */
UVA_API size_t uva_semaphore_value(const uva_semaphore_t *semaphore);

/**
 * Says what uva_dump() calls it: "parked in semaphore 'db' (3 waiters ahead)".
 *
 * Context:  anywhere
 * Parks:    never
 * Cancel:   –
 * Returns:  –
 * Owns:     semaphore borrowed; name too, for as long as the semaphore is used;
 *           NULL takes it away
 * Since:    0.1
 */
UVA_API void uva_semaphore_set_name(uva_semaphore_t *semaphore,
                                    const char *name);

/* A look at a semaphore; it changes with the next call. */
typedef struct uva_semaphore_statistics {
    const char *name; /* as given, or NULL */
    size_t value;     /* permits that are free */
    size_t bound;     /* SIZE_MAX: none */
    size_t waiting;   /* tasks parked in uva_semaphore_acquire() */
} uva_semaphore_statistics_t;

/**
 * Tells how a semaphore stands. Takes a step for each task that waits.
 *
 * Context:  the thread of the runtime
 * Parks:    never
 * Cancel:   –
 * Returns:  –
 * Owns:     semaphore borrowed; the name in *ret_statistics as well
 * Since:    0.1
 */
UVA_API void
uva_semaphore_statistics(const uva_semaphore_t *semaphore,
                         uva_semaphore_statistics_t *ret_statistics);

UVA_END_DECLS

#endif
