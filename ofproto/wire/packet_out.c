/* SPDX-License-Identifier: Apache-2.0 */

#include "ofproto/wire/packet_out.h"

#include "ofproto/wire/action.h"
#include "ofproto/wire/oxm.h"

void packet_out_uninit(struct packet_out *po)
{
	act_builder_uninit(&po->acts);
}

/* What a match of OpenFlow 1.5's packet_out may hold: things that are not in the packet. */
static bool is_pipeline_field(enum field_id id)
{
	return id < FIELD_ETH_SRC && id != FIELD_CT_STATE;
}

static bool only_pipeline_fields(const struct flow *mask)
{
	for (int id = FIELD_NONE + 1; id < FIELD_N_IDS; id++)
		if (!is_pipeline_field((enum field_id)id) &&
			!field_is_all_wild(field_from_id((enum field_id)id), mask))
			return false;
	return true;
}

static void set_in_port(struct packet_out *po, ofp_port_t port)
{
	po->match.flow.in_port = port;
	po->match.mask.in_port = UINT32_MAX;
}

static enum ofp_error header_decode(struct cursor *c, enum ofp_version version,
	struct packet_out *po, uint16_t *acts_len)
{
	ofp_port_t port = OFPP_NONE;
	enum ofp_error error;

	po->buffer_id = cursor_u32(c);
	if (version >= OFP15_VERSION) {
		*acts_len = cursor_u16(c);
		cursor_skip(c, 2);
		error = oxm_decode_match(c, version, true, &po->match);
		if (error)
			return error;
		if (!only_pipeline_fields(&po->match.mask))
			return OFPBRC_PIPELINE_FIELDS_ONLY;
		return po->match.mask.in_port ? OFP_OK : OFPBRC_BAD_PORT;
	}
	if (version == OFP10_VERSION) {
		ofp_port_from_16(cursor_u16(c), &port);
		*acts_len = cursor_u16(c);
	} else {
		if (!ofp_port_from_32(cursor_u32(c), &port))
			return OFPBAC_BAD_OUT_PORT;
		*acts_len = cursor_u16(c);
		cursor_skip(c, 6);
	}
	set_in_port(po, port);
	return OFP_OK;
}

static enum ofp_error acts_take(struct cursor *c, enum ofp_version version, uint16_t len,
	struct act_builder *acts)
{
	struct cursor sub;

	if (len % ACT_ALIGN || len > cursor_left(c))
		return OFPBRC_BAD_LEN;
	sub = cursor_sub(c, len);
	return acts_decode(&sub, version, acts);
}

static bool in_port_ok(ofp_port_t port)
{
	return port <= OFP_PORT_LAST || port == OFPP_LOCAL || port == OFPP_NONE ||
		port == OFPP_CONTROLLER;
}

enum ofp_error packet_out_decode(const struct msg *msg, struct packet_out *po)
{
	struct cursor c = msg->body;
	uint16_t acts_len = 0;
	enum ofp_error error;

	memset(po, 0, sizeof *po);
	act_builder_init(&po->acts);
	error = header_decode(&c, msg->version, po, &acts_len);
	if (!error)
		error = acts_take(&c, msg->version, acts_len, &po->acts);
	if (!error && !in_port_ok(po->match.flow.in_port))
		error = OFPBRC_BAD_PORT;
	if (error) {
		packet_out_uninit(po);
		return error;
	}
	if (po->buffer_id == OFP_NO_BUFFER) {
		po->packet_len = cursor_left(&c);
		po->packet = cursor_take(&c, po->packet_len);
	}
	return OFP_OK;
}

void packet_out_encode(const struct packet_out *po, enum ofp_version version, be32 xid,
	struct sbuf *out)
{
	size_t start = msg_begin(out, version, OFPTYPE_PACKET_OUT, MSG_OFPT, xid);
	const struct act *acts = (const struct act *)(const void *)po->acts.buf.data;
	size_t acts_len, acts_len_ofs;

	put_u32(out, po->buffer_id);
	if (version == OFP10_VERSION)
		put_u16(out, ofp_port_to_16(po->match.flow.in_port));
	else if (version < OFP15_VERSION)
		put_u32(out, po->match.flow.in_port);
	acts_len_ofs = out->len;
	put_u16(out, 0);
	if (version >= OFP15_VERSION) {
		put_pad(out, 2);
		oxm_put_match(out, &po->match, version);
	} else if (version != OFP10_VERSION) {
		put_pad(out, 6);
	}
	acts_len = acts_encode(acts, po->acts.buf.len, version, out);
	put_u16_at(out, acts_len_ofs, (uint16_t)acts_len);
	if (po->buffer_id == OFP_NO_BUFFER)
		sbuf_put(out, po->packet, po->packet_len);
	msg_end(out, start);
}
