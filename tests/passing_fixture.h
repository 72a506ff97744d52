/*
 * passing_fixture.h - what the tests of handle passing share: raw ends, and
 * something to pass.
 */
#ifndef PASSING_FIXTURE_H
#define PASSING_FIXTURE_H

#include "stream_fixture.h"

/* Sends bytes, and with them so many copies of fd. */
static inline void raw_send_fds(int pipe, const char *data, size_t bytes,
                                int fd, int count) {
    char control[CMSG_SPACE(32 * sizeof fd)] = {0};
    struct iovec all = {(void *)(uintptr_t)data, bytes};
    struct msghdr message = {.msg_iov = &all,
                             .msg_iovlen = 1,
                             .msg_control = control,
                             .msg_controllen =
                                 CMSG_SPACE((size_t)count * sizeof fd)};
    struct cmsghdr *header = CMSG_FIRSTHDR(&message);
    header->cmsg_level = SOL_SOCKET;
    header->cmsg_type = SCM_RIGHTS;
    header->cmsg_len = CMSG_LEN((size_t)count * sizeof fd);
    for (int i = 0; i < count; i++)
        memcpy(CMSG_DATA(header) + (size_t)i * sizeof fd, &fd, sizeof fd);
    ck_assert_int_eq(sendmsg(pipe, &message, 0), (ssize_t)bytes);
}

/* Receives one byte and the descriptor that came with it. */
static inline int raw_receive_fd(int pipe) {
    char byte;
    int fd = -1;
    char control[CMSG_SPACE(sizeof fd)] = {0};
    struct iovec one = {&byte, 1};
    struct msghdr message = {.msg_iov = &one,
                             .msg_iovlen = 1,
                             .msg_control = control,
                             .msg_controllen = sizeof control};
    ck_assert_int_eq(recvmsg(pipe, &message, 0), 1);
    struct cmsghdr *header = CMSG_FIRSTHDR(&message);
    ck_assert_ptr_nonnull(header);
    ck_assert_int_eq(header->cmsg_type, SCM_RIGHTS);
    memcpy(&fd, CMSG_DATA(header), sizeof fd);
    return fd;
}

/* A Unix socket whose other end is raw. */
static inline uva_stream_t *open_half(int *ret_fd) {
    int fds[2];
    uva_stream_t *stream = NULL;
    ck_assert_int_eq(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fds),
                     0);
    ck_assert_int_eq(uva_stream_open_fd(fds[0], &stream), 0);
    *ret_fd = fds[1];
    return stream;
}

/* A pipe of pipe(2): its writing end, to be passed, and the reading one. */
static inline int make_passenger(int *ret_reading) {
    int fds[2];
    ck_assert_int_eq(pipe2(fds, O_CLOEXEC), 0);
    *ret_reading = fds[0];
    return fds[1];
}

/* What was received writes to where its other end reads. */
static inline void check_passenger(uva_stream_t *stream, int reading) {
    char byte = 0;
    ck_assert_int_eq(uva_write(stream, "p", 1), 1);
    ck_assert_int_eq(read(reading, &byte, 1), 1);
    ck_assert_int_eq(byte, 'p');
    uva_stream_close(stream);
    close(reading);
}

#endif
