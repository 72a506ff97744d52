/* labels: valgrind */
/* What a user notices where two rules meet: deadlines that pass one after the
 * other, requests taken back in mid-block, and codes of the user's own. */
#include "support/program.h"

/* ---- cuts that belong to somebody further out --------------------------- */

static int cancel_me(void *arg) {
    (void)uva_sleep(15);
    (void)uva_cancel(arg);
    return 0;
}

/* The inner deadline cuts; before its block is left, something further out is
 * cancelled as well, and has to answer for it: nothing else would. */
static int handed_out_main(void *arg) {
    (void)arg;
    uva_scope_t outer;
    uva_scope_t inner;
    uva_scope_open(&outer, 20, 0);
    uva_scope_open(&inner, 10, 0);
    ck_assert_int_eq(uva_sleep(100), UV_ECANCELED);
    ck_assert_int_eq(uva_clock_advance(50), 0);
    ck_assert_int_eq(uva_scope_close(&inner), UV_ECANCELED);
    ck_assert_int_eq(uva_scope_close(&outer), UV_ETIMEDOUT);

    uva_scope_t clean_up;
    uva_scope_open(&outer, 20, 0);
    uva_scope_open(&inner, 10, 0);
    ck_assert_int_eq(uva_sleep(100), UV_ECANCELED);
    uva_scope_open(&clean_up, UVA_FOREVER, UVA_SCOPE_SHIELD);
    ck_assert_int_eq(uva_sleep(30), 0);
    ck_assert_int_eq(uva_scope_close(&clean_up), 0);
    ck_assert_int_eq(uva_scope_close(&inner), UV_ECANCELED);
    ck_assert_int_eq(uva_scope_close(&outer), UV_ETIMEDOUT);
    return uva_yield();
}

START_TEST(acceptance_inner_cut_is_handed_out) {
    CONFORMS("K-079");
    program_expect(handed_out_main);
}
END_TEST

/* The same with the task's own cancel: the scope between is cut, too. */
static int cancelled_later(void *arg) {
    (void)arg;
    uva_scope_t outer;
    uva_scope_t inner;
    uva_scope_open(&outer, 500, 0);
    uva_scope_open(&inner, 10, 0);
    ck_assert_int_eq(uva_sleep(100), UV_ECANCELED);
    uva_scope_t clean_up;
    uva_scope_open(&clean_up, UVA_FOREVER, UVA_SCOPE_SHIELD);
    ck_assert_int_eq(uva_sleep(30), 0);
    ck_assert_int_eq(uva_scope_close(&clean_up), 0);
    int codes[2] = {uva_scope_close(&inner), uva_scope_close(&outer)};
    record("%s %s", uv_err_name(codes[0]), uv_err_name(codes[1]));
    return codes[1];
}

static int cancelled_later_main(void *arg) {
    (void)arg;
    uva_task_t *task = uva_spawn(cancelled_later, NULL);
    uva_future_t *both[] = {uva_spawn(cancel_me, task), task};
    int codes[2];
    ck_assert_int_eq(uva_gather_settled(both, 2, NULL, codes), 0);
    ck_assert_int_eq(codes[1], UV_ECANCELED);
    return 0;
}

START_TEST(acceptance_cancel_after_a_deadline_wins) {
    CONFORMS("K-078");
    program_expect(cancelled_later_main);
    ck_expect_record("ECANCELED ECANCELED");
}
END_TEST

/* | main                       | child          |
 * | scope of 20, wait_for of 10| sleep          |
 * | 10: limit                  | cut, lingers   |
 * | 20: deadline               | ...            |
 * | 50: returns                | ends           |
 */
static int limit_then_deadline_main(void *arg) {
    (void)arg;
    uva_scope_t scope;
    uva_scope_open(&scope, 20, 0);
    uva_task_t *child = spawn_lingerer("child", 100, 40);
    ck_assert_int_eq(uva_wait_for(child, 10, NULL), UV_ECANCELED);
    ck_assert_uint_eq(uva_now_ms(), 50);
    ck_assert_int_eq(uva_scope_close(&scope), UV_ETIMEDOUT);
    ck_assert_int_eq(uva_cancelling(uva_current()), 0);
    return uva_yield();
}

