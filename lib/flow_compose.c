/* SPDX-License-Identifier: Apache-2.0 */

#include "lib/flow_compose.h"

#include <string.h>

#include "lib/csum.h"
#include "lib/flow_parse.h"
#include "lib/headers.h"
#include "lib/sbuf.h"
#include "lib/util.h"

struct compose {
	const struct flow *flow;
	const uint8_t *payload;
	size_t payload_len;
	struct sbuf out;
};

static void put_payload(struct compose *c)
{
	if (c->payload) {
		sbuf_put(&c->out, c->payload, c->payload_len);
		return;
	}
	for (size_t i = 0; i < c->payload_len; i++)
		sbuf_putc(&c->out, (char)i);
}

/* What it put last must stay at its place until the next call: sizes are patched afterwards by
 * offset. */
static void *put_zeros(struct compose *c, size_t n)
{
	return sbuf_put_zeros(&c->out, n);
}

static void put_be16(struct compose *c, be16 v)
{
	sbuf_put(&c->out, &v, sizeof v);
}

static void put_tcp(struct compose *c)
{
	const struct flow *f = c->flow;
	struct tcp_header *tcp = put_zeros(c, TCP_HEADER_LEN);

	tcp->src = f->tp_src;
	tcp->dst = f->tp_dst;
	tcp->ctl = f->tcp_flags | htobe16(5 << 12);
	if (!(f->tcp_flags & htobe16(TCP_SYN | TCP_FIN | TCP_RST)))
		put_payload(c);
}

static void put_udp(struct compose *c)
{
	struct udp_header *udp = put_zeros(c, UDP_HEADER_LEN);

	udp->src = c->flow->tp_src;
	udp->dst = c->flow->tp_dst;
	udp->len = htobe16((uint16_t)(UDP_HEADER_LEN + c->payload_len));
	put_payload(c);
}

static void put_nd_option(struct compose *c, uint8_t type, struct eth_addr mac)
{
	struct nd_lla_opt *o = put_zeros(c, ND_LLA_OPT_LEN);

	o->type = type;
	o->len = 1;
	memcpy(o->mac, mac.b, 6);
}

/* The option that nd_options_type names comes first; without an address it is one of zeros. */
static void put_nd(struct compose *c)
{
	const struct flow *f = c->flow;
	bool sll = !eth_addr_is_zero(f->arp_sha) || f->nd_options_type == ND_OPT_SLL;
	bool tll = !eth_addr_is_zero(f->arp_tha) || f->nd_options_type == ND_OPT_TLL;

	sbuf_put(&c->out, &f->nd_target, 16);
	if (tll && f->nd_options_type == ND_OPT_TLL)
		put_nd_option(c, ND_OPT_TLL, f->arp_tha);
	if (sll)
		put_nd_option(c, ND_OPT_SLL, f->arp_sha);
	if (tll && f->nd_options_type != ND_OPT_TLL)
		put_nd_option(c, ND_OPT_TLL, f->arp_tha);
}

static void put_icmp(struct compose *c)
{
	const struct flow *f = c->flow;
	struct icmp_header *icmp = put_zeros(c, ICMP_HEADER_LEN);
	uint8_t type = (uint8_t)be16toh(f->tp_src), code = (uint8_t)be16toh(f->tp_dst);

	icmp->type = type;
	icmp->code = code;
	switch (f->nw_proto) {
	case IP_P_IGMP:
		icmp->rest = f->igmp_group_ip4;
		return;
	case IP_P_ICMP:
		if (!code && (type == 0 || type == 8))
			put_payload(c);
		return;
	}
	icmp->rest = f->nd_reserved;
	if (!code && (type == ND_NS || type == ND_NA))
		put_nd(c);
	else if (!code && (type == ICMPV6_ECHO_REQUEST || type == ICMPV6_ECHO_REPLY))
		put_payload(c);
}

