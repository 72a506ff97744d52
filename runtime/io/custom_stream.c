/*
 * What: streams whose bytes come from functions of the user's.
 */
#include "uvawait/custom_stream.h"

#include "../report.h"
#include "../task.h"
#include "stream.h"

typedef struct custom {
    uva_stream_t stream; /* must stay the first member */
    const uva_stream_ops_t *ops;
    void *state;
} custom_t;

/* Taken for an answer it would make us ask for ever, or go on behind the end
 * of the memory. */
static int said_nonsense(const char *op, ssize_t count) {
    return uva__misuse("uva_stream_new",
                       "the %s of a stream's operations returned %zd bytes, "
                       "but must return at least 1 and at most as many as it "
                       "was given; UV_EOF is the end",
                       op, count);
}

static ssize_t wait_for_bytes(uva__task_t *task, uva_stream_t *stream,
                              char *buffer, size_t bytes) {
    const custom_t *custom = (const custom_t *)stream;
    int code = uva__spend(task);
    if (code == 0 && stream->closing)
        code = UV_ECANCELED;
    if (code < 0)
        return code;
    ssize_t got = custom->ops->read(custom->state, buffer, bytes);
    if (got == UV_EOF)
        stream->read_end = UV_EOF;
    if (got == 0 || (got > 0 && (size_t)got > bytes))
        return said_nonsense("read", got);
    return got;
}

static size_t left_of(const uva__rest_t *rest) {
    size_t left = 0;
    for (unsigned i = 0; i < rest->count; i++)
        left += rest->buffers[i].len;
    return left - rest->offset;
}

static int write_all(uva__task_t *task, uva_stream_t *stream, uva__rest_t *rest,
                     size_t *written) {
    const custom_t *custom = (const custom_t *)stream;
    (void)task;
    while (rest->count > 0) {
        if (stream->closing)
            return UV_ECANCELED;
        uv_buf_t first = {.base = rest->buffers->base + rest->offset,
                          .len = rest->buffers->len - rest->offset};
        bool is_begun = rest->offset > 0;
        ssize_t some =
            custom->ops->write(custom->state, is_begun ? &first : rest->buffers,
                               is_begun ? 1 : rest->count);
        if (some < 0)
            return (int)some;
        if (some == 0 || (size_t)some > left_of(rest))
            return said_nonsense("write", some);
        *written += (size_t)some;
        uva__rest_advance(rest, (size_t)some);
    }
    return 0;
}

static void settle(uva_stream_t *stream) {
    (void)stream;
}

static int end_writing(uva_stream_t *stream) {
    const custom_t *custom = (const custom_t *)stream;
    if (custom->ops->shutdown == NULL)
        return UV_ENOTSUP;
    return custom->ops->shutdown(custom->state);
}

static void close_custom(uva_stream_t *stream) {
    const custom_t *custom = (const custom_t *)stream;
    if (custom->ops->close != NULL)
        custom->ops->close(custom->state);
    uva__stream_unref(stream);
}

static void drop(uva_stream_t *stream) {
    const custom_t *custom = (const custom_t *)stream;
    if (custom->ops->free != NULL)
        custom->ops->free(custom->state);
}

static const uva__stream_kind_t custom_kind = {.bytes = sizeof(custom_t),
                                               .wait = wait_for_bytes,
                                               .settle = settle,
                                               .write = write_all,
                                               .shutdown = end_writing,
                                               .close = close_custom,
                                               .drop = drop};

int uva_stream_new_at(const char *site, const uva_stream_ops_t *ops,
                      void *state, uva_stream_t **ret_stream) {
    int code;
    uva_runtime_t *rt = uva__open_runtime("uva_stream_new", &code);
    if (rt == NULL)
        return code;
    if (ops == NULL || ops->read == NULL || ops->write == NULL ||
        ret_stream == NULL)
        return UV_EINVAL;
    custom_t *custom = (custom_t *)uva__stream_make(rt, &custom_kind);
    if (custom == NULL)
        return UV_ENOMEM;
    custom->ops = ops;
    custom->state = state;
    uva__stream_publish(&custom->stream, site);
    *ret_stream = &custom->stream;
    return 0;
}

int(uva_stream_new)(const uva_stream_ops_t *ops, void *state,
                    uva_stream_t **ret_stream) {
    return uva_stream_new_at(NULL, ops, state, ret_stream);
}
