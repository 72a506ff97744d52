/*
 * What: the scopes of scope.h: open, close, cancel, and what a park must know.
 *
 * How: the chain of a task's scopes is walked when one is cancelled, taken
 * back, or closed, never when a task parks: a park looks at task->is_cut. Each
 * scope remembers whether a park inside it was cut, which is what tells
 * "cancelled" from "cut short" when it is closed.
 *
 * If you change this: uva__scope_cut is the only place where a cancellation
 * reaches a parked task, and lifting a shield the only other way for one that
 * was kept out; both hand it in by hand_in(). Keep it so.
 */
#include "scope.h"

#include "report.h"

enum { LOOKED_AT = 16 };

/* The next scope outwards whose cancellation reaches into this one. */
static uva_scope_t *visible_parent(const uva_scope_t *scope) {
    return scope->shield ? NULL : scope->parent;
}

/* The outermost cancelled scope visible from `scope`, or NULL. */
static uva_scope_t *outermost_cut(uva_scope_t *scope) {
    uva_scope_t *found = NULL;
    for (; scope != NULL; scope = visible_parent(scope)) {
        if (scope->code != 0)
            found = scope;
    }
    return found;
}

static void refresh(uva__task_t *task) {
    task->is_cut = outermost_cut(task->scope) != NULL;
}

/* The innermost scope that a cancellation of `scope` reaches: the one outside
 * of the last shield. */
static uva_scope_t *innermost_reached(const uva__task_t *task,
                                      const uva_scope_t *scope) {
    uva_scope_t *from = task->scope;
    for (uva_scope_t *at = from; at != scope; at = at->parent) {
        if (at->shield)
            from = at->parent;
    }
    return from;
}

/* Tells the scopes from `from` out to `scope` that a cancellation of the latter
 * has reached them; not those in and inside of a cancelled one, which have been
 * told. */
static void tell_reached(uva_scope_t *from, uva_scope_t *scope) {
    uva_scope_t *at;
    for (at = from; at != scope; at = at->parent) {
        if (at->code != 0)
            from = at->parent;
    }
    for (at = from; at != scope->parent; at = at->parent) {
        if (at->reached != NULL)
            at->reached(at);
    }
}

bool uva__scope_is_cut_from_outside(const uva_scope_t *scope) {
    return outermost_cut(visible_parent(scope)) != NULL;
}

/* Hands a cancellation that now reaches into `scope` to what is inside: groups,
 * unless it was cut short before, and the park of its task. */
static uva_future_t *hand_in(uva__task_t *task, uva_scope_t *scope,
                             bool was_cut) {
    uva_scope_t *from = innermost_reached(task, scope);
    if (!was_cut)
        tell_reached(from, scope);
    if (from != task->scope || task->waiter == NULL)
        return NULL;
    return task->waiter->wait->cancel(task->waiter);
}

uva_future_t *uva__scope_cut(uva_scope_t *scope, int code) {
    bool was_cut = outermost_cut(scope) != NULL;
    /* A cancel outranks a deadline; nothing outranks a cancel. */
    if (scope->code != UV_ECANCELED)
        scope->code = code;
    uva__task_t *task = uva__task_of(scope->task);
    refresh(task);
    return hand_in(task, scope, was_cut);
}

void uva__scope_cancel(uva_scope_t *scope, int code) {
    uva__task_t *task = uva__task_of(scope->task);
    bool began = uva__request_begin(task->future.runtime);
    uva__pass_on(uva__scope_cut(scope, code), task->reason);
    uva__request_end(task->future.runtime, began);
}

void uva__scope_mend(uva_scope_t *scope) {
    scope->code = 0;
    refresh(uva__task_of(scope->task));
}

/* Opening a scope twice would tie the chain into a ring. The scope's own fields
 * cannot tell, since it comes uninitialised; so it is looked for among the
 * innermost ones, and no further, lest deep nesting cost its square. */
static void refuse_open_scope(const uva_scope_t *scope,
                              const uva__task_t *task) {
    const uva_scope_t *at = task->scope;
    for (int depth = 0; at != NULL && depth < LOOKED_AT; depth++) {
        if (at == scope)
            uva__abort("a scope is opened that is open already; close it on "
                       "every way out of its block before it is opened again");
        at = at->parent;
    }
}

/* Whether entering and leaving it changes what its task may do. In two loads:
 * as one expression it is a load of both at once, which has to wait until the
 * stores before it are through: 7 ns of the 16 of a scope without a clock. */
static inline bool matters(const uva_scope_t *scope) {
    int code = scope->code;
    bool shield = scope->shield;
    return code != 0 || shield;
}

static inline void enter(uva_scope_t *scope, uva__task_t *task) {
    refuse_open_scope(scope, task);
    scope->task = &task->future;
    scope->parent = task->scope;
    scope->open = true;
    task->scope = scope;
    if (matters(scope))
        refresh(task);
}

void uva__scope_enter(uva_scope_t *scope, uva__task_t *task) {
    enter(scope, task);
}

