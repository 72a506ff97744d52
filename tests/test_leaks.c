/* timeout: 20 */
/* A server that lives for months: what a million rounds of everything leave
 * behind, and what happens when the kernel gives no more stacks. */
#include "support/support.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>
#include <uvawait.h>

#include "runtime/guard.h"

static const uva_options_t quiet = {.report = support_report};
static const uva_options_t jumping = {.report = support_report,
                                      .clock = UVA_CLOCK_VIRTUAL};

/* ---- measuring ---------------------------------------------------------- */

static long resident_bytes(void) {
    long size = 0;
    long resident = 0;
    FILE *file = fopen("/proc/self/statm", "r");
    ck_assert_ptr_nonnull(file);
    ck_assert_int_eq(fscanf(file, "%ld %ld", &size, &resident), 2);
    fclose(file);
    return resident * sysconf(_SC_PAGESIZE);
}

typedef struct plan {
    void (*round)(void);
    unsigned long rounds;
} plan_t;

/* One lost object of 64 bytes in a hundred rounds would be seen. */
static int measure(void *arg) {
    const plan_t *plan = arg;
    unsigned long warm = plan->rounds / 100;
    for (unsigned long i = 0; i < warm; i++)
        plan->round();
    long bytes = resident_bytes();
    long blocks = faults_live_allocations();
    for (unsigned long i = warm; i < plan->rounds; i++)
        plan->round();
    ck_assert_int_eq(faults_live_allocations(), blocks);
    bytes = resident_bytes() - bytes;
    /* Sanitizers and valgrind hold back what was freed. */
    if (!support_is_slow())
        ck_assert_msg(bytes < 512 * 1024, "%ld bytes more after %lu rounds",
                      bytes, plan->rounds);
    return 0;
}

static void repeat(const uva_options_t *options, void (*round)(void),
                   unsigned long rounds) {
    plan_t plan = {round, support_is_slow() ? rounds / 100 : rounds};
    ck_assert_int_eq(uva_run_with(options, measure, &plan), 0);
    ck_assert_str_eq(support_reports(), "");
}

static int noop(void *arg) {
    (void)arg;
    return 0;
}

