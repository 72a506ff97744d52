/*
 * What: bounded channels from threads to the tasks of one runtime.
 *
 * How: a ring under a lock. Items only ever leave it in the loop's thread: who
 * receives takes one if nobody waits longer, and parks otherwise. A send that
 * finds `is_awaited` fires the channel's ping (ping.h) and takes the flag down,
 * so a burst wakes the loop once; the ping hands out what has come by then.
 *
 * A place that becomes free takes the item of the oldest task that waits for
 * room, there and then; if none does, a thread that waits is told. So tasks
 * wait for room only while the ring is full.
 *
 * The runtime knows only the threads that block (post.h), not the channels: its
 * end releases those, and nothing of it points at a channel that may have gone.
 *
 * Locks: `channel->lock` may be taken under the runtime's, never the other way
 * round. A task never parks holding either.
 *
 * If you change this: after its wake a task must not look at the channel, which
 * may have been freed.
 */
#include "uvawait/thread_channel.h"

#include <stdlib.h>
#include <string.h>

#include "park.h"
#include "ping.h"
#include "post.h"
#include "report.h"
#include "task.h"

/* A task that waits, and where its item lies or goes. */
typedef struct mover {
    uva__waiter_t waiter;
    void *item;
} mover_t;

/* A thread that waits for room. */
typedef struct blocker {
    uva__blocked_t blocked;
    uva_thread_channel_t *channel;
    uint64_t end_ns; /* UINT64_MAX: none */
} blocker_t;

static const uva__wait_t recv_wait = {.reason = "thread channel recv",
                                      .cancel = uva__leave_queue,
                                      .outside = true};
/* A thread may close the channel. */
static const uva__wait_t send_wait = {.reason = "thread channel send",
                                      .cancel = uva__leave_queue,
                                      .outside = true};

/* ---- the ring, under the lock ------------------------------------------- */

static char *place_at(const uva_thread_channel_t *channel, size_t place) {
    if (place >= channel->capacity)
        place -= channel->capacity;
    return channel->ring + place * channel->item_bytes;
}

static void push(uva_thread_channel_t *channel, const void *item) {
    if (channel->item_bytes > 0)
        memcpy(place_at(channel, channel->first + channel->count), item,
               channel->item_bytes);
    channel->count++;
}

static mover_t *first_mover(const uva_waiters_t *queue) {
    return UVA__OF(uva__first_waiter(queue), mover_t, waiter);
}

/* In the loop's thread: takes the oldest item, and gives its place away. */
static void pop(uva_thread_channel_t *channel, void *ret_item) {
    if (channel->item_bytes > 0)
        memcpy(ret_item, place_at(channel, channel->first),
               channel->item_bytes);
    if (++channel->first == channel->capacity)
        channel->first = 0;
    channel->count--;
    if (uva__has_waiters(&channel->senders) && !channel->is_closed) {
        push(channel, first_mover(&channel->senders)->item);
        uva__wake_first(&channel->senders, 0);
    } else if (channel->blocked > 0) {
        uv_cond_signal(&channel->room);
    }
}

/* In the loop's thread: gives those that wait what has come for them. */
static void hand_out(uva_thread_channel_t *channel) {
    while (channel->count > 0 && uva__has_waiters(&channel->receivers)) {
        pop(channel, first_mover(&channel->receivers)->item);
        uva__wake_first(&channel->receivers, 0);
    }
    if (channel->is_closed) {
        (void)uva__wake_all(&channel->senders, UV_EPIPE);
        (void)uva__wake_all(&channel->receivers, UV_EOF);
    }
    channel->is_awaited = uva__has_waiters(&channel->receivers) ||
                          uva__has_waiters(&channel->senders);
}

static void deliver(uva_ping_t *ping) {
    uva_thread_channel_t *channel = UVA__OF(ping, uva_thread_channel_t, ping);
    uv_mutex_lock(&channel->lock);
    hand_out(channel);
    uv_mutex_unlock(&channel->lock);
}

