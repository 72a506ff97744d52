/* labels: valgrind; timeout: 60 */
/* Reader-writer locks: who shares them, whose turn it is, and what leaving the
 * queue does to those behind. */
#include "rwlock_fixture.h"

/* ---- order -------------------------------------------------------------- */

static int shared_main(void *arg) {
    (void)arg;
    rwlock = (uva_rwlock_t)UVA_RWLOCK_INIT;
    uva_future_t *f[] = {spawn_user("r1"), spawn_user("r2"), spawn_user("r3")};
    ck_assert_uint_eq(look().readers, 3);
    await_all(f, 3);
    uva_future_t *g[] = {spawn_user("w1"), spawn_user("w2"), spawn_user("r4")};
    ck_assert_str_eq(look().writer, "w1");
    ck_assert_uint_eq(look().readers, 0);
    await_all(g, 3);
    return 0;
}

START_TEST(rwlock_is_shared_by_readers_only) {
    program_expect(shared_main);
    ck_expect_record("r1:0 r2:0 r3:0 r1. r2. r3. w1:0 w1. w2:0 w2. r4:0 r4.");
}
END_TEST

/* | r1   | w1    | r2, r3               | w2    | r4    |
 * | read | write | read: behind w1      | write | read  |
 * | ends | goes  |                      |       |       |
 * |      | ends  | go, both at a stroke |       |       |
 * |      |       | end                  | goes  |       |
 * |      |       |                      | ends  | goes  |
 */
static int fair_main(void *arg) {
    (void)arg;
    uva_rwlock_init(&rwlock);
    uva_future_t *f[] = {spawn_user("r1"), spawn_user("w1"), spawn_user("r2"),
                         spawn_user("r3"), spawn_user("w2"), spawn_user("r4")};
    uva_rwlock_statistics_t seen = look();
    ck_assert_uint_eq(seen.readers, 1);
    ck_assert_uint_eq(seen.waiting_readers, 3);
    ck_assert_uint_eq(seen.waiting_writers, 2);
    ck_assert_int_eq(uva_rwlock_try_acquire_read(&rwlock), UV_EAGAIN);
    await_all(f, 6);
    return 0;
}

START_TEST(rwlock_is_fair_to_writers_and_readers) {
    program_expect(fair_main);
    ck_expect_record("r1:0 r1. w1:0 w1. r2:0 r3:0 r2. r3. w2:0 w2. r4:0 r4.");
}
END_TEST

static bool over;

static int read_on_and_on(void *arg) {
    (void)arg;
    while (!over) {
        ck_assert_int_eq(uva_rwlock_acquire_read(&rwlock), 0);
        ck_assert_int_eq(uva_sleep(2), 0);
        ck_assert_int_eq(uva_rwlock_release_read(&rwlock), 0);
    }
    return 0;
}

/* Readers who overlap, so that there is always one, and a writer. */
static int starve_main(void *arg) {
    (void)arg;
    uva_rwlock_init(&rwlock);
    uva_future_t *f[4];
    for (int i = 0; i < 4; i++) {
        f[i] = uva_spawn(read_on_and_on, NULL);
        ck_assert_int_eq(uva_sleep(1), 0);
    }
    uint64_t before = uva_now_ms();
    ck_assert_int_eq(uva_rwlock_acquire_write(&rwlock), 0);
    ck_assert_uint_le(uva_now_ms() - before, 2);
    over = true;
    ck_assert_int_eq(uva_rwlock_release_write(&rwlock), 0);
    await_all(f, 4);
    return 0;
}

START_TEST(rwlock_starves_no_writer) {
    program_expect(starve_main);
}
END_TEST

/* ---- not waiting -------------------------------------------------------- */

static int use_when_cancelled(void *arg) {
    (void)arg;
    ck_assert(uva_cancel(uva_current()));
    for (int i = 0; i < 20; i++) {
        ck_assert_int_eq(uva_rwlock_acquire_read(&rwlock), 0);
        ck_assert_int_eq(uva_rwlock_release_read(&rwlock), 0);
        ck_assert_int_eq(uva_rwlock_acquire_write(&rwlock), 0);
        ck_assert_int_eq(uva_rwlock_release_write(&rwlock), 0);
    }
    ck_assert_int_eq(uva_rwlock_try_acquire_read(&rwlock), 0);
    ck_assert_int_eq(uva_rwlock_acquire_write(&rwlock), UV_ECANCELED);
    ck_assert_int_eq(uva_rwlock_release_read(&rwlock), 0);
    return 0;
}

