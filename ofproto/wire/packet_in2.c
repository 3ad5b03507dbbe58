/* SPDX-License-Identifier: Apache-2.0 */

#include "ofproto/wire/packet_in2.h"

#include "ofproto/wire/action.h"
#include "ofproto/wire/oxm.h"

#define NXT_PACKET_IN2 30

enum {
	NXPINT_PACKET,
	NXPINT_FULL_LEN,
	NXPINT_BUFFER_ID,
	NXPINT_TABLE_ID,
	NXPINT_COOKIE,
	NXPINT_REASON,
	NXPINT_METADATA,
	NXPINT_USERDATA,
	NXPINT_CONTINUATION,
};

/* Inside the continuation: our own business, though numbered as Open vSwitch does. */
enum {
	NXCPT_BRIDGE = 0x8000,
	NXCPT_STACK,
	NXCPT_MIRRORS,
	NXCPT_CONNTRACKED,
	NXCPT_TABLE_ID,
	NXCPT_COOKIE,
	NXCPT_ACTIONS,
	NXCPT_ACTION_SET,
	NXCPT_ODP_PORT,
};

/* From here on, whoever doesn't know a property may ignore it. */
#define PROP_IGNORABLE 0x8000

/* The version in which a continuation's actions are written, whatever the session speaks: it has all. */
#define ACTS_VERSION OFP13_VERSION

/* ------------------------------------------------------------------ writing */

static void put_acts_prop(struct sbuf *out, uint64_t type, const struct act *acts, size_t len)
{
	size_t start = prop_begin(out, type);

	put_pad(out, 4);
	insts_encode(acts, len, ACTS_VERSION, out);
	prop_end(out, start);
}

static void put_continuation(const struct packet_in_continuation *pc, struct sbuf *out)
{
	size_t start = prop_begin(out, NXPINT_CONTINUATION);

	put_pad(out, 4);
	prop_put_bytes(out, NXCPT_BRIDGE, pc->bridge, sizeof pc->bridge);
	if (pc->stack_len)
		prop_put_bytes(out, NXCPT_STACK, pc->stack, pc->stack_len);
	if (pc->mirrors)
		prop_put_u32(out, NXCPT_MIRRORS, pc->mirrors);
	if (pc->conntracked)
		prop_put_bytes(out, NXCPT_CONNTRACKED, "", 0);
	prop_put_u8(out, NXCPT_TABLE_ID, pc->table_id);
	prop_put_u64(out, NXCPT_COOKIE, be64toh(pc->cookie));
	if (pc->acts_len)
		put_acts_prop(out, NXCPT_ACTIONS, pc->acts, pc->acts_len);
	if (pc->action_set_len)
		put_acts_prop(out, NXCPT_ACTION_SET, pc->action_set, pc->action_set_len);
	if (pc->odp_port != OFPP_NONE)
		prop_put_u32(out, NXCPT_ODP_PORT, pc->odp_port);
	prop_end(out, start);
}

void packet_in2_encode(const struct packet_in *pin, enum ofp_version version, struct sbuf *out)
{
	size_t start = msg_begin_number(out, version, MSG_NXT, NXT_PACKET_IN2, OFP_NO_XID);
	size_t prop;

	prop_put_bytes(out, NXPINT_PACKET, pin->packet, pin->packet_len);
	if (pin->total_len != pin->packet_len)
		prop_put_u32(out, NXPINT_FULL_LEN, (uint32_t)pin->total_len);
	prop_put_u8(out, NXPINT_TABLE_ID, pin->table_id);
	if (pin->cookie != BE64_MAX)
		prop_put_u64(out, NXPINT_COOKIE, be64toh(pin->cookie));
	prop_put_u8(out, NXPINT_REASON, packet_in_reason_for(pin->reason, version));
	prop = prop_begin(out, NXPINT_METADATA);
	oxm_put_tlvs(out, pin->match, version);
	prop_end(out, prop);
	if (pin->continuation)
		put_continuation(pin->continuation, out);
	if (pin->userdata_len)
		prop_put_bytes(out, NXPINT_USERDATA, pin->userdata, pin->userdata_len);

	/* Nobody can read what does not fit: such a packet is not sent up. */
	if (out->len - start > OFP_MAX_MSG_LEN)
		sbuf_truncate(out, start);
	else
		msg_end(out, start);
}

/* ------------------------------------------------------------------ reading */

static enum ofp_error take_bytes(struct prop *p, const void **bytes, size_t *len)
{
	*len = cursor_left(&p->body);
	*bytes = cursor_take(&p->body, *len);
	return OFP_OK;
}

