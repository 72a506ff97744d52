/*
 * The server: what its connections have in common.
 */
#ifndef HTTP_SERVER_H
#define HTTP_SERVER_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/queue.h>
#include <uvawait.h>

#include "access_log.h"
#include "http_date.h"
#include "output.h"

/* Where a connection waits for more of a head or body. Only the pages that
 * something was received into take memory. */
enum { INPUT_BYTES = 64 << 10, HEAD_LIMIT_MAX = INPUT_BYTES / 4 };

/* Times in milliseconds; UVA_FOREVER is no limit. */
typedef struct settings {
    const char *host;
    int port;
    const char *root;     /* of the files; NULL: none are served */
    const char *log_path; /* "-": standard output; NULL: no log */
    size_t head_limit;
    size_t body_limit;
    size_t connection_limit; /* 0: none */
    uint64_t idle_ms;        /* between two requests */
    uint64_t head_ms;        /* for a whole head, from its first byte on */
    uint64_t body_ms;        /* for a whole body */
    uint64_t send_ms;        /* for an answer, or the next piece of a file */
    uint64_t grace_ms;       /* for what is under way when it is stopped */
} settings_t;

typedef struct connection connection_t;

typedef struct server {
    const settings_t *settings;
    uva_listener_t *listener;
    access_log_t *log; /* NULL: none */
    LIST_HEAD(, connection) connections;
    output_pool_t outputs;
    http_clock_t clock;
    bool is_stopping;
    uint64_t started_ms;
    uint64_t connections_open;
    uint64_t connections_made;
    uint64_t requests;
    uint64_t body_bytes_sent;
} server_t;

void server_settings_default(settings_t *ret_settings);

/* In memory alone: nothing is opened. settings are borrowed. */
void server_init(server_t *server, const settings_t *settings);
void server_free(server_t *server);

/* Listens, serves until SIGINT or SIGTERM, and ends in good order; a task. */
int server_run(server_t *server);

/* No more connections; those that are between two requests are closed, the
 * others after the answer to the request that is under way. */
void server_stop(server_t *server);

#endif
