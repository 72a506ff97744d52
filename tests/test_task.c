/* Tasks and coroutines: start, order, outcomes, options, names. */
#include "support/program.h"

#include <errno.h>
#include <signal.h>
#include <string.h>
#include <unistd.h>

#include "runtime/runtime.h"

static int seven = 7;

static int say(void *arg) {
    record("%s", (const char *)arg);
    return 0;
}

static int forever(void *arg) {
    (void)arg;
    return uva_sleep(UVA_FOREVER);
}

/* ---- start and outcome -------------------------------------------------- */

static int start_main(void *arg) {
    (void)arg;
    uva_task_t *tasks[] = {uva_spawn(say, "a"), uva_spawn(say, "b"),
                           uva_spawn(say, "c")};
    record("spawned");
    (void)uva_yield();
    record("main");
    return uva_gather(tasks, 3, NULL);
}

START_TEST(task_starts_in_the_next_tick) {
    CONFORMS("K-013");
    program_expect(start_main);
    ck_expect_record("spawned a b c main");
}
END_TEST

static uva_future_t *shared;

static int await_shared(void *arg) {
    void *value = NULL;
    int code = uva_await(uva_ref(shared), &value);
    const char *message = uva_last_message();
    record("%s:%d:%s", (const char *)arg, code,
           code < 0 ? message : (const char *)value);
    return 0;
}

/* Two wait before its end, main after it. */
static void end_with_waiters(int code) {
    shared = spawn_worker("w", 10, code);
    uva_task_t *tasks[] = {uva_spawn(await_shared, "a"),
                           uva_spawn(await_shared, "b")};
    ck_assert_int_eq(uva_gather(tasks, 2, NULL), 0);
    (void)await_shared("main");
    ck_assert(uva_is_done(shared));
    ck_assert_int_eq(uva_status(shared), code);
    ck_assert_int_eq(uva_cancelling(shared), 0);
    uva_unref(shared);
}

static int outcome_main(void *arg) {
    (void)arg;
    end_with_waiters(5);
    end_with_waiters(-9);
    return 0;
}

START_TEST(task_gives_everybody_its_outcome) {
    CONFORMS("K-014");
    program_expect(outcome_main);
    ck_expect_record("w a:5:w b:5:w main:5:w w a:-9:w failed b:-9:w failed "
                     "main:-9:w failed");
}
END_TEST

static int lonely_main(void *arg) {
    (void)arg;
    uva_task_t *failing = spawn_worker("failing", 5, -9);
    uva_task_t *other = spawn_worker("other", 10, 0);
    ck_assert_int_eq(uva_await(other, NULL), 0);
    ck_assert_uint_eq(support_report_count(), 0);
    uva_unref(failing);
    return 0;
}

START_TEST(task_that_fails_alone_disturbs_nobody) {
    CONFORMS("K-015");
    ck_assert_int_eq(program_run(lonely_main, NULL), 0);
    ck_assert_uint_eq(support_report_count(), 1);
    ck_assert(support_reports_contain("'failing'"));
    ck_assert(support_reports_contain("failing failed"));
    ck_expect_record("failing other");
}
END_TEST

static int outsider_main(void *arg) {
    (void)arg;
    uva_task_t *task = spawn_worker("w", 5, 3);
    ck_assert_int_eq(uva_future_resolve(task, &seven), UV_EPERM);
    ck_assert_int_eq(uva_future_fail(task, -9, "no"), UV_EPERM);
    ck_assert(!uva_is_done(task));
    uva_future_t *coroutine = worker_coroutine("c", 0, 4);
    ck_assert_int_eq(uva_future_resolve(coroutine, &seven), UV_EPERM);
    uva_future_t *shield = uva_shield(uva_ref(task));
    ck_assert_int_eq(uva_future_resolve(shield, &seven), UV_EPERM);
    uva_unref(shield);
    ck_assert_int_eq(uva_await(coroutine, NULL), 4);
    return uva_await(task, NULL) - 3;
}

START_TEST(task_is_ended_by_nobody_else) {
    CONFORMS("K-016");
    ck_assert_int_eq(program_run(outsider_main, NULL), 0);
    ck_assert_uint_eq(support_report_count(), 4);
    ck_assert(support_reports_contain("only its own course can end it"));
    ck_expect_record("c w");
}
END_TEST

