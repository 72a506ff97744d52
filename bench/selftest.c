/*
 * Whether the benchmarks can be believed: a subject that computes something
 * wrong fails, one that is slow is seen to be slow, and the load of the echo
 * benchmark notices a server that answers wrongly and one that is slow.
 */
#include "echo/load.h"
#include "echo/server.h"
#include "harness/measure.h"
#include "harness/micro.h"

#include <arpa/inet.h>
#include <getopt.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

enum { QUICK = 200000, TIMES = 10 };

static int passed, failed;

static void expect(bool is_so, const char *what) {
    printf("%s: %s\n", is_so ? "ok" : "FAILED", what);
    if (is_so)
        passed++;
    else
        failed++;
}

/* ---- the harness --------------------------------------------------------- */

static int count_up(void *arg) {
    bench_job_t *job = arg;
    volatile uint64_t sum = 0;

    bench_start(job);
    for (uint64_t i = 0; i < QUICK; i++)
        sum = sum + 1;
    bench_stop(job);
    return 0;
}

static int count_up_slowly(void *arg) {
    int code = 0;

    for (int i = 0; i < TIMES; i++)
        code |= count_up(arg);
    return code;
}

static int be_wrong(void *arg) {
    bench_job_t *job = arg;

    bench_start(job);
    bench_stop(job);
    return bench_wrong("this is the wrong one, as it must be");
}

static const bench_micro_t subjects[] = {
    {.name = "right", .run = count_up, .plain = true, .operations = QUICK},
    {.name = "wrong", .run = be_wrong, .plain = true, .operations = QUICK},
};

static int run_subject(char *name) {
    char *arguments[] = {(char[]){"selftest"}, (char[]){"--quick"},
                         (char[]){"--only"}, name, NULL};
    optind = 1;
    return BENCH_MAIN(4, arguments, "", subjects);
}

static void test_a_wrong_subject_fails(void) {
    expect(run_subject((char[]){"wrong"}) == EXIT_FAILURE,
           "a wrong subject ends its program with status 1");
    expect(run_subject((char[]){"right"}) == EXIT_SUCCESS,
           "a right one with 0");
}

/* What bench_measure() sees of a function of a micro-benchmark. */
static int run_plainly(const bench_subject_t *self, double *ret_value) {
    bench_job_t job = {.operations = QUICK, .value = -1};
    const bench_micro_t *micro = self->arg;
    int code = micro->run(&job);

    *ret_value = (double)job.elapsed_ns / QUICK;
    return code;
}

static void test_a_slow_subject_is_seen(void) {
    bench_micro_t quick = {.run = count_up}, slow = {.run = count_up_slowly};
    bench_subject_t both[] = {
        {.name = "quick", .unit = "ns", .run = run_plainly, .arg = &quick},
        {.name = "slow", .unit = "ns", .run = run_plainly, .arg = &slow}};
    bench_plan_t plan = {.warmups = 1, .runs = 9};
    bench_series_t series[2];

    int code = bench_measure(both, 2, &plan, series);
    double ratio =
        bench_summarise(&series[1]).median / bench_summarise(&series[0]).median;
    printf("%d times the work takes %.1f times as long\n", TIMES, ratio);
    expect(code == 0 && ratio > TIMES / 3.0 && ratio < TIMES * 3.0,
           "a slow subject is seen to be slow");
    bench_series_free(&series[0]);
    bench_series_free(&series[1]);
}

/* ---- the load ------------------------------------------------------------ */

typedef enum manner { RIGHT, WRONG, SLOW, SHORT } manner_t;

enum { PAUSE_US = 2000, MESSAGE_BYTES = 64 };

static int listen_somewhere(int *ret_port) {
    struct sockaddr_in address = {.sin_family = AF_INET,
                                  .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t bytes = sizeof address;
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

    if (bind(fd, (struct sockaddr *)&address, bytes) < 0 || listen(fd, 1) < 0 ||
        getsockname(fd, (struct sockaddr *)&address, &bytes) < 0)
        return -1;
    *ret_port = ntohs(address.sin_port);
    return fd;
}

/* An echo server for one connection, with a fault. */
static _Noreturn void serve(int listener, manner_t manner) {
    char message[MESSAGE_BYTES];
    int fd = accept(listener, NULL, NULL);
    ssize_t bytes;

    while ((bytes = recv(fd, message, sizeof message, 0)) > 0) {
        if (manner == WRONG)
            message[MESSAGE_BYTES / 2] ^= 1;
        if (manner == SHORT)
            bytes--;
        if (manner == SLOW)
            usleep(PAUSE_US);
        if (send(fd, message, (size_t)bytes, MSG_NOSIGNAL) != bytes)
            break;
    }
    _exit(0);
}

static int load_one(manner_t manner, load_result_t *ret_result) {
    int port = 0;
    int listener = listen_somewhere(&port);
    fflush(stdout);
    pid_t server = fork();

    if (server == 0)
        serve(listener, manner);
    int code = load_run(server, port, 1, 0.2, ret_result);
    close(listener);
    (void)kill(server, SIGTERM);
    (void)waitpid(server, NULL, 0);
    return code;
}

static void test_the_load_notices(void) {
    load_result_t right = {0}, slow = {0}, other = {0};

    expect(load_one(RIGHT, &right) == 0 && right.requests > 0,
           "a right echo server passes");
    expect(load_one(WRONG, &other) < 0, "a wrong answer is noticed");
    expect(load_one(SHORT, &other) < 0, "a short answer is noticed");
    expect(load_one(SLOW, &slow) == 0, "a slow echo server passes");
    double rate = (double)slow.requests / slow.seconds;
    printf("%.0f requests/s and a p99 of %.0f us, with a pause of %d us\n",
           rate, slow.p99_us, PAUSE_US);
    expect(rate < 1e6 / PAUSE_US && slow.p99_us >= PAUSE_US,
           "and is seen to be slow");
    expect(right.server_cpu_ns > 0 && right.load_cpu_ns > 0,
           "the processor time of both is measured");
}

int main(void) {
    test_a_wrong_subject_fails();
    test_a_slow_subject_is_seen();
    test_the_load_notices();
    printf("%d passed, %d failed\n", passed, failed);
    return failed != 0;
}
