/**
 * Once: what is to be made a single time, by whichever task comes first, while
 * the others wait for it. A plain struct, no allocation, nothing to destroy.
 *
 *     static uva_once_t connected = UVA_ONCE_INIT;
 *     ...
 *     int code = uva_once_run(&connected, connect, &database);
 *
 * A success is remembered. A failure is the caller's whose function failed, and
 * the task that has waited longest tries next.
 */
#ifndef UVAWAIT_ONCE_H
#define UVAWAIT_ONCE_H

#include "base.h"

UVA_BEGIN_DECLS

/* The fields are private. */
typedef struct uva_once {
    const uva_task_t *runner; /* whose turn it is, or NULL */
    int code;                 /* of the success */
    bool is_done;
    uva_waiters_t waiters; /* only while somebody runs */
} uva_once_t;

/* clang-format off */
#define UVA_ONCE_INIT { NULL, 0, false, UVA_WAITERS_INIT }
/* clang-format on */

/**
 * Makes one that has not been run; the same as UVA_ONCE_INIT.
 *
 * Context:  anywhere
 * Parks:    never
 * Cancel:   –
 * Returns:  –
 * Owns:     once is the caller's; it must stay while tasks use it
 * Since:    0.1
 */
UVA_API void uva_once_init(uva_once_t *once);

/**
 * Runs fn(arg), as a call, unless that has succeeded already. If another task
 * is at it, waits: for its success, or after its failure for the turn to run
 * the own fn(arg). So fn is never run by two tasks at a time, and not again
 * after it has returned 0 or more.
 *
 * A task to which the turn has passed runs its fn even if it is cancelled
 * before it goes on; fn meets that at its first park, fails, and the turn
 * passes again.
 *
 * Context:  task
 * Parks:    while another task runs its function, and as fn does
 * Cancel:   UV_ECANCELED while waiting; nothing was run, the place in the queue
 *           is given up. While fn runs it is fn's to meet
 * Returns:  the code of the success, for every caller; or the failure of the
 *           own fn; UV_ECANCELED; UV_EINVAL without fn; UV_EPERM from within fn
 *           (reported), or outside a task
 * Owns:     once borrowed until return
 * Since:    0.1
 */
UVA_API UVA_PARKS int uva_once_run(uva_once_t *once, uva_fn fn, void *arg);

/**
 * Whether it was run with success.
 *
 * Context:  the thread of the runtime
 * Parks:    never
 * Cancel:   –
 * Returns:  true from the success on
 * Owns:     once borrowed
 * Since:    0.1
 */
UVA_API bool uva_once_is_done(const uva_once_t *once);

/**
 * Says what uva_dump() calls it: "parked in once 'connect'".
 *
 * Context:  anywhere
 * Parks:    never
 * Cancel:   –
 * Returns:  –
 * Owns:     once borrowed; name too, for as long as the once is used; NULL
 *           takes it away
 * Since:    0.1
 */
UVA_API void uva_once_set_name(uva_once_t *once, const char *name);

/* A look at a once; it changes with the next call. */
typedef struct uva_once_statistics {
    const char *name;   /* as given, or NULL */
    const char *runner; /* the name of the task whose turn it is, or NULL */
    bool is_done;
    size_t waiting; /* tasks parked in uva_once_run() */
} uva_once_statistics_t;

/**
 * Tells how a once stands. Takes a step for each task that waits.
 *
 * Context:  the thread of the runtime
 * Parks:    never
 * Cancel:   –
 * Returns:  –
 * Owns:     once borrowed; the names in *ret_statistics as well
 * Since:    0.1
 */
UVA_API void uva_once_statistics(const uva_once_t *once,
                                 uva_once_statistics_t *ret_statistics);

UVA_END_DECLS

#endif
