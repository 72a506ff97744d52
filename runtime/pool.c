/*
 * What: where the pools of pool.h get their slabs from.
 *
 * How: a slab is one malloc, cut from its start as blocks are first taken, so
 * that a fresh slab is touched in order. Slabs double from 16 blocks to 4096;
 * they are freed with the runtime.
 */
#include "pool.h"

#include "assert.h"

enum { FIRST_SLAB_BLOCKS = 16, LAST_SLAB_BLOCKS = 4096 };

/* Adds a slab; false without memory. */
static bool add_slab(uva__pool_t *pool, size_t block_bytes) {
    size_t blocks = pool->slab_blocks * 2;
    if (blocks == 0)
        blocks = FIRST_SLAB_BLOCKS;
    if (blocks > LAST_SLAB_BLOCKS)
        blocks = LAST_SLAB_BLOCKS;
    /* The link to the next slab comes first, then blocks on whole lines. */
    char *slab = malloc(blocks * block_bytes + 2 * UVA__POOL_LINE);
    if (slab == NULL)
        return false;
    *(void **)(void *)slab = pool->slabs;
    pool->slabs = slab;
    pool->slab_blocks = blocks;
    uintptr_t first = (uintptr_t)slab + sizeof(void *) + UVA__POOL_LINE - 1;
    first &= ~(uintptr_t)(UVA__POOL_LINE - 1);
    pool->fresh = slab + (first - (uintptr_t)slab);
    pool->fresh_end = pool->fresh + blocks * block_bytes;
    return true;
}

void *uva__pool_grow(uva__pool_t *pool, size_t block_bytes) {
    if (pool->fresh == pool->fresh_end && !add_slab(pool, block_bytes))
        return NULL;
    char *block = pool->fresh;
    pool->fresh += block_bytes;
    return block;
}

void uva__pools_term(uva__pools_t *pools) {
    UVA__ASSERT(pools->taken == 0);
    for (size_t i = 0; i < UVA__POOL_CLASSES; i++) {
        void *slab = pools->classes[i].slabs;
        while (slab != NULL) {
            void *next = *(void **)slab;
            free(slab);
            slab = next;
        }
        pools->classes[i] = (uva__pool_t){0};
    }
}
