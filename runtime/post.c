/*
 * What: uva_post(): from other threads a queue under a lock, one uv_async_t,
 * one entry in the ready queue; from the loop's own thread an entry each.
 *
 * How: who posts into an empty queue wakes the loop; the entry runs everything
 * that has been posted by then, in order. The wake-up is sent under the lock,
 * so that the handle cannot be closed between the post and its wake-up: the end
 * refuses posts under the same lock, and only while the queue is empty.
 *
 * In the loop's own thread a post stands in the ready queue by itself, so that
 * it keeps its place among the tasks. Under a random schedule that would break
 * the order of one thread's posts, so there they go the way of the others.
 */
#include "post.h"

#include <stdlib.h>

#include "list.h"
#include "ping.h"
#include "schedule.h"
#include "uvawait/thread.h"

typedef struct uva__post {
    uva__callback_t callback; /* of the loop's own thread */
    struct uva__post *next;   /* of other threads */
    void (*cb)(void *arg);
    void *arg;
} uva__post_t;

static void queue_run(uva_runtime_t *rt) {
    if (rt->posts.queued)
        return;
    rt->posts.queued = true;
    uva__queue_callback(rt, &rt->posts.run);
}

static void on_async(uv_async_t *handle) {
    uva_runtime_t *rt = handle->data;
    uva__pings_deliver(rt);
    if (uva__posts_are_waiting(rt))
        queue_run(rt);
}

/* Runs what was posted before it began; later ones wait for the next tick. */
static void run(uva__callback_t *callback) {
    uva_runtime_t *rt = uva__runtime_of_callback(callback);
    uva__posts_t *posts = &rt->posts;
    posts->queued = false;
    uv_mutex_lock(&posts->lock);
    uva__post_t *post = posts->first;
    posts->first = NULL;
    posts->last = NULL;
    uv_mutex_unlock(&posts->lock);
    while (post != NULL) {
        uva__post_t *next = post->next;
        post->cb(post->arg);
        free(post);
        post = next;
    }
}

/* Runs one post of the loop's own thread. */
static void run_own(uva__callback_t *callback) {
    uva__post_t *post = UVA__OF(callback, uva__post_t, callback);
    uva__ready_unreserve(&uva__thread_runtime->ready);
    post->cb(post->arg);
    free(post);
}

int uva__posts_init(uva_runtime_t *rt) {
    int code = uv_mutex_init(&rt->posts.lock);
    if (code < 0)
        return code;
    code = uva__ready_reserve(&rt->ready);
    if (code < 0)
        uv_mutex_destroy(&rt->posts.lock);
    rt->posts.run.run = run;
    return code;
}

void uva__posts_term(uva_runtime_t *rt) {
    uv_mutex_destroy(&rt->posts.lock);
}

int uva__posts_init_async(uva_runtime_t *rt) {
    int code = uv_async_init(rt->loop, &rt->posts.async, on_async);
    if (code == 0)
        uva__pings_admit(rt);
    return code;
}

bool uva__posts_are_waiting(uva_runtime_t *rt) {
    uv_mutex_lock(&rt->posts.lock);
    bool are_waiting = rt->posts.first != NULL;
    uv_mutex_unlock(&rt->posts.lock);
    return are_waiting;
}

bool uva__posts_unref(uva_runtime_t *rt, size_t amount) {
    uv_mutex_lock(&rt->posts.lock);
    size_t before = atomic_fetch_sub(&rt->refs, amount);
    if (amount == 1 && uva__runtime_users(before) == 2 && !rt->posts.refuse)
        (void)uv_async_send(&rt->posts.async);
    uv_mutex_unlock(&rt->posts.lock);
    return before == amount;
}

/* They find the runtime ended when they look again: pings are refused. */
static void release_blocked(uva_runtime_t *rt) {
    uv_mutex_lock(&rt->posts.lock);
    for (uva_link_t *link = rt->posts.blocked.first; link != NULL;
         link = link->next) {
        uva__blocked_t *blocked = UVA__OF(link, uva__blocked_t, link);
        blocked->release(blocked);
    }
    uv_mutex_unlock(&rt->posts.lock);
}

bool uva__posts_refuse(uva_runtime_t *rt) {
    uv_mutex_lock(&rt->posts.lock);
    bool refused = rt->posts.first == NULL;
    if (refused)
        rt->posts.refuse = true;
    uv_mutex_unlock(&rt->posts.lock);
    if (refused) {
        uva__pings_refuse(rt);
        release_blocked(rt);
    }
    return refused;
}

bool uva__posts_block(uva_runtime_t *rt, uva__blocked_t *blocked) {
    uv_mutex_lock(&rt->posts.lock);
    bool accepted = !rt->posts.refuse;
    if (accepted)
        uva__list_push(&rt->posts.blocked, &blocked->link);
    uv_mutex_unlock(&rt->posts.lock);
    return accepted;
}

void uva__posts_unblock(uva_runtime_t *rt, uva__blocked_t *blocked) {
    uv_mutex_lock(&rt->posts.lock);
    uva__list_remove(&rt->posts.blocked, &blocked->link);
    uv_mutex_unlock(&rt->posts.lock);
}

/* Under the lock: puts a post at the end and has the loop look at it. */
static void append(uva_runtime_t *rt, uva__post_t *post) {
    uva__posts_t *posts = &rt->posts;
    bool was_empty = posts->first == NULL;
    if (was_empty)
        posts->first = post;
    else
        posts->last->next = post;
    posts->last = post;
    if (rt == uva__thread_runtime)
        queue_run(rt);
    else if (was_empty)
        (void)uv_async_send(&posts->async);
}

/* From any thread. 0, or UV_ESHUTDOWN. */
static int post_under_lock(uva_runtime_t *rt, uva__post_t *post) {
    uv_mutex_lock(&rt->posts.lock);
    bool refused = rt->posts.refuse;
    if (!refused)
        append(rt, post);
    uv_mutex_unlock(&rt->posts.lock);
    return refused ? UV_ESHUTDOWN : 0;
}

/* From the loop's own thread, the only one to write `refuse`. */
static int post_own(uva_runtime_t *rt, uva__post_t *post) {
    if (rt->posts.refuse)
        return UV_ESHUTDOWN;
    int code = uva__ready_reserve(&rt->ready);
    if (code < 0)
        return code;
    post->callback.run = run_own;
    uva__queue_callback(rt, &post->callback);
    return 0;
}

int uva_post(uva_runtime_t *runtime, void (*cb)(void *arg), void *arg) {
    if (runtime == NULL || cb == NULL)
        return UV_EINVAL;
    uva__post_t *post = malloc(sizeof *post);
    if (post == NULL)
        return UV_ENOMEM;
    *post = (uva__post_t){.cb = cb, .arg = arg};
    bool is_own = runtime == uva__thread_runtime && runtime->ready.random == 0;
    int code =
        is_own ? post_own(runtime, post) : post_under_lock(runtime, post);
    if (code < 0)
        free(post);
    return code;
}
