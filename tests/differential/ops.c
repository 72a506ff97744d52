/*
 * What: the operations of the differential test, on uvawait. A new one is a
 * function here and a line in the table at the end; reference.py has its twin.
 *
 * The rule that both sides follow: a task that was asked to end, and was not
 * told so by a call, is told after it (see program_is_cut()).
 */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "program.h"

/* ---- what they are made of ---------------------------------------------- */

bool program_is_cut(void) {
    return uva_scope_deadline_ms() == 0;
}

void program_note(const runner_t *self, const operation_t *operation,
                  const char *result) {
    char event[64];
    (void)snprintf(event, sizeof event, "%u:%s", operation->number,
                   operation->verb->name);
    program_log(self->program, self->id, event, result);
}

signal_t program_over(const runner_t *self, const operation_t *operation,
                      int code, const void *value) {
    char text[24];
    program_note(self, operation,
                 program_code(code < 0 ? code : (intptr_t)value, text));
    return program_is_cut() && uva_sleep(0) == UV_ECANCELED ? CANCELLED : GO_ON;
}

signal_t program_over_with(const runner_t *self, const operation_t *operation,
                           const char *result) {
    program_note(self, operation, program_is_cut() ? "cut" : result);
    return program_is_cut() && uva_sleep(0) == UV_ECANCELED ? CANCELLED : GO_ON;
}

static uva_future_t *awaitable(const runner_t *self, int64_t id) {
    return self->program->awaitables[id];
}

/* Logs that an awaitable is not there yet. */
static signal_t nothing(const runner_t *self, const operation_t *operation) {
    program_note(self, operation, "none");
    return GO_ON;
}

/* The awaitables from argument `first` on that are there; with references of
 * their own where `take` says so. */
static size_t collect(const runner_t *self, const operation_t *operation,
                      size_t first, bool take,
                      uva_future_t *ret_futures[MOST_ARGUMENTS]) {
    size_t count = 0;
    for (size_t i = first; i < operation->count; i++) {
        uva_future_t *f = awaitable(self, operation->arguments[i]);
        if (f != NULL)
            ret_futures[count++] = take ? uva_ref(f) : f;
    }
    return count;
}

/* Where the inside of a block begins. */
static size_t begin_of(const runner_t *self, const operation_t *operation) {
    return (size_t)(operation - self->program->operations) + 1;
}

signal_t program_run_inside(runner_t *self, const operation_t *operation) {
    return program_run_block(self, begin_of(self, operation), operation->end);
}

static void append(char *text, size_t bytes, const char *item) {
    size_t length = strlen(text);
    (void)snprintf(text + length, bytes - length, "%s%s", length > 0 ? "," : "",
                   item);
}

/* ---- time ---------------------------------------------------------------- */

static signal_t run_sleep(runner_t *self, const operation_t *operation) {
    return program_over(self, operation,
                        uva_sleep((uint64_t)operation->arguments[0]), NULL);
}

static signal_t run_yield(runner_t *self, const operation_t *operation) {
    return program_over(self, operation, uva_yield(), NULL);
}

/* ---- tasks and futures --------------------------------------------------- */

static signal_t run_spawn(runner_t *self, const operation_t *operation) {
    runner_t child = {.program = self->program, .id = operation->arguments[0]};
    uva_task_options_t options = program_task(&child);
    self->program->awaitables[child.id] =
        uva_spawn_with(&options, program_body, NULL);
    return program_over(self, operation, 0, NULL);
}

static signal_t run_cancel(runner_t *self, const operation_t *operation) {
    uva_future_t *f = awaitable(self, operation->arguments[0]);
    if (f == NULL)
        return nothing(self, operation);
    return program_over(self, operation, 0, (void *)(intptr_t)uva_cancel(f));
}

static signal_t run_poll(runner_t *self, const operation_t *operation) {
    uva_future_t *f = awaitable(self, operation->arguments[0]);
    if (f == NULL)
        return nothing(self, operation);
    return program_over(self, operation, uva_status(f), uva_value(f));
}

static signal_t run_resolve(runner_t *self, const operation_t *operation) {
    uva_future_t *f = awaitable(self, operation->arguments[0]);
    void *value = (void *)(intptr_t)operation->arguments[1];
    return program_over(self, operation, uva_future_resolve(f, value), NULL);
}

static signal_t run_break(runner_t *self, const operation_t *operation) {
    uva_future_t *f = awaitable(self, operation->arguments[0]);
    int code = (int)operation->arguments[1];
    return program_over(self, operation, uva_future_fail(f, code, NULL), NULL);
}

static signal_t run_return(runner_t *self, const operation_t *operation) {
    self->value = operation->arguments[0];
    program_note(self, operation, "0");
    return RETURNED;
}

