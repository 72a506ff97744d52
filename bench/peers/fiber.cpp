// The workloads on Boost.Fiber, with its round robin on one thread. Stacks are
// its pool's, without guards: the fastest it has. More than MOST_POOLED at once
// come from malloc(), because the pool asks for half of all that it has in one
// piece; and those of million have guards when PEER_GUARDED is in the
// environment.
#include "peer.h"

#include <boost/fiber/all.hpp>
#include <fcntl.h>
#include <unistd.h>
#include <vector>

namespace fibers = boost::fibers;
namespace this_fiber = boost::this_fiber;
using std::chrono::milliseconds;
using std::chrono::minutes;
using std::chrono::steady_clock;

enum { MOST_POOLED = 20000 };

static boost::context::pooled_fixedsize_stack stacks;
static bool is_pooled = true;
static bool is_guarded = getenv("PEER_GUARDED") != nullptr;

template <typename Body> static fibers::fiber spawn(Body body) {
    if (is_pooled)
        return fibers::fiber(std::allocator_arg, stacks, body);
    return fibers::fiber(std::allocator_arg, boost::context::fixedsize_stack(),
                         body);
}

static void join_all(std::vector<fibers::fiber> &all) {
    for (fibers::fiber &one : all)
        one.join();
    all.clear();
}

static int yield_in_turn(peer_job_t *job) {
    uint64_t sum = 0, each = job->operations / job->size;
    std::vector<fibers::fiber> all;

    peer_start(job);
    for (uint64_t i = 0; i < job->size; i++)
        all.push_back(spawn([&sum, each] {
            for (uint64_t k = 0; k < each; k++) {
                sum++;
                this_fiber::yield();
            }
        }));
    join_all(all);
    peer_stop(job);
    return peer_check("turns", sum, job->operations);
}

static int spawn_await(peer_job_t *job) {
    uint64_t sum = 0;

    peer_start(job);
    for (uint64_t i = 0; i < job->operations; i++)
        spawn([&sum] { sum++; }).join();
    peer_stop(job);
    return peer_check("tasks", sum, job->operations);
}

static int spawn_gather(peer_job_t *job) {
    uint64_t sum = 0;
    std::vector<fibers::fiber> all;

    all.reserve(job->size);
    peer_start(job);
    for (uint64_t done = 0; done < job->operations; done += job->size) {
        for (uint64_t i = 0; i < job->size; i++)
            all.push_back(spawn([&sum] { sum++; }));
        join_all(all);
    }
    peer_stop(job);
    return peer_check("tasks", sum, job->operations);
}

// A waiter, and one who completes what it waits for.
static int rally(peer_job_t *job, bool timed) {
    fibers::promise<int> *ball = nullptr;
    uint64_t sum = 0;

    peer_start(job);
    fibers::fiber waiter = spawn([&] {
        for (uint64_t i = 0; i < job->operations; i++) {
            fibers::promise<int> promise;
            fibers::future<int> future = promise.get_future();
            ball = &promise;
            if (timed &&
                future.wait_for(minutes(1)) != fibers::future_status::ready)
                return;
            sum += (uint64_t)future.get();
        }
    });
    fibers::fiber server = spawn([&] {
        for (uint64_t i = 0; i < job->operations; this_fiber::yield()) {
            if (ball == nullptr)
                continue;
            fibers::promise<int> *one = ball;
            ball = nullptr;
            one->set_value(1);
            i++;
        }
    });
    waiter.join();
    server.join();
    peer_stop(job);
    return peer_check("waits", sum, job->operations);
}

static int wait_bare(peer_job_t *job) {
    return rally(job, false);
}

static int wait_timed(peer_job_t *job) {
    return rally(job, true);
}

template <typename Channel> static int pass(peer_job_t *job, Channel &channel) {
    uint64_t sum = 0;

    peer_start(job);
    fibers::fiber sender = spawn([&] {
        for (uint64_t i = 0; i < job->operations; i++)
            channel.push(i);
        channel.close();
    });
    for (uint64_t item : channel)
        sum += item;
    sender.join();
    peer_stop(job);
    return peer_check("sum of items", sum,
                      job->operations * (job->operations - 1) / 2);
}

static int handoff(peer_job_t *job) {
    fibers::unbuffered_channel<uint64_t> channel;

    return pass(job, channel);
}

static int queue(peer_job_t *job) {
    fibers::buffered_channel<uint64_t> channel(PEER_QUEUE);

    return pass(job, channel);
}

