/* SPDX-License-Identifier: Apache-2.0 */
/* One bridge: port to port, learning switch, access lists. */
#include "tools/sluice-bench/frame.h"
#include "tools/sluice-bench/scenario.h"

#include "lib/headers.h"

/* ------------------------------------------------------------------ p2p */

static void p2p_stream(struct bench_stream *stream, uint16_t len, const struct scenario_params *params)
{
	struct frame_spec spec = frame_pair(len, false);
	struct frame_ofs ofs;

	frame_build(stream, &spec, &ofs);
	frame_edit(stream, ofs.nw_src, BENCH_COUNT, 0, UINT32_MAX, 0);
	stream->n_flows = params->n_flows;
}

static void p2p_build(struct conf *conf, const struct scenario_params *params)
{
	struct bench_traffic traffic;

	scenario_traffic(&traffic, params, p2p_stream);
	conf_bridge(conf, "br0");
	conf_source(conf, "br0", "p1", 1, &traffic);
	conf_sink(conf, "br0", "p2", 2);
	conf_flow(conf, "br0", "in_port=1,actions=output:2");
	conf_loop(conf, "p1", "p2");
	conf->check = frame_check_ip;
}

const struct scenario scenario_p2p = {
	.name = "p2p",
	.summary = "one rule from port to port",
	.unit = "flows",
	.points = {1, 1000, 50000, 1000000},
	.build = p2p_build,
};

/* ------------------------------------------------------------------ l2 */

static void l2_stream(struct bench_stream *stream, uint16_t len, const struct scenario_params *params,
	bool back)
{
	struct frame_spec spec = frame_pair(len, back);
	struct frame_ofs ofs;

	/* Each pair of stations has its addresses, as real ones have. */
	frame_build(stream, &spec, &ofs);
	frame_edit(stream, ofs.dl_dst, BENCH_COUNT, 0, UINT32_MAX, 0);
	frame_edit(stream, ofs.dl_src, BENCH_COUNT, 0, UINT32_MAX, 0);
	frame_edit(stream, ofs.nw_src, BENCH_COUNT, 0, UINT32_MAX, 0);
	frame_edit(stream, ofs.nw_dst, BENCH_COUNT, 0, UINT32_MAX, 0);
	stream->n_flows = params->n_flows;
}

static void l2_there(struct bench_stream *stream, uint16_t len, const struct scenario_params *params)
{
	l2_stream(stream, len, params, false);
}

static void l2_back(struct bench_stream *stream, uint16_t len, const struct scenario_params *params)
{
	l2_stream(stream, len, params, true);
}

static void l2_build(struct conf *conf, const struct scenario_params *params)
{
	struct bench_traffic traffic;
	struct conf_bridge *bridge = conf_bridge(conf, "br0");

	if (params->n_flows * 2 + 16 > 2048)
		bridge->mac_table_size = (unsigned int)params->n_flows * 2 + 1024;
	scenario_traffic(&traffic, params, l2_there);
	conf_source(conf, "br0", "p1", 1, &traffic);
	scenario_traffic(&traffic, params, l2_back);
	conf_source(conf, "br0", "p2", 2, &traffic);
	conf_flow(conf, "br0", "actions=NORMAL");
	conf_loop(conf, "p1", "p2");
	conf_loop(conf, "p2", "p1");
	conf->check = frame_check_ip;
}

const struct scenario scenario_l2 = {
	.name = "l2",
	.summary = "learning switch, pairs of stations talking both ways",
	.unit = "MAC pairs",
	.points = {1, 1000, 50000, 500000},
	.build = l2_build,
};

/* ------------------------------------------------------------------ a million flows */

#define WIDE_PAIRS 1024	/* A power of two, as WIDE_PORTS. */
#define WIDE_PORTS 16

