/*
 * What: a stream whose bytes are encrypted by OpenSSL on their way to another
 * stream.
 *
 * How: OpenSSL reads from one piece of memory (`arrived`) and writes to another
 * (`leaving`), so none of its calls ever waits, and none is interrupted by
 * another task: an SSL_... call and the questions that belong to it
 * (SSL_get_error, the error queue, which is the thread's) stand together
 * without a park between them. All waiting is moving bytes between that memory
 * and the stream below.
 *
 * Receiving is the reader's alone. Sending is not: besides the writer, reading
 * produces bytes too (an alert, the answer to a new key), and so does shutdown.
 * So `send_lock` makes records leave in the order in which they were made. A
 * reader must not wait for it: two peers that both wait to send, and do not
 * read, would wait for ever. What it has to send is left to a task, the sender.
 *
 * The stream below is borrowed, so a close cannot wake who waits in it by
 * closing it too: each wait has a scope, which the close cancels.
 */
#include "tls_stream.h"

#include <openssl/err.h>
#include <openssl/x509v3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { RECORD_BYTES = 16384 /* of plain text, by the standard */ };

typedef struct tls {
    SSL *ssl;
    BIO *arrived; /* encrypted, from inner */
    BIO *leaving; /* encrypted, for inner */
    uva_stream_t *inner;
    uva_scope_t *receiving; /* of the task that waits for inner, or NULL */
    uva_scope_t *sending;
    uva_lock_t send_lock;
    unsigned holds;   /* the stream's, and those of senders */
    bool closed;      /* inner must not be touched any more */
    int read_end;     /* what every further read returns, or 0 */
    int write_end;    /* ... write ... */
    size_t out_bytes; /* of `out`, which is sent whole */
    char out[RECORD_BYTES];
    char in[RECORD_BYTES];
} tls_t;

static void release(tls_t *tls) {
    if (--tls->holds > 0)
        return;
    SSL_free(tls->ssl); /* and both BIOs */
    free(tls);
}

/* The code for what OpenSSL has just complained about. */
static int failure(void) {
    bool no_memory = ERR_GET_REASON(ERR_peek_error()) == ERR_R_MALLOC_FAILURE;

    return no_memory ? UV_ENOMEM : UV_EPROTO;
}

/* ---- the stream below --------------------------------------------------- */

/* Waits for bytes and gives them to OpenSSL: 0 or a code. */
static int receive(tls_t *tls) {
    uva_scope_t scope;

    if (tls->closed)
        return UV_ECANCELED;
    uva_scope_open(&scope, UVA_FOREVER, 0);
    tls->receiving = &scope;
    ssize_t got = uva_read(tls->inner, tls->in, sizeof(tls->in));
    tls->receiving = NULL;
    uva_scope_close(&scope);
    if (got == UV_EOF)
        return UV_ECONNABORTED; /* The peer has not said that this is all. */
    if (got < 0)
        return (int)got;
    if (BIO_write(tls->arrived, tls->in, (int)got) == got)
        return 0;
    tls->read_end = UV_ENOMEM; /* Bytes are lost: nothing fits behind them. */
    return UV_ENOMEM;
}

/* Sends what is in `out`: 0 or a code. What was not sent stays there. */
static int send_out(tls_t *tls) {
    uva_scope_t scope;

    uva_scope_open(&scope, UVA_FOREVER, 0);
    tls->sending = &scope;
    ssize_t sent = uva_write(tls->inner, tls->out, tls->out_bytes);
    tls->sending = NULL;
    uva_scope_close(&scope);
    if (sent < 0)
        return (int)sent;
    tls->out_bytes = 0;
    return 0;
}

/* Sends all that is to leave: 0 or a code. The caller has the lock. */
static int send_all(tls_t *tls) {
    int code = 0;

    while (code == 0) {
        if (tls->out_bytes == 0) {
            int moved = BIO_read(tls->leaving, tls->out, sizeof(tls->out));
            if (moved <= 0)
                break;
            tls->out_bytes = (size_t)moved;
        }
        code = tls->closed ? UV_ECANCELED : send_out(tls);
    }
    return code;
}

static bool has_to_send(const tls_t *tls) {
    return tls->out_bytes > 0 || BIO_ctrl_pending(tls->leaving) > 0;
}

static int lock_and_send_all(tls_t *tls) {
    int code = uva_lock_acquire(&tls->send_lock);
    if (code == 0) {
        code = send_all(tls);
        uva_lock_release(&tls->send_lock);
    }
    return code;
}

/* What cannot be sent here, the next write finds out and tells. */
static int sender(void *arg) {
    tls_t *tls = arg;

    lock_and_send_all(tls);
    release(tls);
    return 0;
}

