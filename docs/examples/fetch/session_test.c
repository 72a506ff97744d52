/*
 * What: tests of curl_session.c against a server in the same program: a session
 * that is closed under its tasks, requests that are cut anywhere, memory that
 * runs out. What a person sees of fetch is in test.sh, which runs this too.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "curl_session.h"

enum { BODY_BYTES = 5000, MANY = 300, AT_ONCE = 20 };

static int passed, failed;

#define CHECK(what, got, wanted) check(__LINE__, what, got, wanted)

static void check(int line, const char *what, long long got, long long wanted) {
    if (got == wanted) {
        passed++;
        return;
    }
    failed++;
    printf("FAILED line %d: %s: got %lld, wanted %lld\n", line, what, got,
           wanted);
}

/* ---- the server --------------------------------------------------------- */

static size_t unfinished; /* requests whose answer is not sent */

/* Answers each request after a moment; /never not at all. */
static int answer(uva_stream_t *stream, void *arg) {
    static char body[BODY_BYTES];
    char request[1024], head[128];
    ssize_t got;

    (void)arg;
    memset(body, 'x', sizeof(body));
    while ((got = uva_read_until_mem(stream, "\r\n\r\n", 4, request,
                                     sizeof(request))) > 0) {
        bool never = strncmp(request, "GET /never", 10) == 0;
        unfinished++;
        got = never ? uva_read(stream, request, 1)
                    : uva_sleep((uint64_t)(rand() % 8));
        if (got == 0) {
            int bytes = snprintf(
                head, sizeof(head),
                "HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n", BODY_BYTES);
            uv_buf_t parts[] = {uv_buf_init(head, (unsigned)bytes),
                                uv_buf_init(body, BODY_BYTES)};
            got = uva_writev(stream, parts, 2);
        }
        unfinished--;
        if (got <= 0)
            break;
    }
    return 0;
}

static int serve(void *arg) {
    return uva_serve(arg, answer, NULL, 0);
}

/* ---- requests ----------------------------------------------------------- */

typedef struct request {
    curl_session_t *session;
    const char *url;
    uint64_t timeout_ms;
} request_t;

/* 0 when the answer is whole, UV_EINVAL when it is not, or a code. */
static int get(void *arg) {
    const request_t *request = arg;
    curl_response_t response;
    uva_scope_t scope;

    uva_scope_open(&scope, request->timeout_ms, 0);
    int code = curl_session_get(request->session, request->url, &response);
    int cut = uva_scope_close(&scope);
    if (code == 0 && (response.status != 200 || response.bytes != BODY_BYTES))
        code = UV_EINVAL;
    if (code == UV_ECANCELED && cut == UV_ETIMEDOUT)
        code = cut;
    curl_response_clear(&response);
    return code;
}

/* Some are cut before they have begun, some in the middle, some never: who is
 * not cut has the whole answer. */
static void test_cut_anywhere(const char *url) {
    request_t requests[AT_ONCE];
    uva_future_t *tasks[AT_ONCE];
    int codes[AT_ONCE], whole = 0, cut = 0;

    for (int round = 0; round < MANY / AT_ONCE; round++) {
        curl_session_t *session;
        CHECK("open", curl_session_open(NULL, &session), 0);
        for (int i = 0; i < AT_ONCE; i++) {
            requests[i] = (request_t){session, url, (uint64_t)(rand() % 12)};
            tasks[i] = uva_spawn(get, &requests[i]);
        }
        uva_gather_settled(tasks, AT_ONCE, NULL, codes);
        for (int i = 0; i < AT_ONCE; i++) {
            whole += codes[i] == 0;
            cut += codes[i] == UV_ETIMEDOUT;
        }
        curl_session_close(session);
    }
    CHECK("whole or cut", whole + cut, MANY);
    CHECK("some are cut", cut > 0, 1);
}

