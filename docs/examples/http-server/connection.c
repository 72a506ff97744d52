/*
 * What: the life of a connection.
 *
 * How: one task, read from top to bottom: read a head, read a body, answer.
 * What would be a state machine between callbacks is the place in this file.
 *
 * Time: one scope is open all the time; each phase moves its deadline, which
 * costs no system call. A client that trickles its head byte by byte does not
 * get more time by it. When the scope has cut a read short, `phase` says what
 * the client owes: 408 for half a request, nothing for an idle connection.
 *
 * System calls: for a request that came in one piece one read and one write.
 * Answers are collected while there is more input, and sent before the task
 * waits for more.
 */
#include "connection.h"

#include "access_log.h"
#include "response.h"
#include "routes.h"

/* Given to a client that is refused, to read why. */
enum { LINGER_MS = 2000 };

/* ---- phases ------------------------------------------------------------- */

static uint64_t time_of(const settings_t *settings, phase_t phase) {
    switch (phase) {
    case PHASE_WAITING:
        return settings->idle_ms;
    case PHASE_HEAD:
        return settings->head_ms;
    case PHASE_BODY:
        return settings->body_ms;
    default:
        return settings->send_ms;
    }
}

void connection_enter(connection_t *self, phase_t phase) {
    uint64_t time_ms = time_of(self->server->settings, phase);
    self->phase = phase;
    if (uva_scope_reschedule(&self->deadline, time_ms) == 0)
        return;
    /* The wait was over and its deadline passed, or the server stopped, in the
     * same moment. What has arrived has arrived: go on with it. */
    (void)uva_scope_close(&self->deadline);
    uva_scope_open(&self->deadline, time_ms, 0);
}

void connection_stop(connection_t *self) {
    if (self->phase == PHASE_WAITING)
        uva_scope_cancel(&self->deadline);
}

/* ---- reading ------------------------------------------------------------ */

/* More input behind what there is. */
static int receive(connection_t *self) {
    ssize_t got = uva_read(self->stream, self->input + self->end,
                           sizeof self->input - self->end);
    if (got < 0)
        return (int)got;
    self->end += (size_t)got;
    return 0;
}

/* Makes room for a head of any allowed length, in one piece, and as much again
 * and more for its body. Most often everything has been parsed and the front is
 * free. */
static void make_room(connection_t *self) {
    size_t left = self->end - self->start;
    if (left > 0 && self->start <= INPUT_BYTES / 2)
        return;
    if (left > 0)
        memmove(self->input, self->input + self->start, left);
    self->start = 0;
    self->end = left;
}

static int receive_head(connection_t *self, bool has_begun) {
    phase_t phase = has_begun ? PHASE_HEAD : PHASE_WAITING;
    int code = response_flush(self);
    if (code < 0)
        return code;
    if (!has_begun && self->server->is_stopping)
        return UV_EOF;
    if (self->phase != phase) /* the time of a head runs from its beginning */
        connection_enter(self, phase);
    return receive(self);
}

/* Reads until the head is there; or a code. */
static int read_head(connection_t *self) {
    request_t *request = &self->request;
    make_room(self);
    request_begin(request);
    size_t begin = self->start;
    size_t limit = begin + self->server->settings->head_limit;
    for (;;) {
        size_t end = self->end < limit ? self->end : limit;
        if (end > self->start)
            self->start += request_feed(request, self->input + self->start,
                                        end - self->start);
        if (request->stage != REQUEST_HEAD)
            return 0;
        if (self->start == limit) {
            request_refuse(request, 431);
            return 0;
        }
        int code = receive_head(self, self->start > begin);
        if (code < 0)
            return code;
    }
}

/* Reads until the body is there; or a code. What comes of it is taken over by
 * the request, so its place in the input, behind the head, is used again. */
static int read_body(connection_t *self) {
    request_t *request = &self->request;
    size_t begin = self->start;
    int code = 0;
    connection_enter(self, PHASE_BODY);
    if (request_expects_continue(request) && self->start == self->end)
        code = response_continue(self);
    while (code == 0 && request->stage == REQUEST_BODY) {
        if (self->start == self->end) {
            self->start = self->end = begin;
            code = response_flush(self);
            if (code == 0)
                code = receive(self);
            if (code < 0)
                break;
        }
        self->start += request_feed(request, self->input + self->start,
                                    self->end - self->start);
    }
    return code;
}

/* ---- answering ---------------------------------------------------------- */

/* Answers one request: 0; a code < 0 when the connection is over; a status > 0
 * when it must be refused. */
static int serve_request(connection_t *self) {
    request_t *request = &self->request;
    int code = read_head(self);
    if (code == 0 && request->stage == REQUEST_BODY)
        code = read_body(self);
    if (code < 0)
        return code;
    if (request->stage == REQUEST_REFUSED)
        return request->refusal;
    if (self->phase != PHASE_ANSWERING)
        connection_enter(self, PHASE_ANSWERING);
    self->is_last = !request_keeps_alive(request) || self->server->is_stopping;
    code = route(self);
    response_end(self);
    request_end(request);
    if (code == 0 && self->is_last) {
        code = response_flush(self);
        return code < 0 ? code : UV_EOF;
    }
    return code;
}

/* Says why, and reads what the client is still sending: closing a socket with
 * unread input resets the connection, and may take the answer with it. */
static int refuse(connection_t *self, int status) {
    self->phase = PHASE_ANSWERING;
    self->is_last = true;
    uva_scope_open(&self->deadline, LINGER_MS, 0);
    int code = response_flush(self); /* the answers before it */
    if (code == 0)
        code = response_error(self, status);
    response_end(self);
    if (code == 0)
        code = response_flush(self);
    if (code == 0)
        code = uva_shutdown(self->stream);
    while (code >= 0)
        code = (int)uva_read(self->stream, self->input, sizeof self->input);
    (void)uva_scope_close(&self->deadline);
    return code;
}

static void join(connection_t *self) {
    server_t *server = self->server;
    LIST_INSERT_HEAD(&server->connections, self, link);
    server->connections_open++;
    server->connections_made++;
}

static void leave(connection_t *self) {
    server_t *server = self->server;
    LIST_REMOVE(self, link);
    server->connections_open--;
    request_end(&self->request);
    output_give(&server->outputs, self->output);
}

int connection_serve(uva_stream_t *stream, void *arg) {
    connection_t self; /* not cleared: most of it is input */
    self.server = arg;
    self.stream = stream;
    self.phase = PHASE_WAITING;
    self.output = NULL;
    self.status = 0;
    self.sent = 0;
    self.is_last = false;
    self.start = self.end = 0;
    request_init(&self.request, self.server->settings->body_limit);
    if (self.server->log != NULL)
        access_log_client(stream, self.client);
    join(&self);
    uva_scope_open(&self.deadline, self.server->settings->idle_ms, 0);
    int code;
    do
        code = serve_request(&self);
    while (code == 0);
    int why = uva_scope_close(&self.deadline);
    if (why == UV_ETIMEDOUT &&
        (self.phase == PHASE_HEAD || self.phase == PHASE_BODY))
        code = 408;
    if (code > 0)
        code = refuse(&self, code);
    leave(&self);
    return code;
}
