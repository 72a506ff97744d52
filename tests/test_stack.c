/* Stack memory: pools, geometry, guards, giving back, high-water marks. */
#include "stack_fixture.h"

#include <signal.h>

/* ---- the pool ----------------------------------------------------------- */

START_TEST(stack_is_reused_last_in_first_out) {
    uva__stacks_t stacks;
    uva__stack_t *list[3];
    setup(&stacks);
    acquire_all(&stacks, list, 3);
    ck_assert_ptr_ne(list[0], list[1]);
    ck_assert_ptr_ne(list[1], list[2]);
    uva__stack_release(&stacks, list[0]);
    uva__stack_release(&stacks, list[2]);
    uva__stack_release(&stacks, list[1]);
    ck_assert_ptr_eq(acquire(&stacks, 0), list[1]);
    ck_assert_ptr_eq(acquire(&stacks, 0), list[2]);
    ck_assert_ptr_eq(acquire(&stacks, 0), list[0]);
    release_all(&stacks, list, 3);
    teardown(&stacks);
}
END_TEST

START_TEST(stack_pool_costs_no_call) {
    uva__stacks_t stacks;
    setup(&stacks);
    uva__stack_release(&stacks, acquire(&stacks, 0));
    unsigned long allocations = faults_allocations();
    unsigned long maps = faults_calls(FAULT_MMAP);
    unsigned long advice = faults_calls(FAULT_MADVISE);
    for (int i = 0; i < 1000; i++)
        uva__stack_release(&stacks, acquire(&stacks, 0));
    ck_assert_uint_eq(faults_allocations(), allocations);
    ck_assert_uint_eq(faults_calls(FAULT_MMAP), maps);
    ck_assert_uint_eq(faults_calls(FAULT_MADVISE), advice);
    teardown(&stacks);
}
END_TEST

START_TEST(stack_runs_one_task_after_another) {
    uva__stacks_t stacks;
    setup(&stacks);
    for (int i = 0; i < 5; i++) {
        uva__stack_t *stack = acquire(&stacks, 0);
        ck_assert_ptr_null(stack->owner);
        run_on(stack, count_job);
        uva__stack_release(&stacks, stack);
    }
    ck_assert_uint_eq(jobs_run, 5);
    teardown(&stacks);
}
END_TEST

START_TEST(stack_sizes_have_pools_of_their_own) {
    uva__stacks_t stacks;
    setup(&stacks);
    uva__stack_t *small = acquire(&stacks, 20 * KIB);
    uva__stack_t *large = acquire(&stacks, 3000 * KIB);
    uva__stack_t *usual = acquire(&stacks, 0);
    ck_assert_uint_ge(small->fiber.bytes, 20 * KIB);
    ck_assert_uint_ge(large->fiber.bytes, 3000 * KIB);
    ck_assert_uint_ge(usual->fiber.bytes, UVA__STACK_DEFAULT_BYTES);
    dirty(large, 3000 * KIB);
    uva__stack_release(&stacks, small);
    uva__stack_release(&stacks, usual);
    uva__stack_release(&stacks, large);
    ck_assert_ptr_eq(acquire(&stacks, 0), usual);
    uva__stack_t *same = acquire(&stacks, UVA__STACK_DEFAULT_BYTES);
    ck_assert_ptr_eq(same->class, usual->class);
    ck_assert_ptr_eq(acquire(&stacks, 2990 * KIB), large);
    ck_assert_ptr_eq(acquire(&stacks, 19 * KIB), small);
    for (uva__stack_class_t *class = &stacks.standard; class;
         class = class->next)
        ck_assert_uint_eq(class->stride / page_bytes() % 2, 1);
    uva__stack_t *tiny = acquire(&stacks, 1);
    ck_assert_uint_ge(tiny->fiber.bytes, 16 * KIB);
    run_on(tiny, count_job);
    uva_stack_stats_t stats;
    uva__stacks_stats(&stacks, &stats);
    ck_assert_uint_eq(stats.in_use, 5);
    release_all(&stacks, (uva__stack_t *[]){small, large, usual, same, tiny},
                5);
    teardown(&stacks);
}
END_TEST

START_TEST(stack_of_any_size_fits_few_classes) {
    uva__stacks_t stacks;
    size_t classes = 0;
    setup(&stacks);
    for (size_t bytes = 1; bytes < 4096 * KIB; bytes += 5000) {
        uva__stack_t *stack = acquire(&stacks, bytes);
        ck_assert_uint_ge(stack->fiber.bytes, bytes);
        uva__stack_release(&stacks, stack);
    }
    for (uva__stack_class_t *class = &stacks.standard; class;
         class = class->next)
        classes++;
    ck_assert_uint_le(classes, 45);
    teardown(&stacks);
}
END_TEST

