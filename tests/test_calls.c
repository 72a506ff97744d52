/* labels: threads valgrind */
/* Calls into a runtime from other threads: uva_post() and uva_call(). */
#include "support/support.h"

#include <stdio.h>
#include <string.h>
#include <uvawait.h>

#include "runtime/post.h"

static const uva_options_t quiet = {.report = support_report};

static void run(uva_fn main, void *arg) {
    ck_assert_int_eq(uva_run_with(&quiet, main, arg), 0);
}

/* ---- posts from other threads ------------------------------------------- */

enum { SENDERS = 4 };

typedef struct sender {
    uva_runtime_t *runtime;
    uv_thread_t thread;
    int posts;    /* to be made */
    int received; /* in the loop's thread */
    struct letter *letters;
} sender_t;

typedef struct letter {
    sender_t *sender;
    int number;
} letter_t;

static uva_semaphore_t senders_done;

static void receive(void *arg) {
    const letter_t *letter = arg;
    sender_t *sender = letter->sender;
    ck_assert_ptr_null(uva_current());
    ck_assert_int_eq(letter->number, sender->received);
    if (++sender->received == sender->posts)
        ck_assert_int_eq(uva_semaphore_release(&senders_done), 0);
}

static void send_all(void *arg) {
    sender_t *sender = arg;
    for (int i = 0; i < sender->posts; i++) {
        sender->letters[i] = (letter_t){sender, i};
        ck_assert_int_eq(
            uva_post(sender->runtime, receive, &sender->letters[i]), 0);
    }
    uva_runtime_unref(sender->runtime);
}

static int receive_all(void *arg) {
    sender_t senders[SENDERS];
    int posts = *(int *)arg;
    uva_semaphore_init(&senders_done, 0);
    for (int i = 0; i < SENDERS; i++) {
        senders[i] = (sender_t){.posts = posts};
        senders[i].letters = calloc((size_t)posts, sizeof(letter_t));
        senders[i].runtime = uva_runtime_ref(uva_runtime_current());
        ck_assert_int_eq(
            uv_thread_create(&senders[i].thread, send_all, &senders[i]), 0);
    }
    for (int i = 0; i < SENDERS; i++)
        ck_assert_int_eq(uva_semaphore_acquire(&senders_done), 0);
    for (int i = 0; i < SENDERS; i++) {
        ck_assert_int_eq(uv_thread_join(&senders[i].thread), 0);
        ck_assert_int_eq(senders[i].received, posts);
        free(senders[i].letters);
    }
    return 0;
}

START_TEST(calls_posts_keep_the_order_of_each_thread) {
    CONFORMS("K-173");
    int posts = support_is_slow() ? 1000 : 10000;
    run(receive_all, &posts);
}
END_TEST

static uint64_t posted_at;
static uint64_t heard_at;

static void hear(void *arg) {
    (void)arg;
    heard_at = uv_hrtime();
    ck_assert_int_eq(uva_semaphore_release(&senders_done), 0);
}

static void post_into_the_poll(void *arg) {
    uv_sleep(30);
    posted_at = uv_hrtime();
    ck_assert_int_eq(uva_post(arg, hear, NULL), 0);
    uva_runtime_unref(arg);
}

static int sleep_in_the_poll(void *arg) {
    uv_thread_t thread;
    (void)arg;
    uva_semaphore_init(&senders_done, 0);
    uva_runtime_t *held = uva_runtime_ref(uva_runtime_current());
    ck_assert_int_eq(uv_thread_create(&thread, post_into_the_poll, held), 0);
    ck_assert_int_eq(uva_semaphore_acquire(&senders_done), 0);
    ck_assert_int_eq(uv_thread_join(&thread), 0);
    ck_assert_uint_lt(heard_at - posted_at, 1000000000);
    return 0;
}

START_TEST(calls_post_wakes_a_loop_that_sleeps) {
    CONFORMS("K-173");
    run(sleep_in_the_poll, NULL);
}
END_TEST

/* ---- after the end ------------------------------------------------------ */

static int hand_out(void *arg) {
    *(uva_runtime_t **)arg = uva_runtime_ref(uva_runtime_current());
    return 0;
}

static int never_runs(void *arg) {
    (void)arg;
    ck_abort_msg("called after the end");
    return 0;
}

static void never_called(void *arg) {
    (void)never_runs(arg);
}

static void use_after_the_end(void *arg) {
    ck_assert_int_eq(uva_post(arg, never_called, NULL), UV_ESHUTDOWN);
    ck_assert_int_eq(uva_call(arg, never_runs, NULL), UV_ESHUTDOWN);
    uva_runtime_unref(arg);
}

START_TEST(calls_after_the_end_are_refused) {
    CONFORMS("K-174", "K-186");
    uva_runtime_t *held = NULL;
    run(hand_out, &held);
    ck_assert_int_eq(uva_post(held, never_called, NULL), UV_ESHUTDOWN);
    ck_assert_int_eq(uva_call(held, never_runs, NULL), UV_ESHUTDOWN);
    support_in_thread(use_after_the_end, held);
}
END_TEST

