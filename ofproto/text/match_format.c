/* SPDX-License-Identifier: Apache-2.0 */

#include <inttypes.h>
#include <netinet/icmp6.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>

#include "lib/headers.h"
#include "lib/util.h"
#include "ofproto/text/match_text.h"

struct printer {
	const struct match *match;
	const struct port_names *names;
	struct sbuf *s;
};

/* "NAME=VALUE[/MASK]," if the match looks at field ID. */
static void put_as(const struct printer *p, enum field_id id, const char *name)
{
	const struct field *f = field_from_id(id);
	union field_value value, mask;

	if (field_is_all_wild(f, &p->match->mask))
		return;
	field_get(f, &p->match->flow, &value);
	field_get(f, &p->match->mask, &mask);
	sbuf_putf(p->s, "%s=", name);
	field_format(f, &value, &mask, p->names, p->s);
	sbuf_putc(p->s, ',');
}

static void put(const struct printer *p, enum field_id id)
{
	put_as(p, id, field_from_id(id)->name);
}

static void put_u32(const struct printer *p, const char *name, uint32_t value, uint32_t mask)
{
	if (!mask)
		return;
	sbuf_putf(p->s, "%s=%#" PRIx32, name, value);
	if (mask != UINT32_MAX)
		sbuf_putf(p->s, "/%#" PRIx32, mask);
	sbuf_putc(p->s, ',');
}

static void put_metadata(const struct printer *p)
{
	static const enum field_id ids[] = {
		FIELD_CONJ_ID, FIELD_SKB_PRIORITY, FIELD_ACTSET_OUTPUT, FIELD_CT_STATE, FIELD_CT_ZONE,
		FIELD_CT_MARK, FIELD_CT_LABEL, FIELD_CT_NW_SRC, FIELD_CT_IPV6_SRC, FIELD_CT_NW_DST,
		FIELD_CT_IPV6_DST, FIELD_CT_NW_PROTO, FIELD_CT_TP_SRC, FIELD_CT_TP_DST,
	};
	const struct flow *f = &p->match->flow, *m = &p->match->mask;

	put_u32(p, "pkt_mark", f->pkt_mark, m->pkt_mark);
	put_u32(p, "recirc_id", f->recirc_id, m->recirc_id);
	put_u32(p, "dp_hash", f->dp_hash, m->dp_hash);
	for (size_t i = 0; i < ARRAY_SIZE(ids); i++)
		put(p, ids[i]);
}

/* "tcp," for what the Ethernet type and protocol say together. Sets what need not be printed again. */
static void put_shorthand(const struct printer *p, bool *skip_type, bool *skip_proto)
{
	static const struct {
		uint16_t type;
		uint8_t proto;
		const char *name;
	} names[] = {
		{ETH_T_IP, IPPROTO_ICMP, "icmp"}, {ETH_T_IP, IPPROTO_IGMP, "igmp"},
		{ETH_T_IP, IPPROTO_TCP, "tcp"}, {ETH_T_IP, IPPROTO_UDP, "udp"},
		{ETH_T_IP, IPPROTO_SCTP, "sctp"}, {ETH_T_IPV6, IPPROTO_ICMPV6, "icmp6"},
		{ETH_T_IPV6, IPPROTO_TCP, "tcp6"}, {ETH_T_IPV6, IPPROTO_UDP, "udp6"},
		{ETH_T_IPV6, IPPROTO_SCTP, "sctp6"}, {ETH_T_IP, 0, "ip"},
		{ETH_T_IPV6, 0, "ipv6"}, {ETH_T_ARP, 0, "arp"}, {ETH_T_RARP, 0, "rarp"},
		{ETH_T_MPLS, 0, "mpls"}, {ETH_T_MPLS_MCAST, 0, "mplsm"},
	};
	const struct flow *f = &p->match->flow, *m = &p->match->mask;

	*skip_type = *skip_proto = false;
	if (m->dl_type != BE16_MAX)
		return;
	for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
		if (names[i].type != be16toh(f->dl_type) || (names[i].proto &&
			(m->nw_proto != 0xff || f->nw_proto != names[i].proto)))
			continue;
		*skip_type = true;
		*skip_proto = names[i].proto != 0;
		sbuf_putf(p->s, "%s,", names[i].name);
		return;
	}
}

