/* labels: valgrind; timeout: 30 */
/* Generators: items one by one, whose task the body is, and how it is cut
 * short. test_generator_misuse.c has what is refused. */
#include "generator_fixture.h"

#include <string.h>

/* ---- items -------------------------------------------------------------- */

static int items_main(void *arg) {
    (void)arg;
    count_t count = {.limit = 3};
    int item = 7;
    uva_generator_t *generator = counter(&count);
    record("made");
    ck_assert_uint_eq(stacks_in_use(), 1);
    take(generator, 0, 2);
    ck_assert_uint_eq(stacks_in_use(), 2);
    ck_assert_int_eq(uva_next(generator, NULL), 1);
    record("last");
    ck_assert_int_eq(uva_next(generator, &item), 0);
    ck_assert_uint_eq(stacks_in_use(), 1);
    ck_assert_int_eq(uva_next(generator, &item), 0);
    ck_assert_int_eq(item, 7);
    return uva_generator_close(generator);
}

START_TEST(generator_hands_out_its_items) {
    program_expect(items_main);
    ck_expect_record("made begin last end:0");
}
END_TEST

static int failure_main(void *arg) {
    (void)arg;
    count_t count = {.limit = 1, .ms = 5, .code = UV_EIO};
    uva_generator_t *generator = counter(&count);
    take(generator, 0, 1);
    ck_assert_int_eq(uva_next(generator, NULL), UV_EIO);
    ck_assert_int_eq(uva_next(generator, NULL), 0);
    ck_assert_int_eq(uva_generator_close(generator), UV_EIO);
    count.code = 17; /* a success like any other */
    generator = counter(&count);
    take(generator, 0, 1);
    ck_assert_int_eq(uva_next(generator, NULL), 0);
    ck_assert_int_eq(uva_generator_close(generator), 0);
    ck_assert_uint_eq(stacks_in_use(), 1);
    return 0;
}

START_TEST(generator_fails_once) {
    program_expect(failure_main);
    ck_expect_record("begin end:0 begin end:0");
}
END_TEST

static int emit_twice_nothing(void *arg) {
    (void)arg;
    ck_assert_int_eq(uva_emit(NULL), 0);
    return uva_emit(NULL);
}

static int no_bytes_main(void *arg) {
    (void)arg;
    char untouched = 'x';
    uva_generator_t *generator = uva_generate(emit_twice_nothing, NULL, 0);
    ck_assert_int_eq(uva_next(generator, &untouched), 1);
    ck_assert_int_eq(uva_next(generator, NULL), 1);
    ck_assert_int_eq(uva_next(generator, NULL), 0);
    ck_assert_int_eq(untouched, 'x');
    return uva_generator_close(generator);
}

START_TEST(generator_items_may_have_no_bytes) {
    program_expect(no_bytes_main);
}
END_TEST

static int many_main(void *arg) {
    (void)arg;
    int items = support_is_slow() ? 10000 : 100000;
    count_t count = {.limit = items};
    uva_generator_t *generator = counter(&count);
    take(generator, 0, 1);
    unsigned long before = faults_allocations();
    take(generator, 1, items);
    ck_assert_uint_eq(faults_allocations(), before);
    ck_assert_int_eq(uva_next(generator, NULL), 0);
    return uva_generator_close(generator);
}

START_TEST(generator_allocates_nothing_per_item) {
    program_expect(many_main);
    ck_expect_record("begin end:0");
}
END_TEST

/* ---- many --------------------------------------------------------------- */

enum { CROWD = 1000 };

static int count_quietly(void *arg) {
    int code = 0;
    for (int i = *(int *)arg; code >= 0; i++)
        code = uva_emit(&i);
    return code;
}

static int crowd_main(void *arg) {
    (void)arg;
    static uva_generator_t *crowd[CROWD];
    static int first[CROWD];
    for (int i = 0; i < CROWD; i++) {
        first[i] = i;
        crowd[i] = uva_generate(count_quietly, &first[i], sizeof(int));
        take(crowd[i], i, i + 1);
    }
    ck_assert_uint_eq(stacks_in_use(), CROWD + 1);
    for (int i = 0; i < CROWD; i++)
        take(crowd[i], i + 1, i + 3);
    for (int i = 0; i < CROWD; i++)
        ck_assert_int_eq(uva_generator_close(crowd[i]), 0);
    uva_stack_stats_t stats;
    ck_assert_int_eq(uva_stack_stats(uva_runtime_current(), &stats), 0);
    ck_assert_uint_eq(stats.in_use, 1);
    ck_assert_uint_eq(stats.pooled, CROWD);
    /* What they gave back serves tasks, and theirs serve generators. */
    ck_assert_int_eq(uva_await(spawn_worker("t", 1, 0), NULL), 0);
    uva_generator_t *again = uva_generate(count_quietly, first, sizeof(int));
    take(again, 0, 2);
    ck_assert_int_eq(uva_stack_stats(uva_runtime_current(), &stats), 0);
    ck_assert_uint_eq(stats.pooled, CROWD - 1);
    return uva_generator_close(again);
}

