/* What is reported, in which words, and what a dump shows. */
#include "support/program.h"

#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <uvawait.h>

#include "runtime/report.h"

static const uva_options_t quiet = {.report = support_report};
static const uva_options_t jumping = {.report = support_report,
                                      .clock = UVA_CLOCK_VIRTUAL};

static void run(uva_fn main, void *arg) {
    ck_assert_int_eq(uva_run_with(&quiet, main, arg), 0);
}

/* So many reports, one of which contains a text. */
#define ck_expect_reports(count) \
    ck_assert_msg(support_report_count() == (count), "%zu reports:\n%s", \
                  support_report_count(), support_reports())
#define ck_expect_part(part) \
    ck_assert_msg(support_reports_contain(part), "no \"%s\" in:\n%s", part, \
                  support_reports())

/* How a report ends the place of its line. */
static const char *here(int line) {
    static char text[64];
    snprintf(text, sizeof text, "test_reports.c:%d)", line);
    return text;
}

/* ---- failures that nobody read ------------------------------------------ */

static int break_down(void *arg) {
    return uva_fail(UV_EPROTO, "no %s", (const char *)arg);
}

static int drop_a_failure(void *arg) {
    (void)arg;
    uva_detach(uva_spawn(break_down, "luck"));
    *(int *)arg = __LINE__ - 1;
    return uva_yield();
}

START_TEST(reports_failure_that_nobody_read) {
    CONFORMS("K-189", "K-194", "K-015");
    int line = 0;
    run(drop_a_failure, &line);
    ck_expect_reports(1);
    ck_expect_part("task 'break_down-");
    ck_expect_part("failed and nobody looked: protocol error");
    ck_expect_part(": no luck");
    ck_expect_part(here(line));
}
END_TEST

static int drop_seen_failures(void *arg) {
    (void)arg;
    uva_task_t *awaited = uva_spawn(break_down, "1");
    ck_assert_int_eq(uva_await(awaited, NULL), UV_EPROTO);
    uva_task_t *read = uva_spawn(break_down, "2");
    uva_task_t *heard = uva_spawn(break_down, "3");
    ck_assert_int_eq(uva_yield(), 0);
    ck_assert_int_eq(uva_status(read), UV_EPROTO);
    ck_assert_str_eq(uva_message(heard), "no 3");
    uva_unref(read);
    uva_unref(heard);
    uva_unref(uva_future_new());
    uva_future_t *good = uva_future_new();
    ck_assert_int_eq(uva_future_resolve(good, NULL), 0);
    uva_unref(good);
    uva_future_t *cancelled = uva_future_new();
    ck_assert(uva_cancel(cancelled));
    uva_unref(cancelled);
    return 0;
}

START_TEST(reports_nothing_about_what_was_seen) {
    CONFORMS("K-190");
    run(drop_seen_failures, NULL);
    ck_expect_reports(0);
}
END_TEST

static int look_too_early(void *arg) {
    (void)arg;
    uva_future_t *f = uva_future_new();
    int line = __LINE__ - 1;
    ck_assert_int_eq(uva_status(f), UV_EAGAIN);
    ck_assert_int_eq(uva_future_fail(f, UV_EIO, "late"), 0);
    uva_unref(f);
    ck_expect_reports(1);
    ck_expect_part("future 'future-");
    ck_expect_part("late");
    ck_expect_part(here(line));
    return 0;
}

START_TEST(reports_failure_after_an_early_look) {
    CONFORMS("K-189", "K-194");
    run(look_too_early, NULL);
}
END_TEST

/* ---- coroutines --------------------------------------------------------- */

typedef struct pair {
    int a;
    int b;
} pair_t;

static int add(void *arg) {
    const pair_t *pair = arg;
    return pair->a + pair->b;
}

static int forget_a_coroutine(void *arg) {
    uva_unref(uva_coroutine(add, &((pair_t){1, 2}), sizeof(pair_t)));
    *(int *)arg = __LINE__ - 1;
    return 0;
}

START_TEST(reports_coroutine_that_was_never_awaited) {
    CONFORMS("K-194");
    int line = 0;
    run(forget_a_coroutine, &line);
    ck_expect_reports(1);
    ck_expect_part("coroutine 'add-");
    ck_expect_part("was never awaited (created at ");
    ck_expect_part(here(line));
}
END_TEST

