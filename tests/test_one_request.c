/* One request asks each task once, by however many ways it comes; a task that
 * is asked twice and takes one request back could not clean up. */
#include "support/program.h"

/* Cut short, it stays 50 ms, and records how often it was asked. */
static int stays(void *name) {
    int code = uva_sleep(1000);
    uva_scope_t shield;
    uva_scope_open(&shield, UVA_FOREVER, UVA_SCOPE_SHIELD);
    (void)uva_sleep(50);
    (void)uva_scope_close(&shield);
    record("%s:%d", (const char *)name, uva_cancelling(uva_current()));
    return code;
}

static int awaits(void *f) {
    return uva_await(uva_ref(f), NULL);
}

/* `end` is awaited by both of these. */
static uva_future_t *ways[2];

static uva_task_t *two_ways(void) {
    uva_task_t *end = uva_spawn(stays, "end");
    for (int i = 0; i < 2; i++)
        ways[i] = uva_spawn(awaits, end);
    return end;
}

/* ---- who is awaited ----------------------------------------------------- */

static int diamond_main(void *arg) {
    (void)arg;
    uva_task_t *end = two_ways();
    uva_scope_t scope;
    uva_scope_open(&scope, 10, 0);
    ck_assert_int_eq(uva_gather(ways, 2, NULL), UV_ECANCELED);
    ck_assert_int_eq(uva_scope_close(&scope), UV_ETIMEDOUT);
    ck_assert_uint_eq(uva_now_ms(), 60);
    uva_unref(end);
    return 0;
}

START_TEST(one_request_of_a_deadline_by_two_ways) {
    program_expect(diamond_main);
    ck_expect_record("end:1");
}
END_TEST

static int twice_main(void *arg) {
    (void)arg;
    uva_task_t *end = uva_spawn(stays, "end");
    uva_future_t *same[] = {end, uva_ref(end)};
    uva_scope_t scope;
    uva_scope_open(&scope, 10, 0);
    ck_assert_int_eq(uva_gather(same, 2, NULL), UV_ECANCELED);
    ck_assert_int_eq(uva_scope_close(&scope), UV_ETIMEDOUT);
    return 0;
}

START_TEST(one_request_of_a_deadline_to_a_duplicate) {
    CONFORMS("K-051");
    program_expect(twice_main);
    ck_expect_record("end:1");
}
END_TEST

/* The failure of a sibling, and the success of one that races. */
static int sibling_main(void *arg) {
    (void)arg;
    for (int race = 0; race < 2; race++) {
        uva_task_t *end = two_ways();
        uva_future_t *three[] = {ways[0], ways[1],
                                 spawn_worker("w", 10, race ? 0 : -9)};
        ck_assert_int_eq(race ? uva_race(three, 3, NULL, NULL)
                              : uva_gather(three, 3, NULL),
                         race ? 0 : -9);
        uva_unref(end);
    }
    return 0;
}

START_TEST(one_request_of_a_sibling_by_two_ways) {
    program_expect(sibling_main);
    ck_expect_record("w end:1 w end:1");
}
END_TEST

static uva_scope_t *theirs;

static int awaits_in_scope(void *f) {
    uva_scope_t scope;
    theirs = &scope;
    uva_scope_open(&scope, UVA_FOREVER, 0);
    (void)uva_await(uva_ref(f), NULL);
    record("close:%d", uva_scope_close(&scope));
    return 0;
}

/* A scope is cancelled or it is not; a task's requests are counted. */
static int repeated_main(void *arg) {
    (void)arg;
    uva_task_t *end = uva_spawn(stays, "end");
    uva_task_t *task = uva_spawn(awaits_in_scope, end);
    ck_assert_int_eq(uva_sleep(10), 0);
    for (int i = 0; i < 3; i++)
        uva_scope_cancel(theirs);
    uva_unref(end);
    return uva_await(task, NULL);
}

START_TEST(one_request_of_a_scope_cancelled_often) {
    CONFORMS("K-100");
    program_expect(repeated_main);
    ck_expect_record("end:1 close:-125");
}
END_TEST

/* Cleanup that stops its helper. */
static int stops_helper(void *helper) {
    ck_assert_int_eq(uva_sleep(1000), UV_ECANCELED);
    return uva_cancel_and_wait(helper);
}

static int stop_main(void *arg) {
    (void)arg;
    uva_task_t *helper = uva_spawn(stays, "helper");
    uva_task_t *task = uva_spawn(stops_helper, helper);
    ck_assert_int_eq(uva_sleep(10), 0);
    ck_assert(uva_cancel(task));
    ck_assert_int_eq(uva_await(task, NULL), UV_ECANCELED);
    return 0;
}

START_TEST(one_request_of_a_cancelled_task_that_stops_another) {
    program_expect(stop_main);
    ck_expect_record("helper:1");
}
END_TEST

/* Who is pending at the end is asked by who awaits it, and on its own. */
static int leaves_main(void *arg) {
    (void)arg;
    uva_task_t *end = two_ways();
    for (int i = 0; i < 2; i++)
        uva_detach(ways[i]);
    ck_assert_int_eq(uva_sleep(1), 0);
    uva_detach(end);
    return 0;
}

START_TEST(one_request_of_the_end) {
    ck_assert_int_eq(program_run(leaves_main, NULL), 0);
    ck_assert_uint_eq(support_report_count(), 3);
    ck_expect_record("end:1");
}
END_TEST

static int waits_in_shield(void *gate) {
    uva_scope_t shield;
    uva_scope_open(&shield, UVA_FOREVER, UVA_SCOPE_SHIELD);
    ck_assert_int_eq(uva_await(uva_ref(gate), NULL), 0);
    (void)uva_scope_close(&shield);
    record("shielded:%d", uva_cancelling(uva_current()));
    return 0;
}

