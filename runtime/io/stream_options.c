/*
 * What: names and options of the socket behind a stream.
 */
#include "uvawait/stream_options.h"

#include <errno.h>
#include <limits.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>
#include <sys/un.h>

#include "socket.h"

/* The socket that `call` is about; NULL: *ret_code says why. */
static uva__socket_t *enter(uva_stream_t *stream, const char *call,
                            int *ret_code) {
    *ret_code =
        stream != NULL ? uva__must_be_ours(stream->runtime, call) : UV_EINVAL;
    if (*ret_code < 0)
        return NULL;
    uva__socket_t *socket = uva__socket_behind(stream);
    if (socket == NULL)
        *ret_code = UV_ENOTSUP;
    return socket;
}

static uva__socket_t *enter_tcp(uva_stream_t *stream, const char *call,
                                int *ret_code) {
    uva__socket_t *socket = enter(stream, call, ret_code);
    if (socket == NULL || socket->handle.any.type == UV_TCP)
        return socket;
    *ret_code = UV_ENOTSUP;
    return NULL;
}

/* ---- names -------------------------------------------------------------- */

typedef int get_name_t(int fd, struct sockaddr *address, socklen_t *bytes);

static int name(uva_stream_t *stream, const char *call, get_name_t *get_name,
                struct sockaddr_storage *ret_name) {
    int code;
    socklen_t bytes = sizeof *ret_name;
    const uva__socket_t *socket = enter(stream, call, &code);
    if (socket == NULL)
        return code;
    if (ret_name == NULL)
        return UV_EINVAL;
    memset(ret_name, 0, sizeof *ret_name);
    if (get_name(socket->fd, (struct sockaddr *)ret_name, &bytes) < 0)
        return uv_translate_sys_error(errno);
    return 0;
}

int uva_stream_local_name(uva_stream_t *stream,
                          struct sockaddr_storage *ret_name) {
    return name(stream, "uva_stream_local_name", getsockname, ret_name);
}

int uva_stream_peer_name(uva_stream_t *stream,
                         struct sockaddr_storage *ret_name) {
    return name(stream, "uva_stream_peer_name", getpeername, ret_name);
}

static int write_ip4(const struct in_addr *address, in_port_t port,
                     char *buffer, size_t bytes) {
    char host[INET_ADDRSTRLEN];
    (void)uv_inet_ntop(AF_INET, address, host, sizeof host);
    return snprintf(buffer, bytes, "%s:%u", host, (unsigned)ntohs(port));
}

static int write_ip6(const struct sockaddr_in6 *name, char *buffer,
                     size_t bytes) {
    char host[INET6_ADDRSTRLEN];
    if (IN6_IS_ADDR_V4MAPPED(&name->sin6_addr)) {
        struct in_addr address;
        memcpy(&address, &name->sin6_addr.s6_addr[12], sizeof address);
        return write_ip4(&address, name->sin6_port, buffer, bytes);
    }
    (void)uv_inet_ntop(AF_INET6, &name->sin6_addr, host, sizeof host);
    return snprintf(buffer, bytes, "[%s]:%u", host,
                    (unsigned)ntohs(name->sin6_port));
}

/* sun_path need not end with a NUL; an abstract name begins with one. */
static int write_path(const struct sockaddr_un *name, char *buffer,
                      size_t bytes) {
    int most = (int)sizeof name->sun_path;
    if (name->sun_path[0] == '\0' && name->sun_path[1] != '\0')
        return snprintf(buffer, bytes, "@%.*s", most - 1, name->sun_path + 1);
    return snprintf(buffer, bytes, "%.*s", most, name->sun_path);
}

int uva_name_text(const struct sockaddr_storage *name, char *buffer,
                  size_t bytes) {
    int length;
    if (name == NULL || buffer == NULL)
        return UV_EINVAL;
    switch (name->ss_family) {
    case AF_INET: {
        const struct sockaddr_in *ip4 = (const struct sockaddr_in *)name;
        length = write_ip4(&ip4->sin_addr, ip4->sin_port, buffer, bytes);
        break;
    }
    case AF_INET6:
        length = write_ip6((const struct sockaddr_in6 *)name, buffer, bytes);
        break;
    case AF_UNIX:
        length = write_path((const struct sockaddr_un *)name, buffer, bytes);
        break;
    default:
        return UV_EAFNOSUPPORT;
    }
    return (size_t)length < bytes ? length : UV_ENOBUFS;
}

/* ---- options ------------------------------------------------------------ */

int uva_tcp_nodelay(uva_stream_t *stream, bool on) {
    int code;
    uva__socket_t *socket = enter_tcp(stream, "uva_tcp_nodelay", &code);
    return socket != NULL ? uv_tcp_nodelay(&socket->handle.tcp, on) : code;
}

int uva_tcp_keepalive(uva_stream_t *stream, bool on, unsigned seconds) {
    int code;
    uva__socket_t *socket = enter_tcp(stream, "uva_tcp_keepalive", &code);
    if (socket == NULL)
        return code;
    if (on && (seconds == 0 || seconds > INT_MAX))
        return UV_EINVAL;
    return uv_tcp_keepalive(&socket->handle.tcp, on, seconds);
}

/* `size` is uv_send_buffer_size() or its like: 0 asks. */
static int buffer_size(uva_stream_t *stream, const char *call,
                       int (*size)(uv_handle_t *handle, int *value),
                       int bytes) {
    int code;
    int value = 0;
    uva__socket_t *socket = enter(stream, call, &code);
    if (socket == NULL)
        return code;
    if (bytes < 0)
        return UV_EINVAL;
    code = bytes > 0 ? size(&socket->handle.any, &bytes) : 0;
    if (code == 0)
        code = size(&socket->handle.any, &value);
    return code < 0 ? code : value;
}

int uva_stream_send_buffer(uva_stream_t *stream, int bytes) {
    return buffer_size(stream, "uva_stream_send_buffer", uv_send_buffer_size,
                       bytes);
}

int uva_stream_receive_buffer(uva_stream_t *stream, int bytes) {
    return buffer_size(stream, "uva_stream_receive_buffer", uv_recv_buffer_size,
                       bytes);
}

int uva_stream_fileno(uva_stream_t *stream) {
    int code;
    const uva__socket_t *socket = enter(stream, "uva_stream_fileno", &code);
    return socket != NULL ? socket->fd : code;
}
