/*
 * What: channels of values.
 *
 * How: offers (offer.h). A send meets the oldest receiver, if one waits;
 * otherwise the item goes into the ring; otherwise the sender waits. A receive
 * that makes a place free fills it with the oldest sender's item. So receivers
 * wait only while there is no item, senders only while there is no room, and
 * what both queues hold at once belongs to one select.
 *
 * If you change this: after its wake a task must not look at the channel, which
 * may have been freed.
 */
#include "uvawait/channel.h"

#include <stdlib.h>
#include <string.h>

#include "offer.h"
#include "runtime/seam.h"

/* ---- the ring ----------------------------------------------------------- */

/* Most items are a pointer or a number. */
static inline void copy(void *to, const void *from, size_t bytes) {
    if (UVA__LIKELY(bytes == sizeof(uint64_t)))
        memcpy(to, from, sizeof(uint64_t));
    else if (bytes > 0)
        memcpy(to, from, bytes);
}

static inline char *place_at(const uva_channel_t *channel, size_t offset) {
    return channel->item_bytes > 0 ? channel->ring + offset : NULL;
}

static inline size_t next_to(const uva_channel_t *channel, size_t offset) {
    offset += channel->item_bytes;
    return offset == channel->ring_bytes ? 0 : offset;
}

/* There is room. */
static inline void push(uva_channel_t *channel, const void *item) {
    copy(place_at(channel, channel->last), item, channel->item_bytes);
    channel->last = next_to(channel, channel->last);
    channel->count++;
    if (channel->count > channel->peak)
        channel->peak = channel->count;
}

/* There is an item. */
static inline void pop(uva_channel_t *channel, void *ret_item) {
    copy(ret_item, place_at(channel, channel->first), channel->item_bytes);
    channel->first = next_to(channel, channel->first);
    channel->count--;
}

/* ---- meeting offers ----------------------------------------------------- */

static inline uva__offer_t *first_offer(const uva_waiters_t *queue) {
    uva_link_t *link = queue->list.first;
    return link != NULL ? UVA__OF(link, uva__offer_t, link) : NULL;
}

/* Whether the calling thread may wake who made an offer; if not, it is
 * reported. NULL is nobody. */
static inline bool is_ours(const uva__offer_t *offer, const char *call) {
    if (offer == NULL)
        return true;
    const uva_future_t *task = &offer->selection->waiter.task->future;
    return UVA__LIKELY(task->runtime == uva__thread_runtime) ||
           uva__is_ours(task, call);
}

static inline void meet(uva__offer_t *offer, int code) {
    uva__selection_t *selection = offer->selection;
    uva__offer_withdraw(offer);
    if (selection->decide != NULL)
        selection->decide(offer, code);
    else
        uva__wake(&selection->waiter, code);
}

static UVA__INLINE int send_now(uva_channel_t *channel, const void *item,
                                const char *call) {
    if (channel->is_closed)
        return UV_EPIPE;
    uva__offer_t *receiver = first_offer(&channel->receivers);
    if (receiver != NULL) {
        if (!is_ours(receiver, call))
            return UV_EPERM;
        copy(receiver->item, item, channel->item_bytes);
        meet(receiver, 0);
        return 0;
    }
    if (channel->count == channel->capacity)
        return UV_EAGAIN;
    push(channel, item);
    return 0;
}

static UVA__INLINE int recv_now(uva_channel_t *channel, void *ret_item,
                                const char *call) {
    uva__offer_t *sender = first_offer(&channel->senders);
    if (channel->count == 0 && sender == NULL)
        return channel->is_closed ? UV_EOF : UV_EAGAIN;
    if (!is_ours(sender, call))
        return UV_EPERM;
    if (channel->count > 0)
        pop(channel, ret_item);
    else
        copy(ret_item, sender->item, channel->item_bytes);
    if (sender == NULL)
        return 0;
    if (channel->capacity > 0)
        push(channel, sender->item);
    meet(sender, 0);
    return 0;
}

int uva__channel_send_now(uva_channel_t *channel, const void *item,
                          const char *call) {
    return send_now(channel, item, call);
}

int uva__channel_recv_now(uva_channel_t *channel, void *ret_item,
                          const char *call) {
    return recv_now(channel, ret_item, call);
}

/* ---- waiting ------------------------------------------------------------ */

/* A selection of one offer. */
typedef struct single {
    uva__selection_t selection;
    uva__offer_t offer;
} single_t;

static uva_future_t *cancel_single(uva__waiter_t *waiter) {
    uva__offer_withdraw(&UVA__OF(waiter, single_t, selection.waiter)->offer);
    uva__wake_cut(waiter);
    return NULL;
}

static void describe_single(const uva__waiter_t *waiter, FILE *out) {
    const uva__offer_t *offer =
        &UVA__OF(waiter, const single_t, selection.waiter)->offer;
    uva__print_queue(offer->queue, &offer->link, out);
}

static const uva__wait_t send_wait = {.reason = "channel send",
                                      .cancel = cancel_single,
                                      .describe = describe_single};
static const uva__wait_t recv_wait = {.reason = "channel recv",
                                      .cancel = cancel_single,
                                      .describe = describe_single};

/* Nothing is cleared that nobody reads. Not inline, but jumped to: so a sender
 * and a receiver who wait for each other go on at the same place, which the
 * return of the switch is predicted to. An item takes 26 ns so, and 31 with two
 * places. */