static void put_registers(const struct printer *p)
{
	for (int i = 0; i < FLOW_N_REGS; i++) {
		char name[8];

		snprintf(name, sizeof name, "reg%d", i);
		put_u32(p, name, p->match->flow.regs[i], p->match->mask.regs[i]);
	}
}

/* A Geneve option: alone if only its presence counts. */
static void put_option(const struct printer *p, enum field_id id)
{
	static const union field_value zero;
	const struct field *f = field_from_id(id);
	union field_value value, mask;

	field_get(f, &p->match->flow, &value);
	field_get(f, &p->match->mask, &mask);
	sbuf_puts(p->s, f->name);
	if (memcmp(&mask, &zero, f->n_bytes)) {
		sbuf_putc(p->s, '=');
		field_format(f, &value, field_is_all_exact(f, &p->match->mask) ? NULL : &mask,
			p->names, p->s);
	}
	sbuf_putc(p->s, ',');
}

static void put_tunnel(const struct printer *p)
{
	static const enum field_id ids[] = {
		FIELD_TUN_ID, FIELD_TUN_SRC, FIELD_TUN_DST, FIELD_TUN_IPV6_SRC, FIELD_TUN_IPV6_DST,
		FIELD_TUN_GBP_ID, FIELD_TUN_GBP_FLAGS, FIELD_TUN_TOS, FIELD_TUN_TTL, FIELD_TUN_FLAGS,
	};

	for (size_t i = 0; i < ARRAY_SIZE(ids); i++)
		put(p, ids[i]);
	for (int i = 0; i < FLOW_TUN_METADATA_OPTS; i++)
		if (p->match->mask.tun_metadata.present & UINT64_C(1) << i)
			put_option(p, FIELD_TUN_METADATA0 + i);
}

static void put_vlans(const struct printer *p)
{
	for (int i = 0; i < FLOW_MAX_VLANS; i++) {
		uint16_t tci = be16toh(p->match->flow.vlans[i].tci);
		uint16_t mask = be16toh(p->match->mask.vlans[i].tci);
		uint16_t vid = mask & VLAN_VID_MASK, pcp = mask & VLAN_PCP_MASK;
		const char *nth = i ? "1" : "";

		if (!mask)
			break;
		if ((mask & tci & VLAN_PRESENT) && (!vid || vid == VLAN_VID_MASK) &&
			(!pcp || pcp == VLAN_PCP_MASK) && (vid || pcp)) {
			if (vid)
				sbuf_putf(p->s, "dl_vlan%s=%u,", nth, tci & VLAN_VID_MASK);
			if (pcp)
				sbuf_putf(p->s, "dl_vlan_pcp%s=%u,", nth, tci >> VLAN_PCP_SHIFT);
		} else if (mask == 0xffff) {
			sbuf_putf(p->s, "vlan_tci%s=0x%04x,", nth, tci);
		} else {
			sbuf_putf(p->s, "vlan_tci%s=0x%04x/0x%04x,", nth, tci, mask);
		}
	}
}

static bool is_arp(const struct flow *f)
{
	return f->dl_type == htobe16(ETH_T_ARP) || f->dl_type == htobe16(ETH_T_RARP);
}

static void put_label(const struct printer *p)
{
	uint32_t label = be32toh(p->match->flow.ipv6_label), mask = be32toh(p->match->mask.ipv6_label);

	if (mask == 0xfffff)
		sbuf_putf(p->s, "ipv6_label=0x%05x,", label);
	else if (mask)
		sbuf_putf(p->s, "ipv6_label=0x%05x/0x%05x,", label, mask);
}

/* The label stack entries below the first, as numbers. No match asks for them, but flows have them. */
static void put_inner_labels(const struct printer *p)
{
	for (int i = 1; i < FLOW_MAX_MPLS; i++) {
		uint32_t value = be32toh(p->match->flow.mpls_lse[i]);
		uint32_t mask = be32toh(p->match->mask.mpls_lse[i]);

		if (mask == UINT32_MAX)
			sbuf_putf(p->s, "mpls_lse%d=%u,", i, value);
		else if (mask)
			sbuf_putf(p->s, "mpls_lse%d=0x%x/0x%x,", i, value, mask);
	}
}

