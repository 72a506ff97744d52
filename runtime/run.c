/*
 * What: uva_run(): a loop of its own around one main task.
 *
 * How: a watcher on main begins the end. The loop runs until the runtime has
 * ended, whatever else is on it; handles that the program left open on it are
 * reported and closed then.
 */
#include <stdio.h>
#include <stdlib.h>

#include "attach.h"
#include "end.h"
#include "interrupt.h"
#include "report.h"
#include "run.h"
#include "task.h"

typedef struct main_watch {
    uva__watcher_t watcher;
    uva__interrupt_t interrupt;
    int code;
    bool over;
} main_watch_t;

static void main_is_over(uva__watcher_t *watcher, uva_future_t *f) {
    main_watch_t *watch = UVA__OF(watcher, main_watch_t, watcher);
    uva_runtime_t *rt = f->runtime;
    f->seen = true;
    watch->code = uva__interrupt_code(&watch->interrupt, f->code);
    watch->over = true;
    rt->main = NULL;
    uva__interrupt_stop(&watch->interrupt);
    if (rt->life == UVA__RUNNING)
        uva__end_begin(rt);
}

/* A handle that the program opened on our loop and forgot. */
static void close_forgotten(uv_handle_t *handle, void *report) {
    const uva_options_t *options = report;
    if (uv_is_closing(handle))
        return;
    char text[128];
    (void)snprintf(text, sizeof text,
                   "a libuv %s handle was still open on uva_run()'s loop and "
                   "has been closed",
                   uv_handle_type_name(handle->type));
    if (options != NULL && options->report != NULL)
        options->report(options->report_arg, text);
    else
        (void)fprintf(stderr, "uvawait: %s\n", text);
    uv_close(handle, NULL);
}

static void close_loop(uv_loop_t *loop, const uva_options_t *options) {
    while (uv_loop_close(loop) == UV_EBUSY) {
        uv_walk(loop, close_forgotten, (void *)(uintptr_t)options);
        (void)uv_run(loop, UV_RUN_DEFAULT);
    }
    free(loop);
}

/* Spawns main and runs the loop until the runtime has ended. */
static int run_main(uva_runtime_t *rt, const char *site, const char *name,
                    uva_fn main, void *arg) {
    uv_loop_t *loop = rt->loop;
    main_watch_t watch = {.watcher.fire = main_is_over};
    if (rt->options.handle_signals)
        watch.code = uva__interrupt_start(&watch.interrupt, rt);
    uva_task_t *task = NULL;
    if (watch.code == 0) {
        task = uva_spawn_at(site, main, arg);
        watch.code = UV_ENOMEM;
    }
    if (task == NULL) {
        uva__interrupt_stop(&watch.interrupt);
        uva__end_begin(rt);
    } else {
        (void)uva_set_name(task, name);
        rt->main = uva__task_of(task);
        uva__watch(task, &watch.watcher);
        uva_unref(task);
    }
    while (uva__thread_runtime == rt)
        (void)uv_run(loop, UV_RUN_DEFAULT);
    return watch.code;
}

int uva__run_as(const char *site, const char *name,
                const uva_options_t *options, uva_fn main, void *arg) {
    if (main == NULL)
        return UV_EINVAL;
    if (uva__thread_runtime != NULL) {
        (void)uva__misuse("uva_run", "called inside a runtime of this thread, "
                                     "which would block it for ever. Await a "
                                     "task here instead");
        return UV_EBUSY;
    }
    uv_loop_t *loop = malloc(sizeof *loop);
    if (loop == NULL)
        return UV_ENOMEM;
    int code = uv_loop_init(loop);
    if (code < 0) {
        free(loop);
        return code;
    }
    uva_options_t own = options != NULL ? *options : (uva_options_t){0};
    own.report_overflow = true;
    uva_runtime_t *rt = NULL;
    code = uva__attach(loop, &own, &rt);
    if (code == 0) {
        rt->own_loop = true;
        code = run_main(rt, site, name, main, arg);
    }
    close_loop(loop, &own);
    return code;
}

int uva_run_with(const uva_options_t *options, uva_fn main, void *arg) {
    return uva__run_as("uva_run()\t", "main", options, main, arg);
}

int uva_run(uva_fn main, void *arg) {
    return uva_run_with(NULL, main, arg);
}
