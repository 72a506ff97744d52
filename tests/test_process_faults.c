/* labels: valgrind; timeout: 30 */
/* Processes that cannot be started, and each call of libuv's and of malloc that
 * fails in turn: a code, and nothing left behind. */
#include "process_fixture.h"

static int fail_in_all_ways(void *arg) {
    (void)arg;
    uva_process_t *process = NULL;
    uva_process_options_t options = {.file = "/nowhere/at/all"};
    ck_assert_int_eq(uva_process_spawn(&options, &process), UV_ENOENT);
    options.in = options.out = options.err = UVA_STDIO_PIPE;
    ck_assert_int_eq(uva_process_spawn(&options, &process), UV_ENOENT);
    options.file = "no-such-program-in-the-path";
    ck_assert_int_eq(uva_process_spawn(&options, &process), UV_ENOENT);
    options.file = "/";
    ck_assert_int_eq(uva_process_spawn(&options, &process), UV_EACCES);
    options = (uva_process_options_t){.file = "true", .cwd = "/nowhere"};
    ck_assert_int_eq(uva_process_spawn(&options, &process), UV_ENOENT);
    options = (uva_process_options_t){
        .file = "true", .out = UVA_STDIO_FD, .out_fd = 4000};
    ck_assert_int_eq(uva_process_spawn(&options, &process), UV_EBADF);
    options.out_fd = -1;
    ck_assert_int_eq(uva_process_spawn(&options, &process), UV_EINVAL);
    options = (uva_process_options_t){.file = "true", .flags = 1u << 20};
    ck_assert_int_eq(uva_process_spawn(&options, &process), UV_EINVAL);
    options = (uva_process_options_t){.file = "true", .out = UVA_STDIO_STDOUT};
    ck_assert_int_eq(uva_process_spawn(&options, &process), UV_EINVAL);
    options = (uva_process_options_t){.file = "true", .in = UVA_STDIO_STDOUT};
    ck_assert_int_eq(uva_process_spawn(&options, &process), UV_EINVAL);
    options = (uva_process_options_t){.file = NULL};
    ck_assert_int_eq(uva_process_spawn(&options, &process), UV_EINVAL);
    options.file = "true";
    ck_assert_int_eq(uva_process_spawn(&options, NULL), UV_EINVAL);
    ck_assert_int_eq(uva_process_spawn(NULL, &process), UV_EINVAL);
    ck_assert_ptr_null(process);

    ck_assert_int_eq(uva_process_wait(NULL, NULL), UV_EINVAL);
    ck_assert_int_eq(uva_process_try_wait(NULL, NULL), UV_EINVAL);
    ck_assert_int_eq(uva_process_kill(NULL, SIGTERM), UV_EINVAL);
    ck_assert_int_eq(uva_process_pid(NULL), UV_EINVAL);
    ck_assert_int_eq(uva_process_close_pipe(NULL, 0), UV_EINVAL);
    ck_assert_int_eq(uva_process_communicate(NULL, NULL, 0, NULL, NULL),
                     UV_EINVAL);
    ck_assert_ptr_null(uva_process_stdin(NULL));
    ck_assert_ptr_null(uva_process_stdout(NULL));
    ck_assert_ptr_null(uva_process_stderr(NULL));
    process = start("exec cat", "io");
    ck_assert_int_eq(uva_process_close_pipe(process, 3), UV_EINVAL);
    ck_assert_int_eq(uva_process_close_pipe(process, -1), UV_EINVAL);
    ck_assert_int_eq(uva_process_kill(process, -1), UV_EINVAL);
    ck_assert_int_eq(uva_process_kill(process, 100000), UV_EINVAL);
    ck_assert_int_eq(uva_process_communicate(process, NULL, 1, NULL, NULL),
                     UV_EINVAL);
    uva_process_close(process);
    return 0;
}

