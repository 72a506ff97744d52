/*
 * storm_select.h - channels, a stream in memory, and one wait over them, over
 * futures and over children. Channels are closed now and then while tasks are
 * at them, and the traffic goes on in the next one.
 */
#ifndef STORM_SELECT_H
#define STORM_SELECT_H

#include "storm_traffic.h"

enum { CHANNELS = 3, CASES = 12 };

#define UNTOUCHED UINT64_C(0x5eed5eed5eed5eed)

typedef struct pipeline {
    uva_channel_t channel;
    tally_t tally;
    bool is_closed;
} pipeline_t;

typedef struct selects {
    pipeline_t pipelines[CHANNELS][LIVES];
    size_t pipeline[CHANNELS]; /* the one in use */
    uint64_t serial;           /* of what is sent */
    size_t cursor;             /* of the selects that take turns */
    uva_stream_t *ends[2];     /* bytes go from the first to the second */
    size_t written, read;
} selects_t;

static selects_t selects;

/* Before the first task but main. */
static void selects_prepare(void) {
    static const size_t capacities[CHANNELS] = {0, 1, 4};
    memset(&selects, 0, sizeof selects);
    for (size_t kind = 0; kind < CHANNELS; kind++) {
        for (size_t i = 0; i < LIVES; i++)
            must(uva_channel_init(&selects.pipelines[kind][i].channel,
                                  sizeof(uint64_t), capacities[kind]) == 0);
    }
}

/* In main, when the runtime is there. */
static void selects_connect(void) {
    const uva_memory_stream_options_t options = {.capacity = 64};
    must(uva_memory_stream_pair(&options, selects.ends) == 0);
}

static void check_pipeline(pipeline_t *pipeline) {
    uva_channel_statistics_t seen;
    uva_channel_statistics(&pipeline->channel, &seen);
    must(seen.sending == 0 && seen.receiving == 0 && seen.senders == 0);
    must(seen.is_closed == pipeline->is_closed);
    must(seen.items <= seen.capacity && seen.peak <= seen.capacity);
    tally_t *tally = &pipeline->tally;
    must(tally->in == tally->out + seen.items);
    uint64_t item = 0;
    while (uva_channel_try_recv(&pipeline->channel, &item) == 0)
        note_out(tally, item);
    must(tally->in == tally->out && tally->sum_in == tally->sum_out);
    uva_channel_free(&pipeline->channel);
}

/* What was sent has come or is there; frees all. In main, still. */
static void selects_check(void) {
    for (size_t kind = 0; kind < CHANNELS; kind++) {
        for (size_t i = 0; i < LIVES; i++)
            check_pipeline(&selects.pipelines[kind][i]);
    }
    uva_stream_close(selects.ends[0]);
    char rest[128];
    ssize_t count;
    while ((count = uva_read(selects.ends[1], rest, sizeof rest)) > 0)
        selects.read += (size_t)count;
    must(count == UV_EOF);
    must(selects.written == selects.read);
    uva_stream_close(selects.ends[1]);
}

/* ---- channels ----------------------------------------------------------- */

/* One in use, where nobody waits for what could be had. */
static pipeline_t *any_pipeline(void) {
    size_t kind = choose(CHANNELS);
    pipeline_t *pipeline = &selects.pipelines[kind][selects.pipeline[kind]];
    uva_channel_statistics_t seen;
    uva_channel_statistics(&pipeline->channel, &seen);
    must(seen.sending == 0 || seen.items == seen.capacity);
    must(seen.receiving == 0 || seen.items == 0);
    return pipeline;
}

/* What a send has said. */
static void note_sent(pipeline_t *pipeline, uint64_t item, int code) {
    if (code == 0)
        note_in(&pipeline->tally, item);
    else
        must(code == UV_EPIPE && pipeline->is_closed);
}

static void note_received(pipeline_t *pipeline, uint64_t item, int code) {
    must((code == 0) == (item != UNTOUCHED));
    if (code == 0)
        note_out(&pipeline->tally, item);
    else
        must(code == UV_EOF && pipeline->is_closed);
}

