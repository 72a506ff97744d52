/*
 * What: uva_call(): another thread runs a function as a task, and waits for its
 * code.
 *
 * How: the call lives in the waiting thread's frame. A post spawns the task; a
 * watcher on the task stores the code and lets the thread go, whichever way the
 * task ends. An accepted post always runs, so the thread is never forgotten.
 */
#include "report.h"
#include "task.h"
#include "uvawait/thread.h"

typedef struct call {
    uva_runtime_t *runtime;
    uva_fn fn;
    void *arg;
    uva__watcher_t watcher;
    uv_sem_t over;
    int code;
} call_t;

static void finish(uva__watcher_t *watcher, uva_future_t *f) {
    call_t *call = UVA__OF(watcher, call_t, watcher);
    f->seen = true;
    call->code = f->code;
    uv_sem_post(&call->over);
}

static void begin(void *arg) {
    call_t *call = arg;
    /* A site of its own: a place inside the library would tell nobody where. */
    uva_task_t *task = uva_spawn_with_at(
        "uva_call()", &(uva_task_options_t){.name = "uva_call"}, call->fn,
        call->arg);
    if (task == NULL) {
        uva__report(call->runtime, "uva_call: no task could be made for a call "
                                   "from another thread");
        call->code = UV_ENOMEM;
        uv_sem_post(&call->over);
        return;
    }
    call->watcher.fire = finish;
    uva__watch(task, &call->watcher);
    uva_unref(task);
}

int uva_call(uva_runtime_t *runtime, uva_fn fn, void *arg) {
    if (runtime == NULL || fn == NULL)
        return UV_EINVAL;
    if (runtime == uva__thread_runtime)
        return uva__misuse("uva_call", "called in the loop's own thread, which "
                                       "would wait for itself. Inside a task "
                                       "use uva_await(uva_spawn(...))");
    call_t call = {.runtime = runtime, .fn = fn, .arg = arg};
    int code = uv_sem_init(&call.over, 0);
    if (code < 0)
        return code;
    code = uva_post(runtime, begin, &call);
    if (code == 0) {
        uv_sem_wait(&call.over);
        code = call.code;
    }
    uv_sem_destroy(&call.over);
    return code;
}
