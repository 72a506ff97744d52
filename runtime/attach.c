/*
 * What: making a runtime on a loop, and giving it up: uva_runtime_*.
 *
 * A runtime that could not be made completely goes the same way as one that
 * ends: its handles are closed, and its memory is freed when they are.
 */
#include "attach.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "end.h"
#include "hint.h"
#include "loop.h"
#include "overflow.h"
#include "post.h"
#include "report.h"
#include "schedule.h"
#include "watchdog.h"

static void copy_text(char *place, size_t bytes, const char *text,
                      size_t length) {
    if (length >= bytes)
        length = bytes - 1;
    memcpy(place, text, length);
    place[length] = '\0';
}

/* "file:line" of a site, in two. */
static void split_site(uva_runtime_t *rt, const char *site,
                       uva__overflow_info_t *ret_info) {
    size_t length = (size_t)uva__site_length(site);
    size_t colon = length;
    while (colon > 0 && site[colon] != ':')
        colon--;
    if (colon == 0)
        return; /* "uva_run()" and the like: no place in a file */
    copy_text(rt->overflow_file, sizeof rt->overflow_file, site, colon);
    ret_info->file = rt->overflow_file;
    ret_info->line = (int)strtol(site + colon + 1, NULL, 10);
}

/* For the overflow report, inside the signal handler: which task was it? The
 * texts are built in the runtime; nothing here allocates. */
static bool describe(const void *address, uva__overflow_info_t *ret_info) {
    uva_runtime_t *rt = uva__thread_runtime;
    const uva__task_t *task = rt != NULL ? rt->current : NULL;
    if (task == NULL || task->stack == NULL ||
        !uva__stacks_guard_hit(&rt->stacks, task->stack, address))
        return false;
    const uva_future_t *f = &task->future;
    *ret_info = (uva__overflow_info_t){.bytes = task->stack->bytes};
    int length = 0;
    const char *name = NULL;
    if (f->name != NULL)
        ret_info->name = f->name->chars;
    else if (f->site_fn != 0)
        name = uva__site_argument(f->site, f->site_fn - 1u, &length);
    if (name != NULL) {
        copy_text(rt->overflow_name, sizeof rt->overflow_name, name,
                  (size_t)length);
        ret_info->name = rt->overflow_name;
    }
    if (f->site != NULL)
        split_site(rt, f->site, ret_info);
    return true;
}

static int watch_overflow(uva_runtime_t *rt) {
    int code = uva__overflow_install(describe);
    if (code < 0)
        return code;
    code = uva__overflow_thread_enter(&rt->overflow_token);
    if (code < 0) {
        uva__overflow_remove();
        return code;
    }
    rt->overflow = true;
    return 0;
}

/* The watchdog's signal may come when a task's stack is nearly used up, so it
 * gets one of its own; without memory for that, it is as other signals are. */
static void watch_slices(uva_runtime_t *rt) {
    if (!rt->overflow)
        (void)uva__overflow_thread_enter(&rt->overflow_token);
    uva__watchdog_start(rt);
}

static uva_runtime_t *make(uv_loop_t *loop, const uva_options_t *options) {
    uva_runtime_t *rt = calloc(1, sizeof *rt);
    if (rt == NULL)
        return NULL;
    if (options != NULL)
        rt->options = *options;
    if (rt->options.slow_task_ms == 0)
        rt->options.slow_task_ms = 100;
    if (uva__ready_init(&rt->ready, rt->options.schedule_seed) < 0) {
        free(rt);
        return NULL;
    }
    if (uva__posts_init(rt) < 0) {
        uva__ready_term(&rt->ready);
        free(rt);
        return NULL;
    }
    atomic_init(&rt->refs, 1);
    rt->loop = loop;
    rt->debug = rt->options.debug;
    if (rt->debug && !rt->options.no_hints)
        rt->hints = uva__hints_new();
    rt->is_virtual = rt->options.clock == UVA_CLOCK_VIRTUAL;
    rt->errno_at = &errno;
    uva__stacks_init(&rt->stacks, rt->options.stack_bytes, uva__stack_main);
    uva__fiber_init_thread(&rt->fiber);
    return rt;
}

int uva__attach(uv_loop_t *loop, const uva_options_t *options,
                uva_runtime_t **ret_runtime) {
    if (uva__thread_runtime != NULL) {
        (void)uva__misuse("uvawait", "this thread has a runtime already; spawn "
                                     "on it instead of starting another");
        return UV_EBUSY;
    }
    uva_runtime_t *rt = make(loop, options);
    if (rt == NULL)
        return UV_ENOMEM;
    uva__thread_runtime = rt;
    int code = uva__loop_init(rt);
    if (code == 0 && rt->options.report_overflow)
        code = watch_overflow(rt);
    if (code == 0) {
        if (rt->debug && !rt->is_virtual)
            watch_slices(rt);
        *ret_runtime = rt;
        return 0;
    }
    rt->life = UVA__CLOSING;
    (void)uva__posts_refuse(rt);
    uva__thread_runtime = NULL;
    if (rt->handles == 0)
        uva__end_over(rt);
    else
        uva__loop_term(rt);
    return code;
}

int uva_runtime_attach(uv_loop_t *loop, const uva_options_t *options,
                       uva_runtime_t **ret_runtime) {
    if (loop == NULL || ret_runtime == NULL)
        return UV_EINVAL;
    return uva__attach(loop, options, ret_runtime);
}

int uva_runtime_detach(uva_runtime_t *runtime, void (*done)(void *arg),
                       void *arg) {
    if (runtime == NULL)
        return UV_EINVAL;
    if (runtime != uva__thread_runtime)
        return runtime->life >= UVA__CLOSING
                   ? UV_EALREADY
                   : uva__misuse("uva_runtime_detach",
                                 "this is not the thread of that runtime");
    if (runtime->own_loop)
        return uva__misuse("uva_runtime_detach",
                           "the runtime is uva_run()'s own: it ends when main "
                           "returns");
    if (runtime->life != UVA__RUNNING)
        return UV_EALREADY;
    runtime->done = done;
    runtime->done_arg = arg;
    uva__end_begin(runtime);
    return 0;
}

uva_runtime_t *uva_runtime_current(void) {
    return uva__thread_runtime;
}

uv_loop_t *uva_runtime_loop(uva_runtime_t *runtime) {
    return runtime != NULL ? runtime->loop : NULL;
}

uva_runtime_t *uva_runtime_ref(uva_runtime_t *runtime) {
    if (runtime != NULL)
        (void)atomic_fetch_add(&runtime->refs, 1);
    return runtime;
}

static void free_runtime(uva_runtime_t *rt) {
    uva__pools_term(&rt->pools);
    uva__posts_term(rt);
    free(rt);
}

void uva_runtime_unref(uva_runtime_t *runtime) {
    if (runtime != NULL && uva__posts_unref(runtime, 1))
        free_runtime(runtime);
}

void uva__runtime_hold(uva_runtime_t *rt) {
    (void)atomic_fetch_add(&rt->refs, UVA__HOLD);
}

void uva__runtime_let_go(uva_runtime_t *rt) {
    if (uva__posts_unref(rt, UVA__HOLD))
        free_runtime(rt);
}
