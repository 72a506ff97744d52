/*
 * Commands: one request in, one reply out.
 */
#ifndef RESP_COMMANDS_H
#define RESP_COMMANDS_H

#include "connection.h"

/* Carries out the connection's current request and adds the reply. */
void command_run(connection_t *client);

/* The commands, by subject; each is called with as many arguments as the table
 * in commands.c allows. */
typedef void command_fn(connection_t *client);

command_fn command_append, command_decr, command_decrby, command_get,
    command_incr, command_incrby, command_mget, command_mset, command_set,
    command_strlen; /* values.c */
command_fn command_del, command_exists, command_expire, command_keys,
    command_persist, command_pexpire, command_pttl, command_scan, command_ttl,
    command_type; /* keys.c */
command_fn command_client, command_config, command_dbsize, command_echo,
    command_flushall, command_flushdb, command_info, command_ping, command_quit,
    command_select; /* admin.c */

/* ---- what commands are made of ------------------------------------------- */

static inline bytes_t argument(const connection_t *client, size_t index) {
    return client->request.arguments[index];
}

static inline size_t argument_count(const connection_t *client) {
    return client->request.count;
}

/* Whether an argument is `word`, in any case. */
bool argument_is(const connection_t *client, size_t index, const char *word);

/* The whole of an argument as a decimal number; else replies with an error. */
bool argument_number(connection_t *client, size_t index, int64_t *ret_value);
bool parse_number(bytes_t text, int64_t *ret_value);

/* The entry of the key that is argument `index`, or NULL. */
entry_t *find_entry(connection_t *client, size_t index);

void reply_syntax_error(reply_t *reply);
void reply_no_memory(reply_t *reply);

#endif
