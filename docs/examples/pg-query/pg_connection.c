/*
 * What: libpq's calls that do not block, with a wait for its descriptor between
 * them.
 *
 * How: libpq says what it waits for, uva_poll_fd() waits, libpq goes on. That
 * is all; no callback, no state. The descriptor is asked for each time, since
 * it changes when libpq tries another address.
 *
 * A statement that is cut short still runs on the server. To stop it a second
 * connection has to be made, for which libpq has only a call that blocks: that
 * is given to the thread pool.
 */
#include "pg_connection.h"

#include <stdio.h>
#include <string.h>

enum { CANCEL_MS = 2000 };

/* ---- small things ------------------------------------------------------- */

/* The first line of a message of libpq's. */
static void tell_why(char why[PG_WHY_BYTES], const char *message) {
    snprintf(why, PG_WHY_BYTES, "%.*s", (int)strcspn(message, "\n"), message);
}

static int wait_for(PGconn *connection, int events) {
    int fd = PQsocket(connection);

    return fd < 0 ? UV_ECONNRESET : uva_poll_fd(fd, events, UVA_FOREVER);
}

/* ---- connecting --------------------------------------------------------- */

/* Goes on until it is connected: 0 or a code. */
static int connect_on(PGconn *connection) {
    PostgresPollingStatusType state = PGRES_POLLING_WRITING;
    int code = 0;

    while (state != PGRES_POLLING_OK && code >= 0) {
        if (state == PGRES_POLLING_FAILED)
            return UV_ECONNREFUSED;
        code =
            wait_for(connection, state == PGRES_POLLING_READING ? UV_READABLE
                                                                : UV_WRITABLE);
        if (code >= 0)
            state = PQconnectPoll(connection);
    }
    return code < 0 ? code : 0;
}

/* What the server has to say beside results goes nowhere. */
static void ignore_notice(void *arg, const PGresult *result) {
    (void)arg;
    (void)result;
}

int pg_connect(const char *conninfo, char why[PG_WHY_BYTES],
               PGconn **ret_connection) {
    PGconn *connection = PQconnectStart(conninfo);

    if (connection == NULL) {
        tell_why(why, uv_strerror(UV_ENOMEM));
        return UV_ENOMEM;
    }
    int code = PQstatus(connection) == CONNECTION_BAD ? UV_ECONNREFUSED
                                                      : connect_on(connection);
    if (code == 0 && PQsetnonblocking(connection, 1) < 0)
        code = UV_ENOMEM;
    if (code < 0) {
        tell_why(why, code == UV_ECONNREFUSED ? PQerrorMessage(connection)
                                              : uv_strerror(code));
        PQfinish(connection);
        return code;
    }
    PQsetNoticeReceiver(connection, ignore_notice, NULL);
    *ret_connection = connection;
    return 0;
}

/* ---- a statement -------------------------------------------------------- */

/* Waits for the server, and takes what it has sent. */
static int take_input(PGconn *connection, int events) {
    int ready = wait_for(connection, events);

    if (ready < 0)
        return ready;
    if ((ready & UV_READABLE) != 0 && PQconsumeInput(connection) == 0)
        return UV_ECONNRESET;
    return 0;
}

/* Sends what libpq still has. The server may have to be read meanwhile: it
 * answers before it has read all. */
static int flush(PGconn *connection) {
    int left, code = 0;

    while (code == 0 && (left = PQflush(connection)) != 0)
        code = left < 0 ? UV_ECONNRESET
                        : take_input(connection, UV_READABLE | UV_WRITABLE);
    return code;
}

static bool is_copy(const PGresult *result) {
    ExecStatusType status = PQresultStatus(result);

    return status == PGRES_COPY_IN || status == PGRES_COPY_OUT ||
           status == PGRES_COPY_BOTH;
}

/* Waits for the end of the answer. It may be called again after a cut. The
 * last result counts, and there is one; *result is freed for a newer one. */
static int finish(PGconn *connection, PGresult **result) {
    int code = flush(connection);

    while (code == 0) {
        while (code == 0 && PQisBusy(connection))
            code = take_input(connection, UV_READABLE);
        PGresult *next = code == 0 ? PQgetResult(connection) : NULL;
        if (next == NULL)
            break;
        PQclear(*result);
        *result = next;
        if (is_copy(next))
            code = UV_ENOTSUP;
    }
    return code;
}

static int send_cancel(void *arg) {
    char why[PG_WHY_BYTES];

    return PQcancel(arg, why, sizeof(why)) == 1 ? 0 : UV_ECONNREFUSED;
}

/* Has the server cancel the statement and waits for its answer. */
static int finish_early(PGconn *connection, PGresult **result) {
    uva_scope_t scope;
    PGcancel *cancel = PQgetCancel(connection);
    int code = UV_ENOMEM;

    uva_scope_open(&scope, CANCEL_MS, UVA_SCOPE_SHIELD);
    if (cancel != NULL)
        code = uva_to_thread(send_cancel, cancel);
    if (code == 0)
        code = finish(connection, result);
    uva_scope_close(&scope);
    PQfreeCancel(cancel);
    return code;
}

/* What a result says: 0 or a code. */
static int judge(const PGconn *connection, const PGresult *result) {
    switch (PQresultStatus(result)) { /* NULL is PGRES_FATAL_ERROR */
    case PGRES_COMMAND_OK:
    case PGRES_TUPLES_OK:
    case PGRES_EMPTY_QUERY:
        return 0;
    default:
        return PQstatus(connection) == CONNECTION_BAD ? UV_ECONNRESET
                                                      : UV_EINVAL;
    }
}

static int run(PGconn *connection, PGresult **result) {
    int code = finish(connection, result);
    bool is_cut = code == UV_ECANCELED;

    if (is_cut)
        code = finish_early(connection, result);
    if (code == 0)
        code = judge(connection, *result);
    return is_cut && code < 0 ? UV_ECANCELED : code;
}

int pg_query(PGconn *connection, const char *sql, int count,
             const char *const parameters[], char why[PG_WHY_BYTES],
             PGresult **ret_result) {
    PGresult *result = NULL;
    int code = UV_ECONNRESET;

    if (PQsendQueryParams(connection, sql, count, NULL, parameters, NULL, NULL,
                          0) == 1)
        code = run(connection, &result);
    else if (PQstatus(connection) == CONNECTION_OK)
        code = UV_EINVAL;
    if (code == 0) {
        *ret_result = result;
        return 0;
    }
    if (code == UV_EINVAL && result != NULL)
        tell_why(why, PQresultErrorMessage(result));
    else if (code == UV_EINVAL)
        tell_why(why, PQerrorMessage(connection));
    else
        tell_why(why, uv_strerror(code));
    PQclear(result);
    return code;
}

bool pg_is_idle(PGconn *connection) {
    int ready = 1;

    if (PQtransactionStatus(connection) != PQTRANS_IDLE) /* also when lost */
        return false;
    /* Of an idle server nothing is to be read but its farewell, and the end of
     * the connection behind it. */
    while (ready > 0) {
        ready = uva_poll_fd(PQsocket(connection), UV_READABLE, 0);
        if (ready > 0 && PQconsumeInput(connection) == 0)
            return false;
    }
    return ready == UV_ETIMEDOUT;
}
