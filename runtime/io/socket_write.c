/*
 * What: writing to a socket, and ending that side.
 *
 * How: straight to the socket with MSG_NOSIGNAL, from the caller's memory;
 * nearly always that takes all, with one system call and no allocation. When
 * the socket is full the task parks until it takes more, and goes on. So
 * libuv never holds bytes of a caller that has gone (R9), and it is known
 * exactly how many were written when a task is cut. Pipes and terminals, which
 * are no sockets and say so at the first try, are written with writev(2).
 *
 * When the socket has room is told by the gate, a uv_poll_t on a duplicate of
 * the descriptor (libuv has one watcher for each). It is made when the socket
 * is full for the first time, and kept, since that stream will be full again.
 *
 * Rejected: uv_write(). libuv writes with write(2), which raises SIGPIPE in a
 * host that has not ignored it, from inside the poll where nobody could block
 * it; a write in flight cannot be taken back, so the rest would have to be
 * copied. uv_shutdown() has nothing to wait for, as libuv has nothing queued.
 */
#include "socket.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <unistd.h>

#include "../loop.h"
#include "../task.h"
#include "sigpipe.h"

/* Where it is missing (macOS), libuv sets SO_NOSIGPIPE on the socket. */
#ifndef MSG_NOSIGNAL
#define MSG_NOSIGNAL 0
#endif
#ifndef MSG_MORE
#define MSG_MORE 0
#endif

/* Buffers in one sendmsg(2) or writev(2): the kernel's limit. */
enum { MOST_BUFFERS = 1024 };

/* libuv promises that a uv_buf_t may be cast to a struct iovec. */
_Static_assert(sizeof(uv_buf_t) == sizeof(struct iovec), "uv_buf_t");
_Static_assert(offsetof(uv_buf_t, base) == offsetof(struct iovec, iov_base),
               "uv_buf_t");

/* ---- sending ------------------------------------------------------------ */

/* Whether all of the rest goes into one system call. */
static bool fits_call(const uva__rest_t *rest) {
    return rest->count == 1 ||
           (rest->offset == 0 && rest->count <= MOST_BUFFERS);
}

static UVA__COLD ssize_t send_many(int fd, const uva__rest_t *rest) {
    struct msghdr message = {0};
    message.msg_iov = (struct iovec *)(uintptr_t)rest->buffers;
    message.msg_iovlen =
        rest->count < MOST_BUFFERS ? rest->count : MOST_BUFFERS;
    return sendmsg(fd, &message, MSG_NOSIGNAL);
}

static inline ssize_t send_once(int fd, const uva__rest_t *rest) {
    bool is_last = rest->count == 1;
    if (is_last || rest->offset > 0)
        return send(fd, rest->buffers->base + rest->offset,
                    rest->buffers->len - rest->offset,
                    MSG_NOSIGNAL | (is_last ? 0 : MSG_MORE));
    return send_many(fd, rest);
}

/* The same for what is no socket. */
static UVA__COLD ssize_t write_once(int fd, const uva__rest_t *rest) {
    uva__sigpipe_t sigpipe;
    ssize_t written;
    uva__sigpipe_block(&sigpipe);
    if (rest->count == 1 || rest->offset > 0)
        written = write(fd, rest->buffers->base + rest->offset,
                        rest->buffers->len - rest->offset);
    else
        written = writev(fd, (const struct iovec *)rest->buffers,
                         rest->count < MOST_BUFFERS ? (int)rest->count
                                                    : MOST_BUFFERS);
    uva__sigpipe_restore(&sigpipe, written < 0 && errno == EPIPE);
    return written;
}

/* A socket's way to say what becomes of its connection, which it says once. */
static bool is_failure(const uva__socket_t *socket, int code) {
    return !socket->plain && code != UV_EPIPE && code != UV_ENOMEM &&
           code != UV_ENOBUFS;
}

int uva__socket_failed(uva__socket_t *socket, int code) {
    if (is_failure(socket, code))
        socket->failure = code;
    return code;
}

/* What to do about errno: 0, wait; 1, try again; or a code. */
static UVA__COLD int look_at_error(uva__socket_t *socket) {
    if (errno == ENOTSOCK && !socket->plain) {
        socket->plain = true;
        return 1;
    }
    if (errno == EINTR)
        return 1;
    if (errno == EAGAIN || errno == EWOULDBLOCK)
        return 0;
    return uva__socket_failed(socket, uv_translate_sys_error(errno));
}

/* Writes what the socket takes, from none to all of the rest; or a code. */
static inline ssize_t send_some(uva__socket_t *socket, uva__rest_t *rest) {
    ssize_t sent;
    int code = 1;
    do {
        sent = UVA__UNLIKELY(socket->plain) ? write_once(socket->fd, rest)
                                            : send_once(socket->fd, rest);
        if (UVA__UNLIKELY(sent < 0))
            code = look_at_error(socket);
    } while (sent < 0 && code > 0);
    if (sent < 0)
        return code;
    uva__rest_advance(rest, (size_t)sent);
    return sent;
}

/* ---- the gate ----------------------------------------------------------- */

