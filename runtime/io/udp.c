/*
 * What: UDP sockets.
 *
 * How: as with listeners. A libuv handle makes, binds and owns the socket; a
 * call tries sendmsg(2) or recvmsg(2) itself, from and into the caller's
 * memory, and only when that would block waits for a uv_poll_t on the same
 * descriptor, then tries again. So the bounded queue of what nobody has
 * received is the kernel's, nothing is copied, and libuv never holds bytes of a
 * caller that has gone (R9).
 *
 * Who waits stands in one of two queues; an event wakes the oldest. The poll is
 * level-triggered, so as long as there is more the next one's turn comes with
 * the next poll. Who comes while others wait stands behind them. Readability is
 * watched on for as long as tasks are receiving, writability only while one
 * waits for it: it is there nearly always.
 *
 * Rejected: uv_udp_recv_start(), which asks for a buffer before it is known
 * whether anybody wants a datagram, and tells nothing of what was dropped when
 * it is kept; uv_udp_send(), which queues the caller's memory.
 */
#include "uvawait/udp.h"

#include <errno.h>
#include <limits.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include "../loop.h"
#include "../task.h"
#include "open.h"
#include "resolve.h"

enum { LAST_PORT = 65535, LAST_TTL = 255 };

/* Where it is missing, UDP does not raise SIGPIPE either. */
#ifndef MSG_NOSIGNAL
#define MSG_NOSIGNAL 0
#endif

struct uva_udp {
    uva_runtime_t *runtime;
    uint32_t refs; /* handles not yet closed + calls inside */
    int fd;
    bool closing;
    bool has_poll;      /* the poll was initialised */
    int watched;        /* what the poll is on for; 0: it is off */
    uint32_t receiving; /* tasks in uva_udp_receive() */
    uva_waiters_t readers;
    uva_waiters_t writers;
    uva__resource_t resource; /* linked from when it is the user's */
    uv_poll_t poll;           /* the data of both is the socket */
    uv_udp_t handle;
};

/* ---- memory ------------------------------------------------------------- */

static void unref(uva_udp_t *udp) {
    UVA__ASSERT(udp->refs > 0);
    if (--udp->refs == 0)
        uva__give(&udp->runtime->pools, udp, sizeof *udp);
}

static void on_closed(uv_handle_t *handle) {
    uva_udp_t *udp = handle->data;
    uva_runtime_t *rt = udp->runtime;
    unref(udp);
    uva__loop_handle_closed(rt);
}

/* Counts a handle of the socket's, if it could be initialised. */
static int adopt(uva_udp_t *udp, uv_handle_t *handle, int code) {
    code = uva__loop_adopt(udp->runtime, handle, udp, code);
    udp->refs += code == 0;
    return code;
}

static int make(uva_runtime_t *rt, uva_udp_t **ret_udp) {
    uva_udp_t *udp = uva__take(&rt->pools, sizeof *udp);
    if (udp == NULL)
        return UV_ENOMEM;
    *udp = (uva_udp_t){.runtime = rt, .fd = -1};
    int code = uv_udp_init(rt->loop, &udp->handle);
    code = adopt(udp, (uv_handle_t *)&udp->handle, code);
    if (code < 0) {
        uva__give(&rt->pools, udp, sizeof *udp);
        return code;
    }
    *ret_udp = udp;
    return 0;
}

void uva_udp_close(uva_udp_t *udp) {
    if (udp == NULL ||
        !uva__may_close(udp->runtime, "uva_udp_close", &udp->closing))
        return;
    uva__forget_resource(udp->runtime, &udp->resource);
    (void)uva__wake_all(&udp->readers, UV_ECANCELED);
    (void)uva__wake_all(&udp->writers, UV_ECANCELED);
    /* The poll first: the other one owns the descriptor. */
    if (udp->has_poll)
        uv_close((uv_handle_t *)&udp->poll, on_closed);
    uv_close((uv_handle_t *)&udp->handle, on_closed);
}

static void close_resource(uva__resource_t *resource) {
    uva_udp_close(UVA__OF(resource, uva_udp_t, resource));
}

/* ---- opening ------------------------------------------------------------ */

