/*
 * A TCP server of lines with libuv's callbacks, as they are written every day,
 * of which one path, FETCH, has moved to a task. What it was before is
 * plain.c, beside it; the places that changed are marked with "uvawait:", and
 * `diff plain.c server.c` shows them. All other code is untouched.
 *
 *     ECHO text     text
 *     TIME          seconds since 1970
 *     SLEEP ms      "SLEPT ms", ms later
 *     FETCH name    "FILE name bytes" and the file's contents: after a moment,
 *                   which spares the disk, read by the thread pool
 *     QUIT          "BYE", and the connection ends
 *
 * Run it as `server PORT DIRECTORY`; port 0 takes a free one.
 */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/queue.h>
#include <time.h>
#include <unistd.h>
#include <uv.h>
#include <uvawait.h> /* uvawait: instead of callbacks of FETCH */

enum {
    LINE_BYTES_MAX = 1024,
    FETCH_DELAY_MS = 20,
    FETCH_BYTES_MAX = 1 << 16,
    STATISTICS_MS = 10000
};

typedef struct client {
    LIST_ENTRY(client) link;
    uv_tcp_t tcp;
    char line[LINE_BYTES_MAX]; /* what has arrived of the current line */
    size_t used;               /* bytes of it */
    unsigned holds;            /* operations that refer to the client, and 1
                                  while it is open */
} client_t;

/* A timer that belongs to a client's command. */
typedef struct pause {
    LIST_ENTRY(pause) link;
    uv_timer_t timer;
    client_t *client;
    void (*then)(client_t *client, void *arg); /* NULL after a cut */
    void (*drop)(void *arg);                   /* what a cut does with arg */
    void *arg;
} pause_t;

/* A write, and what is to be done after it. */
typedef struct reply {
    uv_write_t request;
    client_t *client;
    void (*then)(void *arg, int status); /* may be NULL */
    void *arg;
    char text[]; /* what is being written */
} reply_t;

typedef struct fetch {
    client_t *client;
    size_t bytes;
    char name[LINE_BYTES_MAX];
    char contents[FETCH_BYTES_MAX];
} fetch_t;

static struct server {
    uv_loop_t loop;
    uva_runtime_t *runtime; /* uvawait: rides on the loop */
    uv_tcp_t listener;
    uv_timer_t statistics;
    uv_signal_t signals[2];
    LIST_HEAD(, client) clients;
    LIST_HEAD(, pause) pauses;
    const char *directory;
    bool stopping;
    uint64_t lines;
    uint64_t delivered; /* files that were written to the end */
} server;

/* ---- clients ---------------------------------------------------------- */

static client_t *hold(client_t *client) {
    client->holds++;
    return client;
}

static void release(client_t *client) {
    if (--client->holds == 0)
        free(client);
}

static void on_client_closed(uv_handle_t *handle) {
    release(handle->data);
}

static void client_close(client_t *client) {
    if (uv_is_closing((uv_handle_t *)&client->tcp))
        return;
    LIST_REMOVE(client, link);
    uv_close((uv_handle_t *)&client->tcp, on_client_closed);
}

/* ---- replies ---------------------------------------------------------- */

static void on_written(uv_write_t *request, int status) {
    reply_t *reply = request->data;

    if (reply->then != NULL)
        reply->then(reply->arg, status);
    release(reply->client);
    free(reply);
}

/* Writes a head and a body (may be empty) and then calls `then`, also when it
 * cannot be written. */
static void send_reply(client_t *client, const char *head, const char *body,
                       size_t body_bytes, void (*then)(void *arg, int status),
                       void *arg) {
    size_t head_bytes = strlen(head);
    reply_t *reply = malloc(sizeof(*reply) + head_bytes + body_bytes);
    int code = UV_ENOMEM;

    if (reply != NULL) {
        memcpy(reply->text, head, head_bytes);
        if (body_bytes > 0)
            memcpy(reply->text + head_bytes, body, body_bytes);
        reply->client = client;
        reply->then = then;
        reply->arg = arg;
        reply->request.data = reply;
        uv_buf_t buffer =
            uv_buf_init(reply->text, (unsigned)(head_bytes + body_bytes));
        code = uv_is_closing((uv_handle_t *)&client->tcp)
                   ? UV_ECANCELED
                   : uv_write(&reply->request, (uv_stream_t *)&client->tcp,
                              &buffer, 1, on_written);
    }
    if (code == 0) {
        hold(client);
        return;
    }
    free(reply);
    if (then != NULL)
        then(arg, code);
}

