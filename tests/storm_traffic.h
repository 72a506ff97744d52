/*
 * storm_traffic.h - what passes between tasks through queues, broadcasts and
 * watches. Each is shut down now and then while tasks are at it, and the
 * traffic goes on in the next one of its kind; at the end everything that went
 * into any of them has come out, or is there still.
 */
#ifndef STORM_TRAFFIC_H
#define STORM_TRAFFIC_H

#include "storm_acts.h"

enum {
    LIVES = 8, /* queues, broadcasts and watches of a kind, one after another */
    QUEUES = 4,
    RECENT = 4, /* values that a broadcast keeps */
    GOODS = 1024
};

/* What went in and came out, by number and by sum. */
typedef struct tally {
    size_t in, out, dropped;
    uint64_t sum_in, sum_out;
} tally_t;

typedef struct depot {
    uva_queue_t queue;
    tally_t tally;
    bool is_shut;
} depot_t;

typedef struct station {
    uva_broadcast_t broadcast;
    uint64_t sent;
    bool is_closed;
} station_t;

typedef struct board {
    uva_watch_t watch;
    uint64_t sent;
    bool is_closed;
} board_t;

typedef struct traffic {
    depot_t depots[QUEUES][LIVES];
    size_t depot[QUEUES]; /* the one in use */
    station_t stations[LIVES];
    size_t station;
    board_t boards[LIVES];
    size_t board;
} traffic_t;

static traffic_t traffic;
static const char goods[GOODS]; /* what queues carry are places in it */

static int by_place(const void *a, const void *b) {
    const char *left = a;
    const char *right = b;
    return (left > right) - (left < right);
}

static void traffic_prepare(void) {
    memset(&traffic, 0, sizeof traffic);
    for (size_t i = 0; i < LIVES; i++) {
        must(uva_queue_init(&traffic.depots[0][i].queue, 2) == 0);
        must(uva_queue_init(&traffic.depots[1][i].queue, 0) == 0);
        must(uva_queue_init_lifo(&traffic.depots[2][i].queue, 1) == 0);
        must(uva_queue_init_priority(&traffic.depots[3][i].queue, 3,
                                     by_place) == 0);
        must(uva_broadcast_init(&traffic.stations[i].broadcast,
                                sizeof(uint64_t), RECENT) == 0);
        must(uva_watch_init(&traffic.boards[i].watch, 2 * sizeof(uint64_t),
                            NULL) == 0);
    }
}

/* ---- queues ------------------------------------------------------------- */

static void note_in(tally_t *tally, uint64_t value) {
    tally->in++;
    tally->sum_in += value;
}

static void note_out(tally_t *tally, uint64_t value) {
    tally->out++;
    tally->sum_out += value;
}

static int put_goods(depot_t *depot) {
    const char *item = &goods[choose(GOODS)];
    void *passed = (void *)(uintptr_t)item;
    bool tries = once_in(4);
    limit_t limit;
    limit_open(&limit);
    int code = tries ? uva_queue_try_put(&depot->queue, passed)
                     : uva_queue_put(&depot->queue, passed);
    if (code == 0)
        note_in(&depot->tally, (uint64_t)(item - goods));
    else if (code == UV_EPIPE)
        must(depot->is_shut);
    else
        must(code == (tries ? UV_EAGAIN : UV_ECANCELED));
    SAW(ROOM_AWAITED, has_waited(&limit.before, code));
    SAW(PUT_SHUT_OUT, code == UV_EPIPE);
    code = limit_close(&limit, code);
    return code == UV_EAGAIN ? 0 : code;
}

static int get_goods(depot_t *depot) {
    const char *item = NULL;
    bool tries = once_in(4);
    limit_t limit;
    limit_open(&limit);
    int code = tries ? uva_queue_try_get(&depot->queue, &item)
                     : uva_queue_get(&depot->queue, &item);
    must((code == 0) == (item != NULL));
    if (code == 0) {
        note_out(&depot->tally, (uint64_t)(item - goods));
        must(uva_queue_task_done(&depot->queue) == 0);
    } else if (code == UV_EPIPE) {
        must(depot->is_shut);
    } else {
        must(code == (tries ? UV_EAGAIN : UV_ECANCELED));
    }
    SAW(ITEM_AWAITED, has_waited(&limit.before, code));
    SAW(GET_SHUT_OUT, code == UV_EPIPE);
    code = limit_close(&limit, code);
    return code == UV_EAGAIN ? 0 : code;
}