static int opens_when_cut(void *gate) {
    ck_assert_int_eq(uva_sleep(UVA_FOREVER), UV_ECANCELED);
    return uva_future_resolve(gate, NULL);
}

/* | main         | shielded        | other          |
 * | await <park> | await gate      | sleep for ever |
 * deadlock: main is cancelled, and with it who it awaits; that frees nobody,
 * so the others are cancelled one by one, too
 * |              |                 | opens the gate |
 */
static int deadlock_main(void *arg) {
    (void)arg;
    uva_future_t *gate = uva_future_new();
    uva_task_t *shielded = uva_spawn(waits_in_shield, gate);
    uva_task_t *other = uva_spawn(opens_when_cut, gate);
    ck_assert_int_eq(uva_await(shielded, NULL), 0);
    ck_assert_int_eq(uva_cancelling(uva_current()), 1);
    ck_assert_int_eq(uva_await(other, NULL), 0);
    uva_unref(gate);
    return 0;
}

START_TEST(one_request_of_a_deadlock) {
    ck_assert_int_eq(program_run(deadlock_main, NULL), 0);
    ck_assert(support_reports_contain("deadlock"));
    ck_expect_record("shielded:1");
}
END_TEST

/* ---- groups ------------------------------------------------------------- */

static int own_child_main(void *arg) {
    (void)arg;
    uva_scope_t scope;
    uva_group_t group;
    uva_task_t *child = NULL;
    uva_scope_open(&scope, 10, 0);
    uva_group_open(&group);
    (void)uva_group_spawn_with(&group, NULL, stays, "child", &child);
    ck_assert_int_eq(uva_await(child, NULL), UV_ECANCELED);
    ck_assert_int_eq(uva_group_close(&group), UV_ECANCELED);
    ck_assert_int_eq(uva_scope_close(&scope), UV_ETIMEDOUT);
    return 0;
}

START_TEST(one_request_to_a_child_that_the_body_awaits) {
    program_expect(own_child_main);
    ck_expect_record("child:1");
}
END_TEST

static int fails_at_10(void *arg) {
    (void)arg;
    int code = uva_sleep(10);
    return code < 0 ? -6 : -5;
}

/* A child fails after 10 ms, or answers a request so. */
static int owner(void *arg) {
    (void)arg;
    uva_group_t group;
    uva_group_open(&group);
    (void)uva_group_spawn(&group, stays, "child");
    (void)uva_group_spawn(&group, fails_at_10, NULL);
    int code = uva_group_close(&group);
    record("closed:%d", code);
    return code;
}

/* | main         | owner | child           | fails             |
 * |              | close | sleep           | sleep             |
 * |              |       | cut             | fails at 10       |
 * | cancel at 20 |       | ... cleaning up |                   |
 */
static int cleaning_main(void *arg) {
    uint64_t first = *(uint64_t *)arg;
    uva_task_t *task = uva_spawn(owner, NULL);
    for (int i = 0; i < 2; i++) {
        ck_assert_int_eq(uva_sleep(first), 0);
        ck_assert(uva_cancel(task));
    }
    return uva_await(task, NULL);
}

START_TEST(one_request_of_a_cancel_while_children_clean_up) {
    CONFORMS("K-088");
    ck_assert_int_eq(program_run(cleaning_main, &(uint64_t){20}), -5);
    ck_expect_record("child:1 closed:-5");
    ck_assert_str_eq(support_reports(), "");
}
END_TEST

/* The other order: what fails in its cleanup does not ask its siblings anew. */
START_TEST(one_request_of_a_failure_while_siblings_clean_up) {
    CONFORMS("K-089");
    ck_assert_int_eq(program_run(cleaning_main, &(uint64_t){5}), -6);
    ck_expect_record("child:1 closed:-6");
    ck_assert_str_eq(support_reports(), "");
}
END_TEST

static int awaits_then_again(void *arg) {
    (void)arg;
    int code = uva_sleep(1000);
    record("first:%d", code);
    ck_assert_int_eq(uva_uncancel(uva_current()), 0);
    code = uva_sleep(1000);
    record("second:%d", code);
    return code;
}

static int owner_again(void *arg) {
    (void)arg;
    uva_group_t group;
    uva_group_open(&group);
    (void)uva_group_spawn(&group, awaits_then_again, NULL);
    return uva_group_close(&group);
}

/* Taken back in between, the next one is another. */
static int anew_main(void *arg) {
    (void)arg;
    uva_task_t *task = uva_spawn(owner_again, NULL);
    ck_assert_int_eq(uva_sleep(10), 0);
    ck_assert(uva_cancel(task));
    ck_assert_int_eq(uva_sleep(1), 0);
    ck_assert_int_eq(uva_uncancel(task), 0);
    ck_assert_int_eq(uva_cancel_and_wait(task), UV_ECANCELED);
    ck_assert_uint_eq(uva_now_ms(), 11);
    return 0;
}

START_TEST(one_request_each_when_it_was_taken_back) {
    program_expect(anew_main);
    ck_expect_record("first:-125 second:-125");
}
END_TEST

SUITE("one_request", one_request_of_a_deadline_by_two_ways,
      one_request_of_a_deadline_to_a_duplicate,
      one_request_of_a_sibling_by_two_ways,
      one_request_of_a_scope_cancelled_often,
      one_request_of_a_cancelled_task_that_stops_another,
      one_request_of_the_end, one_request_of_a_deadlock,
      one_request_to_a_child_that_the_body_awaits,
      one_request_of_a_cancel_while_children_clean_up,
      one_request_of_a_failure_while_siblings_clean_up,
      one_request_each_when_it_was_taken_back)
