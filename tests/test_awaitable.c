/* labels: valgrind */
/* Awaitables: what they come to, and when their functions are called. */
#include "awaitable_fixture.h"

/* ---- one turn ----------------------------------------------------------- */

/* The whole of an object that waits for one turn of the loop. */
static void end_turn(void *f) {
    (void)uva_future_resolve(f, "custom result");
}

static int start_turn(void *self, uva_future_t *f) {
    (void)self;
    return uva_post(uva_runtime_current(), end_turn, f);
}

static const uva_awaitable_ops_t turn = {.name = "turn", .start = start_turn};

static int say(void *arg) {
    record("%s", (const char *)arg);
    return 0;
}

static int turn_main(void *arg) {
    (void)arg;
    uva_task_t *other = uva_spawn(say, "other");
    const char *text = NULL;
    record("await");
    ck_assert_int_eq(uva_await(uva_awaitable(&turn, NULL), &text), 0);
    record("%s", text);
    return uva_await(other, NULL);
}

START_TEST(awaitable_of_one_turn) {
    program_expect(turn_main);
    ck_expect_record("await other custom result");
}
END_TEST

/* ---- an object that takes time ------------------------------------------ */

/* A nap with a value: of so many bytes, copied from what it was resolved
 * with, or by a function of its own. */
static void nap_value(void *self, void *ret_value) {
    const nap_t *nap = self;
    ck_assert_ptr_null(uva_current());
    memcpy(ret_value, nap->text, sizeof nap->text);
}

static const uva_awaitable_ops_t nap_of_1 = {.start = nap_start,
                                             .cancel = nap_cancel,
                                             .value_bytes = 1,
                                             .drop = nap_drop};
static const uva_awaitable_ops_t nap_of_8 = {.start = nap_start,
                                             .cancel = nap_cancel,
                                             .value_bytes = 8,
                                             .drop = nap_drop};
static const uva_awaitable_ops_t nap_of_100 = {.start = nap_start,
                                               .cancel = nap_cancel,
                                               .value_bytes = 100,
                                               .drop = nap_drop};
static const uva_awaitable_ops_t nap_itself = {.start = nap_start,
                                               .cancel = nap_cancel,
                                               .value = nap_value,
                                               .value_bytes = 100,
                                               .drop = nap_drop};

/* ---- all that waits ----------------------------------------------------- */

typedef int (*wait_fn)(uva_future_t *f, void *ret_value);

static int by_start(uva_future_t *f, void *ret_value) {
    uva_task_t *started = uva_start(f);
    ck_assert_ptr_eq(started, f);
    ck_assert_ptr_eq(uva_start(started), f);
    return uva_await(started, ret_value);
}

static int by_wait_for(uva_future_t *f, void *ret_value) {
    return uva_wait_for(f, 1000, ret_value);
}

static int by_gather(uva_future_t *f, void *ret_value) {
    return uva_gather(&f, 1, ret_value);
}

static int by_gather_settled(uva_future_t *f, void *ret_value) {
    int code = -1;
    ck_assert_int_eq(uva_gather_settled(&f, 1, ret_value, &code), 0);
    return code;
}

static int by_race(uva_future_t *f, void *ret_value) {
    return uva_race(&f, 1, NULL, ret_value);
}

static int by_shield(uva_future_t *f, void *ret_value) {
    return uva_await(uva_shield(f), ret_value);
}

static int by_wait(uva_future_t *f, void *ret_value) {
    ck_assert_int_eq(uva_wait(&f, 1, UVA_ALL_COMPLETED, UVA_FOREVER), 1);
    return uva_await(f, ret_value);
}

static int by_select(uva_future_t *f, void *ret_value) {
    uva_case_t what = {.kind = UVA_FUTURE, .on = f, .item = ret_value};
    ck_assert_int_eq(uva_select(&what, 1, UVA_FOREVER), 0);
    uva_unref(f);
    return what.code;
}

static int by_as_completed(uva_future_t *f, void *ret_value) {
    uva_as_completed_t it;
    uva_future_t *done = NULL;
    ck_assert_int_eq(uva_as_completed_open(&it, &f, 1, UVA_FOREVER), 0);
    ck_assert_int_eq(uva_as_completed_next(&it, &done), 1);
    ck_assert_ptr_eq(done, f);
    uva_as_completed_close(&it);
    return uva_await(f, ret_value);
}