static int free_main(void *arg) {
    (void)arg;
    uva_rwlock_init(&rwlock);
    ck_assert_int_eq(uva_await(uva_spawn(use_when_cancelled, NULL), NULL), 0);
    ck_assert_int_eq(uva_rwlock_try_acquire_read(&rwlock), 0);
    ck_assert_int_eq(uva_rwlock_try_acquire_read(&rwlock), 0);
    ck_assert_int_eq(uva_rwlock_try_acquire_write(&rwlock), UV_EAGAIN);
    ck_assert_int_eq(uva_rwlock_release_read(&rwlock), 0);
    ck_assert_int_eq(uva_rwlock_try_acquire_write(&rwlock), UV_EAGAIN);
    ck_assert_int_eq(uva_rwlock_release_read(&rwlock), 0);
    ck_assert_int_eq(uva_rwlock_try_acquire_write(&rwlock), 0);
    ck_assert_int_eq(uva_rwlock_try_acquire_write(&rwlock), UV_EAGAIN);
    ck_assert_int_eq(uva_rwlock_try_acquire_read(&rwlock), UV_EAGAIN);
    ck_assert_int_eq(uva_rwlock_release_write(&rwlock), 0);
    expect_idle();
    return 0;
}

START_TEST(rwlock_that_is_free_does_not_switch) {
    program_expect(free_main);
}
END_TEST

static int busy(void *arg) {
    bool reads = arg != NULL;
    for (int i = 0; i < 1000; i++) {
        ck_assert_int_eq(reads ? uva_rwlock_acquire_read(&rwlock)
                               : uva_rwlock_acquire_write(&rwlock),
                         0);
        ck_assert_int_eq(reads ? uva_rwlock_release_read(&rwlock)
                               : uva_rwlock_release_write(&rwlock),
                         0);
    }
    record("busy");
    return 0;
}

/* The other gets it while the budget makes the busy one yield, and keeps it
 * for long. */
static int budget_main(void *arg) {
    (void)arg;
    uva_rwlock_init(&rwlock);
    for (uintptr_t reads = 0; reads < 2; reads++) {
        uva_future_t *f[] = {uva_spawn(busy, (void *)reads),
                             uva_spawn(use, "w1")};
        await_all(f, 2);
    }
    return 0;
}

START_TEST(rwlock_that_is_free_starves_nobody) {
    program_expect(budget_main);
    ck_expect_record("w1:0 w1. busy w1:0 w1. busy");
}
END_TEST

/* A refused yield of the budget is a refused acquire. */
static int refused_main(void *arg) {
    (void)arg;
    uva_rwlock_init(&rwlock);
    uva_scope_t scope;
    uva_scope_open(&scope, 0, 0);
    while (uva_rwlock_acquire_read(&rwlock) == 0)
        ck_assert_int_eq(uva_rwlock_release_read(&rwlock), 0);
    ck_assert_int_eq(uva_rwlock_acquire_write(&rwlock), UV_ECANCELED);
    ck_assert_int_eq(uva_rwlock_acquire_read(&rwlock), UV_ECANCELED);
    ck_assert_int_eq(uva_scope_close(&scope), UV_ETIMEDOUT);
    expect_idle();
    return 0;
}

START_TEST(rwlock_refuses_when_cancelled_at_the_end_of_the_budget) {
    program_expect(refused_main);
}
END_TEST

/* ---- windows ------------------------------------------------------------ */

/* | r1   | w1    | r2, r3    | main      |
 * | read | write | read      |           |
 * |      |       |           | cancel w1 |
 * |      | cut   | go        |           |   nothing is before them any more
 */
static int cancel_writer_main(void *arg) {
    (void)arg;
    uva_rwlock_init(&rwlock);
    uva_future_t *f[] = {spawn_user("r1"), spawn_user("w1"), spawn_user("r2"),
                         spawn_user("r3"), spawn_user("w2")};
    ck_assert(uva_cancel(f[1]));
    uva_rwlock_statistics_t seen = look();
    ck_assert_uint_eq(seen.readers, 3);
    ck_assert_uint_eq(seen.waiting_readers, 0);
    ck_assert_uint_eq(seen.waiting_writers, 1);
    await_all(f, 5);
    return 0;
}

START_TEST(rwlock_admits_readers_behind_a_cancelled_writer) {
    program_expect(cancel_writer_main);
    ck_expect_record("r1:0 w1:-125 r2:0 r3:0 r1. r2. r3. w2:0 w2.");
}
END_TEST

/* | r1   | w1    | w2    | r2   | main              |
 * | read | write | write | read |                   |
 * |      |       |       |      | cancel w1         |   w2 is before r2
 * |      |       |       |      | cancel w2         |
 * |      |       |       | goes |                   |
 */
