/*
 * What: lines of requests, written behind the requests' back.
 *
 * How: who has answered a request adds its line to a buffer, and goes on. A
 * task of the log writes the buffer when it is half full, or a moment after the
 * first line, while new lines go to a second one. So a request never waits for
 * the disk, and many lines are one write.
 *
 * The client's address is "-": streams do not tell it.
 */
#include "access_log.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>
#include <uvawait.h>

enum {
    BUFFER_BYTES = 512 << 10,
    DELAY_MS = 100,
    TARGET_BYTES_MAX = 1024 /* what is longer is shown cut off */
};

/* 4 characters for one that is escaped, and everything else of a line. */
enum { LINE_BYTES_MAX = 4 * TARGET_BYTES_MAX + UVA_NAME_TEXT_BYTES + 256 };

struct access_log {
    int fd;
    bool owns_fd;
    bool is_closing;
    uva_task_t *writer;
    uva_event_t has_lines;
    uva_event_t is_filling; /* half full, or to be closed */
    uint64_t lost;          /* lines */
    time_t second;          /* that `date` is of */
    char date[32];
    char *lines; /* that are collected */
    size_t used;
    char *writing; /* that are being written */
};

/* ---- the writer --------------------------------------------------------- */

static void wait_for_more(access_log_t *log) {
    uva_scope_t scope;
    uva_scope_open(&scope, DELAY_MS, 0);
    (void)uva_event_wait(&log->is_filling);
    (void)uva_scope_close(&scope);
}

/* Writes all lines that have been collected. */
static int write_lines(access_log_t *log) {
    char *lines = log->lines;
    size_t bytes = log->used;
    log->lines = log->writing;
    log->writing = lines;
    log->used = 0;
    uva_event_clear(&log->has_lines);
    if (!log->is_closing)
        uva_event_clear(&log->is_filling);
    while (bytes > 0) {
        ssize_t written = uva_fs_write(log->fd, lines, bytes, -1);
        if (written < 0)
            return (int)written;
        lines += written;
        bytes -= (size_t)written;
    }
    return 0;
}

static int write_log(void *arg) {
    access_log_t *log = arg;
    int code = 0;
    while (code == 0 && (log->used > 0 || !log->is_closing)) {
        code = uva_event_wait(&log->has_lines);
        if (code == 0 && !log->is_closing)
            wait_for_more(log);
        if (code == 0)
            code = write_lines(log);
    }
    return code;
}

/* ---- lines -------------------------------------------------------------- */

static char *put(char *at, const char *data, size_t bytes) {
    memcpy(at, data, bytes);
    return at + bytes;
}

/* What a client has sent must not look like a line of ours, nor do anything to
 * a terminal. */
static char *put_escaped(char *at, text_t text) {
    static const char digits[] = "0123456789abcdef";
    size_t bytes =
        text.bytes < TARGET_BYTES_MAX ? text.bytes : TARGET_BYTES_MAX;
    for (size_t i = 0; i < bytes; i++) {
        unsigned char c = (unsigned char)text.base[i];
        if (c > ' ' && c < 127 && c != '"' && c != '\\') {
            *at++ = (char)c;
            continue;
        }
        *at++ = '\\';
        *at++ = 'x';
        *at++ = digits[c >> 4];
        *at++ = digits[c & 15];
    }
    return at;
}

static const char *date_now(access_log_t *log) {
    time_t now = time(NULL);
    struct tm parts;
    if (now != log->second && gmtime_r(&now, &parts) != NULL) {
        log->second = now;
        (void)strftime(log->date, sizeof log->date, "%d/%b/%Y:%H:%M:%S +0000",
                       &parts);
    }
    return log->date;
}

static char *put_request(char *at, const request_t *request) {
    if (request->path.bytes == 0) /* its head has not been understood */
        return put(at, "-", 1);
    const char *method = llhttp_method_name(request_method(request));
    at = put(at, method, strlen(method));
    *at++ = ' ';
    at = put_escaped(at, request->target);
    at = put(at, " HTTP/1.", 8);
    *at++ = (char)('0' + request->parser.http_minor);
    return at;
}

void access_log_client(uva_stream_t *stream, char *client) {
    struct sockaddr_storage name;
    char *port = NULL;
    client[0] = '\0';
    if (uva_stream_peer_name(stream, &name) == 0 &&
        uva_name_text(&name, client, UVA_NAME_TEXT_BYTES) > 0)
        port = strrchr(client, ':');
    if (port == NULL) {
        memcpy(client, "-", sizeof "-");
        return;
    }
    *port = '\0';
    if (client[0] == '[') { /* "[::1]" */
        port[-1] = '\0';
        memmove(client, client + 1, strlen(client));
    }
}

void access_log_add(access_log_t *log, const char *client,
                    const request_t *request, int status, uint64_t body_bytes) {
    if (BUFFER_BYTES - log->used < LINE_BYTES_MAX) {
        log->lost++;
        return;
    }
    char *line = log->lines + log->used;
    char *at = line;
    at += sprintf(at, "%s - - [%s] \"", client, date_now(log));
    at = put_request(at, request);
    at += sprintf(at, "\" %d %llu\n", status, (unsigned long long)body_bytes);
    log->used += (size_t)(at - line);
    uva_event_set(&log->has_lines);
    if (log->used > BUFFER_BYTES / 2)
        uva_event_set(&log->is_filling);
}

/* ---- opening and closing ------------------------------------------------ */

static void free_log(access_log_t *log) {
    if (log->owns_fd && log->fd >= 0)
        (void)uva_fs_close(log->fd);
    free(log->lines);
    free(log->writing);
    free(log);
}

static int open_file(access_log_t *log, const char *path) {
    log->owns_fd = strcmp(path, "-") != 0;
    log->fd = log->owns_fd
                  ? uva_fs_open(path, O_WRONLY | O_CREAT | O_APPEND, 0640)
                  : STDOUT_FILENO;
    return log->fd < 0 ? log->fd : 0;
}

int access_log_open(const char *path, access_log_t **ret_log) {
    access_log_t *log = calloc(1, sizeof *log);
    if (log == NULL)
        return UV_ENOMEM;
    uva_event_init(&log->has_lines);
    uva_event_init(&log->is_filling);
    log->lines = malloc(BUFFER_BYTES);
    log->writing = malloc(BUFFER_BYTES);
    log->fd = -1;
    int code = log->lines == NULL || log->writing == NULL
                   ? UV_ENOMEM
                   : open_file(log, path);
    if (code == 0) {
        log->writer = uva_spawn(write_log, log);
        code = log->writer != NULL ? 0 : UV_ENOMEM;
    }
    if (code < 0)
        free_log(log);
    else
        *ret_log = log;
    return code;
}

void access_log_close(access_log_t *log) {
    if (log == NULL)
        return;
    log->is_closing = true;
    uva_event_set(&log->has_lines);
    uva_event_set(&log->is_filling);
    int code = uva_await(log->writer, NULL);
    if (code < 0)
        (void)fprintf(stderr, "access log: %s\n", uv_strerror(code));
    if (log->lost > 0)
        (void)fprintf(stderr, "access log: %llu lines were left out\n",
                      (unsigned long long)log->lost);
    free_log(log);
}
