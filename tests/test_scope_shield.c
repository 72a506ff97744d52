/* Scopes looked into and changed while open: shields switched on and off,
 * effective deadlines, checkpoints. */
#include "support/program.h"

/* ---- shields ------------------------------------------------------------ */

/* In a task that has been cancelled, around every park. */
static int switching(void *arg) {
    (void)arg;
    uva_scope_t scope;
    ck_assert(uva_cancel(uva_current()));
    uva_scope_open(&scope, UVA_FOREVER, 0);
    record("%d", uva_sleep(1));
    ck_assert_int_eq(uva_scope_shield(&scope, true), 0);
    record("%d", uva_sleep(1));
    ck_assert_int_eq(uva_scope_shield(&scope, true), 0);
    record("%d", uva_sleep(1));
    ck_assert_int_eq(uva_scope_shield(&scope, false), 0);
    record("%d", uva_sleep(1));
    ck_assert_int_eq(uva_scope_shield(&scope, true), 0);
    record("%d", uva_sleep(1));
    /* Its own cancel comes through a shield. */
    uva_scope_cancel(&scope);
    record("%d", uva_sleep(1));
    ck_assert_int_eq(uva_scope_shield(&scope, false), 0);
    record("%d", uva_scope_close(&scope));
    return uva_sleep(1);
}

static int switching_main(void *arg) {
    (void)arg;
    ck_assert_int_eq(uva_await(uva_spawn(switching, NULL), NULL), UV_ECANCELED);
    ck_assert_uint_eq(uva_now_ms(), 3);
    return 0;
}

START_TEST(scope_shield_switched_on_and_off) {
    CONFORMS("K-102");
    program_expect(switching_main);
    ck_expect_record("-125 0 0 -125 0 -125 -125");
}
END_TEST

static uva_scope_t *shared;

static int sleeps_in_shield(void *arg) {
    uva_scope_t scope;
    shared = &scope;
    uva_scope_open(&scope, UVA_FOREVER, UVA_SCOPE_SHIELD);
    uva_scope_t inner;
    uva_scope_open(&inner, UVA_FOREVER, arg != NULL ? UVA_SCOPE_SHIELD : 0);
    int code = uva_sleep(100);
    record("%d@%d", code, (int)uva_now_ms());
    record("%d", uva_scope_close(&inner));
    record("%d", uva_scope_close(&scope));
    return 0;
}

/* | task           | main               |
 * | sleep <park>   |                    |
 * |                | cancel: kept out   |
 * |                | shield off         |
 * | cut at once    |                    |
 */
static int lifted_main(void *arg) {
    uva_task_t *task = uva_spawn(sleeps_in_shield, arg);
    ck_assert_int_eq(uva_sleep(10), 0);
    ck_assert(uva_cancel(task));
    ck_assert_int_eq(uva_sleep(10), 0);
    ck_assert_int_eq(uva_scope_shield(shared, false), 0);
    int code = uva_await(task, NULL);
    ck_assert_int_eq(uva_scope_shield(shared, true), UV_EPERM);
    return code;
}

START_TEST(scope_shield_lifted_cuts_what_is_parked) {
    CONFORMS("K-102");
    ck_assert_int_eq(program_run(lifted_main, NULL), 0);
    ck_expect_record("-125@20 -125 -125");
    /* One further in holds. */
    ck_assert_int_eq(program_run(lifted_main, &shared), 0);
    ck_expect_record("0@100 0 0");
}
END_TEST

/* Set up between cancel and park, it keeps the park. */
static int late_shield_main(void *arg) {
    (void)arg;
    uva_scope_t outer;
    uva_scope_t scope;
    uva_scope_open(&outer, 10, 0);
    uva_scope_open(&scope, UVA_FOREVER, 0);
    ck_assert_int_eq(uva_scope_shield(&scope, true), 0);
    ck_assert_int_eq(uva_sleep(50), 0);
    ck_assert_int_eq(uva_scope_close(&scope), 0);
    ck_assert_int_eq(uva_sleep(1), UV_ECANCELED);
    ck_assert_int_eq(uva_scope_close(&outer), UV_ETIMEDOUT);
    ck_assert_uint_eq(uva_now_ms(), 50);
    return uva_sleep(1);
}

START_TEST(scope_shield_switched_on_in_time) {
    program_expect(late_shield_main);
}
END_TEST

static int has_group_in_shield(void *arg) {
    (void)arg;
    uva_scope_t scope;
    uva_group_t group;
    shared = &scope;
    uva_scope_open(&scope, UVA_FOREVER, UVA_SCOPE_SHIELD);
    uva_group_open(&group);
    worker_t child = {.name = "child", .ms = 500};
    (void)uva_group_spawn(&group, worker, &child);
    record("await:%d", uva_await(spawn_worker("awaited", 500, 0), NULL));
    record("group:%d", uva_group_close(&group));
    record("scope:%d", uva_scope_close(&scope));
    return 0;
}