static int drop_cancelled_coroutine(void *arg) {
    (void)arg;
    uva_future_t *coroutine = uva_coroutine(add, NULL, 0);
    ck_assert(uva_cancel(coroutine));
    uva_unref(coroutine);
    return 0;
}

START_TEST(reports_nothing_about_a_cancelled_coroutine) {
    CONFORMS("K-190");
    run(drop_cancelled_coroutine, NULL);
    ck_expect_reports(0);
}
END_TEST

/* ---- what the texts name ------------------------------------------------ */

static int noop(void *arg) {
    (void)arg;
    return 0;
}

#define ck_expect_name(future, prefix) \
    do { \
        uva_future_t *named = (future); \
        ck_assert_int_eq(strncmp(uva_name(named), prefix, strlen(prefix)), 0); \
        ck_assert_int_ge(uva_await(named, NULL), 0); \
    } while (0)

/* However the arguments are written, the function's name is found. */
static int name_all(void *arg) {
    uva_fn functions[] = {noop, add};
    (void)arg;
    ck_expect_name(uva_spawn(noop, NULL), "noop-");
    ck_expect_name(uva_spawn(&noop, NULL), "noop-");
    ck_expect_name(uva_spawn((noop), ((void *)NULL)), "noop-");
    ck_expect_name(uva_spawn(add, (&(pair_t){1, 2})), "add-");
    ck_expect_name(uva_spawn(add, (pair_t[]){{1, 2}, {3, 4}}), "add-");
    ck_expect_name(uva_spawn(functions[0], NULL), "functions[0]-");
    ck_expect_name(uva_spawn_with(&(uva_task_options_t){.stack_bytes = 65536,
                                                        .eager = true},
                                  noop, NULL),
                   "noop-");
    ck_expect_name(uva_spawn_on(uva_runtime_current(), noop, NULL), "noop-");
    ck_expect_name(uva_coroutine(add, &(pair_t){2, 2}, sizeof(pair_t)), "add-");
    ck_expect_name((uva_spawn)(noop, NULL), "task-");
    return 0;
}

START_TEST(reports_names_survive_every_way_of_writing) {
    CONFORMS("K-020");
    run(name_all, NULL);
    ck_expect_reports(0);
}
END_TEST

static void expect_argument(const char *site, unsigned nth, const char *text) {
    int length = 0;
    const char *found = uva__site_argument(site, nth, &length);
    if (text == NULL) {
        ck_assert_ptr_null(found);
        return;
    }
    ck_assert_ptr_nonnull(found);
    ck_assert_int_eq(length, (int)strlen(text));
    ck_assert_int_eq(strncmp(found, text, strlen(text)), 0);
}

START_TEST(reports_sites_are_read_apart) {
    const char *site = "a.c:7\tf(1, (2)), \"x,)\\\"(\", ',', &g, h";
    ck_assert_int_eq(uva__site_length(site), 5);
    expect_argument(site, 1, "\"x,)\\\"(\"");
    expect_argument(site, 2, "','");
    expect_argument(site, 3, "g");
    expect_argument(site, 4, "h");
    expect_argument(site, 5, NULL);
    expect_argument("a.c:7\t(&( f )), pick(1)", 0, "f");
    expect_argument("a.c:7\t(&( f )), pick(1)", 1, "pick(1)");
    expect_argument("a.c:7\t", 0, NULL);
    expect_argument("a.c:7", 0, NULL);
    expect_argument(NULL, 0, NULL);
    ck_assert_int_eq(uva__site_length(NULL), 0);
}
END_TEST

static void complain(void *arg) {
    record("%s", (const char *)arg);
    (void)uva_sleep(1);
}

/* A callback that is reported does not disturb the next one in its tick. */
static int raise_in_callbacks(void *arg) {
    (void)arg;
    uva_runtime_t *own = uva_runtime_current();
    ck_assert_int_eq(uva_post(own, complain, "one"), 0);
    ck_assert_int_eq(uva_post(own, complain, "two"), 0);
    return uva_yield();
}

START_TEST(reports_of_a_callback_leave_the_tick_alone) {
    CONFORMS("K-187");
    run(raise_in_callbacks, NULL);
    ck_expect_record("one two");
    ck_expect_reports(2);
    ck_expect_part("uva_sleep: called outside a task");
}
END_TEST

static void run_without_a_hook(void *arg) {
    (void)uva_run(raise_in_callbacks, arg);
    abort();
}

