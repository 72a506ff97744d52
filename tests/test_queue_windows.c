/* labels: valgrind */
/* Queues: what happens between a wake and the run of who was woken, two
 * requests that meet, the end with tasks inside, the budget. */
#include "queue_fixture.h"

/* ---- an item that was handed over --------------------------------------- */

/* | in one tick | get          | then sleep   | items left |
 * | put, cancel | 0            | UV_ECANCELED |            |
 * | cancel, put | UV_ECANCELED | UV_ECANCELED | the item   |
 */
static int put_cancel_main(void *arg) {
    (void)arg;
    for (int cancel_first = 0; cancel_first < 2; cancel_first++) {
        make(FIFO, 1);
        uva_task_t *getter = parked(get_and_sleep, "g");
        if (cancel_first == 1)
            ck_assert(uva_cancel(getter));
        ck_assert_int_eq(uva_queue_put(&queue, "a"), 0);
        if (cancel_first == 0)
            ck_assert(uva_cancel(getter));
        ck_assert_int_eq(uva_await(getter, NULL),
                         cancel_first == 1 ? UV_ECANCELED : 0);
        expect_left(cancel_first == 1 ? "a" : "", 0, 0);
        uva_queue_free(&queue);
    }
    return 0;
}

START_TEST(queue_when_put_and_cancel_meet) {
    CONFORMS("K-148");
    program_expect(put_cancel_main);
    ck_expect_record("g=a sleep:-125 g:-125 sleep:-125");
}
END_TEST

/* | main         | g           | h           |
 * |              | get         | get         |
 * | put a        | handed a    |             |
 * | cancel g     |             |             |
 * | put b        |             | handed b    |
 * | cancel h     |             |             |
 * | put c: stays |             |             |
 */
static int handed_main(void *arg) {
    (void)arg;
    make(FIFO, 1);
    uva_future_t *f[] = {parked(get, "g"), parked(get, "h")};
    ck_assert_int_eq(uva_queue_put(&queue, "a"), 0);
    ck_assert(uva_cancel(f[0]));
    ck_assert_int_eq(uva_queue_put(&queue, "b"), 0);
    ck_assert(uva_cancel(f[1]));
    ck_assert_int_eq(uva_queue_put(&queue, "c"), 0);
    ck_assert_int_eq(uva_gather(f, 2, NULL), 0);
    expect_left("c", 0, 0);
    uva_queue_free(&queue);
    return 0;
}

START_TEST(queue_when_two_are_handed_items_and_cancelled) {
    program_expect(handed_main);
    ck_expect_record("g=a h=b");
}
END_TEST

/* | main     | g   | h            |
 * |          | get | get          |
 * | cancel g | cut |              |
 * | put a    |     | handed a     |
 */
static int first_cut_main(void *arg) {
    (void)arg;
    make(FIFO, 1);
    uva_future_t *f[] = {parked(get, "g"), parked(get, "h")};
    ck_assert(uva_cancel(f[0]));
    ck_assert_int_eq(uva_queue_put(&queue, "a"), 0);
    ck_assert_int_eq(uva_gather_settled(f, 2, NULL, NULL), 0);
    expect_left("", 0, 0);
    uva_queue_free(&queue);
    return 0;
}

START_TEST(queue_when_the_first_of_two_getters_is_cancelled) {
    program_expect(first_cut_main);
    ck_expect_record("g:-125 h=a");
}
END_TEST

/* | main         | g            | h            |
 * |              | get          |              |
 * | put a        | handed a     |              |
 * | try_get: no  |              |              |
 * |              |              | get: parks   |
 * | yield        | has a        |              |
 * | put b        |              | handed b     |
 */
static int barge_main(void *arg) {
    (void)arg;
    make(FIFO, 1);
    uva_task_t *g = parked(get, "g");
    ck_assert_int_eq(uva_queue_put(&queue, "a"), 0);
    const char *item;
    ck_assert_int_eq(uva_queue_try_get(&queue, &item), UV_EAGAIN);
    uva_task_t *h = parked(get, "h");
    ck_assert_int_eq(uva_await(g, NULL), 0);
    ck_assert(!uva_is_done(h));
    ck_assert_int_eq(uva_queue_put(&queue, "b"), 0);
    ck_assert_int_eq(uva_await(h, NULL), 0);
    uva_queue_free(&queue);
    return 0;
}

