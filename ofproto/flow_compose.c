/* SPDX-License-Identifier: Apache-2.0 */
#include "ofproto/flow_compose.h"

#include <string.h>

#include "lib/csum.h"
#include "lib/flow_parse.h"
#include "lib/headers.h"
#include "lib/packet.h"

#define DL_TYPE_NONE 0x05ff

struct l7 {
	const uint8_t *data;
	size_t len;
};

static void put_l7(struct sbuf *frame, const struct l7 *l7)
{
	uint8_t *out = sbuf_put_uninit(frame, l7->len);

	for (size_t i = 0; i < l7->len; i++)
		out[i] = l7->data ? l7->data[i] : (uint8_t)i;
}

static void put_tcp(struct sbuf *frame, const struct flow *flow, const struct l7 *l7)
{
	uint16_t flags = be16toh(flow->tcp_flags) & TCP_FLAGS_MASK;
	struct tcp_header tcp = {
		.src = flow->tp_src,
		.dst = flow->tp_dst,
		.ctl = htobe16((uint16_t)(5 << 12 | flags)),
	};

	sbuf_put(frame, &tcp, sizeof tcp);
	if (!(flags & (TCP_SYN | TCP_FIN | TCP_RST)))
		put_l7(frame, l7);
}

static void put_udp(struct sbuf *frame, const struct flow *flow, const struct l7 *l7)
{
	struct udp_header udp = {
		.src = flow->tp_src,
		.dst = flow->tp_dst,
		.len = htobe16((uint16_t)(sizeof udp + l7->len)),
	};

	sbuf_put(frame, &udp, sizeof udp);
	put_l7(frame, l7);
}

static void put_sctp(struct sbuf *frame, const struct flow *flow)
{
	struct sctp_header sctp = { .src = flow->tp_src, .dst = flow->tp_dst };

	sbuf_put(frame, &sctp, sizeof sctp);
}

static void put_icmp(struct sbuf *frame, const struct flow *flow, const struct l7 *l7)
{
	struct icmp_header icmp = {
		.type = (uint8_t)be16toh(flow->tp_src),
		.code = (uint8_t)be16toh(flow->tp_dst),
	};

	sbuf_put(frame, &icmp, sizeof icmp);
	if ((icmp.type == 8 || icmp.type == 0) && !icmp.code)
		put_l7(frame, l7);
}

static void put_igmp(struct sbuf *frame, const struct flow *flow)
{
	struct igmp_header igmp = {
		.type = (uint8_t)be16toh(flow->tp_src),
		.code = (uint8_t)be16toh(flow->tp_dst),
		.group = flow->igmp_group_ip4,
	};

	sbuf_put(frame, &igmp, sizeof igmp);
}

static bool mac_is_set(struct eth_addr mac)
{
	static const struct eth_addr zero;

	return memcmp(&mac, &zero, sizeof mac) != 0;
}

static void put_nd_option(struct sbuf *frame, uint8_t type, struct eth_addr mac)
{
	uint8_t option[8] = { type, 1 };

	if (!mac_is_set(mac))
		return;
	memcpy(option + 2, &mac, sizeof mac);
	sbuf_put(frame, option, sizeof option);
}

static void put_icmpv6(struct sbuf *frame, const struct flow *flow, const struct l7 *l7)
{
	struct icmpv6_header icmp = {
		.type = (uint8_t)be16toh(flow->tp_src),
		.code = (uint8_t)be16toh(flow->tp_dst),
	};

	sbuf_put(frame, &icmp, sizeof icmp);
	sbuf_put(frame, &flow->nd_reserved, sizeof flow->nd_reserved);
	if (icmp.code)
		return;
	if (icmp.type == ND_NS || icmp.type == ND_NA) {
		sbuf_put(frame, &flow->nd_target, sizeof flow->nd_target);
		put_nd_option(frame, 1, flow->arp_sha);
		put_nd_option(frame, 2, flow->arp_tha);
	} else if (icmp.type == ICMPV6_ECHO_REQUEST || icmp.type == ICMPV6_ECHO_REPLY) {
		put_l7(frame, l7);
	}
}

static void put_l4(struct sbuf *frame, const struct flow *flow, const struct l7 *l7)
{
	if (flow->nw_frag & FLOW_NW_FRAG_LATER)
		return;
	switch (flow->nw_proto) {
	case IP_P_TCP:
		put_tcp(frame, flow, l7);
		break;
	case IP_P_UDP:
		put_udp(frame, flow, l7);
		break;
	case IP_P_SCTP:
		put_sctp(frame, flow);
		break;
	case IP_P_ICMP:
		put_icmp(frame, flow, l7);
		break;
	case IP_P_IGMP:
		put_igmp(frame, flow);
		break;
	case IP_P_ICMPV6:
		put_icmpv6(frame, flow, l7);
		break;
	default:
		break;
	}
}

