/*
 * What a task is doing, in words.
 */
#ifndef UVA__DUMP_H
#define UVA__DUMP_H

#include "task.h"
#include "uvawait/inspect.h"

/* "running", "ready", "not started", "parked in sleep". */
const char *uva__task_doing(const uva__task_t *task);

/* Says which queue it is, and how many stand in it before the link,
 * up to a hundred. */
void uva__print_queue(const uva_waiters_t *queue, const uva_link_t *link,
                      FILE *out);

#endif
