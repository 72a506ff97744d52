/*
 * What: reading from a stream.
 *
 * How: the first read arms the stream, and it stays armed: starting and
 * stopping around each read would cost an epoll_ctl each. What libuv is given
 * to read into depends on who is there:
 *
 *   a task is parked in a read     its own buffer; nothing is copied
 *   a task was woken and will run  nothing: it takes the rest itself, at the
 *                                  next poll
 *   nobody reads                   the inbox; when that is full the stream is
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
#include "stream.h"

#include <limits.h>
#include <stdlib.h>
#include <string.h>

#include "../assert.h"
#include "../task.h"

/* What is kept for a stream that nobody reads, and how much of it may be left
 * when a paused one is armed again. */
enum { INBOX_BYTES = 65536, LOW_BYTES = INBOX_BYTES / 4 };

/* ---- the inbox ---------------------------------------------------------- */

static size_t held(const uva__inbox_t *inbox) {
    return inbox->end - inbox->start;
}

/* Room for at least `bytes`, no fewer than INBOX_BYTES, in an empty inbox;
 * false without memory. */
static bool ensure(uva__inbox_t *inbox, size_t bytes) {
    UVA__ASSERT(held(inbox) == 0);
    inbox->start = inbox->end = 0;
    if (inbox->capacity >= bytes)
        return true;
    free(inbox->base);
    inbox->base = malloc(bytes);
    inbox->capacity = inbox->base != NULL ? bytes : 0;
    return inbox->base != NULL;
}

/* An idle connection holds no buffer. */
static void drop_empty(uva__inbox_t *inbox) {
    free(inbox->base);
    *inbox = (uva__inbox_t){0};
}

/* Moves what is held to the front. */
static void compact(uva__inbox_t *inbox) {
    size_t bytes = held(inbox);
    if (inbox->start == 0)
        return;
    memmove(inbox->base, inbox->base + inbox->start, bytes);
    inbox->start = 0;
    inbox->end = bytes;
}

static size_t take(uva__inbox_t *inbox, char *buffer, size_t bytes) {
    if (bytes > held(inbox))
        bytes = held(inbox);
    memcpy(buffer, inbox->base + inbox->start, bytes);
    inbox->start += bytes;
    return bytes;
}

/* ---- pausing ------------------------------------------------------------ */

static void on_alloc(uv_handle_t *handle, size_t suggested, uv_buf_t *ret_room);
static void on_read(uv_stream_t *handle, ssize_t bytes, const uv_buf_t *room);

static void pause_reading(uva_stream_t *stream) {
    if (stream->armed)
        (void)uv_read_stop(&stream->handle.stream);
    stream->armed = false;
}

/* An armed stream always has room behind what it holds. */
static void pause_if_full(uva_stream_t *stream) {
    uva__inbox_t *inbox = &stream->inbox;
    if (inbox->end < inbox->capacity)
        return;
    if (held(inbox) > LOW_BYTES)
        pause_reading(stream);
    else
        compact(inbox);
}

static int arm(uva_stream_t *stream) {
    if (stream->armed)
        return 0;
    int code = uv_read_start(&stream->handle.stream, on_alloc, on_read);
    stream->armed = code == 0;
    return code;
}

/* After bytes were taken. Not being able to arm it is no failure of this read;
 * the next one that has to wait tries again, and says so. */
static void resume_if_low(uva_stream_t *stream) {
    if (stream->armed || stream->read_end != 0 || stream->closing ||
        held(&stream->inbox) > LOW_BYTES)
        return;
    compact(&stream->inbox);
    (void)arm(stream);
}

/* ---- libuv's side ------------------------------------------------------- */

static void wake_reader(uva_stream_t *stream, int code) {
    uva__reader_t *reader = stream->reader;
    stream->reader = NULL;
    uva__wake(&reader->waiter, code);
}

static void on_alloc(uv_handle_t *handle, size_t suggested,
                     uv_buf_t *ret_room) {
    uva_stream_t *stream = handle->data;
    uva__inbox_t *inbox = &stream->inbox;
    (void)suggested;
    *ret_room = uv_buf_init(NULL, 0);
    if (stream->reader != NULL) {
        *ret_room = uv_buf_init(stream->reader->buffer,
                                (unsigned)stream->reader->bytes);
        return;
    }
    if (stream->reading)
        return;
    if (held(inbox) == 0 && !ensure(inbox, INBOX_BYTES))
        return;
    *ret_room = uv_buf_init(inbox->base + inbox->end,
                            (unsigned)(inbox->capacity - inbox->end));
}

/* libuv has stopped reading, or will as soon as the callback returns. */
static void end_reading(uva_stream_t *stream, int code) {
    if (code == UV_EOF && stream->failure != 0)
        code = stream->failure;
    stream->armed = false;
    stream->read_end = code;
    if (stream->reader != NULL)
        wake_reader(stream, code);
}

