/* labels: valgrind; timeout: 20 */
/* Handing over streams: cut, closed, held up, failing. */
#include "passing_fixture.h"

/* ---- cut and closed ----------------------------------------------------- */

static int read_a_byte(void *arg) {
    char byte;
    return (int)uva_read(arg, &byte, 1);
}

static int receive_one(void *arg) {
    uva_stream_t *stream = NULL;
    int code = uva_pipe_receive_stream(arg, &stream);
    uva_stream_close(stream);
    return code;
}

typedef struct sending {
    uva_stream_t *pipe;
    uva_stream_t *stream;
} sending_t;

static int send_one(void *arg) {
    sending_t *sending = arg;
    return uva_pipe_send_stream(sending->pipe, sending->stream);
}

static int cut_receivers(void *arg) {
    (void)arg;
    int fd;
    int reading;
    uva_stream_t *stream = NULL;
    uva_stream_t *pipe = open_half(&fd);
    int passenger = make_passenger(&reading);
    uva_task_t *task = uva_spawn(receive_one, pipe);
    ck_assert_int_eq(uva_sleep(1), 0);
    ck_assert_int_eq(uva_pipe_receive_stream(pipe, &stream), UV_EBUSY);
    ck_assert_int_eq(uva_cancel_and_wait(task), UV_ECANCELED);
    raw_send_fds(fd, "!", 1, passenger, 1);
    unsigned long stops = faults_calls(FAULT_UV_POLL_STOP);
    ck_assert_int_eq(uva_sleep(5), 0); /* nobody waits: no busy loop */
    ck_assert_uint_le(faults_calls(FAULT_UV_POLL_STOP), stops + 1);

    /* A reader finds a stream before it, and waits until that is received. */
    task = uva_spawn(read_a_byte, pipe);
    raw_send(fd, "x", 1);
    ck_assert_int_eq(uva_sleep(2), 0);
    ck_assert_int_eq(uva_status(task), UV_EAGAIN);
    ck_assert_int_eq(uva_cancel_and_wait(task), UV_ECANCELED);
    task = uva_spawn(read_a_byte, pipe);
    ck_assert_int_eq(uva_sleep(2), 0);
    ck_assert_int_eq(uva_pipe_receive_stream(pipe, &stream), 0);
    ck_assert_int_eq(uva_await(task, NULL), 1);
    check_passenger(stream, reading);

    /* Closed under both, with a stream that nobody received. */
    raw_send_fds(fd, "!", 1, passenger, 1);
    task = uva_spawn(read_a_byte, pipe);
    ck_assert_int_eq(uva_sleep(2), 0);
    uva_stream_close(pipe);
    ck_assert_int_eq(uva_await(task, NULL), UV_ECANCELED);
    close(fd);
    pipe = open_half(&fd);
    task = uva_spawn(receive_one, pipe);
    ck_assert_int_eq(uva_sleep(2), 0);
    uva_stream_close(pipe);
    ck_assert_int_eq(uva_await(task, NULL), UV_ECANCELED);
    close(fd);
    close(passenger);
    return 0;
}

START_TEST(receive_that_is_cut_leaves_the_stream) {
    run_clean(cut_receivers);
}
END_TEST

/* A receiver passes what an inbox holds, then waits until it is read. */
static int hold_up_receiver(void *arg) {
    (void)arg;
    int fd;
    int reading;
    static char bytes[100000];
    uva_stream_t *pipe = open_half(&fd);
    int passenger = make_passenger(&reading);
    make_bytes(bytes, 0, sizeof bytes);
    raw_send(fd, bytes, sizeof bytes);
    raw_send_fds(fd, "!", 1, passenger, 1);
    close(passenger);
    uva_task_t *task = uva_spawn(receive_one, pipe);
    ck_assert_int_eq(uva_sleep(5), 0);
    ck_assert_int_eq(uva_status(task), UV_EAGAIN);
    memset(bytes, 0, sizeof bytes);
    ck_assert_int_eq(uva_read_exactly(pipe, bytes, sizeof bytes), sizeof bytes);
    check_bytes(bytes, 0, sizeof bytes);
    ck_assert_int_eq(uva_await(task, NULL), 0);
    uva_stream_close(pipe);
    close(fd);
    close(reading);
    return 0;
}

