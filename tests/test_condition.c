/* labels: valgrind; timeout: 60 */
/* Conditions: who is notified, and that each comes back with the lock. */
#include "condition_fixture.h"

/* ---- notifying ---------------------------------------------------------- */

/* | a, b, c | main                 |
 * | wait    |                      |
 * |         | acquire: it is free  |
 * |         | notify 1, sleep      |   nobody comes back
 * | a       | release              |
 */
static int notify_main(void *arg) {
    (void)arg;
    init();
    uva_future_t *f[3];
    spawn_three(f);
    ck_assert(!uva_lock_is_locked(&lock));
    ck_assert_int_eq(uva_lock_acquire(&lock), 0);
    ck_assert_int_eq(uva_condition_notify(&condition, 0), 0);
    ck_assert_int_eq(uva_condition_notify(&condition, 1), 1);
    ck_assert_uint_eq(waiting(), 2);
    ck_assert_uint_eq(waiting_for_lock(), 1);
    ck_assert_int_eq(uva_sleep(10), 0);
    record("release");
    ck_assert_int_eq(uva_lock_release(&lock), 0);
    ck_assert_int_eq(uva_sleep(10), 0);
    record("again");
    ck_assert_int_eq(notify(2), 2);
    ck_assert_int_eq(uva_gather(f, 3, NULL), 0);
    expect_idle();
    return 0;
}

START_TEST(condition_notifies_the_oldest) {
    CONFORMS("K-124", "K-125");
    program_expect(notify_main);
    ck_expect_record("release a:0 again b:0 c:0");
}
END_TEST

static int unheard_main(void *arg) {
    (void)arg;
    condition = (uva_condition_t)UVA_CONDITION_INIT;
    uva_lock_init(&lock);
    ck_assert_int_eq(notify(5), 0);
    ck_assert_int_eq(uva_wait_for(uva_spawn(wait_once, "a"), 10, NULL),
                     UV_ETIMEDOUT);
    expect_idle();
    return 0;
}

START_TEST(condition_remembers_no_notification) {
    CONFORMS("K-126");
    program_expect(unheard_main);
    ck_expect_record("a:-125");
}
END_TEST

static int stay(void *arg) {
    ck_assert_int_eq(uva_lock_acquire(&lock), 0);
    ck_assert_int_eq(uva_condition_wait(&condition, &lock), 0);
    record("%s", (const char *)arg);
    ck_assert_int_eq(uva_yield(), 0);
    record("%s", (const char *)arg);
    return uva_lock_release(&lock);
}

static int all_main(void *arg) {
    (void)arg;
    init();
    uva_future_t *f[] = {uva_spawn(stay, "a"), uva_spawn(stay, "b"),
                         uva_spawn(stay, "c")};
    ck_assert_int_eq(uva_yield(), 0);
    ck_assert_int_eq(uva_lock_acquire(&lock), 0);
    ck_assert_int_eq(uva_condition_notify_all(&condition), 3);
    ck_assert_uint_eq(waiting(), 0);
    ck_assert_int_eq(uva_condition_notify_all(&condition), 0);
    ck_assert_int_eq(uva_lock_release(&lock), 0);
    ck_assert_int_eq(uva_gather(f, 3, NULL), 0);
    expect_idle();
    return 0;
}

START_TEST(condition_notifies_all_one_after_the_other) {
    CONFORMS("K-127");
    program_expect(all_main);
    ck_expect_record("a a b b c c");
}
END_TEST

/* One that wants the lock has come before the notification. */
static int queue_main(void *arg) {
    (void)arg;
    init();
    uva_future_t *f[3];
    f[0] = uva_spawn(wait_once, "waiter");
    ck_assert_int_eq(uva_yield(), 0);
    ck_assert_int_eq(uva_lock_acquire(&lock), 0);
    f[1] = uva_spawn(take, "before");
    ck_assert_int_eq(uva_yield(), 0);
    ck_assert_int_eq(uva_condition_notify(&condition, 1), 1);
    f[2] = uva_spawn(take, "behind");
    ck_assert_int_eq(uva_yield(), 0);
    ck_assert_int_eq(uva_lock_release(&lock), 0);
    return uva_gather(f, 3, NULL);
}

