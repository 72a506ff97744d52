/*
 * A crowd: many futures awaited in one park. What gather and race share.
 *
 * Each future that is not done has a watcher; one waiter stands for all. Being
 * cancelled cancels the children and does not end the wait (R8). The watchers
 * of small crowds lie in the caller's frame, those of larger ones are one
 * allocation; without memory for it, the children are cancelled and awaited one
 * by one.
 */
#ifndef UVA__CROWD_H
#define UVA__CROWD_H

#include "runtime/seam.h"

enum { UVA__SMALL_CROWD = 8 };

typedef struct uva__crowd uva__crowd_t;

typedef struct uva__member {
    uva__watcher_t watcher;
    uva__crowd_t *crowd;
} uva__member_t;

struct uva__crowd {
    /* Set by the combinator. */
    const uva__wait_t *wait; /* its hook is uva__crowd_pass_on */
    uva_future_t **futures;  /* NULL among them: failed with UV_ENOMEM */
    size_t count;
    /* A child has ended; true: the others are to be cancelled. NULL: never. */
    bool (*decides)(uva__crowd_t *crowd, size_t index, int code);

    /* The combinator's own, written by `decides`. */
    size_t chosen; /* whose outcome the call's is; count: nobody's yet */

    /* Private. */
    uva__waiter_t waiter;
    uva__task_t *task;
    size_t pending; /* members that have not fired */
    bool parked;
    bool decided;   /* the rest is to be cancelled */
    bool passed_on; /* the request to end has gone to the children */
    uva__member_t *members;
    uva__member_t small[UVA__SMALL_CROWD];
};

/* The cancel hook: asks every child to end, and the wait goes on. */
uva_future_t *uva__crowd_pass_on(uva__waiter_t *waiter);

/* Whether the running task may wait for all of them: 0, or a code after having
 * taken those that may be touched. */
int uva__crowd_check(uva__crowd_t *crowd, const char *call);

/* Waits until every child is over. 0, or UV_ENOMEM (they are over all the
 * same). */
int uva__crowd_wait(uva__crowd_t *crowd);

/* The code of one child after the wait. */
int uva__crowd_code(const uva__crowd_t *crowd, size_t index);

/* Gives the children back. Returns the chosen one's code (delivered to the
 * task, with its message), or 0 when nobody was chosen. */
int uva__crowd_dismiss(uva__crowd_t *crowd, void *ret_value);

#endif