/* Threads post and call until they are refused: nothing accepted is lost. */
typedef struct storm {
    uva_runtime_t *runtime;
    uv_thread_t thread;
    unsigned long accepted;
    unsigned long ran; /* in the loop's thread */
} storm_t;

static void count(void *arg) {
    ((storm_t *)arg)->ran++;
}

static int count_call(void *arg) {
    ((storm_t *)arg)->ran++;
    return 0;
}

static void storm(void *arg) {
    storm_t *own = arg;
    int code = 0;
    while (code != UV_ESHUTDOWN) {
        code = own->accepted % 2 == 0 ? uva_post(own->runtime, count, own)
                                      : uva_call(own->runtime, count_call, own);
        own->accepted += code == 0;
        /* A call that comes during the end may be cancelled: it never ran. */
        ck_assert(code == 0 || code == UV_ESHUTDOWN || code == UV_ECANCELED);
    }
    uva_runtime_unref(own->runtime);
}

static storm_t storms[SENDERS];

static int end_in_a_storm(void *arg) {
    (void)arg;
    for (int i = 0; i < SENDERS; i++) {
        storms[i] =
            (storm_t){.runtime = uva_runtime_ref(uva_runtime_current())};
        ck_assert_int_eq(uv_thread_create(&storms[i].thread, storm, &storms[i]),
                         0);
    }
    return uva_sleep(20);
}

START_TEST(calls_end_loses_no_accepted_post) {
    CONFORMS("K-175");
    run(end_in_a_storm, NULL);
    for (int i = 0; i < SENDERS; i++) {
        ck_assert_int_eq(uv_thread_join(&storms[i].thread), 0);
        ck_assert_uint_eq(storms[i].ran, storms[i].accepted);
    }
}
END_TEST

/* ---- uva_call ----------------------------------------------------------- */

enum { CALLERS = 10 };

typedef struct caller {
    uva_runtime_t *runtime;
    uv_thread_t thread;
    uva_fn fn;
    int number;
    int code;
} caller_t;

static uva_semaphore_t callers_done;

static void one_done(void *arg) {
    (void)arg;
    ck_assert_int_eq(uva_semaphore_release(&callers_done), 0);
}

static void call(void *arg) {
    caller_t *caller = arg;
    caller->code = uva_call(caller->runtime, caller->fn, caller);
    ck_assert_int_eq(uva_post(caller->runtime, one_done, NULL), 0);
    uva_runtime_unref(caller->runtime);
}

static void start_caller(caller_t *caller, uva_fn fn, int number) {
    *caller = (caller_t){.fn = fn, .number = number};
    caller->runtime = uva_runtime_ref(uva_runtime_current());
    ck_assert_int_eq(uv_thread_create(&caller->thread, call, caller), 0);
}

static int answer(void *arg) {
    const caller_t *caller = arg;
    ck_assert_str_eq(uva_name(uva_current()), "uva_call");
    int code = uva_sleep((uint64_t)caller->number % 4);
    return code < 0 ? code : caller->number;
}

static int serve_callers(void *arg) {
    caller_t callers[CALLERS];
    (void)arg;
    uva_semaphore_init(&callers_done, 0);
    for (int i = 0; i < CALLERS; i++)
        start_caller(&callers[i], answer, i % 3 == 0 ? -2000 - i : i);
    for (int i = 0; i < CALLERS; i++)
        ck_assert_int_eq(uva_semaphore_acquire(&callers_done), 0);
    for (int i = 0; i < CALLERS; i++) {
        ck_assert_int_eq(uv_thread_join(&callers[i].thread), 0);
        ck_assert_int_eq(callers[i].code, callers[i].number);
    }
    return 0;
}

START_TEST(calls_call_gives_each_thread_its_own) {
    CONFORMS("K-182");
    run(serve_callers, NULL);
    ck_assert_uint_eq(support_report_count(), 0);
}
END_TEST

static int wait_long(void *arg) {
    (void)arg;
    return uva_sleep(60000);
}

static int wait_limited(void *arg) {
    return uva_wait_for(uva_spawn(wait_long, arg), 2, NULL);
}

static uva_task_t *find_call(void) {
    uva_task_t *tasks[8];
    size_t found = uva_all_tasks(uva_runtime_current(), tasks, 8);
    for (size_t i = 0; i < found; i++) {
        if (strcmp(uva_name(tasks[i]), "uva_call") == 0)
            return tasks[i];
    }
    return NULL;
}

static int limit_and_cancel(void *arg) {
    caller_t limited;
    caller_t cancelled;
    (void)arg;
    uva_semaphore_init(&callers_done, 0);
    start_caller(&limited, wait_limited, 1);
    ck_assert_int_eq(uva_semaphore_acquire(&callers_done), 0);
    ck_assert_uint_eq(uva_all_tasks(uva_runtime_current(), NULL, 0), 1);
    start_caller(&cancelled, wait_long, 1);
    while (find_call() == NULL)
        ck_assert_int_eq(uva_sleep(1), 0);
    ck_assert(uva_cancel(find_call()));
    ck_assert_int_eq(uva_semaphore_acquire(&callers_done), 0);
    ck_assert_uint_eq(uva_all_tasks(uva_runtime_current(), NULL, 0), 1);
    ck_assert_int_eq(uv_thread_join(&limited.thread), 0);
    ck_assert_int_eq(uv_thread_join(&cancelled.thread), 0);
    ck_assert_int_eq(limited.code, UV_ETIMEDOUT);
    ck_assert_int_eq(cancelled.code, UV_ECANCELED);
    return 0;
}