/* Has all that is to leave sent, without waiting for it: it is gone at return,
 * unless inner takes no more at the moment. Who has the lock sends everything
 * anyway. In a task. */
static int start_sender(tls_t *tls) {
    uva_task_options_t options = {.name = "tls sender", .eager = true};

    if (tls->closed || !has_to_send(tls) || uva_lock_is_locked(&tls->send_lock))
        return 0;
    tls->holds++;
    uva_task_t *task = uva_spawn_with(&options, sender, tls);
    if (task == NULL) {
        release(tls);
        return UV_ENOMEM;
    }
    uva_detach(task);
    return 0;
}

/* ---- reading ------------------------------------------------------------ */

/* After an error of OpenSSL's the connection is of no use any more. */
static int fail(tls_t *tls) {
    tls->read_end = tls->write_end = failure();
    ERR_clear_error();
    start_sender(tls); /* An alert tells the peer why. */
    return tls->read_end;
}

static ssize_t tls_read(void *state, void *buffer, size_t bytes) {
    tls_t *tls = state;
    size_t got;
    int code = 0;

    while (code == 0 && tls->read_end == 0) {
        ERR_clear_error();
        int done = SSL_read_ex(tls->ssl, buffer, bytes, &got);
        int want = SSL_get_error(tls->ssl, done);
        if (done == 1 || want == SSL_ERROR_WANT_READ)
            code = start_sender(tls);
        if (done == 1)
            return (ssize_t)got;
        if (want == SSL_ERROR_ZERO_RETURN)
            return UV_EOF;
        if (want != SSL_ERROR_WANT_READ)
            return fail(tls);
        if (code == 0)
            code = receive(tls);
    }
    return code < 0 ? code : tls->read_end;
}

/* ---- writing ------------------------------------------------------------ */

/* The front of several buffers as one piece of at most a record. A piece of a
 * large buffer is taken where it is; small ones are put together in `room`. */
static uv_buf_t front(const uv_buf_t buffers[], unsigned count, char *room) {
    size_t bytes = 0;

    while (buffers->len == 0) {
        buffers++;
        count--;
    }
    if (count == 1 || buffers->len >= RECORD_BYTES)
        return uv_buf_init(buffers->base, buffers->len < RECORD_BYTES
                                              ? (unsigned)buffers->len
                                              : RECORD_BYTES);
    for (; count > 0 && bytes < RECORD_BYTES; buffers++, count--) {
        size_t some = buffers->len;
        if (some > RECORD_BYTES - bytes)
            some = RECORD_BYTES - bytes;
        if (some > 0)
            memcpy(room + bytes, buffers->base, some);
        bytes += some;
    }
    return uv_buf_init(room, (unsigned)bytes);
}

/* Makes a record and sends it. The caller has the lock. */
static ssize_t write_record(tls_t *tls, const uv_buf_t buffers[],
                            unsigned count) {
    size_t taken;
    int code = send_all(tls); /* what a sender had to leave */

    if (code < 0 || tls->write_end < 0)
        return code < 0 ? code : tls->write_end;
    uv_buf_t piece = front(buffers, count, tls->out); /* which is empty now */
    ERR_clear_error();
    if (SSL_write_ex(tls->ssl, piece.base, piece.len, &taken) != 1) {
        code = fail(tls);
        send_all(tls); /* the alert; we have the lock */
        return code;
    }
    code = send_all(tls);
    if (code == 0)
        return (ssize_t)taken;
    tls->write_end = UV_EPIPE; /* The record cannot be taken back. */
    return code;
}

static ssize_t tls_write(void *state, const uv_buf_t buffers[],
                         unsigned count) {
    tls_t *tls = state;
    ssize_t taken = uva_lock_acquire(&tls->send_lock);

    if (taken == 0) {
        taken = write_record(tls, buffers, count);
        uva_lock_release(&tls->send_lock);
    }
    return taken;
}

/* ---- the end ------------------------------------------------------------ */

static int tls_shutdown(void *state) {
    tls_t *tls = state;

    if ((SSL_get_shutdown(tls->ssl) & SSL_SENT_SHUTDOWN) != 0)
        return 0;
    if (uva_current() == NULL)
        return UV_EPERM; /* The sender is a task that a task begins. */
    if (tls->write_end < 0)
        return UV_EPIPE;
    ERR_clear_error();
    if (SSL_shutdown(tls->ssl) < 0)
        return fail(tls);
    tls->write_end = UV_EPIPE;
    return start_sender(tls);
}

static void tls_close(void *state) {
    tls_t *tls = state;

    tls->closed = true;
    if (tls->receiving != NULL)
        uva_scope_cancel(tls->receiving);
    if (tls->sending != NULL)
        uva_scope_cancel(tls->sending);
}

