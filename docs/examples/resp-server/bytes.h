/*
 * A stretch of bytes somewhere. Keys and values may hold any byte; what a
 * request's arguments point to is followed by a NUL all the same, so that
 * functions of the C library may read them.
 */
#ifndef RESP_BYTES_H
#define RESP_BYTES_H

#include <stddef.h>

typedef struct bytes {
    const char *data;
    size_t size;
} bytes_t;

#endif
