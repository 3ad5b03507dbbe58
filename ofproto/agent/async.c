/* SPDX-License-Identifier: Apache-2.0 */
#include "ofproto/agent/async.h"

#include <string.h>

#include "lib/clock.h"
#include "ofproto/agent/handler.h"
#include "ofproto/agent/resume.h"
#include "ofproto/wire/bundle.h"
#include "ofproto/wire/table.h"

/* Reasons of OpenFlow 1.4 that before it were all OFPR_ACTION. */
#define ACTION_REASONS (1u << OFPR_ACTION_SET | 1u << OFPR_GROUP | 1u << OFPR_PACKET_OUT)

void async_session_config(const struct of_session *session, struct async_config *config)
{
	if (session->has_async)
		*config = session->async;
	else if (session->wants_async)
		async_config_default(session->version, config);
	else
		memset(config, 0, sizeof *config);
}

void async_session_set_config(struct of_session *session, const struct async_config *config)
{
	uint32_t *const masks[2] = { session->async.primary, session->async.secondary };

	session->async = *config;
	session->has_async = true;
	for (int i = 0; i < 2; i++)
		if (session->version < OFP14_VERSION &&
			masks[i][ASYNC_PACKET_IN] & 1u << OFPR_ACTION)
			masks[i][ASYNC_PACKET_IN] |= ACTION_REASONS;
}

bool async_session_wants(
	const struct of_session *session, enum async_type type, unsigned int reason)
{
	struct async_config config;

	if (!of_session_is_ready(session))
		return false;
	/* Management sessions ask for it by a miss_send_len. */
	if (session->is_service && !session->miss_send_len)
		return false;
	async_session_config(session, &config);
	return ((session->role == OFPCR_ROLE_SECONDARY ? config.secondary : config.primary)[type] >>
		reason) & 1;
}

/* ------------------------------------------------------------------ packet-in */

static bool is_miss(uint8_t reason)
{
	return reason == OFPR_NO_MATCH || reason == OFPR_EXPLICIT_MISS ||
	       reason == OFPR_IMPLICIT_MISS;
}

static void send_packet_in(struct of_session *session, const struct packet_in *pin)
{
	struct pinsched *ps = session->schedulers[is_miss(pin->reason)];
	struct sbuf out = SBUF_INITIALIZER;

	packet_in_encode(pin, session->version, session->packet_in_format, &out);
	if (!ps || pinsched_put(ps, pin->match->flow.in_port, &out, clock_ms()))
		of_session_send_lossy(session, &out);
	sbuf_uninit(&out);
}

/* To those sessions of controller CONTROLLER_ID that want PIN. */
static void spread_packet_in(
	struct connmgr *mgr, const struct packet_in *pin, uint16_t controller_id)
{
	struct of_session *session;

	LIST_FOR_EACH (session, node, connmgr_sessions(mgr))
		if (session->controller_id == controller_id &&
			async_session_wants(session, ASYNC_PACKET_IN, pin->reason))
			send_packet_in(session, pin);
}

void async_packet_in(struct connmgr *mgr, const struct dp_punt *punt)
{
	struct packet_in_continuation continuation;
	struct flow metadata = punt->punt.metadata;
	struct match match;
	struct packet_in pin = {
		.packet = punt->frame,
		.packet_len = punt->frame_len,
		.total_len = punt->frame_len,
		.buffer_id = OFP_NO_BUFFER,
		.reason = punt->punt.reason,
		.table_id = punt->punt.table_id,
		.cookie = punt->punt.cookie,
		.match = &match,
		.userdata = punt->userdata,
		.userdata_len = punt->punt.userdata_len,
	};

	packet_in_match(&metadata, &match);
	if (punt->resume) {
		resume_keep(punt->resume, &continuation);
		pin.continuation = &continuation;
	}
	spread_packet_in(mgr, &pin, punt->punt.controller_id);
}

