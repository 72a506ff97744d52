/*
 * What: events.
 *
 * How: setting wakes everybody there and then, so who waits passes whatever
 * becomes of the flag before it runs. While the flag is up nobody waits.
 */
#include "uvawait/event.h"

#include "runtime/seam.h"

static const uva__wait_t event_wait = {.reason = "event",
                                       .cancel = uva__leave_queue};

void uva_event_init(uva_event_t *event) {
    *event = (uva_event_t)UVA_EVENT_INIT;
}

int uva_event_wait(uva_event_t *event) {
    uva__task_t *task = uva__running("uva_event_wait");
    if (task == NULL)
        return UV_EPERM;
    if (event->is_set) {
        int code = uva__spend(task);
        if (code < 0)
            return code;
    }
    /* Looked at again: others ran if the budget was spent. */
    if (event->is_set)
        return 0;
    uva__waiter_t waiter = {.wait = &event_wait};
    return uva__park_in(task, &event->waiters, &waiter);
}

void uva_event_set(uva_event_t *event) {
    if (uva__check_thread(&event->waiters, "uva_event_set") < 0)
        return;
    event->is_set = true;
    (void)uva__wake_all(&event->waiters, 0);
}

void uva_event_clear(uva_event_t *event) {
    event->is_set = false;
}

bool uva_event_is_set(const uva_event_t *event) {
    return event->is_set;
}

void uva_event_set_name(uva_event_t *event, const char *name) {
    event->waiters.name = name;
}

void uva_event_statistics(const uva_event_t *event,
                          uva_event_statistics_t *ret_statistics) {
    *ret_statistics = (uva_event_statistics_t){
        .name = event->waiters.name,
        .is_set = event->is_set,
        .waiting = uva__count_waiters(&event->waiters)};
}
