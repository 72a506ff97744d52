/* labels: valgrind; timeout: 30 */
/*
 * Async functions of the typed layer: what they take, give, and fail with,
 * awaited in place and as tasks. Several at once: test_async_many.c.
 */
#include "async_fixture.h"

/* ---- values ------------------------------------------------------------- */

enum colour { RED, GREEN, BLUE };

static int target = 42;

UVA_ASYNC(double, half, (double, x)) {
    UVA_CHECK(uva_sleep(1));
    UVA_RETURN(x / 2);
}
UVA_ASYNC(float, half_float, (float, x)) {
    UVA_RETURN(x / 2);
}
UVA_ASYNC(int *, find_target) {
    UVA_CHECK(uva_yield());
    UVA_RETURN(&target);
}
UVA_ASYNC(const char *, word, (bool, is_yes)) {
    UVA_RETURN(is_yes ? "yes" : "no");
}
UVA_ASYNC(bool, is_even, (unsigned, number)) {
    UVA_RETURN(number % 2 == 0);
}
UVA_ASYNC(enum colour, next_colour, (enum colour, colour)) {
    UVA_RETURN(colour == RED ? GREEN : BLUE);
}
UVA_ASYNC(long double, precise) {
    UVA_RETURN(1.0L / 3.0L);
}
UVA_ASYNC(uint8_t, low_byte, (uint64_t, number)) {
    UVA_RETURN((uint8_t)(number & 0xff));
}
UVA_ASYNC(void, tick, (int *, count)) {
    (*count)++;
    return uva_yield();
}

static int in_place_main(void *arg) {
    (void)arg;
    int ticks = 0;
    ck_assert(UVA_TRY(half(3)) == 1.5);
    ck_assert(UVA_TRY(half_float(5.0F)) == 2.5F);
    ck_assert_ptr_eq(UVA_TRY(find_target()), &target);
    ck_assert_str_eq(UVA_TRY(word(true)), "yes");
    ck_assert(UVA_TRY(is_even(4)));
    ck_assert_int_eq((int)UVA_TRY(next_colour(RED)), (int)GREEN);
    ck_assert(UVA_TRY(precise()) == 1.0L / 3.0L);
    ck_assert_uint_eq(UVA_TRY(low_byte(0x1234)), 0x34);
    big_t big = UVA_TRY(make_big(7, 1));
    ck_assert(big_is(&big, 7));
    UVA_TRY(tick(&ticks));
    ck_assert_int_eq(UVA_AWAIT(tick(&ticks)), 0);
    ck_assert_int_eq(ticks, 2);
    return 0;
}

START_TEST(async_values_in_place) {
    program_expect(in_place_main);
}
END_TEST

static int tasks_main(void *arg) {
    (void)arg;
    int ticks = 0;
    ck_assert(UVA_TRY(UVA_SPAWN(half(3))) == 1.5);
    ck_assert(UVA_TRY(UVA_SPAWN(half_float(5.0F))) == 2.5F);
    ck_assert_ptr_eq(UVA_TRY(UVA_SPAWN(find_target())), &target);
    ck_assert_str_eq(UVA_TRY(UVA_SPAWN(word(false))), "no");
    ck_assert(!UVA_TRY(UVA_SPAWN(is_even(5))));
    ck_assert_int_eq((int)UVA_TRY(UVA_SPAWN(next_colour(GREEN))), (int)BLUE);
    ck_assert(UVA_TRY(UVA_SPAWN(precise())) == 1.0L / 3.0L);
    ck_assert_uint_eq(UVA_TRY(UVA_SPAWN(low_byte(0x99))), 0x99);
    big_t big = UVA_TRY(UVA_SPAWN(make_big(8, 1)));
    ck_assert(big_is(&big, 8));
    UVA_TRY(UVA_SPAWN(tick(&ticks)));
    ck_assert_int_eq(ticks, 1);
    return 0;
}

START_TEST(async_values_of_tasks) {
    program_expect(tasks_main);
}
END_TEST

/* ---- parameters --------------------------------------------------------- */

