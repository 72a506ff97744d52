/* The overflow report: what it says, and that it leaves the host its own. */
#include "overflow_fixture.h"
#include "support/support.h"

#include "runtime/overflow.h"
#include "runtime/sanitizers.h"
#include "runtime/stack.h"

#include <errno.h>
#include <pthread.h>
#include <setjmp.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#define KIB ((size_t)1024)

/* Inlined into itself a recursion has frames larger than any guard. */
#if defined(__GNUC__)
#define NOINLINE __attribute__((noinline))
#else
#define NOINLINE
#endif

/* ---- one stack, and what runs on it ------------------------------------- */

static uva__fiber_t main_fiber;
static uva__stacks_t stacks;
static uva__stack_t *current; /* what the scheduler would know */
static uva__overflow_info_t said = {"deep", "server.c", 42, 0};

static bool describe(const void *address, uva__overflow_info_t *ret_info) {
    if (!uva__stacks_guard_hit(&stacks, current, address))
        return false;
    *ret_info = said;
    ret_info->bytes = current->bytes;
    return true;
}

static bool describe_nothing(const void *address,
                             uva__overflow_info_t *ret_info) {
    (void)address;
    (void)ret_info;
    return false;
}

/* One frame of 56 KiB that is not touched but at its far end. */
NOINLINE static size_t leap(size_t depth) {
    volatile char frame[56 * 1024];
    frame[0] = (char)depth;
    if (frame_bytes == 0)
        return depth;
    return leap(depth + 1) + (size_t)frame[0];
}

static void overflow_by_recursion(void *arg) {
    (void)arg;
    uva__fiber_entered(&current->fiber);
    recurse(0);
}

static void overflow_by_leaps(void *arg) {
    (void)arg;
    uva__fiber_entered(&current->fiber);
    leap(0);
}

/* In a child: overflows a stack of its own, with the report installed. */
static void overflow_with(uva__entry_fn entry) {
    const char *why;
    void *token;
    uva__fiber_init_thread(&main_fiber);
    uva__stacks_init(&stacks, 128 * KIB, entry);
    if (uva__overflow_install(describe) != 0 ||
        uva__overflow_thread_enter(&token) != 0)
        _exit(0);
    current = uva__stack_acquire(&stacks, 0, &why);
    uva__fiber_switch(&main_fiber, &current->fiber);
}

static void child_recurses(void *arg) {
    (void)arg;
    overflow_with(overflow_by_recursion);
}

static void child_leaps(void *arg) {
    (void)arg;
    overflow_with(overflow_by_leaps);
}