/* From any thread: sees to it that those that wait are looked after. */
static void tell(uva_thread_channel_t *channel) {
    if (!channel->is_awaited)
        return;
    if (channel->ping.runtime == uva__thread_runtime) {
        hand_out(channel);
        return;
    }
    channel->is_awaited = false;
    (void)uva__ping_fire(&channel->ping);
}

/* From any thread: 0, UV_EAGAIN when there is no room, or an error. */
static int put(uva_thread_channel_t *channel, const void *item) {
    if (channel->is_closed)
        return UV_EPIPE;
    if (uva__ping_is_over(&channel->ping))
        return UV_ESHUTDOWN;
    if (channel->count == channel->capacity)
        return UV_EAGAIN;
    push(channel, item);
    tell(channel);
    return 0;
}

/* In the loop's thread: 0, UV_EAGAIN when there is no item, or UV_EOF. */
static int take(uva_thread_channel_t *channel, void *ret_item) {
    hand_out(channel); /* who has waited longer comes first */
    if (channel->count == 0)
        return channel->is_closed ? UV_EOF : UV_EAGAIN;
    pop(channel, ret_item);
    return 0;
}

/* ---- making ------------------------------------------------------------- */

static bool is_freed(const uva_thread_channel_t *channel) {
    return channel->ping.runtime == NULL;
}

static bool is_missing(const uva_thread_channel_t *channel, const void *item) {
    return item == NULL && channel->item_bytes > 0;
}

/* The ring, the lock and the condition, or nothing. */
static int make(uva_thread_channel_t *channel) {
    /* One that carries no bytes has a place all the same. */
    size_t bytes = channel->item_bytes * channel->capacity;
    char *ring = malloc(bytes > 0 ? bytes : 1);
    if (ring == NULL)
        return UV_ENOMEM;
    int code = uv_mutex_init(&channel->lock);
    if (code < 0)
        goto free_ring;
    code = uv_cond_init(&channel->room);
    if (code < 0)
        goto destroy_lock;
    channel->ring = ring;
    return 0;
destroy_lock:
    uv_mutex_destroy(&channel->lock);
free_ring:
    free(ring);
    return code;
}

int uva_thread_channel_init(uva_thread_channel_t *channel, size_t item_bytes,
                            size_t capacity) {
    *channel =
        (uva_thread_channel_t){.item_bytes = item_bytes, .capacity = capacity};
    uva_runtime_t *rt = uva__thread_runtime;
    if (rt == NULL)
        return uva__misuse("uva_thread_channel_init",
                           "this thread has no runtime whose tasks could "
                           "receive");
    if (rt->life >= UVA__CLOSING)
        return UV_ESHUTDOWN;
    if (capacity == 0 ||
        (item_bytes > 0 && capacity > (size_t)PTRDIFF_MAX / item_bytes))
        return UV_EINVAL;
    int code = make(channel);
    if (code == 0)
        uva__ping_open(&channel->ping, rt, deliver);
    return code;
}

void uva_thread_channel_free(uva_thread_channel_t *channel) {
    if (channel == NULL || is_freed(channel))
        return;
    if (!uva__ping_is_ours(&channel->ping)) {
        (void)uva__misuse("uva_thread_channel_free",
                          "this is not the thread of the channel's runtime");
        return;
    }
    uva_thread_channel_close(channel);
    uv_mutex_lock(&channel->lock);
    while (channel->blocked > 0)
        uv_cond_wait(&channel->room, &channel->lock);
    uv_mutex_unlock(&channel->lock);
    uva__ping_close(&channel->ping);
    uv_cond_destroy(&channel->room);
    uv_mutex_destroy(&channel->lock);
    free(channel->ring);
    channel->ring = NULL;
    channel->count = 0;
    channel->is_closed = true;
    channel->ping.runtime = NULL;
}

void uva_thread_channel_close(uva_thread_channel_t *channel) {
    if (is_freed(channel))
        return;
    uv_mutex_lock(&channel->lock);
    channel->is_closed = true;
    uv_cond_broadcast(&channel->room);
    tell(channel);
    uv_mutex_unlock(&channel->lock);
}

/* ---- sending from a thread ---------------------------------------------- */

