/* labels: valgrind; timeout: 30 */
/* uva_select() over channels and time: which case is taken, and that the others
 * are left alone. Futures are in test_select_future.c, streams in
 * test_select_stream.c, windows and storms in test_select_windows.c. */
#include "support/program.h"

#include "runtime/list.h"

#include <limits.h>

enum { CHANNELS = 3 };

static uva_channel_t channels[CHANNELS];

static void init(size_t capacity) {
    for (size_t i = 0; i < CHANNELS; i++)
        ck_assert_int_eq(uva_channel_init(&channels[i], sizeof(int), capacity),
                         0);
}

/* Nobody stands in any of them; frees them. */
static void finish(void) {
    for (size_t i = 0; i < CHANNELS; i++) {
        ck_assert(uva__list_is_empty(&channels[i].senders.list));
        ck_assert(uva__list_is_empty(&channels[i].receivers.list));
        uva_channel_free(&channels[i]);
    }
}

static void put(size_t channel, int item) {
    ck_assert_int_eq(uva_channel_try_send(&channels[channel], &item), 0);
}

static size_t items_in(size_t channel) {
    uva_channel_statistics_t seen;
    uva_channel_statistics(&channels[channel], &seen);
    return seen.items;
}

/* One that receives from all three, with priority, and its outcome. */
typedef struct chooser {
    int items[CHANNELS];
    uva_case_t cases[CHANNELS];
} chooser_t;

static chooser_t choose_from_all(void) {
    chooser_t chooser = {.items = {-1, -1, -1}};
    for (size_t i = 0; i < CHANNELS; i++)
        chooser.cases[i] =
            (uva_case_t){.kind = UVA_RECV, .on = &channels[i], .code = 99};
    return chooser;
}

static int choose(chooser_t *chooser, uint64_t timeout_ms) {
    for (size_t i = 0; i < CHANNELS; i++)
        chooser->cases[i].item = &chooser->items[i];
    return uva_select(chooser->cases, CHANNELS, timeout_ms);
}

/* ---- which one ---------------------------------------------------------- */

static int order_main(void *arg) {
    (void)arg;
    init(2);
    put(2, 20);
    put(1, 10);
    put(1, 11);
    static const int expected[][2] = {{1, 10}, {1, 11}, {2, 20}};
    for (size_t i = 0; i < 3; i++) {
        chooser_t chooser = choose_from_all();
        int index = choose(&chooser, 0);
        ck_assert_int_eq(index, expected[i][0]);
        for (int other = 0; other < CHANNELS; other++) {
            bool taken = other == index;
            ck_assert_int_eq(chooser.cases[other].code, taken ? 0 : 99);
            ck_assert_int_eq(chooser.items[other], taken ? expected[i][1] : -1);
        }
    }
    chooser_t chooser = choose_from_all();
    ck_assert_int_eq(choose(&chooser, 0), UV_ETIMEDOUT);
    ck_assert_int_eq(chooser.cases[0].code, 99);
    finish();
    return 0;
}

START_TEST(select_takes_the_first_that_is_ready) {
    program_expect(order_main);
}
END_TEST

static int rotating_main(void *arg) {
    (void)arg;
    init(4);
    for (size_t channel = 0; channel < CHANNELS; channel++) {
        for (int i = 0; i < 2; i++)
            put(channel, (int)channel * 10 + i);
    }
    size_t cursor = 1;
    for (int i = 0; i < 6; i++) {
        int item = -1;
        uva_case_t cases[CHANNELS];
        for (size_t c = 0; c < CHANNELS; c++)
            cases[c] = (uva_case_t){
                .kind = UVA_RECV, .on = &channels[c], .item = &item};
        int index = uva_select_rotating(cases, CHANNELS, 10, &cursor);
        record("%d:%d", index, item);
        ck_assert_uint_eq(cursor, (size_t)(index + 1) % CHANNELS);
    }
    /* Nothing is left: the cursor stays. One that is too large goes round. */
    chooser_t chooser = choose_from_all();
    for (size_t c = 0; c < CHANNELS; c++)
        chooser.cases[c].item = &chooser.items[c];
    cursor = 4;
    ck_assert_int_eq(uva_select_rotating(chooser.cases, 3, 5, &cursor),
                     UV_ETIMEDOUT);
    ck_assert_uint_eq(cursor, 4);
    put(0, 7);
    put(1, 8);
    ck_assert_int_eq(uva_select_rotating(chooser.cases, 3, 5, &cursor), 1);
    ck_assert_int_eq(uva_select_rotating(NULL, 0, 5, &cursor), UV_ETIMEDOUT);
    ck_assert_int_eq(uva_select_rotating(chooser.cases, 3, 5, NULL), UV_EINVAL);
    ck_assert_int_eq(chooser.items[1], 8);
    ck_assert_uint_eq(items_in(0), 1);
    finish();
    return 0;
}

