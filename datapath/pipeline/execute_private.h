/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * Changes to a packet's headers, one function an operation. Each returns DROP_NONE, or why the packet
 * must end: then it may be half changed. A transport header or ND message that is not all there (or an ARP
 * packet's end) is left as it is, and the packet goes on, as with Open vSwitch: the flow has zeros for it.
 * The packet must be writable. After a tunnel push they work on the outer headers. Pure; any thread.
 */

#include "datapath/pipeline/program.h"

enum drop_reason exec_set_eth(struct packet *packet, const struct op_set_eth *op);
enum drop_reason exec_set_eth_type(struct packet *packet, be16 type);
enum drop_reason exec_push_vlan(struct packet *packet, const struct op_vlan *op);
enum drop_reason exec_pop_vlan(struct packet *packet);
enum drop_reason exec_set_vlan(struct packet *packet, const struct op_vlan *op);
enum drop_reason exec_push_pbb(struct packet *packet, const struct op_pbb *op);
enum drop_reason exec_pop_pbb(struct packet *packet);
enum drop_reason exec_set_pbb(struct packet *packet, const struct op_pbb *op);
enum drop_reason exec_push_mpls(struct packet *packet, const struct op_mpls *op);
enum drop_reason exec_pop_mpls(struct packet *packet, const struct op_mpls *op);
enum drop_reason exec_set_mpls(struct packet *packet, const struct op_mpls *op);
/* The TTL of what is behind the outermost label (a label, IPv4 or IPv6) into the label; or the reverse. */
enum drop_reason exec_copy_ttl(struct packet *packet, bool out);
enum drop_reason exec_set_ipv4(struct packet *packet, const struct op_set_ipv4 *op);
enum drop_reason exec_set_ipv6(struct packet *packet, const struct op_set_ipv6 *op);
enum drop_reason exec_set_arp(struct packet *packet, const struct op_set_arp *op);
enum drop_reason exec_set_tp(struct packet *packet, const struct op_set_tp *op);
enum drop_reason exec_set_nd(struct packet *packet, const struct op_set_nd *op);
/* Raises the drop precedence of an assured-forwarding DSCP (RFC 2597) by LEVELS, to 3 at most; other
 * DSCPs and other packets are left alone. */
enum drop_reason exec_remark(struct packet *packet, uint8_t levels);

/* packet_insert() and packet_remove() for frames that go to a wire: one that was no runt becomes none,
 * zeros at its end keep it at the 60 bytes (without FCS) that IEEE 802.3-2018, 3.2.8 and 4.2.3.3 ask for.
 * What is inserted then takes the place of zeros. */
uint8_t *exec_insert(struct packet *packet, uint16_t keep, uint16_t n);
void exec_remove(struct packet *packet, uint16_t keep, uint16_t n);

/* Where the outermost network header, transport header and label stack are; PACKET_NO_OFS if there are
 * none. */
uint16_t exec_l3_ofs(const struct packet *packet);
uint16_t exec_l4_ofs(const struct packet *packet);
uint16_t exec_mpls_ofs(const struct packet *packet);

/* N bytes at OFS, NULL if they are not there. */
static inline uint8_t *exec_at(const struct packet *packet, uint32_t ofs, uint32_t n)
{
	return ofs != PACKET_NO_OFS && ofs + n <= packet->seg_len ? packet->data + ofs : NULL;
}

/* Bytes of the outermost IP packet from its transport header on. The frame may have more, which is no part
 * of it. 0 if there is no such header. */
uint32_t exec_l4_len(const struct packet *packet);
/* N bytes of that; NULL if they are not there. */
static inline uint8_t *exec_l4_at(const struct packet *packet, uint32_t n)
{
	return exec_l4_len(packet) >= n ? exec_at(packet, exec_l4_ofs(packet), n) : NULL;
}

/* Frame bytes of the largest piece that PACKET will be on the wire. */
uint32_t exec_wire_len(const struct packet *packet);

/* The checksum field of the transport header at L4, whose checksum covers a pseudo-header. */
struct exec_csum {
	uint8_t *field;		/* NULL: there is none, or it needs no change. */
	bool partial;		/* Holds the pseudo-header's sum only. */
	bool is_udp;
};

/* PROTO is the protocol of the transport header of PACKET. */
struct exec_csum exec_l4_csum(const struct packet *packet, uint8_t proto);
/* A value at an even offset that the pseudo-header covers went from FROM to TO, N bytes (N even). */
void exec_csum_pseudo(const struct exec_csum *csum, const void *from, const void *to, size_t n);
/* ... that only the transport header and what is behind it cover. */
void exec_csum_payload(const struct exec_csum *csum, const void *from, const void *to, size_t n);

/* DST = SRC under MASK, N bytes; true if something changed. */
static inline bool exec_set_bytes(void *dst_, const void *src_, const void *mask_, size_t n)
{
	const uint8_t *src = src_, *mask = mask_;
	uint8_t *dst = dst_, diff = 0;

	for (size_t i = 0; i < n; i++) {
		uint8_t new = (uint8_t)((dst[i] & ~mask[i]) | (src[i] & mask[i]));

		diff |= dst[i] ^ new;
		dst[i] = new;
	}
	return diff;
}