START_TEST(reports_go_to_stderr_by_default) {
    CONFORMS("K-188");
    ck_assert(support_dies(run_without_a_hook, NULL, SIGABRT,
                           "uvawait: uva_sleep: called outside a task"));
}
END_TEST

/* ---- slow tasks --------------------------------------------------------- */

static void spin(uint64_t ms) {
    uint64_t until = uv_hrtime() + ms * 1000000;
    while (uv_hrtime() < until) {}
}

static void slow_callback(void *arg) {
    (void)arg;
    spin(60);
}

static int slow_task(void *arg) {
    (void)arg;
    spin(60);
    return 0;
}

static int be_slow(void *arg) {
    (void)arg;
    uva_task_t *task = uva_spawn(slow_task, NULL);
    ck_assert_int_eq(uva_await(task, NULL), 0);
    ck_assert_int_eq(uva_post(uva_runtime_current(), slow_callback, NULL), 0);
    return uva_sleep(1);
}

START_TEST(reports_slow_task_and_callback_in_debug) {
    CONFORMS("K-195", "K-196");
    uva_options_t options = {
        .report = support_report, .debug = true, .slow_task_ms = 50};
    ck_assert_int_eq(uva_run_with(&options, be_slow, NULL), 0);
    /* test_watchdog.c is about what is reported before. */
    ck_expect_part("task 'slow_task-");
    ck_expect_part("test_reports.c:");
    ck_expect_part(") ran for ");
    ck_expect_part("a callback ran for ");
}
END_TEST

START_TEST(reports_nothing_slow_without_debug) {
    CONFORMS("K-195", "K-196");
    uva_options_t options = {.report = support_report, .slow_task_ms = 50};
    ck_assert_int_eq(uva_run_with(&options, be_slow, NULL), 0);
    options.debug = true;
    options.slow_task_ms = 5000;
    ck_assert_int_eq(uva_run_with(&options, be_slow, NULL), 0);
    ck_expect_reports(0);
}
END_TEST

/* ---- the dump ----------------------------------------------------------- */

static char *dumped;

static void dump(void) {
    dumped = program_dump();
}

#define ck_expect_dumped(part) \
    ck_assert_msg(strstr(dumped, part) != NULL, "no \"%s\" in:\n%s", part, \
                  dumped)

static uva_semaphore_t gate;

static int wait_at_the_gate(void *arg) {
    (void)arg;
    uva_scope_t scope;
    uva_scope_open(&scope, 7000, 0);
    int code = uva_semaphore_acquire(&gate);
    (void)uva_scope_close(&scope);
    return code;
}

static int await_child(void *arg) {
    return uva_await(uva_ref(arg), NULL);
}

static int sleep_shielded(void *arg) {
    uva_scope_t scope;
    (void)arg;
    uva_scope_open(&scope, UVA_FOREVER, UVA_SCOPE_SHIELD);
    int code = uva_sleep(1000);
    (void)uva_scope_close(&scope);
    return code;
}

static uva_task_t *spawn_named(const char *name, uva_fn fn, void *arg) {
    return uva_spawn_with(&(uva_task_options_t){.name = name}, fn, arg);
}

static int dump_them(void *arg) {
    (void)arg;
    uva_semaphore_init(&gate, 0);
    uva_future_t *f = uva_future_new();
    uva_task_t *tasks[6];
    tasks[0] = spawn_named("gatekeeper", wait_at_the_gate, NULL);
    tasks[1] = spawn_named("father", await_child, tasks[0]);
    tasks[2] = spawn_named("mother", await_child, tasks[0]);
    tasks[3] = spawn_named("stubborn", sleep_shielded, NULL);
    tasks[4] = spawn_named("hopeful", await_child, f);
    ck_assert_int_eq(uva_yield(), 0);
    tasks[5] = spawn_named("fresh", noop, NULL);
    ck_assert(uva_cancel(tasks[3]));
    ck_assert(uva_cancel(tasks[3]));
    dump();
    ck_assert_int_eq(uva_semaphore_release(&gate), 0);
    ck_assert_int_eq(uva_future_resolve(f, NULL), 0);
    int codes[6];
    ck_assert_int_eq(uva_gather_settled(tasks, 6, NULL, codes), 0);
    ck_assert_int_eq(codes[3], 0);
    uva_unref(f);
    return 0;
}

