/* SPDX-License-Identifier: Apache-2.0 */

#include "tests/support/naive_packet.h"

#include <string.h>

#include "lib/flow_parse.h"
#include "lib/headers.h"

/* Where things are; 0: nowhere. */
struct places {
	uint32_t mpls, l3, l4;
	struct flow flow;
};

static struct places find(const struct naive_packet *p)
{
	struct places at = {0};
	struct packet packet;

	packet_init(&packet, (uint8_t *)(uintptr_t)p->data, p->len, 0);
	flow_extract_limits(&packet, &(struct flow_limits){FLOW_MAX_VLANS}, &at.flow);
	at.mpls = packet.l2_5_ofs == PACKET_NO_OFS ? 0 : packet.l2_5_ofs;
	at.l3 = packet.l3_ofs == PACKET_NO_OFS ? 0 : packet.l3_ofs;
	at.l4 = packet.l4_ofs == PACKET_NO_OFS ? 0 : packet.l4_ofs;
	return at;
}

struct flow naive_parse(const struct naive_packet *p)
{
	struct flow flow = find(p).flow;

	flow.metadata = p->meta.metadata;
	memcpy(flow.regs, p->meta.regs, sizeof flow.regs);
	flow.in_port = p->meta.in_port;
	flow.actset_output = p->meta.actset_output;
	flow.pkt_mark = p->meta.pkt_mark;
	return flow;
}

/* ------------------------------------------------------------------ checksums */

/* The checksum at P after BYTES at an even (ODD: odd) place went from FROM to TO: the plain way. */
static void patch_csum(uint8_t *p, const uint8_t *from, const uint8_t *to, uint32_t n, bool odd,
	bool is_udp)
{
	uint32_t sum = (uint16_t)~(p[0] << 8 | p[1]);

	for (uint32_t i = 0; i < n; i++) {
		bool low = (i & 1) != odd;
		uint32_t old = low ? from[i] : (uint32_t)from[i] << 8;
		uint32_t new = low ? to[i] : (uint32_t)to[i] << 8;

		sum += (0xffff - old) + new;
		sum = (sum & 0xffff) + (sum >> 16);
	}
	sum = (sum & 0xffff) + (sum >> 16);
	sum = (uint16_t)~sum;
	if (is_udp && !sum)
		sum = 0xffff;
	p[0] = (uint8_t)(sum >> 8);
	p[1] = (uint8_t)sum;
}

/* CRC32c bit by bit, of an SCTP packet with its checksum as zeros. */
static uint32_t sctp_crc(const struct naive_packet *p, uint32_t l4, uint32_t end)
{
	uint32_t crc = UINT32_MAX;

	for (uint32_t i = l4; i < end; i++) {
		crc ^= i >= l4 + 8 && i < l4 + 12 ? 0 : p->data[i];
		for (int bit = 0; bit < 8; bit++)
			crc = crc >> 1 ^ (crc & 1 ? 0x82f63b78 : 0);
	}
	return ~crc;
}

/* What was wrong stays as wrong as it was. */
static void patch_sctp(struct naive_packet *p, uint32_t l4, uint32_t change)
{
	for (int i = 0; i < 4; i++)
		p->data[l4 + 8 + (uint32_t)i] ^= (uint8_t)(change >> 8 * i);
}

/* Where the IP packet ends: what is behind is padding. */
static uint32_t ip_end(const struct naive_packet *p, const struct places *at)
{
	const uint8_t *h = p->data + at->l3;

	return at->flow.dl_type == htobe16(ETH_T_IP) ? at->l3 + h[2] * 256u + h[3]
		: at->l3 + 40 + h[4] * 256u + h[5];
}

/* Of a whole header. */
static uint32_t csum_place(const struct naive_packet *p, const struct places *at, uint8_t proto)
{
	if (!at->l4 || (at->flow.nw_frag & FLOW_NW_FRAG_LATER) ||
		at->l4 + (proto == IP_P_TCP ? 20u : proto == IP_P_UDP ? 8u : 4u) > ip_end(p, at))
		return 0;
	switch (proto) {
	case IP_P_TCP:
		return at->l4 + 16;
	case IP_P_UDP:
		return at->l4 + 6;
	case IP_P_ICMP:
	case IP_P_ICMPV6:
		return at->l4 + 2;
	}
	return 0;
}