static int self_main(void *arg) {
    (void)arg;
    uva_task_t *self = uva_current();
    uva_task_t *both[] = {uva_ref(self), uva_spawn(say, "x")};
    ck_assert_int_eq(uva_await(uva_ref(self), NULL), UV_EPERM);
    ck_assert_int_eq(uva_wait_for(uva_ref(self), 5, NULL), UV_EPERM);
    ck_assert_int_eq(uva_cancel_and_wait(uva_ref(self)), UV_EPERM);
    ck_assert_int_eq(uva_wait(both, 2, UVA_ALL_COMPLETED, 5), UV_EPERM);
    ck_assert_int_eq(uva_gather(both, 2, NULL), UV_EPERM);
    ck_assert_int_eq(uva_race(&(uva_future_t *){uva_ref(self)}, 1, NULL, NULL),
                     UV_EPERM);
    ck_assert_int_eq(uva_cancelling(self), 0);
    return uva_yield();
}

START_TEST(task_does_not_wait_for_itself) {
    CONFORMS("K-017");
    ck_assert_int_eq(program_run(self_main, NULL), 0);
    ck_assert(support_reports_contain("task 'main' waits for itself"));
    ck_expect_record("x");
}
END_TEST

static uva_future_t *doors[2];

/* Wakes the other, then waits to be woken: three times. */
static int ping_pong(void *arg) {
    int me = *(int *)arg;
    uva_task_t *self = uva_current();
    for (int i = 0; i < 3; i++) {
        (void)uva_future_resolve(doors[!me], NULL);
        ck_assert_int_eq(uva_await(uva_ref(doors[me]), NULL), 0);
        ck_assert_ptr_eq(uva_current(), self);
        uva_unref(doors[me]);
        doors[me] = uva_future_new();
        ck_assert_int_eq(uva_yield(), 0);
        ck_assert_ptr_eq(uva_current(), self);
    }
    (void)uva_future_resolve(doors[!me], NULL);
    return 0;
}

static void expect_no_current(void *arg) {
    (void)arg;
    ck_assert_ptr_null(uva_current());
    ck_assert_ptr_nonnull(uva_runtime_current());
}

static int current_main(void *arg) {
    (void)arg;
    doors[0] = uva_future_new();
    doors[1] = uva_future_new();
    uva_task_t *tasks[] = {uva_spawn(ping_pong, &(int){0}),
                           uva_spawn(ping_pong, &(int){1})};
    ck_assert_int_eq(uva_post(uva_runtime_current(), expect_no_current, NULL),
                     0);
    ck_assert_int_eq(uva_gather(tasks, 2, NULL), 0);
    uva_unref(doors[0]);
    uva_unref(doors[1]);
    return 0;
}

START_TEST(task_knows_itself) {
    CONFORMS("K-018");
    ck_assert_ptr_null(uva_current());
    program_expect(current_main);
    ck_assert_ptr_null(uva_current());
    ck_assert_ptr_null(uva_runtime_current());
}
END_TEST

static int all_main(void *arg) {
    (void)arg;
    uva_task_t *all[8];
    uva_runtime_t *rt = uva_runtime_current();
    uva_task_t *parked = uva_spawn(forever, NULL);
    uva_task_t *over = uva_spawn(say, "over");
    (void)uva_yield();
    uva_task_t *fresh = uva_spawn(forever, NULL);
    uva_future_t *coroutine = worker_coroutine("never", 0, 0);
    ck_assert_uint_eq(uva_all_tasks(rt, all, 8), 3);
    ck_assert_ptr_eq(all[0], uva_current());
    ck_assert_ptr_eq(all[1], parked);
    ck_assert_ptr_eq(all[2], fresh);
    ck_assert_uint_eq(uva_all_tasks(rt, NULL, 0), 3);
    (void)uva_cancel_and_wait(parked);
    (void)uva_cancel_and_wait(fresh);
    (void)uva_cancel_and_wait(coroutine);
    uva_unref(over);
    ck_assert_uint_eq(uva_all_tasks(rt, all, 8), 1);
    return 0;
}

