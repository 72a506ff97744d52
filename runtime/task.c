/*
 * What: the life of tasks and coroutines, from spawn to their last reference.
 *
 * How: spawning takes a control block from the pool and a place in the ready
 * queue; nothing else, and no stack yet. The scheduler calls uva__task_run()
 * on the stack, then uva__task_over(). The runtime holds one reference from
 * start to over; the spawner holds the other.
 */
#include "task.h"

#include <string.h>

#include "end.h"
#include "locals.h"
#include "loop.h"
#include "report.h"
#include "schedule.h"
#include "scope.h"

/* ---- kinds -------------------------------------------------------------- */

/* False: this cancellation has been here already, by another way or because
 * tasks wait for each other in a circle. */
static bool note_request(uva__task_t *task, uva__text_t *reason) {
    uint32_t walk = task->future.runtime->walk;
    if (task->walk == walk)
        return false;
    task->walk = walk;
    task->requests++;
    uva__text_put(&task->reason, uva__text_ref(reason));
    return true;
}

static uva_future_t *cancel_task(uva_future_t *f, uva__text_t *reason) {
    uva__task_t *task = uva__task_of(f);
    if (!note_request(task, reason))
        return NULL;
    return uva__scope_cut(&task->root, UV_ECANCELED);
}

/* Unstarted: it is over. In place on somebody's stack: its scope is cut. */
static uva_future_t *cancel_coroutine(uva_future_t *f, uva__text_t *reason) {
    uva__task_t *task = uva__task_of(f);
    if (!note_request(task, reason))
        return NULL;
    if (f->state == UVA__PENDING)
        return uva__scope_cut(&task->root, UV_ECANCELED);
    f->message = uva__text_ref(reason);
    uva__complete(f, UV_ECANCELED);
    return NULL;
}

static int start_coroutine(uva_future_t *f, uva__task_t *runner) {
    if (runner == NULL)
        return uva__task_start(uva__task_of(f));
    uva__run_in_place(runner, uva__task_of(f));
    return 0;
}

static void drop_task(uva_future_t *f) {
    uva__task_t *task = uva__task_of(f);
    uva__text_unref(task->heard);
    uva__text_unref(task->reason);
    if (task->copy != NULL && !uva__is_copy_behind(task))
        uva__give(&f->runtime->pools, task->copy, task->copy_bytes);
}

const uva__future_kind_t uva__task_kind = {.noun = "task",
                                           .bytes = sizeof(uva__task_t),
                                           .is_task = true,
                                           .cancel = cancel_task,
                                           .drop = drop_task};

const uva__future_kind_t uva__coroutine_kind = {.noun = "coroutine",
                                                .bytes = sizeof(uva__task_t),
                                                .is_task = true,
                                                .start = start_coroutine,
                                                .cancel = cancel_coroutine,
                                                .drop = drop_task};

/* ---- making ------------------------------------------------------------- */

/* What a spawn gives, whatever its form. */
typedef struct order {
    const char *site;
    uint8_t site_fn; /* which argument of the site names fn, from 1 */
    uva_fn fn;
    void *arg;
    const void *copy;
    size_t copy_bytes;
    const uva_async_t *async; /* what copy is of, or NULL */
} order_t;

/* What a task takes along: a copied argument, that of an async function with
 * room for its value. */
static UVA__INLINE size_t copied_bytes(const order_t *order) {
    if (order->async != NULL)
        return order->async->frame_bytes;
    return order->copy != NULL ? order->copy_bytes : 0;
}

static UVA__INLINE bool takes_along(const order_t *order) {
    return order->async != NULL || copied_bytes(order) > 0;
}

/* Copies the argument, if it is there yet; says where an async function's value
 * will be. False without memory. */
static UVA__INLINE bool copy_argument(uva__task_t *task, const order_t *order) {
    const uva_async_t *async = order->async;
    if (UVA__UNLIKELY(task->copy == NULL)) {
        task->copy = uva__take(&task->future.runtime->pools, task->copy_bytes);
        if (task->copy == NULL)
            return false;
    }
    task->arg = task->copy;
    if (order->copy != NULL)
        memcpy(task->copy, order->copy, order->copy_bytes);
    if (async != NULL) {
        uva_future_t *f = &task->future;
        f->is_async = f->is_apart = true;
        f->value = (char *)task->copy + async->value_offset;
        f->value_bytes = async->value_bytes;
    }
    return true;
}

