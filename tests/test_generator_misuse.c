/* labels: valgrind; timeout: 30 */
/* Generators: what is refused, and what ends the process with advice. */
#include "overflow_fixture.h"
#include "support/program.h"

#include <signal.h>
#include <string.h>

/* A body that emits for ever; items have no bytes. */
static int emit_for_ever(void *arg) {
    (void)arg;
    int code;
    while ((code = uva_emit(NULL)) == 0) {}
    return code;
}

/* Exactly one report, which says this. */
static void expect_report(const char *text) {
    ck_assert_msg(support_report_count() == 1, "%s", support_reports());
    ck_assert_msg(support_reports_contain(text), "%s", support_reports());
    support_reports_clear();
}

/* ---- outside ------------------------------------------------------------ */

static int emit_here(void *arg) {
    (void)arg;
    int code = uva_emit(NULL);
    ck_assert_int_eq(code, UV_EPERM);
    expect_report("uva_emit: called outside of a generator's body");
    return 0;
}

/* A task that a body spawns or starts is not in the body. */
static int spawn_emitters(void *arg) {
    (void)arg;
    uva_task_options_t options = {.eager = true};
    ck_assert_int_eq(uva_await(uva_spawn(emit_here, NULL), NULL), 0);
    ck_assert_int_eq(uva_await(uva_spawn_with(&options, emit_here, NULL), NULL),
                     0);
    ck_assert_int_eq(uva_emit(NULL), 0);
    return 0;
}

static int outside_main(void *arg) {
    uva_generator_t *generator = uva_generate(spawn_emitters, NULL, 0);
    ck_assert_int_eq(uva_next(generator, NULL), 1);
    ck_assert_int_eq(emit_here(arg), 0);
    ck_assert_int_eq(uva_next(generator, NULL), 0);
    ck_assert_int_eq(uva_generator_close(generator), 0);
    ck_assert_ptr_null(uva_generate(NULL, NULL, 0));
    expect_report("uva_generate: the function is NULL");
    ck_assert_int_eq(uva_next(NULL, NULL), UV_ENOMEM);
    return 0;
}

START_TEST(generator_emit_is_for_bodies) {
    program_expect(outside_main);
}
END_TEST

START_TEST(generator_needs_a_runtime) {
    ck_assert_ptr_null(uva_generate(emit_for_ever, NULL, 0));
    ck_assert_int_eq(uva_emit(NULL), UV_EPERM);
    ck_assert_int_eq(uva_generator_close(NULL), 0);
}
END_TEST

/* ---- from elsewhere ----------------------------------------------------- */

typedef struct elsewhere {
    uva_generator_t *unbegun;
    uva_generator_t *begun;
    uva_generator_t *over;
    uva_generator_t *made;
} elsewhere_t;

static void use_in_a_callback(uva_future_t *f, void *arg) {
    elsewhere_t *self = arg;
    (void)f;
    ck_assert_int_eq(uva_next(self->begun, NULL), UV_EPERM);
    expect_report("uva_next: called outside a task");
    ck_assert_int_eq(uva_generator_close(self->begun), UV_EPERM);
    expect_report("uva_generator_close: called outside a task");
    ck_assert_int_eq(uva_generator_close(self->unbegun), 0);
    ck_assert_int_eq(uva_generator_close(self->over), UV_EIO);
    self->made = uva_generate(emit_for_ever, NULL, 0);
    ck_assert_ptr_nonnull(self->made);
}

static int fail_at_once(void *arg) {
    (void)arg;
    return UV_EIO;
}

static int callback_main(void *arg) {
    (void)arg;
    elsewhere_t self = {.unbegun = uva_generate(emit_for_ever, NULL, 0),
                        .begun = uva_generate(emit_for_ever, NULL, 0),
                        .over = uva_generate(fail_at_once, NULL, 0)};
    ck_assert_int_eq(uva_next(self.begun, NULL), 1);
    ck_assert_int_eq(uva_next(self.over, NULL), UV_EIO);
    uva_task_t *task = spawn_worker("w", 1, 0);
    ck_assert_int_eq(uva_on_done(task, use_in_a_callback, &self), 0);
    ck_assert_int_eq(uva_await(task, NULL), 0);
    ck_assert_int_eq(uva_sleep(1), 0);
    ck_assert_int_eq(uva_next(self.made, NULL), 1);
    ck_assert_int_eq(uva_next(self.begun, NULL), 1);
    ck_assert_int_eq(uva_generator_close(self.made), 0);
    return uva_generator_close(self.begun);
}

