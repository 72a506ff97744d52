/* labels: valgrind; timeout: 60 */
/* The typed layer without memory: the code, and nothing lost. */
#include "async_fixture.h"

#include <stdio.h>

/* ---- operations --------------------------------------------------------- */

/* Each gives 0, or UV_ENOMEM without memory. */

static int op_spawn(void) {
    big_t big = UVA_TRY(UVA_SPAWN(make_big(1, 1)));
    ck_assert(big_is(&big, 1));
    return 0;
}

static int op_spawn_named(void) {
    const uva_task_options_t options = {.name = "named", .eager = true};
    big_t big = UVA_TRY(UVA_SPAWN_WITH(&options, make_big(2, 1)));
    ck_assert(big_is(&big, 2));
    return 0;
}

static int op_future(void) {
    big_t big;
    UVA_CHECK(uva_await(UVA_FUTURE(make_big(3, 1)), &big));
    ck_assert(big_is(&big, 3));
    return 0;
}

static int op_shield(void) {
    big_t big = UVA_TRY(UVA_SHIELD(make_big(4, 1)));
    ck_assert(big_is(&big, 4));
    return 0;
}

static int op_wait_for(void) {
    big_t big;
    UVA_CHECK(UVA_WAIT_FOR(make_big(5, 1), 100, &big));
    ck_assert(big_is(&big, 5));
    return 0;
}

static int op_group(void) {
    uva_group_t group;
    UVA_WITH(group, &group)
        for (uint64_t i = 0; i < 20; i++)
            UVA_CHECK(UVA_GROUP_SPAWN(&group, make_big(6, i)));
    return 0;
}

static int op_gather(void) {
    big_t big[3];
    UVA_CHECK(UVA_GATHER(big, make_big(1, 3), UVA_SPAWN(make_big(2, 2)),
                         make_big(3, 1)));
    ck_assert(big_is(&big[0], 1) && big_is(&big[2], 3));
    return 0;
}

/* More than have room without memory; some are tasks already. */
static int op_gather_array(void) {
    struct make_big all[20];
    big_t big[20];
    for (int i = 0; i < 20; i++) {
        all[i] = make_big(i, (uint64_t)i);
        if (i % 2 == 0)
            all[i] = UVA_SPAWN(all[i]);
    }
    UVA_CHECK(UVA_GATHER_ARRAY(big, all, 20));
    ck_assert(big_is(&big[0], 0) && big_is(&big[19], 19));
    return 0;
}

/* One that cannot be made loses; all of them, and there is no memory. */
static int op_race(void) {
    big_t big;
    UVA_CHECK(UVA_RACE(NULL, &big, make_big(1, 9), make_big(2, 1)));
    ck_assert(big_is(&big, 1) || big_is(&big, 2));
    return 0;
}

UVA_ASYNC(big_t, big_from, (int, number)) {
    UVA_CHECK(uva_sleep(1));
    UVA_RETURN(big_of(number));
}

static int op_map(void) {
    const int numbers[12] = {1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12};
    big_t big[12];
    UVA_CHECK(UVA_MAP(big_from, numbers, 12, 10, big));
    ck_assert(big_is(&big[0], 1) && big_is(&big[11], 12));
    return 0;
}

UVA_GENERATOR(big_t, bigs, (int, stop)) {
    for (int i = 0; i < stop; i++)
        UVA_YIELD(UVA_TRY(UVA_SPAWN(make_big(i, 1))));
    return 0;
}

static int op_for(void) {
    int expected = 0;
    UVA_FOR(big_t, big, bigs(3))
        ck_assert(big_is(&big, expected++));
    ck_assert_int_eq(expected, 3);
    return 0;
}

static int op_for_completed(void) {
    struct make_big all[20];
    int count = 0;
    for (int i = 0; i < 20; i++) {
        all[i] = make_big(i, (uint64_t)i);
        if (i % 2 == 0)
            all[i] = UVA_SPAWN(all[i]);
    }
    UVA_FOR_COMPLETED(big_t, big, all, 20)
        count += big_is(&big, count);
    ck_assert_int_eq(count, 20);
    return 0;
}

static int op_collect(void) {
    big_t *all = NULL;
    size_t count = 0;
    int code = UVA_COLLECT(&all, &count, bigs(20));
    ck_assert_uint_eq(count, code < 0 ? 0 : 20);
    ck_assert(code < 0 ? all == NULL : big_is(&all[19], 19));
    free(all);
    return code;
}

