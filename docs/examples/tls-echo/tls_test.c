/*
 * What: tests of tls_stream.c over streams in memory and over TCP; those with a
 * real openssl are in test.sh, which runs this with a directory of certificates
 * as its argument: ca.pem, server.pem and server.key (for localhost and
 * 127.0.0.1), other.pem (another authority).
 */
#include <openssl/crypto.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "test_sides.h"

enum { MANY = 10 << 20, SOME = 1 << 16 };

/* ---- the tests: what works ---------------------------------------------- */

static void test_byte_by_byte(void) {
    both_t both;

    in_memory(&both, &(uva_memory_stream_options_t){.fragment_bytes = 1});
    connect_well(&both);
    exchange(&both, SOME, receive_of_server);
    hang_up(&both);
}

static void test_much_in_memory(void) {
    both_t both;

    in_memory(&both, &(uva_memory_stream_options_t){.capacity = 5000});
    connect_well(&both);
    exchange(&both, MANY, receive_of_server);
    hang_up(&both);
}

static void test_much_over_tcp(void) {
    uva_stream_t *client = NULL, *server = NULL;
    uva_listener_t *listener = NULL;
    both_t both;

    CHECK("listen", uva_tcp_listen("127.0.0.1", 0, 8, &listener), 0);
    CHECK("connect",
          uva_tcp_connect("127.0.0.1", uva_listener_port(listener), &client),
          0);
    CHECK("accept", uva_accept(listener, &server), 0);
    set_up(&both, client, server);
    both.client.host = "127.0.0.1"; /* an address is verified too */
    connect_well(&both);
    exchange(&both, MANY, receive_of_server);
    hang_up(&both);
    uva_listener_close(listener);
}

/* Reads that are cut again and again lose nothing. */
static void test_cancelled_reads(void) {
    both_t both;

    in_memory(&both, &(uva_memory_stream_options_t){
                         .delay_ms = 7, .capacity = 700, .fragment_bytes = 90});
    connect_well(&both);
    exchange(&both, SOME, receive_impatiently);
    hang_up(&both);
}

/* Who has ended its side still reads. */
static void test_half_close(void) {
    char buffer[16];
    both_t both;

    in_memory(&both, NULL);
    connect_well(&both);
    CHECK("shutdown", uva_shutdown(both.client.tls), 0);
    CHECK("shutdown again", uva_shutdown(both.client.tls), 0);
    CHECK("write behind it", uva_write(both.client.tls, "x", 1), UV_EPIPE);
    CHECK("its end", uva_read(both.server.tls, buffer, 16), UV_EOF);
    CHECK("answer", uva_write(both.server.tls, "late", 4), 4);
    CHECK("answer read", uva_read(both.client.tls, buffer, 16), 4);
    hang_up(&both);
}

/* ---- the tests: who must not be trusted --------------------------------- */

static void refuse_both(both_t *both, const char *why_client) {
    int codes[2];

    connect_both(both, codes);
    CHECK("the client's handshake", codes[0], UV_EPROTO);
    check_text("why", both->client.why, why_client);
    /* In TLS 1.3 the server is done before the client has decided. */
    if (codes[1] == 0) {
        char byte;
        codes[1] = (int)uva_read(both->server.tls, &byte, 1);
    }
    CHECK("the server's connection", codes[1], UV_EPROTO);
    hang_up(both);
}

static void test_wrong_certificate(void) {
    both_t both;

    in_memory(&both, NULL);
    both.client.host = "example.org";
    refuse_both(&both, "hostname mismatch");
    in_memory(&both, NULL);
    both.client.host = "127.0.0.2";
    refuse_both(&both, "IP address mismatch");
    in_memory(&both, NULL);
    both.client.context = distrusting;
    refuse_both(&both, "unable to get local issuer certificate");
}

