/*
 * What: broadcast channels: a ring of values, and a position for each receiver.
 *
 * How: values are numbered; a receiver is the number of the one it gets next,
 * so sending costs the same for any number of receivers that do not wait. Those
 * that wait have received everything, so each of them is due the very value
 * that is sent next: it is copied to them there and then, and their position
 * moves on. Between wake and run nothing can overwrite what they got.
 *
 * If you change this: after its wake a task must not look at the broadcast nor
 * at the receiver, which may have gone.
 */
#include "uvawait/broadcast.h"

#include <stdlib.h>
#include <string.h>

#include "runtime/seam.h"

/* Who waits, with which receiver, and where its value goes. */
typedef struct reader {
    uva__waiter_t waiter;
    uva_broadcast_receiver_t *receiver;
    void *ret_item;
} reader_t;

static uva_future_t *leave(uva__waiter_t *waiter) {
    UVA__OF(waiter, reader_t, waiter)->receiver->waiter = NULL;
    return uva__leave_queue(waiter);
}

static const uva__wait_t recv_wait = {.reason = "broadcast recv",
                                      .cancel = leave};

/* ---- the ring ----------------------------------------------------------- */

static inline bool is_missing(const uva_broadcast_t *broadcast,
                              const void *item) {
    return item == NULL && broadcast->item_bytes > 0;
}

static char *place_of(const uva_broadcast_t *broadcast, uint64_t number) {
    size_t place = (size_t)(number % broadcast->capacity);
    return broadcast->ring + place * broadcast->item_bytes;
}

/* What need not wait: 0, or an error; UV_EAGAIN when there is nothing. */
static int take(uva_broadcast_receiver_t *receiver, void *ret_item) {
    const uva_broadcast_t *broadcast = receiver->broadcast;
    uint64_t behind = broadcast->sent - receiver->next;
    if (behind == 0 || broadcast->ring == NULL)
        return broadcast->is_closed ? UV_EOF : UV_EAGAIN;
    if (behind > broadcast->capacity) {
        receiver->missed = behind - broadcast->capacity;
        receiver->next += receiver->missed;
        return UV_ENOBUFS;
    }
    if (broadcast->item_bytes > 0)
        memcpy(ret_item, place_of(broadcast, receiver->next),
               broadcast->item_bytes);
    receiver->next++;
    return 0;
}

/* ---- making ------------------------------------------------------------- */

int uva_broadcast_init(uva_broadcast_t *broadcast, size_t item_bytes,
                       size_t capacity) {
    *broadcast = (uva_broadcast_t){.is_closed = true};
    if (capacity == 0 ||
        (item_bytes > 0 && capacity > (size_t)PTRDIFF_MAX / item_bytes))
        return UV_EINVAL;
    /* A ring of nothing still tells one that is open from one that is not. */
    char *ring = malloc(item_bytes > 0 ? item_bytes * capacity : 1);
    if (ring == NULL)
        return UV_ENOMEM;
    *broadcast = (uva_broadcast_t){
        .ring = ring, .item_bytes = item_bytes, .capacity = capacity};
    return 0;
}

void uva_broadcast_free(uva_broadcast_t *broadcast) {
    if (broadcast == NULL ||
        uva__check_thread(&broadcast->waiters, "uva_broadcast_free") < 0)
        return;
    uva_broadcast_close(broadcast);
    free(broadcast->ring);
    broadcast->ring = NULL;
    broadcast->capacity = 0;
}

/* ---- sending ------------------------------------------------------------ */

/* Wakes the oldest reader with a value or an end. */
static void wake_first(uva_broadcast_t *broadcast) {
    uva__waiter_t *oldest = uva__first_waiter(&broadcast->waiters);
    const reader_t *reader = UVA__OF(oldest, reader_t, waiter);
    reader->receiver->waiter = NULL;
    uva__wake_first(&broadcast->waiters,
                    take(reader->receiver, reader->ret_item));
}

int uva_broadcast_send(uva_broadcast_t *broadcast, const void *item) {
    if (broadcast->is_closed)
        return UV_EPIPE;
    if (is_missing(broadcast, item))
        return UV_EINVAL;
    if (uva__check_thread(&broadcast->waiters, "uva_broadcast_send") < 0)
        return UV_EPERM;
    if (broadcast->item_bytes > 0)
        memcpy(place_of(broadcast, broadcast->sent), item,
               broadcast->item_bytes);
    broadcast->sent++;
    while (uva__has_waiters(&broadcast->waiters))
        wake_first(broadcast);
    return 0;
}

