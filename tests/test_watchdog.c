/* labels: threads valgrind; timeout: 30 */
/*
 * What blocks the loop is reported while it blocks. The clock is real, but no
 * case depends on it: a body blocks until the report of it has come.
 */
#include "support/support.h"

#include <dirent.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>
#include <uvawait.h>

#include "runtime/sanitizers.h"

#ifdef UVA__HAVE_VALGRIND
#include <valgrind/valgrind.h>
#endif

#define NOINLINE __attribute__((noinline))

/* Long enough that nobody takes that long who is only out of luck. */
#define SLOW_MS 100

#define ck_expect_part(part) \
    ck_assert_msg(support_reports_contain(part), "no \"%s\" in:\n%s", part, \
                  support_reports())

/* ---- what a body waits for ---------------------------------------------- */

static atomic_uint blocked_reports; /* of the watchdog */
static int release[2];              /* gets a byte for each of them */
static atomic_uint blocked_ms;      /* of the last one */

/* The hook: keeps the text, and lets go of who is blocked. Main is not. */
static void keep(void *arg, const char *text) {
    support_report(arg, text);
    const char *how_long = strstr(text, " blocks the loop: for ");
    if (how_long == NULL || strncmp(text, "task 'main'", 11) == 0)
        return;
    unsigned seconds = 0;
    unsigned ms = 0;
    ck_assert_int_eq(
        sscanf(how_long, " blocks the loop: for %u.%u", &seconds, &ms), 2);
    atomic_store(&blocked_ms, seconds * 1000 + ms);
    atomic_fetch_add(&blocked_reports, 1);
    ck_assert_int_eq(write(release[1], "!", 1), 1);
}

static void set_up(void) {
    ck_assert_int_eq(pipe(release), 0);
}

static void tear_down(void) {
    close(release[0]);
    close(release[1]);
}

static int run_with(const uva_options_t *options, uva_fn main, void *arg) {
    set_up();
    int code = uva_run_with(options, main, arg);
    tear_down();
    return code;
}

static int run(uva_fn main, void *arg) {
    uva_options_t options = {
        .debug = true, .slow_task_ms = SLOW_MS, .report = keep};
    return run_with(&options, main, arg);
}

/* Whether backtraces can be had here at all. */
static bool has_traces(void) {
#ifdef UVA__HAVE_VALGRIND
    if (RUNNING_ON_VALGRIND)
        return false;
#endif
    return !UVA__TSAN && access("/proc/self/syscall", R_OK) == 0;
}

static void expect_trace(const char *how, const char *function) {
    if (!has_traces()) {
        ck_expect_part("(no backtrace: ");
        return;
    }
    ck_expect_part(how);
    ck_expect_part(function);
}

/* ---- bodies that block -------------------------------------------------- */

static NOINLINE ssize_t read_the_pipe(void) {
    char byte;
    ssize_t count = read(release[0], &byte, 1);
    atomic_signal_fence(memory_order_seq_cst); /* so that this is no jump */
    return count;
}

static int wait_in_read(void *arg) {
    (void)arg;
    ck_assert_int_eq(read_the_pipe(), 1);
    return 0;
}

static NOINLINE void spin_here(void) {
    unsigned before = atomic_load(&blocked_reports);
    while (atomic_load(&blocked_reports) == before) {}
}

static int compute(void *arg) {
    (void)arg;
    spin_here();
    return 0;
}

static int spawn_it(void *arg) {
    uva_fn body = *(uva_fn *)arg;
    return uva_await(uva_spawn(body, NULL), NULL);
}

static void run_body(uva_fn body) {
    ck_assert_int_eq(run(spawn_it, &body), 0);
}

START_TEST(watchdog_reports_a_wait_while_it_lasts) {
    CONFORMS("K-195");
    run_body(wait_in_read);
    ck_expect_part("task 'body-");
    ck_expect_part(" (spawned at ");
    ck_expect_part("test_watchdog.c:");
    ck_expect_part(") blocks the loop: for 0.");
    ck_assert_uint_ge(atomic_load(&blocked_ms), SLOW_MS);
    ck_expect_part("Give the work to uva_to_thread(), or call uva_yield()");
    expect_trace("it waits; ", "read_the_pipe+0x");
    expect_trace("it waits; ", "wait_in_read+0x");
    expect_trace("it waits; ", "(test_watchdog+0x");
    /* And at its end, as ever: the two reports are all. */
    ck_expect_part(") ran for 0.");
    ck_assert_uint_eq(atomic_load(&blocked_reports), 1);
    ck_assert_uint_eq(support_report_count(), 2);
}
END_TEST

