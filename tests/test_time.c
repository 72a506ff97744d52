/* The clock, real and virtual, sleeping, and the heap of deadlines. */
#include "support/support.h"

#include <stdio.h>
#include <string.h>
#include <uvawait.h>

#include "runtime/runtime.h"

static const uva_options_t quiet = {.report = support_report};
static const uva_options_t jumping = {.report = support_report,
                                      .clock = UVA_CLOCK_VIRTUAL};

static void run_virtual(uva_fn main, void *arg) {
    ck_assert_int_eq(uva_run_with(&jumping, main, arg), 0);
}

static void run_real(uva_fn main, void *arg) {
    ck_assert_int_eq(uva_run_with(&quiet, main, arg), 0);
}

/* ---- the virtual clock -------------------------------------------------- */

static int sleep_exactly(void *arg) {
    (void)arg;
    ck_assert_uint_eq(uva_now_ms(), 0);
    uint64_t expected = 0;
    for (uint64_t i = 0; i < 10; i++) {
        ck_assert_int_eq(uva_sleep(i * 10000), 0);
        expected += i * 10000;
        ck_assert_uint_eq(uva_now_ms(), expected);
    }
    ck_assert_uint_eq(expected, 450000);
    return 0;
}

START_TEST(time_virtual_clock_jumps_exactly) {
    CONFORMS("K-243");
    uint64_t start = uv_hrtime();
    run_virtual(sleep_exactly, NULL);
    ck_assert_uint_lt((uv_hrtime() - start) / 1000000, 1000);
}
END_TEST

typedef struct nap {
    uint64_t ms;
    const char *name;
} nap_t;

static int take_nap(void *arg) {
    const nap_t *nap = arg;
    uint64_t due = uva_now_ms() + nap->ms;
    ck_assert_int_eq(uva_sleep(nap->ms), 0);
    ck_assert_uint_ge(uva_now_ms(), due);
    record("%s@%u", nap->name, (unsigned)uva_now_ms());
    return 0;
}

static int take_naps(void *arg) {
    nap_t naps[] = {{30, "a"}, {10, "b"}, {20, "c"}, {10, "d"}, {30, "e"}};
    uva_future_t *tasks[5];
    (void)arg;
    for (size_t i = 0; i < 5; i++)
        tasks[i] = uva_spawn(take_nap, &naps[i]);
    return uva_gather(tasks, 5, NULL);
}

START_TEST(time_sleeps_end_in_order_of_deadlines) {
    CONFORMS("K-170", "K-248");
    run_virtual(take_naps, NULL);
    ck_expect_record("b@10 d@10 c@20 a@30 e@30");
}
END_TEST

/* A jump over all of them at once, as after a long computation. */
static int jump_over_naps(void *arg) {
    nap_t naps[] = {{30, "a"}, {10, "b"}, {20, "c"}, {10, "d"}};
    uva_future_t *tasks[4];
    (void)arg;
    for (size_t i = 0; i < 4; i++)
        tasks[i] = uva_spawn(take_nap, &naps[i]);
    ck_assert_int_eq(uva_yield(), 0);
    uva_runtime_current()->virtual_ns += UINT64_C(1000000000);
    return uva_gather(tasks, 4, NULL);
}

START_TEST(time_jump_over_several_ends_them_in_order) {
    CONFORMS("K-244");
    run_virtual(jump_over_naps, NULL);
    ck_expect_record("b@1000 d@1000 c@1000 a@1000");
}
END_TEST

static int trace_steps(void *arg) {
    uint64_t step = (uint64_t)(uintptr_t)arg;
    for (uint64_t i = 1; i <= 5; i++) {
        record("%u.%u@%u", (unsigned)step, (unsigned)i, (unsigned)uva_now_ms());
        int code = uva_sleep(i * step % 4);
        if (code < 0)
            return code;
    }
    return 0;
}

static int trace_all(void *arg) {
    uva_future_t *tasks[6];
    (void)arg;
    for (size_t i = 0; i < 6; i++)
        tasks[i] = uva_spawn(trace_steps, (void *)(i + 1));
    return uva_gather(tasks, 6, NULL);
}