typedef struct errand {
    uva_future_t *f;
    void *ret_value;
} errand_t;

static int run_errand(void *arg) {
    const errand_t *errand = arg;
    return uva_await(errand->f, errand->ret_value);
}

static int by_map(uva_future_t *f, void *ret_value) {
    errand_t errand = {f, ret_value};
    return uva_map(run_errand, &errand, 1, sizeof errand, 1);
}

static int by_group(uva_future_t *f, void *ret_value) {
    errand_t errand = {f, ret_value};
    uva_group_t group;
    uva_group_open(&group);
    ck_assert_int_eq(uva_group_spawn(&group, run_errand, &errand), 0);
    return uva_group_close(&group);
}

static const wait_fn waits[] = {
    uva_await,         by_start,        by_wait_for, by_gather,
    by_gather_settled, by_race,         by_shield,   by_wait,
    by_select,         by_as_completed, by_map,      by_group,
};
enum { WAITS = sizeof waits / sizeof waits[0] };

/* Lazy, begun once, and its value is there, to the byte. */
static void wait_with(wait_fn wait, const uva_awaitable_ops_t *ops) {
    nap_t nap = nap_of("n", 10);
    uint64_t start_ms = uva_now_ms();
    uva_future_t *f = uva_awaitable(ops, &nap);
    ck_assert(!uva_is_done(f));
    ck_assert_int_eq(uva_status(f), UV_EAGAIN);
    (void)uva_yield();
    ck_expect_record("");
    char value[102];
    memset(value, '~', sizeof value);
    ck_assert_int_eq(wait(f, value + 1), 0);
    ck_assert_mem_eq(value + 1, nap.text, ops->value_bytes);
    ck_assert_int_eq(value[0], '~');
    ck_assert_int_eq(value[1 + ops->value_bytes], '~');
    (void)uva_yield();
    ck_expect_record("n+ n-");
    ck_assert_uint_eq(uva_now_ms() - start_ms, 10);
}

static int values_main(void *arg) {
    (void)arg;
    const uva_awaitable_ops_t *all[] = {&nap_of_1, &nap_of_8, &nap_of_100,
                                        &nap_itself};
    for (size_t i = 0; i < WAITS; i++) {
        for (size_t k = 0; k < sizeof all / sizeof all[0]; k++)
            wait_with(waits[i], all[k]);
    }
    return 0;
}

START_TEST(awaitable_waited_for_in_every_way_has_its_value) {
    program_expect(values_main);
}
END_TEST

static int pointers_main(void *arg) {
    (void)arg;
    for (size_t i = 0; i < WAITS; i++) {
        nap_t nap = nap_of("n", 1);
        void *value = NULL;
        ck_assert_int_eq(waits[i](uva_awaitable(&nap_ops, &nap), &value), 0);
        ck_assert_ptr_eq(value, nap.text);
        (void)uva_yield();
        ck_expect_record("n+ n-");
    }
    return 0;
}

START_TEST(awaitable_without_a_size_has_a_pointer) {
    program_expect(pointers_main);
}
END_TEST

static int failures_main(void *arg) {
    (void)arg;
    for (size_t i = 0; i < WAITS; i++) {
        nap_t nap = nap_of("n", 1);
        nap.code = UV_EIO;
        char value[100] = "as it was";
        uva_future_t *f = uva_awaitable(&nap_of_100, &nap);
        ck_assert_int_eq(waits[i](uva_ref(f), value), UV_EIO);
        ck_assert_str_eq(value, "as it was");
        ck_assert_str_eq(uva_message(f), "no sleep");
        ck_assert_ptr_null(uva_value(f));
        uva_unref(f);
        (void)uva_yield();
        ck_expect_record("n+ n-");
    }
    return 0;
}

START_TEST(awaitable_waited_for_in_every_way_fails) {
    program_expect(failures_main);
}
END_TEST

/* ---- among others ------------------------------------------------------- */

