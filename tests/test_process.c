/* labels: valgrind; timeout: 20 */
/* Child processes: how they start, what they are given, how they end, and that
 * nothing of them is left. */
#include "process_fixture.h"

/* ---- the end ------------------------------------------------------------ */

static int end_in_all_ways(void *arg) {
    (void)arg;
    finish(start("exit 0", ""), 0, 0);
    finish(start("exit 7", ""), 7, 0);
    finish(start("kill -USR1 $$", ""), 0, SIGUSR1);

    uva_process_t *process = start("exec cat", "io");
    ck_assert_int_gt(uva_process_pid(process), 0);
    ck_assert_int_eq(uva_process_kill(process, 0), 0);
    ck_assert_int_eq(uva_process_kill(process, SIGKILL), 0);
    finish(process, 0, SIGKILL);

    process = start("exec cat", "io");
    ck_assert_int_eq(uva_process_kill(process, SIGTERM), 0);
    ck_assert_int_eq(uva_process_wait(process, NULL), 0);
    /* It has ended: its number may be another's. */
    ck_assert_int_eq(uva_process_kill(process, SIGTERM), UV_ESRCH);
    ck_assert_int_gt(uva_process_pid(process), 0);
    finish(process, 0, SIGTERM);
    return 0;
}

START_TEST(process_tells_how_it_ended) {
    CONFORMS("K-227");
    run_children(end_in_all_ways);
}
END_TEST

typedef struct waiter {
    uva_process_t *process;
    int expected;
} waiter_t;

static int wait_for_end(void *arg) {
    const waiter_t *self = arg;
    uva_exit_t how = {.status = -1};
    int code = uva_process_wait(self->process, &how);
    ck_assert_int_eq(code, self->expected);
    if (code == 0)
        ck_assert_int_eq(how.status, 3);
    return code;
}

static int ten_wait(void *arg) {
    (void)arg;
    uva_exit_t how = {.status = -1};
    uva_process_t *process = start("read x; exit 3", "i");
    waiter_t waiter = {.process = process};
    uva_task_t *tasks[10];
    ck_assert_int_eq(uva_process_try_wait(process, &how), UV_EAGAIN);
    ck_assert_int_eq(how.status, -1);
    for (int i = 0; i < 10; i++)
        tasks[i] = uva_spawn(wait_for_end, &waiter);
    ck_assert_int_eq(uva_yield(), 0);

    /* A wait that is cut leaves the child alone, and a new one works. */
    uva_scope_t scope;
    uva_scope_open(&scope, 1, 0);
    ck_assert_int_eq(uva_process_wait(process, NULL), UV_ECANCELED);
    ck_assert_int_eq(uva_scope_close(&scope), UV_ETIMEDOUT);
    ck_assert_int_eq(uva_process_kill(process, 0), 0);

    ck_assert_int_eq(uva_process_close_pipe(process, 0), 0);
    ck_assert_int_eq(uva_gather(tasks, 10, NULL), 0);
    ck_assert_int_eq(uva_process_try_wait(process, &how), 0);
    ck_assert_int_eq(how.status, 3);
    finish(process, 3, 0);
    return 0;
}

START_TEST(process_is_waited_for_by_many) {
    CONFORMS("K-230", "K-231");
    run_children(ten_wait);
}
END_TEST

static int close_and_wait(void *arg) {
    (void)arg;
    char buffer[8];
    uva_process_t *process = start("exec cat", "io");
    waiter_t waiter = {.process = process, .expected = UV_ECANCELED};
    uva_task_t *task = uva_spawn(wait_for_end, &waiter);
    ck_assert_int_eq(uva_yield(), 0);
    int pid = uva_process_pid(process);
    uva_process_close(process);
    ck_assert_int_eq(uva_await(task, NULL), UV_ECANCELED);
    /* It is killed, and reaped as soon as it is dead. */
    while (kill(pid, 0) == 0)
        ck_assert_int_eq(uva_sleep(1), 0);

    /* One that has ended is left alone, and so is what it wrote. */
    process = start("echo done", "o");
    ck_assert_int_eq(uva_process_wait(process, NULL), 0);
    ck_assert_uint_eq(
        read_text(uva_process_stdout(process), buffer, sizeof buffer), 5);
    uva_process_close(process);
    uva_process_close(NULL);

    /* The end of the runtime waits for one that was just killed. */
    uva_process_close(start("exec cat", "io"));
    return 0;
}