START_TEST(reports_dump_tells_what_each_task_waits_for) {
    CONFORMS("K-240", "K-241", "K-242");
    ck_assert_int_eq(uva_run_with(&jumping, dump_them, NULL), 0);
    ck_expect_dumped("uvawait: 7 tasks\n");
    ck_expect_dumped("task 'main'  running");
    ck_expect_dumped("task 'gatekeeper'  parked in semaphore, deadline in "
                     "7000 ms  (spawned at ");
    ck_expect_dumped("task 'father'  parked in await for task 'gatekeeper'");
    ck_expect_dumped("task 'mother'  parked in await for task 'gatekeeper'");
    ck_expect_dumped("task 'stubborn'  parked in sleep, cancelled (2)");
    ck_expect_dumped("task 'hopeful'  parked in await for future 'future-");
    ck_expect_dumped("task 'fresh'  not started");
    ck_expect_dumped("test_reports.c:");
    free(dumped);
}
END_TEST

static int list_tasks(void *arg) {
    uva_task_t *listed[8] = {NULL};
    uva_runtime_t *own = uva_runtime_current();
    (void)arg;
    uva_task_t *over = uva_spawn(noop, NULL);
    uva_future_t *unstarted = uva_coroutine(noop, NULL, 0);
    ck_assert_int_eq(uva_yield(), 0);
    uva_semaphore_init(&gate, 0);
    uva_task_t *blocked = uva_spawn(wait_at_the_gate, NULL);
    ck_assert_int_eq(uva_yield(), 0);
    uva_task_t *fresh = uva_spawn(noop, NULL);
    ck_assert_uint_eq(uva_all_tasks(own, listed, 8), 3);
    ck_assert_ptr_eq(listed[0], uva_current());
    ck_assert_ptr_eq(listed[1], blocked);
    ck_assert_ptr_eq(listed[2], fresh);
    ck_assert_ptr_null(listed[3]);
    ck_assert_uint_eq(uva_all_tasks(own, listed, 1), 3);
    ck_assert_uint_eq(uva_all_tasks(own, NULL, 0), 3);
    ck_assert_uint_eq(uva_all_tasks(NULL, listed, 8), 0);
    ck_assert_int_eq(uva_cancel_and_wait(blocked), UV_ECANCELED);
    ck_assert_int_eq(uva_await(fresh, NULL), 0);
    ck_assert_int_eq(uva_await(over, NULL), 0);
    ck_assert_int_eq(uva_await(unstarted, NULL), 0);
    ck_assert_uint_eq(uva_all_tasks(own, listed, 8), 1);
    return 0;
}

START_TEST(reports_all_tasks_lists_the_unfinished) {
    CONFORMS("K-019", "K-191");
    run(list_tasks, NULL);
    ck_expect_reports(0);
}
END_TEST

/* ---- stacks ------------------------------------------------------------- */

static int use_stack(void *arg) {
    volatile char buffer[40000];
    (void)arg;
    for (size_t i = 0; i < sizeof buffer; i++)
        buffer[i] = 1;
    int code = uva_sleep(1);
    return code < 0 ? code : buffer[0] - 1;
}

static int look_at_stacks(void *arg) {
    uva_stack_stats_t stats;
    uva_runtime_t *own = uva_runtime_current();
    (void)arg;
    ck_assert_int_eq(uva_stack_stats(own, &stats), 0);
    ck_assert_uint_ge(stats.stack_bytes, 256 * 1024);
    ck_assert_uint_eq(stats.in_use, 1);
    uva_task_t *deep = uva_spawn(use_stack, NULL);
    ck_assert_uint_eq(uva_stack_used(deep), 0);
    ck_assert_int_eq(uva_yield(), 0);
    ck_assert_uint_ge(uva_stack_used(deep), 40000);
    ck_assert_uint_lt(uva_stack_used(deep), 200000);
    ck_assert_uint_gt(uva_stack_used(uva_current()), 0);
    ck_assert_int_eq(uva_stack_stats(own, &stats), 0);
    ck_assert_uint_eq(stats.in_use, 2);
    ck_assert_int_eq(uva_await(uva_ref(deep), NULL), 0);
    ck_assert_uint_eq(uva_stack_used(deep), 0);
    uva_unref(deep);
    ck_assert_int_eq(uva_stack_stats(own, &stats), 0);
    ck_assert_uint_eq(stats.in_use, 1);
    ck_assert_uint_ge(stats.pooled, 1);
    ck_assert_uint_ge(stats.peak_in_use, 2);
    ck_assert_uint_ge(stats.high_water_bytes, 40000);
    ck_assert_uint_ne(stats.guard, UVA_GUARD_NONE_YET);
    ck_assert_int_eq(uva_stack_stats(NULL, &stats), UV_EINVAL);
    ck_assert_int_eq(uva_stack_stats(own, NULL), UV_EINVAL);
    ck_assert_uint_eq(uva_stack_used(NULL), 0);
    uva_stack_trim(own, 0);
    uva_stack_trim(NULL, 0);
    return 0;
}

