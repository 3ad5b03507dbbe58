/* SPDX-License-Identifier: Apache-2.0 */
/*
 * First stage of a burst, second half: keys under the port's mask, their hashes, and the lines asked for that they
 * lead to.
 *
 * Where the processor has AES instructions, one loop does all of that for small keys, parsing included, in
 * registers: in two loops the wide loads of the second would wait for the narrow stores of the first.
 */
#include <string.h>

#include "datapath/pmd.h"
#include "lib/flow_key_aes.h"
#include "lib/flow_key_parse.h"

/* Asks for the line where key I, of CLASS, is to be looked for first. */
__attribute__((always_inline)) static inline void ask_for(struct pmd *pmd, struct pmd_burst *burst, unsigned int i,
	enum flow_key_class class)
{
	struct exact *exact = &pmd->exact[class];

	if (likely(class == FLOW_KEY_K64)) {
		exact_prefetch(exact, burst->hashes[i], 8);
		return;
	}
	burst->large |= UINT64_C(1) << i;
	__builtin_prefetch(exact_bucket(exact, burst->hashes[i]));
}

static inline void mask_one(struct pmd *pmd, struct pmd_burst *burst, const struct key_mask *mask,
	unsigned int i)
{
	struct flow_key *masked = &burst->masked[i];

	key_mask_and(mask, &burst->keys[i], masked);
	burst->hashes[i] = flow_key_hash(masked, mask->epoch);
	ask_for(pmd, burst, i, flow_key_class(masked));
}

/* True if all keys are small and equal under MASK. HASHES: those that differ say that they are not. */
static bool all_same(const struct pmd_burst *burst, const struct key_mask *mask)
{
	const uint64_t *m = mask->bits[FLOW_KEY_K64].w, *first = burst->keys[0].w;
	uint64_t diff = 0;

	if (burst->large)
		return false;
	for (unsigned int i = 1; i < burst->n; i++)
		if (burst->hashes[i] != burst->hashes[0])
			return false;
	for (unsigned int i = 1; i < burst->n; i++)
		for (unsigned int j = 0; j < 7; j++)
			diff |= (burst->keys[i].w[j] ^ first[j]) & m[j];
	return !diff;
}

void pmd_mask_keys(struct pmd *pmd, struct pmd_burst *burst, const struct key_mask *mask)
{
	burst->large = 0;
	for (unsigned int i = 0; i < burst->n; i++)
		mask_one(pmd, burst, mask, i);
	burst->same = all_same(burst, mask);
}

#ifdef __x86_64__

/* Packet I as the loop below can't do it. True: it is not even a frame. */
__attribute__((noinline)) static bool other_key(struct pmd *pmd, struct pmd_burst *burst,
	const struct key_mask *mask, unsigned int i, struct flow_key_origin origin)
{
	bool bad = !pmd_parse_one(burst, i, mask->depth, &origin);

	mask_one(pmd, burst, mask, i);
	return bad;
}

/* The first words of packet I, by the short way; false: that is not to be had. */
__attribute__((always_inline)) static inline bool short_key(const struct pmd_burst *burst, unsigned int i,
	const struct flow_key_origin *origin, bool ethernet, uint64_t w[5])
{
	const struct rte_mbuf *m = burst->mbufs[i];
	const uint8_t *data = rte_pktmbuf_mtod(m, const uint8_t *);

	if (burst->dressed >> i & 1)
		return false;
	if (ethernet) {
		w[3] = w[4] = 0;
		return flow_key_parse_ethernet(data, m->data_len, origin, w);
	}
	return flow_key_parse_ipv4(data, m->pkt_len, m->data_len, origin, w);
}

/* Constants: ETHERNET, POPPED. */
__attribute__((always_inline)) FLOW_KEY_AES static inline uint64_t keys_in_one(struct pmd *pmd,
	struct pmd_burst *burst, const struct key_mask *mask, bool ethernet, bool popped)
{
	const __m128i *bits = (const __m128i *)(const void *)mask->bits[FLOW_KEY_K64].w;
	const __m128i m0 = bits[0], m1 = bits[1], m2 = bits[2], m3 = bits[3];
	const uint64_t epoch = mask->epoch, tag = (uint64_t)(uint32_t)epoch << 32;
	const __m128i tags = _mm_set_epi64x((int64_t)tag, 0);
	const struct flow_key_origin origin = pmd_origin(burst);
	uint64_t bad = 0;

	for (unsigned int i = 0; i < burst->n; i++) {
		__m128i *key = (__m128i *)(void *)burst->keys[i].w;
		__m128i k0, k1, k2, k3 = _mm_setzero_si128(), rest;
		uint64_t w[5];

		if (unlikely(!short_key(burst, i, &origin, ethernet, w))) {
			bad |= (uint64_t)other_key(pmd, burst, mask, i, origin) << i;
			continue;
		}
		k0 = _mm_set_epi64x((int64_t)w[1], (int64_t)w[0]);
		k1 = _mm_set_epi64x((int64_t)w[3], (int64_t)w[2]);
		k2 = _mm_cvtsi64_si128((int64_t)w[4]);
		if (popped) {
			struct flow_key_origin outer;

			pmd_origin_popped(rte_pktmbuf_mtod(burst->mbufs[i], const uint8_t *), &outer);
			k2 = _mm_set_epi64x((int64_t)outer.tunnel[1], (int64_t)(w[4] | outer.tunnel[0]));
			k3 = _mm_cvtsi64_si128((int64_t)outer.tunnel[2]);
		}
		_mm_store_si128(key, k0);
		_mm_store_si128(key + 1, k1);
		_mm_store_si128(key + 2, k2);
		_mm_store_si128(key + 3, k3);
		k2 = _mm_and_si128(k2, m2);
		k3 = _mm_and_si128(k3, m3);
		rest = popped ? _mm_or_si128(k2, k3) : k2;
		burst->hashes[i] = flow_key_hash_small(_mm_and_si128(k0, m0), _mm_and_si128(k1, m1),
			_mm_or_si128(k2, tags), k3, !ethernet && !_mm_testz_si128(rest, rest), tag, epoch);
		ask_for(pmd, burst, i, FLOW_KEY_K64);
	}
	return bad;
}

FLOW_KEY_AES static uint64_t keys_aes(struct pmd *pmd, struct pmd_burst *burst, const struct key_mask *mask)
{
	uint64_t bad;

	burst->large = 0;
	burst->parsed = mask->depth == XLATE_ALL ? UINT64_MAX : 0;
	if (mask->depth != XLATE_ALL)
		bad = keys_in_one(pmd, burst, mask, true, false);
	else if (burst->popped)
		bad = keys_in_one(pmd, burst, mask, false, true);
	else
		bad = keys_in_one(pmd, burst, mask, false, false);
	burst->same = all_same(burst, mask);
	return bad;
}

#endif

uint64_t pmd_keys(struct pmd *pmd, struct pmd_burst *burst, const struct key_mask *mask)
{
	uint64_t bad;

#ifdef __x86_64__
	if (flow_key_has_aes() && mask->depth != XLATE_PORT)
		return keys_aes(pmd, burst, mask);
#endif
	bad = pmd_parse(burst, mask->depth);
	if (!bad && mask->depth != XLATE_PORT)
		pmd_mask_keys(pmd, burst, mask);
	return bad;
}
