/* labels: valgrind; timeout: 30 */
/*
 * Async functions of the typed layer, several at once: tasks, groups, shields,
 * futures, gather, race, map.
 */
#include "async_fixture.h"
#include "runtime/task.h"

#include <stdio.h>

/* ---- tasks -------------------------------------------------------------- */

static int spawn_main(void *arg) {
    (void)arg;
    const uva_task_options_t named = {.name = "summer"};
    struct add task = UVA_SPAWN_WITH(&named, add(1, 2, 5));
    ck_assert_str_eq(uva_name(task.future), "summer");
    ck_assert_int_eq(UVA_TRY(task), 3);
    ck_assert_int_eq(UVA_TRY(UVA_SPAWN_WITH(NULL, add(1, 2, 5))), 3);
    task = UVA_SPAWN(add(1, 2, 5));
    ck_assert_int_eq(strncmp(uva_name(task.future), "add-", 4), 0);
    ck_assert_int_eq(uva_set_name(task.future, "renamed"), 0);
    ck_assert_str_eq(uva_name(task.future), "renamed");
    ck_assert(!uva_is_done(task.future));
    ck_assert_int_eq(uva_status(task.future), UV_EAGAIN);
    struct add same = UVA_SPAWN(task); /* a task already */
    ck_assert_ptr_eq(same.future, task.future);
    ck_assert_int_eq(UVA_TRY(same), 3);
    return 0;
}

START_TEST(async_spawn_names) {
    program_expect(spawn_main);
}
END_TEST

static int eager_main(void *arg) {
    (void)arg;
    const uva_task_options_t eager = {.eager = true};
    struct add task = UVA_SPAWN_WITH(&eager, add(20, 1, 0));
    ck_assert(uva_is_done(task.future));
    ck_assert_int_eq(uva_status(task.future), 0);
    ck_assert_int_eq(UVA_TRY(task), 21);
    struct note lazy = UVA_SPAWN(note("lazy", 0));
    struct note first = UVA_SPAWN_WITH(&eager, note("eager", 0));
    record("both");
    UVA_TRY(first);
    UVA_TRY(lazy);
    struct add broken = UVA_SPAWN_WITH(
        (&(uva_task_options_t){.name = "literal", .eager = true}),
        add(1, 1, 1));
    ck_assert_str_eq(uva_name(broken.future), "literal");
    return UVA_AWAIT(broken);
}

START_TEST(async_spawn_eager) {
    program_expect(eager_main);
    ck_expect_record("both eager lazy");
}
END_TEST

/* The value is copied to each who waits. */
UVA_ASYNC(int, awaits_shared, (struct make_big, task)) {
    big_t big = UVA_TRY(task);
    ck_assert(big_is(&big, 4));
    UVA_RETURN(big.number);
}

static int shared_main(void *arg) {
    (void)arg;
    struct make_big task = UVA_SPAWN(make_big(4, 10));
    (void)uva_ref(task.future);
    (void)uva_ref(task.future);
    int values[2];
    ck_assert_int_eq(
        UVA_GATHER(values, awaits_shared(task), awaits_shared(task)), 0);
    ck_assert_int_eq(values[0] + values[1], 8);
    big_t big = UVA_TRY(task);
    ck_assert(big_is(&big, 4));
    return 0;
}

START_TEST(async_task_with_many_readers) {
    program_expect(shared_main);
}
END_TEST

/* With its arguments and its value it is one block, which is used again. */
static int again_main(void *arg) {
    (void)arg;
    unsigned long before = 0;
    for (int i = 0; i < 1000; i++) {
        ck_assert_int_eq(UVA_TRY(UVA_SPAWN(add(i, 1, 0))), i + 1);
        big_t big = UVA_TRY(UVA_SPAWN(make_big(i % 100, 0)));
        ck_assert(big_is(&big, i % 100));
        if (i == 10)
            before = faults_allocations();
    }
    ck_assert_uint_eq(faults_allocations(), before);
    return 0;
}

START_TEST(async_tasks_allocate_nothing) {
    if (!uva__is_pooled(sizeof(uva__task_t)))
        SKIP("AddressSanitizer gets each block from malloc()");
    program_expect(again_main);
}
END_TEST

static int unread_main(void *arg) {
    (void)arg;
    uva_detach(UVA_SPAWN(breaks(-5, 1)).future);
    uva_detach(UVA_SPAWN(add(1, 1, 1)).future);
    return uva_sleep(10);
}

