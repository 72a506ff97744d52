/* labels: valgrind; timeout: 60 */
/* Barriers: who goes on when, with which place, and what breaks a round. */
#include "sync_fixture.h"

#include <limits.h>

static uva_barrier_t barrier;

static size_t waiting(void) {
    uva_barrier_statistics_t seen;
    uva_barrier_statistics(&barrier, &seen);
    size_t count = 0;
    for (const uva_link_t *at = barrier.waiters.list.first; at != NULL;
         at = at->next)
        count++;
    ck_assert_uint_eq(seen.waiting, count);
    return count;
}

static int arrive(void *arg) {
    int place = uva_barrier_wait(&barrier);
    record("%s:%d", (const char *)arg, place);
    return place;
}

static uva_task_t *spawn_arriving(const char *name) {
    uva_task_t *task =
        uva_spawn_with(&(uva_task_options_t){.name = name, .eager = true},
                       arrive, (void *)(uintptr_t)name);
    ck_assert_ptr_nonnull(task);
    return task;
}

/* ---- rounds ------------------------------------------------------------- */

static int round_main(void *arg) {
    (void)arg;
    barrier = (uva_barrier_t)UVA_BARRIER_INIT(3);
    for (int round = 0; round < 2; round++) {
        uva_future_t *f[3];
        f[0] = spawn_arriving("a");
        ck_assert_uint_eq(waiting(), 1);
        f[1] = spawn_arriving("b");
        ck_assert_uint_eq(waiting(), 2);
        ck_assert_int_eq(uva_sleep(10), 0);
        record("-");
        f[2] = spawn_arriving("c");
        ck_assert_uint_eq(waiting(), 0);
        ck_assert_int_eq(uva_gather(f, 3, NULL), 0);
    }
    return 0;
}

START_TEST(barrier_lets_all_go_when_all_have_come) {
    CONFORMS("K-138", "K-139");
    program_expect(round_main);
    ck_expect_record("- c:2 a:0 b:1 - c:2 a:0 b:1");
}
END_TEST

/* | a, b | c         | d, e             |
 * | wait |           |                  |
 * |      | completes |                  |
 * |      |           | wait: a new round |
 * | go   |           |                  |
 */
static int draining_main(void *arg) {
    (void)arg;
    uva_barrier_init(&barrier, 3);
    uva_future_t *f[6];
    static const char *const names[] = {"a", "b", "c", "d", "e"};
    for (size_t i = 0; i < 5; i++)
        f[i] = spawn_arriving(names[i]);
    ck_assert_uint_eq(waiting(), 2);
    ck_assert_int_eq(uva_sleep(10), 0);
    record("-");
    f[5] = spawn_arriving("f");
    ck_assert_int_eq(uva_gather(f, 6, NULL), 0);
    ck_assert_uint_eq(waiting(), 0);
    return 0;
}

START_TEST(barrier_is_ready_for_the_next_round_at_once) {
    CONFORMS("K-138");
    program_expect(draining_main);
    ck_expect_record("c:2 a:0 b:1 - f:2 d:0 e:1");
}
END_TEST

static int alone_main(void *arg) {
    (void)arg;
    uva_barrier_init(&barrier, 1);
    uva_task_t *other = uva_spawn(arrive, "other");
    for (int i = 0; i < 50; i++)
        ck_assert_int_eq(uva_barrier_wait(&barrier), 0);
    record("main");
    ck_assert_int_eq(uva_await(other, NULL), 0);
    uva_barrier_init(&barrier, 0);
    ck_assert_int_eq(uva_barrier_wait(&barrier), UV_EINVAL);
    uva_barrier_init(&barrier, (size_t)INT_MAX + 1);
    ck_assert_int_eq(uva_barrier_wait(&barrier), UV_EINVAL);
    ck_assert_uint_eq(waiting(), 0);
    return 0;
}

START_TEST(barrier_of_one_does_not_block) {
    CONFORMS("K-139");
    program_expect(alone_main);
    ck_expect_record("main other:0");
}
END_TEST

static int busy(void *arg) {
    (void)arg;
    for (int i = 0; i < 1000; i++)
        ck_assert_int_eq(uva_barrier_wait(&barrier), 0);
    record("busy");
    return 0;
}

static int budget_main(void *arg) {
    (void)arg;
    uva_barrier_init(&barrier, 1);
    uva_future_t *f[] = {uva_spawn(busy, NULL), uva_spawn(arrive, "other")};
    return uva_gather(f, 2, NULL);
}

