/* Coroutines and eager tasks: bodies that run before any tick does. */
#include "support/program.h"

#include <string.h>

#include "runtime/runtime.h"

static int seven = 7;

static int say(void *arg) {
    record("%s", (const char *)arg);
    return 0;
}

/* ---- coroutines --------------------------------------------------------- */

typedef struct pair {
    int a;
    int b;
    uva_task_t *runner; /* who must run it; NULL: any but the maker */
} pair_t;

static int add(void *arg) {
    const pair_t *pair = arg;
    if (pair->runner != NULL)
        ck_assert_ptr_eq(uva_current(), pair->runner);
    record("add");
    (void)uva_return(&seven);
    return pair->a + pair->b;
}

static int in_place_main(void *arg) {
    (void)arg;
    pair_t pair = {1, 2, uva_current()};
    void *value = NULL;
    uva_task_t *other = uva_spawn(say, "other");
    uva_future_t *f = uva_coroutine(add, &pair, sizeof pair);
    pair.a = 100;
    ck_assert(!uva_is_done(f));
    ck_assert_int_eq(uva_status(f), UV_EAGAIN);
    record("await");
    ck_assert_int_eq(uva_await(f, &value), 3);
    ck_assert_ptr_eq(value, &seven);
    record("main");
    return uva_await(other, NULL);
}

/* On the caller's stack, as a call, with the arguments of its making. */
START_TEST(coroutine_awaited_runs_in_place) {
    program_expect(in_place_main);
    ck_expect_record("await add main other");
}
END_TEST

static int no_arguments(void *arg) {
    ck_assert_ptr_null(arg);
    return uva_fail(-9, "as wished");
}

static int twice_main(void *arg) {
    (void)arg;
    uva_future_t *f = uva_coroutine(no_arguments, NULL, 0);
    for (int i = 0; i < 3; i++) {
        ck_assert_int_eq(uva_await(uva_ref(f), NULL), -9);
        ck_assert_str_eq(uva_last_message(), "as wished");
    }
    ck_assert_str_eq(uva_message(f), "as wished");
    ck_assert(!uva_cancel(f));
    uva_unref(f);
    return 0;
}

START_TEST(coroutine_runs_once) {
    program_expect(twice_main);
}
END_TEST

static int started_main(void *arg) {
    (void)arg;
    pair_t pair = {1, 2, NULL};
    uva_future_t *f = uva_coroutine(add, &pair, sizeof pair);
    uva_task_t *task = uva_start(f);
    ck_assert_ptr_eq(task, f);
    ck_assert_ptr_eq(uva_start(task), task);
    record("started");
    (void)uva_yield();
    ck_assert_int_eq(uva_status(task), 3);
    ck_assert_ptr_eq(uva_start(task), task);
    uva_future_t *done = uva_future_new();
    ck_assert_ptr_eq(uva_start(done), done);
    uva_unref(done);
    return uva_await(task, NULL) - 3;
}

START_TEST(coroutine_started_is_a_task) {
    program_expect(started_main);
    ck_expect_record("started add");
}
END_TEST

static int dropped_main(void *arg) {
    (void)arg;
    uva_unref(uva_coroutine(add, &(pair_t){1, 2, NULL}, sizeof(pair_t)));
    return 0;
}

START_TEST(coroutine_dropped_unstarted_is_reported) {
    ck_assert_int_eq(program_run(dropped_main, NULL), 0);
    ck_assert_uint_eq(support_report_count(), 1);
    ck_assert(support_reports_contain("coroutine 'add-"));
    ck_assert(support_reports_contain("was never awaited"));
    ck_assert(support_reports_contain("test_coroutine.c:"));
    ck_expect_record("");
}
END_TEST

