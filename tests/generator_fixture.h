/*
 * generator_fixture.h - a counting body, and looks at what it hands out.
 */
#ifndef GENERATOR_FIXTURE_H
#define GENERATOR_FIXTURE_H

#include "support/program.h"

/* 0, 1, 2 ... below the limit; sleeps before each, records its end. */
typedef struct count {
    int limit;
    uint64_t ms;
    int code; /* what it ends with */
} count_t;

static inline int count_up(void *arg) {
    const count_t *self = arg;
    int code = 0;
    record("begin");
    for (int i = 0; i < self->limit && code >= 0; i++) {
        if (self->ms > 0)
            code = uva_sleep(self->ms);
        if (code >= 0)
            code = uva_emit(&i);
    }
    record("end:%d", code);
    return code < 0 ? code : self->code;
}

static inline uva_generator_t *counter(count_t *count) {
    return uva_generate(count_up, count, sizeof(int));
}

/* Takes the items from `from` on below `to`. */
static inline void take(uva_generator_t *generator, int from, int to) {
    for (int i = from; i < to; i++) {
        int item = -1;
        ck_assert_int_eq(uva_next(generator, &item), 1);
        ck_assert_int_eq(item, i);
    }
}

/* Stacks in use, that of the caller included. */
static inline size_t stacks_in_use(void) {
    uva_stack_stats_t stats;
    ck_assert_int_eq(uva_stack_stats(uva_runtime_current(), &stats), 0);
    return stats.in_use;
}

#endif
