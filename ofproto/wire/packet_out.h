/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * packet_out in all versions. Pure functions, any thread.
 */

#include "datapath/pipeline/act.h"
#include "ofproto/wire/msg.h"

struct packet_out {
	const void *packet;	/* Points into the message. */
	size_t packet_len;
	uint32_t buffer_id;	/* OFP_NO_BUFFER: packet counts. */
	struct match match;	/* in_port, and in 1.5 other pipeline fields. */
	struct act_builder acts;	/* Owned. */
};

void packet_out_uninit(struct packet_out *po);
/* Checks the input port (OFPBRC_BAD_PORT) and the actions on their own; the caller checks them against
 * the packet's key. */
enum ofp_error packet_out_decode(const struct msg *msg, struct packet_out *po);
void packet_out_encode(const struct packet_out *po, enum ofp_version version, be32 xid,
	struct sbuf *out);