START_TEST(queue_lets_no_getter_barge_in) {
    program_expect(barge_main);
    ck_expect_record("g=a h=b");
}
END_TEST

/* ---- a place that was given --------------------------------------------- */

/* | in one tick | put          | then sleep   | items left |
 * | get, cancel | 0            | UV_ECANCELED | b          |
 * | cancel, get | UV_ECANCELED | UV_ECANCELED |            |
 */
static int get_cancel_main(void *arg) {
    (void)arg;
    for (int cancel_first = 0; cancel_first < 2; cancel_first++) {
        make(FIFO, 1);
        ck_assert_int_eq(uva_queue_put(&queue, "a"), 0);
        uva_task_t *putter = parked(put_and_sleep, "b");
        if (cancel_first == 1)
            ck_assert(uva_cancel(putter));
        ck_assert_int_eq(get("m"), 0);
        if (cancel_first == 0)
            ck_assert(uva_cancel(putter));
        ck_assert_int_eq(uva_await(putter, NULL),
                         cancel_first == 1 ? UV_ECANCELED : 0);
        expect_left(cancel_first == 1 ? "" : "b", 0, 0);
        uva_queue_free(&queue);
    }
    return 0;
}

START_TEST(queue_when_get_and_cancel_meet) {
    CONFORMS("K-148");
    program_expect(get_cancel_main);
    ck_expect_record("m=a b:0 sleep:-125 m=a b:-125 sleep:-125");
}
END_TEST

/* | main          | p        | q        |
 * | (queue full)  | put      | put      |
 * | cancel p      | cut      |          |
 * | get           |          | q is in  |
 * | try_put: full |          |          |
 */
static int first_putter_main(void *arg) {
    (void)arg;
    make(FIFO, 1);
    ck_assert_int_eq(uva_queue_put(&queue, "a"), 0);
    uva_future_t *f[] = {parked(put, "p"), parked(put, "q")};
    ck_assert(uva_cancel(f[0]));
    ck_assert_int_eq(get("m"), 0);
    ck_assert_int_eq(uva_queue_try_put(&queue, "r"), UV_EAGAIN);
    ck_assert_int_eq(uva_gather_settled(f, 2, NULL, NULL), 0);
    expect_left("q", 0, 0);
    uva_queue_free(&queue);
    return 0;
}

START_TEST(queue_when_the_first_of_two_putters_is_cancelled) {
    program_expect(first_putter_main);
    ck_expect_record("m=a p:-125 q:0");
}
END_TEST

/* A putter's item takes its rank when it gets in, not before: "a" is the
 * smallest of all, but waits. Then it comes before what was there. */
static int rank_main(void *arg) {
    (void)arg;
    make(PRIORITY, 2);
    ck_assert_int_eq(uva_queue_put(&queue, "d"), 0);
    ck_assert_int_eq(uva_queue_put(&queue, "c"), 0);
    uva_future_t *f[] = {parked(put, "b"), parked(put, "a")};
    for (int i = 0; i < 4; i++)
        ck_assert_int_eq(get("m"), 0);
    ck_assert_int_eq(uva_gather(f, 2, NULL), 0);
    uva_queue_free(&queue);
    return 0;
}

START_TEST(queue_ranks_what_is_in_it) {
    program_expect(rank_main);
    ck_expect_record("m=c m=b m=a m=d b:0 a:0");
}
END_TEST

/* ---- limits ------------------------------------------------------------- */

static int get_in_scope(void *arg) {
    uva_scope_t scope;
    uva_scope_open(&scope, 10, 0);
    int code = get(arg);
    record("%d", uva_scope_close(&scope));
    return code == UV_ECANCELED ? 0 : code;
}

static int put_at_10(void *arg) {
    ck_assert_int_eq(uva_sleep(10), 0);
    return put(arg);
}

/* The limit and a put at the same moment: deadlines expire in the order of
 * arming before any task runs, so the limit comes first either way, and the
 * item stays. */
