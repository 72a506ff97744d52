/*
 * What: listening, and accepting connections.
 *
 * How: a libuv handle makes, binds and owns the socket, and a uv_poll_t on it
 * tells when a connection waits; uva_accept() calls accept(2) itself. The
 * backlog is therefore the kernel's alone: nothing is accepted that nobody
 * asked for, and a task that is cut leaves its connection there. Only an
 * acceptor that finds none parks; the poll stays on as long as there is one.
 *
 * Rejected: uv_listen(). It accepts one connection ahead, and stops and starts
 * its watcher around each that is not taken inside its callback. Without
 * descriptors it accepts and drops all that wait, and if it cannot get its
 * spare descriptor back, which another thread may have taken, calls back for
 * ever (libuv 1.44 to 1.51, uv__server_io in unix/stream.c).
 */
#include "listener.h"

#include "pipe.h"
#include "resolve.h"
#include "socket.h"

#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include "../loop.h"
#include "../task.h"

enum { LAST_PORT = 65535, DEFAULT_BACKLOG = 128 };

struct uva_listener {
    uva_runtime_t *runtime;
    uint32_t refs; /* handles not yet closed + calls inside + the user's */
    int fd;
    int port; /* of TCP; else UV_EINVAL */
    uva__transport_t transport;
    bool stopped;             /* the socket is closed */
    bool closing;             /* the user has closed it */
    bool accepting;           /* a task is in uva_accept() */
    bool watching;            /* the poll is on */
    uva__waiter_t *acceptor;  /* that task, while it is parked */
    uva__resource_t resource; /* linked from when it is the user's */
    uv_poll_t poll;
    bool has_poll; /* the poll was initialised */
    union {
        uv_handle_t any;
        uv_tcp_t tcp;
        uv_pipe_t pipe;
    } handle;
};

/* ---- memory ------------------------------------------------------------- */

int uva__listener_enter(uva_listener_t *listener, const char *call) {
    int code = uva__must_be_ours(listener->runtime, call);
    listener->refs += code == 0;
    return code;
}

void uva__listener_leave(uva_listener_t *listener) {
    UVA__ASSERT(listener->refs > 0);
    if (--listener->refs == 0)
        uva__give(&listener->runtime->pools, listener, sizeof *listener);
}

static void on_closed(uv_handle_t *handle) {
    uva_listener_t *listener = handle->data;
    uva_runtime_t *rt = listener->runtime;
    uva__listener_leave(listener);
    uva__loop_handle_closed(rt);
}

/* Counts a handle of the listener's, if it could be initialised. */
static int adopt(uva_listener_t *listener, uv_handle_t *handle, int code) {
    code = uva__loop_adopt(listener->runtime, handle, listener, code);
    listener->refs += code == 0;
    return code;
}

/* A listener with no socket yet; or one of TCP with a socket of the family. */
static int make(uva_runtime_t *rt, uva__transport_t transport, int family,
                uva_listener_t **ret_listener) {
    uva_listener_t *listener = uva__take(&rt->pools, sizeof *listener);
    if (listener == NULL)
        return UV_ENOMEM;
    *listener = (uva_listener_t){.runtime = rt,
                                 .refs = 1,
                                 .fd = -1,
                                 .port = UV_EINVAL,
                                 .transport = transport};
    int code =
        transport == UVA__PIPE
            ? uv_pipe_init(rt->loop, &listener->handle.pipe, 0)
            : uv_tcp_init_ex(rt->loop, &listener->handle.tcp, (unsigned)family);
    code = adopt(listener, &listener->handle.any, code);
    if (code < 0) {
        uva__give(&rt->pools, listener, sizeof *listener);
        return code;
    }
    *ret_listener = listener;
    return 0;
}

static void wake_acceptor(uva_listener_t *listener, int code) {
    uva__waiter_t *acceptor = listener->acceptor;
    listener->acceptor = NULL;
    uva__wake(acceptor, code);
}

bool uva__listener_is_stopped(const uva_listener_t *listener) {
    return listener->stopped;
}

