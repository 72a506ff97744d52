/* labels: valgrind; timeout: 60 */
/* Locks: who gets them when, and that nobody loses one. */
#include "lock_fixture.h"

static uva_task_t *spawn_eagerly(uva_fn fn, const char *name) {
    return uva_spawn_with(&(uva_task_options_t){.name = name, .eager = true},
                          fn, (void *)(uintptr_t)name);
}

/* ---- holding ------------------------------------------------------------ */

static int locked_main(void *arg) {
    (void)arg;
    lock = (uva_lock_t)UVA_LOCK_INIT;
    expect_idle();
    ck_assert_int_eq(uva_lock_acquire(&lock), 0);
    ck_assert(uva_lock_is_locked(&lock));
    ck_assert_int_eq(uva_lock_release(&lock), 0);
    expect_idle();
    ck_assert_int_eq(uva_lock_release(&lock), UV_EPERM);
    ck_assert(support_reports_contain("uva_lock_release: nobody holds lock "
                                      "'(no name)'"));
    expect_idle();
    uva_lock_init(&lock);
    expect_idle();
    return 0;
}

START_TEST(lock_is_held_until_it_is_released) {
    CONFORMS("K-112");
    ck_assert_int_eq(program_run(locked_main, NULL), 0);
    ck_assert_uint_eq(support_report_count(), 1);
}
END_TEST

static int hold_for_a_turn(void *arg) {
    ck_assert_int_eq(uva_lock_acquire(&lock), 0);
    record("%s", (const char *)arg);
    ck_assert_int_eq(uva_sleep(1), 0);
    ck_assert_int_eq(uva_lock_release(&lock), 0);
    return 0;
}

static int order_main(void *arg) {
    (void)arg;
    uva_lock_init(&lock);
    ck_assert_int_eq(uva_lock_acquire(&lock), 0);
    uva_future_t *f[] = {uva_spawn(hold_for_a_turn, "1"),
                         uva_spawn(hold_for_a_turn, "2"),
                         uva_spawn(hold_for_a_turn, "3")};
    ck_assert_int_eq(uva_sleep(10), 0);
    record("main");
    for (int i = 0; i < 3; i++) {
        if (i == 0)
            ck_assert_int_eq(uva_lock_release(&lock), 0);
        ck_assert_int_eq(uva_yield(), 0);
        record("-");
        ck_assert(uva_lock_is_locked(&lock));
        ck_assert_int_eq(uva_lock_try_acquire(&lock), UV_EAGAIN);
        ck_assert_int_eq(uva_sleep(1), 0);
    }
    ck_assert_int_eq(uva_gather(f, 3, NULL), 0);
    expect_idle();
    return 0;
}

START_TEST(lock_goes_to_one_at_a_time_in_order) {
    CONFORMS("K-113");
    program_expect(order_main);
    ck_expect_record("main 1 - 2 - 3 -");
}
END_TEST

static int work_thrice(void *arg) {
    for (int i = 0; i < 3; i++) {
        ck_assert_int_eq(uva_lock_acquire(&lock), 0);
        record("%s", (const char *)arg);
        ck_assert_int_eq(uva_yield(), 0);
        ck_assert_int_eq(uva_lock_release(&lock), 0);
    }
    return 0;
}

/* | a                | b       |
 * | holds            | acquire |
 * | release, acquire |         |   a waits: b was first
 * |                  | holds   |
 */
static int turns_main(void *arg) {
    (void)arg;
    uva_lock_init(&lock);
    uva_future_t *f[] = {uva_spawn(work_thrice, "1"),
                         uva_spawn(work_thrice, "2"),
                         uva_spawn(work_thrice, "3")};
    ck_assert_int_eq(uva_gather(f, 3, NULL), 0);
    expect_idle();
    return 0;
}

START_TEST(lock_lets_nobody_barge_in) {
    CONFORMS("K-115");
    program_expect(turns_main);
    ck_expect_record("1 2 3 1 2 3 1 2 3");
}
END_TEST

static int inside;
static int entries;

static int enter_ten_times(void *arg) {
    (void)arg;
    for (int i = 0; i < 10; i++) {
        ck_assert_int_eq(uva_lock_acquire(&lock), 0);
        ck_assert_int_eq(inside++, 0);
        ck_assert_int_eq(uva_yield(), 0);
        ck_assert_int_eq(uva_yield(), 0);
        inside--;
        entries++;
        ck_assert_int_eq(uva_lock_release(&lock), 0);
    }
    return 0;
}