START_TEST(calls_call_ends_with_its_task) {
    CONFORMS("K-183");
    run(limit_and_cancel, NULL);
}
END_TEST

static void call_in_callback(void *arg) {
    *(int *)arg = uva_call(uva_runtime_current(), never_runs, NULL);
}

static int call_in_the_own_thread(void *arg) {
    int code = 0;
    (void)arg;
    uva_runtime_t *own = uva_runtime_current();
    ck_assert_int_eq(uva_call(own, never_runs, NULL), UV_EPERM);
    ck_assert_int_eq(uva_post(own, call_in_callback, &code), 0);
    ck_assert_int_eq(uva_yield(), 0);
    ck_assert_int_eq(code, UV_EPERM);
    ck_assert_int_eq(uva_call(NULL, never_runs, NULL), UV_EINVAL);
    ck_assert_int_eq(uva_call(own, NULL, NULL), UV_EINVAL);
    return 0;
}

START_TEST(calls_call_in_the_own_thread_is_refused) {
    CONFORMS("K-184");
    run(call_in_the_own_thread, NULL);
    ck_assert_uint_eq(support_report_count(), 2);
    ck_assert(support_reports_contain("uva_call: called in the loop's own"));
}
END_TEST

static void call_only(void *arg) {
    caller_t *caller = arg;
    caller->code = uva_call(caller->runtime, answer, caller);
    uva_runtime_unref(caller->runtime);
}

/* No task can be made once the call has arrived: the pool of control blocks is
 * used up and no memory is left. */
static int refuse_a_call(void *arg) {
    enum { MOST = 10000 };
    uva_runtime_t *own = uva_runtime_current();
    caller_t caller = {.runtime = uva_runtime_ref(own)};
    uva_future_t **taken = calloc(MOST, sizeof(uva_future_t *));
    size_t used = 0;
    (void)arg;
    ck_assert_int_eq(uv_thread_create(&caller.thread, call_only, &caller), 0);
    while (!uva__posts_are_waiting(own))
        uv_sleep(1);
    faults_fail_every(FAULT_MALLOC, 1, UV_ENOMEM);
    while ((taken[used] = uva_coroutine(never_runs, NULL, 0)) != NULL)
        used++;
    ck_assert_uint_lt(used, MOST);
    while (uva__posts_are_waiting(own))
        ck_assert_int_eq(uva_yield(), 0);
    faults_clear();
    for (size_t i = 0; i < used; i++) {
        ck_assert(uva_cancel(taken[i]));
        uva_unref(taken[i]);
    }
    free(taken);
    ck_assert_int_eq(uv_thread_join(&caller.thread), 0);
    ck_assert_int_eq(caller.code, UV_ENOMEM);
    return 0;
}

START_TEST(calls_call_without_a_task_gives_the_error) {
    CONFORMS("K-185");
    run(refuse_a_call, NULL);
    ck_assert(support_reports_contain("uva_call: no task could be made"));
}
END_TEST

/* ---- misuse from another thread ----------------------------------------- */

static void ignore_done(uva_future_t *f, void *arg) {
    (void)f;
    (void)arg;
}

static void misuse(void *arg) {
    uva_future_t *f = arg;
    ck_assert_int_eq(uva_future_resolve(f, NULL), UV_EPERM);
    ck_assert_int_eq(uva_on_done(f, ignore_done, NULL), UV_EPERM);
    ck_assert_int_eq(uva_remove_on_done(f, ignore_done), UV_EPERM);
    ck_assert(!uva_cancel(f));
    ck_assert_ptr_null(uva_spawn(never_runs, NULL));
    ck_assert_ptr_null(uva_runtime_current());
    ck_assert_int_eq(uva_sleep(1), UV_EPERM);
}

static int hand_to_a_thread(void *arg) {
    (void)arg;
    uva_future_t *f = uva_future_new();
    support_in_thread(misuse, f);
    ck_assert(!uva_is_done(f));
    uva_unref(f);
    return 0;
}

START_TEST(calls_use_from_a_foreign_thread_is_refused) {
    CONFORMS("K-176");
    run(hand_to_a_thread, NULL);
}
END_TEST

SUITE("calls", calls_posts_keep_the_order_of_each_thread,
      calls_post_wakes_a_loop_that_sleeps, calls_after_the_end_are_refused,
      calls_end_loses_no_accepted_post, calls_call_gives_each_thread_its_own,
      calls_call_ends_with_its_task, calls_call_in_the_own_thread_is_refused,
      calls_call_without_a_task_gives_the_error,
      calls_use_from_a_foreign_thread_is_refused)