static void put_ipv4(struct sbuf *frame, const struct flow *flow, const struct l7 *l7)
{
	size_t start = frame->len;
	uint16_t frag = 0;
	struct ipv4_header ip = {
		.ver_ihl = 0x45,
		.tos = flow->nw_tos,
		.ttl = flow->nw_ttl,
		.proto = flow->nw_proto,
	};

	if (flow->nw_frag & FLOW_NW_FRAG_ANY)
		frag = IPV4_MF;
	if (flow->nw_frag & FLOW_NW_FRAG_LATER)
		frag |= 100;
	ip.frag_off = htobe16(frag);
	memcpy(ip.src, &flow->nw_src, sizeof ip.src);
	memcpy(ip.dst, &flow->nw_dst, sizeof ip.dst);
	sbuf_put_zeros(frame, sizeof ip);
	put_l4(frame, flow, l7);
	ip.tot_len = htobe16((uint16_t)(frame->len - start));
	ip.csum = csum(&ip, sizeof ip);
	memcpy(frame->data + start, &ip, sizeof ip);
}

static void put_ipv6(struct sbuf *frame, const struct flow *flow, const struct l7 *l7)
{
	size_t start = frame->len;
	struct ipv6_header ip = {
		.flow = htobe32(6u << 28 | (uint32_t)flow->nw_tos << 20) | flow->ipv6_label,
		.hlim = flow->nw_ttl,
		.nexthdr = flow->nw_proto,
	};

	memcpy(ip.src, &flow->ipv6_src, sizeof ip.src);
	memcpy(ip.dst, &flow->ipv6_dst, sizeof ip.dst);
	sbuf_put_zeros(frame, sizeof ip);
	put_l4(frame, flow, l7);
	ip.plen = htobe16((uint16_t)(frame->len - start - sizeof ip));
	memcpy(frame->data + start, &ip, sizeof ip);
}

static void put_arp(struct sbuf *frame, const struct flow *flow)
{
	be16 fixed[3] = { htobe16(ARP_HRD_ETHERNET), htobe16(0x0800), htobe16(6 << 8 | 4) };
	be16 op = htobe16(flow->nw_proto);

	sbuf_put(frame, fixed, sizeof fixed);
	sbuf_put(frame, &op, sizeof op);
	sbuf_put(frame, &flow->arp_sha, sizeof flow->arp_sha);
	sbuf_put(frame, &flow->nw_src, sizeof flow->nw_src);
	sbuf_put(frame, &flow->arp_tha, sizeof flow->arp_tha);
	sbuf_put(frame, &flow->nw_dst, sizeof flow->nw_dst);
}

static void put_mpls(struct sbuf *frame, const struct flow *flow)
{
	for (int i = 0; i < FLOW_MAX_MPLS; i++) {
		sbuf_put(frame, &flow->mpls_lse[i], sizeof flow->mpls_lse[i]);
		if (flow->mpls_lse[i] & htobe32(MPLS_BOS_MASK))
			break;
	}
}

static void put_ethernet(struct sbuf *frame, const struct flow *flow)
{
	sbuf_put(frame, &flow->dl_dst, sizeof flow->dl_dst);
	sbuf_put(frame, &flow->dl_src, sizeof flow->dl_src);
	for (int i = 0; i < FLOW_MAX_VLANS; i++) {
		be16 tpid = flow->vlans[i].tpid ? flow->vlans[i].tpid : htobe16(0x8100);
		be16 tci = flow->vlans[i].tci & ~htobe16(VLAN_PRESENT);

		if (!(flow->vlans[i].tci & htobe16(VLAN_PRESENT)))
			break;
		sbuf_put(frame, &tpid, sizeof tpid);
		sbuf_put(frame, &tci, sizeof tci);
	}
	sbuf_put(frame, &flow->dl_type, sizeof flow->dl_type);
}

static void fill_checksum(struct sbuf *frame)
{
	struct packet packet;
	struct flow flow;

	packet_init(&packet, (uint8_t *)frame->data, (uint32_t)frame->len, 0);
	flow_extract(&packet, &flow);
	csum_fill_l4(&packet, true, NULL);
}

void flow_compose(const struct flow *flow, const void *l7_data, size_t l7_len, struct sbuf *frame)
{
	struct l7 l7 = { l7_data, l7_len };

	sbuf_clear(frame);
	put_ethernet(frame, flow);
	switch (be16toh(flow->dl_type)) {
	case DL_TYPE_NONE:
		/* A length field instead of a type: of nothing. */
		memset(frame->data + frame->len - 2, 0, 2);
		break;
	case 0x0800:
		put_ipv4(frame, flow, &l7);
		fill_checksum(frame);
		break;
	case 0x86dd:
		put_ipv6(frame, flow, &l7);
		fill_checksum(frame);
		break;
	case 0x0806:
	case 0x8035:
		put_arp(frame, flow);
		break;
	case 0x8847:
	case 0x8848:
		put_mpls(frame, flow);
		break;
	default:
		break;
	}
}