/* Binds, and gets the descriptor with a poll on it. */
static int start(uva_udp_t *udp, const struct sockaddr *address,
                 const uva_udp_options_t *options) {
    unsigned flags = 0;
    if (options != NULL && options->reuse_address)
        flags |= UV_UDP_REUSEADDR;
    if (options != NULL && options->ipv6_only)
        flags |= UV_UDP_IPV6ONLY;
    int code = uv_udp_bind(&udp->handle, address, flags);
    if (code == 0)
        code = uv_fileno((uv_handle_t *)&udp->handle, &udp->fd);
    if (code < 0)
        return code;
    code = uv_poll_init(udp->runtime->loop, &udp->poll, udp->fd);
    code = adopt(udp, (uv_handle_t *)&udp->poll, code);
    udp->has_poll = code == 0;
    return code;
}

int uva_udp_open_at(const char *site, const char *host, int port,
                    const uva_udp_options_t *options, uva_udp_t **ret_udp) {
    int code;
    uva_runtime_t *rt = uva__open_runtime("uva_udp_open", &code);
    if (rt == NULL)
        return code;
    struct sockaddr_storage address;
    if (ret_udp == NULL || port < 0 || port > LAST_PORT ||
        uva__parse_address(host != NULL ? host : "0.0.0.0", port, &address) < 0)
        return UV_EINVAL;
    uva_udp_t *udp;
    code = make(rt, &udp);
    if (code < 0)
        return code;
    code = start(udp, (struct sockaddr *)&address, options);
    if (code < 0) {
        uva_udp_close(udp);
        return code;
    }
    uva__open_resource(rt, &udp->resource, "UDP socket", site, close_resource);
    *ret_udp = udp;
    return 0;
}

int(uva_udp_open)(const char *host, int port, const uva_udp_options_t *options,
                  uva_udp_t **ret_udp) {
    return uva_udp_open_at(NULL, host, port, options, ret_udp);
}

/* ---- waiting ------------------------------------------------------------ */

static const uva__wait_t receive_wait = {
    .reason = "UDP receive", .cancel = uva__leave_queue, .outside = true};
static const uva__wait_t send_wait = {
    .reason = "UDP send", .cancel = uva__leave_queue, .outside = true};

static void on_event(uv_poll_t *poll, int status, int events);

static int watch(uva_udp_t *udp, int events) {
    if (events == udp->watched)
        return 0;
    int code = events != 0 ? uv_poll_start(&udp->poll, events, on_event)
                           : uv_poll_stop(&udp->poll);
    udp->watched = code == 0 ? events : 0;
    return code;
}

/* The events that somebody is interested in. */
static int wanted(const uva_udp_t *udp) {
    return (udp->receiving > 0 ? UV_READABLE : 0) |
           (uva__first_waiter(&udp->writers) != NULL ? UV_WRITABLE : 0);
}

/* An error is for whoever tries next, so it wakes both. */
static void on_event(uv_poll_t *poll, int status, int events) {
    uva_udp_t *udp = poll->data;
    if (status < 0) {
        udp->watched = 0; /* libuv has stopped it */
        events = UV_READABLE | UV_WRITABLE;
    }
    if ((events & UV_READABLE) != 0 && uva__first_waiter(&udp->readers) != NULL)
        uva__wake_first(&udp->readers, 0);
    if ((events & UV_WRITABLE) != 0 && uva__first_waiter(&udp->writers) != NULL)
        uva__wake_first(&udp->writers, 0);
    int code = watch(udp, wanted(udp));
    if (code < 0) {
        (void)uva__wake_all(&udp->readers, code);
        (void)uva__wake_all(&udp->writers, code);
    }
}

/* Who wakes us: on_event or the close, which take us out of the queue, as the
 * cancel hook does; so once. */
static int wait_in(uva__task_t *task, uva_udp_t *udp, uva_waiters_t *queue,
                   const uva__wait_t *wait, int event) {
    int code = uva__may_park(task);
    if (code == 0)
        code = watch(udp, udp->watched | event);
    if (code < 0)
        return code;
    uva__waiter_t waiter = {.wait = wait};
    return uva__park_in(task, queue, &waiter);
}

/* ---- calls -------------------------------------------------------------- */

