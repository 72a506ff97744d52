/**
 * Barriers: nobody goes on until all have come. A plain struct, no allocation,
 * nothing to destroy. Round after round: when the last of the parties arrives,
 * the round is over, and the next arrival begins a new one.
 */
#ifndef UVAWAIT_BARRIER_H
#define UVAWAIT_BARRIER_H

#include "base.h"

UVA_BEGIN_DECLS

/* The fields are private. */
typedef struct uva_barrier {
    size_t parties;
    size_t arrived; /* in this round; those that were cancelled are out */
    bool broken;
    uva_waiters_t waiters;
} uva_barrier_t;

/* clang-format off */
#define UVA_BARRIER_INIT(parties) { (parties), 0, false, UVA_WAITERS_INIT }
/* clang-format on */

/**
 * Makes a barrier for so many tasks.
 *
 * Context:  anywhere
 * Parks:    never
 * Cancel:   –
 * Returns:  –
 * Owns:     barrier is the caller's; it must stay while tasks use it
 * Since:    0.1
 */
UVA_API void uva_barrier_init(uva_barrier_t *barrier, size_t parties);

/**
 * Waits until all parties of the round have come. The last one does not wait.
 *
 * Context:  task
 * Parks:    until the last of the parties comes
 * Cancel:   UV_ECANCELED; the task has not come, the barrier is not broken, and
 *           another may come in its place
 * Returns:  the task's place in the order of arrival, from 0 to parties - 1;
 *           UV_ECANCELED; UV_ECONNABORTED when the barrier is reset or aborted;
 *           UV_EINVAL for a barrier of 0 parties or of more than INT_MAX;
 *           UV_EPERM outside a task, or (reported) when others wait in another
 *           thread
 * Owns:     barrier borrowed until return
 * Since:    0.1
 */
UVA_API UVA_PARKS int uva_barrier_wait(uva_barrier_t *barrier);

/**
 * Breaks the barrier: those who wait and all who come get UV_ECONNABORTED,
 * until uva_barrier_reset().
 *
 * Context:  the thread of the runtime; also inside libuv callbacks
 * Parks:    never
 * Cancel:   –
 * Returns:  0; UV_EPERM from another thread than the waiters' (reported,
 *           nothing is changed)
 * Owns:     barrier borrowed
 * Since:    0.1
 */
UVA_API int uva_barrier_abort(uva_barrier_t *barrier);

/**
 * Begins a new round: those who wait get UV_ECONNABORTED, later arrivals find
 * the barrier whole and empty. Those who were let go keep their places.
 *
 * Context:  the thread of the runtime; also inside libuv callbacks
 * Parks:    never
 * Cancel:   –
 * Returns:  as uva_barrier_abort()
 * Owns:     barrier borrowed
 * Since:    0.1
 */
UVA_API int uva_barrier_reset(uva_barrier_t *barrier);

/**
 * Says what uva_dump() calls it: "parked in barrier 'start'".
 *
 * Context:  anywhere
 * Parks:    never
 * Cancel:   –
 * Returns:  –
 * Owns:     barrier borrowed; name too, for as long as the barrier is used;
 *           NULL takes it away
 * Since:    0.1
 */
UVA_API void uva_barrier_set_name(uva_barrier_t *barrier, const char *name);

/* A look at a barrier; it changes with the next call. */
typedef struct uva_barrier_statistics {
    const char *name; /* as given, or NULL */
    size_t parties;
    size_t waiting; /* parties of this round that have come, and wait */
    bool broken;    /* by uva_barrier_abort() */
} uva_barrier_statistics_t;

/**
 * Tells how a barrier stands.
 *
 * Context:  the thread of the runtime
 * Parks:    never
 * Cancel:   –
 * Returns:  –
 * Owns:     barrier borrowed; the name in *ret_statistics as well
 * Since:    0.1
 */
UVA_API void uva_barrier_statistics(const uva_barrier_t *barrier,
                                    uva_barrier_statistics_t *ret_statistics);

UVA_END_DECLS

#endif
