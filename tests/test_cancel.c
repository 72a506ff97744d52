/* Cancellation: requests, how long they last, and the windows around a wake. */
#include "support/program.h"

#include <signal.h>
#include <string.h>

#include "runtime/task.h"

static int say(void *arg) {
    record("%s", (const char *)arg);
    return 0;
}

/* ---- one request -------------------------------------------------------- */

static int fresh_main(void *arg) {
    (void)arg;
    uva_task_t *task = uva_spawn(say, "never");
    ck_assert(uva_cancel(task));
    ck_assert(!uva_is_done(task));
    ck_assert_int_eq(uva_await(task, NULL), UV_ECANCELED);
    task = uva_spawn(say, "never");
    ck_assert_int_eq(uva_cancel_and_wait(task), UV_ECANCELED);
    return 0;
}

START_TEST(cancel_before_the_first_step) {
    CONFORMS("K-027");
    program_expect(fresh_main);
    ck_expect_record("");
}
END_TEST

static int cancel_rest(uva_task_t *task) {
    ck_assert(!uva_cancel(task));
    ck_assert(!uva_cancel_with(task, "late"));
    ck_assert_ptr_null(uva_message(task));
    return uva_cancelling(task);
}

/* | main            | w          |
 * |                 | sleep      |
 * | cancel: true    |            |  w has not run
 * | not done yet    |            |
 * | yield           | cut, ends  |
 * | done, cancelled |            |
 */
static int parked_main(void *arg) {
    (void)arg;
    uva_task_t *task = spawn_worker("w", 100, 0);
    (void)uva_yield();
    ck_assert(uva_cancel(task));
    record("main");
    ck_assert(!uva_is_done(task));
    ck_assert_int_eq(uva_status(task), UV_EAGAIN);
    (void)uva_yield();
    ck_assert_int_eq(uva_status(task), UV_ECANCELED);
    ck_assert_int_eq(cancel_rest(task), 1);
    uva_unref(task);
    return 0;
}

START_TEST(cancel_cuts_a_parked_task) {
    CONFORMS("K-028", "K-029");
    program_expect(parked_main);
    ck_expect_record("main w!");
}
END_TEST

static int finished_main(void *arg) {
    (void)arg;
    uva_task_t *task = spawn_worker("w", 0, 5);
    ck_assert_int_eq(uva_await(uva_ref(task), NULL), 5);
    ck_assert_int_eq(cancel_rest(task), 0);
    ck_assert_int_eq(uva_cancel_and_wait(task), 5);
    return 0;
}

START_TEST(cancel_after_the_end_does_nothing) {
    CONFORMS("K-029");
    program_expect(finished_main);
    ck_expect_record("w");
}
END_TEST

/* Meets its request, and ends with a code of its own all the same. */
static int answer(void *arg) {
    int code = *(int *)arg;
    ck_assert_int_eq(uva_sleep(100), UV_ECANCELED);
    if (code < 0)
        return uva_fail(code, "answered");
    return code;
}

static int answer_main(void *arg) {
    (void)arg;
    int codes[] = {42, -9};
    for (int i = 0; i < 2; i++) {
        uva_task_t *task = uva_spawn(answer, &codes[i]);
        (void)uva_yield();
        ck_assert(uva_cancel_with(task, "why"));
        ck_assert_int_eq(uva_await(task, NULL), codes[i]);
        const char *message = uva_last_message();
        ck_assert_ptr_eq(message, i == 0 ? NULL : message);
        ck_assert(i == 0 || strcmp(message, "answered") == 0);
    }
    return 0;
}

START_TEST(cancel_may_be_answered_with_another_outcome) {
    CONFORMS("K-030", "K-038");
    program_expect(answer_main);
}
END_TEST

static int end_cancelled(void *arg) {
    (void)arg;
    return UV_ECANCELED;
}

static int own_accord_main(void *arg) {
    (void)arg;
    uva_task_t *task = uva_spawn(end_cancelled, NULL);
    ck_assert_int_eq(uva_await(uva_ref(task), NULL), UV_ECANCELED);
    ck_assert_int_eq(uva_cancelling(task), 0);
    ck_assert_ptr_null(uva_message(task));
    uva_unref(task);
    uva_detach(uva_spawn(end_cancelled, NULL));
    return uva_yield();
}

START_TEST(cancel_of_its_own_accord) {
    CONFORMS("K-037");
    program_expect(own_accord_main);
}
END_TEST

static int cancel_self(void *arg) {
    (void)arg;
    ck_assert(uva_cancel(uva_current()));
    return 5;
}

static int self_main(void *arg) {
    (void)arg;
    uva_task_t *task = uva_spawn(cancel_self, NULL);
    ck_assert_int_eq(uva_await(uva_ref(task), NULL), 5);
    ck_assert_int_eq(uva_cancelling(task), 1);
    uva_unref(task);
    return 0;
}

