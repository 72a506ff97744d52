/* labels: valgrind */
/* Watch channels: the latest value, and waiting for a change. */
#include "sync_fixture.h"

static uva_watch_t config;

static void init(int first) {
    ck_assert_int_eq(uva_watch_init(&config, sizeof first, &first), 0);
}

static int publish(int value) {
    return uva_watch_send(&config, &value);
}

/* ---- what is seen ------------------------------------------------------- */

/* Records what it sees until the end. */
static int follow(void *arg) {
    uint64_t cursor = 0;
    int value = -1, code;
    while ((code = uva_watch_next(&config, &cursor, &value)) == 0)
        record("%s%d@%d", (const char *)arg, value, (int)cursor);
    record("%s:%d", (const char *)arg, code);
    return 0;
}

/* 2 and 3 are sent before anybody runs: 2 ended the waits, 3 is the news of
 * the next call. Of 4 and 5 nobody waits for 4 any more once it was seen. */
static int latest_main(void *arg) {
    (void)arg;
    init(1);
    uva_future_t *f[] = {uva_spawn(follow, "a"), uva_spawn(follow, "b")};
    ck_assert_int_eq(uva_yield(), 0);
    record("|");
    for (int i = 2; i <= 5; i++)
        ck_assert_int_eq(publish(i), 0);
    ck_assert_int_eq(uva_yield(), 0);
    record("|");
    uva_watch_close(&config);
    ck_assert_int_eq(publish(6), UV_EPIPE);
    ck_assert_int_eq(uva_gather(f, 2, NULL), 0);
    uva_watch_free(&config);
    return 0;
}

START_TEST(watch_shows_the_latest) {
    program_expect(latest_main);
    ck_expect_record("a1@1 b1@1 | a2@2 a5@5 b2@2 b5@5 | a:-4095 b:-4095");
}
END_TEST

static int cursor_main(void *arg) {
    (void)arg;
    int value = -1;
    uint64_t cursor = 0;
    ck_assert_int_eq(uva_watch_init(&config, sizeof value, NULL), 0);
    ck_assert_uint_eq(uva_watch_version(&config), 0);
    ck_assert_ptr_null(uva_watch_peek(&config));
    ck_assert_int_eq(uva_watch_get(&config, &value), UV_EAGAIN);
    ck_assert_int_eq(uva_watch_try_next(&config, &cursor, &value), UV_EAGAIN);
    /* Not even a stray cursor sees a value that is not there. */
    cursor = 99;
    ck_assert_int_eq(uva_watch_try_next(&config, &cursor, &value), UV_EAGAIN);
    ck_assert_int_eq(publish(7), 0);
    ck_assert_int_eq(uva_watch_get(&config, &value), 0);
    ck_assert_int_eq(value, 7);
    ck_assert_int_eq(*(const int *)uva_watch_peek(&config), 7);
    /* One from elsewhere gets the latest instead of waiting for ever. */
    value = -1;
    ck_assert_int_eq(uva_watch_next(&config, &cursor, &value), 0);
    ck_assert_int_eq(value, 7);
    ck_assert_uint_eq(cursor, 1);
    ck_assert_int_eq(uva_watch_try_next(&config, &cursor, &value), UV_EAGAIN);
    /* The same value again is a change. */
    ck_assert_int_eq(uva_watch_send(&config, uva_watch_peek(&config)), 0);
    uint64_t now = uva_watch_version(&config);
    ck_assert_uint_eq(now, 2);
    ck_assert_int_eq(uva_watch_try_next(&config, &now, &value), UV_EAGAIN);
    /* Closed: who has not seen it still may, and it can still be read. */
    uva_watch_close(&config);
    uva_watch_close(&config);
    ck_assert_int_eq(uva_watch_next(&config, &now, &value), UV_EOF);
    ck_assert_int_eq(uva_watch_next(&config, &cursor, &value), 0);
    ck_assert_uint_eq(cursor, 2);
    ck_assert_int_eq(uva_watch_try_next(&config, &cursor, &value), UV_EOF);
    ck_assert_int_eq(uva_watch_get(&config, &value), 0);
    uva_watch_free(&config);
    return 0;
}