START_TEST(watchdog_reports_a_computation_while_it_lasts) {
    run_body(compute);
    expect_trace("it computes, ", "spin_here+0x");
    expect_trace("it computes, ", "compute+0x");
    ck_assert_uint_eq(support_report_count(), 2);
}
END_TEST

/* ---- a mutex ------------------------------------------------------------ */

static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static uv_sem_t is_held;

/* Holds it until it is told that somebody waits for it. */
static void hold_mutex(void *arg) {
    (void)arg;
    pthread_mutex_lock(&mutex);
    uv_sem_post(&is_held);
    ck_assert_int_eq(read_the_pipe(), 1);
    pthread_mutex_unlock(&mutex);
}

static NOINLINE int lock_mutex(void *arg) {
    (void)arg;
    int code = pthread_mutex_lock(&mutex);
    ck_assert_int_eq(pthread_mutex_unlock(&mutex), 0);
    return code;
}

/* For all that it knows this lasts for ever. */
START_TEST(watchdog_reports_who_waits_for_a_mutex) {
    uva_fn body = lock_mutex;
    uva_options_t options = {
        .debug = true, .slow_task_ms = SLOW_MS, .report = keep};
    uv_thread_t thread;
    set_up();
    ck_assert_int_eq(uv_sem_init(&is_held, 0), 0);
    ck_assert_int_eq(uv_thread_create(&thread, hold_mutex, NULL), 0);
    uv_sem_wait(&is_held);
    ck_assert_int_eq(uva_run_with(&options, spawn_it, &body), 0);
    uv_thread_join(&thread);
    uv_sem_destroy(&is_held);
    tear_down();
    expect_trace("it waits; ", "lock_mutex+0x");
}
END_TEST

/* ---- callbacks ---------------------------------------------------------- */

static void block_in_callback(void *arg) {
    (void)wait_in_read(arg);
}

static int post_a_callback(void *arg) {
    ck_assert_int_eq(uva_post(uva_runtime_current(), block_in_callback, arg),
                     0);
    return uva_sleep(1);
}

START_TEST(watchdog_reports_a_callback) {
    ck_assert_int_eq(run(post_a_callback, NULL), 0);
    ck_expect_part("a callback blocks the loop: for 0.");
    expect_trace("it waits; ", "block_in_callback+0x");
}
END_TEST

/* ---- what must not change ----------------------------------------------- */

static int nap_undisturbed(void *arg) {
    const struct timespec nap = {.tv_nsec = 999999999};
    (void)arg;
    do {
        ck_assert_int_eq(nanosleep(&nap, NULL), 0);
    } while (atomic_load(&blocked_reports) == 0);
    return 0;
}

START_TEST(watchdog_wakes_nobody) {
    run_body(nap_undisturbed);
    expect_trace("it waits; ", "nap_undisturbed+0x");
}
END_TEST

static void (*urgent_handler(void))(int) {
    struct sigaction now;
    ck_assert_int_eq(sigaction(SIGURG, NULL, &now), 0);
    return now.sa_handler;
}

/* Computes until it is to be asked, and then waits. */
static int wait_when_asked(void *arg) {
    while (urgent_handler() == SIG_DFL) {}
    return wait_in_read(arg);
}

/* The signal would end many a wait: who has begun one is sent none. In the
 * moment between it may still be, so there are some tries. */
START_TEST(watchdog_sends_no_signal_to_who_waits_by_then) {
    if (!has_traces())
        SKIP("the body is not asked");
    for (int i = 0; i < 50 && !support_reports_contain("it waits; "); i++) {
        support_reports_clear();
        run_body(wait_when_asked);
    }
    expect_trace("it waits; ", "wait_when_asked+0x");
}
END_TEST

static atomic_uint urgent_calls;

static void on_urgent(int signum) {
    (void)signum;
    atomic_fetch_add(&urgent_calls, 1);
}

