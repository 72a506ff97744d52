/* Callbacks in the loop's queue, their order among tasks, fairness towards
 * I/O, the budget, and the random schedule. */
#include "support/support.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>
#include <uvawait.h>

static const uva_options_t quiet = {.report = support_report};

static uva_runtime_t *current(void) {
    return uva_runtime_current();
}

static void note(void *arg) {
    ck_assert_ptr_null(uva_current());
    record("%s", (const char *)arg);
}

static int note_task(void *arg) {
    record("%s", (const char *)arg);
    return 0;
}

static void post(const char *event) {
    ck_assert_int_eq(uva_post(current(), note, (void *)(uintptr_t)event), 0);
}

static void spawn(const char *event) {
    uva_detach(uva_spawn(note_task, (void *)(uintptr_t)event));
}

/* ---- one queue ---------------------------------------------------------- */

static int post_three(void *arg) {
    (void)arg;
    post("a");
    post("b");
    post("c");
    record("main");
    ck_assert_int_eq(uva_yield(), 0);
    record("again");
    return 0;
}

START_TEST(loop_posts_run_once_in_order) {
    CONFORMS("K-167", "K-022");
    ck_assert_int_eq(uva_run_with(&quiet, post_three, NULL), 0);
    ck_expect_record("main a b c again");
}
END_TEST

static void on_done(uva_future_t *f, void *arg) {
    ck_assert(uva_is_done(f));
    note(arg);
}

/* | main                        | the queue
 * | post 1, spawn 2, post 3     | 1 2 3
 * | resolve f, whose on_done is 4 | 1 2 3 4
 * | spawn 5, post 6, yield      | 1 2 3 4 5 6 main
 */
static int mix_all(void *arg) {
    (void)arg;
    uva_future_t *f = uva_future_new();
    ck_assert_int_eq(uva_on_done(f, on_done, "4"), 0);
    post("1");
    spawn("2");
    post("3");
    ck_assert_int_eq(uva_future_resolve(f, NULL), 0);
    spawn("5");
    post("6");
    ck_assert_int_eq(uva_yield(), 0);
    record("main");
    uva_unref(f);
    return 0;
}

START_TEST(loop_posts_stand_in_one_queue_with_tasks) {
    CONFORMS("K-167");
    ck_assert_int_eq(uva_run_with(&quiet, mix_all, NULL), 0);
    ck_expect_record("1 2 3 4 5 6 main");
}
END_TEST

static void post_more(void *arg) {
    note(arg);
    post("new");
}

/* | the tick          | the next |
 * | first, task, main | new      |
 */
static int post_in_a_post(void *arg) {
    (void)arg;
    ck_assert_int_eq(uva_post(current(), post_more, "first"), 0);
    spawn("task");
    ck_assert_int_eq(uva_yield(), 0);
    record("main");
    ck_assert_int_eq(uva_yield(), 0);
    record("main");
    return 0;
}

START_TEST(loop_post_in_a_post_waits_for_the_next_tick) {
    CONFORMS("K-168");
    ck_assert_int_eq(uva_run_with(&quiet, post_in_a_post, NULL), 0);
    ck_expect_record("first task main new main");
}
END_TEST

static int post_badly(void *arg) {
    (void)arg;
    ck_assert_int_eq(uva_post(NULL, note, NULL), UV_EINVAL);
    ck_assert_int_eq(uva_post(current(), NULL, NULL), UV_EINVAL);
    faults_fail(FAULT_MALLOC, 1);
    ck_assert_int_eq(uva_post(current(), note, "lost"), UV_ENOMEM);
    faults_clear();
    return uva_yield();
}

START_TEST(loop_post_refuses_and_fails_cleanly) {
    ck_assert_int_eq(uva_run_with(&quiet, post_badly, NULL), 0);
    ck_expect_record("");
}
END_TEST

enum { MANY = 1000 };
static int next_number;

static void expect_next(void *arg) {
    ck_assert_int_eq(*(int *)arg, next_number);
    next_number++;
}

