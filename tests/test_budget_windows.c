/* labels: valgrind */
/*
 * The window at the beginning of a call that need not wait: the cooperative
 * budget is at its end, so it yields first, and others run.
 *
 *     caller   it is there; yields ................. looks again
 *     rival                         takes it away
 *
 * Whatever the rival did, the call finds what there is then: it waits, or gets
 * the code of an end. And a caller that is cancelled does not yield, is
 * refused, and has taken nothing.
 */
#include <string.h>

#include "runtime/task.h"
#include "support/program.h"

/* The caller gives up before the rival does. */
enum { CALLER_MS = 10, RIVAL_MS = 20 };

static struct {
    uva_semaphore_t semaphore;
    uva_capacity_limiter_t capacity;
    uva_rate_limiter_t rate;
    uva_lock_t lock;
    uva_rwlock_t rwlock;
    uva_event_t event;
    uva_barrier_t barrier;
    uva_task_t *early; /* waits at the barrier */
    uva_once_t once;
    uva_wait_group_t group;
    uva_queue_t queue;     /* has room for two, and one item */
    uva_channel_t channel; /* so has this one */
    uva_broadcast_t broadcast;
    uva_broadcast_receiver_t receiver;
    uva_watch_t watch;
    uva_thread_event_t thread_event;
    uva_thread_channel_t thread_channel;
} on;

static int item;

static int wait_at_barrier(void *arg) {
    (void)arg;
    return uva_barrier_wait(&on.barrier);
}

/* Everything can be had without waiting. */
static void make(void) {
    memset(&on, 0, sizeof on);
    uva_semaphore_init(&on.semaphore, 1);
    uva_capacity_limiter_init(&on.capacity, 1);
    ck_assert_int_eq(uva_rate_limiter_init(&on.rate, 1, 1000, 1), 0);
    uva_event_set(&on.event);
    uva_barrier_init(&on.barrier, 2);
    on.early = uva_spawn(wait_at_barrier, NULL);
    ck_assert_int_eq(uva_yield(), 0);
    ck_assert_int_eq(uva_queue_init(&on.queue, 2), 0);
    ck_assert_int_eq(uva_queue_put(&on.queue, NULL), 0);
    ck_assert_int_eq(uva_channel_init(&on.channel, sizeof item, 2), 0);
    ck_assert_int_eq(uva_channel_send(&on.channel, &item), 0);
    ck_assert_int_eq(uva_broadcast_init(&on.broadcast, sizeof item, 1), 0);
    (void)uva_broadcast_receiver_open(&on.receiver, &on.broadcast);
    ck_assert_int_eq(uva_broadcast_send(&on.broadcast, &item), 0);
    ck_assert_int_eq(uva_watch_init(&on.watch, sizeof item, &item), 0);
    ck_assert_int_eq(uva_thread_event_init(&on.thread_event), 0);
    ck_assert_int_eq(uva_thread_event_set(&on.thread_event), 0);
    ck_assert_int_eq(
        uva_thread_channel_init(&on.thread_channel, sizeof item, 2), 0);
    ck_assert_int_eq(uva_thread_channel_send(&on.thread_channel, &item), 0);
}

static void destroy(void) {
    (void)uva_cancel_and_wait(on.early);
    uva_queue_free(&on.queue);
    uva_channel_free(&on.channel);
    uva_broadcast_receiver_close(&on.receiver);
    uva_broadcast_free(&on.broadcast);
    uva_watch_free(&on.watch);
    uva_thread_event_close(&on.thread_event);
    uva_thread_channel_free(&on.thread_channel);
}

/* ---- the calls ---------------------------------------------------------- */

