/**
 * Files: every operation of libuv's uv_fs_*, awaited. Directories that are
 * read entry by entry are in dir.h, whole files in whole_file.h.
 *
 * Each of these calls is a job in libuv's thread pool, and returns when that
 * job is over. Cancelled while the job is still queued: UV_ECANCELED, without
 * effect. Cancelled while it runs: the call waits for it and returns the
 * operation's own code, and the request is met at the next park. So an
 * operation either took effect or returned an error, never both. What a call
 * was given is borrowed until it returns.
 *
 * An open file is a uv_file, the system's descriptor: it may be given to
 * libuv and to the system's own calls. The library does not report one that
 * is never closed.
 */
#ifndef UVAWAIT_FS_H
#define UVAWAIT_FS_H

#include "base.h"

#include <sys/types.h>

UVA_BEGIN_DECLS

/* ---- opening and closing ------------------------------------------------- */

/**
 * Opens a file; flags and mode as of open(2). The descriptor is closed on
 * exec.
 *
 * Context:  task
 * Parks:    always
 * Cancel:   UV_ECANCELED without effect, or the operation's own code
 * Returns:  the descriptor; UV_ENOENT, UV_EACCES, UV_EMFILE ... what the
 *           system gives; UV_ECANCELED; UV_EINVAL for NULL; UV_ENOMEM;
 *           UV_EPERM outside a task (reported)
 * Owns:     path borrowed until return; the descriptor is new: uva_fs_close()
 * Since:    0.1
 */
UVA_API UVA_PARKS int uva_fs_open(const char *path, int flags, int mode);

/**
 * Closes a file. This always happens, also in a task that is cancelled
 * already, so that cleanup can rely on it.
 *
 * Context:  task
 * Parks:    always
 * Cancel:   never cut
 * Returns:  0; UV_EBADF; UV_EIO ... for what could not be written: the
 *           descriptor is gone nevertheless; UV_EPERM outside a task
 *           (reported)
 * Owns:     takes fd
 * Since:    0.1
 */
UVA_API UVA_PARKS int uva_fs_close(uv_file fd);

/* ---- bytes --------------------------------------------------------------- */

/**
 * Reads at most `bytes`. position is where in the file, 64 bits everywhere;
 * negative is the file's own position, which then moves on.
 *
 * Context:  task
 * Parks:    always
 * Cancel:   as uva_fs_open()
 * Returns:  the number of bytes, which may be smaller; 0 at the end; UV_EBADF,
 *           UV_EIO, UV_EISDIR ...; as uva_fs_open()
 * Owns:     buffer borrowed until return
 * Since:    0.1
 */
UVA_API UVA_PARKS ssize_t uva_fs_read(uv_file fd, void *buffer, size_t bytes,
                                      int64_t position);

/**
 * Reads into several buffers, one after the other, as uva_fs_read().
 *
 * Context:  task
 * Parks:    always
 * Cancel:   as uva_fs_open()
 * Returns:  the number of bytes; 0 at the end; UV_EINVAL for none; as
 *           uva_fs_read(); as uva_fs_open()
 * Owns:     the array and the buffers borrowed until return
 * Since:    0.1
 */
UVA_API UVA_PARKS ssize_t uva_fs_readv(uv_file fd, const uv_buf_t buffers[],
                                       unsigned count, int64_t position);

/**
 * Writes data, and goes on after a short write. position is where in the file,
 * 64 bits everywhere; negative is the file's own position, which then moves
 * on.
 *
 * Context:  task
 * Parks:    always
 * Cancel:   as uva_fs_open()
 * Returns:  the number of bytes: all of them, or fewer when it failed after
 *           some; writing the rest then says why. UV_ENOSPC, UV_EFBIG,
 *           UV_EBADF, UV_EIO ... when it failed at once; UV_EAGAIN for a pipe
 *           or socket that is non-blocking and full, UV_EPIPE (no SIGPIPE) for
 *           one whose peer is gone; as uva_fs_open()
 * Owns:     data borrowed until return
 * Since:    0.1
 */
UVA_API UVA_PARKS ssize_t uva_fs_write(uv_file fd, const void *data,
                                       size_t bytes, int64_t position);

/**
 * Writes several buffers, one after the other, as uva_fs_write().
 *
 * Context:  task
 * Parks:    always
 * Cancel:   as uva_fs_open()
 * Returns:  the number of bytes; UV_EINVAL for no buffer; as uva_fs_write();
 *           as uva_fs_open()
 * Owns:     the array and the buffers borrowed until return
 * Since:    0.1
 */
