/* labels: valgrind */
/* Awaitables: misuse, no memory, and the end of their runtime. */
#include "awaitable_fixture.h"

/* ---- misuse ------------------------------------------------------------- */

static int start_waiting(void *self, uva_future_t *f) {
    (void)self;
    ck_assert_int_eq(uva_sleep(1), UV_EPERM);
    ck_assert_int_eq(uva_await(spawn_worker("w", 1, 0), NULL), UV_EPERM);
    ck_assert_int_eq(uva_run(prompt_await, self), UV_EBUSY);
    uva_task_options_t eager = {.eager = true};
    uva_detach(uva_spawn_with(&eager, prompt_await, self));
    return uva_future_resolve(f, NULL);
}

static int waiting_main(void *arg) {
    (void)arg;
    static const uva_awaitable_ops_t waiting = {.start = start_waiting};
    nap_t nap = nap_of("n", 0);
    nap.code = UV_ECANCELED;
    uva_task_t *self = uva_current();
    ck_assert_int_eq(uva_await(uva_awaitable(&waiting, &nap), NULL), 0);
    ck_assert_ptr_eq(uva_current(), self);
    ck_expect_record(""); /* the eager one waits its turn */
    return uva_sleep(10);
}

START_TEST(awaitable_cannot_wait_in_its_start) {
    ck_assert_int_eq(program_run(waiting_main, NULL), 0);
    ck_assert_uint_eq(support_report_count(), 3);
    ck_assert(support_reports_contain("uva_sleep: called outside a task"));
    ck_assert(support_reports_contain("uva_await: called outside a task"));
    ck_assert(support_reports_contain("uva_run: called inside a runtime"));
}
END_TEST

static void never_copied(void *self, void *ret_value) {
    (void)self;
    (void)ret_value;
    ck_abort_msg("a value of no size was asked for");
}

static int bad_main(void *arg) {
    (void)arg;
    nap_t nap = nap_of("n", 0);
    static const uva_awaitable_ops_t nothing = {.drop = prompt_drop};
    static const uva_awaitable_ops_t no_size = {
        .start = prompt_start, .value = never_copied, .drop = prompt_drop};
    ck_assert_ptr_null(uva_awaitable(NULL, &nap));
    ck_assert_ptr_null(uva_awaitable(&nothing, &nap));
    ck_assert_ptr_null(uva_awaitable(&no_size, &nap));
    ck_expect_record("n- n-");
    return 0;
}

START_TEST(awaitable_of_wrong_ops_is_refused) {
    ck_assert_int_eq(program_run(bad_main, NULL), 0);
    ck_assert_uint_eq(support_report_count(), 3);
    ck_assert(support_reports_contain("uva_awaitable: the ops are NULL"));
    ck_assert(support_reports_contain("have no `start`"));
    ck_assert(support_reports_contain("no value_bytes"));
}
END_TEST

START_TEST(awaitable_without_a_runtime_is_refused) {
    nap_t nap = nap_of("n", 0);
    ck_assert_ptr_null(uva_awaitable(&prompt_ops, &nap));
    ck_assert_ptr_null((uva_awaitable)(&prompt_ops, &nap));
    ck_expect_record("n- n-");
}
END_TEST

/* What the dump says while a task waits for it. */
static int await_it(void *arg) {
    return uva_await(arg, NULL);
}

static int named_main(void *arg) {
    (void)arg;
    nap_t nap = nap_of("n", 10);
    uva_future_t *f = (uva_awaitable)(&nap_ops, &nap);
    ck_assert_str_eq(uva_name(f), "nap-2");
    uva_task_t *task = uva_spawn(await_it, f);
    (void)uva_yield();
    char *dump = program_dump();
    ck_assert_ptr_nonnull(strstr(dump, "await for awaitable 'nap-2'"));
    free(dump);
    ck_assert_int_eq(uva_set_name(f, "siesta"), 0);
    ck_assert_str_eq(uva_name(f), "siesta");
    return uva_await(task, NULL);
}

START_TEST(awaitable_has_a_name) {
    program_expect(named_main);
}
END_TEST

/* ---- without memory ----------------------------------------------------- */

static int memory_main(void *arg) {
    (void)arg;
    static const uva_awaitable_ops_t large = {
        .start = prompt_start, .value_bytes = 100000, .drop = prompt_drop};
    nap_t nap = nap_of("n", 0);
    unsigned long n = 1;
    for (;; n++) {
        faults_fail(FAULT_MALLOC, n);
        uva_future_t *f = uva_awaitable(&large, &nap);
        bool hit = faults_clear() > 0;
        ck_assert(hit == (f == NULL));
        (void)uva_cancel(f);
        uva_unref(f);
        ck_expect_record("n-");
        if (!hit)
            break;
    }
    ck_assert_uint_gt(n, 1);
    static const uva_awaitable_ops_t huge = {
        .start = prompt_start, .value_bytes = SIZE_MAX, .drop = prompt_drop};
    ck_assert_ptr_null(uva_awaitable(&huge, &nap));
    ck_expect_record("n-");
    return 0;
}

START_TEST(awaitable_without_memory_drops_its_object) {
    program_expect(memory_main);
}
END_TEST

/* The pools have room in the second round, so that the future is what the first
 * one lacks. */
static int pool_main(void *arg) {
    (void)arg;
    uva_future_t *kept[200];
    nap_t nap = nap_of("n", 0);
    size_t count = 0;
    faults_fail_every(FAULT_MALLOC, 1, UV_ENOMEM);
    while (count < 200 &&
           (kept[count] = uva_awaitable(&prompt_ops, &nap)) != NULL)
        count++;
    (void)faults_clear();
    ck_assert_uint_lt(count, 200);
    ck_expect_record("n-");
    for (size_t i = 0; i < count; i++) {
        (void)uva_cancel(kept[i]);
        uva_unref(kept[i]);
    }
    return 0;
}