static void send_line(client_t *client, const char *text) {
    char line[LINE_BYTES_MAX + 128];

    snprintf(line, sizeof(line), "%s\n", text);
    send_reply(client, line, NULL, 0, NULL, NULL);
}

/* ---- pauses ----------------------------------------------------------- */

static void on_pause_closed(uv_handle_t *handle) {
    pause_t *pause = handle->data;

    LIST_REMOVE(pause, link);
    if (pause->then != NULL)
        pause->then(pause->client, pause->arg);
    else
        pause->drop(pause->arg);
    release(pause->client);
    free(pause);
}

static void on_pause_over(uv_timer_t *timer) {
    uv_close((uv_handle_t *)timer, on_pause_closed);
}

static void pause_cut(pause_t *pause) {
    if (uv_is_closing((uv_handle_t *)&pause->timer))
        return;
    pause->then = NULL;
    uv_close((uv_handle_t *)&pause->timer, on_pause_closed);
}

/* Calls then after ms, or drop if the server stops before. */
static void pause_start(client_t *client, uint64_t ms,
                        void (*then)(client_t *client, void *arg),
                        void (*drop)(void *arg), void *arg) {
    pause_t *pause = malloc(sizeof(*pause));

    if (pause == NULL) {
        drop(arg);
        send_line(client, "ERROR out of memory");
        return;
    }
    pause->client = hold(client);
    pause->then = then;
    pause->drop = drop;
    pause->arg = arg;
    uv_timer_init(&server.loop, &pause->timer);
    pause->timer.data = pause;
    LIST_INSERT_HEAD(&server.pauses, pause, link);
    uv_timer_start(&pause->timer, on_pause_over, ms, 0);
}

/* ---- SLEEP ------------------------------------------------------------ */

static void after_sleep(client_t *client, void *text) {
    send_line(client, text);
    free(text);
}

static void command_sleep(client_t *client, const char *text) {
    uint64_t ms = strtoul(text, NULL, 10);
    char *answer = malloc(32);

    if (answer == NULL)
        return;
    snprintf(answer, 32, "SLEPT %" PRIu64, ms);
    pause_start(client, ms, after_sleep, free, answer);
}

/* ---- FETCH ------------------------------------------------------------ */

/* In the thread pool: reads the file. */
static int read_file(void *arg) {
    fetch_t *fetch = arg;
    char path[2 * LINE_BYTES_MAX];
    ssize_t got = 0;
    int fd;

    snprintf(path, sizeof(path), "%s/%s", server.directory, fetch->name);
    fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    if (fd < 0)
        return uv_translate_sys_error(errno);
    while (fetch->bytes < sizeof(fetch->contents) &&
           (got = read(fd, fetch->contents + fetch->bytes,
                       sizeof(fetch->contents) - fetch->bytes)) > 0)
        fetch->bytes += (size_t)got;
    got = got < 0 ? uv_translate_sys_error(errno) : 0;
    close(fd);
    return (int)got;
}

/* uvawait: an ordinary callback completes what a task waits for. The future
 * is held for it, since a cancelled task does not wait until it is called. */
static void resolve_written(void *arg, int status) {
    if (status == 0)
        uva_future_resolve(arg, NULL);
    else
        uva_future_fail(arg, status, NULL);
    uva_unref(arg);
}

/* uvawait: sends a reply and waits until it is written. */
static int send_and_wait(client_t *client, const char *head, const char *body,
                         size_t body_bytes) {
    uva_future_t *written = uva_future_new();

    if (written == NULL)
        return UV_ENOMEM;
    send_reply(client, head, body, body_bytes, resolve_written,
               uva_ref(written));
    return uva_await(written, NULL);
}

