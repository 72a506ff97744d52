/*
 * Streams inside: what all kinds have in common. A kind brings bytes, takes
 * bytes, and ends; it knows nothing of delimiters, of who may read when, or of
 * the memory.
 *
 * A stream is OPEN from uva__stream_publish() to uva_stream_close(), then
 * CLOSING; its memory goes when nothing refers to it: no handle of libuv's, no
 * task inside a call on it. At most one task is on each side: `reading` and
 * `writing` say so for the whole call.
 */
#ifndef UVA__IO_STREAM_H
#define UVA__IO_STREAM_H

#include "../runtime.h"
#include "../task.h"
#include "inbox.h"
#include "open.h"
#include "readable.h"
#include "uvawait/stream.h"

/* What is left to write. */
typedef struct uva__rest {
    const uv_buf_t *buffers;
    unsigned count;
    size_t offset; /* in the first of them, which has something left */
} uva__rest_t;

typedef struct uva__stream_kind {
    size_t bytes; /* of the whole object */
    /* Nothing is held and the end has not come: waits for bytes, straight into
     * buffer; 1 .. bytes, or a code. */
    ssize_t (*wait)(uva__task_t *task, uva_stream_t *stream, char *buffer,
                    size_t bytes);
    /* The same, and then uva__read_end(): the way of a plain uva_read(). NULL:
     * by `wait`. */
    ssize_t (*read)(uva__task_t *task, uva_stream_t *stream, char *buffer,
                    size_t bytes);
    /* The inbox or the end has changed outside of the kind. */
    void (*settle)(uva_stream_t *stream);
    /* Writes all that is left; 0 or a code, and in *written how many. */
    int (*write)(uva__task_t *task, uva_stream_t *stream, uva__rest_t *rest,
                 size_t *written);
    int (*shutdown)(uva_stream_t *stream);
    /* Before the close: the peer shall find the connection reset. May be
     * NULL. */
    void (*abort)(uva_stream_t *stream);
    /* Wakes with UV_ECANCELED who is parked in it, and lets go. */
    void (*close)(uva_stream_t *stream);
    /* The memory is about to go. May be NULL. */
    void (*drop)(uva_stream_t *stream);
    /* Nothing is held and the end has not come: whether `wait` would find
     * something, 0 or the code; UV_EAGAIN: it would wait. `watch` makes
     * uva__stream_readable() be called when that changes; 0 or a code.
     * `unwatch` may be NULL; all three are where a kind cannot tell. */
    int (*look)(uva_stream_t *stream);
    int (*watch)(uva_stream_t *stream);
    void (*unwatch)(uva_stream_t *stream);
    bool is_outside; /* bytes come from libuv alone */
} uva__stream_kind_t;

struct uva_stream {
    const uva__stream_kind_t *kind;
    uva_runtime_t *runtime;
    uint32_t refs; /* handles not yet closed + calls inside + the kind's own */
    bool closing;
    bool reading;  /* a task is in a reading call, or watches */
    bool writing;  /* a task is in a writing call */
    bool shut;     /* the writing side has been ended */
    int read_end;  /* UV_EOF or the error behind the last byte; 0: none yet */
    int write_end; /* why no more is written; 0: it is */
    uva__inbox_t inbox;
    uva__readable_t *readable; /* who watches; NULL: nobody */
    uva__resource_t resource;  /* linked while OPEN */
};

/* A stream of a kind with one reference, cleared; NULL without memory. */
uva_stream_t *uva__stream_make(uva_runtime_t *rt,
                               const uva__stream_kind_t *kind);

/* The stream is the user's from now on. */
void uva__stream_publish(uva_stream_t *stream, const char *site);

/* Begins a call on a stream in a task: the stream's memory stays until
 * uva__stream_unref(). 0, UV_EPERM (reported) or UV_EINVAL. */
static inline int uva__stream_enter(uva_stream_t *stream, const char *call,
                                    uva__task_t **ret_task) {
    uva__task_t *task = uva__running(call);
    if (task == NULL)
        return UV_EPERM;
    if (stream == NULL)
        return UV_EINVAL;
    int code = uva__must_be_ours(stream->runtime, call);
    if (code < 0)
        return code;
    stream->refs++;
    *ret_task = task;
    return 0;
}

/* The last reference is gone. */
void uva__stream_free(uva_stream_t *stream);

static inline void uva__stream_unref(uva_stream_t *stream) {
    UVA__ASSERT(stream->refs > 0);
    if (--stream->refs == 0)
        uva__stream_free(stream);
}

/* Ends a reading call; returns its result. */
static inline ssize_t uva__read_end(uva_stream_t *stream, ssize_t result) {
    stream->reading = false;
    uva__stream_unref(stream);
    return result;
}

/* Begins a writing call that is none of stream_write.c's: 0, and then
 * uva__write_end() has to follow; or a code. */
int uva__write_begin(uva_stream_t *stream, const char *call,
                     uva__task_t **ret_task);

/* Ends it, with 0 or a code, and how many bytes were written; returns the code,
 * or the number. */
ssize_t uva__write_end(uva_stream_t *stream, ssize_t code, size_t written);

/* Something can be read: 0, or the code that a read would get. Tells who
 * watches, if somebody does. */
void uva__stream_readable(uva_stream_t *stream, int code);

/* So many bytes of the rest are written; fewer than all of it. */
void uva__rest_advance_some(uva__rest_t *rest, size_t bytes);

/* So many bytes of the rest are written. */
static inline void uva__rest_advance(uva__rest_t *rest, size_t bytes) {
    if (UVA__LIKELY(rest->count == 1 &&
                    bytes == rest->buffers->len - rest->offset))
        *rest = (uva__rest_t){.buffers = rest->buffers + 1};
    else
        uva__rest_advance_some(rest, bytes);
}

#endif
