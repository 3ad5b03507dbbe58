/* SPDX-License-Identifier: Apache-2.0 */

#include "lib/jsonrpc.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "lib/clock.h"
#include "lib/event.h"
#include "lib/fatal.h"
#include "lib/json_frame.h"
#include "lib/log.h"
#include "lib/sbuf.h"

#define SLICE_US 1000

LOG_MODULE(jsonrpc);

static struct log_rate_limit rl = LOG_RATE_LIMIT_INIT(5, 5);

struct jsonrpc {
	struct stream *stream; /* NULL: dead */
	char *name;
	const struct jsonrpc_callbacks *cb;
	void *aux;
	struct event_work *work; /* messages left over for the next slice */
	struct json_frame frame;
	struct sbuf partial; /* beginning of a message */
	int64_t next_id;
	bool auto_echo, paused;
	int running;
	bool closed;
	bool peer_closed; /* the stream is dead, but rx may hold messages */
	int peer_error;
};

int jsonrpc_msg_parse(json_t *json, struct jsonrpc_msg *msg)
{
	json_t *method = json_object_get(json, "method");
	json_t *id = json_object_get(json, "id");
	struct jsonrpc_msg m = {.id = id};

	m.params = json_object_get(json, "params");
	m.result = json_object_get(json, "result");
	m.error = json_object_get(json, "error");
	if (method) {
		if (!json_is_string(method) || !json_is_array(m.params))
			return -EPROTO;
		m.method = json_string_value(method);
		m.type = !id || json_is_null(id) ? JSONRPC_NOTIFY : JSONRPC_REQUEST;
		m.result = m.error = NULL;
	} else {
		if (!id || json_is_null(id))
			return -EPROTO;
		m.params = NULL;
		if (m.error && !json_is_null(m.error)) {
			m.type = JSONRPC_ERROR;
			m.result = NULL;
		} else if (m.result) {
			m.type = JSONRPC_REPLY;
			m.error = NULL;
		} else {
			return -EPROTO;
		}
	}
	*msg = m;
	return 0;
}

static void destroy(struct jsonrpc *rpc)
{
	event_work_destroy(rpc->work);
	sbuf_uninit(&rpc->partial);
	free(rpc->name);
	free(rpc);
}

void jsonrpc_close(struct jsonrpc *rpc)
{
	if (!rpc)
		return;
	rpc->closed = true;
	stream_close(rpc->stream);
	rpc->stream = NULL;
	if (!rpc->running)
		destroy(rpc);
}

static void die(struct jsonrpc *rpc, int error)
{
	event_work_stop(rpc->work);
	stream_close(rpc->stream);
	rpc->stream = NULL;
	sbuf_uninit(&rpc->partial);
	rpc->cb->closed(rpc, error, rpc->aux);
}

/* Receiving. */

static int dispatch(struct jsonrpc *rpc, json_t *json)
{
	struct jsonrpc_msg msg;
	int err = jsonrpc_msg_parse(json, &msg);

	if (err)
		return err;
	if (rpc->auto_echo && msg.type == JSONRPC_REQUEST && !strcmp(msg.method, "echo"))
		jsonrpc_reply(rpc, json_incref(msg.params), json_incref(msg.id));
	else
		rpc->cb->message(rpc, &msg, rpc->aux);
	return 0;
}

/* DATA is one whole message. */
static int handle_message(struct jsonrpc *rpc, const char *data, size_t len)
{
	json_error_t error;
	json_t *json = json_loadb(data, len, 0, &error);
	int err;

	if (!json) {
		log_warn_rl(&rl, "%s: error parsing stream: %s", rpc->name, error.text);
		return -EPROTO;
	}
	err = dispatch(rpc, json);
	if (err)
		log_warn_rl(&rl, "%s: received a message that is not JSON-RPC", rpc->name);
	json_decref(json);
	return err;
}

/* Takes the bytes up to the end of a message out of rx. 1: there was a whole one (which was
 * handled), 0: more bytes are needed, or a negative errno. */
static int take_message(struct jsonrpc *rpc)
{
	size_t len, used, skipped;
	const char *data = (const char *)stream_rx_data(rpc->stream, &len);
	struct sbuf whole = SBUF_INITIALIZER;
	int ret;

	if (!len)
		return 0;
	ret = json_frame_feed(&rpc->frame, data, len, &used, &skipped);
	if (ret < 0) {
		log_warn_rl(&rl, "%s: error parsing stream: %s", rpc->name,
			ret == -EMSGSIZE ? "message too long"
			: ret == -E2BIG  ? "message nested too deeply"
					 : "not a JSON message");
		return -EPROTO;
	}
	sbuf_put(&rpc->partial, data + skipped, used - skipped);
	stream_rx_consume(rpc->stream, used);
	if (!ret)
		return 0;
	whole = rpc->partial;
	sbuf_init(&rpc->partial);
	ret = handle_message(rpc, whole.data, whole.len);
	sbuf_uninit(&whole);
	return ret < 0 ? ret : 1;
}

