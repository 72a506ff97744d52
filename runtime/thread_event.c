/*
 * What: events that other threads and signal handlers set.
 *
 * How: a flag, and a ping (ping.h) that has the loop wake who waits. Setting
 * raises the flag first and fires then; delivering looks at the flag. Clearing,
 * which only the loop's thread does, takes the flag down and, if it was up,
 * wakes who waits itself, because the ping may be under way yet. So whoever is
 * parked when a set takes effect goes on, and nobody who parks after the clear
 * does because of it.
 */
#include "uvawait/thread_event.h"

#include "park.h"
#include "ping.h"
#include "report.h"
#include "task.h"

static const uva__wait_t event_wait = {
    .reason = "thread event", .cancel = uva__leave_queue, .outside = true};

static void deliver(uva_ping_t *ping) {
    uva_thread_event_t *event = UVA__OF(ping, uva_thread_event_t, ping);
    if (atomic_load(&event->is_set))
        (void)uva__wake_all(&event->waiters, 0);
}

static bool is_ours(const uva_thread_event_t *event, const char *call) {
    if (uva__ping_is_ours(&event->ping))
        return true;
    (void)uva__misuse(call, "this is not the thread of the event's runtime");
    return false;
}

/* Closed, or never made. */
static bool is_closed(const uva_thread_event_t *event) {
    return event->ping.runtime == NULL;
}

int uva_thread_event_init(uva_thread_event_t *event) {
    uva_runtime_t *rt = uva__thread_runtime;
    if (rt == NULL)
        return uva__misuse("uva_thread_event_init",
                           "this thread has no runtime whose tasks could wait");
    if (rt->life >= UVA__CLOSING)
        return UV_ESHUTDOWN;
    atomic_store(&event->is_set, false);
    event->waiters = (uva_waiters_t)UVA_WAITERS_INIT;
    uva__ping_open(&event->ping, rt, deliver);
    return 0;
}

void uva_thread_event_close(uva_thread_event_t *event) {
    if (is_closed(event) || !is_ours(event, "uva_thread_event_close"))
        return;
    uva__ping_close(&event->ping);
    event->ping.runtime = NULL;
    (void)uva__wake_all(&event->waiters, UV_ECANCELED);
}

int uva_thread_event_set(uva_thread_event_t *event) {
    atomic_store(&event->is_set, true);
    return uva__ping_fire(&event->ping);
}

void uva_thread_event_clear(uva_thread_event_t *event) {
    if (!is_closed(event) && !is_ours(event, "uva_thread_event_clear"))
        return;
    if (atomic_exchange(&event->is_set, false))
        (void)uva__wake_all(&event->waiters, 0);
}

bool uva_thread_event_is_set(const uva_thread_event_t *event) {
    return atomic_load(&event->is_set);
}

int uva_thread_event_wait(uva_thread_event_t *event) {
    uva__task_t *task = uva__running("uva_thread_event_wait");
    if (task == NULL)
        return UV_EPERM;
    if (!is_closed(event) && event->ping.runtime != task->future.runtime)
        return uva__misuse("uva_thread_event_wait",
                           "the event belongs to another runtime; each can "
                           "have one of its own");
    if (atomic_load(&event->is_set)) {
        int code = uva__spend(task);
        if (code < 0)
            return code;
    }
    /* Looked at again: others ran if the budget was spent. */
    if (atomic_load(&event->is_set))
        return 0;
    if (is_closed(event))
        return UV_ESHUTDOWN;
    /* What is set from here on is delivered after the park: by this thread. */
    uva__waiter_t waiter = {.wait = &event_wait};
    return uva__park_in(task, &event->waiters, &waiter);
}

void uva_thread_event_set_name(uva_thread_event_t *event, const char *name) {
    event->waiters.name = name;
}

void uva_thread_event_statistics(
    const uva_thread_event_t *event,
    uva_thread_event_statistics_t *ret_statistics) {
    *ret_statistics = (uva_thread_event_statistics_t){
        .name = event->waiters.name,
        .is_set = atomic_load(&event->is_set),
        .waiting = uva__count_waiters(&event->waiters)};
}
