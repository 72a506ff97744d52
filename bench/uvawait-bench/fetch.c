/*
 * n requests over TCP, one after another and all at once.
 *
 * The answers of our own server are checked byte for byte. What a server of
 * the user's answers nobody here can know: an answer must be there and be
 * complete (the connection closed, or the text of --until at its end), and the
 * range of their lengths is told with the figures.
 */
#include "fetch.h"

#include "server.h"
#include "../harness/measure.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <uvawait.h>

/* One request, as a task's argument. */
typedef struct request {
    fetch_t *fetch;
    uva_semaphore_t *slots; /* connections that may be open; NULL: any */
    size_t number;
} request_t;

/* Ends the body of a request that failed. */
static int failed(const fetch_t *fetch, ssize_t code) {
    return uva_fail((int)code, "%s: %s", fetch->where, uv_strerror((int)code));
}

/* Asks our own server, and compares every byte. */
static int exchange_own(uva_stream_t *stream, const request_t *request) {
    char text[REQUEST_BYTES + 1];
    char expected[ANSWER_BYTES];
    char answer[ANSWER_BYTES];
    char beyond;
    ssize_t code;

    server_request(request->number, text);
    server_answer(request->number, expected);
    if ((code = uva_write(stream, text, REQUEST_BYTES)) < 0)
        return failed(request->fetch, code);
    if ((code = uva_read_exactly(stream, answer, sizeof(answer))) < 0)
        return failed(request->fetch, code);
    if (memcmp(answer, expected, sizeof(answer)) != 0 ||
        uva_read(stream, &beyond, 1) != UV_EOF)
        return uva_fail(UV_EINVAL, "request %zu got another answer",
                        request->number);
    return 0;
}

/* Whether the text that --until asks for stands at the end of what was read.
 * tail holds the last bytes of it, as many as the text has. */
static bool is_complete(const fetch_t *fetch, const char *tail, size_t total) {
    size_t length = strlen(fetch->until);

    return total >= length && memcmp(tail, fetch->until, length) == 0;
}

/* Keeps the last `keep` bytes of all that was read. */
static void keep_tail(char *tail, size_t keep, const char *data, size_t bytes) {
    if (bytes >= keep) {
        memcpy(tail, data + bytes - keep, keep);
    } else {
        memmove(tail, tail + bytes, keep - bytes);
        memcpy(tail + keep - bytes, data, bytes);
    }
}

/* Reads an answer of the user's server. Returns its length, or an error. */
static ssize_t read_answer(uva_stream_t *stream, const fetch_t *fetch) {
    size_t keep = fetch->until != NULL ? strlen(fetch->until) : 0;
    char tail[UNTIL_BYTES_MAX] = "";
    char buffer[16384];
    size_t total = 0;
    ssize_t bytes;

    while ((bytes = uva_read(stream, buffer, sizeof(buffer))) > 0) {
        total += (size_t)bytes;
        if (keep == 0)
            continue;
        keep_tail(tail, keep, buffer, (size_t)bytes);
        if (is_complete(fetch, tail, total))
            return (ssize_t)total;
    }
    if (bytes != UV_EOF)
        return bytes;
    return keep > 0 || total == 0 ? UV_EOF : (ssize_t)total;
}

/* Asks the user's server. */
static int exchange_foreign(uva_stream_t *stream, const request_t *request) {
    fetch_t *fetch = request->fetch;
    ssize_t code = uva_write(stream, fetch->send, fetch->send_bytes);

    if (code >= 0)
        code = read_answer(stream, fetch);
    if (code == UV_EOF)
        return uva_fail(UV_EOF, "%s: closed before the answer was complete",
                        fetch->where);
    if (code < 0)
        return failed(fetch, code);
    if ((size_t)code < fetch->shortest)
        fetch->shortest = (size_t)code;
    if ((size_t)code > fetch->longest)
        fetch->longest = (size_t)code;
    return 0;
}

/* Connects, asks, reads, closes. */
static int exchange(void *arg) {
    const request_t *request = arg;
    fetch_t *fetch = request->fetch;
    uva_stream_t *stream;
    int code = uva_tcp_connect(fetch->host, fetch->port, &stream);

    if (code < 0)
        return failed(fetch, code);
    code = fetch->send != NULL ? exchange_foreign(stream, request)
                               : exchange_own(stream, request);
    uva_stream_close(stream);
    return code;
}

