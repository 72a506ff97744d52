/* labels: valgrind; timeout: 60 */
/* uva_select(): what happens between a wake and the run, and whether anything
 * is lost in a storm. */
#include "sync_fixture.h"

#include "runtime/runtime.h"

static uva_channel_t left;
static uva_channel_t right;

static void init(size_t capacity) {
    ck_assert_int_eq(uva_channel_init(&left, sizeof(int), capacity), 0);
    ck_assert_int_eq(uva_channel_init(&right, sizeof(int), capacity), 0);
}

static void expect_idle(const uva_channel_t *channel) {
    ck_assert(uva__list_is_empty(&channel->senders.list));
    ck_assert(uva__list_is_empty(&channel->receivers.list));
}

static void finish(void) {
    expect_idle(&left);
    expect_idle(&right);
    uva_channel_free(&left);
    uva_channel_free(&right);
}

/* Receives from left or right, or takes a future; then sleeps: a cancellation
 * that came too late is met there. */
static int recv_one(void *arg) {
    int item = -1;
    void *value = NULL;
    uva_case_t cases[] = {{.kind = UVA_RECV, .on = &left, .item = &item},
                          {.kind = UVA_RECV, .on = &right, .item = &item},
                          {.kind = UVA_FUTURE, .on = arg, .item = &value}};
    int index = uva_select(cases, arg != NULL ? 3 : 2, UVA_FOREVER);
    record("%d:%d", index, index >= 0 ? cases[index].code : 0);
    if (index == 0 || index == 1)
        record("item:%d", item);
    if (index == 2 && value != NULL)
        record("value:%s", (const char *)value);
    record("sleep:%d", uva_sleep(1));
    return 0;
}

static uva_task_t *spawn_select(uva_future_t *f) {
    return uva_spawn_with(&(uva_task_options_t){.eager = true}, recv_one, f);
}

/* | in one tick        | select       | then sleep   | right takes a send |
 * | send left, cancel  | 0            | UV_ECANCELED | no                 |
 * | cancel, send left  | UV_ECANCELED | UV_ECANCELED | no                 |
 */
static int cancel_main(void *arg) {
    (void)arg;
    for (int cancel_first = 0; cancel_first < 2; cancel_first++) {
        init(0);
        uva_task_t *task = spawn_select(NULL);
        if (cancel_first == 1)
            ck_assert(uva_cancel(task));
        ck_assert_int_eq(uva_channel_try_send(&left, &(int){7}),
                         cancel_first == 1 ? UV_EAGAIN : 0);
        if (cancel_first == 0)
            ck_assert(uva_cancel(task));
        ck_assert_int_eq(uva_channel_try_send(&right, &(int){8}), UV_EAGAIN);
        ck_assert_int_eq(uva_await(task, NULL), 0);
        finish();
    }
    return 0;
}

START_TEST(select_when_an_item_and_a_cancel_meet) {
    program_expect(cancel_main);
    ck_expect_record("0:0 item:7 sleep:-125 -125:0 sleep:-125");
}
END_TEST

/* Two of the cases come in one tick; the first to come decides, although it is
 * not the first in order, and the other finds nobody:
 *
 * | main          | select         |
 * |               | parked         |
 * | send right: 0 | decided: 1     |
 * | send left     |                |   UV_EAGAIN
 * | resolve       |                |
 * |               | runs: 1, its item
 */
static int two_main(void *arg) {
    (void)arg;
    init(0);
    uva_future_t *f = uva_future_new();
    uva_task_t *task = spawn_select(f);
    ck_assert_int_eq(uva_channel_try_send(&right, &(int){2}), 0);
    ck_assert_int_eq(uva_channel_try_send(&left, &(int){1}), UV_EAGAIN);
    ck_assert_int_eq(uva_future_resolve(f, "v"), 0);
    ck_assert_int_eq(uva_await(task, NULL), 0);
    uva_unref(f);
    finish();
    return 0;
}

START_TEST(select_when_two_cases_meet) {
    program_expect(two_main);
    ck_expect_record("1:0 item:2 sleep:0");
}
END_TEST

/* The future decides, its owner lets go of it before the select runs, and the
 * channels go too:
 *
 * | main                 | select       |
 * |                      | parked       |
 * | resolve (or fail) f  | decided: 2   |
 * | unref f: the last    |              |
 * | free left, right     |              |
 * | cancel               |              |
 * |                      | runs: 2, the value
 */
