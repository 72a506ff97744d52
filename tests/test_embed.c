/* labels: threads valgrind */
/* A runtime on a loop that the host owns and runs. */
#include "support/support.h"

#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>
#include <uvawait.h>

static const uva_options_t quiet = {.report = support_report};

static uv_loop_t loop;
static uva_runtime_t *runtime;
static int done_calls;

static void done(void *arg) {
    ck_assert_ptr_null(uva_runtime_current());
    done_calls++;
    if (arg != NULL)
        record("%s", (const char *)arg);
}

static void attach(void) {
    ck_assert_int_eq(uva_runtime_attach(&loop, &quiet, &runtime), 0);
    ck_assert_ptr_eq(uva_runtime_current(), runtime);
    ck_assert_ptr_eq(uva_runtime_loop(runtime), &loop);
}

static void open_loop(void) {
    ck_assert_int_eq(uv_loop_init(&loop), 0);
    done_calls = 0;
    attach();
}

/* The rest of a host's life: what is left ends, the loop can be closed. */
static void close_all(void) {
    ck_assert_int_eq(uva_runtime_detach(runtime, done, NULL), 0);
    ck_assert_int_eq(uv_run(&loop, UV_RUN_DEFAULT), 0);
    ck_assert_int_eq(done_calls, 1);
    ck_assert_int_eq(uv_loop_close(&loop), 0);
}

static int step_twice(void *arg) {
    record("%s1", (const char *)arg);
    ck_assert_int_eq(uva_yield(), 0);
    record("%s2", (const char *)arg);
    return 0;
}

static int nap(void *arg) {
    int code = uva_sleep(5);
    record("%s:%d", (const char *)arg, code);
    return code;
}

static int sleep_for_ever(void *arg) {
    int code = uva_sleep(UVA_FOREVER);
    if (arg != NULL)
        record("%s:%s", (const char *)arg, uv_err_name(code));
    return code;
}

static void spawn(uva_fn fn, const char *name) {
    uva_detach(uva_spawn_on(runtime, fn, (void *)(uintptr_t)name));
}

/* ---- every way to run a loop -------------------------------------------- */

START_TEST(embed_host_runs_by_default) {
    open_loop();
    spawn(step_twice, "a");
    spawn(step_twice, "b");
    spawn(nap, "n");
    ck_expect_record("");
    ck_assert_int_eq(uv_run(&loop, UV_RUN_DEFAULT), 0);
    ck_expect_record("a1 b1 a2 b2 n:0");
    close_all();
}
END_TEST

START_TEST(embed_host_runs_once_at_a_time) {
    open_loop();
    spawn(step_twice, "a");
    spawn(nap, "n");
    int turns = 0;
    while (uv_run(&loop, UV_RUN_ONCE) != 0)
        turns++;
    ck_assert_int_lt(turns, 50);
    ck_expect_record("a1 a2 n:0");
    close_all();
}
END_TEST

START_TEST(embed_host_polls_without_waiting) {
    open_loop();
    spawn(step_twice, "a");
    spawn(nap, "n");
    unsigned long turns = 0;
    while (uv_run(&loop, UV_RUN_NOWAIT) != 0)
        turns++;
    ck_assert_uint_gt(turns, 0);
    ck_expect_record("a1 a2 n:0");
    close_all();
}
END_TEST

static void too_late(uv_timer_t *timer) {
    (void)timer;
    ck_abort_msg("the poll has blocked");
}

/* No turn of the loop blocks while something is ready. */
START_TEST(embed_loop_does_not_block_while_a_task_is_ready) {
    uv_timer_t timer;
    open_loop();
    ck_assert_int_eq(uv_timer_init(&loop, &timer), 0);
    ck_assert_int_eq(uv_timer_start(&timer, too_late, 60000, 0), 0);
    spawn(step_twice, "a");
    while (uva_all_tasks(runtime, NULL, 0) > 0)
        ck_assert_int_ne(uv_run(&loop, UV_RUN_ONCE), 0);
    ck_expect_record("a1 a2");
    uv_close((uv_handle_t *)&timer, NULL);
    close_all();
}
END_TEST

static bool was_woken;

/* Is woken by the poll, and keeps the loop busy for more than one turn. */
static int read_and_stay(void *arg) {
    uva_stream_t *stream;
    char byte;
    ck_assert_int_eq(uva_stream_open_fd(*(int *)arg, &stream), 0);
    ck_assert_int_eq(uva_read(stream, &byte, 1), 1);
    was_woken = true;
    uint64_t end_ns = uv_hrtime() + 2000000;
    while (uv_hrtime() < end_ns)
        ck_assert_int_eq(uva_yield(), 0);
    uva_stream_close(stream);
    return 0;
}

