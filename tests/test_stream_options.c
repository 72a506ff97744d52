/* labels: valgrind */
/* Names, options and the reset of streams that have a socket, and that others
 * refuse them. */
#include "stream_fixture.h"
#include "support/program.h"

#include <stddef.h>
#include <sys/un.h>

/* ---- names -------------------------------------------------------------- */

static int port_of(const struct sockaddr_storage *name) {
    ck_assert_int_eq(name->ss_family, AF_INET);
    return ntohs(((const struct sockaddr_in *)name)->sin_port);
}

static int compare_names(void *arg) {
    (void)arg;
    struct sockaddr_storage near_name;
    struct sockaddr_storage far_name;
    char text[UVA_NAME_TEXT_BYTES];
    char expected[64];
    pair_t pair = open_pair();
    ck_assert_int_eq(uva_stream_local_name(pair.near, &near_name), 0);
    ck_assert_int_eq(uva_stream_peer_name(pair.far, &far_name), 0);
    ck_assert_int_eq(port_of(&near_name), port_of(&far_name));
    snprintf(expected, sizeof expected, "127.0.0.1:%d", port_of(&near_name));
    ck_assert_int_eq(uva_name_text(&near_name, text, sizeof text),
                     (int)strlen(expected));
    ck_assert_str_eq(text, expected);
    ck_assert_int_eq(uva_stream_local_name(pair.far, &far_name), 0);
    ck_assert_int_eq(uva_stream_peer_name(pair.near, &near_name), 0);
    ck_assert_int_eq(port_of(&near_name), port_of(&far_name));
    ck_assert_int_eq(uva_stream_local_name(pair.far, NULL), UV_EINVAL);
    close_pair(&pair);

    place_t place = make_place();
    uva_listener_t *listener = NULL;
    ck_assert_int_eq(uva_pipe_listen(place.path, 8, &listener), 0);
    ck_assert_int_eq(uva_pipe_connect(place.path, &pair.near), 0);
    ck_assert_int_eq(uva_accept(listener, &pair.far), 0);
    ck_assert_int_eq(uva_stream_peer_name(pair.near, &near_name), 0);
    ck_assert_int_gt(uva_name_text(&near_name, text, sizeof text), 0);
    ck_assert_str_eq(text, place.path);
    ck_assert_int_eq(uva_stream_local_name(pair.near, &near_name), 0);
    ck_assert_int_eq(uva_name_text(&near_name, text, sizeof text), 0);
    close_pair(&pair);
    uva_listener_close(listener);
    remove_place(&place);
    return 0;
}

START_TEST(names_are_of_both_ends) {
    run_clean(compare_names);
}
END_TEST

static void expect_text(const void *name, size_t bytes, const char *expected) {
    struct sockaddr_storage storage = {0};
    char text[UVA_NAME_TEXT_BYTES];
    size_t length = strlen(expected);
    memcpy(&storage, name, bytes);
    ck_assert_int_eq(uva_name_text(&storage, text, length + 1), (int)length);
    ck_assert_str_eq(text, expected);
    ck_assert_int_eq(uva_name_text(&storage, text, length), UV_ENOBUFS);
}

START_TEST(name_text_writes_every_family) {
    struct sockaddr_in ip4;
    struct sockaddr_in6 ip6;
    ck_assert_int_eq(uv_ip4_addr("192.0.2.255", 65535, &ip4), 0);
    expect_text(&ip4, sizeof ip4, "192.0.2.255:65535");
    ck_assert_int_eq(uv_ip6_addr("2001:db8::1", 80, &ip6), 0);
    expect_text(&ip6, sizeof ip6, "[2001:db8::1]:80");
    ck_assert_int_eq(uv_ip6_addr("::ffff:192.0.2.1", 80, &ip6), 0);
    expect_text(&ip6, sizeof ip6, "192.0.2.1:80");
    struct sockaddr_un local = {.sun_family = AF_UNIX};
    expect_text(&local, sizeof local, "");
    memset(local.sun_path, 'p', sizeof local.sun_path);
    char longest[sizeof local.sun_path + 1] = {0};
    memset(longest, 'p', sizeof local.sun_path);
    expect_text(&local, sizeof local, longest);
    memcpy(local.sun_path, "\0name", 6);
    expect_text(&local, sizeof local, "@name");
    struct sockaddr_storage other = {.ss_family = AF_UNSPEC};
    char text[8];
    ck_assert_int_eq(uva_name_text(&other, text, 8), UV_EAFNOSUPPORT);
    ck_assert_int_eq(uva_name_text(NULL, text, 8), UV_EINVAL);
    ck_assert_int_eq(uva_name_text(&other, NULL, 8), UV_EINVAL);
}
END_TEST

/* ---- options ------------------------------------------------------------ */

