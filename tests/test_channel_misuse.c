/* labels: valgrind; timeout: 30 */
/* Channels used as they should not be: each has its code, and changes nothing.
 */
#include "channel_fixture.h"

#include <pthread.h>

static int send_five(void *arg) {
    (void)arg;
    return uva_channel_send(&channel, &(int){5});
}

static int recv_four(void *arg) {
    int item = -1;
    (void)arg;
    ck_assert_int_eq(uva_channel_recv(&channel, &item), 0);
    ck_assert_int_eq(item, 4);
    return 0;
}

static int misuse_main(void *arg) {
    (void)arg;
    int item = 5;
    init(1);
    ck_assert_int_eq(uva_channel_send(&channel, NULL), UV_EINVAL);
    ck_assert_int_eq(uva_channel_try_send(&channel, NULL), UV_EINVAL);
    ck_assert_int_eq(uva_channel_send(&channel, &item), 0);
    ck_assert_int_eq(uva_channel_recv(&channel, NULL), UV_EINVAL);
    ck_assert_int_eq(uva_channel_try_recv(&channel, NULL), UV_EINVAL);
    ck_assert_int_eq(uva_channel_send(NULL, &item), UV_EINVAL);
    ck_assert_int_eq(uva_channel_try_send(NULL, &item), UV_EINVAL);
    ck_assert_int_eq(uva_channel_recv(NULL, &item), UV_EINVAL);
    ck_assert_int_eq(uva_channel_try_recv(NULL, &item), UV_EINVAL);
    ck_assert_int_eq(uva_channel_add_sender(NULL), UV_EINVAL);
    ck_assert_int_eq(uva_channel_close_sender(NULL), UV_EINVAL);
    ck_assert_int_eq(uva_channel_close_sender(&channel), UV_ERANGE);
    uva_channel_close(NULL);
    /* Nothing of this took or added an item. */
    ck_assert_int_eq(uva_channel_try_recv(&channel, &item), 0);
    ck_assert_int_eq(item, 5);
    ck_assert_int_eq(uva_channel_try_recv(&channel, &item), UV_EAGAIN);
    finish();
    return 0;
}

START_TEST(channel_misused) {
    program_expect(misuse_main);
}
END_TEST

START_TEST(channel_that_cannot_be_made) {
    static const size_t too_much[][2] = {{2, SIZE_MAX / 2 + 1},
                                         {SIZE_MAX, 2},
                                         {SIZE_MAX / 3, 4},
                                         {1, SIZE_MAX / 2 + 1}};
    int item = 0;
    for (size_t i = 0; i < 4; i++) {
        ck_assert_int_eq(
            uva_channel_init(&channel, too_much[i][0], too_much[i][1]),
            UV_EINVAL);
        ck_assert_int_eq(uva_channel_try_send(&channel, &item), UV_EPIPE);
        uva_channel_free(&channel);
    }
    faults_fail(FAULT_MALLOC, 1);
    ck_assert_int_eq(uva_channel_init(&channel, 8, 8), UV_ENOMEM);
    ck_assert_uint_eq(faults_clear(), 1);
    ck_assert_int_eq(uva_channel_try_recv(&channel, &item), UV_EOF);
    uva_channel_free(&channel);
}
END_TEST

START_TEST(channel_outside_a_task) {
    init(1);
    int item = 3;
    ck_assert_int_eq(uva_channel_send(&channel, &item), UV_EPERM);
    ck_assert_int_eq(uva_channel_recv(&channel, &item), UV_EPERM);
    ck_assert_int_eq(uva_channel_try_send(&channel, &item), 0);
    ck_assert_int_eq(uva_channel_try_recv(&channel, &item), 0);
    ck_assert_int_eq(uva_channel_add_sender(&channel), 0);
    ck_assert_int_eq(uva_channel_close_sender(&channel), 0);
    ck_assert_int_eq(uva_channel_try_recv(&channel, &item), UV_EOF);
    finish();
}
END_TEST

