/* SPDX-License-Identifier: Apache-2.0 */

#include "lib/csum.h"

#include "lib/headers.h"
#include "lib/unaligned.h"

#ifdef __x86_64__
#include <immintrin.h>
#endif

uint64_t csum_bytes(uint64_t sum, const void *p_, size_t n)
{
	const uint8_t *p = p_;
	uint64_t a = sum, b = 0;

	for (; n >= 32; p += 32, n -= 32) {
		a = csum_add64(a, load64(p));
		b = csum_add64(b, load64(p + 8));
		a = csum_add64(a, load64(p + 16));
		b = csum_add64(b, load64(p + 24));
	}
	for (; n >= 8; p += 8, n -= 8)
		a = csum_add64(a, load64(p));
	if (n & 4) {
		b = csum_add64(b, load32(p));
		p += 4;
	}
	if (n & 2) {
		b = csum_add64(b, load16(p));
		p += 2;
	}
	if (n & 1) {
		/* The last byte is the first of a word. */
		uint8_t last[2] = {*p, 0};

		b = csum_add64(b, load16(last));
	}
	return csum_add64(a, b);
}

be16 csum_update_bytes(be16 old, const void *from, const void *to, size_t n)
{
	uint64_t sum = csum_bytes((uint16_t)~old, to, n);

	/* Subtracting is adding the complement. */
	return csum_finish(csum_add64(sum, (uint16_t)~csum_fold(csum_bytes(0, from, n))));
}

/* Tables for 8 bytes at a time, computed at the start. */
static uint32_t crc_table[8][256];
static bool crc_hw;

__attribute__((constructor)) static void crc_init(void)
{
	for (uint32_t i = 0; i < 256; i++) {
		uint32_t c = i;

		for (int k = 0; k < 8; k++)
			c = c & 1 ? c >> 1 ^ 0x82f63b78 : c >> 1;
		crc_table[0][i] = c;
	}
	for (uint32_t i = 0; i < 256; i++)
		for (int k = 1; k < 8; k++)
			crc_table[k][i] = crc_table[k - 1][i] >> 8 ^
				crc_table[0][crc_table[k - 1][i] & 0xff];
#ifdef __x86_64__
	__builtin_cpu_init();
	crc_hw = __builtin_cpu_supports("sse4.2");
#endif
}

uint32_t crc32c_table(uint32_t crc, const void *p_, size_t n)
{
	const uint8_t *p = p_;

	crc = ~crc;
	for (; n >= 8; p += 8, n -= 8) {
		uint64_t v = le64toh(load64(p)) ^ crc;

		crc = 0;
		for (int k = 0; k < 8; k++)
			crc ^= crc_table[7 - k][v >> 8 * k & 0xff];
	}
	while (n--)
		crc = crc >> 8 ^ crc_table[0][(crc ^ *p++) & 0xff];
	return ~crc;
}

#ifdef __x86_64__
__attribute__((target("sse4.2"))) static uint32_t crc32c_sse42(uint32_t crc, const uint8_t *p, size_t n)
{
	uint64_t c = (uint32_t)~crc;

	for (; n >= 8; p += 8, n -= 8)
		c = _mm_crc32_u64(c, load64(p));
	while (n--)
		c = _mm_crc32_u8((uint32_t)c, *p++);
	return ~(uint32_t)c;
}
#endif

uint32_t crc32c(uint32_t crc, const void *p, size_t n)
{
#ifdef __x86_64__
	if (crc_hw)
		return crc32c_sse42(crc, p, n);
#endif
	return crc32c_table(crc, p, n);
}

/* Walks over the bytes of a packet from an offset on, run by run. */
struct walk {
	const uint8_t *p;
	size_t n;		/* Of the run at p. */
	uint32_t left;		/* Bytes still wanted, this run's included. */
	const struct csum_pieces *pieces;
};

