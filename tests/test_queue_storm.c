/* labels: valgrind; timeout: 60 */
/* Queues: nothing is lost, doubled or overtaken under a storm of cancellations
 * and limits; against a plain model; when memory runs out. */
#include "queue_fixture.h"
#include "sync_fixture.h"

/* ---- conservation ------------------------------------------------------- */

enum { ROUNDS = 15000 };

/* What became of an item, by its maker and number. */
enum { UNUSED = 0, OFFERED, REFUSED, GOT };

typedef struct made {
    size_t maker;
    size_t number;
} made_t;

static made_t (*made)[ROUNDS];
static unsigned char (*fate)[ROUNDS];
static size_t offered[STORMERS];
static size_t last_got[STORMERS][STORMERS]; /* by taker and maker; + 1 */
static size_t tasks_begun;
static size_t put_count;
static size_t got_count;
static kind_t storm_kind;

static void offer(size_t me) {
    size_t number = offered[me]++;
    made_t *item = &made[me][number];
    *item = (made_t){.maker = me, .number = number};
    fate[me][number] = OFFERED;
    uva_scope_t scope;
    uva_scope_open(&scope, draw(6), 0);
    int code = draw(4) == 0 ? uva_queue_try_put(&queue, item)
                            : uva_queue_put(&queue, item);
    (void)uva_scope_close(&scope);
    if (code == 0) {
        put_count++;
        return;
    }
    must(code == UV_ECANCELED || code == UV_EAGAIN);
    must(fate[me][number] == OFFERED);
    fate[me][number] = REFUSED;
}

static void note_got(size_t me, const made_t *item) {
    got_count++;
    must(fate[item->maker][item->number] == OFFERED);
    fate[item->maker][item->number] = GOT;
    must(storm_kind != FIFO || last_got[me][item->maker] <= item->number);
    last_got[me][item->maker] = item->number + 1;
    must(uva_queue_task_done(&queue) == 0);
}

static void take(size_t me) {
    const made_t *item = NULL;
    uva_scope_t scope;
    uva_scope_open(&scope, draw(6), 0);
    int code = draw(4) == 0 ? uva_queue_try_get(&queue, &item)
                            : uva_queue_get(&queue, &item);
    (void)uva_scope_close(&scope);
    if (code == 0)
        note_got(me, item);
    else
        must(item == NULL && (code == UV_ECANCELED || code == UV_EAGAIN));
}

static int put_and_get(void *arg) {
    (void)arg;
    size_t me = tasks_begun++;
    int rounds = storm_rounds(ROUNDS / 3);
    for (int i = 0; i < rounds; i++) {
        if (draw(2) == 0)
            offer(me);
        else
            take(me);
        storm_on();
    }
    return 0;
}

static int by_number(const void *a, const void *b) {
    const made_t *x = a;
    const made_t *y = b;
    return (x->number > y->number) - (x->number < y->number);
}

/* Everything that was put was got or is left; everybody is done. */
static void expect_conserved(void) {
    uva_queue_statistics_t seen;
    uva_queue_statistics(&queue, &seen);
    ck_assert_uint_eq(put_count, got_count + seen.size);
    ck_assert_uint_eq(seen.unfinished, seen.size);
    ck_assert_uint_eq(seen.getting + seen.putting + seen.joining, 0);
    size_t left = 0;
    const made_t *item;
    for (; uva_queue_try_get(&queue, &item) == 0; left++) {
        ck_assert_int_eq(fate[item->maker][item->number], OFFERED);
        fate[item->maker][item->number] = GOT;
    }
    ck_assert_uint_eq(left, seen.size);
    for (size_t maker = 0; maker < STORMERS; maker++) {
        for (size_t i = 0; i < offered[maker]; i++)
            must(fate[maker][i] == GOT || fate[maker][i] == REFUSED);
    }
    ck_assert_uint_gt(got_count, 1000);
}

static void storm_queue(kind_t kind, size_t capacity, unsigned seed) {
    storm_kind = kind;
    tasks_begun = put_count = got_count = 0;
    memset(offered, 0, sizeof offered);
    memset(last_got, 0, sizeof last_got);
    made = malloc(STORMERS * sizeof *made);
    fate = calloc(STORMERS, sizeof *fate);
    int code = kind == FIFO ? uva_queue_init(&queue, capacity)
               : kind == LIFO
                   ? uva_queue_init_lifo(&queue, capacity)
                   : uva_queue_init_priority(&queue, capacity, by_number);
    ck_assert_int_eq(code, 0);
    storm(put_and_get, seed);
    expect_conserved();
    uva_queue_free(&queue);
    free(made);
    free(fate);
}

START_TEST(queue_conserves_items_in_a_storm) {
    for (unsigned seed = 0; seed < STORM_SEEDS; seed++)
        storm_queue(FIFO, 1 + 2 * seed, seed);
}
END_TEST

START_TEST(queue_without_bound_conserves_items_in_a_storm) {
    for (unsigned seed = 0; seed < STORM_SEEDS; seed++)
        storm_queue(FIFO, 0, seed);
}
END_TEST

