// The workloads that two bare contexts of Boost.Context can do, without a
// scheduler: each says who goes on. On stacks without guards, used again.
#include "peer.h"

#include <boost/context/fiber.hpp>
#include <boost/context/pooled_fixedsize_stack.hpp>

namespace context = boost::context;

static context::pooled_fixedsize_stack stacks;

// Each resumes the other; the one that ends goes back to who resumed it.
static int yield_in_turn(peer_job_t *job) {
    uint64_t turns = 0;
    context::fiber other(std::allocator_arg, stacks,
                         [&turns](context::fiber &&back) {
                             for (;;) {
                                 turns++;
                                 back = std::move(back).resume();
                             }
                             return std::move(back);
                         });

    peer_start(job);
    for (uint64_t i = 0; i < job->operations / 2; i++) {
        turns++;
        other = std::move(other).resume();
    }
    peer_stop(job);
    return peer_check("turns", turns, job->operations / 2 * 2);
}

static int spawn_await(peer_job_t *job) {
    uint64_t sum = 0;

    peer_start(job);
    for (uint64_t i = 0; i < job->operations; i++) {
        context::fiber one(std::allocator_arg, stacks,
                           [&sum](context::fiber &&back) {
                               sum++;
                               return std::move(back);
                           });
        one = std::move(one).resume();
    }
    peer_stop(job);
    return peer_check("tasks", sum, job->operations);
}

static const peer_workload_t workloads[] = {
    {"yield", yield_in_turn, nullptr},
    {"spawn", spawn_await, nullptr},
};

int main(int argc, char **argv) {
    return PEER_MAIN(argc, argv, workloads);
}
