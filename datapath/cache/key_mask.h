/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * What of a packet's key the exact cache is asked by, per input port and key class: the bits that
 * translations of packets from that port have looked at so far. A pipeline that reads only Ethernet
 * addresses then has one entry per pair of them, however many connections they carry.
 *
 * It grows as translations need more (whole bytes at a time, so that it does not grow often) and every
 * growth begins an epoch, which is hashed in: entries of before are found no more. Nothing depends on
 * anybody foreseeing it: a translation that looked at more than the mask is never inserted under the
 * mask of before, and what makes a translation look at more than it did (a new rule, say) has bumped a
 * dependency of the paths that are affected.
 *
 * It shrinks by starting anew, which its owner does seldom.
 *
 * Threads: its PMD only.
 */

#include <emmintrin.h>

#include "lib/flow_key.h"
#include "lib/util.h"

struct key_mask {
	uint64_t epoch;		/* 0: not in use yet. */
	struct flow_key bits[FLOW_KEY_N_CLASSES];
};

/* Forgets everything. */
void key_mask_reset(struct key_mask *mask);
/* The bits of a key of CLASS that WC covers, rounded to whole bytes. */
void key_mask_bits(const struct flow *wc, enum flow_key_class class, struct flow_key *bits);
/* A key of CLASS is to be inserted whose fate depends on its BITS: grows if it must. True if MASK then is
 * BITS and nothing more. */
bool key_mask_need(struct key_mask *mask, enum flow_key_class class, const struct flow_key *bits);

/* MASKED = KEY under MASK. */
static inline void key_mask_apply(const struct key_mask *mask, const struct flow_key *key,
	struct flow_key *masked)
{
	flow_key_and(masked, key, &mask->bits[flow_key_class(key)]);
}

/* Of N keys (N > 0). True if all are of the small class and equal under MASK, as in a train of packets
 * of one connection, or where the pipeline looks at little. */
static inline bool key_mask_apply_burst(const struct key_mask *mask, const struct flow_key keys[],
	unsigned int n, struct flow_key masked[])
{
	const __m128i *bits = (const __m128i *)mask->bits[FLOW_KEY_K64].w;
	const __m128i b0 = bits[0], b1 = bits[1], b2 = bits[2], b3 = bits[3];
	const __m128i *first = (const __m128i *)keys[0].w;
	const __m128i f0 = _mm_and_si128(first[0], b0), f1 = _mm_and_si128(first[1], b1);
	const __m128i f2 = _mm_and_si128(first[2], b2), f3 = _mm_and_si128(first[3], b3);
	__m128i diff = _mm_setzero_si128();
	uint64_t classes = 0;

	for (unsigned int i = 0; i < n; i++) {
		const __m128i *key = (const __m128i *)keys[i].w;
		__m128i *m = (__m128i *)masked[i].w;
		__m128i k0 = _mm_and_si128(key[0], b0), k1 = _mm_and_si128(key[1], b1);
		__m128i k2 = _mm_and_si128(key[2], b2), k3 = _mm_and_si128(key[3], b3);

		classes |= keys[i].w[0];
		if (unlikely(flow_key_class(&keys[i]) != FLOW_KEY_K64)) {
			key_mask_apply(mask, &keys[i], &masked[i]);
			continue;
		}
		/* Wide stores, as the hash will read it. A mask's cache word is 0. */
		m[0] = k0;
		m[1] = k1;
		m[2] = k2;
		m[3] = k3;
		diff = _mm_or_si128(diff, _mm_or_si128(
			_mm_or_si128(_mm_xor_si128(k0, f0), _mm_xor_si128(k1, f1)),
			_mm_or_si128(_mm_xor_si128(k2, f2), _mm_xor_si128(k3, f3))));
	}
	return !(classes >> FLOW_KEY_CLASS_SHIFT) &&
		_mm_movemask_epi8(_mm_cmpeq_epi8(diff, _mm_setzero_si128())) == 0xffff;
}
