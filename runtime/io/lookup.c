/*
 * What: looking up names and addresses, for users.
 *
 * How: names are resolve.c's. The other way is the same: the request is memory
 * of its own, which its callback frees, and a task that is cut leaves it.
 */
#include "uvawait/lookup.h"

#include <string.h>

#include "../loop.h"
#include "../park.h"
#include "../task.h"
#include "resolve.h"

int uva_getaddrinfo(const char *host, const char *service,
                    const struct addrinfo *hints, struct addrinfo **ret_list) {
    uva__task_t *task = uva__running("uva_getaddrinfo");
    if (task == NULL)
        return UV_EPERM;
    if ((host == NULL && service == NULL) || ret_list == NULL)
        return UV_EINVAL;
    return uva__look_up(task, host, service, hints, ret_list);
}

/* ---- the other way ------------------------------------------------------ */

/* A name and where it goes. */
typedef struct place {
    char *ret_name; /* NULL: it is not asked for */
    size_t bytes;
} place_t;

typedef struct lookup {
    uv_getnameinfo_t request;
    uva_runtime_t *runtime;
    uva__waiter_t *waiter; /* NULL: the task has left */
} lookup_t;

typedef struct lookup_waiter {
    uva__waiter_t waiter;
    lookup_t *lookup;
    place_t host;
    place_t service;
} lookup_waiter_t;

static bool fits(const place_t *place, const char *name) {
    return place->ret_name == NULL || strlen(name) < place->bytes;
}

static void put(const place_t *place, const char *name) {
    if (place->ret_name != NULL)
        memcpy(place->ret_name, name, strlen(name) + 1);
}

/* The answer goes into the buffers of the parked task. */
static int deliver(const lookup_waiter_t *waiter, const char *host,
                   const char *service) {
    if (!fits(&waiter->host, host) || !fits(&waiter->service, service))
        return UV_ENOBUFS;
    put(&waiter->host, host);
    put(&waiter->service, service);
    return 0;
}

static void on_answer(uv_getnameinfo_t *request, int status, const char *host,
                      const char *service) {
    lookup_t *lookup = UVA__OF(request, lookup_t, request);
    uva_runtime_t *rt = lookup->runtime;
    uva__waiter_t *waiter = lookup->waiter;
    if (waiter != NULL && status == 0)
        status =
            deliver(UVA__OF(waiter, lookup_waiter_t, waiter), host, service);
    uva__give(&rt->pools, lookup, sizeof *lookup);
    if (waiter != NULL) {
        uva__wake(waiter, status);
        return;
    }
    rt->requests--;
    uva__loop_released(rt);
}

static uva_future_t *cancel_lookup(uva__waiter_t *waiter) {
    lookup_t *lookup = UVA__OF(waiter, lookup_waiter_t, waiter)->lookup;
    (void)uv_cancel((uv_req_t *)&lookup->request);
    lookup->waiter = NULL;
    lookup->runtime->requests++;
    uva__wake_cut(waiter);
    return NULL;
}

static const uva__wait_t lookup_wait = {
    .reason = "address look-up", .cancel = cancel_lookup, .outside = true};

/* Who wakes us: on_answer, once; the cancel hook makes it forget us. */
static int look_up(uva__task_t *task, const struct sockaddr *address, int flags,
                   lookup_waiter_t *waiter) {
    int code = uva__may_park(task);
    if (code < 0)
        return code;
    uva_runtime_t *rt = task->future.runtime;
    lookup_t *lookup = uva__take(&rt->pools, sizeof *lookup);
    if (lookup == NULL)
        return UV_ENOMEM;
    waiter->waiter.wait = &lookup_wait;
    waiter->lookup = lookup;
    lookup->runtime = rt;
    lookup->waiter = &waiter->waiter;
    code =
        uv_getnameinfo(rt->loop, &lookup->request, on_answer, address, flags);
    if (code < 0) {
        uva__give(&rt->pools, lookup, sizeof *lookup);
        return code;
    }
    return uva__park(task, &waiter->waiter);
}

int uva_getnameinfo(const struct sockaddr *address, int flags, char *ret_host,
                    size_t host_bytes, char *ret_service,
                    size_t service_bytes) {
    uva__task_t *task = uva__running("uva_getnameinfo");
    if (task == NULL)
        return UV_EPERM;
    if (address == NULL)
        return UV_EINVAL;
    lookup_waiter_t waiter = {.host = {ret_host, host_bytes},
                              .service = {ret_service, service_bytes}};
    return look_up(task, address, flags, &waiter);
}