START_TEST(condition_takes_its_turn_for_the_lock) {
    program_expect(queue_main);
    ck_expect_record("before waiter:0 behind");
}
END_TEST

/* ---- predicates --------------------------------------------------------- */

static int level;

static int ask_level(void *arg) {
    record("ask");
    return level >= *(int *)arg ? level : 0;
}

static int wait_for_level(void *arg) {
    ck_assert_int_eq(uva_lock_acquire(&lock), 0);
    int value = uva_condition_wait_for(&condition, &lock, ask_level, arg);
    record("%d", value);
    ck_assert_int_eq(uva_lock_release(&lock), 0);
    return value;
}

static int answer_badly(void *arg) {
    (void)arg;
    return -9;
}

static int predicate_main(void *arg) {
    (void)arg;
    init();
    int wanted = 3;
    level = 3;
    ck_assert_int_eq(
        uva_condition_wait_for(&condition, &lock, ask_level, &wanted), 3);
    ck_assert_int_eq(
        uva_condition_wait_for(&condition, &lock, answer_badly, NULL), -9);
    level = 0;
    uva_task_t *task = uva_spawn(wait_for_level, &wanted);
    for (int to = 1; to <= 5; to += 4) {
        ck_assert_int_eq(uva_sleep(1), 0);
        level = to;
        record("notify");
        ck_assert_int_eq(notify(1), 1);
    }
    ck_assert_int_eq(uva_await(task, NULL), 5);
    expect_idle();
    /* Not true, and not holding the lock. */
    ck_assert_int_eq(
        uva_condition_wait_for(&condition, &lock, ask_level, &(int){9}),
        UV_EPERM);
    ck_assert(support_reports_contain("uva_condition_wait_for: the calling "
                                      "task does not hold lock"));
    uva_scope_t scope;
    uva_scope_open(&scope, 10, 0);
    ck_assert_int_eq(wait_for_level(&(int){9}), UV_ECANCELED);
    ck_assert_int_eq(uva_scope_close(&scope), UV_ETIMEDOUT);
    expect_idle();
    return 0;
}

START_TEST(condition_waits_for_a_predicate) {
    CONFORMS("K-128");
    ck_assert_int_eq(program_run(predicate_main, NULL), 0);
    ck_expect_record("ask ask notify ask notify ask 5 ask ask -125");
    ck_assert_uint_eq(support_report_count(), 1);
}
END_TEST

/* ---- locks -------------------------------------------------------------- */

static uva_condition_t second;

static int wait_in_second(void *arg) {
    ck_assert_int_eq(uva_lock_acquire(&lock), 0);
    int code = uva_condition_wait(&second, &lock);
    record("%s:%d", (const char *)arg, code);
    return uva_lock_release(&lock);
}

static int shared_main(void *arg) {
    (void)arg;
    init();
    uva_condition_init(&second);
    uva_future_t *f[] = {uva_spawn(wait_once, "a"),
                         uva_spawn(wait_in_second, "b")};
    ck_assert_int_eq(uva_yield(), 0);
    ck_assert_int_eq(uva_lock_acquire(&lock), 0);
    uva_condition_statistics_t seen[2];
    uva_condition_statistics(&condition, &seen[0]);
    uva_condition_statistics(&second, &seen[1]);
    ck_assert(uva_lock_is_locked(seen[0].lock));
    ck_assert(uva_lock_is_locked(seen[1].lock));
    ck_assert_int_eq(uva_condition_notify_all(&second), 1);
    ck_assert_uint_eq(waiting(), 1);
    ck_assert_int_eq(uva_condition_notify_all(&condition), 1);
    ck_assert_int_eq(uva_lock_release(&lock), 0);
    ck_assert_int_eq(uva_gather(f, 2, NULL), 0);
    expect_idle();
    return 0;
}

START_TEST(condition_shares_a_lock) {
    CONFORMS("K-131");
    program_expect(shared_main);
    ck_expect_record("b:0 a:0");
}
END_TEST