UVA_ASYNC(int, p0) {
    UVA_RETURN(0);
}
UVA_ASYNC(int, p1, (int, a)) {
    UVA_RETURN(a);
}
UVA_ASYNC(int, p2, (int, a), (char, b)) {
    UVA_RETURN(a + b);
}
UVA_ASYNC(int, p3, (int, a), (char, b), (short, c)) {
    UVA_RETURN(a + b + c);
}
UVA_ASYNC(double, p4, (int, a), (char, b), (short, c), (double, d)) {
    UVA_RETURN(a + b + c + d);
}
UVA_ASYNC(double, p5, (int, a), (char, b), (short, c), (double, d),
          (const int *, e)) {
    UVA_RETURN(a + b + c + d + *e);
}
UVA_ASYNC(double, p6, (int, a), (char, b), (short, c), (double, d),
          (const int *, e), (big_t, f)) {
    UVA_RETURN(a + b + c + d + *e + f.number);
}
UVA_ASYNC(double, p7, (int, a), (char, b), (short, c), (double, d),
          (const int *, e), (big_t, f), (bool, g)) {
    UVA_RETURN(a + b + c + d + *e + f.number + g);
}
UVA_ASYNC(double, p8, (int, a), (char, b), (short, c), (double, d),
          (const int *, e), (big_t, f), (bool, g), (uint64_t, h)) {
    UVA_RETURN(a + b + c + d + *e + f.number + g + (double)h);
}

static int parameters_main(void *arg) {
    (void)arg;
    int e = 5;
    ck_assert_int_eq(UVA_TRY(p0()) + UVA_TRY(UVA_SPAWN(p0())), 0);
    ck_assert_int_eq(UVA_TRY(p1(1)) + UVA_TRY(UVA_SPAWN(p1(1))), 2);
    ck_assert_int_eq(UVA_TRY(p2(1, 2)) + UVA_TRY(UVA_SPAWN(p2(1, 2))), 6);
    ck_assert_int_eq(UVA_TRY(p3(1, 2, 3)), 6);
    ck_assert_int_eq(UVA_TRY(UVA_SPAWN(p3(1, 2, 3))), 6);
    ck_assert(UVA_TRY(p4(1, 2, 3, 4)) == 10);
    ck_assert(UVA_TRY(UVA_SPAWN(p4(1, 2, 3, 4))) == 10);
    ck_assert(UVA_TRY(p5(1, 2, 3, 4, &e)) == 15);
    ck_assert(UVA_TRY(UVA_SPAWN(p5(1, 2, 3, 4, &e))) == 15);
    ck_assert(UVA_TRY(p6(1, 2, 3, 4, &e, big_of(6))) == 21);
    ck_assert(UVA_TRY(UVA_SPAWN(p6(1, 2, 3, 4, &e, big_of(6)))) == 21);
    ck_assert(UVA_TRY(p7(1, 2, 3, 4, &e, big_of(6), true)) == 22);
    ck_assert(UVA_TRY(UVA_SPAWN(p7(1, 2, 3, 4, &e, big_of(6), true))) == 22);
    ck_assert(UVA_TRY(p8(1, 2, 3, 4, &e, big_of(6), true, 8)) == 30);
    ck_assert(UVA_TRY(UVA_SPAWN(p8(1, 2, 3, 4, &e, big_of(6), true, 8))) == 30);
    return 0;
}

START_TEST(async_parameters) {
    program_expect(parameters_main);
}
END_TEST

/* Parameters named as the macros' own names are. */
UVA_ASYNC(int, named, (int, self), (int, future), (int, async), (int, call),
          (int, args), (int, type), (int, code), (int, frame)) {
    UVA_CHECK(uva_yield());
    UVA_RETURN(self + future + async + call + args + type + code + frame);
}

/* A struct literal brings its commas. */
typedef struct pair {
    int left;
    int right;
} pair_t;

UVA_ASYNC(pair_t, swap, (pair_t, pair)) {
    UVA_RETURN((pair_t){pair.right, pair.left});
}

static int named_main(void *arg) {
    (void)arg;
    ck_assert_int_eq(UVA_TRY(named(1, 2, 3, 4, 5, 6, 7, 8)), 36);
    ck_assert_int_eq(UVA_TRY(UVA_SPAWN(named(1, 2, 3, 4, 5, 6, 7, 8))), 36);
    pair_t pair = UVA_TRY(swap((pair_t){1, 2}));
    ck_assert_int_eq(pair.left * 10 + pair.right, 21);
    pair = UVA_TRY(UVA_SPAWN(swap((pair_t){3, 4})));
    ck_assert_int_eq(pair.left * 10 + pair.right, 43);
    return 0;
}

