/* labels: valgrind; timeout: 30 */
/*
 * Blocks: left in order by every way out, whatever the kind. What their ends do
 * to a failure that is on its way up: test_with_failures.c.
 */
#include "with_fixture.h"

#include <stdio.h>

/* ---- every kind, every way out ------------------------------------------ */

static uva_lock_t lock;
static uva_semaphore_t semaphore;
static uva_rwlock_t rwlock;
static uva_group_t group;
static session_t session = {.name = "s"};

#define LEAVER(name, kind, ...) \
    static int name(way_t way) { \
        UVA_WITH(kind, __VA_ARGS__) { \
            LEAVE(way); \
        } \
        record("after"); \
        return 0; \
    out: \
        return 8; \
    }

LEAVER(leave_lock, lock, &lock)
LEAVER(leave_semaphore, semaphore, &semaphore)
LEAVER(leave_reading, reading, &rwlock)
LEAVER(leave_writing, writing, &rwlock)
LEAVER(leave_timeout, timeout, 5000)
LEAVER(leave_shield, shield, 5000)
LEAVER(leave_group, group, &group)
LEAVER(leave_session, session, &session)

static int leave_three(way_t way) {
    UVA_WITH(lock, &lock)
        UVA_WITH(timeout, UVA_FOREVER)
            UVA_WITH(session, &session) {
                LEAVE(way);
            }
    record("after");
    return 0;
out:
    return 8;
}

typedef int (*leaver_t)(way_t way);

static const leaver_t leavers[] = {
    leave_lock,   leave_semaphore, leave_reading, leave_writing, leave_timeout,
    leave_shield, leave_group,     leave_session, leave_three};

UVA_ASYNC(void, leave, (leaver_t, leaver), (way_t, way)) {
    return leaver(way);
}

static const struct {
    int code;
    const char *message;
    const char *seen;
} outcomes[WAYS] = {
    [END] = {0, NULL, "in end after"},  [BREAK] = {0, NULL, "in after"},
    [CONTINUE] = {0, NULL, "in after"}, [RETURN] = {7, NULL, "in"},
    [GOTO] = {8, NULL, "in"},           [TRY] = {-5, "no -5", "in"},
    [CHECK] = {-6, NULL, "in"},         [CUT] = {UV_ECANCELED, "enough", "in"},
};

static void expect_all_left(void) {
    ck_assert(!uva_lock_is_locked(&lock));
    ck_assert_uint_eq(uva_semaphore_value(&semaphore), 1);
    ck_assert_int_eq(uva_rwlock_try_acquire_write(&rwlock), 0);
    ck_assert_int_eq(uva_rwlock_release_write(&rwlock), 0);
    ck_assert_uint_eq(uva_scope_deadline_ms(), UVA_FOREVER);
    ck_assert_int_eq(uva_sleep(1), 0);
}

static void expect_way(leaver_t leaver, way_t way) {
    char expected[64];
    bool records = leaver == leave_session || leaver == leave_three;
    int length = snprintf(expected, sizeof expected, "%s%s",
                          records ? "+s " : "", outcomes[way].seen);
    if (records && way <= CONTINUE)
        (void)snprintf(expected + length - strlen("after"),
                       sizeof expected - (size_t)length, "-s after");
    else if (records)
        (void)snprintf(expected + length, sizeof expected - (size_t)length,
                       " -s");
    ck_expect_record(expected);
    const char *message = uva_last_message();
    ck_assert_pstr_eq(message, outcomes[way].message);
    expect_all_left();
}

static int every_way_main(void *arg) {
    (void)arg;
    uva_lock_init(&lock);
    uva_semaphore_init(&semaphore, 1);
    uva_rwlock_init(&rwlock);
    for (size_t i = 0; i < sizeof leavers / sizeof leavers[0]; i++) {
        for (way_t way = END; way < CUT; way++) {
            ck_assert_int_eq(UVA_AWAIT(leave(leavers[i], way)),
                             outcomes[way].code);
            expect_way(leavers[i], way);
            ck_assert_int_eq(UVA_AWAIT(UVA_SPAWN(leave(leavers[i], way))),
                             outcomes[way].code);
            expect_way(leavers[i], way);
        }
    }
    return 0;
}

