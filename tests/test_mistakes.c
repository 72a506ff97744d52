/* labels: valgrind */
/* The mistakes that everybody makes once: what is said of each. */
#include "support/program.h"

#include <stdio.h>
#include <string.h>

static int nothing(void *arg) {
    (void)arg;
    return 0;
}

static int break_down(void *arg) {
    return uva_fail(UV_EPROTO, "no %s", (const char *)arg);
}

static int sleep_long(void *arg) {
    (void)arg;
    return uva_sleep(1000);
}

static void await_in_callback(void *arg) {
    ck_assert_int_eq(uva_await(arg, NULL), UV_EPERM);
}

/* The line of each, for the test below. */
static int lines[4];

static int make_mistakes(void *arg) {
    (void)arg;
    uva_unref(uva_coroutine(nothing, NULL, 0)); /* never awaited */
    lines[0] = __LINE__ - 1;
    uva_detach(uva_spawn(break_down, "luck")); /* and nobody looks */
    lines[1] = __LINE__ - 1;
    uva_task_t *background = uva_spawn(sleep_long, NULL); /* pending */
    lines[2] = __LINE__ - 1;
    ck_assert_int_eq(uva_run(nothing, NULL), UV_EBUSY); /* inside a run */
    ck_assert_int_eq(
        uva_post(uva_runtime_current(), await_in_callback, uva_ref(background)),
        0); /* outside a task */
    uva_detach(background);
    return uva_yield();
}

static int spawn_mistakes(void *arg) {
    int code = uva_await(uva_spawn(make_mistakes, arg), NULL);
    lines[3] = __LINE__ - 1;
    return code;
}

static bool is_between(const char *part, const char *begin, const char *end) {
    const char *at = strstr(begin, part);
    return at != NULL && at < end;
}

/* That one report says so, with the place, and what to do about it. */
static void expect_mistake(const char *what, int line, const char *remedy) {
    char place[64];
    const char *end;
    snprintf(place, sizeof place, "test_mistakes.c:%d)", line);
    for (const char *at = support_reports(); *at != '\0'; at = end + 1) {
        end = strchr(at, '\n');
        if (is_between(what, at, end) && is_between(place, at, end) &&
            is_between(remedy, at, end))
            return;
    }
    ck_abort_msg("no \"%s\", \"%s\", \"%s\" in:\n%s", what, place, remedy,
                 support_reports());
}

/* Each with the function, the file and line of its creation, and a remedy. */
START_TEST(mistakes_are_told_with_place_and_remedy) {
    ck_assert_int_eq(program_run(spawn_mistakes, NULL), 0);
    ck_assert_uint_eq(support_report_count(), 5);
    expect_mistake("coroutine 'nothing-", lines[0], "Give it to uva_await()");
    expect_mistake("task 'break_down-", lines[1],
                   ": no luck. Await it, or read its uva_status()");
    expect_mistake("task 'sleep_long-", lines[2],
                   "was still pending at the end (sleep) and has been "
                   "cancelled. Await it, or cancel it, before main returns");
    expect_mistake("uva_run: called inside a runtime", lines[3],
                   "Await a task here instead (in task 'make_mistakes-");
    expect_mistake("uva_await: called outside a task, for task 'sleep_long-",
                   lines[2], "spawn one, or use uva_run()");
}
END_TEST

/* A host's tasks, too, are to be over before it detaches. */
START_TEST(mistakes_of_a_host) {
    uva_options_t options = {.report = support_report};
    uva_runtime_t *runtime = NULL;
    uv_loop_t loop;
    ck_assert_int_eq(uv_loop_init(&loop), 0);
    ck_assert_int_eq(uva_runtime_attach(&loop, &options, &runtime), 0);
    uva_detach(uva_spawn(sleep_long, NULL));
    int line = __LINE__ - 1;
    (void)uv_run(&loop, UV_RUN_NOWAIT);
    ck_assert_int_eq(uva_runtime_detach(runtime, NULL, NULL), 0);
    ck_assert_int_eq(uv_run(&loop, UV_RUN_DEFAULT), 0);
    ck_assert_int_eq(uv_loop_close(&loop), 0);
    ck_assert_uint_eq(support_report_count(), 1);
    expect_mistake("task 'sleep_long-", line,
                   "Await it, or cancel it, before uva_runtime_detach()");
}
END_TEST

SUITE("mistakes", mistakes_are_told_with_place_and_remedy, mistakes_of_a_host)