static int get_option(uva_stream_t *stream, int level, int option) {
    int value = -1;
    socklen_t bytes = sizeof value;
    ck_assert_int_eq(
        getsockopt(uva_stream_fileno(stream), level, option, &value, &bytes),
        0);
    return value;
}

static int set_options(void *arg) {
    (void)arg;
    pair_t pair = open_pair();
    uva_stream_t *near = pair.near;
    ck_assert_int_eq(uva_tcp_nodelay(near, false), 0);
    ck_assert_int_eq(get_option(near, IPPROTO_TCP, TCP_NODELAY), 0);
    ck_assert_int_eq(uva_tcp_nodelay(near, true), 0);
    ck_assert_int_ne(get_option(near, IPPROTO_TCP, TCP_NODELAY), 0);
    ck_assert_int_eq(uva_tcp_keepalive(near, true, 77), 0);
    ck_assert_int_ne(get_option(near, SOL_SOCKET, SO_KEEPALIVE), 0);
    ck_assert_int_eq(get_option(near, IPPROTO_TCP, TCP_KEEPIDLE), 77);
    ck_assert_int_eq(uva_tcp_keepalive(near, false, 0), 0);
    ck_assert_int_eq(get_option(near, SOL_SOCKET, SO_KEEPALIVE), 0);
    ck_assert_int_eq(uva_tcp_keepalive(near, true, 0), UV_EINVAL);
    ck_assert_int_eq(uva_tcp_keepalive(near, true, 4000000000u), UV_EINVAL);

    int before = uva_stream_send_buffer(near, 0);
    ck_assert_int_eq(before, get_option(near, SOL_SOCKET, SO_SNDBUF));
    ck_assert_int_ge(uva_stream_send_buffer(near, 20000), 20000);
    ck_assert_int_ne(get_option(near, SOL_SOCKET, SO_SNDBUF), before);
    int now = uva_stream_receive_buffer(near, 30000);
    ck_assert_int_ge(now, 30000);
    ck_assert_int_eq(now, get_option(near, SOL_SOCKET, SO_RCVBUF));
    ck_assert_int_eq(uva_stream_receive_buffer(near, 0), now);
    ck_assert_int_eq(uva_stream_send_buffer(near, -1), UV_EINVAL);

    faults_fail_with(FAULT_UV_TCP_NODELAY, 1, UV_EINVAL);
    ck_assert_int_eq(uva_tcp_nodelay(near, true), UV_EINVAL);
    faults_fail_with(FAULT_UV_TCP_KEEPALIVE, 1, UV_ENOPROTOOPT);
    ck_assert_int_eq(uva_tcp_keepalive(near, true, 1), UV_ENOPROTOOPT);
    for (unsigned long nth = 1; nth <= 2; nth++) {
        faults_fail(FAULT_UV_SEND_BUFFER_SIZE, nth);
        ck_assert_int_eq(uva_stream_send_buffer(near, 9), UV_ENOMEM);
        faults_fail(FAULT_UV_RECV_BUFFER_SIZE, nth);
        ck_assert_int_eq(uva_stream_receive_buffer(near, 9), UV_ENOMEM);
    }
    ck_assert_uint_eq(faults_clear(), 6);
    close_pair(&pair);
    return 0;
}

START_TEST(options_reach_the_socket) {
    run_clean(set_options);
}
END_TEST

static int refuse_others(void *arg) {
    (void)arg;
    struct sockaddr_storage name;
    uva_stream_t *ends[2];
    ck_assert_int_eq(uva_memory_stream_pair(NULL, ends), 0);
    ck_assert_int_eq(uva_stream_local_name(ends[0], &name), UV_ENOTSUP);
    ck_assert_int_eq(uva_stream_peer_name(ends[0], &name), UV_ENOTSUP);
    ck_assert_int_eq(uva_tcp_nodelay(ends[0], true), UV_ENOTSUP);
    ck_assert_int_eq(uva_tcp_keepalive(ends[0], true, 1), UV_ENOTSUP);
    ck_assert_int_eq(uva_stream_send_buffer(ends[0], 0), UV_ENOTSUP);
    ck_assert_int_eq(uva_stream_receive_buffer(ends[0], 0), UV_ENOTSUP);
    ck_assert_int_eq(uva_stream_fileno(ends[0]), UV_ENOTSUP);
    uva_stream_close(ends[0]);
    uva_stream_close(ends[1]);

    int fds[2];
    uva_stream_t *stream = NULL;
    ck_assert_int_eq(pipe(fds), 0);
    ck_assert_int_eq(uva_stream_open_fd(fds[0], &stream), 0);
    ck_assert_int_eq(uva_stream_fileno(stream), fds[0]);
    ck_assert_int_eq(uva_stream_local_name(stream, &name), UV_ENOTSOCK);
    ck_assert_int_eq(uva_tcp_nodelay(stream, true), UV_ENOTSUP);
    ck_assert_int_eq(uva_stream_send_buffer(stream, 0), UV_ENOTSOCK);
    uva_stream_close(stream);
    close(fds[1]);

    raw_t raw = open_raw();
    raw_reset(&raw.fd);
    char byte;
    ck_assert_int_eq(uva_read(raw.stream, &byte, 1), UV_ECONNRESET);
    ck_assert_int_eq(uva_stream_peer_name(raw.stream, &name), UV_ENOTCONN);
    close_raw(&raw);
    return 0;
}

