/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * Inside of streams: what stream.c and the kinds of stream (stream_unix.c, stream_tcp.c,
 * stream_ssl.c) know of each other. Control thread only.
 */

#include "lib/event.h"
#include "lib/sbuf.h"
#include "lib/stream.h"

struct stream_class {
	const char *scheme; /* "tcp" */

	/* Checks what follows "scheme:" without touching the network. */
	bool (*is_valid)(const char *suffix, uint16_t default_port);

	/* Starts to connect: gives stream->fd a socket, or begins what will call
	 * stream_provider_progress() when it has one. 0 or negative errno. */
	int (*open)(struct stream *stream, const char *suffix, uint16_t default_port);

	/* Goes on connecting. 0: connected; -EAGAIN: when one of stream->connect_events comes;
	 * else it failed. */
	int (*connect)(struct stream *stream);

	/* As read(2) and write(2), but a negative errno for failure, and -EAGAIN after setting
	 * stream->recv_events or send_events to what to wait for. */
	ssize_t (*recv)(struct stream *stream, void *data, size_t len);
	ssize_t (*send)(struct stream *stream, const void *data, size_t len);

	/* Who reads less than it asked for has read all there was; more is announced by an event. */
	bool short_read_is_all;

	/* Frees stream->class_data; the socket is closed by stream.c. */
	void (*destroy)(struct stream *stream);
};

struct pstream_class {
	const char *scheme; /* "ptcp" */
	bool (*is_valid)(const char *suffix, uint16_t default_port);

	/* Sets pstream->fd, and port or path. 0 or negative errno. */
	int (*listen)(struct pstream *pstream, const char *suffix, uint16_t default_port);

	/* Prepares an accepted stream (name, class_data); closes nothing if it fails. */
	int (*accepted)(struct pstream *pstream, struct stream *stream);
	const struct stream_class *stream_class;
};

struct stream {
	const struct stream_class *class;
	void *class_data;
	struct event_loop *loop;
	char *name;
	int fd; /* -1 while there is none */
	int dscp;
	unsigned int connect_events, recv_events, send_events;

	/* stream.c's own. */
	struct event_fd *efd;
	struct event_work *kick; /* a turn of the stream without an event */
	struct event_tail *flush; /* sends what was written in this turn of the loop */
	const struct stream_callbacks *cb;
	void *aux;
	enum {
		STREAM_CONNECTING,
		STREAM_CONNECTED,
		STREAM_DEAD
	} state;
	bool running, closed; /* inside callbacks; owner closed it there */
	bool paused;
	bool owes_drained; /* something was queued since drained() was called */
	int error; /* found outside of a turn, to be reported in the next */
	struct sbuf rx, tx;
	size_t rx_head, tx_head; /* bytes of rx and tx already consumed */
	size_t tx_limit, rx_chunk;
};

struct pstream {
	const struct pstream_class *class;
	struct event_loop *loop;
	char *name;
	char *path; /* of a unix socket */
	int fd;
	int dscp;
	uint16_t port;

	/* stream.c's own. */
	struct event_fd *efd;
	struct event_timer *resume; /* after running out of descriptors */
	pstream_accept_cb *cb;
	void *aux;
	bool running, closed;
};

/* A stream on socket FD (-1: later), whose first turn comes soon. */
struct stream *stream_provider_create(struct event_loop *loop, const struct stream_class *class,
	const char *name, int fd, int dscp);

/* Closes the socket, before there is another. */
void stream_provider_forget_socket(struct stream *stream);

/* A nonblocking socket became available, or opening failed with ERROR: look again. */
void stream_provider_progress(struct stream *stream, int error);

/* Common to sockets. */
ssize_t stream_socket_recv(struct stream *stream, void *data, size_t len);
ssize_t stream_socket_send(struct stream *stream, const void *data, size_t len);

extern const struct stream_class stream_unix_class, stream_tcp_class, stream_ssl_class;
extern const struct pstream_class pstream_unix_class, pstream_tcp_class, pstream_ssl_class;

/* stream_tcp.c, for stream_ssl.c too: opening by name, with the socket (not yet the TLS) connected
 * step by step. Their state is in *TCP, which begins class_data. */
struct stream_tcp;

struct stream_tcp *stream_tcp_open(
	struct stream *stream, const char *suffix, uint16_t default_port, int *err);
int stream_tcp_connect(struct stream *stream, struct stream_tcp *tcp);
void stream_tcp_destroy(struct stream_tcp *tcp);
bool stream_tcp_is_valid(const char *suffix, uint16_t default_port);
int stream_tcp_listen(struct pstream *pstream, const char *suffix, uint16_t default_port);
int stream_tcp_accepted(struct pstream *pstream, struct stream *stream);
bool stream_tcp_passive_is_valid(const char *suffix, uint16_t default_port);
