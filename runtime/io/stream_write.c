/*
 * What: writing to a stream, and ending that side.
 *
 * How: straight to the socket with MSG_NOSIGNAL, from the caller's memory;
 * nearly always that takes all, with one system call and no allocation. When
 * the socket is full the task parks until it takes more, and goes on. So
 * libuv never holds bytes of a caller that has gone (R9), and it is known
 * exactly how many were written when a task is cut.
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
#include "stream.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <sys/socket.h>
#include <unistd.h>

#include "../loop.h"
#include "../task.h"

/* Where it is missing (macOS), libuv sets SO_NOSIGPIPE on the socket. */
#ifndef MSG_NOSIGNAL
#define MSG_NOSIGNAL 0
#endif
#ifndef MSG_MORE
#define MSG_MORE 0
#endif

/* Buffers in one sendmsg(2): the kernel's limit. */
enum { MOST_BUFFERS = 1024 };

/* libuv promises that a uv_buf_t may be cast to a struct iovec. */
_Static_assert(sizeof(uv_buf_t) == sizeof(struct iovec), "uv_buf_t");
_Static_assert(offsetof(uv_buf_t, base) == offsetof(struct iovec, iov_base),
               "uv_buf_t");

/* What is left to write. */
typedef struct rest {
    const uv_buf_t *buffers;
    unsigned count;
    size_t offset; /* in the first of them */
} rest_t;

/* ---- sending ------------------------------------------------------------ */

static void skip_empty(rest_t *rest) {
    while (rest->count > 0 && rest->offset == rest->buffers->len) {
        rest->buffers++;
        rest->count--;
        rest->offset = 0;
    }
}

static void advance(rest_t *rest, size_t bytes) {
    while (bytes > 0) {
        size_t left = rest->buffers->len - rest->offset;
        size_t step = bytes < left ? bytes : left;
        rest->offset += step;
        bytes -= step;
        skip_empty(rest);
    }
}

/* Whether all of the rest goes into one system call. */
static bool fits_call(const rest_t *rest) {
    return rest->count == 1 ||
           (rest->offset == 0 && rest->count <= MOST_BUFFERS);
}

static ssize_t send_once(int fd, const rest_t *rest) {
    bool is_last = rest->count == 1;
    if (is_last || rest->offset > 0)
        return send(fd, rest->buffers->base + rest->offset,
                    rest->buffers->len - rest->offset,
                    MSG_NOSIGNAL | (is_last ? 0 : MSG_MORE));
    struct msghdr message = {0};
    message.msg_iov = (struct iovec *)(uintptr_t)rest->buffers;
    message.msg_iovlen =
        rest->count < MOST_BUFFERS ? rest->count : MOST_BUFFERS;
    return sendmsg(fd, &message, MSG_NOSIGNAL);
}

/* A socket's way to say what becomes of its connection, which it says once. */
static bool is_failure(int code) {
    return code != UV_EPIPE && code != UV_ENOMEM && code != UV_ENOBUFS;
}

/* Writes what the socket takes, from none to all of the rest; or a code. */
static ssize_t send_some(uva_stream_t *stream, rest_t *rest) {
    ssize_t sent;
    do
        sent = send_once(stream->fd, rest);
    while (sent < 0 && errno == EINTR);
    if (sent >= 0) {
        advance(rest, (size_t)sent);
        return sent;
    }
    if (errno == EAGAIN || errno == EWOULDBLOCK)
        return 0;
    int code = uv_translate_sys_error(errno);
    if (is_failure(code))
        stream->failure = code;
    return code;
}

/* ---- the gate ----------------------------------------------------------- */

static void on_gate_closed(uv_handle_t *handle) {
    uva_stream_t *stream = handle->data;
    uva_runtime_t *rt = stream->runtime;
    uva__give(&rt->pools, UVA__OF(handle, uva__gate_t, poll),
              sizeof(uva__gate_t));
    uva__stream_leave(stream);
    rt->handles--;
    uva__loop_released(rt);
}

/* The stream's gate; NULL: *ret_code says why. */
static uva__gate_t *make_gate(uva_stream_t *stream, int *ret_code) {
    uva_runtime_t *rt = stream->runtime;
    uva__gate_t *gate = uva__take(&rt->pools, sizeof *gate);
    if (gate == NULL) {
        *ret_code = UV_ENOMEM;
        return NULL;
    }
    gate->watching = false;
    gate->fd = fcntl(stream->fd, F_DUPFD_CLOEXEC, 0);
    *ret_code = gate->fd < 0 ? uv_translate_sys_error(errno)
                             : uv_poll_init(rt->loop, &gate->poll, gate->fd);
    if (*ret_code < 0) {
        if (gate->fd >= 0)
            (void)close(gate->fd);
        uva__give(&rt->pools, gate, sizeof *gate);
        return NULL;
    }
    gate->poll.data = stream;
    uv_unref((uv_handle_t *)&gate->poll);
    rt->handles++;
    stream->refs++;
    return gate;
}

static void close_gate(uva__gate_t *gate) {
    uv_close((uv_handle_t *)&gate->poll, on_gate_closed);
    /* libuv has forgotten the descriptor, and the socket is to be closed with
     * the stream's own. */
    (void)close(gate->fd);
}

static void stop_gate(uva__gate_t *gate) {
    if (gate == NULL || !gate->watching)
        return;
    gate->watching = false;
    (void)uv_poll_stop(&gate->poll);
}

static void wake_writer(uva_stream_t *stream, int code) {
    uva__waiter_t *writer = stream->writer;
    stream->writer = NULL;
    uva__wake(writer, code);
}