static int critical_main(void *arg) {
    (void)arg;
    uva_lock_init(&lock);
    uva_future_t *f[5];
    for (int i = 0; i < 5; i++)
        f[i] = uva_spawn(enter_ten_times, NULL);
    ck_assert_int_eq(uva_gather(f, 5, NULL), 0);
    ck_assert_int_eq(entries, 50);
    expect_idle();
    return 0;
}

START_TEST(lock_lets_one_in) {
    CONFORMS("K-117");
    program_expect(critical_main);
}
END_TEST

/* ---- not waiting -------------------------------------------------------- */

static int acquire_when_cancelled(void *arg) {
    (void)arg;
    ck_assert(uva_cancel(uva_current()));
    record("%d", uva_lock_acquire(&lock));
    ck_assert_int_eq(uva_lock_release(&lock), 0);
    uva_task_t *other = spawn_eagerly(hold_for_a_turn, "other");
    record("%d", uva_lock_acquire(&lock));
    (void)uva_uncancel(uva_current());
    return uva_await(other, NULL);
}

/* A lock that is free needs no park, so the request is not looked at. */
static int uncontended_main(void *arg) {
    (void)arg;
    uva_lock_init(&lock);
    uva_task_t *other = uva_spawn(hold, "late");
    for (int i = 0; i < 50; i++) {
        ck_assert_int_eq(uva_lock_acquire(&lock), 0);
        ck_assert_int_eq(uva_lock_try_acquire(&lock), UV_EAGAIN);
        ck_assert_int_eq(uva_lock_release(&lock), 0);
    }
    record("main");
    ck_assert_int_eq(uva_await(other, NULL), 0);
    return uva_await(uva_spawn(acquire_when_cancelled, NULL), NULL);
}

START_TEST(lock_that_is_free_does_not_switch) {
    CONFORMS("K-116");
    program_expect(uncontended_main);
    ck_expect_record("main late:0 0 other -125");
}
END_TEST

/* | main    | a       | other                     |
 * | holds   |         |                           |
 * |         | acquire |                           |
 * | release |         |                           |   a owns it
 * |         |         | try, acquire: has to wait |
 * |         | runs    |                           |
 */
static int queued_main(void *arg) {
    (void)arg;
    uva_lock_init(&lock);
    ck_assert_int_eq(uva_lock_acquire(&lock), 0);
    uva_task_t *a = uva_spawn(hold, "a");
    ck_assert_int_eq(uva_yield(), 0);
    ck_assert_int_eq(uva_lock_release(&lock), 0);
    ck_assert_int_eq(uva_lock_try_acquire(&lock), UV_EAGAIN);
    record("main");
    uva_task_t *other = spawn_eagerly(hold, "other");
    ck_assert_int_eq(uva_await(a, NULL), 0);
    ck_assert_int_eq(uva_await(other, NULL), 0);
    expect_idle();
    return 0;
}

START_TEST(lock_handed_on_is_not_free) {
    CONFORMS("K-116");
    program_expect(queued_main);
    ck_expect_record("main a:0 other:0");
}
END_TEST

static int busy(void *arg) {
    (void)arg;
    for (int i = 0; i < 1000; i++) {
        ck_assert_int_eq(uva_lock_acquire(&lock), 0);
        ck_assert_int_eq(uva_lock_release(&lock), 0);
    }
    record("busy");
    return 0;
}

/* The other gets it while the budget makes the busy one yield, and keeps it
 * over another tick. */
static int budget_main(void *arg) {
    (void)arg;
    uva_lock_init(&lock);
    uva_future_t *f[] = {uva_spawn(busy, NULL),
                         uva_spawn(hold_for_a_turn, "other")};
    return uva_gather(f, 2, NULL);
}

START_TEST(lock_that_is_free_starves_nobody) {
    program_expect(budget_main);
    ck_expect_record("other busy");
}
END_TEST

/* A refused yield of the budget is a refused acquire. */
static int refused_main(void *arg) {
    (void)arg;
    uva_lock_init(&lock);
    uva_scope_t scope;
    uva_scope_open(&scope, 0, 0);
    int rounds = 0;
    while (uva_lock_acquire(&lock) == 0) {
        ck_assert_int_eq(uva_lock_release(&lock), 0);
        rounds++;
    }
    ck_assert(!uva_lock_is_locked(&lock));
    ck_assert_int_eq(uva_lock_acquire(&lock), UV_ECANCELED);
    ck_assert_int_eq(uva_scope_close(&scope), UV_ETIMEDOUT);
    ck_assert_int_lt(rounds, 1000);
    expect_idle();
    return 0;
}

