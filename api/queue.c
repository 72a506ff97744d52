/*
 * What: queues of pointers: first in first out, last in first out, by priority.
 *
 * How: what passes from task to task passes at the call that makes it possible.
 * An item put while getters wait goes to the oldest one's waiter, which lies on
 * its own stack; a place that a get makes free is filled with the oldest
 * putter's item there and then. So getters wait only while the queue is empty,
 * putters only while it is full, nobody can barge in, and a cancellation that
 * comes between wake and run finds nothing that it could lose.
 *
 * A putter's item enters a queue that was full, so its place exists: nothing is
 * allocated on behalf of somebody else.
 *
 * If you change this: after its wake a task must not look at the queue, which
 * may have been freed.
 */
#include "uvawait/queue.h"

#include <stdlib.h>
#include <string.h>

#include "queue_items.h"
#include "runtime/seam.h"

/* Bounded queues up to this size get all their memory at once. */
enum { ALLOCATED_WHOLE = 1024 };

/* Who waits to get or put, and the item that passes. */
typedef struct mover {
    uva__waiter_t waiter;
    void *item;
} mover_t;

static const uva__wait_t get_wait = {.reason = "queue get",
                                     .cancel = uva__leave_queue};
static const uva__wait_t put_wait = {.reason = "queue put",
                                     .cancel = uva__leave_queue};
static const uva__wait_t join_wait = {.reason = "queue join",
                                      .cancel = uva__leave_queue};

/* ---- making ------------------------------------------------------------- */

static int init(uva_queue_t *queue, size_t capacity) {
    size_t bound = capacity > 0 ? capacity : SIZE_MAX;
    queue->bound = bound;
    if (capacity > UVA__QUEUE_MOST)
        return UV_EINVAL;
    return bound <= ALLOCATED_WHOLE ? uva__queue_reserve(queue, bound) : 0;
}

/* One that cannot be made is as good as freed. */
static int init_or_refuse(uva_queue_t *queue, size_t capacity) {
    int code = init(queue, capacity);
    if (code < 0)
        *queue = (uva_queue_t){.is_shut = true};
    return code;
}

int uva_queue_init(uva_queue_t *queue, size_t capacity) {
    *queue = (uva_queue_t){.items = NULL};
    return init_or_refuse(queue, capacity);
}

int uva_queue_init_lifo(uva_queue_t *queue, size_t capacity) {
    *queue = (uva_queue_t){.is_lifo = true};
    return init_or_refuse(queue, capacity);
}

int uva_queue_init_priority(uva_queue_t *queue, size_t capacity,
                            int (*compare)(const void *a, const void *b)) {
    *queue = (uva_queue_t){.compare = compare, .is_shut = compare == NULL};
    return compare != NULL ? init_or_refuse(queue, capacity) : UV_EINVAL;
}

/* ---- handing over ------------------------------------------------------- */

static inline mover_t *first_mover(const uva_waiters_t *queue) {
    return UVA__OF(uva__first_waiter(queue), mover_t, waiter);
}

/* Whether a put would not have to wait. */
static inline bool takes(const uva_queue_t *queue) {
    return queue->count < queue->bound;
}

/* Puts what need not wait; `call` is for the report of a misuse. */
static int put_now(uva_queue_t *queue, void *item, const char *call) {
    if (!uva__has_waiters(&queue->getters)) {
        int code = uva__queue_push(queue, item);
        queue->unfinished += code == 0;
        return code;
    }
    if (uva__check_thread(&queue->getters, call) < 0)
        return UV_EPERM;
    first_mover(&queue->getters)->item = item;
    queue->unfinished++;
    uva__wake_first(&queue->getters, 0);
    return 0;
}

/* The same for a get. The place that becomes free is the oldest putter's. */
static int get_now(uva_queue_t *queue, void *ret_item, const char *call) {
    if (uva__check_thread(&queue->putters, call) < 0)
        return UV_EPERM;
    void *item = uva__queue_pop(queue);
    memcpy(ret_item, &item, sizeof item);
    if (uva__has_waiters(&queue->putters)) {
        int code = uva__queue_push(queue, first_mover(&queue->putters)->item);
        UVA__ASSERT(code == 0);
        queue->unfinished++;
        uva__wake_first(&queue->putters, 0);
    }
    return 0;
}

/* ---- put ---------------------------------------------------------------- */

int uva_queue_put(uva_queue_t *queue, void *item) {
    const char *call = "uva_queue_put";
    uva__task_t *task = uva__running(call);
    if (task == NULL)
        return UV_EPERM;
    if (!queue->is_shut && takes(queue)) {
        int code = uva__spend(task);
        if (code < 0)
            return code;
    }
    /* Looked at again: others ran if the budget was spent. */
    if (queue->is_shut)
        return UV_EPIPE;
    if (takes(queue))
        return put_now(queue, item, call);
    mover_t mover = {.waiter.wait = &put_wait, .item = item};
    return uva__park_in(task, &queue->putters, &mover.waiter);
}