START_TEST(cancel_never_met_changes_no_outcome) {
    program_expect(self_main);
}
END_TEST

/* ---- how long it lasts -------------------------------------------------- */

static int insist(void *arg) {
    uva_future_t *f = arg;
    ck_assert_int_eq(uva_sleep(100), UV_ECANCELED);
    for (int i = 0; i < 3; i++) {
        ck_assert_int_eq(uva_sleep(100), UV_ECANCELED);
        ck_assert_int_eq(uva_yield(), UV_ECANCELED);
        ck_assert_int_eq(uva_sleep(0), UV_ECANCELED);
        ck_assert_int_eq(uva_wait(&f, 1, UVA_ALL_COMPLETED, 10), UV_ECANCELED);
    }
    ck_assert_int_eq(uva_uncancel(uva_current()), 0);
    ck_assert_int_eq(uva_sleep(100), 0);
    ck_assert_int_eq(uva_yield(), 0);
    return 42;
}

static int level_main(void *arg) {
    (void)arg;
    uva_future_t *f = uva_future_new();
    uva_task_t *task = uva_spawn(insist, f);
    (void)uva_yield();
    ck_assert(uva_cancel(task));
    ck_assert_int_eq(uva_await(task, NULL), 42);
    ck_assert_uint_eq(uva_now_ms(), 100);
    ck_assert(!uva_is_done(f));
    uva_unref(f);
    return 0;
}

/* Where we differ: it is delivered until it is taken back. */
START_TEST(cancel_lasts_until_taken_back) {
    CONFORMS("K-031");
    program_expect(level_main);
}
END_TEST

static int count_requests(void *arg) {
    (void)arg;
    uva_task_t *self = uva_current();
    ck_assert_int_eq(uva_sleep(100), UV_ECANCELED);
    ck_assert_int_eq(uva_cancelling(self), 2);
    ck_assert_int_eq(uva_uncancel(self), 1);
    ck_assert_int_eq(uva_sleep(1), UV_ECANCELED);
    ck_assert_int_eq(uva_uncancel(self), 0);
    ck_assert_int_eq(uva_uncancel(self), 0);
    ck_assert_int_eq(uva_cancelling(self), 0);
    ck_assert_int_eq(uva_sleep(1), 0);
    ck_assert(uva_cancel(self));
    return 3;
}

static int count_main(void *arg) {
    (void)arg;
    uva_task_t *task = uva_spawn(count_requests, NULL);
    (void)uva_yield();
    ck_assert(uva_cancel(task));
    ck_assert(uva_cancel(task));
    ck_assert_int_eq(uva_await(uva_ref(task), NULL), 3);
    ck_assert_int_eq(uva_cancelling(task), 1);
    ck_assert_int_eq(uva_uncancel(task), 1);
    ck_assert_int_eq(uva_cancelling(task), 1);
    uva_unref(task);
    return 0;
}

START_TEST(cancel_requests_are_counted) {
    CONFORMS("K-035");
    program_expect(count_main);
}
END_TEST

static int alarm_clock(void *arg) {
    int code = uva_sleep(10);
    if (code == 0)
        (void)uva_cancel(arg);
    return code;
}

/* A home-made timeout around a sleep; tells whether it fired. */
static bool sleep_at_most_10(uint64_t ms) {
    uva_task_t *self = uva_current();
    uva_task_t *clock = uva_spawn(alarm_clock, self);
    int code = uva_sleep(ms);
    bool fired = uva_is_done(clock);
    ck_assert_int_eq(code, fired ? UV_ECANCELED : 0);
    if (fired)
        ck_assert_int_eq(uva_uncancel(self), 0);
    (void)uva_cancel_and_wait(clock);
    ck_assert_int_eq(uva_cancelling(self), 0);
    ck_assert_int_eq(uva_sleep(1), 0);
    return fired;
}

static int home_made_main(void *arg) {
    (void)arg;
    ck_assert(sleep_at_most_10(100));
    ck_assert_uint_eq(uva_now_ms(), 11);
    ck_assert(!sleep_at_most_10(5));
    ck_assert_uint_eq(uva_now_ms(), 17);
    return 0;
}

START_TEST(cancel_makes_a_timeout) {
    CONFORMS("K-036");
    program_expect(home_made_main);
}
END_TEST

/* ---- who else is reached ------------------------------------------------ */

static int await_it(void *arg) {
    int code = uva_await(uva_ref(arg), NULL);
    record("awaited:%d:%d", code, uva_cancelling(uva_current()));
    return code;
}

