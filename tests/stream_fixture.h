/*
 * stream_fixture.h - what the tests of streams share: connected pairs, and raw
 * sockets as peers that know nothing of the library.
 *
 * A connection over the loopback is complete before it is accepted, so one task
 * can make both ends.
 */
#ifndef STREAM_FIXTURE_H
#define STREAM_FIXTURE_H

#include "support/support.h"

#include "runtime/io/socket.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>
#include <netdb.h>
#include <uvawait.h>

/* No address to inet_pton(), so it is looked up; yet every system knows it,
 * also one without /etc/hosts. */
#define A_NAME "127.1"

/* Whether "localhost" is known; it may be ::1 as well, where nobody listens. */
static inline bool knows_localhost(void) {
    struct addrinfo *found = NULL;
    if (getaddrinfo("localhost", NULL, NULL, &found) != 0)
        return false;
    freeaddrinfo(found);
    return true;
}

#define KIB ((size_t)1024)

static const uva_options_t quiet = {.report = support_report};

/* Runs fn as main; nothing may have been reported. */
static inline void run_clean(uva_fn fn) {
    ck_assert_int_eq(uva_run_with(&quiet, fn, NULL), 0);
    ck_assert_str_eq(support_reports(), "");
}

static inline uva_listener_t *listen_somewhere(void) {
    uva_listener_t *listener = NULL;
    ck_assert_int_eq(uva_tcp_listen("127.0.0.1", 0, 128, &listener), 0);
    ck_assert_int_gt(uva_listener_port(listener), 0);
    return listener;
}

/* ---- two ends ----------------------------------------------------------- */

typedef struct pair {
    uva_stream_t *near;
    uva_stream_t *far;
} pair_t;

static inline pair_t open_pair(void) {
    pair_t pair = {NULL, NULL};
    uva_listener_t *listener = listen_somewhere();
    int port = uva_listener_port(listener);
    ck_assert_int_eq(uva_tcp_connect("127.0.0.1", port, &pair.near), 0);
    ck_assert_int_eq(uva_accept(listener, &pair.far), 0);
    uva_listener_close(listener);
    return pair;
}

static inline void close_pair(pair_t *pair) {
    uva_stream_close(pair->near);
    uva_stream_close(pair->far);
}

/* ---- a stream and a raw socket ------------------------------------------ */

typedef struct raw {
    uva_stream_t *stream;
    int fd; /* its peer; blocking */
} raw_t;

