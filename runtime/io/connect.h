/*
 * Making a connected stream: what TCP and local sockets share.
 */
#ifndef UVA__IO_CONNECT_H
#define UVA__IO_CONNECT_H

#include "socket.h"

/* Connects to a path, or if that is NULL to a TCP address. Parks until it is
 * done; 0, a code, or UV_ECANCELED: then the socket is closed. */
int uva__connect(uva__task_t *task, const char *site, const char *path,
                 const struct sockaddr *address, uva_stream_t **ret_stream);

#endif
