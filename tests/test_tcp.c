/* TCP: connecting by address and name, listening, accepting; each also when it
 * is refused, cancelled, or out of descriptors. */
#include "stream_fixture.h"

#include <pthread.h>

/* ---- connecting --------------------------------------------------------- */

static int connect_and_greet(const char *host, uva_listener_t *listener) {
    char byte;
    uva_stream_t *near = NULL;
    uva_stream_t *far = NULL;
    int code = uva_tcp_connect(host, uva_listener_port(listener), &near);
    if (code < 0) {
        ck_assert_ptr_null(near);
        return code;
    }
    ck_assert_int_eq(uva_accept(listener, &far), 0);
    ck_assert_int_eq(uva_write(near, "x", 1), 1);
    ck_assert_int_eq(uva_read(far, &byte, 1), 1);
    for (int i = 0; i < 2; i++) {
        int is_on = 0;
        socklen_t bytes = sizeof is_on;
        ck_assert_int_eq(getsockopt(uva__socket_of(i == 0 ? near : far)->fd,
                                    IPPROTO_TCP, TCP_NODELAY, &is_on, &bytes),
                         0);
        ck_assert_int_ne(is_on, 0);
    }
    uva_stream_close(near);
    uva_stream_close(far);
    return 0;
}

static int connect_in_all_ways(void *arg) {
    (void)arg;
    uva_listener_t *listener = listen_somewhere();
    ck_assert_int_eq(connect_and_greet("127.0.0.1", listener), 0);
    /* By name; an address of localhost where nobody listens (::1) is passed
     * over. */
    ck_assert_int_eq(connect_and_greet(A_NAME, listener), 0);
    if (knows_localhost())
        ck_assert_int_eq(connect_and_greet("localhost", listener), 0);
    uva_listener_close(listener);

    int code = uva_tcp_listen("::1", 0, 8, &listener);
    if (code == 0) {
        ck_assert_int_eq(connect_and_greet("::1", listener), 0);
        uva_listener_close(listener);
    } else {
        ck_assert(code == UV_EADDRNOTAVAIL || code == UV_EAFNOSUPPORT ||
                  code == UV_EINVAL);
    }
    ck_assert_int_eq(uva_tcp_listen(NULL, 0, 8, &listener), 0);
    ck_assert_int_eq(connect_and_greet("127.0.0.1", listener), 0);
    uva_listener_close(listener);
    return 0;
}

START_TEST(tcp_connects_by_address_and_by_name) {
    run_clean(connect_in_all_ways);
}
END_TEST

