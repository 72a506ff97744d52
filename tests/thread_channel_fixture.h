/*
 * thread_channel_fixture.h - what the tests of channels from threads share: one
 * channel of numbers, and threads.
 */
#ifndef THREAD_CHANNEL_FIXTURE_H
#define THREAD_CHANNEL_FIXTURE_H

#include "support/program.h"

#include <sched.h>
#include <string.h>

static uva_thread_channel_t jobs;

static inline void init(size_t capacity) {
    ck_assert_int_eq(uva_thread_channel_init(&jobs, sizeof(int), capacity), 0);
}

static inline int try_put(int item) {
    return uva_thread_channel_try_send(&jobs, &item);
}

static inline int try_take(void) {
    int item = -1;
    int code = uva_thread_channel_try_recv(&jobs, &item);
    return code == 0 ? item : code;
}

static inline uv_thread_t start(uv_thread_cb fn, void *arg) {
    uv_thread_t thread;
    ck_assert_int_eq(uv_thread_create(&thread, fn, arg), 0);
    return thread;
}

static inline void join(uv_thread_t thread) {
    ck_assert_int_eq(uv_thread_join(&thread), 0);
}

static inline void run_in_thread(uv_thread_cb fn, void *arg) {
    join(start(fn, arg));
}

/* Under the real clock. */
static inline void run(uva_fn main, void *arg) {
    uva_options_t options = {.report = support_report};
    ck_assert_int_eq(uva_run_with(&options, main, arg), 0);
    ck_assert_str_eq(support_reports(), "");
}

static inline int receive_as(void *arg) {
    int item = -1;
    int code = uva_thread_channel_recv(&jobs, &item);
    record("%s%d:%d", (const char *)arg, item, code);
    return code;
}

static inline int send_as(void *arg) {
    const char *name = arg;
    int item = name[0];
    int code = uva_thread_channel_send(&jobs, &item);
    record("%s:%d", name, code);
    return code;
}

/* A thread that sends. */
typedef struct blocker {
    int item;
    uint64_t timeout_ms;
    int code;
} blocker_t;

static inline void send_item(void *arg) {
    blocker_t *blocker = arg;
    blocker->code = uva_thread_channel_send_within(&jobs, &blocker->item,
                                                   blocker->timeout_ms);
}

static inline size_t blocked(void) {
    uva_thread_channel_statistics_t seen;
    uva_thread_channel_statistics(&jobs, &seen);
    return seen.blocked;
}

static inline void await_blocked(size_t count) {
    while (blocked() != count)
        uv_sleep(1);
    uv_sleep(5); /* it is counted a moment before it sleeps */
}

#endif
