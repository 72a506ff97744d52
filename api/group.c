/*
 * What: task groups.
 *
 * How: a group is a scope that knows its children. Whatever cancels the scope,
 * or anything further out that is visible from it, reaches them through the
 * scope's hook; a failure or uva_group_cancel() is nothing but a cancellation
 * of the group's own scope. Each child that runs has a record in the group,
 * which goes when the child does, so a group that lives long does not grow.
 *
 * A child of uva_group_start() belongs to its starter until it reports, and to
 * the group from then on: its record is in the group all the time, so that
 * closing waits for it, but requests and failures go by who it belongs to.
 */
#include "runtime/seam.h"
#include "uvawait/group.h"

/* A wait in uva_group_start(), in the starter's frame. */
typedef struct start {
    uva__waiter_t waiter; /* waiter.on is the child */
    bool passed_on; /* the starter was asked to end, and so is the child */
    bool is_ready;  /* the child has reported */
    void *value;
} start_t;

typedef struct member {
    uva_link_t link; /* in group->members */
    uva__watcher_t watcher;
    uva_group_t *group;
    uva_future_t *task;   /* held */
    const start_t *start; /* NULL: spawned; &reported; else who waits for it */
} member_t;

static const uva_group_t closed_group = {.refuses = true};
static const start_t reported; /* only its address counts */

/* Whose starter still waits for it. */
static bool is_starting(const member_t *member) {
    return member->start != NULL && member->start != &reported;
}

/* Cancels the children; the scope's hook. */
static void reach_children(uva_scope_t *scope) {
    uva_group_t *group = UVA__OF(scope, uva_group_t, scope);
    uva_link_t *next;
    for (uva_link_t *link = group->members.first; link != NULL; link = next) {
        next = link->next;
        const member_t *member = UVA__OF(link, member_t, link);
        if (!is_starting(member))
            (void)uva__cancel(member->task, uva__task_of(scope->task)->reason);
    }
}

/* Ends the group from inside: no more children, those that run are cancelled,
 * and so is the body. */
static void cut_group(uva_group_t *group) {
    if (group->refuses)
        return;
    group->refuses = true;
    uva__scope_cancel(&group->scope, UV_ECANCELED);
}

static void note_failure(uva_group_t *group, int code, uva__text_t *message) {
    if (group->error_count == 0)
        group->message = uva__text_ref(message);
    if (group->error_count < UVA_GROUP_ERRORS)
        group->errors[group->error_count] = code;
    group->error_count++;
    cut_group(group);
}

/* What the end of a child means for its group. */
static void note_end(uva_group_t *group, uva_future_t *task) {
    task->seen = true;
    if (task->code >= 0)
        return;
    group->cut_short =
        group->cut_short || uva__scope_is_cut_from_outside(&group->scope);
    if (task->code != UV_ECANCELED)
        note_failure(group, task->code, task->message);
}