/* A host may poll uv_backend_fd() itself, for uv_backend_timeout(). */
START_TEST(embed_what_the_poll_has_woken_keeps_the_next_from_blocking) {
    int fds[2];
    int turns = 0;
    was_woken = false;
    open_loop();
    ck_assert_int_eq(socketpair(AF_UNIX, SOCK_STREAM, 0, fds), 0);
    uva_detach(uva_spawn_on(runtime, read_and_stay, &fds[0]));
    while (!was_woken) {
        ck_assert_int_ne(uv_run(&loop, UV_RUN_NOWAIT), 0);
        if (turns++ == 0)
            ck_assert_int_eq(write(fds[1], "x", 1), 1);
    }
    ck_assert_uint_eq(uva_all_tasks(runtime, NULL, 0), 1);
    ck_assert_int_eq(uv_backend_timeout(&loop), 0);
    ck_assert_int_eq(uv_run(&loop, UV_RUN_DEFAULT), 0);
    ck_assert_int_eq(close(fds[1]), 0);
    close_all();
}
END_TEST

START_TEST(embed_loop_is_not_kept_alive_without_tasks) {
    open_loop();
    ck_assert_int_eq(uv_loop_alive(&loop), 0);
    ck_assert_int_eq(uv_run(&loop, UV_RUN_DEFAULT), 0);
    spawn(nap, "a");
    ck_assert_int_ne(uv_loop_alive(&loop), 0);
    ck_assert_int_eq(uv_run(&loop, UV_RUN_DEFAULT), 0);
    ck_assert_int_eq(uv_loop_alive(&loop), 0);
    spawn(nap, "b");
    ck_assert_int_eq(uv_run(&loop, UV_RUN_DEFAULT), 0);
    ck_expect_record("a:0 b:0");
    close_all();
}
END_TEST

static int stop_host(void *arg) {
    record("stop");
    uv_stop(&loop);
    return step_twice(arg);
}

START_TEST(embed_uv_stop_loses_nothing) {
    open_loop();
    spawn(stop_host, "a");
    spawn(step_twice, "b");
    spawn(nap, "n");
    ck_assert_int_ne(uv_run(&loop, UV_RUN_DEFAULT), 0);
    ck_assert_int_eq(uv_run(&loop, UV_RUN_DEFAULT), 0);
    ck_expect_record("stop a1 b1 a2 b2 n:0");
    close_all();
}
END_TEST

/* ---- the host's callbacks ----------------------------------------------- */

static uva_future_t *answer;
static bool in_callback;

static int await_answer(void *arg) {
    void *value = NULL;
    (void)arg;
    record("ask");
    ck_assert_int_eq(uva_await(uva_ref(answer), &value), 0);
    ck_assert(!in_callback);
    ck_assert_ptr_eq(value, &answer);
    record("answer");
    return 0;
}

static int never_inside(void *arg) {
    ck_assert(!in_callback);
    record("%s", (const char *)arg);
    return 0;
}

static void on_timer(uv_timer_t *timer) {
    in_callback = true;
    ck_assert_ptr_eq(uva_runtime_current(), runtime);
    ck_assert_ptr_null(uva_current());
    record("callback");
    ck_assert_int_eq(uva_future_resolve(answer, &answer), 0);
    uva_detach(uva_spawn_on(runtime, never_inside, "spawned"));
    uva_detach(uva_spawn(never_inside, "too"));
    ck_assert_int_eq(uva_await(uva_ref(answer), NULL), UV_EPERM);
    record("return");
    uv_close((uv_handle_t *)timer, NULL);
    in_callback = false;
}

START_TEST(embed_callback_of_the_host_resolves_a_future) {
    uv_timer_t timer;
    open_loop();
    answer = uva_future_new_on(runtime);
    spawn(await_answer, NULL);
    ck_assert_int_eq(uv_timer_init(&loop, &timer), 0);
    ck_assert_int_eq(uv_timer_start(&timer, too_late, 60000, 0), 0);
    ck_assert_int_ne(uv_run(&loop, UV_RUN_NOWAIT), 0);
    ck_assert_int_eq(uv_timer_start(&timer, on_timer, 2, 0), 0);
    ck_assert_int_eq(uv_run(&loop, UV_RUN_DEFAULT), 0);
    ck_expect_record("ask callback return answer spawned too");
    ck_assert(support_reports_contain("uva_await: called outside a task"));
    uva_unref(answer);
    close_all();
}
END_TEST

