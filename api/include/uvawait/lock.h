/**
 * Locks: one task at a time. A plain struct, no allocation, nothing to destroy.
 * First come, first served: a release hands the lock to the task that has
 * waited longest, so nobody can barge in and no cancellation can lose it.
 *
 * Tasks of one runtime take turns anyway: a lock is only needed for what must
 * not be interleaved across a wait.
 *
 * A lock knows its owner, the task that acquired it (a coroutine that is
 * awaited runs on its caller's task, and owns as that task). When the owner
 * ends without releasing it, what the lock protects is in an unknown state: it
 * is reported, and who waits or comes later gets UV_ECONNABORTED until
 * uva_lock_init() makes the lock anew.
 */
#ifndef UVAWAIT_LOCK_H
#define UVAWAIT_LOCK_H

#include "base.h"

UVA_BEGIN_DECLS

/* The fields are private. */
typedef struct uva_lock {
    uva_task_t *owner; /* NULL: nobody holds it */
    bool broken;
    uva_held_t held;
    uva_waiters_t waiters;
    uva_list_t sleepers; /* who released it to wait in a condition */
} uva_lock_t;

/* clang-format off */
#define UVA_LOCK_INIT { NULL, false, UVA_HELD_INIT, UVA_WAITERS_INIT, \
                        { NULL, NULL } }
/* clang-format on */

/**
 * Makes a lock that nobody holds, also of one that is broken.
 *
 * Context:  anywhere
 * Parks:    never
 * Cancel:   –
 * Returns:  –
 * Owns:     lock is the caller's; it must stay while a task holds it or waits
 *           for it, and not be made anew meanwhile
 * Since:    0.1
 */
UVA_API void uva_lock_init(uva_lock_t *lock);

/**
 * Takes the lock, waiting for it if need be.
 *
 * Context:  task
 * Parks:    while another task holds it
 * Cancel:   UV_ECANCELED; not taken, the place in the queue is given up
 * Returns:  0, UV_ECANCELED; UV_EPERM outside a task, when the task holds it
 *           already (the wait would never end) and when it is held in another
 *           thread (all three reported); UV_ECONNABORTED when its owner ended
 *           without releasing it
 * Owns:     lock borrowed until it is released
 * Since:    0.1
 */
UVA_API UVA_PARKS int uva_lock_acquire(uva_lock_t *lock);

/**
 * Takes the lock if it is free.
 *
 * Context:  task; elsewhere nobody would own it
 * Parks:    never
 * Cancel:   –
 * Returns:  0; UV_EAGAIN when it is held, also by the caller; UV_EPERM outside
 *           a task (reported); UV_ECONNABORTED as uva_lock_acquire()
 * Owns:     lock borrowed until it is released
 * Since:    0.1
 */
UVA_API int uva_lock_try_acquire(uva_lock_t *lock);

/**
 * Gives the lock up; it goes to the task that has waited longest.
 *
 * Context:  the task that holds it
 * Parks:    never
 * Cancel:   –
 * Returns:  0; UV_EPERM when the calling task does not hold it (nothing is
 *           changed; reported, with the name of who does)
 * Owns:     lock borrowed
 * Since:    0.1
 */
UVA_API int uva_lock_release(uva_lock_t *lock);

/**
 * Whether somebody holds it.
 *
 * Context:  the thread of the runtime
 * Parks:    never
 * Cancel:   –
 * Returns:  true while a task holds it; a broken lock is held by nobody
 * Owns:     lock borrowed
 * Since:    0.1
 */
UVA_API bool uva_lock_is_locked(const uva_lock_t *lock);

/**
 * Says what uva_dump() and reports call it: "parked in lock 'db'".
 *
 * Context:  anywhere
 * Parks:    never
 * Cancel:   –
 * Returns:  –
 * Owns:     lock borrowed; name too, for as long as the lock is used; NULL
 *           takes it away
 * Since:    0.1
 */
UVA_API void uva_lock_set_name(uva_lock_t *lock, const char *name);

/* A look at a lock; it changes with the next call. */
typedef struct uva_lock_statistics {
    const char *name;  /* as given, or NULL */
    const char *owner; /* the name of the task that holds it, or NULL */
    bool broken;       /* its owner ended without releasing it */
    size_t waiting;    /* tasks that wait for it; those that wait in a
                          condition count from the notification on */
} uva_lock_statistics_t;

/**
 * Tells how a lock stands. Takes a step for each task that waits.
 *
 * Context:  the thread of the runtime
 * Parks:    never
 * Cancel:   –
 * Returns:  –
 * Owns:     lock borrowed; the names in *ret_statistics as well, the owner's
 *           until it ends or is renamed
 * Since:    0.1
 */
UVA_API void uva_lock_statistics(const uva_lock_t *lock,
                                 uva_lock_statistics_t *ret_statistics);

UVA_END_DECLS

#endif