START_TEST(watchdog_leaves_the_hosts_handler_alone) {
    struct sigaction host = {.sa_handler = on_urgent};
    struct sigaction before;
    ck_assert_int_eq(sigaction(SIGURG, &host, &before), 0);
    run_body(compute);
    ck_assert(urgent_handler() == on_urgent);
    ck_assert_uint_eq(atomic_load(&urgent_calls), 0);
    ck_assert_int_eq(sigaction(SIGURG, &before, NULL), 0);
    if (has_traces())
        ck_expect_part("(no backtrace: SIGURG has a handler of the host's)");
}
END_TEST

START_TEST(watchdog_puts_the_hosts_disposition_back) {
    struct sigaction host = {.sa_handler = SIG_IGN};
    struct sigaction before;
    run_body(compute);
    ck_assert(urgent_handler() == SIG_DFL);
    ck_assert_int_eq(sigaction(SIGURG, &host, &before), 0);
    run_body(compute);
    ck_assert(urgent_handler() == SIG_IGN);
    ck_assert_int_eq(sigaction(SIGURG, &before, NULL), 0);
}
END_TEST

/* A signal that is on its way when its question is over does no harm. */
static int compute_deaf(void *arg) {
    sigset_t urgent;
    sigemptyset(&urgent);
    sigaddset(&urgent, SIGURG);
    ck_assert_int_eq(pthread_sigmask(SIG_BLOCK, &urgent, NULL), 0);
    (void)compute(arg);
    ck_assert_int_eq(pthread_sigmask(SIG_UNBLOCK, &urgent, NULL), 0);
    return 0;
}

START_TEST(watchdog_gives_up_on_a_deaf_thread) {
    run_body(compute_deaf);
    ck_assert(urgent_handler() == SIG_DFL);
    if (has_traces())
        ck_expect_part("(no backtrace: the thread did not answer SIGURG");
}
END_TEST

/* Ends its slice when it is asked where it stands, and does not answer. */
static int end_while_asked(void *arg) {
    sigset_t urgent;
    sigset_t pending;
    (void)arg;
    sigemptyset(&urgent);
    sigaddset(&urgent, SIGURG);
    ck_assert_int_eq(pthread_sigmask(SIG_BLOCK, &urgent, NULL), 0);
    do {
        ck_assert_int_eq(sigpending(&pending), 0);
    } while (sigismember(&pending, SIGURG) == 0);
    ck_assert_int_eq(uva_sleep(1000), 0);
    ck_assert_int_eq(pthread_sigmask(SIG_UNBLOCK, &urgent, NULL), 0);
    return 0;
}

START_TEST(watchdog_accuses_nobody_who_is_over) {
    if (!has_traces())
        SKIP("the body is not asked");
    run_body(end_while_asked);
    ck_expect_part(") ran for 0.");
    ck_assert_uint_eq(support_report_count(), 1);
}
END_TEST

static bool has_signal_stack(void) {
    stack_t now;
    ck_assert_int_eq(sigaltstack(NULL, &now), 0);
    return (now.ss_flags & SS_DISABLE) == 0;
}

/* Not on that of a task, which may be all but used up. */
START_TEST(watchdog_brings_a_stack_for_its_signal) {
    uva_options_t options = {.debug = true, .report = support_report};
    uva_runtime_t *rt;
    uv_loop_t loop;
    bool had_one = has_signal_stack(); /* a sanitizer's */
    ck_assert_int_eq(uv_loop_init(&loop), 0);
    ck_assert_int_eq(uva_runtime_attach(&loop, &options, &rt), 0);
    ck_assert(has_signal_stack());
    ck_assert_int_eq(uva_runtime_detach(rt, NULL, NULL), 0);
    ck_assert_int_eq(uv_run(&loop, UV_RUN_DEFAULT), 0);
    ck_assert_int_eq(uv_loop_close(&loop), 0);
    ck_assert(has_signal_stack() == had_one);
    ck_assert_str_eq(support_reports(), "");
}
END_TEST

/* ---- how often ---------------------------------------------------------- */

static int wait_for_two(void *arg) {
    ck_assert_int_eq(read_the_pipe(), 1);
    return wait_in_read(arg);
}