static int future_main(void *arg) {
    (void)arg;
    uva_future_t *f = uva_future_new();
    uva_task_t *task = uva_spawn(await_it, f);
    (void)uva_yield();
    ck_assert(uva_cancel(task));
    ck_assert(uva_is_done(f));
    ck_assert_int_eq(uva_status(f), UV_ECANCELED);
    ck_assert_int_eq(uva_future_resolve(f, NULL), UV_EALREADY);
    ck_assert_int_eq(uva_await(task, NULL), UV_ECANCELED);
    uva_unref(f);
    return 0;
}

START_TEST(cancel_reaches_the_awaited_future) {
    CONFORMS("K-032");
    program_expect(future_main);
    ck_expect_record("awaited:-125:1");
}
END_TEST

/* | main         | outer              | inner               |
 * |              | await inner        | sleep               |
 * | cancel outer |                    | cut                 |
 * |              |                    | cleans up for 50 ms |
 * |              | await returns      |                     |
 */
static int inner_main(void *arg) {
    (void)arg;
    uva_task_t *inner = spawn_lingerer("inner", 100, 50);
    uva_task_t *outer = uva_spawn(await_it, inner);
    (void)uva_yield();
    ck_assert(uva_cancel(outer));
    ck_assert_int_eq(uva_cancelling(inner), 1);
    ck_assert_int_eq(uva_cancelling(outer), 1);
    ck_assert_int_eq(uva_await(outer, NULL), UV_ECANCELED);
    ck_assert_uint_eq(uva_now_ms(), 50);
    uva_unref(inner);
    return 0;
}

START_TEST(cancel_ends_the_inner_task_first) {
    CONFORMS("K-033");
    program_expect(inner_main);
    ck_expect_record("inner! inner~ awaited:-125:1");
}
END_TEST

static int third_party_main(void *arg) {
    (void)arg;
    uva_future_t *f = uva_future_new();
    uva_task_t *task = uva_spawn(await_it, f);
    (void)uva_yield();
    ck_assert(uva_cancel(f));
    ck_assert_int_eq(uva_await(uva_ref(task), NULL), UV_ECANCELED);
    ck_assert_int_eq(uva_cancelling(task), 0);
    uva_unref(task);
    uva_unref(f);
    return 0;
}

START_TEST(cancel_of_a_future_by_a_third_party) {
    CONFORMS("K-034");
    program_expect(third_party_main);
    ck_expect_record("awaited:-125:0");
}
END_TEST

static int both_main(void *arg) {
    (void)arg;
    for (int order = 0; order < 2; order++) {
        uva_future_t *f = uva_future_new();
        uva_task_t *task = uva_spawn(await_it, f);
        (void)uva_yield();
        ck_assert(uva_cancel(order == 0 ? f : task));
        ck_assert(uva_cancel(order == 0 ? task : f) == (order == 0));
        ck_assert_int_eq(uva_await(task, NULL), UV_ECANCELED);
        ck_assert_int_eq(uva_status(f), UV_ECANCELED);
        uva_unref(f);
    }
    return 0;
}

START_TEST(cancel_of_future_and_task_in_one_tick) {
    CONFORMS("K-039");
    program_expect(both_main);
    ck_expect_record("awaited:-125:1 awaited:-125:1");
}
END_TEST

/* ---- chains ------------------------------------------------------------- */

static int links_over; /* counts ends, innermost first */

/* Link i awaits link i - 1; link 0 sleeps. */
static int link_body(void *arg) {
    int i = *(int *)arg;
    int less = i - 1;
    uva_task_options_t options = {.copy = &less, .copy_bytes = sizeof less};
    int code = i == 0
                   ? uva_sleep(1000)
                   : uva_await(uva_spawn_with(&options, link_body, NULL), NULL);
    ck_assert_int_eq(code, UV_ECANCELED);
    ck_assert_int_eq(uva_cancelling(uva_current()), 1);
    ck_assert_int_eq(links_over++, i);
    return code;
}

static int chain_main(void *arg) {
    int links = *(int *)arg;
    int last = links - 1;
    links_over = 0;
    uva_task_t *task = uva_spawn(link_body, &last);
    for (int i = 0; i <= links; i++)
        (void)uva_yield();
    uva_runtime_t *rt = uva_runtime_current();
    ck_assert_uint_eq(uva_all_tasks(rt, NULL, 0), (size_t)links + 1);
    ck_assert(uva_cancel_with(task, "all of you"));
    ck_assert_int_eq(uva_await(task, NULL), UV_ECANCELED);
    ck_assert_str_eq(uva_last_message(), "all of you");
    ck_assert_int_eq(links_over, links);
    ck_assert_uint_eq(uva_all_tasks(rt, NULL, 0), 1);
    return 0;
}

START_TEST(cancel_runs_down_a_chain_of_50) {
    CONFORMS("K-040");
    ck_assert_int_eq(program_run(chain_main, &(int){50}), 0);
    ck_assert_str_eq(support_reports(), "");
}
END_TEST

