/* labels: valgrind; timeout: 30 */
/* Wait groups: waiting until a count comes to zero. */
#include "sync_fixture.h"

static uva_wait_group_t group;

static int wait_named(void *name) {
    int code = uva_wait_group_wait(&group);
    record("%s:%d", (const char *)name, code);
    return code;
}

static int wait_and_sleep(void *name) {
    int code = wait_named(name);
    record("sleep:%d", uva_sleep(1));
    return code;
}

static void expect_idle(size_t count) {
    ck_assert_uint_eq(uva_wait_group_count(&group), count);
    ck_assert(uva__list_is_empty(&group.waiters.list));
}

/* ---- counting ----------------------------------------------------------- */

static int job(void *arg) {
    ck_assert_int_eq(uva_sleep((uintptr_t)arg), 0);
    record("%d", (int)(uintptr_t)arg);
    return uva_wait_group_done(&group);
}

/* Used three times over. */
static int jobs_main(void *arg) {
    (void)arg;
    uva_wait_group_init(&group);
    for (int round = 0; round < 3; round++) {
        ck_assert_int_eq(uva_wait_group_add(&group, 3), 0);
        for (uintptr_t i = 1; i <= 3; i++)
            uva_detach(uva_spawn(job, (void *)(4 - i)));
        ck_assert_uint_eq(uva_wait_group_count(&group), 3);
        ck_assert_int_eq(uva_wait_group_wait(&group), 0);
        record("all");
        expect_idle(0);
    }
    return 0;
}

START_TEST(wait_group_waits_for_all) {
    program_expect(jobs_main);
    ck_expect_record("1 2 3 all 1 2 3 all 1 2 3 all");
}
END_TEST

static int crowd_main(void *arg) {
    (void)arg;
    group = (uva_wait_group_t)UVA_WAIT_GROUP_INIT;
    ck_assert_int_eq(uva_wait_group_add(&group, 1), 0);
    uva_future_t *f[] = {parked(wait_named, "a"), parked(wait_named, "b"),
                         parked(wait_named, "c")};
    /* Added to while it is waited for. */
    ck_assert_int_eq(uva_wait_group_add(&group, 1), 0);
    ck_assert_int_eq(uva_wait_group_done(&group), 0);
    ck_assert_int_eq(uva_sleep(10), 0);
    record("main");
    ck_assert_int_eq(uva_wait_group_done(&group), 0);
    ck_assert_int_eq(uva_gather(f, 3, NULL), 0);
    expect_idle(0);
    return 0;
}

START_TEST(wait_group_wakes_all_in_order) {
    program_expect(crowd_main);
    ck_expect_record("main a:0 b:0 c:0");
}
END_TEST

START_TEST(wait_group_beyond_its_range) {
    uva_wait_group_init(&group);
    ck_assert_int_eq(uva_wait_group_done(&group), UV_ERANGE);
    expect_idle(0);
    ck_assert_int_eq(uva_wait_group_add(&group, 0), 0);
    expect_idle(0);
    ck_assert_int_eq(uva_wait_group_add(&group, SIZE_MAX), 0);
    ck_assert_int_eq(uva_wait_group_add(&group, 1), UV_ERANGE);
    expect_idle(SIZE_MAX);
    ck_assert_int_eq(uva_wait_group_done(&group), 0);
    ck_assert_int_eq(uva_wait_group_add(&group, 1), 0);
    expect_idle(SIZE_MAX);
    ck_assert_int_eq(uva_wait_group_wait(&group), UV_EPERM);
}
END_TEST

/* ---- windows ------------------------------------------------------------ */

/* | main         | waiter         |
 * |              | wait: 1 left   |
 * | done         | may go         |
 * | add 1        |                |
 * | (cancel)     | goes           |
 */
static int done_add_main(void *arg) {
    (void)arg;
    for (int cancel = 0; cancel < 2; cancel++) {
        uva_wait_group_init(&group);
        ck_assert_int_eq(uva_wait_group_add(&group, 1), 0);
        uva_task_t *task = parked(wait_and_sleep, "w");
        ck_assert_int_eq(uva_wait_group_done(&group), 0);
        ck_assert_int_eq(uva_wait_group_add(&group, 1), 0);
        if (cancel == 1)
            ck_assert(uva_cancel(task));
        ck_assert_int_eq(uva_await(task, NULL), 0);
        expect_idle(1);
    }
    return 0;
}

START_TEST(wait_group_when_done_and_add_meet) {
    program_expect(done_add_main);
    ck_expect_record("w:0 sleep:0 w:0 sleep:-125");
}
END_TEST

/* | main     | a    | b    |
 * |          | wait | wait |
 * | cancel a | cut  |      |
 * | done     |      | goes |
 */
