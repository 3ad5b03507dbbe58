/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * The whole comparison, row by row: what is measured, what it shall come to, and whether it did.
 */

#include "tools/sluice-bench/measure.h"

enum goal_verdict { GOAL_NONE, GOAL_MET, GOAL_MISSED, GOAL_UNKNOWN };

struct goal {
	const char *scenario, *variant;
	uint64_t n_flows;
	/* What sluice shall do: FIGURE at most or at least LIMIT; 0: nothing is asked. */
	enum figure figure;
	bool at_least;
	double limit;
	/* How many times better than the peer by VERSUS; 0: reported only, negative: no peer. */
	enum figure versus;
	bool less_is_better;
	double ratio;
};

extern const struct goal goals[];
extern const size_t n_goals;

/* How many times better OURS is than THEIRS; 0: can't be said. */
double goal_ratio(const struct goal *goal, const struct measure_result *ours,
	const struct measure_result *theirs);
enum goal_verdict goal_own(const struct goal *goal, const struct measure_result *ours);
enum goal_verdict goal_versus(const struct goal *goal, const struct measure_result *ours,
	const struct measure_result *theirs);
const char *goal_verdict_text(enum goal_verdict verdict);
