/**
 * Scopes: deadlines, cancellation and shielding of a block of code.
 *
 *     uva_scope_t scope;
 *     uva_scope_open(&scope, 250, 0);
 *     ... anything that waits ...
 *     if (uva_scope_close(&scope) == UV_ETIMEDOUT)
 *         ... it was cut short ...
 *
 * All cancellation goes through scopes: a task's own cancel is its outermost
 * one. Scopes nest, and must be closed in the reverse order of opening, by the
 * task that opened them; anything else aborts with advice.
 */
#ifndef UVAWAIT_SCOPE_H
#define UVAWAIT_SCOPE_H

#include "base.h"

UVA_BEGIN_DECLS

/* A moment at which something is called; an element of the runtime's deadline
 * heap. Private; public only for its size. */
typedef struct uva_deadline {
    struct uva_deadline *child;
    struct uva_deadline *next;
    struct uva_deadline *prev;
    uint64_t at_ns;
    uint64_t order; /* 0 while not armed */
    void (*expire)(struct uva_deadline *deadline);
} uva_deadline_t;

/* clang-format off */
#define UVA_DEADLINE_INIT { NULL, NULL, NULL, 0, 0, NULL }
/* clang-format on */

/* Cancellations from further out do not reach into the block. */
#define UVA_SCOPE_SHIELD 1u

/* The fields are private. The struct must stay where it is while open. */
typedef struct uva_scope {
    struct uva_scope *parent;
    uva_task_t *task;
    uva_deadline_t deadline;
    /* Called when a cancellation reaches the scope; a group's children. */
    void (*reached)(struct uva_scope *scope);
    int code; /* 0, or how it was cancelled */
    bool shield;
    bool cut; /* a park inside it was refused or cut */
    bool open;
    bool is_root; /* a task's or coroutine's own */
} uva_scope_t;

/**
 * Opens a block that timeout_ms from now is cut short. UVA_FOREVER is no
 * deadline; with 0 the first park inside fails.
 *
 * Context:  task; elsewhere it is reported and has no effect
 * Parks:    never
 * Cancel:   –
 * Returns:  –
 * Owns:     scope borrowed until closed
 * Since:    0.1
 */
UVA_API void uva_scope_open(uva_scope_t *scope, uint64_t timeout_ms,
                            unsigned flags);

/**
 * Closes the innermost scope.
 *
 * Context:  the task that opened it
 * Parks:    never
 * Cancel:   of several cancelled scopes the outermost absorbs; an outside
 *           cancel beats a deadline
 * Returns:  0 when nothing was cut short (also when the deadline has passed);
 *           UV_ETIMEDOUT if its deadline cut the block short; UV_ECANCELED if
 *           uva_scope_cancel() or something further out did; UV_EPERM for one
 *           that was opened outside a task, or is closed already (reported)
 * Owns:     scope is the caller's again
 * Since:    0.1
 */
UVA_API int uva_scope_close(uva_scope_t *scope);

/**
 * Cancels the block: every park inside it fails until it is left.
 *
 * Context:  the thread of the runtime; inside the block or outside
 * Parks:    never
 * Cancel:   –
 * Returns:  –
 * Owns:     scope borrowed; one that is not open, or has been cancelled, is
 *           left alone
 * Since:    0.1
 */
UVA_API void uva_scope_cancel(uva_scope_t *scope);

/**
 * Moves the deadline to timeout_ms from now.
 *
 * Context:  the thread of the runtime
 * Parks:    never
 * Cancel:   –
 * Returns:  0; UV_EPERM when not open or cut already
 * Owns:     scope borrowed
 * Since:    0.1
 */
UVA_API int uva_scope_reschedule(uva_scope_t *scope, uint64_t timeout_ms);

/**
 * Switches the block's shield on or off, at once: behind one that is switched
 * on parks work again, and one that is switched off lets a cancellation from
 * further out in, also into a park that is under way.
 *
 * Context:  the thread of the runtime; inside the block or outside
 * Parks:    never
 * Cancel:   –
 * Returns:  0; UV_EPERM when not open
 * Owns:     scope borrowed
 * Since:    0.1
 */
UVA_API int uva_scope_shield(uva_scope_t *scope, bool on);

/**
 * Whether uva_scope_cancel() or its deadline has cancelled the block. That says
 * nothing about further out, nor whether anything was cut short: the close
 * tells that.
 *
 * Context:  the thread of the runtime; also after the close
 * Parks:    never
 * Cancel:   –
 * Returns:  true or false
 * Owns:     scope borrowed
 * Since:    0.1
 */
UVA_API bool uva_scope_is_cancelled(const uva_scope_t *scope);

/**
 * When what the running task does now will be cut short at the latest: the
 * earliest deadline of its scopes, from the innermost up to the first shield.
 *
 * Context:  task
 * Parks:    never
 * Cancel:   –
 * Returns:  a moment on the clock of uva_now_ms(), rounded down, which may have
 *           passed; 0 when the next park fails already; UVA_FOREVER without a
 *           deadline, and outside a task
 * Owns:     –
 * Since:    0.1
 */
UVA_API uint64_t uva_scope_deadline_ms(void);

UVA_END_DECLS

#endif
