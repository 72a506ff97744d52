/* labels: threads valgrind */
/* Queues: used in loop callbacks and other threads, outside of tasks, with bad
 * arguments. */
#include "queue_fixture.h"

/* On the loop's own stack. */
static void feed(void *arg) {
    ck_assert_ptr_null(uva_current());
    ck_assert_int_eq(uva_queue_try_put(&queue, arg), 0);
    const char *item;
    ck_assert_int_eq(uva_queue_try_get(&queue, &item), UV_EAGAIN);
}

static void take(void *arg) {
    const char *item;
    ck_assert_int_eq(uva_queue_try_get(&queue, &item), 0);
    ck_assert_str_eq(item, arg);
    ck_assert_int_eq(uva_queue_task_done(&queue), 0);
}

static int callback_main(void *arg) {
    (void)arg;
    make(FIFO, 1);
    uva_task_t *task = parked(get, "g");
    uva_runtime_t *rt = uva_runtime_current();
    ck_assert_int_eq(uva_post(rt, feed, "a"), 0);
    ck_assert_int_eq(uva_await(task, NULL), 0);
    ck_assert_int_eq(uva_queue_put(&queue, "b"), 0);
    task = parked(put, "c");
    ck_assert_int_eq(uva_post(rt, take, "b"), 0);
    ck_assert_int_eq(uva_await(task, NULL), 0);
    uva_queue_free(&queue);
    return 0;
}

START_TEST(queue_used_in_loop_callbacks) {
    program_expect(callback_main);
    ck_expect_record("g=a c:0");
}
END_TEST

/* Reported on standard error: the thread has no runtime, hence no hook. */
static void meddle(void *arg) {
    const char *item;
    (void)arg;
    if (uva_queue_is_empty(&queue))
        ck_assert_int_eq(uva_queue_try_put(&queue, "x"), UV_EPERM);
    else
        ck_assert_int_eq(uva_queue_try_get(&queue, &item), UV_EPERM);
    uva_queue_shutdown(&queue, true);
    uva_queue_free(&queue);
}

static int thread_main(void *arg) {
    (void)arg;
    make(FIFO, 1);
    uva_task_t *getter = parked(get, "g");
    support_in_thread(meddle, NULL);
    ck_assert_int_eq(uva_queue_put(&queue, "a"), 0);
    ck_assert_int_eq(uva_await(getter, NULL), 0);
    ck_assert_int_eq(uva_queue_put(&queue, "b"), 0);
    uva_task_t *putter = parked(put, "c");
    support_in_thread(meddle, NULL);
    expect_left("b", 0, 1);
    ck_assert_int_eq(uva_await(putter, NULL), 0);
    expect_left("c", 0, 0);
    uva_queue_free(&queue);
    return 0;
}

START_TEST(queue_used_by_another_thread) {
    ck_assert_int_eq(program_run(thread_main, NULL), 0);
    ck_expect_record("g=a c:0");
}
END_TEST

static int bad_main(void *arg) {
    (void)arg;
    make(FIFO, 1);
    ck_assert_int_eq(uva_queue_put(&queue, NULL), 0);
    ck_assert_int_eq(uva_queue_get(&queue, NULL), UV_EINVAL);
    ck_assert_int_eq(uva_queue_try_get(&queue, NULL), UV_EINVAL);
    ck_assert_uint_eq(uva_queue_size(&queue), 1);
    void *item = &queue;
    ck_assert_int_eq(uva_queue_get(&queue, &item), 0);
    ck_assert_ptr_null(item);
    uva_queue_free(&queue);
    return 0;
}

START_TEST(queue_with_null_items_and_null_results) {
    program_expect(bad_main);
}
END_TEST

START_TEST(queue_outside_a_task) {
    const char *item = NULL;
    make(FIFO, 2);
    ck_assert_int_eq(uva_queue_put(&queue, "a"), UV_EPERM);
    ck_assert_int_eq(uva_queue_try_put(&queue, "a"), 0);
    ck_assert_int_eq(uva_queue_get(&queue, &item), UV_EPERM);
    ck_assert_int_eq(uva_queue_join(&queue), UV_EPERM);
    ck_assert_ptr_null(item);
    expect_left("a", 0, 0);
    uva_queue_free(&queue);
}
END_TEST

START_TEST(queue_of_more_than_memory_can_hold) {
    const size_t sizes[] = {SIZE_MAX, SIZE_MAX / 2, SIZE_MAX / 8 + 1};
    for (size_t i = 0; i < 3; i++) {
        ck_assert_int_eq(uva_queue_init(&queue, sizes[i]), UV_EINVAL);
        ck_assert_int_eq(uva_queue_init_lifo(&queue, sizes[i]), UV_EINVAL);
        ck_assert_int_eq(uva_queue_init_priority(&queue, sizes[i], by_text),
                         UV_EINVAL);
        ck_assert_int_eq(uva_queue_try_put(&queue, "a"), UV_EPIPE);
        uva_queue_free(&queue);
    }
    ck_assert_int_eq(uva_queue_init_priority(&queue, 1, NULL), UV_EINVAL);
    ck_assert_int_eq(uva_queue_try_put(&queue, "a"), UV_EPIPE);
    uva_queue_free(&queue);
}
END_TEST

SUITE("queue_misuse", queue_used_in_loop_callbacks,
      queue_used_by_another_thread, queue_with_null_items_and_null_results,
      queue_outside_a_task, queue_of_more_than_memory_can_hold)