/* Two wait for an answer when the session is closed; the server is told. */
static void test_closed_under_tasks(const char *never) {
    request_t request = {NULL, never, UVA_FOREVER};

    while (unfinished > 0) /* of the test before */
        uva_sleep(1);
    CHECK("open", curl_session_open(NULL, &request.session), 0);
    uva_task_t *one = uva_spawn(get, &request);
    uva_task_t *two = uva_spawn(get, &request);
    while (unfinished < 2)
        uva_sleep(1);
    curl_session_close(request.session);
    CHECK("one", uva_await(one, NULL), UV_ECANCELED);
    CHECK("two", uva_await(two, NULL), UV_ECANCELED);
    while (unfinished > 0)
        uva_sleep(1);
    curl_session_close(NULL);
}

static void test_limit(const char *url) {
    curl_session_options_t options = {.body_limit = BODY_BYTES - 1};
    request_t request = {NULL, url, UVA_FOREVER};

    CHECK("open", curl_session_open(&options, &request.session), 0);
    CHECK("above the limit", get(&request), UV_ENOBUFS);
    curl_session_close(request.session);
    options.body_limit = BODY_BYTES;
    CHECK("open", curl_session_open(&options, &request.session), 0);
    CHECK("at the limit", get(&request), 0);
    curl_session_close(request.session);
}

/* ---- no memory ---------------------------------------------------------- */

static long allocations_left = -1; /* until one fails; -1: none does */

static bool must_fail(void) {
    if (allocations_left < 0)
        return false;
    return allocations_left-- == 0;
}

static void *failing_malloc(size_t bytes) {
    return must_fail() ? NULL : malloc(bytes);
}

static void *failing_realloc(void *old, size_t bytes) {
    return must_fail() ? NULL : realloc(old, bytes);
}

static void *failing_calloc(size_t count, size_t bytes) {
    return must_fail() ? NULL : calloc(count, bytes);
}

static char *failing_strdup(const char *text) {
    return must_fail() ? NULL : strdup(text);
}

/* Each of libcurl's allocations fails once: an error, or the whole answer. */
static void test_no_memory(const char *url) {
    int whole = 0, refused = 0, other = 0;

    for (long at = 0; at < 20000; at++) {
        request_t request = {NULL, url, 5000};
        allocations_left = at;
        int code = curl_session_open(NULL, &request.session);
        if (code == 0) {
            code = get(&request);
            curl_session_close(request.session);
        }
        bool all_granted = allocations_left >= 0;
        allocations_left = -1;
        whole += code == 0;
        refused += code < 0 && code != UV_ETIMEDOUT && code != UV_EINVAL;
        other += code == UV_ETIMEDOUT || code == UV_EINVAL;
        if (all_granted)
            break;
    }
    CHECK("refused", refused > 20, 1);
    CHECK("whole", whole > 0, 1);
    CHECK("timed out, or not whole", other, 0);
}

static int run_all(void *arg) {
    char url[64], never[64];
    uva_listener_t *listener = NULL;

    (void)arg;
    CHECK("listen", uva_tcp_listen("127.0.0.1", 0, 128, &listener), 0);
    int port = uva_listener_port(listener);
    snprintf(url, sizeof(url), "http://127.0.0.1:%d/", port);
    snprintf(never, sizeof(never), "http://127.0.0.1:%d/never", port);
    uva_task_t *server = uva_spawn(serve, listener);
    test_cut_anywhere(url);
    test_closed_under_tasks(never);
    test_limit(url);
    test_no_memory(url);
    uva_cancel_and_wait(server);
    uva_listener_close(listener);
    return 0;
}

int main(void) {
    CURLcode ready =
        curl_global_init_mem(CURL_GLOBAL_DEFAULT, failing_malloc, free,
                             failing_realloc, failing_strdup, failing_calloc);

    CHECK("libcurl", ready, CURLE_OK);
    CHECK("without a runtime", curl_session_open(NULL, NULL), UV_EPERM);
    uva_run(run_all, NULL);
    curl_global_cleanup();
    printf("%d passed, %d failed\n", passed, failed);
    return failed > 0;
}