START_TEST(async_failure_that_nobody_reads) {
    ck_assert_int_eq(program_run(unread_main, NULL), 0);
    ck_assert_uint_eq(support_report_count(), 1);
    ck_assert(support_reports_contain("task 'breaks-"));
    ck_assert(support_reports_contain("test_async_many.c:"));
    ck_assert(support_reports_contain("failed and nobody looked"));
    ck_assert(support_reports_contain("no -5"));
}
END_TEST

/* ---- groups ------------------------------------------------------------- */

static int group_main(void *arg) {
    (void)arg;
    uva_group_t group;
    uva_group_open(&group);
    ck_assert_int_eq(UVA_GROUP_SPAWN(&group, note("a", 10)), 0);
    ck_assert_int_eq(UVA_GROUP_SPAWN(&group, note("b", 5)), 0);
    ck_assert_int_eq(UVA_GROUP_SPAWN(&group, make_big(1, 5)), 0);
    ck_assert_int_eq(uva_group_close(&group), 0);
    ck_assert_int_eq(UVA_GROUP_SPAWN(&group, note("c", 5)), UV_EPERM);
    uva_group_open(&group);
    ck_assert_int_eq(UVA_GROUP_SPAWN(&group, note("d", 10)), 0);
    ck_assert_int_eq(UVA_GROUP_SPAWN(&group, breaks(-5, 5)), 0);
    ck_assert_int_eq(uva_group_close(&group), -5);
    ck_assert_str_eq(uva_last_message(), "no -5");
    return 0;
}

START_TEST(async_group_spawn) {
    program_expect(group_main);
    ck_expect_record("b a d!");
}
END_TEST

static int group_handle_main(void *arg) {
    (void)arg;
    uva_group_t group;
    uva_group_open(&group);
    struct note task = UVA_SPAWN(note("a", 1));
    ck_assert_int_eq(UVA_GROUP_SPAWN(&group, task), UV_EPERM);
    ck_assert_int_eq(uva_group_close(&group), 0);
    return UVA_AWAIT(task); /* still ours */
}

START_TEST(async_group_takes_no_tasks) {
    ck_assert_int_eq(program_run(group_handle_main, NULL), 0);
    ck_assert_uint_eq(support_report_count(), 1);
    ck_assert(support_reports_contain("this is a task already"));
    ck_expect_record("a");
}
END_TEST

/* ---- shields ------------------------------------------------------------ */

static int shield_main(void *arg) {
    (void)arg;
    /* The value lies apart from the future, and the inner one goes first. */
    big_t big = UVA_TRY(UVA_SHIELD(make_big(5, 10)));
    ck_assert(big_is(&big, 5));
    big = UVA_TRY(UVA_SHIELD(UVA_SPAWN(make_big(6, 10))));
    ck_assert(big_is(&big, 6));
    big = UVA_TRY(UVA_SHIELD(UVA_SHIELD(make_big(7, 10))));
    ck_assert(big_is(&big, 7));
    struct make_big done = UVA_SPAWN(make_big(8, 0));
    ck_assert_int_eq(uva_sleep(5), 0);
    ck_assert(uva_is_done(done.future));
    big = UVA_TRY(UVA_SHIELD(done));
    ck_assert(big_is(&big, 8));
    int value = 0;
    ck_assert_int_eq(UVA_AWAIT(UVA_SHIELD(breaks(-5, 1)), &value), -5);
    ck_assert_str_eq(uva_last_message(), "no -5");
    ck_assert_int_eq(UVA_WAIT_FOR(UVA_SHIELD(timed_note("a", 20)), 10, &value),
                     UV_ETIMEDOUT);
    ck_assert_int_eq(uva_sleep(15), 0);
    return 0;
}

START_TEST(async_shield) {
    program_expect(shield_main);
    ck_expect_record("a");
}
END_TEST

static int shield_early_main(void *arg) {
    (void)arg;
    /* Dropped while the inner one runs, and after it is over. */
    struct timed_note shield = UVA_SHIELD(timed_note("a", 20));
    uva_unref(shield.future);
    shield = UVA_SHIELD(timed_note("b", 5));
    ck_assert_int_eq(uva_sleep(10), 0);
    ck_assert(uva_is_done(shield.future));
    uva_unref(shield.future);
    /* Cancelled: the inner one does not notice. */
    struct timed_note inner = UVA_SPAWN(timed_note("c", 5));
    (void)uva_ref(inner.future);
    shield = UVA_SHIELD(inner);
    ck_assert(uva_cancel(shield.future));
    ck_assert_int_eq(UVA_AWAIT(shield), UV_ECANCELED);
    ck_assert_int_eq(UVA_TRY(inner), 5);
    return uva_sleep(20);
}

