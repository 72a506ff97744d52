/* labels: valgrind */
/* Awaitables: cancelled, or over, before they begin, while, and after. */
#include "awaitable_fixture.h"

/* ---- cancelled while it runs -------------------------------------------- */

static int cancel_main(void *arg) {
    (void)arg;
    nap_t nap = nap_of("n", 100);
    uva_future_t *f = uva_start(uva_awaitable(&nap_ops, &nap));
    (void)uva_sleep(1);
    ck_assert(uva_cancel_with(f, "enough"));
    ck_assert(!uva_is_done(f));
    ck_assert_ptr_null(uva_message(f));
    ck_assert(uva_cancel_with(f, "once more")); /* and is not asked again */
    ck_assert_int_eq(uva_await(f, NULL), UV_ECANCELED);
    ck_assert_str_eq(uva_last_message(), "enough");
    ck_expect_record("n+ n! n-");
    ck_assert_uint_eq(uva_now_ms(), 1);
    return 0;
}

START_TEST(awaitable_is_asked_to_end_once) {
    program_expect(cancel_main);
}
END_TEST

static int timeout_main(void *arg) {
    (void)arg;
    nap_t nap = nap_of("n", 100);
    ck_assert_int_eq(uva_wait_for(uva_awaitable(&nap_ops, &nap), 10, NULL),
                     UV_ETIMEDOUT);
    ck_expect_record("n+ n! n-");
    ck_assert_uint_eq(uva_now_ms(), 10);
    ck_assert_int_eq(
        uva_cancel_and_wait(uva_start(uva_awaitable(&nap_ops, &nap))),
        UV_ECANCELED);
    ck_expect_record("n+ n! n-");
    return 0;
}

START_TEST(awaitable_is_cancelled_by_a_limit) {
    program_expect(timeout_main);
}
END_TEST

/* Takes note of the request, and ends as it likes. */
static void note_cancel(void *self, uva_future_t *f) {
    nap_t *nap = self;
    record("%s!", nap->name);
    ck_assert_ptr_eq(f, nap->f);
}

static int late_main(void *arg) {
    (void)arg;
    static const uva_awaitable_ops_t stubborn = {
        .start = nap_start, .cancel = note_cancel, .drop = nap_drop};
    nap_t nap = nap_of("n", 100);
    void *value = NULL;
    uva_future_t *f = uva_ref(uva_awaitable(&stubborn, &nap));
    ck_assert_int_eq(uva_wait_for(f, 10, &value), 0);
    ck_assert_ptr_eq(value, nap.text);
    ck_assert_ptr_null(uva_message(f)); /* no reason for a success */
    ck_assert_uint_eq(uva_now_ms(), 100);
    uva_unref(f);
    nap.code = UV_EIO;
    f = uva_start(uva_awaitable(&stubborn, &nap));
    ck_assert(uva_cancel_with(f, "enough"));
    ck_assert_int_eq(uva_await(f, NULL), UV_EIO);
    ck_assert_str_eq(uva_last_message(), "no sleep");
    ck_expect_record("n+ n! n- n+ n! n-");
    return 0;
}

START_TEST(awaitable_may_answer_a_cancellation_as_it_likes) {
    program_expect(late_main);
}
END_TEST

/* Without a hook it is over at once; self stays until the object has ended it,
 * although nobody holds it any more. */
static int unasked_main(void *arg) {
    (void)arg;
    static const uva_awaitable_ops_t unasked = {.start = nap_start,
                                                .drop = nap_drop};
    nap_t nap = nap_of("n", 100);
    uva_future_t *f = uva_start(uva_awaitable(&unasked, &nap));
    (void)uva_sleep(1);
    ck_assert(uva_cancel_with(f, "enough"));
    ck_assert(uva_is_done(f));
    ck_assert_int_eq(uva_await(f, NULL), UV_ECANCELED);
    ck_assert_str_eq(uva_last_message(), "enough");
    ck_expect_record("n+");
    ck_assert_int_eq(uva_sleep(98), 0);
    ck_expect_record("");
    ck_assert_int_eq(uva_sleep(2), 0);
    ck_expect_record("n-");
    return 0;
}

START_TEST(awaitable_without_cancel_is_over_at_once) {
    program_expect(unasked_main);
}
END_TEST

