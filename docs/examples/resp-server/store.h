/*
 * The store: keys, their values, and when they expire.
 *
 * Every call that looks at entries is told what time it is; an entry whose time
 * has passed is not there.
 */
#ifndef RESP_STORE_H
#define RESP_STORE_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/queue.h>
#include <uvawait.h>

/* Memory that cannot be had is an error code, not the end of the process. */
#define HASH_NONFATAL_OOM 1
#include <uthash.h>

#include "bytes.h"

/* What a look-up reads, the end of the handle and the key, lies together. */
typedef struct entry {
    TAILQ_ENTRY(entry) link; /* among the mortal ones, if it expires */
    uint64_t expires_ms;     /* UVA_FOREVER: never */
    char *value;
    size_t value_bytes;
    size_t value_room;
    size_t key_bytes;
    UT_hash_handle hh;
    char key[]; /* followed by a NUL */
} entry_t;

typedef struct store {
    entry_t *entries; /* the hash table */
    TAILQ_HEAD(mortals, entry) mortals;
    uva_event_t *has_mortals; /* set when an entry is given a time to expire */
    uint64_t expired;         /* how many entries have */
} store_t;

/* Borrowed; entries are valid until the next call that may remove them. */
void store_init(store_t *store, uva_event_t *has_mortals);
void store_clear(store_t *store);
size_t store_count(const store_t *store);

/* NULL: it is not there. */
entry_t *store_find(store_t *store, bytes_t key, uint64_t now_ms);

/* The entry of a key; a new one has no value (NULL) and must be given one, or
 * be removed. NULL: no memory. */
entry_t *store_make(store_t *store, bytes_t key, uint64_t now_ms);
void store_remove(store_t *store, entry_t *entry);

/* Sets a value, or makes it longer; 0 or UV_ENOMEM (the old value stays). */
int entry_assign(entry_t *entry, bytes_t value);
int entry_append(entry_t *entry, bytes_t value);
bytes_t entry_key(const entry_t *entry);
bytes_t entry_value(const entry_t *entry);

/* UVA_FOREVER: never. */
void store_expire(store_t *store, entry_t *entry, uint64_t at_ms);

/* Looks at `count` of the mortal entries, those it has not seen for longest,
 * and removes what has expired; how many that were. */
size_t store_sweep(store_t *store, size_t count, uint64_t now_ms);

/* Visits the entries of some buckets, at least `count` entries if there are so
 * many. Begin with cursor 0, go on with what is returned, until that is 0. An
 * entry that is there all the time is visited, perhaps more than once. */
uint64_t store_scan(store_t *store, uint64_t cursor, size_t count,
                    void (*visit)(entry_t *entry, void *arg), void *arg);

#endif