/* A child has ended, inside its completion. */
static void fire(uva__watcher_t *watcher, uva_future_t *task) {
    member_t *member = UVA__OF(watcher, member_t, watcher);
    uva_group_t *group = member->group;
    start_t *start =
        is_starting(member) ? (start_t *)(uintptr_t)member->start : NULL;
    uva__list_remove(&group->members, &member->link);
    uva__give(&task->runtime->pools, member, sizeof *member);
    if (start != NULL)
        uva__wake(&start->waiter, 0);
    else
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

/* A child becomes the group's: into a block that is being cut short, too. */
static void share_fate(const uva_group_t *group, uva_future_t *task) {
    if (group->refuses || group->scope.code != 0 ||
        uva__scope_is_cut_from_outside(&group->scope))
        (void)uva__cancel(task, uva__task_of(group->scope.task)->reason);
}

/* Takes a running child into the group. */
static void adopt(uva_group_t *group, member_t *member, uva_future_t *task,
                  const start_t *start) {
    *member = (member_t){.watcher.fire = fire,
                         .group = group,
                         .task = uva_ref(task),
                         .start = start};
    uva__list_push(&group->members, &member->link);
    uva__watch(task, &member->watcher);
    if (start == NULL)
        share_fate(group, task);
}

/* What a spawn gives, whatever its form. */
typedef struct order {
    const char *site;
    uint8_t site_fn; /* which argument of the site names fn, from 1 */
    const uva_task_options_t *options;
    uva_fn fn;
    void *arg;
    const start_t *start; /* NULL: nobody waits for a report */
} order_t;

/* 0, or why the group takes no child. */
static int may_spawn(const uva_group_t *group, uva_fn fn, const char *call) {
    if (group == NULL || fn == NULL)
        return UV_EINVAL;
    if (!group->scope.open || group->refuses ||
        !uva__is_ours(group->scope.task, call))
        return UV_EPERM;
    return 0;
}

static int spawn(uva_group_t *group, const order_t *order,
                 uva_task_t **ret_task) {
    int code = may_spawn(group, order->fn, "uva_group_spawn");
    if (code < 0)
        return code;
    uva_runtime_t *rt = group->scope.task->runtime;
    member_t *member = uva__take(&rt->pools, sizeof *member);
    if (member == NULL)
        return UV_ENOMEM;
    uva_task_t *task =
        uva_spawn_with_at(order->site, order->options, order->fn, order->arg);
    if (task == NULL) {
        uva__give(&rt->pools, member, sizeof *member);
        return UV_ENOMEM;
    }
    task->site_fn = order->site_fn;
    if (!uva__is_done(task)) {
        adopt(group, member, task, order->start);
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
    const order_t order = {.site = site, .site_fn = 2, .fn = fn, .arg = arg};
    return spawn(group, &order, NULL);
}

int uva_group_spawn_with_at(const char *site, uva_group_t *group,
                            const uva_task_options_t *options, uva_fn fn,
                            void *arg, uva_task_t **ret_task) {
    const order_t order = {
        .site = site, .site_fn = 3, .options = options, .fn = fn, .arg = arg};
    return spawn(group, &order, ret_task);
}

int(uva_group_spawn)(uva_group_t *group, uva_fn fn, void *arg) {
    return uva_group_spawn_at(NULL, group, fn, arg);
}

int(uva_group_spawn_with)(uva_group_t *group, const uva_task_options_t *options,
                          uva_fn fn, void *arg, uva_task_t **ret_task) {
    return uva_group_spawn_with_at(NULL, group, options, fn, arg, ret_task);
}

/* ---- start -------------------------------------------------------------- */

/* The child belongs to its starter still, so the request goes on to it. */
static uva_future_t *pass_on(uva__waiter_t *waiter) {
    UVA__OF(waiter, start_t, waiter)->passed_on = true;
    return (uva_future_t *)(uintptr_t)waiter->on;
}

static const uva__wait_t start_wait = {.reason = "group start",
                                       .cancel = pass_on};

/* The code of a start whose child has ended without a report. */
static int ended_early(uva__task_t *task, const start_t *start,
                       uva_future_t *child) {
    if (start->passed_on)
        uva__scope_note_cut(task);
    int code = uva__deliver(child, NULL);
    if (code < 0)
        return code;
    if (start->passed_on)
        return UV_ECANCELED;
    return uva__misuse("uva_group_start",
                       "'%s' has ended without calling uva_group_started()",
                       uva_name(child));
}

/* Spawns what is ordered, and waits for its report. */
static int start_child(uva_group_t *group, order_t order, void *ret_value) {
    uva__task_t *task = uva__running("uva_group_start");
    int code =
        task == NULL ? UV_EPERM : may_spawn(group, order.fn, "uva_group_start");
    if (code == 0)
        code = uva__may_park(task);
    if (code < 0)
        return code;
    start_t start = {.waiter.wait = &start_wait};
    order.start = &start;
    uva_task_t *child = NULL;
    code = spawn(group, &order, &child);
    if (code < 0)
        return code;
    start.waiter.on = child;
    (void)uva__park(task, &start.waiter);
    if (!start.is_ready)
        code = ended_early(task, &start, child);
    else if (ret_value != NULL)
        *(void **)ret_value = start.value;
    uva_unref(child);
    return code;
}

int uva_group_start_at(const char *site, uva_group_t *group, uva_fn fn,
                       void *arg, void *ret_value) {
    return start_child(
        group, (order_t){.site = site, .site_fn = 2, .fn = fn, .arg = arg},
        ret_value);
}

int uva_group_start_with_at(const char *site, uva_group_t *group,
                            const uva_task_options_t *options, uva_fn fn,
                            void *arg, void *ret_value) {
    uva_task_options_t own = {0};
    if (options != NULL)
        own = *options;
    own.eager = false; /* it is in the group before its first step */
    return start_child(
        group,
        (order_t){
            .site = site, .site_fn = 3, .options = &own, .fn = fn, .arg = arg},
        ret_value);
}

int(uva_group_start)(uva_group_t *group, uva_fn fn, void *arg,
                     void *ret_value) {
    return uva_group_start_at(NULL, group, fn, arg, ret_value);
}

int(uva_group_start_with)(uva_group_t *group, const uva_task_options_t *options,
                          uva_fn fn, void *arg, void *ret_value) {
    return uva_group_start_with_at(NULL, group, options, fn, arg, ret_value);
}

/* The record of a task in its group, or NULL. Its watcher was among the first
 * to be registered. */
static member_t *member_of(const uva__task_t *task) {
    for (uva_link_t *link = task->future.watchers.first; link != NULL;
         link = link->next) {
        uva__watcher_t *watcher = UVA__OF(link, uva__watcher_t, link);
        if (watcher->fire == fire)
            return UVA__OF(watcher, member_t, watcher);
    }
    return NULL;
}

int uva_group_started(void *value) {
    uva__task_t *task = uva__running("uva_group_started");
    if (task == NULL)
        return UV_EPERM;
    member_t *member = member_of(task);
    if (member == NULL || member->start == NULL)
        return 0;
    if (member->start == &reported)
        return UV_EALREADY;
    start_t *start = (start_t *)(uintptr_t)member->start;
    if (start->passed_on) {
        uva__scope_note_cut(task);
        return UV_ECANCELED;
    }
    member->start = &reported;
    start->is_ready = true;
    start->value = value;
    uva__wake(&start->waiter, 0);
    share_fate(member->group, &task->future);
    return 0;
}

/* ---- the end ------------------------------------------------------------ */

int uva_group_fail(uva_group_t *group, int code) {
    if (code >= 0)
        return UV_EINVAL;
    if (!group->scope.open ||
        !uva__is_ours(group->scope.task, "uva_group_fail"))
        return code;
    if (code == UV_ECANCELED)
        cut_group(group);
    else
        note_failure(group, code, NULL);
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
    if (!group->scope.open && task->scope != &group->scope)
        return uva__misuse("uva_group_close",
                           "this group is closed already; close each group "
                           "once, on every way out of its block");
    uva__scope_check_innermost(&group->scope, task);
    uva__hear_nothing(task);
    /* Looked at again: somebody may spawn between the wake and here. */
    while (!uva__list_is_empty(&group->members)) {
        uva__waiter_t waiter = {.wait = &close_wait};
        group->waiter = &waiter;
        (void)uva__park(task, &waiter);
    }
    group->refuses = true;
    uva__scope_leave(&group->scope, task);
    bool was_cut = (group->scope.cut || group->cut_short) &&
                   uva__scope_is_cut_from_outside(&group->scope);
    if (was_cut) /* for the scope further out that did it */
        uva__scope_note_cut(task);
    if (group->error_count > 0) {
        uva__text_put(&task->heard, group->message);
        group->message = NULL;
        return group->errors[0];
    }
    return was_cut ? UV_ECANCELED : 0;
}

size_t uva_group_errors(const uva_group_t *group, int ret_codes[],
                        size_t capacity) {
    size_t kept = group->error_count < UVA_GROUP_ERRORS ? group->error_count
                                                        : UVA_GROUP_ERRORS;
    for (size_t i = 0; i < kept && i < capacity; i++)
        ret_codes[i] = group->errors[i];
    return group->error_count;
}