static int acquire_semaphore(void) {
    return uva_semaphore_acquire(&on.semaphore);
}
static int acquire_capacity(void) {
    return uva_capacity_limiter_acquire(&on.capacity);
}
static int acquire_rate(void) {
    return uva_rate_limiter_acquire(&on.rate, 1);
}
static int use_lock(void) {
    int code = uva_lock_acquire(&on.lock);
    return code == 0 ? uva_lock_release(&on.lock) : code;
}
static int use_read(void) {
    int code = uva_rwlock_acquire_read(&on.rwlock);
    return code == 0 ? uva_rwlock_release_read(&on.rwlock) : code;
}
static int use_write(void) {
    int code = uva_rwlock_acquire_write(&on.rwlock);
    return code == 0 ? uva_rwlock_release_write(&on.rwlock) : code;
}
static int wait_event(void) {
    return uva_event_wait(&on.event);
}
static int come_last(void) {
    int place = uva_barrier_wait(&on.barrier);
    return place == 1 ? 0 : place;
}
static int succeed(void *arg) {
    (void)arg;
    return 0;
}
static int run_once(void) {
    return uva_once_run(&on.once, succeed, NULL);
}
static int wait_group(void) {
    return uva_wait_group_wait(&on.group);
}
static int get(void) {
    void *got;
    return uva_queue_get(&on.queue, &got);
}
static int put(void) {
    return uva_queue_put(&on.queue, NULL);
}
static int join(void) {
    return uva_queue_join(&on.queue);
}
static int receive(void) {
    return uva_channel_recv(&on.channel, &item);
}
static int offer(void) {
    return uva_channel_send(&on.channel, &item);
}
static int choose(void) {
    uva_case_t what = {.kind = UVA_RECV, .on = &on.channel, .item = &item};
    int index = uva_select(&what, 1, UVA_FOREVER);
    return index == 0 ? what.code : index;
}
static int hear(void) {
    return uva_broadcast_recv(&on.receiver, &item);
}
static int look(void) {
    uint64_t cursor = 0;
    return uva_watch_next(&on.watch, &cursor, &item);
}
static int wait_thread_event(void) {
    return uva_thread_event_wait(&on.thread_event);
}
static int receive_thread(void) {
    return uva_thread_channel_recv(&on.thread_channel, &item);
}
static int offer_thread(void) {
    return uva_thread_channel_send(&on.thread_channel, &item);
}

/* ---- the rivals --------------------------------------------------------- */

static void take_permit(void) {
    ck_assert_int_eq(uva_semaphore_try_acquire(&on.semaphore), 0);
}
static void lower_capacity(void) {
    ck_assert_int_eq(uva_capacity_limiter_set_total(&on.capacity, 0), 0);
}
static void take_token(void) {
    ck_assert_int_eq(uva_rate_limiter_try_acquire(&on.rate, 1), 0);
}
static void hold_lock(void) {
    ck_assert_int_eq(uva_lock_try_acquire(&on.lock), 0);
    (void)uva_sleep(RIVAL_MS);
    ck_assert_int_eq(uva_lock_release(&on.lock), 0);
}
static void break_lock(void) {
    ck_assert_int_eq(uva_lock_try_acquire(&on.lock), 0);
}
static void hold_rwlock(void) {
    ck_assert_int_eq(uva_rwlock_try_acquire_write(&on.rwlock), 0);
    (void)uva_sleep(RIVAL_MS);
    ck_assert_int_eq(uva_rwlock_release_write(&on.rwlock), 0);
}
static void break_rwlock(void) {
    ck_assert_int_eq(uva_rwlock_try_acquire_write(&on.rwlock), 0);
}
static void read_rwlock(void) {
    ck_assert_int_eq(uva_rwlock_try_acquire_read(&on.rwlock), 0);
    (void)uva_sleep(RIVAL_MS);
    ck_assert_int_eq(uva_rwlock_release_read(&on.rwlock), 0);
}
static void clear_event(void) {
    uva_event_clear(&on.event);
}
static void abort_barrier(void) {
    ck_assert_int_eq(uva_barrier_abort(&on.barrier), 0);
}
static void cancel_early(void) {
    (void)uva_cancel(on.early);
}
static int sleep_and_fail(void *arg) {
    (void)arg;
    int code = uva_sleep(RIVAL_MS);
    return code < 0 ? code : UV_EIO;
}
static void be_at_it(void) {
    ck_assert_int_eq(uva_once_run(&on.once, sleep_and_fail, NULL), UV_EIO);
}
static void add_one(void) {
    ck_assert_int_eq(uva_wait_group_add(&on.group, 1), 0);
}
static void take_item(void) {
    void *got;
    ck_assert_int_eq(uva_queue_try_get(&on.queue, &got), 0);
}
static void put_item(void) {
    ck_assert_int_eq(uva_queue_try_put(&on.queue, NULL), 0);
}
static void shut_queue(void) {
    uva_queue_shutdown(&on.queue, true);
}
static void free_queue(void) {
    uva_queue_free(&on.queue);
}
static void receive_item(void) {
    ck_assert_int_eq(uva_channel_try_recv(&on.channel, &item), 0);
}
static void send_item(void) {
    ck_assert_int_eq(uva_channel_try_send(&on.channel, &item), 0);
}
static void close_channel(void) {
    uva_channel_close(&on.channel);
}
static void free_channel(void) {
    uva_channel_free(&on.channel);
}
static void hear_it(void) {
    ck_assert_int_eq(uva_broadcast_try_recv(&on.receiver, &item), 0);
}
static void overwrite(void) {
    ck_assert_int_eq(uva_broadcast_send(&on.broadcast, &item), 0);
}
static void close_receiver(void) {
    uva_broadcast_receiver_close(&on.receiver);
}
static void free_broadcast(void) {
    uva_broadcast_free(&on.broadcast);
}
static void free_watch(void) {
    uva_watch_free(&on.watch);
}
static void clear_thread_event(void) {
    uva_thread_event_clear(&on.thread_event);
}
static void close_thread_event(void) {
    uva_thread_event_clear(&on.thread_event);
    uva_thread_event_close(&on.thread_event);
}
static void receive_thread_item(void) {
    ck_assert_int_eq(uva_thread_channel_try_recv(&on.thread_channel, &item), 0);
}
static void send_thread_item(void) {
    ck_assert_int_eq(uva_thread_channel_try_send(&on.thread_channel, &item), 0);
}
static void close_thread_channel(void) {
    uva_thread_channel_close(&on.thread_channel);
}
static void free_thread_channel(void) {
    uva_thread_channel_free(&on.thread_channel);
}

