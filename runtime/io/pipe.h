/*
 * Local sockets.
 */
#ifndef UVA__IO_PIPE_H
#define UVA__IO_PIPE_H

/* 0; UV_EINVAL for none; UV_ENAMETOOLONG for more than the kernel takes. */
int uva__check_path(const char *path);

#endif