/* A control block, with room for what it takes along if that is pooled too:
 * one block instead of two. */
static UVA__INLINE uva_future_t *take_block(uva_runtime_t *rt,
                                            const uva__future_kind_t *kind,
                                            const order_t *order) {
    size_t bytes = copied_bytes(order);
    bool is_behind = takes_along(order) &&
                     UVA__LIKELY(uva__is_pooled(UVA__TASK_BLOCK + bytes));
    uva_future_t *f = uva__take(&rt->pools, is_behind ? UVA__TASK_BLOCK + bytes
                                                      : sizeof(uva__task_t));
    if (f == NULL)
        return NULL;
    uva__future_init(f, kind, rt, order->site);
    uva__task_t *task = uva__task_of(f);
    task->copy = is_behind ? (char *)task + UVA__TASK_BLOCK : NULL;
    task->copy_bytes = bytes;
    return f;
}

/* A control block in stage FRESH; NULL without memory. Inline for each form of
 * a spawn, so that what an order does not say costs nothing: 2 ns of 47. */
static UVA__INLINE uva__task_t *
make(uva_runtime_t *rt, const uva__future_kind_t *kind, const order_t *order) {
    uva_future_t *f = take_block(rt, kind, order);
    if (f == NULL)
        return NULL;
    f->site_fn = order->site_fn;
    uva__task_t *task = uva__task_of(f);
    task->stack = NULL;
    task->waiter = NULL;
    task->scope = &task->root;
    task->is_cut = false;
    task->stage = UVA__STAGE_FRESH;
    task->fn = order->fn;
    task->arg = order->arg;
    task->outcome = f;
    task->heard = NULL;
    task->reason = NULL;
    task->saved_errno = 0;
    task->requests = 0;
    task->leaving = 0;
    task->block_code = 0;
    task->round = 0;
    task->walk = 0;
    task->held = NULL;
    task->stack_bytes = 0;
    task->values = NULL;
    task->locals = NULL;
    uva__scope_init_root(&task->root, task);
    if (!takes_along(order) || UVA__LIKELY(copy_argument(task, order)))
        return task;
    f->seen = true;
    uva_unref(f);
    return NULL;
}

/* Where guards cost mappings, the kernel's limit is met here, with a clear
 * refusal, and not when the task first runs: a stack for each must exist. */
static UVA__COLD int ensure_stack(uva_runtime_t *rt) {
    const char *why = NULL;
    bool has_room =
        uva__stacks_ensure(&rt->stacks, rt->live + rt->lent + 1, &why);
    if (!has_room && !rt->said_no_room)
        uva__report(rt, "no more tasks than these %zu: %s", rt->live, why);
    rt->said_no_room = !has_room;
    return has_room ? 0 : UV_ENOMEM;
}

/* Whether a task may be started at all; reserves its place in the queue. */
static inline int may_start(uva_runtime_t *rt) {
    if (UVA__UNLIKELY(rt->life != UVA__RUNNING) && !uva__end_admits(rt))
        return UV_ESHUTDOWN;
    if (UVA__UNLIKELY(rt->stacks.guards.kind == UVA_GUARD_MPROTECT)) {
        int code = ensure_stack(rt);
        if (code < 0)
            return code;
    }
    return uva__ready_reserve(&rt->ready);
}

/* Enters a task into the books of the runtime. Its place is reserved. */
static inline void enter(uva_runtime_t *rt, uva__task_t *task) {
    task->future.refs++;
    uva__list_push(&rt->tasks, &task->all);
    uva__locals_inherit(task, rt->current);
    if (rt->live++ == 0)
        uva__loop_hold(rt);
}

int uva__task_start(uva__task_t *task) {
    uva_runtime_t *rt = task->future.runtime;
    int code = may_start(rt);
    if (code < 0)
        return code;
    task->future.kind = &uva__task_kind;
    task->future.state = UVA__PENDING;
    enter(rt, task);
    uva__queue_task(rt, task);
    return 0;
}

