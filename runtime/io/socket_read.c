/*
 * What: reading from a socket.
 *
 * How: the first read arms the stream, and it stays armed: starting and
 * stopping around each read would cost an epoll_ctl each. What libuv is given
 * to read into depends on who is there:
 *
 *   a task is parked in a read     nothing: it is read here by recv(2) into
 *                                  the task's buffer, which spares libuv's
 *                                  read(2): 1.0 % of an echo's processor time.
 *                                  Where that finds no bytes, that buffer
 *   a task was woken and will run  nothing: it takes the rest itself, at the
 *                                  next poll
 *   nobody reads, or one watches   the inbox; when that is full the stream is
 *                                  paused, and armed again once little is left
 *
 * libuv (up to 1.51, uv__read in unix/stream.c) calls the alloc callback,
 * read(2) and the read callback in one go, so a task's buffer is used only
 * while that task is parked, and a read that is cut leaves nothing behind (R9).
 * A libuv that completes reads by io_uring would need another plan.
 *
 * Rejected: leaving what nobody reads in the kernel. The poll is
 * level-triggered, so the stream would have to be stopped after each read.
 */
#include "socket.h"

#include <errno.h>
#include <limits.h>
#include <sys/socket.h>

#include "../assert.h"
#include "../task.h"

/* ---- pausing ------------------------------------------------------------ */

static void on_alloc(uv_handle_t *handle, size_t suggested, uv_buf_t *ret_room);
static void on_read(uv_stream_t *handle, ssize_t bytes, const uv_buf_t *room);

void uva__socket_pause(uva__socket_t *socket) {
    if (socket->armed)
        (void)uv_read_stop(&socket->handle.stream);
    socket->armed = false;
}

/* An armed stream always has room behind what it holds. */
static void pause_if_full(uva__socket_t *socket) {
    uva__inbox_t *inbox = &socket->stream.inbox;
    if (inbox->end < inbox->capacity)
        return;
    if (uva__inbox_held(inbox) > UVA__INBOX_LOW)
        uva__socket_pause(socket);
    else
        uva__inbox_compact(inbox);
}

static int arm(uva__socket_t *socket) {
    if (socket->armed)
        return 0;
    int code = uv_read_start(&socket->handle.stream, on_alloc, on_read);
    socket->armed = code == 0;
    return code;
}

/* After bytes were taken. Not being able to arm it is no failure of this read;
 * the next one that has to wait tries again, and says so. */
static void resume_if_low(uva__socket_t *socket) {
    if (socket->armed || socket->stream.read_end != 0 ||
        socket->stream.closing ||
        uva__inbox_held(&socket->stream.inbox) > UVA__INBOX_LOW)
        return;
    uva__inbox_compact(&socket->stream.inbox);
    (void)arm(socket);
}

void uva__socket_settle(uva_stream_t *stream) {
    uva__socket_t *socket = uva__socket_of(stream);
    if (stream->read_end != 0)
        uva__socket_pause(socket);
    else if (socket->armed)
        pause_if_full(socket);
    else
        resume_if_low(socket);
}

/* ---- libuv's side ------------------------------------------------------- */

static void wake_reader(uva__socket_t *socket, int code) {
    uva__reader_t *reader = socket->reader;
    socket->reader = NULL;
    uva__wake(&reader->waiter, code);
}

/* What recv(2) says of a connection it says once: it is kept for the end that
 * libuv finds then. */
static UVA__COLD void note_error(uva__socket_t *socket) {
    if (errno == ENOTSOCK)
        socket->plain = true;
    else if (errno != EAGAIN && errno != EWOULDBLOCK && errno != EINTR)
        (void)uva__socket_failed(socket, uv_translate_sys_error(errno));
}

/* A task waits: takes what is there by recv(2), into its buffer. False: libuv
 * is to try, which finds the end, or that nothing has come; or it is no socket.
 */
static inline bool receive(uva__socket_t *socket) {
    uva__reader_t *reader = socket->reader;
    if (UVA__UNLIKELY(socket->plain))
        return false;
    ssize_t bytes = recv(socket->fd, reader->buffer, reader->bytes, 0);
    if (UVA__UNLIKELY(bytes <= 0)) {
        if (bytes < 0)
            note_error(socket);
        return false;
    }
    socket->reader = NULL;
    uva__wake_polled(&reader->waiter, (int)bytes);
    return true;
}

static void on_alloc(uv_handle_t *handle, size_t suggested,
                     uv_buf_t *ret_room) {
    uva__socket_t *socket = handle->data;
    uva__inbox_t *inbox = &socket->stream.inbox;
    (void)suggested;
    ret_room->base = NULL;
    ret_room->len = 0;
    if (UVA__LIKELY(socket->reader != NULL)) {
        if (!receive(socket)) {
            ret_room->base = socket->reader->buffer;
            ret_room->len = socket->reader->bytes;
        }
        return;
    }
    if (socket->stream.reading && socket->stream.readable == NULL)
        return;
    if (uva__inbox_held(inbox) == 0 &&
        !uva__inbox_ensure(inbox, UVA__INBOX_BYTES))
        return;
    *ret_room = uv_buf_init(inbox->base + inbox->end,
                            (unsigned)(inbox->capacity - inbox->end));
}