/* N bytes at OFS become BYTES, and every checksum that covers them follows. */
static void replace(struct naive_packet *p, const struct places *at, uint32_t ofs, const void *bytes,
	uint32_t n, bool *bad)
{
	const struct flow *flow = &at->flow;
	uint8_t proto = flow->nw_proto, old[64];
	bool v4 = flow->dl_type == htobe16(ETH_T_IP), v6 = flow->dl_type == htobe16(ETH_T_IPV6);
	uint32_t csum = v4 || v6 ? csum_place(p, at, proto) : 0;
	uint32_t addresses = at->l3 + (v4 ? 12 : 8), addresses_end = addresses + (v4 ? 8 : 32);
	uint32_t end = 0, crc = 0;
	bool sctp = (v4 || v6) && proto == IP_P_SCTP && at->l4 && ofs >= at->l4 && !flow->nw_frag;

	if (ofs + n > p->len) {
		*bad = true;
		return;
	}
	if (sctp) {
		end = ip_end(p, at);
		crc = sctp_crc(p, at->l4, end);
	}
	memcpy(old, p->data + ofs, n);
	memcpy(p->data + ofs, bytes, n);
	if (v4 && at->l3 && ofs >= at->l3 && ofs + n <= at->l3 + 20)
		patch_csum(p->data + at->l3 + 10, old, bytes, n, (ofs - at->l3) & 1, false);
	if (csum + 2 > p->len)
		return;
	if (proto == IP_P_UDP && csum && !p->data[csum] && !p->data[csum + 1])
		return;
	if (csum && at->l4 && ofs >= at->l4)
		patch_csum(p->data + csum, old, bytes, n, (ofs - at->l4) & 1, proto == IP_P_UDP);
	else if (csum && ofs >= addresses && ofs + n <= addresses_end && proto != IP_P_ICMP)
		patch_csum(p->data + csum, old, bytes, n, false, proto == IP_P_UDP);
	if (sctp)
		patch_sctp(p, at->l4, crc ^ sctp_crc(p, at->l4, end));
}

/* ------------------------------------------------------------------ fields */

/* The link-layer address option behind a neighbour discovery message, if the first is of TYPE; 0: none. */
static uint32_t find_nd_option(const struct naive_packet *p, const struct places *at, uint8_t type)
{
	uint32_t end = ip_end(p, at);

	for (uint32_t ofs = at->l4 + 24; ofs + 8 <= end && p->data[ofs + 1];
		ofs += p->data[ofs + 1] * 8u)
		if ((p->data[ofs] == ND_OPT_SLL || p->data[ofs] == ND_OPT_TLL) &&
			p->data[ofs + 1] == 1)
			return p->data[ofs] == type ? ofs + 2 : 0;
	return 0;
}

static void write_ip(struct naive_packet *p, const struct places *at, enum field_id id,
	const struct flow *flow, bool *bad)
{
	bool v4 = flow->dl_type == htobe16(ETH_T_IP);
	uint8_t byte, word[4];

	/* A header that is cut or wrong has no fields; for one of protocol 0 see Open vSwitch. */
	if (!at->l4 || !at->flow.nw_proto) {
		*bad = true;
		return;
	}
	switch (id) {
	case FIELD_IPV4_SRC:
		replace(p, at, at->l3 + 12, &flow->nw_src, 4, bad);
		break;
	case FIELD_IPV4_DST:
		replace(p, at, at->l3 + 16, &flow->nw_dst, 4, bad);
		break;
	case FIELD_IPV6_SRC:
		replace(p, at, at->l3 + 8, &flow->ipv6_src, 16, bad);
		break;
	case FIELD_IPV6_DST:
		replace(p, at, at->l3 + 24, &flow->ipv6_dst, 16, bad);
		break;
	case FIELD_IP_TTL:
		replace(p, at, at->l3 + (v4 ? 8 : 7), &flow->nw_ttl, 1, bad);
		break;
	case FIELD_IP_DSCP:
	case FIELD_IP_DSCP_SHIFTED:
	case FIELD_IP_ECN:
	case FIELD_IPV6_LABEL:
		if (v4) {
			replace(p, at, at->l3 + 1, &flow->nw_tos, 1, bad);
			break;
		}
		byte = (uint8_t)(p->data[at->l3] & 0xf0);
		word[0] = (uint8_t)(byte | flow->nw_tos >> 4);
		word[1] = (uint8_t)(flow->nw_tos << 4 | (be32toh(flow->ipv6_label) >> 16 & 0xf));
		word[2] = (uint8_t)(be32toh(flow->ipv6_label) >> 8);
		word[3] = (uint8_t)be32toh(flow->ipv6_label);
		replace(p, at, at->l3, word, 4, bad);
		break;
	default:
		*bad = true;
		break;
	}
}

/* The parser found in the transport header what is there. */
static bool l4_was_read(const struct naive_packet *p, const struct places *at)
{
	const struct flow *flow = &at->flow;
	const uint8_t *h = p->data + at->l4;

	if (flow->nw_proto == IP_P_ICMP || flow->nw_proto == IP_P_ICMPV6)
		return h[0] == be16toh(flow->tp_src) && h[1] == be16toh(flow->tp_dst);
	return !memcmp(h, &flow->tp_src, 2) && !memcmp(h + 2, &flow->tp_dst, 2) &&
		(h[0] | h[1] | h[2] | h[3]);
}