START_TEST(barrier_of_one_starves_nobody) {
    program_expect(budget_main);
    ck_expect_record("other:0 busy");
}
END_TEST

/* Breaks the barrier while the budget makes the other yield. */
static int abort_now(void *arg) {
    (void)arg;
    return uva_barrier_abort(&barrier);
}

static int arrive_on_end(void *arg) {
    (void)arg;
    int code;
    do
        code = uva_barrier_wait(&barrier);
    while (code == 0);
    record("%d", code);
    return 0;
}

static int spent_main(void *arg) {
    (void)arg;
    uva_barrier_init(&barrier, 1);
    uva_future_t *f[] = {uva_spawn(arrive_on_end, NULL),
                         uva_spawn(abort_now, NULL)};
    ck_assert_int_eq(uva_gather(f, 2, NULL), 0);
    uva_barrier_init(&barrier, 1);
    uva_scope_t scope;
    uva_scope_open(&scope, 0, 0);
    ck_assert_int_eq(arrive_on_end(NULL), 0);
    ck_assert_int_eq(uva_scope_close(&scope), UV_ETIMEDOUT);
    return 0;
}

START_TEST(barrier_looks_again_when_the_budget_is_spent) {
    program_expect(spent_main);
    ck_expect_record("-103 -125");
}
END_TEST

/* ---- cancelled ---------------------------------------------------------- */

/* | a    | b    | main     | c    | d         |
 * | wait | wait |          |      |           |
 * |      |      | cancel a |      |           |   b is the first now
 * |      |      |          | wait |           |
 * |      |      |          |      | completes |
 */
static int cancel_main(void *arg) {
    (void)arg;
    uva_barrier_init(&barrier, 3);
    uva_task_t *a = spawn_arriving("a");
    uva_future_t *f[3] = {spawn_arriving("b")};
    ck_assert_uint_eq(waiting(), 2);
    ck_assert(uva_cancel(a));
    ck_assert_uint_eq(waiting(), 1);
    ck_assert_int_eq(uva_await(a, NULL), UV_ECANCELED);
    uva_barrier_statistics_t seen;
    uva_barrier_statistics(&barrier, &seen);
    ck_assert(!seen.broken);
    f[1] = spawn_arriving("c");
    ck_assert_uint_eq(waiting(), 2);
    f[2] = spawn_arriving("d");
    return uva_gather(f, 3, NULL);
}

START_TEST(barrier_is_not_broken_by_a_cancelled_waiter) {
    CONFORMS("K-140");
    program_expect(cancel_main);
    ck_expect_record("a:-125 d:2 b:0 c:1");
}
END_TEST

/* Refused, it has not come. */
static int refused_main(void *arg) {
    (void)arg;
    uva_barrier_init(&barrier, 2);
    uva_scope_t scope;
    uva_scope_open(&scope, 0, 0);
    ck_assert_int_eq(uva_barrier_wait(&barrier), UV_ECANCELED);
    ck_assert_int_eq(uva_scope_close(&scope), UV_ETIMEDOUT);
    ck_assert_uint_eq(waiting(), 0);
    uva_task_t *a = spawn_arriving("a");
    /* The last does not park, so that nothing refuses it. */
    uva_scope_open(&scope, 0, 0);
    ck_assert_int_eq(uva_barrier_wait(&barrier), 1);
    ck_assert_int_eq(uva_scope_close(&scope), 0);
    return uva_await(a, NULL);
}

START_TEST(barrier_refuses_to_wait_when_cancelled) {
    program_expect(refused_main);
    ck_expect_record("a:0");
}
END_TEST

/* ---- windows ------------------------------------------------------------ */

static int arrive_then_sleep(void *arg) {
    (void)arrive(arg);
    record("sleep:%d", uva_sleep(1));
    return 0;
}

/* | in one tick         | the waiter's wait | then sleep   | main's place |
 * | completed, cancel   | 0                 | UV_ECANCELED | 1            |
 * | cancel, main, again | UV_ECANCELED      | UV_ECANCELED | 0            |
 */