START_TEST(queue_lifo_conserves_items_in_a_storm) {
    for (unsigned seed = 0; seed < STORM_SEEDS; seed++)
        storm_queue(LIFO, 3, seed);
}
END_TEST

START_TEST(queue_by_priority_conserves_items_in_a_storm) {
    for (unsigned seed = 0; seed < STORM_SEEDS; seed++)
        storm_queue(PRIORITY, 3, seed);
}
END_TEST

/* ---- many who wait ------------------------------------------------------ */

enum { WAITERS = 20000 };

static size_t turn;

static int get_in_turn(void *arg) {
    void *item;
    must(uva_queue_get(&queue, &item) == 0);
    must(item == arg);
    must((uintptr_t)arg == turn++);
    return 0;
}

static int put_in_turn(void *arg) {
    must(uva_queue_put(&queue, arg) == 0);
    must((uintptr_t)arg == turn++);
    return 0;
}

static int crowd_main(void *arg) {
    size_t count = support_is_slow() ? 1000 : WAITERS;
    uva_group_t group;
    void *item;
    (void)arg;
    ck_assert_int_eq(uva_queue_init(&queue, 1), 0);
    uva_group_open(&group);
    for (uintptr_t i = 0; i < count; i++)
        must(uva_group_spawn(&group, get_in_turn, (void *)i) == 0);
    ck_assert_int_eq(uva_yield(), 0);
    for (uintptr_t i = 0; i < count; i++)
        must(uva_queue_put(&queue, (void *)i) == 0);
    ck_assert_int_eq(uva_group_close(&group), 0);
    ck_assert_uint_eq(turn, count);
    turn = 0;
    ck_assert_int_eq(uva_queue_put(&queue, (void *)(uintptr_t)0), 0);
    uva_group_open(&group);
    for (uintptr_t i = 0; i < count; i++)
        must(uva_group_spawn(&group, put_in_turn, (void *)i) == 0);
    ck_assert_int_eq(uva_yield(), 0);
    for (uintptr_t i = 0; i < count; i++) {
        must(uva_queue_get(&queue, &item) == 0);
        must((uintptr_t)item == (i > 0 ? i - 1 : 0));
    }
    ck_assert_int_eq(uva_group_close(&group), 0);
    ck_assert_uint_eq(turn, count);
    uva_queue_free(&queue);
    return 0;
}

START_TEST(queue_with_many_waiters_keeps_their_order) {
    program_expect(crowd_main);
}
END_TEST

/* ---- against a model ---------------------------------------------------- */

enum { MODEL_ITEMS = 300 };

static made_t model[MODEL_ITEMS];
static size_t model_count;

/* Where the model would take from. */
static size_t model_next(kind_t kind) {
    size_t best = kind == LIFO ? model_count - 1 : 0;
    for (size_t i = 1; kind == PRIORITY && i < model_count; i++) {
        if (model[i].number < model[best].number)
            best = i;
    }
    return best;
}

static void model_take(kind_t kind) {
    const made_t *item;
    size_t at = model_next(kind);
    must(uva_queue_try_get(&queue, &item) == 0);
    must(item->maker == model[at].maker && item->number == model[at].number);
    memmove(&model[at], &model[at + 1], (--model_count - at) * sizeof model[0]);
}

/* Rising and falling, so that the ring turns round and grows at every place of
 * its start; ranks are few, so that many are equal. */
static void compare_with_model(kind_t kind, size_t capacity) {
    static made_t items[20000];
    size_t bound = capacity > 0 ? capacity : MODEL_ITEMS;
    model_count = 0;
    int code = kind == FIFO ? uva_queue_init(&queue, capacity)
               : kind == LIFO
                   ? uva_queue_init_lifo(&queue, capacity)
                   : uva_queue_init_priority(&queue, capacity, by_number);
    ck_assert_int_eq(code, 0);
    for (size_t i = 0; i < sizeof items / sizeof items[0]; i++) {
        bool rising = i / 700 % 2 == 0;
        if (model_count > 0 && draw(4) < (rising ? 1u : 3u))
            model_take(kind);
        items[i] = (made_t){.maker = i, .number = draw(10)};
        if (model_count == bound) {
            must(capacity == 0 ||
                 uva_queue_try_put(&queue, &items[i]) == UV_EAGAIN);
            continue;
        }
        if (draw(2) == 0)
            continue;
        must(uva_queue_try_put(&queue, &items[i]) == 0);
        model[model_count++] = items[i];
        must(uva_queue_size(&queue) == model_count);
    }
    while (model_count > 0)
        model_take(kind);
    ck_assert(uva_queue_is_empty(&queue));
    uva_queue_free(&queue);
}

START_TEST(queue_does_what_a_model_does) {
    const size_t capacities[] = {0, 1, 3, 16, 17, 250};
    for (kind_t kind = FIFO; kind < KINDS; kind++) {
        for (size_t i = 0; i < sizeof capacities / sizeof capacities[0]; i++)
            compare_with_model(kind, capacities[i]);
    }
}
END_TEST

/* ---- memory ------------------------------------------------------------- */