/* The ready queue grows under it. */
static int post_many(void *arg) {
    static int numbers[MANY];
    (void)arg;
    next_number = 0;
    for (int i = 0; i < MANY; i++) {
        numbers[i] = i;
        ck_assert_int_eq(uva_post(current(), expect_next, &numbers[i]), 0);
    }
    ck_assert_int_eq(uva_yield(), 0);
    ck_assert_int_eq(next_number, MANY);
    return 0;
}

START_TEST(loop_takes_a_thousand_posts_at_once) {
    CONFORMS("K-167");
    ck_assert_int_eq(uva_run_with(&quiet, post_many, NULL), 0);
}
END_TEST

/* ---- taking callbacks back ---------------------------------------------- */

static void second(uva_future_t *f, void *arg) {
    (void)f;
    note(arg);
}

static void remove_second(uva_future_t *f, void *arg) {
    note(arg);
    ck_assert_int_eq(uva_remove_on_done(f, second), 2);
    ck_assert_int_eq(uva_remove_on_done(f, second), 0);
}

static void third(uva_future_t *f, void *arg) {
    (void)f;
    note(arg);
}

static int remove_in_the_tick(void *arg) {
    (void)arg;
    uva_future_t *f = uva_future_new();
    ck_assert_int_eq(uva_on_done(f, remove_second, "one"), 0);
    ck_assert_int_eq(uva_on_done(f, second, "two"), 0);
    ck_assert_int_eq(uva_on_done(f, third, "three"), 0);
    ck_assert_int_eq(uva_on_done(f, second, "two"), 0);
    ck_assert_int_eq(uva_future_resolve(f, NULL), 0);
    uva_unref(f);
    ck_assert_int_eq(uva_yield(), 0);
    return 0;
}

START_TEST(loop_callback_removed_in_its_tick_never_runs) {
    CONFORMS("K-171");
    ck_assert_int_eq(uva_run_with(&quiet, remove_in_the_tick, NULL), 0);
    ck_expect_record("one three");
}
END_TEST

static int remove_before(void *arg) {
    (void)arg;
    uva_future_t *f = uva_future_new();
    ck_assert_int_eq(uva_on_done(f, second, "two"), 0);
    ck_assert_int_eq(uva_remove_on_done(f, second), 1);
    ck_assert_int_eq(uva_remove_on_done(f, second), 0);
    ck_assert_int_eq(uva_future_resolve(f, NULL), 0);
    uva_unref(f);
    return uva_yield();
}

START_TEST(loop_callback_removed_before_never_runs) {
    CONFORMS("K-171");
    ck_assert_int_eq(uva_run_with(&quiet, remove_before, NULL), 0);
    ck_expect_record("");
}
END_TEST

/* ---- I/O goes on -------------------------------------------------------- */

/* A timer and a pipe of the host's, and how often they were heard. */
typedef struct host {
    uv_timer_t timer;
    uv_poll_t poll;
    int ends[2];
    int ticks;
    bool readable;
} host_t;

static void on_tick(uv_timer_t *handle) {
    host_t *host = handle->data;
    ck_assert_ptr_null(uva_current());
    if (++host->ticks == 3)
        ck_assert_int_eq((int)write(host->ends[1], "x", 1), 1);
}

static void on_readable(uv_poll_t *handle, int status, int events) {
    host_t *host = handle->data;
    ck_assert_int_eq(status, 0);
    ck_assert_int_eq(events, UV_READABLE);
    host->readable = true;
    uv_poll_stop(handle);
}

static void host_open(host_t *host) {
    uv_loop_t *loop = uva_runtime_loop(current());
    *host = (host_t){.ticks = 0};
    host->timer.data = host;
    host->poll.data = host;
    ck_assert_int_eq(pipe(host->ends), 0);
    ck_assert_int_eq(uv_timer_init(loop, &host->timer), 0);
    ck_assert_int_eq(uv_timer_start(&host->timer, on_tick, 1, 1), 0);
    ck_assert_int_eq(uv_poll_init(loop, &host->poll, host->ends[0]), 0);
    ck_assert_int_eq(uv_poll_start(&host->poll, UV_READABLE, on_readable), 0);
}

