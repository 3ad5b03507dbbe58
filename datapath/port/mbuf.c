/* SPDX-License-Identifier: Apache-2.0 */
#include "datapath/port/mbuf.h"

#include "datapath/eal.h"
#include "lib/csum.h"
#include "lib/util.h"

/* Like rte_pktmbuf_alloc(), with our headroom. */
static struct rte_mbuf *alloc_one(struct rte_mempool *pool)
{
	struct rte_mbuf *m = rte_pktmbuf_alloc(pool);

	if (m)
		m->data_off = EAL_HEADROOM;
	return m;
}

struct rte_mbuf *mbuf_alloc(struct rte_mempool *pool, uint32_t len)
{
	struct rte_mbuf *head = alloc_one(pool), *last = head;
	uint32_t left = len;

	if (!head)
		return NULL;
	head->data_len = (uint16_t)MIN(left, (uint32_t)rte_pktmbuf_tailroom(head));
	left -= head->data_len;
	while (left) {
		struct rte_mbuf *m = rte_pktmbuf_alloc(pool);

		if (!m) {
			rte_pktmbuf_free(head);
			return NULL;
		}
		m->data_off = 0;
		m->data_len = (uint16_t)MIN(left, (uint32_t)rte_pktmbuf_tailroom(m));
		left -= m->data_len;
		last->next = m;
		last = m;
		head->nb_segs++;
	}
	head->pkt_len = len;
	mbuf_packet_init(head);
	return head;
}

struct rte_mbuf *mbuf_from_bytes(struct rte_mempool *pool, const void *data, uint32_t len)
{
	struct rte_mbuf *head = mbuf_alloc(pool, len);
	const uint8_t *from = (const uint8_t *)data;

	for (struct rte_mbuf *m = head; m; m = m->next) {
		memcpy(rte_pktmbuf_mtod(m, void *), from, m->data_len);
		from += m->data_len;
	}
	return head;
}

void mbuf_fill(struct rte_mbuf *m, uint32_t at, const struct rte_mbuf **seg, uint32_t *seg_ofs)
{
	while (m) {
		uint32_t n;

		if (at >= m->data_len) {
			at -= m->data_len;
			m = m->next;
			continue;
		}
		while (*seg_ofs == (*seg)->data_len) {
			*seg = (*seg)->next;
			*seg_ofs = 0;
		}
		n = MIN((uint32_t)m->data_len - at, (uint32_t)(*seg)->data_len - *seg_ofs);
		memcpy(rte_pktmbuf_mtod_offset(m, uint8_t *, at),
			rte_pktmbuf_mtod_offset(*seg, const uint8_t *, *seg_ofs), n);
		at += n;
		*seg_ofs += n;
	}
}

/* Hangs references to the segments behind SRC to DST. False if out of mbufs. */
static bool share_chain(struct rte_mbuf *dst, const struct rte_mbuf *src, struct rte_mempool *pool)
{
	struct rte_mbuf *last = dst;

	for (struct rte_mbuf *s = src->next; s; s = s->next) {
		struct rte_mbuf *m = rte_pktmbuf_alloc(pool);

		if (!m)
			return false;
		rte_pktmbuf_attach(m, s);
		last->next = m;
		last = m;
		dst->nb_segs++;
	}
	return true;
}

static struct packet *mbuf_clone(void *aux, const struct packet *packet)
{
	struct rte_mempool *pool = (struct rte_mempool *)aux;
	const struct rte_mbuf *src = packet_mbuf(packet);
	struct rte_mbuf *m = rte_pktmbuf_alloc(pool);
	struct packet *p;

	if (!m)
		return NULL;
	if (packet->seg_len > m->buf_len)
		goto fail;
	/* At least our headroom, unless the tail then would not fit. */
	m->data_off = (uint16_t)MIN(MAX((uint32_t)packet->headroom, (uint32_t)EAL_HEADROOM),
		m->buf_len - packet->seg_len);
	m->data_len = (uint16_t)packet->seg_len;
	m->pkt_len = packet->len;
	if (!share_chain(m, src, pool))
		goto fail;
	p = mbuf_packet(m);
	memcpy(p, packet, offsetof(struct packet, geneve_opts));
	memcpy(p->geneve_opts, packet->geneve_opts, packet->geneve_opts_len);
	p->buf = m;
	p->data = rte_pktmbuf_mtod(m, uint8_t *);
	p->headroom = m->data_off;
	p->shared = false;
	memcpy(p->data, packet->data, packet->seg_len);
	return p;
fail:
	rte_pktmbuf_free(m);
	return NULL;
}

static void mbuf_free(void *aux, struct packet *packet)
{
	rte_pktmbuf_free(packet_mbuf(packet));
}

static void mbuf_truncate(void *aux, struct packet *packet, uint32_t len)
{
	struct rte_mbuf *head = packet_mbuf(packet), *m = head;
	uint32_t left = len;

	if (len >= packet->len)
		return;
	mbuf_sync(head);
	while (left > m->data_len) {
		left -= m->data_len;
		m = m->next;
	}
	m->data_len = (uint16_t)left;
	rte_pktmbuf_free(m->next);
	m->next = NULL;
	head->nb_segs = 1;
	for (struct rte_mbuf *s = head->next; s; s = s->next)
		head->nb_segs++;
	head->pkt_len = len;
	packet->len = len;
	packet->seg_len = head->data_len;
	/* What is cut can be segmented and summed no more. */
	packet->gso_type = PACKET_GSO_NONE;
	if ((uint32_t)packet->csum_start + packet->csum_offset + 2 > len)
		packet->offload &= (uint8_t)~PACKET_CSUM_PARTIAL;
}

const void *mbuf_next_piece(void *aux, size_t *n)
{
	const struct rte_mbuf **m = (const struct rte_mbuf **)aux;
	const struct rte_mbuf *this = *m;

	if (!this)
		return NULL;
	*m = this->next;
	*n = this->data_len;
	return rte_pktmbuf_mtod(this, const void *);
}

static uint64_t mbuf_sum(uint64_t sum, const struct packet *packet, uint32_t ofs, uint32_t n)
{
	const struct rte_mbuf *rest = packet_mbuf(packet)->next;
	struct csum_pieces pieces = {.next = mbuf_next_piece, .aux = &rest};

	return csum_packet(sum, packet, ofs, n, &pieces);
}

const struct packet_ops mbuf_packet_ops = {
	.clone = mbuf_clone,
	.free = mbuf_free,
	.truncate = mbuf_truncate,
	.sum = mbuf_sum,
};