/* Begins a call that may wait: the memory stays until unref(). */
static int enter(uva_udp_t *udp, const char *call, const void *data,
                 size_t bytes, uva__task_t **ret_task) {
    uva__task_t *task = uva__running(call);
    if (task == NULL)
        return UV_EPERM;
    if (udp == NULL || (data == NULL && bytes > 0) || bytes > SSIZE_MAX)
        return UV_EINVAL;
    int code = uva__must_be_ours(udp->runtime, call);
    if (code < 0)
        return code;
    udp->refs++;
    *ret_task = task;
    return 0;
}

static ssize_t send_now(int fd, const struct msghdr *message) {
    ssize_t sent;
    do
        sent = sendmsg(fd, message, MSG_NOSIGNAL | MSG_DONTWAIT);
    while (sent < 0 && errno == EINTR);
    return sent >= 0 ? sent : uv_translate_sys_error(errno);
}

static ssize_t receive_now(int fd, struct msghdr *message) {
    ssize_t got;
    do
        got = recvmsg(fd, message, MSG_DONTWAIT);
    while (got < 0 && errno == EINTR);
    return got >= 0 ? got : uv_translate_sys_error(errno);
}

static ssize_t send_in(uva__task_t *task, uva_udp_t *udp,
                       const struct msghdr *message) {
    bool is_first = uva__first_waiter(&udp->writers) == NULL;
    int code = uva__spend(task);
    while (code == 0) {
        if (udp->closing)
            return UV_ECANCELED;
        ssize_t sent = is_first ? send_now(udp->fd, message) : UV_EAGAIN;
        if (sent != UV_EAGAIN)
            return sent;
        is_first = true;
        code = wait_in(task, udp, &udp->writers, &send_wait, UV_WRITABLE);
    }
    return code;
}

static ssize_t receive_in(uva__task_t *task, uva_udp_t *udp,
                          struct msghdr *message) {
    bool is_first = uva__first_waiter(&udp->readers) == NULL;
    int code = uva__spend(task);
    while (code == 0) {
        if (udp->closing)
            return UV_ECANCELED;
        ssize_t got = is_first ? receive_now(udp->fd, message) : UV_EAGAIN;
        if (got != UV_EAGAIN)
            return got;
        is_first = true;
        code = wait_in(task, udp, &udp->readers, &receive_wait, UV_READABLE);
    }
    return code;
}

static ssize_t send_to(uva_udp_t *udp, const char *call, const void *data,
                       size_t bytes, const struct sockaddr *to) {
    uva__task_t *task;
    int code = enter(udp, call, data, bytes, &task);
    if (code < 0)
        return code;
    struct iovec buffer = {.iov_base = (void *)(uintptr_t)data,
                           .iov_len = bytes};
    struct msghdr message = {.msg_iov = &buffer, .msg_iovlen = 1};
    if (to != NULL) {
        message.msg_name = (void *)(uintptr_t)to;
        message.msg_namelen = to->sa_family == AF_INET6
                                  ? sizeof(struct sockaddr_in6)
                                  : sizeof(struct sockaddr_in);
    }
    ssize_t result = send_in(task, udp, &message);
    unref(udp);
    return result;
}

ssize_t uva_udp_send(uva_udp_t *udp, const void *data, size_t bytes) {
    return send_to(udp, "uva_udp_send", data, bytes, NULL);
}

ssize_t uva_udp_send_to(uva_udp_t *udp, const void *data, size_t bytes,
                        const struct sockaddr *to) {
    if (to == NULL || (to->sa_family != AF_INET && to->sa_family != AF_INET6))
        return UV_EINVAL;
    return send_to(udp, "uva_udp_send_to", data, bytes, to);
}