static int end_holding(void *arg) {
    (void)arg;
    ck_assert_int_eq(uva_lock_acquire(&lock), 0);
    ck_assert_int_eq(uva_condition_notify(&condition, 1), 1);
    return 0;
}

static int wait_broken(void *arg) {
    ck_assert_int_eq(uva_lock_acquire(&lock), 0);
    record("%s:%d", (const char *)arg, uva_condition_wait(&condition, &lock));
    return uva_lock_release(&lock);
}

/* | a, b, c | x                      |
 * | wait    |                        |
 * |         | acquire, notify a      |
 * |         | ends holding the lock  |
 * | broken  |                        |   b and c, too: who should notify them?
 */
static int broken_main(void *arg) {
    (void)arg;
    init();
    uva_future_t *f[] = {uva_spawn(wait_broken, "a"),
                         uva_spawn(wait_broken, "b"),
                         uva_spawn(wait_broken, "c")};
    ck_assert_int_eq(uva_yield(), 0);
    ck_assert_int_eq(uva_await(uva_spawn(end_holding, NULL), NULL), 0);
    int codes[3];
    ck_assert_int_eq(uva_gather_settled(f, 3, NULL, codes), 0);
    for (int i = 0; i < 3; i++)
        ck_assert_int_eq(codes[i], UV_EPERM);
    expect_idle();
    return 0;
}

START_TEST(condition_breaks_with_its_lock) {
    ck_assert_int_eq(program_run(broken_main, NULL), 0);
    ck_expect_record("a:-103 b:-103 c:-103");
    ck_assert_uint_eq(support_report_count(), 4);
}
END_TEST

/* ---- accounting --------------------------------------------------------- */

static int inside;
static size_t notified;
static size_t came_back;
static size_t cut;

static void enter(void) {
    must(inside++ == 0);
}

static void leave(void) {
    must(--inside == 0);
}

/* As many come back with 0 as were notified, and with the lock, all of them. */
static int storm_body(void *arg) {
    (void)arg;
    for (int i = storm_rounds(5000); i > 0; i--) {
        uva_scope_t scope;
        uva_scope_open(&scope, draw(6), 0);
        if (uva_lock_acquire(&lock) == 0) {
            enter();
            unsigned what = draw(8);
            if (what < 4) {
                leave();
                int code = uva_condition_wait(&condition, &lock);
                enter();
                must(code == 0 || code == UV_ECANCELED);
                came_back += code == 0;
                cut += code != 0;
            } else if (what < 7) {
                notified += (size_t)uva_condition_notify(&condition, what - 4);
            } else if (draw(4) == 0) {
                notified += (size_t)uva_condition_notify_all(&condition);
            }
            dawdle();
            leave();
            must(uva_lock_release(&lock) == 0);
        }
        (void)uva_scope_close(&scope);
        storm_on();
    }
    return 0;
}

START_TEST(condition_loses_nothing_in_a_storm) {
    for (unsigned seed = 0; seed < STORM_SEEDS; seed++) {
        init();
        notified = came_back = cut = 0;
        storm(storm_body, seed);
        ck_assert_uint_eq(notified, came_back);
        ck_assert_uint_gt(notified, 1000);
        ck_assert_uint_gt(cut, 100);
        expect_idle();
    }
}
END_TEST

/* ---- misuse, looking ---------------------------------------------------- */

static void notify_from_the_loop(void *arg) {
    (void)arg;
    ck_assert_int_eq(uva_condition_notify(&condition, 1), UV_EPERM);
    ck_assert_int_eq(uva_condition_wait(&condition, &lock), UV_EPERM);
}

