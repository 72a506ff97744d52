/*
 * Opens many connections to an HTTP server and keeps them: one request on each,
 * then nothing, until standard input ends; then one more request on each.
 *
 *     idle-client PORT CONNECTIONS
 *
 * Prints "idle N" when N connections are there, and "served N" at the end. Ten
 * thousand connections are ten thousand tasks here.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>
#include <uvawait.h>

enum { AT_ONCE = 100, STACK_BYTES = 32 << 10 };

typedef struct client {
    int port;
    size_t count;
    uva_semaphore_t connecting; /* how many may */
    uva_event_t again;
    size_t idle;
    size_t served;
} client_t;

static int ask(uva_stream_t *stream) {
    static const char request[] = "GET /hello HTTP/1.1\r\nHost: idle\r\n\r\n";
    char answer[1024];
    ssize_t code = uva_write(stream, request, sizeof request - 1);
    if (code > 0)
        code = uva_read_until_mem(stream, "Hello, world!\n", 14, answer,
                                  sizeof answer);
    return code < 0 ? (int)code : 0;
}

static int connect_and_ask(client_t *client, uva_stream_t **ret_stream) {
    int code = uva_semaphore_acquire(&client->connecting);
    if (code < 0)
        return code;
    code = uva_tcp_connect("127.0.0.1", client->port, ret_stream);
    if (code == 0)
        code = ask(*ret_stream);
    uva_semaphore_release(&client->connecting);
    return code;
}

static int hold(void *arg) {
    client_t *client = arg;
    uva_stream_t *stream = NULL;
    int code = connect_and_ask(client, &stream);
    if (code == 0) {
        if (++client->idle == client->count) {
            printf("idle %zu\n", client->idle);
            (void)fflush(stdout);
        }
        code = uva_event_wait(&client->again);
    }
    if (code == 0)
        code = ask(stream);
    client->served += code == 0;
    uva_stream_close(stream);
    return code;
}

static int wait_for_input(void *arg) {
    char buffer[64];
    (void)arg;
    while (read(STDIN_FILENO, buffer, sizeof buffer) > 0)
        continue;
    return 0;
}

static int run(void *arg) {
    client_t *client = arg;
    uva_group_t group;
    uva_task_options_t options = {.name = "holder", .stack_bytes = STACK_BYTES};
    uva_group_open(&group);
    for (size_t i = 0; i < client->count; i++)
        (void)uva_group_spawn_with(&group, &options, hold, client, NULL);
    (void)uva_to_thread(wait_for_input, NULL);
    uva_event_set(&client->again);
    int code = uva_group_close(&group);
    printf("served %zu\n", client->served);
    return code;
}

int main(int count, char *texts[]) {
    struct rlimit limit;
    if (count != 3) {
        (void)fputs("usage: idle-client PORT CONNECTIONS\n", stderr);
        return 2;
    }
    if (getrlimit(RLIMIT_NOFILE, &limit) == 0) {
        limit.rlim_cur = limit.rlim_max;
        (void)setrlimit(RLIMIT_NOFILE, &limit);
    }
    client_t client = {.port = atoi(texts[1]),
                       .count = strtoul(texts[2], NULL, 10)};
    uva_semaphore_init(&client.connecting, AT_ONCE);
    uva_event_init(&client.again);
    int code = uva_run(run, &client);
    if (code < 0)
        (void)fprintf(stderr, "idle-client: %s\n", uv_strerror(code));
    return code < 0 ? 1 : 0;
}