ssize_t uva_udp_receive(uva_udp_t *udp, void *buffer, size_t bytes,
                        uva_datagram_t *ret_datagram) {
    uva__task_t *task;
    int code = enter(udp, "uva_udp_receive", buffer, bytes, &task);
    if (code < 0)
        return code;
    uva_datagram_t datagram = {.truncated = false};
    struct iovec room = {.iov_base = buffer, .iov_len = bytes};
    struct msghdr message = {.msg_iov = &room,
                             .msg_iovlen = 1,
                             .msg_name = &datagram.from,
                             .msg_namelen = sizeof datagram.from};
    udp->receiving++;
    ssize_t got = receive_in(task, udp, &message);
    udp->receiving--;
    unref(udp);
    if (got < 0)
        return got;
    datagram.truncated = (message.msg_flags & MSG_TRUNC) != 0;
    if (ret_datagram != NULL)
        *ret_datagram = datagram;
    return got;
}

/* ---- settings ----------------------------------------------------------- */

static int check(const uva_udp_t *udp, const char *call) {
    return udp != NULL ? uva__must_be_ours(udp->runtime, call) : UV_EINVAL;
}

int uva_udp_connect(uva_udp_t *udp, const char *host, int port) {
    struct sockaddr_storage address;
    int code = check(udp, "uva_udp_connect");
    if (code < 0)
        return code;
    if (host == NULL)
        return uv_udp_connect(&udp->handle, NULL);
    if (port < 1 || port > LAST_PORT ||
        uva__parse_address(host, port, &address) < 0)
        return UV_EINVAL;
    return uv_udp_connect(&udp->handle, (struct sockaddr *)&address);
}

int uva_udp_local_name(const uva_udp_t *udp,
                       struct sockaddr_storage *ret_address) {
    int bytes = sizeof *ret_address;
    int code =
        ret_address != NULL ? check(udp, "uva_udp_local_name") : UV_EINVAL;
    if (code < 0)
        return code;
    return uv_udp_getsockname(&udp->handle, (struct sockaddr *)ret_address,
                              &bytes);
}

int uva_udp_peer_name(const uva_udp_t *udp,
                      struct sockaddr_storage *ret_address) {
    int bytes = sizeof *ret_address;
    int code =
        ret_address != NULL ? check(udp, "uva_udp_peer_name") : UV_EINVAL;
    if (code < 0)
        return code;
    return uv_udp_getpeername(&udp->handle, (struct sockaddr *)ret_address,
                              &bytes);
}

static int set_membership(uva_udp_t *udp, const char *call, const char *group,
                          const char *interface, uv_membership membership) {
    int code = group != NULL ? check(udp, call) : UV_EINVAL;
    if (code < 0)
        return code;
    return uv_udp_set_membership(&udp->handle, group, interface, membership);
}

int uva_udp_join(uva_udp_t *udp, const char *group, const char *interface) {
    return set_membership(udp, "uva_udp_join", group, interface, UV_JOIN_GROUP);
}

int uva_udp_leave(uva_udp_t *udp, const char *group, const char *interface) {
    return set_membership(udp, "uva_udp_leave", group, interface,
                          UV_LEAVE_GROUP);
}

int uva_udp_set_multicast_ttl(uva_udp_t *udp, int ttl) {
    int code = check(udp, "uva_udp_set_multicast_ttl");
    if (code == 0 && (ttl < 0 || ttl > LAST_TTL))
        code = UV_EINVAL;
    return code < 0 ? code : uv_udp_set_multicast_ttl(&udp->handle, ttl);
}

int uva_udp_set_multicast_loop(uva_udp_t *udp, bool on) {
    int code = check(udp, "uva_udp_set_multicast_loop");
    return code < 0 ? code : uv_udp_set_multicast_loop(&udp->handle, on);
}

int uva_udp_set_multicast_interface(uva_udp_t *udp, const char *interface) {
    int code = check(udp, "uva_udp_set_multicast_interface");
    if (code < 0)
        return code;
    return uv_udp_set_multicast_interface(&udp->handle, interface);
}

int uva_udp_set_broadcast(uva_udp_t *udp, bool on) {
    int code = check(udp, "uva_udp_set_broadcast");
    return code < 0 ? code : uv_udp_set_broadcast(&udp->handle, on);
}

int uva_udp_set_ttl(uva_udp_t *udp, int ttl) {
    int code = check(udp, "uva_udp_set_ttl");
    if (code == 0 && (ttl < 1 || ttl > LAST_TTL))
        code = UV_EINVAL;
    return code < 0 ? code : uv_udp_set_ttl(&udp->handle, ttl);
}