START_TEST(receiver_waits_for_bytes_before_a_stream) {
    run_clean(hold_up_receiver);
}
END_TEST

static int cut_senders(void *arg) {
    (void)arg;
    for (int way = 0; way < 4; way++) {
        int fd;
        int reading;
        sending_t sending;
        sending.pipe = open_half(&fd);
        int passenger = make_passenger(&reading);
        ck_assert_int_eq(uva_stream_open_fd(passenger, &sending.stream), 0);
        size_t filled = fill(uva_stream_fileno(sending.pipe));
        uva_task_t *task = uva_spawn(send_one, &sending);
        ck_assert_int_eq(uva_sleep(2), 0);
        ck_assert_int_eq(uva_pipe_send_stream(sending.pipe, sending.stream),
                         UV_EBUSY);
        if (way == 0) {
            ck_assert_int_eq(uva_cancel_and_wait(task), UV_ECANCELED);
        } else if (way == 1) {
            uva_stream_close(sending.pipe);
            sending.pipe = NULL;
            ck_assert_int_eq(uva_await(task, NULL), UV_ECANCELED);
        } else if (way == 2) { /* and the number may be another's by now */
            uva_stream_close(sending.stream);
            sending.stream = NULL;
        }
        size_t drained = 0;
        while (way != 1 && drained < filled) {
            drained += drain(fd);
            ck_assert_int_eq(uva_sleep(1), 0);
        }
        if (way == 2)
            ck_assert_int_eq(uva_await(task, NULL), UV_ECANCELED);
        if (way == 3) {
            ck_assert_int_eq(uva_await(task, NULL), 0);
            close(raw_receive_fd(fd));
        }
        /* Nothing was sent, and it goes on. */
        if (way == 0) {
            ck_assert_int_eq(uva_write(sending.pipe, "x", 1), 1);
            ck_assert_uint_eq(drain(fd), 1);
        }
        uva_stream_close(sending.pipe);
        uva_stream_close(sending.stream);
        close(fd);
        close(reading);
    }
    return 0;
}

START_TEST(send_that_is_cut_sends_nothing) {
    run_clean(cut_senders);
}
END_TEST

/* ---- faults ------------------------------------------------------------- */

typedef struct trial {
    fault_t kind;
    unsigned long nth;
    bool is_hit;
} trial_t;

static int fail_once(void *arg) {
    trial_t *trial = arg;
    int fd;
    int reading;
    uva_stream_t *stream = NULL;
    uva_stream_t *pipe = open_half(&fd);
    int passenger = make_passenger(&reading);
    faults_fail(trial->kind, trial->nth);
    uva_scope_t scope;
    uva_scope_open(&scope, 1, 0);
    int code = uva_pipe_receive_stream(pipe, &stream); /* has to wait */
    (void)uva_scope_close(&scope);
    if (code == UV_ECANCELED) {
        raw_send_fds(fd, "!", 1, passenger, 1);
        code = uva_pipe_receive_stream(pipe, &stream);
    }
    trial->is_hit = faults_clear() > 0;
    ck_assert_int_eq(code, trial->is_hit ? UV_ENOMEM : 0);
    uva_stream_close(stream);
    uva_stream_close(pipe);
    close(passenger);
    close(reading);
    close(fd);
    return 0;
}

START_TEST(passing_survives_faults) {
    static const fault_t kinds[] = {FAULT_UV_POLL_INIT, FAULT_UV_POLL_START,
                                    FAULT_UV_PIPE_INIT, FAULT_UV_PIPE_OPEN,
                                    FAULT_MALLOC};
    for (size_t i = 0; i < sizeof kinds / sizeof kinds[0]; i++) {
        trial_t trial = {.kind = kinds[i]};
        do {
            trial.nth++;
            ck_assert_int_eq(uva_run_with(&quiet, fail_once, &trial), 0);
        } while (trial.is_hit);
        ck_assert_uint_ge(trial.nth, 2);
    }
    ck_assert_str_eq(support_reports(), "");
}
END_TEST

SUITE("handle_passing_cut", receive_that_is_cut_leaves_the_stream,
      receiver_waits_for_bytes_before_a_stream, send_that_is_cut_sends_nothing,
      passing_survives_faults)
