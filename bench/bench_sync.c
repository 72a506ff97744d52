/*
 * Locks, channels, queues and select, beside Go's and asyncio's.
 *
 * Goals (W5): an unbuffered hand-off <= 15 ns per item, a queue of 128 <= 8 ns
 * per item.
 */
#include "harness/micro.h"
#include "harness/peer.h"

#include <stdlib.h>

enum { MANY = 2000000, SOME = 500000, FEW = 50000, WAITERS = 100000 };

/* ---- locks -------------------------------------------------------------- */

static int lock_free(void *arg) {
    bench_job_t *job = arg;
    uva_lock_t lock = UVA_LOCK_INIT;
    int code = 0;

    bench_start(job);
    for (uint64_t i = 0; i < job->operations; i++) {
        code |= uva_lock_acquire(&lock);
        code |= uva_lock_release(&lock);
    }
    bench_stop(job);
    return code;
}

typedef struct worker {
    uva_lock_t *lock;
    uint64_t rounds;
} worker_t;

static int work(void *arg) {
    worker_t *self = arg;
    int code = 0;

    for (uint64_t i = 0; i < self->rounds && code == 0; i++) {
        code = uva_lock_acquire(self->lock);
        code |= uva_yield();
        code |= uva_lock_release(self->lock);
    }
    return code;
}

/* Two that want the lock all the time, and yield while they hold it. */
static int lock_contended(void *arg) {
    bench_job_t *job = arg;
    uva_lock_t lock = UVA_LOCK_INIT;
    worker_t self = {&lock, job->operations / 2};
    uva_future_t *tasks[2] = {uva_spawn(work, &self), uva_spawn(work, &self)};

    bench_start(job);
    int code = uva_gather(tasks, 2, NULL);
    bench_stop(job);
    return code;
}

/* ---- items -------------------------------------------------------------- */

typedef struct feed {
    uva_channel_t *channels;
    size_t count; /* of channels, fed in turn */
    uva_queue_t *queue;
    uint64_t items;
} feed_t;

static int feed_channels(void *arg) {
    feed_t *feed = arg;
    size_t turn = 0;
    int code = 0;

    for (uint64_t i = 0; i < feed->items && code == 0; i++) {
        code = uva_channel_send(&feed->channels[turn], &i);
        turn = turn + 1 == feed->count ? 0 : turn + 1;
    }
    return code;
}

static int feed_queue(void *arg) {
    feed_t *feed = arg;
    int code = 0;

    for (uint64_t i = 0; i < feed->items && code == 0; i++)
        code = uva_queue_put(feed->queue, (void *)(uintptr_t)i);
    return code;
}

static int check_sum(uint64_t sum, uint64_t items) {
    if (sum != items * (items - 1) / 2)
        return bench_wrong("items are missing");
    return 0;
}

static int pass_channel(bench_job_t *job, size_t capacity) {
    uva_channel_t channel;
    uint64_t item, sum = 0;
    feed_t feed = {.channels = &channel, .count = 1, .items = job->operations};
    int code = uva_channel_init(&channel, sizeof item, capacity);

    bench_start(job);
    uva_task_t *feeder = uva_spawn(feed_channels, &feed);
    for (uint64_t i = 0; i < job->operations && code == 0; i++) {
        code = uva_channel_recv(&channel, &item);
        sum += item;
    }
    code |= uva_await(feeder, NULL);
    bench_stop(job);
    uva_channel_free(&channel);
    return code < 0 ? code : check_sum(sum, job->operations);
}

static int rendezvous(void *arg) {
    return pass_channel(arg, 0);
}

/* A player sends on one channel and receives on the other, in turn. */
typedef struct game {
    uva_channel_t ways[2];
    uint64_t rounds;
} game_t;

static int serve_balls(void *arg) {
    game_t *game = arg;
    uint64_t ball = 0;
    int code = 0;

    for (uint64_t i = 0; i < game->rounds && code == 0; i++) {
        code = uva_channel_send(&game->ways[0], &i);
        if (code == 0)
            code = uva_channel_recv(&game->ways[1], &ball);
        if (ball != i)
            return bench_wrong("another ball came back");
    }
    return code;
}

