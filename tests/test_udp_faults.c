/* labels: valgrind */
/* UDP: libuv's calls that set and ask, made to fail in turn. */
#include "udp_fixture.h"

/* What libuv does not do is its code, and the socket is as it was. */
#define FAILS(kind, call) \
    do { \
        faults_fail_with(FAULT_UV_UDP_##kind, 1, UV_EIO); \
        ck_assert_int_eq(call, UV_EIO); \
        ck_assert_uint_eq(faults_clear(), 1); \
    } while (0)

static int fail_settings(void *arg) {
    (void)arg;
    struct sockaddr_storage address;
    uva_udp_t *a = open_somewhere();
    uva_udp_t *b = open_somewhere();
    FAILS(CONNECT, uva_udp_connect(a, "127.0.0.1", port_of(b)));
    FAILS(CONNECT, uva_udp_connect(a, NULL, 0));
    FAILS(GETSOCKNAME, uva_udp_local_name(a, &address));
    FAILS(GETPEERNAME, uva_udp_peer_name(a, &address));
    FAILS(SET_MEMBERSHIP, uva_udp_join(a, "239.1.2.3", NULL));
    FAILS(SET_MEMBERSHIP, uva_udp_leave(a, "239.1.2.3", NULL));
    FAILS(SET_MULTICAST_TTL, uva_udp_set_multicast_ttl(a, 1));
    FAILS(SET_MULTICAST_LOOP, uva_udp_set_multicast_loop(a, true));
    FAILS(SET_MULTICAST_INTERFACE, uva_udp_set_multicast_interface(a, NULL));
    FAILS(SET_BROADCAST, uva_udp_set_broadcast(a, true));
    FAILS(SET_TTL, uva_udp_set_ttl(a, 1));
    ck_assert_int_eq(uva_udp_peer_name(a, &address), UV_ENOTCONN);
    ck_assert_int_eq(uva_udp_connect(a, "127.0.0.1", port_of(b)), 0);
    ck_assert_int_eq(uva_udp_send(a, "x", 1), 1);
    uva_udp_close(a);
    uva_udp_close(b);
    return 0;
}

START_TEST(udp_settings_may_fail) {
    run_clean(fail_settings);
}
END_TEST

SUITE("udp_faults", udp_settings_may_fail)
