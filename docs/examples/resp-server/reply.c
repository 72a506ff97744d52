/*
 * What: RESP2 as text.
 *
 * How: a failure sticks: after it nothing is added, and who sends the replies
 * looks at it once. So the commands need not.
 */
#include "reply.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    ROOM_BYTES = 512,          /* to begin with */
    KEEP_BYTES = 64 << 10,     /* what a connection may keep for good */
    REPLY_BYTES_MAX = 1 << 28, /* a client that wants more is cut off */
    HEAD_BYTES_MAX = 24,       /* "$", a number, "\r\n" */
    ERROR_BYTES_MAX = 256
};

/* Where `bytes` may be written; NULL after a failure. */
static char *reserve(reply_t *reply, size_t bytes) {
    if (reply->code != 0)
        return NULL;
    if (bytes <= reply->room - reply->size)
        return reply->data + reply->size;
    if (bytes > REPLY_BYTES_MAX - reply->size) {
        reply->code = UV_E2BIG;
        return NULL;
    }
    size_t room = 2 * (reply->size + bytes);
    room = room > ROOM_BYTES ? room : ROOM_BYTES;
    char *data = realloc(reply->data, room);
    if (data == NULL) {
        reply->code = UV_ENOMEM;
        return NULL;
    }
    reply->data = data;
    reply->room = room;
    return data + reply->size;
}

/* Writes kind, value, "\r\n"; what stands behind it. There is room. */
static char *put_head(char *at, char kind, int64_t value) {
    char digits[HEAD_BYTES_MAX];
    char *first = digits + sizeof digits;
    uint64_t rest = value < 0 ? 0 - (uint64_t)value : (uint64_t)value;
    do {
        *--first = (char)('0' + rest % 10);
        rest /= 10;
    } while (rest > 0);
    if (value < 0)
        *--first = '-';
    size_t count = (size_t)(digits + sizeof digits - first);
    *at++ = kind;
    memcpy(at, first, count);
    at += count;
    *at++ = '\r';
    *at++ = '\n';
    return at;
}

static void add_head(reply_t *reply, char kind, int64_t value) {
    char *at = reserve(reply, HEAD_BYTES_MAX);
    if (at != NULL)
        reply->size = (size_t)(put_head(at, kind, value) - reply->data);
}

static void add_line(reply_t *reply, char kind, const char *text, size_t size) {
    char *at = reserve(reply, size + 3);
    if (at == NULL)
        return;
    at[0] = kind;
    memcpy(at + 1, text, size);
    at[size + 1] = '\r';
    at[size + 2] = '\n';
    reply->size += size + 3;
}

void reply_status(reply_t *reply, const char *text) {
    add_line(reply, '+', text, strlen(text));
}

/* What a client sent may be quoted in it: it must stay one line. */
void reply_error(reply_t *reply, const char *format, ...) {
    char text[ERROR_BYTES_MAX];
    va_list arguments;
    va_start(arguments, format);
    (void)vsnprintf(text, sizeof text, format, arguments);
    va_end(arguments);
    for (char *at = text; *at != '\0'; at++)
        if (*at == '\r' || *at == '\n')
            *at = ' ';
    add_line(reply, '-', text, strlen(text));
}

void reply_integer(reply_t *reply, int64_t value) {
    add_head(reply, ':', value);
}

void reply_bulk(reply_t *reply, bytes_t bytes) {
    char *at = reserve(reply, HEAD_BYTES_MAX + bytes.size + 2);
    if (at == NULL)
        return;
    at = put_head(at, '$', (int64_t)bytes.size);
    if (bytes.size > 0)
        memcpy(at, bytes.data, bytes.size);
    at += bytes.size;
    *at++ = '\r';
    *at++ = '\n';
    reply->size = (size_t)(at - reply->data);
}

void reply_text(reply_t *reply, const char *text) {
    reply_bulk(reply, (bytes_t){.data = text, .size = strlen(text)});
}

void reply_nil(reply_t *reply) {
    add_head(reply, '$', -1);
}

void reply_array(reply_t *reply, size_t count) {
    add_head(reply, '*', (int64_t)count);
}

void reply_free(reply_t *reply) {
    free(reply->data);
    *reply = (reply_t){0};
}

void reply_clear(reply_t *reply) {
    reply->size = 0;
    if (reply->room > KEEP_BYTES)
        reply_free(reply);
}