/* Again when it has lasted ten times as long. */
START_TEST(watchdog_reports_again_when_it_gets_worse) {
    uva_options_t options = {.debug = true, .slow_task_ms = 20, .report = keep};
    uva_fn body = wait_for_two;
    ck_assert_int_eq(run_with(&options, spawn_it, &body), 0);
    ck_assert_uint_eq(atomic_load(&blocked_reports), 2);
    ck_assert_uint_ge(atomic_load(&blocked_ms), 200);
}
END_TEST

static int block_twice(void *arg) {
    ck_assert_int_eq(wait_in_read(arg), 0);
    ck_assert_int_eq(uva_yield(), 0);
    return wait_in_read(arg);
}

START_TEST(watchdog_reports_each_stretch) {
    run_body(block_twice);
    ck_assert_uint_eq(atomic_load(&blocked_reports), 2);
    ck_assert_uint_eq(support_report_count(), 4);
}
END_TEST

static int idle(void *arg) {
    (void)arg;
    return uva_sleep(1000);
}

/* A loop that waits for events is blocked by nobody. */
START_TEST(watchdog_accuses_no_idle_loop) {
    uva_options_t options = {
        .debug = true, .slow_task_ms = 300, .report = keep};
    ck_assert_int_eq(run_with(&options, idle, NULL), 0);
    ck_assert_str_eq(support_reports(), "");
}
END_TEST

/* ---- names -------------------------------------------------------------- */

static int block_renamed(void *arg) {
    ck_assert_int_eq(uva_set_name(uva_current(), arg), 0);
    return wait_in_read(NULL);
}

static int run_renamed(void *arg) {
    return uva_await(uva_spawn(block_renamed, arg), NULL);
}

START_TEST(watchdog_knows_the_name) {
    ck_assert_int_eq(run(run_renamed, "mole"), 0);
    ck_expect_part("task 'mole' (spawned at ");
}
END_TEST

START_TEST(watchdog_cuts_a_long_name) {
    char name[300] = "";
    memset(name, 'x', sizeof name - 1);
    ck_assert_int_eq(run(run_renamed, name), 0);
    name[95] = '\0';
    char part[400];
    snprintf(part, sizeof part, "task '%s' (spawned at ", name);
    ck_expect_part(part);
}
END_TEST

/* ---- the hook ----------------------------------------------------------- */

static atomic_int inside;

static void call_alone(void *arg, const char *text) {
    ck_assert_int_eq(atomic_fetch_add(&inside, 1), 0);
    /* A hook may do what is reported in turn. */
    if (strncmp(text, "uva_spawn: ", 11) == 0) {
        atomic_fetch_sub(&inside, 1);
        ck_assert_int_eq(uva_await(NULL, NULL), UV_ENOMEM);
        return;
    }
    if (strstr(text, " blocks the loop: for ") != NULL)
        atomic_fetch_add(&blocked_reports, 1);
    (void)arg;
    atomic_fetch_sub(&inside, 1);
}

static int report_all_the_time(void *arg) {
    (void)arg;
    while (atomic_load(&blocked_reports) == 0)
        ck_assert_ptr_null(uva_spawn(NULL, NULL));
    return 0;
}

START_TEST(watchdog_calls_the_hook_alone) {
    uva_options_t options = {
        .debug = true, .slow_task_ms = SLOW_MS, .report = call_alone};
    ck_assert_int_eq(uva_run_with(&options, report_all_the_time, NULL), 0);
}
END_TEST

/* ---- its life ----------------------------------------------------------- */

static size_t count_threads(void) {
    size_t count = 0;
    DIR *directory = opendir("/proc/self/task");
    ck_assert_ptr_nonnull(directory);
    while (readdir(directory) != NULL)
        count++;
    closedir(directory);
    return count;
}

static void end_at_once(void *arg) {
    (void)arg;
}

/* ThreadSanitizer has one of its own as soon as there is another. */
static void start_a_thread(void) {
    uv_thread_t thread;
    ck_assert_int_eq(uv_thread_create(&thread, end_at_once, NULL), 0);
    uv_thread_join(&thread);
}

static int return_threads(void *arg) {
    *(size_t *)arg = count_threads();
    return 0;
}

