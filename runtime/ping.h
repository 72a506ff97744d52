/*
 * Pings: how other threads and signal handlers have something done in the
 * loop's thread, without a lock and without memory of its own.
 *
 * A ping is a member of what it is about. Firing one puts it on a list of its
 * runtime and wakes the loop, which calls `run` soon; one that is fired again
 * before that is called once. What was written before uva__ping_fire() is seen
 * by `run`.
 *
 * A ping keeps the memory, not the life, of its runtime until it is closed. The
 * runtime refers to a ping only from uva__ping_fire() to `run`; at its end it
 * delivers what was fired and forgets about pings. So what must not happen is
 * that the memory of one goes that was not closed.
 */
#ifndef UVA__PING_H
#define UVA__PING_H

#include "runtime.h"

/* In the thread of the runtime. `run` may be called from then on. */
void uva__ping_open(uva_ping_t *ping, uva_runtime_t *rt,
                    void (*run)(uva_ping_t *ping));

/* From any thread, and from signal handlers; errno is kept. 0, or UV_ESHUTDOWN
 * when the ping is not open (all zero, closed) or its runtime has ended. */
int uva__ping_fire(uva_ping_t *ping);

/* Closes it in the thread of its runtime, or in any once that has ended. What
 * was fired is delivered first; nothing refers to it afterwards, but its memory
 * must stay while somebody may yet fire it, which is refused. */
void uva__ping_close(uva_ping_t *ping);

/* Whether the calling thread may close it, or do what `run` does. */
bool uva__ping_is_ours(const uva_ping_t *ping);

/* Whether its runtime has ended; from any thread. */
bool uva__ping_is_over(const uva_ping_t *ping);

/* ---- for post.c --------------------------------------------------------- */

/* Calls what was fired, oldest first. */
void uva__pings_deliver(uva_runtime_t *rt);

/* From now on uva__ping_fire() works, or nobody is inside it any more. */
void uva__pings_admit(uva_runtime_t *rt);
void uva__pings_refuse(uva_runtime_t *rt);

#endif
