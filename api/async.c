/*
 * What: what the typed layer (uvawait/async.h) cannot do in its macros.
 *
 * How a failure goes up: UVA_TRY() and UVA_CHECK() note it (uva_async_leave),
 * and the end of an async function compares what its body returned with the
 * note. That it is the same failure lets its message go along; that a block was
 * cut short, and said on the way out why, turns UV_ECANCELED into that code.
 * All of this is on the way of failures only.
 */
#include "uvawait/async.h"

#include <stdlib.h>
#include <string.h>

#include "async_futures.h"
#include "runtime/seam.h"

enum { SMALL_GATHER = 8 };

static uva__task_t *current(void) {
    return uva__thread_runtime != NULL ? uva__thread_runtime->current : NULL;
}

/* ---- failures on their way up ------------------------------------------- */

/* Whether UV_ECANCELED is what a block further in made of its own end: nobody
 * asks the task to end. */
static bool is_absorbed(const uva__task_t *task, int code) {
    return code == UV_ECANCELED && task->block_code != 0 && !task->is_cut;
}

int uva_async_leave(int code, int *block) {
    uva__task_t *task = current();
    if (task != NULL) {
        if (is_absorbed(task, code))
            code = task->block_code;
        task->leaving = code;
        task->block_code = 0;
    }
    if (block != NULL)
        *block = code;
    return code;
}

/* What runs now has nothing to do with it, but may ask what it was. */
uva_leaving_t uva_async_block_leaves(void) {
    uva__task_t *task = current();
    if (task == NULL)
        return (uva_leaving_t){0};
    uva_leaving_t leaving = {uva__text_ref(task->heard), task->leaving,
                             task->block_code};
    task->leaving = task->block_code = 0;
    return leaving;
}

void uva__async_resume(uva_leaving_t leaving) {
    uva__task_t *task = current();
    if (task == NULL)
        return;
    uva__text_put(&task->heard, leaving.message);
    task->leaving = leaving.code;
    task->block_code = leaving.block_code;
}

/* A cancellation needs no report: the task meets it again. */
static void report_unseen(const uva__task_t *task, int code) {
    char name[32]; /* uv_err_name() leaks for codes that are not libuv's */
    if (code < 0 && code != UV_ECANCELED)
        uva__report(task->future.runtime,
                    "task '%s' returned out of a block whose end failed with "
                    "%d (%s), which nobody gets to see; leave the block by its "
                    "end or by break",
                    uva_name(&task->future), code,
                    uv_err_name_r(code, name, sizeof name));
}

void uva_async_block_left(uva_leaving_t leaving, int code, int *failure,
                          int *block) {
    uva__task_t *task = current();
    if (task != NULL && code < 0 && code != UV_ECANCELED &&
        *failure == UV_ECANCELED) {
        *failure = task->leaving = task->block_code = code;
        uva__text_unref(leaving.message);
    } else if (task != NULL) {
        if (*failure == 0)
            report_unseen(task, code);
        uva__async_resume(leaving);
    }
    if (block != NULL && *failure != 0)
        *block = *failure;
}

int uva_async_exit_close(uva_scope_t *shield, int code) {
    int cut = uva_scope_close(shield);
    return code == UV_ECANCELED && cut == UV_ETIMEDOUT ? cut : code;
}

/* What a body that returned a failure failed with; *is_known: it came through
 * UVA_TRY() or UVA_CHECK(), and its message is what the task heard last. */
static int failure_of(uva__task_t *task, int code, bool *is_known) {
    if (is_absorbed(task, code))
        code = task->block_code;
    *is_known = task->leaving == code;
    task->leaving = 0;
    task->block_code = 0;
    return code;
}

int uva_async_failed(int code) {
    uva__task_t *task = current();
    if (task == NULL)
        return code;
    bool is_known;
    code = failure_of(task, code, &is_known);
    uva__text_t *message = task->outcome->message;
    task->outcome->message = NULL;
    if (message != NULL || !is_known)
        uva__text_put(&task->heard, message);
    return code;
}

int uva_async_ended(int code) {
    uva__task_t *task = current();
    if (task == NULL)
        return code;
    bool is_known;
    code = failure_of(task, code, &is_known);
    if (is_known && task->outcome->message == NULL)
        task->outcome->message = uva__text_ref(task->heard);
    return code;
}

/* ---- tasks -------------------------------------------------------------- */

int uva_async_group_spawn_at(const char *site, uva_group_t *group,
                             const uva_async_t *async, const void *self) {
    if (async == NULL)
        return uva__misuse("UVA_GROUP_SPAWN",
                           "this is a task already; a group takes coroutines, "
                           "and makes tasks of them");
    const uva_task_options_t options = {
        .copy = self, .copy_bytes = async->self_bytes, .async = async};
    return uva_group_spawn_with_at(site, group, &options, async->run, NULL,
                                   NULL);
}

/* ---- many at once ------------------------------------------------------- */

