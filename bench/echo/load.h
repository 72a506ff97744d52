/**
 * The load of the echo benchmark: so many connections, each of which sends 64
 * bytes, waits until they have come back, and sends them again.
 */
#ifndef ECHO_LOAD_H
#define ECHO_LOAD_H

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

enum { ECHO_BYTES = 64 };

typedef struct load_result {
    uint64_t requests;
    double seconds;
    double p99_us; /* 99 of 100 were answered within */
    /* Processor time in those seconds, of all of the server's threads and of
     * the load's. */
    double server_cpu_ns;
    double load_cpu_ns;
} load_result_t;

/* Loads the server at 127.0.0.1:port for so long. 0, or a negative code after
 * a line of bench_wrong(); an answer that is not what was sent is one. */
int load_run(pid_t server, int port, size_t connections, double seconds,
             load_result_t *ret_result);

#endif
