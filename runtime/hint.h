/*
 * Debug: the guess that what a task awaits one after the other could run at
 * once. See hint.c for when it is made.
 */
#ifndef UVA__HINT_H
#define UVA__HINT_H

#include "task.h"

typedef struct uva__hints uva__hints_t;

/* NULL without memory: then nothing is guessed. */
uva__hints_t *uva__hints_new(void);
void uva__hints_free(uva__hints_t *hints);

/* A slice of the task, or NULL, of a callback, begins, and is over, at now_ns
 * of uv_hrtime(). The runtime may have no hints. */
UVA__COLD void uva__hints_resumed(uva_runtime_t *rt, const uva__task_t *task,
                                  uint64_t now_ns);
UVA__COLD void uva__hints_left(uva_runtime_t *rt, const uva__task_t *task,
                               uint64_t now_ns);

#endif
