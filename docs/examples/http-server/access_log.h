/*
 * The access log, in the Common Log Format.
 */
#ifndef HTTP_ACCESS_LOG_H
#define HTTP_ACCESS_LOG_H

#include <stdint.h>
#include <uvawait.h>

#include "request.h"

typedef struct access_log access_log_t;

/* Opens the file to append to it; "-" is standard output. A task. */
int access_log_open(const char *path, access_log_t **ret_log);

/* The client's address as a line has it: without the port; "-" when it is not
 * known. client has UVA_NAME_TEXT_BYTES. */
void access_log_client(uva_stream_t *stream, char *client);

/* Adds a line. Never waits; when lines come faster than the disk takes them,
 * some are left out, and counted. */
void access_log_add(access_log_t *log, const char *client,
                    const request_t *request, int status, uint64_t body_bytes);

/* Writes what there is, and closes; NULL is fine. A task. */
void access_log_close(access_log_t *log);

#endif
