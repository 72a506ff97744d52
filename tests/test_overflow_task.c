/* What a task may put on its stack, and how the process ends when it is too
 * much. test_overflow.c has the handler by itself. */
#include "overflow_fixture.h"
#include "support/support.h"

#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>
#include <uvawait.h>

static const uva_options_t quiet = {.report = support_report};

#define KIB ((size_t)1024)

/* ---- too much ----------------------------------------------------------- */

static int dig(void *arg) {
    (void)arg;
    return (int)(recurse(0) & 1);
}

static int spawn_digger(void *arg) {
    (void)arg;
    return uva_await(uva_spawn(dig, NULL), NULL);
}

static void overflow_in_a_run(void *arg) {
    (void)uva_run_with(arg, spawn_digger, NULL);
}

/* The name is given, and the size; parks come before. */
static int dig_after_a_park(void *arg) {
    ck_assert_int_eq(uva_sleep(1), 0);
    return dig(arg);
}

static int spawn_named_digger(void *arg) {
    uva_task_options_t options = {.name = "mole", .stack_bytes = 512 * KIB};
    (void)arg;
    return uva_await(uva_spawn_with(&options, dig_after_a_park, NULL), NULL);
}

static void overflow_of_a_named_task(void *arg) {
    (void)uva_run_with(arg, spawn_named_digger, NULL);
}

static int measure_a_stack(void *arg) {
    uva_stack_stats_t stats;
    int code = uva_stack_stats(uva_runtime_current(), &stats);
    *(size_t *)arg = stats.stack_bytes;
    return code;
}

/* What the report says of a stack that was asked for with so many KiB; 256 is
 * the default. Sanitizers need larger frames, and get larger stacks. */
static const char *used_up(size_t kib) {
    static char text[64];
    size_t bytes = 0;
    ck_assert_int_eq(uva_run_with(&quiet, measure_a_stack, &bytes), 0);
    snprintf(text, sizeof text, ": its %zu KiB are used up",
             bytes / (256 * KIB) * kib);
    return text;
}

START_TEST(overflow_in_a_task_names_function_and_place) {
    ck_assert(
        support_dies(overflow_in_a_run, NULL, SIGSEGV,
                     "uvawait: stack overflow in task 'dig' (spawned at "));
    ck_assert(support_dies(overflow_in_a_run, NULL, SIGSEGV,
                           "test_overflow_task.c:"));
    ck_assert(support_dies(overflow_in_a_run, NULL, SIGSEGV, used_up(256)));
}
END_TEST

START_TEST(overflow_in_a_task_tells_its_name_and_size) {
    ck_assert(support_dies(overflow_of_a_named_task, NULL, SIGSEGV,
                           "stack overflow in task 'mole'"));
    ck_assert(
        support_dies(overflow_of_a_named_task, NULL, SIGSEGV, used_up(512)));
}
END_TEST

static int main_digs(void *arg) {
    return dig(arg);
}

static void overflow_of_main(void *arg) {
    (void)uva_run_with(arg, main_digs, NULL);
}

START_TEST(overflow_of_main_names_it) {
    ck_assert(support_dies(overflow_of_main, NULL, SIGSEGV,
                           "stack overflow in task 'main'"));
}
END_TEST

START_TEST(overflow_is_reported_where_guards_cost_mappings) {
    faults_fail_every(FAULT_MADVISE, 1, UV_EINVAL);
    ck_assert(support_dies(overflow_in_a_run, NULL, SIGSEGV,
                           "stack overflow in task 'dig'"));
}
END_TEST

/* ---- the host's handler ------------------------------------------------- */

static void say(const char *text) {
    ssize_t written = write(STDERR_FILENO, text, strlen(text));
    (void)written;
}

static void hosts_handler(int signal_number) {
    (void)signal_number;
    say("the host's handler\n");
    _exit(9);
}

static void set_hosts_handler(struct sigaction *ret_before) {
    struct sigaction action = {.sa_handler = hosts_handler,
                               .sa_flags = SA_ONSTACK};
    sigemptyset(&action.sa_mask);
    ck_assert_int_eq(sigaction(SIGSEGV, &action, ret_before), 0);
}

static void overflow_with_a_hosts_handler(void *arg) {
    set_hosts_handler(NULL);
    overflow_in_a_run(arg);
}

START_TEST(overflow_goes_on_to_the_hosts_handler) {
    ck_assert(support_dies(overflow_with_a_hosts_handler, NULL, 0,
                           "the host's handler\n"));
    ck_assert(support_dies(overflow_with_a_hosts_handler, NULL, 0,
                           "stack overflow in task 'dig'"));
}
END_TEST

static int fault_elsewhere(void *arg) {
    (void)arg;
    return *(volatile int *)(uintptr_t)frame_bytes;
}

static void fault_in_a_run(void *arg) {
    set_hosts_handler(NULL);
    (void)uva_run_with(arg, fault_elsewhere, NULL);
}

START_TEST(overflow_leaves_other_faults_to_the_host) {
    ck_assert(support_dies(fault_in_a_run, NULL, 0, "the host's handler\n"));
}
END_TEST

static void (*handler_now(void))(int) {
    struct sigaction action;
    ck_assert_int_eq(sigaction(SIGSEGV, NULL, &action), 0);
    return action.sa_handler;
}

