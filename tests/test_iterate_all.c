/* labels: valgrind; timeout: 30 */
/*
 * Whatever there is of something: loops over what ends first, and collecting
 * what an iterator gives.
 */
#include "async_fixture.h"

/* ---- what ends first ---------------------------------------------------- */

static int order_main(void *arg) {
    (void)arg;
    struct timed_note notes[5] = {timed_note("a", 30), timed_note("b", 10),
                                  UVA_SPAWN(timed_note("c", 20)),
                                  timed_note("d", 10), timed_note("e", 0)};
    int last = -1;
    int count = 0;
    UVA_FOR_COMPLETED(int, ms, notes, 5) {
        ck_assert_int_ge(ms, last);
        ck_assert_uint_eq(uva_now_ms(), (uint64_t)ms);
        last = ms;
        count++;
    }
    ck_assert_int_eq(count, 5);
    UVA_FOR_COMPLETED(int, ms, notes, 0)
        last = ms + 1000;
    ck_assert_int_eq(last, 30);
    struct make_big makes[] = {make_big(1, 5), make_big(2, 1)};
    int expected = 2;
    UVA_FOR_COMPLETED(big_t, big, makes, 2)
        ck_assert(big_is(&big, expected--));
    struct note plain[] = {note("x", 2), note("y", 1)};
    UVA_FOR_COMPLETED(uva_nothing_t, nothing, plain, 2) {
        (void)nothing;
        record("over");
    }
    return 0;
}

START_TEST(iterate_completed_in_order) {
    program_expect(order_main);
    ck_expect_record("e b d c a y over x over");
}
END_TEST

/* What has not come is cancelled, and awaited: it may take a while. */
UVA_ASYNC(int, lingers, (const char *, name), (int, ms)) {
    int code = uva_sleep((uint64_t)ms);
    if (code < 0) {
        UVA_WITH(shield, 1000)
            UVA_CHECK(uva_sleep(25));
        record("%s~", name);
    }
    UVA_CHECK(code);
    UVA_RETURN(ms);
}

typedef enum way { BREAK, RETURN, TRY, CUT } way_t;

UVA_ASYNC(int, leaves, (way_t, way)) {
    struct lingers all[] = {lingers("a", 500), UVA_SPAWN(lingers("b", 500)),
                            lingers("c", 10)};
    int sum = 0;
    UVA_FOR_COMPLETED(int, ms, all, 3) {
        sum += ms;
        if (way == BREAK)
            break;
        if (way == RETURN)
            UVA_RETURN(7);
        if (way == TRY)
            UVA_TRY(breaks(-5, 1));
        UVA_CHECK(uva_sleep(100));
    }
    UVA_RETURN(sum);
}

static int left_main(void *arg) {
    (void)arg;
    ck_assert_int_eq(UVA_TRY(leaves(BREAK)), 10);
    ck_assert_uint_eq(uva_now_ms(), 35);
    ck_assert_int_eq(UVA_TRY(leaves(RETURN)), 7);
    ck_expect_record("a~ b~ a~ b~");
    ck_assert_int_eq(UVA_AWAIT(leaves(TRY)), -5);
    ck_assert_str_eq(uva_last_message(), "no -5");
    ck_assert_int_eq(UVA_AWAIT(UVA_SPAWN(leaves(TRY))), -5);
    ck_assert_str_eq(uva_last_message(), "no -5");
    struct leaves task = UVA_SPAWN(leaves(CUT));
    ck_assert_int_eq(uva_sleep(50), 0);
    ck_assert(uva_cancel_with(task.future, "enough"));
    ck_assert_int_eq(UVA_AWAIT(task), UV_ECANCELED);
    ck_assert_str_eq(uva_last_message(), "enough");
    task = UVA_SPAWN(leaves(CUT));
    ck_assert_int_eq(uva_sleep(5), 0); /* before the first has come */
    ck_assert(uva_cancel(task.future));
    ck_assert_int_eq(UVA_AWAIT(task), UV_ECANCELED);
    return 0;
}

START_TEST(iterate_completed_left_early) {
    program_expect(left_main);
    ck_expect_record("a~ b~ a~ b~ a~ b~ a~ b~ c~");
}
END_TEST

UVA_ASYNC(int, one_fails) {
    struct breaks all[] = {breaks(-5, 20), breaks(-6, 10),
                           UVA_SPAWN(breaks(-7, 500))};
    UVA_FOR_COMPLETED(int, ms, all, 3)
        record("%d", ms);
    UVA_RETURN(1);
}

UVA_ASYNC(int, times_out) {
    struct timed_note all[] = {timed_note("a", 1), timed_note("b", 100)};
    UVA_WITH(timeout, 50) {
        UVA_FOR_COMPLETED(int, ms, all, 2)
            record("%d", ms);
    }
    UVA_RETURN(1);
}

static int fails_main(void *arg) {
    (void)arg;
    ck_assert_int_eq(UVA_AWAIT(one_fails()), -6);
    ck_assert_str_eq(uva_last_message(), "no -6");
    ck_assert_int_eq(UVA_AWAIT(UVA_SPAWN(one_fails())), -6);
    ck_assert_str_eq(uva_last_message(), "no -6");
    ck_assert_uint_eq(uva_now_ms(), 20);
    ck_assert_int_eq(UVA_AWAIT(times_out()), UV_ETIMEDOUT);
    ck_assert_int_eq(UVA_AWAIT(UVA_SPAWN(times_out())), UV_ETIMEDOUT);
    return 0;
}