/* A page that cannot be touched, as the guard of a stack would be. */
static char *closed_page(void) {
    void *page = mmap(NULL, (size_t)sysconf(_SC_PAGESIZE), PROT_NONE,
                      MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    ck_assert_ptr_ne(page, MAP_FAILED);
    return page;
}

static void close_page(char *page) {
    munmap(page, (size_t)sysconf(_SC_PAGESIZE));
}

static void touch(char *address) {
    *(volatile char *)address = 1;
}

/* ---- the report --------------------------------------------------------- */

#define REPORT \
    "uvawait: stack overflow in task 'deep' (spawned at " \
    "server.c:42): its %zu KiB are used up; give it more with " \
    "stack_bytes, or put large buffers on the heap\n"

static const char *expected_report(void) {
    static char text[256];
    uva__stacks_init(&stacks, 128 * KIB, NULL);
    snprintf(text, sizeof text, REPORT, stacks.standard.bytes / KIB);
    uva__stacks_term(&stacks);
    return text;
}

START_TEST(overflow_names_task_and_site) {
    ck_assert(support_dies(child_recurses, NULL, SIGSEGV, expected_report()));
}
END_TEST

START_TEST(overflow_by_large_frames_is_seen) {
    ck_assert(support_dies(child_leaps, NULL, SIGSEGV, expected_report()));
}
END_TEST

START_TEST(overflow_is_seen_with_mprotect_guards) {
    faults_fail_every(FAULT_MADVISE, 1, UV_EINVAL);
    ck_assert(support_dies(child_recurses, NULL, SIGSEGV, expected_report()));
    ck_assert(support_dies(child_leaps, NULL, SIGSEGV, expected_report()));
}
END_TEST

START_TEST(overflow_of_an_unnamed_task) {
    said = (uva__overflow_info_t){NULL, NULL, 0, 0};
    ck_assert(support_dies(child_recurses, NULL, SIGSEGV,
                           "overflow in task '(unnamed)': its "));
}
END_TEST

START_TEST(overflow_report_bounds_long_names) {
    static char name[2000];
    static char file[2000];
    memset(name, 'n', sizeof name - 1);
    memset(file, 'f', sizeof file - 1);
    said = (uva__overflow_info_t){name, file, 7, 0};
    ck_assert(support_dies(child_recurses, NULL, SIGSEGV, "fff:7): its "));
    ck_assert(support_dies(child_recurses, NULL, SIGSEGV, "on the heap\n"));
}
END_TEST

/* ---- handing on --------------------------------------------------------- */

static sigjmp_buf back;
static volatile sig_atomic_t host_calls;
static void *volatile host_saw;
static volatile bool host_on_alternate;
static volatile bool host_mask_held;

static void note_mask(void) {
    sigset_t mask;
    sigprocmask(SIG_SETMASK, NULL, &mask);
    host_mask_held = sigismember(&mask, SIGUSR2) == 1;
}

static void host_handler(int number, siginfo_t *info, void *context) {
    stack_t now;
    (void)number;
    (void)context;
    host_calls++;
    host_saw = info->si_addr;
    sigaltstack(NULL, &now);
    host_on_alternate = (now.ss_flags & SS_ONSTACK) != 0;
    note_mask();
    siglongjmp(back, 1);
}

static void host_plain(int number) {
    (void)number;
    host_calls++;
    note_mask();
    siglongjmp(back, 1);
}

static void set_host(void (*action)(int, siginfo_t *, void *),
                     void (*plain)(int), int flags, struct sigaction *ret_old) {
    struct sigaction host;
    memset(&host, 0, sizeof host);
    if (action != NULL) {
        host.sa_sigaction = action;
        flags |= SA_SIGINFO;
    } else {
        host.sa_handler = plain;
    }
    host.sa_flags = flags;
    sigaddset(&host.sa_mask, SIGUSR2);
    ck_assert_int_eq(sigaction(SIGSEGV, &host, ret_old), 0);
}

/* Faults there and comes back by the host's handler. */
static void fault_and_return(char *address) {
    if (sigsetjmp(back, 1) == 0)
        touch(address);
}

START_TEST(overflow_hands_foreign_faults_to_the_host) {
    struct sigaction old;
    void *token;
    char *page = closed_page();
    set_host(host_handler, NULL, 0, &old);
    ck_assert_int_eq(uva__overflow_install(describe_nothing), 0);
    ck_assert_int_eq(uva__overflow_thread_enter(&token), 0);
    for (int i = 1; i <= 3; i++) {
        fault_and_return(page + 24);
        ck_assert_int_eq(host_calls, i);
        ck_assert_ptr_eq(host_saw, page + 24);
        ck_assert(host_on_alternate);
        ck_assert(host_mask_held);
        host_saw = NULL;
    }
    uva__overflow_thread_leave(token);
    uva__overflow_remove();
    struct sigaction now;
    sigaction(SIGSEGV, &old, &now);
    ck_assert(now.sa_sigaction == host_handler);
    close_page(page);
}
END_TEST

START_TEST(overflow_hands_on_to_a_plain_handler) {
    struct sigaction old;
    char *page = closed_page();
    set_host(NULL, host_plain, 0, &old);
    ck_assert_int_eq(uva__overflow_install(describe_nothing), 0);
    fault_and_return(page);
    fault_and_return(page);
    ck_assert_int_eq(host_calls, 2);
    ck_assert(host_mask_held);
    uva__overflow_remove();
    sigaction(SIGSEGV, &old, NULL);
    close_page(page);
}
END_TEST

static int described;

static bool describe_all(const void *address, uva__overflow_info_t *ret_info) {
    (void)address;
    described++;
    *ret_info = (uva__overflow_info_t){"any", "any.c", 1, 65536};
    return true;
}

static void host_leaves(int number, siginfo_t *info, void *context) {
    (void)number;
    (void)info;
    (void)context;
    ssize_t written = write(STDERR_FILENO, "host was here\n", 14);
    _exit(written == 14 ? 77 : 78);
}

static void child_reports_then_host(void *arg) {
    struct sigaction old;
    set_host(host_leaves, NULL, 0, &old);
    if (uva__overflow_install(describe_all) == 0)
        touch(arg);
}

START_TEST(overflow_reports_before_the_host) {
    char *page = closed_page();
    ck_assert(support_dies(child_reports_then_host, page, 0,
                           "'any' (spawned at any.c:1): its 64 KiB are used "
                           "up; give it more with stack_bytes, or put large "
                           "buffers on the heap\nhost was here\n"));
    close_page(page);
}
END_TEST

static void host_says_once(int number) {
    (void)number;
    ssize_t written = write(STDERR_FILENO, "once;", 5);
    (void)written;
}

static void child_resets(void *arg) {
    struct sigaction old;
    set_host(NULL, host_says_once, (int)SA_RESETHAND, &old);
    if (uva__overflow_install(describe_nothing) == 0)
        touch(arg); /* its handler returns, and the fault comes again */
}

START_TEST(overflow_honours_reset_of_the_host) {
    char *page = closed_page();
    ck_assert(support_dies(child_resets, page, SIGSEGV, "once;"));
    close_page(page);
}
END_TEST

static void child_is_sent(void *arg) {
    (void)arg;
    signal(SIGSEGV, SIG_DFL);
    if (uva__overflow_install(describe_all) == 0)
        raise(SIGSEGV);
}

START_TEST(overflow_lets_a_sent_signal_kill) {
    ck_assert(support_dies(child_is_sent, NULL, SIGSEGV, ""));
}
END_TEST

START_TEST(overflow_lets_a_sent_signal_be_ignored) {
    struct sigaction old;
    set_host(NULL, SIG_IGN, 0, &old);
    ck_assert_int_eq(uva__overflow_install(describe_all), 0);
    ck_assert_int_eq(raise(SIGSEGV), 0);
    ck_assert_int_eq(described, 0);
    uva__overflow_remove();
    sigaction(SIGSEGV, &old, NULL);
}
END_TEST

static void child_ignores_faults(void *arg) {
    signal(SIGSEGV, SIG_IGN);
    if (uva__overflow_install(describe_nothing) == 0)
        touch(arg);
}

START_TEST(overflow_cannot_ignore_a_fault) {
    char *page = closed_page();
    ck_assert(support_dies(child_ignores_faults, page, SIGSEGV, ""));
    close_page(page);
}
END_TEST

/* ---- coming and going --------------------------------------------------- */

static bool host_is(void (*action)(int, siginfo_t *, void *)) {
    struct sigaction now;
    ck_assert_int_eq(sigaction(SIGSEGV, NULL, &now), 0);
    return (now.sa_flags & SA_SIGINFO) != 0 && now.sa_sigaction == action;
}

START_TEST(overflow_is_counted) {
    struct sigaction old;
    set_host(host_handler, NULL, 0, &old);
    ck_assert_int_eq(uva__overflow_install(describe_nothing), 0);
    ck_assert_int_eq(uva__overflow_install(describe_nothing), 0);
    ck_assert(!host_is(host_handler));
    uva__overflow_remove();
    ck_assert(!host_is(host_handler));
    uva__overflow_remove();
    ck_assert(host_is(host_handler));
    uva__overflow_remove();
    ck_assert(host_is(host_handler));
    ck_assert_int_eq(uva__overflow_install(describe_nothing), 0);
    ck_assert(!host_is(host_handler));
    uva__overflow_remove();
    sigaction(SIGSEGV, &old, NULL);
}
END_TEST

static struct sigaction below_host;

/* As other libraries do it: looks, then hands on to what it found. */
static void host_above(int number, siginfo_t *info, void *context) {
    below_host.sa_sigaction(number, info, context);
}

START_TEST(overflow_stays_below_a_later_handler) {
    struct sigaction old;
    char *page = closed_page();
    set_host(host_handler, NULL, 0, &old);
    ck_assert_int_eq(uva__overflow_install(describe_nothing), 0);
    set_host(host_above, NULL, 0, &below_host);
    uva__overflow_remove();
    ck_assert(host_is(host_above));
    fault_and_return(page);
    ck_assert_int_eq(host_calls, 1);
    /* Installed again it must not come to lie above and below at once. */
    ck_assert_int_eq(uva__overflow_install(describe_nothing), 0);
    ck_assert(host_is(host_above));
    fault_and_return(page);
    ck_assert_int_eq(host_calls, 2);
    uva__overflow_remove();
    sigaction(SIGSEGV, &old, NULL);
    close_page(page);
}
END_TEST

/* ---- alternate stacks --------------------------------------------------- */

static stack_t alternate(void) {
    stack_t now;
    ck_assert_int_eq(sigaltstack(NULL, &now), 0);
    return now;
}

static void set_no_alternate(void) {
    stack_t none = {.ss_flags = SS_DISABLE};
    ck_assert_int_eq(sigaltstack(&none, NULL), 0);
}

START_TEST(overflow_brings_an_alternate_stack) {
    void *token = NULL;
    stack_t found = alternate();
    set_no_alternate();
    ck_assert_int_eq(uva__overflow_thread_enter(&token), 0);
    ck_assert_ptr_nonnull(token);
    ck_assert_int_eq(alternate().ss_flags & SS_DISABLE, 0);
    ck_assert_uint_ge(alternate().ss_size, 64 * KIB);
    uva__overflow_thread_leave(token);
    ck_assert_int_ne(alternate().ss_flags & SS_DISABLE, 0);
    uva__overflow_thread_leave(NULL);
    sigaltstack(&found, NULL);
}
END_TEST

START_TEST(overflow_keeps_the_hosts_alternate_stack) {
    static char memory[64 * 1024];
    stack_t host = {.ss_sp = memory, .ss_size = sizeof memory};
    stack_t found = alternate();
    void *token = &host;
    ck_assert_int_eq(sigaltstack(&host, NULL), 0);
    ck_assert_int_eq(uva__overflow_thread_enter(&token), 0);
    ck_assert_ptr_eq(alternate().ss_sp, memory);
    uva__overflow_thread_leave(token);
    ck_assert_ptr_eq(alternate().ss_sp, memory);
    sigaltstack(&found, NULL);
}
END_TEST

START_TEST(overflow_leaves_a_later_alternate_stack) {
    static char memory[64 * 1024];
    stack_t host = {.ss_sp = memory, .ss_size = sizeof memory};
    stack_t found = alternate();
    void *token;
    set_no_alternate();
    ck_assert_int_eq(uva__overflow_thread_enter(&token), 0);
    stack_t ours = alternate();
    ck_assert_int_eq(sigaltstack(&host, NULL), 0);
    uva__overflow_thread_leave(token);
    ck_assert_ptr_eq(alternate().ss_sp, memory);
    /* It may put ours back, so ours must be there still. */
    memset(ours.ss_sp, 1, ours.ss_size);
    free(ours.ss_sp);
    sigaltstack(&found, NULL);
}
END_TEST

START_TEST(overflow_without_memory_for_it) {
    void *token = &token;
    stack_t found = alternate();
    set_no_alternate();
    faults_fail(FAULT_MALLOC, 1);
    int code = uva__overflow_thread_enter(&token);
    faults_clear();
    ck_assert_int_eq(code, UV_ENOMEM);
    ck_assert_ptr_eq(token, &token);
    ck_assert_int_ne(alternate().ss_flags & SS_DISABLE, 0);
    sigaltstack(&found, NULL);
}
END_TEST

static void *come_and_go(void *arg) {
    const int *rounds = arg;
    for (int i = 0; i < *rounds; i++) {
        void *token;
        if (uva__overflow_install(describe_nothing) != 0 ||
            uva__overflow_thread_enter(&token) != 0)
            return arg;
        uva__overflow_thread_leave(token);
        uva__overflow_remove();
    }
    return NULL;
}

START_TEST(overflow_threads_come_and_go) {
    struct sigaction old;
    pthread_t threads[4];
    int rounds = support_is_slow() ? 50 : 1000;
    set_host(host_handler, NULL, 0, &old);
    for (int i = 0; i < 4; i++)
        ck_assert_int_eq(
            pthread_create(&threads[i], NULL, come_and_go, &rounds), 0);
    for (int i = 0; i < 4; i++) {
        void *failed;
        ck_assert_int_eq(pthread_join(threads[i], &failed), 0);
        ck_assert_ptr_null(failed);
    }
    ck_assert(host_is(host_handler));
    sigaction(SIGSEGV, &old, NULL);
}
END_TEST

SUITE("overflow", overflow_names_task_and_site,
      overflow_by_large_frames_is_seen, overflow_is_seen_with_mprotect_guards,
      overflow_of_an_unnamed_task, overflow_report_bounds_long_names,
      overflow_hands_foreign_faults_to_the_host,
      overflow_hands_on_to_a_plain_handler, overflow_reports_before_the_host,
      overflow_honours_reset_of_the_host, overflow_lets_a_sent_signal_kill,
      overflow_lets_a_sent_signal_be_ignored, overflow_cannot_ignore_a_fault,
      overflow_is_counted, overflow_stays_below_a_later_handler,
      overflow_brings_an_alternate_stack,
      overflow_keeps_the_hosts_alternate_stack,
      overflow_leaves_a_later_alternate_stack, overflow_without_memory_for_it,
      overflow_threads_come_and_go)
