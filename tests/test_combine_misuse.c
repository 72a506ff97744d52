/* Combinators used badly: waiting for oneself, nothing at all, NULL; and what
 * holds when one ends inside the completion of another. */
#include "support/program.h"

#include <string.h>

static int seven = 7;

/* ---- oneself ------------------------------------------------------------ */

static int waits_for_itself_main(void *arg) {
    (void)arg;
    uva_task_t *self = uva_current();
    uva_task_t *other = spawn_worker("w", 5, 0);
    uva_future_t *both[2];
    size_t index = 9;
    int codes[2] = {7, 7};
#define BOTH (both[0] = uva_ref(other), both[1] = uva_ref(self), both)
    ck_assert_int_eq(uva_await(uva_ref(self), NULL), UV_EPERM);
    ck_assert_int_eq(uva_wait_for(uva_ref(self), 10, NULL), UV_EPERM);
    ck_assert_int_eq(uva_cancel_and_wait(uva_ref(self)), UV_EPERM);
    ck_assert_int_eq(uva_gather(BOTH, 2, NULL), UV_EPERM);
    ck_assert_int_eq(uva_gather_settled(BOTH, 2, NULL, codes), UV_EPERM);
    ck_assert_int_eq(uva_race(BOTH, 2, &index, NULL), UV_EPERM);
#undef BOTH
    both[0] = other;
    both[1] = self;
    ck_assert_int_eq(uva_wait(both, 2, UVA_FIRST_COMPLETED, 10), UV_EPERM);
    uva_as_completed_t it;
    ck_assert_int_eq(uva_as_completed_open(&it, both, 2, 10), UV_EPERM);
    ck_assert_uint_eq(index, 9);
    ck_assert_int_eq(codes[0], 7);
    /* Refused, they have taken their references and done nothing else. */
    ck_assert_int_eq(uva_cancelling(self), 0);
    ck_assert_int_eq(uva_cancelling(other), 0);
    ck_assert_uint_eq(uva_now_ms(), 0);
    return uva_await(other, NULL);
}

START_TEST(combine_refuses_to_wait_for_itself) {
    CONFORMS("K-017");
    ck_assert_int_eq(program_run(waits_for_itself_main, NULL), 0);
    ck_assert_uint_eq(support_report_count(), 8);
    ck_assert(support_reports_contain("uva_race: "));
    ck_assert(support_reports_contain("uva_gather_settled: "));
    ck_expect_record("w");
}
END_TEST

/* ---- nothing ------------------------------------------------------------ */

static int nothing_main(void *arg) {
    (void)arg;
    uva_future_t *none[1] = {NULL};
    size_t index = 9;
    ck_assert_int_eq(uva_gather(NULL, 0, NULL), 0);
    ck_assert_int_eq(uva_gather(NULL, 1, NULL), UV_EINVAL);
    ck_assert_int_eq(uva_gather_settled(NULL, 0, NULL, NULL), 0);
    ck_assert_int_eq(uva_gather_settled(NULL, 1, NULL, NULL), UV_EINVAL);
    ck_assert_int_eq(uva_race(none, 0, &index, NULL), UV_EINVAL);
    ck_assert_int_eq(uva_race(NULL, 1, &index, NULL), UV_EINVAL);
    ck_assert_int_eq(uva_wait(none, 0, UVA_ALL_COMPLETED, 0), UV_EINVAL);
    ck_assert_int_eq(uva_wait(NULL, 1, UVA_ALL_COMPLETED, 0), UV_EINVAL);
    ck_assert_uint_eq(index, 9);
    ck_assert_uint_eq(uva_now_ms(), 0);
    return 0;
}

START_TEST(combine_of_nothing) {
    CONFORMS("K-052", "K-059");
    program_expect(nothing_main);
}
END_TEST

