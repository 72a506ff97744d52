/*
 * What: the hooks through which tasks run, and the decision how the loop may
 * sleep.
 *
 * How: tasks run after the poll (check) and before it (prepare), never inside
 * a callback. All handles are unreferenced; while tasks live the prepare handle
 * is referenced, which is what keeps the loop alive. `idle` is active while
 * something is ready, so that the poll does not block. One timer, set only when
 * the loop is about to block, bounds the poll by the earliest deadline;
 * deadlines are checked against a fresh clock after each poll, so the timer's
 * own callback has nothing to do.
 *
 * Rejected: one uv_timer_t for each sleep (init and close cost 250 ns and a
 * loop turn), running tasks inside the callbacks that wake them (libuv keeps
 * queue heads on the stack while it calls back).
 *
 * If you change this: the end of a runtime is in end.c; test_loop and
 * test_embed hold what is promised here.
 */
#include "loop.h"

#include "deadlock.h"
#include "end.h"
#include "ping.h"
#include "post.h"
#include "schedule.h"

/* Pooled stacks, last used first, that keep their memory while the loop is
 * idle: enough for a burst that comes back, small beside a server. */
enum { STACKS_KEPT_WARM = 256 };

static void on_idle(uv_idle_t *handle);
static void on_timer(uv_timer_t *handle);

/* ---- keeping the loop alive --------------------------------------------- */

void uva__loop_hold(uva_runtime_t *rt) {
    if (rt->holding)
        return;
    rt->holding = true;
    uv_ref((uv_handle_t *)&rt->prepare);
}

static void let_go(uva_runtime_t *rt) {
    if (!rt->holding)
        return;
    rt->holding = false;
    uv_unref((uv_handle_t *)&rt->prepare);
}

static void set_idle(uva_runtime_t *rt, bool on) {
    if (rt->idling == on)
        return;
    if (on) {
        rt->idling = uv_idle_start(&rt->idle, on_idle) == 0;
    } else {
        rt->idling = false;
        (void)uv_idle_stop(&rt->idle);
    }
}

void uva__loop_has_work(uva_runtime_t *rt) {
    rt->deadlocked = false;
    if (rt->life >= UVA__CLOSING)
        return;
    uva__loop_hold(rt);
    set_idle(rt, true);
}

/* Whether the loop has anything going on that is not ours: requests, the
 * host's handles. Ours are unreferenced but for the hold. */
static bool is_in_flight(uva_runtime_t *rt) {
    bool held = rt->holding;
    let_go(rt);
    bool alive = uv_loop_alive(rt->loop) != 0;
    if (held)
        uva__loop_hold(rt);
    return alive;
}

/* ---- how to sleep ------------------------------------------------------- */

/* Makes the poll end at the earliest deadline: rounded up, never early. A
 * timer that would end it within the right millisecond is left as it is. */
static UVA__COLD void set_timer(uva_runtime_t *rt) {
    const uva_deadline_t *earliest = rt->deadlines.earliest;
    if (earliest == NULL || rt->is_virtual) {
        if (rt->armed_ns != 0)
            (void)uv_timer_stop(&rt->timer);
        rt->armed_ns = 0;
        return;
    }
    uint64_t now = uv_hrtime();
    uint64_t left_ns = earliest->at_ns > now ? earliest->at_ns - now : 0;
    uint64_t left_ms = (left_ns + 999999) / 1000000;
    if (rt->armed_ns == earliest->at_ns &&
        uv_timer_get_due_in(&rt->timer) == left_ms)
        return;
    rt->armed_ns = earliest->at_ns;
    (void)uv_timer_start(&rt->timer, on_timer, left_ms, 0);
}

/* The poll may block: by the earliest deadline, and with less memory. */
static inline void bound(uva_runtime_t *rt) {
    if (rt->deadlines.earliest != NULL || rt->armed_ns != 0)
        set_timer(rt);
    uva__stacks_trim(&rt->stacks, STACKS_KEPT_WARM);
}

/* Every task is parked and nobody could ever wake one (R14). */
static bool is_deadlocked(uva_runtime_t *rt) {
    return rt->live > 0 && rt->deadlines.earliest == NULL && rt->outside == 0 &&
           rt->requests == 0 && !rt->deadlocked &&
           uva__runtime_users(atomic_load(&rt->refs)) == 1 &&
           !is_in_flight(rt) && !uva__posts_are_waiting(rt);
}

/* The virtual clock may jump when one poll that did not block brought
 * nothing. */
static bool may_jump(uva_runtime_t *rt) {
    return rt->is_virtual && rt->deadlines.earliest != NULL &&
           rt->requests == 0 && !is_in_flight(rt);
}

/* Whether there is nothing to decide but the timer: the usual case of a server
 * that waits for its sockets. */
static inline bool is_plain_wait(const uva_runtime_t *rt) {
    return uva__ready_is_empty(&rt->ready) && !rt->idling && rt->outside > 0 &&
           rt->life == UVA__RUNNING && !rt->is_virtual &&
           !uva__has_waiters(&rt->wait_quiet) &&
           atomic_load_explicit(&rt->pings, memory_order_relaxed) == NULL;
}

