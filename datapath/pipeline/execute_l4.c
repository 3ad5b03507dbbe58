/* SPDX-License-Identifier: Apache-2.0 */

/* Ports, ICMP type and code, neighbour discovery. */

#include <string.h>

#include "datapath/pipeline/execute_private.h"
#include "lib/csum.h"
#include "lib/headers.h"
#include "lib/unaligned.h"

static be16 type_at_l3(const struct packet *packet, uint16_t l3)
{
	const uint8_t *p = l3 >= ETH_HEADER_LEN ? exec_at(packet, l3 - 2u, 2) : NULL;

	return p ? load16(p) : 0;
}

/* The packet is IPv4 and not the fragment that has the transport header; *MORE: others follow. */
static bool is_later_fragment(const struct packet *packet, bool *more)
{
	uint16_t l3 = exec_l3_ofs(packet);
	const struct ipv4_header *ip = (void *)exec_at(packet, l3, IPV4_HEADER_LEN);

	*more = false;
	if (!ip || type_at_l3(packet, l3) != htobe16(ETH_T_IP))
		return false;
	*more = ip->frag_off & htobe16(IPV4_MF);
	return ip->frag_off & htobe16(IPV4_FRAG_OFS_MASK);
}

/* Bytes of the SCTP packet: the frame may have padding behind it. 0 if the header does not say. */
static uint32_t sctp_len(const struct packet *packet, uint16_t l4)
{
	uint16_t l3 = exec_l3_ofs(packet);
	const uint8_t *h = exec_at(packet, l3, IPV4_HEADER_LEN);
	uint32_t end;

	if (!h)
		return 0;
	if (type_at_l3(packet, l3) == htobe16(ETH_T_IPV6))
		end = l3 + IPV6_HEADER_LEN + be16toh(((const struct ipv6_header *)h)->plen);
	else
		end = l3 + be16toh(((const struct ipv4_header *)h)->tot_len);
	return end > l4 && end <= packet->len ? end - l4 : 0;
}

/*
 * A CRC is linear: when bytes change, it changes by the CRC of their difference followed by as many
 * zeros as bytes follow. So payload need not be read; the CRCs' constant parts cancel out.
 */
static uint32_t crc_change(const uint8_t *from, const uint8_t *to, size_t n, uint32_t n_behind)
{
	static const uint8_t zeros[256];
	uint8_t diff[4];
	uint32_t a, b;

	for (size_t i = 0; i < n; i++)
		diff[i] = from[i] ^ to[i];
	a = crc32c(0, diff, n);
	b = crc32c(0, zeros, n);
	for (; n_behind; n_behind -= MIN(n_behind, (uint32_t)sizeof zeros)) {
		uint32_t step = MIN(n_behind, (uint32_t)sizeof zeros);

		a = crc32c(a, zeros, step);
		b = crc32c(b, zeros, step);
	}
	return a ^ b;
}

static enum drop_reason set_sctp(struct packet *packet, uint16_t l4, uint8_t *h,
	const uint8_t *ports, bool more_fragments)
{
	struct sctp_header *sctp = (void *)h;
	uint32_t len = sctp_len(packet, l4), crc;
	bool partial = (packet->offload & PACKET_CSUM_PARTIAL) && packet->csum_start == l4;

	if (!partial) {
		/* The sum is over all fragments. */
		if (len < SCTP_HEADER_LEN || more_fragments)
			return DROP_ACTION_MISMATCH;
		memcpy(&crc, &sctp->csum, sizeof crc);
		crc = le32toh(crc) ^ crc_change(h, ports, 4, len - 4);
		crc32c_store(&sctp->csum, crc);
	}
	memcpy(h, ports, 4);
	return DROP_NONE;
}

static enum drop_reason set_icmp(struct packet *packet, uint8_t *h, const struct op_set_tp *op)
{
	struct exec_csum csum = exec_l4_csum(packet, IP_P_ICMPV6);
	const uint8_t value[2] = {(uint8_t)be16toh(op->src), (uint8_t)be16toh(op->dst)};
	const uint8_t mask[2] = {(uint8_t)be16toh(op->src_mask), (uint8_t)be16toh(op->dst_mask)};
	uint8_t old[2] = {h[0], h[1]};

	/* ICMP and ICMPv6 have type, code and checksum at the same place. */
	exec_set_bytes(h, value, mask, 2);
	exec_csum_payload(&csum, old, h, 2);
	return DROP_NONE;
}

