/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <string.h>

#include "datapath/rxq_sched.h"
#include "lib/util.h"

static struct rxq_sched_pmd pmds[4];
static struct rxq_sched_queue queues[8];

static void make(unsigned int n_pmds, const uint64_t *cycles, unsigned int n)
{
	for (unsigned int i = 0; i < n_pmds; i++)
		pmds[i] = (struct rxq_sched_pmd){.core = (int)i + 10, .numa = 0};
	for (unsigned int i = 0; i < n; i++)
		queues[i] = (struct rxq_sched_queue){.core = -1, .cycles = cycles[i]};
}

static void check(const int *expected, unsigned int n)
{
	for (unsigned int i = 0; i < n; i++)
		assert_int_equal(queues[i].pmd, expected[i]);
}

static void roundrobin_takes_them_in_turn(void **state)
{
	static const uint64_t cycles[] = {1, 9, 5, 7, 3};

	make(3, cycles, 5);
	rxq_sched(queues, 5, pmds, 3, RXQ_SCHED_ROUNDROBIN, true);
	check((const int[]){0, 1, 2, 0, 1}, 5);
}

static void cycles_goes_there_and_back(void **state)
{
	static const uint64_t cycles[] = {10, 60, 30, 50, 20, 40};

	make(3, cycles, 6);
	rxq_sched(queues, 6, pmds, 3, RXQ_SCHED_CYCLES, true);
	/* 60 50 40 | 30 20 10 */
	check((const int[]){0, 0, 2, 1, 1, 2}, 6);
	assert_int_equal(pmds[0].cycles, 70);
	assert_int_equal(rxq_sched_variance(pmds, 3), 0);
}

static void group_gives_to_the_least_loaded(void **state)
{
	static const uint64_t cycles[] = {100, 10, 10, 10, 10};

	make(2, cycles, 5);
	rxq_sched(queues, 5, pmds, 2, RXQ_SCHED_GROUP, true);
	check((const int[]){0, 1, 1, 1, 1}, 5);
	assert_int_equal(rxq_sched_variance(pmds, 2), 900);
	/* Cycles of a minute. */
	pmds[0].cycles = UINT64_C(200000000000);
	pmds[1].cycles = 0;
	assert_true(rxq_sched_variance(pmds, 2) == 1e22);
}

static void pinned_queues_isolate(void **state)
{
	static const uint64_t cycles[] = {5, 5, 5, 5};

	make(2, cycles, 4);
	queues[2].core = 11;
	rxq_sched(queues, 4, pmds, 2, RXQ_SCHED_CYCLES, true);
	check((const int[]){0, 0, 1, 0}, 4);
	assert_true(pmds[1].isolated && queues[2].is_pinned);
	rxq_sched(queues, 4, pmds, 2, RXQ_SCHED_GROUP, false);
	assert_int_equal(queues[2].pmd, 1);
	assert_int_equal(pmds[0].n_queues, 2);
	assert_false(pmds[1].isolated);

	/* All isolated: what is left is polled by nobody. No such core: as if not pinned. */
	queues[0].core = 10;
	queues[1].core = 99;
	rxq_sched(queues, 4, pmds, 2, RXQ_SCHED_ROUNDROBIN, true);
	check((const int[]){0, -1, 1, -1}, 4);
	assert_false(queues[1].is_pinned);
	assert_int_equal(rxq_sched_one(&queues[1], pmds, 2), -1);
}

static void queues_stay_on_their_node(void **state)
{
	static const uint64_t cycles[] = {50, 40, 30, 20};

	make(3, cycles, 4);
	pmds[1].numa = pmds[2].numa = 1;
	for (int i = 0; i < 3; i++)
		queues[i].numa = 1;
	queues[3].numa = 7;	/* Nobody is there. */
	rxq_sched(queues, 4, pmds, 3, RXQ_SCHED_CYCLES, true);
	check((const int[]){1, 2, 2, 0}, 4);
	queues[0].numa = -1;
	assert_int_equal(rxq_sched_one(&queues[0], pmds, 3), 0);
}

static void without_pmds_nobody_polls(void **state)
{
	static const uint64_t cycles[] = {1};

	make(0, cycles, 1);
	for (int how = RXQ_SCHED_CYCLES; how <= RXQ_SCHED_ROUNDROBIN; how++) {
		rxq_sched(queues, 1, pmds, 0, (enum rxq_sched_how)how, true);
		check((const int[]){-1}, 1);
	}
}

static void lists_are_read(void **state)
{
	static const char *const bad[] = {"x", "1", "1:", "1:2:3", "1:2;3:4", ":2", "-1:2", "1:2,,3:4",
		"9999999999:1"};

	assert_int_equal(rxq_sched_affinity("0:3,1:7 , 3:8", 0), 3);
	assert_int_equal(rxq_sched_affinity("0:3,1:7 , 3:8", 3), 8);
	assert_int_equal(rxq_sched_affinity("0:3,1:7 , 3:8", 2), -1);
	assert_int_equal(rxq_sched_affinity(NULL, 2), -1);
	assert_true(rxq_sched_affinity_is_valid("0:3,1:7 , 3:8"));
	assert_true(rxq_sched_affinity_is_valid(""));
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++)
		assert_false(rxq_sched_affinity_is_valid(bad[i]));
}

static void names(void **state)
{
	enum rxq_sched_how how = RXQ_SCHED_CYCLES;

	assert_int_equal(rxq_sched_how_from_name("group", &how), 0);
	assert_int_equal(how, RXQ_SCHED_GROUP);
	assert_true(rxq_sched_how_from_name("Group", &how) < 0);
	assert_int_equal(how, RXQ_SCHED_GROUP);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(roundrobin_takes_them_in_turn),
		cmocka_unit_test(cycles_goes_there_and_back),
		cmocka_unit_test(group_gives_to_the_least_loaded),
		cmocka_unit_test(pinned_queues_isolate),
		cmocka_unit_test(queues_stay_on_their_node),
		cmocka_unit_test(without_pmds_nobody_polls),
		cmocka_unit_test(lists_are_read),
		cmocka_unit_test(names),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