static int join_queue(depot_t *depot) {
    limit_t limit;
    limit_open(&limit);
    int code = uva_queue_join(&depot->queue);
    SAW(JOIN_AWAITED, has_waited(&limit.before, code));
    must(code == 0 || code == UV_ECANCELED);
    return limit_close(&limit, code);
}

/* Ends a queue, and goes on with another. */
static void shut_queue(size_t kind) {
    if (traffic.depot[kind] == LIVES - 1)
        return;
    depot_t *depot = &traffic.depots[kind][traffic.depot[kind]++];
    bool drops = once_in(2);
    size_t size = uva_queue_size(&depot->queue);
    depot->is_shut = true;
    uva_queue_shutdown(&depot->queue, drops);
    depot->tally.dropped += drops ? size : 0;
    must(uva_queue_size(&depot->queue) == (drops ? 0 : size));
}

/* Nobody waits for what could be had. */
static void check_queue_waits(const depot_t *depot) {
    uva_queue_statistics_t seen;
    uva_queue_statistics(&depot->queue, &seen);
    must(seen.getting == 0 || seen.size == 0);
    must(seen.putting == 0 || seen.size == seen.capacity);
    must(seen.joining == 0 || seen.unfinished > 0);
    must(!seen.is_shut || seen.getting + seen.putting == 0);
}

static int act_queue(place_t at) {
    (void)at;
    size_t kind = choose(QUEUES);
    depot_t *depot = &traffic.depots[kind][traffic.depot[kind]];
    check_queue_waits(depot);
    switch (choose(16)) {
    case 0:
        if (once_in(4))
            shut_queue(kind);
        return 0;
    case 1:
        return join_queue(depot);
    default:
        return once_in(2) ? put_goods(depot) : get_goods(depot);
    }
}

static void check_depot(depot_t *depot) {
    uva_queue_statistics_t seen;
    uva_queue_statistics(&depot->queue, &seen);
    must(seen.getting == 0 && seen.putting == 0 && seen.joining == 0);
    must(seen.is_shut == depot->is_shut);
    tally_t *tally = &depot->tally;
    must(tally->in == tally->out + tally->dropped + seen.size);
    must(seen.unfinished == seen.size);
    const char *item = NULL;
    while (uva_queue_try_get(&depot->queue, &item) == 0)
        note_out(tally, (uint64_t)(item - goods));
    must(tally->in == tally->out + tally->dropped);
    must(tally->dropped > 0 || tally->sum_in == tally->sum_out);
    uva_queue_free(&depot->queue);
}

/* ---- broadcasts --------------------------------------------------------- */

static int broadcast_send(station_t *station) {
    uint64_t number = station->sent;
    int code = uva_broadcast_send(&station->broadcast, &number);
    must(code == (station->is_closed ? UV_EPIPE : 0));
    station->sent += code == 0;
    return code;
}

/* The oldest value that is left comes behind those that are lost. */
static uint64_t broadcast_resume(uva_broadcast_receiver_t *receiver,
                                 uint64_t next) {
    uint64_t number = UINT64_MAX;
    must(uva_broadcast_missed(receiver) > 0);
    next += uva_broadcast_missed(receiver);
    must(uva_broadcast_try_recv(receiver, &number) == 0);
    must(number == next);
    return next + 1;
}