void uva__listener_stop(uva_listener_t *listener) {
    if (listener->stopped)
        return;
    listener->stopped = true;
    if (listener->acceptor != NULL)
        wake_acceptor(listener, UV_ECANCELED);
    /* The poll first: the other one owns the descriptor. */
    if (listener->has_poll)
        uv_close((uv_handle_t *)&listener->poll, on_closed);
    uv_close(&listener->handle.any, on_closed);
}

void uva_listener_close(uva_listener_t *listener) {
    if (listener == NULL ||
        !uva__may_close(listener->runtime, "uva_listener_close",
                        &listener->closing))
        return;
    uva__forget_resource(listener->runtime, &listener->resource);
    uva__listener_stop(listener);
    uva__listener_leave(listener);
}

static void close_resource(uva__resource_t *resource) {
    uva_listener_close(UVA__OF(resource, uva_listener_t, resource));
}

/* ---- listening ---------------------------------------------------------- */

/* Makes a bound socket listen. */
static int start(uva_listener_t *listener, int backlog) {
    int code = uv_fileno(&listener->handle.any, &listener->fd);
    if (code < 0)
        return code;
    if (listen(listener->fd, backlog > 0 ? backlog : DEFAULT_BACKLOG) < 0)
        return uv_translate_sys_error(errno);
    code = uv_poll_init(listener->runtime->loop, &listener->poll, listener->fd);
    code = adopt(listener, (uv_handle_t *)&listener->poll, code);
    listener->has_poll = code == 0;
    return code;
}

/* After binding, which gave `code`: listens, or closes the listener. */
static int finish(uva_listener_t *listener, int code, int backlog,
                  const char *site, uva_listener_t **ret_listener) {
    if (code == 0)
        code = start(listener, backlog);
    if (code < 0) {
        uva_listener_close(listener);
        return code;
    }
    uva__open_resource(listener->runtime, &listener->resource, "listener", site,
                       close_resource);
    *ret_listener = listener;
    return 0;
}

/* Binds, and finds out the port. libuv keeps UV_EADDRINUSE back; asking for
 * the name brings it. */
static int bind_tcp(uva_listener_t *listener, const struct sockaddr *address,
                    bool ipv6_only) {
    struct sockaddr_storage name;
    int bytes = sizeof name;
    int code = uv_tcp_bind(&listener->handle.tcp, address,
                           ipv6_only ? UV_TCP_IPV6ONLY : 0);
    if (code == 0)
        code = uv_tcp_getsockname(&listener->handle.tcp,
                                  (struct sockaddr *)&name, &bytes);
    if (code < 0)
        return code;
    listener->port = name.ss_family == AF_INET6
                         ? ntohs(((struct sockaddr_in6 *)&name)->sin6_port)
                         : ntohs(((struct sockaddr_in *)&name)->sin_port);
    return 0;
}

/* What listening by TCP is asked for. */
typedef struct tcp_request {
    uva_runtime_t *runtime;
    const char *site;
    const uva_tcp_listen_options_t *options;
    int port;
    uva_listener_t **ret_listener;
} tcp_request_t;

/* Before binding, so the socket must be there (libuv has it since 1.49). */
static int share_port(const uva_listener_t *listener) {
#ifdef SO_REUSEPORT
    int on = 1;
    int fd;
    int code = uv_fileno(&listener->handle.any, &fd);
    if (code < 0)
        return code;
    if (setsockopt(fd, SOL_SOCKET, SO_REUSEPORT, &on, sizeof on) < 0)
        return uv_translate_sys_error(errno);
    return 0;
#else
    (void)listener;
    return UV_ENOTSUP;
#endif
}

static int listen_at(const tcp_request_t *request,
                     const struct sockaddr *address) {
    const uva_tcp_listen_options_t *options = request->options;
    uva_listener_t *listener;
    int code =
        make(request->runtime, UVA__TCP,
             options->reuse_port ? address->sa_family : AF_UNSPEC, &listener);
    if (code < 0)
        return code;
    if (options->reuse_port)
        code = share_port(listener);
    if (code == 0)
        code = bind_tcp(listener, address, options->ipv6_only);
    return finish(listener, code, options->backlog, request->site,
                  request->ret_listener);
}

static int listen_in_numbers(const tcp_request_t *request, const char *host) {
    struct sockaddr_storage address;
    int code = uva__parse_address(host, request->port, &address);
    return code == 0 ? listen_at(request, (struct sockaddr *)&address) : code;
}

