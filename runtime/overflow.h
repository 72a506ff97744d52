/**
 * The report of a stack overflow: a handler for the signal that touching a
 * guard raises. Process-wide, so only for runtimes that were asked for it.
 */
#ifndef UVA__OVERFLOW_H
#define UVA__OVERFLOW_H

#include <stdbool.h>
#include <stddef.h>

/* What the report says. The texts must stay valid until the process is gone or
 * the handler has returned. */
typedef struct uva__overflow_info {
    const char *name; /* of the task; NULL: it has none */
    const char *file; /* where it was spawned; NULL: not known */
    int line;         /* with file */
    size_t bytes;     /* of its stack */
} uva__overflow_info_t;

/**
 * Whether a fault at `address` in the calling thread was an overflow of the
 * task that runs there; if so fills *ret_info. Called inside the signal
 * handler: must be async-signal-safe.
 */
typedef bool (*uva__overflow_describe_fn)(const void *address,
                                          uva__overflow_info_t *ret_info);

/**
 * Installs the handler, the first time; counts, later on. Any thread. All
 * callers give the same describe.
 *
 * Returns:  0, or what sigaction() refused with (UV_EINVAL ...)
 */
int uva__overflow_install(uva__overflow_describe_fn describe);

/**
 * Undoes one install. The last one puts the host's handler back, unless the
 * host has put another above ours since: then ours stays below it, and only
 * hands on.
 */
void uva__overflow_remove(void);

/**
 * Gives the calling thread an alternate signal stack, if it has none: a
 * handler cannot run on the stack that has overflowed. One that the host has
 * set up is used as it is.
 *
 * Returns:  0 and *ret_token for _leave() in the same thread (NULL when the
 *           host's is used); UV_ENOMEM; UV_EPERM on an alternate stack
 */
int uva__overflow_thread_enter(void **ret_token);

/** Undoes enter, in the same thread. Takes the token; NULL is fine. */
void uva__overflow_thread_leave(void *token);

#endif
