/* SPDX-License-Identifier: Apache-2.0 */

#include "ofproto/wire/bundle.h"

enum ofp_error bundle_ctrl_decode(const struct msg *msg, struct bundle_ctrl *bc)
{
	struct cursor c = msg->body;
	struct bundle_ctrl b;

	b.bundle_id = cursor_u32(&c);
	b.type = cursor_u16(&c);
	b.flags = cursor_u16(&c);
	if (!cursor_ok(&c))
		return OFPBRC_BAD_LEN;
	*bc = b;
	return OFP_OK;
}

static void encode(enum ofp_version version, enum ofp_type type, be32 xid,
	const struct bundle_ctrl *bc, struct sbuf *out)
{
	size_t start = msg_begin(out, version, type, MSG_OFPT, xid);

	put_u32(out, bc->bundle_id);
	put_u16(out, bc->type);
	put_u16(out, bc->flags);
	msg_end(out, start);
}

void bundle_ctrl_reply(const struct msg *request, const struct bundle_ctrl *bc, struct sbuf *out)
{
	encode(request->version, OFPTYPE_BUNDLE_CONTROL, request->xid, bc, out);
}

void bundle_ctrl_encode(const struct bundle_ctrl *bc, enum ofp_version version, be32 xid,
	struct sbuf *out)
{
	encode(version, OFPTYPE_BUNDLE_CONTROL, xid, bc, out);
}

static bool bundlable(enum ofp_type type)
{
	return type == OFPTYPE_FLOW_MOD || type == OFPTYPE_GROUP_MOD || type == OFPTYPE_PORT_MOD ||
		type == OFPTYPE_PACKET_OUT;
}

enum ofp_error bundle_add_decode(const struct msg *msg, struct bundle_add *ba)
{
	struct cursor c = msg->body;
	struct bundle_add b;
	const uint8_t *inner;
	size_t len;

	b.bundle_id = cursor_u32(&c);
	cursor_skip(&c, 2);
	b.flags = cursor_u16(&c);
	inner = cursor_peek(&c, OFP_HEADER_LEN);
	if (!inner)
		return OFPBFC_MSG_BAD_LEN;
	if (msg_header_version(inner) != msg->version)
		return OFPBFC_BAD_VERSION;
	len = msg_header_len(inner);
	if (len < OFP_HEADER_LEN || len > cursor_left(&c))
		return OFPBFC_MSG_BAD_LEN;
	if (msg_header_xid(inner) != msg->xid)
		return OFPBFC_MSG_BAD_XID;
	/* What is wrong with it would be said of the outer message. */
	if (msg_decode(inner, len, &b.inner) || !bundlable(b.inner.type))
		return OFPBFC_MSG_UNSUP;
	*ba = b;
	return OFP_OK;
}

void bundle_add_encode(uint32_t bundle_id, uint16_t flags, const void *inner, size_t len,
	struct sbuf *out)
{
	size_t start = msg_begin(out, msg_header_version(inner), OFPTYPE_BUNDLE_ADD_MESSAGE,
		MSG_OFPT, msg_header_xid(inner));

	put_u32(out, bundle_id);
	put_pad(out, 2);
	put_u16(out, flags);
	sbuf_put(out, inner, len);
	msg_end(out, start);
}

void requestforward_encode(const void *inner, size_t len, enum ofp_version version, struct sbuf *out)
{
	size_t start = msg_begin(out, version, OFPTYPE_REQUESTFORWARD, MSG_OFPT, OFP_NO_XID);

	sbuf_put(out, inner, len);
	msg_end(out, start);
}