/* Receives what comes for a while: all of it, in order, or the loss is told. */
static int broadcast_listen(station_t *station) {
    uva_broadcast_receiver_t receiver;
    uint64_t next = station->sent;
    int code = uva_broadcast_receiver_open(&receiver, &station->broadcast);
    must(code == (station->is_closed ? UV_EPIPE : 0));
    for (unsigned count = choose(4); count > 0; count--) {
        uint64_t number = UINT64_MAX;
        if (once_in(3))
            (void)act_sleep((place_t){0});
        limit_t limit;
        limit_open(&limit);
        code = uva_broadcast_recv(&receiver, &number);
        if (code == 0)
            must(number == next++);
        else if (code == UV_ENOBUFS)
            next = broadcast_resume(&receiver, next);
        else
            must(code == UV_ECANCELED ||
                 (code == UV_EOF && station->is_closed));
        must(next <= station->sent);
        SAW(NEWS_AWAITED, has_waited(&limit.before, code));
        SAW(NEWS_MISSED, code == UV_ENOBUFS);
        SAW(NEWS_ENDED, code == UV_EOF);
        code = limit_close(&limit, code);
        if (code < 0 && code != UV_ENOBUFS)
            break;
    }
    uva_broadcast_receiver_close(&receiver);
    return code == UV_EPIPE ? 0 : code;
}

static int act_broadcast(place_t at) {
    (void)at;
    station_t *station = &traffic.stations[traffic.station];
    if (once_in(64) && traffic.station < LIVES - 1) {
        station->is_closed = true;
        traffic.station++;
        if (once_in(2))
            uva_broadcast_close(&station->broadcast);
        else
            uva_broadcast_free(&station->broadcast);
        return 0;
    }
    return once_in(3) ? broadcast_listen(station) : broadcast_send(station);
}

static void check_station(station_t *station) {
    uva_broadcast_statistics_t seen;
    uva_broadcast_statistics(&station->broadcast, &seen);
    must(seen.receivers == 0 && seen.receiving == 0);
    must(seen.is_closed == station->is_closed);
    must(seen.capacity == 0 || seen.sent == station->sent);
    uva_broadcast_free(&station->broadcast);
}

/* ---- watches ------------------------------------------------------------ */

static int watch_send(board_t *board) {
    uint64_t value[2] = {board->sent + 1, ~(board->sent + 1)};
    int code = uva_watch_send(&board->watch, value);
    must(code == (board->is_closed ? UV_EPIPE : 0));
    board->sent += code == 0;
    return code;
}

/* Some changes, of which each is newer than the last. */
static int watch_follow(board_t *board) {
    uint64_t cursor = once_in(2) ? 0 : uva_watch_version(&board->watch);
    int code = 0;
    for (unsigned count = 1 + choose(3); count > 0 && code == 0; count--) {
        uint64_t seen = cursor;
        uint64_t value[2] = {0, 0};
        limit_t limit;
        limit_open(&limit);
        code = uva_watch_next(&board->watch, &cursor, value);
        if (code == 0)
            must(cursor > seen && cursor <= board->sent);
        else
            must(cursor == seen && (code == UV_ECANCELED ||
                                    (code == UV_EOF && board->is_closed)));
        must(code != 0 || (value[0] == cursor && value[1] == ~cursor));
        SAW(CHANGE_AWAITED, has_waited(&limit.before, code));
        SAW(CHANGES_ENDED, code == UV_EOF);
        code = limit_close(&limit, code);
    }
    return code;
}

static int act_watch(place_t at) {
    (void)at;
    board_t *board = &traffic.boards[traffic.board];
    if (once_in(64) && traffic.board < LIVES - 1) {
        board->is_closed = true;
        traffic.board++;
        if (once_in(2))
            uva_watch_close(&board->watch);
        else
            uva_watch_free(&board->watch);
        return 0;
    }
    return once_in(3) ? watch_send(board) : watch_follow(board);
}

static void check_board(board_t *board) {
    uva_watch_statistics_t seen;
    uva_watch_statistics(&board->watch, &seen);
    must(seen.waiting == 0 && seen.is_closed == board->is_closed);
    must(seen.version == board->sent);
    uva_watch_free(&board->watch);
}

/* ---- the end ------------------------------------------------------------ */

/* What is there is accounted for; frees all. */
static void traffic_check(void) {
    for (size_t i = 0; i < LIVES; i++) {
        for (size_t kind = 0; kind < QUEUES; kind++)
            check_depot(&traffic.depots[kind][i]);
        check_station(&traffic.stations[i]);
        check_board(&traffic.boards[i]);
    }
}

#endif
