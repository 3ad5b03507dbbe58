/* SPDX-License-Identifier: Apache-2.0 */

/* The fixed match structs of OpenFlow 1.0 (5.2.3) and 1.1 (A.2.3). */

#include <netinet/in.h>

#include "lib/headers.h"
#include "ofproto/wire/oxm.h"
#include "ofproto/wire/put.h"

#define DSCP_MASK 0xfc

/* ------------------------------------------------------------------ shared */

static void match_exact(enum field_id id, const void *bytes, struct match *match)
{
	const struct field *f = field_from_id(id);
	union field_value value, ones;

	memset(&value, 0, sizeof value);
	memset(&ones, 0xff, sizeof ones);
	memcpy(&value, bytes, f->n_bytes);
	field_set_match(f, &value, &ones, match);
}

static void match_exact_u16(enum field_id id, uint16_t v, struct match *match)
{
	be16 wire = htobe16(v);

	match_exact(id, &wire, match);
}

static void match_exact_u8(enum field_id id, uint8_t v, struct match *match)
{
	match_exact(id, &v, match);
}

static void match_masked(enum field_id id, const void *bytes, const void *mask_bytes,
	struct match *match)
{
	const struct field *f = field_from_id(id);
	union field_value value, mask;

	memset(&value, 0, sizeof value);
	memset(&mask, 0, sizeof mask);
	memcpy(&mask, mask_bytes, f->n_bytes);
	for (int i = 0; i < f->n_bytes; i++)
		value.b[i] = ((const uint8_t *)bytes)[i] & mask.b[i];
	field_set_match(f, &value, &mask, match);
}

static bool is_ip(uint16_t dl_type)
{
	return dl_type == ETH_T_IP || dl_type == ETH_T_IPV6;
}

static bool is_arp(uint16_t dl_type)
{
	return dl_type == ETH_T_ARP || dl_type == ETH_T_RARP;
}

static const enum field_id no_ports[2] = {FIELD_NONE, FIELD_NONE};

/* The fields that tp_src and tp_dst are with DL_TYPE and NW_PROTO; both FIELD_NONE if nothing. */
static const enum field_id *port_fields(uint16_t dl_type, uint8_t nw_proto)
{
	static const enum field_id tcp[2] = {FIELD_TCP_SRC, FIELD_TCP_DST};
	static const enum field_id udp[2] = {FIELD_UDP_SRC, FIELD_UDP_DST};
	static const enum field_id sctp[2] = {FIELD_SCTP_SRC, FIELD_SCTP_DST};
	static const enum field_id icmp4[2] = {FIELD_ICMPV4_TYPE, FIELD_ICMPV4_CODE};
	static const enum field_id icmp6[2] = {FIELD_ICMPV6_TYPE, FIELD_ICMPV6_CODE};

	if (!is_ip(dl_type))
		return no_ports;
	switch (nw_proto) {
	case IPPROTO_TCP:
		return tcp;
	case IPPROTO_UDP:
		return udp;
	case IPPROTO_SCTP:
		return sctp;
	case IPPROTO_ICMP:
		return dl_type == ETH_T_IP ? icmp4 : no_ports;
	case IPPROTO_ICMPV6:
		return dl_type == ETH_T_IPV6 ? icmp6 : no_ports;
	default:
		return no_ports;
	}
}

static void match_port(enum field_id id, uint16_t port, struct match *match)
{
	if (id == FIELD_NONE)
		return;
	if (field_from_id(id)->n_bytes == 1)
		match_exact_u8(id, (uint8_t)port, match);
	else
		match_exact_u16(id, port, match);
}

static void match_vlan(bool vid_given, uint16_t vid, bool pcp_given, uint8_t pcp,
	struct match *match)
{
	uint16_t tci = VLAN_PRESENT, mask = 0;
	be16 wire, wire_mask;

	if (vid_given) {
		tci |= vid & VLAN_VID_MASK;
		mask |= VLAN_VID_MASK | VLAN_PRESENT;
	}
	if (pcp_given) {
		tci |= (uint16_t)(pcp << VLAN_PCP_SHIFT) & VLAN_PCP_MASK;
		mask |= VLAN_PCP_MASK | VLAN_PRESENT;
	}
	wire = htobe16(tci & mask);
	wire_mask = htobe16(mask);
	match_masked(FIELD_VLAN_TCI, &wire, &wire_mask, match);
}

