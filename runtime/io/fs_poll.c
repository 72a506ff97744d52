/*
 * What: changes in the file system, found by looking again and again.
 *
 * How: libuv compares what uv_fs_stat() says. Of changes that nobody waited for
 * only the first state and the last are kept.
 */
#include "../task.h"
#include "fs_watch.h"
#include "open.h"
#include "uvawait/fs_event.h"

struct uva_fs_poll {
    uva__watch_t watch; /* must stay the first member */
    bool has_news;
    int status; /* 0: changed from `previous` to `current`; or a code */
    uv_stat_t previous;
    uv_stat_t current;
};

static void drop(uva__watch_t *watch) {
    uva__give(&watch->runtime->pools, watch, sizeof(uva_fs_poll_t));
}

static void on_look(uv_fs_poll_t *handle, int status, const uv_stat_t *previous,
                    const uv_stat_t *current) {
    uva_fs_poll_t *poll = handle->data;
    bool goes_on = poll->has_news && poll->status == 0;
    if (status == 0 && !goes_on)
        poll->previous = *previous;
    if (status == 0)
        poll->current = *current;
    poll->status = status;
    poll->has_news = true;
    uva__watch_tell(&poll->watch);
}

void uva_fs_poll_close(uva_fs_poll_t *poll) {
    uva__watch_close((uva__watch_t *)poll, "uva_fs_poll_close");
}

static void close_resource(uva__resource_t *resource) {
    uva_fs_poll_close(
        (uva_fs_poll_t *)(void *)UVA__OF(resource, uva__watch_t, resource));
}

int uva_fs_poll_open_at(const char *site, const char *path,
                        unsigned interval_ms, uva_fs_poll_t **ret_poll) {
    int code;
    uva_runtime_t *rt = uva__open_runtime("uva_fs_poll_open", &code);
    if (rt == NULL)
        return code;
    if (path == NULL || interval_ms == 0 || ret_poll == NULL)
        return UV_EINVAL;
    uva_fs_poll_t *poll = uva__take(&rt->pools, sizeof *poll);
    if (poll == NULL)
        return UV_ENOMEM;
    *poll = (uva_fs_poll_t){.watch = {.runtime = rt, .drop = drop}};
    uv_fs_poll_t *handle = &poll->watch.handle.poll;
    code = uva__watch_init(&poll->watch, uv_fs_poll_init(rt->loop, handle));
    if (code < 0)
        return code;
    code = uv_fs_poll_start(handle, on_look, path, interval_ms);
    if (code < 0) {
        uva_fs_poll_close(poll);
        return code;
    }
    uva__open_resource(rt, &poll->watch.resource, "watch", site,
                       close_resource);
    *ret_poll = poll;
    return 0;
}

int(uva_fs_poll_open)(const char *path, unsigned interval_ms,
                      uva_fs_poll_t **ret_poll) {
    return uva_fs_poll_open_at(NULL, path, interval_ms, ret_poll);
}

static int next_in(uva__task_t *task, uva_fs_poll_t *poll) {
    int code = uva__spend(task);
    if (code == 0 && !poll->has_news && !poll->watch.closing)
        code = uva__watch_wait(task, &poll->watch);
    if (code == 0 && poll->watch.closing)
        code = UV_ECANCELED;
    if (code < 0)
        return code;
    poll->has_news = false;
    return poll->status;
}

int uva_fs_poll_next(uva_fs_poll_t *poll, uv_stat_t *ret_previous,
                     uv_stat_t *ret_current) {
    uva__task_t *task;
    int code =
        uva__watch_enter((uva__watch_t *)poll, "uva_fs_poll_next", &task);
    if (code < 0)
        return code;
    code = next_in(task, poll);
    if (code == 0 && ret_previous != NULL)
        *ret_previous = poll->previous;
    if (code == 0 && ret_current != NULL)
        *ret_current = poll->current;
    uva__watch_leave(&poll->watch);
    return code;
}