static int window_main(void *arg) {
    (void)arg;
    for (int cancel_first = 0; cancel_first < 2; cancel_first++) {
        uva_barrier_init(&barrier, 2);
        uva_task_t *task = uva_spawn(arrive_then_sleep, "w");
        ck_assert_int_eq(uva_yield(), 0);
        if (cancel_first == 1)
            ck_assert(uva_cancel(task));
        uva_task_t *other = spawn_arriving("other");
        if (cancel_first == 0)
            ck_assert(uva_cancel(task));
        ck_assert_int_eq(uva_await(task, NULL), 0);
        ck_assert_uint_eq(waiting(), (size_t)cancel_first);
        if (cancel_first == 1)
            ck_assert_int_eq(uva_barrier_wait(&barrier), 1);
        ck_assert_int_eq(uva_await(other, NULL), cancel_first == 1 ? 0 : 1);
    }
    return 0;
}

START_TEST(barrier_when_completion_and_cancel_meet) {
    program_expect(window_main);
    ck_expect_record("other:1 w:0 sleep:-125 w:-125 sleep:-125 other:0");
}
END_TEST

/* | in one tick      | who was completed | who came for the next round |
 * | completed, reset | keeps the place   | -                           |
 * | completed, abort | keeps the place   | broken                      |
 */
static int completed_main(void *arg) {
    (void)arg;
    uva_barrier_init(&barrier, 2);
    uva_future_t *f[] = {spawn_arriving("a"), spawn_arriving("b")};
    ck_assert_int_eq(uva_barrier_reset(&barrier), 0);
    ck_assert_int_eq(uva_gather(f, 2, NULL), 0);
    uva_future_t *g[] = {spawn_arriving("a"), spawn_arriving("b"),
                         spawn_arriving("c")};
    ck_assert_int_eq(uva_barrier_abort(&barrier), 0);
    ck_assert_int_eq(uva_gather_settled(g, 3, NULL, NULL), 0);
    return 0;
}

START_TEST(barrier_when_completion_and_reset_meet) {
    program_expect(completed_main);
    ck_expect_record("b:1 a:0 b:1 a:0 c:-103");
}
END_TEST

/* | in one tick   | wait            |
 * | reset, cancel | UV_ECONNABORTED |
 * | cancel, reset | UV_ECANCELED    |
 */
static int reset_cancel_main(void *arg) {
    (void)arg;
    uva_barrier_init(&barrier, 2);
    for (int cancel_first = 0; cancel_first < 2; cancel_first++) {
        uva_task_t *task = uva_spawn(arrive_then_sleep, "w");
        ck_assert_int_eq(uva_yield(), 0);
        if (cancel_first == 1)
            ck_assert(uva_cancel(task));
        ck_assert_int_eq(uva_barrier_reset(&barrier), 0);
        if (cancel_first == 0)
            ck_assert(uva_cancel(task));
        ck_assert_uint_eq(waiting(), 0);
        ck_assert_int_eq(uva_await(task, NULL), 0);
    }
    return 0;
}

START_TEST(barrier_when_reset_and_cancel_meet) {
    program_expect(reset_cancel_main);
    ck_expect_record("w:-103 sleep:-125 w:-125 sleep:-125");
}
END_TEST

static int arrive_in_scope(void *arg) {
    uva_scope_t scope;
    uva_scope_open(&scope, 10, 0);
    int code = uva_barrier_wait(&barrier);
    record("%s:%d:%d", (const char *)arg, code, uva_scope_close(&scope));
    return 0;
}

static int arrive_at_10(void *arg) {
    ck_assert_int_eq(uva_sleep(10), 0);
    return arrive_in_scope(arg);
}

/* The limit and the last arrival at the same moment: deadlines expire before
 * any task runs, so the limit comes first and the last is the first of the next
 * round. */
static int limit_main(void *arg) {
    (void)arg;
    uva_barrier_init(&barrier, 2);
    uva_future_t *f[] = {uva_spawn(arrive_in_scope, "limit"),
                         uva_spawn(arrive_at_10, "late")};
    ck_assert_int_eq(uva_gather(f, 2, NULL), 0);
    ck_assert_uint_eq(waiting(), 0);
    return 0;
}

START_TEST(barrier_when_completion_and_limit_meet) {
    program_expect(limit_main);
    ck_expect_record("limit:-125:-110 late:-125:-110");
}
END_TEST

/* ---- broken ------------------------------------------------------------- */

