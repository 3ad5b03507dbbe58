/* SPDX-License-Identifier: Apache-2.0 */

#include "lib/stream.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "lib/coverage.h"
#include "lib/fatal.h"
#include "lib/stream_provider.h"

#define RX_CHUNK_MIN 4096
#define RX_CHUNK_MAX 65536
#define RX_PER_TURN (256 * 1024) /* then the others have their turn */
#define TX_FLUSH 65536           /* queued bytes that aren't kept back until the next turn */

COVERAGE_DEFINE(stream_open);

static const struct stream_class *const classes[] = {
	&stream_unix_class,
	&stream_tcp_class,
	&stream_ssl_class,
};

static void on_event(int fd, unsigned int events, void *aux);
static bool on_kick(void *aux);
static void on_flush(void *aux);

/* Class for NAME, whose suffix is put into *SUFFIX; NULL if there is none. */
static const struct stream_class *find_class(const char *name, const char **suffix)
{
	for (size_t i = 0; i < ARRAY_SIZE(classes); i++) {
		size_t n = strlen(classes[i]->scheme);

		if (!strncmp(name, classes[i]->scheme, n) && name[n] == ':') {
			*suffix = name + n + 1;
			return classes[i];
		}
	}
	return NULL;
}

bool stream_name_is_valid(const char *name)
{
	const char *suffix;
	const struct stream_class *class = find_class(name, &suffix);

	return class && class->is_valid(suffix, 1);
}

bool stream_name_needs_probes(const char *name)
{
	return !str_starts_with(name, "unix:") && !str_starts_with(name, "punix:");
}

struct stream *stream_provider_create(struct event_loop *loop, const struct stream_class *class,
	const char *name, int fd, int dscp)
{
	struct stream *stream = xcalloc(1, sizeof(*stream));

	stream->class = class;
	stream->loop = loop;
	stream->name = xstrdup(name);
	stream->fd = fd;
	stream->dscp = dscp;
	stream->connect_events = EVENT_WRITE;
	stream->recv_events = EVENT_READ;
	stream->send_events = EVENT_WRITE;
	stream->kick = event_work_create(loop, on_kick, stream);
	stream->flush = event_tail_create(loop, on_flush, stream);
	stream->tx_limit = STREAM_TX_LIMIT;
	stream->rx_chunk = RX_CHUNK_MIN;
	event_work_start(stream->kick);
	return stream;
}

int stream_open(struct event_loop *loop, const char *name, uint16_t default_port, int dscp,
	const struct stream_callbacks *cb, void *aux, struct stream **streamp)
{
	const char *suffix;
	const struct stream_class *class = find_class(name, &suffix);
	struct stream *stream;
	int err;

	if (!class)
		return -EAFNOSUPPORT;
	if (!class->is_valid(suffix, default_port))
		return -EINVAL;
	COVERAGE_INC(stream_open);
	stream = stream_provider_create(loop, class, name, -1, dscp);
	stream->cb = cb;
	stream->aux = aux;
	err = class->open(stream, suffix, default_port);
	if (err)
		stream_provider_progress(stream, err);
	*streamp = stream;
	return 0;
}

static void drop_socket(struct stream *stream)
{
	event_fd_remove(stream->efd);
	stream->efd = NULL;
	if (stream->class_data)
		stream->class->destroy(stream);
	stream->class_data = NULL;
	if (stream->fd >= 0)
		close(stream->fd);
	stream->fd = -1;
}

static void destroy(struct stream *stream)
{
	drop_socket(stream);
	event_work_destroy(stream->kick);
	event_tail_destroy(stream->flush);
	sbuf_uninit(&stream->rx);
	sbuf_uninit(&stream->tx);
	free(stream->name);
	free(stream);
}

void stream_close(struct stream *stream)
{
	if (!stream)
		return;
	stream->closed = true;
	if (!stream->running)
		destroy(stream);
}

void stream_set_callbacks(struct stream *stream, const struct stream_callbacks *cb, void *aux)
{
	stream->cb = cb;
	stream->aux = aux;
	event_work_start(stream->kick);
}

void stream_provider_progress(struct stream *stream, int error)
{
	if (error)
		stream->error = error;
	event_work_start(stream->kick);
}

/* Turns of a stream. Each step returns false when the turn is over because the owner closed the
 * stream or it died. */

