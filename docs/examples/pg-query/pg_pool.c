/*
 * What: connections behind a semaphore.
 *
 * How: a permit is the right to have a connection, idle or new; so who holds
 * one never waits for another task. Whether an idle connection still lives is
 * asked when it is taken: a server that went away meanwhile has said so, or has
 * closed the socket.
 */
#include "pg_pool.h"

#include <string.h>

enum { FIRST_PAUSE_MS = 50, LAST_PAUSE_MS = 1000 };

void pg_pool_init(pg_pool_t *pool, const char *conninfo, size_t size,
                  uint64_t patience_ms) {
    memset(pool, 0, sizeof(*pool));
    pool->conninfo = conninfo;
    pool->patience_ms = patience_ms;
    uva_semaphore_init_bounded(&pool->permits,
                               size < PG_POOL_MAX ? size : PG_POOL_MAX);
    uva_semaphore_set_name(&pool->permits, "pg pool");
}

static int ping(void *arg) {
    return (int)PQping(arg);
}

/* Whether a server that could not be connected to may be on its way up. One
 * that answers has refused us, and will again. libpq can only ask blocking. */
static bool may_come_back(const pg_pool_t *pool) {
    int answer = uva_to_thread(ping, (void *)pool->conninfo);

    return answer == PQPING_REJECT || answer == PQPING_NO_RESPONSE;
}

static int connect_patiently(pg_pool_t *pool, char why[PG_WHY_BYTES],
                             PGconn **ret_connection) {
    uint64_t pause_ms = FIRST_PAUSE_MS;
    uint64_t end_ms = uva_now_ms() + pool->patience_ms;
    int code;

    for (;;) {
        code = pg_connect(pool->conninfo, why, ret_connection);
        if (code != UV_ECONNREFUSED || !may_come_back(pool) ||
            uva_now_ms() + pause_ms > end_ms)
            break;
        code = uva_sleep(pause_ms);
        if (code < 0)
            break;
        pause_ms = pause_ms < LAST_PAUSE_MS / 2 ? 2 * pause_ms : LAST_PAUSE_MS;
    }
    if (code == 0)
        pool->opened++;
    return code;
}

int pg_pool_take(pg_pool_t *pool, char why[PG_WHY_BYTES],
                 PGconn **ret_connection) {
    int code = uva_semaphore_acquire(&pool->permits);

    if (code < 0) {
        uv_strerror_r(code, why, PG_WHY_BYTES);
        return code;
    }
    while (pool->idle_count > 0) {
        PGconn *connection = pool->idle[--pool->idle_count];
        if (pg_is_idle(connection)) {
            *ret_connection = connection;
            return 0;
        }
        PQfinish(connection);
    }
    code = connect_patiently(pool, why, ret_connection);
    if (code < 0)
        uva_semaphore_release(&pool->permits);
    return code;
}

void pg_pool_give(pg_pool_t *pool, PGconn *connection) {
    if (pg_is_idle(connection))
        pool->idle[pool->idle_count++] = connection;
    else
        PQfinish(connection);
    uva_semaphore_release(&pool->permits);
}

void pg_pool_close(pg_pool_t *pool) {
    while (pool->idle_count > 0)
        PQfinish(pool->idle[--pool->idle_count]);
}
