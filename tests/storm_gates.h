/*
 * storm_gates.h - what is held for a while: semaphores, locks with their
 * conditions, reader-writer locks, capacity limiters, and the turn of a once.
 *
 * Gates stand in one order. Who holds one only waits for later ones, and so do
 * the children that it waits for: so the storm cannot bring itself to a halt.
 * Each gate counts who is behind it, by what the tasks themselves know; a grant
 * that its task has not met yet is not counted.
 */
#ifndef STORM_GATES_H
#define STORM_GATES_H

#include "storm_acts.h"

enum { ONCES = 256, TOKENS = 3 };

typedef struct gate {
    size_t holders; /* tasks that hold it and know of it */
    size_t writers;
    size_t told; /* notifications, and waits that were ended by one */
    size_t heard;
    uva_semaphore_t semaphore;
    uva_lock_t lock;
    uva_condition_t condition;
    uva_rwlock_t rwlock;
    uva_capacity_limiter_t limiter;
    size_t once; /* the one whose turn it is; those before are done */
    uva_once_t onces[ONCES];
    int once_codes[ONCES];
} gate_t;

static gate_t gates[GATES];

/* ---- before and after --------------------------------------------------- */

static void gates_prepare(void) {
    memset(gates, 0, sizeof gates);
    for (size_t i = 0; i < GATES; i++) {
        gate_t *gate = &gates[i];
        if (i % 2 == 0)
            uva_semaphore_init(&gate->semaphore, gate_permits[i]);
        else
            uva_semaphore_init_bounded(&gate->semaphore, gate_permits[i]);
        uva_lock_init(&gate->lock);
        uva_condition_init(&gate->condition);
        uva_rwlock_init(&gate->rwlock);
        uva_capacity_limiter_init(&gate->limiter, TOKENS);
        for (size_t k = 0; k < ONCES; k++)
            uva_once_init(&gate->onces[k]);
    }
}

static void check_lock(const gate_t *gate) {
    uva_lock_statistics_t lock;
    uva_lock_statistics(&gate->lock, &lock);
    must(lock.owner == NULL && !lock.broken && lock.waiting == 0);
    must(!uva_lock_is_locked(&gate->lock));
    uva_condition_statistics_t condition;
    uva_condition_statistics(&gate->condition, &condition);
    must(condition.waiting == 0 && condition.lock == NULL);
    must(gate->told == gate->heard);
    must(gate->lock.sleepers.first == NULL);
}

static void check_rwlock(const gate_t *gate) {
    uva_rwlock_statistics_t seen;
    uva_rwlock_statistics(&gate->rwlock, &seen);
    must(seen.writer == NULL && seen.readers == 0 && !seen.broken);
    must(seen.waiting_readers == 0 && seen.waiting_writers == 0);
}

static void check_onces(const gate_t *gate) {
    for (size_t i = 0; i < ONCES; i++) {
        uva_once_statistics_t seen;
        uva_once_statistics(&gate->onces[i], &seen);
        must(seen.runner == NULL && seen.waiting == 0);
        must(seen.is_done == (gate->once_codes[i] != 0));
    }
}

/* Nobody holds anything or waits. */
static void gates_check(void) {
    for (size_t i = 0; i < GATES; i++) {
        const gate_t *gate = &gates[i];
        must(gate->holders == 0 && gate->writers == 0);
        uva_semaphore_statistics_t semaphore;
        uva_semaphore_statistics(&gate->semaphore, &semaphore);
        must(semaphore.value == gate_permits[i] && semaphore.waiting == 0);
        uva_capacity_limiter_statistics_t limiter;
        uva_capacity_limiter_statistics(&gate->limiter, &limiter);
        must(limiter.borrowed == 0 && limiter.waiting == 0);
        check_lock(gate);
        check_rwlock(gate);
        check_onces(gate);
    }
}

/* ---- passing ------------------------------------------------------------ */

