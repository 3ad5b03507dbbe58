/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * TLS configuration behind the stream_ssl_set_* calls: files, and the OpenSSL context made from
 * them, which is made again when a file changed. Control thread only.
 */

#include <openssl/ssl.h>
#include <stdbool.h>

/* Context for a new connection, with a reference for the caller (SSL_CTX_free()). NULL, after a log
 * message, if key, certificate or CA certificate is missing or bad. */
SSL_CTX *ssl_config_get(void);

/* Should a peer's CA certificate be taken over from the first connection? */
bool ssl_config_wants_bootstrap(void);

/* Stores the last certificate of the chain of SSL's peer as CA certificate. Always fails:
 * -EAGAIN means that a new connection will find it, others that the chain is unfit. */
int ssl_config_bootstrap(SSL *ssl);

/* Oldest error of OpenSSL's queue, which is emptied. */
const char *ssl_error_text(void);
