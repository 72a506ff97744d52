/*
 * What: a stream over a descriptor, in the few lines that it takes: lines,
 * limits and cancellation are the library's work (uvawait/custom_stream.h).
 */
#include "input.h"

#include <errno.h>
#include <unistd.h>

static ssize_t input_read(void *state, void *buffer, size_t bytes) {
    int code = uva_poll_fd(STDIN_FILENO, UV_READABLE, UVA_FOREVER);

    (void)state;
    if (code < 0)
        return code;
    ssize_t got = read(STDIN_FILENO, buffer, bytes);
    if (got < 0)
        return uv_translate_sys_error(errno);
    return got > 0 ? got : UV_EOF;
}

static ssize_t input_write(void *state, const uv_buf_t buffers[],
                           unsigned count) {
    (void)state;
    (void)buffers;
    (void)count;
    return UV_ENOTSUP;
}

int input_open(uva_stream_t **ret_stream) {
    static const uva_stream_ops_t ops = {.read = input_read,
                                         .write = input_write};

    return uva_stream_new(&ops, NULL, ret_stream);
}
