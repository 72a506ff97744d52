/*
 * What: sending streams over Unix sockets, and receiving them.
 *
 * How: a pipe over which streams may come is of another kind from then on. It
 * is read with recvmsg(2) by whoever waits, a reader or a receiver, and not
 * ahead; a uv_poll_t on a duplicate of the descriptor tells when. recvmsg(2)
 * stops behind a byte that brings descriptors, so that this is the last byte it
 * gives, and no data. One message is held at a time: until its streams are
 * received nothing more is read, and a peer cannot fill our table of
 * descriptors.
 *
 * A reader is preferred: while a task is in a reading call, a receiver leaves
 * the socket to it, and is woken when a stream has come. Else the receiver
 * reads into the inbox what comes before.
 *
 * Rejected: libuv's ipc pipes. They do not see that the kernel had no
 * descriptor to give (MSG_CTRUNC), and would take the byte for data; and they
 * read on while descriptors wait, as many as the peer sends.
 */
#include "uvawait/handle_passing.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "../loop.h"
#include "../task.h"
#include "open_fd.h"
#include "socket.h"

#ifndef MSG_NOSIGNAL
#define MSG_NOSIGNAL 0
#endif
#ifndef MSG_CMSG_CLOEXEC
#define MSG_CMSG_CLOEXEC 0
#endif

/* Descriptors of one message that are taken; those above are dropped. */
enum { MOST_FDS = 16 };

struct uva__passing {
    uva__socket_t *socket;
    int fd; /* a duplicate, for the poll */
    bool watching;
    bool receiving; /* a task is in uva_pipe_receive_stream() */
    bool lost;      /* one came that there was no descriptor for */
    unsigned first; /* fds[first .. count) wait to be received */
    unsigned count;
    int fds[MOST_FDS];
    uva__waiter_t *reader;
    uva__waiter_t *receiver;
    uv_poll_t poll;
};

static uva__passing_t *passing_of(uva_stream_t *stream) {
    return uva__socket_of(stream)->passing;
}

static bool holds_stream(const uva__passing_t *passing) {
    return passing->first < passing->count || passing->lost;
}

/* ---- waiting ------------------------------------------------------------ */

static void wake(uva__waiter_t **place, int code) {
    uva__waiter_t *waiter = *place;
    *place = NULL;
    if (waiter != NULL)
        uva__wake(waiter, code);
}

/* Whatever it is, an error too: who reads will see when it tries. */
static void on_readable(uv_poll_t *poll, int status, int events) {
    uva__passing_t *passing = poll->data;
    (void)events;
    if (status < 0)
        passing->watching = false; /* libuv has stopped it */
    if (passing->reader != NULL) {
        wake(&passing->reader, 0);
    } else if (passing->receiver != NULL) {
        wake(&passing->receiver, 0);
    } else if (passing->watching) {
        passing->watching = false;
        (void)uv_poll_stop(poll);
    }
}

static int watch(uva__passing_t *passing) {
    if (passing->watching)
        return 0;
    int code = uv_poll_start(&passing->poll, UV_READABLE, on_readable);
    passing->watching = code == 0;
    return code;
}

static void unwatch(uva__passing_t *passing) {
    if (passing->watching)
        (void)uv_poll_stop(&passing->poll);
    passing->watching = false;
}

typedef struct side {
    uva__waiter_t waiter;
    uva__waiter_t **place;
} side_t;

static uva_future_t *cancel(uva__waiter_t *waiter) {
    *UVA__OF(waiter, side_t, waiter)->place = NULL;
    uva__wake_cut(waiter);
    return NULL;
}

static const uva__wait_t read_wait = {.reason =
                                          "read of a pipe that brings streams",
                                      .cancel = cancel,
                                      .outside = true};
static const uva__wait_t receive_wait = {
    .reason = "stream to receive", .cancel = cancel, .outside = true};

/* Waits at a place, and with `polled` also for the kernel. Who wakes us takes
 * the waiter away first, as the cancel hook does: so once. */
static int park(uva__task_t *task, uva__passing_t *passing, bool polled,
                const uva__wait_t *wait, uva__waiter_t **place) {
    int code = uva__may_park(task);
    if (code == 0 && polled)
        code = watch(passing);
    if (code < 0)
        return code;
    if (!polled)
        unwatch(passing);
    side_t side = {.waiter.wait = wait, .place = place};
    *place = &side.waiter;
    return uva__park(task, &side.waiter);
}