START_TEST(async_shield_ends_early) {
    program_expect(shield_early_main);
    ck_expect_record("b c a");
}
END_TEST

/* ---- futures ------------------------------------------------------------ */

static int never_main(void *arg) {
    (void)arg;
    *(int *)arg = __LINE__ + 1;
    uva_future_t *f = UVA_FUTURE(add(1, 2, 3));
    ck_assert_int_eq(strncmp(uva_name(f), "add-", 4), 0);
    uva_unref(f);
    return 0;
}

START_TEST(async_future_never_awaited) {
    int line = 0;
    char place[64];
    ck_assert_int_eq(program_run(never_main, &line), 0);
    (void)snprintf(place, sizeof place, "test_async_many.c:%d)", line);
    ck_assert_uint_eq(support_report_count(), 1);
    ck_assert(support_reports_contain("coroutine 'add-"));
    ck_assert(support_reports_contain("was never awaited (created at "));
    ck_assert(support_reports_contain(place));
}
END_TEST

static int futures_main(void *arg) {
    (void)arg;
    big_t big;
    ck_assert_int_eq(uva_await(UVA_FUTURE(make_big(3, 5)), &big), 0);
    ck_assert(big_is(&big, 3));
    uva_future_t *f = UVA_FUTURE(make_big(4, 5));
    ck_assert_ptr_eq(uva_start(f), f);
    ck_assert_int_eq(uva_sleep(10), 0);
    ck_assert(big_is(uva_value(f), 4));
    uva_unref(f);
    struct add task = UVA_SPAWN(add(1, 2, 3));
    ck_assert_ptr_eq(UVA_FUTURE(task), task.future);
    ck_assert_int_eq(UVA_TRY(task), 3);
    f = UVA_FUTURE(breaks(-5, 1));
    ck_assert_int_eq(uva_await(f, NULL), -5);
    ck_assert_str_eq(uva_last_message(), "no -5");
    f = UVA_FUTURE(note("never", 1));
    ck_assert(uva_cancel(f));
    ck_assert_int_eq(uva_await(f, NULL), UV_ECANCELED);
    return 0;
}

START_TEST(async_futures) {
    program_expect(futures_main);
    ck_expect_record("");
}
END_TEST

/* One that could not be made has no value, and leaves its place free. */
static int settled_main(void *arg) {
    (void)arg;
    big_t values[4];
    int codes[4];
    for (int i = 0; i < 4; i++)
        values[i] = big_of(100);
    for (int missing = 0; missing < 4; missing++) {
        uva_future_t *all[4];
        for (int i = 0; i < 4; i++)
            all[i] = i == missing ? NULL : UVA_FUTURE(make_big(i, 1));
        ck_assert_int_eq(uva_gather_settled(all, 4, values, codes), 0);
        for (int i = 0; i < 4; i++) {
            ck_assert_int_eq(codes[i], i == missing ? UV_ENOMEM : 0);
            ck_assert(big_is(&values[i], i == missing ? 100 : i));
            values[i] = big_of(100);
        }
    }
    return 0;
}

START_TEST(async_gather_settled_of_big_values) {
    program_expect(settled_main);
}
END_TEST

/* ---- gather ------------------------------------------------------------- */

/* Another function with the same type of result. */
UVA_ASYNC(int, twice, (int, x)) {
    UVA_CHECK(uva_sleep(7));
    UVA_RETURN(2 * x);
}

