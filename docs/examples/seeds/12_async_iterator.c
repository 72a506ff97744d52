#include <uvawait/async.h>

#include <stdio.h>

struct async_counter {
    UVA_ITERATOR(struct async_counter, int);
    int stop;
    int current;
};

static int async_counter_next(struct async_counter *self, int *ret_item) {
    if (self->current >= self->stop)
        return 0;
    UVA_CHECK(uva_sleep(100));
    *ret_item = ++self->current;
    return 1;
}

static struct async_counter async_counter(int stop) {
    return (struct async_counter){.next = async_counter_next, .stop = stop};
}

UVA_ASYNC(void, async_main) {
    UVA_FOR(int, num, async_counter(5))
        printf("%d\n", num);
    return 0;
}

UVA_MAIN(async_main());
