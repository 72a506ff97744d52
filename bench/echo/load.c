/*
 * The load: one thread, raw epoll.
 *
 * What a request costs is the kernel's work on both ends, and the server's end
 * is no dearer than ours. So that the server's processor is the one that is
 * always busy, ours does less: edge-triggered readiness says that the answer is
 * there, since only one is under way; the next request goes out at once, and
 * the answers are taken out of the socket and compared several at a time. The
 * clock is read once for an answer and the request after it. For the server
 * nothing is different.
 */
#include "load.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/tcp.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>
#include <uv.h>

#include "bench/harness/measure.h"
#include "server.h"

enum { EVENTS = 256, MOST_SAMPLES = 1 << 21, READ_EVERY = 16 };

typedef struct connection {
    int fd;
    size_t unread; /* answers that are in the socket */
    uint64_t sent_ns;
} connection_t;

typedef struct load {
    pid_t server;
    int epoll;
    connection_t *connections;
    size_t count;
    uint64_t requests;
    uint32_t *samples;                     /* ns, the first MOST_SAMPLES */
    char message[READ_EVERY * ECHO_BYTES]; /* the same, so many times */
} load_t;

static int failed(const char *what) {
    return bench_wrong("load: %s: %s", what, strerror(errno));
}

static int connect_one(load_t *load, connection_t *connection, int port) {
    struct sockaddr_in address = {.sin_family = AF_INET,
                                  .sin_port = htons((uint16_t)port),
                                  .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    struct epoll_event event = {.events = EPOLLIN | EPOLLRDHUP | EPOLLET,
                                .data.ptr = connection};
    int on = 1;

    connection->fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (connection->fd < 0)
        return failed("socket");
    if (connect(connection->fd, (struct sockaddr *)&address, sizeof address) <
        0)
        return failed("connect");
    (void)setsockopt(connection->fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    if (epoll_ctl(load->epoll, EPOLL_CTL_ADD, connection->fd, &event) < 0)
        return failed("epoll_ctl");
    return 0;
}

static int request(load_t *load, connection_t *connection, uint64_t now_ns) {
    connection->sent_ns = now_ns;
    if (send(connection->fd, load->message, ECHO_BYTES, MSG_NOSIGNAL) !=
        ECHO_BYTES)
        return failed("send");
    return 0;
}

/* Takes the answers out of the socket; they must be there, and right. */
static int take_answers(load_t *load, connection_t *connection) {
    char answers[READ_EVERY * ECHO_BYTES];
    size_t wanted = connection->unread * ECHO_BYTES;
    ssize_t bytes = recv(connection->fd, answers, wanted, MSG_DONTWAIT);

    connection->unread = 0;
    if (bytes < 0)
        return failed("recv");
    if ((size_t)bytes < wanted)
        return bench_wrong("load: an answer in parts, or of other length");
    if (memcmp(answers, load->message, wanted) != 0)
        return bench_wrong("load: a wrong answer");
    return 0;
}

/* An answer has come: notes it and asks again. */
static int answer(load_t *load, const struct epoll_event *event) {
    connection_t *connection = event->data.ptr;
    uint64_t now_ns = bench_now_ns();

    if (event->events & (EPOLLRDHUP | EPOLLHUP | EPOLLERR))
        return bench_wrong("load: the server closed a connection");
    if (load->requests < MOST_SAMPLES)
        load->samples[load->requests] =
            (uint32_t)(now_ns - connection->sent_ns);
    load->requests++;
    if (++connection->unread == READ_EVERY) {
        int code = take_answers(load, connection);
        if (code < 0)
            return code;
    }
    return request(load, connection, now_ns);
}

/* Takes what is left: of each connection an answer may be under way. */
static int take_the_rest(load_t *load) {
    int code = 0;

    for (size_t i = 0; i < load->count && code == 0; i++)
        if (load->connections[i].unread > 0)
            code = take_answers(load, &load->connections[i]);
    return code;
}

/* Answers what comes, until so many requests or the moment. */
static int serve_until(load_t *load, uint64_t requests, uint64_t end_ns) {
    struct epoll_event events[EVENTS];
    int code = 0;

    while (code == 0 && load->requests < requests && bench_now_ns() < end_ns) {
        int count = epoll_wait(load->epoll, events, EVENTS, 5000);
        if (count == 0)
            return bench_wrong("load: no answer for 5 s");
        for (int i = 0; i < count && code == 0; i++)
            code = answer(load, &events[i]);
    }
    return code;
}

static double own_cpu_ns(void) {
    struct timespec used;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &used);
    return (double)used.tv_sec * 1e9 + (double)used.tv_nsec;
}

/* Not measured is how all connections are accepted: each has been answered
 * before the time begins, in the middle at least. */
static int run_for(load_t *load, double seconds, load_result_t *ret_result) {
    int code = 0;

    for (size_t i = 0; i < load->count && code == 0; i++)
        code = request(load, &load->connections[i], bench_now_ns());
    if (code == 0)
        code = serve_until(load, 4 * load->count, UINT64_MAX);
    load->requests = 0;
    uint64_t start = bench_now_ns();
    double server_ns = server_cpu_ns(load->server);
    double own_ns = own_cpu_ns();
    if (code == 0)
        code = serve_until(load, UINT64_MAX, start + (uint64_t)(seconds * 1e9));
    ret_result->load_cpu_ns = own_cpu_ns() - own_ns;
    ret_result->server_cpu_ns = server_cpu_ns(load->server) - server_ns;
    ret_result->seconds = (double)(bench_now_ns() - start) / 1e9;
    return code;
}

static int compare(const void *a, const void *b) {
    uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;
    return (x > y) - (x < y);
}

static double p99_us(load_t *load) {
    size_t count =
        load->requests < MOST_SAMPLES ? (size_t)load->requests : MOST_SAMPLES;
    if (count == 0)
        return 0;
    qsort(load->samples, count, sizeof *load->samples, compare);
    return load->samples[count * 99 / 100] / 1e3;
}

static int run(load_t *load, int port, double seconds,
               load_result_t *ret_result) {
    load->epoll = epoll_create1(EPOLL_CLOEXEC);
    if (load->epoll < 0)
        return failed("epoll_create1");
    int code = 0;
    for (size_t i = 0; i < load->count && code == 0; i++)
        code = connect_one(load, &load->connections[i], port);
    if (code == 0)
        code = run_for(load, seconds, ret_result);
    if (code == 0)
        code = take_the_rest(load);
    ret_result->requests = load->requests;
    ret_result->p99_us = p99_us(load);
    for (size_t i = 0; i < load->count; i++) {
        if (load->connections[i].fd > 0)
            close(load->connections[i].fd);
    }
    close(load->epoll);
    return code;
}

int load_run(pid_t server, int port, size_t connections, double seconds,
             load_result_t *ret_result) {
    load_t load = {.server = server, .count = connections};
    int code = UV_ENOMEM;

    load.connections = calloc(connections, sizeof *load.connections);
    load.samples = malloc(MOST_SAMPLES * sizeof *load.samples);
    for (size_t i = 0; i < sizeof load.message; i++)
        load.message[i] = (char)(' ' + i % ECHO_BYTES);
    if (load.connections != NULL && load.samples != NULL)
        code = run(&load, port, seconds, ret_result);
    free(load.connections);
    free(load.samples);
    return code;
}
