/*
 * What: connecting to a local socket by its path.
 *
 * libuv cuts a path that is too long and goes on; so its length is looked at
 * here, and in listener.c.
 */
#include "pipe.h"

#include <string.h>
#include <sys/un.h>

#include "../task.h"
#include "connect.h"

int uva__check_path(const char *path) {
    if (path == NULL || *path == '\0')
        return UV_EINVAL;
    size_t room = sizeof((struct sockaddr_un *)NULL)->sun_path;
    return strlen(path) < room ? 0 : UV_ENAMETOOLONG;
}

int uva_pipe_connect_at(const char *site, const char *path,
                        uva_stream_t **ret_stream) {
    uva__task_t *task = uva__running("uva_pipe_connect");
    if (task == NULL)
        return UV_EPERM;
    int code = ret_stream != NULL ? uva__check_path(path) : UV_EINVAL;
    if (code < 0)
        return code;
    return uva__connect(task, site, path, NULL, ret_stream);
}

int(uva_pipe_connect)(const char *path, uva_stream_t **ret_stream) {
    return uva_pipe_connect_at(NULL, path, ret_stream);
}
