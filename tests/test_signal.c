/* labels: valgrind */
/* Signals that tasks wait for: none is lost, each listener is told, and the
 * default action is back afterwards. */
#include "stream_fixture.h"

#include <errno.h>
#include <sys/wait.h>

static bool is_default(int signum) {
    struct sigaction now;
    ck_assert_int_eq(sigaction(signum, NULL, &now), 0);
    return now.sa_handler == SIG_DFL;
}

static void raise_now(void *arg) {
    (void)arg;
    ck_assert_int_eq(raise(SIGUSR1), 0);
}

/* Lets the loop poll until what was raised before has come through libuv's
 * pipe: of two signals the second is told last. */
static void settle(void) {
    ck_assert_int_eq(uva_sleep(1), 0);
    ck_assert_int_eq(uva_sleep(1), 0);
}

/* ---- waiting ------------------------------------------------------------ */

static int wait_in_poll(void *arg) {
    (void)arg;
    uva_signal_t *signal = NULL;
    ck_assert(is_default(SIGUSR1));
    ck_assert_int_eq(uva_signal_open(SIGUSR1, &signal), 0);
    /* The parent of this case is the test; a child is who sends it. */
    pid_t self = getpid();
    pid_t child = fork();
    ck_assert_int_ge(child, 0);
    if (child == 0)
        _exit(kill(self, SIGUSR1) == 0 ? 0 : 1);
    ck_assert_int_eq(uva_signal_next(signal), 1);
    int status = -1;
    ck_assert_int_eq(waitpid(child, &status, 0), child);
    ck_assert_int_eq(status, 0);
    uva_signal_close(signal);
    /* Given back at once; a second close of nothing does no harm. */
    ck_assert(is_default(SIGUSR1));
    uva_signal_close(NULL);
    return 0;
}

START_TEST(signal_wakes_the_poll) {
    CONFORMS("K-236", "K-237");
    run_clean(wait_in_poll);
}
END_TEST

static int count_arrivals(void *arg) {
    (void)arg;
    uva_signal_t *signal = NULL;
    ck_assert_int_eq(uva_signal_open(SIGUSR1, &signal), 0);
    for (int i = 0; i < 3; i++)
        raise_now(NULL);
    settle();
    int arrived = uva_signal_next(signal);
    ck_assert_int_ge(arrived, 1);
    ck_assert_int_le(arrived, 3);
    /* All were told: the next one waits. */
    uva_scope_t scope;
    uva_scope_open(&scope, 1, 0);
    ck_assert_int_eq(uva_signal_next(signal), UV_ECANCELED);
    ck_assert_int_eq(uva_scope_close(&scope), UV_ETIMEDOUT);
    raise_now(NULL);
    ck_assert_int_eq(uva_signal_next(signal), 1);
    uva_signal_close(signal);
    return 0;
}

START_TEST(signal_counts_what_nobody_waited_for) {
    CONFORMS("K-239");
    run_clean(count_arrivals);
}
END_TEST

static int two_listeners(void *arg) {
    (void)arg;
    uva_signal_t *one = NULL;
    uva_signal_t *two = NULL;
    ck_assert_int_eq(uva_signal_open(SIGUSR1, &one), 0);
    ck_assert_int_eq(uva_signal_open(SIGUSR1, &two), 0);
    raise_now(NULL);
    ck_assert_int_eq(uva_signal_next(one), 1);
    ck_assert_int_eq(uva_signal_next(two), 1);
    uva_signal_close(one);
    ck_assert(!is_default(SIGUSR1));
    raise_now(NULL);
    ck_assert_int_eq(uva_signal_next(two), 1);
    uva_signal_close(two);
    ck_assert(is_default(SIGUSR1));
    return 0;
}

START_TEST(signal_is_told_to_each_listener) {
    run_clean(two_listeners);
}
END_TEST

/* ---- queues and windows ------------------------------------------------- */

typedef struct listener {
    const char *name;
    uva_signal_t *signal;
} listener_t;

static int listen_once(void *arg) {
    const listener_t *self = arg;
    int code = uva_signal_next(self->signal);
    record("%s:%d", self->name, code < 0 ? -1 : code);
    return code < 0 ? code : 0;
}

static uva_task_t *spawn_listener(const char *name, uva_signal_t *signal) {
    listener_t self = {.name = name, .signal = signal};
    uva_task_options_t options = {
        .name = name, .copy = &self, .copy_bytes = sizeof self};
    return uva_spawn_with(&options, listen_once, NULL);
}

