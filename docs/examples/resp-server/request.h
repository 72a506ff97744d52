/*
 * Requests: what a client's bytes mean. The protocol is read by hiredis.
 */
#ifndef RESP_REQUEST_H
#define RESP_REQUEST_H

#include <hiredis/read.h>
#include <stdbool.h>

#include "bytes.h"

typedef struct request_limits {
    size_t arguments;      /* of a request */
    size_t argument_bytes; /* of one of them */
    size_t bytes;          /* of all of them */
} request_limits_t;

/* Reads one connection's requests, one after the other, into memory that is
 * used again for each. */
typedef struct request {
    const bytes_t *arguments; /* of the request that was read last; the first
                                 is the command's name */
    size_t count;
    char error[160]; /* why the client cannot be understood */
    /* The rest is request.c's. */
    const request_limits_t *limits;
    redisReader *reader;
    bytes_t *list;
    size_t list_room;
    char *text; /* of all arguments, each followed by a NUL */
    size_t text_used;
    size_t text_room;
    bool is_begun; /* a part of it has been read */
} request_t;

/* 0 or UV_ENOMEM; in either case request_free() follows. */
int request_init(request_t *request, const request_limits_t *limits);
void request_free(request_t *request);

/* Takes what has arrived; copied. 0 or UV_ENOMEM. */
int request_feed(request_t *request, const char *data, size_t bytes);

/* The next request of what was fed: 1 with its arguments, which stay until the
 * next call; 0 when it is not complete; UV_EPROTO with `error` set, or
 * UV_ENOMEM, after which nothing more can be read. */
int request_next(request_t *request);

/* Whether everything that was fed has been read. */
bool request_is_empty(const request_t *request);

/* Gives memory back that only an unusually large request needed; between two
 * requests. */
void request_trim(request_t *request);

#endif
