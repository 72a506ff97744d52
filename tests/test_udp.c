/* labels: valgrind */
/* UDP: datagrams whole and in order of arrival, waiting in both directions,
 * groups, and what goes wrong. */
#include "udp_fixture.h"

static struct sockaddr_in address_of(const uva_udp_t *udp) {
    struct sockaddr_in address;
    ck_assert_int_eq(uv_ip4_addr("127.0.0.1", port_of(udp), &address), 0);
    return address;
}

/* The descriptor that the next open will get; `open` is one that is open. */
static int next_fd(int open) {
    int lowest = dup(open);
    ck_assert_int_ge(lowest, 0);
    close(lowest);
    return lowest;
}

static void send_from(uva_udp_t *from, uva_udp_t *to, const char *text) {
    struct sockaddr_in address = address_of(to);
    ssize_t bytes = (ssize_t)strlen(text);
    ck_assert_int_eq(uva_udp_send_to(from, text, (size_t)bytes,
                                     (const struct sockaddr *)&address),
                     bytes);
}

static void expect_datagram(uva_udp_t *udp, const char *text) {
    char buffer[64];
    ssize_t got = uva_udp_receive(udp, buffer, sizeof buffer, NULL);
    ck_assert_int_eq(got, (ssize_t)strlen(text));
    ck_assert_mem_eq(buffer, text, strlen(text));
}

static void expect_nothing(uva_udp_t *udp) {
    char buffer[8];
    uva_scope_t scope;
    uva_scope_open(&scope, 1, 0);
    ck_assert_int_eq(uva_udp_receive(udp, buffer, sizeof buffer, NULL),
                     UV_ECANCELED);
    ck_assert_int_eq(uva_scope_close(&scope), UV_ETIMEDOUT);
}

/* ---- datagrams ---------------------------------------------------------- */

static int exchange(void *arg) {
    (void)arg;
    char buffer[8];
    uva_datagram_t datagram;
    uva_udp_t *a = open_somewhere();
    uva_udp_t *b = open_somewhere();
    send_from(a, b, "one");
    send_from(a, b, "");
    send_from(a, b, "three");
    ck_assert_int_eq(uva_udp_receive(b, buffer, sizeof buffer, &datagram), 3);
    ck_assert_mem_eq(buffer, "one", 3);
    ck_assert(!datagram.truncated);
    /* The sender is known: answer it. */
    ck_assert_int_eq(
        uva_udp_send_to(b, "back", 4, (struct sockaddr *)&datagram.from), 4);
    expect_datagram(a, "back");
    expect_datagram(b, "");
    expect_datagram(b, "three");

    /* Too small a buffer is told, and the next datagram is whole. */
    send_from(a, b, "truncated");
    send_from(a, b, "whole");
    ck_assert_int_eq(uva_udp_receive(b, buffer, 5, &datagram), 5);
    ck_assert(datagram.truncated);
    ck_assert_mem_eq(buffer, "trunc", 5);
    ck_assert_int_eq(uva_udp_receive(b, buffer, 5, &datagram), 5);
    ck_assert(!datagram.truncated);
    ck_assert_mem_eq(buffer, "whole", 5);
    expect_nothing(b);
    uva_udp_close(a);
    uva_udp_close(b);
    uva_udp_close(NULL);
    return 0;
}

START_TEST(udp_datagrams_come_whole_and_in_order) {
    run_clean(exchange);
}
END_TEST

static int talk_to_a_peer(void *arg) {
    (void)arg;
    struct sockaddr_storage peer;
    uva_udp_t *a = open_somewhere();
    uva_udp_t *b = open_somewhere();
    uva_udp_t *stranger = open_somewhere();
    ck_assert_int_eq(uva_udp_send(a, "x", 1), UV_EDESTADDRREQ);
    ck_assert_int_eq(uva_udp_peer_name(a, &peer), UV_ENOTCONN);
    ck_assert_int_eq(uva_udp_connect(a, NULL, 0), UV_ENOTCONN);
    ck_assert_int_eq(uva_udp_connect(a, "127.0.0.1", port_of(b)), 0);
    ck_assert_int_eq(uva_udp_connect(a, "127.0.0.1", port_of(b)), UV_EISCONN);
    ck_assert_int_eq(uva_udp_peer_name(a, &peer), 0);
    ck_assert_int_eq(ntohs(((struct sockaddr_in *)&peer)->sin_port),
                     port_of(b));
    ck_assert_int_eq(uva_udp_send(a, "hello", 5), 5);
    expect_datagram(b, "hello");
    send_from(stranger, a, "unwanted");
    send_from(b, a, "wanted");
    expect_datagram(a, "wanted");

    /* A peer that is gone is told once; the socket stays usable. */
    uva_udp_close(b);
    ck_assert_int_eq(uva_sleep(1), 0);
    ck_assert_int_eq(uva_udp_send(a, "x", 1), 1);
    char buffer[8];
    ck_assert_int_eq(uva_udp_receive(a, buffer, sizeof buffer, NULL),
                     UV_ECONNREFUSED);
    expect_nothing(a);
    ck_assert_int_eq(uva_udp_connect(a, NULL, 0), 0);
    uva_udp_close(a);
    uva_udp_close(stranger);
    return 0;
}

