/*
 * storm_acts.h - what the tasks of a storm do, an act for each primitive, and
 * what must hold after each: its outcome is one that the contract allows, and
 * agrees with what the children themselves have written down.
 *
 * An act returns its code; test_storm.c has a table of them all. This file has
 * those with time, children and blocks; what is held for a while is in
 * storm_gates.h, what tasks meet at in storm_meetings.h, what passes between
 * them in storm_traffic.h and storm_select.h.
 */
#ifndef STORM_ACTS_H
#define STORM_ACTS_H

#include <unistd.h>

#include "storm_fixture.h"

/* Does so many random acts. */
static int perform(place_t at, unsigned steps);

/* Whether the next park is refused, and what was lifted by now. */
typedef struct before {
    bool was_cut;
    size_t lifted;
    uint64_t ms;
} before_t;

static before_t look_before(void) {
    return (before_t){me()->is_cut, storm.lifted, uva_now_ms()};
}

/* After a wait that may be cut: UV_ECANCELED needs a cancellation that is
 * there still, unless somebody may have lifted it; and one that was there
 * before the wait lets nothing park. */
static void check_cut(const before_t *before, int code) {
    if (code == UV_ECANCELED)
        must(me()->is_cut || storm.lifted != before->lifted);
    else
        must(!before->was_cut);
}

/* A scope around one wait that might have no end. */
typedef struct limit {
    uva_scope_t scope;
    uint64_t due_ms;
    before_t before; /* its waits */
} limit_t;

static void limit_open(limit_t *limit) {
    uint64_t ms = nap_ms();
    limit->due_ms = uva_now_ms() + ms;
    uva_scope_open(&limit->scope, ms, 0);
    limit->before = look_before();
}

/* Of the wait's code and the scope's: what the act returns. */
static int limit_close(limit_t *limit, int code) {
    if (code == UV_ECANCELED)
        check_cut(&limit->before, code);
    int ended = uva_scope_close(&limit->scope);
    must(ended == 0 || ended == UV_ECANCELED || ended == UV_ETIMEDOUT);
    if (code != UV_ECANCELED)
        return code;
    must(ended != 0 || storm.lifted != limit->before.lifted);
    must(ended != UV_ETIMEDOUT || uva_now_ms() >= limit->due_ms);
    return ended == UV_ETIMEDOUT ? ended : code;
}

/* Whether there was a wait that came to a good end. */
static bool has_waited(const before_t *before, int code) {
    return code >= 0 && uva_now_ms() != before->ms;
}

/* The call cannot have taken time. */
static void check_instant(const before_t *before) {
    must(storm.is_real || uva_now_ms() == before->ms);
}

/* ---- time --------------------------------------------------------------- */

static int act_sleep(place_t at) {
    (void)at;
    uint64_t ms = nap_ms();
    before_t before = look_before();
    int code = uva_sleep(ms);
    must(code == 0 || code == UV_ECANCELED);
    check_cut(&before, code);
    uint64_t slept = uva_now_ms() - before.ms;
    must(code != 0 || slept >= ms);
    must(storm.is_real || slept <= ms);
    return code;
}

static int act_yield(place_t at) {
    (void)at;
    before_t before = look_before();
    int code = once_in(2) ? uva_yield() : uva_sleep(0);
    must(code == 0 || code == UV_ECANCELED);
    check_cut(&before, code);
    check_instant(&before);
    return code;
}

static int act_checkpoint(place_t at) {
    (void)at;
    before_t before = look_before();
    int code = uva_checkpoint();
    must(code == 0 || code == UV_ECANCELED);
    check_cut(&before, code);
    check_instant(&before);
    return code;
}

static int act_sleep_for_ever(place_t at) {
    (void)at;
    uva_scope_t scope;
    uint64_t due_ms = ask(3);
    uva_scope_open(&scope, 3, 0);
    must(uva_sleep(UVA_FOREVER) == UV_ECANCELED);
    int code = uva_scope_close(&scope);
    must(code == UV_ECANCELED || code == UV_ETIMEDOUT);
    must(code != UV_ETIMEDOUT || uva_now_ms() >= due_ms);
    return code;
}