START_TEST(watch_counts_versions) {
    program_expect(cursor_main);
}
END_TEST

static uint64_t shared_cursor;

static int next_once(void *arg) {
    int value = -1;
    int code = uva_watch_next(&config, &shared_cursor, &value);
    record("%s%d:%d", (const char *)arg, value, code);
    return code;
}

/* Tasks that share a cursor share the news. */
static int shared_main(void *arg) {
    (void)arg;
    init(1);
    shared_cursor = uva_watch_version(&config);
    uva_future_t *f[] = {uva_spawn(next_once, "a"), uva_spawn(next_once, "b")};
    ck_assert_int_eq(uva_yield(), 0);
    ck_assert_int_eq(publish(2), 0);
    ck_assert_int_eq(uva_gather(f, 2, NULL), 0);
    ck_assert_uint_eq(shared_cursor, 2);
    uva_watch_free(&config);
    return 0;
}

START_TEST(watch_by_two_with_one_cursor) {
    program_expect(shared_main);
    ck_expect_record("a2:0 b2:0");
}
END_TEST

/* ---- windows ------------------------------------------------------------ */

/* | in one tick  | a            | cursor | next call sees |
 * | send, send   | first value  | 2      | the second     |
 * | send, cancel | gets it      | 2      | nothing        |
 * | cancel, send | UV_ECANCELED | 1      | the value      |
 * | send, close  | gets it      | 2      | UV_EOF         |
 * | close, send  | UV_EOF       | 1      | UV_EOF         |
 * | send, free   | gets it      | 2      | UV_EOF         |
 * | free         | UV_EOF       | 1      | UV_EOF         |
 */
typedef struct window {
    const char *acts; /* s: send, x: cancel, c: close, f: free */
    int code;
    int value;
    uint64_t cursor;
    int next;
} window_t;

static const window_t windows[] = {{"ss", 0, 10, 2, 0},
                                   {"sx", 0, 10, 2, UV_EAGAIN},
                                   {"xs", UV_ECANCELED, -1, 1, 0},
                                   {"sc", 0, 10, 2, UV_EOF},
                                   {"cs", UV_EOF, -1, 1, UV_EOF},
                                   {"sf", 0, 10, 2, UV_EOF},
                                   {"f", UV_EOF, -1, 1, UV_EOF}};

static int wait_in_window(void *arg) {
    return uva_watch_next(&config, &shared_cursor, arg);
}

static void act(char what, uva_task_t *task, int value) {
    if (what == 's')
        (void)publish(value);
    else if (what == 'x')
        ck_assert(uva_cancel(task));
    else if (what == 'c')
        uva_watch_close(&config);
    else
        uva_watch_free(&config);
}

static int window_main(void *arg) {
    (void)arg;
    for (size_t i = 0; i < sizeof windows / sizeof windows[0]; i++) {
        const window_t *w = &windows[i];
        int value = -1, ignored;
        init(1);
        shared_cursor = 1;
        uva_task_t *task = uva_spawn(wait_in_window, &value);
        ck_assert_int_eq(uva_yield(), 0);
        for (int j = 0; w->acts[j] != '\0'; j++)
            act(w->acts[j], task, 10 + j);
        ck_assert_int_eq(uva_await(task, NULL), w->code);
        ck_assert_int_eq(value, w->value);
        ck_assert_uint_eq(shared_cursor, w->cursor);
        ck_assert_int_eq(uva_watch_try_next(&config, &shared_cursor, &ignored),
                         w->next);
        uva_watch_free(&config);
    }
    return 0;
}

START_TEST(watch_windows) {
    program_expect(window_main);
}
END_TEST

