/*
 * What: files, with Content-Type, ETag, Last-Modified, and 304.
 *
 * How: open, look, and then read a piece, send a piece: straight-line code, in
 * which the disk is libuv's thread pool's and a slow client holds up nobody but
 * its own task. The deadline is for each piece, so that a large download may
 * take as long as it goes on.
 *
 * No path leads out of the root: it is decoded first, and then a name that
 * begins with a dot, so also "..", is not there. Symbolic links are followed:
 * who may make one in the root may publish files.
 */
#include "static_files.h"

#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>

#include "response.h"

enum { PIECE_BYTES = 64 << 10, ETAG_BYTES = 48, FIELDS_BYTES = 160 };

/* ---- names -------------------------------------------------------------- */

static int hex_value(char digit) {
    if (digit >= '0' && digit <= '9')
        return digit - '0';
    if (digit >= 'a' && digit <= 'f')
        return digit - 'a' + 10;
    if (digit >= 'A' && digit <= 'F')
        return digit - 'A' + 10;
    return -1;
}

/* The next character of an encoded path, which is shortened; -1: no such
 * encoding, or a NUL. */
static int decode_next(text_t *rest) {
    int value = (unsigned char)rest->base[0];
    size_t used = 1;
    if (value == '%') {
        int high = rest->bytes > 2 ? hex_value(rest->base[1]) : -1;
        int low = rest->bytes > 2 ? hex_value(rest->base[2]) : -1;
        if (high < 0 || low < 0)
            return -1;
        value = high * 16 + low;
        used = 3;
    }
    rest->base += used;
    rest->bytes -= used;
    return value != 0 ? value : -1;
}

/* The file that a path names: 0, or the status to answer with. */
static int find_file(const char *root, text_t path, char ret_file[PATH_MAX]) {
    size_t used = strlen(root);
    if (path.bytes == 0 || path.base[0] != '/')
        return 400;
    if (used + path.bytes + sizeof("index.html") > PATH_MAX)
        return 404;
    memcpy(ret_file, root, used);
    char before = '\0';
    while (path.bytes > 0) {
        int next = decode_next(&path);
        if (next < 0)
            return 400;
        if (next == '.' && before == '/')
            return 404;
        before = (char)next;
        ret_file[used++] = before;
    }
    strcpy(ret_file + used, before == '/' ? "index.html" : "");
    return 0;
}

static const char *type_of(const char *file) {
    static const struct {
        const char *suffix;
        const char *type;
    } types[] = {
        {".html", "text/html; charset=utf-8"},
        {".css", "text/css; charset=utf-8"},
        {".js", "text/javascript; charset=utf-8"},
        {".txt", "text/plain; charset=utf-8"},
        {".md", "text/markdown; charset=utf-8"},
        {".json", "application/json"},
        {".xml", "application/xml"},
        {".pdf", "application/pdf"},
        {".wasm", "application/wasm"},
        {".png", "image/png"},
        {".jpg", "image/jpeg"},
        {".jpeg", "image/jpeg"},
        {".gif", "image/gif"},
        {".svg", "image/svg+xml"},
        {".ico", "image/x-icon"},
        {".woff2", "font/woff2"},
        {".mp4", "video/mp4"},
    };
    const char *name = strrchr(file, '/');
    const char *suffix = strrchr(name != NULL ? name : file, '.');
    for (size_t i = 0; suffix && i < sizeof types / sizeof types[0]; i++) {
        if (strcasecmp(suffix, types[i].suffix) == 0)
            return types[i].type;
    }
    return "application/octet-stream";
}

/* ---- what the client has already ---------------------------------------- */

static void make_etag(const uv_stat_t *stat, char ret_etag[ETAG_BYTES]) {
    (void)snprintf(ret_etag, ETAG_BYTES, "\"%llx.%lx-%llx\"",
                   (unsigned long long)stat->st_mtim.tv_sec,
                   (unsigned long)stat->st_mtim.tv_nsec,
                   (unsigned long long)stat->st_size);
}

/* RFC 9110, 13.2.2: a tag, where there is one, counts and the date does not. */
static bool is_unchanged(const request_t *request, const char *etag,
                         time_t changed) {
    text_t tags = request->if_none_match;
    time_t since;
    if (tags.bytes > 0)
        return text_equal(tags, TEXT("*")) ||
               memmem(tags.base, tags.bytes, etag, strlen(etag)) != NULL;
    return http_date_parse(request->if_modified_since, &since) &&
           changed <= since;
}

/* ---- sending ------------------------------------------------------------ */

