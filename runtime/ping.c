/*
 * What: pings: an intrusive list that any thread and any signal handler pushes
 * onto, and the loop takes as a whole.
 *
 * How: `state` of a ping and `pings_gate` of a runtime are gates: a bit says
 * whether it is open, the count above it who is inside. Who fires goes through
 * both. Closing takes the bit away and waits until nobody is inside, which is a
 * matter of a few instructions, so that neither a ping nor a runtime goes while
 * somebody uses it. A signal handler never waits: it passes or is refused.
 *
 * QUEUED says that a ping is on the list or about to be: who finds it set has
 * nothing to do. It is taken away before `run`, so what is fired meanwhile is
 * not lost.
 *
 * The loop is woken by uv_async_send(), the one call that libuv documents as
 * safe in a signal handler and from any thread. Up to libuv 1.52 it looks at
 * its flag without a fence; ours stands before it.
 *
 * Rejected: libuv's own async handle for each ping. It needs memory and a close
 * callback, and every send walks all of them.
 */
#include "ping.h"

#include <errno.h>
#include <sched.h>

#include "post.h"
#include "sanitizers.h"

_Static_assert(ATOMIC_INT_LOCK_FREE == 2 && ATOMIC_POINTER_LOCK_FREE == 2,
               "signal handlers need atomics without a lock");

enum { QUEUED = 1, OPEN = 2, INSIDE = 4 };

/* ---- gates -------------------------------------------------------------- */

static bool enter(atomic_uint *gate) {
    /* Who is refused leaves no trace, so that a closed gate is quiet at once
     * and can be opened anew. */
    unsigned seen = atomic_load(gate);
    do {
        if ((seen & OPEN) == 0)
            return false;
    } while (!atomic_compare_exchange_weak(gate, &seen, seen + INSIDE));
    return true;
}

static void leave(atomic_uint *gate) {
    (void)atomic_fetch_sub(gate, INSIDE);
}

static void shut(atomic_uint *gate) {
    (void)atomic_fetch_and(gate, ~(unsigned)OPEN);
    while (atomic_load(gate) >= INSIDE)
        (void)sched_yield();
}

/* ---- firing ------------------------------------------------------------- */

static void wake_loop(uva_runtime_t *rt) {
#if !UVA__TSAN /* which does not know fences, nor libuv's flag */
    atomic_thread_fence(memory_order_seq_cst);
#endif
    (void)uv_async_send(&rt->posts.async);
}

static void push(uva_runtime_t *rt, uva_ping_t *ping) {
    if ((atomic_fetch_or(&ping->state, QUEUED) & QUEUED) != 0)
        return;
    uva_ping_t *head = atomic_load(&rt->pings);
    do
        ping->next = head;
    while (!atomic_compare_exchange_weak(&rt->pings, &head, ping));
    wake_loop(rt);
}

int uva__ping_fire(uva_ping_t *ping) {
    int saved_errno = errno;
    int code = UV_ESHUTDOWN;
    if (enter(&ping->state)) {
        uva_runtime_t *rt = ping->runtime;
        if (enter(&rt->pings_gate)) {
            push(rt, ping);
            leave(&rt->pings_gate);
            code = 0;
        }
        leave(&ping->state);
    }
    errno = saved_errno;
    return code;
}

/* ---- the loop's side ---------------------------------------------------- */

void uva__ping_open(uva_ping_t *ping, uva_runtime_t *rt,
                    void (*run)(uva_ping_t *ping)) {
    uva__runtime_hold(rt);
    ping->next = NULL;
    ping->runtime = rt;
    ping->run = run;
    atomic_store(&ping->state, OPEN);
}

bool uva__ping_is_over(const uva_ping_t *ping) {
    return (atomic_load(&ping->runtime->pings_gate) & OPEN) == 0;
}

bool uva__ping_is_ours(const uva_ping_t *ping) {
    return ping->runtime == uva__thread_runtime || uva__ping_is_over(ping);
}

void uva__ping_close(uva_ping_t *ping) {
    shut(&ping->state);
    /* Nobody is about to push it: queued means on the list. After the end of
     * the runtime nothing is. */
    if ((atomic_load(&ping->state) & QUEUED) != 0)
        uva__pings_deliver(ping->runtime);
    uva__runtime_let_go(ping->runtime);
}

void uva__pings_deliver(uva_runtime_t *rt) {
    uva_ping_t *newest = atomic_exchange(&rt->pings, NULL);
    uva_ping_t *ping = NULL;
    while (newest != NULL) {
        uva_ping_t *older = newest->next;
        newest->next = ping;
        ping = newest;
        newest = older;
    }
    while (ping != NULL) {
        uva_ping_t *next = ping->next; /* whoever fires it again writes it */
        (void)atomic_fetch_and(&ping->state, ~(unsigned)QUEUED);
        ping->run(ping);
        ping = next;
    }
}

void uva__pings_admit(uva_runtime_t *rt) {
    atomic_store(&rt->pings_gate, OPEN);
}

void uva__pings_refuse(uva_runtime_t *rt) {
    shut(&rt->pings_gate);
    uva__pings_deliver(rt);
}