START_TEST(generator_a_thousand_stand_at_once) {
    program_expect(crowd_main);
    ck_expect_record("t");
}
END_TEST

START_TEST(generator_a_thousand_in_debug) {
    uva_options_t options = {
        .debug = true, .slow_task_ms = 60000, .report = support_report};
    ck_assert_int_eq(uva_run_with(&options, crowd_main, NULL), 0);
    ck_assert_str_eq(support_reports(), "");
}
END_TEST

/* Pairs of counts, one inside the other. */
static int pairs(void *arg) {
    count_t *count = arg;
    int code = 0;
    for (int i = 0; i < count->limit && code >= 0; i++) {
        int first = i * 10;
        int item = 0;
        uva_generator_t *inner =
            uva_generate(count_quietly, &first, sizeof(int));
        for (int k = 0; k < 2 && code >= 0; k++) {
            ck_assert_int_eq(uva_sleep(1), 0);
            code = uva_next(inner, &item);
            if (code > 0)
                code = uva_emit(&item);
        }
        ck_assert_int_eq(uva_generator_close(inner), 0);
    }
    return code;
}

static int nested_main(void *arg) {
    (void)arg;
    count_t count = {.limit = 3};
    int item = 0;
    uva_generator_t *generator = uva_generate(pairs, &count, sizeof(int));
    while (uva_next(generator, &item) > 0)
        record("%d", item);
    ck_assert_int_eq(uva_generator_close(generator), 0);
    generator = uva_generate(pairs, &count, sizeof(int));
    take(generator, 0, 2);
    ck_assert_uint_eq(stacks_in_use(), 3);
    ck_assert_int_eq(uva_generator_close(generator), 0);
    ck_assert_uint_eq(stacks_in_use(), 1);
    return 0;
}

START_TEST(generator_bodies_iterate_others) {
    program_expect(nested_main);
    ck_expect_record("0 1 10 11 20 21");
}
END_TEST

/* ---- whose it is -------------------------------------------------------- */

static const uva_local_t tag = UVA_LOCAL_INIT(NULL);

static int say_who(void *arg) {
    (void)arg;
    int code = 0;
    while (code >= 0) {
        record("%s/%s", uva_name(uva_current()),
               (const char *)uva_local_get(&tag));
        ck_assert_int_eq(uva_sleep(1), 0);
        code = uva_emit(NULL);
    }
    return code;
}

static int ask_thrice(void *arg) {
    uva_generator_t *generator = arg;
    ck_assert_int_eq(
        uva_local_set(&tag, (void *)(uintptr_t)uva_name(uva_current())), 0);
    for (int i = 0; i < 3; i++) {
        ck_assert_int_eq(uva_next(generator, NULL), 1);
        ck_assert_int_eq(uva_sleep(5), 0);
    }
    return 0;
}

static int borrowed_main(void *arg) {
    (void)arg;
    uva_generator_t *generator = uva_generate(say_who, NULL, 0);
    uva_task_options_t a = {.name = "a"};
    uva_task_options_t b = {.name = "b"};
    uva_task_t *first = uva_spawn_with(&a, ask_thrice, generator);
    ck_assert_int_eq(uva_sleep(3), 0);
    uva_task_t *second = uva_spawn_with(&b, ask_thrice, generator);
    ck_assert_int_eq(uva_await(first, NULL), 0);
    ck_assert_int_eq(uva_await(second, NULL), 0);
    return uva_generator_close(generator);
}

START_TEST(generator_is_part_of_who_asks) {
    program_expect(borrowed_main);
    ck_expect_record("a/a b/b a/a b/b a/a b/b");
}
END_TEST