static int cancel_done_main(void *arg) {
    (void)arg;
    uva_wait_group_init(&group);
    ck_assert_int_eq(uva_wait_group_add(&group, 1), 0);
    uva_future_t *f[] = {parked(wait_named, "a"), parked(wait_named, "b")};
    ck_assert(uva_cancel(f[0]));
    ck_assert_int_eq(uva_wait_group_done(&group), 0);
    int codes[2];
    ck_assert_int_eq(uva_gather_settled(f, 2, NULL, codes), 0);
    ck_assert_int_eq(codes[0], UV_ECANCELED);
    expect_idle(0);
    ck_assert_int_eq(uva_wait_group_add(&group, 1), 0);
    ck_assert_int_eq(uva_wait_for(uva_spawn(wait_named, "late"), 5, NULL),
                     UV_ETIMEDOUT);
    expect_idle(1);
    return 0;
}

START_TEST(wait_group_forgets_who_left) {
    program_expect(cancel_done_main);
    ck_expect_record("a:-125 b:0 late:-125");
}
END_TEST

static int spin(void *arg) {
    (void)arg;
    for (int i = 0; i < 1000; i++)
        ck_assert_int_eq(uva_wait_group_wait(&group), 0);
    record("spun");
    return 0;
}

static int quick_main(void *arg) {
    (void)arg;
    uva_wait_group_init(&group);
    uva_task_t *other = spawn_worker("other", 0, 0);
    for (int i = 0; i < 100; i++)
        ck_assert_int_eq(uva_wait_group_wait(&group), 0);
    record("main");
    ck_assert_int_eq(uva_await(other, NULL), 0);
    uva_future_t *f[] = {uva_spawn(spin, NULL), spawn_worker("fair", 0, 0)};
    return uva_gather(f, 2, NULL);
}

START_TEST(wait_group_at_zero_neither_switches_nor_starves) {
    program_expect(quick_main);
    ck_expect_record("main other fair spun");
}
END_TEST

/* ---- from elsewhere, looking -------------------------------------------- */

static void finish(void *arg) {
    (void)arg;
    ck_assert_int_eq(uva_wait_group_done(&group), 0);
}

static void meddle(void *arg) {
    (void)arg;
    ck_assert_int_eq(uva_wait_group_done(&group), UV_EPERM);
}

static int look_main(void *arg) {
    (void)arg;
    uva_wait_group_init(&group);
    uva_wait_group_set_name(&group, "downloads");
    ck_assert_int_eq(uva_wait_group_add(&group, 1), 0);
    uva_future_t *f[] = {parked(wait_named, "a"), parked(wait_named, "b")};
    uva_wait_group_statistics_t seen;
    uva_wait_group_statistics(&group, &seen);
    ck_assert_str_eq(seen.name, "downloads");
    ck_assert_uint_eq(seen.count, 1);
    ck_assert_uint_eq(seen.waiting, 2);
    char *text = program_dump();
    ck_assert_ptr_nonnull(strstr(text, "parked in wait group 'downloads'  ("));
    ck_assert_ptr_nonnull(strstr(text, "'downloads' (1 waiter ahead)  ("));
    free(text);
    support_in_thread(meddle, NULL);
    ck_assert_uint_eq(uva_wait_group_count(&group), 1);
    ck_assert_int_eq(uva_post(uva_runtime_current(), finish, NULL), 0);
    return uva_gather(f, 2, NULL);
}

START_TEST(wait_group_tells_how_it_stands) {
    program_expect(look_main);
    ck_expect_record("a:0 b:0");
    expect_idle(0);
}
END_TEST

/* ---- a storm ------------------------------------------------------------ */

static size_t added;

/* What is added by a task it takes back itself; others wait for all. */
static int storm_group(void *arg) {
    (void)arg;
    int rounds = storm_rounds(8000);
    for (int i = 0; i < rounds; i++) {
        size_t count = draw(3);
        must(uva_wait_group_add(&group, count) == 0);
        added += count;
        dawdle();
        for (; count > 0; count--) {
            added--;
            must(uva_wait_group_done(&group) == 0);
        }
        uva_scope_t scope;
        uva_scope_open(&scope, draw(6), 0);
        int code = uva_wait_group_wait(&group);
        (void)uva_scope_close(&scope);
        must(code == 0 || code == UV_ECANCELED);
        must(uva_wait_group_count(&group) == added);
        must(added > 0 || group.waiters.list.first == NULL);
        storm_on();
    }
    return 0;
}

START_TEST(wait_group_in_a_storm) {
    for (unsigned seed = 0; seed < STORM_SEEDS; seed++) {
        uva_wait_group_init(&group);
        storm(storm_group, seed);
        expect_idle(0);
    }
}
END_TEST

SUITE("wait_group", wait_group_waits_for_all, wait_group_wakes_all_in_order,
      wait_group_beyond_its_range, wait_group_when_done_and_add_meet,
      wait_group_forgets_who_left,
      wait_group_at_zero_neither_switches_nor_starves,
      wait_group_tells_how_it_stands, wait_group_in_a_storm)
