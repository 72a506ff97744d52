/*
 * The end of a runtime: RUNNING -> ENDING -> CLOSING -> ENDED (runtime.h).
 */
#ifndef UVA__END_H
#define UVA__END_H

#include "task.h"

/* RUNNING -> ENDING: reports and cancels every task. */
void uva__end_begin(uva_runtime_t *rt);

/* ENDING: whether a new task is still let in, for somebody's cleanup. */
bool uva__end_admits(const uva_runtime_t *rt);

/* ENDING: a task is over. */
void uva__end_task_over(uva_runtime_t *rt, const uva__task_t *task);

/* ENDING, before each poll: cancels tasks that came after the last round, when
 * nothing is ready or something has been for too long. */
void uva__end_press_on(uva_runtime_t *rt);

/* ENDING: no task, callback or post is left; from now on posts are refused. */
bool uva__end_is_reached(uva_runtime_t *rt);

/* ENDING -> CLOSING: closes what is open. On the loop's stack. */
void uva__end_close(uva_runtime_t *rt);

/* CLOSING -> ENDED: the last handle is closed. */
void uva__end_over(uva_runtime_t *rt);

#endif
