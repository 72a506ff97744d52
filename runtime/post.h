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

/* Gives a reference back. Once only the runtime's own is left, the loop looks
 * whether anybody is there who could wake its tasks. True: it was the last. */
bool uva__posts_unref(uva_runtime_t *rt);

/* Refuses posts from now on; false when some have still to run. */
bool uva__posts_refuse(uva_runtime_t *rt);

#endif
