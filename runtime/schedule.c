/*
 * What: who runs next, and the switch to it.
 *
 * How: each stack is one permanent fiber that runs task after task. A fiber
 * whose task parks or ends asks next_fiber() and switches there. A fresh task
 * gets a stack only now; since a task that ended gave its own back a moment
 * ago, the next fresh one usually goes on where it stood, without a switch.
 * A generator's body stands on a stack that is lent to it, and the task that
 * runs it goes over there and back without being resumed.
 *
 * Polling: after a tick the loop is polled when POLL_EVERY_NS have passed, not
 * after every tick: an idle iteration of libuv costs as much as 40 switches.
 * The clock costs 4 switches, so it is looked at after a number of resumes that
 * adapts to how long they take.
 *
 * If you change this: bench_switch and bench_spawn_await measure it;
 * test_schedule holds its order.
 */
#include "schedule.h"

#include "generator.h"
#include "loop.h"
#include "report.h"
#include "sites.h"
#include "watchdog.h"

enum {
    POLL_EVERY_NS = 50000, /* ready tasks delay I/O by about this much */
    FIRST_LOOK = 4,        /* resumes before the first look at the clock */
    LAST_LOOK = 2048,      /* resumes between looks at the most */
    LOOK_EVERY_NS = 10000,
    BUDGET = 128 /* as tokio's: tokio/src/task/coop */
};

/* Looks at the clock: whether the loop is to be polled now. */
static UVA__COLD bool look(uva_runtime_t *rt) {
    uint64_t now = uv_hrtime();
    if (rt->polled_ns == 0)
        rt->polled_ns = now;
    else if (now - rt->looked_ns < LOOK_EVERY_NS && rt->pace < LAST_LOOK)
        rt->pace *= 2;
    else if (now - rt->looked_ns > LOOK_EVERY_NS && rt->pace > 1)
        rt->pace /= 2;
    rt->looked_ns = now;
    rt->resumes = 0;
    rt->poll_due = now - rt->polled_ns >= POLL_EVERY_NS;
    return rt->poll_due;
}

/* Whether, at the end of a tick, the loop is to be polled before the next. */
static inline bool is_poll_due(uva_runtime_t *rt) {
    return UVA__UNLIKELY(rt->resumes >= rt->pace) && look(rt);
}

/* A fresh task cannot run: it was cancelled, or there is no stack. */
static UVA__COLD bool refuse_run(uva_runtime_t *rt, uva__task_t *task,
                                 const char *why) {
    if (why != NULL)
        uva__report(rt, "task '%s' (spawned at %.*s) cannot run: %s",
                    uva_name(&task->future),
                    uva__site_length(task->future.site), task->future.site,
                    why);
    uva__task_end_unrun(task, why != NULL ? UV_ENOMEM : UV_ECANCELED);
    return false;
}

/* Takes a stack for a task that has never run. False: it ended instead. */
static inline bool first_run(uva_runtime_t *rt, uva__task_t *task) {
    const char *why = NULL;
    if (UVA__UNLIKELY(task->is_cut))
        return refuse_run(rt, task, NULL);
    uva__stack_t *stack =
        uva__stack_acquire(&rt->stacks, task->stack_bytes, &why);
    if (UVA__UNLIKELY(stack == NULL))
        return refuse_run(rt, task, why);
    if (UVA__UNLIKELY(rt->debug))
        uva__stack_scrub(stack);
    stack->owner = task;
    task->stack = stack;
    rt->is_fresh = true;
    return true;
}

/* Makes `task` the running one. */
static inline uva__fiber_t *resume_quietly(uva_runtime_t *rt,
                                           uva__task_t *task) {
    rt->current = task;
    task->stage = UVA__STAGE_RUNNING;
    *rt->errno_at = task->saved_errno;
    return &task->stack->fiber;
}

/* The same; debug takes note. */
static inline uva__fiber_t *resume(uva_runtime_t *rt, uva__task_t *task) {
    if (UVA__UNLIKELY(rt->debug))
        uva__slice_begin(rt, task);
    return resume_quietly(rt, task);
}

/* Begins a tick with all that is ready; false when nothing is, or when the
 * loop must be polled first. */
static bool begin_tick(uva_runtime_t *rt) {
    if (uva__ready_is_empty(&rt->ready) || is_poll_due(rt))
        return false;
    rt->ready.tick_end = rt->ready.tail;
    return true;
}

/* Decides what runs next and makes it current. The loop's fiber: there is a
 * callback to run (rt->callback), or it is time to poll. */
