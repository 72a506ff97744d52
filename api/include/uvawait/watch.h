/**
 * Watch channels: the latest value of something, and waiting until it changes:
 * a configuration, a progress, a state. Whoever is slow sees the newest value
 * and not those in between.
 *
 * Each value has a version, counted from 1. A receiver is a cursor: a uint64_t
 * of its own that says which version it has seen, 0 at first. A task that waits
 * gets the value that ends its wait the moment it is sent; a newer one that is
 * sent before the task runs is there for the next call.
 *
 * A watch owns the memory of its value: uva_watch_free() it.
 */
#ifndef UVAWAIT_WATCH_H
#define UVAWAIT_WATCH_H

#include "base.h"

UVA_BEGIN_DECLS

/* The fields are private. */
typedef struct uva_watch {
    void *value; /* NULL: freed */
    size_t value_bytes;
    uint64_t version; /* 0: there is no value yet */
    bool is_closed;
    uva_waiters_t waiters; /* each has seen this version */
} uva_watch_t;

/**
 * Makes a watch of value_bytes. A copy of *first, if given, is version 1; with
 * NULL there is no value yet.
 *
 * Context:  anywhere
 * Parks:    never
 * Cancel:   –
 * Returns:  0; UV_ENOMEM; UV_EINVAL for 0 bytes. After a failure it is as one
 *           that was freed
 * Owns:     watch is the caller's, to be freed with uva_watch_free(); it must
 *           stay while tasks use it
 * Since:    0.1
 */
UVA_API int uva_watch_init(uva_watch_t *watch, size_t value_bytes,
                           const void *first);

/**
 * Closes the watch and frees its memory. Tasks parked in it get UV_EOF, and do
 * not look at it again. NULL is fine, and so is a second time. Later calls find
 * a watch that is closed and has no value.
 *
 * Context:  the thread of the runtime; also inside libuv callbacks. From
 *           another thread than the waiters' it is reported, and does nothing
 * Parks:    never
 * Cancel:   –
 * Returns:  –
 * Owns:     the struct may go once no task is about to make a call on it
 * Since:    0.1
 */
UVA_API void uva_watch_free(uva_watch_t *watch);

/**
 * Sets the value to a copy of *value and wakes all who wait for a change. An
 * equal value is a new version, too.
 *
 * Context:  the thread of the runtime; also inside libuv callbacks
 * Parks:    never
 * Cancel:   –
 * Returns:  0, UV_EPIPE (closed), UV_EINVAL (NULL), UV_EPERM from another
 *           thread than the waiters' (reported; nothing is changed)
 * Owns:     watch and value borrowed
 * Since:    0.1
 */
UVA_API int uva_watch_send(uva_watch_t *watch, const void *value);

/**
 * Says that the value is the last: sends get UV_EPIPE from now on. A cursor
 * that has not seen the value still gets it, and then UV_EOF.
 *
 * Context:  the thread of the runtime; also inside libuv callbacks. From
 *           another thread than the waiters' it is reported, and does nothing
 * Parks:    never
 * Cancel:   –
 * Returns:  –
 * Owns:     watch borrowed
 * Since:    0.1
 */
UVA_API void uva_watch_close(uva_watch_t *watch);

/**
 * Waits until the version is another than *cursor, copies the value to
 * *ret_value, and sets *cursor to its version. A cursor that begins as 0 gets
 * the value that is there; one that begins as uva_watch_version() waits for the
 * next.
 *
 * Context:  task
 * Parks:    while the version is *cursor
 * Cancel:   UV_ECANCELED; the cursor stays where it was
 * Returns:  0, UV_ECANCELED, UV_EOF (closed, and the value was seen), UV_EINVAL
 *           (NULL), UV_EPERM outside a task; *cursor and *ret_value are
 *           untouched then
 * Owns:     watch, cursor and ret_value borrowed until return
 * Since:    0.1
 */
UVA_API UVA_PARKS int uva_watch_next(uva_watch_t *watch, uint64_t *cursor,
                                     void *ret_value);

/**
 * The same if the version is another than *cursor already.
 *
 * Context:  the thread of the runtime; also inside libuv callbacks
 * Parks:    never
 * Cancel:   –
 * Returns:  as uva_watch_next(); UV_EAGAIN when it would have to wait
 * Owns:     watch, cursor and ret_value borrowed
 * Since:    0.1
 */
UVA_API int uva_watch_try_next(uva_watch_t *watch, uint64_t *cursor,
                               void *ret_value);

/**
 * Copies the latest value to *ret_value, also from a watch that is closed.
 *
 * Context:  the thread of the runtime
 * Parks:    never
 * Cancel:   –
 * Returns:  0, UV_EAGAIN (there is no value), UV_EINVAL (NULL); *ret_value is
 *           untouched then
 * Owns:     watch and ret_value borrowed
 * Since:    0.1
 */
UVA_API int uva_watch_get(const uva_watch_t *watch, void *ret_value);

/**
 * The latest value, where it lies.
 *
 * Context:  the thread of the runtime
 * Parks:    never
 * Cancel:   –
 * Returns:  the value, or NULL when there is none
 * Owns:     the result is borrowed until the next send or free: use it before
 *           the next call that may park
 * Since:    0.1
 */
UVA_API const void *uva_watch_peek(const uva_watch_t *watch);

/**
 * The version of the latest value.
 *
 * Context:  the thread of the runtime
 * Parks:    never
 * Cancel:   –
 * Returns:  the version; 0 when there has been no value yet
 * Owns:     watch borrowed
 * Since:    0.1
 */
UVA_API uint64_t uva_watch_version(const uva_watch_t *watch);

/**
 * Says what uva_dump() calls it: "parked in watch next 'config'".
 *
 * Context:  anywhere
 * Parks:    never
 * Cancel:   –
 * Returns:  –
 * Owns:     watch borrowed; name too, for as long as the watch is used; NULL
 *           takes it away
 * Since:    0.1
 */
UVA_API void uva_watch_set_name(uva_watch_t *watch, const char *name);

/* A look at a watch; it changes with the next call. */
typedef struct uva_watch_statistics {
    const char *name; /* as given, or NULL */
    uint64_t version; /* 0: no value yet */
    size_t waiting;   /* tasks parked in uva_watch_next() */
    bool is_closed;
} uva_watch_statistics_t;

/**
 * Tells how a watch stands. Takes a step for each task that waits.
 *
 * Context:  the thread of the runtime
 * Parks:    never
 * Cancel:   –
 * Returns:  –
 * Owns:     watch borrowed; the name in *ret_statistics as well
 * Since:    0.1
 */
UVA_API void uva_watch_statistics(const uva_watch_t *watch,
                                  uva_watch_statistics_t *ret_statistics);

UVA_END_DECLS

#endif