/* ---- one child ---------------------------------------------------------- */

static int act_await(place_t at) {
    brood_t brood;
    brood_open(&brood);
    child_t *child = brood_add(&brood, at.self->depth + 1, at.floor);
    void *value = NULL;
    int code = uva_await(make_future(child), &value);
    check_outcome(child, code, value);
    nest_close(&brood.nest);
    return code;
}

static int act_cancel_and_wait(place_t at) {
    brood_t brood;
    brood_open(&brood);
    child_t *child = brood_add(&brood, at.self->depth + 1, at.floor);
    uva_future_t *f = make_future(child);
    if (once_in(2))
        (void)act_sleep(at);
    int code = uva_cancel_and_wait(f);
    must(code == outcome_of(child));
    nest_close(&brood.nest);
    return code;
}

static int act_wait_for(place_t at) {
    brood_t brood;
    brood_open(&brood);
    child_t *child = brood_add(&brood, at.self->depth + 1, at.floor);
    uva_future_t *f = make_future(child);
    uint64_t ms = once_in(6) ? 0 : nap_ms();
    uint64_t due_ms = ask(ms);
    void *value = NULL;
    int code = uva_wait_for(f, ms, &value);
    if (code == UV_ETIMEDOUT && outcome_of(child) != UV_ETIMEDOUT) {
        must(outcome_of(child) == UV_ECANCELED);
        must(uva_now_ms() >= due_ms);
    } else {
        check_outcome(child, code, value);
    }
    nest_close(&brood.nest);
    return code;
}

static int act_wait_for_never(place_t at) {
    (void)at;
    uint64_t ms = nap_ms();
    before_t before = look_before();
    uva_future_t *f = uva_future_new();
    expose(f);
    int code = uva_wait_for(f, ms, NULL);
    must(code == UV_ETIMEDOUT || code == UV_ECANCELED);
    must(code != UV_ETIMEDOUT || uva_now_ms() >= before.ms + ms);
    return code;
}

static void resolve_posted(void *arg) {
    uva_future_t *f = arg;
    must(storm.calls_due > 0);
    storm.calls_due--;
    bool was_done = uva_is_done(f);
    must(uva_future_resolve(f, f) == (was_done ? UV_EALREADY : 0));
    uva_unref(f);
}

/* A future that a callback of the loop resolves. */
static int act_future(place_t at) {
    uva_future_t *f = uva_future_new();
    if (once_in(2))
        expose(f);
    if (once_in(4))
        watch(f);
    storm.calls_due++;
    must(uva_post(uva_runtime_current(), resolve_posted, uva_ref(f)) == 0);
    if (once_in(3))
        (void)act_sleep(at);
    void *value = NULL;
    const void *expected = f;
    int code = uva_await(f, &value);
    must(code == UV_ECANCELED || (code == 0 && value == expected));
    return code;
}

/* A place for a task that outlives its maker; NULL when all are taken. */
static child_t *stray_add(place_t at, unsigned floor) {
    if (storm.stray_count == STRAYS)
        return NULL;
    child_t *child = &storm.strays[storm.stray_count];
    storm.stray_futures[storm.stray_count++] = NULL;
    child_init(child, &storm.outside, at.self->depth + 1, floor);
    return child;
}

static int act_detach(place_t at) {
    child_t *child = stray_add(at, 0);
    if (child == NULL)
        return 0;
    child->may_fail = false;
    uva_task_t *task = uva_spawn(child_main, child);
    must(task != NULL);
    if (once_in(3))
        expose(task);
    uva_detach(task);
    return 0;
}

static int act_shield(place_t at) {
    child_t *child = stray_add(at, at.floor);
    if (child == NULL)
        return 0;
    uva_future_t *f = make_future(child);
    storm.stray_futures[child - storm.strays] = uva_ref(f);
    uva_future_t *shield = uva_shield(f);
    must(shield != NULL);
    if (once_in(2))
        expose(shield);
    void *value = NULL;
    uint64_t ms = nap_ms();
    int code = once_in(2) ? uva_wait_for(shield, ms, &value)
                          : uva_await(shield, &value);
    if (code != UV_ECANCELED && code != UV_ETIMEDOUT)
        check_outcome(child, code, value);
    return code;
}

