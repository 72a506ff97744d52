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

#include <stdio.h>

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
    /* Says in dumps, behind the reason, what else there is to say of a waiter
     * that stands in no queue. May be NULL. */
    void (*describe)(const uva__waiter_t *waiter, FILE *out);
} uva__wait_t;

struct uva__waiter {
    uva_link_t link;      /* in what it waits for */
    uva_waiters_t *queue; /* that queue; NULL where it stands in none */
    const uva__wait_t *wait;
    uva__task_t *task;      /* set by uva__park */
    const uva_future_t *on; /* the future that it waits for, for dumps */
    int code;               /* set by uva__wake */
};

/* uva__may_park(), uva__park() and uva__park_in() are in task.h. */

/* Ends a park. The waiter must be unlinked already. */
void uva__wake(uva__waiter_t *waiter, int code);

/* The same in a callback that libuv makes in its poll, and nowhere else. */
void uva__wake_polled(uva__waiter_t *waiter, int code);

/* Ends a park because the task was cancelled: UV_ECANCELED, and its scopes
 * know that they cut it short. For cancel hooks. */
void uva__wake_cut(uva__waiter_t *waiter);

/* The hook of waiters that stand in a queue and own nothing else. */
uva_future_t *uva__leave_queue(uva__waiter_t *waiter);

/* ---- queues of waiters -------------------------------------------------- */

/* Who has waited longest, or NULL. */
static inline uva__waiter_t *uva__first_waiter(const uva_waiters_t *queue) {
    uva_link_t *link = queue->list.first;
    return link != NULL ? UVA__OF(link, uva__waiter_t, link) : NULL;
}

static inline bool uva__has_waiters(const uva_waiters_t *queue) {
    return queue->list.first != NULL;
}

/* What reports call it. */
static inline const char *uva__waiters_name(const uva_waiters_t *queue) {
    return queue->name != NULL ? queue->name : "(no name)";
}

/* Whether the calling thread may wake who waits here; if not, it is reported:
 * UV_EPERM. Cheap while nobody waits. */
int uva__check_thread(const uva_waiters_t *queue, const char *call);

/* Takes the one that has waited longest out, and wakes it; there must be one.
 * All of them, oldest first; returns how many. */
void uva__wake_first(uva_waiters_t *queue, int code);
size_t uva__wake_all(uva_waiters_t *queue, int code);

/* How many wait; takes a step for each. */
size_t uva__count_waiters(const uva_waiters_t *queue);

/* Nothing is ready: wakes who waits for that. */
void uva__wake_quiet(uva_runtime_t *rt);

/* The slow path of uva__spend() in task.h: yields. */
int uva__spend_last(uva__task_t *task);

#endif