START_TEST(awaitable_without_a_future_drops_its_object) {
    program_expect(pool_main);
}
END_TEST

/* ---- the end of the runtime --------------------------------------------- */

static nap_t last_nap;

static int leave_main(void *ops) {
    last_nap = nap_of("n", 0);
    uva_unref(uva_start(uva_awaitable(ops, &last_nap)));
    last_nap.code = UV_ECANCELED;
    return 0;
}

START_TEST(awaitable_pending_at_the_end_is_cancelled) {
    ck_assert_int_eq(program_run(leave_main, (void *)(uintptr_t)&prompt_ops),
                     0);
    ck_assert_uint_eq(support_report_count(), 1);
    ck_assert(support_reports_contain("awaitable 'awaitable-2' (created at "));
    ck_assert(support_reports_contain(
        "was still pending at the end and has been cancelled. Await it, or "
        "cancel it, before main returns"));
    ck_expect_record("n+ n! n-");
}
END_TEST

/* Its object takes time: a handle of the program's that must be closed. */
typedef struct ticker {
    uv_timer_t timer;
    uva_future_t *f;
    int code;
} ticker_t;

static void ticker_closed(uv_handle_t *handle) {
    ticker_t *ticker = handle->data;
    record("closed");
    ck_assert_int_eq(ticker->code < 0
                         ? uva_future_fail(ticker->f, ticker->code, NULL)
                         : uva_future_resolve(ticker->f, ticker),
                     0);
}

static void ticker_close(ticker_t *ticker, int code) {
    ticker->code = code;
    uv_close((uv_handle_t *)&ticker->timer, ticker_closed);
}

static void ticked(uv_timer_t *timer) {
    ticker_close(timer->data, 0);
}

static int ticker_start(void *self, uva_future_t *f) {
    ticker_t *ticker = self;
    ticker->f = f;
    ticker->timer.data = ticker;
    int code =
        uv_timer_init(uva_runtime_loop(uva_runtime_current()), &ticker->timer);
    if (code == 0)
        code = uv_timer_start(&ticker->timer, ticked, 2, 0);
    return code;
}

static void ticker_cancel(void *self, uva_future_t *f) {
    (void)f;
    ticker_t *ticker = self;
    record("cancel");
    if (!uv_is_closing((uv_handle_t *)&ticker->timer))
        ticker_close(ticker, UV_ECANCELED);
}

static void ticker_drop(void *self) {
    record("drop");
    free(self);
}

static const uva_awaitable_ops_t ticker_ops = {.name = "ticker",
                                               .start = ticker_start,
                                               .cancel = ticker_cancel,
                                               .drop = ticker_drop};

static uva_future_t *ticker(void) {
    ticker_t *self = calloc(1, sizeof *self);
    ck_assert_ptr_nonnull(self);
    return uva_awaitable(&ticker_ops, self);
}

static int ticker_main(void *arg) {
    (void)arg;
    ck_assert_int_eq(uva_await(ticker(), NULL), 0);
    ck_expect_record("closed drop");
    uva_future_t *both[] = {ticker(), worker_coroutine("w", 0, UV_EIO)};
    ck_assert_int_eq(uva_gather(both, 2, NULL), UV_EIO);
    ck_expect_record("w cancel closed drop");
    uva_detach(uva_start(ticker()));
    return 0;
}

/* It answers when the runtime has ended, in the loop's last turns. */
START_TEST(awaitable_may_answer_after_the_end) {
    ck_assert_int_eq(program_run(ticker_main, NULL), 0);
    ck_assert_uint_eq(support_report_count(), 1);
    ck_assert(support_reports_contain("awaitable 'ticker-5'"));
    ck_expect_record("cancel closed drop");
}
END_TEST

static uva_future_t *kept;

static int keep_main(void *arg) {
    kept = uva_awaitable(&prompt_ops, arg);
    return 0;
}

START_TEST(awaitable_does_not_begin_after_the_end) {
    nap_t nap = nap_of("n", 0);
    ck_assert_int_eq(program_run(keep_main, &nap), 0);
    ck_assert_ptr_null(uva_start(kept));
    ck_expect_record("n-");
    ck_assert_str_eq(support_reports(), "");
}
END_TEST

/* A task that is left at the end passes its cancellation on. */
static int leave_task_main(void *arg) {
    uva_detach(uva_spawn(prompt_await, arg));
    (void)uva_yield();
    ((nap_t *)arg)->code = UV_ECANCELED;
    return 0;
}

START_TEST(awaitable_of_a_task_ends_with_it) {
    nap_t nap = nap_of("n", 0);
    ck_assert_int_eq(program_run(leave_task_main, &nap), 0);
    ck_assert_uint_eq(support_report_count(), 1);
    ck_assert(support_reports_contain("task 'prompt_await-"));
    ck_expect_record("n+ n! n- none");
}
END_TEST

SUITE("awaitable_ends", awaitable_cannot_wait_in_its_start,
      awaitable_of_wrong_ops_is_refused, awaitable_without_a_runtime_is_refused,
      awaitable_has_a_name, awaitable_without_memory_drops_its_object,
      awaitable_without_a_future_drops_its_object,
      awaitable_pending_at_the_end_is_cancelled,
      awaitable_may_answer_after_the_end,
      awaitable_does_not_begin_after_the_end, awaitable_of_a_task_ends_with_it)
