/*
 * Waiting until a stream becomes readable, without reading: for select.
 *
 * Readable is what a read would not wait for: bytes, the end, an error. A
 * stream has at most one watcher, which counts as its reader, so nobody else
 * reads meanwhile.
 */
#ifndef UVA__IO_READABLE_H
#define UVA__IO_READABLE_H

#include "uvawait/stream.h"

typedef struct uva__readable {
    /* Called once, by when it no longer watches: 0, or what a read would
     * return. May wake a task, runs no user code. */
    void (*fire)(struct uva__readable *readable, int code);
} uva__readable_t;

/* Whether `call` may look at the stream: 0, or UV_EPERM (reported). */
int uva__readable_check(const uva_stream_t *stream, const char *call);

/* The memory of the stream stays until it is let go. */
void uva__readable_hold(uva_stream_t *stream);
void uva__readable_let_go(uva_stream_t *stream);

/* 0: there is something to read; UV_EAGAIN: a read would wait; or what it would
 * return. What has not been read from yet is read into memory from now on. */
int uva__readable_now(uva_stream_t *stream);

/* Watches a stream that is not readable. 0, or what a read would return. */
int uva__readable_watch(uva_stream_t *stream, uva__readable_t *readable);

/* Stops watching, if it has not fired. */
void uva__readable_unwatch(uva_stream_t *stream);

/* After a watch that succeeded, in the task: others may read again. */
void uva__readable_over(uva_stream_t *stream);

/* Whether only libuv can make it readable. */
bool uva__readable_is_outside(const uva_stream_t *stream);

#endif
