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
    /* Also with waiters: a bound of 0 lets nobody through. */
    if (semaphore->value >= semaphore->bound)
        return UV_ERANGE;
    if (!uva__has_waiters(&semaphore->waiters)) {
        semaphore->value++;
        return 0;
    }
    int code = uva__check_thread(&semaphore->waiters, "uva_semaphore_release");
    if (code == 0)
        uva__wake_first(&semaphore->waiters, 0);
    return code;
}

size_t uva_semaphore_value(const uva_semaphore_t *semaphore) {
    return semaphore->value;
}

void uva_semaphore_set_name(uva_semaphore_t *semaphore, const char *name) {
    semaphore->waiters.name = name;
}

void uva_semaphore_statistics(const uva_semaphore_t *semaphore,
                              uva_semaphore_statistics_t *ret_statistics) {
    *ret_statistics = (uva_semaphore_statistics_t){
        .name = semaphore->waiters.name,
        .value = semaphore->value,
        .bound = semaphore->bound,
        .waiting = uva__count_waiters(&semaphore->waiters)};
}