static signal_t run_fail(runner_t *self, const operation_t *operation) {
    self->value = operation->arguments[0];
    program_note(self, operation, "0");
    return FAILED;
}

static signal_t run_give_up(runner_t *self, const operation_t *operation) {
    program_note(self, operation, "0");
    return CANCELLED;
}

/* ---- waiting ------------------------------------------------------------- */

static signal_t run_await(runner_t *self, const operation_t *operation) {
    uva_future_t *f = awaitable(self, operation->arguments[0]);
    if (f == NULL)
        return nothing(self, operation);
    void *value = NULL;
    int code = uva_await(uva_ref(f), &value);
    return program_over(self, operation, code, value);
}

static signal_t run_shield(runner_t *self, const operation_t *operation) {
    uva_future_t *f = awaitable(self, operation->arguments[0]);
    if (f == NULL)
        return nothing(self, operation);
    void *value = NULL;
    int code = uva_await(uva_shield(uva_ref(f)), &value);
    return program_over(self, operation, code, value);
}

static signal_t run_wait_for(runner_t *self, const operation_t *operation) {
    uva_future_t *f = awaitable(self, operation->arguments[0]);
    if (f == NULL)
        return nothing(self, operation);
    void *value = NULL;
    uint64_t limit_ms = (uint64_t)operation->arguments[1];
    int code = uva_wait_for(uva_ref(f), limit_ms, &value);
    return program_over(self, operation, code, value);
}

static signal_t run_shield_for(runner_t *self, const operation_t *operation) {
    uva_future_t *f = awaitable(self, operation->arguments[0]);
    if (f == NULL)
        return nothing(self, operation);
    void *value = NULL;
    uint64_t limit_ms = (uint64_t)operation->arguments[1];
    int code = uva_wait_for(uva_shield(uva_ref(f)), limit_ms, &value);
    return program_over(self, operation, code, value);
}

static signal_t run_gather(runner_t *self, const operation_t *operation) {
    uva_future_t *futures[MOST_ARGUMENTS];
    void *values[MOST_ARGUMENTS];
    char text[24], list[512] = "";
    size_t count = collect(self, operation, 0, true, futures);
    int code = uva_gather(futures, count, values);
    if (code < 0)
        return program_over(self, operation, code, NULL);
    for (size_t i = 0; i < count; i++)
        append(list, sizeof list, program_code((intptr_t)values[i], text));
    return program_over_with(self, operation, list);
}

static signal_t run_settle(runner_t *self, const operation_t *operation) {
    uva_future_t *futures[MOST_ARGUMENTS];
    void *values[MOST_ARGUMENTS];
    int codes[MOST_ARGUMENTS];
    char text[24], list[512] = "";
    size_t count = collect(self, operation, 0, true, futures);
    int code = uva_gather_settled(futures, count, values, codes);
    bool was_cancelled = false;
    for (size_t i = 0; i < count; i++) {
        int64_t result = codes[i] < 0 ? codes[i] : (intptr_t)values[i];
        was_cancelled = was_cancelled || result == UV_ECANCELED;
        append(list, sizeof list, program_code(result, text));
    }
    /* When the task is cut, the code says whether a child ended for it. */
    if (code != (program_is_cut() && was_cancelled ? UV_ECANCELED : 0))
        return program_over(self, operation, code, NULL);
    return program_over_with(self, operation, list);
}

static signal_t run_wait(runner_t *self, const operation_t *operation) {
    static const uva_wait_mode_t modes[] = {
        UVA_ALL_COMPLETED, UVA_FIRST_COMPLETED, UVA_FIRST_ERROR};
    uva_future_t *futures[MOST_ARGUMENTS];
    size_t count = collect(self, operation, 2, false, futures);
    if (count == 0)
        return nothing(self, operation);
    int64_t limit_ms = operation->arguments[1];
    int code = uva_wait(futures, count, modes[operation->arguments[0]],
                        limit_ms < 0 ? UVA_FOREVER : (uint64_t)limit_ms);
    return program_over(self, operation, code, (void *)(intptr_t)code);
}

/* The code of a future that is over, or its value. */
static int64_t outcome(const uva_future_t *f) {
    int code = uva_status(f);
    return code < 0 ? code : (intptr_t)uva_value(f);
}

typedef struct arrival {
    uint64_t at_ms;
    int64_t code;
} arrival_t;

static int compare_arrivals(const void *a, const void *b) {
    const arrival_t *left = a, *right = b;
    if (left->at_ms != right->at_ms)
        return left->at_ms < right->at_ms ? -1 : 1;
    return (left->code > right->code) - (left->code < right->code);
}