/* ---- who meets whom ----------------------------------------------------- */

typedef struct meeting {
    const char *name;
    int (*call)(void);
    void (*rival)(void);
    int code; /* of the call; UV_ETIMEDOUT: it waited */
} meeting_t;

static const meeting_t meetings[] = {
    {"semaphore taken", acquire_semaphore, take_permit, UV_ETIMEDOUT},
    {"capacity lowered", acquire_capacity, lower_capacity, UV_ETIMEDOUT},
    {"token taken", acquire_rate, take_token, UV_ETIMEDOUT},
    {"lock taken", use_lock, hold_lock, UV_ETIMEDOUT},
    {"lock broken", use_lock, break_lock, UV_ECONNABORTED},
    {"rwlock taken from a reader", use_read, hold_rwlock, UV_ETIMEDOUT},
    {"rwlock shared", use_read, read_rwlock, 0},
    {"rwlock broken for a reader", use_read, break_rwlock, UV_ECONNABORTED},
    {"rwlock taken from a writer", use_write, hold_rwlock, UV_ETIMEDOUT},
    {"rwlock being read", use_write, read_rwlock, UV_ETIMEDOUT},
    {"rwlock broken for a writer", use_write, break_rwlock, UV_ECONNABORTED},
    {"event cleared", wait_event, clear_event, UV_ETIMEDOUT},
    {"barrier aborted", come_last, abort_barrier, UV_ECONNABORTED},
    {"barrier left", come_last, cancel_early, UV_ETIMEDOUT},
    {"once begun", run_once, be_at_it, UV_ETIMEDOUT},
    {"wait group added to", wait_group, add_one, UV_ETIMEDOUT},
    {"item taken", get, take_item, UV_ETIMEDOUT},
    {"queue shut before a get", get, shut_queue, UV_EPIPE},
    {"queue freed before a get", get, free_queue, UV_EPIPE},
    {"queue filled", put, put_item, UV_ETIMEDOUT},
    {"queue shut before a put", put, shut_queue, UV_EPIPE},
    {"queue freed before a put", put, free_queue, UV_EPIPE},
    {"queue freed before a join", join, free_queue, 0},
    {"channel emptied", receive, receive_item, UV_ETIMEDOUT},
    {"channel closed before a receive", receive, close_channel, 0},
    {"channel freed before a receive", receive, free_channel, UV_EOF},
    {"channel filled", offer, send_item, UV_ETIMEDOUT},
    {"channel closed before a send", offer, close_channel, UV_EPIPE},
    {"channel freed before a send", offer, free_channel, UV_EPIPE},
    {"channel emptied before a select", choose, receive_item, UV_ETIMEDOUT},
    {"channel freed before a select", choose, free_channel, UV_EOF},
    {"broadcast heard", hear, hear_it, UV_ETIMEDOUT},
    {"broadcast overwritten", hear, overwrite, UV_ENOBUFS},
    {"broadcast freed", hear, free_broadcast, UV_EOF},
    {"receiver closed", hear, close_receiver, UV_EBADF},
    {"watch freed", look, free_watch, UV_EOF},
    {"thread event cleared", wait_thread_event, clear_thread_event,
     UV_ETIMEDOUT},
    {"thread event closed", wait_thread_event, close_thread_event,
     UV_ESHUTDOWN},
    {"thread channel emptied", receive_thread, receive_thread_item,
     UV_ETIMEDOUT},
    {"thread channel freed before a receive", receive_thread,
     free_thread_channel, UV_EOF},
    {"thread channel filled", offer_thread, send_thread_item, UV_ETIMEDOUT},
    {"thread channel closed", offer_thread, close_thread_channel, UV_EPIPE},
    {"thread channel freed before a send", offer_thread, free_thread_channel,
     UV_EPIPE},
};
enum { MEETINGS = sizeof meetings / sizeof meetings[0] };

