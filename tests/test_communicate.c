/* labels: valgrind; timeout: 20 */
/* Talking to children: input, output and errors at once, and the one call that
 * runs a child from beginning to end. */
#include "process_fixture.h"

#define MIB ((size_t)1024 * 1024)

/* ---- communicate -------------------------------------------------------- */

static int echo_a_mebibyte(void *arg) {
    (void)arg;
    char *input = malloc(MIB);
    uva_output_t out = {0};
    uva_output_t err = {0};
    make_bytes(input, 0, MIB);
    uva_process_t *process = start("cat; echo over >&2; exit 3", "ioe");
    ck_assert_int_eq(uva_process_communicate(process, input, MIB, &out, &err),
                     0);
    ck_assert_uint_eq(out.bytes, MIB);
    check_bytes(out.data, 0, MIB);
    ck_assert_int_eq(out.data[MIB], '\0');
    ck_assert_str_eq(err.data, "over\n");
    ck_assert_ptr_null(uva_process_stdin(process));
    uva_exit_t how = {.status = -1};
    ck_assert_int_eq(uva_process_try_wait(process, &how), 0);
    ck_assert_int_eq(how.status, 3);
    uva_process_close(process);
    free(out.data);
    free(err.data);
    free(input);

    /* No data: stdin is closed all the same. */
    process = start("cat; echo end", "io");
    ck_assert_int_eq(uva_process_communicate(process, NULL, 0, &out, NULL), 0);
    ck_assert_str_eq(out.data, "end\n");
    free(out.data);
    uva_process_close(process);
    process = start("cat; echo end", "io");
    ck_assert_int_eq(uva_process_communicate(process, "", 0, &out, &err), 0);
    ck_assert_str_eq(out.data, "end\n");
    ck_assert_ptr_null(err.data);
    free(out.data);
    uva_process_close(process);
    return 0;
}

START_TEST(communicate_feeds_and_reads_at_once) {
    CONFORMS("K-228");
    run_children(echo_a_mebibyte);
}
END_TEST

static int one_of_ten(void *arg) {
    const int *number = arg;
    char text[32];
    uva_output_t out = {0};
    uva_exit_t how = {.status = -1};
    const char *args[] = {"sh", "-c", "read n; echo got $n; exit $n", NULL};
    uva_process_options_t options = {.file = "/bin/sh", .args = args};
    int length = snprintf(text, sizeof text, "%d\n", *number);
    int code =
        uva_process_run(&options, text, (size_t)length, &out, NULL, &how);
    ck_assert_int_eq(code, 0);
    snprintf(text, sizeof text, "got %d\n", *number);
    ck_assert_str_eq(out.data, text);
    ck_assert_int_eq(how.status, *number);
    ck_assert_int_eq(how.signum, 0);
    free(out.data);
    return 0;
}

static int ten_at_once(void *arg) {
    (void)arg;
    uva_task_t *tasks[10];
    int numbers[10];
    for (int i = 0; i < 10; i++) {
        numbers[i] = i;
        tasks[i] = uva_spawn(one_of_ten, &numbers[i]);
    }
    return uva_gather(tasks, 10, NULL);
}

START_TEST(communicate_ten_give_ten_right_answers) {
    CONFORMS("K-228");
    run_children(ten_at_once);
}
END_TEST

static int unwanted_input(void *arg) {
    (void)arg;
    char *input = calloc(1, MIB);
    uva_output_t out = {0};
    uva_process_t *process = start("exec <&-; echo no, thanks", "io");
    ck_assert_int_eq(uva_process_communicate(process, input, MIB, &out, NULL),
                     0);
    ck_assert_str_eq(out.data, "no, thanks\n");
    free(out.data);
    uva_process_close(process);

    /* What nobody asked for is read and dropped. */
    process = start("cat", "io");
    ck_assert_int_eq(uva_process_communicate(process, input, MIB, NULL, NULL),
                     0);
    finish(process, 0, 0);

    /* It dies while it is being fed. */
    process = start("read -r x; kill -KILL $$", "io");
    memset(input, 'x', MIB);
    input[10] = '\n';
    ck_assert_int_eq(uva_process_communicate(process, input, MIB, &out, NULL),
                     0);
    ck_assert_uint_eq(out.bytes, 0);
    free(out.data);
    finish(process, 0, SIGKILL);
    free(input);
    return 0;
}

START_TEST(communicate_does_not_mind_a_child_that_does_not_read) {
    run_children(unwanted_input);
}
END_TEST