/* One request, with a limit of time, once there is a connection for it. */
static int fetch_one(void *arg) {
    request_t *request = arg;
    uint64_t timeout_ms = request->fetch->timeout_ms;
    const char *message;
    int code;

    if (request->slots != NULL &&
        (code = uva_semaphore_acquire(request->slots)) < 0)
        return code;
    code = uva_wait_for(uva_coroutine(exchange, request, sizeof(*request)),
                        timeout_ms, NULL);
    message = uva_last_message();
    if (request->slots != NULL)
        uva_semaphore_release(request->slots);
    if (code == UV_ETIMEDOUT)
        return uva_fail(code, "%s: no answer within %llu ms",
                        request->fetch->where, (unsigned long long)timeout_ms);
    if (code < 0 && message != NULL)
        return uva_fail(code, "%s", message);
    return code;
}

/* Says why a run failed; in the task that waited for the request. */
static int fetch_failed(int code) {
    const char *message = uva_last_message();

    return bench_wrong("fetch: %s",
                       message != NULL ? message : uv_strerror(code));
}

static int fetch_sequential(void *state, size_t n, uint64_t *ret_longest_ns) {
    uint64_t longest_ns = 0;

    for (size_t i = 0; i < n; i++) {
        request_t request = {.fetch = state, .number = i};
        uint64_t start_ns = bench_now_ns();
        int code = uva_await(
            uva_coroutine(fetch_one, &request, sizeof(request)), NULL);
        if (code < 0)
            return fetch_failed(code);
        uint64_t took_ns = bench_now_ns() - start_ns;
        if (took_ns > longest_ns)
            longest_ns = took_ns;
    }
    *ret_longest_ns = longest_ns;
    return 0;
}

static int fetch_concurrent(void *state, size_t n) {
    fetch_t *fetch = state;
    uva_future_t **fetches = calloc(n, sizeof(*fetches));
    request_t *requests = calloc(n, sizeof(*requests));
    uva_semaphore_t slots;
    int code = UV_ENOMEM;

    uva_semaphore_init(&slots, fetch->limit);
    if (fetches == NULL || requests == NULL)
        goto done;
    for (size_t i = 0; i < n; i++) {
        requests[i] = (request_t){
            .fetch = fetch,
            .slots = fetch->limit > 0 ? &slots : NULL,
            .number = i,
        };
        fetches[i] = uva_spawn(fetch_one, &requests[i]);
    }
    code = uva_gather(fetches, n, NULL);
done:
    if (code < 0)
        fetch_failed(code);
    free(requests);
    free(fetches);
    return code;
}

/* Reads all of a file that may be a pipe. Returns 0 or an errno. */
static int read_whole(FILE *file, fetch_t *fetch) {
    enum { STEP = 65536 };
    size_t bytes;

    do {
        char *grown = realloc(fetch->send, fetch->send_bytes + STEP);
        if (grown == NULL)
            return ENOMEM;
        fetch->send = grown;
        bytes = fread(fetch->send + fetch->send_bytes, 1, STEP, file);
        fetch->send_bytes += bytes;
    } while (bytes == STEP);
    return ferror(file) ? errno : 0;
}

/* Reads the user's request into memory. */
static int load_request(const char *path, fetch_t *fetch) {
    FILE *file = fopen(path, "rb");
    int error = file == NULL ? errno : read_whole(file, fetch);

    if (file != NULL)
        fclose(file);
    if (error != 0)
        return bench_wrong("cannot read '%s': %s", path, strerror(error));
    if (fetch->send_bytes == 0)
        return bench_wrong("'%s' is empty: nothing to send", path);
    return 0;
}

int fetch_prepare(const options_t *options, fetch_t *ret_fetch) {
    *ret_fetch = (fetch_t){
        .until = options->until,
        .limit = options->limit,
        .timeout_ms = options->timeout_ms,
        .shortest = SIZE_MAX,
    };
    if (options->send == NULL) {
        ret_fetch->where = "our own server";
        strcpy(ret_fetch->host, "127.0.0.1");
        return server_start(&ret_fetch->server, &ret_fetch->port);
    }
    ret_fetch->where = options->connect;
    memcpy(ret_fetch->host, options->host, sizeof(ret_fetch->host));
    ret_fetch->port = options->port;
    return load_request(options->send, ret_fetch);
}

void fetch_free(fetch_t *fetch) {
    server_stop(fetch->server);
    free(fetch->send);
    *fetch = (fetch_t){.server = 0};
}

void fetch_job(const options_t *options, fetch_t *fetch, job_t *ret_job) {
    *ret_job = (job_t){
        .name = "fetch",
        .sequential = fetch_sequential,
        .concurrent = fetch_concurrent,
        .state = fetch,
        .ideal_s = fetch->send == NULL ? THINK_MS / 1e3 : 0,
    };
    if (fetch->send == NULL)
        snprintf(ret_job->title, sizeof(ret_job->title),
                 "fetch over TCP, %d ms think time", THINK_MS);
    else
        snprintf(ret_job->title, sizeof(ret_job->title), "fetch from %.70s",
                 fetch->where);
    job_set_sizes(ret_job, options->quick, SIZE_MAX);
}
