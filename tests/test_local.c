/* labels: threads valgrind */
/* Task-local values: inherited at spawn, one's own afterwards. */
#include "support/program.h"

#include <signal.h>
#include <string.h>

static const uva_local_t user = UVA_LOCAL_INIT(NULL);
static const uva_local_t trace = UVA_LOCAL_INIT(NULL);

static void set(const uva_local_t *key, const char *value) {
    ck_assert_int_eq(uva_local_set(key, (void *)(uintptr_t)value), 0);
}

static const char *get(const uva_local_t *key) {
    const char *value = uva_local_get(key);
    return value != NULL ? value : "none";
}

static int child(void *arg) {
    (void)arg;
    record("%s", get(&user));
    set(&user, "child's");
    ck_assert_int_eq(uva_sleep(10), 0);
    record("%s", get(&user));
    return 0;
}

static int snapshot_main(void *arg) {
    (void)arg;
    record("%s", get(&user));
    set(&user, "first");
    uva_task_t *task = uva_spawn(child, NULL);
    set(&user, "second");
    ck_assert_int_eq(uva_sleep(5), 0);
    record("%s", get(&user));
    ck_assert_int_eq(uva_await(task, NULL), 0);
    record("%s", get(&user));
    set(&user, NULL);
    record("%s", get(&user));
    return 0;
}

START_TEST(local_snapshot_at_spawn) {
    CONFORMS("K-197");
    program_expect(snapshot_main);
    ck_expect_record("none first second child's second none");
    ck_assert_ptr_null(uva_local_get(&user));
}
END_TEST

/* Its table is its own after the first set; the other value in it is not. */
static int sets_both(void *arg) {
    (void)arg;
    set(&trace, "its trace");
    set(&user, "its user");
    record("%s/%s", get(&user), get(&trace));
    return 0;
}

static int two_keys_main(void *arg) {
    (void)arg;
    set(&user, "user");
    set(&trace, "trace");
    ck_assert_int_eq(uva_await(uva_spawn(sets_both, NULL), NULL), 0);
    record("%s/%s", get(&user), get(&trace));
    return 0;
}

START_TEST(local_values_are_shared_one_by_one) {
    CONFORMS("K-197");
    program_expect(two_keys_main);
    ck_expect_record("its user/its trace user/trace");
}
END_TEST

static int sets_and_sleeps(void *arg) {
    char text[2][16];
    for (int i = 0; i < 20; i++) {
        char *mine = text[i % 2];
        (void)snprintf(mine, 16, "%d.%d", (int)(intptr_t)arg, i);
        set(&user, mine);
        ck_assert_int_eq(uva_sleep((uint64_t)(rand() % 10)), 0);
        ck_assert_ptr_eq(uva_local_get(&user), mine);
        ck_assert_str_eq(get(&trace), "outside");
    }
    return 0;
}

static int hundred_main(void *arg) {
    (void)arg;
    set(&trace, "outside");
    set(&user, "outside");
    uva_future_t *tasks[100];
    for (int i = 0; i < 100; i++)
        tasks[i] = uva_spawn(sets_and_sleeps, (void *)(intptr_t)i);
    ck_assert_int_eq(uva_gather(tasks, 100, NULL), 0);
    ck_assert_str_eq(get(&user), "outside");
    return 0;
}

START_TEST(local_of_a_hundred_tasks) {
    CONFORMS("K-198");
    program_expect(hundred_main);
}
END_TEST

static void on_done(uva_future_t *f, void *arg) {
    (void)f;
    (void)arg;
    ck_assert_ptr_null(uva_local_get(&user));
    ck_assert_int_eq(uva_local_set(&user, arg), UV_EPERM);
    uva_local_block_t block;
    uva_local_open(&block);
    uva_local_close(&block);
}

