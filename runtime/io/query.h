/*
 * A question to libuv's pool that holds nothing of its task's: names to
 * addresses, and addresses to names.
 *
 * The request is memory of its own, so a task that is cut always leaves at
 * once. One that has begun cannot be taken back: it ends alone, and the end of
 * the runtime waits for it (rt->requests).
 */
#ifndef UVA__IO_QUERY_H
#define UVA__IO_QUERY_H

#include "../park.h"

typedef struct uva__query uva__query_t;

/* The task that waits for the answer; in front of where that goes. */
typedef struct uva__asker {
    uva__waiter_t waiter;
    uva__query_t *query;
} uva__asker_t;

struct uva__query {
    uva_runtime_t *runtime;
    uva__asker_t *asker; /* NULL: the task has left */
    size_t bytes;        /* of this block */
    union {
        uv_req_t any;
        uv_getaddrinfo_t addresses;
        uv_getnameinfo_t names;
    } request; /* last: as much of it as is used */
};

/* The block for a request of so many bytes; wait's hook must be
 * uva__query_leave. 0, UV_ECANCELED or UV_ENOMEM. */
int uva__query_make(uva__task_t *task, const uva__wait_t *wait,
                    size_t request_bytes, uva__asker_t *asker);

/* The request was begun with `code`: waits for the answer's. */
int uva__query_wait(uva__task_t *task, uva__asker_t *asker, int code);

/* For the request's callback, when the answer has been put where it goes: wakes
 * who asked, if it is still there, and frees the block. */
void uva__query_end(uva__query_t *query, int status);

/* The hook of those who ask. */
uva_future_t *uva__query_leave(uva__waiter_t *waiter);

#endif
