/* labels: valgrind; timeout: 30 */
/* Capacity limiters: semaphores whose total changes while tasks are at it. */
#include "sync_fixture.h"

static uva_capacity_limiter_t limiter;

static int acquire(void *name) {
    int code = uva_capacity_limiter_acquire(&limiter);
    record("%s:%d", (const char *)name, code);
    return code;
}

static int acquire_and_sleep(void *name) {
    int code = acquire(name);
    record("sleep:%d", uva_sleep(1));
    return code;
}

static void expect(size_t total, size_t borrowed, size_t waiting) {
    uva_capacity_limiter_statistics_t seen;
    uva_capacity_limiter_statistics(&limiter, &seen);
    ck_assert_uint_eq(seen.total, total);
    ck_assert_uint_eq(seen.borrowed, borrowed);
    ck_assert_uint_eq(seen.waiting, waiting);
    ck_assert_uint_eq(uva_capacity_limiter_available(&limiter),
                      total > borrowed ? total - borrowed : 0);
}

static void release(int times) {
    for (int i = 0; i < times; i++)
        ck_assert_int_eq(uva_capacity_limiter_release(&limiter), 0);
}

/* ---- the total ---------------------------------------------------------- */

static int total_main(void *arg) {
    (void)arg;
    uva_capacity_limiter_init(&limiter, 0);
    ck_assert_int_eq(uva_capacity_limiter_try_acquire(&limiter), UV_EAGAIN);
    uva_future_t *f[] = {parked(acquire, "a"), parked(acquire, "b"),
                         parked(acquire, "c"), parked(acquire, "d")};
    expect(0, 0, 4);
    /* Raised by two: two are admitted. */
    ck_assert_int_eq(uva_capacity_limiter_set_total(&limiter, 2), 0);
    expect(2, 2, 2);
    ck_assert_int_eq(uva_yield(), 0);
    record("raised");
    /* Lowered: nobody is thrown out, and one back is not enough. */
    ck_assert_int_eq(uva_capacity_limiter_set_total(&limiter, 1), 0);
    expect(1, 2, 2);
    release(1);
    expect(1, 1, 2);
    ck_assert_int_eq(uva_yield(), 0);
    record("lowered");
    release(1);
    expect(1, 1, 1);
    ck_assert_int_eq(uva_capacity_limiter_set_total(&limiter, SIZE_MAX), 0);
    expect(SIZE_MAX, 2, 0);
    ck_assert_int_eq(uva_gather(f, 4, NULL), 0);
    ck_assert_int_eq(uva_capacity_limiter_set_total(&limiter, 0), 0);
    ck_assert_int_eq(uva_capacity_limiter_try_acquire(&limiter), UV_EAGAIN);
    release(2);
    expect(0, 0, 0);
    ck_assert_int_eq(uva_capacity_limiter_try_acquire(&limiter), UV_EAGAIN);
    return 0;
}

START_TEST(capacity_limiter_total_changes) {
    CONFORMS("K-137");
    program_expect(total_main);
    ck_expect_record("a:0 b:0 raised lowered c:0 d:0");
}
END_TEST

START_TEST(capacity_limiter_counts_what_is_borrowed) {
    limiter = (uva_capacity_limiter_t)UVA_CAPACITY_LIMITER_INIT(2);
    ck_assert_int_eq(uva_capacity_limiter_release(&limiter), UV_ERANGE);
    expect(2, 0, 0);
    ck_assert_int_eq(uva_capacity_limiter_try_acquire(&limiter), 0);
    ck_assert_int_eq(uva_capacity_limiter_try_acquire(&limiter), 0);
    ck_assert_int_eq(uva_capacity_limiter_try_acquire(&limiter), UV_EAGAIN);
    expect(2, 2, 0);
    release(2);
    ck_assert_int_eq(uva_capacity_limiter_release(&limiter), UV_ERANGE);
    ck_assert_int_eq(uva_capacity_limiter_acquire(&limiter), UV_EPERM);
    expect(2, 0, 0);
}
END_TEST

