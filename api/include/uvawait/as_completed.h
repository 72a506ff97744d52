/**
 * Futures in the order of their completion, one at a time.
 *
 *     uva_as_completed_t it;
 *     uva_future_t *f;
 *     int code = uva_as_completed_open(&it, futures, count, 2000);
 *     while ((code = uva_as_completed_next(&it, &f)) > 0)
 *         use(uva_await(uva_ref(f), NULL));
 *     uva_as_completed_close(&it);
 *
 * Nothing is cancelled: not at the limit, and not by stopping early.
 */
#ifndef UVAWAIT_AS_COMPLETED_H
#define UVAWAIT_AS_COMPLETED_H

#include "base.h"
#include "scope.h"

UVA_BEGIN_DECLS

/* The fields are private. The struct must stay where it is while open. */
typedef struct uva_as_completed {
    uva_list_t done;       /* over, and not given out */
    uva_waiters_t waiters; /* tasks in uva_as_completed_next() */
    uva_deadline_t deadline;
    uva_runtime_t *runtime; /* NULL: not open */
    void *looks;            /* one for each different future */
    size_t room;            /* for so many looks */
    size_t count;           /* of the looks */
    size_t pending;         /* of them, watched */
    size_t late;            /* UV_ETIMEDOUT that are still to be given out */
} uva_as_completed_t;

/**
 * Begins an iteration. A future that stands several times comes once; NULL
 * comes as a future that failed (R4). Coroutines are started. Up to twelve
 * futures cost no allocation once the runtime's pools are warm, more of them
 * one.
 *
 * Context:  task
 * Parks:    never
 * Cancel:   –
 * Returns:  0, also for a count of 0; UV_ENOMEM; UV_EINVAL for a NULL array
 *           with a count; UV_EPERM outside a task, and when one is the task
 *           itself or belongs to another runtime. After a failure the iteration
 *           is at its end, and closing is allowed, not needed
 * Owns:     it borrowed until closed; each future borrowed until it has come or
 *           it is closed; the array borrowed during the call
 * Since:    0.1
 */
UVA_API int uva_as_completed_open(uva_as_completed_t *it,
                                  uva_future_t *futures[], size_t count,
                                  uint64_t timeout_ms);

/**
 * The next future that is over; those that were at the opening come first, in
 * the order of the array. timeout_ms after the opening each one that is not
 * over gives one UV_ETIMEDOUT, after those that are; it runs on. Several tasks
 * may ask, and are served in order.
 *
 * Context:  task
 * Parks:    unless there is one, or the end
 * Cancel:   UV_ECANCELED; nothing is lost, the iteration can go on
 * Returns:  1 and a future; 0 at the end, after a close, and to who waits when
 *           nothing is left; UV_ETIMEDOUT; UV_ECANCELED; UV_EINVAL for NULL;
 *           UV_EPERM outside a task or in another runtime's
 * Owns:     *ret_f is borrowed (the caller's own reference), and untouched
 *           unless 1 is returned
 * Since:    0.1
 */
UVA_API UVA_PARKS int uva_as_completed_next(uva_as_completed_t *it,
                                            uva_future_t **ret_f);

/**
 * Ends an iteration, at any point. Who waits for the next one gets 0.
 *
 * Context:  the thread of the runtime; elsewhere it is reported and has no
 *           effect
 * Parks:    never
 * Cancel:   –
 * Returns:  –
 * Owns:     it is the caller's again; closing twice is fine
 * Since:    0.1
 */
UVA_API void uva_as_completed_close(uva_as_completed_t *it);

UVA_END_DECLS

#endif
