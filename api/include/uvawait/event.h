/**
 * Events: a flag that tasks wait for. A plain struct, no allocation, nothing to
 * destroy. Setting it lets all pass that wait, oldest first, also when it is
 * cleared again before they run; while it is set, nobody has to wait.
 */
#ifndef UVAWAIT_EVENT_H
#define UVAWAIT_EVENT_H

#include "base.h"

UVA_BEGIN_DECLS

/* The fields are private. */
typedef struct uva_event {
    bool is_set;
    uva_waiters_t waiters;
} uva_event_t;

/* clang-format off */
#define UVA_EVENT_INIT { false, UVA_WAITERS_INIT }
/* clang-format on */

/**
 * Makes an event that is not set.
 *
 * Context:  anywhere
 * Parks:    never
 * Cancel:   –
 * Returns:  –
 * Owns:     event is the caller's; it must stay while tasks use it
 * Since:    0.1
 */
UVA_API void uva_event_init(uva_event_t *event);

/**
 * Waits until the event is set.
 *
 * Context:  task
 * Parks:    while it is not set
 * Cancel:   UV_ECANCELED; the place among the waiters is given up
 * Returns:  0, UV_ECANCELED, UV_EPERM outside a task
 * Owns:     event borrowed until return
 * Since:    0.1
 */
UVA_API UVA_PARKS int uva_event_wait(uva_event_t *event);

/**
 * Sets the event; all who wait pass, oldest first. Setting it again does
 * nothing.
 *
 * Context:  the thread of the runtime; also inside libuv callbacks. From
 *           another thread than the waiters' it is reported and does nothing:
 *           use uva_post()
 * Parks:    never
 * Cancel:   –
 * Returns:  –
 * Owns:     event borrowed
 * Since:    0.1
 */
UVA_API void uva_event_set(uva_event_t *event);

/**
 * Takes the setting back; later waits block again. Who has passed has passed.
 *
 * Context:  the thread of the runtime; also inside libuv callbacks
 * Parks:    never
 * Cancel:   –
 * Returns:  –
 * Owns:     event borrowed
 * Since:    0.1
 */
UVA_API void uva_event_clear(uva_event_t *event);

/**
 * Whether it is set.
 *
 * Context:  the thread of the runtime
 * Parks:    never
 * Cancel:   –
 * Returns:  true or false
 * Owns:     event borrowed
 * Since:    0.1
 */
UVA_API bool uva_event_is_set(const uva_event_t *event);

/**
 * Says what uva_dump() calls it: "parked in event 'ready' (3 waiters ahead)".
 *
 * Context:  anywhere
 * Parks:    never
 * Cancel:   –
 * Returns:  –
 * Owns:     event borrowed; name too, for as long as the event is used; NULL
 *           takes it away
 * Since:    0.1
 */
UVA_API void uva_event_set_name(uva_event_t *event, const char *name);

/* A look at an event; it changes with the next call. */
typedef struct uva_event_statistics {
    const char *name; /* as given, or NULL */
    bool is_set;
    size_t waiting; /* tasks parked in uva_event_wait() */
} uva_event_statistics_t;

/**
 * Tells how an event stands. Takes a step for each task that waits.
 *
 * Context:  the thread of the runtime
 * Parks:    never
 * Cancel:   –
 * Returns:  –
 * Owns:     event borrowed; the name in *ret_statistics as well
 * Since:    0.1
 */
UVA_API void uva_event_statistics(const uva_event_t *event,
                                  uva_event_statistics_t *ret_statistics);

UVA_END_DECLS

#endif
