/**
 * What can be asked and set on a stream that is a socket, a pipe or a terminal.
 * A stream in memory or of the user's own has none of it: UV_ENOTSUP.
 */
#ifndef UVAWAIT_STREAM_OPTIONS_H
#define UVAWAIT_STREAM_OPTIONS_H

#include "stream.h"

#include <sys/socket.h>

UVA_BEGIN_DECLS

/* Room for what uva_name_text() writes. */
enum { UVA_NAME_TEXT_BYTES = 128 };

/* ---- names --------------------------------------------------------------- */

/**
 * The address of our end. On a listener for both families an IPv4 connection
 * has IPv6 addresses, ::ffff:192.0.2.1.
 *
 * Context:  the thread of the runtime
 * Parks:    never
 * Cancel:   –
 * Returns:  0; UV_ENOTSOCK for a pipe or a terminal; UV_ENOTSUP; UV_EINVAL;
 *           UV_EPERM in another thread (reported)
 * Owns:     stream borrowed
 * Since:    0.1
 */
UVA_API int uva_stream_local_name(uva_stream_t *stream,
                                  struct sockaddr_storage *ret_name);

/**
 * The address of the other end.
 *
 * Context:  the thread of the runtime
 * Parks:    never
 * Cancel:   –
 * Returns:  0; UV_ENOTCONN when it is gone; as uva_stream_local_name()
 * Owns:     stream borrowed
 * Since:    0.1
 */
UVA_API int uva_stream_peer_name(uva_stream_t *stream,
                                 struct sockaddr_storage *ret_name);

/**
 * Writes an address down: "192.0.2.1:80", "[2001:db8::1]:80", the path of a
 * Unix socket, "" for one without, "@name" for an abstract one. An IPv4 address
 * in an IPv6 one is written as IPv4. UVA_NAME_TEXT_BYTES are enough.
 *
 * Context:  any thread
 * Parks:    never
 * Cancel:   –
 * Returns:  the length; UV_ENOBUFS; UV_EAFNOSUPPORT for another family;
 *           UV_EINVAL
 * Owns:     name and buffer borrowed
 * Since:    0.1
 */
UVA_API int uva_name_text(const struct sockaddr_storage *name, char *buffer,
                          size_t bytes);

/* ---- options ------------------------------------------------------------- */

/**
 * Whether what is written goes out at once. It does, unless this turns it off;
 * then small writes may be held back until the peer has confirmed the last.
 *
 * Context:  the thread of the runtime
 * Parks:    never
 * Cancel:   –
 * Returns:  0; UV_ENOTSUP for what is not TCP; UV_EINVAL; UV_EPERM in another
 *           thread (reported)
 * Owns:     stream borrowed
 * Since:    0.1
 */
UVA_API int uva_tcp_nodelay(uva_stream_t *stream, bool on);

/**
 * Whether a peer that says nothing for so many seconds is asked if it is still
 * there. If it is not, reads and writes fail with UV_ETIMEDOUT.
 *
 * Context:  the thread of the runtime
 * Parks:    never
 * Cancel:   –
 * Returns:  0; UV_EINVAL also for `on` with 0 seconds, or more than the system
 *           takes (32767 on Linux); as uva_tcp_nodelay()
 * Owns:     stream borrowed
 * Since:    0.1
 */
UVA_API int uva_tcp_keepalive(uva_stream_t *stream, bool on, unsigned seconds);

/**
 * How many bytes the kernel holds that are to be sent: sets it, or with 0 only
 * asks. Linux takes twice of what it is given, and has a least and a most.
 *
 * Context:  the thread of the runtime
 * Parks:    never
 * Cancel:   –
 * Returns:  the size now; UV_ENOTSOCK for a pipe or a terminal; UV_ENOTSUP;
 *           UV_EINVAL; UV_EPERM in another thread (reported)
 * Owns:     stream borrowed
 * Since:    0.1
 */
UVA_API int uva_stream_send_buffer(uva_stream_t *stream, int bytes);

/**
 * The same of bytes that have arrived.
 *
 * Context:  the thread of the runtime
 * Parks:    never
 * Cancel:   –
 * Returns:  as uva_stream_send_buffer()
 * Owns:     stream borrowed
 * Since:    0.1
 */
UVA_API int uva_stream_receive_buffer(uva_stream_t *stream, int bytes);

/**
 * The descriptor, to set what there is no function for. Do not read, write or
 * close it: the stream reads ahead.
 *
 * Context:  the thread of the runtime
 * Parks:    never
 * Cancel:   –
 * Returns:  the descriptor; UV_ENOTSUP; UV_EINVAL; UV_EPERM in another thread
 *           (reported)
 * Owns:     stream borrowed; the descriptor stays the stream's
 * Since:    0.1
 */
UVA_API int uva_stream_fileno(uva_stream_t *stream);

UVA_END_DECLS

#endif
