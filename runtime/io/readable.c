/*
 * What: watching streams for something to read.
 *
 * How: while a stream is watched, what arrives is kept in its inbox, as if
 * nobody read it. The watcher holds the reading side from the watch until its
 * task has run (uva__readable_over()), so what it was told is still true then.
 */
#include "readable.h"

#include "stream.h"

int uva__readable_check(const uva_stream_t *stream, const char *call) {
    return uva__must_be_ours(stream->runtime, call);
}

void uva__readable_hold(uva_stream_t *stream) {
    stream->refs++;
}

void uva__readable_let_go(uva_stream_t *stream) {
    uva__stream_unref(stream);
}

int uva__readable_now(uva_stream_t *stream) {
    if (stream->closing)
        return UV_ECANCELED;
    if (stream->reading)
        return UV_EBUSY;
    if (uva__inbox_held(&stream->inbox) > 0)
        return 0;
    if (stream->read_end != 0)
        return stream->read_end;
    if (stream->kind->watch == NULL)
        return UV_ENOTSUP;
    return stream->kind->look(stream);
}

int uva__readable_watch(uva_stream_t *stream, uva__readable_t *readable) {
    int code = stream->kind->watch(stream);
    if (code < 0)
        return code;
    stream->reading = true;
    stream->readable = readable;
    return 0;
}

void uva__readable_unwatch(uva_stream_t *stream) {
    if (stream->readable == NULL)
        return;
    stream->readable = NULL;
    if (stream->kind->unwatch != NULL)
        stream->kind->unwatch(stream);
}

void uva__stream_readable(uva_stream_t *stream, int code) {
    uva__readable_t *readable = stream->readable;
    if (readable == NULL)
        return;
    uva__readable_unwatch(stream);
    readable->fire(readable, code);
}

void uva__readable_over(uva_stream_t *stream) {
    stream->reading = false;
}

bool uva__readable_is_outside(const uva_stream_t *stream) {
    return stream->kind->is_outside;
}
