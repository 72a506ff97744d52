/*
 * Memory for the runtime's small objects (tasks, futures, callbacks, copied
 * arguments): fixed-size blocks from slabs, last given first taken, so that hot
 * paths never reach malloc and control blocks lie dense.
 *
 * Sizes are rounded up to cache lines; each has a pool of its own. What is
 * larger than the largest goes to malloc. Under AddressSanitizer everything
 * does, so that a use after free is seen.
 */
#ifndef UVA__POOL_H
#define UVA__POOL_H

#include <stdlib.h>

#include "sanitizers.h"
#include "uvawait/base.h"

enum { UVA__POOL_LINE = 64, UVA__POOL_CLASSES = 8 };

typedef struct uva__pool {
    void *free;         /* blocks given back, each pointing to the next */
    char *fresh;        /* blocks of the newest slab never taken ... */
    char *fresh_end;    /* ... up to here */
    void *slabs;        /* all slabs, each pointing to the next */
    size_t slab_blocks; /* how many blocks the newest slab had */
} uva__pool_t;

typedef struct uva__pools {
    uva__pool_t classes[UVA__POOL_CLASSES];
    size_t taken; /* blocks of all sizes that are out */
} uva__pools_t;

/* The slow path of uva__take(). */
void *uva__pool_grow(uva__pool_t *pool, size_t block_bytes);

/* Frees the slabs; nothing may be out. */
void uva__pools_term(uva__pools_t *pools);

static inline bool uva__is_pooled(size_t bytes) {
    return !UVA__ASAN && bytes <= UVA__POOL_LINE * UVA__POOL_CLASSES;
}

/* A block of at least `bytes` (> 0), not cleared; NULL without memory. */
static inline void *uva__take(uva__pools_t *pools, size_t bytes) {
    void *block;
    if (uva__is_pooled(bytes)) {
        size_t index = (bytes - 1) / UVA__POOL_LINE;
        uva__pool_t *pool = &pools->classes[index];
        if (pool->free != NULL) {
            block = pool->free;
            pool->free = *(void **)block;
        } else {
            block = uva__pool_grow(pool, (index + 1) * UVA__POOL_LINE);
        }
    } else {
        block = malloc(bytes);
    }
    pools->taken += block != NULL;
    return block;
}

/* Gives back a block that was taken with the same size. */
static inline void uva__give(uva__pools_t *pools, void *block, size_t bytes) {
    if (block == NULL)
        return;
    pools->taken--;
    if (uva__is_pooled(bytes)) {
        uva__pool_t *pool = &pools->classes[(bytes - 1) / UVA__POOL_LINE];
        *(void **)block = pool->free;
        pool->free = block;
    } else {
        free(block);
    }
}

#endif