static int wake_in_order(void *arg) {
    (void)arg;
    uva_signal_t *signal = NULL;
    ck_assert_int_eq(uva_signal_open(SIGUSR1, &signal), 0);
    uva_task_t *a = spawn_listener("a", signal);
    uva_task_t *b = spawn_listener("b", signal);
    uva_task_t *c = spawn_listener("c", signal);
    ck_assert_int_eq(uva_yield(), 0);
    raise_now(NULL);
    ck_assert_int_eq(uva_await(a, NULL), 0);
    /* A place in the queue is given up; who is left gets the next one. */
    ck_assert(uva_cancel(b));
    ck_assert_int_eq(uva_await(b, NULL), UV_ECANCELED);
    raise_now(NULL);
    ck_assert_int_eq(uva_await(c, NULL), 0);
    ck_expect_record("a:1 b:-1 c:1");
    uva_task_t *d = spawn_listener("d", signal);
    ck_assert_int_eq(uva_yield(), 0);
    uva_signal_close(signal);
    ck_assert_int_eq(uva_await(d, NULL), UV_ECANCELED);
    ck_expect_record("d:-1");
    return 0;
}

START_TEST(signal_wakes_who_has_waited_longest) {
    run_clean(wake_in_order);
}
END_TEST

typedef struct cutter {
    uv_signal_t handle;
    uva_task_t *task;
} cutter_t;

static void cut_listener(uv_signal_t *handle, int signum) {
    cutter_t *cutter = handle->data;
    (void)signum;
    (void)uva_cancel(cutter->task);
    record("cut");
}

/* The signal has woken a task, which is cancelled before it runs: it was told,
 * and meets the request at its next park. */
static int cut_after_wake(void *arg) {
    (void)arg;
    uva_signal_t *signal = NULL;
    cutter_t cutter = {.task = NULL};
    ck_assert_int_eq(uva_signal_open(SIGUSR1, &signal), 0);
    uv_loop_t *loop = uva_runtime_loop(uva_runtime_current());
    ck_assert_int_eq(uv_signal_init(loop, &cutter.handle), 0);
    cutter.handle.data = &cutter;
    ck_assert_int_eq(uv_signal_start(&cutter.handle, cut_listener, SIGUSR1), 0);
    cutter.task = spawn_listener("a", signal);
    uva_task_t *task = uva_ref(cutter.task);
    ck_assert_int_eq(uva_yield(), 0);
    raise_now(NULL);
    /* Which handle libuv calls first is its own affair; both ends are legal. */
    int code = uva_await(task, NULL);
    char seen[SUPPORT_RECORD_BYTES];
    support_record_take(seen);
    if (code == 0)
        ck_assert_str_eq(seen, "cut a:1");
    else
        ck_assert_str_eq(seen, "cut a:-1");
    uva_unref(cutter.task);
    uv_close((uv_handle_t *)&cutter.handle, NULL);
    ck_assert_int_eq(uva_sleep(1), 0);
    /* Told once: to the task, or to who asks now. */
    uva_scope_t scope;
    uva_scope_open(&scope, 1, 0);
    ck_assert_int_eq(uva_signal_next(signal), code == 0 ? UV_ECANCELED : 1);
    (void)uva_scope_close(&scope);
    uva_signal_close(signal);
    return 0;
}

START_TEST(signal_and_cancellation_in_one_tick) {
    run_clean(cut_after_wake);
}
END_TEST

/* ---- one call ----------------------------------------------------------- */

static int wait_once(void *arg) {
    (void)arg;
    int code = uva_signal_wait(SIGUSR2);
    record("got:%d", code);
    return code;
}

static int one_call(void *arg) {
    (void)arg;
    uva_task_t *task = uva_spawn(wait_once, NULL);
    ck_assert_int_eq(uva_yield(), 0);
    ck_assert(!is_default(SIGUSR2));
    ck_assert_int_eq(raise(SIGUSR2), 0);
    ck_assert_int_eq(uva_await(task, NULL), 0);
    ck_assert(is_default(SIGUSR2));
    ck_expect_record("got:0");

    uva_scope_t scope;
    uva_scope_open(&scope, 1, 0);
    ck_assert_int_eq(uva_signal_wait(SIGUSR2), UV_ECANCELED);
    /* Cut before it began: nothing is touched. */
    unsigned long before = faults_calls(FAULT_UV_SIGNAL_START);
    ck_assert_int_eq(uva_signal_wait(SIGUSR2), UV_ECANCELED);
    ck_assert_uint_eq(faults_calls(FAULT_UV_SIGNAL_START), before);
    ck_assert_int_eq(uva_scope_close(&scope), UV_ETIMEDOUT);
    ck_assert(is_default(SIGUSR2));
    return 0;
}

START_TEST(signal_wait_is_one_call) {
    run_clean(one_call);
}
END_TEST

/* ---- errors ------------------------------------------------------------- */

