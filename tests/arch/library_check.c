/*
 * The whole library in one small program without check: cross.sh runs it under
 * an emulator, built for the emulated machine against that machine's libuv.
 * Ends with a line "N passed, M failed".
 */
#include <uvawait.h>

#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <uv.h>

static unsigned passed;
static unsigned failed;

static void expect(bool good, const char *what) {
    passed += good;
    failed += !good;
    if (!good)
        printf("failed: %s\n", what);
}

/* ---- spawn, gather, wait_for -------------------------------------------- */

static int doubled(void *arg) {
    intptr_t number = (intptr_t)arg;
    int code = uva_sleep((uint64_t)(10 - number));
    return code < 0 ? code : uva_return((void *)(number * 2));
}

static int sleep_long(void *arg) {
    (void)arg;
    return uva_sleep(60000);
}

static void check_gather(void) {
    uva_future_t *futures[3];
    void *values[3] = {NULL, NULL, NULL};
    for (intptr_t i = 0; i < 3; i++)
        futures[i] = uva_spawn(doubled, (void *)(i + 1));
    expect(uva_gather(futures, 3, values) == 0, "gather succeeds");
    expect((intptr_t)values[0] == 2 && (intptr_t)values[1] == 4 &&
               (intptr_t)values[2] == 6,
           "gather gives the values in order");
}

static void check_wait_for(void) {
    void *value = NULL;
    expect(uva_wait_for(uva_spawn(doubled, (void *)4), 10000, &value) == 0 &&
               (intptr_t)value == 8,
           "wait_for gives what came in time");
    expect(uva_wait_for(uva_spawn(sleep_long, NULL), 5, NULL) == UV_ETIMEDOUT,
           "wait_for ends what takes too long");
}

/* ---- semaphore ---------------------------------------------------------- */

typedef struct desk {
    uva_semaphore_t semaphore;
    int inside;
    int most;
} desk_t;

static int visit(void *arg) {
    desk_t *desk = arg;
    int code = uva_semaphore_acquire(&desk->semaphore);
    if (code < 0)
        return code;
    desk->inside++;
    if (desk->most < desk->inside)
        desk->most = desk->inside;
    code = uva_sleep(1);
    desk->inside--;
    (void)uva_semaphore_release(&desk->semaphore);
    return code;
}

static void check_semaphore(void) {
    desk_t desk = {.inside = 0};
    uva_future_t *futures[20];
    uva_semaphore_init(&desk.semaphore, 3);
    for (int i = 0; i < 20; i++)
        futures[i] = uva_spawn(visit, &desk);
    expect(uva_gather(futures, 20, NULL) == 0, "all pass the semaphore");
    expect(desk.most == 3, "as many at once as it has permits");
}

/* ---- threads ------------------------------------------------------------ */

static int work_elsewhere(void *arg) {
    uv_thread_t *thread = arg;
    *thread = uv_thread_self();
    return 7;
}

static void check_to_thread(void) {
    uv_thread_t here = uv_thread_self();
    uv_thread_t there = here;
    expect(uva_to_thread(work_elsewhere, &there) == 7, "to_thread's code");
    expect(!uv_thread_equal(&here, &there), "to_thread runs in a thread");
}

typedef struct errand {
    uva_runtime_t *runtime;
    uva_future_t *answer;
} errand_t;

static void deliver(void *arg) {
    const errand_t *errand = arg;
    (void)uva_future_resolve(errand->answer, (void *)(intptr_t)42);
}

static void post_answer(void *arg) {
    const errand_t *errand = arg;
    if (uva_post(errand->runtime, deliver, arg) < 0)
        printf("failed: post\n");
}

static void check_post(void) {
    /* Held, since nothing else says that somebody is going to post. */
    errand_t errand = {uva_runtime_ref(uva_runtime_current()),
                       uva_future_new()};
    uv_thread_t thread;
    void *value = NULL;
    if (uv_thread_create(&thread, post_answer, &errand) < 0) {
        expect(false, "a thread");
        uva_unref(errand.answer);
        uva_runtime_unref(errand.runtime);
        return;
    }
    int code = uva_await(errand.answer, &value);
    expect(code == 0 && (intptr_t)value == 42, "post from a thread arrives");
    (void)uv_thread_join(&thread);
    uva_runtime_unref(errand.runtime);
}

/* ---- TCP ---------------------------------------------------------------- */

static int echo_once(void *arg) {
    uva_listener_t *listener = arg;
    uva_stream_t *stream = NULL;
    char buffer[64];
    int code = uva_accept(listener, &stream);
    if (code < 0)
        return code;
    ssize_t got = uva_read(stream, buffer, sizeof buffer);
    while (got > 0) {
        got = uva_write(stream, buffer, (size_t)got);
        if (got >= 0)
            got = uva_read(stream, buffer, sizeof buffer);
    }
    uva_stream_close(stream);
    return got == UV_EOF ? 0 : (int)got;
}

static int talk(int port) {
    static const char words[] = "there and back again";
    char answer[sizeof words];
    uva_stream_t *stream = NULL;
    int code = uva_tcp_connect("127.0.0.1", port, &stream);
    if (code < 0)
        return code;
    ssize_t count = 0;
    for (int i = 0; i < 10 && count >= 0; i++) {
        memset(answer, 0, sizeof answer);
        count = uva_write(stream, words, sizeof words);
        if (count >= 0)
            count = uva_read_exactly(stream, answer, sizeof answer);
        if (count >= 0 && memcmp(words, answer, sizeof words) != 0)
            count = UV_EPROTO;
    }
    uva_stream_close(stream);
    return count < 0 ? (int)count : 0;
}

static void check_tcp(void) {
    uva_listener_t *listener = NULL;
    int code = uva_tcp_listen("127.0.0.1", 0, 16, &listener);
    expect(code == 0, "tcp_listen");
    if (code < 0)
        return;
    uva_task_t *server = uva_spawn(echo_once, listener);
    expect(talk(uva_listener_port(listener)) == 0, "TCP there and back");
    expect(uva_await(server, NULL) == 0, "the echo server's end");
    uva_listener_close(listener);
}

/* ---- clocks ------------------------------------------------------------- */

static int real_main(void *arg) {
    (void)arg;
    check_gather();
    check_wait_for();
    check_semaphore();
    check_to_thread();
    check_post();
    check_tcp();
    return 0;
}

/* An hour passes at once. */
static int virtual_main(void *arg) {
    uint64_t *slept_ms = arg;
    uint64_t before = uva_now_ms();
    int code = uva_sleep(3600000);
    *slept_ms = uva_now_ms() - before;
    return code;
}

int main(void) {
    uint64_t slept_ms = 0;
    uva_options_t options = {.clock = UVA_CLOCK_VIRTUAL};
    expect(uva_run(real_main, NULL) == 0, "a run with the real clock");
    uint64_t before = uv_hrtime();
    expect(uva_run_with(&options, virtual_main, &slept_ms) == 0,
           "a run with the virtual clock");
    expect(slept_ms == 3600000, "an hour of the virtual clock");
    expect(uv_hrtime() - before < UINT64_C(60000000000),
           "the virtual clock does not wait");
    printf("%u passed, %u failed\n", passed, failed);
    return failed != 0;
}
