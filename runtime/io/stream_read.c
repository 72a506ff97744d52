/*
 * What: reading from a stream of any kind.
 *
 * How: what the inbox holds comes first; then the kind waits for more, straight
 * into the caller's buffer. What a call took too much of, or in vain, it puts
 * back: nothing has arrived behind it, since a kind keeps nothing while a task
 * is reading.
 */
#include "stream.h"

#include <limits.h>
#include <stdlib.h>
#include <string.h>

#include "../task.h"

static size_t held(const uva_stream_t *stream) {
    return uva__inbox_held(&stream->inbox);
}

static void settle(uva_stream_t *stream) {
    if (!stream->closing)
        stream->kind->settle(stream);
}

/* What is there: 1 .. bytes, or a code. */
static ssize_t take_held(uva__task_t *task, uva_stream_t *stream, char *buffer,
                         size_t bytes) {
    int code = uva__spend(task);
    if (code < 0)
        return code;
    if (stream->closing)
        return UV_ECANCELED;
    if (held(stream) == 0)
        return stream->read_end;
    ssize_t taken = (ssize_t)uva__inbox_take(&stream->inbox, buffer, bytes);
    settle(stream);
    return taken;
}

/* Nothing is there, and it is not the end. */
static inline bool must_wait(const uva_stream_t *stream) {
    return held(stream) == 0 && stream->read_end == 0 && !stream->closing;
}

/* The same, or what comes next. */
static inline ssize_t read_some(uva__task_t *task, uva_stream_t *stream,
                                char *buffer, size_t bytes) {
    if (stream->closing) /* between two parks of one call */
        return UV_ECANCELED;
    if (UVA__LIKELY(must_wait(stream)))
        return stream->kind->wait(task, stream, buffer, bytes);
    return take_held(task, stream, buffer, bytes);
}

/* Puts back what a read has taken; `code`, or UV_ENOMEM. */
static ssize_t put_back(uva_stream_t *stream, const char *data, size_t bytes,
                        ssize_t code) {
    if (bytes == 0 || stream->closing)
        return code;
    /* Of what was asked for some is lost: nobody may go on behind it. */
    if (!uva__inbox_keep(&stream->inbox, data, bytes))
        code = stream->read_end = UV_ENOMEM;
    settle(stream);
    return code;
}

/* What a read that failed had taken stays readable, unless the connection has
 * failed. */
static ssize_t give_up(uva_stream_t *stream, const char *data, size_t bytes,
                       ssize_t code) {
    bool failed = stream->read_end != 0 && stream->read_end != UV_EOF;
    return put_back(stream, data, failed ? 0 : bytes, code);
}

/* ---- calls -------------------------------------------------------------- */

/* Begins a reading call; on 0 uva__read_end() has to follow. */
static inline int begin_call(uva_stream_t *stream, const char *call,
                             const void *buffer, size_t bytes,
                             uva__task_t **ret_task) {
    int code = uva__stream_enter(stream, call, ret_task);
    if (code < 0)
        return code;
    if ((buffer == NULL && bytes > 0) || bytes > SSIZE_MAX)
        code = UV_EINVAL;
    else if (stream->reading)
        code = UV_EBUSY;
    if (code < 0)
        uva__stream_unref(stream);
    else
        stream->reading = true;
    return code;
}

ssize_t uva_read(uva_stream_t *stream, void *buffer, size_t bytes) {
    uva__task_t *task;
    int code = begin_call(stream, "uva_read", buffer, bytes, &task);
    if (code < 0)
        return code;
    /* A jump, so one frame less on the way back: see uva__park(). */
    if (UVA__LIKELY(must_wait(stream) && bytes > 0 &&
                    stream->kind->read != NULL))
        return stream->kind->read(task, stream, buffer, bytes);
    return uva__read_end(
        stream, bytes > 0 ? read_some(task, stream, buffer, bytes) : 0);
}

/* ---- so many bytes ------------------------------------------------------ */

static ssize_t read_all(uva__task_t *task, uva_stream_t *stream, char *buffer,
                        size_t bytes) {
    size_t got = 0;
    while (got < bytes) {
        ssize_t some = read_some(task, stream, buffer + got, bytes - got);
        if (some < 0)
            return give_up(stream, buffer, got, some);
        got += (size_t)some;
    }
    return (ssize_t)bytes;
}

ssize_t uva_read_exactly(uva_stream_t *stream, void *buffer, size_t bytes) {
    uva__task_t *task;
    int code = begin_call(stream, "uva_read_exactly", buffer, bytes, &task);
    if (code < 0)
        return code;
    return uva__read_end(stream, read_all(task, stream, buffer, bytes));
}

/* Bytes that are already held are looked at where they are. */
static ssize_t peek(uva__task_t *task, uva_stream_t *stream, char *buffer,
                    size_t bytes) {
    uva__inbox_t *inbox = &stream->inbox;
    if (bytes == 0)
        return 0;
    if (uva__inbox_held(inbox) >= bytes && !stream->closing) {
        memcpy(buffer, inbox->base + inbox->start, bytes);
        return (ssize_t)bytes;
    }
    ssize_t got = read_all(task, stream, buffer, bytes);
    if (got < 0)
        return got;
    if (held(stream) == 0)
        return put_back(stream, buffer, bytes, got);
    return got;
}

ssize_t uva_peek(uva_stream_t *stream, void *buffer, size_t bytes) {
    uva__task_t *task;
    int code = begin_call(stream, "uva_peek", buffer, bytes, &task);
    if (code < 0)
        return code;
    return uva__read_end(stream, peek(task, stream, buffer, bytes));
}

/* ---- up to a delimiter -------------------------------------------------- */

typedef struct delimiter {
    const void *bytes;
    size_t count; /* at least 1 */
} delimiter_t;

