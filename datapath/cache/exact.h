/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * Exact-match cache: key -> path, lossy, of one PMD and one class of keys (lib/flow_key.h). Buckets of
 * eight ways; a bucket holds signatures and ages, the entries lie apart (way W of bucket B is entry
 * 8 B + W). An entry is a key and, in its last word, a reference to a path, nothing else: losing one
 * costs a retranslation and no count.
 *
 * A key has a place in one bucket. Where that is full a key that was seen before (admission.h) may have one
 * in a second bucket, whose number follows from the first and the signature; the first one then has a mark
 * (`strays`), and only whoever misses and finds that mark looks there. So the table may be filled to
 * three quarters and more, and lookups that hit know nothing of it.
 *
 * It begins small and grows while keys in use drive each other out, up to the size it was made for:
 * the PMD wants more (exact_tick(), exact_check()), control has the memory made present (exact_wants(),
 * exact_populate()) and says so (exact_allow()), the PMD goes on with it. Keys then have other buckets; those in
 * use are moved there when they miss, for the next EXACT_MOVING_TICKS.
 *
 * A free way is taken at once. Full buckets give up their oldest entry, or one whose path is gone if none is
 * old, and that only for a key that was seen before, so that keys that never come again do not wash out those
 * that do.
 *
 * Threads: its PMD only.
 */

#include <emmintrin.h>
#include <stdatomic.h>
#include <string.h>

#include "datapath/cache/admission.h"
#include "datapath/cache/path.h"

#define EXACT_WAYS 8
#define EXACT_MOVING_TICKS 20

struct exact_bucket {
	uint16_t sigs[EXACT_WAYS];	/* 0: free. */
	uint8_t ages[EXACT_WAYS];	/* Epoch of the last hit; before the first, the one before. */
	uint64_t strays;		/* exact_stray_bit() of keys that are in their second bucket. */
} __attribute__((aligned(32)));

/* Where a key leads: slot and generation of a path. As the last word of an entry it also has the age that its bucket
 * has, so that hits that found it without the bucket leave that alone. */
struct exact_ref {
	uint32_t slot : 24, age : 8;
	uint32_t generation;
};

_Static_assert(sizeof(struct exact_ref) == 8, "the last word of an entry");

struct exact {
	struct exact_bucket *buckets;
	uint64_t *entries;		/* Of `stride` words; the last is a struct exact_ref. */
	uint32_t mask;			/* Buckets in use - 1. */
	uint32_t max_mask;		/* ... that there are. */
	uint32_t old_mask;		/* Before it grew, while entries are still moved; else mask. */
	uint32_t stride;
	uint8_t epoch;
	uint8_t n_moving;		/* Ticks until that ends. */
	uint32_t random;
	uint32_t n_full;		/* Keys that found their bucket full, this epoch. */
	uint32_t n_crowded;		/* Keys in use that others drove out or kept out, this epoch. */
	uint32_t n_strayed;		/* Keys that were found in their second bucket, this epoch ... */
	uint32_t n_looked;		/* ... of so many that bursts looked up. */
	uint32_t n_crowds, n_spreads;	/* Epochs in a row when crowds, or strays, were worth more memory. */
	uint32_t min_slots;		/* Of the doorkeeper. */
	uint32_t n_asked, n_astray;	/* Lookups of bursts lately, and those whose key was not in its first way. */
	bool by_bucket;			/* There are many of those: bursts are to ask buckets first. */
	_Atomic uint32_t n_used;	/* Ways that are not free. */
	_Atomic uint32_t wanted_mask;
	_Atomic uint32_t allowed_mask;
	struct admission admission;
};

/* Room for about N entries of STRIDE words, growing to MAX (at least N). */
void exact_init(struct exact *exact, uint32_t n, uint32_t max, uint32_t stride);
/* It is to remember some N keys that have come once, to notice that they are more than there are places. */
void exact_remember(struct exact *exact, uint32_t n);
void exact_uninit(struct exact *exact);
void exact_clear(struct exact *exact);
/* Ways that are not free; any thread. */
static inline uint32_t exact_n_used(const struct exact *exact)
{
	return atomic_load_explicit(&exact->n_used, memory_order_relaxed);
}

/* Bytes in use. */
size_t exact_memory(const struct exact *exact);
/* Makes what was not hit since the last call a second older; call about once a second. */
void exact_tick(struct exact *exact);
/* Grows into memory that is allowed by now, or asks for it at once if keys come in crowds; call some times a second.
 * True: it has asked. */
bool exact_check(struct exact *exact);

/* Control: true if memory for MASK + 1 buckets is wanted. */
bool exact_wants(const struct exact *exact, uint32_t *mask);
/* Any thread: makes it present (memory.h). */
void exact_populate(struct exact *exact, uint32_t mask);
/* Control: it may be used. */
void exact_allow(struct exact *exact, uint32_t mask);