static void put_network(const struct printer *p, bool skip_proto)
{
	const struct flow *f = &p->match->flow, *m = &p->match->mask;
	bool arp = is_arp(f);

	if (f->dl_type == htobe16(ETH_T_IPV6)) {
		put(p, FIELD_IPV6_SRC);
		put(p, FIELD_IPV6_DST);
		put_label(p);
		put(p, FIELD_IPV6_EXTHDR);
	} else {
		put_as(p, FIELD_IPV4_SRC, arp ? "arp_spa" : "nw_src");
		put_as(p, FIELD_IPV4_DST, arp ? "arp_tpa" : "nw_dst");
	}
	if (!skip_proto && m->nw_proto)
		sbuf_putf(p->s, "%s=%u,", arp ? "arp_op" : "nw_proto", f->nw_proto);
	if (arp) {
		put(p, FIELD_ARP_SHA);
		put(p, FIELD_ARP_THA);
	}
	if (m->nw_tos & 0xfc)
		sbuf_putf(p->s, "nw_tos=%u,", f->nw_tos & 0xfc);
	if (m->nw_tos & 0x03)
		sbuf_putf(p->s, "nw_ecn=%u,", f->nw_tos & 0x03);
	put_as(p, FIELD_IP_TTL, "nw_ttl");
	put(p, FIELD_MPLS_LABEL);
	put(p, FIELD_MPLS_TC);
	put(p, FIELD_MPLS_TTL);
	put(p, FIELD_MPLS_BOS);
	put_inner_labels(p);
	put(p, FIELD_PBB_ISID);
	put(p, FIELD_PBB_UCA);
	put_as(p, FIELD_IP_FRAG, "nw_frag");
}

/* Ports hold different things by protocol; where none is known they are ports. */
static void put_port(const struct printer *p, const char *name, be16 value, be16 mask)
{
	/* ICMP's type and code are bytes in there. */
	if (mask == BE16_MAX || (name[0] == 'i' && mask == htobe16(0xff)))
		sbuf_putf(p->s, "%s=%u,", name, be16toh(value));
	else if (mask)
		sbuf_putf(p->s, "%s=0x%x/0x%x,", name, be16toh(value), be16toh(mask));
}

static void put_mac(const struct printer *p, const char *name, struct eth_addr value,
	struct eth_addr mask)
{
	static const struct eth_addr none, all = {{0xff, 0xff, 0xff, 0xff, 0xff, 0xff}};

	if (!memcmp(&mask, &none, sizeof mask))
		return;
	sbuf_putf(p->s, "%s=", name);
	sbuf_put_mac(p->s, value.b);
	if (memcmp(&mask, &all, sizeof mask)) {
		sbuf_putc(p->s, '/');
		sbuf_put_mac(p->s, mask.b);
	}
	sbuf_putc(p->s, ',');
}

static void put_transport(const struct printer *p)
{
	const struct flow *f = &p->match->flow, *m = &p->match->mask;
	bool icmp = f->dl_type == htobe16(ETH_T_IP) && f->nw_proto == IPPROTO_ICMP;
	bool icmp6 = f->dl_type == htobe16(ETH_T_IPV6) && f->nw_proto == IPPROTO_ICMPV6;

	put_port(p, icmp || icmp6 ? "icmp_type" : "tp_src", f->tp_src, m->tp_src);
	put_port(p, icmp || icmp6 ? "icmp_code" : "tp_dst", f->tp_dst, m->tp_dst);
	if (icmp6) {
		put(p, FIELD_ND_TARGET);
		put_mac(p, "nd_sll", f->arp_sha, m->arp_sha);
		put_mac(p, "nd_tll", f->arp_tha, m->arp_tha);
		if (m->nd_reserved)
			put(p, FIELD_ND_RESERVED);
		if (m->nd_options_type)
			put(p, FIELD_ND_OPTIONS_TYPE);
	}
	put(p, FIELD_TCP_FLAGS);
}

void match_format(const struct match *match, int priority, const struct port_names *names,
	struct sbuf *s)
{
	const struct printer p = {match, names, s};
	size_t start = s->len;
	bool skip_type, skip_proto;

