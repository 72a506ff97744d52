/* labels: valgrind; timeout: 30 */
/* Generators without memory: the code, and nothing lost. */
#include "support/program.h"

enum { MANY = 1000, BYTES = 64 };

static int emit_for_ever(void *arg) {
    (void)arg;
    int code;
    while ((code = uva_emit(NULL)) == 0) {}
    return code;
}

/* ---- making ------------------------------------------------------------- */

static int make_main(void *arg) {
    (void)arg;
    static uva_generator_t *made[MANY];
    size_t count = 0;
    faults_fail_every(FAULT_MALLOC, 1, UV_ENOMEM);
    while (count < MANY &&
           (made[count] = uva_generate(emit_for_ever, NULL, BYTES)) != NULL)
        count++;
    ck_assert_uint_gt(faults_clear(), 0);
    ck_assert_uint_lt(count, MANY);
    /* A caller that does not look. */
    ck_assert_int_eq(uva_next(made[count], NULL), UV_ENOMEM);
    ck_assert_int_eq(uva_generator_close(made[count]), 0);
    while (count > 0)
        ck_assert_int_eq(uva_generator_close(made[--count]), 0);
    return 0;
}

START_TEST(generator_faults_no_memory) {
    program_expect(make_main);
}
END_TEST

/* ---- stacks ------------------------------------------------------------- */

/* How many run while the kernel gives no memory for further stacks. */
static size_t begin_many(uva_generator_t *crowd[], size_t count) {
    size_t begun = 0;
    while (begun < count && uva_next(crowd[begun], NULL) == 1)
        begun++;
    return begun;
}

static int stack_main(void *arg) {
    (void)arg;
    static uva_generator_t *crowd[MANY];
    for (int i = 0; i < MANY; i++) {
        crowd[i] = uva_generate(emit_for_ever, NULL, 0);
        ck_assert_ptr_nonnull(crowd[i]);
    }
    faults_fail_every(FAULT_MMAP, 1, UV_ENOMEM);
    size_t begun = begin_many(crowd, MANY);
    ck_assert_uint_gt(faults_clear(), 0);
    ck_assert_uint_lt(begun, MANY);
    ck_assert_uint_eq(support_report_count(), 1);
    ck_assert(support_reports_contain("a generator (made at "));
    ck_assert(support_reports_contain(") cannot run: "));
    support_reports_clear();
    /* Nothing has run: the same one goes on when there is memory. */
    ck_assert_uint_eq(begin_many(crowd + begun, MANY - begun), MANY - begun);
    for (int i = 0; i < MANY; i++)
        ck_assert_int_eq(uva_generator_close(crowd[i]), 0);
    return 0;
}

START_TEST(generator_faults_no_stack) {
    program_expect(stack_main);
}
END_TEST

/* Where guards cost mappings, a task that was spawned has a stack for sure: no
 * generator takes it, and none is promised that a generator stands on. */
static int promise_main(void *arg) {
    enum { TASKS = 20 };
    static uva_generator_t *crowd[MANY];
    uva_task_t *tasks[TASKS];
    uva_stack_stats_t stats;
    (void)arg;
    ck_assert_int_eq(uva_stack_stats(uva_runtime_current(), &stats), 0);
    ck_assert_int_eq(stats.guard, UVA_GUARD_MPROTECT);
    for (int i = 0; i < MANY; i++)
        crowd[i] = uva_generate(emit_for_ever, NULL, 0);
    for (int i = 0; i < TASKS; i++)
        ck_assert_ptr_nonnull(tasks[i] = spawn_worker("t", 1, 0));
    faults_fail_every(FAULT_MPROTECT, 1, UV_ENOMEM);
    size_t begun = begin_many(crowd, MANY);
    ck_assert_uint_gt(begun, 0);
    ck_assert_uint_lt(begun, MANY);
    ck_assert(support_reports_contain(") cannot run: "));
    ck_assert_ptr_null(spawn_worker("t", 1, 0));
    ck_assert(support_reports_contain("no more tasks than these 21: "));
    ck_assert_int_eq(uva_generator_close(crowd[--begun]), 0);
    uva_task_t *last = spawn_worker("t", 1, 0);
    ck_assert_ptr_nonnull(last);
    ck_assert_ptr_null(spawn_worker("t", 1, 0));
    ck_assert_int_eq(uva_gather(tasks, TASKS, NULL), 0);
    ck_assert_int_eq(uva_await(last, NULL), 0);
    faults_clear();
    for (size_t i = 0; i < MANY; i++)
        if (i != begun)
            ck_assert_int_eq(uva_generator_close(crowd[i]), 0);
    support_reports_clear();
    return 0;
}

START_TEST(generator_faults_promised_stacks) {
    faults_fail_every(FAULT_MADVISE, 1, UV_EINVAL);
    program_expect(promise_main);
}
END_TEST

SUITE("generator_faults", generator_faults_no_memory, generator_faults_no_stack,
      generator_faults_promised_stacks)