static uva__fiber_t *next_fiber(uva_runtime_t *rt) {
    uva__ready_t *ready = &rt->ready;
    if (UVA__UNLIKELY(rt->urgent != NULL)) {
        uva__task_t *task = rt->urgent;
        rt->urgent = task->outer;
        return resume(rt, task);
    }
    while (ready->head != ready->tick_end || begin_tick(rt)) {
        if (UVA__UNLIKELY(ready->random != 0))
            uva__ready_shuffle(ready);
        uva__entry_t entry = ready->ring[ready->head++ & ready->mask];
        rt->resumes++;
        if (UVA__UNLIKELY(uva__entry_is_callback(entry))) {
            rt->callback = uva__entry_callback(entry);
            break;
        }
        uva__task_t *task = (uva__task_t *)entry;
        if (UVA__LIKELY(task->stack != NULL) || first_run(rt, task)) {
            task->budget = BUDGET;
            return resume(rt, task);
        }
    }
    rt->current = NULL;
    return &rt->fiber;
}

/* The usual case of next_fiber() and resume(): a task that has run before, and
 * nothing to look at. It calls nothing, so that uva__leave() needs no registers
 * of its own: a yield takes 7.5 ns, and 9.0 without it. NULL: next_fiber() has
 * to decide. */
static inline uva__fiber_t *next_resumed(uva_runtime_t *rt) {
    uva__ready_t *ready = &rt->ready;
    if (UVA__UNLIKELY(rt->urgent != NULL || ready->random != 0))
        return NULL;
    if (ready->head == ready->tick_end) {
        if (uva__ready_is_empty(ready) || rt->resumes >= rt->pace)
            return NULL;
        ready->tick_end = ready->tail;
    }
    uva__entry_t entry = ready->ring[ready->head & ready->mask];
    uva__task_t *task = (uva__task_t *)entry;
    if (UVA__UNLIKELY(uva__entry_is_callback(entry)) || task->stack == NULL)
        return NULL;
    ready->head++;
    rt->resumes++;
    task->budget = BUDGET;
    return resume_quietly(rt, task);
}

/* Nothing is left to do after the switch, so it is a jump, and one return less
 * to be mispredicted when the task goes on. 0. */
static inline int leave_for(uva__task_t *task, uva__fiber_t *to) {
    uva__fiber_t *from = &task->stack->fiber;
    return UVA__LIKELY(to != from) ? uva__fiber_switch(from, to) : 0;
}

/* The rest of uva__leave(), when that is not simple. */
static UVA__NOINLINE int leave_slow(uva_runtime_t *rt, uva__task_t *task) {
    if (rt->debug)
        uva__slice_end(rt, task);
    rt->is_fresh = false;
    uva__fiber_t *to = next_fiber(rt);
    if (!rt->is_fresh)
        return leave_for(task, to);
    uva__fiber_switch_to_loop(&task->stack->fiber, to);
    return 0;
}

int uva__leave(uva_runtime_t *rt, uva__task_t *task) {
    task->saved_errno = *rt->errno_at;
    task->stage = UVA__STAGE_PARKED;
    uva__fiber_t *to = UVA__LIKELY(!rt->debug) ? next_resumed(rt) : NULL;
    if (UVA__UNLIKELY(to == NULL))
        return leave_slow(rt, task);
    return leave_for(task, to);
}

void uva__queue_callback(uva_runtime_t *rt, uva__callback_t *callback) {
    uva__ready_push(&rt->ready, uva__entry_of_callback(callback));
    if (UVA__UNLIKELY(!rt->draining))
        uva__loop_has_work(rt);
}

void uva__run_eagerly(uva_runtime_t *rt, uva__task_t *child) {
    uva__task_t *parent = rt->current;
    if (!first_run(rt, child))
        return;
    if (UVA__UNLIKELY(rt->debug))
        uva__slice_end(rt, parent);
    parent->saved_errno = *rt->errno_at;
    parent->outer = rt->urgent;
    parent->stage = UVA__STAGE_PARKED;
    rt->urgent = parent;
    child->budget = BUDGET;
    uva__fiber_switch_to_loop(&parent->stack->fiber, resume(rt, child));
}

uva__stack_t *uva__lend_stack(uva_runtime_t *rt, void *owner,
                              const char **ret_why) {
    size_t needed = rt->live + rt->lent + 1;
    if (UVA__UNLIKELY(rt->stacks.guards.kind == UVA_GUARD_MPROTECT) &&
        !uva__stacks_ensure(&rt->stacks, needed, ret_why))
        return NULL;
    uva__stack_t *stack = uva__stack_acquire(&rt->stacks, 0, ret_why);
    if (stack == NULL)
        return NULL;
    if (UVA__UNLIKELY(rt->debug))
        uva__stack_scrub(stack);
    stack->owner = owner;
    rt->lent++;
    return stack;
}

