/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * Plain VXLAN, which is what nearly all packets of tunnels are: an outer IPv4 header without options,
 * whole and right, UDP without a checksum, a VNI and nothing else. Recognised without detours, inline for
 * the loops that meet it; everything else is for tnl_header.h.
 *
 * IP points to the outer network header. Any thread, no state.
 */

#include <string.h>

#include "lib/csum.h"
#include "lib/headers.h"
#include "lib/unaligned.h"

/* From the outer network header to the inner frame. */
#define TNL_PLAIN_LEN (IPV4_HEADER_LEN + UDP_HEADER_LEN + VXLAN_HEADER_LEN)
/* The same with an Ethernet header without a tag. */
#define TNL_PLAIN_FRAME_LEN (ETH_HEADER_LEN + TNL_PLAIN_LEN)

/* What tells tunnels apart, in few words. */
struct tnl_plain {
	be32 id;		/* The tunnel id. */
	be32 ip_src, ip_dst;
	be16 tp_dst;
	uint8_t ip_tos;
};

static inline const struct udp_header *tnl_plain_udp(const uint8_t *ip)
{
	return (const struct udp_header *)(const void *)(ip + IPV4_HEADER_LEN);
}

static inline const struct vxlan_header *tnl_plain_vxlan(const uint8_t *ip)
{
	return (const struct vxlan_header *)(const void *)(ip + IPV4_HEADER_LEN + UDP_HEADER_LEN);
}

/* Is it one, with an Ethernet header inside? LEN bytes of the frame from IP on, SEG_LEN contiguous. */
static inline bool tnl_is_plain(const uint8_t *ip, uint32_t len, uint32_t seg_len)
{
	const struct ipv4_header *header = (const void *)ip;
	const struct vxlan_header *vxlan = tnl_plain_vxlan(ip);
	uint32_t tot_len;
	uint64_t sum;

	if (seg_len < TNL_PLAIN_LEN + ETH_HEADER_LEN)
		return false;
	sum = csum_add64(csum_add64(load32(ip), load64(ip + 4)), load64(ip + 12));
	tot_len = be16toh(header->tot_len);
	return header->ver_ihl == 0x45 && !(header->frag_off & htobe16(IPV4_MF | IPV4_FRAG_OFS_MASK)) &&
		!csum_finish(sum) && tot_len <= len && tot_len >= TNL_PLAIN_LEN &&
		!tnl_plain_udp(ip)->csum && vxlan->flags == htobe32(VXLAN_F_VNI) &&
		!(vxlan->vni & htobe32(0xff));
}

/* The tunnel id of a plain one: the byte before the VNI is 0. */
static inline be32 tnl_plain_id(const uint8_t *ip)
{
	return load32((const uint8_t *)&tnl_plain_vxlan(ip)->vni - 1);
}

static inline void tnl_plain_read(const uint8_t *ip, struct tnl_plain *plain)
{
	const struct ipv4_header *header = (const void *)ip;

	plain->id = tnl_plain_id(ip);
	memcpy(&plain->ip_src, header->src, sizeof plain->ip_src);
	memcpy(&plain->ip_dst, header->dst, sizeof plain->ip_dst);
	plain->tp_dst = tnl_plain_udp(ip)->dst;
	plain->ip_tos = header->tos;
}

static inline bool tnl_plain_equal(const struct tnl_plain *a, const struct tnl_plain *b)
{
	return a->id == b->id && a->ip_src == b->ip_src && a->ip_dst == b->ip_dst &&
		a->tp_dst == b->tp_dst && a->ip_tos == b->ip_tos;
}

/* All that its packet shall know of it. */
static inline void tnl_plain_fill(const uint8_t *ip, struct flow_tnl *tnl)
{
	const struct ipv4_header *header = (const void *)ip;

	/* In pieces: as one, compilers take a string instruction, which costs more than all the rest. */
	tnl->tun_id = htobe64(be32toh(tnl_plain_vxlan(ip)->vni) >> 8);
	memcpy(&tnl->ip_src, header->src, sizeof header->src);
	memcpy(&tnl->ip_dst, header->dst, sizeof header->dst);
	memset(&tnl->ipv6_dst, 0, sizeof tnl->ipv6_dst);
	memset(&tnl->ipv6_src, 0, sizeof tnl->ipv6_src);
	tnl->flags = FLOW_TNL_F_KEY;
	tnl->ip_tos = header->tos;
	tnl->ip_ttl = header->ttl;
	tnl->tp_src = tnl_plain_udp(ip)->src;
	tnl->tp_dst = tnl_plain_udp(ip)->dst;
	tnl->gbp_id = 0;
	tnl->gbp_flags = 0;
	memset(tnl->pad, 0, sizeof tnl->pad);
}
