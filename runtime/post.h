/*
 * Calls into a runtime from any thread.
 */
#ifndef UVA__POST_H
#define UVA__POST_H

#include "runtime.h"

/* The lock, and the place in the ready queue. 0 or an error. */
int uva__posts_init(uva_runtime_t *rt);
void uva__posts_term(uva_runtime_t *rt);

/* The handle, on rt->loop. */
int uva__posts_init_async(uva_runtime_t *rt);

/* Whether something was posted that has not run. */
bool uva__posts_are_waiting(uva_runtime_t *rt);

/* Gives a reference back: 1, or UVA__HOLD. Once only the runtime's own is left,
 * the loop looks whether anybody is there who could wake its tasks. True: it
 * was the last. */
bool uva__posts_unref(uva_runtime_t *rt, size_t amount);

/* Refuses posts and pings from now on, and releases the threads that wait for
 * the loop; false when some posts have still to run. */
bool uva__posts_refuse(uva_runtime_t *rt);

/* A thread that waits until the loop does something. In that thread's frame. */
typedef struct uva__blocked {
    uva_link_t link;
    /* The runtime has ended: in the loop's thread. It must not wait for who
     * calls uva__posts_unblock(). */
    void (*release)(struct uva__blocked *blocked);
} uva__blocked_t;

/* Before and after the wait. False: the runtime has ended already. */
bool uva__posts_block(uva_runtime_t *rt, uva__blocked_t *blocked);
void uva__posts_unblock(uva_runtime_t *rt, uva__blocked_t *blocked);

#endif
