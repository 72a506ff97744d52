/*
 * The glue between a runtime and its uv_loop_t: when tasks run, and how the
 * loop may sleep (docs/DESIGN.md, I3 and I5).
 */
#ifndef UVA__LOOP_H
#define UVA__LOOP_H

#include "task.h"

/* Initialises the handles on rt->loop; on failure those that were initialised
 * are being closed, and rt->handles tells how many. */
int uva__loop_init(uva_runtime_t *rt);

/* Closes the handles of uva__loop_init(). */
void uva__loop_term(uva_runtime_t *rt);

/* Something became ready while no task runs: the next poll must not block. */
void uva__loop_has_work(uva_runtime_t *rt);

/* Keeps the loop alive. Let go of by the hooks when there is nothing left. */
void uva__loop_hold(uva_runtime_t *rt);

/* Closes a handle of the library's that was initialised, whose `data` is the
 * runtime; counted in rt->handles. */
void uva__loop_close(uva_runtime_t *rt, uv_handle_t *handle);

/* One handle or lone request fewer; the end may wait for it. */
void uva__loop_released(uva_runtime_t *rt);

#endif