static void write_l4(struct naive_packet *p, const struct places *at, enum field_id id,
	const struct flow *flow, bool *bad)
{
	uint8_t byte;
	uint32_t ofs;

	/* Half a header, or one that the parser could make no sense of; a checksum over fragments that
	 * are not here. */
	if (!at->l4 || at->l4 + 8 > p->len || !l4_was_read(p, at) ||
		(flow->nw_proto == IP_P_SCTP && flow->nw_frag)) {
		*bad = true;
		return;
	}
	switch (id) {
	case FIELD_TCP_SRC:
	case FIELD_UDP_SRC:
	case FIELD_SCTP_SRC:
		replace(p, at, at->l4, &flow->tp_src, 2, bad);
		break;
	case FIELD_TCP_DST:
	case FIELD_UDP_DST:
	case FIELD_SCTP_DST:
		replace(p, at, at->l4 + 2, &flow->tp_dst, 2, bad);
		break;
	case FIELD_ICMPV4_TYPE:
	case FIELD_ICMPV6_TYPE:
		byte = (uint8_t)be16toh(flow->tp_src);
		replace(p, at, at->l4, &byte, 1, bad);
		break;
	case FIELD_ICMPV4_CODE:
	case FIELD_ICMPV6_CODE:
		byte = (uint8_t)be16toh(flow->tp_dst);
		replace(p, at, at->l4 + 1, &byte, 1, bad);
		break;
	case FIELD_ND_TARGET:
		replace(p, at, at->l4 + 8, &flow->nd_target, 16, bad);
		break;
	case FIELD_ND_SLL:
	case FIELD_ND_TLL:
		ofs = find_nd_option(p, at, id == FIELD_ND_SLL ? ND_OPT_SLL : ND_OPT_TLL);
		if (ofs)
			replace(p, at, ofs, id == FIELD_ND_SLL ? &flow->arp_sha : &flow->arp_tha, 6,
				bad);
		else
			*bad = true;
		break;
	default:
		*bad = true;
		break;
	}
}

static void write_arp(struct naive_packet *p, const struct places *at, enum field_id id,
	const struct flow *flow, bool *bad)
{
	uint8_t op[2] = {0, flow->nw_proto};

	/* Only Ethernet and IPv4 can be read; of operation 0 nothing is written. */
	if (at->l3 + 28 > p->len || !at->flow.nw_proto || memcmp(p->data + at->l3, "\0\1\x08\0\6\4", 6)) {
		*bad = true;
		return;
	}
	switch (id) {
	case FIELD_ARP_OP:
		replace(p, at, at->l3 + 6, op, 2, bad);
		break;
	case FIELD_ARP_SHA:
		replace(p, at, at->l3 + 8, &flow->arp_sha, 6, bad);
		break;
	case FIELD_ARP_SPA:
		replace(p, at, at->l3 + 14, &flow->nw_src, 4, bad);
		break;
	case FIELD_ARP_THA:
		replace(p, at, at->l3 + 18, &flow->arp_tha, 6, bad);
		break;
	case FIELD_ARP_TPA:
		replace(p, at, at->l3 + 24, &flow->nw_dst, 4, bad);
		break;
	default:
		*bad = true;
		break;
	}
}

static void write_mpls(struct naive_packet *p, const struct places *at, const struct flow *flow,
	bool *bad)
{
	if (!at->mpls || at->mpls + 4 > p->len)
		*bad = true;
	else
		memcpy(p->data + at->mpls, &flow->mpls_lse[0], 4);
}

void naive_write(struct naive_packet *p, enum field_id id, const struct flow *flow, bool *bad)
{
	struct places at = find(p);

	switch (id) {
	case FIELD_METADATA:
	case FIELD_PKT_MARK:
	case FIELD_REG0 ... FIELD_REG15:
	case FIELD_XREG0 ... FIELD_XREG7:
	case FIELD_XXREG0 ... FIELD_XXREG3:
		p->meta.metadata = flow->metadata;
		p->meta.pkt_mark = flow->pkt_mark;
		memcpy(p->meta.regs, flow->regs, sizeof p->meta.regs);
		break;
	case FIELD_ETH_DST:
		memcpy(p->data, &flow->dl_dst, 6);
		break;
	case FIELD_ETH_SRC:
		memcpy(p->data + 6, &flow->dl_src, 6);
		break;
	case FIELD_VLAN_VID:
	case FIELD_VLAN_PCP:
		/* A VID with the present bit is a tag, where there was none; one without is a riddle. */
		if (!(flow->vlans[0].tci & htobe16(VLAN_PRESENT))) {
			*bad = true;
			break;
		}
		if (!naive_n_tags(p))
			naive_push_vlan(p, ETH_T_VLAN_8021Q);
		naive_set_vlan(p, be16toh(flow->vlans[0].tci), VLAN_VID_MASK | VLAN_PCP_MASK);
		break;
	case FIELD_MPLS_LABEL:
	case FIELD_MPLS_TC:
	case FIELD_MPLS_TTL:
		write_mpls(p, &at, flow, bad);
		break;
	case FIELD_ARP_OP ... FIELD_ARP_THA:
		write_arp(p, &at, id, flow, bad);
		break;
	case FIELD_TCP_SRC ... FIELD_ND_TLL:
		write_l4(p, &at, id, flow, bad);
		break;
	default:
		write_ip(p, &at, id, flow, bad);
		break;
	}
}

