/* labels: valgrind; timeout: 20 */
/* Queues: their orders, their bounds, who is served, join, shutdown. */
#include "queue_fixture.h"

/* ---- order and bounds --------------------------------------------------- */

static int order_main(void *arg) {
    (void)arg;
    const char *const expected[] = {"b c a d", "d a c b", "a b c d"};
    for (kind_t kind = FIFO; kind < KINDS; kind++) {
        make(kind, 4);
        ck_assert(uva_queue_is_empty(&queue));
        ck_assert_uint_eq(uva_queue_capacity(&queue), 4);
        const char *const items[] = {"b", "c", "a", "d"};
        for (size_t i = 0; i < 4; i++) {
            ck_assert_uint_eq(uva_queue_size(&queue), i);
            ck_assert(!uva_queue_is_full(&queue));
            ck_assert_int_eq(uva_queue_put(&queue, (void *)items[i]), 0);
            ck_assert(!uva_queue_is_empty(&queue));
        }
        ck_assert_uint_eq(uva_queue_size(&queue), 4);
        ck_assert(uva_queue_is_full(&queue));
        expect_left(expected[kind], 0, 0);
        ck_assert(uva_queue_is_empty(&queue));
        uva_queue_free(&queue);
    }
    return 0;
}

START_TEST(queue_gives_items_in_its_order) {
    CONFORMS("K-144");
    program_expect(order_main);
}
END_TEST

static int by_first_letter(const void *a, const void *b) {
    return *(const char *)a - *(const char *)b;
}

/* Ranked by the first letter alone; what was taken and put meanwhile does not
 * disturb the order of the others. */
START_TEST(queue_keeps_the_order_of_equal_priorities) {
    ck_assert_int_eq(uva_queue_init_priority(&queue, 0, by_first_letter), 0);
    char items[100][16];
    for (int i = 0; i < 100; i++) {
        (void)snprintf(items[i], sizeof items[i], "%c%02d", 'a' + i % 3, i);
        ck_assert_int_eq(uva_queue_try_put(&queue, items[i]), 0);
    }
    for (int letter = 0; letter < 3; letter++) {
        for (int i = letter; i < 100; i += 3) {
            const char *item;
            ck_assert_int_eq(uva_queue_try_get(&queue, &item), 0);
            ck_assert_str_eq(item, items[i]);
        }
    }
    uva_queue_free(&queue);
}
END_TEST

static int bound_main(void *arg) {
    (void)arg;
    for (kind_t kind = FIFO; kind < KINDS; kind++) {
        const char *item;
        make(kind, 1);
        ck_assert_int_eq(uva_queue_try_get(&queue, &item), UV_EAGAIN);
        ck_assert_int_eq(uva_queue_try_put(&queue, "a"), 0);
        ck_assert_int_eq(uva_queue_try_put(&queue, "b"), UV_EAGAIN);
        uva_task_t *putter = parked(put, "b");
        ck_assert_int_eq(uva_sleep(5), 0);
        ck_assert(!uva_is_done(putter));
        ck_assert_int_eq(uva_queue_try_put(&queue, "c"), UV_EAGAIN);
        ck_assert_int_eq(uva_queue_get(&queue, &item), 0);
        ck_assert_str_eq(item, "a");
        ck_assert_int_eq(uva_await(putter, NULL), 0);
        expect_left("b", 0, 0);
        uva_task_t *getter = parked(get, "g");
        ck_assert_int_eq(uva_sleep(5), 0);
        ck_assert(!uva_is_done(getter));
        ck_assert_int_eq(uva_queue_put(&queue, "c"), 0);
        ck_assert_int_eq(uva_await(getter, NULL), 0);
        expect_left("", 0, 0);
        uva_queue_free(&queue);
        make(kind, 0);
        ck_assert_uint_eq(uva_queue_capacity(&queue), 0);
        for (int i = 0; i < 5000; i++)
            ck_assert_int_eq(uva_queue_try_put(&queue, "x"), 0);
        ck_assert(!uva_queue_is_full(&queue));
        ck_assert_uint_eq(uva_queue_size(&queue), 5000);
        uva_queue_free(&queue);
    }
    return 0;
}

