/*
 * What: uva_on_done(): callbacks of users on futures.
 *
 * How: a registration is a watcher; when the future is done it becomes an
 * entry of the ready queue, whose place was reserved at registration, and runs
 * in loop context. It holds the future, so the last outside reference may go
 * meanwhile, also inside another callback.
 */
#include "done_callback.h"

#include "report.h"
#include "schedule.h"

typedef struct done_callback {
    uva__watcher_t watcher;
    uva__callback_t callback;
    uva_future_t *f;
    void (*cb)(uva_future_t *f, void *arg); /* NULL: taken back meanwhile */
    void *arg;
    uva_link_t all;    /* in runtime->callbacks */
    uva_link_t queued; /* in f->queued, while in the ready queue */
} done_callback_t;

static void free_callback(done_callback_t *registration) {
    uva_future_t *f = registration->f;
    uva__ready_unreserve(&f->runtime->ready);
    uva__list_remove(&f->runtime->callbacks, &registration->all);
    uva__give(&f->runtime->pools, registration, sizeof *registration);
    uva_unref(f);
}

static void run(uva__callback_t *callback) {
    done_callback_t *registration =
        UVA__OF(callback, done_callback_t, callback);
    uva_future_t *f = registration->f;
    uva__list_remove(&f->queued, &registration->queued);
    if (registration->cb != NULL)
        registration->cb(f, registration->arg);
    free_callback(registration);
}

static void fire(uva__watcher_t *watcher, uva_future_t *f) {
    done_callback_t *registration = UVA__OF(watcher, done_callback_t, watcher);
    if (UVA__UNLIKELY(f->runtime->life >= UVA__CLOSING))
        return; /* no tick will come; uva__drop_callbacks() lets go of it */
    uva__list_push(&f->queued, &registration->queued);
    uva__queue_callback(f->runtime, &registration->callback);
}

int uva_on_done(uva_future_t *f, void (*cb)(uva_future_t *f, void *arg),
                void *arg) {
    if (f == NULL || cb == NULL)
        return UV_EINVAL;
    if (!uva__is_ours(f, "uva_on_done"))
        return UV_EPERM;
    uva_runtime_t *rt = f->runtime;
    if (rt->life >= UVA__CLOSING)
        return UV_ESHUTDOWN;
    if (uva__ready_reserve(&rt->ready) < 0)
        return UV_ENOMEM;
    done_callback_t *registration = uva__take(&rt->pools, sizeof *registration);
    if (registration == NULL) {
        uva__ready_unreserve(&rt->ready);
        return UV_ENOMEM;
    }
    *registration = (done_callback_t){.watcher.fire = fire,
                                      .callback.run = run,
                                      .f = uva_ref(f),
                                      .cb = cb,
                                      .arg = arg};
    uva__list_push(&rt->callbacks, &registration->all);
    if (uva__is_done(f))
        fire(&registration->watcher, f);
    else
        uva__watch(f, &registration->watcher);
    return 0;
}

/* Takes back those that still wait for f; counts them. */
static int remove_watching(uva_future_t *f,
                           void (*cb)(uva_future_t *f, void *arg)) {
    int removed = 0;
    uva_link_t *next;
    for (uva_link_t *link = f->watchers.first; link != NULL; link = next) {
        next = link->next;
        uva__watcher_t *watcher = UVA__OF(link, uva__watcher_t, link);
        if (watcher->fire != fire)
            continue;
        done_callback_t *registration =
            UVA__OF(watcher, done_callback_t, watcher);
        if (registration->cb != cb)
            continue;
        uva__unwatch(f, watcher);
        free_callback(registration);
        removed++;
    }
    return removed;
}

/* Takes back those that stand in the ready queue; counts them. */
static int remove_queued(uva_future_t *f,
                         void (*cb)(uva_future_t *f, void *arg)) {
    int removed = 0;
    for (uva_link_t *link = f->queued.first; link != NULL; link = link->next) {
        done_callback_t *registration = UVA__OF(link, done_callback_t, queued);
        if (registration->cb != cb)
            continue;
        registration->cb = NULL;
        removed++;
    }
    return removed;
}

int uva_remove_on_done(uva_future_t *f,
                       void (*cb)(uva_future_t *f, void *arg)) {
    if (f == NULL || cb == NULL)
        return 0;
    if (!uva__is_ours(f, "uva_remove_on_done"))
        return UV_EPERM;
    uva_ref(f);
    int removed = remove_watching(f, cb) + remove_queued(f, cb);
    uva_unref(f);
    return removed;
}

void uva__drop_callbacks(uva_runtime_t *rt) {
    while (rt->callbacks.first != NULL) {
        done_callback_t *registration =
            UVA__OF(rt->callbacks.first, done_callback_t, all);
        if (!uva__is_done(registration->f))
            uva__unwatch(registration->f, &registration->watcher);
        free_callback(registration);
    }
}