static int limit_main(void *arg) {
    (void)arg;
    init(1);
    int value = -1;
    shared_cursor = 1;
    ck_assert_int_eq(uva_wait_for(uva_spawn(next_once, "a"), 5, NULL),
                     UV_ETIMEDOUT);
    ck_assert_uint_eq(shared_cursor, 1);
    ck_assert(uva_cancel(uva_current()));
    shared_cursor = 0;
    ck_assert_int_eq(uva_watch_next(&config, &shared_cursor, &value), 0);
    ck_assert_int_eq(uva_watch_next(&config, &shared_cursor, &value),
                     UV_ECANCELED);
    ck_assert_int_eq(uva_uncancel(uva_current()), 0);
    uva_watch_free(&config);
    return 0;
}

START_TEST(watch_with_a_limit) {
    program_expect(limit_main);
    ck_expect_record("a-1:-125");
}
END_TEST

/* ---- misuse and failures ------------------------------------------------ */

static int misuse_main(void *arg) {
    (void)arg;
    init(1);
    int value = -1;
    uint64_t cursor = 0;
    ck_assert_int_eq(uva_watch_send(&config, NULL), UV_EINVAL);
    ck_assert_int_eq(uva_watch_next(&config, NULL, &value), UV_EINVAL);
    ck_assert_int_eq(uva_watch_next(&config, &cursor, NULL), UV_EINVAL);
    ck_assert_int_eq(uva_watch_try_next(&config, NULL, &value), UV_EINVAL);
    ck_assert_int_eq(uva_watch_try_next(&config, &cursor, NULL), UV_EINVAL);
    ck_assert_int_eq(uva_watch_get(&config, NULL), UV_EINVAL);
    ck_assert_uint_eq(cursor, 0);
    uva_watch_free(NULL);
    uva_watch_free(&config);
    uva_watch_free(&config);
    ck_assert_int_eq(publish(2), UV_EPIPE);
    ck_assert_int_eq(uva_watch_get(&config, &value), UV_EAGAIN);
    ck_assert_ptr_null(uva_watch_peek(&config));
    ck_assert_int_eq(uva_watch_next(&config, &cursor, &value), UV_EOF);
    ck_assert_int_eq(value, -1);
    return 0;
}

START_TEST(watch_misused) {
    program_expect(misuse_main);
    uint64_t cursor = 0;
    int value = 0;
    ck_assert_int_eq(uva_watch_next(&config, &cursor, &value), UV_EPERM);
    ck_assert_int_eq(uva_watch_init(&config, 0, NULL), UV_EINVAL);
    ck_assert_int_eq(publish(1), UV_EPIPE);
    faults_fail(FAULT_MALLOC, 1);
    ck_assert_int_eq(uva_watch_init(&config, sizeof value, &value), UV_ENOMEM);
    ck_assert_uint_eq(faults_clear(), 1);
    uva_watch_free(&config);
}
END_TEST

static void call_from_elsewhere(void *arg) {
    (void)arg;
    ck_assert_int_eq(publish(2), UV_EPERM);
    uva_watch_close(&config);
    uva_watch_free(&config);
}

static int thread_main(void *arg) {
    (void)arg;
    init(1);
    shared_cursor = 1;
    uva_task_t *a = uva_spawn(next_once, "a");
    ck_assert_int_eq(uva_yield(), 0);
    support_in_thread(call_from_elsewhere, NULL);
    ck_assert(!uva_is_done(a));
    ck_assert_int_eq(publish(5), 0);
    ck_assert_int_eq(uva_await(a, NULL), 0);
    uva_watch_free(&config);
    return 0;
}

START_TEST(watch_of_another_thread) {
    program_expect(thread_main);
    ck_expect_record("a5:0");
}
END_TEST

