/*
 * Answers: heads, bodies, and sending them.
 *
 * All that return an int return 0, or a negative code when the connection is
 * over.
 */
#ifndef HTTP_RESPONSE_H
#define HTTP_RESPONSE_H

#include "connection.h"

typedef struct response {
    int status;
    const char *type; /* of the content; NULL: there is none */
    uint64_t bytes;   /* of the content, also when it is not sent (HEAD) */
    text_t fields;    /* further ones, each with its "\r\n" */
} response_t;

/* The head of an answer. */
int response_begin(connection_t *connection, const response_t *response);

/* Whether a body follows the head: not for HEAD and 304. */
bool response_has_body(const connection_t *connection);

/* Some of the body. */
int response_write(connection_t *connection, const char *data, size_t bytes);

/* A whole answer. */
int response_send(connection_t *connection, int status, const char *type,
                  text_t body);

/* A whole answer that only says what its status means. */
int response_error(connection_t *connection, int status);

/* An error with further fields. */
int response_error_with(connection_t *connection, int status, text_t fields);

/* "100 Continue", before the answer. */
int response_continue(connection_t *connection);

/* The answer is made, or as much of it as there will be: it is logged. */
void response_end(connection_t *connection);

/* Sends what has been collected. Parks while the client takes no more. */
int response_flush(connection_t *connection);

#endif
