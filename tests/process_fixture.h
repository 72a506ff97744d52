/*
 * process_fixture.h - what the tests of processes share: children of /bin/sh,
 * and the proof that none is left, not even as a zombie.
 */
#ifndef PROCESS_FIXTURE_H
#define PROCESS_FIXTURE_H

#include "stream_fixture.h"

#include <errno.h>
#include <sys/wait.h>

static inline void expect_no_children(void) {
    ck_assert_int_eq(waitpid(-1, NULL, WNOHANG), -1);
    ck_assert_int_eq(errno, ECHILD);
}

/* run_clean(); no child may be left, running or not reaped. */
static inline void run_children(uva_fn fn) {
    run_clean(fn);
    expect_no_children();
}

/* A child that runs a script, with pipes where their letter stands in `pipes`:
 * "ioe". */
static inline uva_process_t *start(const char *script, const char *pipes) {
    const char *args[] = {"sh", "-c", script, NULL};
    uva_process_options_t options = {.file = "/bin/sh", .args = args};
    uva_process_t *process = NULL;
    options.in =
        strchr(pipes, 'i') != NULL ? UVA_STDIO_PIPE : UVA_STDIO_INHERIT;
    options.out =
        strchr(pipes, 'o') != NULL ? UVA_STDIO_PIPE : UVA_STDIO_INHERIT;
    options.err =
        strchr(pipes, 'e') != NULL ? UVA_STDIO_PIPE : UVA_STDIO_INHERIT;
    ck_assert_int_eq(uva_process_spawn(&options, &process), 0);
    ck_assert_ptr_nonnull(process);
    return process;
}

/* Waits for the end, which must be this one; closes. */
static inline void finish(uva_process_t *process, int status, int signum) {
    uva_exit_t how = {.status = -1, .signum = -1};
    ck_assert_int_eq(uva_process_wait(process, &how), 0);
    ck_assert_int_eq(how.status, status);
    ck_assert_int_eq(how.signum, signum);
    uva_process_close(process);
}

/* Reads to the end; how many bytes. The text is cut at the buffer. */
static inline size_t read_text(uva_stream_t *stream, char *buffer,
                               size_t bytes) {
    size_t length = 0;
    ssize_t got = 0;
    while ((got = uva_read(stream, buffer + length, bytes - 1 - length)) > 0)
        length += (size_t)got;
    ck_assert_int_eq(got, UV_EOF);
    buffer[length] = '\0';
    return length;
}

/* What options make of a script: its stdout. */
static inline void expect_output(uva_process_options_t options,
                                 const char *script, const char *text) {
    const char *args[] = {"sh", "-c", script, NULL};
    uva_output_t out = {0};
    uva_exit_t how = {.status = -1};
    options.file = "/bin/sh";
    options.args = args;
    int code = uva_process_run(&options, NULL, 0, &out, NULL, &how);
    ck_assert_int_eq(code, 0);
    ck_assert_int_eq(how.status, 0);
    ck_assert_str_eq(out.data, text);
    ck_assert_uint_eq(out.bytes, strlen(text));
    free(out.data);
}

#endif
