/* timeout: 30 */
/* Stack memory where the system says no: other guards, limits, failures. */
#include "stack_fixture.h"

#include <sys/resource.h>

/* ---- the other kind of guard -------------------------------------------- */

START_TEST(stack_guard_by_mprotect_where_advice_is_unknown) {
    uva__stacks_t stacks;
    uva__stack_t *list[50];
    uva_stack_stats_t stats;
    setup(&stacks);
    forget_guard_advice();
    size_t maps = uva__guards_count_maps();
    acquire_all(&stacks, list, 50);
    uva__stacks_stats(&stacks, &stats);
    ck_assert_int_eq(stats.guard, UVA_GUARD_MPROTECT);
    ck_assert_uint_gt(stats.room, 0);
    ck_assert_uint_lt(stats.room, uva__guards_map_limit() / 2);
    ck_assert_uint_ge(uva__guards_count_maps(), maps + 2 * 50 - 2);
    ck_assert_ptr_nonnull(strstr(stacks.guards.note, "6.13"));
    expect_guarded(list[0]);
    expect_guarded(list[49]);
    faults_clear();
    release_all(&stacks, list, 50);
    for (size_t i = 0; i < 50; i++)
        run_on(list[i], count_job);
    teardown(&stacks);
}
END_TEST

/* A kernel that knows the advice may begin to refuse it. */
START_TEST(stack_guard_changes_over_in_mid_run) {
    uva__stacks_t stacks;
    uva__stack_t *list[60];
    setup(&stacks);
    acquire_all(&stacks, list, 4);
    if (stacks.guards.kind != UVA_GUARD_MADVISE) {
        release_all(&stacks, list, 4);
        teardown(&stacks);
        SKIP("the kernel has no MADV_GUARD_INSTALL");
    }
    forget_guard_advice();
    acquire_all(&stacks, list + 4, 56);
    faults_clear();
    ck_assert_int_eq(stacks.guards.kind, UVA_GUARD_MPROTECT);
    expect_guarded(list[3]);
    expect_guarded(list[4]);
    expect_guarded(list[59]);
    release_all(&stacks, list, 60);
    teardown(&stacks);
}
END_TEST

START_TEST(stack_in_locked_memory_is_guarded) {
    uva__stacks_t stacks;
    uva__stack_t *list[20];
    if (support_is_slow())
        SKIP("locks all memory of the process");
    if (mlockall(MCL_CURRENT | MCL_FUTURE) != 0)
        SKIP("may not lock memory");
    setup(&stacks);
    acquire_all(&stacks, list, 20);
    ck_assert_int_eq(stacks.guards.kind, UVA_GUARD_MPROTECT);
    expect_guarded(list[0]);
    expect_guarded(list[19]);
    if (stacks.guards.locked)
        ck_assert_ptr_nonnull(strstr(stacks.guards.note, "mlockall"));
    marked_depth = 100 * KIB;
    run_on(list[7], write_mark);
    ck_assert_uint_eq(uva__stack_used(list[7]), marked_depth);
    release_all(&stacks, list, 20);
    uva__stacks_trim(&stacks, 0);
    teardown(&stacks);
    munlockall();
}
END_TEST

/* ---- refusals ----------------------------------------------------------- */