/* All of them, as they come. Among those of one moment the order is open. */
static signal_t run_as_completed(runner_t *self, const operation_t *operation) {
    uva_future_t *futures[MOST_ARGUMENTS];
    arrival_t arrivals[MOST_ARGUMENTS];
    uva_as_completed_t it;
    char text[24], list[512] = "";
    size_t count = collect(self, operation, 1, false, futures), got = 0;
    int64_t limit_ms = operation->arguments[0];
    (void)uva_as_completed_open(
        &it, futures, count, limit_ms < 0 ? UVA_FOREVER : (uint64_t)limit_ms);
    uva_future_t *f = NULL;
    int code;
    while ((code = uva_as_completed_next(&it, &f)) == 1 || code == UV_ETIMEDOUT)
        arrivals[got++] =
            (arrival_t){uva_now_ms(), code == 1 ? outcome(f) : code};
    uva_as_completed_close(&it);
    if (code < 0)
        return program_over(self, operation, code, NULL);
    qsort(arrivals, got, sizeof *arrivals, compare_arrivals);
    for (size_t i = 0; i < got; i++)
        append(list, sizeof list, program_code(arrivals[i].code, text));
    return program_over_with(self, operation, list);
}

/* ---- semaphores ---------------------------------------------------------- */

static signal_t run_acquire(runner_t *self, const operation_t *operation) {
    uva_semaphore_t *semaphore =
        &self->program->semaphores[operation->arguments[0]];
    return program_over(self, operation, uva_semaphore_acquire(semaphore),
                        NULL);
}

static signal_t run_release(runner_t *self, const operation_t *operation) {
    uva_semaphore_t *semaphore =
        &self->program->semaphores[operation->arguments[0]];
    return program_over(self, operation, uva_semaphore_release(semaphore),
                        NULL);
}

typedef struct late_release {
    uva_semaphore_t *semaphore;
    uint64_t delay_ms;
} late_release_t;

static int release_later(void *arg) {
    const late_release_t *late = arg;
    int code = uva_sleep(late->delay_ms);
    (void)uva_semaphore_release(late->semaphore);
    return code;
}

/* A block that is left early gives its permit back some time later, so that
 * what happens at one moment stays small. */
static signal_t run_with(runner_t *self, const operation_t *operation) {
    late_release_t late = {&self->program->semaphores[operation->arguments[0]],
                           (uint64_t)operation->arguments[1]};
    int code = uva_semaphore_acquire(late.semaphore);
    signal_t signal = program_over(self, operation, code, NULL);
    if (code < 0)
        return signal;
    if (signal == GO_ON)
        signal = program_run_inside(self, operation);
    if (signal == GO_ON) {
        (void)uva_semaphore_release(late.semaphore);
        return GO_ON;
    }
    uva_task_options_t options = {.copy = &late, .copy_bytes = sizeof late};
    uva_detach(uva_spawn_with(&options, release_later, NULL));
    return signal;
}

/* ---- blocks -------------------------------------------------------------- */

static const char *signal_name(signal_t signal) {
    static const char *const names[] = {"0", "return", "fail", "cancelled"};
    return names[signal];
}

static signal_t run_timeout(runner_t *self, const operation_t *operation) {
    uva_scope_t scope;
    char text[24];
    int64_t id = operation->arguments[0];
    uva_scope_open(&scope, (uint64_t)operation->arguments[1], 0);
    self->program->scopes[id] = &scope;
    signal_t signal = program_run_inside(self, operation);
    self->program->scopes[id] = NULL;
    int code = uva_scope_close(&scope);
    program_note(self, operation,
                 code == 0 ? signal_name(signal) : program_code(code, text));
    if (code == UV_ETIMEDOUT && signal == CANCELLED)
        return program_is_cut() && uva_sleep(0) == UV_ECANCELED ? CANCELLED
                                                                : GO_ON;
    return signal;
}

static signal_t run_reschedule(runner_t *self, const operation_t *operation) {
    uva_scope_t *scope = self->program->scopes[operation->arguments[0]];
    if (scope == NULL)
        return nothing(self, operation);
    uint64_t limit_ms = (uint64_t)operation->arguments[1];
    return program_over(self, operation, uva_scope_reschedule(scope, limit_ms),
                        NULL);
}

static int compare_codes(const void *a, const void *b) {
    int left = *(const int *)a, right = *(const int *)b;
    return (left > right) - (left < right);
}

/* The failures of a group, the lowest first; returns how many. */
static size_t list_failures(const uva_group_t *group,
                            int ret_codes[UVA_GROUP_ERRORS], char *list,
                            size_t bytes) {
    char text[24];
    size_t count = uva_group_errors(group, ret_codes, UVA_GROUP_ERRORS);
    qsort(ret_codes, count, sizeof *ret_codes, compare_codes);
    for (size_t i = 0; i < count; i++)
        append(list, bytes, program_code(ret_codes[i], text));
    return count;
}

