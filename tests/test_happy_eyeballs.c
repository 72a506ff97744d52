/* labels: valgrind */
/*
 * Connecting to a name with several addresses: in which order, when the next
 * one is tried, and that nothing is left of those who lose.
 *
 * This program has a getaddrinfo() of its own, which libuv calls: it knows one
 * name, whose addresses the tests set.
 */
#include <arpa/inet.h>
#include <netdb.h>
#include <stdlib.h>
#include <string.h>

#include "stream_fixture.h"

enum { MOST = 12 };

static const char *addresses[MOST + 1]; /* ended by NULL */
static struct addrinfo entries[MOST];
static struct sockaddr_storage sockets[MOST];

int getaddrinfo(const char *restrict node, const char *restrict service,
                const struct addrinfo *restrict hints,
                struct addrinfo **restrict result) {
    (void)service;
    (void)hints;
    if (strcmp(node, "many.test") != 0)
        return EAI_NONAME;
    size_t count = 0;
    for (; addresses[count] != NULL; count++) {
        bool is_new = strchr(addresses[count], ':') != NULL;
        if (is_new)
            (void)uv_ip6_addr(addresses[count], 0,
                              (struct sockaddr_in6 *)&sockets[count]);
        else
            (void)uv_ip4_addr(addresses[count], 0,
                              (struct sockaddr_in *)&sockets[count]);
        entries[count] = (struct addrinfo){
            .ai_family = is_new ? AF_INET6 : AF_INET,
            .ai_socktype = SOCK_STREAM,
            .ai_addr = (struct sockaddr *)&sockets[count],
            .ai_addrlen = is_new ? sizeof(struct sockaddr_in6)
                                 : sizeof(struct sockaddr_in)};
        if (count > 0)
            entries[count - 1].ai_next = &entries[count];
    }
    *result = entries;
    return count > 0 ? 0 : EAI_NODATA;
}

void freeaddrinfo(struct addrinfo *list) {
    ck_assert(list == NULL || list == entries);
}

/* The address that a stream is connected to. */
static void expect_peer(uva_stream_t *stream, const char *address) {
    struct sockaddr_in peer;
    socklen_t bytes = sizeof peer;
    char text[64];
    ck_assert_int_eq(getpeername(uva__socket_of(stream)->fd,
                                 (struct sockaddr *)&peer, &bytes),
                     0);
    ck_assert_int_eq(uv_ip4_name(&peer, text, sizeof text), 0);
    ck_assert_str_eq(text, address);
}

/* The first is mute: the second is begun 250 ms later. */
static int wait_main(void *arg) {
    int fds[MUTE_FDS];
    int port = mute_port(fds);
    uva_listener_t *listener;
    uva_stream_t *stream;
    (void)arg;
    addresses[0] = "127.0.0.1";
    addresses[1] = "127.0.0.2";
    addresses[2] = NULL;
    ck_assert_int_eq(uva_tcp_listen("127.0.0.2", port, 8, &listener), 0);
    uint64_t start = uva_now_ms();
    ck_assert_int_eq(uva_tcp_connect("many.test", port, &stream), 0);
    uint64_t took = uva_now_ms() - start;
    ck_assert_uint_ge(took, 250);
    ck_assert_uint_lt(took, 900); /* a SYN is repeated after 1 s */
    expect_peer(stream, "127.0.0.2");
    uva_stream_close(stream);
    uva_listener_close(listener);
    close_mute_port(fds);
    return 0;
}

START_TEST(eyeballs_do_not_wait_for_the_mute) {
    CONFORMS("K-220");
    run_clean(wait_main);
}
END_TEST

/* Refused ones are followed at once, and the last failure is told. */
static int refused_main(void *arg) {
    uva_listener_t *listener;
    uva_stream_t *stream = NULL;
    (void)arg;
    ck_assert_int_eq(uva_tcp_listen("127.0.0.9", 0, 8, &listener), 0);
    int port = uva_listener_port(listener);
    for (int i = 0; i < MOST; i++)
        addresses[i] = "127.0.0.3";
    addresses[MOST] = NULL;
    uint64_t start = uva_now_ms();
    ck_assert_int_eq(uva_tcp_connect("many.test", port, &stream),
                     UV_ECONNREFUSED);
    ck_assert_ptr_null(stream);
    addresses[MOST - 1] = "127.0.0.9";
    ck_assert_int_eq(uva_tcp_connect("many.test", port, &stream), 0);
    ck_assert_uint_lt(uva_now_ms() - start, 250);
    expect_peer(stream, "127.0.0.9");
    uva_stream_close(stream);
    uva_listener_close(listener);
    return 0;
}

START_TEST(eyeballs_go_on_after_a_refusal) {
    run_clean(refused_main);
}
END_TEST

/* IPv6 that goes nowhere and IPv4 that works, as the name server lists them. */
static int families_main(void *arg) {
    uva_listener_t *listener;
    uva_stream_t *stream;
    (void)arg;
    ck_assert_int_eq(uva_tcp_listen("127.0.0.1", 0, 8, &listener), 0);
    int port = uva_listener_port(listener);
    for (int i = 0; i < 5; i++)
        addresses[i] = "::1"; /* nobody listens there */
    addresses[5] = "127.0.0.1";
    addresses[6] = NULL;
    ck_assert_int_eq(uva_tcp_connect("many.test", port, &stream), 0);
    expect_peer(stream, "127.0.0.1");
    uva_stream_close(stream);
    uva_listener_close(listener);
    return 0;
}

START_TEST(eyeballs_take_turns_with_the_families) {
    run_clean(families_main);
}
END_TEST

/* Cut while several attempts are under way. */
static int cut_main(void *arg) {
    int fds[MUTE_FDS];
    int port = mute_port(fds);
    uva_stream_t *stream = NULL;
    uva_scope_t scope;
    (void)arg;
    for (int i = 0; i < 3; i++)
        addresses[i] = "127.0.0.1";
    addresses[3] = NULL;
    uva_scope_open(&scope, 300, 0);
    ck_assert_int_eq(uva_tcp_connect("many.test", port, &stream), UV_ECANCELED);
    ck_assert_int_eq(uva_scope_close(&scope), UV_ETIMEDOUT);
    ck_assert_ptr_null(stream);
    close_mute_port(fds);
    return 0;
}

START_TEST(eyeballs_that_are_cut_leave_nothing) {
    run_clean(cut_main);
}
END_TEST

static int no_memory_main(void *arg) {
    uva_stream_t *stream = NULL;
    (void)arg;
    for (int i = 0; i < MOST; i++)
        addresses[i] = "127.0.0.3";
    addresses[MOST] = NULL;
    faults_fail(FAULT_MALLOC, 1);
    ck_assert_int_eq(uva_tcp_connect("many.test", 9, &stream), UV_ENOMEM);
    ck_assert_uint_eq(faults_clear(), 1);
    addresses[0] = NULL;
    ck_assert_int_eq(uva_tcp_connect("many.test", 9, &stream), UV_EAI_NODATA);
    ck_assert_int_eq(uva_tcp_connect("none.test", 9, &stream), UV_EAI_NONAME);
    return 0;
}

START_TEST(eyeballs_without_memory_or_addresses) {
    run_clean(no_memory_main);
}
END_TEST

SUITE("happy_eyeballs", eyeballs_do_not_wait_for_the_mute,
      eyeballs_go_on_after_a_refusal, eyeballs_take_turns_with_the_families,
      eyeballs_that_are_cut_leave_nothing, eyeballs_without_memory_or_addresses)
