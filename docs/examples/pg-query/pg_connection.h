/*
 * A connection to PostgreSQL, awaited. It is libpq's own PGconn: all of its
 * functions that do not wait may be used beside these.
 */
#ifndef PG_CONNECTION_H
#define PG_CONNECTION_H

#include <libpq-fe.h>
#include <uvawait.h>

enum { PG_WHY_BYTES = 256 };

/**
 * Connects. A name of a host is looked up in this thread, as libpq does it:
 * give an address (hostaddr=...) or a directory of sockets where that matters.
 *
 * Context:  task
 * Parks:    always
 * Cancel:   UV_ECANCELED; the connection is given up
 * Returns:  0; UV_ECANCELED; UV_ECONNREFUSED when there is no server, or it
 *           refuses us; UV_ENOMEM; what uva_poll_fd() returns
 * Owns:     *ret_connection is new: PQfinish(); why is filled on failure
 */
UVA_PARKS int pg_connect(const char *conninfo, char why[PG_WHY_BYTES],
                         PGconn **ret_connection);

/**
 * Runs one statement with parameters ($1, $2 ...; NULL is NULL), all as text.
 *
 * Context:  task; one at a time per connection
 * Parks:    always
 * Cancel:   the server is asked to cancel the statement, and for up to 2 s its
 *           answer is awaited, so that the connection stays usable;
 *           UV_ECANCELED, unless it is a success by then
 * Returns:  0; UV_EINVAL when the server says that something is wrong with the
 *           statement; UV_ECONNRESET when the connection is lost; UV_ECANCELED;
 *           UV_ENOTSUP for COPY; UV_ENOMEM; what uva_poll_fd() returns
 * Owns:     connection and parameters borrowed until return; *ret_result is
 *           new: PQclear(); why is filled on failure
 */
UVA_PARKS int pg_query(PGconn *connection, const char *sql, int count,
                       const char *const parameters[], char why[PG_WHY_BYTES],
                       PGresult **ret_result);

/* Whether the next statement may be sent: not so when the last one was broken
 * off, a transaction was left open, or the server is gone. Does not park. */
bool pg_is_idle(PGconn *connection);

#endif
