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

/* Counts a handle of ours, which was initialised with `code`, and stops it from
 * holding the loop; its data is its owner. The code, below 0 without effect. */
int uva__loop_adopt(uva_runtime_t *rt, uv_handle_t *handle, void *owner,
                    int code);

/* libuv has closed a handle that was adopted. The runtime may be gone after
 * this. */
void uva__loop_handle_closed(uva_runtime_t *rt);

/* A request whose task had left, counted in rt->requests, is over. The runtime
 * may be gone after this. */
void uva__loop_request_ended(uva_runtime_t *rt);

#endif
