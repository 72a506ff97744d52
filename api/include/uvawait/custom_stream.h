/**
 * Streams of your own: TLS over another stream, compression, a recorder. What
 * is made here is read, written and closed like any other stream; that there
 * is one task a side, the lines, the delimiters, and the memory are the
 * library's work.
 */
#ifndef UVAWAIT_CUSTOM_STREAM_H
#define UVAWAIT_CUSTOM_STREAM_H

#include "stream.h"

UVA_BEGIN_DECLS

/* What a stream does. All are called in the thread of the runtime; read and
 * write in tasks, and they may park. A number of bytes that cannot be is
 * reported, and the caller gets UV_EPERM. */
typedef struct uva_stream_ops {
    /* Brings 1 .. bytes bytes, or a code: UV_EOF at the end, which is not asked
     * again behind it; UV_ECANCELED when it was cut, with nothing taken. */
    ssize_t (*read)(void *state, void *buffer, size_t bytes);
    /* Takes bytes from the front of the buffers, which hold at least one, and
     * returns how many, at least one; or a code, and has taken none. */
    ssize_t (*write)(void *state, const uv_buf_t buffers[], unsigned count);
    /* Ends the writing side: 0 or a code. Does not park. NULL: UV_ENOTSUP. */
    int (*shutdown)(void *state);
    /* No call begins any more; who is parked in read or write must return
     * soon, with any code. Does not park. May be NULL. */
    void (*close)(void *state);
    /* No call is under way any more: frees state. May be NULL. */
    void (*free)(void *state);
} uva_stream_ops_t;

/**
 * Makes a stream.
 *
 * Context:  task or host callback, in the thread of the runtime
 * Parks:    never
 * Cancel:   –
 * Returns:  0; UV_EINVAL without read, write or ret_stream; UV_ENOMEM; UV_EPERM
 *           without a runtime (reported); UV_ESHUTDOWN after its end
 * Owns:     ops must stay as long as the stream; on 0 state is the stream's,
 *           which gives it to ops->free; *ret_stream is new
 * Since:    0.1
 */
UVA_API int uva_stream_new(const uva_stream_ops_t *ops, void *state,
                           uva_stream_t **ret_stream);

/* The function behind the macro below: site is UVA_SITE(...). */
UVA_API int uva_stream_new_at(const char *site, const uva_stream_ops_t *ops,
                              void *state, uva_stream_t **ret_stream);

#define uva_stream_new(...) \
    uva_stream_new_at(UVA_SITE(#__VA_ARGS__), __VA_ARGS__)

UVA_END_DECLS

#endif
