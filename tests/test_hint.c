/* labels: valgrind */
/* The guess that what is awaited one after the other could run at once: when it
 * is made, and, which matters more, when it is not. */
#include "support/program.h"

#include <stdio.h>
#include <string.h>

#include <uvawait/async.h>

#include "runtime/hint.h"

static const uva_options_t debug = {
    .clock = UVA_CLOCK_VIRTUAL, .report = support_report, .debug = true};

static void run(uva_fn main, void *arg) {
    ck_assert_int_eq(uva_run_with(&debug, main, arg), 0);
}

/* One report, with these parts. */
static void expect_hint(const char *awaiter, const char *child, int line) {
    char text[160];
    ck_assert_msg(support_report_count() == 1, "%s", support_reports());
    snprintf(text, sizeof text, "task '%s", awaiter);
    ck_assert_msg(support_reports_contain(text), "%s", support_reports());
    snprintf(text, sizeof text, "awaited 8 like '%s", child);
    ck_assert_msg(support_reports_contain(text), "%s", support_reports());
    snprintf(text, sizeof text, "test_hint.c:%d) one after the other", line);
    ck_assert_msg(support_reports_contain(text), "%s", support_reports());
    ck_assert(support_reports_contain("uva_gather()"));
}

#define ck_expect_no_hint() ck_assert_str_eq(support_reports(), "")

/* ---- what is awaited ---------------------------------------------------- */

/* As if it waited for a server. */
static int fetch(void *arg) {
    return uva_sleep(100 + *(const unsigned *)arg % 2);
}

static int compute(void *arg) {
    (void)arg;
    return uva_yield();
}

static uva_queue_t queue;

static int take(void *arg) {
    void *item;
    (void)arg;
    return uva_queue_get(&queue, &item);
}

static int await_coroutine(uva_fn fn, unsigned i) {
    return uva_await(uva_coroutine(fn, &i, sizeof i), NULL);
}

/* ---- when it is made ---------------------------------------------------- */

static int line;

static int fetch_in_place(void *arg) {
    for (unsigned i = 0; i < *(unsigned *)arg; i++) {
        uva_future_t *page = uva_coroutine(fetch, &i, sizeof i);
        line = __LINE__ - 1;
        ck_assert_int_eq(uva_await(page, NULL), 0);
    }
    return 0;
}

START_TEST(hint_coroutines_in_a_loop) {
    run(fetch_in_place, &(unsigned){8});
    expect_hint("main' has", "fetch-", line);
    /* Four of 100 ms, four of 101. */
    ck_assert(support_reports_contain("for 0.804 seconds in all"));
}
END_TEST

START_TEST(hint_is_made_once_for_a_place) {
    run(fetch_in_place, &(unsigned){100});
    expect_hint("main' has", "fetch-", line);
}
END_TEST

static int fetch_in_tasks(void *arg) {
    unsigned numbers[8];
    (void)arg;
    for (unsigned i = 0; i < 8; i++) {
        numbers[i] = i;
        uva_task_t *page = uva_spawn(fetch, &numbers[i]);
        line = __LINE__ - 1;
        ck_assert_int_eq(uva_await(page, NULL), 0);
    }
    return 0;
}

START_TEST(hint_fresh_tasks_in_a_loop) {
    run(fetch_in_tasks, NULL);
    expect_hint("main' has", "fetch-", line);
}
END_TEST

/* The loop is where it could be mended, not what each round awaits inside. */
static int fetch_twofold(void *arg) {
    unsigned i = *(const unsigned *)arg;
    uva_task_t *inner = uva_spawn(fetch, &i);
    int code = uva_await(inner, NULL);
    return code < 0 ? code : await_coroutine(fetch, i + 100);
}

static int fetch_nested(void *arg) {
    (void)arg;
    for (unsigned i = 0; i < 8; i++) {
        uva_future_t *page = uva_coroutine(fetch_twofold, &i, sizeof i);
        line = __LINE__ - 1;
        ck_assert_int_eq(uva_await(page, NULL), 0);
    }
    return 0;
}

START_TEST(hint_names_the_outer_loop) {
    run(fetch_nested, NULL);
    expect_hint("main' has", "fetch_twofold-", line);
}
END_TEST

/* A coroutine that runs in place has a loop of its own. */
static int await_a_loop(void *arg) {
    return uva_await(uva_coroutine(fetch_in_place, arg, sizeof(unsigned)),
                     NULL);
}

