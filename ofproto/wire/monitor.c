/* SPDX-License-Identifier: Apache-2.0 */

#include "ofproto/wire/monitor.h"

#include "ofproto/wire/action.h"
#include "ofproto/wire/oxm.h"

#define KINDS (MONITOR_ADD | MONITOR_DELETE | MONITOR_MODIFY)
#define FLAGS_NX (MONITOR_INITIAL | KINDS | MONITOR_ACTIONS | MONITOR_OWN)
#define FLAGS_14 (FLAGS_NX | MONITOR_ONLY_OWN)

/* ------------------------------------------------------------------ requests */

static enum ofp_error flags_check(uint16_t flags, uint16_t known)
{
	return flags & KINDS && !(flags & ~known) ? OFP_OK : OFPMOFC_BAD_FLAGS;
}

static enum ofp_error request_nx(struct cursor *c, struct monitor_request *mr)
{
	uint16_t match_len;
	struct cursor tlvs;
	enum ofp_error error;

	mr->id = cursor_u32(c);
	mr->flags = cursor_u16(c);
	ofp_port_from_16(cursor_u16(c), &mr->out_port);
	match_len = cursor_u16(c);
	mr->table_id = cursor_u8(c);
	error = flags_check(mr->flags, FLAGS_NX);
	if (error)
		return error;
	if (!cursor_zeros(c, 5))
		return cursor_ok(c) ? NXBRC_MUST_BE_ZERO : OFPBRC_BAD_LEN;
	tlvs = cursor_sub(c, match_len);
	cursor_skip(c, -(unsigned int)match_len & 7);
	return cursor_ok(c) ? nxm_decode_match(&tlvs, false, &mr->match, NULL, NULL)
			    : OFPBMC_BAD_LEN;
}

static enum ofp_error request_onf(struct cursor *c, struct monitor_request *mr)
{
	uint32_t out_port;
	enum ofp_error error;

	mr->id = cursor_u32(c);
	mr->flags = cursor_u16(c);
	cursor_skip(c, 2);
	out_port = cursor_u32(c);
	mr->table_id = cursor_u8(c);
	error = flags_check(mr->flags, FLAGS_NX);
	if (error)
		return error;
	if (!cursor_zeros(c, 3))
		return cursor_ok(c) ? NXBRC_MUST_BE_ZERO : OFPBRC_BAD_LEN;
	if (!ofp_port_from_32(out_port, &mr->out_port))
		return OFPBAC_BAD_OUT_PORT;
	return oxm_decode_match(c, OFP13_VERSION, false, &mr->match);
}

static enum ofp_error request14(struct cursor *c, enum ofp_version version,
	struct monitor_request *mr)
{
	uint32_t out_port;
	enum ofp_error error;

	mr->id = cursor_u32(c);
	out_port = cursor_u32(c);
	mr->out_group = cursor_u32(c);
	mr->flags = cursor_u16(c);
	mr->table_id = cursor_u8(c);
	mr->command = cursor_u8(c);
	if (!cursor_ok(c))
		return OFPBRC_BAD_LEN;
	if (mr->command > MONITOR_CMD_DELETE)
		return OFPMOFC_BAD_COMMAND;
	if (mr->command != MONITOR_CMD_DELETE) {
		error = flags_check(mr->flags, FLAGS_14);
		if (error)
			return error;
		if (!ofp_port_from_32(out_port, &mr->out_port))
			return OFPBAC_BAD_OUT_PORT;
	}
	return oxm_decode_match(c, version, false, &mr->match);
}

enum ofp_error monitor_request_take(const struct msg *msg, struct cursor *c,
	struct monitor_request *mr, bool *more)
{
	struct monitor_request m = {.command = MONITOR_CMD_ADD, .out_port = OFPP_NONE,
		.out_group = OFP_GROUP_ANY};
	enum ofp_error error;

	*more = false;
	if (!cursor_left(c))
		return OFP_OK;
	if (cursor_left(c) < 16)
		return OFPBRC_BAD_LEN;
	if (msg->family == MSG_NXST)
		error = request_nx(c, &m);
	else if (msg->family == MSG_ONFST)
		error = request_onf(c, &m);
	else
		error = request14(c, msg->version, &m);
	if (error)
		return error;
	*mr = m;
	*more = true;
	return OFP_OK;
}

/* ------------------------------------------------------------------ updates */