static int send_one(pipeline_t *pipeline) {
    uint64_t item = ++selects.serial;
    bool tries = once_in(4);
    limit_t limit;
    limit_open(&limit);
    int code = tries ? uva_channel_try_send(&pipeline->channel, &item)
                     : uva_channel_send(&pipeline->channel, &item);
    if (code != (tries ? UV_EAGAIN : UV_ECANCELED))
        note_sent(pipeline, item, code);
    SAW(SEND_AWAITED, has_waited(&limit.before, code));
    SAW(SEND_CLOSED, code == UV_EPIPE);
    code = limit_close(&limit, code);
    return code == UV_EAGAIN ? 0 : code;
}

static int receive_one(pipeline_t *pipeline) {
    uint64_t item = UNTOUCHED;
    bool tries = once_in(4);
    limit_t limit;
    limit_open(&limit);
    int code = tries ? uva_channel_try_recv(&pipeline->channel, &item)
                     : uva_channel_recv(&pipeline->channel, &item);
    if (code != (tries ? UV_EAGAIN : UV_ECANCELED))
        note_received(pipeline, item, code);
    else
        must(item == UNTOUCHED);
    SAW(RECEIPT_AWAITED, has_waited(&limit.before, code));
    SAW(RECEIPT_CLOSED, code == UV_EOF);
    code = limit_close(&limit, code);
    return code == UV_EAGAIN ? 0 : code;
}

/* Closes a channel in either way, and goes on with another. */
static void close_channel(void) {
    size_t kind = choose(CHANNELS);
    if (selects.pipeline[kind] == LIVES - 1)
        return;
    pipeline_t *pipeline = &selects.pipelines[kind][selects.pipeline[kind]++];
    pipeline->is_closed = true;
    if (once_in(2)) {
        uva_channel_close(&pipeline->channel);
    } else {
        must(uva_channel_add_sender(&pipeline->channel) == 0);
        must(uva_channel_close_sender(&pipeline->channel) == 0);
    }
}

static int act_channel(place_t at) {
    (void)at;
    if (once_in(64)) {
        close_channel();
        return 0;
    }
    return once_in(2) ? send_one(any_pipeline()) : receive_one(any_pipeline());
}

/* ---- streams ------------------------------------------------------------ */

/* A byte is written or not: so a cut breaks nothing off. */
static int act_stream(place_t at) {
    (void)at;
    char byte = 'x';
    bool writes = once_in(2);
    limit_t limit;
    limit_open(&limit);
    ssize_t count = writes ? uva_write(selects.ends[0], &byte, 1)
                           : uva_read(selects.ends[1], &byte, 1);
    must(count == 1 || count == UV_ECANCELED || count == UV_EBUSY);
    SAW(BYTE_AWAITED, has_waited(&limit.before, (int)count));
    selects.written += count == 1 && writes;
    selects.read += count == 1 && !writes;
    int code = limit_close(&limit, (int)count);
    return code == UV_EBUSY ? 0 : code;
}

/* ---- select ------------------------------------------------------------- */

typedef struct choice {
    size_t count;
    uva_case_t cases[CASES];
    pipeline_t *pipelines[CASES];
    uint64_t items[CASES];
    void *values[CASES];
    uva_future_t *future; /* that of the future cases; NULL: not made yet */
    brood_t brood;        /* whose child it is, if it is one */
} choice_t;

/* The one future of a choice: a child, or what a callback resolves. */
static uva_future_t *choice_future(choice_t *choice, place_t at) {
    if (choice->future != NULL)
        return choice->future;
    if (once_in(2) && may_breed(at)) {
        child_t *child =
            brood_add(&choice->brood, at.self->depth + 1, at.floor);
        choice->future = choice->brood.futures[0] = make_future(child);
        return choice->future;
    }
    choice->future = uva_future_new();
    must(choice->future != NULL);
    if (once_in(2))
        expose(choice->future);
    storm.calls_due++;
    must(uva_post(uva_runtime_current(), resolve_posted,
                  uva_ref(choice->future)) == 0);
    return choice->future;
}

