/*
 * bench-echo: an echo server on uvawait beside raw libuv, epoll by hand, Go,
 * tokio, Node, asyncio and uvloop. The server runs on one processor, the load
 * on the other (with one connection both on one: there the wake-ups of the
 * virtual machine would be measured). Requests a second, the server's CPU time
 * for each, the time within which 99 of 100 are answered, and how busy the two
 * processors were: a rate says something of the server only while the load's is
 * not the one that is always busy.
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

enum { SERVERS_MAX = 12, LOADS = 3, ROUNDS = 5 };

/* What is measured of a server; the last two are processors that were busy. */
enum { RATE, CPU_NS, P99_NS, SERVER_BUSY, LOAD_BUSY, METRICS };

static const size_t loads[LOADS] = {1, 50, 1000};

static bench_series_t samples[SERVERS_MAX][LOADS][METRICS];

/* ---- measuring ---------------------------------------------------------- */

static int sample(const server_t *server, size_t connections, double seconds,
                  double ret_values[METRICS]) {
    load_result_t result = {0};
    pid_t pid = -1;
    int port = server_start(server, NULL, &pid);

    if (port < 0)
        return port;
    server_pin(0, connections == 1 ? 0 : 1);
    int code = load_run(pid, port, connections, seconds, &result);
    server_stop(pid);
    if (code < 0 || result.requests == 0)
        return bench_wrong("%s failed", server->name);
    double requests = (double)result.requests;
    ret_values[RATE] = requests / result.seconds;
    ret_values[CPU_NS] = result.server_cpu_ns / requests;
    ret_values[P99_NS] = result.p99_us * 1e3;
    ret_values[SERVER_BUSY] = result.server_cpu_ns / 1e9 / result.seconds;
    ret_values[LOAD_BUSY] = result.load_cpu_ns / 1e9 / result.seconds;
    return 0;
}

static int sample_into(size_t index, size_t at, double seconds) {
    double values[METRICS];
    int code = sample(&servers[index], loads[at], seconds, values);

    for (size_t metric = 0; metric < METRICS && code == 0; metric++)
        bench_series_add(&samples[index][at][metric], values[metric]);
    return code;
}

/* One sample of one server, as the peers print theirs (peers/peer.h). */
static int print_sample(const char *name, size_t connections, double seconds) {
    const server_t *server = server_find(name);
    double values[METRICS];

    if (server == NULL)
        return bench_wrong("no server '%s' was built", name);
    if (connections == 0 || seconds <= 0)
        return bench_wrong("--sample needs --connections and --seconds");
    int code = sample(server, connections, seconds, values);
    if (code < 0)
        return code;
    printf("rate %.0f\ncpu_us %.3f\np99_us %.1f\n", values[RATE],
           values[CPU_NS] / 1e3, values[P99_NS] / 1e3);
    printf("server_busy %.3f\nload_busy %.3f\n", values[SERVER_BUSY],
           values[LOAD_BUSY]);
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
                int code = sample_into(i, at, seconds);
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
        {{"", "requests/s", "of libuv's", "CPU a request", "p99",
          "busy: server, load"}}};
    double libuv = bench_summarise(&samples[1][at][RATE]).median;

    snprintf(rows[0].cells[0], BENCH_CELL_BYTES, "%zu connection%s", loads[at],
             loads[at] == 1 ? "" : "s");
    for (size_t i = 0; i < count; i++) {
        bench_row_t *row = &rows[i + 1];
        const bench_series_t *found = samples[i][at];
        snprintf(row->cells[0], BENCH_CELL_BYTES, "%s", servers[i].name);
        fill(row->cells[1], &found[RATE], NULL);
        snprintf(row->cells[2], BENCH_CELL_BYTES, "%.2f",
                 bench_summarise(&found[RATE]).median / libuv);
        fill(row->cells[3], &found[CPU_NS], "ns");
        fill(row->cells[4], &found[P99_NS], "ns");
        snprintf(row->cells[5], BENCH_CELL_BYTES, "%.0f %%, %.0f %%",
                 100 * bench_summarise(&found[SERVER_BUSY]).median,
                 100 * bench_summarise(&found[LOAD_BUSY]).median);
    }
    bench_table_print(rows, count + 1, 6, stdout);
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
    printf(
        "usage: %s [--quick | --syscalls | --churn N | --sample SERVER]\n"
        "Echo servers under load.\n\n"
        "  --quick          one short round: a look\n"
        "  --syscalls       the system calls for each request, by strace\n"
        "  --churn N        opens and closes N connections to uvawait's\n"
        "                   server, and looks at its memory and descriptors\n"
        "  --sample SERVER  one sample of one, as METRIC VALUE lines, with\n"
        "    --connections N and --seconds S\n",
        program);
}

typedef struct options {
    int mode; /* the letter of the option, 0: compare all */
    const char *server;
    uint64_t churn;
    size_t connections;
    double seconds;
} options_t;

static int parse(int argc, char **argv, options_t *ret_options) {
    static const struct option options[] = {
        {"quick", no_argument, NULL, 'q'},
        {"syscalls", no_argument, NULL, 's'},
        {"churn", required_argument, NULL, 'c'},
        {"sample", required_argument, NULL, 'o'},
        {"connections", required_argument, NULL, 'n'},
        {"seconds", required_argument, NULL, 't'},
        {"help", no_argument, NULL, 'h'},
        {NULL, 0, NULL, 0}};
    int letter;

    while ((letter = getopt_long(argc, argv, "", options, NULL)) >= 0) {
        if (letter == '?')
            return -1;
        if (letter == 'n')
            ret_options->connections = strtoull(optarg, NULL, 10);
        else if (letter == 't')
            ret_options->seconds = strtod(optarg, NULL);
        else
            ret_options->mode = letter;
        if (letter == 'c')
            ret_options->churn = strtoull(optarg, NULL, 10);
        if (letter == 'o')
            ret_options->server = optarg;
    }
    return 0;
}

int main(int argc, char **argv) {
    struct rlimit files = {.rlim_cur = 4096, .rlim_max = 4096};
    options_t options = {0};

    if (parse(argc, argv, &options) < 0)
        return 2;
    (void)setrlimit(RLIMIT_NOFILE, &files); /* 1000 connections */
    switch (options.mode) {
    case 's':
        return syscalls_show() < 0;
    case 'c':
        return churn_show(options.churn) < 0;
    case 'o':
        return print_sample(options.server, options.connections,
                            options.seconds) < 0;
    case 'h':
        print_help(argv[0]);
        return 0;
    default:
        return compare(options.mode == 'q') < 0;
    }
}
