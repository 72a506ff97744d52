/*
 * What: uva_select().
 *
 * How: the cases are looked at in order, and the first that is ready takes
 * effect. If none is, each takes its place where it waits: an offer in its
 * channel, a watcher at its future, one at its stream, and a deadline. All of
 * them belong to one selection and one park. The first to come decides it: the
 * others are taken out there and then (offer.h), so nobody ever finds a place
 * of a select that is over, and a cancellation between wake and run changes
 * nothing.
 *
 * A future that decides is held until its task runs: its owner may let go of it
 * in between. Streams are held for the whole call, since they may be closed in
 * it. The rest must stay as long as the call does.
 */
#include "uvawait/select.h"

#include <limits.h>
#include <stdlib.h>

#include "offer.h"
#include "runtime/seam.h"

enum { FEW = 8 };

typedef struct select select_t;

/* Where a case waits. */
typedef struct place {
    union {
        uva__offer_t offer;
        uva__watcher_t watcher;
        uva__readable_t readable;
    } as;
    select_t *select;
    bool stands;   /* and must be taken out */
    bool is_owner; /* of a stream's reading side */
} place_t;

struct select {
    uva__selection_t selection;
    uva_deadline_t deadline;
    uva_case_t *cases;
    size_t count;
    size_t first; /* the case that is looked at first */
    bool has_streams;
    bool is_outside;
    place_t *places; /* as many as cases, while parked */
};

/* What the kinds of cases have in common. */
typedef struct kind {
    /* Whether it can take effect now; `on` is not NULL. */
    bool (*is_ready)(const uva_case_t *what);
    /* Lets it; its code. `on` may be NULL where that is ready. */
    int (*take)(uva_case_t *what);
    /* Waits for it: 0, or the case is ready after all, with this code. */
    int (*stand)(place_t *place, uva_case_t *what);
    void (*withdraw)(place_t *place, uva_case_t *what);
} kind_t;

static const char call[] = "uva_select";

/* ---- deciding ----------------------------------------------------------- */

static uva_case_t *case_of(const place_t *place) {
    select_t *select = place->select;
    return &select->cases[place - select->places];
}

static void withdraw_all(select_t *select);

/* The case takes effect; it no longer stands anywhere. */
static void decide(place_t *place, int code) {
    select_t *select = place->select;
    place->stands = false;
    case_of(place)->code = code;
    withdraw_all(select);
    uva__wake(&select->selection.waiter, (int)(place - select->places));
}

static void expire(uva_deadline_t *deadline) {
    select_t *select = UVA__OF(deadline, select_t, deadline);
    withdraw_all(select);
    uva__wake(&select->selection.waiter, UV_ETIMEDOUT);
}

static uva_future_t *cancel(uva__waiter_t *waiter) {
    withdraw_all(UVA__OF(waiter, select_t, selection.waiter));
    uva__wake_cut(waiter);
    return NULL;
}

static void describe(const uva__waiter_t *waiter, FILE *out) {
    (void)fprintf(out, " of %zu",
                  UVA__OF(waiter, const select_t, selection.waiter)->count);
}

static const uva__wait_t select_wait = {
    .reason = "select", .cancel = cancel, .describe = describe};
static const uva__wait_t select_outside_wait = {.reason = "select",
                                                .cancel = cancel,
                                                .outside = true,
                                                .describe = describe};

/* ---- channels ----------------------------------------------------------- */

/* A close makes both directions of a channel ready at once, and order is
 * priority: an earlier case on the same channel is the one. */
static place_t *first_on(place_t *place) {
    place_t *first = place->select->places;
    while (first != place &&
           !(first->stands && case_of(first)->on == case_of(place)->on))
        first++;
    return first;
}

static void decide_offer(uva__offer_t *offer, int code) {
    place_t *place = UVA__OF(offer, place_t, as.offer);
    place_t *first = code < 0 ? first_on(place) : place;
    if (first != place) {
        place->stands = false;
        uva__offer_withdraw(&first->as.offer);
        code = case_of(first)->kind == UVA_SEND ? UV_EPIPE : UV_EOF;
    }
    decide(first, code);
}

static int stand_in(uva_waiters_t *queue, place_t *place, uva_case_t *what) {
    place->as.offer = (uva__offer_t){.queue = queue,
                                     .item = what->item,
                                     .selection = &place->select->selection};
    uva__offer_stand(&place->as.offer);
    return 0;
}

static void withdraw_offer(place_t *place, uva_case_t *what) {
    (void)what;
    uva__offer_withdraw(&place->as.offer);
}

static bool send_is_ready(const uva_case_t *what) {
    return uva__channel_sends(what->on);
}

static int take_send(uva_case_t *what) {
    return uva__channel_send_now(what->on, what->item, call);
}

static int stand_to_send(place_t *place, uva_case_t *what) {
    return stand_in(&((uva_channel_t *)what->on)->senders, place, what);
}

static bool recv_is_ready(const uva_case_t *what) {
    return uva__channel_receives(what->on);
}

