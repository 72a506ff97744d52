/*
 * What: OpenSSL's contexts, as a client or server of today wants them.
 */
#include "tls_context.h"

#include <openssl/err.h>
#include <stdio.h>

/* Frees the context and says why; NULL. */
static SSL_CTX *refuse(SSL_CTX *context, const char *file,
                       char why[TLS_WHY_BYTES]) {
    const char *reason = ERR_reason_error_string(ERR_peek_error());

    snprintf(why, TLS_WHY_BYTES, "%s: %s", file,
             reason != NULL ? reason : "cannot be used");
    ERR_clear_error();
    SSL_CTX_free(context);
    return NULL;
}

/* No renegotiation, which TLS 1.3 has done away with: so a write never has to
 * read. Buffers of idle connections are given back. */
static SSL_CTX *new_context(const SSL_METHOD *method) {
    SSL_CTX *context = SSL_CTX_new(method);

    if (context != NULL) {
        SSL_CTX_set_min_proto_version(context, TLS1_2_VERSION);
        SSL_CTX_set_options(context, SSL_OP_NO_RENEGOTIATION);
        SSL_CTX_set_mode(context, SSL_MODE_RELEASE_BUFFERS);
    }
    return context;
}

SSL_CTX *tls_client_context(const char *ca_file, char why[TLS_WHY_BYTES]) {
    SSL_CTX *context = new_context(TLS_client_method());
    int ok = context != NULL;

    if (ok && ca_file != NULL)
        ok = SSL_CTX_load_verify_locations(context, ca_file, NULL);
    else if (ok)
        ok = SSL_CTX_set_default_verify_paths(context);
    if (!ok)
        return refuse(context, ca_file != NULL ? ca_file : "OpenSSL", why);
    SSL_CTX_set_verify(context, SSL_VERIFY_PEER, NULL);
    return context;
}

SSL_CTX *tls_server_context(const char *certificate_file, const char *key_file,
                            char why[TLS_WHY_BYTES]) {
    SSL_CTX *context = new_context(TLS_server_method());

    if (context == NULL)
        return refuse(NULL, "OpenSSL", why);
    if (SSL_CTX_use_certificate_chain_file(context, certificate_file) != 1)
        return refuse(context, certificate_file, why);
    if (SSL_CTX_use_PrivateKey_file(context, key_file, SSL_FILETYPE_PEM) != 1)
        return refuse(context, key_file, why);
    return context;
}