static int cancelled_main(void *arg) {
    (void)arg;
    uva_future_t *f = uva_coroutine(add, NULL, 0);
    ck_assert(uva_cancel_with(f, "not needed"));
    ck_assert(uva_is_done(f));
    ck_assert(!uva_cancel(f));
    ck_assert_int_eq(uva_await(f, NULL), UV_ECANCELED);
    ck_assert_str_eq(uva_last_message(), "not needed");
    f = uva_coroutine(add, NULL, 0);
    ck_assert_int_eq(uva_cancel_and_wait(f), UV_ECANCELED);
    f = uva_coroutine(add, NULL, 0);
    ck_assert(uva_cancel(f));
    uva_unref(f);
    return 0;
}

START_TEST(coroutine_cancelled_never_runs) {
    program_expect(cancelled_main);
    ck_expect_record("");
}
END_TEST

static uva_future_t *shared;

static int run_shared(void *arg) {
    (void)arg;
    int code = uva_await(uva_ref(shared), NULL);
    const char *message = uva_last_message();
    record("runner:%d:%s", code, message != NULL ? message : "none");
    ck_assert_int_eq(uva_cancelling(uva_current()), 0);
    ck_assert_int_eq(uva_sleep(1), 0);
    return 0;
}

/* | runner               | main           |
 * | await the coroutine  |                |
 * | ... sleeps in it     |                |
 * |                      | cancel it      |
 * | it ends, cancelled   |                |
 * | sleeps undisturbed   |                |
 */
static int in_place_cancel_main(void *arg) {
    (void)arg;
    shared = worker_coroutine("w", 100, 0);
    uva_task_t *runner = uva_spawn(run_shared, NULL);
    (void)uva_yield();
    ck_assert(!uva_is_done(shared));
    ck_assert(uva_cancel_with(shared, "enough"));
    ck_assert_int_eq(uva_await(shared, NULL), UV_ECANCELED);
    ck_assert_str_eq(uva_last_message(), "enough");
    ck_assert_uint_eq(uva_now_ms(), 0);
    return uva_await(runner, NULL);
}

START_TEST(coroutine_cancelled_in_place_leaves_its_runner) {
    program_expect(in_place_cancel_main);
    ck_expect_record("w! runner:-125:enough");
}
END_TEST

/* Two wait for one coroutine: it runs in the first, the second just waits. */
static int two_main(void *arg) {
    (void)arg;
    shared = worker_coroutine("w", 100, 0);
    uva_task_t *runner = uva_spawn(run_shared, NULL);
    (void)uva_yield();
    void *value = NULL;
    ck_assert_int_eq(uva_await(shared, &value), 0);
    ck_assert_str_eq(value, "w");
    return uva_await(runner, NULL);
}

START_TEST(coroutine_running_in_place_can_be_awaited) {
    program_expect(two_main);
    ck_expect_record("w runner:0:none");
}
END_TEST

static int await_coroutine(void *arg) {
    int code = uva_await(worker_coroutine(arg, 100, 0), NULL);
    record("outer:%d", code);
    return code;
}

static int runner_cancel_main(void *arg) {
    (void)arg;
    uva_task_t *runner = uva_spawn(await_coroutine, "w");
    (void)uva_yield();
    ck_assert(uva_cancel_with(runner, "enough"));
    ck_assert_int_eq(uva_await(runner, NULL), UV_ECANCELED);
    ck_assert_str_eq(uva_last_message(), "enough");
    return 0;
}

START_TEST(coroutine_shares_its_runners_cancellation) {
    program_expect(runner_cancel_main);
    ck_expect_record("w! outer:-125");
}
END_TEST

static int nest(void *arg) {
    int left = *(int *)arg;
    if (left == 0)
        return uva_fail(-9, "the innermost");
    int less = left - 1;
    int code = uva_await(uva_coroutine(nest, &less, sizeof less), NULL);
    ck_assert_int_eq(code, -9);
    ck_assert_str_eq(uva_last_message(),
                     left == 1 ? "the innermost" : "passed");
    return uva_fail(code, "passed");
}

static int nest_main(void *arg) {
    (void)arg;
    int depth = 100;
    int code = uva_await(uva_coroutine(nest, &depth, sizeof depth), NULL);
    ck_assert_str_eq(uva_last_message(), "passed");
    return code + 9;
}

