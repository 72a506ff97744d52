/*
 * What: locks, conditions, events, queues and barriers on uvawait, for the
 * differential test; the twin of reference_sync.py. A part of ops.c.
 */
#include <inttypes.h>
#include <string.h>

#include "program.h"

/* ---- their life ---------------------------------------------------------- */

/* Items are numbers. */
static int compare_items(const void *a, const void *b) {
    intptr_t left = (intptr_t)a, right = (intptr_t)b;
    return (left > right) - (left < right);
}

static void init_queue(uva_queue_t *queue, size_t kind, size_t capacity) {
    if (kind == 0)
        (void)uva_queue_init(queue, capacity);
    else if (kind == 1)
        (void)uva_queue_init_lifo(queue, capacity);
    else
        (void)uva_queue_init_priority(queue, capacity, compare_items);
}

void program_sync_init(program_t *program) {
    for (size_t i = 0; i < program->lock_count; i++)
        uva_lock_init(&program->locks[i]);
    for (size_t i = 0; i < program->condition_count; i++)
        uva_condition_init(&program->conditions[i]);
    for (size_t i = 0; i < program->event_count; i++)
        uva_event_init(&program->events[i]);
    for (size_t i = 0; i < program->queue_count / 2; i++)
        init_queue(&program->queues[i], program->queue_kinds[2 * i],
                   program->queue_kinds[2 * i + 1]);
    for (size_t i = 0; i < program->barrier_count; i++)
        uva_barrier_init(&program->barriers[i], program->parties[i]);
}

static void log_state(const program_t *program, const char *noun, size_t index,
                      int64_t state) {
    char event[32], text[24];
    (void)snprintf(event, sizeof event, "%s%zu", noun, index);
    (void)snprintf(text, sizeof text, "%" PRId64, state);
    program_log(program, 0, event, text);
}

void program_sync_log(const program_t *program) {
    for (size_t i = 0; i < program->lock_count; i++)
        log_state(program, "lock", i, uva_lock_is_locked(&program->locks[i]));
    for (size_t i = 0; i < program->event_count; i++)
        log_state(program, "event", i, uva_event_is_set(&program->events[i]));
    for (size_t i = 0; i < program->queue_count / 2; i++) {
        uva_queue_statistics_t queue;
        uva_queue_statistics(&program->queues[i], &queue);
        log_state(program, "queue", i, (int64_t)queue.size);
        log_state(program, "unfinished", i, (int64_t)queue.unfinished);
    }
    for (size_t i = 0; i < program->barrier_count; i++) {
        uva_barrier_statistics_t barrier;
        uva_barrier_statistics(&program->barriers[i], &barrier);
        log_state(program, "barrier", i, (int64_t)barrier.waiting);
    }
}

void program_sync_free(program_t *program) {
    for (size_t i = 0; i < program->queue_count / 2; i++)
        uva_queue_free(&program->queues[i]);
}

/* ---- locks --------------------------------------------------------------- */

static signal_t run_lock(runner_t *self, const operation_t *operation) {
    uva_lock_t *lock = &self->program->locks[operation->arguments[0]];
    bool if_free = operation->arguments[1] != 0;
    int code = if_free ? uva_lock_try_acquire(lock) : uva_lock_acquire(lock);
    signal_t signal = program_over(self, operation, code, NULL);
    if (code < 0)
        return signal;
    const runner_t **holder = &self->program->holders[operation->arguments[0]];
    *holder = self;
    if (signal == GO_ON)
        signal = program_run_inside(self, operation);
    *holder = NULL;
    code = uva_lock_release(lock);
    if (code < 0) /* not the owner any more: a difference */
        (void)program_over(self, operation, code, NULL);
    return signal;
}

/* ---- conditions ---------------------------------------------------------- */

/* Where the holder of its lock stands. */
static const runner_t **holder_of(const runner_t *self,
                                  const operation_t *operation) {
    program_t *program = self->program;
    return &program->holders[program->lock_of[operation->arguments[0]]];
}

static uva_condition_t *condition_of(const runner_t *self,
                                     const operation_t *operation) {
    return &self->program->conditions[operation->arguments[0]];
}

/* A cut program may have left its lock: that is reported by uvawait, and no
 * error without waiters; so it is not called. */
static signal_t refuse(const runner_t *self, const operation_t *operation) {
    return program_over(self, operation, UV_EPERM, NULL);
}

static signal_t run_cond_wait(runner_t *self, const operation_t *operation) {
    const runner_t **holder = holder_of(self, operation);
    if (*holder != self)
        return refuse(self, operation);
    char text[24];
    size_t lock = self->program->lock_of[operation->arguments[0]];
    *holder = NULL;
    int code = uva_condition_wait(condition_of(self, operation),
                                  &self->program->locks[lock]);
    *holder = self;
    return program_over_with(self, operation, program_code(code, text));
}

