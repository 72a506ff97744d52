/**
 * The server that "fetch" fetches from: a process of its own, and a uvawait
 * program of its own. It reads a request of REQUEST_BYTES, thinks for
 * THINK_MS, answers with ANSWER_BYTES that depend on the request's number, and
 * closes the connection.
 */
#ifndef UVAWAIT_BENCH_SERVER_H
#define UVAWAIT_BENCH_SERVER_H

#include <stddef.h>
#include <sys/types.h>

enum { THINK_MS = 10, REQUEST_BYTES = 16, ANSWER_BYTES = 1024 };

/* Starts the server on a free port of 127.0.0.1. To be called before the
 * process has a runtime or threads. Returns 0, or a negative code after a line
 * on stderr. */
int server_start(pid_t *ret_process, int *ret_port);

/* Ends the server; process 0 is none. It also ends when this process does. */
void server_stop(pid_t process);

/* The request with a number, and the answer to it. */
void server_request(size_t number, char ret_request[REQUEST_BYTES + 1]);
void server_answer(size_t number, char ret_answer[ANSWER_BYTES]);

#endif
