/**
 * Whole files: read, written and replaced by one call, which is one job in
 * libuv's thread pool.
 *
 * Cancelled while the job is queued: UV_ECANCELED, without effect. Cancelled
 * while it runs: the call waits for it and returns its own code, and the
 * request is met at the next park.
 */
#ifndef UVAWAIT_WHOLE_FILE_H
#define UVAWAIT_WHOLE_FILE_H

#include "base.h"

UVA_BEGIN_DECLS

/**
 * Reads a file to its end, whatever its length says.
 *
 * Context:  task
 * Parks:    always
 * Cancel:   UV_ECANCELED without effect, or the job's own code
 * Returns:  0; UV_ENOENT, UV_EACCES, UV_EISDIR, UV_EIO, UV_EMFILE ...;
 *           UV_ECANCELED; UV_ENOMEM; UV_EINVAL for NULL; UV_EPERM outside a
 *           task (reported)
 * Owns:     path borrowed until return; *ret_data is new: free(). A zero stands
 *           behind its *ret_bytes bytes; ret_bytes may be NULL
 * Since:    0.1
 */
UVA_API UVA_PARKS int uva_read_file(const char *path, char **ret_data,
                                    size_t *ret_bytes);

/**
 * The same for files of at most limit_bytes.
 *
 * Context:  task
 * Parks:    always
 * Cancel:   as uva_read_file()
 * Returns:  0; UV_EFBIG for a longer one; as uva_read_file()
 * Owns:     as uva_read_file()
 * Since:    0.1
 */
UVA_API UVA_PARKS int uva_read_file_limited(const char *path,
                                            size_t limit_bytes, char **ret_data,
                                            size_t *ret_bytes);

/**
 * Writes a file: makes it, with mode 0666 less the umask, or empties it first.
 * When it fails on the way, the file has some of the bytes:
 * uva_replace_file() leaves the old ones.
 *
 * Context:  task
 * Parks:    always
 * Cancel:   as uva_read_file()
 * Returns:  0; UV_ENOSPC, UV_EACCES, UV_ENOENT, UV_EISDIR, UV_EIO ...;
 *           UV_ECANCELED; UV_ENOMEM; UV_EINVAL for NULL; UV_EPERM outside a
 *           task (reported)
 * Owns:     path and data borrowed until return
 * Since:    0.1
 */
UVA_API UVA_PARKS int uva_write_file(const char *path, const void *data,
                                     size_t bytes);

/**
 * Gives a file new contents at once: who opens it finds the old bytes or the
 * new ones, also after a crash of the machine. They are written to a temporary
 * file beside it (".uvawait-" and a number), which is handed to the device and
 * then renamed; whatever fails removes it. Where path leads by symbolic links
 * is what is replaced; one that leads nowhere is replaced itself. The file
 * keeps its mode, and its owner and group where the process may give files
 * away; a new one has mode 0666 less the umask.
 *
 * Context:  task
 * Parks:    always
 * Cancel:   as uva_read_file()
 * Returns:  0; UV_EINVAL also for what is no regular file, as a device; as
 *           uva_write_file(). After a code the old contents are in place, but
 *           for UV_EIO from handing over the directory: then the new ones are,
 *           and may not survive a crash
 * Owns:     path and data borrowed until return
 * Since:    0.1
 */
UVA_API UVA_PARKS int uva_replace_file(const char *path, const void *data,
                                       size_t bytes);

UVA_END_DECLS

#endif