/* Whatever it is, an error too: who writes will see when it tries. It stays on
 * while that task writes, so that each wait does not cost two epoll_ctl. */
static void on_gate(uv_poll_t *poll, int status, int events) {
    uva_stream_t *stream = poll->data;
    (void)events;
    if (status < 0)
        stream->gate->watching = false; /* libuv has stopped it */
    if (stream->writer != NULL)
        wake_writer(stream, 0);
}

static int watch_gate(uva_stream_t *stream) {
    int code = 0;
    if (stream->gate == NULL)
        stream->gate = make_gate(stream, &code);
    if (stream->gate == NULL || stream->gate->watching)
        return code;
    code = uv_poll_start(&stream->gate->poll, UV_WRITABLE, on_gate);
    stream->gate->watching = code == 0;
    return code;
}

void uva__stream_close_writing(uva_stream_t *stream) {
    if (stream->writer != NULL)
        wake_writer(stream, UV_ECANCELED);
    if (stream->gate != NULL)
        close_gate(stream->gate);
    stream->gate = NULL;
}

/* ---- writing ------------------------------------------------------------ */

typedef struct writer {
    uva__waiter_t waiter;
    uva_stream_t *stream;
} writer_t;

static uva_future_t *cancel_write(uva__waiter_t *waiter) {
    UVA__OF(waiter, writer_t, waiter)->stream->writer = NULL;
    uva__wake_cut(waiter);
    return NULL;
}

static const uva__wait_t write_wait = {
    .reason = "write", .cancel = cancel_write, .outside = true};

/* The socket is full. Who wakes us: on_gate or the close, both of which take
 * stream->writer away first, as the cancel hook does: so once. */
static int wait_for_room(uva__task_t *task, uva_stream_t *stream) {
    int code = uva__may_park(task);
    if (code == 0)
        code = watch_gate(stream);
    if (code < 0)
        return code;
    writer_t writer = {.waiter.wait = &write_wait, .stream = stream};
    stream->writer = &writer.waiter;
    return uva__park(task, &writer.waiter);
}

/* Writes all of the rest, `total` bytes. */
static ssize_t write_rest(uva__task_t *task, uva_stream_t *stream, rest_t *rest,
                          size_t total) {
    size_t written = 0;
    int code = uva__spend(task);
    while (code == 0 && written < total) {
        if (stream->closing) {
            code = UV_ECANCELED;
            break;
        }
        bool all_tried = fits_call(rest);
        ssize_t sent = send_some(stream, rest);
        written += sent > 0 ? (size_t)sent : 0;
        if (sent < 0)
            code = (int)sent;
        else if (sent == 0 || (all_tried && written < total))
            code = wait_for_room(task, stream);
    }
    /* The peer has seen half of it; nothing may follow. */
    if (code < 0 && written > 0)
        stream->write_end = UV_EPIPE;
    return code < 0 ? code : (ssize_t)total;
}

/* The sum of the buffers' sizes; UV_EINVAL when there is no such array. */
static ssize_t size_of(const uv_buf_t buffers[], unsigned count) {
    size_t total = 0;
    if (buffers == NULL && count > 0)
        return UV_EINVAL;
    for (unsigned i = 0; i < count; i++) {
        bool is_good = buffers[i].base != NULL || buffers[i].len == 0;
        if (!is_good || buffers[i].len > (size_t)SSIZE_MAX - total)
            return UV_EINVAL;
        total += buffers[i].len;
    }
    return (ssize_t)total;
}

static ssize_t write_in(uva__task_t *task, uva_stream_t *stream,
                        const uv_buf_t buffers[], unsigned count) {
    ssize_t total = size_of(buffers, count);
    if (total < 0)
        return total;
    if (stream->writing)
        return UV_EBUSY;
    if (stream->write_end != 0)
        return stream->write_end;
    rest_t rest = {.buffers = buffers, .count = count};
    skip_empty(&rest);
    stream->writing = true;
    ssize_t result = write_rest(task, stream, &rest, (size_t)total);
    stream->writing = false;
    stop_gate(stream->gate);
    return result;
}

ssize_t uva_writev(uva_stream_t *stream, const uv_buf_t buffers[],
                   unsigned count) {
    uva__task_t *task;
    int code = uva__stream_enter(stream, "uva_writev", &task);
    if (code < 0)
        return code;
    ssize_t result = write_in(task, stream, buffers, count);
    uva__stream_leave(stream);
    return result;
}

ssize_t uva_write(uva_stream_t *stream, const void *data, size_t bytes) {
    uva__task_t *task;
    int code = uva__stream_enter(stream, "uva_write", &task);
    if (code < 0)
        return code;
    uv_buf_t buffer = {.base = (char *)(uintptr_t)data, .len = bytes};
    ssize_t result = write_in(task, stream, &buffer, 1);
    uva__stream_leave(stream);
    return result;
}

int uva_shutdown(uva_stream_t *stream) {
    if (stream == NULL)
        return UV_EINVAL;
    int code = uva__must_be_ours(stream->runtime, "uva_shutdown");
    if (code < 0)
        return code;
    if (stream->writing)
        return UV_EBUSY;
    if (stream->shut)
        return 0;
    if (stream->write_end != 0)
        return stream->write_end;
    if (shutdown(stream->fd, SHUT_WR) < 0)
        return uv_translate_sys_error(errno);
    stream->shut = true;
    stream->write_end = UV_EPIPE;
    return 0;
}