START_TEST(queue_waits_at_its_bounds) {
    CONFORMS("K-145");
    program_expect(bound_main);
    ck_expect_record("b:0 g=c b:0 g=c b:0 g=c");
}
END_TEST

static int no_switch_main(void *arg) {
    (void)arg;
    make(FIFO, 8);
    uva_task_t *other = spawn_worker("other", 0, 0);
    for (int i = 0; i < 40; i++) {
        const char *item;
        ck_assert_int_eq(uva_queue_put(&queue, "x"), 0);
        ck_assert_int_eq(uva_queue_get(&queue, &item), 0);
    }
    ck_assert_int_eq(uva_queue_join(&queue), UV_ECANCELED);
    return uva_await(other, NULL);
}

/* A cancelled task may put and get as long as it need not wait. */
static int no_switch_task(void *arg) {
    (void)uva_cancel(uva_current());
    int code = no_switch_main(arg);
    record("%d", code);
    (void)uva_uncancel(uva_current());
    uva_queue_free(&queue);
    return 0;
}

START_TEST(queue_that_need_not_wait_does_not_switch) {
    CONFORMS("K-146");
    program_expect(no_switch_task);
    ck_expect_record("-125");
}
END_TEST

/* ---- who is served ------------------------------------------------------ */

static int turns_main(void *arg) {
    (void)arg;
    make(FIFO, 1);
    uva_future_t *f[] = {parked(get, "1"), parked(get, "2"), parked(get, "3")};
    for (size_t i = 0; i < 3; i++)
        ck_assert_int_eq(uva_queue_put(&queue, (char *[]){"a", "b", "c"}[i]),
                         0);
    ck_assert_uint_eq(uva_queue_size(&queue), 0);
    record("main");
    ck_assert_int_eq(uva_gather(f, 3, NULL), 0);
    ck_assert_int_eq(uva_queue_put(&queue, "d"), 0);
    uva_future_t *p[] = {parked(put, "e"), parked(put, "f"), parked(put, "g")};
    /* Each get lets the next putter in, before any of them runs. */
    for (size_t i = 0; i < 3; i++)
        ck_assert_int_eq(get("m"), 0);
    ck_assert_int_eq(uva_gather(p, 3, NULL), 0);
    expect_left("g", 0, 0);
    uva_queue_free(&queue);
    return 0;
}

START_TEST(queue_serves_in_the_order_of_waiting) {
    CONFORMS("K-147");
    program_expect(turns_main);
    ck_expect_record("main 1=a 2=b 3=c m=d m=e m=f e:0 f:0 g:0");
}
END_TEST

static size_t produced;
static size_t consumed;

static int produce(void *arg) {
    (void)arg;
    for (size_t i = 0; i < 1000; i++) {
        ck_assert_int_eq(uva_queue_put(&queue, &produced), 0);
        produced++;
    }
    return 0;
}

/* Waits for one, and takes what else is there at a stroke. */
static int consume(void *arg) {
    (void)arg;
    void *item;
    while (uva_queue_get(&queue, &item) == 0) {
        do
            consumed++;
        while (uva_queue_try_get(&queue, &item) == 0);
    }
    return 0;
}

static int one_place_main(void *arg) {
    (void)arg;
    for (kind_t kind = FIFO; kind < KINDS; kind++) {
        produced = consumed = 0;
        make(kind, 1);
        uva_future_t *c[] = {uva_spawn(consume, NULL),
                             uva_spawn(consume, NULL)};
        uva_future_t *p[] = {uva_spawn(produce, NULL), uva_spawn(produce, NULL),
                             uva_spawn(produce, NULL)};
        ck_assert_int_eq(uva_gather(p, 3, NULL), 0);
        uva_queue_shutdown(&queue, false);
        ck_assert_int_eq(uva_gather(c, 2, NULL), 0);
        ck_assert_uint_eq(produced, 3000);
        ck_assert_uint_eq(consumed, 3000);
        uva_queue_free(&queue);
    }
    return 0;
}

