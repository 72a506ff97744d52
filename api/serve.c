/*
 * What: uva_serve(): accept, a task for each connection, an orderly end.
 *
 * How: a connection's task starts eagerly, so it is known at once whether its
 * body runs. It puts the connection in the server's list itself; at its end it
 * takes it out again and says so. Not a task group: a handler that fails must
 * not end the others, and the cancellation of the server must not reach them
 * before their time.
 */
#include "runtime/seam.h"
#include "uvawait/event.h"
#include "uvawait/serve.h"
#include "uvawait/time.h"

enum { PAUSE_MS = 100, REPORT_EVERY_MS = 10000 };

typedef struct server {
    const uva_serve_options_t *options;
    int (*handler)(uva_stream_t *stream, void *arg);
    void *arg;
    uva_list_t connections;
    size_t count;      /* of them */
    uva_event_t fewer; /* one has ended since it was cleared */
    bool has_reported; /* that accepting pauses, at: */
    uint64_t reported_ms;
} server_t;

/* In its task's own copy. */
typedef struct connection {
    uva_link_t link;
    server_t *server;
    uva_stream_t *stream;
    uva_task_t *task;
    bool *has_begun; /* who spawned it looks at that when it has the processor
                        again, and never later */
} connection_t;

/* ---- a connection ------------------------------------------------------- */

/* The peer is gone, or was too slow, or we were asked to end. */
static bool is_usual(int code) {
    switch (code) {
    case UV_EOF:
    case UV_ECONNRESET:
    case UV_ECONNABORTED:
    case UV_EPIPE:
    case UV_ENOTCONN:
    case UV_ETIMEDOUT:
    case UV_ECANCELED:
        return true;
    default:
        return code >= 0;
    }
}

static int handle(void *arg) {
    connection_t *self = arg;
    server_t *server = self->server;
    *self->has_begun = true;
    self->task = uva_current();
    uva__list_push(&server->connections, &self->link);
    server->count++;
    int code = server->handler(self->stream, server->arg);
    uva_stream_close(self->stream);
    uva__list_remove(&server->connections, &self->link);
    server->count--;
    uva_event_set(&server->fewer);
    return is_usual(code) ? 0 : code;
}

/* Without a stack the task ends before it has begun, with a code. */
static int begin(server_t *server, uva_stream_t *stream) {
    bool has_begun = false;
    connection_t connection = {
        .server = server, .stream = stream, .has_begun = &has_begun};
    const char *name = server->options->name;
    uva_task_options_t options = {.name = name != NULL ? name : "connection",
                                  .stack_bytes = server->options->stack_bytes,
                                  .eager = true,
                                  .copy = &connection,
                                  .copy_bytes = sizeof connection};
    uva_task_t *task = uva_spawn_with_at("uva_serve()", &options, handle, NULL);
    if (has_begun) {
        uva_detach(task);
        return 0;
    }
    uva_stream_close(stream);
    return uva_await(task, NULL);
}

/* ---- the server --------------------------------------------------------- */

/* Waits until a connection has ended, for so long at the most. */
static int wait_for_fewer(server_t *server, uint64_t timeout_ms) {
    uva_scope_t scope;
    uva_scope_open(&scope, timeout_ms, 0);
    uva_event_clear(&server->fewer);
    int code = uva_event_wait(&server->fewer);
    int why = uva_scope_close(&scope);
    return why == UV_ETIMEDOUT ? 0 : code;
}

/* What goes by itself, when others give back what they have. */
static bool is_shortage(int code) {
    return code == UV_EMFILE || code == UV_ENFILE || code == UV_ENOBUFS ||
           code == UV_ENOMEM;
}

static int pause_for(server_t *server, int code) {
    uint64_t now_ms = uva_now_ms();
    if (!server->has_reported ||
        now_ms - server->reported_ms >= REPORT_EVERY_MS) {
        uva__report(uva__running("uva_serve")->future.runtime,
                    "uva_serve: accepting pauses: %s (%zu connections are "
                    "open)",
                    uv_strerror(code), server->count);
        server->has_reported = true;
        server->reported_ms = now_ms;
    }
    return wait_for_fewer(server, PAUSE_MS);
}

static int accept_next(server_t *server, uva__task_t *task,
                       uva_listener_t *listener) {
    size_t limit = server->options->connection_limit;
    int code = uva__may_park(task); /* however many connections wait */
    if (code < 0)
        return code;
    if (limit > 0 && server->count >= limit)
        return wait_for_fewer(server, UVA_FOREVER);
    uva_stream_t *stream;
    code = uva_accept(listener, &stream);
    if (code == 0)
        code = begin(server, stream);
    if (is_shortage(code))
        return pause_for(server, code);
    return code;
}

/* Waits for the connections; false when the time was up before the last. */
static bool wait_for_all(server_t *server, uint64_t timeout_ms) {
    uva_scope_t scope;
    uva_scope_open(&scope, timeout_ms, UVA_SCOPE_SHIELD);
    int code = 0;
    while (server->count > 0 && code == 0) {
        uva_event_clear(&server->fewer);
        code = uva_event_wait(&server->fewer);
    }
    (void)uva_scope_close(&scope);
    return server->count == 0;
}

static void end(server_t *server) {
    if (wait_for_all(server, server->options->grace_ms))
        return;
    for (uva_link_t *link = server->connections.first; link != NULL;
         link = link->next)
        (void)uva_cancel(UVA__OF(link, connection_t, link)->task);
    (void)wait_for_all(server, UVA_FOREVER);
}

int uva_serve_with(uva_listener_t *listener, const uva_serve_options_t *options,
                   int (*handler)(uva_stream_t *stream, void *arg), void *arg) {
    static const uva_serve_options_t plain = {0};
    uva__task_t *task = uva__running("uva_serve");
    if (task == NULL)
        return UV_EPERM;
    if (listener == NULL || handler == NULL)
        return UV_EINVAL;
    server_t server = {.options = options != NULL ? options : &plain,
                       .handler = handler,
                       .arg = arg,
                       .fewer = UVA_EVENT_INIT};
    int code = uva__listener_enter(listener, "uva_serve");
    if (code < 0)
        return code;
    while (code == 0 && !uva__listener_is_stopped(listener))
        code = accept_next(&server, task, listener);
    if (code == UV_ECANCELED && uva__listener_is_stopped(listener))
        code = 0;         /* closed: no more was asked for */
    if (code != UV_EBUSY) /* another's */
        uva__listener_stop(listener);
    end(&server);
    uva__listener_leave(listener);
    return code;
}

int uva_serve(uva_listener_t *listener,
              int (*handler)(uva_stream_t *stream, void *arg), void *arg,
              uint64_t grace_ms) {
    uva_serve_options_t options = {.grace_ms = grace_ms};
    return uva_serve_with(listener, &options, handler, arg);
}
