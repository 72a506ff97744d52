/*
 * What: the wait for a crowd; see crowd.h.
 *
 * A watcher fires inside a child's completion. It counts, asks the combinator
 * what the end of this child means, and may cancel the others there and then:
 * plain futures end at once and fire in turn, which is why the wake comes from
 * whoever brings the count to 0.
 */
#include "crowd.h"

#include <stdlib.h>

int uva__crowd_code(const uva__crowd_t *crowd, size_t index) {
    const uva_future_t *f = crowd->futures[index];
    return f != NULL ? f->code : UV_ENOMEM;
}

static void cancel_all(uva__crowd_t *crowd) {
    uva_runtime_t *rt = crowd->task->future.runtime;
    bool began = uva__request_begin(rt);
    for (size_t i = 0; i < crowd->count; i++) {
        if (crowd->futures[i] != NULL)
            (void)uva__cancel(crowd->futures[i], crowd->task->reason);
    }
    uva__request_end(rt, began);
}

/* A child is over. Returns whether that is the moment to cancel the rest. */
static bool note_over(uva__crowd_t *crowd, size_t index) {
    int code = uva__crowd_code(crowd, index);
    if (crowd->decides == NULL || !crowd->decides(crowd, index, code) ||
        crowd->decided)
        return false;
    crowd->decided = true;
    return true;
}

static void fire(uva__watcher_t *watcher, uva_future_t *f) {
    (void)f;
    uva__member_t *member = UVA__OF(watcher, uva__member_t, watcher);
    uva__crowd_t *crowd = member->crowd;
    crowd->pending--;
    if (note_over(crowd, (size_t)(member - crowd->members)) && crowd->parked)
        cancel_all(crowd);
    if (crowd->pending == 0 && crowd->parked) {
        crowd->parked = false;
        uva__wake(&crowd->waiter, 0);
    }
}

uva_future_t *uva__crowd_pass_on(uva__waiter_t *waiter) {
    uva__crowd_t *crowd = UVA__OF(waiter, uva__crowd_t, waiter);
    crowd->passed_on = true;
    crowd->decided = true; /* each child is asked once for each request */
    cancel_all(crowd);
    return NULL;
}

int uva__crowd_check(uva__crowd_t *crowd, const char *call) {
    crowd->task = uva__running(call);
    int code = crowd->task == NULL ? UV_EPERM : 0;
    if (code == 0)
        uva__hear_nothing(crowd->task);
    bool foreign = false;
    for (size_t i = 0; i < crowd->count; i++) {
        int own = uva__may_await(crowd->futures[i], crowd->task, call);
        foreign = foreign || own == UVA__NOT_TAKEN;
        if (own == UVA__NOT_TAKEN || own == UV_EPERM)
            code = UV_EPERM;
    }
    if (code == 0)
        return 0;
    for (size_t i = 0; i < crowd->count; i++) {
        const uva_future_t *f = crowd->futures[i];
        if (!foreign || (f != NULL && f->runtime == uva__thread_runtime))
            uva_unref(crowd->futures[i]);
    }
    return code;
}

/* Starts the coroutines, watches who runs, and asks about who is over. */
static void assemble(uva__crowd_t *crowd) {
    for (size_t i = 0; i < crowd->count; i++) {
        uva_future_t *f = crowd->futures[i];
        if (f != NULL && !crowd->decided && !crowd->task->is_cut)
            (void)uva__start(f, NULL);
        if (f != NULL && f->state == UVA__UNSTARTED)
            (void)uva__cancel(f, crowd->task->reason);
        if (f == NULL || uva__is_done(f)) {
            (void)note_over(crowd, i);
            continue;
        }
        crowd->members[i] =
            (uva__member_t){.watcher.fire = fire, .crowd = crowd};
        crowd->pending++;
        uva__watch(f, &crowd->members[i].watcher);
    }
}

/* Without memory for watchers: ends the children, one after the other. */
static int end_one_by_one(uva__crowd_t *crowd) {
    cancel_all(crowd);
    for (size_t i = 0; i < crowd->count; i++) {
        uva_future_t *f = crowd->futures[i];
        if (f != NULL && !uva__is_done(f))
            uva__wait_over(crowd->task, f);
    }
    crowd->chosen = crowd->count;
    return UV_ENOMEM;
}

/* Whether a request may have cost the call its success. */
static bool is_cut_short(const uva__crowd_t *crowd) {
    if (!crowd->passed_on)
        return false;
    if (crowd->chosen < crowd->count)
        return uva__crowd_code(crowd, crowd->chosen) < 0;
    for (size_t i = 0; i < crowd->count; i++) {
        if (uva__crowd_code(crowd, i) < 0)
            return true;
    }
    return false;
}

int uva__crowd_wait(uva__crowd_t *crowd) {
    crowd->chosen = crowd->count;
    crowd->members = crowd->small;
    if (crowd->count > UVA__SMALL_CROWD)
        crowd->members = malloc(crowd->count * sizeof *crowd->members);
    if (crowd->members == NULL)
        return end_one_by_one(crowd);
    crowd->waiter.wait = crowd->wait;
    assemble(crowd);
    crowd->passed_on = crowd->task->is_cut;
    if (crowd->decided || crowd->passed_on) {
        crowd->decided = true;
        cancel_all(crowd);
    }
    if (crowd->pending > 0) {
        crowd->parked = true;
        (void)uva__park(crowd->task, &crowd->waiter);
    } else {
        uva__breathe(crowd->task);
    }
    if (crowd->members != crowd->small)
        free(crowd->members);
    if (is_cut_short(crowd))
        uva__scope_note_cut(crowd->task);
    return 0;
}

int uva__crowd_dismiss(uva__crowd_t *crowd, void *ret_value) {
    int code = 0;
    if (crowd->chosen < crowd->count) {
        uva_future_t *f = crowd->futures[crowd->chosen];
        code = f != NULL ? uva__deliver(f, ret_value) : UV_ENOMEM;
    }
    for (size_t i = 0; i < crowd->count; i++) {
        if (crowd->futures[i] != NULL)
            crowd->futures[i]->seen = true;
        uva_unref(crowd->futures[i]);
    }
    return code;
}
