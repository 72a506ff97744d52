/* labels: threads; timeout: 20 */
/* Events that signal handlers set, and many threads at once. */
#include "support/program.h"

#include <errno.h>
#include <signal.h>
#include <stdatomic.h>
#include <sys/time.h>

static uva_thread_event_t event;

static int wait_as(void *arg) {
    int code = uva_thread_event_wait(&event);
    record("%s:%d", (const char *)arg, code);
    return code;
}

/* ---- signals ------------------------------------------------------------ */

static atomic_int signals;
static atomic_int signal_codes; /* other than 0 */

static void on_signal(int signum) {
    (void)signum;
    atomic_fetch_add(&signals, 1);
    if (uva_thread_event_set(&event) != 0)
        atomic_fetch_add(&signal_codes, 1);
}

static void catch (int signum) {
    struct sigaction action = {.sa_handler = on_signal};
    ck_assert_int_eq(sigaction(signum, &action, NULL), 0);
}

static int raise_main(void *arg) {
    (void)arg;
    ck_assert_int_eq(uva_thread_event_init(&event), 0);
    uva_task_t *a = uva_spawn(wait_as, "a");
    ck_assert_int_eq(uva_yield(), 0);
    errno = ERANGE;
    ck_assert_int_eq(raise(SIGUSR1), 0);
    ck_assert_int_eq(errno, ERANGE);
    ck_assert_int_eq(uva_await(a, NULL), 0);
    uva_thread_event_close(&event);
    ck_assert_int_eq(raise(SIGUSR1), 0);
    ck_assert_int_eq(atomic_load(&signal_codes), 1);
    return 0;
}

START_TEST(thread_event_set_by_a_signal) {
    catch (SIGUSR1);
    program_expect(raise_main);
    ck_expect_record("a:0");
}
END_TEST

/* A timer fires into everything the loop does: its poll, its switches, and
 * uva_thread_event_set() itself. No signal stays unnoticed. */
static int timer_main(void *arg) {
    (void)arg;
    int goal = support_is_slow() ? 200 : 2000;
    struct itimerval every = {{0, 200}, {0, 200}}, never = {{0, 0}, {0, 0}};
    ck_assert_int_eq(uva_thread_event_init(&event), 0);
    ck_assert_int_eq(setitimer(ITIMER_REAL, &every, NULL), 0);
    for (int seen = 0; seen < goal;) {
        ck_assert_int_eq(uva_thread_event_wait(&event), 0);
        uva_thread_event_clear(&event);
        int now = atomic_load(&signals);
        /* Now and then others are about to set it when a signal comes. */
        if (now % 4 == 0)
            for (int i = 0; i < 500; i++)
                ck_assert_int_eq(uva_thread_event_set(&event), 0);
        seen = now;
    }
    ck_assert_int_eq(setitimer(ITIMER_REAL, &never, NULL), 0);
    uva_thread_event_close(&event);
    ck_assert_int_eq(atomic_load(&signal_codes), 0);
    return 0;
}

START_TEST(thread_event_set_by_a_timer_signal) {
    catch (SIGALRM);
    uva_options_t options = {.report = support_report};
    ck_assert_int_eq(uva_run_with(&options, timer_main, NULL), 0);
    ck_assert_str_eq(support_reports(), "");
}
END_TEST

/* ---- storms ------------------------------------------------------------- */

enum { SETTERS = 4 };

static atomic_int sets;
static atomic_bool over;

static void set_often(void *arg) {
    for (int i = *(int *)arg; i > 0; i--) {
        atomic_fetch_add(&sets, 1);
        ck_assert_int_eq(uva_thread_event_set(&event), 0);
    }
}

/* Whatever was counted before a set is seen after the wait that it ends: the
 * last one is never missed. */