/* Lifting a shield reaches groups behind it and who is waited for, once. */
static int group_lifted_main(void *arg) {
    (void)arg;
    uva_task_t *task = uva_spawn(has_group_in_shield, NULL);
    ck_assert_int_eq(uva_sleep(10), 0);
    ck_assert(uva_cancel_with(task, "because"));
    ck_assert_int_eq(uva_sleep(10), 0);
    ck_assert_int_eq(uva_scope_shield(shared, false), 0);
    ck_assert_int_eq(uva_await(task, NULL), 0);
    ck_assert_uint_eq(uva_now_ms(), 20);
    return 0;
}

START_TEST(scope_shield_lifted_reaches_children) {
    program_expect(group_lifted_main);
    ck_expect_record("child! awaited! await:-125 group:-125 scope:-125");
}
END_TEST

/* ---- effective deadlines ------------------------------------------------ */

static uint64_t limit(void) {
    return uva_scope_deadline_ms();
}

static int deadline_main(void *arg) {
    (void)arg;
    ck_assert_uint_eq(limit(), UVA_FOREVER);
    ck_assert_int_eq(uva_sleep(100), 0);
    uva_scope_t outer;
    uva_scope_t inner;
    uva_scope_open(&outer, 5, 0);
    uva_scope_open(&inner, 10, 0);
    ck_assert_uint_eq(limit(), 105);
    ck_assert_int_eq(uva_scope_reschedule(&inner, 3), 0);
    ck_assert_uint_eq(limit(), 103);
    ck_assert_int_eq(uva_scope_reschedule(&inner, 10), 0);
    ck_assert_int_eq(uva_scope_shield(&inner, true), 0);
    ck_assert_uint_eq(limit(), 110);
    ck_assert_int_eq(uva_scope_reschedule(&inner, UVA_FOREVER), 0);
    ck_assert_uint_eq(limit(), UVA_FOREVER);
    uva_scope_cancel(&outer);
    ck_assert_uint_eq(limit(), UVA_FOREVER);
    ck_assert_int_eq(uva_scope_shield(&inner, false), 0);
    ck_assert_uint_eq(limit(), 0);
    ck_assert_int_eq(uva_scope_close(&inner), 0);
    ck_assert_int_eq(uva_scope_close(&outer), 0);
    ck_assert_uint_eq(limit(), UVA_FOREVER);
    uva_scope_open(&inner, 0, 0);
    ck_assert_uint_eq(limit(), 0);
    (void)uva_scope_close(&inner);
    uva_scope_open(&inner, UVA_FOREVER - 1, 0);
    ck_assert_uint_eq(limit(), UVA_FOREVER);
    (void)uva_scope_close(&inner);
    return 0;
}

START_TEST(scope_effective_deadline) {
    CONFORMS("K-105");
    program_expect(deadline_main);
    ck_assert_uint_eq(uva_scope_deadline_ms(), UVA_FOREVER);
}
END_TEST

/* ---- entered twice, moved often, left with a failure -------------------- */

/* Opening is entering here: one that is cancelled beforehand is one of no
 * time; using one twice is tested in test_scope.c, where it aborts. A struct
 * that was closed may be opened anew. */
static int no_time_main(void *arg) {
    (void)arg;
    uva_scope_t scope;
    for (int i = 0; i < 2; i++) {
        uva_scope_open(&scope, 0, 0);
        ck_assert(uva_scope_is_cancelled(&scope));
        ck_assert_int_eq(uva_yield(), UV_ECANCELED);
        ck_assert_int_eq(uva_scope_close(&scope), UV_ETIMEDOUT);
    }
    uva_scope_open(&scope, UVA_FOREVER, 0);
    uva_scope_cancel(&scope);
    ck_assert_int_eq(uva_sleep(5), UV_ECANCELED);
    ck_assert_int_eq(uva_scope_close(&scope), UV_ECANCELED);
    return uva_yield();
}

START_TEST(scope_cancelled_before_its_first_park) {
    CONFORMS("K-104");
    program_expect(no_time_main);
}
END_TEST

/* What trio calls move_on_after and fail_after: the same scope, and who closes
 * it goes on or fails. Both keep their deadline inside a shield. */
static int move_on_after(uint64_t ms, unsigned flags) {
    uva_scope_t scope;
    uva_scope_open(&scope, ms, flags);
    record("%d", uva_sleep(100));
    return uva_scope_close(&scope);
}

static int clean_up(void *arg) {
    (void)arg;
    ck_assert_int_eq(uva_sleep(1000), UV_ECANCELED);
    record("%d", move_on_after(10, UVA_SCOPE_SHIELD));
    return move_on_after(20, UVA_SCOPE_SHIELD);
}