/* Both were heard; the handles are closed. */
static void host_close(host_t *host) {
    ck_assert_int_ge(host->ticks, 3);
    uv_close((uv_handle_t *)&host->timer, NULL);
    uv_close((uv_handle_t *)&host->poll, NULL);
    close(host->ends[0]);
    close(host->ends[1]);
}

static host_t host;

static int yield_until_heard(void *arg) {
    (void)arg;
    while (!host.readable)
        ck_assert_int_eq(uva_yield(), 0);
    return 0;
}

static int starve_by_yields(void *arg) {
    (void)arg;
    host_open(&host);
    uva_future_t *tasks[] = {uva_spawn(yield_until_heard, NULL),
                             uva_spawn(yield_until_heard, NULL)};
    ck_assert_int_eq(uva_gather(tasks, 2, NULL), 0);
    host_close(&host);
    return 0;
}

START_TEST(loop_io_goes_on_while_tasks_yield_for_ever) {
    CONFORMS("K-168");
    ck_assert_int_eq(uva_run_with(&quiet, starve_by_yields, NULL), 0);
}
END_TEST

static unsigned long rounds;

static void repost(void *arg) {
    rounds++;
    if (!host.readable)
        ck_assert_int_eq(uva_post(current(), repost, arg), 0);
}

static int starve_by_posts(void *arg) {
    (void)arg;
    rounds = 0;
    host_open(&host);
    ck_assert_int_eq(uva_post(current(), repost, NULL), 0);
    /* A sleeping task comes to its turn as well. */
    while (!host.readable)
        ck_assert_int_eq(uva_sleep(1), 0);
    ck_assert_uint_gt(rounds, 1);
    host_close(&host);
    return 0;
}

START_TEST(loop_io_goes_on_while_a_post_reposts_itself) {
    CONFORMS("K-168");
    ck_assert_int_eq(uva_run_with(&quiet, starve_by_posts, NULL), 0);
}
END_TEST

static int accept_one(void *arg) {
    uva_stream_t *stream = NULL;
    int code = uva_accept(arg, &stream);
    uva_stream_close(stream);
    return code;
}

/* | main                | task             |
 * |                     | accept <parks>   |
 * | 5 ms pass           | UV_ETIMEDOUT     |
 * |                     | accept <parks>   |
 * | cancel_and_wait     | UV_ECANCELED     |
 * | connect, accept     |                  | nobody else took it
 */
static int give_up_accepting(void *arg) {
    uva_listener_t *listener = NULL;
    uva_stream_t *ends[2] = {NULL, NULL};
    (void)arg;
    ck_assert_int_eq(uva_tcp_listen("127.0.0.1", 0, 8, &listener), 0);
    ck_assert_int_eq(uva_wait_for(uva_spawn(accept_one, listener), 5, NULL),
                     UV_ETIMEDOUT);
    uva_task_t *task = uva_spawn(accept_one, listener);
    ck_assert_int_eq(uva_yield(), 0);
    ck_assert_int_eq(uva_cancel_and_wait(task), UV_ECANCELED);
    ck_assert_int_eq(
        uva_tcp_connect("127.0.0.1", uva_listener_port(listener), &ends[0]), 0);
    ck_assert_int_eq(uva_accept(listener, &ends[1]), 0);
    uva_stream_close(ends[0]);
    uva_stream_close(ends[1]);
    uva_listener_close(listener);
    return 0;
}

START_TEST(loop_accept_that_was_given_up_is_gone) {
    CONFORMS("K-178");
    ck_assert_int_eq(uva_run_with(&quiet, give_up_accepting, NULL), 0);
    ck_assert_uint_eq(support_report_count(), 0);
}
END_TEST

/* ---- the budget --------------------------------------------------------- */

static uva_semaphore_t gate;
static bool other_ran;
static unsigned long operations;

static int run_once(void *arg) {
    (void)arg;
    other_ran = true;
    return 0;
}

