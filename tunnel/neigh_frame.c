/* SPDX-License-Identifier: Apache-2.0 */
#include "tunnel/neigh_frame.h"

#include <string.h>

#include "lib/csum.h"
#include "lib/flow_parse.h"
#include "lib/headers.h"
#include "tunnel/tnl_addr.h"

/* ------------------------------------------------------------------ asking */

static size_t build_arp(const struct ipv6_addr *target, const struct ipv6_addr *src,
	struct eth_addr src_mac, uint8_t *buf)
{
	struct eth_header *eth = (struct eth_header *)buf;
	struct arp_header *arp = (struct arp_header *)(buf + ETH_HEADER_LEN);

	memset(eth->dst, 0xff, sizeof eth->dst);
	memcpy(eth->src, src_mac.b, sizeof eth->src);
	eth->type = htobe16(ETH_T_ARP);
	*arp = (struct arp_header){
		.hrd = htobe16(ARP_HRD_ETHERNET),
		.pro = htobe16(ETH_T_IP),
		.hln = ETH_ADDR_LEN,
		.pln = sizeof arp->spa,
		.op = htobe16(ARP_OP_REQUEST),
	};
	memcpy(arp->sha, src_mac.b, sizeof arp->sha);
	memcpy(arp->spa, &src->w32[3], sizeof arp->spa);
	memcpy(arp->tpa, &target->w32[3], sizeof arp->tpa);
	return ETH_HEADER_LEN + sizeof *arp;
}

/* What differs between the messages of RFC 4861 that are built here. */
struct nd_kind {
	struct ipv6_addr dst;
	uint8_t type, flags, option;
};

static size_t build_nd(const struct nd_kind *kind, const struct ipv6_addr *target,
	const struct ipv6_addr *src, struct eth_addr src_mac, uint8_t *buf)
{
	struct eth_header *eth = (struct eth_header *)buf;
	struct ipv6_header *ip = (struct ipv6_header *)(eth + 1);
	struct nd_header *nd = (struct nd_header *)(ip + 1);
	struct nd_lla_opt *opt = (struct nd_lla_opt *)(nd + 1);
	uint32_t len = sizeof *nd + sizeof *opt;

	memset(buf, 0, ETH_HEADER_LEN + sizeof *ip + len);
	eth->dst[0] = eth->dst[1] = 0x33;
	memcpy(eth->dst + 2, &kind->dst.b[12], 4);
	memcpy(eth->src, src_mac.b, sizeof eth->src);
	eth->type = htobe16(ETH_T_IPV6);
	ip->flow = htobe32(UINT32_C(6) << 28);
	ip->plen = htobe16((uint16_t)len);
	ip->nexthdr = IP_P_ICMPV6;
	ip->hlim = 255;
	memcpy(ip->src, src->b, sizeof ip->src);
	memcpy(ip->dst, kind->dst.b, sizeof ip->dst);
	nd->icmp.type = kind->type;
	nd->flags = htobe32((uint32_t)kind->flags << 24);
	memcpy(nd->target, target->b, sizeof nd->target);
	opt->type = kind->option;
	opt->len = 1;
	memcpy(opt->mac, src_mac.b, sizeof opt->mac);
	nd->icmp.csum =
		csum_finish(csum_bytes(csum_pseudo_v6(src, &kind->dst, IP_P_ICMPV6, len), nd, len));
	return ETH_HEADER_LEN + sizeof *ip + len;
}

/* Sections 4.3 and 7.2.2: to the solicited-node address of TARGET. */
static struct nd_kind solicitation(const struct ipv6_addr *target)
{
	return (struct nd_kind){
		.dst = {.b = {0xff, 0x02, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 0xff, target->b[13],
				target->b[14], target->b[15]}},
		.type = ND_NS,
		.option = ND_OPT_SLL,
	};
}

