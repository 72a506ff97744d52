/*
 * What OpenSSL needs to know before a handshake: certificates, keys, versions.
 * The caller frees a context with SSL_CTX_free().
 */
#ifndef TLS_CONTEXT_H
#define TLS_CONTEXT_H

#include "tls_stream.h"

/* A context for clients, which trust the certificates in ca_file, or, with
 * NULL, those that the system trusts. NULL on failure, with why filled. */
SSL_CTX *tls_client_context(const char *ca_file, char why[TLS_WHY_BYTES]);

/* A context for servers, with the certificate (and its chain) and the key of
 * these PEM files. NULL on failure, with why filled. */
SSL_CTX *tls_server_context(const char *certificate_file, const char *key_file,
                            char why[TLS_WHY_BYTES]);

#endif
