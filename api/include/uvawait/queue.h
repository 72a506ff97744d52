/**
 * Queues of pointers between tasks: first in first out, last in first out, or
 * smallest first. Bounded, so that a fast producer waits for a slow consumer,
 * or not. asyncio's, with its shutdown and its join.
 *
 * Who waits is served first come, first served. What passes passes at the call
 * that makes it possible: an item put while somebody waits for one is handed to
 * the task that has waited longest, a place that becomes free takes the oldest
 * putter's item at that moment. So nothing can be lost to a cancellation, and
 * nobody can barge in.
 *
 * A queue owns its memory: uva_queue_free() it. The items are the callers'.
 */
#ifndef UVAWAIT_QUEUE_H
#define UVAWAIT_QUEUE_H

#include "base.h"

UVA_BEGIN_DECLS

/* The fields are private. */
typedef struct uva_queue {
    void *items;   /* a ring of pointers or a heap */
    size_t places; /* in it: a power of two, or 0 */
    size_t first;  /* where the ring begins */
    size_t count;
    size_t bound;      /* SIZE_MAX: none */
    size_t unfinished; /* put and not done yet */
    uint64_t order;    /* counts the puts into the heap */
    int (*compare)(const void *a, const void *b);
    bool is_lifo;
    bool is_shut;
    uva_waiters_t getters; /* only while there is no item */
    uva_waiters_t putters; /* only while there is no room */
    uva_waiters_t joiners;
} uva_queue_t;

/**
 * Makes a queue: first in, first out. Capacity 0 is no bound. A bounded one of
 * up to 1024 items allocates here what it will ever need; others grow as items
 * come, and keep what they have grown to.
 *
 * Context:  anywhere
 * Parks:    never
 * Cancel:   –
 * Returns:  0; UV_ENOMEM; UV_EINVAL if the capacity is more than memory can
 *           hold. After a failure the queue is as one that was freed
 * Owns:     queue is the caller's, to be freed with uva_queue_free(); it must
 *           stay while tasks use it
 * Since:    0.1
 */
UVA_API int uva_queue_init(uva_queue_t *queue, size_t capacity);

/**
 * Makes a queue: last in, first out.
 *
 * Context:  anywhere
 * Parks:    never
 * Cancel:   –
 * Returns:  as uva_queue_init()
 * Owns:     as uva_queue_init()
 * Since:    0.1
 */
UVA_API int uva_queue_init_lifo(uva_queue_t *queue, size_t capacity);

/**
 * Makes a queue that gives the smallest item first: `compare` says < 0 when a
 * comes before b, as for qsort(). It must not use the queue, nor wait. Equal
 * items come in the order in which they were put.
 *
 * The smallest of those in the queue, that is: items of putters that wait for
 * room are not in it yet.
 *
 * Context:  anywhere
 * Parks:    never
 * Cancel:   –
 * Returns:  as uva_queue_init(); UV_EINVAL without compare
 * Owns:     as uva_queue_init()
 * Since:    0.1
 */
UVA_API int uva_queue_init_priority(uva_queue_t *queue, size_t capacity,
                                    int (*compare)(const void *a,
                                                   const void *b));

/**
 * Shuts the queue down at once (uva_queue_shutdown()) and frees its memory.
 * Every task that is parked in it gets UV_EPIPE, also in uva_queue_join() where
 * items were taken and are not done; none of them looks at the queue again.
 * NULL is fine, and so is a second time. Later calls find a queue that is shut
 * down and empty.
 *
 * Context:  the thread of the runtime; also inside libuv callbacks. From
 *           another thread than the waiters' it is reported, and does nothing
 * Parks:    never
 * Cancel:   –
 * Returns:  –
 * Owns:     the struct may go once no task is about to make a call on it (the
 *           cooperative budget may have made one yield at the start of its put
 *           or get); items that are still there are forgotten
 * Since:    0.1
 */
UVA_API void uva_queue_free(uva_queue_t *queue);

/**
 * Adds an item, waiting for room if need be. NULL is an item like others.
 *
 * Context:  task
 * Parks:    while the queue is full
 * Cancel:   UV_ECANCELED; the item was not added, the turn is given up
 * Returns:  0, UV_ECANCELED, UV_EPIPE (shut down: the item was not added),
 *           UV_ENOMEM (nothing is changed), UV_EPERM outside a task
 * Owns:     queue borrowed; the item passes to whoever gets it
 * Since:    0.1
 */
UVA_API UVA_PARKS int uva_queue_put(uva_queue_t *queue, void *item);

/**
 * Adds an item if there is room or somebody waits for one.
 *
 * Context:  the thread of the runtime; also inside libuv callbacks
 * Parks:    never
 * Cancel:   –
 * Returns:  0, UV_EAGAIN (full), UV_EPIPE, UV_ENOMEM, UV_EPERM from another
 *           thread than the waiters' (reported)
 * Owns:     as uva_queue_put()
 * Since:    0.1
 */
UVA_API int uva_queue_try_put(uva_queue_t *queue, void *item);

