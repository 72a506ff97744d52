/*
 * What: an awaited uv_getaddrinfo().
 *
 * How: as with jobs in the pool (work.c), the look-up is memory of its own. It
 * holds nothing of its task's, so a task that is cut always leaves at once. A
 * look-up that has begun cannot be taken back: it ends alone, and the end of
 * the runtime waits for it (rt->requests).
 */
#include "resolve.h"

#include <netinet/in.h>
#include <string.h>

#include "../loop.h"
#include "../park.h"
#include "../task.h"

typedef struct lookup {
    uv_getaddrinfo_t request;
    uva_runtime_t *runtime;
    uva__waiter_t *waiter; /* NULL: the task has left */
} lookup_t;

typedef struct lookup_waiter {
    uva__waiter_t waiter;
    lookup_t *lookup;
    struct addrinfo *list; /* the answer */
} lookup_waiter_t;

static void on_answer(uv_getaddrinfo_t *request, int status,
                      struct addrinfo *list) {
    lookup_t *lookup = UVA__OF(request, lookup_t, request);
    uva_runtime_t *rt = lookup->runtime;
    uva__waiter_t *waiter = lookup->waiter;
    uva__give(&rt->pools, lookup, sizeof *lookup);
    if (waiter != NULL) {
        UVA__OF(waiter, lookup_waiter_t, waiter)->list = list;
        uva__wake(waiter, status);
        return;
    }
    uv_freeaddrinfo(list);
    rt->requests--;
    uva__loop_released(rt);
}

/* One that is still queued ends soon; one that runs, when it does. */
static uva_future_t *cancel_lookup(uva__waiter_t *waiter) {
    lookup_t *lookup = UVA__OF(waiter, lookup_waiter_t, waiter)->lookup;
    (void)uv_cancel((uv_req_t *)&lookup->request);
    lookup->waiter = NULL;
    lookup->runtime->requests++;
    uva__wake_cut(waiter);
    return NULL;
}

static const uva__wait_t lookup_wait = {
    .reason = "name look-up", .cancel = cancel_lookup, .outside = true};

/* Who wakes us: on_answer, once; the cancel hook makes it forget us. */
int uva__look_up(uva__task_t *task, const char *host, const char *service,
                 const struct addrinfo *hints, struct addrinfo **ret_list) {
    int code = uva__may_park(task);
    if (code < 0)
        return code;
    uva_runtime_t *rt = task->future.runtime;
    lookup_t *lookup = uva__take(&rt->pools, sizeof *lookup);
    if (lookup == NULL)
        return UV_ENOMEM;
    lookup_waiter_t waiter = {.waiter.wait = &lookup_wait, .lookup = lookup};
    lookup->runtime = rt;
    lookup->waiter = &waiter.waiter;
    code = uv_getaddrinfo(rt->loop, &lookup->request, on_answer, host, service,
                          hints);
    if (code < 0) {
        uva__give(&rt->pools, lookup, sizeof *lookup);
        return code;
    }
    code = uva__park(task, &waiter.waiter);
    if (code == 0)
        *ret_list = waiter.list;
    return code;
}

int uva__resolve(uva__task_t *task, const char *host,
                 struct addrinfo **ret_list) {
    struct addrinfo hints = {.ai_socktype = SOCK_STREAM};
    return uva__look_up(task, host, NULL, &hints, ret_list);
}

int uva__parse_address(const char *host, int port,
                       struct sockaddr_storage *ret_address) {
    memset(ret_address, 0, sizeof *ret_address);
    if (uv_ip4_addr(host, port, (struct sockaddr_in *)ret_address) == 0)
        return 0;
    return uv_ip6_addr(host, port, (struct sockaddr_in6 *)ret_address);
}

void uva__set_port(struct sockaddr *address, int port) {
    in_port_t number = htons((uint16_t)port);
    if (address->sa_family == AF_INET6)
        ((struct sockaddr_in6 *)(void *)address)->sin6_port = number;
    else
        ((struct sockaddr_in *)(void *)address)->sin_port = number;
}
