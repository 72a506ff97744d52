/* uva_as_completed_*: futures as they come to their ends. */
#include "support/program.h"

#include <string.h>

static void open_ok(uva_as_completed_t *it, uva_future_t *futures[],
                    size_t count, uint64_t timeout_ms) {
    ck_assert_int_eq(uva_as_completed_open(it, futures, count, timeout_ms), 0);
}

/* One step: "b@10", a code, or "end". */
static void step(uva_as_completed_t *it) {
    uva_future_t *f = (uva_future_t *)it;
    int code = uva_as_completed_next(it, &f);
    if (code > 0)
        record("%s@%d", uva_name(f), (int)uva_now_ms());
    else if (code < 0)
        record("%d@%d", code, (int)uva_now_ms());
    else
        record("end");
    if (code <= 0)
        ck_assert_ptr_eq(f, (uva_future_t *)it);
}

static void steps(uva_as_completed_t *it, int count) {
    while (count-- > 0)
        step(it);
}

static void unref_all(uva_future_t *futures[], size_t count) {
    for (size_t i = 0; i < count; i++)
        uva_unref(futures[i]);
}

static int order_main(void *arg) {
    (void)arg;
    uva_future_t *f[] = {spawn_worker("a", 30, 0), spawn_worker("b", 10, 0),
                         spawn_worker("c", 20, -7)};
    uva_as_completed_t it;
    open_ok(&it, f, 3, UVA_FOREVER);
    uva_future_t *first = NULL;
    ck_assert_int_eq(uva_as_completed_next(&it, &first), 1);
    ck_assert_ptr_eq(first, f[1]);
    ck_assert_int_eq(uva_await(first, NULL), 0); /* takes our reference */
    steps(&it, 4);
    uva_as_completed_close(&it);
    ck_assert_int_eq(uva_status(f[2]), -7);
    uva_unref(f[0]);
    uva_unref(f[2]);
    return 0;
}

START_TEST(as_completed_in_order_of_completion) {
    CONFORMS("K-060");
    program_expect(order_main);
    ck_expect_record("b c c@20 a a@30 end end");
}
END_TEST

static int timeout_main(void *arg) {
    (void)arg;
    uva_future_t *f[] = {spawn_worker("a", 30, 0), spawn_worker("b", 10, 0),
                         spawn_worker("c", 40, 0), uva_future_new()};
    uva_as_completed_t it;
    open_ok(&it, f, 4, 20);
    steps(&it, 3);
    ck_assert_int_eq(uva_sleep(100), 0); /* they run on, and come no more */
    steps(&it, 3);
    uva_as_completed_close(&it);
    ck_assert_int_eq(uva_status(f[0]), 0);
    ck_assert_int_eq(uva_status(f[3]), UV_EAGAIN);
    unref_all(f, 4);
    return 0;
}

START_TEST(as_completed_until_a_limit) {
    CONFORMS("K-061");
    program_expect(timeout_main);
    ck_expect_record("b b@10 -110@20 -110@20 a c -110@120 end end");
}
END_TEST

/* What was over before the limit comes first, however late it is asked. */
static int late_asker_main(void *arg) {
    (void)arg;
    uva_future_t *f[] = {spawn_worker("a", 5, 0), spawn_worker("b", 50, 0),
                         spawn_worker("c", 4, 0)};
    uva_as_completed_t it;
    open_ok(&it, f, 3, 20);
    ck_assert_int_eq(uva_sleep(30), 0);
    steps(&it, 4);
    uva_as_completed_close(&it);
    uva_as_completed_close(&it);
    step(&it);
    unref_all(f, 3);
    return uva_sleep(40);
}

START_TEST(as_completed_asked_after_the_limit) {
    CONFORMS("K-061");
    program_expect(late_asker_main);
    ck_expect_record("c a c@30 a@30 -110@30 end end b");
}
END_TEST

static int no_time_main(void *arg) {
    (void)arg;
    uva_future_t *f[] = {uva_future_new(), spawn_worker("a", 1, 0),
                         uva_future_new()};
    ck_assert_int_eq(uva_set_name(f[2], "done"), 0);
    ck_assert_int_eq(uva_future_resolve(f[2], NULL), 0);
    uva_as_completed_t it;
    open_ok(&it, f, 3, 0);
    ck_assert_uint_eq(it.deadline.order, 0);
    steps(&it, 4);
    uva_as_completed_close(&it);
    unref_all(f, 3);
    return uva_sleep(2);
}