/* What a machine without IPv6 says, or one where it is turned off. */
static bool is_without_ip6(int code) {
    return code == UV_EAFNOSUPPORT || code == UV_EADDRNOTAVAIL ||
           code == UV_EPROTONOSUPPORT;
}

static int listen_everywhere(const tcp_request_t *request) {
    int code = listen_in_numbers(request, "::");
    if (is_without_ip6(code) && !request->options->ipv6_only)
        code = listen_in_numbers(request, "0.0.0.0");
    return code;
}

/* At the first of its addresses that is ours. */
static int listen_by_name(uva__task_t *task, const tcp_request_t *request,
                          const char *host) {
    struct addrinfo *list = NULL;
    int code = uva__resolve(task, host, &list);
    if (code < 0)
        return code;
    code = UV_EAI_NODATA;
    for (struct addrinfo *entry = list; entry != NULL && code < 0;
         entry = entry->ai_next) {
        if (entry->ai_family != AF_INET && entry->ai_family != AF_INET6)
            continue;
        uva__set_port(entry->ai_addr, request->port);
        code = listen_at(request, entry->ai_addr);
    }
    uv_freeaddrinfo(list);
    return code;
}

int uva_tcp_listen_with_at(const char *site,
                           const uva_tcp_listen_options_t *options,
                           const char *host, int port,
                           uva_listener_t **ret_listener) {
    static const uva_tcp_listen_options_t plain = {0};
    int code;
    uva_runtime_t *rt = uva__open_runtime("uva_tcp_listen", &code);
    if (rt == NULL)
        return code;
    if (ret_listener == NULL || port < 0 || port > LAST_PORT)
        return UV_EINVAL;
    tcp_request_t request = {.runtime = rt,
                             .site = site,
                             .options = options != NULL ? options : &plain,
                             .port = port,
                             .ret_listener = ret_listener};
    struct sockaddr_storage address;
    if (host == NULL)
        return listen_everywhere(&request);
    if (rt->current == NULL || uva__parse_address(host, port, &address) == 0)
        return listen_in_numbers(&request, host);
    return listen_by_name(rt->current, &request, host);
}

int uva_tcp_listen_at(const char *site, const char *host, int port, int backlog,
                      uva_listener_t **ret_listener) {
    uva_tcp_listen_options_t options = {.backlog = backlog};
    return uva_tcp_listen_with_at(site, &options, host, port, ret_listener);
}

int uva_pipe_listen_at(const char *site, const char *path, int backlog,
                       uva_listener_t **ret_listener) {
    int code;
    uva_runtime_t *rt = uva__open_runtime("uva_pipe_listen", &code);
    if (rt == NULL)
        return code;
    code = ret_listener != NULL ? uva__check_path(path) : UV_EINVAL;
    if (code < 0)
        return code;
    uva_listener_t *listener;
    code = make(rt, UVA__PIPE, AF_UNSPEC, &listener);
    if (code < 0)
        return code;
    code = uv_pipe_bind(&listener->handle.pipe, path);
    return finish(listener, code, backlog, site, ret_listener);
}

int(uva_tcp_listen)(const char *host, int port, int backlog,
                    uva_listener_t **ret_listener) {
    return uva_tcp_listen_at(NULL, host, port, backlog, ret_listener);
}

int(uva_tcp_listen_with)(const uva_tcp_listen_options_t *options,
                         const char *host, int port,
                         uva_listener_t **ret_listener) {
    return uva_tcp_listen_with_at(NULL, options, host, port, ret_listener);
}

int(uva_pipe_listen)(const char *path, int backlog,
                     uva_listener_t **ret_listener) {
    return uva_pipe_listen_at(NULL, path, backlog, ret_listener);
}

int uva_pipe_listen_chmod(uva_listener_t *listener, int flags) {
    if (listener == NULL)
        return UV_EINVAL;
    int code = uva__must_be_ours(listener->runtime, "uva_pipe_listen_chmod");
    if (code < 0)
        return code;
    if (listener->transport != UVA__PIPE)
        return UV_ENOTSUP;
    return uv_pipe_chmod(&listener->handle.pipe, flags);
}

