/* SPDX-License-Identifier: Apache-2.0 */
#include "tunnel/tnl_header.h"

#include <errno.h>
#include <stdatomic.h>
#include <string.h>

#include "lib/csum.h"
#include "lib/headers.h"
#include "lib/util.h"
#include "tunnel/tnl_addr.h"
#include "tunnel/tnl_encap.h"
#include "tunnel/tnl_plain.h"

#define IP_MAX 65535
/* What is said of an outer header, and gone with it. */
#define OUTER_BITS (PACKET_CSUM_VALID | PACKET_OUTER_CSUM | PACKET_MAY_FRAGMENT)
/* csum_offset of SCTP: a CRC, of which no ones' complement sum can be foretold. */
#define SCTP_CSUM_OFFSET 8

_Atomic uint32_t tnl_egress_ports = 32768 | (uint32_t)61000 << 16;

void tnl_egress_port_range_set(uint16_t min, uint16_t max)
{
	atomic_store(&tnl_egress_ports, MIN(min, max) | (uint32_t)MAX(min, max) << 16);
}

void tnl_egress_port_range_get(uint16_t *min, uint16_t *max)
{
	uint32_t range = atomic_load(&tnl_egress_ports);

	*min = (uint16_t)range;
	*max = (uint16_t)(range >> 16);
}

/* ------------------------------------------------------------------ build */

static size_t build_ipv4(const struct flow_tnl *outer, uint8_t proto, uint8_t *p)
{
	struct ipv4_header *ip = (struct ipv4_header *)p;

	ip->ver_ihl = 0x45;
	ip->tos = outer->ip_tos;
	ip->frag_off = outer->flags & FLOW_TNL_F_DONT_FRAGMENT ? htobe16(IPV4_DF) : 0;
	ip->ttl = outer->ip_ttl;
	ip->proto = proto;
	memcpy(ip->src, &outer->ip_src, sizeof ip->src);
	memcpy(ip->dst, &outer->ip_dst, sizeof ip->dst);
	ip->csum = csum(ip, sizeof *ip);
	return sizeof *ip;
}

static size_t build_ipv6(const struct flow_tnl *outer, uint8_t proto, uint8_t *p)
{
	struct ipv6_header *ip = (struct ipv6_header *)p;

	ip->flow = htobe32(UINT32_C(6) << 28 | (uint32_t)outer->ip_tos << 20);
	ip->hlim = outer->ip_ttl;
	ip->nexthdr = proto;
	memcpy(ip->src, &outer->ipv6_src, sizeof ip->src);
	memcpy(ip->dst, &outer->ipv6_dst, sizeof ip->dst);
	return sizeof *ip;
}

void tnl_header_build(const struct tnl_port *port, const struct flow_tnl *outer,
	struct eth_addr dst_mac, struct eth_addr src_mac, const uint8_t *opts, size_t opts_len,
	struct tnl_header *h)
{
	enum tnl_type type = port->config.type;
	struct eth_header *eth = (struct eth_header *)h->data;
	size_t len = ETH_HEADER_LEN;

	memset(h, 0, sizeof *h);
	h->is_ipv6 = !outer->ip_dst;
	h->proto = type == TNL_GRE ? IP_P_GRE : IP_P_UDP;
	h->csum = outer->flags & FLOW_TNL_F_CSUM || (h->is_ipv6 && type != TNL_GRE);
	h->may_fragment = !(outer->flags & FLOW_TNL_F_DONT_FRAGMENT);
	h->gre_seq = type == TNL_GRE && port->config.gre_seq;
	memcpy(eth->dst, dst_mac.b, sizeof eth->dst);
	memcpy(eth->src, src_mac.b, sizeof eth->src);
	eth->type = htobe16(h->is_ipv6 ? ETH_T_IPV6 : ETH_T_IP);
	h->l3_ofs = (uint8_t)len;
	len += h->is_ipv6 ? build_ipv6(outer, h->proto, h->data + len)
			  : build_ipv4(outer, h->proto, h->data + len);
	h->l4_ofs = (uint8_t)len;
	if (type == TNL_GRE) {
		len += tnl_gre_build(port, outer, h->data + len);
	} else {
		((struct udp_header *)(h->data + len))->dst = outer->tp_dst;
		len += UDP_HEADER_LEN;
		len += type == TNL_VXLAN
			       ? tnl_vxlan_build(port, outer, h->data + len)
			       : tnl_geneve_build(port, outer, opts, opts_len, h->data + len);
	}
	h->len = (uint16_t)len;
}

/* ------------------------------------------------------------------ push */

