/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <string.h>

#include "datapath/cache/exact.h"
#include "lib/hash.h"

#define N_WORDS 7
#define STRIDE 8

static struct path paths[4096];

static void make_key(uint64_t *key, uint64_t n)
{
	for (unsigned int i = 0; i < N_WORDS; i++)
		key[i] = hash_bytes64(&n, sizeof n, i / 2);
}

static uint64_t key_hash(const uint64_t *key)
{
	return hash_bytes64(key, N_WORDS * 8, 99);
}

static void insert(struct exact *exact, uint64_t n, uint32_t slot)
{
	uint64_t key[N_WORDS];

	make_key(key, n);
	exact_insert(exact, paths, key_hash(key), key, N_WORDS,
		(struct exact_ref){slot, path_generation(&paths[slot])});
}

static bool find(struct exact *exact, uint64_t n, struct exact_ref *ref)
{
	const uint64_t *entry;
	uint64_t key[N_WORDS];

	make_key(key, n);
	if (exact_lookup(exact, key_hash(key), key, N_WORDS, STRIDE, ref))
		return true;
	if (!exact_may_be_elsewhere(exact, key_hash(key)))
		return false;
	entry = exact_find_elsewhere(exact, key_hash(key), key, N_WORDS);
	if (entry)
		*ref = exact_entry_ref(entry, STRIDE);
	return entry != NULL;
}

static void finds_what_was_inserted(void **state)
{
	struct exact exact;
	struct exact_ref ref;
	unsigned int n_found = 0;

	exact_init(&exact, 4096, 4096, STRIDE);
	for (uint64_t n = 0; n < 4096; n++)
		insert(&exact, n, (uint32_t)n);
	for (uint64_t n = 0; n < 4096; n++) {
		if (!find(&exact, n, &ref))
			continue;
		assert_int_equal(ref.slot, n);
		n_found++;
	}
	assert_int_equal(exact_n_used(&exact), n_found);
	/* At half load, full buckets are rare. */
	assert_in_range(n_found, 4096 * 97 / 100, 4096);
	for (uint64_t n = 5000; n < 20000; n++)
		assert_false(find(&exact, n, &ref));
	exact_uninit(&exact);
}

static void newer_reference_replaces_the_older(void **state)
{
	struct exact exact;
	struct exact_ref ref;

	exact_init(&exact, 64, 64, STRIDE);
	insert(&exact, 1, 5);
	insert(&exact, 1, 6);
	assert_true(find(&exact, 1, &ref));
	assert_int_equal(ref.slot, 6);
	exact_clear(&exact);
	assert_false(find(&exact, 1, &ref));
	exact_uninit(&exact);
}

static void one_bit_makes_another_key(void **state)
{
	uint64_t key[N_WORDS], other[N_WORDS];
	struct exact exact;
	struct exact_ref ref;

	exact_init(&exact, 64, 64, STRIDE);
	insert(&exact, 1, 5);
	make_key(key, 1);
	for (unsigned int bit = 0; bit < N_WORDS * 64; bit++) {
		memcpy(other, key, sizeof key);
		other[bit / 64] ^= UINT64_C(1) << (bit % 64);
		/* Even with the same hash. */
		assert_false(exact_lookup(&exact, key_hash(key), other, N_WORDS, STRIDE, &ref));
	}
	exact_uninit(&exact);
}

/* Keys that come again and again stay, whatever passes by once. */
static void strangers_do_not_wash_out_residents(void **state)
{
	struct exact exact;
	struct exact_ref ref;
	unsigned int n_found = 0;
	uint64_t stranger = 1 << 20;

	exact_init(&exact, 256, 256, STRIDE);
	for (uint64_t n = 0; n < 200; n++)
		insert(&exact, n, (uint32_t)n);
	for (int round = 0; round < 50; round++) {
		exact_tick(&exact);
		for (uint64_t n = 0; n < 200; n++)
			if (!find(&exact, n, &ref))
				insert(&exact, n, (uint32_t)n);
		for (int i = 0; i < 200; i++)
			insert(&exact, stranger++, 300);
	}
	for (uint64_t n = 0; n < 200; n++)
		n_found += find(&exact, n, &ref);
	assert_in_range(n_found, 150, 200);
	exact_uninit(&exact);
}

static void dead_entries_make_room(void **state)
{
	struct exact exact;
	struct exact_ref ref;

	exact_init(&exact, 64, 64, STRIDE);
	for (uint64_t n = 0; n < 2000; n++)
		insert(&exact, n, 7);
	atomic_fetch_add(&paths[7].generation, 1);
	/* The first time is for the doorkeeper. */
	for (int time = 0; time < 2; time++)
		for (uint64_t n = 5000; n < 5050; n++)
			insert(&exact, n, 8);
	for (uint64_t n = 5000; n < 5050; n++)
		assert_true(find(&exact, n, &ref));
	exact_uninit(&exact);
}

static unsigned int n_resident(struct exact *exact, uint64_t n)
{
	struct exact_ref ref;
	unsigned int n_found = 0;

	for (uint64_t i = 0; i < n; i++)
		if (find(exact, i, &ref))
			n_found++;
		else
			insert(exact, i, (uint32_t)i % 4096);
	return n_found;
}

