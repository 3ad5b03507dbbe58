/* SPDX-License-Identifier: Apache-2.0 */

/* IPv4, IPv6 and ARP headers. */

#include <string.h>

#include "datapath/pipeline/execute_private.h"
#include "lib/csum.h"
#include "lib/headers.h"
#include "lib/unaligned.h"

/* ------------------------------------------------------------------ IPv4 */

static bool has_l4(const struct ipv4_header *ip)
{
	return !(ip->frag_off & htobe16(IPV4_FRAG_OFS_MASK));
}

/* Address at ADDR of the header IP to VALUE under MASK; both checksums follow. */
static void set_ipv4_addr(struct ipv4_header *ip, uint8_t *addr, be32 value, be32 mask,
	const struct exec_csum *l4)
{
	be32 old = load32(addr), new;

	new = (old & ~mask) | (value & mask);
	if (new == old)
		return;
	store32(addr, new);
	ip->csum = csum_update32(ip->csum, old, new);
	exec_csum_pseudo(l4, &old, &new, sizeof new);
}

static uint8_t masked(uint8_t old, uint8_t value, uint8_t mask)
{
	return (uint8_t)((old & ~mask) | (value & mask));
}

static void set_ipv4_tos(struct ipv4_header *ip, uint8_t tos)
{
	be16 old = htobe16((uint16_t)(ip->ver_ihl << 8 | ip->tos));
	be16 new = htobe16((uint16_t)(ip->ver_ihl << 8 | tos));

	ip->tos = tos;
	ip->csum = csum_update16(ip->csum, old, new);
}

static void set_ipv4_ttl_proto(struct ipv4_header *ip, uint8_t ttl, uint8_t proto)
{
	be16 old = htobe16((uint16_t)(ip->ttl << 8 | ip->proto));
	be16 new = htobe16((uint16_t)(ttl << 8 | proto));

	ip->ttl = ttl;
	ip->proto = proto;
	ip->csum = csum_update16(ip->csum, old, new);
}

/* The protocol is part of the pseudo-header of TCP, UDP and ICMPv6. */
static void csum_proto(const struct exec_csum *l4, uint8_t old, uint8_t new)
{
	be16 from = htobe16(old), to = htobe16(new);

	if (old != new)
		exec_csum_pseudo(l4, &from, &to, sizeof to);
}

static struct ipv4_header *ipv4_of(const struct packet *packet)
{
	return (struct ipv4_header *)exec_at(packet, exec_l3_ofs(packet), IPV4_HEADER_LEN);
}

enum drop_reason exec_set_ipv4(struct packet *packet, const struct op_set_ipv4 *op)
{
	struct ipv4_header *ip = ipv4_of(packet);
	struct exec_csum l4 = {0};
	uint8_t ttl, proto;

	if (!ip)
		return DROP_ACTION_MISMATCH;
	if ((op->src_mask | op->dst_mask | op->proto_mask) && has_l4(ip))
		l4 = exec_l4_csum(packet, ip->proto);
	set_ipv4_addr(ip, ip->src, op->src, op->src_mask, &l4);
	set_ipv4_addr(ip, ip->dst, op->dst, op->dst_mask, &l4);
	if (op->tos_mask)
		set_ipv4_tos(ip, masked(ip->tos, op->tos, op->tos_mask));
	ttl = masked(ip->ttl, op->ttl, op->ttl_mask);
	proto = masked(ip->proto, op->proto, op->proto_mask);
	csum_proto(&l4, ip->proto, proto);
	if (ttl != ip->ttl || proto != ip->proto)
		set_ipv4_ttl_proto(ip, ttl, proto);
	return DROP_NONE;
}

/* ------------------------------------------------------------------ IPv6 */

/* What lies between an IPv6 header and the transport header. */
struct ext_walk {
	bool has_l4;		/* A transport header follows: no later fragment. */
	bool dst_is_hop;	/* A routing header has hops left: dst is not the pseudo-header's. */
	uint8_t *proto;		/* What follows the last of them, as it says itself. */
};

static struct ext_walk walk_ext(const struct packet *packet, struct ipv6_header *ip)
{
	struct ext_walk walk = {.proto = &ip->nexthdr};
	uint32_t ofs = exec_l3_ofs(packet) + (uint32_t)IPV6_HEADER_LEN, l4 = exec_l4_ofs(packet);
	uint8_t *h;

	while (ofs < l4 && (h = exec_at(packet, ofs, 8)) != NULL) {
		be16 ofs_more;

		switch (*walk.proto) {
		case IP_P_ROUTING:
			walk.dst_is_hop |= h[3] != 0;
			ofs += (h[1] + 1u) * 8;
			break;
		case IP_P_HOPOPTS:
		case IP_P_DSTOPTS:
			ofs += (h[1] + 1u) * 8;
			break;
		case IP_P_AH:
			ofs += (h[1] + 2u) * 4;
			break;
		case IP_P_FRAGMENT:
			memcpy(&ofs_more, h + 2, sizeof ofs_more);
			if (ofs_more & htobe16(IPV6_FRAG_OFS_MASK))
				return walk;
			ofs += 8;
			break;
		default:
			return walk;
		}
		walk.proto = h;
	}
	walk.has_l4 = ofs == l4;
	return walk;
}

