/* SPDX-License-Identifier: Apache-2.0 */

#include "datapath/pipeline/program_format_private.h"

#include <arpa/inet.h>
#include <inttypes.h>
#include <netinet/in.h>
#include <string.h>

#include "lib/headers.h"
#include "lib/unaligned.h"
#include "tunnel/tnl_port.h"

/* Values of one header, separated by commas; those without a mask bit are left out. */
struct values {
	struct sbuf *s;
	bool any;
};

static struct values values_begin(struct sbuf *s, const char *header)
{
	sbuf_putf(s, "set(%s(", header);
	return (struct values){s, false};
}

static void values_end(struct values *v)
{
	sbuf_puts(v->s, "))");
}

static void put_name(struct values *v, const char *name)
{
	if (v->any)
		sbuf_putc(v->s, ',');
	v->any = true;
	sbuf_putf(v->s, "%s=", name);
}

static void put_mac(struct values *v, const char *name, struct eth_addr mac, struct eth_addr mask)
{
	if (eth_addr_is_zero(mask))
		return;
	put_name(v, name);
	sbuf_put_mac(v->s, mac.b);
	if (!eth_addr_is_broadcast(mask)) {
		sbuf_putc(v->s, '/');
		sbuf_put_mac(v->s, mask.b);
	}
}

static void put_address(struct sbuf *s, int family, const void *address)
{
	char text[INET6_ADDRSTRLEN] = "";

	sbuf_puts(s, inet_ntop(family, address, text, sizeof text));
}

static void put_ipv4(struct values *v, const char *name, be32 addr, be32 mask)
{
	if (!mask)
		return;
	put_name(v, name);
	put_address(v->s, AF_INET, &addr);
	if (mask != BE32_MAX) {
		sbuf_putc(v->s, '/');
		put_address(v->s, AF_INET, &mask);
	}
}

static void put_ipv6(struct values *v, const char *name, const struct ipv6_addr *addr,
	const struct ipv6_addr *mask)
{
	if (ipv6_addr_is_zero(mask))
		return;
	put_name(v, name);
	put_address(v->s, AF_INET6, addr);
	if (~mask->w64[0] | ~mask->w64[1]) {
		sbuf_putc(v->s, '/');
		put_address(v->s, AF_INET6, mask);
	}
}

static void put_number(struct values *v, const char *name, uint32_t value, uint32_t mask,
	uint32_t full)
{
	if (!mask)
		return;
	put_name(v, name);
	sbuf_putf(v->s, mask == full ? "%" PRIu32 : "%#" PRIx32, value);
	if (mask != full)
		sbuf_putf(v->s, "/%#" PRIx32, mask);
}

static void put_hex(struct values *v, const char *name, uint32_t value, uint32_t mask, uint32_t full)
{
	if (!mask)
		return;
	put_name(v, name);
	sbuf_putf(v->s, "0x%" PRIx32, value);
	if (mask != full)
		sbuf_putf(v->s, "/0x%" PRIx32, mask);
}

static void format_eth(const struct op_set_eth *op, struct sbuf *s)
{
	struct values v = values_begin(s, "eth");

	put_mac(&v, "src", op->src, op->src_mask);
	put_mac(&v, "dst", op->dst, op->dst_mask);
	values_end(&v);
}

static void format_ipv4(const struct op_set_ipv4 *op, struct sbuf *s)
{
	struct values v = values_begin(s, "ipv4");

	put_ipv4(&v, "src", op->src, op->src_mask);
	put_ipv4(&v, "dst", op->dst, op->dst_mask);
	put_number(&v, "proto", op->proto, op->proto_mask, 0xff);
	put_hex(&v, "tos", op->tos, op->tos_mask, 0xff);
	put_number(&v, "ttl", op->ttl, op->ttl_mask, 0xff);
	values_end(&v);
}

static void format_ipv6(const struct op_set_ipv6 *op, struct sbuf *s)
{
	struct values v = values_begin(s, "ipv6");

	put_ipv6(&v, "src", &op->src, &op->src_mask);
	put_ipv6(&v, "dst", &op->dst, &op->dst_mask);
	put_hex(&v, "label", be32toh(op->label), be32toh(op->label_mask), IPV6_LABEL_MASK);
	put_number(&v, "proto", op->proto, op->proto_mask, 0xff);
	put_hex(&v, "tclass", op->tos, op->tos_mask, 0xff);
	put_number(&v, "hlimit", op->ttl, op->ttl_mask, 0xff);
	values_end(&v);
}

