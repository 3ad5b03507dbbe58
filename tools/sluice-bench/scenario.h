/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * The scenarios by name. A scenario is a switch with traffic (conf.h), for a number of flows and a frame
 * size.
 */

#include "tools/sluice-bench/conf.h"

#define SCENARIO_MAX_POINTS 8

struct scenario_params {
	uint64_t n_flows;
	uint16_t frame_size;	/* With FCS, as the world counts: 64, 1518; 0: IMIX. */
};

struct scenario {
	const char *name;
	const char *summary;
	const char *unit;	/* What n_flows counts: "flows", "MAC pairs". */
	uint64_t points[SCENARIO_MAX_POINTS];	/* Numbers of flows measured by default; 0 ends. */
	void (*build)(struct conf *conf, const struct scenario_params *params);
};

const struct scenario *scenario_get(size_t i);	/* NULL past the last. */
extern const size_t n_scenarios;

const struct scenario *scenario_find(const char *name);

/* Makes TRAFFIC of one frame size, or three times the same in the mix of IMIX (7 of 64, 4 of 594, 1 of
 * 1518 bytes): BUILD fills one stream of LEN bytes. */
void scenario_traffic(struct bench_traffic *traffic, const struct scenario_params *params,
	void (*build)(struct bench_stream *stream, uint16_t len, const struct scenario_params *params));

extern const struct scenario scenario_p2p, scenario_l2, scenario_acl;
extern const struct scenario scenario_neutron_encap, scenario_neutron_decap;
