/*
 * Replies: RESP2, written one behind the other into one piece of memory, which
 * is sent by one write.
 */
#ifndef RESP_REPLY_H
#define RESP_REPLY_H

#include <stdbool.h>
#include <stdint.h>
#include <uvawait.h>

#include "bytes.h"

/* All zero is empty. */
typedef struct reply {
    char *data;
    size_t size;
    size_t room;
    int code; /* 0; UV_ENOMEM, UV_E2BIG: replies are missing from here on */
} reply_t;

void reply_status(reply_t *reply, const char *text);
void reply_error(reply_t *reply, const char *format, ...) UVA_PRINTF(2, 3);
void reply_integer(reply_t *reply, int64_t value);
void reply_bulk(reply_t *reply, bytes_t bytes);
void reply_text(reply_t *reply, const char *text); /* as a bulk string */
void reply_nil(reply_t *reply);

/* As many replies have to follow. */
void reply_array(reply_t *reply, size_t count);

void reply_free(reply_t *reply);

/* Gives memory back that only an unusually large reply needed. */
void reply_clear(reply_t *reply);

#endif
