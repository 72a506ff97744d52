/* labels: valgrind; timeout: 30 */
/*
 * Every allocation, mapping and failing libuv call of the core fails in turn:
 * the program gets UV_ENOMEM or does without, nothing leaks, nothing hangs.
 *
 * uv_idle_start, uv_timer_start and uv_async_send are left out: libuv refuses
 * them only for a NULL callback or a closing handle.
 */
#include "support/program.h"

#include <stdio.h>
#include <string.h>

static const fault_t kinds[] = {
    FAULT_MALLOC,
    FAULT_CALLOC,
    FAULT_REALLOC,
    FAULT_STRDUP,
    FAULT_ALIGNED_ALLOC,
    FAULT_POSIX_MEMALIGN,
    FAULT_MMAP,
    FAULT_MADVISE,
    FAULT_MPROTECT,
    FAULT_UV_LOOP_INIT,
    FAULT_UV_ASYNC_INIT,
    FAULT_UV_PREPARE_INIT,
    FAULT_UV_PREPARE_START,
    FAULT_UV_CHECK_INIT,
    FAULT_UV_CHECK_START,
    FAULT_UV_IDLE_INIT,
    FAULT_UV_TIMER_INIT,
    FAULT_UV_QUEUE_WORK,
    FAULT_UV_MUTEX_INIT,
    FAULT_UV_SEM_INIT,
};

enum { KINDS = sizeof kinds / sizeof kinds[0] };

/* Runs operation with the nth call of one kind failing, for every n. */
static unsigned long fail_each(fault_t kind, int (*operation)(void *arg),
                               void *arg) {
    for (unsigned long nth = 1;; nth++) {
        long blocks = faults_live_allocations();
        long bytes = faults_live_mappings();
        support_reports_clear();
        faults_fail(kind, nth);
        int code = operation(arg);
        bool hit = faults_clear() > 0;
        const char *name = faults_name(kind);
        ck_assert_msg(code == 0 || (hit && code == UV_ENOMEM),
                      "%s number %lu: code %d (hit: %d)", name, nth, code, hit);
        blocks = faults_live_allocations() - blocks;
        ck_assert_msg(blocks == 0, "%s number %lu: %ld blocks left", name, nth,
                      blocks);
        bytes = faults_live_mappings() - bytes;
        ck_assert_msg(bytes == 0, "%s number %lu: %ld bytes left", name, nth,
                      bytes);
        if (!hit)
            return nth - 1;
    }
}

static int run_main(void *arg) {
    uva_fn main = *(uva_fn *)arg;
    return program_run(main, NULL);
}

/* The whole of a program under every kind of failure. */
static void fail_everything(uva_fn main) {
    unsigned long failures = 0;
    for (size_t i = 0; i < KINDS; i++)
        failures += fail_each(kinds[i], run_main, &main);
    /* At least the runtime, its ring, its pools, its first stacks. */
    ck_assert_uint_ge(failures, 10);
}

/* A plain failure for want of memory, or nothing wrong at all. */
static bool is_fine(int code) {
    return code >= 0 || code == UV_ENOMEM;
}

/* ---- tasks and futures -------------------------------------------------- */

static int double_it(void *arg) {
    int n = *(int *)arg;
    int code = uva_sleep(1);
    return code < 0 ? code : n * 2;
}

static uva_task_t *spawn_double(int n) {
    uva_task_options_t options = {
        .name = "double", .copy = &n, .copy_bytes = sizeof n};
    return uva_spawn_with(&options, double_it, NULL);
}

static int expect(int code, int expected) {
    ck_assert(code == expected || code == UV_ENOMEM);
    return code < 0 ? code : 0;
}

static int spawn_main(void *arg) {
    (void)arg;
    int n = 4;
    int code = expect(uva_await(uva_spawn(double_it, &n), NULL), 8);
    if (code == 0)
        code = expect(uva_await(spawn_double(5), NULL), 10);
    if (code < 0)
        return code;
    uva_task_options_t options = {.eager = true, .stack_bytes = 1 << 20};
    return expect(uva_await(uva_spawn_with(&options, double_it, &n), NULL), 8);
}

START_TEST(faults_in_spawn) {
    fail_everything(spawn_main);
}
END_TEST