static void wide_stream(struct bench_stream *stream, uint16_t len, const struct scenario_params *params,
	bool by_mac)
{
	struct frame_spec spec = frame_pair(len, false);
	struct frame_ofs ofs;

	spec.proto = IP_P_TCP;
	spec.tp_dst = 0;
	frame_build(stream, &spec, &ofs);
	if (by_mac)
		frame_edit(stream, ofs.dl_dst, BENCH_COUNT, 0, WIDE_PAIRS - 1, 0);
	frame_edit(stream, ofs.nw_src, BENCH_COUNT, 4, UINT32_MAX, 0);
	frame_edit(stream, ofs.ports, BENCH_COUNT, 0, WIDE_PORTS - 1, 0);
	stream->n_flows = params->n_flows;
}

static void l2_wide_stream(struct bench_stream *stream, uint16_t len,
	const struct scenario_params *params)
{
	wide_stream(stream, len, params, true);
}

static void l4_wide_stream(struct bench_stream *stream, uint16_t len,
	const struct scenario_params *params)
{
	wide_stream(stream, len, params, false);
}

static struct conf_port *wide_ports(struct conf *conf, const struct scenario_params *params,
	void (*build)(struct bench_stream *stream, uint16_t len, const struct scenario_params *params))
{
	struct bench_traffic traffic;

	scenario_traffic(&traffic, params, build);
	conf_bridge(conf, "br0");
	conf_source(conf, "br0", "p1", 1, &traffic);
	conf_loop(conf, "p1", "p2");
	conf->check = frame_check_ip;
	return conf_sink(conf, "br0", "p2", 2);
}

static void l2_wide_build(struct conf *conf, const struct scenario_params *params)
{
	wide_ports(conf, params, l2_wide_stream);
	conf_flow(conf, "br0", "actions=NORMAL");
	for (unsigned int i = 0; i < WIDE_PAIRS; i++)
		conf_station(conf, "br0", "p2", 0, FRAME_MAC_B + i);
}

static void l4_wide_build(struct conf *conf, const struct scenario_params *params)
{
	wide_ports(conf, params, l4_wide_stream);
	/* One rule an address and port could be: what is read makes each flow one of its own. */
	for (unsigned int i = 0; i < WIDE_PORTS; i++)
		conf_flow(conf, "br0", "priority=10,tcp,nw_src=10.0.0.%u,tp_dst=%u,actions=output:2", i, i);
	conf_flow(conf, "br0", "priority=1,actions=output:2");
}

const struct scenario scenario_l2_wide = {
	.name = "l2-wide",
	.summary = "learning switch, 1024 stations: flows that it has no need to tell apart",
	.unit = "flows",
	.points = {1000000},
	.build = l2_wide_build,
};

const struct scenario scenario_l4_wide = {
	.name = "l4-wide",
	.is_key_each = true,
	.summary = "rules that read addresses and ports: each flow is one of its own",
	.unit = "flows",
	.points = {1000000},
	.build = l4_wide_build,
};

/* ------------------------------------------------------------------ acl */

#define ACL_RULES 1000

static void acl_stream(struct bench_stream *stream, uint16_t len, const struct scenario_params *params)
{
	struct frame_spec spec = frame_pair(len, false);
	struct frame_ofs ofs;

	/* Many clients, 16 servers with 16 ports; all by chance. */
	spec.nw_src = 0x0a000000;
	spec.nw_dst = 0x0a800000;
	spec.proto = IP_P_TCP;
	spec.tp_dst = 0;
	frame_build(stream, &spec, &ofs);
	frame_edit(stream, ofs.nw_src, BENCH_RANDOM, 0, 0x7fffff, 0);
	frame_edit(stream, ofs.nw_dst, BENCH_RANDOM, 23, 15, 8);
	frame_edit(stream, ofs.ports, BENCH_RANDOM, 39, 0xffff, 16);
	frame_edit(stream, ofs.ports + 2, BENCH_RANDOM, 55, 15, 22);
	stream->n_flows = params->n_flows;
}