START_TEST(task_list_holds_what_has_not_ended) {
    CONFORMS("K-019");
    program_expect(all_main);
    ck_expect_record("over");
}
END_TEST

/* ---- names -------------------------------------------------------------- */

static int rename_self(void *arg) {
    (void)arg;
    ck_assert_str_eq(uva_name(uva_current()), "given");
    ck_assert_int_eq(uva_set_name(uva_current(), "renamed"), 0);
    return 0;
}

static unsigned long number_of(const uva_future_t *f) {
    const char *dash = strrchr(uva_name(f), '-');
    ck_assert_ptr_nonnull(dash);
    return strtoul(dash + 1, NULL, 10);
}

static int names_main(void *arg) {
    (void)arg;
    char name[] = "given";
    uva_task_options_t options = {.name = name};
    uva_task_t *named = uva_spawn_with(&options, rename_self, NULL);
    name[0] = 'x';
    ck_assert_str_eq(uva_name(named), "given");
    uva_task_t *a = uva_spawn(say, "a");
    uva_task_t *b = uva_spawn_with(NULL, say, "b");
    uva_future_t *c = uva_coroutine(say, NULL, 0);
    ck_assert_int_eq(strncmp(uva_name(a), "say-", 4), 0);
    ck_assert_int_eq(strncmp(uva_name(b), "say-", 4), 0);
    ck_assert_int_eq(strncmp(uva_name(c), "say-", 4), 0);
    ck_assert_uint_lt(number_of(a), number_of(b));
    ck_assert_uint_lt(number_of(b), number_of(c));
    ck_assert_str_eq(uva_name(uva_current()), "main");
    (void)uva_cancel(c);
    uva_unref(c);
    ck_assert_int_eq(uva_await(uva_ref(named), NULL), 0);
    ck_assert_str_eq(uva_name(named), "renamed");
    uva_unref(named);
    return uva_gather((uva_future_t *[]){a, b}, 2, NULL);
}

START_TEST(task_has_a_name) {
    CONFORMS("K-020");
    program_expect(names_main);
    ck_expect_record("a b");
}
END_TEST

/* ---- order and time ----------------------------------------------------- */

static int step(void *arg) {
    for (int i = 0; i < 4; i++) {
        record("%s", (const char *)arg);
        ck_assert_int_eq(i % 2 == 0 ? uva_yield() : uva_sleep(0), 0);
    }
    return 0;
}

static int alternate_main(void *arg) {
    (void)arg;
    uva_task_t *tasks[] = {uva_spawn(step, "a"), uva_spawn(step, "b")};
    return uva_gather(tasks, 2, NULL);
}

START_TEST(task_steps_alternate) {
    CONFORMS("K-021");
    program_expect(alternate_main);
    ck_expect_record("a b a b a b a b");
}
END_TEST

static void say_posted(void *arg) {
    record("%s", (const char *)arg);
    if (strcmp(arg, "first") == 0)
        (void)uva_post(uva_runtime_current(), say_posted, "second");
}

static int posted_main(void *arg) {
    (void)arg;
    (void)uva_post(uva_runtime_current(), say_posted, "first");
    record("before");
    (void)uva_yield();
    record("after");
    (void)uva_sleep(0);
    record("later");
    return 0;
}

/* A yield is one tick: what a callback posts meanwhile waits for the next. */
START_TEST(task_yields_for_one_tick) {
    CONFORMS("K-022");
    program_expect(posted_main);
    ck_expect_record("before first after second later");
}
END_TEST

static int sleep_main(void *arg) {
    (void)arg;
    uint64_t start = uva_now_ms();
    uva_task_t *others[] = {spawn_worker("a", 10, 0), spawn_worker("b", 20, 0)};
    ck_assert_int_eq(uva_sleep(30), 0);
    record("main");
    ck_assert_uint_ge(uva_now_ms() - start, 30);
    return uva_gather(others, 2, NULL);
}

START_TEST(task_sleeps_at_least_so_long) {
    CONFORMS("K-023");
    program_expect(sleep_main);
    ck_expect_record("a b main");
    ck_assert_int_eq(uva_run(sleep_main, NULL), 0);
    ck_expect_record("a b main");
}
END_TEST

