/*
 * The items of a queue: a ring of pointers, from whose end (lifo) or start
 * (fifo) they are taken, or a binary heap. Always a power of two of places, in
 * one block, which doubles when it is full.
 */
#ifndef UVA__QUEUE_ITEMS_H
#define UVA__QUEUE_ITEMS_H

#include "runtime/seam.h"
#include "uvawait/queue.h"

/* A place in the heap. */
typedef struct uva__ranked {
    void *item;
    uint64_t order; /* counts the items put: equal ones keep their order */
} uva__ranked_t;

/* More than so many could not be counted in bytes after the next doubling. */
enum { UVA__PLACE_BYTES = sizeof(uva__ranked_t) };
#define UVA__QUEUE_MOST ((size_t)PTRDIFF_MAX / UVA__PLACE_BYTES / 2)

/* Makes room for so many items at least; UV_ENOMEM leaves it as it was. */
int uva__queue_reserve(uva_queue_t *queue, size_t places);

/* Into and out of the heap; push has room. */
void uva__heap_push(uva_queue_t *queue, void *item);
void *uva__heap_pop(uva_queue_t *queue);

/* Adds an item; there is room, or it is made: 0 or UV_ENOMEM. */
static inline int uva__queue_push(uva_queue_t *queue, void *item) {
    if (UVA__UNLIKELY(queue->count == queue->places)) {
        int code = uva__queue_reserve(queue, queue->count + 1);
        if (code < 0)
            return code;
    }
    if (queue->compare != NULL) {
        uva__heap_push(queue, item);
        return 0;
    }
    void **ring = queue->items;
    ring[(queue->first + queue->count++) & (queue->places - 1)] = item;
    return 0;
}

/* Takes the item whose turn it is; there is one. */
static inline void *uva__queue_pop(uva_queue_t *queue) {
    if (queue->compare != NULL)
        return uva__heap_pop(queue);
    void *const *ring = queue->items;
    size_t at = queue->first;
    queue->count--;
    if (queue->is_lifo)
        at += queue->count;
    else
        queue->first++;
    return ring[at & (queue->places - 1)];
}

#endif
