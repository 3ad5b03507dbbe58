/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "datapath/pmd/miss_budget.h"

#define US 1000			/* Cycles of a microsecond. */
#define WINDOW (MISS_BUDGET_WINDOW_US * (uint64_t)US)
#define MISS 1000		/* Cycles of a miss. */

static struct miss_budget budget;
static struct miss_share a, b;
static uint64_t now, packets, hits;

static int set_up(void **state)
{
	miss_budget_init(&budget, US);
	a = b = (struct miss_share){0};
	now = packets = hits = 0;
	miss_budget_turn(&budget, now = 1, true, 0, 0, 0);
	return 0;
}

/* A burst of 32 packets of PORT, N of them misses, N_NEW of these of flows never seen before; returns how many
 * misses were dropped. */
static unsigned int burst_new(struct miss_share *port, unsigned int n, unsigned int n_new, bool full)
{
	unsigned int allowed = miss_budget_allow(&budget, port, n - n_new, n_new);
	uint64_t cycles = (32 - n) * 100 + allowed * MISS + (n - allowed) * 30;

	if (allowed)
		miss_budget_spend(&budget, port, allowed, allowed * MISS);
	packets += 32;
	hits += 32 - n;
	now += cycles;
	miss_budget_turn(&budget, now, full, 0, packets, hits);
	return n - allowed;
}

static unsigned int burst(struct miss_share *port, unsigned int n, bool full)
{
	return burst_new(port, n, 0, full);
}

static void who_keeps_up_drops_nothing(void **state)
{
	for (int i = 0; i < 20000; i++)
		assert_int_equal(burst(&a, 16, i % 20 != 0), 0);
}

static void hits_are_protected_from_misses(void **state)
{
	uint64_t begin, cycles = 0, dropped = 0;

	for (begin = now; now < begin + 50 * WINDOW;)
		burst(&a, 16, true);
	for (begin = now; now < begin + 50 * WINDOW;) {
		unsigned int n = burst(&a, 16, true);

		dropped += n;
		cycles += (16 - n) * MISS;
	}
	assert_true(dropped > 0);
	assert_in_range(cycles * 100 / (now - begin), MISS_BUDGET_FLOOR - 3, MISS_BUDGET_FLOOR + 3);
}

/* Per cent of the time that misses take of which all but N_SEEN of 16 in a burst are new; and how many were dropped. */
static unsigned int share_of(unsigned int n_seen, uint64_t *dropped)
{
	uint64_t begin, cycles = 0;

	*dropped = 0;
	for (begin = now; now < begin + 50 * WINDOW;)
		burst_new(&a, 16, 16 - n_seen, true);
	for (begin = now; now < begin + 50 * WINDOW;) {
		unsigned int n = burst_new(&a, 16, 16 - n_seen, true);

		*dropped += n;
		cycles += (16 - n) * MISS;
	}
	return (unsigned int)(cycles * 100 / (now - begin));
}

static void flows_never_seen_before_leave_some_to_others(void **state)
{
	uint64_t dropped;

	assert_in_range(share_of(0, &dropped), MISS_BUDGET_FLOOD - 1, MISS_BUDGET_FLOOD + 1);
	assert_true(dropped > 0);
	/* Not all of that is a flood: those that come again have what they need, the others what is theirs. */
	assert_in_range(share_of(2, &dropped), MISS_BUDGET_NEW, MISS_BUDGET_FLOOR + 3);
	assert_true(dropped > 0);
	assert_in_range(share_of(8, &dropped), MISS_BUDGET_FLOOR - 3, MISS_BUDGET_FLOOR + 3);
}

/* While that goes on hardly any is allowed, but after a pause some are. */
static void leftovers_are_kept_for_a_few_at_once(void **state)
{
	uint64_t dropped;

	share_of(0, &dropped);
	for (uint64_t begin = now; now < begin + 2 * MISS_BUDGET_SAVED * WINDOW;)
		burst(&a, 0, true);
	dropped = 0;
	for (int i = 0; i < 8; i++)
		dropped += burst_new(&a, 16, 16, true);
	assert_int_equal(dropped, 0);
	for (uint64_t begin = now; now < begin + WINDOW;)
		dropped += burst_new(&a, 16, 16, true);
	assert_true(dropped > 0);
}

static void misses_alone_may_have_it_all(void **state)
{
	for (uint64_t begin = now; now < begin + 50 * WINDOW;)
		assert_int_equal(burst(&a, 32, true), 0);
}

static void ports_get_equal_parts(void **state)
{
	uint64_t begin, many = 0, few = 0, few_dropped = 0;

	for (begin = now; now < begin + 20 * WINDOW;)
		burst(&a, 24, true);
	/* Once the other is known, it is not held back by the one that floods. */
	for (begin = now; now < begin + 2 * WINDOW; burst(&b, 1, true))
		burst(&a, 24, true);
	for (begin = now; now < begin + 50 * WINDOW;) {
		many += burst(&a, 24, true);
		few++;
		few_dropped += burst(&b, few % 4 == 0, true);
	}
	assert_true(many > 0);
	assert_true(few_dropped * 20 < few / 4);
}

static void the_limit_goes_when_queues_run_empty(void **state)
{
	for (uint64_t begin = now; now < begin + 50 * WINDOW;)
		burst(&a, 16, true);
	assert_true(budget.limit != MISS_BUDGET_UNLIMITED);
	for (uint64_t begin = now; now < begin + 20 * WINDOW;)
		burst(&a, 1, false);
	assert_true(budget.limit == MISS_BUDGET_UNLIMITED);
}

/* Others had the core: queues are full, and that is not the packets' fault. */
static void absence_is_no_overload(void **state)
{
	for (int i = 0; i < 100; i++) {
		now += 5 * WINDOW;
		miss_budget_turn(&budget, now, true, 0, packets, hits);
		assert_int_equal(burst(&a, 16, true), 0);
	}
}

/* Nor does it make misses dear. */
static void a_pause_within_a_miss_is_not_its_cost(void **state)
{
	uint64_t cost = budget.cost;

	miss_budget_spend(&budget, &a, 1, 10 * WINDOW);
	assert_true(budget.cost < 2 * cost);
	assert_true(budget.spent < WINDOW);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(who_keeps_up_drops_nothing, set_up),
		cmocka_unit_test_setup(hits_are_protected_from_misses, set_up),
		cmocka_unit_test_setup(flows_never_seen_before_leave_some_to_others, set_up),
		cmocka_unit_test_setup(leftovers_are_kept_for_a_few_at_once, set_up),
		cmocka_unit_test_setup(misses_alone_may_have_it_all, set_up),
		cmocka_unit_test_setup(ports_get_equal_parts, set_up),
		cmocka_unit_test_setup(the_limit_goes_when_queues_run_empty, set_up),
		cmocka_unit_test_setup(absence_is_no_overload, set_up),
		cmocka_unit_test_setup(a_pause_within_a_miss_is_not_its_cost, set_up),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