/* libuv takes a hang-up behind the last bytes for their end, also when the
 * connection was reset (uv__stream_io, 1.44 to 1.51): half a message would pass
 * for a whole one. UV_EPIPE is what a reset behind a proper end leaves. */
static int why_ended(const uva__socket_t *socket) {
    int error = 0;
    socklen_t bytes = sizeof error;
    if (socket->failure != 0)
        return socket->failure;
    if (getsockopt(socket->fd, SOL_SOCKET, SO_ERROR, &error, &bytes) < 0 ||
        error == 0 || error == EPIPE)
        return UV_EOF;
    return uv_translate_sys_error(error);
}

/* libuv has stopped reading, or will as soon as the callback returns. */
static void end_reading(uva__socket_t *socket, int code) {
    if (code == UV_EOF)
        code = why_ended(socket);
    socket->armed = false;
    socket->stream.read_end = code;
    if (socket->reader != NULL)
        wake_reader(socket, code);
    uva__stream_readable(&socket->stream, code);
}

static void on_read(uv_stream_t *handle, ssize_t bytes, const uv_buf_t *room) {
    uva__socket_t *socket = handle->data;
    if (bytes > 0 && socket->reader != NULL) {
        UVA__ASSERT(room->base == socket->reader->buffer);
        uva__waiter_t *waiter = &socket->reader->waiter;
        socket->reader = NULL;
        uva__wake_polled(waiter, (int)bytes);
    } else if (bytes > 0) {
        socket->stream.inbox.end += (size_t)bytes;
        pause_if_full(socket);
        uva__stream_readable(&socket->stream, 0);
    } else if (bytes == UV_ENOBUFS && room->base == NULL) {
        /* We gave it no room: on purpose while a task is about to run, else
         * there was no memory, and it stays in the kernel until it is read. */
        if (!socket->stream.reading)
            uva__socket_pause(socket);
        uva__stream_readable(&socket->stream, UV_ENOMEM);
    } else if (bytes < 0) {
        end_reading(socket, (int)bytes);
    }
}

void uva__socket_close_reading(uva__socket_t *socket) {
    socket->armed = false; /* uv_close() stops it */
    if (socket->reader != NULL)
        wake_reader(socket, UV_ECANCELED);
}

/* ---- the task's side ---------------------------------------------------- */

static uva_future_t *cancel_read(uva__waiter_t *waiter) {
    UVA__OF(waiter, uva__reader_t, waiter)->socket->reader = NULL;
    uva__wake_cut(waiter);
    return NULL;
}

static const uva__wait_t read_wait = {
    .reason = "read", .cancel = cancel_read, .outside = true};

/* Nothing is there. Who wakes us: on_read or the close, both of which take
 * socket->reader away first, as the cancel hook does: so once. */
static inline ssize_t wait_for_bytes(uva__task_t *task, uva_stream_t *stream,
                                     char *buffer, size_t bytes) {
    uva__socket_t *socket = uva__socket_of(stream);
    int code = uva__may_park(task);
    if (code < 0)
        return code;
    uva__inbox_drop(&socket->stream.inbox);
    if (UVA__UNLIKELY(!socket->armed))
        code = arm(socket);
    if (code < 0)
        return code;
    uva__reader_t reader; /* nothing is cleared that nobody reads */
    reader.waiter.wait = &read_wait;
    reader.waiter.queue = NULL;
    reader.waiter.on = NULL;
    reader.socket = socket;
    reader.buffer = buffer;
    reader.bytes = bytes < INT_MAX ? bytes : INT_MAX;
    socket->reader = &reader;
    return uva__park(task, &reader.waiter);
}

ssize_t uva__socket_wait(uva__task_t *task, uva_stream_t *stream, char *buffer,
                         size_t bytes) {
    return wait_for_bytes(task, stream, buffer, bytes);
}

ssize_t uva__socket_read(uva__task_t *task, uva_stream_t *stream, char *buffer,
                         size_t bytes) {
    return uva__read_end(stream, wait_for_bytes(task, stream, buffer, bytes));
}

/* ---- watching ----------------------------------------------------------- */

/* Only libuv knows: it is asked to read ahead. Where that fails, the watch, or
 * the read, says so. */
int uva__socket_look(uva_stream_t *stream) {
    resume_if_low(uva__socket_of(stream));
    return UV_EAGAIN;
}

int uva__socket_watch(uva_stream_t *stream) {
    uva__inbox_drop(&stream->inbox);
    return arm(uva__socket_of(stream));
}
