/*
 * What: the memory of a queue's items, and the heap of a priority queue.
 *
 * How: a ring that grows is copied in order to the start of a larger block. In
 * the heap an item carries the number of its put, which decides between equal
 * ones: a heap alone would give them back in any order.
 *
 * Source of the heap: J. W. J. Williams, "Algorithm 232: heapsort", CACM 7
 * (1964).
 */
#include "queue_items.h"

#include <stdlib.h>
#include <string.h>

enum { FIRST_PLACES = 16 };

static size_t place_bytes(const uva_queue_t *queue) {
    return queue->compare != NULL ? sizeof(uva__ranked_t) : sizeof(void *);
}

/* Copies what there is to the start of a larger block. */
static void move_to(uva_queue_t *queue, char *items) {
    size_t bytes = place_bytes(queue);
    const char *from = queue->items;
    size_t start = 0;
    size_t until_end = queue->count;
    if (queue->places > 0) {
        start = queue->first & (queue->places - 1);
        if (until_end > queue->places - start)
            until_end = queue->places - start;
    }
    if (until_end > 0)
        memcpy(items, from + start * bytes, until_end * bytes);
    if (queue->count > until_end)
        memcpy(items + until_end * bytes, from,
               (queue->count - until_end) * bytes);
}

int uva__queue_reserve(uva_queue_t *queue, size_t places) {
    if (places > UVA__QUEUE_MOST)
        return UV_ENOMEM;
    size_t next = queue->places > 0 ? queue->places : FIRST_PLACES;
    while (next < places)
        next *= 2;
    if (next == queue->places)
        return 0;
    char *items = malloc(next * place_bytes(queue));
    if (items == NULL)
        return UV_ENOMEM;
    move_to(queue, items);
    free(queue->items);
    queue->items = items;
    queue->places = next;
    queue->first = 0;
    return 0;
}

/* ---- the heap ----------------------------------------------------------- */

static bool is_before(const uva_queue_t *queue, const uva__ranked_t *a,
                      const uva__ranked_t *b) {
    int difference = queue->compare(a->item, b->item);
    return difference != 0 ? difference < 0 : a->order < b->order;
}

void uva__heap_push(uva_queue_t *queue, void *item) {
    uva__ranked_t *heap = queue->items;
    uva__ranked_t added = {.item = item, .order = queue->order++};
    size_t at = queue->count++;
    while (at > 0 && is_before(queue, &added, &heap[(at - 1) / 2])) {
        heap[at] = heap[(at - 1) / 2];
        at = (at - 1) / 2;
    }
    heap[at] = added;
}

void *uva__heap_pop(uva_queue_t *queue) {
    uva__ranked_t *heap = queue->items;
    void *item = heap[0].item;
    uva__ranked_t last = heap[--queue->count];
    size_t at = 0;
    for (;;) {
        size_t child = 2 * at + 1;
        if (child >= queue->count)
            break;
        if (child + 1 < queue->count &&
            is_before(queue, &heap[child + 1], &heap[child]))
            child++;
        if (!is_before(queue, &heap[child], &last))
            break;
        heap[at] = heap[child];
        at = child;
    }
    heap[at] = last;
    return item;
}
