/* SPDX-License-Identifier: Apache-2.0 */

#include "ofproto/wire/flow_mod.h"
#include "ofproto/wire/oxm.h"
#include "ofproto/wire/oxs.h"

static uint64_t known(uint64_t counter)
{
	return counter == OFP_COUNTER_UNKNOWN ? 0 : counter;
}

static uint8_t reason_for(uint8_t reason, enum ofp_version version)
{
	return reason == OFPRR_METER_DELETE && version < OFP14_VERSION ? OFPRR_DELETE : reason;
}

static void put10(const struct flow_removed *fr, struct sbuf *out)
{
	ofp10_put_match(out, &fr->match);
	put_be64(out, fr->cookie);
	put_u16(out, fr->priority);
	put_u8(out, reason_for(fr->reason, OFP10_VERSION));
	put_pad(out, 1);
	put_u32(out, fr->duration_sec);
	put_u32(out, fr->duration_nsec);
	put_u16(out, fr->idle_timeout);
	put_pad(out, 2);
	put_u64(out, known(fr->packets));
	put_u64(out, known(fr->bytes));
}

static void put_nx(const struct flow_removed *fr, struct sbuf *out)
{
	size_t match_len, match_len_ofs;

	put_be64(out, fr->cookie);
	put_u16(out, fr->priority);
	put_u8(out, reason_for(fr->reason, OFP10_VERSION));
	put_u8(out, (uint8_t)(fr->table_id + 1));
	put_u32(out, fr->duration_sec);
	put_u32(out, fr->duration_nsec);
	put_u16(out, fr->idle_timeout);
	match_len_ofs = out->len;
	put_u16(out, 0);
	put_u64(out, fr->packets);
	put_u64(out, fr->bytes);
	match_len = nxm_put_match(out, &fr->match, 0, 0);
	put_pad(out, -match_len & 7);
	put_u16_at(out, match_len_ofs, (uint16_t)match_len);
}

static void put11(const struct flow_removed *fr, enum ofp_version version, struct sbuf *out)
{
	put_be64(out, fr->cookie);
	put_u16(out, fr->priority);
	put_u8(out, reason_for(fr->reason, version));
	put_u8(out, fr->table_id);
	put_u32(out, fr->duration_sec);
	put_u32(out, fr->duration_nsec);
	put_u16(out, fr->idle_timeout);
	put_u16(out, version >= OFP12_VERSION ? fr->hard_timeout : 0);
	put_u64(out, fr->packets);
	put_u64(out, fr->bytes);
	oxm_put_match(out, &fr->match, version);
}

static void put15(const struct flow_removed *fr, struct sbuf *out)
{
	struct oxs oxs = OXS_NONE;

	put_u8(out, fr->table_id);
	put_u8(out, fr->reason);
	put_u16(out, fr->priority);
	put_u16(out, fr->idle_timeout);
	put_u16(out, fr->hard_timeout);
	put_be64(out, fr->cookie);
	oxm_put_match(out, &fr->match, OFP15_VERSION);
	oxs.duration_sec = fr->duration_sec;
	oxs.duration_nsec = fr->duration_nsec;
	oxs.packets = fr->packets;
	oxs.bytes = fr->bytes;
	oxs_put(out, &oxs);
}

void flow_removed_encode(const struct flow_removed *fr, const struct flow_format *format,
	struct sbuf *out)
{
	enum ofp_version version = format->version;
	bool nx = version == OFP10_VERSION && format->nxm;
	size_t start = msg_begin(out, version, OFPTYPE_FLOW_REMOVED, nx ? MSG_NXT : MSG_OFPT,
		OFP_NO_XID);

	if (nx)
		put_nx(fr, out);
	else if (version == OFP10_VERSION)
		put10(fr, out);
	else if (version < OFP15_VERSION)
		put11(fr, version, out);
	else
		put15(fr, out);
	msg_end(out, start);
}

static enum ofp_error take10(struct cursor *c, struct flow_removed *fr)
{
	enum ofp_error error = ofp10_decode_match(c, &fr->match);

	fr->cookie = cursor_be64(c);
	fr->priority = cursor_u16(c);
	fr->reason = cursor_u8(c);
	cursor_skip(c, 1);
	fr->table_id = OFP_TABLE_ALL;
	fr->duration_sec = cursor_u32(c);
	fr->duration_nsec = cursor_u32(c);
	fr->idle_timeout = cursor_u16(c);
	cursor_skip(c, 2);
	fr->packets = cursor_u64(c);
	fr->bytes = cursor_u64(c);
	return error;
}

static enum ofp_error take_nx(struct cursor *c, struct flow_removed *fr)
{
	uint16_t match_len;
	struct cursor tlvs;
	uint8_t table;

	fr->cookie = cursor_be64(c);
	fr->priority = cursor_u16(c);
	fr->reason = cursor_u8(c);
	table = cursor_u8(c);
	fr->table_id = table ? table - 1 : OFP_TABLE_ALL;
	fr->duration_sec = cursor_u32(c);
	fr->duration_nsec = cursor_u32(c);
	fr->idle_timeout = cursor_u16(c);
	match_len = cursor_u16(c);
	fr->packets = cursor_u64(c);
	fr->bytes = cursor_u64(c);
	tlvs = cursor_sub(c, match_len);
	cursor_skip(c, -(unsigned int)match_len & 7);
	if (!cursor_ok(c))
		return OFPBMC_BAD_LEN;
	return cursor_left(c) ? OFPBRC_BAD_LEN : nxm_decode_match(&tlvs, false, &fr->match, NULL, NULL);
}

static enum ofp_error take11(struct cursor *c, enum ofp_version version, struct flow_removed *fr)
{
	fr->cookie = cursor_be64(c);
	fr->priority = cursor_u16(c);
	fr->reason = cursor_u8(c);
	fr->table_id = cursor_u8(c);
	fr->duration_sec = cursor_u32(c);
	fr->duration_nsec = cursor_u32(c);
	fr->idle_timeout = cursor_u16(c);
	fr->hard_timeout = cursor_u16(c);
	fr->packets = cursor_u64(c);
	fr->bytes = cursor_u64(c);
	return oxm_decode_match(c, version, false, &fr->match);
}

static enum ofp_error take15(struct cursor *c, struct flow_removed *fr)
{
	enum ofp_error error;
	struct oxs oxs;

	fr->table_id = cursor_u8(c);
	fr->reason = cursor_u8(c);
	fr->priority = cursor_u16(c);
	fr->idle_timeout = cursor_u16(c);
	fr->hard_timeout = cursor_u16(c);
	fr->cookie = cursor_be64(c);
	error = oxm_decode_match(c, OFP15_VERSION, false, &fr->match);
	if (!error)
		error = oxs_take(c, &oxs);
	if (error)
		return error;
	fr->duration_sec = oxs.duration_sec;
	fr->duration_nsec = oxs.duration_nsec;
	fr->packets = oxs.packets;
	fr->bytes = oxs.bytes;
	return OFP_OK;
}

enum ofp_error flow_removed_decode(const struct msg *msg, struct flow_removed *fr)
{
	struct cursor c = msg->body;
	struct flow_removed f = {0};
	enum ofp_error error;

	if (msg->family == MSG_NXT)
		error = take_nx(&c, &f);
	else if (msg->version == OFP10_VERSION)
		error = take10(&c, &f);
	else if (msg->version < OFP15_VERSION)
		error = take11(&c, msg->version, &f);
	else
		error = take15(&c, &f);
	if (!error && !cursor_ok(&c))
		error = OFPBRC_BAD_LEN;
	if (!error)
		*fr = f;
	return error;
}
