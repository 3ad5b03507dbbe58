/* SPDX-License-Identifier: Apache-2.0 */
#include "datapath/cache/exact.h"

#include "datapath/cache/memory.h"
#include "lib/coverage.h"

COVERAGE_DEFINE(exact_grown);
COVERAGE_DEFINE(exact_crowded);

/* One in so many keys never seen before gets a place all the same, so that a doorkeeper that has
 * forgotten everything does not shut anyone out for good. */
#define ADMIT_BLINDLY 64

/* Epochs since the last hit that make an entry one that may go. */
#define OLD 2

/* A second's crowded keys are worth more memory if there are so many, and one for so many places or lookups, and they
 * are not a few of a flood; and that for two seconds, as they may have found keys that are of no use since a mask of keys
 * has grown. Those are never more than there are places, nor are they many of the lookups for long: crowded keys that are
 * both do not wait. */
#define CROWDED 512u
#define CROWDED_PLACES 16
#define CROWDED_LOOKUPS 64
#define CROWDED_SHARE 8
#define CROWD_SHARE 4

/* So are keys in second places, whose lookups cost twice as much: one lookup of a second in so many that finds its key
 * there, in a table more than half full. Entries that nobody asks for any more crowd the others for OLD seconds, so it
 * has to be so for one more. */
#define STRAYED 512u
#define STRAYED_SHARE 32
#define STRAYED_TICKS (OLD + 1)

/* Slots of the doorkeeper for each place, of two keys each. */
#define DOORKEEPER 1

static size_t buckets_size(const struct exact *exact, uint32_t mask)
{
	return ((size_t)mask + 1) * sizeof *exact->buckets;
}

static size_t entries_size(const struct exact *exact, uint32_t mask)
{
	return ((size_t)mask + 1) * EXACT_WAYS * exact->stride * 8;
}

/* Half full, about one key in 150 finds its bucket full; three quarters full, one in 18. */
static uint32_t mask_for(uint32_t n)
{
	return (uint32_t)round_up_pow2(MAX(n, 64u)) * 2 / EXACT_WAYS - 1;
}

static uint32_t slots_for(uint32_t mask)
{
	return (mask + 1) * EXACT_WAYS * DOORKEEPER;
}

static uint32_t slots(const struct exact *exact, uint32_t mask)
{
	return MAX(slots_for(mask), exact->min_slots);
}

void exact_init(struct exact *exact, uint32_t n, uint32_t max, uint32_t stride)
{
	*exact = (struct exact){.mask = mask_for(n), .max_mask = mask_for(MAX(n, max)),
		.stride = stride, .random = 1};
	exact->wanted_mask = exact->allowed_mask = exact->old_mask = exact->mask;
	exact->buckets = memory_reserve(buckets_size(exact, exact->max_mask), true);
	exact->entries = memory_reserve(entries_size(exact, exact->max_mask), true);
	admission_init(&exact->admission, slots_for(exact->mask), slots_for(exact->max_mask));
}

void exact_remember(struct exact *exact, uint32_t n)
{
	exact->min_slots = MIN(n / 2, slots_for(exact->max_mask));
	admission_grow(&exact->admission, slots(exact, exact->mask));
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
	atomic_store_explicit(&exact->n_used, 0, memory_order_relaxed);
}

size_t exact_memory(const struct exact *exact)
{
	return buckets_size(exact, exact->mask) + entries_size(exact, exact->mask) +
		admission_memory(&exact->admission);
}

static void grow(struct exact *exact, uint32_t mask)
{
	COVERAGE_INC(exact_grown);
	exact->old_mask = exact->mask;
	exact->mask = mask;
	exact->n_moving = EXACT_MOVING_TICKS;
	exact->n_crowds = exact->n_spreads = 0;
	/* What was counted before tells nothing of the larger one. */
	exact->n_crowded = exact->n_full = exact->n_strayed = exact->n_looked = 0;
	admission_grow(&exact->admission, slots(exact, mask));
}

static bool is_crowd(const struct exact *exact)
{
	return exact->n_crowded > (exact->mask + 1) * EXACT_WAYS &&
		exact->n_crowded > exact->n_looked / CROWD_SHARE;
}

