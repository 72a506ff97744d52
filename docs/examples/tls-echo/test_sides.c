/*
 * What: see test_sides.h.
 */
#include "test_sides.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { PIECE = 30000 };

int passed, failed;
SSL_CTX *trusting, *distrusting, *serving;

void check(int line, const char *what, long long got, long long wanted) {
    if (got == wanted) {
        passed++;
        return;
    }
    failed++;
    printf("FAILED line %d: %s: got %lld, wanted %lld\n", line, what, got,
           wanted);
}

void check_text(const char *what, const char *text, const char *part) {
    check(0, what, strstr(text, part) != NULL, 1);
    if (strstr(text, part) == NULL)
        printf("    \"%s\" is not in \"%s\"\n", part, text);
}

/* ---- both sides of a connection ----------------------------------------- */

static char pattern(size_t at, unsigned key) {
    return (char)((at * 31 + at / 251) ^ key);
}

int shake_hands(void *arg) {
    side_t *side = arg;

    return side->is_client
               ? tls_client(side->inner, side->context, side->host, side->why,
                            &side->tls)
               : tls_server(side->inner, side->context, side->why, &side->tls);
}

void set_up(both_t *both, uva_stream_t *client, uva_stream_t *server) {
    memset(both, 0, sizeof(*both));
    both->client = (side_t){.is_client = true,
                            .context = trusting,
                            .host = "localhost",
                            .inner = client,
                            .key = 1,
                            .ends = true};
    both->server =
        (side_t){.context = serving, .inner = server, .key = 77, .ends = true};
}

void in_memory(both_t *both, const uva_memory_stream_options_t *how) {
    uva_stream_t *ends[2] = {NULL, NULL};

    CHECK("pair", uva_memory_stream_pair(how, ends), 0);
    set_up(both, ends[0], ends[1]);
}

void side_hang_up(side_t *side) {
    uva_stream_close(side->tls);
    side->tls = NULL;
    uva_stream_close(side->inner);
    side->inner = NULL;
}

/* Shakes hands on both sides; who fails hangs up, as a program would. */
static int shake_or_hang_up(void *arg) {
    int code = shake_hands(arg);
    if (code < 0)
        side_hang_up(arg);
    return code;
}

void connect_both(both_t *both, int ret_codes[2]) {
    uva_future_t *tasks[] = {uva_spawn(shake_or_hang_up, &both->client),
                             uva_spawn(shake_or_hang_up, &both->server)};

    CHECK("gather", uva_gather_settled(tasks, 2, NULL, ret_codes), 0);
}

void connect_well(both_t *both) {
    int codes[2];

    connect_both(both, codes);
    CHECK("the client's handshake", codes[0], 0);
    CHECK("the server's handshake", codes[1], 0);
}

void hang_up(both_t *both) {
    side_hang_up(&both->client);
    side_hang_up(&both->server);
}

/* ---- data --------------------------------------------------------------- */

int send_pattern(void *arg) {
    side_t *side = arg;
    char *piece = malloc(PIECE);
    size_t sent = 0;
    ssize_t code = 0;

    while (sent < side->to_send && code >= 0) {
        size_t bytes = side->to_send - sent;
        if (bytes > PIECE)
            bytes = PIECE;
        for (size_t i = 0; i < bytes; i++)
            piece[i] = pattern(sent + i, side->key);
        uv_buf_t parts[] = {
            uv_buf_init(piece, (unsigned)(bytes / 3)), uv_buf_init(piece, 0),
            uv_buf_init(piece + bytes / 3, (unsigned)(bytes - bytes / 3))};
        code = uva_writev(side->tls, parts, 3);
        sent += bytes;
    }
    free(piece);
    if (code >= 0 && side->ends)
        code = uva_shutdown(side->tls);
    return code < 0 ? (int)code : 0;
}

/* Reads to the end: 0 at UV_EOF. Each wait lasts at most `patience` ms and is
 * then begun anew. */
static int expect_pattern(side_t *side, unsigned key, uint64_t patience) {
    char *buffer = malloc(PIECE);
    ssize_t got = 0;

    while (got >= 0) {
        uva_scope_t scope;
        uva_scope_open(&scope, patience, 0);
        got = uva_read(side->tls, buffer, PIECE);
        if (uva_scope_close(&scope) == UV_ETIMEDOUT && got < 0)
            got = 0;
        for (ssize_t i = 0; i < got; i++)
            if (buffer[i] != pattern(side->received++, key))
                got = UV_EINVAL;
    }
    free(buffer);
    return got == UV_EOF ? 0 : (int)got;
}

int receive_of_client(void *arg) {
    return expect_pattern(arg, 1, UVA_FOREVER);
}

int receive_of_server(void *arg) {
    return expect_pattern(arg, 77, UVA_FOREVER);
}

int receive_impatiently(void *arg) {
    return expect_pattern(arg, 77, 1);
}

/* So many bytes both ways at once. */
void exchange(both_t *both, size_t bytes, uva_fn client_receives) {
    both->client.to_send = both->server.to_send = bytes;
    uva_future_t *tasks[] = {uva_spawn(send_pattern, &both->client),
                             uva_spawn(send_pattern, &both->server),
                             uva_spawn(client_receives, &both->client),
                             uva_spawn(receive_of_client, &both->server)};

    CHECK("exchange", uva_gather(tasks, 4, NULL), 0);
    CHECK("of the server", (long long)both->client.received, (long long)bytes);
    CHECK("of the client", (long long)both->server.received, (long long)bytes);
}