static int owner_main(void *arg) {
    (void)arg;
    for (int fails = 0; fails < 2; fails++) {
        init(0);
        uva_future_t *f = uva_future_new();
        uva_task_t *task = spawn_select(f);
        if (fails == 1)
            ck_assert_int_eq(uva_future_fail(f, UV_EIO, "gone"), 0);
        else
            ck_assert_int_eq(uva_future_resolve(f, "v"), 0);
        uva_unref(f);
        finish();
        memset(&left, 0xee, sizeof left);
        memset(&right, 0xee, sizeof right);
        ck_assert(uva_cancel(task));
        ck_assert_int_eq(uva_await(task, NULL), 0);
    }
    return 0;
}

START_TEST(select_when_its_future_goes) {
    program_expect(owner_main);
    ck_expect_record("2:0 value:v sleep:-125 2:-5 sleep:-125");
}
END_TEST

/* The channel is freed while the select stands in it, then the rest of what it
 * waited for; it looks at none of them:
 *
 * | main         | select            |
 * |              | parked            |
 * | free right   | decided: 1 UV_EOF |
 * | free left    |                   |
 * |              | runs              |
 */
static int freed_main(void *arg) {
    (void)arg;
    init(0);
    uva_future_t *f = uva_future_new();
    uva_task_t *task = spawn_select(f);
    uva_channel_free(&right);
    uva_channel_free(&left);
    memset(&left, 0xee, sizeof left);
    memset(&right, 0xee, sizeof right);
    uva_unref(f);
    return uva_await(task, NULL);
}

START_TEST(select_when_its_channels_go) {
    program_expect(freed_main);
    ck_expect_record("1:-4095 item:-1 sleep:0");
}
END_TEST

/* A future that stands twice fires for the first case alone. */
static int same_main(void *arg) {
    (void)arg;
    uva_future_t *f = spawn_worker("w", 5, 0);
    uva_case_t cases[] = {{.kind = UVA_FUTURE, .on = f, .code = 99},
                          {.kind = UVA_FUTURE, .on = f, .code = 99}};
    ck_assert_int_eq(uva_select(cases, 2, UVA_FOREVER), 0);
    ck_assert_int_eq(cases[0].code, 0);
    ck_assert_int_eq(cases[1].code, 99);
    return uva_await(f, NULL);
}

START_TEST(select_when_a_future_stands_twice) {
    program_expect(same_main);
    ck_expect_record("w");
}
END_TEST

static int select_for_10(void *arg) {
    int item = -1;
    uva_case_t what = {.kind = UVA_RECV, .on = &left, .item = &item};
    (void)arg;
    int index = uva_select(&what, 1, 10);
    record("%d:%d", index, item);
    return 0;
}

static void send_left(uva_deadline_t *deadline) {
    (void)deadline;
    record("send:%d", uva_channel_try_send(&left, &(int){5}));
}

/* The limit and an item at one moment. Deadlines of one moment come in the
 * order of arming, and a task that one of them wakes runs after all of them;
 * only an item that a deadline itself sends can come before the limit:
 *
 * | armed first | select       | item |
 * | the limit   | UV_ETIMEDOUT | kept |
 * | the send    | 0            | 5    |
 */
static int moment_main(void *arg) {
    (void)arg;
    uva__deadlines_t *deadlines = &uva_runtime_current()->deadlines;
    for (int send_first = 0; send_first < 2; send_first++) {
        init(1);
        uva_deadline_t send = {.expire = send_left};
        uint64_t at_ns = uva__deadline_ns(uva_runtime_current(), 10);
        uva_task_t *task = NULL;
        for (int i = 0; i < 2; i++) {
            if (i == send_first)
                task = uva_spawn_with(&(uva_task_options_t){.eager = true},
                                      select_for_10, NULL);
            else
                uva__deadlines_arm(deadlines, &send, at_ns);
        }
        ck_assert_int_eq(uva_await(task, NULL), 0);
        ck_assert_int_eq(uva_channel_try_recv(&left, &(int){0}),
                         send_first == 1 ? UV_EAGAIN : 0);
        finish();
    }
    return 0;
}

START_TEST(select_when_an_item_and_the_limit_meet) {
    program_expect(moment_main);
    ck_expect_record("send:0 -110:-1 send:0 0:5");
}
END_TEST