static bool die(struct stream *stream, int error)
{
	drop_socket(stream);
	stream->state = STREAM_DEAD;
	event_work_stop(stream->kick);
	event_tail_stop(stream->flush);
	if (stream->cb && stream->cb->closed)
		stream->cb->closed(stream, error, stream->aux);
	return false;
}

static bool do_connect(struct stream *stream)
{
	int err = stream->class->connect(stream);

	if (err == -EAGAIN)
		return true;
	if (err)
		return die(stream, err);
	stream->state = STREAM_CONNECTED;
	if (stream->cb && stream->cb->connected)
		stream->cb->connected(stream, stream->aux);
	return !stream->closed;
}

/* Sends what it can. 0, -EAGAIN, or another negative errno. */
static int flush_tx(struct stream *stream)
{
	while (stream->tx_head < stream->tx.len) {
		ssize_t n = stream->class->send(stream, stream->tx.data + stream->tx_head,
			stream->tx.len - stream->tx_head);

		if (n < 0)
			return (int)n;
		stream->tx_head += (size_t)n;
	}
	stream->tx_head = 0;
	sbuf_clear(&stream->tx);
	if (stream->tx.cap > RX_CHUNK_MAX)
		sbuf_uninit(&stream->tx);
	return 0;
}

static bool tell_drained(struct stream *stream)
{
	stream->owes_drained = false;
	if (stream->cb && stream->cb->drained)
		stream->cb->drained(stream, stream->aux);
	return !stream->closed;
}

static bool do_send(struct stream *stream)
{
	int err;

	if (!stream->owes_drained)
		return true;
	err = flush_tx(stream);
	if (err == -EAGAIN)
		return true;
	if (err)
		return die(stream, err);
	return tell_drained(stream);
}

static bool wants_rx(const struct stream *stream)
{
	return stream->state == STREAM_CONNECTED && stream->cb && !stream->paused &&
	       stream->rx.len - stream->rx_head < STREAM_RX_LIMIT;
}

/* Moves what isn't consumed to the front when it costs little. */
static void compact_rx(struct stream *stream)
{
	size_t left = stream->rx.len - stream->rx_head;

	if (!left) {
		sbuf_clear(&stream->rx);
		stream->rx_head = 0;
		if (stream->rx.cap > 4 * RX_CHUNK_MAX)
			sbuf_uninit(&stream->rx);
	} else if (stream->rx_head > left) {
		sbuf_pull(&stream->rx, stream->rx_head);
		stream->rx_head = 0;
	}
}

static size_t recv_room(const struct stream *stream)
{
	return MIN(stream->rx_chunk, STREAM_RX_LIMIT - (stream->rx.len - stream->rx_head));
}

/* Reads once. Number of bytes, 0 at the end of the stream, or a negative errno. */
static ssize_t recv_chunk(struct stream *stream, size_t chunk)
{
	ssize_t n;

	compact_rx(stream);
	sbuf_reserve(&stream->rx, chunk);
	n = stream->class->recv(stream, stream->rx.data + stream->rx.len, chunk);
	if (n <= 0)
		return n;
	stream->rx.len += (size_t)n;
	if ((size_t)n == chunk && stream->rx_chunk < RX_CHUNK_MAX)
		stream->rx_chunk *= 2;
	return n;
}

static bool do_recv(struct stream *stream)
{
	size_t total = 0;
	ssize_t n = -EAGAIN;

	while (wants_rx(stream) && total < RX_PER_TURN) {
		size_t asked = recv_room(stream);

		n = recv_chunk(stream, asked);
		if (n <= 0)
			break;
		total += (size_t)n;
		if ((size_t)n < asked && stream->class->short_read_is_all) {
			n = -EAGAIN;
			break;
		}
	}
	if (total && stream->cb->readable)
		stream->cb->readable(stream, stream->aux);
	if (stream->closed)
		return false;
	if (n == 0 || (n < 0 && n != -EAGAIN))
		return die(stream, (int)n);
	/* A class may hold bytes that no event will announce. */
	if (n > 0 && wants_rx(stream))
		event_work_start(stream->kick);
	return true;
}

static unsigned int wanted_events(const struct stream *stream)
{
	unsigned int events = 0;

	if (stream->state == STREAM_CONNECTING)
		return stream->connect_events;
	if (wants_rx(stream))
		events |= stream->recv_events;
	if (stream_tx_queued(stream))
		events |= stream->send_events;
	return events;
}

