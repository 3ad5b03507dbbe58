/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * Bundles: OFPT_BUNDLE_CONTROL and OFPT_BUNDLE_ADD_MESSAGE of 1.4+, ONF's extension for 1.3; and
 * requestforward. Pure functions, any thread.
 */

#include "ofproto/wire/msg.h"

enum bundle_ctrl_type {
	OFPBCT_OPEN_REQUEST,
	OFPBCT_OPEN_REPLY,
	OFPBCT_CLOSE_REQUEST,
	OFPBCT_CLOSE_REPLY,
	OFPBCT_COMMIT_REQUEST,
	OFPBCT_COMMIT_REPLY,
	OFPBCT_DISCARD_REQUEST,
	OFPBCT_DISCARD_REPLY,
};

#define OFPBF_ATOMIC (1 << 0)
#define OFPBF_ORDERED (1 << 1)

struct bundle_ctrl {
	uint32_t bundle_id;
	uint16_t type;		/* enum bundle_ctrl_type. */
	uint16_t flags;		/* OFPBF_*. */
};

/* OFPBFC_BAD_FLAGS, OFPBFC_BAD_TYPE. */
enum ofp_error bundle_ctrl_decode(const struct msg *msg, struct bundle_ctrl *bc);
/* Reply to MSG: TYPE is the reply's. */
void bundle_ctrl_reply(const struct msg *request, const struct bundle_ctrl *bc, struct sbuf *out);
void bundle_ctrl_encode(const struct bundle_ctrl *bc, enum ofp_version version, be32 xid,
	struct sbuf *out);

struct bundle_add {
	uint32_t bundle_id;
	uint16_t flags;
	struct msg inner;	/* Points into the outer message. */
};

/*
 * The inner message must have the outer one's version and xid (OFPBFC_BAD_VERSION,
 * OFPBFC_MSG_BAD_XID), its length must be right (OFPBFC_MSG_BAD_LEN) and its type one that bundles take:
 * flow_mod, group_mod, port_mod, packet_out (OFPBFC_MSG_UNSUP).
 */
enum ofp_error bundle_add_decode(const struct msg *msg, struct bundle_add *ba);
/* INNER: LEN bytes of a whole message, which gives version and xid. */
void bundle_add_encode(uint32_t bundle_id, uint16_t flags, const void *inner, size_t len,
	struct sbuf *out);

/* Another controller's group_mod or meter_mod INNER (LEN bytes, encoded for VERSION), for those that want
 * requestforward. */
void requestforward_encode(const void *inner, size_t len, enum ofp_version version, struct sbuf *out);