static void put_l4(struct compose *c)
{
	const struct flow *f = c->flow;
	struct sctp_header *sctp;

	if (f->nw_frag & FLOW_NW_FRAG_LATER) {
		put_payload(c);
		return;
	}
	switch (f->nw_proto) {
	case IP_P_TCP:
		put_tcp(c);
		break;
	case IP_P_UDP:
		put_udp(c);
		break;
	case IP_P_SCTP:
		sctp = put_zeros(c, SCTP_HEADER_LEN);
		sctp->src = f->tp_src;
		sctp->dst = f->tp_dst;
		put_payload(c);
		break;
	case IP_P_ICMP:
	case IP_P_IGMP:
	case IP_P_ICMPV6:
		put_icmp(c);
		break;
	default:
		put_payload(c);
		break;
	}
}

static void put_ipv4(struct compose *c)
{
	const struct flow *f = c->flow;
	size_t at = c->out.len;
	struct ipv4_header *ip = put_zeros(c, IPV4_HEADER_LEN);

	ip->ver_ihl = 0x45;
	ip->tos = f->nw_tos;
	ip->ttl = f->nw_ttl;
	ip->proto = f->nw_proto;
	memcpy(ip->src, &f->nw_src, 4);
	memcpy(ip->dst, &f->nw_dst, 4);
	if (f->nw_frag & FLOW_NW_FRAG_LATER)
		ip->frag_off = htobe16(IPV4_MF | 100);
	else if (f->nw_frag)
		ip->frag_off = htobe16(IPV4_MF);
	put_l4(c);
	ip = (void *)(c->out.data + at);
	ip->tot_len = htobe16((uint16_t)(c->out.len - at));
	ip->csum = csum(ip, IPV4_HEADER_LEN);
}

/* Extension headers in the order of RFC 8200; what follows them is PROTO. Returns the first's
 * number. */
static uint8_t put_ipv6_ext(struct compose *c, uint8_t proto)
{
	static const struct {
		uint16_t bit;
		uint8_t proto;
	} order[] = {
		{IPV6_EXT_HOP, IP_P_HOPOPTS},
		{IPV6_EXT_DEST, IP_P_DSTOPTS},
		{IPV6_EXT_ROUTER, IP_P_ROUTING},
		{IPV6_EXT_FRAG, IP_P_FRAGMENT},
		{IPV6_EXT_AUTH, IP_P_AH},
	};
	const struct flow *f = c->flow;
	uint16_t bits = be16toh(f->ipv6_exthdr);
	uint8_t chain[ARRAY_SIZE(order) + 1];
	size_t n = 0;

	if (f->nw_frag)
		bits |= IPV6_EXT_FRAG;
	for (size_t i = 0; i < ARRAY_SIZE(order); i++)
		if (bits & order[i].bit)
			chain[n++] = order[i].proto;
	/* A later fragment's protocol is the fragment header; what it belongs to is not known. */
	chain[n] = proto == IP_P_FRAGMENT ? IP_P_UDP : proto;
	for (size_t i = 0; i < n; i++) {
		uint8_t *h = put_zeros(c, 8);

		h[0] = chain[i + 1];
		if (chain[i] == IP_P_FRAGMENT && f->nw_frag) {
			h[2] = f->nw_frag & FLOW_NW_FRAG_LATER ? 0x03 : 0;
			h[3] = IPV6_FRAG_MORE | (f->nw_frag & FLOW_NW_FRAG_LATER ? 0x20 : 0);
		} else if (chain[i] == IP_P_ROUTING) {
			h[2] = 4;	/* A type without meaning here. */
		}
	}
	return chain[0];
}

static void put_ipv6(struct compose *c)
{
	const struct flow *f = c->flow;
	size_t at = c->out.len;
	struct ipv6_header *ip = put_zeros(c, IPV6_HEADER_LEN);
	uint8_t first;

	ip->flow = htobe32(UINT32_C(6) << 28 | (uint32_t)f->nw_tos << 20) |
		(f->ipv6_label & htobe32(IPV6_LABEL_MASK));
	ip->hlim = f->nw_ttl;
	memcpy(ip->src, &f->ipv6_src, 16);
	memcpy(ip->dst, &f->ipv6_dst, 16);
	first = put_ipv6_ext(c, f->nw_proto);
	put_l4(c);
	ip = (void *)(c->out.data + at);
	ip->nexthdr = first;
	ip->plen = htobe16((uint16_t)(c->out.len - at - IPV6_HEADER_LEN));
}