START_TEST(stack_larger_than_memory_is_refused) {
    uva__stacks_t stacks;
    const char *why = NULL;
    setup(&stacks);
    ck_assert_ptr_null(uva__stack_acquire(&stacks, SIZE_MAX, &why));
    ck_assert_ptr_nonnull(strstr(why, "larger than the address space"));
    why = NULL;
    ck_assert_ptr_null(uva__stack_acquire(&stacks, SIZE_MAX / 16, &why));
    ck_assert_ptr_nonnull(strstr(why, "address space"));
    uva__stack_release(&stacks, acquire(&stacks, 0));
    teardown(&stacks);
    uva__stacks_init(&stacks, SIZE_MAX, serve_jobs);
    ck_assert_ptr_null(uva__stack_acquire(&stacks, 0, &why));
    uva__stacks_term(&stacks);
}
END_TEST

/* ---- where they lie ----------------------------------------------------- */

START_TEST(stack_geometry_avoids_collisions) {
    uva__stacks_t stacks;
    uva__stack_t *list[16];
    setup(&stacks);
    acquire_all(&stacks, list, 16);
    for (size_t i = 0; i < 16; i++) {
        uintptr_t low = (uintptr_t)list[i]->fiber.low;
        uintptr_t top = (uintptr_t)top_of(list[i]);
        size_t colour = page_bytes() - top % page_bytes();
        ck_assert_uint_eq(low % page_bytes(), 0);
        ck_assert_uint_eq(top % 64, 0);
        ck_assert_uint_eq(colour % page_bytes(), i * 64);
        ck_assert_uint_ge(list[i]->fiber.bytes, UVA__STACK_DEFAULT_BYTES);
        if (i == 0)
            continue;
        size_t stride = (size_t)(list[i]->fiber.low - list[i - 1]->fiber.low);
        ck_assert_uint_eq(stride / page_bytes() % 2, 1);
        ck_assert_uint_ge(stride, list[i]->class->area_bytes + GUARD);
        ck_assert_uint_eq((uintptr_t)list[i] - (uintptr_t)list[i - 1],
                          sizeof(uva__stack_t));
    }
    release_all(&stacks, list, 16);
    teardown(&stacks);
}
END_TEST

START_TEST(stack_touches_one_page) {
    uva__stacks_t stacks;
    setup(&stacks);
    uva__stack_t *stack = acquire(&stacks, 0);
    size_t resident = 0;
    for (char *at = stack->fiber.low; at < top_of(stack); at += page_bytes())
        resident += is_resident(at);
    ck_assert_uint_eq(resident, 1);
    ck_assert(is_resident(top_of(stack) - 1));
    uva__stack_release(&stacks, stack);
    teardown(&stacks);
}
END_TEST

static void write_to(void *address) {
    *(volatile char *)address = 1;
}

START_TEST(stack_guard_faults) {
    uva__stacks_t stacks;
    uva__stack_t *list[100]; /* more than one batch, and a vectored one */
    setup(&stacks);
    acquire_all(&stacks, list, 100);
    for (size_t i = 0; i < 100; i++)
        expect_guarded(list[i]);
    ck_assert(support_dies(write_to, list[70]->fiber.low - 1, SIGSEGV, ""));
    ck_assert_uint_eq(uva__stacks_guard_hit(&stacks, NULL, list[0]->fiber.low),
                      0);
    ck_assert(uva__stacks_guard_hit(&stacks, list[0], list[0]->fiber.low - 1));
    ck_assert(
        uva__stacks_guard_hit(&stacks, list[0], list[0]->fiber.low - GUARD));
    ck_assert(!uva__stacks_guard_hit(&stacks, list[0], list[0]->fiber.low));
    ck_assert(!uva__stacks_guard_hit(&stacks, list[0],
                                     list[0]->fiber.low - GUARD - 1));
    ck_assert(!uva__stacks_guard_hit(&stacks, list[0], NULL));
    release_all(&stacks, list, 100);
    teardown(&stacks);
}
END_TEST

