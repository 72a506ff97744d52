/*
 * What: uva_poll_fd(): waiting for any descriptor.
 *
 * How: poll(2) first; only what is not ready is watched, by a uv_poll_t on a
 * duplicate of the descriptor that lives as long as the wait. The duplicate is
 * what makes this safe: libuv has one watcher for a number, and the host, a
 * stream or another task may have it already; and a number that is closed
 * during the wait, and given to something else, is not ours. libuv makes
 * descriptors non-blocking, which all duplicates share; that is put back.
 *
 * Rejected: keeping the watcher for the next wait, which would save half of
 * the system calls. On a duplicate it would keep a socket open that its owner
 * has closed; on the number itself it would, when that was closed and opened
 * anew, make libuv abort (epoll_ctl, in 1.44).
 */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "../loop.h"
#include "../task.h"
#include "uvawait/poll.h"
#include "uvawait/scope.h"

#ifndef POLLRDHUP
#define POLLRDHUP 0
#endif

enum {
    EVERYTHING = UV_READABLE | UV_WRITABLE | UV_DISCONNECT | UV_PRIORITIZED
};

typedef struct poller {
    uv_poll_t poll; /* its data is the poller */
    uva_runtime_t *runtime;
    int fd; /* the duplicate */
    uva__waiter_t *waiter;
    int ready; /* events, or a code */
} poller_t;

typedef struct poll_waiter {
    uva__waiter_t waiter;
    poller_t *poller;
} poll_waiter_t;

/* ---- now ---------------------------------------------------------------- */

static const struct {
    int uv;
    short system;
} event_names[] = {{UV_READABLE, POLLIN},
                   {UV_WRITABLE, POLLOUT},
                   {UV_DISCONNECT, POLLRDHUP},
                   {UV_PRIORITIZED, POLLPRI}};

enum { EVENTS = sizeof event_names / sizeof event_names[0] };

/* What fd is ready for now, or a code. */
static int look(int fd, int events) {
    struct pollfd look = {.fd = fd};
    for (int i = 0; i < EVENTS; i++)
        if (events & event_names[i].uv)
            look.events = (short)(look.events | event_names[i].system);
    int code;
    do
        code = poll(&look, 1, 0);
    while (code < 0 && errno == EINTR);
    if (code < 0)
        return uv_translate_sys_error(errno);
    if (look.revents & POLLNVAL)
        return UV_EBADF;
    int ready = 0;
    for (int i = 0; i < EVENTS; i++)
        if (look.revents & event_names[i].system)
            ready |= event_names[i].uv;
    if (look.revents & (POLLERR | POLLHUP))
        ready |= UV_READABLE | UV_WRITABLE | UV_DISCONNECT;
    return ready & events;
}

/* ---- who waits for what ------------------------------------------------- */

/* Notes that a task waits for events of fd; UV_EBUSY if one does already. */
static int claim(uva_runtime_t *rt, int fd, int events) {
    size_t index = (size_t)fd;
    if (index >= rt->polled_count) {
        size_t count = 2 * (index + 1);
        unsigned char *moved = realloc(rt->polled, count);
        if (moved == NULL)
            return UV_ENOMEM;
        memset(moved + rt->polled_count, 0, count - rt->polled_count);
        rt->polled = moved;
        rt->polled_count = count;
    }
    if (rt->polled[index] & events)
        return UV_EBUSY;
    rt->polled[index] = (unsigned char)(rt->polled[index] | events);
    return 0;
}

static void disclaim(uva_runtime_t *rt, int fd, int events) {
    rt->polled[fd] = (unsigned char)(rt->polled[fd] & ~events);
}

/* ---- waiting ------------------------------------------------------------ */

static void on_closed(uv_handle_t *handle) {
    poller_t *poller = handle->data;
    uva_runtime_t *rt = poller->runtime;
    uva__give(&rt->pools, poller, sizeof *poller);
    uva__loop_handle_closed(rt);
}

static void close_poller(poller_t *poller) {
    uv_close((uv_handle_t *)&poller->poll, on_closed);
    /* libuv has forgotten it. */
    (void)close(poller->fd);
}

