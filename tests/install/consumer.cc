// The same as consumer.c from C++17: the headers are usable there, and tasks
// may be lambdas that capture nothing.
#include <cstdint>
#include <cstdio>
#include <uvawait.h>

namespace {

int doubled(void *arg) {
    auto *number = static_cast<std::intptr_t *>(arg);
    int code = uva_sleep(5);

    return code < 0 ? code : uva_return(number + 1);
}

int sum(void *) {
    std::intptr_t numbers[] = {19, 20, 21};
    uva_future_t *both[] = {
        uva_spawn(doubled, &numbers[0]),
        uva_spawn(doubled, &numbers[1]),
    };
    void *values[2] = {nullptr, nullptr};
    int code = uva_gather(both, 2, values);

    if (code < 0) {
        return code;
    }
    code = uva_await(uva_spawn([](void *) { return uva_yield(); }, nullptr),
                     nullptr);
    if (code < 0) {
        return code;
    }
    return static_cast<int>(*static_cast<std::intptr_t *>(values[0]) +
                            *static_cast<std::intptr_t *>(values[1]) + 1);
}

} // namespace

int main() {
    int result = uva_run(sum, nullptr);

    if (result != 42) {
        std::fprintf(stderr, "the sum is %d, not 42\n", result);
        return 1;
    }
    std::printf("42, by uvawait %s from C++\n", uva_version());
    return 0;
}