START_TEST(lock_refuses_when_cancelled_at_the_end_of_the_budget) {
    program_expect(refused_main);
}
END_TEST

/* ---- windows ------------------------------------------------------------ */

static int cancelled_main(void *arg) {
    (void)arg;
    uva_lock_init(&lock);
    ck_assert_int_eq(uva_lock_acquire(&lock), 0);
    uva_future_t *f[] = {uva_spawn(hold, "a"), uva_spawn(hold, "b"),
                         uva_spawn(hold, "c")};
    ck_assert_int_eq(uva_yield(), 0);
    ck_assert_int_eq(uva_cancel_and_wait(uva_ref(f[1])), UV_ECANCELED);
    ck_assert_int_eq(uva_lock_release(&lock), 0);
    int codes[3];
    ck_assert_int_eq(uva_gather_settled(f, 3, NULL, codes), 0);
    ck_assert_int_eq(codes[1], UV_ECANCELED);
    expect_idle();
    return 0;
}

START_TEST(lock_forgets_a_cancelled_waiter) {
    CONFORMS("K-114");
    program_expect(cancelled_main);
    ck_expect_record("b:-125 a:0 c:0");
}
END_TEST

/* | in one tick     | acquire      | then sleep   |
 * | release, cancel | 0            | UV_ECANCELED |
 * | cancel, release | UV_ECANCELED | UV_ECANCELED |
 */
static int window_main(void *arg) {
    (void)arg;
    for (int cancel_first = 0; cancel_first < 2; cancel_first++) {
        uva_lock_init(&lock);
        ck_assert_int_eq(uva_lock_acquire(&lock), 0);
        uva_task_t *task = uva_spawn(hold_then_sleep, "w");
        ck_assert_int_eq(uva_yield(), 0);
        if (cancel_first == 1)
            ck_assert(uva_cancel(task));
        ck_assert_int_eq(uva_lock_release(&lock), 0);
        ck_assert_int_eq(uva_lock_is_locked(&lock), cancel_first == 0);
        if (cancel_first == 0)
            ck_assert(uva_cancel(task));
        ck_assert_int_eq(uva_await(task, NULL), 0);
        expect_idle();
    }
    return 0;
}

START_TEST(lock_when_release_and_cancel_meet) {
    program_expect(window_main);
    ck_expect_record("w:0 sleep:-125 w:-125 sleep:-125");
}
END_TEST

/* | main     | a       | b       | c       |
 * | holds    | acquire | acquire | acquire |
 * | release  | granted |         |         |
 * | cancel a |         |         |         |   a keeps it and releases it
 * | cancel b |         | cut     |         |
 * |          | release |         | granted |
 */
static int three_windows_main(void *arg) {
    (void)arg;
    uva_lock_init(&lock);
    ck_assert_int_eq(uva_lock_acquire(&lock), 0);
    uva_task_t *a = uva_spawn(hold, "a");
    uva_task_t *b = uva_spawn(hold, "b");
    uva_task_t *c = uva_spawn(hold, "c");
    ck_assert_int_eq(uva_yield(), 0);
    ck_assert_int_eq(uva_lock_release(&lock), 0);
    ck_assert(uva_cancel(a));
    ck_assert(uva_cancel(b));
    ck_assert_int_eq(uva_await(a, NULL), 0);
    ck_assert_int_eq(uva_await(b, NULL), UV_ECANCELED);
    ck_assert_int_eq(uva_await(c, NULL), 0);
    expect_idle();
    return 0;
}

START_TEST(lock_when_grants_and_cancels_mix) {
    program_expect(three_windows_main);
    ck_expect_record("a:0 b:-125 c:0");
}
END_TEST

static int acquire_in_scope(void *arg) {
    uva_scope_t scope;
    uva_scope_open(&scope, 10, 0);
    int code = uva_lock_acquire(&lock);
    record("%s:%d:%d", (const char *)arg, code, uva_scope_close(&scope));
    return code == 0 ? uva_lock_release(&lock) : 0;
}

static int hold_until_10(void *arg) {
    (void)arg;
    ck_assert_int_eq(uva_lock_acquire(&lock), 0);
    ck_assert_int_eq(uva_sleep(10), 0);
    return uva_lock_release(&lock);
}

