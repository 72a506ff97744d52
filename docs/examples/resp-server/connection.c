/*
 * What: a connection's task.
 *
 * How: one read brings what has arrived, often many requests at once; all that
 * are complete are answered into one piece of memory, which goes out by one
 * write. So a pipelined batch costs two system calls, however many requests it
 * holds, and a client that does not read its replies parks its own task in the
 * write, which is all the back-pressure there needs to be.
 *
 * One scope stands around everything. Its deadline moves when something has
 * arrived, and when a part of many replies has been sent; a client that stalls,
 * in the middle of a request or of its replies, runs into it. The server's stop
 * cancels it, if the client is between two requests.
 */
#include "connection.h"

#include "commands.h"

enum {
    READ_BYTES = 16 << 10, /* on the stack: what is not filled costs nothing */
    FLUSH_BYTES = 64 << 10 /* of replies: sent before there are more */
};

/* ---- waiting ------------------------------------------------------------- */

/* Once the deadline has passed, or the server has cancelled the scope, moving
 * it has no effect, and the next wait fails. */
static void touch(connection_t *self) {
    (void)uva_scope_reschedule(&self->scope, self->server->settings->idle_ms);
}

static int flush(connection_t *self) {
    reply_t *reply = &self->reply;
    if (reply->size > 0) {
        ssize_t sent = uva_write(self->stream, reply->data, reply->size);
        if (sent < 0)
            return (int)sent;
        reply_clear(reply);
    }
    return reply->code;
}

static ssize_t receive(connection_t *self, char *buffer, size_t bytes) {
    self->is_waiting = request_is_empty(&self->request);
    if (self->is_waiting)
        request_trim(&self->request);
    ssize_t got = uva_read(self->stream, buffer, bytes);
    self->is_waiting = false;
    touch(self);
    return got;
}

/* ---- serving ------------------------------------------------------------- */

/* Answers what is complete; 0, or the code that ends the connection. */
static int answer(connection_t *self) {
    int code;
    self->server->now_ms = uva_now_ms();
    while ((code = request_next(&self->request)) > 0) {
        command_run(self);
        if (self->is_quitting)
            return 0;
        if (self->reply.size >= FLUSH_BYTES) {
            if ((code = flush(self)) < 0)
                return code;
            touch(self);
            self->server->now_ms = uva_now_ms(); /* others may have run */
        }
    }
    if (code == UV_EPROTO) {
        reply_error(&self->reply, "ERR Protocol error: %s",
                    self->request.error);
        self->is_quitting = true;
        return 0;
    }
    return code;
}

static bool is_done(const connection_t *self) {
    return self->is_quitting ||
           (self->server->is_stopping && request_is_empty(&self->request));
}

static int serve(connection_t *self) {
    char buffer[READ_BYTES];
    int code = 0;
    while (code == 0 && !is_done(self)) {
        ssize_t got = receive(self, buffer, sizeof buffer);
        if (got < 0)
            return got == UV_EOF ? 0 : (int)got;
        code = request_feed(&self->request, buffer, (size_t)got);
        if (code == 0)
            code = answer(self);
        if (code == 0)
            code = flush(self);
    }
    return code;
}

/* The stream is closed by whoever called. */
int connection_serve(uva_stream_t *stream, void *arg) {
    server_t *server = arg;
    connection_t self = {
        .server = server, .stream = stream, .store = &server->stores[0]};
    server->connections_made++;
    server->connections_open++;
    LIST_INSERT_HEAD(&server->connections, &self, link);
    uva_scope_open(&self.scope, server->settings->idle_ms, 0);
    int code = request_init(&self.request, &server->settings->limits);
    if (code == 0)
        code = serve(&self);
    (void)uva_scope_close(&self.scope); /* why it was cut is nobody's concern */
    request_free(&self.request);
    reply_free(&self.reply);
    LIST_REMOVE(&self, link);
    server->connections_open--;
    return code;
}

void connections_stop(server_t *server) {
    for (connection_t *each = LIST_FIRST(&server->connections); each != NULL;
         each = LIST_NEXT(each, link))
        if (each->is_waiting)
            uva_scope_cancel(&each->scope);
}
