/* SPDX-License-Identifier: Apache-2.0 */
#include "datapath/pmd/miss_budget.h"

#include "lib/util.h"

#define COST_FIRST 2000

void miss_budget_init(struct miss_budget *budget, uint64_t tsc_per_us)
{
	*budget = (struct miss_budget){
		.window_cycles = MISS_BUDGET_WINDOW_US * tsc_per_us,
		.floor = MISS_BUDGET_FLOOR,
		.limit = MISS_BUDGET_UNLIMITED,
		.all_full = true,
		.window = 1,
		.cost = COST_FIRST,
	};
}

/* Cycles a window that misses get in any case: all where too few packets hit to be worth a drop. */
static int64_t floor_of(const struct miss_budget *budget, uint64_t packets, uint64_t hits)
{
	uint64_t percent = packets ? 100 * MIN(hits, packets) / packets : 0;
	uint64_t share = budget->floor;

	if (percent <= MISS_BUDGET_FEW_HITS)
		return MISS_BUDGET_UNLIMITED;
	if (percent < MISS_BUDGET_MANY_HITS)
		share = 100 - (100 - budget->floor) *
			(percent - MISS_BUDGET_FEW_HITS) /
			(MISS_BUDGET_MANY_HITS - MISS_BUDGET_FEW_HITS);
	return (int64_t)(budget->window_cycles / 100 * share);
}

static void be_stricter(struct miss_budget *budget, int64_t floor)
{
	if (floor == MISS_BUDGET_UNLIMITED || ++budget->n_full < MISS_BUDGET_PATIENCE) {
		budget->limit = floor == MISS_BUDGET_UNLIMITED ? floor : budget->limit;
		return;
	}
	if (budget->limit == MISS_BUDGET_UNLIMITED)
		budget->limit = (int64_t)budget->spent;
	budget->limit = MAX(budget->limit / 4 * 3, floor);
}

static void be_kinder(struct miss_budget *budget)
{
	int64_t window = (int64_t)budget->window_cycles;

	budget->n_full = 0;
	if (budget->idle > budget->window_cycles / 8)
		budget->limit = MISS_BUDGET_UNLIMITED;
	if (budget->limit == MISS_BUDGET_UNLIMITED)
		return;
	budget->limit += budget->limit / 4;
	if (budget->limit >= window)
		budget->limit = MISS_BUDGET_UNLIMITED;
}

static void begin_window(struct miss_budget *budget, uint64_t packets, uint64_t hits)
{
	budget->n_ports_before = budget->n_ports;
	budget->n_ports = 0;
	budget->window++;
	budget->all_full = true;
	budget->idle = budget->spent = 0;
	budget->n_seen = budget->n_new = 0;
	budget->packets = packets;
	budget->hits = hits;
}

/* What flows never seen before leave to the others. */
static int64_t reserve(const struct miss_budget *budget)
{
	int64_t floor = budget->floor, most = (int64_t)budget->window_cycles / 100 * floor;
	int64_t share = budget->is_flood ? MISS_BUDGET_FLOOD : MISS_BUDGET_NEW;

	return MIN(budget->limit, most) / floor * (floor - share);
}

/* What a window has left over waits for the next ones: a few new flows at once are no flood. */
static int64_t save(const struct miss_budget *budget)
{
	int64_t most = budget->limit - reserve(budget);

	return MIN(budget->pool + MAX(most - (int64_t)budget->spent, INT64_C(0)), MISS_BUDGET_SAVED * most);
}

static void end_window(struct miss_budget *budget, uint64_t packets, uint64_t hits)
{
	budget->pool = miss_budget_is_limited(budget) ? save(budget) : 0;
	if (budget->all_full)
		be_stricter(budget, floor_of(budget, packets - budget->packets,
			hits - budget->hits));
	else
		be_kinder(budget);
	budget->is_flood = budget->n_seen < budget->n_new / MISS_BUDGET_COME_AGAIN;
	begin_window(budget, packets, hits);
}

void miss_budget_turn(struct miss_budget *budget, uint64_t now, bool full, uint64_t idle,
	uint64_t packets, uint64_t hits)
{
	budget->all_full &= full;
	budget->idle += idle;
	if (likely(now - budget->begin < budget->window_cycles))
		return;
	/* After a long absence, when others had the core, full queues tell nothing. */
	if (now - budget->begin > 4 * budget->window_cycles)
		begin_window(budget, packets, hits);
	else
		end_window(budget, packets, hits);
	budget->begin = now;
}

static void refresh_share(struct miss_budget *budget, struct miss_share *share)
{
	if (likely(share->window == budget->window))
		return;
	share->window = budget->window;
	budget->n_ports++;
	share->credit = miss_budget_is_limited(budget) ?
		budget->limit / (int64_t)MAX(budget->n_ports_before, 1u) : INT64_MAX;
}

/* How many of N misses CREDIT is good for. */
static unsigned int afford(const struct miss_budget *budget, int64_t credit, unsigned int n)
{
	return credit <= 0 ? 0 : (unsigned int)MIN((uint64_t)credit / budget->cost + 1, (uint64_t)n);
}

unsigned int miss_budget_allow(struct miss_budget *budget, struct miss_share *share, unsigned int n_seen,
	unsigned int n_new)
{
	int64_t credit;
	unsigned int n;

	refresh_share(budget, share);
	budget->n_seen += n_seen;
	budget->n_new += n_new;
	if (likely(!miss_budget_is_limited(budget)))
		return n_seen + n_new;
	credit = MAX(share->credit, INT64_C(0)) + budget->pool;
	n = afford(budget, credit, n_seen);
	credit -= (int64_t)(n * budget->cost) + reserve(budget) / (int64_t)MAX(budget->n_ports_before, 1u);
	return n < n_seen ? n : n + afford(budget, credit, n_new);
}

void miss_budget_spend(struct miss_budget *budget, struct miss_share *share, unsigned int n,
	uint64_t cycles)
{
	int64_t from_pool;

	/* Others had the core meanwhile: that is nobody's cost. */
	cycles = MIN(cycles, budget->cost * MISS_BUDGET_SURPRISE * MAX(n, 1u));
	budget->spent += cycles;
	if (n)
		budget->cost = MAX((budget->cost * 15 + cycles / n) / 16, UINT64_C(16));
	if (share->credit >= (int64_t)cycles) {
		share->credit -= (int64_t)cycles;
		return;
	}
	from_pool = (int64_t)cycles - MAX(share->credit, INT64_C(0));
	share->credit = 0;
	budget->pool = MAX(budget->pool - from_pool, INT64_C(0));
}