START_TEST(async_names_and_literals) {
    program_expect(named_main);
}
END_TEST

/* ---- awaiting ----------------------------------------------------------- */

UVA_ASYNC(int, fibonacci, (int, n)) {
    if (n < 2)
        UVA_RETURN(n);
    UVA_RETURN(UVA_TRY(fibonacci(n - 1)) +
               UVA_TRY(UVA_SPAWN(fibonacci(n - 2))));
}

/* Two that call each other; the one is defined after its use. */
UVA_ASYNC_DECLARE_STATIC(bool, is_odd_slowly, (unsigned, n));
UVA_ASYNC(bool, is_even_slowly, (unsigned, n)) {
    if (n == 0)
        UVA_RETURN(true);
    UVA_RETURN(UVA_TRY(is_odd_slowly(n - 1)));
}
UVA_ASYNC_DEFINE_STATIC(bool, is_odd_slowly, (unsigned, n)) {
    if (n == 0)
        UVA_RETURN(false);
    UVA_RETURN(UVA_TRY(UVA_SPAWN(is_even_slowly(n - 1))));
}

static int nested_main(void *arg) {
    (void)arg;
    ck_assert_int_eq(
        UVA_TRY(add(1, UVA_TRY(add(2, UVA_TRY(add(3, 4, 1)), 1)), 1)), 10);
    ck_assert_uint_eq(uva_now_ms(), 3);
    ck_assert_int_eq(UVA_TRY(fibonacci(12)), 144);
    ck_assert(UVA_TRY(is_even_slowly(10)));
    ck_assert(!UVA_TRY(is_odd_slowly(10)));
    struct add made = add(1, 2, 5);
    ck_assert_uint_eq(uva_now_ms(), 3); /* nothing has run */
    int sum = UVA_TRY(made);
    ck_assert_int_eq(sum + UVA_TRY(made), 6); /* a value: again, if you like */
    ck_assert_uint_eq(uva_now_ms(), 13);
    return 0;
}

START_TEST(async_nested_awaits) {
    program_expect(nested_main);
}
END_TEST

/* Where an expression may stand, and a statement without braces. */
static int places_main(void *arg) {
    (void)arg;
    int list[] = {UVA_TRY(add(0, 0, 1)), UVA_TRY(add(1, 1, 0))};
    int sum = 0;
    for (int i = 0; i < UVA_TRY(add(1, 2, 1)); i++)
        sum += list[UVA_TRY(add(1, 0, 0))];
    if (UVA_TRY(add(1, -1, 0)) != 0)
        UVA_CHECK(UV_EIO);
    else
        UVA_CHECK(uva_sleep(1));
    switch (UVA_TRY(add(3, 3, 1))) {
    case 6:
        UVA_TRY(note("six", 1));
        break;
    default:
        return UV_EIO;
    }
    ck_assert_int_eq(sum > 5 ? UVA_TRY(add(sum, 1, 0)) : 0, 7);
    return 0;
}

START_TEST(async_in_expressions) {
    program_expect(places_main);
    ck_expect_record("six");
}
END_TEST

/* Each argument is evaluated once. */
static int once_main(void *arg) {
    (void)arg;
    int evaluated = 0;
    int result = 0;
    int *results[] = {&result, NULL};
    int **next = results;
    ck_assert_int_eq(UVA_TRY(add(evaluated++, 0, 1)), 0);
    ck_assert_int_eq(UVA_AWAIT(add(evaluated++, 0, 1)), 0);
    ck_assert_int_eq(UVA_AWAIT(add(evaluated++, 0, 1), *next++), 0);
    ck_assert_int_eq(UVA_TRY(UVA_SPAWN(add(evaluated++, 0, 1))), 3);
    ck_assert_int_eq(UVA_CHECK((evaluated++, 4)), 4);
    ck_assert_int_eq(UVA_WAIT_FOR(add(evaluated++, 0, 1), 9, NULL), 0);
    ck_assert_int_eq(evaluated, 6);
    ck_assert_int_eq(result, 2);
    ck_assert_ptr_eq(next, results + 1);
    return 0;
}

