/*
 * The order in which a race tries the addresses of a host.
 */
#ifndef UVA__IO_INTERLEAVE_H
#define UVA__IO_INTERLEAVE_H

#include <uv.h>

/* Relinks a list of addresses so that the family of the first alternates with
 * the others (RFC 8305, section 4), for as long as there are both. The order
 * within each stays. The first stays first, so whoever holds the list still
 * does, and uv_freeaddrinfo() takes it as before. NULL is an empty list. */
void uva__interleave(struct addrinfo *list);

#endif