int uva_listener_port(const uva_listener_t *listener) {
    return listener != NULL ? listener->port : UV_EINVAL;
}

/* ---- accepting ---------------------------------------------------------- */

typedef struct acceptor {
    uva__waiter_t waiter;
    uva_listener_t *listener;
} acceptor_t;

static uva_future_t *cancel_accept(uva__waiter_t *waiter) {
    UVA__OF(waiter, acceptor_t, waiter)->listener->acceptor = NULL;
    uva__wake_cut(waiter);
    return NULL;
}

static const uva__wait_t accept_wait = {
    .reason = "accept", .cancel = cancel_accept, .outside = true};

/* Whatever it is, an error too: who accepts will see when it tries. When
 * nobody does any more, the poll is turned off. */
static void on_connection(uv_poll_t *poll, int status, int events) {
    uva_listener_t *listener = poll->data;
    (void)events;
    if (status < 0)
        listener->watching = false; /* libuv has stopped it */
    if (listener->acceptor != NULL) {
        wake_acceptor(listener, 0);
    } else if (!listener->accepting && listener->watching) {
        listener->watching = false;
        (void)uv_poll_stop(poll);
    }
}

/* None is there. Who wakes us: on_connection or the close, both of which take
 * listener->acceptor away first, as the cancel hook does: so once. */
static int wait_for_connection(uva__task_t *task, uva_listener_t *listener) {
    int code = uva__may_park(task);
    if (code == 0 && !listener->watching) {
        code = uv_poll_start(&listener->poll, UV_READABLE, on_connection);
        listener->watching = code == 0;
    }
    if (code < 0)
        return code;
    acceptor_t acceptor = {.waiter.wait = &accept_wait, .listener = listener};
    listener->acceptor = &acceptor.waiter;
    return uva__park(task, &acceptor.waiter);
}

static int accept_fd(int fd) {
#if defined(SOCK_CLOEXEC) && defined(SOCK_NONBLOCK)
    return accept4(fd, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
#else
    int accepted = accept(fd, NULL, NULL);
    if (accepted >= 0)
        (void)fcntl(accepted, F_SETFD, FD_CLOEXEC);
    return accepted;
#endif
}

/* A connection, or UV_EAGAIN when none waits, or a code. One that failed while
 * it was waiting is none. */
static int accept_now(const uva_listener_t *listener) {
    int fd;
    do
        fd = accept_fd(listener->fd);
    while (fd < 0 &&
           (errno == EINTR || errno == ECONNABORTED || errno == EPROTO));
    return fd >= 0 ? fd : uv_translate_sys_error(errno);
}

/* Without descriptors accept(2) says so even when no connection waits; only
 * after the poll has told of one it means anything. */
static bool is_none(int code, bool is_told) {
    return code == UV_EAGAIN ||
           (!is_told && (code == UV_EMFILE || code == UV_ENFILE));
}

static int accept_in(uva__task_t *task, uva_listener_t *listener) {
    bool is_told = false;
    int code = uva__spend(task);
    while (code == 0) {
        if (listener->stopped)
            return UV_ECANCELED;
        int fd = accept_now(listener);
        if (!is_none(fd, is_told))
            return fd;
        code = wait_for_connection(task, listener);
        is_told = true;
    }
    return code;
}

int uva_accept_at(const char *site, uva_listener_t *listener,
                  uva_stream_t **ret_stream) {
    uva__task_t *task = uva__running("uva_accept");
    if (task == NULL)
        return UV_EPERM;
    if (listener == NULL || ret_stream == NULL)
        return UV_EINVAL;
    int code = uva__listener_enter(listener, "uva_accept");
    if (code < 0)
        return code;
    if (listener->accepting) {
        uva__listener_leave(listener);
        return UV_EBUSY;
    }
    listener->accepting = true;
    int fd = accept_in(task, listener);
    uva__transport_t transport = listener->transport;
    listener->accepting = false;
    uva__listener_leave(listener);
    if (fd < 0)
        return fd;
    return uva__socket_adopt(task->future.runtime, transport, fd, site,
                             ret_stream);
}

int(uva_accept)(uva_listener_t *listener, uva_stream_t **ret_stream) {
    return uva_accept_at(NULL, listener, ret_stream);
}
