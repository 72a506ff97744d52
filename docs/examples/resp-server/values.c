/*
 * Commands on values.
 */
#include "commands.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

/* The entry of argument `index`, made if need be; NULL, with a reply, without
 * memory. */
static entry_t *make_entry(connection_t *client, size_t index) {
    entry_t *entry = store_make(client->store, argument(client, index),
                                client->server->now_ms);
    if (entry == NULL)
        reply_no_memory(&client->reply);
    return entry;
}

/* Changes an entry's value; false, with a reply, without memory. An entry that
 * never had a value does not stay. */
static bool change(connection_t *client, entry_t *entry, bytes_t value,
                   int (*how)(entry_t *entry, bytes_t value)) {
    if (how(entry, value) == 0)
        return true;
    if (entry->value == NULL)
        store_remove(client->store, entry);
    reply_no_memory(&client->reply);
    return false;
}

static void reply_value(reply_t *reply, const entry_t *entry) {
    if (entry != NULL)
        reply_bulk(reply, entry_value(entry));
    else
        reply_nil(reply);
}

void command_get(connection_t *client) {
    reply_value(&client->reply, find_entry(client, 1));
}

void command_mget(connection_t *client) {
    size_t count = argument_count(client);
    reply_array(&client->reply, count - 1);
    for (size_t i = 1; i < count; i++)
        reply_value(&client->reply, find_entry(client, i));
}

void command_strlen(connection_t *client) {
    entry_t *entry = find_entry(client, 1);
    reply_integer(&client->reply,
                  entry != NULL ? (int64_t)entry->value_bytes : 0);
}

/* ---- SET ----------------------------------------------------------------- */

typedef struct set_options {
    bool only_new;     /* NX */
    bool only_old;     /* XX */
    bool keeps_expiry; /* KEEPTTL */
    bool has_expiry;   /* EX, PX */
    uint64_t expires_ms;
} set_options_t;

/* EX seconds, PX milliseconds: argument `index` is the number. */
static bool read_expiry(connection_t *client, size_t index, int64_t unit_ms,
                        set_options_t *options) {
    int64_t amount;
    if (options->has_expiry || index >= argument_count(client)) {
        reply_syntax_error(&client->reply);
        return false;
    }
    if (!argument_number(client, index, &amount))
        return false;
    if (amount <= 0 || amount > INT64_MAX / 2 / unit_ms) {
        reply_error(&client->reply, "ERR invalid expire time in 'set' command");
        return false;
    }
    options->has_expiry = true;
    options->expires_ms = client->server->now_ms + (uint64_t)(amount * unit_ms);
    return true;
}

static bool read_set_options(connection_t *client, set_options_t *options) {
    *options = (set_options_t){.expires_ms = UVA_FOREVER};
    for (size_t i = 3; i < argument_count(client); i++) {
        if (argument_is(client, i, "nx"))
            options->only_new = true;
        else if (argument_is(client, i, "xx"))
            options->only_old = true;
        else if (argument_is(client, i, "keepttl"))
            options->keeps_expiry = true;
        else if (argument_is(client, i, "ex") || argument_is(client, i, "px")) {
            int64_t unit_ms = argument_is(client, i, "ex") ? 1000 : 1;
            if (!read_expiry(client, ++i, unit_ms, options))
                return false;
        } else {
            reply_syntax_error(&client->reply);
            return false;
        }
    }
    if ((options->only_new && options->only_old) ||
        (options->keeps_expiry && options->has_expiry)) {
        reply_syntax_error(&client->reply);
        return false;
    }
    return true;
}

/* SET key value [NX | XX] [EX seconds | PX milliseconds | KEEPTTL] */
void command_set(connection_t *client) {
    set_options_t options;
    if (!read_set_options(client, &options))
        return;
    if (options.only_new || options.only_old) {
        bool is_there = find_entry(client, 1) != NULL;
        if (is_there ? options.only_new : options.only_old) {
            reply_nil(&client->reply);
            return;
        }
    }
    entry_t *entry = make_entry(client, 1);
    if (entry == NULL ||
        !change(client, entry, argument(client, 2), entry_assign))
        return;
    if (!options.keeps_expiry)
        store_expire(client->store, entry, options.expires_ms);
    reply_status(&client->reply, "OK");
}

/* Without memory for all of them some may have been set. */
void command_mset(connection_t *client) {
    size_t count = argument_count(client);
    if (count % 2 == 0) {
        reply_error(&client->reply,
                    "ERR wrong number of arguments for 'mset' command");
        return;
    }
    for (size_t i = 1; i < count; i += 2) {
        entry_t *entry = make_entry(client, i);
        if (entry == NULL ||
            !change(client, entry, argument(client, i + 1), entry_assign))
            return;
        store_expire(client->store, entry, UVA_FOREVER);
    }
    reply_status(&client->reply, "OK");
}

/* A new entry counts as empty. */
void command_append(connection_t *client) {
    bytes_t more = argument(client, 2);
    size_t most = client->server->settings->limits.argument_bytes;
    entry_t *entry = find_entry(client, 1);
    if (entry != NULL && entry->value_bytes + more.size > most) {
        reply_error(&client->reply, "ERR string exceeds maximum allowed size");
        return;
    }
    entry = make_entry(client, 1);
    if (entry != NULL && change(client, entry, more, entry_append))
        reply_integer(&client->reply, (int64_t)entry->value_bytes);
}

/* ---- counting ------------------------------------------------------------ */

static void add(connection_t *client, int64_t amount) {
    entry_t *entry = find_entry(client, 1);
    int64_t value = 0;
    if (entry != NULL && !parse_number(entry_value(entry), &value)) {
        reply_error(&client->reply,
                    "ERR value is not an integer or out of range");
        return;
    }
    if (amount > 0 ? value > INT64_MAX - amount : value < INT64_MIN - amount) {
        reply_error(&client->reply,
                    "ERR increment or decrement would overflow");
        return;
    }
    value += amount;
    char text[32];
    int size = snprintf(text, sizeof text, "%" PRId64, value);
    bytes_t digits = {.data = text, .size = (size_t)size};
    entry = make_entry(client, 1);
    if (entry != NULL && change(client, entry, digits, entry_assign))
        reply_integer(&client->reply, value);
}

void command_incr(connection_t *client) {
    add(client, 1);
}

void command_decr(connection_t *client) {
    add(client, -1);
}

void command_incrby(connection_t *client) {
    int64_t amount;
    if (argument_number(client, 2, &amount))
        add(client, amount);
}

void command_decrby(connection_t *client) {
    int64_t amount;
    if (!argument_number(client, 2, &amount))
        return;
    if (amount == INT64_MIN)
        reply_error(&client->reply, "ERR decrement would overflow");
    else
        add(client, -amount);
}
