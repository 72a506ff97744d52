/*
 * What: writing to a stream of any kind, and ending that side.
 *
 * A write that fails between its first and its last byte breaks the stream: the
 * peer has seen half of it, and nothing may follow.
 */
#include "stream.h"

#include <limits.h>

#include "../task.h"

static void skip_empty(uva__rest_t *rest) {
    while (rest->count > 0 && rest->offset == rest->buffers->len) {
        rest->buffers++;
        rest->count--;
        rest->offset = 0;
    }
}

void uva__rest_advance_some(uva__rest_t *rest, size_t bytes) {
    while (bytes > 0) {
        size_t left = rest->buffers->len - rest->offset;
        size_t step = bytes < left ? bytes : left;
        rest->offset += step;
        bytes -= step;
        skip_empty(rest);
    }
}

/* The sum of the buffers' sizes; UV_EINVAL when there is no such array. */
static ssize_t size_of(const uv_buf_t buffers[], unsigned count) {
    size_t total = 0;
    if (buffers == NULL && count > 0)
        return UV_EINVAL;
    for (unsigned i = 0; i < count; i++) {
        bool is_good = buffers[i].base != NULL || buffers[i].len == 0;
        if (!is_good || buffers[i].len > (size_t)SSIZE_MAX - total)
            return UV_EINVAL;
        total += buffers[i].len;
    }
    return (ssize_t)total;
}

/* The stream is the task's to write to; on 0 end() has to follow. */
static int begin(uva__task_t *task, uva_stream_t *stream) {
    if (stream->writing)
        return UV_EBUSY;
    if (stream->write_end != 0)
        return stream->write_end;
    stream->writing = true;
    int code = uva__spend(task);
    if (code == 0 && stream->closing)
        code = UV_ECANCELED;
    stream->writing = code == 0;
    return code;
}

static void end(uva_stream_t *stream, ssize_t code, size_t written) {
    stream->writing = false;
    if (code < 0 && written > 0)
        stream->write_end = UV_EPIPE;
}

int uva__write_begin(uva_stream_t *stream, const char *call,
                     uva__task_t **ret_task) {
    int code = uva__stream_enter(stream, call, ret_task);
    if (code < 0)
        return code;
    code = begin(*ret_task, stream);
    if (code < 0)
        uva__stream_unref(stream);
    return code;
}

ssize_t uva__write_end(uva_stream_t *stream, ssize_t code, size_t written) {
    end(stream, code, written);
    uva__stream_unref(stream);
    return code < 0 ? code : (ssize_t)written;
}

/* The rest is what is to be written, `total` bytes in all. */
static ssize_t write_in(uva__task_t *task, uva_stream_t *stream,
                        uva__rest_t *rest, ssize_t total) {
    int code = begin(task, stream);
    if (code < 0)
        return code;
    size_t written = 0;
    if (total > 0)
        code = stream->kind->write(task, stream, rest, &written);
    end(stream, code, written);
    return code < 0 ? code : total;
}

static ssize_t write_buffers(uva__task_t *task, uva_stream_t *stream,
                             const uv_buf_t buffers[], unsigned count) {
    ssize_t total = size_of(buffers, count);
    if (total < 0)
        return total;
    while (count > 0 && buffers[count - 1].len == 0)
        count--;
    uva__rest_t rest = {.buffers = buffers, .count = count};
    skip_empty(&rest);
    return write_in(task, stream, &rest, total);
}

ssize_t uva_writev(uva_stream_t *stream, const uv_buf_t buffers[],
                   unsigned count) {
    uva__task_t *task;
    int code = uva__stream_enter(stream, "uva_writev", &task);
    if (code < 0)
        return code;
    ssize_t result = write_buffers(task, stream, buffers, count);
    uva__stream_unref(stream);
    return result;
}

ssize_t uva_write(uva_stream_t *stream, const void *data, size_t bytes) {
    uva__task_t *task;
    int code = uva__stream_enter(stream, "uva_write", &task);
    if (code < 0)
        return code;
    uv_buf_t buffer = {.base = (char *)(uintptr_t)data, .len = bytes};
    uva__rest_t rest = {.buffers = &buffer, .count = bytes > 0};
    ssize_t result = UV_EINVAL;
    if (bytes <= SSIZE_MAX && (data != NULL || bytes == 0))
        result = write_in(task, stream, &rest, (ssize_t)bytes);
    uva__stream_unref(stream);
    return result;
}

int uva_shutdown(uva_stream_t *stream) {
    if (stream == NULL)
        return UV_EINVAL;
    int code = uva__must_be_ours(stream->runtime, "uva_shutdown");
    if (code < 0)
        return code;
    if (stream->writing)
        return UV_EBUSY;
    if (stream->shut)
        return 0;
    if (stream->write_end != 0)
        return stream->write_end;
    code = stream->kind->shutdown(stream);
    if (code < 0)
        return code;
    stream->shut = true;
    stream->write_end = UV_EPIPE;
    return 0;
}
