/*
 * What: libcurl's multi interface on the loop, and a future for each transfer.
 *
 * How: libcurl tells which descriptors it wants watched, and when it wants to
 * be called at the latest; here these are an uv_poll_t each, and one
 * uv_timer_t. Their callbacks call it, it calls back with what has arrived, and
 * says in the end which transfers are over. Each of these resolves the future
 * that a task waits for. That is how any library with callbacks is awaited:
 * none of this code runs in a task but the few lines of curl_session_get().
 *
 * libcurl must not be called from its own callbacks, so those only take notes.
 * Handles of libuv's outlive the close of a session by a turn of the loop: they
 * are counted, and the last one frees it.
 */
#include "curl_session.h"

#include <stdlib.h>
#include <string.h>
#include <sys/queue.h>

enum { BODY_LIMIT = 16 << 20, REDIRECTIONS = 5 };

/* A request; it lies on the stack of the task that waits for it. */
typedef struct transfer {
    LIST_ENTRY(transfer) link;
    CURL *easy;
    uva_future_t *over;
    bool is_over; /* taken back from libcurl, and off the session's list */
    CURLcode result;
    size_t body_limit;
    curl_response_t *response;
} transfer_t;

struct curl_session {
    curl_session_options_t options;
    CURLM *multi;
    uv_loop_t *loop;
    uv_timer_t timer;
    unsigned holds; /* handles of libuv's, and 1 while it is open */
    LIST_HEAD(, transfer) transfers;
};

/* A descriptor of libcurl's. */
typedef struct watch {
    uv_poll_t poll;
    curl_session_t *session;
    curl_socket_t fd;
} watch_t;

static void release(curl_session_t *session) {
    if (--session->holds == 0)
        free(session);
}

/* ---- the end of transfers ----------------------------------------------- */

/* Takes the transfer back from libcurl, wherever it is. */
static void take_back(curl_session_t *session, transfer_t *transfer) {
    LIST_REMOVE(transfer, link);
    curl_multi_remove_handle(session->multi, transfer->easy);
    transfer->is_over = true;
}

static void fail_all(curl_session_t *session, int code) {
    transfer_t *transfer;

    while ((transfer = LIST_FIRST(&session->transfers)) != NULL) {
        take_back(session, transfer);
        uva_future_fail(transfer->over, code, NULL);
    }
}

static void finish_transfers(curl_session_t *session) {
    CURLMsg *message;
    int left;

    while ((message = curl_multi_info_read(session->multi, &left)) != NULL) {
        transfer_t *transfer;
        if (message->msg != CURLMSG_DONE)
            continue;
        CURLcode result = message->data.result; /* goes with the removal */
        curl_easy_getinfo(message->easy_handle, CURLINFO_PRIVATE, &transfer);
        take_back(session, transfer);
        transfer->result = result;
        uva_future_resolve(transfer->over, NULL);
    }
}

/* ---- libuv calls libcurl ------------------------------------------------ */

static void act(curl_session_t *session, curl_socket_t fd, int events) {
    int running;
    CURLMcode code =
        curl_multi_socket_action(session->multi, fd, events, &running);

    if (code == CURLM_OK)
        finish_transfers(session);
    else /* It has lost track of its descriptors. */
        fail_all(session, code == CURLM_OUT_OF_MEMORY ? UV_ENOMEM : UV_EIO);
}

static void on_time(uv_timer_t *timer) {
    act(timer->data, CURL_SOCKET_TIMEOUT, 0);
}

/* An error of the descriptor is a matter for libcurl's next read or write,
 * which finds out what it is. */
static void on_ready(uv_poll_t *poll, int status, int events) {
    const watch_t *watch = poll->data;
    int flags = 0;

    if (status < 0 || (events & UV_READABLE) != 0)
        flags |= CURL_CSELECT_IN;
    if (status < 0 || (events & UV_WRITABLE) != 0)
        flags |= CURL_CSELECT_OUT;
    act(watch->session, watch->fd, flags); /* The watch may be closed in it. */
}

/* ---- libcurl calls libuv ------------------------------------------------ */

static int want_time(CURLM *multi, long ms, void *arg) {
    curl_session_t *session = arg;

    (void)multi;
    if (ms < 0)
        return uv_timer_stop(&session->timer) < 0 ? -1 : 0;
    return uv_timer_start(&session->timer, on_time, (uint64_t)ms, 0) < 0 ? -1
                                                                         : 0;
}

