/*
 * The hot operations, one workload a process, for bench/instructions.sh, which
 * has callgrind count their instructions.
 *
 *     instructions WORKLOAD N   does it N times; prints how often the clock
 *                               was read
 *     instructions --list       the workloads
 *     instructions --made-with  what the counts depend on, as "what: which"
 *
 * What is counted must not depend on how fast the machine is, and the
 * scheduler looks at the clock. So the clock is ours, by --wrap as the faults
 * of the tests are, and goes on by 1 us with every reading.
 *
 * UVA_SLOWER=1 in the environment adds some instructions to every operation:
 * it is how the harness shows that it would see a regression.
 */
#include <errno.h>
#include <gnu/libc-version.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <uvawait.h>

#include "bench/harness/measure.h"
#include "runtime/arch/switch.h"

enum { CROWD = 1000, CAPACITY = 128, BATCH = 100, MINUTE_MS = 60000 };
enum { STACK_BYTES = 65536, MESSAGE_BYTES = 64, BUFFER_BYTES = 4096 };

/* ---- the clock ---------------------------------------------------------- */

static uint64_t readings;

uint64_t __wrap_uv_hrtime(void);
uint64_t __wrap_uv_hrtime(void) {
    return UINT64_C(1000000000) + ++readings * 1000;
}

/* ---- switching ---------------------------------------------------------- */

static int yield_rounds(void *arg) {
    uint64_t rounds = *(const uint64_t *)arg;
    int code = 0;
    for (uint64_t i = 0; i < rounds; i++)
        code |= uva_yield();
    return code;
}

static int yield(uint64_t count) {
    uint64_t half = count / 2;
    uva_future_t *tasks[] = {uva_spawn(yield_rounds, &half),
                             uva_spawn(yield_rounds, &half)};
    return uva_gather(tasks, 2, NULL);
}

static void *sps[2];

static void switch_back(void *arg) {
    (void)arg;
    for (;;)
        uva__switch(&sps[1], sps[0]);
}

static int bare_switch(uint64_t count) {
    char *stack = malloc(STACK_BYTES);
    if (stack == NULL)
        return UV_ENOMEM;
    sps[1] = uva__switch_prepare(stack, STACK_BYTES, switch_back, NULL);
    for (uint64_t i = 0; i < count; i += 2)
        uva__switch(&sps[0], sps[1]);
    free(stack);
    return 0;
}

/* ---- tasks -------------------------------------------------------------- */

static int add_one(void *arg) {
    (*(uint64_t *)arg)++;
    return 0;
}

static int spawn_await(uint64_t count) {
    uint64_t sum = 0;
    int code = 0;
    for (uint64_t i = 0; i < count; i++)
        code |= uva_await(uva_spawn(add_one, &sum), NULL);
    return code == 0 && sum != count ? UV_EIO : code;
}

static int gather(uint64_t count) {
    uva_future_t *tasks[CROWD];
    uint64_t sum = 0;
    int code = 0;
    for (uint64_t done = 0; done < count; done += CROWD) {
        for (size_t i = 0; i < CROWD; i++)
            tasks[i] = uva_spawn(add_one, &sum);
        code |= uva_gather(tasks, CROWD, NULL);
    }
    return code == 0 && sum != count ? UV_EIO : code;
}

static int add_one_through(void *arg) {
    return add_one(*(uint64_t **)arg);
}

static int coroutine(uint64_t count) {
    uint64_t sum = 0;
    uint64_t *where = &sum;
    int code = 0;
    for (uint64_t i = 0; i < count; i++)
        code |= uva_await(uva_coroutine(add_one_through, &where, sizeof where),
                          NULL);
    return code == 0 && sum != count ? UV_EIO : code;
}

/* ---- futures ------------------------------------------------------------ */

static int future(uint64_t count) {
    int code = 0;
    for (uint64_t i = 0; i < count; i++) {
        uva_future_t *made = uva_future_new();
        code |= uva_future_resolve(made, NULL);
        code |= uva_await(made, NULL);
    }
    return code;
}

/* A task waits for the ball, the other one throws it. */
typedef struct rally {
    uint64_t rounds;
    bool timed;
    uva_future_t *ball;
} rally_t;

static int wait_rounds(void *arg) {
    rally_t *rally = arg;
    int code = 0;
    for (uint64_t i = 0; i < rally->rounds && code == 0; i++) {
        uva_future_t *ball = rally->ball = uva_ref(uva_future_new());
        code = rally->timed ? uva_wait_for(ball, MINUTE_MS, NULL)
                            : uva_await(ball, NULL);
    }
    return code;
}

static int throw_rounds(void *arg) {
    rally_t *rally = arg;
    int code = 0;
    for (uint64_t i = 0; i < rally->rounds && code == 0; i++) {
        code = uva_future_resolve(rally->ball, NULL);
        uva_unref(rally->ball);
        code |= uva_yield();
    }
    return code;
}

static int play(rally_t *rally) {
    uva_future_t *tasks[] = {uva_spawn(wait_rounds, rally),
                             uva_spawn(throw_rounds, rally)};
    return uva_gather(tasks, 2, NULL);
}

