/* uva_staggered_race(): attempts begin one after the other, one wins. */
#include "support/program.h"

/* An attempt of the race: it takes ms, then ends with code. */
typedef struct try {
    uint64_t ms;
    int code;
    uint64_t linger_ms; /* cut: takes so long to end */
    bool connected;     /* what it leaves in its item */
}
try_t;

static int attempt(void *arg) {
    try_t *self = arg;
    record("+%d", (int)uva_now_ms());
    int code = uva_sleep(self->ms);
    if (code < 0 && self->linger_ms > 0) {
        uva_scope_t shield;
        uva_scope_open(&shield, UVA_FOREVER, UVA_SCOPE_SHIELD);
        ck_assert_int_eq(uva_sleep(self->linger_ms), 0);
        (void)uva_scope_close(&shield);
    }
    record("%d-%d", (int)self->ms, (int)uva_now_ms());
    if (code < 0)
        return code;
    if (self->code < 0)
        return uva_fail(self->code, "after %d", (int)self->ms);
    self->connected = true;
    (void)uva_return(self);
    return self->code;
}

enum { MOST = 4 };

/* One race and what is expected of it. */
typedef struct race {
    try_t tries[MOST];
    size_t count;
    uint64_t delay_ms;
    int code; /* of the call */
    size_t index;
    uint64_t end_ms;
    int codes[MOST];
    const char *message;
} race_t;

static int race_main(void *arg) {
    race_t *race = arg;
    size_t index = 99;
    try_t *value = NULL;
    int codes[MOST] = {1, 1, 1, 1};
    ck_assert_int_eq(uva_staggered_race(attempt, race->tries, race->count,
                                        sizeof(try_t), race->delay_ms, &index,
                                        &value, codes),
                     race->code);
    ck_assert_uint_eq(uva_now_ms(), race->end_ms);
    ck_assert_uint_eq(index, race->code < 0 ? 99 : race->index);
    ck_assert_ptr_eq(value, race->code < 0 ? NULL : &race->tries[race->index]);
    for (size_t i = 0; i < race->count; i++)
        ck_assert_int_eq(codes[i], race->codes[i]);
    if (race->message == NULL)
        ck_assert_ptr_null(uva_last_message());
    else
        ck_assert_str_eq(uva_last_message(), race->message);
    return uva_sleep(1000);
}

static void run_race(race_t *race) {
    ck_assert_int_eq(program_run(race_main, race), 0);
    ck_assert_str_eq(support_reports(), "");
}

/* Two that hang, one that answers in 200 ms: 0.25 + 0.25 + 0.2 s. */
START_TEST(staggered_race_exact_times) {
    CONFORMS("K-249", "K-250");
    run_race(&(race_t){
        .tries = {{5000, 0, 0, 0}, {5000, 0, 40, 0}, {200, 7, 0, 0}, {0}},
        .count = 4,
        .delay_ms = 250,
        .code = 7,
        .index = 2,
        .end_ms = 740,
        .codes = {UV_ECANCELED, UV_ECANCELED, 7, UV_EAGAIN}});
    ck_expect_record("+0 +250 +500 200-700 5000-700 5000-740");
}
END_TEST

/* The first one is fast enough: nothing else begins. */
START_TEST(staggered_race_won_by_the_first) {
    CONFORMS("K-250");
    run_race(&(race_t){.tries = {{100, 0, 0, 0}, {1, 0, 0, 0}},
                       .count = 2,
                       .delay_ms = 250,
                       .end_ms = 100,
                       .codes = {0, UV_EAGAIN}});
    ck_expect_record("+0 100-100");
}
END_TEST

/* A failure brings the next one forward, but not that of an older one. */
START_TEST(staggered_race_failure_starts_the_next) {
    CONFORMS("K-251");
    run_race(&(race_t){.tries = {{300, -5, 0, 0},
                                 {900, 0, 0, 0},
                                 {20, -6, 0, 0},
                                 {30, 0, 0, 0}},
                       .count = 4,
                       .delay_ms = 250,
                       .index = 3,
                       .end_ms = 550,
                       .codes = {-5, UV_ECANCELED, -6, 0}});
    ck_expect_record("+0 +250 300-300 +500 20-520 +520 30-550 900-550");
}
END_TEST

START_TEST(staggered_race_without_a_delay) {
    CONFORMS("K-251");
    run_race(&(race_t){.tries = {{300, -5, 0, 0},
                                 {900, -6, 0, 0},
                                 {20, 3, 0, 0},
                                 {1, 0, 0, 0}},
                       .count = 4,
                       .delay_ms = UVA_FOREVER,
                       .code = 3,
                       .index = 2,
                       .end_ms = 1220,
                       .codes = {-5, -6, 3, UV_EAGAIN}});
    ck_expect_record("+0 300-300 +300 900-1200 +1200 20-1220");
}
END_TEST

START_TEST(staggered_race_of_no_delay) {
    run_race(&(race_t){.tries = {{30, 0, 0, 0}, {10, 0, 0, 0}, {20, -1, 0, 0}},
                       .count = 3,
                       .index = 1,
                       .end_ms = 10,
                       .codes = {UV_ECANCELED, 0, UV_ECANCELED}});
    ck_expect_record("+0 +0 +0 10-10 30-10 20-10");
}
END_TEST

/* The code and the message are those of the last to fail. */
START_TEST(staggered_race_lost_by_all) {
    CONFORMS("K-252");
    run_race(
        &(race_t){.tries = {{900, -5, 0, 0}, {10, -6, 0, 0}, {10, -7, 0, 0}},
                  .count = 3,
                  .delay_ms = 100,
                  .code = -5,
                  .end_ms = 900,
                  .codes = {-5, -6, -7},
                  .message = "after 900"});
    ck_expect_record("+0 +100 10-110 +110 10-120 900-900");
}
END_TEST