static inline int raw_connect(int port) {
    struct sockaddr_in address = {.sin_family = AF_INET,
                                  .sin_port = htons((uint16_t)port),
                                  .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    ck_assert_int_ge(fd, 0);
    ck_assert_int_eq(connect(fd, (struct sockaddr *)&address, sizeof address),
                     0);
    return fd;
}

static inline raw_t open_raw(void) {
    raw_t raw = {NULL, -1};
    uva_listener_t *listener = listen_somewhere();
    raw.fd = raw_connect(uva_listener_port(listener));
    ck_assert_int_eq(uva_accept(listener, &raw.stream), 0);
    uva_listener_close(listener);
    return raw;
}

static inline void close_raw(raw_t *raw) {
    uva_stream_close(raw->stream);
    if (raw->fd >= 0)
        close(raw->fd);
}

static inline void raw_send(int fd, const void *data, size_t bytes) {
    ck_assert_int_eq(send(fd, data, bytes, MSG_NOSIGNAL), (ssize_t)bytes);
}

/* Sends until the socket takes no more; how many bytes it took. */
static inline size_t fill_once(int fd) {
    static const char zeros[65536];
    size_t sent = 0;
    ssize_t some;
    while ((some = send(fd, zeros, sizeof zeros, MSG_NOSIGNAL | MSG_DONTWAIT)) >
           0)
        sent += (size_t)some;
    ck_assert(errno == EAGAIN || errno == EWOULDBLOCK);
    return sent;
}

/* The same until it stays so: the kernel hands on what it has after a while,
 * which makes room. */
static inline size_t fill(int fd) {
    size_t sent = 0;
    for (int quiet_rounds = 0; quiet_rounds < 3;) {
        size_t some = fill_once(fd);
        sent += some;
        quiet_rounds = some == 0 ? quiet_rounds + 1 : 0;
        usleep(1000);
    }
    return sent;
}

/* Receives what is there; how many bytes that was. */
static inline size_t drain(int fd) {
    static char bytes[65536];
    size_t received = 0;
    ssize_t some;
    while ((some = recv(fd, bytes, sizeof bytes, MSG_DONTWAIT)) > 0)
        received += (size_t)some;
    return received;
}

/* Closes so that the peer is reset. */
static inline void raw_reset(int *fd) {
    struct linger linger = {.l_onoff = 1, .l_linger = 0};
    ck_assert_int_eq(
        setsockopt(*fd, SOL_SOCKET, SO_LINGER, &linger, sizeof linger), 0);
    close(*fd);
    *fd = -1;
}

/* Only what is sent: with a receive buffer smaller than the loopback's
 * segments, the kernel waits 200 ms for each window. */
static inline void shrink(int fd) {
    int bytes = 4096;
    ck_assert_int_eq(
        setsockopt(fd, SOL_SOCKET, SO_SNDBUF, &bytes, sizeof bytes), 0);
}

/* ---- nobody answers, nothing is left ------------------------------------ */

enum { MUTE_FDS = 9 };

/* A port of 127.0.0.1 that answers nobody: it listens with the smallest backlog
 * and has filled it, so that a connect waits. */
static inline int mute_port(int fds[MUTE_FDS]) {
    struct sockaddr_in address = {.sin_family = AF_INET,
                                  .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t bytes = sizeof address;
    fds[0] = socket(AF_INET, SOCK_STREAM, 0);
    ck_assert_int_eq(bind(fds[0], (struct sockaddr *)&address, bytes), 0);
    ck_assert_int_eq(listen(fds[0], 0), 0);
    ck_assert_int_eq(getsockname(fds[0], (struct sockaddr *)&address, &bytes),
                     0);
    for (int i = 1; i < MUTE_FDS; i++) {
        fds[i] = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
        (void)connect(fds[i], (struct sockaddr *)&address, bytes);
    }
    return ntohs(address.sin_port);
}

static inline void close_mute_port(const int fds[MUTE_FDS]) {
    for (int i = 0; i < MUTE_FDS; i++)
        close(fds[i]);
}

/* Limits the descriptors of the process; what the limit was. */
static inline rlim_t limit_files(rlim_t files) {
    struct rlimit limit;
    ck_assert_int_eq(getrlimit(RLIMIT_NOFILE, &limit), 0);
    rlim_t before = limit.rlim_cur;
    limit.rlim_cur = files;
    ck_assert_int_eq(setrlimit(RLIMIT_NOFILE, &limit), 0);
    return before;
}

/* As many descriptors as there are now. */
static inline rlim_t limit_files_to_now(void) {
    int next = dup(STDIN_FILENO);
    ck_assert_int_ge(next, 0);
    close(next);
    return limit_files((rlim_t)next);
}

/* ---- local sockets ------------------------------------------------------ */

/* A path for a socket, in a directory of this process alone. */
typedef struct place {
    char directory[64];
    char path[80];
} place_t;

static inline place_t make_place(void) {
    place_t place;
    snprintf(place.directory, sizeof place.directory, "/tmp/uvawait.%ld",
             (long)getpid());
    snprintf(place.path, sizeof place.path, "%s/socket", place.directory);
    ck_assert_int_eq(mkdir(place.directory, 0700), 0);
    return place;
}

/* Fails when the directory is not empty. */
static inline void remove_place(const place_t *place) {
    ck_assert_int_eq(rmdir(place->directory), 0);
}

/* ---- bytes -------------------------------------------------------------- */

/* The byte at a place of an endless, recognisable sequence. */
static inline char byte_at(size_t place) {
    return (char)((place * 31 + place / 251) & 0xff);
}

static inline void make_bytes(char *buffer, size_t from, size_t bytes) {
    for (size_t i = 0; i < bytes; i++)
        buffer[i] = byte_at(from + i);
}

static inline void check_bytes(const char *buffer, size_t from, size_t bytes) {
    size_t i = 0;
    while (i < bytes && buffer[i] == byte_at(from + i))
        i++;
    ck_assert_msg(i == bytes, "byte %zu is wrong", from + i);
}

#endif