typedef struct block {
    int n;
    char rest[2000];
} block_t;

static int coroutine_main(void *arg) {
    (void)arg;
    block_t block = {.n = 4};
    int code = uva_await(uva_coroutine(double_it, &block, sizeof block), NULL);
    if (expect(code, 8) < 0)
        return code;
    uva_future_t *f = uva_coroutine(double_it, &block, sizeof block);
    return expect(uva_await(uva_start(f), NULL), 8);
}

START_TEST(faults_in_coroutine) {
    fail_everything(coroutine_main);
}
END_TEST

static int many_main(void *arg) {
    (void)arg;
    static uva_future_t *f[300];
    for (int i = 0; i < 300; i++)
        f[i] = spawn_double(i);
    return expect(uva_gather(f, 300, NULL), 0);
}

/* The ready queue grows, the pools grow. */
START_TEST(faults_in_many_tasks) {
    fail_everything(many_main);
}
END_TEST

static int calls;

static void on_done(uva_future_t *f, void *arg) {
    (void)arg;
    ck_assert(is_fine(uva_status(f)));
    calls++;
}

static int on_done_main(void *arg) {
    (void)arg;
    calls = 0;
    int code = 0;
    int registered = 0;
    uva_task_t *task = spawn_double(4);
    for (int i = 0; i < 100 && task != NULL && code == 0; i++) {
        code = uva_on_done(task, on_done, NULL);
        registered += code == 0;
    }
    int outcome = uva_await(task, NULL);
    (void)uva_yield();
    ck_assert_int_eq(calls, registered);
    return code < 0 ? code : expect(outcome, 8);
}

START_TEST(faults_in_on_done) {
    fail_everything(on_done_main);
}
END_TEST

static int fail_loudly(void *arg) {
    (void)arg;
    return uva_fail(-9, "%s", "loudly");
}

/* A name or a message that finds no memory is left out. */
static int text_main(void *arg) {
    (void)arg;
    uva_task_t *task = uva_spawn(fail_loudly, NULL);
    int code = task != NULL ? uva_set_name(task, "loud") : 0;
    ck_assert_ptr_nonnull(uva_name(task));
    int outcome = uva_await(task, NULL);
    ck_assert(outcome == -9 || outcome == UV_ENOMEM);
    const char *message = uva_last_message();
    ck_assert(message == NULL || strcmp(message, "loudly") == 0);
    uva_future_t *f = uva_future_new();
    ck_assert(f == NULL || uva_cancel_with(f, "why"));
    ck_assert_int_eq(uva_await(f, NULL), f != NULL ? UV_ECANCELED : UV_ENOMEM);
    message = uva_last_message();
    ck_assert(message == NULL || strcmp(message, "why") == 0);
    f = uva_future_new();
    (void)uva_future_fail(f, UV_EIO, "broken");
    ck_assert_int_eq(uva_await(f, NULL), f != NULL ? UV_EIO : UV_ENOMEM);
    return code;
}

START_TEST(faults_in_names_and_messages) {
    fail_everything(text_main);
}
END_TEST

/* What is dropped unseen is reported, with memory for the text or without. */
static int report_main(void *arg) {
    (void)arg;
    uva_task_t *task = uva_spawn(fail_loudly, NULL);
    uva_future_t *f = uva_coroutine(fail_loudly, NULL, 0);
    size_t expected = (size_t)(task != NULL) + (size_t)(f != NULL);
    uva_unref(f);
    uva_unref(task);
    (void)uva_yield();
    ck_assert_uint_ge(support_report_count(), expected);
    return 0;
}

START_TEST(faults_in_reports) {
    fail_everything(report_main);
}
END_TEST

/* ---- combinators -------------------------------------------------------- */

static int gather_some(size_t count) {
    uva_future_t *f[20];
    int *values[20];
    for (size_t i = 0; i < count; i++)
        f[i] = spawn_double((int)i);
    return expect(uva_gather(f, count, values), 0);
}

static int gather_main(void *arg) {
    (void)arg;
    int code = gather_some(3);
    return code < 0 ? code : gather_some(20);
}

START_TEST(faults_in_gather) {
    fail_everything(gather_main);
}
END_TEST