static void tls_free(void *state) {
    release(state);
}

static const uva_stream_ops_t tls_ops = {.read = tls_read,
                                         .write = tls_write,
                                         .shutdown = tls_shutdown,
                                         .close = tls_close,
                                         .free = tls_free};

/* ---- the handshake ------------------------------------------------------ */

static void tell_why(const tls_t *tls, char why[TLS_WHY_BYTES]) {
    long verdict = SSL_get_verify_result(tls->ssl);
    const char *reason = ERR_reason_error_string(ERR_peek_error());

    if (verdict != X509_V_OK)
        reason = X509_verify_cert_error_string(verdict);
    if (why != NULL)
        snprintf(why, TLS_WHY_BYTES, "%s",
                 reason != NULL ? reason : "the handshake failed");
}

/* 0 or a code; of a failure of OpenSSL's it fills why. */
static int shake_hands(tls_t *tls, char why[TLS_WHY_BYTES]) {
    int reason = UV_EPROTO;

    for (;;) {
        ERR_clear_error();
        int done = SSL_do_handshake(tls->ssl);
        int want = SSL_get_error(tls->ssl, done);
        bool failed = done != 1 && want != SSL_ERROR_WANT_READ;
        if (failed) {
            reason = failure();
            tell_why(tls, why);
        }
        int code = lock_and_send_all(tls); /* also an alert */
        if (failed)
            return reason;
        if (done == 1 || code < 0)
            return code;
        code = receive(tls);
        if (code < 0)
            return code;
    }
}

static tls_t *make(uva_stream_t *inner, SSL_CTX *context) {
    tls_t *tls = calloc(1, sizeof(*tls));

    if (tls == NULL)
        return NULL;
    tls->holds = 1;
    tls->inner = inner;
    uva_lock_init(&tls->send_lock);
    uva_lock_set_name(&tls->send_lock, "tls send");
    tls->ssl = SSL_new(context);
    tls->arrived = BIO_new(BIO_s_mem());
    tls->leaving = BIO_new(BIO_s_mem());
    if (tls->ssl == NULL || tls->arrived == NULL || tls->leaving == NULL) {
        BIO_free(tls->arrived);
        BIO_free(tls->leaving);
        release(tls);
        return NULL;
    }
    SSL_set_bio(tls->ssl, tls->arrived, tls->leaving);
    return tls;
}

/* Shakes hands and makes the stream. Takes tls. */
static int begin(tls_t *tls, char why[TLS_WHY_BYTES],
                 uva_stream_t **ret_stream) {
    if (why != NULL)
        why[0] = '\0';
    int code = shake_hands(tls, why);
    ERR_clear_error();
    if (code == 0)
        code = uva_stream_new(&tls_ops, tls, ret_stream);
    if (code == 0)
        return 0;
    if (why != NULL && why[0] == '\0')
        snprintf(why, TLS_WHY_BYTES, "%s", uv_strerror(code));
    release(tls);
    return code;
}

/* The certificate must be for this host, and be trusted. A name is also told to
 * the server, which may have several (SNI). */
static bool expect_host(SSL *ssl, const char *host) {
    struct in6_addr address;

    SSL_set_verify(ssl, SSL_VERIFY_PEER, NULL);
    if (uv_inet_pton(AF_INET, host, &address) == 0 ||
        uv_inet_pton(AF_INET6, host, &address) == 0)
        return X509_VERIFY_PARAM_set1_ip_asc(SSL_get0_param(ssl), host) == 1;
    return SSL_set1_host(ssl, host) == 1 &&
           SSL_set_tlsext_host_name(ssl, host) == 1;
}

int tls_client(uva_stream_t *inner, SSL_CTX *context, const char *host,
               char why[TLS_WHY_BYTES], uva_stream_t **ret_stream) {
    if (inner == NULL || context == NULL || host == NULL || ret_stream == NULL)
        return UV_EINVAL;
    tls_t *tls = make(inner, context);
    if (tls == NULL)
        return UV_ENOMEM;
    if (!expect_host(tls->ssl, host)) {
        release(tls);
        return UV_EINVAL;
    }
    SSL_set_connect_state(tls->ssl);
    return begin(tls, why, ret_stream);
}

int tls_server(uva_stream_t *inner, SSL_CTX *context, char why[TLS_WHY_BYTES],
               uva_stream_t **ret_stream) {
    if (inner == NULL || context == NULL || ret_stream == NULL)
        return UV_EINVAL;
    tls_t *tls = make(inner, context);
    if (tls == NULL)
        return UV_ENOMEM;
    SSL_set_accept_state(tls->ssl);
    return begin(tls, why, ret_stream);
}