START_TEST(acceptance_limit_then_deadline) {
    CONFORMS("K-070");
    program_expect(limit_then_deadline_main);
    ck_expect_record("child! child~");
}
END_TEST

/* ---- requests taken back ------------------------------------------------ */

/* The park was cut and the scope says so; then everything works again. */
static int forgiven(void *arg) {
    (void)arg;
    uva_scope_t scope;
    uva_scope_open(&scope, 100, 0);
    ck_assert_int_eq(uva_sleep(50), UV_ECANCELED);
    ck_assert_str_eq(uva_cancel_reason(), "a moment");
    ck_assert_int_eq(uva_uncancel(uva_current()), 0);
    ck_assert_ptr_null(uva_cancel_reason());
    ck_assert_int_eq(uva_sleep(10), 0);
    ck_assert_int_eq(uva_scope_close(&scope), UV_ECANCELED);
    return uva_yield();
}

/* Taken back before the deadline of the block: the deadline still cuts. */
static int forgiven_in_vain(void *arg) {
    (void)arg;
    uva_scope_t scope;
    uva_scope_open(&scope, 10, 0);
    ck_assert_int_eq(uva_sleep(50), UV_ECANCELED);
    (void)uva_cancel(uva_current());
    ck_assert_int_eq(uva_uncancel(uva_current()), 0);
    ck_assert_int_eq(uva_sleep(1), UV_ECANCELED);
    ck_assert_int_eq(uva_scope_close(&scope), UV_ETIMEDOUT);
    return uva_yield();
}

static int forgiven_main(void *arg) {
    (void)arg;
    uva_task_t *task = uva_spawn(forgiven, NULL);
    (void)uva_yield();
    ck_assert(uva_cancel_with(task, "a moment"));
    ck_assert_int_eq(uva_await(task, NULL), 0);
    return uva_await(uva_spawn(forgiven_in_vain, NULL), NULL);
}

START_TEST(acceptance_request_taken_back_inside_a_scope) {
    CONFORMS("K-035", "K-036");
    program_expect(forgiven_main);
}
END_TEST

/* ---- calls that need not wait ------------------------------------------- */

static int give(void *arg) {
    return uva_return(arg);
}

static int never(void *arg) {
    (void)arg;
    record("ran");
    return 0;
}

static void need_no_wait(uva_future_t *done, void *value) {
    void *got[2] = {NULL, NULL};
    uva_future_t *futures[] = {uva_ref(done), uva_ref(done)};
    ck_assert_int_eq(uva_gather(futures, 2, got), 0);
    ck_assert_ptr_eq(got[1], value);
    ck_assert_int_eq(uva_await(uva_ref(done), got), 0);
    ck_assert_int_eq(uva_wait_for(uva_ref(done), 0, got), 0);
    ck_assert_int_eq(uva_wait(&done, 1, UVA_ALL_COMPLETED, UVA_FOREVER), 1);
    futures[0] = uva_ref(done);
    ck_assert_int_eq(uva_race(futures, 1, NULL, NULL), 0);
    ck_assert_int_eq(uva_await(uva_shield(uva_ref(done)), NULL), 0);
    ck_assert_int_eq(uva_await(uva_coroutine(give, &value, sizeof value), NULL),
                     0);
    ck_assert_int_eq(uva_map(never, NULL, 0, 1, 1), 0);
}

static void must_wait(void) {
    uva_stream_t *stream = NULL;
    ck_assert_int_eq(uva_sleep(0), UV_ECANCELED);
    ck_assert_int_eq(uva_await(uva_spawn(never, NULL), NULL), UV_ECANCELED);
    ck_assert_int_eq(uva_map(never, &stream, 1, 1, 1), UV_ECANCELED);
    ck_assert_int_eq(uva_to_thread(never, NULL), UV_ECANCELED);
    ck_assert_int_eq(uva_wait_all_blocked(), UV_ECANCELED);
    ck_assert_int_eq(uva_tcp_connect("127.0.0.1", 1, &stream), UV_ECANCELED);
    ck_assert_ptr_null(stream);
}