static int callback_main(void *arg) {
    (void)arg;
    uva_future_t *f = uva_future_new();
    set(&user, "mine");
    ck_assert_int_eq(uva_on_done(f, on_done, f), 0);
    uva_detach(spawn_worker("w", 1, 0));
    ck_assert_int_eq(uva_future_resolve(f, NULL), 0);
    ck_assert_int_eq(uva_await(f, NULL), 0);
    ck_assert_int_eq(uva_sleep(2), 0);
    record("%s", get(&user));
    return 0;
}

START_TEST(local_in_a_callback) {
    CONFORMS("K-199");
    ck_assert_int_eq(program_run(callback_main, NULL), 0);
    ck_assert_uint_eq(support_report_count(), 2);
    ck_assert(support_reports_contain("uva_local_set: called outside a task"));
    ck_expect_record("w mine");
}
END_TEST

/* ---- eager tasks and coroutines ----------------------------------------- */

static int eager_main(void *arg) {
    (void)arg;
    set(&user, "creator's");
    uva_task_t *task =
        uva_spawn_with(&(uva_task_options_t){.eager = true}, child, NULL);
    record("%s", get(&user));
    ck_assert_int_eq(uva_await(task, NULL), 0);
    record("%s", get(&user));
    return 0;
}

START_TEST(local_of_an_eager_task) {
    CONFORMS("K-203");
    program_expect(eager_main);
    ck_expect_record("creator's creator's child's creator's");
}
END_TEST

/* In place it is its caller; started, it is a task: it sees what its starter
 * saw at the start. */
static int coroutine_main(void *arg) {
    (void)arg;
    set(&user, "early");
    uva_future_t *in_place = uva_coroutine(child, NULL, 0);
    uva_future_t *started = uva_coroutine(child, NULL, 0);
    set(&user, "late");
    ck_assert_int_eq(uva_await(in_place, NULL), 0);
    record("%s", get(&user));
    set(&user, "last");
    ck_assert_int_eq(uva_gather(&started, 1, NULL), 0);
    record("%s", get(&user));
    return 0;
}

START_TEST(local_of_coroutines) {
    program_expect(coroutine_main);
    ck_expect_record("late child's child's last child's last");
}
END_TEST

/* ---- blocks ------------------------------------------------------------- */

static int says(void *arg) {
    (void)arg;
    record("%s/%s", get(&user), get(&trace));
    return 0;
}

static int block_main(void *arg) {
    (void)arg;
    uva_local_block_t outer;
    uva_local_block_t inner;
    set(&user, "u");
    uva_local_open(&outer);
    set(&user, "u1");
    set(&trace, "t1");
    uva_local_open(&inner);
    (void)says(NULL);
    set(&trace, "t2");
    uva_task_t *task = uva_spawn(says, NULL);
    (void)says(NULL);
    uva_local_close(&inner);
    (void)says(NULL);
    uva_local_close(&outer);
    uva_local_close(&outer);
    (void)says(NULL);
    return uva_await(task, NULL);
}

START_TEST(local_blocks) {
    program_expect(block_main);
    ck_expect_record("u1/t1 u1/t2 u1/t1 u/none u1/t2");
}
END_TEST

/* Opening and closing a block allocates nothing, and setting a value that is
 * one's own already neither; spawning with values costs no memory. */
static int cost_main(void *arg) {
    (void)arg;
    set(&user, "a");
    set(&trace, "b");
    ck_assert_int_eq(uva_await(uva_spawn(says, NULL), NULL), 0);
    unsigned long before = faults_allocations();
    set(&user, "c");
    set(&user, "c");
    uva_local_block_t block;
    uva_local_open(&block);
    uva_local_close(&block);
    set(&user, "d");
#if !defined(__SANITIZE_ADDRESS__)
    ck_assert_int_eq(uva_await(uva_spawn(says, NULL), NULL), 0);
#endif
    ck_assert_uint_eq(faults_allocations(), before);
    return 0;
}

START_TEST(local_costs) {
    program_expect(cost_main);
}
END_TEST

/* ---- sets with a handle ------------------------------------------------- */