static int gather_main(void *arg) {
    (void)arg;
    int v[16] = {0};
    struct add task = UVA_SPAWN(add(3, 4, 20));
    ck_assert_int_eq(UVA_GATHER(v, add(1, 2, 10), task, twice(9)), 0);
    ck_assert_int_eq(v[0] * 10000 + v[1] * 100 + v[2], 30718);
    ck_assert_uint_eq(uva_now_ms(), 20);
    ck_assert_int_eq(UVA_GATHER(NULL, note("a", 2), add(1, 1, 1)), 0);
    ck_assert_int_eq(UVA_GATHER(&v[3], twice(11)), 0);
    ck_assert_int_eq(v[3], 22);
    int code =
        UVA_GATHER(v, twice(0), twice(1), twice(2), twice(3), twice(4),
                   twice(5), twice(6), twice(7), twice(8), twice(9), twice(10),
                   twice(11), twice(12), twice(13), twice(14), twice(15));
    ck_assert_int_eq(code, 0);
    for (int i = 0; i < 16; i++)
        ck_assert_int_eq(v[i], 2 * i);
    big_t big[2];
    ck_assert_int_eq(UVA_GATHER(big, make_big(1, 5), make_big(2, 3)), 0);
    ck_assert(big_is(&big[0], 1) && big_is(&big[1], 2));
    /* Awaits among the arguments, and a gather in a gather's. */
    int inner[2];
    code =
        UVA_GATHER(v, add(UVA_TRY(twice(1)), 1, 1),
                   add(UVA_CHECK(UVA_GATHER(inner, twice(2), twice(3))), 5, 1));
    ck_assert_int_eq(code, 0);
    ck_assert_int_eq(v[0] * 10 + v[1], 35);
    ck_assert_int_eq(inner[0] + inner[1], 10);
    return 0;
}

START_TEST(async_gather) {
    program_expect(gather_main);
    ck_expect_record("a");
}
END_TEST

static int gather_fails_main(void *arg) {
    (void)arg;
    int v[3] = {99, 99, 99};
    ck_assert_int_eq(UVA_GATHER(v, timed_note("a", 3), breaks(-5, 5),
                                UVA_SPAWN(timed_note("b", 50))),
                     -5);
    ck_assert_str_eq(uva_last_message(), "no -5");
    ck_assert_int_eq(v[0] + v[1] + v[2], 3 * 99);
    ck_assert_uint_eq(uva_now_ms(), 5);
    return 0;
}

START_TEST(async_gather_fails) {
    program_expect(gather_fails_main);
    ck_expect_record("a b!");
}
END_TEST

/* An argument that fails leaves nothing behind of those before it. */
static int gather_argument(void) {
    int v[2];
    UVA_CHECK(UVA_GATHER(v, add(1, 2, 3), add(UVA_TRY(breaks(-5, 1)), 1, 1)));
    return 0;
}

static int race_argument(void) {
    int v;
    UVA_CHECK(
        UVA_RACE(NULL, &v, add(1, 2, 3), add(UVA_TRY(breaks(-6, 1)), 1, 1)));
    return 0;
}

static int argument_main(void *arg) {
    (void)arg;
    ck_assert_int_eq(gather_argument(), -5);
    ck_assert_int_eq(race_argument(), -6);
    return 0;
}

START_TEST(async_gather_with_a_failing_argument) {
    program_expect(argument_main);
}
END_TEST

static int array_main(void *arg) {
    (void)arg;
    enum { MANY = 1000 };
    static const size_t counts[] = {0, 1, 8, 9, MANY};
    static struct add adds[MANY];
    static int v[MANY];
    for (size_t k = 0; k < sizeof counts / sizeof counts[0]; k++) {
        for (int i = 0; i < MANY; i++) {
            adds[i] = add(i, 1, (uint64_t)(i % 7));
            if (i % 3 == 0 && (size_t)i < counts[k])
                adds[i] = UVA_SPAWN(adds[i]);
            v[i] = -1;
        }
        ck_assert_int_eq(UVA_GATHER_ARRAY(v, adds, counts[k]), 0);
        for (int i = 0; i < MANY; i++)
            ck_assert_int_eq(v[i], (size_t)i < counts[k] ? i + 1 : -1);
    }
    struct add fresh[] = {add(1, 1, 1)};
    ck_assert_int_eq(UVA_GATHER_ARRAY(NULL, fresh, 1), 0);
    struct add *none = NULL;
    ck_assert_int_eq(UVA_GATHER_ARRAY(v, none, 1), UV_EINVAL);
    ck_assert_int_eq(UVA_GATHER_ARRAY(v, none, 0), 0);
    return 0;
}

START_TEST(async_gather_array) {
    program_expect(array_main);
}
END_TEST

static int big_array_main(void *arg) {
    (void)arg;
    struct make_big makes[12];
    big_t v[12];
    for (int i = 0; i < 12; i++)
        makes[i] = make_big(i, (uint64_t)(12 - i));
    ck_assert_int_eq(UVA_GATHER_ARRAY(v, makes, 12), 0);
    for (int i = 0; i < 12; i++)
        ck_assert(big_is(&v[i], i));
    struct breaks broken[2] = {breaks(-5, 20), breaks(-6, 10)};
    ck_assert_int_eq(UVA_GATHER_ARRAY(NULL, broken, 2), -6);
    ck_assert_str_eq(uva_last_message(), "no -6");
    return 0;
}

