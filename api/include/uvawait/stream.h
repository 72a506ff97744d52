/**
 * Streams: TCP and local sockets as straight-line code.
 *
 * A stream is read by one task and written by one task at a time; a second one
 * in the same direction gets UV_EBUSY. A write to a peer that is gone is an
 * error code, never SIGPIPE. TCP_NODELAY is on: what is written is sent at
 * once, so write a message with one call.
 *
 * A stream or listener that is still open when its runtime ends is reported,
 * with the place where it was opened, and closed.
 */
#ifndef UVAWAIT_STREAM_H
#define UVAWAIT_STREAM_H

#include "base.h"

#include <sys/types.h>

UVA_BEGIN_DECLS

typedef struct uva_stream uva_stream_t;
typedef struct uva_listener uva_listener_t;

/**
 * Connects to host:port. host is a name or an address. The addresses of a name
 * are tried in their order, IPv6 and IPv4 in turn; the next is begun when the
 * last has failed or 250 ms have passed, and the first connection is taken
 * ("happy eyeballs", RFC 8305).
 *
 * Context:  task
 * Parks:    always
 * Cancel:   UV_ECANCELED; the socket is closed. A look-up that cannot be taken
 *           back goes on alone
 * Returns:  0; UV_ECANCELED; UV_EAI_... when host is not known; the last
 *           address's error (UV_ECONNREFUSED ...); UV_EINVAL for NULL or a
 *           port out of range; UV_ENOMEM, UV_EMFILE; UV_EPERM outside a task
 * Owns:     host borrowed until return; *ret_stream is new: uva_stream_close()
 * Since:    0.1
 */
UVA_API UVA_PARKS int uva_tcp_connect(const char *host, int port,
                                      uva_stream_t **ret_stream);

/**
 * Listens on host:port; port 0 takes a free one (uva_listener_port()). host
 * NULL is every address of the machine, of both families (of IPv4 where there
 * is no IPv6); "0.0.0.0" is those of IPv4. In a task it may be a name as well:
 * the first of its addresses is taken that can be. backlog is how many
 * connections the kernel keeps that wait for uva_accept(); 0 or less is 128.
 *
 * Context:  task or host callback, in the thread of the runtime
 * Parks:    while a name is looked up, else never
 * Cancel:   UV_ECANCELED during the look-up
 * Returns:  0; UV_EADDRINUSE, UV_EADDRNOTAVAIL, UV_EACCES ...; UV_EAI_... when
 *           the name is not known; UV_EINVAL for a name outside a task, or a
 *           port out of range; UV_ENOMEM, UV_EMFILE; UV_EPERM without a runtime
 *           (reported); UV_ESHUTDOWN after its end
 * Owns:     host borrowed; *ret_listener is new: uva_listener_close()
 * Since:    0.1
 */
UVA_API UVA_PARKS int uva_tcp_listen(const char *host, int port, int backlog,
                                     uva_listener_t **ret_listener);

typedef struct uva_tcp_listen_options {
    int backlog;     /* as uva_tcp_listen()'s */
    bool reuse_port; /* others that say so may listen on the port as well, in
                        other threads or processes; connections are spread */
    bool ipv6_only;  /* on an IPv6 address, "::" for example: no IPv4 */
} uva_tcp_listen_options_t;

/**
 * uva_tcp_listen() with options; NULL for none.
 *
 * Context:  as uva_tcp_listen()
 * Parks:    as uva_tcp_listen()
 * Cancel:   as uva_tcp_listen()
 * Returns:  as uva_tcp_listen(); UV_EINVAL for ipv6_only with an IPv4 address;
 *           UV_ENOTSUP when ports cannot be shared
 * Owns:     options and host borrowed; *ret_listener is new
 * Since:    0.1
 */
UVA_API UVA_PARKS int
uva_tcp_listen_with(const uva_tcp_listen_options_t *options, const char *host,
                    int port, uva_listener_t **ret_listener);

/**
 * Connects to a Unix domain socket.
 *
 * Context:  task
 * Parks:    always
 * Cancel:   UV_ECANCELED; the socket is closed
 * Returns:  0; UV_ECANCELED; UV_ENOENT, UV_ECONNREFUSED ...; UV_EAGAIN when
 *           the listener's backlog is full; UV_ENAMETOOLONG; UV_EINVAL for NULL
 *           or an empty path; UV_ENOMEM, UV_EMFILE; UV_EPERM outside a task
 * Owns:     path borrowed until return; *ret_stream is new
 * Since:    0.1
 */