static void add_case(choice_t *choice, place_t at) {
    size_t i = choice->count++;
    uva_case_t *added = &choice->cases[i];
    choice->values[i] = NULL;
    choice->pipelines[i] = any_pipeline();
    choice->items[i] = UNTOUCHED;
    *added = (uva_case_t){.code = 1};
    switch (choose(8)) {
    case 0:
        added->kind = UVA_FUTURE;
        added->on = choice_future(choice, at);
        added->item = &choice->values[i];
        return;
    case 1:
        added->kind = UVA_READABLE;
        added->on = once_in(4) ? NULL : selects.ends[1];
        return;
    case 2:
    case 3:
    case 4:
        added->kind = UVA_SEND;
        choice->items[i] = ++selects.serial;
        break;
    default:
        added->kind = UVA_RECV;
        break;
    }
    added->item = &choice->items[i];
    if (!once_in(8))
        added->on = &choice->pipelines[i]->channel;
}

/* The case that took effect. */
static void check_taken(const choice_t *choice, size_t i) {
    const uva_case_t *taken = &choice->cases[i];
    must(taken->on != NULL);
    switch (taken->kind) {
    case UVA_SEND:
        note_sent(choice->pipelines[i], choice->items[i], taken->code);
        break;
    case UVA_RECV:
        note_received(choice->pipelines[i], choice->items[i], taken->code);
        break;
    case UVA_FUTURE:
        must(uva_is_done(choice->future));
        if (choice->brood.count > 0)
            check_outcome(&choice->brood.children[0], taken->code,
                          choice->values[i]);
        else
            must(taken->code == UV_ECANCELED ||
                 (taken->code == 0 && choice->values[i] == choice->future));
        break;
    case UVA_READABLE:
        must(taken->code == 0 || taken->code == UV_EBUSY);
        break;
    }
    SAW(SENT_BY_SELECT, taken->kind == UVA_SEND && taken->code == 0);
    SAW(RECEIVED_BY_SELECT, taken->kind == UVA_RECV && taken->code == 0);
    SAW(DONE_BY_SELECT, taken->kind == UVA_FUTURE);
    SAW(READABLE_BY_SELECT, taken->kind == UVA_READABLE && taken->code == 0);
}

/* The cases that did not are as if they had not been asked. */
static void check_untaken(const choice_t *choice, int code) {
    for (size_t i = 0; i < choice->count; i++) {
        if ((int)i == code)
            continue;
        const uva_case_t *other = &choice->cases[i];
        must(other->code == 1);
        must(choice->values[i] == NULL);
        must(other->kind == UVA_SEND || choice->items[i] == UNTOUCHED);
    }
}

static int act_select(place_t at) {
    choice_t choice = {.count = 0};
    brood_open(&choice.brood);
    for (unsigned count = 1 + choose(once_in(8) ? CASES : 4); count > 0;
         count--)
        add_case(&choice, at);
    uint64_t ms = once_in(6) ? 0 : nap_ms();
    before_t before = look_before();
    int code = once_in(2) ? uva_select(choice.cases, choice.count, ms)
                          : uva_select_rotating(choice.cases, choice.count, ms,
                                                &selects.cursor);
    must(code < (int)choice.count);
    SAW(SELECT_AWAITED, has_waited(&before, code));
    SAW(MANY_CASES, choice.count > 8 && code >= 0);
    check_untaken(&choice, code);
    if (code >= 0)
        check_taken(&choice, (size_t)code);
    else if (code == UV_ECANCELED)
        check_cut(&before, code);
    else
        must(code == UV_ETIMEDOUT && uva_now_ms() >= before.ms + ms);
    if (choice.brood.count > 0)
        brood_finish(&choice.brood);
    else
        uva_unref(choice.future);
    return code;
}

#endif