/* ---- the kernel --------------------------------------------------------- */

typedef union control {
    struct cmsghdr align;
    char bytes[CMSG_SPACE(sizeof(int[MOST_FDS]))];
} control_t;

/* Keeps the descriptors that a message brought; whether there were any. */
static bool keep_fds(uva__passing_t *passing, struct msghdr *message) {
    bool is_cut = (message->msg_flags & MSG_CTRUNC) != 0;
    passing->first = passing->count = 0;
    for (struct cmsghdr *header = CMSG_FIRSTHDR(message); header != NULL;
         header = CMSG_NXTHDR(message, header)) {
        if (header->cmsg_level != SOL_SOCKET || header->cmsg_type != SCM_RIGHTS)
            continue;
        size_t bytes = header->cmsg_len - CMSG_LEN(0);
        passing->count = (unsigned)(bytes / sizeof(int));
        memcpy(passing->fds, CMSG_DATA(header), bytes);
    }
    passing->lost = is_cut && passing->count == 0;
    return holds_stream(passing);
}

/* Reads what is there: how many bytes of data; 0: a stream came without;
 * UV_EAGAIN: nothing; UV_EOF or another code, which is the end. */
static ssize_t take(uva__passing_t *passing, char *buffer, size_t bytes) {
    control_t control;
    struct iovec room = {.iov_base = buffer, .iov_len = bytes};
    struct msghdr message = {.msg_iov = &room,
                             .msg_iovlen = 1,
                             .msg_control = &control,
                             .msg_controllen = sizeof control};
    ssize_t got;
    do
        got = recvmsg(passing->socket->fd, &message, MSG_CMSG_CLOEXEC);
    while (got < 0 && errno == EINTR);
    if (got < 0 && (errno == EAGAIN || errno == EWOULDBLOCK))
        return UV_EAGAIN;
    if (got <= 0) {
        int code = got < 0 ? uv_translate_sys_error(errno) : UV_EOF;
        if (passing->socket->failure != 0)
            code = passing->socket->failure;
        passing->socket->stream.read_end = code;
        wake(&passing->receiver, 0);
        return code;
    }
    if (!keep_fds(passing, &message))
        return got;
    wake(&passing->receiver, 0);
    return got - 1;
}

/* ---- the stream --------------------------------------------------------- */

static ssize_t wait_for_bytes(uva__task_t *task, uva_stream_t *stream,
                              char *buffer, size_t bytes) {
    uva__passing_t *passing = passing_of(stream);
    int code = uva__spend(task);
    while (code == 0) {
        if (stream->closing)
            return UV_ECANCELED;
        if (uva__inbox_held(&stream->inbox) > 0)
            return (ssize_t)uva__inbox_take(&stream->inbox, buffer, bytes);
        if (stream->read_end != 0)
            return stream->read_end;
        bool is_held_up = holds_stream(passing);
        if (!is_held_up) {
            ssize_t got = take(passing, buffer, bytes);
            if (got != 0 && got != UV_EAGAIN)
                return got;
            is_held_up = got == 0;
        }
        code = park(task, passing, !is_held_up, &read_wait, &passing->reader);
    }
    return code;
}

/* Reads have made room in the inbox, or have ended. */
static void settle(uva_stream_t *stream) {
    wake(&passing_of(stream)->receiver, 0);
}

static void on_poll_closed(uv_handle_t *handle) {
    uva__passing_t *passing = handle->data;
    uva_runtime_t *rt = passing->socket->stream.runtime;
    uva__stream_unref(&passing->socket->stream);
    uva__loop_handle_closed(rt);
}

static void close_passing(uva_stream_t *stream) {
    uva__passing_t *passing = passing_of(stream);
    wake(&passing->reader, UV_ECANCELED);
    wake(&passing->receiver, UV_ECANCELED);
    uv_close((uv_handle_t *)&passing->poll, on_poll_closed);
    (void)close(passing->fd);
    while (passing->first < passing->count)
        (void)close(passing->fds[passing->first++]);
    uva__socket_close(stream);
}

static void drop(uva_stream_t *stream) {
    uva__give(&stream->runtime->pools, passing_of(stream),
              sizeof(uva__passing_t));
}

