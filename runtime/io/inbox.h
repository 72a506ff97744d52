/*
 * Bytes that have arrived and that nobody has read, base[start .. end).
 */
#ifndef UVA__IO_INBOX_H
#define UVA__IO_INBOX_H

#include <stdbool.h>
#include <stddef.h>

/* What is made room for, and how much may be left of it when a source that
 * paused goes on. */
enum { UVA__INBOX_BYTES = 65536, UVA__INBOX_LOW = UVA__INBOX_BYTES / 4 };

typedef struct uva__inbox {
    char *base; /* NULL while nothing had to be kept */
    size_t start;
    size_t end;
    size_t capacity;
} uva__inbox_t;

static inline size_t uva__inbox_held(const uva__inbox_t *inbox) {
    return inbox->end - inbox->start;
}

/* Room for at least `bytes`, no fewer than UVA__INBOX_BYTES, in an empty
 * inbox; false without memory. */
bool uva__inbox_ensure(uva__inbox_t *inbox, size_t bytes);

/* Keeps bytes in an empty inbox; false without memory. */
bool uva__inbox_keep(uva__inbox_t *inbox, const char *data, size_t bytes);

/* Moves what is held to the front. */
void uva__inbox_compact(uva__inbox_t *inbox);

/* Takes up to `bytes` out; returns how many. */
size_t uva__inbox_take(uva__inbox_t *inbox, char *buffer, size_t bytes);

/* How many of the first `most` bytes that are held it takes to have the
 * delimiter with them; 0: it is not among them. */
size_t uva__inbox_find(const uva__inbox_t *inbox, const void *delimiter,
                       size_t delimiter_bytes, size_t most);

/* The slow path of uva__inbox_drop(). */
void uva__inbox_free(uva__inbox_t *inbox);

/* Frees the memory, and with it what is held. */
static inline void uva__inbox_drop(uva__inbox_t *inbox) {
    if (inbox->base != NULL)
        uva__inbox_free(inbox);
}

#endif