/* So many keys are found in their second bucket that it costs too much, however many packets there are. */
static bool is_far_spread(const struct exact *exact)
{
	return exact->n_strayed > STRAYED && exact->n_strayed > exact->n_looked / STRAYED_SHARE &&
		exact_n_used(exact) > (exact->mask + 1) * EXACT_WAYS / 2;
}

static bool is_worth_more(const struct exact *exact)
{
	uint32_t places = (exact->mask + 1) * EXACT_WAYS;

	return exact->n_crowded > CROWDED && exact->n_crowded > exact->n_full / CROWDED_SHARE &&
		exact->n_crowded > MIN(places / CROWDED_PLACES, exact->n_looked / CROWDED_LOOKUPS);
}

static void want_more(struct exact *exact)
{
	atomic_store_explicit(&exact->wanted_mask, exact->mask * 2 + 1, memory_order_relaxed);
}

bool exact_check(struct exact *exact)
{
	uint32_t allowed = atomic_load_explicit(&exact->allowed_mask, memory_order_acquire);

	if (allowed > exact->mask) {
		grow(exact, allowed);
		return false;
	}
	if (exact->mask == exact->max_mask || !is_crowd(exact))
		return false;
	want_more(exact);
	return true;
}

void exact_tick(struct exact *exact)
{
	exact->epoch++;
	if (exact->n_moving && !--exact->n_moving)
		exact->old_mask = exact->mask;
	exact_check(exact);
	exact->n_crowds = is_worth_more(exact) ? exact->n_crowds + 1 : 0;
	exact->n_spreads = is_far_spread(exact) ? exact->n_spreads + 1 : 0;
	if ((exact->n_crowds > 1 || exact->n_spreads >= STRAYED_TICKS) && exact->mask < exact->max_mask)
		want_more(exact);
	exact->n_crowded = exact->n_full = exact->n_strayed = exact->n_looked = 0;
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
	admission_populate(&exact->admission, slots(exact, mask));
}

void exact_allow(struct exact *exact, uint32_t mask)
{
	atomic_store_explicit(&exact->allowed_mask, mask, memory_order_release);
}