static void test_plain_text(void) {
    both_t both;

    in_memory(&both, NULL);
    CHECK("plain text",
          uva_write(both.client.inner, "GET / HTTP/1.0\r\n\r\n", 18), 18);
    CHECK("server", shake_hands(&both.server), UV_EPROTO);
    check_text("why", both.server.why, "http request");
    hang_up(&both);
    in_memory(&both, NULL);
    CHECK("garbage", uva_write(both.server.inner, "220 ready\r\n", 11), 11);
    CHECK("client", shake_hands(&both.client), UV_EPROTO);
    check_text("why", both.client.why, "wrong version number");
    hang_up(&both);
}

/* ---- the tests: what breaks --------------------------------------------- */

/* The connection ends without the peer's close_notify. */
static void test_truncated(void) {
    char buffer[16];
    both_t both;

    in_memory(&both, NULL);
    connect_well(&both);
    CHECK("write", uva_write(both.server.tls, "part", 4), 4);
    side_hang_up(&both.server);
    CHECK("part", uva_read(both.client.tls, buffer, 16), 4);
    CHECK("cut", uva_read(both.client.tls, buffer, 16), UV_ECONNABORTED);
    CHECK("again", uva_read(both.client.tls, buffer, 16), UV_ECONNABORTED);
    hang_up(&both);
}

static void test_cut_in_handshake(void) {
    both_t both;

    in_memory(&both, NULL);
    side_hang_up(&both.client);
    CHECK("server", shake_hands(&both.server), UV_ECONNABORTED);
    hang_up(&both);
}

/* The connection is reset after every so many bytes, of the handshake or of
 * what follows: somebody notices, and nothing hangs. */
static void test_reset_anywhere(void) {
    int codes[2], in_handshake = 0, behind_it = 0;
    char buffer[600] = "";
    both_t both;

    for (uint64_t bytes = 1; bytes < 2600; bytes += 29) {
        in_memory(&both, &(uva_memory_stream_options_t){
                             .fail_bytes = bytes, .fail_code = UV_ECONNRESET});
        connect_both(&both, codes);
        in_handshake += codes[0] == UV_ECONNRESET || codes[1] == UV_ECONNRESET;
        if (codes[0] == 0 && codes[1] == 0) {
            ssize_t code = 0;
            for (int i = 0; i < 9 && code >= 0; i++) {
                code = uva_write(both.client.tls, buffer, sizeof(buffer));
                if (code >= 0)
                    code = uva_read(both.server.tls, buffer, sizeof(buffer));
            }
            behind_it += code == UV_ECONNRESET;
        }
        hang_up(&both);
    }
    CHECK("resets in the handshake", in_handshake > 20, 1);
    CHECK("resets behind it", behind_it > 5, 1);
    CHECK("resets", in_handshake + behind_it, 90);
}

static void test_slow_handshake(void) {
    uva_scope_t scope;
    both_t both;

    in_memory(&both, NULL);
    uint64_t start = uva_now_ms();
    uva_scope_open(&scope, 300, 0);
    CHECK("server", shake_hands(&both.server), UV_ECANCELED);
    CHECK("deadline", uva_scope_close(&scope), UV_ETIMEDOUT);
    CHECK("time", (long long)(uva_now_ms() - start), 300);
    hang_up(&both);
}

typedef struct relay {
    uva_stream_t *from;
    uva_stream_t *to;
    uint64_t change_at; /* this byte is changed */
} relay_t;

static int run_relay(void *arg) {
    relay_t *relay = arg;
    uint64_t at = 0;
    char buffer[512];
    ssize_t got;

    while ((got = uva_read(relay->from, buffer, sizeof(buffer))) > 0) {
        if (relay->change_at >= at && relay->change_at - at < (uint64_t)got)
            buffer[relay->change_at - at] ^= 1;
        at += (uint64_t)got;
        got = uva_write(relay->to, buffer, (size_t)got);
        if (got < 0)
            break;
    }
    return 0;
}