/* ---- many children ------------------------------------------------------ */

static int act_gather(place_t at) {
    brood_t brood;
    brood_fill(&brood, at);
    void *values[BROOD] = {NULL};
    int code = uva_gather(brood.futures, brood.count, values);
    must(code <= 0);
    must((code == 0) == (brood_failures(&brood) == 0));
    must(code == 0 || brood_has_outcome(&brood, code));
    for (size_t i = 0; i < brood.count && code == 0; i++)
        check_outcome(&brood.children[i], brood.children[i].code, values[i]);
    nest_close(&brood.nest);
    return code;
}

static int act_gather_settled(place_t at) {
    brood_t brood;
    brood_fill(&brood, at);
    void *values[BROOD] = {NULL};
    int codes[BROOD];
    int code = uva_gather_settled(brood.futures, brood.count, values, codes);
    must(code == 0 || code == UV_ECANCELED);
    for (size_t i = 0; i < brood.count; i++)
        check_outcome(&brood.children[i], codes[i], values[i]);
    must(code == 0 || brood_has_outcome(&brood, UV_ECANCELED));
    nest_close(&brood.nest);
    return code;
}

static int act_race(place_t at) {
    brood_t brood;
    brood_fill(&brood, at);
    size_t index = BROOD;
    void *value = NULL;
    int code = uva_race(brood.futures, brood.count, &index, &value);
    if (code >= 0)
        check_outcome(&brood.children[index], code, value);
    else
        must(index == BROOD && brood_has_outcome(&brood, code));
    must((code < 0) == (brood_failures(&brood) == brood.count));
    nest_close(&brood.nest);
    return code;
}

/* The rest of a brood whose futures are held still. */
static void brood_finish(brood_t *brood) {
    for (size_t i = 0; i < brood->count; i++) {
        void *value = NULL;
        int code = 0;
        if (once_in(2)) {
            code = uva_await(brood->futures[i], &value);
            check_outcome(&brood->children[i], code, value);
        } else {
            code = uva_cancel_and_wait(brood->futures[i]);
            must(code == outcome_of(&brood->children[i]));
        }
    }
    nest_close(&brood->nest);
}

static int act_wait(place_t at) {
    brood_t brood;
    brood_fill(&brood, at);
    uva_wait_mode_t mode = (uva_wait_mode_t)choose(3);
    uint64_t ms = once_in(2) ? UVA_FOREVER : once_in(4) ? 0 : nap_ms();
    int code = uva_wait(brood.futures, brood.count, mode, ms);
    must(code >= 0 || code == UV_ECANCELED);
    size_t done = 0;
    bool failed = false;
    for (size_t i = 0; i < brood.count; i++) {
        int status = uva_status(brood.futures[i]);
        done += status != UV_EAGAIN;
        failed = failed ||
                 (status < 0 && status != UV_EAGAIN && status != UV_ECANCELED);
    }
    /* Some may have ended between the wake and here. */
    must(code < 0 || (size_t)code <= done);
    if (code >= 0 && ms == UVA_FOREVER && mode != UVA_FIRST_COMPLETED)
        must((size_t)code == brood.count ||
             (mode == UVA_FIRST_ERROR && failed));
    must(code != 0 || ms != UVA_FOREVER);
    brood_finish(&brood);
    return code;
}

static int act_as_completed(place_t at) {
    brood_t brood;
    brood_fill(&brood, at);
    uva_as_completed_t it;
    uint64_t ms = once_in(2) ? UVA_FOREVER : nap_ms();
    must(uva_as_completed_open(&it, brood.futures, brood.count, ms) == 0);
    size_t came = 0;
    size_t late = 0;
    int code = 0;
    uva_future_t *f = NULL;
    while ((code = uva_as_completed_next(&it, &f)) != 0) {
        if (code == 1) {
            must(uva_is_done(f));
            came++;
        } else if (code == UV_ETIMEDOUT) {
            late++;
        } else {
            must(code == UV_ECANCELED);
            break;
        }
    }
    must(came + late <= brood.count);
    must(code != 0 || came + late == brood.count);
    must(late == 0 || ms != UVA_FOREVER);
    uva_as_completed_close(&it);
    brood_finish(&brood);
    return code;
}

