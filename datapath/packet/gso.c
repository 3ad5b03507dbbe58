/* SPDX-License-Identifier: Apache-2.0 */
#include "datapath/packet/gso.h"

#include <errno.h>

#include "datapath/eal.h"
#include "datapath/packet/gso_walk.h"
#include "lib/csum.h"
#include "lib/headers.h"
#include "lib/unaligned.h"
#include "lib/util.h"

/* ------------------------------------------------------------------ reading chains */

/* Sum of the bytes of chain M from OFS to its end. */
static uint64_t chain_sum(uint64_t sum, const struct rte_mbuf *m, uint32_t ofs)
{
	bool odd = false;

	for (; m; m = m->next) {
		uint32_t n = m->data_len;
		uint64_t part;

		if (ofs >= n) {
			ofs -= n;
			continue;
		}
		n -= ofs;
		part = csum_fold(
			csum_bytes(0, rte_pktmbuf_mtod_offset(m, const uint8_t *, ofs), n));
		/* A run that begins at an odd place counts with its bytes swapped. */
		if (odd)
			part = __builtin_bswap16((uint16_t)part);
		sum = csum_add64(sum, part);
		odd ^= n & 1;
		ofs = 0;
	}
	return sum;
}

/* ------------------------------------------------------------------ headers of a piece */

static uint8_t *header_at(struct rte_mbuf *m, uint32_t ofs)
{
	return rte_pktmbuf_mtod_offset(m, uint8_t *, ofs);
}

static uint64_t pseudo_sum(
	const struct gso_level *ip, const uint8_t *header, uint8_t proto, uint32_t l4_len)
{
	if (ip->type == GSO_IPV4) {
		be32 src, dst;

		memcpy(&src, header + offsetof(struct ipv4_header, src), sizeof src);
		memcpy(&dst, header + offsetof(struct ipv4_header, dst), sizeof dst);
		return csum_pseudo_v4(src, dst, proto, l4_len);
	} else {
		struct ipv6_addr src, dst;

		memcpy(&src, header + offsetof(struct ipv6_header, src), sizeof src);
		memcpy(&dst, header + offsetof(struct ipv6_header, dst), sizeof dst);
		return csum_pseudo_v6(&src, &dst, proto, l4_len);
	}
}

static void mend_ipv4(const struct gso *gso, struct rte_mbuf *m, const struct gso_level *level)
{
	struct ipv4_header *ip = (struct ipv4_header *)header_at(m, level->ofs);
	bool innermost = level == &gso->levels[gso->n_levels - 1];

	ip->tot_len = htobe16((uint16_t)(m->pkt_len - level->ofs));
	if (innermost || !(ip->frag_off & htobe16(IPV4_DF)))
		ip->id = htobe16((uint16_t)(be16toh(ip->id) + gso->i));
	ip->csum = 0;
	ip->csum = csum(ip, (ip->ver_ihl & 0x0fu) * 4);
}

static void mend_udp(struct rte_mbuf *m, const struct gso_level *level, const struct gso_level *ip)
{
	struct udp_header *udp = (struct udp_header *)header_at(m, level->ofs);
	uint32_t len = m->pkt_len - level->ofs;

	udp->len = htobe16((uint16_t)len);
	if (!udp->csum)
		return;
	udp->csum = 0;
	udp->csum = csum_finish_udp(
		chain_sum(pseudo_sum(ip, header_at(m, ip->ofs), IP_P_UDP, len), m, level->ofs));
}

static void mend_gre(const struct gso *gso, struct rte_mbuf *m, const struct gso_level *level)
{
	uint8_t *gre = header_at(m, level->ofs);
	uint16_t flags = be16toh(load16(gre));
	uint8_t *csum_at = gre + GRE_HEADER_LEN;
	be16 sum;

	if (flags & GRE_F_SEQ) {
		uint8_t *p = csum_at + (flags & GRE_F_CSUM ? 4 : 0) + (flags & GRE_F_KEY ? 4 : 0);

		store32(p, htobe32(be32toh(load32(p)) + gso->i));
	}
	if (!(flags & GRE_F_CSUM))
		return;
	memset(csum_at, 0, 2);
	sum = csum_finish(chain_sum(0, m, level->ofs));
	memcpy(csum_at, &sum, sizeof sum);
}