UVA_API UVA_PARKS int uva_pipe_connect(const char *path,
                                       uva_stream_t **ret_stream);

/**
 * Listens on a Unix domain socket. The path must not exist; it is removed when
 * the listener is closed. backlog is as uva_tcp_listen()'s.
 *
 * Context:  task or host callback, in the thread of the runtime
 * Parks:    never
 * Cancel:   –
 * Returns:  0; UV_EADDRINUSE, UV_EACCES (also for a directory that does not
 *           exist) ...; UV_ENAMETOOLONG; UV_EINVAL for NULL or an empty path;
 *           UV_ENOMEM, UV_EMFILE; UV_EPERM without a runtime (reported);
 *           UV_ESHUTDOWN after its end
 * Owns:     path borrowed; *ret_listener is new
 * Since:    0.1
 */
UVA_API int uva_pipe_listen(const char *path, int backlog,
                            uva_listener_t **ret_listener);

/**
 * Lets other users connect to a Unix domain socket: flags are UV_READABLE,
 * UV_WRITABLE or both. Without it the umask decides.
 *
 * Context:  the thread of the runtime
 * Parks:    never
 * Cancel:   –
 * Returns:  0; UV_ENOTSUP for a TCP listener; UV_EINVAL for other flags;
 *           UV_EPERM when the file is another's, and in another thread
 *           (reported)
 * Owns:     listener borrowed
 * Since:    0.1
 */
UVA_API int uva_pipe_listen_chmod(uva_listener_t *listener, int flags);

/**
 * The port that a TCP listener is bound to.
 *
 * Context:  the thread of the runtime
 * Parks:    never
 * Cancel:   –
 * Returns:  the port; UV_EINVAL for NULL or what is no TCP listener
 * Owns:     listener borrowed
 * Since:    0.1
 */
UVA_API int uva_listener_port(const uva_listener_t *listener);

/**
 * Waits for the next connection. Nothing is accepted that no task asked for.
 *
 * Context:  task
 * Parks:    unless a connection is waiting
 * Cancel:   UV_ECANCELED; the connection stays in the backlog
 * Returns:  0; UV_ECANCELED, also when the listener is closed meanwhile;
 *           UV_EBUSY when another task is in uva_accept(); UV_EMFILE, UV_ENFILE
 *           (the connection stays in the backlog: sleep a little, try again)
 *           and what else accept gives; UV_ENOMEM (the connection is closed);
 *           UV_EPERM outside a task; UV_EINVAL
 * Owns:     listener borrowed; *ret_stream is new
 * Since:    0.1
 */
UVA_API UVA_PARKS int uva_accept(uva_listener_t *listener,
                                 uva_stream_t **ret_stream);

/**
 * Stops listening. Who waits in uva_accept() gets UV_ECANCELED.
 *
 * Context:  the thread of the runtime
 * Parks:    never
 * Cancel:   –
 * Returns:  –
 * Owns:     takes listener; NULL is fine
 * Since:    0.1
 */
UVA_API void uva_listener_close(uva_listener_t *listener);

/**
 * Reads what is there, at least one byte and at most `bytes`.
 *
 * Context:  task
 * Parks:    while nothing is there; with bytes 0 never
 * Cancel:   UV_ECANCELED; no byte is lost, the stream stays usable
 * Returns:  the number of bytes; UV_EOF at the end; UV_ECANCELED, also when the
 *           stream is closed meanwhile; UV_EBUSY when another task reads;
 *           UV_ECONNRESET ... (after the bytes that had arrived, and again at
 *           every later read); UV_ENOMEM; UV_EPERM; UV_EINVAL
 * Owns:     stream and buffer borrowed until return
 * Since:    0.1
 */
UVA_API UVA_PARKS ssize_t uva_read(uva_stream_t *stream, void *buffer,
                                   size_t bytes);

/**
 * Reads exactly `bytes`.
 *
 * Context:  task
 * Parks:    until they are there
 * Cancel:   UV_ECANCELED; what had arrived stays in the stream
 * Returns:  bytes; UV_EOF when the stream ends before (what had arrived stays
 *           readable); UV_ECONNRESET ... (what had arrived is dropped);
 *           UV_ENOMEM when it must be kept and cannot (again at every later
 *           read); as uva_read()
 * Owns:     stream and buffer borrowed until return
 * Since:    0.1
 */
