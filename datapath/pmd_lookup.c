/* SPDX-License-Identifier: Apache-2.0 */
/* Second stage of a burst: bucket, entry, path; each step asks for the lines that the next one reads. */
#include "datapath/pmd.h"

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

/* The path behind REF if it is alive and still true. */
static inline struct path *check(struct pmd *pmd, struct exact_ref ref)
{
	struct path *path = &pmd->paths[ref.slot];

	if (unlikely(path_generation(path) != ref.generation))
		return NULL;
	if (unlikely(!path_is_valid(path, pmd->seq))) {
		path_retire(pmd->pool, ref.slot);
		return NULL;
	}
	return path;
}

struct path *pmd_look_up_one(struct pmd *pmd, const struct flow_key *masked, uint64_t hash,
	struct exact_ref *ref)
{
	if (find(pmd, masked, hash, ref))
		return check(pmd, *ref);
	ref->slot = PATH_NONE;
	return NULL;
}

/* The key of I under MASK, for what knows no path. */
static inline void mask_key(struct pmd_burst *burst, const struct key_mask *mask, unsigned int i)
{
	if (likely(!(burst->large >> i & 1)))
		key_mask_and(mask, &burst->keys[i], &burst->masked[i]);
}

/* Entries that the small keys may be in: the first way's of their buckets, ... */
static inline void guess_first(struct pmd *pmd, struct pmd_burst *burst)
{
	const struct exact *exact = &pmd->exact[FLOW_KEY_K64];

	for (unsigned int i = 0; i < burst->n; i++)
		burst->entries[i] = exact_first(exact, burst->hashes[i], 8);
}