START_TEST(stack_guard_outlives_giving_back) {
    uva__stacks_t stacks;
    uva__stack_t *list[20];
    setup(&stacks);
    acquire_all(&stacks, list, 20);
    release_all(&stacks, list, 20);
    uva__stacks_trim(&stacks, 0);
    uva__stacks_purge(&stacks, 0);
    acquire_all(&stacks, list, 20);
    expect_guarded(list[0]);
    expect_guarded(list[19]);
    release_all(&stacks, list, 20);
    teardown(&stacks);
}
END_TEST

/* ---- giving back -------------------------------------------------------- */

START_TEST(stack_trim_gives_pages_back) {
    uva__stacks_t stacks;
    uva__stack_t *list[6];
    setup(&stacks);
    acquire_all(&stacks, list, 6);
    for (size_t i = 0; i < 6; i++)
        dirty(list[i], 100 * KIB);
    release_all(&stacks, list, 5); /* list[0] last, so it is used next */
    uva__stacks_trim(&stacks, 2);
    for (size_t i = 0; i < 6; i++) {
        bool kept = i < 2 || i == 5;
        ck_assert_int_eq(is_resident(top_of(list[i]) - 100 * KIB), kept);
        ck_assert(is_resident(top_of(list[i]) - 1));
    }
    acquire_all(&stacks, list, 5);
    for (size_t i = 0; i < 6; i++)
        run_on(list[i], count_job);
    ck_assert_uint_eq(jobs_run, 6);
    release_all(&stacks, list, 6);
    teardown(&stacks);
}
END_TEST

START_TEST(stack_trim_of_the_trimmed_costs_no_call) {
    uva__stacks_t stacks;
    uva__stack_t *list[4];
    setup(&stacks);
    acquire_all(&stacks, list, 4);
    release_all(&stacks, list, 4);
    uva__stacks_trim(&stacks, 1);
    unsigned long calls = faults_calls(FAULT_MADVISE);
    uva__stacks_trim(&stacks, 1);
    uva__stack_release(&stacks, acquire(&stacks, 0));
    uva__stacks_trim(&stacks, 1);
    ck_assert_uint_eq(faults_calls(FAULT_MADVISE), calls);
    /* One from the trimmed end is used and comes back: it alone is new. */
    acquire_all(&stacks, list, 2);
    dirty(list[1], 50 * KIB);
    release_all(&stacks, list, 2);
    uva__stacks_trim(&stacks, 1);
    ck_assert_uint_eq(faults_calls(FAULT_MADVISE), calls + 1);
    ck_assert(!is_resident(top_of(list[1]) - 50 * KIB));
    teardown(&stacks);
}
END_TEST

START_TEST(stack_memory_of_a_peak_goes_back) {
    enum { COUNT = 200 };
    uva__stacks_t stacks;
    uva__stack_t *list[COUNT];
    setup(&stacks);
    acquire_all(&stacks, list, COUNT);
    for (size_t i = 0; i < COUNT; i++) {
        for (size_t depth = 4 * KIB; depth <= 128 * KIB; depth += 4 * KIB)
            dirty(list[i], depth);
    }
    release_all(&stacks, list, COUNT);
    size_t full = statm(1);
    uva__stacks_trim(&stacks, 0);
    size_t trimmed = statm(1);
    ck_assert_uint_ge(full - trimmed, COUNT * 120 * KIB);
    uva__stacks_purge(&stacks, 10);
    size_t purged = statm(1);
    if (!UVA__FIBER_NEEDS_RETIRE) {
        ck_assert_uint_lt(purged, trimmed);
        uva_stack_stats_t stats;
        uva__stacks_stats(&stacks, &stats);
        ck_assert_uint_eq(stats.pooled, 10);
        ck_assert(!is_resident(top_of(list[100]) - 1));
        ck_assert(is_resident(top_of(list[9]) - 1));
    }
    acquire_all(&stacks, list, COUNT);
    for (size_t i = 0; i < COUNT; i++)
        run_on(list[i], count_job);
    ck_assert_uint_eq(jobs_run, COUNT);
    release_all(&stacks, list, COUNT);
    teardown(&stacks);
}
END_TEST

START_TEST(stack_trim_survives_refusal) {
    uva__stacks_t stacks;
    uva__stack_t *list[6];
    setup(&stacks);
    acquire_all(&stacks, list, 6);
    for (size_t i = 0; i < 6; i++)
        dirty(list[i], 100 * KIB);
    release_all(&stacks, list, 6);
    faults_fail_with(FAULT_MADVISE, 2, UV_EINVAL);
    uva__stacks_trim(&stacks, 0);
    ck_assert_uint_eq(faults_clear(), 1);
    size_t resident = 0;
    for (size_t i = 0; i < 6; i++)
        resident += is_resident(top_of(list[i]) - 100 * KIB);
    ck_assert_uint_eq(resident, 1);
    teardown(&stacks);
}
END_TEST