/* Lengths, ids and checksums of all headers before the transport, innermost first: an outer
 * checksum covers the inner ones. */
static void mend_levels(const struct gso *gso, struct rte_mbuf *m)
{
	for (int i = gso->n_levels - 1; i >= 0; i--) {
		const struct gso_level *level = &gso->levels[i];

		switch (level->type) {
		case GSO_IPV4:
			mend_ipv4(gso, m, level);
			break;
		case GSO_IPV6: {
			struct ipv6_header *ip = (struct ipv6_header *)header_at(m, level->ofs);

			ip->plen = htobe16((uint16_t)(m->pkt_len - level->ofs - IPV6_HEADER_LEN));
			break;
		}
		case GSO_UDP:
			mend_udp(m, level, level - 1);
			break;
		case GSO_GRE:
			mend_gre(gso, m, level);
			break;
		}
	}
}

static void mend_tcp(const struct gso *gso, struct tcp_header *tcp)
{
	uint16_t clear = 0;

	tcp->seq = htobe32(be32toh(tcp->seq) + (uint32_t)gso->i * gso->size);
	if (gso->i + 1 < gso->n_pieces)
		clear |= TCP_FIN | TCP_PSH;
	if (gso->i)
		clear |= TCP_CWR;
	tcp->ctl &= htobe16((uint16_t)~clear);
}

static void mend_l4(const struct gso *gso, struct rte_mbuf *m)
{
	const struct gso_level *ip = &gso->levels[gso->n_levels - 1];
	const struct packet *frame = mbuf_packet(gso->frame);
	uint32_t len = m->pkt_len - gso->l4_ofs;
	uint8_t *l4 = header_at(m, gso->l4_ofs);
	uint8_t *csum_at = l4 + (gso->l4_proto == IP_P_TCP ? offsetof(struct tcp_header, csum)
							   : offsetof(struct udp_header, csum));
	uint64_t sum;
	be16 out;

	if (gso->has_exthdrs && frame->offload & PACKET_CSUM_PARTIAL) {
		/* A routing header's last address counts in the pseudo-header: trust the sum that
		 * is there, but for the length. */
		sum = csum_add32(load16(csum_at), ~htobe32(frame->len - gso->l4_ofs));
		sum = csum_add32(sum, htobe32(len));
	} else {
		sum = pseudo_sum(ip, header_at(m, ip->ofs), gso->l4_proto, len);
	}
	if (gso->l4_proto == IP_P_TCP)
		mend_tcp(gso, (struct tcp_header *)l4);
	else
		((struct udp_header *)l4)->len = htobe16((uint16_t)len);
	memset(csum_at, 0, 2);
	sum = chain_sum(sum, m, gso->l4_ofs);
	out = gso->l4_proto == IP_P_TCP ? csum_finish(sum) : csum_finish_udp(sum);
	memcpy(csum_at, &out, sizeof out);
}

/* ------------------------------------------------------------------ cutting */

/* Transport header length, 0 if it is not the one that the GSO type promises. */
static uint32_t l4_header_len(const struct gso *gso, const struct packet *frame)
{
	if (frame->gso_type == PACKET_GSO_UDP_L4)
		return gso->l4_proto == IP_P_UDP ? UDP_HEADER_LEN : 0;
	if (gso->l4_proto != IP_P_TCP || (uint32_t)gso->l4_ofs + TCP_HEADER_LEN > frame->seg_len)
		return 0;
	return (frame->data[gso->l4_ofs + 12] >> 4) * 4u;
}