/* From a thread that is not the waiters'. */
static void *meddle(void *arg) {
    int item = 9;
    (void)arg;
    ck_assert_int_eq(uva_channel_try_send(&channel, &item), UV_EPERM);
    ck_assert_int_eq(uva_channel_close_sender(&channel), UV_EPERM);
    uva_channel_close(&channel);
    uva_channel_free(&channel);
    return NULL;
}

static void *meddle_with_sender(void *arg) {
    int item = 9;
    (void)arg;
    ck_assert_int_eq(uva_channel_try_recv(&channel, &item), UV_EPERM);
    ck_assert_int_eq(item, 9);
    uva_channel_close(&channel);
    uva_channel_free(&channel);
    return NULL;
}

/* No case takes effect, not even with a code. */
static int select_main(void *arg) {
    int item = 9;
    uva_case_t what = {.kind = *(const uva_case_kind_t *)arg,
                       .on = &channel,
                       .item = &item,
                       .code = 77};
    ck_assert_int_eq(uva_select(&what, 1, 0), UV_EPERM);
    ck_assert_int_eq(uva_select(&what, 1, 10), UV_EPERM);
    ck_assert_int_eq(what.code, 77);
    ck_assert_int_eq(item, 9);
    return 0;
}

static void *select_send(void *arg) {
    (void)arg;
    ck_assert_int_eq(program_run(select_main, &(uva_case_kind_t){UVA_SEND}), 0);
    return NULL;
}

static void *select_recv(void *arg) {
    (void)arg;
    ck_assert_int_eq(program_run(select_main, &(uva_case_kind_t){UVA_RECV}), 0);
    return NULL;
}

static void run_thread(void *(*fn)(void *arg)) {
    pthread_t thread;
    ck_assert_int_eq(pthread_create(&thread, NULL, fn, NULL), 0);
    ck_assert_int_eq(pthread_join(thread, NULL), 0);
}

static int thread_main(void *arg) {
    uva_task_options_t eager = {.eager = true};
    int item = 0;
    (void)arg;
    init(0);
    ck_assert_int_eq(uva_channel_add_sender(&channel), 0);
    uva_task_t *task = uva_spawn_with(&eager, recv_four, NULL);
    run_thread(meddle);
    ck_assert_int_eq(uva_channel_send(&channel, &(int){4}), 0);
    ck_assert_int_eq(uva_await(task, NULL), 0);
    task = uva_spawn_with(&eager, send_five, NULL);
    run_thread(meddle_with_sender);
    ck_assert_int_eq(uva_channel_recv(&channel, &item), 0);
    ck_assert_int_eq(item, 5);
    ck_assert_int_eq(uva_await(task, NULL), 0);
    ck_assert_int_eq(uva_channel_close_sender(&channel), 0);
    finish();
    return 0;
}

START_TEST(channel_used_by_another_thread) {
    program_expect(thread_main);
}
END_TEST

static int foreign_select_main(void *arg) {
    uva_task_options_t eager = {.eager = true};
    int item = 0;
    (void)arg;
    init(0);
    uva_task_t *task = uva_spawn_with(&eager, recv_four, NULL);
    run_thread(select_send);
    ck_assert_int_eq(uva_channel_send(&channel, &(int){4}), 0);
    ck_assert_int_eq(uva_await(task, NULL), 0);
    task = uva_spawn_with(&eager, send_five, NULL);
    run_thread(select_recv);
    ck_assert_int_eq(uva_channel_recv(&channel, &item), 0);
    ck_assert_int_eq(item, 5);
    ck_assert_int_eq(uva_await(task, NULL), 0);
    finish();
    return 0;
}

START_TEST(channel_selected_in_another_thread) {
    ck_assert_int_eq(program_run(foreign_select_main, NULL), 0);
    ck_assert_uint_eq(support_report_count(), 4);
    ck_assert(support_reports_contain("uva_select: the task belongs to "));
}
END_TEST

SUITE("channel_misuse", channel_misused, channel_that_cannot_be_made,
      channel_outside_a_task, channel_used_by_another_thread,
      channel_selected_in_another_thread)
