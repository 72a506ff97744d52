/*
 * What: listening, stopping, and the sweeper.
 *
 * How: three helpers live in a group around the accepting: two wait for a
 * signal each, one sweeps. A signal closes the listener, which ends
 * uva_serve_with() after the connections' orderly end; then the helpers are
 * cancelled. Nothing here is a callback, and nothing outlives server_run().
 */
#include "server.h"

#include <signal.h>
#include <stdio.h>

#include "connection.h"

enum {
    BACKLOG = 511,
    SWEEP_MS = 100,     /* between two rounds of the sweeper */
    SWEEP_ENTRIES = 500 /* at once */
};

void server_settings_default(settings_t *ret_settings) {
    *ret_settings = (settings_t){.host = "127.0.0.1",
                                 .port = 6379,
                                 .connection_limit = 10000,
                                 .idle_ms = 300000,
                                 .grace_ms = 5000,
                                 .limits = {.arguments = 1 << 20,
                                            .argument_bytes = 16 << 20,
                                            .bytes = 64 << 20}};
}

void server_init(server_t *server, const settings_t *settings) {
    *server = (server_t){.settings = settings,
                         .has_mortals = UVA_EVENT_INIT,
                         .started_ms = uva_now_ms()};
    LIST_INIT(&server->connections);
    for (size_t i = 0; i < DATABASES; i++)
        store_init(&server->stores[i], &server->has_mortals);
}

void server_free(server_t *server) {
    for (size_t i = 0; i < DATABASES; i++)
        store_clear(&server->stores[i]);
}

/* ---- the sweeper --------------------------------------------------------- */

/* Goes on while it is worth it; others get their turn between. */
static int sweep_store(store_t *store) {
    int code = 0;
    while (code == 0 &&
           store_sweep(store, SWEEP_ENTRIES, uva_now_ms()) > SWEEP_ENTRIES / 4)
        code = uva_yield();
    return code;
}

/* While nothing can expire it sleeps, and so does the process. */
int server_sweep(void *arg) {
    server_t *server = arg;
    int code = 0;
    while (code == 0) {
        bool is_needed = false;
        for (size_t i = 0; i < DATABASES && code == 0; i++) {
            code = sweep_store(&server->stores[i]);
            is_needed |= !TAILQ_EMPTY(&server->stores[i].mortals);
        }
        if (!is_needed)
            uva_event_clear(&server->has_mortals);
        if (code == 0)
            code = uva_event_wait(&server->has_mortals);
        if (code == 0)
            code = uva_sleep(SWEEP_MS);
    }
    return code;
}

/* ---- stopping ------------------------------------------------------------ */

void server_stop(server_t *server) {
    server->is_stopping = true;
    uva_listener_close(server->listener);
    server->listener = NULL;
    connections_stop(server);
}

/* Afterwards the signal has its default action again: a second Ctrl-C ends the
 * process at once. */
static int stop_on(server_t *server, int signum) {
    int code = uva_signal_wait(signum);
    if (code == 0)
        server_stop(server);
    return code;
}

static int stop_on_interrupt(void *arg) {
    return stop_on(arg, SIGINT);
}

static int stop_on_terminate(void *arg) {
    return stop_on(arg, SIGTERM);
}

/* ---- serving ------------------------------------------------------------- */

/* Eager: the signals are listened to when this returns. */
static int spawn_helpers(server_t *server, uva_group_t *group) {
    static const uva_fn helpers[] = {stop_on_interrupt, stop_on_terminate,
                                     server_sweep};
    uva_task_options_t options = {.eager = true};
    int code = 0;
    for (size_t i = 0; i < sizeof helpers / sizeof *helpers && code == 0; i++)
        code = uva_group_spawn_with(group, &options, helpers[i], server, NULL);
    return code;
}

static int serve(server_t *server, uva_group_t *group) {
    const settings_t *settings = server->settings;
    uva_serve_options_t options = {.grace_ms = settings->grace_ms,
                                   .connection_limit =
                                       settings->connection_limit,
                                   .name = "client"};
    int code = spawn_helpers(server, group);
    if (code < 0)
        return code;
    (void)printf("listening on %s:%d\n", settings->host,
                 uva_listener_port(server->listener));
    (void)fflush(stdout);
    return uva_serve_with(server->listener, &options, connection_serve, server);
}

int server_run(server_t *server) {
    const settings_t *settings = server->settings;
    int code = uva_tcp_listen(settings->host, settings->port, BACKLOG,
                              &server->listener);
    if (code < 0)
        return code;
    uva_group_t group;
    uva_group_open(&group);
    code = serve(server, &group);
    (void)uva_group_cancel(&group);
    int helpers = uva_group_close(&group);
    uva_listener_close(server->listener); /* NULL when it was stopped */
    server->listener = NULL;
    if (helpers < 0)
        return helpers; /* which ended the serving */
    return code;
}
