/*
 * What: the spare output buffers.
 *
 * How: a stack of them, so that the one that was used last, which the
 * processor's cache still has, is used next. After a rush only a few are kept.
 */
#include "output.h"

#include <stdlib.h>

enum { SPARE_MAX = 64 };

output_t *output_take(output_pool_t *pool) {
    output_t *output = pool->spare;
    if (output == NULL) {
        output = malloc(sizeof *output);
        if (output == NULL)
            return NULL;
    } else {
        pool->spare = output->next;
        pool->count--;
    }
    output->used = 0;
    return output;
}

void output_give(output_pool_t *pool, output_t *output) {
    if (output == NULL)
        return;
    if (pool->count == SPARE_MAX) {
        free(output);
        return;
    }
    output->next = pool->spare;
    pool->spare = output;
    pool->count++;
}

void output_pool_free(output_pool_t *pool) {
    while (pool->spare != NULL) {
        output_t *output = pool->spare;
        pool->spare = output->next;
        free(output);
    }
    pool->count = 0;
}
