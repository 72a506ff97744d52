/* uva_run(): its result, what it does with what is left at the end, and the
 * ways in which a run can be stuck. */
#include "support/support.h"

#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <uvawait.h>

static const uva_options_t quiet = {.report = support_report};
static const uva_options_t quick = {.report = support_report,
                                    .clock = UVA_CLOCK_VIRTUAL};

/* ---- the result --------------------------------------------------------- */

static int give(void *arg) {
    ck_assert_str_eq(uva_name(uva_current()), "main");
    return *(int *)arg;
}

START_TEST(run_returns_mains_code) {
    CONFORMS("K-160", "K-192");
    int codes[] = {0, 7, UV_EIO, -12345};
    for (size_t i = 0; i < sizeof codes / sizeof codes[0]; i++) {
        unsigned long closed = faults_calls(FAULT_UV_LOOP_CLOSE);
        ck_assert_int_eq(uva_run_with(&quiet, give, &codes[i]), codes[i]);
        ck_assert_uint_eq(faults_calls(FAULT_UV_LOOP_CLOSE), closed + 1);
        ck_assert_ptr_null(uva_runtime_current());
        ck_assert_ptr_null(uva_current());
    }
    ck_assert_uint_eq(support_report_count(), 0);
    ck_assert_int_eq(uva_run(NULL, NULL), UV_EINVAL);
}
END_TEST

static int fail_with_message(void *arg) {
    (void)arg;
    return uva_fail(UV_EPROTO, "not reported, since run returns the code");
}

START_TEST(run_does_not_report_mains_failure) {
    CONFORMS("K-192");
    ck_assert_int_eq(uva_run_with(&quiet, fail_with_message, NULL), UV_EPROTO);
    ck_assert_str_eq(support_reports(), "");
}
END_TEST

static int run_again(void *arg) {
    int *inner = arg;
    int code = 5;
    uva_runtime_t *before = uva_runtime_current();
    uva_runtime_t *other = NULL;
    uv_loop_t loop;
    ck_assert_int_eq(uv_loop_init(&loop), 0);
    *inner = uva_run_with(&quiet, give, &code);
    ck_assert_int_eq(uva_runtime_attach(&loop, &quiet, &other), UV_EBUSY);
    ck_assert_ptr_null(other);
    ck_assert_int_eq(uv_loop_close(&loop), 0);
    ck_assert_ptr_eq(uva_runtime_current(), before);
    ck_assert_int_eq(uva_sleep(1), 0);
    return 0;
}

START_TEST(run_inside_a_run_is_busy) {
    CONFORMS("K-161");
    int inner = 0;
    ck_assert_int_eq(uva_run_with(&quiet, run_again, &inner), 0);
    ck_assert_int_eq(inner, UV_EBUSY);
    ck_assert(support_reports_contain("uva_run: called inside a runtime"));
}
END_TEST

static void run_in_callback(void *arg) {
    *(int *)arg = uva_run(give, NULL);
}

static int post_a_run(void *arg) {
    ck_assert_int_eq(uva_post(uva_runtime_current(), run_in_callback, arg), 0);
    return uva_yield();
}

START_TEST(run_inside_a_callback_is_busy) {
    CONFORMS("K-161");
    int inner = 0;
    ck_assert_int_eq(uva_run_with(&quiet, post_a_run, &inner), 0);
    ck_assert_int_eq(inner, UV_EBUSY);
}
END_TEST

/* ---- failures of its own ------------------------------------------------ */

static int note_and_give(void *arg) {
    *(bool *)arg = true;
    return 3;
}

/* Each call of one kind fails in turn: main has run, or run says why not. */
static void fail_each(fault_t kind) {
    for (unsigned n = 1;; n++) {
        bool ran = false;
        faults_fail(kind, n);
        int code = uva_run_with(&quiet, note_and_give, &ran);
        if (faults_clear() == 0) {
            ck_assert_int_eq(code, 3);
            return;
        }
        ck_assert_msg(ran ? code == 3 : code == UV_ENOMEM,
                      "%s %u: main has%s run, code %d", faults_name(kind), n,
                      ran ? "" : " not", code);
        ck_assert_ptr_null(uva_runtime_current());
    }
}