static void put_arp(struct compose *c)
{
	const struct flow *f = c->flow;
	struct arp_header *arp = put_zeros(c, ARP_HEADER_LEN);

	arp->hrd = htobe16(ARP_HRD_ETHERNET);
	arp->pro = htobe16(ETH_T_IP);
	arp->hln = ETH_ADDR_LEN;
	arp->pln = 4;
	arp->op = htobe16(f->nw_proto);
	memcpy(arp->sha, f->arp_sha.b, 6);
	memcpy(arp->spa, &f->nw_src, 4);
	memcpy(arp->tha, f->arp_tha.b, 6);
	memcpy(arp->tpa, &f->nw_dst, 4);
}

/* Labels to the first with the bottom bit; the last one always has it. */
static void put_mpls(struct compose *c)
{
	const struct flow *f = c->flow;
	int n = flow_n_mpls(f);

	for (int i = 0; i < n; i++) {
		be32 lse = f->mpls_lse[i];

		if (i == n - 1)
			lse |= htobe32(MPLS_BOS_MASK);
		sbuf_put(&c->out, &lse, sizeof lse);
	}
	put_payload(c);
}

static void put_pbb(struct compose *c)
{
	uint32_t isid = be32toh(c->flow->pbb_isid);
	struct pbb_header *h;

	if (!(isid & FLOW_PBB_PRESENT))
		return;
	h = put_zeros(c, PBB_HEADER_LEN);
	h->tci = htobe32((isid & FLOW_PBB_ISID_MASK) | (isid & FLOW_PBB_UCA ? PBB_UCA : 0));
	put_payload(c);
}

static void put_ethernet(struct compose *c)
{
	const struct flow *f = c->flow;

	sbuf_put(&c->out, f->dl_dst.b, 6);
	sbuf_put(&c->out, f->dl_src.b, 6);
	for (int i = 0; i < flow_n_vlans(f); i++) {
		put_be16(c, f->vlans[i].tpid ? f->vlans[i].tpid : htobe16(ETH_T_VLAN_8021Q));
		put_be16(c, f->vlans[i].tci & (be16)~htobe16(VLAN_PRESENT));
	}
	if (f->dl_type == htobe16(ETH_T_NONE))
		put_be16(c, htobe16((uint16_t)MIN(c->payload_len, 1500u)));
	else
		put_be16(c, f->dl_type);
}

static void put_network(struct compose *c)
{
	switch (be16toh(c->flow->dl_type)) {
	case ETH_T_IP:
		put_ipv4(c);
		break;
	case ETH_T_IPV6:
		put_ipv6(c);
		break;
	case ETH_T_ARP:
	case ETH_T_RARP:
		put_arp(c);
		break;
	case ETH_T_MPLS:
	case ETH_T_MPLS_MCAST:
		put_mpls(c);
		break;
	case ETH_T_PBB:
		put_pbb(c);
		break;
	default:
		put_payload(c);
		break;
	}
}

struct packet *flow_compose(const struct flow *flow, const void *payload, size_t payload_len)
{
	const struct flow_limits limits = {.max_vlans = FLOW_MAX_VLANS};
	struct compose c = {
		.flow = flow,
		.payload = payload,
		.payload_len = MIN(payload_len, (size_t)FLOW_COMPOSE_MAX_PAYLOAD),
		.out = SBUF_INITIALIZER,
	};
	struct packet *packet;
	struct flow found;

	put_ethernet(&c);
	put_network(&c);
	packet = packet_heap_create(c.out.data, (uint32_t)c.out.len);
	sbuf_uninit(&c.out);
	packet->pkt_mark = flow->pkt_mark;
	packet->queue = flow->queue;
	packet->tunnel = flow->tunnel;
	flow_extract_limits(packet, &limits, &found);
	csum_fill_l4(packet, true, NULL);
	return packet;
}
