/**
 * Directories, entry by entry, however many there are:
 *
 *     uva_dir_t *dir;
 *     uv_dirent_t entry;
 *     int code = uva_dir_open("/etc", &dir);
 *     if (code < 0)
 *         return code;
 *     while ((code = uva_dir_next(dir, &entry)) > 0)
 *         puts(entry.name);
 *     uva_dir_close(dir);
 *
 * A directory that is still open when its runtime ends is reported, with the
 * place where it was opened, and closed.
 */
#ifndef UVAWAIT_DIR_H
#define UVAWAIT_DIR_H

#include "base.h"
#include "generator.h"

UVA_BEGIN_DECLS

typedef struct uva_dir uva_dir_t;

/**
 * Opens a directory.
 *
 * Context:  task
 * Parks:    always
 * Cancel:   as uva_fs_open(); a directory that was opened is returned
 * Returns:  0; UV_ENOENT, UV_ENOTDIR, UV_EACCES, UV_EMFILE ...; UV_ECANCELED;
 *           UV_EINVAL for NULL; UV_ENOMEM; UV_EPERM outside a task (reported)
 * Owns:     path borrowed until return; *ret_dir is new: uva_dir_close()
 * Since:    0.1
 */
UVA_API UVA_PARKS int uva_dir_open(const char *path, uva_dir_t **ret_dir);

/**
 * The next entry, in no order, without "." and "..". Entries are fetched
 * several at a time, so what is added or removed meanwhile may be seen or not.
 *
 * Context:  task
 * Parks:    when the entries that were fetched are used up
 * Cancel:   UV_ECANCELED while the fetching is queued; one that runs is waited
 *           for, and its entry is returned. No entry is lost: go on later
 * Returns:  1 for an entry; 0 at the end; UV_ECANCELED, also when the directory
 *           is closed meanwhile; UV_EBUSY when another task is in this call;
 *           UV_EIO ...; UV_ENOMEM; UV_EINVAL for NULL; UV_EPERM outside a task
 *           or in another thread (reported)
 * Owns:     dir borrowed until return; the entry's name is valid until the next
 *           call with dir
 * Since:    0.1
 */
UVA_API UVA_PARKS int uva_dir_next(uva_dir_t *dir, uv_dirent_t *ret_entry);

/**
 * Closes a directory. Who is in uva_dir_next() gets UV_ECANCELED when its job
 * is over.
 *
 * Context:  the thread of the runtime
 * Parks:    never
 * Cancel:   –
 * Returns:  –
 * Owns:     takes dir; NULL is fine
 * Since:    0.1
 */
UVA_API void uva_dir_close(uva_dir_t *dir);

/**
 * The entries of a directory as a generator: each item is a uv_dirent_t. The
 * directory is opened by the first uva_next(), which then returns why it cannot
 * be, and closed at the end, by a failure, or by uva_generator_close().
 *
 * Context:  the thread of a runtime
 * Parks:    never; uva_next() does as uva_dir_open() and uva_dir_next() do
 * Cancel:   uva_next(): as these
 * Returns:  as uva_generate()
 * Owns:     new: uva_generator_close(); path borrowed until then; the entry's
 *           name is valid until the next uva_next()
 * Since:    0.1
 */
UVA_API UVA_MUST_CHECK uva_generator_t *uva_dir_entries(const char *path);

/* The functions behind the macros below: site is UVA_SITE(...). */
UVA_API UVA_PARKS int uva_dir_open_at(const char *site, const char *path,
                                      uva_dir_t **ret_dir);
UVA_API UVA_MUST_CHECK uva_generator_t *uva_dir_entries_at(const char *site,
                                                           const char *path);

#define uva_dir_open(...) uva_dir_open_at(UVA_SITE(#__VA_ARGS__), __VA_ARGS__)
#define uva_dir_entries(...) \
    uva_dir_entries_at(UVA_SITE(#__VA_ARGS__), __VA_ARGS__)

UVA_END_DECLS

#endif
