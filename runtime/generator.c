/*
 * What: generators.
 *
 * How: a task that asks for an item goes over to the generator's stack, and
 * comes back when the body emits or is over; schedule.c has the switch. The
 * item is copied once, from the body's memory to the caller's. What the task
 * had open when it came in is noted, because the body may stand still only
 * where no block of that task is left open: it would be cut, closed or left by
 * somebody to whom it is strange.
 *
 * Rejected: a task of its own with a channel (two switches more through the
 * queue, another identity, and cancellation had to be carried over). Supporting
 * an emit inside a scope: its deadline would run while the body stands still,
 * and cut code that is not inside it (PEP 789 has the story).
 */
#include "generator.h"

#include <string.h>

#include "io/open.h"
#include "locals.h"
#include "report.h"
#include "schedule.h"

static void release(uva_generator_t *generator) {
    uva_runtime_t *rt = generator->runtime;
    uva__list_remove(&rt->resources, &generator->resource.link);
    if (generator->stack != NULL)
        uva__take_stack_back(rt, generator->stack);
    uva__give(&rt->pools, generator, sizeof *generator);
}

/* The runtime's end: nobody has closed it, and no task is left to do so. */
static void abandon(uva__resource_t *resource) {
    uva_generator_t *generator = UVA__OF(resource, uva_generator_t, resource);
    uva__report(generator->runtime,
                "a generator (made at %.*s) was not closed%s. Call "
                "uva_generator_close() on every way out",
                uva__site_length(resource->site), resource->site,
                generator->stack != NULL
                    ? "; its body stands in uva_emit() and cannot clean up any "
                      "more"
                    : "");
    release(generator);
}

uva_generator_t *uva_generate_at(const char *site, uva_fn fn, void *arg,
                                 size_t item_bytes) {
    int code = 0;
    uva_runtime_t *rt = uva__open_runtime("uva_generate", &code);
    if (rt == NULL)
        return NULL;
    if (fn == NULL) {
        (void)uva__misuse("uva_generate", "the function is NULL");
        return NULL;
    }
    uva_generator_t *generator = uva__take(&rt->pools, sizeof *generator);
    if (generator == NULL)
        return NULL;
    *generator = (uva_generator_t){
        .runtime = rt, .fn = fn, .arg = arg, .item_bytes = item_bytes};
    /* No noun: the report is abandon's own. */
    uva__open_resource(rt, &generator->resource, NULL, site, abandon);
    return generator;
}

uva_generator_t *(uva_generate)(uva_fn fn, void *arg, size_t item_bytes) {
    return uva_generate_at(NULL, fn, arg, item_bytes);
}

/* ---- crossing over ------------------------------------------------------ */

/* The body has returned: what uva_next() says of it. */
static int settle(uva_generator_t *generator) {
    uva__take_stack_back(generator->runtime, generator->stack);
    generator->stack = NULL;
    generator->task = NULL;
    return generator->code;
}

/* Goes on with the task on the other side; back here, tells what uva_emit()
 * returns, or uva_next(). Both end in this one call of the switch, from which
 * the processor then predicts its return right; and nothing is left to do above
 * it, where each return would be predicted wrong. */
static UVA__NOINLINE int cross_over(uva_generator_t *generator,
                                    uva__task_t *task, uva__stack_t *to,
                                    bool emits) {
    uva__change_stack(task, to);
    if (emits)
        return generator->is_closing ? UV_ECANCELED : 0;
    if (UVA__UNLIKELY(generator->is_over))
        return settle(generator);
    generator->task = NULL;
    return 1;
}

/* ---- the body's side ---------------------------------------------------- */

/* The body has returned. What lies in its frames is gone, and a task that has
 * it in its list of locks cannot go on with that list. */
static UVA__COLD void check_held(const uva_generator_t *generator,
                                 const uva__task_t *task) {
    const uva__fiber_t *fiber = &generator->stack->fiber;
    for (const uva_held_t *held = task->held; held != NULL; held = held->next) {
        if ((uintptr_t)held - (uintptr_t)fiber->low < fiber->bytes)
            uva__abort("the generator made at %.*s returned holding a lock "
                       "that lies in its own frame, which is gone; release it "
                       "on every way out",
                       uva__site_length(generator->resource.site),
                       generator->resource.site);
    }
}

uva__stack_t *uva__generator_run(uva_generator_t *generator) {
    int code = generator->fn(generator->arg);
    uva__task_t *task = generator->task;
    if (UVA__UNLIKELY(task->held != NULL))
        check_held(generator, task);
    if (UVA__UNLIKELY(task->scope != generator->scope))
        uva__abort("the generator made at %.*s returned inside an open scope; "
                   "call uva_scope_close() on every way out of its block",
                   uva__site_length(generator->resource.site),
                   generator->resource.site);
    uva__locals_check(task, generator->locals);
    if (code == UV_ECANCELED && generator->is_closing)
        code = 0;
    generator->code = code < 0 ? code : 0;
    generator->is_over = true;
    return generator->outer;
}

