/*
 * channel_fixture.h - what the tests of channels share: a channel of numbers,
 * with nobody left in it at the end.
 */
#ifndef CHANNEL_FIXTURE_H
#define CHANNEL_FIXTURE_H

#include "support/program.h"

#include "runtime/list.h"

static uva_channel_t channel;

static inline void init(size_t capacity) {
    ck_assert_int_eq(uva_channel_init(&channel, sizeof(int), capacity), 0);
}

/* Nobody waits; frees it. */
static inline void finish(void) {
    ck_assert(uva__list_is_empty(&channel.senders.list));
    ck_assert(uva__list_is_empty(&channel.receivers.list));
    uva_channel_free(&channel);
}

#endif
