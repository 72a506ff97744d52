/* labels: valgrind; timeout: 30 */
/*
 * Blocks, and the failures that go up through them: deadlines, groups, and
 * exits that wait.
 */
#include "with_fixture.h"

static uva_lock_t lock;

/* ---- deadlines ---------------------------------------------------------- */

UVA_ASYNC(int, waits) {
    UVA_RETURN(UVA_TRY(timed_note("w", 1000)));
}

UVA_ASYNC(int, one_level) {
    UVA_WITH(timeout, 10) {
        UVA_TRY(waits());
    }
    UVA_RETURN(1);
}

static int plain_level(void) {
    UVA_WITH(timeout, 10) {
        int ms = UVA_TRY(waits());
        return ms;
    }
    return 2;
}

static int plain_between(void) {
    UVA_CHECK(plain_level());
    return 0;
}

/* The block is in a plain function, which can only return UV_ECANCELED. */
UVA_ASYNC(int, two_levels) {
    UVA_RETURN(UVA_CHECK(plain_level()));
}

UVA_ASYNC(int, three_levels) {
    UVA_WITH(lock, &lock) {
        UVA_CHECK(plain_between());
    }
    UVA_RETURN(1);
}

UVA_ASYNC(int, returns_it) {
    int code = plain_level();
    return code; /* by hand */
}

UVA_ASYNC(int, nested_deadlines) {
    session_t s = {.name = "s"};
    UVA_WITH(timeout, 50) {
        UVA_WITH(session, &s) {
            UVA_WITH(timeout, 10) {
                UVA_TRY(waits());
            }
        }
    }
    UVA_RETURN(1);
}

UVA_ASYNC(int, outer_deadline) {
    UVA_WITH(timeout, 10) {
        UVA_WITH(timeout, 500) {
            UVA_WITH(lock, &lock) {
                UVA_TRY(waits());
            }
        }
    }
    UVA_RETURN(1);
}

static int deadlines_main(void *arg) {
    (void)arg;
    uva_lock_init(&lock);
#define CK_TIMED_OUT(coroutine) \
    do { \
        uint64_t began = uva_now_ms(); \
        ck_assert_int_eq(UVA_AWAIT(coroutine), UV_ETIMEDOUT); \
        ck_assert_int_eq(UVA_AWAIT(UVA_SPAWN(coroutine)), UV_ETIMEDOUT); \
        ck_assert_uint_eq(uva_now_ms(), began + 20); \
    } while (0)
    CK_TIMED_OUT(one_level());
    CK_TIMED_OUT(two_levels());
    CK_TIMED_OUT(three_levels());
    CK_TIMED_OUT(returns_it());
    CK_TIMED_OUT(nested_deadlines());
    CK_TIMED_OUT(outer_deadline());
    ck_assert_int_eq(plain_between(), UV_ETIMEDOUT);
    ck_assert_int_eq(uva_sleep(1), 0);
    return 0;
}

START_TEST(with_timeout_gives_etimedout) {
    program_expect(deadlines_main);
    ck_expect_record("w! w! w! w! w! w! w! w! +s w! -s +s w! -s w! w! w!");
}
END_TEST

/* A failure of another kind is not covered by a deadline that has passed. */
UVA_ASYNC(int, fails_late) {
    UVA_WITH(timeout, 10) {
        ck_assert_int_eq(uva_sleep(20), UV_ECANCELED);
        UVA_CHECK(uva_fail(-5, "late"));
    }
    UVA_RETURN(1);
}

static int fails_late_main(void *arg) {
    (void)arg;
    ck_assert_int_eq(UVA_AWAIT(fails_late()), -5);
    ck_assert_str_eq(uva_last_message(), "late");
    ck_assert_int_eq(UVA_AWAIT(UVA_SPAWN(fails_late())), -5);
    ck_assert_str_eq(uva_last_message(), "late");
    return 0;
}

START_TEST(with_timeout_leaves_failures_alone) {
    program_expect(fails_late_main);
}
END_TEST

static int cancelled_main(void *arg) {
    (void)arg;
    /* Cancelled before the deadline, and at the same moment. */
    for (uint64_t ms = 5; ms <= 10; ms += 5) {
        struct one_level task = UVA_SPAWN(one_level());
        ck_assert_int_eq(uva_sleep(ms), 0);
        if (uva_cancel(task.future))
            ck_assert_int_eq(UVA_AWAIT(task), UV_ECANCELED);
        else
            ck_assert_int_eq(UVA_AWAIT(task), UV_ETIMEDOUT);
    }
    return 0;
}

START_TEST(with_an_outer_cancel_wins) {
    program_expect(cancelled_main);
    ck_expect_record("w! w!");
}
END_TEST

/* ---- groups ------------------------------------------------------------- */

UVA_ASYNC(int, child_fails, (uint64_t, body_ms)) {
    uva_group_t own;
    UVA_WITH(group, &own) {
        UVA_CHECK(UVA_GROUP_SPAWN(&own, note("sibling", 500)));
        UVA_CHECK(UVA_GROUP_SPAWN(&own, breaks(-5, 5)));
        UVA_CHECK(uva_sleep(body_ms));
    }
    UVA_RETURN(1);
}

