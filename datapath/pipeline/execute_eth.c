/* SPDX-License-Identifier: Apache-2.0 */

/* Ethernet addresses and type, VLAN tags, PBB. */

#include <string.h>

#include "datapath/pipeline/execute_private.h"
#include "lib/headers.h"
#include "lib/unaligned.h"

#define TYPE_OFS 12
/* Type, I-TAG and the customer's addresses, behind the backbone's addresses. */
#define PBB_LEN (2 + PBB_HEADER_LEN)

uint8_t *exec_insert(struct packet *packet, uint16_t keep, uint16_t n)
{
	uint8_t cut;

	if (!packet->n_pad && packet->len < ETH_MIN_LEN)
		packet->n_pad = PACKET_RUNT;
	if (packet->n_pad && packet->n_pad != PACKET_RUNT) {
		cut = (uint8_t)MIN(packet->n_pad, n);
		packet->n_pad = (uint8_t)(packet->n_pad - cut);
		packet->len -= cut;
		packet->seg_len -= cut;
	}
	return packet_insert(packet, keep, n);
}

void exec_remove(struct packet *packet, uint16_t keep, uint16_t n)
{
	uint32_t len = packet->len - n, pad = (uint32_t)ETH_MIN_LEN - len;

	packet_remove(packet, keep, n);
	if (len >= ETH_MIN_LEN || len + n < ETH_MIN_LEN || packet->n_pad == PACKET_RUNT ||
		packet->seg_len != len)
		return;
	/* The room is in front, where the header was. */
	memmove(packet->data - pad, packet->data, len);
	memset(packet->data - pad + len, 0, pad);
	packet->data -= pad;
	packet->headroom = (uint16_t)(packet->headroom - pad);
	packet->len = packet->seg_len = ETH_MIN_LEN;
	packet->n_pad = (uint8_t)(packet->n_pad + pad);
}

enum drop_reason exec_set_eth(struct packet *packet, const struct op_set_eth *op)
{
	uint8_t *eth = exec_at(packet, 0, ETH_HEADER_LEN);

	if (!eth)
		return DROP_ACTION_MISMATCH;
	exec_set_bytes(eth, op->dst.b, op->dst_mask.b, 6);
	exec_set_bytes(eth + 6, op->src.b, op->src_mask.b, 6);
	return DROP_NONE;
}

enum drop_reason exec_set_eth_type(struct packet *packet, be16 type)
{
	uint16_t ofs = exec_mpls_ofs(packet) != PACKET_NO_OFS ? exec_mpls_ofs(packet)
		: exec_l3_ofs(packet);
	uint8_t *p = ofs != PACKET_NO_OFS && ofs >= ETH_HEADER_LEN ? exec_at(packet, ofs - 2u, 2) : NULL;

	/* A length is no type. */
	if (!p || be16toh(load16(p)) < ETH_TYPE_MIN)
		return DROP_ACTION_MISMATCH;
	store16(p, type);
	return DROP_NONE;
}

enum drop_reason exec_push_vlan(struct packet *packet, const struct op_vlan *op)
{
	uint8_t *tag;

	if (!exec_at(packet, 0, ETH_HEADER_LEN))
		return DROP_ACTION_MISMATCH;
	tag = exec_insert(packet, TYPE_OFS, VLAN_HEADER_LEN);
	if (!tag)
		return DROP_NO_HEADROOM;
	store16(tag, op->tpid ? op->tpid : htobe16(ETH_T_VLAN_8021Q));
	store16(tag + 2, op->tci);
	return DROP_NONE;
}

static uint8_t *outer_tag(const struct packet *packet)
{
	uint8_t *tag = exec_at(packet, TYPE_OFS, VLAN_HEADER_LEN + 2);

	return tag && eth_type_is_vlan(load16(tag)) ? tag : NULL;
}

enum drop_reason exec_pop_vlan(struct packet *packet)
{
	if (!outer_tag(packet))
		return DROP_ACTION_MISMATCH;
	exec_remove(packet, TYPE_OFS, VLAN_HEADER_LEN);
	return DROP_NONE;
}

/* The DEI is not part of what rules see: it stays. */
enum drop_reason exec_set_vlan(struct packet *packet, const struct op_vlan *op)
{
	uint8_t *tag = outer_tag(packet);
	be16 mask = htobe16(VLAN_VID_MASK | VLAN_PCP_MASK);

	if (!tag)
		return DROP_ACTION_MISMATCH;
	store16(tag + 2, (load16(tag + 2) & ~mask) | (op->tci & mask));
	return DROP_NONE;
}

/* ------------------------------------------------------------------ PBB */

/* From flow.pbb_isid's bits to the I-TAG's. */
static be32 itag_bits(be32 isid)
{
	uint32_t v = be32toh(isid);

	return htobe32((v & (PBB_PCP_MASK | PBB_ISID_MASK)) | (v & FLOW_PBB_UCA ? PBB_UCA : 0));
}

/* OpenFlow 1.3.5, 7.2.5: the frame's addresses become the customer's too, and stay as the backbone's. */
enum drop_reason exec_push_pbb(struct packet *packet, const struct op_pbb *op)
{
	uint8_t *p;
	be16 type = op->ethertype ? op->ethertype : htobe16(ETH_T_PBB);
	be32 itag = itag_bits(op->isid);

	if (!exec_at(packet, 0, ETH_HEADER_LEN))
		return DROP_ACTION_MISMATCH;
	p = exec_insert(packet, TYPE_OFS, PBB_LEN);
	if (!p)
		return DROP_NO_HEADROOM;
	store16(p, type);
	memcpy(p + 2, &itag, sizeof itag);
	memcpy(p + 6, packet->data, TYPE_OFS);
	packet->l2_5_ofs = packet->l4_ofs = PACKET_NO_OFS;
	packet->l3_ofs = TYPE_OFS + 2;
	return DROP_NONE;
}

static uint8_t *itag_of(const struct packet *packet)
{
	uint16_t ofs = TYPE_OFS;
	uint8_t *p;

	/* A backbone tag may be in front; to be popped it must be gone. */
	while ((p = exec_at(packet, ofs, 2)) != NULL && eth_type_is_vlan(load16(p)))
		ofs += VLAN_HEADER_LEN;
	p = exec_at(packet, ofs, PBB_LEN + 2);
	return p && load16(p) == htobe16(ETH_T_PBB) ? p : NULL;
}

enum drop_reason exec_pop_pbb(struct packet *packet)
{
	if (itag_of(packet) != packet->data + TYPE_OFS)
		return DROP_ACTION_MISMATCH;
	exec_remove(packet, 0, PBB_LEN);
	/* Unknown until it is parsed again. */
	packet->l2_5_ofs = packet->l3_ofs = packet->l4_ofs = PACKET_NO_OFS;
	return DROP_NONE;
}

enum drop_reason exec_set_pbb(struct packet *packet, const struct op_pbb *op)
{
	uint8_t *p = itag_of(packet);
	be32 value = itag_bits(op->isid), mask = itag_bits(op->mask);

	if (!p)
		return DROP_ACTION_MISMATCH;
	exec_set_bytes(p + 2, &value, &mask, sizeof value);
	return DROP_NONE;
}
