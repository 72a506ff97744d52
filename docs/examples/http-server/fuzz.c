/*
 * What: anything at all, sent to a connection of the server by libFuzzer.
 *
 * How: connection_serve() runs over a stream in memory, under the virtual
 * clock, so that nothing takes the time that its deadlines say. The first byte
 * of an input says how it is played, see below; then come the bytes of the
 * client. The runtime is made once: an input is a task and a run of the loop.
 * What must hold, beside that nothing breaks: the connection ends, with a code,
 * and leaves nothing.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>

#include "connection.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t bytes);

/* The bits of the first byte. */
enum {
    PIECE_BYTES = 31, /* no read of the server brings more; 0: no limit */
    STOPS = 32,       /* the server is stopped behind the input */
    LOGS = 64,
    STAYS = 128 /* the client does not end its side, so a deadline will */
};

typedef struct input {
    unsigned how;
    const uint8_t *data;
    size_t bytes;
    uva_stream_t *client;
    uva_stream_t *server_side;
} input_t;

static settings_t settings;
static server_t server;
static uv_loop_t loop;
static uva_runtime_t *runtime;

static _Noreturn void give_up(const char *what) {
    (void)fprintf(stderr, "fuzz: %s\n", what);
    abort();
}

/* The library has something to complain of. */
static void on_report(void *arg, const char *text) {
    (void)arg;
    give_up(text);
}

/* A root with one file, below the current directory. */
static void make_root(void) {
    if (mkdir("root", 0700) < 0 && errno != EEXIST)
        give_up("mkdir");
    FILE *file = fopen("root/a", "w");
    if (file == NULL || fputs("the file\n", file) < 0 || fclose(file) != 0)
        give_up("the file");
    settings.root = "root";
}

static void make_runtime(void) {
    uva_options_t options = {.clock = UVA_CLOCK_VIRTUAL, .report = on_report};
    server_settings_default(&settings);
    settings.head_limit = 512;
    settings.body_limit = 4096;
    make_root();
    server_init(&server, &settings);
    if (uv_loop_init(&loop) < 0 ||
        uva_runtime_attach(&loop, &options, &runtime) < 0)
        give_up("the runtime");
}

static int send_input(void *arg) {
    input_t *input = arg;
    (void)uva_write(input->client, input->data, input->bytes);
    if ((input->how & STOPS) != 0)
        server_stop(&server);
    if ((input->how & STAYS) == 0)
        (void)uva_shutdown(input->client);
    return 0;
}

static int receive_all(void *arg) {
    input_t *input = arg;
    char buffer[4096];
    while (uva_read(input->client, buffer, sizeof buffer) > 0)
        continue;
    return 0;
}

static int serve(void *arg) {
    input_t *input = arg;
    int code = connection_serve(input->server_side, &server);
    if (code >= 0)
        give_up("a connection that did not end");
    uva_stream_close(input->server_side);
    return 0;
}

static void play_with(input_t *input) {
    uva_group_t group;
    uva_group_open(&group);
    if (uva_group_spawn(&group, serve, input) < 0 ||
        uva_group_spawn(&group, send_input, input) < 0 ||
        uva_group_spawn(&group, receive_all, input) < 0)
        give_up("a task");
    (void)uva_group_close(&group);
}

static int play(void *arg) {
    input_t *input = arg;
    uva_memory_stream_options_t options = {.fragment_bytes =
                                               input->how & PIECE_BYTES};
    uva_stream_t *ends[2];
    if (uva_memory_stream_pair(&options, ends) < 0)
        give_up("a stream");
    if ((input->how & LOGS) != 0 &&
        access_log_open("/dev/null", &server.log) < 0)
        give_up("the log");
    input->client = ends[0];
    input->server_side = ends[1];
    play_with(input);
    uva_stream_close(input->client);
    access_log_close(server.log);
    server.log = NULL;
    server.is_stopping = false;
    return 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t bytes) {
    if (bytes == 0)
        return 0;
    input_t input = {.how = data[0], .data = data + 1, .bytes = bytes - 1};
    if (runtime == NULL)
        make_runtime();
    uva_task_t *task = uva_spawn_on(runtime, play, &input);
    if (task == NULL)
        give_up("the first task");
    uva_detach(task);
    (void)uv_run(&loop, UV_RUN_DEFAULT);
    if (server.connections_open != 0)
        give_up("a connection was left");
    return 0;
}
