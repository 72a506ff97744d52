/*
 * HTTP by libcurl, awaited: a session holds what requests share, above all the
 * connections, and is opened and closed around them.
 *
 *     curl_session_open(NULL, &session);
 *     code = curl_session_get(session, "https://example.org/", &response);
 *     ...
 *     curl_response_clear(&response);
 *     curl_session_close(session);
 *
 * Any number of tasks may be in curl_session_get() at once. A limit of time is
 * a scope around it. Call curl_global_init() at the beginning of the program.
 */
#ifndef CURL_SESSION_H
#define CURL_SESSION_H

#include <curl/curl.h>
#include <uvawait.h>

typedef struct curl_session curl_session_t;

/* All zero is the default of everything. */
typedef struct curl_session_options {
    const char *ca_file; /* whom to trust; NULL: whom the system trusts */
    size_t body_limit;   /* of bytes; 0: 16 MiB */
} curl_session_options_t;

/* The answer; it grows while it comes, so another task may watch it. */
typedef struct curl_response {
    long status; /* of HTTP, once it is complete */
    char *body;  /* with a NUL behind it; NULL while it is empty */
    size_t bytes;
    char why[CURL_ERROR_SIZE]; /* what went wrong, in words */
} curl_response_t;

/**
 * Opens a session.
 *
 * Context:  task or host callback, in the thread of the runtime
 * Parks:    never
 * Cancel:   –
 * Returns:  0; UV_ENOMEM; UV_EPERM without a runtime
 * Owns:     options (may be NULL) borrowed, its texts until the close;
 *           *ret_session is new: curl_session_close()
 */
int curl_session_open(const curl_session_options_t *options,
                      curl_session_t **ret_session);

/**
 * Fetches a URL, http or https, following redirections. An answer of any
 * status is a success.
 *
 * Context:  task
 * Parks:    always
 * Cancel:   UV_ECANCELED; the transfer is taken back, its connection closed
 * Returns:  0; UV_ECANCELED, also when the session is closed meanwhile;
 *           UV_EINVAL for a URL that is none; UV_EAI_NONAME; UV_ECONNREFUSED
 *           when it cannot connect, for any reason; UV_ECONNRESET;
 *           UV_ECONNABORTED for an answer that is not complete; UV_ETIMEDOUT;
 *           UV_EPROTO for a server that is not to be trusted; UV_ENOBUFS above
 *           the limit; UV_ENOMEM; UV_EIO for the rest. *ret_response has words
 * Owns:     session borrowed until it returns or is closed; *ret_response is
 *           filled, also on failure: curl_response_clear()
 */
UVA_PARKS int curl_session_get(curl_session_t *session, const char *url,
                               curl_response_t *ret_response);

/* Frees the body; all zero afterwards. */
void curl_response_clear(curl_response_t *response);

/**
 * Closes a session and its connections. Who is in curl_session_get() gets
 * UV_ECANCELED.
 *
 * Context:  the thread of the runtime
 * Parks:    never
 * Cancel:   –
 * Returns:  –
 * Owns:     takes session; NULL is fine
 */
void curl_session_close(curl_session_t *session);

#endif
