/* timeout: 120; alone */
/*
 * What many waiters cost: waking, cancelling and timing out 100,000 of them
 * takes about ten times as long as 10,000, whatever they wait in; and so does
 * a dump. A step for each waiter ahead or behind would take a hundred times.
 *
 * A ratio is tried again before it counts: the machine may be busy. Where
 * everything is slow there are too few to tell a cost from that of a cold
 * cache; there only the outcomes are looked at. So they are in all builds but
 * one, since half a minute for each would tell nothing new.
 */
#include <string.h>

#include "support/program.h"

/* Ten times as many take ten times as long, and more for the caches' sake. */
enum {
    MOST_WAITERS = 100000,
    SLOW_WAITERS = 2000,
    TIMES = 10,
    MOST_RATIO = 60,
    TRIES = 4
};

#if defined(__OPTIMIZE__) && !defined(__clang__)
static const bool is_measured = true;
#else
static const bool is_measured = false;
#endif

/* Nobody has been let in by the time the last one gives up. */
enum { SHORTEST_MS = 1000, LONGEST_MS = 2000, TOKEN_MS = 1000000 };
/* Goes round the queue, to cancel anywhere in it. */
enum { PRIME = 7919 };

static struct {
    uva_semaphore_t semaphore;
    uva_capacity_limiter_t capacity;
    uva_rate_limiter_t rate;
    uva_lock_t lock;
    uva_rwlock_t rwlock;
    uva_condition_t condition;
    uva_event_t event;
    uva_barrier_t barrier;
    uva_once_t once;
    uva_wait_group_t group;
    uva_queue_t queue;
    uva_channel_t channel;
    uva_channel_t quiet;
    uva_future_t *future;
    uva_broadcast_t broadcast;
    uva_watch_t watch;
    uva_thread_event_t thread_event;
    uva_thread_channel_t thread_channel;
} on;

/* ---- how to wait, and how to end all the waits -------------------------- */

static int hold_semaphore(void *arg) {
    (void)arg;
    return uva_semaphore_acquire(&on.semaphore);
}
static void release_semaphore(size_t count) {
    while (count-- > 0)
        (void)uva_semaphore_release(&on.semaphore);
}

static int hold_capacity(void *arg) {
    (void)arg;
    return uva_capacity_limiter_acquire(&on.capacity);
}
static void raise_capacity(size_t count) {
    (void)uva_capacity_limiter_set_total(&on.capacity, count);
}

static int take_tokens(void *arg) {
    (void)arg;
    return uva_rate_limiter_acquire(&on.rate, 1);
}
static void let_time_pass(size_t count) {
    (void)uva_clock_advance(count * TOKEN_MS);
}

/* From here on each passes it on itself. */
static int hold_lock(void *arg) {
    (void)arg;
    int code = uva_lock_acquire(&on.lock);
    return code == 0 ? uva_lock_release(&on.lock) : code;
}
static void take_lock(size_t count) {
    (void)count;
    (void)uva_lock_acquire(&on.lock);
}
static void release_lock(size_t count) {
    (void)count;
    (void)uva_lock_release(&on.lock);
}

static int read_locked(void *arg) {
    (void)arg;
    int code = uva_rwlock_acquire_read(&on.rwlock);
    return code == 0 ? uva_rwlock_release_read(&on.rwlock) : code;
}
static int write_locked(void *arg) {
    (void)arg;
    int code = uva_rwlock_acquire_write(&on.rwlock);
    return code == 0 ? uva_rwlock_release_write(&on.rwlock) : code;
}
static void take_rwlock(size_t count) {
    (void)count;
    (void)uva_rwlock_acquire_write(&on.rwlock);
}
static void release_rwlock(size_t count) {
    (void)count;
    (void)uva_rwlock_release_write(&on.rwlock);
}

static int wait_in_condition(void *arg) {
    (void)arg;
    (void)uva_lock_acquire(&on.lock);
    int code = uva_condition_wait(&on.condition, &on.lock);
    (void)uva_lock_release(&on.lock);
    return code;
}
static void notify(size_t count) {
    (void)uva_lock_acquire(&on.lock);
    (void)uva_condition_notify(&on.condition, count);
    (void)uva_lock_release(&on.lock);
}

static int wait_for_event(void *arg) {
    (void)arg;
    return uva_event_wait(&on.event);
}
static void set_event(size_t count) {
    (void)count;
    uva_event_set(&on.event);
}

