/* SPDX-License-Identifier: Apache-2.0 */

#include "lib/flow_parse.h"

#include <errno.h>
#include <string.h>

#include "lib/cursor.h"
#include "lib/headers.h"
#include "lib/unaligned.h"

const struct flow_limits flow_limits_default = {.max_vlans = 1};

/* Where the parser is: contiguous bytes ahead in C, then CHAINED ones that are there but not read.
 */
struct parse {
	struct cursor c;
	size_t chained;
	bool bad;	/* Something was malformed. */
};

/* Bytes ahead, read or not. */
static size_t parse_left(const struct parse *p)
{
	return cursor_left(&p->c) + p->chained;
}

static void parse_trim(struct parse *p, size_t n)
{
	size_t left = cursor_left(&p->c);

	if (n <= left) {
		cursor_trim(&p->c, n);
		p->chained = 0;
	} else if (n - left < p->chained) {
		p->chained = n - left;
	}
}

/* The next N bytes without taking them; NULL, and the packet is bad, if they are not there. */
static const void *parse_peek(struct parse *p, size_t n)
{
	const void *h = cursor_peek(&p->c, n);

	if (!h)
		p->bad = true;
	return h;
}

static const void *parse_take(struct parse *p, size_t n)
{
	const void *h = parse_peek(p, n);

	if (h)
		cursor_skip(&p->c, n);
	return h;
}

static uint16_t parse_offset(const struct parse *p)
{
	size_t ofs = cursor_offset(&p->c);

	return ofs < PACKET_NO_OFS ? (uint16_t)ofs : PACKET_NO_OFS;
}

static be16 peek_be16(const struct parse *p)
{
	return load16(p->c.pos);
}

/* Stands at a type, of which at least 2 bytes are there. */
static void parse_vlans(struct parse *p, unsigned int max_vlans, struct flow *flow)
{
	for (unsigned int i = 0; i < max_vlans && eth_type_is_vlan(peek_be16(p)); i++) {
		const uint8_t *tag = parse_peek(p, 6);

		if (!tag)
			return;
		memcpy(&flow->vlans[i].tpid, tag, 2);
		memcpy(&flow->vlans[i].tci, tag + 2, 2);
		flow->vlans[i].tci |= htobe16(VLAN_PRESENT);
		cursor_skip(&p->c, 4);
	}
}

/* Takes the type, or the length with LLC and SNAP. */
static be16 parse_eth_type(struct parse *p)
{
	static const uint8_t snap[6] = {0xaa, 0xaa, 0x03, 0, 0, 0};
	be16 type = cursor_be16(&p->c);
	const struct llc_snap_header *llc;

	if (be16toh(type) >= ETH_TYPE_MIN)
		return type;

	llc = (const void *)cursor_peek(&p->c, LLC_SNAP_LEN);
	if (!llc || memcmp(llc, snap, sizeof snap))
		return htobe16(ETH_T_NONE);
	cursor_skip(&p->c, LLC_SNAP_LEN);
	return be16toh(llc->type) >= ETH_TYPE_MIN ? llc->type : htobe16(ETH_T_NONE);
}

static void parse_mpls(struct parse *p, struct flow *flow)
{
	const uint8_t *h;

	for (int n = 0; (h = parse_take(p, MPLS_HEADER_LEN)) != NULL; n++) {
		be32 lse = load32(h);

		if (n < FLOW_MAX_MPLS)
			flow->mpls_lse[n] = lse;
		if (lse & htobe32(MPLS_BOS_MASK))
			return;
	}
}

static void parse_pbb(struct parse *p, struct flow *flow)
{
	const struct pbb_header *h = parse_peek(p, PBB_HEADER_LEN);
	uint32_t tci;

	if (!h)
		return;
	tci = be32toh(h->tci);
	flow->pbb_isid = htobe32((tci & PBB_ISID_MASK) | (tci & PBB_UCA ? FLOW_PBB_UCA : 0) |
		FLOW_PBB_PRESENT);
}

