/*
 * memory_pair_fixture.h - what the tests of streams in memory share: one pair.
 */
#ifndef MEMORY_PAIR_FIXTURE_H
#define MEMORY_PAIR_FIXTURE_H

#include "support/program.h"

#include <string.h>

static uva_stream_t *near, *far;

static inline void open_pair(const uva_memory_stream_options_t *options) {
    uva_stream_t *ends[2];
    ck_assert_int_eq(uva_memory_stream_pair(options, ends), 0);
    near = ends[0];
    far = ends[1];
}

static inline void close_pair(void) {
    uva_stream_close(near);
    uva_stream_close(far);
}

#endif
