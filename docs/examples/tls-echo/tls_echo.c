/*
 * An echo server over TLS, and a client for it:
 *
 *     tls-echo serve PORT CERTIFICATE KEY [HANDSHAKE_MS]
 *     tls-echo client HOST PORT CA [NAME]
 *
 * The server listens on 127.0.0.1 (port 0 takes a free one), echoes what each
 * client sends until that ends its side, and stops in good order on SIGINT or
 * SIGTERM. The client sends its standard input and prints what comes back;
 * the server's certificate has to be for NAME, which is HOST if not given.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "tls_context.h"

enum { BUFFER_BYTES = 16384, HANDSHAKE_MS = 5000, GRACE_MS = 1000 };

/* ---- the server --------------------------------------------------------- */

typedef struct server {
    int port;
    uint64_t handshake_ms;
    SSL_CTX *context;
} server_t;

/* As uva_serve() would echo over TCP: TLS is only another stream. */
static ssize_t echo(uva_stream_t *stream) {
    char *buffer = malloc(BUFFER_BYTES); /* A task's stack is small. */
    ssize_t bytes = UV_ENOMEM;

    while (buffer != NULL &&
           (bytes = uva_read(stream, buffer, BUFFER_BYTES)) > 0) {
        bytes = uva_write(stream, buffer, (size_t)bytes);
        if (bytes < 0)
            break;
    }
    free(buffer);
    return bytes == UV_EOF ? uva_shutdown(stream) : bytes;
}

/* Who does not finish the handshake in time holds a connection for nothing. */
static int shake_hands(uva_stream_t *tcp, const server_t *server,
                       char why[TLS_WHY_BYTES], uva_stream_t **ret_tls) {
    uva_scope_t scope;

    uva_scope_open(&scope, server->handshake_ms, 0);
    int code = tls_server(tcp, server->context, why, ret_tls);
    if (uva_scope_close(&scope) == UV_ETIMEDOUT && code < 0) {
        snprintf(why, TLS_WHY_BYTES, "the handshake took too long");
        code = UV_ETIMEDOUT;
    }
    return code;
}

static int serve_client(uva_stream_t *tcp, void *arg) {
    char why[TLS_WHY_BYTES];
    uva_stream_t *tls;

    int code = shake_hands(tcp, arg, why, &tls);
    if (code < 0) {
        fprintf(stderr, "no handshake: %s\n", why);
        return 0;
    }
    ssize_t end = echo(tls);
    if (end < 0)
        fprintf(stderr, "connection: %s\n", uv_strerror((int)end));
    uva_stream_close(tls);
    return 0;
}

static int serve(void *arg) {
    server_t *server = arg;
    uva_listener_t *listener;

    int code = uva_tcp_listen("127.0.0.1", server->port, 128, &listener);
    if (code < 0)
        return code;
    printf("listening on 127.0.0.1:%d\n", uva_listener_port(listener));
    fflush(stdout);
    code = uva_serve(listener, serve_client, server, GRACE_MS);
    uva_listener_close(listener);
    return code;
}

static int run_server(int argc, char **argv) {
    char why[TLS_WHY_BYTES];
    server_t server = {.port = atoi(argv[2]), .handshake_ms = HANDSHAKE_MS};

    if (argc == 6)
        server.handshake_ms = strtoul(argv[5], NULL, 10);
    server.context = tls_server_context(argv[3], argv[4], why);
    if (server.context == NULL) {
        fprintf(stderr, "tls-echo: %s\n", why);
        return 1;
    }
    int code =
        uva_run_with(&(uva_options_t){.handle_signals = true}, serve, &server);
    SSL_CTX_free(server.context);
    if (code == UV_EINTR) /* a signal: as it is meant to be stopped */
        return 0;
    fprintf(stderr, "tls-echo: %s\n", uv_strerror(code));
    return 1;
}

/* ---- the client --------------------------------------------------------- */

