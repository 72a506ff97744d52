/* labels: threads; timeout: 20 */
/* Events that other threads set. */
#include "support/program.h"

#include <string.h>

#include "runtime/ping.h"

static uva_thread_event_t event;

static void set(void *arg) {
    *(int *)arg = uva_thread_event_set(&event);
}

static int wait_as(void *arg) {
    int code = uva_thread_event_wait(&event);
    record("%s:%d", (const char *)arg, code);
    return code;
}

/* Lets the loop poll, so that it hears of what was set. */
static void let_loop_hear(void) {
    ck_assert_int_eq(uva_sleep(1), 0);
}

/* ---- setting and waiting ------------------------------------------------ */

static int wake_main(void *arg) {
    (void)arg;
    ck_assert_int_eq(uva_thread_event_init(&event), 0);
    uva_future_t *f[] = {uva_spawn(wait_as, "a"), uva_spawn(wait_as, "b"),
                         uva_spawn(wait_as, "c")};
    ck_assert_int_eq(uva_yield(), 0);
    int code = -1;
    ck_assert(!uva_thread_event_is_set(&event));
    support_in_thread(set, &code);
    ck_assert_int_eq(code, 0);
    ck_assert(uva_thread_event_is_set(&event));
    ck_assert_int_eq(uva_gather(f, 3, NULL), 0);
    record("again");
    ck_assert_int_eq(wait_as("main"), 0);
    uva_thread_event_clear(&event);
    ck_assert(!uva_thread_event_is_set(&event));
    uva_thread_event_close(&event);
    uva_thread_event_close(&event);
    return 0;
}

START_TEST(thread_event_wakes_all_who_wait) {
    program_expect(wake_main);
    ck_expect_record("a:0 b:0 c:0 again main:0");
}
END_TEST

/* What the loop's own thread sets is heard of before nothing is ready. */
static int quiet_main(void *arg) {
    (void)arg;
    ck_assert_int_eq(uva_thread_event_init(&event), 0);
    uva_task_t *a = uva_spawn(wait_as, "a");
    ck_assert_int_eq(uva_yield(), 0);
    ck_assert_int_eq(uva_thread_event_set(&event), 0);
    ck_assert_int_eq(uva_wait_all_blocked(), 0);
    record("quiet");
    ck_assert_int_eq(uva_await(a, NULL), 0);
    uva_thread_event_close(&event);
    return 0;
}

START_TEST(thread_event_is_heard_before_quiet) {
    program_expect(quiet_main);
    ck_expect_record("a:0 quiet");
}
END_TEST

static uva_thread_event_t three[3];

static void set_three(void *arg) {
    (void)arg;
    for (int i = 2; i >= 0; i--)
        ck_assert_int_eq(uva_thread_event_set(&three[i]), 0);
}

static int wait_for_one(void *arg) {
    uva_thread_event_t *one = arg;
    ck_assert_int_eq(uva_thread_event_wait(one), 0);
    record("%d", (int)(one - three));
    return 0;
}

static int order_main(void *arg) {
    (void)arg;
    uva_future_t *f[3];
    for (int i = 0; i < 3; i++) {
        ck_assert_int_eq(uva_thread_event_init(&three[i]), 0);
        f[i] = uva_spawn(wait_for_one, &three[i]);
    }
    ck_assert_int_eq(uva_yield(), 0);
    support_in_thread(set_three, NULL);
    ck_assert_int_eq(uva_gather(f, 3, NULL), 0);
    for (int i = 0; i < 3; i++)
        uva_thread_event_close(&three[i]);
    return 0;
}

START_TEST(thread_event_several_keep_their_order) {
    program_expect(order_main);
    ck_expect_record("2 1 0");
}
END_TEST