static enum ofp_error take_be64(struct prop *p, be64 *v)
{
	uint64_t host = 0;
	enum ofp_error error = prop_take_u64(p, &host);

	*v = htobe64(host);
	return error;
}

static enum ofp_error take_acts(struct prop *p, struct act_builder *b)
{
	cursor_skip(&p->body, 4);
	return cursor_ok(&p->body) ? insts_decode(&p->body, ACTS_VERSION, b) : OFPBPC_BAD_LEN;
}

static enum ofp_error continuation_prop(struct prop *p, struct packet_in_decoded *d)
{
	struct packet_in_continuation *pc = &d->continuation;

	switch (p->type) {
	case NXCPT_BRIDGE:
		if (cursor_left(&p->body) != sizeof pc->bridge)
			return OFPBPC_BAD_LEN;
		cursor_bytes(&p->body, pc->bridge, sizeof pc->bridge);
		return OFP_OK;
	case NXCPT_STACK:
		return take_bytes(p, &pc->stack, &pc->stack_len);
	case NXCPT_MIRRORS:
		return prop_take_u32(p, &pc->mirrors);
	case NXCPT_CONNTRACKED:
		pc->conntracked = true;
		return OFP_OK;
	case NXCPT_TABLE_ID:
		return prop_take_u8(p, &pc->table_id);
	case NXCPT_COOKIE:
		return take_be64(p, &pc->cookie);
	case NXCPT_ACTIONS:
		return take_acts(p, &d->acts);
	case NXCPT_ACTION_SET:
		return take_acts(p, &d->action_set);
	case NXCPT_ODP_PORT:
		return prop_take_u32(p, &pc->odp_port);
	default:
		return prop_unknown(p->type);
	}
}

static enum ofp_error take_continuation(struct prop *p, struct packet_in_decoded *d)
{
	struct cursor c = p->body;
	struct packet_in_continuation *pc = &d->continuation;

	cursor_skip(&c, 4);
	if (!cursor_ok(&c))
		return OFPBPC_BAD_LEN;
	for (;;) {
		struct prop inner;
		bool more;
		enum ofp_error error = prop_next(&c, &inner, &more);

		if (!error && more)
			error = continuation_prop(&inner, d);
		if (error)
			return error;
		if (!more)
			break;
	}
	pc->acts = (const struct act *)(const void *)d->acts.buf.data;
	pc->acts_len = d->acts.buf.len;
	pc->action_set = (const struct act *)(const void *)d->action_set.buf.data;
	pc->action_set_len = d->action_set.buf.len;
	d->pin.continuation = pc;
	return OFP_OK;
}

static enum ofp_error packet_in2_prop(struct prop *p, bool loose, struct packet_in_decoded *d)
{
	uint32_t u32 = 0;
	enum ofp_error error = OFP_OK;

	switch (p->type) {
	case NXPINT_PACKET:
		return take_bytes(p, &d->pin.packet, &d->pin.packet_len);
	case NXPINT_FULL_LEN:
		error = prop_take_u32(p, &u32);
		d->pin.total_len = u32;
		return error;
	case NXPINT_BUFFER_ID:
		return prop_take_u32(p, &d->pin.buffer_id);
	case NXPINT_TABLE_ID:
		return prop_take_u8(p, &d->pin.table_id);
	case NXPINT_COOKIE:
		return take_be64(p, &d->pin.cookie);
	case NXPINT_REASON:
		return prop_take_u8(p, &d->pin.reason);
	case NXPINT_METADATA:
		return oxm_decode_tlvs(&p->body, loose, &d->match);
	case NXPINT_USERDATA:
		return take_bytes(p, &d->pin.userdata, &d->pin.userdata_len);
	case NXPINT_CONTINUATION:
		return take_continuation(p, d);
	default:
		return loose && p->type >= PROP_IGNORABLE ? OFP_OK : prop_unknown(p->type);
	}
}

enum ofp_error packet_in2_decode(const struct msg *msg, struct packet_in_decoded *d)
{
	struct cursor c = msg->body;

	for (;;) {
		struct prop p;
		bool more;
		enum ofp_error error = prop_next(&c, &p, &more);

		if (!error && more)
			error = packet_in2_prop(&p, msg->type != OFPTYPE_RESUME, d);
		if (error)
			return error;
		if (!more)
			break;
	}
	if (!d->pin.packet_len)
		return OFPBRC_BAD_LEN;
	if (!d->pin.total_len)
		d->pin.total_len = d->pin.packet_len;
	return d->pin.total_len < d->pin.packet_len ? OFPBRC_BAD_LEN : OFP_OK;
}
