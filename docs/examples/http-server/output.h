/*
 * What is to be sent, collected so that an answer, or many answers to pipelined
 * requests, is one system call. The buffers are the server's: a connection has
 * one only from the first byte of an answer until it is sent.
 */
#ifndef HTTP_OUTPUT_H
#define HTTP_OUTPUT_H

#include <stddef.h>

enum { OUTPUT_BYTES = 16 << 10 };

typedef struct output {
    struct output *next; /* among the spare ones */
    size_t used;
    char bytes[OUTPUT_BYTES];
} output_t;

typedef struct output_pool {
    output_t *spare;
    size_t count; /* of the spare ones */
} output_pool_t;

/* A buffer with nothing in it; NULL without memory. */
output_t *output_take(output_pool_t *pool);

/* Gives one back; NULL is fine. */
void output_give(output_pool_t *pool, output_t *output);

void output_pool_free(output_pool_t *pool);

#endif
