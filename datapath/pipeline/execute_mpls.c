/* SPDX-License-Identifier: Apache-2.0 */

/* Label stack entries. */

#include <string.h>

#include "datapath/pipeline/execute_private.h"
#include "lib/csum.h"
#include "lib/headers.h"
#include "lib/unaligned.h"

/* If the type in front of OFS is that of a SNAP header, an 802.3 length counts what is behind it: adds
 * DELTA to it. */
static void mend_length(struct packet *packet, uint16_t ofs, int delta)
{
	uint32_t at = 12;
	be16 type;

	for (;; at += VLAN_HEADER_LEN) {
		type = load16(packet->data + at);
		if (at + 2u >= ofs || !eth_type_is_vlan(type))
			break;
	}
	if (be16toh(type) < ETH_TYPE_MIN)
		store16(packet->data + at, htobe16((uint16_t)(be16toh(type) + delta)));
}

enum drop_reason exec_push_mpls(struct packet *packet, const struct op_mpls *op)
{
	uint16_t ofs = exec_mpls_ofs(packet);
	be32 lse = op->lse & op->mask;
	uint8_t *p;

	if (ofs == PACKET_NO_OFS)
		ofs = exec_l3_ofs(packet);
	if (ofs < ETH_HEADER_LEN || !exec_at(packet, ofs, 0))
		return DROP_ACTION_MISMATCH;
	p = exec_insert(packet, ofs, MPLS_HEADER_LEN);
	if (!p)
		return DROP_NO_HEADROOM;
	store16(p - 2, op->ethertype);
	memcpy(p, &lse, sizeof lse);
	packet->l2_5_ofs = ofs;
	mend_length(packet, ofs, MPLS_HEADER_LEN);
	return DROP_NONE;
}

enum drop_reason exec_pop_mpls(struct packet *packet, const struct op_mpls *op)
{
	uint16_t ofs = exec_mpls_ofs(packet);

	if (ofs < ETH_HEADER_LEN || !exec_at(packet, ofs, MPLS_HEADER_LEN))
		return DROP_ACTION_MISMATCH;
	exec_remove(packet, ofs, MPLS_HEADER_LEN);
	store16(packet->data + ofs - 2, op->ethertype);
	mend_length(packet, ofs, -MPLS_HEADER_LEN);
	if (eth_type_is_mpls(op->ethertype)) {
		packet->l2_5_ofs = ofs;
	} else {
		packet->l2_5_ofs = PACKET_NO_OFS;
		if (!packet->outer_l3_ofs)
			packet->l3_ofs = ofs;
	}
	return DROP_NONE;
}

enum drop_reason exec_set_mpls(struct packet *packet, const struct op_mpls *op)
{
	uint8_t *p = exec_at(packet, exec_mpls_ofs(packet), MPLS_HEADER_LEN);

	if (!p)
		return DROP_ACTION_MISMATCH;
	exec_set_bytes(p, &op->lse, &op->mask, sizeof op->lse);
	return DROP_NONE;
}

enum drop_reason exec_copy_ttl(struct packet *packet, bool out)
{
	uint32_t ofs = exec_mpls_ofs(packet);
	uint8_t *lse = exec_at(packet, ofs, 2 * MPLS_HEADER_LEN), *ttl;
	struct ipv4_header *ip = NULL;
	be16 from, to;

	if (!lse)
		return DROP_ACTION_MISMATCH;
	if (!(lse[2] & 1)) {
		ttl = lse + MPLS_HEADER_LEN + 3;
	} else if (lse[MPLS_HEADER_LEN] >> 4 == 4 &&
		exec_at(packet, ofs + MPLS_HEADER_LEN, IPV4_HEADER_LEN)) {
		ip = (struct ipv4_header *)(lse + MPLS_HEADER_LEN);
		ttl = &ip->ttl;
	} else if (lse[MPLS_HEADER_LEN] >> 4 == 6 &&
		exec_at(packet, ofs + MPLS_HEADER_LEN, IPV6_HEADER_LEN)) {
		ttl = &((struct ipv6_header *)(lse + MPLS_HEADER_LEN))->hlim;
	} else {
		return DROP_ACTION_MISMATCH;
	}
	if (out) {
		lse[3] = *ttl;
		return DROP_NONE;
	}
	if (ip) {
		from = htobe16((uint16_t)(ip->ttl << 8 | ip->proto));
		to = htobe16((uint16_t)(lse[3] << 8 | ip->proto));
		ip->csum = csum_update16(ip->csum, from, to);
	}
	*ttl = lse[3];
	return DROP_NONE;
}