/* The runtime to spawn on, or NULL: after a report, unless it has ended. */
static uva_runtime_t *runtime_for(uva_runtime_t *rt, const char *call,
                                  uva_fn fn) {
    if (rt != NULL && rt->life == UVA__ENDED)
        return NULL;
    if (rt == NULL || rt != uva__thread_runtime) {
        (void)uva__misuse(call, "this thread has no such runtime. Call it "
                                "inside uva_run(), on the loop's own thread; "
                                "from other threads use uva_post() or "
                                "uva_call()");
        return NULL;
    }
    if (fn == NULL) {
        (void)uva__misuse(call, "the function is NULL");
        return NULL;
    }
    return rt;
}

static UVA__INLINE uva_task_t *spawn(uva_runtime_t *rt, const order_t *order) {
    int code = may_start(rt);
    if (UVA__UNLIKELY(code < 0))
        return NULL;
    uva__task_t *task = make(rt, &uva__task_kind, order);
    if (UVA__UNLIKELY(task == NULL)) {
        uva__ready_unreserve(&rt->ready);
        return NULL;
    }
    enter(rt, task);
    return &task->future;
}

static UVA__INLINE uva_task_t *spawn_queued(uva_runtime_t *rt,
                                            const order_t *order) {
    uva_task_t *f = spawn(rt, order);
    if (UVA__LIKELY(f != NULL))
        uva__queue_task(rt, uva__task_of(f));
    return f;
}

uva_task_t *uva_spawn_on_at(const char *site, uva_runtime_t *runtime, uva_fn fn,
                            void *arg) {
    uva_runtime_t *rt = runtime_for(runtime, "uva_spawn_on", fn);
    if (rt == NULL)
        return NULL;
    return spawn_queued(
        rt, &(order_t){.site = site, .site_fn = 2, .fn = fn, .arg = arg});
}

uva_task_t *uva_spawn_at(const char *site, uva_fn fn, void *arg) {
    uva_runtime_t *rt = runtime_for(uva__thread_runtime, "uva_spawn", fn);
    if (rt == NULL)
        return NULL;
    return spawn_queued(
        rt, &(order_t){.site = site, .site_fn = 1, .fn = fn, .arg = arg});
}

static const uva_task_options_t default_options;

static uva_task_t *spawn_with(uva_runtime_t *rt,
                              const uva_task_options_t *options,
                              const order_t *order) {
    uva_task_t *f = spawn(rt, order);
    if (f == NULL)
        return NULL;
    uva__task_t *task = uva__task_of(f);
    task->stack_bytes = options->stack_bytes;
    if (options->name != NULL)
        f->name = uva__text_new(options->name);
    if (options->locals != NULL)
        uva__locals_give(task, options->locals);
    if (options->eager && rt->current != NULL)
        uva__run_eagerly(rt, task);
    else
        uva__queue_task(rt, task);
    return f;
}

uva_task_t *uva_spawn_with_at(const char *site,
                              const uva_task_options_t *options, uva_fn fn,
                              void *arg) {
    uva_runtime_t *rt = runtime_for(uva__thread_runtime, "uva_spawn_with", fn);
    if (rt == NULL)
        return NULL;
    if (options == NULL)
        options = &default_options;
    return spawn_with(rt, options,
                      &(order_t){.site = site,
                                 .site_fn = 2,
                                 .fn = fn,
                                 .arg = arg,
                                 .copy = options->copy,
                                 .copy_bytes = options->copy_bytes,
                                 .async = options->async});
}

uva_task_t *uva_async_spawn_at(const char *site,
                               const uva_task_options_t *options,
                               const uva_async_t *async, const void *self) {
    uva_runtime_t *rt =
        runtime_for(uva__thread_runtime, "UVA_SPAWN", async->run);
    if (rt == NULL)
        return NULL;
    const order_t order = {.site = site,
                           .fn = async->run,
                           .copy = self,
                           .copy_bytes = async->self_bytes,
                           .async = async};
    return spawn_with(rt, options != NULL ? options : &default_options, &order);
}

