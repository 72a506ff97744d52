/**
 * Channels from threads to tasks: any thread sends, tasks of one runtime
 * receive. Bounded: a thread that sends faster than the tasks receive blocks.
 *
 * Items of one sender arrive in their order. Tasks that wait to receive are
 * served first come, first served; an item is handed to its task in the loop's
 * thread, at the wake, so none is lost to a cancellation. A burst of items
 * costs the loop one wake-up. Between threads that wait for room the system
 * decides; tasks that wait for room come before them.
 *
 * Lifetimes. A channel keeps the memory, not the life, of its runtime until it
 * is freed. Threads need no uva_runtime_ref() to send. When the runtime ends,
 * threads that block and those that come later get UV_ESHUTDOWN; no thread
 * hangs. What the channel still holds can be taken by any thread then, with
 * uva_thread_channel_try_recv(). The channel itself must outlive every call on
 * it: uva_thread_channel_close() it, join the threads that send, free it.
 *
 * Not for signal handlers, which must not take locks: uva_thread_event_set().
 */
#ifndef UVAWAIT_THREAD_CHANNEL_H
#define UVAWAIT_THREAD_CHANNEL_H

#include "base.h"

UVA_BEGIN_DECLS

/* The fields are private. */
typedef struct uva_thread_channel {
    uva_ping_t ping; /* no runtime: freed */
    uv_mutex_t lock;
    uv_cond_t room;    /* for threads that send, and for who frees it */
    char *ring;        /* of `capacity` items; what follows is under lock */
    size_t item_bytes; /* constant */
    size_t capacity;   /* constant */
    size_t first;      /* the place of the oldest item */
    size_t count;
    size_t blocked; /* threads that wait for room */
    bool is_closed;
    bool is_awaited;         /* a task waits: the loop must be told */
    uva_waiters_t receivers; /* the loop's; only while there is no item, or a
                                ping is under way */
    uva_waiters_t senders;   /* the loop's; only while there is no room */
} uva_thread_channel_t;

/**
 * Makes a channel to the runtime of this thread, for up to `capacity` items of
 * item_bytes each. With item_bytes 0 it carries signals, and items may be NULL.
 *
 * Context:  the thread of the runtime
 * Parks:    never
 * Cancel:   –
 * Returns:  0; UV_ENOMEM and what else uv_mutex_init() and uv_cond_init() give;
 *           UV_EINVAL for capacity 0, and if that is more than memory can hold;
 *           UV_EPERM without a runtime (reported); UV_ESHUTDOWN when it has
 *           ended. After a failure the channel is as one that was freed
 * Owns:     channel is the caller's, to be freed with uva_thread_channel_free()
 * Since:    0.1
 */
UVA_API int uva_thread_channel_init(uva_thread_channel_t *channel,
                                    size_t item_bytes, size_t capacity);

/**
 * Closes the channel, waits until the threads that block in it have left, and
 * frees its memory; items that nobody has received are dropped. Tasks parked in
 * it get UV_EPIPE or UV_EOF, and do not look at it again. NULL is fine, and so
 * is a second time.
 *
 * Context:  the thread of the runtime; any thread after its end. From elsewhere
 *           it is reported, and does nothing
 * Parks:    never (it waits for threads that are on their way out)
 * Cancel:   –
 * Returns:  –
 * Owns:     no other thread may call with the channel any more, but for those
 *           that block in it; the struct may go once no task is about to
 * Since:    0.1
 */
UVA_API void uva_thread_channel_free(uva_thread_channel_t *channel);

/**
 * Sends a copy of *item. While there is no room a task of the channel's runtime
 * parks; in another thread the call blocks that thread.
 *
 * Context:  any thread; in the loop's own only inside tasks
 * Parks:    in the loop's own thread, while there is no room
 * Cancel:   UV_ECANCELED; the item was not sent. A thread that blocks is
 *           released by closing the channel
 * Returns:  0, UV_EPIPE (closed), UV_ESHUTDOWN (the runtime has ended),
 *           UV_ECANCELED, UV_EINVAL (NULL), UV_EPERM in the loop's own thread
 *           outside a task (reported); the item was not sent then
 * Owns:     channel and item borrowed until return
 * Since:    0.1
 */
