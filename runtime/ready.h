/*
 * The ready queue: what runs next, tasks and callbacks in one order.
 *
 * A ring of pointers (not a list through the control blocks), so that the next
 * ones can be prefetched and a random schedule is one swap. Every task, and
 * every callback that may become ready, reserves its place when it is made;
 * becoming ready can therefore never fail.
 *
 * A tick is what was ready at its start: head .. tick_end. What becomes ready
 * meanwhile waits for the next one.
 */
#ifndef UVA__READY_H
#define UVA__READY_H

#include "assert.h"
#include "uvawait/base.h"

/* A callback that runs in loop context: on the loop's stack, with no current
 * task. */
typedef struct uva__callback {
    void (*run)(struct uva__callback *callback);
} uva__callback_t;

/* A task, or with its lowest bit set a uva__callback_t. */
typedef uintptr_t uva__entry_t;

typedef struct uva__ready {
    uva__entry_t *ring;
    size_t mask;     /* capacity - 1; capacity is a power of two */
    size_t head;     /* counts up for ever; the place is head & mask */
    size_t tail;     /* one past the newest */
    size_t tick_end; /* one past the last entry of this tick */
    size_t reserved; /* places promised; never more than the capacity */
    uint64_t random; /* state of the random schedule; 0: first in, first out */
} uva__ready_t;

int uva__ready_init(uva__ready_t *ready, uint64_t seed);
void uva__ready_term(uva__ready_t *ready);

/* The slow path of uva__ready_reserve(). */
int uva__ready_grow(uva__ready_t *ready);

/* Puts a random entry of this tick at the head. */
void uva__ready_shuffle(uva__ready_t *ready);

/* Promises one more place. 0 or UV_ENOMEM. */
static inline int uva__ready_reserve(uva__ready_t *ready) {
    if (UVA__UNLIKELY(ready->reserved > ready->mask)) {
        int code = uva__ready_grow(ready);
        if (code < 0)
            return code;
    }
    ready->reserved++;
    return 0;
}

static inline void uva__ready_unreserve(uva__ready_t *ready) {
    ready->reserved--;
}

static inline bool uva__ready_is_empty(const uva__ready_t *ready) {
    return ready->head == ready->tail;
}

static inline void uva__ready_push(uva__ready_t *ready, uva__entry_t entry) {
    ready->ring[ready->tail++ & ready->mask] = entry;
}

static inline uva__entry_t uva__entry_of_callback(uva__callback_t *callback) {
    return (uintptr_t)callback | 1;
}

static inline bool uva__entry_is_callback(uva__entry_t entry) {
    return (entry & 1) != 0;
}

static inline uva__callback_t *uva__entry_callback(uva__entry_t entry) {
    return (uva__callback_t *)(entry & ~(uintptr_t)1);
}

#endif