/* uv_poll_init() that leaves the descriptor's flags as they are. */
static int init_poll(poller_t *poller) {
    int flags = fcntl(poller->fd, F_GETFL);
    int code = uv_poll_init(poller->runtime->loop, &poller->poll, poller->fd);
    if (flags >= 0 && (flags & O_NONBLOCK) == 0)
        (void)fcntl(poller->fd, F_SETFL, flags);
    return code;
}

static int make_poller(uva_runtime_t *rt, int fd, poller_t **ret_poller) {
    poller_t *poller = uva__take(&rt->pools, sizeof *poller);
    if (poller == NULL)
        return UV_ENOMEM;
    *poller = (poller_t){.runtime = rt};
    poller->fd = fcntl(fd, F_DUPFD_CLOEXEC, 0);
    int code =
        poller->fd < 0 ? uv_translate_sys_error(errno) : init_poll(poller);
    if (code < 0) {
        if (poller->fd >= 0)
            (void)close(poller->fd);
        uva__give(&rt->pools, poller, sizeof *poller);
        return code;
    }
    (void)uva__loop_adopt(rt, (uv_handle_t *)&poller->poll, poller, 0);
    *ret_poller = poller;
    return 0;
}

static void wake(poller_t *poller, int ready) {
    uva__waiter_t *waiter = poller->waiter;
    poller->waiter = NULL;
    poller->ready = ready;
    uva__wake(waiter, 0);
}

/* Once: what it is ready for is fetched by the task. */
static void on_ready(uv_poll_t *poll, int status, int events) {
    poller_t *poller = poll->data;
    (void)uv_poll_stop(poll);
    if (poller->waiter != NULL)
        wake(poller, status < 0 ? status : events);
}

static uva_future_t *cancel_poll(uva__waiter_t *waiter) {
    UVA__OF(waiter, poll_waiter_t, waiter)->poller->waiter = NULL;
    uva__wake_cut(waiter);
    return NULL;
}

static const uva__wait_t poll_wait = {
    .reason = "descriptor", .cancel = cancel_poll, .outside = true};

/* Who wakes us: on_ready, which takes poller->waiter away first, as the cancel
 * hook does: so once. */
static int park_with(uva__task_t *task, poller_t *poller, int events) {
    int code = uv_poll_start(&poller->poll, events, on_ready);
    if (code < 0)
        return code;
    poll_waiter_t waiter = {.waiter.wait = &poll_wait, .poller = poller};
    poller->waiter = &waiter.waiter;
    code = uva__park(task, &waiter.waiter);
    if (code < 0)
        return code;
    /* libuv calls an error UV_EBADF. */
    int ready = poller->ready < 0 ? look(poller->fd, events) : poller->ready;
    return ready == 0 ? poller->ready : ready;
}

static int wait_for(uva__task_t *task, int fd, int events) {
    uva_runtime_t *rt = task->future.runtime;
    poller_t *poller;
    int code = uva__may_park(task);
    if (code == 0)
        code = claim(rt, fd, events);
    if (code < 0)
        return code;
    code = make_poller(rt, fd, &poller);
    if (code == 0) {
        code = park_with(task, poller, events);
        close_poller(poller);
    }
    disclaim(rt, fd, events);
    return code;
}

/* Not ready yet. Anew when libuv called for nothing. */
static int wait_until_ready(uva__task_t *task, int fd, int events,
                            uint64_t timeout_ms) {
    uva_scope_t scope;
    int code;
    uva_scope_open(&scope, timeout_ms, 0);
    do
        code = wait_for(task, fd, events);
    while (code == 0);
    int cut_by = uva_scope_close(&scope);
    return code == UV_ECANCELED && cut_by == UV_ETIMEDOUT ? cut_by : code;
}

int uva_poll_fd(int fd, int uv_events, uint64_t timeout_ms) {
    uva__task_t *task = uva__running("uva_poll_fd");
    if (task == NULL)
        return UV_EPERM;
    if (uv_events == 0 || (uv_events & ~EVERYTHING) != 0)
        return UV_EINVAL;
    if (fd < 0)
        return UV_EBADF;
    int code = timeout_ms > 0 ? uva__spend(task) : 0;
    if (code == 0)
        code = look(fd, uv_events);
    if (code != 0)
        return code;
    if (timeout_ms == 0)
        return UV_ETIMEDOUT;
    return wait_until_ready(task, fd, uv_events, timeout_ms);
}
