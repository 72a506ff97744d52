/*
 * Streams that are a socket or a pipe of the kernel's, behind a libuv handle.
 *
 * `reader` and `writer` are set only while such a task is parked. Whoever wakes
 * one takes it away first, and so does its cancel hook: so it is woken once.
 */
#ifndef UVA__IO_SOCKET_H
#define UVA__IO_SOCKET_H

#include "stream.h"

typedef struct uva__socket uva__socket_t;

/* See handle_passing.c. */
typedef struct uva__passing uva__passing_t;

/* A task parked until something can be read. */
typedef struct uva__reader {
    uva__waiter_t waiter;
    uva__socket_t *socket;
    char *buffer; /* the caller's; libuv reads straight into it */
    size_t bytes; /* 1 .. INT_MAX */
} uva__reader_t;

/* Tells when a full socket takes more; see socket_write.c. */
typedef struct uva__gate {
    uv_poll_t poll; /* its data is the socket */
    int fd;         /* a duplicate of the socket's, since libuv has one watcher
                       for a descriptor */
    bool watching;
} uva__gate_t;

struct uva__socket {
    uva_stream_t stream; /* must stay the first member */
    int fd;              /* OPEN */
    int failure; /* what a write found the connection failed with; the kernel
                    says so once, and afterwards only the end of file */
    bool armed;  /* uv_read_start() is in effect */
    bool plain;  /* found to be no socket: a pipe or a terminal */
    uva__reader_t *reader;
    uva__waiter_t *writer;
    uva__passing_t *passing; /* of one that streams may come over */
    uva__gate_t *gate; /* NULL until the socket was full for the first time */
    union {
        uv_handle_t any;
        uv_stream_t stream;
        uv_tcp_t tcp;
        uv_pipe_t pipe;
    } handle; /* its data is the socket; must stay the last member */
};

/* What every kind does that begins with a uva__socket_t. */
#define UVA__SOCKET_SIDES \
    .wait = uva__socket_wait, .read = uva__socket_read, \
    .settle = uva__socket_settle, .write = uva__socket_write, \
    .shutdown = uva__socket_shutdown, .abort = uva__socket_abort, \
    .look = uva__socket_look, .watch = uva__socket_watch, .is_outside = true

typedef enum { UVA__TCP, UVA__PIPE } uva__transport_t;

static inline uva__socket_t *uva__socket_of(uva_stream_t *stream) {
    return (uva__socket_t *)stream;
}

/* NULL when there is none behind the stream. */
uva__socket_t *uva__socket_behind(uva_stream_t *stream);

/* One with an initialised handle and no socket yet. 0, or a code. */
int uva__socket_make(uva_runtime_t *rt, uva__transport_t transport,
                     uva__socket_t **ret_socket);

/* The handle has its socket: the stream is the user's from now on. */
int uva__socket_open(uva__socket_t *socket, const char *site);

/* The socket's handle was initialised, if `code` is 0; else it goes. */
int uva__socket_own_handle(uva__socket_t *socket, int code);

void uva__socket_abort(uva_stream_t *stream);
void uva__socket_close(uva_stream_t *stream);

/* A stream for a connected socket or a pipe; on failure fd is still the
 * caller's. */
int uva__socket_try_adopt(uva_runtime_t *rt, uva__transport_t transport, int fd,
                          const char *site, uva_stream_t **ret_stream);

/* The same, and takes fd also on failure. */
int uva__socket_adopt(uva_runtime_t *rt, uva__transport_t transport, int fd,
                      const char *site, uva_stream_t **ret_stream);

/* ---- the two sides: socket_read.c, socket_write.c ----------------------- */

ssize_t uva__socket_wait(uva__task_t *task, uva_stream_t *stream, char *buffer,
                         size_t bytes);
ssize_t uva__socket_read(uva__task_t *task, uva_stream_t *stream, char *buffer,
                         size_t bytes);
void uva__socket_settle(uva_stream_t *stream);
int uva__socket_look(uva_stream_t *stream);
int uva__socket_watch(uva_stream_t *stream);
/* Nothing is read ahead any more, until the next read. */
void uva__socket_pause(uva__socket_t *socket);
void uva__socket_close_reading(uva__socket_t *socket);

int uva__socket_write(uva__task_t *task, uva_stream_t *stream,
                      uva__rest_t *rest, size_t *written);
int uva__socket_shutdown(uva_stream_t *stream);

/* For calls that write by other ways. The socket is full: waits until it takes
 * more; after the last wait of the call comes uva__socket_stop_waiting(). */
int uva__socket_wait_for_room(uva__task_t *task, uva__socket_t *socket);
void uva__socket_stop_waiting(uva__socket_t *socket);
/* A write failed so; returns the code. */
int uva__socket_failed(uva__socket_t *socket, int code);

void uva__socket_close_writing(uva__socket_t *socket);

#endif