static int wait_bare(uint64_t count) {
    return play(&(rally_t){.rounds = count});
}

static int wait_timed(uint64_t count) {
    return play(&(rally_t){.rounds = count, .timed = true});
}

static void note(uva_future_t *f, void *arg) {
    *(uint64_t *)arg += uva_status(f) == 0;
}

static int on_done(uint64_t count) {
    uint64_t called = 0;
    int code = 0;
    for (uint64_t done = 0; done < count; done += BATCH) {
        for (size_t i = 0; i < BATCH; i++) {
            uva_future_t *made = uva_future_new();
            code |= uva_on_done(made, note, &called);
            code |= uva_future_resolve(made, NULL);
            uva_unref(made);
        }
        code |= uva_yield();
    }
    return code == 0 && called != count ? UV_EIO : code;
}

static int timeout(uint64_t count) {
    int code = 0;
    for (uint64_t i = 0; i < count; i++) {
        uva_scope_t scope;
        uva_scope_open(&scope, MINUTE_MS, 0);
        code |= uva_scope_close(&scope);
    }
    return code;
}

/* ---- posts -------------------------------------------------------------- */

static void count_call(void *arg) {
    (*(uint64_t *)arg)++;
}

static int post(uint64_t count) {
    uva_runtime_t *runtime = uva_runtime_current();
    uint64_t called = 0;
    int code = 0;
    for (uint64_t done = 0; done < count; done += BATCH) {
        for (size_t i = 0; i < BATCH; i++)
            code |= uva_post(runtime, count_call, &called);
        while (code == 0 && called < done + BATCH)
            code = uva_yield();
    }
    return code;
}

/* ---- semaphores, channels, queues, generators --------------------------- */

static int semaphore_free(uint64_t count) {
    uva_semaphore_t semaphore = UVA_SEMAPHORE_INIT(1);
    int code = 0;
    for (uint64_t i = 0; i < count; i++) {
        code |= uva_semaphore_acquire(&semaphore);
        code |= uva_semaphore_release(&semaphore);
    }
    return code;
}

typedef struct player {
    uva_semaphore_t *mine;
    uva_semaphore_t *theirs;
    uint64_t rounds;
} player_t;

static int pass_permits(void *arg) {
    player_t *player = arg;
    int code = 0;
    for (uint64_t i = 0; i < player->rounds && code == 0; i++) {
        code = uva_semaphore_acquire(player->mine);
        if (code == 0)
            code = uva_semaphore_release(player->theirs);
    }
    return code;
}

static int semaphore_handoff(uint64_t count) {
    uva_semaphore_t ping = UVA_SEMAPHORE_INIT(1);
    uva_semaphore_t pong = UVA_SEMAPHORE_INIT(0);
    player_t players[] = {{&ping, &pong, count / 2}, {&pong, &ping, count / 2}};
    uva_future_t *tasks[] = {uva_spawn(pass_permits, &players[0]),
                             uva_spawn(pass_permits, &players[1])};
    return uva_gather(tasks, 2, NULL);
}

typedef struct feed {
    uva_channel_t channel;
    uva_queue_t queue;
    uint64_t items;
} feed_t;

static int feed_channel(void *arg) {
    feed_t *feed = arg;
    int code = 0;
    for (uint64_t i = 0; i < feed->items && code == 0; i++)
        code = uva_channel_send(&feed->channel, &i);
    return code;
}

static int pass_channel(uint64_t count, size_t capacity) {
    feed_t feed = {.items = count};
    uint64_t item;
    int code = uva_channel_init(&feed.channel, sizeof item, capacity);
    uva_task_t *feeder = uva_spawn(feed_channel, &feed);
    for (uint64_t i = 0; i < count && code == 0; i++)
        code = uva_channel_recv(&feed.channel, &item);
    code |= uva_await(feeder, NULL);
    uva_channel_free(&feed.channel);
    return code;
}

static int channel_unbuffered(uint64_t count) {
    return pass_channel(count, 0);
}

static int channel_128(uint64_t count) {
    return pass_channel(count, CAPACITY);
}

static int feed_queue(void *arg) {
    feed_t *feed = arg;
    int code = 0;
    for (uint64_t i = 0; i < feed->items && code == 0; i++)
        code = uva_queue_put(&feed->queue, NULL);
    return code;
}

static int queue_128(uint64_t count) {
    feed_t feed = {.items = count};
    void *item;
    int code = uva_queue_init(&feed.queue, CAPACITY);
    uva_task_t *feeder = uva_spawn(feed_queue, &feed);
    for (uint64_t i = 0; i < count && code == 0; i++)
        code = uva_queue_get(&feed.queue, &item);
    code |= uva_await(feeder, NULL);
    uva_queue_free(&feed.queue);
    return code;
}

static int emit_items(void *arg) {
    uint64_t items = *(const uint64_t *)arg;
    int code = 0;
    for (uint64_t i = 0; i < items && code == 0; i++)
        code = uva_emit(&i);
    return code;
}