/* Keys in use that drive each other out make it grow, when it is allowed to. */
static void grows_when_crowded(void **state)
{
	struct exact exact;
	uint32_t mask, first;

	exact_init(&exact, 1024, 8192, STRIDE);
	first = exact.mask;
	for (int i = 0; i < 4; i++) {
		n_resident(&exact, 1000);
		exact_tick(&exact);
	}
	assert_false(exact_wants(&exact, &mask));
	for (int i = 0; i < 3; i++) {
		for (int again = 0; again < 3; again++)
			n_resident(&exact, 9000);
		exact_tick(&exact);
	}
	assert_true(exact_wants(&exact, &mask));
	assert_int_equal(mask, first * 2 + 1);
	assert_int_equal(exact.mask, first);
	for (int i = 0; i < 20; i++) {
		if (exact_wants(&exact, &mask)) {
			exact_populate(&exact, mask);
			exact_allow(&exact, mask);
		}
		for (int again = 0; again < 3; again++)
			n_resident(&exact, 9000);
		exact_tick(&exact);
	}
	assert_int_equal(exact.mask, exact.max_mask);
	assert_in_range(n_resident(&exact, 9000), 8900, 9000);
	exact_uninit(&exact);
}

/* Three quarters full, nearly all keys that come again have a place. */
static void strays_are_found(void **state)
{
	struct exact exact;
	struct exact_ref ref;
	unsigned int n_first = 0, n_found = 0;
	uint64_t key[N_WORDS];

	exact_init(&exact, 4096, 4096, STRIDE);
	for (int time = 0; time < 2; time++)
		for (uint64_t n = 0; n < 6144; n++)
			insert(&exact, n, (uint32_t)n % 4096);
	for (uint64_t n = 0; n < 6144; n++) {
		if (!find(&exact, n, &ref))
			continue;
		n_found++;
		assert_int_equal(ref.slot, n % 4096);
		make_key(key, n);
		n_first += exact_lookup(&exact, key_hash(key), key, N_WORDS, STRIDE, &ref);
	}
	assert_in_range(n_found, 6144 * 997 / 1000, 6144);
	assert_in_range(n_first, 6144 * 85 / 100, 6144 * 96 / 100);
	exact_uninit(&exact);
}

/* A second in which each of N keys is looked up so many TIMES. */
static void second_of(struct exact *exact, uint64_t n, int times)
{
	struct exact_ref ref;

	for (int time = 0; time < times; time++) {
		for (uint64_t i = 0; i < n; i++)
			if (!find(exact, i, &ref))
				insert(exact, i, (uint32_t)i % 4096);
		exact_count_astray(exact, (uint32_t)n, 0);
	}
	exact_tick(exact);
}

static bool spreads(uint64_t n, int times)
{
	struct exact exact;
	uint32_t mask;
	bool wants;

	exact_init(&exact, 8192, 65536, STRIDE);
	assert_int_equal((exact.mask + 1) * EXACT_WAYS, 16384);
	for (int i = 0; i < 6; i++)
		second_of(&exact, n, times);
	wants = exact_wants(&exact, &mask);
	exact_uninit(&exact);
	return wants;
}

/* Keys in second places make it grow when they are many of those that are looked up, be that often or seldom. */
static void grows_when_far_spread(void **state)
{
	for (int times = 2; times <= 20; times += 6) {
		assert_true(spreads(12800, times));
		assert_false(spreads(8000, times));
	}
	/* A handful of lookups says nothing. */
	assert_false(spreads(100, 20));
}

/* A mark without a stray is taken away by whoever looks. */
static void marks_go(void **state)
{
	struct exact exact;
	struct exact_ref ref;
	uint64_t key[N_WORDS], hash;

	exact_init(&exact, 64, 64, STRIDE);
	make_key(key, 1);
	hash = key_hash(key);
	exact_bucket(&exact, hash)->strays = UINT64_MAX;
	assert_true(exact_may_be_elsewhere(&exact, hash));
	assert_false(find(&exact, 1, &ref));
	assert_false(exact_may_be_elsewhere(&exact, hash));
	assert_int_equal(exact_bucket(&exact, hash)->strays, ~exact_stray_bit(exact_sig(hash)));
	exact_uninit(&exact);
}

/* Growing loses nobody who comes again soon; in the end nobody looks at old places any more. */
static void growing_moves_entries(void **state)
{
	struct exact exact;
	struct exact_ref ref;

	exact_init(&exact, 1024, 8192, STRIDE);
	for (int time = 0; time < 2; time++)
		for (uint64_t n = 0; n < 800; n++)
			insert(&exact, n, (uint32_t)n);
	for (int doublings = 0; doublings < 3; doublings++) {
		exact_allow(&exact, exact.mask * 2 + 1);
		exact_tick(&exact);
		for (uint64_t n = 0; n < 800; n++) {
			assert_true(find(&exact, n, &ref));
			assert_int_equal(ref.slot, n);
		}
	}
	for (int i = 0; i < EXACT_MOVING_TICKS; i++)
		exact_tick(&exact);
	assert_int_equal(exact.old_mask, exact.mask);
	for (uint64_t n = 0; n < 800; n++)
		assert_true(find(&exact, n, &ref));
	exact_uninit(&exact);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(finds_what_was_inserted),
		cmocka_unit_test(newer_reference_replaces_the_older),
		cmocka_unit_test(one_bit_makes_another_key),
		cmocka_unit_test(strangers_do_not_wash_out_residents),
		cmocka_unit_test(dead_entries_make_room),
		cmocka_unit_test(grows_when_crowded),
		cmocka_unit_test(strays_are_found),
		cmocka_unit_test(grows_when_far_spread),
		cmocka_unit_test(marks_go),
		cmocka_unit_test(growing_moves_entries),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