int gso_begin(struct gso *gso, struct rte_mbuf *frame, struct rte_mempool *pool)
{
	const struct packet *p = mbuf_packet(frame);
	uint32_t l4 = p->csum_start, l4_len, n;

	if (!(p->offload & PACKET_CSUM_PARTIAL))
		l4 = gso_outer_l4(p->data, p->seg_len);
	*gso = (struct gso){
		.frame = frame, .pool = pool, .size = p->gso_size, .l4_ofs = (uint16_t)l4};
	if (!l4 || !p->gso_size || !gso_walk(gso, p->data, p->seg_len, l4))
		return -EINVAL;
	l4_len = l4_header_len(gso, p);
	gso->header_len = l4 + l4_len;
	if (l4_len < UDP_HEADER_LEN || gso->header_len > p->seg_len ||
		gso->header_len > EAL_DATA_ROOM)
		return -EINVAL;
	if (gso->l4_proto == IP_P_TCP && l4_len < TCP_HEADER_LEN)
		return -EINVAL;
	gso->payload_len = p->len - gso->header_len;
	n = gso->payload_len ? DIV_ROUND_UP(gso->payload_len, (uint32_t)gso->size) : 1;
	if (n > GSO_MAX_PIECES)
		return -EINVAL;
	gso->n_pieces = (uint16_t)n;
	gso->seg = frame;
	gso->seg_ofs = gso->header_len;
	return 0;
}

uint32_t gso_piece_len(const struct gso *gso)
{
	return gso->header_len + MIN(gso->payload_len, (uint32_t)gso->size);
}

/* The piece's packet: that of the frame, without promises. */
static void piece_packet(const struct gso *gso, struct rte_mbuf *m)
{
	const struct packet *from = mbuf_packet(gso->frame);
	struct packet *p = mbuf_packet(m);

	p->l2_5_ofs = from->l2_5_ofs;
	p->l3_ofs = from->l3_ofs;
	p->l4_ofs = from->l4_ofs;
	p->outer_l3_ofs = from->outer_l3_ofs;
	p->outer_l4_ofs = from->outer_l4_ofs;
	p->outer_proto = from->outer_proto;
	p->offload = from->offload & PACKET_MAY_FRAGMENT;
	p->in_port = from->in_port;
	p->hash = from->hash;
	p->pkt_mark = from->pkt_mark;
	p->queue = from->queue;
}

struct rte_mbuf *gso_next(struct gso *gso)
{
	uint32_t done = (uint32_t)gso->i * gso->size;
	struct rte_mbuf *m;

	if (gso->i >= gso->n_pieces)
		return NULL;
	m = mbuf_alloc(
		gso->pool, gso->header_len + MIN(gso->payload_len - done, (uint32_t)gso->size));
	if (!m)
		return NULL;
	memcpy(header_at(m, 0), mbuf_packet(gso->frame)->data, gso->header_len);
	mbuf_fill(m, gso->header_len, &gso->seg, &gso->seg_ofs);
	mend_l4(gso, m);
	mend_levels(gso, m);
	piece_packet(gso, m);
	gso->i++;
	return m;
}

/* ------------------------------------------------------------------ checksums alone */

/* The outer UDP or GRE checksum of a tunnel that was pushed here. */
static int finish_outer(struct rte_mbuf *m, struct packet *p)
{
	struct gso gso = {.n_levels = 0};
	struct gso_level ip = {.ofs = p->outer_l3_ofs};
	struct gso_level l4 = {.ofs = p->outer_l4_ofs};

	p->offload &= (uint8_t)~PACKET_OUTER_CSUM;
	if (!p->outer_l4_ofs || (uint32_t)p->outer_l3_ofs + IPV4_HEADER_LEN > p->seg_len ||
		(uint32_t)p->outer_l4_ofs + UDP_HEADER_LEN > p->seg_len)
		return -EINVAL;
	ip.type = p->data[ip.ofs] >> 4 == 6 ? GSO_IPV6 : GSO_IPV4;
	if (p->outer_proto == IP_P_UDP)
		mend_udp(m, &l4, &ip);
	else
		mend_gre(&gso, m, &l4);
	return 0;
}

int gso_finish_csum(struct rte_mbuf *frame)
{
	struct packet *p = mbuf_packet(frame);
	const struct rte_mbuf *rest = frame->next;
	struct csum_pieces pieces = {.next = mbuf_next_piece, .aux = &rest};

	if (p->offload & PACKET_CSUM_PARTIAL && !csum_finish_partial(p, &pieces))
		return -EINVAL;
	return p->offload & PACKET_OUTER_CSUM ? finish_outer(frame, p) : 0;
}