static int generator(uint64_t count) {
    uint64_t item, got = 0;
    uva_generator_t *items = uva_generate(emit_items, &count, sizeof item);
    while (uva_next(items, &item) > 0)
        got++;
    int code = uva_generator_close(items);
    return code == 0 && got != count ? UV_EIO : code;
}

/* ---- streams ------------------------------------------------------------ */

static int echo(void *arg) {
    char buffer[BUFFER_BYTES];
    ssize_t bytes;
    while ((bytes = uva_read(arg, buffer, sizeof buffer)) > 0) {
        bytes = uva_write(arg, buffer, (size_t)bytes);
        if (bytes < 0)
            break;
    }
    return (int)bytes;
}

/* Both ends are in this process: a request is two writes and two reads. */
static int echo_over(uva_stream_t *ends[2], uint64_t count) {
    char message[MESSAGE_BYTES] = "a request";
    char answer[MESSAGE_BYTES];
    uva_task_t *server = uva_spawn(echo, ends[1]);
    int code = 0;
    for (uint64_t i = 0; i < count && code >= 0; i++) {
        code = (int)uva_write(ends[0], message, sizeof message);
        if (code >= 0)
            code = (int)uva_read_exactly(ends[0], answer, sizeof answer);
    }
    uva_stream_close(ends[0]);
    int end = uva_await(server, NULL);
    uva_stream_close(ends[1]);
    if (code > 0)
        code = memcmp(message, answer, sizeof answer) == 0 ? 0 : UV_EIO;
    return code < 0 ? code : end == UV_EOF ? 0 : end;
}

static int echo_memory(uint64_t count) {
    uva_stream_t *ends[2];
    int code = uva_memory_stream_pair(NULL, ends);
    return code < 0 ? code : echo_over(ends, count);
}

static int echo_socket(uint64_t count) {
    uva_stream_t *ends[2];
    int fds[2];
    int code = socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, fds);
    if (code < 0)
        return uv_translate_sys_error(errno);
    for (size_t i = 0; i < 2 && code == 0; i++)
        code = uva_stream_open_fd(fds[i], &ends[i]);
    return code < 0 ? code : echo_over(ends, count);
}

/* ---- the program -------------------------------------------------------- */

typedef struct workload {
    const char *name;
    int (*run)(uint64_t count); /* a multiple of CROWD */
} workload_t;

static const workload_t workloads[] = {
    {"yield", yield},
    {"bare switch", bare_switch},
    {"spawn and await", spawn_await},
    {"gather, per task", gather},
    {"coroutine in place", coroutine},
    {"future made, resolved, awaited", future},
    {"wait for a future", wait_bare},
    {"wait for a future, with a timeout", wait_timed},
    {"scope with a deadline", timeout},
    {"on_done", on_done},
    {"post", post},
    {"semaphore, free", semaphore_free},
    {"semaphore, handed on", semaphore_handoff},
    {"channel, unbuffered", channel_unbuffered},
    {"channel of 128", channel_128},
    {"queue of 128", queue_128},
    {"generator's item", generator},
    {"echo over a memory stream", echo_memory},
    {"echo over a socket pair", echo_socket},
};
enum { WORKLOADS = sizeof workloads / sizeof workloads[0] };

typedef struct order {
    const workload_t *workload;
    uint64_t count;
} order_t;

static int run_order(void *arg) {
    const order_t *order = arg;
    return order->workload->run(order->count);
}

static __attribute__((noinline)) void be_slower(uint64_t count) {
    for (volatile uint64_t i = 0; i < 4 * count; i++)
        continue;
}

static int run(const char *name, const char *count) {
    order_t order = {.count = strtoull(count, NULL, 10)};
    for (size_t i = 0; i < WORKLOADS; i++)
        if (strcmp(workloads[i].name, name) == 0)
            order.workload = &workloads[i];
    if (order.workload == NULL || order.count % CROWD != 0) {
        (void)bench_wrong("no workload '%s' of %s; see --list", name, count);
        return 2;
    }
    int code = uva_run(run_order, &order);
    if (code < 0) {
        (void)bench_wrong("%s: %s", name, uv_strerror(code));
        return 1;
    }
    if (getenv("UVA_SLOWER") != NULL)
        be_slower(order.count);
    printf("%llu\n", (unsigned long long)readings);
    return 0;
}

static void print_made_with(void) {
#if defined(__clang__)
    printf("compiler: clang %s\n", __clang_version__);
#else
    printf("compiler: gcc %s\n", __VERSION__);
#endif
    printf("flags: %s\nlibuv: %s\nlibc: %s\n", BENCH_FLAGS, uv_version_string(),
           gnu_get_libc_version());
}

int main(int argc, char **argv) {
    if (argc == 3)
        return run(argv[1], argv[2]);
    if (argc == 2 && strcmp(argv[1], "--made-with") == 0) {
        print_made_with();
        return 0;
    }
    if (argc == 2 && strcmp(argv[1], "--list") == 0) {
        for (size_t i = 0; i < WORKLOADS; i++)
            puts(workloads[i].name);
        return 0;
    }
    fputs("usage: instructions WORKLOAD N | --list | --made-with\n", stderr);
    return 2;
}
