/*
 * What: a pair of streams connected in memory.
 *
 * How: each end holds what is on its way to it, in chunks that can be read from
 * a moment on. The end of the stream is a chunk as well, with a code and no
 * bytes, so that it comes behind the bytes and takes as long. Who is woken
 * looks again: there is one reader and one writer, and nobody takes anything
 * away.
 */
#include <stdlib.h>
#include <string.h>

#include "../loop.h"
#include "../task.h"
#include "stream.h"
#include "uvawait/memory_stream.h"

enum { DEFAULT_CAPACITY = 65536 };

typedef struct chunk {
    uva_link_t link;
    uint64_t at_ns; /* can be read from then on */
    int code;       /* of the end; 0: there are bytes */
    size_t start;
    size_t end;
    char data[];
} chunk_t;

typedef struct memory memory_t;

/* A task parked on one side. */
typedef struct side {
    uva__waiter_t waiter;
    uva_deadline_t deadline; /* a reader's: when its next chunk arrives */
    struct side **place;     /* memory->reader or ->writer */
} side_t;

struct memory {
    uva_stream_t stream; /* must stay the first member */
    uva_memory_stream_options_t options;
    memory_t *peer;      /* NULL once it is closed */
    uva_list_t chunks;   /* to be read here */
    size_t bytes;        /* in them */
    uint64_t sent;       /* from here, in all */
    chunk_t *last_chunk; /* kept for the end, which must not fail */
    side_t *reader;
    side_t *writer;
    uva_deadline_t arrival; /* a watcher's: when its next chunk arrives */
};

/* ---- waiting ------------------------------------------------------------ */

static void wake(side_t *side, int code) {
    if (side == NULL)
        return;
    uva_runtime_t *rt = side->waiter.task->future.runtime;
    *side->place = NULL;
    uva__deadlines_disarm(&rt->deadlines, &side->deadline);
    uva__wake(&side->waiter, code);
}

static void arrive(uva_deadline_t *deadline) {
    wake(UVA__OF(deadline, side_t, deadline), 0);
}

static uva_future_t *cancel(uva__waiter_t *waiter) {
    side_t *side = UVA__OF(waiter, side_t, waiter);
    *side->place = NULL;
    uva__deadlines_disarm(&waiter->task->future.runtime->deadlines,
                          &side->deadline);
    uva__wake_cut(waiter);
    return NULL;
}

static const uva__wait_t read_wait = {.reason = "memory read",
                                      .cancel = cancel};
static const uva__wait_t write_wait = {.reason = "memory write",
                                       .cancel = cancel};

static int park(uva__task_t *task, const uva__wait_t *wait, side_t **place,
                const chunk_t *next) {
    int code = uva__may_park(task);
    if (code < 0)
        return code;
    side_t side = {
        .waiter.wait = wait, .deadline.expire = arrive, .place = place};
    if (next != NULL)
        uva__deadlines_arm(&task->future.runtime->deadlines, &side.deadline,
                           next->at_ns);
    *place = &side;
    return uva__park(task, &side.waiter);
}

/* ---- reading ------------------------------------------------------------ */

static chunk_t *first_chunk(const memory_t *memory) {
    uva_link_t *link = memory->chunks.first;
    return link != NULL ? UVA__OF(link, chunk_t, link) : NULL;
}

static void drop_first(memory_t *memory) {
    free(UVA__OF(uva__list_pop(&memory->chunks), chunk_t, link));
}

/* ---- watching ----------------------------------------------------------- */

static int look(uva_stream_t *stream) {
    const chunk_t *next = first_chunk((memory_t *)stream);
    if (stream->read_end != 0)
        return stream->read_end;
    if (next == NULL || next->at_ns > uva__now_ns(stream->runtime))
        return UV_EAGAIN;
    return next->code;
}

/* There is something to read, and somebody may be waiting for it. */
static void tell_reader(memory_t *memory) {
    wake(memory->reader, 0);
    int code = look(&memory->stream);
    if (code != UV_EAGAIN)
        uva__stream_readable(&memory->stream, code);
}

static void arrive_watched(uva_deadline_t *deadline) {
    tell_reader(UVA__OF(deadline, memory_t, arrival));
}

/* The first chunk is on its way. */
static void expect(memory_t *memory, const chunk_t *next) {
    uva_deadline_t *deadline =
        memory->reader != NULL ? &memory->reader->deadline : &memory->arrival;
    if (memory->reader == NULL && memory->stream.readable == NULL)
        return;
    uva__deadlines_arm(&memory->stream.runtime->deadlines, deadline,
                       next->at_ns);
}