int uva_queue_try_put(uva_queue_t *queue, void *item) {
    if (queue->is_shut)
        return UV_EPIPE;
    return takes(queue) ? put_now(queue, item, "uva_queue_try_put") : UV_EAGAIN;
}

/* ---- get ---------------------------------------------------------------- */

static int wait_for_item(uva__task_t *task, uva_queue_t *queue,
                         void *ret_item) {
    mover_t mover = {.waiter.wait = &get_wait};
    int code = uva__park_in(task, &queue->getters, &mover.waiter);
    if (code == 0)
        memcpy(ret_item, &mover.item, sizeof mover.item);
    return code;
}

int uva_queue_get(uva_queue_t *queue, void *ret_item) {
    const char *call = "uva_queue_get";
    uva__task_t *task = uva__running(call);
    if (task == NULL)
        return UV_EPERM;
    if (ret_item == NULL)
        return UV_EINVAL;
    if (queue->count > 0) {
        int code = uva__spend(task);
        if (code < 0)
            return code;
    }
    /* Looked at again: others ran if the budget was spent. */
    if (queue->count > 0)
        return get_now(queue, ret_item, call);
    return queue->is_shut ? UV_EPIPE : wait_for_item(task, queue, ret_item);
}

int uva_queue_try_get(uva_queue_t *queue, void *ret_item) {
    if (ret_item == NULL)
        return UV_EINVAL;
    if (queue->count > 0)
        return get_now(queue, ret_item, "uva_queue_try_get");
    return queue->is_shut ? UV_EPIPE : UV_EAGAIN;
}

/* ---- done and join ------------------------------------------------------ */

int uva_queue_task_done(uva_queue_t *queue) {
    if (queue->unfinished == 0)
        return UV_ERANGE;
    if (uva__check_thread(&queue->joiners, "uva_queue_task_done") < 0)
        return UV_EPERM;
    if (--queue->unfinished == 0)
        (void)uva__wake_all(&queue->joiners, 0);
    return 0;
}

int uva_queue_join(uva_queue_t *queue) {
    uva__task_t *task = uva__running("uva_queue_join");
    if (task == NULL)
        return UV_EPERM;
    if (queue->unfinished == 0) {
        int code = uva__spend(task);
        if (code < 0)
            return code;
    }
    /* Looked at again: others ran if the budget was spent. */
    if (queue->unfinished == 0)
        return 0;
    uva__waiter_t waiter = {.wait = &join_wait};
    return uva__park_in(task, &queue->joiners, &waiter);
}

/* ---- the end ------------------------------------------------------------ */

static bool is_ours(const uva_queue_t *queue, const char *call) {
    return uva__check_thread(&queue->getters, call) == 0 &&
           uva__check_thread(&queue->putters, call) == 0 &&
           uva__check_thread(&queue->joiners, call) == 0;
}

/* Forgets the items, which count as done. Fewer may be unfinished than there
 * are: somebody may have called them done before they were taken. */
static void drop(uva_queue_t *queue) {
    queue->unfinished -=
        queue->count < queue->unfinished ? queue->count : queue->unfinished;
    queue->count = 0;
    if (queue->unfinished == 0)
        (void)uva__wake_all(&queue->joiners, 0);
}

void uva_queue_shutdown(uva_queue_t *queue, bool immediate) {
    if (!is_ours(queue, "uva_queue_shutdown"))
        return;
    queue->is_shut = true;
    if (immediate)
        drop(queue);
    (void)uva__wake_all(&queue->getters, UV_EPIPE);
    (void)uva__wake_all(&queue->putters, UV_EPIPE);
}

void uva_queue_free(uva_queue_t *queue) {
    if (queue == NULL || !is_ours(queue, "uva_queue_free"))
        return;
    uva_queue_shutdown(queue, true);
    (void)uva__wake_all(&queue->joiners, UV_EPIPE);
    free(queue->items);
    *queue = (uva_queue_t){.is_shut = true};
}

/* ---- looking ------------------------------------------------------------ */

size_t uva_queue_size(const uva_queue_t *queue) {
    return queue->count;
}

size_t uva_queue_capacity(const uva_queue_t *queue) {
    return queue->bound != SIZE_MAX ? queue->bound : 0;
}

bool uva_queue_is_empty(const uva_queue_t *queue) {
    return queue->count == 0;
}

bool uva_queue_is_full(const uva_queue_t *queue) {
    return queue->count >= queue->bound;
}

void uva_queue_set_name(uva_queue_t *queue, const char *name) {
    queue->getters.name = name;
    queue->putters.name = name;
    queue->joiners.name = name;
}

void uva_queue_statistics(const uva_queue_t *queue,
                          uva_queue_statistics_t *ret_statistics) {
    *ret_statistics =
        (uva_queue_statistics_t){.name = queue->getters.name,
                                 .size = queue->count,
                                 .capacity = uva_queue_capacity(queue),
                                 .unfinished = queue->unfinished,
                                 .getting = uva__count_waiters(&queue->getters),
                                 .putting = uva__count_waiters(&queue->putters),
                                 .joining = uva__count_waiters(&queue->joiners),
                                 .is_shut = queue->is_shut};
}