static uint64_t pseudo_sum(const uint8_t *l3, bool is_ipv6, uint8_t proto, uint32_t len)
{
	if (is_ipv6) {
		struct ipv6_addr src, dst;

		memcpy(&src, l3 + offsetof(struct ipv6_header, src), sizeof src);
		memcpy(&dst, l3 + offsetof(struct ipv6_header, dst), sizeof dst);
		return csum_pseudo_v6(&src, &dst, proto, len);
	} else {
		be32 src, dst;

		memcpy(&src, l3 + offsetof(struct ipv4_header, src), sizeof src);
		memcpy(&dst, l3 + offsetof(struct ipv4_header, dst), sizeof dst);
		return csum_pseudo_v4(src, dst, proto, len);
	}
}

/*
 * Adds to *SUM the frame from L4 on, if that can be known now. From a partial checksum it can
 * without reading what it covers: once finished, the bytes from csum_start on sum up to the
 * complement of what is in the field now.
 */
static bool sum_of_frame(const struct packet *p, uint16_t l4, uint64_t *sum)
{
	if (p->gso_type)
		return false;
	if (p->offload & PACKET_CSUM_PARTIAL) {
		be16 partial;

		if (p->csum_offset == SCTP_CSUM_OFFSET || p->csum_start < l4 ||
			(uint32_t)p->csum_start + p->csum_offset + 2 > p->seg_len)
			return false;
		memcpy(&partial, p->data + p->csum_start + p->csum_offset, sizeof partial);
		*sum = csum_add16(csum_bytes(*sum, p->data + l4, (size_t)(p->csum_start - l4)),
			(be16)~partial);
		return true;
	}
	if (p->seg_len != p->len || p->offload & PACKET_OUTER_CSUM)
		return false;
	*sum = csum_bytes(*sum, p->data + l4, p->len - l4);
	return true;
}

static void finish_udp(
	struct packet *p, uint16_t l3, uint16_t l4, bool want_csum, bool is_ipv6, uint32_t hash)
{
	struct udp_header *udp = (struct udp_header *)(p->data + l4);
	uint32_t len = MIN(p->len - l4, (uint32_t)UINT16_MAX);
	uint64_t sum;

	udp->src = tnl_entropy_port(tnl_entropy(), hash);
	udp->len = htobe16((uint16_t)len);
	if (!want_csum)
		return;
	sum = pseudo_sum(p->data + l3, is_ipv6, IP_P_UDP, len);
	if (sum_of_frame(p, l4, &sum)) {
		udp->csum = csum_finish_udp(sum);
	} else {
		udp->csum = BE16_MAX;
		p->offload |= PACKET_OUTER_CSUM;
	}
}

static void finish_gre(struct packet *p, uint16_t l4, bool want_csum, bool want_seq, uint32_t seq)
{
	uint8_t *gre = p->data + l4;
	uint64_t sum = 0;
	be16 csum;

	if (want_seq) {
		be32 be = htobe32(seq);

		memcpy(gre + tnl_gre_seq_ofs(gre), &be, sizeof be);
	}
	if (!want_csum)
		return;
	if (!sum_of_frame(p, l4, &sum)) {
		p->offload |= PACKET_OUTER_CSUM;
		return;
	}
	csum = csum_finish(sum);
	memcpy(gre + GRE_HEADER_LEN, &csum, sizeof csum);
}

/* Lengths, and the IPv4 checksum, which the template has for length 0. */
static void finish_ip(struct packet *p, uint16_t l3, bool is_ipv6)
{
	uint32_t len = p->len - l3;

	if (is_ipv6) {
		struct ipv6_header *ip = (struct ipv6_header *)(p->data + l3);

		ip->plen = htobe16((uint16_t)MIN(len - IPV6_HEADER_LEN, (uint32_t)IP_MAX));
	} else {
		struct ipv4_header *ip = (struct ipv4_header *)(p->data + l3);

		ip->tot_len = htobe16((uint16_t)MIN(len, (uint32_t)IP_MAX));
		ip->csum = csum_update16(ip->csum, 0, ip->tot_len);
	}
}

/* A checksum that was left to the sender by an earlier push must do without: the sender only sees
 * the outermost tunnel. For UDP, none is allowed (RFC 768, RFC 6935). */
static bool give_up_pending_csum(struct packet *p)
{
	if (!(p->offload & PACKET_OUTER_CSUM) || p->gso_type)
		return true;
	if (p->outer_proto != IP_P_UDP || (uint32_t)p->outer_l4_ofs + UDP_HEADER_LEN > p->seg_len)
		return false;
	((struct udp_header *)(p->data + p->outer_l4_ofs))->csum = 0;
	p->offload &= (uint8_t)~PACKET_OUTER_CSUM;
	return true;
}