START_TEST(as_completed_of_no_time) {
    program_expect(no_time_main);
    ck_expect_record("done@0 -110@0 -110@0 end a");
}
END_TEST

static int pause_main(void *arg) {
    (void)arg;
    uva_future_t *f[] = {spawn_worker("a", 30, 0), spawn_worker("b", 10, 0),
                         spawn_worker("c", 20, 0), spawn_worker("d", 40, 0)};
    uva_as_completed_t it;
    open_ok(&it, f, 4, UVA_FOREVER);
    steps(&it, 2);
    ck_assert_int_eq(uva_sleep(15), 0);
    steps(&it, 3);
    uva_as_completed_close(&it);
    unref_all(f, 4);
    return 0;
}

START_TEST(as_completed_taken_up_again) {
    CONFORMS("K-062");
    program_expect(pause_main);
    ck_expect_record("b b@10 c c@20 a a@35 d d@40 end");
}
END_TEST

/* Left early: nothing is cancelled, and who watched is gone. */
static int early_main(void *arg) {
    (void)arg;
    uva_future_t *f[] = {spawn_worker("a", 10, 0), spawn_worker("b", 20, 0)};
    uva_as_completed_t it;
    open_ok(&it, f, 2, 15);
    step(&it);
    uva_as_completed_close(&it);
    memset(&it, 0x5a, sizeof it);
    ck_assert_int_eq(uva_sleep(50), 0);
    ck_assert_int_eq(uva_status(f[1]), 0);
    unref_all(f, 2);
    return 0;
}

START_TEST(as_completed_left_early) {
    CONFORMS("K-062");
    program_expect(early_main);
    ck_expect_record("a a@10 b");
}
END_TEST

static int same_main(void *arg) {
    (void)arg;
    uva_future_t *a = spawn_worker("a", 10, 0);
    uva_future_t *done = uva_future_new();
    ck_assert_int_eq(uva_set_name(done, "done"), 0);
    ck_assert_int_eq(uva_future_fail(done, -3, "no"), 0);
    uva_future_t *f[] = {
        a, NULL, a, done, NULL, done, worker_coroutine("co", 5, 0)};
    ck_assert_int_eq(uva_set_name(f[6], "coroutine"), 0);
    uva_as_completed_t it;
    open_ok(&it, f, 7, UVA_FOREVER);
    uva_future_t *none = a;
    ck_assert_int_eq(uva_as_completed_next(&it, &none), 1);
    ck_assert_ptr_null(none); /* R4: it failed */
    ck_assert_int_eq(uva_status(none), UV_ENOMEM);
    steps(&it, 4);
    step(&it);
    uva_as_completed_close(&it);
    (void)uva_status(done);
    uva_unref(a);
    uva_unref(done);
    uva_unref(f[6]);
    open_ok(&it, f, 0, 10);
    step(&it);
    open_ok(&it, NULL, 0, 10);
    step(&it);
    uva_as_completed_close(&it);
    return 0;
}

/* K-063: each once, in the order of the array where it was over before. */
START_TEST(as_completed_of_the_same_and_of_nothing) {
    CONFORMS("K-063");
    program_expect(same_main);
    ck_expect_record("done@0 (none)@0 co coroutine@5 a a@10 end end end");
}
END_TEST

static int timer_main(void *arg) {
    (void)arg;
    uva_future_t *f[] = {spawn_worker("a", 10, 0)};
    uva_as_completed_t it;
    open_ok(&it, f, 1, 1000);
    ck_assert_uint_ne(it.deadline.order, 0);
    step(&it);
    ck_assert_uint_eq(it.deadline.order, 0);
    step(&it);
    uva_as_completed_close(&it);
    unref_all(f, 1);
    return 0;
}

static int all_done_main(void *arg) {
    (void)arg;
    uva_future_t *f[] = {spawn_worker("a", 10, 0)};
    ck_assert_int_eq(uva_sleep(20), 0);
    uva_as_completed_t it;
    open_ok(&it, f, 1, 1000);
    ck_assert_uint_eq(it.deadline.order, 0);
    step(&it);
    uva_as_completed_close(&it);
    unref_all(f, 1);
    return 0;
}