START_TEST(options_are_refused_where_there_are_none) {
    run_clean(refuse_others);
    ck_assert_int_eq(uva_stream_fileno(NULL), UV_EINVAL);
    ck_assert_int_eq(uva_tcp_nodelay(NULL, true), UV_EINVAL);
}
END_TEST

/* ---- abort -------------------------------------------------------------- */

static int read_until_it_fails(void *arg) {
    char byte;
    return (int)uva_read(arg, &byte, 1);
}

static int abort_tcp(void *arg) {
    (void)arg;
    pair_t pair = open_pair();
    char byte;
    (void)fill(uva_stream_fileno(pair.near));
    uva_task_t *task = uva_spawn(read_until_it_fails, pair.near);
    ck_assert_int_eq(uva_yield(), 0);
    uva_stream_abort(pair.near);
    ck_assert_int_eq(uva_await(task, NULL), UV_ECANCELED);
    /* What had arrived may be read; behind it there is no end. */
    char *data = NULL;
    for (int i = 0; i < 2; i++)
        ck_assert_int_eq(uva_read_all(pair.far, SIZE_MAX, &data, NULL),
                         UV_ECONNRESET);
    uva_stream_close(pair.far);

    /* One that has sent nothing, and a peer that waits. */
    pair = open_pair();
    task = uva_spawn(read_until_it_fails, pair.far);
    ck_assert_int_eq(uva_yield(), 0);
    uva_stream_abort(pair.near);
    ck_assert_int_eq(uva_await(task, NULL), UV_ECONNRESET);
    uva_stream_close(pair.far);
    uva_stream_abort(NULL);

    /* A pipe is just closed. */
    int fds[2];
    uva_stream_t *stream = NULL;
    ck_assert_int_eq(pipe(fds), 0);
    ck_assert_int_eq(uva_stream_open_fd(fds[1], &stream), 0);
    ck_assert_int_eq(uva_write(stream, "x", 1), 1);
    uva_stream_abort(stream);
    ck_assert_int_eq(read(fds[0], &byte, 1), 1);
    ck_assert_int_eq(read(fds[0], &byte, 1), 0);
    close(fds[0]);
    return 0;
}

START_TEST(abort_resets_a_connection) {
    CONFORMS("K-217");
    run_clean(abort_tcp);
}
END_TEST

static int abort_memory(void *arg) {
    (void)arg;
    uva_stream_t *ends[2];
    char byte;
    for (int way = 0; way < 4; way++) {
        uva_memory_stream_options_t options = {.delay_ms = way == 3 ? 100 : 0};
        ck_assert_int_eq(uva_memory_stream_pair(&options, ends), 0);
        uva_task_t *task = NULL;
        if (way == 0) /* waits for the first byte */
            task = uva_spawn(read_until_it_fails, ends[1]);
        ck_assert_int_eq(uva_yield(), 0);
        if (way > 0)
            ck_assert_int_eq(uva_write(ends[0], "abc", 3), 3);
        if (way == 2)
            ck_assert_int_eq(uva_shutdown(ends[0]), 0);
        if (way == 3) /* waits for one that is under way */
            task = uva_spawn(read_until_it_fails, ends[1]);
        ck_assert_int_eq(uva_sleep(50), 0);
        uva_stream_abort(ends[0]);
        if (task != NULL)
            ck_assert_int_eq(uva_await(task, NULL), UV_ECONNRESET);
        ck_assert_int_eq(uva_read(ends[1], &byte, 1), UV_ECONNRESET);
        ck_assert_int_eq(uva_write(ends[1], "x", 1), UV_EPIPE);
        uva_stream_abort(ends[1]);
    }
    /* The end was read before. */
    ck_assert_int_eq(uva_memory_stream_pair(NULL, ends), 0);
    ck_assert_int_eq(uva_shutdown(ends[0]), 0);
    ck_assert_int_eq(uva_read(ends[1], &byte, 1), UV_EOF);
    uva_stream_abort(ends[0]);
    ck_assert_int_eq(uva_read(ends[1], &byte, 1), UV_EOF);
    uva_stream_close(ends[1]);
    return 0;
}

START_TEST(abort_resets_in_memory_too) {
    program_expect(abort_memory);
}
END_TEST

SUITE("stream_options", names_are_of_both_ends, name_text_writes_every_family,
      options_reach_the_socket, options_are_refused_where_there_are_none,
      abort_resets_a_connection, abort_resets_in_memory_too)
