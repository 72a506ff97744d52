/*
 * Requests to the file system, inside: how one is begun, awaited and cleaned.
 *
 *     uva__fs_t fs;
 *     int code = uva__fs_begin(&fs, "uva_fs_unlink", path != NULL);
 *     if (code == 0)
 *         code = uv_fs_unlink(fs.loop, &fs.request, path, uva__fs_done);
 *     ssize_t result = uva__fs_wait(&fs, code);
 *     ... fs.request has what the operation brought ...
 *     uva__fs_end(&fs);
 */
#ifndef UVA__IO_FS_H
#define UVA__IO_FS_H

#include "../park.h"

typedef struct uva__fs {
    uva__waiter_t waiter;
    uva__task_t *task;
    uv_loop_t *loop;
    bool is_taken;  /* libuv has, or had, the request */
    bool was_asked; /* uv_cancel() was tried */
    uv_req_t *job;  /* what uv_cancel() is tried with */
    uv_fs_t request;
} uva__fs_t;

/* Whether the running task may make a request: 0, UV_EPERM (reported),
 * UV_EINVAL unless is_valid, UV_ECANCELED. */
int uva__fs_begin(uva__fs_t *fs, const char *call, bool is_valid);

/* Parks until the request, for which libuv gave `code`, is over; its result. */
ssize_t uva__fs_wait(uva__fs_t *fs, int code);

/* Frees what the request holds; a second time it does nothing. */
void uva__fs_end(uva__fs_t *fs);

/* The callback of every request. */
void uva__fs_done(uv_fs_t *request);

#endif
