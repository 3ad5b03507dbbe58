/* SPDX-License-Identifier: Apache-2.0 */
#include "ofproto/agent/session.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "lib/clock.h"
#include "lib/coverage.h"
#include "lib/fatal.h"
#include "lib/log.h"
#include "ofproto/agent/async.h"
#include "ofproto/agent/handler.h"
#include "ofproto/agent/monitor.h"
#include "ofproto/agent/snoop.h"
#include "ofproto/state/bundle.h"

LOG_MODULE(rconn);
COVERAGE_DEFINE(rconn_overflow);

static struct log_rate_limit rl = LOG_RATE_LIMIT_INIT(10, 10);

#define REQUESTS_PER_TURN 50
#define TURN_US 1000			/* ... and no longer than this at a time. */
#define BACKLOG_PAUSE (512 * 1024)	/* Requests wait while the peer has this much to read. */
#define BACKLOG_LOSSY (256 * 1024)	/* Packet-ins are dropped from here on. */
#define LINGER_MS 1000			/* For a last error message to leave. */

static bool session_work(void *aux);
static void session_connected(struct stream *stream, void *aux);
static void session_readable(struct stream *stream, void *aux);
static void session_drained(struct stream *stream, void *aux);
static void session_stream_closed(struct stream *stream, int error, void *aux);

static const struct stream_callbacks session_callbacks = {
	.connected = session_connected,
	.readable = session_readable,
	.drained = session_drained,
	.closed = session_stream_closed,
};

/* ------------------------------------------------------------------ life */

static void session_say_hello(struct of_session *session)
{
	struct sbuf out = SBUF_INITIALIZER;

	hello_encode(session->versions, of_session_next_xid(session), &out);
	stream_write(session->stream, out.data, out.len);
	sbuf_uninit(&out);
}

struct of_session *of_session_create(struct ofproto *ofproto, struct stream *stream,
	uint32_t versions, bool is_service, struct of_session_owner *owner)
{
	struct of_session *session = xcalloc(1, sizeof *session);

	session->ofproto = ofproto;
	session->owner = owner;
	session->name = xasprintf("%s<->%s", ofproto->name, stream_name(stream));
	session->is_service = is_service;
	session->stream = stream;
	session->work = event_work_create(ofproto_globals.loop, session_work, session);
	session->versions = versions;
	session->wants_async = true;
	session->role = OFPCR_ROLE_EQUAL;
	session->miss_send_len = is_service ? 0 : OFP_DEFAULT_MISS_SEND_LEN;
	session->next_xid = htobe32(1);
	session->connected_ms = session->last_rx_ms = clock_ms();
	mp_assembler_init(&session->assembler);
	of_bundles_init(&session->bundles);
	of_monitors_init(&session->monitors);
	list_init(&session->node);
	list_init(&session->snoopers);
	stream_set_callbacks(stream, &session_callbacks, session);
	session_say_hello(session);
	return session;
}

static void session_end_dump(struct of_session *session)
{
	if (session->dump)
		session->dump->destroy(session->dump);
	session->dump = NULL;
}

void of_session_destroy(struct of_session *session)
{
	if (!session)
		return;
	list_remove(&session->node);
	session_end_dump(session);
	snoop_end(session);
	of_bundles_uninit(&session->bundles);
	of_monitors_uninit(&session->monitors);
	mp_assembler_uninit(&session->assembler);
	pinsched_destroy(session->schedulers[0]);
	pinsched_destroy(session->schedulers[1]);
	event_work_destroy(session->work);
	stream_close(session->stream);
	sbuf_uninit(&session->rx);
	free(session->name);
	free(session);
}

void of_session_close(struct of_session *session, int error)
{
	if (session->phase == OF_SESSION_DEAD)
		return;
	log_dbg("%s: closing (%s)", session->name, error ? strerror(-error) : "done");
	session->phase = OF_SESSION_DEAD;
	session->close_error = error;
	session->linger_until_ms = clock_ms() + LINGER_MS;
	session_end_dump(session);
	event_work_start(session->work);
}