/* Values of one size stand side by side, wherever they come from. */
static int mixed_main(void *arg) {
    (void)arg;
    nap_t naps[] = {nap_of("a", 3), nap_of("b", 2), nap_of("c", 1)};
    const char *texts[3] = {NULL, NULL, NULL};
    uva_future_t *mixed[] = {uva_awaitable(&nap_ops, &naps[0]),
                             spawn_worker("task", 1, 0),
                             uva_shield(uva_awaitable(&nap_ops, &naps[1]))};
    ck_assert_int_eq(uva_gather(mixed, 3, texts), 0);
    ck_assert_ptr_eq(texts[0], naps[0].text);
    ck_assert_str_eq(texts[1], "task");
    ck_assert_ptr_eq(texts[2], naps[1].text);
    char values[3][100];
    naps[0].text[50] = 'x';
    uva_future_t *large[] = {uva_awaitable(&nap_of_100, &naps[0]),
                             uva_awaitable(&nap_itself, &naps[1]),
                             uva_shield(uva_awaitable(&nap_of_100, &naps[2]))};
    ck_assert_int_eq(uva_gather(large, 3, values), 0);
    ck_assert_mem_eq(values[0], naps[0].text, 100);
    ck_assert_mem_eq(values[1], naps[1].text, 100);
    ck_assert_mem_eq(values[2], naps[2].text, 100);
    ck_expect_record("b+ a+ task b- a- c+ a+ b+ a- b- c-");
    return 0;
}

START_TEST(awaitable_is_gathered_with_others) {
    program_expect(mixed_main);
}
END_TEST

static int race_main(void *arg) {
    (void)arg;
    nap_t slow = nap_of("slow", 50);
    nap_t fast = nap_of("fast", 5);
    size_t index = 9;
    void *value = NULL;
    uva_future_t *both[] = {uva_awaitable(&nap_ops, &slow),
                            uva_awaitable(&nap_ops, &fast)};
    ck_assert_int_eq(uva_race(both, 2, &index, &value), 0);
    ck_assert_uint_eq(index, 1);
    ck_assert_ptr_eq(value, fast.text);
    ck_assert_uint_eq(uva_now_ms(), 5);
    (void)uva_yield();
    ck_expect_record("slow+ fast+ slow! slow- fast-");
    return 0;
}

START_TEST(awaitable_that_loses_is_cancelled) {
    program_expect(race_main);
}
END_TEST

static uva_future_t *shared;

static int await_shared(void *arg) {
    char value[100];
    ck_assert_int_eq(uva_await(uva_ref(shared), value), 0);
    ck_assert_mem_eq(value, nap_text, 100);
    record("%s", (const char *)arg);
    return 0;
}

/* Many wait for one: it begins with the first, and all have its value. */
static int shared_main(void *arg) {
    (void)arg;
    nap_t nap = nap_of("n", 10);
    shared = uva_awaitable(&nap_itself, &nap);
    uva_future_t *both[] = {uva_spawn(await_shared, "a"),
                            uva_spawn(await_shared, "b")};
    ck_assert_int_eq(uva_gather(both, 2, NULL), 0);
    memset(nap.text, 0, sizeof nap.text); /* the value is a copy */
    ck_assert_int_eq(await_shared("late"), 0);
    ck_assert_mem_eq(uva_value(shared), nap_text, 100);
    ck_expect_record("n+ a b late");
    uva_unref(shared);
    ck_expect_record("n-");
    return 0;
}

START_TEST(awaitable_begins_once) {
    program_expect(shared_main);
}
END_TEST

static void on_done(uva_future_t *f, void *arg) {
    record("%s:%d", (const char *)arg, uva_status(f));
}

static int callback_main(void *arg) {
    (void)arg;
    nap_t nap = nap_of("n", 10);
    uva_future_t *f = uva_awaitable(&nap_ops, &nap);
    ck_assert_int_eq(uva_on_done(f, on_done, "done"), 0);
    (void)uva_sleep(100);
    ck_expect_record("");
    ck_assert_int_eq(uva_await(f, NULL), 0);
    (void)uva_yield();
    ck_expect_record("n+ done:0 n-");
    return 0;
}

/* To be told of it is not to wait for it. */
START_TEST(awaitable_is_not_begun_by_a_callback) {
    program_expect(callback_main);
}
END_TEST

/* ---- unstarted ---------------------------------------------------------- */

static int dropped_main(void *arg) {
    (void)arg;
    nap_t nap = nap_of("n", 10);
    uva_unref(uva_awaitable(&nap_ops, &nap));
    uva_unref(uva_awaitable(&nap_of_1, &nap));
    return 0;
}

