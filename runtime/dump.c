/*
 * What: uva_dump() and its relatives: every task, what it waits for, and the
 * numbers of the stacks.
 */
#include "dump.h"

#include "generator.h"
#include "report.h"
#include "sites.h"

/* So far they are counted: a dump of so many waiters stays linear. */
enum { MOST_AHEAD = 100 };

const char *uva__task_doing(const uva__task_t *task) {
    if (task->waiter != NULL)
        return task->waiter->wait->reason;
    if (task->stage == UVA__STAGE_RUNNING)
        return "running";
    return task->stage == UVA__STAGE_FRESH ? "not started" : "ready";
}

/* What a task waits for, when that is a future. */
static void print_target(const uva__task_t *task, FILE *out) {
    if (task->waiter == NULL || task->waiter->on == NULL)
        return;
    const uva_future_t *on = task->waiter->on;
    (void)fprintf(out, " for %s '%s'", on->kind->noun, uva_name(on));
}

void uva__print_queue(const uva_waiters_t *queue, const uva_link_t *link,
                      FILE *out) {
    if (queue->name != NULL)
        (void)fprintf(out, " '%s'", queue->name);
    size_t ahead = 0;
    for (link = link->prev; link != NULL && ahead < MOST_AHEAD;
         link = link->prev)
        ahead++;
    if (ahead == MOST_AHEAD)
        (void)fprintf(out, " (%d or more waiters ahead)", MOST_AHEAD);
    else if (ahead > 0)
        (void)fprintf(out, " (%zu waiter%s ahead)", ahead,
                      ahead == 1 ? "" : "s");
}

/* Which one of its kind it is, and who comes before. */
static void print_waiter(const uva__waiter_t *waiter, FILE *out) {
    if (waiter == NULL)
        return;
    if (waiter->queue != NULL)
        uva__print_queue(waiter->queue, &waiter->link, out);
    else if (waiter->wait->describe != NULL)
        waiter->wait->describe(waiter, out);
}

/* Whose body the task is in. */
static void print_generator(const uva__task_t *task, FILE *out) {
    if (task->stack == NULL)
        return;
    const uva_generator_t *generator = uva__generator_on(task->stack);
    if (generator != NULL)
        (void)fprintf(out, ", in a generator (made at %.*s)",
                      uva__site_length(generator->resource.site),
                      generator->resource.site);
}

static void print_task(const uva__task_t *task, uint64_t now_ns, FILE *out) {
    const uva_future_t *f = &task->future;
    (void)fprintf(out, "  task '%s'  %s%s", uva_name(f),
                  task->waiter != NULL ? "parked in " : "",
                  uva__task_doing(task));
    print_target(task, out);
    print_waiter(task->waiter, out);
    print_generator(task, out);
    for (const uva_scope_t *scope = task->scope; scope != NULL;
         scope = scope->parent) {
        if (uva__deadline_is_armed(&scope->deadline) &&
            scope->deadline.at_ns >= now_ns)
            (void)fprintf(out, ", deadline in %llu ms",
                          (unsigned long long)(scope->deadline.at_ns - now_ns) /
                              1000000);
    }
    if (task->requests > 0)
        (void)fprintf(out, ", cancelled (%d)", task->requests);
    if (f->site != NULL)
        (void)fprintf(out, "  (spawned at %.*s)", uva__site_length(f->site),
                      f->site);
    (void)fputc('\n', out);
}

void uva_dump(uva_runtime_t *runtime, FILE *out) {
    if (runtime == NULL || out == NULL)
        return;
    (void)fprintf(out, "uvawait: %zu task%s\n", runtime->live,
                  runtime->live == 1 ? "" : "s");
    uint64_t now_ns = uva__now_ns(runtime);
    for (uva_link_t *link = runtime->tasks.first; link != NULL;
         link = link->next)
        print_task(UVA__OF(link, uva__task_t, all), now_ns, out);
    uva__sites_print(runtime, out);
}

size_t uva_all_tasks(uva_runtime_t *runtime, uva_task_t *ret_tasks[],
                     size_t capacity) {
    if (runtime == NULL)
        return 0;
    size_t count = 0;
    for (uva_link_t *link = runtime->tasks.first; link != NULL;
         link = link->next) {
        uva__task_t *task = UVA__OF(link, uva__task_t, all);
        if (uva__is_done(&task->future))
            continue;
        if (count < capacity)
            ret_tasks[count] = &task->future;
        count++;
    }
    return count;
}

int uva_stack_stats(uva_runtime_t *runtime, uva_stack_stats_t *ret_stats) {
    if (runtime == NULL || ret_stats == NULL)
        return UV_EINVAL;
    if (runtime != uva__thread_runtime)
        return uva__misuse("uva_stack_stats", "this is not the thread of that "
                                              "runtime");
    uva__stacks_stats(&runtime->stacks, ret_stats);
    return 0;
}

size_t uva_stack_used(const uva_task_t *task) {
    if (task == NULL || !task->kind->is_task)
        return 0;
    const uva__stack_t *stack = uva__own_stack(uva__task_of(task));
    return stack != NULL ? uva__stack_used(stack) : 0;
}

void uva_stack_trim(uva_runtime_t *runtime, size_t keep) {
    if (runtime != NULL && runtime == uva__thread_runtime)
        uva__stacks_purge(&runtime->stacks, keep);
}
