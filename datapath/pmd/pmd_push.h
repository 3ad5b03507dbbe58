/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * Into tunnels without the interpreter: the prebuilt header in wide stores, and what differs from packet to
 * packet mended. Inline for the loops over a burst; the PMD's thread.
 */

#include <emmintrin.h>
#include <string.h>

#include "datapath/pmd/pmd.h"
#include "lib/headers.h"
#include "tunnel/tnl_header.h"

_Static_assert(TNL_PLAIN_FRAME_LEN == 50, "three wide stores and a short one");

/* LEN is TNL_PLAIN_FRAME_LEN where that is a constant. */
__attribute__((always_inline)) static inline void pmd_copy_header(uint8_t *to, const uint8_t *from, uint16_t len)
{
	__m128i a, b, c;
	uint16_t rest;

	if (!__builtin_constant_p(len)) {
		memcpy(to, from, len);
		return;
	}
	a = _mm_loadu_si128((const __m128i *)from);
	b = _mm_loadu_si128((const __m128i *)(from + 16));
	c = _mm_loadu_si128((const __m128i *)(from + 32));
	memcpy(&rest, from + 48, sizeof rest);
	_mm_storeu_si128((__m128i *)to, a);
	_mm_storeu_si128((__m128i *)(to + 16), b);
	_mm_storeu_si128((__m128i *)(to + 32), c);
	memcpy(to + 48, &rest, sizeof rest);
}

/* The checksum of a header whose is FROM while its length is 0. */
static inline be16 pmd_csum_with_len(be16 from, be16 len)
{
	uint32_t sum = (uint16_t)~from + (uint32_t)len;

	return (be16)~((sum & 0xffff) + (sum >> 16));
}

/* What sizes a header: its length and where its IP and UDP headers are. */
struct pmd_push_shape {
	uint16_t len;
	uint8_t l3_ofs, l4_ofs;
};

__attribute__((always_inline)) static inline bool pmd_push_shaped(struct pmd *pmd, const struct path *path,
	struct pmd_port *out, struct rte_mbuf *mbuf, be16 source, struct pmd_push_shape shape)
{
	const struct op_tnl_push *op = (const struct op_tnl_push *)path->ops;
	const struct ipv4_header *from = (const void *)(op->header + shape.l3_ofs);
	uint32_t ip_len = mbuf->pkt_len + shape.len - shape.l3_ofs;
	uint32_t udp_len = mbuf->pkt_len + shape.len - shape.l4_ofs;
	struct ipv4_header *ip;
	struct udp_header *udp;
	uint8_t *data;

	if (unlikely(mbuf->data_off < shape.len || ip_len > UINT16_MAX ||
		ip_len > atomic_load_explicit(&out->port->mtu, memory_order_relaxed)))
		return false;
	mbuf->data_off = (uint16_t)(mbuf->data_off - shape.len);
	mbuf->data_len = (uint16_t)(mbuf->data_len + shape.len);
	mbuf->pkt_len += shape.len;
	data = rte_pktmbuf_mtod(mbuf, uint8_t *);
	pmd_copy_header(data, op->header, shape.len);

	ip = (struct ipv4_header *)(data + shape.l3_ofs);
	ip->tot_len = htobe16((uint16_t)ip_len);
	/* From the prebuilt one: what was just stored in wide words is not to be read in narrow ones. */
	ip->csum = pmd_csum_with_len(from->csum, ip->tot_len);
	udp = (struct udp_header *)(data + shape.l4_ofs);
	udp->src = source;
	udp->len = htobe16((uint16_t)udp_len);
	pmd_put_tx_bare(pmd, out, mbuf);
	return true;
}

/* VXLAN's and other headers of its size, without a tag. */
static inline bool pmd_push_is_plain(const struct path *path)
{
	const struct op_tnl_push *op = (const struct op_tnl_push *)path->ops;

	return op->header_len == TNL_PLAIN_FRAME_LEN && op->outer_l3_ofs == ETH_HEADER_LEN &&
		op->outer_l4_ofs == ETH_HEADER_LEN + IPV4_HEADER_LEN;
}

/* Sends bare MBUF by OUT as PATH, of PATH_TUNNEL, says; false: it can't, and did nothing. SOURCE: its UDP port. */
__attribute__((always_inline)) static inline bool pmd_tunnel_push(struct pmd *pmd, const struct path *path,
	struct pmd_port *out, struct rte_mbuf *mbuf, be16 source)
{
	const struct op_tnl_push *op = (const struct op_tnl_push *)path->ops;

	if (likely(pmd_push_is_plain(path)))
		return pmd_push_shaped(pmd, path, out, mbuf, source, (struct pmd_push_shape){TNL_PLAIN_FRAME_LEN,
			ETH_HEADER_LEN, ETH_HEADER_LEN + IPV4_HEADER_LEN});
	return pmd_push_shaped(pmd, path, out, mbuf, source, (struct pmd_push_shape){op->header_len, op->outer_l3_ofs,
		op->outer_l4_ofs});
}