int tnl_header_push(struct packet *packet, const uint8_t *header, uint16_t len, uint8_t l3_ofs,
	uint8_t l4_ofs, uint8_t proto, bool csum, bool gre_seq, bool is_ipv6, uint32_t hash,
	uint32_t seq)
{
	if (!packet->gso_type && packet->len + len - l3_ofs > IP_MAX)
		return -EMSGSIZE;
	if (len > packet->headroom)
		return -ENOBUFS;
	if (!give_up_pending_csum(packet))
		return -EMSGSIZE;
	packet_push(packet, len);
	memcpy(packet->data, header, len);
	packet->outer_l3_ofs = l3_ofs;
	packet->outer_l4_ofs = l4_ofs;
	packet->outer_proto = proto;
	/* What was known of the transport is of the inner packet now. */
	packet->offload &= (uint8_t) ~(PACKET_CSUM_VALID | PACKET_MAY_FRAGMENT);
	finish_ip(packet, l3_ofs, is_ipv6);
	if (proto == IP_P_UDP)
		finish_udp(packet, l3_ofs, l4_ofs, csum, is_ipv6, hash);
	else
		finish_gre(packet, l4_ofs, csum, gre_seq, seq);
	return 0;
}

/* ------------------------------------------------------------------ pop */

/* The outer headers of a packet being decapsulated. */
struct outer {
	const struct packet *packet;
	const struct packet_ops *ops;
	uint16_t l3, l4;
	uint32_t ip_len; /* From l4 on, by the IP header. */
	bool is_ipv6;
	struct flow_tnl tnl;
	const uint8_t *opts;
	size_t opts_len;
};

/* We set lengths of a GSO frame when it is cut, and large ones fit no field. */
static bool length_is_open(const struct packet *p)
{
	return p->gso_type;
}

static int parse_ipv4(struct outer *o)
{
	const struct packet *p = o->packet;
	struct ipv4_header ip;
	uint32_t tot_len;

	if ((uint32_t)o->l3 + sizeof ip > p->seg_len || o->l4 != o->l3 + sizeof ip)
		return -EINVAL;
	memcpy(&ip, p->data + o->l3, sizeof ip);
	if (ip.ver_ihl != 0x45 || ip.frag_off & htobe16(IPV4_MF | IPV4_FRAG_OFS_MASK))
		return -EINVAL;
	if (csum(&ip, sizeof ip))
		return -EBADMSG;
	tot_len = be16toh(ip.tot_len);
	if (length_is_open(p))
		tot_len = p->len - o->l3;
	if (tot_len > p->len - o->l3 || tot_len < sizeof ip)
		return -EINVAL;
	o->ip_len = tot_len - (uint32_t)sizeof ip;
	memcpy(&o->tnl.ip_src, ip.src, sizeof ip.src);
	memcpy(&o->tnl.ip_dst, ip.dst, sizeof ip.dst);
	o->tnl.ip_tos = ip.tos;
	o->tnl.ip_ttl = ip.ttl;
	return 0;
}

static int parse_ipv6(struct outer *o)
{
	const struct packet *p = o->packet;
	struct ipv6_header ip;
	uint32_t end;

	if ((uint32_t)o->l3 + sizeof ip > p->seg_len || o->l4 < o->l3 + sizeof ip)
		return -EINVAL;
	memcpy(&ip, p->data + o->l3, sizeof ip);
	end = o->l3 + (uint32_t)sizeof ip + be16toh(ip.plen);
	if (length_is_open(p))
		end = p->len;
	if (end > p->len || end < o->l4)
		return -EINVAL;
	o->ip_len = end - o->l4;
	memcpy(&o->tnl.ipv6_src, ip.src, sizeof ip.src);
	memcpy(&o->tnl.ipv6_dst, ip.dst, sizeof ip.dst);
	o->tnl.ip_tos = (uint8_t)(be32toh(ip.flow) >> 20);
	o->tnl.ip_ttl = ip.hlim;
	return 0;
}

static int parse_ip(struct outer *o)
{
	const struct packet *p = o->packet;

	o->l3 = p->outer_l3_ofs ? p->outer_l3_ofs : p->l3_ofs;
	o->l4 = p->outer_l3_ofs ? p->outer_l4_ofs : p->l4_ofs;
	if (o->l3 == PACKET_NO_OFS || o->l4 == PACKET_NO_OFS || o->l3 >= p->seg_len ||
		o->l4 > p->seg_len)
		return -EINVAL;
	o->is_ipv6 = p->data[o->l3] >> 4 == 6;
	return o->is_ipv6 ? parse_ipv6(o) : parse_ipv4(o);
}

