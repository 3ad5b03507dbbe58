/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * The two faces of a packet buffer: DPDK's chain of mbufs and, in the first mbuf's private area,
 * the pipeline's struct packet. While the pipeline holds a packet, struct packet is true and the
 * mbuf's lengths may be stale; mbuf_sync() before anything reads the mbuf again.
 *
 * An mbuf is `bare` as long as it has no struct packet: as a device gave it, its lengths true, with
 * nothing promised to be done. mbuf_packet_init() dresses it.
 *
 * All mbufs come from eal_mempool() or eal_mempool_create(). Any thread, one at a time a packet.
 */

#include <string.h>

#include <rte_mbuf.h>

#include "lib/packet.h"

static inline struct packet *mbuf_packet(struct rte_mbuf *m)
{
	return (struct packet *)rte_mbuf_to_priv(m);
}

static inline struct rte_mbuf *packet_mbuf(const struct packet *p)
{
	return (struct rte_mbuf *)p->buf;
}

/* Makes the struct packet of a received chain M: geometry from the mbufs, all else zero. */
static inline struct packet *mbuf_packet_init(struct rte_mbuf *m)
{
	struct packet *p = mbuf_packet(m);

	/* In two steps: one of this length would become a slow string instruction. */
	memset(p, 0, offsetof(struct packet, tunnel));
	memset(&p->tunnel, 0,
		offsetof(struct packet, geneve_opts) - offsetof(struct packet, tunnel));
	p->data = rte_pktmbuf_mtod(m, uint8_t *);
	p->len = rte_pktmbuf_pkt_len(m);
	p->seg_len = rte_pktmbuf_data_len(m);
	p->headroom = rte_pktmbuf_headroom(m);
	p->l2_5_ofs = p->l3_ofs = p->l4_ofs = PACKET_NO_OFS;
	p->buf = m;
	return p;
}

/* Brings the mbuf's lengths up to date with its packet. */
static inline void mbuf_sync(struct rte_mbuf *m)
{
	const struct packet *p = mbuf_packet(m);

	m->data_off = (uint16_t)(p->data - (uint8_t *)m->buf_addr);
	m->data_len = (uint16_t)p->seg_len;
	m->pkt_len = p->len;
}

/* A fresh packet of LEN bytes (contents unset, chained if long) with EAL_HEADROOM before it, or
 * NULL. Its struct packet is initialised. */
struct rte_mbuf *mbuf_alloc(struct rte_mempool *pool, uint32_t len);
/* ... with a copy of DATA[LEN]. */
struct rte_mbuf *mbuf_from_bytes(struct rte_mempool *pool, const void *data, uint32_t len);
/* Fills chain M from byte AT to its end from the chain whose next byte is at *SEG_OFS of *SEG, and moves
 * on there. There must be enough. */
void mbuf_fill(struct rte_mbuf *m, uint32_t at, const struct rte_mbuf **seg, uint32_t *seg_ofs);

/* For struct csum_pieces: the segments from *AUX (a const struct rte_mbuf **) on. */
const void *mbuf_next_piece(void *aux, size_t *n);

/* struct packet_ops for packets in mbufs. AUX is the struct rte_mempool that copies come from. A
 * clone has headers of its own and shares chained payload. */
extern const struct packet_ops mbuf_packet_ops;