/* A child ended now, and not well: the end that closing waited for. */
static bool has_cut_child(const program_t *program, int64_t group) {
    for (size_t i = 0; i < program->task_count; i++) {
        if (program->group_of[i] == group + 1 &&
            program->end_ms[i] == uva_now_ms() &&
            uva_status(program->awaitables[i]) < 0)
            return true;
    }
    return false;
}

static signal_t run_group(runner_t *self, const operation_t *operation) {
    int codes[UVA_GROUP_ERRORS];
    char list[512] = "";
    int64_t id = operation->arguments[0];
    uva_group_t *group = &self->program->groups[id];
    uva_group_open(group);
    self->program->has_group[id] = true;
    signal_t signal = program_run_inside(self, operation);
    if (signal == FAILED)
        (void)uva_group_fail(group, (int)self->value);
    else if (signal == CANCELLED && !program_is_cut())
        (void)uva_group_cancel(group); /* the body gave up by itself */
    int code = uva_group_close(group);
    if (list_failures(group, codes, list, sizeof list) == 0) {
        if (signal == GO_ON || signal == RETURNED)
            signal = code == UV_ECANCELED ? CANCELLED : signal;
        /* "cut" hides whether closing told so; it must have. */
        if (code == 0 && program_is_cut() && has_cut_child(self->program, id))
            program_note(self, operation, "overlooks a cut");
        signal_t met = program_over_with(self, operation, signal_name(signal));
        return met == CANCELLED ? CANCELLED : signal;
    }
    program_note(self, operation, list);
    if (program_is_cut() && uva_sleep(0) == UV_ECANCELED)
        return CANCELLED;
    self->value = codes[0];
    return operation->arguments[1] != 0 ? FAILED : GO_ON;
}

static signal_t run_child(runner_t *self, const operation_t *operation) {
    runner_t child = {.program = self->program, .id = operation->arguments[1]};
    int64_t group = operation->arguments[0];
    if (!self->program->has_group[group])
        return nothing(self, operation);
    uva_task_options_t options = program_task(&child);
    self->program->group_of[child.id] = group + 1;
    int code = uva_group_spawn_with(&self->program->groups[group], &options,
                                    program_body, NULL,
                                    &self->program->awaitables[child.id]);
    return program_over(self, operation, code, NULL);
}

/* Catches a cancellation and takes the requests back; with argument 1 it is
 * given back at the end of the handler. */
static signal_t run_try(runner_t *self, const operation_t *operation) {
    signal_t signal =
        program_run_block(self, begin_of(self, operation), operation->middle);
    if (signal != CANCELLED)
        return signal;
    char text[24];
    int count = uva_cancelling(uva_current());
    bool takes_all = (operation->arguments[0] & 2) == 0;
    while (uva_uncancel(uva_current()) > 0 && takes_all)
        continue;
    program_note(self, operation, program_code(count, text));
    if (program_is_cut() && uva_sleep(0) == UV_ECANCELED)
        return CANCELLED;
    signal = program_run_block(self, operation->middle + 1, operation->end);
    if (signal == GO_ON && (operation->arguments[0] & 1) != 0)
        return CANCELLED;
    return signal;
}

/* ---- the table ----------------------------------------------------------- */

static const verb_t verbs[] = {
    {"sleep", run_sleep, false},
    {"yield", run_yield, false},
    {"spawn", run_spawn, false},
    {"cancel", run_cancel, false},
    {"poll", run_poll, false},
    {"resolve", run_resolve, false},
    {"break", run_break, false},
    {"return", run_return, false},
    {"fail", run_fail, false},
    {"give_up", run_give_up, false},
    {"await", run_await, false},
    {"shield", run_shield, false},
    {"wait_for", run_wait_for, false},
    {"shield_for", run_shield_for, false},
    {"gather", run_gather, false},
    {"settle", run_settle, false},
    {"wait", run_wait, false},
    {"as_completed", run_as_completed, false},
    {"acquire", run_acquire, false},
    {"release", run_release, false},
    {"with", run_with, true},
    {"timeout", run_timeout, true},
    {"reschedule", run_reschedule, false},
    {"group", run_group, true},
    {"child", run_child, false},
    {"try", run_try, true},
    {"catch", NULL, false},
    {"end", NULL, false},
};

const verb_t *program_verb(const char *name) {
    for (size_t i = 0; i < sizeof verbs / sizeof verbs[0]; i++) {
        if (strcmp(verbs[i].name, name) == 0)
            return &verbs[i];
    }
    for (const verb_t *verb = program_sync_verbs; verb->name != NULL; verb++) {
        if (strcmp(verb->name, name) == 0)
            return verb;
    }
    return NULL;
}
