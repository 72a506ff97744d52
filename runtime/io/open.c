/*
 * What: the checks and the bookkeeping of calls that open something.
 */
#include "open.h"

#include "../list.h"
#include "../report.h"

uva_runtime_t *uva__open_runtime(const char *call, int *ret_code) {
    uva_runtime_t *rt = uva__thread_runtime;
    if (rt == NULL)
        *ret_code = uva__misuse(call, "called in a thread that has no runtime");
    else if (rt->life >= UVA__CLOSING)
        *ret_code = UV_ESHUTDOWN;
    else
        return rt;
    return NULL;
}

void uva__open_resource(uva_runtime_t *rt, uva__resource_t *resource,
                        const char *noun, const char *site,
                        void (*close)(uva__resource_t *resource)) {
    resource->noun = noun;
    resource->site = site;
    resource->close = close;
    uva__list_push(&rt->resources, &resource->link);
}

void uva__forget_resource(uva_runtime_t *rt, uva__resource_t *resource) {
    if (resource->close != NULL)
        uva__list_remove(&rt->resources, &resource->link);
    resource->close = NULL;
}

int uva__not_ours(const char *call) {
    return uva__misuse(call, "called in another thread than that of its "
                             "runtime, which alone may touch it. Use "
                             "uva_post() or uva_call()");
}

bool uva__may_close(const uva_runtime_t *rt, const char *call, bool *closing) {
    if (uva__must_be_ours(rt, call) < 0)
        return false;
    if (*closing)
        (void)uva__misuse(call, "called a second time for the same object, "
                                "whose memory is gone soon after the first");
    bool is_first = !*closing;
    *closing = true;
    return is_first;
}