static int see_a_handler(void *arg) {
    (void)arg;
    ck_assert(handler_now() != hosts_handler);
    return 0;
}

START_TEST(overflow_puts_the_hosts_handler_back) {
    struct sigaction before;
    set_hosts_handler(&before);
    for (int i = 0; i < 3; i++) {
        ck_assert_int_eq(uva_run_with(&quiet, see_a_handler, NULL), 0);
        ck_assert(handler_now() == hosts_handler);
    }
    ck_assert_int_eq(sigaction(SIGSEGV, &before, NULL), 0);
}
END_TEST

/* ---- a host's runtime --------------------------------------------------- */

/* Whether a runtime with these options has a handler of its own. */
static bool is_handled(bool report_overflow) {
    uva_options_t options = {.report = support_report,
                             .report_overflow = report_overflow};
    uva_runtime_t *runtime = NULL;
    uv_loop_t loop;
    ck_assert_int_eq(uv_loop_init(&loop), 0);
    ck_assert_int_eq(uva_runtime_attach(&loop, &options, &runtime), 0);
    bool handled = handler_now() != hosts_handler;
    ck_assert_int_eq(uva_runtime_detach(runtime, NULL, NULL), 0);
    ck_assert_int_eq(uv_run(&loop, UV_RUN_DEFAULT), 0);
    ck_assert_int_eq(uv_loop_close(&loop), 0);
    ck_assert(handler_now() == hosts_handler);
    return handled;
}

START_TEST(overflow_is_watched_for_a_host_only_if_it_asks) {
    struct sigaction before;
    set_hosts_handler(&before);
    ck_assert(!is_handled(false));
    ck_assert(is_handled(true));
    ck_assert(!is_handled(false));
    ck_assert_int_eq(sigaction(SIGSEGV, &before, NULL), 0);
}
END_TEST

/* ---- what is not too much ----------------------------------------------- */

static size_t fill(volatile char *buffer, size_t bytes) {
    size_t sum = 0;
    for (size_t i = 0; i < bytes; i++)
        buffer[i] = (char)i;
    for (size_t i = 0; i < bytes; i++)
        sum += buffer[i] == (char)i;
    return sum;
}

static int use_64_kib(void *arg) {
    volatile char buffer[64 * 1024];
    (void)arg;
    ck_assert_uint_eq(fill(buffer, sizeof buffer), sizeof buffer);
    ck_assert_int_eq(uva_sleep(1), 0);
    ck_assert_int_eq(buffer[100], 100);
    return 0;
}

static int spawn_several(void *arg) {
    uva_future_t *tasks[20];
    (void)arg;
    for (int i = 0; i < 20; i++)
        tasks[i] = uva_spawn(use_64_kib, NULL);
    return uva_gather(tasks, 20, NULL);
}

START_TEST(overflow_is_far_with_64_kib_in_a_frame) {
    ck_assert_int_eq(uva_run_with(&quiet, spawn_several, NULL), 0);
}
END_TEST

static int use_900_kib(void *arg) {
    volatile char buffer[900 * 1024];
    (void)arg;
    ck_assert_uint_eq(fill(buffer, sizeof buffer), sizeof buffer);
    ck_assert_int_eq(uva_yield(), 0);
    ck_assert_uint_ge(uva_stack_used(uva_current()), sizeof buffer - 1000);
    return 0;
}

/* Stacks of two sizes, used again and again. */
static int spawn_large(void *arg) {
    uva_task_options_t options = {.stack_bytes = KIB * KIB};
    (void)arg;
    for (int i = 0; i < 3; i++) {
        uva_future_t *tasks[] = {uva_spawn_with(&options, use_900_kib, NULL),
                                 uva_spawn(use_64_kib, NULL),
                                 uva_spawn_with(&options, use_900_kib, NULL)};
        ck_assert_int_eq(uva_gather(tasks, 3, NULL), 0);
    }
    return 0;
}

START_TEST(overflow_is_far_in_a_stack_of_its_own_size) {
    ck_assert_int_eq(uva_run_with(&quiet, spawn_large, NULL), 0);
    ck_assert_uint_eq(support_report_count(), 0);
}
END_TEST

static int main_of_any_size(void *arg) {
    (void)arg;
    return use_900_kib(NULL);
}

START_TEST(overflow_is_far_when_every_stack_is_large) {
    uva_options_t options = {.report = support_report,
                             .stack_bytes = KIB * KIB};
    ck_assert_int_eq(uva_run_with(&options, main_of_any_size, NULL), 0);
}
END_TEST

SUITE("overflow_task", overflow_in_a_task_names_function_and_place,
      overflow_in_a_task_tells_its_name_and_size, overflow_of_main_names_it,
      overflow_is_reported_where_guards_cost_mappings,
      overflow_goes_on_to_the_hosts_handler,
      overflow_leaves_other_faults_to_the_host,
      overflow_puts_the_hosts_handler_back,
      overflow_is_watched_for_a_host_only_if_it_asks,
      overflow_is_far_with_64_kib_in_a_frame,
      overflow_is_far_in_a_stack_of_its_own_size,
      overflow_is_far_when_every_stack_is_large)