static void set_ipv6_addr(uint8_t *addr, const struct ipv6_addr *value,
	const struct ipv6_addr *mask, const struct exec_csum *l4)
{
	struct ipv6_addr old;

	memcpy(&old, addr, sizeof old);
	if (exec_set_bytes(addr, value, mask, sizeof old))
		exec_csum_pseudo(l4, &old, addr, sizeof old);
}

/* What the transport checksum covers. */
static void set_ipv6_covered(struct packet *packet, struct ipv6_header *ip,
	const struct op_set_ipv6 *op)
{
	struct ext_walk walk = walk_ext(packet, ip);
	struct exec_csum l4 = {0}, none = {0};
	uint8_t proto = masked(*walk.proto, op->proto, op->proto_mask);

	if (walk.has_l4)
		l4 = exec_l4_csum(packet, *walk.proto);
	set_ipv6_addr(ip->src, &op->src, &op->src_mask, &l4);
	set_ipv6_addr(ip->dst, &op->dst, &op->dst_mask, walk.dst_is_hop ? &none : &l4);
	csum_proto(&l4, *walk.proto, proto);
	*walk.proto = proto;
}

static void set_ipv6_word(struct ipv6_header *ip, const struct op_set_ipv6 *op)
{
	uint32_t mask = (be32toh(op->label_mask) & IPV6_LABEL_MASK) | (uint32_t)op->tos_mask << 20;
	uint32_t value = (be32toh(op->label) & IPV6_LABEL_MASK) | (uint32_t)op->tos << 20;

	ip->flow = (ip->flow & ~htobe32(mask)) | htobe32(value & mask);
}

enum drop_reason exec_set_ipv6(struct packet *packet, const struct op_set_ipv6 *op)
{
	struct ipv6_header *ip = (void *)exec_at(packet, exec_l3_ofs(packet), IPV6_HEADER_LEN);

	if (!ip)
		return DROP_ACTION_MISMATCH;
	if (!ipv6_addr_is_zero(&op->src_mask) || !ipv6_addr_is_zero(&op->dst_mask) ||
		op->proto_mask)
		set_ipv6_covered(packet, ip, op);
	set_ipv6_word(ip, op);
	ip->hlim = masked(ip->hlim, op->ttl, op->ttl_mask);
	return DROP_NONE;
}

/* ------------------------------------------------------------------ both */

static uint8_t remarked(uint8_t tos, uint8_t levels)
{
	unsigned int class = tos >> 5, precedence = tos >> 3 & 3, dscp_low = tos >> 2 & 1;

	if (class < 1 || class > 4 || precedence < 1 || dscp_low)
		return tos;
	precedence = MIN(precedence + levels, 3u);
	return (uint8_t)(class << 5 | precedence << 3 | (tos & IP_ECN_MASK));
}

enum drop_reason exec_remark(struct packet *packet, uint8_t levels)
{
	uint16_t ofs = exec_l3_ofs(packet);
	uint8_t *l3 = exec_at(packet, ofs, IPV4_HEADER_LEN);
	be16 type;

	if (!l3 || ofs < ETH_HEADER_LEN || exec_mpls_ofs(packet) != PACKET_NO_OFS)
		return DROP_NONE;
	type = load16(l3 - 2);
	if (type == htobe16(ETH_T_IP)) {
		struct ipv4_header *ip = (void *)l3;

		set_ipv4_tos(ip, remarked(ip->tos, levels));
	} else if (type == htobe16(ETH_T_IPV6)) {
		struct ipv6_header *ip = (void *)l3;
		uint8_t tos = (uint8_t)(be32toh(ip->flow) >> 20);
		struct op_set_ipv6 op = {.tos = remarked(tos, levels), .tos_mask = 0xff};

		set_ipv6_word(ip, &op);
	}
	return DROP_NONE;
}

/* ------------------------------------------------------------------ ARP */

enum drop_reason exec_set_arp(struct packet *packet, const struct op_set_arp *op)
{
	uint16_t l3 = exec_l3_ofs(packet);
	uint32_t len = packet->seg_len > l3 ? packet->seg_len - l3 : 0;
	struct arp_header arp = {0};

	/* What is there of it: Open vSwitch does not look. */
	len = MIN(len, (uint32_t)ARP_HEADER_LEN);
	memcpy(&arp, packet->data + l3, len);
	exec_set_bytes(&arp.op, &op->op_code, &op->op_mask, sizeof arp.op);
	exec_set_bytes(arp.sha, op->sha.b, op->sha_mask.b, 6);
	exec_set_bytes(arp.spa, &op->spa, &op->spa_mask, 4);
	exec_set_bytes(arp.tha, op->tha.b, op->tha_mask.b, 6);
	exec_set_bytes(arp.tpa, &op->tpa, &op->tpa_mask, 4);
	memcpy(packet->data + l3, &arp, len);
	return DROP_NONE;
}