START_TEST(with_every_kind_every_way) {
    program_expect(every_way_main);
}
END_TEST

static int cut_main(void *arg) {
    (void)arg;
    uva_lock_init(&lock);
    uva_semaphore_init(&semaphore, 1);
    uva_rwlock_init(&rwlock);
    for (size_t i = 0; i < sizeof leavers / sizeof leavers[0]; i++) {
        struct leave task = UVA_SPAWN(leave(leavers[i], CUT));
        ck_assert_int_eq(uva_sleep(10), 0);
        ck_assert(uva_cancel_with(task.future, "enough"));
        if (leavers[i] == leave_shield) {
            ck_assert_int_eq(UVA_AWAIT(task), 0);
            ck_expect_record("in end after");
            continue;
        }
        ck_assert_int_eq(UVA_AWAIT(task), UV_ECANCELED);
        expect_way(leavers[i], CUT);
    }
    return 0;
}

START_TEST(with_every_kind_cancelled) {
    program_expect(cut_main);
}
END_TEST

/* ---- order -------------------------------------------------------------- */

static int nested(way_t way) {
    session_t a = {.name = "a"}, b = {.name = "b"}, c = {.name = "c"};
    UVA_WITH(session, &a) {
        UVA_WITH(session, &b) {
            UVA_WITH(session, &c) {
                LEAVE(way);
            }
            record("c over");
        }
        record("b over");
    }
    ck_assert_int_eq(a.failure + b.failure + c.failure, 0);
    return 0;
out:
    record("out");
    return 8;
}

static int nested_main(void *arg) {
    (void)arg;
    ck_assert_int_eq(nested(END), 0);
    ck_expect_record("+a +b +c in end -c c over -b b over -a");
    ck_assert_int_eq(nested(BREAK), 0);
    ck_expect_record("+a +b +c in -c c over -b b over -a");
    ck_assert_int_eq(nested(RETURN), 7);
    ck_expect_record("+a +b +c in -c -b -a");
    ck_assert_int_eq(nested(GOTO), 8);
    ck_expect_record("+a +b +c in -c -b -a out");
    ck_assert_int_eq(nested(TRY), -5);
    ck_expect_record("+a +b +c in -c -b -a");
    return 0;
}

START_TEST(with_nested_blocks_in_order) {
    program_expect(nested_main);
}
END_TEST

/* One statement, wherever one may stand; a loop around it is not left. */
static int places_main(void *arg) {
    (void)arg;
    session_t a = {.name = "a"}, b = {.name = "b"};
    int rounds = 0;
    for (int i = 0; i < 3; i++)
        UVA_WITH(session, &a) {
            if (i == 1)
                continue;
            rounds++;
            if (i == 0)
                break;
        }
    ck_assert_int_eq(rounds, 2);
    ck_expect_record("+a -a +a -a +a -a");
    if (rounds == 2)
        UVA_WITH(session, &a)
            record("then");
    else
        UVA_WITH(session, &b)
            record("else");
    switch (rounds) {
    case 2:
        UVA_WITH(session, &b) {
            break;
        }
        record("still in the case");
        break;
    default:
        return UV_EIO;
    }
    ck_expect_record("+a then -a +b -b still in the case");
    return 0;
}

START_TEST(with_is_one_statement) {
    program_expect(places_main);
}
END_TEST

/* ---- enter and exit that fail ------------------------------------------- */

static int enters(session_t *self) {
    UVA_WITH(session, self)
        record("in");
    record("after");
    return 0;
}

static int enters_inside(session_t *outer, session_t *inner) {
    UVA_WITH(session, outer)
        UVA_WITH(session, inner)
            record("in");
    record("after");
    return 0;
}

UVA_ASYNC(void, opens, (session_t *, self)) {
    UVA_CHECK(enters(self));
    return 0;
}

