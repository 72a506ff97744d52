/*
 * A connection: one request after the other, each answered in turn.
 */
#ifndef HTTP_CONNECTION_H
#define HTTP_CONNECTION_H

#include "request.h"
#include "server.h"

/* What the client has to do, or we, in a limited time. */
typedef enum phase {
    PHASE_WAITING, /* for the first byte of a request */
    PHASE_HEAD,    /* for the rest of its head */
    PHASE_BODY,    /* for its body */
    PHASE_ANSWERING
} phase_t;

struct connection {
    LIST_ENTRY(connection) link;
    server_t *server;
    uva_stream_t *stream;
    uva_scope_t deadline; /* of the phase */
    phase_t phase;
    request_t request;
    output_t *output;                 /* NULL: nothing is to be sent */
    int status;                       /* of the current answer, for the log */
    uint64_t sent;                    /* of its body */
    char client[UVA_NAME_TEXT_BYTES]; /* for the log, if there is one */
    bool is_last; /* the connection ends behind this answer */
    size_t start; /* input[start .. end) has not been parsed */
    size_t end;
    char input[INPUT_BYTES]; /* last: its untouched pages take no memory */
};

/* The handler that uva_serve() is given; arg is the server. */
int connection_serve(uva_stream_t *stream, void *arg);

/* The server stops: a connection between two requests ends now, another one
 * after the answer. */
void connection_stop(connection_t *self);

/* Begins a phase, or begins the time of the current one anew. */
void connection_enter(connection_t *self, phase_t phase);

#endif