static int take_recv(uva_case_t *what) {
    return uva__channel_recv_now(what->on, what->item, call);
}

static int stand_to_recv(place_t *place, uva_case_t *what) {
    return stand_in(&((uva_channel_t *)what->on)->receivers, place, what);
}

/* ---- futures ------------------------------------------------------------ */

static bool future_is_ready(const uva_case_t *what) {
    return uva__is_done(what->on);
}

static int take_future(uva_case_t *what) {
    return what->on != NULL ? uva__deliver(what->on, what->item) : UV_ENOMEM;
}

static void fire_future(uva__watcher_t *watcher, uva_future_t *f) {
    (void)uva_ref(f);
    decide(UVA__OF(watcher, place_t, as.watcher), f->code);
}

static int stand_at_future(place_t *place, uva_case_t *what) {
    place->as.watcher = (uva__watcher_t){.fire = fire_future};
    uva__watch(what->on, &place->as.watcher);
    return 0;
}

static void withdraw_watcher(place_t *place, uva_case_t *what) {
    uva__unwatch(what->on, &place->as.watcher);
}

/* ---- streams ------------------------------------------------------------ */

static bool stream_is_ready(const uva_case_t *what) {
    return uva__readable_now(what->on) != UV_EAGAIN;
}

static int take_stream(uva_case_t *what) {
    return uva__readable_now(what->on);
}

static void fire_readable(uva__readable_t *readable, int code) {
    decide(UVA__OF(readable, place_t, as.readable), code);
}

/* Whether an earlier case of the same select stands at the stream already. */
static bool is_watched(const place_t *place, const uva_stream_t *stream) {
    for (const place_t *other = place->select->places; other < place; other++) {
        if (other->is_owner && case_of(other)->on == stream)
            return true;
    }
    return false;
}

/* Nobody else has come to read since it was looked at. */
static int stand_at_stream(place_t *place, uva_case_t *what) {
    if (uva__readable_now(what->on) == UV_EBUSY && is_watched(place, what->on))
        return 0;
    place->as.readable = (uva__readable_t){.fire = fire_readable};
    int code = uva__readable_watch(what->on, &place->as.readable);
    place->is_owner = code == 0;
    return code;
}

static void withdraw_readable(place_t *place, uva_case_t *what) {
    if (place->is_owner)
        uva__readable_unwatch(what->on);
}

/* ---- all cases ---------------------------------------------------------- */

static const kind_t kinds[] = {
    [UVA_SEND] = {send_is_ready, take_send, stand_to_send, withdraw_offer},
    [UVA_RECV] = {recv_is_ready, take_recv, stand_to_recv, withdraw_offer},
    [UVA_FUTURE] = {future_is_ready, take_future, stand_at_future,
                    withdraw_watcher},
    [UVA_READABLE] = {stream_is_ready, take_stream, stand_at_stream,
                      withdraw_readable},
};

static void withdraw_all(select_t *select) {
    for (size_t i = 0; i < select->count; i++) {
        place_t *place = &select->places[i];
        if (place->stands)
            kinds[select->cases[i].kind].withdraw(place, &select->cases[i]);
        place->stands = false;
    }
    uva__deadlines_disarm(
        &select->selection.waiter.task->future.runtime->deadlines,
        &select->deadline);
}

static bool is_ready(const uva_case_t *what) {
    if (what->on == NULL)
        return what->kind == UVA_FUTURE;
    return kinds[what->kind].is_ready(what);
}

/* The first case that is ready; select->count: none. */
static size_t find_ready(const select_t *select) {
    for (size_t i = select->first; i < select->count; i++) {
        if (is_ready(&select->cases[i]))
            return i;
    }
    for (size_t i = 0; i < select->first; i++) {
        if (is_ready(&select->cases[i]))
            return i;
    }
    return select->count;
}

/* ---- waiting ------------------------------------------------------------ */

/* Puts every case where it waits: select->count, or the index of one that is
 * ready after all. */
static size_t stand_all(select_t *select) {
    for (size_t i = 0; i < select->count; i++)
        select->places[i] = (place_t){.select = select};
    for (size_t i = 0; i < select->count; i++) {
        uva_case_t *what = &select->cases[i];
        if (what->on == NULL)
            continue;
        int code = kinds[what->kind].stand(&select->places[i], what);
        if (code != 0) {
            what->code = code;
            withdraw_all(select);
            return i;
        }
        select->places[i].stands = true;
    }
    return select->count;
}

/* The task runs again, or never parked. */
static void leave_streams(select_t *select) {
    for (size_t i = 0; select->has_streams && i < select->count; i++) {
        if (select->places[i].is_owner)
            uva__readable_over(select->cases[i].on);
    }
}