/* Nobody but the object holds it: the request frees it. */
static int prompt_main(void *arg) {
    (void)arg;
    nap_t nap = nap_of("n", 0);
    uva_future_t *f = uva_start(uva_awaitable(&prompt_ops, &nap));
    uva_unref(f);
    ck_expect_record("n+");
    nap.code = UV_ECANCELED;
    ck_assert(uva_cancel(f));
    ck_expect_record("n! n-");
    return 0;
}

START_TEST(awaitable_that_nobody_holds_is_freed_by_its_end) {
    program_expect(prompt_main);
}
END_TEST

static int through_main(void *arg) {
    (void)arg;
    nap_t nap = nap_of("n", 0);
    uva_task_t *task = uva_spawn(prompt_await, &nap);
    (void)uva_yield();
    nap.code = UV_ECANCELED;
    ck_assert(uva_cancel_with(task, "enough"));
    ck_assert_int_eq(uva_await(task, NULL), UV_ECANCELED);
    ck_expect_record("n+ n! n- enough");
    return 0;
}

/* The request goes through the task that waits. */
START_TEST(awaitable_is_cancelled_with_its_waiter) {
    program_expect(through_main);
    ck_expect_record("");
}
END_TEST

/* ---- ends inside its start ---------------------------------------------- */

static int start_over(void *self, uva_future_t *f) {
    nap_t *nap = self;
    record("%s+", nap->name);
    ck_assert_int_eq(uva_future_resolve(f, nap->text), 0);
    ck_assert_int_eq(uva_future_resolve(f, NULL), UV_EALREADY);
    return nap->code;
}

static int at_once_main(void *arg) {
    (void)arg;
    static const uva_awaitable_ops_t ready = {.start = start_over,
                                              .drop = prompt_drop};
    nap_t nap = nap_of("n", 0);
    void *value = NULL;
    ck_assert_int_eq(uva_await(uva_awaitable(&ready, &nap), &value), 0);
    ck_assert_ptr_eq(value, nap.text);
    uva_future_t *f = uva_start(uva_awaitable(&ready, &nap));
    ck_assert(uva_is_done(f));
    uva_future_t *both[] = {f, uva_awaitable(&ready, &nap)};
    void *values[2] = {NULL, NULL};
    ck_assert_int_eq(uva_gather(both, 2, values), 0);
    ck_assert_ptr_eq(values[1], nap.text);
    nap.code = UV_EIO; /* comes too late */
    ck_assert_int_eq(uva_await(uva_awaitable(&ready, &nap), NULL), 0);
    ck_expect_record("n+ n- n+ n+ n- n- n+ n-");
    return 0;
}

START_TEST(awaitable_may_be_over_when_it_has_begun) {
    program_expect(at_once_main);
}
END_TEST

static int failing_main(void *arg) {
    (void)arg;
    nap_t nap = nap_of("n", 0);
    nap.code = UV_EMFILE;
    ck_assert_int_eq(uva_await(uva_awaitable(&prompt_ops, &nap), NULL),
                     UV_EMFILE);
    uva_future_t *f = uva_start(uva_awaitable(&prompt_ops, &nap));
    ck_assert_int_eq(uva_status(f), UV_EMFILE);
    ck_assert_int_eq(uva_future_resolve(f, NULL), UV_EALREADY);
    uva_unref(f);
    uva_future_t *both[] = {uva_awaitable(&prompt_ops, &nap),
                            worker_coroutine("never", 10, 0)};
    ck_assert_int_eq(uva_gather(both, 2, NULL), UV_EMFILE);
    ck_expect_record("n+ n- n+ n- n+ n-");
    return 0;
}

START_TEST(awaitable_that_cannot_begin_has_failed) {
    program_expect(failing_main);
}
END_TEST

/* Whoever begins it may be asked to end meanwhile; the object is asked when it
 * has begun, and not if that failed. */
static int start_and_cancel(void *self, uva_future_t *f) {
    (void)prompt_start(self, f);
    ck_assert(uva_cancel_with(f, "in the middle"));
    record("begun");
    nap_t *nap = self;
    int code = nap->code;
    nap->code = UV_ECANCELED;
    return code;
}

