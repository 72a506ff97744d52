/*
 * Offers: how tasks wait in channels.
 *
 * An offer to send or to receive stands in a channel. It belongs to a
 * selection, which is one park: a plain send or receive has one offer, a select
 * one for each of its channels. Whoever meets an offer decides the whole
 * selection there and then: the item is copied, everything else that the
 * selection waits for is given up, and its task is woken. So what stands in a
 * channel can always be met, and after its wake a task has nothing to look at
 * again.
 *
 * Nothing that stands in a channel belongs to a running task: nobody can meet
 * himself.
 */
#ifndef UVA__OFFER_H
#define UVA__OFFER_H

#include "runtime/seam.h"
#include "uvawait/channel.h"

typedef struct uva__offer uva__offer_t;

typedef struct uva__selection {
    uva__waiter_t waiter;
    /* The offer has been met and is out of its queue: gives up whatever else
     * is waited for, and wakes. NULL: there is nothing else. */
    void (*decide)(uva__offer_t *offer, int code);
} uva__selection_t;

struct uva__offer {
    uva_link_t link;
    uva_waiters_t *queue; /* where it stands: channel->senders or ->receivers */
    void *item;           /* to be sent (not written to), or to be filled */
    uva__selection_t *selection;
};

/* Makes an offer stand in its queue, and takes it out. */
static inline void uva__offer_stand(uva__offer_t *offer) {
    uva__list_push(&offer->queue->list, &offer->link);
}
static inline void uva__offer_withdraw(uva__offer_t *offer) {
    uva__list_remove(&offer->queue->list, &offer->link);
}

/* Whether a send, or receive, would not have to wait. */
static inline bool uva__channel_sends(const uva_channel_t *channel) {
    return channel->count < channel->capacity ||
           !uva__list_is_empty(&channel->receivers.list) || channel->is_closed;
}
static inline bool uva__channel_receives(const uva_channel_t *channel) {
    return channel->count > 0 || !uva__list_is_empty(&channel->senders.list) ||
           channel->is_closed;
}

/* Whether an item may stand at that place. */
static inline bool uva__channel_takes(const uva_channel_t *channel,
                                      const void *item) {
    return item != NULL || channel->item_bytes == 0;
}

/* Does it, if it need not wait; else UV_EAGAIN. `call` is for the report of a
 * misuse. */
int uva__channel_send_now(uva_channel_t *channel, const void *item,
                          const char *call);
int uva__channel_recv_now(uva_channel_t *channel, void *ret_item,
                          const char *call);

#endif
