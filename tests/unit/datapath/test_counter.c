/* SPDX-License-Identifier: Apache-2.0 */

/* Counter ids and dependency counters. */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "datapath/pipeline/counter.h"
#include "datapath/pipeline/dependency.h"
#include "datapath/pipeline/drop.h"

static void test_values(void **state)
{
	uint32_t a = counter_alloc(), b = counter_alloc();
	struct counter_value v;

	assert_int_not_equal(a, COUNTER_NONE);
	assert_int_not_equal(a, b);
	counter_add(a, 3, 300, 50);
	counter_add(a, 2, 100, 40);
	counter_add(COUNTER_NONE, 1, 1, 1);
	v = counter_get(a);
	assert_int_equal(v.packets, 5);
	assert_int_equal(v.bytes, 400);
	assert_int_equal(v.used_ms, 50);
	assert_int_equal(counter_get(b).packets, 0);
	assert_int_equal(counter_get(COUNTER_NONE).packets, 0);
	counter_free(a);
	counter_free(b);
}

static void test_retirement(void **state)
{
	uint64_t generation = 10;
	uint32_t a, b, before;

	counter_reclaim(generation);
	counter_reclaim(generation + 2);
	generation += 2;
	a = counter_alloc();
	b = counter_alloc();
	before = counter_n_used();
	counter_add(a, 1, 1, 1);
	counter_ref(a);
	counter_free(a);
	counter_free(b);
	counter_free(COUNTER_NONE);
	counter_reclaim(++generation);
	/* One sweep is not enough: a path may have been in the making. */
	assert_int_equal(counter_n_used(), before);
	counter_reclaim(++generation);
	assert_int_equal(counter_n_used(), before - 1);
	assert_int_equal(counter_alloc(), b);
	assert_int_equal(counter_get(a).packets, 1);
	counter_reclaim(++generation);
	assert_int_equal(counter_n_used(), before);
	counter_unref(a);
	counter_reclaim(++generation);
	assert_int_equal(counter_alloc(), a);
	assert_int_equal(counter_get(a).packets, 0);
	counter_free(a);
	counter_free(b);
}

static void test_many(void **state)
{
	uint32_t first = counter_alloc(), last = first;

	counter_add(first, 1, 64, 9);
	for (int i = 0; i < 20000; i++) {
		last = counter_alloc();
		counter_add(last, (uint64_t)i, 0, 1);
	}
	assert_int_equal(counter_get(last).packets, 19999);
	assert_int_equal(counter_get(first).bytes, 64);
}

static void test_dependencies(void **state)
{
	uint16_t ids[2] = {dep_bridge(1), dep_port(2)};
	uint32_t seq = dep_seq();

	assert_int_not_equal(ids[0], ids[1]);
	assert_true(dep_is_valid(seq, ids, 2));
	dep_bump(dep_port(3));
	assert_int_not_equal(dep_seq(), seq);
	assert_true(dep_is_valid(seq, ids, 2));
	seq = dep_seq();
	dep_bump(dep_port(2));
	assert_false(dep_is_valid(seq, ids, 2));
	assert_true(dep_is_valid(seq, ids, 1));
	assert_true(dep_is_valid(dep_seq(), ids, 2));
}

/* Numbers wrap: a counter left alone for long does not come to look new, nor a bump to look old. */
static void test_wrap(void **state)
{
	uint16_t quiet = dep_group(7, 7), busy = dep_mdb(1);
	uint32_t seq;

	dep_bump(quiet);
	for (int lap = 0; lap < 12; lap++) {
		/* As if half a billion changes had gone by, with the upkeep that comes with them. */
		dependency.seq += 1u << 29;
		for (int i = 0; i < DEP_N; i++)
			dep_bump(busy);
		seq = dep_seq();
		assert_true(dep_is_valid(seq, &quiet, 1));
		assert_true(dep_is_valid(seq, &busy, 1));
		dep_bump(busy);
		assert_false(dep_is_valid(seq, &busy, 1));
	}
	seq = dep_seq();
	dep_bump(quiet);
	assert_false(dep_is_valid(seq, &quiet, 1));
}

static void test_drop_texts(void **state)
{
	for (int i = 0; i < DROP_N_REASONS; i++) {
		assert_non_null(drop_reason_name((enum drop_reason)i));
		assert_non_null(drop_reason_describe((enum drop_reason)i));
	}
	assert_string_equal(drop_reason_name(DROP_TABLE_MISS), "table_miss");
	assert_string_equal(drop_reason_name((enum drop_reason)1000), "unknown");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_values),
		cmocka_unit_test(test_retirement),
		cmocka_unit_test(test_many),
		cmocka_unit_test(test_dependencies),
		cmocka_unit_test(test_wrap),
		cmocka_unit_test(test_drop_texts),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