static signal_t notify(const runner_t *self, const operation_t *operation,
                       bool all) {
    if (*holder_of(self, operation) != self)
        return refuse(self, operation);
    uva_condition_t *condition = condition_of(self, operation);
    int code =
        all ? uva_condition_notify_all(condition)
            : uva_condition_notify(condition, (size_t)operation->arguments[1]);
    return program_over(self, operation, code, (void *)(intptr_t)code);
}

static signal_t run_notify(runner_t *self, const operation_t *operation) {
    return notify(self, operation, false);
}

static signal_t run_notify_all(runner_t *self, const operation_t *operation) {
    return notify(self, operation, true);
}

/* ---- events -------------------------------------------------------------- */

static uva_event_t *event_of(const runner_t *self,
                             const operation_t *operation) {
    return &self->program->events[operation->arguments[0]];
}

static signal_t run_event_wait(runner_t *self, const operation_t *operation) {
    int code = uva_event_wait(event_of(self, operation));
    return program_over(self, operation, code, NULL);
}

static signal_t run_event_set(runner_t *self, const operation_t *operation) {
    uva_event_set(event_of(self, operation));
    return program_over(self, operation, 0, NULL);
}

static signal_t run_event_clear(runner_t *self, const operation_t *operation) {
    uva_event_clear(event_of(self, operation));
    return program_over(self, operation, 0, NULL);
}

/* ---- queues -------------------------------------------------------------- */

static uva_queue_t *queue_of(const runner_t *self,
                             const operation_t *operation) {
    return &self->program->queues[operation->arguments[0]];
}

static signal_t run_put(runner_t *self, const operation_t *operation) {
    void *item = (void *)(intptr_t)operation->arguments[1];
    int code = uva_queue_put(queue_of(self, operation), item);
    return program_over(self, operation, code, NULL);
}

static signal_t run_try_put(runner_t *self, const operation_t *operation) {
    void *item = (void *)(intptr_t)operation->arguments[1];
    int code = uva_queue_try_put(queue_of(self, operation), item);
    return program_over(self, operation, code, NULL);
}

static signal_t run_get(runner_t *self, const operation_t *operation) {
    void *item = NULL;
    int code = uva_queue_get(queue_of(self, operation), &item);
    return program_over(self, operation, code, item);
}

static signal_t run_try_get(runner_t *self, const operation_t *operation) {
    void *item = NULL;
    int code = uva_queue_try_get(queue_of(self, operation), &item);
    return program_over(self, operation, code, item);
}

static signal_t run_task_done(runner_t *self, const operation_t *operation) {
    int code = uva_queue_task_done(queue_of(self, operation));
    return program_over(self, operation, code, NULL);
}

static signal_t run_join(runner_t *self, const operation_t *operation) {
    int code = uva_queue_join(queue_of(self, operation));
    return program_over(self, operation, code, NULL);
}

/* ---- barriers ------------------------------------------------------------ */

static uva_barrier_t *barrier_of(const runner_t *self,
                                 const operation_t *operation) {
    return &self->program->barriers[operation->arguments[0]];
}

/* The place; after a waiter was cut, asyncio gives one twice. */
static signal_t run_arrive(runner_t *self, const operation_t *operation) {
    bool *disturbed = &self->program->disturbed[operation->arguments[0]];
    int code = uva_barrier_wait(barrier_of(self, operation));
    if (code == UV_ECANCELED)
        *disturbed = true;
    else if (code > 0 && *disturbed)
        code = 0;
    return program_over(self, operation, code, (void *)(intptr_t)code);
}

static signal_t run_abort(runner_t *self, const operation_t *operation) {
    int code = uva_barrier_abort(barrier_of(self, operation));
    return program_over(self, operation, code, NULL);
}

static signal_t run_reset(runner_t *self, const operation_t *operation) {
    int code = uva_barrier_reset(barrier_of(self, operation));
    return program_over(self, operation, code, NULL);
}

/* ---- the table ----------------------------------------------------------- */

const verb_t program_sync_verbs[] = {
    {"lock", run_lock, true},
    {"cond_wait", run_cond_wait, false},
    {"notify", run_notify, false},
    {"notify_all", run_notify_all, false},
    {"event_wait", run_event_wait, false},
    {"event_set", run_event_set, false},
    {"event_clear", run_event_clear, false},
    {"put", run_put, false},
    {"try_put", run_try_put, false},
    {"get", run_get, false},
    {"try_get", run_try_get, false},
    {"task_done", run_task_done, false},
    {"join", run_join, false},
    {"arrive", run_arrive, false},
    {"abort", run_abort, false},
    {"reset", run_reset, false},
    {NULL, NULL, false},
};