static void expect_code(const meeting_t *meeting, int expected, int code) {
    if (code != expected)
        ck_abort_msg("%s: %d, expected %d", meeting->name, code, expected);
}

static int rival(void *arg) {
    ((const meeting_t *)arg)->rival();
    return 0;
}

/* The next call that need not wait yields. */
static void spend_budget(void) {
    uva__task_of(uva_current())->budget = 1;
}

static void meet(const meeting_t *meeting) {
    uva_task_t *task = uva_spawn(rival, (void *)(uintptr_t)meeting);
    uva_scope_t scope;
    uva_scope_open(&scope, CALLER_MS, 0);
    spend_budget();
    int code = meeting->call();
    int closed = uva_scope_close(&scope);
    expect_code(meeting, meeting->code, closed < 0 ? closed : code);
    ck_assert_int_eq(uva_await(task, NULL), 0);
}

/* Two of them end holding a lock, which is reported. */
static int meet_main(void *arg) {
    (void)arg;
    for (size_t i = 0; i < MEETINGS; i++) {
        make();
        if (meetings[i].call == join)
            ck_assert_int_eq(uva_queue_task_done(&on.queue), 0);
        meet(&meetings[i]);
        destroy();
    }
    return 0;
}

START_TEST(budget_lets_a_rival_come_first) {
    ck_assert_int_eq(program_run(meet_main, NULL), 0);
    ck_assert_uint_eq(support_report_count(), 3);
    ck_assert(support_reports_contain("ended holding lock"));
    ck_assert(support_reports_contain("ended writing under rwlock"));
}
END_TEST

/* What was refused is there for the next call. */
static int refused_main(void *arg) {
    (void)arg;
    for (size_t i = 0; i < MEETINGS; i++) {
        make();
        if (meetings[i].call == join)
            ck_assert_int_eq(uva_queue_task_done(&on.queue), 0);
        uva_scope_t scope;
        uva_scope_open(&scope, UVA_FOREVER, 0);
        uva_scope_cancel(&scope);
        spend_budget();
        expect_code(&meetings[i], UV_ECANCELED, meetings[i].call());
        ck_assert_int_eq(uva_scope_close(&scope), UV_ECANCELED);
        uva_scope_open(&scope, CALLER_MS, 0);
        expect_code(&meetings[i], 0, meetings[i].call());
        ck_assert_int_eq(uva_scope_close(&scope), 0);
        destroy();
    }
    return 0;
}

START_TEST(budget_refuses_who_is_cancelled) {
    program_expect(refused_main);
}
END_TEST

SUITE("budget_windows", budget_lets_a_rival_come_first,
      budget_refuses_who_is_cancelled)