static void on_watch_closed(uv_handle_t *handle) {
    watch_t *watch = handle->data;

    release(watch->session);
    free(watch);
}

static watch_t *watch_new(curl_session_t *session, curl_socket_t fd) {
    watch_t *watch = malloc(sizeof(*watch));

    if (watch == NULL)
        return NULL;
    if (uv_poll_init_socket(session->loop, &watch->poll, fd) < 0) {
        free(watch);
        return NULL;
    }
    watch->poll.data = watch;
    watch->session = session;
    watch->fd = fd;
    session->holds++;
    return watch;
}

static int want_socket(CURL *easy, curl_socket_t fd, int what, void *arg,
                       void *known) {
    curl_session_t *session = arg;
    watch_t *watch = known; /* as assigned to fd, or NULL */
    int events = 0;

    (void)easy;
    if (what == CURL_POLL_REMOVE) {
        if (watch != NULL)
            uv_close((uv_handle_t *)&watch->poll, on_watch_closed);
        curl_multi_assign(session->multi, fd, NULL);
        return 0;
    }
    if (watch == NULL) {
        watch = watch_new(session, fd);
        if (watch == NULL)
            return -1;
        curl_multi_assign(session->multi, fd, watch);
    }
    if ((what & CURL_POLL_IN) != 0)
        events |= UV_READABLE;
    if ((what & CURL_POLL_OUT) != 0)
        events |= UV_WRITABLE;
    return uv_poll_start(&watch->poll, events, on_ready) < 0 ? -1 : 0;
}

/* ---- a transfer --------------------------------------------------------- */

static size_t keep_body(char *data, size_t one, size_t bytes, void *arg) {
    transfer_t *transfer = arg;
    curl_response_t *response = transfer->response;

    (void)one; /* always 1 */
    if (bytes > transfer->body_limit - response->bytes)
        return 0; /* CURLE_WRITE_ERROR */
    char *body = realloc(response->body, response->bytes + bytes + 1);
    if (body == NULL)
        return 0;
    memcpy(body + response->bytes, data, bytes);
    response->body = body;
    response->bytes += bytes;
    body[response->bytes] = '\0';
    return bytes;
}

static CURL *easy_new(const curl_session_t *session, const char *url,
                      transfer_t *transfer) {
    CURL *easy = curl_easy_init();

    if (easy == NULL)
        return NULL;
    if (curl_easy_setopt(easy, CURLOPT_URL, url) != CURLE_OK) { /* copied */
        curl_easy_cleanup(easy);
        return NULL;
    }
#if LIBCURL_VERSION_NUM >= 0x075500
    curl_easy_setopt(easy, CURLOPT_PROTOCOLS_STR, "http,https");
    curl_easy_setopt(easy, CURLOPT_REDIR_PROTOCOLS_STR, "http,https");
#else
    curl_easy_setopt(easy, CURLOPT_PROTOCOLS,
                     (long)(CURLPROTO_HTTP | CURLPROTO_HTTPS));
    curl_easy_setopt(easy, CURLOPT_REDIR_PROTOCOLS,
                     (long)(CURLPROTO_HTTP | CURLPROTO_HTTPS));
#endif
    curl_easy_setopt(easy, CURLOPT_FOLLOWLOCATION, 1L);
    curl_easy_setopt(easy, CURLOPT_MAXREDIRS, (long)REDIRECTIONS);
    curl_easy_setopt(easy, CURLOPT_NOSIGNAL, 1L);
    curl_easy_setopt(easy, CURLOPT_USERAGENT, "uvawait-fetch/0.1");
    if (session->options.ca_file != NULL)
        curl_easy_setopt(easy, CURLOPT_CAINFO, session->options.ca_file);
    curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, keep_body);
    curl_easy_setopt(easy, CURLOPT_WRITEDATA, transfer);
    curl_easy_setopt(easy, CURLOPT_ERRORBUFFER, transfer->response->why);
    curl_easy_setopt(easy, CURLOPT_PRIVATE, transfer);
    return easy;
}

