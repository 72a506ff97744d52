/**
 * Conditions: waiting until what a lock protects has changed. A plain struct,
 * no allocation, nothing to destroy.
 *
 * A waiting task lets go of its lock and has it back when the wait returns. A
 * notification moves the oldest waiters on to the lock's queue, in which they
 * take their turns: so each waits once, and is never woken only to wait again.
 *
 *     uva_lock_acquire(&lock);
 *     while (!ready && code == 0)
 *         code = uva_condition_wait(&condition, &lock);
 *     ...
 *     uva_lock_release(&lock);
 */
#ifndef UVAWAIT_CONDITION_H
#define UVAWAIT_CONDITION_H

#include "base.h"
#include "lock.h"

UVA_BEGIN_DECLS

/* The fields are private. */
typedef struct uva_condition {
    uva_waiters_t waiters;
} uva_condition_t;

/* clang-format off */
#define UVA_CONDITION_INIT { UVA_WAITERS_INIT }
/* clang-format on */

/**
 * Makes a condition that nobody waits for. Several may share one lock.
 *
 * Context:  anywhere
 * Parks:    never
 * Cancel:   –
 * Returns:  –
 * Owns:     condition is the caller's; it must stay while tasks use it
 * Since:    0.1
 */
UVA_API void uva_condition_init(uva_condition_t *condition);

/**
 * Lets go of the lock, waits to be notified, and takes the lock back.
 *
 * Context:  the task that holds the lock
 * Parks:    always
 * Cancel:   UV_ECANCELED, holding the lock: taking it back cannot be cut, and
 *           takes as long as it takes. Who was notified before the request gets
 *           0; who was not uses no notification up
 * Returns:  0 and UV_ECANCELED, holding the lock; UV_ECONNABORTED, not holding
 *           it, when it broke meanwhile, as in uva_lock_acquire(). UV_EPERM,
 *           reported, nothing changed: the caller does not hold the lock, or
 *           others wait with another lock
 * Owns:     condition and lock borrowed until return
 * Since:    0.1
 */
UVA_API UVA_PARKS int uva_condition_wait(uva_condition_t *condition,
                                         uva_lock_t *lock);

/**
 * Waits until predicate(arg) is not 0, and returns its value. It is asked at
 * once, whether the lock is held or not, and after each notification, with the
 * lock held. A negative value ends the wait as well: an error of its own.
 *
 * Context:  the task that holds the lock; predicate runs in it
 * Parks:    while the predicate gives 0
 * Cancel:   as uva_condition_wait()
 * Returns:  what the predicate gave, holding the lock if it was held before;
 *           the errors of uva_condition_wait()
 * Owns:     condition, lock and arg borrowed until return
 * Since:    0.1
 */
UVA_API UVA_PARKS int uva_condition_wait_for(uva_condition_t *condition,
                                             uva_lock_t *lock,
                                             int (*predicate)(void *arg),
                                             void *arg);

/**
 * Lets the `count` tasks that have waited longest go on, one after the other,
 * once the caller has released the lock. Nothing is remembered for later.
 *
 * Context:  the task that holds the waiters' lock
 * Parks:    never
 * Cancel:   –
 * Returns:  how many were notified, 0 when nobody waits (whoever asks);
 *           UV_EPERM, reported, when the caller does not hold their lock
 * Owns:     condition borrowed
 * Since:    0.1
 */
UVA_API int uva_condition_notify(uva_condition_t *condition, size_t count);

/**
 * uva_condition_notify() for all that wait.
 *
 * Context:  as uva_condition_notify()
 * Parks:    never
 * Cancel:   –
 * Returns:  as uva_condition_notify()
 * Owns:     condition borrowed
 * Since:    0.1
 */
UVA_API int uva_condition_notify_all(uva_condition_t *condition);

/**
 * Says what uva_dump() calls it: "parked in condition 'ready'".
 *
 * Context:  anywhere
 * Parks:    never
 * Cancel:   –
 * Returns:  –
 * Owns:     condition borrowed; name too, for as long as the condition is used;
 *           NULL takes it away
 * Since:    0.1
 */
UVA_API void uva_condition_set_name(uva_condition_t *condition,
                                    const char *name);

/* A look at a condition; it changes with the next call. */
typedef struct uva_condition_statistics {
    const char *name;       /* as given, or NULL */
    const uva_lock_t *lock; /* that of those who wait; NULL while none does */
    size_t waiting;         /* tasks that have not been notified */
} uva_condition_statistics_t;

/**
 * Tells how a condition stands. Takes a step for each task that waits.
 *
 * Context:  the thread of the runtime
 * Parks:    never
 * Cancel:   –
 * Returns:  –
 * Owns:     condition borrowed; name and lock in *ret_statistics as well
 * Since:    0.1
 */
UVA_API void
uva_condition_statistics(const uva_condition_t *condition,
                         uva_condition_statistics_t *ret_statistics);

UVA_END_DECLS

#endif
