/**
 * Wait groups: waiting until so many things are done, whoever does them; Go's.
 * A plain struct, no allocation, nothing to destroy. It can be used again.
 *
 * For tasks that belong together a task group (group.h) is the better choice:
 * it hands on their failures and cancels them; a wait group only counts.
 */
#ifndef UVAWAIT_WAIT_GROUP_H
#define UVAWAIT_WAIT_GROUP_H

#include "base.h"

UVA_BEGIN_DECLS

/* The fields are private. */
typedef struct uva_wait_group {
    size_t count;
    uva_waiters_t waiters; /* only while the count is above 0 */
} uva_wait_group_t;

/* clang-format off */
#define UVA_WAIT_GROUP_INIT { 0, UVA_WAITERS_INIT }
/* clang-format on */

/**
 * Makes one that waits for nothing; the same as UVA_WAIT_GROUP_INIT.
 *
 * Context:  anywhere
 * Parks:    never
 * Cancel:   –
 * Returns:  –
 * Owns:     group is the caller's; it must stay while tasks use it
 * Since:    0.1
 */
UVA_API void uva_wait_group_init(uva_wait_group_t *group);

/**
 * So many more are to be done. To be called before the work begins, not by the
 * work itself: a wait that comes earlier would find nothing to wait for. While
 * somebody waits it makes the wait longer.
 *
 * Context:  the thread of the runtime; also inside libuv callbacks
 * Parks:    never
 * Cancel:   –
 * Returns:  0; UV_ERANGE if the count would overflow (nothing is changed)
 * Owns:     group borrowed
 * Since:    0.1
 */
UVA_API int uva_wait_group_add(uva_wait_group_t *group, size_t count);

/**
 * One is done. The last one wakes all who wait; they pass even if more is added
 * before they run.
 *
 * Context:  the thread of the runtime; also inside libuv callbacks
 * Parks:    never
 * Cancel:   –
 * Returns:  0; UV_ERANGE once too often (nothing is changed); UV_EPERM from
 *           another thread than the waiters' (reported)
 * Owns:     group borrowed
 * Since:    0.1
 */
UVA_API int uva_wait_group_done(uva_wait_group_t *group);

/**
 * Waits until all are done.
 *
 * Context:  task
 * Parks:    while there are some that are not
 * Cancel:   UV_ECANCELED
 * Returns:  0, UV_ECANCELED, UV_EPERM outside a task
 * Owns:     group borrowed until return
 * Since:    0.1
 */
UVA_API UVA_PARKS int uva_wait_group_wait(uva_wait_group_t *group);

/**
 * How many are not done.
 *
 * Context:  the thread of the runtime
 * Parks:    never
 * Cancel:   –
 * Returns:  the number
 * Owns:     group borrowed
 * Since:    0.1
 */
UVA_API size_t uva_wait_group_count(const uva_wait_group_t *group);

/**
 * Says what uva_dump() calls it: "parked in wait group 'downloads'".
 *
 * Context:  anywhere
 * Parks:    never
 * Cancel:   –
 * Returns:  –
 * Owns:     group borrowed; name too, for as long as the group is used; NULL
 *           takes it away
 * Since:    0.1
 */
UVA_API void uva_wait_group_set_name(uva_wait_group_t *group, const char *name);

/* A look at a wait group; it changes with the next call. */
typedef struct uva_wait_group_statistics {
    const char *name; /* as given, or NULL */
    size_t count;     /* that are not done */
    size_t waiting;   /* tasks parked in uva_wait_group_wait() */
} uva_wait_group_statistics_t;

/**
 * Tells how a wait group stands. Takes a step for each task that waits.
 *
 * Context:  the thread of the runtime
 * Parks:    never
 * Cancel:   –
 * Returns:  –
 * Owns:     group borrowed; the name in *ret_statistics as well
 * Since:    0.1
 */
UVA_API void
uva_wait_group_statistics(const uva_wait_group_t *group,
                          uva_wait_group_statistics_t *ret_statistics);

UVA_END_DECLS

#endif