void exact_make_young(struct exact *exact, const uint64_t *entry)
{
	size_t i = (size_t)(entry - exact->entries) / exact->stride;
	struct exact_ref *ref = (void *)&exact->entries[(i + 1) * exact->stride - 1];

	ref->age = exact->epoch;
	exact->buckets[i / EXACT_WAYS].ages[i % EXACT_WAYS] = exact->epoch;
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

/* A free way of BUCKET for a key of HASH, rather the one that it would like best; or -1. */
static int free_way(const struct exact_bucket *bucket, uint64_t hash)
{
	__m128i sigs = _mm_load_si128((const __m128i *)bucket->sigs);
	__m128i zero = _mm_setzero_si128();
	unsigned int ways = (unsigned int)_mm_movemask_epi8(
		_mm_packs_epi16(_mm_cmpeq_epi16(sigs, zero), zero));

	if (ways >> exact_first_way(hash) & 1)
		return (int)exact_first_way(hash);
	return ways ? __builtin_ctz(ways) : -1;
}

/* The way of BUCKET, which is full, whose entry goes for the key of HASH. */
static unsigned int oldest_way(struct exact *exact, struct path *paths, const struct exact_bucket *bucket,
	uint64_t hash, bool seen)
{
	unsigned int first = exact_first_way(hash), oldest = 0;
	uint8_t oldest_age = 0;
	int dead;

	/* Of equals another one each time. */
	for (unsigned int i = 0; i < EXACT_WAYS; i++) {
		unsigned int way = (first + i) % EXACT_WAYS;
		uint8_t age = (uint8_t)(exact->epoch - bucket->ages[way]);

		if (age >= oldest_age) {
			oldest_age = age;
			oldest = way;
		}
	}
	exact->n_crowded += seen && oldest_age < OLD;
	dead = oldest_age < OLD ? dead_way(exact, paths, bucket) : -1;
	return dead >= 0 ? (unsigned int)dead : oldest;
}

static struct exact_bucket *second_bucket(const struct exact *exact, uint64_t hash)
{
	return &exact->buckets[exact_second(exact_number(hash, exact->mask), exact_sig(hash), exact->mask)];
}

/* Where KEY is in BUCKET; its way, or -1. */
static int find_way(const struct exact *exact, const struct exact_bucket *bucket, uint64_t hash,
	const uint64_t *key, uint32_t n_words)
{
	for (unsigned int ways = exact_candidates(bucket, hash); ways; ways &= ways - 1) {
		unsigned int way = (unsigned int)__builtin_ctz(ways);

		if (exact_key_equal(exact_entry(exact, bucket, way, exact->stride), key, n_words))
			return (int)way;
	}
	return -1;
}

static void add_used(struct exact *exact, uint32_t n)
{
	atomic_store_explicit(&exact->n_used, exact_n_used(exact) + n, memory_order_relaxed);
}

static void move_entry(struct exact *exact, struct exact_bucket *from, unsigned int way,
	struct exact_bucket *to, unsigned int place)
{
	memcpy(exact_entry(exact, to, place, exact->stride), exact_entry(exact, from, way, exact->stride),
		exact->stride * 8);
	add_used(exact, to->sigs[place] ? UINT32_MAX : 0);
	to->sigs[place] = from->sigs[way];
	to->ages[place] = from->ages[way];
	from->sigs[way] = 0;
}

/* A way of BUCKET that is free, or whose entry nobody has asked for of late; or -1. */
static int spare_way(const struct exact *exact, const struct exact_bucket *bucket, uint64_t hash)
{
	int way = free_way(bucket, hash);

	for (unsigned int i = 0; way < 0 && i < EXACT_WAYS; i++)
		if ((uint8_t)(exact->epoch - bucket->ages[i]) >= OLD)
			return (int)i;
	return way;
}

/* Moves some entry of BUCKET, which is full, to the other bucket that it may be in: its way, or -1. Eight
 * buckets, so only for keys that will get a place anyhow. */
static int make_room(struct exact *exact, struct exact_bucket *bucket)
{
	uint32_t number = (uint32_t)(bucket - exact->buckets);

	for (unsigned int way = 0; way < EXACT_WAYS; way++) {
		uint16_t sig = bucket->sigs[way];
		struct exact_bucket *other = &exact->buckets[exact_second(number, sig, exact->mask)];
		int place = spare_way(exact, other, 0);

		if (place < 0)
			continue;
		bucket->strays |= exact_stray_bit(sig);
		move_entry(exact, bucket, way, other, (unsigned int)place);
		return (int)way;
	}
	return -1;
}

/* The way that KEY, new in its bucket *BUCKET, takes, maybe of another bucket; or -1: none is given up for it. */
static int choose_way(struct exact *exact, struct path *paths, struct exact_bucket **bucket,
	uint64_t hash, const uint64_t *key, uint32_t n_words)
{
	struct exact_bucket *second;
	int way = free_way(*bucket, hash);
	bool seen;

	if (way >= 0)
		return way;
	exact->n_full++;
	seen = admission_seen(&exact->admission, hash);
	if (likely(!seen) && likely(next_random(exact) % ADMIT_BLINDLY))
		return -1;
	way = spare_way(exact, *bucket, hash);
	if (way >= 0)
		return way;
	second = second_bucket(exact, hash);
	way = find_way(exact, second, hash, key, n_words);
	if (way < 0)
		way = spare_way(exact, second, hash);
	if (way < 0) {
		COVERAGE_INC(exact_crowded);
		way = make_room(exact, *bucket);
		return way >= 0 ? way : (int)oldest_way(exact, paths, *bucket, hash, seen);
	}
	(*bucket)->strays |= exact_stray_bit(exact_sig(hash));
	*bucket = second;
	return way;
}

void exact_insert(struct exact *exact, struct path *paths, uint64_t hash, const uint64_t *key,
	uint32_t n_words, struct exact_ref ref)
{
	struct exact_bucket *bucket = exact_bucket(exact, hash);
	int way = find_way(exact, bucket, hash, key, n_words);
	uint64_t *entry;

	if (way < 0)
		way = choose_way(exact, paths, &bucket, hash, key, n_words);
	if (way < 0)
		return;
	entry = exact_entry(exact, bucket, (unsigned int)way, exact->stride);
	memcpy(entry, key, n_words * 8);
	add_used(exact, !bucket->sigs[way]);
	bucket->sigs[way] = exact_sig(hash);
	/* Older than all that has been hit, until it is, too. */
	bucket->ages[way] = (uint8_t)(exact->epoch - 1);
	ref.age = bucket->ages[way];
	memcpy(&entry[exact->stride - 1], &ref, sizeof ref);
}

void exact_keep_out(struct exact *exact, uint64_t hash)
{
	bool seen = admission_seen(&exact->admission, hash);

	if (spare_way(exact, exact_bucket(exact, hash), hash) >= 0)
		return;
	exact->n_full++;
	exact->n_crowded += seen;
}

/* ------------------------------------------------------------------ elsewhere */

static const uint64_t *touched(struct exact *exact, const struct exact_bucket *bucket, unsigned int way)
{
	const uint64_t *entry = exact_entry(exact, bucket, way, exact->stride);

	exact_touch(exact, entry, exact->stride);
	return entry;
}

/* The entry in WAY of BUCKET, which belongs to HASH's bucket, goes there if there is room. */
static const uint64_t *move_home(struct exact *exact, struct exact_bucket *bucket, unsigned int way,
	uint64_t hash)
{
	struct exact_bucket *home = exact_bucket(exact, hash);
	const uint64_t *entry = touched(exact, bucket, way);
	int place = home == bucket ? -1 : spare_way(exact, home, hash);

	if (place < 0)
		return entry;
	move_entry(exact, bucket, way, home, (unsigned int)place);
	return exact_entry(exact, home, (unsigned int)place, exact->stride);
}

/* In the second bucket, if the first has its mark. */
static const uint64_t *find_stray(struct exact *exact, uint64_t hash, const uint64_t *key, uint32_t n_words)
{
	struct exact_bucket *first = exact_bucket(exact, hash), *second;
	int way;

	if (!(first->strays & exact_stray_bit(exact_sig(hash))))
		return NULL;
	second = second_bucket(exact, hash);
	way = find_way(exact, second, hash, key, n_words);
	if (way < 0) {
		/* Another key's mark is lost with it, maybe: that one will be inserted again. */
		first->strays &= ~exact_stray_bit(exact_sig(hash));
		return NULL;
	}
	exact->n_strayed++;
	return move_home(exact, second, (unsigned int)way, hash);
}

static const uint64_t *find_old(struct exact *exact, uint64_t hash, const uint64_t *key, uint32_t n_words)
{
	uint32_t first = exact_number(hash, exact->old_mask);
	uint32_t second = exact_second(first, exact_sig(hash), exact->old_mask);
	int way = find_way(exact, &exact->buckets[first], hash, key, n_words);

	if (way >= 0)
		return move_home(exact, &exact->buckets[first], (unsigned int)way, hash);
	way = find_way(exact, &exact->buckets[second], hash, key, n_words);
	return way < 0 ? NULL : move_home(exact, &exact->buckets[second], (unsigned int)way, hash);
}

const uint64_t *exact_find_elsewhere(struct exact *exact, uint64_t hash, const uint64_t *key,
	uint32_t n_words)
{
	const uint64_t *entry = find_stray(exact, hash, key, n_words);

	return entry || !exact_is_moving(exact) ? entry :
		find_old(exact, hash, key, n_words);
}

void exact_settle(struct exact *exact, uint64_t hash, const uint64_t *entry)
{
	struct exact_bucket *bucket = exact_bucket(exact, hash);
	size_t way = (size_t)(entry - exact_entry(exact, bucket, 0, exact->stride)) / exact->stride;
	unsigned int first = exact_first_way(hash);

	/* Of two packets of one key the first has moved it. */
	if (way >= EXACT_WAYS || way == first || bucket->sigs[way] != exact_sig(hash))
		return;
	if (!bucket->sigs[first] || (uint8_t)(exact->epoch - bucket->ages[first]) >= OLD)
		move_entry(exact, bucket, (unsigned int)way, bucket, first);
}