void uva_broadcast_close(uva_broadcast_t *broadcast) {
    if (uva__check_thread(&broadcast->waiters, "uva_broadcast_close") < 0)
        return;
    broadcast->is_closed = true;
    while (uva__has_waiters(&broadcast->waiters))
        wake_first(broadcast);
}

/* ---- receiving ---------------------------------------------------------- */

int uva_broadcast_receiver_open(uva_broadcast_receiver_t *receiver,
                                uva_broadcast_t *broadcast) {
    *receiver = (uva_broadcast_receiver_t){.broadcast = broadcast,
                                           .next = broadcast->sent};
    broadcast->receivers++;
    return broadcast->is_closed ? UV_EPIPE : 0;
}

void uva_broadcast_receiver_close(uva_broadcast_receiver_t *receiver) {
    uva_broadcast_t *broadcast = receiver->broadcast;
    if (broadcast == NULL)
        return;
    uva__waiter_t *waiter = receiver->waiter;
    if (waiter != NULL) {
        if (uva__check_thread(&broadcast->waiters,
                              "uva_broadcast_receiver_close") < 0)
            return;
        uva__list_remove(&broadcast->waiters.list, &waiter->link);
        uva__wake(waiter, UV_EBADF);
    }
    broadcast->receivers--;
    receiver->broadcast = NULL;
    receiver->waiter = NULL;
}

/* Whether the receiver may be used now: 0 or an error. */
static int check(const uva_broadcast_receiver_t *receiver) {
    if (receiver->broadcast == NULL)
        return UV_EBADF;
    return receiver->waiter != NULL ? UV_EBUSY : 0;
}

static bool must_wait(const uva_broadcast_receiver_t *receiver) {
    return receiver->next == receiver->broadcast->sent &&
           !receiver->broadcast->is_closed;
}

int uva_broadcast_try_recv(uva_broadcast_receiver_t *receiver, void *ret_item) {
    int code = check(receiver);
    if (code == 0 && is_missing(receiver->broadcast, ret_item))
        code = UV_EINVAL;
    return code == 0 ? take(receiver, ret_item) : code;
}

/* Nothing is there. */
static int await_value(uva__task_t *task, uva_broadcast_receiver_t *receiver,
                       void *ret_item) {
    int code = uva__may_park(task);
    if (code < 0)
        return code;
    reader_t reader = {
        .waiter.wait = &recv_wait, .receiver = receiver, .ret_item = ret_item};
    receiver->waiter = &reader.waiter;
    return uva__park_in(task, &receiver->broadcast->waiters, &reader.waiter);
}

int uva_broadcast_recv(uva_broadcast_receiver_t *receiver, void *ret_item) {
    uva__task_t *task = uva__running("uva_broadcast_recv");
    if (task == NULL)
        return UV_EPERM;
    int code = check(receiver);
    if (code == 0 && !must_wait(receiver))
        code = uva__spend(task);
    if (code < 0)
        return code;
    /* Looked at again: others ran if the budget was spent. */
    code = uva_broadcast_try_recv(receiver, ret_item);
    return code == UV_EAGAIN ? await_value(task, receiver, ret_item) : code;
}

/* ---- looking ------------------------------------------------------------ */

uint64_t uva_broadcast_missed(const uva_broadcast_receiver_t *receiver) {
    return receiver->missed;
}

void uva_broadcast_set_name(uva_broadcast_t *broadcast, const char *name) {
    broadcast->waiters.name = name;
}

void uva_broadcast_statistics(const uva_broadcast_t *broadcast,
                              uva_broadcast_statistics_t *ret_statistics) {
    *ret_statistics = (uva_broadcast_statistics_t){
        .name = broadcast->waiters.name,
        .capacity = broadcast->capacity,
        .sent = broadcast->sent,
        .receivers = broadcast->receivers,
        .receiving = uva__count_waiters(&broadcast->waiters),
        .is_closed = broadcast->is_closed};
}