START_TEST(select_rotating_gives_turns) {
    program_expect(rotating_main);
    ck_expect_record("1:10 2:20 0:0 1:11 2:21 0:1");
}
END_TEST

static int select_all(void *arg) {
    chooser_t chooser = choose_from_all();
    int index = choose(&chooser, UVA_FOREVER);
    record("%s:%d", (const char *)arg, index);
    if (index >= 0)
        record("%d:%d", chooser.cases[index].code, chooser.items[index]);
    return 0;
}

static uva_task_t *spawn_select(const char *name) {
    return uva_spawn_with(&(uva_task_options_t){.eager = true}, select_all,
                          (void *)(uintptr_t)name);
}

static int parked_main(void *arg) {
    (void)arg;
    init(0);
    for (size_t channel = 0; channel < CHANNELS; channel++) {
        uva_task_t *task = spawn_select("a");
        ck_assert(!uva_is_done(task));
        put(channel, (int)channel + 5);
        /* It stands nowhere any more. */
        for (size_t other = 0; other < CHANNELS; other++)
            ck_assert_int_eq(uva_channel_try_send(&channels[other], &(int){9}),
                             UV_EAGAIN);
        ck_assert_int_eq(uva_await(task, NULL), 0);
    }
    uva_future_t *f[2] = {spawn_select("x"), spawn_select("y")};
    put(1, 1);
    put(0, 2);
    ck_assert_int_eq(uva_gather(f, 2, NULL), 0);
    finish();
    return 0;
}

START_TEST(select_waits_for_the_first_to_come) {
    program_expect(parked_main);
    ck_expect_record("a:0 0:5 a:1 0:6 a:2 0:7 x:1 0:1 y:0 0:2");
}
END_TEST

static int send_one(void *arg) {
    int item = *(const int *)arg;
    uva_case_t cases[] = {
        {.kind = UVA_SEND, .on = &channels[0], .item = &item},
        {.kind = UVA_SEND, .on = &channels[1], .item = &item}};
    int index = uva_select(cases, 2, UVA_FOREVER);
    record("sent-%d:%d:%d", item, index, cases[index].code);
    return 0;
}

/* What is sent goes to one of them, never to both. */
static int send_main(void *arg) {
    (void)arg;
    int item = 0, one = 1, two = 2, three = 3;
    init(1);
    ck_assert_int_eq(send_one(&one), 0);
    ck_assert_int_eq(send_one(&two), 0);
    uva_task_t *task = uva_spawn(send_one, &three);
    ck_assert_int_eq(uva_yield(), 0);
    ck_assert(!uva_is_done(task));
    ck_assert_int_eq(uva_channel_recv(&channels[1], &item), 0);
    ck_assert_int_eq(item, 2);
    ck_assert_int_eq(uva_channel_recv(&channels[1], &item), 0);
    ck_assert_int_eq(item, 3);
    ck_assert_int_eq(uva_channel_recv(&channels[0], &item), 0);
    ck_assert_int_eq(item, 1);
    ck_assert_int_eq(uva_channel_try_recv(&channels[0], &item), UV_EAGAIN);
    ck_assert_int_eq(uva_await(task, NULL), 0);
    finish();
    return 0;
}

START_TEST(select_sends_to_one) {
    program_expect(send_main);
    ck_expect_record("sent-1:0:0 sent-2:1:0 sent-3:1:0");
}
END_TEST

static int both_ways(void *arg) {
    int out = *(const int *)arg, in = -1;
    uva_case_t cases[] = {{.kind = UVA_SEND, .on = &channels[0], .item = &out},
                          {.kind = UVA_RECV, .on = &channels[0], .item = &in}};
    int index = uva_select(cases, 2, 10);
    record("%d:%d:%d", out, index, in);
    return 0;
}

/* Both directions of one channel: alone, nobody meets himself; of two, one
 * sends to the other; and one of them meets a plain call of either kind. */