/* Never has to wait. */
static int hog(void *arg) {
    (void)arg;
    for (operations = 0; !other_ran; operations++) {
        ck_assert_int_eq(uva_semaphore_acquire(&gate), 0);
        ck_assert_int_eq(uva_semaphore_release(&gate), 0);
    }
    return 0;
}

static int hog_and_other(void *arg) {
    (void)arg;
    other_ran = false;
    uva_semaphore_init(&gate, 1);
    uva_future_t *tasks[] = {uva_spawn(hog, NULL), uva_spawn(run_once, NULL)};
    ck_assert_int_eq(uva_gather(tasks, 2, NULL), 0);
    ck_assert_uint_eq(uva_semaphore_value(&gate), 1);
    return 0;
}

START_TEST(loop_budget_lets_others_run) {
    ck_assert_int_eq(uva_run_with(&quiet, hog_and_other, NULL), 0);
    ck_assert_uint_gt(operations, 1);
    ck_assert_uint_le(operations, 256);
}
END_TEST

/* Awaiting what is done counts as well. */
static int hog_by_await(void *arg) {
    uva_future_t *f = arg;
    for (operations = 0; !other_ran; operations++)
        ck_assert_int_eq(uva_await(uva_ref(f), NULL), 0);
    return 0;
}

static int await_and_other(void *arg) {
    (void)arg;
    other_ran = false;
    uva_future_t *f = uva_future_new();
    ck_assert_int_eq(uva_future_resolve(f, NULL), 0);
    uva_future_t *tasks[] = {uva_spawn(hog_by_await, f),
                             uva_spawn(run_once, NULL)};
    ck_assert_int_eq(uva_gather(tasks, 2, NULL), 0);
    uva_unref(f);
    return 0;
}

START_TEST(loop_budget_counts_awaits_of_what_is_done) {
    ck_assert_int_eq(uva_run_with(&quiet, await_and_other, NULL), 0);
    ck_assert_uint_le(operations, 256);
}
END_TEST

/* The budget's yield is refused once the task is cancelled, without effect. */
static int hog_cancelled(void *arg) {
    (void)arg;
    ck_assert(uva_cancel(uva_current()));
    int code = 0;
    for (operations = 0; code == 0; operations++) {
        ck_assert_uint_eq(uva_semaphore_value(&gate), 1);
        code = uva_semaphore_acquire(&gate);
        if (code == 0)
            ck_assert_int_eq(uva_semaphore_release(&gate), 0);
    }
    ck_assert_uint_eq(uva_semaphore_value(&gate), 1);
    ck_assert_int_eq(uva_semaphore_acquire(&gate), UV_ECANCELED);
    return code;
}

static int await_cancelled_hog(void *arg) {
    (void)arg;
    uva_semaphore_init(&gate, 1);
    return uva_await(uva_spawn(hog_cancelled, NULL), NULL);
}

START_TEST(loop_budget_of_a_cancelled_task_fails_without_effect) {
    ck_assert_int_eq(uva_run_with(&quiet, await_cancelled_hog, NULL),
                     UV_ECANCELED);
    ck_assert_uint_le(operations, 256);
}
END_TEST

static int try_for_long(void *arg) {
    (void)arg;
    other_ran = false;
    uva_semaphore_init(&gate, 1);
    uva_task_t *other = uva_spawn(run_once, NULL);
    for (int i = 0; i < 1000; i++) {
        ck_assert_int_eq(uva_semaphore_try_acquire(&gate), 0);
        ck_assert_int_eq(uva_semaphore_try_acquire(&gate), UV_EAGAIN);
        ck_assert_int_eq(uva_semaphore_release(&gate), 0);
    }
    ck_assert(!other_ran);
    return uva_await(other, NULL);
}

START_TEST(loop_try_calls_never_switch) {
    ck_assert_int_eq(uva_run_with(&quiet, try_for_long, NULL), 0);
}
END_TEST

/* ---- the random schedule ------------------------------------------------ */

static char order[64];