START_TEST(run_survives_every_failure) {
    static const fault_t kinds[] = {
        FAULT_MALLOC,          FAULT_CALLOC,           FAULT_MMAP,
        FAULT_UV_LOOP_INIT,    FAULT_UV_MUTEX_INIT,    FAULT_UV_ASYNC_INIT,
        FAULT_UV_PREPARE_INIT, FAULT_UV_CHECK_INIT,    FAULT_UV_IDLE_INIT,
        FAULT_UV_TIMER_INIT,   FAULT_UV_PREPARE_START, FAULT_UV_CHECK_START,
    };
    for (size_t i = 0; i < sizeof kinds / sizeof kinds[0]; i++)
        fail_each(kinds[i]);
}
END_TEST

START_TEST(run_gives_the_reason_of_libuv) {
    bool ran = false;
    faults_fail_with(FAULT_UV_LOOP_INIT, 1, UV_EMFILE);
    ck_assert_int_eq(uva_run_with(&quiet, note_and_give, &ran), UV_EMFILE);
    ck_assert(!ran);
}
END_TEST

/* ---- what is left when main ends ---------------------------------------- */

/* Its cleanup waits, behind a shield. */
static int clean_up_slowly(void *arg) {
    int code = uva_sleep(60000);
    record("%s:%s", (const char *)arg, uv_err_name(code));
    uva_scope_t scope;
    uva_scope_open(&scope, UVA_FOREVER, UVA_SCOPE_SHIELD);
    ck_assert_int_eq(uva_sleep(20), 0);
    ck_assert_int_eq(uva_scope_close(&scope), 0);
    record("%s:clean", (const char *)arg);
    return code;
}

static int leave_two(void *arg) {
    (void)arg;
    uva_detach(uva_spawn(clean_up_slowly, "a"));
    uva_detach(uva_spawn(clean_up_slowly, "b"));
    ck_assert_int_eq(uva_yield(), 0);
    record("main:over");
    return 4;
}

START_TEST(run_cancels_and_awaits_what_is_left) {
    CONFORMS("K-162", "K-191");
    ck_assert_int_eq(uva_run_with(&quick, leave_two, NULL), 4);
    ck_expect_record("main:over a:ECANCELED b:ECANCELED a:clean b:clean");
    ck_assert_uint_eq(support_report_count(), 2);
    ck_assert(support_reports_contain("task 'clean_up_slowly-"));
    ck_assert(support_reports_contain("still pending at the end (sleep)"));
    ck_assert(support_reports_contain("test_run.c:"));
}
END_TEST

static int never_begin(void *arg) {
    (void)arg;
    record("begun");
    return 0;
}

static int leave_fresh(void *arg) {
    (void)arg;
    uva_detach(uva_spawn(never_begin, NULL));
    return 0;
}

START_TEST(run_never_begins_what_was_not_begun) {
    CONFORMS("K-162");
    ck_assert_int_eq(uva_run_with(&quiet, leave_fresh, NULL), 0);
    ck_expect_record("");
    ck_assert(support_reports_contain("(not started)"));
}
END_TEST

static int wait_for_ever(void *arg) {
    (void)arg;
    return uva_sleep(UVA_FOREVER);
}

static int leave_many(void *arg) {
    for (int i = 0; i < *(int *)arg; i++)
        uva_detach(uva_spawn(wait_for_ever, NULL));
    return uva_yield();
}

START_TEST(run_names_sixteen_of_the_pending) {
    int count = 16;
    ck_assert_int_eq(uva_run_with(&quiet, leave_many, &count), 0);
    ck_assert_uint_eq(support_report_count(), 16);
    support_reports_clear();
    count = 20;
    ck_assert_int_eq(uva_run_with(&quiet, leave_many, &count), 0);
    ck_assert_uint_eq(support_report_count(), 17);
    ck_assert(support_reports_contain("... and 4 more tasks were still"));
}
END_TEST

/* ---- tasks that cleanup makes ------------------------------------------- */

static int helper(void *arg) {
    (void)arg;
    int code = uva_sleep(5);
    record("helper:%s", code == 0 ? "ok" : uv_err_name(code));
    return 11;
}

static int clean_up_by_a_helper(void *arg) {
    (void)arg;
    int code = uva_sleep(UVA_FOREVER);
    uva_scope_t scope;
    uva_scope_open(&scope, UVA_FOREVER, UVA_SCOPE_SHIELD);
    record("await:%d", uva_await(uva_spawn(helper, NULL), NULL));
    (void)uva_scope_close(&scope);
    return code;
}

static int leave_helped(void *arg) {
    (void)arg;
    uva_detach(uva_spawn(clean_up_by_a_helper, NULL));
    return uva_yield();
}

START_TEST(run_lets_cleanup_spawn_and_await) {
    CONFORMS("K-162");
    ck_assert_int_eq(uva_run_with(&quick, leave_helped, NULL), 0);
    ck_expect_record("helper:ok await:11");
}
END_TEST