UVA_API UVA_PARKS ssize_t uva_read_exactly(uva_stream_t *stream, void *buffer,
                                           size_t bytes);

/**
 * Looks at the next `bytes`, which stay to be read.
 *
 * Context:  task
 * Parks:    until they are there
 * Cancel:   UV_ECANCELED; what had arrived stays in the stream
 * Returns:  bytes; as uva_read_exactly()
 * Owns:     stream and buffer borrowed until return
 * Since:    0.1
 */
UVA_API UVA_PARKS ssize_t uva_peek(uva_stream_t *stream, void *buffer,
                                   size_t bytes);

/**
 * Reads up to a delimiter, and that with it. Into a large buffer is fastest.
 *
 * Context:  task
 * Parks:    until the delimiter has come
 * Cancel:   UV_ECANCELED; what had arrived stays in the stream
 * Returns:  the number of bytes with the delimiter; UV_ENOBUFS when it is not
 *           among the first `capacity` bytes (they stay in the stream; buffer
 *           may have been written to); UV_EOF when the stream ends before it
 *           (what had arrived stays readable); as uva_read_exactly()
 * Owns:     stream and buffer borrowed until return
 * Since:    0.1
 */
UVA_API UVA_PARKS ssize_t uva_read_until(uva_stream_t *stream, char delimiter,
                                         void *buffer, size_t capacity);

/**
 * uva_read_until() a delimiter of several bytes, "\r\n\r\n" for example.
 *
 * Context:  task
 * Parks:    until the delimiter has come
 * Cancel:   as uva_read_until()
 * Returns:  as uva_read_until(); UV_EINVAL for an empty delimiter
 * Owns:     stream, delimiter and buffer borrowed until return
 * Since:    0.1
 */
UVA_API UVA_PARKS ssize_t uva_read_until_mem(uva_stream_t *stream,
                                             const void *delimiter,
                                             size_t delimiter_bytes,
                                             void *buffer, size_t capacity);

/**
 * Reads a line and ends it with a NUL in place of its "\n" or "\r\n". The last
 * line need not have one.
 *
 * Context:  task
 * Parks:    until the line is there
 * Cancel:   UV_ECANCELED; what had arrived stays in the stream
 * Returns:  the length of the line, 0 for an empty one; UV_EOF behind the last
 *           one; UV_ENOBUFS for a line of `capacity` bytes or more (it stays
 *           in the stream); UV_EINVAL for capacity 0; as uva_read_until()
 * Owns:     stream and buffer borrowed until return
 * Since:    0.1
 */
UVA_API UVA_PARKS ssize_t uva_readline(uva_stream_t *stream, char *buffer,
                                       size_t capacity);

/**
 * Reads to the end of the stream, into memory of its own that ends with a NUL.
 * limit is how many bytes there may be without that; SIZE_MAX is no limit.
 *
 * Context:  task
 * Parks:    until the end has come
 * Cancel:   UV_ECANCELED; what had arrived stays in the stream
 * Returns:  0; UV_ENOBUFS when there are more than `limit` bytes (they stay in
 *           the stream); UV_ECONNRESET ... (what had arrived is dropped);
 *           UV_ENOMEM (what had arrived stays, if there is memory for that);
 *           as uva_read()
 * Owns:     stream borrowed; *ret_data is new: free(). ret_bytes may be NULL
 * Since:    0.1
 */
UVA_API UVA_PARKS int uva_read_all(uva_stream_t *stream, size_t limit,
                                   char **ret_data, size_t *ret_bytes);

/**
 * Writes all of data.
 *
 * Context:  task
 * Parks:    while the socket takes no more
 * Cancel:   before a byte was written: UV_ECANCELED, nothing happened. After:
 *           UV_ECANCELED and the stream takes no more writes (UV_EPIPE), since
 *           the peer has seen half of it
 * Returns:  bytes; UV_ECANCELED, also when the stream is closed meanwhile;
 *           UV_EPIPE, UV_ECONNRESET when the peer is gone; UV_EBUSY when
 *           another task writes; UV_ENOMEM, UV_EMFILE when it cannot wait (it
 *           takes a descriptor); UV_EPERM; UV_EINVAL. After any error between
 *           the first and the last byte the stream takes no more writes
 * Owns:     stream and data borrowed until return
 * Since:    0.1
 */