/* Everything that is there already is had without a look at the request. */
static int cancelled_main(void *arg) {
    (void)arg;
    int value = 0;
    uva_future_t *done = uva_spawn(give, &value);
    (void)uva_yield();
    uva_semaphore_t semaphore = UVA_SEMAPHORE_INIT(1);
    ck_assert(uva_cancel(uva_current()));
    need_no_wait(done, &value);
    ck_assert_int_eq(uva_semaphore_acquire(&semaphore), 0);
    must_wait();
    ck_assert_int_eq(uva_semaphore_acquire(&semaphore), UV_ECANCELED);
    ck_assert_int_eq(uva_uncancel(uva_current()), 0);
    uva_unref(done);
    return uva_yield();
}

START_TEST(acceptance_cancelled_task_has_what_is_there) {
    CONFORMS("K-009", "K-052");
    program_expect(cancelled_main);
    ck_expect_record("");
}
END_TEST

/* ---- codes of the user's own -------------------------------------------- */

enum { OWN = -70001 };

static int fail_own(void *arg) {
    (void)arg;
    (void)uva_sleep(1);
    return OWN;
}

static int fail_at_once(void *arg) {
    (void)arg;
    return OWN;
}

static int own_main(void *arg) {
    (void)arg;
    char item = 0;
    int code = 0;
    uva_future_t *two[] = {uva_spawn(fail_own, NULL),
                           uva_spawn(fail_own, NULL)};
    ck_assert_int_eq(uva_gather(two, 2, NULL), OWN);
    uva_future_t *one = uva_spawn(fail_own, NULL);
    ck_assert_int_eq(uva_race(&one, 1, NULL, NULL), OWN);
    one = uva_spawn(fail_own, NULL);
    ck_assert_int_eq(uva_gather_settled(&one, 1, NULL, &code), 0);
    ck_assert_int_eq(code, OWN);
    ck_assert_int_eq(uva_wait_for(uva_spawn(fail_own, NULL), 9, NULL), OWN);
    ck_assert_int_eq(uva_await(uva_shield(uva_spawn(fail_own, NULL)), NULL),
                     OWN);
    ck_assert_int_eq(uva_await(uva_coroutine(fail_own, NULL, 0), NULL), OWN);
    ck_assert_int_eq(uva_map(fail_own, &item, 1, 1, 1), OWN);
    ck_assert_int_eq(uva_to_thread(fail_at_once, NULL), OWN);
    uva_group_t group;
    uva_group_open(&group);
    ck_assert_int_eq(uva_group_spawn(&group, fail_own, NULL), 0);
    ck_assert_int_eq(uva_group_close(&group), OWN);
    uva_future_t *f = uva_future_new();
    ck_assert_int_eq(uva_future_fail(f, OWN, NULL), 0);
    ck_assert_int_eq(uva_await(f, NULL), OWN);
    return OWN;
}

START_TEST(acceptance_own_codes_pass_everywhere) {
    CONFORMS("K-014");
    ck_assert_int_eq(program_run(own_main, NULL), OWN);
    ck_assert_str_eq(support_reports(), "");
}
END_TEST

/* ---- who waits how long ------------------------------------------------- */

/* A loser that lingers is waited for; what is done beats what comes first. */
static int race_main(void *arg) {
    (void)arg;
    size_t index = 9;
    char *name = NULL;
    uva_future_t *futures[] = {spawn_worker("a", 20, 0),
                               spawn_lingerer("b", 50, 9),
                               spawn_worker("c", 10, UV_EIO)};
    ck_assert_int_eq(uva_race(futures, 3, &index, &name), 0);
    ck_assert_uint_eq(index, 0);
    ck_assert_str_eq(name, "a");
    ck_assert_uint_eq(uva_now_ms(), 29);

    futures[0] = spawn_worker("d", 20, 0);
    futures[1] = spawn_worker("e", 0, 0);
    (void)uva_wait(&futures[1], 1, UVA_ALL_COMPLETED, UVA_FOREVER);
    ck_assert_int_eq(uva_race(futures, 2, &index, &name), 0);
    ck_assert_uint_eq(index, 1);
    ck_assert_uint_eq(uva_now_ms(), 29);
    return 0;
}