START_TEST(process_says_why_it_failed) {
    uva_process_t *process = NULL;
    uva_process_options_t options = {.file = "true"};
    run_children(fail_in_all_ways);
    ck_assert_int_eq(uva_process_spawn(&options, &process), UV_EPERM);
    ck_assert_int_eq((uva_process_spawn)(&options, &process), UV_EPERM);
    ck_assert_int_eq(uva_process_wait(NULL, NULL), UV_EPERM);
    ck_assert_int_eq(uva_process_communicate(NULL, NULL, 0, NULL, NULL),
                     UV_EPERM);
}
END_TEST

/* ---- each call in turn -------------------------------------------------- */

typedef struct trial {
    fault_t kind;
    unsigned long nth;
    unsigned long injected;
} trial_t;

static int talk(void) {
    const char *args[] = {"sh", "-c", "cat; echo e >&2", NULL};
    uva_process_options_t options = {.file = "/bin/sh", .args = args};
    uva_output_t out = {0};
    uva_output_t err = {0};
    options.grace_ms = 1000;
    int code = uva_process_run(&options, "input", 5, &out, &err, NULL);
    if (code == 0) {
        ck_assert_str_eq(out.data, "input");
        ck_assert_str_eq(err.data, "e\n");
    }
    free(out.data);
    free(err.data);
    expect_no_children();
    return code;
}

static int try_once(void *arg) {
    trial_t *trial = arg;
    faults_fail(trial->kind, trial->nth);
    int code = talk();
    trial->injected = faults_clear();
    bool is_memory =
        trial->kind == FAULT_MALLOC || trial->kind == FAULT_REALLOC;
    ck_assert_msg(trial->injected == 0
                      ? code == 0
                      : code == UV_ENOMEM || (is_memory && code == 0),
                  "%s %lu: %d", faults_name(trial->kind), trial->nth, code);
    return talk();
}

static void try_each(fault_t kind, unsigned long least) {
    trial_t trial = {.kind = kind};
    do {
        trial.nth++;
        ck_assert_int_eq(uva_run_with(&quiet, try_once, &trial), 0);
        expect_no_children();
    } while (trial.injected > 0);
    ck_assert_msg(trial.nth > least, "%s: only %lu calls", faults_name(kind),
                  trial.nth - 1);
}

START_TEST(process_faults_of_libuv_are_survived) {
    try_each(FAULT_UV_SPAWN, 1);
    try_each(FAULT_UV_SOCKETPAIR, 1);
    try_each(FAULT_UV_PIPE, 2);
    try_each(FAULT_UV_PIPE_INIT, 3);
    try_each(FAULT_UV_PIPE_OPEN, 3);
    try_each(FAULT_UV_READ_START, 2);
    ck_assert_str_eq(support_reports(), "");
}
END_TEST

/* A task without a stack is reported. */
START_TEST(process_faults_of_memory_are_survived) {
    try_each(FAULT_MALLOC, 1);
    try_each(FAULT_REALLOC, 2);
}
END_TEST

static int close_unkillable(void *arg) {
    int *ret_pid = arg;
    uva_process_t *process = start("exec sleep 1000", "");
    *ret_pid = uva_process_pid(process);
    faults_fail_with(FAULT_UV_PROCESS_KILL, 1, UV_EPERM);
    uva_process_close(process);
    ck_assert_uint_eq(faults_clear(), 1);
    return 0;
}

/* As when it runs as another user: it is let go of, and holds up nobody. */
START_TEST(process_that_cannot_be_killed_is_let_go) {
    int pid = 0;
    int status = -1;
    ck_assert_int_eq(uva_run_with(&quiet, close_unkillable, &pid), 0);
    ck_assert_str_eq(support_reports(), "");
    ck_assert_int_eq(kill(pid, SIGKILL), 0);
    ck_assert_int_eq(waitpid(pid, &status, 0), pid);
}
END_TEST

SUITE("process_faults", process_says_why_it_failed,
      process_faults_of_libuv_are_survived,
      process_faults_of_memory_are_survived,
      process_that_cannot_be_killed_is_let_go)