static int return_balls(void *arg) {
    game_t *game = arg;
    uint64_t ball = 0;
    int code = 0;

    for (uint64_t i = 0; i < game->rounds && code == 0; i++) {
        code = uva_channel_recv(&game->ways[0], &ball);
        if (code == 0)
            code = uva_channel_send(&game->ways[1], &ball);
    }
    return code;
}

/* There and back is one operation. */
static int pingpong(void *arg) {
    bench_job_t *job = arg;
    game_t game = {.rounds = job->operations};
    int code = uva_channel_init(&game.ways[0], sizeof(uint64_t), 0);

    code |= uva_channel_init(&game.ways[1], sizeof(uint64_t), 0);
    uva_future_t *tasks[] = {uva_spawn(serve_balls, &game),
                             uva_spawn(return_balls, &game)};
    bench_start(job);
    code |= uva_gather(tasks, 2, NULL);
    bench_stop(job);
    uva_channel_free(&game.ways[0]);
    uva_channel_free(&game.ways[1]);
    return code;
}

static int buffer(void *arg) {
    return pass_channel(arg, 128);
}

static int queue(void *arg) {
    bench_job_t *job = arg;
    uva_queue_t items;
    uint64_t sum = 0;
    feed_t feed = {.queue = &items, .items = job->operations};
    int code = uva_queue_init(&items, 128);

    bench_start(job);
    uva_task_t *feeder = uva_spawn(feed_queue, &feed);
    for (uint64_t i = 0; i < job->operations && code == 0; i++) {
        void *item = NULL;
        code = uva_queue_get(&items, &item);
        sum += (uintptr_t)item;
    }
    code |= uva_await(feeder, NULL);
    bench_stop(job);
    uva_queue_free(&items);
    return code < 0 ? code : check_sum(sum, job->operations);
}

/* ---- select ------------------------------------------------------------- */

enum { MOST_CASES = 100 };

/* Receives all items from channels without capacity, which are fed in turn. */
static int select_from(bench_job_t *job, size_t count) {
    uva_channel_t channels[MOST_CASES];
    uva_case_t cases[MOST_CASES];
    uint64_t item, sum = 0;
    feed_t feed = {
        .channels = channels, .count = count, .items = job->operations};
    int code = 0;

    for (size_t i = 0; i < count; i++) {
        code |= uva_channel_init(&channels[i], sizeof item, 0);
        cases[i] =
            (uva_case_t){.kind = UVA_RECV, .on = &channels[i], .item = &item};
    }
    bench_start(job);
    uva_task_t *feeder = uva_spawn(feed_channels, &feed);
    for (uint64_t i = 0; i < job->operations && code >= 0; i++) {
        code = uva_select(cases, count, UVA_FOREVER);
        sum += item;
    }
    code = code < 0 ? code : 0;
    code |= uva_await(feeder, NULL);
    bench_stop(job);
    for (size_t i = 0; i < count; i++)
        uva_channel_free(&channels[i]);
    return code < 0 ? code : check_sum(sum, job->operations);
}

static int select_2(void *arg) {
    return select_from(arg, 2);
}

static int select_10(void *arg) {
    return select_from(arg, 10);
}

static int select_100(void *arg) {
    return select_from(arg, 100);
}

/* ---- many waiters ------------------------------------------------------- */

static int wait_for_event(void *event) {
    return uva_event_wait(event);
}

static int take_turn(void *lock) {
    int code = uva_lock_acquire(lock);
    return code == 0 ? uva_lock_release(lock) : code;
}

/* Spawns the waiters and lets them park. */
static uva_future_t **park_all(uva_fn fn, void *arg, uint64_t count) {
    uva_future_t **tasks = calloc(count, sizeof *tasks);
    if (tasks == NULL)
        return NULL;
    for (uint64_t i = 0; i < count; i++)
        tasks[i] = uva_spawn(fn, arg);
    (void)uva_yield();
    return tasks;
}

