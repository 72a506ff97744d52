/*
 * What: anything at all, sent to a connection of the server by libFuzzer.
 *
 * How: connection_serve() runs over a stream in memory, under the virtual
 * clock, so that expiring and stalling take no time. The first byte of an input
 * says how the rest gets to the server: its low seven bits are the size of the
 * pieces that are read (0: whole), the highest makes the client pause between
 * the pieces that it writes. The runtime is made once; a server is made for
 * each input, so that an input does the same each time.
 *
 * What must hold, beside that nothing breaks: the connection ends; what it sent
 * is RESP, as hiredis reads it, whole replies if the client read on to the end;
 * nothing is left.
 */
#include <hiredis/hiredis.h>
#include <stdio.h>
#include <stdlib.h>

#include "connection.h"

enum { PIECE_BYTES = 32, PAUSE_MS = 7 };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t bytes);

typedef struct input {
    const uint8_t *data;
    size_t bytes;
    bool pauses;
    uva_stream_t *client;
    uva_stream_t *server_side;
    server_t server;
} input_t;

static settings_t settings;
static uv_loop_t loop;
static uva_runtime_t *runtime;

static _Noreturn void give_up(const char *what) {
    (void)fprintf(stderr, "fuzz: %s\n", what);
    abort();
}

static void silent(void *arg, const char *text) {
    (void)arg;
    (void)text;
}

/* Limits that an input of libFuzzer can reach. */
static void make_runtime(void) {
    uva_options_t options = {.clock = UVA_CLOCK_VIRTUAL, .report = silent};
    server_settings_default(&settings);
    settings.idle_ms = 1000;
    settings.limits = (request_limits_t){
        .arguments = 16, .argument_bytes = 300, .bytes = 600};
    if (uv_loop_init(&loop) < 0 ||
        uva_runtime_attach(&loop, &options, &runtime) < 0)
        give_up("the runtime");
}

/* ---- the client ---------------------------------------------------------- */

static int send_input(void *arg) {
    input_t *input = arg;
    size_t piece = input->pauses ? PIECE_BYTES : SIZE_MAX;
    int code = 0;
    while (input->bytes > 0 && code >= 0) {
        size_t some = input->bytes < piece ? input->bytes : piece;
        code = (int)uva_write(input->client, input->data, some);
        input->data += some;
        input->bytes -= some;
        if (code >= 0 && input->pauses)
            code = uva_sleep(PAUSE_MS);
    }
    (void)uva_shutdown(input->client);
    return 0;
}

static void check_replies(redisReader *reader) {
    void *reply;
    do {
        if (redisReaderGetReply(reader, &reply) != REDIS_OK)
            give_up(reader->errstr);
        if (reply != NULL)
            freeReplyObject(reply);
    } while (reply != NULL);
}

static int receive_all(void *arg) {
    input_t *input = arg;
    redisReader *reader = redisReaderCreate();
    char buffer[4096];
    ssize_t got;
    if (reader == NULL)
        give_up("a reader");
    while ((got = uva_read(input->client, buffer, sizeof buffer)) > 0) {
        if (redisReaderFeed(reader, buffer, (size_t)got) != REDIS_OK)
            give_up("feeding");
        check_replies(reader);
    }
    if (got != UV_EOF || reader->pos != reader->len)
        give_up("half a reply");
    redisReaderFree(reader);
    return 0;
}

/* ---- the server ---------------------------------------------------------- */

static int serve(void *arg) {
    input_t *input = arg;
    (void)connection_serve(input->server_side, &input->server);
    uva_stream_close(input->server_side);
    if (input->server.connections_open != 0)
        give_up("a connection was left");
    return 0;
}

static void open_streams(input_t *input, uint8_t how) {
    uva_memory_stream_options_t options = {.fragment_bytes = how & 0x7f};
    uva_stream_t *ends[2];
    if (uva_memory_stream_pair(&options, ends) < 0)
        give_up("a stream");
    input->client = ends[0];
    input->server_side = ends[1];
    input->pauses = (how & 0x80) != 0;
}

static int play(void *arg) {
    input_t *input = arg;
    open_streams(input, *input->data);
    input->data++;
    input->bytes--;
    server_init(&input->server, &settings);
    uva_task_t *sweeper = uva_spawn(server_sweep, &input->server);
    uva_group_t group;
    uva_group_open(&group);
    if (sweeper == NULL || uva_group_spawn(&group, serve, input) < 0 ||
        uva_group_spawn(&group, send_input, input) < 0 ||
        uva_group_spawn(&group, receive_all, input) < 0)
        give_up("a task");
    (void)uva_group_close(&group);
    (void)uva_cancel(sweeper);
    (void)uva_await(sweeper, NULL);
    uva_stream_close(input->client);
    server_free(&input->server);
    return 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t bytes) {
    input_t input = {.data = data, .bytes = bytes};
    if (bytes == 0)
        return 0;
    if (runtime == NULL)
        make_runtime();
    uva_task_t *task = uva_spawn_on(runtime, play, &input);
    if (task == NULL)
        give_up("the first task");
    uva_detach(task);
    (void)uv_run(&loop, UV_RUN_DEFAULT);
    return 0;
}