START_TEST(async_gather_array_of_big_values) {
    program_expect(big_array_main);
}
END_TEST

/* ---- race and map ------------------------------------------------------- */

static int race_main(void *arg) {
    (void)arg;
    size_t index = 9;
    int value = 0;
    ck_assert_int_eq(UVA_RACE(&index, &value, timed_note("a", 30),
                              timed_note("b", 10), add(1, 1, 20)),
                     0);
    ck_assert_uint_eq(index, 1);
    ck_assert_int_eq(value, 10);
    ck_assert_uint_eq(uva_now_ms(), 10);
    ck_assert_int_eq(UVA_RACE(NULL, &value, UVA_SPAWN(add(4, 4, 5)), twice(1)),
                     0);
    ck_assert_int_eq(value, 8);
    ck_assert_int_eq(UVA_RACE(&index, NULL, note("c", 5), make_big(1, 6)), 0);
    ck_assert_uint_eq(index, 0);
    ck_assert_int_eq(UVA_RACE(&index, NULL, breaks(-5, 1), note("d", 6)), 0);
    ck_assert_uint_eq(index, 1);
    ck_assert_int_eq(UVA_RACE(NULL, NULL, breaks(-6, 9), breaks(-5, 19)), -5);
    ck_assert_str_eq(uva_last_message(), "no -5");
    big_t big;
    ck_assert_int_eq(UVA_RACE(NULL, &big, make_big(1, 6), make_big(2, 5)), 0);
    ck_assert(big_is(&big, 2));
    return 0;
}

START_TEST(async_race) {
    program_expect(race_main);
    ck_expect_record("b a! c d");
}
END_TEST

static int most_at_once;
static int at_once;

UVA_ASYNC(big_t, slow_big, (const char *, digits)) {
    if (++at_once > most_at_once)
        most_at_once = at_once;
    int code = uva_sleep(10);
    at_once--;
    UVA_CHECK(code);
    if (digits[0] == '-')
        return uva_fail(UV_EINVAL, "'%s' is no number", digits);
    UVA_RETURN(big_of((int)strtol(digits, NULL, 10)));
}

static int map_main(void *arg) {
    (void)arg;
    const char *words[] = {"1", "2", "3", "4", "5"};
    big_t v[5];
    ck_assert_int_eq(UVA_MAP(slow_big, words, 5, 2, v), 0);
    for (int i = 0; i < 5; i++)
        ck_assert(big_is(&v[i], i + 1));
    ck_assert_int_eq(most_at_once, 2);
    ck_assert_uint_eq(uva_now_ms(), 30);
    ck_assert_int_eq(UVA_MAP(slow_big, words, 5, 100, NULL), 0);
    ck_assert_int_eq(most_at_once, 5);
    ck_assert_int_eq(UVA_MAP(slow_big, words, 0, 1, v), 0);
    words[2] = "-3";
    ck_assert_int_eq(UVA_MAP(slow_big, words, 5, 1, v), UV_EINVAL);
    ck_assert_str_eq(uva_last_message(), "'-3' is no number");
    ck_assert_uint_eq(uva_now_ms(), 30 + 10 + 30);
    ck_assert_int_eq(at_once, 0);
    ck_assert_int_eq(UVA_MAP(slow_big, words, 5, 0, v), UV_EINVAL);
    const int numbers[] = {1, 2, 3};
    int doubled[3];
    ck_assert_int_eq(UVA_MAP(twice, numbers, 3, 3, doubled), 0);
    ck_assert_int_eq(doubled[0] + doubled[1] + doubled[2], 12);
    return 0;
}

START_TEST(async_map) {
    program_expect(map_main);
}
END_TEST

SUITE("async_many", async_spawn_names, async_spawn_eager,
      async_task_with_many_readers, async_tasks_allocate_nothing,
      async_failure_that_nobody_reads, async_group_spawn,
      async_group_takes_no_tasks, async_shield, async_shield_ends_early,
      async_future_never_awaited, async_futures,
      async_gather_settled_of_big_values, async_gather, async_gather_fails,
      async_gather_with_a_failing_argument, async_gather_array,
      async_gather_array_of_big_values, async_race, async_map)
