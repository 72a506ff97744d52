/*
 * What is behind a descriptor.
 */
#ifndef UVA__IO_OPEN_FD_H
#define UVA__IO_OPEN_FD_H

#include "../runtime.h"
#include "uvawait/stream.h"

/* 0, or UV_EBADF for what is not open. */
int uva__guess_handle(int fd, uv_handle_type *ret_type);

/* A stream for whatever it is; on failure fd is still the caller's. */
int uva__open_fd(uva_runtime_t *rt, int fd, const char *site,
                 uva_stream_t **ret_stream);

#endif