/**
 * Takes an item into *ret_item, a pointer, waiting for one if need be. What is
 * left in a queue that was shut down can still be taken.
 *
 * Context:  task
 * Parks:    while the queue is empty
 * Cancel:   UV_ECANCELED; no item was taken, the turn is given up
 * Returns:  0, UV_ECANCELED, UV_EPIPE (shut down and empty), UV_EINVAL (no
 *           ret_item), UV_EPERM outside a task; *ret_item is untouched then
 * Owns:     queue borrowed; the item is the caller's
 * Since:    0.1
 */
UVA_API UVA_PARKS int uva_queue_get(uva_queue_t *queue, void *ret_item);

/**
 * Takes an item if there is one.
 *
 * Context:  the thread of the runtime; also inside libuv callbacks
 * Parks:    never
 * Cancel:   –
 * Returns:  0, UV_EAGAIN (empty), UV_EPIPE (shut down and empty), UV_EINVAL (no
 *           ret_item), UV_EPERM from another thread than the waiters'
 *           (reported)
 * Owns:     as uva_queue_get()
 * Since:    0.1
 */
UVA_API int uva_queue_try_get(uva_queue_t *queue, void *ret_item);

/**
 * Says that the work for one item that was taken is over: uva_queue_join()
 * waits for it.
 *
 * Context:  the thread of the runtime; also inside libuv callbacks
 * Parks:    never
 * Cancel:   –
 * Returns:  0; UV_ERANGE once more than items were put (nothing is changed);
 *           UV_EPERM from another thread than the waiters' (reported)
 * Owns:     queue borrowed
 * Since:    0.1
 */
UVA_API int uva_queue_task_done(uva_queue_t *queue);

/**
 * Waits until uva_queue_task_done() has been called for every item that was
 * put. An item of a putter that waits for room counts from when it gets in.
 *
 * Context:  task
 * Parks:    while there are items that are not done
 * Cancel:   UV_ECANCELED
 * Returns:  0, UV_ECANCELED, UV_EPIPE (the queue was freed meanwhile, with
 *           items that had been taken and not done), UV_EPERM outside a task
 * Owns:     queue borrowed
 * Since:    0.1
 */
UVA_API UVA_PARKS int uva_queue_join(uva_queue_t *queue);

/**
 * Ends the traffic. Puts get UV_EPIPE from now on, also those that wait: their
 * items are not added. Gets go on while there are items and then get UV_EPIPE;
 * with `immediate` the items are dropped, and count as done, so that
 * uva_queue_join() does not wait for them. Who must free the items does not
 * drop them but takes them out with uva_queue_try_get().
 *
 * Context:  the thread of the runtime; also inside libuv callbacks. From
 *           another thread than the waiters' it is reported, and does nothing
 * Parks:    never
 * Cancel:   –
 * Returns:  –
 * Owns:     queue borrowed
 * Since:    0.1
 */
UVA_API void uva_queue_shutdown(uva_queue_t *queue, bool immediate);

/**
 * How many items can be taken without waiting.
 *
 * Context:  the thread of the runtime
 * Parks:    never
 * Cancel:   –
 * Returns:  the number
 * Owns:     queue borrowed
 * Since:    0.1
 */
UVA_API size_t uva_queue_size(const uva_queue_t *queue);

/**
 * How many items it may hold.
 *
 * Context:  the thread of the runtime
 * Parks:    never
 * Cancel:   –
 * Returns:  the number; 0 is no bound
 * Owns:     queue borrowed
 * Since:    0.1
 */
UVA_API size_t uva_queue_capacity(const uva_queue_t *queue);

/**
 * Whether a get would have to wait.
 *
 * Context:  the thread of the runtime
 * Parks:    never
 * Cancel:   –
 * Returns:  true without items
 * Owns:     queue borrowed
 * Since:    0.1
 */
UVA_API bool uva_queue_is_empty(const uva_queue_t *queue);

/**
 * Whether a put would have to wait.
 *
 * Context:  the thread of the runtime
 * Parks:    never
 * Cancel:   –
 * Returns:  true without room; never without a bound
 * Owns:     queue borrowed
 * Since:    0.1
 */
UVA_API bool uva_queue_is_full(const uva_queue_t *queue);

/**
 * Says what uva_dump() calls it: "parked in queue get 'jobs'".
 *
 * Context:  anywhere
 * Parks:    never
 * Cancel:   –
 * Returns:  –
 * Owns:     queue borrowed; name too, for as long as the queue is used; NULL
 *           takes it away
 * Since:    0.1
 */
UVA_API void uva_queue_set_name(uva_queue_t *queue, const char *name);

/* A look at a queue; it changes with the next call. */
typedef struct uva_queue_statistics {
    const char *name;  /* as given, or NULL */
    size_t size;       /* items that can be taken */
    size_t capacity;   /* 0: no bound */
    size_t unfinished; /* items put and not done */
    size_t getting;    /* tasks parked in uva_queue_get() */
    size_t putting;    /* ... in uva_queue_put() */
    size_t joining;    /* ... in uva_queue_join() */
    bool is_shut;
} uva_queue_statistics_t;

/**
 * Tells how a queue stands. Takes a step for each task that waits.
 *
 * Context:  the thread of the runtime
 * Parks:    never
 * Cancel:   –
 * Returns:  –
 * Owns:     queue borrowed; the name in *ret_statistics as well
 * Since:    0.1
 */
UVA_API void uva_queue_statistics(const uva_queue_t *queue,
                                  uva_queue_statistics_t *ret_statistics);

UVA_END_DECLS

#endif