/* The head has promised so many bytes: if they cannot be had, all that is left
 * is to end the connection. */
static int send_pieces(connection_t *connection, uv_file file, uint64_t bytes,
                       char *piece, size_t piece_bytes) {
    uint64_t at = 0;
    while (at < bytes) {
        uint64_t left = bytes - at;
        size_t most = left < piece_bytes ? (size_t)left : piece_bytes;
        ssize_t got = uva_fs_read(file, piece, most, (int64_t)at);
        if (got <= 0)
            return got < 0 ? (int)got : UV_EOF;
        int code = response_write(connection, piece, (size_t)got);
        if (code < 0)
            return code;
        at += (uint64_t)got;
        connection_enter(connection, PHASE_ANSWERING); /* it goes on */
    }
    return 0;
}

static int send_body(connection_t *connection, uv_file file, uint64_t bytes) {
    size_t piece_bytes = bytes < PIECE_BYTES ? (size_t)bytes : PIECE_BYTES;
    char *piece = malloc(piece_bytes);
    if (piece == NULL)
        return UV_ENOMEM;
    int code = send_pieces(connection, file, bytes, piece, piece_bytes);
    free(piece);
    return code;
}

static int send_file(connection_t *connection, uv_file file,
                     const uv_stat_t *stat, const char *type) {
    char etag[ETAG_BYTES], changed[HTTP_DATE_BYTES], fields[FIELDS_BYTES];
    time_t changed_at = (time_t)stat->st_mtim.tv_sec;
    make_etag(stat, etag);
    http_date_format(changed_at, changed);
    int length = snprintf(fields, sizeof fields,
                          "ETag: %s\r\nLast-Modified: %s\r\n", etag, changed);
    bool skip = is_unchanged(&connection->request, etag, changed_at);
    response_t response = {.status = skip ? 304 : 200,
                           .type = skip ? NULL : type,
                           .bytes = stat->st_size,
                           .fields = {fields, (size_t)length}};
    int code = response_begin(connection, &response);
    if (code == 0 && response_has_body(connection) && stat->st_size > 0)
        code = send_body(connection, file, stat->st_size);
    return code;
}

/* A directory is asked for with a "/" at the end, so that what its page refers
 * to is looked for inside. */
static int send_redirect(connection_t *connection) {
    text_t path = connection->request.path;
    while (path.bytes > 1 && path.base[1] == '/') {
        path.base++; /* "//name/" would be another host */
        path.bytes--;
    }
    char fields[PATH_MAX + 16];
    int length = snprintf(fields, sizeof fields, "Location: %.*s/\r\n",
                          (int)path.bytes, path.base);
    if (length < 0 || (size_t)length >= sizeof fields)
        return response_error(connection, 404);
    return response_error_with(connection, 301,
                               (text_t){fields, (size_t)length});
}

/* ---- the answer --------------------------------------------------------- */

/* What cannot be opened, as a status; a code < 0 when we have been cut. */
static int status_of(int code) {
    switch (code) {
    case UV_ECANCELED:
        return code;
    case UV_EACCES:
    case UV_EPERM:
        return 403;
    case UV_ENOENT:
    case UV_ENOTDIR:
    case UV_ENAMETOOLONG:
    case UV_ELOOP:
    case UV_ENXIO:
        return 404;
    case UV_EMFILE:
    case UV_ENFILE:
    case UV_ENOMEM:
        return 503;
    default:
        return 500;
    }
}

static int answer_failure(connection_t *connection, int code) {
    int status = status_of(code);
    return status < 0 ? status : response_error(connection, status);
}

static int answer_open(connection_t *connection, uv_file file,
                       const char *name) {
    uv_stat_t stat;
    int code = uva_fs_fstat(file, &stat);
    if (code < 0)
        return answer_failure(connection, code);
    if (S_ISDIR(stat.st_mode))
        return send_redirect(connection);
    if (!S_ISREG(stat.st_mode))
        return response_error(connection, 403);
    return send_file(connection, file, &stat, type_of(name));
}

int static_files_answer(connection_t *connection) {
    const char *root = connection->server->settings->root;
    char name[PATH_MAX];
    if (root == NULL)
        return response_error(connection, 404);
    int status = find_file(root, connection->request.path, name);
    if (status != 0)
        return response_error(connection, status);
    /* O_NONBLOCK: opening a named pipe must not wait for a writer. */
    int file = uva_fs_open(name, O_RDONLY | O_NONBLOCK, 0);
    if (file < 0)
        return answer_failure(connection, file);
    int code = answer_open(connection, file, name);
    (void)uva_fs_close(file);
    return code;
}