/* One event wakes all. */
static int event(void *arg) {
    bench_job_t *job = arg;
    uva_event_t gate = UVA_EVENT_INIT;
    uva_future_t **tasks = park_all(wait_for_event, &gate, job->operations);

    if (tasks == NULL)
        return UV_ENOMEM;
    bench_start(job);
    uva_event_set(&gate);
    int code = uva_gather(tasks, job->operations, NULL);
    bench_stop(job);
    free(tasks);
    return code;
}

/* A lock goes from each to the next. */
static int queue_up(void *arg) {
    bench_job_t *job = arg;
    uva_lock_t lock = UVA_LOCK_INIT;
    int code = uva_lock_acquire(&lock);
    uva_future_t **tasks = park_all(take_turn, &lock, job->operations);

    if (tasks == NULL)
        return UV_ENOMEM;
    bench_start(job);
    code |= uva_lock_release(&lock);
    code |= uva_gather(tasks, job->operations, NULL);
    bench_stop(job);
    free(tasks);
    return code;
}

/* ---- the others --------------------------------------------------------- */

#define PEER(language, workload) \
    static int language##_##workload(void *arg) { \
        return peer_##language(arg, #workload); \
    }

#ifdef BENCH_GO_PEER
PEER(go, lock)
PEER(go, contended)
PEER(go, rendezvous)
PEER(go, pingpong)
PEER(go, buffer)
PEER(go, select2)
PEER(go, select10)
PEER(go, select100)
PEER(go, event)
#define GO(title, workload, count) \
    {.name = title ", Go", \
     .run = go_##workload, \
     .plain = true, \
     .operations = (count)},
#else
#define GO(title, workload, count)
#endif

#ifdef BENCH_PYTHON
PEER(python, lock)
PEER(python, contended)
PEER(python, rendezvous)
PEER(python, pingpong)
PEER(python, buffer)
PEER(python, select2)
PEER(python, select10)
PEER(python, select100)
PEER(python, event)
#define PYTHON(title, workload, count) \
    {.name = title ", asyncio", \
     .run = python_##workload, \
     .plain = true, \
     .operations = (count)},
#else
#define PYTHON(title, workload, count)
#endif

#define OURS(title, function, count, wanted) \
    {.name = title, .run = function, .operations = (count), .goal = (wanted)},

/* clang-format off */
static const bench_micro_t subjects[] = {
    OURS("lock, free", lock_free, MANY, 0)
    GO("lock, free", lock, MANY)
    PYTHON("lock, free", lock, FEW)
    OURS("lock, two in turn", lock_contended, SOME, 0)
    GO("lock, two in turn", contended, SOME)
    PYTHON("lock, two in turn", contended, FEW)
    OURS("channel, unbuffered", rendezvous, MANY, 15)
    GO("channel, unbuffered", rendezvous, MANY)
    PYTHON("queue of 1", rendezvous, FEW)
    OURS("channel, there and back", pingpong, SOME, 0)
    GO("channel, there and back", pingpong, SOME)
    PYTHON("queue of 1, there and back", pingpong, FEW)
    OURS("channel of 128", buffer, MANY, 8)
    GO("channel of 128", buffer, MANY)
    OURS("queue of 128", queue, MANY, 8)
    PYTHON("queue of 128", buffer, FEW)
    OURS("select of 2", select_2, SOME, 0)
    GO("select of 2", select2, SOME)
    PYTHON("wait for 2", select2, FEW)
    OURS("select of 10", select_10, SOME, 0)
    GO("select of 10", select10, SOME)
    PYTHON("wait for 10", select10, FEW)
    OURS("select of 100", select_100, FEW, 0)
    GO("select of 100", select100, FEW)
    PYTHON("wait for 100", select100, 5000)
    OURS("event, per waiter of 100,000", event, WAITERS, 0)
    OURS("event, per waiter of 1,000", event, 1000, 0)
    GO("event, per waiter of 100,000", event, WAITERS)
    PYTHON("event, per waiter of 100,000", event, WAITERS)
    OURS("lock queue, per waiter of 100,000", queue_up, WAITERS, 0)
    OURS("lock queue, per waiter of 1,000", queue_up, 1000, 0)
};
/* clang-format on */

int main(int argc, char **argv) {
    return BENCH_MAIN(
        argc, argv,
        "Locks, channels, queues and select, beside Go's and asyncio's.",
        subjects);
}
