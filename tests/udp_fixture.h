/*
 * udp_fixture.h - what the tests of UDP share: sockets that are open somewhere
 * on this machine.
 */
#ifndef UDP_FIXTURE_H
#define UDP_FIXTURE_H

#include "stream_fixture.h"

static inline uva_udp_t *open_somewhere(void) {
    uva_udp_t *udp = NULL;
    ck_assert_int_eq(uva_udp_open("127.0.0.1", 0, NULL, &udp), 0);
    return udp;
}

static inline int port_of(const uva_udp_t *udp) {
    struct sockaddr_storage name;
    ck_assert_int_eq(uva_udp_local_name(udp, &name), 0);
    return ntohs(name.ss_family == AF_INET6
                     ? ((struct sockaddr_in6 *)&name)->sin6_port
                     : ((struct sockaddr_in *)&name)->sin_port);
}

#endif