START_TEST(process_closed_while_it_runs_is_killed) {
    CONFORMS("K-232");
    run_children(close_and_wait);
}
END_TEST

static int forget(void *arg) {
    (void)arg;
    (void)start("exec cat", "ioe");
    return 0;
}

START_TEST(process_left_open_is_reported_killed_and_reaped) {
    ck_assert_int_eq(uva_run_with(&quiet, forget, NULL), 0);
    ck_assert_uint_eq(support_report_count(), 1);
    ck_assert(support_reports_contain("a process (opened at "));
    ck_assert(support_reports_contain("process_fixture.h"));
    expect_no_children();
}
END_TEST

/* ---- a child of its own ------------------------------------------------- */

static int detach(void *arg) {
    int *ret_pid = arg;
    char line[32];
    const char *args[] = {"sh", "-c",
                          "ps -o sid= -p $$ 2>/dev/null || "
                          "cut -d' ' -f6 /proc/$$/stat; exec cat >/dev/null",
                          NULL};
    uva_process_options_t options = {.file = "/bin/sh",
                                     .args = args,
                                     .in = UVA_STDIO_FD,
                                     .out = UVA_STDIO_PIPE,
                                     .flags = UV_PROCESS_DETACHED};
    options.in_fd = ret_pid[1];
    uva_process_t *process = NULL;
    ck_assert_int_eq(uva_process_spawn(&options, &process), 0);
    *ret_pid = uva_process_pid(process);
    ssize_t got = uva_read_until(uva_process_stdout(process), '\n', line,
                                 sizeof line - 1);
    ck_assert_int_gt(got, 0);
    line[got] = '\0';
    ck_assert_int_eq(atoi(line), *ret_pid);
    uva_process_close(process);
    ck_assert_int_eq(kill(*ret_pid, 0), 0);
    return 0;
}

/* Its pipe of ours is closed, its stdin is open: it runs on. */
START_TEST(process_detached_is_left_running) {
    int ends[2];
    int status = -1;
    ck_assert_int_eq(pipe(ends), 0);
    ck_assert_int_eq(fcntl(ends[1], F_SETFD, FD_CLOEXEC), 0);
    int pid_and_fd[2] = {0, ends[0]};
    ck_assert_int_eq(uva_run_with(&quiet, detach, pid_and_fd), 0);
    ck_assert_str_eq(support_reports(), "");
    ck_assert_int_eq(waitpid(pid_and_fd[0], &status, WNOHANG), 0);
    close(ends[1]);
    ck_assert_int_eq(waitpid(pid_and_fd[0], &status, 0), pid_and_fd[0]);
    ck_assert(WIFEXITED(status) && WEXITSTATUS(status) == 0);
    close(ends[0]);
}
END_TEST

static int detach_and_see_the_end(void *arg) {
    (void)arg;
    const char *args[] = {"sh", "-c", "read x", NULL};
    int ends[2];
    uva_process_options_t options = {.file = "/bin/sh",
                                     .args = args,
                                     .in = UVA_STDIO_FD,
                                     .flags = UV_PROCESS_DETACHED};
    uva_process_t *process = NULL;
    ck_assert_int_eq(uv_pipe(ends, 0, 0), 0);
    options.in_fd = ends[0];
    ck_assert_int_eq(uva_process_spawn(&options, &process), 0);
    int pid = uva_process_pid(process);
    uva_process_close(process);
    close(ends[0]);
    close(ends[1]);
    while (kill(pid, 0) == 0)
        ck_assert_int_eq(uva_sleep(1), 0);
    return 0;
}

START_TEST(process_detached_leaves_no_zombie_either) {
    run_children(detach_and_see_the_end);
}
END_TEST

/* ---- what it is given --------------------------------------------------- */