static int settled_main(void *arg) {
    (void)arg;
    uva_future_t *f[20];
    int codes[20];
    for (int i = 0; i < 20; i++) {
        block_t block = {.n = i};
        f[i] = uva_coroutine(double_it, &block, sizeof block);
    }
    int code = uva_gather_settled(f, 20, NULL, codes);
    for (int i = 0; i < 20; i++)
        ck_assert(codes[i] == i * 2 || codes[i] == UV_ENOMEM ||
                  (code == UV_ENOMEM && codes[i] == UV_ECANCELED));
    return code;
}

START_TEST(faults_in_gather_settled) {
    fail_everything(settled_main);
}
END_TEST

static int race_main(void *arg) {
    (void)arg;
    uva_future_t *f[20];
    for (int i = 0; i < 20; i++)
        f[i] = spawn_double(i);
    size_t index = 99;
    int code = uva_race(f, 20, &index, NULL);
    ck_assert(code < 0 || index < 20);
    return code < 0 ? code : 0;
}

START_TEST(faults_in_race) {
    fail_everything(race_main);
}
END_TEST

static int wait_main(void *arg) {
    (void)arg;
    uva_future_t *f[20];
    for (int i = 0; i < 20; i++)
        f[i] = spawn_double(i);
    int code = uva_wait(f, 20, UVA_ALL_COMPLETED, 1000);
    ck_assert(code == 20 || code == UV_ENOMEM);
    int settled = uva_gather_settled(f, 20, NULL, NULL);
    ck_assert(is_fine(settled));
    return code < 0 ? code : settled;
}

START_TEST(faults_in_wait) {
    fail_everything(wait_main);
}
END_TEST

static int wait_for_main(void *arg) {
    (void)arg;
    int code = expect(uva_wait_for(spawn_double(4), 100, NULL), 8);
    if (code < 0)
        return code;
    code = uva_wait_for(uva_future_new(), 5, NULL);
    return code == UV_ETIMEDOUT ? 0 : code;
}

START_TEST(faults_in_wait_for) {
    fail_everything(wait_for_main);
}
END_TEST

static int shield_main(void *arg) {
    (void)arg;
    return expect(uva_await(uva_shield(spawn_double(4)), NULL), 8);
}

START_TEST(faults_in_shield) {
    fail_everything(shield_main);
}
END_TEST

static int map_item(void *arg) {
    int *item = arg;
    *item += 1;
    return uva_sleep(1);
}

static int map_main(void *arg) {
    (void)arg;
    int items[30] = {0};
    int code = uva_map(map_item, items, 30, sizeof items[0], 3);
    if (code < 0)
        return code;
    code = uva_map(map_item, items, 30, sizeof items[0], 20);
    for (int i = 0; i < 30 && code == 0; i++)
        ck_assert_int_eq(items[i], 2);
    return code;
}

START_TEST(faults_in_map) {
    fail_everything(map_main);
}
END_TEST

/* ---- threads ------------------------------------------------------------ */

static int square(void *arg) {
    int n = *(int *)arg;
    return n * n;
}

static int thread_main(void *arg) {
    (void)arg;
    block_t block = {.n = 5};
    int code = expect(uva_to_thread(square, &block), 25);
    if (code < 0)
        return code;
    return expect(uva_to_thread_with(square, &block, sizeof block), 25);
}

START_TEST(faults_in_to_thread) {
    fail_everything(thread_main);
}
END_TEST

static void posted(void *arg) {
    ++*(int *)arg;
}

static int post_main(void *arg) {
    (void)arg;
    int ran = 0;
    int accepted = 0;
    int code = 0;
    for (int i = 0; i < 5; i++) {
        int refused = uva_post(uva_runtime_current(), posted, &ran);
        accepted += refused == 0;
        code = refused < 0 ? refused : code;
    }
    (void)uva_yield();
    ck_assert_int_eq(ran, accepted);
    return code;
}

START_TEST(faults_in_post) {
    fail_everything(post_main);
}
END_TEST

typedef struct caller {
    uva_runtime_t *runtime;
    int code;
} caller_t;

