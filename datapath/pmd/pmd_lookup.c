/* SPDX-License-Identifier: Apache-2.0 */
/* Second stage of a burst: bucket, entry, path; each step asks for the lines that the next one reads. */
#include "datapath/pmd/pmd.h"
#include "lib/flow_key_aes.h"

static inline bool find_first(struct exact *exact, const struct flow_key *key, uint64_t hash,
	struct exact_ref *ref)
{
	enum flow_key_class class = flow_key_class(key);

	if (likely(class == FLOW_KEY_K64))
		return exact_lookup(exact, hash, key->w, 7, 8, ref);
	if (class == FLOW_KEY_K128)
		return exact_lookup(exact, hash, key->w, 15, 16, ref);
	return exact_lookup(exact, hash, key->w, flow_key_n_words(key) - 1, FLOW_KEY_MAX_WORDS, ref);
}

static bool find_elsewhere(struct exact *exact, const struct flow_key *key, uint64_t hash,
	struct exact_ref *ref)
{
	const uint64_t *entry = exact_find_elsewhere(exact, hash, key->w, flow_key_n_words(key) - 1);

	if (entry)
		*ref = exact_entry_ref(entry, exact->stride);
	return entry != NULL;
}

static inline bool find(struct pmd *pmd, const struct flow_key *key, uint64_t hash,
	struct exact_ref *ref)
{
	struct exact *exact = &pmd->exact[flow_key_class(key)];

	return likely(find_first(exact, key, hash, ref)) ||
		(exact_may_be_elsewhere(exact, hash) && find_elsewhere(exact, key, hash, ref));
}

struct path *pmd_look_up_one(struct pmd *pmd, const struct flow_key *masked, uint64_t hash,
	struct exact_ref *ref)
{
	if (find(pmd, masked, hash, ref))
		return pmd_check(pmd, *ref);
	ref->slot = PATH_NONE;
	return NULL;
}

/* The key of I under MASK, for what the first guess does not find. */
static inline void mask_key(struct pmd_burst *burst, const struct key_mask *mask, unsigned int i)
{
	if (likely(!(burst->large >> i & 1)))
		key_mask_and(mask, &burst->keys[i], &burst->masked[i]);
}

/* Where keys lead that are nowhere: no key is like this one, as all have the epoch of a mask. */
static const uint64_t no_entry[8] __attribute__((aligned(64)));

/* Entries that the small keys may be in, as signatures in their buckets say, in place of those in their first
 * ways. How many are not those. */
static unsigned int guess_by_bucket(struct pmd *pmd, struct pmd_burst *burst)
{
	const struct exact *exact = &pmd->exact[FLOW_KEY_K64];
	unsigned int n = 0;

	for (unsigned int i = 0; i < burst->n; i++) {
		const struct exact_bucket *bucket = exact_bucket(exact, burst->hashes[i]);
		unsigned int ways = exact_candidates(bucket, burst->hashes[i]), way;

		burst->entries[i] = no_entry;
		if (unlikely(!ways)) {
			n++;
			continue;
		}
		way = (unsigned int)__builtin_ctz(ways);
		n += way != exact_first_way(burst->hashes[i]);
		burst->entries[i] = exact_entry(exact, bucket, way, 8);
		__builtin_prefetch(burst->entries[i]);
	}
	return n;
}

/* ENTRY, asked for a while ago, leads packet I somewhere. */
static inline void take(struct pmd *pmd, struct pmd_burst *burst, struct path *paths, unsigned int i,
	const uint64_t *entry)
{
	struct path *path = &paths[exact_entry_ref(entry, 8).slot];

	exact_touch(&pmd->exact[FLOW_KEY_K64], entry, 8);
	burst->refs[i] = exact_entry_ref(entry, 8);
	burst->paths[i] = path;
	__builtin_prefetch(path);
}