static void match_no_vlan(struct match *match)
{
	match_exact_u16(FIELD_VLAN_TCI, 0, match);
}

static bool tci_matched(const struct match *match)
{
	return match->mask.vlans[0].tci;
}

static bool tci_is_none(const struct match *match)
{
	return match->mask.vlans[0].tci & htobe16(VLAN_PRESENT) &&
		!(match->flow.vlans[0].tci & htobe16(VLAN_PRESENT));
}

static bool is_zero(const void *p, size_t n)
{
	const uint8_t *b = p;

	for (size_t i = 0; i < n; i++)
		if (b[i])
			return false;
	return true;
}

/* ------------------------------------------------------------------ OpenFlow 1.0 */

#define FW10_IN_PORT (1 << 0)
#define FW10_DL_VLAN (1 << 1)
#define FW10_DL_SRC (1 << 2)
#define FW10_DL_DST (1 << 3)
#define FW10_DL_TYPE (1 << 4)
#define FW10_NW_PROTO (1 << 5)
#define FW10_TP_SRC (1 << 6)
#define FW10_TP_DST (1 << 7)
#define FW10_NW_SRC_SHIFT 8
#define FW10_NW_DST_SHIFT 14
#define FW10_NW_BITS 0x3f
#define FW10_DL_VLAN_PCP (1 << 20)
#define FW10_NW_TOS (1 << 21)

#define VLAN10_NONE 0xffff

struct match10 {
	uint32_t wildcards;
	uint16_t in_port;
	struct eth_addr dl_src, dl_dst;
	uint16_t dl_vlan;
	uint8_t dl_vlan_pcp;
	uint16_t dl_type;
	uint8_t nw_tos, nw_proto;
	be32 nw_src, nw_dst;
	uint16_t tp_src, tp_dst;
};

static bool match10_read(struct cursor *c, struct match10 *m)
{
	m->wildcards = cursor_u32(c);
	m->in_port = cursor_u16(c);
	cursor_bytes(c, &m->dl_src, 6);
	cursor_bytes(c, &m->dl_dst, 6);
	m->dl_vlan = cursor_u16(c);
	m->dl_vlan_pcp = cursor_u8(c);
	cursor_skip(c, 1);
	m->dl_type = cursor_u16(c);
	m->nw_tos = cursor_u8(c);
	m->nw_proto = cursor_u8(c);
	cursor_skip(c, 2);
	m->nw_src = cursor_be32(c);
	m->nw_dst = cursor_be32(c);
	m->tp_src = cursor_u16(c);
	m->tp_dst = cursor_u16(c);
	return cursor_ok(c);
}

/* Network mask of an address whose field says how many low bits are wild. */
static be32 wild_bits_to_mask(uint32_t bits)
{
	bits &= FW10_NW_BITS;
	return bits < 32 ? htobe32(UINT32_MAX << bits) : 0;
}

static void match10_addresses(const struct match10 *m, struct match *match)
{
	be32 src = wild_bits_to_mask(m->wildcards >> FW10_NW_SRC_SHIFT);
	be32 dst = wild_bits_to_mask(m->wildcards >> FW10_NW_DST_SHIFT);

	if (m->dl_type == ETH_T_IP) {
		match_masked(FIELD_IPV4_SRC, &m->nw_src, &src, match);
		match_masked(FIELD_IPV4_DST, &m->nw_dst, &dst, match);
	} else if (is_arp(m->dl_type)) {
		match_masked(FIELD_ARP_SPA, &m->nw_src, &src, match);
		match_masked(FIELD_ARP_TPA, &m->nw_dst, &dst, match);
	}
}

