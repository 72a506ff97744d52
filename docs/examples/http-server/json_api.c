/*
 * What: JSON by jansson.
 *
 * How: what a client has sent is parsed in a thread of the pool. That keeps a
 * megabyte of it from holding up the other connections, and jansson recurses
 * once for each "[": deeper than the stack of a task would bear, while the
 * pool's threads have stacks of a usual size. The call waits for the job even
 * if it is cancelled meanwhile, so the job may work on the request's own body.
 */
#include "json_api.h"

#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>

#include "response.h"

static const char content_type[] = "application/json";

/* Sends and frees `text`; NULL: there was no memory for it. */
static int send_json(connection_t *connection, int status, char *text) {
    if (text == NULL)
        return response_error(connection, 503);
    int code = response_send(connection, status, content_type,
                             (text_t){text, strlen(text)});
    free(text);
    return code;
}

/* ---- statistics --------------------------------------------------------- */

int json_api_stats(connection_t *connection) {
    const server_t *server = connection->server;
    json_t *stats =
        json_pack("{s:I, s:I, s:I, s:I, s:I}", "uptime_ms",
                  (json_int_t)(uva_now_ms() - server->started_ms),
                  "connections_open", (json_int_t)server->connections_open,
                  "connections_made", (json_int_t)server->connections_made,
                  "requests", (json_int_t)server->requests, "body_bytes_sent",
                  (json_int_t)server->body_bytes_sent);
    char *text = stats != NULL ? json_dumps(stats, JSON_INDENT(2)) : NULL;
    json_decref(stats);
    return send_json(connection, 200, text);
}

/* ---- echo --------------------------------------------------------------- */

typedef struct echo {
    const char *body;
    size_t body_bytes;
    int status;
    char *answer; /* NULL: without memory */
} echo_t;

static char *describe(const json_error_t *error) {
    json_t *object = json_pack("{s:s, s:i, s:i}", "error", error->text, "line",
                               error->line, "column", error->column);
    char *text = object != NULL ? json_dumps(object, JSON_COMPACT) : NULL;
    json_decref(object);
    return text;
}

/* In a thread of the pool. */
static int echo(void *arg) {
    echo_t *self = arg;
    json_error_t error;
    json_t *value =
        json_loadb(self->body, self->body_bytes, JSON_DECODE_ANY, &error);
    if (value == NULL) {
        self->status = 400;
        self->answer = describe(&error);
        return 0;
    }
    self->status = 200;
    self->answer = json_dumps(value, JSON_COMPACT | JSON_ENCODE_ANY);
    json_decref(value);
    return 0;
}

int json_api_echo(connection_t *connection) {
    const request_t *request = &connection->request;
    echo_t job = {.body = request->body_bytes > 0 ? request->body : "",
                  .body_bytes = request->body_bytes};
    int code = uva_to_thread(echo, &job);
    if (code < 0)
        return code;
    return send_json(connection, job.status, job.answer);
}