static int wait_at_barrier(void *arg) {
    (void)arg;
    int code = uva_barrier_wait(&on.barrier);
    return code < 0 ? code : 0;
}
static void make_barrier(size_t count) {
    uva_barrier_init(&on.barrier, count + 1);
}
static void come_last(size_t count) {
    (void)count;
    (void)uva_barrier_wait(&on.barrier);
}

/* The runner waits in the lock, the others for the runner. */
static int run_once(void *arg) {
    return uva_once_run(&on.once, hold_lock, arg);
}

static int wait_for_group(void *arg) {
    (void)arg;
    return uva_wait_group_wait(&on.group);
}
static void add_one(size_t count) {
    (void)count;
    (void)uva_wait_group_add(&on.group, 1);
}
static void done_one(size_t count) {
    (void)count;
    (void)uva_wait_group_done(&on.group);
}

static int get(void *arg) {
    (void)arg;
    void *item;
    return uva_queue_get(&on.queue, &item);
}
static int put(void *arg) {
    return uva_queue_put(&on.queue, arg);
}
static int join(void *arg) {
    (void)arg;
    return uva_queue_join(&on.queue);
}
static void put_one(size_t count) {
    (void)count;
    (void)uva_queue_try_put(&on.queue, NULL);
}
static void put_all(size_t count) {
    while (count-- > 0)
        (void)uva_queue_try_put(&on.queue, NULL);
}
static void get_all(size_t count) {
    void *item;
    while (count-- > 0)
        (void)uva_queue_try_get(&on.queue, &item);
}
static void call_done(size_t count) {
    (void)count;
    (void)uva_queue_task_done(&on.queue);
}

static int receive(void *arg) {
    (void)arg;
    return uva_channel_recv(&on.channel, NULL);
}
static int offer(void *arg) {
    return uva_channel_send(&on.channel, arg);
}
static int choose(void *arg) {
    (void)arg;
    uva_case_t cases[] = {{.kind = UVA_RECV, .on = &on.quiet},
                          {.kind = UVA_FUTURE, .on = on.future},
                          {.kind = UVA_RECV, .on = &on.channel}};
    int index = uva_select(cases, 3, UVA_FOREVER);
    return index == 2 ? 0 : index;
}
static void send_all(size_t count) {
    while (count-- > 0)
        (void)uva_channel_try_send(&on.channel, NULL);
}
static void receive_all(size_t count) {
    while (count-- > 0)
        (void)uva_channel_try_recv(&on.channel, NULL);
}

static int listen_in(void *arg) {
    (void)arg;
    uva_broadcast_receiver_t receiver;
    (void)uva_broadcast_receiver_open(&receiver, &on.broadcast);
    int code = uva_broadcast_recv(&receiver, NULL);
    uva_broadcast_receiver_close(&receiver);
    return code;
}
static void broadcast(size_t count) {
    (void)count;
    (void)uva_broadcast_send(&on.broadcast, NULL);
}

static int look_out(void *arg) {
    (void)arg;
    uint64_t cursor = 0;
    char seen;
    return uva_watch_next(&on.watch, &cursor, &seen);
}
static void change(size_t count) {
    (void)count;
    (void)uva_watch_send(&on.watch, "x");
}

static int wait_for_thread_event(void *arg) {
    (void)arg;
    return uva_thread_event_wait(&on.thread_event);
}
static void set_thread_event(size_t count) {
    (void)count;
    (void)uva_thread_event_set(&on.thread_event);
}

static int receive_from_threads(void *arg) {
    (void)arg;
    return uva_thread_channel_recv(&on.thread_channel, NULL);
}
static int send_like_threads(void *arg) {
    return uva_thread_channel_send(&on.thread_channel, arg);
}
static void fill_thread_channel(size_t count) {
    (void)count;
    (void)uva_thread_channel_try_send(&on.thread_channel, NULL);
}
static void send_to_tasks(size_t count) {
    while (count-- > 0)
        (void)uva_thread_channel_try_send(&on.thread_channel, NULL);
}
static void receive_from_tasks(size_t count) {
    while (count-- > 0)
        (void)uva_thread_channel_try_recv(&on.thread_channel, NULL);
}

/* ---- all of them -------------------------------------------------------- */