UVA_API UVA_PARKS ssize_t uva_write(uva_stream_t *stream, const void *data,
                                    size_t bytes);

/**
 * Writes all of several buffers.
 *
 * Context:  task
 * Parks:    while the socket takes no more
 * Cancel:   as uva_write()
 * Returns:  the sum of their sizes; as uva_write()
 * Owns:     stream, the array and the buffers borrowed until return
 * Since:    0.1
 */
UVA_API UVA_PARKS ssize_t uva_writev(uva_stream_t *stream,
                                     const uv_buf_t buffers[], unsigned count);

/**
 * Ends the writing side: the peer reads UV_EOF after what was written; reading
 * goes on.
 *
 * Context:  the thread of the runtime
 * Parks:    never (what was written is the kernel's already)
 * Cancel:   –
 * Returns:  0 (also the second time); UV_ENOTCONN ...; UV_EPIPE when a write
 *           was broken off; UV_EBUSY while a task writes; UV_EPERM; UV_EINVAL
 * Owns:     stream borrowed
 * Since:    0.1
 */
UVA_API int uva_shutdown(uva_stream_t *stream);

/**
 * Closes a stream. Who waits in it gets UV_ECANCELED. What was written is
 * still sent; but TCP resets a connection that is closed with bytes unread, and
 * the peer may lose what it has not read yet. Where that matters,
 * uva_shutdown() and read to UV_EOF first.
 *
 * Context:  the thread of the runtime
 * Parks:    never
 * Cancel:   –
 * Returns:  –
 * Owns:     takes stream; NULL is fine
 * Since:    0.1
 */
UVA_API void uva_stream_close(uva_stream_t *stream);

/**
 * Closes a stream with a reset: over TCP what is not sent yet is dropped, and
 * the peer gets UV_ECONNRESET, so it cannot take what it has for the whole. In
 * memory the same. Other streams are closed as by uva_stream_close().
 *
 * Context:  the thread of the runtime
 * Parks:    never
 * Cancel:   –
 * Returns:  –
 * Owns:     takes stream; NULL is fine
 * Since:    0.1
 */
UVA_API void uva_stream_abort(uva_stream_t *stream);

/* The functions behind the macros below: site is UVA_SITE(...). */
UVA_API UVA_PARKS int uva_tcp_connect_at(const char *site, const char *host,
                                         int port, uva_stream_t **ret_stream);
UVA_API UVA_PARKS int uva_tcp_listen_at(const char *site, const char *host,
                                        int port, int backlog,
                                        uva_listener_t **ret_listener);
UVA_API UVA_PARKS int uva_tcp_listen_with_at(
    const char *site, const uva_tcp_listen_options_t *options, const char *host,
    int port, uva_listener_t **ret_listener);
UVA_API UVA_PARKS int uva_pipe_connect_at(const char *site, const char *path,
                                          uva_stream_t **ret_stream);
UVA_API int uva_pipe_listen_at(const char *site, const char *path, int backlog,
                               uva_listener_t **ret_listener);
UVA_API UVA_PARKS int uva_accept_at(const char *site, uva_listener_t *listener,
                                    uva_stream_t **ret_stream);

#define uva_tcp_connect(...) \
    uva_tcp_connect_at(UVA_SITE(#__VA_ARGS__), __VA_ARGS__)
#define uva_tcp_listen(...) \
    uva_tcp_listen_at(UVA_SITE(#__VA_ARGS__), __VA_ARGS__)
#define uva_tcp_listen_with(...) \
    uva_tcp_listen_with_at(UVA_SITE(#__VA_ARGS__), __VA_ARGS__)
#define uva_pipe_connect(...) \
    uva_pipe_connect_at(UVA_SITE(#__VA_ARGS__), __VA_ARGS__)
#define uva_pipe_listen(...) \
    uva_pipe_listen_at(UVA_SITE(#__VA_ARGS__), __VA_ARGS__)
#define uva_accept(...) uva_accept_at(UVA_SITE(#__VA_ARGS__), __VA_ARGS__)

UVA_END_DECLS

#endif