/* ck_assert() costs a system call each time. */
#define must(condition) \
    do { \
        if (!(condition)) \
            ck_abort_msg("not so: %s", #condition); \
    } while (0)

/* ---- rounds ------------------------------------------------------------- */

static void spawn_round(void) {
    must(uva_await(uva_spawn(noop, NULL), NULL) == 0);
}

START_TEST(leaks_spawn_and_await) {
    repeat(&quiet, spawn_round, 1000000);
}
END_TEST

static int fail_here(void *arg) {
    return uva_fail(UV_EIO, "round %p", arg);
}

static void failure_round(void) {
    must(uva_await(uva_spawn(fail_here, NULL), NULL) == UV_EIO);
    must(uva_last_message() != NULL);
}

START_TEST(leaks_failures_with_messages) {
    repeat(&quiet, failure_round, 300000);
}
END_TEST

static void coroutine_round(void) {
    char copied[100] = {0};
    uva_future_t *dropped = uva_coroutine(noop, copied, sizeof copied);
    must(uva_cancel(dropped));
    uva_unref(dropped);
    must(uva_await(uva_coroutine(noop, copied, sizeof copied), NULL) == 0);
}

START_TEST(leaks_coroutine) {
    repeat(&quiet, coroutine_round, 1000000);
}
END_TEST

static void gather_round(void) {
    uva_future_t *tasks[10];
    for (int i = 0; i < 10; i++)
        tasks[i] = uva_spawn(noop, NULL);
    must(uva_gather(tasks, 10, NULL) == 0);
}

START_TEST(leaks_gather_of_ten) {
    repeat(&quiet, gather_round, 100000);
}
END_TEST

static void wait_for_round(void) {
    must(uva_wait_for(uva_spawn(noop, NULL), 1000, NULL) == 0);
    must(uva_wait_for(uva_future_new(), 1, NULL) == UV_ETIMEDOUT);
}

START_TEST(leaks_wait_for) {
    repeat(&jumping, wait_for_round, 100000);
}
END_TEST

static int sleep_long(void *arg) {
    (void)arg;
    return uva_sleep(1000000);
}

static void cancel_round(void) {
    uva_task_t *task = uva_spawn(sleep_long, NULL);
    must(uva_yield() == 0);
    must(uva_cancel_with(task, "a reason"));
    must(uva_await(task, NULL) == UV_ECANCELED);
}

START_TEST(leaks_cancel) {
    repeat(&jumping, cancel_round, 300000);
}
END_TEST

static uva_semaphore_t gate = UVA_SEMAPHORE_INIT(2);

static int pass_the_gate(void *arg) {
    (void)arg;
    int code = uva_semaphore_acquire(&gate);
    if (code < 0)
        return code;
    code = uva_yield();
    (void)uva_semaphore_release(&gate);
    return code;
}

static void semaphore_round(void) {
    uva_future_t *tasks[8];
    for (int i = 0; i < 8; i++)
        tasks[i] = uva_spawn(pass_the_gate, NULL);
    must(uva_gather(tasks, 8, NULL) == 0);
    must(uva_semaphore_value(&gate) == 2);
}

START_TEST(leaks_semaphore_contention) {
    repeat(&quiet, semaphore_round, 100000);
}
END_TEST

static unsigned long calls;

static void count_done(uva_future_t *f, void *arg) {
    (void)f;
    (void)arg;
    calls++;
}

static void on_done_round(void) {
    uva_future_t *f = uva_future_new();
    unsigned long before = calls;
    must(uva_on_done(f, count_done, NULL) == 0);
    must(uva_future_resolve(f, NULL) == 0);
    uva_unref(f);
    must(uva_yield() == 0);
    must(calls == before + 1);
}

START_TEST(leaks_on_done) {
    repeat(&quiet, on_done_round, 1000000);
}
END_TEST

static void count_post(void *arg) {
    (void)arg;
    calls++;
}

static void post_round(void) {
    unsigned long before = calls;
    must(uva_post(uva_runtime_current(), count_post, NULL) == 0);
    must(uva_yield() == 0);
    must(calls == before + 1);
}

START_TEST(leaks_post) {
    repeat(&quiet, post_round, 1000000);
}
END_TEST

static void shield_round(void) {
    uva_task_t *task = uva_spawn(noop, NULL);
    uva_future_t *shield = uva_shield(uva_ref(task));
    must(uva_cancel(shield));
    uva_unref(shield);
    must(uva_await(uva_shield(task), NULL) == 0);
}

START_TEST(leaks_shield) {
    repeat(&quiet, shield_round, 300000);
}
END_TEST

START_TEST(leaks_whole_runs) {
    int rounds = support_is_slow() ? 20 : 2000;
    long bytes = 0;
    for (int i = 0; i < rounds; i++) {
        ck_assert_int_eq(uva_run_with(&quiet, noop, NULL), 0);
        if (i == rounds / 10)
            bytes = resident_bytes();
    }
    if (!support_is_slow())
        ck_assert_int_lt(resident_bytes() - bytes, 512 * 1024);
}
END_TEST

/* ---- the kernel's limit ------------------------------------------------- */

static uva_semaphore_t closed;

static int park_here(void *arg) {
    (void)arg;
    return uva_semaphore_acquire(&closed);
}

/* Spawns until it is refused, or most; the tasks are parked afterwards. */
static size_t spawn_all(uva_task_t *tasks[], size_t most) {
    size_t count = 0;
    while (count < most && (tasks[count] = uva_spawn(park_here, NULL)) != NULL)
        count++;
    ck_assert_int_eq(uva_yield(), 0);
    return count;
}

static void release_all(uva_task_t *tasks[], size_t count) {
    for (size_t i = 0; i < count; i++)
        must(uva_semaphore_release(&closed) == 0);
    for (size_t i = 0; i < count; i++)
        must(uva_await(tasks[i], NULL) == 0);
}

static int exhaust_maps(void *arg) {
    size_t most = *(size_t *)arg;
    uva_task_t **tasks = calloc(most, sizeof(uva_task_t *));
    for (int round = 1; round <= 2; round++) {
        uva_semaphore_init(&closed, 0);
        size_t count = spawn_all(tasks, most);
        ck_assert_uint_gt(count, most / 8);
        ck_assert_uint_lt(count, most);
        /* Refused again and again, but said once. */
        ck_assert_ptr_null(uva_spawn(noop, NULL));
        ck_assert_int_eq(uva_await(uva_spawn(noop, NULL), NULL), UV_ENOMEM);
        ck_assert_uint_eq(support_report_count(), (size_t)round);
        ck_assert(support_reports_contain("vm.max_map_count"));
        /* Coroutines in place, files and memory still work. */
        ck_assert_int_eq(uva_await(uva_coroutine(noop, NULL, 0), NULL), 0);
        ck_assert_int_gt(resident_bytes(), 0);
        void *block = malloc((size_t)8 << 20);
        ck_assert_ptr_nonnull(block);
        free(block);
        /* One that ends makes room for one. */
        ck_assert_int_eq(uva_semaphore_release(&closed), 0);
        ck_assert_int_eq(uva_await(tasks[0], NULL), 0);
        tasks[0] = uva_spawn(park_here, NULL);
        ck_assert_ptr_nonnull(tasks[0]);
        ck_assert_int_eq(uva_yield(), 0);
        release_all(tasks, count);
        ck_assert_int_eq(uva_await(uva_spawn(noop, NULL), NULL), 0);
    }
    free(tasks);
    return 0;
}

START_TEST(leaks_nothing_at_the_limit_of_mappings) {
    size_t limit = uva__guards_map_limit();
    if (limit > 300000 || support_is_slow())
        SKIP("using up that many mappings takes too long");
    faults_fail_every(FAULT_MADVISE, 1, UV_EINVAL);
    ck_assert_int_eq(uva_run_with(&quiet, exhaust_maps, &limit), 0);
    ck_assert_uint_eq(uva__guards_map_limit(), limit);
}
END_TEST

SUITE("leaks", leaks_spawn_and_await, leaks_failures_with_messages,
      leaks_coroutine, leaks_gather_of_ten, leaks_wait_for, leaks_cancel,
      leaks_semaphore_contention, leaks_on_done, leaks_post, leaks_shield,
      leaks_whole_runs, leaks_nothing_at_the_limit_of_mappings)
