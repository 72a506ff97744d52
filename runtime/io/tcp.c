/*
 * What: connecting by TCP.
 *
 * An address in numbers needs no look-up. The addresses of a name are tried one
 * after the other, each with a socket of its own.
 */
#include "connect.h"
#include "resolve.h"

#include "../task.h"

enum { LAST_PORT = 65535 };

static bool is_internet(const struct addrinfo *entry) {
    return entry->ai_family == AF_INET || entry->ai_family == AF_INET6;
}

static int connect_by_name(uva__task_t *task, const char *site,
                           const char *host, int port,
                           uva_stream_t **ret_stream) {
    struct addrinfo *list = NULL;
    int code = uva__resolve(task, host, &list);
    if (code < 0)
        return code;
    code = UV_EAI_NODATA;
    const struct addrinfo *entry = list;
    for (; entry != NULL && code < 0 && code != UV_ECANCELED;
         entry = entry->ai_next) {
        if (!is_internet(entry))
            continue;
        uva__set_port(entry->ai_addr, port);
        code = uva__connect(task, site, NULL, entry->ai_addr, ret_stream);
    }
    uv_freeaddrinfo(list);
    return code;
}

int uva_tcp_connect_at(const char *site, const char *host, int port,
                       uva_stream_t **ret_stream) {
    uva__task_t *task = uva__running("uva_tcp_connect");
    if (task == NULL)
        return UV_EPERM;
    if (host == NULL || ret_stream == NULL || port < 1 || port > LAST_PORT)
        return UV_EINVAL;
    struct sockaddr_storage address;
    if (uva__parse_address(host, port, &address) < 0)
        return connect_by_name(task, site, host, port, ret_stream);
    return uva__connect(task, site, NULL, (struct sockaddr *)&address,
                        ret_stream);
}

int(uva_tcp_connect)(const char *host, int port, uva_stream_t **ret_stream) {
    return uva_tcp_connect_at(NULL, host, port, ret_stream);
}