static int both_main(void *arg) {
    (void)arg;
    init(0);
    int one = 1, two = 2, item = -1;
    ck_assert_int_eq(both_ways(&one), 0);
    uva_future_t *f[2] = {uva_spawn(both_ways, &one),
                          uva_spawn(both_ways, &two)};
    ck_assert_int_eq(uva_gather(f, 2, NULL), 0);
    uva_task_t *task = uva_spawn(both_ways, &one);
    ck_assert_int_eq(uva_yield(), 0);
    put(0, 8);
    ck_assert_int_eq(uva_channel_try_recv(&channels[0], &item), UV_EAGAIN);
    ck_assert_int_eq(uva_await(task, NULL), 0);
    task = uva_spawn(both_ways, &one);
    ck_assert_int_eq(uva_yield(), 0);
    ck_assert_int_eq(uva_channel_try_recv(&channels[0], &item), 0);
    ck_assert_int_eq(item, 1);
    ck_assert_int_eq(uva_channel_try_send(&channels[0], &item), UV_EAGAIN);
    ck_assert_int_eq(uva_await(task, NULL), 0);
    finish();
    return 0;
}

START_TEST(select_both_ways_on_one_channel) {
    program_expect(both_main);
    ck_expect_record("1:-110:-1 2:0:-1 1:1:2 1:1:8 1:0:-1");
}
END_TEST

/* A close ends both directions at once: the first in order is taken, also when
 * it stands behind another channel. */
static int close_both(void *arg) {
    bool recv_first = arg != NULL;
    int item = 0;
    uva_case_t send = {.kind = UVA_SEND, .on = &channels[0], .item = &item};
    uva_case_t recv = {.kind = UVA_RECV, .on = &channels[0], .item = &item};
    uva_case_t cases[] = {{.kind = UVA_RECV, .on = &channels[1], .item = &item},
                          recv_first ? recv : send,
                          recv_first ? send : recv};
    int index = uva_select(cases, 3, UVA_FOREVER);
    record("%d:%d", index, cases[index].code);
    return 0;
}

static int close_both_main(void *arg) {
    (void)arg;
    for (int recv_first = 0; recv_first < 2; recv_first++) {
        init(0);
        uva_task_t *task =
            uva_spawn_with(&(uva_task_options_t){.eager = true}, close_both,
                           recv_first == 1 ? channels : NULL);
        uva_channel_close(&channels[0]);
        ck_assert_int_eq(uva_await(task, NULL), 0);
        finish();
    }
    return 0;
}

START_TEST(select_both_ways_on_a_channel_that_closes) {
    program_expect(close_both_main);
    ck_expect_record("1:-32 1:-4095");
}
END_TEST

/* The same channel twice: the first case is taken, the item comes once. */
static int twice_main(void *arg) {
    (void)arg;
    init(0);
    int items[2] = {-1, -1};
    uva_case_t cases[2];
    for (size_t i = 0; i < 2; i++)
        cases[i] = (uva_case_t){
            .kind = UVA_RECV, .on = &channels[0], .item = &items[i]};
    int one = 1;
    uva_task_t *task = uva_spawn(send_one, &one);
    ck_assert_int_eq(uva_select(cases, 2, UVA_FOREVER), 0);
    ck_assert_int_eq(items[0], 1);
    ck_assert_int_eq(items[1], -1);
    ck_assert_int_eq(uva_await(task, NULL), 0);
    finish();
    return 0;
}

START_TEST(select_on_one_channel_twice) {
    program_expect(twice_main);
    ck_expect_record("sent-1:0:0");
}
END_TEST

/* ---- channels that are closed, or are none ------------------------------ */

static int close_later(void *arg) {
    ck_assert_int_eq(uva_sleep(1), 0);
    uva_channel_close(arg);
    return 0;
}

static int closed_main(void *arg) {
    (void)arg;
    init(1);
    put(1, 4);
    uva_channel_close(&channels[1]);
    chooser_t chooser = choose_from_all();
    ck_assert_int_eq(choose(&chooser, 0), 1);
    ck_assert_int_eq(chooser.cases[1].code, 0);
    ck_assert_int_eq(chooser.items[1], 4);
    ck_assert_int_eq(choose(&chooser, 0), 1);
    ck_assert_int_eq(chooser.cases[1].code, UV_EOF);
    ck_assert_int_eq(chooser.items[1], 4);
    uva_case_t send = {.kind = UVA_SEND, .on = &channels[1], .item = &(int){0}};
    ck_assert_int_eq(uva_select(&send, 1, UVA_FOREVER), 0);
    ck_assert_int_eq(send.code, UV_EPIPE);
    /* Switched off. */
    chooser.cases[1].on = NULL;
    ck_assert_int_eq(choose(&chooser, 0), UV_ETIMEDOUT);
    put(2, 6);
    ck_assert_int_eq(choose(&chooser, 0), 2);
    /* Closed while it waits. */
    uva_task_t *task = uva_spawn_with(&(uva_task_options_t){.eager = true},
                                      both_ways, &(int){3});
    ck_assert(uva_is_done(task));
    ck_assert_int_eq(uva_await(task, NULL), 0);
    put(2, 0);
    send =
        (uva_case_t){.kind = UVA_SEND, .on = &channels[2], .item = &(int){0}};
    task = uva_spawn(close_later, &channels[2]);
    ck_assert_int_eq(uva_select(&send, 1, UVA_FOREVER), 0);
    ck_assert_int_eq(send.code, UV_EPIPE);
    ck_assert_uint_eq(items_in(2), 1);
    ck_assert_int_eq(uva_await(task, NULL), 0);
    finish();
    return 0;
}