/* Splits a mapping into as many maps; the whole goes by munmap(). */
static char *eat_maps(size_t maps, size_t *ret_bytes) {
    *ret_bytes = maps * page_bytes();
    char *base = mmap(NULL, *ret_bytes, PROT_READ | PROT_WRITE,
                      MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    ck_assert_ptr_ne(base, MAP_FAILED);
    for (size_t i = 0; i < maps; i += 2)
        ck_assert_int_eq(
            mprotect(base + i * page_bytes(), page_bytes(), PROT_NONE), 0);
    return base;
}

/* Acquires until it is refused; how many there were. The last is released. */
static size_t acquire_until_refused(uva__stacks_t *stacks, size_t most,
                                    uva__stack_t *list[], const char **why) {
    size_t count = 0;
    while (count < most) {
        list[count] = uva__stack_acquire(stacks, 0, why);
        if (list[count] == NULL)
            return count;
        count++;
    }
    return count;
}

START_TEST(stack_stops_short_of_the_map_limit) {
    enum { MOST = 2000 };
    static uva__stack_t *list[MOST];
    uva__stacks_t stacks;
    const char *why = NULL;
    size_t limit = uva__guards_map_limit();
    size_t left = 1000; /* maps between what is eaten and the margin */
    if (limit > 300000 || support_is_slow())
        SKIP("eating that many maps takes too long");
    setup(&stacks);
    forget_guard_advice();
    size_t bytes;
    char *eaten =
        eat_maps(limit - limit / 8 - uva__guards_count_maps() - left, &bytes);
    size_t count = acquire_until_refused(&stacks, MOST, list, &why);
    ck_assert_uint_gt(count, left / 2 - 50);
    ck_assert_uint_le(count, left / 2);
    ck_assert_ptr_nonnull(strstr(why, "vm.max_map_count is "));
    ck_assert_ptr_nonnull(strstr(why, "sysctl -w"));
    ck_assert_uint_le(uva__guards_count_maps(), limit - limit / 8 + 8);
    ck_assert_uint_eq(uva__stacks_room(&stacks), 0);
    /* Everything else goes on. */
    void *block = malloc(1 << 20);
    void *map =
        mmap(NULL, page_bytes(), PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    ck_assert_ptr_nonnull(block);
    ck_assert_ptr_ne(map, MAP_FAILED);
    munmap(map, page_bytes());
    free(block);
    /* A storm of refused spawns does not count the maps each time. */
    for (int i = 0; i < 10000; i++)
        ck_assert_ptr_null(uva__stack_acquire(&stacks, 0, &why));
    ck_assert_uint_eq(uva__stacks_room(&stacks), 0);
    /* What is released can be had again. */
    uva__stack_release(&stacks, list[count / 2]);
    ck_assert_ptr_eq(acquire(&stacks, 0), list[count / 2]);
    expect_guarded(list[count - 1]);
    /* When others give maps back, there is room again. */
    munmap(eaten, bytes);
    usleep(110000);
    list[count] = acquire(&stacks, 0);
    faults_clear();
    release_all(&stacks, list, count + 1);
    teardown(&stacks);
}
END_TEST

/* What was ensured is there, however the maps have run out since. */
START_TEST(stack_ensured_cannot_be_refused) {
    enum { COUNT = 100 };
    uva__stacks_t stacks;
    uva__stack_t *list[COUNT];
    const char *why = NULL;
    setup(&stacks);
    forget_guard_advice();
    acquire_all(&stacks, list, 10);
    release_all(&stacks, list + 5, 5);
    ck_assert(uva__stacks_ensure(&stacks, 10, &why));
    ck_assert_uint_eq(stacks.standard.live, 10);
    ck_assert(uva__stacks_ensure(&stacks, COUNT, &why));
    ck_assert_uint_eq(stacks.standard.live, 10);
    faults_fail_every(FAULT_MPROTECT, 1, UV_ENOMEM);
    faults_fail_every(FAULT_MMAP, 1, UV_ENOMEM);
    acquire_all(&stacks, list + 5, COUNT - 5);
    ck_assert(!uva__stacks_ensure(&stacks, 10000, &why));
    ck_assert_ptr_nonnull(why);
    faults_clear();
    expect_guarded(list[COUNT - 1]);
    release_all(&stacks, list, COUNT);
    teardown(&stacks);
}
END_TEST

START_TEST(stack_refuses_under_an_address_space_limit) {
    enum { MOST = 20000 };
    static uva__stack_t *list[MOST];
    uva__stacks_t stacks;
    const char *why = NULL;
    struct rlimit former;
    if (support_is_slow())
        SKIP("the tool itself reserves more than the limit");
    setup(&stacks);
    ck_assert_int_eq(getrlimit(RLIMIT_AS, &former), 0);
    struct rlimit limit = former;
    limit.rlim_cur = statm(0) + (size_t)256 * 1024 * KIB;
    ck_assert_int_eq(setrlimit(RLIMIT_AS, &limit), 0);
    size_t count = acquire_until_refused(&stacks, MOST, list, &why);
    ck_assert_uint_gt(count, 256);
    ck_assert_uint_lt(count, 256 * 4);
    ck_assert_ptr_nonnull(strstr(why, "RLIMIT_AS"));
    void *block = malloc((size_t)8 << 20);
    ck_assert_ptr_nonnull(block);
    free(block);
    ck_assert_ptr_null(uva__stack_acquire(&stacks, 0, &why));
    uva__stack_release(&stacks, list[0]);
    ck_assert_ptr_eq(acquire(&stacks, 0), list[0]);
    ck_assert_int_eq(setrlimit(RLIMIT_AS, &former), 0);
    list[count] = acquire(&stacks, 0);
    release_all(&stacks, list, count + 1);
    teardown(&stacks);
}
END_TEST

/* Acquires once while every call of a kind fails; what is said. */
static const char *refused_by(uva__stacks_t *stacks, fault_t kind, int code) {
    const char *why = NULL;
    faults_fail_every(kind, 1, code);
    ck_assert_ptr_null(uva__stack_acquire(stacks, 0, &why));
    faults_clear();
    ck_assert_ptr_nonnull(why);
    return why;
}

START_TEST(stack_is_refused_without_memory) {
    uva__stacks_t stacks;
    const char *why;
    setup(&stacks);
    why = refused_by(&stacks, FAULT_MMAP, UV_ENOMEM);
    ck_assert_ptr_nonnull(strstr(why, "address space"));
    why = refused_by(&stacks, FAULT_MMAP, UV_EAGAIN);
    ck_assert_ptr_nonnull(strstr(why, "ulimit -l"));
    why = refused_by(&stacks, FAULT_ALIGNED_ALLOC, UV_ENOMEM);
    ck_assert_ptr_nonnull(strstr(why, "records"));
    why = refused_by(&stacks, FAULT_MADVISE, UV_ENOMEM);
    ck_assert_ptr_nonnull(strstr(why, "guard"));
    ck_assert_int_eq(faults_live_mappings() > 0, 1);
    forget_guard_advice();
    why = refused_by(&stacks, FAULT_MPROTECT, UV_ENOMEM);
    ck_assert_ptr_nonnull(strstr(why, "mprotect"));
    ck_assert_uint_eq(stacks.standard.live, 0);
    /* And when there is memory again, all is well. */
    uva__stack_t *stack = acquire(&stacks, 0);
    expect_guarded(stack);
    uva__stack_release(&stacks, stack);
    const char *other = NULL;
    faults_fail(FAULT_CALLOC, 1);
    ck_assert_ptr_null(uva__stack_acquire(&stacks, 100 * KIB, &other));
    ck_assert_ptr_nonnull(strstr(other, "another size"));
    faults_clear();
    teardown(&stacks);
}
END_TEST

/* Whichever call fails, what is handed out is guarded, and nothing is lost. */
START_TEST(stack_failures_leave_nothing_behind) {
    const fault_t kinds[] = {FAULT_MMAP, FAULT_ALIGNED_ALLOC, FAULT_MADVISE,
                             FAULT_MPROTECT, FAULT_CALLOC};
    const int codes[] = {UV_ENOMEM, UV_EINVAL};
    for (size_t k = 0; k < sizeof kinds / sizeof kinds[0]; k++) {
        for (unsigned long n = 1; n <= 12; n++) {
            for (size_t c = 0; c < 2; c++) {
                uva__stacks_t stacks;
                uva__stack_t *list[40];
                const char *why;
                setup(&stacks);
                faults_fail_with(kinds[k], n, codes[c]);
                size_t count = 0;
                for (size_t i = 0; i < 40; i++) {
                    size_t bytes = i % 8 == 7 ? 64 * KIB : 0;
                    list[count] = uva__stack_acquire(&stacks, bytes, &why);
                    count += list[count] != NULL;
                }
                faults_clear();
                ck_assert_uint_ge(count, 39);
                release_all(&stacks, list, count);
                teardown(&stacks);
            }
        }
    }
}
END_TEST

/* A kernel that refuses large mappings gets smaller questions. */
START_TEST(stack_arena_shrinks_until_it_fits) {
    uva__stacks_t stacks;
    uva_stack_stats_t stats;
    setup(&stacks);
    faults_fail(FAULT_MMAP, 1);
    uva__stack_t *stack = acquire(&stacks, 0);
    uva__stacks_stats(&stacks, &stats);
    ck_assert_uint_eq(stats.arenas, 1);
    ck_assert_uint_eq(stats.reserved_bytes, 8 * stack->class->stride);
    uva__stack_release(&stacks, stack);
    teardown(&stacks);
}
END_TEST

START_TEST(stack_stats_count) {
    uva__stacks_t stacks;
    uva_stack_stats_t stats;
    uva__stack_t *list[30];
    setup(&stacks);
    uva__stacks_stats(&stacks, &stats);
    ck_assert_int_eq(stats.guard, UVA_GUARD_NONE_YET);
    ck_assert_uint_eq(stats.room, SIZE_MAX);
    ck_assert_uint_eq(stats.arenas, 0);
    acquire_all(&stacks, list, 30);
    release_all(&stacks, list, 12);
    uva__stacks_stats(&stacks, &stats);
    ck_assert_uint_ge(stats.stack_bytes, UVA__STACK_DEFAULT_BYTES);
    ck_assert_uint_eq(stats.in_use, 18);
    ck_assert_uint_eq(stats.pooled, 12);
    ck_assert_uint_eq(stats.peak_in_use, 30);
    ck_assert_uint_eq(stats.arenas, 2);
    ck_assert_int_ne(stats.guard, UVA_GUARD_NONE_YET);
    ck_assert_int_eq((long)stats.reserved_bytes, faults_live_mappings());
    size_t pooled = 0;
    uva__stack_release(&stacks, acquire(&stacks, 64 * KIB));
    for (uva__stack_t *at = uva__stacks_pooled(&stacks, NULL); at != NULL;
         at = uva__stacks_pooled(&stacks, at))
        pooled++;
    ck_assert_uint_eq(pooled, 13);
    release_all(&stacks, list + 12, 18);
    teardown(&stacks);
}
END_TEST

SUITE("stack_limits", stack_guard_by_mprotect_where_advice_is_unknown,
      stack_guard_changes_over_in_mid_run, stack_in_locked_memory_is_guarded,
      stack_stops_short_of_the_map_limit, stack_ensured_cannot_be_refused,
      stack_refuses_under_an_address_space_limit,
      stack_is_refused_without_memory, stack_failures_leave_nothing_behind,
      stack_arena_shrinks_until_it_fits, stack_stats_count)