static void format_tp(const struct op_set_tp *op, struct sbuf *s)
{
	bool icmp = op->proto == IP_P_ICMP || op->proto == IP_P_ICMPV6;
	const char *header = op->proto == IP_P_TCP ? "tcp" : op->proto == IP_P_UDP ? "udp"
		: op->proto == IP_P_SCTP ? "sctp" : op->proto == IP_P_ICMP ? "icmp" : "icmpv6";
	uint32_t full = icmp ? 0xff : 0xffff;
	struct values v = values_begin(s, header);

	put_number(&v, icmp ? "type" : "src", be16toh(op->src), be16toh(op->src_mask) & full, full);
	put_number(&v, icmp ? "code" : "dst", be16toh(op->dst), be16toh(op->dst_mask) & full, full);
	values_end(&v);
}

static void format_arp(const struct op_set_arp *op, struct sbuf *s)
{
	struct values v = values_begin(s, "arp");

	put_ipv4(&v, "sip", op->spa, op->spa_mask);
	put_ipv4(&v, "tip", op->tpa, op->tpa_mask);
	put_number(&v, "op", be16toh(op->op_code), be16toh(op->op_mask), 0xffff);
	put_mac(&v, "sha", op->sha, op->sha_mask);
	put_mac(&v, "tha", op->tha, op->tha_mask);
	values_end(&v);
}

static void format_nd(const struct op_set_nd *op, struct sbuf *s)
{
	struct values v = values_begin(s, "nd");

	put_ipv6(&v, "target", &op->target, &op->target_mask);
	put_mac(&v, "sll", op->sll, op->sll_mask);
	put_mac(&v, "tll", op->tll, op->tll_mask);
	put_hex(&v, "reserved", be32toh(op->reserved), be32toh(op->reserved_mask), UINT32_MAX);
	values_end(&v);
}

void program_format_lse(be32 lse_, be32 mask_, struct sbuf *s)
{
	uint32_t lse = be32toh(lse_), mask = be32toh(mask_);
	struct values v = {s, false};

	put_number(&v, "label", lse >> MPLS_LABEL_SHIFT, mask >> MPLS_LABEL_SHIFT, 0xfffff);
	put_number(&v, "tc", lse >> MPLS_TC_SHIFT & 7, mask >> MPLS_TC_SHIFT & 7, 7);
	put_number(&v, "ttl", lse & MPLS_TTL_MASK, mask & MPLS_TTL_MASK, MPLS_TTL_MASK);
	put_number(&v, "bos", lse >> MPLS_BOS_SHIFT & 1, mask >> MPLS_BOS_SHIFT & 1, 1);
}

static void format_pbb(const struct op_pbb *op, struct sbuf *s)
{
	struct values v = values_begin(s, "pbb");

	put_hex(&v, "isid", be32toh(op->isid) & PBB_ISID_MASK, be32toh(op->mask) & PBB_ISID_MASK,
		PBB_ISID_MASK);
	put_number(&v, "uca", (op->isid & htobe32(FLOW_PBB_UCA)) != 0,
		(op->mask & htobe32(FLOW_PBB_UCA)) != 0, 1);
	values_end(&v);
}

void program_format_set(const struct op *op, struct sbuf *s)
{
	const void *p = op;

	switch (op->type) {
	case OP_SET_ETH:
		format_eth(p, s);
		break;
	case OP_SET_ETH_TYPE:
		sbuf_putf(s, "set(eth_type(0x%04x))",
			be16toh((be16)((const struct op_u32 *)p)->value));
		break;
	case OP_SET_IPV4:
		format_ipv4(p, s);
		break;
	case OP_SET_IPV6:
		format_ipv6(p, s);
		break;
	case OP_SET_TP:
		format_tp(p, s);
		break;
	case OP_SET_ARP:
		format_arp(p, s);
		break;
	case OP_SET_ND:
		format_nd(p, s);
		break;
	case OP_SET_MPLS:
		sbuf_puts(s, "set(mpls(");
		program_format_lse(((const struct op_mpls *)p)->lse,
			((const struct op_mpls *)p)->mask, s);
		sbuf_puts(s, "))");
		break;
	case OP_SET_PBB:
		format_pbb(p, s);
		break;
	}
}

/* ------------------------------------------------------------------ outer headers */

