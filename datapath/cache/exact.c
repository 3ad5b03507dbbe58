/* SPDX-License-Identifier: Apache-2.0 */
#include "datapath/cache/exact.h"

#include <sys/mman.h>

/* One in so many keys never seen before gets a place all the same, so that a doorkeeper that has
 * forgotten everything does not shut anyone out for good. */
#define ADMIT_BLINDLY 64

static void *table_alloc(size_t size)
{
	void *p = mmap(NULL, size, PROT_READ | PROT_WRITE,
		MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);

	if (p == MAP_FAILED)
		fatal("can't reserve %zu bytes for a cache", size);
	madvise(p, size, MADV_HUGEPAGE);
	return p;
}

static size_t buckets_size(const struct exact *exact)
{
	return ((size_t)exact->mask + 1) * sizeof *exact->buckets;
}

static size_t entries_size(const struct exact *exact)
{
	return ((size_t)exact->mask + 1) * EXACT_WAYS * exact->stride * 8;
}

void exact_init(struct exact *exact, uint32_t n, uint32_t stride)
{
	/* Half full, about one key in 150 finds its bucket full. */
	uint32_t n_ways = (uint32_t)round_up_pow2(MAX(n, 64u)) * 2;

	*exact = (struct exact){.mask = n_ways / EXACT_WAYS - 1, .stride = stride, .random = 1};
	exact->buckets = table_alloc(buckets_size(exact));
	exact->entries = table_alloc(entries_size(exact));
	admission_init(&exact->admission, n_ways);
	exact->memory = buckets_size(exact) + entries_size(exact) + (size_t)n_ways * 4;
}

void exact_uninit(struct exact *exact)
{
	munmap(exact->buckets, buckets_size(exact));
	munmap(exact->entries, entries_size(exact));
	admission_uninit(&exact->admission);
}

void exact_clear(struct exact *exact)
{
	memset(exact->buckets, 0, buckets_size(exact));
}

static bool ref_is_dead(const struct exact *exact, struct path *paths, const uint64_t *entry)
{
	struct exact_ref ref;

	memcpy(&ref, &entry[exact->stride - 1], sizeof ref);
	return atomic_load_explicit(&paths[ref.slot].generation, memory_order_relaxed) !=
		ref.generation;
}

static uint32_t next_random(struct exact *exact)
{
	exact->random = exact->random * 1664525u + 1013904223u;
	return exact->random >> 16;
}

/* The way that a new key takes in BUCKET, or -1: none is given up for it. */
static int choose_way(struct exact *exact, struct path *paths, struct exact_bucket *bucket,
	uint64_t hash)
{
	unsigned int oldest = 0;
	uint8_t oldest_age = 0;

	for (unsigned int way = 0; way < EXACT_WAYS; way++) {
		uint8_t age = (uint8_t)(exact->epoch - bucket->ages[way]);

		if (!bucket->sigs[way])
			return (int)way;
		if (age >= oldest_age) {
			oldest_age = age;
			oldest = way;
		}
	}
	for (unsigned int way = 0; way < EXACT_WAYS; way++)
		if (ref_is_dead(exact, paths, exact_entry(exact, bucket, way, exact->stride)))
			return (int)way;
	if (admission_seen(&exact->admission, hash) || !(next_random(exact) % ADMIT_BLINDLY))
		return oldest_age ? (int)oldest : (int)(next_random(exact) % EXACT_WAYS);
	return -1;
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
	memcpy(&entry[exact->stride - 1], &ref, sizeof ref);
	bucket->sigs[way] = exact_sig(hash);
	bucket->ages[way] = exact->epoch;
}
