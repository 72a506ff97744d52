/*
 * What: the common part of the two ways to watch the file system.
 *
 * How: libuv's callback stores what it was told in the object and wakes the
 * task, if one waits; so nothing depends on who comes first.
 */
#include "fs_watch.h"

#include "../assert.h"
#include "../loop.h"
#include "../task.h"
#include "open.h"

static void unref(uva__watch_t *watch) {
    UVA__ASSERT(watch->refs > 0);
    if (--watch->refs == 0)
        watch->drop(watch);
}

static void on_closed(uv_handle_t *handle) {
    uva__watch_t *watch = handle->data;
    uva_runtime_t *rt = watch->runtime;
    unref(watch);
    uva__loop_handle_closed(rt);
}

int uva__watch_init(uva__watch_t *watch, int code) {
    code = uva__loop_adopt(watch->runtime, &watch->handle.any, watch, code);
    if (code < 0)
        watch->drop(watch);
    else
        watch->refs = 1;
    return code;
}

int uva__watch_enter(uva__watch_t *watch, const char *call,
                     uva__task_t **ret_task) {
    uva__task_t *task = uva__running(call);
    if (task == NULL)
        return UV_EPERM;
    if (watch == NULL)
        return UV_EINVAL;
    int code = uva__must_be_ours(watch->runtime, call);
    if (code < 0)
        return code;
    if (watch->is_used)
        return UV_EBUSY;
    watch->is_used = true;
    watch->refs++;
    *ret_task = task;
    return 0;
}

void uva__watch_leave(uva__watch_t *watch) {
    watch->is_used = false;
    unref(watch);
}

/* ---- waiting ------------------------------------------------------------ */

typedef struct watcher {
    uva__waiter_t waiter;
    uva__watch_t *watch;
} watcher_t;

static uva_future_t *cancel_watch(uva__waiter_t *waiter) {
    UVA__OF(waiter, watcher_t, waiter)->watch->waiter = NULL;
    uva__wake_cut(waiter);
    return NULL;
}

static const uva__wait_t watch_wait = {
    .reason = "file event", .cancel = cancel_watch, .outside = true};

static void wake(uva__watch_t *watch, int code) {
    uva__waiter_t *waiter = watch->waiter;
    watch->waiter = NULL;
    if (waiter != NULL)
        uva__wake(waiter, code);
}

/* Who wakes us: a callback or the close, both of which take watch->waiter away
 * first, as the cancel hook does: so once. */
int uva__watch_wait(uva__task_t *task, uva__watch_t *watch) {
    int code = uva__may_park(task);
    if (code < 0)
        return code;
    watcher_t watcher = {.waiter.wait = &watch_wait, .watch = watch};
    watch->waiter = &watcher.waiter;
    return uva__park(task, &watcher.waiter);
}

void uva__watch_tell(uva__watch_t *watch) {
    wake(watch, 0);
}

void uva__watch_close(uva__watch_t *watch, const char *call) {
    if (watch == NULL || !uva__may_close(watch->runtime, call, &watch->closing))
        return;
    uva__forget_resource(watch->runtime, &watch->resource);
    wake(watch, UV_ECANCELED);
    uv_close(&watch->handle.any, on_closed);
}