/* ---- detaching ---------------------------------------------------------- */

static int clean_up(void *arg) {
    int code = uva_sleep(60000);
    uva_scope_t scope;
    uva_scope_open(&scope, UVA_FOREVER, UVA_SCOPE_SHIELD);
    ck_assert_int_eq(uva_sleep(2), 0);
    (void)uva_scope_close(&scope);
    record("%s:clean", (const char *)arg);
    return code;
}

START_TEST(embed_detach_awaits_what_is_left) {
    CONFORMS("K-162", "K-191");
    open_loop();
    spawn(sleep_for_ever, "a");
    spawn(clean_up, "b");
    ck_assert_int_ne(uv_run(&loop, UV_RUN_NOWAIT), 0);
    ck_assert_int_eq(uva_runtime_detach(runtime, done, "done"), 0);
    ck_expect_record("");
    ck_assert_int_eq(uv_run(&loop, UV_RUN_DEFAULT), 0);
    ck_expect_record("a:ECANCELED b:clean done");
    ck_assert_uint_eq(support_report_count(), 2);
    ck_assert_int_eq(uv_loop_close(&loop), 0);
}
END_TEST

static int detach_and_go_on(void *arg) {
    (void)arg;
    ck_assert_int_eq(uva_runtime_detach(runtime, done, "done"), 0);
    ck_assert_int_eq(uva_runtime_detach(runtime, done, "again"), UV_EALREADY);
    ck_assert_int_eq(uva_sleep(1), UV_ECANCELED);
    record("task");
    return 0;
}

START_TEST(embed_detach_from_inside_a_task) {
    CONFORMS("K-174");
    open_loop();
    spawn(detach_and_go_on, NULL);
    ck_assert_int_eq(uv_run(&loop, UV_RUN_DEFAULT), 0);
    ck_expect_record("task done");
    ck_assert_int_eq(uv_loop_close(&loop), 0);
}
END_TEST

START_TEST(embed_detach_without_done) {
    open_loop();
    uva_runtime_t *held = uva_runtime_ref(runtime);
    ck_assert_int_eq(uva_runtime_detach(runtime, NULL, NULL), 0);
    ck_assert_int_eq(uva_runtime_detach(runtime, NULL, NULL), UV_EALREADY);
    ck_assert_int_eq(uv_run(&loop, UV_RUN_DEFAULT), 0);
    ck_assert_int_eq(uva_runtime_detach(held, NULL, NULL), UV_EALREADY);
    ck_assert_ptr_null(uva_runtime_loop(held));
    ck_assert_int_eq(uv_loop_close(&loop), 0);
    uva_runtime_unref(held);
    ck_assert_int_eq(uva_runtime_detach(NULL, NULL, NULL), UV_EINVAL);
}
END_TEST

static int detach_own(void *arg) {
    (void)arg;
    return uva_runtime_detach(uva_runtime_current(), NULL, NULL);
}

START_TEST(embed_detach_of_uva_runs_own_is_refused) {
    CONFORMS("K-174");
    ck_assert_int_eq(uva_run_with(&quiet, detach_own, NULL), UV_EPERM);
    ck_assert(support_reports_contain("uva_runtime_detach"));
}
END_TEST

static void post_nothing(void *arg) {
    (void)arg;
    record("posted");
}

START_TEST(embed_detach_runs_posts_first) {
    CONFORMS("K-175");
    open_loop();
    ck_assert_int_eq(uva_post(runtime, post_nothing, NULL), 0);
    ck_assert_int_eq(uva_runtime_detach(runtime, done, "done"), 0);
    ck_assert_int_eq(uva_post(runtime, post_nothing, NULL), 0);
    ck_assert_int_eq(uv_run(&loop, UV_RUN_DEFAULT), 0);
    ck_expect_record("posted posted done");
    ck_assert_int_eq(uv_loop_close(&loop), 0);
}
END_TEST

START_TEST(embed_attach_again_after_detach) {
    ck_assert_int_eq(uv_loop_init(&loop), 0);
    for (int i = 0; i < 3; i++) {
        attach();
        spawn(nap, "n");
        ck_assert_int_eq(uv_run(&loop, UV_RUN_DEFAULT), 0);
        ck_assert_int_eq(uva_runtime_detach(runtime, done, "done"), 0);
        ck_assert_int_eq(uv_run(&loop, UV_RUN_DEFAULT), 0);
    }
    ck_expect_record("n:0 done n:0 done n:0 done");
    ck_assert_int_eq(uv_loop_close(&loop), 0);
}
END_TEST