static const uva__stream_kind_t passing_kind = {
    .bytes = sizeof(uva__socket_t),
    .wait = wait_for_bytes,
    .settle = settle,
    .write = uva__socket_write,
    .shutdown = uva__socket_shutdown,
    .close = close_passing,
    .drop = drop,
    .is_outside = true,
};

/* ---- expecting ---------------------------------------------------------- */

static bool is_local_socket(const uva__socket_t *socket) {
    struct sockaddr_storage name;
    socklen_t bytes = sizeof name;
    return getsockname(socket->fd, (struct sockaddr *)&name, &bytes) == 0 &&
           name.ss_family == AF_UNIX;
}

static int begin_poll(uva_runtime_t *rt, uva__passing_t *passing) {
    passing->fd = fcntl(passing->socket->fd, F_DUPFD_CLOEXEC, 0);
    if (passing->fd < 0)
        return uv_translate_sys_error(errno);
    int code = uv_poll_init(rt->loop, &passing->poll, passing->fd);
    if (code < 0) {
        (void)close(passing->fd);
        return code;
    }
    (void)uva__loop_adopt(rt, (uv_handle_t *)&passing->poll, passing, 0);
    passing->socket->stream.refs++;
    return 0;
}

static int expect_streams(uva_stream_t *stream) {
    uva__socket_t *socket = uva__socket_behind(stream);
    if (stream->kind == &passing_kind)
        return 0;
    if (socket == NULL || !is_local_socket(socket))
        return UV_ENOTSUP;
    if (stream->reading)
        return UV_EBUSY;
    uva_runtime_t *rt = stream->runtime;
    uva__passing_t *passing = uva__take(&rt->pools, sizeof *passing);
    if (passing == NULL)
        return UV_ENOMEM;
    *passing = (uva__passing_t){.socket = socket};
    int code = begin_poll(rt, passing);
    if (code < 0) {
        uva__give(&rt->pools, passing, sizeof *passing);
        return code;
    }
    uva__socket_pause(socket);
    socket->passing = passing;
    stream->kind = &passing_kind;
    return 0;
}

int uva_pipe_expect_streams(uva_stream_t *pipe) {
    if (pipe == NULL)
        return UV_EINVAL;
    int code = uva__must_be_ours(pipe->runtime, "uva_pipe_expect_streams");
    return code < 0 ? code : expect_streams(pipe);
}

/* ---- receiving ---------------------------------------------------------- */

/* What comes before a stream goes to the inbox. 0: something happened;
 * UV_EAGAIN: nothing is there; UV_ENOBUFS: the inbox is full; or a code. */
static ssize_t read_ahead(uva__passing_t *passing) {
    uva__inbox_t *inbox = &passing->socket->stream.inbox;
    if (uva__inbox_held(inbox) > 0)
        uva__inbox_compact(inbox);
    else if (!uva__inbox_ensure(inbox, UVA__INBOX_BYTES))
        return UV_ENOMEM;
    if (inbox->end == inbox->capacity)
        return UV_ENOBUFS;
    ssize_t got =
        take(passing, inbox->base + inbox->end, inbox->capacity - inbox->end);
    if (got < 0)
        return got;
    inbox->end += (size_t)got;
    return 0;
}

/* A descriptor, or a code. */
static int receive_fd(uva__task_t *task, uva_stream_t *stream) {
    uva__passing_t *passing = passing_of(stream);
    int code = uva__spend(task);
    while (code == 0) {
        if (stream->closing)
            return UV_ECANCELED;
        if (holds_stream(passing)) {
            int fd = passing->lost ? UV_EMFILE : passing->fds[passing->first++];
            passing->lost = false;
            wake(&passing->reader, 0); /* it may have waited for that */
            return fd;
        }
        if (stream->read_end != 0)
            return stream->read_end;
        ssize_t got = stream->reading ? UV_EAGAIN : read_ahead(passing);
        if (got == UV_EAGAIN || got == UV_ENOBUFS)
            code = park(task, passing, got == UV_EAGAIN, &receive_wait,
                        &passing->receiver);
        else if (got != 0 && stream->read_end == 0)
            return (int)got;
    }
    return code;
}

