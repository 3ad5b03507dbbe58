/* SPDX-License-Identifier: Apache-2.0 */
#include "ofproto/ofproto_l2.h"

#include <string.h>

#include "datapath/l2/mcast_snoop.h"
#include "datapath/l2/rstp.h"
#include "datapath/l2/stp.h"
#include "lib/clock.h"
#include "lib/headers.h"
#include "lib/util.h"

#define FRAMES_PER_TURN 256
#define MCAST_RUN_MS 1000

static uint64_t tree_changes;

uint64_t ofproto_tree_changes(void)
{
	return tree_changes;
}

void ofproto_l2_receive(void)
{
	struct dp_l2_frame frame;

	for (int i = 0; i < FRAMES_PER_TURN; i++) {
		struct ofproto *ofproto;

		if (!dp_l2_next(&frame))
			return;
		ofproto = ofproto_from_bridge_id(frame.port->bridge->id);
		if (!ofproto)
			continue;
		switch (frame.kind) {
		case L2_PROTO_STP:
		case L2_PROTO_RSTP:
			if (ofproto->rstp)
				ofproto_rstp_receive(ofproto, &frame);
			else if (ofproto->stp)
				ofproto_stp_receive(ofproto, &frame);
			break;
		case L2_PROTO_IGMP:
		case L2_PROTO_MLD:
			ofproto_mcast_receive(ofproto, &frame);
			break;
		case L2_PROTO_LACP:
			break;
		}
	}
	event_hook_wake_in(ofproto_globals.loop, 0);
}

int64_t ofproto_l2_run(struct ofproto *ofproto, int64_t now_ms)
{
	int64_t next_ms = INT64_MAX;

	if (ofproto->stp) {
		ofproto_stp_run(ofproto, now_ms);
		next_ms = stp_next_ms(ofproto->stp);
	}
	if (ofproto->rstp) {
		ofproto_rstp_run(ofproto, now_ms);
		next_ms = rstp_next_ms(ofproto->rstp);
	}
	if (ofproto->mcast) {
		if (now_ms >= ofproto->mcast_next_ms) {
			mcast_snooping_run(ofproto->mcast, now_ms);
			ofproto->mcast_next_ms = now_ms + MCAST_RUN_MS;
		}
		next_ms = MIN(next_ms, ofproto->mcast_next_ms);
	}
	if (ofproto->stp || ofproto->rstp)
		ofproto_commit(ofproto);
	return next_ms;
}

void ofproto_l2_port_removed(struct ofproto *ofproto, struct of_port *port)
{
	ofproto_port_set_stp(ofproto, port->ofp_port, NULL);
	ofproto_port_set_rstp(ofproto, port->ofp_port, NULL);
	if (ofproto->mcast)
		mcast_snooping_flush_port(ofproto->mcast, port->ofp_port);
}

void ofproto_l2_uninit(struct ofproto *ofproto)
{
	ofproto_set_stp(ofproto, NULL);
	ofproto_set_rstp(ofproto, NULL);
	ofproto_set_mcast_snooping(ofproto, NULL);
}

void ofproto_l2_send(
	struct ofproto *ofproto, const struct of_port *port, uint8_t *frame, size_t len)
{
	static const struct eth_addr none;
	const struct eth_addr *mac = eth_addr_equal(port->info.mac, none) ? &ofproto->hwaddr
		: &port->info.mac;
	struct act_builder b;
	struct act_output *output;

	memcpy(frame + 6, mac->b, sizeof mac->b);
	act_builder_init(&b);
	output = act_put(&b, ACT_OUTPUT, sizeof *output);
	output->port = port->ofp_port;
	dp_packet_out(ofproto->bridge, OFPP_NONE, NULL, (const struct act *)(void *)b.buf.data,
		b.buf.len, frame, len);
	act_builder_uninit(&b);
}

void ofproto_l2_allow(struct ofproto *ofproto, struct of_port *port, bool learn, bool forward,
	uint32_t state)
{
	uint8_t allows = (learn ? PL_PORT_LEARNS : 0) | (forward ? PL_PORT_FORWARDS : 0);

	if (port->stp_allows == allows && port->stp_state == state)
		return;
	port->stp_allows = allows;
	port->stp_state = state;
	tree_changes++;
	ofproto->conf_dirty = true;
}

bool ofproto_l2_is_up(const struct of_port *port)
{
	return !(port->config & OFPPC_PORT_DOWN) &&
		(port->kind != PL_PORT_DEVICE || port->info.link_up);
}

void ofproto_l2_init(void)
{
	ofproto_stp_init();
	ofproto_rstp_init();
	ofproto_mcast_init();
}