/* The child goes on writing, and reads no more: all three tasks have to end. */
static int too_much(void *arg) {
    (void)arg;
    char *input = calloc(1, MIB);
    uva_output_t out = {.limit = 1000};
    uva_process_t *process = start("cat", "io");
    ck_assert_int_eq(uva_process_communicate(process, input, MIB, &out, NULL),
                     UV_ENOBUFS);
    ck_assert_uint_eq(out.bytes, 1000);
    ck_assert_int_eq(out.data[1000], '\0');
    ck_assert_ptr_null(uva_process_stdin(process));
    free(out.data);
    uva_process_close(process);
    free(input);

    /* Exactly the limit is not too much. */
    out = (uva_output_t){.limit = 5};
    process = start("echo four", "o");
    ck_assert_int_eq(uva_process_communicate(process, NULL, 0, &out, NULL), 0);
    ck_assert_str_eq(out.data, "four\n");
    free(out.data);
    uva_process_close(process);
    return 0;
}

START_TEST(communicate_has_limits) {
    run_children(too_much);
}
END_TEST

static int cut_talk(void *arg) {
    (void)arg;
    uva_output_t out = {0};
    uva_scope_t scope;
    uva_process_t *process = start("echo first; exec sleep 1000", "io");
    uva_stream_t *stdout_stream = uva_process_stdout(process);
    char peeked[6];
    ck_assert_int_eq(uva_peek(stdout_stream, peeked, 6), 6);
    uva_scope_open(&scope, 20, 0);
    ck_assert_int_eq(uva_process_communicate(process, NULL, 0, &out, NULL),
                     UV_ECANCELED);
    /* Cut again before it begins: nothing is touched. */
    uva_output_t none = {0};
    ck_assert_int_eq(uva_process_communicate(process, NULL, 0, &none, NULL),
                     UV_ECANCELED);
    ck_assert_ptr_null(none.data);
    ck_assert_int_eq(uva_scope_close(&scope), UV_ETIMEDOUT);
    /* What had come is told; the child is left alone. */
    ck_assert_str_eq(out.data, "first\n");
    free(out.data);
    ck_assert_int_eq(uva_process_kill(process, SIGTERM), 0);
    finish(process, 0, SIGTERM);
    return 0;
}

START_TEST(communicate_cut_short_leaves_the_child_alone) {
    run_children(cut_talk);
}
END_TEST

static int talk_to(void *arg) {
    uva_output_t out = {0};
    int code = uva_process_communicate(arg, NULL, 0, &out, NULL);
    free(out.data);
    return code;
}

/* Closed, killed and talked to by others meanwhile. */
static int disturb(void *arg) {
    (void)arg;
    uva_process_t *process = start("exec sleep 1000", "oe");
    uva_task_t *task = uva_spawn(talk_to, process);
    ck_assert_int_eq(uva_yield(), 0);
    ck_assert_int_eq(uva_yield(), 0);
    char byte;
    ck_assert_int_eq(uva_read(uva_process_stdout(process), &byte, 1), UV_EBUSY);
    ck_assert_int_eq(uva_process_communicate(process, NULL, 0, NULL, NULL),
                     UV_EBUSY);
    ck_assert_int_eq(uva_process_kill(process, SIGKILL), 0);
    ck_assert_int_eq(uva_await(task, NULL), 0);
    finish(process, 0, SIGKILL);

    process = start("exec sleep 1000", "oe");
    task = uva_spawn(talk_to, process);
    ck_assert_int_eq(uva_yield(), 0);
    ck_assert_int_eq(uva_yield(), 0);
    uva_process_close(process);
    ck_assert_int_eq(uva_await(task, NULL), UV_ECANCELED);

    /* Closed before its tasks have begun. */
    process = start("exec sleep 1000", "oe");
    task = uva_spawn(talk_to, process);
    ck_assert_int_eq(uva_yield(), 0);
    uva_process_close(process);
    ck_assert_int_eq(uva_await(task, NULL), UV_ECANCELED);
    return 0;
}

START_TEST(communicate_while_others_interfere) {
    run_children(disturb);
}
END_TEST

/* ---- run ---------------------------------------------------------------- */