static int watch(uva_stream_t *stream) {
    memory_t *memory = (memory_t *)stream;
    const chunk_t *next = first_chunk(memory);
    memory->arrival.expire = arrive_watched;
    if (next != NULL)
        uva__deadlines_arm(&stream->runtime->deadlines, &memory->arrival,
                           next->at_ns);
    return 0;
}

static void unwatch(uva_stream_t *stream) {
    uva__deadlines_disarm(&stream->runtime->deadlines,
                          &((memory_t *)stream)->arrival);
}

/* Bytes of the first chunk, which has arrived; or the end. */
static ssize_t take(memory_t *memory, char *buffer, size_t bytes) {
    chunk_t *chunk = first_chunk(memory);
    size_t most = memory->options.fragment_bytes;
    if (chunk->code < 0)
        return memory->stream.read_end = chunk->code;
    if (most > 0 && bytes > most)
        bytes = most;
    if (bytes > chunk->end - chunk->start)
        bytes = chunk->end - chunk->start;
    memcpy(buffer, chunk->data + chunk->start, bytes);
    chunk->start += bytes;
    memory->bytes -= bytes;
    if (chunk->start == chunk->end)
        drop_first(memory);
    if (memory->peer != NULL)
        wake(memory->peer->writer, 0);
    return (ssize_t)bytes;
}

static ssize_t wait_for_bytes(uva__task_t *task, uva_stream_t *stream,
                              char *buffer, size_t bytes) {
    memory_t *memory = (memory_t *)stream;
    int code = uva__spend(task);
    while (code == 0) {
        if (stream->closing)
            return UV_ECANCELED;
        if (stream->read_end != 0) /* the connection failed meanwhile */
            return stream->read_end;
        const chunk_t *next = first_chunk(memory);
        if (next != NULL && next->at_ns <= uva__now_ns(stream->runtime))
            return take(memory, buffer, bytes);
        code = park(task, &read_wait, &memory->reader, next);
    }
    return code;
}

/* ---- writing ------------------------------------------------------------ */

/* Sends a chunk on its way to an end. */
static void send_chunk(memory_t *to, chunk_t *chunk) {
    uva_runtime_t *rt = to->stream.runtime;
    chunk->at_ns = to->options.delay_ms > 0
                       ? uva__deadline_ns(rt, to->options.delay_ms)
                       : 0;
    uva__list_push(&to->chunks, &chunk->link);
    to->bytes += chunk->end;
    if (first_chunk(to) != chunk)
        return;
    if (chunk->at_ns == 0)
        tell_reader(to);
    else
        expect(to, chunk);
}

/* Nothing comes after this. */
static void send_end(memory_t *from, int code) {
    chunk_t *chunk = from->last_chunk;
    if (chunk == NULL || from->peer == NULL)
        return;
    from->last_chunk = NULL;
    chunk->code = code;
    send_chunk(from->peer, chunk);
}

/* How many bytes may be sent now; 0: none, wait; or a code. */
static ssize_t room(const memory_t *memory) {
    const memory_t *peer = memory->peer;
    if (peer == NULL)
        return UV_EPIPE;
    size_t bytes = peer->options.capacity - peer->bytes;
    if (memory->options.fail_code == 0)
        return (ssize_t)bytes;
    uint64_t left = memory->options.fail_bytes - memory->sent;
    if (left == 0)
        return memory->options.fail_code;
    return (ssize_t)(left < bytes ? left : bytes);
}

/* The connection is broken, for both ends. */
static void fail(memory_t *memory) {
    int code = memory->options.fail_code;
    memory->stream.write_end = memory->stream.read_end = code;
    tell_reader(memory);
    send_end(memory, code);
    if (memory->peer == NULL)
        return;
    memory->peer->stream.write_end = code;
    wake(memory->peer->writer, 0);
}

/* Up to `most` bytes of the rest, copied and sent; how many, or UV_ENOMEM. */
static ssize_t send_some(memory_t *memory, const uva__rest_t *rest,
                         size_t most) {
    size_t left = rest->buffers->len - rest->offset;
    size_t bytes = most < left ? most : left;
    chunk_t *chunk = malloc(sizeof *chunk + bytes);
    if (chunk == NULL)
        return UV_ENOMEM;
    *chunk = (chunk_t){.end = bytes};
    memcpy(chunk->data, rest->buffers->base + rest->offset, bytes);
    memory->sent += bytes;
    send_chunk(memory->peer, chunk);
    return (ssize_t)bytes;
}

