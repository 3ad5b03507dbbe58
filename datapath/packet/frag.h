/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * Cutting of outer IP packets into fragments, for devices whose MTU they exceed: those of tunnels that
 * may be fragmented (df_default=false), and datagrams that were put together here (defrag.h) but are
 * the host's. IPv4: RFC 791, IPv6: RFC 8200 section 4.5, by its source. What lies before the IP header
 * (Ethernet, VLAN tags) is repeated on each fragment.
 *
 * Works on bytes alone; needs DPDK for buffers only. Any thread; a frame belongs to one at a time.
 * Packets are synced (mbuf_sync) and complete: checksums first.
 */

#include "datapath/port/mbuf.h"

/* Cutting in progress. */
struct frag {
	struct rte_mbuf *frame;
	struct rte_mempool *pool;
	uint32_t header_len;	/* Up to the end of the IP header. */
	uint32_t payload_len;
	uint32_t size;		/* Payload of each fragment but the last; a multiple of 8. */
	uint32_t done;
	uint32_t id;
	uint16_t l3_ofs;
	bool is_ipv6;
	const struct rte_mbuf *seg;	/* Where the payload not copied yet begins. */
	uint32_t seg_ofs;
};

/* True if P's outer IP packet may be cut. */
bool frag_is_allowed(const struct packet *p);
/* Starts on FRAME, which stays the caller's and is only read. MTU: of the outer IP packet. Fragments
 * come from POOL. 0; -EINVAL if there is no plain IP header at outer_l3_ofs, it is a fragment already,
 * or MTU leaves no room. */
int frag_begin(struct frag *frag, struct rte_mbuf *frame, struct rte_mempool *pool, uint32_t mtu);
bool frag_has_next(const struct frag *frag);
/* The next fragment, or NULL: out of memory. */
struct rte_mbuf *frag_next(struct frag *frag);