static void parse_arp(struct parse *p, struct flow *flow)
{
	const struct arp_header *h = parse_peek(p, ARP_HEADER_LEN);

	if (!h)
		return;
	if (h->hrd != htobe16(ARP_HRD_ETHERNET) || h->pro != htobe16(ETH_T_IP) ||
		h->hln != ETH_ADDR_LEN || h->pln != 4)
		return;
	memcpy(&flow->nw_src, h->spa, 4);
	memcpy(&flow->nw_dst, h->tpa, 4);
	memcpy(&flow->arp_sha, h->sha, 6);
	memcpy(&flow->arp_tha, h->tha, 6);
	if (be16toh(h->op) <= 0xff)
		flow->nw_proto = (uint8_t)be16toh(h->op);
}

static bool parse_ipv4(struct parse *p, struct flow *flow)
{
	const struct ipv4_header *h = parse_peek(p, IPV4_HEADER_LEN);
	size_t hlen, tot_len;

	if (!h)
		return false;
	hlen = (h->ver_ihl & 15) * 4;
	tot_len = be16toh(h->tot_len);
	if (hlen < IPV4_HEADER_LEN || tot_len < hlen || tot_len > parse_left(p) ||
		!parse_take(p, hlen)) {
		p->bad = true;
		return false;
	}
	parse_trim(p, tot_len - hlen);

	memcpy(&flow->nw_src, h->src, 4);
	memcpy(&flow->nw_dst, h->dst, 4);
	flow->nw_tos = h->tos;
	flow->nw_ttl = h->ttl;
	flow->nw_proto = h->proto;
	if (h->frag_off & htobe16(IPV4_FRAG_OFS_MASK))
		flow->nw_frag = FLOW_NW_FRAG_ANY | FLOW_NW_FRAG_LATER;
	else if (h->frag_off & htobe16(IPV4_MF))
		flow->nw_frag = FLOW_NW_FRAG_ANY;
	return true;
}

/* Places of the extension headers in the order of RFC 8200 section 4.1. */
enum ext_place {
	EXT_PLACE_HOP = 1,
	EXT_PLACE_DEST_FIRST,
	EXT_PLACE_ROUTER,
	EXT_PLACE_FRAG,
	EXT_PLACE_AUTH,
	EXT_PLACE_ESP,
	EXT_PLACE_DEST_LAST,
};

struct ext_seen {
	uint16_t bits;
	uint8_t place;		/* The furthest so far. */
	uint8_t n_dest;
};

/* Notes that header PROTO comes next. */
static void ext_note(struct ext_seen *seen, uint8_t proto)
{
	uint16_t bit;
	uint8_t place;

	switch (proto) {
	case IP_P_HOPOPTS:
		bit = IPV6_EXT_HOP;
		place = EXT_PLACE_HOP;
		break;
	case IP_P_DSTOPTS:
		bit = IPV6_EXT_DEST;
		place = seen->place <= EXT_PLACE_HOP ? EXT_PLACE_DEST_FIRST : EXT_PLACE_DEST_LAST;
		if (++seen->n_dest > 2)
			seen->bits |= IPV6_EXT_UNREP;
		break;
	case IP_P_ROUTING:
		bit = IPV6_EXT_ROUTER;
		place = EXT_PLACE_ROUTER;
		break;
	case IP_P_FRAGMENT:
		bit = IPV6_EXT_FRAG;
		place = EXT_PLACE_FRAG;
		break;
	case IP_P_AH:
		bit = IPV6_EXT_AUTH;
		place = EXT_PLACE_AUTH;
		break;
	case IP_P_ESP:
		bit = IPV6_EXT_ESP;
		place = EXT_PLACE_ESP;
		break;
	case IP_P_NONE:
		seen->bits |= IPV6_EXT_NONEXT;
		return;
	default:
		return;
	}

	if ((seen->bits & bit) && proto != IP_P_DSTOPTS)
		seen->bits |= IPV6_EXT_UNREP;
	if (place < seen->place)
		seen->bits |= IPV6_EXT_UNSEQ;
	else
		seen->place = place;
	seen->bits |= bit;
}

