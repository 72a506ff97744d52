/*
 * What: answers, put together in the connection's output buffer.
 *
 * How: by copying texts one behind the other; printf would be a large part of
 * what a small answer costs. A body that does not fit into the buffer goes out
 * from where it is, together with the buffer, by one call of uva_writev().
 */
#include "response.h"

enum { HEAD_BYTES = 512 }; /* at most, without `fields` */

/* ---- texts -------------------------------------------------------------- */

static text_t status_text(int status) {
    switch (status) {
    case 200:
        return TEXT("200 OK");
    case 301:
        return TEXT("301 Moved Permanently");
    case 304:
        return TEXT("304 Not Modified");
    case 400:
        return TEXT("400 Bad Request");
    case 403:
        return TEXT("403 Forbidden");
    case 404:
        return TEXT("404 Not Found");
    case 405:
        return TEXT("405 Method Not Allowed");
    case 408:
        return TEXT("408 Request Timeout");
    case 413:
        return TEXT("413 Content Too Large");
    case 417:
        return TEXT("417 Expectation Failed");
    case 431:
        return TEXT("431 Request Header Fields Too Large");
    case 503:
        return TEXT("503 Service Unavailable");
    case 505:
        return TEXT("505 HTTP Version Not Supported");
    default:
        return TEXT("500 Internal Server Error");
    }
}

static void put(output_t *output, text_t text) {
    memcpy(output->bytes + output->used, text.base, text.bytes);
    output->used += text.bytes;
}

static void put_number(output_t *output, uint64_t number) {
    char digits[20];
    size_t at = sizeof digits;
    do
        digits[--at] = (char)('0' + number % 10);
    while ((number /= 10) > 0);
    put(output, (text_t){digits + at, sizeof digits - at});
}

/* ---- sending ------------------------------------------------------------ */

/* Sends what has been collected, and `bytes` more. */
static int send_with(connection_t *self, const char *data, size_t bytes) {
    uv_buf_t buffers[2];
    unsigned count = 0;
    if (self->output != NULL)
        buffers[count++] =
            uv_buf_init(self->output->bytes, (unsigned)self->output->used);
    if (bytes > 0)
        buffers[count++] =
            uv_buf_init((char *)(uintptr_t)data, (unsigned)bytes);
    ssize_t code = count > 0 ? uva_writev(self->stream, buffers, count) : 0;
    output_give(&self->server->outputs, self->output);
    self->output = NULL;
    return code < 0 ? (int)code : 0;
}

int response_flush(connection_t *self) {
    return self->output != NULL ? send_with(self, NULL, 0) : 0;
}

/* An output buffer with room for so much, which must fit into an empty one. */
static int reserve(connection_t *self, size_t bytes) {
    if (self->output != NULL && OUTPUT_BYTES - self->output->used < bytes) {
        int code = response_flush(self);
        if (code < 0)
            return code;
        connection_enter(self, self->phase); /* it has taken what there was */
    }
    if (self->output == NULL)
        self->output = output_take(&self->server->outputs);
    return self->output != NULL ? 0 : UV_ENOMEM;
}

/* ---- answers ------------------------------------------------------------ */

int response_continue(connection_t *self) {
    text_t text = TEXT("HTTP/1.1 100 Continue\r\n\r\n");
    int code = reserve(self, text.bytes);
    if (code == 0)
        put(self->output, text);
    return code;
}

/* HTTP/1.1 keeps a connection if nothing is said, HTTP/1.0 ends it. */
static text_t connection_field(const connection_t *self) {
    if (self->is_last)
        return TEXT("Connection: close\r\n");
    if (self->request.parser.http_minor == 0)
        return TEXT("Connection: keep-alive\r\n");
    return (text_t){"", 0};
}

int response_begin(connection_t *self, const response_t *response) {
    server_t *server = self->server;
    int code = reserve(self, HEAD_BYTES + response->fields.bytes);
    if (code < 0)
        return code;
    self->status = response->status;
    output_t *output = self->output;
    put(output, TEXT("HTTP/1.1 "));
    put(output, status_text(response->status));
    put(output, TEXT("\r\nServer: uvawait\r\n"));
    put(output, http_clock_field(&server->clock));
    if (response->type != NULL) {
        put(output, TEXT("Content-Type: "));
        put(output, (text_t){response->type, strlen(response->type)});
        put(output, TEXT("\r\n"));
    }
    if (response->status != 304) {
        put(output, TEXT("Content-Length: "));
        put_number(output, response->bytes);
        put(output, TEXT("\r\n"));
    }
    put(output, connection_field(self));
    put(output, response->fields);
    put(output, TEXT("\r\n"));
    return 0;
}

bool response_has_body(const connection_t *self) {
    return self->status != 304 && request_method(&self->request) != HTTP_HEAD;
}

int response_write(connection_t *self, const char *data, size_t bytes) {
    int code = 0;
    if (self->output != NULL && OUTPUT_BYTES - self->output->used >= bytes)
        put(self->output, (text_t){data, bytes});
    else
        code = send_with(self, data, bytes);
    if (code == 0)
        self->sent += bytes;
    return code;
}

int response_send(connection_t *self, int status, const char *type,
                  text_t body) {
    response_t response = {
        .status = status, .type = type, .bytes = body.bytes, .fields = {"", 0}};
    int code = response_begin(self, &response);
    if (code == 0 && response_has_body(self))
        code = response_write(self, body.base, body.bytes);
    return code;
}

int response_error_with(connection_t *self, int status, text_t fields) {
    text_t reason = status_text(status);
    response_t response = {.status = status,
                           .type = "text/plain",
                           .bytes = reason.bytes + 1,
                           .fields = fields};
    int code = response_begin(self, &response);
    if (code == 0 && response_has_body(self))
        code = response_write(self, reason.base, reason.bytes);
    if (code == 0 && response_has_body(self))
        code = response_write(self, "\n", 1);
    return code;
}

int response_error(connection_t *self, int status) {
    return response_error_with(self, status, (text_t){"", 0});
}

void response_end(connection_t *self) {
    server_t *server = self->server;
    server->requests++;
    server->body_bytes_sent += self->sent;
    if (server->log != NULL)
        access_log_add(server->log, self->client, &self->request, self->status,
                       self->sent);
    self->status = 0;
    self->sent = 0;
}
