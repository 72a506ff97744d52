/*
 * What: blocking work in libuv's thread pool, awaited: uva_to_thread().
 *
 * How: the job is memory of its own, so libuv never refers to a caller that
 * has gone (docs/DESIGN.md, I7). The task parks until the job's callback. Cut
 * meanwhile: a job still queued is taken back. A running one cannot be; if it
 * works on a copy the task leaves at once and the job ends alone, else the task
 * stays, because the job may point into its frame.
 *
 * A job whose task has left is counted in rt->requests: the runtime's end waits
 * for it.
 */
#include <stdlib.h>
#include <string.h>

#include "../locals.h"
#include "../loop.h"
#include "../report.h"
#include "../scope.h"
#include "uvawait/thread.h"

typedef struct job {
    uv_work_t request;
    uva_runtime_t *runtime;
    uva_fn fn;
    void *arg;             /* the caller's, or `copy` */
    uva__waiter_t *waiter; /* NULL: the task has left */
    uva__values_t *values; /* held; task-local ones, which fn may read */
    bool is_copied;
    int code; /* fn's; written by the pool's thread */
    _Alignas(max_align_t) char copy[];
} job_t;

typedef struct job_waiter {
    uva__waiter_t waiter;
    job_t *job;
} job_waiter_t;

static void work(uv_work_t *request) {
    job_t *job = UVA__OF(request, job_t, request);
    uva__thread_values = job->values;
    job->code = job->fn(job->arg);
    uva__thread_values = NULL;
}

static void free_job(job_t *job) {
    uva__values_unref(job->values);
    free(job);
}

static void after_work(uv_work_t *request, int status) {
    job_t *job = UVA__OF(request, job_t, request);
    uva_runtime_t *rt = job->runtime;
    if (job->waiter != NULL) {
        uva__wake(job->waiter, status < 0 ? status : job->code);
    } else {
        uva__loop_request_ended(rt);
    }
    free_job(job);
}

/* The task leaves; the job ends alone. */
static uva_future_t *leave(uva__waiter_t *waiter, job_t *job) {
    job->waiter = NULL;
    job->runtime->requests++;
    uva__wake_cut(waiter);
    return NULL;
}

static uva_future_t *cancel(uva__waiter_t *waiter) {
    job_t *job = UVA__OF(waiter, job_waiter_t, waiter)->job;
    bool never_runs = uv_cancel((uv_req_t *)&job->request) == 0;
    if (never_runs || job->is_copied)
        return leave(waiter, job);
    return NULL; /* runs on the caller's memory: R9 */
}

static const uva__wait_t thread_wait = {
    .reason = "thread job", .cancel = cancel, .outside = true};

static int run_job(const char *call, uva_fn fn, void *arg, const void *copy,
                   size_t copy_bytes) {
    uva__task_t *task = uva__running(call);
    if (task == NULL)
        return UV_EPERM;
    if (fn == NULL)
        return UV_EINVAL;
    int code = uva__may_park(task);
    if (code < 0)
        return code;
    job_t *job = malloc(sizeof *job + copy_bytes);
    if (job == NULL)
        return UV_ENOMEM;
    job_waiter_t waiter = {.waiter.wait = &thread_wait, .job = job};
    job->runtime = task->future.runtime;
    job->fn = fn;
    job->arg = arg;
    job->waiter = &waiter.waiter;
    job->values = uva__values_ref(*uva__values_of(task));
    job->is_copied = copy != NULL;
    job->code = 0;
    if (copy != NULL)
        job->arg = memcpy(job->copy, copy, copy_bytes);
    code = uv_queue_work(job->runtime->loop, &job->request, work, after_work);
    if (code < 0) {
        free_job(job);
        return code;
    }
    return uva__park(task, &waiter.waiter);
}

int uva_to_thread(uva_fn fn, void *arg) {
    return run_job("uva_to_thread", fn, arg, NULL, 0);
}

int uva_to_thread_with(uva_fn fn, const void *copy, size_t copy_bytes) {
    if (copy == NULL)
        copy_bytes = 0;
    return run_job("uva_to_thread_with", fn, NULL, copy, copy_bytes);
}
