/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * One case (a scenario, a number of flows, a frame size) measured in trials. In each trial first the
 * bare loop runs, then the switch, over the same devices on the same core; counts at the far side must
 * be exact in every trial.
 */

#include "tools/sluice-bench/lab.h"
#include "tools/sluice-bench/peer.h"
#include "tools/sluice-bench/scenario.h"

#define MEASURE_MAX_TRIALS 64
#define MEASURE_ERROR 256

struct measure_config {
	unsigned int trials;
	unsigned int ms;	/* Of a trial's run. */
	bool show_paths;	/* Cached paths to stderr. */
	struct lab_config lab;
	struct peer_config peer;
};

struct measure_trial {
	double io_cycles;	/* 0: not measured. */
	double cycles, mpps;
	uint64_t received, sent, expected;
	uint64_t exact_hits, mega_hits, misses, lost;
	double cpu_share;	/* Of the time the PMD had its core. */
};

/* Plain data: it crosses a pipe. */
struct measure_result {
	char subject[48];	/* "sluice", or the peer with its version. */
	char scenario[32];
	uint64_t n_flows;
	uint16_t frame_size;
	uint64_t n_frames;
	bool hugepages;
	unsigned int n_trials;
	struct measure_trial trials[MEASURE_MAX_TRIALS];
	char error[MEASURE_ERROR];	/* "": it was measured ... */
	char fault[MEASURE_ERROR];	/* ... and "": every packet arrived as it should. */
};

/* Middle, smallest and largest of one member over the trials. */
struct measure_spread {
	double median, min, max;
};

enum measure_what { MEASURE_MPPS, MEASURE_CYCLES, MEASURE_IO, MEASURE_OVER, MEASURE_RATIO };
struct measure_spread measure_spread(const struct measure_result *result, enum measure_what what);

enum measure_subject { MEASURE_SLUICE, MEASURE_PEER };

/* Measures in a process of its own. The peer has no bare loop, and its counts are good to a percent. */
void measure(enum measure_subject subject, const struct scenario *scenario, const struct scenario_params *params,
	const struct measure_config *config, struct measure_result *result);
