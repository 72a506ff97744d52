/* Semaphores: who gets a permit, and that none is lost or doubled. */
#include "support/program.h"

#include "runtime/list.h"

static uva_semaphore_t semaphore;

static int hold(void *arg) {
    int code = uva_semaphore_acquire(&semaphore);
    record("%s:%d", (const char *)arg, code);
    return code;
}

/* Nobody waits, and so many permits are free. */
static void expect_idle(size_t value) {
    ck_assert_uint_eq(uva_semaphore_value(&semaphore), value);
    ck_assert(uva__list_is_empty(&semaphore.waiters.list));
    for (size_t i = 0; i < value; i++)
        ck_assert_int_eq(uva_semaphore_try_acquire(&semaphore), 0);
    ck_assert_int_eq(uva_semaphore_try_acquire(&semaphore), UV_EAGAIN);
    for (size_t i = 0; i < value; i++)
        ck_assert_int_eq(uva_semaphore_release(&semaphore), 0);
}

/* ---- counting ----------------------------------------------------------- */

static int value_main(void *arg) {
    (void)arg;
    uva_semaphore_init(&semaphore, 2);
    ck_assert_int_eq(uva_semaphore_acquire(&semaphore), 0);
    ck_assert_int_eq(uva_semaphore_acquire(&semaphore), 0);
    ck_assert_uint_eq(uva_semaphore_value(&semaphore), 0);
    uva_task_t *task = uva_spawn(hold, "a");
    ck_assert_int_eq(uva_sleep(10), 0);
    ck_assert(!uva_is_done(task));
    record("release");
    ck_assert_int_eq(uva_semaphore_release(&semaphore), 0);
    ck_assert_uint_eq(uva_semaphore_value(&semaphore), 0);
    ck_assert_int_eq(uva_await(task, NULL), 0);
    uva_semaphore_init(&semaphore, 0);
    expect_idle(0);
    ck_assert_int_eq(uva_wait_for(uva_spawn(hold, "b"), 10, NULL),
                     UV_ETIMEDOUT);
    expect_idle(0);
    ck_assert_int_eq(uva_semaphore_release(&semaphore), 0);
    expect_idle(1);
    return 0;
}

START_TEST(semaphore_counts_its_permits) {
    CONFORMS("K-132");
    program_expect(value_main);
    ck_expect_record("release a:0 b:-125");
}
END_TEST

static int bound_main(void *arg) {
    (void)arg;
    uva_semaphore_init_bounded(&semaphore, 1);
    ck_assert_int_eq(uva_semaphore_release(&semaphore), UV_ERANGE);
    expect_idle(1);
    ck_assert_int_eq(uva_semaphore_acquire(&semaphore), 0);
    uva_task_t *task = uva_spawn(hold, "a");
    ck_assert_int_eq(uva_yield(), 0);
    ck_assert_int_eq(uva_semaphore_release(&semaphore), 0);
    ck_assert_int_eq(uva_await(task, NULL), 0);
    ck_assert_int_eq(uva_semaphore_release(&semaphore), 0);
    ck_assert_int_eq(uva_semaphore_release(&semaphore), UV_ERANGE);
    expect_idle(1);
    uva_semaphore_t unbounded = UVA_SEMAPHORE_INIT(1);
    ck_assert_int_eq(uva_semaphore_release(&unbounded), 0);
    ck_assert_uint_eq(uva_semaphore_value(&unbounded), 2);
    return 0;
}

static int no_permit_main(void *arg) {
    (void)arg;
    uva_semaphore_init_bounded(&semaphore, 0);
    uva_task_t *task = uva_spawn(hold, "a");
    ck_assert_int_eq(uva_yield(), 0);
    ck_assert_int_eq(uva_semaphore_release(&semaphore), UV_ERANGE);
    ck_assert_int_eq(uva_cancel_and_wait(task), UV_ECANCELED);
    expect_idle(0);
    return 0;
}

/* The task that waits is none that could have been let through. */
START_TEST(semaphore_bounded_by_nothing) {
    program_expect(no_permit_main);
    ck_expect_record("a:-125");
}
END_TEST

START_TEST(semaphore_bounded_refuses_one_too_many) {
    CONFORMS("K-133");
    program_expect(bound_main);
    ck_expect_record("a:0");
}
END_TEST

/* ---- order -------------------------------------------------------------- */

