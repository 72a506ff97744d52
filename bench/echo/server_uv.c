/*
 * The echo server in raw libuv callbacks, as fast as they go: one buffer for
 * all, and uv_try_write(), with uv_write() only when the socket is full.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <uv.h>

enum { BACKLOG = 1024, BUFFER_BYTES = 65536 };

static char buffer[BUFFER_BYTES];

typedef struct rest {
    uv_write_t request;
    char data[];
} rest_t;

static void on_closed(uv_handle_t *handle) {
    free(handle);
}

static void on_alloc(uv_handle_t *handle, size_t suggested, uv_buf_t *room) {
    (void)handle;
    (void)suggested;
    *room = uv_buf_init(buffer, sizeof buffer);
}

static void on_written(uv_write_t *request, int status) {
    (void)status;
    free(request);
}

static void write_rest(uv_stream_t *stream, const char *data, size_t bytes) {
    rest_t *rest = malloc(sizeof *rest + bytes);
    uv_buf_t copy;

    if (rest == NULL)
        abort();
    memcpy(rest->data, data, bytes);
    copy = uv_buf_init(rest->data, (unsigned)bytes);
    uv_write(&rest->request, stream, &copy, 1, on_written);
}

static void on_read(uv_stream_t *stream, ssize_t bytes, const uv_buf_t *room) {
    uv_buf_t out;
    int written;

    if (bytes < 0) {
        uv_close((uv_handle_t *)stream, on_closed);
        return;
    }
    out = uv_buf_init(room->base, (unsigned)bytes);
    written = uv_try_write(stream, &out, 1);
    if (written < 0)
        written = 0;
    if (written < bytes)
        write_rest(stream, room->base + written, (size_t)(bytes - written));
}

static void on_connection(uv_stream_t *server, int status) {
    uv_tcp_t *client = malloc(sizeof *client);

    if (client == NULL || status < 0)
        abort();
    uv_tcp_init(server->loop, client);
    uv_tcp_nodelay(client, 1);
    if (uv_accept(server, (uv_stream_t *)client) == 0)
        uv_read_start((uv_stream_t *)client, on_alloc, on_read);
    else
        uv_close((uv_handle_t *)client, on_closed);
}

static void on_signal(uv_signal_t *handle, int signum) {
    (void)signum;
    uv_stop(handle->loop);
}

int main(void) {
    uv_loop_t *loop = uv_default_loop();
    struct sockaddr_in address;
    int bytes = sizeof address;
    uv_tcp_t server;
    uv_signal_t term;

    uv_ip4_addr("127.0.0.1", 0, &address);
    uv_tcp_init(loop, &server);
    uv_tcp_bind(&server, (struct sockaddr *)&address, 0);
    if (uv_listen((uv_stream_t *)&server, BACKLOG, on_connection) < 0)
        return 1;
    uv_tcp_getsockname(&server, (struct sockaddr *)&address, &bytes);
    printf("%d\n", ntohs(address.sin_port));
    fflush(stdout);
    uv_signal_init(loop, &term);
    uv_signal_start(&term, on_signal, SIGTERM);
    uv_run(loop, UV_RUN_DEFAULT);
    return 0;
}