/* Remembers that KEY (N_WORDS of it, less than the stride; hashing to HASH) leads to REF, unless it is
 * not worth it. PATHS tells which entries are dead. */
void exact_insert(struct exact *exact, struct path *paths, uint64_t hash, const uint64_t *key,
	uint32_t n_words, struct exact_ref ref);

/* A key of HASH was seen, and there was no time for it. */
void exact_keep_out(struct exact *exact, uint64_t hash);

/* Where a key is that exact_find() did not find, as exact_may_be_elsewhere() said it might, or NULL. What has to
 * move is moved. */
const uint64_t *exact_find_elsewhere(struct exact *exact, uint64_t hash, const uint64_t *key,
	uint32_t n_words);

/* ENTRY, just found, of a key of HASH in its first bucket, goes where it would like to be best if nobody is there who
 * was hit of late. */
void exact_settle(struct exact *exact, uint64_t hash, const uint64_t *entry);

/* Of the first MASK + 1 buckets, that of a key of HASH; the bits below it say which way it would like best. */
static inline uint32_t exact_number(uint64_t hash, uint32_t mask)
{
	return (uint32_t)(hash / EXACT_WAYS) & mask;
}

/* Asks for the lines that exact_insert() will look at. */
__attribute__((always_inline)) static inline void exact_prefetch_insert(const struct exact *exact, uint64_t hash)
{
	__builtin_prefetch(&exact->buckets[exact_number(hash, exact->mask)]);
	admission_prefetch(&exact->admission, hash);
}

static inline uint16_t exact_sig(uint64_t hash)
{
	uint16_t sig = (uint16_t)(hash >> 48);

	return sig ? sig : 1;
}

static inline struct exact_bucket *exact_bucket(const struct exact *exact, uint64_t hash)
{
	return &exact->buckets[exact_number(hash, exact->mask)];
}

/* The other bucket of a key of SIG with one in BUCKET; of the first MASK + 1 ones. */
static inline uint32_t exact_second(uint32_t bucket, uint16_t sig, uint32_t mask)
{
	return (bucket ^ (sig * UINT32_C(0x9e3779b1) | 1)) & mask;
}

static inline uint64_t exact_stray_bit(uint16_t sig)
{
	return UINT64_C(1) << (sig >> 10);
}

/* It has grown, and keys move to their new places as they miss. */
static inline bool exact_is_moving(const struct exact *exact)
{
	return exact->old_mask != exact->mask;
}

/* A key that exact_find() did not find may be in a second bucket, or still where it was before the table grew. */
static inline bool exact_may_be_elsewhere(const struct exact *exact, uint64_t hash)
{
	return exact_bucket(exact, hash)->strays & exact_stray_bit(exact_sig(hash)) ||
		unlikely(exact_is_moving(exact));
}

static inline void exact_prefetch_elsewhere(const struct exact *exact, uint64_t hash)
{
	uint32_t first = exact_number(hash, exact->old_mask);

	__builtin_prefetch(&exact->buckets[exact_second(first, exact_sig(hash), exact->old_mask)]);
	if (unlikely(exact_is_moving(exact)))
		__builtin_prefetch(&exact->buckets[first]);
}

static inline uint64_t *exact_entry(const struct exact *exact, const struct exact_bucket *bucket,
	unsigned int way, uint32_t stride)
{
	return exact->entries + ((size_t)(bucket - exact->buckets) * EXACT_WAYS + way) * stride;
}

/* Ways of BUCKET whose signature is that of HASH, a bit each. */
static inline unsigned int exact_candidates(const struct exact_bucket *bucket, uint64_t hash)
{
	__m128i sigs = _mm_load_si128((const __m128i *)bucket->sigs);
	__m128i equal = _mm_cmpeq_epi16(sigs, _mm_set1_epi16((short)exact_sig(hash)));

	return (unsigned int)_mm_movemask_epi8(_mm_packs_epi16(equal, _mm_setzero_si128()));
}

/* A and B, both aligned to 16 bytes, agree in seven words. */
static inline bool exact_small_key_equal(const uint64_t *a_, const uint64_t *b_)
{
	const __m128i *a = (const __m128i *)(const void *)a_, *b = (const __m128i *)(const void *)b_;
	__m128i d0 = _mm_xor_si128(a[0], b[0]), d1 = _mm_xor_si128(a[1], b[1]);
	__m128i d2 = _mm_xor_si128(a[2], b[2]);
	__m128i d3 = _mm_xor_si128(_mm_loadl_epi64(&a[3]), _mm_loadl_epi64(&b[3]));
	__m128i diff = _mm_or_si128(_mm_or_si128(d0, d1), _mm_or_si128(d2, d3));

	return _mm_movemask_epi8(_mm_cmpeq_epi8(diff, _mm_setzero_si128())) == 0xffff;
}

