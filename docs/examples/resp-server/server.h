/*
 * The server: what its connections share.
 */
#ifndef RESP_SERVER_H
#define RESP_SERVER_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/queue.h>
#include <uvawait.h>

#include "request.h"
#include "store.h"

enum { DATABASES = 16 };

typedef struct settings {
    const char *host;
    int port;
    size_t connection_limit; /* 0: none */
    uint64_t idle_ms;        /* without a byte either way; UVA_FOREVER: none */
    uint64_t grace_ms;       /* for requests under way when it is stopped */
    request_limits_t limits;
} settings_t;

typedef struct connection connection_t;

typedef struct server {
    const settings_t *settings;
    uva_listener_t *listener;
    LIST_HEAD(, connection) connections;
    store_t stores[DATABASES];
    uva_event_t has_mortals; /* there may be something for the sweeper */
    uint64_t now_ms;         /* the clock when the current batch came */
    uint64_t started_ms;
    uint64_t connections_open;
    uint64_t connections_made;
    uint64_t commands;
    bool is_stopping;
} server_t;

void server_settings_default(settings_t *ret_settings);

/* In a task; settings are borrowed. */
void server_init(server_t *server, const settings_t *settings);
void server_free(server_t *server);

/* Listens, serves until SIGINT or SIGTERM, and ends in good order; a task. */
int server_run(server_t *server);

/* No more connections; those between two requests are closed at once, the
 * others after the replies to what they have sent. */
void server_stop(server_t *server);

/* A task that removes what has expired and nobody asks for; arg is a server. */
int server_sweep(void *arg);

#endif