static int enter_fails_main(void *arg) {
    (void)arg;
    session_t bad = {.name = "bad", .enter_code = -9};
    session_t good = {.name = "good"};
    ck_assert_int_eq(UVA_AWAIT(opens(&bad)), -9);
    ck_assert_str_eq(uva_last_message(), "bad is closed");
    ck_expect_record("+bad");
    ck_assert_int_eq(UVA_AWAIT(UVA_SPAWN(opens(&bad))), -9);
    ck_assert_str_eq(uva_last_message(), "bad is closed");
    ck_expect_record("+bad");
    ck_assert_int_eq(enters_inside(&good, &bad), -9);
    ck_expect_record("+good +bad -good");
    ck_assert_int_eq(good.failure, -9);
    bad.enter_code = 5; /* any success is one */
    ck_assert_int_eq(enters(&bad), 0);
    ck_expect_record("+bad in -bad after");
    return 0;
}

START_TEST(with_enter_fails) {
    program_expect(enter_fails_main);
}
END_TEST

static int leaves(session_t *self, way_t way) {
    UVA_WITH(session, self) {
        LEAVE(way);
    }
    record("after");
    return 0;
out:
    return 8;
}

static int exit_fails_main(void *arg) {
    (void)arg;
    session_t bad = {.name = "bad", .exit_code = -9};
    ck_assert_int_eq(leaves(&bad, END), -9);
    ck_expect_record("+bad in end -bad");
    ck_assert_int_eq(leaves(&bad, BREAK), -9);
    ck_expect_record("+bad in -bad");
    ck_assert_int_eq(bad.failure, 0);
    /* A failure that is on its way is not covered by the exit's. */
    ck_assert_int_eq(leaves(&bad, TRY), -5);
    ck_assert_int_eq(bad.failure, -5);
    session_t good = {.name = "good"};
    ck_assert_int_eq(enters_inside(&good, &bad), -9);
    ck_assert_int_eq(good.failure, -9);
    ck_assert_int_eq(enters_inside(&bad, &good), -9);
    ck_assert_str_eq(support_reports(), "");
    return 0;
}

START_TEST(with_exit_fails) {
    program_expect(exit_fails_main);
}
END_TEST

/* Behind a hand-written return nobody can get it. */
static int unseen_main(void *arg) {
    (void)arg;
    session_t bad = {.name = "bad", .exit_code = -9};
    ck_assert_int_eq(leaves(&bad, RETURN), 7);
    ck_assert_uint_eq(support_report_count(), 1);
    ck_assert(support_reports_contain(
        "task 'main' returned out of a block whose end failed with -9"));
    ck_assert_int_eq(leaves(&bad, GOTO), 8);
    ck_assert_uint_eq(support_report_count(), 2);
    return 0;
}

START_TEST(with_exit_fails_behind_a_return) {
    ck_assert_int_eq(program_run(unseen_main, NULL), 0);
}
END_TEST

static int code_main(void *arg) {
    (void)arg;
    session_t s = {.name = "s", .enter_code = -9};
    int codes[2] = {99, 99};
    int *next = codes;
    UVA_WITH_CODE(next++, session, &s)
        record("in");
    ck_assert_int_eq(codes[0], -9);
    ck_expect_record("+s");
    s.enter_code = 0;
    UVA_WITH_CODE(next++, session, &s)
        record("in");
    ck_assert_int_eq(codes[1], 0);
    ck_assert_ptr_eq(next, codes + 2);
    s.exit_code = -8;
    UVA_WITH_CODE(&codes[0], session, &s) {
        break;
    }
    ck_assert_int_eq(codes[0], -8);
    UVA_WITH_CODE(&codes[0], timeout, 10)
        ck_assert_int_eq(uva_sleep(1000), UV_ECANCELED);
    ck_assert_int_eq(codes[0], UV_ETIMEDOUT);
    UVA_WITH_CODE(&codes[0], timeout, 10)
        ck_assert_int_eq(uva_sleep(1), 0);
    ck_assert_int_eq(codes[0], 0);
    ck_expect_record("+s in -s +s -s");
    return 0;
}

START_TEST(with_code) {
    program_expect(code_main);
}
END_TEST

START_TEST(with_outside_a_task) {
    uva_lock_init(&lock);
    ck_assert_int_eq(leave_lock(END), UV_EPERM);
    ck_expect_record("");
}
END_TEST

SUITE("with", with_every_kind_every_way, with_every_kind_cancelled,
      with_nested_blocks_in_order, with_is_one_statement, with_enter_fails,
      with_exit_fails, with_exit_fails_behind_a_return, with_code,
      with_outside_a_task)