static void walk_init(struct walk *w, const struct packet *packet, uint32_t ofs, uint32_t n,
	const struct csum_pieces *pieces)
{
	w->p = packet->data + ofs;
	w->n = packet->seg_len - ofs;
	w->left = n;
	w->pieces = packet->len > packet->seg_len ? pieces : NULL;
}

/* Takes the next run; false at the end. */
static bool walk_next(struct walk *w, const uint8_t **p, size_t *n)
{
	while (w->left) {
		if (w->n) {
			*p = w->p;
			*n = w->n < w->left ? w->n : w->left;
			w->left -= (uint32_t)*n;
			w->n = 0;
			return true;
		}
		if (!w->pieces)
			return false;
		w->p = w->pieces->next(w->pieces->aux, &w->n);
		if (!w->p)
			return false;
	}
	return false;
}

uint64_t csum_packet(uint64_t sum, const struct packet *packet, uint32_t ofs, uint32_t n,
	const struct csum_pieces *pieces)
{
	const uint8_t *p;
	struct walk w;
	bool odd = false;
	size_t len;

	walk_init(&w, packet, ofs, n, pieces);
	while (walk_next(&w, &p, &len)) {
		uint16_t part = csum_fold(csum_bytes(0, p, len));

		/* A run that starts at an odd place has its bytes the other way round. */
		sum = csum_add16(sum, odd ? __builtin_bswap16(part) : part);
		odd ^= len & 1;
	}
	return sum;
}

static uint32_t crc32c_packet(const struct packet *packet, uint32_t ofs, uint32_t n,
	const struct csum_pieces *pieces)
{
	uint32_t crc = 0;
	const uint8_t *p;
	struct walk w;
	size_t len;

	walk_init(&w, packet, ofs, n, pieces);
	while (walk_next(&w, &p, &len))
		crc = crc32c(crc, p, len);
	return crc;
}

bool csum_fill_ipv4(struct packet *packet)
{
	struct ipv4_header *ip = (void *)(packet->data + packet->l3_ofs);
	size_t hlen;

	if ((uint32_t)packet->l3_ofs + IPV4_HEADER_LEN > packet->seg_len)
		return false;
	hlen = (ip->ver_ihl & 15) * 4;
	if (hlen < IPV4_HEADER_LEN || packet->l3_ofs + hlen > packet->seg_len)
		return false;
	ip->csum = 0;
	ip->csum = csum(ip, hlen);
	return true;
}

/* What a transport checksum is computed over. */
struct l4 {
	uint8_t proto;
	bool v4;
	uint32_t len;		/* Header and payload. */
	uint64_t pseudo;
};

/* Reads the network header. False if there is no transport checksum behind it. */
static bool l4_find(const struct packet *packet, struct l4 *l4)
{
	const uint8_t *l3 = packet->data + packet->l3_ofs;
	uint32_t hlen = (uint32_t)packet->l4_ofs - packet->l3_ofs, total;

	if ((l3[0] >> 4) == 4 && hlen >= IPV4_HEADER_LEN) {
		const struct ipv4_header *ip = (const void *)l3;

		total = be16toh(ip->tot_len);
		if (total < hlen || (ip->frag_off & htobe16(IPV4_MF | IPV4_FRAG_OFS_MASK)))
			return false;
		l4->v4 = true;
		l4->proto = ip->proto;
		l4->len = total - hlen;
		l4->pseudo = csum_pseudo_v4(load32(ip->src), load32(ip->dst), l4->proto, l4->len);
	} else if ((l3[0] >> 4) == 6 && hlen >= IPV6_HEADER_LEN) {
		const struct ipv6_header *ip = (const void *)l3;
		struct ipv6_addr src, dst;
		uint8_t proto = ip->nexthdr;
		uint32_t ofs = IPV6_HEADER_LEN;

		/* Only headers that were passed over on the way to l4_ofs. */
		while (ofs + 8 <= hlen) {
			const uint8_t *h = l3 + ofs;

			if (proto == IP_P_FRAGMENT)
				return false;
			ofs += proto == IP_P_AH ? (h[1] + 2u) * 4 : (h[1] + 1u) * 8;
			proto = h[0];
		}
		total = be16toh(ip->plen) + (uint32_t)IPV6_HEADER_LEN;
		if (total < hlen)
			return false;
		memcpy(&src, ip->src, 16);
		memcpy(&dst, ip->dst, 16);
		l4->v4 = false;
		l4->proto = proto;
		l4->len = total - hlen;
		l4->pseudo = csum_pseudo_v6(&src, &dst, proto, l4->len);
	} else {
		return false;
	}
	return packet->l4_ofs + l4->len <= packet->len;
}

