/*
 * What a timeout that does not fire costs: no allocation and no system call.
 * Allocations are counted by the wrapped malloc, system calls by a tracer: the
 * case runs in a child that a parent follows with ptrace, between two calls of
 * getppid() as marks.
 */
#include <signal.h>
#include <stdio.h>
#include <sys/ptrace.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "support/program.h"

enum { ROUNDS = 1000, MINUTE_MS = 60000, NOT_TRACED = -1 };

/* ---- what is counted ---------------------------------------------------- */

static int scopes(void *arg) {
    (void)arg;
    for (int i = 0; i < ROUNDS; i++) {
        uva_scope_t scope;
        uva_scope_open(&scope, MINUTE_MS, i % 2 == 0 ? UVA_SCOPE_SHIELD : 0);
        if (uva_scope_reschedule(&scope, 2 * MINUTE_MS) < 0 ||
            uva_scope_close(&scope) < 0)
            return UV_EIO;
    }
    return 0;
}

static int wait_for_what_is_there(void *arg) {
    int code = 0;
    for (int i = 0; i < ROUNDS && code == 0; i++)
        code = uva_wait_for(uva_ref(arg), MINUTE_MS, NULL);
    return code;
}

static int noop(void *arg) {
    (void)arg;
    return 0;
}

static int wait_for_what_comes(void *arg) {
    (void)arg;
    int code = 0;
    for (int i = 0; i < ROUNDS && code == 0; i++)
        code = uva_wait_for(uva_spawn(noop, NULL), MINUTE_MS, NULL);
    return code;
}

/* What the one above is measured against: the same without a timeout. */
static int await_what_comes(void *arg) {
    (void)arg;
    int code = 0;
    for (int i = 0; i < ROUNDS && code == 0; i++)
        code = uva_await(uva_spawn(noop, NULL), NULL);
    return code;
}

/* So that the counting itself is seen to count. */
static int three_calls(void *arg) {
    (void)arg;
    for (int i = 0; i < 3; i++)
        (void)syscall(SYS_getuid);
    void *volatile block = malloc(1);
    free(block);
    return 0;
}

/* ---- counting ----------------------------------------------------------- */

typedef struct count {
    uva_fn fn;
    size_t allocations; /* while fn ran */
} count_t;

static int counted_main(void *arg) {
    count_t *count = arg;
    uva_future_t *ready = uva_future_new();
    (void)uva_future_resolve(ready, NULL);
    int code = count->fn(ready); /* fills the pools */
    count->allocations = faults_allocations();
    (void)getppid();
    if (code == 0)
        code = count->fn(ready);
    (void)getppid();
    count->allocations = faults_allocations() - count->allocations;
    uva_unref(ready);
    return code;
}

static size_t allocations(uva_fn fn) {
    count_t count = {.fn = fn};
    ck_assert_int_eq(uva_run(counted_main, &count), 0);
    return count.allocations;
}

/* The child: lets itself be traced, and runs. */
static _Noreturn void run_traced(uva_fn fn) {
    count_t count = {.fn = fn};
    if (ptrace(PTRACE_TRACEME, 0, NULL, NULL) < 0)
        _exit(77);
    (void)raise(SIGSTOP);
    _exit(uva_run(counted_main, &count) == 0 ? 0 : 1);
}

/* Whether the child, stopped at a system call, is at getppid(); an exit from
 * one is a stop as well. */
static bool is_at_mark(pid_t child) {
    struct __ptrace_syscall_info info = {0};
    long bytes = ptrace(PTRACE_GET_SYSCALL_INFO, child, sizeof info, &info);
    return bytes > 0 && info.op == PTRACE_SYSCALL_INFO_ENTRY &&
           info.entry.nr == SYS_getppid;
}

/* Follows the child to its end. Its system calls between the marks, or
 * NOT_TRACED. */
static long follow(pid_t child) {
    long stops = 0;
    int marks = 0;
    int status;
    if (waitpid(child, &status, 0) != child || !WIFSTOPPED(status))
        return NOT_TRACED;
    (void)ptrace(PTRACE_SETOPTIONS, child, NULL,
                 PTRACE_O_TRACESYSGOOD | PTRACE_O_EXITKILL);
    long signal = 0;
    for (;;) {
        (void)ptrace(PTRACE_SYSCALL, child, NULL, signal);
        if (waitpid(child, &status, 0) != child)
            return NOT_TRACED;
        if (!WIFSTOPPED(status))
            break;
        bool is_call = WSTOPSIG(status) == (SIGTRAP | 0x80);
        signal = is_call ? 0 : WSTOPSIG(status);
        if (is_call && is_at_mark(child))
            marks++;
        else if (is_call && marks == 1)
            stops++;
    }
    ck_assert(WIFEXITED(status));
    ck_assert_int_eq(WEXITSTATUS(status), 0);
    ck_assert_int_eq(marks, 2);
    return (stops - 1) / 2; /* one is the way out of the first mark */
}

/* How many system calls a second round of fn makes; NOT_TRACED where nothing
 * may be traced. */
static long system_calls(uva_fn fn) {
    fflush(NULL);
    pid_t child = fork();
    ck_assert_int_ge(child, 0);
    if (child == 0)
        run_traced(fn);
    return follow(child);
}

/* ---- cases -------------------------------------------------------------- */

START_TEST(timeout_cost_no_allocation) {
    ck_assert_uint_eq(allocations(three_calls), 1);
    ck_assert_uint_eq(allocations(scopes), 0);
    ck_assert_uint_eq(allocations(wait_for_what_is_there), 0);
    /* There a task and its future come from pools, but not under ASan. */
    if (!support_is_slow())
        ck_assert_uint_eq(allocations(wait_for_what_comes), 0);
}
END_TEST

START_TEST(timeout_cost_no_system_call) {
    if (support_is_slow())
        SKIP("sanitizers and valgrind make system calls of their own");
    long calls = system_calls(three_calls);
    if (calls == NOT_TRACED)
        SKIP("nothing may be traced here");
    ck_assert_int_eq(calls, 3);
    ck_assert_int_eq(system_calls(scopes), 0);
    /* Who waits lets the loop poll now and then, timeout or not; and a switch
     * by swapcontext() sets the signal mask. */
    ck_assert_int_lt(system_calls(wait_for_what_is_there), ROUNDS / 10);
    ck_assert_int_lt(system_calls(wait_for_what_comes),
                     system_calls(await_what_comes) + ROUNDS / 10);
}
END_TEST

SUITE("timeout_cost", timeout_cost_no_allocation, timeout_cost_no_system_call)
