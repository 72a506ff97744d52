/**
 * Names and addresses, both ways. Looking up is a job in libuv's thread pool
 * that holds nothing of its caller's: a cancelled look-up lets go at once, and
 * the job ends alone. The end of a runtime waits for it.
 */
#ifndef UVAWAIT_LOOKUP_H
#define UVAWAIT_LOOKUP_H

#include "base.h"

#include <netdb.h>
#include <sys/socket.h>

UVA_BEGIN_DECLS

/**
 * The addresses of a host, a service or both, as getaddrinfo(3) gives them.
 *
 * Context:  task
 * Parks:    always
 * Cancel:   UV_ECANCELED, at once; the look-up goes on alone
 * Returns:  0; UV_EAI_NONAME, UV_EAI_AGAIN ...; UV_ECANCELED; UV_EINVAL for
 *           neither host nor service, or what is no name; UV_ENOMEM; UV_EPERM
 *           outside a task (reported)
 * Owns:     host, service and hints borrowed until return, any of them may be
 *           NULL; *ret_list is new: uv_freeaddrinfo()
 * Since:    0.1
 */
UVA_API UVA_PARKS int uva_getaddrinfo(const char *host, const char *service,
                                      const struct addrinfo *hints,
                                      struct addrinfo **ret_list);

/**
 * The names of an IPv4 or IPv6 address and its port, as getnameinfo(3) gives
 * them; flags are NI_NUMERICHOST and its like. NI_MAXHOST and NI_MAXSERV bytes
 * are always enough.
 *
 * Context:  task
 * Parks:    always
 * Cancel:   UV_ECANCELED, at once; the look-up goes on alone
 * Returns:  0; UV_EAI_NONAME with NI_NAMEREQD, UV_EAI_AGAIN ...; UV_ENOBUFS
 *           when a name is longer than its buffer; UV_ECANCELED; UV_EINVAL for
 *           NULL or an address of another family; UV_ENOMEM; UV_EPERM outside
 *           a task (reported)
 * Owns:     address and the buffers borrowed until return; a buffer may be
 *           NULL. On failure they are left alone
 * Since:    0.1
 */
UVA_API UVA_PARKS int uva_getnameinfo(const struct sockaddr *address, int flags,
                                      char *ret_host, size_t host_bytes,
                                      char *ret_service, size_t service_bytes);

UVA_END_DECLS

#endif
