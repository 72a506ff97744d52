/*
 * The workloads that libuv has something for, in its callbacks: timers, and
 * files. files-loop is what a program does without libuv.
 */
#include "peer.h"

#include <fcntl.h>
#include <unistd.h>
#include <uv.h>

/* ---- timers -------------------------------------------------------------- */

static void must_not_fire(uv_timer_t *timer) {
    (void)timer;
    fprintf(stderr, "a timer of a minute fired\n");
    exit(1);
}

static int timeout(peer_job_t *job) {
    uv_loop_t *loop = uv_default_loop();
    uv_timer_t timer;
    int code = uv_timer_init(loop, &timer);

    peer_start(job);
    for (uint64_t i = 0; i < job->operations; i++) {
        code |= uv_timer_start(&timer, must_not_fire, PEER_MINUTE_MS, 0);
        code |= uv_timer_stop(&timer);
    }
    peer_stop(job);
    uv_close((uv_handle_t *)&timer, NULL);
    return uv_run(loop, UV_RUN_DEFAULT) | code;
}

static uint64_t awake;

static void wake(uv_timer_t *timer) {
    (void)timer;
    awake++;
}

static void close_all(uv_timer_t *timers, uint64_t count) {
    for (uint64_t i = 0; i < count; i++)
        uv_close((uv_handle_t *)&timers[i], NULL);
    uv_run(uv_default_loop(), UV_RUN_DEFAULT);
    free(timers);
}

static int sleep_all(peer_job_t *job) {
    uv_loop_t *loop = uv_default_loop();
    uv_timer_t *timers = calloc(job->size, sizeof *timers);

    if (timers == NULL)
        return UV_ENOMEM;
    awake = 0;
    peer_start(job);
    uv_update_time(loop);
    for (uint64_t i = 0; i < job->size; i++) {
        uv_timer_init(loop, &timers[i]);
        uv_timer_start(&timers[i], wake, PEER_NAP_MS, 0);
    }
    uv_run(loop, UV_RUN_DEFAULT);
    peer_stop(job);
    close_all(timers, job->size);
    return peer_check("naps", awake, job->size);
}

/* Timers without tasks: what the others stand on. */
static double sleep_million(uint64_t count) {
    uv_loop_t *loop = uv_default_loop();
    uv_timer_t *timers = calloc(count, sizeof *timers);
    uint64_t start_ns = peer_now_ns();

    if (timers == NULL)
        abort();
    awake = 0;
    uv_update_time(loop);
    for (uint64_t i = 0; i < count; i++) {
        uv_timer_init(loop, &timers[i]);
        uv_timer_start(&timers[i], wake, peer_wake_ms(i), 0);
    }
    uv_run(loop, UV_RUN_DEFAULT);
    double beyond_s = peer_beyond_s(start_ns);
    close_all(timers, count);
    return beyond_s;
}

static int million(peer_job_t *job) {
    double before = peer_memory("VmRSS:");
    double beyond_s = sleep_million(job->size);

    peer_report_million("s", beyond_s, before, job->size);
    beyond_s = sleep_million(job->size);
    peer_report_million("again_s", beyond_s, before, job->size);
    return peer_check("awake", awake, job->size);
}

/* ---- files --------------------------------------------------------------- */

typedef struct reading {
    uv_work_t work; /* one of the two */
    uv_fs_t request;
    uint64_t number;
    int fd;
    char data[PEER_FILE_BYTES + 1];
    long bytes;
} reading_t;

static long read_whole(reading_t *reading) {
    char path[256];

    peer_file(path, sizeof path, reading->number);
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return -1;
    long bytes = read(fd, reading->data, sizeof reading->data);
    close(fd);
    return bytes;
}

static void in_pool(uv_work_t *work) {
    reading_t *reading = work->data;

    reading->bytes = read_whole(reading);
}

static void after(uv_work_t *work, int status) {
    (void)work;
    (void)status;
}

static void on_closed(uv_fs_t *request) {
    uv_fs_req_cleanup(request);
}

static void on_read(uv_fs_t *request) {
    reading_t *reading = request->data;

    reading->bytes = (long)request->result;
    uv_fs_req_cleanup(request);
    uv_fs_close(request->loop, request, reading->fd, on_closed);
}

static void on_open(uv_fs_t *request) {
    reading_t *reading = request->data;
    uv_buf_t room = uv_buf_init(reading->data, sizeof reading->data);

    reading->fd = (int)request->result;
    uv_fs_req_cleanup(request);
    if (reading->fd >= 0)
        uv_fs_read(request->loop, request, reading->fd, &room, 1, 0, on_read);
}

static void begin_job(reading_t *reading) {
    reading->work.data = reading;
    uv_queue_work(uv_default_loop(), &reading->work, in_pool, after);
}

static void begin_steps(reading_t *reading) {
    char path[256];

    peer_file(path, sizeof path, reading->number);
    reading->request.data = reading;
    uv_fs_open(uv_default_loop(), &reading->request, path, O_RDONLY, 0,
               on_open);
}

static void read_now(reading_t *reading) {
    reading->bytes = read_whole(reading);
}

static int read_all(peer_job_t *job, void (*begin)(reading_t *)) {
    reading_t *readings = calloc(job->operations, sizeof *readings);
    uint64_t bytes = 0;

    if (readings == NULL)
        return UV_ENOMEM;
    peer_start(job);
    for (uint64_t i = 0; i < job->operations; i++) {
        readings[i].number = i;
        begin(&readings[i]);
    }
    uv_run(uv_default_loop(), UV_RUN_DEFAULT);
    peer_stop(job);
    for (uint64_t i = 0; i < job->operations; i++)
        bytes += (uint64_t)readings[i].bytes;
    free(readings);
    return peer_check("bytes", bytes, job->operations * PEER_FILE_BYTES);
}

static int files(peer_job_t *job) {
    return read_all(job, begin_job);
}

static int files_steps(peer_job_t *job) {
    return read_all(job, begin_steps);
}

static int files_loop(peer_job_t *job) {
    return read_all(job, read_now);
}

static const peer_workload_t workloads[] = {
    {"timeout", timeout, NULL},
    {"sleep", sleep_all, peer_report_beyond},
    {"million", million, peer_report_none},
    {"files", files, NULL},
    {"files-steps", files_steps, NULL},
    {"files-loop", files_loop, NULL},
};

int main(int argc, char **argv) {
    return PEER_MAIN(argc, argv, workloads);
}
