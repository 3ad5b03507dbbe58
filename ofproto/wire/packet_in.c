/* SPDX-License-Identifier: Apache-2.0 */

#include "ofproto/wire/packet_in.h"

#include "ofproto/wire/oxm.h"
#include "ofproto/wire/packet_in2.h"

static const struct match no_match;

uint8_t packet_in_reason_for(uint8_t reason, enum ofp_version version)
{
	switch (reason) {
	case OFPR_ACTION_SET:
	case OFPR_GROUP:
	case OFPR_PACKET_OUT:
		return version < OFP14_VERSION ? OFPR_ACTION : reason;
	case OFPR_EXPLICIT_MISS:
		return version < OFP13_VERSION ? OFPR_ACTION : OFPR_NO_MATCH;
	case OFPR_IMPLICIT_MISS:
		return OFPR_NO_MATCH;
	default:
		return reason;
	}
}

/* ------------------------------------------------------------------ writing */

static void put10(const struct packet_in *pin, struct sbuf *out)
{
	put_u32(out, pin->buffer_id);
	put_u16(out, (uint16_t)pin->total_len);
	put_u16(out, ofp_port_to_16(pin->match->flow.in_port));
	put_u8(out, packet_in_reason_for(pin->reason, OFP10_VERSION));
	put_pad(out, 1);
}

static void put11(const struct packet_in *pin, struct sbuf *out)
{
	put_u32(out, pin->buffer_id);
	put_u32(out, pin->match->flow.in_port);
	put_u32(out, pin->match->flow.in_port);
	put_u16(out, (uint16_t)pin->total_len);
	put_u8(out, packet_in_reason_for(pin->reason, OFP11_VERSION));
	put_u8(out, pin->table_id);
}

static void put12(const struct packet_in *pin, enum ofp_version version, struct sbuf *out)
{
	put_u32(out, pin->buffer_id);
	put_u16(out, (uint16_t)pin->total_len);
	put_u8(out, packet_in_reason_for(pin->reason, version));
	put_u8(out, pin->table_id);
	if (version >= OFP13_VERSION)
		put_be64(out, pin->cookie);
	oxm_put_match(out, pin->match, version);
	put_pad(out, 2);
}

static void put_nx(const struct packet_in *pin, enum ofp_version version, struct sbuf *out)
{
	size_t match_len, match_len_ofs;

	put_u32(out, pin->buffer_id);
	put_u16(out, (uint16_t)pin->total_len);
	put_u8(out, packet_in_reason_for(pin->reason, version));
	put_u8(out, pin->table_id);
	put_be64(out, pin->cookie);
	match_len_ofs = out->len;
	put_pad(out, 8);
	match_len = nxm_put_match(out, pin->match, 0, 0);
	put_pad(out, (-match_len & 7) + 2);
	put_u16_at(out, match_len_ofs, (uint16_t)match_len);
}

/* No message holds more than 64 KB. */
static size_t room(const struct sbuf *out, size_t start, size_t want)
{
	size_t left = OFP_MAX_MSG_LEN - (out->len - start);

	return want < left ? want : left;
}

void packet_in_encode(const struct packet_in *pin, enum ofp_version version,
	enum packet_in_format format, struct sbuf *out)
{
	struct packet_in p = *pin;
	size_t start;

	if (!p.match)
		p.match = &no_match;
	if (format == PACKET_IN_NXT2) {
		packet_in2_encode(&p, version, out);
		return;
	}
	start = msg_begin(out, version, OFPTYPE_PACKET_IN,
		format == PACKET_IN_NXT ? MSG_NXT : MSG_OFPT, OFP_NO_XID);
	if (format == PACKET_IN_NXT)
		put_nx(&p, version, out);
	else if (version == OFP10_VERSION)
		put10(&p, out);
	else if (version == OFP11_VERSION)
		put11(&p, out);
	else
		put12(&p, version, out);
	sbuf_put(out, p.packet, room(out, start, p.packet_len));
	msg_end(out, start);
}

static void match_if_set(enum field_id id, const struct flow *flow, struct match *match)
{
	const struct field *f = field_from_id(id);
	union field_value value, ones;

	if (field_is_all_wild(f, flow))
		return;
	field_get(f, flow, &value);
	memset(&ones, 0xff, sizeof ones);
	field_set_match(f, &value, &ones, match);
}

static void match_ct(const struct flow *flow, struct match *match)
{
	static const enum field_id ids[] = {FIELD_CT_STATE, FIELD_CT_ZONE, FIELD_CT_MARK,
		FIELD_CT_LABEL, FIELD_CT_NW_SRC, FIELD_CT_NW_DST, FIELD_CT_IPV6_SRC,
		FIELD_CT_IPV6_DST, FIELD_CT_NW_PROTO, FIELD_CT_TP_SRC, FIELD_CT_TP_DST};

	if (!flow->ct_state)
		return;
	for (size_t i = 0; i < sizeof ids / sizeof ids[0]; i++)
		match_if_set(ids[i], flow, match);
}