be32 of_session_next_xid(struct of_session *session)
{
	be32 xid = session->next_xid;

	session->next_xid = htobe32(be32toh(xid) + 1);
	return xid;
}

/* ------------------------------------------------------------------ sending */

size_t of_session_backlog(const struct of_session *session)
{
	return stream_tx_queued(session->stream);
}

static void session_write(struct of_session *session, struct sbuf *out)
{
	int error;

	if (!out->len || session->phase == OF_SESSION_DEAD) {
		sbuf_clear(out);
		return;
	}
	error = stream_write(session->stream, out->data, out->len);
	if (!list_is_empty(&session->snoopers))
		snoop_copy(session, out->data, out->len);
	sbuf_clear(out);
	if (error == -ENOBUFS) {
		log_warn_rl(&rl, "%s: peer does not read, disconnecting", session->name);
		of_session_close(session, error);
	}
}

void of_session_send(struct of_session *session, struct sbuf *out)
{
	session_write(session, out);
}

bool of_session_send_lossy(struct of_session *session, struct sbuf *out)
{
	if (of_session_backlog(session) > BACKLOG_LOSSY) {
		COVERAGE_INC(rconn_overflow);
		if (!session->n_packet_ins_dropped++)
			log_info_rl(&rl, "%s: dropping packet-in due to queue overflow",
				session->name);
		sbuf_clear(out);
		return false;
	}
	session_write(session, out);
	return true;
}

void of_session_send_error(struct of_session *session, enum ofp_error error, const void *request,
	size_t len)
{
	struct sbuf out = SBUF_INITIALIZER;

	log_info_rl(&rl, "%s: sending %s error reply", session->name, ofp_error_name(error));
	error_encode(error, request, len, &out);
	session_write(session, &out);
	sbuf_uninit(&out);
}

void of_session_start_dump(struct of_session *session, struct of_dump *dump)
{
	if (session->phase != OF_SESSION_READY || session->dump) {
		dump->destroy(dump);
		return;
	}
	session->dump = dump;
	event_work_start(session->work);
}

/* ------------------------------------------------------------------ receiving */

static void session_refuse_versions(struct of_session *session, const struct msg *msg,
	const char *text)
{
	enum ofp_version ours = OFP10_VERSION;
	struct sbuf out = SBUF_INITIALIZER;

	for (unsigned int v = OFP10_VERSION; v <= OFP15_VERSION; v++)
		if (session->versions & OFP_VERSION_BIT(v))
			ours = (enum ofp_version)v;
	log_warn_rl(&rl, "%s: %s", session->name, text);
	error_encode_hello(OFPHFC_INCOMPATIBLE, ours, msg->xid, text, &out);
	session_write(session, &out);
	sbuf_uninit(&out);
	of_session_close(session, -EPROTO);
}

static void session_hello(struct of_session *session, const struct msg *msg)
{
	uint32_t theirs = 0;
	bool warn = false;
	char *text;

	if (msg->type != OFPTYPE_HELLO) {
		session_refuse_versions(session, msg, "received a message while expecting hello");
		return;
	}
	hello_decode(msg, &theirs, &warn);
	session->version = hello_negotiate(session->versions, theirs);
	if (!session->version) {
		text = xasprintf("We support versions %#x, you support versions %#x, "
			"no common versions.", session->versions, theirs);
		session_refuse_versions(session, msg, text);
		free(text);
		return;
	}
	session->format.version = session->version;
	session->format.nxm = session->version == OFP10_VERSION ? session->format.nxm : true;
	session->phase = OF_SESSION_READY;
	session->owner->ready(session->owner, session);
}

/* Messages that mean the same in every version. */
static bool any_version(const void *data)
{
	return msg_header_type(data) <= 3;
}

