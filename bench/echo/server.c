#include "server.h"

#include <dirent.h>
#include <errno.h>
#include <sched.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "bench/harness/measure.h"

enum { MOST_ARGUMENTS = 16 };

const server_t servers[] = {
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
#ifdef BENCH_UVLOOP
    {.name = "uvloop",
     .arguments = {"env", "PEER_LOOP=uvloop", BENCH_PYTHON,
                   BENCH_PEERS "/echo.py"}},
#endif
#ifdef BENCH_TOKIO_ECHO /* the last: it may not have been built */
    {.name = "tokio", .arguments = {BENCH_TOKIO_ECHO}},
#endif
    {.name = NULL},
};

const server_t *server_find(const char *name) {
    for (size_t i = 0; servers[i].name != NULL; i++)
        if (strcmp(servers[i].name, name) == 0)
            return &servers[i];
    return NULL;
}

static bool is_there(const server_t *server) {
    const char *program = server->arguments[0];
    return strchr(program, '/') == NULL || access(program, X_OK) == 0;
}

size_t server_count(void) {
    size_t count = 0;
    while (servers[count].name != NULL && is_there(&servers[count]))
        count++;
    return count;
}

void server_pin(pid_t pid, size_t processor) {
    cpu_set_t set;
    CPU_ZERO(&set);
    CPU_SET(processor, &set);
    (void)sched_setaffinity(pid, sizeof set, &set);
}

void server_stop(pid_t pid) {
    if (pid <= 0)
        return;
    (void)kill(pid, SIGTERM);
    (void)waitpid(pid, NULL, 0);
}

static _Noreturn void become(const server_t *server,
                             const char *const before[]) {
    const char *arguments[MOST_ARGUMENTS];
    size_t count = 0;
    for (size_t i = 0; before != NULL && before[i] != NULL; i++)
        arguments[count++] = before[i];
    for (size_t i = 0; server->arguments[i] != NULL; i++)
        arguments[count++] = server->arguments[i];
    arguments[count] = NULL;
    server_pin(0, 0);
    execvp(arguments[0], (char *const *)arguments);
    _exit(127);
}

int server_start(const server_t *server, const char *const before[],
                 pid_t *ret_pid) {
    int fds[2];
    char line[16] = "";

    if (pipe(fds) < 0)
        return bench_wrong("pipe: %s", strerror(errno));
    *ret_pid = fork();
    if (*ret_pid == 0) {
        (void)dup2(fds[1], STDOUT_FILENO);
        close(fds[0]);
        close(fds[1]);
        become(server, before);
    }
    close(fds[1]);
    FILE *out = fdopen(fds[0], "r");
    bool is_read = out != NULL && fgets(line, sizeof line, out) != NULL;
    if (out != NULL)
        fclose(out);
    if (*ret_pid < 0 || !is_read || atoi(line) <= 0) {
        server_stop(*ret_pid);
        return bench_wrong("%s does not start", server->name);
    }
    return atoi(line);
}

/* What all threads of a process have run, in ns; /proc has it to the ns only
 * for each thread. */
double server_cpu_ns(pid_t pid) {
    char path[64];
    double sum = 0;
    snprintf(path, sizeof path, "/proc/%d/task", (int)pid);
    DIR *tasks = opendir(path);
    struct dirent *entry;

    while (tasks != NULL && (entry = readdir(tasks)) != NULL) {
        char file[400];
        unsigned long long ns = 0;
        if (entry->d_name[0] == '.') /* ".." has a schedstat as well */
            continue;
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
