/* Local sockets: streams by path, and the life of the path. */
#include "stream_fixture.h"

static bool exists(const char *path) {
    return access(path, F_OK) == 0;
}

static int talk(void *arg) {
    (void)arg;
    char buffer[8];
    place_t place = make_place();
    uva_listener_t *listener = NULL;
    uva_stream_t *near = NULL;
    uva_stream_t *far = NULL;
    ck_assert_int_eq(uva_pipe_listen(place.path, 8, &listener), 0);
    ck_assert_int_eq(uva_listener_port(listener), UV_EINVAL);
    ck_assert_int_eq(uva_pipe_connect(place.path, &near), 0);
    ck_assert_int_eq(uva_accept(listener, &far), 0);
    ck_assert_int_eq(uva_write(near, "ping", 4), 4);
    ck_assert_int_eq(uva_read_exactly(far, buffer, 4), 4);
    ck_assert_int_eq(uva_write(far, "pong!", 5), 5);
    ck_assert_int_eq(uva_shutdown(far), 0);
    ck_assert_int_eq(uva_read_exactly(near, buffer, 5), 5);
    ck_assert_mem_eq(buffer, "pong!", 5);
    ck_assert_int_eq(uva_read(near, buffer, 5), UV_EOF);
    ck_assert_int_eq(uva_write(near, "more", 4), 4);
    uva_stream_close(far);
    ck_assert_int_eq(uva_write(near, "more", 4), UV_EPIPE);
    uva_stream_close(near);

    /* That nothing can be written says nothing about what can be read. */
    ck_assert_int_eq(uva_pipe_connect(place.path, &near), 0);
    ck_assert_int_eq(uva_accept(listener, &far), 0);
    ck_assert_int_eq(uva_write(far, "bye", 3), 3);
    uva_stream_close(far);
    ck_assert_int_eq(uva_write(near, "more", 4), UV_EPIPE);
    ck_assert_int_eq(uva_read_exactly(near, buffer, 3), 3);
    ck_assert_int_eq(uva_read(near, buffer, 3), UV_EOF);
    uva_stream_close(near);

    ck_assert(exists(place.path));
    uva_listener_close(listener);
    ck_assert(!exists(place.path));
    remove_place(&place);
    return 0;
}

START_TEST(pipe_carries_both_ways) {
    run_clean(talk);
}
END_TEST

static int fail_in_all_ways(void *arg) {
    (void)arg;
    place_t place = make_place();
    char missing[128];
    char too_long[200];
    uva_listener_t *listener = NULL;
    uva_listener_t *other = NULL;
    uva_stream_t *stream = NULL;
    memset(too_long, 'x', sizeof too_long - 1);
    too_long[sizeof too_long - 1] = '\0';
    snprintf(missing, sizeof missing, "%s/none/socket", place.directory);

    ck_assert_int_eq(uva_pipe_listen(place.path, 8, &listener), 0);
    ck_assert_int_eq(uva_pipe_listen(place.path, 8, &other), UV_EADDRINUSE);
    ck_assert(exists(place.path));
    ck_assert_int_eq(uva_pipe_listen(missing, 8, &other), UV_EACCES);
    ck_assert_int_eq(uva_pipe_listen(too_long, 8, &other), UV_ENAMETOOLONG);
    ck_assert_int_eq(uva_pipe_listen(NULL, 8, &other), UV_EINVAL);
    ck_assert_int_eq(uva_pipe_listen("", 8, &other), UV_EINVAL);
    ck_assert_int_eq(uva_pipe_listen(place.path, 8, NULL), UV_EINVAL);
    ck_assert_int_eq(uva_pipe_connect(missing, &stream), UV_ENOENT);
    ck_assert_int_eq(uva_pipe_connect(too_long, &stream), UV_ENAMETOOLONG);
    ck_assert_int_eq(uva_pipe_connect(NULL, &stream), UV_EINVAL);
    ck_assert_int_eq(uva_pipe_connect("", &stream), UV_EINVAL);
    ck_assert_int_eq(uva_pipe_connect(place.path, NULL), UV_EINVAL);
    ck_assert_ptr_null(other);
    ck_assert_ptr_null(stream);
    uva_listener_close(listener);
    ck_assert_int_eq(uva_pipe_connect(place.path, &stream), UV_ENOENT);
    remove_place(&place);
    return 0;
}

START_TEST(pipe_says_why_it_failed) {
    uva_stream_t *stream = NULL;
    uva_listener_t *listener = NULL;
    run_clean(fail_in_all_ways);
    ck_assert_int_eq(uva_pipe_connect("/x", &stream), UV_EPERM);
    ck_assert_int_eq(uva_pipe_listen("/x", 8, &listener), UV_EPERM);
}
END_TEST

static int cut_connect(void *arg) {
    (void)arg;
    place_t place = make_place();
    uva_listener_t *listener = NULL;
    uva_stream_t *stream = NULL;
    uva_stream_t *accepted = NULL;
    uva_scope_t scope;
    ck_assert_int_eq(uva_pipe_listen(place.path, 1, &listener), 0);
    uva_scope_open(&scope, 0, 0);
    ck_assert_int_eq(uva_pipe_connect(place.path, &stream), UV_ECANCELED);
    ck_assert_int_eq(uva_scope_close(&scope), UV_ETIMEDOUT);
    uva_scope_open(&scope, 2, 0);
    ck_assert_int_eq(uva_accept(listener, &accepted), UV_ECANCELED);
    ck_assert_int_eq(uva_scope_close(&scope), UV_ETIMEDOUT);

    /* A full backlog is an error at once. */
    uva_stream_t *streams[8] = {NULL};
    int code = 0;
    size_t count = 0;
    while (code == 0 && count < 8)
        code = uva_pipe_connect(place.path, &streams[count++]);
    ck_assert_int_eq(code, UV_EAGAIN);
    for (size_t i = 0; i < count; i++)
        uva_stream_close(streams[i]);
    uva_listener_close(listener);
    remove_place(&place);
    return 0;
}

START_TEST(pipe_connect_and_accept_can_be_cut) {
    run_clean(cut_connect);
}
END_TEST

SUITE("pipe", pipe_carries_both_ways, pipe_says_why_it_failed,
      pipe_connect_and_accept_can_be_cut)
