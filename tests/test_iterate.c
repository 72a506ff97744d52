/* labels: valgrind; timeout: 30 */
/*
 * Typed generators, and loops over them and over plain structs. Collecting, and
 * loops over what ends first: test_iterate_all.c.
 */
#include "async_fixture.h"

/* ---- generators of all kinds -------------------------------------------- */

UVA_GENERATOR(int, g0) {
    UVA_YIELD(1);
    UVA_YIELD(2);
    return 0;
}
UVA_GENERATOR(double, g1, (double, a)) {
    UVA_YIELD(a);
    UVA_YIELD(a / 2);
    return 0;
}
UVA_GENERATOR(const char *, g2, (const char *, a), (const char *, b)) {
    UVA_YIELD(a);
    UVA_CHECK(uva_sleep(5));
    UVA_YIELD(b);
    return 0;
}
UVA_GENERATOR(big_t, g3, (int, a), (int, b), (int, c)) {
    UVA_YIELD(big_of(a));
    UVA_YIELD(big_of(b));
    UVA_YIELD(big_of(c));
    return 0;
}
UVA_GENERATOR(char, g4, (char, a), (int, b), (int, c), (int, d)) {
    UVA_YIELD((char)(a + b + c + d));
    return 0;
}
UVA_GENERATOR(int, g5, (char, a), (int, b), (int, c), (int, d), (int, e)) {
    UVA_YIELD(a + b + c + d + e);
    return 0;
}
UVA_GENERATOR(int, g6, (char, a), (int, b), (int, c), (int, d), (int, e),
              (int, f)) {
    UVA_YIELD(a + b + c + d + e + f);
    return 0;
}
UVA_GENERATOR(int, g7, (char, a), (int, b), (int, c), (int, d), (int, e),
              (int, f), (big_t, g)) {
    UVA_YIELD(a + b + c + d + e + f + g.number);
    return 0;
}
UVA_GENERATOR(long double, g8, (char, a), (int, b), (int, c), (int, d),
              (int, e), (int, f), (big_t, g), (long double, h)) {
    UVA_YIELD(a + b + c + d + e + f + g.number + h);
    return 0;
}

static int kinds_main(void *arg) {
    (void)arg;
    int sum = 0;
    UVA_FOR(int, i, g0())
        sum = sum * 10 + i;
    ck_assert_int_eq(sum, 12);
    double halves = 0;
    UVA_FOR(double, x, g1(3.0))
        halves += x;
    ck_assert(halves == 4.5);
    UVA_FOR(const char *, word, g2("a", "b"))
        record("%s", word);
    int expected = 1;
    UVA_FOR(big_t, big, g3(1, 2, 3))
        ck_assert(big_is(&big, expected++));
    ck_assert_int_eq(expected, 4);
    UVA_FOR(char, c, g4('a', 1, 2, 3))
        ck_assert_int_eq(c, 'g');
    UVA_FOR(int, i, g5(1, 2, 3, 4, 5))
        sum += i;
    UVA_FOR(int, i, g6(1, 2, 3, 4, 5, 6))
        sum += i;
    UVA_FOR(int, i, g7(1, 2, 3, 4, 5, 6, big_of(7)))
        sum += i;
    ck_assert_int_eq(sum, 12 + 15 + 21 + 28);
    UVA_FOR(long double, x, g8(1, 2, 3, 4, 5, 6, big_of(7), 8.5L))
        ck_assert(x == 36.5L);
    return 0;
}

START_TEST(iterate_generators_of_all_kinds) {
    program_expect(kinds_main);
    ck_expect_record("a b");
}
END_TEST

/* ---- a generator that shows what becomes of it -------------------------- */

enum { CLEANUP_MS = 30 };

static int cleanup_code;