/* The keys that are where they were guessed to be; the others are left, a bit each. */
static uint64_t compare_first(struct pmd *pmd, struct pmd_burst *burst, const struct key_mask *mask)
{
	const __m128i *bits = (const __m128i *)(const void *)mask->bits[FLOW_KEY_K64].w;
	const __m128i m0 = bits[0], m1 = bits[1], m2 = bits[2], m3 = _mm_loadl_epi64(&bits[3]);
	const __m128i tag = _mm_set_epi32((int)(uint32_t)mask->epoch, 0, 0, 0);
	struct path *paths = pmd->paths;
	const unsigned int n = burst->n;
	uint64_t left = 0;

	for (unsigned int i = 0; i < n; i++) {
		const __m128i *key = (const __m128i *)(const void *)burst->keys[i].w;
		const __m128i *entry = (const __m128i *)(const void *)burst->entries[i];
		__m128i d0, d1, d2, d3;

		d0 = _mm_xor_si128(_mm_and_si128(key[0], m0), entry[0]);
		d1 = _mm_xor_si128(_mm_and_si128(key[1], m1), entry[1]);
		d2 = _mm_xor_si128(_mm_or_si128(_mm_and_si128(key[2], m2), tag), entry[2]);
		d3 = _mm_xor_si128(_mm_and_si128(_mm_loadl_epi64(&key[3]), m3), _mm_loadl_epi64(&entry[3]));
		d0 = _mm_or_si128(_mm_or_si128(d0, d1), _mm_or_si128(d2, d3));
		if (unlikely(_mm_movemask_epi8(_mm_cmpeq_epi8(d0, _mm_setzero_si128())) != 0xffff))
			left |= UINT64_C(1) << i;
		else
			take(pmd, burst, paths, i, burst->entries[i]);
	}
	return left;
}

#ifdef __x86_64__

/* The same in half as many instructions. The cache word, the last, does not take part. */
FLOW_KEY_AES static uint64_t compare_first_wide(struct pmd *pmd, struct pmd_burst *burst,
	const struct key_mask *mask)
{
	const __m256i *bits = (const __m256i *)(const void *)mask->bits[FLOW_KEY_K64].w;
	const __m256i part = _mm256_set_epi64x(0, -1, -1, -1);
	const __m256i m0 = bits[0], m1 = _mm256_and_si256(bits[1], part);
	const __m256i tag = _mm256_set_epi32(0, 0, 0, 0, (int)(uint32_t)mask->epoch, 0, 0, 0);
	struct path *paths = pmd->paths;
	const unsigned int n = burst->n;
	uint64_t left = 0;

	for (unsigned int i = 0; i < n; i++) {
		const __m256i *key = (const __m256i *)(const void *)burst->keys[i].w;
		const __m256i *entry = (const __m256i *)(const void *)burst->entries[i];
		__m256i d0, d1;

		d0 = _mm256_xor_si256(_mm256_and_si256(key[0], m0), entry[0]);
		d1 = _mm256_or_si256(_mm256_and_si256(key[1], m1), tag);
		d0 = _mm256_or_si256(d0, _mm256_xor_si256(d1, _mm256_and_si256(entry[1], part)));
		if (unlikely(!_mm256_testz_si256(d0, d0)))
			left |= UINT64_C(1) << i;
		else
			take(pmd, burst, paths, i, burst->entries[i]);
	}
	return left;
}

#endif

/* Packets left are not where they were guessed to be: large ones, and small ones whose buckets will be looked at. */
static inline void leave(struct pmd *pmd, struct pmd_burst *burst)
{
	for (uint64_t left = burst->left; unlikely(left); left &= left - 1) {
		unsigned int i = (unsigned int)__builtin_ctzll(left);

		burst->refs[i].slot = PATH_NONE;
		burst->paths[i] = NULL;
		if (likely(!(burst->large >> i & 1)))
			/* If it is a new one, what it is asked then lies further away than all else. */
			exact_prefetch_insert(&pmd->exact[FLOW_KEY_K64], burst->hashes[i]);
	}
}

/* Signatures give the entries that the keys of those left may be in. */
static void guess_left(struct pmd *pmd, struct pmd_burst *burst, const struct key_mask *mask)
{
	struct exact *exact = &pmd->exact[FLOW_KEY_K64];

	for (uint64_t left = burst->left; left; left &= left - 1) {
		unsigned int i = (unsigned int)__builtin_ctzll(left);

		mask_key(burst, mask, i);
		if (unlikely(burst->large >> i & 1))
			continue;
		burst->entries[i] = exact_guess(exact, burst->hashes[i], burst->masked[i].w, 7, 8);
		if (burst->entries[i])
			__builtin_prefetch(burst->entries[i]);
	}
}

/* Where packet I, of those left, leads. */
static struct exact_ref find_left(struct pmd *pmd, struct pmd_burst *burst, unsigned int i)
{
	struct exact *exact = &pmd->exact[FLOW_KEY_K64];
	struct exact_ref ref = {.slot = PATH_NONE};
	const uint64_t *entry = burst->entries[i];