/* Fields that the Ethernet type doesn't provide are ignored, as OpenFlow 1.0.1 asks for. */
static void match10_network(const struct match10 *m, struct match *match)
{
	uint32_t fw = m->wildcards;
	const enum field_id *ports = no_ports;

	match10_addresses(m, match);
	if (is_arp(m->dl_type) && !(fw & FW10_NW_PROTO))
		match_exact_u16(FIELD_ARP_OP, m->nw_proto, match);
	if (!is_ip(m->dl_type))
		return;
	if (!(fw & FW10_NW_TOS))
		match_exact_u8(FIELD_IP_DSCP, m->nw_tos & DSCP_MASK, match);
	if (fw & FW10_NW_PROTO)
		return;
	match_exact_u8(FIELD_IP_PROTO, m->nw_proto, match);
	ports = port_fields(m->dl_type, m->nw_proto);
	if (!(fw & FW10_TP_SRC))
		match_port(ports[0], m->tp_src, match);
	if (!(fw & FW10_TP_DST))
		match_port(ports[1], m->tp_dst, match);
}

enum ofp_error ofp10_decode_match(struct cursor *c, struct match *match)
{
	struct match10 m;
	uint32_t fw;

	if (!match10_read(c, &m))
		return OFPBRC_BAD_LEN;
	fw = m.wildcards;
	memset(match, 0, sizeof *match);
	if (!(fw & FW10_IN_PORT))
		match_exact_u16(FIELD_IN_PORT, m.in_port, match);
	if (!(fw & FW10_DL_SRC))
		match_exact(FIELD_ETH_SRC, &m.dl_src, match);
	if (!(fw & FW10_DL_DST))
		match_exact(FIELD_ETH_DST, &m.dl_dst, match);
	/* OpenFlow 1.0 contradicts itself about no tag with a PCP: no tag it is. */
	if (!(fw & FW10_DL_VLAN) && m.dl_vlan == VLAN10_NONE)
		match_no_vlan(match);
	else
		match_vlan(!(fw & FW10_DL_VLAN), m.dl_vlan, !(fw & FW10_DL_VLAN_PCP),
			m.dl_vlan_pcp, match);
	if (!(fw & FW10_DL_TYPE)) {
		match_exact_u16(FIELD_ETH_TYPE, m.dl_type, match);
		match10_network(&m, match);
	}
	return OFP_OK;
}

static uint32_t mask_to_wild_bits(be32 mask)
{
	uint32_t m = be32toh(mask);

	return m ? (uint32_t)__builtin_ctz(m) : 32;
}

static void match10_vlan(const struct match *match, struct match10 *m)
{
	uint16_t tci = be16toh(match->flow.vlans[0].tci);
	uint16_t mask = be16toh(match->mask.vlans[0].tci);

	if (!tci_matched(match)) {
		m->wildcards |= FW10_DL_VLAN | FW10_DL_VLAN_PCP;
	} else if (tci_is_none(match)) {
		m->dl_vlan = VLAN10_NONE;
	} else {
		if (mask & VLAN_VID_MASK)
			m->dl_vlan = tci & VLAN_VID_MASK;
		else
			m->wildcards |= FW10_DL_VLAN;
		if (mask & VLAN_PCP_MASK)
			m->dl_vlan_pcp = (uint8_t)(tci >> VLAN_PCP_SHIFT);
		else
			m->wildcards |= FW10_DL_VLAN_PCP;
	}
}

void ofp10_put_match(struct sbuf *out, const struct match *match)
{
	const struct flow *flow = &match->flow, *mask = &match->mask;
	struct match10 m = {0};

	m.wildcards |= mask->in_port ? 0 : FW10_IN_PORT;
	m.wildcards |= is_zero(&mask->dl_src, 6) ? FW10_DL_SRC : 0;
	m.wildcards |= is_zero(&mask->dl_dst, 6) ? FW10_DL_DST : 0;
	m.wildcards |= mask->dl_type ? 0 : FW10_DL_TYPE;
	m.wildcards |= mask->nw_tos & DSCP_MASK ? 0 : FW10_NW_TOS;
	m.wildcards |= mask->nw_proto ? 0 : FW10_NW_PROTO;
	m.wildcards |= mask->tp_src ? 0 : FW10_TP_SRC;
	m.wildcards |= mask->tp_dst ? 0 : FW10_TP_DST;
	m.wildcards |= mask_to_wild_bits(mask->nw_src) << FW10_NW_SRC_SHIFT;
	m.wildcards |= mask_to_wild_bits(mask->nw_dst) << FW10_NW_DST_SHIFT;
	match10_vlan(match, &m);

	put_u32(out, m.wildcards);
	put_u16(out, (uint16_t)flow->in_port);
	sbuf_put(out, &flow->dl_src, 6);
	sbuf_put(out, &flow->dl_dst, 6);
	put_u16(out, m.dl_vlan);
	put_u8(out, m.dl_vlan_pcp);
	put_pad(out, 1);
	put_be16(out, flow->dl_type);
	put_u8(out, flow->nw_tos & DSCP_MASK);
	put_u8(out, flow->nw_proto);
	put_pad(out, 2);
	put_be32(out, flow->nw_src);
	put_be32(out, flow->nw_dst);
	put_be16(out, flow->tp_src);
	put_be16(out, flow->tp_dst);
}