/* From 0 up; notes its end, before which it waits a while. */
UVA_GENERATOR(int, counter, (const char *, name), (int, stop)) {
    int code = 0;
    for (int i = 0; i < stop && code >= 0; i++) {
        *uva_item = i;
        code = uva_emit(uva_item);
    }
    int slept = code < 0 ? uva_sleep(CLEANUP_MS) : 0;
    record("%s%s%s", name, code < 0 ? "~" : ".", slept < 0 ? "!" : "");
    if (cleanup_code < 0)
        return uva_fail(cleanup_code, "unclean");
    return code;
}

static int nested_main(void *arg) {
    (void)arg;
    int sum = 0;
    UVA_FOR(int, i, counter("outer", 3)) {
        if (i == 1)
            continue;
        UVA_FOR(int, j, counter("inner", 10)) {
            if (j == 4)
                break;
            sum += 10 * i + j;
        }
    }
    ck_assert_int_eq(sum, 6 + 86);
    ck_assert_uint_eq(uva_now_ms(), 2 * CLEANUP_MS);
    return 0;
}

START_TEST(iterate_nested_loops) {
    program_expect(nested_main);
    ck_expect_record("inner~ inner~ outer.");
}
END_TEST

/* One statement, wherever one may stand. */
static int places_main(void *arg) {
    (void)arg;
    int sum = 0;
    for (int i = 0; i < 2; i++)
        UVA_FOR(int, j, counter("a", 3))
            sum += j;
    if (sum == 6)
        UVA_FOR(int, j, counter("b", 3))
            sum += j;
    else
        UVA_FOR(int, j, counter("c", 3))
            sum -= j;
    switch (sum) {
    case 9:
        UVA_FOR(int, j, counter("d", 3)) {
            if (j == 1)
                break;
        }
        record("still in the case");
        break;
    default:
        return UV_EIO;
    }
    return 0;
}

START_TEST(iterate_is_one_statement) {
    program_expect(places_main);
    ck_expect_record("a. a. b. d~ still in the case");
}
END_TEST

/* ---- leaving ------------------------------------------------------------ */

typedef enum way { END, BREAK, RETURN, GOTO, TRY, CUT, WAYS } way_t;

UVA_ASYNC(int, leave, (way_t, way)) {
    UVA_FOR(int, i, counter("g", 3)) {
        if (i == 0 || way == END)
            continue;
        if (way == BREAK)
            break;
        if (way == RETURN)
            UVA_RETURN(7);
        if (way == GOTO)
            goto out;
        if (way == TRY)
            UVA_TRY(breaks(-5, 1));
        if (way == CUT)
            UVA_CHECK(uva_sleep(1000));
    }
    UVA_RETURN(1);
out:
    UVA_RETURN(8);
}

static const int values[WAYS] = {
    [END] = 1, [BREAK] = 1, [RETURN] = 7, [GOTO] = 8};

static int leave_main(void *arg) {
    (void)arg;
    for (way_t way = END; way <= GOTO; way++) {
        int value = UVA_TRY(leave(way));
        ck_assert_int_eq(value, values[way]);
        ck_expect_record(way == END ? "g." : "g~");
        value = UVA_TRY(UVA_SPAWN(leave(way)));
        ck_assert_int_eq(value, values[way]);
        ck_expect_record(way == END ? "g." : "g~");
    }
    ck_assert_int_eq(UVA_AWAIT(leave(TRY)), -5);
    ck_assert_str_eq(uva_last_message(), "no -5");
    ck_assert_int_eq(UVA_AWAIT(UVA_SPAWN(leave(TRY))), -5);
    ck_assert_str_eq(uva_last_message(), "no -5");
    ck_expect_record("g~ g~");
    struct leave task = UVA_SPAWN(leave(CUT));
    ck_assert_int_eq(uva_yield(), 0);
    uint64_t began = uva_now_ms();
    ck_assert(uva_cancel_with(task.future, "enough"));
    ck_assert_int_eq(UVA_AWAIT(task), UV_ECANCELED);
    ck_assert_str_eq(uva_last_message(), "enough");
    ck_assert_uint_eq(uva_now_ms() - began, CLEANUP_MS);
    ck_expect_record("g~");
    return 0;
}

START_TEST(iterate_left_in_every_way) {
    program_expect(leave_main);
}
END_TEST

