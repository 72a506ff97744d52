/* uva_run() that ends in good order on SIGINT and SIGTERM, and what is in force
 * afterwards. */
#include "support/support.h"

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>
#include <uvawait.h>

static const uva_options_t graceful = {.report = support_report,
                                       .handle_signals = true};

static bool is_in_force(int signum, void (*handler)(int)) {
    struct sigaction now;
    ck_assert_int_eq(sigaction(signum, NULL, &now), 0);
    return now.sa_handler == handler;
}

/* The default actions; check has handlers of its own. */
static void forget_check(void) {
    struct sigaction action = {.sa_handler = SIG_DFL};
    ck_assert_int_eq(sigaction(SIGINT, &action, NULL), 0);
    ck_assert_int_eq(sigaction(SIGTERM, &action, NULL), 0);
}

static void send_to_self(int signum) {
    ck_assert_int_eq(kill(getpid(), signum), 0);
}

static int raise_in_a_task(void *arg) {
    send_to_self(*(const int *)arg);
    return 0;
}

/* ---- main is cancelled -------------------------------------------------- */

static int clean_up(void) {
    uva_scope_t scope;
    uva_scope_open(&scope, UVA_FOREVER, UVA_SCOPE_SHIELD);
    ck_assert_int_eq(uva_sleep(1), 0);
    record("cleaned");
    return uva_scope_close(&scope);
}

static int sleep_on(void *arg) {
    ck_assert(!is_in_force(SIGINT, SIG_DFL));
    ck_assert(!is_in_force(SIGTERM, SIG_DFL));
    uva_unref(uva_spawn(raise_in_a_task, arg));
    int code = uva_sleep(UVA_FOREVER);
    record("%s", code == UV_ECANCELED ? "cut" : "?");
    /* The second one would kill. */
    ck_assert(is_in_force(SIGINT, SIG_DFL));
    ck_assert(is_in_force(SIGTERM, SIG_DFL));
    ck_assert_int_eq(clean_up(), 0);
    return code;
}

static int spin_on(void *arg) {
    uva_unref(uva_spawn(raise_in_a_task, arg));
    int code = 0;
    while (code == 0)
        code = uva_yield();
    record("cut");
    ck_assert_int_eq(clean_up(), 0);
    return code;
}

START_TEST(run_interrupted_cancels_main) {
    CONFORMS("K-164");
    forget_check();
    int signums[] = {SIGINT, SIGTERM};
    for (int i = 0; i < 2; i++) {
        ck_assert_int_eq(uva_run_with(&graceful, sleep_on, &signums[i]),
                         UV_EINTR);
        ck_expect_record("cut cleaned");
        ck_assert_int_eq(uva_run_with(&graceful, spin_on, &signums[i]),
                         UV_EINTR);
        ck_expect_record("cut cleaned");
        ck_assert(is_in_force(SIGINT, SIG_DFL));
        ck_assert(is_in_force(SIGTERM, SIG_DFL));
    }
    ck_assert_str_eq(support_reports(), "");
}
END_TEST

/* It comes from outside while the loop blocks in its poll: a child sends it
 * when it has seen by the pipe that main is about to sleep. */
static int sleep_in_poll(void *arg) {
    int *fd = arg;
    ck_assert_int_eq(write(*fd, "x", 1), 1);
    return uva_sleep(UVA_FOREVER);
}

START_TEST(run_interrupted_in_its_poll) {
    forget_check();
    int ends[2];
    int status = -1;
    ck_assert_int_eq(pipe(ends), 0);
    pid_t parent = getpid();
    pid_t child = fork();
    ck_assert_int_ge(child, 0);
    if (child == 0) {
        char byte;
        bool sent = read(ends[0], &byte, 1) == 1 && kill(parent, SIGINT) == 0;
        _exit(sent ? 0 : 1);
    }
    ck_assert_int_eq(uva_run_with(&graceful, sleep_in_poll, &ends[1]),
                     UV_EINTR);
    ck_assert_int_eq(waitpid(child, &status, 0), child);
    ck_assert_int_eq(status, 0);
    ck_assert_str_eq(support_reports(), "");
    close(ends[0]);
    close(ends[1]);
}
END_TEST

/* ---- main has the last word --------------------------------------------- */

static int end_with_success(void *arg) {
    (void)sleep_on(arg);
    return 7;
}

static int take_it_back(void *arg) {
    ck_assert_int_eq(sleep_on(arg), UV_ECANCELED);
    ck_assert_int_eq(uva_uncancel(uva_current()), 0);
    ck_assert_int_eq(uva_sleep(1), 0);
    return 8;
}