static int cancel_two_main(void *arg) {
    (void)arg;
    uva_rwlock_init(&rwlock);
    uva_future_t *f[] = {spawn_user("r1"), spawn_user("w1"), spawn_user("w2"),
                         spawn_user("r2")};
    ck_assert(uva_cancel(f[1]));
    ck_assert_uint_eq(look().readers, 1);
    ck_assert(uva_cancel(f[2]));
    ck_assert_uint_eq(look().readers, 2);
    await_all(f, 4);
    return 0;
}

START_TEST(rwlock_keeps_readers_behind_the_next_writer) {
    program_expect(cancel_two_main);
    ck_expect_record("r1:0 w1:-125 w2:-125 r2:0 r1. r2.");
}
END_TEST

/* A cancelled reader in the queue lets nobody in, nor does one that is last. */
static int cancel_reader_main(void *arg) {
    (void)arg;
    uva_rwlock_init(&rwlock);
    uva_future_t *f[] = {spawn_user("w1"), spawn_user("r1"), spawn_user("w2"),
                         spawn_user("r2")};
    ck_assert(uva_cancel(f[1]));
    ck_assert(uva_cancel(f[3]));
    ck_assert_str_eq(look().writer, "w1");
    ck_assert_uint_eq(look().readers, 0);
    await_all(f, 4);
    return 0;
}

START_TEST(rwlock_forgets_a_cancelled_reader) {
    program_expect(cancel_reader_main);
    ck_expect_record("w1:0 r1:-125 r2:-125 w1. w2:0 w2.");
}
END_TEST

/* For a reader and a writer that waits for a writer:
 *
 * | in one tick     | acquire      |
 * | release, cancel | 0            |   the sleep is cut, the lock is had
 * | cancel, release | UV_ECANCELED |
 */
static int window_main(void *arg) {
    (void)arg;
    uva_rwlock_init(&rwlock);
    for (int i = 0; i < 4; i++) {
        ck_assert_int_eq(uva_rwlock_acquire_write(&rwlock), 0);
        uva_task_t *task = spawn_user(i < 2 ? "r1" : "w1");
        if (i % 2 == 1)
            ck_assert(uva_cancel(task));
        ck_assert_int_eq(uva_rwlock_release_write(&rwlock), 0);
        if (i % 2 == 0)
            ck_assert(uva_cancel(task));
        ck_assert_int_eq(uva_rwlock_try_acquire_write(&rwlock),
                         i % 2 == 0 ? UV_EAGAIN : 0);
        if (i % 2 == 1)
            ck_assert_int_eq(uva_rwlock_release_write(&rwlock), 0);
        await_all(&task, 1);
    }
    return 0;
}

START_TEST(rwlock_when_release_and_cancel_meet) {
    program_expect(window_main);
    ck_expect_record("r1:0 r1. r1:-125 w1:0 w1. w1:-125");
}
END_TEST

/* | r1, r2  | w1      | main               |
 * | read    | write   |                    |
 * | release |         |                    |
 * | release | granted |                    |
 * |         |         | cancel w1          |   too late
 * |         | writes  |                    |
 */
static int last_reader_main(void *arg) {
    (void)arg;
    uva_rwlock_init(&rwlock);
    ck_assert_int_eq(uva_rwlock_acquire_read(&rwlock), 0);
    ck_assert_int_eq(uva_rwlock_acquire_read(&rwlock), 0);
    uva_task_t *w1 = spawn_user("w1");
    ck_assert_int_eq(uva_rwlock_release_read(&rwlock), 0);
    ck_assert_ptr_null(look().writer);
    ck_assert_int_eq(uva_rwlock_release_read(&rwlock), 0);
    ck_assert_str_eq(look().writer, "w1");
    ck_assert(uva_cancel(w1));
    await_all(&w1, 1);
    return 0;
}

START_TEST(rwlock_passes_with_the_last_reader) {
    program_expect(last_reader_main);
    ck_expect_record("w1:0 w1.");
}
END_TEST

static int write_in_scope(void *arg) {
    uva_scope_t scope;
    uva_scope_open(&scope, 10, 0);
    int code = uva_rwlock_acquire_write(&rwlock);
    record("%s:%d:%d", (const char *)arg, code, uva_scope_close(&scope));
    return code == 0 ? uva_rwlock_release_write(&rwlock) : 0;
}

/* The reader releases at 10, the moment of the writer's limit. Deadlines of one
 * moment expire before any task runs, so the limit comes first, and r2 goes. */
static int limit_main(void *arg) {
    (void)arg;
    uva_rwlock_init(&rwlock);
    uva_future_t *f[3] = {spawn_user("r1")};
    f[1] = uva_spawn(write_in_scope, "limit");
    ck_assert_int_eq(uva_yield(), 0);
    f[2] = spawn_user("r2");
    await_all(f, 3);
    return write_in_scope("free");
}

