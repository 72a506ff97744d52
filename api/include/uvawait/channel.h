/**
 * Channels of values between tasks, as in Go: what is sent is copied in, what
 * is received is copied out. A channel with a capacity is a buffer, one without
 * is a rendezvous: each send meets a receive.
 *
 * Who waits is served first come, first served, and an item passes at the call
 * that makes it possible: so nothing can be lost to a cancellation, nobody can
 * barge in, and items of one sender arrive in their order. uva_select() waits
 * on several channels, and on other things, at once.
 *
 * A channel owns its buffer: uva_channel_free() it.
 */
#ifndef UVAWAIT_CHANNEL_H
#define UVAWAIT_CHANNEL_H

#include "base.h"

UVA_BEGIN_DECLS

/* The fields are private. */
typedef struct uva_channel {
    char *ring; /* of `capacity` items */
    size_t ring_bytes;
    size_t item_bytes;
    size_t capacity;
    size_t first; /* where in the ring the oldest item is, in bytes */
    size_t last;  /* where the next one goes */
    size_t count;
    size_t peak;
    size_t producers; /* uva_channel_add_sender() */
    bool is_closed;
    uva_waiters_t senders;   /* of offers; only while there is no room */
    uva_waiters_t receivers; /* of offers; only while there is no item */
} uva_channel_t;

/**
 * Makes a channel for items of item_bytes each, of which it holds up to
 * `capacity` that nobody has received yet. With capacity 0 a send waits for its
 * receive. With item_bytes 0 it carries signals, and items may be NULL. There
 * are no channels without a bound; uva_queue_init() makes such queues.
 *
 * Context:  anywhere
 * Parks:    never
 * Cancel:   –
 * Returns:  0; UV_ENOMEM; UV_EINVAL if that is more than memory can hold. After
 *           a failure the channel is as one that was freed
 * Owns:     channel is the caller's, to be freed with uva_channel_free(); it
 *           must stay while tasks use it
 * Since:    0.1
 */
UVA_API int uva_channel_init(uva_channel_t *channel, size_t item_bytes,
                             size_t capacity);

/**
 * Closes the channel and frees its memory; items that nobody has received are
 * dropped. Tasks parked in it get UV_EPIPE or UV_EOF, and do not look at it
 * again. NULL is fine, and so is a second time. Later calls find a channel that
 * is closed and empty.
 *
 * Context:  the thread of the runtime; also inside libuv callbacks. From
 *           another thread than the waiters' it is reported, and does nothing
 * Parks:    never
 * Cancel:   –
 * Returns:  –
 * Owns:     the struct may go once no task is about to make a call on it (the
 *           cooperative budget may have made one yield at the start of its
 *           send, receive or select)
 * Since:    0.1
 */
UVA_API void uva_channel_free(uva_channel_t *channel);

/**
 * Sends a copy of *item, waiting for room or, without capacity, for the
 * receiver.
 *
 * Context:  task
 * Parks:    while there is no room and nobody receives
 * Cancel:   UV_ECANCELED; the item was not sent, the turn is given up
 * Returns:  0, UV_ECANCELED, UV_EPIPE (closed: the item was not sent),
 *           UV_EINVAL (NULL), UV_EPERM outside a task
 * Owns:     channel and item borrowed until return
 * Since:    0.1
 */
UVA_API UVA_PARKS int uva_channel_send(uva_channel_t *channel,
                                       const void *item);

/**
 * Receives an item into *ret_item, waiting for one if need be. What a channel
 * that was closed still holds can be received.
 *
 * Context:  task
 * Parks:    while there is no item
 * Cancel:   UV_ECANCELED; no item was taken, the turn is given up
 * Returns:  0, UV_ECANCELED, UV_EOF (closed and drained), UV_EINVAL (NULL),
 *           UV_EPERM outside a task; *ret_item is untouched then
 * Owns:     channel and ret_item borrowed until return
 * Since:    0.1
 */
UVA_API UVA_PARKS int uva_channel_recv(uva_channel_t *channel, void *ret_item);