/* Decides how long the poll may take. */
static UVA__COLD void settle(uva_runtime_t *rt) {
    /* What this thread has fired itself need not wait for the poll, and is to
     * be done before nothing is said to be ready. */
    if (uva__ready_is_empty(&rt->ready) && atomic_load(&rt->pings) != NULL)
        uva__pings_deliver(rt);
    if (rt->life == UVA__ENDING)
        uva__end_press_on(rt);
    if (uva__ready_is_empty(&rt->ready) && uva__has_waiters(&rt->wait_quiet))
        uva__wake_quiet(rt);
    if (!uva__ready_is_empty(&rt->ready)) {
        set_idle(rt, true);
        return;
    }
    if (rt->live == 0 && rt->life == UVA__RUNNING)
        let_go(rt);
    if (is_deadlocked(rt)) {
        rt->deadlocked = true;
        uva__deadlock(rt);
        if (uva__ready_is_empty(&rt->ready))
            let_go(rt);
    }
    rt->quiet = may_jump(rt);
    set_idle(rt, rt->quiet || !uva__ready_is_empty(&rt->ready));
    bound(rt);
}

static void expire(uva_runtime_t *rt) {
    if (rt->quiet && uva__ready_is_empty(&rt->ready) && may_jump(rt) &&
        rt->deadlines.earliest->at_ns > rt->virtual_ns)
        rt->virtual_ns = rt->deadlines.earliest->at_ns;
    (void)uva__deadlines_expire(&rt->deadlines, uva__now_ns(rt));
}

/* ---- hooks -------------------------------------------------------------- */

static void on_prepare(uv_prepare_t *handle) {
    uva_runtime_t *rt = handle->data;
    if (!rt->poll_due && !uva__ready_is_empty(&rt->ready))
        uva__drain(rt);
    if (UVA__LIKELY(is_plain_wait(rt))) {
        rt->quiet = false;
        bound(rt);
    } else if (rt->life == UVA__ENDING && uva__end_is_reached(rt)) {
        uva__end_close(rt);
    } else if (rt->life <= UVA__ENDING) {
        settle(rt);
    }
}

static void on_check(uv_check_t *handle) {
    uva_runtime_t *rt = handle->data;
    rt->poll_due = false;
    if (rt->deadlines.earliest != NULL)
        expire(rt);
    rt->quiet = false;
    if (!uva__ready_is_empty(&rt->ready))
        uva__drain(rt);
    /* What is left is for after the next poll. Who was woken in this one has
     * not said so: uva__queue_polled(). */
    if (!uva__ready_is_empty(&rt->ready))
        uva__loop_has_work(rt);
}

/* Active only so that the poll does not block. */
static void on_idle(uv_idle_t *handle) {
    (void)handle;
}

/* Only bounds the poll; on_check looks at the deadlines. */
static void on_timer(uv_timer_t *handle) {
    uva_runtime_t *rt = handle->data;
    rt->armed_ns = 0;
}

/* ---- handles ------------------------------------------------------------ */

static void on_closed(uv_handle_t *handle) {
    uva__loop_handle_closed(handle->data);
}

void uva__loop_close(uva_runtime_t *rt, uv_handle_t *handle) {
    handle->data = rt;
    uv_close(handle, on_closed);
}

/* The end may be waiting for the last of them. */
static void end_if_last(uva_runtime_t *rt) {
    if (rt->life == UVA__CLOSING && rt->handles == 0 && rt->requests == 0)
        uva__end_over(rt);
}

int uva__loop_adopt(uva_runtime_t *rt, uv_handle_t *handle, void *owner,
                    int code) {
    if (code < 0)
        return code;
    handle->data = owner;
    uv_unref(handle);
    rt->handles++;
    return 0;
}

void uva__loop_handle_closed(uva_runtime_t *rt) {
    rt->handles--;
    end_if_last(rt);
}

void uva__loop_request_ended(uva_runtime_t *rt) {
    rt->requests--;
    end_if_last(rt);
}

/* The handles in the order of their initialisation. */
static uv_handle_t *handle_at(uva_runtime_t *rt, size_t index) {
    uv_handle_t *handles[] = {
        (uv_handle_t *)&rt->posts.async, (uv_handle_t *)&rt->prepare,
        (uv_handle_t *)&rt->check, (uv_handle_t *)&rt->idle,
        (uv_handle_t *)&rt->timer};
    return handles[index];
}

static int init_handle(uva_runtime_t *rt, size_t index) {
    switch (index) {
    case 0:
        return uva__posts_init_async(rt);
    case 1:
        return uv_prepare_init(rt->loop, &rt->prepare);
    case 2:
        return uv_check_init(rt->loop, &rt->check);
    case 3:
        return uv_idle_init(rt->loop, &rt->idle);
    default:
        return uv_timer_init(rt->loop, &rt->timer);
    }
}

void uva__loop_term(uva_runtime_t *rt) {
    for (size_t i = rt->loop_handles; i-- > 0;)
        uva__loop_close(rt, handle_at(rt, i));
    rt->loop_handles = 0;
}

int uva__loop_init(uva_runtime_t *rt) {
    int code = 0;
    for (size_t i = 0; i < 5 && code == 0; i++) {
        code = uva__loop_adopt(rt, handle_at(rt, i), rt, init_handle(rt, i));
        rt->loop_handles += code == 0;
    }
    if (code == 0)
        code = uv_prepare_start(&rt->prepare, on_prepare);
    if (code == 0)
        code = uv_check_start(&rt->check, on_check);
    return code;
}
