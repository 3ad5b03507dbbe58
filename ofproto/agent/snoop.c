/* SPDX-License-Identifier: Apache-2.0 */
#include "ofproto/agent/snoop.h"

#include <stdlib.h>

#include "lib/fatal.h"

#define SNOOP_TX_LIMIT (1024 * 1024)

struct snooper {
	struct list node;	/* In the session's snoopers. */
	struct stream *stream;
};

static void snooper_destroy(struct snooper *snooper)
{
	list_remove(&snooper->node);
	stream_close(snooper->stream);
	free(snooper);
}

static void snooper_connected(struct stream *stream, void *aux)
{
}

static void snooper_readable(struct stream *stream, void *aux)
{
	size_t len;

	stream_rx_data(stream, &len);
	stream_rx_consume(stream, len);
}

static void snooper_closed(struct stream *stream, int error, void *aux)
{
	snooper_destroy(aux);
}

static const struct stream_callbacks snooper_callbacks = {
	.connected = snooper_connected,
	.readable = snooper_readable,
	.closed = snooper_closed,
};

void snooper_create(struct of_session *session, struct stream *stream)
{
	struct snooper *snooper = xcalloc(1, sizeof *snooper);
	struct sbuf out = SBUF_INITIALIZER;

	snooper->stream = stream;
	list_push_back(&session->snoopers, &snooper->node);
	stream_set_callbacks(stream, &snooper_callbacks, snooper);
	stream_set_tx_limit(stream, SNOOP_TX_LIMIT);
	/* Who listens is shown what is said in whatever version, and need speak no certain one. */
	hello_encode(OFP_VERSIONS_ALL, 0, &out);
	stream_write(stream, out.data, out.len);
	sbuf_uninit(&out);
}

void snoop_copy(struct of_session *session, const void *data, size_t len)
{
	struct snooper *snooper;

	LIST_FOR_EACH (snooper, node, &session->snoopers)
		stream_write(snooper->stream, data, len);
}

void snoop_end(struct of_session *session)
{
	struct snooper *snooper;

	LIST_FOR_EACH_SAFE (snooper, node, &session->snoopers)
		snooper_destroy(snooper);
}