START_TEST(time_ten_runs_leave_the_same_trace) {
    CONFORMS("K-247");
    static char first[SUPPORT_RECORD_BYTES];
    for (uint64_t seed = 0; seed < 20; seed += 7) {
        uva_options_t options = jumping;
        options.schedule_seed = seed;
        for (int i = 0; i < 10; i++) {
            ck_assert_int_eq(uva_run_with(&options, trace_all, NULL), 0);
            if (i == 0)
                support_record_take(first);
            else
                ck_expect_record(first);
        }
    }
}
END_TEST

/* ---- what holds the virtual clock --------------------------------------- */

static bool happened;

static int take_a_while(void *arg) {
    uv_sleep(20);
    return *(int *)arg;
}

static int await_thread(void *arg) {
    int code = uva_to_thread(take_a_while, arg);
    happened = true;
    return code;
}

static int race_with_a_job(void *arg) {
    int code = 0;
    (void)arg;
    happened = false;
    uva_task_t *job = uva_spawn(await_thread, &code);
    ck_assert_int_eq(uva_sleep(60000), 0);
    ck_assert(happened);
    ck_assert_uint_eq(uva_now_ms(), 60000);
    return uva_await(job, NULL);
}

START_TEST(time_virtual_clock_waits_for_the_pool) {
    run_virtual(race_with_a_job, NULL);
}
END_TEST

static void on_timer(uv_timer_t *timer) {
    happened = true;
    ck_assert_uint_eq(uva_now_ms(), 0);
    uv_close((uv_handle_t *)timer, NULL);
}

static int race_with_a_timer(void *arg) {
    static uv_timer_t timer;
    uv_loop_t *loop = uva_runtime_loop(uva_runtime_current());
    (void)arg;
    happened = false;
    ck_assert_int_eq(uv_timer_init(loop, &timer), 0);
    ck_assert_int_eq(uv_timer_start(&timer, on_timer, 20, 0), 0);
    ck_assert_int_eq(uva_sleep(60000), 0);
    ck_assert(happened);
    return 0;
}

START_TEST(time_virtual_clock_waits_for_the_hosts_timer) {
    run_virtual(race_with_a_timer, NULL);
}
END_TEST

static void on_resolved(uv_getaddrinfo_t *request, int status,
                        struct addrinfo *addresses) {
    (void)request;
    (void)status;
    happened = true;
    ck_assert_uint_eq(uva_now_ms(), 0);
    uv_freeaddrinfo(addresses);
}

static int race_with_a_request(void *arg) {
    static uv_getaddrinfo_t request;
    uv_loop_t *loop = uva_runtime_loop(uva_runtime_current());
    (void)arg;
    happened = false;
    ck_assert_int_eq(
        uv_getaddrinfo(loop, &request, on_resolved, "127.0.0.1", "1", NULL), 0);
    ck_assert_int_eq(uva_sleep(60000), 0);
    ck_assert(happened);
    return 0;
}

START_TEST(time_virtual_clock_waits_for_a_request) {
    run_virtual(race_with_a_request, NULL);
}
END_TEST

static int race_with_an_idle_handle(void *arg) {
    static uv_timer_t timer;
    uv_loop_t *loop = uva_runtime_loop(uva_runtime_current());
    (void)arg;
    ck_assert_int_eq(uv_timer_init(loop, &timer), 0);
    ck_assert_int_eq(uv_timer_start(&timer, on_timer, 3600000, 0), 0);
    uv_unref((uv_handle_t *)&timer);
    ck_assert_int_eq(uva_sleep(60000), 0);
    uv_close((uv_handle_t *)&timer, NULL);
    return 0;
}

START_TEST(time_virtual_clock_does_not_wait_for_unreferenced_handles) {
    run_virtual(race_with_an_idle_handle, NULL);
}
END_TEST

static int read_for_ever(void *arg) {
    char byte;
    return (int)uva_read(arg, &byte, 1);
}

static int accept_for_ever(void *arg) {
    uva_stream_t *stream = NULL;
    return uva_accept(arg, &stream);
}