START_TEST(queue_of_one_does_not_lock_up) {
    CONFORMS("K-147");
    program_expect(one_place_main);
}
END_TEST

static int limited(uva_fn fn, void *arg, uint64_t limit_ms) {
    return uva_wait_for(uva_spawn(fn, arg), limit_ms, NULL);
}

static int leave_main(void *arg) {
    (void)arg;
    make(FIFO, 1);
    uva_task_t *gone = parked(get, "gone");
    uva_task_t *kept = parked(get, "kept");
    ck_assert_int_eq(uva_cancel_and_wait(gone), UV_ECANCELED);
    ck_assert_int_eq(limited(get, "late", 5), UV_ETIMEDOUT);
    ck_assert_int_eq(uva_queue_put(&queue, "a"), 0);
    ck_assert_int_eq(uva_queue_put(&queue, "b"), 0);
    ck_assert_int_eq(uva_await(kept, NULL), 0);
    gone = parked(put, "gone");
    kept = parked(put, "kept");
    ck_assert_int_eq(uva_cancel_and_wait(gone), UV_ECANCELED);
    ck_assert_int_eq(limited(put, "late", 5), UV_ETIMEDOUT);
    ck_assert_int_eq(get("m"), 0);
    ck_assert_int_eq(uva_await(kept, NULL), 0);
    expect_left("kept", 0, 0);
    uva_queue_free(&queue);
    return 0;
}

START_TEST(queue_forgets_who_left) {
    CONFORMS("K-148");
    program_expect(leave_main);
    ck_expect_record("gone:-125 late:-125 kept=a gone:-125 late:-125 m=b "
                     "kept:0");
}
END_TEST

/* ---- join --------------------------------------------------------------- */

/* Takes one and says that it is done. */
static int work_off(void *name) {
    int code = get(name);
    return code < 0 ? code : uva_queue_task_done(&queue);
}

static int join_main(void *arg) {
    (void)arg;
    for (kind_t kind = FIFO; kind < KINDS; kind++) {
        make(kind, 2);
        ck_assert_int_eq(join("at once"), 0);
        ck_assert_int_eq(uva_queue_task_done(&queue), UV_ERANGE);
        ck_assert_int_eq(uva_queue_put(&queue, "a"), 0);
        ck_assert_int_eq(uva_queue_put(&queue, "b"), 0);
        uva_future_t *f[] = {parked(put, "c"), parked(join, "j"),
                             parked(join, "k")};
        for (int i = 0; i < 3; i++) {
            ck_assert(!uva_is_done(f[1]));
            ck_assert_int_eq(work_off("m"), 0);
            ck_assert_int_eq(uva_yield(), 0);
        }
        ck_assert(uva_is_done(f[1]));
        ck_assert_int_eq(uva_queue_task_done(&queue), UV_ERANGE);
        ck_assert_int_eq(join("again"), 0);
        ck_assert_int_eq(uva_gather(f, 3, NULL), 0);
        uva_queue_free(&queue);
    }
    return 0;
}

START_TEST(queue_join_waits_for_what_is_not_done) {
    CONFORMS("K-149");
    program_expect(join_main);
    ck_expect_record("at once:0 m=a c:0 m=b m=c j:0 k:0 again:0 "
                     "at once:0 m=b c:0 m=c m=a j:0 k:0 again:0 "
                     "at once:0 m=a c:0 m=b m=c j:0 k:0 again:0");
}
END_TEST

/* Who was handed an item has not done it yet. */
static int join_handed_main(void *arg) {
    (void)arg;
    make(FIFO, 0);
    uva_task_t *getter = parked(work_off, "g");
    ck_assert_int_eq(uva_queue_put(&queue, "a"), 0);
    ck_assert_int_eq(join("j"), 0);
    ck_assert_int_eq(uva_await(getter, NULL), 0);
    uva_task_t *gone = NULL;
    ck_assert_int_eq(uva_queue_put(&queue, "b"), 0);
    gone = parked(join, "gone");
    uva_task_t *late = uva_spawn(join, "late");
    ck_assert_int_eq(uva_wait_for(late, 5, NULL), UV_ETIMEDOUT);
    ck_assert_int_eq(uva_cancel_and_wait(gone), UV_ECANCELED);
    ck_assert_int_eq(work_off("m"), 0);
    uva_queue_free(&queue);
    return 0;
}