START_TEST(hint_in_a_coroutine) {
    run(await_a_loop, &(unsigned){8});
    expect_hint("main' has", "fetch-", line);
}
END_TEST

/* ---- when it is not ----------------------------------------------------- */

START_TEST(hint_not_for_a_few) {
    run(fetch_in_place, &(unsigned){7});
    ck_expect_no_hint();
}
END_TEST

START_TEST(hint_not_without_debug) {
    ck_assert_int_eq(program_run(fetch_in_place, &(unsigned){20}), 0);
    ck_expect_no_hint();
}
END_TEST

START_TEST(hint_not_if_told_so) {
    uva_options_t options = debug;
    options.no_hints = true;
    ck_assert_int_eq(uva_run_with(&options, fetch_in_place, &(unsigned){20}),
                     0);
    ck_expect_no_hint();
}
END_TEST

static int sleep_in_a_loop(void *arg) {
    (void)arg;
    for (unsigned i = 0; i < 20; i++)
        ck_assert_int_eq(uva_sleep(10 + i), 0);
    return 0;
}

START_TEST(hint_not_for_sleeps) {
    run(sleep_in_a_loop, NULL);
    ck_expect_no_hint();
}
END_TEST

static int fetch_late(void *arg) {
    return uva_sleep(100 * *(const unsigned *)arg);
}

/* They run at once already, though each is waited for. */
static int spawn_then_await(void *arg) {
    unsigned numbers[20];
    uva_task_t *tasks[20];
    (void)arg;
    for (unsigned i = 0; i < 20; i++) {
        numbers[i] = i + 1;
        tasks[i] = uva_spawn(fetch_late, &numbers[i]);
    }
    for (unsigned i = 0; i < 20; i++)
        ck_assert_int_eq(uva_await(tasks[i], NULL), 0);
    return 0;
}

START_TEST(hint_not_for_tasks_that_run_already) {
    run(spawn_then_await, NULL);
    ck_expect_no_hint();
}
END_TEST

static int gather_in_rounds(void *arg) {
    (void)arg;
    for (unsigned i = 0; i < 20; i++) {
        uva_future_t *two[] = {uva_coroutine(fetch, &i, sizeof i),
                               uva_coroutine(fetch, &i, sizeof i)};
        ck_assert_int_eq(uva_gather(two, 2, NULL), 0);
    }
    return 0;
}

START_TEST(hint_not_for_gathers) {
    run(gather_in_rounds, NULL);
    ck_expect_no_hint();
}
END_TEST

/* What does not wait is not sooner over beside others. */
static int compute_in_a_loop(void *arg) {
    (void)arg;
    for (unsigned i = 0; i < 20; i++)
        ck_assert_int_eq(await_coroutine(compute, i), 0);
    return 0;
}

START_TEST(hint_not_for_computations) {
    run(compute_in_a_loop, NULL);
    ck_expect_no_hint();
}
END_TEST

static void spin(uint64_t ms) {
    uint64_t until = uv_hrtime() + ms * 1000000;
    while (uv_hrtime() < until) {}
}

static int compute_long(void *arg) {
    (void)arg;
    spin(2);
    int code = uva_yield();
    spin(2);
    return code;
}

static int compute_in_tasks(void *arg) {
    unsigned numbers[10] = {0};
    (void)arg;
    for (unsigned i = 0; i < 10; i++)
        ck_assert_int_eq(uva_await(uva_spawn(compute_long, &numbers[i]), NULL),
                         0);
    return 0;
}

/* With the real clock, too, although the time passes. */
START_TEST(hint_not_for_computations_by_the_real_clock) {
    uva_options_t options = debug;
    options.clock = UVA_CLOCK_REAL;
    options.slow_task_ms = 60000;
    ck_assert_int_eq(uva_run_with(&options, compute_in_tasks, NULL), 0);
    ck_expect_no_hint();
}
END_TEST

static int wait_for_real(void *arg) {
    return uva_sleep(5 + *(const unsigned *)arg % 2);
}

static int wait_in_a_loop(void *arg) {
    (void)arg;
    for (unsigned i = 0; i < 8; i++)
        ck_assert_int_eq(await_coroutine(wait_for_real, i), 0);
    return 0;
}

START_TEST(hint_for_waits_by_the_real_clock) {
    uva_options_t options = debug;
    options.clock = UVA_CLOCK_REAL;
    options.slow_task_ms = 60000;
    ck_assert_int_eq(uva_run_with(&options, wait_in_a_loop, NULL), 0);
    ck_assert(support_reports_contain("awaited 8 like 'fn-"));
}
END_TEST

