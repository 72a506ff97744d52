/**
 * UDP: datagrams as straight-line code.
 *
 * What has arrived and nobody has received stays in the kernel's queue, whose
 * size is SO_RCVBUF and which drops what is too much. Any number of tasks may
 * receive and send at the same time, first come, first served. Nothing is
 * copied or kept: a call works on the caller's memory and is over when it
 * returns.
 *
 * A socket that is still open when its runtime ends is reported, with the place
 * where it was opened, and closed.
 */
#ifndef UVAWAIT_UDP_H
#define UVAWAIT_UDP_H

#include "base.h"

#include <sys/types.h>

UVA_BEGIN_DECLS

typedef struct uva_udp uva_udp_t;

/* All zero is the default of everything. */
typedef struct uva_udp_options {
    bool reuse_address; /* others may bind to it as well: for multicast */
    bool ipv6_only;     /* an IPv6 socket takes no IPv4 datagrams */
} uva_udp_options_t;

/* What came with the bytes of a datagram. */
typedef struct uva_datagram {
    struct sockaddr_storage from;
    bool truncated; /* the buffer was too small; the rest is lost */
} uva_datagram_t;

/**
 * Opens a socket that is bound to host:port; port 0 takes a free one
 * (uva_udp_local_name()). host must be an address; NULL is any IPv4 address.
 *
 * Context:  task or host callback, in the thread of the runtime
 * Parks:    never
 * Cancel:   –
 * Returns:  0; UV_EADDRINUSE, UV_EADDRNOTAVAIL, UV_EACCES ...; UV_EINVAL for
 *           what is no address or a port out of range; UV_ENOMEM, UV_EMFILE;
 *           UV_EPERM without a runtime (reported); UV_ESHUTDOWN after its end
 * Owns:     host and options (may be NULL) borrowed; *ret_udp is new:
 *           uva_udp_close()
 * Since:    0.1
 */
UVA_API int uva_udp_open(const char *host, int port,
                         const uva_udp_options_t *options, uva_udp_t **ret_udp);

/**
 * Sets whom uva_udp_send() sends to, and from whom alone is received. host must
 * be an address; NULL takes it back.
 *
 * Context:  the thread of the runtime
 * Parks:    never
 * Cancel:   –
 * Returns:  0; UV_EISCONN when it has a peer already; UV_ENOTCONN when it has
 *           none to take back; UV_ENETUNREACH ...; UV_EAFNOSUPPORT for an
 *           address of the other family; UV_EINVAL; UV_EPERM in another thread
 *           (reported)
 * Owns:     udp and host borrowed
 * Since:    0.1
 */
UVA_API int uva_udp_connect(uva_udp_t *udp, const char *host, int port);

/**
 * Sends a datagram to the peer of uva_udp_connect().
 *
 * Context:  task; any number at the same time
 * Parks:    while the socket takes no more
 * Cancel:   UV_ECANCELED; nothing was sent
 * Returns:  bytes; UV_ECANCELED, also when the socket is closed meanwhile;
 *           UV_EDESTADDRREQ without a peer; UV_EMSGSIZE; UV_ECONNREFUSED when
 *           an earlier one found nobody (say so once, this one is not sent);
 *           UV_ENETUNREACH, UV_ENOBUFS ...; UV_ENOMEM; UV_EPERM; UV_EINVAL
 * Owns:     udp and data borrowed until return
 * Since:    0.1
 */
UVA_API UVA_PARKS ssize_t uva_udp_send(uva_udp_t *udp, const void *data,
                                       size_t bytes);

/**
 * Sends a datagram to an address: uv_ip4_addr() makes one, uva_udp_receive()
 * tells one.
 *
 * Context:  task; any number at the same time
 * Parks:    while the socket takes no more
 * Cancel:   as uva_udp_send()
 * Returns:  as uva_udp_send(); UV_EAFNOSUPPORT for an address of the other
 *           family; UV_EISCONN where a socket with a peer sends to no other
 * Owns:     udp, data and to borrowed until return
 * Since:    0.1
 */
UVA_API UVA_PARKS ssize_t uva_udp_send_to(uva_udp_t *udp, const void *data,
                                          size_t bytes,
                                          const struct sockaddr *to);

/**
 * Receives a datagram; one of no bytes is legal.
 *
 * Context:  task; any number at the same time
 * Parks:    while there is none
 * Cancel:   UV_ECANCELED; the datagram stays in the queue
 * Returns:  how many bytes are in buffer; UV_ECANCELED, also when the socket is
 *           closed meanwhile; UV_ECONNREFUSED when what was sent to the peer
 *           found nobody (said once; go on); UV_ENOMEM; UV_EPERM; UV_EINVAL
 * Owns:     udp and buffer borrowed until return; ret_datagram may be NULL
 * Since:    0.1
 */
