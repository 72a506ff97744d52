/*
 * What: rate limiters: a token bucket on the runtime's clock.
 *
 * How: the bucket's level is counted in such parts that everything is whole: in
 * a nanosecond `gain` parts flow in, a token is `cost` parts, where gain : cost
 * is count : nanoseconds of the rate, in lowest terms. So nothing is rounded
 * and nothing drifts: the nth token is there in the first nanosecond that is
 * not before n * period / count.
 *
 * Only the head of the queue has a deadline, the limiter's own. Tokens for the
 * head are taken at the moment when they were due (at_ns), not when the loop
 * came round to it: a late poll delays an admission, but not the next ones.
 * While somebody waits the bucket cannot be full, so nothing flows over.
 *
 * Source: the continuous-state leaky bucket of the generic cell rate algorithm,
 * ITU-T Recommendation I.371, turned upside down: a level that rises.
 */
#include "uvawait/rate_limiter.h"

#include "runtime/seam.h"

typedef struct taker {
    uva__waiter_t waiter;
    uint64_t parts;
} taker_t;

/* ---- the bucket --------------------------------------------------------- */

static uint64_t greatest_common_divisor(uint64_t a, uint64_t b) {
    while (b != 0) {
        uint64_t rest = a % b;
        a = b;
        b = rest;
    }
    return a;
}

static uint64_t divide_up(uint64_t a, uint64_t b) {
    return a / b + (a % b != 0);
}

/* When so many parts are there. */
static uint64_t due_ns(const uva_rate_limiter_t *limiter, uint64_t parts) {
    if (parts <= limiter->level)
        return limiter->at_ns;
    uint64_t wait = divide_up(parts - limiter->level, limiter->gain);
    return wait < UINT64_MAX - limiter->at_ns ? limiter->at_ns + wait
                                              : UINT64_MAX;
}

/* The level at a later moment. A clock that went back is another runtime's:
 * nothing flows in. */
static uint64_t level_at(const uva_rate_limiter_t *limiter, uint64_t now) {
    if (now <= limiter->at_ns)
        return limiter->level;
    uint64_t passed = now - limiter->at_ns;
    uint64_t room = limiter->full - limiter->level;
    if (passed >= divide_up(room, limiter->gain))
        return limiter->full;
    return limiter->level + passed * limiter->gain;
}

static void flow(uva_rate_limiter_t *limiter, uint64_t now) {
    limiter->level = level_at(limiter, now);
    limiter->at_ns = now;
}

/* Takes parts for somebody who waits. They were there within the nanosecond
 * before `due`; what has flowed in since then is kept. */
static void take_when_due(uva_rate_limiter_t *limiter, uint64_t parts,
                          uint64_t due) {
    limiter->at_ns = due;
    if (parts <= limiter->level) {
        limiter->level -= parts;
        return;
    }
    uint64_t last = (parts - limiter->level) % limiter->gain;
    uint64_t over = last > 0 ? limiter->gain - last : 0;
    limiter->level = over < limiter->full ? over : limiter->full;
}

int uva_rate_limiter_init(uva_rate_limiter_t *limiter, uint64_t count,
                          uint64_t per_ms, uint64_t burst) {
    *limiter = (uva_rate_limiter_t){.gain = 1};
    if (count == 0 || burst == 0 || per_ms == 0 ||
        per_ms > UINT64_MAX / 1000000)
        return UV_EINVAL;
    uint64_t period_ns = per_ms * 1000000;
    uint64_t common = greatest_common_divisor(count, period_ns);
    if (burst > UINT64_MAX / (period_ns / common))
        return UV_EINVAL;
    limiter->gain = count / common;
    limiter->cost = period_ns / common;
    limiter->burst = burst;
    limiter->full = burst * limiter->cost;
    limiter->level = limiter->full;
    return 0;
}

/* ---- the queue ---------------------------------------------------------- */

static void expire(uva_deadline_t *deadline);

/* Sets the deadline for the head of the queue, or none. */
static void rearm(uva_rate_limiter_t *limiter, uva_runtime_t *rt,
                  uint64_t at_ns) {
    uva_deadline_t *deadline = &limiter->deadline;
    if (uva__deadline_is_armed(deadline) && deadline->at_ns == at_ns)
        return;
    uva__deadlines_disarm(&rt->deadlines, deadline);
    deadline->expire = expire;
    uva__deadlines_arm(&rt->deadlines, deadline, at_ns);
}

/* Admits who is due by now, each at the moment when it was. */
static void serve(uva_rate_limiter_t *limiter, uva_runtime_t *rt,
                  uint64_t now) {
    uva__waiter_t *head;
    while ((head = uva__first_waiter(&limiter->waiters)) != NULL) {
        uint64_t parts = UVA__OF(head, taker_t, waiter)->parts;
        uint64_t due = due_ns(limiter, parts);
        if (due > now) {
            rearm(limiter, rt, due);
            return;
        }
        take_when_due(limiter, parts, due);
        uva__wake_first(&limiter->waiters, 0);
    }
    uva__deadlines_disarm(&rt->deadlines, &limiter->deadline);
}