static int spawn_and_go(void *arg) {
    (void)arg;
    int code = uva_sleep(UVA_FOREVER);
    uva_detach(uva_spawn(helper, NULL));
    return code;
}

static int leave_spawner(void *arg) {
    (void)arg;
    uva_detach(uva_spawn(spawn_and_go, NULL));
    return uva_yield();
}

START_TEST(run_cancels_what_cleanup_left) {
    CONFORMS("K-162");
    ck_assert_int_eq(uva_run_with(&quick, leave_spawner, NULL), 0);
    ck_expect_record("helper:ECANCELED");
}
END_TEST

static unsigned long spawned;

/* Answers its cancellation with another of its kind. */
static int respawn(void *arg) {
    int code = uva_sleep(UVA_FOREVER);
    spawned++;
    uva_detach(uva_spawn(respawn, arg));
    return code;
}

/* The same, but there is always something ready. */
static int respawn_busily(void *arg) {
    int code = uva_yield();
    spawned++;
    uva_detach(uva_spawn(respawn_busily, arg));
    return code;
}

static int leave_respawner(void *arg) {
    uva_fn *fn = arg;
    uva_detach(uva_spawn(*fn, NULL));
    return uva_yield();
}

START_TEST(run_ends_a_task_that_respawns_itself) {
    uva_fn fn = respawn;
    spawned = 0;
    ck_assert_int_eq(uva_run_with(&quiet, leave_respawner, &fn), 0);
    ck_assert_uint_gt(spawned, 1);
    ck_assert_uint_lt(spawned, 1000);
}
END_TEST

START_TEST(run_ends_a_task_that_respawns_itself_busily) {
    uva_fn fn = respawn_busily;
    spawned = 0;
    ck_assert_int_eq(uva_run_with(&quiet, leave_respawner, &fn), 0);
    ck_assert_uint_gt(spawned, 1);
}
END_TEST

/* ---- handles of the program's ------------------------------------------- */

static uv_timer_t timer;
static bool timer_closed;

static void on_timer(uv_timer_t *handle) {
    (void)handle;
}

static void on_timer_closed(uv_handle_t *handle) {
    (void)handle;
    timer_closed = true;
}

static int forget_a_timer(void *arg) {
    uv_loop_t *loop = uva_runtime_loop(uva_runtime_current());
    ck_assert_int_eq(uv_timer_init(loop, &timer), 0);
    ck_assert_int_eq(uv_timer_start(&timer, on_timer, 60000, 0), 0);
    if (arg != NULL)
        uv_close((uv_handle_t *)&timer, on_timer_closed);
    return 0;
}

START_TEST(run_closes_a_forgotten_handle) {
    CONFORMS("K-193");
    ck_assert_int_eq(uva_run_with(&quiet, forget_a_timer, NULL), 0);
    ck_assert_uint_eq(support_report_count(), 1);
    ck_assert(support_reports_contain("a libuv timer handle was still open"));
    ck_assert(uv_is_closing((uv_handle_t *)&timer));
}
END_TEST

START_TEST(run_lets_a_handle_finish_closing) {
    timer_closed = false;
    ck_assert_int_eq(uva_run_with(&quiet, forget_a_timer, &timer_closed), 0);
    ck_assert(timer_closed);
    ck_assert_uint_eq(support_report_count(), 0);
}
END_TEST

static int forget_a_listener(void *arg) {
    uva_listener_t *listener = NULL;
    (void)arg;
    return uva_tcp_listen("127.0.0.1", 0, 8, &listener);
}

START_TEST(run_closes_a_forgotten_listener) {
    CONFORMS("K-193");
    ck_assert_int_eq(uva_run_with(&quiet, forget_a_listener, NULL), 0);
    ck_assert_uint_eq(support_report_count(), 1);
    ck_assert(support_reports_contain("a listener (opened at "));
    ck_assert(support_reports_contain("test_run.c:"));
}
END_TEST

/* ---- futures after the run ---------------------------------------------- */

static uva_future_t *kept[3];

static void never(uva_future_t *f, void *arg) {
    (void)f;
    (void)arg;
    ck_abort_msg("the future was never completed");
}

static int keep_futures(void *arg) {
    (void)arg;
    kept[0] = uva_future_new();
    kept[1] = uva_spawn(wait_for_ever, NULL);
    kept[2] = uva_future_new();
    ck_assert_int_eq(uva_on_done(kept[0], never, NULL), 0);
    ck_assert_int_eq(uva_future_resolve(kept[2], &kept), 0);
    uva_future_t *dropped = uva_future_new();
    ck_assert_int_eq(uva_on_done(dropped, never, NULL), 0);
    uva_unref(dropped);
    return uva_yield();
}