UVA_API UVA_PARKS ssize_t uva_fs_writev(uv_file fd, const uv_buf_t buffers[],
                                        unsigned count, int64_t position);

/**
 * Copies from one open file to another, from in_position on, without a buffer
 * of the program's where the system can. out_fd is written at its own
 * position.
 *
 * Context:  task
 * Parks:    always
 * Cancel:   as uva_fs_open()
 * Returns:  the number of bytes, which may be smaller; 0 at the end; UV_EAGAIN
 *           for a socket that is non-blocking and full; UV_ENOSPC, UV_EBADF
 *           ...; as uva_fs_open()
 * Owns:     –
 * Since:    0.1
 */
UVA_API UVA_PARKS ssize_t uva_fs_sendfile(uv_file out_fd, uv_file in_fd,
                                          int64_t in_position, size_t bytes);

/**
 * Hands what was written to the device, with all that is known of the file.
 *
 * Context:  task
 * Parks:    always
 * Cancel:   as uva_fs_open()
 * Returns:  0; UV_EIO, UV_ENOSPC, UV_EBADF; UV_EINVAL for what cannot; as
 *           uva_fs_open()
 * Owns:     –
 * Since:    0.1
 */
UVA_API UVA_PARKS int uva_fs_fsync(uv_file fd);

/**
 * The same without what reading the bytes does not need, as times.
 *
 * Context:  task
 * Parks:    always
 * Cancel:   as uva_fs_open()
 * Returns:  0; as uva_fs_fsync(); as uva_fs_open()
 * Owns:     –
 * Since:    0.1
 */
UVA_API UVA_PARKS int uva_fs_fdatasync(uv_file fd);

/**
 * Cuts a file to `bytes`, or makes it so long with zeros.
 *
 * Context:  task
 * Parks:    always
 * Cancel:   as uva_fs_open()
 * Returns:  0; UV_EINVAL, UV_EFBIG, UV_EBADF ...; as uva_fs_open()
 * Owns:     –
 * Since:    0.1
 */
UVA_API UVA_PARKS int uva_fs_ftruncate(uv_file fd, int64_t bytes);

/* ---- what is there ------------------------------------------------------- */

/**
 * What is known of a file; of a symbolic link, of where it leads.
 *
 * Context:  task
 * Parks:    always
 * Cancel:   as uva_fs_open()
 * Returns:  0; UV_ENOENT, UV_EACCES, UV_ENOTDIR ...; as uva_fs_open()
 * Owns:     path borrowed until return
 * Since:    0.1
 */
UVA_API UVA_PARKS int uva_fs_stat(const char *path, uv_stat_t *ret_result);

/**
 * The same of a symbolic link itself.
 *
 * Context:  task
 * Parks:    always
 * Cancel:   as uva_fs_open()
 * Returns:  0; as uva_fs_stat(); as uva_fs_open()
 * Owns:     path borrowed until return
 * Since:    0.1
 */
UVA_API UVA_PARKS int uva_fs_lstat(const char *path, uv_stat_t *ret_result);

/**
 * The same of an open file.
 *
 * Context:  task
 * Parks:    always
 * Cancel:   as uva_fs_open()
 * Returns:  0; UV_EBADF; as uva_fs_open()
 * Owns:     –
 * Since:    0.1
 */
UVA_API UVA_PARKS int uva_fs_fstat(uv_file fd, uv_stat_t *ret_result);

/**
 * What is known of the file system that path is on.
 *
 * Context:  task
 * Parks:    always
 * Cancel:   as uva_fs_open()
 * Returns:  0; as uva_fs_stat(); as uva_fs_open()
 * Owns:     path borrowed until return
 * Since:    0.1
 */
UVA_API UVA_PARKS int uva_fs_statfs(const char *path, uv_statfs_t *ret_result);

/**
 * Whether the process may do to a file what mode says: F_OK, R_OK, W_OK, X_OK.
 *
 * Context:  task
 * Parks:    always
 * Cancel:   as uva_fs_open()
 * Returns:  0; UV_EACCES, UV_ENOENT, UV_EROFS ...; as uva_fs_open()
 * Owns:     path borrowed until return
 * Since:    0.1
 */
UVA_API UVA_PARKS int uva_fs_access(const char *path, int mode);

/**
 * Where a symbolic link points to.
 *
 * Context:  task
 * Parks:    always
 * Cancel:   as uva_fs_open()
 * Returns:  0; UV_EINVAL also for what is no link; UV_ENOENT ...; as
 *           uva_fs_open()
 * Owns:     path borrowed until return; *ret_path is new: free()
 * Since:    0.1
 */
