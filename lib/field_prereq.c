/* SPDX-License-Identifier: Apache-2.0 */

#include "lib/field.h"
#include "lib/headers.h"

/* ct_state bits that say that the connection is known. */
#define CT_NEW 0x01
#define CT_ESTABLISHED 0x02
#define CT_RELATED 0x04
#define CT_REPLY 0x08
#define CT_INVALID 0x10
#define CT_TRACKED 0x20
#define CT_SRC_NAT 0x40
#define CT_DST_NAT 0x80

/*
 * What a prerequisite asks of eth_type, nw_proto and the ICMPv6 type. Zero: nothing. One table
 * serves packets (looking marks the mask) and matches (what is looked at must be matched).
 */
struct want {
	uint16_t eth_type[2];
	uint8_t nw_proto;
	bool not_later;		/* Later fragments don't have it. */
	bool nd;
	uint8_t nd_type;	/* Only this one. */
};

static const struct want wants[] = {
	[FIELD_PRE_ARP] = {.eth_type = {ETH_T_ARP, ETH_T_RARP}},
	[FIELD_PRE_IPV4] = {.eth_type = {ETH_T_IP}},
	[FIELD_PRE_IPV6] = {.eth_type = {ETH_T_IPV6}},
	[FIELD_PRE_IP_ANY] = {.eth_type = {ETH_T_IP, ETH_T_IPV6}},
	[FIELD_PRE_MPLS] = {.eth_type = {ETH_T_MPLS, ETH_T_MPLS_MCAST}},
	[FIELD_PRE_PBB] = {.eth_type = {ETH_T_PBB}},
	[FIELD_PRE_TCP] = {{ETH_T_IP, ETH_T_IPV6}, IP_P_TCP, .not_later = true},
	[FIELD_PRE_UDP] = {{ETH_T_IP, ETH_T_IPV6}, IP_P_UDP, .not_later = true},
	[FIELD_PRE_SCTP] = {{ETH_T_IP, ETH_T_IPV6}, IP_P_SCTP, .not_later = true},
	[FIELD_PRE_ICMPV4] = {{ETH_T_IP}, IP_P_ICMP},
	[FIELD_PRE_ICMPV6] = {{ETH_T_IPV6}, IP_P_ICMPV6},
	[FIELD_PRE_ND] = {{ETH_T_IPV6}, IP_P_ICMPV6, .nd = true},
	[FIELD_PRE_ND_SOLICIT] = {{ETH_T_IPV6}, IP_P_ICMPV6, .nd = true, .nd_type = ND_NS},
	[FIELD_PRE_ND_ADVERT] = {{ETH_T_IPV6}, IP_P_ICMPV6, .nd = true, .nd_type = ND_NA},
};

static bool eth_type_ok(const struct want *w, be16 dl_type)
{
	uint16_t type = be16toh(dl_type);

	return type && (type == w->eth_type[0] || type == w->eth_type[1]);
}

static bool nd_ok(const struct want *w, const struct flow *flow)
{
	uint16_t type = be16toh(flow->tp_src);

	return !flow->tp_dst && (w->nd_type ? type == w->nd_type : type == ND_NS || type == ND_NA);
}

bool field_prereqs_ok(const struct field *f, const struct flow *flow, struct flow *wc)
{
	const struct want *w = &wants[f->prereq];

	switch (f->prereq) {
	case FIELD_PRE_NONE:
		return true;
	case FIELD_PRE_ETHERNET:
		return !flow->packet_type;
	case FIELD_PRE_VLAN_VID:
		if (wc)
			wc->vlans[0].tci |= htobe16(VLAN_PRESENT);
		return flow->vlans[0].tci & htobe16(VLAN_PRESENT);
	case FIELD_PRE_CT:
		if (wc)
			wc->ct_state |= CT_NEW | CT_ESTABLISHED | CT_REPLY;
		return flow->ct_state & (CT_NEW | CT_ESTABLISHED | CT_REPLY);
	default:
		break;
	}

	if (wc)
		wc->dl_type = BE16_MAX;
	if (!eth_type_ok(w, flow->dl_type))
		return false;
	if (!w->nw_proto)
		return true;
	if (wc)
		wc->nw_proto = UINT8_MAX;
	if (flow->nw_proto != w->nw_proto)
		return false;
	if (w->not_later) {
		if (wc)
			wc->nw_frag |= FLOW_NW_FRAG_LATER;
		return !(flow->nw_frag & FLOW_NW_FRAG_LATER);
	}
	if (w->nd) {
		if (wc)
			wc->tp_src = wc->tp_dst = BE16_MAX;
		return nd_ok(w, flow);
	}
	return true;
}

static bool ct_matched(const struct match *match)
{
	uint32_t on = match->flow.ct_state & match->mask.ct_state;

	if (on & (CT_NEW | CT_ESTABLISHED | CT_RELATED | CT_REPLY | CT_SRC_NAT | CT_DST_NAT))
		return true;
	return (on & CT_TRACKED) && (match->mask.ct_state & CT_INVALID) && !(on & CT_INVALID);
}

bool field_prereqs_matched(const struct field *f, const struct match *match)
{
	const struct want *w = &wants[f->prereq];
	const struct flow *flow = &match->flow, *mask = &match->mask;

	switch (f->prereq) {
	case FIELD_PRE_NONE:
		return true;
	case FIELD_PRE_ETHERNET:
		return !flow->packet_type;
	case FIELD_PRE_VLAN_VID:
		return flow->vlans[0].tci & mask->vlans[0].tci & htobe16(VLAN_PRESENT);
	case FIELD_PRE_CT:
		return ct_matched(match);
	default:
		break;
	}

	if (mask->dl_type != BE16_MAX || !eth_type_ok(w, flow->dl_type))
		return false;
	if (w->nw_proto && (mask->nw_proto != UINT8_MAX || flow->nw_proto != w->nw_proto))
		return false;
	/* As in Open vSwitch, a match need not say that the packet is no later fragment. */
	if (w->not_later && (flow->nw_frag & mask->nw_frag & FLOW_NW_FRAG_LATER))
		return false;
	/* Type and code take the low byte; that the code is zero need not be said (1.3.5, 7.2.3.8). */
	return !w->nd || ((mask->tp_src & htobe16(0xff)) == htobe16(0xff) && nd_ok(w, flow));
}