/* Handles what is there, for about a millisecond. */
static void process(struct jsonrpc *rpc)
{
	int64_t deadline = clock_us() + SLICE_US;
	int ret = 0;

	rpc->running++;
	while (rpc->stream && !rpc->paused) {
		ret = take_message(rpc);
		if (ret <= 0 || rpc->closed)
			break;
		if (clock_us() >= deadline) {
			event_work_start(rpc->work);
			break;
		}
	}
	if (!rpc->closed && rpc->stream) {
		if (ret < 0)
			die(rpc, ret);
		else if (rpc->peer_closed && !rpc->paused && !event_work_is_pending(rpc->work))
			die(rpc, rpc->peer_error);
	}
	rpc->running--;
	if (rpc->closed && !rpc->running)
		destroy(rpc);
}

static bool on_work(void *aux)
{
	process(aux);
	return false;
}

static void on_connected(struct stream *stream, void *aux)
{
	struct jsonrpc *rpc = aux;

	if (rpc->cb->connected)
		rpc->cb->connected(rpc, rpc->aux);
}

static void on_readable(struct stream *stream, void *aux)
{
	process(aux);
}

static void on_drained(struct stream *stream, void *aux)
{
	struct jsonrpc *rpc = aux;

	if (rpc->cb->drained)
		rpc->cb->drained(rpc, rpc->aux);
}

static void on_closed(struct stream *stream, int error, void *aux)
{
	struct jsonrpc *rpc = aux;

	/* Messages that came before the end are still handled. */
	rpc->peer_closed = true;
	rpc->peer_error = error;
	process(rpc);
}

static const struct stream_callbacks callbacks = {
	.connected = on_connected,
	.readable = on_readable,
	.drained = on_drained,
	.closed = on_closed,
};

static struct jsonrpc *create(
	struct event_loop *loop, const char *name, const struct jsonrpc_callbacks *cb, void *aux)
{
	struct jsonrpc *rpc = xcalloc(1, sizeof(*rpc));

	rpc->name = xstrdup(name);
	rpc->cb = cb;
	rpc->aux = aux;
	rpc->work = event_work_create(loop, on_work, rpc);
	json_frame_init(&rpc->frame, JSONRPC_MAX_MESSAGE, JSONRPC_MAX_VALUES, JSONRPC_MAX_DEPTH);
	return rpc;
}

int jsonrpc_open(struct event_loop *loop, const char *name, uint16_t default_port,
	const struct jsonrpc_callbacks *cb, void *aux, struct jsonrpc **rpcp)
{
	struct jsonrpc *rpc = create(loop, name, cb, aux);
	int err = stream_open(loop, name, default_port, -1, &callbacks, rpc, &rpc->stream);

	if (err) {
		destroy(rpc);
		return err;
	}
	*rpcp = rpc;
	return 0;
}

struct jsonrpc *jsonrpc_from_stream(struct event_loop *loop, struct stream *stream,
	const struct jsonrpc_callbacks *cb, void *aux)
{
	struct jsonrpc *rpc = create(loop, stream_name(stream), cb, aux);

	rpc->stream = stream;
	stream_set_callbacks(stream, &callbacks, rpc);
	return rpc;
}

void jsonrpc_set_limits(struct jsonrpc *rpc, size_t max_rx_message, size_t max_rx_values,
	size_t max_tx_queued)
{
	rpc->frame.max_size = max_rx_message;
	rpc->frame.max_values = max_rx_values;
	if (rpc->stream)
		stream_set_tx_limit(rpc->stream, max_tx_queued);
}

void jsonrpc_set_auto_echo(struct jsonrpc *rpc, bool auto_echo)
{
	rpc->auto_echo = auto_echo;
}

void jsonrpc_pause_rx(struct jsonrpc *rpc, bool pause)
{
	if (rpc->paused == pause)
		return;
	rpc->paused = pause;
	if (!rpc->stream)
		return;
	stream_pause_rx(rpc->stream, pause);
	if (!pause)
		event_work_start(rpc->work);
}

/* Sending. */

/* Steals JSON. */
static int send_json(struct jsonrpc *rpc, json_t *json)
{
	char *text;
	int err;

	if (!json)
		fatal("malformed JSON-RPC message");
	if (!rpc->stream) {
		json_decref(json);
		return -EPIPE;
	}
	text = json_dumps(json, JSON_COMPACT);
	json_decref(json);
	if (!text)
		fatal("JSON can't be formatted");
	err = stream_write(rpc->stream, text, strlen(text));
	free(text);
	return err;
}

int jsonrpc_request(struct jsonrpc *rpc, const char *method, json_t *params, int64_t *idp)
{
	int64_t id = rpc->next_id++;

	if (idp)
		*idp = id;
	return send_json(rpc,
		json_pack("{sssosI}", "method", method, "params", params, "id", (json_int_t)id));
}

int jsonrpc_notify(struct jsonrpc *rpc, const char *method, json_t *params)
{
	return send_json(rpc, json_pack("{sssosn}", "method", method, "params", params, "id"));
}

int jsonrpc_reply(struct jsonrpc *rpc, json_t *result, json_t *id)
{
	return send_json(rpc, json_pack("{soso?sn}", "id", id, "result", result, "error"));
}

int jsonrpc_reply_error(struct jsonrpc *rpc, json_t *error, json_t *id)
{
	return send_json(rpc, json_pack("{soso?sn}", "id", id, "error", error, "result"));
}

const char *jsonrpc_name(const struct jsonrpc *rpc)
{
	return rpc->name;
}