/* One whose spawn failed, among others: it has failed already. */
static int null_among_main(void *arg) {
    (void)arg;
    size_t index = 9;
    int codes[2] = {7, 7};
    uva_future_t *f[2] = {NULL, spawn_worker("a", 5, 3)};
    ck_assert_int_eq(uva_race(f, 2, &index, NULL), 3);
    ck_assert_uint_eq(index, 1);
    f[1] = spawn_worker("b", 5, 0);
    ck_assert_int_eq(uva_gather_settled(f, 2, NULL, codes), 0);
    ck_assert_int_eq(codes[0], UV_ENOMEM);
    ck_assert_int_eq(codes[1], 0);
    f[1] = spawn_worker("c", 5, 0);
    ck_assert_int_eq(uva_gather(f, 2, NULL), UV_ENOMEM);
    f[1] = spawn_worker("d", 5, 0);
    ck_assert_int_eq(uva_wait(f, 2, UVA_FIRST_ERROR, UVA_FOREVER), 1);
    uva_unref(f[1]);
    ck_assert_uint_eq(uva_now_ms(), 10);
    return uva_sleep(10);
}

/* c is cancelled before its first step. */
START_TEST(combine_with_null_among_others) {
    program_expect(null_among_main);
    ck_expect_record("a b d");
}
END_TEST

/* ---- one inside the other ----------------------------------------------- */

/* Each shield is the last to hold the one inside it. */
static int shields_main(void *arg) {
    int depth = *(int *)arg;
    uva_future_t *inner = uva_future_new();
    uva_future_t *f = uva_ref(inner);
    for (int i = 0; i < depth; i++)
        f = uva_shield(f);
    ck_assert_int_eq(uva_future_fail(inner, -9, "inside"), 0);
    uva_unref(inner);
    ck_assert_int_eq(uva_await(f, NULL), -9);
    ck_assert_str_eq(uva_last_message(), "inside");
    return 0;
}

START_TEST(shield_of_a_shield) {
    CONFORMS("K-041");
    for (int depth = 2; depth < 5; depth++)
        ck_assert_int_eq(program_run(shields_main, &depth), 0);
    ck_assert_str_eq(support_reports(), "");
}
END_TEST

/* ---- in dumps ----------------------------------------------------------- */

static int races(void *arg) {
    uva_future_t *f[] = {spawn_worker("a", 10, 0), spawn_worker("b", 20, 0)};
    return arg != NULL ? uva_gather(f, 2, NULL) : uva_race(f, 2, NULL, NULL);
}

static int dump_main(void *arg) {
    uva_task_t *task = uva_spawn(races, arg);
    ck_assert_int_eq(uva_sleep(1), 0);
    char *text = program_dump();
    ck_assert_ptr_nonnull(strstr(text, arg != NULL ? "gather" : "in race"));
    free(text);
    return uva_await(task, NULL);
}

/* Each is called by its own name. */
START_TEST(combine_in_a_dump) {
    ck_assert_int_eq(program_run(dump_main, NULL), 0);
    ck_assert_int_eq(program_run(dump_main, &seven), 0);
    ck_expect_record("a b! a b");
}
END_TEST

/* ---- what was cut short ------------------------------------------------- */

/* | body           | a       | b               | deadline (20) |
 * | race <park>    | wins    |                 |               |
 * |                |         | cut, lingers 50 |               |
 * |                |         |                 | passes        |
 * | 0 at 60        |         | ends            |               |
 */
static int won_main(void *arg) {
    (void)arg;
    uva_future_t *f[] = {spawn_worker("a", 10, 0),
                         spawn_lingerer("b", 100, 50)};
    uva_scope_t scope;
    uva_scope_open(&scope, 20, 0);
    ck_assert_int_eq(uva_race(f, 2, NULL, NULL), 0);
    ck_assert_uint_eq(uva_now_ms(), 60);
    ck_assert(uva_scope_is_cancelled(&scope));
    ck_assert_int_eq(uva_scope_close(&scope), 0);
    uva_scope_open(&scope, 20, 0);
    f[0] = spawn_worker("c", 30, 0);
    f[1] = spawn_worker("d", 40, 0);
    ck_assert_int_eq(uva_race(f, 2, NULL, NULL), UV_ECANCELED);
    ck_assert_int_eq(uva_scope_close(&scope), UV_ETIMEDOUT);
    return 0;
}

/* A success stands: the deadline cut nothing that counts. */
START_TEST(race_won_before_its_deadline) {
    program_expect(won_main);
    ck_expect_record("a b! b~ c! d!");
}
END_TEST

SUITE("combine_misuse", combine_refuses_to_wait_for_itself, combine_of_nothing,
      combine_with_null_among_others, shield_of_a_shield, combine_in_a_dump,
      race_won_before_its_deadline)
