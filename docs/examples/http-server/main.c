/*
 * An HTTP/1.1 server. README.md says how it is used; it is read in this order:
 * server.c, connection.c, request.c, response.c, static_files.c, json_api.c,
 * access_log.c.
 */
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>

#include "../command_line.h"
#include "server.h"

static const char usage[] =
    "usage: http-server [OPTION]...\n"
    "\n"
    "Serves GET /hello, GET /api/stats, POST /api/echo, and files.\n"
    "\n"
    "  --host ADDRESS       to listen on (127.0.0.1)\n"
    "  --port PORT          to listen on; 0 takes a free one (8080)\n"
    "  --root DIRECTORY     serve the files below it (none)\n"
    "  --log FILE           access log; - is standard output (none)\n"
    "  --limit N            connections at once; more have to wait (no limit)\n"
    "  --head-limit BYTES   longest head of a request (8192, at most 16384)\n"
    "  --body-limit BYTES   longest body of a request (1048576)\n"
    "  --idle-timeout S     between two requests of a connection (60)\n"
    "  --head-timeout S     from the first to the last byte of a head (10)\n"
    "  --body-timeout S     for a whole body (60)\n"
    "  --send-timeout S     for an answer, or the next piece of a file (60)\n"
    "  --grace S            for requests under way when it is stopped (30)\n"
    "  --help\n"
    "\n"
    "Times are in seconds and may have a fraction; 0 is no limit. SIGINT and\n"
    "SIGTERM stop it in good order, a second one at once.\n";

enum option_key {
    OPTION_HOST = 256,
    OPTION_PORT,
    OPTION_ROOT,
    OPTION_LOG,
    OPTION_LIMIT,
    OPTION_HEAD_LIMIT,
    OPTION_BODY_LIMIT,
    OPTION_IDLE,
    OPTION_HEAD,
    OPTION_BODY,
    OPTION_SEND,
    OPTION_GRACE,
    OPTION_HELP
};

static const struct option options[] = {
    {"host", required_argument, NULL, OPTION_HOST},
    {"port", required_argument, NULL, OPTION_PORT},
    {"root", required_argument, NULL, OPTION_ROOT},
    {"log", required_argument, NULL, OPTION_LOG},
    {"limit", required_argument, NULL, OPTION_LIMIT},
    {"head-limit", required_argument, NULL, OPTION_HEAD_LIMIT},
    {"body-limit", required_argument, NULL, OPTION_BODY_LIMIT},
    {"idle-timeout", required_argument, NULL, OPTION_IDLE},
    {"head-timeout", required_argument, NULL, OPTION_HEAD},
    {"body-timeout", required_argument, NULL, OPTION_BODY},
    {"send-timeout", required_argument, NULL, OPTION_SEND},
    {"grace", required_argument, NULL, OPTION_GRACE},
    {"help", no_argument, NULL, OPTION_HELP},
    {NULL, 0, NULL, 0},
};

static uint64_t milliseconds(const char *text) {
    char *end;
    double seconds = strtod(text, &end);
    if (end == text || *end != '\0' || !(seconds >= 0 && seconds < 1e9))
        die("not a time in seconds", text);
    if (seconds > 0 && seconds < 0.001)
        return 1;
    return seconds > 0 ? (uint64_t)(seconds * 1000) : UVA_FOREVER;
}

static void set(void *arg, int key, const char *text) {
    settings_t *settings = arg;
    switch (key) {
    case OPTION_HOST:
        settings->host = text;
        break;
    case OPTION_PORT:
        settings->port = (int)number(text, 0, 65535);
        break;
    case OPTION_ROOT:
        settings->root = text;
        break;
    case OPTION_LOG:
        settings->log_path = text;
        break;
    case OPTION_LIMIT:
        settings->connection_limit = number(text, 0, SIZE_MAX);
        break;
    case OPTION_HEAD_LIMIT:
        settings->head_limit = number(text, 64, HEAD_LIMIT_MAX);
        break;
    case OPTION_BODY_LIMIT:
        settings->body_limit = number(text, 0, SIZE_MAX / 4);
        break;
    case OPTION_IDLE:
        settings->idle_ms = milliseconds(text);
        break;
    case OPTION_HEAD:
        settings->head_ms = milliseconds(text);
        break;
    case OPTION_BODY:
        settings->body_ms = milliseconds(text);
        break;
    case OPTION_SEND:
        settings->send_ms = milliseconds(text);
        break;
    case OPTION_GRACE:
        settings->grace_ms = milliseconds(text);
        break;
    case OPTION_HELP:
        (void)fputs(usage, stdout);
        exit(0);
    default:
        (void)fputs(usage, stderr);
        exit(2);
    }
}

static int run(void *arg) {
    int code = server_run(arg);
    const char *message = uva_last_message();
    if (code < 0)
        (void)fprintf(stderr, "http-server: %s%s%s\n",
                      message != NULL ? message : "", message ? ": " : "",
                      uv_strerror(code));
    return code;
}

int main(int count, char *texts[]) {
    settings_t settings;
    server_settings_default(&settings);
    read_options(count, texts, options, set, &settings);
    raise_descriptors();
    json_object_seed(0); /* before threads use it */
    server_t server;
    server_init(&server, &settings);
    int code = uva_run(run, &server);
    server_free(&server);
    return code < 0 ? 1 : 0;
}
