/**
 * Broadcast channels: every receiver gets every value. A sender never waits:
 * the channel keeps the newest values in a ring, and a receiver that falls
 * further behind than the ring is long is told how many it has missed.
 *
 * A receiver gets what is sent after it was opened. A task that waits in
 * uva_broadcast_recv() has its value the moment it is sent, in its own memory:
 * nothing that is sent before the task runs can overwrite it. What a receiver
 * has not asked for yet lies in the ring, and can be overwritten there.
 *
 * A broadcast owns its ring: uva_broadcast_free() it. Receivers are plain
 * structs in their user's frame.
 */
#ifndef UVAWAIT_BROADCAST_H
#define UVAWAIT_BROADCAST_H

#include "base.h"

UVA_BEGIN_DECLS

/* The fields are private. */
typedef struct uva_broadcast {
    char *ring; /* NULL: freed */
    size_t item_bytes;
    size_t capacity;
    uint64_t sent; /* values so far; the newest is number sent - 1 */
    size_t receivers;
    bool is_closed;
    uva_waiters_t waiters; /* each has received all there is */
} uva_broadcast_t;

/* The fields are private. */
typedef struct uva_broadcast_receiver {
    uva_broadcast_t *broadcast; /* NULL: closed */
    uint64_t next;              /* the number of the value it gets next */
    uint64_t missed;
    void *waiter; /* of the task that waits with it, or NULL */
} uva_broadcast_receiver_t;

/**
 * Makes a broadcast channel for items of item_bytes each, which keeps the
 * newest `capacity` of them. With item_bytes 0 it carries signals, and items
 * may be NULL.
 *
 * Context:  anywhere
 * Parks:    never
 * Cancel:   –
 * Returns:  0; UV_ENOMEM; UV_EINVAL for capacity 0, and if that is more than
 *           memory can hold. After a failure it is as one that was freed
 * Owns:     broadcast is the caller's, to be freed with uva_broadcast_free();
 *           it must stay while receivers are open on it
 * Since:    0.1
 */
UVA_API int uva_broadcast_init(uva_broadcast_t *broadcast, size_t item_bytes,
                               size_t capacity);

/**
 * Closes the channel and frees its ring; values that were not received are
 * dropped. Tasks parked in it get UV_EOF, and do not look at it again. NULL is
 * fine, and so is a second time. Later calls find a channel that is closed and
 * empty.
 *
 * Context:  the thread of the runtime; also inside libuv callbacks. From
 *           another thread than the waiters' it is reported, and does nothing
 * Parks:    never
 * Cancel:   –
 * Returns:  –
 * Owns:     the struct may go once its receivers are closed and no task is
 *           about to make a call on it
 * Since:    0.1
 */
UVA_API void uva_broadcast_free(uva_broadcast_t *broadcast);

/**
 * Sends a copy of *item to all receivers; the oldest value in the ring is
 * overwritten. Without receivers it goes nowhere, which is no failure.
 *
 * Context:  the thread of the runtime; also inside libuv callbacks
 * Parks:    never
 * Cancel:   –
 * Returns:  0, UV_EPIPE (closed), UV_EINVAL (NULL), UV_EPERM from another
 *           thread than the waiters' (reported; nothing is changed)
 * Owns:     broadcast and item borrowed
 * Since:    0.1
 */
UVA_API int uva_broadcast_send(uva_broadcast_t *broadcast, const void *item);

/**
 * Ends the traffic: sends get UV_EPIPE from now on; receivers get what is left
 * for them, and then UV_EOF. A second time does nothing.
 *
 * Context:  the thread of the runtime; also inside libuv callbacks. From
 *           another thread than the waiters' it is reported, and does nothing
 * Parks:    never
 * Cancel:   –
 * Returns:  –
 * Owns:     broadcast borrowed
 * Since:    0.1
 */
UVA_API void uva_broadcast_close(uva_broadcast_t *broadcast);