static int not_held_main(void *arg) {
    (void)arg;
    init();
    uva_lock_set_name(&lock, "db");
    uva_condition_set_name(&condition, "ready");
    ck_assert_int_eq(uva_condition_wait(&condition, &lock), UV_EPERM);
    ck_assert(support_reports_contain("uva_condition_wait: the calling task "
                                      "does not hold lock 'db'"));
    uva_task_t *task = uva_spawn(wait_once, "a");
    ck_assert_int_eq(uva_yield(), 0);
    ck_assert_int_eq(uva_condition_notify(&condition, 1), UV_EPERM);
    ck_assert_int_eq(uva_condition_notify_all(&condition), UV_EPERM);
    ck_assert(support_reports_contain(
        "uva_condition_notify_all: the caller does not hold lock 'db' of those "
        "who wait in condition 'ready'"));
    ck_assert_uint_eq(support_report_count(), 3);
    ck_assert_int_eq(
        uva_post(uva_runtime_current(), notify_from_the_loop, NULL), 0);
    ck_assert_int_eq(uva_yield(), 0);
    ck_assert_uint_eq(waiting(), 1);
    /* With a lock, but not that of those who wait. */
    uva_lock_t other = UVA_LOCK_INIT;
    ck_assert_int_eq(uva_lock_acquire(&other), 0);
    ck_assert_int_eq(uva_condition_wait(&condition, &other), UV_EPERM);
    ck_assert(support_reports_contain(
        "uva_condition_wait: others wait in condition 'ready' with lock 'db', "
        "not with '(no name)'"));
    ck_assert_int_eq(uva_condition_notify(&condition, 1), UV_EPERM);
    ck_assert_int_eq(uva_lock_release(&other), 0);
    ck_assert_int_eq(notify(1), 1);
    ck_assert_int_eq(uva_await(task, NULL), 0);
    expect_idle();
    return 0;
}

START_TEST(condition_without_its_lock) {
    CONFORMS("K-123");
    ck_assert_int_eq(program_run(not_held_main, NULL), 0);
    ck_assert_uint_eq(support_report_count(), 7);
}
END_TEST

static void notify_in_thread(void *arg) {
    *(int *)arg = uva_condition_notify(&condition, 1);
}

static int thread_main(void *arg) {
    (void)arg;
    init();
    uva_task_t *task = uva_spawn(wait_once, "a");
    ck_assert_int_eq(uva_yield(), 0);
    int code = 0;
    support_in_thread(notify_in_thread, &code);
    ck_assert_int_eq(code, UV_EPERM);
    ck_assert_uint_eq(waiting(), 1);
    ck_assert_int_eq(notify(1), 1);
    return uva_await(task, NULL);
}

/* The report goes to standard error: that thread has no runtime. */
START_TEST(condition_notified_by_another_thread) {
    program_expect(thread_main);
    ck_expect_record("a:0");
}
END_TEST

static int look_main(void *arg) {
    (void)arg;
    init();
    uva_lock_set_name(&lock, "db");
    uva_condition_set_name(&condition, "ready");
    uva_future_t *f[3];
    spawn_three(f);
    uva_condition_statistics_t seen;
    uva_condition_statistics(&condition, &seen);
    ck_assert_str_eq(seen.name, "ready");
    ck_assert_ptr_eq(seen.lock, &lock);
    ck_assert_uint_eq(seen.waiting, 3);
    ck_assert_int_eq(uva_lock_acquire(&lock), 0);
    ck_assert_int_eq(uva_condition_notify(&condition, 2), 2);
    char *text = program_dump();
    ck_assert_ptr_nonnull(strstr(text, "parked in condition 'ready'  ("));
    ck_assert_ptr_nonnull(strstr(text, "parked in condition's lock 'db'  ("));
    ck_assert_ptr_nonnull(
        strstr(text, "condition's lock 'db' (1 waiter ahead)  ("));
    free(text);
    ck_assert_int_eq(uva_condition_notify(&condition, 9), 1);
    ck_assert_int_eq(uva_lock_release(&lock), 0);
    return uva_gather(f, 3, NULL);
}

START_TEST(condition_tells_how_it_stands) {
    program_expect(look_main);
    ck_expect_record("a:0 b:0 c:0");
}
END_TEST

SUITE("condition", condition_notifies_the_oldest,
      condition_remembers_no_notification,
      condition_notifies_all_one_after_the_other,
      condition_takes_its_turn_for_the_lock, condition_waits_for_a_predicate,
      condition_shares_a_lock, condition_breaks_with_its_lock,
      condition_loses_nothing_in_a_storm, condition_without_its_lock,
      condition_notified_by_another_thread, condition_tells_how_it_stands)