static int work_twice(void *arg) {
    for (int i = 0; i < 2; i++) {
        ck_assert_int_eq(uva_semaphore_acquire(&semaphore), 0);
        record("%s", (const char *)arg);
        ck_assert_int_eq(uva_yield(), 0);
        ck_assert_int_eq(uva_semaphore_release(&semaphore), 0);
    }
    return 0;
}

static int turns_main(void *arg) {
    (void)arg;
    uva_semaphore_init(&semaphore, 1);
    uva_future_t *f[] = {uva_spawn(work_twice, "1"), uva_spawn(work_twice, "2"),
                         uva_spawn(work_twice, "3")};
    ck_assert_int_eq(uva_gather(f, 3, NULL), 0);
    expect_idle(1);
    return 0;
}

START_TEST(semaphore_takes_turns) {
    CONFORMS("K-134");
    program_expect(turns_main);
    ck_expect_record("1 2 3 1 2 3");
}
END_TEST

/* | main          | a       | b       | c       |
 * |               | acquire | acquire | acquire |
 * | release three |         |         |         |
 * | try: none     |         |         |         |
 * | yield         | holds   | holds   | holds   |
 */
static int three_main(void *arg) {
    (void)arg;
    uva_semaphore_init(&semaphore, 0);
    uva_future_t *f[] = {uva_spawn(hold, "a"), uva_spawn(hold, "b"),
                         uva_spawn(hold, "c")};
    ck_assert_int_eq(uva_yield(), 0);
    for (int i = 0; i < 3; i++)
        ck_assert_int_eq(uva_semaphore_release(&semaphore), 0);
    expect_idle(0);
    record("main");
    ck_assert_int_eq(uva_yield(), 0);
    record("next");
    return uva_gather(f, 3, NULL);
}

START_TEST(semaphore_wakes_three_in_one_tick) {
    CONFORMS("K-135");
    program_expect(three_main);
    ck_expect_record("main a:0 b:0 c:0 next");
}
END_TEST

/* | main        | a       | b                     |
 * |             | acquire |                       |
 * | release     |         |                       |
 * |             |         | acquire: has to wait, |
 * |             | holds   |   a was first         |
 * | release     |         | holds                 |
 */
static int barge_main(void *arg) {
    (void)arg;
    uva_semaphore_init(&semaphore, 0);
    uva_task_t *b = uva_spawn(hold, "b");
    uva_task_t *a = uva_spawn(hold, "a");
    ck_assert_int_eq(uva_yield(), 0);
    ck_assert(uva_cancel(b));
    ck_assert_int_eq(uva_await(b, NULL), UV_ECANCELED);
    ck_assert_int_eq(uva_semaphore_release(&semaphore), 0);
    b = uva_spawn_with(&(uva_task_options_t){.eager = true}, hold, "b");
    ck_assert(!uva_is_done(b));
    ck_assert_int_eq(uva_await(a, NULL), 0);
    ck_assert(!uva_is_done(b));
    ck_assert_int_eq(uva_semaphore_release(&semaphore), 0);
    return uva_await(b, NULL);
}

START_TEST(semaphore_lets_nobody_barge_in) {
    program_expect(barge_main);
    ck_expect_record("b:-125 a:0 b:0");
}
END_TEST

/* ---- windows ------------------------------------------------------------ */

static int cancelled_main(void *arg) {
    (void)arg;
    uva_semaphore_init(&semaphore, 0);
    uva_future_t *f[] = {uva_spawn(hold, "a"), uva_spawn(hold, "b"),
                         uva_spawn(hold, "c")};
    ck_assert_int_eq(uva_yield(), 0);
    ck_assert(uva_cancel(f[1]));
    ck_assert_int_eq(uva_semaphore_release(&semaphore), 0);
    ck_assert_int_eq(uva_semaphore_release(&semaphore), 0);
    expect_idle(0);
    int codes[3];
    ck_assert_int_eq(uva_gather_settled(f, 3, NULL, codes), 0);
    ck_assert_int_eq(codes[1], UV_ECANCELED);
    expect_idle(0);
    return 0;
}

START_TEST(semaphore_forgets_a_cancelled_waiter) {
    CONFORMS("K-136");
    program_expect(cancelled_main);
    ck_expect_record("b:-125 a:0 c:0");
}
END_TEST

