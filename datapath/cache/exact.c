/* SPDX-License-Identifier: Apache-2.0 */
#include "datapath/cache/exact.h"

#include "datapath/cache/memory.h"

/* One in so many keys never seen before gets a place all the same, so that a doorkeeper that has
 * forgotten everything does not shut anyone out for good. */
#define ADMIT_BLINDLY 64

/* So many crowded keys a second are worth more memory, if they are not a few of a flood. */
#define CROWDED 512u
#define CROWDED_SHARE 8

/* Slots of the doorkeeper for each place: it must remember more keys than there are places, to notice that
 * there are too few. */
#define DOORKEEPER 4

static size_t buckets_size(const struct exact *exact, uint32_t mask)
{
	return ((size_t)mask + 1) * sizeof *exact->buckets;
}

static size_t entries_size(const struct exact *exact, uint32_t mask)
{
	return ((size_t)mask + 1) * EXACT_WAYS * exact->stride * 8;
}

/* Half full, about one key in 150 finds its bucket full. */
static uint32_t mask_for(uint32_t n)
{
	return (uint32_t)round_up_pow2(MAX(n, 64u)) * 2 / EXACT_WAYS - 1;
}

void exact_init(struct exact *exact, uint32_t n, uint32_t max, uint32_t stride)
{
	*exact = (struct exact){.mask = mask_for(n), .max_mask = mask_for(MAX(n, max)),
		.stride = stride, .random = 1};
	exact->wanted_mask = exact->allowed_mask = exact->mask;
	exact->buckets = memory_reserve(buckets_size(exact, exact->max_mask), true);
	exact->entries = memory_reserve(entries_size(exact, exact->max_mask), true);
	admission_init(&exact->admission, (exact->mask + 1) * EXACT_WAYS * DOORKEEPER,
		(exact->max_mask + 1) * EXACT_WAYS * DOORKEEPER);
}

void exact_uninit(struct exact *exact)
{
	memory_release(exact->buckets, buckets_size(exact, exact->max_mask));
	memory_release(exact->entries, entries_size(exact, exact->max_mask));
	admission_uninit(&exact->admission);
}

void exact_clear(struct exact *exact)
{
	memset(exact->buckets, 0, buckets_size(exact, exact->mask));
}

size_t exact_memory(const struct exact *exact)
{
	return buckets_size(exact, exact->mask) + entries_size(exact, exact->mask);
}

void exact_tick(struct exact *exact)
{
	uint32_t allowed = atomic_load_explicit(&exact->allowed_mask, memory_order_acquire);

	exact->epoch++;
	if (allowed > exact->mask) {
		exact->mask = allowed;
		admission_grow(&exact->admission, (allowed + 1) * EXACT_WAYS * DOORKEEPER);
	} else if (exact->n_crowded > MAX(CROWDED, exact->n_full / CROWDED_SHARE) &&
		exact->mask < exact->max_mask) {
		atomic_store_explicit(&exact->wanted_mask, exact->mask * 2 + 1,
			memory_order_relaxed);
	}
	exact->n_crowded = exact->n_full = 0;
}

bool exact_wants(const struct exact *exact, uint32_t *mask)
{
	*mask = atomic_load_explicit(&exact->wanted_mask, memory_order_relaxed);
	return *mask > atomic_load_explicit(&exact->allowed_mask, memory_order_relaxed);
}

void exact_populate(struct exact *exact, uint32_t mask)
{
	memory_populate(exact->buckets, buckets_size(exact, mask));
	memory_populate(exact->entries, entries_size(exact, mask));
	admission_populate(&exact->admission, (mask + 1) * EXACT_WAYS * DOORKEEPER);
}

void exact_allow(struct exact *exact, uint32_t mask)
{
	atomic_store_explicit(&exact->allowed_mask, mask, memory_order_release);
}

static bool ref_is_dead(const struct exact *exact, struct path *paths, const uint64_t *entry)
{
	struct exact_ref ref = exact_entry_ref(entry, exact->stride);

	return atomic_load_explicit(&paths[ref.slot].generation, memory_order_relaxed) !=
		ref.generation;
}

static uint32_t next_random(struct exact *exact)
{
	exact->random = exact->random * 1664525u + 1013904223u;
	return exact->random >> 16;
}

/* A way whose path is gone, or -1. Eight entries and eight paths: only for keys that will get a place anyhow. */
static int dead_way(const struct exact *exact, struct path *paths, const struct exact_bucket *bucket)
{
	for (unsigned int way = 0; way < EXACT_WAYS; way++)
		if (ref_is_dead(exact, paths, exact_entry(exact, bucket, way, exact->stride)))
			return (int)way;
	return -1;
}

/* The way that a new key takes in BUCKET, or -1: none is given up for it. */
static int choose_way(struct exact *exact, struct path *paths, struct exact_bucket *bucket,
	uint64_t hash)
{
	unsigned int first = exact_first_way(hash), oldest = 0;
	uint8_t oldest_age = 0;
	bool seen;
	int dead;

	/* Of equals another one each time. */
	for (unsigned int i = 0; i < EXACT_WAYS; i++) {
		unsigned int way = (first + i) % EXACT_WAYS;
		uint8_t age = (uint8_t)(exact->epoch - bucket->ages[way]);

		if (!bucket->sigs[way])
			return (int)way;
		if (age >= oldest_age) {
			oldest_age = age;
			oldest = way;
		}
	}
	exact->n_full++;
	seen = admission_seen(&exact->admission, hash);
	if (likely(!seen) && likely(next_random(exact) % ADMIT_BLINDLY))
		return -1;
	exact->n_crowded += seen && oldest_age < 2;
	dead = oldest_age < 2 ? dead_way(exact, paths, bucket) : -1;
	return dead >= 0 ? dead : (int)oldest;
}

void exact_insert(struct exact *exact, struct path *paths, uint64_t hash, const uint64_t *key,
	uint32_t n_words, struct exact_ref ref)
{
	struct exact_bucket *bucket = exact_bucket(exact, hash);
	uint64_t *entry;
	int way = -1;

	for (unsigned int ways = exact_candidates(bucket, hash); ways; ways &= ways - 1) {
		unsigned int w = (unsigned int)__builtin_ctz(ways);

		if (exact_key_equal(exact_entry(exact, bucket, w, exact->stride), key, n_words))
			way = (int)w;
	}
	if (way < 0)
		way = choose_way(exact, paths, bucket, hash);
	if (way < 0)
		return;
	entry = exact_entry(exact, bucket, (unsigned int)way, exact->stride);
	memcpy(entry, key, n_words * 8);
	bucket->sigs[way] = exact_sig(hash);
	/* Older than all that has been hit, until it is, too. */
	bucket->ages[way] = (uint8_t)(exact->epoch - 1);
	entry[exact->stride - 1] = exact_pack(ref, bucket->ages[way]);
}