START_TEST(coroutine_calls_coroutine) {
    program_expect(nest_main);
}
END_TEST

static uva_future_t *kept;

static int keep_main(void *arg) {
    (void)arg;
    kept = uva_coroutine(add, NULL, 0);
    return 0;
}

START_TEST(coroutine_is_refused_after_the_end) {
    CONFORMS("K-025");
    program_expect(keep_main);
    ck_assert_ptr_null(uva_start(kept));
    ck_assert_str_eq(support_reports(), "");
    ck_expect_record("");
}
END_TEST

/* ---- options ------------------------------------------------------------ */

static int check_copy(void *arg) {
    char *text = arg;
    ck_assert_uint_eq((uintptr_t)text % _Alignof(max_align_t), 0);
    ck_assert_uint_eq(strspn(text, "x"), 999);
    text[0] = 'y';
    return text[999] == '\0' ? 0 : -1;
}

static int copy_main(void *arg) {
    (void)arg;
    char text[1000];
    memset(text, 'x', sizeof text);
    text[999] = '\0';
    uva_task_options_t options = {.copy = text, .copy_bytes = sizeof text};
    uva_task_t *a = uva_spawn_with(&options, check_copy, NULL);
    uva_task_t *b = uva_spawn_with(&options, check_copy, NULL);
    memset(text, 'z', sizeof text);
    return uva_gather((uva_future_t *[]){a, b}, 2, NULL);
}

START_TEST(spawn_copies_arguments) {
    program_expect(copy_main);
}
END_TEST

static int use_stack(void *arg) {
    volatile char block[1500000];
    (void)arg;
    for (size_t i = sizeof block; i > 0; i -= i < 4096 ? i : 4096)
        block[i - 1] = 1;
    return uva_yield();
}

static int stack_main(void *arg) {
    (void)arg;
    uva_task_options_t options = {.stack_bytes = 2000000};
    return uva_await(uva_spawn_with(&options, use_stack, NULL), NULL);
}

START_TEST(spawn_gives_a_larger_stack) {
    program_expect(stack_main);
}
END_TEST

/* ---- eager -------------------------------------------------------------- */

static uva_task_t *spawn_eagerly(uva_fn fn, void *arg) {
    uva_task_options_t options = {.eager = true};
    return uva_spawn_with(&options, fn, arg);
}

static void on_done(uva_future_t *f, void *arg) {
    record("%s:%d", (const char *)arg, uva_status(f));
}

static int end_at_once(void *arg) {
    int code = *(int *)arg;
    record("body");
    (void)uva_return(&seven);
    return code < 0 ? uva_fail(code, "at once") : code;
}

static void end_eagerly(int code) {
    uva_task_t *task = spawn_eagerly(end_at_once, &code);
    ck_assert(uva_is_done(task));
    ck_assert_int_eq(uva_status(task), code);
    ck_assert_ptr_eq(uva_value(task), code < 0 ? NULL : &seven);
    ck_assert(!uva_cancel(task));
    ck_assert_int_eq(uva_on_done(task, on_done, "callback"), 0);
    record("main");
    (void)uva_yield();
    ck_assert_int_eq(uva_await(task, NULL), code);
    if (code < 0)
        ck_assert_str_eq(uva_last_message(), "at once");
}

static int eager_end_main(void *arg) {
    (void)arg;
    uva_task_t *self = uva_current();
    end_eagerly(5);
    end_eagerly(-9);
    end_eagerly(UV_ECANCELED);
    ck_assert_ptr_eq(uva_current(), self);
    return 0;
}

START_TEST(eager_task_may_be_over_at_once) {
    CONFORMS("K-201", "K-205", "K-206");
    program_expect(eager_end_main);
    ck_expect_record("body main callback:5 body main callback:-9 "
                     "body main callback:-125");
}
END_TEST

static int eager_sleep(void *arg) {
    uva_task_t *all[4];
    ck_assert_uint_eq(uva_all_tasks(uva_runtime_current(), all, 4), 2);
    ck_assert_ptr_eq(all[1], uva_current());
    return worker(&(worker_t){.name = arg, .ms = 10});
}