enum {
	OFPFME_INITIAL,
	OFPFME_ADDED,
	OFPFME_REMOVED,
	OFPFME_MODIFIED,
	OFPFME_ABBREV,
	OFPFME_PAUSED,
	OFPFME_RESUMED,
};

static uint16_t event_number(uint8_t event, enum ofp_version version)
{
	static const uint16_t numbers14[] = {
		[MONITOR_EVENT_ADDED] = OFPFME_ADDED,
		[MONITOR_EVENT_DELETED] = OFPFME_REMOVED,
		[MONITOR_EVENT_MODIFIED] = OFPFME_MODIFIED,
		[MONITOR_EVENT_ABBREV] = OFPFME_ABBREV,
		[MONITOR_EVENT_INITIAL] = OFPFME_INITIAL,
	};

	if (version >= OFP14_VERSION)
		return numbers14[event];
	return event == MONITOR_EVENT_INITIAL ? MONITOR_EVENT_ADDED : event;
}

static void put_full_nx(struct sbuf *out, enum ofp_version version, const struct monitor_update *mu)
{
	size_t match_len, match_len_ofs, match;

	put_u16(out, mu->event == MONITOR_EVENT_DELETED ? mu->reason : 0);
	put_u16(out, mu->priority);
	put_u16(out, mu->idle_timeout);
	put_u16(out, mu->hard_timeout);
	match_len_ofs = out->len;
	put_u16(out, 0);
	put_u8(out, mu->table_id);
	put_pad(out, 1);
	put_be64(out, mu->cookie);
	match = out->len;
	if (version == OFP13_VERSION) {
		oxm_put_match(out, mu->match, version);
		match_len = out->len - match;
	} else {
		match_len = nxm_put_match(out, mu->match, 0, 0);
		put_pad(out, -match_len & 7);
	}
	put_u16_at(out, match_len_ofs, (uint16_t)match_len);
}

static void put_full14(struct sbuf *out, enum ofp_version version, const struct monitor_update *mu)
{
	put_u8(out, mu->table_id);
	put_u8(out, mu->event == MONITOR_EVENT_DELETED ? mu->reason : 0);
	put_u16(out, mu->idle_timeout);
	put_u16(out, mu->hard_timeout);
	put_u16(out, mu->priority);
	put_pad(out, 4);
	put_be64(out, mu->cookie);
	oxm_put_match(out, mu->match, version);
}

void monitor_update_put(struct mp_reply *mp, const struct monitor_update *mu)
{
	struct sbuf *out = mp->out;
	size_t start;

	mp_entry_begin(mp);
	start = out->len;
	put_u16(out, 0);
	put_u16(out, event_number(mu->event, mp->version));
	if (mu->event == MONITOR_EVENT_ABBREV) {
		put_be32(out, mu->xid);
	} else {
		if (mp->version >= OFP14_VERSION)
			put_full14(out, mp->version, mu);
		else
			put_full_nx(out, mp->version, mu);
		if (mu->acts && mp->version >= OFP13_VERSION)
			insts_encode(mu->acts, mu->acts_len, mp->version, out);
		else if (mu->acts)
			acts_encode(mu->acts, mu->acts_len, mp->version, out);
	}
	put_u16_at(out, start, (uint16_t)(out->len - start));
	mp_entry_end(mp);
}

enum ofp_error monitor_cancel_decode(const struct msg *msg, uint32_t *id)
{
	struct cursor c = msg->body;

	*id = cursor_u32(&c);
	return cursor_ok(&c) ? OFP_OK : OFPBRC_BAD_LEN;
}

static void put_flow_control(enum ofp_version version, enum ofp_type type, uint16_t event,
	struct sbuf *out)
{
	size_t start;

	if (version < OFP14_VERSION) {
		msg_put_empty(out, version, type, OFP_NO_XID);
		return;
	}
	start = msg_begin(out, version, OFPTYPE_FLOW_MONITOR_REPLY, MSG_OFPST, OFP_NO_XID);
	put_u16(out, 8);
	put_u16(out, event);
	put_pad(out, 4);
	msg_end(out, start);
}

void monitor_paused_encode(enum ofp_version version, struct sbuf *out)
{
	put_flow_control(version, OFPTYPE_FLOW_MONITOR_PAUSED, OFPFME_PAUSED, out);
}

void monitor_resumed_encode(enum ofp_version version, struct sbuf *out)
{
	put_flow_control(version, OFPTYPE_FLOW_MONITOR_RESUMED, OFPFME_RESUMED, out);
}