UVA_API UVA_PARKS int uva_fs_readlink(const char *path, char **ret_path);

/**
 * The absolute path without links, dots and double slashes.
 *
 * Context:  task
 * Parks:    always
 * Cancel:   as uva_fs_open()
 * Returns:  0; UV_ENOENT, UV_ELOOP, UV_EACCES ...; as uva_fs_open()
 * Owns:     path borrowed until return; *ret_path is new: free()
 * Since:    0.1
 */
UVA_API UVA_PARKS int uva_fs_realpath(const char *path, char **ret_path);

/**
 * All entries of a directory but "." and "..", sorted by name. For one that
 * may be large there is uva_dir_open().
 *
 * Context:  task
 * Parks:    always
 * Cancel:   as uva_fs_open()
 * Returns:  how many; UV_ENOENT, UV_ENOTDIR, UV_EACCES ...; as uva_fs_open()
 * Owns:     path borrowed until return; *ret_entries with all names is one new
 *           block, also when there are none: free()
 * Since:    0.1
 */
UVA_API UVA_PARKS ssize_t uva_fs_scandir(const char *path,
                                         uv_dirent_t **ret_entries);

/* ---- making, moving, removing -------------------------------------------- */

/**
 * Makes a directory.
 *
 * Context:  task
 * Parks:    always
 * Cancel:   as uva_fs_open()
 * Returns:  0; UV_EEXIST, UV_ENOENT, UV_EACCES ...; as uva_fs_open()
 * Owns:     path borrowed until return
 * Since:    0.1
 */
UVA_API UVA_PARKS int uva_fs_mkdir(const char *path, int mode);

/**
 * Makes a directory with a name that nothing has yet. The pattern ends in six
 * times the capital X, which are replaced; it is left alone on failure.
 *
 * Context:  task
 * Parks:    always
 * Cancel:   as uva_fs_open()
 * Returns:  0; UV_EINVAL for another pattern; UV_ENOENT, UV_EACCES ...; as
 *           uva_fs_open()
 * Owns:     pattern borrowed until return, and written to
 * Since:    0.1
 */
UVA_API UVA_PARKS int uva_fs_mkdtemp(char *pattern);

/**
 * Makes and opens a file, mode 0600, with a name that nothing has yet; the
 * pattern as of uva_fs_mkdtemp().
 *
 * Context:  task
 * Parks:    always
 * Cancel:   as uva_fs_open()
 * Returns:  the descriptor; as uva_fs_mkdtemp(); as uva_fs_open()
 * Owns:     pattern borrowed until return, and written to; the descriptor is
 *           new: uva_fs_close()
 * Since:    0.1
 */
UVA_API UVA_PARKS int uva_fs_mkstemp(char *pattern);

/**
 * Removes an empty directory.
 *
 * Context:  task
 * Parks:    always
 * Cancel:   as uva_fs_open()
 * Returns:  0; UV_ENOTEMPTY, UV_ENOTDIR, UV_ENOENT ...; as uva_fs_open()
 * Owns:     path borrowed until return
 * Since:    0.1
 */
UVA_API UVA_PARKS int uva_fs_rmdir(const char *path);

/**
 * Removes a file, or a symbolic link.
 *
 * Context:  task
 * Parks:    always
 * Cancel:   as uva_fs_open()
 * Returns:  0; UV_ENOENT, UV_EISDIR or UV_EPERM for a directory ...; as
 *           uva_fs_open()
 * Owns:     path borrowed until return
 * Since:    0.1
 */
UVA_API UVA_PARKS int uva_fs_unlink(const char *path);

/**
 * Renames, at once: what new_path was is replaced, and exists until then.
 *
 * Context:  task
 * Parks:    always
 * Cancel:   as uva_fs_open()
 * Returns:  0; UV_ENOENT, UV_EXDEV, UV_EISDIR, UV_ENOTEMPTY ...; as
 *           uva_fs_open()
 * Owns:     path and new_path borrowed until return
 * Since:    0.1
 */
UVA_API UVA_PARKS int uva_fs_rename(const char *path, const char *new_path);

/**
 * Gives a file a second name.
 *
 * Context:  task
 * Parks:    always
 * Cancel:   as uva_fs_open()
 * Returns:  0; UV_EEXIST, UV_EXDEV, UV_EPERM, UV_EMLINK ...; as uva_fs_open()
 * Owns:     path and new_path borrowed until return
 * Since:    0.1
 */
UVA_API UVA_PARKS int uva_fs_link(const char *path, const char *new_path);

