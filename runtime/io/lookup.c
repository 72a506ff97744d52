/*
 * What: looking up names and addresses, for users.
 *
 * Names to addresses are resolve.c's; the other way is here.
 */
#include "uvawait/lookup.h"

#include <string.h>

#include "../task.h"
#include "query.h"
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
    uva__asker_t asker;
    place_t host;
    place_t service;
} lookup_t;

static bool fits(const place_t *place, const char *name) {
    return place->ret_name == NULL || strlen(name) < place->bytes;
}

static void put(const place_t *place, const char *name) {
    if (place->ret_name != NULL)
        memcpy(place->ret_name, name, strlen(name) + 1);
}

/* The answer goes into the buffers of the parked task. */
static int deliver(const lookup_t *lookup, const char *host,
                   const char *service) {
    if (!fits(&lookup->host, host) || !fits(&lookup->service, service))
        return UV_ENOBUFS;
    put(&lookup->host, host);
    put(&lookup->service, service);
    return 0;
}

/* The names lie in the request. */
static void on_answer(uv_getnameinfo_t *request, int status, const char *host,
                      const char *service) {
    uva__query_t *query = UVA__OF(request, uva__query_t, request);
    if (query->asker != NULL && status == 0)
        status = deliver(UVA__OF(query->asker, lookup_t, asker), host, service);
    uva__query_end(query, status);
}

static const uva__wait_t lookup_wait = {
    .reason = "address look-up", .cancel = uva__query_leave, .outside = true};

int uva_getnameinfo(const struct sockaddr *address, int flags, char *ret_host,
                    size_t host_bytes, char *ret_service,
                    size_t service_bytes) {
    uva__task_t *task = uva__running("uva_getnameinfo");
    if (task == NULL)
        return UV_EPERM;
    if (address == NULL)
        return UV_EINVAL;
    lookup_t lookup = {.host = {ret_host, host_bytes},
                       .service = {ret_service, service_bytes}};
    int code = uva__query_make(task, &lookup_wait, sizeof(uv_getnameinfo_t),
                               &lookup.asker);
    if (code < 0)
        return code;
    code = uv_getnameinfo(task->future.runtime->loop,
                          &lookup.asker.query->request.names, on_answer,
                          address, flags);
    return uva__query_wait(task, &lookup.asker, code);
}
