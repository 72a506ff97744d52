/*
 * What: task groups.
 *
 * How: a group is a scope that knows its children. Whatever cancels the scope,
 * or anything further out that is visible from it, reaches them through the
 * scope's hook; a failure or uva_group_cancel() is nothing but a cancellation
 * of the group's own scope. Each child that runs has a record in the group,
 * which goes when the child does, so a group that lives long does not grow.
 */
#include "runtime/seam.h"
#include "uvawait/group.h"

typedef struct member {
    uva_link_t link; /* in group->members */
    uva__watcher_t watcher;
    uva_group_t *group;
    uva_future_t *task; /* held */
} member_t;

static const uva_group_t closed_group = {.refuses = true};

/* Cancels the children; the scope's hook. */
static void reach_children(uva_scope_t *scope) {
    uva_group_t *group = UVA__OF(scope, uva_group_t, scope);
    uva_link_t *next;
    for (uva_link_t *link = group->members.first; link != NULL; link = next) {
        next = link->next;
        (void)uva__cancel(UVA__OF(link, member_t, link)->task,
                          uva__task_of(scope->task)->reason);
    }
}

/* Ends the group from inside: no more children, those that run are cancelled,
 * and so is the body. */
static void cut_group(uva_group_t *group) {
    if (group->refuses)
        return;
    group->refuses = true;
    uva__pass_on(uva__scope_cut(&group->scope, UV_ECANCELED), NULL);
}

static void note_failure(uva_group_t *group, int code) {
    if (group->error_count < UVA_GROUP_ERRORS)
        group->errors[group->error_count] = code;
    group->error_count++;
    cut_group(group);
}

/* What the end of a child means for its group. */
static void note_end(uva_group_t *group, uva_future_t *task) {
    task->seen = true;
    if (task->code == UV_ECANCELED)
        group->cut_short =
            group->cut_short || uva__scope_is_cut_from_outside(&group->scope);
    else if (task->code < 0)
        note_failure(group, task->code);
}

/* A child has ended, inside its completion. */
static void fire(uva__watcher_t *watcher, uva_future_t *task) {
    member_t *member = UVA__OF(watcher, member_t, watcher);
    uva_group_t *group = member->group;
    uva__list_remove(&group->members, &member->link);
    uva__give(&task->runtime->pools, member, sizeof *member);
    note_end(group, task);
    uva_unref(task);
    if (!uva__list_is_empty(&group->members) || group->waiter == NULL)
        return;
    uva__waiter_t *waiter = group->waiter;
    group->waiter = NULL;
    uva__wake(waiter, 0);
}

void uva_group_open(uva_group_t *group) {
    *group = closed_group;
    uva__task_t *task = uva__running("uva_group_open");
    if (task == NULL)
        return;
    group->refuses = false;
    group->scope.reached = reach_children;
    uva__scope_enter(&group->scope, task);
}

/* Takes a running child into the group. */
static void adopt(uva_group_t *group, member_t *member, uva_future_t *task) {
    *member =
        (member_t){.watcher.fire = fire, .group = group, .task = uva_ref(task)};
    uva__list_push(&group->members, &member->link);
    uva__watch(task, &member->watcher);
    /* Born into a block that is being cut short. */
    if (group->refuses || group->scope.code != 0 ||
        uva__scope_is_cut_from_outside(&group->scope))
        (void)uva__cancel(task, NULL);
}

/* site_fn: which argument of the call names fn. */
static int spawn(const char *site, uint8_t site_fn, uva_group_t *group,
                 const uva_task_options_t *options, uva_fn fn, void *arg,
                 uva_task_t **ret_task) {
    if (group == NULL || fn == NULL)
        return UV_EINVAL;
    if (group->refuses || !uva__is_ours(group->scope.task, "uva_group_spawn"))
        return UV_EPERM;
    uva_runtime_t *rt = group->scope.task->runtime;
    member_t *member = uva__take(&rt->pools, sizeof *member);
    if (member == NULL)
        return UV_ENOMEM;
    uva_task_t *task = uva_spawn_with_at(site, options, fn, arg);
    if (task == NULL) {
        uva__give(&rt->pools, member, sizeof *member);
        return UV_ENOMEM;
    }
    task->site_fn = site_fn;
    if (!uva__is_done(task)) {
        adopt(group, member, task);
    } else { /* it was eager, and is over */
        uva__give(&rt->pools, member, sizeof *member);
        note_end(group, task);
    }
    if (ret_task != NULL)
        *ret_task = task;
    else
        uva_unref(task);
    return 0;
}

int uva_group_spawn_at(const char *site, uva_group_t *group, uva_fn fn,
                       void *arg) {
    return spawn(site, 2, group, NULL, fn, arg, NULL);
}

int uva_group_spawn_with_at(const char *site, uva_group_t *group,
                            const uva_task_options_t *options, uva_fn fn,
                            void *arg, uva_task_t **ret_task) {
    return spawn(site, 3, group, options, fn, arg, ret_task);
}

int(uva_group_spawn)(uva_group_t *group, uva_fn fn, void *arg) {
    return uva_group_spawn_at(NULL, group, fn, arg);
}

int(uva_group_spawn_with)(uva_group_t *group, const uva_task_options_t *options,
                          uva_fn fn, void *arg, uva_task_t **ret_task) {
    return uva_group_spawn_with_at(NULL, group, options, fn, arg, ret_task);
}

int uva_group_fail(uva_group_t *group, int code) {
    if (code >= 0)
        return UV_EINVAL;
    if (group->scope.open)
        note_failure(group, code);
    return code;
}

int uva_group_cancel(uva_group_t *group) {
    if (!group->scope.open)
        return 0;
    if (!uva__is_ours(group->scope.task, "uva_group_cancel"))
        return UV_EPERM;
    cut_group(group);
    return 0;
}

/* The children are cancelled through the scope; the wait goes on. */
static uva_future_t *wait_on(uva__waiter_t *waiter) {
    (void)waiter;
    return NULL;
}

static const uva__wait_t close_wait = {.reason = "group close",
                                       .cancel = wait_on};

int uva_group_close(uva_group_t *group) {
    uva__task_t *task = uva__running("uva_group_close");
    if (task == NULL || group->scope.task == NULL)
        return UV_EPERM;
    if (!uva__list_is_empty(&group->members)) {
        uva__waiter_t waiter = {.wait = &close_wait};
        group->waiter = &waiter;
        (void)uva__park(task, &waiter);
    }
    group->refuses = true;
    uva__scope_leave(&group->scope, task);
    if (group->error_count > 0)
        return group->errors[0];
    bool was_cut = group->scope.cut || group->cut_short;
    return was_cut && uva__scope_is_cut_from_outside(&group->scope)
               ? UV_ECANCELED
               : 0;
}

size_t uva_group_errors(const uva_group_t *group, int ret_codes[],
                        size_t capacity) {
    size_t kept = group->error_count < UVA_GROUP_ERRORS ? group->error_count
                                                        : UVA_GROUP_ERRORS;
    for (size_t i = 0; i < kept && i < capacity; i++)
        ret_codes[i] = group->errors[i];
    return group->error_count;
}