UVA_ASYNC(int, body_fails) {
    uva_group_t own;
    UVA_WITH(group, &own) {
        UVA_CHECK(UVA_GROUP_SPAWN(&own, note("child", 500)));
        UVA_TRY(breaks(-6, 5));
    }
    UVA_RETURN(1);
}

static int groups_main(void *arg) {
    (void)arg;
    for (uint64_t body_ms = 1; body_ms < 1000; body_ms += 900) {
        ck_assert_int_eq(UVA_AWAIT(child_fails(body_ms)), -5);
        ck_assert_str_eq(uva_last_message(), "no -5");
        ck_assert_int_eq(UVA_AWAIT(UVA_SPAWN(child_fails(body_ms))), -5);
        ck_assert_str_eq(uva_last_message(), "no -5");
    }
    ck_expect_record("sibling! sibling! sibling! sibling!");
    ck_assert_int_eq(UVA_AWAIT(body_fails()), -6);
    ck_assert_str_eq(uva_last_message(), "no -6");
    ck_assert_int_eq(UVA_AWAIT(UVA_SPAWN(body_fails())), -6);
    ck_assert_str_eq(uva_last_message(), "no -6");
    ck_expect_record("child! child!");
    ck_assert_uint_eq(uva_now_ms(), 6 * 5);
    struct child_fails task = UVA_SPAWN(child_fails(1000));
    ck_assert_int_eq(uva_sleep(1), 0);
    ck_assert(uva_cancel(task.future));
    ck_assert_int_eq(UVA_AWAIT(task), UV_ECANCELED);
    ck_expect_record("sibling!");
    return 0;
}

START_TEST(with_group_failures) {
    program_expect(groups_main);
}
END_TEST

/* ---- exits that wait ---------------------------------------------------- */

UVA_ASYNC(void, holds, (session_t *, self)) {
    UVA_WITH(session, self) {
        UVA_CHECK(uva_sleep(100000));
    }
    return 0;
}

static int exit_waits_main(void *arg) {
    (void)arg;
    session_t s = {.name = "s", .exit_ms = 300};
    struct holds task = UVA_SPAWN(holds(&s));
    ck_assert_int_eq(uva_sleep(10), 0);
    ck_assert(uva_cancel_with(task.future, "enough"));
    ck_assert_int_eq(UVA_AWAIT(task), UV_ECANCELED);
    ck_assert_str_eq(uva_last_message(), "enough");
    ck_assert_uint_eq(uva_now_ms(), 310);
    ck_assert_int_eq(s.failure, UV_ECANCELED);
    ck_assert_int_eq(s.slept, 0);
    return 0;
}

START_TEST(with_exit_waits_in_a_cancelled_task) {
    program_expect(exit_waits_main);
}
END_TEST

static int exit_cut_main(void *arg) {
    (void)arg;
    session_t s = {.name = "s", .exit_ms = 2 * UVA_EXIT_TIMEOUT_MS};
    struct holds task = UVA_SPAWN(holds(&s));
    ck_assert_int_eq(uva_sleep(10), 0);
    ck_assert(uva_cancel(task.future));
    ck_assert_int_eq(UVA_AWAIT(task), UV_ECANCELED);
    ck_assert_uint_eq(uva_now_ms(), 10 + UVA_EXIT_TIMEOUT_MS);
    ck_assert_int_eq(s.slept, UV_ECANCELED);
    /* In a task that nobody cancels. */
    int code;
    UVA_WITH_CODE(&code, session, &s)
        record("in");
    ck_assert_int_eq(code, UV_ETIMEDOUT);
    ck_assert_uint_eq(uva_now_ms(), 10 + 2 * UVA_EXIT_TIMEOUT_MS);
    return 0;
}

START_TEST(with_exit_is_bounded) {
    program_expect(exit_cut_main);
}
END_TEST

/* What an exit does and handles leaves the failure with its message alone. */
static int busy_exit(session_t *self, int failure) {
    (void)failure;
    record("-%s", self->name);
    ck_assert_int_eq(UVA_AWAIT(breaks(-77, 1)), -77);
    ck_assert_int_eq(UVA_AWAIT(UVA_SPAWN(breaks(-78, 1))), -78);
    UVA_TRY(add(1, 1, 1));
    return UVA_AWAIT(UVA_SPAWN(note("busy", 1)));
}

UVA_DEFINE_WITH(busy_session, session_t *, session_enter, busy_exit);

UVA_ASYNC(int, fails_in_busy, (session_t *, self), (bool, times_out)) {
    UVA_WITH(busy_session, self) {
        UVA_WITH(busy_session, self) {
            if (times_out)
                UVA_TRY(one_level());
            UVA_WITH(timeout, 20) {
                UVA_TRY(breaks(-5, times_out ? 50 : 5));
            }
        }
    }
    UVA_RETURN(1);
}

static int plain_busy(session_t *self) {
    UVA_WITH(busy_session, self) {
        UVA_WITH(timeout, 20) {
            UVA_TRY(waits());
        }
    }
    return 0;
}

