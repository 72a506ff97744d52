/*
 * A key-value server that speaks Redis' protocol. README.md says how it is
 * used; it is read in this order: server.c, connection.c, request.c, reply.c,
 * commands.c, values.c, store.c.
 */
#include <stdio.h>
#include <stdlib.h>

#include "../command_line.h"
#include "server.h"

static const char usage[] =
    "usage: resp-server [OPTION]...\n"
    "\n"
    "Keeps keys and values in memory, and speaks Redis' protocol.\n"
    "\n"
    "  --host ADDRESS          to listen on (127.0.0.1)\n"
    "  --port PORT             to listen on; 0 takes a free one (6379)\n"
    "  --limit N               connections at once; more have to wait (10000;\n"
    "                          0 is no limit)\n"
    "  --idle-timeout MS       after which a silent or stalled client is\n"
    "                          dropped (300000; 0 is never)\n"
    "  --grace MS              for requests under way when it is stopped\n"
    "                          (5000)\n"
    "  --argument-limit N      arguments of a request (1048576)\n"
    "  --value-limit BYTES     longest key or value (16777216)\n"
    "  --request-limit BYTES   all arguments of a request (67108864)\n"
    "  --help\n"
    "\n"
    "SIGINT and SIGTERM stop it in good order, a second one at once.\n";

enum option_key {
    OPTION_HOST = 256,
    OPTION_PORT,
    OPTION_LIMIT,
    OPTION_IDLE,
    OPTION_GRACE,
    OPTION_ARGUMENTS,
    OPTION_VALUE,
    OPTION_REQUEST,
    OPTION_HELP
};

static const struct option options[] = {
    {"host", required_argument, NULL, OPTION_HOST},
    {"port", required_argument, NULL, OPTION_PORT},
    {"limit", required_argument, NULL, OPTION_LIMIT},
    {"idle-timeout", required_argument, NULL, OPTION_IDLE},
    {"grace", required_argument, NULL, OPTION_GRACE},
    {"argument-limit", required_argument, NULL, OPTION_ARGUMENTS},
    {"value-limit", required_argument, NULL, OPTION_VALUE},
    {"request-limit", required_argument, NULL, OPTION_REQUEST},
    {"help", no_argument, NULL, OPTION_HELP},
    {NULL, 0, NULL, 0},
};

/* hiredis 0.14 counts in int. */
enum { BYTES_MAX = 1 << 30 };

static void set(void *arg, int key, const char *text) {
    settings_t *settings = arg;
    request_limits_t *limits = &settings->limits;
    switch (key) {
    case OPTION_HOST:
        settings->host = text;
        break;
    case OPTION_PORT:
        settings->port = (int)number(text, 0, 65535);
        break;
    case OPTION_LIMIT:
        settings->connection_limit = number(text, 0, SIZE_MAX);
        break;
    case OPTION_IDLE:
        settings->idle_ms = number(text, 0, SIZE_MAX);
        if (settings->idle_ms == 0)
            settings->idle_ms = UVA_FOREVER;
        break;
    case OPTION_GRACE:
        settings->grace_ms = number(text, 0, SIZE_MAX);
        break;
    case OPTION_ARGUMENTS:
        limits->arguments = number(text, 1, BYTES_MAX);
        break;
    case OPTION_VALUE:
        limits->argument_bytes = number(text, 1, BYTES_MAX);
        break;
    case OPTION_REQUEST:
        limits->bytes = number(text, 1, BYTES_MAX);
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
    const settings_t *settings = arg;
    server_t server;
    server_init(&server, settings);
    int code = server_run(&server);
    server_free(&server);
    if (code < 0)
        (void)fprintf(stderr, "resp-server: %s:%d: %s\n", settings->host,
                      settings->port, uv_strerror(code));
    return code;
}

int main(int count, char *texts[]) {
    settings_t settings;
    server_settings_default(&settings);
    read_options(count, texts, options, set, &settings);
    raise_descriptors();
    return uva_run(run, &settings) < 0 ? 1 : 0;
}
