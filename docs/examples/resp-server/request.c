/*
 * What: requests out of a stream of bytes.
 *
 * How: a request in RESP is an array of bulk strings, which is also a reply in
 * RESP; so hiredis' reader, made for replies, reads requests. Instead of making
 * objects it calls the functions below, which put the arguments one behind the
 * other into memory that every request of the connection uses again. Copying
 * them there is necessary: the reader moves its buffer while it reads.
 *
 * What does not begin with '*' is an inline command, a line for people with
 * telnet, and is split by hiredis' string library.
 *
 * The reader knows no limits. Its buffer (public fields of redisReader) is
 * looked at whenever a request is not complete: what is pending is one argument
 * and the line before it at the most.
 *
 * Rejected: executing a command from within the reader's callback, where the
 * bytes are still in the reader's buffer. It would save a copy, and a command
 * could neither wait nor fail.
 */
#include "request.h"

#include <hiredis/hiredis.h>
#include <hiredis/sds.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <uv.h>

enum {
    KEEP_BYTES = 16 << 10,       /* what a connection may keep for good */
    KEEP_ARGUMENTS = 256,        /* likewise */
    LENGTH_LINE_BYTES_MAX = 32,  /* "$12\r\n" and its like */
    INLINE_BYTES_MAX = 64 << 10, /* of an inline command */
};

/* What hiredis counts an array's elements in. */
#if HIREDIS_MAJOR >= 1
typedef size_t elements_t;
#else
typedef int elements_t;
#endif

/* ---- failing ------------------------------------------------------------- */

/* The first reason stays. */
static int refuse(request_t *request, const char *why) {
    if (request->error[0] == '\0')
        (void)snprintf(request->error, sizeof request->error, "%s", why);
    return UV_EPROTO;
}

/* For the reader's callbacks, where NULL stops the reader. */
static void *refuse_object(request_t *request, const char *why) {
    (void)refuse(request, why);
    return NULL;
}

static int reader_failed(request_t *request) {
    if (request->error[0] != '\0')
        return UV_EPROTO; /* we stopped it */
    if (request->reader->err == REDIS_ERR_OOM)
        return UV_ENOMEM;
    return refuse(request, request->reader->errstr);
}

/* ---- collecting arguments ------------------------------------------------ */

static void begin(request_t *request) {
    request->count = 0;
    request->text_used = 0;
}

/* Room for `bytes` more of text. */
static bool reserve_text(request_t *request, size_t bytes) {
    if (bytes <= request->text_room - request->text_used)
        return true;
    size_t room = 2 * (request->text_used + bytes);
    char *text = realloc(request->text, room);
    if (text == NULL)
        return false;
    request->text = text;
    request->text_room = room;
    return true;
}

/* Not as many as the client announces: as many as it sends. */
static bool reserve_list(request_t *request) {
    if (request->count < request->list_room)
        return true;
    size_t room = 2 * request->list_room + 8;
    bytes_t *list = realloc(request->list, room * sizeof *list);
    if (list == NULL)
        return false;
    request->list = list;
    request->list_room = room;
    return true;
}

/* NULL, with the reason in `error` unless it is memory. */
static void *add(request_t *request, const char *data, size_t bytes) {
    if (bytes > request->limits->argument_bytes)
        return refuse_object(request, "invalid bulk length");
    if (request->count >= request->limits->arguments)
        return refuse_object(request, "too many arguments");
    if (request->text_used + bytes > request->limits->bytes)
        return refuse_object(request, "request is too large");
    if (!reserve_list(request) || !reserve_text(request, bytes + 1))
        return NULL;
    memcpy(request->text + request->text_used, data, bytes);
    request->text[request->text_used + bytes] = '\0';
    request->text_used += bytes + 1;
    request->list[request->count++].size = bytes; /* the place: see finish() */
    return request;
}

/* The text has come to rest: now the arguments know where they are. */
static int finish(request_t *request) {
    const char *at = request->text;
    for (size_t i = 0; i < request->count; i++) {
        request->list[i].data = at;
        at += request->list[i].size + 1;
    }
    request->arguments = request->list;
    return 1;
}

/* ---- the reader's callbacks ---------------------------------------------- */

static void *on_string(const redisReadTask *item, char *data, size_t bytes) {
    request_t *request = item->privdata;
    if (item->type != REDIS_REPLY_STRING)
        return refuse_object(request, "expected '$'");
    return add(request, data, bytes);
}

static void *on_array(const redisReadTask *item, elements_t elements) {
    request_t *request = item->privdata;
    if (item->parent != NULL)
        return refuse_object(request, "expected '$'");
    if ((size_t)elements > request->limits->arguments)
        return refuse_object(request, "invalid multibulk length");
    return request;
}

static void *on_integer(const redisReadTask *item, long long value) {
    (void)value;
    return refuse_object(item->privdata, "expected '$'");
}

