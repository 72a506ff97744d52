/**
 * Events that any thread, and any signal handler, can set, and tasks of one
 * runtime wait for. Setting wakes everybody who waits; until it is cleared,
 * waiting returns at once.
 *
 *     static uva_thread_event_t reload;
 *
 *     static void on_sighup(int signum) {
 *         (void)uva_thread_event_set(&reload);
 *     }
 *
 *     while (uva_thread_event_wait(&reload) == 0) {
 *         uva_thread_event_clear(&reload);
 *         read_the_configuration();
 *     }
 *
 * Lifetimes. An event keeps the memory, not the life, of its runtime until it
 * is closed; one that is never closed leaks that much. It has to be closed
 * before its memory goes. Setting is safe at any moment, also before
 * uva_thread_event_init() on an event that is all zero, while it is being
 * closed, after that, and after the end of the runtime: it wakes nobody then,
 * and says UV_ESHUTDOWN. Only the memory of the event itself must be there.
 * So: static memory for signal handlers; for threads, join them before a frame
 * that holds the event returns.
 */
#ifndef UVAWAIT_THREAD_EVENT_H
#define UVAWAIT_THREAD_EVENT_H

#include "base.h"

UVA_BEGIN_DECLS

/* The fields are private. */
typedef struct uva_thread_event {
    uva_ping_t ping;
    UVA_ATOMIC(bool) is_set;
    uva_waiters_t waiters; /* the loop's */
} uva_thread_event_t;

/**
 * Makes an event of the runtime of this thread; it is not set.
 *
 * Context:  the thread of the runtime
 * Parks:    never
 * Cancel:   –
 * Returns:  0; UV_EPERM without a runtime (reported); UV_ESHUTDOWN when it has
 *           ended
 * Owns:     event is the caller's, to be closed with uva_thread_event_close()
 *           before its memory goes
 * Since:    0.1
 */
UVA_API int uva_thread_event_init(uva_thread_event_t *event);

/**
 * Closes the event; tasks that wait for it get UV_ECANCELED, unless it had been
 * set. It stays closed, and whether it was set can still be seen. All zero, and
 * a second time, are fine.
 *
 * Context:  the thread of the runtime; any thread after its end. From elsewhere
 *           it is reported, and does nothing
 * Parks:    never (it waits some instructions long for who is just setting it)
 * Cancel:   –
 * Returns:  –
 * Owns:     the struct may go once nobody can set it any more and no task is
 *           about to make a call on it
 * Since:    0.1
 */
UVA_API void uva_thread_event_close(uva_thread_event_t *event);

/**
 * Sets the event: all tasks that wait for it go on. What was written before is
 * seen by them.
 *
 * In a signal handler this is safe: it uses atomics without a lock, and
 * uv_async_send(), which libuv's manual declares async-signal-safe (so from the
 * first libuv that this library builds with). It allocates nothing and keeps
 * errno.
 *
 * Context:  any thread; any signal handler
 * Parks:    never
 * Cancel:   –
 * Returns:  0; UV_ESHUTDOWN when the event is not open, or its runtime has
 *           ended
 * Owns:     event borrowed
 * Since:    0.1
 */
UVA_API int uva_thread_event_set(uva_thread_event_t *event);

/**
 * Lowers the flag. Who waited when it was set goes on all the same. Clear it
 * before looking at what it stands for, not after: what is set in between is
 * then met by the next wait.
 *
 * Context:  the thread of the runtime. From elsewhere it is reported, and does
 *           nothing
 * Parks:    never
 * Cancel:   –
 * Returns:  –
 * Owns:     event borrowed
 * Since:    0.1
 */
UVA_API void uva_thread_event_clear(uva_thread_event_t *event);

/**
 * Whether it is set.
 *
 * Context:  any thread; any signal handler
 * Parks:    never
 * Cancel:   –
 * Returns:  true from a set until the next clear
 * Owns:     event borrowed
 * Since:    0.1
 */
UVA_API bool uva_thread_event_is_set(const uva_thread_event_t *event);

/**
 * Waits until the event is set.
 *
 * Context:  task of the event's runtime
 * Parks:    while it is not set. Something outside may end the wait, so it is
 *           never taken for a deadlock
 * Cancel:   UV_ECANCELED
 * Returns:  0; UV_ECANCELED, also when it is closed meanwhile; UV_ESHUTDOWN
 *           when it is not open and not set; UV_EPERM outside a task or in
 *           another runtime (reported)
 * Owns:     event borrowed until return
 * Since:    0.1
 */
UVA_API UVA_PARKS int uva_thread_event_wait(uva_thread_event_t *event);

/**
 * Says what uva_dump() calls it: "parked in thread event 'reload'".
 *
 * Context:  the thread of the runtime
 * Parks:    never
 * Cancel:   –
 * Returns:  –
 * Owns:     event borrowed; name too, for as long as the event is used; NULL
 *           takes it away
 * Since:    0.1
 */
UVA_API void uva_thread_event_set_name(uva_thread_event_t *event,
                                       const char *name);

/* A look at an event; it changes with the next call, and by other threads. */
typedef struct uva_thread_event_statistics {
    const char *name; /* as given, or NULL */
    bool is_set;
    size_t waiting; /* tasks parked in uva_thread_event_wait() */
} uva_thread_event_statistics_t;

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
UVA_API void
uva_thread_event_statistics(const uva_thread_event_t *event,
                            uva_thread_event_statistics_t *ret_statistics);

UVA_END_DECLS

#endif