/* The coroutine is copied by who calls this, who knows its size. */
uva_async_head_t *uva_async_begin_at(const char *site,
                                     const uva_async_t *async) {
    uva_runtime_t *rt =
        runtime_for(uva__thread_runtime, "UVA_SPAWN", async->run);
    if (rt == NULL)
        return NULL;
    uva_task_t *f = spawn_queued(
        rt, &(order_t){.site = site, .fn = async->run, .async = async});
    if (f == NULL)
        return NULL;
    uva_async_head_t *head = uva__task_of(f)->copy;
    head->future = f;
    return head;
}

static uva_future_t *make_coroutine(const order_t *order) {
    uva_runtime_t *rt =
        runtime_for(uva__thread_runtime, "uva_coroutine", order->fn);
    if (rt == NULL)
        return NULL;
    uva__task_t *task = make(rt, &uva__coroutine_kind, order);
    if (task == NULL)
        return NULL;
    task->future.state = UVA__UNSTARTED;
    return &task->future;
}

uva_future_t *uva_coroutine_at(const char *site, uva_fn fn, const void *args,
                               size_t args_bytes) {
    return make_coroutine(&(order_t){.site = site,
                                     .site_fn = 1,
                                     .fn = fn,
                                     .copy = args,
                                     .copy_bytes = args_bytes});
}

uva_future_t *uva_async_coroutine_at(const char *site, const uva_async_t *async,
                                     const void *coroutine) {
    return make_coroutine(&(order_t){.site = site,
                                     .fn = async->run,
                                     .copy = coroutine,
                                     .copy_bytes = async->self_bytes,
                                     .async = async});
}

uva_task_t *(uva_spawn)(uva_fn fn, void *arg) {
    return uva_spawn_at(NULL, fn, arg);
}

uva_task_t *(uva_spawn_on)(uva_runtime_t *runtime, uva_fn fn, void *arg) {
    return uva_spawn_on_at(NULL, runtime, fn, arg);
}

uva_task_t *(uva_spawn_with)(const uva_task_options_t *options, uva_fn fn,
                             void *arg) {
    return uva_spawn_with_at(NULL, options, fn, arg);
}

uva_future_t *(uva_coroutine)(uva_fn fn, const void *args, size_t args_bytes) {
    return uva_coroutine_at(NULL, fn, args, args_bytes);
}

/* ---- coroutines --------------------------------------------------------- */

uva_task_t *uva_start(uva_future_t *coroutine) {
    if (coroutine == NULL || !uva__is_ours(coroutine, "uva_start"))
        return NULL;
    if (uva__start(coroutine, NULL) >= 0)
        return coroutine;
    coroutine->seen = true;
    uva_unref(coroutine);
    return NULL;
}

/* What a body's end means for the message: a success has none, and a request
 * to end carries its reason into the outcome. */
static inline void settle_message(uva__task_t *task, int code) {
    if (UVA__UNLIKELY(code >= 0 && task->future.message != NULL))
        uva__text_put(&task->future.message, NULL);
    else if (code == UV_ECANCELED && task->future.message == NULL)
        task->future.message = uva__text_ref(task->reason);
}

void uva__run_in_place(uva__task_t *runner, uva__task_t *coroutine) {
    uva_future_t *outer = runner->outcome;
    const uva_locals_t *locals = runner->locals;
    uva__scope_enter_plain(&coroutine->root, runner);
    coroutine->future.state = UVA__PENDING;
    runner->outcome = &coroutine->future;
    int code = coroutine->fn(coroutine->arg);
    runner->outcome = outer;
    if (UVA__UNLIKELY(runner->scope != &coroutine->root))
        uva__abort("the coroutine returned inside an open scope; call "
                   "uva_scope_close() on every way out of its block");
    uva__scope_leave_plain(&coroutine->root, runner);
    uva__locals_check(runner, locals);
    settle_message(coroutine, code);
    uva__complete(&coroutine->future, code);
}

/* ---- the course of a task ----------------------------------------------- */

/* The body has returned and holds something still. What lies on the task's own
 * stack is gone with the body's frame, and must not be looked at. */
