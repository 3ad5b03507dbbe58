/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * What a frame still owes the wire: cutting GSO frames into pieces, and checksums that were left
 * partial. Works on bytes alone; needs DPDK for buffers only.
 *
 * A GSO frame is cut at its innermost transport header (csum_start), whatever lies before it is
 * repeated on each piece and mended: lengths, IPv4 ids and header checksums, TCP sequence numbers
 * and flags (RFC 9293), UDP and GRE checksums of outer headers if they have one. Outer headers may
 * be VLAN, MPLS, PBB, NSH, IPv4, IPv6, VXLAN, Geneve and GRE, tunnels in tunnels too. Outer IPv4
 * ids stay if DF is set and count on otherwise.
 *
 * Any thread; a frame belongs to one at a time. Packets are synced (mbuf_sync).
 */

#include "datapath/port/mbuf.h"

#define GSO_MAX_LEVELS 12
/* More pieces than this no honest sender asks for. */
#define GSO_MAX_PIECES 2048

enum gso_level_type {
	GSO_IPV4,
	GSO_IPV6,
	GSO_UDP,
	GSO_GRE
};

/* A header whose fields depend on the frame's length. */
struct gso_level {
	uint8_t type;
	uint16_t ofs;
};

/* Cutting in progress. */
struct gso {
	struct rte_mbuf *frame;
	struct rte_mempool *pool;
	uint32_t header_len; /* Repeated on each piece. */
	uint32_t payload_len;
	uint16_t n_pieces;
	uint16_t i;    /* Next piece. */
	uint16_t size; /* Payload of a piece. */
	uint16_t l4_ofs;
	uint8_t l4_proto;
	uint8_t n_levels; /* Outermost first; the last is the IP header of the transport. */
	bool has_exthdrs; /* The innermost IPv6 header has extension headers. */
	struct gso_level levels[GSO_MAX_LEVELS];
	const struct rte_mbuf *seg; /* Where the payload not copied yet begins. */
	uint32_t seg_ofs;
};

/* Starts on FRAME, whose packet has a gso_type; FRAME stays the caller's and is only read. Pieces
 * come from POOL. 0, or -EINVAL if the frame is not what it says. */
int gso_begin(struct gso *gso, struct rte_mbuf *frame, struct rte_mempool *pool);
/* Bytes of the longest piece. */
uint32_t gso_piece_len(const struct gso *gso);
/* The next piece, or NULL: after the last (gso->i == gso->n_pieces), or out of memory. */
struct rte_mbuf *gso_next(struct gso *gso);

/* Computes what checksums FRAME (no GSO) still lacks: the partial one, then the outer one of a
 * tunnel pushed here (PACKET_OUTER_CSUM). 0, or -EINVAL if they point outside the headers. */
int gso_finish_csum(struct rte_mbuf *frame);