static void on_gate_closed(uv_handle_t *handle) {
    uva__socket_t *socket = handle->data;
    uva_runtime_t *rt = socket->stream.runtime;
    uva__give(&rt->pools, UVA__OF(handle, uva__gate_t, poll),
              sizeof(uva__gate_t));
    uva__stream_unref(&socket->stream);
    uva__loop_handle_closed(rt);
}

/* The stream's gate; NULL: *ret_code says why. */
static uva__gate_t *make_gate(uva__socket_t *socket, int *ret_code) {
    uva_runtime_t *rt = socket->stream.runtime;
    uva__gate_t *gate = uva__take(&rt->pools, sizeof *gate);
    if (gate == NULL) {
        *ret_code = UV_ENOMEM;
        return NULL;
    }
    gate->watching = false;
    gate->fd = fcntl(socket->fd, F_DUPFD_CLOEXEC, 0);
    *ret_code = gate->fd < 0 ? uv_translate_sys_error(errno)
                             : uv_poll_init(rt->loop, &gate->poll, gate->fd);
    if (*ret_code < 0) {
        if (gate->fd >= 0)
            (void)close(gate->fd);
        uva__give(&rt->pools, gate, sizeof *gate);
        return NULL;
    }
    (void)uva__loop_adopt(rt, (uv_handle_t *)&gate->poll, socket, 0);
    socket->stream.refs++;
    return gate;
}

static void close_gate(uva__gate_t *gate) {
    uv_close((uv_handle_t *)&gate->poll, on_gate_closed);
    /* libuv has forgotten the descriptor, and the socket is to be closed with
     * the stream's own. */
    (void)close(gate->fd);
}

void uva__socket_stop_waiting(uva__socket_t *socket) {
    uva__gate_t *gate = socket->gate;
    if (gate == NULL || !gate->watching)
        return;
    gate->watching = false;
    (void)uv_poll_stop(&gate->poll);
}

static void wake_writer(uva__socket_t *socket, int code) {
    uva__waiter_t *writer = socket->writer;
    socket->writer = NULL;
    uva__wake(writer, code);
}

/* Whatever it is, an error too: who writes will see when it tries. It stays on
 * while that task writes, so that each wait does not cost two epoll_ctl. */
static void on_gate(uv_poll_t *poll, int status, int events) {
    uva__socket_t *socket = poll->data;
    (void)events;
    if (status < 0)
        socket->gate->watching = false; /* libuv has stopped it */
    if (socket->writer != NULL)
        wake_writer(socket, 0);
}

static UVA__COLD int watch_gate(uva__socket_t *socket) {
    int code = 0;
    if (socket->gate == NULL)
        socket->gate = make_gate(socket, &code);
    if (socket->gate == NULL || socket->gate->watching)
        return code;
    code = uv_poll_start(&socket->gate->poll, UV_WRITABLE, on_gate);
    socket->gate->watching = code == 0;
    return code;
}

void uva__socket_close_writing(uva__socket_t *socket) {
    if (socket->writer != NULL)
        wake_writer(socket, UV_ECANCELED);
    if (socket->gate != NULL)
        close_gate(socket->gate);
    socket->gate = NULL;
}

/* ---- writing ------------------------------------------------------------ */

typedef struct writer {
    uva__waiter_t waiter;
    uva__socket_t *socket;
} writer_t;

static uva_future_t *cancel_write(uva__waiter_t *waiter) {
    UVA__OF(waiter, writer_t, waiter)->socket->writer = NULL;
    uva__wake_cut(waiter);
    return NULL;
}

static const uva__wait_t write_wait = {
    .reason = "write", .cancel = cancel_write, .outside = true};

/* The socket is full. Who wakes us: on_gate or the close, both of which take
 * socket->writer away first, as the cancel hook does: so once. */
int uva__socket_wait_for_room(uva__task_t *task, uva__socket_t *socket) {
    int code = uva__may_park(task);
    if (code == 0)
        code = watch_gate(socket);
    if (code < 0)
        return code;
    writer_t writer = {.waiter.wait = &write_wait, .socket = socket};
    socket->writer = &writer.waiter;
    return uva__park(task, &writer.waiter);
}

/* Sends until all is written, or `code` says why not. */
static int write_rest(uva__task_t *task, uva__socket_t *socket,
                      uva__rest_t *rest, size_t *written) {
    int code = 0;
    while (code == 0 && rest->count > 0) {
        if (socket->stream.closing)
            return UV_ECANCELED;
        bool all_tried = fits_call(rest);
        ssize_t sent = send_some(socket, rest);
        *written += sent > 0 ? (size_t)sent : 0;
        if (sent < 0)
            code = (int)sent;
        else if (sent == 0 || (all_tried && rest->count > 0))
            code = uva__socket_wait_for_room(task, socket);
    }
    return code;
}

int uva__socket_write(uva__task_t *task, uva_stream_t *stream,
                      uva__rest_t *rest, size_t *written) {
    uva__socket_t *socket = uva__socket_of(stream);
    int code = write_rest(task, socket, rest, written);
    uva__socket_stop_waiting(socket);
    return code;
}

int uva__socket_shutdown(uva_stream_t *stream) {
    if (shutdown(uva__socket_of(stream)->fd, SHUT_WR) < 0)
        return uv_translate_sys_error(errno);
    return 0;
}