/* 0, or why the body must not stand still here. */
static int may_emit(const uva_generator_t *generator, const void *item) {
    const uva__task_t *task = generator->task;
    if (UVA__UNLIKELY(task->scope != generator->scope))
        return uva__misuse("uva_emit",
                           "called inside a scope, a group or an awaited "
                           "coroutine that the generator's body has begun; "
                           "end it before each item, since it would go on "
                           "around whatever the iterating task does next");
    if (UVA__UNLIKELY(task->locals != generator->locals))
        return uva__misuse("uva_emit",
                           "called inside a block of task-local values; call "
                           "uva_local_close() before each item");
    return item == NULL && generator->item_bytes > 0 ? UV_EINVAL : 0;
}

static inline void copy_item(const uva_generator_t *generator,
                             const void *item) {
    if (UVA__LIKELY(generator->item_bytes == sizeof(uint64_t)))
        memcpy(generator->ret_item, item, sizeof(uint64_t)); /* no call */
    else if (generator->item_bytes > 0)
        memcpy(generator->ret_item, item, generator->item_bytes);
}

int uva_emit(const void *item) {
    uva__task_t *task = uva__running("uva_emit");
    if (task == NULL)
        return UV_EPERM;
    uva_generator_t *generator = uva__generator_on(task->stack);
    if (UVA__UNLIKELY(generator == NULL))
        return uva__misuse("uva_emit",
                           "called outside of a generator's body. Give the "
                           "function to uva_generate(), and ask for the items "
                           "with uva_next()");
    if (UVA__UNLIKELY(generator->is_closing))
        return UV_ECANCELED;
    int code = may_emit(generator, item);
    if (UVA__UNLIKELY(code < 0))
        return code;
    if (generator->ret_item != NULL)
        copy_item(generator, item);
    return cross_over(generator, task, generator->outer, true);
}

/* ---- the caller's side -------------------------------------------------- */

/* 0, or why `task` must not go in. */
static int may_enter(const uva_generator_t *generator, const uva__task_t *task,
                     const char *call) {
    if (UVA__LIKELY(generator->task == NULL))
        return 0;
    if (generator->task != task)
        return UV_EBUSY;
    return uva__misuse(call, "called by the generator's own body, or by "
                             "something that it iterates. A body hands out "
                             "items with uva_emit(), and ends by returning");
}

/* Goes on in the body until it emits or is over: 1, or its code. The task is
 * noted as inside, and is not any more when this returns. */
static inline int run_body(uva_generator_t *generator, uva__task_t *task) {
    generator->scope = task->scope;
    generator->locals = task->locals;
    generator->outer = task->stack;
    return cross_over(generator, task, generator->stack, false);
}

/* A stack for the body to begin on. */
static UVA__COLD int begin(uva_generator_t *generator) {
    const char *why = NULL;
    generator->stack = uva__lend_stack(
        generator->runtime, (void *)((uintptr_t)generator + UVA__GENERATOR_TAG),
        &why);
    if (generator->stack != NULL)
        return 0;
    uva__report(generator->runtime, "a generator (made at %.*s) cannot run: %s",
                uva__site_length(generator->resource.site),
                generator->resource.site, why);
    return UV_ENOMEM;
}

/* Why `task`, which is inside, cannot go into the body yet, or 0. */
static inline int prepare(uva_generator_t *generator, uva__task_t *task) {
    int code = uva__spend(task);
    if (UVA__UNLIKELY(code == 0 && generator->stack == NULL))
        code = begin(generator);
    return code;
}

int uva_next(uva_generator_t *generator, void *ret_item) {
    if (generator == NULL)
        return UV_ENOMEM;
    if (UVA__UNLIKELY(generator->runtime != uva__thread_runtime))
        return uva__must_be_ours(generator->runtime, "uva_next");
    uva__task_t *task = uva__running("uva_next");
    if (task == NULL)
        return UV_EPERM;
    int code = may_enter(generator, task, "uva_next");
    if (UVA__UNLIKELY(code < 0 || generator->is_over))
        return code;
    /* From here on, because the budget's end may yield to another task. */
    generator->task = task;
    code = prepare(generator, task);
    if (UVA__UNLIKELY(code < 0)) {
        generator->task = NULL;
        return code;
    }
    generator->ret_item = ret_item;
    return run_body(generator, task);
}

int uva_generator_close(uva_generator_t *generator) {
    static const char call[] = "uva_generator_close";
    if (generator == NULL)
        return 0;
    if (uva__must_be_ours(generator->runtime, call) < 0)
        return UV_EPERM;
    int code = may_enter(generator, generator->runtime->current, call);
    if (code < 0)
        return code;
    if (generator->stack != NULL) {
        uva__task_t *task = uva__running(call);
        if (task == NULL)
            return UV_EPERM;
        generator->is_closing = true;
        generator->task = task;
        (void)run_body(generator, task);
    }
    code = generator->code;
    release(generator);
    return code;
}
