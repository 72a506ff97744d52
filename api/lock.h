/*
 * Locks inside: what a condition needs of them.
 *
 * A task that waits in a condition has let go of its lock and wants it back. It
 * stands in the condition's queue first and in the lock's queue then, with one
 * waiter and one park for both. While it stands in the former, the lock knows
 * it as a sleeper: a lock that breaks ends its wait too, since nobody could
 * notify it any more.
 */
#ifndef UVA__LOCK_H
#define UVA__LOCK_H

#include "runtime/seam.h"
#include "uvawait/lock.h"

typedef struct uva__sleeper {
    uva__waiter_t waiter; /* its code is what the wait is to return */
    uva_link_t link;      /* in lock->sleepers */
    uva_lock_t *lock;
} uva__sleeper_t;

/* Whether the running task holds it; false outside a task. */
bool uva__lock_is_mine(const uva_lock_t *lock);

/* Gives up a lock that is held: to the oldest waiter, if there is one. */
void uva__lock_pass(uva_lock_t *lock);

/* Gives the lock to a parked task whose waiter stands in no queue: now, if it
 * is free, else in its turn. The wait then returns the waiter's code. */
void uva__lock_regain(uva_lock_t *lock, uva__waiter_t *waiter);

#endif
