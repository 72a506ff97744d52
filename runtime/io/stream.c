/*
 * What: the life of a stream; its two sides are in stream_read.c and
 * stream_write.c.
 *
 * How: the handle lies in the stream, and the stream is memory of the library
 * (docs/DESIGN.md, I7). It is counted: one for each handle that libuv has not
 * closed yet, one for each call that a task is inside of. So a stream may be
 * closed while tasks are in it: they are woken, and find it closing.
 *
 * The handles are unreferenced: what keeps the loop alive is the runtime, as
 * long as tasks live.
 */
#include "stream.h"

#include <unistd.h>

#include "../loop.h"
#include "../report.h"
#include "../task.h"

_Static_assert(sizeof(uva_stream_t) <= UVA__POOL_LINE * UVA__POOL_CLASSES,
               "a stream comes from a pool");

/* ---- memory ------------------------------------------------------------- */

static void unref(uva_stream_t *stream) {
    UVA__ASSERT(stream->refs > 0);
    if (--stream->refs > 0)
        return;
    free(stream->inbox.base);
    uva__give(&stream->runtime->pools, stream, sizeof *stream);
}

static void on_closed(uv_handle_t *handle) {
    uva_stream_t *stream = handle->data;
    uva_runtime_t *rt = stream->runtime;
    unref(stream);
    rt->handles--;
    uva__loop_released(rt);
}

static int init_handle(uva_stream_t *stream, uva__transport_t transport) {
    uv_loop_t *loop = stream->runtime->loop;
    if (transport == UVA__PIPE)
        return uv_pipe_init(loop, &stream->handle.pipe, 0);
    return uv_tcp_init(loop, &stream->handle.tcp);
}

int uva__stream_make(uva_runtime_t *rt, uva__transport_t transport,
                     uva_stream_t **ret_stream) {
    uva_stream_t *stream = uva__take(&rt->pools, sizeof *stream);
    if (stream == NULL)
        return UV_ENOMEM;
    *stream = (uva_stream_t){.runtime = rt, .refs = 1, .fd = -1};
    int code = init_handle(stream, transport);
    if (code < 0) {
        uva__give(&rt->pools, stream, sizeof *stream);
        return code;
    }
    rt->handles++;
    stream->handle.any.data = stream;
    uv_unref(&stream->handle.any);
    /* Without a socket this is a note for when there is one. */
    if (transport == UVA__TCP)
        code = uv_tcp_nodelay(&stream->handle.tcp, 1);
    if (code < 0) {
        uva_stream_close(stream);
        return code;
    }
    *ret_stream = stream;
    return 0;
}

static void close_resource(uva__resource_t *resource) {
    uva_stream_close(UVA__OF(resource, uva_stream_t, resource));
}

int uva__stream_open(uva_stream_t *stream, const char *site) {
    int code = uv_fileno(&stream->handle.any, &stream->fd);
    if (code < 0)
        return code;
    stream->resource.noun = "stream";
    stream->resource.site = site;
    stream->resource.close = close_resource;
    uva__list_push(&stream->runtime->resources, &stream->resource.link);
    return 0;
}

/* Gives the socket to the handle; on failure it is still the caller's. */
static int give_socket(uva_stream_t *stream, uva__transport_t transport,
                       int fd) {
    if (transport == UVA__PIPE)
        return uv_pipe_open(&stream->handle.pipe, fd);
    return uv_tcp_open(&stream->handle.tcp, fd);
}

int uva__stream_adopt(uva_runtime_t *rt, uva__transport_t transport, int fd,
                      const char *site, uva_stream_t **ret_stream) {
    uva_stream_t *stream;
    int code = uva__stream_make(rt, transport, &stream);
    if (code < 0) {
        (void)close(fd);
        return code;
    }
    code = give_socket(stream, transport, fd);
    if (code < 0)
        (void)close(fd);
    else
        code = uva__stream_open(stream, site);
    if (code < 0) {
        uva_stream_close(stream);
        return code;
    }
    *ret_stream = stream;
    return 0;
}

/* ---- calls -------------------------------------------------------------- */

int uva__must_be_ours(const uva_runtime_t *rt, const char *call) {
    if (UVA__LIKELY(rt == uva__thread_runtime))
        return 0;
    return uva__misuse(call, "called in another thread than that of its "
                             "runtime, which alone may touch it. Use "
                             "uva_post() or uva_call()");
}

int uva__stream_enter(uva_stream_t *stream, const char *call,
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

void uva__stream_leave(uva_stream_t *stream) {
    unref(stream);
}

void uva_stream_close(uva_stream_t *stream) {
    if (stream == NULL ||
        uva__must_be_ours(stream->runtime, "uva_stream_close") < 0)
        return;
    UVA__ASSERT(!stream->closing);
    stream->closing = true;
    if (stream->resource.close != NULL)
        uva__list_remove(&stream->runtime->resources, &stream->resource.link);
    uva__stream_close_reading(stream);
    uva__stream_close_writing(stream);
    uv_close(&stream->handle.any, on_closed);
}