static uva_async_head_t head_at(const char *place) {
    uva_async_head_t head;
    memcpy(&head, place, sizeof head);
    return head;
}

void uva__async_futures(const char *site, const void *coroutines, size_t count,
                        size_t self_bytes, uva_future_t *ret_futures[]) {
    const char *coroutine = coroutines;
    for (size_t i = 0; i < count; i++, coroutine += self_bytes) {
        uva_async_head_t head = head_at(coroutine);
        ret_futures[i] =
            head.async != NULL
                ? uva_async_coroutine_at(site, head.async, coroutine)
                : head.future;
    }
}

/* The handle at `place`, or NULL for a coroutine. */
static uva_future_t *handle_at(const char *place) {
    uva_async_head_t head = head_at(place);
    return head.async == NULL ? head.future : NULL;
}

void uva__async_end(const void *coroutines, size_t count, size_t self_bytes) {
    const char *place = coroutines;
    for (size_t i = 0; i < count; i++)
        (void)uva_cancel(handle_at(place + i * self_bytes));
    for (size_t i = 0; i < count; i++) {
        uva_future_t *handle = handle_at(place + i * self_bytes);
        if (handle != NULL)
            (void)uva_await(handle, NULL);
    }
}

int uva_async_gather_at(const char *site, const void *coroutines, size_t count,
                        size_t self_bytes, void *ret_values) {
    if (coroutines == NULL && count > 0)
        return UV_EINVAL;
    uva_future_t *small[SMALL_GATHER];
    uva_future_t **futures = small;
    if (count > SMALL_GATHER)
        futures = malloc(count * sizeof(uva_future_t *));
    if (futures == NULL) {
        uva__async_end(coroutines, count, self_bytes);
        return UV_ENOMEM;
    }
    uva__async_futures(site, coroutines, count, self_bytes, futures);
    int code = uva_gather(futures, count, ret_values);
    if (futures != small)
        free(futures);
    return code;
}

typedef struct mapping {
    const uva_async_t *async;
    const char *items;
    char *ret_values; /* may be NULL */
} mapping_t;

typedef struct step {
    const mapping_t *mapping;
    size_t index;
} step_t;

static int map_one(void *arg) {
    const step_t *step = arg;
    const mapping_t *mapping = step->mapping;
    const uva_async_t *async = mapping->async;
    char *frame = calloc(1, async->frame_bytes);
    if (frame == NULL)
        return UV_ENOMEM;
    memcpy(frame + async->args_offset,
           mapping->items + step->index * async->args_bytes, async->args_bytes);
    int code = async->run(frame);
    if (code >= 0 && mapping->ret_values != NULL)
        memcpy(mapping->ret_values + step->index * async->value_bytes,
               frame + async->value_offset, async->value_bytes);
    free(frame);
    return code;
}

int uva_async_map(const uva_async_t *async, const void *items, size_t count,
                  size_t limit, void *ret_values) {
    if (items == NULL && count > 0)
        return UV_EINVAL;
    mapping_t mapping = {async, items, ret_values};
    step_t *steps = malloc((count > 0 ? count : 1) * sizeof *steps);
    if (steps == NULL)
        return UV_ENOMEM;
    for (size_t i = 0; i < count; i++)
        steps[i] = (step_t){&mapping, i};
    int code = uva_map(map_one, steps, count, sizeof *steps, limit);
    free(steps);
    return code;
}

/* ---- running ------------------------------------------------------------ */

typedef struct job {
    const char *site;
    const uva_async_t *async;
    const void *self;
    void *ret_value;
    uva__text_t *message; /* of its failure */
} job_t;

static int run_job(void *arg) {
    const job_t *job = arg;
    return uva_await(uva_async_coroutine_at(job->site, job->async, job->self),
                     job->ret_value);
}

int uva_async_run_at(const char *site, const uva_options_t *options,
                     const uva_async_t *async, const void *self,
                     void *ret_value) {
    if (async == NULL)
        return UV_EINVAL;
    job_t job = {site, async, self, ret_value, NULL};
    return uva__run_as(site, async->name, options, run_job, &job);
}

static int run_main(void *arg) {
    job_t *job = arg;
    int code = run_job(job);
    if (code < 0)
        job->message = uva__text_new(uva_last_message());
    return code;
}

int uva_async_main_at(const char *site, const uva_async_t *async,
                      const void *self) {
    job_t job = {site, async, self, NULL, NULL};
    int code = uva__run_as(site, async->name, NULL, run_main, &job);
    char reason[80];
    if (code < 0)
        uva__report(NULL, "%s() failed (run at %.*s): %s (%d)%s%s", async->name,
                    uva__site_length(site), site,
                    uv_strerror_r(code, reason, sizeof reason), code,
                    job.message != NULL ? ": " : "",
                    job.message != NULL ? job.message->chars : "");
    uva__text_unref(job.message);
    return code < 0;
}
