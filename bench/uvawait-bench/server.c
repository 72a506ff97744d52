/*
 * A server with a think time, in a child process.
 *
 * How it goes away with its parent, however that ends: the kernel is asked to
 * kill it (PR_SET_PDEATHSIG), so there is nothing to clean up after Ctrl-C.
 * A thread of this process instead of a child was rejected: it would share the
 * allocator, the descriptor table and the profile with what is measured.
 */
#include "server.h"

#include "../harness/measure.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>
#include <uvawait.h>

void server_request(size_t number, char ret_request[REQUEST_BYTES + 1]) {
    snprintf(ret_request, REQUEST_BYTES + 1, "fetch %09zu\n", number);
}

void server_answer(size_t number, char ret_answer[ANSWER_BYTES]) {
    for (size_t i = 0; i < ANSWER_BYTES; i++)
        ret_answer[i] = (char)('a' + (number * 7 + i * i) % 26);
}

/* One connection: the task that serves it. */
static int serve(void *arg) {
    uva_stream_t *stream = arg;
    char request[REQUEST_BYTES + 1] = "";
    char answer[ANSWER_BYTES];
    size_t number;

    if (uva_read_exactly(stream, request, REQUEST_BYTES) == REQUEST_BYTES &&
        sscanf(request, "fetch %zu", &number) == 1 &&
        uva_sleep(THINK_MS) == 0) {
        server_answer(number, answer);
        uva_write(stream, answer, sizeof(answer));
    }
    uva_stream_close(stream);
    return 0;
}

/* The server's main task. Writes its port, or why it has none, to the pipe. */
static int serve_all(void *arg) {
    int pipe_end = *(int *)arg;
    uva_listener_t *listener;
    uva_stream_t *stream;
    int code = uva_tcp_listen("127.0.0.1", 0, 4096, &listener);
    int port = code < 0 ? code : uva_listener_port(listener);

    if (write(pipe_end, &port, sizeof(port)) != sizeof(port) || code < 0)
        return code;
    close(pipe_end);
    while ((code = uva_accept(listener, &stream)) != UV_ECANCELED) {
        if (code == 0)
            uva_detach(uva_spawn(serve, stream));
        else if (uva_sleep(1) < 0) /* Out of descriptors: some end soon. */
            break;
    }
    uva_listener_close(listener);
    return 0;
}

_Noreturn static void run_server(int pipe_end, pid_t parent) {
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (getppid() != parent)
        _exit(EXIT_FAILURE); /* It was gone before the kernel was asked. */
    _exit(uva_run(serve_all, &pipe_end) < 0 ? EXIT_FAILURE : EXIT_SUCCESS);
}

static int start_failed(int code) {
    bench_wrong("cannot start the server: %s", uv_strerror(code));
    return code;
}

int server_start(pid_t *ret_process, int *ret_port) {
    pid_t parent = getpid();
    int ends[2];
    int port = UV_EOF;
    pid_t process;

    if (pipe(ends) < 0)
        return start_failed(uv_translate_sys_error(errno));
    fflush(NULL); /* Or the child has a copy of what is not written yet. */
    process = fork();
    if (process == 0) {
        close(ends[0]);
        run_server(ends[1], parent);
    }
    close(ends[1]);
    if (process < 0)
        port = uv_translate_sys_error(errno);
    else if (read(ends[0], &port, sizeof(port)) != sizeof(port))
        port = UV_EOF;
    close(ends[0]);
    if (port < 0) {
        server_stop(process > 0 ? process : 0);
        return start_failed(port);
    }
    *ret_process = process;
    *ret_port = port;
    return 0;
}

void server_stop(pid_t process) {
    if (process <= 0)
        return;
    kill(process, SIGKILL);
    while (waitpid(process, NULL, 0) < 0 && errno == EINTR)
        continue;
}
