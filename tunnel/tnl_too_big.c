/* SPDX-License-Identifier: Apache-2.0 */
#include "tunnel/tnl_too_big.h"

#include <errno.h>
#include <string.h>

#include "lib/csum.h"
#include "lib/flow_parse.h"
#include "lib/headers.h"
#include "lib/util.h"
#include "tunnel/tnl_addr.h"

#define ICMP_UNREACHABLE 3
#define ICMP_FRAG_NEEDED 4
#define ICMPV6_TOO_BIG 2
#define TOS_CONTROL 0xc0 /* Network control: as routers send theirs. */
#define TTL 64
/* RFC 1122, 3.2.2 wants 8 bytes behind the IP header; hosts take up to 576 in all. */
#define ICMP_MAX_IP 576
#define ICMPV6_MAX_IP 1280

static bool is_icmp_error(const struct flow *flow)
{
	uint8_t type = (uint8_t)be16toh(flow->tp_src);

	if (flow->dl_type == htobe16(ETH_T_IPV6))
		return flow->nw_proto == IP_P_ICMPV6 && type < ICMPV6_ECHO_REQUEST;
	return flow->nw_proto == IP_P_ICMP &&
	       (type == ICMP_UNREACHABLE || type == 4 || type == 5 || type == 11 || type == 12);
}

static bool is_one_host(const struct ipv6_addr *addr)
{
	if (tnl_addr_is_ipv4(addr))
		return addr->w32[3] && addr->w32[3] != BE32_MAX && !tnl_addr_is_multicast(addr);
	return !ipv6_addr_is_zero(addr) && !tnl_addr_is_multicast(addr);
}

static bool may_answer(const struct flow *flow, struct ipv6_addr *src, struct ipv6_addr *dst)
{
	if (flow->dl_type == htobe16(ETH_T_IP)) {
		*src = tnl_addr_from_ipv4(flow->nw_src);
		*dst = tnl_addr_from_ipv4(flow->nw_dst);
	} else if (flow->dl_type == htobe16(ETH_T_IPV6)) {
		*src = flow->ipv6_src;
		*dst = flow->ipv6_dst;
	} else {
		return false;
	}
	return !eth_addr_is_multicast(flow->dl_src) && !eth_addr_is_multicast(flow->dl_dst) &&
	       !(flow->nw_frag & FLOW_NW_FRAG_LATER) && !is_icmp_error(flow) && is_one_host(src) &&
	       is_one_host(dst);
}

static size_t put_icmp(const struct ipv6_addr *src, const struct ipv6_addr *dst, uint32_t mtu,
	const uint8_t *quoted, size_t n, uint8_t *p)
{
	struct ipv4_header *ip = (struct ipv4_header *)p;
	struct icmp_header *icmp = (struct icmp_header *)(ip + 1);

	n = MIN(n, (size_t)ICMP_MAX_IP - sizeof *ip - sizeof *icmp);
	ip->ver_ihl = 0x45;
	ip->tos = TOS_CONTROL;
	ip->tot_len = htobe16((uint16_t)(sizeof *ip + sizeof *icmp + n));
	ip->ttl = TTL;
	ip->proto = IP_P_ICMP;
	memcpy(ip->src, &src->w32[3], sizeof ip->src);
	memcpy(ip->dst, &dst->w32[3], sizeof ip->dst);
	ip->csum = csum(ip, sizeof *ip);
	icmp->type = ICMP_UNREACHABLE;
	icmp->code = ICMP_FRAG_NEEDED;
	icmp->rest = htobe32(MIN(mtu, (uint32_t)UINT16_MAX));
	memcpy(icmp + 1, quoted, n);
	icmp->csum = csum(icmp, sizeof *icmp + n);
	return sizeof *ip + sizeof *icmp + n;
}

static size_t put_icmpv6(const struct ipv6_addr *src, const struct ipv6_addr *dst, uint32_t mtu,
	const uint8_t *quoted, size_t n, uint8_t *p)
{
	struct ipv6_header *ip = (struct ipv6_header *)p;
	struct icmpv6_header *icmp = (struct icmpv6_header *)(ip + 1);
	be32 be = htobe32(mtu);
	uint32_t len;

	n = MIN(n, (size_t)ICMPV6_MAX_IP - sizeof *ip - sizeof *icmp - sizeof be);
	len = (uint32_t)(sizeof *icmp + sizeof be + n);
	ip->flow = htobe32(UINT32_C(6) << 28 | TOS_CONTROL << 20);
	ip->plen = htobe16((uint16_t)len);
	ip->nexthdr = IP_P_ICMPV6;
	ip->hlim = TTL;
	memcpy(ip->src, src->b, sizeof ip->src);
	memcpy(ip->dst, dst->b, sizeof ip->dst);
	icmp->type = ICMPV6_TOO_BIG;
	memcpy(icmp + 1, &be, sizeof be);
	memcpy((uint8_t *)(icmp + 1) + sizeof be, quoted, n);
	icmp->csum = csum_finish(csum_bytes(csum_pseudo_v6(src, dst, IP_P_ICMPV6, len), icmp, len));
	return sizeof *ip + len;
}

size_t tnl_too_big_answer(const uint8_t *frame, size_t len, uint32_t room, uint8_t *buf)
{
	struct flow_limits limits = {.max_vlans = FLOW_MAX_VLANS};
	struct ipv6_addr src, dst;
	struct packet packet;
	struct flow flow;
	size_t l3;

	packet_init(&packet, (uint8_t *)(uintptr_t)frame, (uint32_t)len, 0);
	if (flow_extract_limits(&packet, &limits, &flow) == -EINVAL || packet.l3_ofs > len ||
		packet.l2_5_ofs != PACKET_NO_OFS || !may_answer(&flow, &src, &dst))
		return 0;
	l3 = packet.l3_ofs;
	if (l3 > TNL_TOO_BIG_MAX - ICMPV6_MAX_IP || room <= l3)
		return 0;
	memset(buf, 0, l3 + sizeof(struct ipv6_header) + sizeof(struct icmp_header));
	memcpy(buf, frame + ETH_ADDR_LEN, ETH_ADDR_LEN);
	memcpy(buf + ETH_ADDR_LEN, frame, ETH_ADDR_LEN);
	memcpy(buf + 2 * ETH_ADDR_LEN, frame + 2 * ETH_ADDR_LEN, l3 - 2 * ETH_ADDR_LEN);
	/* The other way round: from whom it was for. */
	if (flow.dl_type == htobe16(ETH_T_IP))
		return l3 + put_icmp(&dst, &src, room - (uint32_t)l3, frame + l3, len - l3,
				    buf + l3);
	return l3 + put_icmpv6(&dst, &src, room - (uint32_t)l3, frame + l3, len - l3, buf + l3);
}