static int fail_in_all_ways(void *arg) {
    (void)arg;
    uva_signal_t *signal = NULL;
    ck_assert_int_eq(uva_signal_open(0, &signal), UV_EINVAL);
    ck_assert_int_eq(uva_signal_open(-1, &signal), UV_EINVAL);
    ck_assert_int_eq(uva_signal_open(100000, &signal), UV_EINVAL);
    ck_assert_int_eq(uva_signal_open(SIGKILL, &signal), UV_EINVAL);
    ck_assert_int_eq(uva_signal_open(SIGSTOP, &signal), UV_EINVAL);
    ck_assert_int_eq(uva_signal_open(SIGUSR1, NULL), UV_EINVAL);
    ck_assert_int_eq(uva_signal_wait(SIGKILL), UV_EINVAL);
    ck_assert_int_eq(uva_signal_next(NULL), UV_EINVAL);
    ck_assert_ptr_null(signal);
    ck_assert(is_default(SIGUSR1));
    return 0;
}

START_TEST(signal_says_why_it_failed) {
    CONFORMS("K-238");
    uva_signal_t *signal = NULL;
    run_clean(fail_in_all_ways);
    ck_assert_int_eq(uva_signal_open(SIGUSR1, &signal), UV_EPERM);
    ck_assert_int_eq(uva_signal_wait(SIGUSR1), UV_EPERM);
    ck_assert_int_eq((uva_signal_open)(SIGUSR1, &signal), UV_EPERM);
    ck_assert_int_eq((uva_signal_wait)(SIGUSR1), UV_EPERM);
}
END_TEST

static int wait_with_fault(void *arg) {
    fault_t kind = *(const fault_t *)arg;
    uva_signal_t *signal = NULL;
    faults_fail(kind, 1);
    int code = uva_signal_open(SIGUSR1, &signal);
    unsigned long injected = faults_clear();
    if (kind == FAULT_MALLOC && injected == 0) {
        /* Came from a pool that had room. */
        uva_signal_close(signal);
        return 0;
    }
    ck_assert_uint_eq(injected, 1);
    ck_assert_int_eq(code, UV_ENOMEM);
    ck_assert_ptr_null(signal);
    ck_assert(is_default(SIGUSR1));
    return 0;
}

START_TEST(signal_survives_faults) {
    fault_t kinds[] = {FAULT_UV_SIGNAL_INIT, FAULT_UV_SIGNAL_START,
                       FAULT_MALLOC};
    for (size_t i = 0; i < sizeof kinds / sizeof kinds[0]; i++) {
        ck_assert_int_eq(uva_run_with(&quiet, wait_with_fault, &kinds[i]), 0);
        ck_assert_str_eq(support_reports(), "");
    }
}
END_TEST

static int forget(void *arg) {
    (void)arg;
    uva_signal_t *signal = NULL;
    return uva_signal_open(SIGUSR1, &signal);
}

START_TEST(signal_left_open_is_reported_and_closed) {
    ck_assert_int_eq(uva_run_with(&quiet, forget, NULL), 0);
    ck_assert_uint_eq(support_report_count(), 1);
    ck_assert(support_reports_contain("a signal (opened at "));
    ck_assert(support_reports_contain("test_signal.c"));
    ck_assert(is_default(SIGUSR1));
}
END_TEST

/* ---- a host's loop ------------------------------------------------------ */

START_TEST(signal_wakes_a_task_on_a_hosts_loop) {
    uv_loop_t loop;
    uva_runtime_t *runtime = NULL;
    ck_assert_int_eq(uv_loop_init(&loop), 0);
    ck_assert_int_eq(uva_runtime_attach(&loop, &quiet, &runtime), 0);
    uva_task_t *task = uva_spawn(wait_once, NULL);
    (void)uv_run(&loop, UV_RUN_NOWAIT);
    ck_assert_int_eq(raise(SIGUSR2), 0);
    (void)uv_run(&loop, UV_RUN_DEFAULT);
    ck_expect_record("got:0");
    uva_unref(task);
    ck_assert_int_eq(uva_runtime_detach(runtime, NULL, NULL), 0);
    (void)uv_run(&loop, UV_RUN_DEFAULT);
    ck_assert_int_eq(uv_loop_close(&loop), 0);
    ck_assert_str_eq(support_reports(), "");
}
END_TEST

SUITE("signal", signal_wakes_the_poll, signal_counts_what_nobody_waited_for,
      signal_is_told_to_each_listener, signal_wakes_who_has_waited_longest,
      signal_and_cancellation_in_one_tick, signal_wait_is_one_call,
      signal_says_why_it_failed, signal_survives_faults,
      signal_left_open_is_reported_and_closed,
      signal_wakes_a_task_on_a_hosts_loop)
