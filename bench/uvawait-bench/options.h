/**
 * The command line of uvawait-bench.
 */
#ifndef UVAWAIT_BENCH_OPTIONS_H
#define UVAWAIT_BENCH_OPTIONS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef struct options {
    bool sleep; /* which jobs to do */
    bool fetch;
    bool files;
    bool quick;
    size_t runs;      /* samples of each side; 0: as many as suit */
    const char *json; /* files to write; NULL: none */
    const char *plot;
    const char *connect; /* HOST:PORT; NULL: a server of our own */
    char host[256];      /* of it; an IPv6 address without brackets */
    int port;
    const char *send;    /* the file that each request sends; NULL: none */
    const char *until;   /* what an answer ends with; NULL: its end of file */
    size_t limit;        /* connections at once; 0: no limit */
    uint64_t timeout_ms; /* of one request */
    char **paths;        /* to read, NULL at the end; empty: "." */
} options_t;

/* --until is no longer than this. */
enum { UNTIL_BYTES_MAX = 255 };

/* The exit status of a program that is to end now, or GO_ON. */
enum { GO_ON = -1, EXIT_USAGE = 2 };

/* Fills *ret_options, which borrows from argv. Help and version are printed,
 * what is wrong is said on stderr in one line. */
int options_parse(int argc, char **argv, options_t *ret_options);

#endif
