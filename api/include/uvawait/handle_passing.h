/**
 * Streams handed to another process, over a Unix socket between the two.
 *
 *     uva_accept(listener, &connection);      // in the one
 *     uva_pipe_send_stream(pipe, connection);
 *     uva_stream_close(connection);
 *
 *     uva_pipe_receive_stream(pipe, &connection); // in the other
 *
 * A stream travels with one byte, which both calls keep to themselves, and
 * comes behind what was written before it. Bytes behind it are read only once
 * it was received; until then a reader waits. So a protocol of lines and
 * streams is read in its order, by one task or by two.
 *
 * Other programs can take part: one byte with one SCM_RIGHTS descriptor is a
 * stream, whatever the byte; the last byte of a message that brings descriptors
 * is never data. Of those, 16 are taken, and the others closed.
 */
#ifndef UVAWAIT_HANDLE_PASSING_H
#define UVAWAIT_HANDLE_PASSING_H

#include "stream.h"

UVA_BEGIN_DECLS

/**
 * Says that streams may come over a Unix socket. Needed before the peer may
 * send the first, if anything is read from the pipe before: what comes without
 * is lost, and its byte taken for data. uva_pipe_receive_stream() says it by
 * itself. From then on the pipe is not read ahead, and uva_select() cannot
 * watch it (UV_ENOTSUP).
 *
 * Context:  the thread of the runtime
 * Parks:    never
 * Cancel:   –
 * Returns:  0, also the second time; UV_ENOTSUP for what is no Unix socket;
 *           UV_EBUSY while a task reads; UV_ENOMEM, UV_EMFILE (it takes a
 *           descriptor); UV_EINVAL; UV_EPERM in another thread (reported)
 * Owns:     pipe borrowed
 * Since:    0.1
 */
UVA_API int uva_pipe_expect_streams(uva_stream_t *pipe);

/**
 * Sends a stream: a socket, a pipe, a terminal. It is ours as well until it is
 * closed, and from now on should be used by one side alone. What was read ahead
 * cannot be sent, so read it before; better, send what nobody has read from.
 *
 * Context:  task
 * Parks:    while the pipe takes no more
 * Cancel:   UV_ECANCELED; nothing was sent, the pipe stays usable
 * Returns:  0; UV_ECANCELED, also when one of the two is closed meanwhile;
 *           UV_EBUSY when another task writes to the pipe, when a task reads or
 *           writes the stream, and when it holds bytes that nobody has read;
 *           UV_ENOTSUP for a pipe that is no Unix socket, and for a stream in
 *           memory or of the user's own; UV_EPIPE, UV_ECONNRESET when the peer
 *           is gone; UV_ENOMEM, UV_EMFILE when it cannot wait; UV_EPERM;
 *           UV_EINVAL
 * Owns:     both borrowed until return
 * Since:    0.1
 */
UVA_API UVA_PARKS int uva_pipe_send_stream(uva_stream_t *pipe,
                                           uva_stream_t *stream);

/**
 * Waits for the next stream. Bytes that come before it stay to be read; it
 * passes 64 KiB of them, then it waits until they are.
 *
 * Context:  task
 * Parks:    unless one is there
 * Cancel:   UV_ECANCELED; the stream stays to be received
 * Returns:  0; UV_EOF at the end; UV_ECANCELED, also when the pipe is closed
 *           meanwhile; UV_EBUSY when another task receives (or, the first time,
 *           reads); UV_EMFILE when there was no descriptor for it, UV_ENOTSUP
 *           when what came is no stream, UV_ENOMEM: it is lost; as
 *           uva_pipe_expect_streams(); UV_ECONNRESET ...
 * Owns:     pipe borrowed until return; *ret_stream is new
 * Since:    0.1
 */
UVA_API UVA_PARKS int uva_pipe_receive_stream(uva_stream_t *pipe,
                                              uva_stream_t **ret_stream);

/* The function behind the macro below: site is UVA_SITE(...). */
UVA_API UVA_PARKS int uva_pipe_receive_stream_at(const char *site,
                                                 uva_stream_t *pipe,
                                                 uva_stream_t **ret_stream);

#define uva_pipe_receive_stream(...) \
    uva_pipe_receive_stream_at(UVA_SITE(#__VA_ARGS__), __VA_ARGS__)

UVA_END_DECLS

#endif
