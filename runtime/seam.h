/*
 * The one header of the runtime that api/ includes: what combinators and
 * synchronisation are built from. A park, a wake, watching and completing
 * futures, scopes, single steps of I/O; nothing of the loop, the stacks or the
 * scheduler.
 */
#ifndef UVA__SEAM_H
#define UVA__SEAM_H

#include "await.h"         /* waiting until a future is over */
#include "dump.h"          /* what a waiter says of itself in dumps */
#include "future.h"        /* futures, their kinds and watchers */
#include "io/connect.h"    /* connecting to one address */
#include "io/interleave.h" /* the order in which addresses are tried */
#include "io/listener.h"   /* stopping to listen */
#include "io/open.h"       /* what the end of the runtime must close */
#include "io/readable.h"   /* streams that become readable */
#include "io/resolve.h"    /* names to addresses */
#include "io/sigpipe.h"    /* writing without SIGPIPE */
#include "locals.h"        /* task-local values: who sees and holds them */
#include "park.h"          /* waiters, park, wake */
#include "report.h"        /* reports and misuse */
#include "run.h"           /* running a main task that has a name */
#include "scope.h"         /* scopes: what was cut */
#include "task.h"          /* the running task, coroutines, the budget */

#endif
