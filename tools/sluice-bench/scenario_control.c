/* SPDX-License-Identifier: Apache-2.0 */
/* A switch that a controller keeps busy. */
#include "tools/sluice-bench/frame.h"
#include "tools/sluice-bench/scenario.h"

static void one_stream(struct bench_stream *stream, uint16_t len, const struct scenario_params *params)
{
	struct frame_spec spec = frame_pair(len, false);
	struct frame_ofs ofs;

	frame_build(stream, &spec, &ofs);
}

static void control_build(struct conf *conf, const struct scenario_params *params)
{
	struct bench_traffic traffic;

	scenario_traffic(&traffic, params, one_stream);
	conf_bridge(conf, "br0");
	conf_source(conf, "br0", "p1", 1, &traffic);
	conf_sink(conf, "br0", "p2", 2);
	conf_flow(conf, "br0", "priority=10,in_port=1,dl_type=0x88b5,actions=controller(max_len=65535)");
	conf_flow(conf, "br0", "priority=1,in_port=1,actions=output:2");
	conf_loop(conf, "p1", "p2");
	conf->check = frame_check_ip;
}

const struct scenario scenario_flow_mods = {
	.name = "flow-mods",
	.summary = "rules added over OpenFlow: rate, CPU time and memory",
	.unit = "rules",
	.kind = SCENARIO_FLOW_MODS,
	.points = {100000},
	.variants = {
		{.name = "stream", .load = SCENARIO_STREAM},
		{.name = "bundle", .load = SCENARIO_BUNDLE},
		{.name = "one-by-one", .load = SCENARIO_ONE_BY_ONE},
	},
	.build = control_build,
};

const struct scenario scenario_packet_in = {
	.name = "packet-in",
	.summary = "packet-out to the tables to packet-in: round trips, so many under way",
	.unit = "under way",
	.kind = SCENARIO_PACKET_IN,
	.points = {1, 64},
	.build = control_build,
};

const struct scenario scenario_restart = {
	.name = "restart",
	.summary = "no packets while the daemon is restarted with so many rules",
	.unit = "rules",
	.kind = SCENARIO_RESTART,
	.points = {100000},
	.build = control_build,
};