static int act_map(place_t at) {
    brood_t brood;
    brood_fill_items(&brood, at);
    int code = uva_map(child_main, brood.children, brood.count,
                       sizeof brood.children[0], 1 + choose(BROOD));
    must(code <= 0);
    must(code == UV_ECANCELED || code == 0 || brood_has_outcome(&brood, code));
    must(code < 0 || brood_failures(&brood) == 0);
    nest_close(&brood.nest);
    return code;
}

static int act_staggered_race(place_t at) {
    brood_t brood;
    brood_fill_items(&brood, at);
    uint64_t ms = once_in(4) ? UVA_FOREVER : choose(NAP_MS);
    for (size_t i = 0; i < brood.count && ms != UVA_FOREVER; i++)
        brood.children[i].next_ms = ms;
    size_t index = BROOD;
    void *value = NULL;
    int codes[BROOD];
    int code =
        uva_staggered_race(child_main, brood.children, brood.count,
                           sizeof brood.children[0], ms, &index, &value, codes);
    for (size_t i = 0; i < brood.count; i++) {
        const child_t *child = &brood.children[i];
        must(codes[i] == UV_EAGAIN ? !child->began
                                   : codes[i] == outcome_of(child));
    }
    if (code >= 0)
        check_outcome(&brood.children[index], code, value);
    else
        must(index == BROOD && brood_failures(&brood) == brood.count);
    nest_close(&brood.nest);
    return code;
}

/* ---- blocks ------------------------------------------------------------- */

static bool may_nest(place_t at) {
    return at.nesting < NESTING;
}

static place_t deeper(place_t at) {
    at.nesting++;
    return at;
}

static void check_range(const range_t *range, int code, size_t lifted) {
    const uva_scope_t *scope = &range->scope;
    bool was_lifted = storm.lifted != lifted;
    switch (code) {
    case 0:
        break;
    case UV_ETIMEDOUT:
        must(uva_scope_is_cancelled(scope));
        must(uva_now_ms() >= range->due_ms);
        break;
    default:
        must(code == UV_ECANCELED);
        must(uva_scope_is_cancelled(scope) || me()->is_cut || was_lifted);
        must(!range->shields || uva_scope_is_cancelled(scope));
        break;
    }
}

static int act_scope(place_t at) {
    range_t range = {.shields = once_in(4)};
    uint64_t ms = once_in(3) ? UVA_FOREVER : nap_ms();
    size_t lifted = storm.lifted;
    range.due_ms = ms == UVA_FOREVER ? ms : uva_now_ms() + ms;
    uva_scope_open(&range.scope, ms, range.shields ? UVA_SCOPE_SHIELD : 0);
    NOTE(storm.ranges, &range);
    uint64_t limit_ms = uva_scope_deadline_ms();
    must(limit_ms == UVA_FOREVER || storm.is_real || limit_ms <= range.due_ms ||
         range.due_ms == UVA_FOREVER);
    (void)perform(deeper(at), 1 + choose(3));
    if (once_in(8))
        uva_scope_cancel(&range.scope);
    FORGET(storm.ranges, &range);
    int code = uva_scope_close(&range.scope);
    check_range(&range, code, lifted);
    return code;
}

/* Ready, and then on as a child of the group. */
static int act_group_start(place_t at, ring_t *ring) {
    if (ring->brood.count == BROOD || !may_breed(at))
        return 0;
    child_t *child = brood_add(&ring->brood, at.self->depth + 1, at.floor);
    child->starts = true;
    void *value = NULL;
    int code = uva_group_start(&ring->group, child_main, child, &value);
    if (code == 0)
        must(child->reported && value == child);
    else if (child->began)
        must(!child->reported && code == outcome_of(child));
    else
        must(code == UV_ECANCELED || code == UV_EPERM);
    return code;
}

