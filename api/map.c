/*
 * What: uva_map(): a function over an array, so many at once.
 *
 * How: as many workers as may run at once take the next item until none is
 * left; gathering them gives the rest: the first failure cancels the others,
 * waits for them, and is returned.
 */
#include <stdlib.h>

#include "runtime/seam.h"
#include "uvawait/combine.h"

enum { SMALL_LIMIT = 8 };

typedef struct mapping {
    uva_fn fn;
    char *items;
    size_t count;
    size_t item_bytes;
    size_t next; /* the first item that nobody has begun */
} mapping_t;

/* A worker; cancelled, it begins no other item. */
static int work(void *arg) {
    mapping_t *mapping = arg;
    uva__task_t *task = uva__running("uva_map");
    while (mapping->next < mapping->count) {
        int code = uva__may_park(task);
        if (code == 0)
            code = mapping->fn(mapping->items +
                               mapping->next++ * mapping->item_bytes);
        if (code < 0) {
            mapping->count = 0;
            return code;
        }
    }
    return 0;
}

int uva_map(uva_fn fn, void *items, size_t count, size_t item_bytes,
            size_t limit) {
    if (fn == NULL || limit == 0 || (items == NULL && count > 0))
        return UV_EINVAL;
    if (uva__running("uva_map") == NULL)
        return UV_EPERM;
    if (limit > count)
        limit = count;
    mapping_t mapping = {fn, items, count, item_bytes, 0};
    uva_future_t *small[SMALL_LIMIT];
    uva_future_t **workers = small;
    if (limit > SMALL_LIMIT)
        workers = malloc(limit * sizeof(uva_future_t *));
    if (workers == NULL)
        return UV_ENOMEM;
    for (size_t i = 0; i < limit; i++)
        workers[i] = uva_spawn_with_at("uva_map()",
                                       &(uva_task_options_t){.name = "uva_map"},
                                       work, &mapping);
    int code = uva_gather(workers, limit, NULL);
    if (workers != small)
        free(workers);
    return code;
}