static int code_of(CURLcode result) {
    static const struct {
        CURLcode result;
        int code;
    } codes[] = {
        {CURLE_OK, 0},
        {CURLE_URL_MALFORMAT, UV_EINVAL},
        {CURLE_UNSUPPORTED_PROTOCOL, UV_EINVAL},
        {CURLE_COULDNT_RESOLVE_HOST, UV_EAI_NONAME},
        {CURLE_COULDNT_CONNECT, UV_ECONNREFUSED},
        {CURLE_OPERATION_TIMEDOUT, UV_ETIMEDOUT},
        {CURLE_SEND_ERROR, UV_ECONNRESET},
        {CURLE_RECV_ERROR, UV_ECONNRESET},
        {CURLE_GOT_NOTHING, UV_ECONNRESET},
        {CURLE_PARTIAL_FILE, UV_ECONNABORTED},
        {CURLE_SSL_CONNECT_ERROR, UV_EPROTO},
        {CURLE_PEER_FAILED_VERIFICATION, UV_EPROTO},
        {CURLE_SSL_CACERT_BADFILE, UV_EPROTO},
        {CURLE_OUT_OF_MEMORY, UV_ENOMEM},
        {CURLE_WRITE_ERROR, UV_ENOBUFS},
    };

    for (size_t i = 0; i < sizeof(codes) / sizeof(codes[0]); i++)
        if (codes[i].result == result)
            return codes[i].code;
    return UV_EIO;
}

/* Hands the transfer to libcurl and waits until it is over. */
static int run(curl_session_t *session, transfer_t *transfer) {
    if (curl_multi_add_handle(session->multi, transfer->easy) != CURLM_OK)
        return UV_ENOMEM;
    LIST_INSERT_HEAD(&session->transfers, transfer, link);
    int code = uva_await(uva_ref(transfer->over), NULL);
    if (!transfer->is_over) /* cut: libcurl must not know it any more */
        take_back(session, transfer);
    return code < 0 ? code : code_of(transfer->result);
}

int curl_session_get(curl_session_t *session, const char *url,
                     curl_response_t *ret_response) {
    transfer_t transfer = {.response = ret_response,
                           .body_limit = session->options.body_limit};
    int code = UV_ENOMEM;

    memset(ret_response, 0, sizeof(*ret_response));
    transfer.easy = easy_new(session, url, &transfer);
    transfer.over = uva_future_new();
    if (transfer.easy != NULL && transfer.over != NULL)
        code = run(session, &transfer);
    if (code == 0)
        curl_easy_getinfo(transfer.easy, CURLINFO_RESPONSE_CODE,
                          &ret_response->status);
    else if (ret_response->why[0] == '\0')
        uv_strerror_r(code, ret_response->why, sizeof(ret_response->why));
    uva_unref(transfer.over);
    curl_easy_cleanup(transfer.easy);
    return code;
}

void curl_response_clear(curl_response_t *response) {
    free(response->body);
    memset(response, 0, sizeof(*response));
}

/* ---- the session -------------------------------------------------------- */

static void on_timer_closed(uv_handle_t *handle) {
    release(handle->data);
}

int curl_session_open(const curl_session_options_t *options,
                      curl_session_t **ret_session) {
    uva_runtime_t *runtime = uva_runtime_current();
    if (runtime == NULL)
        return UV_EPERM;
    curl_session_t *session = calloc(1, sizeof(*session));
    if (session == NULL)
        return UV_ENOMEM;
    session->multi = curl_multi_init();
    if (session->multi == NULL) {
        free(session);
        return UV_ENOMEM;
    }
    if (options != NULL)
        session->options = *options;
    if (session->options.body_limit == 0)
        session->options.body_limit = BODY_LIMIT;
    LIST_INIT(&session->transfers);
    session->loop = uva_runtime_loop(runtime);
    uv_timer_init(session->loop, &session->timer); /* cannot fail */
    session->timer.data = session;
    session->holds = 1;
    curl_multi_setopt(session->multi, CURLMOPT_SOCKETFUNCTION, want_socket);
    curl_multi_setopt(session->multi, CURLMOPT_SOCKETDATA, session);
    curl_multi_setopt(session->multi, CURLMOPT_TIMERFUNCTION, want_time);
    curl_multi_setopt(session->multi, CURLMOPT_TIMERDATA, session);
    *ret_session = session;
    return 0;
}

void curl_session_close(curl_session_t *session) {
    if (session == NULL)
        return;
    fail_all(session, UV_ECANCELED);
    curl_multi_cleanup(session->multi); /* may still stop watches */
    uv_close((uv_handle_t *)&session->timer, on_timer_closed);
}