START_TEST(queue_join_counts_what_was_handed_over) {
    CONFORMS("K-149");
    program_expect(join_handed_main);
    ck_expect_record("g=a j:0 late:-125 gone:-125 m=b");
}
END_TEST

/* ---- shutdown ----------------------------------------------------------- */

static int drain_main(void *arg) {
    (void)arg;
    for (kind_t kind = FIFO; kind < KINDS; kind++) {
        make(kind, 3);
        ck_assert_int_eq(uva_queue_put(&queue, "a"), 0);
        ck_assert_int_eq(uva_queue_put(&queue, "b"), 0);
        uva_task_t *joiner = parked(join, "j");
        uva_queue_shutdown(&queue, false);
        ck_assert_int_eq(put("c"), UV_EPIPE);
        ck_assert_int_eq(uva_queue_try_put(&queue, "c"), UV_EPIPE);
        ck_assert_int_eq(work_off("m"), 0);
        uva_queue_shutdown(&queue, false);
        ck_assert_int_eq(uva_yield(), 0);
        ck_assert(!uva_is_done(joiner));
        ck_assert_int_eq(work_off("m"), 0);
        ck_assert_int_eq(get("m"), UV_EPIPE);
        const char *item;
        ck_assert_int_eq(uva_queue_try_get(&queue, &item), UV_EPIPE);
        ck_assert_int_eq(uva_await(joiner, NULL), 0);
        ck_assert_int_eq(uva_queue_task_done(&queue), UV_ERANGE);
        uva_queue_free(&queue);
    }
    return 0;
}

START_TEST(queue_shut_down_is_drained) {
    CONFORMS("K-150");
    program_expect(drain_main);
    ck_expect_record("c:-32 m=a m=b m:-32 j:0 c:-32 m=b m=a m:-32 j:0 "
                     "c:-32 m=a m=b m:-32 j:0");
}
END_TEST

static int shut_waiters_main(void *arg) {
    (void)arg;
    for (int immediate = 0; immediate < 2; immediate++) {
        make(FIFO, 1);
        uva_future_t *g[] = {parked(get, "g"), parked(get, "h")};
        uva_queue_shutdown(&queue, immediate == 1);
        ck_assert_int_eq(uva_gather_settled(g, 2, NULL, NULL), 0);
        uva_queue_free(&queue);
        make(FIFO, 1);
        ck_assert_int_eq(uva_queue_put(&queue, "a"), 0);
        uva_future_t *p[] = {parked(put, "p"), parked(put, "q")};
        uva_queue_shutdown(&queue, immediate == 1);
        ck_assert_int_eq(uva_gather_settled(p, 2, NULL, NULL), 0);
        expect_left(immediate == 1 ? "" : "a", 0, 0);
        uva_queue_free(&queue);
    }
    return 0;
}

START_TEST(queue_shut_down_wakes_who_waits) {
    CONFORMS("K-151");
    program_expect(shut_waiters_main);
    ck_expect_record("g:-32 h:-32 p:-32 q:-32 g:-32 h:-32 p:-32 q:-32");
}
END_TEST