static int appends(void *arg) {
    const char *names[] = {"none", "one", "two", "three"};
    size_t i = (size_t)(uintptr_t)arg;
    record("%s", get(&user));
    ck_assert_str_eq(get(&user), names[i]);
    set(&user, names[i + 1]);
    ck_assert_int_eq(uva_sleep(1), 0);
    ck_assert_str_eq(get(&user), names[i + 1]);
    /* A child of its own gets a copy. */
    return uva_await(uva_spawn(child, NULL), NULL);
}

static int handle_main(void *arg) {
    (void)arg;
    set(&trace, "t");
    uva_locals_t *locals = uva_locals_new();
    set(&trace, "later");
    ck_assert_str_eq(uva_locals_get(locals, &trace), "t");
    uva_task_options_t options = {.locals = locals};
    for (uintptr_t i = 0; i < 3; i++)
        ck_assert_int_eq(
            uva_await(uva_spawn_with(&options, appends, (void *)i), NULL), 0);
    ck_assert_str_eq(uva_locals_get(locals, &user), "three");
    ck_assert_str_eq(get(&user), "none");
    char value[] = "set from outside";
    ck_assert_int_eq(uva_locals_set(locals, &user, value), 0);
    uva_task_t *task = uva_spawn_with(&options, says, NULL);
    uva_locals_free(locals); /* the task keeps it */
    return uva_await(task, NULL);
}

START_TEST(local_set_handed_to_several_tasks) {
    CONFORMS("K-200");
    program_expect(handle_main);
    ck_expect_record("none one child's one two child's two three child's "
                     "set from outside/t");
}
END_TEST

/* A block within a task that runs in a set: what is set in it stays in it. */
static int block_in_set(void *arg) {
    uva_local_block_t block;
    uva_local_open(&block);
    set(&user, "in the block");
    ck_assert_ptr_null(uva_locals_get(arg, &user));
    uva_local_close(&block);
    set(&user, "in the set");
    return 0;
}

static void from_a_callback(void *arg) {
    uva_locals_t **locals = arg;
    *locals = uva_locals_new();
    uva_task_options_t options = {.locals = *locals};
    uva_detach(uva_spawn_with(&options, block_in_set, *locals));
}

static int callback_set_main(void *arg) {
    (void)arg;
    uva_locals_t *locals = NULL;
    set(&user, "not inherited");
    ck_assert_int_eq(uva_post(uva_runtime_current(), from_a_callback, &locals),
                     0);
    ck_assert_int_eq(uva_sleep(1), 0);
    ck_assert_str_eq(uva_locals_get(locals, &user), "in the set");
    uva_locals_free(locals);
    return 0;
}

START_TEST(local_set_of_a_callback) {
    program_expect(callback_set_main);
}
END_TEST

/* ---- destructors -------------------------------------------------------- */

static void destroy(void *value) {
    ck_assert_ptr_null(uva_current());
    record("~%s", (char *)value);
    free(value);
}

static const uva_local_t owned = UVA_LOCAL_INIT(destroy);
static const uva_local_t owned_too = UVA_LOCAL_INIT(destroy);

static void own(const uva_local_t *key, const char *text) {
    ck_assert_int_eq(uva_local_set(key, strdup(text)), 0);
    ck_assert_ptr_nonnull(uva_current());
}

static int holder(void *arg) {
    (void)arg;
    (void)uva_sleep(10);
    record("holder:%s", get(&owned));
    return 0;
}

/* A value goes with the last task, block or set that sees it. */
static int destructor_main(void *arg) {
    (void)arg;
    own(&owned, "a");
    own(&owned, "b");
    uva_task_t *task = uva_spawn(holder, NULL);
    own(&owned, "c");
    record("set");
    uva_local_block_t block;
    uva_local_open(&block);
    own(&owned, "d");
    own(&owned_too, "e");
    record("close");
    uva_local_close(&block);
    record("closed:%s", get(&owned));
    ck_assert_int_eq(uva_await(task, NULL), 0);
    record("end");
    ck_assert_int_eq(uva_local_set(&owned, uva_local_get(&owned)), 0);
    return 0;
}

