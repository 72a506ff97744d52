/*
 * A pool of connections: at most so many at once, opened when they are needed,
 * kept for the next one. Who comes when all are in use waits, first come, first
 * served. A server that goes away and comes back costs a wait and, at most, the
 * statements that were under way.
 */
#ifndef PG_POOL_H
#define PG_POOL_H

#include "pg_connection.h"

enum { PG_POOL_MAX = 64 };

/* The fields are private, but for `opened`, which may be read. */
typedef struct pg_pool {
    const char *conninfo;
    uint64_t patience_ms;
    uva_semaphore_t permits;
    size_t idle_count;
    PGconn *idle[PG_POOL_MAX]; /* the one that was used last at the end */
    size_t opened;             /* connections, ever */
} pg_pool_t;

/* Makes a pool of at most `size` connections (at most PG_POOL_MAX); conninfo is
 * borrowed. To a server that is not there, or not ready, it tries to connect
 * again for patience_ms. */
void pg_pool_init(pg_pool_t *pool, const char *conninfo, size_t size,
                  uint64_t patience_ms);

/**
 * Takes a connection, opening one if none is idle.
 *
 * Context:  task
 * Parks:    while all are in use; while one is opened
 * Cancel:   UV_ECANCELED; none was taken
 * Returns:  0; UV_ECANCELED; as pg_connect()
 * Owns:     *ret_connection is to be given back: pg_pool_give()
 */
UVA_PARKS int pg_pool_take(pg_pool_t *pool, char why[PG_WHY_BYTES],
                           PGconn **ret_connection);

/* Gives it back. One that is of no further use is closed; then the next one
 * opens another. Does not park. */
void pg_pool_give(pg_pool_t *pool, PGconn *connection);

/* Closes all connections; all must have been given back. */
void pg_pool_close(pg_pool_t *pool);

#endif
