/* labels: valgrind */
/* Listening: on everything, by name, with options; the rights of local
 * sockets. */
#include "stream_fixture.h"

/* ---- everywhere --------------------------------------------------------- */

static bool has_ip6(void) {
    struct sockaddr_in6 address = {.sin6_family = AF_INET6,
                                   .sin6_addr = IN6ADDR_LOOPBACK_INIT};
    int fd = socket(AF_INET6, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (fd < 0)
        return false;
    bool is_there = bind(fd, (struct sockaddr *)&address, sizeof address) == 0;
    close(fd);
    return is_there;
}

/* Connects and says by what address the other end sees us. */
static void check_connection(uva_listener_t *listener, const char *host) {
    uva_stream_t *near = NULL;
    uva_stream_t *far = NULL;
    struct sockaddr_storage names[2];
    char texts[2][UVA_NAME_TEXT_BYTES];
    int port = uva_listener_port(listener);
    ck_assert_int_eq(uva_tcp_connect(host, port, &near), 0);
    ck_assert_int_eq(uva_accept(listener, &far), 0);
    ck_assert_int_eq(uva_stream_local_name(near, &names[0]), 0);
    ck_assert_int_eq(uva_stream_peer_name(far, &names[1]), 0);
    for (int i = 0; i < 2; i++)
        ck_assert_int_gt(uva_name_text(&names[i], texts[i], sizeof texts[i]),
                         0);
    ck_assert_str_eq(texts[0], texts[1]);
    uva_stream_close(near);
    uva_stream_close(far);
}

static int listen_everywhere(void *arg) {
    (void)arg;
    uva_listener_t *listener = NULL;
    uva_stream_t *stream = NULL;
    ck_assert_int_eq(uva_tcp_listen(NULL, 0, 0, &listener), 0);
    check_connection(listener, "127.0.0.1");
    if (has_ip6())
        check_connection(listener, "::1");
    uva_listener_close(listener);

    if (has_ip6()) {
        uva_tcp_listen_options_t options = {.ipv6_only = true, .backlog = 4};
        ck_assert_int_eq(uva_tcp_listen_with(&options, NULL, 0, &listener), 0);
        check_connection(listener, "::1");
        int port = uva_listener_port(listener);
        ck_assert_int_eq(uva_tcp_connect("127.0.0.1", port, &stream),
                         UV_ECONNREFUSED);
        uva_listener_close(listener);
    }
    ck_assert_int_eq(uva_tcp_listen("0.0.0.0", 0, 4, &listener), 0);
    check_connection(listener, "127.0.0.1");
    uva_listener_close(listener);
    return 0;
}

START_TEST(listens_on_both_families) {
    run_clean(listen_everywhere);
}
END_TEST

/* A machine without IPv6, one where it is turned off; and what is no such
 * thing. */
static int listen_without_ip6(void *arg) {
    (void)arg;
    static const int codes[] = {UV_EAFNOSUPPORT, UV_EADDRNOTAVAIL,
                                UV_EPROTONOSUPPORT};
    uva_listener_t *listener = NULL;
    for (size_t i = 0; i < sizeof codes / sizeof codes[0]; i++) {
        faults_fail_with(FAULT_UV_TCP_BIND, 1, codes[i]);
        ck_assert_int_eq(uva_tcp_listen(NULL, 0, 8, &listener), 0);
        ck_assert_uint_eq(faults_clear(), 1);
        check_connection(listener, "127.0.0.1");
        uva_listener_close(listener);
        listener = NULL;
        uva_tcp_listen_options_t options = {.ipv6_only = true};
        faults_fail_with(FAULT_UV_TCP_BIND, 1, codes[i]);
        ck_assert_int_eq(uva_tcp_listen_with(&options, NULL, 0, &listener),
                         codes[i]);
        ck_assert_uint_eq(faults_clear(), 1);
    }
    faults_fail_with(FAULT_UV_TCP_BIND, 1, UV_EACCES);
    ck_assert_int_eq(uva_tcp_listen(NULL, 0, 8, &listener), UV_EACCES);
    ck_assert_uint_eq(faults_clear(), 1);
    ck_assert_ptr_null(listener);
    return 0;
}

START_TEST(listens_without_ipv6) {
    run_clean(listen_without_ip6);
}
END_TEST

/* ---- by name ------------------------------------------------------------ */

static int listen_by_name(void *arg) {
    (void)arg;
    uva_listener_t *listener = NULL;
    ck_assert_int_eq(uva_tcp_listen(A_NAME, 0, 8, &listener), 0);
    check_connection(listener, "127.0.0.1");
    int port = uva_listener_port(listener);
    uva_listener_t *other = NULL;
    ck_assert_int_eq(uva_tcp_listen(A_NAME, port, 8, &other), UV_EADDRINUSE);
    uva_listener_close(listener);

    uva_scope_t scope;
    uva_scope_open(&scope, 0, 0);
    ck_assert_int_eq(uva_tcp_listen(A_NAME, 0, 8, &other), UV_ECANCELED);
    ck_assert_int_eq(uva_scope_close(&scope), UV_ETIMEDOUT);
    faults_fail(FAULT_UV_GETADDRINFO, 1);
    ck_assert_int_eq(uva_tcp_listen(A_NAME, 0, 8, &other), UV_ENOMEM);
    ck_assert_uint_eq(faults_clear(), 1);
    ck_assert_int_eq(uva_tcp_listen("", 0, 8, &other) < 0, true);
    ck_assert_ptr_null(other);
    return 0;
}

static void listen_in_callback(void *arg) {
    int *code = arg;
    uva_listener_t *listener = NULL;
    *code = uva_tcp_listen(A_NAME, 0, 8, &listener);
}

static int listen_outside(void *arg) {
    (void)arg;
    int code = 0;
    ck_assert_int_eq(uva_post(uva_runtime_current(), listen_in_callback, &code),
                     0);
    ck_assert_int_eq(uva_sleep(2), 0);
    ck_assert_int_eq(code, UV_EINVAL);
    return 0;
}

START_TEST(listens_by_name_in_tasks) {
    run_clean(listen_by_name);
    run_clean(listen_outside);
}
END_TEST

/* ---- sharing a port ----------------------------------------------------- */

static int share_port(void *arg) {
    (void)arg;
    uva_tcp_listen_options_t options = {.reuse_port = true};
    uva_listener_t *first = NULL;
    uva_listener_t *second = NULL;
    ck_assert_int_eq(uva_tcp_listen_with(&options, "127.0.0.1", 0, &first), 0);
    int port = uva_listener_port(first);
    ck_assert_int_eq(uva_tcp_listen_with(NULL, "127.0.0.1", port, &second),
                     UV_EADDRINUSE);
    ck_assert_ptr_null(second);
    ck_assert_int_eq(uva_tcp_listen_with(&options, "127.0.0.1", port, &second),
                     0);
    uva_listener_close(first);
    check_connection(second, "127.0.0.1");
    uva_listener_close(second);

    /* The socket is made before it is bound. */
    static const fault_t kinds[] = {FAULT_UV_TCP_INIT_EX, FAULT_UV_FILENO,
                                    FAULT_UV_TCP_BIND,
                                    FAULT_UV_TCP_GETSOCKNAME};
    for (size_t i = 0; i < sizeof kinds / sizeof kinds[0]; i++) {
        second = NULL;
        faults_fail(kinds[i], 1);
        ck_assert_int_eq(uva_tcp_listen_with(&options, NULL, 0, &second),
                         UV_ENOMEM);
        ck_assert_uint_eq(faults_clear(), 1);
        ck_assert_ptr_null(second);
    }
    options = (uva_tcp_listen_options_t){.ipv6_only = true};
    ck_assert_int_eq(uva_tcp_listen_with(&options, "127.0.0.1", 0, &second),
                     UV_EINVAL);
    ck_assert_ptr_null(second);
    return 0;
}

START_TEST(listeners_share_a_port_that_agree) {
    run_clean(share_port);
}
END_TEST

/* ---- rights ------------------------------------------------------------- */

static int set_rights(void *arg) {
    (void)arg;
    place_t place = make_place();
    struct stat before;
    struct stat after;
    uva_listener_t *listener = NULL;
    mode_t mask = umask(0077);
    ck_assert_int_eq(uva_pipe_listen(place.path, 8, &listener), 0);
    umask(mask);
    ck_assert_int_eq(stat(place.path, &before), 0);
    ck_assert_int_eq(before.st_mode & 0077, 0);
    ck_assert_int_eq(uva_pipe_listen_chmod(listener, 77), UV_EINVAL);
    faults_fail(FAULT_UV_PIPE_CHMOD, 1);
    ck_assert_int_eq(uva_pipe_listen_chmod(listener, UV_WRITABLE), UV_ENOMEM);
    ck_assert_uint_eq(faults_clear(), 1);
    ck_assert_int_eq(uva_pipe_listen_chmod(listener, UV_READABLE | UV_WRITABLE),
                     0);
    ck_assert_int_eq(stat(place.path, &after), 0);
    ck_assert_int_eq(after.st_mode & 0066, 0066);
    uva_listener_close(listener);
    remove_place(&place);

    listener = listen_somewhere();
    ck_assert_int_eq(uva_pipe_listen_chmod(listener, UV_WRITABLE), UV_ENOTSUP);
    uva_listener_close(listener);
    ck_assert_int_eq(uva_pipe_listen_chmod(NULL, UV_WRITABLE), UV_EINVAL);
    return 0;
}

START_TEST(local_socket_lets_others_connect) {
    run_clean(set_rights);
}
END_TEST

SUITE("listen", listens_on_both_families, listens_without_ipv6,
      listens_by_name_in_tasks, listeners_share_a_port_that_agree,
      local_socket_lets_others_connect)