/* Neither memory nor more than one wake-up, however often it is set. */
static int cheap_main(void *arg) {
    (void)arg;
    unsigned long allocations = faults_allocations();
    ck_assert_int_eq(uva_thread_event_init(&event), 0);
    let_loop_hear();
    unsigned long sends = faults_calls(FAULT_UV_ASYNC_SEND);
    for (int i = 0; i < 1000; i++) {
        ck_assert_int_eq(uva_thread_event_set(&event), 0);
        uva_thread_event_clear(&event);
    }
    ck_assert_int_eq(uva_thread_event_set(&event), 0);
    ck_assert_uint_le(faults_calls(FAULT_UV_ASYNC_SEND), sends + 1);
    ck_assert_int_eq(uva_thread_event_wait(&event), 0);
    let_loop_hear();
    uva_thread_event_close(&event);
    ck_assert_uint_eq(faults_allocations(), allocations);
    return 0;
}

START_TEST(thread_event_costs_no_memory) {
    program_expect(cheap_main);
}
END_TEST

/* ---- windows ------------------------------------------------------------ */

/* A set takes effect for waiters when the loop hears of it ("p"), or when the
 * event is cleared or closed, whichever comes first. For the task that waits:
 *
 * | acts (c: clear, k: cancel, x: close, s: set) | code         | set after |
 * | s p                                          | 0            | yes       |
 * | s c p: cleared before the loop heard of it   | 0            | no        |
 * | s k: the request came first                  | UV_ECANCELED | yes       |
 * | s p k                                        | 0            | yes       |
 * | k s                                          | UV_ECANCELED | yes       |
 * | s x                                          | 0            | yes       |
 * | x s: refused                                 | UV_ECANCELED | yes       |
 * | s c x                                        | 0            | no        |
 */
typedef struct window {
    const char *acts;
    int code;
    bool is_set;
} window_t;

static const window_t windows[] = {{"sp", 0, true},
                                   {"scp", 0, false},
                                   {"sk", UV_ECANCELED, true},
                                   {"spk", 0, true},
                                   {"ks", UV_ECANCELED, true},
                                   {"sx", 0, true},
                                   {"xs", UV_ECANCELED, true},
                                   {"scx", 0, false}};

static uva_task_t *window_task;

static void act(char what) {
    int expected = event.ping.runtime != NULL ? 0 : UV_ESHUTDOWN;
    if (what == 's')
        ck_assert_int_eq(uva_thread_event_set(&event), expected);
    else if (what == 'c')
        uva_thread_event_clear(&event);
    else if (what == 'k')
        (void)uva_cancel(window_task);
    else if (what == 'x')
        uva_thread_event_close(&event);
    else
        let_loop_hear();
}

static int window_main(void *arg) {
    const window_t *w = arg;
    ck_assert_int_eq(uva_thread_event_init(&event), 0);
    window_task = uva_spawn(wait_as, "w");
    uva_ref(window_task);
    ck_assert_int_eq(uva_yield(), 0);
    for (const char *what = w->acts; *what != '\0'; what++)
        act(*what);
    ck_assert_int_eq(uva_await(window_task, NULL), w->code);
    uva_unref(window_task);
    ck_assert(uva_thread_event_is_set(&event) == w->is_set);
    uva_thread_event_close(&event);
    return 0;
}

START_TEST(thread_event_windows) {
    for (size_t i = 0; i < sizeof windows / sizeof windows[0]; i++) {
        window_t w = windows[i];
        ck_assert_int_eq(program_run(window_main, &w), 0);
        ck_assert_str_eq(support_reports(), "");
        char seen[SUPPORT_RECORD_BYTES];
        support_record_take(seen);
        ck_assert_str_eq(seen, w.code == 0 ? "w:0" : "w:-125");
    }
}
END_TEST

static int wait_and_cancel(void *arg) {
    ck_assert_int_eq(wait_as(arg), 0);
    ck_assert(uva_cancel(window_task));
    return 0;
}

/* | thread | loop           | k         | a               |
 * |        |                | wait      | wait            |
 * | set    |                |           |                 |
 * |        | poll: wakes    | granted   | granted         |
 * |        |                | cancels a |                 |
 * |        |                |           | 0 all the same  |
 */
