/**
 * Sending a file over a stream.
 *
 * To a socket the kernel copies it itself, sendfile(2); other streams get it in
 * pieces through memory. What of the file is not in the kernel's cache is read
 * in the loop's thread, which waits for the disk: serve files that are large
 * and seldom asked for by uva_fs_read() and uva_write().
 */
#ifndef UVAWAIT_SENDFILE_H
#define UVAWAIT_SENDFILE_H

#include "stream.h"

UVA_BEGIN_DECLS

/**
 * Writes `bytes` of a file from `offset` on to a stream; SIZE_MAX is all to its
 * end. The descriptor's own position is neither used nor moved.
 *
 * Context:  task
 * Parks:    while the stream takes no more
 * Cancel:   as uva_write()
 * Returns:  the number of bytes, which is smaller when the file ends before
 *           (it may shrink meanwhile: who has promised a length compares);
 *           UV_EBADF, UV_EISDIR, UV_EIO ... of the file, UV_ESPIPE for what is
 *           none; UV_EINVAL for a negative offset; as uva_write()
 * Owns:     stream and fd borrowed until return
 * Since:    0.1
 */
UVA_API UVA_PARKS ssize_t uva_sendfile(uva_stream_t *stream, int fd,
                                       int64_t offset, size_t bytes);

UVA_END_DECLS

#endif