static int middle_main(void *arg) {
    (void)arg;
    static const uva_awaitable_ops_t asked = {.start = start_and_cancel,
                                              .cancel = prompt_cancel};
    static const uva_awaitable_ops_t unasked = {.start = start_and_cancel,
                                                .drop = prompt_drop};
    nap_t nap = nap_of("n", 0);
    ck_assert_int_eq(uva_await(uva_awaitable(&asked, &nap), NULL),
                     UV_ECANCELED);
    ck_assert_str_eq(uva_last_message(), "in the middle");
    ck_expect_record("n+ begun n!");
    nap.code = UV_EIO;
    ck_assert_int_eq(uva_await(uva_awaitable(&asked, &nap), NULL), UV_EIO);
    ck_assert_ptr_null(uva_last_message());
    ck_expect_record("n+ begun");
    nap.code = 0;
    ck_assert_int_eq(uva_await(uva_awaitable(&unasked, &nap), NULL),
                     UV_ECANCELED);
    ck_expect_record("n+ begun");
    ck_assert_int_eq(uva_future_resolve(nap.f, NULL), UV_EALREADY);
    ck_expect_record("n-");
    nap.code = UV_EIO;
    ck_assert_int_eq(uva_await(uva_awaitable(&unasked, &nap), NULL),
                     UV_ECANCELED);
    ck_expect_record("n+ begun n-");
    return 0;
}

START_TEST(awaitable_cancelled_while_it_begins) {
    program_expect(middle_main);
}
END_TEST

/* ---- among others that end it ------------------------------------------- */

static uva_future_t *neighbour;

static int end_neighbour(void *self, uva_future_t *f) {
    (void)self;
    ck_assert_int_eq(uva_future_resolve(neighbour, "by another"), 0);
    return uva_future_resolve(f, "itself");
}

/* A start may end what its combinator has begun, or is to begin. */
static int neighbours_main(void *arg) {
    (void)arg;
    static const uva_awaitable_ops_t meddling = {.start = end_neighbour};
    nap_t nap = nap_of("n", 0);
    for (size_t i = 0; i < 2; i++) {
        uva_future_t *both[2];
        const char *texts[2] = {NULL, NULL};
        both[i] = neighbour = uva_awaitable(&prompt_ops, &nap);
        both[1 - i] = uva_awaitable(&meddling, NULL);
        ck_assert_int_eq(uva_gather(both, 2, texts), 0);
        ck_assert_str_eq(texts[i], "by another");
        ck_assert_str_eq(texts[1 - i], "itself");
        both[i] = neighbour = uva_awaitable(&prompt_ops, &nap);
        both[1 - i] = uva_awaitable(&meddling, NULL);
        ck_assert_int_eq(uva_wait(both, 2, UVA_ALL_COMPLETED, 0), 2);
        uva_unref(both[0]);
        uva_unref(both[1]);
        both[i] = neighbour = uva_awaitable(&prompt_ops, &nap);
        both[1 - i] = uva_awaitable(&meddling, NULL);
        uva_as_completed_t it;
        uva_future_t *f = NULL;
        ck_assert_int_eq(uva_as_completed_open(&it, both, 2, 100), 0);
        ck_assert_int_eq(uva_as_completed_next(&it, &f), 1);
        ck_assert_int_eq(uva_as_completed_next(&it, &f), 1);
        ck_assert_int_eq(uva_as_completed_next(&it, &f), 0);
        uva_as_completed_close(&it);
        uva_unref(both[0]);
        uva_unref(both[1]);
    }
    ck_expect_record("n+ n- n+ n- n+ n- n- n- n-");
    return 0;
}

START_TEST(awaitable_may_end_its_neighbours) {
    program_expect(neighbours_main);
}
END_TEST

SUITE("awaitable_cancel", awaitable_is_asked_to_end_once,
      awaitable_is_cancelled_by_a_limit,
      awaitable_may_answer_a_cancellation_as_it_likes,
      awaitable_without_cancel_is_over_at_once,
      awaitable_that_nobody_holds_is_freed_by_its_end,
      awaitable_is_cancelled_with_its_waiter,
      awaitable_may_be_over_when_it_has_begun,
      awaitable_that_cannot_begin_has_failed,
      awaitable_cancelled_while_it_begins, awaitable_may_end_its_neighbours)
