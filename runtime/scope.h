/*
 * Scopes inside: the only path of cancellation.
 *
 * A task's open scopes form a chain from the innermost (task->scope) to its
 * root (task->root, the task's own cancel). A cancellation is visible from the
 * innermost scope up to and including the first shield. task->is_cut caches
 * "something visible is cancelled": it is what every park looks at.
 */
#ifndef UVA__SCOPE_H
#define UVA__SCOPE_H

#include "task.h"
#include "uvawait/scope.h"

/* Cancels an open scope with UV_ECANCELED or UV_ETIMEDOUT, and cuts the park
 * that its task is in, if it reaches it. Returns a future that the request is
 * to be passed on to, or NULL. For cancel hooks. */
uva_future_t *uva__scope_cut(uva_scope_t *scope, int code);

/* The same from wherever else it was decided, and passes the request on. */
void uva__scope_cancel(uva_scope_t *scope, int code);

/* Takes the cancellation of a scope back. */
void uva__scope_mend(uva_scope_t *scope);

/* Makes a prepared scope (shield and code set, the rest cleared) the innermost
 * one of a task, and takes it out again. */
void uva__scope_enter(uva_scope_t *scope, uva__task_t *task);
void uva__scope_leave(uva_scope_t *scope, uva__task_t *task);

/* The same for a scope that is not open, shields nothing, and is not cancelled
 * when it is entered: the root of a coroutine that runs in place. */
static inline void uva__scope_enter_plain(uva_scope_t *scope,
                                          uva__task_t *task) {
    scope->task = &task->future;
    scope->parent = task->scope;
    task->scope = scope;
}
static inline void uva__scope_leave_plain(uva_scope_t *scope,
                                          uva__task_t *task) {
    if (UVA__UNLIKELY(scope->code != 0))
        uva__scope_leave(scope, task);
    else
        task->scope = scope->parent;
}

/* Aborts with advice unless the scope is the innermost one of the task. */
void uva__scope_check_innermost(const uva_scope_t *scope,
                                const uva__task_t *task);

/* Notes in the scopes that a park of the task was refused or cut. */
void uva__scope_note_cut(uva__task_t *task);

/* Whether something further out that is visible from the scope is cancelled. */
bool uva__scope_is_cut_from_outside(const uva_scope_t *scope);

/* A task's outermost scope. */
static inline void uva__scope_init_root(uva_scope_t *root, uva__task_t *task) {
    *root = (uva_scope_t){.task = &task->future, .open = true, .is_root = true};
}

#endif