static int limit_main(void *arg) {
    (void)arg;
    for (int i = 0; i < 2; i++) {
        make(FIFO, 1);
        uva_future_t *f[] = {
            i == 0 ? uva_spawn(get_in_scope, "g") : uva_spawn(put_at_10, "a"),
            i == 0 ? uva_spawn(put_at_10, "a") : uva_spawn(get_in_scope, "g")};
        ck_assert_int_eq(uva_gather(f, 2, NULL), 0);
        expect_left("a", 0, 0);
        uva_queue_free(&queue);
    }
    return 0;
}

START_TEST(queue_when_limit_and_put_meet) {
    program_expect(limit_main);
    ck_expect_record("g:-125 -110 a:0 a:0 g:-125 -110");
}
END_TEST

/* Handed over within the limit, run after it: the item stands, and the scope
 * was not cut short. */
static int late_run_main(void *arg) {
    (void)arg;
    make(FIFO, 1);
    uva_task_t *getter = parked(get_in_scope, "g");
    ck_assert_int_eq(uva_queue_put(&queue, "a"), 0);
    ck_assert_int_eq(uva_clock_advance(20), 0);
    ck_assert_int_eq(uva_await(getter, NULL), 0);
    uva_queue_free(&queue);
    return 0;
}

START_TEST(queue_when_the_limit_passes_after_the_put) {
    program_expect(late_run_main);
    ck_expect_record("g=a 0");
}
END_TEST

static int no_time_main(void *arg) {
    (void)arg;
    make(FIFO, 1);
    uva_scope_t scope;
    uva_scope_open(&scope, 0, 0);
    ck_assert_int_eq(get("g"), UV_ECANCELED);
    ck_assert_int_eq(uva_queue_put(&queue, "a"), 0);
    ck_assert_int_eq(put("b"), UV_ECANCELED);
    ck_assert_int_eq(join("j"), UV_ECANCELED);
    ck_assert_int_eq(uva_scope_close(&scope), UV_ETIMEDOUT);
    expect_left("a", 0, 0);
    uva_queue_free(&queue);
    return 0;
}

START_TEST(queue_without_time_to_wait) {
    program_expect(no_time_main);
    ck_expect_record("g:-125 b:-125 j:-125");
}
END_TEST

/* ---- shutdown and the rest ---------------------------------------------- */

/* | in one tick            | getter   | putter's item     |
 * | put, shutdown at once  | has it   | passed            |
 * | shutdown, put          | UV_EPIPE | refused           |
 * | shutdown, cancel       | UV_EPIPE |                   |
 * | cancel, shutdown       | cut      |                   |
 */
static int shut_get_main(void *arg) {
    (void)arg;
    for (int step = 0; step < 4; step++) {
        make(FIFO, 1);
        uva_task_t *getter = parked(get, "g");
        if (step == 0)
            ck_assert_int_eq(uva_queue_put(&queue, "a"), 0);
        if (step == 3)
            ck_assert(uva_cancel(getter));
        uva_queue_shutdown(&queue, true);
        if (step == 1)
            ck_assert_int_eq(uva_queue_put(&queue, "a"), UV_EPIPE);
        if (step == 2)
            ck_assert(uva_cancel(getter));
        (void)uva_await(getter, NULL);
        expect_left("", 0, 0);
        uva_queue_free(&queue);
    }
    return 0;
}

START_TEST(queue_when_shutdown_meets_a_getter) {
    CONFORMS("K-151");
    program_expect(shut_get_main);
    ck_expect_record("g=a g:-32 g:-32 g:-125");
}
END_TEST

/* | in one tick            | putter of b | items left |
 * | get, shutdown          | 0           | b          |
 * | get, shutdown at once  | 0           | (dropped)  |
 * | shutdown, get          | UV_EPIPE    |            |
 * | shutdown, cancel       | UV_EPIPE    | a          |
 */