START_TEST(watchdog_is_there_only_in_debug_with_the_real_clock) {
    uva_options_t options = {.report = support_report};
    start_a_thread();
    size_t before = count_threads();
    size_t during = 0;
    ck_assert_int_eq(uva_run_with(&options, return_threads, &during), 0);
    ck_assert_uint_eq(during, before);
    options.debug = true;
    ck_assert_int_eq(uva_run_with(&options, return_threads, &during), 0);
    ck_assert_uint_eq(during, before + 1);
    options.clock = UVA_CLOCK_VIRTUAL;
    ck_assert_int_eq(uva_run_with(&options, return_threads, &during), 0);
    ck_assert_uint_eq(during, before);
    ck_assert_uint_eq(count_threads(), before);
    ck_assert_str_eq(support_reports(), "");
}
END_TEST

static void run_in_a_thread(void *arg) {
    uva_options_t options = {
        .debug = true, .slow_task_ms = SLOW_MS, .report = keep};
    uva_fn body = compute;
    ck_assert_int_eq(uva_run_with(&options, spawn_it, &body), 0);
    (void)arg;
}

/* Each has its own; their questions do not meet. */
START_TEST(watchdog_of_several_runtimes) {
    uv_thread_t threads[3];
    set_up();
    for (int i = 0; i < 3; i++)
        ck_assert_int_eq(uv_thread_create(&threads[i], run_in_a_thread, NULL),
                         0);
    for (int i = 0; i < 3; i++)
        uv_thread_join(&threads[i]);
    tear_down();
    expect_trace("it computes, ", "spin_here+0x");
    ck_assert(urgent_handler() == SIG_DFL);
}
END_TEST

static int nothing(void *arg) {
    (void)arg;
    return 0;
}

/* Whatever it lacks: the program runs, or is refused as without debug. */
static void lack(fault_t kind) {
    uva_options_t options = {.debug = true, .report = support_report};
    size_t reported = 0;
    for (unsigned n = 1;; n++) {
        support_reports_clear();
        faults_fail(kind, n);
        int code = uva_run_with(&options, nothing, NULL);
        if (faults_clear() == 0)
            break;
        bool has_none = support_reports_contain(
            "no watchdog could be started (not enough memory): a task that "
            "blocks the loop is reported only when it lets go of it");
        ck_assert_msg(code == (has_none ? 0 : UV_ENOMEM), "%s %u: %d, %s",
                      faults_name(kind), n, code, support_reports());
        reported += has_none;
    }
    ck_assert_uint_eq(reported, 1);
}

START_TEST(watchdog_is_not_needed) {
    lack(FAULT_UV_THREAD_CREATE);
    lack(FAULT_UV_MUTEX_INIT_RECURSIVE);
    lack(FAULT_UV_MUTEX_INIT);
    lack(FAULT_UV_COND_INIT);
}
END_TEST

/* Without memory for a backtrace there is none. */
static int starve_until_reported(void *arg) {
    faults_fail_every(FAULT_CALLOC, 1, UV_ENOMEM);
    (void)compute(arg);
    (void)faults_clear();
    return 0;
}

START_TEST(watchdog_reports_without_memory_for_a_backtrace) {
    run_body(starve_until_reported);
    ck_expect_part("task 'body-");
    ck_expect_part("(no backtrace: ");
}
END_TEST

SUITE("watchdog", watchdog_reports_a_wait_while_it_lasts,
      watchdog_reports_a_computation_while_it_lasts,
      watchdog_reports_who_waits_for_a_mutex, watchdog_reports_a_callback,
      watchdog_wakes_nobody, watchdog_sends_no_signal_to_who_waits_by_then,
      watchdog_leaves_the_hosts_handler_alone,
      watchdog_puts_the_hosts_disposition_back,
      watchdog_gives_up_on_a_deaf_thread, watchdog_accuses_nobody_who_is_over,
      watchdog_brings_a_stack_for_its_signal,
      watchdog_reports_again_when_it_gets_worse, watchdog_reports_each_stretch,
      watchdog_accuses_no_idle_loop, watchdog_knows_the_name,
      watchdog_cuts_a_long_name, watchdog_calls_the_hook_alone,
      watchdog_is_there_only_in_debug_with_the_real_clock,
      watchdog_of_several_runtimes, watchdog_is_not_needed,
      watchdog_reports_without_memory_for_a_backtrace)
