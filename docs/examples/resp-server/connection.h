/*
 * A connection: requests in, replies out, until one side has enough.
 */
#ifndef RESP_CONNECTION_H
#define RESP_CONNECTION_H

#include "reply.h"
#include "request.h"
#include "server.h"

struct connection {
    LIST_ENTRY(connection) link;
    server_t *server;
    uva_stream_t *stream;
    store_t *store; /* the database it has selected */
    request_t request;
    reply_t reply;
    uva_scope_t scope; /* around everything it waits for */
    bool is_waiting;   /* for the first byte of a request */
    bool is_quitting;  /* after the replies that are to be sent */
};

/* Serves one; a handler of uva_serve_with(), arg is the server. */
int connection_serve(uva_stream_t *stream, void *arg);

/* The server stops: those that wait for a request need not go on. */
void connections_stop(server_t *server);

#endif