UVA_API UVA_PARKS int uva_thread_channel_send(uva_thread_channel_t *channel,
                                              const void *item);

/**
 * uva_thread_channel_send() that waits no longer than timeout_ms; with 0 not at
 * all. In a task these are of the runtime's clock, in a thread of the system's.
 *
 * Context:  as uva_thread_channel_send()
 * Parks:    as uva_thread_channel_send()
 * Cancel:   as uva_thread_channel_send()
 * Returns:  as uva_thread_channel_send(); UV_ETIMEDOUT: the item was not sent
 * Owns:     channel and item borrowed until return
 * Since:    0.1
 */
UVA_API UVA_PARKS int
uva_thread_channel_send_within(uva_thread_channel_t *channel, const void *item,
                               uint64_t timeout_ms);

/**
 * Sends if there is room.
 *
 * Context:  any thread
 * Parks:    never (it takes a lock for the time of a copy)
 * Cancel:   –
 * Returns:  0, UV_EAGAIN (full), UV_EPIPE (closed), UV_ESHUTDOWN (the runtime
 *           has ended), UV_EINVAL (NULL)
 * Owns:     channel and item borrowed
 * Since:    0.1
 */
UVA_API int uva_thread_channel_try_send(uva_thread_channel_t *channel,
                                        const void *item);

/**
 * Receives an item into *ret_item, waiting for one if need be. What a channel
 * that was closed still holds can be received.
 *
 * Context:  task of the channel's runtime
 * Parks:    while there is no item. A thread may end the wait, so it is never
 *           taken for a deadlock
 * Cancel:   UV_ECANCELED; no item was taken, the turn is given up
 * Returns:  0, UV_ECANCELED, UV_EOF (closed and drained), UV_EINVAL (NULL),
 *           UV_EPERM outside a task or in another runtime (reported); *ret_item
 *           is untouched then
 * Owns:     channel and ret_item borrowed until return
 * Since:    0.1
 */
UVA_API UVA_PARKS int uva_thread_channel_recv(uva_thread_channel_t *channel,
                                              void *ret_item);

/**
 * Receives an item if one is there for the taking.
 *
 * Context:  the thread of the runtime; any thread after its end
 * Parks:    never
 * Cancel:   –
 * Returns:  0, UV_EAGAIN (empty), UV_EOF (closed and drained), UV_EINVAL
 *           (NULL), UV_EPERM from another thread (reported)
 * Owns:     channel and ret_item borrowed
 * Since:    0.1
 */
UVA_API int uva_thread_channel_try_recv(uva_thread_channel_t *channel,
                                        void *ret_item);

/**
 * Ends the traffic: sends get UV_EPIPE from now on, also those that wait; tasks
 * receive what is left, and then UV_EOF. A second time does nothing.
 *
 * Context:  any thread
 * Parks:    never
 * Cancel:   –
 * Returns:  –
 * Owns:     channel borrowed
 * Since:    0.1
 */
UVA_API void uva_thread_channel_close(uva_thread_channel_t *channel);

/**
 * Says what uva_dump() calls it: "parked in thread channel recv 'jobs'".
 *
 * Context:  the thread of the runtime
 * Parks:    never
 * Cancel:   –
 * Returns:  –
 * Owns:     channel borrowed; name too, for as long as the channel is used;
 *           NULL takes it away
 * Since:    0.1
 */
UVA_API void uva_thread_channel_set_name(uva_thread_channel_t *channel,
                                         const char *name);

/* A look at a channel; it changes with the next call, and by other threads. */
typedef struct uva_thread_channel_statistics {
    const char *name; /* as given, or NULL */
    size_t capacity;
    size_t size;      /* items that nobody has received */
    size_t receiving; /* tasks parked in uva_thread_channel_recv() */
    size_t sending;   /* tasks parked in uva_thread_channel_send() */
    size_t blocked;   /* threads blocked in it */
    bool is_closed;
} uva_thread_channel_statistics_t;

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
UVA_API void
uva_thread_channel_statistics(uva_thread_channel_t *channel,
                              uva_thread_channel_statistics_t *ret_statistics);

UVA_END_DECLS

#endif