static int storm_main(void *arg) {
    uv_thread_t threads[SETTERS];
    int rounds = *(int *)arg;
    ck_assert_int_eq(uva_thread_event_init(&event), 0);
    for (int i = 0; i < SETTERS; i++)
        ck_assert_int_eq(uv_thread_create(&threads[i], set_often, arg), 0);
    while (atomic_load(&sets) < SETTERS * rounds) {
        ck_assert_int_eq(uva_thread_event_wait(&event), 0);
        uva_thread_event_clear(&event);
    }
    for (int i = 0; i < SETTERS; i++)
        ck_assert_int_eq(uv_thread_join(&threads[i]), 0);
    uva_thread_event_close(&event);
    return 0;
}

START_TEST(thread_event_loses_no_set_in_a_storm) {
    int rounds = support_is_slow() ? 10000 : 100000;
    uva_options_t options = {.report = support_report};
    ck_assert_int_eq(uva_run_with(&options, storm_main, &rounds), 0);
    ck_assert_str_eq(support_reports(), "");
}
END_TEST

static uv_sem_t heard;

static void set_when_heard(void *arg) {
    for (int i = *(int *)arg; i > 0; i--) {
        ck_assert_int_eq(uva_thread_event_set(&event), 0);
        uv_sem_wait(&heard);
    }
}

/* In step: each set is the only one, so one that is lost is a hang. */
static int step_main(void *arg) {
    uv_thread_t thread;
    ck_assert_int_eq(uv_sem_init(&heard, 0), 0);
    ck_assert_int_eq(uva_thread_event_init(&event), 0);
    ck_assert_int_eq(uv_thread_create(&thread, set_when_heard, arg), 0);
    for (int i = *(int *)arg; i > 0; i--) {
        ck_assert_int_eq(uva_thread_event_wait(&event), 0);
        uva_thread_event_clear(&event);
        uv_sem_post(&heard);
    }
    ck_assert_int_eq(uv_thread_join(&thread), 0);
    uva_thread_event_close(&event);
    uv_sem_destroy(&heard);
    return 0;
}

START_TEST(thread_event_in_step) {
    int rounds = support_is_slow() ? 2000 : 20000;
    uva_options_t options = {.report = support_report};
    ck_assert_int_eq(uva_run_with(&options, step_main, &rounds), 0);
    ck_assert_str_eq(support_reports(), "");
}
END_TEST

static void set_for_ever(void *arg) {
    (void)arg;
    while (!atomic_load(&over)) {
        int code = uva_thread_event_set(&event);
        ck_assert(code == 0 || code == UV_ESHUTDOWN);
    }
}

/* Threads set it while it is closed, and while its runtime ends; the runtime's
 * memory goes with the last of the two. */
static int short_main(void *arg) {
    int round = *(int *)arg;
    ck_assert_int_eq(uva_thread_event_init(&event), 0);
    ck_assert_int_eq(uva_thread_event_wait(&event), 0);
    if (round % 2 == 0)
        uva_thread_event_close(&event);
    return 0;
}

START_TEST(thread_event_while_runtimes_end) {
    uv_thread_t threads[SETTERS];
    uva_options_t options = {.report = support_report};
    for (int i = 0; i < SETTERS; i++)
        ck_assert_int_eq(uv_thread_create(&threads[i], set_for_ever, NULL), 0);
    for (int i = 0; i < (support_is_slow() ? 40 : 400); i++) {
        ck_assert_int_eq(uva_run_with(&options, short_main, &i), 0);
        uva_thread_event_close(&event);
    }
    atomic_store(&over, true);
    for (int i = 0; i < SETTERS; i++)
        ck_assert_int_eq(uv_thread_join(&threads[i]), 0);
    ck_assert_str_eq(support_reports(), "");
}
END_TEST

SUITE("thread_event_storm", thread_event_set_by_a_signal,
      thread_event_set_by_a_timer_signal, thread_event_loses_no_set_in_a_storm,
      thread_event_in_step, thread_event_while_runtimes_end)