/* A sum over all from l4 on that was received with the frame can and must be checked: the kernel
 * vouches for partial ones, and ours are not yet computed. */
static bool must_verify(const struct outer *o)
{
	const struct packet *p = o->packet;

	return !(p->offload & (PACKET_CSUM_VALID | PACKET_OUTER_CSUM | PACKET_CSUM_PARTIAL));
}

static int parse_udp(struct outer *o, struct cursor *c)
{
	const struct packet *p = o->packet;
	struct udp_header udp;

	cursor_bytes(c, &udp, sizeof udp);
	if (!cursor_ok(c))
		return -EINVAL;
	if (udp.csum) {
		if (must_verify(o) && csum_finish(o->ops->sum(pseudo_sum(p->data + o->l3, o->is_ipv6,
								 IP_P_UDP, o->ip_len),
					      p, o->l4, o->ip_len)))
			return -EBADMSG;
		o->tnl.flags |= FLOW_TNL_F_CSUM;
	}
	o->tnl.tp_src = udp.src;
	o->tnl.tp_dst = udp.dst;
	return 0;
}

static int parse_gre(struct outer *o, struct cursor *c)
{
	const struct packet *p = o->packet;
	int err = tnl_gre_pop(c, &o->tnl);

	if (!err && o->tnl.flags & FLOW_TNL_F_CSUM && must_verify(o) &&
		csum_finish(o->ops->sum(0, p, o->l4, o->ip_len)))
		return -EBADMSG;
	return err;
}

static int parse_tunnel(struct outer *o, enum tnl_type type, struct cursor *c)
{
	int err;

	switch (type) {
	case TNL_GRE:
		return parse_gre(o, c);
	case TNL_VXLAN:
		err = parse_udp(o, c);
		return err ? err : tnl_vxlan_pop(c, &o->tnl);
	case TNL_GENEVE:
		err = parse_udp(o, c);
		return err ? err : tnl_geneve_pop(c, &o->tnl, &o->opts, &o->opts_len);
	case TNL_N_TYPES:
		break;
	}
	return -EPROTONOSUPPORT;
}

static bool pop_plain_vxlan(struct packet *packet)
{
	uint32_t l3 = packet->l3_ofs;
	const uint8_t *ip = packet->data + l3;

	if (packet->outer_l3_ofs || packet->gso_type || l3 > packet->seg_len ||
		packet->l4_ofs != l3 + IPV4_HEADER_LEN ||
		!tnl_is_plain(ip, packet->len - l3, packet->seg_len - l3))
		return false;
	tnl_plain_fill(ip, &packet->tunnel);
	packet->geneve_opts_len = 0;
	packet_pull(packet, (uint16_t)(l3 + TNL_PLAIN_LEN));
	packet->offload &= (uint8_t) ~OUTER_BITS;
	packet->outer_l4_ofs = 0;
	packet->outer_proto = 0;
	return true;
}

int tnl_header_pop(struct packet *packet, enum tnl_type type, const struct packet_ops *ops)
{
	struct outer o = {.packet = packet, .ops = ops};
	struct cursor c;
	uint32_t len;
	int err;

	if (type == TNL_VXLAN && pop_plain_vxlan(packet))
		return 0;
	err = parse_ip(&o);
	if (err)
		return err;
	cursor_init(&c, packet->data + o.l4, MIN(packet->seg_len - o.l4, o.ip_len));
	err = parse_tunnel(&o, type, &c);
	if (err)
		return err;
	len = o.l4 + (uint32_t)cursor_offset(&c);
	if (packet->seg_len < len + ETH_HEADER_LEN)
		return -EINVAL;
	/* Segments of the outer transport are datagrams run together, no packet of a tunnel. */
	if (packet->gso_type && packet->csum_start < len)
		return -EINVAL;

	packet->tunnel = o.tnl;
	packet->geneve_opts_len = (uint8_t)o.opts_len;
	if (o.opts_len)
		memcpy(packet->geneve_opts, o.opts, o.opts_len);
	packet_pull(packet, (uint16_t)len);
	packet->offload &= (uint8_t) ~OUTER_BITS;
	packet->outer_l3_ofs = packet->outer_l4_ofs = 0;
	packet->outer_proto = 0;
	return 0;
}
