/* labels: threads valgrind; timeout: 30 */
/* Names to addresses and back. Nothing here asks a name server: the names are
 * numbers, which every system knows. */
#include "fs_fixture.h"

#include <arpa/inet.h>
#include <netdb.h>
#include <netinet/in.h>

static struct sockaddr_in local(int port) {
    struct sockaddr_in address;
    ck_assert_int_eq(uv_ip4_addr("127.0.0.1", port, &address), 0);
    return address;
}

/* ---- names -------------------------------------------------------------- */

static int find_addresses(void *arg) {
    (void)arg;
    struct addrinfo hints = {.ai_family = AF_INET,
                             .ai_socktype = SOCK_STREAM,
                             .ai_flags = AI_NUMERICSERV};
    struct addrinfo *list = NULL;
    ck_assert_int_eq(uva_getaddrinfo("127.1", "7777", &hints, &list), 0);
    ck_assert_ptr_nonnull(list);
    const struct sockaddr_in *found = (void *)list->ai_addr;
    ck_assert_uint_eq(ntohl(found->sin_addr.s_addr), INADDR_LOOPBACK);
    ck_assert_uint_eq(ntohs(found->sin_port), 7777);
    ck_assert_int_eq(list->ai_socktype, SOCK_STREAM);
    uv_freeaddrinfo(list);
    list = NULL;
    hints.ai_flags |= AI_PASSIVE;
    ck_assert_int_eq(uva_getaddrinfo(NULL, "7777", &hints, &list), 0);
    found = (void *)list->ai_addr;
    ck_assert_uint_eq(ntohl(found->sin_addr.s_addr), INADDR_ANY);
    uv_freeaddrinfo(list);
    list = NULL;
    ck_assert_int_eq(uva_getaddrinfo("127.0.0.1", NULL, NULL, &list), 0);
    uv_freeaddrinfo(list);
    list = NULL;
    hints = (struct addrinfo){.ai_flags = AI_NUMERICHOST};
    ck_assert_int_eq(uva_getaddrinfo("no number", NULL, &hints, &list),
                     UV_EAI_NONAME);
    ck_assert_int_eq(uva_getaddrinfo(NULL, NULL, NULL, &list), UV_EINVAL);
    ck_assert_int_eq(uva_getaddrinfo("127.1", NULL, NULL, NULL), UV_EINVAL);
    ck_assert_ptr_null(list);
    return 0;
}

START_TEST(lookup_finds_addresses) {
    run_clean(find_addresses);
}
END_TEST

static int find_names(void *arg) {
    (void)arg;
    char host[NI_MAXHOST] = "-";
    char service[NI_MAXSERV] = "-";
    struct sockaddr_in address = local(7777);
    struct sockaddr_in6 six;
    const struct sockaddr *at = (const struct sockaddr *)&address;
    int flags = NI_NUMERICHOST | NI_NUMERICSERV;
    ck_assert_int_eq(uva_getnameinfo(at, flags, host, 9, service, 32),
                     UV_ENOBUFS);
    ck_assert_int_eq(uva_getnameinfo(at, flags, host, 10, service, 4),
                     UV_ENOBUFS);
    ck_assert_str_eq(host, "-");
    ck_assert_str_eq(service, "-");
    ck_assert_int_eq(uva_getnameinfo(at, flags, host, 10, service, 5), 0);
    ck_assert_str_eq(host, "127.0.0.1");
    ck_assert_str_eq(service, "7777");
    ck_assert_int_eq(uva_getnameinfo(at, flags, NULL, 0, NULL, 0), 0);
    ck_assert_int_eq(uv_ip6_addr("::1", 1, &six), 0);
    ck_assert_int_eq(uva_getnameinfo((struct sockaddr *)&six, flags, host,
                                     sizeof host, NULL, 0),
                     0);
    ck_assert_str_eq(host, "::1");
    address.sin_family = AF_UNIX;
    ck_assert_int_eq(uva_getnameinfo(at, flags, host, 10, service, 5),
                     UV_EINVAL);
    ck_assert_int_eq(uva_getnameinfo(NULL, flags, host, 10, service, 5),
                     UV_EINVAL);
    return 0;
}