	if (priority != MATCH_DEFAULT_PRIORITY)
		sbuf_putf(s, "priority=%d,", priority);
	put_metadata(&p);
	/* Only what became of a packet says that it is Ethernet; a rule could match nothing else. */
	if (match->mask.recirc_id)
		sbuf_puts(s, "eth,");
	put_shorthand(&p, &skip_type, &skip_proto);
	put_registers(&p);
	put_tunnel(&p);
	put(&p, FIELD_METADATA);
	if (match->mask.in_port) {
		sbuf_puts(s, "in_port=");
		field_format_port(match->flow.in_port, names, s);
		sbuf_putc(s, ',');
	}
	put_vlans(&p);
	put_as(&p, FIELD_ETH_SRC, "dl_src");
	put_as(&p, FIELD_ETH_DST, "dl_dst");
	if (!skip_type && match->mask.dl_type)
		sbuf_putf(s, "dl_type=0x%04x,", be16toh(match->flow.dl_type));
	put_network(&p, skip_proto);
	put_transport(&p);
	if (s->len > start)
		sbuf_chomp(s, ',');
}

/* The fields that a packet with FLOW's types has are shown even where they are zero. */
void flow_format(const struct flow *flow, const struct port_names *names, struct sbuf *s)
{
	const uint64_t *words = flow_words_const(flow);
	struct match match = {.flow = *flow};
	uint64_t *mask = flow_words(&match.mask);
	size_t before;

	memset(&match.mask.dl_src, 0xff, sizeof match.mask.dl_src);
	memset(&match.mask.dl_dst, 0xff, sizeof match.mask.dl_dst);
	match.mask.dl_type = BE16_MAX;
	match.mask.in_port = UINT32_MAX;
	match.mask.vlans[0].tci = BE16_MAX;
	for (int id = FIELD_NONE + 1; id < FIELD_N_IDS; id++) {
		const struct field *f = field_from_id(id);

		if ((f->prereq == FIELD_PRE_ARP || f->prereq >= FIELD_PRE_IPV4) &&
			f->prereq != FIELD_PRE_CT && id != FIELD_IPV6_EXTHDR &&
			id != FIELD_ND_OPTIONS_TYPE && field_prereqs_ok(f, flow, NULL))
			field_unwildcard(f, &match.mask);
	}
	/* Everything else only if it says something. */
	for (size_t i = 0; i < FLOW_WORDS; i++)
		for (int byte = 0; byte < 64; byte += 8)
			if (words[i] >> byte & 0xff)
				mask[i] |= UINT64_C(0xff) << byte;
	for (int i = 0; i < FLOW_N_REGS; i++)
		match.mask.regs[i] = flow->regs[i] ? UINT32_MAX : 0;
	for (int i = 0; i < FLOW_MAX_MPLS && eth_type_is_mpls(flow->dl_type); i++) {
		match.mask.mpls_lse[i] = BE32_MAX;
		if (flow->mpls_lse[i] & htobe32(MPLS_BOS_MASK))
			break;
	}
	match.mask.metadata = flow->metadata ? BE64_MAX : 0;
	match.mask.pkt_mark = flow->pkt_mark ? UINT32_MAX : 0;
	match.mask.ct_mark = flow->ct_mark ? UINT32_MAX : 0;
	match.mask.dp_hash = flow->dp_hash ? UINT32_MAX : 0;
	match.mask.recirc_id = flow->recirc_id ? UINT32_MAX : 0;
	match.mask.tunnel.tun_id = flow_tnl_is_set(&flow->tunnel) || flow->tunnel.tun_id ? BE64_MAX : 0;
	match.mask.tun_metadata.present = flow->tun_metadata.present;
	match.mask.vlans[1].tci = flow->vlans[0].tci ? BE16_MAX : 0;
	if (field_prereqs_ok(field_from_id(FIELD_ND_TARGET), flow, NULL)) {
		memset(&match.mask.arp_sha, 0xff, sizeof match.mask.arp_sha);
		memset(&match.mask.arp_tha, 0xff, sizeof match.mask.arp_tha);
	}
	match.mask.nd_reserved = flow->nd_reserved ? BE32_MAX : 0;
	before = s->len;
	match_format(&match, MATCH_DEFAULT_PRIORITY, names, s);
	if (s->len == before)
		sbuf_puts(s, "(empty)");
}