START_TEST(awaitable_dropped_unstarted_is_reported) {
    ck_assert_int_eq(program_run(dropped_main, NULL), 0);
    ck_assert_uint_eq(support_report_count(), 2);
    ck_assert(support_reports_contain("awaitable 'nap-2' was never awaited "
                                      "(created at"));
    ck_assert(support_reports_contain("awaitable 'awaitable-3' was never"));
    ck_assert(support_reports_contain("test_awaitable.c:"));
    ck_expect_record("n- n-");
}
END_TEST

static int unstarted_main(void *arg) {
    (void)arg;
    nap_t nap = nap_of("n", 10);
    uva_future_t *f = uva_awaitable(&nap_ops, &nap);
    ck_assert(uva_cancel_with(f, "not needed"));
    ck_assert(uva_is_done(f));
    ck_assert(!uva_cancel(f));
    ck_assert_int_eq(uva_await(f, NULL), UV_ECANCELED);
    ck_assert_str_eq(uva_last_message(), "not needed");
    f = uva_awaitable(&nap_ops, &nap);
    ck_assert_int_eq(uva_cancel_and_wait(f), UV_ECANCELED);
    f = uva_awaitable(&nap_ops, &nap);
    ck_assert(uva_cancel(f));
    uva_unref(f);
    f = uva_awaitable(&nap_ops, &nap);
    ck_assert_int_eq(uva_wait_for(f, 0, NULL), UV_ETIMEDOUT);
    ck_expect_record("n- n- n- n-");
    return 0;
}

START_TEST(awaitable_cancelled_unstarted_never_begins) {
    program_expect(unstarted_main);
}
END_TEST

/* In a cancelled task nothing begins, as none of its parks would. */
static int cut_body(void *arg) {
    const wait_fn *wait = arg;
    nap_t nap = nap_of("n", 10);
    ck_assert(uva_cancel(uva_current()));
    ck_assert_int_eq((*wait)(uva_awaitable(&nap_ops, &nap), NULL),
                     UV_ECANCELED);
    ck_expect_record("n-");
    return 0;
}

static int cut_main(void *arg) {
    (void)arg;
    wait_fn those[] = {uva_await, by_wait_for, by_gather, by_race};
    for (size_t i = 0; i < sizeof those / sizeof those[0]; i++)
        ck_assert_int_eq(uva_await(uva_spawn(cut_body, &those[i]), NULL), 0);
    return 0;
}

START_TEST(awaitable_in_a_cancelled_task_never_begins) {
    program_expect(cut_main);
}
END_TEST

/* Its object may know the outcome before anybody asks. */
static int early_main(void *arg) {
    (void)arg;
    nap_t nap = nap_of("n", 10);
    char value[100];
    uva_future_t *f = uva_awaitable(&nap_itself, &nap);
    ck_assert_int_eq(uva_future_resolve(f, NULL), 0);
    ck_assert_int_eq(uva_future_resolve(f, NULL), UV_EALREADY);
    ck_assert_int_eq(uva_future_fail(f, UV_EIO, NULL), UV_EALREADY);
    ck_assert_int_eq(uva_await(f, value), 0);
    ck_assert_mem_eq(value, nap_text, 100);
    f = uva_awaitable(&nap_of_100, &nap);
    ck_assert_int_eq(uva_future_resolve(f, NULL), 0);
    ck_assert_int_eq(uva_await(f, value), 0);
    char zeros[100] = {0};
    ck_assert_mem_eq(value, zeros, 100);
    ck_expect_record("n- n-");
    return 0;
}

START_TEST(awaitable_may_be_over_before_it_begins) {
    program_expect(early_main);
}
END_TEST

SUITE("awaitable", awaitable_of_one_turn,
      awaitable_waited_for_in_every_way_has_its_value,
      awaitable_without_a_size_has_a_pointer,
      awaitable_waited_for_in_every_way_fails,
      awaitable_is_gathered_with_others, awaitable_that_loses_is_cancelled,
      awaitable_begins_once, awaitable_is_not_begun_by_a_callback,
      awaitable_dropped_unstarted_is_reported,
      awaitable_cancelled_unstarted_never_begins,
      awaitable_in_a_cancelled_task_never_begins,
      awaitable_may_be_over_before_it_begins)