/* Told that it is cancelled, it breaks: the clean-up can wait all the same. */
UVA_ASYNC(int, breaks_when_cut) {
    int code = 0;
    UVA_FOR(int, i, counter("g", 3)) {
        code = uva_sleep(1000);
        if (code < 0)
            break;
        record("%d", i);
    }
    return code;
}

static int break_cut_main(void *arg) {
    (void)arg;
    struct breaks_when_cut task = UVA_SPAWN(breaks_when_cut());
    ck_assert_int_eq(uva_yield(), 0);
    ck_assert(uva_cancel(task.future));
    ck_assert_int_eq(UVA_AWAIT(task), UV_ECANCELED);
    ck_assert_uint_eq(uva_now_ms(), CLEANUP_MS);
    return 0;
}

START_TEST(iterate_break_in_a_cancelled_task) {
    program_expect(break_cut_main);
    ck_expect_record("g~");
}
END_TEST

/* A deadline around the loop cuts the body, or the generator, or what is in
 * the loop; UV_ETIMEDOUT comes through all of it. */
UVA_GENERATOR(int, ticks, (uint64_t, ms)) {
    for (int i = 0;; i++) {
        UVA_CHECK(uva_sleep(ms));
        UVA_YIELD(i);
    }
}

UVA_ASYNC(int, timed_loop, (uint64_t, ms), (uint64_t, in_loop_ms)) {
    int last = -1;
    UVA_WITH(timeout, 10) {
        UVA_FOR(int, i, ticks(ms)) {
            UVA_CHECK(uva_sleep(in_loop_ms));
            last = i;
        }
    }
    UVA_RETURN(last);
}

UVA_ASYNC(int, deadline_in_loop) {
    UVA_FOR(int, i, counter("g", 3)) {
        UVA_WITH(timeout, 10) {
            UVA_CHECK(uva_sleep(i == 1 ? 1000 : 1));
        }
    }
    UVA_RETURN(1);
}

static int deadline_main(void *arg) {
    (void)arg;
    ck_assert_int_eq(UVA_AWAIT(timed_loop(4, 0)), UV_ETIMEDOUT);
    ck_assert_int_eq(UVA_AWAIT(timed_loop(0, 4)), UV_ETIMEDOUT);
    ck_assert_int_eq(UVA_AWAIT(UVA_SPAWN(timed_loop(4, 4))), UV_ETIMEDOUT);
    ck_assert_int_eq(UVA_AWAIT(deadline_in_loop()), UV_ETIMEDOUT);
    ck_assert_int_eq(UVA_AWAIT(UVA_SPAWN(deadline_in_loop())), UV_ETIMEDOUT);
    return 0;
}

START_TEST(iterate_deadlines) {
    program_expect(deadline_main);
    ck_expect_record("g~ g~");
}
END_TEST

/* ---- failures of generators --------------------------------------------- */

UVA_GENERATOR(int, fails_at, (int, step)) {
    for (int i = 0;; i++) {
        if (i == step)
            return uva_fail(-5, "step %d", i);
        if (i == -step)
            UVA_TRY(breaks(-6, 1));
        UVA_YIELD(i);
    }
}

UVA_ASYNC(int, sums, (int, step)) {
    int sum = 0;
    UVA_FOR(int, i, fails_at(step))
        sum += i;
    UVA_RETURN(sum);
}

static int failing_main(void *arg) {
    (void)arg;
    ck_assert_int_eq(UVA_AWAIT(sums(0)), -5);
    ck_assert_str_eq(uva_last_message(), "step 0");
    ck_assert_int_eq(UVA_AWAIT(sums(2)), -5);
    ck_assert_str_eq(uva_last_message(), "step 2");
    ck_assert_int_eq(UVA_AWAIT(UVA_SPAWN(sums(2))), -5);
    ck_assert_str_eq(uva_last_message(), "step 2");
    ck_assert_int_eq(UVA_AWAIT(sums(-2)), -6);
    ck_assert_str_eq(uva_last_message(), "no -6");
    int code = 99;
    int sum = 0;
    UVA_FOR_CODE(&code, int, i, fails_at(3))
        sum += i;
    ck_assert_int_eq(code, -5);
    ck_assert_int_eq(sum, 3);
    ck_assert_str_eq(uva_last_message(), "step 3");
    return 0;
}