/* Where in the buffer the delimiter ends; 0: it is not there. Looked for from
 * where it can have begun before the last read. */
static size_t find(const char *buffer, size_t old, size_t bytes,
                   delimiter_t delimiter) {
    size_t from = old >= delimiter.count ? old - delimiter.count + 1 : 0;
    const char *found =
        memmem(buffer + from, bytes - from, delimiter.bytes, delimiter.count);
    return found != NULL ? (size_t)(found - buffer) + delimiter.count : 0;
}

/* The inbox is looked through where it is, so that many short lines in it cost
 * no copying back and forth. */
static ssize_t read_until(uva__task_t *task, uva_stream_t *stream,
                          delimiter_t delimiter, char *buffer,
                          size_t capacity) {
    size_t whole = uva__inbox_find(&stream->inbox, delimiter.bytes,
                                   delimiter.count, capacity);
    if (whole > 0)
        return read_some(task, stream, buffer, whole);
    if (held(stream) >= capacity)
        return UV_ENOBUFS;
    size_t got = 0;
    while (got < capacity) {
        ssize_t some = read_some(task, stream, buffer + got, capacity - got);
        if (some < 0)
            return give_up(stream, buffer, got, some);
        size_t old = got;
        got += (size_t)some;
        whole = find(buffer, old, got, delimiter);
        if (whole > 0)
            return put_back(stream, buffer + whole, got - whole,
                            (ssize_t)whole);
    }
    return give_up(stream, buffer, got, UV_ENOBUFS);
}

ssize_t uva_read_until_mem(uva_stream_t *stream, const void *delimiter,
                           size_t delimiter_bytes, void *buffer,
                           size_t capacity) {
    uva__task_t *task;
    int code =
        begin_call(stream, "uva_read_until_mem", buffer, capacity, &task);
    if (code < 0)
        return code;
    if (delimiter == NULL || delimiter_bytes == 0)
        return uva__read_end(stream, UV_EINVAL);
    delimiter_t what = {.bytes = delimiter, .count = delimiter_bytes};
    return uva__read_end(stream,
                         read_until(task, stream, what, buffer, capacity));
}

ssize_t uva_read_until(uva_stream_t *stream, char delimiter, void *buffer,
                       size_t capacity) {
    return uva_read_until_mem(stream, &delimiter, 1, buffer, capacity);
}

/* Ends the text in place of its "\n" or "\r\n"; its length. */
static ssize_t chomp(char *line, ssize_t bytes) {
    if (bytes > 0 && line[bytes - 1] == '\n')
        bytes--;
    if (bytes > 0 && line[bytes - 1] == '\r')
        bytes--;
    line[bytes] = '\0';
    return bytes;
}

static ssize_t read_line(uva__task_t *task, uva_stream_t *stream, char *buffer,
                         size_t capacity) {
    delimiter_t newline = {.bytes = "\n", .count = 1};
    ssize_t bytes = read_until(task, stream, newline, buffer, capacity);
    /* The last line may have no end of its own. */
    if (bytes == UV_EOF && held(stream) > 0)
        bytes = (ssize_t)uva__inbox_take(&stream->inbox, buffer, capacity - 1);
    return bytes > 0 ? chomp(buffer, bytes) : bytes;
}

ssize_t uva_readline(uva_stream_t *stream, char *buffer, size_t capacity) {
    uva__task_t *task;
    int code = begin_call(stream, "uva_readline", buffer, capacity, &task);
    if (code < 0)
        return code;
    return uva__read_end(stream, capacity > 0
                                     ? read_line(task, stream, buffer, capacity)
                                     : UV_EINVAL);
}

/* ---- to the end --------------------------------------------------------- */

enum { FIRST_ROOM = 4096 };

typedef struct whole {
    char *data;
    size_t bytes;
    size_t room; /* one more than the limit at the most, by which to see that
                    there is more */
} whole_t;

static bool make_room(whole_t *whole, size_t limit) {
    size_t room = whole->room < FIRST_ROOM ? FIRST_ROOM : 2 * whole->room;
    if (room > limit)
        room = limit + 1;
    char *data = realloc(whole->data, room);
    if (data == NULL)
        return false;
    whole->data = data;
    whole->room = room;
    return true;
}

static ssize_t read_whole(uva__task_t *task, uva_stream_t *stream, size_t limit,
                          whole_t *whole) {
    for (;;) {
        ssize_t some = UV_ENOMEM;
        if (whole->bytes < whole->room || make_room(whole, limit))
            some = read_some(task, stream, whole->data + whole->bytes,
                             whole->room - whole->bytes);
        if (some == UV_EOF)
            return 0;
        if (some < 0)
            return give_up(stream, whole->data, whole->bytes, some);
        whole->bytes += (size_t)some;
        if (whole->bytes > limit)
            return give_up(stream, whole->data, whole->bytes, UV_ENOBUFS);
    }
}

int uva_read_all(uva_stream_t *stream, size_t limit, char **ret_data,
                 size_t *ret_bytes) {
    uva__task_t *task;
    int code = begin_call(stream, "uva_read_all", "", 0, &task);
    if (code < 0)
        return code;
    if (ret_data == NULL)
        return (int)uva__read_end(stream, UV_EINVAL);
    if (limit >= SSIZE_MAX)
        limit = SSIZE_MAX - 1;
    whole_t whole = {0};
    code = (int)uva__read_end(stream, read_whole(task, stream, limit, &whole));
    if (code < 0) {
        free(whole.data);
        return code;
    }
    whole.data[whole.bytes] = '\0';
    *ret_data = whole.data;
    if (ret_bytes != NULL)
        *ret_bytes = whole.bytes;
    return 0;
}