void packet_in_match(const struct flow *flow, struct match *match)
{
	static const enum field_id tunnel[] = {FIELD_TUN_SRC, FIELD_TUN_DST, FIELD_TUN_IPV6_SRC,
		FIELD_TUN_IPV6_DST, FIELD_TUN_GBP_ID, FIELD_TUN_GBP_FLAGS};

	memset(match, 0, sizeof *match);
	match_if_set(FIELD_TUN_ID, flow, match);
	for (size_t i = 0; i < sizeof tunnel / sizeof tunnel[0]; i++)
		match_if_set(tunnel[i], flow, match);
	if (flow->tunnel.flags & FLOW_TNL_F_OAM)
		match_if_set(FIELD_TUN_FLAGS, flow, match);
	for (int i = 0; i < FLOW_TUN_METADATA_OPTS; i++)
		if (flow->tun_metadata.present >> i & 1)
			match_if_set((enum field_id)(FIELD_TUN_METADATA0 + i), flow, match);
	match_if_set(FIELD_METADATA, flow, match);
	for (int i = 0; i < FLOW_N_REGS; i++)
		match_if_set((enum field_id)(FIELD_REG0 + i), flow, match);
	match_if_set(FIELD_PKT_MARK, flow, match);
	match_ct(flow, match);
	match->flow.in_port = flow->in_port;
	match->mask.in_port = UINT32_MAX;
}

/* ------------------------------------------------------------------ reading */

static void in_port_take(struct packet_in_decoded *d, ofp_port_t port)
{
	d->match.flow.in_port = port;
	d->match.mask.in_port = UINT32_MAX;
}

static enum ofp_error take10(struct cursor *c, struct packet_in_decoded *d)
{
	ofp_port_t port;

	d->pin.buffer_id = cursor_u32(c);
	d->pin.total_len = cursor_u16(c);
	ofp_port_from_16(cursor_u16(c), &port);
	in_port_take(d, port);
	d->pin.reason = cursor_u8(c);
	cursor_skip(c, 1);
	return OFP_OK;
}

static enum ofp_error take11(struct cursor *c, struct packet_in_decoded *d)
{
	ofp_port_t port;

	d->pin.buffer_id = cursor_u32(c);
	if (!ofp_port_from_32(cursor_u32(c), &port))
		return OFPBAC_BAD_OUT_PORT;
	in_port_take(d, port);
	cursor_skip(c, 4);
	d->pin.total_len = cursor_u16(c);
	d->pin.reason = cursor_u8(c);
	d->pin.table_id = cursor_u8(c);
	return OFP_OK;
}

static enum ofp_error take12(struct cursor *c, enum ofp_version version,
	struct packet_in_decoded *d)
{
	enum ofp_error error;

	d->pin.buffer_id = cursor_u32(c);
	d->pin.total_len = cursor_u16(c);
	d->pin.reason = cursor_u8(c);
	d->pin.table_id = cursor_u8(c);
	if (version >= OFP13_VERSION)
		d->pin.cookie = cursor_be64(c);
	error = oxm_decode_match(c, version, true, &d->match);
	cursor_skip(c, 2);
	return error;
}

static enum ofp_error take_nx(struct cursor *c, struct packet_in_decoded *d)
{
	struct cursor tlvs;
	uint16_t match_len;

	d->pin.buffer_id = cursor_u32(c);
	d->pin.total_len = cursor_u16(c);
	d->pin.reason = cursor_u8(c);
	d->pin.table_id = cursor_u8(c);
	d->pin.cookie = cursor_be64(c);
	match_len = cursor_u16(c);
	cursor_skip(c, 6);
	tlvs = cursor_sub(c, match_len);
	cursor_skip(c, (-(unsigned int)match_len & 7) + 2);
	return cursor_ok(c) ? nxm_decode_match(&tlvs, true, &d->match, NULL, NULL) : OFPBRC_BAD_LEN;
}

static void decoded_init(struct packet_in_decoded *d)
{
	memset(d, 0, sizeof *d);
	act_builder_init(&d->acts);
	act_builder_init(&d->action_set);
	d->pin.cookie = BE64_MAX;
	d->pin.buffer_id = OFP_NO_BUFFER;
	d->continuation.odp_port = OFPP_NONE;
}

void packet_in_decoded_uninit(struct packet_in_decoded *d)
{
	act_builder_uninit(&d->acts);
	act_builder_uninit(&d->action_set);
}

static enum ofp_error standard_decode(const struct msg *msg, struct packet_in_decoded *d)
{
	struct cursor c = msg->body;
	enum ofp_error error;

	if (msg->family == MSG_NXT)
		error = take_nx(&c, d);
	else if (msg->version == OFP10_VERSION)
		error = take10(&c, d);
	else if (msg->version == OFP11_VERSION)
		error = take11(&c, d);
	else
		error = take12(&c, msg->version, d);
	if (error)
		return error;
	if (!cursor_ok(&c))
		return OFPBRC_BAD_LEN;
	d->pin.packet_len = cursor_left(&c);
	d->pin.packet = cursor_take(&c, d->pin.packet_len);
	return OFP_OK;
}

enum ofp_error packet_in_decode(const struct msg *msg, struct packet_in_decoded *d)
{
	bool v2 = msg->type == OFPTYPE_RESUME || (msg->family == MSG_NXT && msg->number == 30);
	enum ofp_error error;

	decoded_init(d);
	error = v2 ? packet_in2_decode(msg, d) : standard_decode(msg, d);
	d->pin.match = &d->match;
	if (error)
		packet_in_decoded_uninit(d);
	return error;
}

enum ofp_error resume_decode(const struct msg *msg, struct packet_in_decoded *d)
{
	return packet_in_decode(msg, d);
}
