/*
 * What: the life of a stream behind a libuv handle; its two sides are in
 * socket_read.c and socket_write.c.
 *
 * The handle lies in the stream and holds a reference on it until libuv has
 * closed it. The handles are unreferenced for the loop: what keeps it alive is
 * the runtime, as long as tasks live.
 */
#include "socket.h"

#include <sys/socket.h>
#include <unistd.h>

#include "../loop.h"

_Static_assert(sizeof(uva__socket_t) <= UVA__POOL_LINE * UVA__POOL_CLASSES,
               "a socket's stream comes from a pool");

static void on_closed(uv_handle_t *handle) {
    uva__socket_t *socket = handle->data;
    uva_runtime_t *rt = socket->stream.runtime;
    uva__stream_unref(&socket->stream);
    uva__loop_handle_closed(rt);
}

void uva__socket_close(uva_stream_t *stream) {
    uva__socket_t *socket = uva__socket_of(stream);
    uva__socket_close_reading(socket);
    uva__socket_close_writing(socket);
    uv_close(&socket->handle.any, on_closed);
}

void uva__socket_abort(uva_stream_t *stream) {
    struct linger linger = {.l_onoff = 1, .l_linger = 0};
    uva__socket_t *socket = uva__socket_of(stream);
    if (socket->handle.any.type == UV_TCP)
        (void)setsockopt(socket->fd, SOL_SOCKET, SO_LINGER, &linger,
                         sizeof linger);
}

static const uva__stream_kind_t socket_kind = {
    .bytes = sizeof(uva__socket_t),
    UVA__SOCKET_SIDES,
    .close = uva__socket_close,
};

uva__socket_t *uva__socket_behind(uva_stream_t *stream) {
    return stream->kind->write == uva__socket_write ? uva__socket_of(stream)
                                                    : NULL;
}

static int init_handle(uva__socket_t *socket, uva__transport_t transport) {
    uv_loop_t *loop = socket->stream.runtime->loop;
    if (transport == UVA__PIPE)
        return uv_pipe_init(loop, &socket->handle.pipe, 0);
    return uv_tcp_init(loop, &socket->handle.tcp);
}

int uva__socket_own_handle(uva__socket_t *socket, int code) {
    socket->fd = -1;
    code = uva__loop_adopt(socket->stream.runtime, &socket->handle.any, socket,
                           code);
    if (code < 0)
        uva__stream_unref(&socket->stream);
    return code;
}

int uva__socket_make(uva_runtime_t *rt, uva__transport_t transport,
                     uva__socket_t **ret_socket) {
    uva_stream_t *stream = uva__stream_make(rt, &socket_kind);
    if (stream == NULL)
        return UV_ENOMEM;
    uva__socket_t *socket = uva__socket_of(stream);
    int code = uva__socket_own_handle(socket, init_handle(socket, transport));
    if (code < 0)
        return code;
    /* Without a socket this is a note for when there is one. */
    if (transport == UVA__TCP)
        code = uv_tcp_nodelay(&socket->handle.tcp, 1);
    if (code < 0) {
        uva_stream_close(stream);
        return code;
    }
    *ret_socket = socket;
    return 0;
}

int uva__socket_open(uva__socket_t *socket, const char *site) {
    int code = uv_fileno(&socket->handle.any, &socket->fd);
    if (code == 0)
        uva__stream_publish(&socket->stream, site);
    return code;
}

/* Gives the descriptor to the handle; on failure it is still the caller's. */
static int give_fd(uva__socket_t *socket, uva__transport_t transport, int fd) {
    if (transport == UVA__PIPE)
        return uv_pipe_open(&socket->handle.pipe, fd);
    return uv_tcp_open(&socket->handle.tcp, fd);
}

int uva__socket_try_adopt(uva_runtime_t *rt, uva__transport_t transport, int fd,
                          const char *site, uva_stream_t **ret_stream) {
    uva__socket_t *socket;
    int code = uva__socket_make(rt, transport, &socket);
    if (code < 0)
        return code;
    code = give_fd(socket, transport, fd);
    if (code < 0) {
        uva_stream_close(&socket->stream);
        return code;
    }
    socket->fd = fd;
    uva__stream_publish(&socket->stream, site);
    *ret_stream = &socket->stream;
    return 0;
}

int uva__socket_adopt(uva_runtime_t *rt, uva__transport_t transport, int fd,
                      const char *site, uva_stream_t **ret_stream) {
    int code = uva__socket_try_adopt(rt, transport, fd, site, ret_stream);
    if (code < 0)
        (void)close(fd);
    return code;
}
