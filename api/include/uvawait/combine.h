/**
 * Combinators: waiting for several futures at once. Each takes its futures
 * (uva_wait() borrows them), starts the coroutines among them, and returns
 * only when all of them are over (uva_shield() and uva_wait() are the explicit
 * exceptions).
 *
 * A cancellation or deadline of the waiting task is passed on to the children;
 * the wait for their end cannot be cut.
 */
#ifndef UVAWAIT_COMBINE_H
#define UVAWAIT_COMBINE_H

#include "base.h"

UVA_BEGIN_DECLS

/**
 * Waits for all futures and collects their values in argument order. The first
 * failure cancels the rest, waits for them, and is returned.
 *
 * A future that stands in several places is taken once for each of them (so
 * it needs a reference for each), runs once, and fills all of them.
 *
 * Context:  task
 * Parks:    unless all are done
 * Cancel:   passed on to the children; 0 when every child still succeeds
 * Returns:  0, the code of the first to fail, UV_EPERM outside a task and when
 *           one is the task itself or belongs to another runtime (reported),
 *           UV_EINVAL for a NULL array with a count, UV_ENOMEM (more than
 *           eight without memory for the wait: all have been cancelled)
 * Owns:     takes the futures; ret_values (may be NULL) has room for count
 *           values, is filled on success and else untouched
 * Since:    0.1
 */
UVA_API UVA_PARKS int uva_gather(uva_future_t *futures[], size_t count,
                                 void *ret_values);

/**
 * Waits for all futures, whatever happens, and collects a code for each.
 *
 * Context:  task
 * Parks:    unless all are done
 * Cancel:   passed on to the children
 * Returns:  0 (also when children fail), UV_ECANCELED when the wait was
 *           cancelled and a child ended with UV_ECANCELED for it (all results
 *           are filled in even so), UV_EPERM, UV_EINVAL and UV_ENOMEM as
 *           uva_gather()
 * Owns:     takes the futures; ret_values (may be NULL) has room for count
 *           values, of which those of failures are untouched; ret_codes (may
 *           be NULL) has room for count codes
 * Since:    0.1
 */
UVA_API UVA_PARKS int uva_gather_settled(uva_future_t *futures[], size_t count,
                                         void *ret_values, int ret_codes[]);

/**
 * Waits for f, for at most timeout_ms. At the limit cancels f, waits until it
 * is over, and returns UV_ETIMEDOUT. With a limit of 0 f is cancelled at once
 * unless it is done; a coroutine or task that has not begun never runs.
 *
 * Context:  task
 * Parks:    unless f is done
 * Cancel:   passed on: f is cancelled and has ended at return
 * Returns:  f's code (also when f answers the limit with a success or with a
 *           failure of its own), UV_ETIMEDOUT, and as uva_await()
 * Owns:     as uva_await()
 * Since:    0.1
 */
UVA_API UVA_PARKS int uva_wait_for(uva_future_t *f, uint64_t timeout_ms,
                                   void *ret_value);

/**
 * Waits for the first success; the others are cancelled and awaited.
 *
 * Context:  task
 * Parks:    unless one has succeeded
 * Cancel:   passed on to the children
 * Returns:  the winner's code; when all failed, the code of the last to fail;
 *           UV_EINVAL when count is 0; UV_EPERM and UV_ENOMEM as uva_gather()
 * Owns:     takes the futures; *ret_index and *ret_value (may be NULL) are
 *           filled on success and else untouched
 * Since:    0.1
 */
UVA_API UVA_PARKS int uva_race(uva_future_t *futures[], size_t count,
                               size_t *ret_index, void *ret_value);

/**
 * Calls fn(&items[i]) in a task, for one item after the other, until one
 * succeeds; the others are cancelled and awaited. The next begins when delay_ms
 * have passed since the last one began, or at once when that one has failed;
 * with UVA_FOREVER they run strictly one after the other. The engine of "happy
 * eyeballs": racing the addresses of a host.
 *
 * Two may succeed at the same moment, or one while it is being cancelled: the
 * first wins, and the other's code in ret_codes is a success too. So fn should
 * leave what it made (a connection) in its item, and the caller give up those
 * of all indices but the winner's.
 *
 * Context:  task
 * Parks:    always
 * Cancel:   passed on to the attempts; UV_ECANCELED unless one has won
 * Returns:  the winner's code; when all failed, the code of the last to fail
 *           (an attempt without memory for its task fails with UV_ENOMEM);
 *           UV_ECANCELED; UV_EINVAL for NULL or a count of 0; UV_EPERM outside
 *           a task
 * Owns:     items borrowed until return; *ret_index and *ret_value (may be
 *           NULL) are filled on success and else untouched; ret_codes (may be
 *           NULL) has room for count codes: UV_EAGAIN for what never began
 * Since:    0.1
 */
UVA_API UVA_PARKS int uva_staggered_race(uva_fn fn, void *items, size_t count,
                                         size_t item_bytes, uint64_t delay_ms,
                                         size_t *ret_index, void *ret_value,
                                         int ret_codes[]);

/**
 * A future that ends as f does, but can be cancelled without cancelling f.
 *
 * Context:  the thread of the runtime
 * Parks:    never
 * Cancel:   cancelling the result leaves f alone
 * Returns:  a new future; NULL for NULL, without memory, or for a future of
 *           another runtime (reported)
 * Owns:     takes f, which runs on (not if it is of another runtime); the
 *           result is new
 * Since:    0.1
 */
UVA_API UVA_MUST_CHECK uva_future_t *uva_shield(uva_future_t *f);

typedef enum {
    UVA_ALL_COMPLETED = 0,
    UVA_FIRST_COMPLETED,
    UVA_FIRST_ERROR
} uva_wait_mode_t;

/**
 * Waits until the futures are done as mode says, for at most timeout_ms.
 * Cancels nothing; a timeout is no error; coroutines are started.
 *
 * Context:  task
 * Parks:    unless the condition holds; with a timeout of 0 never
 * Cancel:   UV_ECANCELED; the futures run on
 * Returns:  how many are done at return (one that stands several times counts
 *           once; NULL is done); UV_ECANCELED; UV_EINVAL for an empty set or
 *           an unknown mode; UV_ENOMEM; UV_EPERM as uva_gather(). A future
 *           that ended with UV_ECANCELED is no error for UVA_FIRST_ERROR.
 * Owns:     futures borrowed
 * Since:    0.1
 */
UVA_API UVA_PARKS int uva_wait(uva_future_t *futures[], size_t count,
                               uva_wait_mode_t mode, uint64_t timeout_ms);

/**
 * Calls fn(&items[i]) for every item, each in a task, at most `limit` at once.
 * The first failure cancels those in flight, starts no more, and is returned.
 *
 * Context:  task
 * Parks:    unless count is 0
 * Cancel:   passed on; what has not begun does not begin
 * Returns:  0, the first failure's code, UV_ECANCELED when cancelled before
 *           all items had begun, UV_EINVAL for a limit of 0 or NULL, UV_EPERM
 *           outside a task, UV_ENOMEM
 * Owns:     items borrowed until return
 * Since:    0.1
 */
UVA_API UVA_PARKS int uva_map(uva_fn fn, void *items, size_t count,
                              size_t item_bytes, size_t limit);

UVA_END_DECLS

#endif