/* A port where nobody listens: bound, so that no other takes it. */
static int dead_port(int *ret_fd) {
    struct sockaddr_in address = {.sin_family = AF_INET,
                                  .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t bytes = sizeof address;
    *ret_fd = socket(AF_INET, SOCK_STREAM, 0);
    ck_assert_int_eq(bind(*ret_fd, (struct sockaddr *)&address, bytes), 0);
    ck_assert_int_eq(getsockname(*ret_fd, (struct sockaddr *)&address, &bytes),
                     0);
    return ntohs(address.sin_port);
}

static int connect_in_vain(void *arg) {
    (void)arg;
    int fd;
    int port = dead_port(&fd);
    uva_stream_t *stream = NULL;
    ck_assert_int_eq(uva_tcp_connect("127.0.0.1", port, &stream),
                     UV_ECONNREFUSED);
    /* The last address's error, whatever the others gave. */
    ck_assert_int_lt(uva_tcp_connect("localhost", port, &stream), 0);
    int code = uva_tcp_connect("no-such-host.invalid", 80, &stream);
    ck_assert_int_eq(strncmp(uv_err_name(code), "EAI_", 4), 0);
    ck_assert_int_eq(uva_tcp_connect(NULL, 80, &stream), UV_EINVAL);
    ck_assert_int_eq(uva_tcp_connect("127.0.0.1", 0, &stream), UV_EINVAL);
    ck_assert_int_eq(uva_tcp_connect("127.0.0.1", 65536, &stream), UV_EINVAL);
    ck_assert_int_eq(uva_tcp_connect("127.0.0.1", 80, NULL), UV_EINVAL);
    ck_assert_ptr_null(stream);
    close(fd);
    return 0;
}

START_TEST(tcp_connect_says_why_it_failed) {
    CONFORMS("K-220");
    uva_stream_t *stream = NULL;
    run_clean(connect_in_vain);
    ck_assert_int_eq(uva_tcp_connect("127.0.0.1", 80, &stream), UV_EPERM);
}
END_TEST

/* ---- a connect that is cut ---------------------------------------------- */

typedef struct target {
    const char *host;
    int port;
} target_t;

static int connect_only(void *arg) {
    target_t *target = arg;
    uva_stream_t *stream = NULL;
    int code = uva_tcp_connect(target->host, target->port, &stream);
    uva_stream_close(stream);
    return code;
}

static int cut_connects(void *arg) {
    (void)arg;
    int fds[MUTE_FDS];
    target_t target = {"127.0.0.1", mute_port(fds)};
    uva_task_t *task = uva_spawn(connect_only, &target);
    ck_assert_int_eq(uva_sleep(5), 0);
    ck_assert_int_eq(uva_status(task), UV_EAGAIN);
    ck_assert_int_eq(uva_cancel_and_wait(task), UV_ECANCELED);

    uva_scope_t scope;
    for (uint64_t ms = 0; ms < 6; ms += 5) {
        uva_scope_open(&scope, ms, 0);
        ck_assert_int_eq(connect_only(&target), UV_ECANCELED);
        ck_assert_int_eq(uva_scope_close(&scope), UV_ETIMEDOUT);
    }
    close_mute_port(fds);
    return 0;
}

START_TEST(tcp_connect_that_is_cut_closes_its_socket) {
    CONFORMS("K-178", "K-220");
    run_clean(cut_connects);
}
END_TEST

/* At whatever point the look-up or the connect is. */
static int cut_lookups(void *arg) {
    (void)arg;
    target_t target = {A_NAME, 9};
    for (int round = 0; round < 20; round++) {
        uva_task_t *task = uva_spawn(connect_only, &target);
        for (int i = 0; i < round % 3; i++)
            ck_assert_int_eq(uva_yield(), 0);
        int code = uva_cancel_and_wait(task);
        ck_assert(code == UV_ECANCELED || code == UV_ECONNREFUSED);
    }
    return 0;
}

static int hold_thread(void *arg) {
    (void)arg;
    usleep(30000);
    return 0;
}

/* Queued behind jobs that hold every thread of the pool. */
static int job(void *arg) {
    (void)arg;
    return uva_to_thread_with(hold_thread, "", 1);
}

static int cut_queued_lookup(void *arg) {
    (void)arg;
    target_t target = {A_NAME, 9};
    uva_future_t *jobs[8];
    for (size_t i = 0; i < 8; i++)
        jobs[i] = uva_spawn(job, NULL);
    uva_task_t *task = uva_spawn(connect_only, &target);
    ck_assert_int_eq(uva_yield(), 0);
    unsigned long cancels = faults_calls(FAULT_UV_CANCEL);
    ck_assert_int_eq(uva_cancel_and_wait(task), UV_ECANCELED);
    ck_assert_uint_eq(faults_calls(FAULT_UV_CANCEL), cancels + 1);
    ck_assert_int_eq(uva_gather(jobs, 8, NULL), 0);
    return 0;
}

START_TEST(tcp_lookup_that_is_cut_ends_alone) {
    run_clean(cut_lookups);
    run_clean(cut_queued_lookup);
}
END_TEST

/* ---- listening ---------------------------------------------------------- */

static int listen_badly(void *arg) {
    (void)arg;
    uva_listener_t *listener = listen_somewhere();
    uva_listener_t *other = NULL;
    int port = uva_listener_port(listener);
    ck_assert_int_eq(uva_tcp_listen("127.0.0.1", port, 8, &other),
                     UV_EADDRINUSE);
    int code = uva_tcp_listen("no-such-host.invalid", 0, 8, &other);
    ck_assert_int_eq(strncmp(uv_err_name(code), "EAI_", 4), 0);
    ck_assert_int_eq(uva_tcp_listen("127.0.0.1", -1, 8, &other), UV_EINVAL);
    ck_assert_int_eq(uva_tcp_listen("127.0.0.1", 65536, 8, &other), UV_EINVAL);
    ck_assert_int_eq(uva_tcp_listen("127.0.0.1", 0, 8, NULL), UV_EINVAL);
    ck_assert_int_eq(uva_tcp_listen("192.0.2.1", 0, 8, &other),
                     UV_EADDRNOTAVAIL);
    ck_assert_ptr_null(other);
    ck_assert_int_eq(uva_listener_port(NULL), UV_EINVAL);
    uva_listener_close(listener);
    uva_listener_close(NULL);
    /* At once again: connections of before do not block the address. */
    ck_assert_int_eq(uva_tcp_listen("127.0.0.1", port, 8, &listener), 0);
    uva_listener_close(listener);
    return 0;
}

START_TEST(tcp_listen_says_why_it_failed) {
    CONFORMS("K-222");
    uva_listener_t *listener = NULL;
    run_clean(listen_badly);
    ck_assert_int_eq(uva_tcp_listen(NULL, 0, 8, &listener), UV_EPERM);
}
END_TEST

static int leave_listener(void *arg) {
    (void)arg;
    uva_listener_t *listener = listen_somewhere();
    return uva_listener_port(listener) > 0 ? 0 : 1;
}

START_TEST(listener_left_open_is_reported_and_closed) {
    ck_assert_int_eq(uva_run_with(&quiet, leave_listener, NULL), 0);
    ck_assert_uint_eq(support_report_count(), 1);
    ck_assert(support_reports_contain("a listener (opened at "));
}
END_TEST

/* ---- accepting ---------------------------------------------------------- */

static int accept_one(void *arg) {
    uva_stream_t *stream = NULL;
    int code = uva_accept(arg, &stream);
    uva_stream_close(stream);
    return code;
}

static int cut_accepts(void *arg) {
    (void)arg;
    uva_listener_t *listener = listen_somewhere();
    uva_stream_t *stream = NULL;
    uva_scope_t scope;
    uva_scope_open(&scope, 3, 0);
    ck_assert_int_eq(uva_accept(listener, &stream), UV_ECANCELED);
    ck_assert_int_eq(uva_scope_close(&scope), UV_ETIMEDOUT);

    uva_task_t *task = uva_spawn(accept_one, listener);
    ck_assert_int_eq(uva_sleep(2), 0);
    ck_assert_int_eq(uva_accept(listener, &stream), UV_EBUSY);
    int fd = raw_connect(uva_listener_port(listener));
    ck_assert_int_eq(uva_cancel_and_wait(task), UV_ECANCELED);
    /* Nobody accepts: the loop is not kept busy by who waits. */
    unsigned long stops = faults_calls(FAULT_UV_POLL_STOP);
    ck_assert_int_eq(uva_sleep(5), 0);
    ck_assert_uint_eq(faults_calls(FAULT_UV_POLL_STOP), stops + 1);
    ck_assert_ptr_null(stream);
    ck_assert_int_eq(uva_accept(listener, &stream), 0);
    ck_assert_int_eq(uva_write(stream, "x", 1), 1);
    char byte;
    ck_assert_int_eq(recv(fd, &byte, 1, 0), 1);
    uva_stream_close(stream);
    close(fd);

    ck_assert_int_eq(uva_accept(NULL, &stream), UV_EINVAL);
    ck_assert_int_eq(uva_accept(listener, NULL), UV_EINVAL);
    uva_listener_close(listener);
    return 0;
}

START_TEST(accept_that_is_cut_leaves_the_connection) {
    CONFORMS("K-178");
    uva_stream_t *stream = NULL;
    run_clean(cut_accepts);
    ck_assert_int_eq(uva_accept(NULL, &stream), UV_EPERM);
}
END_TEST

static int close_under_acceptor(void *arg) {
    (void)arg;
    uva_listener_t *listener = listen_somewhere();
    int port = uva_listener_port(listener);
    uva_stream_t *near = NULL;
    uva_stream_t *far = NULL;
    ck_assert_int_eq(uva_tcp_connect("127.0.0.1", port, &near), 0);
    ck_assert_int_eq(uva_accept(listener, &far), 0);

    uva_task_t *task = uva_spawn(accept_one, listener);
    ck_assert_int_eq(uva_sleep(2), 0);
    uva_listener_close(listener);
    ck_assert_int_eq(uva_await(task, NULL), UV_ECANCELED);
    uva_stream_t *late = NULL;
    ck_assert_int_eq(uva_tcp_connect("127.0.0.1", port, &late),
                     UV_ECONNREFUSED);

    char byte;
    ck_assert_int_eq(uva_write(near, "x", 1), 1);
    ck_assert_int_eq(uva_read(far, &byte, 1), 1);
    uva_stream_close(near);
    uva_stream_close(far);
    return 0;
}

START_TEST(listener_closed_refuses_and_keeps_connections) {
    CONFORMS("K-225");
    run_clean(close_under_acceptor);
}
END_TEST

typedef struct closing {
    uva_stream_t *stream;
    uva_listener_t *listener;
} closing_t;

static int close_listener_when_told(void *arg) {
    closing_t *closing = arg;
    char byte;
    ck_assert_int_eq(uva_read(closing->stream, &byte, 1), 1);
    uva_listener_close(closing->listener);
    return 0;
}

/* One poll wakes first who closes the listener, then who accepts from it. */
static int close_under_woken_acceptor(void *arg) {
    (void)arg;
    raw_t raw = open_raw();
    closing_t closing = {raw.stream, listen_somewhere()};
    int port = uva_listener_port(closing.listener);
    uva_task_t *closer = uva_spawn(close_listener_when_told, &closing);
    uva_task_t *acceptor = uva_spawn(accept_one, closing.listener);
    ck_assert_int_eq(uva_sleep(2), 0);
    raw_send(raw.fd, "x", 1);
    int fd = raw_connect(port);
    ck_assert_int_eq(uva_await(closer, NULL), 0);
    ck_assert_int_eq(uva_await(acceptor, NULL), UV_ECANCELED);
    close(fd);
    close_raw(&raw);
    return 0;
}

START_TEST(accept_survives_a_close_between_wake_and_run) {
    run_clean(close_under_woken_acceptor);
}
END_TEST

/* ---- many --------------------------------------------------------------- */

enum { CLIENTS = 200 };

static int handle_client(void *arg) {
    uva_stream_t *stream = arg;
    char number[4];
    ck_assert_int_eq(uva_read_exactly(stream, number, 4), 4);
    ck_assert_int_eq(uva_write(stream, number, 4), 4);
    ck_assert_int_eq(uva_read(stream, number, 1), UV_EOF);
    uva_stream_close(stream);
    return 0;
}

static int serve_clients(void *arg) {
    uva_future_t *handlers[CLIENTS];
    for (size_t i = 0; i < CLIENTS; i++) {
        uva_stream_t *stream = NULL;
        ck_assert_int_eq(uva_accept(arg, &stream), 0);
        handlers[i] = uva_spawn(handle_client, stream);
    }
    return uva_gather(handlers, CLIENTS, NULL);
}

typedef struct client {
    int port;
    int number;
} client_t;

static int be_client(void *arg) {
    client_t *client = arg;
    int back = -1;
    uva_stream_t *stream = NULL;
    ck_assert_int_eq(uva_tcp_connect("127.0.0.1", client->port, &stream), 0);
    ck_assert_int_eq(uva_write(stream, &client->number, 4), 4);
    ck_assert_int_eq(uva_read_exactly(stream, &back, 4), 4);
    ck_assert_int_eq(back, client->number);
    uva_stream_close(stream);
    return 0;
}

static int meet_many(void *arg) {
    (void)arg;
    static client_t clients[CLIENTS];
    uva_future_t *all[CLIENTS + 1];
    uva_listener_t *listener = listen_somewhere();
    all[CLIENTS] = uva_spawn(serve_clients, listener);
    for (int i = 0; i < CLIENTS; i++) {
        clients[i] = (client_t){uva_listener_port(listener), i};
        all[i] = uva_spawn(be_client, &clients[i]);
    }
    ck_assert_int_eq(uva_gather(all, CLIENTS + 1, NULL), 0);
    uva_listener_close(listener);
    return 0;
}

START_TEST(tcp_serves_many_at_once) {
    CONFORMS("K-222");
    run_clean(meet_many);
}
END_TEST

/* A client in a thread of its own, that knows only blocking sockets. */
static void *be_raw_client(void *arg) {
    static char sent[100000];
    static char back[100000];
    int fd = raw_connect(*(int *)arg);
    make_bytes(sent, 0, sizeof sent);
    raw_send(fd, sent, sizeof sent);
    shutdown(fd, SHUT_WR);
    ssize_t got = recv(fd, back, sizeof back, MSG_WAITALL);
    bool is_end = recv(fd, back, 0, 0) == 0;
    bool is_good =
        got == sizeof back && is_end && memcmp(sent, back, sizeof back) == 0;
    close(fd);
    return is_good ? arg : NULL;
}

static int serve_raw_client(void *arg) {
    (void)arg;
    static char bytes[100000];
    pthread_t thread;
    uva_listener_t *listener = listen_somewhere();
    int port = uva_listener_port(listener);
    uva_stream_t *stream = NULL;
    ck_assert_int_eq(pthread_create(&thread, NULL, be_raw_client, &port), 0);
    ck_assert_int_eq(uva_accept(listener, &stream), 0);
    ssize_t got = uva_read_exactly(stream, bytes, sizeof bytes);
    ck_assert_int_eq(got, sizeof bytes);
    ck_assert_int_eq(uva_read(stream, bytes, 1), UV_EOF);
    make_bytes(bytes, 0, 1);
    ck_assert_int_eq(uva_write(stream, bytes, sizeof bytes), sizeof bytes);
    uva_stream_close(stream);
    void *result = NULL;
    ck_assert_int_eq(pthread_join(thread, &result), 0);
    ck_assert_ptr_eq(result, &port);
    uva_listener_close(listener);
    return 0;
}

START_TEST(tcp_serves_a_plain_socket) {
    run_clean(serve_raw_client);
}
END_TEST

/* ---- out of descriptors ------------------------------------------------- */

static int run_out_of_files(void *arg) {
    (void)arg;
    static const char bytes[4096];
    uva_listener_t *listener = listen_somewhere();
    uva_stream_t *stream = NULL;
    raw_t raw = open_raw();
    size_t filled = fill(uva__socket_of(raw.stream)->fd);
    int fd = raw_connect(uva_listener_port(listener));
    rlim_t before = limit_files_to_now();
    for (int i = 0; i < 3; i++)
        ck_assert_int_eq(uva_accept(listener, &stream), UV_EMFILE);
    ck_assert_int_eq(uva_tcp_connect("127.0.0.1", 9, &stream), UV_EMFILE);
    ck_assert_int_eq(uva_write(raw.stream, bytes, 1), UV_EMFILE);
    uva_listener_t *other = NULL;
    ck_assert_int_eq(uva_tcp_listen(NULL, 0, 8, &other), UV_EMFILE);
    (void)limit_files(before);
    ck_assert_int_eq(uva_accept(listener, &stream), 0);
    uva_stream_close(stream);

    /* With none waiting it is no error: it waits. */
    before = limit_files_to_now();
    uva_scope_t scope;
    uva_scope_open(&scope, 3, 0);
    ck_assert_int_eq(uva_accept(listener, &stream), UV_ECANCELED);
    ck_assert_int_eq(uva_scope_close(&scope), UV_ETIMEDOUT);
    (void)limit_files(before);

    size_t drained = 0;
    while (drained < filled) {
        drained += drain(raw.fd);
        ck_assert_int_eq(uva_sleep(1), 0);
    }
    ck_assert_int_eq(uva_write(raw.stream, bytes, 1), 1);
    close(fd);
    close_raw(&raw);
    uva_listener_close(listener);
    return 0;
}

START_TEST(tcp_survives_being_out_of_descriptors) {
    run_clean(run_out_of_files);
}
END_TEST

SUITE("tcp", tcp_connects_by_address_and_by_name,
      tcp_connect_says_why_it_failed, tcp_connect_that_is_cut_closes_its_socket,
      tcp_lookup_that_is_cut_ends_alone, tcp_listen_says_why_it_failed,
      listener_left_open_is_reported_and_closed,
      accept_that_is_cut_leaves_the_connection,
      listener_closed_refuses_and_keeps_connections,
      accept_survives_a_close_between_wake_and_run, tcp_serves_many_at_once,
      tcp_serves_a_plain_socket, tcp_survives_being_out_of_descriptors)
