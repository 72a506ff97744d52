/* labels: threads valgrind */
/* Blocking work in the pool: uva_to_thread(). */
#include "support/support.h"

#include <stdatomic.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <uvawait.h>

static const uva_options_t quiet = {.report = support_report};

static void run(uva_fn main, void *arg) {
    ck_assert_int_eq(uva_run_with(&quiet, main, arg), 0);
}

/* ---- jobs --------------------------------------------------------------- */

typedef struct job {
    uv_thread_t thread;
    atomic_int runs;
    int code;
} job_t;

static int work(void *arg) {
    job_t *job = arg;
    job->thread = uv_thread_self();
    atomic_fetch_add(&job->runs, 1);
    return job->code;
}

static int await_job(void *arg) {
    return uva_to_thread(work, arg);
}

static int run_a_job(void *arg) {
    job_t job = {.code = 17};
    uv_thread_t self = uv_thread_self();
    (void)arg;
    ck_assert_int_eq(uva_to_thread(work, &job), 17);
    ck_assert_int_eq(job.runs, 1);
    ck_assert(!uv_thread_equal(&job.thread, &self));
    job.code = UV_EIO;
    ck_assert_int_eq(uva_to_thread(work, &job), UV_EIO);
    ck_assert_int_eq(job.runs, 2);
    ck_assert_int_eq(uva_to_thread(NULL, &job), UV_EINVAL);
    return 0;
}

START_TEST(threads_job_runs_once_elsewhere) {
    CONFORMS("K-179");
    run(run_a_job, NULL);
    ck_assert_int_eq(uva_to_thread(work, NULL), UV_EPERM);
}
END_TEST

static int run_ten_jobs(void *arg) {
    enum { JOBS = 10 };
    job_t jobs[JOBS];
    uva_future_t *tasks[JOBS];
    int codes[JOBS];
    (void)arg;
    for (int i = 0; i < JOBS; i++) {
        jobs[i] = (job_t){.code = i % 2 == 0 ? i : -1000 - i};
        tasks[i] = uva_spawn(await_job, &jobs[i]);
    }
    ck_assert_int_eq(uva_gather_settled(tasks, JOBS, NULL, codes), 0);
    for (int i = 0; i < JOBS; i++) {
        ck_assert_int_eq(jobs[i].runs, 1);
        ck_assert_int_eq(codes[i], jobs[i].code);
    }
    return 0;
}

START_TEST(threads_ten_jobs_at_once) {
    CONFORMS("K-179");
    run(run_ten_jobs, NULL);
}
END_TEST

static int add_copied(void *arg) {
    int *numbers = arg;
    ck_assert_uint_eq((uintptr_t)arg % _Alignof(max_align_t), 0);
    return numbers[0] + numbers[1];
}

static int expect_null(void *arg) {
    return arg == NULL ? 3 : UV_EINVAL;
}

static int run_copied(void *arg) {
    int numbers[2] = {20, 22};
    (void)arg;
    ck_assert_int_eq(uva_to_thread_with(add_copied, numbers, sizeof numbers),
                     42);
    ck_assert_int_eq(uva_to_thread_with(expect_null, NULL, 100), 3);
    return 0;
}

START_TEST(threads_job_works_on_its_copy) {
    run(run_copied, NULL);
}
END_TEST

static int run_failing(void *arg) {
    job_t job = {.code = 5};
    (void)arg;
    faults_fail_with(FAULT_UV_QUEUE_WORK, 1, UV_EAGAIN);
    ck_assert_int_eq(uva_to_thread(work, &job), UV_EAGAIN);
    faults_clear();
    faults_fail(FAULT_MALLOC, 1);
    ck_assert_int_eq(uva_to_thread(work, &job), UV_ENOMEM);
    faults_clear();
    ck_assert_int_eq(job.runs, 0);
    ck_assert_int_eq(uva_to_thread(work, &job), 5);
    return 0;
}

START_TEST(threads_job_that_cannot_start_says_so) {
    CONFORMS("K-181");
    run(run_failing, NULL);
}
END_TEST

/* ---- cancelling a job --------------------------------------------------- */

/* Jobs that stay in the pool until they are let go. */
typedef struct blocker {
    uv_sem_t begun;
    uv_sem_t go;
    atomic_bool over;
} blocker_t;

static blocker_t blocker;

static void open_blocker(void) {
    ck_assert_int_eq(uv_sem_init(&blocker.begun, 0), 0);
    ck_assert_int_eq(uv_sem_init(&blocker.go, 0), 0);
    atomic_store(&blocker.over, false);
}

static void close_blocker(void) {
    uv_sem_destroy(&blocker.begun);
    uv_sem_destroy(&blocker.go);
}

static int block(void *arg) {
    uv_sem_post(&blocker.begun);
    uv_sem_wait(&blocker.go);
    atomic_store(&blocker.over, true);
    return arg != NULL ? *(int *)arg : 0;
}

