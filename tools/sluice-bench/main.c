/* SPDX-License-Identifier: Apache-2.0 */

/*
 * sluice-bench: packet rates of the switch on this machine, by scenario. Each case runs in a process of
 * its own: the switch inside it, with generator and far side.
 */

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "lib/fatal.h"
#include "lib/log.h"
#include "lib/util.h"
#include "lib/vec.h"
#include "tools/sluice-bench/compare.h"
#include "tools/sluice-bench/report.h"

struct bench {
	struct options options;
	FILE *out;		/* NULL: no table. */
	json_t *json;		/* NULL: none. */
	VEC(struct compare_row) rows;
	unsigned int n_bad;
};

static void measure_one(struct bench *bench, enum measure_subject subject,
	const struct scenario *scenario, const struct scenario_params *params,
	struct measure_result *result)
{
	measure(subject, scenario, params, &bench->options.measure, result);
	if (bench->out)
		report_row(bench->out, result);
	if (bench->json)
		report_json_row(bench->json, result);
	bench->n_bad += result->error[0] || (subject == MEASURE_SLUICE && result->fault[0]);
}

/* GOAL may be NULL. */
static void run_one(struct bench *bench, const struct scenario *scenario,
	const struct scenario_params *params, const struct goal *goal)
{
	struct compare_row *row = vec_push_zero(&bench->rows);

	row->goal = goal;
	if (!scenario_can(scenario, params)) {
		str_copy(row->ours.error, "not with this frame size", sizeof row->ours.error);
		return;
	}
	measure_one(bench, MEASURE_SLUICE, scenario, params, &row->ours);
	if (!bench->options.against_ovs || (goal && goal->ratio < 0))
		return;
	measure_one(bench, MEASURE_PEER, scenario, params, &row->theirs);
	row->has_theirs = true;
	if (bench->out)
		report_ratio(bench->out, &row->ours, &row->theirs);
	if (bench->json && goal)
		report_json_goal(bench->json, row);
}

static void run_scenario(struct bench *bench, const struct option_case *c)
{
	const struct options *o = &bench->options;
	const uint64_t *points = o->n_flows && c->scenario->unit ? o->flows : c->scenario->points;
	unsigned int max = points == o->flows ? o->n_flows : SCENARIO_MAX_POINTS;

	for (unsigned int size = 0; size < o->n_sizes; size++)
		for (unsigned int i = 0; i < max && points[i]; i++) {
			struct scenario_params params = {
				.n_flows = points[i],
				.frame_size = o->sizes[size],
				.variant = c->variant,
			};

			run_one(bench, c->scenario, &params, NULL);
		}
}

static void run_goals(struct bench *bench)
{
	for (size_t i = 0; i < n_goals; i++) {
		const struct scenario *scenario = scenario_find(goals[i].scenario);
		struct scenario_params params = {
			.n_flows = goals[i].n_flows,
			.frame_size = bench->options.sizes[0],
		};

		params.variant = scenario ? scenario_find_variant(scenario, goals[i].variant) : NULL;
		if (!params.variant)
			fatal("no scenario %s:%s", goals[i].scenario, goals[i].variant);
		run_one(bench, scenario, &params, &goals[i]);
	}
}

static int run_all(struct bench *bench)
{
	unsigned int n_missed = 0;
	int err = 0;

	if (bench->options.json) {
		bench->json = report_json_begin(&bench->options);
		if (!strcmp(bench->options.json, "-"))
			bench->out = NULL;
	}
	if (bench->out)
		report_begin(bench->out, &bench->options);
	if (bench->options.all)
		run_goals(bench);
	for (unsigned int i = 0; i < bench->options.n_cases; i++)
		run_scenario(bench, &bench->options.cases[i]);
	if (bench->out && bench->options.all)
		compare_table(bench->out, bench->rows.items, bench->rows.n, &n_missed);
	if (bench->options.svg)
		err = compare_plot(bench->rows.items, bench->rows.n, bench->options.svg);
	if (err)
		fprintf(stderr, "sluice-bench: %s: %s\n", bench->options.svg, strerror(-err));
	bench->n_bad += err != 0;
	err = bench->json ? report_json_end(bench->json, bench->options.json) : 0;
	if (err)
		fprintf(stderr, "sluice-bench: %s: %s\n", bench->options.json, strerror(-err));
	bench->n_bad += err != 0;
	vec_uninit(&bench->rows);
	return bench->n_bad ? 1 : n_missed ? 3 : 0;
}

int main(int argc, char *argv[])
{
	struct bench bench = {.out = stdout};

	program_name_set("sluice-bench");
	options_parse(argc, argv, &bench.options);
	log_set_levels(NULL, -1, LOG_LEVEL_OFF);
	log_set_levels(NULL, LOG_TO_CONSOLE, bench.options.verbose ? LOG_LEVEL_INFO : LOG_LEVEL_OFF);
	if (bench.options.history) {
		char *error = NULL;

		if (!compare_plot_history(bench.options.history, &error))
			return 0;
		fprintf(stderr, "sluice-bench: %s\n", error);
		return 1;
	}
	if (geteuid()) {
		fprintf(stderr, "sluice-bench: must be run as root: it needs hugepages and a network "
			"namespace of its own\n");
		return 2;
	}
	return run_all(&bench);
}