/* Everything that a task may do while it waits. */
static int do_everything(void *arg) {
    (void)arg;
    uva_task_t *both[] = {spawn_worker("x", 2, 0), spawn_worker("y", 1, 0)};
    ck_assert_int_eq(uva_gather(both, 2, NULL), 0);
    ck_assert_int_eq(uva_emit(NULL), 0);
    ck_assert_int_eq(uva_await(worker_coroutine("z", 1, 0), NULL), 0);
    worker_t eager = {.name = "e", .ms = 1};
    uva_task_options_t options = {.eager = true};
    uva_task_t *task = uva_spawn_with(&options, worker, &eager);
    record("body");
    ck_assert_int_eq(uva_emit(NULL), 0);
    ck_assert_int_eq(uva_await(task, NULL), 0);
    uva_group_t group;
    uva_group_open(&group);
    ck_assert_int_eq(uva_group_spawn(&group, worker, &eager), 0);
    ck_assert_int_eq(uva_group_close(&group), 0);
    ck_assert_int_eq(uva_yield(), 0);
    return 0;
}

static int iterate(void *arg) {
    (void)arg;
    int items = 0;
    uva_generator_t *generator = uva_generate(do_everything, NULL, 0);
    while (uva_next(generator, NULL) > 0)
        items++;
    ck_assert_int_eq(items, 2);
    return uva_generator_close(generator);
}

static int everything_main(void *arg) {
    (void)arg;
    ck_assert_int_eq(iterate(NULL), 0);
    return uva_await(uva_coroutine(iterate, NULL, 0), NULL);
}

START_TEST(generator_bodies_wait_as_tasks_do) {
    program_expect(everything_main);
    ck_expect_record("y x z body e e y x z body e e");
}
END_TEST

static int emit_for_ever(void *arg) {
    (void)arg;
    int code;
    while ((code = uva_emit(NULL)) == 0) {}
    return code;
}

static int note_a_turn(void *arg) {
    *(bool *)arg = true;
    return 0;
}

static int budget_main(void *arg) {
    (void)arg;
    bool had_a_turn = false;
    int items = 0;
    uva_generator_t *generator = uva_generate(emit_for_ever, NULL, 0);
    uva_detach(uva_spawn(note_a_turn, &had_a_turn));
    while (!had_a_turn && items < 1000) {
        ck_assert_int_eq(uva_next(generator, NULL), 1);
        items++;
    }
    ck_assert(had_a_turn);
    /* Cancelled: what needs not wait goes on until the budget ends. */
    int code = 0;
    ck_assert(uva_cancel(uva_current()));
    for (items = 0; (code = uva_next(generator, NULL)) > 0; items++)
        ck_assert_int_lt(items, 1000);
    ck_assert_int_eq(code, UV_ECANCELED);
    ck_assert_int_eq(uva_uncancel(uva_current()), 0);
    ck_assert_int_eq(uva_next(generator, NULL), 1);
    return uva_generator_close(generator);
}

START_TEST(generator_spends_the_budget_of_its_task) {
    program_expect(budget_main);
}
END_TEST

/* ---- cancellation ------------------------------------------------------- */

static int drain_to_the_end(void *arg) {
    uva_generator_t *generator = counter(arg);
    int code;
    while ((code = uva_next(generator, NULL)) > 0)
        record("item");
    record("next:%d", code);
    ck_assert_int_eq(uva_next(generator, NULL), 0);
    return uva_generator_close(generator);
}

static int cancelled_main(void *arg) {
    (void)arg;
    count_t count = {.limit = 9, .ms = 10};
    uva_task_t *task = uva_spawn(drain_to_the_end, &count);
    ck_assert_int_eq(uva_sleep(25), 0);
    ck_assert(uva_cancel(task));
    ck_assert_int_eq(uva_await(task, NULL), UV_ECANCELED);
    return 0;
}

START_TEST(generator_parks_are_cut_by_a_cancel) {
    program_expect(cancelled_main);
    ck_expect_record("begin item item end:-125 next:-125");
}
END_TEST

/* Survives what cuts its sleep, and hands out what that was. */
static int sleep_and_tell(void *arg) {
    (void)arg;
    int code;
    do {
        int slept = uva_sleep(10);
        code = uva_emit(&slept);
    } while (code >= 0);
    return code;
}

