#include <uvawait/async.h>

#include <stdio.h>

struct timer {
    uint64_t start;
};

static int timer_enter(struct timer *self) {
    self->start = uva_now_ms();
    return 0;
}

static int timer_exit(struct timer *self, int failure) {
    uint64_t elapsed = uva_now_ms() - self->start;
    printf("Elapsed: %.3fs\n", (double)elapsed / 1000);
    return failure;
}

UVA_DEFINE_WITH(timer, struct timer *, timer_enter, timer_exit);

UVA_ASYNC(void, async_main) {
    struct timer timer;
    UVA_WITH(timer, &timer)
        UVA_CHECK(uva_sleep(500));
    return 0;
}

UVA_MAIN(async_main());