static void check_ring(const ring_t *ring, int code) {
    size_t failures = ring->failures;
    for (size_t i = 0; i < ring->brood.count; i++) {
        const child_t *child = &ring->brood.children[i];
        int own = outcome_of(child);
        if (child->starts && !child->reported)
            continue; /* that was the failure of who started it */
        failures += own < 0 && own != UV_ECANCELED;
    }
    int codes[UVA_GROUP_ERRORS] = {0};
    must(uva_group_errors(&ring->group, codes, UVA_GROUP_ERRORS) == failures);
    if (failures > 0)
        must(code == codes[0]);
    else
        must(code == 0 || code == UV_ECANCELED);
}

static int act_group(place_t at) {
    ring_t ring = {.depth = at.self->depth, .floor = at.floor};
    brood_open(&ring.brood);
    uva_group_open(&ring.group);
    NOTE(storm.rings, &ring);
    for (unsigned count = choose(4); count > 0; count--)
        ring_spawn(&ring);
    int code = once_in(4) ? act_group_start(at, &ring) : 0;
    if (code == 0)
        code = perform(deeper(at), choose(3));
    if (code < 0 && code != UV_ECANCELED && once_in(2)) {
        ring.failures++;
        must(uva_group_fail(&ring.group, code) == code);
    }
    if (once_in(6))
        must(uva_group_cancel(&ring.group) == 0);
    code = uva_group_close(&ring.group);
    FORGET(storm.rings, &ring);
    must(uva_group_spawn(&ring.group, child_main, at.self) == UV_EPERM);
    check_ring(&ring, code);
    nest_close(&ring.brood.nest);
    return code;
}

static int act_local(place_t at) {
    const void *outer = uva_local_get(&weather);
    const char *value = &local_values[choose(sizeof local_values)];
    uva_local_block_t block;
    uva_local_open(&block);
    must(uva_local_set(&weather, (void *)(uintptr_t)value) == 0);
    int code = perform(deeper(at), 1 + choose(2));
    must(uva_local_get(&weather) == value);
    uva_local_close(&block);
    must(uva_local_get(&weather) == outer);
    return code;
}

/* ---- cancelling --------------------------------------------------------- */

static int act_strike(place_t at) {
    (void)at;
    if (once_in(2))
        post_strike();
    else
        strike();
    return 0;
}

/* Its own request, met at once, unless a shield further out keeps it away. */
static int act_cancel_self(place_t at) {
    (void)at;
    uva_task_t *self = uva_current();
    must(uva_cancel_with(self, "enough"));
    must(strcmp(uva_cancel_reason(), "enough") == 0);
    int requests = uva_cancelling(self);
    must(requests > 0);
    if (me()->is_cut)
        must(uva_yield() == UV_ECANCELED);
    uva_scope_t scope;
    uva_scope_open(&scope, UVA_FOREVER, UVA_SCOPE_SHIELD);
    must(!me()->is_cut);
    must(uva_scope_close(&scope) == 0);
    must(uva_cancelling(self) == requests);
    storm.lifted++;
    must(uva_uncancel(self) == requests - 1);
    return 0;
}

/* ---- threads ------------------------------------------------------------ */

typedef struct job {
    atomic_int running;
    int code;
    useconds_t us;
} job_t;

static atomic_size_t jobs_begun, jobs_over;

static int work(void *arg) {
    job_t *job = arg;
    atomic_fetch_add(&jobs_begun, 1);
    atomic_store(&job->running, 1);
    (void)usleep(job->us);
    atomic_store(&job->running, 0);
    atomic_fetch_add(&jobs_over, 1);
    return job->code;
}

/* Not under the virtual clock: threads keep no order. */
static int act_thread(place_t at) {
    if (!storm.is_real)
        return act_sleep(at);
    job_t job = {.code = (int)choose(100), .us = choose(300)};
    bool is_copied = once_in(2);
    before_t before = look_before();
    int code = is_copied ? uva_to_thread_with(work, &job, sizeof job)
                         : uva_to_thread(work, &job);
    must(code == job.code || code == UV_ECANCELED);
    must(is_copied || atomic_load(&job.running) == 0);
    if (code == UV_ECANCELED)
        check_cut(&before, code);
    return code;
}

#endif