/* In a call on the pipe, which is held. */
static int receive(uva__task_t *task, uva_stream_t *pipe, const char *site,
                   uva_stream_t **ret_stream) {
    int code = expect_streams(pipe);
    if (code < 0)
        return code;
    uva__passing_t *passing = passing_of(pipe);
    if (passing->receiving)
        return UV_EBUSY;
    passing->receiving = true;
    int fd = receive_fd(task, pipe);
    passing->receiving = false;
    if (fd < 0)
        return fd;
    code = uva__open_fd(pipe->runtime, fd, site, ret_stream);
    if (code < 0)
        (void)close(fd);
    return code;
}

int uva_pipe_receive_stream_at(const char *site, uva_stream_t *pipe,
                               uva_stream_t **ret_stream) {
    uva__task_t *task;
    int code = uva__stream_enter(pipe, "uva_pipe_receive_stream", &task);
    if (code < 0)
        return code;
    code =
        ret_stream != NULL ? receive(task, pipe, site, ret_stream) : UV_EINVAL;
    uva__stream_unref(pipe);
    return code;
}

int(uva_pipe_receive_stream)(uva_stream_t *pipe, uva_stream_t **ret_stream) {
    return uva_pipe_receive_stream_at(NULL, pipe, ret_stream);
}

/* ---- sending ------------------------------------------------------------ */

/* 1, or a code. */
static ssize_t send_fd(uva__socket_t *pipe, int fd) {
    union {
        struct cmsghdr align;
        char bytes[CMSG_SPACE(sizeof fd)];
    } control = {.bytes = {0}};
    char marker = 0;
    struct iovec one = {.iov_base = &marker, .iov_len = 1};
    struct msghdr message = {.msg_iov = &one,
                             .msg_iovlen = 1,
                             .msg_control = &control,
                             .msg_controllen = sizeof control};
    struct cmsghdr *header = CMSG_FIRSTHDR(&message);
    header->cmsg_level = SOL_SOCKET;
    header->cmsg_type = SCM_RIGHTS;
    header->cmsg_len = CMSG_LEN(sizeof fd);
    memcpy(CMSG_DATA(header), &fd, sizeof fd);
    ssize_t sent;
    do
        sent = sendmsg(pipe->fd, &message, MSG_NOSIGNAL);
    while (sent < 0 && errno == EINTR);
    return sent >= 0 ? sent : uv_translate_sys_error(errno);
}

static int send_in(uva__task_t *task, uva__socket_t *pipe,
                   const uva__socket_t *sent) {
    for (;;) {
        if (pipe->stream.closing || sent->stream.closing)
            return UV_ECANCELED;
        ssize_t code = send_fd(pipe, sent->fd);
        if (code > 0)
            return 0;
        if (code == UV_EAGAIN)
            code = uva__socket_wait_for_room(task, pipe);
        if (code < 0)
            return (int)code;
    }
}

/* Makes ready what is to be sent: from now on we do not read it. */
static int prepare(uva_stream_t *stream, uva__socket_t **ret_socket) {
    if (stream == NULL)
        return UV_EINVAL;
    int code = uva__must_be_ours(stream->runtime, "uva_pipe_send_stream");
    if (code < 0)
        return code;
    *ret_socket = uva__socket_behind(stream);
    if (*ret_socket == NULL)
        return UV_ENOTSUP;
    if (stream->reading || stream->writing ||
        uva__inbox_held(&stream->inbox) > 0)
        return UV_EBUSY;
    uva__socket_pause(*ret_socket);
    return 0;
}

static int send_stream(uva__task_t *task, uva_stream_t *pipe,
                       uva__socket_t *sent) {
    uva__socket_t *socket = uva__socket_behind(pipe);
    if (socket == NULL || !is_local_socket(socket))
        return UV_ENOTSUP;
    sent->stream.refs++;
    int code = send_in(task, socket, sent);
    uva__socket_stop_waiting(socket);
    uva__stream_unref(&sent->stream);
    return code;
}

int uva_pipe_send_stream(uva_stream_t *pipe, uva_stream_t *stream) {
    uva__task_t *task;
    int code = uva__write_begin(pipe, "uva_pipe_send_stream", &task);
    if (code < 0)
        return code;
    uva__socket_t *sent;
    code = stream != pipe ? prepare(stream, &sent) : UV_EINVAL;
    if (code == 0)
        code = send_stream(task, pipe, sent);
    return (int)uva__write_end(pipe, code, 0);
}