START_TEST(acceptance_race_waits_for_its_losers) {
    program_expect(race_main);
    ck_expect_record("c a b! b~ e d!");
}
END_TEST

typedef struct item {
    int *started;
    uint64_t ms;
} item_t;

static int take_time(void *arg) {
    const item_t *item = arg;
    (*item->started)++;
    return uva_sleep(item->ms);
}

/* Three at once of ten that take 10 each, cut at 25: nine have begun. */
static int map_main(void *arg) {
    (void)arg;
    int started = 0;
    item_t items[10];
    for (size_t i = 0; i < 10; i++)
        items[i] = (item_t){&started, 10};
    uva_scope_t scope;
    uva_scope_open(&scope, 25, 0);
    ck_assert_int_eq(uva_map(take_time, items, 10, sizeof items[0], 3),
                     UV_ECANCELED);
    ck_assert_int_eq(uva_scope_close(&scope), UV_ETIMEDOUT);
    ck_assert_int_eq(started, 9);
    ck_assert_uint_eq(uva_now_ms(), 25);
    ck_assert_int_eq(uva_map(take_time, items, 10, sizeof items[0], SIZE_MAX),
                     0);
    ck_assert_uint_eq(uva_now_ms(), 35);
    return 0;
}

START_TEST(acceptance_map_under_a_deadline) {
    program_expect(map_main);
}
END_TEST

/* ---- reports ------------------------------------------------------------ */

static int wait_in_map(void *arg) {
    (void)arg;
    return uva_sleep(UVA_FOREVER);
}

static int map_for_ever(void *arg) {
    char item = 0;
    (void)arg;
    return uva_map(wait_in_map, &item, 1, 1, 1);
}

static int forgotten_main(void *arg) {
    (void)arg;
    uva_detach(uva_spawn(map_for_ever, NULL));
    (void)uva_sleep(1);
    return 0;
}

/* What the library spawned is named by the call, not by a place inside it. */
START_TEST(acceptance_report_names_no_place_of_the_library) {
    ck_assert_int_eq(program_run(forgotten_main, NULL), 0);
    ck_assert(support_reports_contain("map_for_ever"));
    ck_assert(support_reports_contain("(spawned at uva_map())"));
    ck_assert(!support_reports_contain("map.c:"));
}
END_TEST

/* ---- hosts -------------------------------------------------------------- */

static int wait_long(void *arg) {
    (void)arg;
    return uva_sleep(100000);
}

/* A host that attaches, works and detaches in every phase, without leaks. */
START_TEST(acceptance_host_attaches_again_and_again) {
    uva_options_t options = {.report = support_report};
    uv_loop_t loop;
    ck_assert_int_eq(uv_loop_init(&loop), 0);
    for (int i = 0; i < 200; i++) {
        uva_runtime_t *runtime = NULL;
        ck_assert_int_eq(uva_runtime_attach(&loop, &options, &runtime), 0);
        uva_task_t *task = uva_spawn_on(runtime, wait_long, NULL);
        if (i % 3 == 0)
            uva_detach(uva_ref(task));
        for (int turns = 0; turns < i % 4; turns++)
            ck_assert_int_ne(uv_run(&loop, UV_RUN_NOWAIT), 0);
        ck_assert_int_eq(uva_runtime_detach(runtime, NULL, NULL), 0);
        ck_assert_int_eq(uv_run(&loop, UV_RUN_DEFAULT), 0);
        ck_assert_int_eq(uva_status(task), UV_ECANCELED);
        uva_unref(task);
    }
    ck_assert_uint_eq(support_report_count(), 200);
    ck_assert_int_eq(uv_loop_close(&loop), 0);
}
END_TEST

SUITE("acceptance", acceptance_inner_cut_is_handed_out,
      acceptance_cancel_after_a_deadline_wins, acceptance_limit_then_deadline,
      acceptance_request_taken_back_inside_a_scope,
      acceptance_cancelled_task_has_what_is_there,
      acceptance_own_codes_pass_everywhere,
      acceptance_race_waits_for_its_losers, acceptance_map_under_a_deadline,
      acceptance_report_names_no_place_of_the_library,
      acceptance_host_attaches_again_and_again)
