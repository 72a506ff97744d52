/**
 * Descriptors as streams: sockets (TCP, Unix), the ends of pipe(2), FIFOs,
 * terminals; so also what the program was started with:
 *
 *     uva_stream_t *in;
 *     char line[512];
 *     uva_stream_open_fd(STDIN_FILENO, &in);
 *     while (uva_readline(in, line, sizeof line) >= 0)
 *         ...
 *     uva_stream_close(in);
 *
 * Regular files are no streams, since the kernel does not tell when they can
 * be read without waiting: see uvawait/fs.h. A program whose standard input
 * may be one asks for UV_ENOTSUP.
 *
 * The end of a pipe goes one way: reading what is only written gives
 * UV_ENOTCONN, writing what is only read UV_EBADF, and uva_shutdown()
 * UV_ENOTSOCK (close it). A write to a pipe that nobody reads any more is
 * UV_EPIPE and raises no SIGPIPE.
 */
#ifndef UVAWAIT_OPEN_FD_H
#define UVAWAIT_OPEN_FD_H

#include "stream.h"

UVA_BEGIN_DECLS

/**
 * Makes a stream of a descriptor. It is made non-blocking, which other
 * processes and descriptors see that share the open file (a terminal is
 * opened anew instead, and laid over the descriptor).
 *
 * Context:  task or host callback, in the thread of the runtime
 * Parks:    never
 * Cancel:   –
 * Returns:  0; UV_ENOTSUP for a file, a directory, a device, a datagram socket;
 *           UV_EBADF; UV_EEXIST when this runtime's loop has it already;
 *           UV_ENOMEM, UV_EMFILE; UV_EINVAL; UV_EPERM without a runtime
 *           (reported); UV_ESHUTDOWN after its end
 * Owns:     on 0 takes fd: closing the stream closes it, but for the standard
 *           descriptors 0 to 2, which stay open; *ret_stream is new
 * Since:    0.1
 */
UVA_API int uva_stream_open_fd(int fd, uva_stream_t **ret_stream);

/* The function behind the macro below: site is UVA_SITE(...). */
UVA_API int uva_stream_open_fd_at(const char *site, int fd,
                                  uva_stream_t **ret_stream);

#define uva_stream_open_fd(...) \
    uva_stream_open_fd_at(UVA_SITE(#__VA_ARGS__), __VA_ARGS__)

UVA_END_DECLS

#endif