static int cancel_itself(void *arg) {
    (void)arg;
    (void)uva_cancel(uva_current());
    return uva_sleep(1);
}

START_TEST(run_interrupted_returns_what_main_makes_of_it) {
    forget_check();
    int signum = SIGINT;
    ck_assert_int_eq(uva_run_with(&graceful, end_with_success, &signum), 7);
    ck_expect_record("cut cleaned");
    ck_assert_int_eq(uva_run_with(&graceful, take_it_back, &signum), 8);
    ck_expect_record("cut cleaned");
    /* Cancelled, but not by a signal. */
    ck_assert_int_eq(uva_run_with(&graceful, cancel_itself, NULL),
                     UV_ECANCELED);
    ck_assert(is_in_force(SIGINT, SIG_DFL));
}
END_TEST

/* ---- what was before ---------------------------------------------------- */

static volatile sig_atomic_t host_signals;

static void on_host_signal(int signum) {
    (void)signum;
    host_signals++;
}

static int end_at_once(void *arg) {
    (void)arg;
    ck_assert(!is_in_force(SIGINT, on_host_signal));
    return 0;
}

static int raise_twice(void *arg) {
    (void)arg;
    send_to_self(SIGINT);
    int code = uva_sleep(UVA_FOREVER);
    ck_assert(is_in_force(SIGINT, on_host_signal));
    send_to_self(SIGINT);
    return code;
}

START_TEST(run_puts_back_the_hosts_handler) {
    forget_check();
    struct sigaction host = {.sa_handler = on_host_signal};
    ck_assert_int_eq(sigaction(SIGINT, &host, NULL), 0);
    ck_assert_int_eq(uva_run_with(&graceful, end_at_once, NULL), 0);
    ck_assert(is_in_force(SIGINT, on_host_signal));
    ck_assert_int_eq(host_signals, 0);
    ck_assert_int_eq(uva_run_with(&graceful, raise_twice, NULL), UV_EINTR);
    ck_assert_int_eq(host_signals, 1);
    ck_assert(is_in_force(SIGINT, on_host_signal));
    ck_assert(is_in_force(SIGTERM, SIG_DFL));
}
END_TEST

static int ignore_int(void *arg) {
    (void)arg;
    ck_assert(is_in_force(SIGINT, SIG_IGN));
    ck_assert(!is_in_force(SIGTERM, SIG_DFL));
    send_to_self(SIGINT);
    return uva_sleep(1);
}

START_TEST(run_leaves_alone_what_is_ignored) {
    forget_check();
    struct sigaction ignore = {.sa_handler = SIG_IGN};
    ck_assert_int_eq(sigaction(SIGINT, &ignore, NULL), 0);
    ck_assert_int_eq(uva_run_with(&graceful, ignore_int, NULL), 0);
    ck_assert(is_in_force(SIGINT, SIG_IGN));
    ck_assert(is_in_force(SIGTERM, SIG_DFL));
}
END_TEST

/* Another loop listens as well: its handler is libuv's, and stays. */
static void count_signal(uv_signal_t *handle, int signum) {
    (void)signum;
    ++*(int *)handle->data;
}

static int raise_and_sleep(void *arg) {
    (void)arg;
    send_to_self(SIGINT);
    return uva_sleep(UVA_FOREVER);
}

START_TEST(run_does_not_disturb_another_loop) {
    forget_check();
    uv_loop_t loop;
    uv_signal_t handle;
    int count = 0;
    ck_assert_int_eq(uv_loop_init(&loop), 0);
    ck_assert_int_eq(uv_signal_init(&loop, &handle), 0);
    handle.data = &count;
    ck_assert_int_eq(uv_signal_start(&handle, count_signal, SIGINT), 0);
    ck_assert_int_eq(uva_run_with(&graceful, raise_and_sleep, NULL), UV_EINTR);
    ck_assert(!is_in_force(SIGINT, SIG_DFL));
    (void)uv_run(&loop, UV_RUN_NOWAIT);
    ck_assert_int_eq(count, 1);
    send_to_self(SIGINT);
    (void)uv_run(&loop, UV_RUN_NOWAIT);
    ck_assert_int_eq(count, 2);
    uv_close((uv_handle_t *)&handle, NULL);
    (void)uv_run(&loop, UV_RUN_DEFAULT);
    ck_assert_int_eq(uv_loop_close(&loop), 0);
    ck_assert(is_in_force(SIGINT, SIG_DFL));
}
END_TEST

static int not_asked(void *arg) {
    (void)arg;
    ck_assert(is_in_force(SIGINT, SIG_DFL));
    ck_assert(is_in_force(SIGTERM, SIG_DFL));
    return 0;
}

