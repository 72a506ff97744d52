/*
 * storm_meetings.h - where tasks wait for each other without holding anything:
 * events, barriers, wait groups, and rate limiters. Nobody promises that
 * somebody comes, so all wait under a limit.
 */
#ifndef STORM_MEETINGS_H
#define STORM_MEETINGS_H

#include "storm_acts.h"

enum { EVENTS = 2, PARTIES = 3, BURST = 4 };

typedef struct meetings {
    uva_event_t events[EVENTS];
    size_t sets[EVENTS];
    uva_barrier_t barrier;
    size_t places[PARTIES]; /* how often each was given */
    uva_wait_group_t group;
    size_t ends; /* how often it came down to nothing */
    uva_rate_limiter_t rate;
    uint64_t tokens; /* taken */
} meetings_t;

static meetings_t meetings;

static void meetings_prepare(void) {
    memset(&meetings, 0, sizeof meetings);
    for (size_t i = 0; i < EVENTS; i++)
        uva_event_init(&meetings.events[i]);
    uva_barrier_init(&meetings.barrier, PARTIES);
    uva_wait_group_init(&meetings.group);
    must(uva_rate_limiter_init(&meetings.rate, 1, 1, BURST) == 0);
}

static void meetings_check(void) {
    for (size_t i = 0; i < EVENTS; i++) {
        uva_event_statistics_t event;
        uva_event_statistics(&meetings.events[i], &event);
        must(event.waiting == 0);
    }
    uva_barrier_statistics_t barrier;
    uva_barrier_statistics(&meetings.barrier, &barrier);
    must(barrier.waiting == 0);
    for (size_t i = 0; i < PARTIES; i++)
        must(meetings.places[i] == meetings.places[0]);
    uva_wait_group_statistics_t group;
    uva_wait_group_statistics(&meetings.group, &group);
    must(group.count == 0 && group.waiting == 0);
    uva_rate_limiter_statistics_t rate;
    uva_rate_limiter_statistics(&meetings.rate, &rate);
    must(rate.waiting == 0);
}

/* Calls back(arg) soon, from the loop; it is to call answered(). */
static void post(void (*back)(void *arg), void *arg) {
    storm.calls_due++;
    must(uva_post(uva_runtime_current(), back, arg) == 0);
}

static void answered(void) {
    must(uva_current() == NULL);
    must(storm.calls_due > 0);
    storm.calls_due--;
}

/* ---- events ------------------------------------------------------------- */

static void set_event(uva_event_t *event) {
    uva_event_set(event);
    meetings.sets[event - meetings.events]++;
    uva_event_statistics_t seen;
    uva_event_statistics(event, &seen);
    must(seen.is_set && seen.waiting == 0);
}

static void set_posted(void *arg) {
    answered();
    set_event(arg);
}

static int wait_for_event(uva_event_t *event) {
    const size_t *sets = &meetings.sets[event - meetings.events];
    size_t sets_before = *sets;
    bool was_set = uva_event_is_set(event);
    limit_t limit;
    limit_open(&limit);
    int code = uva_event_wait(event);
    must(code == 0 || code == UV_ECANCELED);
    must(code != 0 || was_set || *sets != sets_before);
    SAW(EVENT_AWAITED, !was_set && code == 0);
    return limit_close(&limit, code);
}

static int act_event(place_t at) {
    (void)at;
    uva_event_t *event = &meetings.events[choose(EVENTS)];
    uva_event_statistics_t seen;
    uva_event_statistics(event, &seen);
    must(seen.waiting == 0 || !seen.is_set);
    switch (choose(6)) {
    case 0:
        set_event(event);
        return 0;
    case 1:
        post(set_posted, event);
        return 0;
    case 2:
        uva_event_clear(event);
        must(!uva_event_is_set(event));
        return 0;
    default:
        return wait_for_event(event);
    }
}

/* ---- barriers ----------------------------------------------------------- */

static int act_barrier(place_t at) {
    (void)at;
    uva_barrier_t *barrier = &meetings.barrier;
    uva_barrier_statistics_t seen;
    uva_barrier_statistics(barrier, &seen);
    must(seen.waiting < PARTIES);
    if (once_in(24))
        must(uva_barrier_abort(barrier) == 0);
    else if (seen.broken || once_in(24))
        must(uva_barrier_reset(barrier) == 0);
    limit_t limit;
    limit_open(&limit);
    int code = uva_barrier_wait(barrier);
    if (code >= 0) {
        must(code < PARTIES);
        meetings.places[code]++;
    } else {
        must(code == UV_ECANCELED || code == UV_ECONNABORTED);
    }
    SAW(ROUND, code >= 0);
    SAW(ROUND_BROKEN, code == UV_ECONNABORTED);
    return limit_close(&limit, code);
}

/* ---- wait groups -------------------------------------------------------- */

static void done_posted(void *arg) {
    uva_wait_group_t *group = arg;
    answered();
    must(uva_wait_group_done(group) == 0);
    meetings.ends += uva_wait_group_count(group) == 0;
}

static int act_wait_group(place_t at) {
    (void)at;
    uva_wait_group_t *group = &meetings.group;
    uva_wait_group_statistics_t seen;
    uva_wait_group_statistics(group, &seen);
    must(seen.waiting == 0 || seen.count > 0);
    unsigned count = choose(4);
    must(uva_wait_group_add(group, count) == 0);
    for (unsigned i = 0; i < count; i++)
        post(done_posted, group);
    bool was_idle = uva_wait_group_count(group) == 0;
    size_t ends = meetings.ends;
    limit_t limit;
    limit_open(&limit);
    int code = uva_wait_group_wait(group);
    must(code == 0 || code == UV_ECANCELED);
    must(code != 0 || was_idle || meetings.ends != ends);
    SAW(GROUP_AWAITED, !was_idle && code == 0);
    return limit_close(&limit, code);
}

/* ---- rate limiters ------------------------------------------------------ */

/* A token comes each millisecond, so somebody may be woken in any of them. */
static int act_rate_limiter(place_t at) {
    (void)at;
    for (uint64_t ms = 1; ms <= NAP_MS; ms++)
        (void)ask(ms);
    uint64_t tokens = choose(BURST);
    limit_t limit;
    limit_open(&limit);
    int code = uva_rate_limiter_acquire(&meetings.rate, tokens);
    must(code == 0 || code == UV_ECANCELED);
    if (code == 0)
        meetings.tokens += tokens;
    SAW(TOKENS_AWAITED, has_waited(&limit.before, code));
    must(storm.is_real || meetings.tokens <= BURST + uva_now_ms());
    return limit_close(&limit, code);
}

#endif