/**
 * Opens a receiver: it gets what is sent from now on.
 *
 * Context:  the thread of the runtime
 * Parks:    never
 * Cancel:   –
 * Returns:  0; UV_EPIPE when the broadcast is closed: the receiver is open and
 *           has nothing but UV_EOF to give
 * Owns:     receiver is the caller's, to be closed with
 *           uva_broadcast_receiver_close() before its memory goes, and before
 *           the broadcast's does
 * Since:    0.1
 */
UVA_API int uva_broadcast_receiver_open(uva_broadcast_receiver_t *receiver,
                                        uva_broadcast_t *broadcast);

/**
 * Closes a receiver; a task that waits with it gets UV_EBADF. All zero, and a
 * second time, are fine.
 *
 * Context:  the thread of the runtime; also inside libuv callbacks. From
 *           another thread than the waiter's it is reported, and does nothing
 * Parks:    never
 * Cancel:   –
 * Returns:  –
 * Owns:     the struct may go once no task is about to make a call on it
 * Since:    0.1
 */
UVA_API void uva_broadcast_receiver_close(uva_broadcast_receiver_t *receiver);

/**
 * Receives the next value into *ret_item, waiting for one if need be.
 *
 * A receiver that is more than the ring behind gets UV_ENOBUFS, once: it goes
 * on with the oldest value that is still there, and uva_broadcast_missed() says
 * how many it has lost.
 *
 * Context:  task
 * Parks:    while everything that was sent has been received
 * Cancel:   UV_ECANCELED; no value was taken
 * Returns:  0, UV_ENOBUFS (values were missed), UV_ECANCELED, UV_EOF (closed
 *           and drained), UV_EBADF (the receiver is closed), UV_EBUSY (another
 *           task waits with it), UV_EINVAL (NULL), UV_EPERM outside a task;
 *           *ret_item is untouched then
 * Owns:     receiver and ret_item borrowed until return
 * Since:    0.1
 */
UVA_API UVA_PARKS int uva_broadcast_recv(uva_broadcast_receiver_t *receiver,
                                         void *ret_item);

/**
 * Receives the next value if there is one.
 *
 * Context:  the thread of the runtime; also inside libuv callbacks
 * Parks:    never
 * Cancel:   –
 * Returns:  as uva_broadcast_recv(); UV_EAGAIN when it would have to wait
 * Owns:     receiver and ret_item borrowed
 * Since:    0.1
 */
UVA_API int uva_broadcast_try_recv(uva_broadcast_receiver_t *receiver,
                                   void *ret_item);

/**
 * How many values the last UV_ENOBUFS stood for.
 *
 * Context:  the thread of the runtime
 * Parks:    never
 * Cancel:   –
 * Returns:  the number; 0 before the first
 * Owns:     receiver borrowed
 * Since:    0.1
 */
UVA_API uint64_t uva_broadcast_missed(const uva_broadcast_receiver_t *receiver);

/**
 * Says what uva_dump() calls it: "parked in broadcast recv 'prices'".
 *
 * Context:  anywhere
 * Parks:    never
 * Cancel:   –
 * Returns:  –
 * Owns:     broadcast borrowed; name too, for as long as the broadcast is used;
 *           NULL takes it away
 * Since:    0.1
 */
UVA_API void uva_broadcast_set_name(uva_broadcast_t *broadcast,
                                    const char *name);

/* A look at a broadcast channel; it changes with the next call. */
typedef struct uva_broadcast_statistics {
    const char *name; /* as given, or NULL */
    size_t capacity;  /* values that are kept; 0 once freed */
    uint64_t sent;    /* values so far */
    size_t receivers; /* open */
    size_t receiving; /* tasks parked in uva_broadcast_recv() */
    bool is_closed;
} uva_broadcast_statistics_t;

/**
 * Tells how a broadcast stands. Takes a step for each task that waits.
 *
 * Context:  the thread of the runtime
 * Parks:    never
 * Cancel:   –
 * Returns:  –
 * Owns:     broadcast borrowed; the name in *ret_statistics as well
 * Since:    0.1
 */
UVA_API void
uva_broadcast_statistics(const uva_broadcast_t *broadcast,
                         uva_broadcast_statistics_t *ret_statistics);

UVA_END_DECLS

#endif