START_TEST(generator_in_callbacks) {
    program_expect(callback_main);
}
END_TEST

static void use_in_a_thread(void *arg) {
    ck_assert_int_eq(uva_next(arg, NULL), UV_EPERM);
    ck_assert_int_eq(uva_generator_close(arg), UV_EPERM);
}

static int thread_main(void *arg) {
    (void)arg;
    uva_generator_t *generator = uva_generate(emit_for_ever, NULL, 0);
    ck_assert_int_eq(uva_next(generator, NULL), 1);
    support_in_thread(use_in_a_thread, generator);
    ck_assert_int_eq(uva_next(generator, NULL), 1);
    return uva_generator_close(generator);
}

START_TEST(generator_belongs_to_a_thread) {
    program_expect(thread_main);
}
END_TEST

/* ---- inside ------------------------------------------------------------- */

static int sleep_then_emit(void *arg) {
    ck_assert_int_eq(uva_sleep(10), 0);
    return uva_emit(arg);
}

static int ask(void *arg) {
    return uva_next(arg, NULL);
}

static int busy_main(void *arg) {
    (void)arg;
    uva_generator_t *generator = uva_generate(sleep_then_emit, NULL, 0);
    uva_task_t *task = uva_spawn(ask, generator);
    ck_assert_int_eq(uva_sleep(5), 0);
    ck_assert_int_eq(uva_next(generator, NULL), UV_EBUSY);
    ck_assert_int_eq(uva_generator_close(generator), UV_EBUSY);
    ck_assert_int_eq(uva_await(task, NULL), 1);
    ck_assert_int_eq(uva_next(generator, NULL), 0);
    return uva_generator_close(generator);
}

START_TEST(generator_takes_one_task_at_a_time) {
    program_expect(busy_main);
}
END_TEST

/* A call that yields at the end of the budget is inside already. */
static int close_when_yielded_to(void *arg) {
    return uva_generator_close(arg);
}

static int yield_main(void *arg) {
    (void)arg;
    uva_generator_t *generator = uva_generate(emit_for_ever, NULL, 0);
    uva_task_t *task = uva_spawn(close_when_yielded_to, generator);
    for (int i = 0; !uva_is_done(task); i++) {
        ck_assert_int_lt(i, 1000);
        ck_assert_int_eq(uva_next(generator, NULL), 1);
    }
    ck_assert_int_eq(uva_await(task, NULL), UV_EBUSY);
    return uva_generator_close(generator);
}

START_TEST(generator_is_busy_while_its_caller_yields) {
    program_expect(yield_main);
}
END_TEST

static int ask_oneself(void *arg) {
    uva_generator_t *self = *(uva_generator_t **)arg;
    ck_assert_int_eq(uva_next(self, NULL), UV_EPERM);
    expect_report("uva_next: called by the generator's own body");
    ck_assert_int_eq(uva_generator_close(self), UV_EPERM);
    expect_report("uva_generator_close: called by the generator's own body");
    return uva_emit(NULL);
}

static int ask_in_circles(void *arg) {
    uva_generator_t *inner = uva_generate(ask_oneself, arg, 0);
    ck_assert_int_eq(uva_next(inner, NULL), 1);
    ck_assert_int_eq(uva_generator_close(inner), 0);
    return ask_oneself(arg);
}

static int own_body_main(void *arg) {
    (void)arg;
    uva_generator_t *generator = NULL;
    generator = uva_generate(ask_in_circles, &generator, 0);
    ck_assert_int_eq(uva_next(generator, NULL), 1);
    return uva_generator_close(generator);
}

START_TEST(generator_does_not_ask_itself) {
    program_expect(own_body_main);
}
END_TEST

/* ---- blocks ------------------------------------------------------------- */

static int emit_in_a_coroutine(void *arg) {
    (void)arg;
    ck_assert_int_eq(uva_emit(NULL), UV_EPERM);
    return 0;
}

/* Refused without effect, each way; and what is closed may emit. */
static int emit_in_blocks(void *arg) {
    static const char inside[] = "uva_emit: called inside a scope, a group";
    (void)arg;
    int item = 1;
    uva_scope_t scope;
    uva_scope_open(&scope, 100, 0);
    ck_assert_int_eq(uva_emit(&item), UV_EPERM);
    expect_report(inside);
    ck_assert_int_eq(uva_scope_close(&scope), 0);
    uva_group_t group;
    uva_group_open(&group);
    ck_assert_int_eq(uva_emit(&item), UV_EPERM);
    expect_report(inside);
    ck_assert_int_eq(uva_group_close(&group), 0);
    ck_assert_int_eq(
        uva_await(uva_coroutine(emit_in_a_coroutine, NULL, 0), NULL), 0);
    expect_report(inside);
    uva_local_block_t block;
    uva_local_open(&block);
    ck_assert_int_eq(uva_emit(&item), UV_EPERM);
    expect_report("uva_emit: called inside a block of task-local values");
    uva_local_close(&block);
    ck_assert_int_eq(uva_emit(NULL), UV_EINVAL);
    return uva_emit(&item);
}

