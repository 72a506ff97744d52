#include <uvawait/async.h>

#include <stdio.h>

UVA_ASYNC(const char *, my_coroutine) {
    UVA_RETURN("result");
}

static void my_awaitable_end(void *f) {
    uva_future_resolve(f, "custom result");
}

static int my_awaitable_start(void *self, uva_future_t *f) {
    (void)self;
    return uva_post(uva_runtime_current(), my_awaitable_end, f);
}

static const uva_awaitable_ops_t my_awaitable = {.name = "my_awaitable",
                                                 .start = my_awaitable_start};

static void set_result(void *future) {
    uva_future_resolve(future, "value");
}

UVA_ASYNC(void, async_main) {
    puts(UVA_TRY(my_coroutine()));

    struct my_coroutine task = UVA_SPAWN(my_coroutine());
    puts(UVA_TRY(task));

    const char *result;
    uva_future_t *future = uva_future_new();
    if (uva_post(uva_runtime_current(), set_result, future) < 0)
        uva_future_fail(future, UV_ENOMEM, NULL);
    UVA_CHECK(uva_await(future, &result));
    puts(result);

    UVA_CHECK(uva_await(uva_awaitable(&my_awaitable, NULL), &result));
    puts(result);
    return 0;
}

UVA_MAIN(async_main());