/* | in one tick   | select       |
 * | close, cancel | 1, UV_EOF    |
 * | cancel, close | UV_ECANCELED |
 */
static int close_main(void *arg) {
    (void)arg;
    for (int cancel_first = 0; cancel_first < 2; cancel_first++) {
        init(0);
        uva_task_t *task = spawn_select(NULL);
        if (cancel_first == 1)
            ck_assert(uva_cancel(task));
        uva_channel_close(&right);
        if (cancel_first == 0)
            ck_assert(uva_cancel(task));
        ck_assert_int_eq(uva_await(task, NULL), 0);
        finish();
    }
    return 0;
}

START_TEST(select_when_a_close_and_a_cancel_meet) {
    program_expect(close_main);
    ck_expect_record("1:-4095 item:-1 sleep:-125 -125:0 sleep:-125");
}
END_TEST

/* Sends 1 on left or 2 on right, or receives from either. */
static int send_either(void *arg) {
    int one = 1, two = 2;
    uva_case_t cases[] = {{.kind = UVA_SEND, .on = &left, .item = &one},
                          {.kind = UVA_SEND, .on = &right, .item = &two}};
    (void)arg;
    record("sent:%d", uva_select(cases, 2, UVA_FOREVER));
    return 0;
}

/* Two selects that face each other meet in one channel only:
 *
 * | sender                   | receiver            |
 * | offers on left and right |                     |
 * | decided: left            | select: left, right |
 */
static int facing_main(void *arg) {
    (void)arg;
    for (int receiver = 0; receiver < 2; receiver++) {
        init(0);
        uva_task_options_t eager = {.eager = true};
        uva_future_t *f[2];
        for (int i = 0; i < 2; i++)
            f[i] = uva_spawn_with(&eager,
                                  i == receiver ? recv_one : send_either, NULL);
        ck_assert_int_eq(uva_channel_try_send(&right, &(int){0}), UV_EAGAIN);
        ck_assert_int_eq(uva_channel_try_recv(&right, &(int){0}), UV_EAGAIN);
        ck_assert_int_eq(uva_gather(f, 2, NULL), 0);
        finish();
    }
    return 0;
}

START_TEST(select_when_two_selects_meet) {
    program_expect(facing_main);
    ck_expect_record("sent:0 0:0 item:1 sleep:0 "
                     "0:0 item:1 sent:0 sleep:0");
}
END_TEST

/* ---- storms ------------------------------------------------------------- */

enum { ROADS = 4 };

typedef struct item {
    uint32_t sender;
    uint32_t number; /* from 1, on its road */
} item_t;

static uva_channel_t roads[ROADS];
static uint64_t sent[STORMERS][ROADS];
static uint64_t got[STORMERS][ROADS];
static uint64_t sum[STORMERS][ROADS];
static uint64_t ticks;
static uva_future_t *tick; /* one of the stormers resolves it now and then */
static size_t started;

static void note(size_t road, item_t item) {
    must(item.sender < STORMERS);
    got[item.sender][road]++;
    sum[item.sender][road] += item.number;
}

/* Random cases; the last item received and what is offered lie in `in`, `out`.
 */
static size_t draw_cases(uva_case_t cases[], uint32_t self, item_t in[],
                         item_t out[], uva_future_t *f) {
    size_t count = 1 + draw(10);
    for (size_t i = 0; i < count; i++) {
        uint32_t road = draw(ROADS);
        cases[i] = (uva_case_t){.on = &roads[road], .code = 99};
        out[i] = (item_t){self, (uint32_t)sent[self][road] + 1};
        in[i] = (item_t){UINT32_MAX, 0};
        unsigned kind = draw(9);
        if (kind == 0)
            cases[i] = (uva_case_t){.kind = UVA_FUTURE, .on = f, .code = 99};
        else if (kind == 1)
            cases[i].on = NULL;
        else if (kind < 5)
            cases[i].kind = UVA_RECV;
        cases[i].item = cases[i].kind == UVA_RECV   ? &in[i]
                        : cases[i].kind == UVA_SEND ? &out[i]
                                                    : NULL;
    }
    return count;
}

