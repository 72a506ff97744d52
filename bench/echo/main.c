/*
 * bench-echo: an echo server on uvawait beside raw libuv, epoll by hand, Go,
 * Node and asyncio. The server runs on one processor, the load on the other
 * (with one connection both on one: there the wake-ups of the virtual machine
 * would be measured). Requests a second, the server's CPU time for each, and
 * the time within which 99 of 100 are answered.
 */
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <uvawait.h>

#include "bench/harness/measure.h"
#include "bench/harness/output.h"
#include "bench/harness/table.h"
#include "churn.h"
#include "load.h"
#include "server.h"
#include "syscalls.h"

enum { SERVERS_MAX = 8, LOADS = 3, METRICS = 3, ROUNDS = 5 };

static const size_t loads[LOADS] = {1, 50, 1000};

static bench_series_t samples[SERVERS_MAX][LOADS][METRICS];

/* ---- measuring ---------------------------------------------------------- */

static int sample(size_t index, size_t at, double seconds) {
    const server_t *server = &servers[index];
    load_result_t result = {0};
    pid_t pid = -1;
    int port = server_start(server, NULL, &pid);

    if (port < 0)
        return port;
    server_pin(0, loads[at] == 1 ? 0 : 1);
    double before = server_cpu_ns(pid);
    int code = load_run(port, loads[at], seconds, &result);
    double used = server_cpu_ns(pid) - before;
    server_stop(pid);
    if (code < 0 || result.requests == 0)
        return bench_wrong("%s failed", server->name);
    double requests = (double)result.requests;
    bench_series_add(&samples[index][at][0], requests / result.seconds);
    bench_series_add(&samples[index][at][1], used / requests);
    bench_series_add(&samples[index][at][2], result.p99_us * 1e3);
    return 0;
}

static int measure(size_t count, size_t rounds, double seconds) {
    for (size_t i = 0; i < count; i++)
        for (size_t at = 0; at < LOADS; at++)
            for (size_t metric = 0; metric < METRICS; metric++)
                if (bench_series_init(&samples[i][at][metric], rounds) < 0)
                    return UV_ENOMEM;
    for (size_t at = 0; at < LOADS; at++) {
        for (size_t round = 0; round < rounds; round++) {
            for (size_t i = 0; i < count; i++) {
                int code = sample(i, at, seconds);
                if (code < 0)
                    return code;
            }
        }
    }
    return 0;
}

/* ---- showing ------------------------------------------------------------ */

static void fill(char *cell, const bench_series_t *series, const char *unit) {
    bench_summary_t summary = bench_summarise(series);
    char mad[BENCH_CELL_BYTES / 2 - 8], median[BENCH_CELL_BYTES / 2];

    if (unit == NULL) {
        snprintf(cell, BENCH_CELL_BYTES, "%.0f +- %.0f", summary.median,
                 summary.mad);
        return;
    }
    bench_format(median, sizeof median, summary.median, unit);
    bench_format(mad, sizeof mad, summary.mad, unit);
    snprintf(cell, BENCH_CELL_BYTES, "%s +- %s", median, mad);
}

static void show(size_t count, size_t at) {
    bench_row_t rows[SERVERS_MAX + 1] = {
        {{"", "requests/s", "of libuv's", "CPU a request", "p99"}}};
    double libuv = bench_summarise(&samples[1][at][0]).median;

    snprintf(rows[0].cells[0], BENCH_CELL_BYTES, "%zu connection%s", loads[at],
             loads[at] == 1 ? "" : "s");
    for (size_t i = 0; i < count; i++) {
        bench_row_t *row = &rows[i + 1];
        const bench_series_t *found = samples[i][at];
        snprintf(row->cells[0], BENCH_CELL_BYTES, "%s", servers[i].name);
        fill(row->cells[1], &found[0], NULL);
        snprintf(row->cells[2], BENCH_CELL_BYTES, "%.2f",
                 bench_summarise(&found[0]).median / libuv);
        fill(row->cells[3], &found[1], "ns");
        fill(row->cells[4], &found[2], "ns");
    }
    bench_table_print(rows, count + 1, 5, stdout);
    putchar('\n');
}

static int compare(bool quick) {
    size_t count = server_count();
    int code = measure(count, quick ? 1 : ROUNDS, quick ? 0.3 : 2);
    for (size_t at = 0; at < LOADS && code == 0; at++)
        show(count, at);
    return code;
}

static void print_help(const char *program) {
    printf("usage: %s [--quick | --syscalls | --churn N]\n"
           "Echo servers under load.\n\n"
           "  --quick     one short round: a look\n"
           "  --syscalls  the system calls for each request, by strace\n"
           "  --churn N   opens and closes N connections to uvawait's server,\n"
           "              and looks at its memory and descriptors\n",
           program);
}

int main(int argc, char **argv) {
    static const struct option options[] = {
        {"quick", no_argument, NULL, 'q'},
        {"syscalls", no_argument, NULL, 's'},
        {"churn", required_argument, NULL, 'c'},
        {"help", no_argument, NULL, 'h'},
        {NULL, 0, NULL, 0}};
    struct rlimit files = {.rlim_cur = 4096, .rlim_max = 4096};
    (void)setrlimit(RLIMIT_NOFILE, &files); /* 1000 connections */
    switch (getopt_long(argc, argv, "", options, NULL)) {
    case -1:
        return compare(false) < 0;
    case 'q':
        return compare(true) < 0;
    case 's':
        return syscalls_show() < 0;
    case 'c':
        return churn_show(strtoull(optarg, NULL, 10)) < 0;
    case 'h':
        print_help(argv[0]);
        return 0;
    default:
        return 2;
    }
}