/* Passes over the extension headers behind which *PROTO is the first; false if they are cut. */
static bool parse_ipv6_ext(struct parse *p, uint8_t *proto, uint8_t *frag, struct ext_seen *seen)
{
	for (;;) {
		const uint8_t *h;
		be16 ofs_more;

		ext_note(seen, *proto);
		switch (*proto) {
		case IP_P_HOPOPTS:
		case IP_P_ROUTING:
		case IP_P_DSTOPTS:
		case IP_P_AH:
			h = parse_peek(p, 8);
			if (!h || !parse_take(p, *proto == IP_P_AH ? (h[1] + 2) * 4 :
				(h[1] + 1) * 8))
				return false;
			*proto = h[0];
			break;
		case IP_P_FRAGMENT:
			h = parse_take(p, 8);
			if (!h)
				return false;
			memcpy(&ofs_more, h + 2, sizeof ofs_more);
			*proto = h[0];
			if (ofs_more)
				*frag = FLOW_NW_FRAG_ANY;
			if (ofs_more & htobe16(IPV6_FRAG_OFS_MASK)) {
				*frag |= FLOW_NW_FRAG_LATER;
				*proto = IP_P_FRAGMENT;
				return true;
			}
			break;
		default:
			return true;
		}
	}
}

static bool parse_ipv6(struct parse *p, struct flow *flow)
{
	const struct ipv6_header *h = parse_peek(p, IPV6_HEADER_LEN);
	struct ext_seen seen = {0};
	uint8_t proto, frag = 0;
	uint32_t word;

	if (!h)
		return false;
	if (be16toh(h->plen) + (size_t)IPV6_HEADER_LEN > parse_left(p)) {
		p->bad = true;
		return false;
	}
	cursor_skip(&p->c, IPV6_HEADER_LEN);
	parse_trim(p, be16toh(h->plen));
	memcpy(&flow->ipv6_src, h->src, 16);
	memcpy(&flow->ipv6_dst, h->dst, 16);

	proto = h->nexthdr;
	if (!parse_ipv6_ext(p, &proto, &frag, &seen))
		return false;
	word = be32toh(h->flow);
	flow->nw_tos = (uint8_t)(word >> 20);
	flow->nw_ttl = h->hlim;
	flow->nw_proto = proto;
	flow->nw_frag = frag;
	flow->ipv6_label = htobe32(word & IPV6_LABEL_MASK);
	flow->ipv6_exthdr = htobe16(seen.bits);
	return true;
}

/* Link-layer address options of neighbour discovery; false if one comes twice. */
static bool parse_nd_options(struct parse *p, struct flow *flow)
{
	const struct nd_lla_opt *o;

	while ((o = (const void *)cursor_peek(&p->c, ND_LLA_OPT_LEN)) != NULL) {
		size_t len = o->len * ND_LLA_OPT_LEN;
		struct eth_addr *lla = NULL;

		if (!len || !parse_peek(p, len)) {
			p->bad = true;
			return true;
		}
		if (len == ND_LLA_OPT_LEN && o->type == ND_OPT_SLL)
			lla = &flow->arp_sha;
		else if (len == ND_LLA_OPT_LEN && o->type == ND_OPT_TLL)
			lla = &flow->arp_tha;
		if (lla) {
			/* An address of zeros counts as not there. */
			if (!eth_addr_is_zero(*lla))
				return false;
			memcpy(lla, o->mac, 6);
			if (!flow->nd_options_type)
				flow->nd_options_type = o->type;
		}
		cursor_skip(&p->c, len);
	}
	return true;
}

static void parse_icmpv6(struct parse *p, struct flow *flow)
{
	const struct icmp_header *h = parse_take(p, ICMP_HEADER_LEN);
	const uint8_t *target;

	if (!h)
		return;
	flow->tp_src = htobe16(h->type);
	flow->tp_dst = htobe16(h->code);
	if (h->code || (h->type != ND_NS && h->type != ND_NA))
		return;

	flow->nd_reserved = h->rest;
	target = parse_take(p, 16);
	if (!target)
		return;
	memcpy(&flow->nd_target, target, 16);
	if (!parse_nd_options(p, flow)) {
		p->bad = true;
		memset(&flow->nd_target, 0, sizeof flow->nd_target);
		memset(&flow->arp_sha, 0, sizeof flow->arp_sha);
		memset(&flow->arp_tha, 0, sizeof flow->arp_tha);
	}
}