static int sleeper_main(void *arg) {
    (void)arg;
    uva_runtime_t *rt = uva_runtime_current();
    uva_task_t *task = spawn_worker("w", 10000, 0);
    (void)uva_yield();
    ck_assert_ptr_nonnull(rt->deadlines.earliest);
    ck_assert(uva_cancel(task));
    ck_assert_ptr_null(rt->deadlines.earliest);
    ck_assert_int_eq(uva_await(task, NULL), UV_ECANCELED);
    ck_assert_uint_eq(uva_now_ms(), 0);
    return 0;
}

START_TEST(task_cancelled_in_sleep_leaves_no_timer) {
    CONFORMS("K-024");
    program_expect(sleeper_main);
    ck_expect_record("w!");
}
END_TEST

static int ref_main(void *arg) {
    *(uva_runtime_t **)arg = uva_runtime_ref(uva_runtime_current());
    return 0;
}

/* There is no runtime any more whose hook could be told: standard error goes
 * to a file from here on. */
static int redirect_errors(void) {
    FILE *file = tmpfile();
    ck_assert_ptr_nonnull(file);
    ck_assert_int_ge(dup2(fileno(file), STDERR_FILENO), 0);
    ck_assert_int_eq(fclose(file), 0);
    return STDERR_FILENO;
}

START_TEST(task_is_refused_after_the_end) {
    CONFORMS("K-025");
    uva_runtime_t *rt = NULL;
    ck_assert_int_eq(program_run(ref_main, &rt), 0);
    int said = redirect_errors();
    ck_assert_ptr_null(uva_spawn_on(rt, say, "never"));
    ck_assert_ptr_null(uva_future_new_on(rt));
    ck_assert_int_eq(lseek(said, 0, SEEK_END), 0);
    uva_runtime_unref(rt);
    ck_expect_record("");
}
END_TEST

static int descend(int depth) {
    return depth > 0 ? descend(depth - 1) + 1 : uva_sleep(1);
}

static int nested(void *arg) {
    (void)arg;
    return descend(100);
}

static int await_next(void *arg) {
    int left = *(int *)arg - 1;
    if (left == 0)
        return uva_sleep(1);
    return uva_await(uva_spawn(await_next, &left), NULL);
}

static int nesting_main(void *arg) {
    (void)arg;
    uva_runtime_t *rt = uva_runtime_current();
    int links = 50;
    uva_task_t *task = uva_spawn(nested, NULL);
    (void)uva_yield();
    ck_assert_uint_eq(uva_all_tasks(rt, NULL, 0), 2);
    ck_assert_int_eq(uva_await(task, NULL), 100);
    task = uva_spawn(await_next, &links);
    for (int i = 0; i < 60; i++)
        (void)uva_yield();
    ck_assert_uint_eq(uva_all_tasks(rt, NULL, 0), 51);
    ck_assert_int_eq(uva_await(task, NULL), 0);
    ck_assert_uint_eq(uva_all_tasks(rt, NULL, 0), 1);
    return 0;
}

START_TEST(task_nests_calls_and_tasks) {
    CONFORMS("K-026");
    program_expect(nesting_main);
}
END_TEST

static int spend(void *arg) {
    for (int i = 0; i < 1000; i++)
        ck_assert_int_eq(uva_await(uva_ref(arg), NULL), 0);
    record("spent");
    return 0;
}

static int errno_main(void *arg) {
    (void)arg;
    uva_future_t *f = uva_future_new();
    (void)uva_future_resolve(f, NULL);
    uva_task_t *other = uva_spawn(spend, f);
    errno = EDOM;
    (void)uva_sleep(5);
    ck_assert_int_eq(errno, EDOM);
    uva_unref(f);
    return uva_await(other, NULL);
}

START_TEST(task_keeps_its_errno) {
    program_expect(errno_main);
    ck_expect_record("spent");
}
END_TEST

/* ---- ends --------------------------------------------------------------- */

static int fail_plainly(void *arg) {
    (void)arg;
    ck_assert_int_eq(uva_fail(0, "no failure"), UV_EINVAL);
    ck_assert_int_eq(uva_fail(3, "no failure"), UV_EINVAL);
    return uva_fail(-9, "%d of %s", 3, "many");
}