void uva__scope_check_innermost(const uva_scope_t *scope,
                                const uva__task_t *task) {
    if (UVA__UNLIKELY(task->scope != scope || scope->task != &task->future))
        uva__abort("a scope is closed that is not the innermost one of the "
                   "running task; close scopes in the reverse order of "
                   "opening, in the task that opened them, on every way out "
                   "of their blocks");
}

void uva__scope_leave(uva_scope_t *scope, uva__task_t *task) {
    uva__scope_check_innermost(scope, task);
    task->scope = scope->parent;
    scope->open = false;
    if (matters(scope))
        refresh(task);
}

void uva__scope_note_cut(uva__task_t *task) {
    uva_scope_t *last = outermost_cut(task->scope);
    if (last == NULL)
        return;
    for (uva_scope_t *scope = task->scope; scope != last; scope = scope->parent)
        scope->cut = true;
    last->cut = true;
}

static void expire(uva_deadline_t *deadline) {
    uva__scope_cancel(UVA__OF(deadline, uva_scope_t, deadline), UV_ETIMEDOUT);
}

static void arm(uva_runtime_t *rt, uva_scope_t *scope, uint64_t timeout_ms) {
    scope->deadline.expire = expire;
    if (timeout_ms != UVA_FOREVER)
        uva__deadlines_arm(&rt->deadlines, &scope->deadline,
                           uva__deadline_ns(rt, timeout_ms));
}

void uva_scope_open(uva_scope_t *scope, uint64_t timeout_ms, unsigned flags) {
    uva__task_t *task = uva__running("uva_scope_open");
    *scope = (uva_scope_t){.shield = (flags & UVA_SCOPE_SHIELD) != 0,
                           .code = timeout_ms == 0 ? UV_ETIMEDOUT : 0};
    if (task == NULL)
        return;
    enter(scope, task);
    if (timeout_ms != 0)
        arm(task->future.runtime, scope, timeout_ms);
}

/* What closing tells; the scope is not part of the chain any more. When
 * something further out has been cancelled since the block was cut short, the
 * cut is handed out to it, so that it knows what it has to answer for. */
static int verdict(const uva_scope_t *scope, uva__task_t *task) {
    if (!scope->cut)
        return 0;
    if (uva__scope_is_cut_from_outside(scope)) {
        uva__scope_note_cut(task);
        return UV_ECANCELED;
    }
    return scope->code != 0 ? scope->code : UV_ECANCELED;
}

int uva_scope_close(uva_scope_t *scope) {
    uva__task_t *task = uva__running("uva_scope_close");
    if (scope->task == NULL || task == NULL)
        return UV_EPERM;
    if (!scope->open && task->scope != scope)
        return uva__misuse("uva_scope_close",
                           "this scope is closed already; close each scope "
                           "once, on every way out of its block");
    uva__deadlines_disarm(&task->future.runtime->deadlines, &scope->deadline);
    uva__scope_leave(scope, task);
    return verdict(scope, task);
}

void uva_scope_cancel(uva_scope_t *scope) {
    if (!scope->open || !uva__is_ours(scope->task, "uva_scope_cancel") ||
        scope->code == UV_ECANCELED)
        return;
    uva_runtime_t *rt = scope->task->runtime;
    uva__deadlines_disarm(&rt->deadlines, &scope->deadline);
    uva__scope_cancel(scope, UV_ECANCELED);
}

int uva_scope_reschedule(uva_scope_t *scope, uint64_t timeout_ms) {
    if (!scope->open || scope->code != 0)
        return UV_EPERM;
    if (!uva__is_ours(scope->task, "uva_scope_reschedule"))
        return UV_EPERM;
    uva_runtime_t *rt = scope->task->runtime;
    uva__deadlines_disarm(&rt->deadlines, &scope->deadline);
    if (timeout_ms == 0)
        uva__scope_cancel(scope, UV_ETIMEDOUT);
    else
        arm(rt, scope, timeout_ms);
    return 0;
}

int uva_scope_shield(uva_scope_t *scope, bool on) {
    if (!scope->open || !uva__is_ours(scope->task, "uva_scope_shield"))
        return UV_EPERM;
    if (scope->shield == on)
        return 0;
    uva__task_t *task = uva__task_of(scope->task);
    scope->shield = on;
    refresh(task);
    if (on || !uva__scope_is_cut_from_outside(scope))
        return 0;
    bool began = uva__request_begin(task->future.runtime);
    uva__pass_on(hand_in(task, scope, scope->code != 0), task->reason);
    uva__request_end(task->future.runtime, began);
    return 0;
}

bool uva_scope_is_cancelled(const uva_scope_t *scope) {
    return scope->code != 0;
}

uint64_t uva_scope_deadline_ms(void) {
    const uva_runtime_t *rt = uva__thread_runtime;
    const uva_scope_t *scope =
        rt != NULL && rt->current != NULL ? rt->current->scope : NULL;
    uint64_t at_ns = UINT64_MAX;
    for (; scope != NULL; scope = visible_parent(scope)) {
        if (scope->code != 0)
            return 0;
        if (uva__deadline_is_armed(&scope->deadline) &&
            scope->deadline.at_ns < at_ns)
            at_ns = scope->deadline.at_ns;
    }
    return at_ns != UINT64_MAX ? at_ns / 1000000 : UVA_FOREVER;
}