static int after_main(void *arg) {
    (void)arg;
    record("%d", move_on_after(10, 0));
    record("%d", move_on_after(200, 0));
    uva_task_t *task = uva_spawn(clean_up, NULL);
    ck_assert_int_eq(uva_yield(), 0);
    ck_assert_int_eq(uva_cancel_and_wait(task), UV_ETIMEDOUT);
    ck_assert_uint_eq(uva_now_ms(), 140);
    return 0;
}

START_TEST(scope_clean_up_for_so_long) {
    CONFORMS("K-106");
    program_expect(after_main);
    ck_expect_record("-125 -110 0 0 -125 -110 -125");
}
END_TEST

static size_t count(const uva_deadline_t *deadline) {
    return deadline == NULL
               ? 0
               : 1 + count(deadline->child) + count(deadline->next);
}

/* The deadline is an element of the store, not an entry in it: moved, nothing
 * is left behind. */
static int moved_main(void *arg) {
    (void)arg;
    uva_scope_t outer;
    uva_scope_t scope;
    uva_scope_open(&outer, 100000, 0);
    uva_scope_open(&scope, 1000, 0);
    unsigned long before = faults_allocations();
    for (uint64_t i = 0; i < 10000; i++)
        ck_assert_int_eq(uva_scope_reschedule(&scope, 1 + i * 7919 % 5000), 0);
    ck_assert_uint_eq(faults_allocations(), before);
    ck_assert_uint_eq(count(&outer.deadline) + count(&scope.deadline), 3);
    ck_assert_int_eq(uva_scope_close(&scope), 0);
    ck_assert_uint_eq(count(&outer.deadline), 1);
    ck_assert_int_eq(uva_scope_close(&outer), 0);
    return 0;
}

START_TEST(scope_deadline_moved_often) {
    CONFORMS("K-107");
    program_expect(moved_main);
}
END_TEST

static int fails_unrelated(uva_scope_t *scope) {
    uva_scope_cancel(scope);
    return -42;
}

static int unrelated_main(void *arg) {
    (void)arg;
    uva_scope_t scope;
    uva_scope_open(&scope, UVA_FOREVER, 0);
    ck_assert(!uva_scope_is_cancelled(&scope));
    int code = fails_unrelated(&scope);
    ck_assert_int_eq(uva_scope_close(&scope), 0); /* nothing was cut */
    ck_assert(uva_scope_is_cancelled(&scope));
    ck_assert_int_eq(code, -42);
    return uva_sleep(1);
}

START_TEST(scope_cancelled_and_left_with_a_failure) {
    CONFORMS("K-108");
    program_expect(unrelated_main);
}
END_TEST

/* ---- checkpoints -------------------------------------------------------- */

static int counts(void *arg) {
    int code = 0;
    while (code == 0) {
        ++*(int *)arg;
        code = uva_checkpoint();
    }
    return code;
}

static int checkpoint_main(void *arg) {
    (void)arg;
    int rounds = 0;
    uva_task_t *task = uva_spawn(counts, &rounds);
    for (int i = 0; i < 3; i++)
        ck_assert_int_eq(uva_yield(), 0);
    ck_assert_int_eq(rounds, 3);
    ck_assert(uva_cancel(task));
    /* It came while the task gave way, and is met there. */
    ck_assert_int_eq(uva_await(task, NULL), UV_ECANCELED);
    ck_assert_int_eq(rounds, 3);
    uva_scope_t scope;
    uva_scope_open(&scope, 0, 0);
    task = spawn_worker("w", 0, 0);
    ck_assert_int_eq(uva_checkpoint(), UV_ECANCELED);
    ck_expect_record("");
    ck_assert_int_eq(uva_scope_close(&scope), UV_ETIMEDOUT);
    return uva_await(task, NULL);
}

/* The scope knows that the check cut it short. */
static int checkpoint_scope_main(void *arg) {
    (void)arg;
    uva_scope_t scope;
    uva_scope_open(&scope, UVA_FOREVER, 0);
    ck_assert_int_eq(uva_checkpoint(), 0);
    uva_scope_cancel(&scope);
    ck_assert_int_eq(uva_checkpoint(), UV_ECANCELED);
    ck_assert_int_eq(uva_scope_close(&scope), UV_ECANCELED);
    return 0;
}

START_TEST(checkpoint_meets_what_came_meanwhile) {
    program_expect(checkpoint_main);
    program_expect(checkpoint_scope_main);
    ck_assert_int_eq(uva_checkpoint(), UV_EPERM);
}
END_TEST

SUITE("scope_shield", scope_shield_switched_on_and_off,
      scope_shield_lifted_cuts_what_is_parked, scope_shield_switched_on_in_time,
      scope_shield_lifted_reaches_children, scope_effective_deadline,
      scope_cancelled_before_its_first_park, scope_clean_up_for_so_long,
      scope_deadline_moved_often, scope_cancelled_and_left_with_a_failure,
      checkpoint_meets_what_came_meanwhile)
