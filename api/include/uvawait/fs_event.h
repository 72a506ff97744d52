/**
 * Changes in the file system, awaited: as the system tells of them
 * (uva_fs_event_t), or found by looking again and again (uva_fs_poll_t), which
 * also works where the system does not tell, as on network file systems.
 *
 * What is still open when its runtime ends is reported, with the place where it
 * was opened, and closed.
 */
#ifndef UVAWAIT_FS_EVENT_H
#define UVAWAIT_FS_EVENT_H

#include "base.h"

UVA_BEGIN_DECLS

typedef struct uva_fs_event uva_fs_event_t;
typedef struct uva_fs_poll uva_fs_poll_t;

/* So many changes are kept while nobody asks for them. */
#define UVA_FS_EVENT_KEPT 1024

/* One change. */
typedef struct uva_fs_change {
    int events;       /* UV_RENAME (made, moved, removed), UV_CHANGE or both */
    const char *name; /* of what has changed, in the directory that is watched;
                         NULL: the system does not say */
} uva_fs_change_t;

/**
 * Watches a file, or what is in a directory, from now on. flags are libuv's
 * UV_FS_EVENT_RECURSIVE, where the system has that, or 0.
 *
 * Context:  task or host callback, in the thread of the runtime
 * Parks:    never
 * Cancel:   –
 * Returns:  0; UV_ENOENT, UV_EACCES ...; UV_ENOSPC, UV_EMFILE when the system
 *           watches too much already; UV_EINVAL for NULL; UV_ENOMEM; UV_EPERM
 *           without a runtime (reported); UV_ESHUTDOWN after its end
 * Owns:     path borrowed; *ret_event is new: uva_fs_event_close()
 * Since:    0.1
 */
UVA_API int uva_fs_event_open(const char *path, unsigned flags,
                              uva_fs_event_t **ret_event);

/**
 * The next change, in their order. The system may tell of one change by
 * several events, and of several by one.
 *
 * Context:  task
 * Parks:    unless one is kept
 * Cancel:   UV_ECANCELED; no change is lost
 * Returns:  0; UV_ENOBUFS once, in their place, when changes had to be dropped
 *           because UVA_FS_EVENT_KEPT were waiting or memory was short;
 *           UV_ECANCELED, also when it is closed meanwhile; UV_EBUSY when
 *           another task is in this call; UV_EINVAL for NULL; UV_EPERM outside
 *           a task or in another thread (reported)
 * Owns:     event borrowed until return; the change's name is valid until the
 *           next call with event
 * Since:    0.1
 */
UVA_API UVA_PARKS int uva_fs_event_next(uva_fs_event_t *event,
                                        uva_fs_change_t *ret_change);

/**
 * Watches no more. Who waits in uva_fs_event_next() gets UV_ECANCELED.
 *
 * Context:  the thread of the runtime
 * Parks:    never
 * Cancel:   –
 * Returns:  –
 * Owns:     takes event; NULL is fine
 * Since:    0.1
 */
UVA_API void uva_fs_event_close(uva_fs_event_t *event);

/**
 * Looks at a path every interval_ms, in the thread pool. What changes before
 * the first look, which is begun now, is not seen.
 *
 * Context:  task or host callback, in the thread of the runtime
 * Parks:    never
 * Cancel:   –
 * Returns:  0; UV_EINVAL for NULL or an interval of 0; UV_ENOMEM; UV_EPERM
 *           without a runtime (reported); UV_ESHUTDOWN after its end
 * Owns:     path borrowed; *ret_poll is new: uva_fs_poll_close()
 * Since:    0.1
 */
UVA_API int uva_fs_poll_open(const char *path, unsigned interval_ms,
                             uva_fs_poll_t **ret_poll);

/**
 * Waits until what is known of the path (uva_fs_stat()) has changed. Changes
 * that nobody waited for are one: from before the first to after the last.
 *
 * Context:  task
 * Parks:    unless it has changed
 * Cancel:   UV_ECANCELED; no change is lost
 * Returns:  0; UV_ENOENT, UV_EACCES ... when it can be looked at no more, once
 *           each time: looking goes on, and what comes back is a change, whose
 *           previous state is what was known last, or all zero; UV_ECANCELED,
 *           also when it is closed meanwhile; UV_EBUSY when another task is in
 *           this call; UV_EINVAL for NULL; UV_EPERM outside a task or in
 *           another thread (reported)
 * Owns:     poll borrowed until return; either result may be NULL
 * Since:    0.1
 */
UVA_API UVA_PARKS int uva_fs_poll_next(uva_fs_poll_t *poll,
                                       uv_stat_t *ret_previous,
                                       uv_stat_t *ret_current);

/**
 * Looks no more. Who waits in uva_fs_poll_next() gets UV_ECANCELED.
 *
 * Context:  the thread of the runtime
 * Parks:    never
 * Cancel:   –
 * Returns:  –
 * Owns:     takes poll; NULL is fine
 * Since:    0.1
 */
UVA_API void uva_fs_poll_close(uva_fs_poll_t *poll);

/* The functions behind the macros below: site is UVA_SITE(...). */
UVA_API int uva_fs_event_open_at(const char *site, const char *path,
                                 unsigned flags, uva_fs_event_t **ret_event);
UVA_API int uva_fs_poll_open_at(const char *site, const char *path,
                                unsigned interval_ms, uva_fs_poll_t **ret_poll);

#define uva_fs_event_open(...) \
    uva_fs_event_open_at(UVA_SITE(#__VA_ARGS__), __VA_ARGS__)
#define uva_fs_poll_open(...) \
    uva_fs_poll_open_at(UVA_SITE(#__VA_ARGS__), __VA_ARGS__)

UVA_END_DECLS

#endif