START_TEST(select_on_closed_channels) {
    program_expect(closed_main);
    ck_expect_record("3:0:-1");
}
END_TEST

/* ---- time --------------------------------------------------------------- */

static int time_main(void *arg) {
    (void)arg;
    init(0);
    uint64_t start = uva_now_ms();
    ck_assert_int_eq(uva_select(NULL, 0, 10), UV_ETIMEDOUT);
    ck_assert_uint_eq(uva_now_ms() - start, 10);
    ck_assert_int_eq(uva_select(NULL, 0, 0), UV_ETIMEDOUT);
    ck_assert_uint_eq(uva_now_ms() - start, 10);
    chooser_t chooser = choose_from_all();
    ck_assert_int_eq(choose(&chooser, 15), UV_ETIMEDOUT);
    ck_assert_uint_eq(uva_now_ms() - start, 25);
    for (size_t i = 0; i < CHANNELS; i++)
        chooser.cases[i].on = NULL;
    ck_assert_int_eq(choose(&chooser, 5), UV_ETIMEDOUT);
    ck_assert_uint_eq(uva_now_ms() - start, 30);
    uva_scope_t scope;
    uva_scope_open(&scope, 5, 0);
    ck_assert_int_eq(choose(&chooser, UVA_FOREVER), UV_ECANCELED);
    ck_assert_int_eq(choose(&chooser, 0), UV_ETIMEDOUT);
    ck_assert_int_eq(choose(&chooser, 5), UV_ECANCELED);
    uva_future_t *done = uva_future_new();
    ck_assert_int_eq(uva_future_resolve(done, NULL), 0);
    uva_case_t ready = {.kind = UVA_FUTURE, .on = done};
    ck_assert_int_eq(uva_select(&ready, 1, UVA_FOREVER), 0);
    uva_unref(done);
    ck_assert_int_eq(uva_scope_close(&scope), UV_ETIMEDOUT);
    finish();
    return 0;
}

START_TEST(select_with_a_limit) {
    program_expect(time_main);
}
END_TEST

/* Ready cases do not switch, yet starve nobody; and a case that is gone when
 * the budget's yield is over is not taken. */
static int drain_rest(void *arg) {
    int item;
    while (uva_channel_try_recv(arg, &item) == 0)
        continue;
    record("drained");
    return 0;
}

static int budget_main(void *arg) {
    (void)arg;
    init(200);
    for (int i = 0; i < 200; i++)
        put(1, i);
    uva_task_t *task = uva_spawn(drain_rest, &channels[1]);
    int count = 0;
    chooser_t chooser = choose_from_all();
    while (choose(&chooser, 10) == 1) {
        ck_assert_int_eq(chooser.cases[1].code, 0);
        count++;
    }
    record("end");
    ck_assert_int_gt(count, 50);
    ck_assert_int_lt(count, 130);
    ck_assert_int_eq(uva_await(task, NULL), 0);
    finish();
    return 0;
}

START_TEST(select_starves_nobody) {
    program_expect(budget_main);
    ck_expect_record("drained end");
}
END_TEST

/* ---- many cases --------------------------------------------------------- */

enum { MANY = 100 };

static int send_later(void *arg) {
    ck_assert_int_eq(uva_sleep(1), 0);
    return uva_channel_try_send(arg, &(int){77});
}