START_TEST(udp_connected_talks_to_its_peer_alone) {
    run_clean(talk_to_a_peer);
}
END_TEST

/* The refusal comes while somebody waits: by way of the poll. */
static int receive_refusal(void *arg) {
    char buffer[8];
    return (int)uva_udp_receive(arg, buffer, sizeof buffer, NULL);
}

static int refuse_while_waiting(void *arg) {
    (void)arg;
    uva_udp_t *a = open_somewhere();
    uva_udp_t *b = open_somewhere();
    ck_assert_int_eq(uva_udp_connect(a, "127.0.0.1", port_of(b)), 0);
    uva_udp_close(b);
    uva_task_t *first = uva_spawn(receive_refusal, a);
    uva_task_t *second = uva_spawn(receive_refusal, a);
    ck_assert_int_eq(uva_sleep(1), 0);
    ck_assert_int_eq(uva_udp_send(a, "x", 1), 1);
    ck_assert_int_eq(uva_await(first, NULL), UV_ECONNREFUSED);
    /* It was for one; the other waits on, and is served. */
    ck_assert_int_eq(uva_udp_send(a, "x", 1), 1);
    ck_assert_int_eq(uva_await(second, NULL), UV_ECONNREFUSED);
    uva_udp_close(a);
    return 0;
}

START_TEST(udp_refusal_wakes_who_waits) {
    run_clean(refuse_while_waiting);
}
END_TEST

/* ---- waiting ------------------------------------------------------------ */

typedef struct receiver {
    const char *name;
    uva_udp_t *udp;
} receiver_t;

static int receive_once(void *arg) {
    const receiver_t *self = arg;
    char buffer[16];
    ssize_t got = uva_udp_receive(self->udp, buffer, sizeof buffer, NULL);
    if (got < 0)
        record("%s!", self->name);
    else
        record("%s:%.*s", self->name, (int)got, buffer);
    return got < 0 ? (int)got : 0;
}

static uva_task_t *spawn_receiver(const char *name, uva_udp_t *udp) {
    receiver_t self = {.name = name, .udp = udp};
    uva_task_options_t options = {
        .name = name, .copy = &self, .copy_bytes = sizeof self};
    return uva_spawn_with(&options, receive_once, NULL);
}

static int wake_in_order(void *arg) {
    (void)arg;
    uva_udp_t *a = open_somewhere();
    uva_udp_t *b = open_somewhere();
    uva_task_t *tasks[] = {spawn_receiver("a", b), spawn_receiver("b", b),
                           spawn_receiver("c", b)};
    ck_assert_int_eq(uva_yield(), 0);
    ck_assert(uva_cancel(tasks[1]));
    send_from(a, b, "1");
    send_from(a, b, "2");
    ck_assert_int_eq(uva_await(tasks[0], NULL), 0);
    ck_assert_int_eq(uva_await(tasks[1], NULL), UV_ECANCELED);
    ck_assert_int_eq(uva_await(tasks[2], NULL), 0);
    ck_expect_record("b! a:1 c:2");

    /* Closed while others wait. */
    uva_task_t *task = spawn_receiver("d", b);
    ck_assert_int_eq(uva_yield(), 0);
    uva_udp_close(b);
    ck_assert_int_eq(uva_await(task, NULL), UV_ECANCELED);
    ck_expect_record("d!");
    uva_udp_close(a);
    return 0;
}

START_TEST(udp_receivers_are_served_in_order) {
    run_clean(wake_in_order);
}
END_TEST

/* Whoever comes while others wait stands behind them, also when a datagram is
 * there already. */