/* Somebody on the way changes a byte behind the handshake. */
static void test_changed_on_the_way(void) {
    uva_stream_t *left[2] = {NULL, NULL}, *right[2] = {NULL, NULL};
    char buffer[4000] = "";
    uva_group_t group;
    both_t both;

    CHECK("pair", uva_memory_stream_pair(NULL, left), 0);
    CHECK("pair", uva_memory_stream_pair(NULL, right), 0);
    relay_t there = {left[1], right[0], 3000}, back = {right[0], left[1], 1e9};
    set_up(&both, left[0], right[1]);
    uva_group_open(&group);
    uva_group_spawn(&group, run_relay, &there);
    uva_group_spawn(&group, run_relay, &back);
    connect_well(&both);
    CHECK("write", uva_write(both.client.tls, buffer, 4000), 4000);
    CHECK("read", uva_read(both.server.tls, buffer, 16), UV_EPROTO);
    CHECK("again", uva_read(both.server.tls, buffer, 16), UV_EPROTO);
    CHECK("write back", uva_write(both.server.tls, buffer, 1), UV_EPROTO);
    CHECK("the alert", uva_read(both.client.tls, buffer, 16), UV_EPROTO);
    uva_group_cancel(&group);
    CHECK("relays", uva_group_close(&group), 0);
    hang_up(&both);
    uva_stream_close(left[1]);
    uva_stream_close(right[0]);
}

/* ---- the tests: in the middle ------------------------------------------- */

static int read_one(void *arg) {
    char byte;

    return (int)uva_read(arg, &byte, 1);
}

static int write_many(void *arg) {
    side_t *side = arg;

    side->to_send = MANY;
    return send_pattern(side);
}

/* A write that is cut in a record ends writing; reading goes on. */
static void test_cancelled_write(void) {
    both_t both;

    in_memory(&both, NULL);
    connect_well(&both);
    CHECK("nobody reads",
          uva_wait_for(uva_spawn(write_many, &both.client), 50, NULL),
          UV_ETIMEDOUT);
    CHECK("write", uva_write(both.client.tls, "x", 1), UV_EPIPE);
    CHECK("shutdown", uva_shutdown(both.client.tls), UV_EPIPE);
    CHECK("other way", uva_write(both.server.tls, "y", 1), 1);
    CHECK("read", read_one(both.client.tls), 1);
    hang_up(&both);
}

/* Tasks that wait in a stream that is closed are woken. */
static void test_closed_under_tasks(void) {
    both_t both;

    in_memory(&both, NULL);
    connect_well(&both);
    uva_task_t *reader = uva_spawn(read_one, both.client.tls);
    uva_task_t *writer = uva_spawn(write_many, &both.client);
    CHECK("both wait", uva_wait_all_blocked(), 0);
    side_hang_up(&both.client);
    CHECK("reader", uva_await(reader, NULL), UV_ECANCELED);
    CHECK("writer", uva_await(writer, NULL), UV_ECANCELED);
    hang_up(&both);
}

/* A shutdown that finds no room leaves the rest to its task, which a close
 * stops; with a reader on the other side it arrives. */
static void test_shutdown_without_room(void) {
    char buffer[64] = "";
    both_t both;

    SSL_CTX_set_num_tickets(serving, 0); /* They would fill it at once. */
    for (int reads = 0; reads < 2; reads++) {
        in_memory(&both, &(uva_memory_stream_options_t){.capacity = 100});
        connect_well(&both);
        CHECK("write", uva_write(both.server.tls, buffer, 64), 64);
        CHECK("shutdown", uva_shutdown(both.server.tls), 0);
        if (reads == 1) {
            CHECK("read", uva_read(both.client.tls, buffer, 64), 64);
            CHECK("the end", uva_read(both.client.tls, buffer, 64), UV_EOF);
        }
        hang_up(&both);
    }
    SSL_CTX_set_num_tickets(serving, 2);
}

/* ---- the tests: no memory ----------------------------------------------- */

static long allocations_left = -1; /* until one fails; -1: none does */

static bool must_fail(void) {
    if (allocations_left < 0)
        return false;
    return allocations_left-- == 0;
}