// Boost 1.74 has no semaphore: a channel that holds the permits is one.
static int semaphore(peer_job_t *job) {
    fibers::buffered_channel<int> permits(256);
    uint64_t inside = 0, most = 0, done = 0;
    std::vector<fibers::fiber> all;

    for (int i = 0; i < PEER_PERMITS; i++)
        permits.push(i);
    all.reserve(job->size);
    peer_start(job);
    for (uint64_t begun = 0; begun < job->operations; begun += job->size) {
        for (uint64_t i = 0; i < job->size; i++)
            all.push_back(spawn([&] {
                int permit = permits.value_pop();
                inside++;
                most = std::max(most, inside);
                this_fiber::yield();
                inside--;
                done++;
                permits.push(permit);
            }));
        join_all(all);
    }
    peer_stop(job);
    return peer_check("workers", done, job->operations) |
           peer_check("at once", most, PEER_PERMITS);
}

static int sleep_all(peer_job_t *job) {
    uint64_t done = 0;
    std::vector<fibers::fiber> all;

    all.reserve(job->size);
    peer_start(job);
    for (uint64_t i = 0; i < job->size; i++)
        all.push_back(spawn([&done] {
            this_fiber::sleep_for(milliseconds(PEER_NAP_MS));
            done++;
        }));
    join_all(all);
    peer_stop(job);
    return peer_check("naps", done, job->size);
}

// protected_fixedsize_stack does not notice when the kernel has no more
// mappings and its guard is not there: so that is looked at here. By then there
// is no memory to be had either.
static void check_guards(uint64_t count) {
    static const char mark[] = " ---p ";
    static char text[65536];
    uint64_t guards = 0;
    size_t matched = 0;
    int maps = open("/proc/self/maps", O_RDONLY);

    for (ssize_t bytes; (bytes = read(maps, text, sizeof text)) > 0;)
        for (ssize_t i = 0; i < bytes; i++) {
            matched = text[i] == mark[matched] ? matched + 1 : 0;
            if (mark[matched] == '\0') {
                guards++;
                matched = 0;
            }
        }
    if (guards >= count)
        return;
    fprintf(stderr, "%llu of %llu stacks have a guard\n",
            (unsigned long long)guards, (unsigned long long)count);
    _exit(1);
}

// A million, as far as there is memory for their stacks.
template <typename Stack>
static std::vector<fibers::fiber> spawn_sleepers(uint64_t count, Stack stack,
                                                 uint64_t &awake) {
    auto start = steady_clock::now();
    std::vector<fibers::fiber> all;

    all.reserve(count);
    try {
        for (uint64_t i = 0; i < count; i++)
            all.push_back(
                fibers::fiber(std::allocator_arg, stack, [start, i, &awake] {
                    auto due = start + milliseconds(peer_wake_ms(i));
                    this_fiber::sleep_until(due);
                    awake += steady_clock::now() >= due;
                }));
    } catch (const std::bad_alloc &) {
        fprintf(stderr, "no memory for more than %zu fibers\n", all.size());
        _exit(1);
    }
    return all;
}

template <typename Stack>
static int sleep_million(uint64_t count, Stack stack, double *ret_beyond_s) {
    uint64_t start_ns = peer_now_ns(), awake = 0;
    std::vector<fibers::fiber> all = spawn_sleepers(count, stack, awake);

    if (is_guarded)
        check_guards(count);
    join_all(all);
    *ret_beyond_s = peer_beyond_s(start_ns);
    return peer_check("awake in time", awake, count);
}

template <typename Stack>
static int sleep_millions(peer_job_t *job, Stack stack) {
    double before = peer_memory("VmRSS:"), beyond_s = 0;

    if (sleep_million(job->size, stack, &beyond_s) != 0)
        return -1;
    peer_report_million("s", beyond_s, before, job->size);
    if (sleep_million(job->size, stack, &beyond_s) != 0)
        return -1;
    peer_report_million("again_s", beyond_s, before, job->size);
    return 0;
}

static int million(peer_job_t *job) {
    if (is_guarded)
        return sleep_millions(job, boost::context::protected_fixedsize_stack());
    return sleep_millions(job, boost::context::fixedsize_stack());
}

static const peer_workload_t workloads[] = {
    {"yield", yield_in_turn, nullptr},
    {"spawn", spawn_await, nullptr},
    {"gather", spawn_gather, nullptr},
    {"wait", wait_bare, nullptr},
    {"wait-timeout", wait_timed, nullptr},
    {"handoff", handoff, nullptr},
    {"queue", queue, nullptr},
    {"semaphore", semaphore, nullptr},
    {"sleep", sleep_all, peer_report_beyond},
    {"million", million, peer_report_none},
};

int main(int argc, char **argv) {
    is_pooled = argc < 4 || strtoull(argv[3], nullptr, 10) <= MOST_POOLED;
    try {
        return PEER_MAIN(argc, argv, workloads);
    } catch (const std::exception &error) {
        fprintf(stderr, "%s\n", error.what());
        return 1;
    }
}
