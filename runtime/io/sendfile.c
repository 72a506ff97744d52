/*
 * What: uva_sendfile().
 *
 * How: to a socket by sendfile(2), as socket_write.c writes: it is tried at
 * once, and the gate tells when there is room again. sendfile(2) knows no
 * MSG_NOSIGNAL, so SIGPIPE is kept away around it. Where the kernel cannot (a
 * terminal, some file systems), and for other kinds of streams, the file is
 * read into a buffer by the pool and written from there.
 *
 * Rejected: uv_fs_sendfile(). In a thread of the pool it raises SIGPIPE, and
 * where the socket is full it waits there, holding the thread.
 */
#include "uvawait/sendfile.h"

#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#ifdef __linux__
#include <sys/sendfile.h>
#endif

#include "../task.h"
#include "sigpipe.h"
#include "socket.h"
#include "uvawait/fs.h"

enum { PIECE_BYTES = 65536, MOST_AT_ONCE = 1 << 20 };

/* What is left of the file. */
typedef struct part {
    int fd;
    int64_t offset;
    size_t bytes;
} part_t;

static void advance(part_t *part, size_t bytes, size_t *written) {
    part->offset += (int64_t)bytes;
    part->bytes -= bytes;
    *written += bytes;
}

/* ---- by the kernel ------------------------------------------------------ */

/* How many bytes the socket took; 0 at the end of the file; or a code, which is
 * UV_ENOTSUP where it must be done by hand. */
static ssize_t send_once(const uva__socket_t *socket, const part_t *part) {
#ifdef __linux__
    uva__sigpipe_t sigpipe;
    off_t offset = part->offset;
    size_t bytes = part->bytes < MOST_AT_ONCE ? part->bytes : MOST_AT_ONCE;
    uva__sigpipe_block(&sigpipe);
    ssize_t sent = sendfile(socket->fd, part->fd, &offset, bytes);
    uva__sigpipe_restore(&sigpipe, sent < 0 && errno == EPIPE);
    if (sent >= 0)
        return sent;
    if (errno == EINVAL || errno == ENOSYS || errno == EOPNOTSUPP)
        return UV_ENOTSUP;
    return uv_translate_sys_error(errno);
#else
    (void)socket;
    (void)part;
    return UV_ENOTSUP;
#endif
}

/* Or is it the file that failed? */
static bool is_of_connection(int code) {
    return code == UV_ECONNRESET || code == UV_ETIMEDOUT ||
           code == UV_ECONNABORTED || code == UV_EHOSTUNREACH ||
           code == UV_ENETUNREACH;
}

static int fail(uva__socket_t *socket, int code) {
    return is_of_connection(code) ? uva__socket_failed(socket, code) : code;
}

static int send_by_kernel(uva__task_t *task, uva__socket_t *socket,
                          part_t *part, size_t *written) {
    int code = 0;
    while (code == 0 && part->bytes > 0) {
        if (socket->stream.closing)
            return UV_ECANCELED;
        ssize_t sent = send_once(socket, part);
        if (sent == 0)
            return 0;
        if (sent > 0)
            advance(part, (size_t)sent, written);
        else if (sent == UV_EAGAIN)
            code = uva__socket_wait_for_room(task, socket);
        else if (sent != UV_EINTR)
            code = fail(socket, (int)sent);
        /* A fast peer must not keep the other tasks away. */
        if (sent > 0 && part->bytes > 0)
            code = uva__spend(task);
    }
    return code;
}

/* ---- by hand ------------------------------------------------------------ */

static int write_piece(uva__task_t *task, uva_stream_t *stream, char *piece,
                       size_t bytes, size_t *written) {
    uv_buf_t buffer = {.base = piece, .len = bytes};
    uva__rest_t rest = {.buffers = &buffer, .count = 1};
    if (stream->closing)
        return UV_ECANCELED;
    /* It may have failed while the file was read. */
    if (stream->write_end != 0)
        return stream->write_end;
    return stream->kind->write(task, stream, &rest, written);
}

static int send_by_hand(uva__task_t *task, uva_stream_t *stream, part_t *part,
                        size_t *written) {
    int code = 0;
    char *piece = malloc(PIECE_BYTES);
    if (piece == NULL)
        return UV_ENOMEM;
    while (code == 0 && part->bytes > 0) {
        size_t most = part->bytes < PIECE_BYTES ? part->bytes : PIECE_BYTES;
        ssize_t got = uva_fs_read(part->fd, piece, most, part->offset);
        if (got <= 0) {
            code = (int)got;
            break;
        }
        size_t before = *written;
        code = write_piece(task, stream, piece, (size_t)got, written);
        part->offset += (int64_t)(*written - before);
        part->bytes -= *written - before;
    }
    free(piece);
    return code;
}

/* ---- the call ----------------------------------------------------------- */

static int send_part(uva__task_t *task, uva_stream_t *stream, part_t *part,
                     size_t *written) {
    uva__socket_t *socket = uva__socket_behind(stream);
    int code = UV_ENOTSUP;
    if (socket != NULL) {
        code = send_by_kernel(task, socket, part, written);
        uva__socket_stop_waiting(socket);
    }
    return code == UV_ENOTSUP ? send_by_hand(task, stream, part, written)
                              : code;
}

ssize_t uva_sendfile(uva_stream_t *stream, int fd, int64_t offset,
                     size_t bytes) {
    uva__task_t *task;
    int code = uva__write_begin(stream, "uva_sendfile", &task);
    if (code < 0)
        return code;
    size_t written = 0;
    size_t room = offset >= 0 ? (size_t)(INT64_MAX - offset) : 0;
    part_t part = {
        .fd = fd, .offset = offset, .bytes = bytes < room ? bytes : room};
    code = offset >= 0 ? send_part(task, stream, &part, &written) : UV_EINVAL;
    return uva__write_end(stream, code, written);
}