START_TEST(as_completed_needs_no_timer_any_more) {
    CONFORMS("K-064");
    program_expect(timer_main);
    program_expect(all_done_main);
    ck_expect_record("a a@10 end a a@20");
}
END_TEST

/* ---- cancellation and several askers ------------------------------------ */

static int asks(void *arg) {
    step(arg);
    step(arg);
    return 0;
}

/* Cut, the asker loses nothing: the item comes to who asks next. */
static int cancel_main(void *arg) {
    (void)arg;
    uva_future_t *f[] = {spawn_worker("a", 10, 0)};
    uva_as_completed_t it;
    open_ok(&it, f, 1, UVA_FOREVER);
    uva_task_t *asker = uva_spawn(asks, &it);
    ck_assert_int_eq(uva_sleep(5), 0);
    ck_assert_int_eq(uva_cancel_and_wait(asker), 0);
    step(&it);
    uva_as_completed_close(&it);
    unref_all(f, 1);
    return 0;
}

START_TEST(as_completed_cancelled) {
    program_expect(cancel_main);
    ck_expect_record("-125@5 -125@5 a a@10");
}
END_TEST

static uva_task_t *the_asker;

static int resolves_and_cancels(void *f) {
    ck_assert_int_eq(uva_future_resolve(f, NULL), 0);
    ck_assert(uva_cancel(the_asker));
    return 0;
}

/* Handed over, then cancelled, before it runs: it has the item. */
static int granted_main(void *arg) {
    (void)arg;
    uva_future_t *f[] = {uva_future_new(), uva_future_new()};
    ck_assert_int_eq(uva_set_name(f[1], "f"), 0);
    uva_as_completed_t it;
    open_ok(&it, f, 2, UVA_FOREVER);
    the_asker = uva_spawn(asks, &it);
    ck_assert_int_eq(uva_yield(), 0);
    ck_assert_int_eq(uva_await(uva_spawn(resolves_and_cancels, f[1]), NULL), 0);
    ck_assert_int_eq(uva_await(the_asker, NULL), 0);
    uva_as_completed_close(&it);
    unref_all(f, 2);
    return 0;
}

START_TEST(as_completed_granted_then_cancelled) {
    program_expect(granted_main);
    ck_expect_record("f@0 -125@0");
}
END_TEST

/* Two askers, served in order; who is left over gets the end, or its share of
 * what came too late. */
static int askers_main(void *arg) {
    (void)arg;
    uva_future_t *f[] = {spawn_worker("a", 10, 0), spawn_worker("b", 10, 0),
                         spawn_worker("c", 90, 0)};
    uva_as_completed_t it;
    open_ok(&it, f, 3, 50);
    uva_future_t *askers[] = {uva_spawn(asks, &it), uva_spawn(asks, &it)};
    ck_assert_int_eq(uva_gather(askers, 2, NULL), 0);
    uva_as_completed_close(&it);
    ck_assert_uint_eq(uva_now_ms(), 50);
    unref_all(f, 3);
    return uva_sleep(50);
}

START_TEST(as_completed_with_two_askers) {
    program_expect(askers_main);
    ck_expect_record("a b a@10 b@10 -110@50 end c");
}
END_TEST

static int closes(void *it) {
    uva_as_completed_close(it);
    return 0;
}

static int closed_main(void *arg) {
    (void)arg;
    uva_future_t *f[] = {uva_future_new()};
    uva_as_completed_t it;
    open_ok(&it, f, 1, UVA_FOREVER);
    uva_detach(uva_spawn(closes, &it));
    step(&it);
    step(&it);
    unref_all(f, 1);
    return 0;
}

START_TEST(as_completed_closed_under_an_asker) {
    program_expect(closed_main);
    ck_expect_record("end end");
}
END_TEST

/* ---- memory and misuse -------------------------------------------------- */

enum { MANY = 1000 };