START_TEST(run_leaves_held_futures_readable) {
    CONFORMS("K-174");
    ck_assert_int_eq(uva_run_with(&quiet, keep_futures, NULL), 0);
    ck_assert(!uva_is_done(kept[0]));
    ck_assert_int_eq(uva_status(kept[1]), UV_ECANCELED);
    ck_assert_ptr_eq(uva_value(kept[2]), &kept);
    ck_assert_int_eq(uva_on_done(kept[0], never, NULL), UV_ESHUTDOWN);
    ck_assert_int_eq(uva_on_done(kept[2], never, NULL), UV_ESHUTDOWN);
    ck_assert_int_eq(uva_future_fail(kept[0], UV_EIO, "too late"), 0);
    ck_assert_int_eq(uva_status(kept[0]), UV_EIO);
    for (size_t i = 0; i < 3; i++)
        uva_unref(kept[i]);
}
END_TEST

/* A future of one run while another runs in the same thread. */
static int use_an_old_future(void *arg) {
    (void)arg;
    ck_assert_int_eq(uva_status(kept[1]), UV_ECANCELED);
    ck_assert_int_eq(uva_await(uva_ref(kept[2]), NULL), UV_EPERM);
    uva_unref(kept[2]);
    return 0;
}

START_TEST(run_refuses_to_await_a_future_of_another_run) {
    ck_assert_int_eq(uva_run_with(&quiet, keep_futures, NULL), 0);
    ck_assert_int_eq(uva_run_with(&quiet, use_an_old_future, NULL), 0);
    ck_assert(support_reports_contain("belongs to another runtime"));
    for (size_t i = 0; i < 3; i++)
        uva_unref(kept[i]);
}
END_TEST

/* ---- the loop ----------------------------------------------------------- */

static int stop_the_loop(void *arg) {
    (void)arg;
    uv_stop(uva_runtime_loop(uva_runtime_current()));
    ck_assert_int_eq(uva_sleep(3), 0);
    uv_stop(uva_runtime_loop(uva_runtime_current()));
    return 42;
}

START_TEST(run_is_not_ended_by_uv_stop) {
    ck_assert_int_eq(uva_run_with(&quiet, stop_the_loop, NULL), 42);
    ck_assert_uint_eq(support_report_count(), 0);
}
END_TEST

static void note_post(void *arg) {
    record("post:%d", *(int *)arg);
}

static void post_from_thread(void *arg) {
    static int numbers[] = {1, 2};
    uva_runtime_t *runtime = arg;
    ck_assert_int_eq(uva_post(runtime, note_post, &numbers[0]), 0);
    ck_assert_int_eq(uva_post(runtime, note_post, &numbers[1]), 0);
    uva_runtime_unref(runtime);
}

static int fail_after_posts(void *arg) {
    (void)arg;
    uva_runtime_t *runtime = uva_runtime_ref(uva_runtime_current());
    support_in_thread(post_from_thread, runtime);
    return UV_EIO;
}

START_TEST(run_still_makes_the_calls_that_were_queued) {
    CONFORMS("K-175");
    ck_assert_int_eq(uva_run_with(&quiet, fail_after_posts, NULL), UV_EIO);
    ck_expect_record("post:1 post:2");
}
END_TEST

/* ---- deadlocks ---------------------------------------------------------- */

static uva_semaphore_t nobody_releases;

static int get_stuck(void *arg) {
    (void)arg;
    int code = uva_semaphore_acquire(&nobody_releases);
    record("stuck:%s", uv_err_name(code));
    return code;
}

static int deadlock(void *arg) {
    (void)arg;
    uva_semaphore_init(&nobody_releases, 0);
    uva_task_options_t options = {.name = "stuck"};
    uva_task_t *stuck = uva_spawn_with(&options, get_stuck, NULL);
    return uva_await(stuck, NULL);
}

START_TEST(run_reports_a_deadlock_and_cancels_main) {
    ck_assert_int_eq(uva_run_with(&quiet, deadlock, NULL), UV_ECANCELED);
    ck_expect_record("stuck:ECANCELED");
    ck_assert_uint_eq(support_report_count(), 1);
    ck_assert(support_reports_contain("deadlock: every task is parked"));
    ck_assert(support_reports_contain("task 'stuck'  parked in semaphore"));
    ck_assert(support_reports_contain("parked in await for task 'stuck'"));
}
END_TEST