static void session_message(struct of_session *session, const void *data, size_t len)
{
	struct msg_whole whole;
	enum ofp_error error;
	struct msg msg;
	bool done;

	if (!list_is_empty(&session->snoopers))
		snoop_copy(session, data, len);
	if (session->phase == OF_SESSION_READY && msg_header_version(data) != session->version &&
		!any_version(data)) {
		log_warn_rl(&rl, "%s: received OpenFlow version 0x%02x != expected %02x",
			session->name, msg_header_version(data), session->version);
		of_session_send_error(session, OFPBRC_BAD_VERSION, data, len);
		of_session_close(session, -EPROTO);
		return;
	}
	error = msg_decode(data, len, &msg);
	if (session->phase == OF_SESSION_HELLO) {
		if (error)
			of_session_close(session, -EPROTO);
		else
			session_hello(session, &msg);
		return;
	}
	if (error) {
		of_session_send_error(session, error, data, len);
		return;
	}
	if (!msg_is_multipart_request(&msg)) {
		handle_message(session, &msg);
		return;
	}
	error = mp_assembler_put(&session->assembler, &msg, clock_ms(), &whole, &done);
	if (error)
		of_session_send_error(session, error, whole.msg.data, whole.msg.len);
	else if (done)
		handle_message(session, &whole.msg);
	msg_whole_uninit(&whole);
}

/* Takes one message, if one is there whole. */
static bool session_take(struct of_session *session)
{
	size_t have, len;
	const uint8_t *data = stream_rx_data(session->stream, &have);

	if (have < OFP_HEADER_LEN)
		return false;
	len = msg_header_len(data);
	if (len < OFP_HEADER_LEN) {
		log_warn_rl(
			&rl, "%s: received too short ofp_header::length (%zu)", session->name, len);
		of_session_close(session, -EPROTO);
		return false;
	}
	if (have < len)
		return false;
	sbuf_clear(&session->rx);
	sbuf_put(&session->rx, data, len);
	stream_rx_consume(session->stream, len);
	session->last_rx_ms = clock_ms();
	session->probing = false;
	session_message(session, session->rx.data, len);
	return true;
}

static bool session_may_go_on(const struct of_session *session)
{
	return session->phase != OF_SESSION_DEAD && !session->dump &&
		of_session_backlog(session) < BACKLOG_PAUSE;
}

static bool session_has_message(const struct of_session *session)
{
	size_t have, len;
	const uint8_t *data = stream_rx_data(session->stream, &have);

	if (have < OFP_HEADER_LEN)
		return false;
	len = msg_header_len(data);
	return len < OFP_HEADER_LEN || have >= len;
}

/* A turn's worth of requests; more are left to session_work(). */
static void session_serve(struct of_session *session)
{
	int64_t end_us = clock_us() + TURN_US;

	for (int i = 0; i < REQUESTS_PER_TURN && session_may_go_on(session); i++)
		if (!session_take(session) || clock_us() > end_us)
			break;
	if (session_may_go_on(session) && session_has_message(session))
		event_work_start(session->work);
}

static bool session_work(void *aux)
{
	struct of_session *session = aux;

	if (session->phase == OF_SESSION_DEAD) {
		if (!of_session_backlog(session) || clock_ms() >= session->linger_until_ms)
			session->owner->over(session->owner, session, session->close_error);
		return false;
	}
	if (session->dump) {
		if (of_session_backlog(session) >= BACKLOG_PAUSE)
			return false;
		if (session->dump->step(session->dump, session))
			return session->phase != OF_SESSION_DEAD;
		session_end_dump(session);
	}
	session_serve(session);
	return session_may_go_on(session) && session_has_message(session);
}

/* ------------------------------------------------------------------ stream events */

static void session_connected(struct stream *stream, void *aux)
{
}

static void session_readable(struct stream *stream, void *aux)
{
	session_serve(aux);
}

static void session_drained(struct stream *stream, void *aux)
{
	struct of_session *session = aux;

	if (session->phase == OF_SESSION_DEAD || session->dump || session_has_message(session))
		event_work_start(session->work);
}

