/* SPDX-License-Identifier: Apache-2.0 */

/* Where the outermost headers are, and their checksums. */

#include <string.h>

#include "datapath/pipeline/execute_private.h"
#include "lib/csum.h"
#include "lib/headers.h"
#include "lib/unaligned.h"

uint16_t exec_l3_ofs(const struct packet *packet)
{
	return packet->outer_l3_ofs ? packet->outer_l3_ofs : packet->l3_ofs;
}

uint16_t exec_l4_ofs(const struct packet *packet)
{
	return packet->outer_l3_ofs ? packet->outer_l4_ofs : packet->l4_ofs;
}

uint16_t exec_mpls_ofs(const struct packet *packet)
{
	/* One behind the outer header is the inner frame's. */
	if (packet->outer_l3_ofs && packet->l2_5_ofs > packet->outer_l3_ofs)
		return PACKET_NO_OFS;
	return packet->l2_5_ofs;
}

uint32_t exec_l4_len(const struct packet *packet)
{
	uint16_t l3 = exec_l3_ofs(packet), l4 = exec_l4_ofs(packet);
	const uint8_t *h = l3 >= 2 ? exec_at(packet, l3 - 2u, 2 + IPV4_HEADER_LEN) : NULL;
	uint32_t end;

	if (!h || l4 == PACKET_NO_OFS)
		return 0;
	if (packet->outer_l3_ofs)	/* Made here: nothing is behind it. */
		return packet->len - l4;
	if (load16(h) == htobe16(ETH_T_IPV6))
		end = l3 + IPV6_HEADER_LEN + be16toh(((const struct ipv6_header *)(h + 2))->plen);
	else
		end = l3 + be16toh(((const struct ipv4_header *)(h + 2))->tot_len);
	end = MIN(end, packet->len);
	return end > l4 ? end - l4 : 0;
}

uint32_t exec_wire_len(const struct packet *packet)
{
	const uint8_t *l4 = exec_at(packet, packet->l4_ofs, TCP_HEADER_LEN);
	uint32_t headers;

	if (packet->gso_type == PACKET_GSO_NONE || !l4)
		return packet->len;
	headers = packet->l4_ofs + (packet->gso_type == PACKET_GSO_UDP_L4 ? (uint32_t)UDP_HEADER_LEN
		: (l4[12] >> 4) * 4u);
	return MIN(headers + packet->gso_size, packet->len);
}

struct exec_csum exec_l4_csum(const struct packet *packet, uint8_t proto)
{
	uint16_t l4 = exec_l4_ofs(packet);
	struct exec_csum csum = {0};
	uint16_t ofs, min;
	uint8_t *h;

	switch (proto) {
	case IP_P_TCP:
		ofs = offsetof(struct tcp_header, csum);
		min = TCP_HEADER_LEN;
		break;
	case IP_P_UDP:
		ofs = offsetof(struct udp_header, csum);
		min = UDP_HEADER_LEN;
		break;
	case IP_P_ICMPV6:
		ofs = offsetof(struct icmpv6_header, csum);
		min = ICMPV6_HEADER_LEN;
		break;
	default:
		return csum;
	}
	h = exec_l4_at(packet, min);
	if (!h)
		return csum;
	csum.partial = (packet->offload & PACKET_CSUM_PARTIAL) && packet->csum_start == l4 &&
		packet->csum_offset == ofs;
	csum.is_udp = proto == IP_P_UDP;
	/* No UDP checksum: none it stays. */
	if (csum.is_udp && !csum.partial && !h[ofs] && !h[ofs + 1])
		return csum;
	csum.field = h + ofs;
	return csum;
}

static void update(const struct exec_csum *csum, const void *from, const void *to, size_t n)
{
	be16 sum = load16(csum->field);

	if (csum->partial)
		sum = (be16)~csum_update_bytes((be16)~sum, from, to, n);
	else
		sum = csum_update_bytes(sum, from, to, n);
	if (csum->is_udp && !csum->partial && !sum)
		sum = BE16_MAX;
	store16(csum->field, sum);
}

void exec_csum_pseudo(const struct exec_csum *csum, const void *from, const void *to, size_t n)
{
	if (csum->field)
		update(csum, from, to, n);
}

void exec_csum_payload(const struct exec_csum *csum, const void *from, const void *to, size_t n)
{
	/* What is not summed yet will be summed as it is then. */
	if (csum->field && !csum->partial)
		update(csum, from, to, n);
}
