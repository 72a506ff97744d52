/*
 * What: connecting by TCP, to a name or an address.
 *
 * How: an address in numbers needs no look-up. The addresses of a name are
 * raced ("happy eyeballs", RFC 8305): the families in turn, the next attempt
 * 250 ms after the last or as soon as that has failed, and the first connection
 * wins. So a network that swallows packets of one family costs a quarter of a
 * second.
 */
#include <netinet/in.h>
#include <stdlib.h>

#include "runtime/seam.h"
#include "uvawait/combine.h"

enum {
    LAST_PORT = 65535,
    SMALL_LIST = 8,
    ATTEMPT_DELAY_MS = 250 /* "Connection Attempt Delay", RFC 8305 section 5 */
};

typedef struct attempt {
    const struct sockaddr *address;
    const char *site;
    uva_stream_t *stream; /* NULL until it is connected */
} attempt_t;

static int try_address(void *arg) {
    attempt_t *attempt = arg;
    uva__task_t *task = uva__running("uva_tcp_connect");
    return uva__connect(task, attempt->site, NULL, attempt->address,
                        &attempt->stream);
}

/* The first that connects. More than one can have by the time that the others
 * are told to stop. */
static int race(attempt_t attempts[], size_t count, uva_stream_t **ret_stream) {
    size_t winner = count;
    int code =
        uva_staggered_race(try_address, attempts, count, sizeof *attempts,
                           ATTEMPT_DELAY_MS, &winner, NULL, NULL);
    for (size_t i = 0; i < count; i++) {
        if (i != winner)
            uva_stream_close(attempts[i].stream);
    }
    if (code == 0)
        *ret_stream = attempts[winner].stream;
    return code;
}

static bool is_internet(const struct addrinfo *entry) {
    return entry->ai_family == AF_INET || entry->ai_family == AF_INET6;
}

static size_t count_addresses(const struct addrinfo *list) {
    size_t count = 0;
    for (; list != NULL; list = list->ai_next)
        count += is_internet(list);
    return count;
}

static void list_attempts(const struct addrinfo *list, const char *site,
                          int port, attempt_t attempts[]) {
    for (; list != NULL; list = list->ai_next) {
        if (!is_internet(list))
            continue;
        uva__set_port(list->ai_addr, port);
        *attempts++ = (attempt_t){.address = list->ai_addr, .site = site};
    }
}

static int connect_any(uva__task_t *task, const char *site,
                       struct addrinfo *list, int port,
                       uva_stream_t **ret_stream) {
    attempt_t small[SMALL_LIST];
    attempt_t *attempts = small;
    size_t count = count_addresses(list);
    if (count == 0)
        return UV_EAI_NODATA;
    if (count > SMALL_LIST)
        attempts = malloc(count * sizeof *attempts);
    if (attempts == NULL)
        return UV_ENOMEM;
    uva__interleave(list);
    list_attempts(list, site, port, attempts);
    int code = count > 1 ? race(attempts, count, ret_stream)
                         : uva__connect(task, site, NULL, attempts->address,
                                        ret_stream);
    if (attempts != small)
        free(attempts);
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
    if (uva__parse_address(host, port, &address) == 0)
        return uva__connect(task, site, NULL, (struct sockaddr *)&address,
                            ret_stream);
    struct addrinfo *list = NULL;
    int code = uva__resolve(task, host, &list);
    if (code < 0)
        return code;
    code = connect_any(task, site, list, port, ret_stream);
    uv_freeaddrinfo(list);
    return code;
}

int(uva_tcp_connect)(const char *host, int port, uva_stream_t **ret_stream) {
    return uva_tcp_connect_at(NULL, host, port, ret_stream);
}