/* ---- marks -------------------------------------------------------------- */

START_TEST(stack_mark_is_right_to_the_word) {
    uva__stacks_t stacks;
    setup(&stacks);
    uva__stack_t *stack = acquire(&stacks, 0);
    size_t fresh = uva__stack_used(stack);
    ck_assert_uint_gt(fresh, 0);
    ck_assert_uint_lt(fresh, page_bytes());
    size_t depths[] = {8 * KIB, 12 * KIB + WORD, 100 * KIB - WORD,
                       UVA__STACK_DEFAULT_BYTES};
    for (size_t i = 0; i < sizeof depths / sizeof depths[0]; i++) {
        marked_depth = depths[i];
        run_on(stack, write_mark);
        ck_assert_uint_eq(uva__stack_used(stack), marked_depth);
    }
    uva_stack_stats_t stats;
    uva__stacks_stats(&stacks, &stats);
    ck_assert_uint_eq(stats.high_water_bytes, UVA__STACK_DEFAULT_BYTES);
    uva__stack_release(&stacks, stack);
    teardown(&stacks);
}
END_TEST

START_TEST(stack_mark_sees_through_zero_pages) {
    uva__stacks_t stacks;
    setup(&stacks);
    uva__stack_t *stack = acquire(&stacks, 0);
    marked_depth = 40 * KIB;
    run_on(stack, write_mark);
    /* Deeper pages that were touched and hold nothing do not hide it. */
    memset(top_of(stack) - 200 * KIB, 0, 20 * KIB);
    ck_assert_uint_eq(uva__stack_used(stack), marked_depth);
    uva__stack_release(&stacks, stack);
    teardown(&stacks);
}
END_TEST

START_TEST(stack_mark_of_a_large_stack) {
    uva__stacks_t stacks;
    setup(&stacks);
    uva__stack_t *stack = acquire(&stacks, 4096 * KIB);
    marked_depth = 3333 * KIB;
    run_on(stack, write_mark);
    ck_assert_uint_eq(uva__stack_used(stack), marked_depth);
    uva__stack_release(&stacks, stack);
    uva__stack_scrub(stack);
    ck_assert_uint_lt(uva__stack_used(stack), page_bytes());
    teardown(&stacks);
}
END_TEST

START_TEST(stack_scrub_leaves_the_next_mark_alone) {
    uva__stacks_t stacks;
    setup(&stacks);
    uva__stack_t *stack = acquire(&stacks, 0);
    run_on(stack, count_job);
    uva__stack_scrub(stack);
    size_t idle = uva__stack_used(stack);
    size_t depths[] = {200 * KIB, 3 * KIB, 9 * KIB, 4 * KIB, 64 * KIB};
    for (size_t i = 0; i < sizeof depths / sizeof depths[0]; i++) {
        marked_depth = depths[i];
        run_on(stack, write_mark);
        ck_assert_uint_eq(uva__stack_used(stack), marked_depth);
        uva__stack_release(&stacks, stack);
        uva__stack_scrub(stack);
        ck_assert_uint_le(uva__stack_used(stack), idle + 64);
        ck_assert_ptr_eq(acquire(&stacks, 0), stack);
    }
    run_on(stack, count_job);
    ck_assert_uint_eq(jobs_run, 2);
    uva__stack_release(&stacks, stack);
    teardown(&stacks);
}
END_TEST

SUITE("stack", stack_is_reused_last_in_first_out, stack_pool_costs_no_call,
      stack_runs_one_task_after_another, stack_sizes_have_pools_of_their_own,
      stack_of_any_size_fits_few_classes, stack_larger_than_memory_is_refused,
      stack_geometry_avoids_collisions, stack_touches_one_page,
      stack_guard_faults, stack_guard_outlives_giving_back,
      stack_trim_gives_pages_back, stack_trim_of_the_trimmed_costs_no_call,
      stack_memory_of_a_peak_goes_back, stack_trim_survives_refusal,
      stack_mark_is_right_to_the_word, stack_mark_sees_through_zero_pages,
      stack_mark_of_a_large_stack, stack_scrub_leaves_the_next_mark_alone)