START_TEST(reports_stack_statistics) {
    run(look_at_stacks, NULL);
}
END_TEST

static int run_two_sites(void *arg) {
    (void)arg;
    for (int i = 0; i < 3; i++)
        ck_assert_int_eq(uva_await(uva_spawn(use_stack, NULL), NULL), 0);
    for (int i = 0; i < 2; i++)
        ck_assert_int_eq(uva_await(uva_spawn(noop, NULL), NULL), 0);
    dump();
    return 0;
}

/* The deepest stack of a place in the dump, which so many tasks have ended. */
static unsigned long deepest(unsigned tasks) {
    char part[64];
    snprintf(part, sizeof part, ": %u ended, deepest stack ", tasks);
    const char *at = strstr(dumped, part);
    ck_assert_msg(at != NULL, "no \"%s\" in:\n%s", part, dumped);
    return strtoul(at + strlen(part), NULL, 10);
}

START_TEST(reports_stack_use_by_place_of_spawning) {
    uva_options_t options = jumping;
    options.debug = true;
    options.slow_task_ms = 60000;
    ck_assert_int_eq(uva_run_with(&options, run_two_sites, NULL), 0);
    ck_assert_uint_ge(deepest(3), 40000);
    ck_assert_uint_lt(deepest(2), 20000);
    ck_assert_uint_gt(deepest(2), 0);
    free(dumped);
}
END_TEST

/* ---- who runs ----------------------------------------------------------- */

static int end_at_once(void *arg) {
    (void)arg;
    return 0;
}

/* A task that has just been freed makes way for one that gets no stack. */
static int starve(void *arg) {
    (void)arg;
    uva_task_options_t huge = {.stack_bytes = SIZE_MAX / 2};
    uva_detach(uva_spawn(end_at_once, NULL));
    uva_task_t *task = uva_spawn_with(&huge, end_at_once, NULL);
    return uva_await(task, NULL) == UV_ENOMEM ? 0 : -1;
}

static void report_who(void *arg, const char *text) {
    (void)arg;
    record("%s:%s", strstr(text, "cannot run") != NULL ? "starved" : text,
           uva_name(uva_current()));
}

START_TEST(reports_after_a_task_see_no_task) {
    uva_options_t options = {.report = report_who};
    ck_assert_int_eq(uva_run_with(&options, starve, NULL), 0);
    ck_expect_record("starved:(none)");
}
END_TEST

/* Each goes on where the last one stood, but not on a stack that is being
 * cleaned for it. */
static int spawn_many(void *arg) {
    (void)arg;
    for (int i = 0; i < 100; i++)
        uva_detach(uva_spawn(end_at_once, NULL));
    return uva_yield();
}

START_TEST(reports_in_debug_clean_no_stack_in_use) {
    uva_options_t options = {.report = support_report, .debug = true};
    ck_assert_int_eq(uva_run_with(&options, spawn_many, NULL), 0);
    ck_expect_reports(0);
}
END_TEST

SUITE("reports", reports_failure_that_nobody_read,
      reports_nothing_about_what_was_seen, reports_failure_after_an_early_look,
      reports_coroutine_that_was_never_awaited,
      reports_nothing_about_a_cancelled_coroutine,
      reports_names_survive_every_way_of_writing, reports_sites_are_read_apart,
      reports_of_a_callback_leave_the_tick_alone,
      reports_go_to_stderr_by_default, reports_slow_task_and_callback_in_debug,
      reports_nothing_slow_without_debug,
      reports_dump_tells_what_each_task_waits_for,
      reports_all_tasks_lists_the_unfinished, reports_stack_statistics,
      reports_stack_use_by_place_of_spawning, reports_after_a_task_see_no_task,
      reports_in_debug_clean_no_stack_in_use)