/* The limit at the moment of the release. Deadlines of one moment expire before
 * any task runs, so the limit comes first. */
static int limit_main(void *arg) {
    (void)arg;
    uva_lock_init(&lock);
    uva_future_t *f[] = {uva_spawn(hold_until_10, NULL),
                         uva_spawn(acquire_in_scope, "limit")};
    ck_assert_int_eq(uva_gather(f, 2, NULL), 0);
    expect_idle();
    return acquire_in_scope("free");
}

START_TEST(lock_when_release_and_limit_meet) {
    program_expect(limit_main);
    ck_expect_record("limit:-125:-110 free:0:0");
}
END_TEST

/* ---- accounting --------------------------------------------------------- */

static size_t tickets;
static size_t last_ticket;
static size_t grants;

/* Granted in the order of asking, to one at a time. */
static int storm_body(void *arg) {
    (void)arg;
    for (int i = storm_rounds(6000); i > 0; i--) {
        uva_scope_t scope;
        uva_scope_open(&scope, storm_limit(), 0);
        bool try = draw(8) == 0;
        size_t ticket = ++tickets;
        int code = try ? uva_lock_try_acquire(&lock) : uva_lock_acquire(&lock);
        must(code == 0 || code == (try ? UV_EAGAIN : UV_ECANCELED));
        if (code == 0) {
            must(inside++ == 0);
            must(ticket > last_ticket);
            last_ticket = ticket;
            grants++;
            dawdle();
            must(--inside == 0);
            must(uva_lock_release(&lock) == 0);
        }
        (void)uva_scope_close(&scope);
        storm_on();
    }
    return 0;
}

START_TEST(lock_is_with_one_in_a_storm) {
    for (unsigned seed = 0; seed < STORM_SEEDS; seed++) {
        uva_lock_init(&lock);
        tickets = last_ticket = grants = 0;
        storm(storm_body, seed);
        ck_assert_uint_gt(grants, tickets / 10);
        ck_assert_uint_lt(grants, tickets);
        expect_idle();
    }
}
END_TEST

/* ---- looking ------------------------------------------------------------ */

static int look_main(void *arg) {
    (void)arg;
    uva_lock_init(&lock);
    uva_lock_set_name(&lock, "db");
    uva_lock_statistics_t seen;
    uva_lock_statistics(&lock, &seen);
    ck_assert_ptr_null(seen.owner);
    ck_assert_int_eq(uva_lock_acquire(&lock), 0);
    uva_future_t *f[] = {uva_spawn(hold, "a"), uva_spawn(hold, "b"),
                         uva_spawn(hold, "c")};
    ck_assert_int_eq(uva_yield(), 0);
    uva_lock_statistics(&lock, &seen);
    ck_assert_str_eq(seen.name, "db");
    ck_assert_str_eq(seen.owner, uva_name(uva_current()));
    ck_assert(!seen.broken);
    ck_assert_uint_eq(seen.waiting, 3);
    char *text = program_dump();
    ck_assert_ptr_nonnull(strstr(text, "parked in lock 'db'  ("));
    ck_assert_ptr_nonnull(strstr(text, "lock 'db' (1 waiter ahead)  ("));
    ck_assert_ptr_nonnull(strstr(text, "lock 'db' (2 waiters ahead)  ("));
    free(text);
    ck_assert_int_eq(uva_lock_release(&lock), 0);
    uva_lock_statistics(&lock, &seen);
    ck_assert_str_eq(seen.owner, uva_name(f[0]));
    ck_assert_uint_eq(seen.waiting, 2);
    return uva_gather(f, 3, NULL);
}

START_TEST(lock_tells_how_it_stands) {
    program_expect(look_main);
    ck_expect_record("a:0 b:0 c:0");
}
END_TEST

SUITE("lock", lock_is_held_until_it_is_released,
      lock_goes_to_one_at_a_time_in_order, lock_lets_nobody_barge_in,
      lock_lets_one_in, lock_that_is_free_does_not_switch,
      lock_handed_on_is_not_free, lock_that_is_free_starves_nobody,
      lock_refuses_when_cancelled_at_the_end_of_the_budget,
      lock_forgets_a_cancelled_waiter, lock_when_release_and_cancel_meet,
      lock_when_grants_and_cancels_mix, lock_when_release_and_limit_meet,
      lock_is_with_one_in_a_storm, lock_tells_how_it_stands)