static int run_and_look(void *arg) {
    (void)arg;
    const char *args[] = {"sh", "-c", "cat; echo no >&2; exit 9", NULL};
    uva_process_options_t options = {.file = "/bin/sh", .args = args};
    uva_output_t out = {0};
    uva_output_t err = {0};
    uva_exit_t how = {.status = -1};
    ck_assert_int_eq(uva_process_run(&options, "yes", 3, &out, &err, &how), 0);
    ck_assert_str_eq(out.data, "yes");
    ck_assert_str_eq(err.data, "no\n");
    ck_assert_int_eq(how.status, 9);
    free(out.data);
    free(err.data);
    out = (uva_output_t){0};
    options.file = "/nowhere/at/all";
    ck_assert_int_eq(uva_process_run(&options, NULL, 0, &out, NULL, NULL),
                     UV_ENOENT);
    ck_assert_ptr_null(out.data);
    ck_assert_int_eq(uva_process_run(NULL, NULL, 0, NULL, NULL, NULL),
                     UV_EINVAL);
    ck_assert_int_eq(uva_process_run(&options, NULL, 1, NULL, NULL, NULL),
                     UV_EINVAL);
    return 0;
}

START_TEST(run_is_one_call) {
    run_children(run_and_look);
    ck_assert_int_eq(uva_process_run(NULL, NULL, 0, NULL, NULL, NULL),
                     UV_EPERM);
    ck_assert_int_eq((uva_process_run)(NULL, NULL, 0, NULL, NULL, NULL),
                     UV_EPERM);
}
END_TEST

/* Runs a script until it has said that it is ready, then cuts it short. */
typedef struct cut {
    const char *script;
    uint64_t grace_ms;
    uva_output_t out;
    int code;
    int fd; /* the child's stderr: says "ready" */
} cut_t;

static int run_to_be_cut(void *arg) {
    cut_t *cut = arg;
    const char *args[] = {"sh", "-c", cut->script, NULL};
    uva_process_options_t options = {.file = "/bin/sh",
                                     .args = args,
                                     .err = UVA_STDIO_FD,
                                     .err_fd = cut->fd,
                                     .grace_ms = cut->grace_ms};
    cut->code = uva_process_run(&options, NULL, 0, &cut->out, NULL, NULL);
    return cut->code;
}

static void cut_when_ready(cut_t *cut) {
    int ends[2];
    char ready;
    ck_assert_int_eq(uv_pipe(ends, 0, 0), 0);
    cut->fd = ends[1];
    uva_task_t *task = uva_spawn(run_to_be_cut, cut);
    ck_assert_int_eq(uva_yield(), 0);
    ck_assert_int_eq(read(ends[0], &ready, 1), 1);
    ck_assert(uva_cancel(task));
    ck_assert_int_eq(uva_await(task, NULL), UV_ECANCELED);
    ck_assert_int_eq(cut->code, UV_ECANCELED);
    close(ends[0]);
    close(ends[1]);
    /* It does not return before the child has been reaped. */
    expect_no_children();
}

static int cut_runs(void *arg) {
    (void)arg;
    /* SIGTERM is enough, and the child may clean up. */
    cut_t cut = {.script = "trap 'echo bye > /dev/stderr; exit 1' TERM; "
                           "echo ready >&2; while :; do sleep 0.01; done"};
    cut_when_ready(&cut);
    free(cut.out.data);
    /* It is not: the grace passes. */
    cut = (cut_t){.script = "trap '' TERM; echo ready >&2; exec sleep 1000",
                  .grace_ms = 20};
    cut_when_ready(&cut);
    free(cut.out.data);
    return 0;
}

START_TEST(run_cut_short_terminates_the_child) {
    CONFORMS("K-235");
    run_children(cut_runs);
}
END_TEST

static int run_too_much(void *arg) {
    (void)arg;
    const char *args[] = {"sh", "-c", "exec cat /dev/zero", NULL};
    uva_process_options_t options = {.file = "/bin/sh", .args = args};
    uva_output_t out = {.limit = 100000};
    ck_assert_int_eq(uva_process_run(&options, NULL, 0, &out, NULL, NULL),
                     UV_ENOBUFS);
    ck_assert_uint_eq(out.bytes, 100000);
    free(out.data);
    expect_no_children();
    return 0;
}

START_TEST(run_with_too_much_output_ends_the_child) {
    run_children(run_too_much);
}
END_TEST

SUITE("communicate", communicate_feeds_and_reads_at_once,
      communicate_ten_give_ten_right_answers,
      communicate_does_not_mind_a_child_that_does_not_read,
      communicate_has_limits, communicate_cut_short_leaves_the_child_alone,
      communicate_while_others_interfere, run_is_one_call,
      run_cut_short_terminates_the_child,
      run_with_too_much_output_ends_the_child)
