/*
 * What: the life of the server.
 *
 * How: uva_serve_with() has a task for each connection, and returns when the
 * listener is closed and the last of them has ended. A task for each signal
 * waits beside it and closes the listener. After that the default action of
 * the signal is in force again, so a second Ctrl-C ends the program at once.
 */
#include "server.h"

#include <signal.h>
#include <stdio.h>
#include <string.h>

#include "connection.h"

enum { BACKLOG = 1024 };

void server_settings_default(settings_t *ret_settings) {
    *ret_settings = (settings_t){.host = "127.0.0.1",
                                 .port = 8080,
                                 .head_limit = 8 << 10,
                                 .body_limit = 1 << 20,
                                 .idle_ms = 60000,
                                 .head_ms = 10000,
                                 .body_ms = 60000,
                                 .send_ms = 60000,
                                 .grace_ms = 30000};
}

void server_init(server_t *server, const settings_t *settings) {
    memset(server, 0, sizeof *server);
    server->settings = settings;
    LIST_INIT(&server->connections);
}

void server_free(server_t *server) {
    output_pool_free(&server->outputs);
}

void server_stop(server_t *server) {
    connection_t *connection;
    if (server->is_stopping)
        return;
    server->is_stopping = true;
    uva_listener_close(server->listener);
    server->listener = NULL;
    LIST_FOREACH(connection, &server->connections, link) {
        connection_stop(connection);
    }
}

/* ---- signals ------------------------------------------------------------ */

typedef struct stopper {
    server_t *server;
    uva_signal_t *signal;
} stopper_t;

static int stop_on_signal(void *arg) {
    stopper_t *self = arg;
    int code = uva_signal_next(self->signal);
    if (code > 0)
        server_stop(self->server);
    uva_signal_close(self->signal);
    self->signal = NULL;
    return code < 0 ? code : 0;
}

/* Serves, with the stoppers beside it. */
static int serve_until_signal(server_t *server, stopper_t stoppers[2]) {
    uva_serve_options_t options = {.grace_ms = server->settings->grace_ms,
                                   .connection_limit =
                                       server->settings->connection_limit};
    uva_group_t group;
    uva_group_open(&group);
    int code = uva_group_spawn(&group, stop_on_signal, &stoppers[0]);
    if (code == 0)
        code = uva_group_spawn(&group, stop_on_signal, &stoppers[1]);
    if (code == 0)
        code = uva_serve_with(server->listener, &options, connection_serve,
                              server);
    if (code < 0)
        (void)uva_group_fail(&group, code);
    else
        (void)uva_group_cancel(&group);
    return uva_group_close(&group);
}

static int serve_with_signals(server_t *server) {
    stopper_t stoppers[2] = {{.server = server}, {.server = server}};
    int code = uva_signal_open(SIGINT, &stoppers[0].signal);
    if (code == 0)
        code = uva_signal_open(SIGTERM, &stoppers[1].signal);
    if (code == 0) {
        /* Whoever reads this may send a signal already. */
        printf("listening on %s:%d\n", server->settings->host,
               uva_listener_port(server->listener));
        (void)fflush(stdout);
        code = serve_until_signal(server, stoppers);
    }
    uva_signal_close(stoppers[0].signal);
    uva_signal_close(stoppers[1].signal);
    return code;
}

/* ---- running ------------------------------------------------------------ */

int server_run(server_t *server) {
    const settings_t *settings = server->settings;
    server->started_ms = uva_now_ms();
    if (settings->log_path != NULL) {
        int code = access_log_open(settings->log_path, &server->log);
        if (code < 0)
            return uva_fail(code, "cannot open the log %s", settings->log_path);
    }
    int code = uva_tcp_listen(settings->host, settings->port, BACKLOG,
                              &server->listener);
    if (code == 0)
        code = serve_with_signals(server);
    else
        (void)uva_fail(code, "cannot listen on %s:%d", settings->host,
                       settings->port);
    uva_listener_close(server->listener);
    server->listener = NULL;
    access_log_close(server->log);
    server->log = NULL;
    return code;
}