START_TEST(local_destructors) {
    program_expect(destructor_main);
    ck_expect_record("~a set close ~d ~e closed:c holder:b ~b end ~c");
}
END_TEST

/* Cancelled before it ran, it lets go all the same; the destructor runs where
 * no task does. */
static int unrun_main(void *arg) {
    (void)arg;
    own(&owned, "a");
    uva_task_t *task = uva_spawn(holder, NULL);
    own(&owned, "b");
    ck_assert(uva_cancel(task));
    ck_assert_int_eq(uva_await(task, NULL), UV_ECANCELED);
    record("awaited");
    return 0;
}

START_TEST(local_destructor_of_a_task_that_never_ran) {
    program_expect(unrun_main);
    ck_expect_record("~a awaited ~b");
}
END_TEST

static void misbehaves(void *value) {
    record("%d", uva_sleep(10));
    record("%d", uva_local_set(&owned, value));
    free(value);
}

static const uva_local_t rude = UVA_LOCAL_INIT(misbehaves);

static int rude_main(void *arg) {
    (void)arg;
    ck_assert_int_eq(uva_local_set(&rude, strdup("x")), 0);
    ck_assert_int_eq(uva_local_set(&rude, NULL), 0);
    return 0;
}

START_TEST(local_destructor_cannot_wait) {
    ck_assert_int_eq(program_run(rude_main, NULL), 0);
    ck_assert_uint_eq(support_report_count(), 2);
    ck_expect_record("-1 -1");
}
END_TEST

/* ---- threads ------------------------------------------------------------ */

static uv_sem_t reading;
static uv_sem_t go_on;

static int reads(void *arg) {
    const char **seen = *(const char ***)arg;
    uv_sem_post(&reading);
    uv_sem_wait(&go_on);
    *seen = uva_local_get(&owned);
    return strcmp(*seen, "at the call") != 0 || uva_local_get(&user) != NULL;
}

static int calls(void *arg) {
    return uva_to_thread_with(reads, &arg, sizeof arg);
}

/* The job sees what its task saw, though the task has gone meanwhile and its
 * value lives on in the job alone. */
static int thread_main(void *arg) {
    (void)arg;
    static const char *seen; /* the job writes to it when main may be gone */
    seen = "nothing";
    own(&owned, "at the call");
    uva_task_t *task = uva_spawn(calls, &seen);
    ck_assert_int_eq(uva_yield(), 0);
    uv_sem_wait(&reading);
    own(&owned, "later");
    ck_assert_int_eq(uva_cancel_and_wait(task), UV_ECANCELED);
    record("gone");
    uv_sem_post(&go_on);
    return 0;
}

static int whole_job(void *arg) {
    record("job:%s", get(&owned));
    /* It runs outside any runtime: it cannot set. */
    return uva_local_set(&owned, arg) == UV_EPERM ? 0 : 1;
}

static int awaited_main(void *arg) {
    (void)arg;
    own(&owned, "a");
    ck_assert_int_eq(uva_to_thread(whole_job, NULL), 0);
    record("%s", get(&owned));
    faults_fail_with(FAULT_UV_QUEUE_WORK, 1, UV_EAGAIN);
    ck_assert_int_eq(uva_to_thread(whole_job, NULL), UV_EAGAIN);
    ck_assert_uint_eq(faults_clear(), 1);
    return 0;
}

START_TEST(local_in_the_thread_pool) {
    CONFORMS("K-180");
    ck_assert_int_eq(uv_sem_init(&reading, 0), 0);
    ck_assert_int_eq(uv_sem_init(&go_on, 0), 0);
    program_expect(thread_main);
    ck_expect_record("gone ~later ~at the call");
    uv_sem_destroy(&reading);
    uv_sem_destroy(&go_on);
    ck_assert_int_eq(program_run(awaited_main, NULL), 0);
    ck_expect_record("job:a a ~a");
}
END_TEST

