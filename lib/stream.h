/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * Byte streams by name, nonblocking and buffered, on an event loop.
 *
 *   active   unix:PATH   tcp:HOST[:PORT]   ssl:HOST[:PORT]
 *   passive  punix:PATH  ptcp:[PORT][:BIND]  pssl:[PORT][:BIND]
 *
 * HOST is a numeric address, IPv6 in brackets, or a name (resolved without blocking). The caller
 * gives the default port. Relative unix paths start at the run directory (dirs.h).
 *
 * Words: tx is what stream_write() queued and the kernel didn't take yet; rx is what arrived and
 * the owner didn't consume yet. Both are bounded.
 *
 * The owner gets callbacks from the loop only, never from inside a call of his own. He may call
 * anything in them, stream_close() included. Each stream ends with exactly one stream_close() by
 * its owner, also after closed() told him it is dead. Control thread only.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct event_loop;
struct stream;
struct pstream;

struct stream_callbacks {
	/* The connection (and the TLS handshake) is complete. Not for accepted streams, which are
	 * connected when their owner gets them, but for TLS may get this later. */
	void (*connected)(struct stream *stream, void *aux);

	/* More rx than at the last call. */
	void (*readable)(struct stream *stream, void *aux);

	/* tx is empty again. May be NULL. */
	void (*drained)(struct stream *stream, void *aux);

	/* Dead: ERROR is 0 when the peer closed it, else a negative errno. All rx was shown
	 * before. */
	void (*closed)(struct stream *stream, int error, void *aux);
};

#define STREAM_TX_LIMIT (16 * 1024 * 1024) /* default */
#define STREAM_RX_LIMIT (1024 * 1024) /* nothing more is read until some is consumed */

/* Starts to connect. -EAFNOSUPPORT for an unknown scheme, -EINVAL for a malformed name; failures to
 * connect come through closed(). DSCP (0..63) marks TCP traffic; negative leaves it. */
int stream_open(struct event_loop *loop, const char *name, uint16_t default_port, int dscp,
	const struct stream_callbacks *cb, void *aux, struct stream **streamp);

/* Frees it, dropping what is in tx. NULL is fine. */
void stream_close(struct stream *stream);

/* Gives STREAM to another owner (or its first, after accept). */
void stream_set_callbacks(struct stream *stream, const struct stream_callbacks *cb, void *aux);

/* Queues LEN bytes; never blocks. -ENOBUFS if tx would exceed its limit (nothing is queued then),
 * -EPIPE if the stream is dead. Before it is connected, data just waits. */
int stream_write(struct stream *stream, const void *data, size_t len);
size_t stream_tx_queued(const struct stream *stream);
void stream_set_tx_limit(struct stream *stream, size_t limit);

/* rx as one contiguous block that lasts until the next call on STREAM or the return to the loop. */
const uint8_t *stream_rx_data(const struct stream *stream, size_t *len);
void stream_rx_consume(struct stream *stream, size_t n);

/* A paused stream reads nothing, so that the peer feels it. */
void stream_pause_rx(struct stream *stream, bool pause);

/* Name it was opened by; for accepted streams the peer's, as in "tcp:10.0.0.1:54321", or
 * "unix#3". */
const char *stream_name(const struct stream *stream);

/* Is NAME a well-formed active or passive stream name? */
bool stream_name_is_valid(const char *name);
bool pstream_name_is_valid(const char *name);

/* False for unix: and punix:, where a dead peer is noticed without probes. */
bool stream_name_needs_probes(const char *name);

/* Passive streams. ACCEPTED owns the new stream, and must set its callbacks or close it. */
typedef void pstream_accept_cb(struct pstream *pstream, struct stream *accepted, void *aux);

/* 0 or negative errno of socket, bind, listen. A unix socket that nobody listens on is replaced. */
int pstream_open(struct event_loop *loop, const char *name, uint16_t default_port, int dscp,
	pstream_accept_cb *cb, void *aux, struct pstream **pstreamp);

/* Removes a unix socket's file too. NULL is fine. */
void pstream_close(struct pstream *pstream);

/* TCP port it listens on (the chosen one if the name asked for port 0), 0 for unix. */
uint16_t pstream_port(const struct pstream *pstream);

/* TLS configuration, for connections made from then on. The files are read again when they changed.
 * NULL or "" clears. Failures are logged, and connections then fail with -EPROTO. */
void stream_ssl_set_key_file(const char *path);
void stream_ssl_set_cert_file(const char *path);

/* The CA's certificate, by which peers are verified ("none": they aren't). BOOTSTRAP: if PATH
 * doesn't exist, the first peer's CA certificate is stored there and trusted from then on. */
void stream_ssl_set_ca_cert_file(const char *path, bool bootstrap);
void stream_ssl_set_peer_ca_cert_file(const char *path);

/* "TLSv1.2,TLSv1.3" and OpenSSL's cipher list. */
int stream_ssl_set_protocols(const char *protocols);
int stream_ssl_set_ciphers(const char *ciphers);