START_TEST(iterate_completed_fails) {
    program_expect(fails_main);
    ck_expect_record("a 1 b! a 1 b!");
}
END_TEST

/* Each is a task with its function's name. */
UVA_ASYNC(int, names_itself) {
    UVA_CHECK(uva_yield());
    record("%s", strncmp(uva_name(uva_current()), "names_itself-", 13) == 0
                     ? "named"
                     : uva_name(uva_current()));
    UVA_RETURN(1);
}

static int names_main(void *arg) {
    (void)arg;
    struct names_itself all[2] = {names_itself(), UVA_SPAWN(names_itself())};
    UVA_FOR_COMPLETED(int, one, all, 2)
        ck_assert_int_eq(one, 1);
    return 0;
}

START_TEST(iterate_completed_names_tasks) {
    program_expect(names_main);
    ck_expect_record("named named");
}
END_TEST

/* ---- iterators ---------------------------------------------------------- */

UVA_GENERATOR(int, counter, (const char *, name), (int, stop)) {
    int code = 0;
    for (int i = 0; i < stop && code >= 0; i++) {
        *uva_item = i;
        code = uva_emit(uva_item);
    }
    record("%s%s", name, code < 0 ? "~" : ".");
    return code;
}

UVA_GENERATOR(big_t, bigs, (int, stop)) {
    for (int i = 0; i < stop; i++)
        UVA_YIELD(big_of(i));
    return 0;
}

UVA_GENERATOR(int, fails_at, (int, step)) {
    for (int i = 0; i < step; i++)
        UVA_YIELD(i);
    return uva_fail(-5, "step %d", step);
}

/* ---- collecting --------------------------------------------------------- */

static int collect_main(void *arg) {
    (void)arg;
    int *items = NULL;
    size_t count = 99;
    ck_assert_int_eq(UVA_COLLECT(&items, &count, counter("a", 20)), 0);
    ck_assert_uint_eq(count, 20);
    for (int i = 0; i < 20; i++)
        ck_assert_int_eq(items[i], i);
    free(items);
    ck_assert_int_eq(UVA_COLLECT(&items, &count, counter("none", 0)), 0);
    ck_assert_uint_eq(count, 0);
    free(items);
    big_t *big = NULL;
    ck_assert_int_eq(UVA_COLLECT(&big, &count, bigs(4)), 0);
    ck_assert(count == 4 && big_is(&big[3], 3));
    free(big);
    ck_assert_int_eq(
        UVA_COLLECT_MAP(&big, &count, big_of(i), int, i, counter("b", 10)), 0);
    ck_assert(count == 10 && big_is(&big[9], 9));
    free(big);
    ck_assert_int_eq(UVA_COLLECT_MAP(&items, &count, UVA_TRY(add(i, 1, 5)), int,
                                     i, counter("c", 9)),
                     0);
    ck_assert(count == 9 && items[8] == 9);
    free(items);
    ck_assert_uint_eq(uva_now_ms(), 9 * 5);
    return 0;
}

START_TEST(iterate_collect) {
    program_expect(collect_main);
    ck_expect_record("a. none. b. c.");
}
END_TEST

static int *kept;
static size_t kept_count;

UVA_ASYNC(void, collects, (int, fails), (bool, in_expression)) {
    if (in_expression)
        UVA_CHECK(UVA_COLLECT_MAP(&kept, &kept_count,
                                  UVA_TRY(add(i, i == fails ? 0 : 1, 1)) == i
                                      ? UVA_TRY(breaks(-7, 1))
                                      : i,
                                  int, i, counter("g", 20)));
    else
        UVA_CHECK(UVA_COLLECT(&kept, &kept_count, fails_at(fails)));
    return 0;
}

static int collect_fails_main(void *arg) {
    (void)arg;
    kept_count = 99;
    ck_assert_int_eq(UVA_AWAIT(collects(12, false)), -5);
    ck_assert_str_eq(uva_last_message(), "step 12");
    ck_assert_int_eq(UVA_AWAIT(collects(12, true)), -7);
    ck_assert_str_eq(uva_last_message(), "no -7");
    ck_assert_int_eq(UVA_AWAIT(UVA_SPAWN(collects(12, true))), -7);
    ck_assert_str_eq(uva_last_message(), "no -7");
    ck_assert_ptr_null(kept);
    ck_assert_uint_eq(kept_count, 99);
    struct collects task = UVA_SPAWN(collects(100, true));
    ck_assert_int_eq(uva_sleep(5), 0);
    ck_assert(uva_cancel(task.future));
    ck_assert_int_eq(UVA_AWAIT(task), UV_ECANCELED);
    ck_assert_ptr_null(kept);
    return 0;
}

START_TEST(iterate_collect_fails) {
    program_expect(collect_fails_main);
    ck_expect_record("g~ g~ g~");
}
END_TEST

SUITE("iterate_all", iterate_completed_in_order, iterate_completed_left_early,
      iterate_completed_fails, iterate_completed_names_tasks, iterate_collect,
      iterate_collect_fails)