static void session_stream_closed(struct stream *stream, int error, void *aux)
{
	struct of_session *session = aux;

	/* What it asked for before it hung up is still done. */
	session_end_dump(session);
	while (session->phase != OF_SESSION_DEAD && session_take(session))
		session_end_dump(session);
	if (session->phase == OF_SESSION_DEAD)
		error = session->close_error;
	session->phase = OF_SESSION_DEAD;
	session->owner->over(session->owner, session, error);
}

/* ------------------------------------------------------------------ timers */

static int64_t min_wait(int64_t a, int64_t b)
{
	return a < 0 ? b : b < 0 || a < b ? a : b;
}

static int64_t session_run_probe(struct of_session *session, int64_t now_ms)
{
	struct sbuf out = SBUF_INITIALIZER;
	int64_t left;

	if (!session->probe_interval_ms || session->phase == OF_SESSION_DEAD)
		return -1;
	left = session->last_rx_ms + session->probe_interval_ms *
		(session->probing ? INT64_C(2) : INT64_C(1)) - now_ms;
	if (left > 0)
		return left;
	if (session->probing || session->phase != OF_SESSION_READY) {
		log_err_rl(&rl,
			"%s: no response to inactivity probe after %d seconds, disconnecting",
			session->name, session->probe_interval_ms / 1000);
		of_session_close(session, -ETIMEDOUT);
		return 0;
	}
	session->probing = true;
	log_dbg("%s: idle %lld seconds, sending inactivity probe", session->name,
		(long long)(now_ms - session->last_rx_ms) / 1000);
	msg_put_echo_request(&out, session->version, 0);
	session_write(session, &out);
	sbuf_uninit(&out);
	return session->probe_interval_ms;
}

static int64_t session_run_schedulers(struct of_session *session, int64_t now_ms)
{
	struct sbuf out = SBUF_INITIALIZER;
	int64_t wait = -1;

	for (int i = 0; i < 2; i++) {
		if (!session->schedulers[i])
			continue;
		while (pinsched_take(session->schedulers[i], &out, now_ms))
			of_session_send_lossy(session, &out);
		wait = min_wait(wait, pinsched_wait_ms(session->schedulers[i], now_ms));
	}
	sbuf_uninit(&out);
	return wait;
}

static void session_log_ops(struct of_session *session, int64_t now_ms)
{
	unsigned int n = session->ops.n_add + session->ops.n_delete + session->ops.n_modify;

	if (n)
		log_info("%s: %u flow_mods in the last %lld s (%u adds, %u deletes, %u "
			 "modifications)",
			session->name, n, (long long)(now_ms - session->ops.first_ms) / 1000,
			session->ops.n_add, session->ops.n_delete, session->ops.n_modify);
	memset(&session->ops, 0, sizeof session->ops);
}

int64_t of_session_run(struct of_session *session, int64_t now_ms)
{
	struct sbuf out = SBUF_INITIALIZER;
	int64_t wait, next;

	if (session->phase == OF_SESSION_DEAD) {
		if (now_ms >= session->linger_until_ms)
			event_work_start(session->work);
		return session->linger_until_ms - now_ms + 1;
	}
	wait = session_run_probe(session, now_ms);
	wait = min_wait(wait, session_run_schedulers(session, now_ms));
	wait = min_wait(wait, of_bundles_expire(&session->bundles, now_ms, &out));
	next = mp_assembler_run(&session->assembler, now_ms, &out);
	if (next != INT64_MAX)
		wait = min_wait(wait, next > now_ms ? next - now_ms : 0);
	session_write(session, &out);
	sbuf_uninit(&out);
	if (session->ops.report_ms) {
		if (now_ms >= session->ops.report_ms)
			session_log_ops(session, now_ms);
		else
			wait = min_wait(wait, session->ops.report_ms - now_ms);
	}
	return wait;
}