static int hold_then_sleep(void *arg) {
    record("%s:%d", (const char *)arg, uva_semaphore_acquire(&semaphore));
    record("sleep:%d", uva_sleep(1));
    return 0;
}

/* | in one tick     | acquire      | then sleep   | permits free |
 * | release, cancel | 0            | UV_ECANCELED | 0            |
 * | cancel, release | UV_ECANCELED | UV_ECANCELED | 1            |
 */
static int window_main(void *arg) {
    (void)arg;
    for (size_t cancel_first = 0; cancel_first < 2; cancel_first++) {
        uva_semaphore_init(&semaphore, 0);
        uva_task_t *task = uva_spawn(hold_then_sleep, "w");
        ck_assert_int_eq(uva_yield(), 0);
        if (cancel_first == 1)
            ck_assert(uva_cancel(task));
        ck_assert_int_eq(uva_semaphore_release(&semaphore), 0);
        if (cancel_first == 0)
            ck_assert(uva_cancel(task));
        ck_assert_int_eq(uva_await(task, NULL), 0);
        expect_idle(cancel_first);
    }
    return 0;
}

START_TEST(semaphore_when_release_and_cancel_meet) {
    program_expect(window_main);
    ck_expect_record("w:0 sleep:-125 w:-125 sleep:-125");
}
END_TEST

/* | main        | a                  | b       |
 * |             | acquire            | acquire |
 * | release     | granted            |         |
 * | cancel a    |                    |         |
 * | cancel b    |                    | cut     |
 * | release     |                    |         |   nobody waits: it is free
 */
static int two_windows_main(void *arg) {
    (void)arg;
    uva_semaphore_init(&semaphore, 0);
    uva_task_t *a = uva_spawn(hold, "a");
    uva_task_t *b = uva_spawn(hold, "b");
    ck_assert_int_eq(uva_yield(), 0);
    ck_assert_int_eq(uva_semaphore_release(&semaphore), 0);
    ck_assert(uva_cancel(a));
    ck_assert(uva_cancel(b));
    ck_assert_int_eq(uva_semaphore_release(&semaphore), 0);
    ck_assert_int_eq(uva_await(a, NULL), 0);
    ck_assert_int_eq(uva_await(b, NULL), UV_ECANCELED);
    expect_idle(1);
    return 0;
}

START_TEST(semaphore_when_grants_and_cancels_mix) {
    program_expect(two_windows_main);
    ck_expect_record("a:0 b:-125");
}
END_TEST

static int acquire_in_scope(void *arg) {
    (void)arg;
    uva_scope_t scope;
    uva_scope_open(&scope, 10, 0);
    int code = uva_semaphore_acquire(&semaphore);
    int closed = uva_scope_close(&scope);
    record("%d:%d", code, closed);
    return 0;
}

static int release_at_10(void *arg) {
    (void)arg;
    ck_assert_int_eq(uva_sleep(10), 0);
    return uva_semaphore_release(&semaphore);
}

/* The limit and a release at the same moment. Deadlines of one moment expire
 * in the order of arming, before any task runs: the limit is met first either
 * way, and the permit stays free. */
static int timeout_main(void *arg) {
    (void)arg;
    uva_semaphore_init(&semaphore, 0);
    ck_assert_int_eq(acquire_in_scope(NULL), 0);
    expect_idle(0);
    for (int i = 0; i < 2; i++) {
        uva_fn first = i == 0 ? acquire_in_scope : release_at_10;
        uva_fn then = i == 0 ? release_at_10 : acquire_in_scope;
        uva_future_t *f[] = {uva_spawn(first, NULL), uva_spawn(then, NULL)};
        ck_assert_int_eq(uva_gather(f, 2, NULL), 0);
        expect_idle(1);
        ck_assert_int_eq(uva_semaphore_acquire(&semaphore), 0);
    }
    ck_assert_int_eq(uva_semaphore_release(&semaphore), 0);
    return acquire_in_scope(NULL);
}

START_TEST(semaphore_with_a_limit) {
    program_expect(timeout_main);
    ck_expect_record("-125:-110 -125:-110 -125:-110 0:0");
}
END_TEST

static int acquire_when_cancelled(void *arg) {
    (void)arg;
    ck_assert(uva_cancel(uva_current()));
    record("%d", uva_semaphore_acquire(&semaphore));
    record("%d", uva_semaphore_acquire(&semaphore));
    return uva_semaphore_release(&semaphore);
}

