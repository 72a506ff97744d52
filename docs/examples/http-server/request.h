/*
 * A request, as llhttp finds it in the bytes that arrive.
 *
 * The texts of the head point into the memory that was fed, so all of a head
 * must have been fed from one place, and stay there while the request is
 * answered. The body is collected, up to a limit.
 */
#ifndef HTTP_REQUEST_H
#define HTTP_REQUEST_H

#include <llhttp.h>
#include <stdbool.h>
#include <stddef.h>

#include "text.h"

typedef enum stage {
    REQUEST_HEAD,     /* more of the head is to come */
    REQUEST_BODY,     /* the head is there, more of the body is to come */
    REQUEST_COMPLETE, /* all is there */
    REQUEST_REFUSED   /* it is answered with the status `refusal` */
} stage_t;

typedef struct request {
    llhttp_t parser;
    stage_t stage;
    int refusal;
    text_t target; /* as it was sent */
    text_t path;   /* of the target, up to its query; still encoded */
    text_t host;
    text_t if_none_match;
    text_t if_modified_since;
    text_t expect;
    unsigned hosts; /* how many Host fields there are */
    char *body;
    size_t body_bytes;
    size_t body_capacity;
    size_t body_limit;
    text_t name;   /* of the field that is being parsed */
    text_t *value; /* where its value goes; NULL: nobody asks for it */
} request_t;

/* Before the first request of a connection. */
void request_init(request_t *request, size_t body_limit);

/* Before each request: behind a complete one the parser goes on by itself. */
void request_begin(request_t *request);

/* Frees the body. */
void request_end(request_t *request);

/* Feeds bytes; it stops where the head ends if a body follows, and where the
 * request ends. Returns how many were used: all of them while more is to
 * come. */
size_t request_feed(request_t *request, const char *data, size_t bytes);

/* The request will not be answered but with this status. */
void request_refuse(request_t *request, int status);

static inline llhttp_method_t request_method(const request_t *request) {
    return (llhttp_method_t)request->parser.method;
}

/* The connection may go on after this one. */
static inline bool request_keeps_alive(const request_t *request) {
    return llhttp_should_keep_alive(&request->parser) != 0;
}

/* The client waits for "100 Continue" before it sends the body. HTTP/1.0 has no
 * such thing, whatever the head says. */
static inline bool request_expects_continue(const request_t *request) {
    return request->parser.http_minor > 0 &&
           text_equal_nocase(request->expect, TEXT("100-continue"));
}

#endif