/* Nobody waits for what could be had. */
static void check_waits(const gate_t *gate) {
    uva_semaphore_statistics_t semaphore;
    uva_semaphore_statistics(&gate->semaphore, &semaphore);
    must(semaphore.waiting == 0 || semaphore.value == 0);
    uva_lock_statistics_t lock;
    uva_lock_statistics(&gate->lock, &lock);
    must(lock.waiting == 0 || uva_lock_is_locked(&gate->lock));
    uva_rwlock_statistics_t rwlock;
    uva_rwlock_statistics(&gate->rwlock, &rwlock);
    must(rwlock.waiting_readers == 0 || rwlock.writer != NULL ||
         rwlock.waiting_writers > 0);
    must(rwlock.waiting_writers == 0 || rwlock.writer != NULL ||
         rwlock.readers > 0);
    uva_capacity_limiter_statistics_t limiter;
    uva_capacity_limiter_statistics(&gate->limiter, &limiter);
    must(limiter.waiting == 0 || limiter.borrowed >= limiter.total);
    uva_once_statistics_t once;
    uva_once_statistics(&gate->onces[gate->once], &once);
    must(once.waiting == 0 || once.runner != NULL);
}

/* A gate of that kind for the place to wait at, where only later ones may be
 * waited for from then on; NULL: there is none. */
static gate_t *next_gate(place_t *at, gate_kind_t kind) {
    if (at->floor == GATES)
        return NULL;
    for (unsigned i = at->floor + choose(GATES - at->floor); i < GATES; i++) {
        if (gate_kinds[i] == kind) {
            at->floor = i + 1;
            check_waits(&gates[i]);
            return &gates[i];
        }
    }
    return NULL;
}

/* Nothing was taken; what the act returns. */
static int refused(const before_t *before, bool tries, int code) {
    must(code == (tries ? UV_EAGAIN : UV_ECANCELED));
    if (tries)
        return 0;
    check_cut(before, code);
    return code;
}

static void stay(place_t at) {
    (void)perform(deeper(at), 1 + choose(2));
}

static int act_semaphore(place_t at) {
    gate_t *gate = next_gate(&at, GATE_SEMAPHORE);
    if (gate == NULL)
        return act_yield(at);
    bool tries = once_in(4);
    before_t before = look_before();
    int code = tries ? uva_semaphore_try_acquire(&gate->semaphore)
                     : uva_semaphore_acquire(&gate->semaphore);
    if (code < 0)
        return refused(&before, tries, code);
    must(code == 0);
    gate->holders++;
    must(uva_semaphore_value(&gate->semaphore) + gate->holders <=
         gate_permits[gate - gates]);
    stay(at);
    gate->holders--;
    must(uva_semaphore_release(&gate->semaphore) == 0);
    return 0;
}

static int act_lock(place_t at) {
    gate_t *gate = next_gate(&at, GATE_LOCK);
    if (gate == NULL)
        return act_yield(at);
    bool tries = once_in(4);
    before_t before = look_before();
    int code = tries ? uva_lock_try_acquire(&gate->lock)
                     : uva_lock_acquire(&gate->lock);
    if (code < 0)
        return refused(&before, tries, code);
    must(code == 0 && gate->holders == 0);
    gate->holders++;
    stay(at);
    must(gate->holders == 1);
    gate->holders--;
    must(uva_lock_release(&gate->lock) == 0);
    return 0;
}

/* The place holds the gate's lock, before the wait and after. */
static int listen_for(gate_t *gate) {
    limit_t limit;
    limit_open(&limit);
    gate->holders--;
    int code = uva_condition_wait(&gate->condition, &gate->lock);
    must(code == 0 || code == UV_ECANCELED);
    must(gate->holders == 0);
    gate->holders++;
    gate->heard += code == 0;
    SAW(NOTIFIED, code == 0);
    check_cut(&limit.before, code);
    return limit_close(&limit, code);
}

static void tell(gate_t *gate) {
    uva_condition_statistics_t seen;
    uva_condition_statistics(&gate->condition, &seen);
    size_t count = once_in(4) ? seen.waiting + 1 : choose(3);
    int told = count > seen.waiting
                   ? uva_condition_notify_all(&gate->condition)
                   : uva_condition_notify(&gate->condition, count);
    must((size_t)told == (count < seen.waiting ? count : seen.waiting));
    gate->told += (size_t)told;
}