static void release(uva__blocked_t *blocked) {
    uva_thread_channel_t *channel =
        UVA__OF(blocked, blocker_t, blocked)->channel;
    uv_mutex_lock(&channel->lock);
    uv_cond_broadcast(&channel->room);
    uv_mutex_unlock(&channel->lock);
}

/* Under the lock, which it gives up meanwhile: false when time is up. */
static bool wait_for_room(blocker_t *blocker) {
    uva_thread_channel_t *channel = blocker->channel;
    if (blocker->end_ns == UINT64_MAX) {
        uv_cond_wait(&channel->room, &channel->lock);
        return true;
    }
    uint64_t now = uv_hrtime();
    if (now >= blocker->end_ns)
        return false;
    (void)uv_cond_timedwait(&channel->room, &channel->lock,
                            blocker->end_ns - now);
    return true;
}

/* Blocks the thread while there is no room. Its runtime knows of it. */
static int send_blocking(blocker_t *blocker, const void *item) {
    uva_thread_channel_t *channel = blocker->channel;
    if (!uva__posts_block(channel->ping.runtime, &blocker->blocked))
        return UV_ESHUTDOWN;
    uv_mutex_lock(&channel->lock);
    int code;
    while ((code = put(channel, item)) == UV_EAGAIN) {
        if (wait_for_room(blocker))
            continue;
        code = UV_ETIMEDOUT;
        break;
    }
    uv_mutex_unlock(&channel->lock);
    uva__posts_unblock(channel->ping.runtime, &blocker->blocked);
    return code;
}

static uint64_t end_ns(uint64_t timeout_ms) {
    uint64_t now = uv_hrtime();
    return timeout_ms < (UINT64_MAX / 2 - now) / 1000000
               ? now + timeout_ms * 1000000
               : UINT64_MAX;
}

static int send_from_thread(uva_thread_channel_t *channel, const void *item,
                            uint64_t timeout_ms) {
    uv_mutex_lock(&channel->lock);
    int code = put(channel, item);
    bool blocks = code == UV_EAGAIN;
    channel->blocked += blocks; /* keeps it from being freed */
    uv_mutex_unlock(&channel->lock);
    if (!blocks)
        return code;
    blocker_t blocker = {.blocked.release = release,
                         .channel = channel,
                         .end_ns = end_ns(timeout_ms)};
    code = send_blocking(&blocker, item);
    uv_mutex_lock(&channel->lock);
    channel->blocked--;
    if (channel->is_closed)
        uv_cond_broadcast(&channel->room); /* somebody may be freeing it */
    uv_mutex_unlock(&channel->lock);
    return code;
}

/* ---- sending from a task ------------------------------------------------ */

static int put_or_await(uva_thread_channel_t *channel, uva__task_t *task,
                        const void *item) {
    int code = uva__may_park(task);
    if (code < 0)
        return code;
    uv_mutex_lock(&channel->lock);
    code = put(channel, item);
    /* In one stretch with the look: a close meanwhile would tell nobody. */
    if (code == UV_EAGAIN)
        channel->is_awaited = true;
    uv_mutex_unlock(&channel->lock);
    if (code != UV_EAGAIN)
        return code;
    mover_t mover = {.waiter.wait = &send_wait,
                     .item = (void *)(uintptr_t)item};
    return uva__park_in(task, &channel->senders, &mover.waiter);
}

/* The time begins with the wait: what need not wait is sent in no time, too. */
static int await_within(uva_thread_channel_t *channel, uva__task_t *task,
                        const void *item, uint64_t timeout_ms) {
    uva_scope_t scope;
    uva_scope_open(&scope, timeout_ms, 0);
    int code = put_or_await(channel, task, item);
    int closed = uva_scope_close(&scope);
    return code == UV_ECANCELED && closed < 0 ? closed : code;
}

static int send_from_task(uva_thread_channel_t *channel, const void *item,
                          uint64_t timeout_ms) {
    uva__task_t *task = uva__thread_runtime->current;
    if (task == NULL)
        return uva__misuse("uva_thread_channel_send",
                           "called in the loop's own thread outside a task; it "
                           "would block the loop. Use "
                           "uva_thread_channel_try_send()");
    int code = uva__spend(task);
    if (code == 0)
        code = uva_thread_channel_try_send(channel, item);
    return code == UV_EAGAIN ? await_within(channel, task, item, timeout_ms)
                             : code;
}

