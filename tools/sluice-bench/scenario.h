/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * The scenarios by name. A scenario is a switch with traffic (conf.h), for a number of flows and a frame
 * size.
 */

#include "tools/sluice-bench/conf.h"

#define SCENARIO_MAX_POINTS 8
#define SCENARIO_MAX_VARIANTS 8

/* How a scenario is measured. */
enum scenario_kind {
	SCENARIO_RATE,		/* At full rate. */
	SCENARIO_ATTACK,	/* What victims keep of their quiet rate. */
	SCENARIO_COLD,		/* Flows never seen before. */
	SCENARIO_CHURN,		/* While flow-mods come. */
	SCENARIO_PORTS,		/* While ports come and go. */
	SCENARIO_FLOW_MODS,	/* How fast rules come in. */
	SCENARIO_PACKET_IN,	/* Round trips over the controller. */
	SCENARIO_RESTART,	/* No packets while the daemon is restarted; both sides as daemons. */
};

/* How rules are sent. */
enum scenario_load {
	SCENARIO_STREAM,	/* One after the other, a barrier each 1000. */
	SCENARIO_BUNDLE,	/* All in one bundle. */
	SCENARIO_ONE_BY_ONE,	/* By ovs-ofctl add-flows: a barrier each. */
};

struct scenario_variant {
	const char *name;	/* "10-fresh"; "": there are no variants. */
	unsigned int percent;	/* Of attack packets. */
	bool fresh;		/* They never repeat. */
	bool same_table;	/* Churn where the packets go. */
	enum scenario_load load;
	bool inward;		/* From the wire to the VM. */
	bool overlay;		/* Into a tunnel. */
};

struct scenario_params {
	uint64_t n_flows;
	uint16_t frame_size;	/* With FCS, as the world counts: 64, 1518; 0: IMIX. */
	const struct scenario_variant *variant;
};

struct scenario {
	const char *name;
	const char *summary;
	const char *unit;	/* What n_flows counts: "flows", "MAC pairs". */
	enum scenario_kind kind;
	bool is_key_each;	/* Rules tell all flows apart: each is one in the cache. */
	uint64_t points[SCENARIO_MAX_POINTS];	/* Numbers of flows measured by default; 0 ends. */
	struct scenario_variant variants[SCENARIO_MAX_VARIANTS];	/* name NULL ends; may be none. */
	void (*build)(struct conf *conf, const struct scenario_params *params);
};

const struct scenario *scenario_get(size_t i);	/* NULL past the last. */
extern const size_t n_scenarios;

const struct scenario *scenario_find(const char *name);
/* Variant NAME ("" where there are none); NULL: there is none of that name. */
const struct scenario_variant *scenario_find_variant(const struct scenario *scenario, const char *name);
/* Attackers' frames are as long as their victims': not in a mix. */
bool scenario_can(const struct scenario *scenario, const struct scenario_params *params);
/* Variant I; NULL past the last (there is at least one). */
const struct scenario_variant *scenario_variant(const struct scenario *scenario, size_t i);

/* Makes TRAFFIC of one frame size, or three times the same in the mix of IMIX (7 of 64, 4 of 594, 1 of
 * 1518 bytes): BUILD fills one stream of LEN bytes. */
void scenario_traffic(struct bench_traffic *traffic, const struct scenario_params *params,
	void (*build)(struct bench_stream *stream, uint16_t len, const struct scenario_params *params));

/* The switch of scenario acl, for others. */
void scenario_acl_build(struct conf *conf, const struct scenario_params *params);

extern const struct scenario scenario_tse, scenario_attack, scenario_mac_storm;
extern const struct scenario scenario_l2_wide, scenario_l4_wide;
extern const struct scenario scenario_dvr, scenario_tunnels;
extern const struct scenario scenario_cold, scenario_churn, scenario_ports;
extern const struct scenario scenario_flow_mods, scenario_packet_in, scenario_restart;
extern const struct scenario scenario_p2p, scenario_l2, scenario_acl;
extern const struct scenario scenario_neutron_encap, scenario_neutron_decap;