START_TEST(async_arguments_once) {
    program_expect(once_main);
}
END_TEST

/* ---- failures ----------------------------------------------------------- */

UVA_ASYNC(int, middle, (int, code)) {
    UVA_RETURN(UVA_TRY(breaks(code, 1)) + 1);
}
static int plain_helper(int code) {
    int sum = UVA_TRY(middle(code));
    return sum;
}
UVA_ASYNC(int, outer, (int, code)) {
    int sum = UVA_CHECK(plain_helper(code));
    UVA_RETURN(sum);
}
UVA_ASYNC(int, middle_task, (int, code)) {
    UVA_RETURN(UVA_TRY(UVA_SPAWN(breaks(code, 1))));
}
UVA_ASYNC(int, outer_task, (int, code)) {
    UVA_RETURN(UVA_TRY(UVA_SPAWN(middle_task(code))));
}
UVA_ASYNC(int, silent, (int, code)) {
    UVA_CHECK(uva_yield());
    return code;
}

#define CK_FAILED(call, expected, text) \
    do { \
        ck_assert_int_eq((call), (expected)); \
        ck_assert_pstr_eq(uva_last_message(), (text)); \
    } while (0)

static int failures_main(void *arg) {
    (void)arg;
    int value = 99;
    CK_FAILED(UVA_AWAIT(breaks(-5, 1), &value), -5, "no -5");
    CK_FAILED(UVA_AWAIT(outer(-6), &value), -6, "no -6");
    CK_FAILED(UVA_AWAIT(UVA_SPAWN(outer(-7)), &value), -7, "no -7");
    CK_FAILED(UVA_AWAIT(outer_task(-8), &value), -8, "no -8");
    CK_FAILED(UVA_AWAIT(UVA_SPAWN(outer_task(-9)), &value), -9, "no -9");
    CK_FAILED(UVA_AWAIT(UVA_SPAWN(UVA_SPAWN(outer_task(-9)))), -9, "no -9");
    CK_FAILED(UVA_WAIT_FOR(outer_task(-10), 50, &value), -10, "no -10");
    CK_FAILED(UVA_WAIT_FOR(UVA_SPAWN(outer(-11)), 50), -11, "no -11");
    ck_assert_int_eq(value, 99);
    /* One without a message brings no older one along. */
    CK_FAILED(UVA_AWAIT(silent(-12)), -12, NULL);
    CK_FAILED(UVA_AWAIT(breaks(-12, 1)), -12, "no -12");
    CK_FAILED(UVA_AWAIT(silent(-12)), -12, NULL);
    CK_FAILED(UVA_AWAIT(UVA_SPAWN(silent(-13))), -13, NULL);
    return 0;
}

START_TEST(async_failures_go_up_with_their_message) {
    program_expect(failures_main);
}
END_TEST

/* What was handled is over: neither its code nor its message comes again. */
UVA_ASYNC(int, handles, (int, code)) {
    int handled = plain_helper(-5);
    ck_assert_int_eq(handled, -5);
    ck_assert_str_eq(uva_last_message(), "no -5");
    UVA_CHECK(uva_yield());
    UVA_TRY(add(1, 1, 1));
    if (code < 0)
        return uva_fail(code, "mine");
    UVA_RETURN(1);
}

UVA_ASYNC(int, fails_anew) {
    int code = UVA_AWAIT(handles(-5));
    ck_assert_str_eq(uva_last_message(), "mine");
    UVA_CHECK(UVA_AWAIT(silent(code)));
    UVA_RETURN(0);
}

static int handled_main(void *arg) {
    (void)arg;
    ck_assert_int_eq(UVA_TRY(handles(0)), 1);
    ck_assert_int_eq(UVA_TRY(UVA_SPAWN(handles(0))), 1);
    CK_FAILED(UVA_AWAIT(handles(-6)), -6, "mine");
    CK_FAILED(UVA_AWAIT(UVA_SPAWN(handles(-5))), -5, "mine");
    CK_FAILED(UVA_AWAIT(fails_anew()), -5, NULL);
    CK_FAILED(UVA_AWAIT(UVA_SPAWN(fails_anew())), -5, NULL);
    return 0;
}

START_TEST(async_handled_failures_are_over) {
    program_expect(handled_main);
}
END_TEST

