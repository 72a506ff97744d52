/*
 * Names to addresses.
 */
#ifndef UVA__IO_RESOLVE_H
#define UVA__IO_RESOLVE_H

#include "../runtime.h"

/* The addresses of a host, a service or both, in their order, as getaddrinfo(3)
 * gives them; uv_freeaddrinfo() them. Parks; a look-up whose task is cut goes
 * on alone. 0, UV_ECANCELED, UV_EAI_..., UV_EINVAL or UV_ENOMEM. */
int uva__look_up(uva__task_t *task, const char *host, const char *service,
                 const struct addrinfo *hints, struct addrinfo **ret_list);

/* The same of a host, for streams. */
int uva__resolve(uva__task_t *task, const char *host,
                 struct addrinfo **ret_list);

/* The address that is written in `host`, an IPv4 or IPv6 one in numbers; no
 * look-up. 0 or UV_EINVAL. */
int uva__parse_address(const char *host, int port,
                       struct sockaddr_storage *ret_address);

/* Sets the port of an IPv4 or IPv6 address. */
void uva__set_port(struct sockaddr *address, int port);

#endif
