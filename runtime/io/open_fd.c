/*
 * What: a stream for any descriptor that can be one.
 */
#include "open_fd.h"

#include <errno.h>
#include <fcntl.h>

#include "open.h"
#include "socket.h"
#include "tty.h"
#include "uvawait/open_fd.h"

/* libuv has no word for what is not open. */
int uva__guess_handle(int fd, uv_handle_type *ret_type) {
    if (fcntl(fd, F_GETFL) < 0)
        return uv_translate_sys_error(errno);
    *ret_type = uv_guess_handle(fd);
    return 0;
}

int uva__open_fd(uva_runtime_t *rt, int fd, const char *site,
                 uva_stream_t **ret_stream) {
    uv_handle_type type = UV_UNKNOWN_HANDLE;
    int code = uva__guess_handle(fd, &type);
    if (code < 0)
        return code;
    switch (type) {
    case UV_TCP:
        return uva__socket_try_adopt(rt, UVA__TCP, fd, site, ret_stream);
    case UV_NAMED_PIPE:
        return uva__socket_try_adopt(rt, UVA__PIPE, fd, site, ret_stream);
    case UV_TTY:
        return uva__tty_adopt(rt, fd, site, ret_stream);
    default:
        return UV_ENOTSUP;
    }
}

int uva_stream_open_fd_at(const char *site, int fd, uva_stream_t **ret_stream) {
    int code;
    uva_runtime_t *rt = uva__open_runtime("uva_stream_open_fd", &code);
    if (rt == NULL)
        return code;
    if (ret_stream == NULL)
        return UV_EINVAL;
    return uva__open_fd(rt, fd, site, ret_stream);
}

int(uva_stream_open_fd)(int fd, uva_stream_t **ret_stream) {
    return uva_stream_open_fd_at(NULL, fd, ret_stream);
}