static void attach_anew(void *arg) {
    done(arg);
    attach();
    spawn(nap, "new");
}

START_TEST(embed_attach_again_inside_done) {
    open_loop();
    ck_assert_int_eq(uva_runtime_detach(runtime, attach_anew, "done"), 0);
    ck_assert_int_eq(uv_run(&loop, UV_RUN_DEFAULT), 0);
    ck_expect_record("done new:0");
    done_calls = 0;
    close_all();
}
END_TEST

/* ---- after the end ------------------------------------------------------ */

START_TEST(embed_reference_outlives_the_runtime) {
    CONFORMS("K-174", "K-025");
    open_loop();
    uva_runtime_t *held = uva_runtime_ref(runtime);
    uva_future_t *f = uva_future_new_on(held);
    close_all();
    ck_assert_int_eq(uva_post(held, post_nothing, NULL), UV_ESHUTDOWN);
    ck_assert_int_eq(uva_call(held, nap, NULL), UV_ESHUTDOWN);
    ck_assert_ptr_null(uva_spawn_on(held, nap, "never"));
    ck_assert_ptr_null(uva_future_new_on(held));
    ck_assert_ptr_null(uva_runtime_loop(held));
    ck_assert_uint_eq(uva_all_tasks(held, NULL, 0), 0);
    uva_runtime_unref(held);
    ck_assert_int_eq(uva_status(f), UV_EAGAIN);
    uva_unref(f);
    uva_runtime_unref(NULL);
    ck_assert_ptr_null(uva_runtime_ref(NULL));
    ck_expect_record("");
}
END_TEST

/* ---- deadlock ----------------------------------------------------------- */

START_TEST(embed_deadlock_is_reported_and_the_loop_ends) {
    open_loop();
    spawn(sleep_for_ever, "a");
    ck_assert_int_eq(uv_run(&loop, UV_RUN_DEFAULT), 0);
    ck_assert_uint_eq(support_report_count(), 1);
    ck_assert(support_reports_contain("deadlock"));
    ck_assert(support_reports_contain("parked in sleep"));
    /* The runtime is as good as before. */
    spawn(nap, "n");
    ck_assert_int_eq(uv_run(&loop, UV_RUN_DEFAULT), 0);
    ck_expect_record("n:0");
    close_all();
    ck_expect_record("a:ECANCELED");
}
END_TEST

START_TEST(embed_no_deadlock_while_the_host_has_a_handle) {
    uv_timer_t timer;
    open_loop();
    answer = uva_future_new_on(runtime);
    spawn(await_answer, NULL);
    ck_assert_int_eq(uv_timer_init(&loop, &timer), 0);
    ck_assert_int_eq(uv_timer_start(&timer, on_timer, 10, 0), 0);
    uv_run(&loop, UV_RUN_DEFAULT);
    ck_assert(!support_reports_contain("deadlock"));
    uva_unref(answer);
    close_all();
}
END_TEST

/* ---- refusals and failures ---------------------------------------------- */

START_TEST(embed_attach_refuses) {
    uva_runtime_t *other = NULL;
    ck_assert_int_eq(uva_runtime_attach(NULL, &quiet, &other), UV_EINVAL);
    open_loop();
    ck_assert_int_eq(uva_runtime_attach(&loop, &quiet, NULL), UV_EINVAL);
    ck_assert_int_eq(uva_runtime_attach(&loop, &quiet, &other), UV_EBUSY);
    ck_assert_ptr_null(other);
    ck_assert_ptr_eq(uva_runtime_current(), runtime);
    close_all();
}
END_TEST

/* Attaches with the nth call of a kind failing; true if it was hit. The loop
 * can be used and closed either way. */
static bool attach_with_fault(fault_t kind, unsigned n) {
    ck_assert_int_eq(uv_loop_init(&loop), 0);
    done_calls = 0;
    runtime = NULL;
    faults_fail(kind, n);
    int code = uva_runtime_attach(&loop, &quiet, &runtime);
    bool hit = faults_clear() > 0;
    if (!hit) {
        ck_assert_int_eq(code, 0);
        close_all();
        return false;
    }
    ck_assert_int_eq(code, UV_ENOMEM);
    ck_assert_ptr_null(runtime);
    ck_assert_ptr_null(uva_runtime_current());
    /* At once again, while the handles of the failed one are closing. */
    attach();
    spawn(nap, "n");
    uv_run(&loop, UV_RUN_DEFAULT);
    ck_expect_record("n:0");
    close_all();
    return true;
}