static int act_condition(place_t at) {
    gate_t *gate = next_gate(&at, GATE_LOCK);
    if (gate == NULL)
        return act_yield(at);
    before_t before = look_before();
    int code = uva_lock_acquire(&gate->lock);
    if (code < 0)
        return refused(&before, false, code);
    must(code == 0 && gate->holders == 0);
    gate->holders++;
    if (once_in(2))
        tell(gate);
    else
        code = listen_for(gate);
    must(gate->holders == 1);
    gate->holders--;
    must(uva_lock_release(&gate->lock) == 0);
    return code;
}

static int act_read(gate_t *gate, place_t at, bool tries) {
    before_t before = look_before();
    int code = tries ? uva_rwlock_try_acquire_read(&gate->rwlock)
                     : uva_rwlock_acquire_read(&gate->rwlock);
    if (code < 0)
        return refused(&before, tries, code);
    must(code == 0 && gate->writers == 0);
    gate->holders++;
    SAW(SHARED, gate->holders > 1);
    stay(at);
    must(gate->writers == 0);
    gate->holders--;
    must(uva_rwlock_release_read(&gate->rwlock) == 0);
    return 0;
}

static int act_write(gate_t *gate, place_t at, bool tries) {
    before_t before = look_before();
    int code = tries ? uva_rwlock_try_acquire_write(&gate->rwlock)
                     : uva_rwlock_acquire_write(&gate->rwlock);
    if (code < 0)
        return refused(&before, tries, code);
    must(code == 0 && gate->writers == 0 && gate->holders == 0);
    gate->writers++;
    stay(at);
    must(gate->writers == 1 && gate->holders == 0);
    gate->writers--;
    must(uva_rwlock_release_write(&gate->rwlock) == 0);
    return 0;
}

static int act_rwlock(place_t at) {
    gate_t *gate = next_gate(&at, GATE_RWLOCK);
    if (gate == NULL)
        return act_yield(at);
    bool tries = once_in(4);
    return once_in(3) ? act_write(gate, at, tries) : act_read(gate, at, tries);
}

static int act_limiter(place_t at) {
    gate_t *gate = next_gate(&at, GATE_LIMITER);
    if (gate == NULL)
        return act_yield(at);
    if (once_in(4))
        must(uva_capacity_limiter_set_total(&gate->limiter,
                                            1 + choose(TOKENS)) == 0);
    bool tries = once_in(4);
    before_t before = look_before();
    int code = tries ? uva_capacity_limiter_try_acquire(&gate->limiter)
                     : uva_capacity_limiter_acquire(&gate->limiter);
    if (code < 0)
        return refused(&before, tries, code);
    must(code == 0);
    gate->holders++;
    must(gate->holders <= TOKENS);
    stay(at);
    gate->holders--;
    must(uva_capacity_limiter_release(&gate->limiter) == 0);
    return 0;
}

/* ---- once --------------------------------------------------------------- */

typedef struct attempt {
    gate_t *gate;
    place_t at;
    size_t once;
    bool ran;
    int code;
} attempt_t;

static int attempt_once(void *arg) {
    attempt_t *self = arg;
    gate_t *gate = self->gate;
    must(gate->once_codes[self->once] == 0);
    must(!self->ran);
    self->ran = true;
    uva_once_statistics_t seen;
    uva_once_statistics(&gate->onces[self->once], &seen);
    must(seen.runner != NULL && !seen.is_done);
    self->code = perform(deeper(self->at), 1 + choose(2));
    if (self->code < 0)
        return self->code;
    self->code = 1 + (int)choose(100);
    gate->once_codes[self->once] = self->code;
    if (gate->once < ONCES - 1)
        gate->once++;
    return self->code;
}

static int act_once(place_t at) {
    gate_t *gate = next_gate(&at, GATE_ONCE);
    if (gate == NULL)
        return act_yield(at);
    attempt_t attempt = {.gate = gate, .at = at, .once = gate->once};
    uva_once_t *once = &gate->onces[attempt.once];
    before_t before = look_before();
    int code = uva_once_run(once, attempt_once, &attempt);
    if (code >= 0) {
        must(uva_once_is_done(once));
        must(code == gate->once_codes[attempt.once]);
        SAW(ONCE_AWAITED, !attempt.ran && has_waited(&before, code));
    } else if (attempt.ran) {
        must(code == attempt.code);
    } else {
        must(code == UV_ECANCELED);
        check_cut(&before, code);
    }
    return code;
}

#endif