/**
 * Sends if there is room or somebody waits to receive.
 *
 * Context:  the thread of the runtime; also inside libuv callbacks
 * Parks:    never
 * Cancel:   –
 * Returns:  0, UV_EAGAIN, UV_EPIPE (closed), UV_EINVAL (NULL), UV_EPERM from
 *           another thread than the waiters' (reported)
 * Owns:     channel and item borrowed
 * Since:    0.1
 */
UVA_API int uva_channel_try_send(uva_channel_t *channel, const void *item);

/**
 * Receives if there is an item or somebody waits to send one.
 *
 * Context:  the thread of the runtime; also inside libuv callbacks
 * Parks:    never
 * Cancel:   –
 * Returns:  0, UV_EAGAIN, UV_EOF (closed and drained), UV_EINVAL (NULL),
 *           UV_EPERM from another thread than the waiters' (reported)
 * Owns:     channel and ret_item borrowed
 * Since:    0.1
 */
UVA_API int uva_channel_try_recv(uva_channel_t *channel, void *ret_item);

/**
 * Ends the traffic. Sends get UV_EPIPE from now on, also those that wait: their
 * items are not sent. Receives go on while there are items, and then get
 * UV_EOF. Closing again, or NULL, does nothing.
 *
 * Context:  the thread of the runtime; also inside libuv callbacks. From
 *           another thread than the waiters' it is reported, and does nothing
 * Parks:    never
 * Cancel:   –
 * Returns:  –
 * Owns:     channel borrowed
 * Since:    0.1
 */
UVA_API void uva_channel_close(uva_channel_t *channel);

/**
 * Counts one more sender, so that the last one to finish closes the channel:
 * add all before the first can finish, as a rule before they are spawned. It
 * only counts; anybody may send.
 *
 * Context:  the thread of the runtime; also inside libuv callbacks
 * Parks:    never
 * Cancel:   –
 * Returns:  0; UV_EPIPE when the channel is closed (nothing is counted);
 *           UV_EINVAL (NULL)
 * Owns:     channel borrowed
 * Since:    0.1
 */
UVA_API int uva_channel_add_sender(uva_channel_t *channel);

/**
 * One of those senders has finished. With the last one the channel is closed.
 *
 * Context:  the thread of the runtime; also inside libuv callbacks
 * Parks:    never
 * Cancel:   –
 * Returns:  0, also when the channel was closed before; UV_ERANGE once more
 *           than senders were added (nothing is changed); UV_EINVAL (NULL);
 *           UV_EPERM from another thread than the waiters' (reported)
 * Owns:     channel borrowed
 * Since:    0.1
 */
UVA_API int uva_channel_close_sender(uva_channel_t *channel);

/**
 * Says what uva_dump() calls it: "parked in channel send 'jobs'".
 *
 * Context:  anywhere
 * Parks:    never
 * Cancel:   –
 * Returns:  –
 * Owns:     channel borrowed; name too, for as long as the channel is used;
 *           NULL takes it away
 * Since:    0.1
 */
UVA_API void uva_channel_set_name(uva_channel_t *channel, const char *name);

/* A look at a channel; it changes with the next call. */
typedef struct uva_channel_statistics {
    const char *name; /* as given, or NULL */
    size_t items;     /* that nobody has received yet */
    size_t peak;      /* the most that there were at once */
    size_t capacity;
    size_t senders;   /* added and not finished */
    size_t sending;   /* tasks that wait to send, in uva_select() too */
    size_t receiving; /* ... to receive */
    bool is_closed;
} uva_channel_statistics_t;

/**
 * Tells how a channel stands. Takes a step for each task that waits.
 *
 * Context:  the thread of the runtime
 * Parks:    never
 * Cancel:   –
 * Returns:  –
 * Owns:     channel borrowed; the name in *ret_statistics as well
 * Since:    0.1
 */
UVA_API void uva_channel_statistics(const uva_channel_t *channel,
                                    uva_channel_statistics_t *ret_statistics);

UVA_END_DECLS

#endif