static int reset_main(void *arg) {
    (void)arg;
    uva_barrier_init(&barrier, 3);
    ck_assert_int_eq(uva_barrier_reset(&barrier), 0);
    uva_future_t *f[3] = {spawn_arriving("a"), spawn_arriving("b")};
    ck_assert_int_eq(uva_barrier_reset(&barrier), 0);
    ck_assert_uint_eq(waiting(), 0);
    ck_assert_int_eq(uva_await(f[0], NULL), UV_ECONNABORTED);
    ck_assert_int_eq(uva_await(f[1], NULL), UV_ECONNABORTED);
    f[0] = spawn_arriving("a");
    f[1] = spawn_arriving("b");
    f[2] = spawn_arriving("c");
    return uva_gather(f, 3, NULL);
}

START_TEST(barrier_reset_begins_a_new_round) {
    CONFORMS("K-141");
    program_expect(reset_main);
    ck_expect_record("a:-103 b:-103 c:2 a:0 b:1");
}
END_TEST

static int abort_main(void *arg) {
    (void)arg;
    uva_barrier_init(&barrier, 3);
    uva_future_t *f[3] = {spawn_arriving("a"), spawn_arriving("b")};
    ck_assert_int_eq(uva_barrier_abort(&barrier), 0);
    ck_assert_uint_eq(waiting(), 0);
    ck_assert_int_eq(uva_await(f[0], NULL), UV_ECONNABORTED);
    ck_assert_int_eq(uva_await(f[1], NULL), UV_ECONNABORTED);
    for (int i = 0; i < 3; i++)
        ck_assert_int_eq(uva_barrier_wait(&barrier), UV_ECONNABORTED);
    uva_barrier_statistics_t seen;
    uva_barrier_statistics(&barrier, &seen);
    ck_assert(seen.broken);
    ck_assert_int_eq(uva_barrier_abort(&barrier), 0);
    ck_assert_int_eq(uva_barrier_reset(&barrier), 0);
    f[0] = spawn_arriving("a");
    f[1] = spawn_arriving("b");
    f[2] = spawn_arriving("c");
    return uva_gather(f, 3, NULL);
}

START_TEST(barrier_aborted_is_broken_until_reset) {
    CONFORMS("K-142");
    program_expect(abort_main);
    ck_expect_record("a:-103 b:-103 c:2 a:0 b:1");
}
END_TEST

static int arrive_twice(void *arg) {
    ck_assert_int_eq(arrive(arg), UV_ECONNABORTED);
    return arrive(arg);
}

static int again_main(void *arg) {
    (void)arg;
    uva_barrier_init(&barrier, 3);
    uva_future_t *f[3] = {uva_spawn(arrive_twice, "a"),
                          uva_spawn(arrive_twice, "b")};
    ck_assert_int_eq(uva_yield(), 0);
    ck_assert_int_eq(uva_barrier_reset(&barrier), 0);
    ck_assert_int_eq(uva_yield(), 0);
    ck_assert_uint_eq(waiting(), 2);
    f[2] = spawn_arriving("c");
    return uva_gather(f, 3, NULL);
}

START_TEST(barrier_reset_and_waited_for_again) {
    CONFORMS("K-143");
    program_expect(again_main);
    ck_expect_record("a:-103 b:-103 c:2 a:0 b:1");
}
END_TEST

/* ---- accounting --------------------------------------------------------- */

enum { PARTIES = 5 };

static size_t places[PARTIES]; /* how often each was given */
static size_t broken;
static size_t cut;

/* Every round that is completed gives each place once. */
static int storm_body(void *arg) {
    (void)arg;
    for (int i = storm_rounds(6000); i > 0; i--) {
        uva_scope_t scope;
        uva_scope_open(&scope, draw(6), 0);
        int code = uva_barrier_wait(&barrier);
        if (code >= 0) {
            must(code < PARTIES);
            places[code]++;
        } else if (code == UV_ECONNABORTED) {
            broken++;
        } else {
            must(code == UV_ECANCELED);
            cut++;
        }
        (void)uva_scope_close(&scope);
        unsigned what = draw(100);
        if (what == 0)
            must(uva_barrier_abort(&barrier) == 0);
        else if (what < 5)
            must(uva_barrier_reset(&barrier) == 0);
        storm_on();
    }
    return 0;
}

START_TEST(barrier_gives_each_place_once_in_a_storm) {
    for (unsigned seed = 0; seed < STORM_SEEDS; seed++) {
        uva_barrier_init(&barrier, PARTIES);
        memset(places, 0, sizeof places);
        broken = cut = 0;
        storm(storm_body, seed);
        for (size_t i = 1; i < PARTIES; i++)
            ck_assert_uint_eq(places[i], places[0]);
        ck_assert_uint_gt(places[0], 100);
        ck_assert_uint_gt(broken, 100);
        ck_assert_uint_gt(cut, 100);
        ck_assert_uint_eq(waiting(), 0);
    }
}
END_TEST

