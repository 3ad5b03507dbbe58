/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * Outer headers. On output: builds the template (Ethernet to tunnel header) once per path; per
 * packet only lengths, checksum, entropy source port and GRE sequence number are mended. On input:
 * parses and removes the outer header. Any thread.
 */

#include <endian.h>
#include <stdatomic.h>

#include "lib/packet.h"
#include "tunnel/tnl_port.h"

#define TNL_HEADER_MAX 384

struct tnl_header {
	uint16_t len;
	uint8_t l3_ofs, l4_ofs;
	uint8_t proto; /* IPPROTO_UDP or IPPROTO_GRE. */
	bool csum, gre_seq, is_ipv6;
	bool may_fragment;
	uint8_t data[TNL_HEADER_MAX];
};

/* Builds the outer header for PORT from OUTER (addresses, id, tos, ttl, flags) and underlay MACs.
 * OPTS[OPTS_LEN]: raw Geneve options. */
void tnl_header_build(const struct tnl_port *port, const struct flow_tnl *outer,
	struct eth_addr dst_mac, struct eth_addr src_mac, const uint8_t *opts, size_t opts_len,
	struct tnl_header *header);

/* Puts HEADER[LEN] in front of PACKET and mends it (fields as in struct op_tnl_push). HASH chooses
 * the UDP source port within tnl_egress_port_range. SEQ: GRE sequence number (a GSO frame's pieces
 * count on from it). Sets outer_l3_ofs, outer_l4_ofs and outer_proto. A checksum over bytes that
 * are not there yet (GSO) or out of reach (chained) is left to the sender: PACKET_OUTER_CSUM. 0,
 * -ENOBUFS without headroom, -EMSGSIZE if longer than an IP packet may be (GSO frames are cut
 * before that matters). */
int tnl_header_push(struct packet *packet, const uint8_t *header, uint16_t len, uint8_t l3_ofs,
	uint8_t l4_ofs, uint8_t proto, bool csum, bool gre_seq, bool is_ipv6, uint32_t hash,
	uint32_t seq);

/* Parses the outer header of PACKET (l3_ofs, l4_ofs set; or outer_* of one pushed here) as TYPE and
 * removes it: data then is the inner frame, packet->tunnel filled, geneve options copied. 0 or
 * -EINVAL (malformed), -EBADMSG (checksum), -EPROTONOSUPPORT (flags, version or payload that must
 * be dropped). PACKET is unchanged then. OPS adds up checksums over chained payload. */
int tnl_header_pop(struct packet *packet, enum tnl_type type, const struct packet_ops *ops);

/* The range's minimum in the low half, its maximum in the high one: changed in one step. */
extern _Atomic uint32_t tnl_egress_ports;

/* What it is now, for who asks for many packets. Any thread. */
struct tnl_entropy {
	uint32_t min, n;
};

static inline struct tnl_entropy tnl_entropy(void)
{
	uint32_t range = atomic_load_explicit(&tnl_egress_ports, memory_order_relaxed);
	uint32_t min = range & 0xffff;

	return (struct tnl_entropy){min, (range >> 16) - min};
}

/* The UDP source port for a packet with HASH. */
static inline be16 tnl_entropy_port(struct tnl_entropy entropy, uint32_t hash)
{
	return htobe16((uint16_t)(entropy.min + ((uint64_t)hash * entropy.n >> 32)));
}

/* tnl/egress_port_range. */
void tnl_egress_port_range_set(uint16_t min, uint16_t max);
void tnl_egress_port_range_get(uint16_t *min, uint16_t *max);