/* "*-1" is an empty request. */
static void *on_nil(const redisReadTask *item) {
    if (item->parent != NULL)
        return refuse_object(item->privdata, "invalid bulk length");
    return item->privdata;
}

static void on_free(void *object) {
    (void)object; /* they are all the request itself */
}

static redisReplyObjectFunctions callbacks = {.createString = on_string,
                                              .createArray = on_array,
                                              .createInteger = on_integer,
                                              .createNil = on_nil,
                                              .freeObject = on_free};

/* ---- the reader's buffer ------------------------------------------------- */

static size_t pending(const request_t *request) {
    return request->reader->len - request->reader->pos;
}

/* Drops what has been read. */
static void compact(redisReader *reader) {
    if (reader->pos == 0)
        return;
    (void)sdsrange(reader->buf, (int)reader->pos, -1); /* see BYTES_MAX */
    reader->pos = 0;
    reader->len = sdslen(reader->buf);
}

/* Of a request that is not complete: is it still within the limits? */
static int check_pending(request_t *request) {
    size_t bytes = pending(request);
    const char *at = request->reader->buf + request->reader->pos;
    if (bytes > LENGTH_LINE_BYTES_MAX &&
        memchr(at, '\n', LENGTH_LINE_BYTES_MAX) == NULL)
        return refuse(request, "too big count or length");
    if (bytes > request->limits->argument_bytes + LENGTH_LINE_BYTES_MAX)
        return refuse(request, "invalid bulk length");
    return 0;
}

/* ---- inline commands ----------------------------------------------------- */

static int add_words(request_t *request, char **words, int count) {
    int code = 1;
    for (int i = 0; i < count && code > 0; i++)
        if (add(request, words[i], sdslen(words[i])) == NULL)
            code = request->error[0] != '\0' ? UV_EPROTO : UV_ENOMEM;
    return code;
}

static int read_inline(request_t *request) {
    redisReader *reader = request->reader;
    char *line = reader->buf + reader->pos;
    char *end = memchr(line, '\n', pending(request));
    if (end == NULL)
        return pending(request) > INLINE_BYTES_MAX
                   ? refuse(request, "too big inline request")
                   : 0;
    reader->pos = (size_t)(end + 1 - reader->buf);
    *end = '\0';
    int count = 0;
    char **words = sdssplitargs(line, &count);
    if (words == NULL)
        return refuse(request, "unbalanced quotes in request");
    int code = add_words(request, words, count);
    sdsfreesplitres(words, count);
    return code;
}

/* ---- one request --------------------------------------------------------- */

static int read_array(request_t *request) {
    void *root;
    request->is_begun = true;
    if (redisReaderGetReply(request->reader, &root) != REDIS_OK)
        return reader_failed(request);
    if (root == NULL)
        return check_pending(request);
    request->is_begun = false;
    return 1;
}

/* Empty ones are passed over. */
int request_next(request_t *request) {
    if (request->error[0] != '\0')
        return UV_EPROTO;
    int code;
    do {
        if (!request->is_begun)
            begin(request);
        if (pending(request) == 0)
            return 0;
        bool is_array = request->is_begun ||
                        request->reader->buf[request->reader->pos] == '*';
        code = is_array ? read_array(request) : read_inline(request);
    } while (code > 0 && request->count == 0);
    return code > 0 ? finish(request) : code;
}

int request_feed(request_t *request, const char *data, size_t bytes) {
    compact(request->reader);
    if (redisReaderFeed(request->reader, data, bytes) != REDIS_OK)
        return UV_ENOMEM;
    return 0;
}

bool request_is_empty(const request_t *request) {
    return !request->is_begun && pending(request) == 0;
}

/* ---- life ---------------------------------------------------------------- */

int request_init(request_t *request, const request_limits_t *limits) {
    *request = (request_t){.limits = limits};
    request->reader = redisReaderCreateWithFunctions(&callbacks);
    if (request->reader == NULL)
        return UV_ENOMEM;
    request->reader->privdata = request;
    return 0;
}

void request_trim(request_t *request) {
    redisReader *reader = request->reader;
    if (request->text_room > KEEP_BYTES) {
        free(request->text);
        request->text = NULL;
        request->text_room = 0;
    }
    if (request->list_room > KEEP_ARGUMENTS) {
        free(request->list);
        request->list = NULL;
        request->list_room = 0;
    }
    begin(request);
    compact(reader);
    if (sdsavail(reader->buf) > KEEP_BYTES) {
        char *smaller = sdsRemoveFreeSpace(reader->buf);
        reader->buf = smaller != NULL ? smaller : reader->buf;
    }
}

void request_free(request_t *request) {
    redisReaderFree(request->reader);
    free(request->list);
    free(request->text);
}