START_TEST(embed_failed_attach_leaves_the_loop_usable) {
    static const fault_t kinds[] = {
        FAULT_MALLOC,         FAULT_CALLOC,        FAULT_UV_MUTEX_INIT,
        FAULT_UV_ASYNC_INIT,  FAULT_UV_IDLE_INIT,  FAULT_UV_PREPARE_INIT,
        FAULT_UV_CHECK_INIT,  FAULT_UV_TIMER_INIT, FAULT_UV_PREPARE_START,
        FAULT_UV_CHECK_START,
    };
    for (size_t i = 0; i < sizeof kinds / sizeof kinds[0]; i++) {
        unsigned n = 1;
        while (attach_with_fault(kinds[i], n))
            n++;
        ck_assert_msg(n > 1, "%s is never called", faults_name(kinds[i]));
    }
}
END_TEST

/* ---- several runtimes --------------------------------------------------- */

/* Every loop is open before the first is closed: libuv closes descriptors
 * behind ThreadSanitizer's back, which then takes a new owner for a race. */
static uv_barrier_t all_open;

static int add_up(void *arg) {
    unsigned long *sum = arg;
    for (unsigned long i = 1; i <= 100; i++) {
        *sum += i;
        int code = i % 10 == 0 ? uva_sleep(1) : uva_yield();
        if (code < 0)
            return code;
    }
    return 0;
}

static void host_thread(void *arg) {
    unsigned long *sum = arg;
    uv_loop_t own;
    uva_runtime_t *mine = NULL;
    ck_assert_int_eq(uv_loop_init(&own), 0);
    ck_assert_int_eq(uva_runtime_attach(&own, &quiet, &mine), 0);
    (void)uv_barrier_wait(&all_open);
    for (int i = 0; i < 4; i++)
        uva_detach(uva_spawn_on(mine, add_up, sum));
    ck_assert_int_eq(uv_run(&own, UV_RUN_DEFAULT), 0);
    ck_assert_int_eq(uva_runtime_detach(mine, NULL, NULL), 0);
    ck_assert_int_eq(uv_run(&own, UV_RUN_DEFAULT), 0);
    ck_assert_int_eq(uv_loop_close(&own), 0);
}

static int wait_and_add_up(void *arg) {
    (void)uv_barrier_wait(&all_open);
    return add_up(arg);
}

static void run_thread(void *arg) {
    ck_assert_int_eq(uva_run_with(&quiet, wait_and_add_up, arg), 0);
}

START_TEST(embed_runtimes_in_threads_do_not_know_each_other) {
    enum { THREADS = 6 };
    uv_thread_t threads[THREADS];
    unsigned long sums[THREADS] = {0};
    ck_assert_int_eq(uv_barrier_init(&all_open, THREADS), 0);
    for (int i = 0; i < THREADS; i++)
        ck_assert_int_eq(uv_thread_create(&threads[i],
                                          i % 2 == 0 ? host_thread : run_thread,
                                          &sums[i]),
                         0);
    for (int i = 0; i < THREADS; i++)
        ck_assert_int_eq(uv_thread_join(&threads[i]), 0);
    for (int i = 0; i < THREADS; i++)
        ck_assert_uint_eq(sums[i], i % 2 == 0 ? 4 * 5050 : 5050);
    uv_barrier_destroy(&all_open);
    ck_assert_uint_eq(support_report_count(), 0);
}
END_TEST

SUITE("embed", embed_host_runs_by_default, embed_host_runs_once_at_a_time,
      embed_host_polls_without_waiting,
      embed_loop_does_not_block_while_a_task_is_ready,
      embed_what_the_poll_has_woken_keeps_the_next_from_blocking,
      embed_loop_is_not_kept_alive_without_tasks, embed_uv_stop_loses_nothing,
      embed_callback_of_the_host_resolves_a_future,
      embed_detach_awaits_what_is_left, embed_detach_from_inside_a_task,
      embed_detach_without_done, embed_detach_of_uva_runs_own_is_refused,
      embed_detach_runs_posts_first, embed_attach_again_after_detach,
      embed_attach_again_inside_done, embed_reference_outlives_the_runtime,
      embed_deadlock_is_reported_and_the_loop_ends,
      embed_no_deadlock_while_the_host_has_a_handle, embed_attach_refuses,
      embed_failed_attach_leaves_the_loop_usable,
      embed_runtimes_in_threads_do_not_know_each_other)