/* Where protocol PROTO keeps its checksum, and the least length of its header; 0: nowhere. */
static uint32_t l4_csum_offset(uint8_t proto, uint32_t *min)
{
	switch (proto) {
	case IP_P_TCP:
		*min = TCP_HEADER_LEN;
		return offsetof(struct tcp_header, csum);
	case IP_P_UDP:
		*min = UDP_HEADER_LEN;
		return offsetof(struct udp_header, csum);
	case IP_P_SCTP:
		*min = SCTP_HEADER_LEN;
		return offsetof(struct sctp_header, csum);
	case IP_P_ICMP:
	case IP_P_IGMP:
	case IP_P_ICMPV6:
		*min = ICMPV6_HEADER_LEN;
		return offsetof(struct icmp_header, csum);
	default:
		return 0;
	}
}

bool csum_fill_l4(struct packet *packet, bool force_udp, const struct csum_pieces *pieces)
{
	uint32_t ofs, min;
	struct l4 l4;
	uint8_t *field;
	be16 c;

	if (packet->l3_ofs == PACKET_NO_OFS || packet->l4_ofs == PACKET_NO_OFS ||
		packet->l4_ofs > packet->seg_len || packet->l4_ofs < packet->l3_ofs)
		return false;
	if (!l4_find(packet, &l4))
		return false;
	ofs = l4_csum_offset(l4.proto, &min);
	if (!ofs || l4.len < min || packet->l4_ofs + min > packet->seg_len)
		return false;
	field = packet->data + packet->l4_ofs + ofs;

	c = load16(field);
	if (l4.proto == IP_P_UDP && l4.v4 && !c && !force_udp)
		return true;
	packet->offload &= (uint8_t)~PACKET_CSUM_PARTIAL;
	if (l4.proto == IP_P_SCTP) {
		memset(field, 0, 4);
		crc32c_store(field, crc32c_packet(packet, packet->l4_ofs, l4.len, pieces));
		return true;
	}
	memset(field, 0, 2);
	if (l4.proto == IP_P_ICMP || l4.proto == IP_P_IGMP)
		l4.pseudo = 0;
	l4.pseudo = csum_packet(l4.pseudo, packet, packet->l4_ofs, l4.len, pieces);
	c = l4.proto == IP_P_UDP ? csum_finish_udp(l4.pseudo) : csum_finish(l4.pseudo);
	memcpy(field, &c, sizeof c);
	return true;
}

bool csum_finish_partial(struct packet *packet, const struct csum_pieces *pieces)
{
	uint32_t start = packet->csum_start, at = start + packet->csum_offset;
	bool sctp = packet->csum_offset == offsetof(struct sctp_header, csum);
	uint64_t sum;
	be16 c;

	if (at + (sctp ? 4u : 2u) > packet->seg_len)
		return false;
	packet->offload &= (uint8_t)~PACKET_CSUM_PARTIAL;
	if (sctp) {
		memset(packet->data + at, 0, 4);
		crc32c_store(packet->data + at,
			crc32c_packet(packet, start, packet->len - start, pieces));
		return true;
	}
	/* The field's own contents, the pseudo-header's sum, are part of what is summed. */
	sum = csum_packet(0, packet, start, packet->len - start, pieces);
	c = packet->csum_offset == offsetof(struct udp_header, csum) ? csum_finish_udp(sum) :
		csum_finish(sum);
	memcpy(packet->data + at, &c, sizeof c);
	return true;
}
