/* SPDX-License-Identifier: Apache-2.0 */
#include <stdlib.h>
#include <string.h>

#include "lib/fatal.h"
#include "lib/flow_parse.h"
#include "ofproto/ofproto_private.h"
#include "ofproto/state/refs.h"
#include "ofproto/wire/action.h"
#include "ofproto/wire/packet_out.h"

/* The key of FRAME[LEN] with the metadata that PO sets. */
static void packet_out_flow(const struct packet_out *po, struct flow *flow)
{
	struct packet packet;
	uint8_t *copy = xmalloc(po->packet_len + 1);

	if (po->packet_len)
		memcpy(copy, po->packet, po->packet_len);
	packet_init(&packet, copy, (uint32_t)po->packet_len, 0);
	memset(flow, 0, sizeof *flow);
	flow_extract(&packet, flow);
	free(copy);
	flow->in_port = po->match.flow.in_port;
	flow->metadata = po->match.flow.metadata;
	flow->tunnel = po->match.flow.tunnel;
	flow->pkt_mark = po->match.flow.pkt_mark;
	memcpy(flow->regs, po->match.flow.regs, sizeof flow->regs);
}

enum ofp_error ofproto_packet_out_check(struct ofproto *ofproto, enum ofp_version version,
	struct packet_out *po)
{
	struct act *acts = (struct act *)(void *)po->acts.buf.data;
	struct act_check check = {
		.n_tables = OFP_N_TABLES,
		.consistent = version >= OFP11_VERSION,
	};
	struct match match;
	enum ofp_error error;

	if (po->buffer_id != OFP_NO_BUFFER)
		return OFPBRC_BUFFER_UNKNOWN;
	packet_out_flow(po, &match.flow);
	memset(&match.mask, 0xff, sizeof match.mask);
	check.match = &match;
	error = act_check(acts, po->acts.buf.len, &check);
	return error ? error : of_acts_check(&ofproto->state, acts, po->acts.buf.len);
}

void ofproto_packet_out(struct ofproto *ofproto, const struct packet_out *po)
{
	dp_packet_out(ofproto->bridge, po->match.flow.in_port, &po->match.flow,
		act_builder_acts(&po->acts), po->acts.buf.len, po->packet, po->packet_len);
}