static int eager_park_main(void *arg) {
    (void)arg;
    uva_runtime_t *rt = uva_runtime_current();
    uva_task_t *task = spawn_eagerly(eager_sleep, "a");
    record("spawned");
    ck_assert(!uva_is_done(task));
    ck_assert_uint_eq(uva_all_tasks(rt, NULL, 0), 2);
    ck_assert_int_eq(uva_await(task, NULL), 0);
    ck_assert_uint_eq(uva_all_tasks(rt, NULL, 0), 1);
    int code = 4;
    uva_unref(spawn_eagerly(end_at_once, &code));
    ck_assert_uint_eq(uva_all_tasks(rt, NULL, 0), 1);
    return 0;
}

START_TEST(eager_task_goes_on_like_any_other) {
    CONFORMS("K-202", "K-204");
    program_expect(eager_park_main);
    ck_expect_record("spawned a body");
}
END_TEST

static int eager_cancel_main(void *arg) {
    (void)arg;
    uva_task_t *task = spawn_eagerly(eager_sleep, "a");
    ck_assert(uva_cancel_with(task, "stop"));
    ck_assert_int_eq(uva_await(task, NULL), UV_ECANCELED);
    ck_assert_str_eq(uva_last_message(), "stop");
    return 0;
}

START_TEST(eager_task_can_be_cancelled) {
    CONFORMS("K-205");
    program_expect(eager_cancel_main);
    ck_expect_record("a!");
}
END_TEST

/* | main    | a              | b     | other |
 * | spawn a |                |       |       |
 * |         | spawn b        |       |       |
 * |         |                | yield |       |
 * |         | yield          |       |       |
 * | yield   |                |       |       |
 * |         |                |       | runs: it was queued first
 */
static int eager_child(void *arg) {
    const char *name = arg;
    record("%s", name);
    uva_task_t *child = name[0] == 'a' ? spawn_eagerly(eager_child, "b") : NULL;
    ck_assert_int_eq(uva_yield(), 0);
    record("%s", name);
    return child != NULL ? uva_await(child, NULL) : 0;
}

static int eager_nest_main(void *arg) {
    (void)arg;
    uva_task_t *other = uva_spawn(say, "other");
    uva_task_t *a = spawn_eagerly(eager_child, "a");
    record("main");
    ck_assert_int_eq(uva_yield(), 0);
    record("main");
    ck_assert_int_eq(uva_await(a, NULL), 0);
    return uva_await(other, NULL);
}

START_TEST(eager_task_spawns_eagerly) {
    program_expect(eager_nest_main);
    ck_expect_record("a b main other b a main");
}
END_TEST

static uva_task_t *parent;

static int cancel_parent(void *arg) {
    (void)arg;
    ck_assert(uva_cancel(parent));
    return 0;
}

static int eager_parent(void *arg) {
    (void)arg;
    parent = uva_current();
    uva_unref(spawn_eagerly(cancel_parent, NULL));
    ck_assert_int_eq(uva_cancelling(parent), 1);
    return uva_sleep(1);
}

static int eager_parent_main(void *arg) {
    (void)arg;
    uva_task_t *task = uva_spawn(eager_parent, NULL);
    return uva_await(task, NULL) == UV_ECANCELED ? 0 : -1;
}

START_TEST(eager_task_may_cancel_its_parent) {
    program_expect(eager_parent_main);
}
END_TEST

static void spawn_in_callback(void *arg) {
    uva_task_t *task = spawn_eagerly(say, arg);
    ck_assert(!uva_is_done(task));
    record("spawned");
    uva_detach(task);
}

static int eager_outside_main(void *arg) {
    (void)arg;
    ck_assert_int_eq(uva_post(uva_runtime_current(), spawn_in_callback, "late"),
                     0);
    uva_task_options_t options = {.eager = false};
    uva_task_t *task = uva_spawn_with(&options, say, "plain");
    ck_assert(!uva_is_done(task));
    record("main");
    for (int i = 0; i < 2; i++)
        (void)uva_yield();
    return uva_await(task, NULL);
}

