/* SPDX-License-Identifier: Apache-2.0 */

/*
 * sluice-bench: packet rates of the switch on this machine, by scenario. Each case runs in a process of
 * its own: the switch inside it, with generator and far side.
 */

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "lib/log.h"
#include "lib/util.h"
#include "tools/sluice-bench/report.h"

struct bench {
	struct options options;
	FILE *out;		/* NULL: no table. */
	json_t *json;		/* NULL: none. */
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
	bench->n_bad += result->error[0] || result->fault[0];
}

static void run_one(struct bench *bench, const struct scenario *scenario,
	const struct scenario_params *params)
{
	static struct measure_result ours, theirs;

	measure_one(bench, MEASURE_SLUICE, scenario, params, &ours);
	if (!bench->options.against_ovs)
		return;
	measure_one(bench, MEASURE_PEER, scenario, params, &theirs);
	if (bench->out)
		report_ratio(bench->out, &ours, &theirs);
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

			run_one(bench, c->scenario, &params);
		}
}

int main(int argc, char *argv[])
{
	struct bench bench = {.out = stdout};
	int err;

	program_name_set("sluice-bench");
	options_parse(argc, argv, &bench.options);
	log_set_levels(NULL, -1, LOG_LEVEL_OFF);
	log_set_levels(NULL, LOG_TO_CONSOLE, bench.options.verbose ? LOG_LEVEL_INFO : LOG_LEVEL_OFF);
	if (geteuid()) {
		fprintf(stderr, "sluice-bench: must be run as root: it needs hugepages and a network "
			"namespace of its own\n");
		return 2;
	}
	if (bench.options.json) {
		bench.json = report_json_begin(&bench.options);
		if (!strcmp(bench.options.json, "-"))
			bench.out = NULL;
	}
	if (bench.out)
		report_begin(bench.out, &bench.options);
	for (unsigned int i = 0; i < bench.options.n_cases; i++)
		run_scenario(&bench, &bench.options.cases[i]);
	if (bench.json) {
		err = report_json_end(bench.json, bench.options.json);
		if (err) {
			fprintf(stderr, "sluice-bench: %s: %s\n", bench.options.json, strerror(-err));
			return 1;
		}
	}
	return bench.n_bad ? 1 : 0;
}
