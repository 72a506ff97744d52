/*
 * What: semaphores.
 *
 * How: a release with waiters hands its permit to the oldest and never touches
 * the value, so a value above 0 means that nobody waits: acquiring needs to
 * look at nothing else, and nobody can barge in.
 */
#include "uvawait/semaphore.h"

#include "runtime/seam.h"

static const uva__wait_t semaphore_wait = {.reason = "semaphore",
                                           .cancel = uva__leave_queue};

void uva_semaphore_init(uva_semaphore_t *semaphore, size_t value) {
    *semaphore = (uva_semaphore_t){.value = value, .bound = SIZE_MAX};
}

void uva_semaphore_init_bounded(uva_semaphore_t *semaphore, size_t value) {
    *semaphore = (uva_semaphore_t){.value = value, .bound = value};
}

int uva_semaphore_acquire(uva_semaphore_t *semaphore) {
    uva__task_t *task = uva__running("uva_semaphore_acquire");
    if (task == NULL)
        return UV_EPERM;
    if (semaphore->value > 0) {
        int code = uva__spend(task);
        if (code < 0)
            return code;
    }
    /* Looked at again: others ran if the budget was spent. */
    if (semaphore->value > 0) {
        semaphore->value--;
        return 0;
    }
    uva__waiter_t waiter = {.wait = &semaphore_wait};
    return uva__park_in(task, &semaphore->waiters, &waiter);
}

int uva_semaphore_try_acquire(uva_semaphore_t *semaphore) {
    if (semaphore->value == 0)
        return UV_EAGAIN;
    semaphore->value--;
    return 0;
}

int uva_semaphore_release(uva_semaphore_t *semaphore) {
    if (uva__list_is_empty(&semaphore->waiters)) {
        if (semaphore->value >= semaphore->bound)
            return UV_ERANGE;
        semaphore->value++;
        return 0;
    }
    uva__waiter_t *oldest =
        UVA__OF(semaphore->waiters.first, uva__waiter_t, link);
    if (!uva__is_ours(&oldest->task->future, "uva_semaphore_release"))
        return UV_EPERM;
    uva__list_remove(&semaphore->waiters, &oldest->link);
    uva__wake(oldest, 0);
    return 0;
}

size_t uva_semaphore_value(const uva_semaphore_t *semaphore) {
    return semaphore->value;
}