static int blocks_main(void *arg) {
    (void)arg;
    int item = 0;
    uva_generator_t *generator =
        uva_generate(emit_in_blocks, NULL, sizeof item);
    uva_scope_t scope;
    uva_scope_open(&scope, 100, 0);
    ck_assert_int_eq(uva_next(generator, &item), 1);
    ck_assert_int_eq(item, 1);
    ck_assert_int_eq(uva_scope_close(&scope), 0);
    ck_assert_int_eq(uva_next(generator, &item), 0);
    return uva_generator_close(generator);
}

START_TEST(generator_does_not_stand_in_blocks) {
    program_expect(blocks_main);
}
END_TEST

/* ---- death -------------------------------------------------------------- */

static int leave_a_scope_open(void *arg) {
    static uva_scope_t scope;
    (void)arg;
    uva_scope_open(&scope, UVA_FOREVER, 0);
    return 0;
}

static int leave_values_open(void *arg) {
    static uva_local_block_t block;
    (void)arg;
    uva_local_open(&block);
    return 0;
}

static int leave_a_lock_locked(void *arg) {
    (void)arg;
    uva_lock_t lock = UVA_LOCK_INIT;
    return uva_lock_acquire(&lock);
}

static int dig(void *arg) {
    (void)arg;
    ck_assert_int_eq(uva_sleep(1), 0);
    return (int)(recurse(0) & 1);
}

typedef struct death {
    uva_fn body;
    int signal;
    const char *text;
} death_t;

static const death_t deaths[] = {
    {leave_a_scope_open, SIGABRT, "returned inside an open scope"},
    {leave_values_open, SIGABRT, "inside an open block of task-local values"},
    {leave_a_lock_locked, SIGABRT, "holding a lock that lies in its own frame"},
    {dig, SIGSEGV, "stack overflow in task 'main'"}};

static int die_main(void *arg) {
    const death_t *death = arg;
    uva_generator_t *generator = uva_generate(death->body, NULL, 0);
    (void)uva_next(generator, NULL);
    return uva_generator_close(generator);
}

static void die(void *arg) {
    (void)uva_run(die_main, arg);
}

START_TEST(generator_broken_bodies_end_the_process) {
    for (size_t i = 0; i < sizeof deaths / sizeof deaths[0]; i++)
        ck_assert(support_dies(die, (void *)(uintptr_t)&deaths[i],
                               deaths[i].signal, deaths[i].text));
}
END_TEST

/* ---- locks -------------------------------------------------------------- */

static int stand_with_a_lock(void *arg) {
    uva_lock_t lock = UVA_LOCK_INIT;
    *(uva_lock_t **)arg = &lock;
    ck_assert_int_eq(uva_lock_acquire(&lock), 0);
    int code = uva_emit(NULL);
    if (uva_lock_is_locked(&lock))
        ck_assert_int_eq(uva_lock_release(&lock), 0);
    return code;
}

/* The task that it locked for ends; the body still stands on its frame. */
static int abandon_main(void *arg) {
    (void)arg;
    uva_lock_t *lock = NULL;
    uva_generator_t *generator = uva_generate(stand_with_a_lock, &lock, 0);
    ck_assert_int_eq(uva_await(uva_spawn(ask, generator), NULL), 1);
    expect_report("holding");
    ck_assert_int_eq(uva_generator_close(generator), 0);
    generator = uva_generate(stand_with_a_lock, &lock, 0);
    ck_assert_int_eq(uva_next(generator, NULL), 1);
    ck_assert(uva_lock_is_locked(lock));
    return uva_generator_close(generator);
}

START_TEST(generator_locks_belong_to_the_task) {
    program_expect(abandon_main);
}
END_TEST

SUITE("generator_misuse", generator_emit_is_for_bodies,
      generator_needs_a_runtime, generator_in_callbacks,
      generator_belongs_to_a_thread, generator_takes_one_task_at_a_time,
      generator_is_busy_while_its_caller_yields, generator_does_not_ask_itself,
      generator_does_not_stand_in_blocks,
      generator_broken_bodies_end_the_process,
      generator_locks_belong_to_the_task)