static void parse_tcp(struct parse *p, struct flow *flow)
{
	const struct tcp_header *h = parse_peek(p, TCP_HEADER_LEN);
	size_t hlen;

	if (!h)
		return;
	hlen = (be16toh(h->ctl) >> 12) * 4;
	if (hlen < TCP_HEADER_LEN || hlen > parse_left(p)) {
		p->bad = true;
		return;
	}
	flow->tcp_flags = h->ctl & htobe16(TCP_FLAGS_MASK);
	flow->tp_src = h->src;
	flow->tp_dst = h->dst;
}

/* UDP and SCTP: MIN bytes, ports in front. */
static void parse_ports(struct parse *p, size_t min, struct flow *flow)
{
	const uint8_t *h = parse_peek(p, min);

	if (!h)
		return;
	memcpy(&flow->tp_src, h, 2);
	memcpy(&flow->tp_dst, h + 2, 2);
}

static void parse_icmp_igmp(struct parse *p, struct flow *flow)
{
	const struct icmp_header *h = parse_peek(p, ICMP_HEADER_LEN);

	if (!h)
		return;
	flow->tp_src = htobe16(h->type);
	flow->tp_dst = htobe16(h->code);
	if (flow->nw_proto == IP_P_IGMP)
		flow->igmp_group_ip4 = h->rest;
}

static void parse_l4(struct parse *p, struct flow *flow)
{
	if (flow->nw_frag & FLOW_NW_FRAG_LATER)
		return;
	switch (flow->nw_proto) {
	case IP_P_TCP:
		parse_tcp(p, flow);
		break;
	case IP_P_UDP:
		parse_ports(p, UDP_HEADER_LEN, flow);
		break;
	case IP_P_SCTP:
		parse_ports(p, SCTP_HEADER_LEN, flow);
		break;
	case IP_P_ICMP:
	case IP_P_IGMP:
		parse_icmp_igmp(p, flow);
		break;
	case IP_P_ICMPV6:
		parse_icmpv6(p, flow);
		break;
	}
}

static void parse_l3(struct parse *p, struct packet *packet, struct flow *flow)
{
	switch (be16toh(flow->dl_type)) {
	case ETH_T_IP:
		if (!parse_ipv4(p, flow))
			return;
		break;
	case ETH_T_IPV6:
		if (!parse_ipv6(p, flow))
			return;
		break;
	case ETH_T_ARP:
	case ETH_T_RARP:
		parse_arp(p, flow);
		return;
	case ETH_T_PBB:
		parse_pbb(p, flow);
		return;
	default:
		return;
	}
	packet->l4_ofs = parse_offset(p);
	parse_l4(p, flow);
}

int flow_extract_limits(struct packet *packet, const struct flow_limits *limits, struct flow *flow)
{
	struct parse p = {.chained = packet->len - packet->seg_len};

	memset(flow, 0, sizeof *flow);
	flow->tunnel = packet->tunnel;
	flow->tunnel.ip_ttl = 0;
	flow->tunnel.tp_src = flow->tunnel.tp_dst = 0;
	flow->pkt_mark = packet->pkt_mark;
	flow->queue = packet->queue;
	packet->l2_5_ofs = packet->l3_ofs = packet->l4_ofs = PACKET_NO_OFS;
	cursor_init(&p.c, packet->data, packet->seg_len);
	if (packet->seg_len < ETH_HEADER_LEN)
		return -EINVAL;

	memcpy(&flow->dl_dst, cursor_take(&p.c, 6), 6);
	memcpy(&flow->dl_src, cursor_take(&p.c, 6), 6);
	parse_vlans(&p, limits->max_vlans, flow);
	flow->dl_type = parse_eth_type(&p);
	if (eth_type_is_mpls(flow->dl_type)) {
		packet->l2_5_ofs = parse_offset(&p);
		parse_mpls(&p, flow);
	}
	packet->l3_ofs = parse_offset(&p);
	parse_l3(&p, packet, flow);
	return p.bad ? -EBADMSG : 0;
}

int flow_extract(struct packet *packet, struct flow *flow)
{
	return flow_extract_limits(packet, &flow_limits_default, flow);
}
