/**
 * One wait over channels in both directions, futures, streams and time.
 *
 *     uva_case_t cases[] = {{.kind = UVA_RECV, .on = &stop},
 *                           {.kind = UVA_RECV, .on = &jobs, .item = &job},
 *                           {.kind = UVA_READABLE, .on = stream}};
 *     switch (uva_select(cases, 3, 1000)) {
 *     case 0: ...
 *     case UV_ETIMEDOUT: ...
 *
 * Exactly one case takes effect, and the others are as if they had not been
 * asked: no item is taken or sent, no byte is read, no future is cancelled.
 */
#ifndef UVAWAIT_SELECT_H
#define UVAWAIT_SELECT_H

#include "base.h"

UVA_BEGIN_DECLS

/* What a case waits for, and its code when it takes effect. */
typedef enum {
    UVA_SEND,    /* on a uva_channel_t: sends *item; 0 or UV_EPIPE */
    UVA_RECV,    /* on a uva_channel_t: receives into *item; 0 or UV_EOF */
    UVA_FUTURE,  /* on a uva_future_t: it is done; its code, and its value (a
                    pointer) goes into *item unless item is NULL */
    UVA_READABLE /* on a uva_stream_t: a read would not wait; 0 when there is
                    something to read, else what a read would return */
} uva_case_kind_t;

typedef struct uva_case {
    uva_case_kind_t kind;
    void *on;   /* a channel or stream that is NULL is never ready: so a case is
                   switched off. A NULL future has failed with UV_ENOMEM */
    void *item; /* not for streams */
    int code;   /* set when this is the case that took effect */
} uva_case_t;

/**
 * Waits until one of the cases can take effect, and lets it. When several can,
 * it is the first of them: order is priority. With timeout_ms 0 it does not
 * wait; with count 0 it waits for the time alone.
 *
 * A channel that was closed, a future that failed and a stream that has ended
 * are ready, with their code: switch off a case that is over, or it is taken
 * again and again. A channel, future or stream may stand in several cases.
 * Coroutines among the cases are started, whichever case is taken. A failure
 * that is taken counts as seen, and uva_last_message() has its message. While
 * it waits for a stream, nobody else may read that stream.
 *
 * Context:  task
 * Parks:    while no case is ready
 * Cancel:   UV_ECANCELED; no case took effect
 * Returns:  the index of the case, whose code is set; UV_ETIMEDOUT;
 *           UV_ECANCELED; UV_ENOMEM (only with more than 8 cases); UV_EINVAL
 *           for no cases and no limit, a kind that does not exist, or an item
 *           of NULL where the channel's have bytes; UV_EPERM outside a task,
 *           for a future that waits for this task itself, and for what belongs
 *           to another runtime (reported). After an error no case took effect.
 *           A stream's code may be 0, UV_EOF, UV_ECONNRESET ...; UV_EBUSY when
 *           another task reads it; UV_ECANCELED when it is closed meanwhile;
 *           UV_ENOMEM when what has arrived cannot be kept (it can be read);
 *           UV_ENOTSUP for one of uva_stream_new() that holds nothing
 * Owns:     everything borrowed until return
 * Since:    0.1
 */
UVA_API UVA_PARKS int uva_select(uva_case_t cases[], size_t count,
                                 uint64_t timeout_ms);

/**
 * uva_select() that gives everybody a turn: of several cases that are ready it
 * takes the first from *cursor on, and sets *cursor behind it. Begin with 0.
 *
 * Context:  task
 * Parks:    as uva_select()
 * Cancel:   as uva_select(); *cursor stays
 * Returns:  as uva_select(); UV_EINVAL without a cursor
 * Owns:     everything borrowed until return
 * Since:    0.1
 */
UVA_API UVA_PARKS int uva_select_rotating(uva_case_t cases[], size_t count,
                                          uint64_t timeout_ms, size_t *cursor);

UVA_END_DECLS

#endif