static inline bool exact_key_equal(const uint64_t *a, const uint64_t *b, uint32_t n_words)
{
	uint64_t diff = 0;

	if (n_words == 7)
		return exact_small_key_equal(a, b);
	for (uint32_t i = 0; i < n_words; i++)
		diff |= a[i] ^ b[i];
	return !diff;
}

static inline struct exact_ref exact_entry_ref(const uint64_t *entry, uint32_t stride)
{
	return *(const struct exact_ref *)(const void *)&entry[stride - 1];
}

/* ENTRY, of another epoch, was hit. */
void exact_make_young(struct exact *exact, const uint64_t *entry);

/* ENTRY was hit. */
static inline void exact_touch(struct exact *exact, const uint64_t *entry, uint32_t stride)
{
	if (unlikely(exact_entry_ref(entry, stride).age != exact->epoch))
		exact_make_young(exact, entry);
}

/* Bits of a hash that say which bucket, and which way there. */
static inline uint32_t exact_place_mask(const struct exact *exact)
{
	return exact->mask * EXACT_WAYS + (EXACT_WAYS - 1);
}

/* The way of its bucket that a key of HASH takes if it is free. */
static inline unsigned int exact_first_way(uint64_t hash)
{
	return (unsigned int)hash % EXACT_WAYS;
}

/* Where that is: for most keys of a table that is not full, the one line that is to be read. What is there may
 * be of another key, or of no use any more: who looks here without the bucket must hold keys that say
 * all, so that their epoch does not only make their hash. */
static inline const uint64_t *exact_first(const struct exact *exact, uint64_t hash, uint32_t stride)
{
	return exact->entries + (size_t)((uint32_t)hash & exact_place_mask(exact)) * stride;
}

/* In full tables the first way is another key's for a third of the keys; asking it in vain costs more than the
 * bucket that it spares. */
#define EXACT_ASKED 8192u
#define EXACT_ASTRAY_SHARE 8u

/* Of N_ASKED lookups N_ASTRAY were not, or would not have been, answered by their first way. */
static inline void exact_count_astray(struct exact *exact, uint32_t n_asked, uint32_t n_astray)
{
	exact->n_looked += n_asked;
	exact->n_asked += n_asked;
	exact->n_astray += n_astray;
	if (likely(exact->n_asked < EXACT_ASKED))
		return;
	exact->by_bucket = exact->n_astray > exact->n_asked / EXACT_ASTRAY_SHARE;
	exact->n_asked = exact->n_astray = 0;
}

/* Asks for the line that a burst looks at first. */
__attribute__((always_inline)) static inline void exact_prefetch(const struct exact *exact, uint64_t hash,
	uint32_t stride)
{
	if (unlikely(exact->by_bucket))
		__builtin_prefetch(exact_bucket(exact, hash));
	else
		__builtin_prefetch(exact_first(exact, hash, stride));
}

/* Where KEY is, or NULL. STRIDE is exact->stride; both are constants where speed matters. Two keys that
 * agree in their first word are of one length. */
static inline const uint64_t *exact_find(struct exact *exact, uint64_t hash, const uint64_t *key,
	uint32_t n_words, uint32_t stride)
{
	struct exact_bucket *bucket = exact_bucket(exact, hash);

	for (unsigned int ways = exact_candidates(bucket, hash); ways; ways &= ways - 1) {
		unsigned int way = (unsigned int)__builtin_ctz(ways);
		const uint64_t *entry = exact_entry(exact, bucket, way, stride);

		if (!exact_key_equal(entry, key, n_words))
			continue;
		exact_touch(exact, entry, stride);
		return entry;
	}
	return NULL;
}

/* Half of exact_find(), for bursts: where KEY may be, to be compared once its line has come. NULL: it is
 * not here. */
static inline const uint64_t *exact_guess(struct exact *exact, uint64_t hash, const uint64_t *key,
	uint32_t n_words, uint32_t stride)
{
	struct exact_bucket *bucket = exact_bucket(exact, hash);
	unsigned int ways = exact_candidates(bucket, hash), way;

	if (unlikely(!ways))
		return NULL;
	if (unlikely(ways & (ways - 1)))
		return exact_find(exact, hash, key, n_words, stride);
	way = (unsigned int)__builtin_ctz(ways);
	return exact_entry(exact, bucket, way, stride);
}

/* What KEY leads to, alive or dead; false if it is not here. */
static inline bool exact_lookup(struct exact *exact, uint64_t hash, const uint64_t *key,
	uint32_t n_words, uint32_t stride, struct exact_ref *ref)
{
	const uint64_t *entry = exact_find(exact, hash, key, n_words, stride);

	if (entry)
		*ref = exact_entry_ref(entry, stride);
	return entry != NULL;
}