/* ---- sending ------------------------------------------------------------ */

static bool is_own(const uva_thread_channel_t *channel) {
    return channel->ping.runtime == uva__thread_runtime;
}

int uva_thread_channel_send(uva_thread_channel_t *channel, const void *item) {
    return uva_thread_channel_send_within(channel, item, UVA_FOREVER);
}

int uva_thread_channel_send_within(uva_thread_channel_t *channel,
                                   const void *item, uint64_t timeout_ms) {
    if (is_freed(channel))
        return UV_EPIPE;
    if (is_missing(channel, item))
        return UV_EINVAL;
    if (!is_own(channel))
        return send_from_thread(channel, item, timeout_ms);
    return send_from_task(channel, item, timeout_ms);
}

int uva_thread_channel_try_send(uva_thread_channel_t *channel,
                                const void *item) {
    if (is_freed(channel))
        return UV_EPIPE;
    if (is_missing(channel, item))
        return UV_EINVAL;
    uv_mutex_lock(&channel->lock);
    int code = put(channel, item);
    uv_mutex_unlock(&channel->lock);
    return code;
}

/* ---- receiving ---------------------------------------------------------- */

int uva_thread_channel_try_recv(uva_thread_channel_t *channel, void *ret_item) {
    if (is_freed(channel))
        return UV_EOF;
    if (is_missing(channel, ret_item))
        return UV_EINVAL;
    if (!uva__ping_is_ours(&channel->ping))
        return uva__misuse("uva_thread_channel_try_recv",
                           "this is not the thread of the channel's runtime");
    uv_mutex_lock(&channel->lock);
    int code = take(channel, ret_item);
    uv_mutex_unlock(&channel->lock);
    return code;
}

int uva_thread_channel_recv(uva_thread_channel_t *channel, void *ret_item) {
    uva__task_t *task = uva__running("uva_thread_channel_recv");
    if (task == NULL)
        return UV_EPERM;
    if (!is_freed(channel) && !is_own(channel))
        return uva__misuse("uva_thread_channel_recv",
                           "the channel belongs to another runtime");
    int code = uva__spend(task);
    if (code < 0)
        return code;
    /* Only now: others ran if the budget was spent. */
    if (is_freed(channel))
        return UV_EOF;
    if (is_missing(channel, ret_item))
        return UV_EINVAL;
    uv_mutex_lock(&channel->lock);
    code = take(channel, ret_item);
    /* In one stretch with the look: an item that comes meanwhile would tell
     * nobody. From here on it pings, and that is delivered after the park. */
    if (code == UV_EAGAIN)
        channel->is_awaited = true;
    uv_mutex_unlock(&channel->lock);
    if (code != UV_EAGAIN)
        return code;
    mover_t mover = {.waiter.wait = &recv_wait, .item = ret_item};
    return uva__park_in(task, &channel->receivers, &mover.waiter);
}

/* ---- looking ------------------------------------------------------------ */

void uva_thread_channel_set_name(uva_thread_channel_t *channel,
                                 const char *name) {
    channel->receivers.name = name;
    channel->senders.name = name;
}

void uva_thread_channel_statistics(
    uva_thread_channel_t *channel,
    uva_thread_channel_statistics_t *ret_statistics) {
    *ret_statistics = (uva_thread_channel_statistics_t){
        .name = channel->receivers.name,
        .capacity = channel->capacity,
        .receiving = uva__count_waiters(&channel->receivers),
        .sending = uva__count_waiters(&channel->senders),
        .is_closed = true};
    if (is_freed(channel))
        return;
    uv_mutex_lock(&channel->lock);
    ret_statistics->size = channel->count;
    ret_statistics->blocked = channel->blocked;
    ret_statistics->is_closed = channel->is_closed;
    uv_mutex_unlock(&channel->lock);
}
