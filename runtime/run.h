/*
 * uva_run() for who can say more of the main task than that it is that.
 */
#ifndef UVA__RUN_H
#define UVA__RUN_H

#include "uvawait.h"

/* uva_run_with(); the main task bears this name (copied), and reports say that
 * it was spawned at `site`. */
int uva__run_as(const char *site, const char *name,
                const uva_options_t *options, uva_fn main, void *arg);

#endif
