/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * The keys of the commonest packets straight into registers, for processors with instructions that move bytes
 * about: TCP and UDP over IPv4 without options, tags or fragments. Whatever this refuses goes to
 * flow_key_parse_ipv4(), which gives the same words. Users as of flow_key_aes.h. Any thread, no state.
 */

#ifdef __x86_64__

#include <string.h>

#include "lib/flow_key_aes.h"
#include "lib/flow_key_parse.h"

/* Bytes of such a frame that it must have in one piece. */
#define FLOW_KEY_WIDE_LEN (ETH_HEADER_LEN + IPV4_HEADER_LEN + TCP_HEADER_LEN)

FLOW_KEY_AES static inline __m128i flow_key_bytes(const uint8_t *p)
{
	return _mm_loadu_si128((const __m128i *)(const void *)p);
}

/* The type is IPv4's, and the header one of 20 bytes of a whole packet. FROM_8: the frame's bytes from its 8th on. */
FLOW_KEY_AES static inline bool flow_key_wide_is_plain(__m128i from_8)
{
	const __m128i bits = _mm_setr_epi8(0, 0, 0, 0, -1, -1, -1, 0, 0, 0, 0, 0, 0x3f, -1, 0, 0);
	const __m128i plain = _mm_setr_epi8(0, 0, 0, 0, 8, 0, 0x45, 0, 0, 0, 0, 0, 0, 0, 0, 0);

	return _mm_movemask_epi8(_mm_cmpeq_epi8(_mm_and_si128(from_8, bits), plain)) == 0xffff;
}

/* What a transport header is asked for: its length, with that of IPv4's, is FIXED more than what LEN_BITS of the byte
 * with TCP's length say, which must be LEAST; FLAG_BITS of the word there are TCP's flags. */
struct flow_key_transport {
	uint32_t fixed;			/* 0: for others to parse. */
	uint8_t len_bits, least;
	be16 flag_bits;
};

/* By protocol. */
static const struct flow_key_transport flow_key_transports[256] = {
	[IP_P_TCP] = {IPV4_HEADER_LEN, 0xf0, TCP_HEADER_LEN, __builtin_bswap16(TCP_FLAGS_MASK)},
	[IP_P_UDP] = {IPV4_HEADER_LEN + UDP_HEADER_LEN, 0, 0, 0},
};

/* The first six words of the key of the frame of LEN bytes at DATA, in pairs, the tunnel's left out; PORT: the first
 * pair as it is without the frame. False: it is another kind of frame, of which SEG_LEN bytes are contiguous. */
__attribute__((always_inline)) FLOW_KEY_AES static inline bool flow_key_parse_wide(const uint8_t *data,
	uint32_t len, uint32_t seg_len, __m128i port, __m128i pairs[3])
{
	/* Bytes -1: zero. Type, protocol; TOS and TTL; and the destination. */
	const __m128i network = _mm_setr_epi8(-1, -1, 4, 5, -1, -1, 15, -1, -1, -1, -1, -1, -1, -1, 7, 14);
	const __m128i dl_dst = _mm_setr_epi8(-1, -1, -1, -1, -1, -1, -1, -1, 0, 1, 2, 3, 4, 5, -1, -1);
	__m128i from_0, from_8, pair;
	const struct flow_key_transport *transport;
	uint32_t total, hlen;

	if (unlikely(seg_len < FLOW_KEY_WIDE_LEN))
		return false;
	from_0 = flow_key_bytes(data);
	from_8 = flow_key_bytes(data + 8);
	if (unlikely(!flow_key_wide_is_plain(from_8)))
		return false;
	/* No branch on what packets in a row differ in. */
	transport = &flow_key_transports[data[23]];
	hlen = (data[46] & (uint32_t)transport->len_bits) >> 2;
	total = be16toh(load16(data + 16));
	if (unlikely(!transport->fixed) || unlikely(hlen < transport->least) ||
		unlikely(total < hlen + transport->fixed) || unlikely(total > len - ETH_HEADER_LEN))
		return false;

	pair = _mm_or_si128(_mm_shuffle_epi8(from_0, dl_dst), _mm_shuffle_epi8(from_8, network));
	pairs[0] = _mm_or_si128(pair, port);
	/* The source, TCP's flags, both addresses. */
	pair = _mm_blend_epi16(flow_key_bytes(data + 6), flow_key_bytes(data + 18), 0xf0);
	pairs[1] = _mm_insert_epi16(pair, load16(data + 46) & transport->flag_bits, 3);
	pairs[2] = _mm_cvtsi32_si128((int)load32(data + 34));
	return true;
}

#endif