/**
 * Makes new_path a symbolic link with the text path. flags are for Windows
 * (UV_FS_SYMLINK_DIR ...), else 0.
 *
 * Context:  task
 * Parks:    always
 * Cancel:   as uva_fs_open()
 * Returns:  0; UV_EEXIST, UV_ENOENT ...; as uva_fs_open()
 * Owns:     path and new_path borrowed until return
 * Since:    0.1
 */
UVA_API UVA_PARKS int uva_fs_symlink(const char *path, const char *new_path,
                                     int flags);

/**
 * Copies a file, with its mode. flags are UV_FS_COPYFILE_EXCL, _FICLONE,
 * _FICLONE_FORCE. A copy that failed is removed.
 *
 * Context:  task
 * Parks:    always
 * Cancel:   as uva_fs_open()
 * Returns:  0; UV_EEXIST with _EXCL; UV_ENOSPC, UV_ENOENT, UV_ENOTSUP ...; as
 *           uva_fs_open()
 * Owns:     path and new_path borrowed until return
 * Since:    0.1
 */
UVA_API UVA_PARKS int uva_fs_copyfile(const char *path, const char *new_path,
                                      int flags);

/* ---- modes, owners, times ------------------------------------------------ */

/**
 * Sets a file's mode; a symbolic link is followed.
 *
 * Context:  task
 * Parks:    always
 * Cancel:   as uva_fs_open()
 * Returns:  0; UV_EPERM, UV_ENOENT ...; as uva_fs_open()
 * Owns:     path borrowed until return
 * Since:    0.1
 */
UVA_API UVA_PARKS int uva_fs_chmod(const char *path, int mode);

/**
 * The same for an open file.
 *
 * Context:  task
 * Parks:    always
 * Cancel:   as uva_fs_open()
 * Returns:  0; UV_EPERM, UV_EBADF; as uva_fs_open()
 * Owns:     –
 * Since:    0.1
 */
UVA_API UVA_PARKS int uva_fs_fchmod(uv_file fd, int mode);

/**
 * Sets owner and group; (uv_uid_t)-1 leaves one as it is. A symbolic link is
 * followed.
 *
 * Context:  task
 * Parks:    always
 * Cancel:   as uva_fs_open()
 * Returns:  0; UV_EPERM, UV_ENOENT ...; as uva_fs_open()
 * Owns:     path borrowed until return
 * Since:    0.1
 */
UVA_API UVA_PARKS int uva_fs_chown(const char *path, uv_uid_t uid,
                                   uv_gid_t gid);

/**
 * The same for an open file.
 *
 * Context:  task
 * Parks:    always
 * Cancel:   as uva_fs_open()
 * Returns:  0; UV_EPERM, UV_EBADF; as uva_fs_open()
 * Owns:     –
 * Since:    0.1
 */
UVA_API UVA_PARKS int uva_fs_fchown(uv_file fd, uv_uid_t uid, uv_gid_t gid);

/**
 * The same for a symbolic link itself.
 *
 * Context:  task
 * Parks:    always
 * Cancel:   as uva_fs_open()
 * Returns:  0; UV_EPERM, UV_ENOENT ...; as uva_fs_open()
 * Owns:     path borrowed until return
 * Since:    0.1
 */
UVA_API UVA_PARKS int uva_fs_lchown(const char *path, uv_uid_t uid,
                                    uv_gid_t gid);

/**
 * Sets when a file was last read and last changed, in seconds since 1970. A
 * symbolic link is followed.
 *
 * Context:  task
 * Parks:    always
 * Cancel:   as uva_fs_open()
 * Returns:  0; UV_EPERM, UV_ENOENT ...; as uva_fs_open()
 * Owns:     path borrowed until return
 * Since:    0.1
 */
UVA_API UVA_PARKS int uva_fs_utime(const char *path, double atime,
                                   double mtime);

/**
 * The same for an open file.
 *
 * Context:  task
 * Parks:    always
 * Cancel:   as uva_fs_open()
 * Returns:  0; UV_EPERM, UV_EBADF; as uva_fs_open()
 * Owns:     –
 * Since:    0.1
 */
UVA_API UVA_PARKS int uva_fs_futime(uv_file fd, double atime, double mtime);

/**
 * The same for a symbolic link itself.
 *
 * Context:  task
 * Parks:    always
 * Cancel:   as uva_fs_open()
 * Returns:  0; UV_EPERM, UV_ENOENT ...; as uva_fs_open()
 * Owns:     path borrowed until return
 * Since:    0.1
 */
UVA_API UVA_PARKS int uva_fs_lutime(const char *path, double atime,
                                    double mtime);

UVA_END_DECLS

#endif
