/**
 * The echo servers that are compared, as processes.
 */
#ifndef ECHO_SERVER_H
#define ECHO_SERVER_H

#include <stddef.h>
#include <sys/types.h>

typedef struct server {
    const char *name;
    const char *arguments[6];
} server_t;

/* Ended by one without a name. The first is uvawait's, the second libuv's. */
extern const server_t servers[];

size_t server_count(void);

/* NULL: there is none of that name. */
const server_t *server_find(const char *name);

/* Starts one on processor 0, behind a command such as strace if `before` is not
 * NULL; its port, or a negative code after a line of bench_wrong(). */
int server_start(const server_t *server, const char *const before[],
                 pid_t *ret_pid);

/* Ends it with SIGTERM, and waits for it. */
void server_stop(pid_t pid);

/* Binds a process to a processor; 0 is the caller. */
void server_pin(pid_t pid, size_t processor);

/* What all its threads have run, in ns. */
double server_cpu_ns(pid_t pid);

#endif