void uva__take_stack_back(uva_runtime_t *rt, uva__stack_t *stack) {
    if (UVA__UNLIKELY(rt->debug))
        (void)uva__stack_used(stack); /* which keeps the high water */
    uva__stack_release(&rt->stacks, stack);
    rt->lent--;
}

void uva__change_stack(uva__task_t *task, uva__stack_t *to) {
    uva__stack_t *from = task->stack;
    task->stack = to;
    (void)uva__fiber_switch(&from->fiber, &to->fiber);
#if UVA__FIBER_NEEDS_RETIRE
    /* A body that was abandoned here: uva__retire_stacks(). */
    if (from->owner == NULL)
        uva__fiber_leave(&from->fiber, &uva__thread_runtime->fiber);
#endif
}

void uva__drain(uva_runtime_t *rt) {
    UVA__ASSERT(!rt->draining);
    rt->draining = true;
    rt->resumes = 0;
    rt->pace = FIRST_LOOK;
    rt->polled_ns = 0;
    for (;;) {
        uva__fiber_t *to = next_fiber(rt);
        if (to != &rt->fiber)
            (void)uva__fiber_switch(&rt->fiber, to);
        uva__callback_t *callback = rt->callback;
        if (callback == NULL)
            break;
        rt->callback = NULL;
        if (UVA__UNLIKELY(rt->debug))
            uva__slice_begin(rt, NULL);
        callback->run(callback);
        if (UVA__UNLIKELY(rt->debug))
            uva__slice_end(rt, NULL);
    }
    rt->draining = false;
}

/* The usual case of next_fiber() when a task is over: one that is fresh, which
 * goes on where that one stood. NULL: next_fiber() has to decide. */
static inline uva__task_t *next_fresh(uva_runtime_t *rt,
                                      const uva__stack_t *stack) {
    uva__ready_t *ready = &rt->ready;
    if (UVA__UNLIKELY(rt->debug || rt->urgent != NULL || ready->random != 0))
        return NULL;
    if (ready->head == ready->tick_end || stack->class != &rt->stacks.standard)
        return NULL;
    uva__entry_t entry = ready->ring[ready->head & ready->mask];
    uva__task_t *task = (uva__task_t *)entry;
    if (uva__entry_is_callback(entry) || task->stack != NULL ||
        task->stack_bytes != 0 || task->is_cut)
        return NULL;
    ready->head++;
    rt->resumes++;
    return task;
}

void uva__stack_main(void *arg) {
    uva__stack_t *stack = arg;
    uva_runtime_t *rt = uva__thread_runtime;
    uva__fiber_entered(&stack->fiber);
    for (;;) {
        uva__task_t *task = stack->owner;
#if UVA__FIBER_NEEDS_RETIRE
        if (task == NULL)
            uva__fiber_leave(&stack->fiber, &rt->fiber);
#endif
        if (UVA__UNLIKELY(uva__generator_on(stack) != NULL)) {
            uva__stack_t *outer = uva__generator_run(uva__generator_on(stack));
            uva__change_stack(rt->current, outer);
            continue;
        }
        uva__task_run(task);
        if (UVA__UNLIKELY(rt->debug)) {
            uva__slice_end(rt, task);
            uva__sites_note(rt, task, stack);
        }
        rt->current = NULL; /* it may be freed now, and reports made */
        uva__task_over(task);
        uva__task_t *fresh = next_fresh(rt, stack);
        if (UVA__LIKELY(fresh != NULL)) {
            stack->owner = fresh;
            fresh->stack = stack;
            fresh->budget = BUDGET;
            (void)resume(rt, fresh);
            continue;
        }
        /* Debug scrubs the next task's stack: not the one we stand on. */
        if (UVA__LIKELY(!rt->debug))
            uva__stack_release(&rt->stacks, stack);
        uva__fiber_t *to = next_fiber(rt);
        if (UVA__UNLIKELY(rt->debug))
            uva__stack_release(&rt->stacks, stack);
        if (to != &stack->fiber)
            uva__fiber_switch_from_loop(&stack->fiber, to);
    }
}

void uva__retire_stacks(uva_runtime_t *rt) {
#if UVA__FIBER_NEEDS_RETIRE
    for (uva__stack_t *stack = uva__stacks_pooled(&rt->stacks, NULL);
         stack != NULL; stack = uva__stacks_pooled(&rt->stacks, stack))
        (void)uva__fiber_switch(&rt->fiber, &stack->fiber);
#else
    (void)rt;
#endif
}
