/*
 * What: the bytes that a stream holds for its reader.
 */
#include "inbox.h"

#include <stdlib.h>
#include <string.h>

#include "../assert.h"

bool uva__inbox_ensure(uva__inbox_t *inbox, size_t bytes) {
    UVA__ASSERT(uva__inbox_held(inbox) == 0);
    if (bytes < UVA__INBOX_BYTES)
        bytes = UVA__INBOX_BYTES;
    inbox->start = inbox->end = 0;
    if (inbox->capacity >= bytes)
        return true;
    free(inbox->base);
    inbox->base = malloc(bytes);
    inbox->capacity = inbox->base != NULL ? bytes : 0;
    return inbox->base != NULL;
}

bool uva__inbox_keep(uva__inbox_t *inbox, const char *data, size_t bytes) {
    if (!uva__inbox_ensure(inbox, bytes))
        return false;
    memcpy(inbox->base, data, bytes);
    inbox->end = bytes;
    return true;
}

void uva__inbox_compact(uva__inbox_t *inbox) {
    size_t bytes = uva__inbox_held(inbox);
    if (inbox->start == 0)
        return;
    memmove(inbox->base, inbox->base + inbox->start, bytes);
    inbox->start = 0;
    inbox->end = bytes;
}

size_t uva__inbox_take(uva__inbox_t *inbox, char *buffer, size_t bytes) {
    size_t held = uva__inbox_held(inbox);
    if (bytes > held)
        bytes = held;
    if (bytes == 0)
        return 0;
    memcpy(buffer, inbox->base + inbox->start, bytes);
    inbox->start += bytes;
    return bytes;
}

size_t uva__inbox_find(const uva__inbox_t *inbox, const void *delimiter,
                       size_t delimiter_bytes, size_t most) {
    size_t held = uva__inbox_held(inbox);
    if (most > held)
        most = held;
    if (most == 0)
        return 0;
    const char *first = inbox->base + inbox->start;
    const char *found = memmem(first, most, delimiter, delimiter_bytes);
    return found != NULL ? (size_t)(found - first) + delimiter_bytes : 0;
}

void uva__inbox_free(uva__inbox_t *inbox) {
    free(inbox->base);
    *inbox = (uva__inbox_t){0};
}
