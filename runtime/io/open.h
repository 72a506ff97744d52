/*
 * Opening something that a user must close, and calls on it: what streams,
 * listeners, signals, processes and UDP sockets share.
 */
#ifndef UVA__IO_OPEN_H
#define UVA__IO_OPEN_H

#include "../runtime.h"

/* The runtime that it can be opened on; NULL: *ret_code says why. */
uva_runtime_t *uva__open_runtime(const char *call, int *ret_code);

/* It is the user's from now on: the runtime's end reports and closes it. */
void uva__open_resource(uva_runtime_t *rt, uva__resource_t *resource,
                        const char *noun, const char *site,
                        void (*close)(uva__resource_t *resource));

/* It is the user's no longer, if it ever was. */
void uva__forget_resource(uva_runtime_t *rt, uva__resource_t *resource);

/* Reports that `call` was made in another thread; UV_EPERM. */
UVA__COLD int uva__not_ours(const char *call);

/* UV_EPERM (reported) when rt is not the runtime of this thread. */
static inline int uva__must_be_ours(const uva_runtime_t *rt, const char *call) {
    return UVA__LIKELY(rt == uva__thread_runtime) ? 0 : uva__not_ours(call);
}

/* Whether `call` closes what belongs to rt: in its thread, and for the first
 * time, which is noted in *closing. Else it is reported, as far as the memory
 * is still there to tell. */
bool uva__may_close(const uva_runtime_t *rt, const char *call, bool *closing);

#endif