enum drop_reason exec_set_tp(struct packet *packet, const struct op_set_tp *op)
{
	uint16_t l4 = exec_l4_ofs(packet);
	bool is_icmp = op->proto == IP_P_ICMP || op->proto == IP_P_ICMPV6, more;
	uint32_t min = op->proto == IP_P_TCP ? TCP_HEADER_LEN
		: op->proto == IP_P_SCTP ? SCTP_HEADER_LEN : UDP_HEADER_LEN;
	uint8_t *h = exec_at(packet, l4, min), ports[4], old[4];
	struct exec_csum csum;

	if (!h || is_later_fragment(packet, &more))
		return DROP_ACTION_MISMATCH;
	if (is_icmp)
		return set_icmp(packet, h, op);

	memcpy(old, h, sizeof old);
	memcpy(ports, h, sizeof ports);
	exec_set_bytes(ports, &op->src, &op->src_mask, 2);
	exec_set_bytes(ports + 2, &op->dst, &op->dst_mask, 2);
	if (op->proto == IP_P_SCTP)
		return set_sctp(packet, l4, h, ports, more);
	csum = exec_l4_csum(packet, op->proto);
	memcpy(h, ports, sizeof ports);
	exec_csum_payload(&csum, old, ports, sizeof ports);
	return DROP_NONE;
}

/* ------------------------------------------------------------------ neighbour discovery */

/* N bytes at P under MASK, and the checksum after them. P lies at an even offset. */
static void set_nd_bytes(uint8_t *p, const void *value, const void *mask, size_t n,
	const struct exec_csum *csum)
{
	uint8_t old[16];

	memcpy(old, p, n);
	if (exec_set_bytes(p, value, mask, n))
		exec_csum_payload(csum, old, p, n);
}

/* The type first: it decides which address the option holds. */
static void set_nd_option(uint8_t *opt, bool first, const struct op_set_nd *op,
	const struct exec_csum *csum)
{
	const uint8_t type[2] = {op->options_type}, mask[2] = {op->options_type_mask};

	if (first)
		set_nd_bytes(opt, type, mask, 2, csum);
	if (opt[0] == ND_OPT_SLL)
		set_nd_bytes(opt + 2, op->sll.b, op->sll_mask.b, 6, csum);
	else if (opt[0] == ND_OPT_TLL)
		set_nd_bytes(opt + 2, op->tll.b, op->tll_mask.b, 6, csum);
}

static void set_nd_options(struct packet *packet, uint32_t ofs, uint32_t end,
	const struct op_set_nd *op, const struct exec_csum *csum)
{
	bool first = true;

	while (ofs + ND_LLA_OPT_LEN <= end) {
		uint8_t *opt = packet->data + ofs;
		uint32_t len = opt[1] * (uint32_t)ND_LLA_OPT_LEN;

		if (!len || len > end - ofs)
			return;
		if (len == ND_LLA_OPT_LEN && (opt[0] == ND_OPT_SLL || opt[0] == ND_OPT_TLL)) {
			set_nd_option(opt, first, op, csum);
			first = false;
		}
		ofs += len;
	}
}

enum drop_reason exec_set_nd(struct packet *packet, const struct op_set_nd *op)
{
	uint16_t l3 = exec_l3_ofs(packet), l4 = exec_l4_ofs(packet);
	struct nd_header *nd = (void *)exec_at(packet, l4, ND_HEADER_LEN);
	const struct ipv6_header *ip = (void *)exec_at(packet, l3, IPV6_HEADER_LEN);
	struct exec_csum csum;
	uint32_t end;

	if (!nd || !ip || l4 < l3 + IPV6_HEADER_LEN)
		return DROP_ACTION_MISMATCH;
	csum = exec_l4_csum(packet, IP_P_ICMPV6);
	set_nd_bytes((uint8_t *)&nd->flags, &op->reserved, &op->reserved_mask, 4, &csum);
	set_nd_bytes(nd->target, &op->target, &op->target_mask, 16, &csum);
	end = MIN(l3 + IPV6_HEADER_LEN + (uint32_t)be16toh(ip->plen), packet->seg_len);
	set_nd_options(packet, l4 + (uint32_t)ND_HEADER_LEN, end, op, &csum);
	return DROP_NONE;
}