/* What comes back as it was, fits. */
static bool match_fits(const struct match *match,
	void (*put)(struct sbuf *out, const struct match *match),
	enum ofp_error (*decode)(struct cursor *c, struct match *match))
{
	struct sbuf bytes = SBUF_INITIALIZER;
	struct cursor c;
	struct match back;
	bool fits;

	put(&bytes, match);
	cursor_init(&c, bytes.data, bytes.len);
	fits = !decode(&c, &back) && flow_equal(&back.flow, &match->flow) &&
		flow_equal(&back.mask, &match->mask);
	sbuf_uninit(&bytes);
	return fits;
}

bool ofp10_match_fits(const struct match *match)
{
	return match_fits(match, ofp10_put_match, ofp10_decode_match);
}

/* ------------------------------------------------------------------ OpenFlow 1.1 */

#define FW11_IN_PORT (1 << 0)
#define FW11_DL_VLAN (1 << 1)
#define FW11_DL_VLAN_PCP (1 << 2)
#define FW11_DL_TYPE (1 << 3)
#define FW11_NW_TOS (1 << 4)
#define FW11_NW_PROTO (1 << 5)
#define FW11_TP_SRC (1 << 6)
#define FW11_TP_DST (1 << 7)
#define FW11_MPLS_LABEL (1 << 8)
#define FW11_MPLS_TC (1 << 9)
#define FW11_ALL 0x3ff

#define VLAN11_ANY 0xfffe
#define VLAN11_NONE 0xffff

struct match11 {
	uint32_t wildcards;
	ofp_port_t in_port;
	struct eth_addr dl_src, dl_src_mask, dl_dst, dl_dst_mask;
	uint16_t dl_vlan;
	uint8_t dl_vlan_pcp;
	uint16_t dl_type;
	uint8_t nw_tos, nw_proto;
	be32 nw_src, nw_src_mask, nw_dst, nw_dst_mask;
	uint16_t tp_src, tp_dst;
	uint32_t mpls_label;
	uint8_t mpls_tc;
	be64 metadata, metadata_mask;
};

static void mac_invert(struct eth_addr *mac)
{
	for (int i = 0; i < 6; i++)
		mac->b[i] = (uint8_t)~mac->b[i];
}

static bool match11_read(struct cursor *c, struct match11 *m)
{
	cursor_skip(c, 4);
	m->in_port = cursor_u32(c);
	m->wildcards = cursor_u32(c);
	cursor_bytes(c, &m->dl_src, 6);
	cursor_bytes(c, &m->dl_src_mask, 6);
	cursor_bytes(c, &m->dl_dst, 6);
	cursor_bytes(c, &m->dl_dst_mask, 6);
	m->dl_vlan = cursor_u16(c);
	m->dl_vlan_pcp = cursor_u8(c);
	cursor_skip(c, 1);
	m->dl_type = cursor_u16(c);
	m->nw_tos = cursor_u8(c);
	m->nw_proto = cursor_u8(c);
	m->nw_src = cursor_be32(c);
	m->nw_src_mask = ~cursor_be32(c);
	m->nw_dst = cursor_be32(c);
	m->nw_dst_mask = ~cursor_be32(c);
	m->tp_src = cursor_u16(c);
	m->tp_dst = cursor_u16(c);
	m->mpls_label = cursor_u32(c);
	m->mpls_tc = cursor_u8(c);
	cursor_skip(c, 3);
	m->metadata = cursor_be64(c);
	m->metadata_mask = ~cursor_be64(c);
	/* Wild bits on the wire, significant ones here. */
	mac_invert(&m->dl_src_mask);
	mac_invert(&m->dl_dst_mask);
	return cursor_ok(c);
}