typedef struct subject {
    const char *name;
    uva_fn wait;
    void (*prepare)(size_t count); /* before they come; may be NULL */
    void (*end)(size_t count);     /* lets all go */
    bool is_held;                  /* `end` also undoes `prepare` */
} subject_t;

static const subject_t subjects[] = {
    {"semaphore", hold_semaphore, NULL, release_semaphore, false},
    {"capacity limiter", hold_capacity, NULL, raise_capacity, false},
    {"rate limiter", take_tokens, NULL, let_time_pass, false},
    {"lock", hold_lock, take_lock, release_lock, true},
    {"rwlock read", read_locked, take_rwlock, release_rwlock, true},
    {"rwlock write", write_locked, take_rwlock, release_rwlock, true},
    {"condition", wait_in_condition, NULL, notify, false},
    {"event", wait_for_event, NULL, set_event, false},
    {"barrier", wait_at_barrier, make_barrier, come_last, false},
    {"once", run_once, take_lock, release_lock, true},
    {"wait group", wait_for_group, add_one, done_one, false},
    {"queue get", get, NULL, put_all, false},
    {"queue put", put, put_one, get_all, false},
    {"queue join", join, put_one, call_done, false},
    {"channel recv", receive, NULL, send_all, false},
    {"channel send", offer, NULL, receive_all, false},
    {"select", choose, NULL, send_all, false},
    {"broadcast", listen_in, NULL, broadcast, false},
    {"watch", look_out, NULL, change, false},
    {"thread event", wait_for_thread_event, NULL, set_thread_event, false},
    {"thread channel recv", receive_from_threads, NULL, send_to_tasks, false},
    {"thread channel send", send_like_threads, fill_thread_channel,
     receive_from_tasks, false},
};
enum { SUBJECTS = sizeof subjects / sizeof subjects[0] };

static void make(void) {
    memset(&on, 0, sizeof on);
    uva_semaphore_init(&on.semaphore, 0);
    ck_assert_int_eq(uva_rate_limiter_init(&on.rate, 1, TOKEN_MS, 1), 0);
    (void)uva_rate_limiter_try_acquire(&on.rate, 1);
    ck_assert_int_eq(uva_queue_init(&on.queue, 1), 0);
    ck_assert_int_eq(uva_channel_init(&on.channel, 0, 0), 0);
    ck_assert_int_eq(uva_channel_init(&on.quiet, 0, 0), 0);
    on.future = uva_future_new();
    ck_assert_int_eq(uva_broadcast_init(&on.broadcast, 0, 1), 0);
    ck_assert_int_eq(uva_watch_init(&on.watch, 1, NULL), 0);
    ck_assert_int_eq(uva_thread_event_init(&on.thread_event), 0);
    ck_assert_int_eq(uva_thread_channel_init(&on.thread_channel, 0, 1), 0);
}

static void destroy(void) {
    uva_queue_free(&on.queue);
    uva_channel_free(&on.channel);
    uva_channel_free(&on.quiet);
    (void)uva_future_resolve(on.future, NULL);
    uva_unref(on.future);
    uva_broadcast_free(&on.broadcast);
    uva_watch_free(&on.watch);
    uva_thread_event_close(&on.thread_event);
    uva_thread_channel_free(&on.thread_channel);
}

/* ---- what is timed ------------------------------------------------------ */

/* How all waits end, and the code that says so. */
typedef struct way {
    void (*end)(const subject_t *subject, uva_task_t *tasks[], size_t count);
    bool by_time;
    int code;
} way_t;

static const way_t *way;
static const subject_t *subject_now;
static size_t ended_well; /* as `way` says */

static int wait_once(void *arg) {
    uint64_t spread = (uintptr_t)arg % (LONGEST_MS - SHORTEST_MS);
    uva_scope_t scope;
    uva_scope_open(&scope, way->by_time ? SHORTEST_MS + spread : UVA_FOREVER,
                   0);
    int code = subject_now->wait(arg);
    int closed = uva_scope_close(&scope);
    ended_well += (closed < 0 ? closed : code) == way->code;
    return 0;
}

