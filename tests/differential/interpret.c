/*
 * What: runs programs of the differential test on uvawait under the virtual
 * clock and prints what happened; reference.py does the same on asyncio.
 *
 *     differential_interpret [SEED] <programs
 *
 * SEED: options.schedule_seed, a random order of the ready tasks.
 *
 * How: task 0 is spawned, and after a time in which everything that can happen
 * has happened, the state of all tasks, futures and semaphores is printed. What
 * still waits then is ended in silence.
 */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "program.h"

/* Longer than all sleeps of a program together. */
#define ALL_TIME_MS UINT64_C(10000000000)

enum { MOST_ROUNDS = 64 };

static program_t program; /* too large for a stack */

void program_log(const program_t *of, int64_t task, const char *event,
                 const char *result) {
    if (!of->silent)
        (void)printf("%" PRIu64 " %" PRId64 " %s %s\n", uva_now_ms(), task,
                     event, result);
}

const char *program_code(int64_t code, char ret_text[24]) {
    static const struct {
        int code;
        const char *name;
    } names[] = {{UV_ECANCELED, "cancelled"}, {UV_ETIMEDOUT, "timeout"},
                 {UV_EPERM, "refused"},       {UV_EALREADY, "already"},
                 {UV_EAGAIN, "pending"},      {UV_ERANGE, "range"},
                 {UV_ECONNABORTED, "broken"}};
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        if (names[i].code == code)
            return names[i].name;
    }
    (void)snprintf(ret_text, 24, "%" PRId64, code);
    return ret_text;
}

/* ---- tasks --------------------------------------------------------------- */

signal_t program_run_block(runner_t *self, size_t from, size_t to) {
    signal_t signal = GO_ON;
    size_t at = from;
    while (signal == GO_ON && at < to) {
        const operation_t *operation = &self->program->operations[at];
        signal = operation->verb->run(self, operation);
        at = operation->verb->opens_block ? operation->end + 1 : at + 1;
    }
    return signal;
}

uva_task_options_t program_task(runner_t *runner) {
    return (uva_task_options_t){.copy = runner, .copy_bytes = sizeof *runner};
}

int program_body(void *arg) {
    runner_t *self = arg;
    const body_t *body = &self->program->tasks[self->id];
    program_log(self->program, self->id, "begins", "0");
    signal_t signal = program_run_block(self, body->from, body->to);
    self->program->end_ms[self->id] = uva_now_ms();
    char text[24];
    switch (signal) {
    case RETURNED:
    case FAILED:
        program_log(self->program, self->id, "ends",
                    program_code(self->value, text));
        break;
    default:
        program_log(self->program, self->id, "ends",
                    signal == CANCELLED ? "cancelled" : "0");
    }
    if (signal == FAILED)
        return (int)self->value;
    if (signal == CANCELLED)
        return UV_ECANCELED;
    return uva_return(signal == RETURNED ? (void *)(intptr_t)self->value
                                         : NULL);
}

/* ---- a program ----------------------------------------------------------- */

static void log_final_state(void) {
    char text[24], event[32];
    for (size_t i = 0; i < MOST_AWAITABLES; i++) {
        const uva_future_t *f = program.awaitables[i];
        if (f == NULL)
            continue;
        int code = uva_status(f);
        program_log(
            &program, (int64_t)i, "final",
            program_code(code < 0 ? code : (intptr_t)uva_value(f), text));
    }
    for (size_t i = 0; i < program.semaphore_count; i++) {
        (void)snprintf(event, sizeof event, "semaphore%zu", i);
        program_log(
            &program, 0, event,
            program_code((int64_t)uva_semaphore_value(&program.semaphores[i]),
                         text));
    }
    program_sync_log(&program);
}

/* Cancels what still waits, as often as it takes: it may catch that. */
static bool end_the_rest(void) {
    for (int round = 0; round < MOST_ROUNDS; round++) {
        bool pending = false;
        for (size_t i = 0; i < MOST_AWAITABLES; i++)
            pending = uva_cancel(program.awaitables[i]) || pending;
        if (!pending)
            return true;
        (void)uva_sleep(ALL_TIME_MS);
    }
    return false;
}

static int run_main(void *arg) {
    (void)arg;
    for (size_t i = 0; i < program.future_count; i++)
        program.awaitables[FIRST_FUTURE + i] = uva_future_new();
    for (size_t i = 0; i < program.semaphore_count; i++)
        uva_semaphore_init(&program.semaphores[i], program.permits[i]);
    program_sync_init(&program);
    (void)uva_sleep(1); /* the moment 0 is nobody's: see is_cut() */
    runner_t first = {.program = &program, .id = 0};
    uva_task_options_t options = program_task(&first);
    program.awaitables[0] = uva_spawn_with(&options, program_body, NULL);
    (void)uva_sleep(ALL_TIME_MS);
    log_final_state();
    program.silent = true;
    bool ended = end_the_rest();
    program.silent = false;
    if (!ended)
        program_log(&program, 0, "end", "tasks that cannot be ended");
    for (size_t i = 0; i < MOST_AWAITABLES; i++)
        uva_unref(program.awaitables[i]);
    program_sync_free(&program);
    return 0;
}

/* What the library has to say is a difference, but for failures that nobody
 * has looked at: a program may leave them lying. */
static void report(void *arg, const char *text) {
    (void)arg;
    if (strstr(text, "nobody looked") == NULL)
        (void)printf("report: %s\n", text);
}

int main(int argc, char **argv) {
    uva_options_t options = {.clock = UVA_CLOCK_VIRTUAL,
                             .schedule_seed =
                                 argc > 1 ? strtoull(argv[1], NULL, 10) : 0,
                             .report = report};
    /* A line that was printed stays, should the next step kill the process. */
    (void)setvbuf(stdout, NULL, _IOLBF, 0);
    while (program_read(&program, stdin)) {
        (void)printf("program %s\n", program.name);
        int code = uva_run_with(&options, run_main, NULL);
        (void)printf("run %d\n", code);
    }
    return 0;
}
