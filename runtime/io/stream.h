/*
 * Streams inside: a connected socket, a reading side, a writing side.
 *
 * A stream is OPEN from uva__stream_open() to uva_stream_close(), then CLOSING;
 * its memory goes when libuv has let go of its handles and no task is inside a
 * call on it. At most one task is on each side: `reading` and `writing` say so
 * for the whole call, `reader` and `writer` only while that task is parked.
 */
#ifndef UVA__IO_STREAM_H
#define UVA__IO_STREAM_H

#include "../park.h"
#include "../runtime.h"
#include "uvawait/stream.h"

/* Bytes that have arrived and that nobody has read: base[start .. end). */
typedef struct uva__inbox {
    char *base; /* NULL while nothing had to be kept */
    size_t start;
    size_t end;
    size_t capacity;
} uva__inbox_t;

/* A task parked until something can be read. */
typedef struct uva__reader {
    uva__waiter_t waiter;
    uva_stream_t *stream;
    char *buffer; /* the caller's; libuv reads straight into it */
    size_t bytes; /* 1 .. INT_MAX */
} uva__reader_t;

/* Tells when a full socket takes more; see stream_write.c. */
typedef struct uva__gate {
    uv_poll_t poll; /* its data is the stream */
    int fd;         /* a duplicate of the stream's, since libuv has one watcher
                       for a descriptor */
    bool watching;
} uva__gate_t;

struct uva_stream {
    uva_runtime_t *runtime;
    uint32_t refs; /* handles not yet closed + calls inside */
    int fd;        /* OPEN */
    bool closing;

    bool reading; /* a task is in a reading call */
    bool armed;   /* uv_read_start() is in effect */
    int read_end; /* UV_EOF or the error behind the last byte; 0: none yet */
    uva__reader_t *reader;
    uva__inbox_t inbox;

    bool writing;  /* a task is in a writing call */
    bool shut;     /* the writing side has been ended */
    int write_end; /* why no more is written; 0: it is */
    int failure;   /* what a write found the connection failed with; the kernel
                      says so once, and afterwards only the end of file */
    uva__waiter_t *writer;
    uva__gate_t *gate; /* NULL until the socket was full for the first time */

    uva__resource_t resource; /* linked while OPEN */
    union {
        uv_handle_t any;
        uv_stream_t stream;
        uv_tcp_t tcp;
        uv_pipe_t pipe;
    } handle; /* its data is the stream */
};

typedef enum { UVA__TCP, UVA__PIPE } uva__transport_t;

/* A stream with an initialised handle and no socket yet. 0, or a code. */
int uva__stream_make(uva_runtime_t *rt, uva__transport_t transport,
                     uva_stream_t **ret_stream);

/* The handle has its socket: the stream is the user's from now on. */
int uva__stream_open(uva_stream_t *stream, const char *site);

/* A stream for a connected socket. Takes fd, also on failure. */
int uva__stream_adopt(uva_runtime_t *rt, uva__transport_t transport, int fd,
                      const char *site, uva_stream_t **ret_stream);

/* Begins a call on a stream in a task: the stream's memory stays until
 * uva__stream_leave(). 0, UV_EPERM (reported) or UV_EINVAL. */
int uva__stream_enter(uva_stream_t *stream, const char *call,
                      uva__task_t **ret_task);
void uva__stream_leave(uva_stream_t *stream);

/* UV_EPERM (reported) when rt is not the runtime of this thread. */
int uva__must_be_ours(const uva_runtime_t *rt, const char *call);

/* Closing: wakes who is parked on a side, and lets go of what it has. */
void uva__stream_close_reading(uva_stream_t *stream);
void uva__stream_close_writing(uva_stream_t *stream);

#endif
