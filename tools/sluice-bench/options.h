/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* The command line of sluice-bench. */

#include <stdio.h>

#include "tools/sluice-bench/measure.h"

#define OPTIONS_MAX_POINTS 16

struct option_case {
	const struct scenario *scenario;
	const struct scenario_variant *variant;
};

struct options {
	struct option_case cases[128];
	unsigned int n_cases;
	uint64_t flows[OPTIONS_MAX_POINTS];	/* n_flows 0: each scenario's own. */
	unsigned int n_flows;
	uint16_t sizes[4];
	unsigned int n_sizes;
	struct measure_config measure;
	const char *json;	/* File, "-": stdout instead of the table; NULL. */
	const char *svg;	/* A plot of all results; NULL. */
	const char *history;	/* Plot this file and do nothing else; NULL. */
	bool all;		/* Every row that has a goal. */
	bool against_ovs;	/* Open vSwitch too, in turns, over the same files. */
	bool verbose;
};

/* Fills OPTIONS or exits with one line of what is wrong. */
void options_parse(int argc, char *argv[], struct options *options);