static enum ofp_error match11_vlan(const struct match11 *m, struct match *match)
{
	uint32_t fw = m->wildcards;
	bool pcp = !(fw & FW11_DL_VLAN_PCP);

	if (fw & FW11_DL_VLAN)
		return OFP_OK;
	if (m->dl_vlan == VLAN11_NONE) {
		match_no_vlan(match);
		return OFP_OK;
	}
	if (m->dl_vlan == VLAN11_ANY) {
		be16 present = htobe16(VLAN_PRESENT);

		match_masked(FIELD_VLAN_TCI, &present, &present, match);
	} else if (m->dl_vlan < 4096) {
		match_vlan(true, m->dl_vlan, false, 0, match);
	} else {
		return OFPBMC_BAD_VALUE;
	}
	if (!pcp)
		return OFP_OK;
	if (m->dl_vlan_pcp > 7)
		return OFPBMC_BAD_VALUE;
	match_exact_u8(FIELD_VLAN_PCP, m->dl_vlan_pcp, match);
	return OFP_OK;
}

static enum ofp_error match11_ports(const struct match11 *m, struct match *match)
{
	const enum field_id *ports = m->wildcards & FW11_NW_PROTO
		? no_ports
		: port_fields(m->dl_type, m->nw_proto);
	uint16_t max = ports[0] != FIELD_NONE && field_from_id(ports[0])->n_bytes == 1 ? 0xff
										       : 0xffff;

	if (m->wildcards & FW11_NW_PROTO)
		return OFP_OK;
	match_exact_u8(FIELD_IP_PROTO, m->nw_proto, match);
	for (int i = 0; i < 2; i++) {
		uint16_t port = i ? m->tp_dst : m->tp_src;

		if (m->wildcards & (i ? FW11_TP_DST : FW11_TP_SRC))
			continue;
		/* Other protocols' ports are no field. */
		if (ports[i] == FIELD_NONE) {
			if (m->nw_proto == IPPROTO_ICMP || m->nw_proto == IPPROTO_ICMPV6)
				return OFPBMC_BAD_FIELD;
			continue;
		}
		if (port > max)
			return OFPBMC_BAD_FIELD;
		match_port(ports[i], port, match);
	}
	return OFP_OK;
}

/* The struct knows no IPv6: what a flow says of it takes OXM. */
static enum ofp_error match11_network(const struct match11 *m, struct match *match)
{
	bool ip4 = m->dl_type == ETH_T_IP;
	bool arp = is_arp(m->dl_type);

	if (ip4 && !(m->wildcards & FW11_NW_TOS)) {
		if (m->nw_tos & ~DSCP_MASK)
			return OFPBMC_BAD_VALUE;
		match_exact_u8(FIELD_IP_DSCP, m->nw_tos, match);
	}
	if (arp && !(m->wildcards & FW11_NW_PROTO))
		match_exact_u16(FIELD_ARP_OP, m->nw_proto, match);
	if (ip4 || arp) {
		match_masked(ip4 ? FIELD_IPV4_SRC : FIELD_ARP_SPA, &m->nw_src, &m->nw_src_mask,
			match);
		match_masked(ip4 ? FIELD_IPV4_DST : FIELD_ARP_TPA, &m->nw_dst, &m->nw_dst_mask,
			match);
	}
	return ip4 ? match11_ports(m, match) : OFP_OK;
}

static void match11_mpls(const struct match11 *m, struct match *match)
{
	be32 label = htobe32(m->mpls_label & 0xfffff);

	if (m->dl_type != ETH_T_MPLS && m->dl_type != ETH_T_MPLS_MCAST)
		return;
	if (!(m->wildcards & FW11_MPLS_LABEL))
		match_exact(FIELD_MPLS_LABEL, &label, match);
	if (!(m->wildcards & FW11_MPLS_TC))
		match_exact_u8(FIELD_MPLS_TC, m->mpls_tc & 7, match);
}

enum ofp_error ofp11_decode_match(struct cursor *c, struct match *match)
{
	struct match11 m;
	enum ofp_error error;

