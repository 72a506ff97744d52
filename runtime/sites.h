/*
 * Debug: how deep the stacks of tasks were used, by place of spawning.
 */
#ifndef UVA__SITES_H
#define UVA__SITES_H

#include <stdio.h>

#include "task.h"

/* Notes the high-water mark of a task that has just ended on its stack. */
void uva__sites_note(uva_runtime_t *rt, const uva__task_t *task,
                     const uva__stack_t *stack);

void uva__sites_print(const uva_runtime_t *rt, FILE *out);
void uva__sites_term(uva_runtime_t *rt);

#endif
