/*
 * The workloads on uvawait.
 */
#include "peer.h"

#include <uvawait.h>

/* ---- yield, spawn, gather ------------------------------------------------ */

typedef struct turns {
    uint64_t each;
    uint64_t sum;
} turns_t;

static int take_turns(void *arg) {
    turns_t *turns = arg;
    int code = 0;

    for (uint64_t i = 0; i < turns->each && code == 0; i++) {
        turns->sum++;
        code = uva_yield();
    }
    return code;
}

static int gather_all(peer_job_t *job, uva_fn fn, void *arg, uint64_t count) {
    uva_future_t **tasks = calloc(count, sizeof *tasks);
    if (tasks == NULL)
        return UV_ENOMEM;
    peer_start(job);
    for (uint64_t i = 0; i < count; i++)
        tasks[i] = uva_spawn(fn, arg);
    int code = uva_gather(tasks, count, NULL);
    peer_stop(job);
    free(tasks);
    return code;
}

static int yield_in_turn(peer_job_t *job) {
    turns_t turns = {.each = job->operations / job->size};
    int code = gather_all(job, take_turns, &turns, job->size);

    return code < 0 ? code : peer_check("turns", turns.sum, job->operations);
}

static int add_one(void *arg) {
    (*(uint64_t *)arg)++;
    return 0;
}

static int spawn_await(peer_job_t *job) {
    uint64_t sum = 0;
    int code = 0;

    peer_start(job);
    for (uint64_t i = 0; i < job->operations && code == 0; i++)
        code = uva_await(uva_spawn(add_one, &sum), NULL);
    peer_stop(job);
    return code < 0 ? code : peer_check("tasks", sum, job->operations);
}

static int spawn_gather(peer_job_t *job) {
    uint64_t sum = 0;
    int code = 0;

    for (uint64_t done = 0; done < job->operations && code == 0;
         done += job->size)
        code = gather_all(job, add_one, &sum, job->size);
    return code < 0 ? code : peer_check("tasks", sum, job->operations);
}

/* ---- timeouts ------------------------------------------------------------ */

static int timeout(peer_job_t *job) {
    int code = 0;

    peer_start(job);
    for (uint64_t i = 0; i < job->operations && code == 0; i++) {
        uva_scope_t scope;
        uva_scope_open(&scope, PEER_MINUTE_MS, 0);
        code = uva_scope_close(&scope);
    }
    peer_stop(job);
    return code;
}

/* A waiter, and one who completes what it waits for. */
typedef struct rally {
    uint64_t rounds;
    bool timed;
    uva_future_t *ball; /* NULL: nobody waits */
    uint64_t sum;
} rally_t;

static int wait_rounds(void *arg) {
    rally_t *rally = arg;
    uint64_t *value = NULL;
    int code = 0;

    for (uint64_t i = 0; i < rally->rounds && code == 0; i++) {
        uva_future_t *ball = uva_future_new();
        rally->ball = uva_ref(ball);
        code = rally->timed ? uva_wait_for(ball, PEER_MINUTE_MS, &value)
                            : uva_await(ball, &value);
        if (code == 0)
            (*value)++;
    }
    return code;
}

static int resolve_rounds(void *arg) {
    rally_t *rally = arg;
    int code = 0;

    for (uint64_t i = 0; i < rally->rounds && code == 0;) {
        if (rally->ball != NULL) {
            code = uva_future_resolve(rally->ball, &rally->sum);
            uva_unref(rally->ball);
            rally->ball = NULL;
            i++;
        }
        if (code == 0)
            code = uva_yield();
    }
    return code;
}

static int rally(peer_job_t *job, bool timed) {
    rally_t shared = {.rounds = job->operations, .timed = timed};

    peer_start(job);
    uva_future_t *tasks[] = {uva_spawn(wait_rounds, &shared),
                             uva_spawn(resolve_rounds, &shared)};
    int code = uva_gather(tasks, 2, NULL);
    peer_stop(job);
    return code < 0 ? code : peer_check("waits", shared.sum, job->operations);
}

static int wait_bare(peer_job_t *job) {
    return rally(job, false);
}

static int wait_timed(peer_job_t *job) {
    return rally(job, true);
}

/* ---- passing items ------------------------------------------------------- */

typedef struct feed {
    uva_channel_t channel;
    uint64_t items;
} feed_t;

static int send_items(void *arg) {
    feed_t *feed = arg;
    int code = 0;

    for (uint64_t i = 0; i < feed->items && code == 0; i++)
        code = uva_channel_send(&feed->channel, &i);
    return code;
}

static int pass(peer_job_t *job, size_t capacity) {
    feed_t feed = {.items = job->operations};
    uint64_t item, sum = 0;
    int code = uva_channel_init(&feed.channel, sizeof item, capacity);

    if (code < 0)
        return code;
    peer_start(job);
    uva_task_t *sender = uva_spawn(send_items, &feed);
    for (uint64_t i = 0; i < job->operations && code == 0; i++) {
        code = uva_channel_recv(&feed.channel, &item);
        sum += item;
    }
    if (code == 0)
        code = uva_await(sender, NULL);
    peer_stop(job);
    uva_channel_free(&feed.channel);
    return code < 0 ? code
                    : peer_check("sum of items", sum,
                                 job->operations * (job->operations - 1) / 2);
}

static int handoff(peer_job_t *job) {
    return pass(job, 0);
}

static int queue(peer_job_t *job) {
    return pass(job, PEER_QUEUE);
}