static int produce(void *arg) {
    (void)arg;
    for (int i = 0; i < 20; i++) {
        ck_assert_int_eq(uva_sleep(10), 0);
        ck_assert_int_eq(uva_queue_put(&queue, &queue), 0);
    }
    return 0;
}

/* Whoever takes one item after the other from the same. */
static int take_in_a_loop(void *arg) {
    (void)arg;
    ck_assert_int_eq(uva_queue_init(&queue, 1), 0);
    uva_task_t *producer = uva_spawn(produce, NULL);
    for (unsigned i = 0; i < 20; i++)
        ck_assert_int_eq(await_coroutine(take, 7), 0);
    int code = uva_await(producer, NULL);
    uva_queue_free(&queue);
    return code;
}

START_TEST(hint_not_for_the_same_again) {
    run(take_in_a_loop, NULL);
    ck_expect_no_hint();
}
END_TEST

/* The same at the beginning: what becomes of a task's copy is its own. */
static int scribble(void *arg) {
    static unsigned scribbled;
    *(unsigned *)arg = ++scribbled;
    return uva_sleep(100);
}

static int scribble_in_a_loop(void *arg) {
    const unsigned nothing = 0;
    (void)arg;
    for (unsigned i = 0; i < 20; i++) {
        const uva_task_options_t options = {.copy = &nothing,
                                            .copy_bytes = sizeof nothing};
        uva_task_t *one = uva_spawn_with(&options, scribble, NULL);
        ck_assert_int_eq(uva_await(one, NULL), 0);
    }
    return 0;
}

START_TEST(hint_not_for_what_a_body_makes_of_its_argument) {
    run(scribble_in_a_loop, NULL);
    ck_expect_no_hint();
}
END_TEST

/* valgrind would tell of padding that decides something. */
typedef struct padded {
    char kind;
    uint64_t ms;
} padded_t;

static int sleep_padded(void *arg) {
    return uva_sleep(((const padded_t *)arg)->ms);
}

static int sleep_with_padding(void *arg) {
    (void)arg;
    for (unsigned i = 0; i < 8; i++) {
        padded_t argument;
        argument.kind = 'x';
        argument.ms = 100 + i;
        uva_future_t *nap =
            uva_coroutine(sleep_padded, &argument, sizeof argument);
        line = __LINE__ - 1;
        ck_assert_int_eq(uva_await(nap, NULL), 0);
    }
    return 0;
}

START_TEST(hint_bears_padding) {
    run(sleep_with_padding, NULL);
    expect_hint("main' has", "sleep_padded-", line);
}
END_TEST

/* ---- async functions ---------------------------------------------------- */

UVA_ASYNC(unsigned, fetch_typed, (unsigned, i)) {
    UVA_CHECK(uva_sleep(100));
    UVA_RETURN(i);
}

/* From the same queue, but never the same value. */
UVA_ASYNC(uint64_t, take_typed, (uva_queue_t *, from)) {
    void *item;
    UVA_CHECK(uva_queue_get(from, &item));
    UVA_RETURN(uva_now_ms());
}

static int fetch_typed_tasks(void *arg) {
    (void)arg;
    for (unsigned i = 0; i < 8; i++) {
        struct fetch_typed page = UVA_SPAWN(fetch_typed(i));
        line = __LINE__ - 1;
        ck_assert_uint_eq(UVA_TRY(page), i);
    }
    return 0;
}

START_TEST(hint_typed_tasks_in_a_loop) {
    run(fetch_typed_tasks, NULL);
    expect_hint("main' has", "fetch_typed-", line);
}
END_TEST

static int take_typed_tasks(void *arg) {
    (void)arg;
    ck_assert_int_eq(uva_queue_init(&queue, 1), 0);
    uva_task_t *producer = uva_spawn(produce, NULL);
    uva_future_t *kept[20]; /* each lies somewhere else */
    for (unsigned i = 0; i < 20; i++) {
        struct take_typed one = UVA_SPAWN(take_typed(&queue));
        kept[i] = uva_ref(one.future);
        UVA_TRY(one);
    }
    for (unsigned i = 0; i < 20; i++)
        uva_unref(kept[i]);
    int code = uva_await(producer, NULL);
    uva_queue_free(&queue);
    return code;
}