/* Rule R: what some flow has under one of 72 masks. */
static void acl_rule(struct conf *conf, const struct bench_traffic *traffic, unsigned int r)
{
	static const uint8_t src_lens[] = {12, 14, 16, 20, 24, 32}, dst_lens[] = {16, 18, 24, 32};
	static const uint16_t port_masks[] = {0, 0xff00, 0xffff};
	unsigned int src_len = src_lens[r % 6], dst_len = dst_lens[r / 6 % 4];
	uint32_t src_mask = ~UINT32_C(0) << (32 - src_len), dst_mask = ~UINT32_C(0) << (32 - dst_len);
	uint16_t port_mask = port_masks[r / 24 % 3];
	uint8_t frame[BENCH_FRAME_MAX];
	uint32_t src, dst;
	uint16_t port;

	bench_traffic_frame(traffic, r * 997u, frame);
	src = frame_get32(frame, 26) & src_mask;
	dst = frame_get32(frame, 30) & dst_mask;
	port = frame_get16(frame, 36) & port_mask;
	conf_flow(conf, "br0",
		"priority=%u,tcp,nw_src=%u.%u.%u.%u/%u,nw_dst=%u.%u.%u.%u/%u,tp_dst=0x%x/0x%x,"
		"actions=output:2",
		100 + 10 * (src_len + dst_len) + (port_mask ? port_mask & 1 ? 8 : 4 : 0),
		src >> 24, src >> 16 & 255, src >> 8 & 255, src & 255, src_len, dst >> 24, dst >> 16 & 255, dst >> 8 & 255, dst & 255, dst_len, port,
		port_mask);
}

void scenario_acl_build(struct conf *conf, const struct scenario_params *params)
{
	struct bench_traffic traffic;

	scenario_traffic(&traffic, params, acl_stream);
	conf_bridge(conf, "br0");
	conf_source(conf, "br0", "p1", 1, &traffic);
	conf_sink(conf, "br0", "p2", 2);
	for (unsigned int r = 0; r < ACL_RULES; r++)
		acl_rule(conf, &traffic, r);
	conf_flow(conf, "br0", "priority=1,actions=output:2");
	conf_loop(conf, "p1", "p2");
	conf->check = frame_check_ip;
}

const struct scenario scenario_acl = {
	.name = "acl",
	.is_key_each = true,
	.summary = "1000 rules over 72 masks of addresses and ports",
	.unit = "flows",
	.points = {1, 1000, 50000, 200000, 1000000},
	.build = scenario_acl_build,
};

const struct scenario scenario_cold = {
	.name = "cold",
	.summary = "acl with flows never seen before: loss at half the possible rate, first second",
	.unit = "flows",
	.kind = SCENARIO_COLD,
	.points = {200000},
	.build = scenario_acl_build,
};

const struct scenario scenario_churn = {
	.name = "churn",
	.summary = "acl while flow-mods come, in a table packets visit or in another one",
	.unit = "flows",
	.kind = SCENARIO_CHURN,
	.points = {1000},
	.variants = {{.name = "other-table"}, {.name = "same-table", .same_table = true}},
	.build = scenario_acl_build,
};

static void ports_build(struct conf *conf, const struct scenario_params *params)
{
	static const char *const kinds[][2] = {
		{"internal", ""}, {"internal", ""}, {"vxlan", "remote_ip=172.16.99.1 key=99"},
		{"gre", "remote_ip=172.16.99.1"}, {"patch", "peer=pass6"}, {"patch", "peer=pass5"},
	};
	unsigned int n = ARRAY_SIZE(kinds), ofport = 10;
	const char *bridge = "br0";

	if (params->variant->overlay) {
		scenario_neutron_encap.build(conf, params);
		bridge = "br-tun";
	} else {
		scenario_acl_build(conf, params);
	}
	for (unsigned int i = 0; i < n; i++) {
		char *name = xasprintf("pass%u", i + 1);

		conf_port(conf, bridge, name, kinds[i][0], ofport++, kinds[i][1])->passing = true;
		free(name);
	}
	conf_sink(conf, bridge, "pass7", ofport)->passing = true;
}

const struct scenario scenario_ports = {
	.name = "ports",
	.summary = "acl or neutron-encap at a million packets a second while ports of all kinds come and go",
	.unit = "flows",
	.kind = SCENARIO_PORTS,
	.points = {1000},
	.variants = {{.name = "acl"}, {.name = "encap", .overlay = true}},
	.build = ports_build,
};
