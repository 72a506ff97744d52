/*
 * queue_fixture.h - what the tests of queues share: tasks that put or get one
 * item and record what came of it, and a look at the queue's books.
 */
#ifndef QUEUE_FIXTURE_H
#define QUEUE_FIXTURE_H

#include "support/program.h"

#include <string.h>

static uva_queue_t queue;

/* "a:0" is: the item "a" was put. */
static inline int put(void *item) {
    int code = uva_queue_put(&queue, item);
    record("%s:%d", (const char *)item, code);
    return code;
}

/* "g=a" is: the getter "g" got the item "a"; "g:-125" that it failed. */
static inline int get(void *name) {
    const char *item = "untouched";
    int code = uva_queue_get(&queue, &item);
    if (code == 0)
        record("%s=%s", (const char *)name, item);
    else
        record("%s:%d", (const char *)name, code);
    ck_assert(code == 0 || strcmp(item, "untouched") == 0);
    return code;
}

static inline int join(void *name) {
    int code = uva_queue_join(&queue);
    record("%s:%d", (const char *)name, code);
    return code;
}

/* The same, and then a park, which meets a cancellation. */
static inline int sleep_then(int code) {
    record("sleep:%d", uva_sleep(1));
    return code;
}
static inline int put_and_sleep(void *item) {
    return sleep_then(put(item));
}
static inline int get_and_sleep(void *name) {
    return sleep_then(get(name));
}

/* The items that are left, "a b c", and who waits. Takes them out, which lets
 * putters in. */
static inline void expect_left(const char *items, size_t getting,
                               size_t putting) {
    uva_queue_statistics_t seen;
    uva_queue_statistics(&queue, &seen);
    ck_assert_uint_eq(seen.getting, getting);
    ck_assert_uint_eq(seen.putting, putting);
    char text[256] = "";
    const char *item;
    for (size_t i = 0; i < seen.size; i++) {
        ck_assert_int_eq(uva_queue_try_get(&queue, &item), 0);
        if (i > 0)
            strcat(text, " ");
        strcat(text, item);
    }
    ck_assert_str_eq(text, items);
    ck_assert(putting > 0 || uva_queue_is_empty(&queue));
}

/* By the strings' own order. */
static inline int by_text(const void *a, const void *b) {
    return strcmp(a, b);
}

typedef enum { FIFO, LIFO, PRIORITY, KINDS } kind_t;

static inline void make(kind_t kind, size_t capacity) {
    int code = kind == FIFO ? uva_queue_init(&queue, capacity)
               : kind == LIFO
                   ? uva_queue_init_lifo(&queue, capacity)
                   : uva_queue_init_priority(&queue, capacity, by_text);
    ck_assert_int_eq(code, 0);
}

#endif
