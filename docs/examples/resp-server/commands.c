/*
 * What: the table of commands, and what they have in common.
 *
 * How: a command replies exactly once, also when it fails, and does not wait.
 * So a request is carried out as a whole, and clients see each other's
 * requests in some order: no locks anywhere.
 */
#include "commands.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

/* Where the keys are among a command's arguments. */
typedef enum keys { KEYS_NONE, KEYS_FIRST, KEYS_ALL, KEYS_PAIRS } keys_t;

typedef struct command {
    const char *name;
    size_t least; /* arguments, with the name */
    size_t most;
    keys_t keys;
    command_fn *run;
} command_t;

#define ANY SIZE_MAX

static command_fn command_command;

/* Sorted by name: it is searched by halves. */
static const command_t commands[] = {
    {"append", 3, 3, KEYS_FIRST, command_append},
    {"client", 2, ANY, KEYS_NONE, command_client},
    {"command", 1, ANY, KEYS_NONE, command_command},
    {"config", 2, ANY, KEYS_NONE, command_config},
    {"dbsize", 1, 1, KEYS_NONE, command_dbsize},
    {"decr", 2, 2, KEYS_FIRST, command_decr},
    {"decrby", 3, 3, KEYS_FIRST, command_decrby},
    {"del", 2, ANY, KEYS_ALL, command_del},
    {"echo", 2, 2, KEYS_NONE, command_echo},
    {"exists", 2, ANY, KEYS_ALL, command_exists},
    {"expire", 3, 3, KEYS_FIRST, command_expire},
    {"flushall", 1, 2, KEYS_NONE, command_flushall},
    {"flushdb", 1, 2, KEYS_NONE, command_flushdb},
    {"get", 2, 2, KEYS_FIRST, command_get},
    {"incr", 2, 2, KEYS_FIRST, command_incr},
    {"incrby", 3, 3, KEYS_FIRST, command_incrby},
    {"info", 1, ANY, KEYS_NONE, command_info},
    {"keys", 2, 2, KEYS_NONE, command_keys},
    {"mget", 2, ANY, KEYS_ALL, command_mget},
    {"mset", 3, ANY, KEYS_PAIRS, command_mset},
    {"persist", 2, 2, KEYS_FIRST, command_persist},
    {"pexpire", 3, 3, KEYS_FIRST, command_pexpire},
    {"ping", 1, 2, KEYS_NONE, command_ping},
    {"pttl", 2, 2, KEYS_FIRST, command_pttl},
    {"quit", 1, ANY, KEYS_NONE, command_quit},
    {"scan", 2, ANY, KEYS_NONE, command_scan},
    {"select", 2, 2, KEYS_NONE, command_select},
    {"set", 3, ANY, KEYS_FIRST, command_set},
    {"strlen", 2, 2, KEYS_FIRST, command_strlen},
    {"ttl", 2, 2, KEYS_FIRST, command_ttl},
    {"type", 2, 2, KEYS_FIRST, command_type},
    {"unlink", 2, ANY, KEYS_ALL, command_del},
};
enum { COMMANDS = sizeof commands / sizeof *commands };

/* ---- what commands are made of ------------------------------------------- */

bool argument_is(const connection_t *client, size_t index, const char *word) {
    bytes_t text = argument(client, index);
    return strlen(word) == text.size && strcasecmp(text.data, word) == 0;
}

/* The one way to write it: no blanks, no '+', no zeroes in front. */
bool parse_number(bytes_t text, int64_t *ret_value) {
    char digits[32];
    char again[32];
    if (text.size == 0 || text.size >= sizeof digits)
        return false;
    memcpy(digits, text.data, text.size);
    digits[text.size] = '\0';
    errno = 0;
    long long value = strtoll(digits, NULL, 10);
    int size = snprintf(again, sizeof again, "%lld", value);
    if (errno != 0 || (size_t)size != text.size ||
        memcmp(again, digits, text.size) != 0)
        return false;
    *ret_value = value;
    return true;
}

bool argument_number(connection_t *client, size_t index, int64_t *ret_value) {
    if (parse_number(argument(client, index), ret_value))
        return true;
    reply_error(&client->reply, "ERR value is not an integer or out of range");
    return false;
}

entry_t *find_entry(connection_t *client, size_t index) {
    return store_find(client->store, argument(client, index),
                      client->server->now_ms);
}

void reply_syntax_error(reply_t *reply) {
    reply_error(reply, "ERR syntax error");
}

void reply_no_memory(reply_t *reply) {
    reply_error(reply, "OOM no memory for this command");
}

/* ---- COMMAND ------------------------------------------------------------- */

static void describe(reply_t *reply, const command_t *command) {
    static const int places[][3] = {[KEYS_NONE] = {0, 0, 0},
                                    [KEYS_FIRST] = {1, 1, 1},
                                    [KEYS_ALL] = {1, -1, 1},
                                    [KEYS_PAIRS] = {1, -1, 2}};
    int64_t least = (int64_t)command->least;
    reply_array(reply, 6);
    reply_text(reply, command->name);
    reply_integer(reply, command->least == command->most ? least : -least);
    reply_array(reply, 0); /* flags */
    for (size_t i = 0; i < 3; i++)
        reply_integer(reply, places[command->keys][i]);
}

/* COMMAND [COUNT | LIST | DOCS]; redis-cli asks for the last when it starts,
 * and does without. */
static void command_command(connection_t *client) {
    reply_t *reply = &client->reply;
    if (argument_count(client) == 1) {
        reply_array(reply, COMMANDS);
        for (size_t i = 0; i < COMMANDS; i++)
            describe(reply, &commands[i]);
    } else if (argument_is(client, 1, "count")) {
        reply_integer(reply, COMMANDS);
    } else if (argument_is(client, 1, "list")) {
        reply_array(reply, COMMANDS);
        for (size_t i = 0; i < COMMANDS; i++)
            reply_text(reply, commands[i].name);
    } else if (argument_is(client, 1, "docs")) {
        reply_array(reply, 0);
    } else {
        reply_syntax_error(reply);
    }
}

/* ---- running one --------------------------------------------------------- */

static int compare(const void *name, const void *command) {
    return strcasecmp(name, ((const command_t *)command)->name);
}

void command_run(connection_t *client) {
    bytes_t name = argument(client, 0);
    size_t count = argument_count(client);
    const command_t *command =
        bsearch(name.data, commands, COMMANDS, sizeof *commands, compare);
    client->server->commands++;
    if (command == NULL || strlen(command->name) != name.size)
        reply_error(&client->reply, "ERR unknown command '%.128s'", name.data);
    else if (count < command->least || count > command->most)
        reply_error(&client->reply,
                    "ERR wrong number of arguments for '%s' command",
                    command->name);
    else
        command->run(client);
}
