/*
 * What: uva_wait_for(): a scope with a deadline around one future.
 *
 * A coroutine is started as a task, not run in place, so that a limit of 0
 * ends it before it has begun.
 */
#include "runtime/seam.h"
#include "uvawait/combine.h"

int uva_wait_for(uva_future_t *f, uint64_t timeout_ms, void *ret_value) {
    uva__task_t *task = uva__running("uva_wait_for");
    int code = uva__may_await(f, task, "uva_wait_for");
    if (code == UVA__NOT_TAKEN)
        return UV_EPERM;
    if (code < 0) {
        uva_unref(f);
        return code;
    }
    if (uva__is_done(f)) {
        uva__breathe(task);
        return uva__take_outcome(f, ret_value);
    }
    uva_scope_t scope;
    uva_scope_open(&scope, timeout_ms, 0);
    if (!task->is_cut)
        (void)uva__start(f, NULL);
    uva__wait_over(task, f);
    int cut_by = uva_scope_close(&scope);
    code = uva__take_outcome(f, ret_value);
    return code == UV_ECANCELED && cut_by == UV_ETIMEDOUT ? cut_by : code;
}