static int granted_main(void *arg) {
    (void)arg;
    ck_assert_int_eq(uva_thread_event_init(&event), 0);
    uva_task_t *k = uva_spawn(wait_and_cancel, "k");
    window_task = uva_spawn(wait_as, "a");
    uva_ref(window_task);
    ck_assert_int_eq(uva_yield(), 0);
    int code = -1;
    support_in_thread(set, &code);
    ck_assert_int_eq(uva_await(window_task, NULL), 0);
    ck_assert_int_eq(uva_await(k, NULL), 0);
    uva_unref(window_task);
    uva_thread_event_close(&event);
    return 0;
}

START_TEST(thread_event_granted_then_cancelled) {
    program_expect(granted_main);
    ck_expect_record("k:0 a:0");
}
END_TEST

static int clear_main(void *arg) {
    (void)arg;
    ck_assert_int_eq(uva_thread_event_init(&event), 0);
    uva_task_t *a = uva_spawn(wait_as, "a");
    ck_assert_int_eq(uva_yield(), 0);
    ck_assert_int_eq(uva_thread_event_set(&event), 0);
    uva_thread_event_clear(&event);
    /* The ping of that set is still under way: it must not wake b. */
    uva_task_t *b = uva_spawn(wait_as, "b");
    ck_assert_int_eq(uva_await(a, NULL), 0);
    let_loop_hear();
    ck_assert(!uva_is_done(b));
    ck_assert_int_eq(uva_cancel_and_wait(b), UV_ECANCELED);
    uva_thread_event_close(&event);
    return 0;
}

START_TEST(thread_event_cleared_wakes_nobody_later) {
    program_expect(clear_main);
    ck_expect_record("a:0 b:-125");
}
END_TEST

static int runs;

static void fire_again(uva_ping_t *ping) {
    if (++runs < 3)
        ck_assert_int_eq(uva__ping_fire(ping), 0);
}

/* What is fired while it is being delivered is delivered, too. */
static int again_main(void *arg) {
    (void)arg;
    uva_ping_t ping;
    uva__ping_open(&ping, uva_runtime_current(), fire_again);
    ck_assert_int_eq(uva__ping_fire(&ping), 0);
    ck_assert_int_eq(uva__ping_fire(&ping), 0);
    for (int i = 0; i < 5; i++)
        let_loop_hear();
    ck_assert_int_eq(runs, 3);
    uva__ping_close(&ping);
    ck_assert_int_eq(uva__ping_fire(&ping), UV_ESHUTDOWN);
    return 0;
}

START_TEST(thread_event_fired_while_it_is_delivered) {
    program_expect(again_main);
}
END_TEST

/* ---- lives -------------------------------------------------------------- */

static int forget_main(void *arg) {
    (void)arg;
    ck_assert_int_eq(uva_thread_event_init(&event), 0);
    ck_assert_int_eq(uva_thread_event_set(&event), 0);
    return 0;
}

static void close_it(void *arg) {
    (void)arg;
    ck_assert_int_eq(uva_thread_event_set(&event), UV_ESHUTDOWN);
    uva_thread_event_clear(&event);
    uva_thread_event_close(&event);
    ck_assert_int_eq(uva_thread_event_set(&event), UV_ESHUTDOWN);
}

/* What support counts after the case: the runtime's memory went at last. */
START_TEST(thread_event_outlives_its_runtime) {
    ck_assert_int_eq(uva_thread_event_set(&event), UV_ESHUTDOWN);
    uva_thread_event_close(&event);
    program_expect(forget_main);
    ck_assert(uva_thread_event_is_set(&event));
    ck_assert_int_eq(uva_thread_event_set(&event), UV_ESHUTDOWN);
    support_in_thread(close_it, NULL);
    program_expect(wake_main);
    ck_expect_record("a:0 b:0 c:0 again main:0");
}
END_TEST

/* Waiting for a thread is no deadlock; waiting for something else is one, also
 * while events are open. */
static int stuck_main(void *arg) {
    (void)arg;
    uva_event_t never = UVA_EVENT_INIT;
    ck_assert_int_eq(uva_thread_event_init(&event), 0);
    ck_assert_int_eq(uva_event_wait(&never), UV_ECANCELED);
    uva_thread_event_close(&event);
    return 0;
}

START_TEST(thread_event_hides_no_deadlock) {
    ck_assert_int_eq(program_run(stuck_main, NULL), 0);
    ck_assert(support_reports_contain("deadlock"));
}
END_TEST

