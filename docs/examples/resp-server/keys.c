/*
 * Commands on keys: whether they are there, for how long, and which.
 */
#include "commands.h"

#include <fnmatch.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

void command_del(connection_t *client) {
    int64_t removed = 0;
    for (size_t i = 1; i < argument_count(client); i++) {
        entry_t *entry = find_entry(client, i);
        if (entry != NULL) {
            store_remove(client->store, entry);
            removed++;
        }
    }
    reply_integer(&client->reply, removed);
}

void command_exists(connection_t *client) {
    int64_t found = 0;
    for (size_t i = 1; i < argument_count(client); i++)
        found += find_entry(client, i) != NULL;
    reply_integer(&client->reply, found);
}

void command_type(connection_t *client) {
    reply_status(&client->reply,
                 find_entry(client, 1) != NULL ? "string" : "none");
}

/* ---- expiring ------------------------------------------------------------ */

static void expire(connection_t *client, int64_t unit_ms) {
    int64_t amount;
    if (!argument_number(client, 2, &amount))
        return;
    if (amount > INT64_MAX / 2 / unit_ms) {
        reply_error(&client->reply, "ERR invalid expire time in '%s' command",
                    argument(client, 0).data);
        return;
    }
    entry_t *entry = find_entry(client, 1);
    if (entry != NULL && amount > 0)
        store_expire(client->store, entry,
                     client->server->now_ms + (uint64_t)(amount * unit_ms));
    else if (entry != NULL)
        store_remove(client->store, entry);
    reply_integer(&client->reply, entry != NULL);
}

void command_expire(connection_t *client) {
    expire(client, 1000);
}

void command_pexpire(connection_t *client) {
    expire(client, 1);
}

/* What is left, rounded to the unit; -1: for ever, -2: it is not there. */
static void time_to_live(connection_t *client, uint64_t unit_ms) {
    entry_t *entry = find_entry(client, 1);
    int64_t left = -2;
    if (entry != NULL && entry->expires_ms == UVA_FOREVER)
        left = -1;
    else if (entry != NULL)
        left = (int64_t)((entry->expires_ms - client->server->now_ms +
                          unit_ms / 2) /
                         unit_ms);
    reply_integer(&client->reply, left);
}

void command_ttl(connection_t *client) {
    time_to_live(client, 1000);
}

void command_pttl(connection_t *client) {
    time_to_live(client, 1);
}

void command_persist(connection_t *client) {
    entry_t *entry = find_entry(client, 1);
    bool is_mortal = entry != NULL && entry->expires_ms != UVA_FOREVER;
    if (is_mortal)
        store_expire(client->store, entry, UVA_FOREVER);
    reply_integer(&client->reply, is_mortal);
}

/* ---- listing ------------------------------------------------------------- */

enum { SCAN_COUNT = 10, PATTERN_BYTES_MAX = 256 };

/* Entries are gone through twice: first to count, since a reply begins with how
 * many there are; then to reply. */
typedef struct listing {
    const char *pattern; /* NULL: all */
    uint64_t now_ms;
    reply_t *reply; /* NULL: only count */
    size_t count;
} listing_t;

/* fnmatch() takes a key with a NUL in it for what stands before that. */
static void list_entry(entry_t *entry, void *arg) {
    listing_t *listing = arg;
    if (entry->expires_ms <= listing->now_ms ||
        (listing->pattern != NULL &&
         fnmatch(listing->pattern, entry->key, 0) != 0))
        return;
    listing->count++;
    if (listing->reply != NULL)
        reply_bulk(listing->reply, entry_key(entry));
}

/* Replies with the keys that store_scan() visits, in front of them, for SCAN,
 * where to go on. */
static void list(connection_t *client, uint64_t cursor, size_t count,
                 const char *pattern, bool with_cursor) {
    listing_t listing = {.pattern = pattern, .now_ms = client->server->now_ms};
    char text[32];
    uint64_t next =
        store_scan(client->store, cursor, count, list_entry, &listing);
    if (with_cursor) {
        (void)snprintf(text, sizeof text, "%" PRIu64, next);
        reply_array(&client->reply, 2);
        reply_text(&client->reply, text);
    }
    reply_array(&client->reply, listing.count);
    listing.reply = &client->reply;
    (void)store_scan(client->store, cursor, count, list_entry, &listing);
}

/* A long pattern with many stars would keep everybody waiting. */
static bool read_pattern(connection_t *client, size_t index,
                         const char **ret_pattern) {
    bytes_t pattern = argument(client, index);
    if (pattern.size > PATTERN_BYTES_MAX) {
        reply_error(&client->reply, "ERR pattern is too long");
        return false;
    }
    *ret_pattern = strcmp(pattern.data, "*") == 0 ? NULL : pattern.data;
    return true;
}

void command_keys(connection_t *client) {
    const char *pattern;
    if (read_pattern(client, 1, &pattern))
        list(client, 0, SIZE_MAX, pattern, false);
}

/* MATCH pattern, COUNT number: in any order. */
static bool read_scan_options(connection_t *client, const char **ret_pattern,
                              int64_t *ret_count) {
    size_t i = 2;
    for (; i + 1 < argument_count(client); i += 2) {
        if (argument_is(client, i, "match")) {
            if (!read_pattern(client, i + 1, ret_pattern))
                return false;
        } else if (argument_is(client, i, "count")) {
            if (!argument_number(client, i + 1, ret_count))
                return false;
        } else {
            break;
        }
    }
    if (i == argument_count(client) && *ret_count > 0)
        return true;
    reply_syntax_error(&client->reply);
    return false;
}

/* SCAN cursor [MATCH pattern] [COUNT number] */
void command_scan(connection_t *client) {
    const char *pattern = NULL;
    int64_t cursor;
    int64_t count = SCAN_COUNT;
    if (!parse_number(argument(client, 1), &cursor) || cursor < 0)
        reply_error(&client->reply, "ERR invalid cursor");
    else if (read_scan_options(client, &pattern, &count))
        list(client, (uint64_t)cursor, (size_t)count, pattern, true);
}