static int append(void *arg) {
    size_t length = strlen(order);
    order[length] = *(const char *)arg;
    order[length + 1] = '\0';
    return 0;
}

static int append_all(void *arg) {
    const char *letters = arg;
    uva_future_t *tasks[32];
    size_t count = strlen(letters);
    order[0] = '\0';
    for (size_t i = 0; i < count; i++)
        tasks[i] = uva_spawn(append, (void *)(uintptr_t)&letters[i]);
    return uva_gather(tasks, count, NULL);
}

/* The order in which tasks that are ready at once run under a seed. */
static const char *order_of(uint64_t seed, const char *letters) {
    uva_options_t options = {.report = support_report, .schedule_seed = seed};
    ck_assert_int_eq(
        uva_run_with(&options, append_all, (void *)(uintptr_t)letters), 0);
    ck_assert_uint_eq(strlen(order), strlen(letters));
    return order;
}

START_TEST(loop_seed_gives_the_same_order_again) {
    CONFORMS("K-247");
    char first[64];
    ck_assert_str_eq(order_of(0, "abcdefghijklmnop"), "abcdefghijklmnop");
    strcpy(first, order_of(42, "abcdefghijklmnop"));
    ck_assert_str_ne(first, "abcdefghijklmnop");
    for (int i = 0; i < 10; i++)
        ck_assert_str_eq(order_of(42, "abcdefghijklmnop"), first);
    ck_assert_str_ne(order_of(43, "abcdefghijklmnop"), first);
}
END_TEST

/* Which of the 24 orders of "abcd" it is: a number in a mixed base. */
static unsigned rank(const char *letters) {
    unsigned sum = 0;
    for (unsigned i = 0; i < 4; i++) {
        unsigned smaller = 0;
        for (unsigned j = i + 1; j < 4; j++)
            smaller += letters[j] < letters[i];
        sum = sum * (4 - i) + smaller;
    }
    return sum;
}

START_TEST(loop_every_order_of_a_tick_is_possible) {
    unsigned seen[24] = {0};
    unsigned distinct = 0;
    for (uint64_t seed = 1; seed <= 600 && distinct < 24; seed++)
        distinct += seen[rank(order_of(seed, "abcd"))]++ == 0;
    ck_assert_uint_eq(distinct, 24);
}
END_TEST

static void append_post(void *arg) {
    (void)append(arg);
}

static int post_all(void *arg) {
    order[0] = '\0';
    for (const char *at = arg; *at != '\0'; at++)
        ck_assert_int_eq(
            uva_post(current(), append_post, (void *)(uintptr_t)at), 0);
    /* Under a random schedule one yield may come back before they ran. */
    while (strlen(order) < strlen(arg))
        ck_assert_int_eq(uva_yield(), 0);
    return 0;
}

START_TEST(loop_posts_keep_their_order_under_a_seed) {
    for (uint64_t seed = 1; seed <= 20; seed++) {
        uva_options_t options = {.report = support_report,
                                 .schedule_seed = seed};
        ck_assert_int_eq(uva_run_with(&options, post_all, "abcdefgh"), 0);
        ck_assert_str_eq(order, "abcdefgh");
    }
}
END_TEST

SUITE("loop", loop_posts_run_once_in_order,
      loop_posts_stand_in_one_queue_with_tasks,
      loop_post_in_a_post_waits_for_the_next_tick,
      loop_post_refuses_and_fails_cleanly, loop_takes_a_thousand_posts_at_once,
      loop_callback_removed_in_its_tick_never_runs,
      loop_callback_removed_before_never_runs,
      loop_io_goes_on_while_tasks_yield_for_ever,
      loop_io_goes_on_while_a_post_reposts_itself,
      loop_accept_that_was_given_up_is_gone, loop_budget_lets_others_run,
      loop_budget_counts_awaits_of_what_is_done,
      loop_budget_of_a_cancelled_task_fails_without_effect,
      loop_try_calls_never_switch, loop_seed_gives_the_same_order_again,
      loop_every_order_of_a_tick_is_possible,
      loop_posts_keep_their_order_under_a_seed)
