/*
 * Debug: slices, the stretches in which one task or callback keeps the loop's
 * thread, and the watchdog, a thread that reports one that does not end.
 *
 * The scheduler tells when a slice begins and ends. That costs a look at the
 * clock and a few stores; the watchdog reads them when it likes.
 */
#ifndef UVA__WATCHDOG_H
#define UVA__WATCHDOG_H

#include "task.h"

typedef struct uva__watchdog uva__watchdog_t;

/* `task` begins to run, or, NULL, a callback does; and is over: if it took
 * long, that is reported. Only in debug. */
UVA__COLD void uva__slice_begin(uva_runtime_t *rt, const uva__task_t *task);
UVA__COLD void uva__slice_end(uva_runtime_t *rt, const uva__task_t *task);

/* The task that runs is called something else. */
UVA__COLD void uva__slice_renamed(uva_runtime_t *rt, const char *name);

/* Starts the watchdog of a runtime in debug with the real clock. If there can
 * be none, that is reported, and the ends of long slices are all there is. */
void uva__watchdog_start(uva_runtime_t *rt);

/* Ends it; afterwards it reports no more. NULL is fine. */
void uva__watchdog_stop(uva_runtime_t *rt);

/* Around a call of the report hook, which the watchdog may want to call at the
 * same time. A hook may report in turn. */
void uva__watchdog_lock(const uva_runtime_t *rt);
void uva__watchdog_unlock(const uva_runtime_t *rt);

#endif