static int no_barging(void *arg) {
    (void)arg;
    uva_udp_t *a = open_somewhere();
    uva_udp_t *b = open_somewhere();
    uva_task_t *first = spawn_receiver("a", b);
    ck_assert_int_eq(uva_yield(), 0);
    send_from(a, b, "1");
    uva_task_t *second = spawn_receiver("b", b);
    ck_assert_int_eq(uva_yield(), 0);
    send_from(a, b, "2");
    ck_assert_int_eq(uva_await(first, NULL), 0);
    ck_assert_int_eq(uva_await(second, NULL), 0);
    ck_expect_record("a:1 b:2");
    uva_udp_close(a);
    uva_udp_close(b);
    return 0;
}

START_TEST(udp_nobody_barges_in) {
    run_clean(no_barging);
}
END_TEST

/* The kernel's queue keeps what nobody receives, and drops what is too much;
 * it is found without any callback having run. */
static int overflow(void *arg) {
    (void)arg;
    char text[16];
    char buffer[16];
    uva_udp_t *a = open_somewhere();
    uva_udp_t *b = open_somewhere();
    int dropped_at = 100000;
    for (int i = 0; i < dropped_at; i++) {
        snprintf(text, sizeof text, "%d", i);
        send_from(a, b, text);
    }
    uva_scope_t scope;
    int count = 0;
    ssize_t got;
    uva_scope_open(&scope, 50, 0);
    while ((got = uva_udp_receive(b, buffer, sizeof buffer - 1, NULL)) > 0) {
        buffer[got] = '\0';
        ck_assert_int_eq(atoi(buffer), count);
        count++;
    }
    ck_assert_int_eq(got, UV_ECANCELED);
    ck_assert_int_eq(uva_scope_close(&scope), UV_ETIMEDOUT);
    ck_assert_int_gt(count, 10);
    ck_assert_int_lt(count, dropped_at);
    send_from(a, b, "on");
    expect_datagram(b, "on");
    uva_udp_close(a);
    uva_udp_close(b);
    return 0;
}

START_TEST(udp_overflow_is_dropped) {
    run_clean(overflow);
}
END_TEST

/* A loopback never makes a sender wait; so a local socket, which does, is put
 * under the descriptor. */
static uva_udp_t *open_over(int fd) {
    int lowest = next_fd(fd);
    uva_udp_t *udp = open_somewhere();
    ck_assert_int_eq(dup2(fd, lowest), lowest);
    ck_assert_int_eq(fcntl(lowest, F_SETFD, FD_CLOEXEC), 0);
    close(fd);
    return udp;
}

static int send_one(void *arg) {
    const receiver_t *self = arg;
    ssize_t sent = uva_udp_send(self->udp, self->name, 1);
    record("%s%s", self->name, sent == 1 ? "" : "!");
    return sent < 0 ? (int)sent : 0;
}

static uva_task_t *spawn_sender(const char *name, uva_udp_t *udp) {
    receiver_t self = {.name = name, .udp = udp};
    uva_task_options_t options = {
        .name = name, .copy = &self, .copy_bytes = sizeof self};
    return uva_spawn_with(&options, send_one, NULL);
}

static int wait_for_room(void *arg) {
    (void)arg;
    int ends[2];
    char buffer[256];
    ck_assert_int_eq(socketpair(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0, ends),
                     0);
    uva_udp_t *udp = open_over(ends[0]);
    ssize_t sent = 1;
    uva_scope_t scope;
    uva_scope_open(&scope, 10, 0);
    while (sent == 1)
        sent = uva_udp_send(udp, "x", 1);
    ck_assert_int_eq(sent, UV_ECANCELED);
    ck_assert_int_eq(uva_scope_close(&scope), UV_ETIMEDOUT);

    uva_task_t *tasks[] = {spawn_sender("a", udp), spawn_sender("b", udp),
                           spawn_sender("c", udp)};
    ck_assert_int_eq(uva_yield(), 0);
    ck_assert(uva_cancel(tasks[1]));
    while (recv(ends[1], buffer, sizeof buffer, MSG_DONTWAIT) > 0) {}
    ck_assert_int_eq(uva_await(tasks[0], NULL), 0);
    ck_assert_int_eq(uva_await(tasks[1], NULL), UV_ECANCELED);
    ck_assert_int_eq(uva_await(tasks[2], NULL), 0);
    ck_expect_record("b! a c");
    ck_assert_int_eq(recv(ends[1], buffer, sizeof buffer, MSG_DONTWAIT), 1);
    ck_assert_int_eq(buffer[0], 'a');
    ck_assert_int_eq(recv(ends[1], buffer, sizeof buffer, MSG_DONTWAIT), 1);
    ck_assert_int_eq(buffer[0], 'c');

    /* Closed while one waits. */
    while (send(ends[1], "x", 1, MSG_DONTWAIT) == 1) {}
    uva_scope_open(&scope, 10, 0);
    do
        sent = uva_udp_send(udp, "x", 1);
    while (sent == 1);
    (void)uva_scope_close(&scope);
    uva_task_t *task = spawn_sender("d", udp);
    ck_assert_int_eq(uva_yield(), 0);
    uva_udp_close(udp);
    ck_assert_int_eq(uva_await(task, NULL), UV_ECANCELED);
    ck_expect_record("d!");
    close(ends[1]);
    return 0;
}

