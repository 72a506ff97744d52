/**
 * Serving: a task for each connection, and an orderly end.
 *
 *     static int echo(uva_stream_t *stream, void *arg) {
 *         char buffer[4096];
 *         ssize_t bytes;
 *         while ((bytes = uva_read(stream, buffer, sizeof buffer)) > 0)
 *             uva_write(stream, buffer, (size_t)bytes);
 *         return 0;
 *     }
 *
 *     uva_tcp_listen(NULL, 8080, 128, &listener);
 *     uva_serve(listener, echo, NULL, 5000);
 *     uva_listener_close(listener);
 */
#ifndef UVAWAIT_SERVE_H
#define UVAWAIT_SERVE_H

#include "stream.h"

UVA_BEGIN_DECLS

/* How to serve. All zero: no grace, no limit, default stacks. */
typedef struct uva_serve_options {
    uint64_t grace_ms;       /* what connections are given to end */
    size_t connection_limit; /* at once; more wait in the backlog. 0: none */
    size_t stack_bytes;      /* of a connection's task; 0: the default */
    const char *name;        /* of the tasks; NULL: "connection". Copied */
} uva_serve_options_t;

/**
 * Accepts connections and runs handler(stream, arg) in a task for each, until
 * the calling task is cancelled or the listener is closed. Then who connects is
 * refused, the open connections may go on for up to grace_ms, and those that
 * are left are cancelled. Returns when the last handler has. Each stream is
 * closed behind its handler.
 *
 * A handler's failure ends its connection, and is reported, unless it only says
 * that the peer is gone or was too slow: UV_EOF, UV_ECONNRESET, UV_EPIPE,
 * UV_ETIMEDOUT, UV_ECANCELED, UV_ECONNABORTED, UV_ENOTCONN. Without descriptors
 * or memory accepting pauses until a connection ends, or for 100 ms, and that
 * is reported, at most every 10 s.
 *
 * Context:  task
 * Parks:    always
 * Cancel:   UV_ECANCELED after the orderly end, which itself is not cut short
 * Returns:  0 when the listener was closed (also before the call);
 *           UV_ECANCELED; UV_EBUSY when another task accepts; what else
 *           uva_accept() gives, after the orderly end; UV_EINVAL for NULL;
 *           UV_EPERM outside a task
 * Owns:     listener borrowed (it may be closed meanwhile), arg until return
 * Since:    0.1
 */
UVA_API UVA_PARKS int uva_serve(uva_listener_t *listener,
                                int (*handler)(uva_stream_t *stream, void *arg),
                                void *arg, uint64_t grace_ms);

/**
 * uva_serve() with options.
 *
 * Context:  task
 * Parks:    always
 * Cancel:   as uva_serve()
 * Returns:  as uva_serve()
 * Owns:     as uva_serve(); options (may be NULL) until return
 * Since:    0.1
 */
UVA_API UVA_PARKS int
uva_serve_with(uva_listener_t *listener, const uva_serve_options_t *options,
               int (*handler)(uva_stream_t *stream, void *arg), void *arg);

UVA_END_DECLS

#endif
