/* SPDX-License-Identifier: Apache-2.0 */
/*
 * First stage of a burst, second half: keys under the port's mask, their hashes, and the lines asked for that they
 * lead to.
 *
 * Where the processor has AES instructions, one loop does all of that for small keys, parsing included, in
 * registers: in two loops the wide loads of the second would wait for the narrow stores of the first.
 */
#include <string.h>

#include "datapath/pmd/pmd.h"
#include "lib/flow_key_aes.h"
#include "lib/flow_key_parse.h"
#include "lib/flow_key_wide.h"

/* Asks for the line where key I, of CLASS, is to be looked for first. */
__attribute__((always_inline)) static inline void ask_for(struct pmd *pmd, struct pmd_burst *burst, unsigned int i,
	enum flow_key_class class)
{
	struct exact *exact = &pmd->exact[class];

	if (likely(class == FLOW_KEY_K64)) {
		burst->entries[i] = exact_first(exact, burst->hashes[i], 8);
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

/* Constants of a loop over the keys of a burst; what is stored meanwhile might be any of them, for all that the
 * compiler knows. */
struct key_loop {
	struct flow_key_origin origin;
	__m128i port;			/* The first pair of words of a packet without bytes. */
	__m128i bits[4], tags;		/* The mask, and its epoch in the outer id's place. */
	__m128i basis;			/* Of hashes. */
	const uint64_t *entries;	/* Of small keys. */
	const struct exact *by_bucket;	/* Buckets are asked first: of this one; or NULL. */
	uint32_t places;		/* exact_place_mask(). */
};

FLOW_KEY_AES static inline struct key_loop key_loop_begin(const struct pmd *pmd, const struct pmd_burst *burst,
	const struct key_mask *mask)
{
	const __m128i *bits = (const __m128i *)(const void *)mask->bits[FLOW_KEY_K64].w;
	const struct exact *exact = &pmd->exact[FLOW_KEY_K64];

	return (struct key_loop){
		.origin = pmd_origin(burst),
		.port = _mm_cvtsi64_si128((int64_t)burst->in_port->dp_port),
		.bits = {bits[0], bits[1], bits[2], bits[3]},
		.tags = _mm_set_epi32((int)(uint32_t)mask->epoch, 0, 0, 0),
		.basis = flow_key_basis(mask->epoch),
		.entries = exact->entries,
		.by_bucket = exact->by_bucket ? exact : NULL,
		.places = exact_place_mask(exact),
	};
}

/* The first three pairs of words of a key; in registers. */
struct key_pairs {
	__m128i k[3];
};

__attribute__((always_inline)) FLOW_KEY_AES static inline void pairs_set(struct key_pairs *pairs, const uint64_t w[5])
{
	pairs->k[0] = _mm_set_epi64x((int64_t)w[1], (int64_t)w[0]);
	pairs->k[1] = _mm_set_epi64x((int64_t)w[3], (int64_t)w[2]);
	pairs->k[2] = _mm_cvtsi64_si128((int64_t)w[4]);
}

/* Those of frame M by the second shortest way; a call, so that the loop has all registers for the shortest. */
__attribute__((noinline)) FLOW_KEY_AES static bool pairs_ipv4(const struct key_loop *loop, const struct rte_mbuf *m,
	struct key_pairs *pairs)
{
	uint64_t w[5];

	if (!flow_key_parse_ipv4(rte_pktmbuf_mtod(m, const uint8_t *), m->pkt_len, m->data_len, &loop->origin, w))
		return false;
	pairs_set(pairs, w);
	return true;
}

/* Those of frame M at DATA, by the short ways; false: they are not to be had. */
__attribute__((always_inline)) FLOW_KEY_AES static inline bool short_key(const struct key_loop *loop,
	const struct rte_mbuf *m, const uint8_t *data, bool ethernet, struct key_pairs *pairs)
{
	struct key_pairs others;

	if (ethernet) {
		uint64_t w[5] = {0};

		if (unlikely(!flow_key_parse_ethernet(data, m->data_len, &loop->origin, w)))
			return false;
		pairs_set(pairs, w);
		return true;
	}
	if (likely(flow_key_parse_wide(data, m->pkt_len, m->data_len, loop->port, pairs->k)))
		return true;
	if (!pairs_ipv4(loop, m, &others))
		return false;
	*pairs = others;
	return true;
}

/* Where a small key of HASH is to be looked for first: what is asked for, and of the entry remembered. */
__attribute__((always_inline)) static inline void ask_small(const struct key_loop *loop, struct pmd_burst *burst,
	unsigned int i, uint64_t hash)
{
	if (unlikely(loop->by_bucket)) {
		__builtin_prefetch(exact_bucket(loop->by_bucket, hash));
		return;
	}
	burst->entries[i] = loop->entries + (size_t)((uint32_t)hash & loop->places) * 8;
	__builtin_prefetch(burst->entries[i]);
}

/* Constants: ETHERNET, POPPED. All of BURST is bare. */
__attribute__((always_inline)) FLOW_KEY_AES static inline uint64_t keys_in_one(struct pmd *pmd,
	struct pmd_burst *burst, const struct key_mask *mask, bool ethernet, bool popped)
{
	const struct key_loop loop = key_loop_begin(pmd, burst, mask);
	const unsigned int n = burst->n;
	uint64_t bad = 0;

	for (unsigned int i = 0; i < n; i++) {
		__m128i *key = (__m128i *)(void *)burst->keys[i].w;
		const struct rte_mbuf *m = burst->mbufs[i];
		const uint8_t *data = rte_pktmbuf_mtod(m, const uint8_t *);
		struct key_pairs pairs;
		__m128i k2, k3 = _mm_setzero_si128();
		uint64_t hash;

		if (unlikely(!short_key(&loop, m, data, ethernet, &pairs))) {
			bad |= (uint64_t)other_key(pmd, burst, mask, i, loop.origin) << i;
			continue;
		}
		k2 = pairs.k[2];
		if (popped) {
			struct flow_key_origin outer;

			pmd_origin_popped(data, &outer);
			k2 = _mm_or_si128(k2, _mm_set_epi64x((int64_t)outer.tunnel[1], (int64_t)outer.tunnel[0]));
			k3 = _mm_cvtsi64_si128((int64_t)outer.tunnel[2]);
		}
		_mm_store_si128(key, pairs.k[0]);
		_mm_store_si128(key + 1, pairs.k[1]);
		_mm_store_si128(key + 2, k2);
		_mm_store_si128(key + 3, k3);
		k2 = _mm_or_si128(_mm_and_si128(k2, loop.bits[2]), loop.tags);
		k3 = _mm_and_si128(k3, loop.bits[3]);
		hash = flow_key_hash_small(_mm_and_si128(pairs.k[0], loop.bits[0]),
			_mm_and_si128(pairs.k[1], loop.bits[1]), k2, k3,
			popped && !_mm_testz_si128(k3, k3), loop.basis);
		burst->hashes[i] = hash;
		ask_small(&loop, burst, i, hash);
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
	/* What has a struct packet, because a kernel's device gave it, is none to hurry for. */
	if (flow_key_has_aes() && mask->depth != XLATE_PORT && !burst->dressed)
		return keys_aes(pmd, burst, mask);
#endif
	bad = pmd_parse(burst, mask->depth);
	if (!bad && mask->depth != XLATE_PORT)
		pmd_mask_keys(pmd, burst, mask);
	return bad;
}
