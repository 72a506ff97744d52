/*
 * Park and wake: the only way a task gives up the processor, and the only way
 * it comes back (docs/DESIGN.md, I1 and I2).
 *
 * Who parks makes a waiter on its own stack, links it into what it waits for,
 * and calls uva__park(). Exactly one of these ends the park: whoever has what
 * it waits for unlinks the waiter and calls uva__wake(waiter, code); or the
 * task is cancelled while parked, and the waiter's cancel hook does so. The
 * code is decided there; resuming only delivers it.
 *
 * Before linking, uva__may_park() must have said yes. Between it and
 * uva__park() nothing may run that could cancel the task.
 */
#ifndef UVA__PARK_H
#define UVA__PARK_H

#include "list.h"
#include "runtime.h"
#include "uvawait/future.h"

typedef struct uva__waiter uva__waiter_t;

/* One static constant for each kind of wait. */
typedef struct uva__wait {
    const char *reason; /* in dumps: "parked in semaphore"; unique */
    /* The task is to be cut while parked here. Either unlinks the waiter and
     * calls uva__wake_cut(), or lets the wait go on: then it may return a
     * future that the request is passed on to. */
    uva_future_t *(*cancel)(uva__waiter_t *waiter);
    bool outside; /* only libuv can end it: a socket, a job in the pool */
} uva__wait_t;

struct uva__waiter {
    uva_link_t link;   /* in what it waits for */
    uva_list_t *queue; /* that list, where uva__leave_queue is the hook */
    const uva__wait_t *wait;
    uva__task_t *task;      /* set by uva__park */
    const uva_future_t *on; /* the future that it waits for, for dumps */
    int code;               /* set by uva__wake */
};

/* 0, or UV_ECANCELED when the task must not park; notes it in its scopes. */
int uva__may_park(uva__task_t *task);

/* Parks the running task until its waiter is woken; returns the code. */
int uva__park(uva__task_t *task, uva__waiter_t *waiter);

/* uva__may_park, then parks at the end of a list; the waiter's hook must be
 * uva__leave_queue. */
int uva__park_in(uva__task_t *task, uva_list_t *queue, uva__waiter_t *waiter);

/* Ends a park. The waiter must be unlinked already. */
void uva__wake(uva__waiter_t *waiter, int code);

/* Ends a park because the task was cancelled: UV_ECANCELED, and its scopes
 * know that they cut it short. For cancel hooks. */
void uva__wake_cut(uva__waiter_t *waiter);

/* The hook of waiters that stand in a list and own nothing else. */
uva_future_t *uva__leave_queue(uva__waiter_t *waiter);

/* Nothing is ready: wakes who waits for that. */
void uva__wake_quiet(uva_runtime_t *rt);

/* The slow path of uva__spend() in task.h: yields. */
int uva__spend_last(uva__task_t *task);

#endif
