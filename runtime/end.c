/*
 * What: how a runtime ends: tasks are cancelled and awaited, then handles are
 * closed, then the memory goes as soon as nobody holds any of it.
 *
 * How: cancelling goes in rounds. A round cancels every task there is; tasks
 * that somebody's cleanup spawns meanwhile may run. When those of the round
 * are over, nothing is ready, and others are left, the next round cancels
 * them; when something is always ready, it comes after PATIENCE polls of the
 * loop. A program that spawns anew for ever is refused after LAST_ROUND.
 */
#include "end.h"

#include "done_callback.h"
#include "dump.h"
#include "hint.h"
#include "loop.h"
#include "overflow.h"
#include "post.h"
#include "report.h"
#include "schedule.h"
#include "sites.h"
#include "watchdog.h"

enum { REPORTED_TASKS = 16, LAST_ROUND = 100, PATIENCE = 32 };

static bool is_pending(const uva__task_t *task) {
    return !uva__is_done(&task->future);
}

/* Names a task that the end cuts short. */
static void report_task(const uva_runtime_t *rt, const uva__task_t *task) {
    uva__report(rt,
                "task '%s' (spawned at %.*s) was still pending at the end "
                "(%s) and has been cancelled. Await it, or cancel it, before "
                "%s",
                uva_name(&task->future), uva__site_length(task->future.site),
                task->future.site, uva__task_doing(task),
                rt->own_loop ? "main returns" : "uva_runtime_detach()");
}

/* Reports who is pending and was not on its way out already. */
static void report_pending(const uva_runtime_t *rt) {
    size_t found = 0;
    for (uva_link_t *link = rt->tasks.first; link != NULL; link = link->next) {
        const uva__task_t *task = UVA__OF(link, uva__task_t, all);
        if (is_pending(task) && task->requests == 0 && found++ < REPORTED_TASKS)
            report_task(rt, task);
    }
    if (found > REPORTED_TASKS)
        uva__report(rt, "... and %zu more tasks were still pending",
                    found - REPORTED_TASKS);
}

static void begin_round(uva_runtime_t *rt) {
    rt->round++;
    rt->round_left = 0;
    rt->busy_polls = 0;
    bool began = uva__request_begin(rt);
    uva_link_t *link;
    /* Nothing is taken off the list inside a cancel. */
    for (link = rt->tasks.first; link != NULL; link = link->next) {
        uva__task_t *task = UVA__OF(link, uva__task_t, all);
        if (!is_pending(task))
            continue;
        task->round = rt->round;
        rt->round_left++;
        (void)uva__cancel(&task->future, NULL);
    }
    uva__request_end(rt, began);
}

void uva__end_begin(uva_runtime_t *rt) {
    rt->life = UVA__ENDING;
    uva__loop_hold(rt);
    report_pending(rt);
    begin_round(rt);
}

bool uva__end_admits(const uva_runtime_t *rt) {
    return rt->life == UVA__ENDING && rt->round <= LAST_ROUND;
}

void uva__end_task_over(uva_runtime_t *rt, const uva__task_t *task) {
    rt->round_left -= task->round == rt->round;
}

void uva__end_press_on(uva_runtime_t *rt) {
    if (rt->live == 0 || rt->round_left > 0)
        return;
    if (uva__ready_is_empty(&rt->ready) || ++rt->busy_polls == PATIENCE)
        begin_round(rt);
}

bool uva__end_is_reached(uva_runtime_t *rt) {
    return rt->live == 0 && uva__ready_is_empty(&rt->ready) &&
           uva__posts_refuse(rt);
}

static void close_resources(uva_runtime_t *rt) {
    while (rt->resources.first != NULL) {
        uva__resource_t *resource =
            UVA__OF(rt->resources.first, uva__resource_t, link);
        if (resource->noun != NULL)
            uva__report(rt,
                        "a %s (opened at %.*s) was still open at the end and "
                        "has been closed",
                        resource->noun, uva__site_length(resource->site),
                        resource->site);
        resource->close(resource);
    }
}

void uva__end_close(uva_runtime_t *rt) {
    rt->life = UVA__CLOSING;
    close_resources(rt);
    uva__retire_stacks(rt);
    uva__loop_term(rt);
}

void uva__end_over(uva_runtime_t *rt) {
    uv_loop_t *loop = rt->loop;
    void (*done)(void *arg) = rt->done;
    void *done_arg = rt->done_arg;
    uva__drop_callbacks(rt);
    uva__stacks_term(&rt->stacks);
    uva__ready_term(&rt->ready);
    uva__sites_term(rt);
    uva__watchdog_stop(rt);
    uva__hints_free(rt->hints);
    rt->hints = NULL;
    free(rt->polled);
    rt->polled = NULL;
    uva__overflow_thread_leave(rt->overflow_token);
    if (rt->overflow)
        uva__overflow_remove();
    rt->life = UVA__ENDED;
    rt->loop = NULL;
    if (uva__thread_runtime == rt)
        uva__thread_runtime = NULL;
    if (rt->own_loop)
        uv_stop(loop);
    if (rt->pools.taken == 0)
        uva_runtime_unref(rt);
    if (done != NULL)
        done(done_arg);
}
