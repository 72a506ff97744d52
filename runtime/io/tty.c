/*
 * What: terminals as streams.
 *
 * How: a stream of sockets' kind behind a uv_tty_t, which is longer than the
 * other handles; it lies where theirs does and goes on behind it, so that
 * sockets need not be as long.
 *
 * libuv opens the terminal a second time and lays that over the descriptor, so
 * that O_NONBLOCK does not reach other processes. Where it cannot (the master
 * of a pseudo-terminal) it means to write blocking; we never do.
 *
 * Closing sets the mode back. libuv remembers for uv_tty_reset_mode() only the
 * first terminal whose mode was changed, until 1.45 also when that is closed.
 */
#include "tty.h"

#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

#include "open_fd.h"
#include "socket.h"
#include "uvawait/tty.h"

typedef struct tty {
    uva__socket_t socket; /* must stay the first member */
    char rest_of_handle[sizeof(uv_tty_t)];
    int fd; /* the user's; the handle may have another of its own */
} tty_t;

_Static_assert(offsetof(tty_t, rest_of_handle) - sizeof(uva__socket_t) < 8 &&
                   sizeof(((uva__socket_t *)NULL)->handle) +
                           offsetof(uva__socket_t, handle) ==
                       sizeof(uva__socket_t),
               "the handle goes on behind the socket");

static uv_tty_t *handle_of(uva__socket_t *socket) {
    return (uv_tty_t *)(void *)&socket->handle;
}

static void close_tty(uva_stream_t *stream) {
    tty_t *tty = (tty_t *)stream;
    (void)uv_tty_set_mode(handle_of(&tty->socket), UV_TTY_MODE_NORMAL);
    bool is_extra = tty->fd > STDERR_FILENO && tty->socket.fd >= 0 &&
                    tty->fd != tty->socket.fd;
    uva__socket_close(stream);
    if (is_extra)
        (void)close(tty->fd);
}

static const uva__stream_kind_t tty_kind = {
    .bytes = sizeof(tty_t),
    UVA__SOCKET_SIDES,
    .close = close_tty,
};

static int make_non_blocking(int fd) {
    int flags = fcntl(fd, F_GETFL);
    if (flags < 0 || fcntl(fd, F_SETFL, flags | O_NONBLOCK) < 0)
        return uv_translate_sys_error(errno);
    return 0;
}

int uva__tty_adopt(uva_runtime_t *rt, int fd, const char *site,
                   uva_stream_t **ret_stream) {
    tty_t *tty = (tty_t *)uva__stream_make(rt, &tty_kind);
    if (tty == NULL)
        return UV_ENOMEM;
    uva__socket_t *socket = &tty->socket;
    int code = uv_tty_init(rt->loop, handle_of(socket), fd, 0);
    code = uva__socket_own_handle(socket, code);
    if (code < 0)
        return code;
    socket->plain = true;
    code = uv_fileno(&socket->handle.any, &socket->fd);
    if (code == 0)
        code = make_non_blocking(socket->fd);
    if (code < 0) {
        uva_stream_close(&socket->stream);
        return code;
    }
    tty->fd = fd;
    uva__stream_publish(&socket->stream, site);
    *ret_stream = &socket->stream;
    return 0;
}

int uva_tty_open_at(const char *site, int fd, uva_stream_t **ret_stream) {
    int code;
    uva_runtime_t *rt = uva__open_runtime("uva_tty_open", &code);
    if (rt == NULL)
        return code;
    if (ret_stream == NULL)
        return UV_EINVAL;
    uv_handle_type type;
    code = uva__guess_handle(fd, &type);
    if (code == 0 && type != UV_TTY)
        code = UV_ENOTTY;
    return code < 0 ? code : uva__tty_adopt(rt, fd, site, ret_stream);
}

int(uva_tty_open)(int fd, uva_stream_t **ret_stream) {
    return uva_tty_open_at(NULL, fd, ret_stream);
}

/* The handle of a terminal's stream; NULL: *ret_code says why. */
static uv_tty_t *enter(uva_stream_t *stream, const char *call, int *ret_code) {
    *ret_code =
        stream != NULL ? uva__must_be_ours(stream->runtime, call) : UV_EINVAL;
    if (*ret_code == 0 && stream->kind != &tty_kind)
        *ret_code = UV_ENOTTY;
    return *ret_code == 0 ? handle_of(uva__socket_of(stream)) : NULL;
}

int uva_tty_set_mode(uva_stream_t *stream, uv_tty_mode_t mode) {
    int code;
    uv_tty_t *handle = enter(stream, "uva_tty_set_mode", &code);
    if (handle == NULL)
        return code;
    if (mode != UV_TTY_MODE_NORMAL && mode != UV_TTY_MODE_RAW &&
        mode != UV_TTY_MODE_IO)
        return UV_EINVAL;
    return uv_tty_set_mode(handle, mode);
}

int uva_tty_size(uva_stream_t *stream, int *ret_columns, int *ret_rows) {
    int code;
    uv_tty_t *handle = enter(stream, "uva_tty_size", &code);
    if (handle == NULL)
        return code;
    if (ret_columns == NULL || ret_rows == NULL)
        return UV_EINVAL;
    return uv_tty_get_winsize(handle, ret_columns, ret_rows);
}