/* ... or what the signatures in their buckets say. How many are not those of before. */
static unsigned int guess_by_bucket(struct pmd *pmd, struct pmd_burst *burst)
{
	/* No key is like this one: they have the epoch of a mask. */
	static const uint64_t nothing[8] __attribute__((aligned(64)));
	const struct exact *exact = &pmd->exact[FLOW_KEY_K64];
	unsigned int n = 0;

	for (unsigned int i = 0; i < burst->n; i++) {
		const struct exact_bucket *bucket = exact_bucket(exact, burst->hashes[i]);
		unsigned int ways = exact_candidates(bucket, burst->hashes[i]), way;

		burst->entries[i] = nothing;
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

/* Compares keys with the entries that they were guessed to be in; INDEX: those that are not there, how many. */
static inline unsigned int compare_first(struct pmd *pmd, struct pmd_burst *burst,
	const struct key_mask *mask, uint8_t index[])
{
	const __m128i *bits = (const __m128i *)(const void *)mask->bits[FLOW_KEY_K64].w;
	const __m128i m0 = bits[0], m1 = bits[1], m2 = bits[2], m3 = _mm_loadl_epi64(&bits[3]);
	const __m128i tag = _mm_set_epi32((int)(uint32_t)mask->epoch, 0, 0, 0);
	struct exact *exact = &pmd->exact[FLOW_KEY_K64];
	const uint64_t large = burst->large;
	unsigned int n = 0;

	for (unsigned int i = 0; i < burst->n; i++) {
		const __m128i *key = (const __m128i *)(const void *)burst->keys[i].w;
		const __m128i *entry = (const __m128i *)(const void *)burst->entries[i];
		__m128i d0, d1, d2, d3;

		index[n] = (uint8_t)i;
		if (unlikely(large >> i & 1)) {
			n++;
			continue;
		}
		d0 = _mm_xor_si128(_mm_and_si128(key[0], m0), entry[0]);
		d1 = _mm_xor_si128(_mm_and_si128(key[1], m1), entry[1]);
		d2 = _mm_xor_si128(_mm_or_si128(_mm_and_si128(key[2], m2), tag), entry[2]);
		d3 = _mm_xor_si128(_mm_and_si128(_mm_loadl_epi64(&key[3]), m3), _mm_loadl_epi64(&entry[3]));
		d0 = _mm_or_si128(_mm_or_si128(d0, d1), _mm_or_si128(d2, d3));
		if (unlikely(_mm_movemask_epi8(_mm_cmpeq_epi8(d0, _mm_setzero_si128())) != 0xffff)) {
			n++;
			continue;
		}
		exact_touch(exact, burst->entries[i], 8);
		burst->refs[i] = exact_entry_ref(burst->entries[i], 8);
		__builtin_prefetch(&pmd->paths[burst->refs[i].slot]);
	}
	return n;
}

/* Signatures give the entries that the other keys may be in. */
static void guess_others(struct pmd *pmd, struct pmd_burst *burst, const struct key_mask *mask,
	const uint8_t index[], unsigned int n)
{
	struct exact *exact = &pmd->exact[FLOW_KEY_K64];

	for (unsigned int j = 0; j < n; j++) {
		unsigned int i = index[j];

		mask_key(burst, mask, i);
		if (likely(!(burst->large >> i & 1)))
			__builtin_prefetch(exact_bucket(exact, burst->hashes[i]));
	}
	for (unsigned int j = 0; j < n; j++) {
		unsigned int i = index[j];

		if (unlikely(burst->large >> i & 1))
			continue;
		burst->entries[i] = exact_guess(exact, burst->hashes[i], burst->masked[i].w, 7, 8);
		__builtin_prefetch(burst->entries[i]);
	}
}

static void compare_others(struct pmd *pmd, struct pmd_burst *burst, const uint8_t index[], unsigned int n)
{
	struct exact *exact = &pmd->exact[FLOW_KEY_K64];

	for (unsigned int j = 0; j < n; j++) {
		unsigned int i = index[j];
		const uint64_t *entry = burst->entries[i];
		struct exact_ref ref = {.slot = PATH_NONE};

		if (unlikely(burst->large >> i & 1)) {
			find(pmd, &burst->masked[i], burst->hashes[i], &ref);
		} else if (entry && exact_small_key_equal(entry, burst->masked[i].w)) {
			exact_touch(exact, entry, 8);
			ref = exact_entry_ref(entry, 8);
			if (unlikely(exact_first_is_free(exact, burst->hashes[i])))
				exact_settle(exact, burst->hashes[i], entry);
		}
		if (likely(ref.slot != PATH_NONE))
			__builtin_prefetch(&pmd->paths[ref.slot]);
		burst->refs[i] = ref;
	}
}

static inline void follow_refs(struct pmd *pmd, struct pmd_burst *burst, const struct key_mask *mask)
{
	for (unsigned int i = 0; i < burst->n; i++) {
		struct path *path = NULL;

		if (likely(burst->refs[i].slot != PATH_NONE)) {
			path = check(pmd, burst->refs[i]);
			if (unlikely(!path))
				mask_key(burst, mask, i);
			else if (path->kind != PATH_OUTPUT)
				__builtin_prefetch(path->ops);
		}
		burst->paths[i] = path;
	}
}

uint64_t pmd_look_elsewhere(struct pmd *pmd, struct pmd_burst *burst)
{
	uint8_t index[PORT_BURST];
	unsigned int n = 0;
	uint64_t found = 0;

	for (unsigned int i = 0; i < burst->n; i++) {
		const struct exact *exact = &pmd->exact[flow_key_class(&burst->masked[i])];

		if (burst->paths[i] || burst->refs[i].slot != PATH_NONE ||
			!exact_may_be_elsewhere(exact, burst->hashes[i]))
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
		burst->paths[i] = check(pmd, burst->refs[i]);
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
	uint8_t index[PORT_BURST + 1];
	unsigned int n, n_astray;

	if (mask->depth == XLATE_PORT) {
		key_mask_port(mask, burst->in_port->dp_port, &burst->masked[0]);
		burst->hashes[0] = flow_key_hash(&burst->masked[0], mask->epoch);
		return look_up_same(pmd, burst);
	}
	if (burst->same) {
		key_mask_and(mask, &burst->keys[0], &burst->masked[0]);
		return look_up_same(pmd, burst);
	}
	if (unlikely(exact->by_bucket)) {
		n_astray = guess_by_bucket(pmd, burst);
		n = compare_first(pmd, burst, mask, index);
	} else {
		guess_first(pmd, burst);
		n = n_astray = compare_first(pmd, burst, mask, index);
	}
	exact_count_astray(exact, burst->n, n_astray);
	if (unlikely(n)) {
		guess_others(pmd, burst, mask, index, n);
		compare_others(pmd, burst, index, n);
	}
	follow_refs(pmd, burst, mask);
	return false;
}
