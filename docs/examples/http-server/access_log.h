/*
 * The access log, in the Common Log Format.
 */
#ifndef HTTP_ACCESS_LOG_H
#define HTTP_ACCESS_LOG_H

#include <stdint.h>

#include "request.h"

typedef struct access_log access_log_t;

/* Opens the file to append to it; "-" is standard output. A task. */
int access_log_open(const char *path, access_log_t **ret_log);

/* Adds a line. Never waits; when lines come faster than the disk takes them,
 * some are left out, and counted. */
void access_log_add(access_log_t *log, const request_t *request, int status,
                    uint64_t body_bytes);

/* Writes what there is, and closes; NULL is fine. A task. */
void access_log_close(access_log_t *log);

#endif
