/*
 * Semaphores, free and fought for.
 *
 * Goal (W6): 100,000 workers, a semaphore of 100, one yield inside: <= 25 ms
 * in all, that is 250 ns per worker, on recycled stacks (tokio 33 ms, go 98 to
 * 379, libdill none, asyncio 1631).
 */
#include "harness/baseline.h"
#include "harness/micro.h"

#include <stdlib.h>

enum { ROUNDS = 1000000, HANDOFFS = 500000, WORKERS = 100000, PERMITS = 100 };

static int uncontended(void *arg) {
    bench_job_t *job = arg;
    uva_semaphore_t semaphore = UVA_SEMAPHORE_INIT(1);
    int code = 0;

    bench_start(job);
    for (uint64_t i = 0; i < job->operations; i++) {
        code |= uva_semaphore_acquire(&semaphore);
        code |= uva_semaphore_release(&semaphore);
    }
    bench_stop(job);
    if (uva_semaphore_value(&semaphore) != 1)
        return bench_wrong("a permit is missing");
    return code;
}

static int try_uncontended(void *arg) {
    bench_job_t *job = arg;
    uva_semaphore_t semaphore = UVA_SEMAPHORE_INIT(1);
    int code = 0;

    bench_start(job);
    for (uint64_t i = 0; i < job->operations; i++) {
        code |= uva_semaphore_try_acquire(&semaphore);
        code |= uva_semaphore_release(&semaphore);
    }
    bench_stop(job);
    return code;
}

/* Two tasks that pass two permits to and fro: each release wakes the other,
 * each acquire parks. */
typedef struct player {
    uva_semaphore_t *mine;
    uva_semaphore_t *theirs;
    uint64_t rounds;
} player_t;

static int play(void *arg) {
    player_t *player = arg;
    int code = 0;

    for (uint64_t i = 0; i < player->rounds && code == 0; i++) {
        code = uva_semaphore_acquire(player->mine);
        if (code == 0)
            code = uva_semaphore_release(player->theirs);
    }
    return code;
}

static int handoff(void *arg) {
    bench_job_t *job = arg;
    uva_semaphore_t ping = UVA_SEMAPHORE_INIT(1);
    uva_semaphore_t pong = UVA_SEMAPHORE_INIT(0);
    player_t players[2] = {{&ping, &pong, job->operations / 2},
                           {&pong, &ping, job->operations / 2}};
    uva_future_t *tasks[2] = {uva_spawn(play, &players[0]),
                              uva_spawn(play, &players[1])};
    int code;

    bench_start(job);
    code = uva_gather(tasks, 2, NULL);
    bench_stop(job);
    if (uva_semaphore_value(&ping) != 1 || uva_semaphore_value(&pong) != 0)
        return bench_wrong("the permit is not where it began");
    return code;
}

/* What the workers of W6 share. */
typedef struct workshop {
    uva_semaphore_t slots;
    uint64_t inside;
    uint64_t most;
    uint64_t done;
} workshop_t;

static int work(void *arg) {
    workshop_t *shop = arg;
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

/* Spawns all workers and waits for them. */
static int employ(workshop_t *shop, uint64_t workers) {
    uva_future_t **tasks = calloc(workers, sizeof(*tasks));
    int code;

    if (tasks == NULL)
        return UV_ENOMEM;
    *shop = (workshop_t){.slots = UVA_SEMAPHORE_INIT(PERMITS)};
    for (uint64_t i = 0; i < workers; i++)
        tasks[i] = uva_spawn(work, shop);
    code = uva_gather(tasks, workers, NULL);
    free(tasks);
    return code;
}

static int crowd(bench_job_t *job, bool recycled) {
    workshop_t shop;
    int code = recycled ? employ(&shop, job->operations) : 0;

    if (code < 0)
        return code;
    bench_start(job);
    code = employ(&shop, job->operations);
    bench_stop(job);
    if (code == 0 && (shop.done != job->operations || shop.most != PERMITS))
        return bench_wrong("%llu workers done, %llu at once",
                           (unsigned long long)shop.done,
                           (unsigned long long)shop.most);
    return code;
}

static int crowd_fresh(void *arg) {
    return crowd(arg, false);
}

static int crowd_recycled(void *arg) {
    return crowd(arg, true);
}

static const bench_micro_t subjects[] = {
    {.name = "a call through a pointer",
     .run = baseline_call,
     .plain = true,
     .operations = BASELINE_CALLS},
    {.name = "acquire + release, free",
     .run = uncontended,
     .operations = ROUNDS},
    {.name = "try_acquire + release, free",
     .run = try_uncontended,
     .operations = ROUNDS},
    {.name = "hand-off between two tasks, per permit",
     .run = handoff,
     .operations = HANDOFFS},
    {.name = "100,000 workers, 100 permits, per worker, recycled",
     .run = crowd_recycled,
     .operations = WORKERS,
     .goal = 250},
    {.name = "100,000 workers, 100 permits, per worker, fresh",
     .run = crowd_fresh,
     .operations = WORKERS,
     .goal = 3300},
};

int main(int argc, char **argv) {
    return BENCH_MAIN(argc, argv, "Semaphores, free and fought for.", subjects);
}
