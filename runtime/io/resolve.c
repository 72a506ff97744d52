/*
 * What: an awaited uv_getaddrinfo().
 */
#include "resolve.h"

#include <netinet/in.h>
#include <string.h>

#include "../task.h"
#include "query.h"

typedef struct lookup {
    uva__asker_t asker;
    struct addrinfo *list;
} lookup_t;

static void on_answer(uv_getaddrinfo_t *request, int status,
                      struct addrinfo *list) {
    uva__query_t *query = UVA__OF(request, uva__query_t, request);
    if (query->asker != NULL)
        UVA__OF(query->asker, lookup_t, asker)->list = list;
    else
        uv_freeaddrinfo(list);
    uva__query_end(query, status);
}

static const uva__wait_t lookup_wait = {
    .reason = "name look-up", .cancel = uva__query_leave, .outside = true};

int uva__look_up(uva__task_t *task, const char *host, const char *service,
                 const struct addrinfo *hints, struct addrinfo **ret_list) {
    lookup_t lookup = {.list = NULL};
    int code = uva__query_make(task, &lookup_wait, sizeof(uv_getaddrinfo_t),
                               &lookup.asker);
    if (code < 0)
        return code;
    code = uv_getaddrinfo(task->future.runtime->loop,
                          &lookup.asker.query->request.addresses, on_answer,
                          host, service, hints);
    code = uva__query_wait(task, &lookup.asker, code);
    if (code == 0)
        *ret_list = lookup.list;
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