START_TEST(run_touches_no_signal_unless_asked) {
    forget_check();
    ck_assert_int_eq(uva_run(not_asked, NULL), 0);
}
END_TEST

/* ---- the second one ----------------------------------------------------- */

static int ignore_the_first(void *arg) {
    (void)arg;
    send_to_self(SIGINT);
    ck_assert_int_eq(uva_sleep(UVA_FOREVER), UV_ECANCELED);
    (void)!write(STDERR_FILENO, "cancelled\n", 10);
    send_to_self(SIGINT);
    (void)!write(STDERR_FILENO, "alive\n", 6);
    return 0;
}

static void run_and_be_killed(void *arg) {
    (void)arg;
    (void)uva_run_with(&graceful, ignore_the_first, NULL);
}

START_TEST(run_is_killed_by_the_second) {
    forget_check();
    ck_assert(support_dies(run_and_be_killed, NULL, SIGINT, "cancelled"));
}
END_TEST

static int linger(void *arg) {
    (void)arg;
    while (uva_sleep(UVA_FOREVER) == 0) {}
    send_to_self(SIGTERM);
    return 0;
}

static int leave_one_behind(void *arg) {
    (void)arg;
    uva_unref(uva_spawn(linger, NULL));
    return uva_yield();
}

static void end_and_be_killed(void *arg) {
    (void)arg;
    (void)!write(STDERR_FILENO, "begin\n", 6);
    (void)uva_run_with(&graceful, leave_one_behind, NULL);
}

/* main is over, and the others are being waited for. */
START_TEST(run_is_killed_while_it_ends) {
    forget_check();
    ck_assert(support_dies(end_and_be_killed, NULL, SIGTERM, "begin"));
}
END_TEST

/* ---- deadlocks, threads, faults ----------------------------------------- */

static int wait_for_nothing(void *arg) {
    (void)arg;
    uva_semaphore_t semaphore = UVA_SEMAPHORE_INIT(0);
    return uva_semaphore_acquire(&semaphore);
}

/* To sleep for ever is to wait for a signal; a deadlock is one still. */
START_TEST(run_with_signals_still_finds_deadlocks) {
    forget_check();
    ck_assert_int_eq(uva_run_with(&graceful, wait_for_nothing, NULL),
                     UV_ECANCELED);
    ck_assert(support_reports_contain("deadlock"));
}
END_TEST

static int sleep_a_little(void *arg) {
    (void)arg;
    return uva_sleep(1);
}

static void *run_in_thread(void *arg) {
    int *code = arg;
    *code = uva_run_with(&graceful, sleep_a_little, NULL);
    return NULL;
}

START_TEST(run_with_signals_off_the_main_thread) {
    CONFORMS("K-165");
    forget_check();
    pthread_t thread;
    int code = -1;
    ck_assert_int_eq(pthread_create(&thread, NULL, run_in_thread, &code), 0);
    ck_assert_int_eq(pthread_join(thread, NULL), 0);
    ck_assert_int_eq(code, 0);
    ck_assert(is_in_force(SIGINT, SIG_DFL));
    ck_assert_str_eq(support_reports(), "");
}
END_TEST

static int must_not_run(void *arg) {
    *(bool *)arg = true;
    return 0;
}

START_TEST(run_with_signals_survives_faults) {
    forget_check();
    fault_t kinds[] = {FAULT_UV_SIGNAL_INIT, FAULT_UV_SIGNAL_START};
    for (int i = 0; i < 2; i++) {
        for (unsigned long nth = 1; nth <= 2; nth++) {
            bool has_run = false;
            faults_fail(kinds[i], nth);
            ck_assert_int_eq(uva_run_with(&graceful, must_not_run, &has_run),
                             UV_ENOMEM);
            ck_assert_uint_eq(faults_clear(), 1);
            ck_assert(!has_run);
            ck_assert(is_in_force(SIGINT, SIG_DFL));
            ck_assert(is_in_force(SIGTERM, SIG_DFL));
        }
    }
    ck_assert_str_eq(support_reports(), "");
}
END_TEST

SUITE("run_signals", run_interrupted_cancels_main, run_interrupted_in_its_poll,
      run_interrupted_returns_what_main_makes_of_it,
      run_puts_back_the_hosts_handler, run_leaves_alone_what_is_ignored,
      run_does_not_disturb_another_loop, run_touches_no_signal_unless_asked,
      run_is_killed_by_the_second, run_is_killed_while_it_ends,
      run_with_signals_still_finds_deadlocks,
      run_with_signals_off_the_main_thread, run_with_signals_survives_faults)
