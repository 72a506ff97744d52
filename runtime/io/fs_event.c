/*
 * What: changes in the file system, as the system tells of them.
 *
 * How: each is a block of memory in a queue. The queue is bounded: when it is
 * full, changes are dropped until the task has been told so, which happens
 * between those before and those after.
 */
#include <string.h>

#include "../list.h"
#include "../task.h"
#include "fs_watch.h"
#include "open.h"
#include "uvawait/fs_event.h"

typedef struct change {
    uva_link_t link;
    size_t bytes; /* of this block */
    int events;
    bool is_named;
    char name[];
} change_t;

struct uva_fs_event {
    uva__watch_t watch; /* must stay the first member */
    uva_list_t changes; /* that nobody has had */
    size_t count;
    bool has_lost;   /* some, after those */
    int end;         /* why libuv has stopped telling; 0: it has not */
    change_t *given; /* whose name the caller has */
};

static void give_back(uva_fs_event_t *event, change_t *change) {
    if (change != NULL)
        uva__give(&event->watch.runtime->pools, change, change->bytes);
}

static change_t *pop(uva_fs_event_t *event) {
    uva_link_t *link = uva__list_pop(&event->changes);
    event->count -= link != NULL;
    return link != NULL ? UVA__OF(link, change_t, link) : NULL;
}

static void drop(uva__watch_t *watch) {
    uva_fs_event_t *event = (uva_fs_event_t *)(void *)watch;
    change_t *change;
    while ((change = pop(event)) != NULL)
        give_back(event, change);
    give_back(event, event->given);
    uva__give(&watch->runtime->pools, event, sizeof *event);
}

/* ---- what libuv tells --------------------------------------------------- */

/* The change as a block, or NULL without room for it. */
static change_t *keep(uva_fs_event_t *event, const char *name, int events) {
    if (event->has_lost || event->count == UVA_FS_EVENT_KEPT)
        return NULL;
    size_t name_bytes = name != NULL ? strlen(name) + 1 : 0;
    size_t bytes = sizeof(change_t) + name_bytes;
    change_t *change = uva__take(&event->watch.runtime->pools, bytes);
    if (change == NULL)
        return NULL;
    *change = (change_t){.bytes = bytes, .events = events};
    change->is_named = name != NULL;
    if (name != NULL)
        memcpy(change->name, name, name_bytes);
    return change;
}

static void on_event(uv_fs_event_t *handle, const char *name, int events,
                     int status) {
    uva_fs_event_t *event = handle->data;
    change_t *change = status == 0 ? keep(event, name, events) : NULL;
    if (status < 0) {
        event->end = status;
    } else if (change == NULL) {
        event->has_lost = true;
    } else {
        uva__list_push(&event->changes, &change->link);
        event->count++;
    }
    uva__watch_tell(&event->watch);
}

/* ---- calls -------------------------------------------------------------- */

void uva_fs_event_close(uva_fs_event_t *event) {
    uva__watch_close((uva__watch_t *)event, "uva_fs_event_close");
}

static void close_resource(uva__resource_t *resource) {
    uva_fs_event_close(
        (uva_fs_event_t *)(void *)UVA__OF(resource, uva__watch_t, resource));
}

int uva_fs_event_open_at(const char *site, const char *path, unsigned flags,
                         uva_fs_event_t **ret_event) {
    int code;
    uva_runtime_t *rt = uva__open_runtime("uva_fs_event_open", &code);
    if (rt == NULL)
        return code;
    if (path == NULL || ret_event == NULL)
        return UV_EINVAL;
    uva_fs_event_t *event = uva__take(&rt->pools, sizeof *event);
    if (event == NULL)
        return UV_ENOMEM;
    *event = (uva_fs_event_t){.watch = {.runtime = rt, .drop = drop}};
    uv_fs_event_t *handle = &event->watch.handle.event;
    code = uva__watch_init(&event->watch, uv_fs_event_init(rt->loop, handle));
    if (code < 0)
        return code;
    code = uv_fs_event_start(handle, on_event, path, flags);
    if (code < 0) {
        uva_fs_event_close(event);
        return code;
    }
    uva__open_resource(rt, &event->watch.resource, "watch", site,
                       close_resource);
    *ret_event = event;
    return 0;
}

int(uva_fs_event_open)(const char *path, unsigned flags,
                       uva_fs_event_t **ret_event) {
    return uva_fs_event_open_at(NULL, path, flags, ret_event);
}

static bool has_news(const uva_fs_event_t *event) {
    return event->count > 0 || event->has_lost || event->end < 0;
}

static int take(uva_fs_event_t *event, uva_fs_change_t *ret_change) {
    change_t *change = pop(event);
    if (change == NULL && event->has_lost) {
        event->has_lost = false;
        return UV_ENOBUFS;
    }
    if (change == NULL)
        return event->end;
    give_back(event, event->given);
    event->given = change;
    *ret_change =
        (uva_fs_change_t){.events = change->events,
                          .name = change->is_named ? change->name : NULL};
    return 0;
}

static int next_in(uva__task_t *task, uva_fs_event_t *event,
                   uva_fs_change_t *ret_change) {
    int code = uva__spend(task);
    if (code == 0 && !has_news(event) && !event->watch.closing)
        code = uva__watch_wait(task, &event->watch);
    if (code == 0 && event->watch.closing)
        code = UV_ECANCELED;
    return code < 0 ? code : take(event, ret_change);
}

int uva_fs_event_next(uva_fs_event_t *event, uva_fs_change_t *ret_change) {
    uva__task_t *task;
    uva__watch_t *watch = ret_change != NULL ? (uva__watch_t *)event : NULL;
    int code = uva__watch_enter(watch, "uva_fs_event_next", &task);
    if (code < 0)
        return code;
    code = next_in(task, event, ret_change);
    uva__watch_leave(watch);
    return code;
}