/* How long it takes to end all waits and run everybody to its end. */
static uint64_t time_ending(size_t count) {
    uva_task_t **tasks = calloc(count, sizeof(uva_task_t *));
    ck_assert_ptr_nonnull(tasks);
    make();
    if (subject_now->prepare != NULL)
        subject_now->prepare(count);
    for (size_t i = 0; i < count; i++)
        tasks[i] = uva_spawn(wait_once, (void *)(i * PRIME));
    (void)uva_yield();
    ended_well = 0;
    uint64_t start = uv_hrtime();
    way->end(subject_now, tasks, count);
    for (size_t i = 0; i < count; i++)
        (void)uva_await(tasks[i], NULL);
    uint64_t taken = uv_hrtime() - start;
    if (ended_well != count)
        ck_abort_msg("%s: %zu of %zu", subject_now->name, ended_well, count);
    destroy();
    free(tasks);
    return taken;
}

/* The least of some tries, for many, over the least of some, for few. */
static void expect_linear(const char *name, uint64_t (*time)(size_t count)) {
    if (!is_measured || support_is_slow()) {
        (void)time(SLOW_WAITERS);
        return;
    }
    uint64_t few_ns = UINT64_MAX;
    uint64_t many_ns = UINT64_MAX;
    for (int i = 0; i < TRIES; i++) {
        uint64_t few = time(MOST_WAITERS / TIMES);
        uint64_t many = time(MOST_WAITERS);
        few_ns = few < few_ns ? few : few_ns;
        many_ns = many < many_ns ? many : many_ns;
        if (many_ns / MOST_RATIO < few_ns)
            return;
    }
    ck_abort_msg("%s: %llu us for %d, %llu us for ten times as many", name,
                 (unsigned long long)few_ns / 1000, MOST_WAITERS / TIMES,
                 (unsigned long long)many_ns / 1000);
}

static int all_main(void *arg) {
    way = arg;
    for (size_t i = 0; i < SUBJECTS; i++) {
        subject_now = &subjects[i];
        expect_linear(subject_now->name, time_ending);
    }
    return 0;
}

static void expect_all_linear(const way_t *how) {
    ck_assert_int_eq(program_run(all_main, (void *)(uintptr_t)how), 0);
    ck_assert_str_eq(support_reports(), "");
}

/* ---- the ways ----------------------------------------------------------- */

static void wake(const subject_t *subject, uva_task_t *tasks[], size_t count) {
    (void)tasks;
    subject->end(count);
}

START_TEST(waking_many_is_linear) {
    static const way_t woken = {wake, false, 0};
    expect_all_linear(&woken);
}
END_TEST

static void cancel(const subject_t *subject, uva_task_t *tasks[],
                   size_t count) {
    for (size_t i = 0; i < count; i++)
        (void)uva_cancel(tasks[i * PRIME % count]);
    if (subject->is_held)
        subject->end(0);
}

START_TEST(cancelling_many_is_linear) {
    static const way_t cancelled = {cancel, false, UV_ECANCELED};
    expect_all_linear(&cancelled);
}
END_TEST

static void time_out(const subject_t *subject, uva_task_t *tasks[],
                     size_t count) {
    (void)tasks;
    (void)count;
    (void)uva_clock_advance(LONGEST_MS);
    if (subject->is_held)
        subject->end(0);
}

START_TEST(timing_many_out_is_linear) {
    static const way_t timed_out = {time_out, true, UV_ETIMEDOUT};
    expect_all_linear(&timed_out);
}
END_TEST

/* ---- a dump ------------------------------------------------------------- */

static uint64_t dump_ns;

static void dump(const subject_t *subject, uva_task_t *tasks[], size_t count) {
    (void)tasks;
    FILE *out = fopen("/dev/null", "w");
    ck_assert_ptr_nonnull(out);
    uint64_t start = uv_hrtime();
    uva_dump(uva_runtime_current(), out);
    dump_ns = uv_hrtime() - start;
    ck_assert_int_eq(fclose(out), 0);
    subject->end(count);
}

static uint64_t time_dump(size_t count) {
    (void)time_ending(count);
    return dump_ns;
}

static int dump_main(void *arg) {
    static const way_t dumped = {dump, false, 0};
    (void)arg;
    way = &dumped;
    subject_now = &subjects[0];
    expect_linear("dump", time_dump);
    return 0;
}

START_TEST(dumping_many_is_linear) {
    program_expect(dump_main);
}
END_TEST

SUITE("linear_waiters", waking_many_is_linear, cancelling_many_is_linear,
      timing_many_out_is_linear, dumping_many_is_linear)