/* The values of a body's code: success may be any number from 0 up. */
UVA_ASYNC(void, gives_code, (int, code)) {
    return code;
}

static int codes_main(void *arg) {
    (void)arg;
    ck_assert_int_eq(UVA_AWAIT(gives_code(3)), 3);
    ck_assert_int_eq(UVA_AWAIT(UVA_SPAWN(gives_code(4))), 4);
    ck_assert_int_eq(UVA_CHECK(UVA_AWAIT(gives_code(5))), 5);
    return UVA_CHECK(UVA_AWAIT(gives_code(UV_EIO)));
}

START_TEST(async_codes) {
    ck_assert_int_eq(program_run(codes_main, NULL), UV_EIO);
    ck_assert_str_eq(support_reports(), "");
}
END_TEST

/* Without UVA_RETURN() the value is all zero, whatever lay there before. */
UVA_ASYNC(uint64_t, gives, (uint64_t, number)) {
    UVA_RETURN(number);
}
UVA_ASYNC(uint64_t, forgets, (uint64_t, number)) {
    return number > 0 ? 0 : UV_EINVAL;
}

static int forgets_main(void *arg) {
    (void)arg;
    for (int i = 0; i < 4; i++) {
        ck_assert_uint_eq(UVA_TRY(UVA_SPAWN(gives(99))), 99);
        ck_assert_uint_eq(UVA_TRY(UVA_SPAWN(forgets(99))), 0);
        ck_assert_uint_eq(UVA_TRY(forgets(99)), 0);
    }
    return 0;
}

START_TEST(async_without_a_value) {
    program_expect(forgets_main);
}
END_TEST

/* ---- wait_for ----------------------------------------------------------- */

static int wait_for_main(void *arg) {
    (void)arg;
    int value = 99;
    ck_assert_int_eq(UVA_WAIT_FOR(timed_note("a", 10), 20, &value), 0);
    ck_assert_int_eq(value, 10);
    ck_assert_int_eq(UVA_WAIT_FOR(timed_note("b", 30), 20, &value),
                     UV_ETIMEDOUT);
    ck_assert_int_eq(UVA_WAIT_FOR(timed_note("never", 1), 0, &value),
                     UV_ETIMEDOUT);
    struct timed_note handle = UVA_SPAWN(timed_note("c", 5));
    ck_assert_int_eq(UVA_WAIT_FOR(handle, 20, &value), 0);
    ck_assert_int_eq(value, 5);
    handle = UVA_SPAWN(timed_note("d", 500));
    ck_assert_int_eq(uva_sleep(1), 0);
    ck_assert_int_eq(UVA_WAIT_FOR(handle, 0), UV_ETIMEDOUT);
    big_t big = {0};
    ck_assert_int_eq(UVA_WAIT_FOR(make_big(3, 1), UVA_FOREVER, &big), 0);
    ck_assert(big_is(&big, 3));
    ck_assert_uint_eq(uva_now_ms(), 10 + 20 + 5 + 1 + 1);
    ck_assert_int_eq(value, 5);
    return 0;
}

START_TEST(async_wait_for) {
    program_expect(wait_for_main);
    ck_expect_record("a b! c d!");
}
END_TEST

/* ---- cancellation ------------------------------------------------------- */

UVA_ASYNC(int, three_deep, (const char *, name)) {
    int ms = UVA_TRY(timed_note(name, 100));
    record("not reached");
    UVA_RETURN(ms);
}

/* Cleans up where it is cut, and gives a value all the same. */
UVA_ASYNC(int, stubborn) {
    if (UVA_AWAIT(three_deep("inner")) == UV_ECANCELED)
        UVA_RETURN(17);
    UVA_RETURN(0);
}

