/*
 * What: questions to the pool whose tasks may leave.
 */
#include "query.h"

#include <stddef.h>

#include "../loop.h"
#include "../task.h"

int uva__query_make(uva__task_t *task, const uva__wait_t *wait,
                    size_t request_bytes, uva__asker_t *asker) {
    int code = uva__may_park(task);
    if (code < 0)
        return code;
    uva_runtime_t *rt = task->future.runtime;
    size_t bytes = offsetof(uva__query_t, request) + request_bytes;
    uva__query_t *query = uva__take(&rt->pools, bytes);
    if (query == NULL)
        return UV_ENOMEM;
    query->runtime = rt;
    query->asker = asker;
    query->bytes = bytes;
    asker->waiter.wait = wait;
    asker->query = query;
    return 0;
}

/* Who wakes us: uva__query_end, once; uva__query_leave makes it forget us. */
int uva__query_wait(uva__task_t *task, uva__asker_t *asker, int code) {
    uva__query_t *query = asker->query;
    if (code == 0)
        return uva__park(task, &asker->waiter);
    uva__give(&query->runtime->pools, query, query->bytes);
    return code;
}

void uva__query_end(uva__query_t *query, int status) {
    uva_runtime_t *rt = query->runtime;
    uva__asker_t *asker = query->asker;
    uva__give(&rt->pools, query, query->bytes);
    if (asker != NULL)
        uva__wake(&asker->waiter, status);
    else
        uva__loop_request_ended(rt);
}

/* One that is still queued ends soon; one that runs, when it does. */
uva_future_t *uva__query_leave(uva__waiter_t *waiter) {
    uva__query_t *query = UVA__OF(waiter, uva__asker_t, waiter)->query;
    (void)uv_cancel(&query->request.any);
    query->asker = NULL;
    query->runtime->requests++;
    uva__wake_cut(waiter);
    return NULL;
}