/* ------------------------------------------------------------------ tags and labels */

static void open_gap(struct naive_packet *p, uint32_t ofs, uint32_t n)
{
	memmove(p->data + ofs + n, p->data + ofs, p->len - ofs);
	p->len += n;
}

static void close_gap(struct naive_packet *p, uint32_t ofs, uint32_t n)
{
	memmove(p->data + ofs, p->data + ofs + n, p->len - ofs - n);
	p->len -= n;
}

unsigned int naive_n_tags(const struct naive_packet *p)
{
	struct flow flow = find(p).flow;

	return (unsigned int)flow_n_vlans(&flow);
}

uint16_t naive_tci(const struct naive_packet *p)
{
	return (uint16_t)(p->data[14] << 8 | p->data[15]);
}

void naive_push_vlan(struct naive_packet *p, uint16_t tpid)
{
	open_gap(p, 12, 4);
	p->data[12] = (uint8_t)(tpid >> 8);
	p->data[13] = (uint8_t)tpid;
	p->data[14] = p->data[15] = 0;
}

void naive_pop_vlan(struct naive_packet *p)
{
	close_gap(p, 12, 4);
}

void naive_set_vlan(struct naive_packet *p, uint16_t value, uint16_t mask)
{
	uint16_t tci = (uint16_t)((naive_tci(p) & ~mask) | (value & mask));

	p->data[14] = (uint8_t)(tci >> 8);
	p->data[15] = (uint8_t)tci;
}

/* Priority and TTL of what is inside, or a copy of the label that is there. */
void naive_push_mpls(struct naive_packet *p, be16 ethertype, bool *bad)
{
	struct places at = find(p);
	uint32_t ofs = at.mpls ? at.mpls : at.l3, lse;
	const struct flow *flow = &at.flow;

	if (!ofs || (at.mpls && flow_n_mpls(flow) >= FLOW_MAX_MPLS) || (be16toh(flow->dl_type) < 0x600)) {
		*bad = true;
		return;
	}
	if (at.mpls) {
		lse = be32toh(flow->mpls_lse[0]) & ~(uint32_t)MPLS_BOS_MASK;
	} else {
		bool ip = flow->dl_type == htobe16(ETH_T_IP) || flow->dl_type == htobe16(ETH_T_IPV6);

		p->under_labels = flow->dl_type;
		lse = MPLS_BOS_MASK | (ip ? flow->nw_ttl : 0);
		if (ip)
			lse |= (uint32_t)(flow->nw_tos >> 2 & 7) << MPLS_TC_SHIFT;
	}
	open_gap(p, ofs, 4);
	memcpy(p->data + ofs - 2, &ethertype, 2);
	lse = htobe32(lse);
	memcpy(p->data + ofs, &lse, 4);
}

static bool is_version(be16 ethertype, uint8_t first)
{
	return first >> 4 == (ethertype == htobe16(ETH_T_IP) ? 4 : 6);
}

void naive_pop_mpls(struct naive_packet *p, be16 ethertype, bool *bad)
{
	struct places at = find(p);
	bool bottom;

	if (!at.mpls)
		return;
	bottom = at.flow.mpls_lse[0] & htobe32(MPLS_BOS_MASK);
	/* A type that says otherwise than the stack or what is behind it, or a stack beyond sight. */
	if (at.mpls + 5 > p->len || (bottom && p->under_labels && p->under_labels != ethertype) ||
		(bottom && !is_version(ethertype, p->data[at.mpls + 4])) ||
		bottom == eth_type_is_mpls(ethertype) || flow_n_mpls(&at.flow) >= FLOW_MAX_MPLS) {
		*bad = true;
		return;
	}
	close_gap(p, at.mpls, 4);
	memcpy(p->data + at.mpls - 2, &ethertype, 2);
}