static void set_late(void *arg) {
    (void)arg;
    uv_sleep(30);
    ck_assert_int_eq(uva_thread_event_set(&event), 0);
}

static int late_main(void *arg) {
    (void)arg;
    uv_thread_t thread;
    ck_assert_int_eq(uva_thread_event_init(&event), 0);
    ck_assert_int_eq(uv_thread_create(&thread, set_late, NULL), 0);
    ck_assert_int_eq(uva_thread_event_wait(&event), 0);
    ck_assert_int_eq(uv_thread_join(&thread), 0);
    uva_thread_event_close(&event);
    return 0;
}

START_TEST(thread_event_wait_is_no_deadlock) {
    program_expect(late_main);
}
END_TEST

/* ---- misuse ------------------------------------------------------------- */

static void touch_from_elsewhere(void *arg) {
    (void)arg;
    uva_thread_event_clear(&event);
    uva_thread_event_close(&event);
    ck_assert_int_eq(uva_thread_event_wait(&event), UV_EPERM);
    ck_assert_int_eq(uva_thread_event_init(&(uva_thread_event_t){0}), UV_EPERM);
    ck_assert_int_eq(program_run(wait_as, "other"), UV_EPERM);
}

static int misuse_main(void *arg) {
    (void)arg;
    ck_assert_int_eq(uva_thread_event_init(&event), 0);
    ck_assert_int_eq(uva_thread_event_set(&event), 0);
    support_in_thread(touch_from_elsewhere, NULL);
    ck_assert(uva_thread_event_is_set(&event));
    ck_assert_int_eq(uva_thread_event_wait(&event), 0);
    uva_thread_event_clear(&event);
    uva_thread_event_close(&event);
    ck_assert_int_eq(uva_thread_event_wait(&event), UV_ESHUTDOWN);
    return 0;
}

START_TEST(thread_event_misused) {
    ck_assert_int_eq(program_run(misuse_main, NULL), 0);
    ck_expect_record("other:-1");
    ck_assert_uint_eq(support_report_count(), 1);
    ck_assert(support_reports_contain("belongs to another runtime"));
}
END_TEST

static int look_main(void *arg) {
    (void)arg;
    ck_assert_int_eq(uva_thread_event_init(&event), 0);
    uva_thread_event_set_name(&event, "reload");
    uva_future_t *f[] = {uva_spawn(wait_as, "a"), uva_spawn(wait_as, "b")};
    ck_assert_int_eq(uva_yield(), 0);
    uva_thread_event_statistics_t seen;
    uva_thread_event_statistics(&event, &seen);
    ck_assert_str_eq(seen.name, "reload");
    ck_assert_uint_eq(seen.waiting, 2);
    ck_assert(!seen.is_set);
    char *text = program_dump();
    ck_assert_ptr_nonnull(strstr(text, "parked in thread event 'reload'  ("));
    ck_assert_ptr_nonnull(strstr(text, "'reload' (1 waiter ahead)  ("));
    free(text);
    ck_assert_int_eq(uva_thread_event_set(&event), 0);
    ck_assert_int_eq(uva_gather(f, 2, NULL), 0);
    uva_thread_event_statistics(&event, &seen);
    ck_assert_uint_eq(seen.waiting, 0);
    ck_assert(seen.is_set);
    uva_thread_event_close(&event);
    return 0;
}

START_TEST(thread_event_tells_how_it_stands) {
    program_expect(look_main);
    ck_expect_record("a:0 b:0");
}
END_TEST

SUITE("thread_event", thread_event_wakes_all_who_wait,
      thread_event_is_heard_before_quiet, thread_event_several_keep_their_order,
      thread_event_costs_no_memory, thread_event_windows,
      thread_event_granted_then_cancelled,
      thread_event_cleared_wakes_nobody_later,
      thread_event_fired_while_it_is_delivered,
      thread_event_outlives_its_runtime, thread_event_hides_no_deadlock,
      thread_event_wait_is_no_deadlock, thread_event_misused,
      thread_event_tells_how_it_stands)