/* What only a stranger could end does not hold the clock. */
static int race_with_open_sockets(void *arg) {
    uva_listener_t *listener = NULL;
    uva_stream_t *ends[2] = {NULL, NULL};
    (void)arg;
    ck_assert_int_eq(uva_tcp_listen("127.0.0.1", 0, 8, &listener), 0);
    ck_assert_int_eq(
        uva_tcp_connect("127.0.0.1", uva_listener_port(listener), &ends[0]), 0);
    ck_assert_int_eq(uva_accept(listener, &ends[1]), 0);
    uva_future_t *waiting[] = {uva_spawn(accept_for_ever, listener),
                               uva_spawn(read_for_ever, ends[0])};
    uint64_t start = uv_hrtime();
    ck_assert_int_eq(uva_sleep(60000), 0);
    ck_assert_uint_lt((uv_hrtime() - start) / 1000000, 4000);
    uva_listener_close(listener);
    uva_stream_close(ends[0]);
    uva_stream_close(ends[1]);
    int codes[2] = {0, 0};
    ck_assert_int_eq(uva_gather_settled(waiting, 2, NULL, codes), 0);
    ck_assert_int_eq(codes[0], UV_ECANCELED);
    ck_assert_int_eq(codes[1], UV_ECANCELED);
    return 0;
}

START_TEST(time_virtual_clock_does_not_wait_for_open_sockets) {
    run_virtual(race_with_open_sockets, NULL);
    ck_assert_str_eq(support_reports(), "");
}
END_TEST

/* ---- the real clock ----------------------------------------------------- */

static int nap_for_real(void *arg) {
    (void)arg;
    for (uint64_t ms = 1; ms <= 5; ms++) {
        uint64_t start = uv_hrtime();
        ck_assert_int_eq(uva_sleep(ms), 0);
        uint64_t slept = uv_hrtime() - start;
        ck_assert_uint_ge(slept, ms * 1000000);
        ck_assert_uint_lt(slept, UINT64_C(2000000000));
    }
    return 0;
}

START_TEST(time_real_sleep_is_never_early) {
    CONFORMS("K-023", "K-170");
    run_real(nap_for_real, NULL);
}
END_TEST

/* The loop's cached time is old by then: libuv#1068. */
static int compute_then_sleep(void *arg) {
    (void)arg;
    uint64_t until = uv_hrtime() + UINT64_C(60000000);
    while (uv_hrtime() < until) {}
    uint64_t start = uv_hrtime();
    ck_assert_int_eq(uva_sleep(20), 0);
    ck_assert_uint_ge(uv_hrtime() - start, UINT64_C(20000000));
    ck_assert_int_eq(uva_wait_for(uva_future_new(), 20, NULL), UV_ETIMEDOUT);
    ck_assert_uint_ge(uv_hrtime() - start, UINT64_C(40000000));
    return 0;
}

START_TEST(time_no_timer_is_early_after_a_long_computation) {
    CONFORMS("K-170");
    run_real(compute_then_sleep, NULL);
}
END_TEST

static int others_run_meanwhile(void *arg) {
    unsigned long *steps = arg;
    while (!happened) {
        ++*steps;
        int code = uva_yield();
        if (code < 0)
            return code;
    }
    return 0;
}

static int sleep_beside_others(void *arg) {
    unsigned long steps = 0;
    (void)arg;
    happened = false;
    uva_task_t *other = uva_spawn(others_run_meanwhile, &steps);
    ck_assert_int_eq(uva_sleep(5), 0);
    happened = true;
    ck_assert_uint_gt(steps, 1);
    return uva_await(other, NULL);
}

START_TEST(time_sleep_holds_nobody_up) {
    CONFORMS("K-023");
    run_real(sleep_beside_others, NULL);
}
END_TEST

/* ---- limits ------------------------------------------------------------- */

static int sleep_for_ever(void *arg) {
    return uva_sleep(*(uint64_t *)arg);
}