static int deadline_main(void *arg) {
    (void)arg;
    int slept = 1;
    uva_scope_t scope;
    uva_generator_t *generator =
        uva_generate(sleep_and_tell, NULL, sizeof slept);
    uva_scope_open(&scope, 15, 0);
    ck_assert_int_eq(uva_next(generator, &slept), 1);
    ck_assert_int_eq(slept, 0);
    ck_assert_int_eq(uva_next(generator, &slept), 1);
    ck_assert_int_eq(slept, UV_ECANCELED);
    ck_assert_int_eq(uva_scope_close(&scope), UV_ETIMEDOUT);
    ck_assert_int_eq(uva_next(generator, &slept), 1);
    ck_assert_int_eq(slept, 0);
    uva_scope_open(&scope, 100, 0);
    ck_assert_int_eq(uva_next(generator, &slept), 1);
    ck_assert_int_eq(slept, 0);
    ck_assert_int_eq(uva_scope_close(&scope), 0);
    ck_assert_int_eq(uva_generator_close(generator), 0);
    count_t count = {.limit = 2, .ms = 10};
    generator = counter(&count);
    uva_scope_open(&scope, 5, 0);
    ck_assert_int_eq(uva_next(generator, NULL), UV_ECANCELED);
    ck_assert_int_eq(uva_scope_close(&scope), UV_ETIMEDOUT);
    ck_assert_int_eq(uva_next(generator, NULL), 0);
    ck_assert_int_eq(uva_generator_close(generator), UV_ECANCELED);
    return 0;
}

START_TEST(generator_within_a_deadline) {
    program_expect(deadline_main);
    ck_expect_record("begin end:-125");
}
END_TEST

/* ---- closing ------------------------------------------------------------ */

/* Cut short, waits, tries to go on, waits again. */
static int clean_up(void *arg) {
    const count_t *self = arg;
    uva_scope_t scope;
    while (uva_emit(NULL) == 0)
        record("on");
    uva_scope_open(&scope, UVA_FOREVER, UVA_SCOPE_SHIELD);
    ck_assert_int_eq(uva_sleep(self->ms), 0);
    record("slept");
    ck_assert_int_eq(uva_emit(NULL), UV_ECANCELED);
    ck_assert_int_eq(uva_scope_close(&scope), 0);
    ck_assert_int_eq(uva_emit(NULL), UV_ECANCELED);
    return self->code;
}

static int close_early_main(void *arg) {
    (void)arg;
    static const int codes[] = {0, 3, UV_EIO, UV_ECANCELED};
    static const int closes[] = {0, 0, UV_EIO, 0};
    for (size_t i = 0; i < 4; i++) {
        count_t self = {.ms = 10, .code = codes[i]};
        uva_generator_t *generator = uva_generate(clean_up, &self, 0);
        ck_assert_int_eq(uva_next(generator, NULL), 1);
        ck_assert_int_eq(uva_next(generator, NULL), 1);
        uint64_t before = uva_now_ms();
        ck_assert_int_eq(uva_generator_close(generator), closes[i]);
        ck_assert_uint_eq(uva_now_ms() - before, 10);
        ck_assert_uint_eq(stacks_in_use(), 1);
    }
    return 0;
}

START_TEST(generator_closed_early_cleans_up) {
    program_expect(close_early_main);
    ck_expect_record("on slept on slept on slept on slept");
}
END_TEST

static int never_begun_main(void *arg) {
    (void)arg;
    count_t count = {.limit = 1, .code = UV_EIO};
    unsigned long stacks = stacks_in_use();
    ck_assert_int_eq(uva_generator_close(counter(&count)), 0);
    ck_assert_uint_eq(stacks_in_use(), stacks);
    return uva_generator_close(NULL);
}

START_TEST(generator_closed_unbegun_does_not_run) {
    program_expect(never_begun_main);
    ck_expect_record("");
}
END_TEST

static int close_it(void *arg) {
    int code = uva_generator_close(arg);
    record("closed:%d", code);
    return code;
}

/* The closing task is cancelled while the body waits in its cleanup; and others
 * come meanwhile. */
