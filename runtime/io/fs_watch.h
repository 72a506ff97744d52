/*
 * What uva_fs_event_t and uva_fs_poll_t share: a handle of libuv's that tells,
 * one task that waits, and a close at any time.
 *
 * A watch is the first member of either. It is counted: one for the handle
 * that libuv has not closed yet, one for the call that a task is inside of.
 */
#ifndef UVA__IO_FS_WATCH_H
#define UVA__IO_FS_WATCH_H

#include "../park.h"

typedef struct uva__watch {
    uva_runtime_t *runtime;
    uint32_t refs;
    bool is_used; /* a task is in a call */
    bool closing;
    uva__waiter_t *waiter; /* that task, while it is parked */
    uva__resource_t resource;
    void (*drop)(struct uva__watch *watch); /* frees what it holds, and it */
    union {
        uv_handle_t any;
        uv_fs_event_t event;
        uv_fs_poll_t poll;
    } handle; /* its data is the watch */
} uva__watch_t;

/* `code` is what initialising the handle gave: a counted handle, or the watch
 * is dropped. */
int uva__watch_init(uva__watch_t *watch, int code);

/* Begins a call of a task: 0, UV_EPERM (reported), UV_EINVAL or UV_EBUSY. After
 * it uva__watch_leave(). */
int uva__watch_enter(uva__watch_t *watch, const char *call,
                     uva__task_t **ret_task);
void uva__watch_leave(uva__watch_t *watch);

/* Parks until there is something to tell, or it is closed: 0 or a code. */
int uva__watch_wait(uva__task_t *task, uva__watch_t *watch);

/* There is something to tell. */
void uva__watch_tell(uva__watch_t *watch);

void uva__watch_close(uva__watch_t *watch, const char *call);

#endif
