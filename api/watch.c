/*
 * What: watch channels: the latest value, and waiting for a change of it.
 *
 * How: sending copies the value to everybody who waits, and moves their
 * cursors, there and then: what a wait came to is decided at its wake, and the
 * watch may be gone when the task runs.
 *
 * A cursor is compared for equality, not for order. One that comes from
 * elsewhere, or from before the watch was made anew, gets the latest value
 * instead of waiting for a version that may never be reached.
 */
#include "uvawait/watch.h"

#include <stdlib.h>
#include <string.h>

#include "runtime/seam.h"

typedef struct watcher {
    uva__waiter_t waiter;
    uint64_t *cursor;
    void *ret_value;
} watcher_t;

static const uva__wait_t next_wait = {.reason = "watch next",
                                      .cancel = uva__leave_queue};

int uva_watch_init(uva_watch_t *watch, size_t value_bytes, const void *first) {
    *watch = (uva_watch_t){.is_closed = true};
    if (value_bytes == 0)
        return UV_EINVAL;
    void *value = malloc(value_bytes);
    if (value == NULL)
        return UV_ENOMEM;
    *watch = (uva_watch_t){.value = value, .value_bytes = value_bytes};
    return first != NULL ? uva_watch_send(watch, first) : 0;
}

void uva_watch_free(uva_watch_t *watch) {
    if (watch == NULL ||
        uva__check_thread(&watch->waiters, "uva_watch_free") < 0)
        return;
    uva_watch_close(watch);
    free(watch->value);
    watch->value = NULL;
}

/* What need not wait; UV_EAGAIN when there is nothing new. */
static int take(const uva_watch_t *watch, uint64_t *cursor, void *ret_value) {
    if (watch->value == NULL || *cursor == watch->version ||
        watch->version == 0)
        return watch->is_closed ? UV_EOF : UV_EAGAIN;
    memcpy(ret_value, watch->value, watch->value_bytes);
    *cursor = watch->version;
    return 0;
}

/* Ends every wait: with the value, or with an error. Several tasks may wait
 * with one cursor, which the first of them moves: each gets the value. */
static void wake_all(uva_watch_t *watch, int code) {
    uva__waiter_t *oldest;
    while ((oldest = uva__first_waiter(&watch->waiters)) != NULL) {
        const watcher_t *watcher = UVA__OF(oldest, watcher_t, waiter);
        if (code == 0) {
            memcpy(watcher->ret_value, watch->value, watch->value_bytes);
            *watcher->cursor = watch->version;
        }
        uva__wake_first(&watch->waiters, code);
    }
}

int uva_watch_send(uva_watch_t *watch, const void *value) {
    if (watch->is_closed)
        return UV_EPIPE;
    if (value == NULL)
        return UV_EINVAL;
    if (uva__check_thread(&watch->waiters, "uva_watch_send") < 0)
        return UV_EPERM;
    /* What uva_watch_peek() gave may be sent again. */
    memmove(watch->value, value, watch->value_bytes);
    watch->version++;
    wake_all(watch, 0);
    return 0;
}

void uva_watch_close(uva_watch_t *watch) {
    if (uva__check_thread(&watch->waiters, "uva_watch_close") < 0)
        return;
    watch->is_closed = true;
    wake_all(watch, UV_EOF);
}

int uva_watch_try_next(uva_watch_t *watch, uint64_t *cursor, void *ret_value) {
    if (cursor == NULL || ret_value == NULL)
        return UV_EINVAL;
    return take(watch, cursor, ret_value);
}

static bool must_wait(const uva_watch_t *watch, const uint64_t *cursor) {
    return !watch->is_closed &&
           (*cursor == watch->version || watch->version == 0);
}

int uva_watch_next(uva_watch_t *watch, uint64_t *cursor, void *ret_value) {
    uva__task_t *task = uva__running("uva_watch_next");
    if (task == NULL)
        return UV_EPERM;
    if (cursor == NULL || ret_value == NULL)
        return UV_EINVAL;
    if (!must_wait(watch, cursor)) {
        int code = uva__spend(task);
        if (code < 0)
            return code;
    }
    /* Looked at again: others ran if the budget was spent. */
    if (!must_wait(watch, cursor))
        return take(watch, cursor, ret_value);
    watcher_t watcher = {
        .waiter.wait = &next_wait, .cursor = cursor, .ret_value = ret_value};
    return uva__park_in(task, &watch->waiters, &watcher.waiter);
}

/* ---- looking ------------------------------------------------------------ */

const void *uva_watch_peek(const uva_watch_t *watch) {
    return watch->version > 0 ? watch->value : NULL;
}

int uva_watch_get(const uva_watch_t *watch, void *ret_value) {
    if (ret_value == NULL)
        return UV_EINVAL;
    const void *value = uva_watch_peek(watch);
    if (value == NULL)
        return UV_EAGAIN;
    memcpy(ret_value, value, watch->value_bytes);
    return 0;
}

uint64_t uva_watch_version(const uva_watch_t *watch) {
    return watch->version;
}

void uva_watch_set_name(uva_watch_t *watch, const char *name) {
    watch->waiters.name = name;
}

void uva_watch_statistics(const uva_watch_t *watch,
                          uva_watch_statistics_t *ret_statistics) {
    *ret_statistics =
        (uva_watch_statistics_t){.name = watch->waiters.name,
                                 .version = watch->version,
                                 .waiting = uva__count_waiters(&watch->waiters),
                                 .is_closed = watch->is_closed};
}
