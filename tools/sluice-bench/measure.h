/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * One case (a scenario, a number of flows, a frame size) measured in trials, on sluice or on a peer. In
 * each trial first the bare loop runs, then the switch, over the same devices on the same core; counts
 * at the far side must be exact in every trial.
 */

#include "tools/sluice-bench/figure.h"
#include "tools/sluice-bench/scenario.h"
#include "tools/sluice-bench/target.h"

#define MEASURE_MAX_TRIALS 64
#define MEASURE_ERROR 256

struct measure_config {
	unsigned int trials;
	unsigned int ms;	/* Of a trial's run. */
	bool search;		/* For throughput at a loss ratio, too. */
	double pdr_loss;	/* Share that may be lost in PDR. */
	bool show_paths;	/* Cached paths to stderr. */
	struct target_config target;
};

/* Plain data: it crosses a pipe. */
struct measure_result {
	char subject[48];	/* "sluice", or the peer with its version. */
	char scenario[32];
	char variant[24];
	uint64_t n_flows;	/* 0: does not say anything. */
	uint16_t frame_size;
	uint64_t n_frames;
	bool hugepages;
	unsigned int n_trials;
	double figures[N_FIGURES][MEASURE_MAX_TRIALS];
	struct target_reading readings[MEASURE_MAX_TRIALS];	/* The runs that the figures are of. */
	char error[MEASURE_ERROR];	/* "": it was measured ... */
	char fault[MEASURE_ERROR];	/* ... and "": every packet arrived as it should. */
};

/* False: RESULT does not have WHAT. */
bool measure_spread(const struct measure_result *result, enum figure what, struct spread *spread);
/* Its median, 0 if there is none. */
double measure_median(const struct measure_result *result, enum figure what);

enum measure_subject { MEASURE_SLUICE, MEASURE_PEER };

/* Measures in a process of its own. */
void measure(enum measure_subject subject, const struct scenario *scenario,
	const struct scenario_params *params, const struct measure_config *config,
	struct measure_result *result);