/* A bounded queue has its memory from the start; what cannot be had is refused
 * there, and nothing is left to free. */
START_TEST(queue_allocates_a_small_bound_at_once) {
    for (kind_t kind = FIFO; kind < KINDS; kind++) {
        make(kind, 1024);
        unsigned long before = faults_allocations();
        for (int i = 0; i < 1024; i++)
            ck_assert_int_eq(uva_queue_try_put(&queue, "x"), 0);
        ck_assert_int_eq(uva_queue_try_put(&queue, "x"), UV_EAGAIN);
        ck_assert_uint_eq(faults_allocations(), before);
        uva_queue_free(&queue);
    }
    faults_fail_every(FAULT_MALLOC, 1, UV_ENOMEM);
    ck_assert_int_eq(uva_queue_init(&queue, 1024), UV_ENOMEM);
    ck_assert_int_eq(uva_queue_try_put(&queue, "x"), UV_EPIPE);
    ck_assert_int_eq(uva_queue_init_lifo(&queue, 1), UV_ENOMEM);
    ck_assert_int_eq(uva_queue_init_priority(&queue, 1, by_text), UV_ENOMEM);
    /* Larger ones and those without bound ask later. */
    ck_assert_int_eq(uva_queue_init(&queue, 1025), 0);
    ck_assert_int_eq(uva_queue_try_put(&queue, "x"), UV_ENOMEM);
    uva_queue_free(&queue);
    ck_assert_int_eq(uva_queue_init(&queue, 0), 0);
    ck_assert_int_eq(uva_queue_try_put(&queue, "x"), UV_ENOMEM);
    ck_assert_uint_eq(faults_clear(), 5);
    ck_assert_int_eq(uva_queue_try_put(&queue, "x"), 0);
    uva_queue_free(&queue);
}
END_TEST

/* Each growth fails once: the queue stays as it was, and goes on. */
static int grow_main(void *arg) {
    (void)arg;
    for (kind_t kind = FIFO; kind < KINDS; kind++) {
        char items[200][24];
        unsigned long failures = 0;
        make(kind, 0);
        for (size_t i = 0; i < 200; i++) {
            (void)snprintf(items[i], sizeof items[i], "%03zu", i);
            faults_fail(FAULT_MALLOC, 1);
            int code = uva_queue_put(&queue, items[i]);
            unsigned long hit = faults_clear();
            failures += hit;
            ck_assert_int_eq(code, hit > 0 ? UV_ENOMEM : 0);
            ck_assert_uint_eq(uva_queue_size(&queue), i + (hit == 0));
            if (code < 0)
                ck_assert_int_eq(uva_queue_try_put(&queue, items[i]), 0);
        }
        ck_assert_uint_eq(failures, 5); /* 16, 32, 64, 128, 256 places */
        for (size_t i = 0; i < 200; i++) {
            const char *item;
            ck_assert_int_eq(uva_queue_get(&queue, &item), 0);
            ck_assert_str_eq(item, items[kind == LIFO ? 199 - i : i]);
            ck_assert_int_eq(uva_queue_task_done(&queue), 0);
        }
        ck_assert_int_eq(uva_queue_task_done(&queue), UV_ERANGE);
        uva_queue_free(&queue);
    }
    return 0;
}

START_TEST(queue_that_cannot_grow_stays_as_it_was) {
    program_expect(grow_main);
}
END_TEST

/* A getter needs no place, a putter's place exists: neither allocates. */
static int waiters_main(void *arg) {
    (void)arg;
    make(FIFO, 0);
    uva_task_t *getter = parked(get, "g");
    faults_fail_every(FAULT_MALLOC, 1, UV_ENOMEM);
    ck_assert_int_eq(uva_queue_put(&queue, "a"), 0);
    ck_assert_uint_eq(faults_clear(), 0);
    ck_assert_int_eq(uva_await(getter, NULL), 0);
    uva_queue_free(&queue);
    make(FIFO, 2000);
    for (int i = 0; i < 2000; i++)
        ck_assert_int_eq(uva_queue_try_put(&queue, "x"), 0);
    uva_task_t *putter = parked(put, "b");
    faults_fail_every(FAULT_MALLOC, 1, UV_ENOMEM);
    ck_assert_int_eq(get("m"), 0);
    ck_assert_uint_eq(faults_clear(), 0);
    ck_assert_int_eq(uva_await(putter, NULL), 0);
    ck_assert_uint_eq(uva_queue_size(&queue), 2000);
    uva_queue_free(&queue);
    return 0;
}

START_TEST(queue_hands_over_without_memory) {
    program_expect(waiters_main);
    ck_expect_record("g=a m=x b:0");
}
END_TEST

SUITE("queue_storm", queue_conserves_items_in_a_storm,
      queue_without_bound_conserves_items_in_a_storm,
      queue_lifo_conserves_items_in_a_storm,
      queue_by_priority_conserves_items_in_a_storm,
      queue_with_many_waiters_keeps_their_order, queue_does_what_a_model_does,
      queue_allocates_a_small_bound_at_once,
      queue_that_cannot_grow_stays_as_it_was, queue_hands_over_without_memory)