static int saturate(void *arg) {
    uint64_t limits[] = {UINT64_MAX, UINT64_MAX - 1, UINT64_MAX / 1000000,
                         UINT64_MAX / 1000000 - 1};
    uint64_t moment = uva_now_ms();
    (void)arg;
    for (size_t i = 0; i < sizeof limits / sizeof limits[0]; i++) {
        uva_task_t *task = uva_spawn(sleep_for_ever, &limits[i]);
        ck_assert_int_eq(uva_sleep(10), 0);
        ck_assert(!uva_is_done(task));
        ck_assert_int_eq(uva_cancel_and_wait(task), UV_ECANCELED);
        uva_future_t *f = uva_future_new();
        ck_assert_int_eq(uva_future_resolve(f, NULL), 0);
        ck_assert_int_eq(uva_wait_for(f, limits[i], NULL), 0);
        uva_scope_t scope;
        uva_scope_open(&scope, limits[i], 0);
        ck_assert_int_eq(uva_sleep(1), 0);
        ck_assert_int_eq(uva_scope_reschedule(&scope, limits[i]), 0);
        ck_assert_int_eq(uva_sleep(1), 0);
        ck_assert_int_eq(uva_scope_close(&scope), 0);
    }
    ck_assert_uint_lt(uva_now_ms() - moment, 100000);
    return 0;
}

START_TEST(time_deadlines_saturate) {
    run_virtual(saturate, NULL);
    run_real(saturate, NULL);
}
END_TEST

static int sleep_cancelled(void *arg) {
    uint64_t ms = 10000;
    uva_runtime_t *rt = uva_runtime_current();
    (void)arg;
    uva_task_t *task = uva_spawn(sleep_for_ever, &ms);
    ck_assert_int_eq(uva_yield(), 0);
    ck_assert_ptr_nonnull(rt->deadlines.earliest);
    ck_assert(uva_cancel(task));
    ck_assert_ptr_null(rt->deadlines.earliest);
    ck_assert_int_eq(uva_await(task, NULL), UV_ECANCELED);
    ck_assert_uint_eq(uva_now_ms(), 0);
    return 0;
}

START_TEST(time_cancelled_sleep_leaves_no_timer) {
    CONFORMS("K-024");
    run_virtual(sleep_cancelled, NULL);
}
END_TEST

/* Timers of many tasks at once, and many of one task. */
static int set_and_cancel(void *arg) {
    enum { TASKS = 100 };
    uva_runtime_t *rt = uva_runtime_current();
    uint64_t ms = 1000000;
    int rounds = *(int *)arg;
    uva_future_t *tasks[TASKS];
    long blocks = 0;
    for (int round = 0; round < rounds; round++) {
        for (int i = 0; i < TASKS; i++)
            tasks[i] = uva_spawn(sleep_for_ever, &ms);
        ck_assert_int_eq(uva_yield(), 0);
        for (int i = 0; i < TASKS; i++)
            ck_assert(uva_cancel(tasks[i]));
        ck_assert_ptr_null(rt->deadlines.earliest);
        ck_assert_int_eq(uva_gather_settled(tasks, TASKS, NULL, NULL), 0);
        if (round == 0)
            blocks = faults_live_allocations();
    }
    ck_assert_int_eq(faults_live_allocations(), blocks);
    ck_assert_uint_eq(uva_now_ms(), 0);
    return 0;
}

START_TEST(time_cancelled_timers_leave_nothing) {
    CONFORMS("K-172");
    int rounds = support_is_slow() ? 20 : 1000;
    run_virtual(set_and_cancel, &rounds);
}
END_TEST

/* ---- the heap of deadlines ---------------------------------------------- */

typedef struct entry {
    uva_deadline_t deadline;
    uint64_t at_ns;
    uint64_t armed; /* counts up; 0: not armed */
    bool expired;
} entry_t;

static uint64_t last_at;
static uint64_t last_armed;
static size_t expired;

static uint64_t next_random(uint64_t *state) {
    *state ^= *state << 13;
    *state ^= *state >> 7;
    *state ^= *state << 17;
    return *state;
}

/* Order of moments; among equal ones, of arming. */
static void expire(uva_deadline_t *deadline) {
    entry_t *entry = (entry_t *)(void *)deadline;
    ck_assert(entry->armed != 0);
    ck_assert(entry->at_ns > last_at ||
              (entry->at_ns == last_at && entry->armed > last_armed));
    last_at = entry->at_ns;
    last_armed = entry->armed;
    entry->armed = 0;
    expired++;
}

static void arm(uva__deadlines_t *heap, entry_t *entry, uint64_t at_ns,
                uint64_t order) {
    entry->deadline.expire = expire;
    entry->at_ns = at_ns;
    entry->armed = order;
    uva__deadlines_arm(heap, &entry->deadline, at_ns);
}