static void update_watch(struct stream *stream)
{
	unsigned int events = wanted_events(stream);
	int err;

	if (stream->fd < 0)
		return;
	if (stream->efd) {
		event_fd_modify(stream->efd, events);
		return;
	}
	err = event_fd_add(stream->loop, stream->fd, events, on_event, stream, &stream->efd);
	if (err)
		stream_provider_progress(stream, err);
}

/* TCP and TLS connect to one address after the other: forget the watcher of a closed socket. */
void stream_provider_forget_socket(struct stream *stream)
{
	event_fd_remove(stream->efd);
	stream->efd = NULL;
	if (stream->fd >= 0)
		close(stream->fd);
	stream->fd = -1;
}

static bool run_steps(struct stream *stream)
{
	if (stream->error)
		return die(stream, stream->error);
	if (stream->state == STREAM_CONNECTING && !do_connect(stream))
		return false;
	if (stream->state != STREAM_CONNECTED)
		return true;
	return do_send(stream) && do_recv(stream) && do_send(stream);
}

static void run(struct stream *stream)
{
	if (stream->state == STREAM_DEAD)
		return;
	stream->running = true;
	if (run_steps(stream))
		update_watch(stream);
	stream->running = false;
	if (stream->closed)
		destroy(stream);
}

static void on_event(int fd, unsigned int events, void *aux)
{
	run(aux);
}

static bool on_kick(void *aux)
{
	run(aux);
	return false;
}

static void on_flush(void *aux)
{
	struct stream *stream = aux;
	int err;

	if (stream->state != STREAM_CONNECTED || stream->error || !stream->owes_drained)
		return;
	err = flush_tx(stream);
	if (err && err != -EAGAIN) {
		/* For a turn of the stream's own to tell. */
		stream_provider_progress(stream, err);
		return;
	}
	stream->running = true;
	if (err || tell_drained(stream))
		update_watch(stream);
	stream->running = false;
	if (stream->closed)
		destroy(stream);
}

/* Sending and receiving. */

int stream_write(struct stream *stream, const void *data, size_t len)
{
	int err;

	if (stream->state == STREAM_DEAD || stream->closed || stream->error)
		return -EPIPE;
	if (len > stream->tx_limit || stream_tx_queued(stream) > stream->tx_limit - len)
		return -ENOBUFS;
	if (stream->tx_head > stream->tx.len / 2) {
		sbuf_pull(&stream->tx, stream->tx_head);
		stream->tx_head = 0;
	}
	sbuf_put(&stream->tx, data, len);
	stream->owes_drained = true;

	/* Several small messages become one system call at the end of the turn. */
	if (stream->state == STREAM_CONNECTED && stream_tx_queued(stream) >= TX_FLUSH) {
		err = flush_tx(stream);
		if (err && err != -EAGAIN)
			stream->error = err;
	}
	if (stream->error)
		event_work_start(stream->kick);
	/* A turn of the stream that is under way sends it at its end. */
	else if (!stream->running)
		event_tail_start(stream->flush);
	return 0;
}

size_t stream_tx_queued(const struct stream *stream)
{
	return stream->tx.len - stream->tx_head;
}

void stream_set_tx_limit(struct stream *stream, size_t limit)
{
	stream->tx_limit = limit;
}

const uint8_t *stream_rx_data(const struct stream *stream, size_t *len)
{
	*len = stream->rx.len - stream->rx_head;
	return *len ? (const uint8_t *)stream->rx.data + stream->rx_head : NULL;
}

void stream_rx_consume(struct stream *stream, size_t n)
{
	bool wanted = wants_rx(stream);

	stream->rx_head += MIN(n, stream->rx.len - stream->rx_head);
	if (!wanted && wants_rx(stream))
		event_work_start(stream->kick);
}

void stream_pause_rx(struct stream *stream, bool pause)
{
	if (stream->paused == pause)
		return;
	stream->paused = pause;
	event_work_start(stream->kick);
}

ssize_t stream_socket_recv(struct stream *stream, void *data, size_t len)
{
	ssize_t n;

	do {
		n = recv(stream->fd, data, len, 0);
	} while (n < 0 && errno == EINTR);
	return n < 0 ? -errno : n;
}

ssize_t stream_socket_send(struct stream *stream, const void *data, size_t len)
{
	ssize_t n;

	do {
		n = send(stream->fd, data, len, MSG_NOSIGNAL);
	} while (n < 0 && errno == EINTR);
	return n < 0 ? -errno : n;
}

/* Facts. */

const char *stream_name(const struct stream *stream)
{
	return stream->name;
}
