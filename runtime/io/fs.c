/*
 * What: one mechanism for all of libuv's file system requests.
 *
 * How: the request is a job in the pool, and the call returns when that job is
 * over, never before. So it may lie in the task's frame, and closing a file
 * does not fail for want of memory (docs/DESIGN.md, I7: what cannot be taken
 * back keeps the task). A task that is cut while its job is still queued has
 * it taken back, without effect; one whose job runs waits for it, and gets the
 * operation's own code: it took effect or it failed, never both (R6).
 *
 * Rejected: leaving a running job alone, as look-ups do. A cancelled
 * uva_fs_rename() that happens nevertheless, after the cleanup has run, is
 * worse than a late one.
 */
#include "fs.h"

#include "../scope.h"
#include "../task.h"

/* Who wakes us: uva__fs_done, once, also when the job was taken back. */
static uva_future_t *cancel_job(uva__waiter_t *waiter) {
    uva__fs_t *fs = UVA__OF(waiter, uva__fs_t, waiter);
    bool is_first = !fs->was_asked;
    fs->was_asked = true;
    if (is_first && uv_cancel(fs->job) == 0)
        uva__scope_note_cut(waiter->task);
    return NULL;
}

static const uva__wait_t fs_wait = {
    .reason = "file operation", .cancel = cancel_job, .outside = true};

void uva__fs_done(uv_fs_t *request) {
    uva__wake(&UVA__OF(request, uva__fs_t, request)->waiter, 0);
}

int uva__fs_begin(uva__fs_t *fs, const char *call, bool is_valid) {
    fs->is_taken = false;
    fs->was_asked = false;
    fs->job = (uv_req_t *)&fs->request;
    fs->task = uva__running(call);
    if (fs->task == NULL)
        return UV_EPERM;
    if (!is_valid)
        return UV_EINVAL;
    fs->loop = fs->task->future.runtime->loop;
    return uva__may_park(fs->task);
}

ssize_t uva__fs_wait(uva__fs_t *fs, int code) {
    if (code < 0)
        return code;
    fs->is_taken = true;
    fs->waiter = (uva__waiter_t){.wait = &fs_wait};
    (void)uva__park(fs->task, &fs->waiter);
    return fs->request.result;
}

void uva__fs_end(uva__fs_t *fs) {
    if (fs->is_taken)
        uv_fs_req_cleanup(&fs->request);
    fs->is_taken = false;
}
