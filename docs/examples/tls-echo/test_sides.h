/*
 * What the tests of tls_stream.c are made of: counted checks, and a client and
 * a server that talk to each other.
 */
#ifndef TEST_SIDES_H
#define TEST_SIDES_H

#include "tls_context.h"

/* ---- checks ------------------------------------------------------------- */

extern int passed, failed;

#define CHECK(what, got, wanted) check(__LINE__, what, got, wanted)

void check(int line, const char *what, long long got, long long wanted);

/* part is in text. */
void check_text(const char *what, const char *text, const char *part);

/* ---- both sides of a connection ----------------------------------------- */

/* Contexts: of a client that trusts the server, of one that does not, and the
 * server's. main() makes them. */
extern SSL_CTX *trusting, *distrusting, *serving;

/* One side; what it sends is a pattern that depends on its place and `key`. */
typedef struct side {
    bool is_client;
    SSL_CTX *context;
    const char *host;
    uva_stream_t *inner;
    uva_stream_t *tls; /* NULL while there is none */
    char why[TLS_WHY_BYTES];
    unsigned key;
    size_t to_send;
    size_t received;
    bool ends; /* shuts down behind what it has sent */
} side_t;

typedef struct both {
    side_t client;
    side_t server;
} both_t;

/* Sides on two streams that are connected, with nothing done yet. */
void set_up(both_t *both, uva_stream_t *client, uva_stream_t *server);
void in_memory(both_t *both, const uva_memory_stream_options_t *how);

/* One side's handshake; a task's body. */
int shake_hands(void *arg);

/* Both handshakes at once; who fails hangs up. connect_well() expects both to
 * succeed. */
void connect_both(both_t *both, int ret_codes[2]);
void connect_well(both_t *both);

void side_hang_up(side_t *side);
void hang_up(both_t *both);

/* ---- data --------------------------------------------------------------- */

/* Bodies of tasks: a side sends to_send bytes, and ends if it is to. */
int send_pattern(void *arg);

/* ... a side receives, and checks, what the other one sends, to its end; the
 * impatient one gives up each wait after 1 ms and begins anew. */
int receive_of_client(void *arg);
int receive_of_server(void *arg);
int receive_impatiently(void *arg);

/* So many bytes both ways at once. */
void exchange(both_t *both, size_t bytes, uva_fn client_receives);

#endif
