/**
 * Streams in memory: a connected pair for tests of what talks over a
 * uva_stream_t, without a socket. They go with the virtual clock, and the
 * network between them can be made slow, chopped, and broken.
 *
 *     uva_stream_t *ends[2];
 *     uva_memory_stream_pair(
 *         &(uva_memory_stream_options_t){.delay_ms = 50, .fragment_bytes = 1},
 *         ends);
 */
#ifndef UVAWAIT_MEMORY_STREAM_H
#define UVAWAIT_MEMORY_STREAM_H

#include "stream.h"

UVA_BEGIN_DECLS

/* What happens on the way, in either direction. All zero: nothing. */
typedef struct uva_memory_stream_options {
    size_t capacity;       /* bytes on the way before a writer has to wait;
                              0 is 65536 */
    uint64_t delay_ms;     /* from a write until its bytes can be read */
    size_t fragment_bytes; /* no read brings more; 0: no limit */
    uint64_t fail_bytes;   /* after so many bytes one way the connection fails
                              both ways */
    int fail_code;         /* with this, UV_ECONNRESET for example; 0: never */
} uva_memory_stream_options_t;

/**
 * Makes two streams that are connected with each other.
 *
 * Context:  task or host callback, in the thread of the runtime
 * Parks:    never
 * Cancel:   –
 * Returns:  0; UV_EINVAL for a fail_code above 0 or NULL ret_streams;
 *           UV_ENOMEM; UV_EPERM without a runtime (reported); UV_ESHUTDOWN
 *           after its end
 * Owns:     options (may be NULL) borrowed; both streams are new:
 *           uva_stream_close() each
 * Since:    0.1
 */
UVA_API int uva_memory_stream_pair(const uva_memory_stream_options_t *options,
                                   uva_stream_t *ret_streams[2]);

/* The function behind the macro below: site is UVA_SITE(...). */
UVA_API int
uva_memory_stream_pair_at(const char *site,
                          const uva_memory_stream_options_t *options,
                          uva_stream_t *ret_streams[2]);

#define uva_memory_stream_pair(...) \
    uva_memory_stream_pair_at(UVA_SITE(#__VA_ARGS__), __VA_ARGS__)

UVA_END_DECLS

#endif
