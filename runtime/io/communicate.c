/*
 * What: uva_process_communicate(): input, output and errors at once.
 *
 * How: a task for each pipe, because a child may write before it has read, and
 * read before what it wrote was taken. The first that fails asks the others to
 * end; the caller waits for each in turn, and passes a request of its own on.
 * A child that has gone, or closed its stdin, does not want the rest of the
 * input: no failure.
 */
#include <stdlib.h>
#include <unistd.h>

#include "../task.h"
#include "open.h"
#include "process.h"
#include "stream.h"

enum { FIRST_BYTES = 4096 };

typedef struct talk {
    uva_process_t *process;
    const void *input;
    size_t bytes;
    uva_output_t *outputs[UVA__STDIO]; /* NULL: read and dropped */
    uva_task_t *tasks[UVA__STDIO];     /* held; NULL: none */
    int code;                          /* of the first that failed */
} talk_t;

/* A task of the talk ends: with 0, or for all of them. */
static int end_with(talk_t *talk, int code) {
    if (code >= 0)
        return 0;
    if (talk->code == 0)
        talk->code = code;
    for (int i = 0; i < UVA__STDIO; i++) {
        if (talk->tasks[i] != NULL && talk->tasks[i] != uva_current())
            (void)uva_cancel(talk->tasks[i]);
    }
    return code;
}

static int feed(void *arg) {
    talk_t *talk = arg;
    uva_stream_t *stream = talk->process->pipes[STDIN_FILENO];
    ssize_t code = 0;
    if (stream != NULL && talk->bytes > 0)
        code = uva_write(stream, talk->input, talk->bytes);
    (void)uva_process_close_pipe(talk->process, STDIN_FILENO);
    if (code == UV_EPIPE || code == UV_ECONNRESET)
        code = 0;
    return end_with(talk, code < 0 ? (int)code : 0);
}

/* ---- reading ------------------------------------------------------------ */

/* Room for at least one byte and the '\0'; how many bytes, or a code. */
static ssize_t make_room(uva_output_t *output, size_t *capacity) {
    if (output->bytes == *capacity) {
        size_t bytes = *capacity > 0 ? *capacity * 2 : FIRST_BYTES;
        if (output->limit > 0 && bytes > output->limit)
            bytes = output->limit;
        char *data = realloc(output->data, bytes + 1);
        if (data == NULL)
            return UV_ENOMEM;
        output->data = data;
        *capacity = bytes;
    }
    return (ssize_t)(*capacity - output->bytes);
}

/* The limit is reached: 0 at the end of the stream, else UV_ENOBUFS. */
static ssize_t expect_end(uva_stream_t *stream) {
    char byte;
    ssize_t got = uva_read(stream, &byte, 1);
    return got > 0 ? UV_ENOBUFS : got;
}

/* Reads once; how many bytes, or a code. */
static ssize_t collect(uva_stream_t *stream, uva_output_t *output,
                       size_t *capacity) {
    if (output->limit > 0 && output->bytes == output->limit)
        return expect_end(stream);
    ssize_t room = make_room(output, capacity);
    if (room < 0)
        return room;
    ssize_t got = uva_read(stream, output->data + output->bytes, (size_t)room);
    output->bytes += got > 0 ? (size_t)got : 0;
    output->data[output->bytes] = '\0';
    return got;
}

static ssize_t drop(uva_stream_t *stream) {
    char waste[FIRST_BYTES];
    return uva_read(stream, waste, sizeof waste);
}

/* Until its end; the process may be closed meanwhile, and its pipe with it. */
static int read_pipe(talk_t *talk, int fd) {
    size_t capacity = 0;
    ssize_t got = 1;
    while (got >= 0) {
        uva_stream_t *stream = talk->process->pipes[fd];
        if (stream == NULL)
            got = UV_ECANCELED;
        else if (talk->outputs[fd] != NULL)
            got = collect(stream, talk->outputs[fd], &capacity);
        else
            got = drop(stream);
    }
    return end_with(talk, got == UV_EOF ? 0 : (int)got);
}

static int read_output(void *arg) {
    return read_pipe(arg, STDOUT_FILENO);
}

static int read_errors(void *arg) {
    return read_pipe(arg, STDERR_FILENO);
}

/* ---- all at once -------------------------------------------------------- */

/* A task for each pipe. */
static void spawn_all(talk_t *talk) {
    static const uva_fn fns[UVA__STDIO] = {feed, read_output, read_errors};
    static const uva_task_options_t options = {.name =
                                                   "uva_process_communicate"};
    for (int i = 0; i < UVA__STDIO && talk->code == 0; i++) {
        if (talk->process->pipes[i] == NULL)
            continue;
        talk->tasks[i] = uva_spawn_with_at("uva_process_communicate()",
                                           &options, fns[i], talk);
        if (talk->tasks[i] == NULL)
            (void)end_with(talk, UV_ENOMEM);
    }
}

/* Waits until every one has ended; 0, or why the first one failed. */
static int await_all(talk_t *talk) {
    int result = 0;
    for (int i = 0; i < UVA__STDIO; i++) {
        if (talk->tasks[i] == NULL)
            continue;
        int code = uva_await(uva_ref(talk->tasks[i]), NULL);
        if (code < 0 && result == 0)
            result = end_with(talk, code);
    }
    for (int i = 0; i < UVA__STDIO; i++)
        uva_unref(talk->tasks[i]);
    return talk->code < 0 ? talk->code : result;
}

static int communicate(uva__task_t *task, talk_t *talk) {
    int code = uva__may_park(task);
    if (code < 0)
        return code;
    spawn_all(talk);
    code = await_all(talk);
    (void)uva_process_close_pipe(talk->process, STDIN_FILENO);
    return code == 0 ? uva_process_wait(talk->process, NULL) : code;
}

static void clear(uva_output_t *output) {
    if (output == NULL)
        return;
    output->data = NULL;
    output->bytes = 0;
}

int uva_process_communicate(uva_process_t *process, const void *input,
                            size_t bytes, uva_output_t *out,
                            uva_output_t *err) {
    clear(out);
    clear(err);
    uva__task_t *task = uva__running("uva_process_communicate");
    if (task == NULL)
        return UV_EPERM;
    if (process == NULL || (input == NULL && bytes > 0))
        return UV_EINVAL;
    int code = uva__must_be_ours(process->runtime, "uva_process_communicate");
    if (code < 0)
        return code;
    talk_t talk = {.process = process,
                   .input = input,
                   .bytes = bytes,
                   .outputs = {NULL, out, err}};
    process->refs++;
    code = communicate(task, &talk);
    uva__process_unref(process);
    return code;
}