/* ---- windows ------------------------------------------------------------ */

/* | in one tick     | acquire      | then sleep   | borrowed |
 * | release, cancel | 0            | UV_ECANCELED | 1        |
 * | cancel, release | UV_ECANCELED | UV_ECANCELED | 0        |
 * | raise, cancel   | 0            | UV_ECANCELED | 2        |
 * | cancel, raise   | UV_ECANCELED | UV_ECANCELED | 1        |
 */
static int cancel_main(void *arg) {
    (void)arg;
    for (size_t step = 0; step < 4; step++) {
        uva_capacity_limiter_init(&limiter, 1);
        ck_assert_int_eq(uva_capacity_limiter_acquire(&limiter), 0);
        uva_task_t *task = parked(acquire_and_sleep, "w");
        if (step % 2 == 1)
            ck_assert(uva_cancel(task));
        if (step < 2)
            release(1);
        else
            ck_assert_int_eq(uva_capacity_limiter_set_total(&limiter, 2), 0);
        if (step % 2 == 0)
            ck_assert(uva_cancel(task));
        (void)uva_await(task, NULL);
        expect(step < 2 ? 1 : 2, (size_t[]){1, 0, 2, 1}[step], 0);
    }
    return 0;
}

START_TEST(capacity_limiter_when_a_token_and_a_cancel_meet) {
    program_expect(cancel_main);
    ck_expect_record("w:0 sleep:-125 w:-125 sleep:-125 "
                     "w:0 sleep:-125 w:-125 sleep:-125");
}
END_TEST

/* | main         | a         | b         |
 * |              | acquire   | acquire   |
 * | raise to 1   | admitted  |           |
 * | lower to 0   | (stays)   |           |
 * | cancel b     |           | cut       |
 * | release      |           |           |  nobody is left
 */
static int lower_main(void *arg) {
    (void)arg;
    uva_capacity_limiter_init(&limiter, 0);
    uva_future_t *f[] = {parked(acquire, "a"), parked(acquire, "b")};
    ck_assert_int_eq(uva_capacity_limiter_set_total(&limiter, 1), 0);
    ck_assert_int_eq(uva_capacity_limiter_set_total(&limiter, 0), 0);
    ck_assert(uva_cancel(f[1]));
    release(1);
    expect(0, 0, 0);
    int codes[2];
    ck_assert_int_eq(uva_gather_settled(f, 2, NULL, codes), 0);
    ck_assert_int_eq(codes[0], 0);
    ck_assert_int_eq(codes[1], UV_ECANCELED);
    ck_assert_int_eq(uva_wait_for(uva_spawn(acquire, "late"), 5, NULL),
                     UV_ETIMEDOUT);
    expect(0, 0, 0);
    return 0;
}

START_TEST(capacity_limiter_when_raised_and_lowered_in_one_tick) {
    program_expect(lower_main);
    ck_expect_record("a:0 b:-125 late:-125");
}
END_TEST

static int spin(void *arg) {
    (void)arg;
    for (int i = 0; i < 1000; i++) {
        ck_assert_int_eq(uva_capacity_limiter_acquire(&limiter), 0);
        release(1);
    }
    record("spun");
    return 0;
}

static int quick_main(void *arg) {
    (void)arg;
    uva_capacity_limiter_init(&limiter, 1);
    uva_task_t *other = spawn_worker("other", 0, 0);
    for (int i = 0; i < 100; i++) {
        ck_assert_int_eq(uva_capacity_limiter_acquire(&limiter), 0);
        release(1);
    }
    record("main");
    ck_assert_int_eq(uva_await(other, NULL), 0);
    uva_future_t *f[] = {uva_spawn(spin, NULL), spawn_worker("fair", 0, 0)};
    return uva_gather(f, 2, NULL);
}