size_t neigh_build_solicit(const struct ipv6_addr *target, const struct ipv6_addr *src,
	struct eth_addr src_mac, uint8_t *buf)
{
	struct nd_kind kind = solicitation(target);

	return tnl_addr_is_ipv4(target) ? build_arp(target, src, src_mac, buf)
					: build_nd(&kind, target, src, src_mac, buf);
}

/* Sections 4.4 and 7.2.6: to all nodes, and what they know is overridden. */
size_t neigh_build_announce(const struct ipv6_addr *addr, struct eth_addr mac, uint8_t *buf)
{
	static const struct nd_kind advertisement = {
		.dst = {.b = {0xff, 0x02, [15] = 1}},
		.type = ND_NA,
		.flags = 0x20,
		.option = ND_OPT_TLL,
	};

	return tnl_addr_is_ipv4(addr) ? build_arp(addr, addr, mac, buf)
				      : build_nd(&advertisement, addr, addr, mac, buf);
}

/* ------------------------------------------------------------------ learning */

/* Hop limit and checksum: nobody beyond this link, and nothing mutilated (RFC 4861, 7.1.2). */
static bool nd_is_sound(const struct packet *p, const struct flow *flow)
{
	const uint8_t *nd = p->data + p->l4_ofs;
	struct ipv6_header ip;
	uint32_t len, end;

	if (flow->nw_ttl != 255 || flow->nw_frag || p->l3_ofs + sizeof ip > p->len)
		return false;
	memcpy(&ip, p->data + p->l3_ofs, sizeof ip);
	end = p->l3_ofs + (uint32_t)sizeof ip + be16toh(ip.plen);
	if (end > p->len || p->l4_ofs > end)
		return false;
	len = end - p->l4_ofs;
	return !csum_finish(csum_bytes(
		csum_pseudo_v6(&flow->ipv6_src, &flow->ipv6_dst, IP_P_ICMPV6, len), nd, len));
}

static bool is_unicast(const struct ipv6_addr *addr)
{
	static const struct ipv6_addr loopback = {.b = {[15] = 1}};

	if (tnl_addr_is_ipv4(addr))
		return addr->w32[3] && addr->w32[3] != BE32_MAX && addr->b[12] != 127 &&
		       addr->b[12] < 0xe0;
	return !ipv6_addr_is_zero(addr) && !tnl_addr_is_multicast(addr) &&
	       !ipv6_addr_equal(addr, &loopback);
}

bool neigh_parse(const uint8_t *frame, size_t len, struct ipv6_addr *addr, struct eth_addr *mac)
{
	struct packet packet;
	struct ipv6_addr a;
	struct eth_addr m;
	struct flow flow;

	packet_init(&packet, (uint8_t *)(uintptr_t)frame, (uint32_t)len, 0);
	if (flow_extract(&packet, &flow))
		return false;
	if (flow.dl_type == htobe16(ETH_T_ARP)) {
		a = tnl_addr_from_ipv4(flow.nw_src);
		m = flow.arp_sha;
	} else if (flow.dl_type == htobe16(ETH_T_IPV6) && flow.nw_proto == IP_P_ICMPV6 &&
		   flow.tp_src == htobe16(ND_NA)) {
		if (flow.tp_dst || !nd_is_sound(&packet, &flow))
			return false;
		/* Without the option, the answer's own source is the neighbour. */
		a = flow.nd_target;
		m = eth_addr_is_zero(flow.arp_tha) ? flow.dl_src : flow.arp_tha;
	} else if (flow.dl_type == htobe16(ETH_T_IP)) {
		a = tnl_addr_from_ipv4(flow.nw_src);
		m = flow.dl_src;
	} else if (flow.dl_type == htobe16(ETH_T_IPV6)) {
		a = flow.ipv6_src;
		m = flow.dl_src;
	} else {
		return false;
	}
	if (!is_unicast(&a) || eth_addr_is_zero(m) || eth_addr_is_multicast(m))
		return false;
	*addr = a;
	*mac = m;
	return true;
}
