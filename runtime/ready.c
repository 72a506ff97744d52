/*
 * What: growing and shuffling the ring of ready.h.
 *
 * The random schedule is Fisher-Yates, one step for each entry taken, over the
 * entries of the tick, so every order of a tick is possible. The generator is
 * xorshift64* (Marsaglia, "Xorshift RNGs", 2003; Vigna, 2016).
 */
#include "ready.h"

#include <stdlib.h>

enum { FIRST_CAPACITY = 64 };

int uva__ready_init(uva__ready_t *ready, uint64_t seed) {
    *ready = (uva__ready_t){.random = seed};
    ready->ring = malloc(FIRST_CAPACITY * sizeof *ready->ring);
    if (ready->ring == NULL)
        return UV_ENOMEM;
    ready->mask = FIRST_CAPACITY - 1;
    return 0;
}

void uva__ready_term(uva__ready_t *ready) {
    free(ready->ring);
    ready->ring = NULL;
}

int uva__ready_grow(uva__ready_t *ready) {
    size_t capacity = (ready->mask + 1) * 2;
    uva__entry_t *ring = malloc(capacity * sizeof *ring);
    if (ring == NULL)
        return UV_ENOMEM;
    for (size_t i = ready->head; i != ready->tail; i++)
        ring[i & (capacity - 1)] = ready->ring[i & ready->mask];
    free(ready->ring);
    ready->ring = ring;
    ready->mask = capacity - 1;
    return 0;
}

void uva__ready_shuffle(uva__ready_t *ready) {
    ready->random ^= ready->random >> 12;
    ready->random ^= ready->random << 25;
    ready->random ^= ready->random >> 27;
    uint64_t random = ready->random * UINT64_C(2685821657736338717) >> 32;
    size_t other = ready->head + random % (ready->tick_end - ready->head);
    uva__entry_t *a = &ready->ring[ready->head & ready->mask];
    uva__entry_t *b = &ready->ring[other & ready->mask];
    uva__entry_t swap = *a;
    *a = *b;
    *b = swap;
}
