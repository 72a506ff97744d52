/*
 * Commands on the connection and on the server.
 */
#include "commands.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

/* ---- the connection ------------------------------------------------------ */

void command_ping(connection_t *client) {
    if (argument_count(client) > 1)
        reply_bulk(&client->reply, argument(client, 1));
    else
        reply_status(&client->reply, "PONG");
}

void command_echo(connection_t *client) {
    reply_bulk(&client->reply, argument(client, 1));
}

void command_quit(connection_t *client) {
    client->is_quitting = true;
    reply_status(&client->reply, "OK");
}

void command_select(connection_t *client) {
    int64_t index;
    if (!argument_number(client, 1, &index))
        return;
    if (index < 0 || index >= DATABASES) {
        reply_error(&client->reply, "ERR DB index is out of range");
        return;
    }
    client->store = &client->server->stores[index];
    reply_status(&client->reply, "OK");
}

/* Libraries introduce themselves when they connect; that they may. */
void command_client(connection_t *client) {
    if (argument_is(client, 1, "setname") || argument_is(client, 1, "setinfo"))
        reply_status(&client->reply, "OK");
    else
        reply_error(&client->reply, "ERR unknown subcommand '%.128s'",
                    argument(client, 1).data);
}

/* ---- databases ----------------------------------------------------------- */

void command_dbsize(connection_t *client) {
    reply_integer(&client->reply, (int64_t)store_count(client->store));
}

/* ASYNC and SYNC are taken for the same. */
static bool is_flush(connection_t *client) {
    if (argument_count(client) == 1 || argument_is(client, 1, "async") ||
        argument_is(client, 1, "sync"))
        return true;
    reply_syntax_error(&client->reply);
    return false;
}

void command_flushdb(connection_t *client) {
    if (!is_flush(client))
        return;
    store_clear(client->store);
    reply_status(&client->reply, "OK");
}

void command_flushall(connection_t *client) {
    if (!is_flush(client))
        return;
    for (size_t i = 0; i < DATABASES; i++)
        store_clear(&client->server->stores[i]);
    reply_status(&client->reply, "OK");
}

/* ---- the server ---------------------------------------------------------- */

/* CONFIG GET: what redis-benchmark wants to know of a server. */
void command_config(connection_t *client) {
    static const char *const values[][2] = {{"appendonly", "no"}, {"save", ""}};
    reply_t *reply = &client->reply;
    if (!argument_is(client, 1, "get") || argument_count(client) != 3) {
        reply_error(reply, "ERR only CONFIG GET name is known");
        return;
    }
    for (size_t i = 0; i < sizeof values / sizeof *values; i++) {
        if (argument_is(client, 2, values[i][0])) {
            reply_array(reply, 2);
            reply_text(reply, values[i][0]);
            reply_text(reply, values[i][1]);
            return;
        }
    }
    reply_array(reply, 0);
}

typedef struct text {
    char data[4096];
    size_t size;
} text_t;

static void UVA_PRINTF(2, 3) print(text_t *text, const char *format, ...) {
    size_t room = sizeof text->data - text->size;
    va_list arguments;
    va_start(arguments, format);
    int size = vsnprintf(text->data + text->size, room, format, arguments);
    va_end(arguments);
    if (size > 0 && (size_t)size < room)
        text->size += (size_t)size;
}

static void print_keyspace(text_t *text, server_t *server) {
    print(text, "# Keyspace\r\n");
    for (size_t i = 0; i < DATABASES; i++) {
        size_t keys = store_count(&server->stores[i]);
        if (keys > 0)
            print(text, "db%zu:keys=%zu\r\n", i, keys);
    }
}

/* All sections, whichever are asked for. */
void command_info(connection_t *client) {
    server_t *server = client->server;
    uint64_t expired = 0;
    size_t resident = 0;
    text_t text = {.size = 0};
    (void)uv_resident_set_memory(&resident);
    for (size_t i = 0; i < DATABASES; i++)
        expired += server->stores[i].expired;
    print(&text,
          "# Server\r\nserver_name:uvawait resp-server\r\n"
          "redis_mode:standalone\r\nprocess_id:%ld\r\n"
          "uptime_in_seconds:%" PRIu64 "\r\n\r\n",
          (long)getpid(), (uva_now_ms() - server->started_ms) / 1000);
    print(&text, "# Clients\r\nconnected_clients:%" PRIu64 "\r\n\r\n",
          server->connections_open);
    print(&text, "# Memory\r\nused_memory_rss:%zu\r\n\r\n", resident);
    print(&text,
          "# Stats\r\ntotal_connections_received:%" PRIu64 "\r\n"
          "total_commands_processed:%" PRIu64 "\r\n"
          "expired_keys:%" PRIu64 "\r\n\r\n",
          server->connections_made, server->commands, expired);
    print_keyspace(&text, server);
    reply_bulk(&client->reply, (bytes_t){.data = text.data, .size = text.size});
}
