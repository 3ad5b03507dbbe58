/* SPDX-License-Identifier: Apache-2.0 */

/* Ports, ICMP type and code, neighbour discovery. */

#include <string.h>

#include "datapath/pipeline/execute_private.h"
#include "lib/csum.h"
#include "lib/headers.h"
#include "lib/unaligned.h"

/* The packet is IPv4 and not the fragment that has the transport header. */
static bool is_later_fragment(const struct packet *packet)
{
	uint16_t l3 = exec_l3_ofs(packet);
	const uint8_t *h = l3 >= 2 ? exec_at(packet, l3 - 2u, 2 + IPV4_HEADER_LEN) : NULL;

	return h && load16(h) == htobe16(ETH_T_IP) &&
		(((const struct ipv4_header *)(h + 2))->frag_off & htobe16(IPV4_FRAG_OFS_MASK));
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

/* Of a first fragment only its own bytes are at hand, as with Open vSwitch. */
static void set_sctp(struct packet *packet, uint8_t *h, const uint8_t *ports)
{
	struct sctp_header *sctp = (void *)h;
	bool partial = (packet->offload & PACKET_CSUM_PARTIAL) &&
		packet->csum_start == exec_l4_ofs(packet);
	uint32_t crc;

	if (!partial) {
		memcpy(&crc, &sctp->csum, sizeof crc);
		crc = le32toh(crc) ^ crc_change(h, ports, 4, exec_l4_len(packet) - 4);
		crc32c_store(&sctp->csum, crc);
	}
	memcpy(h, ports, 4);
}

static void set_icmp(struct packet *packet, uint8_t *h, const struct op_set_tp *op)
{
	struct exec_csum csum = exec_l4_csum(packet, IP_P_ICMPV6);
	const uint8_t value[2] = {(uint8_t)be16toh(op->src), (uint8_t)be16toh(op->dst)};
	const uint8_t mask[2] = {(uint8_t)be16toh(op->src_mask), (uint8_t)be16toh(op->dst_mask)};
	uint8_t old[2] = {h[0], h[1]};

	/* ICMP and ICMPv6 have type, code and checksum at the same place. */
	exec_set_bytes(h, value, mask, 2);
	exec_csum_payload(&csum, old, h, 2);
}

static void set_ports(struct packet *packet, uint8_t *h, const struct op_set_tp *op)
{
	struct exec_csum csum;
	uint8_t ports[4], old[4];

	memcpy(old, h, sizeof old);
	memcpy(ports, h, sizeof ports);
	exec_set_bytes(ports, &op->src, &op->src_mask, 2);
	exec_set_bytes(ports + 2, &op->dst, &op->dst_mask, 2);
	if (op->proto == IP_P_SCTP) {
		set_sctp(packet, h, ports);
		return;
	}
	csum = exec_l4_csum(packet, op->proto);
	memcpy(h, ports, sizeof ports);
	exec_csum_payload(&csum, old, ports, sizeof ports);
}

/* The transport header, if all of it is there. */
static uint8_t *l4_whole(const struct packet *packet, uint8_t proto)
{
	uint8_t *h = exec_l4_at(packet, proto == IP_P_TCP ? TCP_HEADER_LEN
		: proto == IP_P_SCTP ? SCTP_HEADER_LEN : UDP_HEADER_LEN);

	if (h && proto == IP_P_TCP) {
		uint32_t len = (h[12] >> 4) * 4u;

		return len >= TCP_HEADER_LEN && len <= exec_l4_len(packet) ? h : NULL;
	}
	return h;
}

enum drop_reason exec_set_tp(struct packet *packet, const struct op_set_tp *op)
{
	uint8_t *h = l4_whole(packet, op->proto);

	if (!h || is_later_fragment(packet))
		return DROP_NONE;
	if (op->proto == IP_P_ICMP || op->proto == IP_P_ICMPV6)
		set_icmp(packet, h, op);
	else
		set_ports(packet, h, op);
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
static void set_nd_option(uint8_t *opt, const struct op_set_nd *op, const struct exec_csum *csum)
{
	const uint8_t type[2] = {op->options_type}, mask[2] = {op->options_type_mask};

	set_nd_bytes(opt, type, mask, 2, csum);
	if (opt[0] == ND_OPT_SLL)
		set_nd_bytes(opt + 2, op->sll.b, op->sll_mask.b, 6, csum);
	else if (opt[0] == ND_OPT_TLL)
		set_nd_bytes(opt + 2, op->tll.b, op->tll_mask.b, 6, csum);
}

/* A message has one such option; of several the first counts, as with Open vSwitch. */
static void set_nd_options(struct packet *packet, uint32_t ofs, uint32_t end,
	const struct op_set_nd *op, const struct exec_csum *csum)
{
	while (ofs + ND_LLA_OPT_LEN <= end) {
		uint8_t *opt = packet->data + ofs;
		uint32_t len = opt[1] * (uint32_t)ND_LLA_OPT_LEN;

		if (!len || len > end - ofs)
			return;
		if (len == ND_LLA_OPT_LEN && (opt[0] == ND_OPT_SLL || opt[0] == ND_OPT_TLL)) {
			set_nd_option(opt, op, csum);
			return;
		}
		ofs += len;
	}
}

enum drop_reason exec_set_nd(struct packet *packet, const struct op_set_nd *op)
{
	struct nd_header *nd = (void *)exec_l4_at(packet, ND_HEADER_LEN);
	uint32_t l4 = exec_l4_ofs(packet), end;
	struct exec_csum csum;

	if (!nd)
		return DROP_NONE;
	csum = exec_l4_csum(packet, IP_P_ICMPV6);
	set_nd_bytes((uint8_t *)&nd->flags, &op->reserved, &op->reserved_mask, 4, &csum);
	set_nd_bytes(nd->target, &op->target, &op->target_mask, 16, &csum);
	end = MIN(l4 + exec_l4_len(packet), packet->seg_len);
	set_nd_options(packet, l4 + (uint32_t)ND_HEADER_LEN, end, op, &csum);
	return DROP_NONE;
}