static int many_main(void *arg) {
    (void)arg;
    static uva_channel_t many[MANY];
    static uva_case_t cases[MANY];
    int item = -1;
    for (size_t i = 0; i < MANY; i++) {
        ck_assert_int_eq(uva_channel_init(&many[i], sizeof(int), 0), 0);
        cases[i] =
            (uva_case_t){.kind = UVA_RECV, .on = &many[i], .item = &item};
    }
    unsigned long before = faults_allocations();
    ck_assert_int_eq(uva_select(cases, 8, 1), UV_ETIMEDOUT);
    ck_assert_uint_eq(faults_allocations(), before);
    ck_assert_int_eq(uva_select(cases, MANY, 1), UV_ETIMEDOUT);
    ck_assert_uint_eq(faults_allocations(), before + 1);
    faults_fail(FAULT_MALLOC, 1);
    ck_assert_int_eq(uva_select(cases, 9, 1), UV_ENOMEM);
    ck_assert_uint_eq(faults_clear(), 1);
    uva_task_t *task = uva_spawn_with(&(uva_task_options_t){.eager = true},
                                      send_later, &many[MANY - 1]);
    ck_assert_int_eq(uva_select(cases, MANY, UVA_FOREVER), MANY - 1);
    ck_assert_int_eq(item, 77);
    ck_assert_int_eq(uva_await(task, NULL), 0);
    for (size_t i = 0; i < MANY; i++) {
        ck_assert(uva__list_is_empty(&many[i].receivers.list));
        uva_channel_free(&many[i]);
    }
    return 0;
}

START_TEST(select_over_a_hundred) {
    program_expect(many_main);
}
END_TEST

/* ---- misuse ------------------------------------------------------------- */

static int misuse_main(void *arg) {
    (void)arg;
    init(1);
    put(0, 1);
    int item = -1;
    uva_case_t cases[] = {
        {.kind = UVA_RECV, .on = &channels[0], .item = &item, .code = 99},
        {.kind = UVA_RECV, .on = &channels[0]}};
    ck_assert_int_eq(uva_select(cases, 2, 0), UV_EINVAL);
    cases[1].kind = UVA_SEND;
    ck_assert_int_eq(uva_select(cases, 2, 0), UV_EINVAL);
    cases[1].kind = (uva_case_kind_t)4;
    ck_assert_int_eq(uva_select(cases, 2, 0), UV_EINVAL);
    ck_assert_int_eq(uva_select(NULL, 2, 0), UV_EINVAL);
    ck_assert_int_eq(uva_select(NULL, 0, UVA_FOREVER), UV_EINVAL);
    ck_assert_int_eq(uva_select(cases, (size_t)INT_MAX + 1, 0), UV_EINVAL);
    cases[1] = (uva_case_t){.kind = UVA_FUTURE, .on = uva_current()};
    ck_assert_uint_eq(support_report_count(), 0);
    ck_assert_int_eq(uva_select(cases, 2, 0), UV_EPERM);
    ck_assert(support_reports_contain("waits for itself"));
    ck_assert_int_eq(cases[0].code, 99);
    ck_assert_int_eq(item, -1);
    ck_assert_uint_eq(items_in(0), 1);
    finish();
    return 0;
}

START_TEST(select_misused) {
    ck_assert_int_eq(program_run(misuse_main, NULL), 0);
    ck_assert_uint_eq(support_report_count(), 1);
}
END_TEST

START_TEST(select_outside_a_task) {
    ck_assert_int_eq(uva_select(NULL, 0, 0), UV_EPERM);
    size_t cursor = 0;
    ck_assert_int_eq(uva_select_rotating(NULL, 0, 0, &cursor), UV_EPERM);
}
END_TEST

/* ---- looking ------------------------------------------------------------ */

static int look_main(void *arg) {
    (void)arg;
    init(0);
    uva_task_t *task = spawn_select("s");
    uva_channel_statistics_t seen;
    uva_channel_statistics(&channels[1], &seen);
    ck_assert_uint_eq(seen.receiving, 1);
    char *text = program_dump();
    ck_assert_ptr_nonnull(strstr(text, "parked in select of 3"));
    free(text);
    ck_assert_int_eq(uva_cancel_and_wait(task), 0);
    uva_channel_statistics(&channels[1], &seen);
    ck_assert_uint_eq(seen.receiving, 0);
    /* The two offers of one task in one channel are one task. */
    int one = 1;
    task =
        uva_spawn_with(&(uva_task_options_t){.eager = true}, both_ways, &one);
    uva_channel_statistics(&channels[0], &seen);
    ck_assert_uint_eq(seen.receiving, 1);
    ck_assert_uint_eq(seen.sending, 1);
    ck_assert_int_eq(uva_await(task, NULL), 0);
    finish();
    return 0;
}

START_TEST(select_tells_what_it_does) {
    program_expect(look_main);
    ck_expect_record("s:-125 1:-110:-1");
}
END_TEST

SUITE("select", select_takes_the_first_that_is_ready,
      select_rotating_gives_turns, select_waits_for_the_first_to_come,
      select_sends_to_one, select_both_ways_on_one_channel,
      select_both_ways_on_a_channel_that_closes, select_on_one_channel_twice,
      select_on_closed_channels, select_with_a_limit, select_starves_nobody,
      select_over_a_hundred, select_misused, select_outside_a_task,
      select_tells_what_it_does)