static int shut_put_main(void *arg) {
    (void)arg;
    const char *const left[] = {"b", "", "", "a"};
    for (int step = 0; step < 4; step++) {
        make(FIFO, 1);
        ck_assert_int_eq(uva_queue_put(&queue, "a"), 0);
        uva_task_t *putter = parked(put, "b");
        if (step < 2)
            ck_assert_int_eq(get("m"), 0);
        uva_queue_shutdown(&queue, step == 1);
        if (step == 2)
            ck_assert_int_eq(get("m"), 0);
        if (step == 3)
            ck_assert(uva_cancel(putter));
        (void)uva_await(putter, NULL);
        expect_left(left[step], 0, 0);
        uva_queue_free(&queue);
    }
    return 0;
}

START_TEST(queue_when_shutdown_meets_a_putter) {
    CONFORMS("K-151");
    program_expect(shut_put_main);
    ck_expect_record("m=a b:0 m=a b:0 m=a b:-32 b:-32");
}
END_TEST

/* | main          | joiner             |
 * |               | join: one is left  |
 * | task_done     | may go             |
 * | put           |                    |
 * | cancel        | goes all the same  |
 */
static int done_put_main(void *arg) {
    (void)arg;
    make(FIFO, 0);
    ck_assert_int_eq(uva_queue_put(&queue, "a"), 0);
    uva_task_t *joiner = parked(join, "j");
    ck_assert_int_eq(uva_queue_task_done(&queue), 0);
    ck_assert_int_eq(uva_queue_put(&queue, "b"), 0);
    ck_assert(uva_cancel(joiner));
    ck_assert_int_eq(uva_await(joiner, NULL), 0);
    expect_left("a b", 0, 0);
    uva_queue_free(&queue);
    return 0;
}

START_TEST(queue_when_done_and_put_meet_a_joiner) {
    program_expect(done_put_main);
    ck_expect_record("j:0");
}
END_TEST

/* The queue and its memory are gone before anybody who was parked in it runs:
 * what they say afterwards they know from their own stacks. */
static int free_main(void *arg) {
    (void)arg;
    make(FIFO, 1);
    uva_future_t *f[] = {parked(get, "g"), NULL, NULL, NULL};
    ck_assert_int_eq(uva_queue_put(&queue, "a"), 0);
    ck_assert_int_eq(uva_queue_put(&queue, "b"), 0);
    f[1] = parked(put, "p");
    f[2] = parked(put, "q");
    f[3] = parked(join, "j");
    uva_queue_free(&queue);
    memset(&queue, 0xA5, sizeof queue);
    ck_assert_int_eq(uva_gather_settled(f, 4, NULL, NULL), 0);
    make(FIFO, 1);
    f[0] = parked(get, "g");
    uva_queue_free(&queue);
    memset(&queue, 0xA5, sizeof queue);
    return uva_await(f[0], NULL) == UV_EPIPE ? 0 : UV_EINVAL;
}

START_TEST(queue_freed_with_tasks_inside) {
    program_expect(free_main);
    ck_expect_record("g=a p:-32 q:-32 j:-32 g:-32");
}
END_TEST

START_TEST(queue_freed_is_empty_and_shut_down) {
    make(FIFO, 4);
    ck_assert_int_eq(uva_queue_try_put(&queue, "a"), 0);
    uva_queue_free(&queue);
    uva_queue_free(&queue);
    uva_queue_free(NULL);
    const char *item;
    ck_assert_int_eq(uva_queue_try_put(&queue, "a"), UV_EPIPE);
    ck_assert_int_eq(uva_queue_try_get(&queue, &item), UV_EPIPE);
    ck_assert_int_eq(uva_queue_task_done(&queue), UV_ERANGE);
    ck_assert_uint_eq(uva_queue_size(&queue), 0);
}
END_TEST

/* ---- the cooperative budget --------------------------------------------- */

static int busy(void *arg) {
    (void)arg;
    const char *item;
    for (int i = 0; i < 200; i++) {
        ck_assert_int_eq(uva_queue_put(&queue, "x"), 0);
        ck_assert_int_eq(uva_queue_get(&queue, &item), 0);
    }
    record("busy");
    return 0;
}

static int budget_main(void *arg) {
    (void)arg;
    make(FIFO, 4);
    uva_future_t *f[] = {uva_spawn(busy, NULL), spawn_worker("other", 0, 0)};
    ck_assert_int_eq(uva_gather(f, 2, NULL), 0);
    uva_queue_free(&queue);
    return 0;
}

