/*
 * What: an awaited uv_tcp_connect() or uv_pipe_connect().
 *
 * How: libuv ends the request in any case, if need be when the handle is
 * closed; so it is memory of its own, which its callback frees. A task that is
 * cut leaves it and closes the stream.
 */
#include "connect.h"

#include "../task.h"

typedef struct attempt {
    uv_connect_t request;
    uva_runtime_t *runtime;
    uva__waiter_t *waiter; /* NULL: the task has left */
} attempt_t;

typedef struct connector {
    uva__waiter_t waiter;
    attempt_t *attempt;
} connector_t;

static void on_connected(uv_connect_t *request, int status) {
    attempt_t *attempt = UVA__OF(request, attempt_t, request);
    if (attempt->waiter != NULL)
        uva__wake(attempt->waiter, status);
    uva__give(&attempt->runtime->pools, attempt, sizeof *attempt);
}

static uva_future_t *cancel_connect(uva__waiter_t *waiter) {
    UVA__OF(waiter, connector_t, waiter)->attempt->waiter = NULL;
    uva__wake_cut(waiter);
    return NULL;
}

static const uva__wait_t connect_wait = {
    .reason = "connect", .cancel = cancel_connect, .outside = true};

static int begin(attempt_t *attempt, uva__socket_t *socket, const char *path,
                 const struct sockaddr *address) {
    uv_connect_t *request = &attempt->request;
    if (path == NULL)
        return uv_tcp_connect(request, &socket->handle.tcp, address,
                              on_connected);
    uv_pipe_connect(request, &socket->handle.pipe, path, on_connected);
    return 0;
}

/* Who wakes us: on_connected, once; the cancel hook makes it forget us. */
static int connect_to(uva__task_t *task, uva__socket_t *socket,
                      const char *path, const struct sockaddr *address) {
    uva_runtime_t *rt = socket->stream.runtime;
    attempt_t *attempt = uva__take(&rt->pools, sizeof *attempt);
    if (attempt == NULL)
        return UV_ENOMEM;
    connector_t connector = {.waiter.wait = &connect_wait, .attempt = attempt};
    attempt->runtime = rt;
    attempt->waiter = &connector.waiter;
    int code = begin(attempt, socket, path, address);
    if (code < 0) {
        uva__give(&rt->pools, attempt, sizeof *attempt);
        return code;
    }
    return uva__park(task, &connector.waiter);
}

int uva__connect(uva__task_t *task, const char *site, const char *path,
                 const struct sockaddr *address, uva_stream_t **ret_stream) {
    int code = uva__may_park(task);
    if (code < 0)
        return code;
    uva__socket_t *socket;
    code = uva__socket_make(task->future.runtime,
                            path != NULL ? UVA__PIPE : UVA__TCP, &socket);
    if (code < 0)
        return code;
    code = connect_to(task, socket, path, address);
    if (code == 0)
        code = uva__socket_open(socket, site);
    if (code < 0) {
        uva_stream_close(&socket->stream);
        return code;
    }
    *ret_stream = &socket->stream;
    return 0;
}