static void expire(uva_deadline_t *deadline) {
    uva_rate_limiter_t *limiter =
        UVA__OF(deadline, uva_rate_limiter_t, deadline);
    uva_runtime_t *rt =
        uva__first_waiter(&limiter->waiters)->task->future.runtime;
    serve(limiter, rt, uva__now_ns(rt));
}

static uva_future_t *give_up(uva__waiter_t *waiter) {
    uva_rate_limiter_t *limiter =
        UVA__OF(waiter->queue, uva_rate_limiter_t, waiters);
    uva_runtime_t *rt = waiter->task->future.runtime;
    (void)uva__leave_queue(waiter);
    serve(limiter, rt, uva__now_ns(rt));
    return NULL;
}

static const uva__wait_t limiter_wait = {.reason = "rate limiter",
                                         .cancel = give_up};

/* ---- acquire ------------------------------------------------------------ */

/* Whether so many tokens can ever be there; none in one that was not made. */
static bool is_possible(const uva_rate_limiter_t *limiter, uint64_t tokens) {
    return tokens <= limiter->burst && limiter->burst > 0;
}

/* Whether so many tokens could be had now without barging in. */
static bool is_there(uva_rate_limiter_t *limiter, uva_runtime_t *rt,
                     uint64_t tokens) {
    uint64_t now = uva__now_ns(rt);
    serve(limiter, rt, now);
    if (uva__has_waiters(&limiter->waiters))
        return false;
    flow(limiter, now);
    return limiter->level >= tokens * limiter->cost;
}

static int wait_in_line(uva__task_t *task, uva_rate_limiter_t *limiter,
                        uint64_t tokens) {
    int code = uva__may_park(task);
    if (code < 0)
        return code;
    taker_t taker = {.waiter.wait = &limiter_wait,
                     .waiter.queue = &limiter->waiters,
                     .parts = tokens * limiter->cost};
    /* At the head of the queue it is due later than now, or it would not be
     * here: it is not woken before it parks. */
    if (!uva__has_waiters(&limiter->waiters))
        rearm(limiter, task->future.runtime, due_ns(limiter, taker.parts));
    uva__list_push(&limiter->waiters.list, &taker.waiter.link);
    return uva__park(task, &taker.waiter);
}

int uva_rate_limiter_acquire(uva_rate_limiter_t *limiter, uint64_t tokens) {
    const char *call = "uva_rate_limiter_acquire";
    uva__task_t *task = uva__running(call);
    if (task == NULL)
        return UV_EPERM;
    if (!is_possible(limiter, tokens))
        return UV_EINVAL;
    if (uva__check_thread(&limiter->waiters, call) < 0)
        return UV_EPERM;
    uva_runtime_t *rt = task->future.runtime;
    bool has_them = is_there(limiter, rt, tokens);
    if (has_them) {
        bool yields = uva__spends_last(task);
        int code = uva__spend(task);
        if (code < 0)
            return code;
        if (yields) /* others ran */
            has_them = is_there(limiter, rt, tokens);
    }
    if (!has_them)
        return wait_in_line(task, limiter, tokens);
    limiter->level -= tokens * limiter->cost;
    return 0;
}

int uva_rate_limiter_try_acquire(uva_rate_limiter_t *limiter, uint64_t tokens) {
    const char *call = "uva_rate_limiter_try_acquire";
    uva_runtime_t *rt = uva__thread_runtime;
    if (!is_possible(limiter, tokens))
        return UV_EINVAL;
    if (rt == NULL)
        return uva__misuse(call, "called in a thread without a runtime, and "
                                 "so without its clock");
    if (uva__check_thread(&limiter->waiters, call) < 0)
        return UV_EPERM;
    if (!is_there(limiter, rt, tokens))
        return UV_EAGAIN;
    limiter->level -= tokens * limiter->cost;
    return 0;
}

/* ---- looking ------------------------------------------------------------ */

uint64_t uva_rate_limiter_available(const uva_rate_limiter_t *limiter) {
    const uva_runtime_t *rt = uva__thread_runtime;
    if (limiter->cost == 0)
        return 0;
    uint64_t now = rt != NULL ? uva__now_ns(rt) : limiter->at_ns;
    return level_at(limiter, now) / limiter->cost;
}

void uva_rate_limiter_set_name(uva_rate_limiter_t *limiter, const char *name) {
    limiter->waiters.name = name;
}

void uva_rate_limiter_statistics(
    const uva_rate_limiter_t *limiter,
    uva_rate_limiter_statistics_t *ret_statistics) {
    *ret_statistics = (uva_rate_limiter_statistics_t){
        .name = limiter->waiters.name,
        .available = uva_rate_limiter_available(limiter),
        .burst = limiter->burst,
        .waiting = uva__count_waiters(&limiter->waiters)};
}