static UVA__NOINLINE int wait_alone(uva__task_t *task, const uva__wait_t *wait,
                                    uva_waiters_t *queue, void *item) {
    int code = uva__may_park(task);
    if (code < 0)
        return code;
    single_t single;
    single.selection.waiter.wait = wait;
    single.selection.waiter.queue = NULL;
    single.selection.waiter.on = NULL;
    single.selection.decide = NULL;
    single.offer.queue = queue;
    single.offer.item = item;
    single.offer.selection = &single.selection;
    uva__offer_stand(&single.offer);
    return uva__park(task, &single.selection.waiter);
}

/* ---- calls -------------------------------------------------------------- */

int uva_channel_send(uva_channel_t *channel, const void *item) {
    const char *call = "uva_channel_send";
    uva__task_t *task = uva__running(call);
    if (task == NULL)
        return UV_EPERM;
    if (channel == NULL || !uva__channel_takes(channel, item))
        return UV_EINVAL;
    if (uva__channel_sends(channel)) {
        int code = uva__spend(task);
        /* It may have to wait after all: others ran if the budget was spent. */
        if (code == 0)
            code = send_now(channel, item, call);
        if (code != UV_EAGAIN)
            return code;
    }
    return wait_alone(task, &send_wait, &channel->senders,
                      (void *)(uintptr_t)item);
}

int uva_channel_recv(uva_channel_t *channel, void *ret_item) {
    const char *call = "uva_channel_recv";
    uva__task_t *task = uva__running(call);
    if (task == NULL)
        return UV_EPERM;
    if (channel == NULL || !uva__channel_takes(channel, ret_item))
        return UV_EINVAL;
    if (uva__channel_receives(channel)) {
        int code = uva__spend(task);
        if (code == 0)
            code = recv_now(channel, ret_item, call);
        if (code != UV_EAGAIN)
            return code;
    }
    return wait_alone(task, &recv_wait, &channel->receivers, ret_item);
}

int uva_channel_try_send(uva_channel_t *channel, const void *item) {
    if (channel == NULL || !uva__channel_takes(channel, item))
        return UV_EINVAL;
    return send_now(channel, item, "uva_channel_try_send");
}

int uva_channel_try_recv(uva_channel_t *channel, void *ret_item) {
    if (channel == NULL || !uva__channel_takes(channel, ret_item))
        return UV_EINVAL;
    return recv_now(channel, ret_item, "uva_channel_try_recv");
}

/* ---- the life of a channel ---------------------------------------------- */

static int init(uva_channel_t *channel) {
    if (channel->item_bytes == 0 || channel->capacity == 0)
        return 0;
    if (channel->capacity > (size_t)PTRDIFF_MAX / channel->item_bytes)
        return UV_EINVAL;
    channel->ring_bytes = channel->capacity * channel->item_bytes;
    channel->ring = malloc(channel->ring_bytes);
    return channel->ring != NULL ? 0 : UV_ENOMEM;
}

int uva_channel_init(uva_channel_t *channel, size_t item_bytes,
                     size_t capacity) {
    *channel = (uva_channel_t){.item_bytes = item_bytes, .capacity = capacity};
    int code = init(channel);
    if (code < 0)
        *channel = (uva_channel_t){.is_closed = true};
    return code;
}

/* Each meeting may take several offers out. */
static void meet_all(uva_waiters_t *queue, int code) {
    uva__offer_t *offer;
    while ((offer = first_offer(queue)) != NULL)
        meet(offer, code);
}

/* Closes it, unless that is not for this thread to do. */
static bool close_channel(uva_channel_t *channel, const char *call) {
    if (!is_ours(first_offer(&channel->senders), call) ||
        !is_ours(first_offer(&channel->receivers), call))
        return false;
    channel->is_closed = true;
    meet_all(&channel->senders, UV_EPIPE);
    meet_all(&channel->receivers, UV_EOF);
    return true;
}

void uva_channel_close(uva_channel_t *channel) {
    if (channel != NULL)
        (void)close_channel(channel, "uva_channel_close");
}

void uva_channel_free(uva_channel_t *channel) {
    if (channel == NULL || !close_channel(channel, "uva_channel_free"))
        return;
    free(channel->ring);
    *channel = (uva_channel_t){.is_closed = true};
}

int uva_channel_add_sender(uva_channel_t *channel) {
    if (channel == NULL)
        return UV_EINVAL;
    if (channel->is_closed)
        return UV_EPIPE;
    channel->producers++;
    return 0;
}

int uva_channel_close_sender(uva_channel_t *channel) {
    if (channel == NULL)
        return UV_EINVAL;
    if (channel->producers == 0)
        return UV_ERANGE;
    if (channel->producers == 1 &&
        !close_channel(channel, "uva_channel_close_sender"))
        return UV_EPERM;
    channel->producers--;
    return 0;
}

/* ---- looking ------------------------------------------------------------ */

void uva_channel_set_name(uva_channel_t *channel, const char *name) {
    channel->senders.name = name;
    channel->receivers.name = name;
}

/* The offers of one select stand behind each other. */
static size_t count_tasks(const uva_waiters_t *queue) {
    const uva__selection_t *last = NULL;
    size_t count = 0;
    for (const uva_link_t *link = queue->list.first; link != NULL;
         link = link->next) {
        const uva__offer_t *offer = UVA__OF(link, const uva__offer_t, link);
        count += offer->selection != last;
        last = offer->selection;
    }
    return count;
}

void uva_channel_statistics(const uva_channel_t *channel,
                            uva_channel_statistics_t *ret_statistics) {
    *ret_statistics = (uva_channel_statistics_t){
        .name = channel->senders.name,
        .items = channel->count,
        .peak = channel->peak,
        .capacity = channel->capacity,
        .senders = channel->producers,
        .sending = count_tasks(&channel->senders),
        .receiving = count_tasks(&channel->receivers),
        .is_closed = channel->is_closed};
}
