/*
 * TLS over any stream, as a stream itself: what is returned is read, written,
 * shut down and closed with the same calls as the TCP connection below it.
 *
 *     uva_tcp_connect("example.org", 443, &tcp);
 *     tls_client(tcp, context, "example.org", why, &tls);
 *     uva_write(tls, "GET / HTTP/1.0\r\n\r\n", 18);
 *     ...
 *     uva_shutdown(tls);
 *     uva_stream_close(tls);
 *     uva_stream_close(tcp);
 *
 * As any stream it is read by one task and written by another one at the same
 * time. Its errors are those of the stream below, and
 *
 *     UV_EPROTO         what came is no TLS, or a broken record, or an alert
 *     UV_ECONNABORTED   the connection ended without the peer having said that
 *                       this was all, so something may be missing
 *
 * UV_EOF is only what the peer has signed: its close_notify, which uva_shutdown
 * sends. A stream that is closed without uva_shutdown looks cut off to the
 * peer. A write that was cut while its record was on the way ends writing, as
 * with every stream; reading goes on.
 */
#ifndef TLS_STREAM_H
#define TLS_STREAM_H

#include <openssl/ssl.h>
#include <uvawait.h>

enum { TLS_WHY_BYTES = 160 };

/**
 * Shakes hands as the client. host is the name, or the address, that the
 * server's certificate has to be for.
 *
 * Context:  task
 * Parks:    always
 * Cancel:   UV_ECANCELED; nothing can be done with inner but closing it
 * Returns:  0; UV_EPROTO (also for a certificate that is not to be trusted),
 *           UV_ECONNABORTED; UV_ENOMEM; UV_EINVAL; what inner's reads and
 *           writes return
 * Owns:     inner borrowed until *ret_stream, which is new, has been closed:
 *           close it afterwards. context may be freed at once. why (may be
 *           NULL) is filled on failure
 */
UVA_PARKS int tls_client(uva_stream_t *inner, SSL_CTX *context,
                         const char *host, char why[TLS_WHY_BYTES],
                         uva_stream_t **ret_stream);

/**
 * Shakes hands as the server.
 *
 * Context:  task
 * Parks:    always
 * Cancel:   as tls_client()
 * Returns:  as tls_client()
 * Owns:     as tls_client()
 */
UVA_PARKS int tls_server(uva_stream_t *inner, SSL_CTX *context,
                         char why[TLS_WHY_BYTES], uva_stream_t **ret_stream);

#endif
