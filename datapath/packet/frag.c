/* SPDX-License-Identifier: Apache-2.0 */
#include "datapath/packet/frag.h"

#include <errno.h>
#include <rte_random.h>

#include "lib/csum.h"
#include "lib/headers.h"
#include "lib/util.h"

#define IPV6_FRAG_LEN 8
#define UNIT 8

/* Datagrams of one sender to one receiver need different numbers for as long as fragments may be on
 * their way: each thread counts on from a place of its own. */
static uint32_t next_id(void)
{
	static __thread uint32_t id;

	if (!id)
		id = (uint32_t)rte_rand() | 1;
	return id++;
}

static const struct ipv4_header *ipv4_at(const struct packet *p)
{
	return (const struct ipv4_header *)(const void *)(p->data + p->outer_l3_ofs);
}

bool frag_is_allowed(const struct packet *p)
{
	if (p->offload & PACKET_MAY_FRAGMENT)
		return true;
	return p->outer_proto && (uint32_t)p->outer_l3_ofs + IPV4_HEADER_LEN <= p->seg_len &&
	       p->data[p->outer_l3_ofs] >> 4 == 4 && !(ipv4_at(p)->frag_off & htobe16(IPV4_DF));
}

int frag_begin(struct frag *frag, struct rte_mbuf *frame, struct rte_mempool *pool, uint32_t mtu)
{
	const struct packet *p = mbuf_packet(frame);
	uint32_t l3 = p->outer_l3_ofs, ip_len, room;

	*frag = (struct frag){.frame = frame, .pool = pool, .l3_ofs = (uint16_t)l3, .seg = frame};
	if (l3 < ETH_HEADER_LEN || l3 + IPV6_HEADER_LEN > p->seg_len)
		return -EINVAL;
	frag->is_ipv6 = p->data[l3] >> 4 == 6;
	ip_len = frag->is_ipv6 ? IPV6_HEADER_LEN : IPV4_HEADER_LEN;
	if (!frag->is_ipv6 && (p->data[l3] != 0x45 || ipv4_at(p)->frag_off &
							htobe16(IPV4_MF | IPV4_FRAG_OFS_MASK)))
		return -EINVAL;
	room = ip_len + (frag->is_ipv6 ? IPV6_FRAG_LEN : 0);
	if (mtu < room + UNIT)
		return -EINVAL;
	frag->size = (mtu - room) & ~(uint32_t)(UNIT - 1);
	frag->header_len = l3 + ip_len;
	frag->payload_len = p->len - frag->header_len;
	frag->seg_ofs = frag->header_len;
	frag->id = next_id();
	return 0;
}

bool frag_has_next(const struct frag *frag)
{
	return frag->done < frag->payload_len;
}

static void write_ipv4(const struct frag *frag, uint8_t *l3, uint32_t n, bool more)
{
	struct ipv4_header *ip = (struct ipv4_header *)l3;

	ip->tot_len = htobe16((uint16_t)(IPV4_HEADER_LEN + n));
	ip->id = htobe16((uint16_t)frag->id);
	ip->frag_off = htobe16((uint16_t)(frag->done / UNIT | (more ? IPV4_MF : 0)));
	ip->csum = 0;
	ip->csum = csum(ip, IPV4_HEADER_LEN);
}

static void write_ipv6(const struct frag *frag, uint8_t *l3, uint32_t n, bool more)
{
	struct ipv6_header *ip = (struct ipv6_header *)l3;
	uint8_t *ext = l3 + IPV6_HEADER_LEN;
	be16 ofs = htobe16((uint16_t)(frag->done | (more ? 1 : 0)));
	be32 id = htobe32(frag->id);

	ext[0] = ip->nexthdr;
	ext[1] = 0;
	memcpy(ext + 2, &ofs, sizeof ofs);
	memcpy(ext + 4, &id, sizeof id);
	ip->nexthdr = IP_P_FRAGMENT;
	ip->plen = htobe16((uint16_t)(IPV6_FRAG_LEN + n));
}

struct rte_mbuf *frag_next(struct frag *frag)
{
	uint32_t left = frag->payload_len - frag->done, n = MIN(left, frag->size);
	uint32_t ext = frag->is_ipv6 ? IPV6_FRAG_LEN : 0;
	struct rte_mbuf *m = mbuf_alloc(frag->pool, frag->header_len + ext + n);
	const struct packet *from = mbuf_packet(frag->frame);
	struct packet *p;
	uint8_t *l3;

	if (!m)
		return NULL;
	p = mbuf_packet(m);
	memcpy(p->data, from->data, frag->header_len);
	l3 = p->data + frag->l3_ofs;
	if (frag->is_ipv6)
		write_ipv6(frag, l3, n, n < left);
	else
		write_ipv4(frag, l3, n, n < left);
	mbuf_fill(m, frag->header_len + ext, &frag->seg, &frag->seg_ofs);
	p->in_port = from->in_port;
	p->hash = from->hash;
	p->pkt_mark = from->pkt_mark;
	p->queue = from->queue;
	frag->done += n;
	return m;
}