static int park(select_t *select, uva__task_t *task, uint64_t timeout_ms) {
    select->selection = (uva__selection_t){
        .waiter.wait = select->is_outside ? &select_outside_wait : &select_wait,
        .waiter.task = task,
        .decide = decide_offer};
    size_t ready = stand_all(select);
    int index = (int)ready;
    if (ready == select->count) {
        uva_runtime_t *rt = task->future.runtime;
        if (timeout_ms != UVA_FOREVER)
            uva__deadlines_arm(&rt->deadlines, &select->deadline,
                               uva__deadline_ns(rt, timeout_ms));
        index = uva__park(task, &select->selection.waiter);
    }
    leave_streams(select);
    if (index < 0)
        return index;
    uva_case_t *taken = &select->cases[index];
    if (taken->kind == UVA_FUTURE) {
        taken->code = take_future(taken);
        uva_unref(taken->on);
    }
    return index;
}

static int wait_for_one(select_t *select, uva__task_t *task,
                        uint64_t timeout_ms) {
    int code = uva__may_park(task);
    if (code < 0 || select->count <= FEW)
        return code < 0 ? code : park(select, task, timeout_ms);
    select->places = malloc(select->count * sizeof *select->places);
    if (select->places == NULL)
        return UV_ENOMEM;
    code = park(select, task, timeout_ms);
    free(select->places);
    return code;
}

/* A channel refuses when who waits in it is another thread's: reported. */
static int take_case(uva_case_t *what, int index) {
    int code = kinds[what->kind].take(what);
    if (code == UV_EPERM && (what->kind == UVA_SEND || what->kind == UVA_RECV))
        return code;
    what->code = code;
    return index;
}

static int take_one(select_t *select, uva__task_t *task, uint64_t timeout_ms) {
    size_t index = find_ready(select);
    if (index < select->count) {
        bool yields = uva__spends_last(task);
        int code = uva__spend(task);
        if (code < 0)
            return code;
        if (yields) /* others ran */
            index = find_ready(select);
    }
    if (index < select->count)
        return take_case(&select->cases[index], (int)index);
    return timeout_ms > 0 ? wait_for_one(select, task, timeout_ms)
                          : UV_ETIMEDOUT;
}

/* ---- the call ----------------------------------------------------------- */

static int check_future(const uva_future_t *f, uva__task_t *task) {
    int code = uva__may_await(f, task, call);
    return code == UV_EPERM || code == UVA__NOT_TAKEN ? UV_EPERM : 0;
}

static int check_case(const uva_case_t *what, uva__task_t *task) {
    switch (what->kind) {
    case UVA_SEND:
    case UVA_RECV:
        if (what->on == NULL || uva__channel_takes(what->on, what->item))
            return 0;
        return UV_EINVAL;
    case UVA_FUTURE:
        return check_future(what->on, task);
    case UVA_READABLE:
        return what->on != NULL ? uva__readable_check(what->on, call) : 0;
    }
    return UV_EINVAL;
}

/* Starts coroutines, and holds streams until let_go(). */
static void begin(select_t *select) {
    for (size_t i = 0; i < select->count; i++) {
        const uva_case_t *what = &select->cases[i];
        if (what->on == NULL)
            continue;
        if (what->kind == UVA_FUTURE)
            (void)uva__start(what->on, NULL);
        if (what->kind != UVA_READABLE)
            continue;
        uva__readable_hold(what->on);
        select->has_streams = true;
        select->is_outside |= uva__readable_is_outside(what->on);
    }
}

static void let_go(select_t *select) {
    for (size_t i = 0; select->has_streams && i < select->count; i++) {
        if (select->cases[i].kind == UVA_READABLE &&
            select->cases[i].on != NULL)
            uva__readable_let_go(select->cases[i].on);
    }
}

static int select_from(uva_case_t cases[], size_t count, uint64_t timeout_ms,
                       size_t first) {
    uva__task_t *task = uva__running(call);
    if (task == NULL)
        return UV_EPERM;
    if (count > INT_MAX || (count > 0 && cases == NULL) ||
        (count == 0 && timeout_ms == UVA_FOREVER))
        return UV_EINVAL;
    bool only_channels = true;
    for (size_t i = 0; i < count; i++) {
        int code = check_case(&cases[i], task);
        if (code < 0)
            return code;
        only_channels &= cases[i].kind <= UVA_RECV;
    }
    place_t few[FEW]; /* not cleared: as a rule there is no need for them */
    select_t select = {.deadline.expire = expire,
                       .cases = cases,
                       .count = count,
                       .first = first,
                       .places = few};
    if (!only_channels)
        begin(&select);
    int code = take_one(&select, task, timeout_ms);
    let_go(&select);
    return code;
}

int uva_select(uva_case_t cases[], size_t count, uint64_t timeout_ms) {
    return select_from(cases, count, timeout_ms, 0);
}

int uva_select_rotating(uva_case_t cases[], size_t count, uint64_t timeout_ms,
                        size_t *cursor) {
    if (cursor == NULL)
        return UV_EINVAL;
    int index =
        select_from(cases, count, timeout_ms, count > 0 ? *cursor % count : 0);
    if (index >= 0)
        *cursor = ((size_t)index + 1) % count;
    return index;
}