START_TEST(udp_senders_wait_for_room_in_order) {
    run_clean(wait_for_room);
}
END_TEST

/* ---- settings ----------------------------------------------------------- */

static int groups(void *arg) {
    (void)arg;
    const char *group = "239.255.7.7";
    const char *local = "127.0.0.1";
    uva_udp_options_t options = {.reuse_address = true};
    uva_udp_t *a = NULL;
    uva_udp_t *b = NULL;
    int fd = next_fd(STDIN_FILENO);
    ck_assert_int_eq(uva_udp_open(NULL, 0, &options, &a), 0);
    int port = port_of(a);
    ck_assert_int_eq(uva_udp_open(NULL, port, &options, &b), 0);
    ck_assert_int_eq(uva_udp_join(a, group, local), 0);
    ck_assert_int_eq(uva_udp_join(a, group, local), UV_EADDRINUSE);
    ck_assert_int_eq(uva_udp_join(b, group, local), 0);
    ck_assert_int_eq(uva_udp_set_multicast_ttl(a, 1), 0);
    ck_assert_int_eq(uva_udp_set_multicast_ttl(a, 256), UV_EINVAL);
    ck_assert_int_eq(uva_udp_set_multicast_interface(a, local), 0);
    ck_assert_int_eq(uva_udp_set_multicast_loop(a, true), 0);
    ck_assert_int_eq(uva_udp_set_broadcast(a, true), 0);
    ck_assert_int_eq(uva_udp_set_ttl(a, 3), 0);
    ck_assert_int_eq(uva_udp_set_ttl(a, 0), UV_EINVAL);

    struct sockaddr_in address;
    ck_assert_int_eq(uv_ip4_addr(group, port, &address), 0);
    ck_assert_int_eq(uva_udp_send_to(a, "all", 3, (struct sockaddr *)&address),
                     3);
    expect_datagram(a, "all");
    expect_datagram(b, "all");
    ck_assert_int_eq(uva_udp_leave(b, group, local), 0);
    ck_assert_int_eq(uva_udp_leave(b, group, local), UV_EADDRNOTAVAIL);
    ck_assert_int_eq(uva_udp_join(b, "127.0.0.1", NULL), UV_EINVAL);
    ck_assert_int_eq(uva_udp_join(b, "no group", NULL), UV_EINVAL);
    ck_assert_int_eq(uva_udp_join(b, NULL, NULL), UV_EINVAL);
    /* The loopback brings them back in any case, so the socket is asked. */
    unsigned char loops = 1;
    socklen_t bytes = sizeof loops;
    ck_assert_int_eq(uva_udp_set_multicast_loop(a, false), 0);
    ck_assert_int_eq(
        getsockopt(fd, IPPROTO_IP, IP_MULTICAST_LOOP, &loops, &bytes), 0);
    ck_assert_int_eq(loops, 0);
    uva_udp_close(a);
    uva_udp_close(b);
    return 0;
}

START_TEST(udp_groups_and_settings) {
    run_clean(groups);
}
END_TEST

static int six(void *arg) {
    (void)arg;
    uva_udp_t *a = NULL;
    uva_udp_t *b = NULL;
    uva_udp_options_t options = {.ipv6_only = true};
    int code = uva_udp_open("::1", 0, &options, &a);
    if (code == UV_EADDRNOTAVAIL || code == UV_EAFNOSUPPORT) {
        record("none");
        return 0;
    }
    ck_assert_int_eq(code, 0);
    ck_assert_int_eq(uva_udp_open("::", 0, &options, &b), 0);
    ck_assert_int_eq(uva_udp_connect(a, "::1", port_of(b)), 0);
    ck_assert_int_eq(uva_udp_send(a, "six", 3), 3);
    expect_datagram(b, "six");
    struct sockaddr_in four = {.sin_family = AF_INET, .sin_port = htons(9)};
    four.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    ck_assert_int_lt(uva_udp_send_to(b, "x", 1, (struct sockaddr *)&four), 0);
    uva_udp_close(a);
    uva_udp_close(b);
    return 0;
}

