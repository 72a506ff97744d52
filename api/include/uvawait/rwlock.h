/**
 * Reader-writer locks: many who look, or one who changes. A plain struct, no
 * allocation, nothing to destroy. First come, first served: who comes after a
 * waiting writer waits behind it, reader or not, so that neither kind can
 * starve the other.
 *
 * Not recursive: a task that holds it for reading and reads again may wait for
 * a writer that waits for the task. Nor can a reader become a writer: it has to
 * release first. Both end in a deadlock, which is reported as one.
 *
 * A writer is known as a lock's owner is: when it ends without releasing, who
 * waits or comes later gets UV_ECONNABORTED until uva_rwlock_init(). Readers
 * are only counted: one that ends without releasing keeps writers out for ever.
 */
#ifndef UVAWAIT_RWLOCK_H
#define UVAWAIT_RWLOCK_H

#include "base.h"

UVA_BEGIN_DECLS

/* The fields are private. */
typedef struct uva_rwlock {
    uva_task_t *writer; /* NULL: nobody writes */
    size_t readers;
    bool broken;
    uva_held_t held; /* by the writer */
    uva_waiters_t waiters;
} uva_rwlock_t;

/* clang-format off */
#define UVA_RWLOCK_INIT { NULL, 0, false, UVA_HELD_INIT, UVA_WAITERS_INIT }
/* clang-format on */

/**
 * Makes a lock that nobody holds, also of one that is broken.
 *
 * Context:  anywhere
 * Parks:    never
 * Cancel:   –
 * Returns:  –
 * Owns:     rwlock is the caller's; it must stay while a task holds it or waits
 *           for it, and not be made anew meanwhile
 * Since:    0.1
 */
UVA_API void uva_rwlock_init(uva_rwlock_t *rwlock);

/**
 * Takes the lock together with other readers.
 *
 * Context:  task
 * Parks:    while somebody writes, or waits before it
 * Cancel:   UV_ECANCELED; not taken, the place in the queue is given up
 * Returns:  0, UV_ECANCELED; UV_EPERM outside a task, when the task writes (the
 *           wait would never end) and when it is held or waited for in another
 *           thread (all reported); UV_ECONNABORTED when a writer ended without
 *           releasing it
 * Owns:     rwlock borrowed until it is released
 * Since:    0.1
 */
UVA_API UVA_PARKS int uva_rwlock_acquire_read(uva_rwlock_t *rwlock);

/**
 * Takes the lock alone.
 *
 * Context:  task
 * Parks:    while somebody reads or writes, or waits before it
 * Cancel:   as uva_rwlock_acquire_read()
 * Returns:  as uva_rwlock_acquire_read()
 * Owns:     as uva_rwlock_acquire_read()
 * Since:    0.1
 */
UVA_API UVA_PARKS int uva_rwlock_acquire_write(uva_rwlock_t *rwlock);

/**
 * Takes the lock for reading if that needs no wait.
 *
 * Context:  the thread of the runtime; also inside libuv callbacks
 * Parks:    never
 * Cancel:   –
 * Returns:  0; UV_EAGAIN when somebody writes or waits; UV_ECONNABORTED as
 *           uva_rwlock_acquire_read()
 * Owns:     rwlock borrowed until it is released
 * Since:    0.1
 */
UVA_API int uva_rwlock_try_acquire_read(uva_rwlock_t *rwlock);

/**
 * Takes the lock for writing if that needs no wait.
 *
 * Context:  task; elsewhere nobody would own it
 * Parks:    never
 * Cancel:   –
 * Returns:  0; UV_EAGAIN when somebody holds it; UV_EPERM outside a task
 *           (reported); UV_ECONNABORTED as uva_rwlock_acquire_read()
 * Owns:     rwlock borrowed until it is released
 * Since:    0.1
 */
UVA_API int uva_rwlock_try_acquire_write(uva_rwlock_t *rwlock);

/**
 * Gives up what a reader took. The last one lets the waiting writer in.
 *
 * Context:  the thread of the runtime; also inside libuv callbacks
 * Parks:    never
 * Cancel:   –
 * Returns:  0; UV_EPERM when nobody reads, and from another thread than the
 *           waiters' (nothing is changed; reported)
 * Owns:     rwlock borrowed
 * Since:    0.1
 */
UVA_API int uva_rwlock_release_read(uva_rwlock_t *rwlock);

/**
 * Gives up what the writer took: to the writer that has waited longest, or to
 * all readers that have waited longer than the next writer.
 *
 * Context:  the task that writes
 * Parks:    never
 * Cancel:   –
 * Returns:  0; UV_EPERM when the calling task does not write (nothing is
 *           changed; reported, with the name of who does)
 * Owns:     rwlock borrowed
 * Since:    0.1
 */
UVA_API int uva_rwlock_release_write(uva_rwlock_t *rwlock);

/**
 * Says what uva_dump() and reports call it: "parked in rwlock read 'db'".
 *
 * Context:  anywhere
 * Parks:    never
 * Cancel:   –
 * Returns:  –
 * Owns:     rwlock borrowed; name too, for as long as the lock is used; NULL
 *           takes it away
 * Since:    0.1
 */
UVA_API void uva_rwlock_set_name(uva_rwlock_t *rwlock, const char *name);

/* A look at a reader-writer lock; it changes with the next call. */
typedef struct uva_rwlock_statistics {
    const char *name;   /* as given, or NULL */
    const char *writer; /* the name of the task that writes, or NULL */
    size_t readers;     /* that hold it */
    bool broken;        /* a writer ended without releasing it */
    size_t waiting_readers;
    size_t waiting_writers;
} uva_rwlock_statistics_t;

/**
 * Tells how a lock stands. Takes a step for each task that waits.
 *
 * Context:  the thread of the runtime
 * Parks:    never
 * Cancel:   –
 * Returns:  –
 * Owns:     rwlock borrowed; the names in *ret_statistics as well, the writer's
 *           until it ends or is renamed
 * Since:    0.1
 */
UVA_API void uva_rwlock_statistics(const uva_rwlock_t *rwlock,
                                   uva_rwlock_statistics_t *ret_statistics);

UVA_END_DECLS

#endif
