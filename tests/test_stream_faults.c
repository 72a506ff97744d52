/* Streams when libuv or memory fails: each call in turn. The outcome is the
 * code, and nothing stays behind: no handle, descriptor, block or path. */
#include "stream_fixture.h"

/* ---- one life of two streams -------------------------------------------- */

typedef struct life {
    const char *path; /* NULL: TCP */
    const char *host;
    uva_listener_t *listener;
    uva_stream_t *near;
    uva_stream_t *far;
} life_t;

static int open_both(life_t *life) {
    int code;
    if (life->path != NULL)
        code = uva_pipe_listen(life->path, 8, &life->listener);
    else
        code = uva_tcp_listen("127.0.0.1", 0, 8, &life->listener);
    if (code < 0)
        return code;
    if (life->path != NULL)
        code = uva_pipe_connect(life->path, &life->near);
    else
        code = uva_tcp_connect(life->host, uva_listener_port(life->listener),
                               &life->near);
    if (code < 0)
        return code;
    return uva_accept(life->listener, &life->far);
}

/* A read that waits, one of what was kept meanwhile, one that is cut. */
static ssize_t exercise_reading(life_t *life) {
    char buffer[8];
    ssize_t code = uva_write(life->near, "abcd", 4);
    if (code == 4)
        code = uva_read(life->far, buffer, 2);
    if (code == 2)
        code = uva_sleep(1);
    if (code == 0)
        code = uva_read(life->far, buffer, 2);
    if (code != 2)
        return code;
    uva_scope_t scope;
    uva_scope_open(&scope, 1, 0);
    code = uva_read(life->far, buffer, 1);
    (void)uva_scope_close(&scope);
    return code;
}

/* A write to a full socket, which is cut. */
static ssize_t exercise_writing(life_t *life) {
    uva_scope_t scope;
    (void)fill(uva__socket_of(life->near)->fd);
    uva_scope_open(&scope, 1, 0);
    ssize_t code = uva_write(life->near, "x", 1);
    (void)uva_scope_close(&scope);
    return code;
}

/* 0, or the first failure. */
static int live(life_t *life) {
    ssize_t code = open_both(life);
    if (code == 0)
        code = exercise_reading(life);
    if (code == UV_ECANCELED)
        code = exercise_writing(life);
    uva_stream_close(life->near);
    uva_stream_close(life->far);
    uva_listener_close(life->listener);
    *life = (life_t){.path = life->path, .host = life->host};
    return code == UV_ECANCELED ? 0 : (int)code;
}

/* ---- each call in turn -------------------------------------------------- */

typedef struct trial {
    life_t life;
    fault_t kind;
    unsigned long nth;
    unsigned long injected;
} trial_t;

static int try_once(void *arg) {
    trial_t *trial = arg;
    faults_fail(trial->kind, trial->nth);
    int code = live(&trial->life);
    trial->injected = faults_clear();
    if (trial->injected > 0 && trial->kind != FAULT_MALLOC)
        ck_assert_msg(code == UV_ENOMEM, "%s %lu: %d", faults_name(trial->kind),
                      trial->nth, code);
    if (trial->injected > 0)
        ck_assert_msg(code == UV_ENOMEM || code == 0, "malloc %lu: %d",
                      trial->nth, code);
    /* What failed left nothing that is in the way of another try. */
    return live(&trial->life);
}

/* Fails the first, second, ... call of a kind, until there are no more; fails
 * itself when there were fewer than `least`. */
static void try_each(const char *path, const char *host, fault_t kind,
                     unsigned long least) {
    trial_t trial = {.life = {.path = path, .host = host}, .kind = kind};
    do {
        trial.nth++;
        ck_assert_int_eq(uva_run_with(&quiet, try_once, &trial), 0);
        ck_assert_str_eq(support_reports(), "");
        if (path != NULL)
            ck_assert_int_ne(access(path, F_OK), 0);
    } while (trial.injected > 0);
    ck_assert_msg(trial.nth > least, "%s: only %lu calls", faults_name(kind),
                  trial.nth - 1);
}

START_TEST(faults_in_tcp_are_survived) {
    const char *host = "127.0.0.1";
    try_each(NULL, host, FAULT_UV_TCP_INIT_EX, 1);
    try_each(NULL, host, FAULT_UV_TCP_INIT, 2);
    try_each(NULL, host, FAULT_UV_TCP_NODELAY, 2);
    try_each(NULL, host, FAULT_UV_TCP_BIND, 1);
    try_each(NULL, host, FAULT_UV_TCP_GETSOCKNAME, 1);
    try_each(NULL, host, FAULT_UV_TCP_CONNECT, 1);
    try_each(NULL, host, FAULT_UV_TCP_OPEN, 1);
    try_each(NULL, host, FAULT_UV_FILENO, 2);
    try_each(NULL, host, FAULT_UV_POLL_INIT, 2);
    try_each(NULL, host, FAULT_UV_POLL_START, 1);
    try_each(NULL, host, FAULT_UV_READ_START, 1);
    try_each(NULL, A_NAME, FAULT_UV_GETADDRINFO, 1);
}
END_TEST

START_TEST(faults_in_local_sockets_are_survived) {
    place_t place = make_place();
    const char *path = place.path;
    try_each(path, NULL, FAULT_UV_PIPE_INIT, 3);
    try_each(path, NULL, FAULT_UV_PIPE_BIND, 1);
    try_each(path, NULL, FAULT_UV_PIPE_OPEN, 1);
    try_each(path, NULL, FAULT_UV_FILENO, 2);
    try_each(path, NULL, FAULT_UV_POLL_INIT, 2);
    try_each(path, NULL, FAULT_MALLOC, 1);
    remove_place(&place);
}
END_TEST

START_TEST(faults_of_memory_are_survived) {
    try_each(NULL, "127.0.0.1", FAULT_MALLOC, 1);
    try_each(NULL, A_NAME, FAULT_MALLOC, 1);
}
END_TEST

SUITE("stream_faults", faults_in_tcp_are_survived,
      faults_in_local_sockets_are_survived, faults_of_memory_are_survived)