START_TEST(udp_speaks_ipv6) {
    run_clean(six);
    char seen[SUPPORT_RECORD_BYTES];
    support_record_take(seen);
    if (seen[0] != '\0')
        SKIP("no IPv6 here");
}
END_TEST

/* ---- errors ------------------------------------------------------------- */

static int fail_in_all_ways(void *arg) {
    (void)arg;
    static char huge[100000];
    struct sockaddr_storage name;
    struct sockaddr nowhere = {.sa_family = AF_UNIX};
    uva_udp_t *udp = open_somewhere();
    uva_udp_t *other = NULL;
    ck_assert_int_eq(uva_udp_open("127.0.0.1", port_of(udp), NULL, &other),
                     UV_EADDRINUSE);
    ck_assert_int_eq(uva_udp_open("192.0.2.1", 0, NULL, &other),
                     UV_EADDRNOTAVAIL);
    ck_assert_int_eq(uva_udp_open("no address", 0, NULL, &other), UV_EINVAL);
    ck_assert_int_eq(uva_udp_open(NULL, -1, NULL, &other), UV_EINVAL);
    ck_assert_int_eq(uva_udp_open(NULL, 65536, NULL, &other), UV_EINVAL);
    ck_assert_int_eq(uva_udp_open(NULL, 0, NULL, NULL), UV_EINVAL);
    ck_assert_ptr_null(other);

    struct sockaddr_in address = address_of(udp);
    const struct sockaddr *to = (const struct sockaddr *)&address;
    ck_assert_int_eq(uva_udp_send_to(udp, huge, sizeof huge, to), UV_EMSGSIZE);
    ck_assert_int_eq(uva_udp_send_to(udp, NULL, 1, to), UV_EINVAL);
    ck_assert_int_eq(uva_udp_send_to(udp, "x", 1, NULL), UV_EINVAL);
    ck_assert_int_eq(uva_udp_send_to(udp, "x", 1, &nowhere), UV_EINVAL);
    ck_assert_int_eq(uva_udp_send_to(NULL, "x", 1, to), UV_EINVAL);
    ck_assert_int_eq(uva_udp_send(NULL, "x", 1), UV_EINVAL);
    ck_assert_int_eq(uva_udp_receive(udp, NULL, 1, NULL), UV_EINVAL);
    ck_assert_int_eq(uva_udp_receive(NULL, huge, 1, NULL), UV_EINVAL);
    ck_assert_int_eq(uva_udp_connect(udp, "no address", 1), UV_EINVAL);
    ck_assert_int_eq(uva_udp_connect(udp, "127.0.0.1", 0), UV_EINVAL);
    ck_assert_int_eq(uva_udp_connect(udp, "::1", 1), UV_EAFNOSUPPORT);
    ck_assert_int_eq(uva_udp_connect(NULL, "127.0.0.1", 1), UV_EINVAL);
    ck_assert_int_eq(uva_udp_local_name(NULL, &name), UV_EINVAL);
    ck_assert_int_eq(uva_udp_local_name(udp, NULL), UV_EINVAL);
    ck_assert_int_eq(uva_udp_peer_name(NULL, &name), UV_EINVAL);
    ck_assert_int_eq(uva_udp_peer_name(udp, NULL), UV_EINVAL);
    ck_assert_int_eq(uva_udp_join(NULL, "239.255.7.7", NULL), UV_EINVAL);
    ck_assert_int_eq(uva_udp_leave(NULL, "239.255.7.7", NULL), UV_EINVAL);
    ck_assert_int_eq(uva_udp_set_ttl(NULL, 1), UV_EINVAL);
    ck_assert_int_eq(uva_udp_set_broadcast(NULL, true), UV_EINVAL);
    ck_assert_int_eq(uva_udp_set_multicast_ttl(NULL, 1), UV_EINVAL);
    ck_assert_int_eq(uva_udp_set_multicast_loop(NULL, true), UV_EINVAL);
    ck_assert_int_eq(uva_udp_set_multicast_interface(NULL, NULL), UV_EINVAL);
    uva_udp_close(udp);
    return 0;
}