static int cancel_main(void *arg) {
    (void)arg;
    struct three_deep handle = UVA_SPAWN(three_deep("a"));
    ck_assert_int_eq(uva_sleep(10), 0);
    ck_assert(uva_cancel(handle.future));
    ck_assert_int_eq(UVA_AWAIT(handle), UV_ECANCELED);
    /* Before its first step. */
    handle = UVA_SPAWN(three_deep("never"));
    ck_assert(uva_cancel_with(handle.future, "too late"));
    CK_FAILED(UVA_AWAIT(handle), UV_ECANCELED, "too late");
    struct stubborn other = UVA_SPAWN(stubborn());
    ck_assert_int_eq(uva_sleep(10), 0);
    ck_assert(uva_cancel(other.future));
    ck_assert_int_eq(UVA_TRY(other), 17);
    handle = UVA_SPAWN(three_deep("b"));
    ck_assert_int_eq(uva_yield(), 0);
    ck_assert_int_eq(uva_cancel_and_wait(handle.future), UV_ECANCELED);
    ck_assert_uint_eq(uva_now_ms(), 20);
    return 0;
}

START_TEST(async_cancelled_by_handle) {
    program_expect(cancel_main);
    ck_expect_record("a! inner! b!");
}
END_TEST

static int cancel_awaiting_main(void *arg) {
    (void)arg;
    /* The one who awaits a handle is cancelled, and passes it on. */
    struct outer_task awaiting = UVA_SPAWN(outer_task(-5));
    ck_assert_int_eq(uva_yield(), 0);
    ck_assert(uva_cancel_with(awaiting.future, "enough"));
    CK_FAILED(UVA_AWAIT(awaiting), UV_ECANCELED, "enough");
    ck_assert_uint_eq(uva_now_ms(), 0);
    return 0;
}

START_TEST(async_cancel_reaches_the_awaited) {
    program_expect(cancel_awaiting_main);
}
END_TEST

/* ---- running ------------------------------------------------------------ */

static const uva_options_t quiet_clock = {.clock = UVA_CLOCK_VIRTUAL,
                                          .report = support_report};

START_TEST(async_run) {
    int sum = 0;
    big_t big = {0};
    ck_assert_int_eq(UVA_RUN_WITH(&quiet_clock, add(1, 2, 1000), &sum), 0);
    ck_assert_int_eq(sum, 3);
    ck_assert_int_eq(UVA_RUN_WITH(&quiet_clock, make_big(9, 1), &big), 0);
    ck_assert(big_is(&big, 9));
    ck_assert_int_eq(UVA_RUN_WITH(&quiet_clock, note("ran", 1)), 0);
    ck_assert_int_eq(UVA_RUN(add(2, 2, 0), &sum), 0);
    ck_assert_int_eq(sum, 4);
    ck_assert_int_eq(UVA_RUN(add(2, 2, 0)), 0);
    ck_assert_int_eq(UVA_RUN_WITH(&quiet_clock, breaks(-5, 1), &sum), -5);
    ck_assert_int_eq(sum, 4);
    struct add no_handle = {0};
    ck_assert_int_eq(UVA_RUN(no_handle), UV_EINVAL);
    ck_assert_str_eq(support_reports(), "");
    ck_expect_record("ran");
}
END_TEST

/* ---- misuse ------------------------------------------------------------- */

UVA_ASYNC(int, old_habits) {
    static int number = 5;
    int code = uva_return(&number);
    if (code < 0)
        return code;
    UVA_RETURN(6);
}

static int return_main(void *arg) {
    (void)arg;
    return UVA_AWAIT(UVA_SPAWN(old_habits()));
}

START_TEST(async_uva_return_is_refused) {
    ck_assert_int_eq(program_run(return_main, NULL), UV_EPERM);
    ck_assert(support_reports_contain("uva_return: an async function returns "
                                      "its value by UVA_RETURN()"));
}
END_TEST

START_TEST(async_outside_a_task) {
    ck_assert_int_eq(UVA_AWAIT(gives_code(-5)), -5);
    ck_assert_int_eq(UVA_AWAIT(add(1, 2, 1)), UV_EPERM);
    struct add none = UVA_SPAWN(add(1, 2, 1));
    ck_assert_ptr_null(none.future);
    ck_assert_int_eq(UVA_AWAIT(none), UV_EPERM);
}
END_TEST

SUITE("async", async_values_in_place, async_values_of_tasks, async_parameters,
      async_names_and_literals, async_nested_awaits, async_in_expressions,
      async_arguments_once, async_failures_go_up_with_their_message,
      async_handled_failures_are_over, async_codes, async_without_a_value,
      async_wait_for, async_cancelled_by_handle,
      async_cancel_reaches_the_awaited, async_run, async_uva_return_is_refused,
      async_outside_a_task)