static int give_everything(void *arg) {
    (void)arg;
    const char *env[] = {"GREETING=hello", "PATH=/bin:/usr/bin", NULL};
    uva_process_options_t options = {.env = env};
    expect_output(options, "echo $GREETING", "hello\n");
    options = (uva_process_options_t){.cwd = "/"};
    expect_output(options, "pwd", "/\n");
    options = (uva_process_options_t){.in = UVA_STDIO_NULL};
    expect_output(options, "cat; echo end", "end\n");
    options = (uva_process_options_t){.err = UVA_STDIO_STDOUT};
    expect_output(options, "echo a; echo b >&2; echo c", "a\nb\nc\n");
    options = (uva_process_options_t){.err = UVA_STDIO_NULL};
    expect_output(options, "echo a; echo b >&2", "a\n");
    /* A true pipe: it can be opened by its name. */
    expect_output(options, "echo a > /dev/stdout", "a\n");

    int ends[2];
    char buffer[8];
    ck_assert_int_eq(uv_pipe(ends, 0, 0), 0);
    options = (uva_process_options_t){.err = UVA_STDIO_FD, .err_fd = ends[1]};
    expect_output(options, "echo a; echo b >&2", "a\n");
    ck_assert_int_eq(read(ends[0], buffer, sizeof buffer), 2);
    close(ends[0]);
    close(ends[1]);

    /* Without args the file is the only one; it is looked for in PATH. */
    uva_exit_t how = {.status = -1};
    options = (uva_process_options_t){.file = "true"};
    ck_assert_int_eq(uva_process_run(&options, NULL, 0, NULL, NULL, &how), 0);
    ck_assert_int_eq(how.status, 0);
    return 0;
}

START_TEST(process_gets_what_options_say) {
    CONFORMS("K-234");
    run_children(give_everything);
}
END_TEST

static int look_for_absent(void *arg) {
    (void)arg;
    uva_process_t *process = start("exit 0", "o");
    ck_assert_ptr_null(uva_process_stdin(process));
    ck_assert_ptr_nonnull(uva_process_stdout(process));
    ck_assert_ptr_null(uva_process_stderr(process));
    ck_assert_int_eq(uva_process_close_pipe(process, 0), 0);
    ck_assert_int_eq(uva_process_close_pipe(process, 1), 0);
    ck_assert_int_eq(uva_process_close_pipe(process, 1), 0);
    ck_assert_ptr_null(uva_process_stdout(process));
    finish(process, 0, 0);
    return 0;
}

START_TEST(process_has_only_the_pipes_it_was_given) {
    CONFORMS("K-234");
    run_children(look_for_absent);
}
END_TEST

/* A grandchild keeps the pipe open; the wait is for the child alone. */
static int grandchild_holds(void *arg) {
    (void)arg;
    char line[32];
    char byte;
    uva_process_t *process = start("sleep 1000 & echo $!; exit 4", "o");
    uva_stream_t *out = uva_process_stdout(process);
    ssize_t got = uva_read_until(out, '\n', line, sizeof line - 1);
    ck_assert_int_gt(got, 0);
    line[got] = '\0';
    uva_exit_t how = {.status = -1};
    ck_assert_int_eq(uva_process_wait(process, &how), 0);
    ck_assert_int_eq(how.status, 4);
    /* The pipe is open still. */
    uva_scope_t scope;
    uva_scope_open(&scope, 1, 0);
    ck_assert_int_eq(uva_read(out, &byte, 1), UV_ECANCELED);
    ck_assert_int_eq(uva_scope_close(&scope), UV_ETIMEDOUT);
    ck_assert_int_eq(kill((pid_t)atoi(line), SIGKILL), 0);
    ck_assert_int_eq(uva_read(out, &byte, 1), UV_EOF);
    uva_process_close(process);
    return 0;
}

START_TEST(process_wait_is_not_held_up_by_a_grandchild) {
    run_children(grandchild_holds);
}
END_TEST

/* ---- streams ------------------------------------------------------------ */

static int slow_reader(void *arg) {
    (void)arg;
    enum { TOTAL = 256 * 1024 };
    char buffer[1000];
    size_t total = 0;
    ssize_t got;
    uva_process_t *process =
        start("head -c 262144 /dev/zero; echo end >&2", "oe");
    uva_stream_t *out = uva_process_stdout(process);
    while ((got = uva_read(out, buffer, sizeof buffer)) > 0) {
        total += (size_t)got;
        ck_assert_int_eq(uva_yield(), 0);
    }
    ck_assert_int_eq(got, UV_EOF);
    ck_assert_uint_eq(total, TOTAL);
    finish(process, 0, 0);
    return 0;
}

/* What fits into the pipe is there when the child has long gone. */
static int late_reader(void *arg) {
    (void)arg;
    char buffer[16];
    uva_process_t *process = start("echo late", "o");
    ck_assert_int_eq(uva_process_wait(process, NULL), 0);
    ck_assert_uint_eq(
        read_text(uva_process_stdout(process), buffer, sizeof buffer), 5);
    ck_assert_str_eq(buffer, "late\n");
    finish(process, 0, 0);
    return 0;
}

START_TEST(process_output_outlives_the_process) {
    CONFORMS("K-233");
    run_children(slow_reader);
    run_children(late_reader);
}
END_TEST