/* Exactly the case that was taken has a code, and only its item came. */
static void check_taken(const uva_case_t cases[], size_t count, int index,
                        const item_t in[], uint32_t self) {
    for (size_t i = 0; i < count; i++) {
        bool is_taken = (int)i == index;
        must(cases[i].code == (is_taken ? 0 : 99));
        must(is_taken || in[i].sender == UINT32_MAX);
    }
    if (index < 0)
        return;
    const uva_case_t *taken = &cases[index];
    size_t road = (size_t)((uva_channel_t *)taken->on - roads);
    if (taken->kind == UVA_SEND)
        sent[self][road]++;
    else if (taken->kind == UVA_RECV)
        note(road, in[index]);
    else
        ticks++;
}

static void select_once(uint32_t self, size_t *cursor) {
    uva_case_t cases[16];
    item_t in[16], out[16];
    uva_future_t *f = uva_ref(tick);
    size_t count = draw_cases(cases, self, in, out, f);
    uva_scope_t scope;
    uva_scope_open(&scope, storm_limit(), 0);
    uint64_t limit = draw(6);
    int index = draw(2) == 0 ? uva_select(cases, count, limit)
                             : uva_select_rotating(cases, count, limit, cursor);
    (void)uva_scope_close(&scope);
    must(index >= 0 || index == UV_ETIMEDOUT || index == UV_ECANCELED);
    check_taken(cases, count, index, in, self);
    uva_unref(f);
}

/* Plain calls among them. */
static void pass_once(uint32_t self) {
    size_t road = draw(ROADS);
    item_t item = {self, (uint32_t)sent[self][road] + 1};
    if (draw(2) == 0) {
        if (uva_channel_try_send(&roads[road], &item) == 0)
            sent[self][road]++;
    } else if (uva_channel_try_recv(&roads[road], &item) == 0) {
        note(road, item);
    }
}

static int storm_body(void *arg) {
    (void)arg;
    uint32_t self = (uint32_t)started++;
    size_t cursor = 0;
    for (int i = storm_rounds(8000); i > 0; i--) {
        unsigned what = draw(16);
        if (what == 0)
            pass_once(self);
        else
            select_once(self, &cursor);
        if (what == 1) {
            must(uva_future_resolve(tick, NULL) == 0);
            uva_unref(tick);
            tick = uva_future_new();
        }
        storm_on();
    }
    return 0;
}

static int storm_main(void *arg) {
    tick = uva_future_new();
    started = 0;
    int code = spawn_stormers(arg);
    uva_unref(tick);
    return code;
}

static void storm_with(unsigned seed) {
    memset(sent, 0, sizeof sent);
    memset(got, 0, sizeof got);
    memset(sum, 0, sizeof sum);
    ticks = 0;
    for (size_t i = 0; i < ROADS; i++)
        ck_assert_int_eq(uva_channel_init(&roads[i], sizeof(item_t), i), 0);
    storm_random = seed + 1;
    uva_fn body = storm_body;
    uva_options_t options = {.clock = UVA_CLOCK_VIRTUAL,
                             .schedule_seed = seed,
                             .report = support_report};
    ck_assert_int_eq(uva_run_with(&options, storm_main, &body), 0);
    ck_assert_str_eq(support_reports(), "");
    uint64_t total = 0;
    for (size_t road = 0; road < ROADS; road++) {
        item_t item;
        while (uva_channel_try_recv(&roads[road], &item) == 0)
            note(road, item);
        expect_idle(&roads[road]);
        uva_channel_free(&roads[road]);
        for (size_t i = 0; i < STORMERS; i++) {
            uint64_t n = sent[i][road];
            ck_assert_uint_eq(got[i][road], n);
            ck_assert_uint_eq(sum[i][road], n * (n + 1) / 2);
            total += n;
        }
    }
    ck_assert_uint_gt(total, (uint64_t)storm_rounds(8000));
    ck_assert_uint_gt(ticks, 0);
}

START_TEST(select_storm) {
    for (unsigned seed = 0; seed < STORM_SEEDS; seed++)
        storm_with(seed);
}
END_TEST

SUITE("select_windows", select_when_an_item_and_a_cancel_meet,
      select_when_two_cases_meet, select_when_its_future_goes,
      select_when_its_channels_go, select_when_a_future_stands_twice,
      select_when_an_item_and_the_limit_meet,
      select_when_a_close_and_a_cancel_meet, select_when_two_selects_meet,
      select_storm)