static void format_outer_l3(const struct op_tnl_push *op, struct sbuf *s)
{
	const uint8_t *l3 = op->header + op->outer_l3_ofs;

	if (op->is_ipv6) {
		const struct ipv6_header *ip = (const void *)l3;
		uint32_t word = be32toh(ip->flow);

		sbuf_puts(s, "ipv6(src=");
		put_address(s, AF_INET6, ip->src);
		sbuf_puts(s, ",dst=");
		put_address(s, AF_INET6, ip->dst);
		sbuf_putf(s, ",label=%u,proto=%u,tclass=0x%x,hlimit=%u)", word & IPV6_LABEL_MASK,
			ip->nexthdr, word >> 20 & 0xff, ip->hlim);
	} else {
		const struct ipv4_header *ip = (const void *)l3;

		sbuf_puts(s, "ipv4(src=");
		put_address(s, AF_INET, ip->src);
		sbuf_puts(s, ",dst=");
		put_address(s, AF_INET, ip->dst);
		sbuf_putf(s, ",proto=%u,tos=%#x,ttl=%u,frag=0x%x)", ip->proto, ip->tos, ip->ttl,
			be16toh(ip->frag_off));
	}
}

static void format_geneve(const uint8_t *l5, size_t left, struct sbuf *s)
{
	const struct geneve_header *h = (const void *)l5;
	size_t opt_len = (h->ver_optlen & 0x3f) * 4u;

	sbuf_puts(s, "geneve(");
	if (h->flags & GENEVE_F_OAM)
		sbuf_puts(s, "oam,");
	if (h->flags & GENEVE_F_CRITICAL)
		sbuf_puts(s, "crit,");
	sbuf_putf(s, "vni=0x%x", be32toh(h->vni) >> 8);
	if (opt_len && sizeof *h + opt_len <= left) {
		sbuf_puts(s, ",options(0x");
		sbuf_put_hex(s, l5 + sizeof *h, opt_len);
		sbuf_putc(s, ')');
	}
	sbuf_putc(s, ')');
}

static void format_gre(const uint8_t *l4, size_t left, struct sbuf *s)
{
	const struct gre_header *h = (const void *)l4;
	unsigned int flags = be16toh(h->flags);
	size_t ofs = sizeof *h;

	sbuf_putf(s, "gre((flags=0x%x,proto=0x%x)", flags, be16toh(h->proto));
	if (flags & GRE_F_CSUM && ofs + 4 <= left) {
		sbuf_putf(s, ",csum=0x%x", be16toh(load16(l4 + ofs)));
		ofs += 4;
	}
	if (flags & GRE_F_KEY && ofs + 4 <= left) {
		sbuf_putf(s, ",key=0x%x", be32toh(load32(l4 + ofs)));
		ofs += 4;
	}
	if (flags & GRE_F_SEQ && ofs + 4 <= left) {
		sbuf_putf(s, ",seq=0x%x", be32toh(load32(l4 + ofs)));
	}
	sbuf_putc(s, ')');
}

static void format_outer_l4(const struct op_tnl_push *op, struct sbuf *s)
{
	const uint8_t *l4 = op->header + op->outer_l4_ofs;
	size_t left = op->header_len - op->outer_l4_ofs;

	if (op->proto == IP_P_UDP && left >= sizeof(struct udp_header) + VXLAN_HEADER_LEN) {
		const struct udp_header *udp = (const void *)l4;

		sbuf_putf(s, "udp(src=%u,dst=%u,csum=0x%x),", be16toh(udp->src), be16toh(udp->dst),
			be16toh(udp->csum));
		l4 += sizeof *udp;
		left -= sizeof *udp;
		if (op->type == TNL_GENEVE) {
			format_geneve(l4, left, s);
		} else {
			const struct vxlan_header *vxlan = (const void *)l4;

			sbuf_putf(s, "vxlan(flags=0x%x,vni=0x%x)", be32toh(vxlan->flags),
				be32toh(vxlan->vni) >> 8);
		}
	} else if (op->proto == IP_P_GRE && left >= sizeof(struct gre_header)) {
		format_gre(l4, left, s);
	}
}

/* The type is the number of the kernel's vport type, as ovs-dpctl prints it. */
void program_format_outer(const struct op_tnl_push *op, struct sbuf *s)
{
	static const unsigned int vport_types[TNL_N_TYPES] = {
		[TNL_GRE] = 3, [TNL_VXLAN] = 4, [TNL_GENEVE] = 5,
	};
	const struct eth_header *eth = (const void *)op->header;

	sbuf_putf(s, "size=%u,type=%u,eth(dst=", op->header_len,
		op->type < TNL_N_TYPES ? vport_types[op->type] : 0);
	sbuf_put_mac(s, eth->dst);
	sbuf_puts(s, ",src=");
	sbuf_put_mac(s, eth->src);
	sbuf_putf(s, ",dl_type=0x%04x),", be16toh(eth->type));
	format_outer_l3(op, s);
	sbuf_putc(s, ',');
	format_outer_l4(op, s);
}