static int op_collect_map(void) {
    int *all = NULL;
    size_t count = 0;
    UVA_CHECK(UVA_COLLECT_MAP(&all, &count, UVA_TRY(UVA_SPAWN(add(1, 1, 1))),
                              big_t, big, bigs(20)));
    ck_assert(count == 20 && all[19] == 2);
    free(all);
    return 0;
}

/* A failure whose message there is no memory for goes up without it. */
static int op_message(void) {
    ck_assert_int_eq(UVA_AWAIT(breaks(-5, 1)), -5);
    return uva_last_message() != NULL ? 0 : UV_ENOMEM;
}

/* ---- every allocation in turn ------------------------------------------- */

typedef struct attempt {
    int (*operation)(void);
    fault_t kind;
    unsigned long nth;
    bool was_hit;
    int code;
} attempt_t;

static int attempt_main(void *arg) {
    attempt_t *attempt = arg;
    faults_fail(attempt->kind, attempt->nth);
    attempt->code = attempt->operation();
    attempt->was_hit = faults_clear() > 0;
    return uva_sleep(1);
}

/* In a new runtime each time, so that pools are empty. Returns how many
 * failures were met; *ret_refusals: by UV_ENOMEM. */
static unsigned try_each(int (*operation)(void), fault_t kind,
                         unsigned *ret_refusals) {
    unsigned hits = 0;
    for (unsigned long nth = 1;; nth++) {
        attempt_t attempt = {.operation = operation, .kind = kind, .nth = nth};
        ck_assert_int_eq(program_run(attempt_main, &attempt), 0);
        if (!attempt.was_hit) {
            ck_assert_int_eq(attempt.code, 0);
            return hits;
        }
        ck_assert(attempt.code == 0 || attempt.code == UV_ENOMEM);
        *ret_refusals += attempt.code == UV_ENOMEM;
        hits++;
    }
}

static void expect_survives(int (*operation)(void)) {
    unsigned refusals = 0;
    unsigned hits = try_each(operation, FAULT_MALLOC, &refusals);
    hits += try_each(operation, FAULT_CALLOC, &refusals);
    hits += try_each(operation, FAULT_REALLOC, &refusals);
    ck_assert_uint_gt(hits, 0);
    ck_assert_uint_gt(refusals, 0);
    ck_assert_str_eq(support_reports(), "");
}

#define SURVIVES(name, ...) \
    START_TEST(name) { \
        int (*const operations[])(void) = {__VA_ARGS__}; \
        for (size_t i = 0; i < sizeof operations / sizeof operations[0]; i++) \
            expect_survives(operations[i]); \
    } \
    END_TEST

SURVIVES(async_faults_tasks, op_spawn, op_spawn_named, op_future, op_shield)
SURVIVES(async_faults_waits, op_wait_for, op_group, op_message)
SURVIVES(async_faults_gather, op_gather, op_gather_array)
SURVIVES(async_faults_map, op_map)
SURVIVES(async_faults_loops, op_for, op_for_completed)
SURVIVES(async_faults_collect, op_collect, op_collect_map)

/* A race goes to whoever could be made. */
START_TEST(async_faults_race) {
    unsigned refusals = 0;
    ck_assert_uint_gt(try_each(op_race, FAULT_MALLOC, &refusals), 0);
    ck_assert_str_eq(support_reports(), "");
}
END_TEST

/* A run that could not begin; one without memory for its coroutine. */
START_TEST(async_faults_run) {
    const uva_options_t options = {.clock = UVA_CLOCK_VIRTUAL,
                                   .report = support_report};
    unsigned hits = 0;
    bool was_hit = true;
    for (unsigned long nth = 1; was_hit; nth++) {
        big_t big = big_of(9);
        faults_fail(FAULT_MALLOC, nth);
        int code = UVA_RUN_WITH(&options, make_big(1, 1), &big);
        was_hit = faults_clear() > 0;
        hits += was_hit;
        ck_assert(code == 0 || (was_hit && code == UV_ENOMEM));
        ck_assert(big_is(&big, code == 0 ? 1 : 9));
    }
    ck_assert_uint_gt(hits, 2);
}
END_TEST

SUITE("async_faults", async_faults_tasks, async_faults_waits,
      async_faults_gather, async_faults_map, async_faults_loops,
      async_faults_collect, async_faults_race, async_faults_run)