/* uvawait: all of FETCH, from top to bottom. When the server stops, each wait
 * returns UV_ECANCELED. */
static int fetch_task(void *arg) {
    fetch_t *fetch = arg;
    char head[LINE_BYTES_MAX + 64];
    int code = uva_sleep(FETCH_DELAY_MS);

    if (code == 0)
        code = uva_to_thread(read_file, fetch);
    if (code == 0) {
        snprintf(head, sizeof(head), "FILE %s %zu\n", fetch->name,
                 fetch->bytes);
        if (send_and_wait(fetch->client, head, fetch->contents, fetch->bytes) ==
            0)
            server.delivered++;
    } else if (code != UV_ECANCELED) {
        snprintf(head, sizeof(head), "ERROR %s: %s", fetch->name,
                 uv_strerror(code));
        send_line(fetch->client, head);
    }
    return 0;
}

/* uvawait: called once the task is over, also one that was cancelled before it
 * began and so never ran. */
static void on_fetch_over(uva_future_t *task, void *arg) {
    fetch_t *fetch = arg;

    (void)task;
    release(fetch->client);
    free(fetch);
}

static void command_fetch(client_t *client, const char *name) {
    fetch_t *fetch;
    uva_task_t *task; /* uvawait */

    if (name[0] == '\0' || name[0] == '.' || strchr(name, '/') != NULL) {
        send_line(client, "ERROR not a name of a file");
        return;
    }
    fetch = malloc(sizeof(*fetch));
    if (fetch == NULL) {
        send_line(client, "ERROR out of memory");
        return;
    }
    fetch->client = hold(client);
    fetch->bytes = 0;
    snprintf(fetch->name, sizeof(fetch->name), "%s", name);
    /* uvawait: a task instead of the first of a chain of callbacks. */
    task = uva_spawn_on(server.runtime, fetch_task, fetch);
    if (task == NULL || uva_on_done(task, on_fetch_over, fetch) < 0) {
        send_line(client, "ERROR out of memory");
        uva_cancel(task); /* It has not begun, so it never will. */
        on_fetch_over(task, fetch);
    }
    uva_detach(task);
}

/* ---- lines ------------------------------------------------------------ */

static void on_bye_written(void *arg, int status) {
    (void)status;
    client_close(arg);
}

/* What follows a command, or NULL if the line is another one. */
static const char *after_command(const char *line, const char *command) {
    size_t length = strlen(command);

    return strncmp(line, command, length) == 0 ? line + length : NULL;
}

static void handle_line(client_t *client, const char *line) {
    const char *rest;
    char text[32];

    server.lines++;
    if ((rest = after_command(line, "ECHO ")) != NULL) {
        send_line(client, rest);
    } else if (strcmp(line, "TIME") == 0) {
        snprintf(text, sizeof(text), "%lld", (long long)time(NULL));
        send_line(client, text);
    } else if ((rest = after_command(line, "SLEEP ")) != NULL) {
        command_sleep(client, rest);
    } else if ((rest = after_command(line, "FETCH ")) != NULL) {
        command_fetch(client, rest);
    } else if (strcmp(line, "QUIT") == 0) {
        send_reply(client, "BYE\n", NULL, 0, on_bye_written, client);
    } else {
        send_line(client, "ERROR unknown command");
    }
}

static void on_alloc(uv_handle_t *handle, size_t suggested, uv_buf_t *buffer) {
    client_t *client = handle->data;

    (void)suggested;
    *buffer = uv_buf_init(client->line + client->used,
                          (unsigned)(sizeof(client->line) - client->used));
}

static void on_read(uv_stream_t *stream, ssize_t got, const uv_buf_t *buffer) {
    client_t *client = stream->data;
    char *line = client->line;
    char *end;

    (void)buffer;
    if (got < 0) { /* The end, an error, or a line that is too long. */
        client_close(client);
        return;
    }
    client->used += (size_t)got;
    while ((end = memchr(line, '\n',
                         client->used - (size_t)(line - client->line)))) {
        *end = '\0';
        if (end > line && end[-1] == '\r')
            end[-1] = '\0';
        handle_line(client, line);
        line = end + 1;
    }
    client->used -= (size_t)(line - client->line);
    memmove(client->line, line, client->used);
}