typedef struct client {
    const char *host;
    int port;
    const char *name;
    SSL_CTX *context;
    uva_stream_t *tls;
} client_t;

/* Standard input may be a terminal or a pipe, so it is waited for; a thread of
 * the pool that blocks in read() could not be cancelled. */
static ssize_t read_input(char *buffer, size_t bytes) {
    int code = uva_poll_fd(STDIN_FILENO, UV_READABLE, UVA_FOREVER);
    if (code < 0)
        return code;
    ssize_t got = read(STDIN_FILENO, buffer, bytes);
    return got < 0 ? uv_translate_sys_error(errno) : got;
}

static int send_input(void *arg) {
    client_t *client = arg;
    char *buffer = malloc(BUFFER_BYTES);
    ssize_t bytes = UV_ENOMEM;

    while (buffer != NULL && (bytes = read_input(buffer, BUFFER_BYTES)) > 0) {
        bytes = uva_write(client->tls, buffer, (size_t)bytes);
        if (bytes < 0)
            break;
    }
    free(buffer);
    return bytes == 0 ? uva_shutdown(client->tls) : (int)bytes;
}

static int print_answers(void *arg) {
    client_t *client = arg;
    char *buffer = malloc(BUFFER_BYTES);
    ssize_t bytes = UV_ENOMEM;

    while (buffer != NULL &&
           (bytes = uva_read(client->tls, buffer, BUFFER_BYTES)) > 0)
        if (fwrite(buffer, 1, (size_t)bytes, stdout) < (size_t)bytes ||
            fflush(stdout) != 0) {
            bytes = UV_EIO;
            break;
        }
    free(buffer);
    return bytes == UV_EOF ? 0 : (int)bytes;
}

/* Both ways at once: a server that echoes stops reading when nobody reads what
 * it sends. */
static int talk(client_t *client) {
    uva_future_t *both[] = {uva_spawn(send_input, client),
                            uva_spawn(print_answers, client)};

    return uva_gather(both, 2, NULL);
}

static int connect_and_talk(void *arg) {
    client_t *client = arg;
    char why[TLS_WHY_BYTES];
    uva_stream_t *tcp;

    int code = uva_tcp_connect(client->host, client->port, &tcp);
    if (code < 0) {
        fprintf(stderr, "tls-echo: cannot connect: %s\n", uv_strerror(code));
        return code;
    }
    code = tls_client(tcp, client->context, client->name, why, &client->tls);
    if (code == 0) {
        code = talk(client);
        snprintf(why, sizeof(why), "%s", code < 0 ? uv_strerror(code) : "");
        uva_stream_close(client->tls);
    }
    uva_stream_close(tcp);
    if (code < 0)
        fprintf(stderr, "tls-echo: %s\n", why);
    return code;
}

static int run_client(int argc, char **argv) {
    char why[TLS_WHY_BYTES];
    client_t client = {.host = argv[2],
                       .port = atoi(argv[3]),
                       .name = argc == 6 ? argv[5] : argv[2]};

    client.context = tls_client_context(argv[4], why);
    if (client.context == NULL) {
        fprintf(stderr, "tls-echo: %s\n", why);
        return 1;
    }
    int code = uva_run_with(&(uva_options_t){.handle_signals = true},
                            connect_and_talk, &client);
    SSL_CTX_free(client.context);
    return code < 0 ? 1 : 0;
}

int main(int argc, char **argv) {
    if (argc >= 5 && argc <= 6 && strcmp(argv[1], "serve") == 0)
        return run_server(argc, argv);
    if (argc >= 5 && argc <= 6 && strcmp(argv[1], "client") == 0)
        return run_client(argc, argv);
    fprintf(stderr,
            "usage: %s serve PORT CERTIFICATE KEY [HANDSHAKE_MS]\n"
            "       %s client HOST PORT CA [NAME]\n",
            argv[0], argv[0]);
    return 2;
}