START_TEST(eager_task_outside_a_task_waits_its_turn) {
    CONFORMS("K-207");
    program_expect(eager_outside_main);
    ck_expect_record("main spawned plain late");
}
END_TEST

static int bad_main(void *arg) {
    (void)arg;
    ck_assert_ptr_null(uva_spawn(NULL, NULL));
    ck_assert_ptr_null(uva_spawn_with(NULL, NULL, NULL));
    ck_assert_ptr_null(uva_coroutine(NULL, NULL, 0));
    ck_assert_ptr_null(uva_spawn_on(NULL, say, "never"));
    return 0;
}

START_TEST(spawn_without_a_function_is_refused) {
    ck_assert_int_eq(program_run(bad_main, NULL), 0);
    ck_assert_uint_eq(support_report_count(), 4);
    ck_assert(support_reports_contain("the function is NULL"));
}
END_TEST

/* ---- in place ----------------------------------------------------------- */

static uva_future_t *in_place;

static int sleep_long(void *arg) {
    (void)arg;
    return uva_sleep(1000);
}

static int cancel_in_place(void *arg) {
    (void)arg;
    int code = uva_sleep(1);
    ck_assert(uva_cancel(in_place));
    return code;
}

/* Nobody but the call that runs it holds it. */
static int borrowed_main(void *arg) {
    (void)arg;
    in_place = uva_coroutine(sleep_long, NULL, 0);
    uva_task_t *task = uva_spawn(cancel_in_place, NULL);
    ck_assert_int_eq(uva_await(in_place, NULL), UV_ECANCELED);
    ck_assert_uint_eq(uva_now_ms(), 1);
    return uva_await(task, NULL);
}

START_TEST(coroutine_in_place_is_cancelled_by_its_borrowed_handle) {
    program_expect(borrowed_main);
}
END_TEST

static int await_itself(void *arg) {
    (void)arg;
    ck_assert_int_eq(uva_yield(), 0);
    return uva_await(uva_ref(in_place), NULL);
}

static int call_await_itself(void *arg) {
    (void)arg;
    return uva_await(uva_coroutine(await_itself, NULL, 0), NULL);
}

static int itself_main(void *body) {
    in_place = uva_coroutine(*(uva_fn *)body, NULL, 0);
    int code = uva_await(uva_ref(in_place), NULL);
    uva_unref(in_place);
    return code;
}

START_TEST(coroutine_that_awaits_itself_is_refused) {
    CONFORMS("K-017");
    uva_fn bodies[] = {await_itself, call_await_itself};
    for (size_t i = 0; i < 2; i++) {
        ck_assert_int_eq(program_run(itself_main, &bodies[i]), UV_EPERM);
        ck_assert(support_reports_contain("waits for itself"));
        ck_assert_uint_eq(support_report_count(), 1);
        support_reports_clear();
    }
}
END_TEST

SUITE("coroutine", coroutine_awaited_runs_in_place, coroutine_runs_once,
      coroutine_started_is_a_task, coroutine_dropped_unstarted_is_reported,
      coroutine_cancelled_never_runs,
      coroutine_cancelled_in_place_leaves_its_runner,
      coroutine_running_in_place_can_be_awaited,
      coroutine_shares_its_runners_cancellation, coroutine_calls_coroutine,
      coroutine_is_refused_after_the_end, spawn_copies_arguments,
      spawn_gives_a_larger_stack, eager_task_may_be_over_at_once,
      eager_task_goes_on_like_any_other, eager_task_can_be_cancelled,
      eager_task_spawns_eagerly, eager_task_may_cancel_its_parent,
      eager_task_outside_a_task_waits_its_turn,
      spawn_without_a_function_is_refused,
      coroutine_in_place_is_cancelled_by_its_borrowed_handle,
      coroutine_that_awaits_itself_is_refused)
