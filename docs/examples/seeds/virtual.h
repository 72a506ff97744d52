/*
 * Put before a seed program (-include) to run it by the virtual clock, without
 * a word about it in the program: sleeps take no time, and whoever asks what
 * time it is hears that they did. Blocking sleeps move the clock by hand.
 *
 * Between two runs there is no clock of a runtime, so the time that runs have
 * taken is summed up here.
 */
#ifndef SEEDS_VIRTUAL_H
#define SEEDS_VIRTUAL_H

#include <uvawait/async.h>

static uint64_t virtual_ms; /* of the runs that are over */
static uva_fn virtual_body;

static int virtual_run_body(void *arg) {
    int code = virtual_body(arg);
    virtual_ms += uva_now_ms();
    return code;
}

__attribute__((unused)) static int
virtual_run_at(const char *site, const uva_options_t *options,
               const uva_async_t *async, const void *self, void *ret_value) {
    uva_options_t all = options != NULL ? *options : (uva_options_t){0};
    all.clock = UVA_CLOCK_VIRTUAL;
    if (uva_runtime_current() != NULL)
        return uva_async_run_at(site, &all, async, self, ret_value);
    uva_async_t timed = *async;
    timed.run = virtual_run_body;
    virtual_body = async->run;
    return uva_async_run_at(site, &all, &timed, self, ret_value);
}

__attribute__((unused)) static int
virtual_main_at(const char *site, const uva_async_t *async, const void *self) {
    return virtual_run_at(site, NULL, async, self, NULL) < 0;
}

__attribute__((unused)) static uint64_t virtual_now_ms(void) {
    return virtual_ms + (uva_runtime_current() != NULL ? uva_now_ms() : 0);
}

__attribute__((unused)) static void virtual_sleep(unsigned ms) {
    (void)uva_clock_advance(ms);
}

#define uva_async_run_at(...)  virtual_run_at(__VA_ARGS__)
#define uva_async_main_at(...) virtual_main_at(__VA_ARGS__)
#define uva_now_ms()           virtual_now_ms()
#define uv_sleep(ms)           virtual_sleep(ms)

#endif