/* ---- memory and misuse -------------------------------------------------- */

/* Every allocation fails in turn: the old value stays, the new one is the
 * caller's. */
static int faults_main(void *arg) {
    (void)arg;
    own(&owned, "old");
    uva_local_block_t block;
    for (unsigned nth = 1; nth <= 3; nth++) {
        uva_local_open(&block);
        char *value = strdup("new");
        faults_fail(FAULT_MALLOC, nth);
        int code = uva_local_set(&owned, value);
        bool hit = faults_clear() > 0;
        ck_assert_int_eq(hit, nth < 3);
        ck_assert_int_eq(code, hit ? UV_ENOMEM : 0);
        ck_assert_str_eq(get(&owned), hit ? "old" : "new");
        if (hit)
            free(value);
        uva_local_close(&block);
    }
    faults_fail(FAULT_MALLOC, 1);
    ck_assert_ptr_null(uva_locals_new());
    ck_assert_uint_eq(faults_clear(), 1);
    return 0;
}

START_TEST(local_without_memory) {
    program_expect(faults_main);
    ck_expect_record("~new ~old");
}
END_TEST

static int misuse_main(void *arg) {
    (void)arg;
    ck_assert_int_eq(uva_local_set(NULL, NULL), UV_EINVAL);
    ck_assert_int_eq(uva_locals_set(NULL, &user, NULL), UV_EINVAL);
    ck_assert_ptr_null(uva_locals_get(NULL, &user));
    uva_locals_free(NULL);
    return 0;
}

static int leaves_open(void *arg) {
    uva_local_open(arg);
    return 0;
}

static int open_body_main(void *arg) {
    (void)arg;
    static uva_local_block_t block;
    return uva_await(uva_spawn(leaves_open, &block), NULL);
}

/* Awaited in place, its block would stay open in its caller. */
static int in_place_main(void *arg) {
    (void)arg;
    const uva_local_block_t block = {.task = NULL};
    return uva_await(uva_coroutine(leaves_open, &block, sizeof block), NULL);
}

static int outer_first_main(void *arg) {
    (void)arg;
    uva_local_block_t outer;
    uva_local_block_t inner;
    uva_local_open(&outer);
    uva_local_open(&inner);
    uva_local_close(&outer);
    return 0;
}

static int closes(void *arg) {
    uva_local_close(arg);
    return 0;
}

static int elsewhere_main(void *arg) {
    (void)arg;
    uva_local_block_t block;
    uva_local_open(&block);
    return uva_await(uva_spawn(closes, &block), NULL);
}

typedef struct misuse {
    uva_fn main;
    const char *advice;
} misuse_t;

static void misuse(void *arg) {
    const misuse_t *self = arg;
    (void)uva_run(self->main, NULL);
}

START_TEST(local_misuse) {
    program_expect(misuse_main);
    misuse_t misuses[] = {{open_body_main, "on every way out"},
                          {in_place_main, "on every way out"},
                          {outer_first_main, "reverse order"},
                          {elsewhere_main, "in the task that opened"}};
    for (size_t i = 0; i < sizeof misuses / sizeof misuses[0]; i++)
        ck_assert(
            support_dies(misuse, &misuses[i], SIGABRT, misuses[i].advice));
}
END_TEST

SUITE("local", local_snapshot_at_spawn, local_values_are_shared_one_by_one,
      local_of_a_hundred_tasks, local_in_a_callback, local_of_an_eager_task,
      local_of_coroutines, local_blocks, local_costs,
      local_set_handed_to_several_tasks, local_set_of_a_callback,
      local_destructors, local_destructor_of_a_task_that_never_ran,
      local_destructor_cannot_wait, local_in_the_thread_pool,
      local_without_memory, local_misuse)
