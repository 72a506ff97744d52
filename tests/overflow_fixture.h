/*
 * overflow_fixture.h - what the tests of stack overflows share: a recursion
 * that does not end.
 */
#ifndef OVERFLOW_FIXTURE_H
#define OVERFLOW_FIXTURE_H

#include <stddef.h>

/* Hidden from the compiler, which would see that the recursion never ends. */
static volatile size_t frame_bytes = 512;

/* Frames of 2 KiB, each touched somewhere. */
__attribute__((noinline, unused)) static size_t recurse(size_t depth) {
    volatile char frame[2048];
    frame[depth % sizeof frame] = (char)depth;
    if (frame_bytes == 0)
        return depth;
    return recurse(depth + 1) + (size_t)frame[depth % sizeof frame];
}

#endif
