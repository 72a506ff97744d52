/*
 * What: the store, a uthash table.
 *
 * How: an entry is one piece of memory with its key, and one with its value,
 * which is used again when a new value fits well. Entries that expire are also
 * in a list, from which the sweeper takes them in turn, so that it never looks
 * at the others.
 *
 * A table that grows is rebuilt in one go, which takes some 50 ms for a million
 * keys; nobody is served meanwhile. A server that must not pause would take a
 * table that grows step by step.
 */
#include "store.h"

#include <stdlib.h>
#include <string.h>

/* ---- values -------------------------------------------------------------- */

/* The value as it is stays in place. */
static int reserve(entry_t *entry, size_t bytes) {
    if (bytes <= entry->value_room && entry->value != NULL)
        return 0;
    char *value = realloc(entry->value, bytes > 0 ? bytes : 1);
    if (value == NULL)
        return UV_ENOMEM;
    entry->value = value;
    entry->value_room = bytes;
    return 0;
}

/* Whether the value's memory would be mostly empty. */
static bool is_wasteful(const entry_t *entry, size_t bytes) {
    return entry->value_room > 64 && bytes < entry->value_room / 2;
}

int entry_assign(entry_t *entry, bytes_t value) {
    if (is_wasteful(entry, value.size)) {
        char *smaller = malloc(value.size + 1);
        if (smaller == NULL)
            return UV_ENOMEM;
        free(entry->value);
        entry->value = smaller;
        entry->value_room = value.size + 1;
    }
    int code = reserve(entry, value.size);
    if (code < 0)
        return code;
    memcpy(entry->value, value.data, value.size);
    entry->value_bytes = value.size;
    return 0;
}

/* Twice what is needed, so that appending a byte at a time is not quadratic. */
int entry_append(entry_t *entry, bytes_t value) {
    size_t bytes = entry->value_bytes + value.size;
    int code = reserve(entry, bytes > entry->value_room ? 2 * bytes : bytes);
    if (code < 0)
        return code;
    memcpy(entry->value + entry->value_bytes, value.data, value.size);
    entry->value_bytes = bytes;
    return 0;
}

bytes_t entry_key(const entry_t *entry) {
    return (bytes_t){.data = entry->key, .size = entry->key_bytes};
}

bytes_t entry_value(const entry_t *entry) {
    return (bytes_t){.data = entry->value, .size = entry->value_bytes};
}

/* ---- entries ------------------------------------------------------------- */

void store_init(store_t *store, uva_event_t *has_mortals) {
    *store = (store_t){.has_mortals = has_mortals};
    TAILQ_INIT(&store->mortals);
}

static void entry_free(entry_t *entry) {
    free(entry->value);
    free(entry);
}

void store_remove(store_t *store, entry_t *entry) {
    store_expire(store, entry, UVA_FOREVER);
    HASH_DEL(store->entries, entry);
    entry_free(entry);
}

void store_clear(store_t *store) {
    entry_t *entry = store->entries;
    HASH_CLEAR(hh, store->entries); /* the table; entries stay linked */
    while (entry != NULL) {
        entry_t *next = entry->hh.next;
        entry_free(entry);
        entry = next;
    }
    TAILQ_INIT(&store->mortals);
}

size_t store_count(const store_t *store) {
    return HASH_COUNT(store->entries);
}

entry_t *store_find(store_t *store, bytes_t key, uint64_t now_ms) {
    entry_t *entry;
    HASH_FIND(hh, store->entries, key.data, key.size, entry);
    if (entry == NULL || entry->expires_ms > now_ms)
        return entry;
    store_remove(store, entry);
    store->expired++;
    return NULL;
}

entry_t *store_make(store_t *store, bytes_t key, uint64_t now_ms) {
    entry_t *entry = store_find(store, key, now_ms);
    if (entry != NULL)
        return entry;
    entry = calloc(1, sizeof *entry + key.size + 1);
    if (entry == NULL)
        return NULL;
    entry->expires_ms = UVA_FOREVER;
    entry->key_bytes = key.size;
    memcpy(entry->key, key.data, key.size);
    HASH_ADD_KEYPTR(hh, store->entries, entry->key, key.size, entry);
    if (entry->hh.tbl == NULL) { /* no memory: it was not added */
        free(entry);
        return NULL;
    }
    return entry;
}

/* ---- expiring ------------------------------------------------------------ */

void store_expire(store_t *store, entry_t *entry, uint64_t at_ms) {
    bool was_mortal = entry->expires_ms != UVA_FOREVER;
    entry->expires_ms = at_ms;
    if (was_mortal && at_ms == UVA_FOREVER)
        TAILQ_REMOVE(&store->mortals, entry, link);
    if (was_mortal || at_ms == UVA_FOREVER)
        return;
    TAILQ_INSERT_TAIL(&store->mortals, entry, link);
    uva_event_set(store->has_mortals);
}

size_t store_sweep(store_t *store, size_t count, uint64_t now_ms) {
    size_t removed = 0;
    entry_t *entry;
    while (count-- > 0 && (entry = TAILQ_FIRST(&store->mortals)) != NULL) {
        if (entry->expires_ms <= now_ms) {
            store_remove(store, entry);
            removed++;
        } else { /* to the end: its turn comes again */
            TAILQ_REMOVE(&store->mortals, entry, link);
            TAILQ_INSERT_TAIL(&store->mortals, entry, link);
        }
    }
    store->expired += removed;
    return removed;
}

/* ---- scanning ------------------------------------------------------------ */

static size_t visit_bucket(const UT_hash_table *table, uint64_t bucket,
                           void (*visit)(entry_t *entry, void *arg),
                           void *arg) {
    size_t visited = 0;
    const UT_hash_handle *handle = table->buckets[bucket].hh_head;
    for (; handle != NULL; handle = handle->hh_next, visited++)
        visit(ELMT_FROM_HH(table, handle), arg);
    return visited;
}

/* Adds 1 to a number of the mask's width whose highest bit counts least. */
static uint64_t next_cursor(uint64_t cursor, uint64_t mask) {
    uint64_t bit = (mask >> 1) + 1;
    while (bit != 0 && (cursor & bit) != 0) {
        cursor &= ~bit;
        bit >>= 1;
    }
    return cursor | bit;
}

/* When the table doubles, bucket b becomes b and b + size: the same low bits.
 * Counting from the highest bit down visits them all before it goes on to
 * other low bits, so a cursor stays right for a table of any size. (Redis'
 * way.) */
uint64_t store_scan(store_t *store, uint64_t cursor, size_t count,
                    void (*visit)(entry_t *entry, void *arg), void *arg) {
    if (store->entries == NULL)
        return 0;
    const UT_hash_table *table = store->entries->hh.tbl;
    uint64_t mask = table->num_buckets - 1;
    size_t visited = 0;
    cursor &= mask;
    do {
        visited += visit_bucket(table, cursor, visit, arg);
        cursor = next_cursor(cursor, mask);
    } while (cursor != 0 && visited < count);
    return cursor;
}
