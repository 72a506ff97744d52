/*
 * program.h - running a main task, and the worker that tests spawn.
 *
 * Time is virtual: a program of sleeps takes none, and its order is exact.
 */
#ifndef SUPPORT_PROGRAM_H
#define SUPPORT_PROGRAM_H

#include "support/support.h"
#include "uvawait.h"

/* Runs main(arg) under the virtual clock, reports kept; returns its code. */
static inline int program_run(uva_fn main, void *arg) {
    uva_options_t options = {.clock = UVA_CLOCK_VIRTUAL,
                             .report = support_report};
    return uva_run_with(&options, main, arg);
}

/* The same; main must return 0, and nothing may be reported. */
static inline void program_expect(uva_fn main) {
    ck_assert_int_eq(program_run(main, NULL), 0);
    ck_assert_str_eq(support_reports(), "");
}

/* A task that has run up to its first park. */
static inline uva_task_t *parked(uva_fn fn, void *arg) {
    uva_task_t *task =
        uva_spawn_with(&(uva_task_options_t){.eager = true}, fn, arg);
    ck_assert(!uva_is_done(task));
    return task;
}

/* What uva_dump() says now; to be freed. */
static inline char *program_dump(void) {
    char *text = NULL;
    size_t length = 0;
    FILE *out = open_memstream(&text, &length);
    ck_assert_ptr_nonnull(out);
    uva_dump(uva_runtime_current(), out);
    ck_assert_int_eq(fclose(out), 0);
    return text;
}

/* What a worker does: it sleeps, records its name ("a!" when it was cut), and
 * ends with its code and its name as value, or with a message. */
typedef struct worker {
    const char *name;
    uint64_t ms;
    int code;
    uint64_t linger_ms; /* cut: stays so long, then records "a~" */
} worker_t;

static inline int worker(void *arg) {
    const worker_t *self = arg;
    int code = uva_sleep(self->ms);
    record("%s%s", self->name, code < 0 ? "!" : "");
    if (code < 0 && self->linger_ms > 0) {
        uva_scope_t scope;
        uva_scope_open(&scope, UVA_FOREVER, UVA_SCOPE_SHIELD);
        ck_assert_int_eq(uva_sleep(self->linger_ms), 0);
        ck_assert_int_eq(uva_scope_close(&scope), 0);
        record("%s~", self->name);
    }
    if (code < 0)
        return code;
    if (self->code < 0)
        return uva_fail(self->code, "%s failed", self->name);
    (void)uva_return((void *)(uintptr_t)self->name);
    return self->code;
}

/* A task of that name with a worker of its own. */
static inline uva_task_t *spawn_worker(const char *name, uint64_t ms,
                                       int code) {
    worker_t self = {.name = name, .ms = ms, .code = code};
    uva_task_options_t options = {
        .name = name, .copy = &self, .copy_bytes = sizeof self};
    return uva_spawn_with(&options, worker, NULL);
}

/* One that, cut, takes linger_ms to end. */
static inline uva_task_t *spawn_lingerer(const char *name, uint64_t ms,
                                         uint64_t linger_ms) {
    worker_t self = {.name = name, .ms = ms, .linger_ms = linger_ms};
    uva_task_options_t options = {
        .name = name, .copy = &self, .copy_bytes = sizeof self};
    return uva_spawn_with(&options, worker, NULL);
}

/* The same worker as a coroutine. */
static inline uva_future_t *worker_coroutine(const char *name, uint64_t ms,
                                             int code) {
    worker_t self = {.name = name, .ms = ms, .code = code};
    return uva_coroutine(worker, &self, sizeof self);
}

#endif