static int write_in_vain(void *arg) {
    (void)arg;
    static char big[1 << 20];
    uva_process_t *process = start("exit 0", "i");
    ck_assert_int_eq(uva_process_wait(process, NULL), 0);
    ssize_t code = uva_write(uva_process_stdin(process), big, sizeof big);
    ck_assert(code == UV_EPIPE || code == UV_ECONNRESET);
    finish(process, 0, 0);

    /* It dies while we wait for it to read. */
    process = start("read x; kill -KILL $$", "i");
    code = uva_write(uva_process_stdin(process), "x\n", 2);
    ck_assert_int_eq(code, 2);
    code = 0;
    while (code >= 0)
        code = uva_write(uva_process_stdin(process), big, sizeof big);
    ck_assert(code == UV_EPIPE || code == UV_ECONNRESET);
    finish(process, 0, SIGKILL);
    return 0;
}

/* SIGPIPE is at its default here: it would kill the test. */
START_TEST(process_write_to_one_that_is_gone_is_a_code) {
    CONFORMS("K-229");
    run_children(write_in_vain);
}
END_TEST

static int hold_a_talk(void *arg) {
    (void)arg;
    char line[32];
    uva_process_t *process = start("exec cat", "io");
    uva_stream_t *in = uva_process_stdin(process);
    for (int i = 0; i < 100; i++) {
        ck_assert_int_eq(uva_write(in, "ping\n", 5), 5);
        ck_assert_int_eq(uva_read_exactly(uva_process_stdout(process), line, 5),
                         5);
        ck_assert_mem_eq(line, "ping\n", 5);
    }
    ck_assert_int_eq(uva_shutdown(in), 0);
    ck_assert_int_eq(uva_read(uva_process_stdout(process), line, 1), UV_EOF);
    finish(process, 0, 0);
    return 0;
}

START_TEST(process_is_talked_to_over_its_pipes) {
    run_children(hold_a_talk);
}
END_TEST

/* ---- another thread ----------------------------------------------------- */

static void from_outside(void *arg) {
    uva_process_t *process = arg;
    ck_assert_int_eq(uva_process_wait(process, NULL), UV_EPERM);
    ck_assert_int_eq(uva_process_try_wait(process, NULL), UV_EPERM);
    ck_assert_int_eq(uva_process_kill(process, 0), UV_EPERM);
    ck_assert_int_eq(uva_process_close_pipe(process, 0), UV_EPERM);
    uva_process_close(process);
}

static int touch_from_outside(void *arg) {
    (void)arg;
    uva_process_t *process = start("exit 7", "");
    support_in_thread(from_outside, process);
    finish(process, 7, 0);
    return 0;
}

/* Reported, there to standard error, and without effect. */
START_TEST(process_is_left_alone_by_other_threads) {
    run_children(touch_from_outside);
}
END_TEST

/* ---- a host's loop ------------------------------------------------------ */

static int run_true(void *arg) {
    (void)arg;
    finish(start("exit 5", ""), 5, 0);
    uva_process_close(start("exec cat", "io"));
    record("done");
    return 0;
}

START_TEST(process_on_a_hosts_loop) {
    uv_loop_t loop;
    uva_runtime_t *runtime = NULL;
    ck_assert_int_eq(uv_loop_init(&loop), 0);
    ck_assert_int_eq(uva_runtime_attach(&loop, &quiet, &runtime), 0);
    uva_unref(uva_spawn(run_true, NULL));
    (void)uv_run(&loop, UV_RUN_DEFAULT);
    ck_expect_record("done");
    ck_assert_int_eq(uva_runtime_detach(runtime, NULL, NULL), 0);
    (void)uv_run(&loop, UV_RUN_DEFAULT);
    ck_assert_int_eq(uv_loop_close(&loop), 0);
    ck_assert_str_eq(support_reports(), "");
    expect_no_children();
}
END_TEST

SUITE("process", process_tells_how_it_ended, process_is_waited_for_by_many,
      process_closed_while_it_runs_is_killed,
      process_left_open_is_reported_killed_and_reaped,
      process_detached_is_left_running,
      process_detached_leaves_no_zombie_either, process_gets_what_options_say,
      process_has_only_the_pipes_it_was_given,
      process_wait_is_not_held_up_by_a_grandchild,
      process_output_outlives_the_process,
      process_write_to_one_that_is_gone_is_a_code,
      process_is_talked_to_over_its_pipes,
      process_is_left_alone_by_other_threads, process_on_a_hosts_loop)