static int write_all(uva__task_t *task, uva_stream_t *stream, uva__rest_t *rest,
                     size_t *written) {
    memory_t *memory = (memory_t *)stream;
    while (rest->count > 0) {
        if (stream->closing)
            return UV_ECANCELED;
        if (stream->write_end != 0)
            return stream->write_end;
        ssize_t some = room(memory);
        if (some < 0 && memory->peer != NULL)
            fail(memory);
        if (some > 0)
            some = send_some(memory, rest, (size_t)some);
        else if (some == 0)
            some = park(task, &write_wait, &memory->writer, NULL);
        if (some < 0)
            return (int)some;
        *written += (size_t)some;
        uva__rest_advance(rest, (size_t)some);
    }
    return 0;
}

/* ---- the end ------------------------------------------------------------ */

static int end_writing(uva_stream_t *stream) {
    send_end((memory_t *)stream, UV_EOF);
    return 0;
}

/* Nothing is kept in the inbox but what reads have put back. */
static void settle(uva_stream_t *stream) {
    (void)stream;
}

/* What is under way is dropped, and in its place comes the reset. */
static void abort_memory(uva_stream_t *stream) {
    memory_t *memory = (memory_t *)stream;
    memory_t *peer = memory->peer;
    chunk_t *end = memory->last_chunk;
    if (peer == NULL)
        return;
    memory->last_chunk = NULL;
    wake(peer->reader, 0); /* to look for what it may wait now */
    unwatch(&peer->stream);
    while (first_chunk(peer) != NULL) {
        if (first_chunk(peer)->code == 0)
            drop_first(peer);
        else
            end = UVA__OF(uva__list_pop(&peer->chunks), chunk_t, link);
    }
    peer->bytes = 0;
    if (end == NULL)
        return;
    end->code = UV_ECONNRESET;
    send_chunk(peer, end);
}

static void close_memory(uva_stream_t *stream) {
    memory_t *memory = (memory_t *)stream;
    wake(memory->reader, UV_ECANCELED);
    wake(memory->writer, UV_ECANCELED);
    send_end(memory, UV_EOF);
    if (memory->peer != NULL) {
        memory->peer->peer = NULL;
        wake(memory->peer->writer, 0);
    }
    memory->peer = NULL;
    uva__stream_unref(stream);
}

static void drop(uva_stream_t *stream) {
    memory_t *memory = (memory_t *)stream;
    while (first_chunk(memory) != NULL)
        drop_first(memory);
    free(memory->last_chunk);
}

static const uva__stream_kind_t memory_kind = {.bytes = sizeof(memory_t),
                                               .wait = wait_for_bytes,
                                               .settle = settle,
                                               .write = write_all,
                                               .shutdown = end_writing,
                                               .abort = abort_memory,
                                               .close = close_memory,
                                               .drop = drop,
                                               .look = look,
                                               .watch = watch,
                                               .unwatch = unwatch};

/* ---- the pair ----------------------------------------------------------- */

static memory_t *make_end(uva_runtime_t *rt,
                          const uva_memory_stream_options_t *options) {
    memory_t *memory = (memory_t *)uva__stream_make(rt, &memory_kind);
    if (memory == NULL)
        return NULL;
    memory->last_chunk = calloc(1, sizeof *memory->last_chunk);
    if (memory->last_chunk == NULL) {
        uva__stream_unref(&memory->stream);
        return NULL;
    }
    if (options != NULL)
        memory->options = *options;
    if (memory->options.capacity == 0)
        memory->options.capacity = DEFAULT_CAPACITY;
    return memory;
}

int uva_memory_stream_pair_at(const char *site,
                              const uva_memory_stream_options_t *options,
                              uva_stream_t *ret_streams[2]) {
    int code;
    uva_runtime_t *rt = uva__open_runtime("uva_memory_stream_pair", &code);
    if (rt == NULL)
        return code;
    if (ret_streams == NULL || (options != NULL && options->fail_code > 0))
        return UV_EINVAL;
    memory_t *near = make_end(rt, options);
    memory_t *far = near != NULL ? make_end(rt, options) : NULL;
    if (far == NULL) {
        if (near != NULL)
            uva__stream_unref(&near->stream);
        return UV_ENOMEM;
    }
    near->peer = far;
    far->peer = near;
    uva__stream_publish(&near->stream, site);
    uva__stream_publish(&far->stream, site);
    ret_streams[0] = &near->stream;
    ret_streams[1] = &far->stream;
    return 0;
}

int(uva_memory_stream_pair)(const uva_memory_stream_options_t *options,
                            uva_stream_t *ret_streams[2]) {
    return uva_memory_stream_pair_at(NULL, options, ret_streams);
}