/* What was dropped is done; what was taken before is not. */
static int immediate_main(void *arg) {
    (void)arg;
    for (kind_t kind = FIFO; kind < KINDS; kind++) {
        make(kind, 0);
        for (int i = 0; i < 3; i++)
            ck_assert_int_eq(uva_queue_put(&queue, "a"), 0);
        ck_assert_int_eq(get("m"), 0);
        uva_task_t *joiner = parked(join, "j");
        uva_queue_shutdown(&queue, false);
        uva_queue_shutdown(&queue, true);
        ck_assert_uint_eq(uva_queue_size(&queue), 0);
        ck_assert_int_eq(uva_yield(), 0);
        ck_assert(!uva_is_done(joiner));
        ck_assert_int_eq(uva_queue_task_done(&queue), 0);
        ck_assert_int_eq(uva_queue_task_done(&queue), UV_ERANGE);
        ck_assert_int_eq(uva_await(joiner, NULL), 0);
        uva_queue_free(&queue);
        /* Done before it was taken, which nobody can tell. */
        make(kind, 0);
        ck_assert_int_eq(uva_queue_put(&queue, "a"), 0);
        ck_assert_int_eq(uva_queue_put(&queue, "b"), 0);
        ck_assert_int_eq(uva_queue_task_done(&queue), 0);
        joiner = parked(join, "k");
        uva_queue_shutdown(&queue, true);
        ck_assert_int_eq(uva_await(joiner, NULL), 0);
        ck_assert_int_eq(uva_queue_task_done(&queue), UV_ERANGE);
        uva_queue_free(&queue);
    }
    return 0;
}

START_TEST(queue_shut_down_at_once_drops_its_items) {
    program_expect(immediate_main);
    ck_expect_record("m=a j:0 k:0 m=a j:0 k:0 m=a j:0 k:0");
}
END_TEST

/* ---- looking ------------------------------------------------------------ */

static void expect_dump(const char *part) {
    char *text = program_dump();
    ck_assert_msg(strstr(text, part) != NULL, "no \"%s\" in:\n%s", part, text);
    free(text);
}

static int look_main(void *arg) {
    (void)arg;
    make(FIFO, 1);
    uva_queue_set_name(&queue, "jobs");
    uva_future_t *f[] = {parked(get, "g"), parked(get, "h")};
    expect_dump("parked in queue get 'jobs'  (");
    expect_dump("parked in queue get 'jobs' (1 waiter ahead)  (");
    uva_queue_statistics_t seen;
    uva_queue_statistics(&queue, &seen);
    ck_assert_str_eq(seen.name, "jobs");
    ck_assert_uint_eq(seen.getting, 2);
    for (size_t i = 0; i < 3; i++)
        ck_assert_int_eq(uva_queue_put(&queue, "a"), 0);
    uva_future_t *p[] = {parked(put, "p"), parked(join, "j")};
    expect_dump("parked in queue put 'jobs'  (");
    expect_dump("parked in queue join 'jobs'  (");
    uva_queue_statistics(&queue, &seen);
    ck_assert_uint_eq(seen.getting, 0);
    ck_assert_uint_eq(seen.putting, 1);
    ck_assert_uint_eq(seen.joining, 1);
    ck_assert_uint_eq(seen.size, 1);
    ck_assert_uint_eq(seen.capacity, 1);
    ck_assert_uint_eq(seen.unfinished, 3);
    ck_assert(!seen.is_shut);
    uva_queue_set_name(&queue, NULL);
    expect_dump("parked in queue put  (");
    uva_queue_shutdown(&queue, true);
    uva_queue_statistics(&queue, &seen);
    ck_assert_ptr_null(seen.name);
    ck_assert(seen.is_shut);
    ck_assert_uint_eq(seen.unfinished, 2);
    uva_queue_free(&queue);
    ck_assert_int_eq(uva_gather(f, 2, NULL), 0);
    return uva_gather_settled(p, 2, NULL, NULL);
}

START_TEST(queue_tells_how_it_stands) {
    program_expect(look_main);
    ck_expect_record("g=a h=a p:-32 j:-32");
}
END_TEST

SUITE("queue", queue_gives_items_in_its_order,
      queue_keeps_the_order_of_equal_priorities, queue_waits_at_its_bounds,
      queue_that_need_not_wait_does_not_switch,
      queue_serves_in_the_order_of_waiting, queue_of_one_does_not_lock_up,
      queue_forgets_who_left, queue_join_waits_for_what_is_not_done,
      queue_join_counts_what_was_handed_over, queue_shut_down_is_drained,
      queue_shut_down_wakes_who_waits, queue_shut_down_at_once_drops_its_items,
      queue_tells_how_it_stands)