START_TEST(udp_says_why_it_failed) {
    uva_udp_t *udp = NULL;
    run_clean(fail_in_all_ways);
    ck_assert_int_eq(uva_udp_open(NULL, 0, NULL, &udp), UV_EPERM);
    ck_assert_int_eq((uva_udp_open)(NULL, 0, NULL, &udp), UV_EPERM);
    ck_assert_int_eq(uva_udp_send(NULL, "x", 1), UV_EPERM);
    ck_assert_int_eq(uva_udp_receive(NULL, NULL, 0, NULL), UV_EPERM);
}
END_TEST

static int forget(void *arg) {
    (void)arg;
    (void)open_somewhere();
    return 0;
}

START_TEST(udp_left_open_is_reported_and_closed) {
    ck_assert_int_eq(uva_run_with(&quiet, forget, NULL), 0);
    ck_assert_uint_eq(support_report_count(), 1);
    ck_assert(support_reports_contain("a UDP socket (opened at "));
}
END_TEST

typedef struct trial {
    fault_t kind;
    unsigned long nth;
    unsigned long injected;
} trial_t;

static int live(void) {
    uva_udp_t *a = NULL;
    char buffer[8];
    int code = uva_udp_open("127.0.0.1", 0, NULL, &a);
    if (code < 0)
        return code;
    uva_scope_t scope;
    uva_scope_open(&scope, 1, 0);
    ssize_t got = uva_udp_receive(a, buffer, sizeof buffer, NULL);
    (void)uva_scope_close(&scope);
    uva_udp_close(a);
    return got == UV_ECANCELED ? 0 : (int)got;
}

static int try_once(void *arg) {
    trial_t *trial = arg;
    faults_fail(trial->kind, trial->nth);
    int code = live();
    trial->injected = faults_clear();
    bool may_pass = trial->injected == 0 || trial->kind == FAULT_MALLOC;
    ck_assert_msg(code == UV_ENOMEM || (may_pass && code == 0), "%s %lu: %d",
                  faults_name(trial->kind), trial->nth, code);
    return live();
}

START_TEST(udp_survives_faults) {
    const fault_t kinds[] = {FAULT_UV_UDP_INIT, FAULT_UV_UDP_BIND,
                             FAULT_UV_FILENO, FAULT_UV_POLL_INIT,
                             FAULT_UV_POLL_START};
    for (size_t i = 0; i < sizeof kinds / sizeof kinds[0]; i++) {
        trial_t trial = {.kind = kinds[i]};
        do {
            trial.nth++;
            ck_assert_int_eq(uva_run_with(&quiet, try_once, &trial), 0);
            ck_assert_str_eq(support_reports(), "");
        } while (trial.injected > 0);
        ck_assert_uint_gt(trial.nth, 1);
    }
    trial_t trial = {.kind = FAULT_MALLOC};
    do {
        trial.nth++;
        ck_assert_int_eq(uva_run_with(&quiet, try_once, &trial), 0);
    } while (trial.injected > 0);
}
END_TEST

/* The poll was stopped by an error, and cannot be started again: who waits is
 * told. */
static int lose_the_poll(void *arg) {
    (void)arg;
    uva_udp_t *a = open_somewhere();
    uva_udp_t *b = open_somewhere();
    ck_assert_int_eq(uva_udp_connect(a, "127.0.0.1", port_of(b)), 0);
    uva_udp_close(b);
    uva_task_t *first = uva_spawn(receive_refusal, a);
    uva_task_t *second = uva_spawn(receive_refusal, a);
    ck_assert_int_eq(uva_sleep(1), 0);
    ck_assert_int_eq(uva_udp_send(a, "x", 1), 1);
    faults_fail(FAULT_UV_POLL_START, 1);
    ck_assert_int_eq(uva_await(first, NULL), UV_ECONNREFUSED);
    ck_assert_int_eq(uva_await(second, NULL), UV_ENOMEM);
    ck_assert_uint_eq(faults_clear(), 1);
    uva_udp_close(a);
    return 0;
}

START_TEST(udp_poll_that_cannot_go_on_is_told) {
    run_clean(lose_the_poll);
}
END_TEST

SUITE("udp", udp_datagrams_come_whole_and_in_order,
      udp_connected_talks_to_its_peer_alone, udp_refusal_wakes_who_waits,
      udp_receivers_are_served_in_order, udp_nobody_barges_in,
      udp_overflow_is_dropped, udp_senders_wait_for_room_in_order,
      udp_groups_and_settings, udp_speaks_ipv6, udp_says_why_it_failed,
      udp_left_open_is_reported_and_closed, udp_survives_faults,
      udp_poll_that_cannot_go_on_is_told)