START_TEST(rwlock_when_release_and_limit_meet) {
    program_expect(limit_main);
    ck_expect_record("r1:0 r1. limit:-125:-110 r2:0 r2. free:0:0");
}
END_TEST

/* ---- accounting --------------------------------------------------------- */

static size_t reading;
static size_t writing;
static size_t most_reading;
static size_t reads;
static size_t writes;
static size_t tickets;
static size_t last_write;

static int storm_acquire(bool reads_it) {
    bool tries = draw(8) == 0;
    int code;
    if (reads_it)
        code = tries ? uva_rwlock_try_acquire_read(&rwlock)
                     : uva_rwlock_acquire_read(&rwlock);
    else
        code = tries ? uva_rwlock_try_acquire_write(&rwlock)
                     : uva_rwlock_acquire_write(&rwlock);
    must(code == 0 || code == (tries ? UV_EAGAIN : UV_ECANCELED));
    return code;
}

/* One writer or many readers, and whoever asked before a writer that has got it
 * has had it by then. */
static int storm_body(void *arg) {
    (void)arg;
    for (int i = storm_rounds(5000); i > 0; i--) {
        uva_scope_t scope;
        uva_scope_open(&scope, storm_limit(), 0);
        bool reads_it = draw(3) != 0;
        size_t ticket = ++tickets;
        if (storm_acquire(reads_it) == 0) {
            must(ticket > last_write);
            must(writing == 0 && (reads_it || reading == 0));
            (*(reads_it ? &reading : &writing))++;
            (*(reads_it ? &reads : &writes))++;
            if (!reads_it)
                last_write = ticket;
            most_reading = reading > most_reading ? reading : most_reading;
            dawdle();
            (*(reads_it ? &reading : &writing))--;
            must((reads_it ? uva_rwlock_release_read(&rwlock)
                           : uva_rwlock_release_write(&rwlock)) == 0);
        }
        (void)uva_scope_close(&scope);
        storm_on();
    }
    return 0;
}

START_TEST(rwlock_holds_in_a_storm) {
    for (unsigned seed = 0; seed < STORM_SEEDS; seed++) {
        uva_rwlock_init(&rwlock);
        reads = writes = tickets = last_write = most_reading = 0;
        storm(storm_body, seed);
        ck_assert_uint_gt(most_reading, 2);
        ck_assert_uint_gt(reads, tickets / 20);
        ck_assert_uint_gt(writes, tickets / 20);
        ck_assert_uint_lt(reads + writes, tickets);
        ck_assert_uint_eq(reading + writing, 0);
        expect_idle();
    }
}
END_TEST

/* ---- looking ------------------------------------------------------------ */

static int look_main(void *arg) {
    (void)arg;
    uva_rwlock_init(&rwlock);
    uva_rwlock_set_name(&rwlock, "db");
    uva_future_t *f[] = {spawn_user("w1"), spawn_user("w2"), spawn_user("r1"),
                         spawn_user("w3")};
    uva_rwlock_statistics_t seen = look();
    ck_assert_str_eq(seen.name, "db");
    ck_assert_str_eq(seen.writer, "w1");
    ck_assert(!seen.broken);
    ck_assert_uint_eq(seen.readers, 0);
    ck_assert_uint_eq(seen.waiting_readers, 1);
    ck_assert_uint_eq(seen.waiting_writers, 2);
    char *text = program_dump();
    ck_assert_ptr_nonnull(strstr(text, "parked in rwlock write 'db'  ("));
    ck_assert_ptr_nonnull(strstr(text, "rwlock read 'db' (1 waiter ahead)  ("));
    ck_assert_ptr_nonnull(
        strstr(text, "rwlock write 'db' (2 waiters ahead)  ("));
    free(text);
    await_all(f, 4);
    return 0;
}

START_TEST(rwlock_tells_how_it_stands) {
    program_expect(look_main);
    ck_expect_record("w1:0 w1. w2:0 w2. r1:0 r1. w3:0 w3.");
}
END_TEST

SUITE("rwlock", rwlock_is_shared_by_readers_only,
      rwlock_is_fair_to_writers_and_readers, rwlock_starves_no_writer,
      rwlock_that_is_free_does_not_switch, rwlock_that_is_free_starves_nobody,
      rwlock_refuses_when_cancelled_at_the_end_of_the_budget,
      rwlock_admits_readers_behind_a_cancelled_writer,
      rwlock_keeps_readers_behind_the_next_writer,
      rwlock_forgets_a_cancelled_reader, rwlock_when_release_and_cancel_meet,
      rwlock_passes_with_the_last_reader, rwlock_when_release_and_limit_meet,
      rwlock_holds_in_a_storm, rwlock_tells_how_it_stands)