	if (unlikely(burst->large >> i & 1)) {
		find(pmd, &burst->masked[i], burst->hashes[i], &ref);
	} else if (entry && exact_small_key_equal(entry, burst->masked[i].w)) {
		exact_touch(exact, entry, 8);
		ref = exact_entry_ref(entry, 8);
		exact_settle(exact, burst->hashes[i], entry);
	}
	return ref;
}

uint64_t pmd_look_closer(struct pmd *pmd, struct pmd_burst *burst, const struct key_mask *mask)
{
	uint64_t found = 0;

	guess_left(pmd, burst, mask);
	for (uint64_t left = burst->left; left; left &= left - 1) {
		unsigned int i = (unsigned int)__builtin_ctzll(left);

		burst->refs[i] = find_left(pmd, burst, i);
		if (likely(burst->refs[i].slot != PATH_NONE))
			__builtin_prefetch(&pmd->paths[burst->refs[i].slot]);
	}
	for (uint64_t left = burst->left; left; left &= left - 1) {
		unsigned int i = (unsigned int)__builtin_ctzll(left);

		if (unlikely(burst->refs[i].slot == PATH_NONE))
			continue;
		burst->paths[i] = pmd_check(pmd, burst->refs[i]);
		found |= (uint64_t)(burst->paths[i] != NULL) << i;
	}
	return found;
}

uint64_t pmd_look_elsewhere(struct pmd *pmd, struct pmd_burst *burst, uint64_t missing)
{
	uint8_t index[PORT_BURST];
	unsigned int n = 0;
	uint64_t found = 0;

	for (; missing; missing &= missing - 1) {
		unsigned int i = (unsigned int)__builtin_ctzll(missing);
		const struct exact *exact = &pmd->exact[flow_key_class(&burst->masked[i])];

		if (burst->refs[i].slot != PATH_NONE || !exact_may_be_elsewhere(exact, burst->hashes[i]))
			continue;
		exact_prefetch_elsewhere(exact, burst->hashes[i]);
		index[n++] = (uint8_t)i;
	}
	for (unsigned int j = 0; j < n; j++) {
		unsigned int i = index[j];
		const struct flow_key *key = &burst->masked[i];

		if (!find_elsewhere(&pmd->exact[flow_key_class(key)], key, burst->hashes[i],
			    &burst->refs[i]))
			continue;
		burst->paths[i] = pmd_check(pmd, burst->refs[i]);
		found |= (uint64_t)(burst->paths[i] != NULL) << i;
	}
	return found;
}

/* All of BURST have the key of the first packet; what is known of that goes for all. */
static bool look_up_same(struct pmd *pmd, struct pmd_burst *burst)
{
	burst->paths[0] = pmd_look_up_one(pmd, &burst->masked[0], burst->hashes[0], &burst->refs[0]);
	for (unsigned int i = 1; !burst->paths[0] && i < burst->n; i++) {
		burst->paths[i] = NULL;
		burst->refs[i] = burst->refs[0];
		burst->masked[i] = burst->masked[0];
		burst->hashes[i] = burst->hashes[0];
	}
	return true;
}

bool pmd_look_up(struct pmd *pmd, struct pmd_burst *burst, const struct key_mask *mask)
{
	struct exact *exact = &pmd->exact[FLOW_KEY_K64];
	unsigned int n_astray = 0;

	if (mask->depth == XLATE_PORT) {
		key_mask_port(mask, burst->in_port->dp_port, &burst->masked[0]);
		burst->hashes[0] = flow_key_hash(&burst->masked[0], mask->epoch);
		return look_up_same(pmd, burst);
	}
	if (burst->same) {
		key_mask_and(mask, &burst->keys[0], &burst->masked[0]);
		return look_up_same(pmd, burst);
	}
	if (unlikely(exact->by_bucket))
		n_astray = guess_by_bucket(pmd, burst);
	/* Large ones are not there. */
	for (uint64_t large = burst->large; unlikely(large); large &= large - 1)
		burst->entries[__builtin_ctzll(large)] = no_entry;
#ifdef __x86_64__
	if (flow_key_has_aes())
		burst->left = compare_first_wide(pmd, burst, mask);
	else
#endif
		burst->left = compare_first(pmd, burst, mask);
	if (!exact->by_bucket)
		n_astray = (unsigned int)__builtin_popcountll(burst->left);
	exact_count_astray(exact, burst->n, n_astray);
	leave(pmd, burst);
	return false;
}
