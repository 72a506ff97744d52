/*
 * What: wait groups: waiting until a count comes to zero.
 *
 * How: the call that brings it to zero wakes everybody there and then, so who
 * waits passes whatever is added before it runs.
 */
#include "uvawait/wait_group.h"

#include "runtime/seam.h"

static const uva__wait_t group_wait = {.reason = "wait group",
                                       .cancel = uva__leave_queue};

void uva_wait_group_init(uva_wait_group_t *group) {
    *group = (uva_wait_group_t)UVA_WAIT_GROUP_INIT;
}

int uva_wait_group_add(uva_wait_group_t *group, size_t count) {
    if (count > SIZE_MAX - group->count)
        return UV_ERANGE;
    group->count += count;
    return 0;
}

int uva_wait_group_done(uva_wait_group_t *group) {
    if (group->count == 0)
        return UV_ERANGE;
    if (uva__check_thread(&group->waiters, "uva_wait_group_done") < 0)
        return UV_EPERM;
    if (--group->count == 0)
        (void)uva__wake_all(&group->waiters, 0);
    return 0;
}

int uva_wait_group_wait(uva_wait_group_t *group) {
    uva__task_t *task = uva__running("uva_wait_group_wait");
    if (task == NULL)
        return UV_EPERM;
    if (group->count == 0) {
        int code = uva__spend(task);
        if (code < 0)
            return code;
    }
    /* Looked at again: others ran if the budget was spent. */
    if (group->count == 0)
        return 0;
    uva__waiter_t waiter = {.wait = &group_wait};
    return uva__park_in(task, &group->waiters, &waiter);
}

size_t uva_wait_group_count(const uva_wait_group_t *group) {
    return group->count;
}

void uva_wait_group_set_name(uva_wait_group_t *group, const char *name) {
    group->waiters.name = name;
}

void uva_wait_group_statistics(const uva_wait_group_t *group,
                               uva_wait_group_statistics_t *ret_statistics) {
    *ret_statistics = (uva_wait_group_statistics_t){
        .name = group->waiters.name,
        .count = group->count,
        .waiting = uva__count_waiters(&group->waiters)};
}