START_TEST(queue_that_need_not_wait_starves_nobody) {
    program_expect(budget_main);
    ck_expect_record("other busy");
}
END_TEST

/* A task that goes on may make 127 calls before one yields: the next does. */
static void spend_all_but_one(void) {
    uva_semaphore_t free_one = UVA_SEMAPHORE_INIT(1000);
    for (int i = 0; i < 127; i++)
        ck_assert_int_eq(uva_semaphore_acquire(&free_one), 0);
}

static int put_when_spent(void *arg) {
    spend_all_but_one();
    return put(arg);
}

static int get_when_spent(void *arg) {
    spend_all_but_one();
    return get(arg);
}

/* | spent                    | main, meanwhile | so it                 |
 * | put: room, yields        | fills the queue | waits                 |
 * | put: room, yields        | shuts it down   | UV_EPIPE              |
 * | put: room, yields        | cancels it      | it was put            |
 * | get: an item, yields     | takes the item  | waits                 |
 */
static int spent_main(void *arg) {
    (void)arg;
    const char *item;
    make(FIFO, 1);
    uva_task_t *task = parked(put_when_spent, "a");
    ck_assert_int_eq(uva_queue_try_put(&queue, "m"), 0);
    ck_assert_int_eq(uva_yield(), 0);
    expect_left("m", 0, 1);
    ck_assert_int_eq(uva_await(task, NULL), 0);
    task = parked(get_when_spent, "g");
    ck_assert_int_eq(uva_queue_try_get(&queue, &item), 0);
    ck_assert_int_eq(uva_yield(), 0);
    ck_assert(!uva_is_done(task));
    ck_assert_int_eq(uva_queue_put(&queue, "b"), 0);
    ck_assert_int_eq(uva_await(task, NULL), 0);
    task = parked(put_when_spent, "c");
    ck_assert(uva_cancel(task));
    ck_assert_int_eq(uva_await(task, NULL), 0);
    expect_left("c", 0, 0);
    task = parked(put_when_spent, "d");
    uva_queue_shutdown(&queue, false);
    ck_assert_int_eq(uva_await(task, NULL), UV_EPIPE);
    uva_queue_free(&queue);
    return 0;
}

START_TEST(queue_looks_again_after_a_yield) {
    program_expect(spent_main);
    ck_expect_record("a:0 g=b c:0 d:-32");
}
END_TEST

static int cancelled_and_spent(void *arg) {
    (void)uva_cancel(uva_current());
    spend_all_but_one();
    ck_assert_int_eq(put(arg), UV_ECANCELED);
    ck_assert_int_eq(uva_queue_try_put(&queue, arg), 0);
    ck_assert_int_eq(get(arg), UV_ECANCELED);
    expect_left("a", 0, 0);
    return 0;
}

static int refused_main(void *arg) {
    (void)arg;
    make(FIFO, 0);
    ck_assert_int_eq(uva_await(uva_spawn(cancelled_and_spent, "a"), NULL), 0);
    uva_queue_free(&queue);
    return 0;
}

START_TEST(queue_that_must_yield_when_cancelled_does_nothing) {
    program_expect(refused_main);
    ck_expect_record("a:-125 a:-125");
}
END_TEST

SUITE("queue_windows", queue_when_put_and_cancel_meet,
      queue_when_two_are_handed_items_and_cancelled,
      queue_when_the_first_of_two_getters_is_cancelled,
      queue_lets_no_getter_barge_in, queue_when_get_and_cancel_meet,
      queue_when_the_first_of_two_putters_is_cancelled,
      queue_ranks_what_is_in_it, queue_when_limit_and_put_meet,
      queue_when_the_limit_passes_after_the_put, queue_without_time_to_wait,
      queue_when_shutdown_meets_a_getter, queue_when_shutdown_meets_a_putter,
      queue_when_done_and_put_meet_a_joiner, queue_freed_with_tasks_inside,
      queue_freed_is_empty_and_shut_down,
      queue_that_need_not_wait_starves_nobody, queue_looks_again_after_a_yield,
      queue_that_must_yield_when_cancelled_does_nothing)