START_TEST(lookup_finds_names) {
    run_clean(find_names);
}
END_TEST

/* ---- cancellation ------------------------------------------------------- */

static char late_host[64] = "-";

static int address_of(void *arg) {
    struct addrinfo *list = NULL;
    int code = uva_getaddrinfo(arg, NULL, NULL, &list);
    if (code == 0)
        uv_freeaddrinfo(list);
    return code;
}

static int name_of(void *arg) {
    struct sockaddr_in address = local(1);
    (void)arg;
    return uva_getnameinfo((struct sockaddr *)&address,
                           NI_NUMERICHOST | NI_NUMERICSERV, late_host,
                           sizeof late_host, NULL, 0);
}

/* Both are queued behind a job that is held, and let go before it is. */
static int cancel_queued(void *arg) {
    (void)arg;
    holder_t holder;
    hold_pool(&holder);
    uva_task_t *one = uva_spawn(address_of, "127.1");
    uva_task_t *other = uva_spawn(name_of, NULL);
    ck_assert_int_eq(uva_yield(), 0);
    ck_assert(uva_cancel(one));
    ck_assert(uva_cancel(other));
    ck_assert_int_eq(uva_await(one, NULL), UV_ECANCELED);
    ck_assert_int_eq(uva_await(other, NULL), UV_ECANCELED);
    release_pool(&holder);
    ck_assert_str_eq(late_host, "-");
    ck_assert_int_eq(name_of(NULL), 0);
    ck_assert_str_eq(late_host, "127.0.0.1");
    return 0;
}

START_TEST(lookup_cancelled_lets_go_at_once) {
    use_one_thread();
    run_clean(cancel_queued);
}
END_TEST

/* Cancelled a while after they began: queued, running or answered. Whatever it
 * was, the end waits for what goes on alone, and nothing stays behind. */
static int cancel_sometime(void *arg) {
    (void)arg;
    for (int i = 0; i < 50; i++) {
        uva_task_t *one = uva_spawn(address_of, "127.1");
        uva_task_t *other = uva_spawn(name_of, NULL);
        for (int j = 0; j <= i % 4; j++)
            ck_assert_int_eq(uva_yield(), 0);
        (void)uva_cancel(one);
        (void)uva_cancel(other);
        int code = uva_await(one, NULL);
        ck_assert(code == 0 || code == UV_ECANCELED);
        code = uva_await(other, NULL);
        ck_assert(code == 0 || code == UV_ECANCELED);
    }
    return 0;
}

START_TEST(lookup_cancelled_at_any_time) {
    run_clean(cancel_sometime);
}
END_TEST

/* ---- faults ------------------------------------------------------------- */

typedef struct trial {
    uva_fn live;
    fault_t kind;
} trial_t;

static int try_once(void *arg) {
    const trial_t *trial = arg;
    faults_fail(trial->kind, 1);
    ck_assert_int_eq(trial->live("127.1"), UV_ENOMEM);
    ck_assert_uint_eq(faults_clear(), 1);
    return trial->live("127.1");
}

static void try_fault(uva_fn live, fault_t kind) {
    trial_t trial = {live, kind};
    ck_assert_int_eq(uva_run_with(&quiet, try_once, &trial), 0);
    ck_assert_str_eq(support_reports(), "");
}

START_TEST(lookup_faults_are_survived) {
    try_fault(address_of, FAULT_UV_GETADDRINFO);
    try_fault(name_of, FAULT_UV_GETNAMEINFO);
    try_fault(name_of, FAULT_MALLOC);
}
END_TEST

START_TEST(lookup_outside_a_task_is_refused) {
    ck_assert_int_eq(address_of("127.1"), UV_EPERM);
    ck_assert_int_eq(name_of(NULL), UV_EPERM);
}
END_TEST

SUITE("lookup", lookup_finds_addresses, lookup_finds_names,
      lookup_cancelled_lets_go_at_once, lookup_cancelled_at_any_time,
      lookup_faults_are_survived, lookup_outside_a_task_is_refused)
