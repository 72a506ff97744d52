/*
 * bench-echo: an echo server on uvawait beside raw libuv, epoll by hand, Go,
 * Node and asyncio. The server runs on one processor, the load on the other
 * (with one connection both on one: there the wake-ups of the virtual machine
 * would be measured). Requests a second, the server's CPU time for each, and
 * the time within which 99 of 100 are answered.
 */
#include <dirent.h>
#include <errno.h>
#include <getopt.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>
#include <uvawait.h>

#include "bench/harness/measure.h"
#include "bench/harness/output.h"
#include "bench/harness/table.h"
#include "load.h"

#define SERVERS_MAX 8
enum { LOADS = 3, METRICS = 3, ROUNDS = 5 };

static const size_t loads[LOADS] = {1, 50, 1000};

typedef struct server {
    const char *name;
    const char *arguments[4];
    bench_series_t series[LOADS][METRICS];
} server_t;

static server_t servers[SERVERS_MAX] = {
    {.name = "uvawait", .arguments = {BENCH_ECHO_DIR "/echo_server_uva"}},
    {.name = "libuv callbacks",
     .arguments = {BENCH_ECHO_DIR "/echo_server_uv"}},
    {.name = "epoll by hand",
     .arguments = {BENCH_ECHO_DIR "/echo_server_epoll"}},
#ifdef BENCH_GO_ECHO
    {.name = "Go", .arguments = {BENCH_GO_ECHO}},
#endif
#ifdef BENCH_NODE
    {.name = "Node", .arguments = {BENCH_NODE, BENCH_PEERS "/echo.js"}},
#endif
#ifdef BENCH_PYTHON
    {.name = "asyncio", .arguments = {BENCH_PYTHON, BENCH_PEERS "/echo.py"}},
#endif
};

/* ---- a server ----------------------------------------------------------- */

static void pin(pid_t pid, size_t processor) {
    cpu_set_t set;
    CPU_ZERO(&set);
    CPU_SET(processor, &set);
    (void)sched_setaffinity(pid, sizeof set, &set);
}

static void stop(pid_t pid) {
    if (pid <= 0)
        return;
    (void)kill(pid, SIGTERM);
    (void)waitpid(pid, NULL, 0);
}

/* Starts it on processor 0; its port, or a negative code. */
static int start(const server_t *server, pid_t *ret_pid) {
    int fds[2];
    char line[16] = "";

    if (pipe(fds) < 0)
        return bench_wrong("pipe: %s", strerror(errno));
    *ret_pid = fork();
    if (*ret_pid == 0) {
        pin(0, 0);
        (void)dup2(fds[1], STDOUT_FILENO);
        close(fds[0]);
        close(fds[1]);
        execvp(server->arguments[0], (char *const *)server->arguments);
        _exit(127);
    }
    close(fds[1]);
    FILE *out = fdopen(fds[0], "r");
    bool is_read = out != NULL && fgets(line, sizeof line, out) != NULL;
    if (out != NULL)
        fclose(out);
    if (*ret_pid < 0 || !is_read || atoi(line) <= 0) {
        stop(*ret_pid);
        return bench_wrong("%s does not start", server->name);
    }
    return atoi(line);
}

/* What all threads of a process have run, in ns; /proc has it to the ns only
 * for each thread. */
static double cpu_ns(pid_t pid) {
    char path[64];
    double sum = 0;
    snprintf(path, sizeof path, "/proc/%d/task", (int)pid);
    DIR *tasks = opendir(path);
    struct dirent *entry;

    while (tasks != NULL && (entry = readdir(tasks)) != NULL) {
        char file[400];
        unsigned long long ns = 0;
        snprintf(file, sizeof file, "%s/%s/schedstat", path, entry->d_name);
        FILE *in = fopen(file, "r");
        if (in != NULL && fscanf(in, "%llu", &ns) == 1)
            sum += (double)ns;
        if (in != NULL)
            fclose(in);
    }
    if (tasks != NULL)
        closedir(tasks);
    return sum;
}

/* ---- measuring ---------------------------------------------------------- */

static int sample(server_t *server, size_t at, double seconds, bool keep) {
    load_result_t result = {0};
    pid_t pid = -1;
    int port = start(server, &pid);

    if (port < 0)
        return port;
    pin(0, loads[at] == 1 ? 0 : 1);
    double before = cpu_ns(pid);
    int code = load_run(port, loads[at], seconds, &result);
    double used = cpu_ns(pid) - before;
    stop(pid);
    if (code < 0 || result.requests == 0)
        return bench_wrong("%s failed", server->name);
    if (!keep)
        return 0;
    double requests = (double)result.requests;
    bench_series_add(&server->series[at][0], requests / result.seconds);
    bench_series_add(&server->series[at][1], used / requests);
    bench_series_add(&server->series[at][2], result.p99_us * 1e3);
    return 0;
}

static int measure(size_t count, size_t rounds, double seconds) {
    for (size_t i = 0; i < count; i++)
        for (size_t at = 0; at < LOADS; at++)
            for (size_t metric = 0; metric < METRICS; metric++)
                if (bench_series_init(&servers[i].series[at][metric], rounds) <
                    0)
                    return UV_ENOMEM;
    for (size_t at = 0; at < LOADS; at++) {
        for (size_t round = 0; round < rounds; round++) {
            for (size_t i = 0; i < count; i++) {
                int code = sample(&servers[i], at, seconds, true);
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
    double libuv = bench_summarise(&servers[1].series[at][0]).median;

    snprintf(rows[0].cells[0], BENCH_CELL_BYTES, "%zu connection%s", loads[at],
             loads[at] == 1 ? "" : "s");
    for (size_t i = 0; i < count; i++) {
        bench_row_t *row = &rows[i + 1];
        const bench_series_t *series = servers[i].series[at];
        snprintf(row->cells[0], BENCH_CELL_BYTES, "%s", servers[i].name);
        fill(row->cells[1], &series[0], NULL);
        snprintf(row->cells[2], BENCH_CELL_BYTES, "%.2f",
                 bench_summarise(&series[0]).median / libuv);
        fill(row->cells[3], &series[1], "ns");
        fill(row->cells[4], &series[2], "ns");
    }
    bench_table_print(rows, count + 1, 5, stdout);
    putchar('\n');
}

static size_t count_servers(void) {
    size_t count = 0;
    while (count < SERVERS_MAX && servers[count].name != NULL)
        count++;
    return count;
}

int main(int argc, char **argv) {
    static const struct option options[] = {{"quick", no_argument, NULL, 'q'},
                                            {"help", no_argument, NULL, 'h'},
                                            {NULL, 0, NULL, 0}};
    size_t rounds = ROUNDS;
    double seconds = 2;
    int option;

    while ((option = getopt_long(argc, argv, "", options, NULL)) != -1) {
        if (option != 'q') {
            printf("usage: %s [--quick]\nEcho servers under load.\n", argv[0]);
            return option == 'h' ? 0 : 2;
        }
        rounds = 1;
        seconds = 0.3;
    }
    struct rlimit files = {.rlim_cur = 4096, .rlim_max = 4096};
    (void)setrlimit(RLIMIT_NOFILE, &files); /* 1000 connections */
    size_t count = count_servers();
    if (measure(count, rounds, seconds) < 0)
        return 1;
    for (size_t at = 0; at < LOADS; at++)
        show(count, at);
    return 0;
}