UVA_ASYNC(int, through_busy, (session_t *, self)) {
    UVA_CHECK(plain_busy(self));
    UVA_RETURN(1);
}

static int busy_main(void *arg) {
    (void)arg;
    session_t s = {.name = "s"};
    ck_assert_int_eq(UVA_AWAIT(fails_in_busy(&s, false)), -5);
    ck_assert_str_eq(uva_last_message(), "no -5");
    ck_assert_int_eq(UVA_AWAIT(UVA_SPAWN(fails_in_busy(&s, false))), -5);
    ck_assert_str_eq(uva_last_message(), "no -5");
    ck_assert_int_eq(UVA_AWAIT(fails_in_busy(&s, true)), UV_ETIMEDOUT);
    ck_assert_int_eq(UVA_AWAIT(UVA_SPAWN(fails_in_busy(&s, true))),
                     UV_ETIMEDOUT);
    ck_assert_int_eq(UVA_AWAIT(through_busy(&s)), UV_ETIMEDOUT);
    ck_assert_int_eq(UVA_AWAIT(UVA_SPAWN(through_busy(&s))), UV_ETIMEDOUT);
    return 0;
}

START_TEST(with_exit_leaves_the_failure_alone) {
    program_expect(busy_main);
}
END_TEST

/* ---- what was handled --------------------------------------------------- */

UVA_ASYNC(void, awaits_cancelled) {
    struct note other = UVA_SPAWN(note("other", 1));
    (void)uva_cancel(other.future);
    UVA_TRY(other);
    return 0;
}

/* A deadline in a plain function, whose code was dealt with by hand. */
UVA_ASYNC(void, handles_then_fails) {
    int code = plain_level();
    ck_assert_int_eq(code, UV_ECANCELED);
    UVA_TRY(awaits_cancelled());
    return 0;
}

UVA_ASYNC(void, handles_then_waits) {
    int code = plain_level();
    ck_assert_int_eq(code, UV_ECANCELED);
    struct note other = UVA_SPAWN(note("other", 1));
    (void)uva_cancel(other.future);
    UVA_TRY(other);
    return 0;
}

static int handled_main(void *arg) {
    (void)arg;
    ck_assert_int_eq(UVA_AWAIT(handles_then_fails()), UV_ECANCELED);
    ck_assert_int_eq(UVA_AWAIT(UVA_SPAWN(handles_then_fails())), UV_ECANCELED);
    ck_assert_int_eq(UVA_AWAIT(handles_then_waits()), UV_ECANCELED);
    ck_assert_int_eq(UVA_AWAIT(one_level()), UV_ETIMEDOUT);
    ck_assert_int_eq(UVA_AWAIT(awaits_cancelled()), UV_ECANCELED);
    return 0;
}

START_TEST(with_handled_failures_are_over) {
    program_expect(handled_main);
}
END_TEST

/* An exit that says no more than that adds nothing. */
UVA_ASYNC(void, fails_twice, (session_t *, self)) {
    struct note other = UVA_SPAWN(note("other", 1));
    (void)uva_cancel_with(other.future, "not needed");
    UVA_WITH(session, self) {
        UVA_TRY(other);
    }
    return 0;
}

static int fails_twice_main(void *arg) {
    (void)arg;
    session_t s = {.name = "s", .exit_code = UV_ECANCELED, .exit_ms = 1};
    ck_assert_int_eq(UVA_AWAIT(fails_twice(&s)), UV_ECANCELED);
    ck_assert_str_eq(uva_last_message(), "not needed");
    ck_assert_int_eq(UVA_AWAIT(UVA_SPAWN(fails_twice(&s))), UV_ECANCELED);
    ck_assert_str_eq(uva_last_message(), "not needed");
    return 0;
}

START_TEST(with_exit_cancelled_too) {
    program_expect(fails_twice_main);
}
END_TEST

/* Hand-written code that is cancelled has nothing to answer for. */
UVA_ASYNC(void, by_hand) {
    UVA_WITH(timeout, 5000) {
        int code = uva_sleep(1000);
        if (code < 0)
            return code;
    }
    return 0;
}

static int by_hand_main(void *arg) {
    (void)arg;
    struct by_hand task = UVA_SPAWN(by_hand());
    ck_assert_int_eq(uva_sleep(1), 0);
    ck_assert(uva_cancel(task.future));
    ck_assert_int_eq(UVA_AWAIT(task), UV_ECANCELED);
    return 0;
}

START_TEST(with_return_by_hand_in_a_cancelled_task) {
    program_expect(by_hand_main);
}
END_TEST

SUITE("with_failures", with_timeout_gives_etimedout,
      with_timeout_leaves_failures_alone, with_an_outer_cancel_wins,
      with_group_failures, with_exit_waits_in_a_cancelled_task,
      with_exit_is_bounded, with_exit_leaves_the_failure_alone,
      with_handled_failures_are_over, with_exit_cancelled_too,
      with_return_by_hand_in_a_cancelled_task)
