/*
 * What: signals that tasks wait for.
 *
 * How: libuv's handler writes into a pipe, its loop reads that and calls
 * on_signal; so a task is woken like by any other input. An arrival goes to the
 * oldest waiter, or is counted: a count above 0 means that nobody waits. The
 * object is memory of the library until libuv has closed the handle.
 */
#include "uvawait/signal.h"

#include <limits.h>

#include "../loop.h"
#include "../park.h"
#include "../task.h"
#include "open.h"

struct uva_signal {
    uva_runtime_t *runtime;
    int arrived; /* and not told yet */
    bool closing;
    uva_waiters_t waiters;
    uva__resource_t resource; /* linked from when it is the user's */
    uv_signal_t handle;       /* its data is the object */
};

static const uva__wait_t signal_wait = {
    .reason = "signal", .cancel = uva__leave_queue, .outside = true};

static void on_signal(uv_signal_t *handle, int signum) {
    uva_signal_t *signal = handle->data;
    (void)signum;
    if (uva__first_waiter(&signal->waiters) != NULL)
        uva__wake_first(&signal->waiters, 1);
    else if (signal->arrived < INT_MAX)
        signal->arrived++;
}

static void on_closed(uv_handle_t *handle) {
    uva_signal_t *signal = handle->data;
    uva_runtime_t *rt = signal->runtime;
    uva__give(&rt->pools, signal, sizeof *signal);
    uva__loop_handle_closed(rt);
}

void uva_signal_close(uva_signal_t *signal) {
    if (signal == NULL ||
        !uva__may_close(signal->runtime, "uva_signal_close", &signal->closing))
        return;
    uva__forget_resource(signal->runtime, &signal->resource);
    (void)uva__wake_all(&signal->waiters, UV_ECANCELED);
    uv_close((uv_handle_t *)&signal->handle, on_closed);
}

static void close_resource(uva__resource_t *resource) {
    uva_signal_close(UVA__OF(resource, uva_signal_t, resource));
}

/* An object with an initialised handle. */
static int make(uva_runtime_t *rt, uva_signal_t **ret_signal) {
    uva_signal_t *signal = uva__take(&rt->pools, sizeof *signal);
    if (signal == NULL)
        return UV_ENOMEM;
    *signal = (uva_signal_t){.runtime = rt};
    int code = uva__loop_adopt(rt, (uv_handle_t *)&signal->handle, signal,
                               uv_signal_init(rt->loop, &signal->handle));
    if (code < 0)
        uva__give(&rt->pools, signal, sizeof *signal);
    else
        *ret_signal = signal;
    return code;
}

int uva_signal_open_at(const char *site, int signum,
                       uva_signal_t **ret_signal) {
    int code;
    uva_runtime_t *rt = uva__open_runtime("uva_signal_open", &code);
    if (rt == NULL)
        return code;
    if (ret_signal == NULL)
        return UV_EINVAL;
    uva_signal_t *signal;
    code = make(rt, &signal);
    if (code < 0)
        return code;
    code = uv_signal_start(&signal->handle, on_signal, signum);
    if (code < 0) {
        uva_signal_close(signal);
        return code;
    }
    uva__open_resource(rt, &signal->resource, "signal", site, close_resource);
    *ret_signal = signal;
    return 0;
}

/* Who wakes us: an arrival or the close, which take us out of the queue. After
 * the park the object may be gone. */
int uva_signal_next(uva_signal_t *signal) {
    uva__task_t *task = uva__running("uva_signal_next");
    if (task == NULL)
        return UV_EPERM;
    if (signal == NULL)
        return UV_EINVAL;
    int code = uva__must_be_ours(signal->runtime, "uva_signal_next");
    if (code < 0)
        return code;
    if (signal->arrived > 0) {
        int arrived = signal->arrived;
        signal->arrived = 0;
        return arrived;
    }
    uva__waiter_t waiter = {.wait = &signal_wait};
    return uva__park_in(task, &signal->waiters, &waiter);
}

int uva_signal_wait_at(const char *site, int signum) {
    uva__task_t *task = uva__running("uva_signal_wait");
    if (task == NULL)
        return UV_EPERM;
    int code = uva__may_park(task);
    if (code < 0)
        return code;
    uva_signal_t *signal;
    code = uva_signal_open_at(site, signum, &signal);
    if (code < 0)
        return code;
    code = uva_signal_next(signal);
    uva_signal_close(signal);
    return code < 0 ? code : 0;
}

int(uva_signal_open)(int signum, uva_signal_t **ret_signal) {
    return uva_signal_open_at(NULL, signum, ret_signal);
}

int(uva_signal_wait)(int signum) {
    return uva_signal_wait_at(NULL, signum);
}