static int close_cut_main(void *arg) {
    (void)arg;
    count_t self = {.ms = 10, .code = 0};
    uva_generator_t *generator = uva_generate(clean_up, &self, 0);
    ck_assert_int_eq(uva_next(generator, NULL), 1);
    uva_task_t *task = uva_spawn(close_it, generator);
    ck_assert_int_eq(uva_sleep(5), 0);
    ck_assert_int_eq(uva_next(generator, NULL), UV_EBUSY);
    ck_assert_int_eq(uva_generator_close(generator), UV_EBUSY);
    ck_assert(uva_cancel(task));
    ck_assert_int_eq(uva_sleep(1), 0);
    ck_assert(!uva_is_done(task));
    ck_assert_int_eq(uva_await(task, NULL), 0);
    /* Without a shield the cleanup is cut as well. */
    count_t count = {.limit = 9, .ms = 10};
    generator = uva_generate(sleep_and_tell, &count, sizeof(int));
    ck_assert_int_eq(uva_next(generator, NULL), 1);
    ck_assert(uva_cancel(uva_current()));
    ck_assert_int_eq(uva_generator_close(generator), 0);
    ck_assert_int_eq(uva_uncancel(uva_current()), 0);
    return 0;
}

START_TEST(generator_closed_while_its_closer_is_cancelled) {
    program_expect(close_cut_main);
    ck_expect_record("slept closed:0");
}
END_TEST

/* ---- seen from outside -------------------------------------------------- */

static int sleep_in_a_body(void *arg) {
    int code = uva_sleep(10);
    return code < 0 ? code : uva_emit(arg);
}

static int ask_once(void *arg) {
    uva_generator_t *generator = uva_generate(sleep_in_a_body, arg, 0);
    int code = uva_next(generator, NULL);
    ck_assert_int_eq(uva_generator_close(generator), code < 0 ? code : 0);
    return code;
}

static int dump_main(void *arg) {
    (void)arg;
    uva_task_t *task = uva_spawn(ask_once, NULL);
    ck_assert_int_eq(uva_sleep(1), 0);
    char *dump = program_dump();
    ck_assert_ptr_nonnull(strstr(dump, "parked in sleep"));
    ck_assert_ptr_nonnull(strstr(dump, "in a generator (made at "));
    ck_assert_ptr_nonnull(strstr(dump, "test_generator.c:"));
    free(dump);
    ck_assert_uint_gt(uva_stack_used(task), 0);
    ck_assert_int_eq(uva_await(task, NULL), 1);
    return 0;
}

START_TEST(generator_is_named_in_dumps) {
    program_expect(dump_main);
}
END_TEST

/* Left standing: with a body that stands, one that never began, and one whose
 * body has a generator of its own. */
static int forget_main(void *arg) {
    static count_t count = {.limit = 3};
    (void)arg;
    static int first;
    take(uva_generate(count_quietly, &first, sizeof(int)), 0, 2);
    take(uva_generate(pairs, &count, sizeof(int)), 0, 1);
    ck_assert_ptr_nonnull(counter(&count));
    return 0;
}

START_TEST(generator_forgotten_is_reported) {
    ck_assert_int_eq(program_run(forget_main, NULL), 0);
    ck_assert_uint_eq(support_report_count(), 4);
    ck_assert(support_reports_contain("a generator (made at "));
    ck_assert(support_reports_contain("test_generator.c:"));
    ck_assert(support_reports_contain("its body stands in uva_emit()"));
    ck_assert(support_reports_contain(") was not closed. Call "));
    ck_expect_record("");
}
END_TEST

/* The end cancels the task that is inside; it closes as on any other way. */
static int leave_a_task_inside(void *arg) {
    (void)arg;
    static count_t count = {.limit = 9, .ms = 10};
    uva_detach(uva_spawn(drain_to_the_end, &count));
    return uva_sleep(15);
}

START_TEST(generator_inside_when_the_runtime_ends) {
    ck_assert_int_eq(program_run(leave_a_task_inside, NULL), 0);
    ck_assert_uint_eq(support_report_count(), 1);
    ck_assert(support_reports_contain("was still pending at the end"));
    ck_expect_record("begin item end:-125 next:-125");
}
END_TEST

SUITE("generator", generator_hands_out_its_items, generator_fails_once,
      generator_items_may_have_no_bytes, generator_allocates_nothing_per_item,
      generator_a_thousand_stand_at_once, generator_a_thousand_in_debug,
      generator_bodies_iterate_others, generator_is_part_of_who_asks,
      generator_bodies_wait_as_tasks_do,
      generator_spends_the_budget_of_its_task,
      generator_parks_are_cut_by_a_cancel, generator_within_a_deadline,
      generator_closed_early_cleans_up, generator_closed_unbegun_does_not_run,
      generator_closed_while_its_closer_is_cancelled,
      generator_is_named_in_dumps, generator_forgotten_is_reported,
      generator_inside_when_the_runtime_ends)