START_TEST(iterate_generator_fails) {
    program_expect(failing_main);
}
END_TEST

UVA_ASYNC(int, unclean, (way_t, way)) {
    UVA_FOR(int, i, counter("g", 3)) {
        if (i == 1 && way == BREAK)
            break;
        if (i == 1 && way == RETURN)
            UVA_RETURN(7);
        if (i == 1 && way == TRY)
            UVA_TRY(breaks(-5, 1));
    }
    UVA_RETURN(1);
}

static int unclean_main(void *arg) {
    (void)arg;
    cleanup_code = -66;
    ck_assert_int_eq(UVA_AWAIT(unclean(BREAK)), -66);
    ck_assert_int_eq(UVA_AWAIT(unclean(END)), -66);
    ck_assert_str_eq(uva_last_message(), "unclean");
    ck_assert_str_eq(support_reports(), "");
    /* These have another outcome already. */
    ck_assert_int_eq(UVA_TRY(unclean(RETURN)), 7);
    ck_assert_uint_eq(support_report_count(), 1);
    ck_assert(support_reports_contain("an iterator failed while it was closed "
                                      "by a return out of its loop"));
    ck_assert(support_reports_contain("-66"));
    ck_assert_int_eq(UVA_AWAIT(unclean(TRY)), -5);
    ck_assert_str_eq(uva_last_message(), "no -5");
    ck_assert_uint_eq(support_report_count(), 2);
    return 0;
}

START_TEST(iterate_generator_fails_in_its_cleanup) {
    ck_assert_int_eq(program_run(unclean_main, NULL), 0);
    ck_expect_record("g~ g. g~ g~");
}
END_TEST

/* ---- by hand, and never ------------------------------------------------- */

static int never_main(void *arg) {
    (void)arg;
    struct counter never = counter("never", 3);
    (void)never; /* owns nothing */
    struct counter once = counter("once", 3);
    int item;
    ck_assert_int_eq(once.next(&once, &item), 1);
    ck_assert_int_eq(once.next(&once, &item), 1);
    ck_assert_int_eq(item, 1);
    ck_assert_int_eq(once.close(&once), 0);
    ck_assert_int_eq(once.next(&once, &item), 0);
    struct counter begun = counter("begun", 3);
    ck_assert_int_eq(begun.close(&begun), 0); /* before its first step */
    ck_assert_int_eq(begun.next(&begun, &item), 0);
    struct counter again = counter("again", 2);
    for (int i = 0; i < 2; i++)
        UVA_FOR(int, j, again) /* a copy: it begins anew */
            record("%d", j);
    return 0;
}

START_TEST(iterate_generator_by_hand) {
    program_expect(never_main);
    ck_expect_record("once~ 0 1 again. 0 1 again.");
}
END_TEST

/* ---- codes -------------------------------------------------------------- */

static int codes_main(void *arg) {
    (void)arg;
    int codes[3] = {99, 99, 99};
    int *next = codes;
    UVA_FOR_CODE(next++, int, i, counter("a", 3))
        record("%d", i);
    ck_assert_int_eq(codes[0], 0);
    UVA_FOR_CODE(next++, int, i, counter("b", 3)) {
        if (i == 1)
            break;
    }
    ck_assert_int_eq(codes[1], 0);
    ck_assert_ptr_eq(next, codes + 2); /* evaluated once */
    cleanup_code = -66;
    UVA_FOR_CODE(&codes[2], int, i, counter("c", 3)) {
        if (i == 1)
            break;
    }
    ck_assert_int_eq(codes[2], -66);
    UVA_FOR_CODE(&codes[2], int, i, counter("d", 3))
        record("%d", i);
    ck_assert_int_eq(codes[2], -66);
    cleanup_code = 0;
    UVA_FOR_CODE(&codes[2], int, i, counter("e", 3)) {
        codes[2] = -10 - i; /* the loop's own failure */
        break;
    }
    ck_assert_int_eq(codes[2], -10);
    return 0;
}