static void on_read(uv_stream_t *handle, ssize_t bytes, const uv_buf_t *room) {
    uva_stream_t *stream = handle->data;
    if (bytes > 0 && stream->reader != NULL) {
        UVA__ASSERT(room->base == stream->reader->buffer);
        wake_reader(stream, (int)bytes);
    } else if (bytes > 0) {
        stream->inbox.end += (size_t)bytes;
        pause_if_full(stream);
    } else if (bytes == UV_ENOBUFS && room->base == NULL) {
        /* We gave it no room: on purpose while a task is about to run, else
         * there was no memory, and it stays in the kernel until it is read. */
        if (!stream->reading)
            pause_reading(stream);
    } else if (bytes < 0) {
        end_reading(stream, (int)bytes);
    }
}

void uva__stream_close_reading(uva_stream_t *stream) {
    stream->armed = false; /* uv_close() stops it */
    if (stream->reader != NULL)
        wake_reader(stream, UV_ECANCELED);
}

/* ---- the task's side ---------------------------------------------------- */

static uva_future_t *cancel_read(uva__waiter_t *waiter) {
    UVA__OF(waiter, uva__reader_t, waiter)->stream->reader = NULL;
    uva__wake_cut(waiter);
    return NULL;
}

static const uva__wait_t read_wait = {
    .reason = "read", .cancel = cancel_read, .outside = true};

/* Nothing is there. Who wakes us: on_read or the close, both of which take
 * stream->reader away first, as the cancel hook does: so once. */
static ssize_t wait_for_bytes(uva__task_t *task, uva_stream_t *stream,
                              char *buffer, size_t bytes) {
    int code = uva__may_park(task);
    if (code < 0)
        return code;
    drop_empty(&stream->inbox);
    code = arm(stream);
    if (code < 0)
        return code;
    uva__reader_t reader = {.waiter.wait = &read_wait,
                            .stream = stream,
                            .buffer = buffer,
                            .bytes = bytes < INT_MAX ? bytes : INT_MAX};
    stream->reader = &reader;
    return uva__park(task, &reader.waiter);
}

static ssize_t read_some(uva__task_t *task, uva_stream_t *stream, char *buffer,
                         size_t bytes) {
    if (stream->closing) /* between two parks of one call */
        return UV_ECANCELED;
    if (held(&stream->inbox) == 0 && stream->read_end == 0)
        return wait_for_bytes(task, stream, buffer, bytes);
    int code = uva__spend(task);
    if (code < 0)
        return code;
    if (stream->closing)
        return UV_ECANCELED;
    if (held(&stream->inbox) == 0)
        return stream->read_end;
    ssize_t taken = (ssize_t)take(&stream->inbox, buffer, bytes);
    resume_if_low(stream);
    return taken;
}

/* Begins a reading call; on 0 end_call() has to follow. */
static int begin_call(uva_stream_t *stream, const char *call,
                      const void *buffer, size_t bytes,
                      uva__task_t **ret_task) {
    int code = uva__stream_enter(stream, call, ret_task);
    if (code < 0)
        return code;
    if (buffer == NULL || bytes > SSIZE_MAX)
        code = UV_EINVAL;
    else if (stream->reading)
        code = UV_EBUSY;
    if (code < 0)
        uva__stream_leave(stream);
    else
        stream->reading = true;
    return code;
}

static void end_call(uva_stream_t *stream) {
    stream->reading = false;
    uva__stream_leave(stream);
}

ssize_t uva_read(uva_stream_t *stream, void *buffer, size_t bytes) {
    uva__task_t *task;
    int code =
        begin_call(stream, "uva_read", bytes > 0 ? buffer : "", bytes, &task);
    if (code < 0)
        return code;
    ssize_t result = bytes > 0 ? read_some(task, stream, buffer, bytes) : 0;
    end_call(stream);
    return result;
}

/* Puts back what a read had taken that ended with `code` too early. Nothing
 * has arrived behind it: while a task is reading, nothing is kept. */
static ssize_t put_back(uva_stream_t *stream, const char *buffer, size_t bytes,
                        ssize_t code) {
    bool failed = stream->read_end != 0 && stream->read_end != UV_EOF;
    if (bytes == 0 || stream->closing || failed)
        return code;
    if (!ensure(&stream->inbox, bytes > INBOX_BYTES ? bytes : INBOX_BYTES)) {
        /* Half of what was asked for is lost: nobody may go on behind it. */
        pause_reading(stream);
        stream->read_end = UV_ENOMEM;
        return UV_ENOMEM;
    }
    memcpy(stream->inbox.base, buffer, bytes);
    stream->inbox.end = bytes;
    pause_if_full(stream);
    return code;
}

static ssize_t read_all(uva__task_t *task, uva_stream_t *stream, char *buffer,
                        size_t bytes) {
    size_t got = 0;
    while (got < bytes) {
        ssize_t some = read_some(task, stream, buffer + got, bytes - got);
        if (some < 0)
            return put_back(stream, buffer, got, some);
        got += (size_t)some;
    }
    return (ssize_t)bytes;
}

ssize_t uva_read_exactly(uva_stream_t *stream, void *buffer, size_t bytes) {
    uva__task_t *task;
    int code = begin_call(stream, "uva_read_exactly", bytes > 0 ? buffer : "",
                          bytes, &task);
    if (code < 0)
        return code;
    ssize_t result = read_all(task, stream, buffer, bytes);
    end_call(stream);
    return result;
}