static void call_double(void *arg) {
    caller_t *caller = arg;
    int n = 4;
    caller->code = uva_call(caller->runtime, square, &n);
    uva_runtime_unref(caller->runtime);
}

static int join(void *arg) {
    return uv_thread_join(arg);
}

static int call_main(void *arg) {
    (void)arg;
    caller_t caller = {.runtime = uva_runtime_ref(uva_runtime_current())};
    uv_thread_t thread;
    ck_assert_int_eq(uv_thread_create(&thread, call_double, &caller), 0);
    /* Waiting for the thread takes memory as well: tried until it is there. */
    while (uva_to_thread(join, &thread) == UV_ENOMEM)
        ;
    return expect(caller.code, 16);
}

START_TEST(faults_in_call) {
    fail_everything(call_main);
}
END_TEST

/* ---- a host's loop ------------------------------------------------------ */

static void set_done(void *arg) {
    *(bool *)arg = true;
}

static int attached(void *arg) {
    (void)arg;
    return uva_sleep(1);
}

/* Attaches, runs one task, detaches; the loop can be closed afterwards. */
static int attach_and_detach(void *arg) {
    (void)arg;
    uva_options_t options = {.report = support_report, .report_overflow = true};
    uv_loop_t loop;
    uva_runtime_t *rt = NULL;
    bool done = false;
    int code = uv_loop_init(&loop);
    if (code < 0)
        return code;
    code = uva_runtime_attach(&loop, &options, &rt);
    if (code == 0) {
        uva_task_t *task = uva_spawn_on(rt, attached, NULL);
        code = task != NULL ? 0 : UV_ENOMEM;
        ck_assert_int_eq(uv_run(&loop, UV_RUN_DEFAULT), 0);
        code = code == 0 ? uva_status(task) : code;
        uva_unref(task);
        ck_assert_int_eq(uva_runtime_detach(rt, set_done, &done), 0);
    }
    ck_assert_int_eq(uv_run(&loop, UV_RUN_DEFAULT), 0);
    ck_assert(done == (rt != NULL));
    ck_assert_ptr_null(uva_runtime_current());
    ck_assert_int_eq(uv_loop_close(&loop), 0);
    return code;
}

START_TEST(faults_in_attach_and_detach) {
    unsigned long failures = 0;
    for (size_t i = 0; i < KINDS; i++)
        failures += fail_each(kinds[i], attach_and_detach, NULL);
    ck_assert_uint_ge(failures, 10);
}
END_TEST

/* The handles of a failed attach still close when the next one is made. */
START_TEST(faults_in_attach_leave_room_for_another) {
    uva_options_t options = {.report = support_report};
    uv_loop_t loop;
    uva_runtime_t *rt = NULL;
    ck_assert_int_eq(uv_loop_init(&loop), 0);
    faults_fail(FAULT_UV_CHECK_START, 1);
    ck_assert_int_eq(uva_runtime_attach(&loop, &options, &rt), UV_ENOMEM);
    ck_assert_ptr_null(uva_runtime_current());
    ck_assert_int_eq(uva_runtime_attach(&loop, &options, &rt), 0);
    uva_task_t *task = uva_spawn_on(rt, attached, NULL);
    ck_assert_int_eq(uv_run(&loop, UV_RUN_DEFAULT), 0);
    ck_assert_ptr_eq(uva_runtime_current(), rt);
    ck_assert_int_eq(uva_status(task), 0);
    uva_unref(task);
    bool done = false;
    ck_assert_int_eq(uva_runtime_detach(rt, set_done, &done), 0);
    ck_assert_int_eq(uv_run(&loop, UV_RUN_DEFAULT), 0);
    ck_assert(done);
    ck_assert_int_eq(uv_loop_close(&loop), 0);
}
END_TEST

SUITE("faults", faults_in_spawn, faults_in_coroutine, faults_in_many_tasks,
      faults_in_on_done, faults_in_names_and_messages, faults_in_reports,
      faults_in_gather, faults_in_gather_settled, faults_in_race,
      faults_in_wait, faults_in_wait_for, faults_in_shield, faults_in_map,
      faults_in_to_thread, faults_in_post, faults_in_call,
      faults_in_attach_and_detach, faults_in_attach_leave_room_for_another)