/* Up to twelve need no allocation, more of them one. */
static int memory_main(void *arg) {
    (void)arg;
    static uva_future_t *f[MANY];
    for (int i = 0; i < MANY; i++)
        f[i] = uva_future_new();
    uva_as_completed_t it;
    open_ok(&it, f, 12, 10);
    uva_as_completed_close(&it);
    unsigned long before = faults_allocations();
    open_ok(&it, f, 12, 10);
    uva_as_completed_close(&it);
#if !defined(__SANITIZE_ADDRESS__)
    ck_assert_uint_eq(faults_allocations(), before);
#endif
    before = faults_allocations();
    open_ok(&it, f, MANY, 10);
    for (int i = MANY - 1; i >= 0; i--)
        ck_assert_int_eq(uva_future_resolve(f[i], NULL), 0);
    for (int i = MANY - 1; i >= 0; i--) {
        uva_future_t *next = NULL;
        ck_assert_int_eq(uva_as_completed_next(&it, &next), 1);
        ck_assert_ptr_eq(next, f[i]);
    }
    step(&it);
    ck_assert_uint_eq(faults_allocations(), before + 1);
    uva_as_completed_close(&it);
    faults_fail(FAULT_MALLOC, 1);
    ck_assert_int_eq(uva_as_completed_open(&it, f, MANY, 10), UV_ENOMEM);
    ck_assert_uint_eq(faults_clear(), 1);
    step(&it);
    uva_as_completed_close(&it);
    unref_all(f, MANY);
    return 0;
}

START_TEST(as_completed_memory) {
    program_expect(memory_main);
    ck_expect_record("end end");
}
END_TEST

static int misuse_main(void *arg) {
    (void)arg;
    uva_as_completed_t it;
    uva_future_t *f[] = {NULL};
    ck_assert_int_eq(uva_as_completed_open(&it, NULL, 1, 10), UV_EINVAL);
    ck_assert_int_eq(uva_as_completed_next(&it, f), 0);
    ck_assert_int_eq(uva_as_completed_next(NULL, f), UV_EINVAL);
    ck_assert_int_eq(uva_as_completed_next(&it, NULL), UV_EINVAL);
    f[0] = uva_current();
    ck_assert_int_eq(uva_as_completed_open(&it, f, 1, 10), UV_EPERM);
    return 0;
}

START_TEST(as_completed_misuse) {
    ck_assert_int_eq(program_run(misuse_main, NULL), 0);
    ck_assert_uint_eq(support_report_count(), 1);
    ck_assert(support_reports_contain("uva_as_completed_open: "));
    uva_as_completed_t it;
    uva_future_t *f[] = {NULL};
    ck_assert_int_eq(uva_as_completed_open(&it, f, 1, 10), UV_EPERM);
    ck_assert_int_eq(uva_as_completed_next(&it, f), UV_EPERM);
    uva_as_completed_close(&it);
}
END_TEST

static int intruder_main(void *arg) {
    uva_future_t *f = NULL;
    ck_assert_int_eq(uva_as_completed_next(arg, &f), UV_EPERM);
    uva_as_completed_close(arg);
    ck_assert_ptr_null(f);
    return 0;
}

static void run_intruder(void *it) {
    ck_assert_int_eq(program_run(intruder_main, it), 0);
}

static int shared_main(void *arg) {
    (void)arg;
    uva_as_completed_t it;
    uva_future_t *f[] = {spawn_worker("w", 5, 0)};
    uva_future_t *got = NULL;
    ck_assert_int_eq(uva_as_completed_open(&it, f, 1, UVA_FOREVER), 0);
    support_in_thread(run_intruder, &it);
    ck_assert_int_eq(uva_as_completed_next(&it, &got), 1);
    ck_assert_ptr_eq(got, f[0]);
    uva_as_completed_close(&it);
    return uva_await(got, NULL);
}

START_TEST(as_completed_of_another_runtime) {
    ck_assert_int_eq(program_run(shared_main, NULL), 0);
    ck_assert_uint_eq(support_report_count(), 2);
    ck_assert(support_reports_contain("uva_as_completed_next: "));
    ck_assert(support_reports_contain("uva_as_completed_close: "));
    ck_expect_record("w");
}
END_TEST

SUITE("as_completed", as_completed_in_order_of_completion,
      as_completed_until_a_limit, as_completed_asked_after_the_limit,
      as_completed_of_no_time, as_completed_taken_up_again,
      as_completed_left_early, as_completed_of_the_same_and_of_nothing,
      as_completed_needs_no_timer_any_more, as_completed_cancelled,
      as_completed_granted_then_cancelled, as_completed_with_two_askers,
      as_completed_closed_under_an_asker, as_completed_memory,
      as_completed_misuse, as_completed_of_another_runtime)
