/* SPDX-License-Identifier: Apache-2.0 */

#include "ofproto/wire/role.h"

#include "ofproto/wire/msg_table.h"

#define NX_ROLE_LAST 2	/* Nicira counts from other (equal), without "no change". */

enum ofp_error role_request_decode(const struct msg *msg, struct role_request *rr)
{
	struct cursor c = msg->body;
	uint32_t role = cursor_u32(&c);
	struct role_request r = {0};

	if (msg->family == MSG_NXT) {
		if (role > NX_ROLE_LAST)
			return OFPRRFC_BAD_ROLE;
		r.role = (enum ofp_role)(role + 1);
	} else {
		if (role > OFPCR_ROLE_SECONDARY)
			return OFPRRFC_BAD_ROLE;
		cursor_skip(&c, 4);
		r.role = (enum ofp_role)role;
		r.has_generation_id = role != OFPCR_ROLE_NOCHANGE;
		r.generation_id = r.has_generation_id ? cursor_u64(&c) : 0;
	}
	*rr = r;
	return OFP_OK;
}

void role_reply_encode(const struct msg *request, const struct role_request *rr, struct sbuf *out)
{
	size_t start = msg_begin(out, request->version, OFPTYPE_ROLE_REPLY, request->family,
		request->xid);

	if (request->family == MSG_NXT) {
		put_u32(out, rr->role - 1u);
	} else {
		put_u32(out, rr->role);
		put_pad(out, 4);
		put_u64(out, rr->has_generation_id ? rr->generation_id : UINT64_MAX);
	}
	msg_end(out, start);
}

void role_status_encode(enum ofp_role role, enum ofp_role_reason reason, uint64_t generation_id,
	enum ofp_version version, struct sbuf *out)
{
	size_t start;

	if (!msg_exists(version, OFPTYPE_ROLE_STATUS))
		return;
	start = msg_begin(out, version, OFPTYPE_ROLE_STATUS, MSG_OFPT, OFP_NO_XID);
	put_u32(out, role);
	put_u8(out, (uint8_t)reason);
	put_pad(out, 3);
	put_u64(out, generation_id);
	msg_end(out, start);
}