static void on_connection(uv_stream_t *listener, int status) {
    client_t *client;

    if (status < 0)
        return;
    client = calloc(1, sizeof(*client));
    if (client == NULL)
        return;
    client->holds = 1;
    uv_tcp_init(&server.loop, &client->tcp);
    client->tcp.data = client;
    LIST_INSERT_HEAD(&server.clients, client, link);
    if (uv_accept(listener, (uv_stream_t *)&client->tcp) < 0 ||
        uv_read_start((uv_stream_t *)&client->tcp, on_alloc, on_read) < 0)
        client_close(client);
}

/* ---- the server ------------------------------------------------------- */

static void on_statistics(uv_timer_t *timer) {
    (void)timer;
    fprintf(stderr, "%" PRIu64 " lines, %" PRIu64 " files\n", server.lines,
            server.delivered);
}

static void on_signal(uv_signal_t *signal, int number) {
    client_t *client;
    pause_t *pause;

    (void)signal;
    (void)number;
    if (server.stopping)
        return;
    server.stopping = true;
    uv_close((uv_handle_t *)&server.listener, NULL);
    uv_close((uv_handle_t *)&server.statistics, NULL);
    uv_close((uv_handle_t *)&server.signals[0], NULL);
    uv_close((uv_handle_t *)&server.signals[1], NULL);
    while ((client = LIST_FIRST(&server.clients)) != NULL)
        client_close(client);
    LIST_FOREACH(pause, &server.pauses, link)
    pause_cut(pause);
    uva_runtime_detach(server.runtime, NULL, NULL); /* uvawait: ends tasks */
}

static int start(int port) {
    struct sockaddr_in address;
    int bytes = sizeof(address);
    int code;

    uv_tcp_init(&server.loop, &server.listener);
    uv_ip4_addr("127.0.0.1", port, &address);
    code = uv_tcp_bind(&server.listener, (struct sockaddr *)&address, 0);
    if (code == 0)
        code = uv_listen((uv_stream_t *)&server.listener, 128, on_connection);
    if (code < 0)
        return code;
    uv_tcp_getsockname(&server.listener, (struct sockaddr *)&address, &bytes);
    printf("listening on 127.0.0.1:%d\n", ntohs(address.sin_port));
    fflush(stdout);
    uv_timer_init(&server.loop, &server.statistics);
    uv_timer_start(&server.statistics, on_statistics, STATISTICS_MS,
                   STATISTICS_MS);
    for (int i = 0; i < 2; i++) {
        uv_signal_init(&server.loop, &server.signals[i]);
        uv_signal_start(&server.signals[i], on_signal,
                        i == 0 ? SIGTERM : SIGINT);
    }
    return 0;
}

int main(int argc, char **argv) {
    int code;

    if (argc != 3) {
        fprintf(stderr, "usage: %s PORT DIRECTORY\n", argv[0]);
        return 2;
    }
    signal(SIGPIPE, SIG_IGN);
    server.directory = argv[2];
    LIST_INIT(&server.clients);
    LIST_INIT(&server.pauses);
    code = uv_loop_init(&server.loop);
    if (code == 0) /* uvawait: a runtime on the loop that is ours */
        code = uva_runtime_attach(&server.loop, NULL, &server.runtime);
    if (code == 0)
        code = start(atoi(argv[1]));
    if (code < 0) {
        fprintf(stderr, "cannot start: %s\n", uv_strerror(code));
        return 1;
    }
    uv_run(&server.loop, UV_RUN_DEFAULT);
    code = uv_loop_close(&server.loop);
    if (code < 0) {
        fprintf(stderr, "cannot close the loop: %s\n", uv_strerror(code));
        return 1;
    }
    printf("stopped after %" PRIu64 " lines and %" PRIu64 " files\n",
           server.lines, server.delivered);
    return 0;
}
