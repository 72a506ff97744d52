#include "syscalls.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "bench/harness/measure.h"
#include "load.h"
#include "server.h"

/* The process that strace runs. */
static pid_t child_of(pid_t pid) {
    char path[64];
    int child = -1;
    snprintf(path, sizeof path, "/proc/%d/task/%d/children", (int)pid,
             (int)pid);
    FILE *in = fopen(path, "r");
    if (in != NULL && fscanf(in, "%d", &child) != 1)
        child = -1;
    if (in != NULL)
        fclose(in);
    return child;
}

/* The number of calls in strace's table: that of its last line. */
static double read_total(const char *path) {
    char line[256];
    double calls = 0;
    FILE *in = fopen(path, "r");
    while (in != NULL && fgets(line, sizeof line, in) != NULL) {
        if (strstr(line, " total") != NULL)
            (void)sscanf(line, "%*f %*f %*f %lf", &calls);
    }
    if (in != NULL)
        fclose(in);
    return calls;
}

/* Calls in a run of so many seconds, and its requests. */
static int count(const server_t *server, double seconds, double *ret_calls,
                 double *ret_requests) {
    char path[64];
    load_result_t result = {0};
    pid_t pid = -1;
    snprintf(path, sizeof path, "/tmp/bench-echo.%d", (int)getpid());
    const char *const strace[] = {"strace", "-c", "-f", "-o", path, NULL};
    int port = server_start(server, strace, &pid);
    int code = port < 0 ? port : load_run(pid, port, 50, seconds, &result);
    pid_t child = child_of(pid);
    if (port > 0 && child > 0) {
        (void)kill(child, SIGTERM);
        (void)waitpid(pid, NULL, 0);
    }
    *ret_calls = read_total(path);
    *ret_requests = (double)result.requests;
    (void)unlink(path);
    if (code == 0 && *ret_calls == 0)
        code = bench_wrong("strace counted nothing (is it installed?)");
    return code;
}

/* The difference of a long run and a short one: starting is not counted. */
int syscalls_show(void) {
    printf("system calls a request, 50 connections\n");
    for (size_t i = 0; i < server_count(); i++) {
        double calls[2], requests[2];
        for (int run = 0; run < 2; run++) {
            int code = count(&servers[i], run == 0 ? 0.2 : 2, &calls[run],
                             &requests[run]);
            if (code < 0)
                return code;
        }
        printf("%-16s %.3f\n", servers[i].name,
               (calls[1] - calls[0]) / (requests[1] - requests[0]));
    }
    return 0;
}