static int await_block(void *arg) {
    int code = uva_to_thread(block, arg);
    record("job:%d", code);
    ck_assert_int_eq(uva_sleep(1), UV_ECANCELED);
    return code;
}

static int await_block_copied(void *arg) {
    return uva_to_thread_with(block, arg, sizeof(int));
}

/* The pool's only thread is taken:
 * | main              | first          | second          |
 * |                   | job <running>  |                 |
 * |                   |                | job <queued>    |
 * | cancel(second)    |                | UV_ECANCELED    |
 * | let first go      | 6              |                 |
 */
static int cancel_queued(void *arg) {
    int code = 6;
    job_t never = {.code = 1};
    (void)arg;
    ck_assert_int_eq(setenv("UV_THREADPOOL_SIZE", "1", 1), 0);
    open_blocker();
    uva_task_t *first = uva_spawn(await_block_copied, &code);
    ck_assert_int_eq(uva_yield(), 0);
    uv_sem_wait(&blocker.begun);
    uva_task_t *second = uva_spawn(await_job, &never);
    ck_assert_int_eq(uva_yield(), 0);
    ck_assert_int_eq(uva_cancel_and_wait(second), UV_ECANCELED);
    ck_assert(!atomic_load(&blocker.over));
    uv_sem_post(&blocker.go);
    ck_assert_int_eq(uva_await(first, NULL), 6);
    ck_assert_int_eq(never.runs, 0);
    close_blocker();
    return 0;
}

START_TEST(threads_cancel_takes_a_queued_job_back) {
    run(cancel_queued, NULL);
}
END_TEST

static void let_go(void *arg) {
    (void)arg;
    uv_sleep(20);
    uv_sem_post(&blocker.go);
}

/* | main          | task                    | pool
 * |               | to_thread <parks>       | begins
 * | cancel(task)  |                         |
 * |               |                         | let go, ends with 8
 * |               | 8, then sleep is refused|
 */
static int cancel_running(void *arg) {
    int code = 8;
    uv_thread_t thread;
    (void)arg;
    open_blocker();
    uva_task_t *task = uva_spawn(await_block, &code);
    ck_assert_int_eq(uva_yield(), 0);
    uv_sem_wait(&blocker.begun);
    ck_assert(uva_cancel(task));
    ck_assert_int_eq(uva_yield(), 0);
    ck_assert(!uva_is_done(task));
    ck_assert_int_eq(uv_thread_create(&thread, let_go, NULL), 0);
    ck_assert_int_eq(uva_await(task, NULL), 8);
    ck_assert(atomic_load(&blocker.over));
    ck_assert_int_eq(uv_thread_join(&thread), 0);
    close_blocker();
    return 0;
}

START_TEST(threads_cancel_waits_for_a_running_job) {
    run(cancel_running, NULL);
    ck_expect_record("job:8");
}
END_TEST

static uv_thread_t releaser;

/* | main            | task               | pool
 * |                 | to_thread <parks>  | begins
 * | cancel_and_wait | UV_ECANCELED       |
 * | return          |                    | let go 20 ms later
 */
static int leave_running(void *arg) {
    int code = 8;
    (void)arg;
    uva_task_t *task = uva_spawn(await_block_copied, &code);
    ck_assert_int_eq(uva_yield(), 0);
    uv_sem_wait(&blocker.begun);
    ck_assert_int_eq(uva_cancel_and_wait(task), UV_ECANCELED);
    ck_assert(!atomic_load(&blocker.over));
    ck_assert_int_eq(uv_thread_create(&releaser, let_go, NULL), 0);
    return 0;
}

START_TEST(threads_end_waits_for_a_copied_job) {
    CONFORMS("K-186");
    open_blocker();
    run(leave_running, NULL);
    ck_assert(atomic_load(&blocker.over));
    ck_assert_int_eq(uv_thread_join(&releaser), 0);
    close_blocker();
    ck_assert_uint_eq(support_report_count(), 0);
}
END_TEST

static int refuse_when_cancelled(void *arg) {
    job_t job = {.code = 1};
    (void)arg;
    ck_assert(uva_cancel(uva_current()));
    ck_assert_int_eq(uva_to_thread(work, &job), UV_ECANCELED);
    ck_assert_int_eq(job.runs, 0);
    return 0;
}

START_TEST(threads_cancelled_task_begins_no_job) {
    run(refuse_when_cancelled, NULL);
}
END_TEST

SUITE("threads", threads_job_runs_once_elsewhere, threads_ten_jobs_at_once,
      threads_job_works_on_its_copy, threads_job_that_cannot_start_says_so,
      threads_cancel_takes_a_queued_job_back,
      threads_cancel_waits_for_a_running_job,
      threads_end_waits_for_a_copied_job, threads_cancelled_task_begins_no_job)