/* How many of the entries are due by now. */
static size_t count_due(const entry_t *entries, size_t count, uint64_t now) {
    size_t due = 0;
    for (size_t i = 0; i < count; i++)
        due += entries[i].armed != 0 && entries[i].at_ns <= now;
    return due;
}

START_TEST(time_deadlines_agree_with_a_plain_list) {
    enum { ENTRIES = 200, STEPS = 20000 };
    static entry_t entries[ENTRIES];
    uva__deadlines_t heap = {0};
    uint64_t random = 1;
    uint64_t now = 0;
    for (uint64_t step = 1; step <= STEPS; step++) {
        entry_t *entry = &entries[next_random(&random) % ENTRIES];
        unsigned what = (unsigned)(next_random(&random) % 16);
        if (what == 0) {
            now += next_random(&random) % 50;
            size_t due = count_due(entries, ENTRIES, now);
            last_at = 0;
            last_armed = 0;
            expired = 0;
            ck_assert_uint_eq(uva__deadlines_expire(&heap, now), due);
            ck_assert_uint_eq(expired, due);
            ck_assert_uint_eq(count_due(entries, ENTRIES, now), 0);
        } else if (entry->armed == 0) {
            arm(&heap, entry, now + 1 + next_random(&random) % 100, step);
        } else {
            uva__deadlines_disarm(&heap, &entry->deadline);
            entry->armed = 0;
        }
        ck_assert((heap.earliest == NULL) ==
                  (count_due(entries, ENTRIES, UINT64_MAX) == 0));
    }
}
END_TEST

START_TEST(time_deadlines_bear_many) {
    size_t count = support_is_slow() ? 10000 : 100000;
    entry_t *entries = calloc(count, sizeof *entries);
    uva__deadlines_t heap = {0};
    uint64_t random = 7;
    for (size_t i = 0; i < count; i++)
        arm(&heap, &entries[i], 1 + next_random(&random) % 5000, i + 1);
    for (size_t i = 0; i < count; i += 3) {
        uva__deadlines_disarm(&heap, &entries[i].deadline);
        uva__deadlines_disarm(&heap, &entries[i].deadline);
        entries[i].armed = 0;
    }
    last_at = 0;
    last_armed = 0;
    expired = 0;
    (void)uva__deadlines_expire(&heap, 2500);
    ck_assert_uint_eq(count_due(entries, count, 2500), 0);
    (void)uva__deadlines_expire(&heap, UINT64_MAX);
    ck_assert_uint_eq(expired, count - (count + 2) / 3);
    ck_assert_ptr_null(heap.earliest);
    free(entries);
}
END_TEST

START_TEST(time_equal_deadlines_expire_in_order_of_arming) {
    CONFORMS("K-248");
    enum { ENTRIES = 1000 };
    static entry_t entries[ENTRIES];
    uva__deadlines_t heap = {0};
    for (size_t i = 0; i < ENTRIES; i++)
        arm(&heap, &entries[i * 7 % ENTRIES], 5, i + 1);
    last_at = 0;
    last_armed = 0;
    ck_assert_uint_eq(uva__deadlines_expire(&heap, 4), 0);
    ck_assert_uint_eq(uva__deadlines_expire(&heap, 5), ENTRIES);
}
END_TEST

SUITE("time", time_virtual_clock_jumps_exactly,
      time_sleeps_end_in_order_of_deadlines,
      time_jump_over_several_ends_them_in_order,
      time_ten_runs_leave_the_same_trace, time_virtual_clock_waits_for_the_pool,
      time_virtual_clock_waits_for_the_hosts_timer,
      time_virtual_clock_waits_for_a_request,
      time_virtual_clock_does_not_wait_for_unreferenced_handles,
      time_virtual_clock_does_not_wait_for_open_sockets,
      time_real_sleep_is_never_early,
      time_no_timer_is_early_after_a_long_computation,
      time_sleep_holds_nobody_up, time_deadlines_saturate,
      time_cancelled_sleep_leaves_no_timer, time_cancelled_timers_leave_nothing,
      time_deadlines_agree_with_a_plain_list, time_deadlines_bear_many,
      time_equal_deadlines_expire_in_order_of_arming)
