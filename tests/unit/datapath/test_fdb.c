/* SPDX-License-Identifier: Apache-2.0 */

/* The forwarding database. */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "datapath/pipeline/counter.h"
#include "datapath/pipeline/dependency.h"
#include "datapath/pipeline/fdb.h"
#include "lib/rcu.h"

static struct eth_addr mac(unsigned int n)
{
	return (struct eth_addr){{2, 0, 0, (uint8_t)(n >> 16), (uint8_t)(n >> 8), (uint8_t)n}};
}

static ofp_port_t port_of(const struct fdb *fdb, unsigned int n, uint16_t vlan)
{
	const struct fdb_entry *e = fdb_lookup(fdb, mac(n), vlan);

	return e ? e->port : OFPP_NONE;
}

static int setup(void **state)
{
	*state = fdb_create(5);
	return 0;
}

static int teardown(void **state)
{
	fdb_destroy(*state);
	rcu_synchronize();
	return 0;
}

static void test_learn(void **state)
{
	struct fdb *fdb = *state;
	uint16_t id = dep_fdb(5, mac(1), 10);
	uint32_t seq = dep_seq();

	assert_true(fdb_learn(fdb, mac(1), 10, 3, 1000));
	assert_false(dep_is_valid(seq, &id, 1));
	assert_int_equal(port_of(fdb, 1, 10), 3);
	assert_int_equal(port_of(fdb, 1, 11), OFPP_NONE);
	assert_int_equal(port_of(fdb, 2, 10), OFPP_NONE);

	/* Seen again: nothing for a path to notice. */
	seq = dep_seq();
	assert_false(fdb_learn(fdb, mac(1), 10, 3, 2000));
	assert_int_equal(dep_seq(), seq);
	assert_int_equal(fdb_entry_age_s(fdb_lookup(fdb, mac(1), 10), 5500), 3);

	assert_false(fdb_learn(fdb, (struct eth_addr){{1, 0, 0, 0, 0, 1}}, 10, 3, 1000));
	assert_int_equal(fdb_count(fdb), 1);
	assert_int_equal(fdb_stats(fdb).total_learned, 1);
}

static void test_move(void **state)
{
	struct fdb *fdb = *state;
	uint16_t id = dep_fdb(5, mac(1), 0);
	uint32_t seq, counter;

	fdb_learn(fdb, mac(1), 0, 3, 1000);
	counter = fdb_lookup(fdb, mac(1), 0)->counter;
	seq = dep_seq();
	assert_true(fdb_learn(fdb, mac(1), 0, 4, 2000));
	assert_false(dep_is_valid(seq, &id, 1));
	assert_int_equal(port_of(fdb, 1, 0), 4);
	assert_int_equal(fdb_count(fdb), 1);
	assert_int_equal(fdb_stats(fdb).total_moved, 1);
	/* What still counts for the old place keeps nothing alive. */
	assert_int_not_equal(fdb_lookup(fdb, mac(1), 0)->counter, counter);
	counter_add(counter, 1, 60, 400000);
	assert_int_equal(fdb_run(fdb, 303000), 1);
	assert_int_equal(fdb_count(fdb), 0);
}

static void test_age(void **state)
{
	struct fdb *fdb = *state;

	fdb_learn(fdb, mac(1), 0, 1, 1000);
	fdb_learn(fdb, mac(2), 0, 1, 1000);
	fdb_learn(fdb, mac(3), 0, 2, 50000);
	counter_add(fdb_lookup(fdb, mac(2), 0)->counter, 9, 900, 200000);
	assert_int_equal(fdb_run(fdb, 300999), 0);
	assert_int_equal(fdb_run(fdb, 301000), 1);
	assert_int_equal(port_of(fdb, 1, 0), OFPP_NONE);
	assert_int_equal(fdb_run(fdb, 350000), 1);
	assert_int_equal(fdb_run(fdb, 499999), 0);
	fdb_set_age(fdb, 60);
	assert_int_equal(fdb_run(fdb, 499999), 1);
	assert_int_equal(fdb_count(fdb), 0);
	assert_int_equal(fdb_stats(fdb).total_expired, 3);
}

static void test_static(void **state)
{
	struct fdb *fdb = *state;

	fdb_learn(fdb, mac(1), 0, 1, 1000);
	assert_true(fdb_add_static(fdb, mac(1), 0, 9));
	assert_false(fdb_add_static(fdb, mac(1), 0, 9));
	assert_false(fdb_learn(fdb, mac(1), 0, 2, 2000));
	assert_int_equal(port_of(fdb, 1, 0), 9);
	assert_int_equal(fdb_run(fdb, 10000000), 0);
	fdb_flush(fdb);
	assert_int_equal(port_of(fdb, 1, 0), 9);
	assert_int_equal(fdb_stats(fdb).current_static, 1);
	assert_true(fdb_remove(fdb, mac(1), 0));
	assert_false(fdb_remove(fdb, mac(1), 0));
	assert_int_equal(fdb_stats(fdb).current_static, 0);
	fdb_add_static(fdb, mac(5), 7, 9);
}

