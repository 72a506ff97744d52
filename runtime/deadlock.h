/*
 * Every task is parked and nobody could ever wake one (docs/DESIGN.md, R14).
 */
#ifndef UVA__DEADLOCK_H
#define UVA__DEADLOCK_H

#include "runtime.h"

/* Reports it with a dump. Under uva_run() cancels main, and aborts when no
 * cancellation can end it. */
void uva__deadlock(uva_runtime_t *rt);

#endif