/* ---- use and misuse ----------------------------------------------------- */

START_TEST(barrier_outside_a_task) {
    uva_barrier_init(&barrier, 1);
    ck_assert_int_eq(uva_barrier_wait(&barrier), UV_EPERM);
    ck_assert_int_eq(uva_barrier_abort(&barrier), 0);
    ck_assert_int_eq(uva_barrier_reset(&barrier), 0);
}
END_TEST

static void reset_from_the_loop(void *arg) {
    (void)arg;
    ck_assert_ptr_null(uva_current());
    ck_assert_int_eq(uva_barrier_reset(&barrier), 0);
}

static int callback_main(void *arg) {
    (void)arg;
    uva_barrier_init(&barrier, 2);
    ck_assert_int_eq(uva_post(uva_runtime_current(), reset_from_the_loop, NULL),
                     0);
    ck_assert_int_eq(uva_barrier_wait(&barrier), UV_ECONNABORTED);
    return 0;
}

START_TEST(barrier_reset_by_a_callback_of_the_loop) {
    program_expect(callback_main);
}
END_TEST

static int arrive_elsewhere_main(void *arg) {
    (void)arg;
    return uva_barrier_wait(&barrier);
}

static void use_in_thread(void *arg) {
    (void)arg;
    ck_assert_int_eq(uva_barrier_abort(&barrier), UV_EPERM);
    ck_assert_int_eq(uva_barrier_reset(&barrier), UV_EPERM);
    ck_assert_int_eq(program_run(arrive_elsewhere_main, NULL), UV_EPERM);
}

static int thread_main(void *arg) {
    (void)arg;
    uva_barrier_init(&barrier, 2);
    uva_task_t *a = spawn_arriving("a");
    support_in_thread(use_in_thread, NULL);
    ck_assert_uint_eq(waiting(), 1);
    ck_assert_int_eq(uva_barrier_wait(&barrier), 1);
    return uva_await(a, NULL);
}

START_TEST(barrier_used_by_another_thread) {
    ck_assert_int_eq(program_run(thread_main, NULL), 0);
    ck_expect_record("a:0");
    ck_assert_uint_eq(support_report_count(), 1);
    ck_assert(support_reports_contain("uva_barrier_wait: the task belongs to "
                                      "another runtime"));
}
END_TEST

static int look_main(void *arg) {
    (void)arg;
    uva_barrier_init(&barrier, 3);
    uva_barrier_set_name(&barrier, "start");
    uva_future_t *f[3] = {spawn_arriving("a"), spawn_arriving("b")};
    uva_barrier_statistics_t seen;
    uva_barrier_statistics(&barrier, &seen);
    ck_assert_str_eq(seen.name, "start");
    ck_assert_uint_eq(seen.parties, 3);
    ck_assert_uint_eq(seen.waiting, 2);
    ck_assert(!seen.broken);
    char *text = program_dump();
    ck_assert_ptr_nonnull(strstr(text, "parked in barrier 'start'  ("));
    ck_assert_ptr_nonnull(strstr(text, "barrier 'start' (1 waiter ahead)  ("));
    free(text);
    f[2] = spawn_arriving("c");
    return uva_gather(f, 3, NULL);
}

START_TEST(barrier_tells_how_it_stands) {
    program_expect(look_main);
    ck_expect_record("c:2 a:0 b:1");
}
END_TEST

SUITE("barrier", barrier_lets_all_go_when_all_have_come,
      barrier_is_ready_for_the_next_round_at_once,
      barrier_of_one_does_not_block, barrier_of_one_starves_nobody,
      barrier_looks_again_when_the_budget_is_spent,
      barrier_is_not_broken_by_a_cancelled_waiter,
      barrier_refuses_to_wait_when_cancelled,
      barrier_when_completion_and_cancel_meet,
      barrier_when_completion_and_reset_meet,
      barrier_when_reset_and_cancel_meet,
      barrier_when_completion_and_limit_meet, barrier_reset_begins_a_new_round,
      barrier_aborted_is_broken_until_reset, barrier_reset_and_waited_for_again,
      barrier_gives_each_place_once_in_a_storm, barrier_outside_a_task,
      barrier_reset_by_a_callback_of_the_loop, barrier_used_by_another_thread,
      barrier_tells_how_it_stands)
