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

void *uva_async_block_leaves(void) {
    const uva__task_t *task = current();
    return task != NULL ? uva__text_ref(task->heard) : NULL;
}

void uva_async_block_left(void *message, int code, int *failure, int *block) {
    uva__task_t *task = current();
    if (task != NULL && code < 0 && *failure == UV_ECANCELED) {
        *failure = task->leaving = task->block_code = code;
        uva__text_unref(message);
    } else if (task != NULL) {
        if (code < 0 && *failure == 0)
            uva__report(task->future.runtime,
                        "task '%s' returned out of a block whose end failed "
                        "with %d (%s), which nobody gets to see; leave the "
                        "block by its end or by break",
                        uva_name(&task->future), code, uv_err_name(code));
        uva__text_put(&task->heard, message);
    }
    if (block != NULL && *failure != 0)
        *block = *failure;
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

static uva_task_options_t options_for(const uva_task_options_t *options,
                                      const uva_async_t *async,
                                      const void *self) {
    uva_task_options_t all = {0};
    if (options != NULL)
        all = *options;
    all.copy = self;
    all.copy_bytes = async->self_bytes;
    all.async = async;
    return all;
}

uva_task_t *uva_async_spawn_at(const char *site,
                               const uva_task_options_t *options,
                               const uva_async_t *async, const void *self) {
    uva_task_options_t all = options_for(options, async, self);
    return uva_spawn_with_at(site, &all, async->run, NULL);
}

int uva_async_group_spawn_at(const char *site, uva_group_t *group,
                             const uva_async_t *async, const void *self) {
    if (async == NULL)
        return uva__misuse("UVA_GROUP_SPAWN",
                           "this is a task already; a group takes coroutines, "
                           "and makes tasks of them");
    uva_task_options_t all = options_for(NULL, async, self);
    return uva_group_spawn_with_at(site, group, &all, async->run, NULL, NULL);
}

/* ---- many at once ------------------------------------------------------- */

void uva__async_futures(const char *site, const void *coroutines, size_t count,
                        size_t self_bytes, uva_future_t *ret_futures[]) {
    const char *coroutine = coroutines;
    for (size_t i = 0; i < count; i++, coroutine += self_bytes) {
        uva_async_head_t head;
        memcpy(&head, coroutine, sizeof head);
        ret_futures[i] =
            head.async != NULL
                ? uva_async_coroutine_at(site, head.async, coroutine)
                : head.future;
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
    if (futures == NULL)
        return UV_ENOMEM;
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

/* One item: `at` says which by its place in an array of as many bytes. */
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
    job_t job = {site, async, self, ret_value};
    return uva_run_with(options, run_job, &job);
}
