/* SPDX-License-Identifier: Apache-2.0 */
#include "tools/sluice-bench/goal.h"

#include "lib/util.h"

#define OVER(SCENARIO, FLOWS, LIMIT, RATIO)                                                        \
	{SCENARIO, "", FLOWS, FIGURE_OVER, false, LIMIT, FIGURE_MPPS, false, RATIO}
#define KEPT(SCENARIO, VARIANT, LIMIT, RATIO)                                                      \
	{SCENARIO, VARIANT, 1000, FIGURE_KEPT, true, LIMIT, FIGURE_MPPS, false, RATIO}
#define MODS(VARIANT, LIMIT, RATIO)                                                                \
	{"flow-mods", VARIANT, 100000, FIGURE_MEMORY, false, LIMIT, FIGURE_MOD_CPU, true, RATIO}

const struct goal goals[] = {
	OVER("p2p", 1, 25, 1.5),
	OVER("p2p", 50000, 30, 1.4),
	OVER("l2", 1000, 50, 2.2),
	OVER("l2", 50000, 95, 0),
	OVER("acl", 1000, 50, 2),
	OVER("acl", 50000, 95, 10),
	OVER("acl", 200000, 120, 12),
	OVER("neutron-encap", 1000, 55, 2.4),
	OVER("neutron-encap", 50000, 95, 2.4),
	OVER("neutron-decap", 1000, 75, 2.9),
	OVER("neutron-decap", 50000, 115, 3.6),
	OVER("l2-wide", 1000000, 65, 0),
	OVER("l4-wide", 1000000, 115, 0),
	{"cold", "", 200000, FIGURE_PACED_LOSS, false, 1e-12, FIGURE_FIRST, false, 10},
	KEPT("tse", "5%", 0.6, 100),
	KEPT("tse", "10%", 0.6, 100),
	KEPT("tse", "5%-fresh", 0.6, 100),
	KEPT("tse", "10%-fresh", 0.6, 100),
	{"attack", "", 1, FIGURE_OVER, false, 430, FIGURE_MPPS, false, 50},
	KEPT("mac-storm", "10%-fresh", 0.5, 10),
	{"churn", "other-table", 1000, FIGURE_ADDED, false, 0.1, FIGURE_MPPS, false, 1.5},
	{"churn", "same-table", 1000, FIGURE_ADDED, false, 0.5, FIGURE_MPPS, false, 1.5},
	{"ports", "acl", 1000, FIGURE_LOSS, false, 1e-12, FIGURE_PORTS, false, 0},
	{"ports", "encap", 1000, FIGURE_LOSS, false, 1e-12, FIGURE_PORTS, false, 0},
	MODS("stream", 512, 1.2),
	{"acl", "", 200000, FIGURE_FLOW_MEMORY, false, 192, FIGURE_MPPS, false, -1},
	MODS("bundle", 0, 1.2),
	MODS("one-by-one", 0, 3),
};

const size_t n_goals = ARRAY_SIZE(goals);

/* Without hugepages it is mostly packet memory that is measured. */
static bool tells(const struct measure_result *result, enum figure figure)
{
	return result->hugepages || figure >= FIGURE_MODS;
}

static bool is_good(const struct measure_result *result)
{
	return !result->error[0] && !result->fault[0];
}

double goal_ratio(const struct goal *goal, const struct measure_result *ours,
	const struct measure_result *theirs)
{
	double a = measure_median(ours, goal->versus), b = measure_median(theirs, goal->versus);

	if (!is_good(ours) || !tells(ours, goal->versus) || theirs->error[0] || !(a > 0) || !(b > 0))
		return 0;
	return goal->less_is_better ? b / a : a / b;
}

enum goal_verdict goal_own(const struct goal *goal, const struct measure_result *ours)
{
	struct spread spread;

	if (!(goal->limit > 0))
		return GOAL_NONE;
	if (ours->error[0] || !tells(ours, goal->figure) || !measure_spread(ours, goal->figure, &spread))
		return GOAL_UNKNOWN;
	if (!is_good(ours))
		return GOAL_MISSED;
	if (goal->at_least)
		return spread.median >= goal->limit ? GOAL_MET : GOAL_MISSED;
	return spread.median <= goal->limit ? GOAL_MET : GOAL_MISSED;
}

enum goal_verdict goal_versus(const struct goal *goal, const struct measure_result *ours,
	const struct measure_result *theirs)
{
	double ratio = goal_ratio(goal, ours, theirs);

	if (!(goal->ratio > 0))
		return GOAL_NONE;
	if (!(ratio > 0))
		return is_good(ours) ? GOAL_UNKNOWN : GOAL_MISSED;
	return ratio >= goal->ratio ? GOAL_MET : GOAL_MISSED;
}

const char *goal_verdict_text(enum goal_verdict verdict)
{
	switch (verdict) {
	case GOAL_NONE:
		return "";
	case GOAL_MET:
		return "met";
	case GOAL_MISSED:
		return "missed";
	case GOAL_UNKNOWN:
		return "unknown";
	}
	return "";
}