	if (!match11_read(c, &m))
		return OFPBMC_BAD_LEN;
	memset(match, 0, sizeof *match);
	if (!(m.wildcards & FW11_IN_PORT)) {
		be32 port = htobe32(m.in_port);

		if (m.in_port >= 0xff00 && m.in_port < OFPP_MAX)
			return OFPBMC_BAD_VALUE;
		match_exact(FIELD_IN_PORT_OXM, &port, match);
	}
	match_masked(FIELD_ETH_SRC, &m.dl_src, &m.dl_src_mask, match);
	match_masked(FIELD_ETH_DST, &m.dl_dst, &m.dl_dst_mask, match);
	error = match11_vlan(&m, match);
	if (error)
		return error;
	if (!(m.wildcards & FW11_DL_TYPE)) {
		match_exact_u16(FIELD_ETH_TYPE, m.dl_type, match);
		match11_mpls(&m, match);
		error = match11_network(&m, match);
		if (error)
			return error;
	}
	match_masked(FIELD_METADATA, &m.metadata, &m.metadata_mask, match);
	return OFP_OK;
}

static uint32_t match11_wildcards(const struct match *match)
{
	const struct flow *mask = &match->mask;
	uint16_t tci_mask = be16toh(mask->vlans[0].tci);
	uint32_t lse_mask = be32toh(mask->mpls_lse[0]);
	uint32_t fw = 0;

	fw |= mask->in_port ? 0 : FW11_IN_PORT;
	fw |= tci_mask ? 0 : FW11_DL_VLAN;
	fw |= tci_mask & VLAN_PCP_MASK && !tci_is_none(match) ? 0 : FW11_DL_VLAN_PCP;
	fw |= mask->dl_type ? 0 : FW11_DL_TYPE;
	fw |= mask->nw_tos & DSCP_MASK ? 0 : FW11_NW_TOS;
	fw |= mask->nw_proto ? 0 : FW11_NW_PROTO;
	fw |= mask->tp_src ? 0 : FW11_TP_SRC;
	fw |= mask->tp_dst ? 0 : FW11_TP_DST;
	fw |= lse_mask & 0xfffff000 ? 0 : FW11_MPLS_LABEL;
	fw |= lse_mask & 0xe00 ? 0 : FW11_MPLS_TC;
	return fw;
}

static void put_mac_wild(struct sbuf *out, const struct eth_addr *mac, struct eth_addr mask)
{
	mac_invert(&mask);
	sbuf_put(out, mac, 6);
	sbuf_put(out, &mask, 6);
}

void ofp11_put_match(struct sbuf *out, const struct match *match)
{
	const struct flow *flow = &match->flow, *mask = &match->mask;
	uint16_t tci = be16toh(flow->vlans[0].tci);
	uint16_t tci_mask = be16toh(mask->vlans[0].tci);
	uint32_t lse = be32toh(flow->mpls_lse[0]);
	uint16_t vlan = 0;

	if (tci_is_none(match))
		vlan = VLAN11_NONE;
	else if (tci_matched(match))
		vlan = tci_mask & VLAN_VID_MASK ? tci & VLAN_VID_MASK : VLAN11_ANY;

	put_u16(out, 0);
	put_u16(out, OFP11_MATCH_LEN);
	put_u32(out, flow->in_port);
	put_u32(out, match11_wildcards(match));
	put_mac_wild(out, &flow->dl_src, mask->dl_src);
	put_mac_wild(out, &flow->dl_dst, mask->dl_dst);
	put_u16(out, vlan);
	put_u8(out, vlan == VLAN11_NONE ? 0 : (uint8_t)(tci >> VLAN_PCP_SHIFT));
	put_pad(out, 1);
	put_be16(out, flow->dl_type);
	put_u8(out, flow->nw_tos & DSCP_MASK);
	put_u8(out, flow->nw_proto);
	put_be32(out, flow->nw_src);
	put_be32(out, ~mask->nw_src);
	put_be32(out, flow->nw_dst);
	put_be32(out, ~mask->nw_dst);
	put_be16(out, flow->tp_src);
	put_be16(out, flow->tp_dst);
	put_u32(out, lse >> 12);
	put_u8(out, (uint8_t)(lse >> 9 & 7));
	put_pad(out, 3);
	put_be64(out, flow->metadata);
	put_be64(out, ~mask->metadata);
}

bool ofp11_match_fits(const struct match *match)
{
	return match_fits(match, ofp11_put_match, ofp11_decode_match);
}