static void test_flush(void **state)
{
	struct fdb *fdb = *state;
	uint16_t id = dep_fdb(5, mac(4), 0);
	uint32_t seq;

	for (unsigned int i = 0; i < 10; i++)
		fdb_learn(fdb, mac(i), 0, 1 + i % 2, 1000);
	fdb_add_static(fdb, mac(20), 7, 1);
	fdb_add_static(fdb, mac(21), 7, 2);
	seq = dep_seq();
	fdb_flush_port(fdb, 1);
	fdb_flush_port(fdb, 77);
	assert_false(dep_is_valid(seq, &id, 1));
	assert_int_equal(fdb_count(fdb), 6);
	assert_int_equal(port_of(fdb, 20, 7), OFPP_NONE);
	assert_int_equal(fdb_stats(fdb).current_static, 1);
	assert_int_equal(port_of(fdb, 4, 0), OFPP_NONE);
	assert_int_equal(port_of(fdb, 5, 0), 2);
	fdb_flush(fdb);
	assert_int_equal(fdb_count(fdb), 1);
	assert_int_equal(port_of(fdb, 21, 7), 2);
}

/* The port that floods pays, with its oldest; a busy address stays. */
static void test_eviction(void **state)
{
	struct fdb *fdb = *state;

	fdb_set_max(fdb, 100);
	for (unsigned int i = 0; i < 10; i++)
		fdb_learn(fdb, mac(i), 0, 1, 1000);
	for (unsigned int i = 0; i < 5000; i++) {
		fdb_learn(fdb, mac(1000 + i), 0, 2, 2000 + i);
		if (i == 20)
			counter_add(fdb_lookup(fdb, mac(1005), 0)->counter, 1, 60, 2020);
		assert_true(fdb_count(fdb) <= 100);
		if (i == 94)
			assert_int_equal(port_of(fdb, 1005, 0), 2);
	}
	for (unsigned int i = 0; i < 10; i++)
		assert_int_equal(port_of(fdb, i, 0), 1);
	assert_int_equal(port_of(fdb, 5999, 0), 2);
	assert_int_equal(fdb_stats(fdb).total_evicted, 4910);
	fdb_set_max(fdb, 5);
	assert_int_equal(fdb_count(fdb), 5);
	fdb_set_max(fdb, 0);
	assert_int_equal(fdb_count(fdb), 0);
	assert_false(fdb_learn(fdb, mac(1), 0, 1, 9000));
}

/* Looking at ages in between does not make a busy address look idle. */
static void test_eviction_after_aging(void **state)
{
	struct fdb *fdb = *state;

	fdb_set_max(fdb, 10);
	for (unsigned int i = 0; i < 10; i++)
		fdb_learn(fdb, mac(i), 0, 1, 1000);
	counter_add(fdb_lookup(fdb, mac(0), 0)->counter, 1, 60, 2000);
	fdb_run(fdb, 2000);
	for (unsigned int i = 10; i < 19; i++)
		fdb_learn(fdb, mac(i), 0, 1, 3000);
	assert_int_equal(port_of(fdb, 0, 0), 1);
	assert_int_equal(port_of(fdb, 1, 0), OFPP_NONE);
}

/* A table of which a quarter was driven out within a second takes nobody new for the rest of it; translation asks. */
static void test_crowd(void **state)
{
	struct fdb *fdb = *state;
	uint16_t id = dep_fdb_crowd(5);
	uint32_t seq;

	for (unsigned int i = 0; i < FDB_DEFAULT_MAX / 4 * 5 - 1; i++)
		fdb_learn(fdb, mac(i), 0, 1, 1000);
	assert_false(fdb_is_crowded(fdb));
	fdb_learn(fdb, mac(100000), 0, 1, 1000);
	assert_true(fdb_is_crowded(fdb));
	seq = dep_seq();
	fdb_run(fdb, 2000);
	assert_false(fdb_is_crowded(fdb));
	assert_false(dep_is_valid(seq, &id, 1));
	/* Counted anew, and with a small table not sooner. */
	fdb_set_max(fdb, 10);
	for (unsigned int i = 0; i < FDB_DEFAULT_MAX / 4 - 1; i++)
		fdb_learn(fdb, mac(i), 0, 1, 2000);
	assert_false(fdb_is_crowded(fdb));
	fdb_learn(fdb, mac(100001), 0, 1, 2000);
	assert_true(fdb_is_crowded(fdb));
	fdb_flush(fdb);
	assert_false(fdb_is_crowded(fdb));
}

static void test_show_order(void **state)
{
	struct fdb *fdb = *state;
	const struct fdb_entry *e = NULL;
	static const unsigned int order[] = {3, 1, 2, 9};

	fdb_learn(fdb, mac(1), 0, 1, 3000);
	fdb_learn(fdb, mac(2), 0, 1, 1000);
	fdb_learn(fdb, mac(3), 0, 1, 2000);
	fdb_add_static(fdb, mac(9), 0, 1);
	counter_add(fdb_lookup(fdb, mac(2), 0)->counter, 1, 1, 4000);
	for (int i = 0; i < 4; i++) {
		e = fdb_next(fdb, e);
		assert_int_equal(e->mac.b[5], order[i]);
	}
	assert_null(fdb_next(fdb, e));
}

int main(void)
{
#define TEST(NAME) cmocka_unit_test_setup_teardown(NAME, setup, teardown)
	const struct CMUnitTest tests[] = {
		TEST(test_learn),
		TEST(test_move),
		TEST(test_age),
		TEST(test_static),
		TEST(test_flush),
		TEST(test_eviction),
		TEST(test_eviction_after_aging),
		TEST(test_crowd),
		TEST(test_show_order),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