/* A permit that is free needs no park, so the request is not looked at. */
static int uncontended_main(void *arg) {
    (void)arg;
    uva_semaphore_init(&semaphore, 1);
    ck_assert_int_eq(uva_await(uva_spawn(acquire_when_cancelled, NULL), NULL),
                     0);
    expect_idle(1);
    uva_task_t *other = uva_spawn(hold, "other");
    for (int i = 0; i < 50; i++) {
        ck_assert_int_eq(uva_semaphore_acquire(&semaphore), 0);
        ck_assert_int_eq(uva_semaphore_release(&semaphore), 0);
    }
    record("main");
    return uva_await(other, NULL);
}

START_TEST(semaphore_that_is_free_does_not_switch) {
    program_expect(uncontended_main);
    ck_expect_record("0 -125 main other:0");
}
END_TEST

static int busy(void *arg) {
    (void)arg;
    for (int i = 0; i < 1000; i++) {
        ck_assert_int_eq(uva_semaphore_acquire(&semaphore), 0);
        ck_assert_int_eq(uva_semaphore_release(&semaphore), 0);
    }
    record("busy");
    return 0;
}

static int budget_main(void *arg) {
    (void)arg;
    uva_semaphore_init(&semaphore, 2);
    uva_future_t *f[] = {uva_spawn(busy, NULL), uva_spawn(hold, "other")};
    return uva_gather(f, 2, NULL);
}

START_TEST(semaphore_that_is_free_starves_nobody) {
    program_expect(budget_main);
    ck_expect_record("other:0 busy");
}
END_TEST

/* ---- accounting --------------------------------------------------------- */

static size_t held;
static size_t most_held;

/* Takes a permit within a random time, holds it for a random time. */
static int storm(void *arg) {
    unsigned *seed = arg;
    uva_scope_t scope;
    *seed = *seed * 1103515245u + 12345u;
    unsigned draw = *seed >> 16;
    uva_scope_open(&scope, draw % 5, 0);
    int code = uva_semaphore_acquire(&semaphore);
    if (code == 0) {
        held++;
        most_held = held > most_held ? held : most_held;
        (void)uva_sleep(draw % 3);
        held--;
        ck_assert_int_eq(uva_semaphore_release(&semaphore), 0);
    }
    (void)uva_scope_close(&scope);
    return 0;
}

/* Ten tasks a round, of which every third is cancelled at some moment. */
static int storm_main(void *arg) {
    (void)arg;
    unsigned seed = 7;
    int rounds = support_is_slow() ? 1000 : 10000;
    uva_semaphore_init_bounded(&semaphore, 3);
    for (int round = 0; round < rounds; round++) {
        uva_future_t *f[10];
        for (size_t i = 0; i < 10; i++)
            f[i] = uva_spawn(storm, &seed);
        for (size_t i = 0; i < 10; i += 3) {
            ck_assert_int_eq(uva_yield(), 0);
            (void)uva_cancel(f[i]);
        }
        ck_assert_int_eq(uva_gather_settled(f, 10, NULL, NULL), 0);
        ck_assert_uint_eq(uva_semaphore_value(&semaphore), 3);
        ck_assert_uint_eq(held, 0);
    }
    ck_assert_uint_eq(most_held, 3);
    expect_idle(3);
    return 0;
}

START_TEST(semaphore_counts_right_after_a_storm) {
    program_expect(storm_main);
}
END_TEST

START_TEST(semaphore_outside_a_task) {
    uva_semaphore_init(&semaphore, 1);
    ck_assert_int_eq(uva_semaphore_acquire(&semaphore), UV_EPERM);
    expect_idle(1);
}
END_TEST

static int wait_here(void *arg) {
    (void)arg;
    return uva_semaphore_acquire(&semaphore);
}

static size_t count_in(const char *text, const char *part) {
    size_t count = 0;
    while ((text = strstr(text, part)) != NULL) {
        text += strlen(part);
        count++;
    }
    return count;
}

