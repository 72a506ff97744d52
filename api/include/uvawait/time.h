/**
 * Time: the runtime's clock, real or virtual, in milliseconds.
 */
#ifndef UVAWAIT_TIME_H
#define UVAWAIT_TIME_H

#include "base.h"

UVA_BEGIN_DECLS

/**
 * Parks the task for at least `ms`; 0 yields once. UVA_FOREVER sleeps until
 * cancelled.
 *
 * Context:  task
 * Parks:    always
 * Cancel:   UV_ECANCELED at once; the timer is gone
 * Returns:  0, UV_ECANCELED, UV_EPERM outside a task
 * Owns:     –
 * Since:    0.1
 */
UVA_API UVA_PARKS int uva_sleep(uint64_t ms);

/**
 * Lets every other ready task run once.
 *
 * Context:  task
 * Parks:    always (the task goes to the end of the ready queue)
 * Cancel:   UV_ECANCELED without giving up the processor; a request that comes
 *           before its turn does is met at the next park (uva_checkpoint())
 * Returns:  0, UV_ECANCELED, UV_EPERM outside a task
 * Owns:     –
 * Since:    0.1
 */
UVA_API UVA_PARKS int uva_yield(void);

/**
 * uva_yield() for long computations: asks before and after whether the task is
 * to end, so that a request that came meanwhile is met here.
 *
 * Context:  task
 * Parks:    always
 * Cancel:   UV_ECANCELED, without giving up the processor when it was cancelled
 *           before
 * Returns:  0, UV_ECANCELED, UV_EPERM outside a task
 * Owns:     –
 * Since:    0.1
 */
UVA_API UVA_PARKS int uva_checkpoint(void);

/**
 * The runtime's clock, read afresh. Real: monotonic, of no fixed origin.
 * Virtual: from 0.
 *
 * Context:  task, host callback, or a thread without runtime (real clock)
 * Parks:    never
 * Cancel:   –
 * Returns:  milliseconds
 * Owns:     –
 * Since:    0.1
 */
UVA_API uint64_t uva_now_ms(void);

/**
 * Moves the virtual clock on by `ms`. Whoever is due is woken, in the order of
 * deadlines. For tests; the clock also moves by itself.
 *
 * Context:  task or host callback, in the thread of the runtime
 * Parks:    never
 * Cancel:   –
 * Returns:  0; UV_EPERM under the real clock or without a runtime
 * Owns:     –
 * Since:    0.1
 */
UVA_API int uva_clock_advance(uint64_t ms);

/**
 * Waits until every other task is parked. For tests: what has been set off has
 * then come as far as it can by itself. Several such waits end together.
 *
 * Context:  task
 * Parks:    always
 * Cancel:   UV_ECANCELED
 * Returns:  0, UV_ECANCELED, UV_EPERM outside a task
 * Owns:     –
 * Since:    0.1
 */
UVA_API UVA_PARKS int uva_wait_all_blocked(void);

UVA_END_DECLS

#endif