static int deadlock_twice(void *arg) {
    ck_assert_int_eq(uva_sleep(UVA_FOREVER), UV_ECANCELED);
    ck_assert_int_eq(uva_uncancel(uva_current()), 0);
    return uva_sleep(UVA_FOREVER) == UV_ECANCELED ? *(int *)arg : 0;
}

START_TEST(run_reports_every_deadlock) {
    int code = 9;
    ck_assert_int_eq(uva_run_with(&quick, deadlock_twice, &code), 9);
    ck_assert_uint_eq(support_report_count(), 2);
}
END_TEST

static int deadlock_behind_a_shield(void *arg) {
    uva_scope_t scope;
    (void)arg;
    uva_semaphore_init(&nobody_releases, 0);
    uva_scope_open(&scope, UVA_FOREVER, UVA_SCOPE_SHIELD);
    int code = uva_semaphore_acquire(&nobody_releases);
    (void)uva_scope_close(&scope);
    return code;
}

static void run_shielded_deadlock(void *arg) {
    (void)arg;
    (void)uva_run(deadlock_behind_a_shield, NULL);
}

START_TEST(run_aborts_on_a_shielded_deadlock) {
    ck_assert(support_dies(run_shielded_deadlock, NULL, SIGABRT,
                           "give the shielding scope a deadline"));
    ck_assert(support_dies(run_shielded_deadlock, NULL, SIGABRT,
                           "parked in semaphore"));
}
END_TEST

static void release_later(void *arg) {
    (void)arg;
    ck_assert_int_eq(uva_semaphore_release(&nobody_releases), 0);
}

/* Waits until main is parked, and a while longer. */
static void post_late(void *arg) {
    uva_runtime_t *runtime = arg;
    uv_sleep(30);
    ck_assert_int_eq(uva_post(runtime, release_later, NULL), 0);
    uva_runtime_unref(runtime);
}

static int wait_for_a_thread(void *arg) {
    uv_thread_t thread;
    (void)arg;
    uva_semaphore_init(&nobody_releases, 0);
    ck_assert_int_eq(uv_thread_create(&thread, post_late,
                                      uva_runtime_ref(uva_runtime_current())),
                     0);
    int code = uva_semaphore_acquire(&nobody_releases);
    ck_assert_int_eq(uv_thread_join(&thread), 0);
    return code;
}

START_TEST(run_sees_no_deadlock_while_a_thread_may_post) {
    ck_assert_int_eq(uva_run_with(&quiet, wait_for_a_thread, NULL), 0);
    ck_assert_uint_eq(support_report_count(), 0);
}
END_TEST

static void let_go(void *rt) {
    uv_sleep(20);
    uva_runtime_unref(rt);
}

static int wait_for_a_quitter(void *arg) {
    uv_thread_t thread;
    uva_runtime_t *rt = uva_runtime_ref(uva_runtime_current());
    (void)arg;
    ck_assert_int_eq(uv_thread_create(&thread, let_go, rt), 0);
    int code = uva_sleep(UVA_FOREVER);
    ck_assert_int_eq(uv_thread_join(&thread), 0);
    return code;
}

START_TEST(run_sees_a_deadlock_once_the_last_thread_has_gone) {
    ck_assert_int_eq(uva_run_with(&quiet, wait_for_a_quitter, NULL),
                     UV_ECANCELED);
    ck_assert(support_reports_contain("deadlock"));
}
END_TEST

SUITE("run", run_returns_mains_code, run_does_not_report_mains_failure,
      run_inside_a_run_is_busy, run_inside_a_callback_is_busy,
      run_survives_every_failure, run_gives_the_reason_of_libuv,
      run_cancels_and_awaits_what_is_left, run_never_begins_what_was_not_begun,
      run_names_sixteen_of_the_pending, run_lets_cleanup_spawn_and_await,
      run_cancels_what_cleanup_left, run_ends_a_task_that_respawns_itself,
      run_ends_a_task_that_respawns_itself_busily,
      run_closes_a_forgotten_handle, run_lets_a_handle_finish_closing,
      run_closes_a_forgotten_listener, run_leaves_held_futures_readable,
      run_refuses_to_await_a_future_of_another_run, run_is_not_ended_by_uv_stop,
      run_still_makes_the_calls_that_were_queued,
      run_reports_a_deadlock_and_cancels_main, run_reports_every_deadlock,
      run_aborts_on_a_shielded_deadlock,
      run_sees_no_deadlock_while_a_thread_may_post,
      run_sees_a_deadlock_once_the_last_thread_has_gone)
