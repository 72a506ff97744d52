/* Each mistake that the documents name, provoked; what uvawait says is on
 * stderr. */
#include <uvawait/async.h>

#include <stdio.h>

typedef struct result {
    int data;
} result_t;

UVA_ASYNC(result_t, fetch_data) {
    UVA_CHECK(uva_sleep(0));
    UVA_RETURN((result_t){.data = 42});
}

/* `fetch_data();` alone: the compiler warns. */
UVA_ASYNC(void, never_awaited) {
    uva_unref(UVA_FUTURE(fetch_data()));
    return 0;
}

UVA_ASYNC(void, run_inside_running_loop) {
    if (UVA_RUN(fetch_data()) == UV_EBUSY)
        puts("RuntimeError: asyncio.run() cannot be called from a running "
             "event loop");
    return 0;
}

UVA_ASYNC(void, blocks_the_loop) {
    uv_sleep(200);
    return 0;
}

UVA_ASYNC(void, sleeps, (uint64_t, ms)) {
    return uva_sleep(ms);
}

UVA_ASYNC(void, forgotten_background_task) {
    uva_detach(UVA_SPAWN(sleeps(10000)).future);
    return 0;
}

UVA_ASYNC(void, boom) {
    return uva_fail(UV_EINVAL, "lost");
}

UVA_ASYNC(void, exception_never_retrieved) {
    struct boom t = UVA_SPAWN(boom());
    UVA_CHECK(uva_sleep(0));
    UVA_CHECK(uva_sleep(0));
    uva_unref(t.future);
    return 0;
}

int main(void) {
    uva_options_t debug = {.debug = true};
    return UVA_RUN(never_awaited()) < 0 ||
           UVA_RUN(run_inside_running_loop()) < 0 ||
           UVA_RUN_WITH(&debug, blocks_the_loop()) < 0 ||
           UVA_RUN(exception_never_retrieved()) < 0 ||
           UVA_RUN(forgotten_background_task()) < 0;
}