START_TEST(hint_not_for_the_same_typed_call) {
    run(take_typed_tasks, NULL);
    ck_expect_no_hint();
}
END_TEST

/* A pause between them is meant. */
static int fetch_slowly(void *arg) {
    (void)arg;
    for (unsigned i = 0; i < 20; i++) {
        ck_assert_int_eq(await_coroutine(fetch, i), 0);
        ck_assert_int_eq(uva_sleep(1), 0);
    }
    return 0;
}

START_TEST(hint_not_with_pauses) {
    run(fetch_slowly, NULL);
    ck_expect_no_hint();
}
END_TEST

/* One needs what the other gave. */
static int fetch_alternately(void *arg) {
    (void)arg;
    for (unsigned i = 0; i < 40; i++) {
        uva_future_t *one = uva_coroutine(fetch, &i, sizeof i);
        ck_assert_int_eq(uva_await(one, NULL), 0);
        i++;
        uva_future_t *other = uva_coroutine(fetch, &i, sizeof i);
        ck_assert_int_eq(uva_await(other, NULL), 0);
    }
    return 0;
}

START_TEST(hint_not_for_two_by_turns) {
    run(fetch_alternately, NULL);
    ck_expect_no_hint();
}
END_TEST

static int fetch_a_few(void *arg) {
    unsigned first = *(const unsigned *)arg;
    for (unsigned i = first; i < first + 4; i++)
        ck_assert_int_eq(await_coroutine(fetch, i), 0);
    return 0;
}

/* Several that each await a few are not one that awaits many. */
static int spawn_several(void *arg) {
    unsigned firsts[] = {0, 10, 20, 30};
    uva_task_t *tasks[4];
    (void)arg;
    for (int i = 0; i < 4; i++)
        tasks[i] = uva_spawn(fetch_a_few, &firsts[i]);
    return uva_gather(tasks, 4, NULL);
}

START_TEST(hint_not_for_several_awaiters) {
    run(spawn_several, NULL);
    ck_expect_no_hint();
}
END_TEST

/* ---- without memory, and with many -------------------------------------- */

START_TEST(hint_not_without_memory) {
    for (unsigned n = 1;; n++) {
        faults_fail(FAULT_CALLOC, n);
        int code = uva_run_with(&debug, fetch_in_place, &(unsigned){8});
        if (faults_clear() == 0)
            break;
        ck_assert_msg(code == 0 || code == UV_ENOMEM, "%d", code);
    }
    ck_assert(support_reports_contain("awaited 8 like 'fetch-"));
}
END_TEST

/* The number that what is made next will have. */
static unsigned long long next_number(void) {
    uva_future_t *f = uva_future_new();
    unsigned long long number = 0;
    ck_assert_int_eq(sscanf(uva_name(f), "future-%llu", &number), 1);
    uva_unref(f);
    return number + 1;
}

static int await_few_in_task(void *arg) {
    uva_task_t *task = uva_spawn(fetch_a_few, arg);
    return uva_gather(&task, 1, NULL);
}

/* One that has the place in the table that another had is not that other. */
static int share_a_place(void *arg) {
    enum { ENTRIES = 512 }; /* as in hint.c */
    (void)arg;
    for (unsigned i = 0; i < 4; i++) {
        while (next_number() % ENTRIES != 100) {}
        ck_assert_int_eq(await_few_in_task(&(unsigned){10 * i}), 0);
    }
    return 0;
}

START_TEST(hint_forgets_rather_than_errs) {
    run(share_a_place, NULL);
    ck_expect_no_hint();
}
END_TEST

SUITE("hint", hint_coroutines_in_a_loop, hint_is_made_once_for_a_place,
      hint_fresh_tasks_in_a_loop, hint_names_the_outer_loop,
      hint_in_a_coroutine, hint_not_for_a_few, hint_not_without_debug,
      hint_not_if_told_so, hint_not_for_sleeps,
      hint_not_for_tasks_that_run_already, hint_not_for_gathers,
      hint_not_for_computations, hint_not_for_computations_by_the_real_clock,
      hint_for_waits_by_the_real_clock, hint_not_for_the_same_again,
      hint_not_for_what_a_body_makes_of_its_argument, hint_bears_padding,
      hint_typed_tasks_in_a_loop, hint_not_for_the_same_typed_call,
      hint_not_with_pauses, hint_not_for_two_by_turns,
      hint_not_for_several_awaiters, hint_not_without_memory,
      hint_forgets_rather_than_errs)
