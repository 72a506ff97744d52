/**
 * Descriptors: waiting until one is ready, so that any C library which has
 * file descriptors can be awaited.
 */
#ifndef UVAWAIT_POLL_H
#define UVAWAIT_POLL_H

#include "base.h"

UVA_BEGIN_DECLS

/**
 * Waits until fd is ready for one of uv_events, which are UV_READABLE,
 * UV_WRITABLE, UV_DISCONNECT and UV_PRIORITIZED, or'ed. What cannot wait, as a
 * regular file, is ready at once. An error, or a peer that is gone, makes it
 * ready for reading, writing and disconnecting: the next read or write tells
 * what it is.
 *
 * One task may wait for reading and another one for writing, also beside
 * watchers of libuv's on the same descriptor. It stays open, and its flags are
 * as they were; it may be blocking. One that is closed during the wait is
 * really closed when the wait is over, and wakes nobody: cancel the task.
 *
 * Context:  task
 * Parks:    unless it is ready; with timeout_ms 0 never
 * Cancel:   UV_ECANCELED; nothing was read or written
 * Returns:  what it is ready for, of uv_events; UV_ETIMEDOUT; UV_ECANCELED;
 *           UV_EBUSY when another task waits for the same event of the same
 *           descriptor; UV_EBADF for one that is not open; UV_EPERM for what
 *           cannot be waited for, and outside a task (reported); UV_EINVAL for
 *           no event or another one; UV_ENOMEM, UV_EMFILE (a wait takes a
 *           descriptor)
 * Owns:     fd borrowed until return
 * Since:    0.1
 */
UVA_API UVA_PARKS int uva_poll_fd(int fd, int uv_events, uint64_t timeout_ms);

UVA_END_DECLS

#endif