START_TEST(iterate_codes) {
    program_expect(codes_main);
    ck_expect_record("0 1 2 a. b~ c~ 0 1 2 d. e~");
}
END_TEST

/* ---- plain structs ------------------------------------------------------ */

typedef struct countdown {
    UVA_ITERATOR(struct countdown, int);
    int left;
    int fails_at;
    uint64_t close_ms;
} countdown_t;

static int countdown_next(countdown_t *self, int *ret_item) {
    if (self->left == self->fails_at)
        return -5;
    *ret_item = self->left--;
    return *ret_item > 0;
}

static int countdown_close(void *arg) {
    const countdown_t *self = arg;
    int code = self->close_ms > 0 ? uva_sleep(self->close_ms) : 0;
    record("closed at %d%s", self->left, code < 0 ? "!" : "");
    return code;
}

static int closed_by_return(countdown_t from) {
    UVA_FOR(int, i, from) {
        if (i == 1)
            return 7;
    }
    return 0;
}

static int structs_main(void *arg) {
    (void)arg;
    UVA_FOR(int, i,
            (countdown_t){.next = countdown_next, .left = 3, .fails_at = -1})
        record("%d", i);
    countdown_t from = {.next = countdown_next,
                        .close = countdown_close,
                        .left = 2,
                        .fails_at = -1,
                        .close_ms = 5};
    UVA_FOR(int, i, from)
        record("%d", i);
    ck_assert_int_eq(from.left, 2);
    ck_assert_int_eq(closed_by_return(from), 7);
    from.fails_at = 1;
    int code = 99;
    UVA_FOR_CODE(&code, int, i, from)
        record("%d", i);
    ck_assert_int_eq(code, -5);
    ck_assert_int_eq(closed_by_return(from), -5);
    return 0;
}

START_TEST(iterate_plain_structs) {
    program_expect(structs_main);
    ck_expect_record("3 2 1 2 1 closed at -1 closed at 0 2 closed at 1 "
                     "closed at 1");
}
END_TEST

static int slow_close_main(void *arg) {
    (void)arg;
    countdown_t from = {.next = countdown_next,
                        .close = countdown_close,
                        .left = 2,
                        .fails_at = -1,
                        .close_ms = 60000};
    int code = 99;
    UVA_FOR_CODE(&code, int, i, from)
        ck_assert_int_gt(i, 0);
    ck_assert_int_eq(code, UV_ETIMEDOUT);
    ck_assert_uint_eq(uva_now_ms(), 5000);
    return 0;
}

START_TEST(iterate_close_is_bounded) {
    program_expect(slow_close_main);
    ck_expect_record("closed at -1!");
}
END_TEST

/* Outside of a task, what does not wait works. */
START_TEST(iterate_outside_a_task) {
    countdown_t from = {.next = countdown_next,
                        .close = countdown_close,
                        .left = 2,
                        .fails_at = -1};
    int sum = 0;
    int code = 99;
    UVA_FOR_CODE(&code, int, i, from)
        sum += i;
    ck_assert_int_eq(code, 0);
    ck_assert_int_eq(sum, 3);
    ck_assert_int_eq(closed_by_return(from), 7);
    ck_expect_record("closed at -1 closed at 0");
}
END_TEST

SUITE("iterate", iterate_generators_of_all_kinds, iterate_nested_loops,
      iterate_is_one_statement, iterate_left_in_every_way,
      iterate_break_in_a_cancelled_task, iterate_deadlines,
      iterate_generator_fails, iterate_generator_fails_in_its_cleanup,
      iterate_generator_by_hand, iterate_codes, iterate_plain_structs,
      iterate_close_is_bounded, iterate_outside_a_task)