/* Both succeed at the same moment: the first wins, the other's code says that
 * there is something to give up. */
START_TEST(staggered_race_two_successes) {
    race_t race = {.tries = {{100, 1, 0, 0}, {50, 2, 0, 0}},
                   .count = 2,
                   .delay_ms = 50,
                   .code = 1,
                   .end_ms = 100,
                   .codes = {1, 2}};
    run_race(&race);
    ck_assert(race.tries[1].connected);
    ck_expect_record("+0 +50 100-100 50-100");
}
END_TEST

/* ---- cancelled ---------------------------------------------------------- */

static int codes_of_cancelled[MOST];

static int long_race(void *arg) {
    (void)arg;
    try_t tries[3] = {{500, 0, 0, 0}, {500, -3, 30, 0}, {500, 0, 0, 0}};
    return uva_staggered_race(attempt, tries, 3, sizeof(try_t), 20, NULL, NULL,
                              codes_of_cancelled);
}

static int cancelled_main(void *ms) {
    uva_scope_t scope;
    uva_scope_open(&scope, (uint64_t)(uintptr_t)ms, 0);
    ck_assert_int_eq(long_race(NULL), UV_ECANCELED);
    ck_assert_int_eq(uva_scope_close(&scope), UV_ETIMEDOUT);
    return uva_sleep(1);
}

/* While the body waits for the delay, and while it waits for the end. */
START_TEST(staggered_race_cancelled) {
    ck_assert_int_eq(program_run(cancelled_main, (void *)30), 0);
    ck_expect_record("+0 +20 500-30 500-60");
    ck_assert_int_eq(codes_of_cancelled[0], UV_ECANCELED);
    ck_assert_int_eq(codes_of_cancelled[1], UV_ECANCELED);
    ck_assert_int_eq(codes_of_cancelled[2], UV_EAGAIN);
    ck_assert_int_eq(program_run(cancelled_main, (void *)100), 0);
    ck_expect_record("+0 +20 +40 500-100 500-100 500-130");
    ck_assert_int_eq(program_run(cancelled_main, NULL), 0);
    ck_expect_record("");
    ck_assert_int_eq(codes_of_cancelled[0], UV_EAGAIN);
    ck_assert_str_eq(support_reports(), "");
}
END_TEST

/* ---- memory and misuse -------------------------------------------------- */

static int misuse_main(void *arg) {
    (void)arg;
    try_t tries[1] = {{1, 0, 0, 0}};
    int codes[1] = {5};
    size_t index = 7;
    ck_assert_int_eq(uva_staggered_race(NULL, tries, 1, sizeof(try_t), 1,
                                        &index, NULL, codes),
                     UV_EINVAL);
    ck_assert_int_eq(uva_staggered_race(attempt, NULL, 1, sizeof(try_t), 1,
                                        &index, NULL, codes),
                     UV_EINVAL);
    ck_assert_int_eq(uva_staggered_race(attempt, tries, 0, sizeof(try_t), 1,
                                        &index, NULL, codes),
                     UV_EINVAL);
    ck_assert_int_eq(codes[0], 5);
    ck_assert_uint_eq(index, 7);
    return uva_staggered_race(attempt, tries, 1, sizeof(try_t), 1, NULL, NULL,
                              NULL);
}

START_TEST(staggered_race_misuse) {
    CONFORMS("K-252");
    program_expect(misuse_main);
    try_t tries[1] = {{1, 0, 0, 0}};
    ck_assert_int_eq(uva_staggered_race(attempt, tries, 1, sizeof(try_t), 1,
                                        NULL, NULL, NULL),
                     UV_EPERM);
}
END_TEST

/* An attempt without memory is one that failed; the rest goes on. */
static int faults_main(void *arg) {
    (void)arg;
    unsigned failed = 0;
    for (unsigned nth = 1; nth < 40; nth++) {
        try_t tries[] = {{50, -5, 0, 0}, {5, 0, 0, 0}, {10, 0, 0, 0}};
        int codes[3];
        size_t index = 9;
        faults_fail(FAULT_MALLOC, nth);
        int code = uva_staggered_race(attempt, tries, 3, sizeof(try_t), 20,
                                      &index, NULL, codes);
        failed += faults_clear() > 0;
        ck_assert_int_eq(code, 0);
        ck_assert_int_eq(codes[index], 0);
        for (int i = 0; i < 3; i++)
            ck_assert(i == (int)index || codes[i] < 0);
    }
    ck_assert_uint_gt(failed, 0);
    faults_fail_every(FAULT_MALLOC, 1, UV_ENOMEM);
    try_t tries[] = {{1, 0, 0, 0}, {1, 0, 0, 0}};
    int codes[2] = {0};
    int code = uva_staggered_race(attempt, tries, 2, sizeof(try_t), 20, NULL,
                                  NULL, codes);
    (void)faults_clear();
    ck_assert(code == 0 || (code == UV_ENOMEM && codes[1] == UV_ENOMEM));
    return 0;
}

START_TEST(staggered_race_without_memory) {
    program_expect(faults_main);
}
END_TEST

SUITE("staggered_race", staggered_race_exact_times,
      staggered_race_won_by_the_first, staggered_race_failure_starts_the_next,
      staggered_race_without_a_delay, staggered_race_of_no_delay,
      staggered_race_lost_by_all, staggered_race_two_successes,
      staggered_race_cancelled, staggered_race_misuse,
      staggered_race_without_memory)