/* Reverse ARP as a host sends it that wants to be known: nothing comes of forwarding it. */
void async_bogus_packet_in(struct connmgr *mgr)
{
	uint8_t frame[60] = {
		0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x00, 0x23, 0x20, 0, 0, 0, 0x80, 0x35,
		0, 1, 0x08, 0, 6, 4, 0, 3, 0x00, 0x23, 0x20, 0, 0, 0, 0, 0, 0, 0, 0x00, 0x23, 0x20,
	};
	uint32_t noise = (uint32_t)clock_ns();
	struct match match;
	struct flow flow;
	struct packet_in pin = {
		.packet = frame,
		.packet_len = sizeof frame,
		.total_len = sizeof frame,
		.buffer_id = OFP_NO_BUFFER,
		.reason = OFPR_NO_MATCH,
		.cookie = BE64_MAX,
		.match = &match,
	};

	memcpy(frame + 9, &noise, 3);
	memcpy(frame + 25, &noise, 3);
	memcpy(frame + 35, &noise, 3);
	memset(&flow, 0, sizeof flow);
	flow.in_port = OFPP_LOCAL;
	packet_in_match(&flow, &match);
	spread_packet_in(mgr, &pin, 0);
}

/* ------------------------------------------------------------------ the others */

void async_flow_removed(struct connmgr *mgr, struct of_rule *rule)
{
	struct of_rule_stats stats = of_rule_stats(rule);
	int64_t age_ms = clock_ms() - rule->created_ms;
	struct sbuf out = SBUF_INITIALIZER;
	struct of_session *session;
	struct flow_removed fr = {
		.priority = (uint16_t)of_rule_priority(rule),
		.table_id = rule->pl.table_id,
		.reason = rule->removed_reason,
		.cookie = of_rule_cookie(rule),
		.duration_sec = (uint32_t)(age_ms / 1000),
		.duration_nsec = (uint32_t)(age_ms % 1000) * 1000000,
		.idle_timeout = rule->idle_timeout,
		.hard_timeout = rule->hard_timeout,
		.packets = stats.packets,
		.bytes = stats.bytes,
	};

	cls_rule_get_match(&rule->pl.cr, &fr.match);
	LIST_FOR_EACH (session, node, connmgr_sessions(mgr)) {
		if (!async_session_wants(session, ASYNC_FLOW_REMOVED, fr.reason))
			continue;
		flow_removed_encode(&fr, &session->format, &out);
		of_session_send(session, &out);
	}
	sbuf_uninit(&out);
}

void async_port_status(struct connmgr *mgr, const struct port_desc *old,
	const struct port_desc *now, enum ofp_port_reason reason, const struct of_session *source)
{
	struct sbuf out = SBUF_INITIALIZER, before = SBUF_INITIALIZER;
	struct of_session *session;

	LIST_FOR_EACH (session, node, connmgr_sessions(mgr)) {
		if (!async_session_wants(session, ASYNC_PORT_STATUS, reason))
			continue;
		/* Before 1.5 who asked for a change is not told of it. */
		if (session == source && session->version < OFP15_VERSION)
			continue;
		port_status_encode(now, reason, session->version, &out);
		if (reason == OFPPR_MODIFY && old) {
			port_status_encode(old, reason, session->version, &before);
			if (before.len == out.len && !memcmp(before.data, out.data, out.len))
				sbuf_clear(&out);	/* Nothing that this version can say. */
			sbuf_clear(&before);
		}
		of_session_send(session, &out);
	}
	sbuf_uninit(&before);
	sbuf_uninit(&out);
}

void async_table_status(struct connmgr *mgr, uint8_t table_id, enum ofp_table_reason reason)
{
	struct sbuf out = SBUF_INITIALIZER;
	struct of_session *session;
	struct table_desc td;

	LIST_FOR_EACH (session, node, connmgr_sessions(mgr)) {
		if (!msg_exists(session->version, OFPTYPE_TABLE_STATUS) ||
			!async_session_wants(session, ASYNC_TABLE_STATUS, reason))
			continue;
		handler_describe_table(&session->ofproto->state, table_id, &td);
		table_status_encode(&td, reason, session->version, &out);
		of_session_send(session, &out);
	}
	sbuf_uninit(&out);
}

void async_requestforward(
	struct connmgr *mgr, const struct of_session *source, const struct msg *msg)
{
	unsigned int reason = msg->type == OFPTYPE_METER_MOD ? 1 : 0;
	struct sbuf out = SBUF_INITIALIZER;
	struct of_session *session;

	LIST_FOR_EACH (session, node, connmgr_sessions(mgr)) {
		/* The request is forwarded as it came, to those who speak its version. */
		if (session == source || session->version != msg->version ||
			!msg_exists(session->version, OFPTYPE_REQUESTFORWARD) ||
			!async_session_wants(session, ASYNC_REQUESTFORWARD, reason))
			continue;
		requestforward_encode(msg->data, msg->len, session->version, &out);
		of_session_send(session, &out);
	}
	sbuf_uninit(&out);
}