/* ---- a semaphore --------------------------------------------------------- */

typedef struct shop {
    uva_semaphore_t slots;
    uint64_t inside, most, done;
} shop_t;

static int work(void *arg) {
    shop_t *shop = arg;
    int code = uva_semaphore_acquire(&shop->slots);

    if (code < 0)
        return code;
    if (++shop->inside > shop->most)
        shop->most = shop->inside;
    code = uva_yield();
    shop->inside--;
    shop->done++;
    uva_semaphore_release(&shop->slots);
    return code;
}

static int semaphore(peer_job_t *job) {
    shop_t shop = {.slots = UVA_SEMAPHORE_INIT(PEER_PERMITS)};
    int code = 0;

    for (uint64_t done = 0; done < job->operations && code == 0;
         done += job->size)
        code = gather_all(job, work, &shop, job->size);
    if (code < 0)
        return code;
    return peer_check("workers", shop.done, job->operations) +
           peer_check("at once", shop.most, PEER_PERMITS);
}

/* ---- sleeping ------------------------------------------------------------ */

typedef struct nap {
    uint64_t start_ns;
    uint64_t done;
} nap_t;

static int take_nap(void *arg) {
    nap_t *nap = arg;
    int code = uva_sleep(PEER_NAP_MS);

    if (peer_now_ns() - nap->start_ns < PEER_NAP_MS * 1000000u)
        return uva_fail(UV_EINVAL, "awake too early");
    nap->done++;
    return code;
}

static int sleep_all(peer_job_t *job) {
    nap_t nap = {.start_ns = peer_now_ns()};
    int code = gather_all(job, take_nap, &nap, job->size);

    return code < 0 ? code : peer_check("naps", nap.done, job->size);
}

typedef struct sleeper {
    uint64_t start_ns;
    uint64_t wake_ms;
    uint64_t *awake;
} sleeper_t;

static int sleep_until(void *arg) {
    const sleeper_t *self = arg;
    uint64_t due_ns = self->start_ns + self->wake_ms * 1000000u;
    uint64_t now_ns = peer_now_ns();
    int code =
        uva_sleep(now_ns < due_ns ? (due_ns - now_ns + 999999) / 1000000 : 0);

    *self->awake += peer_now_ns() >= due_ns;
    return code;
}

static int sleep_million(uva_future_t **tasks, uint64_t count,
                         double *ret_beyond_s) {
    uint64_t awake = 0;
    sleeper_t sleeper = {.start_ns = peer_now_ns(), .awake = &awake};
    uva_task_options_t options = {.copy = &sleeper,
                                  .copy_bytes = sizeof sleeper};

    for (uint64_t i = 0; i < count; i++) {
        sleeper.wake_ms = peer_wake_ms(i);
        tasks[i] = uva_spawn_with(&options, sleep_until, NULL);
    }
    int code = uva_gather(tasks, count, NULL);
    *ret_beyond_s = peer_beyond_s(sleeper.start_ns);
    return code < 0 ? code : peer_check("awake in time", awake, count);
}

/* Each stack has a guard: the library takes none that has not. */
static int million(peer_job_t *job) {
    uva_future_t **tasks = calloc(job->size, sizeof *tasks);
    double before = peer_memory("VmRSS:");
    double beyond_s = 0;

    if (tasks == NULL)
        return UV_ENOMEM;
    int code = sleep_million(tasks, job->size, &beyond_s);
    peer_report_million("s", beyond_s, before, job->size);
    if (code == 0)
        code = sleep_million(tasks, job->size, &beyond_s);
    peer_report_million("again_s", beyond_s, before, job->size);
    free(tasks);
    return code;
}

/* ---- files --------------------------------------------------------------- */

static int read_one(void *number) {
    char path[256];
    char *data = NULL;
    size_t bytes = 0;

    peer_file(path, sizeof path, *(uint64_t *)number);
    int code = uva_read_file(path, &data, &bytes);
    free(data);
    return code < 0 ? code : peer_check("bytes", bytes, PEER_FILE_BYTES);
}

static int files(peer_job_t *job) {
    enum { AT_ONCE = 64 };
    uint64_t *numbers = calloc(job->operations, sizeof *numbers);

    if (numbers == NULL)
        return UV_ENOMEM;
    for (uint64_t i = 0; i < job->operations; i++)
        numbers[i] = i;
    peer_start(job);
    int code =
        uva_map(read_one, numbers, job->operations, sizeof *numbers, AT_ONCE);
    peer_stop(job);
    free(numbers);
    return code;
}

/* ---- running ------------------------------------------------------------- */

static const peer_workload_t workloads[] = {
    {"yield", yield_in_turn, NULL},
    {"spawn", spawn_await, NULL},
    {"gather", spawn_gather, NULL},
    {"timeout", timeout, NULL},
    {"wait", wait_bare, NULL},
    {"wait-timeout", wait_timed, NULL},
    {"handoff", handoff, NULL},
    {"queue", queue, NULL},
    {"semaphore", semaphore, NULL},
    {"sleep", sleep_all, peer_report_beyond},
    {"million", million, peer_report_none},
    {"files", files, NULL},
};

typedef struct program {
    int argc;
    char **argv;
} program_t;

static int run(void *arg) {
    program_t *program = arg;

    return PEER_MAIN(program->argc, program->argv, workloads) == 0 ? 0
                                                                   : UV_EINVAL;
}

int main(int argc, char **argv) {
    program_t program = {argc, argv};

    return uva_run(run, &program) < 0;
}
