/*
 * What: from bytes to a request, by llhttp.
 *
 * How: llhttp calls back for each piece of what it knows; a piece may be half a
 * header name, when the rest has not arrived. Since a head lies in one place,
 * pieces are put together by making the text longer. At two places the parser
 * is paused, which is how it tells us where in the bytes it stands: behind a
 * head that has a body, so that the connection can look at the head first, and
 * behind the request, so that the next one of a pipeline is not begun before
 * this one is answered.
 *
 * What is checked here and not by llhttp: the Host field that RFC 9112 asks
 * for, the version, and our limit of the body.
 */
#include "request.h"

#include <stdlib.h>

enum { FIRST_BODY_BYTES = 4096 };

static void extend(text_t *text, const char *at, size_t bytes) {
    if (text->bytes == 0)
        text->base = at;
    text->bytes = (size_t)(at + bytes - text->base);
}

void request_refuse(request_t *request, int status) {
    request->stage = REQUEST_REFUSED;
    request->refusal = status;
}

/* ---- the head ----------------------------------------------------------- */

static int on_url(llhttp_t *parser, const char *at, size_t bytes) {
    request_t *request = parser->data;
    extend(&request->target, at, bytes);
    return 0;
}

/* Fields behind the last chunk, "trailers", are none of ours: they might come
 * from somebody else than the head. */
static int on_header_field(llhttp_t *parser, const char *at, size_t bytes) {
    request_t *request = parser->data;
    if (request->stage == REQUEST_HEAD)
        extend(&request->name, at, bytes);
    return 0;
}

/* Where the value of a field goes. The length rules out nearly all. */
static text_t *value_of(request_t *request, text_t name) {
    switch (name.bytes) {
    case sizeof("Host") - 1:
        if (!text_equal_nocase(name, TEXT("Host")))
            return NULL;
        request->hosts++;
        return &request->host;
    case sizeof("Expect") - 1:
        return text_equal_nocase(name, TEXT("Expect")) ? &request->expect
                                                       : NULL;
    case sizeof("If-None-Match") - 1:
        return text_equal_nocase(name, TEXT("If-None-Match"))
                   ? &request->if_none_match
                   : NULL;
    case sizeof("If-Modified-Since") - 1:
        return text_equal_nocase(name, TEXT("If-Modified-Since"))
                   ? &request->if_modified_since
                   : NULL;
    default:
        return NULL;
    }
}

static int on_header_field_complete(llhttp_t *parser) {
    request_t *request = parser->data;
    request->value = value_of(request, request->name);
    request->name.bytes = 0;
    if (request->value != NULL)
        request->value->bytes = 0; /* of two the last one counts */
    return 0;
}

static int on_header_value(llhttp_t *parser, const char *at, size_t bytes) {
    request_t *request = parser->data;
    if (request->value != NULL)
        extend(request->value, at, bytes);
    return 0;
}

static int on_header_value_complete(llhttp_t *parser) {
    request_t *request = parser->data;
    request->value = NULL;
    return 0;
}

/* "/a/b?c" and "http://host/a/b?c" both have the path "/a/b". */
static text_t path_of(text_t target) {
    text_t path = target;
    const char *scheme = NULL;
    if (target.bytes > 0 && target.base[0] != '/')
        scheme = memmem(target.base, target.bytes, "://", 3);
    if (scheme != NULL) {
        size_t used = (size_t)(scheme + 3 - target.base);
        const char *slash = memchr(scheme + 3, '/', target.bytes - used);
        if (slash == NULL)
            return TEXT("/");
        path.base = slash;
        path.bytes = target.bytes - (size_t)(slash - target.base);
    }
    const char *query = memchr(path.base, '?', path.bytes);
    if (query != NULL)
        path.bytes = (size_t)(query - path.base);
    return path;
}

/* What is wrong with the head, as a status; 0: nothing. */
static int judge(const request_t *request) {
    const llhttp_t *parser = &request->parser;
    if (parser->http_major != 1)
        return 505;
    if (request->hosts > 1 || (request->hosts == 0 && parser->http_minor > 0))
        return 400;
    if (request->expect.bytes > 0 && parser->http_minor > 0 &&
        !request_expects_continue(request))
        return 417;
    if (parser->content_length > request->body_limit)
        return 413;
    return 0;
}

static int on_headers_complete(llhttp_t *parser) {
    request_t *request = parser->data;
    request->path = path_of(request->target);
    parser->upgrade = 0; /* a wish, which need not be granted */
    int status = judge(request);
    if (status != 0) {
        request_refuse(request, status);
        return -1;
    }
    if ((parser->flags & F_CHUNKED) == 0 && parser->content_length == 0)
        return 0;
    request->stage = REQUEST_BODY;
    return HPE_PAUSED;
}

/* ---- the body ----------------------------------------------------------- */

static bool make_room(request_t *request, size_t bytes) {
    size_t capacity = request->body_capacity;
    if (capacity == 0)
        capacity = FIRST_BODY_BYTES;
    while (capacity < bytes)
        capacity *= 2;
    if (capacity == request->body_capacity)
        return true;
    char *body = realloc(request->body, capacity);
    if (body == NULL)
        return false;
    request->body = body;
    request->body_capacity = capacity;
    return true;
}

static int on_body(llhttp_t *parser, const char *at, size_t bytes) {
    request_t *request = parser->data;
    if (bytes > request->body_limit - request->body_bytes) {
        request_refuse(request, 413); /* of chunks nobody knew before */
        return HPE_USER;
    }
    if (!make_room(request, request->body_bytes + bytes)) {
        request_refuse(request, 503);
        return HPE_USER;
    }
    memcpy(request->body + request->body_bytes, at, bytes);
    request->body_bytes += bytes;
    return 0;
}

static int on_message_complete(llhttp_t *parser) {
    request_t *request = parser->data;
    request->stage = REQUEST_COMPLETE;
    return HPE_PAUSED;
}

/* ---- feeding ------------------------------------------------------------ */

static const llhttp_settings_t callbacks = {
    .on_url = on_url,
    .on_header_field = on_header_field,
    .on_header_field_complete = on_header_field_complete,
    .on_header_value = on_header_value,
    .on_header_value_complete = on_header_value_complete,
    .on_headers_complete = on_headers_complete,
    .on_body = on_body,
    .on_message_complete = on_message_complete,
};

void request_init(request_t *request, size_t body_limit) {
    memset(request, 0, sizeof *request);
    request->body_limit = body_limit;
    llhttp_init(&request->parser, HTTP_REQUEST, &callbacks);
    request->parser.data = request;
    request_begin(request);
}

void request_begin(request_t *request) {
    static const text_t none = {"", 0};
    request->stage = REQUEST_HEAD;
    request->target = request->path = none;
    request->host = request->expect = none;
    request->if_none_match = request->if_modified_since = none;
    request->hosts = 0;
    request->name = none;
    request->value = NULL;
}

void request_end(request_t *request) {
    free(request->body);
    request->body = NULL;
    request->body_bytes = 0;
    request->body_capacity = 0;
}

size_t request_feed(request_t *request, const char *data, size_t bytes) {
    llhttp_t *parser = &request->parser;
    llhttp_errno_t code = llhttp_execute(parser, data, bytes);
    if (code == HPE_OK)
        return bytes;
    if (code == HPE_PAUSED) {
        size_t used = (size_t)(llhttp_get_error_pos(parser) - data);
        llhttp_resume(parser);
        return used;
    }
    if (request->stage != REQUEST_REFUSED)
        request_refuse(request, code == HPE_INVALID_VERSION ? 505 : 400);
    return 0;
}