static int look_main(void *arg) {
    (void)arg;
    init(1);
    uva_watch_set_name(&config, "config");
    uva_future_t *f[] = {uva_spawn(follow, "a"), uva_spawn(follow, "b")};
    ck_assert_int_eq(uva_yield(), 0);
    uva_watch_statistics_t seen;
    uva_watch_statistics(&config, &seen);
    ck_assert_str_eq(seen.name, "config");
    ck_assert_uint_eq(seen.version, 1);
    ck_assert_uint_eq(seen.waiting, 2);
    ck_assert(!seen.is_closed);
    char *text = program_dump();
    ck_assert_ptr_nonnull(strstr(text, "parked in watch next 'config'  ("));
    ck_assert_ptr_nonnull(strstr(text, "'config' (1 waiter ahead)  ("));
    free(text);
    uva_watch_close(&config);
    uva_watch_statistics(&config, &seen);
    ck_assert_uint_eq(seen.waiting, 0);
    ck_assert(seen.is_closed);
    ck_assert_int_eq(uva_gather(f, 2, NULL), 0);
    uva_watch_free(&config);
    return 0;
}

START_TEST(watch_tells_how_it_stands) {
    program_expect(look_main);
    ck_expect_record("a1@1 b1@1 a:-4095 b:-4095");
}
END_TEST

/* A value that is news needs no park, but does not starve others either. */
static int budget_main(void *arg) {
    (void)arg;
    init(1);
    turns_t turns;
    int value = -1;
    turns_begin(&turns);
    uint64_t cursor = 0;
    unsigned long before = faults_allocations();
    for (int i = 0; i < 1000; i++) {
        ck_assert_int_eq(uva_watch_next(&config, &cursor, &value), 0);
        ck_assert_int_eq(publish(i), 0);
    }
    ck_assert_uint_eq(faults_allocations(), before);
    int others = turns_end(&turns);
    ck_assert_int_ge(others, 3);
    ck_assert_int_le(others, 10);
    uva_watch_free(&config);
    return 0;
}

START_TEST(watch_starves_nobody) {
    program_expect(budget_main);
}
END_TEST

/* ---- storm -------------------------------------------------------------- */

static int storm_value;
static int storm_seen;
static int senders_left;

static int storm_send(int rounds) {
    for (int i = 0; i < rounds; i++) {
        must(publish(++storm_value) == 0);
        storm_on();
    }
    if (--senders_left == 0)
        uva_watch_close(&config);
    return 0;
}

/* Values only grow, each is that of its version, and the last is seen. */
static int storm_follow(void) {
    uint64_t cursor = 0;
    int last = 0;
    for (;;) {
        int value = -1;
        uint64_t before = cursor;
        uva_scope_t scope;
        uva_scope_open(&scope, storm_limit(), 0);
        int code = uva_watch_next(&config, &cursor, &value);
        (void)uva_scope_close(&scope);
        if (code == UV_EOF)
            break;
        must(code == 0 || code == UV_ECANCELED);
        if (code == 0) {
            must(value > last && (uint64_t)value == cursor);
            last = value;
            storm_seen++;
        } else {
            must(cursor == before && value == -1);
        }
        storm_on();
    }
    must(last == storm_value);
    return 0;
}

static int storm_body(void *arg) {
    static int role;
    (void)arg;
    return role++ % 4 == 0 ? storm_send(storm_rounds(10000)) : storm_follow();
}

START_TEST(watch_loses_no_last_value_in_a_storm) {
    for (unsigned seed = 0; seed < STORM_SEEDS; seed++) {
        ck_assert_int_eq(uva_watch_init(&config, sizeof(int), NULL), 0);
        storm_value = 0;
        storm_seen = 0;
        senders_left = STORMERS / 4;
        storm(storm_body, seed);
        ck_assert_int_eq(storm_value, storm_rounds(10000) * STORMERS / 4);
        ck_assert_int_gt(storm_seen, storm_value / 4);
        uva_watch_free(&config);
    }
}
END_TEST

SUITE("watch", watch_shows_the_latest, watch_counts_versions,
      watch_by_two_with_one_cursor, watch_windows, watch_with_a_limit,
      watch_misused, watch_of_another_thread, watch_tells_how_it_stands,
      watch_starves_nobody, watch_loses_no_last_value_in_a_storm)