static UVA__COLD void abandon_held(uva__task_t *task) {
    const uva__fiber_t *fiber = &task->stack->fiber;
    uva_held_t *held;
    while ((held = task->held) != NULL) {
        if ((uintptr_t)held - (uintptr_t)fiber->low < fiber->bytes) {
            uva__report(task->future.runtime,
                        "task '%s' (spawned at %.*s) ended holding a lock that "
                        "lies in its own frame, which is gone; release it on "
                        "every way out",
                        uva_name(&task->future),
                        uva__site_length(task->future.site), task->future.site);
            return;
        }
        /* Made anew while it was held: nobody's. */
        if (held->at != &task->held)
            return;
        uva__let_go(held);
        held->abandon(held);
    }
}

void uva__task_run(uva__task_t *task) {
    const uva_locals_t *locals = task->locals;
    int code = task->fn(task->arg);
    if (UVA__UNLIKELY(task->held != NULL))
        abandon_held(task);
    if (UVA__UNLIKELY(task->scope != &task->root))
        uva__abort("the body returned inside an open scope; call "
                   "uva_scope_close() on every way out of its block");
    uva__locals_check(task, locals);
    settle_message(task, code);
    uva__complete(&task->future, code);
}

void uva__task_over(uva__task_t *task) {
    uva_runtime_t *rt = task->future.runtime;
    if (UVA__UNLIKELY(task->values != NULL || task->locals != NULL))
        uva__locals_drop(task);
    task->stack = NULL;
    task->stage = UVA__STAGE_OVER;
    uva__list_remove(&rt->tasks, &task->all);
    uva__ready_unreserve(&rt->ready);
    rt->live--;
    if (UVA__UNLIKELY(rt->life != UVA__RUNNING))
        uva__end_task_over(rt, task);
    uva__unref(&task->future);
}

void uva__task_end_unrun(uva__task_t *task, int code) {
    settle_message(task, code);
    uva__complete(&task->future, code);
    uva__task_over(task);
}

void uva_detach(uva_task_t *task) {
    uva_unref(task);
}

/* ---- inside a body ------------------------------------------------------ */

uva__task_t *uva__not_running(const char *call) {
    (void)uva__misuse(call, "called outside a task. Only a task can wait: "
                            "spawn one, or use uva_run()");
    return NULL;
}

uva_task_t *uva_current(void) {
    uva_runtime_t *rt = uva__thread_runtime;
    return rt != NULL && rt->current != NULL ? &rt->current->future : NULL;
}

int uva_return(void *value) {
    uva__task_t *task = uva__running("uva_return");
    if (task == NULL)
        return UV_EPERM;
    if (task->outcome->is_apart)
        return uva__misuse("uva_return",
                           "an async function returns its value by "
                           "UVA_RETURN(), which knows its type");
    task->outcome->value = value;
    return 0;
}

int uva_fail(int code, const char *format, ...) {
    if (code >= 0)
        return UV_EINVAL;
    uva__task_t *task = uva__running("uva_fail");
    if (task == NULL || format == NULL)
        return code;
    va_list arguments;
    va_start(arguments, format);
    uva__text_put(&task->outcome->message, uva__text_format(format, arguments));
    va_end(arguments);
    return code;
}

const char *uva_last_message(void) {
    uva_runtime_t *rt = uva__thread_runtime;
    if (rt == NULL || rt->current == NULL)
        return NULL;
    return uva__text_chars(rt->current->heard);
}

/* ---- requests to end ---------------------------------------------------- */

const char *uva_cancel_reason(void) {
    uva_runtime_t *rt = uva__thread_runtime;
    if (rt == NULL || rt->current == NULL)
        return NULL;
    return uva__text_chars(rt->current->reason);
}

int uva_uncancel(uva_task_t *f) {
    if (f == NULL || !f->kind->is_task || !uva__is_ours(f, "uva_uncancel"))
        return 0;
    uva__task_t *task = uva__task_of(f);
    if (uva__is_done(f) || task->requests == 0)
        return task->requests;
    if (--task->requests == 0) {
        uva__text_put(&task->reason, NULL);
        uva__scope_mend(&task->root);
    }
    return task->requests;
}

int uva_cancelling(const uva_task_t *f) {
    if (f == NULL || !f->kind->is_task)
        return 0;
    return uva__task_of(f)->requests;
}
