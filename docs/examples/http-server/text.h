/*
 * A stretch of characters that somebody else owns, without a NUL at its end:
 * what the parser finds is pointed at where it was received, not copied.
 */
#ifndef HTTP_TEXT_H
#define HTTP_TEXT_H

#include <stdbool.h>
#include <stddef.h>
#include <string.h>
#include <strings.h>

typedef struct text {
    const char *base;
    size_t bytes;
} text_t;

#define TEXT(literal) ((text_t){"" literal, sizeof(literal) - 1})

static inline bool text_equal(text_t a, text_t b) {
    return a.bytes == b.bytes && memcmp(a.base, b.base, a.bytes) == 0;
}

/* As names of header fields are compared. */
static inline bool text_equal_nocase(text_t a, text_t b) {
    return a.bytes == b.bytes && strncasecmp(a.base, b.base, a.bytes) == 0;
}

#endif