START_TEST(capacity_limiter_with_room_neither_switches_nor_starves) {
    program_expect(quick_main);
    ck_expect_record("main other fair spun");
}
END_TEST

/* ---- from elsewhere, looking -------------------------------------------- */

static void give_back(void *arg) {
    (void)arg;
    release(1);
}

static void meddle(void *arg) {
    (void)arg;
    ck_assert_int_eq(uva_capacity_limiter_release(&limiter), UV_EPERM);
    ck_assert_int_eq(uva_capacity_limiter_set_total(&limiter, 9), UV_EPERM);
}

static int look_main(void *arg) {
    (void)arg;
    uva_capacity_limiter_init(&limiter, 1);
    uva_capacity_limiter_set_name(&limiter, "threads");
    ck_assert_int_eq(uva_capacity_limiter_acquire(&limiter), 0);
    uva_future_t *f[] = {parked(acquire, "a"), parked(acquire, "b")};
    uva_capacity_limiter_statistics_t seen;
    uva_capacity_limiter_statistics(&limiter, &seen);
    ck_assert_str_eq(seen.name, "threads");
    char *text = program_dump();
    ck_assert_ptr_nonnull(strstr(text, "in capacity limiter 'threads'  ("));
    ck_assert_ptr_nonnull(strstr(text, "'threads' (1 waiter ahead)  ("));
    free(text);
    support_in_thread(meddle, NULL);
    expect(1, 1, 2);
    ck_assert_int_eq(uva_post(uva_runtime_current(), give_back, NULL), 0);
    ck_assert_int_eq(uva_await(f[0], NULL), 0);
    release(1);
    ck_assert_int_eq(uva_await(f[1], NULL), 0);
    expect(1, 1, 0);
    return 0;
}

START_TEST(capacity_limiter_tells_how_it_stands) {
    program_expect(look_main);
    ck_expect_record("a:0 b:0");
}
END_TEST

/* ---- a storm ------------------------------------------------------------ */

static size_t held;

/* Nobody waits while there is room. */
static void must_be_sound(void) {
    must(limiter.borrowed >= held);
    must(limiter.waiters.list.first == NULL ||
         limiter.borrowed >= limiter.total);
}

static int storm_limiter(void *arg) {
    (void)arg;
    int rounds = storm_rounds(10000);
    for (int i = 0; i < rounds; i++) {
        uva_scope_t scope;
        uva_scope_open(&scope, draw(6), 0);
        int code = draw(4) == 0 ? uva_capacity_limiter_try_acquire(&limiter)
                                : uva_capacity_limiter_acquire(&limiter);
        (void)uva_scope_close(&scope);
        must(code == 0 || code == UV_ECANCELED || code == UV_EAGAIN);
        held += code == 0;
        must_be_sound();
        storm_on();
        if (draw(3) == 0)
            must(uva_capacity_limiter_set_total(&limiter, draw(5)) == 0);
        must_be_sound();
        if (code == 0) {
            held--;
            must(uva_capacity_limiter_release(&limiter) == 0);
        }
        must_be_sound();
    }
    return 0;
}

START_TEST(capacity_limiter_in_a_storm) {
    for (unsigned seed = 0; seed < STORM_SEEDS; seed++) {
        uva_capacity_limiter_init(&limiter, 3);
        storm(storm_limiter, seed);
        ck_assert_uint_eq(held, 0);
        expect(limiter.total, 0, 0);
    }
}
END_TEST

SUITE("capacity_limiter", capacity_limiter_total_changes,
      capacity_limiter_counts_what_is_borrowed,
      capacity_limiter_when_a_token_and_a_cancel_meet,
      capacity_limiter_when_raised_and_lowered_in_one_tick,
      capacity_limiter_with_room_neither_switches_nor_starves,
      capacity_limiter_tells_how_it_stands, capacity_limiter_in_a_storm)