static void *failing_malloc(size_t bytes, const char *file, int line) {
    (void)file;
    (void)line;
    return must_fail() ? NULL : malloc(bytes);
}

static void *failing_realloc(void *old, size_t bytes, const char *file,
                             int line) {
    (void)file;
    (void)line;
    return must_fail() ? NULL : realloc(old, bytes);
}

static void plain_free(void *memory, const char *file, int line) {
    (void)file;
    (void)line;
    free(memory);
}

/* Each of OpenSSL's allocations fails once: a side fails, or goes on without,
 * and what has been received is right. */
static void test_no_memory(void) {
    int codes[2], connected = 0, refused = 0, wrong = 0;
    both_t both;

    for (long at = 0; at < 20000; at++) {
        in_memory(&both, NULL);
        allocations_left = at;
        connect_both(&both, codes);
        if (codes[0] == 0 && codes[1] == 0) {
            ssize_t wrote = uva_write(both.client.tls, "x", 1);
            side_hang_up(&both.client);
            int got = read_one(both.server.tls);
            connected++;
            wrong += got == 0 || (got > 0 && wrote != 1);
        } else {
            refused++;
        }
        hang_up(&both);
        if (allocations_left >= 0) /* all of them were granted */
            break;
    }
    allocations_left = -1;
    CHECK("handshakes that failed", refused > 100, 1);
    CHECK("handshakes that went on without", connected > 0, 1);
    CHECK("received what was not sent", wrong, 0);
}

static void test_misuse(void) {
    uva_stream_t *tls;
    both_t both;

    in_memory(&both, NULL);
    CHECK("no stream", tls_client(NULL, trusting, "a", NULL, &tls), UV_EINVAL);
    CHECK("no host", tls_client(both.client.inner, trusting, NULL, NULL, &tls),
          UV_EINVAL);
    CHECK("no context", tls_server(both.server.inner, NULL, NULL, &tls),
          UV_EINVAL);
    hang_up(&both);
}

static int run_all(void *arg) {
    (void)arg;
    test_byte_by_byte();
    test_much_in_memory();
    test_cancelled_reads();
    test_half_close();
    test_wrong_certificate();
    test_plain_text();
    test_truncated();
    test_cut_in_handshake();
    test_reset_anywhere();
    test_slow_handshake();
    test_changed_on_the_way();
    test_cancelled_write();
    test_closed_under_tasks();
    test_shutdown_without_room();
    test_no_memory();
    test_misuse();
    return 0;
}

static int run_tcp(void *arg) {
    (void)arg;
    test_much_over_tcp();
    return 0;
}

static SSL_CTX *client_context(const char *directory, const char *file) {
    char path[1024], why[TLS_WHY_BYTES] = "";

    snprintf(path, sizeof(path), "%s/%s", directory, file);
    SSL_CTX *context = tls_client_context(path, why);
    check(__LINE__, why, context != NULL, 1);
    return context;
}

int main(int argc, char **argv) {
    char certificate[1024], key[1024], why[TLS_WHY_BYTES] = "";

    if (argc != 2 || CRYPTO_set_mem_functions(failing_malloc, failing_realloc,
                                              plain_free) != 1)
        return 2;
    trusting = client_context(argv[1], "ca.pem");
    distrusting = client_context(argv[1], "other.pem");
    snprintf(certificate, sizeof(certificate), "%s/server.pem", argv[1]);
    snprintf(key, sizeof(key), "%s/server.key", argv[1]);
    serving = tls_server_context(certificate, key, why);
    check(__LINE__, why, serving != NULL, 1);
    CHECK("no such file", tls_client_context("/no/such/file", why) == NULL, 1);
    if (failed == 0) {
        uva_run_with(&(uva_options_t){.clock = UVA_CLOCK_VIRTUAL}, run_all,
                     NULL);
        uva_run(run_tcp, NULL);
    }
    SSL_CTX_free(trusting);
    SSL_CTX_free(distrusting);
    SSL_CTX_free(serving);
    printf("%d passed, %d failed\n", passed, failed);
    return failed > 0;
}