/* Recursion over so many would not fit on the stack of who cancels. */
START_TEST(cancel_runs_down_a_chain_of_20000) {
    int links = support_is_slow() ? 2000 : 20000;
    ck_assert_int_eq(program_run(chain_main, &links), 0);
    ck_assert_str_eq(support_reports(), "");
}
END_TEST

/* Link i gathers link i - 1 and a sleeper. */
static int gather_link(void *arg) {
    int i = *(int *)arg;
    int less = i - 1;
    uva_task_options_t options = {.copy = &less, .copy_bytes = sizeof less};
    uva_future_t *both[] = {NULL, spawn_worker("s", 1000, 0)};
    both[0] =
        i == 0 ? uva_ref(both[1]) : uva_spawn_with(&options, gather_link, NULL);
    int code = uva_gather(both, 2, NULL);
    ck_assert_int_eq(code, UV_ECANCELED);
    links_over++;
    return code;
}

static int gather_chain_main(void *arg) {
    int links = *(int *)arg;
    int last = links - 1;
    links_over = 0;
    uva_task_t *task = uva_spawn(gather_link, &last);
    for (int i = 0; i <= links; i++)
        (void)uva_yield();
    ck_assert(uva_cancel(task));
    ck_assert_int_eq(uva_await(task, NULL), UV_ECANCELED);
    ck_assert_int_eq(links_over, links);
    return 0;
}

START_TEST(cancel_runs_down_nested_gathers) {
    int links = support_is_slow() ? 500 : 2000;
    ck_assert_int_eq(program_run(gather_chain_main, &links), 0);
    ck_assert_str_eq(support_reports(), "");
}
END_TEST

/* ---- circles ------------------------------------------------------------ */

static uva_task_t *circle[2];

static int await_the_other(void *index) {
    return uva_await(uva_ref(circle[1 - *(int *)index]), NULL);
}

/* Two tasks that wait for each other: each is asked once, and the walk ends. */
static int circle_main(void *arg) {
    static int indices[2] = {0, 1};
    (void)arg;
    for (int i = 0; i < 2; i++)
        circle[i] = uva_spawn(await_the_other, &indices[i]);
    ck_assert_int_eq(uva_sleep(1), 0);
    ck_assert(uva_cancel(circle[0]));
    ck_assert_int_eq(uva_cancelling(circle[0]), 1);
    ck_assert_int_eq(uva_cancelling(circle[1]), 1);
    return uva_sleep(1);
}

static void run_circle(void *arg) {
    (void)uva_run(circle_main, arg);
}

START_TEST(cancel_ends_its_walk_in_a_circle) {
    ck_assert(support_dies(run_circle, NULL, SIGABRT, "wait for each other"));
}
END_TEST

/* ---- two ways to one task ----------------------------------------------- */

static int await_given(void *f) {
    return uva_await(uva_ref(f), NULL);
}

static int gather_two(void *futures) {
    return uva_gather(futures, 2, NULL);
}

/* One request that comes by two ways is one request. */
static int diamond_main(void *arg) {
    (void)arg;
    uva_task_t *end = spawn_lingerer("end", 1000, 5);
    uva_task_t *top = NULL;
    uva_group_t group;
    uva_group_open(&group);
    ck_assert_int_eq(uva_group_spawn_with(&group, NULL, await_given, end, &top),
                     0);
    uva_future_t *ways[] = {top, uva_spawn(await_given, end)};
    uva_task_t *gathered = uva_spawn(gather_two, ways);
    ck_assert_int_eq(uva_sleep(1), 0);
    ck_assert(uva_cancel(gathered));
    ck_assert_int_eq(uva_cancelling(end), 1);
    ck_assert_int_eq(uva_await(gathered, NULL), UV_ECANCELED);
    ck_assert_int_eq(uva_group_close(&group), 0);
    uva_unref(end);
    return 0;
}

START_TEST(cancel_by_two_ways_is_one_request) {
    program_expect(diamond_main);
    ck_expect_record("end! end~");
}
END_TEST

SUITE("cancel", cancel_before_the_first_step, cancel_cuts_a_parked_task,
      cancel_after_the_end_does_nothing,
      cancel_may_be_answered_with_another_outcome, cancel_of_its_own_accord,
      cancel_never_met_changes_no_outcome, cancel_lasts_until_taken_back,
      cancel_requests_are_counted, cancel_makes_a_timeout,
      cancel_reaches_the_awaited_future, cancel_ends_the_inner_task_first,
      cancel_of_a_future_by_a_third_party,
      cancel_of_future_and_task_in_one_tick, cancel_runs_down_a_chain_of_50,
      cancel_runs_down_a_chain_of_20000, cancel_runs_down_nested_gathers,
      cancel_ends_its_walk_in_a_circle, cancel_by_two_ways_is_one_request)