UVA_API UVA_PARKS ssize_t uva_udp_receive(uva_udp_t *udp, void *buffer,
                                          size_t bytes,
                                          uva_datagram_t *ret_datagram);

/**
 * The address and port that the socket is bound to.
 *
 * Context:  the thread of the runtime
 * Parks:    never
 * Cancel:   –
 * Returns:  0; UV_EINVAL; UV_ENOBUFS ...
 * Owns:     udp borrowed
 * Since:    0.1
 */
UVA_API int uva_udp_local_name(const uva_udp_t *udp,
                               struct sockaddr_storage *ret_address);

/**
 * The address and port of the peer.
 *
 * Context:  the thread of the runtime
 * Parks:    never
 * Cancel:   –
 * Returns:  0; UV_ENOTCONN without one; UV_EINVAL
 * Owns:     udp borrowed
 * Since:    0.1
 */
UVA_API int uva_udp_peer_name(const uva_udp_t *udp,
                              struct sockaddr_storage *ret_address);

/**
 * Receives what is sent to a multicast group from now on.
 *
 * Context:  the thread of the runtime
 * Parks:    never
 * Cancel:   –
 * Returns:  0; UV_EADDRINUSE when it does so already; UV_ENODEV without such an
 *           interface; UV_EINVAL for what is no group; UV_EPERM in another
 *           thread (reported)
 * Owns:     udp, group and interface borrowed; interface is an address of one
 *           of this machine, NULL: the kernel's choice
 * Since:    0.1
 */
UVA_API int uva_udp_join(uva_udp_t *udp, const char *group,
                         const char *interface);

/**
 * Leaves a multicast group.
 *
 * Context:  the thread of the runtime
 * Parks:    never
 * Cancel:   –
 * Returns:  0; UV_EADDRNOTAVAIL when it is not in it; as uva_udp_join()
 * Owns:     as uva_udp_join()
 * Since:    0.1
 */
UVA_API int uva_udp_leave(uva_udp_t *udp, const char *group,
                          const char *interface);

/**
 * Says how far multicast datagrams go: 1, the default, is this network, up to
 * 255.
 *
 * Context:  the thread of the runtime
 * Parks:    never
 * Cancel:   –
 * Returns:  0; UV_EINVAL; UV_EPERM in another thread (reported)
 * Owns:     udp borrowed
 * Since:    0.1
 */
UVA_API int uva_udp_set_multicast_ttl(uva_udp_t *udp, int ttl);

/**
 * Says whether multicast datagrams come to this machine as well; the default.
 *
 * Context:  the thread of the runtime
 * Parks:    never
 * Cancel:   –
 * Returns:  0; UV_EINVAL; UV_EPERM in another thread (reported)
 * Owns:     udp borrowed
 * Since:    0.1
 */
UVA_API int uva_udp_set_multicast_loop(uva_udp_t *udp, bool on);

/**
 * Says by which interface multicast datagrams are sent.
 *
 * Context:  the thread of the runtime
 * Parks:    never
 * Cancel:   –
 * Returns:  0; UV_EADDRNOTAVAIL, UV_ENODEV; UV_EINVAL; UV_EPERM in another
 *           thread (reported)
 * Owns:     udp and interface borrowed; interface as in uva_udp_join()
 * Since:    0.1
 */
UVA_API int uva_udp_set_multicast_interface(uva_udp_t *udp,
                                            const char *interface);

/**
 * Allows to send to broadcast addresses; off at first.
 *
 * Context:  the thread of the runtime
 * Parks:    never
 * Cancel:   –
 * Returns:  0; UV_EINVAL; UV_EPERM in another thread (reported)
 * Owns:     udp borrowed
 * Since:    0.1
 */
UVA_API int uva_udp_set_broadcast(uva_udp_t *udp, bool on);

/**
 * Says over how many hops datagrams go: 1 .. 255.
 *
 * Context:  the thread of the runtime
 * Parks:    never
 * Cancel:   –
 * Returns:  0; UV_EINVAL; UV_EPERM in another thread (reported)
 * Owns:     udp borrowed
 * Since:    0.1
 */
UVA_API int uva_udp_set_ttl(uva_udp_t *udp, int ttl);

/**
 * Closes a socket. Who waits in it gets UV_ECANCELED. What was sent is on its
 * way.
 *
 * Context:  the thread of the runtime
 * Parks:    never
 * Cancel:   –
 * Returns:  –
 * Owns:     takes udp; NULL is fine
 * Since:    0.1
 */
UVA_API void uva_udp_close(uva_udp_t *udp);

/* The function behind the macro below: site is UVA_SITE(...). */
UVA_API int uva_udp_open_at(const char *site, const char *host, int port,
                            const uva_udp_options_t *options,
                            uva_udp_t **ret_udp);

#define uva_udp_open(...) uva_udp_open_at(UVA_SITE(#__VA_ARGS__), __VA_ARGS__)

UVA_END_DECLS

#endif