static int fail_then_succeed(void *arg) {
    (void)arg;
    (void)uva_fail(-9, "changed my mind");
    return uva_return(&seven);
}

static int return_then_fail(void *arg) {
    (void)arg;
    (void)uva_return(&seven);
    return -9;
}

static int ends_main(void *arg) {
    (void)arg;
    uva_task_t *task = uva_spawn(fail_plainly, NULL);
    ck_assert_int_eq(uva_await(task, NULL), -9);
    ck_assert_str_eq(uva_last_message(), "3 of many");
    (void)uva_current();
    ck_assert_str_eq(uva_last_message(), "3 of many");
    ck_assert_int_eq(uva_sleep(1), 0);
    ck_assert_ptr_null(uva_last_message());
    task = uva_spawn(fail_then_succeed, NULL);
    ck_assert_int_eq(uva_await(uva_ref(task), NULL), 0);
    ck_assert_ptr_null(uva_last_message());
    ck_assert_ptr_null(uva_message(task));
    ck_assert_ptr_eq(uva_value(task), &seven);
    uva_unref(task);
    task = uva_spawn(return_then_fail, NULL);
    ck_assert_int_eq(uva_await(uva_ref(task), NULL), -9);
    ck_assert_ptr_null(uva_value(task));
    ck_assert_ptr_null(uva_message(task));
    uva_unref(task);
    return 0;
}

START_TEST(task_ends_with_a_value_or_a_message) {
    program_expect(ends_main);
    ck_assert_int_eq(uva_fail(-3, "outside"), -3);
    ck_assert_int_eq(uva_return(NULL), UV_EPERM);
    ck_assert_ptr_null(uva_last_message());
}
END_TEST

static int detach_main(void *arg) {
    (void)arg;
    uva_detach(spawn_worker("fine", 5, 0));
    uva_detach(spawn_worker("failing", 10, -9));
    uva_detach(NULL);
    ck_assert_int_eq(uva_sleep(20), 0);
    record("main");
    return 0;
}

START_TEST(task_runs_on_detached) {
    ck_assert_int_eq(program_run(detach_main, NULL), 0);
    ck_assert_uint_eq(support_report_count(), 1);
    ck_assert(support_reports_contain("task 'failing'"));
    ck_expect_record("fine failing main");
}
END_TEST

static void on_done(uva_future_t *f, void *arg) {
    record("%s:%d", (const char *)arg, uva_status(f));
}

static int on_done_main(void *arg) {
    (void)arg;
    uva_task_t *task = spawn_worker("w", 5, 2);
    ck_assert_int_eq(uva_on_done(task, on_done, "first"), 0);
    ck_assert_int_eq(uva_on_done(task, on_done, "second"), 0);
    int code = uva_await(task, NULL);
    record("main:%d", code);
    return 0;
}

START_TEST(task_end_calls_back_in_order) {
    program_expect(on_done_main);
    ck_expect_record("w first:2 second:2 main:2");
}
END_TEST

static int open_scope(void *arg) {
    (void)arg;
    static uva_scope_t scope;
    uva_scope_open(&scope, UVA_FOREVER, 0);
    return 0;
}

static void run_open_scope(void *arg) {
    (void)arg;
    (void)uva_run(open_scope, NULL);
}

START_TEST(task_that_leaves_a_scope_open_aborts) {
    ck_assert(support_dies(run_open_scope, NULL, SIGABRT,
                           "the body returned inside an open scope"));
}
END_TEST

SUITE("task", task_starts_in_the_next_tick, task_gives_everybody_its_outcome,
      task_that_fails_alone_disturbs_nobody, task_is_ended_by_nobody_else,
      task_does_not_wait_for_itself, task_knows_itself,
      task_list_holds_what_has_not_ended, task_has_a_name, task_steps_alternate,
      task_yields_for_one_tick, task_sleeps_at_least_so_long,
      task_cancelled_in_sleep_leaves_no_timer, task_is_refused_after_the_end,
      task_nests_calls_and_tasks, task_keeps_its_errno,
      task_ends_with_a_value_or_a_message, task_runs_on_detached,
      task_end_calls_back_in_order, task_that_leaves_a_scope_open_aborts)