static int crowd_main(void *arg) {
    (void)arg;
    enum { CROWD = 102 };
    uva_future_t *f[CROWD];
    uva_semaphore_init(&semaphore, 0);
    for (size_t i = 0; i < CROWD; i++)
        f[i] = uva_spawn(wait_here, NULL);
    ck_assert_int_eq(uva_yield(), 0);
    char *text = program_dump();
    ck_assert_ptr_nonnull(strstr(text, "(99 waiters ahead)"));
    ck_assert_uint_eq(count_in(text, "(100 or more waiters ahead)"), 2);
    ck_assert_ptr_null(strstr(text, "(101 "));
    free(text);
    for (size_t i = 0; i < CROWD; i++)
        ck_assert_int_eq(uva_semaphore_release(&semaphore), 0);
    return uva_gather(f, CROWD, NULL);
}

/* They are not counted for ever, or dumps would cost the square. */
START_TEST(semaphore_with_a_crowd_before_it) {
    program_expect(crowd_main);
}
END_TEST

static void release_in_thread(void *ret_code) {
    *(int *)ret_code = uva_semaphore_release(&semaphore);
}

static int thread_main(void *arg) {
    (void)arg;
    uva_semaphore_init(&semaphore, 0);
    uva_task_t *task = uva_spawn(wait_here, NULL);
    ck_assert_int_eq(uva_yield(), 0);
    int code = 0;
    support_in_thread(release_in_thread, &code);
    ck_assert_int_eq(code, UV_EPERM);
    ck_assert_int_eq(uva_yield(), 0);
    ck_assert(!uva_is_done(task));
    ck_assert_uint_eq(uva_semaphore_value(&semaphore), 0);
    ck_assert_int_eq(uva_semaphore_release(&semaphore), 0);
    return uva_await(task, NULL);
}

/* The report goes to standard error: that thread has no runtime. */
START_TEST(semaphore_released_by_another_thread) {
    program_expect(thread_main);
}
END_TEST

static int look_main(void *arg) {
    (void)arg;
    uva_semaphore_init_bounded(&semaphore, 2);
    uva_semaphore_set_name(&semaphore, "db");
    ck_assert_int_eq(uva_semaphore_acquire(&semaphore), 0);
    ck_assert_int_eq(uva_semaphore_acquire(&semaphore), 0);
    uva_future_t *f[3];
    for (size_t i = 0; i < 3; i++)
        f[i] = uva_spawn(wait_here, NULL);
    ck_assert_int_eq(uva_yield(), 0);
    uva_semaphore_statistics_t seen;
    uva_semaphore_statistics(&semaphore, &seen);
    ck_assert_str_eq(seen.name, "db");
    ck_assert_uint_eq(seen.value, 0);
    ck_assert_uint_eq(seen.bound, 2);
    ck_assert_uint_eq(seen.waiting, 3);
    char *text = program_dump();
    ck_assert_ptr_nonnull(strstr(text, "parked in semaphore 'db'  ("));
    ck_assert_ptr_nonnull(strstr(text, "semaphore 'db' (1 waiter ahead)  ("));
    ck_assert_ptr_nonnull(strstr(text, "semaphore 'db' (2 waiters ahead)  ("));
    free(text);
    ck_assert_int_eq(uva_cancel_and_wait(f[1]), UV_ECANCELED);
    uva_semaphore_statistics(&semaphore, &seen);
    ck_assert_uint_eq(seen.waiting, 2);
    ck_assert_int_eq(uva_semaphore_release(&semaphore), 0);
    ck_assert_int_eq(uva_semaphore_release(&semaphore), 0);
    return uva_gather((uva_future_t *[]){f[0], f[2]}, 2, NULL);
}

START_TEST(semaphore_tells_how_it_stands) {
    program_expect(look_main);
}
END_TEST

SUITE("semaphore", semaphore_counts_its_permits,
      semaphore_bounded_refuses_one_too_many, semaphore_bounded_by_nothing,
      semaphore_takes_turns, semaphore_wakes_three_in_one_tick,
      semaphore_lets_nobody_barge_in, semaphore_forgets_a_cancelled_waiter,
      semaphore_when_release_and_cancel_meet,
      semaphore_when_grants_and_cancels_mix, semaphore_with_a_limit,
      semaphore_that_is_free_does_not_switch,
      semaphore_that_is_free_starves_nobody,
      semaphore_counts_right_after_a_storm, semaphore_outside_a_task,
      semaphore_released_by_another_thread, semaphore_with_a_crowd_before_it,
      semaphore_tells_how_it_stands)
