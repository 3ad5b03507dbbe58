/* SPDX-License-Identifier: Apache-2.0 */

#include <string.h>

#include "lib/hash.h"
#include "lib/headers.h"
#include "lib/packet.h"
#include "lib/unaligned.h"

/* Both ports of the transport header, or 0. */
static inline uint32_t ports(const struct packet *packet, uint8_t proto)
{
	if ((uint32_t)packet->l4_ofs + 4 > packet->seg_len)
		return 0;
	if (proto != IP_P_TCP && proto != IP_P_UDP && proto != IP_P_SCTP)
		return 0;
	return load32(packet->data + packet->l4_ofs);
}

/* The network header is one of TYPE by what stands before it; behind labels nobody says, but all routers
 * guess so. */
static inline bool is_ip(const struct packet *packet, uint16_t type)
{
	if (packet->l2_5_ofs != PACKET_NO_OFS)
		return true;
	return load16(packet->data + packet->l3_ofs - 2) == htobe16(type);
}

static uint64_t hash_ipv6(const struct packet *packet, const uint8_t *ip)
{
	uint64_t a = hash_fold(load64(ip + 8) ^ UINT64_C(0x9e3779b97f4a7c15),
		load64(ip + 16) ^ UINT64_C(0xd1b54a32d192ed03));
	uint64_t b = hash_fold(load64(ip + 24) ^ UINT64_C(0x8cb92ba72f3d8dd7),
		load64(ip + 32) ^ UINT64_C(0xaef17502108ef2d9));

	/* Behind extension headers there is no looking for ports. */
	return hash_fold(a ^ ((uint64_t)ip[6] << 32 | ports(packet, ip[6])), b);
}

static uint64_t hash_ethernet(const struct packet *packet)
{
	if (packet->seg_len < ETH_HEADER_LEN)
		return 0;
	/* 14 bytes in two words. */
	return hash_fold(load64(packet->data) ^ UINT64_C(0x9e3779b97f4a7c15),
		load64(packet->data + 6) ^ UINT64_C(0xd1b54a32d192ed03));
}

uint32_t packet_hash_flow(const struct packet *packet)
{
	const uint8_t *ip = packet->data + packet->l3_ofs;
	uint32_t left = 0;
	uint64_t h;

	if (packet->l3_ofs < packet->seg_len && packet->l3_ofs >= ETH_HEADER_LEN)
		left = packet->seg_len - packet->l3_ofs;
	if (left >= IPV4_HEADER_LEN && is_ip(packet, ETH_T_IP) && ip[0] >> 4 == 4) {
		/* Fragments behind the first have no ports, nor has it then. */
		bool whole = !(load32(ip + 4) & htobe32(IPV4_MF | IPV4_FRAG_OFS_MASK));

		h = hash_fold(load64(ip + 12) ^ UINT64_C(0x9e3779b97f4a7c15),
			((uint64_t)ip[9] << 32 | (whole ? ports(packet, ip[9]) : 0)) ^
				UINT64_C(0xd1b54a32d192ed03));
	} else if (left >= IPV6_HEADER_LEN && is_ip(packet, ETH_T_IPV6) && ip[0] >> 4 == 6) {
		h = hash_ipv6(packet, ip);
	} else {
		h = hash_ethernet(packet);
	}
	h ^= h >> 32;
	return (uint32_t)h ? (uint32_t)h : 1;
}
