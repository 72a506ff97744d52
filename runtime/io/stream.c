/*
 * What: the life of a stream, whatever its kind; its two sides are in
 * stream_read.c and stream_write.c.
 *
 * How: the stream is memory of the library (docs/DESIGN.md, I7), and counted.
 * So it may be closed while tasks are in it: they are woken, and find it
 * closing.
 */
#include "stream.h"

#include <string.h>

#include "../loop.h"
#include "../task.h"

uva_stream_t *uva__stream_make(uva_runtime_t *rt,
                               const uva__stream_kind_t *kind) {
    uva_stream_t *stream = uva__take(&rt->pools, kind->bytes);
    if (stream == NULL)
        return NULL;
    memset(stream, 0, kind->bytes);
    stream->kind = kind;
    stream->runtime = rt;
    stream->refs = 1;
    return stream;
}

void uva__stream_free(uva_stream_t *stream) {
    if (stream->kind->drop != NULL)
        stream->kind->drop(stream);
    uva__inbox_drop(&stream->inbox);
    uva__give(&stream->runtime->pools, stream, stream->kind->bytes);
}

static void close_resource(uva__resource_t *resource) {
    uva_stream_close(UVA__OF(resource, uva_stream_t, resource));
}

void uva__stream_publish(uva_stream_t *stream, const char *site) {
    uva__open_resource(stream->runtime, &stream->resource, "stream", site,
                       close_resource);
}

void uva_stream_close(uva_stream_t *stream) {
    if (stream == NULL ||
        !uva__may_close(stream->runtime, "uva_stream_close", &stream->closing))
        return;
    uva__forget_resource(stream->runtime, &stream->resource);
    uva__stream_readable(stream, UV_ECANCELED);
    stream->kind->close(stream);
}

void uva_stream_abort(uva_stream_t *stream) {
    if (stream == NULL ||
        uva__must_be_ours(stream->runtime, "uva_stream_abort") < 0)
        return;
    if (stream->kind->abort != NULL)
        stream->kind->abort(stream);
    uva_stream_close(stream);
}
