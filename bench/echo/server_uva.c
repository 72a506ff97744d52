/*
 * The echo server on uvawait, as a user writes it. Prints its port, and serves
 * until SIGTERM. The servers beside it do the same by other means.
 */
#include <stdio.h>
#include <uvawait.h>

enum { BACKLOG = 1024, BUFFER_BYTES = 4096 };

static int echo(uva_stream_t *stream, void *arg) {
    char buffer[BUFFER_BYTES];
    ssize_t bytes;

    (void)arg;
    while ((bytes = uva_read(stream, buffer, sizeof buffer)) > 0) {
        bytes = uva_write(stream, buffer, (size_t)bytes);
        if (bytes < 0)
            break;
    }
    return (int)bytes;
}

static int serve(void *arg) {
    uva_listener_t *listener;

    (void)arg;
    int code = uva_tcp_listen("127.0.0.1", 0, BACKLOG, &listener);
    if (code < 0)
        return code;
    printf("%d\n", uva_listener_port(listener));
    fflush(stdout);
    code = uva_serve(listener, echo, NULL, 0);
    uva_listener_close(listener);
    return code;
}

int main(void) {
    uva_options_t options = {.handle_signals = true};
    int code = uva_run_with(&options, serve, NULL);

    return code == UV_EINTR ? 0 : 1;
}
